// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scans of every form: limits, masks, and resets.
 *
 * What is left out here, because the kernel does something else that no program can want, is in
 * test_differential.c, each in a test of its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "differential.h"

#define MOST_REGIONS 512

struct answer {
	int ret;
	uint64_t walk_end;	/* from the start of the area, as all addresses here */
	struct uffdwp_region vec[MOST_REGIONS];
};

/* Few mostly: what must be all of them is nothing otherwise. */
static uint64_t some_of(uint64_t categories, uint64_t *random)
{
	return next_random(random) & next_random(random) & next_random(random) & categories;
}

static void choose_masks(struct uffdwp_scan_arg *arg, uint64_t all, uint64_t *random)
{
	switch (next_random(random) % 4) {
	case 0:
		/* The form with a path of its own in the kernel. */
		arg->category_mask = arg->return_mask = UFFDWP_PAGE_IS_WRITTEN;
		break;
	case 1:
		arg->category_mask = UFFDWP_PAGE_IS_WRITTEN;
		arg->return_mask = all;
		break;
	case 2:
		arg->category_mask = some_of(all, random);
		arg->category_inverted = some_of(all, random);
		arg->return_mask = next_random(random) & all;
		break;
	default:
		arg->category_anyof_mask = some_of(all, random);
		arg->category_mask = some_of(all, random) & some_of(all, random);
		arg->category_inverted = next_random(random) & all;
		arg->return_mask = next_random(random) & all;
		break;
	}
}

static struct uffdwp_scan_arg choose_scan(const struct step *step)
{
	static const size_t lens[] = { 1, 2, 3, 5, 16, 64, MOST_REGIONS };
	uint64_t random = step->random | 1;
	struct uffdwp_scan_arg arg = {
		.size = sizeof(arg),
		.start = step->first * PAGE,
		.end = (step->first + step->pages) * PAGE,
		.vec_len = lens[next_random(&random) % 7],
	};

	choose_masks(&arg, compared(step->kind), &random);
	if (next_random(&random) % 2)
		arg.flags |= UFFDWP_SCAN_WP_MATCHING;
	if (next_random(&random) % 8 == 0)
		arg.flags |= UFFDWP_SCAN_CHECK_TRACKED;
	if (next_random(&random) % 3 == 0)
		arg.max_pages = 1 + next_random(&random) % 100;
	/* To arm, and nothing else. */
	if (next_random(&random) % 16 == 0)
		return (struct uffdwp_scan_arg){
			.size = sizeof(arg), .start = arg.start, .end = arg.end,
			.flags = UFFDWP_SCAN_WP_MATCHING,
		};
	/* See join(): with room for all the kernel comes as far as the device. */
	if (step->kind == KIND_THP && (arg.flags & UFFDWP_SCAN_WP_MATCHING))
		arg.vec_len = MOST_REGIONS;
	/* A reset does not cut pages of hugetlb. */
	if (BIT_OF(step->kind) & OF_HUGETLB) {
		if (arg.flags & UFFDWP_SCAN_WP_MATCHING) {
			arg.max_pages *= 512;
		} else {
			arg.start += next_random(&random) % 256 * PAGE;
			arg.end -= next_random(&random) % 256 * PAGE;
		}
	}
	return arg;
}

static void ask(const struct side *side, const struct uffdwp_scan_arg *form, struct answer *answer)
{
	struct uffdwp_scan_arg arg = *form;
	int i;

	memset(answer, 0, sizeof(*answer));
	arg.start += (uintptr_t)side->start;
	arg.end += (uintptr_t)side->start;
	arg.vec = arg.vec_len ? (uintptr_t)answer->vec : 0;
	answer->ret = side_scan(side, &arg);
	answer->walk_end = arg.walk_end - (uintptr_t)side->start;
	for (i = 0; i < answer->ret; i++) {
		answer->vec[i].start -= (uintptr_t)side->start;
		answer->vec[i].end -= (uintptr_t)side->start;
	}
}

/*
 * A huge page that is split by a scan has been reported as a whole by then, and is taken back out
 * of the report; its small pages begin a region of their own, even if the last one was of their
 * kind (pagemap_scan_backout_range()).
 */
