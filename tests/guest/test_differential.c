// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device and the kernel's own PAGEMAP_SCAN, side by side. See differential/differential.h.
 *
 *	test_differential [SEED [STEPS [SECONDS [TEST]]]]
 *
 * Each sequence ends after that many steps or seconds, whichever comes first. The seed repeats it;
 * with DIFFERENTIAL_TRACE in the environment each step is printed before it is done.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "differential/by_hand.h"
#include "differential/differential.h"
#include "environment.h"
#include "stress.h"

#define KHUGEPAGED_PAUSE "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs"

static struct stress stress = { .count = 100000, .seconds = 12 };
static const char *no_swap;

/* ---- random sequences */

struct sequence {
	struct pair pairs[KINDS];
	unsigned int present;	/* bits of kinds */
	unsigned long step;
	unsigned long unlucky;
	uint64_t looks[2][MOST_PAGES];
	uint64_t before[MOST_PAGES];	/* what both said before this step */
};

static void start_pairs(struct sequence *s)
{
	const char *reason;
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		reason = pair_start(&s->pairs[kind], kind);
		if (!reason)
			s->present |= BIT_OF(kind);
		else if (BIT_OF(kind) & (OF_HUGETLB | OF_ORDINARY))
			print_message("[   INFO   ] without %s: %s\n", kinds[kind].name, reason);
		else
			fail_msg("no %s: %s", kinds[kind].name, reason);
	}
}

static void end_pairs(struct sequence *s)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++)
		if (s->present & BIT_OF(kind))
			pair_end(&s->pairs[kind]);
	s->present = 0;
}

static bool is_whole(const struct step *step, unsigned int flags)
{
	return (BIT_OF(step->kind) & OF_HUGETLB) ||
	       (step->kind == KIND_THP && (flags & WHOLE_HUGE));
}

/* The choices depend on the seed and the number of the step only. */
static struct step choose_step(const struct sequence *s)
{
	uint64_t random = (stress.seed * 0xD1B54A32D192ED03ull +
			   s->step * 0x9E3779B97F4A7C15ull) | 1;
	struct step step = { 0 };
	unsigned int sum = 0, i;
	uint64_t at;

	next_random(&random);
	next_random(&random);
	for (i = 0; i < EVENTS; i++)
		sum += events[i].weight;
	at = next_random(&random) % sum;
	for (i = 0; at >= events[i].weight; i++)
		at -= events[i].weight;
	step.event = &events[i];
	do {
		step.kind = next_random(&random) % KINDS;
	} while (!(step.event->kinds & BIT_OF(step.kind)));

	/* Few pages mostly, and many now and then. */
	step.first = next_random(&random) % kinds[step.kind].pages;
	step.pages = 1 + next_random(&random) % (next_random(&random) % 3 ? 4 : MOST_PAGES);
	if (step.first + step.pages > kinds[step.kind].pages)
		step.pages = kinds[step.kind].pages - step.first;
	if ((BIT_OF(step.kind) & OF_HUGETLB) && (step.event->flags & WHOLE_HUGETLB)) {
		step.first = 0;
		step.pages = kinds[step.kind].pages;
	} else if (is_whole(&step, step.event->flags)) {
		step.pages = (step.first + step.pages + 511) / 512 * 512;
		step.first = step.first / 512 * 512;
		step.pages -= step.first;
	}
	step.random = next_random(&random);
	return step;
}

static void look_at_both(struct sequence *s, enum kind kind)
{
	const struct pair *pair = &s->pairs[kind];

	side_look(&pair->sides[NATIVE], kind, s->looks[NATIVE]);
	side_look(&pair->sides[DEVICE], kind, s->looks[DEVICE]);
}

static bool is_tracked(const struct sequence *s, enum kind kind)
{
	size_t i;

	for (i = 0; i < kinds[kind].pages; i++)
		if (s->looks[DEVICE][i] & UFFDWP_PAGE_IS_UNTRACKED)
			return false;
	return true;
}

static void fail_at(const struct sequence *s, const struct step *step, size_t page,
		    const char *what)
{
	fail_msg("step %lu, %s of %s, pages [%zu, %zu): page %zu was %s, %s: %s for the kernel, %s "
		 "for the device (seed %" PRIu64 ")", s->step, step->event->name,
		 kinds[step->kind].name, step->first, step->first + step->pages, page,
		 words_of(s->before[page]), what, words_of(s->looks[NATIVE][page]),
		 words_of(s->looks[DEVICE][page]), stress.seed);
}

