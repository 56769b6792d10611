// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of recordings: what goes in comes out, whatever becomes of the file.
 */
#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <zstd.h>

#include "recording/format.h"

#define PAGE 4096ull
#define HEAP 0x55d0c0000000ull
#define STACK 0x7ffd00000000ull

static char folder[] = "/tmp/test_recording.XXXXXX";
static char path[64];
static char why[160];
static unsigned char file[1 << 20];
static size_t file_bytes;

static const struct recording_header header = {
	.began = 1700000000123456789, .interval = 0.25, .most_cells = 16, .children = true,
	.tool = "uffdwp 0.1.0", .host = "here", .kernel = "6.1.0", .what = "redis-server *:6379",
};

/* An interval with all that one can have. */
static struct recording_process processes[] = {
	{ .pid = 42, .name = "redis-server", .gone = 7 },
	{ .pid = 4000000, .name = "child", .ended = true, .status = 3 << 8, .presumed = 9 },
	{ .pid = 43, .name = "child", .ended = true, .status = SIGKILL },
};

static struct recording_line lines[] = {
	{ .process = 0, .start = HEAP, .end = HEAP + 64 * PAGE, .name = "[heap]", .tracked = 64,
	  .written = 11, .set = { 11, 30, 60 } },
	{ .process = 0, .start = STACK, .end = STACK + 8 * PAGE, .name = "[stack]", .tracked = 7,
	  .written = 3, .added = 2, .set = { 3, 3, 8 } },
	{ .process = 2, .start = HEAP, .end = HEAP + 64 * PAGE, .name = "[heap]", .tracked = 64,
	  .written = 0, .set = { 0, 0, 5 } },
};

static struct recording_cell cells[] = {
	{ .line = 0, .start = HEAP + 4 * PAGE, .pages = 4, .written = 2 },
	{ .line = 0, .start = HEAP + 8 * PAGE, .pages = 4, .written = 4 },
	{ .line = 0, .start = HEAP + 40 * PAGE, .pages = 4, .written = 4 },
	{ .line = 0, .start = HEAP + 60 * PAGE, .pages = 4, .written = 1 },
	{ .line = 1, .start = STACK, .pages = 1, .written = 1 },
	{ .line = 1, .start = STACK + 6 * PAGE, .pages = 1, .written = 1 },
	{ .line = 1, .start = STACK + 7 * PAGE, .pages = 1, .written = 1 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct recording_interval full = {
	.time = 0.25, .length = 0.25, .lost = true, .not_followed = 2, .skipped_bytes = 5 << 20,
	.process = processes, .processes = COUNT(processes),
	.line = lines, .lines = COUNT(lines),
	.cell = cells, .cells = COUNT(cells),
};

static const struct recording_interval empty = { .time = 1.5, .length = 1.125 };

static void assert_lines_equal(const struct recording_line *a, const struct recording_line *b)
{
	assert_int_equal(a->process, b->process);
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->end, b->end);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->tracked, b->tracked);
	assert_int_equal(a->written, b->written);
	assert_int_equal(a->added, b->added);
	assert_memory_equal(a->set, b->set, sizeof(a->set));
}

static void assert_intervals_equal(const struct recording_interval *a,
				   const struct recording_interval *b)
{
	size_t i;

	assert_true(a->time == b->time);
	assert_true(a->length == b->length);
	assert_int_equal(a->lost, b->lost);
	assert_int_equal(a->not_followed, b->not_followed);
	assert_int_equal(a->skipped_bytes, b->skipped_bytes);
	assert_int_equal(a->processes, b->processes);
	for (i = 0; i < b->processes; i++) {
		assert_int_equal(a->process[i].pid, b->process[i].pid);
		assert_string_equal(a->process[i].name, b->process[i].name);
		assert_int_equal(a->process[i].ended, b->process[i].ended);
		assert_int_equal(a->process[i].status, b->process[i].status);
		assert_int_equal(a->process[i].gone, b->process[i].gone);
		assert_int_equal(a->process[i].presumed, b->process[i].presumed);
	}
	assert_int_equal(a->lines, b->lines);
	for (i = 0; i < b->lines; i++)
		assert_lines_equal(&a->line[i], &b->line[i]);
	assert_int_equal(a->cells, b->cells);
	if (b->cells)
		assert_memory_equal(a->cell, b->cell, b->cells * sizeof(*b->cell));
}

