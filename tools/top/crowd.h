/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_CROWD_H
#define TOOLS_TOP_CROWD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "selection.h"
#include "top/processes.h"
#include "top/refused.h"
#include "top/rows.h"

struct member;

/*
 * The processes that are tracked, which have nothing to do with each other: each has its tracker,
 * and what goes wrong with one is no matter of the others.
 */
struct crowd {
	struct selection what;
	bool by_user;		/* of this user only */
	uid_t user;
	bool tell;		/* why a process cannot be tracked, on standard error */
	struct member **member;	/* in ascending order of their numbers */
	size_t n;
	size_t room;
	struct refused_list refused;
	size_t most;		/* members: each takes two file descriptors */
	struct report look;	/* of one member, used again */
	struct pollfd *fds;	/* for waiting, used again */
	size_t fds_room;
	uint64_t all_written;	/* pages in all reports */
	double began;
};

/* Empty. Its members find each other as long as it stays where it is. */
void crowd_begin(struct crowd *c);

/**
 * crowd_look - what has each of them written since it was looked at last?
 * @c: crowd
 * @report: with no rows; out: a row for each member. Those that have ended are members no more
 *
 * Return: 0; -ENOMEM; or -ENOTRECOVERABLE when nothing can be tracked any more
 */
int crowd_look(struct crowd *c, struct top_report *report);

/**
 * crowd_update - these shall be members, and no others
 * @c: crowd
 * @wanted: their numbers, sorted. We ourselves are passed over
 *
 * New ones are tracked from now on. Ends early when a signal has come.
 *
 * Return: as crowd_look().
 */
int crowd_update(struct crowd *c, const struct pid_list *wanted);

/**
 * crowd_wait - wait for something to happen, and take it
 * @c: crowd
 * @seconds: at most
 * @mask: signals that are blocked meanwhile
 * @input: a file descriptor, or -1
 *
 * Return: 1 when there is input, 0, or -ENOMEM.
 */
int crowd_wait(struct crowd *c, double seconds, const sigset_t *mask, int input);

/* Nothing of any of them stays protected. */
void crowd_end(struct crowd *c);

#endif /* TOOLS_TOP_CROWD_H */
