// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library, as a program uses it: with each back end that is there, and the choice between them.
 *
 * Needs no guest: on a machine without the module it tests what the machine's own kernel can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "uffdwp.h"

#define N 4000ul
#define LEN (N * PAGE)

/* Of Linux 6.7, which the headers that this is built with need not know. */
#define WP_ASYNC (1ull << 15)

static enum uffdwp_backend backend;
static char *p;
static struct uffdwp *t;

static bool is_kernel(void)
{
	return backend == UFFDWP_BACKEND_KERNEL;
}

static struct uffdwp_open_opts opts_of(unsigned int flags)
{
	return (struct uffdwp_open_opts){
		.size = sizeof(struct uffdwp_open_opts), .flags = flags, .backend = backend,
	};
}

static int set_up(void **state)
{
	struct uffdwp_open_opts opts = opts_of(0);

	(void)state;
	p = map_filled(N);
	assert_ok(uffdwp_open(0, &opts, &t));
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
		.len = LEN,
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

TEST(track_and_scan)
{
	assert_string_equal(uffdwp_backend_name(t), is_kernel() ? "kernel" : "module");
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
TEST(a_scan_goes_on_where_it_stopped)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	size_t i;

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

TEST(a_scan_that_is_given_up_loses_nothing)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	size_t i;

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
TEST(giving_up_reaches_memory_beside_untracked_memory)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;

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

TEST(what_was_thrown_away_is_written)
{
	assert_ok(madvise(p + 7 * PAGE, 5 * PAGE, MADV_DONTNEED));
	assert_int_equal(written_pages(UFFDWP_SCAN_WP_MATCHING), 5);
	assert_int_equal(written_pages(0), 0);
	touch(p + 8 * PAGE, 1, 2);
	assert_int_equal(written_pages(0), 1);
	/* And where there never was anything. */
	assert_ok(madvise(p, LEN, MADV_DONTNEED));
	assert_ok(uffdwp_arm(t, (uintptr_t)p, LEN));
	assert_int_equal(written_pages(0), 0);
	touch(p + 100 * PAGE, 3, 2);
	assert_int_equal(written_pages(0), 3);
}

TEST(disarm)
{
	assert_ok(uffdwp_disarm(t, (uintptr_t)p + PAGE, 5 * PAGE));
	assert_int_equal(written_pages(UFFDWP_SCAN_WP_MATCHING), 5);
	assert_int_equal(written_pages(0), 0);
	assert_err(uffdwp_disarm(t, (uintptr_t)p + 1, PAGE), EINVAL);
}

/* Bits of a map of pages, from the regions of one scan. */
static void take_increment(bool *map)
{
	struct uffdwp_scan *scan = scan_of(UFFDWP_SCAN_WP_MATCHING, 0);
	struct uffdwp_region region;
	uint64_t page;

	while (uffdwp_scan_next(scan, &region) == 1)
		for (page = region.start; page < region.end; page += PAGE)
			map[(page - (uintptr_t)p) / PAGE] = true;
	assert_ok(uffdwp_scan_end(scan));
}

/*
 * An increment that could not be stored is taken back by disarming what it was made of: the next
 * one has those pages and what was written meanwhile, and no others.
 */
TEST(an_increment_that_failed_is_in_the_next)
{
	static bool failed[N], next[N];
	size_t i;

	memset(failed, 0, sizeof(failed));
	memset(next, 0, sizeof(next));
	write_every_second();
	take_increment(failed);
	touch(p + 99 * PAGE, 3, 3);
	for (i = 0; i < N; i++)
		if (failed[i])
			assert_ok(uffdwp_disarm(t, (uintptr_t)p + i * PAGE, PAGE));
	take_increment(next);
	for (i = 0; i < N; i++)
		assert_int_equal(next[i], i % 2 == 0 || (i >= 99 && i < 102));
	assert_int_equal(written_pages(0), 0);
}

static _Atomic bool writes_go_on;

static _Atomic uint64_t *counter(size_t page)
{
	return (_Atomic uint64_t *)(p + page % N * PAGE);
}

static void *count_in_pages(void *unused)
{
	size_t i;

	for (i = 0; writes_go_on; i += 7)
		++*counter(i);
	return unused;
}

/* The counters of all pages that a scan finds written, among others that it reports. */
static void copy_what_is_written(uint64_t *copy)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING,
		    .start = (uintptr_t)p, .len = LEN, .category_mask = UFFDWP_PAGE_IS_WPALLOWED,
		    .return_mask = UFFDWP_PAGE_IS_WRITTEN);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	uint64_t page;

	assert_ok(uffdwp_scan_start(t, &opts, &scan));
	while (uffdwp_scan_next(scan, &region) == 1)
		for (page = region.start; region.categories && page < region.end; page += PAGE)
			copy[(page - (uintptr_t)p) / PAGE] = *(_Atomic uint64_t *)page;
	assert_int_equal(uffdwp_scan_position(scan), (uintptr_t)p + LEN);
	assert_ok(uffdwp_scan_end(scan));
}

/* A write between look and arming, to a page that is reported and not as written, is not lost. */
TEST(what_is_reported_as_not_written_is_in_the_next_if_it_is)
{
	static uint64_t copy[N];
	pthread_t writer;
	size_t i;

	for (i = 0; i < N; i++)
		copy[i] = *counter(i);
	writes_go_on = true;
	assert_int_equal(pthread_create(&writer, NULL, count_in_pages, NULL), 0);
	for (i = 0; i < 20; i++)
		copy_what_is_written(copy);
	writes_go_on = false;
	pthread_join(writer, NULL);
	copy_what_is_written(copy);
	for (i = 0; i < N; i++)
		assert_int_equal(copy[i], *counter(i));
}

TEST(a_page_limit_counts_over_batches)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	uint64_t pages = 0;

	write_every_second();
	scan = scan_of(UFFDWP_SCAN_WP_MATCHING, 777);
	while (uffdwp_scan_next(scan, &region) == 1)
		pages += (region.end - region.start) / PAGE;
	assert_int_equal(pages, 777);
	assert_ok(uffdwp_scan_end(scan));
	assert_int_equal(written_pages(0), N / 2 - 777);
}

TEST(untrack)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;

	assert_ok(uffdwp_untrack(t, (uintptr_t)p, LEN / 2));
	scan = scan_of(UFFDWP_SCAN_CHECK_TRACKED, 0);
	assert_err(uffdwp_scan_next(scan, &region), EPERM);
	assert_int_equal(uffdwp_scan_position(scan), (uintptr_t)p);
	assert_ok(uffdwp_scan_end(scan));
	touch(p, N, 2);
}