/* full, empty, full later */
static void write_three(void)
{
	struct recording_interval later = full;
	struct recording_writer *writer;

	later.time = 1.75;
	assert_int_equal(recording_create(path, &header, &writer), 0);
	assert_int_equal(recording_write(writer, &full), 0);
	assert_int_equal(recording_write(writer, &empty), 0);
	assert_int_equal(recording_write(writer, &later), 0);
	assert_int_equal(recording_finish(writer), 0);
}

static void load(void)
{
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	file_bytes = read(fd, file, sizeof(file));
	assert_in_range(file_bytes, 1, sizeof(file) - 1);
	close(fd);
}

static void store(const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	close(fd);
}

static size_t names_in_folder(void)
{
	char command[80];
	FILE *pipe;
	size_t n = 0;

	snprintf(command, sizeof(command), "ls -A %s", folder);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fscanf(pipe, "%*s") != EOF)
		n++;
	pclose(pipe);
	return n;
}

static void what_goes_in_comes_out(void **state)
{
	struct recording_interval interval, later = full;
	struct recording_reader *reader;
	const struct recording_header *got;
	int round;

	(void)state;
	later.time = 1.75;
	write_three();
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), 0);
	got = recording_header(reader);
	assert_int_equal(got->version, 1);
	assert_int_equal(got->began, header.began);
	assert_true(got->interval == 0.25);
	assert_int_equal(got->most_cells, 16);
	assert_true(got->children);
	assert_string_equal(got->tool, header.tool);
	assert_string_equal(got->host, header.host);
	assert_string_equal(got->kernel, header.kernel);
	assert_string_equal(got->what, header.what);
	for (round = 0; round < 3; round++) {
		assert_int_equal(recording_next(reader, &interval), 1);
		assert_intervals_equal(&interval, &full);
		assert_int_equal(recording_next(reader, &interval), 1);
		assert_intervals_equal(&interval, &empty);
		if (round != 1) {
			assert_int_equal(recording_next(reader, &interval), 1);
			assert_intervals_equal(&interval, &later);
			assert_int_equal(recording_next(reader, &interval), 0);
		}
		assert_int_equal(recording_rewind(reader), 0);
	}
	recording_close(reader);
}

static void numbers_of_any_size(void **state)
{
	static const uint64_t number[] = { 0, 1, 127, 128, 16383, 16384, INT64_MAX,
					   1ull << 63, UINT64_MAX };
	static const unsigned char too_long[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
						  0x80, 2 };
	struct bytes bytes = { 0 };
	struct bytes_in in;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(number); i++) {
		bytes_put_number(&bytes, number[i]);
		bytes_put_signed(&bytes, (int64_t)number[i]);
	}
	in = (struct bytes_in){ .at = bytes.data, .end = bytes.data + bytes.n };
	for (i = 0; i < COUNT(number); i++) {
		assert_int_equal(bytes_take_number(&in), number[i]);
		assert_int_equal(bytes_take_signed(&in), (int64_t)number[i]);
	}
	assert_false(in.bad);
	assert_int_equal(bytes_take_number(&in), 0);
	assert_true(in.bad);
	bytes_free(&bytes);
	in = (struct bytes_in){ .at = too_long, .end = too_long + sizeof(too_long) };
	bytes_take_number(&in);
	assert_true(in.bad);
}

