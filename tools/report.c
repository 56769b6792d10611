// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one interval has brought: lines, their sum, and what was left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define PAGE 4096

static bool joins(const struct report_line *a, const struct report_line *b)
{
	return a->end == b->start && !strcmp(a->name, b->name);
}

static void add_counts(struct report_line *to, const struct report_line *line)
{
	to->tracked += line->tracked;
	to->written += line->written;
	to->added += line->added;
}

/**
 * report_add - one more mapping
 * @report: report
 * @line: mapping, above all that were added before; its name must stay
 *
 * Return: 0 or -ENOMEM.
 */
int report_add(struct report *report, const struct report_line *line)
{
	struct report_line *more, *last = report->n ? &report->line[report->n - 1] : NULL;
	size_t room;

	if (last && joins(last, line)) {
		last->end = line->end;
		add_counts(last, line);
		return 0;
	}
	if (report->n == report->room) {
		room = report->room ? 2 * report->room : 32;
		more = reallocarray(report->line, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		report->line = more;
		report->room = room;
	}
	report->line[report->n] = *line;
	report->line[report->n++].ranges = 1;
	return 0;
}

/* Memory that is writable and not tracked. */
void report_skip(struct report *report, enum map_kind kind, uint64_t bytes)
{
	report->skipped_maps[kind]++;
	report->skipped_bytes[kind] += bytes;
}

/* Empty, to be used again. */
void report_clear(struct report *report)
{
	report->n = 0;
	report->by_name = false;
	report->cut = 0;
	report->rest = (struct report_line){ 0 };
	memset(report->skipped_maps, 0, sizeof(report->skipped_maps));
	memset(report->skipped_bytes, 0, sizeof(report->skipped_bytes));
}

void report_free(struct report *report)
{
	free(report->line);
	*report = (struct report){ 0 };
}

static int compare_names(const void *a, const void *b)
{
	const struct report_line *one = a, *other = b;
	const int by_name = strcmp(one->name, other->name);

	return by_name ? by_name : (one->start > other->start) - (one->start < other->start);
}

void report_by_name(struct report *report)
{
	struct report_line *last = NULL;
	size_t i, n = 0;

	report->by_name = true;
	if (report->n)
		qsort(report->line, report->n, sizeof(*report->line), compare_names);
	for (i = 0; i < report->n; i++) {
		const struct report_line *line = &report->line[i];

		if (last && !strcmp(last->name, line->name)) {
			last->end = line->end;
			last->ranges += line->ranges;
			add_counts(last, line);
			continue;
		}
		last = &report->line[n++];
		*last = *line;
	}
	report->n = n;
}

static int compare_written(const void *a, const void *b)
{
	const struct report_line *one = a, *other = b;

	if (one->written != other->written)
		return one->written < other->written ? 1 : -1;
	if (one->added != other->added)
		return one->added < other->added ? 1 : -1;
	return (one->start > other->start) - (one->start < other->start);
}

void report_top(struct report *report, uint64_t n)
{
	size_t i;

	if (report->n)
		qsort(report->line, report->n, sizeof(*report->line), compare_written);
	for (i = n; i < report->n; i++) {
		report->cut++;
		add_counts(&report->rest, &report->line[i]);
	}
	if (report->n > n)
		report->n = n;
}

struct report_line report_total(const struct report *report)
{
	struct report_line total = report->rest;
	size_t i;

	for (i = 0; i < report->n; i++)
		add_counts(&total, &report->line[i]);
	return total;
}

double report_share(const struct report_line *line)
{
	return line->tracked ? (double)line->written / line->tracked : 0;
}

double report_rate(const struct report_line *line, double interval)
{
	return interval > 0 ? (double)line->written * PAGE / interval : 0;
}
