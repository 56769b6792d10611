// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a report becomes in a recording: regions become cells, and what has not changed is left out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/intervals.h"
#include "recording/format.h"
#include "room.h"

#define PAGE RECORDING_PAGE

/* ---- regions, line by line */

/*
 * Where we are in the regions of a report. They are in the order of the lines that they were
 * counted in, so that each line has as many pages of them as were written in it; and one region may
 * be of several lines that touch.
 */
struct position {
	const struct report *report;
	size_t region;
	uint64_t at;	/* 0: from the beginning of that region */
};

/* From here on, the first of a line. What is left of regions before it has no line. */
static bool find_region(struct position *p, const struct report_line *line)
{
	const struct report *report = p->report;
	uint64_t at = p->at;
	size_t i;

	for (i = p->region; i < report->regions; i++, at = 0) {
		const struct report_region *region = &report->region[i];

		at = at ? at : region->start;
		if (region->process > line->process)
			break;
		if (region->process == line->process && at >= line->start && at < line->end) {
			p->region = i;
			p->at = at;
			return true;
		}
	}
	return false;
}

/* The next part of a line, of at most so many pages. False: there is none. */
static bool next_part(struct position *p, const struct report_line *line, uint64_t pages,
		      uint64_t *start, uint64_t *end)
{
	const struct report_region *region;

	if (!pages || !find_region(p, line))
		return false;
	region = &p->report->region[p->region];
	*start = p->at;
	*end = region->end < line->end ? region->end : line->end;
	if ((*end - *start) / PAGE > pages)
		*end = *start + pages * PAGE;
	p->at = *end;
	if (p->at == region->end) {
		p->region++;
		p->at = 0;
	}
	return true;
}

/* ---- cells */

/* The smallest power of two, in pages, of which a mapping has no more than @most. */
static uint64_t cell_pages(const struct report_line *line, uint64_t most)
{
	const uint64_t pages = (line->end - line->start) / PAGE;
	uint64_t size = 1;

	while ((pages + size - 1) / size > most)
		size *= 2;
	return size;
}

static struct recording_cell *add_cell(struct intervals *in, uint64_t start, uint64_t pages)
{
	struct recording_interval *interval = &in->interval;
	struct recording_cell *cell = with_room(interval->cell, interval->cells, &in->cell_room,
						sizeof(*cell));

	if (!cell)
		return NULL;
	interval->cell = cell;
	cell += interval->cells++;
	*cell = (struct recording_cell){
		.line = interval->lines - 1, .start = start, .pages = pages,
	};
	return cell;
}

/* Part of a line, which is the last one. Its cells before this are in ascending order. */
static int count_in_cells(struct intervals *in, uint64_t start, uint64_t end, uint64_t pages,
			  size_t first)
{
	const uint64_t size = pages * PAGE;
	struct recording_interval *interval = &in->interval;
	struct recording_cell *cell;
	uint64_t next;

	for (; start < end; start = next) {
		const uint64_t of_cell = start / size * size;

		cell = interval->cells > first ? &interval->cell[interval->cells - 1] : NULL;
		if (!cell || cell->start != of_cell)
			cell = add_cell(in, of_cell, pages);
		if (!cell)
			return -ENOMEM;
		next = of_cell + size < end ? of_cell + size : end;
		cell->written += (next - start) / PAGE;
	}
	return 0;
}

/* ---- lines */

static int compare_seen(const void *a, const void *b)
{
	const struct seen *one = a, *other = b;

	if (one->pid != other->pid)
		return one->pid < other->pid ? -1 : 1;
	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	if (one->end != other->end)
		return one->end < other->end ? -1 : 1;
	return (one->tracked > other->tracked) - (one->tracked < other->tracked);
}

static struct seen seen_as(const struct report *report, const struct report_line *line)
{
	return (struct seen){
		.pid = report->process[line->process].pid,
		.start = line->start, .end = line->end, .tracked = line->tracked,
	};
}

static bool is_new(const struct intervals *in, const struct seen *key)
{
	return !in->n_seen ||
	       !bsearch(key, in->seen, in->n_seen, sizeof(*key), compare_seen);
}

/* Those of this report, for the next one. */
static int see(struct intervals *in, const struct report *report)
{
	struct seen *seen = calloc(report->n + 1, sizeof(*seen));
	size_t i;

	if (!seen)
		return -ENOMEM;
	for (i = 0; i < report->n; i++)
		seen[i] = seen_as(report, &report->line[i]);
	qsort(seen, report->n, sizeof(*seen), compare_seen);
	free(in->seen);
	in->seen = seen;
	in->n_seen = report->n;
	return 0;
}

static struct recording_process *add_process(struct intervals *in,
					     const struct report_process *process)
{
	struct recording_interval *interval = &in->interval;
	struct recording_process *more = with_room(interval->process, interval->processes,
						   &in->process_room, sizeof(*more));

	if (!more)
		return NULL;
	interval->process = more;
	more += interval->processes++;
	*more = (struct recording_process){ .pid = process->pid };
	snprintf(more->name, sizeof(more->name), "%s", process->name);
	return more;
}

static int add_line(struct intervals *in, const struct recording_line *line)
{
	struct recording_interval *interval = &in->interval;
	struct recording_line *more = with_room(interval->line, interval->lines, &in->line_room,
						sizeof(*more));

	if (!more)
		return -ENOMEM;
	interval->line = more;
	more[interval->lines++] = *line;
	return 0;
}

