// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scan: classify, match, report and arm, one page after the other.
 *
 * Each page is looked at and armed under one hold of its page-table lock, and the TLBs are flushed
 * before that lock is dropped (arm.c), so a write is either seen by this scan or faults afterwards.
 *
 * A report that cannot be delivered must not leave its pages armed, or their writes are lost.
 * Regions go from the buffer to user memory without locks; if that fails, those that were not
 * delivered are disarmed: written again. No other command of the tracker can have seen them armed,
 * since its lock is held.
 *
 * A huge page of a file is split before it is armed, and the kernel splits one by clearing its PMD
 * (__split_huge_pmd_locked()). The none PTEs that are found afterwards are still reported as the
 * huge page that they were part of, or a scan for present pages would never report it.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "arm.h"
#include "categories.h"
#include "compat/hugetlb.h"
#include "device_tracker.h"
#include "disarm.h"
#include "health.h"
#include "hold.h"
#include "hooks/hooks.h"
#include "moving.h"
#include "pinned.h"
#include "pte.h"
#include "regions.h"
#include "scan.h"
#include "tracker.h"
#include "walk.h"

struct scan {
	struct uffdwp_walk walk;
	struct uffdwp_hold hold;
	bool backport;			/* PAGEMAP_SCAN: all memory, by the kernel's own rules */
	struct uffdwp_tracker *t;	/* of the VMA; NULL: nothing in it can be armed */
	const struct uffdwp_scan_arg *arg;
	struct uffdwp_regions regions;
	unsigned long pos;		/* all below was looked at */
	unsigned long skipped;		/* @backport: a page that was left out; 0: none */
	u64 asked;			/* categories that matter to the caller */
	u64 vma_categories;		/* of all pages of walk.vma */
	u64 hole_categories;		/* of unpopulated ones */
	struct uffdwp_split split;	/* the huge page of a file that was split last */
};

static const struct uffdwp_walk_ops scan_ops, split_scan_ops;

static bool scan_matches(const struct scan *s, u64 categories)
{
	const struct uffdwp_scan_arg *arg = s->arg;

	categories ^= arg->category_inverted;
	return (categories & arg->category_mask) == arg->category_mask &&
	       (!arg->category_anyof_mask || (categories & arg->category_anyof_mask));
}

static bool scan_resets(const struct scan *s)
{
	return s->arg->flags & UFFDWP_SCAN_WP_MATCHING;
}

/* Not what UFFDIO_MOVE is about to move away; the page-table lock is held, if there is a table. */
static bool scan_resets_at(const struct scan *s, unsigned long addr, unsigned long end)
{
	return scan_resets(s) && !uffdwp_is_moving(s->walk.vma->vm_mm, addr, end);
}

/*
 * Report [addr, *end). On return *end is where the reported part ends; addr: nothing. The caller
 * arms [addr, *end), whatever is returned; anything but ON ends the walk, with walk->pos set.
 */
static inline int scan_report(struct scan *s, unsigned long addr, unsigned long *end,
			      u64 categories)
{
	categories &= s->arg->return_mask;
	if (*end - addr == PAGE_SIZE && uffdwp_regions_extend(&s->regions, addr, categories))
		return UFFDWP_WALK_ON;
	switch (uffdwp_regions_add(&s->regions, addr, end, categories)) {
	case UFFDWP_ADD_TAKEN:
		return UFFDWP_WALK_ON;
	case UFFDWP_ADD_LAST:
		s->walk.pos = *end;
		return UFFDWP_WALK_STOP;
	case UFFDWP_ADD_NO_ROOM:
		*end = addr;
		s->walk.pos = addr;
		return UFFDWP_WALK_STOP;
	case UFFDWP_ADD_FLUSH_FIRST:
		break;
	}
	*end = addr;
	s->walk.pos = addr;
	return UFFDWP_WALK_PAUSE;
}

/* Of an unpopulated range: what it was before a scan has split the huge page there. */
static u64 empty_categories(const struct scan *s, unsigned long addr, unsigned long end,
			    u64 categories)
{
	if (addr < s->split.start || end > s->split.end || vma_is_anonymous(s->walk.vma) ||
	    !scan_matches(s, s->split.categories))
		return categories;
	return s->split.categories;
}

static int scan_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	const u64 categories = empty_categories(s, addr, end, s->hole_categories);

	if (!scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (scan_resets_at(s, addr, end) && uffdwp_hole_can_be_armed(s->t, walk->vma))
		return UFFDWP_WALK_POPULATE;
	return scan_report(s, addr, &end, categories);
}