/* By the rules of uffdwp.data(5). */
static const unsigned char content_of_header[] = {
	1,					/* a header */
	0xaa, 0xb4, 0xae, 0xd8, 0xc7, 0xbf, 0xce, 0x97, 0x2f, /* began, folded */
	0x80, 0xe5, 0x9a, 0x77,			/* interval, nanoseconds */
	16, 1,
	12, 'u', 'f', 'f', 'd', 'w', 'p', ' ', '0', '.', '1', '.', '0',
	4, 'h', 'e', 'r', 'e',
	5, '6', '.', '1', '.', '0',
	19, 'r', 'e', 'd', 'i', 's', '-', 's', 'e', 'r', 'v', 'e', 'r', ' ', '*', ':', '6', '3',
	'7', '9',
};

static const unsigned char content_of_first[] = {
	2, 1,					/* an interval, events were lost */
	0x90, 0xa1, 0x0f, 0,			/* 250000 us long, right after 0 */
	2,					/* not followed */
	0x80, 0x80, 0x80, 0x05,			/* 5 MiB skipped, folded */
	4,					/* new names */
	12, 'r', 'e', 'd', 'i', 's', '-', 's', 'e', 'r', 'v', 'e', 'r',
	5, 'c', 'h', 'i', 'l', 'd',
	6, '[', 'h', 'e', 'a', 'p', ']',
	7, '[', 's', 't', 'a', 'c', 'k', ']',
	2,					/* new places */
	0x80, 0x80, 0xe0, 0xd0, 0xab, 0x01, 64, 2, 0,
	0x80, 0xff, 0x9f, 0xac, 0x54, 8, 3, 2,
	3,					/* processes: pid, name, end, gone, presumed */
	84, 0, 0, 7, 0,
	0xac, 0xa3, 0xe8, 0x03, 1, 0x81, 0x06, 0, 9,
	0xa9, 0xa3, 0xe8, 0x03, 1, 10, 0, 0,
	3,					/* lines */
	0, 0, 2,				/* their processes */
	0, 0, 3,				/* their places */
	11, 3, 0,				/* written */
	0, 2, 0,				/* added */
	0, 0, 0,				/* sets: 1 second */
	38, 0, 0,				/* 10 seconds more */
	60, 10, 10,				/* 60 seconds more */
	3, 2, 1, 1, 6, 0, 3, 0,			/* cells of 4 pages: 1-2, 10, 15 */
	2, 0, 0, 0, 4, 1,			/* of one page: 0, 6-7 */
	0,					/* none */
	1, 3, 3, 0,				/* pages in cells of more than one, less 1 */
};

/* The example there */
static const unsigned char content_of_manual[] = {
	2, 0, 0xc0, 0x84, 0x3d, 0, 0, 0, 2, 2, 's', 'h', 6, '[', 'h', 'e', 'a', 'p', ']',
	1, 0x80, 0x80, 8, 0x40, 1, 0, 1, 0x54, 0, 0, 0, 0, 1, 0, 0, 9, 0, 0, 0, 0,
	2, 2, 1, 1, 11, 0, 3, 3, 0,
};

static size_t assert_frame(size_t at, const unsigned char *content, size_t n)
{
	unsigned char got[1024];
	size_t frame = ZSTD_findFrameCompressedSize(file + at, file_bytes - at);

	assert_false(ZSTD_isError(frame));
	assert_int_equal(ZSTD_decompress(got, sizeof(got), file + at, frame), n);
	assert_memory_equal(got, content, n);
	/* A frame that says how much is in it, with a checksum */
	assert_int_equal(ZSTD_getFrameContentSize(file + at, frame), n);
	assert_true(file[at + 4] & 4);
	return at + frame;
}

static void the_format_stays(void **state)
{
	static const unsigned char head[] = {
		0x50, 0x2a, 0x4d, 0x18, 12, 0, 0, 0,
		'u', 'f', 'f', 'd', 'w', 'p', 'r', 'c', 1, 0, 0, 0,
	};
	size_t at;

	(void)state;
	write_three();
	load();
	assert_memory_equal(file, head, sizeof(head));
	at = assert_frame(sizeof(head), content_of_header, sizeof(content_of_header));
	assert_frame(at, content_of_first, sizeof(content_of_first));
}

