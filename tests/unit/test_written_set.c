// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages were written in the last 1, 10 and 60 seconds.
 */
#include "unit.h"

#include <stdlib.h>

#include "written_set.h"

#define PAGE 4096ull
#define BASE 0x7f0000000000ull

static void add(struct written_set *set, uint64_t first, uint64_t n, double time)
{
	assert_int_equal(written_set_add(set, 1, BASE + first * PAGE, BASE + (first + n) * PAGE,
					 time), 0);
}

static void expect(const struct written_set *set, pid_t pid, uint64_t first, uint64_t n,
		   double time, uint64_t one, uint64_t ten, uint64_t sixty)
{
	uint64_t pages[WRITTEN_SET_WINDOWS];

	written_set_count(set, pid, BASE + first * PAGE, BASE + (first + n) * PAGE, time, pages);
	assert_int_equal(pages[0], one);
	assert_int_equal(pages[1], ten);
	assert_int_equal(pages[2], sixty);
}

static void a_page_counts_once_in_each_window(void **state)
{
	struct written_set set = { 0 };

	(void)state;
	expect(&set, 1, 0, 1000, 1, 0, 0, 0);
	add(&set, 0, 10, 1);
	add(&set, 5, 10, 2);
	expect(&set, 1, 0, 1000, 2, 10, 15, 15);
	add(&set, 0, 1, 3);
	expect(&set, 1, 0, 1000, 3, 1, 15, 15);
	/* What was written in the second that ended at 1 leaves the ten seconds at 11. */
	expect(&set, 1, 0, 1000, 10.9, 0, 15, 15);
	expect(&set, 1, 0, 1000, 11, 0, 11, 15);
	expect(&set, 1, 0, 1000, 62, 0, 0, 1);
	expect(&set, 1, 0, 1000, 63, 0, 0, 0);
	written_set_free(&set);
}

/* Reports are not exactly a second apart. */
static void a_second_is_one_report(void **state)
{
	struct written_set set = { 0 };
	double time;
	int i;

	(void)state;
	for (i = 1; i <= 20; i++) {
		time = i + (i % 3 - 1) * 0.004;
		add(&set, i, 1, time);
		expect(&set, 1, 0, 100, time, 1, i < 10 ? i : 10, i);
	}
	written_set_free(&set);
}

static void ranges_and_processes_are_apart(void **state)
{
	struct written_set set = { 0 };

	(void)state;
	add(&set, 500, 100, 1);
	expect(&set, 1, 500, 12, 1, 12, 12, 12);
	expect(&set, 1, 512, 12, 1, 12, 12, 12);
	expect(&set, 1, 0, 500, 1, 0, 0, 0);
	expect(&set, 1, 600, 5000, 1, 0, 0, 0);
	expect(&set, 2, 0, 5000, 1, 0, 0, 0);
	/* A range of terabytes costs by what is in the set. */
	expect(&set, 1, 0, 1ull << 34, 1, 100, 100, 100);
	written_set_remove(&set, 2, BASE, BASE + 5000 * PAGE);
	written_set_remove(&set, 1, BASE + 510 * PAGE, BASE + 520 * PAGE);
	expect(&set, 1, 0, 5000, 1, 90, 90, 90);
	written_set_free(&set);
}

static void what_is_old_takes_no_memory(void **state)
{
	struct written_set set = { 0 };

	(void)state;
	add(&set, 0, 1 << 20, 1);
	assert_int_equal(set.blocks, 2048);
	add(&set, 512, 1, 50);
	written_set_age(&set, 60.9);
	assert_int_equal(set.blocks, 2048);
	written_set_age(&set, 61);
	assert_int_equal(set.blocks, 1);
	expect(&set, 1, 0, 1 << 20, 61, 0, 0, 1);
	written_set_free(&set);
}

static void memory_is_bounded(void **state)
{
	struct written_set set = { 0 };
	uint64_t i;

	(void)state;
	for (i = 0; i < 200000; i++)
		add(&set, i * 512, 1, 1);
	assert_true(set.incomplete);
	assert_int_equal(set.blocks, 131072);
	written_set_age(&set, 100);
	assert_int_equal(set.blocks, 0);
	assert_false(set.incomplete);
	written_set_free(&set);
}

/* Against a plain array. */
static void random_writes_are_counted(void **state)
{
	enum { PAGES = 3000 };
	static double last[PAGES];
	struct written_set set = { 0 };
	uint64_t sums[WRITTEN_SET_WINDOWS];
	unsigned int seed = 1;
	int step, i, w;

	(void)state;
	for (i = 0; i < PAGES; i++)
		last[i] = -1000;
	for (step = 1; step < 400; step++) {
		const int first = rand_r(&seed) % PAGES;
		const int n = 1 + rand_r(&seed) % (PAGES - first < 50 ? PAGES - first : 50);

		add(&set, first, n, step);
		for (i = first; i < first + n; i++)
			last[i] = step;
		if (!(step % 7))
			written_set_age(&set, step);
		for (w = 0; w < WRITTEN_SET_WINDOWS; w++)
			for (i = 0, sums[w] = 0; i < PAGES; i++)
				sums[w] += last[i] > step - (double)written_set_seconds[w];
		expect(&set, 1, 0, PAGES, step, sums[0], sums[1], sums[2]);
	}
	written_set_free(&set);
}

/* Those that are forgotten one by one, and all of a process. */
static void what_is_gone_is_not_counted(void **state)
{
	struct written_set set = { 0 };
	pid_t ended[] = { 9, 3, 2 };
	int i;

	(void)state;
	add(&set, 0, 3000, 1);
	assert_int_equal(set.blocks, 6);
	for (i = 0; i < 3000; i += 3)
		written_set_remove(&set, 1, BASE + i * PAGE, BASE + (i + 2) * PAGE);
	expect(&set, 1, 0, 3000, 1, 1000, 1000, 1000);
	for (i = 2; i < 1024; i += 3)
		written_set_remove(&set, 1, BASE + i * PAGE, BASE + (i + 1) * PAGE);
	assert_int_equal(set.blocks, 4);
	assert_int_equal(written_set_add(&set, 2, BASE, BASE + 2 * PAGE, 1), 0);
	written_set_remove_processes(&set, ended, 3);
	assert_int_equal(set.blocks, 4);
	expect(&set, 2, 0, 3000, 1, 0, 0, 0);
	written_set_remove(&set, 1, 0, UINT64_MAX);
	assert_int_equal(set.blocks, 0);
	written_set_remove(&set, 1, 0, UINT64_MAX);
	written_set_free(&set);
}

/*
 * Each of many small mappings is new, as when a program begins that has them: to look for each in
 * all that there is would take hours.
 */
static void many_mappings_are_no_burden(void **state)
{
	struct written_set set = { 0 };
	uint64_t i;

	(void)state;
	alarm(60);
	for (i = 0; i < 131072; i++) {
		written_set_remove(&set, 1, BASE + i * 512 * PAGE, BASE + (i * 512 + 1) * PAGE);
		add(&set, i * 512, 1, 1);
	}
	alarm(0);
	assert_int_equal(set.blocks, 131072);
	written_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_counts_once_in_each_window),
		cmocka_unit_test(a_second_is_one_report),
		cmocka_unit_test(ranges_and_processes_are_apart),
		cmocka_unit_test(what_is_old_takes_no_memory),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(random_writes_are_counted),
		cmocka_unit_test(what_is_gone_is_not_counted),
		cmocka_unit_test(many_mappings_are_no_burden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
