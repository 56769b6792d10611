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
		last->tracked += line->tracked;
		last->written += line->written;
		last->added += line->added;
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
	report->line[report->n++] = *line;
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
	memset(report->skipped_maps, 0, sizeof(report->skipped_maps));
	memset(report->skipped_bytes, 0, sizeof(report->skipped_bytes));
}

void report_free(struct report *report)
{
	free(report->line);
	*report = (struct report){ 0 };
}

struct report_line report_total(const struct report *report)
{
	struct report_line total = { 0 };
	size_t i;

	for (i = 0; i < report->n; i++) {
		total.tracked += report->line[i].tracked;
		total.written += report->line[i].written;
		total.added += report->line[i].added;
	}
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
