// SPDX-License-Identifier: GPL-2.0-only
/*
 * "uffdwp report": what becomes of a recording, in each form, and in bounded memory. Golden texts
 * are in data/report; with UPDATE_GOLDEN=1 in the environment they are written anew.
 */
#include "unit.h"

#include <json-c/json.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../report/made.h"
#include "report/alive.h"
#include "report/csv.h"
#include "report/draw.h"
#include "report/escape.h"
#include "report/half.h"
#include "report/hot.h"
#include "report/html.h"
#include "report/json.h"
#include "report/levels.h"
#include "report/options.h"
#include "output.h"
#include "report/text.h"
#include "report/verb.h"
#include "report/words.h"

#define DATA "tests/unit/data/report/"

/* ---- quantiles */

static void small_values_are_exact(void **state)
{
	struct histogram h = { 0 };
	uint64_t i;

	(void)state;
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	for (i = 1; i <= 1000; i++)
		assert_int_equal(histogram_add(&h, i), 0);
	assert_int_equal(histogram_quantile(&h, 0), 1);
	assert_int_equal(histogram_quantile(&h, 0.5), 500);
	assert_int_equal(histogram_quantile(&h, 0.99), 990);
	assert_int_equal(histogram_quantile(&h, 1), 1000);
	histogram_free(&h);
}

static void large_values_are_nearly_exact(void **state)
{
	static const uint64_t values[] = { 2047, 2048, 2049, 1234567, 1ull << 40, UINT64_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct histogram h = { 0 };
		double got;

		assert_int_equal(histogram_add(&h, values[i]), 0);
		got = (double)histogram_quantile(&h, 0.5);
		assert_true(got <= (double)values[i]);
		assert_true(got >= (double)values[i] * 0.999);
		assert_int_equal(h.max, values[i]);
		histogram_free(&h);
	}
}

/* ---- which process */

static void a_process_id_can_be_used_again(void **state)
{
	struct alive *alive = calloc(1, sizeof(*alive));
	const uint64_t first = alive_id(alive, 7);
	unsigned int i;

	(void)state;
	assert_int_equal(alive_id(alive, 7), first);
	assert_int_not_equal(alive_id(alive, 8), first);
	alive_end(alive, 7);
	assert_int_not_equal(alive_id(alive, 7), first);
	alive_end(alive, 99);
	/* Those whose end was not told make room. */
	for (i = 0; i < 3 * ALIVE_MOST; i++)
		assert_int_not_equal(alive_id(alive, 1000 + (pid_t)i), first);
	assert_true(alive->n <= ALIVE_MOST);
	free(alive);
}

/* The same, as simple as can be. */
struct known {
	pid_t pid;
	uint64_t id;
	uint64_t seen;
};

static size_t find_known(const struct known *known, size_t n, pid_t pid)
{
	size_t i;

	for (i = 0; i < n && known[i].pid != pid; i++)
		;
	return i;
}

static size_t oldest_known(const struct known *known, size_t n)
{
	size_t i, old = 0;

	for (i = 1; i < n; i++)
		if (known[i].seen < known[old].seen)
			old = i;
	return old;
}

static void those_not_seen_for_long_make_room(void **state)
{
	struct alive *alive = calloc(1, sizeof(*alive));
	struct known *known = calloc(ALIVE_MOST, sizeof(*known));
	uint64_t ids = 0;
	size_t i, at, n = 0;

	(void)state;
	srand(5);
	for (i = 0; i < 6 * ALIVE_MOST; i++) {
		const pid_t pid = rand() % (ALIVE_MOST * 5 / 4);

		at = find_known(known, n, pid);
		if (rand() % 8 == 0) {
			alive_end(alive, pid);
			if (at < n)
				known[at] = known[--n];
			continue;
		}
		if (at == n) {
			at = n < ALIVE_MOST ? n++ : oldest_known(known, n);
			known[at] = (struct known){ .pid = pid, .id = ++ids };
		}
		known[at].seen = i;
		assert_int_equal(alive_id(alive, pid), known[at].id);
		assert_int_equal(alive->n, n);
	}
	free(alive);
	free(known);
}

/* ---- what is let go */

static void the_greater_half_is_exactly_a_half(void **state)
{
	unsigned int round;

	(void)state;
	srand(3);
	for (round = 0; round < 200; round++) {
		const size_t n = 1 + (size_t)rand() % 50;
		uint64_t number[50], least_kept = UINT64_MAX, most_dropped = 0;
		size_t i, kept = 0;
		struct half half;

		for (i = 0; i < n; i++)
			number[i] = (uint64_t)rand() % (1 + round / 4);
		assert_int_equal(half_find(&half, number, n, sizeof(*number)), 0);
		for (i = 0; i < n; i++) {
			if (half_has(&half, number[i])) {
				kept++;
				least_kept = number[i] < least_kept ? number[i] : least_kept;
			} else if (number[i] > most_dropped) {
				most_dropped = number[i];
			}
		}
		assert_int_equal(kept, n / 2);
		assert_true(least_kept >= most_dropped);
	}
}

/* ---- ranges */

static void add_span(struct spans *spans, uint64_t process, uint64_t start, uint64_t pages,
		     const char *name)
{
	struct span span = {
		.process = process, .start = start, .end = start + pages * 4096, .written = pages,
	};

	snprintf(span.name, sizeof(span.name), "%s", name);
	assert_int_equal(spans_add(spans, &span), 0);
}

static void near_ranges_of_one_name_are_one(void **state)
{
	struct spans s = { 0 };

	(void)state;
	add_span(&s, 1, 0x100000, 1, "a");
	add_span(&s, 1, 0x104000, 1, "a");
	assert_int_equal(s.n, 1);
	add_span(&s, 1, 0x106000, 1, "b");
	assert_int_equal(s.n, 2);
	add_span(&s, 1, 0x4000000, 1, "a");
	assert_int_equal(s.n, 3);
	add_span(&s, 2, 0x100000, 1, "a");
	assert_int_equal(s.n, 4);
	/* Below, and again */
	add_span(&s, 1, 0xff000, 1, "a");
	add_span(&s, 1, 0x104000, 1, "a");
	assert_int_equal(s.n, 4);
	assert_int_equal(s.span[0].start, 0xff000);
	assert_int_equal(s.span[0].end, 0x105000);
	assert_int_equal(s.span[0].written, 4);
	/* Over all of it */
	add_span(&s, 1, 0x80000, 0x100, "c");
	assert_int_equal(s.n, 3);
	assert_int_equal(s.span[0].start, 0x80000);
	assert_int_equal(s.span[0].end, 0x180000);
	spans_free(&s);
}