/*
 * A hole in the first page of a file empties the mappings of all pages behind it, since the end of
 * what is to be emptied comes out as -1 (shmem_fallocate()).
 */
static bool step_reaches(const struct step *step, size_t page)
{
	if (step->event == &events[EVENT_REGISTER] ||
	    (step->event == &events[EVENT_PUNCH_PART] && !step->first))
		return true;
	return page >= step->first && (page < step->first + step->pages ||
				       step->event == &events[EVENT_TRUNCATE]);
}

/* Both armed, so that the next step begins with what is equal. */
static void make_equal(const struct pair *pair, size_t first, size_t pages)
{
	int i;

	for (i = 0; i < 2; i++)
		assert_ok(side_arm(&pair->sides[i], pair->sides[i].start + first * PAGE,
				   pages * PAGE));
}

/* The sides had different luck: begin again. */
static void begin_again(struct sequence *s, const struct step *step)
{
	s->unlucky++;
	pair_end(&s->pairs[step->kind]);
	assert_null(pair_start(&s->pairs[step->kind], step->kind));
}

/* Swap had room for a huge page as a whole on one side, and on the other for its parts only. */
static bool is_split_and_swapped(uint64_t one, uint64_t other)
{
	const uint64_t where = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED |
			       UFFDWP_PAGE_IS_PFNZERO;

	return (one & where) == UFFDWP_PAGE_IS_SWAPPED &&
	       (other & where) == (UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_PFNZERO) &&
	       !((one ^ other) & UFFDWP_PAGE_IS_WRITTEN);
}

/*
 * A huge page that is taken apart has the shared zero page mapped where it held zeroes, and whether
 * it is depends on who else has a reference for the moment (split_folio() in MADV_FREE).
 *
 * What MADV_FREE was called for is swapped out like anything else until it has come to the list of
 * what may be thrown away, which goes by batches of a processor (folio_mark_lazyfree()). What is
 * thrown away is written for the device.
 */
static bool is_luck(const struct step *step, uint64_t native, uint64_t device)
{
	const uint64_t there = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED;

	if (step->kind == KIND_THP && (native ^ device) == UFFDWP_PAGE_IS_PFNZERO)
		return true;
	if (step->kind == KIND_THP && step->event == &events[EVENT_PAGEOUT] &&
	    (is_split_and_swapped(native, device) || is_split_and_swapped(device, native)))
		return true;
	return step->event == &events[EVENT_PAGEOUT] &&
	       (step->kind == KIND_ANON || step->kind == KIND_THP) &&
	       (((native & UFFDWP_PAGE_IS_SWAPPED) && !(device & there) &&
		 (device & UFFDWP_PAGE_IS_WRITTEN)) ||
		((device & UFFDWP_PAGE_IS_SWAPPED) && !(native & there)));
}

/* Whatever they say differently is in the table, and is made equal. */
static void compare_looks(struct sequence *s, const struct step *step)
{
	const struct pair *pair = &s->pairs[step->kind];
	const size_t granule = kinds[step->kind].granule;
	size_t i, first, differ = 0;

	look_at_both(s, step->kind);
	for (i = 0; i < kinds[step->kind].pages; i++) {
		if (s->looks[NATIVE][i] == s->looks[DEVICE][i])
			continue;
		if (is_luck(step, s->looks[NATIVE][i], s->looks[DEVICE][i])) {
			begin_again(s, step);
			return;
		}
		differ++;
		if (!step_reaches(step, i) ||
		    !difference_is_known(step, s->looks[NATIVE][i], s->looks[DEVICE][i]))
			fail_at(s, step, i, "and differs");
	}
	if (!differ)
		return;
	for (i = 0; i < kinds[step->kind].pages; i = first + granule) {
		first = i / granule * granule;
		if (s->looks[NATIVE][i] != s->looks[DEVICE][i])
			make_equal(pair, first, granule);
	}
	look_at_both(s, step->kind);
	for (i = 0; i < kinds[step->kind].pages; i++)
		if (s->looks[NATIVE][i] != s->looks[DEVICE][i])
			fail_at(s, step, i, "and differs after it was armed");
}

static void compare_content(const struct sequence *s, enum kind kind)
{
	const struct pair *pair = &s->pairs[kind];

	if (memcmp(pair->sides[NATIVE].start, pair->sides[DEVICE].start,
		   kinds[kind].pages * PAGE))
		fail_msg("step %lu: the content of %s differs (seed %" PRIu64 ")", s->step,
			 kinds[kind].name, stress.seed);
}