/* Come back to this page when the LRU batches are drained. */
static int drain_first(struct scan *s, unsigned long addr)
{
	s->walk.pos = addr;
	return UFFDWP_WALK_DRAIN;
}

/* ->ptes of a PAGEMAP_SCAN without vec: arms all, whatever its categories, as Linux does. */
static int arm_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk, PAGE_SHIFT);
	int next = UFFDWP_WALK_ON;

	if (!scan_resets_at(s, addr, end))
		return UFFDWP_WALK_ON;
	for (; addr != end && next == UFFDWP_WALK_ON; pte++, addr += PAGE_SIZE)
		if (uffdwp_arm_pte(&a, pte, addr))
			next = drain_first(s, addr);
	uffdwp_arming_end(&a);
	return next;
}

/* Would a page be reported as pinned that is perhaps only in an LRU batch? */
static bool meets_batch(const struct scan *s, struct uffdwp_look *look, pte_t *pte,
			unsigned long addr, unsigned long end)
{
	if (!(s->asked & UFFDWP_PAGE_IS_PINNED) || s->walk.drained)
		return false;
	for (; addr != end && !look->met_batch; pte++, addr += PAGE_SIZE)
		uffdwp_pte_extra_categories(pte, READ_ONCE(*pte), UFFDWP_PAGE_IS_PINNED, look);
	return look->met_batch;
}

static int scan_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk, PAGE_SHIFT);
	const bool reset = scan_resets_at(s, addr, end);
	const u64 vma_categories = s->vma_categories;
	const u64 asked = s->asked;
	int next = UFFDWP_WALK_ON;

	if (meets_batch(s, &a.look, pte, addr, end))
		return drain_first(s, addr);
	for (; addr != end && next == UFFDWP_WALK_ON; pte++, addr += PAGE_SIZE) {
		unsigned long taken = addr + PAGE_SIZE;
		u64 categories = vma_categories |
				 uffdwp_pte_categories(pte, READ_ONCE(*pte), asked, &a.look);

		if (!scan_matches(s, categories))
			continue;
		next = scan_report(s, addr, &taken, categories);
		if (reset && taken > addr && unlikely(uffdwp_arm_pte(&a, pte, addr))) {
			uffdwp_regions_take_back(&s->regions);
			next = drain_first(s, addr);
			break;
		}
	}
	uffdwp_arming_end(&a);
	return next;
}

/* A none PTE, perhaps of the huge page that was split. */
static int scan_emptied(struct scan *s, struct uffdwp_arming *a, pte_t *pte, unsigned long addr)
{
	const u64 nothing = s->vma_categories | UFFDWP_PAGE_IS_WRITTEN;
	unsigned long taken = addr + PAGE_SIZE;
	const u64 categories = empty_categories(s, addr, taken, nothing);
	int next;

	if (!scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	next = scan_report(s, addr, &taken, categories);
	if (scan_resets_at(s, addr, taken) && taken > addr && uffdwp_arm_absent_pte(a, pte, addr)) {
		uffdwp_regions_take_back(&s->regions);
		next = drain_first(s, addr);
	}
	return next;
}

/*
 * ->ptes up to the end of the huge page that was split: none PTEs are reported as parts of it. Not
 * done in scan_ptes(), which is the hot loop.
 */
static int scan_split_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			   unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk, PAGE_SHIFT);
	int next = UFFDWP_WALK_ON;
	unsigned long run;

	if (addr >= s->split.end)
		walk->ops = &scan_ops;
	if (addr >= s->split.end || end <= s->split.start)
		return scan_ptes(walk, pte, addr, end);
	while (addr != end && next == UFFDWP_WALK_ON) {
		for (run = 0; addr + run != end && !pte_none(READ_ONCE(pte[run >> PAGE_SHIFT]));)
			run += PAGE_SIZE;
		if (run) {
			next = scan_ptes(walk, pte, addr, addr + run);
		} else {
			run = PAGE_SIZE;
			next = scan_emptied(s, &a, pte, addr);
		}
		addr += run;
		pte += run >> PAGE_SHIFT;
	}
	uffdwp_arming_end(&a);
	return next;
}

/* The split clears the PMD. All of the page: a limit may leave a part to the next scan. */
static void remember_split(struct scan *s, unsigned long addr, pmd_t pmd)
{
	const u64 all = UFFDWP_EXTRA_CATEGORIES & ~UFFDWP_PAGE_IS_PINNED;

	if (vma_is_anonymous(s->walk.vma))
		return;
	s->split.start = round_down(addr, HPAGE_PMD_SIZE);
	s->split.end = s->split.start + HPAGE_PMD_SIZE;
	s->split.categories = s->vma_categories | uffdwp_pmd_categories(pmd, s->asked | all);
	if (s->walk.ops == &scan_ops)
		s->walk.ops = &split_scan_ops;
}