/* Against an array of pages, with ranges at random. */
static void ranges_cover_what_was_written(void **state)
{
	static bool written[4096];
	struct spans s = { 0 };
	unsigned int i, page;
	size_t at;

	(void)state;
	srand(1);
	for (i = 0; i < 300; i++) {
		const unsigned int first = (unsigned int)rand() % 4000, n = 1 + rand() % 20;

		add_span(&s, 1, first * 4096ull, n, rand() % 2 ? "a" : "b");
		for (page = first; page < first + n; page++)
			written[page] = true;
		for (at = 1; at < s.n; at++)
			assert_true(s.span[at - 1].end <= s.span[at].start);
	}
	for (page = 0; page < 4096; page++) {
		for (at = 0; at < s.n && s.span[at].end <= page * 4096ull; at++)
			;
		if (written[page])
			assert_true(at < s.n && s.span[at].start <= page * 4096ull);
	}
	spans_free(&s);
}

static void ranges_have_a_limit(void **state)
{
	struct spans s = { 0 };
	uint64_t i;

	(void)state;
	for (i = 0; i < 5 * SPANS_MOST; i++) {
		add_span(&s, i % 3, (i + 1) << 32, 1 + i % 5, i % 2 ? "a" : "b");
		assert_true(s.n <= SPANS_MOST);
	}
	/* What was written most is still there. */
	add_span(&s, 9, 0x1000, 1000, "hot");
	for (i = 0; i < 2 * SPANS_MOST; i++)
		add_span(&s, 10, (i + 1) << 32, 1, "cold");
	for (i = 0; i < s.n && s.span[i].process != 9; i++)
		;
	assert_true(i < s.n);
	assert_int_equal(s.span[i].written, 1000);
	spans_free(&s);
}

static void an_axis_has_the_rows_that_were_asked_for(void **state)
{
	static const size_t wanted[] = { 1, 2, 3, 7, 12, 40, 400, MODEL_ROWS };
	size_t w, i, row;

	(void)state;
	for (w = 0; w < sizeof(wanted) / sizeof(wanted[0]); w++) {
		struct spans s = { 0 };
		struct axis axis;
		uint64_t end = 0, start;

		for (i = 0; i < 30; i++)
			add_span(&s, i % 2, (i + 1) << 30, 1ull << (i % 17), i % 3 ? "a" : "b");
		assert_int_equal(axis_make(&axis, &s, wanted[w]), 0);
		assert_in_range(axis.rows, 1, wanted[w]);
		for (row = 0; row < axis.rows; row++) {
			const struct segment *segment = axis_segment(&axis, row);

			assert_in_range(row, segment->row, segment->row + segment->rows - 1);
			axis_row(segment, row, &start, &end);
			assert_true(start < end && end <= segment->span.end);
			assert_int_equal(axis_find(&axis, segment->span.process, start),
					 segment - axis.segment);
		}
		/* The last row of a segment ends with it. */
		assert_int_equal(end, axis.segment[axis.n - 1].span.end);
		assert_in_range(axis.n + axis.left_out, 1, 30);
		if (wanted[w] >= 90)
			assert_int_equal(axis.n, 30);
		axis_free(&axis);
		spans_free(&s);
	}
}

/* ---- processes and mappings */

static void no_page_write_is_forgotten_with_its_mapping(void **state)
{
	struct seen seen = { 0 };
	uint64_t i, sum = 0;

	(void)state;
	for (i = 0; i < 3 * SEEN_MAPPINGS; i++) {
		const struct recording_line line = {
			.start = (i + 1) << 24, .end = ((i + 1) << 24) + 4096, .name = "anon",
			.tracked = 1,
		};

		assert_int_equal(seen_line(&seen, 1, &line, 1 + i % 7, (double)i), 0);
		sum += 1 + i % 7;
		assert_true(seen.mappings <= SEEN_MAPPINGS);
	}
	for (i = 0; i < seen.mappings; i++)
		sum -= seen.mapping[i].written;
	assert_int_equal(sum, seen.other_written);
	assert_int_equal(seen.mappings + seen.other_mappings, 3 * SEEN_MAPPINGS);
	seen_free(&seen);
}

static void a_mapping_that_grows_is_one(void **state)
{
	struct recording_line line = { .start = 0x100000, .end = 0x102000, .name = "[heap]" };
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(seen_line(&seen, 1, &line, 1, 1), 0);
	line.end = 0x200000;
	line.tracked = 256;
	assert_int_equal(seen_line(&seen, 1, &line, 5, 2), 0);
	line.start = 0xf0000;
	assert_int_equal(seen_line(&seen, 1, &line, 0, 3), 0);
	assert_int_equal(seen.mappings, 1);
	assert_int_equal(seen.mapping->start, 0xf0000);
	assert_int_equal(seen.mapping->end, 0x200000);
	assert_int_equal(seen.mapping->written, 6);
	assert_int_equal(seen.mapping->most, 5);
	assert_int_equal(seen.mapping->intervals, 2);
	assert_true(seen.mapping->last == 2);
	/* Another name, another process */
	line.name = "anon";
	assert_int_equal(seen_line(&seen, 1, &line, 1, 4), 0);
	assert_int_equal(seen_line(&seen, 2, &line, 1, 4), 0);
	assert_int_equal(seen.mappings, 3);
	seen_free(&seen);
}

/* ---- a model, of intervals that no writer would write */

#define MOST 64

static struct {
	struct recording_header header;
	struct recording_interval interval[MOST];
	size_t n;
	size_t at;
	int end;
} fake;

static int fake_next(void *arg, struct recording_interval *interval)
{
	(void)arg;
	if (fake.at == fake.n)
		return fake.end;
	*interval = fake.interval[fake.at++];
	return 1;
}

static int fake_rewind(void *arg)
{
	(void)arg;
	fake.at = 0;
	return 0;
}

static const struct source fake_source = {
	.header = &fake.header, .next = fake_next, .rewind = fake_rewind,
};

