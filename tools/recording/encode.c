// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interval as bytes: column after column, as what is alike is compressed best side by side. The
 * order is that of uffdwp.data(5), and of decode.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recording/format.h"

#define PAGE RECORDING_PAGE

static uint64_t parts_of(double seconds, double parts)
{
	const double n = seconds * parts + 0.5;

	return n >= 1 && n < 1e18 ? (uint64_t)n : 0;
}

void recording_encode_header(struct bytes *content, const struct recording_header *header)
{
	bytes_put_number(content, RECORDING_IS_HEADER);
	bytes_put_signed(content, header->began);
	bytes_put_number(content, parts_of(header->interval, 1e9));
	bytes_put_number(content, header->most_cells);
	bytes_put_number(content, header->children ? RECORDING_HAS_CHILDREN : 0);
	bytes_put_text(content, header->tool);
	bytes_put_text(content, header->host);
	bytes_put_text(content, header->kernel);
	bytes_put_text(content, header->what);
}

/* Numbers of what an interval refers to, and how many of them it brings. */
struct numbers {
	uint32_t *process_name;		/* of each process */
	uint32_t *place;		/* of each line */
	size_t old_names;
	size_t old_places;
};

static int find_numbers(struct recording_tables *tables, const struct recording_interval *in,
			struct numbers *numbers)
{
	struct recording_place place;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < in->processes; i++)
		err = recording_find_name(tables, in->process[i].name, &numbers->process_name[i]);
	for (i = 0; !err && i < in->lines; i++) {
		place.start = in->line[i].start;
		place.end = in->line[i].end;
		place.tracked = in->line[i].tracked;
		err = recording_find_name(tables, in->line[i].name, &place.name);
		if (!err)
			err = recording_find_place(tables, &place, &numbers->place[i]);
	}
	return err;
}

/* Could the tables become too large by it? Then it begins with empty ones, which will do. */
static bool must_forget(const struct recording_tables *tables, const struct recording_interval *in)
{
	return tables->names + in->processes + in->lines > RECORDING_MOST_NAMES ||
	       tables->places + in->lines > RECORDING_MOST_PLACES;
}

static void put_beginning(struct bytes *to, struct recording_state *state,
			  const struct recording_interval *in, bool forgets)
{
	const uint64_t time = parts_of(in->time, 1e6), length = parts_of(in->length, 1e6);

	bytes_put_number(to, RECORDING_IS_INTERVAL);
	bytes_put_number(to, (in->lost ? RECORDING_HAS_LOST : 0) |
			 (forgets ? RECORDING_FORGETS : 0));
	bytes_put_number(to, length);
	bytes_put_signed(to, (int64_t)(time - state->time - length));
	bytes_put_number(to, in->not_followed);
	bytes_put_signed(to, (int64_t)(in->skipped_bytes - state->skipped));
	state->time = time;
	state->skipped = in->skipped_bytes;
}

static void put_news(struct bytes *to, const struct recording_tables *tables,
		     const struct numbers *numbers)
{
	uint64_t before = 0;
	size_t i;

	bytes_put_number(to, tables->names - numbers->old_names);
	for (i = numbers->old_names; i < tables->names; i++)
		bytes_put_text(to, tables->name[i].text);
	bytes_put_number(to, tables->places - numbers->old_places);
	for (i = numbers->old_places; i < tables->places; i++) {
		const struct recording_place *place = &tables->place[i];

		bytes_put_signed(to, (int64_t)(place->start / PAGE - before));
		bytes_put_number(to, (place->end - place->start) / PAGE);
		bytes_put_number(to, place->name);
		bytes_put_signed(to, (int64_t)((place->end - place->start) / PAGE -
					       place->tracked));
		before = place->end / PAGE;
	}
}

static void put_processes(struct bytes *to, const struct recording_interval *in,
			  const struct numbers *numbers)
{
	int64_t before = 0;
	size_t i;

	bytes_put_number(to, in->processes);
	for (i = 0; i < in->processes; i++) {
		const struct recording_process *process = &in->process[i];

		bytes_put_signed(to, process->pid - before);
		bytes_put_number(to, numbers->process_name[i]);
		bytes_put_number(to, process->ended ? 1 + (process->status & 0xffffull) : 0);
		bytes_put_number(to, process->gone);
		bytes_put_number(to, process->presumed);
		before = process->pid;
	}
}

static void put_sets(struct bytes *to, const struct recording_interval *in)
{
	size_t i, window;

	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		for (i = 0; i < in->lines; i++) {
			const struct recording_line *line = &in->line[i];
			const uint64_t less = window ? line->set[window - 1] : line->written;

			bytes_put_signed(to, (int64_t)(line->set[window] - less));
		}
}

