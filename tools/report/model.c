// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording is read twice: to see which time and memory it is about, and to fill the columns and
 * rows that this is cut into. Neither keeps an interval.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/alive.h"
#include "report/model.h"

/* A process in an interval. */
struct member {
	uint64_t id;
	uint64_t written;
};

/* The columns that an interval is in. */
struct columns {
	size_t first;
	size_t n;
};

/* One of the two times that it is read. */
struct pass {
	struct model *model;
	bool second;
	struct alive alive;
	struct spans spans;
	struct member *member;
	size_t members;
	uint64_t number;	/* of the interval */
	double before;		/* time of the one before */
	bool wanted;
	struct moment moment;
	struct columns columns;
	uint64_t rows_left;	/* that may be added to in this interval */
};

/* A part of a line. */
struct piece {
	const struct recording_line *line;
	uint64_t process;	/* its number */
	uint64_t start;
	uint64_t end;
	double written;		/* page writes */
};

/* ---- what is asked about */

static bool wants_process(const struct model *m, const struct recording_process *process)
{
	return !m->query.pid || m->query.pid == process->pid;
}

static bool wants_time(const struct model *m, const struct recording_interval *interval)
{
	return interval->time > m->query.from &&
	       (!m->query.to || interval->time - interval->length < m->query.to);
}

/* To the addresses that are asked about. Return: false when nothing is left. */
static bool cut(const struct model *m, struct piece *piece)
{
	const uint64_t bytes = piece->end - piece->start;

	if (!m->query.end)
		return true;
	if (piece->start < m->query.start)
		piece->start = m->query.start;
	if (piece->end > m->query.end)
		piece->end = m->query.end;
	if (piece->start >= piece->end)
		return false;
	piece->written *= (double)(piece->end - piece->start) / bytes;
	return true;
}

/* ---- first: which memory is it about? */

static int add_span(struct pass *pass, const struct piece *piece)
{
	struct span span = {
		.process = piece->process, .start = piece->start, .end = piece->end,
		.written = (uint64_t)ceil(piece->written),
	};

	snprintf(span.name, sizeof(span.name), "%s", piece->line->name);
	return spans_add(&pass->spans, &span);
}

/* ---- then: how much of it, and when? */

/*
 * An interval is in all columns whose middle is in it. If there is none it is in the one that has
 * its own middle. So intervals as long as a column do not smear into the next.
 */
static struct columns columns_of(const struct model *m, const struct moment *moment)
{
	const double per_second = m->columns / (m->end - m->begin);
	const double first = (moment->time - moment->length - m->begin) * per_second;
	const double last = (moment->time - m->begin) * per_second;
	struct columns c;
	double at = ceil(first - 0.5), behind = ceil(last - 0.5);

	if (behind <= at) {
		at = floor((first + last) / 2);
		behind = at + 1;
	}
	at = at < 0 ? 0 : at > m->columns - 1 ? m->columns - 1 : at;
	behind = behind > m->columns ? m->columns : behind;
	c.first = (size_t)at;
	c.n = behind > at ? (size_t)behind - c.first : 1;
	return c;
}

/*
 * Processes of one ID that have lines in one interval. "uffdwp record" has one, two after an
 * execve(2), and two more where it has looked again at a process of a cgroup that was ending; more
 * take IDs that are given out again during one look.
 */
#define MOST_NAMESAKES 16

/*
 * Pieces of such a process do not overlap, nor do the parts of its lines that are in no cell. So
 * each of them begins in one row, and both together have all others twice at most.
 */
static uint64_t most_rows(const struct model *m, const struct recording_interval *interval)
{
	return 2 * (MOST_NAMESAKES * (uint64_t)m->axis.rows + interval->lines) + interval->cells;
}

