/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_CROWD_CROWD_H
#define TOOLS_CROWD_CROWD_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crowd/processes.h"
#include "crowd/refused.h"
#include "report.h"
#include "selection.h"

struct crowd;
struct member;

/* What a verb does with its members. */
struct crowd_ops {
	size_t member_size;	/* of a structure that begins with struct member */
	/* It is tracked from now on. May be NULL. */
	void (*join)(struct crowd *c, struct member *m);
	/* Look at it; @err: what member_look() has said. Return: 0, or -ENOMEM of our own. */
	int (*look)(struct crowd *c, struct member *m, int *err);
	/* It is freed behind this. May be NULL. */
	void (*leave)(struct crowd *c, struct member *m);
};

/*
 * The processes that are tracked, which have nothing to do with each other: each has its tracker,
 * and what goes wrong with one is no matter of the others.
 */
struct crowd {
	const struct crowd_ops *ops;
	void *arg;		/* the verb's */
	struct selection what;
	bool by_user;		/* of this user only */
	uid_t user;
	bool tell;		/* why a process cannot be tracked, on standard error */
	struct member **member;	/* in ascending order of their numbers */
	size_t n;
	size_t room;
	struct refused_list refused;
	size_t most;		/* members: each takes two file descriptors */
	uint64_t refused_anew;	/* but for those of the kernel; who tells it sets it to 0 */
	struct report look;	/* the first one of a member, used again */
	struct pollfd *fds;	/* for waiting, used again */
	size_t fds_room;
	double began;
};

/* Empty, but for what the verb has set. Members have pointers to it: it stays where it is. */
void crowd_begin(struct crowd *c);

/**
 * crowd_look - what has each of them written since it was looked at last?
 * @c: crowd
 *
 * One that has ended, or cannot be tracked any more, stays until crowd_update(): reports have names
 * that are its own.
 *
 * Return: 0; -ENOMEM; or -ENOTRECOVERABLE when nothing can be tracked any more
 */
int crowd_look(struct crowd *c);

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

#endif /* TOOLS_CROWD_CROWD_H */
