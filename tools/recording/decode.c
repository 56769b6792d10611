// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as an interval. Nothing in them is believed: what does not make sense is damage, and
 * nothing is allocated that is not as large, but for a fixed factor, as the bytes that there are,
 * or as the limits of the format.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "recording/format.h"
#include "room.h"

#define PAGE RECORDING_PAGE

/* Microseconds: thirty years. As a double, each of them is exact. */
#define MOST_TIME 1000000000000000ull

bool recording_decode_header(struct bytes_in *from, struct recording_header *header)
{
	bytes_check(from, bytes_take_number(from) == RECORDING_IS_HEADER);
	header->began = bytes_take_signed(from);
	header->interval = bytes_take_at_most(from, MOST_TIME) / 1e9;
	header->most_cells = bytes_take_at_most(from, RECORDING_MOST_CELLS);
	header->children = bytes_take_at_most(from, RECORDING_HAS_CHILDREN);
	bytes_take_text(from, header->tool, sizeof(header->tool));
	bytes_take_text(from, header->host, sizeof(header->host));
	bytes_take_text(from, header->kernel, sizeof(header->kernel));
	bytes_take_text(from, header->what, sizeof(header->what));
	bytes_check(from, from->at == from->end);
	return !from->bad;
}

/* An array of @n, of which there may be an older, smaller one. */
static bool have_room(void *array, size_t *room, size_t n, size_t size)
{
	void **old = array, *more;

	if (n <= *room)
		return true;
	more = reallocarray(*old, n, size);
	if (!more)
		return false;
	*old = more;
	*room = n;
	return true;
}

static void take_beginning(struct bytes_in *from, struct recording_state *state,
			   struct recording_interval *in)
{
	uint64_t flags, length, time;

	bytes_check(from, bytes_take_number(from) == RECORDING_IS_INTERVAL);
	flags = bytes_take_at_most(from, RECORDING_HAS_LOST | RECORDING_FORGETS);
	if (flags & RECORDING_FORGETS)
		recording_forget_tables(&state->tables);
	length = bytes_take_at_most(from, MOST_TIME);
	time = state->time + length + (uint64_t)bytes_take_signed(from);
	bytes_check(from, time >= state->time && time <= MOST_TIME);
	in->lost = flags & RECORDING_HAS_LOST;
	in->length = length / 1e6;
	in->time = time / 1e6;
	in->not_followed = bytes_take_at_most(from, RECORDING_MOST_PAGES);
	in->skipped_bytes = state->skipped + (uint64_t)bytes_take_signed(from);
	bytes_check(from, in->skipped_bytes <= RECORDING_MOST_BYTES);
	state->time = time;
	state->skipped = in->skipped_bytes;
}

static int take_names(struct bytes_in *from, struct recording_tables *tables)
{
	size_t n = bytes_take_count(from, RECORDING_MOST_NAMES - tables->names);
	char text[RECORDING_NAME_SIZE];
	int err = 0;

	for (; n && !err && !from->bad; n--) {
		bytes_take_text(from, text, sizeof(text));
		err = recording_add_name(tables, text);
	}
	return err;
}

static int take_places(struct bytes_in *from, struct recording_tables *tables)
{
	size_t n = bytes_take_count(from, RECORDING_MOST_PLACES - tables->places);
	uint64_t start, end = 0, pages;
	struct recording_place place;
	int err = 0;

	for (; n && !err && !from->bad; n--) {
		start = end + (uint64_t)bytes_take_signed(from);
		bytes_check(from, start < RECORDING_MOST_PAGES);
		pages = bytes_take_at_most(from, RECORDING_MOST_PAGES);
		end = start + pages;
		bytes_check(from, pages && end <= RECORDING_MOST_PAGES);
		place.start = start * PAGE;
		place.end = end * PAGE;
		place.name = bytes_take_at_most(from, UINT32_MAX);
		bytes_check(from, place.name < tables->names);
		place.tracked = pages - (uint64_t)bytes_take_signed(from);
		bytes_check(from, place.tracked <= pages);
		if (!from->bad)
			err = recording_add_place(tables, &place);
	}
	return err;
}

static void take_process(struct bytes_in *from, const struct recording_tables *tables,
			 uint64_t *pid, struct recording_process *process)
{
	uint64_t name, ended;

	*process = (struct recording_process){ 0 };
	*pid += (uint64_t)bytes_take_signed(from);
	bytes_check(from, *pid <= INT_MAX);
	name = bytes_take_number(from);
	bytes_check(from, name < tables->names);
	ended = bytes_take_at_most(from, 1 + 0xffff);
	process->gone = bytes_take_at_most(from, RECORDING_MOST_PAGES);
	process->presumed = bytes_take_at_most(from, RECORDING_MOST_PAGES);
	if (from->bad)
		return;
	process->pid = (pid_t)*pid;
	snprintf(process->name, sizeof(process->name), "%s", tables->name[name].text);
	process->ended = ended;
	process->status = ended ? (int)ended - 1 : 0;
}

static int take_processes(struct bytes_in *from, const struct recording_tables *tables,
			  struct recording_room *room)
{
	struct recording_interval *in = &room->interval;
	uint64_t pid = 0;
	size_t i;

