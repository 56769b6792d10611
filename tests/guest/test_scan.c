// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scan: which pages match, how they are joined, where it stops.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define N 1200ul	/* more than two page tables */
#define LEN (N * PAGE)

static char *p;
static int fd;
static struct uffdwp_region vec[N];

static int set_up(void **state)
{
	(void)state;
	p = map_filled(N);
	fd = tracker_of(p, LEN);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(fd);
	munmap(p, LEN);
	return 0;
}

#define P(page) ((uintptr_t)p + (page) * PAGE)

static void assert_region(const struct uffdwp_region *region, size_t first, size_t end,
			  uint64_t cats)
{
	assert_int_equal(region->start, P(first));
	assert_int_equal(region->end, P(end));
	assert_int_equal(region->categories, cats);
}

TEST(neighbours_are_joined)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, N);

	/* Across the borders of page tables. */
	touch(p, N, 2);
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 0, N, UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(arg.walk_end, P(N));
}

TEST(other_categories_are_apart)
{
	struct uffdwp_scan_arg arg = scan_arg(p, 4 * PAGE, vec, N);
	const uint64_t mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PRESENT |
			      UFFDWP_PAGE_IS_PFNZERO;

	assert_ok(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
	assert_int_equal(*(volatile char *)(p + 2 * PAGE), 0);
	arg.category_mask = 0;
	arg.return_mask = mask;
	assert_int_equal(dev_scan(fd, &arg), 4);
	assert_region(&vec[0], 0, 1, UFFDWP_PAGE_IS_PRESENT);
	assert_region(&vec[1], 1, 2, UFFDWP_PAGE_IS_WRITTEN);
	assert_region(&vec[2], 2, 3, mask);
	assert_region(&vec[3], 3, 4, UFFDWP_PAGE_IS_PRESENT);

	/* What is not asked for does not part them. */
	arg.return_mask = UFFDWP_PAGE_IS_WPALLOWED;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 0, 4, UFFDWP_PAGE_IS_WPALLOWED);
}

TEST(masks)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, N);

	touch(p + 10 * PAGE, 5, 2);
	assert_ok(madvise(p + 20 * PAGE, 5 * PAGE, MADV_DONTNEED));

	/* Written and present: not what was discarded. */
	arg.category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PRESENT;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 10, 15, UFFDWP_PAGE_IS_WRITTEN);

	/* Written and not present. */
	arg.category_inverted = UFFDWP_PAGE_IS_PRESENT;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 20, 25, UFFDWP_PAGE_IS_WRITTEN);

	/* Not written. */
	arg.category_inverted = UFFDWP_PAGE_IS_WRITTEN;
	arg.category_mask = UFFDWP_PAGE_IS_WRITTEN;
	assert_int_equal(dev_scan(fd, &arg), 3);
	assert_region(&vec[0], 0, 10, 0);
	assert_region(&vec[1], 15, 20, 0);
	assert_region(&vec[2], 25, N, 0);

	/* One of several. */
	arg.category_inverted = 0;
	arg.category_mask = UFFDWP_PAGE_IS_WRITTEN;
	arg.category_anyof_mask = UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_HUGE;
	assert_int_equal(dev_scan(fd, &arg), 0);
	arg.category_anyof_mask = UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_PRESENT;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 10, 15, UFFDWP_PAGE_IS_WRITTEN);
}

TEST(a_full_vector_stops_the_scan)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, 3);
	size_t i, seen = 0;
	int n;

	for (i = 0; i < N; i += 3)
		p[i * PAGE] = 2;
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	while ((n = dev_scan(fd, &arg)) > 0) {
		for (i = 0; i < (size_t)n; i++, seen++)
			assert_region(&vec[i], 3 * seen, 3 * seen + 1, UFFDWP_PAGE_IS_WRITTEN);
		/* Nothing behind it is armed yet. */
		assert_int_equal(written(fd, p, LEN, false), N / 3 - seen);
		arg.start = arg.walk_end;
		if (arg.start == arg.end)
			break;
	}
	assert_int_equal(seen, N / 3);
	assert_int_equal(arg.walk_end, P(N));
}

