// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracker that follows: what is mapped is registered by the call that maps it, and merges with
 * its neighbours, whose pages stay armed. That a process does not notice, test_twin sees.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

static int tracker;

static int set_up(void **state)
{
	(void)state;
	tracker = dev_open();
	assert_ok(dev_attach_self(tracker));
	assert_true(dev_features() & UFFDWP_FEATURE_FOLLOW);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(tracker);
	assert_false(has_registered_memory(getpid()));
	return 0;
}

static void follow_anonymous(void)
{
	assert_ok(dev_follow(tracker, NULL, 0, UFFDWP_KIND_ANON_PRIVATE));
}

static bool is_tracked(const void *page)
{
	return categories(tracker, page) & UFFDWP_PAGE_IS_WPALLOWED;
}

static void assert_untracked(const void *page)
{
	assert_int_equal(categories(tracker, page) & (UFFDWP_PAGE_IS_UNTRACKED |
						      UFFDWP_PAGE_IS_WRITTEN),
			 UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN);
}

/* It is written; when it is armed it is not; and each write is noticed. */
static void assert_works(char *p, size_t pages)
{
	assert_true(is_tracked(p));
	assert_true(is_tracked(p + (pages - 1) * PAGE));
	assert_int_equal(written(tracker, p, pages * PAGE, false), pages);
	assert_ok(dev_arm(tracker, p, pages * PAGE));
	assert_int_equal(written(tracker, p, pages * PAGE, false), 0);
	p[(pages - 1) * PAGE] = 7;
	assert_int_equal(written(tracker, p, pages * PAGE, false), 1);
	assert_true(categories(tracker, p + (pages - 1) * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
}

TEST(what_is_there_is_registered)
{
	char *p = map_filled(4);

	assert_untracked(p);
	follow_anonymous();
	assert_works(p, 4);
	munmap(p, 4 * PAGE);
}

TEST(new_memory_is_registered)
{
	uint64_t before;
	char *p;

	follow_anonymous();
	before = dev_stats(tracker).mappings_followed;
	p = map_anon(4);
	assert_works(p, 4);
	assert_int_equal(dev_stats(tracker).mappings_followed, before + 1);
	assert_int_equal(dev_stats(tracker).mappings_missed, 0);
	munmap(p, 4 * PAGE);
}

/* mmap() populates it when mmap_lock was dropped. */
TEST(populated_memory_is_registered)
{
	char *p;

	follow_anonymous();
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	assert_works(p, 4);
	munmap(p, 4 * PAGE);
}

TEST(the_heap_grows_registered)
{
	char *p;

	follow_anonymous();
	p = sbrk(0);
	assert_true(sbrk(9 * PAGE) == p);
	p = (char *)(((uintptr_t)p + PAGE - 1) & ~(PAGE - 1));
	assert_works(p, 8);
	sbrk(-9 * (long)PAGE);
}

/* As the arenas of malloc: reserved, and made accessible piece by piece. */
TEST(reserved_memory_is_one_mapping_as_before)
{
	char *p;

	follow_anonymous();
	p = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ok(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE));
	assert_works(p, 4);
	assert_ok(mprotect(p, 8 * PAGE, PROT_READ | PROT_WRITE));
	assert_true(is_one_vma(p, 8));
	assert_works(p + 4 * PAGE, 4);
	assert_int_equal(written(tracker, p, 4 * PAGE, false), 1);
	munmap(p, 16 * PAGE);
}

/* Three mappings, one of them armed, become one when the last has come. */
TEST(neighbours_merge_and_stay_armed)
{
	char *p = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	munmap(p, 16 * PAGE);
	follow_anonymous();
	for (i = 0; i < 3; i++)
		assert_ptr_equal(mmap(p + (i == 2 ? 4 : 8 * i) * PAGE, 4 * PAGE,
				      PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
				 p + (i == 2 ? 4 : 8 * i) * PAGE);
	assert_true(is_one_vma(p, 12));
	assert_ok(dev_arm(tracker, p, 12 * PAGE));
	touch(p + PAGE, 2, 3);
	assert_ptr_equal(mmap(p + 12 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + 12 * PAGE);
	assert_true(is_one_vma(p, 16));
	assert_int_equal(written(tracker, p, 12 * PAGE, false), 2);
	assert_works(p + 12 * PAGE, 4);
	munmap(p, 16 * PAGE);
}

TEST(what_replaces_memory_is_written)
{
	char *p;

	follow_anonymous();
	p = map_filled(8);
	assert_ok(dev_arm(tracker, p, 8 * PAGE));
	assert_ptr_equal(mmap(p + 2 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + 2 * PAGE);
	assert_int_equal(written(tracker, p, 8 * PAGE, false), 3);
	assert_works(p + 2 * PAGE, 3);
	munmap(p, 8 * PAGE);
}

/* The kernel clears the bits of what it moves, and 5.10 does not. */
TEST(what_is_moved_is_registered_and_written)
{
	char *p, *to;

	follow_anonymous();
	p = map_filled(4);
	to = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ok(dev_arm(tracker, p, 4 * PAGE));
	p = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 4 * PAGE);
	assert_ptr_equal(p, to + 4 * PAGE);
	assert_int_equal(p[PAGE], 1);
	assert_int_equal(armed_entries(p, 8), 0);
	assert_works(p, 8);
	munmap(to, 16 * PAGE);
}

/* What it has merged with was not moved. */
TEST(a_neighbour_of_what_is_moved_stays_armed)
{
	char *p, *q, *area = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(area, 16 * PAGE);
	follow_anonymous();
	p = mmap(area, 4 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	touch(p, 4, 1);
	assert_ok(dev_arm(tracker, p, 4 * PAGE));
	/* Without an anon_vma of its own it goes with any. */
	q = mmap(area + 8 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	assert_ptr_equal(mremap(q, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				area + 4 * PAGE), area + 4 * PAGE);
	assert_true(is_one_vma(area, 8));
	assert_int_equal(written(tracker, p, 4 * PAGE, false), 0);
	assert_works(area + 4 * PAGE, 4);
	munmap(area, 16 * PAGE);
}

/* A huge page is moved by its PMD. */
TEST(a_huge_page_that_is_moved_is_written)
{
	char *p, *all, *to;

	follow_anonymous();
	p = map_huge(1);
	if (!p)
		skip_because("no huge page to be had");
	assert_ok(dev_arm(tracker, p, HUGE_PAGE));
	all = mmap(NULL, 2 * HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	to = next_huge_page(all);
	assert_ptr_equal(mremap(p, HUGE_PAGE, HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	assert_works(to, 512);
	munmap(to, HUGE_PAGE);
	munmap(all, 2 * HUGE_PAGE);
}

/* What grows where it is, is registered as it was, and its new part is written. */
TEST(a_mapping_that_grows_stays_armed)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p, 8 * PAGE);
	follow_anonymous();
	assert_ptr_equal(mmap(p, 4 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p);
	touch(p, 4, 1);
	assert_ok(dev_arm(tracker, p, 4 * PAGE));
	assert_ptr_equal(mremap(p, 4 * PAGE, 8 * PAGE, 0), p);
	assert_int_equal(written(tracker, p, 4 * PAGE, false), 0);
	assert_works(p + 4 * PAGE, 4);
	munmap(p, 8 * PAGE);
}

TEST(only_what_was_asked_for_is_registered)
{
	char *p, *area = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(area, 16 * PAGE);
	assert_ok(dev_follow(tracker, area, 8 * PAGE, UFFDWP_KIND_ANON_PRIVATE));
	/* Half inside, half outside */
	p = mmap(area + 4 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	assert_ptr_equal(p, area + 4 * PAGE);
	assert_works(p, 4);
	assert_untracked(p + 4 * PAGE);
	/* Moved out */
	p = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 14 * PAGE);
	assert_ptr_equal(p, area + 14 * PAGE);
	assert_untracked(p);
	munmap(area, 16 * PAGE);
	p = map_anon(1);
	assert_untracked(p);
	munmap(p, PAGE);
}

TEST(what_may_never_be_written_is_left_out)
{
	int fd = memfd_create("read-only", MFD_ALLOW_SEALING);
	char *p;

	assert_ok(ftruncate(fd, PAGE));
	assert_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	assert_ok(dev_follow(tracker, NULL, 0, 0));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	assert_untracked(p);
	munmap(p, PAGE);
	close(fd);
}

TEST(shared_memory_is_registered)
{
	char *p;
	int fd;

	if (!(dev_kinds() & UFFDWP_KIND_SHMEM))
		skip_because("this kernel has no markers, so shared memory cannot be tracked");
	assert_ok(dev_follow(tracker, NULL, 0, 0));
	fd = memfd_create("shared", 0);
	assert_ok(ftruncate(fd, 4 * PAGE));
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_works(p, 4);
	munmap(p, 4 * PAGE);
	/* A page that is in the file by now is mapped by a fault that only reads, not writable. */
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ok(dev_arm(tracker, p, 4 * PAGE));
	assert_int_equal(p[3 * PAGE], 7);
	p[3 * PAGE] = 8;
	assert_int_equal(written(tracker, p, 4 * PAGE, false), 1);
	munmap(p, 4 * PAGE);
	close(fd);
}

TEST(hugetlb_is_registered)
{
	const char *why;
	char *p;

	if (!(dev_kinds() & UFFDWP_KIND_HUGETLB))
		skip_because("this kernel has no markers, so hugetlb cannot be tracked");
	why = hugetlb_reserve(2);
	if (why)
		skip_because("%s", why);
	assert_ok(dev_follow(tracker, NULL, 0, 0));
	p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_true(p != MAP_FAILED);
	assert_true(is_tracked(p));
	assert_ok(dev_arm(tracker, p, 2 * HUGE_PAGE));
	p[HUGE_PAGE] = 1;
	assert_int_equal(written(tracker, p, 2 * HUGE_PAGE, false), 512);
	munmap(p, 2 * HUGE_PAGE);
	hugetlb_release();
}

TEST(files_are_registered)
{
	int fd = new_ordinary_file(4 * PAGE);
	char *p;

	if (!(dev_kinds() & UFFDWP_KIND_FILE))
		skip_because("this kernel cannot track ordinary files");
	assert_ok(dev_follow(tracker, NULL, 0, 0));
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_works(p, 4);
	munmap(p, 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_works(p, 4);
	munmap(p, 4 * PAGE);
	close(fd);
}

TEST(one_tracker_follows)
{
	int other = dev_open();
	char *p;

	assert_ok(dev_attach_self(other));
	follow_anonymous();
	assert_err(dev_follow(other, NULL, 0, 0), EBUSY);
	assert_ok(dev_follow(tracker, NULL, PAGE, UFFDWP_KIND_ANON_PRIVATE));
	assert_ok(dev_follow(other, (char *)PAGE, PAGE, UFFDWP_KIND_ANON_PRIVATE));
	assert_err(dev_follow(tracker, NULL, 2 * PAGE, UFFDWP_KIND_ANON_PRIVATE), EBUSY);
	close(other);
	assert_ok(dev_follow(tracker, NULL, 2 * PAGE, UFFDWP_KIND_ANON_PRIVATE));
	p = map_anon(1);
	assert_untracked(p);
	munmap(p, PAGE);
}

TEST(following_ends)
{
	char *p, *q;

	follow_anonymous();
	p = map_anon(1);
	assert_ok(dev_follow_end(tracker));
	q = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(is_tracked(p));
	assert_untracked(q);
	munmap(p, PAGE);
	munmap(q, PAGE);
	assert_ok(dev_follow_end(tracker));
}

/* The first command that needs them says what a program may ask for. */
TEST(arguments_are_checked)
{
	struct uffdwp_follow_arg arg = { .size = sizeof(arg) };
	const uint64_t all = UFFDWP_KIND_ANON_PRIVATE | UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB |
			     UFFDWP_KIND_FILE;
	int with_uffd, uffd, fd;

	arg.flags = 2;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_FOLLOW, &arg), EINVAL);
	arg.flags = UFFDWP_FOLLOW_END;
	arg.kinds = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_FOLLOW, &arg), EINVAL);
	arg = (struct uffdwp_follow_arg){ .size = sizeof(arg), .reserved = 1 };
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_FOLLOW, &arg), EINVAL);
	arg.size = UFFDWP_FOLLOW_SIZE_VER0 - 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_FOLLOW, &arg), EINVAL);
	assert_err(dev_follow(tracker, NULL, 0, 1ull << 40), EINVAL);
	assert_err(dev_follow(tracker, (char *)1, PAGE, 0), EINVAL);
	assert_err(dev_follow(tracker, (char *)PAGE, 0, 0), EINVAL);
	assert_err(dev_follow(tracker, (char *)PAGE, -PAGE, 0), EOVERFLOW);
	if (dev_kinds() != all)
		assert_err(dev_follow(tracker, NULL, 0, all), EOPNOTSUPP);
	fd = dev_open();
	assert_err(dev_follow(fd, NULL, 0, 0), ENOTCONN);
	close(fd);

	uffd = new_uffd(0);
	with_uffd = dev_open();
	assert_ok(dev_attach_uffd(with_uffd, uffd));
	assert_err(dev_follow(with_uffd, NULL, 0, 0), EOPNOTSUPP);
	close(with_uffd);
	close(uffd);
}