static void join(struct answer *answer)
{
	struct uffdwp_region *last = NULL, *next;
	int i, n = answer->ret;

	for (i = 0; i < n; i++) {
		next = &answer->vec[i];
		if (last && last->end == next->start && last->categories == next->categories)
			last->end = next->end;
		else
			*(last ? ++last : (last = answer->vec)) = *next;
	}
	if (n <= 0)
		return;
	answer->ret = last - answer->vec + 1;
	memset(last + 1, 0, (n - answer->ret) * sizeof(*last));
}

static bool matches(const struct uffdwp_scan_arg *arg, uint64_t categories)
{
	categories ^= arg->category_inverted;
	return (categories & arg->category_mask) == arg->category_mask &&
	       (!arg->category_anyof_mask || (categories & arg->category_anyof_mask));
}

static uint64_t pages_of(const struct answer *answer)
{
	uint64_t pages = 0;
	int i;

	for (i = 0; i < answer->ret; i++)
		pages += (answer->vec[i].end - answer->vec[i].start) / PAGE;
	return pages;
}

/*
 * A huge page of which only a part was asked for is split by a scan that resets, and its small
 * pages may not match any more. The kernel has noted by then that it ended in it, goes on to the
 * end of the range all the same, and tells what it has noted (pagemap_scan_backout_range() takes
 * only the pages back).
 */
static bool ends_in_what_was_split(const struct step *step, const struct uffdwp_scan_arg *form,
				   const struct answer *native, const struct answer *device)
{
	return step->kind == KIND_THP && (form->flags & UFFDWP_SCAN_WP_MATCHING) &&
	       form->max_pages && native->walk_end < device->walk_end &&
	       native->walk_end % HUGE_PAGE && pages_of(native) < form->max_pages;
}

/*
 * With the last page that was asked for, the device ends; the kernel looks on for one more that
 * matches and ends before that (pagemap_scan_output()). Nothing in between matches, then.
 */
static bool ends_alike(const struct step *step, const struct uffdwp_scan_arg *form,
		       const uint64_t *categories, const struct answer *native,
		       const struct answer *device)
{
	uint64_t at;

	if (native->walk_end == device->walk_end ||
	    ends_in_what_was_split(step, form, native, device))
		return true;
	if (!form->max_pages || pages_of(device) != form->max_pages ||
	    native->walk_end < device->walk_end || native->walk_end > form->end)
		return false;
	for (at = device->walk_end; at < native->walk_end; at += PAGE)
		if (matches(form, categories[at / PAGE]))
			return false;
	return true;
}

static void print_answer(const char *who, const struct answer *answer)
{
	int i;

	print_error("%s: returns %d, walk_end at page %" PRIu64 "\n", who, answer->ret,
		    answer->walk_end / PAGE);
	for (i = 0; i < answer->ret && i < 20; i++)
		print_error("    [%llu, %llu) %s\n", answer->vec[i].start / PAGE,
			    answer->vec[i].end / PAGE, words_of(answer->vec[i].categories));
}

static void compare(const struct step *step, const struct uffdwp_scan_arg *form,
		    const uint64_t *categories, const struct answer *native,
		    const struct answer *device)
{
	if (native->ret == device->ret &&
	    !memcmp(native->vec, device->vec, sizeof(native->vec)) &&
	    ends_alike(step, form, categories, native, device))
		return;
	print_error("scan of %s, pages [%" PRIu64 ", %" PRIu64 "), flags %#" PRIx64
		    ", vec_len %" PRIu64 ", max_pages %" PRIu64 "\n", kinds[step->kind].name,
		    (uint64_t)form->start / PAGE, (uint64_t)form->end / PAGE, (uint64_t)form->flags,
		    (uint64_t)form->vec_len, (uint64_t)form->max_pages);
	print_error("inverted %s; all of %s; any of %s; to report %s\n",
		    words_of(form->category_inverted), words_of(form->category_mask),
		    words_of(form->category_anyof_mask), words_of(form->return_mask));
	print_answer("the kernel", native);
	print_answer("the device", device);
	fail_msg("the same scan has two answers");
}

void scan_compare(const struct pair *pair, const struct step *step, const uint64_t *categories)
{
	static struct answer native, device;
	struct uffdwp_scan_arg form = choose_scan(step);

	ask(&pair->sides[NATIVE], &form, &native);
	ask(&pair->sides[DEVICE], &form, &device);
	if (step->kind == KIND_THP && (form.flags & UFFDWP_SCAN_WP_MATCHING))
		join(&native);
	compare(step, &form, categories, &native, &device);
}