/* Pages of a category that a caller may name. */
static uint64_t pages_that_are(uint64_t category)
{
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.start = (uintptr_t)p,
		.len = LEN,
		.category_mask = category,
		.return_mask = category,
	};
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	uint64_t pages = 0;

	assert_ok(uffdwp_scan_start(t, &opts, &scan));
	while (uffdwp_scan_next(scan, &region) == 1) {
		assert_int_equal(region.categories, category);
		pages += (region.end - region.start) / PAGE;
	}
	assert_ok(uffdwp_scan_end(scan));
	return pages;
}

TEST(what_is_not_tracked_is_told_apart)
{
	assert_int_equal(pages_that_are(UFFDWP_PAGE_IS_UNTRACKED), 0);
	assert_ok(uffdwp_untrack(t, (uintptr_t)p, 10 * PAGE));
	munmap(p + 20 * PAGE, 3 * PAGE);
	assert_int_equal(pages_that_are(UFFDWP_PAGE_IS_UNTRACKED), 13);
	/* Where nothing is mapped is neither written nor clean. */
	assert_int_equal(written_pages(UFFDWP_SCAN_WP_MATCHING), 10);
	assert_ok(uffdwp_arm(t, (uintptr_t)p, LEN));
	assert_int_equal(written_pages(0), 10);
	assert_int_equal(pages_that_are(UFFDWP_PAGE_IS_UNTRACKED), 13);
}

/* ---- everything by one call */

#define MAPPINGS 5000ul

/* Mappings of one page each, with gaps between, all tracked. */
static char *map_many(struct uffdwp *tracker)
{
	char *many = map_anon(2 * MAPPINGS);
	size_t i;

	for (i = 0; i < MAPPINGS; i++) {
		many[2 * i * PAGE] = 1;
		assert_ok(munmap(many + (2 * i + 1) * PAGE, PAGE));
	}
	assert_ok(uffdwp_track(tracker, (uintptr_t)many, 2 * MAPPINGS * PAGE, NULL));
	return many;
}

static uint64_t scans_done(struct uffdwp *tracker)
{
	UFFDWP_OPTS(uffdwp_stats_arg, stats);

	assert_ok(uffdwp_get_stats(tracker, &stats));
	return stats.scans;
}

/* Pages of tracked memory that are written, whatever their number at most; checks that it is. */
static uint64_t written_of_everything(struct uffdwp *tracker, uint64_t flags, const char *first)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = flags,
		    .category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	uint64_t pages = 0;
	int got;

	assert_ok(uffdwp_scan_start(tracker, &opts, &scan));
	while ((got = uffdwp_scan_next(scan, &region)) == 1) {
		if (!pages)
			assert_int_equal(region.start, (uintptr_t)first);
		pages += (region.end - region.start) / PAGE;
	}
	assert_int_equal(got, 0);
	assert_true(uffdwp_scan_position(scan) >= (uintptr_t)first);
	assert_ok(uffdwp_scan_end(scan));
	return pages;
}

/* One call for each interval, however many mappings there are. */
TEST(everything_is_one_call)
{
	char *many = map_many(t);
	uint64_t before = 0;
	size_t i;

	assert_int_equal(written_of_everything(t, 0, NULL), 0);
	if (!is_kernel())
		before = scans_done(t);
	for (i = 0; i < 3; i++) {
		many[2 * (i + 1000) * PAGE] = 2;
		many[2 * (MAPPINGS - 1) * PAGE] = 2;
		assert_int_equal(written_of_everything(t, UFFDWP_SCAN_WP_MATCHING,
						       many + 2 * (i + 1000) * PAGE), 2);
		if (!is_kernel())
			assert_int_equal(scans_done(t), before + i + 1);
	}
	assert_int_equal(written_of_everything(t, 0, NULL), 0);
	/* All of them: more regions than one call takes. */
	for (i = 0; i < MAPPINGS; i++)
		many[2 * i * PAGE] = 3;
	assert_int_equal(written_of_everything(t, UFFDWP_SCAN_WP_MATCHING, many), MAPPINGS);
	assert_int_equal(written_of_everything(t, UFFDWP_SCAN_WP_MATCHING, NULL), 0);
	munmap(many, 2 * MAPPINGS * PAGE);
}

/* Two trackers of this process: what one arms, the other one looks after. */
TEST(everything_is_nothing_of_another_tracker)
{
	struct uffdwp_open_opts opts = opts_of(0);
	char *theirs = map_filled(N);
	struct uffdwp *other;

	assert_ok(uffdwp_open(0, &opts, &other));
	assert_ok(uffdwp_track(other, (uintptr_t)theirs, LEN, NULL));
	touch(p, 3, 2);
	touch(theirs, 5, 2);
	assert_int_equal(written_of_everything(t, UFFDWP_SCAN_WP_MATCHING, p), 3);
	assert_int_equal(written_of_everything(other, UFFDWP_SCAN_WP_MATCHING, theirs), 5);
	assert_int_equal(written_of_everything(other, UFFDWP_SCAN_WP_MATCHING, NULL), 0);
	uffdwp_close(other);
	munmap(theirs, LEN);
}

/* What is lost on the way is told to who does not leave it out. */
TEST(everything_has_what_is_tracked_no_more)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .return_mask = UFFDWP_PAGE_IS_UNTRACKED);
	const uint64_t at = (uintptr_t)p + 10 * PAGE;
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	bool told = false;

	assert_ptr_equal(mmap((void *)at, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), (void *)at);
	assert_ok(uffdwp_scan_start(t, &opts, &scan));
	while (uffdwp_scan_next(scan, &region) == 1)
		told |= region.start <= at && at < region.end &&
			(region.categories & UFFDWP_PAGE_IS_UNTRACKED);
	assert_ok(uffdwp_scan_end(scan));
	assert_true(told);
	/* And what was given up is not. */
	assert_ok(uffdwp_untrack(t, (uintptr_t)p, LEN / 2));
	touch(p, N, 2);
	assert_int_equal(written_of_everything(t, 0, p + LEN / 2), N / 2);
}

