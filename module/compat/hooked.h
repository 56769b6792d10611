/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooked functions whose parameters differ between kernels: the parameters of our function that
 * runs instead, the same as arguments, and how a callback reads them.
 */
#ifndef UFFDWP_COMPAT_HOOKED_H
#define UFFDWP_COMPAT_HOOKED_H

#include <linux/mm.h>
#include <linux/userfaultfd_k.h>

#include "ftrace.h"
#include "signatures.h"

/* What is only handed on. */
#if UFFDWP_IDMAP_IS_USER_NAMESPACE
typedef struct user_namespace uffdwp_idmap;
#else
typedef struct mnt_idmap uffdwp_idmap;
#endif
#if UFFDWP_DELEGATED_IS_INODE
typedef struct inode *uffdwp_delegated;
#else
typedef struct delegated_inode uffdwp_delegated;
#endif
#if UFFDWP_KERNEL_HAS_FOLIO
typedef struct folio uffdwp_split_folio;
#else
typedef struct page uffdwp_split_folio;
#endif
#if UFFDWP_UNMAP_HUGETLB_TAKES_PAGE
typedef struct page uffdwp_hugetlb_folio;
#else
typedef struct folio uffdwp_hugetlb_folio;
#endif

/* Set while events wait for the userfaultfd monitor. */
#if UFFDWP_MMAP_CHANGING_IS_BOOL
typedef bool uffdwp_mmap_changing;

static inline bool uffdwp_mmap_is_changing(const uffdwp_mmap_changing *changing)
{
	return READ_ONCE(*changing);
}
#else
typedef atomic_t uffdwp_mmap_changing;

static inline bool uffdwp_mmap_is_changing(const uffdwp_mmap_changing *changing)
{
	return atomic_read(changing);
}
#endif

/*
 * do_brk_flags(). The place is a struct ma_state * or struct vma_iterator *; the flags are a word,
 * since 7.0 of a type of their own, which is handed over as such.
 */
#if UFFDWP_BRK_TAKES_LIST
#define UFFDWP_BRK_PARAMETERS							\
	unsigned long addr, unsigned long len, unsigned long flags, struct list_head *uf
#define UFFDWP_BRK_ARGUMENTS addr, len, flags, uf
#else
#define UFFDWP_BRK_PARAMETERS							\
	void *place, struct vm_area_struct *brk_vma, unsigned long addr,	\
	unsigned long len, unsigned long flags
#define UFFDWP_BRK_ARGUMENTS place, brk_vma, addr, len, flags
#endif

/*
 * change_protection(), which returns how many pages it has changed or, since 6.3, an error that
 * UFFDIO_WRITEPROTECT returns; before, UFFDIO_WRITEPROTECT ignores the result.
 */
#if UFFDWP_KERNEL_HAS_PROTECT_SIGNED || UFFDWP_KERNEL_SINCE(6, 3)
#define UFFDWP_CHANGE_PROTECTION_RESULT long
#else
#define UFFDWP_CHANGE_PROTECTION_RESULT unsigned long
#endif
#if !UFFDWP_PROTECT_TAKES_GATHER
#define UFFDWP_CHANGE_PROTECTION_PARAMETERS					\
	struct vm_area_struct *vma, unsigned long start, unsigned long end,	\
	pgprot_t newprot, unsigned long cp_flags
#define UFFDWP_CHANGE_PROTECTION_ARGUMENTS vma, start, end, newprot, cp_flags
#define uffdwp_change_protection_vma uffdwp_fregs_arg0
#define uffdwp_change_protection_flags uffdwp_fregs_arg4
#elif UFFDWP_PROTECT_TAKES_PROT
#define UFFDWP_CHANGE_PROTECTION_PARAMETERS					\
	struct mmu_gather *tlb, struct vm_area_struct *vma,			\
	unsigned long start, unsigned long end, pgprot_t newprot, unsigned long cp_flags
