// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages are armed whole; the first write splits them and makes 4 KiB written, in one fault.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

#define HUGE 2ul
#define LEN (HUGE * HUGE_PAGE)

static char *huge_or_skip(void)
{
	char *p = map_huge(HUGE);

	if (!p)
		skip_because("no huge page could be had");
	return p;
}

TEST(armed_whole)
{
	char *p = huge_or_skip();
	int fd = tracker_of(p, LEN);

	assert_true(is_huge(p));
	assert_int_equal(categories(fd, p),
			 UFFDWP_PAGE_IS_WPALLOWED | UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_HUGE |
			 UFFDWP_PAGE_IS_SOFT_DIRTY);
	assert_int_equal(written(fd, p, LEN, false), 0);
	close(fd);
	assert_true(is_huge(p));
	munmap(p, LEN);
}

TEST(first_write_splits_with_one_fault)
{
	char *p = huge_or_skip();
	int fd = tracker_of(p, LEN);
	long before = faults();

	touch(p + 5 * PAGE, 1, 7);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, LEN, false), 1);
	assert_true(categories(fd, p + 5 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_false(categories(fd, p) & UFFDWP_PAGE_IS_HUGE);
	assert_int_equal(dev_stats(fd).huge_splits, 1);
	/* The second half is whole still, and its pages are all armed after its split. */
	before = faults();
	touch(p + HUGE_PAGE, 512, 7);
	assert_int_equal(faults() - before, 512);
	assert_int_equal(written(fd, p, LEN, false), 1 + 512);
	assert_int_equal(dev_stats(fd).huge_splits, 2);
	assert_int_equal(dev_stats(fd).fallback_faults, 0);
	close(fd);
	munmap(p, LEN);
}

TEST(every_64th_page)
{
	char *p = huge_or_skip();
	int fd = tracker_of(p, LEN);
	long before = faults();
	size_t i;

	for (i = 0; i < LEN / PAGE; i += 64)
		p[i * PAGE] = 9;
	assert_int_equal(faults() - before, LEN / PAGE / 64);
	assert_int_equal(written(fd, p, LEN, true), LEN / PAGE / 64);
	assert_int_equal(written(fd, p, LEN, true), 0);
	close(fd);
	munmap(p, LEN);
}

TEST(a_part_is_armed_by_splitting)
{
	char *p = huge_or_skip();
	int fd = dev_open();

	assert_ok(dev_attach_self(fd));
	assert_ok(dev_register(fd, p, LEN));
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE);
	assert_ok(dev_arm(fd, p + 100 * PAGE, 50 * PAGE));
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE - 50);
	assert_int_equal(written(fd, p + 100 * PAGE, 50 * PAGE, false), 0);
	close(fd);
	munmap(p, LEN);
}

/* A limit in the middle of a huge page: what is armed is what was reported, and no more. */
TEST(a_scan_with_a_limit_arms_what_it_reports)
{
	char *p = huge_or_skip();
	int fd = dev_open();
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, &region, 1);

	assert_ok(dev_attach_self(fd));
	assert_ok(dev_register(fd, p, LEN));
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.max_pages = 600;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_int_equal(region.end - region.start, 600 * PAGE);
	assert_int_equal(arg.walk_end, (uintptr_t)p + 600 * PAGE);
	assert_int_equal(written(fd, p, 600 * PAGE, false), 0);
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE - 600);
	close(fd);
	munmap(p, LEN);
}

TEST(the_huge_zero_page_takes_one_fault)
{
	char *all = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *p = next_huge_page(all);
	long before;
	int fd;

	thp_advice(p, HUGE_PAGE, MADV_HUGEPAGE);
	assert_int_equal(*(volatile char *)p, 0);
	fd = tracker_of(p, HUGE_PAGE);
	if (!(categories(fd, p) & UFFDWP_PAGE_IS_HUGE))
		skip_because("no huge zero page could be had");
	assert_true(categories(fd, p) & UFFDWP_PAGE_IS_PFNZERO);
	before = faults();
	touch(p + PAGE, 1, 7);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, HUGE_PAGE, false), 1);
	touch(p, 512, 8);
	assert_int_equal(written(fd, p, HUGE_PAGE, false), 512);
	close(fd);
	munmap(all, 2 * HUGE_PAGE);
}

TEST(the_kernel_writes_with_one_fault)
{
	char *p = huge_or_skip();
	int fd = tracker_of(p, LEN), zero = open("/dev/zero", O_RDONLY);
	long before = faults();

	assert_int_equal(read(zero, p + 7 * PAGE, PAGE), PAGE);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, LEN, false), 1);
	assert_int_equal(p[7 * PAGE], 0);
	close(zero);
	close(fd);
	munmap(p, LEN);
}

/* Shared with a child, a huge page is split and the small page copied, all in one fault. */
TEST(shared_after_fork_takes_one_fault)
{
	char *p = huge_or_skip();
	struct peer child = peer_start();
	int fd = tracker_of(p, LEN);
	long before = faults();

	touch(p + 7 * PAGE, 1, 9);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, LEN, false), 1);
	peer_end(&child);
	close(fd);
	munmap(p, LEN);
}

TEST(another_process)
{
	char *p = huge_or_skip();
	struct peer peer = peer_start();
	int fd = dev_open();

	assert_ok(dev_attach_pid(fd, peer.pid));
	assert_ok(dev_register(fd, p, LEN));
	assert_ok(dev_arm(fd, p, LEN));
	peer_do(&peer, PEER_WRITE, p + PAGE, 3 * PAGE, 7);
	assert_int_equal(written(fd, p, LEN, true), 3);
	peer_do(&peer, PEER_WRITE, p, LEN, 8);
	assert_int_equal(written(fd, p, LEN, true), LEN / PAGE);
	peer_end(&peer);
	close(fd);
	munmap(p, LEN);
}

