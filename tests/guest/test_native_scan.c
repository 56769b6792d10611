// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAGEMAP_SCAN as in Linux 6.12: what is refused and how, which pages match, where a scan ends, and
 * whose memory it may see. Where 7.2 differs from 6.12 (entries that hold nothing), both may be.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "environment.h"
#include "native.h"
#include "unserved.h"

#define N 16ul
#define KERNEL_ADDRESS 0xffff888000000000ull

static char *memory;
static int uffd, pagemap;

/* N pages, all of them registered and protected, none of them written. */
static int set_up(void **state)
{
	memory = map_filled(N);
	uffd = async_uffd_of(memory, N * PAGE);
	pagemap = open_pagemap(0);
	assert_true(pagemap >= 0);
	return start_clock(state);
}

static int tear_down(void **state)
{
	close(uffd);
	close(pagemap);
	munmap(memory, N * PAGE);
	return stop_clock(state);
}

#define scan_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static struct scan_region vec[2048];

static struct scan here(void)
{
	return written_pages(memory, N * PAGE, vec, 64);
}

static void is_region(int i, const char *start, size_t pages, uint64_t what)
{
	assert_int_equal(vec[i].start, (uintptr_t)start);
	assert_int_equal(vec[i].end, (uintptr_t)start + pages * PAGE);
	assert_int_equal(vec[i].categories, what);
}

/* ---- what is refused. Nothing is changed, in the arguments or in the memory. */

static void refused(struct scan scan, int error)
{
	const struct scan before = scan;

	assert_err(scan_pages(pagemap, &scan), error);
	assert_memory_equal(&scan, &before, sizeof(scan));
	assert_int_equal(written_here(memory, N * PAGE), 0);
}

TEST(sizes_that_are_wrong)
{
	static const uint64_t sizes[] = {
		0, 8, 88, 95, 97, 104, 4096, 1ull << 32 | 96, UINT64_MAX,
	};
	struct scan scan = here();
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		scan.size = sizes[i];
		refused(scan, EINVAL);
	}
}

TEST(flags_that_are_unknown)
{
	struct scan scan = here();
	int bit;

	for (bit = 2; bit < 64; bit++) {
		scan.flags = 1ull << bit;
		refused(scan, EINVAL);
		scan.flags |= WP_MATCHING | CHECK_WPASYNC;
		refused(scan, EINVAL);
	}
}

/* Bit 8 is PAGE_IS_GUARD on later kernels. */
TEST(categories_that_are_unknown)
{
	const struct scan plain = here();
	struct scan scan;
	int bit;

	/* 7.3: PAGE_IS_ACCESSED, of memory with read protection */
	for (bit = kernel_is_before(7, 3) ? 9 : 10; bit < 64; bit++) {
		scan = plain;
		scan.category_mask |= 1ull << bit;
		refused(scan, EINVAL);
		scan = plain;
		scan.category_anyof_mask = 1ull << bit;
		refused(scan, EINVAL);
		scan = plain;
		scan.category_inverted = 1ull << bit;
		refused(scan, EINVAL);
		scan = plain;
		scan.return_mask |= 1ull << bit;
		refused(scan, EINVAL);
	}
}

TEST(ranges_that_are_wrong)
{
	struct scan scan = here();

	scan.start++;
	refused(scan, EINVAL);
	scan.start += 2047;
	refused(scan, EINVAL);
	/* Backwards */
	scan = here();
	scan.end = scan.start - PAGE;
	refused(scan, EFAULT);
	scan.end = 0;
	refused(scan, EFAULT);
	scan = here();
	scan.start = KERNEL_ADDRESS;
	scan.end = scan.start + PAGE;
	refused(scan, EFAULT);
	scan = here();
	scan.end = KERNEL_ADDRESS;
	refused(scan, EFAULT);
	scan.end = UINT64_MAX;
	refused(scan, EFAULT);
}

TEST(vectors_that_are_wrong)
{
	struct scan scan = here();

	/* A length and no vector */
	scan.vec = 0;
	refused(scan, EINVAL);
	scan.vec = KERNEL_ADDRESS;
	refused(scan, EFAULT);
	/* Longer than memory can be, in bytes longer than a number can be */
	scan = here();
	scan.vec_len = 1ull << 60;
	refused(scan, EFAULT);
	scan.vec_len = UINT64_MAX / 2;
	refused(scan, EFAULT);
	scan.vec_len = UINT64_MAX;
	refused(scan, EFAULT);
}

