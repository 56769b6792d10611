// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_CONTINUE_MODE_WP as in Linux 6.12: a page that is in the file is mapped, and protected, in
 * one step. Nobody can write to it in between.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "environment.h"
#include "native.h"

#define N 16ul

/* Memory of a file, by page: its mapping that is tracked, and another one to fill it. */
struct area {
	char *p;
	char *alias;
	size_t page;
	size_t len;
};

static struct area shared_area(void)
{
	struct area area = { .page = PAGE, .len = N * PAGE };

	area.p = map_shared(area.len, &area.alias);
	return area;
}

static struct area hugetlb_area(void)
{
	struct area area = { .page = HUGE_PAGE, .len = 4 * HUGE_PAGE };

	area.p = map_hugetlb(4, &area.alias);
	assert_non_null(area.p);
	return area;
}

static void end_area(struct area area, int uffd)
{
	close(uffd);
	munmap(area.p, area.len);
	munmap(area.alias, area.len);
}

static void fill(struct area area, int value)
{
	size_t i;

	for (i = 0; i < area.len; i += area.page)
		*(volatile char *)(area.alias + i) = value;
}

static size_t written_pages_in(struct area area)
{
	return written_here(area.p, area.len) * PAGE / area.page;
}

#define run_with_hugetlb(test)				\
	do {						\
		const char *why = hugetlb_reserve(4);	\
							\
		if (why)				\
			skip_because("%s", why);	\
		test(hugetlb_area());			\
		hugetlb_release();			\
	} while (0)

/* ---- mapped and protected */

static void maps_protected(struct area area)
{
	int uffd = async_uffd();

	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_int_equal(uffd_continue(uffd, area.p, area.len, CONTINUE_WP), area.len);
	assert_int_equal(written_pages_in(area), 0);
	assert_int_equal(area.p[0], 3);
	assert_int_equal(written_pages_in(area), 0);
	area.p[area.page] = 4;
	assert_int_equal(written_pages_in(area), 1);
	assert_true(is_written(area.p + area.page));
	assert_int_equal(area.alias[area.page], 4);
	assert_true(is_silent(uffd));
	/* What another mapping writes is not seen here. */
	area.alias[0] = 5;
	assert_int_equal(area.p[0], 5);
	assert_int_equal(written_pages_in(area), 1);
	end_area(area, uffd);
}

TEST(shared_memory_is_mapped_protected)
{
	needs_minor_faults();
	maps_protected(shared_area());
}

TEST(hugetlb_is_mapped_protected)
{
	needs_minor_faults();
	run_with_hugetlb(maps_protected);
}

/* Without the mode it is written at once. */
static void maps_writable(struct area area)
{
	int uffd = async_uffd();

	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_int_equal(uffd_continue(uffd, area.p, area.page, 0), area.page);
	assert_int_equal(uffd_continue(uffd, area.p + area.page, area.page, CONTINUE_WP),
			 area.page);
	assert_true(is_written(area.p));
	assert_false(is_written(area.p + area.page));
	end_area(area, uffd);
}

TEST(without_the_mode)
{
	needs_minor_faults();
	maps_writable(shared_area());
}

TEST(without_the_mode_in_hugetlb)
{
	needs_minor_faults();
	run_with_hugetlb(maps_writable);
}

/* ---- faults that wait for it */

struct toucher {
	pthread_t thread;
	volatile char *page;
	bool writes;
};

static void *touch_page(void *arg)
{
	struct toucher *toucher = arg;

	if (toucher->writes)
		*toucher->page = 9;
	return (void *)(long)*toucher->page;
}

static struct uffd_msg message_of(int uffd)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg message;

	assert_int_equal(poll(&poll_fd, 1, 30000), 1);
	assert_int_equal(read(uffd, &message, sizeof(message)), sizeof(message));
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	return message;
}

static void a_fault_is_served(struct area area, bool writes)
{
	struct toucher toucher = { .page = area.p + area.page, .writes = writes };
	int uffd = async_uffd();
	struct uffd_msg message;
	void *seen;

	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_ok(pthread_create(&toucher.thread, NULL, touch_page, &toucher));
	message = message_of(uffd);
	assert_true(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_MINOR);
	assert_int_equal(uffd_continue(uffd, area.p + area.page, area.page, CONTINUE_WP),
			 area.page);
	/* It goes on by itself, and if it was a write, it is seen. */
	pthread_join(toucher.thread, &seen);
	assert_int_equal((long)seen, writes ? 9 : 3);
	assert_int_equal(is_written((char *)toucher.page), writes);
	assert_true(is_silent(uffd));
	end_area(area, uffd);
}

TEST(reads_are_served)
{
	needs_minor_faults();
	a_fault_is_served(shared_area(), false);
}

