// SPDX-License-Identifier: GPL-2.0-only
/*
 * The written set of each mapping. The set itself knows pages only, so what was mapped at the last
 * report is kept here, to let go of what is not mapped any more.
 */
#include <stdlib.h>

#include "room.h"
#include "watch/sets.h"

struct sets_range {
	pid_t pid;
	uint64_t start;
	uint64_t end;
};

static void add_regions(struct sets *sets, const struct report *report)
{
	size_t i;

	for (i = 0; i < report->regions; i++) {
		const struct report_region *r = &report->region[i];

		if (written_set_add(&sets->set, report->process[r->process].pid, r->start, r->end,
				    report->elapsed))
			sets->no_memory = true;
	}
}

static void remove_range(struct sets *sets, pid_t pid, uint64_t start, uint64_t end)
{
	if (start < end)
		written_set_remove(&sets->set, pid, start, end);
}

static size_t first_line_of(const struct report *report, pid_t pid)
{
	size_t i;

	for (i = 0; i < report->n; i++)
		if (report->process[report->line[i].process].pid == pid)
			break;
	return i;
}

static pid_t pid_of(const struct report *report, size_t line)
{
	return report->process[report->line[line].process].pid;
}

/* What of a range that was mapped is in no line now. @line: the first that may reach into it. */
static size_t remove_unmapped(struct sets *sets, const struct report *report,
			      const struct sets_range *old, size_t line)
{
	uint64_t at = old->start;

	while (line < report->n && pid_of(report, line) == old->pid &&
	       report->line[line].end <= at)
		line++;
	while (at < old->end) {
		const struct report_line *l = line < report->n && pid_of(report, line) == old->pid ?
					      &report->line[line] : NULL;

		if (!l || l->start >= old->end) {
			remove_range(sets, old->pid, at, old->end);
			break;
		}
		remove_range(sets, old->pid, at, l->start);
		at = l->end;
		/* It may reach into the next old range, too. */
		if (at < old->end)
			line++;
	}
	return line;
}

static void remove_all_unmapped(struct sets *sets, const struct report *report)
{
	size_t i, line = 0;

	for (i = 0; i < sets->n; i++) {
		if (!i || sets->range[i].pid != sets->range[i - 1].pid)
			line = first_line_of(report, sets->range[i].pid);
		line = remove_unmapped(sets, report, &sets->range[i], line);
	}
}

/* Without memory for it nothing is removed, and the sets are too large for a while. */
static void remember_ranges(struct sets *sets, const struct report *report)
{
	struct sets_range *ranges;
	size_t i;

	sets->n = 0;
	for (i = 0; i < report->n; i++) {
		ranges = with_room(sets->range, sets->n, &sets->room, sizeof(*ranges));
		if (!ranges)
			return;
		sets->range = ranges;
		ranges[sets->n++] = (struct sets_range){
			.pid = pid_of(report, i),
			.start = report->line[i].start,
			.end = report->line[i].end,
		};
	}
}

/* That goes through all of the set, so it is done no more often than its times are told apart. */
static void age(struct sets *sets, double time)
{
	if (time < sets->aged + 1)
		return;
	sets->aged = time;
	written_set_age(&sets->set, time);
}

static void fill_lines(const struct sets *sets, struct report *report)
{
	size_t i, window;

	for (i = 0; i < report->n; i++) {
		struct report_line *line = &report->line[i];
		struct report_line *sum = &report->process[line->process].sum;

		written_set_count(&sets->set, pid_of(report, i), line->start, line->end,
				  report->elapsed, line->set);
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			sum->set[window] += line->set[window];
	}
}

void sets_take(struct sets *sets, struct report *report)
{
	add_regions(sets, report);
	remove_all_unmapped(sets, report);
	remember_ranges(sets, report);
	age(sets, report->elapsed);
	fill_lines(sets, report);
	report->has_sets = true;
	report->sets_incomplete = sets->no_memory || sets->set.incomplete;
}

void sets_free(struct sets *sets)
{
	written_set_free(&sets->set);
	free(sets->range);
	*sets = (struct sets){ 0 };
}