static void put_lines(struct bytes *to, const struct recording_interval *in,
		      const struct numbers *numbers)
{
	size_t i, process = 0;
	uint32_t next = 0;

	bytes_put_number(to, in->lines);
	for (i = 0; i < in->lines; i++) {
		bytes_put_number(to, in->line[i].process - process);
		process = in->line[i].process;
	}
	for (i = 0; i < in->lines; i++) {
		bytes_put_signed(to, (int64_t)numbers->place[i] - next);
		next = numbers->place[i] + 1;
	}
	for (i = 0; i < in->lines; i++)
		bytes_put_number(to, in->line[i].written);
	for (i = 0; i < in->lines; i++)
		bytes_put_number(to, in->line[i].added);
	put_sets(to, in);
}

/* The number of a cell, among all of this size from address 0. */
static uint64_t number_of(const struct recording_cell *cell)
{
	return cell->start / PAGE / cell->pages;
}

/* How many cells from @cell on follow one another without a gap. */
static size_t run_length(const struct recording_cell *cell, const struct recording_cell *end)
{
	size_t n = 1;

	while (cell + n < end && number_of(cell + n) == number_of(cell) + n)
		n++;
	return n;
}

static size_t count_runs(const struct recording_cell *cell, const struct recording_cell *end)
{
	size_t runs;

	for (runs = 0; cell < end; runs++)
		cell += run_length(cell, end);
	return runs;
}

/* The cells of a line: how large, and where. */
static void put_runs(struct bytes *to, const struct recording_line *line,
		     const struct recording_cell *cell, const struct recording_cell *end)
{
	const size_t runs = count_runs(cell, end);
	uint64_t next;

	bytes_put_number(to, runs);
	if (!runs)
		return;
	bytes_put_number(to, __builtin_ctzll(cell->pages));
	next = line->start / PAGE / cell->pages;
	while (cell < end) {
		const size_t n = run_length(cell, end);

		bytes_put_number(to, number_of(cell) - next);
		bytes_put_number(to, n - 1);
		/* Behind it there is a gap of one cell at least. */
		next = number_of(cell) + n + 1;
		cell += n;
	}
}

static void put_cells(struct bytes *to, const struct recording_interval *in)
{
	const struct recording_cell *cell = in->cell, *const end = in->cell + in->cells;
	size_t i;

	for (i = 0; i < in->lines; i++) {
		const struct recording_cell *first = cell;

		while (cell < end && cell->line == i)
			cell++;
		put_runs(to, &in->line[i], first, cell);
	}
	for (cell = in->cell; cell < end; cell++)
		if (cell->pages > 1)
			bytes_put_number(to, cell->written - 1);
}

static int put_all(struct bytes *to, struct recording_state *state,
		   const struct recording_interval *in, struct numbers *numbers)
{
	const bool forgets = must_forget(&state->tables, in);
	int err;

	if (forgets)
		recording_forget_tables(&state->tables);
	numbers->old_names = state->tables.names;
	numbers->old_places = state->tables.places;
	err = find_numbers(&state->tables, in, numbers);
	if (err)
		return err;
	put_beginning(to, state, in, forgets);
	put_news(to, &state->tables, numbers);
	put_processes(to, in, numbers);
	put_lines(to, in, numbers);
	put_cells(to, in);
	if (to->failed)
		return -ENOMEM;
	return to->n > RECORDING_MOST_CONTENT ? -E2BIG : 0;
}

static bool is_sensible(const struct recording_interval *in, const struct recording_line *line)
{
	const uint64_t pages = (line->end - line->start) / PAGE;
	bool sensible = line->process < in->processes && line->start < line->end &&
			line->end <= RECORDING_MOST_BYTES && line->tracked <= pages &&
			line->written <= pages && line->added <= pages;
	size_t window;

	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		sensible = sensible && line->set[window] <= pages;
	return sensible;
}

static bool in_order(const struct recording_line *before, const struct recording_line *line)
{
	return before->process < line->process ||
	       (before->process == line->process && before->end <= line->start);
}

/* No reader would take what is not: nor anything behind it. */
static bool all_are_sensible(const struct recording_interval *in)
{
	size_t i;

	for (i = 0; i < in->lines; i++)
		if (!is_sensible(in, &in->line[i]) ||
		    (i && !in_order(&in->line[i - 1], &in->line[i])))
			return false;
	return true;
}

int recording_encode(struct bytes *content, struct recording_state *state,
		     const struct recording_interval *interval)
{
	struct numbers numbers;
	int err;

	if (interval->processes > RECORDING_MOST_PROCESSES ||
	    interval->lines > RECORDING_MOST_LINES || interval->cells > RECORDING_MOST_CELLS)
		return -E2BIG;
	if (!all_are_sensible(interval))
		return -EINVAL;
	numbers.process_name = calloc(interval->processes + 1, sizeof(uint32_t));
	numbers.place = calloc(interval->lines + 1, sizeof(uint32_t));
	if (numbers.process_name && numbers.place)
		err = put_all(content, state, interval, &numbers);
	else
		err = -ENOMEM;
	free(numbers.process_name);
	free(numbers.place);
	return err;
}
