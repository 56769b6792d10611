// SPDX-License-Identifier: GPL-2.0-only
/*
 * The helpers of environment.h do what they say, so that a test that relies on one has tested what
 * it claims. Memory that is not tracked.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

#define N 64ul
#define LEN (N * PAGE)

/* A reason on a kernel that has the thing is a failure: only these may be missing. */
#define needs(call)							\
	do {								\
		const char *needs_reason = call;			\
									\
		if (needs_reason && strstr(needs_reason, "this kernel has no"))	\
			skip_because("%s", needs_reason);		\
		if (needs_reason)					\
			fail_msg("%s: %s", #call, needs_reason);	\
	} while (0)

static void fill(char *p, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		memset(p + i * PAGE, 'a' + i % 26, PAGE);
}

static void expect_filled(const char *p, size_t pages)
{
	size_t i;

	for (i = 0; i < pages * PAGE; i++)
		if (p[i] != (char)('a' + i / PAGE % 26))
			fail_msg("byte %zu of page %zu is %#x", i % PAGE, i / PAGE, p[i]);
}

TEST(pages_go_to_swap_and_come_back)
{
	char *p = map_filled(N);
	long out = vmstat("pswpout"), in;
	size_t i;

	fill(p, N);
	needs(swap_on(64 << 20));
	assert_false(is_swapped(p));
	needs(swap_out(p, LEN));
	for (i = 0; i < N; i++)
		assert_true(is_swapped(p + i * PAGE));
	assert_true(vmstat("pswpout") >= out + (long)N);
	in = vmstat("pswpin");
	expect_filled(p, N);
	assert_true(vmstat("pswpin") > in);
	assert_false(is_swapped(p));
	swap_off();
	/* There is no swap any more, and it says so. */
	assert_non_null(swap_out(p, LEN));
	munmap(p, LEN);
}

TEST(pages_move_to_another_node)
{
	char *p = map_filled(N);
	size_t i;
	int to;

	assert_true(nodes() >= 2);
	fill(p, N);
	for (to = 0; to < 2; to++) {
		needs(move_to_node(p, LEN, to));
		for (i = 0; i < N; i++)
			assert_int_equal(node_of(p + i * PAGE), to);
	}
	needs(move_to_other_node(p, LEN));
	assert_int_equal(node_of(p), 0);
	assert_non_null(move_to_node(p, LEN, 99));
	expect_filled(p, N);
	munmap(p, LEN);
}

TEST(pages_wait_for_numa_hints)
{
	char *p = map_filled(N);
	long hints;

	fill(p, N);
	needs(numa_hints(p, LEN));
	hints = vmstat("numa_hint_faults");
	expect_filled(p, N);
	assert_true(vmstat("numa_hint_faults") >= hints + (long)N);
	/* And again, with what the first time has left behind. */
	needs(numa_hints(p, LEN));
	hints = vmstat("numa_hint_faults");
	expect_filled(p, N);
	assert_true(vmstat("numa_hint_faults") >= hints + (long)N);
	numa_hints_off();
	munmap(p, LEN);
}

TEST(ksm_merges_what_is_equal)
{
	char *a = map_filled(N), *b = map_filled(N);

	fill(a, N);
	fill(b, N);
	assert_false(is_ksm(a));
	needs(ksm_merge(a, b, LEN));
	assert_true(is_ksm(a) && is_ksm(b + LEN - PAGE));
	*b = 'a';
	assert_false(is_ksm(b));
	assert_true(is_ksm(a + PAGE));
	ksm_off();
	assert_false(is_ksm(a + PAGE));
	expect_filled(a, N);
	expect_filled(b, N);
	munmap(a, LEN);
	munmap(b, LEN);
}

static sigjmp_buf after_sigbus;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(after_sigbus, 1);
}

/* The access does not return. */
static bool access_is_sigbus(const char *page)
{
	struct sigaction action = { .sa_handler = on_sigbus }, before;
	volatile bool bus = false;

	sigaction(SIGBUS, &action, &before);
	if (sigsetjmp(after_sigbus, 1))
		bus = true;
	else
		(void)*(volatile const char *)page;
	sigaction(SIGBUS, &before, NULL);
	return bus;
}

static long kib_poisoned(void)
{
	return number_after("/proc/meminfo", "HardwareCorrupted");
}

TEST(a_page_is_poisoned_and_given_back)
{
	char *p = map_filled(3);
	uint64_t pfn;

	assert_false(access_is_sigbus(p + PAGE));
	needs(poison(p + PAGE, &pfn));
	assert_false(access_is_sigbus(p));
	assert_true(access_is_sigbus(p + PAGE));
	assert_false(access_is_sigbus(p + 2 * PAGE));
	munmap(p, 3 * PAGE);
	assert_int_equal(kib_poisoned(), 4);
	needs(unpoison(pfn));
	assert_int_equal(kib_poisoned(), 0);
}

TEST(memory_is_compacted)
{
	long scanned = vmstat("compact_free_scanned");

	needs(compact_memory());
	assert_true(vmstat("compact_free_scanned") > scanned);
}

TEST(khugepaged_makes_huge_pages)
{
	char *all = map_filled(1024);
	char *p = next_huge_page(all);
	int tries;

	needs_thp();
	assert_false(is_huge(p));
	thp_advice(p, HUGE_PAGE, MADV_HUGEPAGE);
	/* A page that is held for a moment keeps it from its work: the next pass will do it. */
	for (tries = 0; tries < 5 && !is_huge(p); tries++)
		needs(khugepaged_pass());
	assert_true(is_huge(p));
	munmap(all, 1024 * PAGE);
}

TEST(hugetlb_pages_can_be_had)
{
	char *p;

	needs(hugetlb_reserve(2));
	p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	touch(p, 1024, 1);
	munmap(p, 2 * HUGE_PAGE);
	hugetlb_release();
	p = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_ptr_equal(p, MAP_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_go_to_swap_and_come_back),
		cmocka_unit_test(pages_move_to_another_node),
		cmocka_unit_test(pages_wait_for_numa_hints),
		cmocka_unit_test(ksm_merges_what_is_equal),
		cmocka_unit_test(a_page_is_poisoned_and_given_back),
		cmocka_unit_test(memory_is_compacted),
		cmocka_unit_test(khugepaged_makes_huge_pages),
		cmocka_unit_test(hugetlb_pages_can_be_had),
	};

	return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