/* Cut anywhere, it can be read up to the last whole frame. */
static void a_file_that_was_cut(void **state)
{
	struct recording_interval interval;
	struct recording_reader *reader;
	size_t ends[5], n_ends = 0, at = 0, cut, whole, i;

	(void)state;
	write_three();
	load();
	while (at < file_bytes) {
		at += ZSTD_findFrameCompressedSize(file + at, file_bytes - at);
		ends[n_ends++] = at;
	}
	assert_int_equal(n_ends, 5);
	for (cut = 0; cut < file_bytes; cut++) {
		store(file, cut);
		for (whole = 0; ends[whole] <= cut; whole++)
			;
		if (whole < 2) {
			assert_int_equal(recording_open(path, &reader, why, sizeof(why)), -EPROTO);
			assert_string_equal(why, cut < 16 ? "it is no recording of uffdwp" :
					    "it ends in the middle of its header");
			continue;
		}
		assert_int_equal(recording_open(path, &reader, why, sizeof(why)), 0);
		for (i = 2; i < whole; i++)
			assert_int_equal(recording_next(reader, &interval), 1);
		assert_int_equal(recording_next(reader, &interval),
				 ends[whole - 1] == cut ? 0 : -EPIPE);
		recording_close(reader);
	}
}

static void assert_refused(const void *data, size_t n, const char *expected)
{
	struct recording_reader *reader;

	store(data, n);
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), -EPROTO);
	assert_null(reader);
	assert_string_equal(why, expected);
}

static void what_is_no_recording(void **state)
{
	struct recording_reader *reader;

	(void)state;
	assert_refused("", 0, "it is no recording of uffdwp");
	assert_refused("PERFILE2 and more than twenty bytes", 35, "it is no recording of uffdwp");
	write_three();
	load();
	file[16] = 2;
	assert_refused(file, file_bytes,
		       "it has version 2 of the format, and this program reads version 1");
	file[16] = 1;
	file[30] ^= 1;
	assert_refused(file, file_bytes, "its header is damaged");
	unlink(path);
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), -ENOENT);
	assert_int_equal(recording_open(folder, &reader, why, sizeof(why)), -EISDIR);
	assert_string_equal(why, "Is a directory");
}

static void a_damaged_interval(void **state)
{
	struct recording_interval interval;
	struct recording_reader *reader;
	size_t at;

	(void)state;
	write_three();
	load();
	at = file_bytes - ZSTD_findFrameCompressedSize(file, file_bytes);
	file[at] ^= 0x10;
	store(file, file_bytes);
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), 0);
	assert_int_equal(recording_next(reader, &interval), 1);
	assert_int_equal(recording_next(reader, &interval), 1);
	assert_int_equal(recording_next(reader, &interval), -EPROTO);
	assert_int_equal(recording_next(reader, &interval), -EPROTO);
	recording_close(reader);
}

/* ---- hostile files */

static size_t add_frame(size_t at, const void *content, size_t n)
{
	const size_t frame = ZSTD_compress(file + at, sizeof(file) - at, content, n, 1);

	assert_false(ZSTD_isError(frame));
	return at + frame;
}

/* Reads all of a file; all that there is in it makes sense. Returns the last code. */
static int read_sense(void)
{
	struct recording_interval in;
	struct recording_reader *reader;
	size_t i;
	int ret = recording_open(path, &reader, why, sizeof(why));

	if (ret)
		return ret;
	while ((ret = recording_next(reader, &in)) == 1) {
		for (i = 0; i < in.lines; i++) {
			const struct recording_line *line = &in.line[i];

			assert_true(line->process < in.processes && line->start < line->end);
			assert_true(line->written <= (line->end - line->start) / PAGE);
			assert_in_range(strlen(line->name), 0, 63);
		}
		for (i = 0; i < in.cells; i++) {
			const struct recording_cell *cell = &in.cell[i];
			const uint64_t size = cell->pages * PAGE;

			assert_true(cell->line < in.lines && !(cell->start % size));
			assert_true(cell->start < in.line[cell->line].end);
			assert_true(cell->start + size > in.line[cell->line].start);
			assert_in_range(cell->written, 1, cell->pages);
			assert_true(!i || cell->line > cell[-1].line ||
				    cell->start >= cell[-1].start + size);
		}
	}
	recording_close(reader);
	return ret;
}