static struct recording_process one_process = { .pid = 1, .name = "x" };

static struct recording_interval *fake_interval(double time, double length,
						struct recording_line *line,
						struct recording_cell *cell, size_t cells)
{
	fake.interval[fake.n] = (struct recording_interval){
		.time = time, .length = length, .process = &one_process, .processes = 1,
		.line = line, .lines = line ? 1 : 0, .cell = cell, .cells = cells,
	};
	return &fake.interval[fake.n++];
}

static void fake_begin(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.header.interval = 1;
	strcpy(fake.header.what, "x");
}

static void read_fake(struct model *model, size_t columns, size_t rows)
{
	const struct model_query query = { .columns = columns, .rows = rows };

	assert_int_equal(model_read(model, &fake_source, &query), 0);
}

/* A little more and less than a second each: a column is an interval all the same. */
static void intervals_do_not_smear(void **state)
{
	struct recording_line quiet = { .start = 0x10000, .end = 0x20000, .name = "m" };
	struct recording_line loud = quiet;
	struct model m;
	double time = 0;
	size_t i, dark = 0;

	(void)state;
	fake_begin();
	loud.written = 16;
	for (i = 0; i < 60; i++) {
		const double length = 1 + 0.003 * ((int)(i % 5) - 2);

		time += length;
		fake_interval(time, length, i == 30 ? &loud : &quiet, NULL, 0);
	}
	read_fake(&m, 100, 4);
	assert_int_equal(m.columns, 60);
	for (i = 0; i < m.columns; i++) {
		assert_true(m.column[i].intervals > 0);
		dark += model_share(&m, 0, i) > 0;
	}
	assert_int_equal(dark, 1);
	assert_true(model_share(&m, 0, 30) == 1);
	model_free(&m);
}

static void time_that_was_not_recorded_is_not_quiet(void **state)
{
	struct recording_line line = { .start = 0x1000, .end = 0x2000, .name = "m", .written = 1 };
	struct model m;
	size_t i, unknown = 0;

	(void)state;
	fake_begin();
	fake_interval(1, 1, &line, NULL, 0);
	fake_interval(9, 1, &line, NULL, 0);
	fake_interval(10, 1, &line, NULL, 0);
	read_fake(&m, 100, 4);
	assert_int_equal(m.columns, 10);
	for (i = 0; i < m.columns; i++)
		unknown += m.column[i].intervals <= 0;
	assert_int_equal(unknown, 7);
	assert_true(m.seconds == 3);
	model_free(&m);
}

static void intervals_follow_one_another(void **state)
{
	struct recording_line line = { .start = 0x1000, .end = 0x2000, .name = "m", .written = 1 };
	struct model m;

	(void)state;
	fake_begin();
	fake_interval(1, 1, &line, NULL, 0);
	/* As "uffdwp record" rounds them, and after time that was not recorded */
	fake_interval(2, 1.000002, &line, NULL, 0);
	fake_interval(9, 1, &line, NULL, 0);
	fake_interval(10, 1.1, &line, NULL, 0);
	fake_interval(11, 11, &line, NULL, 0);
	fake_interval(12, 3, &line, NULL, 0);
	read_fake(&m, 100, 4);
	assert_int_equal(m.in_file, 6);
	assert_int_equal(m.intervals, 4);
	assert_true(m.end == 12);
	model_free(&m);
}

/* In all cells, of an interval in which so many processes of one ID have all of a mapping. */
static double sum_of_namesakes(size_t n)
{
	struct recording_process *process = calloc(n, sizeof(*process));
	struct recording_line *line = calloc(n, sizeof(*line));
	struct recording_interval *interval;
	struct model m;
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		process[i] = one_process;
		line[i] = (struct recording_line){
			.process = i, .start = 0, .end = 0x100000, .name = "m", .written = 64,
		};
	}
	fake_begin();
	interval = fake_interval(1, 1, line, NULL, 0);
	interval->process = process;
	interval->processes = n;
	interval->lines = n;
	read_fake(&m, 10, 100);
	assert_int_equal(m.axis.rows, 86);
	assert_int_equal(m.written, n * 64);
	for (i = 0; i < m.columns * m.axis.rows; i++)
		sum += m.cell[i];
	model_free(&m);
	free(process);
	free(line);
	return sum;
}

/* Of as many as there can be all are shown; of more, not all is, as it would take for ever. */
static void namesakes_have_a_limit(void **state)
{
	(void)state;
	assert_true(fabs(sum_of_namesakes(1) - 64) < 1e-6);
	assert_true(fabs(sum_of_namesakes(16) - 16 * 64) < 1e-6);
	assert_true(sum_of_namesakes(60000) < 60000 * 64 / 8);
}

static void a_large_cell_is_spread_over_its_rows(void **state)
{
	struct recording_line line = { .start = 0, .end = 0x100000, .name = "m", .written = 64 };
	struct recording_cell cell = { .start = 0, .pages = 128, .written = 64 };
	struct model m;
	double sum = 0;
	size_t row;

	(void)state;
	fake_begin();
	fake_interval(1, 1, &line, &cell, 1);
	read_fake(&m, 10, 8);
	for (row = 0; row < m.axis.rows; row++) {
		assert_true(fabs(model_share(&m, row, 0) - 0.5) < 1e-9);
		sum += m.cell[row];
	}
	assert_true(fabs(sum - 64) < 1e-9);
	model_free(&m);
}

