/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_MODEL_H
#define TOOLS_REPORT_MODEL_H

#include <stdbool.h>

#include "report/axis.h"
#include "report/histogram.h"
#include "report/seen.h"
#include "report/source.h"

#define MODEL_PAGE 4096ull
#define MODEL_COLUMNS 2000
#define MODEL_ROWS 1000

/* An interval as a sum. */
struct moment {
	uint64_t number;	/* in the recording, from 1 */
	double time;		/* of its end */
	double length;
	uint64_t written;	/* page writes, with @gone */
	uint64_t gone;		/* in memory that is not mapped any more */
	uint64_t added;		/* pages that were not tracked before */
	uint64_t mappings;	/* that were written */
	uint64_t processes;
	bool lost;		/* events were lost */
	uint64_t set[WRITTEN_SET_WINDOWS];
};

/* What a report is about. */
struct model_query {
	uint64_t start;		/* addresses, whole pages; @end is 0: all */
	uint64_t end;
	double from;		/* seconds since recording began; @to is 0: to the end */
	double to;
	pid_t pid;		/* 0: all */
	size_t columns;		/* at most */
	size_t rows;
	/* For each interval, or NULL. Return: 0, or an error that ends reading */
	int (*each)(void *arg, const struct moment *moment);
	void *arg;
};

/* A part of the time. */
struct column {
	double intervals;	/* 0: nothing was recorded then */
	double seconds;
	double written;		/* page writes */
	double gone;
	uint64_t set[WRITTEN_SET_WINDOWS];	/* the most in it */
};

/* How a recording ends. */
enum model_end {
	MODEL_WHOLE,
	MODEL_CUT,		/* in the middle of a frame */
	MODEL_DAMAGED,
};

/* A recording, or what was asked for of it, in a size that does not depend on the size of it. */
struct model {
	const struct recording_header *header;
	struct model_query query;
	enum model_end ends;
	uint64_t in_file;	/* intervals */
	uint64_t intervals;	/* of those that were asked for */
	double begin;		/* seconds since recording began */
	double end;
	double seconds;		/* in intervals */
	uint64_t written;	/* page writes, with @gone */
	uint64_t gone;
	uint64_t presumed;
	uint64_t lost;		/* intervals in which events were lost */
	uint64_t not_followed;	/* processes */
	uint64_t skipped_bytes;	/* the most at one time */
	struct moment busiest;	/* interval: that with the highest rate */
	struct seen seen;
	struct histogram set[WRITTEN_SET_WINDOWS];
	struct histogram rate;	/* page writes of an interval */
	struct axis axis;
	struct column *column;
	size_t columns;
	double *cell;		/* page writes, @columns for each row of @axis */
};

/**
 * model_read - read a recording
 * @model: out, to be freed in any case
 * @source: recording, at its beginning
 * @query: what is asked for
 *
 * A recording that ends too early is no error.
 *
 * Return: 0, -ENOMEM, or what reading has failed with.
 */
int model_read(struct model *model, const struct source *source, const struct model_query *query);

/* The part of the pages of a cell that was written in an interval, on average: 0 to 1. */
double model_share(const struct model *model, size_t row, size_t column);

/* When a column begins. */
double model_time(const struct model *model, size_t column);

/* One sentence for people on how the recording ends, or "". */
void model_note(const struct model *model, char *text, size_t size);

void model_free(struct model *model);

#endif /* TOOLS_REPORT_MODEL_H */
