/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_MEMBER_H
#define TOOLS_TOP_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "family.h"
#include "report.h"
#include "target.h"
#include "top/rows.h"
#include "written_set.h"

/* One of the processes that are tracked: a family of one, which has no children. */
struct member {
	struct target target;
	struct family family;
	char user[32];
	uint64_t all_written;	/* pages, since it is tracked */
	double looked;		/* when it was looked at last */
	unsigned int memories;	/* that it had then */
	struct written_set set;
	int err;		/* what its events have come to */
};

/**
 * top_member_begin - track a process, and arm what it has
 * @m: with its target, whose pidfd is the member's from now on; the rest is 0
 * @what: which memory
 * @look: a report to be used
 *
 * Return: 0; -EBUSY when it is another tracker's; or another negative errno. In any case,
 * top_member_free() comes last.
 */
int top_member_begin(struct member *m, const struct selection *what, struct report *look);

/**
 * top_member_look - what has it written since the last look?
 * @m: member
 * @look: a report to be used
 * @row: out: what it has written; also after an error
 * @time: seconds since the beginning
 * @room: so many blocks more of the written set may be remembered
 *
 * Return: 0; -ESRCH when it has ended, with what it did before; or another negative errno.
 */
int top_member_look(struct member *m, struct report *look, struct top_row *row, double time,
		    size_t room);

/* The file that tells of events, or -1. */
int top_member_event_fd(const struct member *m);

/* Take what has happened by now. */
void top_member_take_events(struct member *m);

void top_member_free(struct member *m);

#endif /* TOOLS_TOP_MEMBER_H */