static void what_makes_no_sense_is_left_out(void **state)
{
	struct recording_line good = { .start = 0x1000, .end = 0x3000, .name = "m", .written = 2 };
	struct recording_line bad[] = {
		{ .process = 5, .start = 0x1000, .end = 0x2000, .name = "m", .written = 1 },
		{ .start = 0x3000, .end = 0x1000, .name = "m", .written = 1 },
		{ .start = 0x1001, .end = 0x2000, .name = "m" },
		{ .start = 0x1000, .end = 0x2000, .name = "m", .written = 77 },
		{ .start = 0x1000, .end = UINT64_MAX, .name = "m", .written = 1 },
	};
	struct recording_cell cells[] = {
		{ .line = 0, .start = 0x2000, .pages = UINT64_MAX, .written = 1 },
		{ .line = 0, .start = UINT64_MAX - 5, .pages = 1, .written = 1 },
		{ .line = 0, .start = 0x900000, .pages = 1, .written = 1 },
		{ .line = 0, .start = 0x1000, .pages = 1, .written = 1ull << 60 },
		{ .line = 9, .start = 0x1000, .pages = 1, .written = 1 },
	};
	struct model m;
	size_t i;

	(void)state;
	fake_begin();
	fake_interval(1, 1, &good, cells, 5);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fake_interval(2 + (double)i, 1, &bad[i], NULL, 0);
	fake_interval(NAN, 1, &good, NULL, 0);
	fake_interval(INFINITY, 1, &good, NULL, 0);
	fake_interval(3, 1, &good, NULL, 0);
	fake_interval(20, -1, &good, NULL, 0);
	fake_interval(21, 0, &good, NULL, 0);
	read_fake(&m, 50, 20);
	assert_int_equal(m.written, 2);
	assert_int_equal(m.intervals, 6);
	assert_int_equal(m.in_file, 11);
	model_free(&m);
}

static void how_a_file_ends_is_a_note(void **state)
{
	struct recording_line line = { .start = 0x1000, .end = 0x2000, .name = "m", .written = 1 };
	const struct model_query one_cell = { .columns = 1, .rows = 1 };
	struct model m;
	char note[WORDS];

	(void)state;
	fake_begin();
	fake_interval(1, 1, &line, NULL, 0);
	read_fake(&m, 10, 10);
	model_note(&m, note, sizeof(note));
	assert_string_equal(note, "");
	model_free(&m);

	fake.at = 0;
	fake.end = -EPIPE;
	read_fake(&m, 10, 10);
	model_note(&m, note, sizeof(note));
	assert_string_equal(note, "the file ends in the middle of a frame, as after a crash: 1 interval is whole");
	assert_int_equal(m.written, 1);
	model_free(&m);

	fake.at = 0;
	fake.end = -EPROTO;
	read_fake(&m, 10, 10);
	model_note(&m, note, sizeof(note));
	assert_non_null(strstr(note, "damaged"));
	model_free(&m);

	fake.at = 0;
	fake.end = -EIO;
	assert_int_equal(model_read(&m, &fake_source, &one_cell), -EIO);
	model_free(&m);
}

static int grow(void *arg)
{
	fake.n = 2;
	return fake_rewind(arg);
}

/* The recording goes on while it is read. */
static void a_file_that_grows_is_read_as_it_was(void **state)
{
	const struct source growing = {
		.header = &fake.header, .next = fake_next, .rewind = grow,
	};
	const struct model_query query = { .columns = 10, .rows = 10 };
	struct recording_line line = { .start = 0x1000, .end = 0x2000, .name = "m", .written = 1 };
	struct model m;

	(void)state;
	fake_begin();
	fake_interval(1, 1, &line, NULL, 0);
	fake_interval(200, 1, &line, NULL, 0);
	fake.n = 1;
	assert_int_equal(model_read(&m, &growing, &query), 0);
	assert_int_equal(fake.n, 2);
	assert_int_equal(m.in_file, 1);
	assert_int_equal(m.intervals, 1);
	assert_int_equal(m.columns, 1);
	assert_true(m.column[0].written == 1);
	model_free(&m);
}

/* ---- forms */

static char *recording_of(int (*make)(const char *path), const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "build/tests/unit/%s.data", name);
	assert_int_equal(make(path), 0);
	return path;
}

static char *content_of(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	char *text;
	long end;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	end = ftell(file);
	rewind(file);
	text = calloc(1, (size_t)end + 1);
	assert_non_null(text);
	*size = fread(text, 1, (size_t)end, file);
	fclose(file);
	return text;
}

static void assert_golden(const char *text, size_t size, const char *name)
{
	char path[200], *golden;
	size_t expected, i;
	FILE *file;

	snprintf(path, sizeof(path), DATA "%s", name);
	if (getenv("UPDATE_GOLDEN")) {
		file = fopen(path, "we");
		assert_non_null(file);
		assert_int_equal(fwrite(text, 1, size, file), size);
		fclose(file);
	}
	golden = content_of(path, &expected);
	assert_non_null(golden);
	for (i = 0; i < size && i < expected && text[i] == golden[i]; i++)
		;
	if (i < size || i < expected)
		fail_msg("%s differs from byte %zu on:\n%.200s\ninstead of\n%.200s", path, i,
			 text + i, golden + i);
	free(golden);
}

static int recording_to_model(const char *path, struct model *model, size_t columns, size_t rows,
			      struct recording_reader **reader)
{
	const struct model_query query = { .columns = columns, .rows = rows };
	char why[200];
	struct source source;

	assert_int_equal(recording_open(path, reader, why, sizeof(why)), 0);
	source = (struct source){
		.arg = *reader, .header = recording_header(*reader),
		.next = (int (*)(void *, struct recording_interval *))recording_next,
		.rewind = (int (*)(void *))recording_rewind,
	};
	return model_read(model, &source, &query);
}

typedef int (*print_fn)(FILE *to, const struct model *model);

static void assert_form(const struct model *model, print_fn print, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(print(to, model), 0);
	fclose(to);
	assert_golden(text, size, name);
	free(text);
}

#define TEXT_FORM(view)							\
	static int print_##view(FILE *to, const struct model *model)	\
	{								\
		const struct text text = { .to = to, .width = 80, .utf8 = true };	\
									\
		text_##view(&text, model);				\
		return 0;						\
	}

TEXT_FORM(summary)
TEXT_FORM(heatmap)
TEXT_FORM(wss)
TEXT_FORM(mappings)

static int print_ascii(FILE *to, const struct model *model)
{
	text_heatmap(&(struct text){ .to = to, .width = 80 }, model);
	return 0;
}

static int print_coloured(FILE *to, const struct model *model)
{
	text_heatmap(&(struct text){ .to = to, .width = 80, .utf8 = true, .colour = true }, model);
	return 0;
}

static int print_svg(FILE *to, const struct model *model)
{
	return draw_heatmap(&picture_svg, to, model);
}

static int print_wss_svg(FILE *to, const struct model *model)
{
	return draw_wss(&picture_svg, to, model);
}

