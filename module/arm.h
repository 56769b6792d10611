/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_ARM_H
#define UFFDWP_ARM_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "pinned.h"
#include "pte.h"

struct uffdwp_tracker;

/**
 * struct uffdwp_arming - entries that are being armed under one page-table lock
 * @t: tracker
 * @vma: mapping
 * @first: lowest address that a TLB may still hold without protection
 * @last: end of the highest; 0 while there is none
 * @shift: of the size of the pages in between
 * @armed: pages that were written and are armed now
 *
 * Begin with uffdwp_arming_begin() and end with uffdwp_arming_end() before the lock is dropped.
 */
struct uffdwp_arming {
	struct uffdwp_tracker *t;
	struct vm_area_struct *vma;
	unsigned long first;
	unsigned long last;
	unsigned int shift;
	unsigned long armed;
};

static inline struct uffdwp_arming uffdwp_arming_begin(struct uffdwp_tracker *t,
						       struct vm_area_struct *vma)
{
	return (struct uffdwp_arming){ .t = t, .vma = vma };
}

/* One lock covers either small pages or one huge page, so there is one size. */
static inline void uffdwp_arming_needs_flush(struct uffdwp_arming *a, unsigned long addr,
					     unsigned int shift)
{
	if (!a->last)
		a->first = addr;
	a->last = addr + (1UL << shift);
	a->shift = shift;
}

void uffdwp_arming_end(struct uffdwp_arming *a);
void uffdwp_arm_absent_pte(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr);
void uffdwp_arm_pmd(struct uffdwp_arming *a, pmd_t *pmdp, unsigned long addr);

/**
 * uffdwp_arm_pte - arm one small page
 * @a: arming; the lock of the table is held
 * @ptep: its entry
 * @addr: its address
 *
 * A page that somebody may write to without a fault (pinned.h) stays written.
 */
static inline void uffdwp_arm_pte(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr)
{
	pte_t pte = READ_ONCE(*ptep);

	if (!pte_present(pte)) {
		uffdwp_arm_absent_pte(a, ptep, addr);
		return;
	}
	if (uffdwp_pte_armed(pte))
		return;
	uffdwp_pte_arm_present(ptep);
	uffdwp_arming_needs_flush(a, addr, PAGE_SHIFT);
	if (uffdwp_pte_may_be_pinned(pte))
		uffdwp_pte_disarm_present(ptep);
	else
		a->armed++;
}

int uffdwp_arm(struct uffdwp_tracker *t, unsigned long start, unsigned long end,
	       unsigned long *walk_end);
void uffdwp_disarm(struct vm_area_struct *vma, unsigned long start, unsigned long end);
u64 uffdwp_disarm_tracked(struct uffdwp_tracker *t, unsigned long start, unsigned long end);

#endif /* UFFDWP_ARM_H */