TEST(arguments_that_cannot_be_read)
{
	char *p = map_filled(2);
	struct scan scan = here();

	assert_err(scan_pages(pagemap, NULL), EFAULT);
	assert_err(scan_pages(pagemap, (struct scan *)8), EFAULT);
	assert_err(scan_pages(pagemap, (struct scan *)KERNEL_ADDRESS), EFAULT);
	assert_ok(munmap(p + PAGE, PAGE));
	memcpy(p + PAGE - 88, &scan, 88);
	assert_err(scan_pages(pagemap, (struct scan *)(p + PAGE - 88)), EFAULT);
	/* Nor written: walk_end has nowhere to go. */
	memcpy(p, &scan, sizeof(scan));
	assert_ok(mprotect(p, PAGE, PROT_READ));
	assert_err(scan_pages(pagemap, (struct scan *)p), EFAULT);
	munmap(p, PAGE);
}

TEST(other_commands_are_refused)
{
	struct scan scan = here();

	assert_int_equal(ioctl(pagemap, _IOWR('f', 250, struct scan), &scan), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(pagemap, _IOR('f', 16, struct scan), &scan), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(pagemap, _IOWR('f', 16, char[88]), &scan), -1);
	assert_int_equal(errno, EINVAL);
	/* Those of every file work. */
	assert_ok(ioctl(pagemap, FIOCLEX));
}

/* A vector that cannot be written: an error, and never a page that is lost. */
TEST(vectors_that_fault)
{
	char *p = map_filled(1);
	struct scan scan = here();

	touch(memory, N, 2);
	assert_ok(mprotect(p, PAGE, PROT_READ));
	scan.vec = (uintptr_t)p;
	assert_err(scan_pages(pagemap, &scan), EFAULT);
	assert_int_equal(written_here(memory, N * PAGE), N);
	munmap(p, PAGE);
}

/* ---- the plain way */

TEST(written_pages_are_told)
{
	struct scan scan = here();

	assert_int_equal(scan_pages(pagemap, &scan), 0);
	assert_int_equal(scan.walk_end, scan.end);
	touch(memory + 2 * PAGE, 3, 2);
	touch(memory + 9 * PAGE, 1, 2);
	scan = here();
	assert_int_equal(scan_pages(pagemap, &scan), 2);
	is_region(0, memory + 2 * PAGE, 3, IS_WRITTEN);
	is_region(1, memory + 9 * PAGE, 1, IS_WRITTEN);
	assert_int_equal(scan.walk_end, scan.end);
	/* It has only looked. */
	assert_int_equal(written_here(memory, N * PAGE), 4);
}

TEST(what_is_reported_is_protected)
{
	struct scan scan = here();

	touch(memory + 2 * PAGE, 3, 2);
	scan.flags = WP_MATCHING | CHECK_WPASYNC;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, memory + 2 * PAGE, 3, IS_WRITTEN);
	assert_int_equal(written_here(memory, N * PAGE), 0);
	touch(memory + 3 * PAGE, 1, 3);
	assert_int_equal(written_here(memory, N * PAGE), 1);
	assert_true(is_written(memory + 3 * PAGE));
}

/* Matching, not written: reported, and left as they are. */
TEST(what_is_not_reported_is_left)
{
	struct scan scan = here();

	touch(memory, N, 2);
	scan.flags = WP_MATCHING;
	scan.max_pages = 5;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, memory, 5, IS_WRITTEN);
	assert_int_equal(written_here(memory, N * PAGE), N - 5);
	assert_false(is_written(memory + 4 * PAGE));
	assert_true(is_written(memory + 5 * PAGE));
}

/* Without a vector a scan only protects. */
TEST(without_a_vector)
{
	struct scan scan = here();

	touch(memory, N, 2);
	scan.vec = 0;
	scan.vec_len = 0;
	assert_int_equal(scan_pages(pagemap, &scan), 0);
	assert_int_equal(scan.walk_end, scan.end);
	assert_int_equal(written_here(memory, N * PAGE), N);
	scan.flags = WP_MATCHING;
	scan.end -= 4 * PAGE;
	assert_int_equal(scan_pages(pagemap, &scan), 0);
	assert_int_equal(scan.walk_end, scan.end);
	assert_int_equal(written_here(memory, N * PAGE), 4);
	/* A vector of no length is none. */
	scan = here();
	scan.vec_len = 0;
	scan.flags = WP_MATCHING;
	assert_int_equal(scan_pages(pagemap, &scan), 0);
	assert_int_equal(written_here(memory, N * PAGE), 0);
}

/* ---- where a scan ends */

TEST(empty_ranges)
{
	struct scan scan = here();

	touch(memory, N, 2);
	scan.end = scan.start;
	scan.walk_end = 1;
	assert_int_equal(scan_pages(pagemap, &scan), 0);
	assert_int_equal(scan.walk_end, scan.end);
}

/* The end need not be a page's. */
TEST(ends_inside_a_page)
{
	struct scan scan = here();

	touch(memory, N, 2);
	scan.end = scan.start + 2 * PAGE + 1;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, memory, 3, IS_WRITTEN);
	assert_int_equal(scan.walk_end, (uintptr_t)memory + 3 * PAGE);
}

