// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDWP_ATTACH_WHOLE_HUGE: a write to an armed huge page makes all of it written, in one fault,
 * and leaves it huge.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define HUGE 2ul
#define LEN (HUGE * HUGE_PAGE)
#define ROUNDS 300

static char *huge_or_skip(void)
{
	char *p = map_huge(HUGE);

	if (!p)
		skip_because("no huge page could be had");
	return p;
}

static int whole_tracker(const char *p, size_t len)
{
	int fd = dev_open();

	assert_ok(dev_attach_granule(fd, UFFDWP_ATTACH_WHOLE_HUGE, 0));
	assert_ok(dev_register(fd, p, len));
	return fd;
}

static int armed_whole_tracker(const char *p, size_t len)
{
	int fd = whole_tracker(p, len);

	assert_ok(dev_arm(fd, p, len));
	return fd;
}

/* is_huge() is about a VMA. */
static bool is_whole(int fd, const char *page)
{
	return categories(fd, page) & UFFDWP_PAGE_IS_HUGE;
}

/* A scan with reset; what it reports, in pages, and where it ends. */
static uint64_t reset_scan(int fd, char *p, size_t len, uint64_t max_pages, uint64_t *walk_end)
{
	struct uffdwp_region vec[8];
	struct uffdwp_scan_arg arg = scan_arg(p, len, vec, 8);
	uint64_t pages = 0;
	int n, i;

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.max_pages = max_pages;
	n = dev_scan(fd, &arg);
	assert_true(n >= 0);
	for (i = 0; i < n; i++)
		pages += (vec[i].end - vec[i].start) / PAGE;
	*walk_end = arg.walk_end;
	return pages;
}

TEST(is_offered)
{
	assert_true(dev_features() & UFFDWP_FEATURE_WHOLE_HUGE);
}

TEST(a_write_leaves_it_huge)
{
	char *p = huge_or_skip();
	int fd = armed_whole_tracker(p, LEN), round;
	long before;

	assert_int_equal(written(fd, p, LEN, false), 0);
	for (round = 1; round <= 3; round++) {
		before = faults();
		touch(p + 5 * PAGE, 1, round);
		assert_int_equal(faults() - before, 1);
		touch(p, 512, round);
		assert_int_equal(faults() - before, 1);
		assert_true(is_whole(fd, p));
		assert_int_equal(written(fd, p + HUGE_PAGE, HUGE_PAGE, false), 0);
		assert_int_equal(written(fd, p, LEN, true), 512);
		assert_int_equal(written(fd, p, LEN, false), 0);
	}
	assert_int_equal(dev_stats(fd).huge_faults, 3);
	assert_int_equal(dev_stats(fd).huge_splits, 0);
	assert_int_equal(dev_stats(fd).write_faults, 0);
	assert_int_equal(dev_stats(fd).fallback_faults, 0);
	close(fd);
	munmap(p, LEN);
}

TEST(the_kernel_writes)
{
	char *p = huge_or_skip();
	int fd = armed_whole_tracker(p, LEN), zero = open("/dev/zero", O_RDONLY);
	long before = faults();

	assert_int_equal(read(zero, p + 7 * PAGE, 3 * PAGE), 3 * PAGE);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, LEN, false), 512);
	assert_true(is_whole(fd, p));
	close(zero);
	close(fd);
	munmap(p, LEN);
}

TEST(a_read_leaves_it_armed)
{
	char *p = huge_or_skip();
	int fd = armed_whole_tracker(p, LEN), null = open("/dev/null", O_WRONLY);

	assert_int_equal(*(volatile char *)(p + 9 * PAGE), 1);
	assert_int_equal(write(null, p, LEN), LEN);
	assert_int_equal(written(fd, p, LEN, false), 0);
	assert_int_equal(dev_stats(fd).huge_faults, 0);
	close(null);
	close(fd);
	munmap(p, LEN);
}

TEST(arm_skips_what_the_range_cuts)
{
	char *p = huge_or_skip();
	int fd = whole_tracker(p, LEN);

	assert_ok(dev_arm(fd, p + 100 * PAGE, 50 * PAGE));
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE);
	assert_ok(dev_arm(fd, p + 100 * PAGE, LEN - 100 * PAGE));
	assert_int_equal(written(fd, p, HUGE_PAGE, false), 512);
	assert_int_equal(written(fd, p + HUGE_PAGE, HUGE_PAGE, false), 0);
	assert_int_equal(dev_stats(fd).pages_armed, 512);
	assert_true(is_whole(fd, p) && is_whole(fd, p + HUGE_PAGE));
	close(fd);
	munmap(p, LEN);
}

