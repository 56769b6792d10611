/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables: helpers whose inline half is in a header but whose slow half is not exported, and
 * what has changed its name.
 */
#ifndef UFFDWP_COMPAT_PGTABLE_H
#define UFFDWP_COMPAT_PGTABLE_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "entries.h"
#include "symbols.h"

/* With write permission: pte_mkwrite() is out of line since there is _PAGE_SAVED_DIRTY. */
static inline pte_t uffdwp_pte_mkwrite(pte_t pte)
{
#if UFFDWP_KERNEL_HAS_MKWRITE_NOVMA
	return pte_clear_saveddirty(pte_mkwrite_novma(pte));
#else
	return pte_mkwrite(pte);
#endif
}

static inline pmd_t uffdwp_pmd_mkwrite(pmd_t pmd)
{
#if UFFDWP_KERNEL_HAS_MKWRITE_NOVMA
	return pmd_clear_saveddirty(pmd_mkwrite_novma(pmd));
#else
	return pmd_mkwrite(pmd);
#endif
}

/* The *_alloc() of <linux/mm.h>, whose slow halves are not exported. NULL: out of memory. */
static inline p4d_t *uffdwp_p4d_alloc(struct mm_struct *mm, pgd_t *pgd, unsigned long addr)
{
#if CONFIG_PGTABLE_LEVELS > 4
	if (pgd_none(*pgd) && uffdwp_call(__p4d_alloc)(mm, pgd, addr))
		return NULL;
#endif
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

/*
 * Map and lock the PTE of @addr; undone by pte_unmap_unlock(). NULL, since 6.5: @pmd points to no
 * page table any more (pte_offset_map_lock()).
 */
static inline pte_t *uffdwp_pte_lock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
				     spinlock_t **ptl)
{
#ifdef pte_offset_map_lock
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, ptl);

	return pte;
#elif UFFDWP_KERNEL_HAS_INNER_PTE_LOCK
	pte_t *pte;

	/* For sparse: what pte_unmap_unlock() undoes. */
	__cond_lock(RCU, pte = uffdwp_call(__pte_offset_map_lock)(mm, pmd, addr, ptl));
	if (pte)
		__acquire(*ptl);
	return pte;
#else
	return uffdwp_call(pte_offset_map_lock)(mm, pmd, addr, ptl);
#endif
}

static inline bool uffdwp_pte_lock_failed(const pte_t *pte)
{
#ifdef pte_offset_map_lock
	return false;
#else
	return !pte;
#endif
}

/* Unmap a PTE that the kernel has mapped. Since 6.5 its table stays until then, by RCU. */
static inline void uffdwp_pte_unmap(pte_t *pte)
{
#if UFFDWP_KERNEL_HAS_INNER_PTE_LOCK
	/* For sparse, which has not seen the kernel's rcu_read_lock(). */
	__acquire(RCU);
#endif
	pte_unmap(pte);
}

static inline void uffdwp_split_huge_pmd(struct vm_area_struct *vma, pmd_t *pmd,
					 unsigned long addr)
{
#if !UFFDWP_KERNEL_HAS_THP
	/* uffdwp_pmd_is_huge() has never said yes. */
#elif UFFDWP_SPLIT_TAKES_FOLIO
	uffdwp_call(__split_huge_pmd)(vma, pmd, addr, false, NULL);
#else
	uffdwp_call(__split_huge_pmd)(vma, pmd, addr, false);
#endif
}

/*
 * What wp_huge_pmd() does with a huge page without the write-protect bit: its entry was @pmd, and
 * no lock is held. VM_FAULT_FALLBACK: it is split now.
 */
static inline vm_fault_t uffdwp_do_huge_wp_page(struct vm_fault *vmf, pmd_t pmd)
{
#if !UFFDWP_KERNEL_HAS_THP
	return VM_FAULT_FALLBACK;
#elif UFFDWP_HUGE_WP_TAKES_PMD
	return uffdwp_call(do_huge_pmd_wp_page)(vmf, pmd);
#else
	vmf->orig_pmd = pmd;
	return uffdwp_call(do_huge_pmd_wp_page)(vmf);
#endif
}

/*
 * Flush the TLBs of all processors that run @mm. May be called with a page-table lock held and
 * interrupts on, as by ptep_clear_flush().
 */
static inline void uffdwp_flush_tlb(struct mm_struct *mm, unsigned long start, unsigned long end,
				    unsigned int stride_shift)
{
	uffdwp_call(flush_tlb_mm_range)(mm, start, end, stride_shift, false);
}

static inline bool uffdwp_pmd_is_huge_zero(pmd_t pmd)
{
#if UFFDWP_KERNEL_HAS_THP
	return pmd_present(pmd) && pmd_pfn(pmd) == READ_ONCE(*uffdwp_huge_zero_pfn);
#else
	return false;
#endif
}

/* A huge page, present or migrating. Since 6.16 that includes those of devices. */
static inline bool uffdwp_pmd_is_huge(pmd_t pmd)
{
	if (!pmd_none(pmd) && !pmd_present(pmd))
		return true;
#if UFFDWP_KERNEL_HAS_PMD_DEVMAP
	if (pmd_devmap(pmd))
		return true;
#endif
	return pmd_trans_huge(pmd);
}

/* A huge page of DAX, which has no refcounted page. No such entries since 6.16. */
static inline bool uffdwp_pmd_is_device(pmd_t pmd)
{
#if UFFDWP_KERNEL_HAS_PMD_DEVMAP
	return pmd_devmap(pmd);
#else
	return false;
#endif
}

static inline unsigned long uffdwp_zero_pfn(unsigned long addr)
{
#if UFFDWP_KERNEL_HAS_MY_ZERO_PFN
	return my_zero_pfn(addr);
#else
	return zero_pfn(addr);
#endif
}

/* Does this entry point to a PMD table: neither none, nor a leaf, nor bad? */
static inline bool uffdwp_pud_is_table(pud_t pud)
{
	return pud_present(pud) && !pud_leaf(pud) && !pud_bad(pud);
}

#endif /* UFFDWP_COMPAT_PGTABLE_H */