#define UFFDWP_CHANGE_PROTECTION_ARGUMENTS tlb, vma, start, end, newprot, cp_flags
#define uffdwp_change_protection_vma uffdwp_fregs_arg1
#define uffdwp_change_protection_flags uffdwp_fregs_arg5
#else
#define UFFDWP_CHANGE_PROTECTION_PARAMETERS					\
	struct mmu_gather *tlb, struct vm_area_struct *vma,			\
	unsigned long start, unsigned long end, unsigned long cp_flags
#define UFFDWP_CHANGE_PROTECTION_ARGUMENTS tlb, vma, start, end, cp_flags
#define uffdwp_change_protection_vma uffdwp_fregs_arg1
#define uffdwp_change_protection_flags uffdwp_fregs_arg4
#endif

/*
 * How UFFDIO_COPY and UFFDIO_CONTINUE map a page write-protected. From 6.4, by the flags of
 * mfill_atomic_install_pte() and hugetlb_mfill_atomic_pte(); before, by the last argument of the
 * former and of hugetlb_mcopy_atomic_pte(). Linux 5.10 has neither: what maps the page is inlined
 * into mcopy_atomic(), of which only UFFDIO_COPY of private anonymous memory protects.
 */
#if UFFDWP_KERNEL_HAS_MFILL_FLAGS
#define UFFDWP_HUGETLB_MFILL_SYMBOL "hugetlb_mfill_atomic_pte"
#else
#define UFFDWP_HUGETLB_MFILL_SYMBOL "hugetlb_mcopy_atomic_pte"
#endif

/* Does UFFDIO_COPY protect by itself, without one of the two above? */
#define UFFDWP_PROTECTS_IN_MCOPY \
	(!UFFDWP_KERNEL_HAS_MFILL_FLAGS && !UFFDWP_KERNEL_HAS_MFILL_WP_COPY)

/* The mm of a userfaultfd: for UFFDIO_MOVE (6.8) only. Its struct is in a header since 6.9. */
#if UFFDWP_KERNEL_HAS_MOVE
static __always_inline struct mm_struct *uffdwp_userfault_mm(const struct file *uffd)
{
	return ((struct userfaultfd_ctx *)uffd->private_data)->mm;
}
#endif

#if UFFDWP_KERNEL_HAS_MFILL_FLAGS
#if UFFDWP_KERNEL_HAS_MFILL_NEWLY_ALLOCATED
#define UFFDWP_INSTALL_PTE_PARAMETERS						\
	pmd_t *pmd, struct vm_area_struct *vma, unsigned long addr, struct page *page,	\
	bool newly_allocated, uffd_flags_t flags
#define UFFDWP_INSTALL_PTE_ARGUMENTS pmd, vma, addr, page, newly_allocated, flags
#else
#define UFFDWP_INSTALL_PTE_PARAMETERS						\
	pmd_t *pmd, struct vm_area_struct *vma, unsigned long addr, struct page *page,	\
	uffd_flags_t flags
#define UFFDWP_INSTALL_PTE_ARGUMENTS pmd, vma, addr, page, flags
#endif
#define UFFDWP_HUGETLB_MFILL_PARAMETERS						\
	pte_t *pte, struct vm_area_struct *vma, unsigned long addr,			\
	unsigned long src_addr, uffd_flags_t flags, struct folio **foliop
#define UFFDWP_HUGETLB_MFILL_ARGUMENTS pte, vma, addr, src_addr, flags, foliop
#else
/*
 * Those of 6.1: to be read again for any other kernel from 5.13, which has the first
 * UFFDIO_CONTINUE, to 6.3, the last that does not know UFFDIO_CONTINUE_MODE_WP.
 */
#define UFFDWP_INSTALL_PTE_PARAMETERS						\
	struct mm_struct *mm, pmd_t *pmd, struct vm_area_struct *vma,			\
	unsigned long addr, struct page *page, bool newly_allocated, bool wp_copy
#define UFFDWP_INSTALL_PTE_ARGUMENTS mm, pmd, vma, addr, page, newly_allocated, wp_copy

