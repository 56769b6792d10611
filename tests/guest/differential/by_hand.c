// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left out of the random sequences, and what is worth seeing by itself: one case each.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "by_hand.h"
#include "differential.h"

#define W UFFDWP_PAGE_IS_WRITTEN
#define PM_UFFD_WP (1ull << 57)

static struct pair pair;
static bool is_open;
static uint64_t looks[2][MOST_PAGES];

static const char *start_pair(enum kind kind)
{
	const char *reason = pair_start(&pair, kind);

	if (reason && !(BIT_OF(kind) & (OF_HUGETLB | OF_ORDINARY)))
		fail_msg("no %s: %s", kinds[kind].name, reason);
	is_open = !reason;
	return reason;
}

int by_hand_end(void **state)
{
	(void)state;
	if (is_open)
		pair_end(&pair);
	is_open = false;
	return 0;
}

static void look(void)
{
	int i;

	for (i = 0; i < 2; i++)
		side_look(&pair.sides[i], pair.kind, looks[i]);
}

static void write_and_arm(size_t pages)
{
	int i;

	for (i = 0; i < 2; i++) {
		touch(pair.sides[i].start, pages, 'x');
		assert_ok(side_arm(&pair.sides[i], pair.sides[i].start,
				   kinds[pair.kind].pages * PAGE));
	}
}

/* ---- what was thrown away, in a table for people */

static const struct {
	const char *what;
	enum kind kind;
	enum event_number event;
} thrown_away[] = {
	{ "anonymous page, MADV_DONTNEED", KIND_ANON, EVENT_DONTNEED },
	{ "huge page, MADV_DONTNEED", KIND_THP, EVENT_DONTNEED },
	{ "private page over shmem, MADV_DONTNEED", KIND_SHMEM_PRIVATE, EVENT_DONTNEED },
	{ "page of shmem, hole in the file", KIND_SHMEM, EVENT_PUNCH },
	{ "page of shmem, hole in a part of it", KIND_SHMEM, EVENT_PUNCH_PART },
	{ "page of shmem, file truncated", KIND_SHMEM, EVENT_TRUNCATE },
	{ "page of hugetlb, hole in the file", KIND_HUGETLB, EVENT_PUNCH },
	{ "private page of hugetlb, MADV_DONTNEED", KIND_HUGETLB_PRIVATE, EVENT_DONTNEED },
	{ "page of a file, file truncated", KIND_FILE, EVENT_TRUNCATE },
	{ "private page over a file, MADV_DONTNEED", KIND_FILE_PRIVATE, EVENT_DONTNEED },
};

/* A program that asks for written pages and nothing else is answered by a path of its own. */
static bool reports_written(const struct side *side)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(side->start, PAGE, &region, 1);
	int n = side_scan(side, &arg);

	assert_true(n >= 0);
	return n;
}

static const char *says(bool is_written)
{
	return is_written ? "written" : "not written";
}

static void throw_away(size_t row)
{
	const enum kind kind = thrown_away[row].kind;
	const size_t unit = kind == KIND_THP ? 512 : kinds[kind].granule;
	const struct step step = {
		.kind = kind, .event = &events[thrown_away[row].event], .pages = unit,
	};
	const char *reason = start_pair(kind);
	static char before[PAGE];
	bool same;

	if (reason) {
		print_message("[   INFO   ] %-42s (%s)\n", thrown_away[row].what, reason);
		return;
	}
	write_and_arm(unit);
	/* All of the page, so that there is something in any part to be thrown away. */
	memset(pair.sides[NATIVE].start, 'x', PAGE);
	memset(pair.sides[DEVICE].start, 'x', PAGE);
	memcpy(before, pair.sides[DEVICE].start, PAGE);
	write_and_arm(unit);
	look();
	assert_false((looks[NATIVE][0] | looks[DEVICE][0]) & W);
	assert_ok(event_run(&pair, &step));
	look();
	print_message("[   INFO   ] %-42s %-12s %-12s %s\n", thrown_away[row].what,
		      says(looks[NATIVE][0] & W), says(reports_written(&pair.sides[NATIVE])),
		      says(looks[DEVICE][0] & W));
	assert_true(looks[DEVICE][0] & W);
	assert_true(reports_written(&pair.sides[DEVICE]));
	/* Looked at last, as it makes the page present again. */
	same = !memcmp(before, pair.sides[NATIVE].start, PAGE) ||
	       !memcmp(before, pair.sides[DEVICE].start, PAGE);
	assert_false(same);
	by_hand_end(NULL);
}

void what_was_thrown_away_side_by_side(void **state)
{
	size_t i;

	(void)state;
	needs_native();
	print_message("[   INFO   ] armed, then thrown away, and    PAGEMAP_SCAN                  "
		      "this module\n");
	print_message("[   INFO   ] the content has changed:        of all       for written\n");
	for (i = 0; i < sizeof(thrown_away) / sizeof(thrown_away[0]); i++)
		throw_away(i);
}

/* ---- forms of a scan that the kernel answers in another way than they were asked */

static struct uffdwp_scan_arg form(const struct side *side, struct uffdwp_region *vec, size_t n,
				   size_t pages)
{
	struct uffdwp_scan_arg arg = scan_arg(side->start, pages * PAGE, vec, n);

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	return arg;
}