TEST(ends_when_the_vector_is_full)
{
	struct scan scan = here();

	touch(memory + 1 * PAGE, 1, 2);
	touch(memory + 4 * PAGE, 2, 2);
	touch(memory + 9 * PAGE, 1, 2);
	scan.vec_len = 2;
	assert_int_equal(scan_pages(pagemap, &scan), 2);
	is_region(0, memory + 1 * PAGE, 1, IS_WRITTEN);
	is_region(1, memory + 4 * PAGE, 2, IS_WRITTEN);
	/* The first page that would have needed another region */
	assert_int_equal(scan.walk_end, (uintptr_t)memory + 9 * PAGE);
	scan.start = scan.walk_end;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, memory + 9 * PAGE, 1, IS_WRITTEN);
	assert_int_equal(scan.walk_end, scan.end);
	/* Full, and nothing is left. */
	scan = here();
	scan.vec_len = 3;
	assert_int_equal(scan_pages(pagemap, &scan), 3);
	assert_int_equal(scan.walk_end, scan.end);
}

TEST(ends_after_max_pages)
{
	struct scan scan = here();

	touch(memory + 1 * PAGE, 2, 2);
	touch(memory + 6 * PAGE, 2, 2);
	touch(memory + 12 * PAGE, 1, 2);
	/* Inside a region */
	scan.max_pages = 3;
	assert_int_equal(scan_pages(pagemap, &scan), 2);
	is_region(0, memory + 1 * PAGE, 2, IS_WRITTEN);
	is_region(1, memory + 6 * PAGE, 1, IS_WRITTEN);
	assert_int_equal(scan.walk_end, (uintptr_t)memory + 7 * PAGE);
	/* At the end of one: the next page that matches */
	scan = here();
	scan.max_pages = 4;
	assert_int_equal(scan_pages(pagemap, &scan), 2);
	is_region(1, memory + 6 * PAGE, 2, IS_WRITTEN);
	assert_int_equal(scan.walk_end, (uintptr_t)memory + 12 * PAGE);
	/* Exactly as many as there are */
	scan = here();
	scan.max_pages = 5;
	assert_int_equal(scan_pages(pagemap, &scan), 3);
	assert_int_equal(scan.walk_end, scan.end);
	scan = here();
	scan.max_pages = UINT64_MAX;
	assert_int_equal(scan_pages(pagemap, &scan), 3);
	assert_int_equal(scan.walk_end, scan.end);
}

/*
 * More regions than the kernel's own buffer holds: none is lost, none comes twice. Linux itself
 * then leaves walk_end where its buffer was full for the last time (do_pagemap_scan()), even if the
 * scan went on to the end: a caller who goes on from there looks at some pages again.
 */
TEST(many_regions)
{
	const size_t pages = 4000;
	char *p = map_filled(pages);
	int other = async_uffd_of(p, pages * PAGE), i;
	struct scan scan = written_pages(p, pages * PAGE, vec, 2048);

	for (i = 0; i < 2000; i++)
		touch(p + 2 * i * PAGE, 1, 2);
	assert_int_equal(scan_pages(pagemap, &scan), 2000);
	for (i = 0; i < 2000; i++)
		is_region(i, p + 2 * i * PAGE, 1, IS_WRITTEN);
	assert_in_range(scan.walk_end, (uintptr_t)p + 3072 * PAGE, scan.end);
	scan.vec_len = 700;
	scan.flags = WP_MATCHING;
	assert_int_equal(scan_pages(pagemap, &scan), 700);
	is_region(699, p + 2 * 699 * PAGE, 1, IS_WRITTEN);
	assert_int_equal(scan.walk_end, (uintptr_t)p + 1400 * PAGE);
	assert_int_equal(written_here(p, pages * PAGE), 1300);
	scan.max_pages = 600;
	assert_int_equal(scan_pages(pagemap, &scan), 600);
	is_region(0, p + 1400 * PAGE, 1, IS_WRITTEN);
	assert_int_equal(written_here(p, pages * PAGE), 700);
	close(other);
	munmap(p, pages * PAGE);
}

/* One region goes over the border of two mappings, and of two page tables. */
TEST(regions_over_borders)
{
	const size_t pages = 1100;
	char *p = map_filled(pages);
	int other = async_uffd_of(p, pages * PAGE);
	struct scan scan = written_pages(p, pages * PAGE, vec, 4);

	assert_ok(mprotect(p, 30 * PAGE, PROT_READ));
	assert_ok(mprotect(p, 30 * PAGE, PROT_READ | PROT_WRITE));
	assert_ok(madvise(p + 40 * PAGE, 10 * PAGE, MADV_DONTFORK));
	touch(p, pages, 3);
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, p, pages, IS_WRITTEN);
	assert_int_equal(scan.walk_end, scan.end);
	close(other);
	munmap(p, pages * PAGE);
}

