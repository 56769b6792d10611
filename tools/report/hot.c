// SPDX-License-Identifier: GPL-2.0-only
/*
 * How uneven writes are: the smallest part of the memory, and of the time, that has half of them.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/hot.h"

struct part {
	double size;
	double written;
};

static int densest_first(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	const double left = x->written * y->size, right = y->written * x->size;

	return (left < right) - (left > right);
}

/* How much of all sizes has half of what was written. The last one counts by its share. */
static double half_of(struct part *part, size_t n)
{
	double sum = 0, left, size = 0;
	size_t i;

	qsort(part, n, sizeof(*part), densest_first);
	for (i = 0; i < n; i++)
		sum += part[i].written;
	for (i = 0, left = sum / 2; i < n && left > 0; left -= part[i++].written)
		size += part[i].written <= left ? part[i].size :
			part[i].size * left / part[i].written;
	return size;
}

static double pages_of_row(const struct model *m, size_t row)
{
	uint64_t start, end;

	axis_row(axis_segment(&m->axis, row), row, &start, &end);
	return (double)((end - start) / MODEL_PAGE);
}

/* By density, of those that matter; by what was written, of the others. */
static bool is_hotter(const struct part *part, const struct part *than, double all)
{
	const bool matters = part->written >= all / 100, than_matters = than->written >= all / 100;

	if (matters && than_matters)
		return part->written * than->size > than->written * part->size;
	return part->written > than->written;
}

static void rows(const struct model *m, struct part *part, struct hot *hot)
{
	size_t row, column;

	for (row = 0; row < m->axis.rows; row++) {
		part[row] = (struct part){ .size = pages_of_row(m, row) };
		for (column = 0; column < m->columns; column++)
			part[row].written += m->cell[row * m->columns + column];
		hot->all_pages += part[row].size;
		if (is_hotter(&part[row], &part[hot->row], (double)m->written))
			hot->row = row;
	}
	hot->row_written = m->axis.rows ? part[hot->row].written : 0;
	hot->half_pages = half_of(part, m->axis.rows);
}

static void columns(const struct model *m, struct part *part, struct hot *hot)
{
	size_t column;

	for (column = 0; column < m->columns; column++) {
		part[column] = (struct part){
			.size = m->column[column].seconds, .written = m->column[column].written,
		};
		if (m->column[column].written > m->column[hot->column].written)
			hot->column = column;
	}
	hot->half_seconds = half_of(part, m->columns);
}

int hot_find(const struct model *m, struct hot *hot)
{
	const size_t most = m->axis.rows > m->columns ? m->axis.rows : m->columns;
	struct part *part = calloc(most ? most : 1, sizeof(*part));

	*hot = (struct hot){ 0 };
	if (!part)
		return -ENOMEM;
	rows(m, part, hot);
	columns(m, part, hot);
	free(part);
	return 0;
}
