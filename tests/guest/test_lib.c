// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library, as a program uses it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "uffdwp.h"

#define N 4000ul
#define LEN (N * PAGE)

static char *p;
static struct uffdwp *t;

static int set_up(void **state)
{
	(void)state;
	p = map_filled(N);
	assert_ok(uffdwp_open(0, NULL, &t));
	assert_ok(uffdwp_track(t, (uintptr_t)p, LEN, NULL));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	uffdwp_close(t);
	munmap(p, LEN);
	return 0;
}

static struct uffdwp_scan *scan_of(uint64_t flags, uint64_t max_pages)
{
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.flags = flags,
		.start = (uintptr_t)p,
		.end = (uintptr_t)p + LEN,
		.max_pages = max_pages,
	};
	struct uffdwp_scan *scan;

	assert_ok(uffdwp_scan_start(t, &opts, &scan));
	return scan;
}

static uint64_t written_pages(uint64_t flags)
{
	struct uffdwp_scan *scan = scan_of(flags, 0);
	struct uffdwp_region region;
	uint64_t pages = 0;
	int got;

	while ((got = uffdwp_scan_next(scan, &region)) == 1)
		pages += (region.end - region.start) / PAGE;
	assert_int_equal(got, 0);
	assert_int_equal(uffdwp_scan_position(scan), (uintptr_t)p + LEN);
	assert_ok(uffdwp_scan_end(scan));
	return pages;
}

static void write_every_second(void)
{
	size_t i;

	for (i = 0; i < N; i += 2)
		p[i * PAGE] = 2;
}

static void track_and_scan(void **state)
{
	(void)state;
	assert_string_equal(uffdwp_backend_name(t), "module");
	assert_int_equal(written_pages(0), 0);
	touch(p, 7, 2);
	assert_int_equal(written_pages(0), 7);
	assert_int_equal(written_pages(UFFDWP_SCAN_WP_MATCHING), 7);
	assert_int_equal(written_pages(0), 0);
	touch(p, 7, 2);
	assert_ok(uffdwp_arm(t, (uintptr_t)p, LEN));
	assert_int_equal(written_pages(0), 0);
}

/* More regions than the library fetches at once. */
static void a_scan_goes_on_where_it_stopped(void **state)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	size_t i;

	(void)state;
	write_every_second();
	scan = scan_of(UFFDWP_SCAN_WP_MATCHING, 0);
	for (i = 0; i < N; i += 2) {
		assert_int_equal(uffdwp_scan_next(scan, &region), 1);
		assert_int_equal(region.start, (uintptr_t)p + i * PAGE);
		assert_int_equal(region.end, region.start + PAGE);
	}
	assert_int_equal(uffdwp_scan_next(scan, &region), 0);
	assert_int_equal(uffdwp_scan_next(scan, &region), 0);
	assert_ok(uffdwp_scan_end(scan));
	assert_int_equal(written_pages(0), 0);
}

static void a_scan_that_is_given_up_loses_nothing(void **state)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	size_t i;

	(void)state;
	write_every_second();
	scan = scan_of(UFFDWP_SCAN_WP_MATCHING, 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(uffdwp_scan_next(scan, &region), 1);
	assert_int_equal(uffdwp_scan_position(scan), (uintptr_t)p + 200 * PAGE);
	assert_ok(uffdwp_scan_end(scan));
	assert_int_equal(written_pages(0), N / 2 - 100);

	/* Before the first call nothing has happened at all. */
	assert_ok(uffdwp_scan_end(scan_of(UFFDWP_SCAN_WP_MATCHING, 0)));
	assert_int_equal(written_pages(0), N / 2 - 100);
	assert_ok(uffdwp_scan_end(NULL));
}

/* Memory that is not tracked reads as written, and joins its neighbours in a report. */
static void giving_up_reaches_memory_beside_untracked_memory(void **state)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;

	(void)state;
	assert_ptr_equal(mmap(p + 100 * PAGE, PAGE, PROT_READ,
			      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + 100 * PAGE);
	touch(p, 1, 2);
	touch(p + 99 * PAGE, 1, 2);
	scan = scan_of(UFFDWP_SCAN_WP_MATCHING, 0);
	assert_int_equal(uffdwp_scan_next(scan, &region), 1);
	assert_int_equal(region.start, (uintptr_t)p);
	assert_ok(uffdwp_scan_end(scan));
	/* Pages 99 and 100 were not returned. */
	scan = scan_of(0, 0);
	assert_int_equal(uffdwp_scan_next(scan, &region), 1);
	assert_int_equal(region.start, (uintptr_t)p + 99 * PAGE);
	assert_int_equal(region.end, (uintptr_t)p + 101 * PAGE);
	assert_int_equal(uffdwp_scan_next(scan, &region), 0);
	assert_ok(uffdwp_scan_end(scan));
}

static void disarm(void **state)
{
	(void)state;
	assert_ok(uffdwp_disarm(t, (uintptr_t)p + PAGE, 5 * PAGE));
	assert_int_equal(written_pages(UFFDWP_SCAN_WP_MATCHING), 5);
	assert_int_equal(written_pages(0), 0);
	assert_err(uffdwp_disarm(t, (uintptr_t)p + 1, PAGE), EINVAL);
}