TEST(another_process)
{
	struct peer peer = peer_start();
	struct uffdwp *other;
	int pidfd = syscall(SYS_pidfd_open, peer.pid, 0);
	struct uffdwp_open_opts opts = opts_of(UFFDWP_OPEN_PIDFD);
	struct uffdwp_open_opts by_pid = opts_of(0);

	opts.pidfd = pidfd;
	if (is_kernel()) {
		/* Nothing but the module can do that. */
		assert_err(uffdwp_open(peer.pid, &by_pid, &other), ENODEV);
		assert_err(uffdwp_open(0, &opts, &other), ENODEV);
		assert_null(other);
		peer_end(&peer);
		close(pidfd);
		return;
	}
	assert_ok(uffdwp_open(peer.pid, &by_pid, &other));
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

/* For everybody, privileged or not; -1 when this kernel does not have the features. */
static int uffd_with(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1 /* UFFD_USER_MODE_ONLY */);

	if (uffd < 0)
		uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	assert_true(uffd >= 0);
	if (!ioctl(uffd, UFFDIO_API, &api))
		return uffd;
	close(uffd);
	return -1;
}

TEST(a_userfaultfd_that_is_handed_in)
{
	struct uffdwp_open_opts opts = opts_of(UFFDWP_OPEN_UFFD);
	char *q = map_filled(10);
	struct uffdwp *mine = t;

	opts.uffd = uffd_with(is_kernel() ? WP_ASYNC : 0);
	assert_ok(uffdwp_open(0, &opts, &t));
	/* It stays the caller's: the tracker goes on without it. */
	close(opts.uffd);
	assert_ok(uffdwp_track(t, (uintptr_t)q, 10 * PAGE, NULL));
	touch(q + 2 * PAGE, 3, 2);
	{
		struct uffdwp_scan_opts scan_opts = {
			.size = sizeof(scan_opts),
			.start = (uintptr_t)q, .len = 10 * PAGE,
		};
		struct uffdwp_scan *scan;
		struct uffdwp_region region;

		assert_ok(uffdwp_scan_start(t, &scan_opts, &scan));
		assert_int_equal(uffdwp_scan_next(scan, &region), 1);
		assert_int_equal(region.start, (uintptr_t)q + 2 * PAGE);
		assert_int_equal(region.end, (uintptr_t)q + 5 * PAGE);
		assert_int_equal(uffdwp_scan_next(scan, &region), 0);
		assert_ok(uffdwp_scan_end(scan));
	}
	uffdwp_close(t);
	t = mine;
	munmap(q, 10 * PAGE);
}

/* One that would stop its writers until somebody reads it. */
TEST(a_userfaultfd_that_would_stop_writers)
{
	struct uffdwp_open_opts opts = opts_of(UFFDWP_OPEN_UFFD);
	struct uffdwp *other;
	int err;

	opts.uffd = uffd_with(0);
	err = uffdwp_open(0, &opts, &other);
	if (is_kernel()) {
		assert_int_equal(err, -EOPNOTSUPP);
		assert_null(other);
		assert_non_null(strstr(uffdwp_explain(err), "WP_ASYNC"));
	} else {
		assert_ok(err);
		uffdwp_close(other);
	}
	close(opts.uffd);
}

/* A child that hands in a userfaultfd of its own, and writes as often as it is told. */
static pid_t child_with_uffd(int to[2], int from[2])
{
	pid_t pid;
	int uffd;
	char go;

	assert_ok(pipe(to));
	assert_ok(pipe(from));
	pid = fork();
	if (pid)
		return pid;
	close(to[1]);
	uffd = uffd_with(is_kernel() ? WP_ASYNC : 0);
	if (write(from[1], &uffd, sizeof(uffd)) != sizeof(uffd))
		_exit(1);
	while (read(to[0], &go, 1) == 1) {
		touch(p + 5 * PAGE, 4, 3);
		if (write(from[1], &go, 1) != 1)
			break;
	}
	_exit(0);
}

/* A child would inherit what is armed; and without UFFDIO_API nothing is known of it. */
TEST(a_userfaultfd_that_cannot_be_used)
{
	struct uffdwp_open_opts opts = opts_of(UFFDWP_OPEN_UFFD);
	struct uffdwp *other;

	opts.uffd = uffd_with((is_kernel() ? WP_ASYNC : 0) | UFFD_FEATURE_EVENT_FORK);
	if (opts.uffd >= 0) {
		assert_err(uffdwp_open(0, &opts, &other), EINVAL);
		assert_null(other);
		assert_non_null(strstr(uffdwp_explain(-EINVAL), "EVENT_FORK"));
		close(opts.uffd);
	}
	opts.uffd = syscall(SYS_userfaultfd, O_CLOEXEC | 1);
	if (opts.uffd < 0)
		opts.uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	assert_true(opts.uffd >= 0);
	assert_err(uffdwp_open(0, &opts, &other), EINVAL);
	close(opts.uffd);
}

static void *discard_a_page(void *addr)
{
	madvise(addr, PAGE, MADV_DONTNEED);
	return NULL;
}

/*
 * Until the event is read the kernel arms nothing, and says EAGAIN. Whoever reads it may be this
 * thread, so that this is said instead of being tried for ever.
 */
TEST(an_event_that_nobody_reads)
{
	struct uffdwp_open_opts opts = opts_of(UFFDWP_OPEN_UFFD);
	char *q = map_filled(16);
	struct uffdwp *other;
	struct uffd_msg event;
	pthread_t thread;
	int err, tries;

	if (!is_kernel())
		skip_because("the module arms without asking whether events wait");
	opts.uffd = uffd_with(WP_ASYNC | UFFD_FEATURE_EVENT_REMOVE);
	if (opts.uffd < 0)
		skip_because("only root may have events here");
	assert_ok(uffdwp_open(0, &opts, &other));
	assert_ok(uffdwp_track(other, (uintptr_t)q, 16 * PAGE, NULL));
	assert_int_equal(pthread_create(&thread, NULL, discard_a_page, q + 8 * PAGE), 0);
	/* The thread is in the kernel, with its event there to be read, some time. */
	for (err = tries = 0; !err && tries < 1000; tries++) {
		err = uffdwp_arm(other, (uintptr_t)q, 16 * PAGE);
		usleep(1000);
	}
	assert_int_equal(err, -EAGAIN);
	assert_non_null(strstr(uffdwp_explain(err), "event"));
	assert_int_equal(read(opts.uffd, &event, sizeof(event)), sizeof(event));
	assert_int_equal(event.event, UFFD_EVENT_REMOVE);
	pthread_join(thread, NULL);
	assert_ok(uffdwp_arm(other, (uintptr_t)q, 16 * PAGE));
	uffdwp_close(other);
	close(opts.uffd);
	munmap(q, 16 * PAGE);
}

