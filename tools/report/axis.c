// SPDX-License-Identifier: GPL-2.0-only
/*
 * The axis of addresses. Address spaces are nearly empty, and a small mapping that is written all
 * the time says more than a large one that is not: the rows of a segment grow with the fourth root
 * of its size.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "report/axis.h"

#define PAGE 4096ull

/* A segment in three rows or so; fewer are not worth to be told apart. */
static size_t most_segments(size_t rows)
{
	return rows < 12 ? (rows + 1) / 2 : rows / 3;
}

static int by_written(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->span.written != y->span.written)
		return x->span.written < y->span.written ? 1 : -1;
	return x->span.start < y->span.start ? -1 : x->span.start > y->span.start;
}

static int by_address(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->span.process != y->span.process)
		return x->span.process < y->span.process ? -1 : 1;
	return x->span.start < y->span.start ? -1 : x->span.start > y->span.start;
}

static uint64_t pages_of(const struct segment *segment)
{
	return (segment->span.end - segment->span.start) / PAGE;
}

/* Of those that were written most; the others are left out. */
static void choose(struct axis *axis, size_t most)
{
	size_t i;

	if (axis->n <= most)
		return;
	qsort(axis->segment, axis->n, sizeof(*axis->segment), by_written);
	for (i = most; i < axis->n; i++)
		axis->left_out_written += axis->segment[i].span.written;
	axis->left_out = axis->n - most;
	axis->n = most;
	qsort(axis->segment, axis->n, sizeof(*axis->segment), by_address);
}

static double weight(const struct segment *segment)
{
	return sqrt(sqrt(pages_of(segment)));
}

/*
 * One row each, and of the others as many as the weight says; not more than pages. What rounding
 * leaves over is not used.
 */
static void share_rows(struct axis *axis, size_t rows)
{
	const size_t spare = rows - axis->n;
	double sum = 0;
	size_t i;

	for (i = 0; i < axis->n; i++)
		sum += weight(&axis->segment[i]);
	for (i = 0; i < axis->n; i++) {
		struct segment *s = &axis->segment[i];
		const uint64_t pages = pages_of(s);
		uint64_t wanted = 1 + (uint64_t)(spare * weight(s) / sum);

		if (wanted > pages)
			wanted = pages;
		s->pages = (pages + wanted - 1) / wanted;
		s->rows = (pages + s->pages - 1) / s->pages;
		s->row = axis->rows;
		axis->rows += s->rows;
	}
}

int axis_make(struct axis *axis, struct spans *spans, size_t rows)
{
	const size_t most = most_segments(rows);
	uint64_t gap;
	size_t i;

	*axis = (struct axis){ 0 };
	for (gap = spans->join; spans->n > most && gap && gap < 1ull << 34; gap *= 2)
		spans_join(spans, gap);
	axis->segment = calloc(spans->n ? spans->n : 1, sizeof(*axis->segment));
	if (!axis->segment)
		return -ENOMEM;
	for (i = 0; i < spans->n; i++)
		axis->segment[i].span = spans->span[i];
	axis->n = spans->n;
	choose(axis, most);
	if (axis->n)
		share_rows(axis, rows);
	return 0;
}

size_t axis_find(const struct axis *axis, uint64_t process, uint64_t address)
{
	size_t low = 0, high = axis->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct span *span = &axis->segment[middle].span;

		if (span->process < process ||
		    (span->process == process && span->end <= address))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct segment *axis_segment(const struct axis *axis, size_t row)
{
	size_t i = 0;

	while (i + 1 < axis->n && axis->segment[i + 1].row <= row)
		i++;
	return &axis->segment[i];
}

void axis_row(const struct segment *segment, size_t row, uint64_t *start, uint64_t *end)
{
	const uint64_t bytes = segment->pages * PAGE;

	*start = segment->span.start + (row - segment->row) * bytes;
	*end = *start + bytes < segment->span.end ? *start + bytes : segment->span.end;
}

void axis_free(struct axis *axis)
{
	free(axis->segment);
	*axis = (struct axis){ 0 };
}
