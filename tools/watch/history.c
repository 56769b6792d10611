// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of reports, from one report to the next. They are kept in an order in which the one that a
 * line continues is found by halving.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watch/history.h"

/* What is one by its name is so wherever it is. */
static uint64_t start_of(const struct row *row, bool by_name)
{
	return by_name ? 0 : row->line.start;
}

static uint64_t end_of(const struct row *row, bool by_name)
{
	return by_name ? UINT64_MAX : row->line.end;
}

static int compare_names(const struct row *one, const struct row *other)
{
	if (one->pid != other->pid)
		return one->pid < other->pid ? -1 : 1;
	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	/* A process has another name after execve(2). */
	return one->kind == ROW_MAPPING ? strcmp(one->name, other->name) : 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *one = a, *other = b;
	const int by_name = compare_names(one, other);

	if (by_name)
		return by_name;
	return (one->line.start > other->line.start) - (one->line.start < other->line.start);
}

/* Rows of one name do not overlap: the last that begins below the end of @row, or none. */
const struct row *history_find(const struct history *history, const struct row *row)
{
	const bool whole = history->by_name || row->kind != ROW_MAPPING;
	size_t low = 0, high = history->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct row *here = &history->row[middle];
		const int by_name = compare_names(here, row);

		if (by_name < 0 || (!by_name && start_of(here, whole) < end_of(row, whole)))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || compare_names(&history->row[low - 1], row))
		return NULL;
	row = end_of(&history->row[low - 1], whole) > start_of(row, whole) ? row : NULL;
	return row ? &history->row[low - 1] : NULL;
}

static void fill(struct row *row, const struct report_line *line, double interval)
{
	row->line = *line;
	row->line.name = NULL;
	row->rate = report_rate(line, interval);
}

/* What there was before goes on, and what was not there was not written. */
static void add(struct history *to, const struct history *before, struct row *row)
{
	const struct row *old = history_find(before, row);

	if (old)
		row->rates = old->rates;
	spark_add(&row->rates, row->rate);
	to->row[to->n++] = *row;
}

static void add_mapping(struct history *to, const struct history *before,
			const struct report *report, const struct report_line *line)
{
	struct row row = { .kind = ROW_MAPPING, .pid = report->process[line->process].pid };

	snprintf(row.name, sizeof(row.name), "%s", line->name);
	fill(&row, line, report->interval);
	add(to, before, &row);
}

/* Its heading, and what is gone of it. */
static void add_process(struct history *to, const struct history *before,
			const struct report *report, const struct report_process *process)
{
	struct row row = { .kind = ROW_PROCESS, .pid = process->pid };

	if (report->by_process) {
		snprintf(row.name, sizeof(row.name), "%s", process->name);
		row.ended = process->ended;
		row.status = process->status;
		fill(&row, &process->sum, report->interval);
		add(to, before, &row);
	}
	if (!process->gone.written)
		return;
	row = (struct row){ .kind = ROW_GONE, .pid = process->pid };
	fill(&row, &process->gone, report->interval);
	add(to, before, &row);
}

static void add_rest(struct history *to, const struct history *before, const struct report *report)
{
	struct row row = { .kind = ROW_REST };

	if (!report->cut)
		return;
	fill(&row, &report->rest, report->interval);
	row.line.ranges = report->cut;
	add(to, before, &row);
}

static void take_head(struct history *to, const struct history *before,
		      const struct report *report)
{
	const struct report_line total = report_total(report);

	to->by_name = report->by_name;
	to->by_process = report->by_process;
	to->number = report->number;
	to->elapsed = report->elapsed;
	to->interval = report->interval;
	to->sets_incomplete = report->sets_incomplete;
	memcpy(to->skipped_maps, report->skipped_maps, sizeof(to->skipped_maps));
	memcpy(to->skipped_bytes, report->skipped_bytes, sizeof(to->skipped_bytes));
	to->total = before->total;
	fill(&to->total, &total, report->interval);
	spark_add(&to->total.rates, to->total.rate);
}

int history_take(struct history *history, struct report *report)
{
	struct history now = { 0 };
	size_t i;

	if (report->n > HISTORY_ROWS)
		report_top(report, HISTORY_ROWS);
	now.row = calloc(report->n + 2 * report->processes + 1, sizeof(*now.row));
	if (!now.row)
		return -ENOMEM;
	/* Another order than the one that is looked into would find nothing. */
	take_head(&now, history, report);
	for (i = 0; i < report->n; i++)
		add_mapping(&now, history, report, &report->line[i]);
	for (i = 0; i < report->processes; i++)
		add_process(&now, history, report, &report->process[i]);
	add_rest(&now, history, report);
	qsort(now.row, now.n, sizeof(*now.row), compare_rows);
	free(history->row);
	*history = now;
	return 0;
}

int history_copy(const struct history *history, struct history *copy)
{
	struct row *rows = calloc(history->n + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	if (history->n)
		memcpy(rows, history->row, history->n * sizeof(*rows));
	*copy = *history;
	copy->row = rows;
	return 0;
}

void history_free(struct history *history)
{
	free(history->row);
	*history = (struct history){ 0 };
}