TEST(writes_are_served)
{
	needs_minor_faults();
	a_fault_is_served(shared_area(), true);
}

TEST(writes_to_hugetlb_are_served)
{
	const char *reason = hugetlb_reserve(4);

	needs_minor_faults();
	if (reason)
		skip_because("%s", reason);
	a_fault_is_served(hugetlb_area(), true);
	hugetlb_release();
}

/* Nobody is woken before he is told to be. */
TEST(without_waking)
{
	struct area area = shared_area();
	struct toucher toucher = { .page = area.p, .writes = true };
	struct uffdio_range range = { .start = (uintptr_t)area.p, .len = PAGE };
	int uffd = async_uffd();

	needs_minor_faults();
	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_ok(pthread_create(&toucher.thread, NULL, touch_page, &toucher));
	message_of(uffd);
	assert_int_equal(uffd_continue(uffd, area.p, PAGE, CONTINUE_WP | CONTINUE_DONTWAKE), PAGE);
	usleep(20000);
	assert_false(is_written(area.p));
	assert_int_equal(area.alias[0], 3);
	assert_ok(ioctl(uffd, UFFDIO_WAKE, &range));
	pthread_join(toucher.thread, NULL);
	assert_true(is_written(area.p));
	end_area(area, uffd);
}

/* A userfaultfd without WP_ASYNC is asked about the write. */
TEST(without_async)
{
	struct area area = shared_area();
	struct toucher toucher = { .page = area.p, .writes = true };
	int uffd = raw_uffd(0);
	struct uffd_msg message;

	needs_minor_faults();
	fill(area, 3);
	assert_ok(uffd_api(uffd, FEATURE_MINOR_SHMEM | FEATURE_WP_FILES | FEATURE_WP_UNPOPULATED,
			   NULL));
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_int_equal(uffd_continue(uffd, area.p, PAGE, CONTINUE_WP), PAGE);
	assert_ok(pthread_create(&toucher.thread, NULL, touch_page, &toucher));
	message = message_of(uffd);
	assert_true(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
	assert_int_equal(area.alias[0], 3);
	assert_ok(uffd_protect(uffd, area.p, PAGE, 0));
	pthread_join(toucher.thread, NULL);
	assert_int_equal(area.alias[0], 9);
	end_area(area, uffd);
}

/* ---- what is refused */

TEST(wrong_arguments)
{
	struct area area = shared_area();
	char *private = map_filled(1);
	int uffd = async_uffd();
	uint64_t bit;

	needs_minor_faults();
	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	for (bit = 4; bit; bit <<= 1)
		assert_err(uffd_continue(uffd, area.p, PAGE, CONTINUE_WP | bit), EINVAL);
	assert_err(uffd_continue(uffd, area.p + 1, PAGE, CONTINUE_WP), EINVAL);
	assert_err(uffd_continue(uffd, area.p, PAGE + 1, CONTINUE_WP), EINVAL);
	assert_err(uffd_continue(uffd, area.p, 0, CONTINUE_WP), EINVAL);
	assert_err(uffd_continue(uffd, (void *)0xffff888000000000ul, PAGE, CONTINUE_WP), EINVAL);
	assert_int_equal(ioctl(uffd, UFFDIO_CONTINUE, NULL), -1);
	assert_int_equal(errno, EFAULT);
	/* Registered nowhere */
	assert_err(uffd_continue(uffd, private, PAGE, CONTINUE_WP), ENOENT);
	/* None of these has mapped anything. */
	assert_int_equal(uffd_continue(uffd, area.p, area.len, CONTINUE_WP), area.len);
	assert_int_equal(written_pages_in(area), 0);
	munmap(private, PAGE);
	end_area(area, uffd);
}

/* Protection is for memory that is registered for it. */
TEST(without_registration_for_writes)
{
	struct area area = shared_area();
	int uffd = async_uffd();

	needs_minor_faults();
	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_MINOR, NULL));
	assert_err(uffd_continue(uffd, area.p, PAGE, CONTINUE_WP), EINVAL);
	assert_int_equal(uffd_continue(uffd, area.p, PAGE, 0), PAGE);
	end_area(area, uffd);
}

