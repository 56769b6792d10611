/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMAs of hugetlb: one entry a page, at the page-table level of its size.
 */
#ifndef UFFDWP_COMPAT_HUGETLB_H
#define UFFDWP_COMPAT_HUGETLB_H

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "pages.h"
#include "symbols.h"
#include "vma.h"

/* To look at; PAGEMAP_SCAN is for all memory, also where none of hugetlb can be armed. */
#if UFFDWP_SEES_HUGETLB
static inline unsigned int uffdwp_hugetlb_shift(struct vm_area_struct *vma)
{
	return huge_page_shift(hstate_vma(vma));
}

/* NULL: no table. @addr is the first of the page. */
static inline pte_t *uffdwp_huge_pte_offset(struct vm_area_struct *vma, unsigned long addr)
{
	return uffdwp_call(huge_pte_offset)(vma->vm_mm, addr, huge_page_size(hstate_vma(vma)));
}

static inline spinlock_t *uffdwp_huge_pte_lock(struct vm_area_struct *vma, pte_t *pte)
{
	return huge_pte_lock(hstate_vma(vma), vma->vm_mm, pte);
}
#else
/* is_vm_hugetlb_page() is never true, and none of these is called. */
static inline unsigned int uffdwp_hugetlb_shift(struct vm_area_struct *vma)
{
	return PAGE_SHIFT;
}

static inline pte_t *uffdwp_huge_pte_offset(struct vm_area_struct *vma, unsigned long addr)
{
	return NULL;
}

static inline spinlock_t *uffdwp_huge_pte_lock(struct vm_area_struct *vma, pte_t *pte)
{
	return NULL;
}
#endif

#if UFFDWP_TRACKS_HUGETLB
static inline bool uffdwp_page_is_hugetlb(struct page *head)
{
	return PageHuge(head);
}

/* References that the page cache has to a page of a file: one for each index that it is at. */
static inline int uffdwp_hugetlb_cache_refs(struct page *head)
{
	return UFFDWP_KERNEL_HAS_HUGETLB_LINEAR_INDEX ? compound_nr(head) : 1;
}

/* As userfaultfd_register() does for what is registered for write protection. */
static inline void uffdwp_hugetlb_unshare(struct vm_area_struct *vma)
{
	uffdwp_call(hugetlb_unshare_all_pmds)(vma);
}

/* NULL: out of memory. */
static inline pte_t *uffdwp_huge_pte_alloc(struct vm_area_struct *vma, unsigned long addr)
{
	return uffdwp_call(huge_pte_alloc)(vma->vm_mm, vma, addr, huge_page_size(hstate_vma(vma)));
}

/* Bytes in a page of a file of hugetlbfs. */
static inline unsigned long uffdwp_hugetlb_file_page_size(struct file *file)
{
	return huge_page_size(hstate_file(file));
}
#else
/* No VMA of hugetlb is registered. */
static inline bool uffdwp_page_is_hugetlb(struct page *head)
{
	return false;
}

static inline int uffdwp_hugetlb_cache_refs(struct page *head)
{
	return 0;
}

static inline pte_t *uffdwp_huge_pte_alloc(struct vm_area_struct *vma, unsigned long addr)
{
	return NULL;
}

static inline void uffdwp_hugetlb_unshare(struct vm_area_struct *vma)
{
}

static inline unsigned long uffdwp_hugetlb_file_page_size(struct file *file)
{
	return PAGE_SIZE;
}
#endif

/* Index in the page cache of the page of @addr: until 6.6 in huge pages, then in PAGE_SIZE. */
static inline pgoff_t uffdwp_hugetlb_index(struct vm_area_struct *vma, unsigned long addr)
{
	const unsigned int order = uffdwp_hugetlb_shift(vma) - PAGE_SHIFT;
	pgoff_t index = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);

	return UFFDWP_KERNEL_HAS_HUGETLB_LINEAR_INDEX ? round_down(index, 1UL << order) :
						       index >> order;
}

/*
 * The page that a fault at @addr would find in the page cache or, of shmem, in the swap cache, with
 * a reference; or NULL. Does not sleep.
 */
static inline struct page *uffdwp_find_file_page(struct vm_area_struct *vma, unsigned long addr)
{
	struct address_space *mapping = vma->vm_file->f_mapping;
	const pgoff_t index = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);

	if (is_vm_hugetlb_page(vma))
		return find_get_page(mapping, uffdwp_hugetlb_index(vma, addr));
	if (uffdwp_vma_is_shmem(vma))
		return uffdwp_find_shmem_page(mapping, index);
	/* Value entries of an ordinary file are shadows, not swap (mm/workingset.c). */
	return find_get_page(mapping, index);
}

#endif /* UFFDWP_COMPAT_HUGETLB_H */
