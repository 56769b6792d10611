// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scans, in all their variants, and what must be true of their answers:
 *
 *   - a page that differs from the mirror is reported by the next scan that passes it (compare());
 *   - a page that is reported and does not differ has a cause that the model knows;
 *   - UNTRACKED is reported where the model says so, and always as written;
 *   - what a scan with reset has reported is armed, unless somebody holds it, which the module
 *     counts, or a page of hugetlb, or a huge page that stays whole, was cut.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "oracle.h"

#define VEC 256u
#define CHUNK 128u

static void judge(struct oracle *o, enum kind kind, size_t index, const char *now)
{
	struct model_area *area = &o->areas[kind];
	struct page *page = &area->pages[index];
	char *mirror = area->mirror + index * PAGE;

	o->reports++;
	if (page->cause == CAUSE_NONE && page->freed)
		page->cause = CAUSE_FREED;
	if (memcmp(mirror, now, PAGE)) {
		if (page->cause == CAUSE_NONE)
			oracle_fail(o, kind, index, "has changed, and the test does not know why");
		memcpy(mirror, now, PAGE);
		o->changed++;
		return;
	}
	o->causes[page->cause]++;
	if (page->cause == CAUSE_NONE)
		oracle_fail(o, kind, index, "reported as written without a reason");
}

static void check_category(struct oracle *o, enum kind kind, size_t index, uint64_t categories)
{
	struct model_area *area = &o->areas[kind];
	struct page *page = &area->pages[index];
	bool untracked = categories & UFFDWP_PAGE_IS_UNTRACKED;

	if (untracked && page->tracked && area->unsure) {
		page->tracked = false;
		if (page->cause == CAUSE_NONE)
			page->cause = CAUSE_UNTRACKED;
	}
	if (untracked && page->tracked)
		oracle_fail(o, kind, index, "reported as UNTRACKED, and nothing has untracked it");
	if (!untracked && !page->tracked)
		oracle_fail(o, kind, index, "not reported as UNTRACKED");
	if (!(categories & UFFDWP_PAGE_IS_WRITTEN))
		oracle_fail(o, kind, index, "reported without being written");
}

static void take_pages(struct oracle *o, uint64_t start, size_t pages, uint64_t categories,
		       bool reset)
{
	static char now[CHUNK * PAGE];
	enum kind kind;
	size_t index, i;

	model_read(o, (char *)(uintptr_t)start, now, pages);
	for (i = 0; i < pages; i++) {
		struct page *page;

		if (!model_find(o, start + i * PAGE, &kind, &index))
			fail_msg("reported where nothing is mapped: %" PRIx64 " (seed %" PRIu64
				 ", operation %u: %s)", start + i * PAGE, o->seed, o->operation,
				 event_name(o->event));
		check_category(o, kind, index, categories);
		judge(o, kind, index, now + i * PAGE);
		page = &o->areas[kind].pages[index];
		page->reported = o->scan;
		if (reset && page->tracked)
			page->cause = CAUSE_NONE;
	}
}

static void take(struct oracle *o, const struct uffdwp_region *r, bool reset)
{
	uint64_t addr, pages;

	for (addr = r->start; addr < r->end; addr += pages * PAGE) {
		pages = (r->end - addr) / PAGE;
		if (pages > CHUNK)
			pages = CHUNK;
		take_pages(o, addr, pages, r->categories, reset);
	}
}

/* ---- what is left after a scan */

/* The rest of the huge page was not in the same report. */
static bool is_cut(const struct oracle *o, enum kind kind, size_t index)
{
	const struct page *page = o->areas[kind].pages + index / 512 * 512;
	const bool whole = model_block(o, kind) == HUGE_PAGE / PAGE;
	size_t i;

	for (i = 0; whole && i < 512; i++)
		if (page[i].reported != o->scan)
			return true;
	return false;
}

/* A page that is still written after the scan has passed it. Returns pages that must be held. */
static uint64_t left_page(struct oracle *o, enum kind kind, size_t index, bool reset)
{
	struct page *page = &o->areas[kind].pages[index];

	if (page->reported != o->scan)
		oracle_fail(o, kind, index, "written, and not reported by the scan that has passed it");
	if (!page->tracked || !reset)
		return 0;
	if (is_cut(o, kind, index)) {
		page->cause = CAUSE_CUT;
		return 0;
	}
	page->cause = o->holding ? CAUSE_HELD : CAUSE_HELD_BRIEFLY;
	return 1;
}

static uint64_t left_region(struct oracle *o, const struct uffdwp_region *r, bool reset)
{
	enum kind kind;
	size_t index;
	uint64_t addr, held = 0;

	for (addr = r->start; addr < r->end; addr += PAGE)
		if (model_find(o, addr, &kind, &index))
			held += left_page(o, kind, index, reset);
	return held;
}

/* Look once more, without changing anything. */
static void look_again(struct oracle *o, uint64_t start, uint64_t end, bool reset,
		       uint64_t held_before)
{
	static struct uffdwp_region vec[VEC];
	struct uffdwp_scan_arg arg = scan_arg((void *)(uintptr_t)start, end - start, vec, VEC);
	uint64_t left = 0, held;
	int n, i;

	while (arg.start != arg.end) {
		n = dev_scan(o->fd, &arg);
		if (n < 0)
			fail_msg("scan: %s", strerror(-n));
		for (i = 0; i < n; i++)
			left += left_region(o, &vec[i], reset);
		arg.start = arg.walk_end;
	}
	held = dev_stats(o->fd).pages_pinned - held_before;
	if (left > held)
		fail_msg("%" PRIu64 " pages were to be armed and are not, %" PRIu64
			 " of them were held (seed %" PRIu64 ", operation %u: %s)", left, held,
			 o->seed, o->operation, event_name(o->event));
}