TEST(gaps_are_passed_over)
{
	struct scan scan = here();

	touch(memory, N, 2);
	assert_ok(munmap(memory + 4 * PAGE, 2 * PAGE));
	scan.flags = CHECK_WPASYNC;
	assert_int_equal(scan_pages(pagemap, &scan), 2);
	is_region(0, memory, 4, IS_WRITTEN);
	is_region(1, memory + 6 * PAGE, N - 6, IS_WRITTEN);
	/* Even by a scan that takes everything, and by one that takes what is not there. */
	scan = here();
	scan.start += 4 * PAGE;
	scan.end = scan.start + 2 * PAGE;
	scan.category_mask = 0;
	scan.return_mask = IS_ALL;
	assert_int_equal(scan_pages(pagemap, &scan), 0);
	assert_int_equal(scan.walk_end, scan.end);
	scan.category_inverted = IS_ALL;
	scan.category_mask = IS_ALL;
	assert_int_equal(scan_pages(pagemap, &scan), 0);
}

TEST(whole_address_space)
{
	struct scan scan = here();
	bool found = false;
	int n, i;

	touch(memory + PAGE, 1, 2);
	scan.start = 0;
	scan.end = 0x7ffffffff000ull;
	scan.category_mask = IS_WRITTEN | IS_WPALLOWED;
	n = scan_pages(pagemap, &scan);
	assert_true(n > 0);
	assert_true(scan.walk_end > (uintptr_t)memory && scan.walk_end <= scan.end);
	for (i = 0; i < n; i++)
		if (vec[i].start == (uintptr_t)memory + PAGE && vec[i].end == vec[i].start + PAGE)
			found = true;
	assert_true(found);
}

/* ---- categories */

#define SEEN (IS_FILE | IS_PRESENT | IS_SWAPPED | IS_PFNZERO | IS_HUGE | IS_WPALLOWED)

static uint64_t seen(const void *page)
{
	return categories_here(page) & (SEEN | IS_WRITTEN);
}

TEST(anonymous_pages)
{
	char *plain = map_filled(1), *zero = map_anon(1);

	assert_int_equal(seen(memory), IS_PRESENT | IS_WPALLOWED);
	touch(memory, 1, 2);
	assert_int_equal(seen(memory), IS_PRESENT | IS_WPALLOWED | IS_WRITTEN);
	/* Registered nowhere */
	assert_int_equal(seen(plain), IS_PRESENT | UNREGISTERED_WRITTEN);
	assert_int_equal(*(volatile char *)zero, 0);
	assert_int_equal(seen(zero), IS_PRESENT | IS_PFNZERO | UNREGISTERED_WRITTEN);
	munmap(plain, PAGE);
	munmap(zero, PAGE);
}

/* Protected with nothing in it. Whether that is a marker, which counts as swapped, is not said. */
TEST(unpopulated_pages)
{
	char *p = map_anon(N);
	int other = async_uffd_of(p, N * PAGE);

	assert_int_equal(seen(p) & (IS_WRITTEN | IS_WPALLOWED | IS_FILE | IS_HUGE), IS_WPALLOWED);
	assert_int_equal(written_here(p, N * PAGE), 0);
	assert_int_equal(*(volatile char *)p, 0);
	assert_int_equal(seen(p), IS_PRESENT | IS_PFNZERO | IS_WPALLOWED);
	*(volatile char *)p = 1;
	assert_int_equal(seen(p), IS_PRESENT | IS_WRITTEN | IS_WPALLOWED);
	*(volatile char *)(p + PAGE) = 1;
	assert_int_equal(seen(p + PAGE), IS_PRESENT | IS_WRITTEN | IS_WPALLOWED);
	assert_int_equal(written_here(p, N * PAGE), 2);
	close(other);
	munmap(p, N * PAGE);
}

TEST(shared_pages)
{
	char *p = map_shared(N * PAGE, NULL);
	int other;

	needs_memory_of_files();
	touch(p, 1, 1);
	assert_int_equal(seen(p), IS_PRESENT | IS_FILE | UNREGISTERED_WRITTEN);
	other = async_uffd_of(p, N * PAGE);
	assert_int_equal(seen(p), IS_PRESENT | IS_FILE | IS_WPALLOWED);
	touch(p, 1, 1);
	assert_int_equal(seen(p), IS_PRESENT | IS_FILE | IS_WRITTEN | IS_WPALLOWED);
	close(other);
	munmap(p, N * PAGE);
}