TEST(more_regions_than_one_batch)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, N);
	size_t i;

	for (i = 0; i < N; i += 2)
		p[i * PAGE] = 2;
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), N / 2);
	for (i = 0; i < N / 2; i++)
		assert_region(&vec[i], 2 * i, 2 * i + 1, UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(written(fd, p, LEN, false), 0);
}

TEST(a_page_limit_stops_the_scan)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, N);

	touch(p, 100, 2);
	touch(p + 700 * PAGE, 100, 2);
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.max_pages = 150;
	assert_int_equal(dev_scan(fd, &arg), 2);
	assert_region(&vec[0], 0, 100, UFFDWP_PAGE_IS_WRITTEN);
	assert_region(&vec[1], 700, 750, UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(arg.walk_end, P(750));
	assert_int_equal(written(fd, p, LEN, false), 50);
}

TEST(a_page_limit_in_memory_without_tables)
{
	char *q = map_anon(2000);
	struct uffdwp_scan_arg arg;

	assert_ok(dev_register(fd, q, 2000 * PAGE));
	arg = scan_arg(q, 2000 * PAGE, vec, N);
	arg.max_pages = 1234;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_int_equal(vec[0].end - vec[0].start, 1234 * PAGE);
	assert_int_equal(arg.walk_end, vec[0].end);
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_int_equal(written(fd, q, 2000 * PAGE, false), 2000 - 1234);
	munmap(q, 2000 * PAGE);
}

TEST(without_a_vector_it_only_arms)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, NULL, 0);

	touch(p, 100, 2);
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), 0);
	assert_int_equal(arg.walk_end, P(N));
	assert_int_equal(written(fd, p, LEN, false), 0);
}

TEST(holes_are_skipped)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, N);

	touch(p, N, 2);
	assert_ok(munmap(p + 100 * PAGE, 100 * PAGE));
	assert_int_equal(dev_scan(fd, &arg), 2);
	assert_region(&vec[0], 0, 100, UFFDWP_PAGE_IS_WRITTEN);
	assert_region(&vec[1], 200, N, UFFDWP_PAGE_IS_WRITTEN);

	/* Asked for, it is told; it is never clean. */
	arg.category_mask = UFFDWP_PAGE_IS_UNTRACKED;
	arg.return_mask = UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 100, 200, UFFDWP_PAGE_IS_UNTRACKED);
	assert_ok(dev_arm(fd, p, LEN));
	arg.category_inverted = UFFDWP_PAGE_IS_WRITTEN;
	arg.category_mask = UFFDWP_PAGE_IS_WRITTEN;
	assert_int_equal(dev_scan(fd, &arg), 2);
	assert_region(&vec[0], 0, 100, 0);
	assert_region(&vec[1], 200, N, 0);
}

TEST(a_mapping_that_was_replaced_is_written)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, N);

	assert_ptr_equal(mmap(p + 10 * PAGE, 5 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + 10 * PAGE);
	arg.return_mask |= UFFDWP_PAGE_IS_UNTRACKED;
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 10, 15, UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_UNTRACKED);
	/* It cannot be armed without being registered, so it is still. */
	assert_int_equal(dev_scan(fd, &arg), 1);

	arg.flags |= UFFDWP_SCAN_CHECK_TRACKED;
	assert_int_equal(dev_scan(fd, &arg), -EPERM);
	assert_int_equal(arg.walk_end, P(10));

	assert_ok(dev_register(fd, p, LEN));
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 10, 15, UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(dev_scan(fd, &arg), 0);
}

TEST(what_is_found_before_untracked_memory_is_told_first)
{
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, vec, N);

	touch(p + 3 * PAGE, 1, 2);
	assert_ok(munmap(p + 10 * PAGE, PAGE));
	arg.flags = UFFDWP_SCAN_CHECK_TRACKED | UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 3, 4, UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(arg.walk_end, P(10));
	arg.start = arg.walk_end;
	assert_err(dev_scan(fd, &arg), EPERM);
}