#define UFFDWP_HUGETLB_MCOPY_PARAMETERS						\
	struct mm_struct *mm, pte_t *pte, struct vm_area_struct *vma,			\
	unsigned long addr, unsigned long src_addr, enum mcopy_atomic_mode mode,	\
	struct page **pagep, bool wp_copy
#define UFFDWP_HUGETLB_MCOPY_ARGUMENTS mm, pte, vma, addr, src_addr, mode, pagep, wp_copy
#endif

/*
 * The function behind MADV_DONTNEED: void NAME(vma, start, size, details). Since 5.18 it also zaps
 * the VMAs of a file, with i_mmap_rwsem held instead of mmap_lock. Then there are details, which
 * say whether private copies are zapped, too: unlike content of the file, those do not come back
 * with the next fault (unmap_mapping_range(..., even_cows)).
 */
#if UFFDWP_ZAP_IS_BATCHED
#define UFFDWP_ZAP_SYMBOL "zap_vma_range_batched"
#define uffdwp_zap_details uffdwp_fregs_arg4
#define UFFDWP_ZAP_PARAMETERS							\
	struct mmu_gather *tlb, struct vm_area_struct *vma, unsigned long start,	\
	unsigned long size, struct zap_details *details
#define UFFDWP_ZAP_ARGUMENTS tlb, vma, start, size, details

static __always_inline struct vm_area_struct *uffdwp_zap_vma(struct ftrace_regs *fregs)
{
	return (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);
}

static __always_inline bool uffdwp_zap_loses_content(struct ftrace_regs *fregs)
{
	const struct zap_details *details = (struct zap_details *)uffdwp_zap_details(fregs);

	return !details || (!details->skip_cows && !details->single_folio);
}
#elif !UFFDWP_KERNEL_HAS_MARKERS
/* Linux 5.10: MADV_DONTNEED only, and no details. */
#define UFFDWP_ZAP_SYMBOL "zap_page_range"
#define UFFDWP_ZAP_PARAMETERS							\
	struct vm_area_struct *vma, unsigned long start, unsigned long size
#define UFFDWP_ZAP_ARGUMENTS vma, start, size

static __always_inline struct vm_area_struct *uffdwp_zap_vma(struct ftrace_regs *fregs)
{
	return (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);
}

static __always_inline bool uffdwp_zap_loses_content(struct ftrace_regs *fregs)
{
	return true;
}
#else
static __always_inline bool uffdwp_zaps_even_cows(const struct zap_details *details)
{
#if UFFDWP_KERNEL_HAS_EVEN_COWS
	return details->even_cows;
#else
	return false;
#endif
}

#define UFFDWP_ZAP_SYMBOL "zap_page_range_single"
#define uffdwp_zap_details uffdwp_fregs_arg3
#define UFFDWP_ZAP_PARAMETERS							\
	struct vm_area_struct *vma, unsigned long start, unsigned long size,		\
	struct zap_details *details
#define UFFDWP_ZAP_ARGUMENTS vma, start, size, details

static __always_inline struct vm_area_struct *uffdwp_zap_vma(struct ftrace_regs *fregs)
{
	return (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);
}

static __always_inline bool uffdwp_zap_loses_content(struct ftrace_regs *fregs)
{
	const struct zap_details *details = (struct zap_details *)uffdwp_zap_details(fregs);

	return !details || uffdwp_zaps_even_cows(details);
}
#endif

#if UFFDWP_KERNEL_HAS_MARKERS
/*
 * unmap_mapping_folio(): a folio leaves the page cache, by truncation or because a file system has
 * other content for it, and with it the markers.
 */
static __always_inline bool uffdwp_zap_is_of_folio(struct ftrace_regs *fregs)
{
	const struct zap_details *details = (struct zap_details *)uffdwp_zap_details(fregs);

	return details && details->single_folio;
}
#endif

#endif /* UFFDWP_COMPAT_HOOKED_H */
