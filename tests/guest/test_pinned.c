// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that somebody holds on to can be written without a fault, so they stay written until they
 * are let go.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define N 16ul

static int ring_of(char *start, size_t len)
{
	struct io_uring_params params = { 0 };
	struct iovec buffer = { start, len };
	int ring = syscall(SYS_io_uring_setup, 4, &params);

	assert_true(ring >= 0);
	assert_ok(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1));
	return ring;
}

static void let_go(int ring)
{
	assert_ok(syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0));
	close(ring);
}

static void io_uring_buffers_stay_written(void **state)
{
	char *p = map_filled(N);
	int ring = ring_of(p + 4 * PAGE, 3 * PAGE), fd = tracker_of(p, N * PAGE);

	(void)state;
	assert_int_equal(written(fd, p, N * PAGE, true), 3);
	assert_int_equal(written(fd, p + 4 * PAGE, 3 * PAGE, true), 3);
	let_go(ring);
	assert_int_equal(written(fd, p, N * PAGE, true), 3);
	assert_int_equal(written(fd, p, N * PAGE, true), 0);
	touch(p, N, 2);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	close(fd);
	munmap(p, N * PAGE);
}

/* Pinned after it was armed: the pin takes the fault. */
static void pinning_is_writing(void **state)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE), ring = ring_of(p + 4 * PAGE, 3 * PAGE);

	(void)state;
	assert_int_equal(written(fd, p, N * PAGE, true), 3);
	assert_int_equal(written(fd, p, N * PAGE, true), 3);
	let_go(ring);
	assert_int_equal(written(fd, p, N * PAGE, true), 3);
	assert_int_equal(written(fd, p, N * PAGE, true), 0);
	close(fd);
	munmap(p, N * PAGE);
}

static void huge_pages_stay_written(void **state)
{
	char *p = map_huge(1);
	int ring, fd;

	(void)state;
	if (!p)
		skip_because("no huge page could be had");
	ring = ring_of(p + 100 * PAGE, PAGE);
	fd = tracker_of(p, HUGE_PAGE);
	assert_int_equal(written(fd, p, HUGE_PAGE, true), 512);
	let_go(ring);
	assert_int_equal(written(fd, p, HUGE_PAGE, true), 512);
	assert_int_equal(written(fd, p, HUGE_PAGE, true), 0);
	close(fd);
	munmap(p, HUGE_PAGE);
}

/* Held by a plain reference, which is how a direct read from a disk holds it. */
static void any_reference_counts(void **state)
{
	char *p = map_filled(N), page[PAGE];
	struct iovec one = { p + 5 * PAGE, PAGE };
	int pipe_ends[2], fd;

	(void)state;
	assert_ok(pipe(pipe_ends));
	assert_int_equal(vmsplice(pipe_ends[1], &one, 1, 0), PAGE);
	fd = tracker_of(p, N * PAGE);
	assert_int_equal(written(fd, p, N * PAGE, true), 1);
	assert_true(categories(fd, p + 5 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(read(pipe_ends[0], page, PAGE), PAGE);
	written(fd, p, N * PAGE, true);
	assert_int_equal(written(fd, p, N * PAGE, true), 0);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close(fd);
	munmap(p, N * PAGE);
}

/*
 * Another process writes a counter into a page, over and over, with process_vm_writev(): it pins
 * the page, and copies after it has let go of the page tables. A scan in between must not be the
 * last word.
 */
#define WRITES 20000ul

static void process_vm_writev_is_never_missed(void **state)
{
	uint64_t *page = (uint64_t *)map_filled(1), copy = 0;
	int fd = tracker_of(page, PAGE), status;
	pid_t parent = getpid(), child = fork();
	uint64_t value, scans = 0, reported = 0;
	struct iovec to = { page, 8 }, from = { &value, 8 };

	(void)state;
	if (!child) {
		for (value = 1; value <= WRITES; value++)
			if (process_vm_writev(parent, &from, 1, &to, 1, 0) != 8)
				_exit(1);
		_exit(0);
	}
	while (!waitpid(child, &status, WNOHANG)) {
		scans++;
		if (written(fd, page, PAGE, true)) {
			reported++;
			copy = *(volatile uint64_t *)page;
		}
	}
	assert_int_equal(status, 0);
	if (written(fd, page, PAGE, true))
		copy = *(volatile uint64_t *)page;
	print_message("[   INFO   ] %lu writes, %lu scans, %lu reports\n", WRITES,
		      (unsigned long)scans, (unsigned long)reported);
	assert_int_equal(*page, WRITES);
	assert_int_equal(copy, WRITES);
	close(fd);
	munmap(page, PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(io_uring_buffers_stay_written),
		cmocka_unit_test(pinning_is_writing),
		cmocka_unit_test(huge_pages_stay_written),
		cmocka_unit_test(any_reference_counts),
		cmocka_unit_test(process_vm_writev_is_never_missed),
	};

	return cmocka_run_group_tests_name("pinned", tests, NULL, NULL);
}