/* The checksum keeps damage out, so hostile bytes are in frames that are whole. */
static int read_content(const unsigned char *content, size_t n)
{
	size_t at = RECORDING_HEAD_BYTES;

	at = add_frame(at, content_of_header, sizeof(content_of_header));
	at = add_frame(at, content, n);
	store(file, at);
	return read_sense();
}

static void the_example_in_the_manual(void **state)
{
	struct recording_interval in;
	struct recording_reader *reader;

	(void)state;
	write_three();
	load();
	assert_int_equal(read_content(content_of_manual, sizeof(content_of_manual)), 0);
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), 0);
	assert_int_equal(recording_next(reader, &in), 1);
	assert_true(in.time == 1 && in.length == 1);
	assert_int_equal(in.processes, 1);
	assert_int_equal(in.process[0].pid, 42);
	assert_int_equal(in.lines, 1);
	assert_string_equal(in.line[0].name, "[heap]");
	assert_int_equal(in.line[0].start, 0x10000000);
	assert_int_equal(in.line[0].end, 0x10040000);
	assert_int_equal(in.line[0].written, 9);
	assert_int_equal(in.line[0].set[2], 9);
	assert_int_equal(in.cells, 3);
	assert_int_equal(in.cell[0].start, 0x10004000);
	assert_int_equal(in.cell[2].start, 0x1003c000);
	assert_int_equal(in.cell[2].written, 1);
	recording_close(reader);
}