static int scan_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk, HPAGE_PMD_SHIFT);
	u64 categories = s->vma_categories | uffdwp_pmd_categories(READ_ONCE(*pmd), s->asked);
	const u64 room = uffdwp_regions_room(&s->regions);
	unsigned long taken = end;
	int next;

	if (!scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (!scan_resets_at(s, addr, end) || !room || uffdwp_pmd_armed(*pmd))
		return scan_report(s, addr, &taken, categories);

	/* Only what is reported may be armed, so for a part of a huge page it is split. */
	if (!uffdwp_pmd_can_be_armed(walk->vma, addr, end) ||
	    room < HPAGE_PMD_NR) {
		remember_split(s, addr, *pmd);
		return UFFDWP_WALK_SPLIT;
	}
	next = scan_report(s, addr, &taken, categories);
	if (taken == end) {
		uffdwp_arm_pmd(&a, pmd, addr);
		uffdwp_arming_end(&a);
	}
	return next;
}

static u64 hugetlb_categories(const struct scan *s, pte_t pte)
{
	if (pte_none(pte))
		return s->hole_categories | UFFDWP_PAGE_IS_HUGE;
	return s->vma_categories | uffdwp_hugetlb_categories(pte, s->asked);
}

/*
 * A page of hugetlb cannot be split: where the caller's range or page limit cuts it, it is reported
 * and stays written. A limit that other pages have used up first ends the scan before it, so that
 * the next one begins with all of its limit.
 *
 * PAGEMAP_SCAN does not report what it cannot arm: it skips a part of a page at either end of the
 * range, which walk_end tells, and ends before a page that exceeds the page limit.
 */