/* Nothing is armed that is not reported, and no huge page is split for it. */
TEST(a_scan_reports_a_part_and_leaves_it_written)
{
	char *p = huge_or_skip();
	int fd = whole_tracker(p, LEN);
	uint64_t end;

	assert_int_equal(reset_scan(fd, p + 100 * PAGE, 50 * PAGE, 0, &end), 50);
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE);
	/* A limit that is too small for one, and goes on in the middle of it */
	assert_int_equal(reset_scan(fd, p, LEN, 100, &end), 100);
	assert_int_equal(end, (uintptr_t)p + 100 * PAGE);
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE);
	/* One that the first has used up, up to the second */
	assert_int_equal(reset_scan(fd, p, LEN, 600, &end), 512);
	assert_int_equal(end, (uintptr_t)p + HUGE_PAGE);
	assert_int_equal(written(fd, p, LEN, false), 512);
	assert_int_equal(reset_scan(fd, p, LEN, 600, &end), 512);
	assert_int_equal(written(fd, p, LEN, false), 0);
	assert_true(is_whole(fd, p) && is_whole(fd, p + HUGE_PAGE));
	close(fd);
	munmap(p, LEN);
}

TEST(a_part_is_disarmed_with_the_whole)
{
	char *p = huge_or_skip();
	int fd = armed_whole_tracker(p, LEN);

	assert_ok(dev_disarm(fd, p + 100 * PAGE, PAGE));
	assert_int_equal(written(fd, p, LEN, false), 512);
	assert_true(is_whole(fd, p));
	close(fd);
	munmap(p, LEN);
}

/* The kernel divides the VMA, and with it the huge page; what stays registered stays armed. */
TEST(a_part_is_unregistered)
{
	char *p = huge_or_skip();
	int fd = armed_whole_tracker(p, LEN);

	assert_ok(dev_unregister(fd, p + 100 * PAGE, 300 * PAGE));
	assert_int_equal(written(fd, p, 100 * PAGE, false), 0);
	assert_int_equal(written(fd, p + 400 * PAGE, LEN - 400 * PAGE, false), 0);
	assert_true(is_whole(fd, p + HUGE_PAGE));
	close(fd);
	munmap(p, LEN);
}

/* The child says by its status whether it has found only that value. */
static pid_t child_that_looks(const char *p, size_t len, char value, int *go)
{
	int ends[2];
	pid_t pid;
	size_t i;
	char c;

	assert_ok(pipe(ends));
	pid = fork();
	if (!pid) {
		close(ends[1]);
		if (read(ends[0], &c, 1) != 0)
			_exit(2);
		for (i = 0; i < len; i += PAGE)
			if (p[i] != value)
				_exit(1);
		_exit(0);
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

static void assert_has_found_it(pid_t pid, int go)
{
	int status;

	close(go);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The kernel splits it, so 4 KiB are written; and when the child has gone, it stays huge. */
/* The stack was shared with a child, too: the first write to each page of it is a fault. */
static void own_the_stack(void)
{
	volatile char room[4 * PAGE];
	size_t i;

	for (i = 0; i < sizeof(room); i += PAGE)
		room[i] = 0;
}

TEST(shared_with_a_child_it_is_split)
{
	char *p = huge_or_skip();
	int fd = whole_tracker(p, LEN), go;
	pid_t child = child_that_looks(p, LEN, 1, &go);
	long before;

	assert_ok(dev_arm(fd, p, LEN));
	own_the_stack();
	before = faults();
	touch(p + 7 * PAGE, 1, 9);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, LEN, false), 1);
	assert_int_equal(dev_stats(fd).huge_splits, 1);
	assert_has_found_it(child, go);

	before = faults();
	touch(p + HUGE_PAGE + 7 * PAGE, 1, 9);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, LEN, false), 1 + 512);
	assert_true(is_whole(fd, p + HUGE_PAGE));
	assert_int_equal(dev_stats(fd).huge_faults, 1);
	close(fd);
	munmap(p, LEN);
}

