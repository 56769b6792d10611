// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp record: its command line, and what reports become in a recording.
 */
#include "unit.h"

#include <sys/wait.h>

#include "record/intervals.h"
#include "record/options.h"
#include "record/progress.h"

#define PAGE 4096ull
#define BASE 0x7f0000000000ull

static struct record_options o;
static char why[160];

/* Words, ended by NULL, after "record". */
static int parse(const char *first, ...)
{
	char *argv[24] = { "record", (char *)first };
	int argc = first ? 2 : 1;
	va_list words;

	va_start(words, first);
	while (first && argc < 23 && (argv[argc] = va_arg(words, char *)))
		argc++;
	va_end(words);
	argv[argc] = NULL;
	*why = 0;
	return record_options_parse(argc, argv, &o, why, sizeof(why));
}

static void what_is_not_said(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "42", NULL), 0);
	assert_int_equal(o.what.pid, 42);
	assert_string_equal(o.output, "uffdwp.data");
	assert_true(o.interval == 1);
	assert_true(o.duration == 0);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.most_cells, 512);
	assert_false(o.what.children);
	assert_false(o.quiet);
}

static void everything(void **state)
{
	(void)state;
	assert_int_equal(parse("-c", "-o", "file", "-i", "0.5", "-n", "7", "-d", "1.5", "-r",
			       "1000-3000", "-m", "heap", "--cells", "100", "-q", "--", "sh", "-c",
			       "true", NULL), 0);
	assert_true(o.what.children);
	assert_string_equal(o.output, "file");
	assert_true(o.interval == 0.5);
	assert_int_equal(o.count, 7);
	assert_true(o.duration == 1.5);
	assert_int_equal(o.what.start, 0x1000);
	assert_int_equal(o.what.end, 0x3000);
	assert_string_equal(o.what.name, "heap");
	assert_int_equal(o.most_cells, 100);
	assert_true(o.quiet);
	assert_string_equal(o.what.command[1], "-c");
	assert_int_equal(parse("-p", "1", "-d", "604800", NULL), 0);
	assert_true(o.duration == 604800);
	assert_true(o.interval == 1);
	/* It does not take longer than it was told to. */
	assert_int_equal(parse("-p", "1", "-d", "5", "-i", "60", NULL), 0);
	assert_true(o.interval == 5);
}

static void a_cgroup(void **state)
{
	(void)state;
	assert_int_equal(parse("--cgroup=a/b", "-d", "3", "-m", "heap", NULL), 0);
	assert_string_equal(o.cgroup, "a/b");
	assert_string_equal(o.what.name, "heap");
	assert_int_equal(o.what.pid, 0);
}

static void assert_wrong(int err, const char *expected)
{
	assert_int_equal(err, -EINVAL);
	assert_string_equal(why, expected);
}

static void mistakes(void **state)
{
	(void)state;
	assert_wrong(parse(NULL),
		     "what shall be recorded? Give a process (-p PID), a cgroup (--cgroup PATH) or a command");
	assert_wrong(parse("-p", "1", "true", NULL),
		     "give one of a process (-p), a command and a cgroup");
	assert_wrong(parse("--cgroup", "a", "-p", "1", NULL),
		     "give one of a process (-p), a command and a cgroup");
	assert_wrong(parse("--cgroup", "a", "true", NULL),
		     "give one of a process (-p), a command and a cgroup");
	assert_wrong(parse("--cgroup", "", NULL), "the name of the cgroup is empty");
	assert_wrong(parse("--cgroup", "a", "-c", NULL),
		     "without -c: children in the cgroup are recorded anyhow");
	assert_wrong(parse("-p", "x", NULL), "'x' is no process id");
	assert_wrong(parse("-o", "-", NULL), "a recording needs a file: '-' is none");
	assert_wrong(parse("-o", "", NULL), "a recording needs a file: '' is none");
	assert_wrong(parse("-i", "0", NULL), "'0' is no interval: 0.001 to 86400 seconds");
	assert_wrong(parse("-d", "-1", NULL), "'-1' is no duration: 0.001 seconds or more");
	assert_wrong(parse("-n", "0", NULL), "'0' is no count: 1 or more");
	assert_wrong(parse("--cells", "0", NULL), "'0' is no number of cells: 1 to 65536");
	assert_wrong(parse("-r", "1", NULL),
		     "'1' is no range: write it as 7f0000000000-7f0000200000");
	assert_wrong(parse("-o", NULL), "option '-o' needs a value");
	assert_wrong(parse("--color", NULL), "there is no option '--color'");
	assert_int_equal(parse("-h", NULL), 0);
	assert_true(o.help);
}