TEST(pages_that_are_mapped)
{
	struct area area = shared_area();
	struct uffdio_continue arg = {
		.range = { .start = (uintptr_t)area.p, .len = 4 * PAGE }, .mode = CONTINUE_WP,
	};
	int uffd = async_uffd();

	needs_minor_faults();
	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_int_equal(uffd_continue(uffd, area.p + 2 * PAGE, PAGE, 0), PAGE);
	/* Up to the one that is, which stays as it is */
	assert_int_equal(ioctl(uffd, UFFDIO_CONTINUE, &arg), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(arg.mapped, 2 * PAGE);
	assert_false(is_written(area.p) || is_written(area.p + PAGE));
	assert_true(is_written(area.p + 2 * PAGE));
	arg.range.start += 2 * PAGE;
	assert_int_equal(ioctl(uffd, UFFDIO_CONTINUE, &arg), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(arg.mapped, -EEXIST);
	end_area(area, uffd);
}

TEST(pages_that_the_file_has_not)
{
	struct area area = shared_area();
	int uffd = async_uffd();

	needs_minor_faults();
	area.alias[0] = 1;
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_err(uffd_continue(uffd, area.p + PAGE, PAGE, CONTINUE_WP), EFAULT);
	assert_int_equal(uffd_continue(uffd, area.p, PAGE, CONTINUE_WP), PAGE);
	end_area(area, uffd);
}

/* On a marker: protected before, protected after. */
TEST(over_markers)
{
	struct area area = shared_area();
	int uffd = async_uffd();

	needs_minor_faults();
	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	assert_ok(uffd_protect(uffd, area.p, area.len, WRITEPROTECT_WP));
	assert_int_equal(written_pages_in(area), 0);
	assert_int_equal(uffd_continue(uffd, area.p, area.len, CONTINUE_WP), area.len);
	assert_int_equal(written_pages_in(area), 0);
	area.p[3 * PAGE] = 1;
	assert_int_equal(written_pages_in(area), 1);
	end_area(area, uffd);
}

/* ---- atomic: who writes all the time is seen each time */

static struct {
	pthread_barrier_t barrier;
	struct area area;
	volatile bool stop;
	volatile int delay;
} race;

static void *write_each_round(void *arg)
{
	volatile int i;

	(void)arg;
	for (;;) {
		pthread_barrier_wait(&race.barrier);
		if (race.stop)
			return NULL;
		for (i = 0; i < race.delay; i++)
			;
		*(volatile char *)race.area.p += 1;
		pthread_barrier_wait(&race.barrier);
	}
}

/*
 * Each round the page is mapped anew, protected, while another thread writes to it, a little later
 * each time: it may wait for the page, or come after it, or in between if there is one.
 */
static void no_write_comes_between(struct area area, int rounds)
{
	int uffd = async_uffd(), i, missed = 0;
	pthread_t thread;
	char buffer[1024];

	fill(area, 3);
	assert_ok(uffd_register(uffd, area.p, area.len, REGISTER_WP | REGISTER_MINOR, NULL));
	race.area = area;
	race.stop = false;
	pthread_barrier_init(&race.barrier, NULL, 2);
	assert_ok(pthread_create(&thread, NULL, write_each_round, NULL));
	for (i = 0; i < rounds; i++) {
		if (i % 100 == 0)
			start_clock(NULL);
		/* The entry goes, and its marker, too; the file's page stays. */
		assert_ok(uffd_protect(uffd, area.p, area.page, 0));
		assert_ok(madvise(area.p, area.page, MADV_DONTNEED));
		race.delay = i * 7 % 3000;
		pthread_barrier_wait(&race.barrier);
		assert_int_equal(uffd_continue(uffd, area.p, area.page, CONTINUE_WP), area.page);
		pthread_barrier_wait(&race.barrier);
		missed += !is_written(area.p);
		/* What has waited has left a message. */
		while (read(uffd, buffer, sizeof(buffer)) > 0)
			;
	}
	race.stop = true;
	pthread_barrier_wait(&race.barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&race.barrier);
	if (missed)
		fail_msg("%d of %d writes were not seen", missed, rounds);
	assert_int_equal((unsigned char)area.alias[0], (3 + rounds) % 256);
	end_area(area, uffd);
}

TEST(no_write_comes_between_in_shared_memory)
{
	needs_minor_faults();
	no_write_comes_between(shared_area(), 5000);
}

TEST(no_write_comes_between_in_hugetlb)
{
	const char *reason = hugetlb_reserve(4);

	needs_minor_faults();
	if (reason)
		skip_because("%s", reason);
	no_write_comes_between(hugetlb_area(), 3000);
	hugetlb_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(shared_memory_is_mapped_protected),
		native_test(hugetlb_is_mapped_protected),
		native_test(without_the_mode),
		native_test(without_the_mode_in_hugetlb),
		native_test(reads_are_served),
		native_test(writes_are_served),
		native_test(writes_to_hugetlb_are_served),
		native_test(without_waking),
		native_test(without_async),
		native_test(wrong_arguments),
		native_test(without_registration_for_writes),
		native_test(pages_that_are_mapped),
		native_test(pages_that_the_file_has_not),
		native_test(over_markers),
		native_test(no_write_comes_between_in_shared_memory),
		native_test(no_write_comes_between_in_hugetlb),
	};

	return run_native_tests("UFFDIO_CONTINUE_MODE_WP as in Linux 6.12", tests);
}