TEST(another_process_by_its_userfaultfd)
{
	struct uffdwp_open_opts opts = opts_of(UFFDWP_OPEN_UFFD);
	struct uffdwp *mine = t;
	int to[2], from[2], number, pidfd;
	pid_t child = child_with_uffd(to, from);
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	char byte = 0;

	pidfd = syscall(SYS_pidfd_open, child, 0);
	assert_int_equal(read(from[0], &number, sizeof(number)), sizeof(number));
	opts.uffd = syscall(SYS_pidfd_getfd, pidfd, number, 0);
	assert_true(opts.uffd >= 0);
	assert_ok(uffdwp_open(child, &opts, &t));
	assert_ok(uffdwp_track(t, (uintptr_t)p, LEN, NULL));
	assert_int_equal(written_pages(0), 0);
	assert_int_equal(write(to[1], &byte, 1), 1);
	assert_int_equal(read(from[0], &byte, 1), 1);
	assert_int_equal(written_pages(UFFDWP_SCAN_WP_MATCHING), 4);
	assert_int_equal(written_pages(0), 0);

	/* Its end is no "nothing was written". */
	close(to[1]);
	waitpid(child, NULL, 0);
	scan = scan_of(0, 0);
	assert_err(uffdwp_scan_next(scan, &region), ESRCH);
	uffdwp_scan_end(scan);
	assert_err(uffdwp_arm(t, (uintptr_t)p, LEN), ESRCH);
	assert_err(uffdwp_disarm(t, (uintptr_t)p, LEN), ESRCH);
	assert_err(uffdwp_track(t, (uintptr_t)p, LEN, NULL), ESRCH);
	assert_err(uffdwp_untrack(t, (uintptr_t)p, LEN), ESRCH);
	uffdwp_close(t);
	t = mine;
	close(opts.uffd);
	close(pidfd);
	close(to[0]);
	close(from[0]);
	close(from[1]);
}

TEST(statistics)
{
	UFFDWP_OPTS(uffdwp_stats_arg, stats);
	struct {
		uint64_t size;
		uint64_t flags;
		uint64_t write_faults;
	} short_stats = { .size = sizeof(short_stats) };

	touch(p, 5, 2);
	if (is_kernel()) {
		assert_err(uffdwp_get_stats(t, &stats), EOPNOTSUPP);
		return;
	}
	assert_ok(uffdwp_get_stats(t, &stats));
	assert_int_equal(stats.write_faults, 5);
	assert_int_equal(stats.pages_armed, N);
	/* A program that is older than the library. */
	assert_ok(uffdwp_get_stats(t, (struct uffdwp_stats_arg *)&short_stats));
	assert_int_equal(short_stats.write_faults, 5);
	stats.size = 0;
	assert_err(uffdwp_get_stats(t, &stats), EINVAL);
}

/* What the kernel alone does not offer is an error, not something less. */
TEST(what_is_not_offered)
{
	struct uffdwp_scan_opts scan_opts = {
		.size = sizeof(scan_opts), .start = (uintptr_t)p, .len = LEN,
		.category_mask = UFFDWP_PAGE_IS_PINNED,
	};
	struct uffdwp_open_opts opts = opts_of(0);
	struct uffdwp_scan *scan;
	struct uffdwp_region region;
	struct uffdwp *other;

	assert_ok(uffdwp_scan_start(t, &scan_opts, &scan));
	assert_err(uffdwp_scan_next(scan, &region), is_kernel() ? EOPNOTSUPP : 0);
	assert_ok(uffdwp_scan_end(scan));
	opts.unpopulated = UFFDWP_UNPOP_ZERO;
	assert_err(uffdwp_open(0, &opts, &other), is_kernel() ? EOPNOTSUPP : 0);
	uffdwp_close(other);
	opts = opts_of(UFFDWP_OPEN_WHOLE_HUGE);
	assert_err(uffdwp_open(0, &opts, &other), is_kernel() ? EOPNOTSUPP : 0);
	uffdwp_close(other);
}

/* What the process has registered for missing faults no other userfaultfd can have. */
TEST(rides_along)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdwp_open_opts opts = opts_of(UFFDWP_OPEN_RIDE);
	int err;

	uffdwp_close(t);
	t = NULL;
	assert_err(uffdwp_open(0, &opts, &t), EINVAL);
	opts.flags |= UFFDWP_OPEN_UFFD;
	opts.uffd = new_uffd(0);
	reg.range.start = (uintptr_t)p;
	reg.range.len = LEN;
	assert_ok(ioctl(opts.uffd, UFFDIO_REGISTER, &reg));
	err = uffdwp_open(0, &opts, &t);
	if (is_kernel()) {
		assert_int_equal(err, -EOPNOTSUPP);
		assert_non_null(strstr(uffdwp_explain(err), "ride along"));
	} else {
		assert_ok(err);
		assert_ok(uffdwp_track(t, (uintptr_t)p, LEN, NULL));
		touch(p + 3 * PAGE, 2, 2);
		assert_int_equal(written_pages(0), 2);
		/* From here on it is the process that protects. */
		reg.mode = UFFDIO_REGISTER_MODE_WP;
		assert_ok(ioctl(opts.uffd, UFFDIO_REGISTER, &reg));
		assert_err(uffdwp_arm(t, (uintptr_t)p, LEN), ENODEV);
	}
	uffdwp_close(t);
	t = NULL;
	close(opts.uffd);
}

TEST(a_granule)
{
	char *block = next_huge_page(p);
	struct uffdwp_open_opts opts = opts_of(0);
	int err;

	uffdwp_close(t);
	opts.granule = 64;
	err = uffdwp_open(0, &opts, &t);
	if (is_kernel()) {
		assert_int_equal(err, -EOPNOTSUPP);
		assert_non_null(strstr(uffdwp_explain(err), "granule"));
		opts.granule = 1;
		assert_ok(uffdwp_open(0, &opts, &t));
		return;
	}
	assert_ok(err);
	assert_ok(uffdwp_track(t, (uintptr_t)p, LEN, NULL));
	touch(block + 3 * PAGE, 1, 2);
	assert_int_equal(written_pages(0), 64);
}

