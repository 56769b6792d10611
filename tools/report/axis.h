/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_AXIS_H
#define TOOLS_REPORT_AXIS_H

#include "report/spans.h"

/*
 * The axis of addresses: the memory that was written, cut into rows. What lies between is left out.
 * A segment has rows of the same number of pages, but for the last; other segments have others.
 */
struct segment {
	struct span span;
	uint64_t pages;		/* of a row */
	size_t row;		/* its first */
	size_t rows;
};

struct axis {
	struct segment *segment;	/* in ascending order of process and address */
	size_t n;
	size_t rows;
	size_t left_out;		/* spans that there was no row for */
	uint64_t left_out_written;	/* page writes to them */
};

/**
 * axis_make - decide what each row stands for
 * @axis: out
 * @spans: what was written; those that are near each other may become one
 * @rows: at most, 1 or more
 *
 * Return: 0 or -ENOMEM.
 */
int axis_make(struct axis *axis, struct spans *spans, size_t rows);

/* The segment that has the first address behind @address or at it, or @n. */
size_t axis_find(const struct axis *axis, uint64_t process, uint64_t address);

/* The segment that a row is of. */
const struct segment *axis_segment(const struct axis *axis, size_t row);

/* The memory that a row stands for. */
void axis_row(const struct segment *segment, size_t row, uint64_t *start, uint64_t *end);

void axis_free(struct axis *axis);

#endif /* TOOLS_REPORT_AXIS_H */
