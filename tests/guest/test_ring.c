// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring: what becomes written is told, in whatever way it does; what is not told exactly is to
 * be scanned; nothing is lost when it overflows. That it is so for every kind of memory, state and
 * event, test_matrix and the oracle see.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "ring.h"
#include "unserved.h"

#define N 64ul
#define ENTRIES 256u

static char *memory;
static int tracker;
static struct tracer_ring ring;

/* A range is told a page table at a time: none of this memory's ends in its middle. */
static char *map_within_a_table(void)
{
	char *all = map_anon(2 * N);
	size_t before = -(uintptr_t)all % (N * PAGE);
	char *p = all + before;

	if (before)
		munmap(all, before);
	munmap(p + N * PAGE, N * PAGE - before);
	touch(p, N, 1);
	return p;
}

static int set_up(void **state)
{
	(void)state;
	memory = map_within_a_table();
	tracker = tracker_of(memory, N * PAGE);
	assert_true(dev_features() & UFFDWP_FEATURE_RING);
	ring = ring_open(tracker, ENTRIES, 1);
	ring_settle(&ring);
	wait_for(!written(tracker, memory, N * PAGE, true));
	ring_settle(&ring);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (ring.header)
		ring_close(&ring);
	close(tracker);
	munmap(memory, N * PAGE);
	return 0;
}

static bool is_readable(void)
{
	struct pollfd p = { .fd = tracker, .events = POLLIN };

	assert_true(poll(&p, 1, 0) >= 0);
	return p.revents & POLLIN;
}

/* Exactly this, and nothing else, is told. */
static void assert_told(const char *start, size_t pages)
{
	struct uffdwp_ring_entry entry;

	assert_false(ring_says_everything(&ring));
	assert_true(ring_next(&ring, &entry));
	assert_int_equal(entry.start, (uintptr_t)start);
	assert_int_equal(entry.pages, pages);
	assert_int_equal(entry.flags, UFFDWP_RING_WRITTEN);
	assert_false(ring_next(&ring, &entry));
}

/* All that a scan calls written is covered. */
static void assert_covered(const char *start, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		if ((categories(tracker, start + i * PAGE) & UFFDWP_PAGE_IS_WRITTEN) &&
		    !ring_covers(&ring, start + i * PAGE))
			fail_msg("page %zu is written, and the ring does not tell of it", i);
}

TEST(a_first_write_is_told_once)
{
	assert_int_equal(ring_pending(&ring), 0);
	memory[3 * PAGE + 5] = 2;
	memory[3 * PAGE + 6] = 2;
	assert_told(memory + 3 * PAGE, 1);
	assert_int_equal(ring_reset(&ring), 0);
	assert_int_equal(written(tracker, memory, N * PAGE, false), 0);
	assert_int_equal(ring_pending(&ring), 0);
	memory[3 * PAGE + 5] = 2;
	assert_told(memory + 3 * PAGE, 1);
}

TEST(reading_is_not_told)
{
	size_t i;

	for (i = 0; i < N; i++)
		(void)*(volatile char *)(memory + i * PAGE);
	assert_int_equal(written(tracker, memory, N * PAGE, false), 0);
	assert_int_equal(ring_pending(&ring), 0);
	assert_false(ring_says_everything(&ring));
}

