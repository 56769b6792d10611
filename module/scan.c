// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scan: classify, match, report and arm, one page after the other.
 *
 * Each page is looked at and armed under one hold of its page-table lock, and the TLBs are flushed
 * before that lock is dropped (arm.c), so a write is either seen by this scan or faults afterwards.
 *
 * A report that cannot be delivered must not leave its pages armed, or their writes are lost. Pages
 * go from the buffer to user memory without locks; if that fails, the regions that were not
 * delivered are disarmed: written again. Nobody can have relied on them in between, since commands
 * on one tracker exclude each other.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "arm.h"
#include "breakage.h"
#include "categories.h"
#include "compat/hugetlb.h"
#include "pinned.h"
#include "pte.h"
#include "regions.h"
#include "scan.h"
#include "tracker.h"
#include "walk.h"

struct scan {
	struct uffdwp_walk walk;
	struct uffdwp_tracker *t;
	const struct uffdwp_scan_arg *arg;
	struct uffdwp_regions regions;
	unsigned long pos;		/* all below was looked at */
	u64 asked;			/* categories that matter to the caller */
	u64 vma_categories;		/* of all pages of walk.vma */
};

static bool matches(const struct scan *s, u64 categories)
{
	const struct uffdwp_scan_arg *arg = s->arg;

	categories ^= arg->category_inverted;
	return (categories & arg->category_mask) == arg->category_mask &&
	       (!arg->category_anyof_mask || (categories & arg->category_anyof_mask));
}

static bool resets(const struct scan *s)
{
	return s->arg->flags & UFFDWP_SCAN_WP_MATCHING && !uffdwp_broken(UFFDWP_BREAK_ONE_STEP);
}

/*
 * Offer [addr, *end), which may come back shorter. ON: taken. Otherwise: leave, with walk->pos set;
 * a run that was taken is still to be armed by the caller if *end is above addr.
 */
static inline int report(struct scan *s, unsigned long addr, unsigned long *end, u64 categories)
{
	categories &= s->arg->return_mask;
	if (*end - addr == PAGE_SIZE && uffdwp_regions_extend(&s->regions, addr, categories))
		return UFFDWP_WALK_ON;
	switch (uffdwp_regions_put(&s->regions, addr, end, categories)) {
	case UFFDWP_PUT_TAKEN:
		return UFFDWP_WALK_ON;
	case UFFDWP_PUT_LAST:
		s->walk.pos = *end;
		return UFFDWP_WALK_STOP;
	case UFFDWP_PUT_NO_ROOM:
		*end = addr;
		s->walk.pos = addr;
		return UFFDWP_WALK_STOP;
	case UFFDWP_PUT_FLUSH_FIRST:
		break;
	}
	*end = addr;
	s->walk.pos = addr;
	return UFFDWP_WALK_PAUSE;
}

static int scan_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	const u64 categories = s->vma_categories | uffdwp_hole_categories(walk->vma);

	if (!matches(s, categories))
		return UFFDWP_WALK_ON;
	if (resets(s) && uffdwp_hole_can_be_armed(walk->vma))
		return UFFDWP_WALK_POPULATE;
	return report(s, addr, &end, categories);
}

static int scan_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk->vma, PAGE_SHIFT);
	const bool reset = resets(s);
	const u64 vma_categories = s->vma_categories;
	const u64 asked = s->asked;
	int next = UFFDWP_WALK_ON;

	for (; addr != end && next == UFFDWP_WALK_ON; pte++, addr += PAGE_SIZE) {
		unsigned long taken = addr + PAGE_SIZE;
		u64 categories = vma_categories |
				 uffdwp_pte_categories(READ_ONCE(*pte), asked, &a.known);

		if (!matches(s, categories))
			continue;
		next = report(s, addr, &taken, categories);
		if (reset && taken > addr)
			uffdwp_arm_pte(&a, pte, addr);
	}
	uffdwp_arming_end(&a);
	return next;
}

static int scan_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk->vma, HPAGE_PMD_SHIFT);
	u64 categories = s->vma_categories | uffdwp_pmd_categories(READ_ONCE(*pmd), s->asked);
	unsigned long taken = end;
	int next;

	if (!matches(s, categories))
		return UFFDWP_WALK_ON;
	if (!resets(s) || uffdwp_pmd_armed(*pmd))
		return report(s, addr, &taken, categories);

	/* Only what is reported may be armed, so a part of a huge page needs small ones. */
	if (!uffdwp_pmd_can_be_armed(walk->vma, addr, end) ||
	    uffdwp_regions_room(&s->regions) < HPAGE_PMD_NR)
		return UFFDWP_WALK_SPLIT;
	next = report(s, addr, &taken, categories);
	if (taken == end) {
		uffdwp_arm_pmd(&a, pmd, addr);
		uffdwp_arming_end(&a);
	}
	return next;
}

/*
 * A page of hugetlb cannot be split: where the caller's range or page limit cuts it, it is reported
 * and stays written. A limit that other pages have used up first ends the scan before it, so that
 * the next one begins with all of its limit.
 */
static int scan_hugetlb(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk->vma,
						     uffdwp_hugetlb_shift(walk->vma));
	u64 categories = s->vma_categories |
			 uffdwp_hugetlb_categories(READ_ONCE(*pte), s->asked);
	unsigned long taken = end;
	int next;

	if (!matches(s, categories))
		return UFFDWP_WALK_ON;
	if (resets(s) && s->regions.pages &&
	    uffdwp_regions_room(&s->regions) < (end - addr) >> PAGE_SHIFT) {
		walk->pos = addr;
		return UFFDWP_WALK_STOP;
	}
	next = report(s, addr, &taken, categories);
	if (resets(s) && taken - addr == 1UL << a.shift) {
		uffdwp_arm_hugetlb(&a, pte, addr);
		uffdwp_arming_end(&a);
	}
	return next;
}

