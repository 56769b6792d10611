/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_DISARM_H
#define UFFDWP_DISARM_H

#include <linux/bits.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include "tracker.h"

/*
 * How to disarm a VMA.
 *
 *   ALL	all of it
 *   MARKERS	markers only
 *   UNMAP	all, and in an anonymous VMA armed entries of the zero page are cleared, so that
 *		memory that a tracker has populated with it is unpopulated again, and MISSING faults
 *		come. A zero page that a read of the process has mapped looks the same; the next
 *		read maps it again
 *   ZEROES	the same with all entries of the zero page, armed or not
 *   SPLIT	besides: a huge page that the range cuts is split, so that the rest stays armed
 *   TO_ZERO	as MARKERS, but those in anonymous memory become armed zero pages, except where a
 *		monitor is to be asked what belongs there (MISSING)
 *   LOCKED	besides: the caller holds i_mmap_rwsem of the file
 */
#define UFFDWP_DISARM_NOTHING	0U
#define UFFDWP_DISARM_ALL	BIT(0)
#define UFFDWP_DISARM_MARKERS	BIT(1)
#define UFFDWP_DISARM_UNMAP	(BIT(2) | UFFDWP_DISARM_ALL)
#define UFFDWP_DISARM_ZEROES	(BIT(3) | UFFDWP_DISARM_UNMAP)
#define UFFDWP_DISARM_SPLIT	BIT(4)
#define UFFDWP_DISARM_LOCKED	BIT(5)
#define UFFDWP_DISARM_TO_ZERO	(BIT(6) | UFFDWP_DISARM_MARKERS)

/*
 * Mlocked memory is populated, with zero pages where the process has only read: they are its own.
 * Not with MLOCK_ONFAULT.
 */
static inline bool uffdwp_vma_is_populated(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
}

/* ALL in a VMA of this tracker, and no zero page that it has mapped is left behind. */
static inline unsigned int uffdwp_disarm_all_of(const struct uffdwp_tracker *t,
						const struct vm_area_struct *vma)
{
	return uffdwp_tracker_maps_zeroes(t) && !uffdwp_vma_is_populated(vma) ?
	       UFFDWP_DISARM_UNMAP : UFFDWP_DISARM_ALL;
}

/* How to disarm this VMA? Asked with mmap_lock held; with the second argument of the caller. */
typedef unsigned int uffdwp_disarm_how(struct vm_area_struct *vma, const void *arg);

bool uffdwp_disarm_pte(struct mm_struct *mm, unsigned long addr, pte_t *ptep);
bool uffdwp_disarm_pmd(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp);
u64 uffdwp_disarm_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      unsigned int how);
u64 uffdwp_disarm_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			uffdwp_disarm_how *how, const void *arg);
void uffdwp_disarm_unregistered(struct mm_struct *mm, unsigned long start, unsigned long end);
u64 uffdwp_disarm_tracked(struct uffdwp_tracker *t, unsigned long start, unsigned long end);
void uffdwp_tracker_replace_markers(struct uffdwp_tracker *t);
void uffdwp_tracker_disarm_all(struct uffdwp_tracker *t);

#endif /* UFFDWP_DISARM_H */