/* A scan of present pages only, that arms them. Returns how many it has found. */
static uint64_t present(int fd, char *p, size_t len, uint64_t max_pages, uint64_t *seen)
{
	struct uffdwp_region vec[8];
	struct uffdwp_scan_arg arg = scan_arg(p, len, vec, 8);
	uint64_t pages = 0;
	int n, i;

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.max_pages = max_pages;
	arg.category_anyof_mask = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED;
	arg.return_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_FILE;
	n = dev_scan(fd, &arg);
	assert_true(n >= 0);
	for (i = 0; i < n; i++) {
		pages += (vec[i].end - vec[i].start) / PAGE;
		*seen = vec[i].categories;
	}
	return pages;
}

/* To arm it a scan must split it, which takes it out of the page tables: it is reported still. */
TEST(shared_memory_is_reported_as_it_was)
{
	const uint64_t all = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_FILE;
	uint64_t seen = 0;
	int fd = dev_open(), part;
	char *p;

	if (~dev_kinds() & UFFDWP_KIND_SHMEM)
		skip_because("this kernel registers anonymous memory only");
	for (part = 0; part < 2; part++) {
		p = map_shared_huge();
		close(fd);
		fd = dev_open();
		assert_ok(dev_attach_self(fd));
		assert_ok(dev_register(fd, p, HUGE_PAGE));
		if (~categories(fd, p) & UFFDWP_PAGE_IS_HUGE)
			skip_because("no huge page of shared memory could be had");
		if (part)
			assert_int_equal(present(fd, p, HUGE_PAGE, 100, &seen), 100);
		assert_int_equal(present(fd, p, HUGE_PAGE, 0, &seen), part ? 412 : 512);
		assert_int_equal(seen, all);
		assert_int_equal(present(fd, p, HUGE_PAGE, 0, &seen), 0);
		touch(p + 9 * PAGE, 2, 3);
		assert_int_equal(present(fd, p, HUGE_PAGE, 0, &seen), 2);
		assert_int_equal(p[8 * PAGE], 1);
		munmap(p, HUGE_PAGE);
	}
	close(fd);
}

/* What is mapped in its place has nothing of it, and the next scan says so. */
static void replace_huge_page(bool unregister)
{
	int fd = dev_open(), file = memfd_create("other", MFD_CLOEXEC);
	uint64_t found;
	char *p;

	if (~dev_kinds() & UFFDWP_KIND_SHMEM)
		skip_because("this kernel registers anonymous memory only");
	p = map_shared_huge();
	assert_ok(dev_attach_self(fd));
	assert_ok(dev_register(fd, p, HUGE_PAGE));
	if (~categories(fd, p) & UFFDWP_PAGE_IS_HUGE)
		skip_because("no huge page of shared memory could be had");
	assert_int_equal(written(fd, p, HUGE_PAGE, true), 512);
	assert_ok(ftruncate(file, HUGE_PAGE));
	if (unregister)
		assert_ok(dev_unregister(fd, p, HUGE_PAGE));
	assert_ptr_equal(mmap(p, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
			      0), p);
	assert_ok(dev_register(fd, p, HUGE_PAGE));
	found = categories(fd, p + 5 * PAGE);
	assert_true(found & UFFDWP_PAGE_IS_WRITTEN);
	assert_false(found & (UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_HUGE));
	close(fd);
	close(file);
	munmap(p, HUGE_PAGE);
}

TEST(what_replaces_a_huge_page_of_a_file_is_not_taken_for_it)
{
	replace_huge_page(false);
	replace_huge_page(true);
}

/* A huge page of which a part is unregistered: it is split, and the rest of it is as it was. */
TEST(a_part_is_unregistered)
{
	char *p = huge_or_skip();
	int fd = tracker_of(p, LEN);

	assert_ok(dev_unregister(fd, p + 100 * PAGE, 300 * PAGE));
	assert_true(categories(fd, p + 100 * PAGE) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_true(categories(fd, p + 399 * PAGE) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_int_equal(written(fd, p, 100 * PAGE, false), 0);
	assert_int_equal(written(fd, p + 400 * PAGE, LEN - 400 * PAGE, false), 0);
	touch(p + 50 * PAGE, 400, 7);
	assert_int_equal(written(fd, p, 100 * PAGE, false), 50);
	assert_int_equal(written(fd, p + 400 * PAGE, LEN - 400 * PAGE, false), 50);
	close(fd);
	munmap(p, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(armed_whole),
		cmocka_unit_test(first_write_splits_with_one_fault),
		cmocka_unit_test(every_64th_page),
		cmocka_unit_test(a_part_is_armed_by_splitting),
		cmocka_unit_test(a_scan_with_a_limit_arms_what_it_reports),
		cmocka_unit_test(the_huge_zero_page_takes_one_fault),
		cmocka_unit_test(the_kernel_writes_with_one_fault),
		cmocka_unit_test(shared_after_fork_takes_one_fault),
		cmocka_unit_test(what_replaces_a_huge_page_of_a_file_is_not_taken_for_it),
		cmocka_unit_test(a_part_is_unregistered),
		cmocka_unit_test(another_process),
		cmocka_unit_test(shared_memory_is_reported_as_it_was),
	};

	return cmocka_run_group_tests_name("thp", tests, NULL, NULL);
}