static void mutate(unsigned char *content, size_t *n, size_t room)
{
	static const unsigned char odd[] = { 0, 1, 0x7f, 0x80, 0xff };
	size_t times = 1 + random() % 4, i, at;

	for (i = 0; i < times; i++) {
		at = random() % *n;
		switch (random() % 5) {
		case 0:
			content[at] ^= 1 << random() % 8;
			break;
		case 1:
			content[at] = odd[random() % sizeof(odd)];
			break;
		case 2:
			content[at] += random() % 2 ? 1 : -1;
			break;
		case 3:		/* a byte more */
			if (*n < room) {
				memmove(content + at + 1, content + at, *n - at);
				(*n)++;
			}
			break;
		default:	/* or less */
			if (*n > 1) {
				memmove(content + at, content + at + 1, *n - at - 1);
				(*n)--;
			}
		}
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void content_that_somebody_has_made_up(void **state)
{
	const double until = now() + (getenv("FUZZ_SECONDS") ? atof(getenv("FUZZ_SECONDS")) : 1);
	const unsigned int seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 10) :
				  (unsigned long)time(NULL);
	unsigned char content[sizeof(content_of_first) + 64];
	uint64_t taken = 0, refused = 0;
	size_t n;
	int ret;

	(void)state;
	print_message("SEED=%u\n", seed);
	srandom(seed);
	write_three();
	load();
	assert_int_equal(read_content(content_of_first, sizeof(content_of_first)), 0);
	while (now() < until) {
		memcpy(content, content_of_first, sizeof(content_of_first));
		n = sizeof(content_of_first);
		mutate(content, &n, sizeof(content));
		ret = read_content(content, n);
		assert_true(!ret || ret == -EPROTO);
		taken += !ret;
		refused += !!ret;
	}
	/* Some changes make another interval, and most make none. */
	assert_true(taken && refused);
}

static void bytes_that_somebody_has_changed(void **state)
{
	static unsigned char good[1 << 12], bad[1 << 13];
	const double until = now() + (getenv("FUZZ_SECONDS") ? atof(getenv("FUZZ_SECONDS")) : 1);
	size_t n;
	int ret;

	(void)state;
	write_three();
	load();
	assert_in_range(file_bytes, 1, sizeof(good));
	memcpy(good, file, file_bytes);
	while (now() < until) {
		memcpy(bad, good, file_bytes);
		n = file_bytes;
		mutate(bad, &n, sizeof(bad));
		store(bad, n);
		ret = read_sense();
		assert_true(!ret || ret == -EPROTO || ret == -EPIPE);
	}
}

static void a_frame_with_more_in_it_than_memory(void **state)
{
	const size_t huge = 64 << 20;
	unsigned char *zeroes = calloc(1, huge), *frame;
	size_t at, n;

	(void)state;
	write_three();
	load();
	at = add_frame(RECORDING_HEAD_BYTES, content_of_header, sizeof(content_of_header));
	n = ZSTD_compressBound(huge);
	frame = malloc(n);
	assert_true(zeroes && frame);
	n = ZSTD_compress(frame, n, zeroes, huge, 1);
	assert_false(ZSTD_isError(n));
	assert_in_range(n, 1, sizeof(file) - at);
	memcpy(file + at, frame, n);
	store(file, at + n);
	assert_int_equal(read_sense(), -EPROTO);
	free(zeroes);
	free(frame);
}

static void text_that_a_terminal_would_obey(void **state)
{
	unsigned char content[sizeof(content_of_first)];
	struct recording_interval interval;
	struct recording_reader *reader;
	unsigned char *name;

	(void)state;
	memcpy(content, content_of_first, sizeof(content));
	name = memmem(content, sizeof(content), "[stack]", 7);
	assert_non_null(name);
	memcpy(name, "\033[2Jabc", 7);
	write_three();
	load();
	assert_int_equal(read_content(content, sizeof(content)), 0);
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), 0);
	assert_int_equal(recording_next(reader, &interval), 1);
	assert_string_equal(interval.line[1].name, "\\033[2Jabc");
	recording_close(reader);
}

/* ---- large ones */

/* As much as an interval can have; then one that needs empty tables. */
static void as_much_as_there_can_be(void **state)
{
	struct recording_line *all = calloc(RECORDING_MOST_LINES, sizeof(*all));
	struct recording_cell *many = calloc(RECORDING_MOST_CELLS, sizeof(*many));
	char (*names)[16] = calloc(RECORDING_MOST_LINES, sizeof(*names));
	struct recording_interval interval, in = {
		.time = 1, .length = 1, .process = processes, .processes = 1,
		.line = all, .lines = RECORDING_MOST_LINES,
		.cell = many, .cells = RECORDING_MOST_CELLS,
	};
	struct recording_writer *writer;
	struct recording_reader *reader;
	size_t i, round;

	(void)state;
	assert_true(all && many && names);
	assert_int_equal(recording_create(path, &header, &writer), 0);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < RECORDING_MOST_LINES; i++) {
			snprintf(names[i], sizeof(names[i]), "%zu.%zu", round, i);
			all[i].name = names[i];
			all[i].start = (i * 20 + round) * PAGE;
			all[i].end = all[i].start + 16 * PAGE;
			all[i].written = all[i].tracked = 16;
		}
		for (i = 0; i < RECORDING_MOST_CELLS; i++) {
			many[i].line = i / 8;
			many[i].start = all[i / 8].start + i % 8 * 2 * PAGE;
			many[i].pages = 1;
			many[i].written = 1;
		}
		assert_int_equal(recording_write(writer, &in), 0);
	}
	assert_int_equal(recording_finish(writer), 0);
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), 0);
	for (round = 0; round < 4; round++)
		assert_int_equal(recording_next(reader, &interval), 1);
	in.time = 4;
	interval.time = 4;
	assert_intervals_equal(&interval, &in);
	assert_int_equal(recording_next(reader, &interval), 0);
	recording_close(reader);

	assert_int_equal(recording_create(path, &header, &writer), 0);
	in.lines++;
	assert_int_equal(recording_write(writer, &in), -E2BIG);
	assert_int_equal(recording_finish(writer), -E2BIG);
	free(all);
	free(many);
	free(names);
}