static void add_to_row(struct pass *pass, size_t row, double written)
{
	struct model *m = pass->model;
	double *cell = m->cell + row * m->columns + pass->columns.first;
	size_t i;

	for (i = 0; i < pass->columns.n; i++)
		cell[i] += written / pass->columns.n;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Nobody knows where in it: evenly over all of it. */
static void add_to_segment(struct pass *pass, const struct piece *piece,
			   const struct segment *segment)
{
	const uint64_t bytes = segment->pages * MODEL_PAGE, base = segment->span.start;
	const uint64_t from = later(piece->start, base);
	const uint64_t to = sooner(piece->end, segment->span.end);
	uint64_t at, end;

	for (at = from; at < to && pass->rows_left; at = end, pass->rows_left--) {
		const size_t row = (at - base) / bytes;

		end = sooner(to, base + (row + 1) * bytes);
		add_to_row(pass, segment->row + row, piece->written * (double)(end - at) /
						     (double)(piece->end - piece->start));
	}
}

static void add_to_rows(struct pass *pass, const struct piece *piece)
{
	const struct axis *axis = &pass->model->axis;
	size_t i = axis_find(axis, piece->process, piece->start);

	for (; i < axis->n && axis->segment[i].span.process == piece->process &&
	       axis->segment[i].span.start < piece->end; i++)
		add_to_segment(pass, piece, &axis->segment[i]);
}

static void add_to_columns(struct pass *pass)
{
	const struct moment *moment = &pass->moment;
	size_t i, window;

	for (i = 0; i < pass->columns.n; i++) {
		struct column *c = &pass->model->column[pass->columns.first + i];

		c->intervals += 1.0 / pass->columns.n;
		c->seconds += moment->length / pass->columns.n;
		c->written += (double)moment->written / pass->columns.n;
		c->gone += (double)moment->gone / pass->columns.n;
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			c->set[window] = later(c->set[window], moment->set[window]);
	}
}

/* ---- an interval */

/*
 * A file is not believed: what makes no sense is left out. Beyond these limits a double cannot
 * count in steps of an interval any more. Intervals follow one another, so that all of them
 * together are in not many more columns than there are; what rounding makes of that is far less
 * than half of the shortest one.
 */
#define SHORTEST 1e-4	/* seconds; "uffdwp record" takes intervals of a millisecond */
#define LATEST 1e9

static bool makes_sense(const struct recording_interval *interval, double before)
{
	return isfinite(interval->time) && isfinite(interval->length) &&
	       interval->length >= SHORTEST && interval->time <= LATEST &&
	       interval->time >= before + SHORTEST / 2 &&
	       interval->length <= interval->time - before + SHORTEST / 2;
}

static bool line_makes_sense(const struct recording_interval *interval,
			     const struct recording_line *line)
{
	return line->process < interval->processes && line->start < line->end &&
	       line->end <= UINT64_MAX - MODEL_PAGE && !(line->start % MODEL_PAGE) &&
	       !(line->end % MODEL_PAGE) &&
	       line->written <= (line->end - line->start) / MODEL_PAGE;
}

static int add_piece(struct pass *pass, struct piece *piece, double *written)
{
	if (!cut(pass->model, piece) || piece->written <= 0)
		return 0;
	*written += piece->written;
	if (!pass->second)
		return add_span(pass, piece);
	add_to_rows(pass, piece);
	return 0;
}

/* The part of a cell that is in the line; cells at its ends may be larger. */
static bool piece_of(const struct recording_line *line, const struct recording_cell *cell,
		     struct piece *piece)
{
	if (cell->start % MODEL_PAGE || cell->start >= line->end ||
	    cell->pages > UINT64_MAX / MODEL_PAGE ||
	    cell->start > UINT64_MAX - cell->pages * MODEL_PAGE)
		return false;
	piece->start = later(cell->start, line->start);
	piece->end = sooner(cell->start + cell->pages * MODEL_PAGE, line->end);
	piece->written = cell->written;
	return piece->start < piece->end &&
	       cell->written <= (piece->end - piece->start) / MODEL_PAGE;
}

/* @cell: the first of the line; in the end the first of the next one */
static int add_line(struct pass *pass, const struct recording_interval *interval, size_t index,
		    size_t *cell, double *written)
{
	const struct recording_line *line = &interval->line[index];
	struct piece piece = { .line = line, .process = pass->member[line->process].id };
	uint64_t in_cells = 0;
	int err = 0;

	for (; !err && *cell < interval->cells && interval->cell[*cell].line == index; ++*cell) {
		if (!piece_of(line, &interval->cell[*cell], &piece))
			continue;
		in_cells += interval->cell[*cell].written;
		err = add_piece(pass, &piece, written);
	}
	if (err || in_cells >= line->written)
		return err;
	piece.start = line->start;
	piece.end = line->end;
	piece.written = line->written - in_cells;
	return add_piece(pass, &piece, written);
}

static int take_line(struct pass *pass, const struct recording_interval *interval, size_t index,
		     size_t *cell)
{
	const struct recording_line *line = &interval->line[index];
	struct member *member = &pass->member[line->process];
	double written = 0;
	uint64_t whole;
	size_t window;
	int err;

	/* A mapping that is not there has none: it is told as long as the longest one is not 0. */
	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		pass->moment.set[window] += line->set[window];
	err = add_line(pass, interval, index, cell, &written);
	if (err)
		return err;
	if (pass->model->query.end && (line->start >= pass->model->query.end ||
				       line->end <= pass->model->query.start))
		return 0;
	whole = (uint64_t)(written + 0.5);
	member->written += whole;
	pass->moment.written += whole;
	pass->moment.added += line->added;
	pass->moment.mappings += whole > 0;
	return pass->second ? 0 : seen_line(&pass->model->seen, member->id, line, whole,
					    interval->time);
}

static int take_lines(struct pass *pass, const struct recording_interval *interval)
{
	size_t i, cell = 0;
	int err = 0;

	for (i = 0; !err && i < interval->lines; i++) {
		const struct recording_line *line = &interval->line[i];

		while (cell < interval->cells && interval->cell[cell].line < i)
			cell++;
		if (line_makes_sense(interval, line) &&
		    wants_process(pass->model, &interval->process[line->process]))
			err = take_line(pass, interval, i, &cell);
	}
	return err;
}

static int name_members(struct pass *pass, const struct recording_interval *interval)
{
	struct member *more;
	size_t i;

	if (interval->processes > pass->members) {
		more = reallocarray(pass->member, interval->processes, sizeof(*more));
		if (!more)
			return -ENOMEM;
		pass->member = more;
		pass->members = interval->processes;
	}
	for (i = 0; i < interval->processes; i++)
		pass->member[i] = (struct member){
			.id = alive_id(&pass->alive, interval->process[i].pid),
		};
	return 0;
}

/* What has no address: memory that is gone, and the end of a process. */
static int take_process(struct pass *pass, const struct recording_process *process,
			const struct member *member, double time)
{
	struct model *m = pass->model;
	const uint64_t gone = m->query.end ? 0 : process->gone;
	struct seen_process *seen;

	if (!pass->wanted || !wants_process(m, process))
		return 0;
	pass->moment.processes++;
	pass->moment.gone += gone;
	pass->moment.written += gone;
	if (pass->second)
		return 0;
	m->presumed += process->presumed;
	seen = seen_process(&m->seen, member->id, process, time);
	if (!seen)
		return -ENOMEM;
	seen->gone += gone;
	seen->written += gone + member->written;
	return 0;
}

static int take_processes(struct pass *pass, const struct recording_interval *interval)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < interval->processes; i++) {
		const struct recording_process *process = &interval->process[i];

		err = take_process(pass, process, &pass->member[i], interval->time);
		if (process->ended)
			alive_end(&pass->alive, process->pid);
	}
	return err;
}