static const struct uffdwp_walk_ops scan_ops = {
	.hole = scan_hole,
	.ptes = scan_ptes,
	.huge = scan_huge,
	.hugetlb = scan_hugetlb,
};

/* Memory that is not registered with this tracker, or no memory: no page is looked at. */
static int scan_untracked(struct scan *s, unsigned long start, unsigned long end, bool mapped)
{
	const u64 named = s->arg->category_mask | s->arg->category_anyof_mask;
	u64 categories = UFFDWP_PAGE_IS_UNTRACKED;

	if (s->arg->flags & UFFDWP_SCAN_CHECK_TRACKED)
		return -EPERM;
	if (mapped)
		categories |= UFFDWP_PAGE_IS_WRITTEN;
	else if (!(named & UFFDWP_PAGE_IS_UNTRACKED))
		return UFFDWP_WALK_ON;
	return matches(s, categories) ? report(s, start, &end, categories) : UFFDWP_WALK_ON;
}

static int scan_tracked(struct scan *s, struct vm_area_struct *vma, unsigned long start,
			unsigned long end)
{
	struct mmu_notifier_range range;
	int next;

	s->walk.vma = vma;
	s->vma_categories = uffdwp_vma_categories(vma);
	if (resets(s))
		uffdwp_notifier_start(&range, vma, start, end);
	next = uffdwp_walk_vma(&s->walk, start, end);
	if (resets(s))
		uffdwp_notifier_end(&range);
	if (uffdwp_broken(UFFDWP_BREAK_ONE_STEP) && s->arg->flags & UFFDWP_SCAN_WP_MATCHING)
		uffdwp_arm(s->t, start, s->walk.pos, &end);
	return next;
}

/* From s->pos on, until the end of the range or until something else must be done first. */
static int scan_locked(struct scan *s)
{
	const unsigned long end = s->arg->end;
	struct vm_area_struct *vma;
	unsigned long border;
	int next;

	lockdep_assert_held(&s->t->mm->mmap_lock);
	while (s->pos < end) {
		vma = find_vma(s->t->mm, s->pos);
		s->walk.pos = s->pos;
		if (!vma || vma->vm_start > s->pos) {
			border = vma ? min(end, vma->vm_start) : end;
			next = scan_untracked(s, s->pos, border, false);
		} else {
			border = min(end, vma->vm_end);
			if (uffdwp_vma_is_tracked(s->t, vma))
				next = scan_tracked(s, vma, s->pos, border);
			else
				next = scan_untracked(s, s->pos, border, true);
		}
		s->pos = next ? s->walk.pos : border;
		if (next)
			return next;
	}
	return UFFDWP_WALK_STOP;
}

/**
 * uffdwp_scan_undo - make a range written again whose report did not arrive
 * @t: tracker
 * @start: first address
 * @end: last address, exclusive
 */
void uffdwp_scan_undo(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	if (uffdwp_broken(UFFDWP_BREAK_UNDO) || !mmget_not_zero(t->mm))
		return;
	mmap_read_lock(t->mm);
	uffdwp_count(t, pages_undone, uffdwp_disarm_tracked(t, start, end));
	mmap_read_unlock(t->mm);
	mmput(t->mm);
}

/* Store what is buffered; if that fails, take back what it would have told. */
static int deliver(struct scan *s, bool last)
{
	const struct uffdwp_region *lost = s->regions.buffer;
	unsigned int i, n = s->regions.buffered;
	int err = uffdwp_regions_store(&s->regions, last);

	if (err) {
		for (i = 0; resets(s) && i < n; i++)
			uffdwp_scan_undo(s->t, lost[i].start, lost[i].end);
		s->regions.buffered = 0;
		s->pos = lost[0].start;
	}
	return err;
}

/**
 * uffdwp_scan - UFFDWP_IOC_SCAN
 * @t: attached tracker, locked, its mm held by mmget()
 * @arg: checked request; walk_end is filled in
 *
 * Return: regions stored, or an error as documented with struct uffdwp_scan_arg. An error that
 * comes after regions were stored is left to the next call, which will meet it at once.
 */
long uffdwp_scan(struct uffdwp_tracker *t, struct uffdwp_scan_arg *arg)
{
	struct scan s = {
		.walk = { .ops = &scan_ops, .killable = true, .yield = true },
		.t = t,
		.arg = arg,
		.regions = {
			.vec = u64_to_user_ptr(arg->vec),
			.vec_len = arg->vec_len,
			.max_pages = arg->max_pages ?: U64_MAX,
			.buffer = t->buffer,
			.capacity = UFFDWP_BUFFER_REGIONS,
		},
		.pos = arg->start,
		.asked = arg->category_inverted | arg->category_mask |
			 arg->category_anyof_mask | arg->return_mask,
	};
	int next, err;

	do {
		next = mmap_read_lock_killable(t->mm);
		if (!next) {
			next = scan_locked(&s);
			mmap_read_unlock(t->mm);
		}
		err = deliver(&s, next != UFFDWP_WALK_PAUSE);
	} while (!err && next == UFFDWP_WALK_PAUSE);

	if (!err && next < 0)
		err = next;
	arg->walk_end = s.pos;
	uffdwp_count(t, scans, 1);
	uffdwp_count(t, pages_reported, s.regions.pages);
	uffdwp_settle_lists(t);
	return s.regions.stored || !err ? (long)s.regions.stored : err;
}
