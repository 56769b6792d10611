// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a look makes of what a tracker says. The tracker is one of this program, which says what a
 * test has put into it; the process that is watched is this one.
 */
#include "unit.h"

#include <sys/mman.h>

#include "internal.h"
#include "watched.h"

#define PAGE 4096ul
#define PAGES 16

#define NEW (UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN)
#define WRITTEN (UFFDWP_PAGE_IS_WPALLOWED | UFFDWP_PAGE_IS_WRITTEN)

/* Three mappings, of which the one in the middle has its own rights: pages 0, 8, 12. */
static char *memory;

static struct {
	/* Regions by their pages, of each batch of the scan that arms */
	struct batch {
		struct { int first, pages; uint64_t categories; } region[4];
	} batch[2];
	int batches;
	int batch_error;	/* behind these */
	int look_error;		/* of scans that do not arm */
	int track_error;
	int disarm_error;
	/* What was asked */
	int scans_that_arm, scans_that_do_not, tracked, disarmed;
} tracker_says;

static int end_of_scan(struct uffdwp_scan_arg *arg)
{
	if (tracker_says.batch_error)
		return tracker_says.batch_error;
	arg->walk_end = arg->end;
	return 0;
}

static int fake_scan(struct uffdwp *t, struct uffdwp_scan_arg *arg)
{
	struct uffdwp_region *vec = (struct uffdwp_region *)(uintptr_t)arg->vec;
	const struct batch *batch;
	int i;

	(void)t;
	if (!(arg->flags & UFFDWP_SCAN_WP_MATCHING)) {
		tracker_says.scans_that_do_not++;
		arg->walk_end = arg->end;
		return tracker_says.look_error;
	}
	if (tracker_says.scans_that_arm == tracker_says.batches)
		return end_of_scan(arg);
	batch = &tracker_says.batch[tracker_says.scans_that_arm++];
	for (i = 0; i < 4 && batch->region[i].pages; i++) {
		vec[i].start = (uintptr_t)memory + batch->region[i].first * PAGE;
		vec[i].end = vec[i].start + batch->region[i].pages * PAGE;
		vec[i].categories = batch->region[i].categories & arg->return_mask;
		arg->walk_end = vec[i].end;
	}
	return i;
}

static int fake_register(struct uffdwp *t, uint64_t start, uint64_t len, uint64_t *fail_at)
{
	(void)t;
	(void)start;
	(void)fail_at;
	tracker_says.tracked += len / PAGE;
	return tracker_says.track_error;
}

static int fake_arm(struct uffdwp *t, uint64_t start, uint64_t len)
{
	(void)t;
	(void)start;
	(void)len;
	return 0;
}

static int fake_disarm(struct uffdwp *t, uint64_t start, uint64_t len)
{
	(void)t;
	(void)start;
	tracker_says.disarmed += len / PAGE;
	return tracker_says.disarm_error;
}

static int fake_stats(struct uffdwp *t, struct uffdwp_stats_arg *stats)
{
	(void)t;
	(void)stats;
	return -EOPNOTSUPP;
}

static const struct uffdwp_backend_ops fake = {
	.name = "fake",
	.do_register = fake_register,
	.arm = fake_arm,
	.disarm = fake_disarm,
	.scan = fake_scan,
	.stats = fake_stats,
};

static struct selection what;
static struct uffdwp tracker;
static struct watched p;
static struct report report;

static int begin(void **state)
{
	const struct report_process process = { .pid = getpid() };

	(void)state;
	memset(&tracker_says, 0, sizeof(tracker_says));
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED || mprotect(memory + 8 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE |
					     PROT_EXEC))
		return -1;
	what.start = (uintptr_t)memory;
	what.end = what.start + PAGES * PAGE;
	tracker.ops = &fake;
	tracker.sparse = true;
	p = (struct watched){
		.what = &what, .target = { .pid = getpid(), .pidfd = -1 }, .tracker = &tracker,
		.sparse = true, .follows = true, .counts = true,
	};
	report = (struct report){ .wants_regions = true };
	return report_add_process(&report, &process);
}

static int end(void **state)
{
	(void)state;
	maps_free(&p.maps);
	maps_free(&p.before);
	report_free(&report);
	return munmap(memory, PAGES * PAGE);
}

static void say(int batch, int i, int first, int pages, uint64_t categories)
{
	tracker_says.batch[batch].region[i].first = first;
	tracker_says.batch[batch].region[i].pages = pages;
	tracker_says.batch[batch].region[i].categories = categories;
	if (tracker_says.batches <= batch)
		tracker_says.batches = batch + 1;
}

static uint64_t written(void)
{
	return report_total(&report).written;
}

static void regions_are_sorted_into_mappings(void **state)
{
	(void)state;
	say(0, 0, 6, 4, WRITTEN);
	say(1, 0, 12, 1, WRITTEN);
	assert_int_equal(look(&p, &report, 0), 0);
	assert_int_equal(written(), 5);
	/* Mappings that touch and have one name are one line. */
	assert_int_equal(report.n, 1);
	assert_int_equal(report.line[0].tracked, PAGES);
	assert_int_equal(tracker_says.scans_that_do_not, 0);
}

/* ---- zeroes */

