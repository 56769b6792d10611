/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_REFUSED_H
#define TOOLS_TOP_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "top/processes.h"
#include "top/rows.h"

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

/* It can be tracked after all. */
void refused_forget(struct refused_list *list, pid_t pid);

/* Forget all that are not wanted any more. */
void refused_keep(struct refused_list *list, const struct pid_list *wanted);

void refused_count(const struct refused_list *list, uint64_t counts[REFUSALS]);
void refused_free(struct refused_list *list);

#endif /* TOOLS_TOP_REFUSED_H */