TEST(errors)
{
	struct uffdwp *none = t;
	struct uffdwp_open_opts opts = opts_of(1u << 31);
	char *hole = map_anon(1), *mapped;
	int file = memfd_create("sealed", MFD_ALLOW_SEALING);

	assert_err(uffdwp_open(-1, NULL, &none), EINVAL);
	assert_null(none);
	assert_err(uffdwp_open(0, &opts, &none), EINVAL);
	opts = opts_of(UFFDWP_OPEN_PIDFD);
	opts.pidfd = -1;
	assert_err(uffdwp_open(0, &opts, &none), EBADF);
	opts = opts_of(UFFDWP_OPEN_UFFD);
	opts.uffd = file;
	assert_err(uffdwp_open(0, &opts, &none), EBADF);
	opts = opts_of(0);
	opts.granule = 63;
	assert_err(uffdwp_open(0, &opts, &none), EINVAL);
	opts = opts_of(0);
	opts.backend = 77;
	assert_err(uffdwp_open(0, &opts, &none), EINVAL);

	munmap(hole, PAGE);
	assert_err(uffdwp_track(t, (uintptr_t)hole, PAGE, NULL), ENOENT);
	assert_err(uffdwp_untrack(t, (uintptr_t)hole, PAGE), ENOENT);
	assert_err(uffdwp_arm(t, (uintptr_t)hole, PAGE), ENOENT);
	assert_err(uffdwp_track(t, (uintptr_t)p + 1, PAGE, NULL), EINVAL);
	assert_err(uffdwp_track(t, (uintptr_t)p, -PAGE, NULL), EOVERFLOW);
	/* Where it can never become writable. */
	assert_ok(ftruncate(file, PAGE));
	assert_ok(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	if (is_kernel() || (dev_kinds() & UFFDWP_KIND_SHMEM))
		assert_err(uffdwp_track(t, (uintptr_t)mapped, PAGE, NULL), EACCES);
	munmap(mapped, PAGE);
	close(file);
	uffdwp_close(NULL);
}

/* What only the module has an answer to. */
TEST(errors_of_the_module)
{
	struct uffdwp *none = t;
	uint64_t fail_at, vdso = getauxval(AT_SYSINFO_EHDR);
	pid_t dead = fork();

	if (!dead)
		_exit(0);
	waitpid(dead, NULL, 0);
	if (is_kernel())
		skip_because("only the module takes other processes, and says what has refused");
	assert_err(uffdwp_open(dead, NULL, &none), ESRCH);
	assert_err(uffdwp_open(2, NULL, &none), ENXIO);
	assert_err(uffdwp_track(t, vdso, PAGE, &fail_at), EOPNOTSUPP);
	assert_int_equal(fail_at, vdso);
}

/* ---- the choice */

static bool has_module(void)
{
	return !access(UFFDWP_DEVICE, F_OK);
}

/* Asked of the kernel itself. */
static bool kernel_can(void)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), uffd = uffd_with(WP_ASYNC);
	struct uffdwp_scan_arg nothing = { .size = sizeof(nothing) };
	bool can = uffd >= 0 && !ioctl(pagemap, _IOWR('f', 16, struct uffdwp_scan_arg), &nothing);

	if (uffd >= 0)
		close(uffd);
	close(pagemap);
	return can;
}

TEST(the_first_that_serves)
{
	int err = uffdwp_open(0, NULL, &t);

	if (!has_module() && !kernel_can()) {
		assert_int_equal(err, -ENODEV);
		assert_null(t);
		assert_non_null(strstr(uffdwp_explain(err), "modprobe"));
		return;
	}
	assert_ok(err);
	assert_string_equal(uffdwp_backend_name(t), has_module() ? "module" : "kernel");
	uffdwp_close(t);
}

/* Of a child without rights of its own: its exit status is the number of the check. */
static void assert_child(void (*checks)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(99);
		checks();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("check %d has failed in the child (status 0x%x)", WEXITSTATUS(status),
			 status);
}

#define CHECK(number, condition) do { if (!(condition)) _exit(number); } while (0)

/* Whether the kernel serves without the device must not depend on whether the module is loaded. */
static void check_without_right_to_device(void)
{
	int err, expected = has_module() ? -EACCES : -ENODEV;
	struct uffdwp *mine;

	/* setuid() has made this process unreadable, its own pagemap included. */
	prctl(PR_SET_DUMPABLE, 1);
	CHECK(1, !has_module() || access(UFFDWP_DEVICE, R_OK | W_OK));
	err = uffdwp_open(0, NULL, &mine);
	if (!kernel_can()) {
		CHECK(2, err == expected);
		CHECK(3, strstr(uffdwp_explain(err), UFFDWP_DEVICE));
		return;
	}
	CHECK(4, !err);
	CHECK(5, !strcmp(uffdwp_backend_name(mine), "kernel"));
	CHECK(6, uffdwp_passed_over(mine, UFFDWP_BACKEND_MODULE) == expected);
	CHECK(7, !uffdwp_passed_over(mine, UFFDWP_BACKEND_KERNEL));
	uffdwp_close(mine);
}

TEST(who_may_not_open_the_device)
{
	if (getuid())
		skip_because("only root can become somebody else");
	assert_child(check_without_right_to_device);
}

static void check_without_pagemap(void)
{
	struct uffdwp_open_opts opts = { .size = sizeof(opts), .backend = UFFDWP_BACKEND_KERNEL };
	struct uffdwp *mine;

	CHECK(1, open("/proc/self/pagemap", O_RDONLY) < 0 && errno == EACCES);
	CHECK(2, uffdwp_open(0, &opts, &mine) == -EACCES);
	CHECK(3, strstr(uffdwp_explain(-EACCES), "pagemap"));
}

TEST(who_may_not_open_the_pagemap)
{
	if (getuid())
		skip_because("only root can become somebody else");
	assert_child(check_without_pagemap);
}

TEST(the_only_one_that_is_wanted)
{
	struct uffdwp_open_opts opts = { .size = sizeof(opts) };

	opts.backend = UFFDWP_BACKEND_MODULE;
	assert_int_equal(uffdwp_open(0, &opts, &t), has_module() ? 0 : -ENODEV);
	uffdwp_close(t);
	opts.backend = UFFDWP_BACKEND_KERNEL;
	assert_int_equal(uffdwp_open(0, &opts, &t), kernel_can() ? 0 : -ENODEV);
	uffdwp_close(t);
}