/* pagemap_scan_pmd_entry() without a vector arms all, whatever the masks say. */
void arming_without_a_vector_obeys_the_masks(void **state)
{
	struct uffdwp_scan_arg arg;
	int i;

	(void)state;
	needs_native();
	start_pair(KIND_ANON);
	for (i = 0; i < 2; i++) {
		touch(pair.sides[i].start, 10, 'y');
		arg = form(&pair.sides[i], NULL, 0, 20);
		arg.category_mask = UFFDWP_PAGE_IS_HUGE;
		assert_ok(side_scan(&pair.sides[i], &arg));
	}
	look();
	for (i = 0; i < 10; i++) {
		assert_false(looks[NATIVE][i] & W);
		assert_true(looks[DEVICE][i] & W);
	}
}

/* do_pagemap_scan() returns the error instead of what it has found, and armed, before it. */
void an_error_loses_nothing_that_was_found(void **state)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg;
	const size_t pages = kinds[KIND_ANON].pages;
	int i;

	(void)state;
	needs_native();
	start_pair(KIND_ANON);
	for (i = 0; i < 2; i++) {
		assert_ok(side_unregister(&pair.sides[i], pair.sides[i].start + pages / 2 * PAGE,
					  pages / 2 * PAGE));
		touch(pair.sides[i].start, 10, 'y');
	}
	for (i = 0; i < 2; i++) {
		arg = form(&pair.sides[i], &region, 1, pages);
		arg.flags |= UFFDWP_SCAN_CHECK_TRACKED;
		assert_int_equal(side_scan(&pair.sides[i], &arg), i == NATIVE ? -EPERM : 1);
	}
	assert_int_equal(arg.walk_end, (uintptr_t)pair.sides[DEVICE].start + pages / 2 * PAGE);
	assert_int_equal(region.end, (uintptr_t)pair.sides[DEVICE].start + 10 * PAGE);
	look();
	/* Both have armed them, and the kernel has told nobody. */
	assert_false(looks[NATIVE][0] & W);
	assert_false(looks[DEVICE][0] & W);
}

/* pagemap_scan_hugetlb_entry() takes a page that is cut back out of what it reports. */
void a_page_of_hugetlb_that_is_cut_is_reported(void **state)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg;
	const char *reason;
	int i, n;

	(void)state;
	needs_native();
	reason = start_pair(KIND_HUGETLB);
	if (reason)
		skip_because("no hugetlb: %s", reason);
	for (i = 0; i < 2; i++) {
		touch(pair.sides[i].start, 1, 'y');
		arg = form(&pair.sides[i], &region, 1, 300);
		n = side_scan(&pair.sides[i], &arg);
		assert_int_equal(n, i == NATIVE ? 0 : 1);
		assert_int_equal(arg.walk_end, i == NATIVE ? arg.start : arg.end);
	}
	assert_int_equal(region.end, (uintptr_t)pair.sides[DEVICE].start + 300 * PAGE);
	look();
	assert_true(looks[NATIVE][0] & W);
	assert_true(looks[DEVICE][0] & W);
}

/* ---- other programs */

static void *write_one(void *p)
{
	*(volatile char *)p = 1;
	return NULL;
}

static void foreign_command(int uffd, unsigned long cmd, void *arg)
{
	if (ioctl(uffd, cmd, arg))
		fail_msg("userfaultfd: %s", strerror(errno));
}

/*
 * A userfaultfd that somebody reads, on memory with nothing in it: while this module tracks
 * something else, its markers are nobody else's.
 */
void markers_of_others_stay_theirs(void **state)
{
	const size_t len = 4 * PAGE;
	char *tracked = map_filled(1), *p = map_anon(4);
	struct uffdio_register reg = {
		.range = { (uintptr_t)p, len }, .mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)p, len }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	struct pollfd poll_one = { .events = POLLIN };
	struct uffd_msg message;
	pthread_t writer;
	int fd, told;

	(void)state;
	needs_native();
	fd = tracker_of(tracked, PAGE);
	poll_one.fd = new_uffd(1ull << 13 /* UFFD_FEATURE_WP_UNPOPULATED */);
	foreign_command(poll_one.fd, UFFDIO_REGISTER, &reg);
	foreign_command(poll_one.fd, UFFDIO_WRITEPROTECT, &wp);

	assert_ok(pthread_create(&writer, NULL, write_one, p + PAGE));
	told = poll(&poll_one, 1, 10000);
	if (told == 1)
		assert_int_equal(read(poll_one.fd, &message, sizeof(message)), sizeof(message));
	/* The writer goes on. */
	wp = (struct uffdio_writeprotect){ .range = { (uintptr_t)p + PAGE, PAGE } };
	foreign_command(poll_one.fd, UFFDIO_WRITEPROTECT, &wp);
	pthread_join(writer, NULL);
	if (told != 1)
		fail_msg("the reader of a userfaultfd was not told of a write");
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	assert_true(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
	assert_int_equal(message.arg.pagefault.address & ~(PAGE - 1), (uintptr_t)p + PAGE);

	/* To read is no write. */
	(void)*(volatile char *)(p + 2 * PAGE);
	assert_true(pagemap_entry(p + 2 * PAGE) & PM_UFFD_WP);
	close(poll_one.fd);
	close(fd);
	munmap(tracked, PAGE);
	munmap(p, len);
}