static double rate_of(const struct moment *moment)
{
	return moment->written / moment->length;
}

static int end_first(struct pass *pass, const struct recording_interval *interval)
{
	struct model *m = pass->model;
	const struct moment *moment = &pass->moment;

	if (!m->intervals++)
		m->begin = fmax(interval->time - interval->length, 0);
	m->end = interval->time;
	m->seconds += interval->length;
	m->written += moment->written;
	m->gone += moment->gone;
	m->lost += interval->lost;
	m->not_followed += interval->not_followed;
	m->skipped_bytes = later(m->skipped_bytes, interval->skipped_bytes);
	if (m->intervals == 1 || rate_of(moment) > rate_of(&m->busiest))
		m->busiest = *moment;
	return histogram_add(&m->rate, moment->written);
}

static int end_second(struct pass *pass)
{
	struct model *m = pass->model;
	size_t window;
	int err = 0;

	add_to_columns(pass);
	for (window = 0; !err && window < WRITTEN_SET_WINDOWS; window++)
		err = histogram_add(&m->set[window], pass->moment.set[window]);
	if (!err && m->query.each)
		err = m->query.each(m->query.arg, &pass->moment);
	return err;
}

static int take(struct pass *pass, const struct recording_interval *interval)
{
	struct model *m = pass->model;
	int err;

	pass->number++;
	if (!makes_sense(interval, pass->before))
		return 0;
	pass->before = interval->time;
	pass->wanted = wants_time(m, interval);
	pass->moment = (struct moment){
		.number = pass->number, .time = interval->time, .length = interval->length,
		.lost = interval->lost,
	};
	if (pass->second && pass->wanted) {
		pass->columns = columns_of(m, &pass->moment);
		pass->rows_left = most_rows(m, interval);
	}
	err = name_members(pass, interval);
	if (!err && pass->wanted)
		err = take_lines(pass, interval);
	if (!err)
		err = take_processes(pass, interval);
	if (err || !pass->wanted)
		return err;
	return pass->second ? end_second(pass) : end_first(pass, interval);
}