	in->processes = bytes_take_count(from, RECORDING_MOST_PROCESSES);
	if (!have_room(&in->process, &room->processes, in->processes, sizeof(*in->process)))
		return -ENOMEM;
	for (i = 0; i < in->processes; i++)
		take_process(from, tables, &pid, &in->process[i]);
	return 0;
}

/* The tables do not grow any more, so names stay where they are. */
static void take_where(struct bytes_in *from, const struct recording_tables *tables,
		       struct recording_interval *in)
{
	uint64_t process = 0, number = 0;
	size_t i;

	for (i = 0; i < in->lines; i++) {
		struct recording_line *line = &in->line[i];

		process += bytes_take_at_most(from, RECORDING_MOST_PROCESSES);
		bytes_check(from, process < in->processes);
		line->process = process;
	}
	for (i = 0; i < in->lines; i++, number++) {
		struct recording_line *line = &in->line[i];
		const struct recording_place *place;

		number += (uint64_t)bytes_take_signed(from);
		bytes_check(from, number < tables->places);
		if (from->bad)
			return;
		place = &tables->place[number];
		line->start = place->start;
		line->end = place->end;
		line->tracked = place->tracked;
		line->name = tables->name[place->name].text;
		bytes_check(from, !i || line[-1].process != line->process ||
			    line[-1].end <= line->start);
	}
}

static uint64_t pages_of(const struct recording_line *line)
{
	return (line->end - line->start) / PAGE;
}

static void take_counts(struct bytes_in *from, struct recording_interval *in)
{
	size_t i, window;

	for (i = 0; !from->bad && i < in->lines; i++)
		in->line[i].written = bytes_take_at_most(from, pages_of(&in->line[i]));
	for (i = 0; !from->bad && i < in->lines; i++)
		in->line[i].added = bytes_take_at_most(from, pages_of(&in->line[i]));
	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		for (i = 0; !from->bad && i < in->lines; i++) {
			struct recording_line *line = &in->line[i];
			const uint64_t less = window ? line->set[window - 1] : line->written;

			line->set[window] = less + (uint64_t)bytes_take_signed(from);
			bytes_check(from, line->set[window] <= pages_of(line));
		}
}

static int take_lines(struct bytes_in *from, const struct recording_tables *tables,
		      struct recording_room *room)
{
	struct recording_interval *in = &room->interval;

	in->lines = bytes_take_count(from, RECORDING_MOST_LINES);
	if (!have_room(&in->line, &room->lines, in->lines, sizeof(*in->line)))
		return -ENOMEM;
	take_where(from, tables, in);
	take_counts(from, in);
	return 0;
}

static int add_cell(struct recording_room *room, const struct recording_cell *cell)
{
	struct recording_interval *in = &room->interval;
	struct recording_cell *more = with_room(in->cell, in->cells, &room->cells, sizeof(*more));

	if (!more)
		return -ENOMEM;
	in->cell = more;
	more[in->cells++] = *cell;
	return 0;
}

/* @number: of the first cell; @n: how many, each behind the other */
static int take_run(struct bytes_in *from, struct recording_room *room, size_t line,
		    unsigned int size, uint64_t number, uint64_t n)
{
	const uint64_t end = room->interval.line[line].end / PAGE;
	struct recording_cell cell = { .line = line, .pages = 1ull << size, .written = 1 };
	int err = 0;

	bytes_check(from, number <= end >> size && n <= (end >> size) + 1 - number &&
		    (number + n - 1) << size < end);
	bytes_check(from, n <= RECORDING_MOST_CELLS - room->interval.cells);
	for (; n && !err && !from->bad; n--, number++) {
		cell.start = (number << size) * PAGE;
		err = add_cell(room, &cell);
	}
	return err;
}

static int take_runs(struct bytes_in *from, struct recording_room *room, size_t line)
{
	size_t runs = bytes_take_count(from, RECORDING_MOST_CELLS);
	unsigned int size;
	uint64_t number, n;
	int err = 0;

	if (!runs || from->bad)
		return 0;
	size = bytes_take_at_most(from, 44);
	number = room->interval.line[line].start / PAGE >> size;
	for (; runs && !err && !from->bad; runs--) {
		number += bytes_take_at_most(from, RECORDING_MOST_PAGES);
		n = 1 + bytes_take_at_most(from, RECORDING_MOST_CELLS);
		err = take_run(from, room, line, size, number, n);
		number += n + 1;
	}
	return err;
}

static int take_cells(struct bytes_in *from, struct recording_room *room)
{
	struct recording_interval *in = &room->interval;
	size_t i;
	int err = 0;

	in->cells = 0;
	for (i = 0; i < in->lines && !err && !from->bad; i++)
		err = take_runs(from, room, i);
	for (i = 0; i < in->cells && !err && !from->bad; i++)
		if (in->cell[i].pages > 1)
			in->cell[i].written = 1 + bytes_take_at_most(from, in->cell[i].pages - 1);
	return err;
}

int recording_decode(struct bytes_in *from, struct recording_state *state,
		     struct recording_room *room)
{
	int err;

	take_beginning(from, state, &room->interval);
	err = take_names(from, &state->tables);
	if (!err)
		err = take_places(from, &state->tables);
	if (!err)
		err = take_processes(from, &state->tables, room);
	if (!err)
		err = take_lines(from, &state->tables, room);
	if (!err)
		err = take_cells(from, room);
	if (err)
		return err;
	bytes_check(from, from->at == from->end);
	return from->bad ? -EPROTO : 0;
}
