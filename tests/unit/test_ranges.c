// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's set of addresses, against one bit for each.
 */
#include <stdlib.h>

#include "unit.h"

#include "internal.h"

#define N 64
#define STEPS 20000

static bool bits[N];
static struct uffdwp_ranges ranges;

/* As few ranges as there can be, in ascending order, of the same addresses. */
static void assert_same(void)
{
	const struct uffdwp_range *next;
	uint64_t at = 0, i;
	size_t n = 0;

	while ((next = uffdwp_ranges_from(&ranges, at))) {
		assert_true(n == 0 || next->start > at);
		for (i = at; i < next->start; i++)
			assert_false(bits[i]);
		for (i = next->start; i < next->end; i++)
			assert_true(bits[i]);
		at = next->end;
		n++;
	}
	for (i = at; i < N; i++)
		assert_false(bits[i]);
	assert_int_equal(n, ranges.n);
}

static void ranges_are_those_that_were_added(void **state)
{
	uint64_t start, end, i;
	bool add;
	int step;

	(void)state;
	srand(1);
	for (step = 0; step < STEPS; step++) {
		start = rand() % N;
		end = start + 1 + rand() % (step % 2 ? N - start : 1);
		add = rand() % 2;
		assert_int_equal(uffdwp_ranges_reserve(&ranges), 0);
		if (add)
			uffdwp_ranges_add(&ranges, start, end);
		else
			uffdwp_ranges_remove(&ranges, start, end);
		for (i = start; i < end; i++)
			bits[i] = add;
		assert_same();
	}
	/* From the middle of one on it is that one. */
	uffdwp_ranges_add(&ranges, 0, N);
	assert_int_equal(uffdwp_ranges_from(&ranges, N / 2)->end, N);
	assert_null(uffdwp_ranges_from(&ranges, N));
	free(ranges.range);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_those_that_were_added),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