/* The file's page, then a copy of one's own */
TEST(private_pages_of_a_file)
{
	int fd = new_ordinary_file(4 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(*p, 'o');
	assert_int_equal(seen(p), IS_PRESENT | IS_FILE | UNREGISTERED_WRITTEN);
	touch(p, 1, 1);
	assert_int_equal(seen(p), IS_PRESENT | UNREGISTERED_WRITTEN);
	close(fd);
	munmap(p, 4 * PAGE);
}

TEST(huge_pages)
{
	char *p = map_huge(1);
	int other;

	if (!p)
		skip_because("no huge page was to be had");
	assert_int_equal(seen(p), IS_PRESENT | IS_HUGE | UNREGISTERED_WRITTEN);
	other = async_uffd_of(p, HUGE_PAGE);
	assert_int_equal(seen(p + 5 * PAGE), IS_PRESENT | IS_HUGE | IS_WPALLOWED);
	/* The first write splits it, and is a small page's. */
	touch(p + 7 * PAGE, 1, 2);
	assert_int_equal(seen(p + 7 * PAGE), IS_PRESENT | IS_WRITTEN | IS_WPALLOWED);
	assert_int_equal(seen(p + 8 * PAGE), IS_PRESENT | IS_WPALLOWED);
	assert_int_equal(written_here(p, HUGE_PAGE), 1);
	close(other);
	munmap(p, HUGE_PAGE);
}

/* A scan protects a huge page as a whole, and splits it to protect a part. */
TEST(huge_pages_are_protected)
{
	char *p = map_huge(1);
	struct scan scan;
	int other = async_uffd();

	if (!p)
		skip_because("no huge page was to be had");
	assert_ok(uffd_register(other, p, HUGE_PAGE, REGISTER_WP, NULL));
	scan = written_pages(p, HUGE_PAGE, vec, 8);
	scan.flags = WP_MATCHING;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, p, 512, IS_WRITTEN);
	assert_int_equal(seen(p), IS_PRESENT | IS_HUGE | IS_WPALLOWED);
	assert_ok(uffd_protect(other, p, HUGE_PAGE, 0));
	assert_int_equal(written_here(p, HUGE_PAGE), 512);
	scan.end -= 100 * PAGE;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, p, 412, IS_WRITTEN);
	assert_int_equal(written_here(p, HUGE_PAGE), 100);
	assert_false(categories_here(p) & IS_HUGE);
	close(other);
	munmap(p, HUGE_PAGE);
}

TEST(huge_pages_and_max_pages)
{
	char *p = map_huge(2);
	struct scan scan;
	int other = async_uffd();

	if (!p)
		skip_because("no huge page was to be had");
	assert_ok(uffd_register(other, p, 2 * HUGE_PAGE, REGISTER_WP, NULL));
	scan = written_pages(p, 2 * HUGE_PAGE, vec, 8);
	scan.flags = WP_MATCHING;
	scan.max_pages = 600;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, p, 600, IS_WRITTEN);
	assert_int_equal(scan.walk_end, (uintptr_t)p + 600 * PAGE);
	assert_int_equal(written_here(p, 2 * HUGE_PAGE), 1024 - 600);
	assert_true(categories_here(p) & IS_HUGE);
	close(other);
	munmap(p, 2 * HUGE_PAGE);
}

/* Also where no userfaultfd can write-protect it: PAGEMAP_SCAN is for all memory. */
TEST(pages_of_hugetlb_that_is_not_registered)
{
	const char *reason = hugetlb_reserve(2);
	char *p;

	if (reason)
		skip_because("%s", reason);
	p = map_hugetlb(2, NULL);
	assert_non_null(p);
	touch(p + HUGE_PAGE, 1, 1);
	assert_int_equal(seen(p + HUGE_PAGE + 5 * PAGE),
			 IS_PRESENT | IS_HUGE | IS_FILE | UNREGISTERED_WRITTEN);
	munmap(p, 2 * HUGE_PAGE);
	hugetlb_release();
}

TEST(pages_of_hugetlb)
{
	const char *reason = hugetlb_reserve(2);
	char *p;
	int other;

	needs_memory_of_files();
	if (reason)
		skip_because("%s", reason);
	p = map_hugetlb(2, NULL);
	assert_non_null(p);
	touch(p, 1, 1);
	touch(p + HUGE_PAGE, 1, 1);
	other = async_uffd_of(p, 2 * HUGE_PAGE);
	assert_int_equal(seen(p), IS_PRESENT | IS_HUGE | IS_FILE | IS_WPALLOWED);
	touch(p + 9 * PAGE, 1, 2);
	assert_int_equal(seen(p), IS_PRESENT | IS_HUGE | IS_FILE | IS_WPALLOWED | IS_WRITTEN);
	assert_int_equal(written_here(p, 2 * HUGE_PAGE), 512);
	/* A scan that ends inside one has not looked at it. */
	assert_int_equal(reset_here(p, 2 * HUGE_PAGE), 512);
	assert_int_equal(written_here(p, 2 * HUGE_PAGE), 0);
	close(other);
	munmap(p, 2 * HUGE_PAGE);
	hugetlb_release();
}

