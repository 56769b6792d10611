// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows, one a process: their sum, their order, and which of them are shown.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "room.h"
#include "top/rows.h"

#define PAGE 4096

double top_rate(const struct top_row *row)
{
	return row->interval > 0 ? (double)row->written * PAGE / row->interval : 0;
}

double top_share(const struct top_row *row)
{
	const double share = row->tracked ? (double)row->written / row->tracked : 0;

	/* Memory that is gone was written, too, and is not tracked any more. */
	return share < 1 ? share : 1;
}

void top_clear(struct top_report *report)
{
	report->n = 0;
	report->set_incomplete = false;
	report->lost = false;
	report->total = (struct top_row){ 0 };
	report->processes = 0;
	report->cut = 0;
	report->rest = (struct top_row){ 0 };
}

/*
 * The rate of a sum is the sum of the rates, though rows are from intervals of their own: a process
 * that has just come in was looked at by itself.
 */
static void sum_up(struct top_row *sum, const struct top_row *row, double interval)
{
	const double rate = top_rate(sum) + top_rate(row);
	size_t i;

	sum->tracked += row->tracked;
	sum->written += row->written;
	sum->all_written += row->all_written;
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++)
		sum->set[i] += row->set[i];
	sum->interval = rate > 0 ? (double)sum->written * PAGE / rate : interval;
}

int top_add(struct top_report *report, const struct top_row *row)
{
	struct top_row *more = with_room(report->row, report->n, &report->room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	report->row = more;
	more[report->n++] = *row;
	report->processes++;
	report->lost = report->lost || row->lost;
	sum_up(&report->total, row, report->interval);
	return 0;
}

/* ---- order */

struct order {
	enum top_column column;
	bool reverse;
};

static int compare_numbers(double one, double other)
{
	return (one < other) - (one > other);
}

static int compare_column(const struct top_row *one, const struct top_row *other,
			  enum top_column column)
{
	switch (column) {
	case TOP_USER:
		return strcmp(one->user, other->user);
	case TOP_NAME:
		return strcmp(one->name, other->name);
	case TOP_TRACKED:
		return compare_numbers(one->tracked, other->tracked);
	case TOP_WRITTEN:
		return compare_numbers(one->written, other->written);
	case TOP_RATE:
		return compare_numbers(top_rate(one), top_rate(other));
	case TOP_SHARE:
		return compare_numbers(top_share(one), top_share(other));
	case TOP_SET_1:
	case TOP_SET_10:
	case TOP_SET_60:
		return compare_numbers(one->set[column - TOP_SET_1],
				       other->set[column - TOP_SET_1]);
	default:
		return 0;
	}
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct top_row *one = a, *other = b;
	const struct order *order = arg;
	int difference = compare_column(one, other, order->column);

	if (!difference)
		difference = (one->pid > other->pid) - (one->pid < other->pid);
	return order->reverse ? -difference : difference;
}

void top_sort(struct top_report *report, enum top_column column, bool reverse)
{
	struct order order = { .column = column, .reverse = reverse };

	if (report->n)
		qsort_r(report->row, report->n, sizeof(*report->row), compare_rows, &order);
}

/* ---- fewer rows */

void top_cut(struct top_report *report, uint64_t n)
{
	size_t i;

	for (i = n; i < report->n; i++) {
		report->cut++;
		sum_up(&report->rest, &report->row[i], report->interval);
	}
	if (report->n > n)
		report->n = n;
}

static bool matches(const struct top_row *row, const char *text)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)row->pid);
	return strcasestr(row->name, text) || strcasestr(row->user, text) || strstr(number, text);
}

void top_filter(struct top_report *report, const char *text)
{
	size_t i, n = 0;

	for (i = 0; i < report->n; i++)
		if (matches(&report->row[i], text))
			report->row[n++] = report->row[i];
	report->n = n;
}

int top_copy(struct top_report *to, const struct top_report *from)
{
	struct top_row *row = to->row;
	size_t room = to->room;

	if (room < from->n) {
		row = reallocarray(row, from->n, sizeof(*row));
		if (!row)
			return -ENOMEM;
		room = from->n;
	}
	if (from->n)
		memcpy(row, from->row, from->n * sizeof(*row));
	*to = *from;
	to->row = row;
	to->room = room;
	return 0;
}

void top_free(struct top_report *report)
{
	free(report->row);
	*report = (struct top_report){ 0 };
}
