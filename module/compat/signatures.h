/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What no probe can see (probe.sh), by version: signatures and meanings behind names that are
 * looked up in the running kernel. A wrong one compiles, links, loads and crashes.
 *
 * Each is a half-open range of versions, and says what has changed. They were read in the sources
 * of the kernels that compat.h lets in; a border that lies between two of these is near enough for
 * them, and all are to be read again in the sources of another kernel before it is let in.
 */
#ifndef UFFDWP_COMPAT_SIGNATURES_H
#define UFFDWP_COMPAT_SIGNATURES_H

#include <linux/version.h>

#define UFFDWP_KERNEL_SINCE(a, b) (LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))
#define UFFDWP_KERNEL_BEFORE(a, b) (!UFFDWP_KERNEL_SINCE(a, b))

/* 6.3: find_get_incore_page() of a file became filemap_get_incore_folio(), with ERR_PTR */
#define UFFDWP_INCORE_IS_PAGE UFFDWP_KERNEL_BEFORE(6, 3)
/* 6.19: and is gone */
#define UFFDWP_INCORE_IS_FOLIO (UFFDWP_KERNEL_SINCE(6, 3) && UFFDWP_KERNEL_BEFORE(6, 19))

/* 6.0: lookup_swap_cache() became swap_cache_get_folio(entry, vma, addr) */
#define UFFDWP_SWAP_CACHE_IS_PAGE UFFDWP_KERNEL_BEFORE(6, 0)
/* 6.18: swap_cache_get_folio(entry) */
#define UFFDWP_SWAP_CACHE_TAKES_VMA UFFDWP_KERNEL_BEFORE(6, 18)

/* 6.6: __mmu_notifier_invalidate_range_end() has lost its "only_end" */
#define UFFDWP_NOTIFIER_ONLY_END UFFDWP_KERNEL_BEFORE(6, 6)

/* 6.15: __split_huge_pmd() has lost its last argument, a page or folio, which is NULL from us */
#define UFFDWP_SPLIT_TAKES_FOLIO UFFDWP_KERNEL_BEFORE(6, 15)

/* 6.3: notify_change() and its like are handed a struct mnt_idmap, not a user namespace */
#define UFFDWP_IDMAP_IS_USER_NAMESPACE UFFDWP_KERNEL_BEFORE(6, 3)
/* 6.19: and a struct delegated_inode *, not a struct inode ** */
#define UFFDWP_DELEGATED_IS_INODE UFFDWP_KERNEL_BEFORE(6, 19)
/* 6.14: unmap_hugepage_range() is handed a folio, not a page */
#define UFFDWP_UNMAP_HUGETLB_TAKES_PAGE UFFDWP_KERNEL_BEFORE(6, 14)

/* 5.19 to 6.2: hugetlb_wp() unshares a page for a pin that only reads, without the bit */
#define UFFDWP_UNSHARED_HUGETLB_LOSES_BIT (UFFDWP_KERNEL_SINCE(5, 19) && UFFDWP_KERNEL_BEFORE(6, 3))

/* 6.18: functions that only look take pointers to const: vma_is_shmem(), arch_pick_mmap_layout() */
#if UFFDWP_KERNEL_SINCE(6, 18)
#define UFFDWP_CONST const
#else
#define UFFDWP_CONST
#endif

/* 5.14: do_huge_pmd_wp_page() finds the entry in vmf->orig_pmd */
#define UFFDWP_HUGE_WP_TAKES_PMD UFFDWP_KERNEL_BEFORE(5, 14)
/* Until 5.14 a NUMA hint migrates a huge page by a function of its own, which loses the bit. */
#define UFFDWP_HINTS_LOSE_BITS (UFFDWP_KERNEL_BEFORE(5, 14) && IS_ENABLED(CONFIG_NUMA_BALANCING))
/* Until 6.15 a breakpoint of uprobes is put in by a new entry; anonymous memory gets none. */
#define UFFDWP_UPROBES_LOSE_BITS (UFFDWP_KERNEL_SINCE(5, 19) && UFFDWP_KERNEL_BEFORE(6, 15) && \
				  IS_ENABLED(CONFIG_UPROBES))
/* 6.13: and replaces the huge zero page by a huge page, instead of splitting it */
#define UFFDWP_HUGE_ZERO_BECOMES_HUGE UFFDWP_KERNEL_SINCE(6, 13)

/* 5.19: change_protection() is handed the mmu_gather of its caller */
#define UFFDWP_PROTECT_TAKES_GATHER UFFDWP_KERNEL_SINCE(5, 19)
/* 6.3: and no pgprot_t any more */
#define UFFDWP_PROTECT_TAKES_PROT UFFDWP_KERNEL_BEFORE(6, 3)

/* 5.14: mwriteprotect_range() is told of pending events by an atomic_t, not a bool */
#define UFFDWP_MMAP_CHANGING_IS_BOOL UFFDWP_KERNEL_BEFORE(5, 14)

/*
 * 6.16: MADV_DONTNEED calls zap_page_range_single_batched(), later named zap_vma_range_batched(),
 * with details that ask for empty page tables back, instead of zap_page_range_single() without.
 */
#define UFFDWP_ZAP_IS_BATCHED UFFDWP_KERNEL_SINCE(6, 16)

/* 5.19: do_brk_flags() is handed the place in the tree of VMAs, and no list of userfaultfds */
#define UFFDWP_BRK_TAKES_LIST UFFDWP_KERNEL_BEFORE(5, 19)

