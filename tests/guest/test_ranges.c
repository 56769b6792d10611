// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of more than one mapping: kinds that are refused, kinds that go together, and holes; and
 * ranges into which memory is moved while they are registered.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "support.h"
#include "unserved.h"

#define N 4ul
#define LEN (N * PAGE)

static int attached(void)
{
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_ok(dev_attach_self(fd));
	return fd;
}

static void expect_refused(int fd, const char *start, size_t len, const char *at)
{
	struct uffdwp_register_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};

	assert_err(dev_ioctl(fd, UFFDWP_IOC_REGISTER, &arg), EOPNOTSUPP);
	assert_int_equal(arg.fail_at, (uintptr_t)at);
}

/* Nothing of the range is registered when a mapping in it is refused. */
static void files_are_refused(int flags)
{
	char *p = map_filled(3 * N), *file_at = p + LEN;
	int file = new_untrackable_file(LEN), fd = attached();

	assert_ptr_equal(mmap(file_at, LEN, PROT_READ | PROT_WRITE, flags | MAP_FIXED, file, 0),
			 file_at);
	expect_refused(fd, file_at, LEN, file_at);
	expect_refused(fd, p, 3 * LEN, file_at);
	assert_false(has_registered_memory(getpid()));
	assert_ok(dev_register(fd, p, LEN));
	close(fd);
	close(file);
	munmap(p, 3 * LEN);
}

TEST(private_files_are_refused)
{
	files_are_refused(MAP_PRIVATE);
}

TEST(shared_files_are_refused)
{
	files_are_refused(MAP_SHARED);
}

static char *find_mapping(const char *name, size_t *len)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uintptr_t start, end;
	char line[256];
	char *found = NULL;

	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, name) ||
		    sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) != 2)
			continue;
		found = (char *)start;
		*len = end - start;
	}
	fclose(maps);
	return found;
}

TEST(the_kernels_own_pages_are_refused)
{
	static const char *const names[] = { "[vdso]", "[vvar]" };
	int fd = attached();
	size_t i, len;

	for (i = 0; i < 2; i++) {
		char *p = find_mapping(names[i], &len);

		assert_non_null(p);
		expect_refused(fd, p, len, p);
	}
	close(fd);
}

/* Private, shared and private again, a hole, and memory that may not be read. */
TEST(kinds_go_together)
{
	char *p = map_filled(5 * N), *shared = p + LEN, *hole = p + 3 * LEN, *closed = p + 4 * LEN;
	int file = memfd_create("ranges", MFD_CLOEXEC), fd = attached();
	struct uffdwp_region vec[8];
	struct uffdwp_scan_arg arg = scan_arg(p, 5 * LEN, vec, 8);

	assert_ok(ftruncate(file, LEN));
	assert_ptr_equal(mmap(shared, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0),
			 shared);
	munmap(hole, LEN);
	assert_ok(mprotect(closed, LEN, PROT_NONE));
	if (unserved_here(UFFDWP_KIND_SHMEM, 0)) {
		expect_refused(fd, p, 5 * LEN, shared);
		assert_false(has_registered_memory(getpid()));
		skip_because("refused, as it should be: a mapping of shared memory in the middle");
	}
	assert_ok(dev_register(fd, p, 5 * LEN));
	assert_ok(dev_arm(fd, p, 5 * LEN));
	assert_int_equal(written(fd, p, 5 * LEN, false), 0);
	assert_int_equal(categories(fd, hole), UFFDWP_PAGE_IS_UNTRACKED);

	/* Across the border of two kinds: one region. */
	touch(shared - PAGE, 2, 7);
	touch(hole - PAGE, 1, 7);
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), 2);
	assert_int_equal(vec[0].start, (uintptr_t)shared - PAGE);
	assert_int_equal(vec[0].end, (uintptr_t)shared + PAGE);
	assert_int_equal(vec[1].start, (uintptr_t)hole - PAGE);
	assert_int_equal(vec[1].end, (uintptr_t)hole);
	assert_int_equal(written(fd, p, 5 * LEN, false), 0);
	touch(p, 3 * N, 8);
	assert_int_equal(written(fd, p, 5 * LEN, true), 3 * N);
	close(fd);
	close(file);
	munmap(p, 5 * LEN);
}

