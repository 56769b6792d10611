// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_MOVE into tracked memory: what has arrived there was never armed there, whatever it was
 * where it came from.
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

#define N 8ul
#define LEN (N * PAGE)

/* Of Linux 6.8, which the headers that this is built with need not know. */
struct move {
	uint64_t dst, src, len, mode;
	int64_t move;
};

#define MOVE _IOWR(UFFDIO, 0x05, struct move)

static char *from, *to;
static int uffd, tracker;

/* The pages to be moved are armed; where they go to there is nothing, and nothing is armed. */
static int set_up(void **state)
{
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
		.range.len = LEN,
	};

	(void)state;
	from = map_filled(N);
	to = map_anon(N);
	uffd = new_uffd(0);
	reg.range.start = (uintptr_t)to;
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	tracker = dev_open();
	assert_ok(dev_attach_uffd(tracker, uffd));
	assert_ok(dev_register(tracker, from, LEN));
	assert_ok(dev_register(tracker, to, LEN));
	wait_for(!written(tracker, from, LEN, true));
	assert_int_equal(written(tracker, to, LEN, false), N);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(tracker);
	close(uffd);
	munmap(from, LEN);
	munmap(to, LEN);
	return 0;
}

/* 0 or -errno; a page that the kernel has in its hands just now is tried again. */
static int move(char *dst, char *src, size_t len, int64_t *moved)
{
	struct move arg;
	int tries, ret;

	for (tries = 0; tries < 1000; tries++) {
		arg = (struct move){ (uintptr_t)dst, (uintptr_t)src, len, 0, 0 };
		ret = ioctl(uffd, MOVE, &arg) ? -errno : 0;
		*moved = arg.move;
		if (ret != -EBUSY && !(ret == -EAGAIN && arg.move <= 0))
			return ret;
		usleep(1000);
	}
	return -EBUSY;
}

/* A kernel without it knows no such command, whatever the argument. */
static void needs_move(void)
{
	char *page = map_filled(1);
	int64_t moved;

	if (move(to, page, PAGE, &moved) == -EINVAL)
		skip_because("this kernel has no UFFDIO_MOVE");
	assert_ok(madvise(to, PAGE, MADV_DONTNEED));
	munmap(page, PAGE);
}

static void check_arrived(size_t pages)
{
	size_t i;

	assert_int_equal(written(tracker, to, LEN, false), N);
	assert_int_equal(written(tracker, from, pages * PAGE, false), pages);
	/* Armed where it is now, it is seen like any other. */
	wait_for(!written(tracker, to, pages * PAGE, true));
	to[0] = 2;
	assert_int_equal(written(tracker, to, pages * PAGE, true), 1);
	for (i = 1; i < pages; i++)
		assert_int_equal(to[i * PAGE], 1);
}

static void pages_in_memory_arrive_written(void **state)
{
	int64_t moved;

	(void)state;
	needs_move();
	assert_ok(move(to, from, LEN, &moved));
	check_arrived(N);
}

static void swapped_pages_arrive_written(void **state)
{
	const char *reason;
	int64_t moved;

	(void)state;
	needs_move();
	reason = swap_on(16 << 20);
	if (reason)
		skip_because("no swap: %s", reason);
	reason = swap_out(from, LEN);
	assert_null(reason);
	assert_int_equal(written(tracker, from, LEN, false), 0);
	assert_ok(move(to, from, LEN, &moved));
	check_arrived(N);
	swap_off();
}

/* The fifth page is not there: four are moved, and the call says so. */
static void what_was_moved_before_an_error_arrives_written(void **state)
{
	const char *reason;
	int64_t moved;

	(void)state;
	needs_move();
	reason = swap_on(16 << 20);
	if (reason)
		skip_because("no swap: %s", reason);
	reason = swap_out(from, LEN);
	assert_null(reason);
	assert_ok(madvise(from + 4 * PAGE, PAGE, MADV_DONTNEED));
	assert_err(move(to, from, LEN, &moved), EAGAIN);
	assert_int_equal(moved, 4 * PAGE);
	check_arrived(4);
	swap_off();
}

/* A call that moves nothing makes nothing written. */
static void a_move_that_fails_disarms_nothing(void **state)
{
	char *other = map_filled(1);
	int64_t moved;

	(void)state;
	needs_move();
	/* There is a page already. */
	assert_err(move(from, other, PAGE, &moved), EEXIST);
	assert_int_equal(written(tracker, from, LEN, false), 0);
	assert_err(move(from, other, PAGE + 1, &moved), EINVAL);
	assert_err(ioctl(uffd, MOVE, (void *)8) ? -errno : 0, EFAULT);
	assert_int_equal(written(tracker, from, LEN, false), 0);
	munmap(other, PAGE);
}

/*
 * Out of memory of a tracker into what the process has registered for itself: what arrives is as
 * without a tracker. There are no bits, which would be messages to the reader, or say "not
 * written".
 */
static void nothing_of_a_tracker_moves_to_others(void **state)
{
	char *source = map_filled(N), *target = map_anon(N);
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
		.range = { (uintptr_t)target, LEN },
	};
	const char *reason;
	int64_t moved;
	int other;

	(void)state;
	needs_move();
	reason = swap_on(16 << 20);
	if (reason)
		skip_because("no swap: %s", reason);
	other = tracker_of(source, LEN);
	assert_null(swap_out(source, LEN));
	assert_int_equal(written(other, source, LEN, false), 0);
	close(uffd);
	uffd = new_uffd(0);
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_ok(move(target, source, LEN, &moved));
	assert_int_equal(armed_entries(target, N), 0);
	/* Nobody reads the messages: it would wait for ever. */
	touch(target, N, 2);
	assert_int_equal(written(other, source, LEN, false), N);
	close(other);
	swap_off();
	munmap(source, LEN);
	munmap(target, LEN);
}

/* A marker is where nothing is, and so it is for a move. */
static void markers_move_like_holes(void **state)
{
	char *source = map_anon(N), *target = map_anon(N);
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
		.range = { (uintptr_t)target, LEN },
	};
	int64_t moved;
	int other = dev_open();

	(void)state;
	needs_move();
	assert_ok(dev_attach_markers(other));
	assert_ok(dev_register(other, source, LEN));
	assert_ok(dev_arm(other, source, LEN));
	close(uffd);
	uffd = new_uffd(0);
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_err(move(target, source, LEN, &moved), ENOENT);
	close(other);
	munmap(source, LEN);
	munmap(target, LEN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_in_memory_arrive_written),
		TEST(swapped_pages_arrive_written),
		TEST(what_was_moved_before_an_error_arrives_written),
		TEST(a_move_that_fails_disarms_nothing),
		TEST(nothing_of_a_tracker_moves_to_others),
		TEST(markers_move_like_holes),
	};

	return cmocka_run_group_tests_name("move", tests, NULL, NULL);
}