TEST(reset_arms_what_was_read_and_no_more)
{
	struct uffdwp_ring_entry entry;
	struct uffdwp_ring_reset_arg arg = { 0 };
	size_t i;

	for (i = 0; i < 10; i++)
		memory[(9 - i) * 2 * PAGE] = 3;
	for (i = 0; i < 5; i++) {
		assert_true(ring_next(&ring, &entry));
		assert_int_equal(entry.start, (uintptr_t)memory + (9 - i) * 2 * PAGE);
	}
	arg.upto = ring.read;
	assert_ok(dev_ring_reset(tracker, &arg));
	assert_int_equal(arg.armed, 5);
	assert_int_equal(arg.told, 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(!(categories(tracker, memory + i * 2 * PAGE) &
				   UFFDWP_PAGE_IS_WRITTEN), i >= 5);
	assert_int_equal(ring_pending(&ring), 5);
	assert_covered(memory, N);
}

TEST(a_huge_page_is_told_by_small_pages)
{
	char *p;

	p = map_huge(1);
	if (!p)
		skip_because("no huge page to be had");
	assert_ok(dev_register(tracker, p, HUGE_PAGE));
	assert_ok(dev_arm(tracker, p, HUGE_PAGE));
	assert_int_equal(written(tracker, p, HUGE_PAGE, true), 0);
	ring_settle(&ring);
	p[7 * PAGE] = 1;
	assert_told(p + 7 * PAGE, 1);
	ring_reset(&ring);
	assert_ok(madvise(p, HUGE_PAGE, MADV_DONTNEED));
	assert_told(p, 512);
	munmap(p, HUGE_PAGE);
}

/* A tracker with these options, of this memory, with a ring that is settled. */
static void begin_anew(uint64_t flags, uint32_t granule, char *p, size_t len)
{
	ring_close(&ring);
	close(tracker);
	tracker = dev_open();
	assert_ok(dev_attach_granule(tracker, flags, granule));
	assert_ok(dev_register(tracker, p, len));
	ring = ring_open(tracker, ENTRIES, 1);
	ring_settle(&ring);
	wait_for(!written(tracker, p, len, true));
	ring_settle(&ring);
}

/* The page itself, and what its write has opened on both sides of it. */
TEST(a_granule_is_told)
{
	char *p = map_filled(N + 32), *block = (char *)(((uintptr_t)p + 16 * PAGE - 1) &
							-(16 * PAGE));

	begin_anew(0, 16, p, (N + 32) * PAGE);
	block[5 * PAGE] = 2;
	assert_int_equal(written(tracker, p, (N + 32) * PAGE, false), 16);
	assert_covered(p, N + 32);
	assert_int_equal(ring_pending(&ring), 3);
	ring_settle(&ring);
	assert_int_equal(written(tracker, p, (N + 32) * PAGE, false), 0);
	munmap(p, (N + 32) * PAGE);
}

TEST(a_huge_page_that_stays_whole_is_told_as_a_whole)
{
	char *p = map_huge(1);

	if (!p)
		skip_because("there was no huge page to be had");
	begin_anew(UFFDWP_ATTACH_WHOLE_HUGE, 0, p, HUGE_PAGE);
	p[7 * PAGE] = 2;
	assert_told(p, 512);
	assert_int_equal(ring_reset(&ring), 0);
	assert_int_equal(written(tracker, p, HUGE_PAGE, false), 0);
	/* A part of it is not armed, and so it is told again. */
	assert_ok(dev_disarm(tracker, p, PAGE));
	assert_told(p, 512);
	assert_int_equal(written(tracker, p, 8 * PAGE, true), 8);
	assert_covered(p, 512);
	assert_int_equal(ring_pending(&ring), 2);
	munmap(p, HUGE_PAGE);
}

/* Its first writes take no fault. */
TEST(sparse_memory_has_no_ring)
{
	uint64_t bytes;
	int fd = dev_open();

	assert_ok(dev_attach(fd, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	assert_err(dev_ring(fd, ENTRIES, 1, &bytes), EOPNOTSUPP);
	close(fd);
}

TEST(hugetlb_is_told_by_its_pages)
{
	const char *reason;
	char *p;

	reason = hugetlb_reserve(2);
	if (reason)
		skip_because("%s", reason);
	p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	needs_kind(UFFDWP_KIND_HUGETLB, p, 2 * HUGE_PAGE);
	p[0] = p[HUGE_PAGE] = 1;
	assert_ok(dev_register(tracker, p, 2 * HUGE_PAGE));
	assert_ok(dev_arm(tracker, p, 2 * HUGE_PAGE));
	wait_for(!written(tracker, p, 2 * HUGE_PAGE, true));
	ring_settle(&ring);
	p[HUGE_PAGE + 5 * PAGE] = 2;
	assert_told(p + HUGE_PAGE, 512);
	ring_reset(&ring);
	assert_int_equal(written(tracker, p, 2 * HUGE_PAGE, false), 0);
	p[0] = 2;
	assert_told(p, 512);
	munmap(p, 2 * HUGE_PAGE);
	hugetlb_release();
}

/* A pin that only reads has a page of its own made, which must not be one without the bit. */
TEST(hugetlb_that_is_read_into_a_pin_is_told)
{
	const char *reason = hugetlb_reserve(4);
	struct iovec to = { memory, PAGE }, from = { NULL, PAGE };
	pid_t child;
	char *p;

	if (reason)
		skip_because("%s", reason);
	p = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	needs_kind(UFFDWP_KIND_HUGETLB, p, HUGE_PAGE);
	p[0] = 1;
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	assert_ok(dev_register(tracker, p, HUGE_PAGE));
	assert_ok(dev_arm(tracker, p, HUGE_PAGE));
	wait_for(!written(tracker, p, HUGE_PAGE, true));
	ring_settle(&ring);
	from.iov_base = p;
	assert_int_equal(process_vm_readv(getpid(), &to, 1, &from, 1, 0), PAGE);
	p[5 * PAGE] = 2;
	assert_true(written(tracker, p, HUGE_PAGE, false));
	assert_true(ring_covers(&ring, p + 5 * PAGE));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(p, HUGE_PAGE);
	hugetlb_release();
}

/* btrfs takes the pages of the file from the page cache, and with them from who has mapped it. */
TEST(what_a_file_system_replaces_is_told)
{
	struct file_clone_range range = { .src_length = N * PAGE };
	const char *reason;
	char *p;
	int file;

	setenv("DISK_FS", "btrfs", 1);
	reason = disk_mount(128 << 20);
	unsetenv("DISK_FS");
	if (reason) {
		disk_unmount();
		skip_because("no btrfs: %s", reason);
	}
	file = disk_file();
	range.src_fd = disk_file();
	assert_true(file >= 0 && range.src_fd >= 0);
	assert_int_equal(pwrite(file, memory, N * PAGE, 0), N * PAGE);
	assert_int_equal(pwrite((int)range.src_fd, memory, N * PAGE, 0), N * PAGE);
	p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	needs_kind(UFFDWP_KIND_FILE, p, N * PAGE);
	touch(p, N, 3);
	assert_ok(dev_register(tracker, p, N * PAGE));
	assert_ok(dev_arm(tracker, p, N * PAGE));
	wait_for(!written(tracker, p, N * PAGE, true));
	ring_settle(&ring);
	assert_ok(ioctl(file, FICLONERANGE, &range) ? -errno : 0);
	p[5 * PAGE] = 2;
	assert_true(written(tracker, p + 5 * PAGE, PAGE, false));
	assert_true(ring_covers(&ring, p + 5 * PAGE));
	assert_covered(p, N);
	munmap(p, N * PAGE);
	close((int)range.src_fd);
	close(file);
	disk_unmount();
}

TEST(unpopulated_memory_is_told)
{
	char *p;

	p = map_anon(N);
	assert_ok(dev_register(tracker, p, N * PAGE));
	assert_ok(dev_arm(tracker, p, N * PAGE));
	ring_settle(&ring);
	p[9 * PAGE] = 1;
	assert_told(p + 9 * PAGE, 1);
	munmap(p, N * PAGE);
}

TEST(markers_are_told)
{
	char *p;
	int fd;

	needs_markers();
	p = map_anon(N);
	fd = dev_open();
	assert_ok(dev_attach_markers(fd));
	assert_ok(dev_register(fd, p, N * PAGE));
	assert_ok(dev_arm(fd, p, N * PAGE));
	ring_close(&ring);
	close(tracker);
	tracker = fd;
	ring = ring_open(fd, ENTRIES, 1);
	ring_settle(&ring);
	(void)*(volatile char *)(p + 8 * PAGE);
	assert_int_equal(ring_pending(&ring), 0);
	p[9 * PAGE] = 1;
	assert_told(p + 9 * PAGE, 1);
	munmap(p, N * PAGE);
}

TEST(discards_are_told)
{
	assert_ok(madvise(memory + 4 * PAGE, 6 * PAGE, MADV_DONTNEED));
	assert_told(memory + 4 * PAGE, 6);
	ring_reset(&ring);
	assert_int_equal(written(tracker, memory, N * PAGE, false), 0);
}

TEST(holes_and_truncation_are_told)
{
	int file;
	char *p;

	file = memfd_create("ring", 0);
	assert_ok(ftruncate(file, N * PAGE));
	p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	needs_kind(UFFDWP_KIND_SHMEM, p, N * PAGE);
	touch(p, N, 1);
	assert_ok(dev_register(tracker, p, N * PAGE));
	assert_ok(dev_arm(tracker, p, N * PAGE));
	wait_for(!written(tracker, p, N * PAGE, true));
	ring_settle(&ring);
	assert_ok(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PAGE, 3 * PAGE));
	assert_covered(p, N);
	assert_true(ring_covers(&ring, p + 5 * PAGE));
	assert_true(ring_covers(&ring, p + 7 * PAGE));
	assert_false(ring_covers(&ring, p + 9 * PAGE));
	ring_settle(&ring);
	assert_ok(ftruncate(file, 20 * PAGE));
	assert_ok(ftruncate(file, N * PAGE));
	assert_covered(p, N);
	assert_true(ring_covers(&ring, p + 20 * PAGE));
	assert_true(ring_covers(&ring, p + (N - 1) * PAGE));
	munmap(p, N * PAGE);
	close(file);
}

TEST(lazily_freed_pages_are_told)
{
	int tries;

	assert_ok(madvise(memory, 8 * PAGE, MADV_FREE));
	assert_covered(memory, N);
	assert_true(ring_covers(&ring, memory));
	/* What it says now is scanned; then reclaim takes the pages. */
	ring_settle(&ring);
	written(tracker, memory, N * PAGE, true);
	for (tries = 0; tries < 200 && !written(tracker, memory, 8 * PAGE, false); tries++) {
		assert_ok(madvise(memory, 8 * PAGE, MADV_PAGEOUT));
		usleep(1000);
		if (tries % 20 == 19)
			empty_batches();
	}
	if (tries == 200)
		skip_because("reclaim has not taken the pages");
	assert_covered(memory, N);
}

TEST(disarming_is_told)
{
	assert_ok(dev_disarm(tracker, memory + 10 * PAGE, 5 * PAGE));
	assert_told(memory + 10 * PAGE, 5);
	ring_reset(&ring);
	assert_int_equal(written(tracker, memory, N * PAGE, false), 0);
}

/* The scan has armed the page, and has to make it written again. */
TEST(a_scan_that_could_not_be_delivered_is_told)
{
	struct uffdwp_region *nowhere;
	struct uffdwp_scan_arg arg;

	nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memory[0] = 5;
	assert_told(memory, 1);
	arg = scan_arg(memory, N * PAGE, nowhere, 1);
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_err(dev_scan(tracker, &arg), EFAULT);
	assert_told(memory, 1);
	assert_covered(memory, N);
	munmap(nowhere, PAGE);
}

TEST(registering_is_to_be_scanned)
{
	char *p;

	p = map_filled(4);
	assert_ok(dev_register(tracker, p, 4 * PAGE));
	assert_covered(p, 4);
	ring_settle(&ring);
	assert_ok(dev_unregister(tracker, memory, N * PAGE));
	assert_covered(memory, N);
	assert_ok(dev_register(tracker, memory, N * PAGE));
	assert_covered(memory, N);
	munmap(p, 4 * PAGE);
}

TEST(memory_that_is_replaced_is_to_be_scanned)
{
	assert_ptr_equal(mmap(memory + 8 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), memory + 8 * PAGE);
	assert_true(ring_covers(&ring, memory + 8 * PAGE));
	assert_true(ring_covers(&ring, memory + 11 * PAGE));
	assert_false(ring_covers(&ring, memory + 12 * PAGE));
	assert_covered(memory, N);
	ring_settle(&ring);
	assert_ptr_equal(mremap(memory + 20 * PAGE, (N - 20) * PAGE, 20 * PAGE, 0),
			 memory + 20 * PAGE);
	assert_true(ring_covers(&ring, memory + 40 * PAGE));
	assert_false(ring_says_everything(&ring));
	ring_settle(&ring);
	/* Elsewhere a munmap() is no concern of the ring's. */
	assert_ok(munmap(map_filled(4), 4 * PAGE));
	assert_int_equal(ring_pending(&ring), 0);
}

/* What is new of a mapping is registered as the rest is, and nobody has armed it. */
TEST(what_grows_in_place_is_told)
{
	char *p = map_filled(N);

	munmap(p + 4 * PAGE, (N - 4) * PAGE);
	assert_ok(dev_register(tracker, p, 4 * PAGE));
	ring_settle(&ring);
	assert_ok(dev_arm(tracker, p, 4 * PAGE));
	ring_settle(&ring);
	assert_ptr_equal(mremap(p, 4 * PAGE, 8 * PAGE, 0), p);
	p[7 * PAGE] = 1;
	assert_true(categories(tracker, p + 7 * PAGE) & UFFDWP_PAGE_IS_WPALLOWED);
	assert_true(ring_covers(&ring, p + 4 * PAGE));
	assert_true(ring_covers(&ring, p + 7 * PAGE));
	assert_false(ring_covers(&ring, p));
	assert_covered(p, 8);
	munmap(p, 8 * PAGE);
}

/* What a thread does that waits for mmap_lock meanwhile, while a locked mapping is populated. */
static void *divide_what_grows(void *arg)
{
	char *p = arg;

	while (mprotect(p + 4 * PAGE, PAGE, PROT_READ) && errno == ENOMEM)
		;
	assert_ok(mprotect(p, 4 * PAGE, PROT_READ));
	return NULL;
}

TEST(what_is_divided_while_it_grows_is_told)
{
	const size_t most = 2000;
	char *p = map_anon(most);
	pthread_t thread;

	munmap(p + 4 * PAGE, (most - 4) * PAGE);
	touch(p, 4, 1);
	assert_ok(dev_register(tracker, p, 4 * PAGE));
	assert_ok(mlock(p, 4 * PAGE));
	ring_settle(&ring);
	assert_ok(dev_arm(tracker, p, 4 * PAGE));
	ring_settle(&ring);
	pthread_create(&thread, NULL, divide_what_grows, p);
	usleep(20000);
	assert_ptr_equal(mremap(p, 4 * PAGE, most * PAGE, 0), p);
	pthread_join(thread, NULL);
	p[1000 * PAGE] = 1;
	assert_true(ring_covers(&ring, p + 4 * PAGE));
	assert_true(ring_covers(&ring, p + 1000 * PAGE));
	assert_true(ring_covers(&ring, p + (most - 1) * PAGE));
	munmap(p, most * PAGE);
}

TEST(a_stack_that_grows_is_told)
{
	/* As much as a stack keeps to its neighbours, and more. */
	const size_t room = 1024;
	char *all = map_anon(room), *p = all + (room - 4) * PAGE;

	munmap(all, room * PAGE);
	assert_ptr_equal(mmap(p, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			      MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1, 0), p);
	touch(p, 4, 1);
	assert_ok(dev_register(tracker, p, 4 * PAGE));
	ring_settle(&ring);
	assert_ok(dev_arm(tracker, p, 4 * PAGE));
	ring_settle(&ring);
	p[-PAGE] = 1;
	p[-3 * (ssize_t)PAGE] = 1;
	assert_true(categories(tracker, p - PAGE) & UFFDWP_PAGE_IS_WPALLOWED);
	assert_true(ring_covers(&ring, p - PAGE));
	assert_true(ring_covers(&ring, p - 3 * PAGE));
	assert_false(ring_covers(&ring, p));
	assert_covered(p - 3 * PAGE, 7);
	munmap(p - 3 * PAGE, 7 * PAGE);
}

TEST(memory_that_is_moved_is_told)
{
	char *to;

	to = map_anon(N);
	assert_ptr_equal(mremap(memory, N * PAGE, N * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	assert_covered(to, N);
	assert_true(ring_covers(&ring, memory));
	munmap(to, N * PAGE);
}

#define TABLES 512ul

#define CGROUPS "/sys/fs/cgroup"
#define NARROW CGROUPS "/narrow"

/*
 * A memory cgroup in which there is no room for many page tables; and nobody in it is to be killed
 * for that, so that allocations fail. Of version 2: one of version 1 would keep others from having
 * memory cgroups of version 2 long after it was removed. NULL, or why not.
 */
static const char *move_into_narrow_cgroup(void)
{
	if (mount("none", CGROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		return "this kernel has no cgroups of version 2";
	if (write_file(CGROUPS "/cgroup.subtree_control", "+memory") ||
	    (mkdir(NARROW, 0755) && errno != EEXIST) ||
	    write_file(NARROW "/memory.max", "1M") ||
	    write_file("/proc/self/oom_score_adj", "-1000") ||
	    write_file(NARROW "/cgroup.procs", "0"))
		return "no memory cgroup can be made";
	return NULL;
}

static void move_out_of_cgroup(void)
{
	assert_ok(write_file(CGROUPS "/cgroup.procs", "0"));
	assert_ok(write_file("/proc/self/oom_score_adj", "0"));
	rmdir(NARROW);
}

/*
 * mremap() moves some of these tables, finds no memory for more, and moves back what has lost its
 * bits by then. Each of its tables is for pages of two tables here, so none is moved as a whole.
 */
static void try_to_move(char *p, size_t len, char *to)
{
	const char *why = move_into_narrow_cgroup();
	size_t i, lost = 0;
	void *moved;
	int err;

	if (why)
		skip_because("%s", why);
	moved = mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	err = errno;
	move_out_of_cgroup();
	assert_ptr_equal(moved, MAP_FAILED);
	assert_int_equal(err, ENOMEM);
	for (i = 0; i < TABLES; i++) {
		if (!written(tracker, p + i * HUGE_PAGE, PAGE, false))
			continue;
		lost++;
		if (!ring_covers(&ring, p + i * HUGE_PAGE))
			fail_msg("page %zu has lost its bit, and the ring does not tell", i);
	}
	/* Linux 5.10 moves the bits, too. */
	assert_true(lost || kernel_is_before(6, 1));
}

/* A page of each table is armed; the page behind them all is in between where they are to be. */
static char *map_tables(size_t len)
{
	const size_t room = 2 * len + 2 * HUGE_PAGE;
	char *all = mmap(NULL, room, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *p = next_huge_page(all);
	size_t i;

	assert_ptr_not_equal(all, MAP_FAILED);
	thp_advice(all, room, MADV_NOHUGEPAGE);
	munmap(all, p - all);
	munmap(p + len + PAGE, all + room - (p + len + PAGE));
	for (i = 0; i < TABLES; i++)
		p[i * HUGE_PAGE] = 1;
	assert_ok(dev_register(tracker, p, len + PAGE));
	for (i = 0; i < TABLES; i++)
		wait_for(!dev_arm(tracker, p + i * HUGE_PAGE, PAGE) &&
			 !written(tracker, p + i * HUGE_PAGE, PAGE, false));
	ring_settle(&ring);
	return p;
}

TEST(what_could_not_be_moved_is_told)
{
	const size_t len = TABLES * HUGE_PAGE;
	char *p = map_tables(len);

	try_to_move(p, len, p + len + PAGE);
	munmap(p, 2 * len + PAGE);
}

TEST(what_the_process_unprotects_is_to_be_scanned)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)memory, N * PAGE }, .mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = { .range = { (uintptr_t)memory + 4 * PAGE, 4 * PAGE } };
	int uffd, fd;

	if (!(dev_features() & UFFDWP_FEATURE_UFFD))
		skip_because("no userfaultfd can be handed in");
	assert_ok(dev_unregister(tracker, memory, N * PAGE));
	uffd = new_uffd(0);
	fd = dev_open();
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_ok(dev_arm(fd, memory, N * PAGE));
	wait_for(!written(fd, memory, N * PAGE, true));
	ring_close(&ring);
	close(tracker);
	tracker = fd;
	ring = ring_open(fd, ENTRIES, 1);
	ring_settle(&ring);
	/* Protecting tells nothing, taking it away does. */
	wp.mode = UFFDIO_WRITEPROTECT_MODE_WP;
	assert_ok(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	assert_int_equal(ring_pending(&ring), 0);
	wp.mode = 0;
	assert_ok(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	assert_int_equal(written(fd, memory, N * PAGE, false), 4);
	assert_covered(memory, N);
	ring_settle(&ring);
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_covered(memory, N);
	ring_settle(&ring);
	assert_ok(dev_arm(fd, memory, N * PAGE));
	assert_ok(ioctl(uffd, UFFDIO_UNREGISTER, &reg.range));
	assert_covered(memory, N);
	close(uffd);
}

/* ---- a userfaultfd call that goes on while a part of it is done */

static int copying;

static void *copy_two_pages(void *arg)
{
	struct uffdio_copy *copy = arg;

	ioctl(copying, UFFDIO_COPY, copy);
	return NULL;
}

/*
 * Its source ends in a page that never comes. What it has filled was armed before there was
 * anything, and is written.
 */
TEST(what_a_call_has_filled_is_told_while_it_goes_on)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_copy copy = { .len = 2 * PAGE };
	char *p, *source = map_anon(2);
	int reader = new_uffd(0), fd;
	pthread_t thread;

	needs_markers();
	p = map_anon(2);
	copying = new_uffd(0);
	fd = dev_open();
	assert_ok(dev_attach(fd, UFFDWP_ATTACH_UFFD, 0, copying, UFFDWP_UNPOP_MARKER));
	reg.range = (struct uffdio_range){ (uintptr_t)p, 2 * PAGE };
	assert_ok(ioctl(copying, UFFDIO_REGISTER, &reg));
	assert_ok(dev_arm(fd, p, 2 * PAGE));
	ring_close(&ring);
	close(tracker);
	tracker = fd;
	ring = ring_open(fd, ENTRIES, 1);
	ring_settle(&ring);
	assert_int_equal(written(fd, p, 2 * PAGE, false), 0);

	source[0] = 7;
	reg.mode = UFFDIO_REGISTER_MODE_MISSING;
	reg.range = (struct uffdio_range){ (uintptr_t)source + PAGE, PAGE };
	assert_ok(ioctl(reader, UFFDIO_REGISTER, &reg));
	copy.dst = (uintptr_t)p;
	copy.src = (uintptr_t)source;
	assert_ok(pthread_create(&thread, NULL, copy_two_pages, &copy));
	wait_for(written(fd, p, 2 * PAGE, false) == 1);
	assert_covered(p, 2);
	/* The copy ends when its source is there. */
	assert_ok(ioctl(reader, UFFDIO_UNREGISTER, &reg.range));
	assert_ok(pthread_join(thread, NULL));
	assert_covered(p, 2);
	close(reader);
	close(copying);
	munmap(p, 2 * PAGE);
	munmap(source, 2 * PAGE);
}

/* ---- pages that the kernel takes away */

/* memory_failure() splits a huge page first, of which a write has made small entries already. */
TEST(a_poisoned_page_of_a_divided_huge_page_is_told)
{
	const char *reason;
	uint64_t frame;
	char *p;

	needs_thp();
	p = map_huge(1);
	if (!p)
		skip_because("no huge page was to be had");
	begin_anew(0, 0, p, HUGE_PAGE);
	p[200 * PAGE] = 2;
	ring_settle(&ring);
	assert_int_equal(written(tracker, p, HUGE_PAGE, false), 0);
	reason = poison(p + 77 * PAGE, &frame);
	if (reason)
		skip_because("%s", reason);
	assert_true(categories(tracker, p + 77 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_covered(p, HUGE_PAGE / PAGE);
	unpoison(frame);
	munmap(p, HUGE_PAGE);
}

/* What it cannot read it leaves without a bit, on any kernel, and says of no page which. */
TEST(swapoff_is_told)
{
	const char *reason = swap_on(16 << 20);

	if (reason)
		skip_because("no swap: %s", reason);
	ring_settle(&ring);
	assert_false(ring_says_everything(&ring));
	swap_off();
	assert_true(ring_says_everything(&ring));
}

/* A breakpoint in code that is mapped: the kernel puts in a page of its own, and takes it out. */
#define TRACING "/sys/kernel/tracing"

TEST(breakpoints_are_told)
{
	static char code[N * PAGE];
	char *p;
	int file;

	if (!(dev_kinds() & UFFDWP_KIND_SHMEM))
		skip_because("this kernel tracks no mapping of code");
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	file = open("/tmp/code", O_RDWR | O_CREAT | O_TRUNC, 0755);
	memset(code, 0x90, sizeof(code));
	assert_int_equal(write(file, code, sizeof(code)), sizeof(code));
	p = mmap(NULL, N * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	if (write_file(TRACING "/uprobe_events", "p:probe /tmp/code:0x1000"))
		skip_because("this kernel has no uprobes");
	(void)*(volatile char *)(p + PAGE);
	begin_anew(0, 0, p, N * PAGE);
	assert_ok(write_file(TRACING "/events/uprobes/probe/enable", "1"));
	assert_int_equal((unsigned char)p[PAGE], 0xcc);
	assert_covered(p, N);
	wait_for((ring_settle(&ring), !written(tracker, p, N * PAGE, true)));
	ring_settle(&ring);
	assert_ok(write_file(TRACING "/events/uprobes/probe/enable", "0"));
	assert_int_equal((unsigned char)p[PAGE], 0x90);
	assert_covered(p, N);
	assert_ok(write_file(TRACING "/uprobe_events", "-:probe"));
	close(file);
	munmap(p, N * PAGE);
}

TEST(what_gives_way_is_told)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)memory, N * PAGE }, .mode = UFFDIO_REGISTER_MODE_WP,
	};
	int uffd;

	uffd = new_uffd(0);
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_covered(memory, N);
	close(uffd);
}

/* vmsplice(2) has a pipe hold the page. */
TEST(a_held_page_is_told_until_it_is_let_go)
{
	struct iovec page = { memory + 2 * PAGE, PAGE };
	int ends[2], round;

	assert_ok(pipe(ends));
	/* In this order: Linux 5.10 copies what is held when it is written. */
	memory[2 * PAGE] = 9;
	assert_int_equal(vmsplice(ends[1], &page, 1, 0), PAGE);
	for (round = 0; round < 3; round++) {
		assert_told(memory + 2 * PAGE, 1);
		ring_reset(&ring);
		assert_true(categories(tracker, page.iov_base) & UFFDWP_PAGE_IS_WRITTEN);
	}
	close(ends[0]);
	close(ends[1]);
	wait_for((ring_settle(&ring), !ring_pending(&ring)));
	assert_int_equal(written(tracker, memory, N * PAGE, false), 0);
}

TEST(a_full_ring_says_everything_and_loses_nothing)
{
	struct uffdwp_ring_entry entry;
	size_t i, told = 0;
	char *p;

	p = map_filled(2 * ENTRIES);
	assert_ok(dev_register(tracker, p, 2 * ENTRIES * PAGE));
	assert_ok(dev_arm(tracker, p, 2 * ENTRIES * PAGE));
	wait_for(!written(tracker, p, 2 * ENTRIES * PAGE, true));
	ring_settle(&ring);
	touch(p, ENTRIES, 2);
	assert_int_equal(ring_pending(&ring), ENTRIES);
	assert_false(ring_says_everything(&ring));
	touch(p + ENTRIES * PAGE, 1, 2);
	assert_int_equal(ring_pending(&ring), ENTRIES);
	assert_true(ring_says_everything(&ring));
	for (; ring_next(&ring, &entry); told++)
		assert_int_equal(entry.start, (uintptr_t)p + told * PAGE);
	assert_int_equal(told, ENTRIES);
	assert_int_equal(ring_reset(&ring), UFFDWP_RING_EVERYTHING);
	assert_false(ring_says_everything(&ring));
	/* What did not fit is found by the scan. */
	assert_int_equal(written(tracker, p, 2 * ENTRIES * PAGE, true), 1);
	for (i = 0; i < 3 * ENTRIES; i++) {
		p[i % ENTRIES * PAGE]++;
		assert_true(ring_next(&ring, &entry));
		assert_int_equal(entry.start, (uintptr_t)p + i % ENTRIES * PAGE);
		ring_reset(&ring);
	}
	munmap(p, 2 * ENTRIES * PAGE);
}

static void *write_soon(void *arg)
{
	usleep(100000);
	*(volatile char *)arg = 1;
	return NULL;
}

TEST(poll_wakes_at_the_watermark)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t thread;
	int fd;

	assert_ok(dev_unregister(tracker, memory, N * PAGE));
	fd = tracker_of(memory, N * PAGE);
	ring_close(&ring);
	close(tracker);
	tracker = p.fd = fd;
	ring = ring_open(fd, ENTRIES, 3);
	/* EVERYTHING is something to do. */
	assert_true(is_readable());
	ring_settle(&ring);
	wait_for(!written(fd, memory, N * PAGE, true));
	ring_settle(&ring);
	assert_false(is_readable());
	memory[0] = memory[PAGE] = 1;
	assert_false(is_readable());
	assert_int_equal(poll(&p, 1, 200), 0);
	assert_ok(pthread_create(&thread, NULL, write_soon, memory + 2 * PAGE));
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(p.revents, POLLIN);
	pthread_join(thread, NULL);
	ring_settle(&ring);
	assert_false(is_readable());
}

TEST(poll_ends_with_the_process)
{
	struct peer peer;
	struct pollfd p = { .events = POLLIN };

	peer = peer_start();
	ring_close(&ring);
	close(tracker);
	tracker = p.fd = dev_open();
	assert_ok(dev_attach_pid(tracker, peer.pid));
	ring = ring_open(tracker, ENTRIES, ENTRIES);
	ring_settle(&ring);
	assert_int_equal(poll(&p, 1, 100), 0);
	peer_do(&peer, PEER_EXIT, NULL, 0, 0);
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(p.revents & POLLHUP);
	wait_for(ring.header->flags & UFFDWP_RING_ENDED);
	peer_end(&peer);
}

TEST(a_closed_userfaultfd_ends_the_ring)
{
	struct pollfd p = { .events = POLLIN };
	int uffd;

	if (!(dev_features() & UFFDWP_FEATURE_UFFD))
		skip_because("no userfaultfd can be handed in");
	uffd = new_uffd(0);
	ring_close(&ring);
	close(tracker);
	tracker = p.fd = dev_open();
	assert_ok(dev_attach_uffd(tracker, uffd));
	ring = ring_open(tracker, ENTRIES, ENTRIES);
	ring_settle(&ring);
	assert_int_equal(poll(&p, 1, 100), 0);
	close(uffd);
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(p.revents & POLLHUP);
}

TEST(nobody_can_write_to_the_ring)
{
	const size_t bytes = 2 * PAGE;
	uint64_t value = 7;
	void *p;
	int mem;

	assert_ptr_equal(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, tracker, 0),
			 MAP_FAILED);
	assert_int_equal(errno, EPERM);
	assert_ptr_equal(mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, tracker, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, tracker, PAGE), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, tracker, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, tracker, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mprotect(p, bytes, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	assert_ptr_equal(mremap(p, bytes, 2 * bytes, MREMAP_MAYMOVE), MAP_FAILED);
	mem = open("/proc/self/mem", O_RDWR);
	assert_true(pwrite(mem, &value, sizeof(value), (uintptr_t)p) <= 0);
	close(mem);
	assert_int_equal(((struct uffdwp_ring_header *)p)->entries, ENTRIES);
	munmap(p, bytes);
}

/* A mapping is as good as a descriptor; a child does not have it. */
TEST(a_mapping_keeps_the_tracker)
{
	pid_t child;
	int status;

	close(tracker);
	memory[0] = 4;
	assert_true(ring_covers(&ring, memory));
	child = fork();
	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		_exit((int)*(volatile uint32_t *)&ring.header->entries);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	ring_close(&ring);
	assert_false(has_registered_memory(getpid()));
	tracker = dev_open();
}

TEST(arguments_are_checked)
{
	struct uffdwp_ring_reset_arg reset = { 0 };
	uint64_t bytes;
	int fd;

	fd = dev_open();
	assert_err(dev_ring(fd, 64, 1, NULL), ENOTCONN);
	assert_err(dev_ring_reset(fd, &reset), ENOTCONN);
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	assert_ok(dev_attach_self(fd));
	assert_err(dev_ring_reset(fd, &reset), ENODEV);
	assert_err(dev_ring(fd, 0, 0, NULL), EINVAL);
	assert_err(dev_ring(fd, 63, 1, NULL), EINVAL);
	assert_err(dev_ring(fd, UFFDWP_RING_MIN_ENTRIES / 2, 1, NULL), EINVAL);
	assert_err(dev_ring(fd, UFFDWP_RING_MAX_ENTRIES * 2, 1, NULL), EINVAL);
	assert_err(dev_ring(fd, 1u << 31, 1, NULL), EINVAL);
	assert_err(dev_ring(fd, 64, 0, NULL), EINVAL);
	assert_err(dev_ring(fd, 64, 65, NULL), EINVAL);
	assert_ok(dev_ring(fd, UFFDWP_RING_MAX_ENTRIES, 1, &bytes));
	assert_int_equal(bytes, PAGE + 16ul * UFFDWP_RING_MAX_ENTRIES);
	assert_err(dev_ring(fd, 64, 1, NULL), EALREADY);
	close(fd);

	memory[0] = 1;
	reset.upto = ring.header->head + 1;
	assert_err(dev_ring_reset(tracker, &reset), EINVAL);
	reset.upto = ring.header->tail - 1;
	assert_err(dev_ring_reset(tracker, &reset), EINVAL);
	reset.upto = UINT64_MAX;
	assert_err(dev_ring_reset(tracker, &reset), EINVAL);
	reset = (struct uffdwp_ring_reset_arg){ .upto = ring.header->head, .flags = 1 };
	assert_err(dev_ring_reset(tracker, &reset), EINVAL);
	reset = (struct uffdwp_ring_reset_arg){ .upto = ring.header->head, .reserved = 1 };
	assert_err(dev_ring_reset(tracker, &reset), EINVAL);
	assert_told(memory, 1);
}

/* What the entries tell of need not be there any more, or be something else. */
TEST(entries_outlive_their_memory)
{
	touch(memory, N, 3);
	assert_ok(munmap(memory, 8 * PAGE));
	assert_ptr_equal(mmap(memory, 4 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), memory);
	assert_ok(dev_unregister(tracker, memory + 16 * PAGE, 8 * PAGE));
	assert_ok(dev_register(tracker, memory + 20 * PAGE, 4 * PAGE));
	assert_ok(mprotect(memory + 30 * PAGE, 2 * PAGE, PROT_READ));
	ring_settle(&ring);
	assert_true(categories(tracker, memory) & UFFDWP_PAGE_IS_UNTRACKED);
	memory[0] = 1;
	assert_false(categories(tracker, memory + 9 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_true(categories(tracker, memory + 17 * PAGE) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_ok(mmap(memory + 4 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
	assert_ok(mprotect(memory + 30 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE));
	memory[31 * PAGE] = 9;
	assert_true(ring_covers(&ring, memory + 31 * PAGE));
}

/* ---- two writers, and a mirror that is made from the ring alone */

#define WRITERS 2
#define ALL 2048ul

static struct {
	char *memory;
	char mirror[ALL * PAGE];
	atomic_bool stop, pause;
	atomic_int paused;
	atomic_ulong writes;
} load;

static void *write_on(void *arg)
{
	uint64_t random = (uintptr_t)arg * 0x9E3779B97F4A7C15ull + 1, r;

	while (!load.stop) {
		if (load.pause) {
			load.paused++;
			while (load.pause && !load.stop)
				usleep(100);
			load.paused--;
		}
		r = next_random(&random);
		if (r % 200 == 0)
			madvise(load.memory + (r >> 20) % ALL * PAGE, PAGE, MADV_DONTNEED);
		else
			*(uint64_t *)(load.memory + (r >> 20) % (ALL * PAGE / 8) * 8) = r;
		load.writes++;
	}
	return NULL;
}

static void copy_pages(uint64_t start, uint64_t pages)
{
	const uint64_t first = (uintptr_t)load.memory;

	if (start >= first && start < first + ALL * PAGE)
		memcpy(load.mirror + (start - first), (char *)(uintptr_t)start, pages * PAGE);
}

static void copy_by_scan(uint64_t start, uint64_t pages)
{
	static struct uffdwp_region vec[512];
	struct uffdwp_scan_arg arg = scan_arg((void *)(uintptr_t)start, pages * PAGE, vec, 512);
	int n, i;

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	while (arg.start != arg.end) {
		n = dev_scan(tracker, &arg);
		assert_true(n >= 0);
		for (i = 0; i < n; i++)
			copy_pages(vec[i].start, (vec[i].end - vec[i].start) / PAGE);
		arg.start = arg.walk_end;
	}
}

/* One harvest, in the order of the manual. Returns what was told. */
static size_t harvest(size_t *everything)
{
	static struct uffdwp_ring_entry kept[4096];
	size_t n = 0, i;

	while (n < 4096 && ring_next(&ring, &kept[n])) {
		const uint64_t first = (uintptr_t)load.memory;

		/* None is torn. */
		assert_true(kept[n].start % PAGE == 0 && kept[n].pages && kept[n].pages <= ALL);
		assert_true(kept[n].flags == UFFDWP_RING_WRITTEN ||
			    kept[n].flags == UFFDWP_RING_SCAN);
		assert_true(kept[n].start >= first && kept[n].start < first + ALL * PAGE);
		n++;
	}
	if (ring_reset(&ring)) {
		copy_by_scan((uintptr_t)load.memory, ALL);
		++*everything;
	}
	for (i = 0; i < n; i++) {
		if (kept[i].flags == UFFDWP_RING_WRITTEN)
			copy_pages(kept[i].start, kept[i].pages);
		else
			copy_by_scan(kept[i].start, kept[i].pages);
	}
	return n;
}

static void writers_are_followed(uint32_t entries, bool overflows)
{
	pthread_t threads[WRITERS];
	const size_t enough = overflows ? 300 : 3000;
	size_t told = 0, everything = 0, rounds, i;
	time_t end = time(NULL) + 20;

	load.memory = map_filled(ALL);
	load.stop = load.pause = false;
	load.writes = 0;
	ring_close(&ring);
	close(tracker);
	tracker = dev_open();
	assert_ok(dev_attach_self(tracker));
	assert_ok(dev_register(tracker, load.memory, ALL * PAGE));
	ring = ring_open(tracker, entries, entries);
	for (i = 0; i < WRITERS; i++)
		assert_ok(pthread_create(&threads[i], NULL, write_on, (void *)(i + 1)));
	for (rounds = 0; rounds < 20 && time(NULL) < end; rounds++) {
		size_t from = told;

		while (told - from < enough && time(NULL) < end) {
			told += harvest(&everything);
			if (overflows)
				usleep(500);
		}
		load.pause = true;
		wait_for(load.paused == WRITERS);
		do
			i = harvest(&everything);
		while (ring_pending(&ring) && i);
		told += i;
		for (i = 0; i < ALL; i++)
			if (memcmp(load.mirror + i * PAGE, load.memory + i * PAGE, PAGE))
				fail_msg("round %zu: page %zu was written, and the ring has not told of it",
					 rounds, i);
		load.pause = false;
		wait_for(!load.paused);
	}
	load.stop = true;
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	print_message("[   INFO   ] %zu rounds, %zu entries, %zu times everything, %lu writes\n",
		      rounds, told, everything, load.writes);
	assert_true(rounds > 2);
	if (overflows)
		assert_true(everything > 1);
	munmap(load.memory, ALL * PAGE);
}

TEST(a_mirror_follows_two_writers)
{
	writers_are_followed(4096, false);
}

TEST(a_small_ring_that_overflows_loses_nothing)
{
	writers_are_followed(UFFDWP_RING_MIN_ENTRIES, true);
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(a_first_write_is_told_once),
		RING_TEST(reading_is_not_told),
		RING_TEST(reset_arms_what_was_read_and_no_more),
		RING_TEST(a_huge_page_is_told_by_small_pages),
		RING_TEST(a_granule_is_told),
		RING_TEST(a_huge_page_that_stays_whole_is_told_as_a_whole),
		RING_TEST(sparse_memory_has_no_ring),
		RING_TEST(hugetlb_is_told_by_its_pages),
		RING_TEST(hugetlb_that_is_read_into_a_pin_is_told),
		RING_TEST(what_a_file_system_replaces_is_told),
		RING_TEST(unpopulated_memory_is_told),
		RING_TEST(markers_are_told),
		RING_TEST(discards_are_told),
		RING_TEST(holes_and_truncation_are_told),
		RING_TEST(lazily_freed_pages_are_told),
		RING_TEST(disarming_is_told),
		RING_TEST(a_scan_that_could_not_be_delivered_is_told),
		RING_TEST(registering_is_to_be_scanned),
		RING_TEST(memory_that_is_replaced_is_to_be_scanned),
		RING_TEST(what_grows_in_place_is_told),
		RING_TEST(what_is_divided_while_it_grows_is_told),
		RING_TEST(a_stack_that_grows_is_told),
		RING_TEST(memory_that_is_moved_is_told),
		RING_TEST(what_could_not_be_moved_is_told),
		RING_TEST(what_the_process_unprotects_is_to_be_scanned),
		RING_TEST(what_a_call_has_filled_is_told_while_it_goes_on),
		RING_TEST(a_poisoned_page_of_a_divided_huge_page_is_told),
		RING_TEST(swapoff_is_told),
		RING_TEST(breakpoints_are_told),
		RING_TEST(what_gives_way_is_told),
		RING_TEST(a_held_page_is_told_until_it_is_let_go),
		RING_TEST(a_full_ring_says_everything_and_loses_nothing),
		RING_TEST(poll_wakes_at_the_watermark),
		RING_TEST(poll_ends_with_the_process),
		RING_TEST(a_closed_userfaultfd_ends_the_ring),
		RING_TEST(nobody_can_write_to_the_ring),
		RING_TEST(a_mapping_keeps_the_tracker),
		RING_TEST(arguments_are_checked),
		RING_TEST(entries_outlive_their_memory),
		RING_TEST(a_mirror_follows_two_writers),
		RING_TEST(a_small_ring_that_overflows_loses_nothing),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