TEST(swapped_pages)
{
	const char *reason = swap_on(64 << 20);

	if (reason)
		skip_because("%s", reason);
	touch(memory, 1, 2);
	reason = swap_out(memory, 2 * PAGE);
	if (reason)
		fail_msg("%s", reason);
	assert_int_equal(seen(memory), IS_SWAPPED | IS_WRITTEN | IS_WPALLOWED);
	assert_int_equal(seen(memory + PAGE), IS_SWAPPED | IS_WPALLOWED);
	/* Protected where it is, and when it comes back. */
	assert_int_equal(reset_here(memory, N * PAGE), 1);
	assert_int_equal(seen(memory), IS_SWAPPED | IS_WPALLOWED);
	assert_int_equal(*(volatile char *)memory, 2);
	assert_int_equal(seen(memory), IS_PRESENT | IS_WPALLOWED);
	touch(memory, 1, 3);
	touch(memory + PAGE, 1, 3);
	assert_int_equal(written_here(memory, N * PAGE), 2);
	swap_off();
}

TEST(soft_dirty_pages)
{
	char *p = map_filled(4);

	if (!(categories_here(p) & IS_SOFT_DIRTY))
		skip_because("this kernel has no soft-dirty bits");
	assert_ok(write_file("/proc/self/clear_refs", "4"));
	assert_false(categories_here(p) & IS_SOFT_DIRTY);
	assert_false(categories_here(memory) & IS_SOFT_DIRTY);
	touch(p, 1, 2);
	touch(memory, 1, 2);
	assert_true(categories_here(p) & IS_SOFT_DIRTY);
	assert_true(categories_here(memory) & IS_SOFT_DIRTY);
	assert_false(categories_here(p + PAGE) & IS_SOFT_DIRTY);
	assert_false(categories_here(memory + PAGE) & IS_SOFT_DIRTY);
	/* The two are told apart. */
	assert_int_equal(reset_here(memory, N * PAGE), 1);
	assert_true(categories_here(memory) & IS_SOFT_DIRTY);
	munmap(p, 4 * PAGE);
}

/* ---- masks: the rule, against every combination of four categories in each mask */

static const uint64_t masked[] = { IS_WPALLOWED, IS_WRITTEN, IS_PFNZERO, IS_PRESENT };

static uint64_t mask_of(unsigned int choice)
{
	uint64_t mask = 0;
	int i;

	for (i = 0; i < 4; i++)
		if (choice & 1u << i)
			mask |= masked[i];
	return mask;
}

#define MASKED_PAGES 8

/* Pages of four sorts, two of each, every second one in memory that is registered nowhere. */
static char *masked_pages(int *other)
{
	char *p = map_anon(MASKED_PAGES);
	int i;

	*other = async_uffd();
	for (i = 0; i < MASKED_PAGES; i++) {
		if (i % 4 < 2)
			*(volatile char *)(p + i * PAGE) = 1;
		else
			assert_int_equal(*(volatile char *)(p + i * PAGE), 0);
		if (i % 2)
			continue;
		assert_ok(uffd_register(*other, p + i * PAGE, PAGE, REGISTER_WP, NULL));
		if (i < 4)
			assert_ok(uffd_protect(*other, p + i * PAGE, PAGE, WRITEPROTECT_WP));
	}
	return p;
}

static int expect_regions(const uint64_t *what, const struct scan *scan, char *p,
			  struct scan_region *expected)
{
	uint64_t categories;
	int i, n = 0;

	for (i = 0; i < MASKED_PAGES; i++) {
		categories = what[i] ^ scan->category_inverted;
		if ((categories & scan->category_mask) != scan->category_mask)
			continue;
		if (scan->category_anyof_mask && !(categories & scan->category_anyof_mask))
			continue;
		categories = what[i] & scan->return_mask;
		if (n && expected[n - 1].end == (uintptr_t)p + i * PAGE &&
		    expected[n - 1].categories == categories) {
			expected[n - 1].end += PAGE;
			continue;
		}
		expected[n++] = (struct scan_region){
			(uintptr_t)p + i * PAGE, (uintptr_t)p + (i + 1) * PAGE, categories,
		};
	}
	return n;
}

