/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scan, for those who give it rules: device_scan.c and backport/scan.c.
 */
#ifndef UFFDWP_SCAN_H
#define UFFDWP_SCAN_H

#include "../uapi/uffdwp-async.h"
#include "device_tracker.h"
#include "hold.h"
#include "off_limits.h"
#include "regions.h"
#include "ring.h"
#include "walk.h"

struct uffdwp_arming;
struct uffdwp_scan;

/* What is done with a page of hugetlb, or a part of one, that matches. */
enum uffdwp_scan_hugetlb {
	UFFDWP_SCAN_TAKE,	/* report it, and arm it if it is whole */
	UFFDWP_SCAN_LEAVE_OUT,	/* go on behind it */
	UFFDWP_SCAN_STOP,	/* end before it */
};

/**
 * struct uffdwp_scan_rules - which memory a scan is about, and what becomes of it
 * @vma: scan [start, end) of a VMA: sets the categories of its pages and calls
 *	uffdwp_scan_walk(), or reports it without a look; returns as a callback of a walk
 * @unmapped: the same for a range without a VMA
 * @hugetlb: asked about each page of hugetlb that matches, and about a huge page that stays whole
 *	and is not armed, since the range or the limit cuts it
 * @undo: make what was not delivered written again; NULL: the caller does so for all of the range
 */
struct uffdwp_scan_rules {
	int (*vma)(struct uffdwp_scan *s, struct vm_area_struct *vma, unsigned long start,
		   unsigned long end);
	int (*unmapped)(struct uffdwp_scan *s, unsigned long start, unsigned long end);
	enum uffdwp_scan_hugetlb (*hugetlb)(struct uffdwp_scan *s, unsigned long addr,
					    unsigned long end, bool whole, bool written);
	void (*undo)(struct uffdwp_scan *s, const struct uffdwp_region *lost, unsigned int n);
};

/**
 * struct uffdwp_scan - a scan that is under way
 * @walk: walk over the VMA; all below @walk.pos was looked at
 * @hold: holds of mmap_lock
 * @rules: rules
 * @arg: checked request
 * @asked: categories that matter to the caller
 * @regions: what is reported
 * @t: tracker of the VMA; NULL: nothing in it can be armed
 * @vma_categories: of all pages of the VMA
 * @hole_categories: of unpopulated ones
 * @plain: the categories of most pages that are present follow from their entries
 * @skips_armed: of them, those that are armed do not match
 * @takes_written: and those that are written do, and are to be armed
 * @plain_written: what is returned for the latter
 * @split: the huge page of a file that was split last: scan_split.c
 */
struct uffdwp_scan {
	struct uffdwp_walk walk;
	struct uffdwp_hold hold;
	const struct uffdwp_scan_rules *rules;
	const struct uffdwp_scan_arg *arg;
	u64 asked;
	struct uffdwp_regions regions;
	struct uffdwp_tracker *t;
	u64 vma_categories;
	u64 hole_categories;
	bool plain;
	bool skips_armed;
	bool takes_written;
	u64 plain_written;
	struct uffdwp_split split;
};

static inline bool uffdwp_scan_resets(const struct uffdwp_scan *s)
{
	return s->arg->flags & UFFDWP_SCAN_WP_MATCHING;
}

/* Not what UFFDIO_MOVE is about to move away; the page-table lock is held, if there is a table. */
static inline bool uffdwp_scan_resets_at(const struct uffdwp_scan *s, unsigned long addr,
					 unsigned long end)
{
	if (!uffdwp_scan_resets(s))
		return false;
	if (likely(!uffdwp_is_off_limits(s->walk.vma->vm_mm, addr, end)))
		return true;
	uffdwp_tell(s->t, addr, end, UFFDWP_RING_SCAN);
	return false;
}

static inline bool uffdwp_scan_matches(const struct uffdwp_scan *s, u64 categories)
{
	const struct uffdwp_scan_arg *arg = s->arg;

	categories ^= arg->category_inverted;
	return (categories & arg->category_mask) == arg->category_mask &&
	       (!arg->category_anyof_mask || (categories & arg->category_anyof_mask));
}

int uffdwp_scan_add(struct uffdwp_scan *s, unsigned long addr, unsigned long *end, u64 categories);

/*
 * Report [addr, *end). On return *end is where the reported part ends; addr: nothing. The caller
 * arms [addr, *end), whatever is returned; anything but ON ends the walk, with walk->pos set.
 */
static inline int uffdwp_scan_report(struct uffdwp_scan *s, unsigned long addr, unsigned long *end,
				     u64 categories)
{
	categories &= s->arg->return_mask;
	if (*end - addr == PAGE_SIZE && (uffdwp_regions_extend(&s->regions, addr, 1, categories) ||
					 uffdwp_regions_begin(&s->regions, addr, categories)))
		return UFFDWP_WALK_ON;
	return uffdwp_scan_add(s, addr, end, categories);
}

/* Come back to this page when DRAIN or NOTIFY is done. */
static inline int uffdwp_scan_come_back(struct uffdwp_scan *s, unsigned long addr,
					enum uffdwp_walk_next first)
{
	s->walk.pos = addr;
	return first;
}

/* scan.c */
struct uffdwp_scan uffdwp_scan_begin(struct mm_struct *mm, const struct uffdwp_scan_arg *arg,
				     const struct uffdwp_scan_rules *rules);
void uffdwp_scan_arms_only(struct uffdwp_scan *s);
int uffdwp_scan_run(struct uffdwp_scan *s);
int uffdwp_scan_walk(struct uffdwp_scan *s, struct vm_area_struct *vma, unsigned long start,
		     unsigned long end);
int uffdwp_scan_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end);

/* scan.c; the second while there is a split huge page to remember */
extern const struct uffdwp_walk_ops uffdwp_scan_ops, uffdwp_split_scan_ops;

/* scan_sparse.c */
int uffdwp_scan_walk_sparse(struct uffdwp_scan *s, struct vm_area_struct *vma,
			    unsigned long start, unsigned long end);

/* scan_split.c */
u64 uffdwp_scan_empty_categories(const struct uffdwp_scan *s, unsigned long addr,
				 unsigned long end, u64 categories);
void uffdwp_scan_forget_split(struct uffdwp_scan *s);
void uffdwp_scan_remember_split(struct uffdwp_scan *s, unsigned long addr, pmd_t pmd);
int uffdwp_scan_split_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			   unsigned long end);

#endif /* UFFDWP_SCAN_H */
