// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scan where memory may be sparse (sparse.h): a range without a page table is looked up among
 * those that were armed so. Where a table has come since, what is still empty in it is armed as
 * elsewhere, and the range is known by its entries from then on. A page that is written now reads
 * so in each scan until one resets it, whatever becomes of it: nothing else has to be remembered.
 *
 * Membership is asked after the PMD was read as none, or under the lock of the table: who discards
 * memory takes it out after it was zapped, so one of the two is seen.
 */
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>

#include "arm.h"
#include "hold.h"
#include "pte.h"
#include "scan.h"
#include "sparse.h"
#include "tracker.h"

/*
 * The tracer has to learn what is taken: that it is zeroes, and need not be copied. A scan that
 * only arms is as ARM.
 */
static bool tells_sparse(const struct uffdwp_scan *s)
{
	return !s->arg->vec || (s->arg->return_mask & UFFDWP_PAGE_IS_SPARSE);
}

/* A part that is not in the set: written, since it was never armed, or was discarded. */
static int scan_not_taken(struct uffdwp_scan *s, unsigned long addr, unsigned long end)
{
	const bool can_take = uffdwp_scan_resets_at(s, addr, end) && tells_sparse(s) &&
			      uffdwp_can_be_sparse(s->t, s->walk.vma) &&
			      !check_stable_address_space(s->walk.vma->vm_mm);
	const u64 categories = s->hole_categories | (can_take ? UFFDWP_PAGE_IS_SPARSE : 0);
	unsigned long taken = end;
	int next, err;

	/* As it was, or as it will be: else a caller that wants what is not sparse got neither. */
	if (!uffdwp_scan_matches(s, s->hole_categories) && !uffdwp_scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (!can_take && uffdwp_scan_resets_at(s, addr, end) &&
	    uffdwp_hole_can_be_armed(s->t, s->walk.vma)) {
		s->walk.pos = addr;
		return UFFDWP_WALK_POPULATE;
	}
	next = uffdwp_scan_report(s, addr, &taken, categories);
	if (!can_take || taken == addr)
		return next;
	err = uffdwp_sparse_take(s->t, s->walk.vma, addr, taken);
	if (err) {
		uffdwp_regions_take_back(&s->regions, (taken - addr) >> PAGE_SHIFT);
		s->walk.pos = addr;
		return err;
	}
	return next;
}

static int scan_taken(struct uffdwp_scan *s, unsigned long addr, unsigned long end)
{
	const u64 categories = (s->hole_categories & ~UFFDWP_PAGE_IS_WRITTEN) |
			       UFFDWP_PAGE_IS_SPARSE;

	return uffdwp_scan_matches(s, categories) ? uffdwp_scan_report(s, addr, &end, categories) :
						    UFFDWP_WALK_ON;
}

/* A process can make as many parts as it likes. */
static int scan_sparse_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	unsigned long part_end;
	int next;

	/* The OOM reaper empties this mm: nothing stands for zeroes. */
	if (check_stable_address_space(walk->vma->vm_mm))
		uffdwp_sparse_remove_all(&s->t->sparse, addr, end);
	while (addr < end) {
		part_end = end;
		next = uffdwp_sparse_find(&s->t->sparse, addr, &part_end) ?
		       scan_taken(s, addr, part_end) : scan_not_taken(s, addr, part_end);
		if (next)
			return next;
		addr = part_end;
		walk->pos = addr;
		next = addr < end ? uffdwp_may_go_on(walk->vma->vm_mm, true, true) :
				    UFFDWP_WALK_ON;
		if (next)
			return next;
	}
	return UFFDWP_WALK_ON;
}

/* The lock of the table is held. */
static void arm_taken(struct uffdwp_scan *s, pte_t *pte, unsigned long addr, unsigned long end)
{
	unsigned long part_end;

	for (; addr != end; pte += (part_end - addr) >> PAGE_SHIFT, addr = part_end) {
		part_end = end;
		if (uffdwp_sparse_find(&s->t->sparse, addr, &part_end))
			uffdwp_arm_empty(s->t, &s->walk, pte, addr, part_end);
	}
}

static int scan_sparse_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			    unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	struct uffdwp_sparse *sparse = &s->t->sparse;

	if (!uffdwp_sparse_is_empty(sparse)) {
		arm_taken(s, pte, addr, end);
		uffdwp_sparse_remove(sparse, addr, end);
	}
	return uffdwp_scan_ptes(walk, pte, addr, end);
}

/* Only the huge page of zeroes is empty. */
static int scan_sparse_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr,
			    unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	const unsigned long base = round_down(addr, PMD_SIZE);
	unsigned long taken_end = base + PMD_SIZE;
	struct uffdwp_sparse *sparse = &s->t->sparse;
	bool taken = uffdwp_sparse_find(sparse, base, &taken_end);

	if (uffdwp_pmd_is_huge_zero(*pmd)) {
		/* In part: there is no entry for that part. */
		if (taken_end != base + PMD_SIZE)
			return UFFDWP_WALK_SPLIT;
		if (taken)
			uffdwp_arm_huge_zero(s->t, walk, pmd, base);
	}
	uffdwp_sparse_remove(sparse, base, base + PMD_SIZE);
	return uffdwp_scan_ops.huge(walk, pmd, addr, end);
}

static const struct uffdwp_walk_ops ops = {
	.hole = scan_sparse_hole,
	.ptes = scan_sparse_ptes,
	.huge = scan_sparse_huge,
};

/**
 * uffdwp_scan_walk_sparse - as uffdwp_scan_walk(), where memory may be sparse
 * @s: scan, with the tracker and the categories of the VMA set
 * @vma: anonymous VMA
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 *
 * Return: as uffdwp_walk_vma().
 */
int uffdwp_scan_walk_sparse(struct uffdwp_scan *s, struct vm_area_struct *vma,
			    unsigned long start, unsigned long end)
{
	const struct uffdwp_walk_ops *before = s->walk.ops;
	int next;

	s->walk.ops = &ops;
	next = uffdwp_scan_walk(s, vma, start, end);
	s->walk.ops = before;
	return next;
}
