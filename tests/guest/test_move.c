// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_MOVE into tracked memory: what has arrived there was never armed there, whatever it was
 * where it came from. And out of it: what has arrived is the process's own, and is moved as without
 * a tracker, whatever the tracker does meanwhile.
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

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

TEST(pages_in_memory_arrive_written)
{
	int64_t moved;

	needs_move();
	assert_ok(move(to, from, LEN, &moved));
	check_arrived(N);
}

TEST(swapped_pages_arrive_written)
{
	const char *reason;
	int64_t moved;

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
TEST(what_was_moved_before_an_error_arrives_written)
{
	const char *reason;
	int64_t moved;

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
TEST(a_move_that_fails_disarms_nothing)
{
	char *other = map_filled(1);
	int64_t moved;

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
TEST(nothing_of_a_tracker_moves_to_others)
{
	char *source = map_filled(N), *target = map_anon(N);
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
		.range = { (uintptr_t)target, LEN },
	};
	const char *reason;
	int64_t moved;
	int other;

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
TEST(markers_move_like_holes)
{
	char *source = map_anon(N), *target = map_anon(N);
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
		.range = { (uintptr_t)target, LEN },
	};
	int64_t moved;
	int other = dev_open();

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

/* ---- while a move goes on */

/* Enough for a move to last while other threads do something. */
#define MANY 2048ul
#define MANY_LEN (MANY * PAGE)

/* Of Linux 6.8, too. */
#define ALLOW_SRC_HOLES (1ull << 1)

static void uffd_register(int fd, char *start, size_t len, uint64_t mode)
{
	struct uffdio_register reg = { .range = { (uintptr_t)start, len }, .mode = mode };

	assert_ok(ioctl(fd, UFFDIO_REGISTER, &reg));
}

/* All of it, however often the kernel stops on the way: 0, -errno, or -ETIME after 30 seconds. */
static int move_all(int fd, char *dst, char *src, size_t len, uint64_t mode)
{
	const time_t end = time(NULL) + 30;
	struct move arg;
	size_t done = 0;

	while (time(NULL) < end) {
		arg = (struct move){ (uintptr_t)dst + done, (uintptr_t)src + done, len - done,
				     mode, 0 };
		if (!ioctl(fd, MOVE, &arg))
			return 0;
		if (errno != EAGAIN && errno != EBUSY)
			return -errno;
		if (arg.move > 0)
			done += arg.move;
	}
	return -ETIME;
}

/* With bits that an earlier userfaultfd of the process has left in what is swapped out. */
TEST(swapped_pages_with_old_bits_arrive_written)
{
	char *old = map_filled(N);
	struct uffdio_writeprotect protect = {
		.range = { .start = (uintptr_t)old, .len = LEN },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int former = new_uffd(0);
	const char *reason;
	int64_t moved;

	needs_move();
	reason = no_bits_left_behind() ?: swap_on(16 << 20);
	if (reason) {
		close(former);
		munmap(old, LEN);
		skip_because("%s", reason);
	}
	uffd_register(former, old, LEN, UFFDIO_REGISTER_MODE_WP);
	assert_ok(ioctl(former, UFFDIO_WRITEPROTECT, &protect));
	assert_null(swap_out(old, LEN));
	uffd_register(former, old, LEN, UFFDIO_REGISTER_MODE_MISSING);
	assert_ok(ioctl(former, UFFDIO_UNREGISTER, &protect.range));
	/* Otherwise the test would prove nothing. */
	assert_int_equal(armed_entries(old, N), N);
	assert_ok(move(to, old, LEN, &moved));
	assert_int_equal(written(tracker, to, LEN, false), N);
	swap_off();
	close(former);
	munmap(old, LEN);
}

/* A tracker that resets one range as often as it can. Nothing of the other may read as clean. */
struct resetter {
	pthread_t thread;
	int tracker;
	char *start;
	size_t pages;
	bool write;		/* first, so that there is something to arm each time */
	char *never_armed;	/* or NULL */
	size_t never_armed_pages;
	atomic_uint resets;
	atomic_bool stop;
	uint64_t clean;		/* pages of @never_armed, in the worst scan */
};

static void *reset_on(void *arg)
{
	struct resetter *r = arg;
	uint64_t clean;

	while (!r->stop) {
		if (r->write)
			touch(r->start, r->pages, 2);
		written(r->tracker, r->start, r->pages * PAGE, true);
		r->resets++;
		if (!r->never_armed)
			continue;
		clean = r->never_armed_pages - written(r->tracker, r->never_armed,
						       r->never_armed_pages * PAGE, false);
		if (clean > r->clean)
			r->clean = clean;
	}
	return NULL;
}

static void resetter_begin(struct resetter *r)
{
	r->stop = false;
	r->resets = 0;
	r->clean = 0;
	assert_ok(pthread_create(&r->thread, NULL, reset_on, r));
	wait_for(r->resets);
}

static void resetter_end(struct resetter *r)
{
	r->stop = true;
	assert_ok(pthread_join(r->thread, NULL));
}

/* A thread of the process that write-protects a page as soon as it has arrived. */
struct protector {
	pthread_t thread;
	int uffd;
	char *page;
	int ret;
	atomic_bool done;
	atomic_bool stop;
};

#define PM_PRESENT (1ull << 63)

static void *protect_what_arrives(void *arg)
{
	struct protector *p = arg;
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)p->page, PAGE }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	while (!p->stop && !(pagemap_entry(p->page) & PM_PRESENT))
		;
	p->ret = ioctl(p->uffd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0;
	p->done = true;
	return NULL;
}

/*
 * What the process has protected in memory of its own is not the tracker's, also if a tracker has
 * armed something while the move was under way.
 */
TEST(what_the_process_protects_where_it_has_moved_stays)
{
	struct resetter resetter = { .start = map_filled(N), .pages = N, .write = true };
	struct protector protector;
	unsigned int round, in_time = 0;
	char *source, *target;
	int own, ret;
	bool early;

	needs_move();
	for (round = 0; round < 20; round++) {
		source = map_filled(MANY);
		target = map_anon(MANY);
		own = new_uffd(0);
		uffd_register(own, target, MANY_LEN,
			      UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
		resetter.tracker = tracker_of(resetter.start, LEN);
		assert_ok(dev_register(resetter.tracker, source, MANY_LEN));
		resetter_begin(&resetter);
		protector = (struct protector){ .uffd = own, .page = target };
		assert_ok(pthread_create(&protector.thread, NULL, protect_what_arrives,
					 &protector));
		ret = move_all(own, target, source, MANY_LEN, 0);
		early = protector.done;
		protector.stop = true;
		assert_ok(pthread_join(protector.thread, NULL));
		resetter_end(&resetter);
		assert_ok(ret);
		assert_ok(protector.ret);
		in_time += early;
		assert_int_equal(armed_entries(target, 1), 1);
		assert_int_equal(armed_entries(target + PAGE, MANY - 1), 0);
		close(resetter.tracker);
		close(own);
		munmap(source, MANY_LEN);
		munmap(target, MANY_LEN);
	}
	munmap(resetter.start, LEN);
	if (!in_time)
		skip_because("no move lasted until its first page was protected");
}

/* A marker of a tracker is where nothing is, also if it has come while the move was under way. */
TEST(holes_stay_holes_while_the_tracker_resets_them)
{
	struct resetter resetter = { .pages = MANY };
	char *source, *target;
	unsigned int round;
	int own, ret;
	size_t i;

	needs_move();
	for (round = 0; round < 5; round++) {
		source = map_anon(MANY);
		target = map_anon(MANY);
		for (i = 0; i < MANY; i += 2)
			source[i * PAGE] = 1 + round;
		own = new_uffd(0);
		uffd_register(own, target, MANY_LEN, UFFDIO_REGISTER_MODE_MISSING);
		resetter.start = source;
		resetter.tracker = dev_open();
		assert_ok(dev_attach_markers(resetter.tracker));
		assert_ok(dev_register(resetter.tracker, source, MANY_LEN));
		resetter_begin(&resetter);
		ret = move_all(own, target, source, MANY_LEN, ALLOW_SRC_HOLES);
		resetter_end(&resetter);
		assert_ok(ret);
		close(resetter.tracker);
		/* Without the userfaultfd, what was a hole reads as zeroes. */
		close(own);
		assert_int_equal(armed_entries(target, MANY), 0);
		for (i = 0; i < MANY; i++) {
			assert_int_equal(target[i * PAGE], i % 2 ? 0 : 1 + round);
			assert_int_equal(source[i * PAGE], 0);
		}
		munmap(source, MANY_LEN);
		munmap(target, MANY_LEN);
	}
}

/*
 * Swap entries move with their bit, which the tracker gives them where they come from. Where they
 * arrive nobody has armed anything, and no scan may say so, not even once.
 */
TEST(nothing_that_arrives_reads_as_clean_meanwhile)
{
	struct resetter resetter = { .pages = MANY, .never_armed_pages = MANY };
	char *source = map_filled(MANY), *target = map_anon(MANY);
	const char *reason;
	unsigned int round;
	int ret;

	needs_move();
	reason = swap_on(64 << 20);
	if (reason)
		skip_because("no swap: %s", reason);
	uffd_register(uffd, target, MANY_LEN,
		      UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
	assert_ok(dev_register(tracker, source, MANY_LEN));
	resetter.tracker = tracker;
	resetter.start = source;
	resetter.never_armed = target;
	for (round = 0; round < 5; round++) {
		touch(source, MANY, round);
		assert_null(swap_out(source, MANY_LEN));
		resetter_begin(&resetter);
		ret = move_all(uffd, target, source, MANY_LEN, 0);
		resetter_end(&resetter);
		assert_ok(ret);
		assert_int_equal(resetter.clean, 0);
		assert_int_equal(written(tracker, target, MANY_LEN, false), MANY);
		assert_ok(madvise(target, MANY_LEN, MADV_DONTNEED));
	}
	swap_off();
	munmap(source, MANY_LEN);
	munmap(target, MANY_LEN);
}

#define with_set_up(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_set_up(pages_in_memory_arrive_written),
		with_set_up(swapped_pages_arrive_written),
		with_set_up(what_was_moved_before_an_error_arrives_written),
		with_set_up(a_move_that_fails_disarms_nothing),
		with_set_up(nothing_of_a_tracker_moves_to_others),
		with_set_up(markers_move_like_holes),
		with_set_up(swapped_pages_with_old_bits_arrive_written),
		with_set_up(what_the_process_protects_where_it_has_moved_stays),
		with_set_up(holes_stay_holes_while_the_tracker_resets_them),
		with_set_up(nothing_that_arrives_reads_as_clean_meanwhile),
	};

	return cmocka_run_group_tests_name("move", tests, NULL, NULL);
}
