/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_CROWD_MEMBER_H
#define TOOLS_CROWD_MEMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "family.h"
#include "report.h"
#include "target.h"

/*
 * One of the processes that are tracked: a family of one, which has no children. A verb that knows
 * more of it has a structure that begins with this one.
 */
struct member {
	struct target target;
	struct family family;
	uid_t user;
	int err;		/* what its events have come to since the last look */
	bool over;		/* nothing more is to be known of it */
};

/**
 * member_begin - track a process, and arm what it has
 * @m: with its target, whose pidfd is the member's from now on; the rest is 0
 * @what: which memory
 * @look: a report to be used
 *
 * Return: 0; -EBUSY when it is another tracker's; or another negative errno. In any case,
 * member_free() comes last.
 */
int member_begin(struct member *m, const struct selection *what, struct report *look);

/**
 * member_look - what has it written since the last look?
 * @m: member
 * @report: it is added to that; also after an error
 *
 * Return: 0; -ESRCH when it has ended; or another negative errno.
 */
int member_look(struct member *m, struct report *report);

/* Otherwise no look will find anything any more, whatever the last one has returned. */
bool member_is_tracked(const struct member *m);

/*
 * Pages that events have told of during the last look, because the look itself found that the
 * memory is gone: they would be in the next one, and of what has ended there is none.
 */
uint64_t member_written_since(const struct member *m);

/* How many times its memory was replaced by execve(2). */
unsigned int member_memories(const struct member *m);

/* The file that tells of events, or -1. */
int member_event_fd(const struct member *m);

/* Take what has happened by now. */
void member_take_events(struct member *m);

void member_free(struct member *m);

#endif /* TOOLS_CROWD_MEMBER_H */