TEST(every_combination_of_masks)
{
	struct scan_region expected[MASKED_PAGES];
	uint64_t what[MASKED_PAGES];
	struct scan scan;
	unsigned int choice;
	int other, i, n;
	char *p = masked_pages(&other);

	for (i = 0; i < MASKED_PAGES; i++)
		what[i] = categories_here(p + i * PAGE);
	for (choice = 0; choice < 1 << 16; choice++) {
		/* One of seven, which none of the masks divides: in time, and all of each mask. */
		if (choice % 7)
			continue;
		scan = written_pages(p, MASKED_PAGES * PAGE, vec, MASKED_PAGES);
		scan.category_mask = mask_of(choice);
		scan.category_anyof_mask = mask_of(choice >> 4);
		scan.category_inverted = mask_of(choice >> 8);
		scan.return_mask = mask_of(choice >> 12);
		n = scan_pages(pagemap, &scan);
		if (n != expect_regions(what, &scan, p, expected) ||
		    memcmp(vec, expected, n * sizeof(vec[0])) || scan.walk_end != scan.end)
			fail_msg("%d regions: mask %#jx, anyof %#jx, inverted %#jx, return %#jx",
				 n, (uintmax_t)scan.category_mask,
				 (uintmax_t)scan.category_anyof_mask,
				 (uintmax_t)scan.category_inverted, (uintmax_t)scan.return_mask);
	}
	close(other);
	munmap(p, MASKED_PAGES * PAGE);
}

/* ---- memory that is not tracked */

TEST(untracked_memory_can_be_refused)
{
	char *p = map_filled(4);
	struct scan scan = written_pages(p, 4 * PAGE, vec, 8);

	assert_int_equal(scan_pages(pagemap, &scan), unregistered_is_written());
	scan.flags = CHECK_WPASYNC;
	assert_err(scan_pages(pagemap, &scan), EPERM);
	scan.flags = CHECK_WPASYNC | WP_MATCHING;
	assert_err(scan_pages(pagemap, &scan), EPERM);
	/* Neither reported nor protected */
	scan.flags = WP_MATCHING;
	assert_int_equal(scan_pages(pagemap, &scan), 0);
	assert_int_equal(scan.walk_end, scan.end);
	assert_int_equal(written_here(p, 4 * PAGE), 4 * unregistered_is_written());
	munmap(p, 4 * PAGE);
}

TEST(untracked_memory_among_tracked)
{
	struct scan scan = here();

	touch(memory, N, 2);
	assert_ok(uffd_unregister(uffd, memory + 4 * PAGE, 4 * PAGE));
	scan.flags = CHECK_WPASYNC;
	assert_err(scan_pages(pagemap, &scan), EPERM);
	scan = here();
	scan.flags = WP_MATCHING;
	assert_int_equal(scan_pages(pagemap, &scan), 2);
	is_region(0, memory, 4, IS_WRITTEN);
	is_region(1, memory + 8 * PAGE, N - 8, IS_WRITTEN);
	scan = here();
	scan.category_mask = IS_WPALLOWED;
	scan.category_inverted = IS_WPALLOWED;
	assert_int_equal(scan_pages(pagemap, &scan), 1);
	is_region(0, memory + 4 * PAGE, 4, UNREGISTERED_WRITTEN);
}

/* ---- whose memory */

TEST(the_right_is_that_of_open)
{
	touch(memory, 3, 2);
	in_child({
		struct scan_region region;
		struct scan scan = written_pages(memory, N * PAGE, &region, 1);
		char path[64];

		/* The parent's memory: the file is of who has opened it. */
		become_nobody();
		child_expects(scan_pages(pagemap, &scan) == 1);
		child_expects(region.end - region.start == 3 * PAGE);
		scan.flags = WP_MATCHING | CHECK_WPASYNC;
		child_expects(scan_pages(pagemap, &scan) == 1);
		/* What could not be had then cannot be had now. */
		child_expects(open_pagemap(getppid()) == -EACCES);
		snprintf(path, sizeof(path), "/proc/%d/pagemap", 1);
		child_expects(open(path, O_RDONLY) < 0);
	});
	assert_int_equal(written_here(memory, N * PAGE), 0);
	touch(memory, 1, 3);
	assert_int_equal(written_here(memory, N * PAGE), 1);
}

