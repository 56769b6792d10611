/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORD_INTERVALS_H
#define TOOLS_RECORD_INTERVALS_H

#include "recording/recording.h"
#include "report.h"
#include "written_set.h"

/* A mapping that was there in the last report. */
struct seen {
	pid_t pid;
	uint64_t start;
	uint64_t end;
	uint64_t tracked;
};

/* Makes intervals of reports. All 0, but for @most_cells, is the beginning. */
struct intervals {
	uint64_t most_cells;	/* of a mapping */
	struct written_set set;
	struct seen *seen;	/* sorted */
	size_t n_seen;
	/* The last interval, and the room in its arrays */
	struct recording_interval interval;
	size_t process_room;
	size_t line_room;
	size_t cell_room;
};

/**
 * intervals_add - a report becomes an interval
 * @in: intervals
 * @report: report, with regions; its interval is the length
 * @time: of its end, seconds since recording began
 *
 * Mappings that are what they were, and of which nothing was written in the longest window of the
 * written set, are left out. Lines have the names of the report.
 *
 * Return: 0, with @in->interval; or -ENOMEM.
 */
int intervals_add(struct intervals *in, const struct report *report, double time);

void intervals_free(struct intervals *in);

#endif /* TOOLS_RECORD_INTERVALS_H */
