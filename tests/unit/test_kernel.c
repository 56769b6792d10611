// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library on this machine's own kernel, without the module.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"
#include "uffdwp.h"

#define PAGE 4096ul
#define N 600ul

static struct uffdwp *tracker;
static char *memory;

static int set_up(void **state)
{
	struct uffdwp_open_opts opts = { .size = sizeof(opts), .backend = UFFDWP_BACKEND_KERNEL };
	int err = uffdwp_open(0, &opts, &tracker);

	(void)state;
	if (err) {
		print_message("[   WHY    ] this kernel cannot do it alone: %s\n", strerror(-err));
		tracker = NULL;
		return 0;
	}
	memory = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	madvise(memory, N * PAGE, MADV_NOHUGEPAGE);
	memset(memory, 1, N / 2 * PAGE);
	assert_int_equal(uffdwp_track(tracker, (uintptr_t)memory, N * PAGE, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (tracker)
		munmap(memory, N * PAGE);
	uffdwp_close(tracker);
	return 0;
}

/* Pages that match, armed if so wanted; or a negative errno. */
static long scan(uint64_t mask, unsigned int flags, uint64_t max_pages)
{
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.flags = flags,
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + N * PAGE,
		.category_mask = mask,
		.return_mask = mask,
		.max_pages = max_pages,
	};
	struct uffdwp_region region;
	struct uffdwp_scan *s;
	long pages = 0;
	int got;

	assert_int_equal(uffdwp_scan_start(tracker, &opts, &s), 0);
	while ((got = uffdwp_scan_next(s, &region)) == 1)
		pages += (region.end - region.start) / PAGE;
	assert_int_equal(uffdwp_scan_end(s), 0);
	return got ? got : pages;
}

#define written(flags) scan(UFFDWP_PAGE_IS_WRITTEN, flags, 0)
#define RESET UFFDWP_SCAN_WP_MATCHING

static bool not_here(void)
{
	if (tracker)
		return false;
	skip();
	return true;
}

static void writes_are_reported_once(void **state)
{
	size_t i;

	(void)state;
	if (not_here())
		return;
	assert_string_equal(uffdwp_backend_name(tracker), "kernel");
	assert_int_equal(written(0), 0);
	for (i = 0; i < N; i += 3)
		memory[i * PAGE] = 2;
	assert_int_equal(written(0), N / 3);
	assert_int_equal(written(RESET), N / 3);
	assert_int_equal(written(RESET), 0);
	memory[0] = 3;
	assert_int_equal(written(RESET), 1);
}

static void what_was_thrown_away_is_written(void **state)
{
	(void)state;
	if (not_here())
		return;
	assert_int_equal(madvise(memory + 7 * PAGE, 5 * PAGE, MADV_DONTNEED), 0);
	assert_int_equal(written(RESET), 5);
	assert_int_equal(written(RESET), 0);
	memory[8 * PAGE] = 1;
	assert_int_equal(written(RESET), 1);
}

static void limits_and_batches(void **state)
{
	size_t i;

	(void)state;
	if (not_here())
		return;
	memset(memory, 5, N * PAGE);
	assert_int_equal(scan(UFFDWP_PAGE_IS_WRITTEN, RESET, 100), 100);
	assert_int_equal(written(0), N - 100);
	assert_int_equal(written(RESET), N - 100);
	/* More regions than one look has room for. */
	memory = mremap(memory, N * PAGE, 4 * N * PAGE, MREMAP_MAYMOVE);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(uffdwp_track(tracker, (uintptr_t)memory, 4 * N * PAGE, NULL), 0);
	for (i = 0; i < 4 * N; i += 2)
		memory[i * PAGE] = 2;
	assert_int_equal(written(RESET), N / 2);
	munmap(memory + N * PAGE, 3 * N * PAGE);
}

static void what_is_not_tracked_is_told_apart(void **state)
{
	(void)state;
	if (not_here())
		return;
	assert_int_equal(scan(UFFDWP_PAGE_IS_UNTRACKED, 0, 0), 0);
	assert_int_equal(uffdwp_untrack(tracker, (uintptr_t)memory, 10 * PAGE), 0);
	munmap(memory + 20 * PAGE, 3 * PAGE);
	assert_int_equal(scan(UFFDWP_PAGE_IS_UNTRACKED, 0, 0), 13);
	assert_int_equal(written(RESET), 10);
	assert_int_equal(written(RESET | UFFDWP_SCAN_CHECK_TRACKED), -EPERM);
	assert_int_equal(uffdwp_arm(tracker, (uintptr_t)memory, N * PAGE), 0);
	assert_int_equal(written(0), 10);
}

static void disarmed_is_written(void **state)
{
	(void)state;
	if (not_here())
		return;
	assert_int_equal(uffdwp_disarm(tracker, (uintptr_t)memory, 10 * PAGE), 0);
	assert_int_equal(written(RESET), 10);
	assert_int_equal(written(RESET), 0);
}

static void what_it_cannot_do_is_an_error(void **state)
{
	struct uffdwp_open_opts opts = { .size = sizeof(opts), .backend = UFFDWP_BACKEND_KERNEL };
	struct uffdwp *other;
	struct uffdio_api api = { .api = UFFD_API };

	(void)state;
	if (not_here())
		return;
	assert_int_equal(uffdwp_open(getppid(), &opts, &other), -ENODEV);
	assert_int_equal(scan(UFFDWP_PAGE_IS_PINNED, 0, 0), -EOPNOTSUPP);
	opts.unpopulated = UFFDWP_UNPOP_ZERO;
	assert_int_equal(uffdwp_open(0, &opts, &other), -EOPNOTSUPP);
	opts.unpopulated = 0;

	/* One that would stop its writers until somebody reads it. */
	opts.flags = UFFDWP_OPEN_UFFD;
	opts.uffd = syscall(SYS_userfaultfd, O_CLOEXEC | 1);
	assert_true(opts.uffd >= 0);
	assert_int_equal(ioctl(opts.uffd, UFFDIO_API, &api), 0);
	assert_int_equal(uffdwp_open(0, &opts, &other), -EOPNOTSUPP);
	close(opts.uffd);
	opts.uffd = STDIN_FILENO;
	assert_int_equal(uffdwp_open(0, &opts, &other), -EBADF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_are_reported_once),
		TEST(what_was_thrown_away_is_written),
		TEST(limits_and_batches),
		TEST(what_is_not_tracked_is_told_apart),
		TEST(disarmed_is_written),
		TEST(what_it_cannot_do_is_an_error),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