static int print_json(FILE *to, const struct model *model)
{
	int view, err = 0;

	for (view = 0; !err && view < VIEW_TIMES; view++)
		err = json_print(to, model, view);
	return err;
}

static int print_csv(FILE *to, const struct model *model)
{
	int view;

	for (view = 0; view < VIEW_TIMES; view++)
		csv_print(to, model, view);
	return 0;
}

static const struct {
	print_fn print;
	const char *name;
} forms[] = {
	{ print_summary, "summary.txt" }, { print_heatmap, "heatmap.txt" },
	{ print_ascii, "ascii.txt" }, { print_coloured, "coloured.txt" },
	{ print_wss, "wss.txt" }, { print_mappings, "mappings.txt" }, { print_svg, "heatmap.svg" },
	{ print_wss_svg, "wss.svg" }, { print_json, "json" }, { print_csv, "csv" },
};

static void each_form_is_golden(void **state)
{
	struct recording_reader *reader;
	char name[80];
	struct model m;
	size_t i;

	(void)state;
	assert_int_equal(recording_to_model(recording_of(made_family, "family"), &m, 40, 24,
					    &reader), 0);
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(name, sizeof(name), "family.%s", forms[i].name);
		assert_form(&m, forms[i].print, name);
	}
	model_free(&m);
	recording_close(reader);
	assert_int_equal(recording_to_model(recording_of(made_server, "server"), &m, 53, 40,
					    &reader), 0);
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "server.%s", forms[i].name);
		assert_form(&m, forms[i].print, name);
	}
	model_free(&m);
	recording_close(reader);
}

static void nothing_recorded_is_said_in_each_form(void **state)
{
	struct model m;
	char name[80];
	size_t i;

	(void)state;
	fake_begin();
	read_fake(&m, 10, 10);
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(name, sizeof(name), "empty.%s", forms[i].name);
		assert_form(&m, forms[i].print, name);
	}
	model_free(&m);
}

/* What a file may say, as it is not believed: small and sensible, or anything. */
static uint64_t wild(void)
{
	const uint64_t any = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

	switch (rand() % 4) {
	case 0:
		return any;
	case 1:
		return any % 64;
	case 2:
		return (any % 64) * 4096;
	default:
		return (any % 1000000) * 4096;
	}
}

static double wild_time(double before)
{
	static const double odd[] = { NAN, INFINITY, -1, 0, 1e300, 1e-300, 1e12 };

	return rand() % 8 ? before + 0.1 * (rand() % 20) :
	       odd[(size_t)rand() % (sizeof(odd) / sizeof(odd[0]))];
}

static void make_wild(struct recording_process *process, struct recording_line *line,
		      struct recording_cell *cell)
{
	size_t i, k;

	fake_begin();
	for (i = 0; i < 20; i++) {
		struct recording_interval *interval;

		interval = fake_interval(wild_time((double)i), wild_time(0), line, cell, 30);
		for (k = 0; k < 4; k++, process++) {
			*process = (struct recording_process){
				.pid = (pid_t)(rand() % 6), .name = "x", .ended = !(rand() % 4),
				.status = rand(), .gone = wild(),
			};
		}
		interval->process = process - 4;
		interval->processes = 4;
		interval->lines = 20;
		for (k = 0; k < 20; k++, line++)
			*line = (struct recording_line){
				.process = (size_t)rand() % 5, .start = wild(), .end = wild(),
				.name = rand() % 2 ? "a" : "b", .tracked = wild(),
				.written = rand() % 8 ? (uint64_t)rand() % 9 : wild(),
				.set = { wild(), wild(), wild() },
			};
		for (k = 0; k < 30; k++, cell++)
			*cell = (struct recording_cell){
				.line = rand() % 8 ? k * 2 / 3 : (size_t)wild(), .start = wild(),
				.pages = wild(), .written = wild() % 10,
			};
	}
}

/* Whatever is in it, nothing but numbers that make no sense comes of it. */
static void wild_recordings_do_no_harm(void **state)
{
	struct recording_process *process = calloc(80, sizeof(*process));
	struct recording_line *line = calloc(400, sizeof(*line));
	struct recording_cell *cell = calloc(600, sizeof(*cell));
	unsigned int round;
	size_t i;

	(void)state;
	srand(7);
	for (round = 0; round < 300; round++) {
		const struct model_query query = {
			.columns = 1 + (size_t)rand() % 40, .rows = 1 + (size_t)rand() % 40,
			.start = 4096, .end = rand() % 2 ? 0 : 8192 + wild() / 8192 * 4096,
			.from = rand() % 4, .to = rand() % 2 ? 0 : 4 + rand() % 20,
		};
		FILE *to = fopen("/dev/null", "we");
		struct model m;

		make_wild(process, line, cell);
		assert_int_equal(model_read(&m, &fake_source, &query), 0);
		for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
			assert_int_equal(forms[i].print(to, &m), 0);
		assert_int_equal(html_print(to, &m), 0);
		model_free(&m);
		fclose(to);
	}
	free(process);
	free(line);
	free(cell);
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;
	return n;
}

/* Names are text, in whatever they are put. */
static void hostile_names_stay_text(void **state)
{
	struct recording_reader *reader;
	struct json_object *json;
	char *text = NULL, *at;
	struct model m;
	size_t size, i;
	FILE *to;

	(void)state;
	assert_int_equal(recording_to_model(recording_of(made_hostile, "hostile"), &m, 40, 24,
					    &reader), 0);
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char name[80];

		snprintf(name, sizeof(name), "hostile.%s", forms[i].name);
		assert_form(&m, forms[i].print, name);
	}
	to = open_memstream(&text, &size);
	assert_int_equal(html_print(to, &m), 0);
	fclose(to);
	/* The two that are the page's own */
	assert_int_equal(count(text, "<script"), 2);
	assert_int_equal(count(text, "</script"), 2);
	assert_int_equal(count(text, "<img"), 0);
	assert_int_equal(count(text, "<b>"), 0);
	assert_int_equal(count(text, "http://"), 0);
	assert_int_equal(count(text, "https://"), 0);
	/* The data is what it was. */
	at = strstr(text, "id=\"data\">") + strlen("id=\"data\">");
	*strstr(at, "</script>") = 0;
	json = json_tokener_parse(at);
	assert_non_null(json);
	assert_string_equal(json_object_get_string(json_object_object_get(
		json_object_object_get(json, "recording"), "what")), m.header->what);
	json_object_put(json);
	free(text);
	model_free(&m);
	recording_close(reader);
}