static int scan_hugetlb(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct scan *s = container_of(walk, struct scan, walk);
	struct uffdwp_arming a = uffdwp_arming_begin(s->t, walk,
						     uffdwp_hugetlb_shift(walk->vma));
	u64 categories = hugetlb_categories(s, READ_ONCE(*pte));
	const bool whole = end - addr == 1UL << a.shift;
	const bool written = categories & UFFDWP_PAGE_IS_WRITTEN;
	unsigned long taken = end;
	int next;

	if (!scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (s->backport && scan_resets(s) && written && !whole) {
		s->skipped = addr;
		return UFFDWP_WALK_ON;
	}
	if (scan_resets(s) && (s->backport ? written : s->regions.pages) &&
	    uffdwp_regions_room(&s->regions) < (end - addr) >> PAGE_SHIFT) {
		walk->pos = addr;
		return UFFDWP_WALK_STOP;
	}
	next = scan_report(s, addr, &taken, categories);
	if (scan_resets(s) && taken - addr == 1UL << a.shift) {
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

static const struct uffdwp_walk_ops split_scan_ops = {
	.hole = scan_hole,
	.ptes = scan_split_ptes,
	.huge = scan_huge,
	.hugetlb = scan_hugetlb,
};

static const struct uffdwp_walk_ops arming_scan_ops = {
	.hole = scan_hole,
	.ptes = arm_ptes,
	.huge = scan_huge,
	.hugetlb = scan_hugetlb,
};

/* A VMA that is not registered with this tracker, or a gap: no page is looked at. */
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
	return scan_matches(s, categories) ? scan_report(s, start, &end, categories) :
					     UFFDWP_WALK_ON;
}

static int walk_vma(struct scan *s, struct vm_area_struct *vma, unsigned long start,
		    unsigned long end)
{
	struct mmu_notifier_range range;
	int next;

	s->walk.vma = vma;
	if (scan_resets(s))
		uffdwp_notifier_start(&range, vma, start, end);
	next = uffdwp_walk_vma(&s->walk, start, end);
	if (scan_resets(s))
		uffdwp_notifier_end(&range);
	return next;
}

static int scan_tracked(struct scan *s, struct vm_area_struct *vma, unsigned long start,
			unsigned long end)
{
	s->vma_categories = uffdwp_vma_categories(vma);
	s->hole_categories = s->vma_categories | uffdwp_hole_categories(vma);
	return walk_vma(s, vma, start, end);
}

/* The tracker, if the VMA is registered with a userfaultfd that has asked for WP_ASYNC. */
static struct uffdwp_tracker *backport_tracker(struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	return t && t->whose == UFFDWP_BACKPORT && !t->arming_ended &&
	       uffdwp_vma_is_tracked(t, vma) ? t : NULL;
}

/*
 * The rules of pagemap_scan_test_walk() and pagemap_scan_pte_hole() of Linux 7.2, except that
 * unpopulated hugetlb in a VMA that is registered for write protection is written like all else.
 */
static int scan_backport(struct scan *s, struct vm_area_struct *vma, unsigned long start,
		       unsigned long end)
{
	const u64 required = s->arg->category_mask & UFFDWP_PAGE_IS_WPALLOWED;
	struct address_space *mapping;
	int next;

	s->t = backport_tracker(vma);
	if (!s->t && s->arg->flags & UFFDWP_SCAN_CHECK_TRACKED)
		return -EPERM;
	if ((!s->t && s->arg->flags & UFFDWP_SCAN_WP_MATCHING) || vma->vm_flags & VM_PFNMAP)
		return UFFDWP_WALK_ON;

	s->vma_categories = s->t ? UFFDWP_PAGE_IS_WPALLOWED : 0;
	if (vma->vm_flags & VM_SOFTDIRTY)
		s->vma_categories |= UFFDWP_PAGE_IS_SOFT_DIRTY;
	if (((s->vma_categories ^ s->arg->category_inverted) & required) != required)
		return UFFDWP_WALK_ON;
	s->hole_categories = s->vma_categories | (userfaultfd_wp(vma) ? UFFDWP_PAGE_IS_WRITTEN : 0);
	/* Linux 5.10 leaves bits behind in memory that is not registered any more. */
	if (!userfaultfd_wp(vma))
		s->vma_categories |= UFFDWP_PAGE_IS_WRITTEN;

	if (!is_vm_hugetlb_page(vma) || userfaultfd_wp(vma))
		return walk_vma(s, vma, start, end);
	/* Tables that are shared with other processes may go away: disarm_some(). */
	mapping = vma->vm_file->f_mapping;
	i_mmap_lock_read(mapping);
	s->walk.file_lock = &mapping->i_mmap_rwsem;
	next = walk_vma(s, vma, start, end);
	s->walk.file_lock = NULL;
	i_mmap_unlock_read(mapping);
	return next;
}

static int scan_vma(struct scan *s, struct vm_area_struct *vma, unsigned long start,
		    unsigned long end)
{
	if (s->backport)
		return scan_backport(s, vma, start, end);
	if (uffdwp_vma_is_tracked(s->t, vma))
		return scan_tracked(s, vma, start, end);
	return scan_untracked(s, start, end, true);
}

/* From s->pos on, until the end of the range or until the walk pauses or stops. */
static int scan_locked(struct scan *s)
{
	const unsigned long end = s->arg->end;
	struct vm_area_struct *vma;
	unsigned long border;
	int next;

	lockdep_assert_held(&s->hold.mm->mmap_lock);
	if (s->t && s->t->arming_ended && scan_resets(s) && !s->backport)
		return -ENODEV;
	while (s->pos < end) {
		vma = find_vma(s->hold.mm, s->pos);
		s->walk.pos = s->pos;
		if (!vma || vma->vm_start > s->pos) {
			border = vma ? min(end, vma->vm_start) : end;
			next = s->backport ? UFFDWP_WALK_ON :
					   scan_untracked(s, s->pos, border, false);
		} else {
			border = min(end, vma->vm_end);
			next = scan_vma(s, vma, s->pos, border);
		}
		s->pos = next ? s->walk.pos : border;
		if (!next && border < end)
			next = uffdwp_may_go_on(s->hold.mm, true, true);
		if (next)
			return next;
	}
	return UFFDWP_WALK_STOP;
}

/**
 * uffdwp_scan_undo - make a range written again whose report was not delivered
 * @t: tracker
 * @start: first address
 * @end: last address, exclusive
 */
void uffdwp_scan_undo(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	if (!mmget_not_zero(t->mm))
		return;
	/* Also when the task was killed: writes that were not reported would be missed. */
	uffdwp_count(t, pages_undone, uffdwp_disarm_tracked(t, start, end));
	mmput(t->mm);
}

static enum uffdwp_disarm all_if_backport(struct vm_area_struct *vma, const void *arg)
{
	return backport_tracker(vma) ? UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/**
 * uffdwp_backport_scan_undo - the same for uffdwp_backport_scan()
 * @mm: mm, held by mmget()
 * @start: first address
 * @end: last address, exclusive
 */
void uffdwp_backport_scan_undo(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	const struct uffdwp_choice choice = { .what = all_if_backport };

	uffdwp_disarm_range(mm, start, end, &choice);
}

/*
 * Store what is buffered; if that fails, disarm what it would have reported.
 * uffdwp_backport_scan() disarms its whole range, in the end.
 */
static int scan_deliver(struct scan *s, bool last)
{
	const struct uffdwp_region *lost = s->regions.buffer;
	unsigned int i, n = s->regions.buffered;
	int err = uffdwp_regions_store(&s->regions, last);

	if (err) {
		for (i = 0; !s->backport && scan_resets(s) && i < n; i++)
			uffdwp_scan_undo(s->t, lost[i].start, lost[i].end);
		s->regions.buffered = 0;
		s->pos = lost[0].start;
	}
	return err;
}

static int scan_on(struct uffdwp_hold *hold)
{
	return scan_locked(container_of(hold, struct scan, hold));
}

static int scan_deliver_part(struct uffdwp_hold *hold, int next)
{
	return scan_deliver(container_of(hold, struct scan, hold), next != UFFDWP_WALK_PAUSE);
}

static int scan_run(struct scan *s)
{
	int next = uffdwp_hold_and_pause(&s->hold);

	return next < 0 ? next : 0;
}

/* What both kinds of scan begin with; the caller sets regions.buffer and its capacity. */
static struct scan scan_begin(struct mm_struct *mm, const struct uffdwp_scan_arg *arg)
{
	return (struct scan){
		.walk = { .ops = &scan_ops, .killable = true, .yield = true },
		.hold = {
			.mm = mm,
			.killable = true,
			.work = scan_on,
			.between = scan_deliver_part,
		},
		.arg = arg,
		.regions = {
			.vec = u64_to_user_ptr(arg->vec),
			.vec_len = arg->vec_len,
			.max_pages = arg->max_pages ?: U64_MAX,
		},
		.pos = arg->start,
		.asked = arg->category_inverted | arg->category_mask |
			 arg->category_anyof_mask | arg->return_mask,
	};
}

/**
 * uffdwp_scan - UFFDWP_IOC_SCAN
 * @d: attached tracker, locked, its mm held by mmget()
 * @arg: checked request; walk_end is filled in
 *
 * Return: regions stored, or an error as documented with struct uffdwp_scan_arg. An error that
 * comes after regions were stored is left to the next call, which will meet it at once.
 */
long uffdwp_scan(struct uffdwp_device_tracker *d, struct uffdwp_scan_arg *arg)
{
	struct uffdwp_tracker *t = &d->base;
	struct scan s = scan_begin(t->mm, arg);
	int err;

	s.t = t;
	s.regions.buffer = d->buffer;
	s.regions.capacity = UFFDWP_BUFFER_REGIONS;
	s.split = d->split;
	if (s.split.end > arg->start)
		s.walk.ops = &split_scan_ops;
	err = scan_run(&s);
	d->split = s.split;
	arg->walk_end = s.pos;
	uffdwp_count(t, scans, 1);
	uffdwp_count(t, pages_reported, s.regions.pages);
	uffdwp_drain_lru(d);
	return s.regions.stored || !err ? (long)s.regions.stored : err;
}

/**
 * uffdwp_backport_scan - PAGEMAP_SCAN
 * @mm: mm, held by mmget()
 * @arg: checked request; walk_end is filled in
 * @buffer: for regions, or NULL when none are asked for
 * @capacity: elements of it
 *
 * Without a vec the page limit does not count. The walk goes on behind the last page that is
 * wanted, and ends at the first that is one too many.
 *
 * Return: regions stored; or -EPERM, -EFAULT, -ENOMEM, -EINTR, -EIO or -ENOTRECOVERABLE: then the
 * whole range is written again, since the caller does not learn how many regions were stored.
 */
long uffdwp_backport_scan(struct mm_struct *mm, struct uffdwp_scan_arg *arg,
			struct uffdwp_region *buffer, unsigned int capacity)
{
	struct scan s = scan_begin(mm, arg);
	int err;

	s.backport = true;
	s.regions.buffer = buffer;
	s.regions.capacity = capacity;
	s.regions.past_limit = true;
	if (!arg->vec_len) {
		s.regions.vec = NULL;
		s.regions.max_pages = U64_MAX;
		if (scan_resets(&s))
			s.walk.ops = &arming_scan_ops;
	}
	err = scan_run(&s);
	if (!err && uffdwp_ftrace_is_dead())
		err = -ENOTRECOVERABLE;
	if (err && arg->flags & UFFDWP_SCAN_WP_MATCHING)
		uffdwp_backport_scan_undo(mm, arg->start, arg->end);
	arg->walk_end = err ? arg->end : s.skipped && s.pos == arg->end ? s.skipped : s.pos;
	return err ?: (long)s.regions.stored;
}
