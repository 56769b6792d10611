/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an entry says about its page: UFFDWP_PAGE_IS_*. What is true of all pages of a VMA is for
 * the caller to add.
 *
 * The lock of the entry is held. What most callers ask for comes first; what costs a look at the
 * page is found out only if it was asked for.
 */
#ifndef UFFDWP_CATEGORIES_H
#define UFFDWP_CATEGORIES_H

#include "../uapi/uffdwp-async.h"
#include "pinned.h"
#include "pte.h"

#define UFFDWP_EXTRA_CATEGORIES	(UFFDWP_PAGE_IS_FILE | UFFDWP_PAGE_IS_PFNZERO |	\
				 UFFDWP_PAGE_IS_SOFT_DIRTY | UFFDWP_PAGE_IS_GUARD |	\
				 UFFDWP_PAGE_IS_PINNED)

u64 uffdwp_pte_extra_categories(pte_t *ptep, pte_t pte, u64 asked, struct uffdwp_look *look);
u64 uffdwp_pmd_categories(pmd_t pmd, u64 asked);
u64 uffdwp_hugetlb_categories(pte_t pte, u64 asked);

/*
 * Of all pages of a VMA that is registered. VM_SOFTDIRTY stands for the bit of each page of a VMA
 * that is new since /proc/PID/clear_refs was last written to, whatever its entry says.
 */
static inline u64 uffdwp_vma_categories(const struct vm_area_struct *vma)
{
	return UFFDWP_PAGE_IS_WPALLOWED |
	       (vma->vm_flags & VM_SOFTDIRTY ? UFFDWP_PAGE_IS_SOFT_DIRTY : 0);
}

/* Of a range without a page table, which is never armed. */
static inline u64 uffdwp_hole_categories(struct vm_area_struct *vma)
{
	return UFFDWP_PAGE_IS_WRITTEN | (is_vm_hugetlb_page(vma) ? UFFDWP_PAGE_IS_HUGE : 0);
}

/* @pte: what *ptep was read as; @look: not needed if no extra category is asked for */
static inline u64 uffdwp_pte_categories(pte_t *ptep, pte_t pte, u64 asked,
					struct uffdwp_look *look)
{
	u64 categories = uffdwp_pte_armed(pte) ? 0 : UFFDWP_PAGE_IS_WRITTEN;

	if (pte_present(pte))
		categories |= UFFDWP_PAGE_IS_PRESENT;
	else if (!pte_none(pte))
		categories |= UFFDWP_PAGE_IS_SWAPPED;
	if (asked & UFFDWP_EXTRA_CATEGORIES)
		categories |= uffdwp_pte_extra_categories(ptep, pte, asked, look);
	return categories;
}

#endif /* UFFDWP_CATEGORIES_H */