/* Since Linux 6.13 a write replaces it by a huge page; before, it is split. */
TEST(the_huge_zero_page)
{
	char *all = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *p = next_huge_page(all);
	uint64_t expected = kernel_is_before(6, 13) ? 1 : 512;
	long before;
	int fd;

	thp_advice(p, HUGE_PAGE, MADV_HUGEPAGE);
	assert_int_equal(*(volatile char *)p, 0);
	fd = armed_whole_tracker(p, HUGE_PAGE);
	if (!(categories(fd, p) & UFFDWP_PAGE_IS_HUGE))
		skip_because("no huge zero page could be had");
	before = faults();
	touch(p + PAGE, 1, 7);
	assert_int_equal(faults() - before, 1);
	assert_int_equal(written(fd, p, HUGE_PAGE, false), expected);
	assert_true(is_whole(fd, p) == (expected == 512));
	touch(p, 512, 8);
	assert_int_equal(written(fd, p, HUGE_PAGE, false), 512);
	close(fd);
	munmap(all, 2 * HUGE_PAGE);
}

/* As ever, since the kernel keeps no bit for them. */
TEST(shared_memory_is_split_when_it_is_armed)
{
	char *p;
	int fd;

	if (~dev_kinds() & UFFDWP_KIND_SHMEM)
		skip_because("this kernel registers anonymous memory only");
	p = map_shared_huge();
	fd = whole_tracker(p, HUGE_PAGE);
	if (~categories(fd, p) & UFFDWP_PAGE_IS_HUGE)
		skip_because("no huge page of shared memory could be had");
	assert_ok(dev_arm(fd, p, HUGE_PAGE));
	assert_false(categories(fd, p) & UFFDWP_PAGE_IS_HUGE);
	touch(p + 9 * PAGE, 2, 3);
	assert_int_equal(written(fd, p, HUGE_PAGE, false), 2);
	close(fd);
	munmap(p, HUGE_PAGE);
}

TEST(without_the_flag_it_is_split)
{
	char *p = huge_or_skip();
	int fd = tracker_of(p, LEN);

	touch(p + 5 * PAGE, 1, 7);
	assert_int_equal(written(fd, p, LEN, false), 1);
	assert_false(is_whole(fd, p));
	assert_int_equal(dev_stats(fd).huge_faults, 0);
	close(fd);
	munmap(p, LEN);
}

/* ---- two threads write at the same time, and only one of them can be the first */

struct writer {
	char *memory;
	atomic_int *round;
	atomic_int *done;
};

static void *write_each_round(void *arg)
{
	struct writer *w = arg;
	int round;

	for (round = 1; round <= ROUNDS; round++) {
		while (*w->round < round)
			;
		*(volatile char *)w->memory = (char)round;
		atomic_fetch_add(w->done, 1);
	}
	return NULL;
}

TEST(two_threads_are_the_first)
{
	static atomic_int round, done;
	char *p = huge_or_skip();
	int fd = whole_tracker(p, LEN), i;
	struct writer writers[2];
	pthread_t threads[2];

	for (i = 0; i < 2; i++) {
		writers[i] = (struct writer){ p + (3 + 100 * i) * PAGE, &round, &done };
		assert_ok(pthread_create(&threads[i], NULL, write_each_round, &writers[i]));
	}
	for (i = 1; i <= ROUNDS; i++) {
		assert_ok(dev_arm(fd, p, LEN));
		round = i;
		while (done < 2 * i)
			usleep(10);
		assert_int_equal(written(fd, p, LEN, false), 512);
		assert_int_equal(p[3 * PAGE], (char)i);
		assert_int_equal(p[103 * PAGE], (char)i);
	}
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true(is_whole(fd, p));
	assert_int_equal(dev_stats(fd).huge_splits, 0);
	assert_int_equal(dev_stats(fd).huge_faults, ROUNDS);
	close(fd);
	munmap(p, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_offered),
		cmocka_unit_test(a_write_leaves_it_huge),
		cmocka_unit_test(the_kernel_writes),
		cmocka_unit_test(a_read_leaves_it_armed),
		cmocka_unit_test(arm_skips_what_the_range_cuts),
		cmocka_unit_test(a_scan_reports_a_part_and_leaves_it_written),
		cmocka_unit_test(a_part_is_disarmed_with_the_whole),
		cmocka_unit_test(a_part_is_unregistered),
		cmocka_unit_test(shared_with_a_child_it_is_split),
		cmocka_unit_test(the_huge_zero_page),
		cmocka_unit_test(shared_memory_is_split_when_it_is_armed),
		cmocka_unit_test(without_the_flag_it_is_split),
		cmocka_unit_test(two_threads_are_the_first),
	};

	return cmocka_run_group_tests_name("whole_huge", tests, NULL, NULL);
}