/* ---- the command */

static int report(const char *first, ...)
{
	char *argv[16] = { "report", (char *)first };
	int argc = 2;
	va_list words;

	va_start(words, first);
	while (argc < 15 && (argv[argc] = va_arg(words, char *)))
		argc++;
	va_end(words);
	argv[argc] = NULL;
	return report_main(argc, argv);
}

static void times_are_golden_and_streamed(void **state)
{
	char *path = recording_of(made_family, "family"), *text;
	size_t size;

	(void)state;
	assert_int_equal(report(path, "times", "-t", "2-4.1", "-o", "build/tests/unit/times.json",
				NULL), 0);
	text = content_of("build/tests/unit/times.json", &size);
	assert_golden(text, size, "family.times.json");
	free(text);
	assert_int_equal(report(path, "times", "-p", "301", "-o", "build/tests/unit/times.csv",
				NULL), 0);
	text = content_of("build/tests/unit/times.csv", &size);
	assert_golden(text, size, "family.times.csv");
	free(text);
}

static void a_failed_report_leaves_the_old_one(void **state)
{
	static const char old[] = "build/tests/unit/old.svg", no[] = "build/tests/unit/no.data";
	struct output output;
	size_t size;
	char *text;
	FILE *file;

	(void)state;
	file = fopen(old, "we");
	fputs("old", file);
	fclose(file);
	file = fopen(no, "we");
	fputs("no recording", file);
	fclose(file);
	assert_int_equal(report(no, "-o", old, NULL), 1);
	assert_int_equal(report("build/tests/unit/there-is-none", "-o", old, NULL), 1);
	assert_int_equal(output_open(&output, old), 0);
	fputs("half", output.to);
	assert_int_equal(output_close(&output, -ENOSPC), -ENOSPC);
	text = content_of(old, &size);
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(output_open(&output, old), 0);
	fputs("new", output.to);
	assert_int_equal(output_close(&output, 0), 0);
	text = content_of(old, &size);
	assert_string_equal(text, "new");
	free(text);
}

static void a_recording_is_not_replaced_by_its_report(void **state)
{
	size_t size;
	char *text;

	(void)state;
	assert_int_equal(made_hostile("build/tests/unit/self.json"), 0);
	assert_int_equal(report("build/tests/unit/self.json", "-o", "build/tests/unit/self.json",
				NULL), 1);
	text = content_of("build/tests/unit/self.json", &size);
	assert_int_equal((unsigned char)text[0] & 0xf0, 0x50);
	free(text);
}

/* Cut anywhere, there is a report, or an error. */
static void a_cut_file_is_reported_as_far_as_it_is_whole(void **state)
{
	char *path = recording_of(made_hostile, "hostile"), *text;
	static const char cut[] = "build/tests/unit/cut.data", out[] = "build/tests/unit/cut.csv";
	const int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	size_t size, n, whole = 0;
	FILE *file;

	(void)state;
	text = content_of(path, &size);
	assert_true(kept >= 0 && dup2(null, STDERR_FILENO) >= 0);
	for (n = 0; n < size; n += 3) {
		file = fopen(cut, "we");
		fwrite(text, 1, n, file);
		fclose(file);
		whole += !report(cut, "-o", out, NULL);
	}
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(null);
	assert_true(whole > 10);
	free(text);
}

/* ---- the command line */

static struct report_options o;
static char why[200];

static int parse(const char *first, ...)
{
	char *argv[16] = { "report", (char *)first };
	int argc = first ? 2 : 1;
	va_list words;

	va_start(words, first);
	while (first && argc < 15 && (argv[argc] = va_arg(words, char *)))
		argc++;
	va_end(words);
	argv[argc] = NULL;
	*why = 0;
	return report_options_parse(argc, argv, &o, why, sizeof(why));
}

static void words_are_a_file_and_a_view(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL), 0);
	assert_string_equal(o.file, "uffdwp.data");
	assert_int_equal(o.view, VIEW_SUMMARY);
	assert_int_equal(o.form, FORM_TEXT);
	assert_int_equal(parse("wss", NULL), 0);
	assert_string_equal(o.file, "uffdwp.data");
	assert_int_equal(o.view, VIEW_WSS);
	assert_int_equal(parse("./wss", NULL), 0);
	assert_string_equal(o.file, "./wss");
	assert_int_equal(parse("x.data", "times", "--json", NULL), 0);
	assert_string_equal(o.file, "x.data");
	assert_int_equal(o.view, VIEW_TIMES);
	assert_int_equal(o.form, FORM_JSON);
}

static void an_ending_is_a_form(void **state)
{
	(void)state;
	assert_int_equal(parse("-o", "a.html", NULL), 0);
	assert_int_equal(o.form, FORM_HTML);
	assert_int_equal(parse("-o", "a.png", NULL), 0);
	assert_int_equal(o.form, FORM_PNG);
	assert_int_equal(o.view, VIEW_HEATMAP);
	assert_int_equal(parse("x", "wss", "-o", "a.svg", NULL), 0);
	assert_int_equal(o.view, VIEW_WSS);
	assert_int_equal(parse("x", "wss", "-o", "a.csv", "--csv", NULL), 0);
	assert_int_equal(parse("-o", "a.gif", NULL), -EINVAL);
	assert_int_equal(parse("-o", ".svg", NULL), -EINVAL);
	assert_int_equal(parse("-o", "a.json", "--csv", NULL), -EINVAL);
	assert_int_equal(parse("--json", "--csv", NULL), -EINVAL);
	assert_int_equal(parse("x", "mappings", "-o", "a.png", NULL), -EINVAL);
	assert_int_equal(parse("x", "wss", "-o", "a.html", NULL), -EINVAL);
}