/* A guarded page means SIGSEGV: it is looked at, and taken away again. */
static void guard(struct sequence *s, struct step step)
{
	/* Linux 6.13 and later have it. */
	if (event_run(&s->pairs[step.kind], &step))
		return;
	compare_looks(s, &step);
	step.event = &events[EVENT_UNGUARD];
	assert_ok(event_run(&s->pairs[step.kind], &step));
	compare_looks(s, &step);
}

static void happen(struct sequence *s, const struct step *step)
{
	int error = event_run(&s->pairs[step->kind], step);

	if (error < 0) {
		begin_again(s, step);
		return;
	}
	if (error && !(step->event->flags & MAY_FAIL))
		fail_msg("step %lu, %s of %s, pages [%zu, %zu): %s (seed %" PRIu64 ")", s->step,
			 step->event->name, kinds[step->kind].name, step->first,
			 step->first + step->pages, strerror(error), stress.seed);
	compare_looks(s, step);
}

static void do_step(struct sequence *s)
{
	struct step step = choose_step(s);
	struct pair *pair = &s->pairs[step.kind];
	size_t i;

	if (!(s->present & BIT_OF(step.kind)) || ((step.event->flags & NEEDS_SWAP) && no_swap))
		return;
	look_at_both(s, step.kind);
	for (i = 0; i < kinds[step.kind].pages; i++) {
		s->before[i] = s->looks[NATIVE][i];
		if (s->looks[NATIVE][i] != s->looks[DEVICE][i])
			fail_at(s, &step, i, "and differs before this step");
		if (!s->looks[NATIVE][i])
			fail_at(s, &step, i, "and is not mapped");
	}
	if ((step.event->flags & NEEDS_TRACKED) && !is_tracked(s, step.kind))
		step.event = &events[EVENT_REGISTER];
	if (getenv("DIFFERENTIAL_TRACE"))
		print_message("[   INFO   ] step %lu: %s of %s [%zu, %zu)\n", s->step,
			      step.event->name, kinds[step.kind].name, step.first,
			      step.first + step.pages);
	switch (step.event - events) {
	case EVENT_SCAN:
		scan_compare(pair, &step, s->looks[NATIVE]);
		compare_looks(s, &step);
		break;
	case EVENT_CONTENT:
		compare_content(s, step.kind);
		compare_looks(s, &step);
		break;
	case EVENT_GUARD:
		guard(s, step);
		break;
	default:
		happen(s, &step);
		break;
	}
}

static struct sequence s;

static int forget(void **state)
{
	(void)state;
	end_pairs(&s);
	return 0;
}

TEST(equal_memory_tracked_by_each)
{
	time_t end = time(NULL) + stress.seconds;

	needs_native();
	memset(&s, 0, sizeof(s));
	start_pairs(&s);
	while (s.step < stress.count && time(NULL) < end) {
		s.step++;
		do_step(&s);
	}
	print_message("[   INFO   ] %lu steps, after %lu of them an area had to be made anew\n",
		      s.step, s.unlucky);
	differences_print();
	/* Otherwise little was compared. */
	assert_true(s.step > 100 && s.unlucky * 20 < s.step);
}

/* ---- */

static int start(void **state)
{
	const char *reason;

	(void)state;
	if (native_is_missing())
		return 0;
	no_swap = swap_on(64ul << 20);
	if (no_swap)
		print_message("[   INFO   ] nothing is swapped out: %s\n", no_swap);
	reason = hugetlb_reserve(16);
	if (reason)
		print_message("[   INFO   ] %s\n", reason);
	/* It would collapse the pages of one side and not those of the other. */
	write_file(KHUGEPAGED_PAUSE, "1000000");
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (native_is_missing())
		return 0;
	write_file(KHUGEPAGED_PAUSE, "10000");
	hugetlb_release();
	swap_off();
	return 0;
}

#define BY_HAND(f) cmocka_unit_test_teardown(f, by_hand_end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BY_HAND(what_was_thrown_away_side_by_side),
		BY_HAND(arming_without_a_vector_obeys_the_masks),
		BY_HAND(an_error_loses_nothing_that_was_found),
		BY_HAND(a_page_of_hugetlb_that_is_cut_is_reported),
		BY_HAND(markers_of_others_stay_theirs),
		cmocka_unit_test_teardown(equal_memory_tracked_by_each, forget),
	};

	stress_arguments(&stress, argc, argv);
	return cmocka_run_group_tests_name("differential", tests, start, end);
}