/*
 * A process that has executed another program may have been looked at twice, before and after, and
 * then begins again: lines of one are in ascending order.
 */
static bool begins_again(const struct intervals *in, uint64_t start, size_t first)
{
	const struct recording_interval *interval = &in->interval;

	return interval->lines > first && interval->line[interval->lines - 1].end > start;
}

/* The pages of a new mapping are not those that were at its addresses before. */
static int count_set(struct intervals *in, const struct report *report,
		     const struct report_line *line, struct position p, double time,
		     struct recording_line *out)
{
	const pid_t pid = report->process[line->process].pid;
	uint64_t left = line->written, start, end;
	int err = 0;

	if (line->added == (line->end - line->start) / PAGE)
		written_set_remove(&in->set, pid, line->start, line->end);
	while (!err && next_part(&p, line, left, &start, &end)) {
		err = written_set_add(&in->set, pid, start, end, time);
		left -= (end - start) / PAGE;
	}
	written_set_count(&in->set, pid, line->start, line->end, time, out->set);
	return err;
}

static int count_cells(struct intervals *in, const struct report_line *line, struct position *p)
{
	const uint64_t pages = cell_pages(line, in->most_cells);
	const size_t first = in->interval.cells;
	uint64_t left = line->written, start, end;
	int err = 0;

	while (!err && next_part(p, line, left, &start, &end)) {
		err = count_in_cells(in, start, end, pages, first);
		left -= (end - start) / PAGE;
	}
	return err;
}

/* @first: the first line of its process */
static int take_line(struct intervals *in, const struct report *report,
		     const struct report_line *line, struct position *p, double time,
		     size_t *first)
{
	struct recording_line out = {
		.start = line->start, .end = line->end, .name = line->name,
		.tracked = line->tracked, .written = line->written, .added = line->added,
	};
	const struct seen seen = seen_as(report, line);
	int err = count_set(in, report, line, *p, time, &out);

	if (err)
		return err;
	if (!line->written && !line->added && !out.set[WRITTEN_SET_WINDOWS - 1] &&
	    !is_new(in, &seen))
		return 0;
	if (begins_again(in, line->start, *first)) {
		if (!add_process(in, &report->process[line->process]))
			return -ENOMEM;
		*first = in->interval.lines;
	}
	out.process = in->interval.processes - 1;
	err = add_line(in, &out);
	return err ? err : count_cells(in, line, p);
}

/* ---- processes */

static bool has_news(const struct report_process *process)
{
	return process->ended || process->gone.written || process->presumed;
}

/* A process and its lines, which are from *@line on. */
static int take_process(struct intervals *in, const struct report *report, size_t number,
			struct position *p, double time, size_t *line)
{
	const struct report_process *process = &report->process[number];
	struct recording_process *out = add_process(in, process);
	size_t first = in->interval.lines;
	const size_t before = first;
	int err = 0;

	if (!out)
		return -ENOMEM;
	out->ended = process->ended;
	out->status = process->ended ? process->status : 0;
	out->gone = process->gone.written;
	out->presumed = process->presumed;
	for (; !err && *line < report->n && report->line[*line].process == number; (*line)++)
		err = take_line(in, report, &report->line[*line], p, time, &first);
	if (!err && in->interval.lines == before && !has_news(process))
		in->interval.processes--;
	return err;
}

static int take_all(struct intervals *in, const struct report *report, double time)
{
	struct position p = { .report = report };
	size_t i, line = 0;
	int err = 0;

	in->interval.processes = 0;
	in->interval.lines = 0;
	in->interval.cells = 0;
	for (i = 0; !err && i < report->processes; i++)
		err = take_process(in, report, i, &p, time, &line);
	return err;
}

static void take_rest(struct recording_interval *interval, const struct report *report, double time)
{
	size_t i;

	interval->time = time;
	interval->length = report->interval;
	interval->lost = report->lost;
	interval->not_followed = report->not_followed;
	interval->skipped_bytes = 0;
	for (i = 0; i < MAP_KINDS; i++)
		interval->skipped_bytes += report->skipped_bytes[i];
}

static int forget_ended(struct intervals *in, const struct report *report)
{
	pid_t *pid = calloc(report->processes + 1, sizeof(*pid));
	size_t i, n = 0;

	if (!pid)
		return -ENOMEM;
	for (i = 0; i < report->processes; i++)
		if (report->process[i].ended)
			pid[n++] = report->process[i].pid;
	written_set_remove_processes(&in->set, pid, n);
	free(pid);
	return 0;
}

/* With more cells than an interval can have, they are larger in this one. */
int intervals_add(struct intervals *in, const struct report *report, double time)
{
	const uint64_t most = in->most_cells;
	int err;

	written_set_age(&in->set, time);
	take_rest(&in->interval, report, time);
	do {
		err = take_all(in, report, time);
		in->most_cells /= 2;
	} while (!err && in->interval.cells > RECORDING_MOST_CELLS && in->most_cells);
	in->most_cells = most;
	if (!err)
		err = forget_ended(in, report);
	return err ? err : see(in, report);
}

void intervals_free(struct intervals *in)
{
	written_set_free(&in->set);
	free(in->seen);
	free(in->interval.process);
	free(in->interval.line);
	free(in->interval.cell);
}