/* What is said without tracking anything is what the device says, or what Linux 6.7 has. */
TEST(what_is_offered_is_told)
{
	UFFDWP_OPTS(uffdwp_info, info);
	UFFDWP_OPTS(uffdwp_info, kernel);
	UFFDWP_OPTS(uffdwp_info, small);

	small.size = sizeof(small.size);
	assert_err(uffdwp_query(UFFDWP_BACKEND_ANY, &small), EINVAL);
	assert_err(uffdwp_query(UFFDWP_BACKEND_KERNEL + 1, &info), EINVAL);
	assert_err(uffdwp_query(UFFDWP_BACKEND_KERNEL, &kernel), kernel_can() ? 0 : ENODEV);
	assert_err(uffdwp_query(UFFDWP_BACKEND_ANY, &info),
		   has_module() || kernel_can() ? 0 : ENODEV);
	if (has_module()) {
		assert_int_equal(info.backend, UFFDWP_BACKEND_MODULE);
		assert_int_equal(info.abi_version, UFFDWP_ABI_VERSION);
		assert_int_equal(info.kinds, dev_kinds());
		assert_int_equal(info.features, dev_features());
	} else if (kernel_can()) {
		assert_memory_equal(&info, &kernel, sizeof(info));
	}
	if (kernel_can()) {
		assert_int_equal(kernel.backend, UFFDWP_BACKEND_KERNEL);
		assert_false(kernel.features & UFFDWP_FEATURE_PIDFD);
	}
}

TEST(another_process_takes_the_module)
{
	struct peer peer = peer_start();
	int err = uffdwp_open(peer.pid, NULL, &t);

	if (has_module()) {
		assert_ok(err);
		assert_string_equal(uffdwp_backend_name(t), "module");
	} else {
		assert_int_equal(err, -ENODEV);
		assert_null(t);
		assert_non_null(strstr(uffdwp_explain(err), "modprobe"));
	}
	uffdwp_close(t);
	peer_end(&peer);
}

/* What a person sees who has forgotten to load it. UFFDWP_COMMAND: where the command is. */
TEST(the_command_says_what_to_do)
{
	const char *program = getenv("UFFDWP_COMMAND") ?: "/bin/uffdwp";
	char command[256], output[1024];
	struct peer peer;
	FILE *pipe;
	size_t n;

	if (has_module())
		skip_because("the module is loaded: test_watch tries the command");
	if (access(program, X_OK))
		fail_msg("there is no %s", program);
	peer = peer_start();
	snprintf(command, sizeof(command), "%s watch -p %d 2>&1", program, (int)peer.pid);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = 0;
	assert_int_equal(pclose(pipe), 1 << 8);
	if (!strstr(output, "cannot watch process") || !strstr(output, "modprobe uffdwp-async"))
		fail_msg("%s says: %s", command, output);
	peer_end(&peer);
}

static uint64_t pages_of_ring(struct uffdwp_ring *ring)
{
	struct uffdwp_region region;
	uint64_t pages = 0;
	int got;

	while ((got = uffdwp_ring_next(ring, &region)) == 1) {
		assert_true(region.categories & UFFDWP_PAGE_IS_WRITTEN);
		pages += (region.end - region.start) / PAGE;
	}
	assert_int_equal(got, 0);
	return pages;
}

TEST(a_ring_tells_what_was_written)
{
	UFFDWP_OPTS(uffdwp_ring_opts, opts, .entries = 1024, .start = (uintptr_t)p, .len = LEN);
	struct uffdwp_info info = { .size = sizeof(info) };
	struct uffdwp_ring *ring;

	assert_ok(uffdwp_query(backend, &info));
	if (!(info.features & UFFDWP_FEATURE_RING)) {
		assert_err(uffdwp_ring_open(t, &opts, &ring), EOPNOTSUPP);
		assert_null(ring);
		return;
	}
	opts.entries = 1000;
	assert_err(uffdwp_ring_open(t, &opts, &ring), EINVAL);
	opts.entries = 1024;
	assert_int_equal(written_pages(UFFDWP_SCAN_WP_MATCHING), 0);
	touch(p, 5, 1);
	/* What was written before is found, too. */
	assert_ok(uffdwp_ring_open(t, &opts, &ring));
	assert_int_equal(uffdwp_ring_pending(ring), 1);
	assert_int_equal(pages_of_ring(ring), 5);
	assert_int_equal(uffdwp_ring_pending(ring), 0);
	assert_int_equal(pages_of_ring(ring), 0);
	touch(p, 700, 2);
	assert_int_equal(uffdwp_ring_pending(ring), 1);
	assert_int_equal(pages_of_ring(ring), 700);
	assert_int_equal(written_pages(0), 0);
	/* More than it has room for. */
	write_every_second();
	assert_true(pages_of_ring(ring) >= N / 2);
	assert_int_equal(written_pages(0), 0);
	assert_int_equal(uffdwp_ring_pending(ring), 0);
	/* What is given up is told again. */
	touch(p, 9, 3);
	assert_int_equal(uffdwp_ring_next(ring, &(struct uffdwp_region){ 0 }), 1);
	uffdwp_ring_close(ring);
	assert_int_equal(written_pages(0), 8);
	assert_err(uffdwp_ring_open(t, &opts, &ring), EALREADY);
}

/* ---- events of a child, and trackers of what comes from it */

#define AREA 8ul

/* What it does for a letter. It answers when that is done; when it is gone, nobody does. */
static struct {
	pid_t pid;
	int to[2], from[2];
	char *area;		/* where it maps memory; nothing is there at first */
} child;

static void fork_and_wait(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(1);
}