/* ---- reports and intervals */

static struct report report;
static struct intervals in;

static void new_report(void)
{
	report_clear(&report);
	report.wants_regions = true;
	report.interval = 1;
}

static void add_process(pid_t pid)
{
	struct report_process process = { .pid = pid, .name = "name" };

	assert_int_equal(report_add_process(&report, &process), 0);
}

/* A mapping of the last process, and what was written in it, as a look adds them. */
static void add_mapping(const char *name, uint64_t start, uint64_t pages, ...)
{
	struct report_line line = {
		.process = report.processes - 1, .start = BASE + start * PAGE,
		.end = BASE + (start + pages) * PAGE, .name = name, .tracked = pages,
	};
	unsigned int first, n;
	va_list parts;

	va_start(parts, pages);
	while ((n = va_arg(parts, unsigned int))) {
		first = va_arg(parts, unsigned int);
		assert_int_equal(report_add_region(&report, line.process, BASE + first * PAGE,
						   BASE + (first + n) * PAGE), 0);
		line.written += n;
	}
	va_end(parts);
	assert_int_equal(report_add(&report, &line), 0);
}

static void assert_cell(size_t i, size_t line, uint64_t start, uint64_t pages, uint64_t written)
{
	assert_in_range(i, 0, in.interval.cells - 1);
	assert_int_equal(in.interval.cell[i].line, line);
	assert_int_equal(in.interval.cell[i].start, BASE + start * PAGE);
	assert_int_equal(in.interval.cell[i].pages, pages);
	assert_int_equal(in.interval.cell[i].written, written);
}

static void begin_intervals(uint64_t cells)
{
	report_free(&report);
	intervals_free(&in);
	in = (struct intervals){ .most_cells = cells };
	new_report();
}

static void regions_become_cells(void **state)
{
	(void)state;
	begin_intervals(16);
	add_process(1);
	/* 16 pages have cells of one page, 17 of two, 64 of four. */
	add_mapping("a", 0, 16, 1, 0, 2, 14, 0);
	/* This region is of both, and one is behind it. */
	add_mapping("b", 16, 17, 3, 16, 1, 32, 0);
	add_mapping("c", 64, 64, 6, 66, 1, 127, 0);
	add_mapping("quiet", 200, 10, 0);
	/* At the same addresses, in another process */
	add_process(2);
	add_mapping("a", 0, 16, 1, 3, 0);
	assert_int_equal(intervals_add(&in, &report, 1), 0);
	assert_int_equal(in.interval.processes, 2);
	assert_int_equal(in.interval.lines, 5);
	assert_int_equal(in.interval.cells, 10);
	assert_cell(0, 0, 0, 1, 1);
	assert_cell(1, 0, 14, 1, 1);
	assert_cell(2, 0, 15, 1, 1);
	assert_cell(3, 1, 16, 2, 2);
	assert_cell(4, 1, 18, 2, 1);
	assert_cell(5, 1, 32, 2, 1);
	assert_cell(6, 2, 64, 4, 2);
	assert_cell(7, 2, 68, 4, 4);
	assert_cell(8, 2, 124, 4, 1);
	assert_cell(9, 4, 3, 1, 1);
	assert_int_equal(in.interval.line[4].process, 1);
}

static void what_has_not_changed_is_left_out(void **state)
{
	(void)state;
	begin_intervals(16);
	add_process(1);
	add_mapping("written", 0, 8, 3, 1, 0);
	add_mapping("quiet", 10, 8, 0);
	add_process(2);
	add_mapping("quiet", 10, 8, 0);
	assert_int_equal(intervals_add(&in, &report, 1), 0);
	assert_int_equal(in.interval.lines, 3);
	assert_int_equal(in.interval.line[0].set[0], 3);

	/* It is quiet now, but not for a minute; and what is quiet has grown in the second one. */
	new_report();
	add_process(1);
	add_mapping("written", 0, 8, 0);
	add_mapping("quiet", 10, 8, 0);
	add_process(2);
	add_mapping("quiet", 10, 9, 0);
	assert_int_equal(intervals_add(&in, &report, 20), 0);
	assert_int_equal(in.interval.lines, 2);
	assert_int_equal(in.interval.line[0].set[1], 0);
	assert_int_equal(in.interval.line[0].set[2], 3);
	assert_int_equal(in.interval.line[1].process, 1);
	assert_int_equal(in.interval.line[1].end, BASE + 19 * PAGE);

	new_report();
	add_process(1);
	add_mapping("written", 0, 8, 0);
	add_mapping("quiet", 10, 8, 0);
	add_process(2);
	add_mapping("quiet", 10, 9, 0);
	assert_int_equal(intervals_add(&in, &report, 120), 0);
	assert_int_equal(in.interval.lines, 0);
	assert_int_equal(in.interval.processes, 0);
}

