/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_HISTORY_H
#define TOOLS_WATCH_HISTORY_H

#include "report.h"
#include "screen/spark.h"

/* Rows that are kept of a report, at most: those that were written the most, and others as one. */
#define HISTORY_ROWS 16384

enum row_kind {
	ROW_PROCESS,		/* the heading of its rows: only if there can be several */
	ROW_MAPPING,		/* or all mappings of a name */
	ROW_GONE,		/* what was written in memory that is not mapped any more */
	ROW_REST,		/* mappings that have no row of their own */
};

/* A line of the last report, with what it was in those before. */
struct row {
	enum row_kind kind;
	pid_t pid;
	char name[64];
	struct report_line line;	/* its name is above */
	double rate;			/* bytes a second */
	struct spark rates;
	bool ended;			/* a process, with this status */
	int status;
};

/* What there is to show: it stays as it is until the next report is taken. All 0 is empty. */
struct history {
	struct row *row;	/* in an order of its own */
	size_t n;
	bool by_name;
	bool by_process;
	uint64_t number;	/* of the report; 0: there was none yet */
	double elapsed;
	double interval;
	struct row total;
	bool sets_incomplete;
	uint64_t skipped_maps[MAP_KINDS];
	uint64_t skipped_bytes[MAP_KINDS];
};

/**
 * history_take - one more report
 * @history: history
 * @report: report that has sets; lines that are too many are cut off it (report_top())
 *
 * A mapping that has grown, moved its start, or was cut is the one that it overlaps, if its name is
 * the same.
 *
 * Return: 0; or -ENOMEM, and the history is as it was.
 */
int history_take(struct history *history, struct report *report);

/* A copy, which is freed like the other: 0 or -ENOMEM. */
int history_copy(const struct history *history, struct history *copy);

/* The row that is the same as one of another report, or NULL. */
const struct row *history_find(const struct history *history, const struct row *row);

void history_free(struct history *history);

#endif /* TOOLS_WATCH_HISTORY_H */