static void a_page_limit_counts_over_batches(void **state)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	uint64_t pages = 0;

	(void)state;
	write_every_second();
	scan = scan_of(UFFDWP_SCAN_WP_MATCHING, 777);
	while (uffdwp_scan_next(scan, &region) == 1)
		pages += (region.end - region.start) / PAGE;
	assert_int_equal(pages, 777);
	assert_ok(uffdwp_scan_end(scan));
	assert_int_equal(written_pages(0), N / 2 - 777);
}

static void untrack(void **state)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;

	(void)state;
	assert_ok(uffdwp_untrack(t, (uintptr_t)p, LEN / 2));
	scan = scan_of(UFFDWP_SCAN_CHECK_TRACKED, 0);
	assert_err(uffdwp_scan_next(scan, &region), EPERM);
	assert_int_equal(uffdwp_scan_position(scan), (uintptr_t)p);
	assert_ok(uffdwp_scan_end(scan));
	touch(p, N, 2);
}

static void another_process(void **state)
{
	struct peer peer = peer_start();
	struct uffdwp *other;
	int pidfd = syscall(SYS_pidfd_open, peer.pid, 0);
	struct uffdwp_open_opts opts = {
		.size = sizeof(opts), .flags = UFFDWP_OPEN_PIDFD, .pidfd = pidfd,
	};

	(void)state;
	assert_ok(uffdwp_open(peer.pid, NULL, &other));
	assert_ok(uffdwp_track(other, (uintptr_t)p, LEN, NULL));
	uffdwp_close(other);
	assert_ok(uffdwp_open(0, &opts, &other));
	assert_ok(uffdwp_track(other, (uintptr_t)p, LEN, NULL));
	peer_do(&peer, PEER_WRITE, p, 9 * PAGE, 3);
	peer_end(&peer);
	assert_err(uffdwp_arm(other, (uintptr_t)p, LEN), ESRCH);
	uffdwp_close(other);
	close(pidfd);
}

static void statistics(void **state)
{
	struct uffdwp_stats stats = { .size = sizeof(stats) };
	struct {
		size_t size;
		uint64_t write_faults;
	} short_stats = { .size = sizeof(short_stats) };

	(void)state;
	touch(p, 5, 2);
	assert_ok(uffdwp_get_stats(t, &stats));
	assert_int_equal(stats.write_faults, 5);
	assert_int_equal(stats.pages_armed, N);
	/* A program that is older than the library. */
	assert_ok(uffdwp_get_stats(t, (struct uffdwp_stats *)&short_stats));
	assert_int_equal(short_stats.write_faults, 5);
	stats.size = 0;
	assert_err(uffdwp_get_stats(t, &stats), EINVAL);
}

static void errors(void **state)
{
	struct uffdwp *none = t;
	struct uffdwp_open_opts opts = { .size = sizeof(opts), .flags = 1u << 31 };
	char *hole = map_anon(1), *mapped;
	int file;
	uint64_t fail_at;
	pid_t dead = fork();

	(void)state;
	if (!dead)
		_exit(0);
	waitpid(dead, NULL, 0);
	assert_err(uffdwp_open(dead, NULL, &none), ESRCH);
	assert_null(none);
	assert_err(uffdwp_open(-1, NULL, &none), EINVAL);
	assert_err(uffdwp_open(0, &opts, &none), EINVAL);
	assert_err(uffdwp_open(2, NULL, &none), ENXIO);
	opts.flags = UFFDWP_OPEN_PIDFD;
	opts.pidfd = -1;
	assert_err(uffdwp_open(0, &opts, &none), EBADF);
	opts.flags = UFFDWP_OPEN_UFFD;
	opts.uffd = 0;
	assert_err(uffdwp_open(0, &opts, &none), EBADF);
	opts.flags = 0;
	opts.backend = 77;
	assert_err(uffdwp_open(0, &opts, &none), ENODEV);

	munmap(hole, PAGE);
	assert_err(uffdwp_track(t, (uintptr_t)hole, PAGE, NULL), ENOENT);
	assert_err(uffdwp_track(t, (uintptr_t)p + 1, PAGE, NULL), EINVAL);
	assert_err(uffdwp_track(t, (uintptr_t)p, -PAGE, NULL), EOVERFLOW);
	file = new_ordinary_file(PAGE);
	mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_err(uffdwp_track(t, (uintptr_t)mapped, PAGE, &fail_at), EOPNOTSUPP);
	assert_int_equal(fail_at, (uintptr_t)mapped);
	munmap(mapped, PAGE);
	close(file);
	uffdwp_close(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(track_and_scan),
		TEST(a_scan_goes_on_where_it_stopped),
		TEST(a_scan_that_is_given_up_loses_nothing),
		TEST(giving_up_reaches_memory_beside_untracked_memory),
		TEST(disarm),
		TEST(a_page_limit_counts_over_batches),
		TEST(untrack),
		TEST(another_process),
		TEST(statistics),
		TEST(errors),
	};

	return cmocka_run_group_tests_name("lib", tests, NULL, NULL);
}