TEST(memory_that_moved_is_not_clean)
{
	char *to;

	to = mremap(p, LEN, 2 * LEN, MREMAP_MAYMOVE);
	assert_ptr_not_equal(to, MAP_FAILED);
	if (to == p)
		skip_because("mremap did not move it");
	assert_true(categories(fd, to) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_true(categories(fd, to) & UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(categories(fd, p), UFFDWP_PAGE_IS_UNTRACKED);
	touch(to, 2 * N, 3);
	munmap(to, 2 * LEN);
	p = map_filled(N);
}

/* Grown in place it is one mapping still; what is new in it was never armed. */
TEST(memory_that_grew_is_written_there)
{
	char *q = map_anon(20);
	int tracker;

	munmap(q + 10 * PAGE, 10 * PAGE);
	tracker = tracker_of(q, 10 * PAGE);
	if (mremap(q, 10 * PAGE, 20 * PAGE, 0) != q)
		skip_because("mremap could not grow it in place");
	assert_int_equal(written(tracker, q, 10 * PAGE, false), 0);
	assert_int_equal(written(tracker, q, 20 * PAGE, true), 10);
	assert_int_equal(written(tracker, q, 20 * PAGE, true), 0);
	close(tracker);
	munmap(q, 20 * PAGE);
}

/* Pagemap shows the bit since Linux 5.14. Before, a write tells: it takes a fault, or none. */
static bool is_armed_for_the_kernel(size_t page)
{
	const long before = faults();

	if (!kernel_is_before(5, 14))
		return pagemap_entry(p + page * PAGE) >> 57 & 1;
	touch(p + page * PAGE, 1, 3);
	return faults() - before;
}

TEST(the_kernel_sees_the_same_bit)
{
	size_t i;

	touch(p + 5 * PAGE, 3, 2);
	for (i = 0; i < 12; i++)
		assert_int_equal(!is_armed_for_the_kernel(i), i >= 5 && i < 8);
}

TEST(the_whole_address_space)
{
	struct uffdwp_hello_arg hello;
	struct uffdwp_scan_arg arg;

	assert_ok(dev_hello(fd, &hello));
	touch(p + 7 * PAGE, 1, 2);
	arg = scan_arg(0, hello.address_limit, vec, N);
	arg.category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED;
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_region(&vec[0], 7, 8, UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(arg.walk_end, hello.address_limit);
}

TEST(disarmed_memory_is_written)
{
	struct uffdwp_disarm_arg arg = {
		.size = sizeof(arg), .start = P(100), .len = 700 * PAGE,
	};

	touch(p + 100 * PAGE, 50, 2);
	assert_ok(munmap(p + 500 * PAGE, 10 * PAGE));
	assert_ok(dev_ioctl(fd, UFFDWP_IOC_DISARM, &arg));
	assert_int_equal(arg.disarmed, 700 - 50 - 10);
	assert_int_equal(written(fd, p, LEN, true), 700 - 10);
	assert_int_equal(written(fd, p, LEN, true), 0);
}

TEST(statistics_count)
{
	struct uffdwp_stats_arg before = dev_stats(fd), after;

	touch(p, 100, 2);
	assert_int_equal(written(fd, p, LEN, true), 100);
	after = dev_stats(fd);
	assert_int_equal(after.write_faults - before.write_faults, 100);
	assert_int_equal(after.pages_armed - before.pages_armed, 100);
	assert_int_equal(after.pages_reported - before.pages_reported, 100);
	assert_int_equal(after.scans - before.scans, 1);
	assert_int_equal(after.tlb_flushes - before.tlb_flushes,
			 P(99) / HUGE_PAGE - P(0) / HUGE_PAGE + 1);
}

#define with_set_up(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_set_up(neighbours_are_joined),
		with_set_up(other_categories_are_apart),
		with_set_up(masks),
		with_set_up(a_full_vector_stops_the_scan),
		with_set_up(more_regions_than_one_batch),
		with_set_up(a_page_limit_stops_the_scan),
		with_set_up(a_page_limit_in_memory_without_tables),
		with_set_up(without_a_vector_it_only_arms),
		with_set_up(holes_are_skipped),
		with_set_up(a_mapping_that_was_replaced_is_written),
		with_set_up(what_is_found_before_untracked_memory_is_told_first),
		with_set_up(memory_that_moved_is_not_clean),
		with_set_up(memory_that_grew_is_written_there),
		with_set_up(the_kernel_sees_the_same_bit),
		with_set_up(the_whole_address_space),
		with_set_up(disarmed_memory_is_written),
		with_set_up(statistics_count),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
