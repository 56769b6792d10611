// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one interval has brought: lines, their sum, and what was left out.
 */
#include <errno.h>
#include <stdlib.h>

#include "report.h"

#define PAGE 4096

int report_add(struct report *report, const struct report_line *line)
{
	struct report_line *more;
	size_t room;

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
