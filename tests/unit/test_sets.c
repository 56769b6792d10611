// SPDX-License-Identifier: GPL-2.0-only
/*
 * The written sets of the lines of reports.
 */
#include "unit.h"

#include "watch/sets.h"

static struct report report;
static struct sets sets;

/* A report at that time on one process. Lines and regions are added to it. */
static void begin(double time)
{
	const struct report_process process = { .pid = 7 };

	report_clear(&report);
	report.wants_regions = true;
	report.elapsed = time;
	assert_int_equal(report_add_process(&report, &process), 0);
}

static void line(uint64_t start, uint64_t end)
{
	const struct report_line one = {
		.start = start << 12, .end = end << 12, .name = "anon", .tracked = end - start,
	};

	assert_int_equal(report_add(&report, &one), 0);
}

static void written(uint64_t start, uint64_t end)
{
	assert_int_equal(report_add_region(&report, 0, start << 12, end << 12), 0);
}

static void assert_set(size_t i, uint64_t one, uint64_t ten, uint64_t sixty)
{
	assert_true(report.has_sets);
	assert_int_equal(report.line[i].set[0], one);
	assert_int_equal(report.line[i].set[1], ten);
	assert_int_equal(report.line[i].set[2], sixty);
}

static void end(void)
{
	sets_free(&sets);
	report_free(&report);
}

static void a_page_counts_once(void **state)
{
	(void)state;
	begin(1);
	line(0x10, 0x20);
	line(0x30, 0x40);
	written(0x10, 0x14);
	written(0x30, 0x31);
	sets_take(&sets, &report);
	assert_set(0, 4, 4, 4);
	assert_set(1, 1, 1, 1);
	begin(3);
	line(0x10, 0x20);
	line(0x30, 0x40);
	written(0x12, 0x16);
	sets_take(&sets, &report);
	assert_set(0, 4, 6, 6);
	assert_set(1, 0, 1, 1);
	assert_int_equal(report_total(&report).set[1], 7);
	assert_int_equal(report.process[0].sum.set[1], 7);
	end();
}

static void lines_of_a_name_are_added(void **state)
{
	(void)state;
	begin(1);
	line(0x10, 0x20);
	line(0x30, 0x40);
	written(0x10, 0x14);
	written(0x30, 0x31);
	sets_take(&sets, &report);
	report_by_name(&report);
	assert_int_equal(report.n, 1);
	assert_set(0, 5, 5, 5);
	end();
}

/* In part, and all of it; what is mapped there later has nothing in the set. */
static void what_is_unmapped_leaves(void **state)
{
	(void)state;
	begin(1);
	line(0x10, 0x20);
	line(0x30, 0x40);
	written(0x10, 0x20);
	written(0x30, 0x40);
	sets_take(&sets, &report);
	begin(2);
	line(0x10, 0x14);
	line(0x18, 0x20);
	sets_take(&sets, &report);
	assert_set(0, 0, 4, 4);
	assert_set(1, 0, 8, 8);
	begin(3);
	line(0x10, 0x20);
	line(0x30, 0x40);
	sets_take(&sets, &report);
	assert_set(0, 0, 12, 12);
	assert_set(1, 0, 0, 0);
	end();
}

/* A line may be of several that were before, and one that was before of several lines. */
static void lines_that_join(void **state)
{
	(void)state;
	begin(1);
	line(0x10, 0x20);
	line(0x24, 0x28);
	written(0x10, 0x20);
	written(0x24, 0x28);
	sets_take(&sets, &report);
	begin(2);
	line(0x0, 0x40);
	sets_take(&sets, &report);
	assert_set(0, 0, 20, 20);
	begin(3);
	line(0x10, 0x12);
	line(0x14, 0x16);
	line(0x27, 0x30);
	sets_take(&sets, &report);
	assert_set(0, 0, 2, 2);
	assert_set(1, 0, 2, 2);
	assert_set(2, 0, 1, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_counts_once),
		cmocka_unit_test(lines_of_a_name_are_added),
		cmocka_unit_test(what_is_unmapped_leaves),
		cmocka_unit_test(lines_that_join),
	};

	return cmocka_run_group_tests_name("sets", tests, NULL, NULL);
}