static void a_part_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(parse("-a", "1000-3000", "-t", "1:30-2:00:00.5", "-p", "7", "-r", "160x48",
			       NULL), 0);
	assert_int_equal(o.query.start, 0x1000);
	assert_int_equal(o.query.end, 0x3000);
	assert_true(o.query.from == 90 && o.query.to == 7200.5);
	assert_int_equal(o.query.pid, 7);
	assert_int_equal(o.query.columns, 160);
	assert_int_equal(o.query.rows, 48);
	assert_int_equal(parse("-t", "5-", "-r", "80", NULL), 0);
	assert_true(o.query.from == 5 && o.query.to == 0);
	assert_int_equal(o.query.columns, 80);
	assert_int_equal(o.query.rows, 0);
	assert_int_equal(parse("-t", "-5", NULL), 0);
	assert_true(o.query.from == 0 && o.query.to == 5);
}

static void mistakes_are_explained(void **state)
{
	static const char *const times[] = {
		"5", "-", "", "5-4", "1:60-", "1e3-", "0x5-", "inf-", " 1-", "1--2", "1:2:3:4-", "-0",
	};
	static const char *const resolutions[] = { "0", "x", "5x", "5x0", "x5", "99999", "5x9999",
						   "-5", "5x5x5" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_int_equal(parse("-t", times[i], NULL), -EINVAL);
	for (i = 0; i < sizeof(resolutions) / sizeof(resolutions[0]); i++)
		assert_int_equal(parse("-r", resolutions[i], NULL), -EINVAL);
	assert_int_equal(parse("-a", "5", NULL), -EINVAL);
	assert_int_equal(parse("-p", "0", NULL), -EINVAL);
	assert_int_equal(parse("x", "y", NULL), -EINVAL);
	assert_non_null(strstr(why, "no view 'y'"));
	assert_int_equal(parse("x", "wss", "z", NULL), -EINVAL);
	assert_int_equal(parse("-o", NULL), -EINVAL);
	assert_non_null(strstr(why, "needs a value"));
	assert_int_equal(parse("--nothing", NULL), -EINVAL);
	assert_non_null(strstr(why, "--nothing"));
	assert_int_equal(report("--nothing", NULL), 2);
}

/* ---- words */

static void assert_words(void (*words)(double seconds, char text[WORDS]), double seconds,
			 const char *expected)
{
	char text[WORDS];

	words(seconds, text);
	assert_string_equal(text, expected);
}

static void times_for_people(void **state)
{
	(void)state;
	assert_words(words_length, 0, "0 s");
	assert_words(words_length, 2.5, "2.5 s");
	assert_words(words_length, 5.002, "5 s");
	assert_words(words_length, 200, "3 min 20 s");
	assert_words(words_length, 3600, "1 h");
	assert_words(words_length, 90061, "25 h 1 min");
	assert_words(words_clock, 0.125, "0.125 s");
	assert_words(words_clock, 91.03, "91 s");
	assert_words(words_clock, 200, "3:20");
	assert_words(words_clock, 3723, "1:02:03");
	assert_true(words_time_step(0.02) == 0.02);
	assert_true(fabs(words_time_step(0.3) - 0.5) < 1e-9);
	assert_true(words_time_step(7) == 10);
	assert_true(words_time_step(100) == 120);
	assert_true(words_time_step(100000) == 172800);
}

static void levels_are_thresholds(void **state)
{
	(void)state;
	assert_int_equal(level_of(0), 0);
	assert_int_equal(level_of(1e-12), 1);
	assert_int_equal(level_of(0.001), 1);
	assert_int_equal(level_of(0.0011), 2);
	assert_int_equal(level_of(0.3), 6);
	assert_int_equal(level_of(1), LEVELS - 1);
	assert_int_equal(level_of(5), LEVELS - 1);
}

/* ---- files that are not finished */

#define LEFT "build/tests/unit/left"

static int status_of(const char *command)
{
	const int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What was there stays, and nothing is beside it. */
static void assert_as_it_was(void)
{
	assert_int_equal(status_of("cd " LEFT " && [ \"$(cat a.html)\" = dear ] && [ \"$(ls -A)\" = a.html ]"),
			 0);
}

/*
 * Two processes, and each name has U+06DB: the second of its bytes, 0x9b, begins a control sequence
 * on a terminal of eight bits.
 */
static int made_foreign(const char *path)
{
	struct made made;
	pid_t pid;

	made_begin(&made, path, "caf\u00e9 \u06db", 1);
	for (pid = 7; pid < 9; pid++) {
		made_process(&made, pid, "pr\u06dbc");
		made_line(&made, "/tmp/m\u06dbp", 0x10000, 16);
		made_write(&made, (uint64_t)pid);
		made_line_end(&made, 1);
	}
	made_interval(&made, 1, 1);
	return made_end(&made);
}

static int search(const char *locale, const char *path, const char *view, const char *pattern)
{
	char command[400];

	snprintf(command, sizeof(command),
		 "LC_ALL=%s build/uffdwp report %s %s | LC_ALL=C grep -q '%s'", locale, path, view,
		 pattern);
	return status_of(command);
}

static void texts_have_what_the_terminal_knows(void **state)
{
	static const char *const views[] = { "summary", "heatmap", "wss", "mappings", "times" };
	const char *path = recording_of(made_foreign, "foreign");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		assert_int_equal(search("C", path, views[i], "[^ -~]"), 1);
	assert_int_equal(search("C", path, "summary", "what      caf? ?, with"), 0);
	assert_int_equal(search("C", path, "summary", "most in /tmp/m?p at"), 0);
	assert_int_equal(search("C", path, "summary", "of process 7 (pr?c)"), 0);
	assert_int_equal(search("C.UTF-8", path, "summary", "what      caf\u00e9 \u06db, with"), 0);
	assert_int_equal(search("C.UTF-8", path, "heatmap", "^process 7 (pr\u06dbc)"), 0);
	assert_int_equal(search("C", path, "--json", "pr\u06dbc"), 0);
}

/* By the command itself, as this is seen to before it comes to a verb. */
static void a_report_has_a_limit(void **state)
{
	const char *path = recording_of(made_server, "server");
	char command[300];

	(void)state;
	assert_int_equal(status_of("rm -rf " LEFT "; mkdir " LEFT " && echo dear >" LEFT "/a.html"),
			 0);
	snprintf(command, sizeof(command),
		 "(ulimit -f 2; build/uffdwp report %s -o " LEFT "/a.html 2>build/tests/unit/said)",
		 path);
	assert_int_equal(status_of(command), 1);
	assert_int_equal(status_of("grep -q 'cannot make the report " LEFT "/a.html: File too large' build/tests/unit/said"),
			 0);
	assert_as_it_was();
}

static void what_cannot_be_printed_is_an_error(void **state)
{
	static const char *const words[] = {
		"--version", "--help", "watch --help", "top --help", "record --help",
		"report --help", "blame --help", "trap --help", "latency --help",
	};
	char command[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(command, sizeof(command), "build/uffdwp %s >/dev/full 2>&1", words[i]);
		assert_int_equal(status_of(command), 1);
		snprintf(command, sizeof(command), "build/uffdwp %s >/dev/null", words[i]);
		assert_int_equal(status_of(command), 0);
	}
}

static void assert_linked(const char *expected)
{
	size_t size;
	char *text = content_of("build/tests/unit/linked/file.svg", &size);

	assert_string_equal(text, expected);
	free(text);
	assert_int_equal(status_of("[ -L build/tests/unit/link.svg ] && [ \"$(ls -A build/tests/unit/linked)\" = file.svg ]"),
			 0);
}

/* The link stays, and what it names stays until the new file is whole. */
static void a_link_names_a_file(void **state)
{
	static const char link[] = "build/tests/unit/link.svg";
	struct output output;
	size_t size;
	char *text;

	(void)state;
	unlink(link);
	assert_int_equal(status_of("rm -rf build/tests/unit/linked; mkdir build/tests/unit/linked && printf old >build/tests/unit/linked/file.svg"),
			 0);
	assert_int_equal(symlink("linked/file.svg", link), 0);
	assert_int_equal(output_try(link), 0);
	assert_linked("old");
	assert_int_equal(output_open(&output, link), 0);
	fputs("half", output.to);
	fflush(output.to);
	text = content_of("build/tests/unit/linked/file.svg", &size);
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(output_close(&output, -ENOSPC), -ENOSPC);
	assert_linked("old");
	assert_int_equal(output_open(&output, link), 0);
	fputs("new", output.to);
	assert_int_equal(output_close(&output, 0), 0);
	assert_linked("new");
	/* One that names nothing, or itself */
	assert_int_equal(status_of("ln -sfn there-is-none build/tests/unit/link.svg"), 0);
	assert_int_equal(output_try(link), -ENOENT);
	assert_int_equal(output_open(&output, link), -ENOENT);
	assert_int_equal(status_of("ln -sfn link.svg build/tests/unit/link.svg"), 0);
	assert_int_equal(output_open(&output, link), -ELOOP);
	assert_int_equal(unlink(link), 0);
}

/* A device, a pipe, a link to one: each stays what it is. */
static void what_is_no_file_is_written_to_as_it_is(void **state)
{
	static const char link[] = "build/tests/unit/link.svg";
	struct output output;

	(void)state;
	unlink(link);
	assert_int_equal(symlink("/dev/full", link), 0);
	assert_int_equal(output_try(link), 0);
	assert_int_equal(output_open(&output, link), 0);
	fputs("much", output.to);
	assert_int_equal(output_close(&output, 0), -ENOSPC);
	assert_int_equal(status_of("[ -L build/tests/unit/link.svg ]"), 0);
	assert_int_equal(output_open(&output, "/dev/full"), 0);
	fputs("much", output.to);
	assert_int_equal(output_close(&output, 0), -ENOSPC);
	assert_int_equal(status_of("[ -c /dev/full ]"), 0);
	assert_int_equal(output_try("build/tests/unit/no-such-folder/x"), -ENOENT);
}

static void a_report_is_interrupted(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct output output;
	int status;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		pid_t pid = fork();

		if (!pid) {
			/* In the background of a shell it is ignored, and stays so. */
			signal(numbers[i], SIG_DFL);
			if (output_open(&output, LEFT "/a.html"))
				_exit(1);
			fputs("half of it", output.to);
			fflush(output.to);
			if (system("[ $(ls -A " LEFT " | wc -l) = 2 ]"))
				_exit(2);
			raise(numbers[i]);
			_exit(3);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == numbers[i]);
		assert_as_it_was();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(large_values_are_nearly_exact),
		cmocka_unit_test(a_process_id_can_be_used_again),
		cmocka_unit_test(those_not_seen_for_long_make_room),
		cmocka_unit_test(the_greater_half_is_exactly_a_half),
		cmocka_unit_test(near_ranges_of_one_name_are_one),
		cmocka_unit_test(ranges_cover_what_was_written),
		cmocka_unit_test(ranges_have_a_limit),
		cmocka_unit_test(an_axis_has_the_rows_that_were_asked_for),
		cmocka_unit_test(no_page_write_is_forgotten_with_its_mapping),
		cmocka_unit_test(a_mapping_that_grows_is_one),
		cmocka_unit_test(intervals_do_not_smear),
		cmocka_unit_test(time_that_was_not_recorded_is_not_quiet),
		cmocka_unit_test(intervals_follow_one_another),
		cmocka_unit_test(namesakes_have_a_limit),
		cmocka_unit_test(a_large_cell_is_spread_over_its_rows),
		cmocka_unit_test(what_makes_no_sense_is_left_out),
		cmocka_unit_test(how_a_file_ends_is_a_note),
		cmocka_unit_test(a_file_that_grows_is_read_as_it_was),
		cmocka_unit_test(each_form_is_golden),
		cmocka_unit_test(nothing_recorded_is_said_in_each_form),
		cmocka_unit_test(wild_recordings_do_no_harm),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(times_are_golden_and_streamed),
		cmocka_unit_test(a_failed_report_leaves_the_old_one),
		cmocka_unit_test(a_link_names_a_file),
		cmocka_unit_test(what_is_no_file_is_written_to_as_it_is),
		cmocka_unit_test(a_recording_is_not_replaced_by_its_report),
		cmocka_unit_test(words_are_a_file_and_a_view),
		cmocka_unit_test(an_ending_is_a_form),
		cmocka_unit_test(a_part_is_asked_for),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(times_for_people),
		cmocka_unit_test(levels_are_thresholds),
		cmocka_unit_test(a_cut_file_is_reported_as_far_as_it_is_whole),
		cmocka_unit_test(texts_have_what_the_terminal_knows),
		cmocka_unit_test(a_report_has_a_limit),
		cmocka_unit_test(what_cannot_be_printed_is_an_error),
		cmocka_unit_test(a_report_is_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
