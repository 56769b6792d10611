/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_TRACKED_H
#define TOOLS_TOP_TRACKED_H

#include "crowd/crowd.h"
#include "report.h"
#include "top/rows.h"

/* The processes that are tracked, and what is known of all of them. */
struct tracked {
	struct crowd crowd;
	struct report look;		/* of one of them, used again */
	struct top_report *report;	/* that rows are added to */
	size_t blocks;			/* of all written sets */
	uint64_t all_written;		/* pages in all reports */
};

/* None yet: @t is all 0, but for what is to be tracked. It stays where it is. */
void tracked_begin(struct tracked *t);

/**
 * tracked_look - what has each of them written since it was looked at last?
 * @t: processes
 * @report: with no rows; out: a row for each
 *
 * Return: as crowd_look().
 */
int tracked_look(struct tracked *t, struct top_report *report);

void tracked_end(struct tracked *t);

#endif /* TOOLS_TOP_TRACKED_H */