/* ---- all of them */

static int read_all(struct pass *pass, const struct source *source)
{
	struct recording_interval interval;
	struct model *m = pass->model;
	int got;

	/* The file may have grown since the first time. */
	while (!pass->second || pass->number < m->in_file) {
		got = source->next(source->arg, &interval);
		if (got == -EPIPE)
			m->ends = MODEL_CUT;
		else if (got == -EPROTO)
			m->ends = MODEL_DAMAGED;
		else if (got < 0)
			return got;
		if (got != 1)
			break;
		got = take(pass, &interval);
		if (got)
			return got;
	}
	m->in_file = pass->number;
	return 0;
}

static void end_pass(struct pass *pass)
{
	spans_free(&pass->spans);
	free(pass->member);
	free(pass);
}

static struct pass *begin_pass(struct model *model, bool second)
{
	struct pass *pass = calloc(1, sizeof(*pass));

	if (pass) {
		pass->model = model;
		pass->second = second;
	}
	return pass;
}

static int survey(struct model *m, const struct source *source)
{
	struct pass *pass = begin_pass(m, false);
	int err;

	if (!pass)
		return -ENOMEM;
	err = read_all(pass, source);
	if (!err)
		err = axis_make(&m->axis, &pass->spans, m->query.rows);
	end_pass(pass);
	return err;
}

/* Not more columns than intervals would fill. */
static int make_columns(struct model *m)
{
	const double all = ceil((m->end - m->begin) / (m->seconds / m->intervals) - 0.5);

	m->columns = all < 1 ? 1 : all < m->query.columns ? (size_t)all : m->query.columns;
	m->column = calloc(m->columns, sizeof(*m->column));
	m->cell = calloc(m->columns * (m->axis.rows ? m->axis.rows : 1), sizeof(*m->cell));
	return m->column && m->cell ? 0 : -ENOMEM;
}

static int fill(struct model *m, const struct source *source)
{
	struct pass *pass = begin_pass(m, true);
	int err;

	if (!pass)
		return -ENOMEM;
	err = make_columns(m);
	if (!err)
		err = source->rewind(source->arg);
	if (!err)
		err = read_all(pass, source);
	end_pass(pass);
	return err;
}

int model_read(struct model *m, const struct source *source, const struct model_query *query)
{
	int err;

	*m = (struct model){ .header = source->header, .query = *query };
	err = survey(m, source);
	return err || !m->intervals ? err : fill(m, source);
}

/* ---- asking */

double model_share(const struct model *m, size_t row, size_t column)
{
	const struct column *c = &m->column[column];
	uint64_t start, end;
	double share;

	if (c->intervals <= 0)
		return 0;
	axis_row(axis_segment(&m->axis, row), row, &start, &end);
	share = m->cell[row * m->columns + column] * MODEL_PAGE / (end - start) / c->intervals;
	return share > 1 ? 1 : share;
}

double model_time(const struct model *m, size_t column)
{
	return m->begin + (m->end - m->begin) * column / m->columns;
}

void model_note(const struct model *m, char *text, size_t size)
{
	const char *s = m->in_file == 1 ? " is" : "s are";

	*text = 0;
	if (m->ends == MODEL_CUT)
		snprintf(text, size, "the file ends in the middle of a frame, as after a crash: %" PRIu64 " interval%s whole",
			 m->in_file, s);
	else if (m->ends == MODEL_DAMAGED)
		snprintf(text, size, "the file is damaged: %" PRIu64 " interval%s whole, and nothing behind is read",
			 m->in_file, s);
}

void model_free(struct model *m)
{
	size_t window;

	seen_free(&m->seen);
	histogram_free(&m->rate);
	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		histogram_free(&m->set[window]);
	axis_free(&m->axis);
	free(m->column);
	free(m->cell);
	*m = (struct model){ 0 };
}
