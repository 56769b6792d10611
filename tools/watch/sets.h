/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_SETS_H
#define TOOLS_WATCH_SETS_H

#include "report.h"
#include "written_set.h"

struct sets_range;

/* The written sets of all lines of a report, from one report to the next. All 0 is empty. */
struct sets {
	struct written_set set;
	struct sets_range *range;	/* what was mapped at the last report, by its lines */
	size_t n;
	size_t room;
	double aged;			/* when it was let go of what is old */
	bool no_memory;			/* the set has lost something */
};

/**
 * sets_take - put what a report has brought into the sets, and the sets into its lines
 * @sets: sets
 * @report: report that has its regions, and lines in the order of their addresses; at its end it
 *          @has_sets
 *
 * What was unmapped leaves the sets. What was unmapped and mapped again between two reports, at the
 * same address, does not.
 */
void sets_take(struct sets *sets, struct report *report);

void sets_free(struct sets *sets);

#endif /* TOOLS_WATCH_SETS_H */