/* A peer that tracks itself; its parent looks, and protects. */
TEST(memory_of_another_process)
{
	struct scan scan = written_pages(memory, N * PAGE, vec, 8);
	char *shared = map_shared(PAGE, NULL);
	volatile int *step = (volatile int *)shared;
	pid_t pid = fork();
	int theirs;

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		async_uffd_of(memory, N * PAGE);
		touch(memory + 5 * PAGE, 2, 2);
		for (*step = 1; *step < 2; )
			usleep(1000);
		touch(memory + 6 * PAGE, 1, 3);
		for (*step = 3;;)
			pause();
	}
	wait_for(*step == 1);
	theirs = open_pagemap(pid);
	assert_true(theirs >= 0);
	scan.flags = WP_MATCHING | CHECK_WPASYNC;
	assert_int_equal(scan_pages(theirs, &scan), 1);
	is_region(0, memory + 5 * PAGE, 2, IS_WRITTEN);
	assert_int_equal(scan_pages(theirs, &scan), 0);
	assert_int_equal(written_here(memory, N * PAGE), 0);
	*step = 2;
	wait_for(*step == 3);
	assert_int_equal(scan_pages(theirs, &scan), 1);
	is_region(0, memory + 6 * PAGE, 1, IS_WRITTEN);
	/* Its memory goes, the file stays: there is nothing any more. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	scan.flags = 0;
	scan.category_mask = 0;
	assert_err(scan_pages(theirs, &scan), -nothing_there());
	if (!nothing_there())
		assert_int_equal(scan.walk_end, scan.end);
	scan.flags = WP_MATCHING | CHECK_WPASYNC;
	assert_err(scan_pages(theirs, &scan), -nothing_there());
	close(theirs);
	munmap(shared, PAGE);
}

/* A process that has become another program has left the memory that was opened. */
TEST(memory_before_exec)
{
	struct scan scan = written_pages(memory, N * PAGE, vec, 8);
	struct peer peer = peer_start();
	int theirs = open_pagemap(peer.pid);

	assert_true(theirs >= 0);
	scan.category_mask = IS_PRESENT;
	assert_true(scan_pages(theirs, &scan) > 0);
	peer_do(&peer, PEER_EXEC, NULL, 0, 0);
	assert_err(scan_pages(theirs, &scan), -nothing_there());
	if (!nothing_there())
		assert_int_equal(scan.walk_end, scan.end);
	close(theirs);
	peer_end(&peer);
}

/* Kernel threads have no memory: refused when opened, or then. */
TEST(kernel_threads)
{
	struct scan scan = here();
	int theirs = open_pagemap(2);
	int ret = theirs < 0 ? theirs : scan_pages(theirs, &scan);

	if (ret >= 0)
		fail_msg("a scan of a kernel thread has succeeded, with %d", ret);
	if (theirs >= 0)
		close(theirs);
}

/* Reading and seeking are what they were. */
TEST(the_file_is_still_a_file)
{
	uint64_t entries[4];

	touch(memory, 1, 2);
	assert_int_equal(pread(pagemap, entries, sizeof(entries), (uintptr_t)memory / PAGE * 8),
			 sizeof(entries));
	/* Present; bit 57, which Linux has since 5.14, is protected. */
	assert_true(entries[0] >> 63 && !(entries[0] >> 57 & 1));
	assert_true(entries[1] >> 63);
	if (uffd_features() & FEATURE_WP_FILES)
		assert_true(entries[1] >> 57 & 1);
	assert_int_equal(lseek(pagemap, (uintptr_t)memory / PAGE * 8, SEEK_SET),
			 (uintptr_t)memory / PAGE * 8);
	assert_int_equal(read(pagemap, entries, 8), 8);
	assert_true(pread(pagemap, entries, 7, 0) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scan_test(sizes_that_are_wrong),
		scan_test(flags_that_are_unknown),
		scan_test(categories_that_are_unknown),
		scan_test(ranges_that_are_wrong),
		scan_test(vectors_that_are_wrong),
		scan_test(arguments_that_cannot_be_read),
		scan_test(other_commands_are_refused),
		scan_test(vectors_that_fault),
		scan_test(written_pages_are_told),
		scan_test(what_is_reported_is_protected),
		scan_test(what_is_not_reported_is_left),
		scan_test(without_a_vector),
		scan_test(empty_ranges),
		scan_test(ends_inside_a_page),
		scan_test(ends_when_the_vector_is_full),
		scan_test(ends_after_max_pages),
		scan_test(many_regions),
		scan_test(regions_over_borders),
		scan_test(gaps_are_passed_over),
		scan_test(whole_address_space),
		scan_test(anonymous_pages),
		scan_test(unpopulated_pages),
		scan_test(shared_pages),
		scan_test(private_pages_of_a_file),
		scan_test(huge_pages),
		scan_test(huge_pages_are_protected),
		scan_test(huge_pages_and_max_pages),
		scan_test(pages_of_hugetlb_that_is_not_registered),
		scan_test(pages_of_hugetlb),
		scan_test(swapped_pages),
		scan_test(soft_dirty_pages),
		scan_test(every_combination_of_masks),
		scan_test(untracked_memory_can_be_refused),
		scan_test(untracked_memory_among_tracked),
		scan_test(the_right_is_that_of_open),
		scan_test(memory_of_another_process),
		scan_test(memory_before_exec),
		scan_test(kernel_threads),
		scan_test(the_file_is_still_a_file),
	};

	return run_native_tests("PAGEMAP_SCAN as in Linux 6.12", tests);
}
