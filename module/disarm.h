/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_DISARM_H
#define UFFDWP_DISARM_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "tracker.h"

/*
 * What to disarm in a VMA. UNMAP: all, and in an anonymous VMA armed entries of the zero page are
 * cleared, so that memory that a tracker has populated with it is unpopulated again, and MISSING
 * faults come. A zero page that a read of the process has mapped looks the same; the next read maps
 * it again.
 */
enum uffdwp_disarm {
	UFFDWP_DISARM_NOTHING,
	UFFDWP_DISARM_ALL,
	UFFDWP_DISARM_UNMAP,
	UFFDWP_DISARM_MARKERS,
};

/* All in a VMA of this tracker, and no zero page that it has mapped is left behind. */
static inline enum uffdwp_disarm uffdwp_disarm_all_of(const struct uffdwp_tracker *t)
{
	return uffdwp_tracker_maps_zeroes(t) ? UFFDWP_DISARM_UNMAP : UFFDWP_DISARM_ALL;
}

/**
 * struct uffdwp_choice - what uffdwp_disarm_range() is to disarm
 * @what: asked about each VMA of the range, with mmap_lock held
 * @arg: its second argument
 * @split: a huge page that is cut by the range is split, so that the rest of it stays armed
 */
struct uffdwp_choice {
	enum uffdwp_disarm (*what)(struct vm_area_struct *vma, const void *arg);
	const void *arg;
	bool split;
};

bool uffdwp_disarm_pte(struct mm_struct *mm, unsigned long addr, pte_t *ptep);
bool uffdwp_disarm_pmd(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp);
u64 uffdwp_disarm_tables(struct vm_area_struct *vma, unsigned long start, unsigned long end);
void uffdwp_disarm_part(struct vm_area_struct *vma, unsigned long start, unsigned long end);
void uffdwp_unmap_part(struct vm_area_struct *vma, unsigned long start, unsigned long end);
void uffdwp_unmap_zeroes(struct vm_area_struct *vma);
u64 uffdwp_disarm(struct vm_area_struct *vma, unsigned long start, unsigned long end);
u64 uffdwp_disarm_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			const struct uffdwp_choice *choice);
void uffdwp_disarm_unregistered(struct mm_struct *mm, unsigned long start, unsigned long end);
u64 uffdwp_disarm_tracked(struct uffdwp_tracker *t, unsigned long start, unsigned long end);
void uffdwp_tracker_disarm_all(struct uffdwp_tracker *t);

#endif /* UFFDWP_DISARM_H */