/* The process comes first, also with what it has just mapped. */
TEST(new_memory_gives_way)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = new_uffd(0);
	char *p;

	follow_anonymous();
	p = map_anon(4);
	reg.range.start = (uintptr_t)p;
	reg.range.len = 4 * PAGE;
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_untracked(p);
	assert_ok(ioctl(uffd, UFFDIO_UNREGISTER, &reg.range));
	munmap(p, 4 * PAGE);
	close(uffd);
}

/* What was sparse in memory that is no more is not so in what has come in its place. */
TEST(new_memory_is_not_sparse)
{
	char *p;

	close(tracker);
	tracker = dev_open();
	if (!(dev_features() & UFFDWP_FEATURE_UNPOP_SPARSE))
		skip_because("sparse memory is not offered");
	assert_ok(dev_attach(tracker, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	follow_anonymous();
	p = mmap(NULL, 4 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	p = next_huge_page(p);
	assert_ok(dev_arm(tracker, p, 2 * HUGE_PAGE));
	assert_int_equal(written(tracker, p, 2 * HUGE_PAGE, false), 0);
	assert_ptr_equal(mmap(p, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0), p);
	assert_int_equal(written(tracker, p, 2 * HUGE_PAGE, false), 1024);
	munmap(p, 3 * HUGE_PAGE);
}

/* Everything, by a tracker that keeps no content. */
static void follow_sparse(void)
{
	struct uffdwp_follow_arg arg = {
		.size = sizeof(arg), .kinds = UFFDWP_KIND_ANON_PRIVATE,
		.flags = UFFDWP_FOLLOW_SPARSE,
	};

	assert_err(dev_ioctl(tracker, UFFDWP_IOC_FOLLOW, &arg), EINVAL);
	close(tracker);
	tracker = dev_open();
	if (!(dev_features() & UFFDWP_FEATURE_UNPOP_SPARSE))
		skip_because("sparse memory is not offered");
	assert_ok(dev_attach(tracker, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	assert_ok(dev_ioctl(tracker, UFFDWP_IOC_FOLLOW, &arg));
}

/* From its first instruction on, what is touched is written and nothing else. */
TEST(new_memory_begins_unwritten)
{
	char *p, *q, *heap;

	follow_sparse();
	/* With tables of its own, and within one */
	p = mmap(NULL, 8 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	q = map_anon(16);
	heap = sbrk(0);
	sbrk(8 * PAGE);
	heap = (char *)(((uintptr_t)heap + PAGE - 1) & ~(PAGE - 1));
	assert_int_equal(written(tracker, p, 8 * HUGE_PAGE, false), 0);
	assert_int_equal(written(tracker, q, 16 * PAGE, false), 0);
	assert_int_equal(written(tracker, heap, 7 * PAGE, false), 0);
	thp_advice(p, 8 * HUGE_PAGE, MADV_NOHUGEPAGE);
	p[3 * HUGE_PAGE] = 1;
	touch(q + 2 * PAGE, 3, 1);
	heap[5 * PAGE] = 1;
	assert_int_equal(p[5 * HUGE_PAGE], 0);
	assert_int_equal(written(tracker, p, 8 * HUGE_PAGE, true), 1);
	assert_int_equal(written(tracker, q, 16 * PAGE, true), 3);
	assert_int_equal(written(tracker, heap, 7 * PAGE, true), 1);
	assert_int_equal(written(tracker, p, 8 * HUGE_PAGE, true), 0);
	assert_int_equal(written(tracker, q, 16 * PAGE, true), 0);
	p[5 * HUGE_PAGE] = 1;
	q[0] = 1;
	assert_ok(madvise(q + PAGE, PAGE, MADV_DONTNEED));
	assert_int_equal(written(tracker, p, 8 * HUGE_PAGE, true), 1);
	assert_int_equal(written(tracker, q, 16 * PAGE, true), 2);
	munmap(p, 8 * HUGE_PAGE);
	munmap(q, 16 * PAGE);
	sbrk(-8 * (long)PAGE);
}

static char *map_sparse(char *at)
{
	return mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0);
}

/*
 * Of more parts than may be remembered the new ones are written. What is unmapped is forgotten, so
 * that a process may map and unmap for ever.
 */
TEST(a_process_cannot_fill_the_set)
{
	char *const area = (char *)(1ul << 44);
	const size_t most = 17000;
	size_t i;

	follow_sparse();
	for (i = 0; i < most; i++)
		assert_ptr_equal(map_sparse(area + 2 * i * PAGE), area + 2 * i * PAGE);
	assert_int_equal(written(tracker, area, PAGE, false), 0);
	assert_int_equal(written(tracker, area + 2 * (most - 1) * PAGE, PAGE, false), 1);
	munmap(area, 2 * most * PAGE);
	assert_ptr_equal(map_sparse(area), area);
	assert_int_equal(written(tracker, area, PAGE, false), 0);
	munmap(area, PAGE);
}

/*
 * mmap() calls what it merges soft-dirty as a whole; so must it be when it is merged later. Read
 * as /proc/PID/pagemap has it of a page that nothing is in.
 */
TEST(soft_dirty_is_kept)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool without, with;
	int i;

	for (i = 0; i < 2; i++) {
		munmap(p, 8 * PAGE);
		if (i)
			follow_anonymous();
		assert_ptr_equal(mmap(p, 4 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p);
		assert_ok(write_file("/proc/self/clear_refs", "4"));
		assert_ptr_equal(mmap(p + 4 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
				 p + 4 * PAGE);
		with = pagemap_entry(p + 5 * PAGE) & (1ull << 55);
		if (!i)
			without = with;
	}
	assert_true(is_one_vma(p, 8));
	assert_true(with == without);
	munmap(p, 8 * PAGE);
}

/* ---- births while following begins and ends */

static atomic_bool enough;

/* Mappings come and go, and keep what was written to them. */
static void *come_and_go(void *arg)
{
	char *area = arg;
	uint64_t chance = (uintptr_t)arg;
	unsigned long rounds = 0;
	size_t at, n, i;

	while (!enough) {
		at = next_random(&chance) % 32;
		n = 1 + next_random(&chance) % 16;
		if (mmap(area + at * PAGE, n * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			return "mmap() has failed";
		for (i = 0; i < n; i++) {
			if (area[(at + i) * PAGE])
				return "new memory is not zeroes";
			area[(at + i) * PAGE] = i + 1;
		}
		for (i = 0; i < n; i++)
			if (area[(at + i) * PAGE] != (char)(i + 1))
				return "a write is lost";
		if (next_random(&chance) % 2)
			munmap(area + at * PAGE, n * PAGE);
		rounds++;
	}
	return rounds ? NULL : "nothing was done";
}

TEST(births_meet_begin_and_end)
{
	const time_t until = time(NULL) + 10;
	pthread_t threads[2];
	char *areas[2];
	void *what;
	int i, fd;

	for (i = 0; i < 2; i++)
		areas[i] = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enough = false;
	for (i = 0; i < 2; i++)
		assert_ok(pthread_create(&threads[i], NULL, come_and_go, areas[i]));
	while (time(NULL) < until) {
		fd = dev_open();
		assert_ok(dev_attach_self(fd));
		assert_ok(dev_follow(fd, NULL, 0, 0));
		for (i = 0; i < 2; i++) {
			dev_arm(fd, areas[i], 64 * PAGE);
			written(fd, areas[i], 64 * PAGE, true);
		}
		if (dev_stats(fd).mappings_missed)
			fail_msg("a mapping was missed");
		close(fd);
	}
	enough = true;
	for (i = 0; i < 2; i++) {
		assert_ok(pthread_join(threads[i], &what));
		if (what)
			fail_msg("%s", (char *)what);
		munmap(areas[i], 64 * PAGE);
	}
}

#define FOLLOW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLLOW_TEST(what_is_there_is_registered),
		FOLLOW_TEST(new_memory_is_registered),
		FOLLOW_TEST(populated_memory_is_registered),
		FOLLOW_TEST(the_heap_grows_registered),
		FOLLOW_TEST(reserved_memory_is_one_mapping_as_before),
		FOLLOW_TEST(neighbours_merge_and_stay_armed),
		FOLLOW_TEST(what_replaces_memory_is_written),
		FOLLOW_TEST(what_is_moved_is_registered_and_written),
		FOLLOW_TEST(a_neighbour_of_what_is_moved_stays_armed),
		FOLLOW_TEST(a_huge_page_that_is_moved_is_written),
		FOLLOW_TEST(a_mapping_that_grows_stays_armed),
		FOLLOW_TEST(only_what_was_asked_for_is_registered),
		FOLLOW_TEST(what_may_never_be_written_is_left_out),
		FOLLOW_TEST(shared_memory_is_registered),
		FOLLOW_TEST(hugetlb_is_registered),
		FOLLOW_TEST(files_are_registered),
		FOLLOW_TEST(one_tracker_follows),
		FOLLOW_TEST(following_ends),
		FOLLOW_TEST(arguments_are_checked),
		FOLLOW_TEST(new_memory_gives_way),
		FOLLOW_TEST(new_memory_is_not_sparse),
		FOLLOW_TEST(new_memory_begins_unwritten),
		FOLLOW_TEST(a_process_cannot_fill_the_set),
		FOLLOW_TEST(soft_dirty_is_kept),
		FOLLOW_TEST(births_meet_begin_and_end),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