/* What is in a private VMA when it is split, and how its parts are touched. */
static void tracked_in_parts(char *p, bool touched)
{
	int fd = attached();

	if (touched)
		touch(p, 9, 1);
	assert_ok(dev_register(fd, p + 3 * PAGE, 3 * PAGE));
	assert_false(is_one_vma(p, 9 * PAGE));
	touch(p, 9, 2);
	assert_ok(dev_unregister(fd, p + 5 * PAGE, PAGE));
	touch(p, 9, 3);
	close(fd);
	assert_true(is_one_vma(p, 9 * PAGE));
	p = mremap(p, 9 * PAGE, 12 * PAGE, MREMAP_MAYMOVE);
	assert_true(p != MAP_FAILED);
	munmap(p, 12 * PAGE);
}

/* Each part of untouched memory would have an anon_vma of its own, and mremap() be EFAULT. */
TEST(untouched_vmas_are_merged_again)
{
	int file;

	tracked_in_parts(map_anon(9), false);
	tracked_in_parts(map_anon(9), true);
	if (!(dev_kinds() & UFFDWP_KIND_SHMEM))
		return;
	file = memfd_create("parts", MFD_CLOEXEC);
	assert_ok(ftruncate(file, 9 * PAGE));
	tracked_in_parts(mmap(NULL, 9 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0),
			 false);
	tracked_in_parts(mmap(NULL, 9 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), false);
	close(file);
}

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* Each of them splits a VMA, and leaves one behind as it was before. */
TEST(vmas_are_merged_again)
{
	int fd = attached(), named;
	char *p = map_filled(9);

	for (named = 0; named < 2; named++) {
		assert_ok(dev_register(fd, p + 3 * PAGE, 3 * PAGE));
		assert_ok(dev_arm(fd, p + 3 * PAGE, 3 * PAGE));
		assert_false(is_one_vma(p, 9 * PAGE));
		assert_ok(dev_unregister(fd, p + 4 * PAGE, PAGE));
		assert_false(is_one_vma(p + 3 * PAGE, 2 * PAGE));
		assert_int_equal(categories(fd, p + 4 * PAGE) & UFFDWP_PAGE_IS_UNTRACKED,
				 UFFDWP_PAGE_IS_UNTRACKED);
		assert_false(categories(fd, p + 3 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
		assert_false(categories(fd, p + 5 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
		assert_ok(dev_unregister(fd, p, 4 * PAGE));
		assert_true(is_one_vma(p, 5 * PAGE));
		assert_ok(dev_unregister(fd, p, 9 * PAGE));
		assert_true(is_one_vma(p, 9 * PAGE));

		assert_ok(dev_register(fd, p + PAGE, PAGE));
		assert_ok(dev_register(fd, p + 7 * PAGE, 2 * PAGE));
		close(fd);
		assert_true(is_one_vma(p, 9 * PAGE));
		fd = attached();
		/* Linux 5.17 and later: memory that has a name is merged with its like only. */
		if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 9 * PAGE, "ranges"))
			break;
	}
	close(fd);
	munmap(p, 9 * PAGE);
}

/*
 * ---- memory that is moved in while the range is registered: with bits that an earlier userfaultfd
 * has left in it, which would say "not written" of pages that no tracker has armed
 */

#define PART 16ul
#define PART_LEN (PART * PAGE)

/* At most, of one test */
#define ROUNDS 250ul
#define SECONDS 4

#define HEAD_START 200000ull

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int uffd_register(int uffd, const void *start, size_t len, uint64_t mode)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)start, .len = len }, .mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &arg) ? -errno : 0;
}

/*
 * A part for each round. Linux 5.10 takes no bits out of what is moved away from its userfaultfd.
 * Later kernels do, and UFFDIO_UNREGISTER does, but not when write protection was given up before.
 * There is no tracker yet that could look after them.
 */
