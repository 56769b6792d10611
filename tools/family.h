/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_FAMILY_H
#define TOOLS_FAMILY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watched.h"

/* The processes that are watched: one, or with --children all that come from it, too. */
struct family {
	const struct selection *what;
	struct watched **member;	/* the first is the one that was asked for, and stays */
	size_t n;
	size_t room;
	/*
	 * To be closed when there is time: the kernel takes long for it, and who is closing takes
	 * no events, while no more than 64 children wait to be taken.
	 */
	struct uffdwp **closing;
	size_t n_closing;
	size_t closing_room;
	bool has_input;			/* a wait ends, too, when this file can be read */
	int input;
	bool starting;			/* the first one is about to execute our command */
	uint64_t not_followed;		/* processes, since the last report */
	bool lost;			/* events, since the last report */
	uint64_t all_not_followed;	/* the same in all reports */
	uint64_t reports_lost;
};

struct watched *family_first(const struct family *f);
bool family_is_first(const struct family *f, const struct watched *p);

/* Room for one more, all 0; or NULL. */
struct watched *family_add(struct family *f);

/* A process cannot be followed: @tracker, if there is one, is closed. */
void family_misses(struct family *f, struct uffdwp *tracker);

/* The tracker of a process is of no use any more. */
void family_close_later(struct family *f, struct watched *p);

/* There is time now: close all that family_close_later() has left. */
void family_close_old(struct family *f);

/* One that was watched cannot be any more. It goes on. */
void family_lose(struct family *f, struct watched *p);

/**
 * family_begin - watch a process
 * @f: family, with its selection; the rest is 0
 * @target: process; its pidfd stays the caller's. One that waits is released
 * @start_err: out: negative errno when the command could not be started
 *
 * What a command does is seen from its first instruction, if the module has events.
 *
 * Return: 0, or as watched_open().
 */
int family_begin(struct family *f, struct target *target, int *start_err);

/* Does all that the one that was asked for has done count already? */
bool family_saw_the_start(const struct family *f);

/**
 * family_look - look at all of them
 * @f: family
 * @report: empty; out: what was written
 *
 * Return: 0; -ESRCH when the one that was asked for has ended, without --children; or another
 * negative errno.
 */
int family_look(struct family *f, struct report *report);

/* The same, added to what is in the report: names in it are the members' until their next look. */
int family_look_too(struct family *f, struct report *report);

/* Watching begins: what the one that was asked for has written until now counts in no report. */
void family_forget(struct family *f);

/**
 * family_take_events - take what has happened by now
 * @f: family
 *
 * Return: 0, or a negative errno.
 */
int family_take_events(struct family *f);

/**
 * family_await - the memory of the first is gone: wait until it tells why
 * @f: family, whose first member has events
 *
 * Not for ever: somebody else may still have its memory.
 *
 * Return: as family_take_events().
 */
int family_await(struct family *f);

/**
 * family_wait - wait until something happens, and take it
 * @f: family
 * @seconds: at most
 * @mask: signals that are blocked meanwhile
 *
 * Return: as family_take_events().
 */
int family_wait(struct family *f, double seconds, const sigset_t *mask);

/* Can the input be read now? */
bool family_has_input(const struct family *f);

/* Is there nothing to watch any more? */
bool family_has_ended(const struct family *f);

/* Is there something to report of processes that have ended? */
bool family_has_news(const struct family *f);

/* Pages that were written since the last report, in memory that is gone. */
uint64_t family_written_since(const struct family *f);

void family_end(struct family *f);

#endif /* TOOLS_FAMILY_H */