static void what_no_reader_would_take(void **state)
{
	struct recording_interval wrong = full;
	struct recording_line line = lines[0];
	struct recording_writer *writer;

	(void)state;
	line.written = 65;
	wrong.line = &line;
	wrong.lines = 1;
	wrong.cells = 0;
	assert_int_equal(recording_create(path, &header, &writer), 0);
	assert_int_equal(recording_write(writer, &full), 0);
	assert_int_equal(recording_write(writer, &wrong), -EINVAL);
	assert_int_equal(recording_finish(writer), -EINVAL);
	assert_int_equal(read_sense(), 0);
}

/* ---- the file */

static void nobody_else_may_read_it(void **state)
{
	const mode_t umasks[] = { 0, 022, 0777 };
	struct stat st;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(umasks); i++) {
		unlink(path);
		umask(umasks[i]);
		write_three();
		umask(022);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void a_recording_that_comes_to_nothing_replaces_nothing(void **state)
{
	struct recording_writer *writer;

	(void)state;
	store("dear to me", 10);
	assert_int_equal(recording_create(path, &header, &writer), 0);
	assert_int_equal(recording_finish(writer), 0);
	load();
	assert_int_equal(file_bytes, 10);
	assert_memory_equal(file, "dear to me", 10);
	assert_int_equal(names_in_folder(), 1);
	unlink(path);
	assert_int_equal(recording_create(path, &header, &writer), 0);
	assert_int_equal(recording_finish(writer), 0);
	assert_int_equal(names_in_folder(), 0);
}

static void only_a_file_is_replaced(void **state)
{
	struct recording_writer *writer;
	char other[80];

	(void)state;
	unlink(path);
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(recording_create(path, &header, &writer), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(recording_create(path, &header, &writer), -EOPNOTSUPP);
	unlink(path);
	assert_int_equal(recording_create(folder, &header, &writer), -EISDIR);
	snprintf(other, sizeof(other), "%s/none/file", folder);
	assert_int_equal(recording_create(other, &header, &writer), -ENOENT);
	assert_int_equal(names_in_folder(), 0);
}

static void nothing(int number)
{
	(void)number;
}

/* A frame that does not fit is not there at all. */
static void a_file_that_may_not_grow(void **state)
{
	const struct rlimit most = { 0, RLIM_INFINITY }, any = { RLIM_INFINITY, RLIM_INFINITY };
	struct recording_interval interval, later = full;
	struct recording_writer *writer;
	struct recording_reader *reader;
	struct rlimit limit = most;
	uint64_t size;

	(void)state;
	later.time = 1.75;
	signal(SIGXFSZ, nothing);
	assert_int_equal(recording_create(path, &header, &writer), 0);
	assert_int_equal(recording_write(writer, &full), 0);
	size = recording_size(writer);
	limit.rlim_cur = size + 10;
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(recording_write(writer, &later), -EFBIG);
	assert_int_equal(recording_write(writer, &later), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &any);
	assert_int_equal(recording_size(writer), size);
	assert_int_equal(recording_finish(writer), -EFBIG);
	load();
	assert_int_equal(file_bytes, size);
	assert_int_equal(recording_open(path, &reader, why, sizeof(why)), 0);
	assert_int_equal(recording_next(reader, &interval), 1);
	assert_int_equal(recording_next(reader, &interval), 0);
	recording_close(reader);
}

/* ---- how large it becomes */

/*
 * A day of a server with 512 MiB, of which each second 2000 pages somewhere and some that are
 * always the same are written: tens of megabytes.
 */
static void a_day_takes_tens_of_megabytes(void **state)
{
	enum { CELLS = 512, PAGES = 131072, SECONDS = 200 };
	static struct recording_cell cell[CELLS + 40];
	struct recording_line line[] = {
		{ .start = HEAP, .end = HEAP + 40 * PAGE, .name = "[heap]", .tracked = 40 },
		{ .start = 0x7f0000000000, .end = 0x7f0000000000 + PAGES * PAGE, .name = "anon",
		  .tracked = PAGES },
		{ .start = STACK, .end = STACK + 33 * PAGE, .name = "[stack]", .tracked = 33 },
	};
	static unsigned char written[PAGES];
	struct recording_process process = { .pid = 1234, .name = "redis-server" };
	struct recording_interval in = { .length = 1, .process = &process, .processes = 1,
					 .line = line, .lines = 3, .cell = cell };
	struct recording_writer *writer;
	uint64_t first = 0, a_day;
	size_t i, second;

	(void)state;
	srandom(1);
	assert_int_equal(recording_create(path, &header, &writer), 0);
	for (second = 0; second < SECONDS; second++) {
		in.time = second + 1.000123 + random() % 100 / 1e6;
		in.length = 1 + random() % 100 / 1e6;
		in.cells = 0;
		memset(written, 0, sizeof(written));
		for (i = 0; i < 2000; i++)
			written[random() % PAGES] = 1;
		line[0].written = 20 + random() % 5;
		for (i = 0; i < line[0].written; i++)
			cell[in.cells++] = (struct recording_cell){
				.start = HEAP + i * PAGE, .pages = 1, .written = 1 };
		line[1].written = 0;
		for (i = 0; i < PAGES; i++) {
			struct recording_cell *last = &cell[in.cells - 1];
			const uint64_t start = line[1].start + (i & ~255ul) * PAGE;

			if (!written[i])
				continue;
			line[1].written++;
			if (last->line != 1 || last->start != start)
				cell[in.cells++] = (struct recording_cell){
					.line = 1, .start = start, .pages = 256, .written = 1 };
			else
				last->written++;
		}
		line[2].written = 2;
		for (i = 30; i < 32; i++)
			cell[in.cells++] = (struct recording_cell){ .line = 2, .pages = 1,
				.start = STACK + i * PAGE, .written = 1 };
		for (i = 0; i < 3; i++) {
			line[i].set[0] = line[i].written;
			line[i].set[1] = line[i].written + (i == 1 ? 17000 + random() % 300 : 3);
			line[i].set[2] = line[i].set[1] + (i == 1 ? 60000 + random() % 500 : 2);
		}
		if (!second)
			first = recording_size(writer);
		assert_int_equal(recording_write(writer, &in), 0);
	}
	a_day = (recording_size(writer) - first) * 86400 / SECONDS;
	print_message("%" PRIu64 " bytes an interval, %.1f MB a day\n", a_day / 86400, a_day / 1e6);
	assert_in_range(a_day, 10000000, 40000000);
	assert_int_equal(recording_finish(writer), 0);
	assert_int_equal(read_sense(), 0);
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/data", folder);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

#define UNIT(name) cmocka_unit_test_teardown(name, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(numbers_of_any_size),
		UNIT(what_goes_in_comes_out),
		UNIT(the_format_stays),
		UNIT(a_file_that_was_cut),
		UNIT(what_is_no_recording),
		UNIT(a_damaged_interval),
		UNIT(the_example_in_the_manual),
		UNIT(content_that_somebody_has_made_up),
		UNIT(bytes_that_somebody_has_changed),
		UNIT(a_frame_with_more_in_it_than_memory),
		UNIT(text_that_a_terminal_would_obey),
		UNIT(as_much_as_there_can_be),
		UNIT(what_no_reader_would_take),
		UNIT(nobody_else_may_read_it),
		UNIT(a_recording_that_comes_to_nothing_replaces_nothing),
		UNIT(only_a_file_is_replaced),
		UNIT(a_file_that_may_not_grow),
		UNIT(a_day_takes_tens_of_megabytes),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