/* Who was forked last does what is told, until it is told to end. */
static void do_as_told(void)
{
	char order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(child.to[0], &order, 1) == 1) {
		switch (order) {
		case 'm':
			if (mmap(child.area, AREA * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
				_exit(1);
			break;
		case 'w':
			touch(child.area, 3, 7);
			break;
		case 'd':
			madvise(child.area, PAGE, MADV_DONTNEED);
			break;
		case 'u':
			munmap(child.area, AREA * PAGE);
			break;
		case 'f':
			fork_and_wait();
			break;
		case 'x':
			execl("/bin/busybox", "sleep", "1000", (char *)NULL);
			_exit(1);
		case 'q':
			_exit(3);
		}
		if (write(child.from[1], &order, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void start_child(void)
{
	child.area = map_anon(AREA);
	munmap(child.area, AREA * PAGE);
	assert_ok(pipe2(child.to, O_CLOEXEC));
	assert_ok(pipe2(child.from, O_CLOEXEC));
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		close(child.to[1]);
		close(child.from[0]);
		do_as_told();
	}
	close(child.to[0]);
	close(child.from[1]);
}

static void tell_child(char order)
{
	char done = 0;

	assert_int_equal(write(child.to[1], &order, 1), 1);
	if (read(child.from[0], &done, 1) == 1)
		return;
	assert_true(order == 'x' || order == 'q');
}

/* Its status, as wait(2) tells it. */
static int end_child(void)
{
	int status;

	kill(child.pid, SIGKILL);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	close(child.to[1]);
	close(child.from[0]);
	return status;
}

static bool has_events(void)
{
	struct uffdwp_info info = { .size = sizeof(info) };

	assert_ok(uffdwp_query(backend, &info));
	return info.features & UFFDWP_FEATURE_EVENTS;
}

/* A new child, with its private memory and what is asked for. */
static struct uffdwp *follow_child(uint64_t flags)
{
	struct uffdwp_open_opts opts = opts_of(0);
	UFFDWP_OPTS(uffdwp_events_opts, events, .flags = UFFDWP_EVENTS_HARVEST_ALL);
	UFFDWP_OPTS(uffdwp_follow_opts, follow, .kinds = UFFDWP_KIND_ANON_PRIVATE, .flags = flags);
	struct uffdwp *tracker;

	if (!has_events())
		skip_because("this back end has no events");
	start_child();
	assert_ok(uffdwp_open(child.pid, &opts, &tracker));
	assert_ok(uffdwp_events_open(tracker, &events));
	assert_ok(uffdwp_follow(tracker, &follow));
	return tracker;
}

/* Returns when there is something to read, be it the end. */
static void wait_for_event(struct uffdwp *tracker)
{
	struct pollfd there = { .fd = uffdwp_event_fd(tracker), .events = POLLIN };

	if (poll(&there, 1, 30000) != 1)
		fail_msg("30 s have brought no event");
}

/* The next of that type; others may come before. */
static struct uffdwp_event next_event(struct uffdwp *tracker, uint32_t type, struct uffdwp **named)
{
	struct uffdwp_event event;
	int got;

	for (;;) {
		got = uffdwp_event_next(tracker, &event, named);
		if (got < 0)
			fail_msg("no event %u: %s", type, uffdwp_explain(got));
		if (!got)
			wait_for_event(tracker);
		else if (event.type == type)
			return event;
		else if (event.type == UFFDWP_EVENT_LOST || (named && *named))
			fail_msg("event %u instead of %u", event.type, type);
	}
}

static void assert_no_event(struct uffdwp *tracker)
{
	struct uffdwp_event event;

	assert_int_equal(uffdwp_event_next(tracker, &event, NULL), 0);
}

static void assert_that_was_the_last(struct uffdwp *tracker)
{
	struct uffdwp_event event;
	int i;

	wait_for_event(tracker);
	for (i = 0; i < 2; i++)
		assert_err(uffdwp_event_next(tracker, &event, NULL), ENODATA);
}

static void assert_exited(struct uffdwp *tracker, pid_t pid, int status)
{
	struct uffdwp_event event = next_event(tracker, UFFDWP_EVENT_EXITED, NULL);

	assert_int_equal(event.pid, pid);
	assert_int_equal(event.status, status);
	assert_that_was_the_last(tracker);
}

static void assert_area(const struct uffdwp_event *event, size_t pages)
{
	assert_int_equal(event->start, (uintptr_t)child.area);
	assert_int_equal(event->end, (uintptr_t)child.area + pages * PAGE);
}

/* Pages of a tracker's memory; of all of it without a range. */
static uint64_t written_in(struct uffdwp *tracker, const char *start, size_t pages)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .start = (uintptr_t)start, .len = pages * PAGE,
		    .category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	uint64_t written = 0;
	int got;

	assert_ok(uffdwp_scan_start(tracker, &opts, &scan));
	while ((got = uffdwp_scan_next(scan, &region)) == 1)
		written += (region.end - region.start) / PAGE;
	assert_int_equal(got, 0);
	assert_ok(uffdwp_scan_end(scan));
	return written;
}

TEST(events_are_opened_once)
{
	UFFDWP_OPTS(uffdwp_events_opts, opts, .capacity = UFFDWP_EVENTS_MIN_CAPACITY - 1);
	UFFDWP_OPTS(uffdwp_follow_opts, follow, .flags = UFFDWP_FOLLOW_FORK);
	struct uffdwp_event event;

	assert_err(uffdwp_event_next(t, &event, NULL), EINVAL);
	assert_err(uffdwp_event_fd(t), EINVAL);
	if (!has_events()) {
		assert_err(uffdwp_events_open(t, NULL), EOPNOTSUPP);
		assert_non_null(strstr(uffdwp_explain(-EOPNOTSUPP), "no events"));
		assert_err(uffdwp_event_next(t, &event, NULL), EINVAL);
		return;
	}
	assert_err(uffdwp_follow(t, &follow), EINVAL);
	assert_non_null(strstr(uffdwp_explain(-EINVAL), "uffdwp_events_open"));
	assert_err(uffdwp_events_open(t, &opts), EINVAL);
	opts.capacity = UFFDWP_EVENTS_MAX_CAPACITY + 1;
	assert_err(uffdwp_events_open(t, &opts), EINVAL);
	opts.capacity = 0;
	opts.flags = UFFDWP_EVENTS_HARVEST_ALL | UFFDWP_EVENTS_HARVEST_NONE;
	assert_err(uffdwp_events_open(t, &opts), EINVAL);
	assert_ok(uffdwp_events_open(t, NULL));
	assert_err(uffdwp_events_open(t, NULL), EALREADY);
	assert_non_null(strstr(uffdwp_explain(-EALREADY), "events"));
	assert_no_event(t);
}

TEST(events_tell_what_a_process_does_with_its_memory)
{
	struct uffdwp *tracker = follow_child(0);
	struct uffdwp_event event;
	uint64_t written = 0;

	assert_no_event(tracker);
	tell_child('m');
	event = next_event(tracker, UFFDWP_EVENT_MAPPED, NULL);
	assert_area(&event, AREA);
	assert_int_equal(event.kind, UFFDWP_KIND_ANON_PRIVATE);
	assert_ok(uffdwp_arm(tracker, (uintptr_t)child.area, AREA * PAGE));
	tell_child('w');
	assert_int_equal(written_in(tracker, child.area, AREA), 3);
	assert_no_event(tracker);
	tell_child('d');
	event = next_event(tracker, UFFDWP_EVENT_DISCARDED, NULL);
	assert_area(&event, 1);
	/* What was written comes before that it is gone. */
	tell_child('w');
	tell_child('u');
	while (event.type != UFFDWP_EVENT_UNMAPPED) {
		assert_int_equal(uffdwp_event_next(tracker, &event, NULL), 1);
		if (event.type == UFFDWP_EVENT_WRITTEN)
			written += (event.end - event.start) / PAGE;
	}
	assert_area(&event, AREA);
	assert_int_equal(written, 3);
	assert_no_event(tracker);

	tell_child('q');
	assert_exited(tracker, child.pid, 3 << 8);
	uffdwp_close(tracker);
	assert_int_equal(end_child(), 3 << 8);
}

TEST(a_forked_child_has_a_tracker)
{
	struct uffdwp *tracker = follow_child(UFFDWP_FOLLOW_FORK), *forked;
	struct uffdwp_event event;

	tell_child('m');
	tell_child('w');
	assert_ok(uffdwp_arm(tracker, (uintptr_t)child.area, AREA * PAGE));
	tell_child('f');
	event = next_event(tracker, UFFDWP_EVENT_FORKED, &forked);
	assert_non_null(forked);
	assert_string_equal(uffdwp_backend_name(forked), "module");
	assert_err(uffdwp_events_open(forked, NULL), EALREADY);
	/* Another address space: all of it is written until it is armed, and then on its own. */
	assert_int_equal(written_in(forked, child.area, AREA), AREA);
	assert_ok(uffdwp_arm(forked, (uintptr_t)child.area, AREA * PAGE));
	tell_child('w');
	assert_int_equal(written_in(forked, child.area, AREA), 3);
	assert_int_equal(written_in(tracker, child.area, AREA), 0);
	/* It follows, and not the first one. */
	tell_child('u');
	next_event(forked, UFFDWP_EVENT_UNMAPPED, NULL);
	assert_no_event(tracker);
	/* Whoever holds the other, this one goes on. */
	uffdwp_close(tracker);
	tell_child('q');
	assert_exited(forked, event.pid, 3 << 8);
	uffdwp_close(forked);
	end_child();
}

TEST(a_tracker_that_is_not_taken_ends)
{
	struct uffdwp *tracker = follow_child(UFFDWP_FOLLOW_FORK);
	struct uffdwp_event event;

	tell_child('f');
	event = next_event(tracker, UFFDWP_EVENT_FORKED, NULL);
	assert_true(event.id);
	assert_true(has_registered_memory(event.pid));
	uffdwp_close(tracker);
	assert_false(has_registered_memory(event.pid));
	tell_child('q');
	end_child();
}

/* Not even when there is no file descriptor for it. */
TEST(no_forked_child_is_lost)
{
	struct uffdwp *tracker = follow_child(UFFDWP_FOLLOW_FORK), *forked;
	struct rlimit limit, none;
	struct uffdwp_event event;
	int lowest = dup(child.to[1]), i;

	close(lowest);
	tell_child('f');
	assert_ok(getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = lowest;
	assert_ok(setrlimit(RLIMIT_NOFILE, &none));
	for (i = 0; i < 2; i++) {
		assert_err(uffdwp_event_next(tracker, &event, &forked), EMFILE);
		assert_null(forked);
	}
	assert_ok(setrlimit(RLIMIT_NOFILE, &limit));
	assert_int_equal(uffdwp_event_next(tracker, &event, &forked), 1);
	assert_int_equal(event.type, UFFDWP_EVENT_FORKED);
	assert_non_null(forked);
	uffdwp_close(forked);
	uffdwp_close(tracker);
	tell_child('q');
	end_child();
}

TEST(what_execve_makes_has_a_tracker)
{
	struct uffdwp *tracker = follow_child(UFFDWP_FOLLOW_EXEC), *program;
	struct uffdwp_event event;

	tell_child('x');
	event = next_event(tracker, UFFDWP_EVENT_EXEC, &program);
	assert_int_equal(event.pid, child.pid);
	assert_non_null(program);
	assert_that_was_the_last(tracker);
	uffdwp_close(tracker);
	/* It has a stack at least. */
	assert_true(written_in(program, NULL, 0) > 0);
	assert_ok(kill(child.pid, SIGKILL));
	assert_exited(program, child.pid, SIGKILL);
	uffdwp_close(program);
	assert_int_equal(end_child(), SIGKILL);
}

#define with_set_up(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int run_with(enum uffdwp_backend which, const char *name)
{
	const struct CMUnitTest tests[] = {
		with_set_up(track_and_scan),
		with_set_up(a_scan_goes_on_where_it_stopped),
		with_set_up(a_scan_that_is_given_up_loses_nothing),
		with_set_up(giving_up_reaches_memory_beside_untracked_memory),
		with_set_up(what_was_thrown_away_is_written),
		with_set_up(disarm),
		with_set_up(an_increment_that_failed_is_in_the_next),
		with_set_up(what_is_reported_as_not_written_is_in_the_next_if_it_is),
		with_set_up(a_page_limit_counts_over_batches),
		with_set_up(untrack),
		with_set_up(what_is_not_tracked_is_told_apart),
		with_set_up(everything_is_one_call),
		with_set_up(everything_is_nothing_of_another_tracker),
		with_set_up(everything_has_what_is_tracked_no_more),
		with_set_up(another_process),
		with_set_up(a_userfaultfd_that_is_handed_in),
		with_set_up(a_userfaultfd_that_would_stop_writers),
		with_set_up(a_userfaultfd_that_cannot_be_used),
		with_set_up(an_event_that_nobody_reads),
		with_set_up(another_process_by_its_userfaultfd),
		with_set_up(a_ring_tells_what_was_written),
		with_set_up(events_are_opened_once),
		with_set_up(events_tell_what_a_process_does_with_its_memory),
		with_set_up(a_forked_child_has_a_tracker),
		with_set_up(a_tracker_that_is_not_taken_ends),
		with_set_up(no_forked_child_is_lost),
		with_set_up(what_execve_makes_has_a_tracker),
		with_set_up(statistics),
		with_set_up(what_is_not_offered),
		with_set_up(rides_along),
		with_set_up(a_granule),
		with_set_up(errors),
		with_set_up(errors_of_the_module),
	};

	backend = which;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest choice[] = {
		cmocka_unit_test(the_first_that_serves),
		cmocka_unit_test(who_may_not_open_the_device),
		cmocka_unit_test(who_may_not_open_the_pagemap),
		cmocka_unit_test(the_only_one_that_is_wanted),
		cmocka_unit_test(what_is_offered_is_told),
		cmocka_unit_test(another_process_takes_the_module),
		cmocka_unit_test(the_command_says_what_to_do),
	};
	int failed = 0;

	if (has_module())
		failed += run_with(UFFDWP_BACKEND_MODULE, "lib, module");
	else
		print_message("[   INFO   ] the module is not loaded, and not tested\n");
	if (kernel_can())
		failed += run_with(UFFDWP_BACKEND_KERNEL, "lib, kernel");
	else
		print_message("[   INFO   ] this kernel cannot do it alone: that is not tested\n");
	return failed + cmocka_run_group_tests_name("lib, choice", choice, NULL, NULL);
}