static void check_passed(struct oracle *o, uint64_t start, uint64_t end)
{
	enum kind kind;
	size_t i;

	for (kind = 0; kind < KINDS; kind++) {
		const struct area *area = &o->scene->areas[kind];

		if (!(o->scene->present & BIT_OF(kind)))
			continue;
		for (i = area->low; i < area->high; i++) {
			uint64_t addr = (uintptr_t)area->start + i * PAGE;
			const struct page *page = &o->areas[kind].pages[i];

			if (addr < start || addr >= end || page->reported == o->scan)
				continue;
			if (!page->tracked)
				oracle_fail(o, kind, i, "untracked, and not reported as written");
			o->untouched++;
		}
	}
}

/* ---- one scan */

/* A vec whose second half cannot be written to. */
static struct uffdwp_region *faulting_vec(size_t *room)
{
	static char *pages;

	if (!pages) {
		pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		assert_ptr_not_equal(pages, MAP_FAILED);
		assert_ok(mprotect(pages + PAGE, PAGE, PROT_NONE));
	}
	*room = VEC;
	return (struct uffdwp_region *)(pages + PAGE) - 4;
}

static uint64_t scan_once(struct oracle *o, uint64_t start, uint64_t end,
			  const struct scan_plan *plan)
{
	static struct uffdwp_region good[VEC];
	size_t room = plan->vec_len;
	struct uffdwp_region *vec = plan->vec_faults ? faulting_vec(&room) : good;
	struct uffdwp_scan_arg arg = scan_arg((void *)(uintptr_t)start, end - start, vec, room);
	uint64_t held_before = dev_stats(o->fd).pages_pinned;
	int n, i;

	o->scan++;
	arg.max_pages = plan->max_pages;
	arg.return_mask |= UFFDWP_PAGE_IS_UNTRACKED | plan->more_categories;
	/* What is told sparse is zeroes at this instant: nobody writes, and the mirror is right. */
	if (o->mode == MODE_SPARSE && o->scan % 4)
		arg.return_mask |= UFFDWP_PAGE_IS_SPARSE;
	if (plan->reset)
		arg.flags = UFFDWP_SCAN_WP_MATCHING;
	n = dev_scan(o->fd, &arg);
	if (n == -EFAULT && plan->vec_faults) {
		n = 0;
		arg.walk_end = start;
	}
	if (n < 0)
		fail_msg("scan: %s (seed %" PRIu64 ", operation %u)", strerror(-n), o->seed,
			 o->operation);
	for (i = 0; i < n; i++)
		take(o, &vec[i], plan->reset);
	if (arg.walk_end != start) {
		look_again(o, start, arg.walk_end, plan->reset, held_before);
		check_passed(o, start, arg.walk_end);
	}
	return arg.walk_end;
}

void harvest(struct oracle *o, char *start, char *end, const struct scan_plan *plan)
{
	uint64_t pos = (uintptr_t)start, next;
	unsigned int calls = 0;

	while (pos != (uintptr_t)end && calls++ < plan->calls) {
		next = scan_once(o, pos, (uintptr_t)end, plan);
		if (next == pos && !plan->vec_faults)
			fail_msg("a scan makes no progress at %" PRIx64 " (seed %" PRIu64
				 ", operation %u)", pos, o->seed, o->operation);
		pos = next;
	}
}

void harvest_all(struct oracle *o)
{
	const struct scan_plan plan = { .vec_len = VEC, .reset = true, .calls = UINT32_MAX };
	const struct area *brk = &o->scene->areas[KIND_BRK];
	enum kind kind;

	harvest(o, SPAN, SPAN_END, &plan);
	harvest(o, brk->start, brk->start + brk->high * PAGE, &plan);
	for (kind = 0; kind < KINDS; kind++)
		o->areas[kind].unsure = false;
}

void compare_range(struct oracle *o, const struct range *r)
{
	static char now[CHUNK * PAGE];
	const char *mirror = o->areas[r->kind].mirror + r->first * PAGE;
	size_t i, j, n;

	for (i = 0; i < r->pages; i += n) {
		n = r->pages - i > CHUNK ? CHUNK : r->pages - i;
		model_read(o, range_start(o, r) + i * PAGE, now, n);
		for (j = 0; j < n; j++)
			if (memcmp(now + j * PAGE, mirror + (i + j) * PAGE, PAGE))
				oracle_fail(o, r->kind, r->first + i + j,
					    "was written and not reported");
	}
}

void compare(struct oracle *o)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		const struct area *area = &o->scene->areas[kind];
		const struct range all = { kind, area->low, area->high - area->low };

		if (o->scene->present & BIT_OF(kind))
			compare_range(o, &all);
	}
	o->comparisons++;
}

void harvest_armed(struct oracle *o, const struct range *r, uint64_t held_before)
{
	struct model_area *area = &o->areas[r->kind];
	uint64_t start = (uintptr_t)range_start(o, r);
	size_t i;

	o->scan++;
	model_read(o, range_start(o, r), area->mirror + r->first * PAGE, r->pages);
	for (i = r->first; i < r->first + r->pages; i++) {
		area->pages[i].reported = o->scan;
		if (area->pages[i].tracked)
			area->pages[i].cause = CAUSE_NONE;
	}
	look_again(o, start, start + r->pages * PAGE, true, held_before);
}
