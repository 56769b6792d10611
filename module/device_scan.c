// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDWP_IOC_SCAN: memory of one tracker is looked at, other memory is told apart.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "categories.h"
#include "device_scan.h"
#include "device_tracker.h"
#include "disarm.h"
#include "pinned.h"
#include "scan.h"
#include "trace.h"

/* A VMA that is not registered with this tracker, or a gap: no page is looked at. */
static int scan_untracked(struct uffdwp_scan *s, unsigned long start, unsigned long end,
			  bool mapped)
{
	const u64 named = s->arg->category_mask | s->arg->category_anyof_mask;
	u64 categories = UFFDWP_PAGE_IS_UNTRACKED;

	/* What unregistered it may have been told to nobody: registration.c. */
	uffdwp_tracker_forget(s->t, start, end);
	if (s->arg->flags & UFFDWP_SCAN_CHECK_TRACKED)
		return -EPERM;
	if (mapped)
		categories |= UFFDWP_PAGE_IS_WRITTEN;
	else if (!(named & UFFDWP_PAGE_IS_UNTRACKED))
		return UFFDWP_WALK_ON;
	return uffdwp_scan_matches(s, categories) ?
	       uffdwp_scan_report(s, start, &end, categories) : UFFDWP_WALK_ON;
}

static int scan_unmapped(struct uffdwp_scan *s, unsigned long start, unsigned long end)
{
	return scan_untracked(s, start, end, false);
}

static int scan_vma(struct uffdwp_scan *s, struct vm_area_struct *vma, unsigned long start,
		    unsigned long end)
{
	if (!uffdwp_vma_is_tracked(s->t, vma))
		return scan_untracked(s, start, end, true);
	if (s->t->arming_ended && uffdwp_scan_resets(s))
		return -ENODEV;
	if (READ_ONCE(s->t->split_at) != s->split.start)
		uffdwp_scan_forget_split(s);
	s->vma_categories = uffdwp_vma_categories(vma);
	s->hole_categories = s->vma_categories | uffdwp_hole_categories(vma);
	if (!s->t->sparse.on)
		return uffdwp_scan_walk(s, vma, start, end);
	if (vma_is_anonymous(vma))
		return uffdwp_scan_walk_sparse(s, vma, start, end);
	uffdwp_sparse_remove_all(&s->t->sparse, start, end);
	return uffdwp_scan_walk(s, vma, start, end);
}

/*
 * Where the caller's range or page limit cuts a page of hugetlb, it is reported and stays written.
 * A limit that other pages have used up first ends the scan before it, so that the next one begins
 * with all of its limit.
 */
static enum uffdwp_scan_hugetlb takes_hugetlb(struct uffdwp_scan *s, unsigned long addr,
					      unsigned long end, bool whole, bool written)
{
	return uffdwp_scan_resets(s) && s->regions.pages &&
	       uffdwp_regions_room(&s->regions) < (end - addr) >> PAGE_SHIFT ?
	       UFFDWP_SCAN_STOP : UFFDWP_SCAN_TAKE;
}

/**
 * uffdwp_scan_undo - make a range written again whose report was not delivered
 * @t: tracker
 * @start: first address
 * @end: last address, exclusive
 *
 * With UFFD_FEATURE_EVENT_REMAP it may have moved since, armed as it was, to wherever the tracker
 * has memory.
 */
void uffdwp_scan_undo(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	if (t->remaps) {
		start = 0;
		end = ULONG_MAX;
	}
	if (!mmget_not_zero(t->mm))
		return;
	/* Also when the task was killed: writes that were not reported would be missed. */
	uffdwp_count(t, pages_undone, uffdwp_disarm_tracked(t, start, end));
	mmput(t->mm);
}

static void undo(struct uffdwp_scan *s, const struct uffdwp_region *lost, unsigned int n)
{
	unsigned int i;

	/* Once, since each would be everything. */
	if (s->t->remaps)
		n = 1;
	for (i = 0; i < n; i++)
		uffdwp_scan_undo(s->t, lost[i].start, lost[i].end);
}

static const struct uffdwp_scan_rules rules = {
	.vma = scan_vma,
	.unmapped = scan_unmapped,
	.hugetlb = takes_hugetlb,
	.undo = undo,
};

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
	struct uffdwp_scan s = uffdwp_scan_begin(t->mm, arg, &rules);
	int err;

	s.t = t;
	uffdwp_regions_use_buffer(&s.regions, d->buffer, UFFDWP_BUFFER_REGIONS);
	s.split = d->split;
	s.walk.cut = s.split.end;
	if (s.split.end > arg->start)
		s.walk.ops = &uffdwp_split_scan_ops;
	err = uffdwp_scan_run(&s);
	d->split = s.split;
	arg->walk_end = s.walk.pos;
	uffdwp_count(t, scans, 1);
	uffdwp_count(t, pages_reported, s.regions.pages);
	trace_uffdwp_scanned(t->mm, arg->start, s.walk.pos, s.regions.pages,
			     uffdwp_scan_resets(&s));
	uffdwp_drain_lru(d);
	return s.regions.stored || !err ? (long)s.regions.stored : err;
}
