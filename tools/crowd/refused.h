/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_CROWD_REFUSED_H
#define TOOLS_CROWD_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "crowd/processes.h"

/* Why a process is not tracked. */
enum refusal {
	REFUSED_BUSY,		/* another tracker has its memory, or the process itself */
	REFUSED_RIGHTS,
	REFUSED_KERNEL,		/* a thread of the kernel */
	REFUSED_FILES,		/* each process takes two file descriptors */
	REFUSED_OTHER,
	REFUSALS
};

/* "no permission": for people. */
const char *refusal_text(enum refusal why);

/* "no_permission": for programs. */
const char *refusal_key(enum refusal why);

struct refused;

/* Processes that cannot be tracked, so that they are not tried at each interval. All 0 is empty. */
struct refused_list {
	struct refused *refused;	/* in ascending order of their numbers */
	size_t n;
	size_t room;
};

/* The reason that is behind an errno of the library. */
enum refusal refused_reason(int err);

/**
 * refused_add - a process cannot be tracked
 * @list: list
 * @pid: process
 * @why: reason; REFUSALS: it was not asked for, and is not counted
 *
 * Return: 0 or -ENOMEM.
 */
int refused_add(struct refused_list *list, pid_t pid, enum refusal why);

/* Is that process not to be tried now? Every ten seconds it is, as things may have changed. */
bool refused_has(const struct refused_list *list, pid_t pid);

/* Could it not be tracked when it was tried last? */
bool refused_knows(const struct refused_list *list, pid_t pid);

/* It can be tracked after all. */
void refused_forget(struct refused_list *list, pid_t pid);

/* Forget all that are not wanted any more. */
void refused_keep(struct refused_list *list, const struct pid_list *wanted);

void refused_count(const struct refused_list *list, uint64_t counts[REFUSALS]);
void refused_free(struct refused_list *list);

#endif /* TOOLS_CROWD_REFUSED_H */