/* Reserved memory that was thrown away or moved: the scan calls it WRITTEN, as it was. */
static void zeroes_without_page_tables_were_not_written(void **state)
{
	(void)state;
	say(0, 0, 0, 7, WRITTEN | UFFDWP_PAGE_IS_SPARSE);
	say(0, 1, 7, 1, WRITTEN);
	assert_int_equal(look(&p, &report, 0), 0);
	assert_int_equal(written(), 1);
	assert_int_equal(report.regions, 1);
	assert_int_equal(report_total(&report).tracked, PAGES);
}

/* ---- the first look at memory that is followed */

/* The regions of the scan that has armed it say what was there: nothing is asked again. */
static void fresh_memory_is_counted_by_the_scan_that_arms_it(void **state)
{
	(void)state;
	p.fresh = true;
	p.forked = true;
	say(0, 0, 0, 3, WRITTEN | UFFDWP_PAGE_IS_PRESENT);
	say(0, 1, 3, 1, WRITTEN);
	say(0, 2, 4, 1, WRITTEN | UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_PFNZERO);
	say(0, 3, 5, 1, WRITTEN | UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_FILE);
	say(1, 0, 8, 2, WRITTEN | UFFDWP_PAGE_IS_SWAPPED);
	say(1, 1, 10, 1, WRITTEN | UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_GUARD);
	say(1, 2, 12, 4, WRITTEN | UFFDWP_PAGE_IS_SPARSE);
	/* It has ended since. */
	tracker_says.look_error = -ESRCH;
	assert_int_equal(look(&p, &report, 0), 0);
	assert_int_equal(tracker_says.scans_that_do_not, 0);
	assert_int_equal(written(), 5);
	assert_int_equal(report.process[0].presumed, 5);
	assert_false(p.fresh);
}

static void before_the_first_report_nothing_counts(void **state)
{
	(void)state;
	p.fresh = true;
	p.counts = false;
	say(0, 0, 0, 3, WRITTEN | UFFDWP_PAGE_IS_PRESENT);
	assert_int_equal(look(&p, &report, 0), 0);
	assert_int_equal(written(), 0);
	assert_false(p.fresh);
}

/* ---- it ends while it is looked at */

/* Of what the tracker has told with it, all is armed: it is counted now, or never. */
static void what_was_fetched_counts_before_the_end_is_told(void **state)
{
	(void)state;
	say(0, 0, 0, 2, WRITTEN);
	say(0, 1, 2, 1, NEW);
	say(0, 2, 4, 3, WRITTEN);
	say(0, 3, 9, 2, WRITTEN);
	tracker_says.batch_error = -ESRCH;
	tracker_says.track_error = -ESRCH;
	tracker_says.disarm_error = -ESRCH;
	assert_int_equal(look(&p, &report, 0), -ESRCH);
	assert_int_equal(tracker_says.tracked, 1);
	assert_int_equal(tracker_says.disarmed, 0);
	assert_int_equal(written(), 7);
	assert_int_equal(report.regions, 3);
}

/* Also if nothing would be fetched after that, and if looking at new memory has found it. */
static void the_end_is_told_though_all_was_fetched(void **state)
{
	(void)state;
	say(0, 0, 2, 1, NEW);
	say(0, 1, 12, 3, WRITTEN);
	tracker_says.look_error = -ESRCH;
	assert_int_equal(look(&p, &report, 0), -ESRCH);
	assert_int_equal(tracker_says.scans_that_do_not, 1);
	assert_int_equal(written(), 3);
}

/* Also if it is found when memory is left that is in no mapping of the list. */
static void what_is_left_does_not_end_it(void **state)
{
	(void)state;
	assert_int_equal(munmap(memory + 8 * PAGE, 4 * PAGE), 0);
	say(0, 0, 8, 2, WRITTEN);
	say(0, 1, 12, 3, WRITTEN);
	tracker_says.batch_error = -ESRCH;
	tracker_says.disarm_error = -ESRCH;
	assert_int_equal(look(&p, &report, 0), -ESRCH);
	assert_int_equal(tracker_says.disarmed, 2);
	assert_int_equal(written(), 3);
}

/* ---- what cannot be tracked */

/* EINVAL: pages of hugetlb have come there since, and are cut. */
static void what_is_refused_is_left_out(void **state)
{
	static const int errors[] = { -EOPNOTSUPP, -EBUSY, -EACCES, -EINVAL };
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		end(state);
		assert_int_equal(begin(state), 0);
		say(0, 0, 2, 3, NEW);
		say(0, 1, 5, 1, WRITTEN);
		tracker_says.track_error = errors[i];
		assert_int_equal(look(&p, &report, 0), 0);
		assert_int_equal(written(), 1);
		assert_int_equal(report_total(&report).tracked, PAGES - 3);
		assert_int_equal(report.skipped_bytes[MAP_BUSY], 3 * PAGE);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(regions_are_sorted_into_mappings),
		TEST(zeroes_without_page_tables_were_not_written),
		TEST(fresh_memory_is_counted_by_the_scan_that_arms_it),
		TEST(before_the_first_report_nothing_counts),
		TEST(what_was_fetched_counts_before_the_end_is_told),
		TEST(the_end_is_told_though_all_was_fetched),
		TEST(what_is_left_does_not_end_it),
		TEST(what_is_refused_is_left_out),
	};

	return cmocka_run_group_tests_name("watched", tests, NULL, NULL);
}
