// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one interval has brought: lines, their sum, and what was left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "room.h"

#define PAGE 4096

static bool joins(const struct report_line *a, const struct report_line *b)
{
	return a->process == b->process && a->end == b->start && !strcmp(a->name, b->name);
}

static void add_counts(struct report_line *to, const struct report_line *line)
{
	size_t i;

	to->tracked += line->tracked;
	to->written += line->written;
	to->added += line->added;
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++)
		to->set[i] += line->set[i];
}

/**
 * report_add - one more mapping
 * @report: report
 * @line: mapping, above all of its process that were added before; its name must stay
 *
 * Return: 0 or -ENOMEM.
 */
int report_add(struct report *report, const struct report_line *line)
{
	struct report_line *lines, *last = report->n ? &report->line[report->n - 1] : NULL;

	if (line->process < report->processes)
		add_counts(&report->process[line->process].sum, line);
	if (last && joins(last, line)) {
		last->end = line->end;
		add_counts(last, line);
		return 0;
	}
	lines = with_room(report->line, report->n, &report->room, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	report->line = lines;
	lines[report->n] = *line;
	lines[report->n++].ranges = 1;
	return 0;
}

/**
 * report_add_process - one more process
 * @report: report
 * @process: process; its sum is not read
 *
 * Return: 0 or -ENOMEM.
 */
int report_add_process(struct report *report, const struct report_process *process)
{
	struct report_process *all = with_room(report->process, report->processes,
					       &report->process_room, sizeof(*all));

	if (!all)
		return -ENOMEM;
	report->process = all;
	all += report->processes++;
	*all = *process;
	all->sum = (struct report_line){ 0 };
	add_counts(&all->sum, &process->gone);
	return 0;
}

/**
 * report_add_region - some pages of a process were written
 * @report: report; nothing happens unless it wants regions
 * @process: number of the process in @report
 * @start: first address, not below the last region of this process
 * @end: behind the last address
 *
 * Return: 0 or -ENOMEM.
 */
int report_add_region(struct report *report, size_t process, uint64_t start, uint64_t end)
{
	struct report_region *regions, *last;

	if (!report->wants_regions)
		return 0;
	last = report->regions ? &report->region[report->regions - 1] : NULL;
	if (last && last->process == process && last->end == start) {
		last->end = end;
		return 0;
	}
	regions = with_room(report->region, report->regions, &report->region_room,
			    sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	report->region = regions;
	regions[report->regions++] = (struct report_region){
		.process = process, .start = start, .end = end,
	};
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
	report->processes = 0;
	report->regions = 0;
	report->not_followed = 0;
	report->lost = false;
	report->by_name = false;
	report->cut = 0;
	report->rest = (struct report_line){ 0 };
	memset(report->skipped_maps, 0, sizeof(report->skipped_maps));
	memset(report->skipped_bytes, 0, sizeof(report->skipped_bytes));
}

void report_free(struct report *report)
{
	free(report->line);
	free(report->process);
	free(report->region);
	*report = (struct report){ 0 };
}

static int compare_processes(const struct report_line *one, const struct report_line *other)
{
	return (one->process > other->process) - (one->process < other->process);
}

static int compare_names(const void *a, const void *b)
{
	const struct report_line *one = a, *other = b;
	const int by_process = compare_processes(one, other);
	const int by_name = strcmp(one->name, other->name);

	if (by_process)
		return by_process;
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

		if (last && last->process == line->process && !strcmp(last->name, line->name)) {
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

static int compare_in_processes(const void *a, const void *b)
{
	const int by_process = compare_processes(a, b);

	return by_process ? by_process : compare_written(a, b);
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
	if (report->n)
		qsort(report->line, report->n, sizeof(*report->line), compare_in_processes);
}

struct report_line report_total(const struct report *report)
{
	struct report_line total = report->rest;
	size_t i;

	for (i = 0; i < report->n; i++)
		add_counts(&total, &report->line[i]);
	for (i = 0; i < report->processes; i++)
		add_counts(&total, &report->process[i].gone);
	return total;
}

struct report_process report_changes(const struct report *report)
{
	struct report_process sum = { 0 };
	size_t i;

	for (i = 0; i < report->processes; i++) {
		const struct report_process *process = &report->process[i];

		sum.mapped += process->mapped;
		sum.mapped_bytes += process->mapped_bytes;
		sum.unmapped += process->unmapped;
		sum.unmapped_bytes += process->unmapped_bytes;
		sum.presumed += process->presumed;
	}
	return sum;
}

double report_share(const struct report_line *line)
{
	return line->tracked ? (double)line->written / line->tracked : 0;
}

double report_rate(const struct report_line *line, double interval)
{
	return interval > 0 ? (double)line->written * PAGE / interval : 0;
}