/* 5.17: vma_merge() is handed the name of anonymous memory */
#define UFFDWP_VMA_MERGE_TAKES_NAME UFFDWP_KERNEL_SINCE(5, 17)
/*
 * 6.1 to 6.11: mmap_region() merges with the VMA behind, and with the one before as well only if
 * the two go together. vma_merge() prefers the one before.
 */
#define UFFDWP_MMAP_MERGES_NEXT_FIRST (UFFDWP_KERNEL_SINCE(6, 1) && UFFDWP_KERNEL_BEFORE(6, 12))
/* 6.12: split_vma() is no more; vma_modify_flags_uffd() splits, merges, and may give up merging */
#define UFFDWP_VMA_MODIFY_SPLITS UFFDWP_KERNEL_SINCE(6, 12)
/* 7.0: and takes the flags by pointer, as a type of their own */
#define UFFDWP_VMA_MODIFY_TAKES_TYPE UFFDWP_KERNEL_SINCE(7, 0)

/*
 * The zap without details, behind MADV_GUARD_INSTALL since 6.16, with the name of 7.0. What proves
 * a hook on it, and what undoes that. Before, it is the function that discard.c hooks.
 */
#if UFFDWP_ZAP_IS_BATCHED
#define UFFDWP_HAS_PLAIN_ZAP 1
#define UFFDWP_PLAIN_ZAP_SYMBOL "zap_vma_range"
#define uffdwp_call_plain_zap uffdwp_call(zap_vma_range)
#define UFFDWP_PLAIN_ZAP_ADVICE MADV_GUARD_INSTALL
#define UFFDWP_PLAIN_ZAP_UNDO MADV_GUARD_REMOVE
#else
#define UFFDWP_HAS_PLAIN_ZAP 0
#endif

/* 5.14: pages that are to migrate, or to be split, are unmapped by a function of its own */
#define UFFDWP_KERNEL_HAS_TRY_TO_MIGRATE UFFDWP_KERNEL_SINCE(5, 14)

/*
 * 6.0: the migration of a transparent huge page keeps the bit. set_pmd_migration_entry() of 5.10 is
 * called by try_to_unmap_one() and does not; since 5.14 it is called by try_to_migrate_one().
 */
#define UFFDWP_HUGE_MIGRATION_LOSES_BIT UFFDWP_KERNEL_BEFORE(6, 0)

/* 6.8: filemap_fault() asks whether the PTE is none: filemap_fault_recheck_pte_none() */
#define UFFDWP_FILEMAP_ASKS_FOR_NONE UFFDWP_KERNEL_SINCE(6, 8)

/* How unmap_vmas() finds its VMAs: by their list; 6.1: by a tree; 6.4: by a place in one */
#define UFFDWP_UNMAP_TAKES_LIST UFFDWP_KERNEL_BEFORE(6, 1)
#define UFFDWP_UNMAP_TAKES_TREE (UFFDWP_KERNEL_SINCE(6, 1) && UFFDWP_KERNEL_BEFORE(6, 4))
#define UFFDWP_UNMAP_TAKES_STATE (UFFDWP_KERNEL_SINCE(6, 4) && UFFDWP_KERNEL_BEFORE(7, 0))
/* 7.0: by all of that in a struct */
#define UFFDWP_UNMAP_TAKES_DESC UFFDWP_KERNEL_SINCE(7, 0)
/* Until 6.1 exit_mmap() calls it without mmap_lock */
#define UFFDWP_EXIT_UNMAPS_UNLOCKED UFFDWP_KERNEL_BEFORE(6, 1)

/* 6.6: UFFDIO_COPY refuses a source outside of user addresses (validate_unaligned_range()) */
#define UFFDWP_COPY_CHECKS_SOURCE UFFDWP_KERNEL_SINCE(6, 6)

/* 6.8, "userfaultfd: use per-vma locks in userfaultfd operations": fills, without mmap_lock */
#define UFFDWP_FILLS_UNDER_VMA_LOCK (UFFDWP_KERNEL_SINCE(6, 8) && IS_ENABLED(CONFIG_PER_VMA_LOCK))

/* 6.0, "mm/uffd: reset write protection when unregister with wp-mode" */
#define UFFDWP_UNREGISTER_KEEPS_BITS UFFDWP_KERNEL_BEFORE(6, 0)
/* 7.0: UFFDIO_UNREGISTER refuses a VMA that is registered with another userfaultfd */
#define UFFDWP_UNREGISTER_ASKS_CTX UFFDWP_KERNEL_SINCE(7, 0)
/* 7.0: special VMAs are never registered; operations of a kind of memory say if it can be */
#define UFFDWP_KERNEL_HAS_UFFD_OPS UFFDWP_KERNEL_SINCE(7, 0)

/* 7.3: UFFDIO_REGISTER refuses to take write protection away from what the userfaultfd has */
#define UFFDWP_REGISTER_KEEPS_WP UFFDWP_KERNEL_SINCE(7, 3)

/* 7.3: exit_mm_release() and exec_mm_release() are one function, mm_exit_exec_release() */
#define UFFDWP_EXIT_AND_EXEC_RELEASE UFFDWP_KERNEL_SINCE(7, 3)

/* 5.18: ftrace_free_filter() is exported */
#define UFFDWP_FREE_FILTER_EXPORTED UFFDWP_KERNEL_SINCE(5, 18)

#endif /* UFFDWP_COMPAT_SIGNATURES_H */
