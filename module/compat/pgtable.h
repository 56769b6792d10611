/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables: what the kernel's headers promise to modules but do not link, and what has changed
 * its name.
 */
#ifndef UFFDWP_COMPAT_PGTABLE_H
#define UFFDWP_COMPAT_PGTABLE_H

#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pgtable.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>

#include "symbols.h"

/* The *_alloc() of <linux/mm.h>, whose slow halves are not exported. NULL: out of memory. */
static inline p4d_t *uffdwp_p4d_alloc(struct mm_struct *mm, pgd_t *pgd, unsigned long addr)
{
	if (pgd_none(*pgd) && uffdwp_call(__p4d_alloc)(mm, pgd, addr))
		return NULL;
	return p4d_offset(pgd, addr);
}

static inline pud_t *uffdwp_pud_alloc(struct mm_struct *mm, p4d_t *p4d, unsigned long addr)
{
	if (p4d_none(*p4d) && uffdwp_call(__pud_alloc)(mm, p4d, addr))
		return NULL;
	return pud_offset(p4d, addr);
}

static inline pmd_t *uffdwp_pmd_alloc(struct mm_struct *mm, pud_t *pud, unsigned long addr)
{
	if (pud_none(*pud) && uffdwp_call(__pmd_alloc)(mm, pud, addr))
		return NULL;
	return pmd_offset(pud, addr);
}

/* 0, or -ENOMEM. The entry may have become a huge page instead: look again. */
static inline int uffdwp_pte_alloc(struct mm_struct *mm, pmd_t *pmd)
{
	return uffdwp_call(__pte_alloc)(mm, pmd);
}

static inline void uffdwp_split_huge_pmd(struct vm_area_struct *vma, pmd_t *pmd,
					 unsigned long addr)
{
	uffdwp_call(__split_huge_pmd)(vma, pmd, addr, false, NULL);
}

/*
 * TLBs of all processors that run @mm. May be called with a page-table lock held and interrupts on:
 * ptep_clear_flush() does.
 */
static inline void uffdwp_flush_tlb(struct mm_struct *mm, unsigned long start, unsigned long end,
				    unsigned int stride_shift)
{
	uffdwp_call(flush_tlb_mm_range)(mm, start, end, stride_shift, false);
}

static inline bool uffdwp_pmd_is_huge_zero(pmd_t pmd)
{
	return pmd_present(pmd) && pmd_pfn(pmd) == READ_ONCE(*uffdwp_huge_zero_pfn);
}

/* A table of the right shape is below this entry, and nothing else is. */
static inline bool uffdwp_pud_is_table(pud_t pud)
{
	return pud_present(pud) && !pud_leaf(pud) && !pud_bad(pud);
}

/*
 * The secondary MMUs (KVM guests, IOMMUs) that shadow @mm must not let a guest write on an old
 * permission: the kernel's rule is start, change the entries, end. start may sleep.
 */
#ifdef CONFIG_MMU_NOTIFIER
static inline void uffdwp_notifier_start(struct mmu_notifier_range *range,
					 struct vm_area_struct *vma, unsigned long start,
					 unsigned long end)
{
	mmu_notifier_range_init(range, MMU_NOTIFY_PROTECTION_VMA, 0, vma, vma->vm_mm, start, end);
	if (mm_has_notifiers(range->mm)) {
		range->flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
		uffdwp_call(__mmu_notifier_invalidate_range_start)(range);
	}
}

static inline void uffdwp_notifier_end(struct mmu_notifier_range *range)
{
	if (mm_has_notifiers(range->mm))
		uffdwp_call(__mmu_notifier_invalidate_range_end)(range, false);
}
#else
static inline void uffdwp_notifier_start(struct mmu_notifier_range *range,
					 struct vm_area_struct *vma, unsigned long start,
					 unsigned long end)
{
}

static inline void uffdwp_notifier_end(struct mmu_notifier_range *range)
{
}
#endif

/* Entries of all sizes that map any part of this page, which is not the tail of one. */
static inline int uffdwp_total_mapcount(struct page *head)
{
	return PageHead(head) ? uffdwp_call(folio_mapcount)(page_folio(head)) : page_mapcount(head);
}

/*
 * The page in the swap cache, with a reference, or NULL. Does not sleep. The entry is in a page
 * table that is locked, so that its swap device stays.
 */
static inline struct page *uffdwp_find_swap_page(swp_entry_t entry)
{
#ifdef CONFIG_SWAP
	struct folio *folio = uffdwp_call(swap_cache_get_folio)(entry, NULL, 0);

	return folio ? &folio->page : NULL;
#else
	return NULL;
#endif
}

static inline bool uffdwp_vma_is_shmem(struct vm_area_struct *vma)
{
#ifdef CONFIG_SHMEM
	return uffdwp_call(vma_is_shmem)(vma);
#else
	return false;
#endif
}

/*
 * mmap_lock is held for writing. Whether new entries of a shared mapping are writable depends on
 * the write-protect mode (vma_wants_writenotify()).
 */
static inline void uffdwp_vma_set_flags(struct vm_area_struct *vma, unsigned long clear,
					unsigned long set)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
	uffdwp_call(vma_set_page_prot)(vma);
}

/* In mappings of files the kernel knows these itself; in anonymous ones only since 6.6. */
#ifdef CONFIG_PTE_MARKER_UFFD_WP
#define UFFDWP_HAVE_MARKERS 1

static inline pte_t uffdwp_make_marker(void)
{
	return make_pte_marker(PTE_MARKER_UFFD_WP);
}

static inline bool uffdwp_pte_is_marker(pte_t pte)
{
	return pte_marker_uffd_wp(pte);
}
#else
#define UFFDWP_HAVE_MARKERS 0

static inline pte_t uffdwp_make_marker(void)
{
	return __pte(0);
}

static inline bool uffdwp_pte_is_marker(pte_t pte)
{
	return false;
}
#endif

/*
 * A migration or device entry that says "writable" makes the kernel map the page writable and
 * forget the write-protect bit (remove_migration_pte() of 6.1 looks at the one or the other), so
 * arming one means to make it readable first, as change_pte_range() does. Exclusive stays
 * exclusive.
 */
static inline swp_entry_t uffdwp_entry_make_readable(swp_entry_t entry)
{
	if (is_writable_migration_entry(entry)) {
		if (PageAnon(pfn_swap_entry_to_page(entry)))
			return make_readable_exclusive_migration_entry(swp_offset(entry));
		return make_readable_migration_entry(swp_offset(entry));
	}
	if (is_writable_device_private_entry(entry))
		return make_readable_device_private_entry(swp_offset(entry));
	if (is_writable_device_exclusive_entry(entry))
		return make_readable_device_exclusive_entry(swp_offset(entry));
	return entry;
}

#endif /* UFFDWP_COMPAT_PGTABLE_H */