static char *map_with_stale_bits(int uffd)
{
	char *p = map_filled(ROUNDS * PART);
	struct uffdio_writeprotect protect = {
		.range = { .start = (uintptr_t)p, .len = ROUNDS * PART_LEN },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	assert_ok(uffd_register(uffd, p, ROUNDS * PART_LEN, UFFDIO_REGISTER_MODE_WP));
	assert_ok(ioctl(uffd, UFFDIO_WRITEPROTECT, &protect));
	if (kernel_is_before(5, 14))
		return p;
	assert_ok(uffd_register(uffd, p, ROUNDS * PART_LEN, UFFDIO_REGISTER_MODE_MISSING));
	assert_ok(ioctl(uffd, UFFDIO_UNREGISTER, &protect.range));
	/* Otherwise the test would prove nothing. */
	assert_int_equal(armed_entries(p, ROUNDS * PART), ROUNDS * PART);
	return p;
}

static void wait_ns(uint64_t ns)
{
	const uint64_t start = now_ns();

	while (now_ns() - start < ns)
		;
}

struct mover {
	char *from;
	char *to;
	uint64_t delay;		/* ns from @go on; it is registered after HEAD_START */
	atomic_bool ready;
	atomic_bool go;
	bool moved;
};

static void *move_late(void *arg)
{
	struct mover *m = arg;

	m->ready = true;
	while (!m->go)
		;
	wait_ns(m->delay);
	m->moved = mremap(m->from, PART_LEN, PART_LEN, MREMAP_MAYMOVE | MREMAP_FIXED, m->to) ==
		   m->to;
	return NULL;
}

/* The owner of the memory registers it with its own userfaultfd, which was handed in. */
static int owner_registers(int uffd, const void *start, size_t len)
{
	return uffd_register(uffd, start, len, UFFDIO_REGISTER_MODE_WP);
}

/* All of the range, while memory comes into the upper part of it. Is that registered then? */
static bool register_and_move(struct mover *m, char *range, int tracker, int fd,
			      int (*register_with)(int fd, const void *start, size_t len))
{
	pthread_t thread;

	m->ready = false;
	m->go = false;
	assert_ok(pthread_create(&thread, NULL, move_late, m));
	wait_for(m->ready);
	m->go = true;
	wait_ns(HEAD_START);
	assert_ok(register_with(fd, range, 2 * PART_LEN));
	assert_ok(pthread_join(thread, NULL));
	assert_true(m->moved);
	return categories(tracker, m->to) & UFFDWP_PAGE_IS_WPALLOWED;
}

/*
 * What is moved too early has been looked at, and what is moved too late is not registered. So the
 * moment is sought where the one becomes the other, and what comes close to it is tried again and
 * again: in each case all pages of the upper part are written, since nobody has armed them.
 */
static void moved_memory_is_written(char *stale, int tracker, int fd,
				    int (*register_with)(int fd, const void *start, size_t len))
{
	char *range = map_filled(2 * PART), *upper = range + PART_LEN;
	const uint64_t end = now_ns() + SECONDS * 1000000000ull;
	unsigned int rounds, registered = 0, missed = 0;
	uint64_t random = 99, edge = HEAD_START;
	struct mover m = { .to = upper };

	assert_ok(register_with(fd, range, PART_LEN));
	wait_for(!written(tracker, range, PART_LEN, true));
	for (rounds = 0; rounds < ROUNDS && now_ns() < end; rounds++) {
		assert_ptr_equal(mmap(upper, PART_LEN, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), upper);
		thp_advice(upper, PART_LEN, MADV_NOHUGEPAGE);
		touch(upper, PART, 2);
		m.from = stale + rounds * PART_LEN;
		m.delay = edge / 2 + next_random(&random) % edge;
		if (register_and_move(&m, range, tracker, fd, register_with)) {
			registered++;
			edge += edge / 8;
		} else if (edge > 10000) {
			edge -= edge / 8;
		}
		missed += written(tracker, upper, PART_LEN, false) != PART;
		/* What was registered before stays as it was, but for UFFDIO_REGISTER. */
		if (register_with == dev_register)
			assert_int_equal(written(tracker, range, PART_LEN, false), 0);
		else
			wait_for(!written(tracker, range, PART_LEN, true));
	}
	print_message("[   INFO   ] %u rounds, %u times registered, %u times missed\n", rounds,
		      registered, missed);
	assert_int_equal(missed, 0);
	munmap(range, 2 * PART_LEN);
	munmap(stale, ROUNDS * PART_LEN);
}

TEST(what_is_moved_into_a_range_during_register_is_written)
{
	int former = new_uffd(0), fd;
	char *stale = map_with_stale_bits(former);

	fd = attached();
	moved_memory_is_written(stale, fd, fd, dev_register);
	close(fd);
	close(former);
}

TEST(what_is_moved_into_a_range_while_its_owner_registers_is_written)
{
	int former = new_uffd(0), owner = new_uffd(0), fd;
	char *stale = map_with_stale_bits(former);

	fd = dev_open();
	assert_ok(dev_attach_uffd(fd, owner));
	moved_memory_is_written(stale, fd, owner, owner_registers);
	close(fd);
	close(owner);
	close(former);
}

/* ---- a range whose last VMA goes on behind its end, but not always */

struct remapper {
	char *at;
	atomic_bool stop;
	atomic_ulong times;
};

/* What is there is registered in part; a new VMA is not, and so is not split at the range's end. */
static void *map_again(void *arg)
{
	struct remapper *r = arg;

	while (!r->stop) {
		if (mmap(r->at, 2 * LEN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != r->at)
			abort();
		r->times++;
	}
	return NULL;
}

/* The range ends inside the new VMA, which the command meets again when it has registered all. */
TEST(a_vma_that_comes_back_around_the_end_is_no_error)
{
	char *range = map_anon(3 * N);
	struct remapper r = { .at = range + LEN };
	const uint64_t end = now_ns() + SECONDS * 1000000000ull;
	unsigned long rounds = 0, failed = 0;
	pthread_t thread;
	int fd = attached();

	assert_ok(pthread_create(&thread, NULL, map_again, &r));
	for (; now_ns() < end; rounds++)
		failed += dev_register(fd, range, 2 * LEN) != 0;
	r.stop = true;
	assert_ok(pthread_join(thread, NULL));
	print_message("[   INFO   ] %lu times registered, %lu times mapped again, %lu errors\n",
		      rounds, (unsigned long)r.times, failed);
	assert_int_equal(failed, 0);
	close(fd);
	munmap(range, 3 * LEN);
}

/*
 * What begins where a page table of the highest level has nothing, and goes on in its next entry:
 * 512 GiB each, with four levels (Linux 5.10).
 */
#define BORDER ((char *)0x600000000000)

TEST(tables_behind_an_empty_half_terabyte_are_found)
{
	char *p = mmap(BORDER - HUGE_PAGE, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int fd = attached();

	assert_ptr_equal(p, BORDER - HUGE_PAGE);
	thp_advice(p, 2 * HUGE_PAGE, MADV_NOHUGEPAGE);
	touch(BORDER, N, 1);
	assert_ok(dev_register(fd, p, 2 * HUGE_PAGE));
	assert_ok(dev_arm(fd, BORDER, LEN));
	assert_int_equal(written(fd, BORDER, LEN, false), 0);
	assert_int_equal(written(fd, p, 2 * HUGE_PAGE, false), 2 * 512 - N);
	assert_ok(dev_disarm(fd, p, 2 * HUGE_PAGE));
	assert_int_equal(written(fd, BORDER, LEN, false), N);
	close(fd);
	munmap(p, 2 * HUGE_PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_files_are_refused),
		cmocka_unit_test(shared_files_are_refused),
		cmocka_unit_test(the_kernels_own_pages_are_refused),
		cmocka_unit_test(kinds_go_together),
		cmocka_unit_test(untouched_vmas_are_merged_again),
		cmocka_unit_test(vmas_are_merged_again),
		cmocka_unit_test(what_is_moved_into_a_range_during_register_is_written),
		cmocka_unit_test(what_is_moved_into_a_range_while_its_owner_registers_is_written),
		cmocka_unit_test(a_vma_that_comes_back_around_the_end_is_no_error),
		cmocka_unit_test(tables_behind_an_empty_half_terabyte_are_found),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