static void processes_with_news_are_there(void **state)
{
	struct report_process process = {
		.pid = 7, .name = "short", .ended = true, .status = 3 << 8, .gone.written = 5,
		.presumed = 2,
	};

	(void)state;
	begin_intervals(16);
	assert_int_equal(report_add_process(&report, &process), 0);
	report.lost = true;
	report.not_followed = 3;
	report_skip(&report, MAP_GIANT, 1ull << 40);
	report_skip(&report, MAP_BUSY, 4096);
	assert_int_equal(intervals_add(&in, &report, 1.5), 0);
	assert_int_equal(in.interval.processes, 1);
	assert_int_equal(in.interval.process[0].pid, 7);
	assert_string_equal(in.interval.process[0].name, "short");
	assert_true(in.interval.process[0].ended);
	assert_int_equal(in.interval.process[0].status, 3 << 8);
	assert_int_equal(in.interval.process[0].gone, 5);
	assert_int_equal(in.interval.process[0].presumed, 2);
	assert_true(in.interval.lost);
	assert_int_equal(in.interval.not_followed, 3);
	assert_int_equal(in.interval.skipped_bytes, (1ull << 40) + 4096);
	assert_true(in.interval.time == 1.5 && in.interval.length == 1);
}

/* Seen before execve(2) and after it, the second time at lower addresses. */
static void a_process_that_was_looked_at_twice(void **state)
{
	(void)state;
	begin_intervals(16);
	add_process(1);
	add_mapping("old", 100, 16, 2, 100, 0);
	add_mapping("old stack", 200, 16, 1, 200, 0);
	add_mapping("new", 90, 16, 3, 101, 0);
	assert_int_equal(intervals_add(&in, &report, 1), 0);
	assert_int_equal(in.interval.processes, 2);
	assert_int_equal(in.interval.process[1].pid, 1);
	assert_int_equal(in.interval.lines, 3);
	assert_int_equal(in.interval.line[2].process, 1);
	assert_int_equal(in.interval.cells, 6);
	assert_cell(2, 1, 200, 1, 1);
	assert_cell(3, 2, 101, 1, 1);
}

static void more_cells_than_there_can_be(void **state)
{
	const unsigned int pages = 3 << 20;
	unsigned int i;

	(void)state;
	begin_intervals(pages);
	add_process(1);
	add_mapping("all", 0, pages, pages, 0, 0);
	assert_int_equal(intervals_add(&in, &report, 1), 0);
	assert_int_equal(in.interval.cells, 3 << 18);
	for (i = 0; i < in.interval.cells; i++)
		assert_int_equal(in.interval.cell[i].written, 4);
	assert_int_equal(in.most_cells, pages);
}

/* What a mapping that is new at old addresses had in its place is not its own. */
static void a_new_mapping_has_a_new_set(void **state)
{
	(void)state;
	begin_intervals(16);
	add_process(1);
	add_mapping("old", 0, 8, 8, 0, 0);
	assert_int_equal(intervals_add(&in, &report, 1), 0);
	new_report();
	add_process(1);
	add_mapping("new", 0, 8, 1, 2, 0);
	report.line[0].added = 8;
	assert_int_equal(intervals_add(&in, &report, 2), 0);
	assert_int_equal(in.interval.line[0].set[1], 1);
}

static void progress_in_a_line(void **state)
{
	const struct progress progress = {
		.seconds = 10, .length = 0.5, .last = 128, .written = 123456, .bytes = 2048,
	};
	char text[160];

	(void)state;
	progress_text(&progress, text, sizeof(text));
	assert_string_equal(text, "     10.0 s  123456 page writes, now 1.0 MiB/s; file 2.0 KiB, 720.0 KiB/hour");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said),
		cmocka_unit_test(everything),
		cmocka_unit_test(a_cgroup),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(regions_become_cells),
		cmocka_unit_test(what_has_not_changed_is_left_out),
		cmocka_unit_test(processes_with_news_are_there),
		cmocka_unit_test(a_process_that_was_looked_at_twice),
		cmocka_unit_test(more_cells_than_there_can_be),
		cmocka_unit_test(a_new_mapping_has_a_new_set),
		cmocka_unit_test(progress_in_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
