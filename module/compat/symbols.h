/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions and data of the kernel that modules are not given, found by name when the module is
 * loaded.
 *
 * Functions are called through static_call only, which patches a direct call into the caller: with
 * X86_KERNEL_IBT the kernel wipes the ENDBR of each function whose address it never takes itself,
 * and an indirect call from a module to such a function is a control-protection fault.
 *
 *	uffdwp_call(flush_tlb_mm_range)(mm, start, end, PAGE_SHIFT, false);
 */
#ifndef UFFDWP_COMPAT_SYMBOLS_H
#define UFFDWP_COMPAT_SYMBOLS_H

#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mm_types.h>
#include <linux/swap.h>
#include <linux/rbtree.h>
#include <linux/sched/coredump.h>
#include <linux/static_call.h>
#include <linux/types.h>
#include <linux/uprobes.h>

#include "backport/backport.h"
#include "hooked.h"
#include "signatures.h"
#include "unmap.h"

struct folio;
struct linux_binprm;
struct mm_walk;
struct mmu_gather;
struct mmu_notifier_range;
struct dentry;
struct iattr;
struct list_head;
struct pid;
struct pt_regs;
struct rlimit;
struct task_struct;
struct uffdwp_wake_range;
struct userfaultfd_ctx;
struct zap_details;

/* mm/mmu_notifier.c */
#if UFFDWP_NOTIFIER_ONLY_END
#define UFFDWP_NOTIFIER_END_FUNCTION(X)							\
	X(__mmu_notifier_invalidate_range_end, void, (struct mmu_notifier_range *range,	\
						      bool only_end))
#else
#define UFFDWP_NOTIFIER_END_FUNCTION(X)							\
	X(__mmu_notifier_invalidate_range_end, void, (struct mmu_notifier_range *range))
#endif

#ifdef CONFIG_MMU_NOTIFIER
#define UFFDWP_NOTIFIER_FUNCTIONS(X)							\
	X(__mmu_notifier_invalidate_range_start, int, (struct mmu_notifier_range *range)) \
	UFFDWP_NOTIFIER_END_FUNCTION(X)
#else
#define UFFDWP_NOTIFIER_FUNCTIONS(X)
#endif

/* mm/rmap.c */
#define UFFDWP_RMAP_FUNCTIONS(X)							\
	X(__anon_vma_prepare, int, (struct vm_area_struct *vma))

/* mm/hugetlb.c */
#if UFFDWP_SEES_HUGETLB
#define UFFDWP_SEEN_HUGETLB_FUNCTIONS(X)						\
	X(huge_pte_offset, pte_t *, (struct mm_struct *mm, unsigned long addr,		\
				     unsigned long size))
#else
#define UFFDWP_SEEN_HUGETLB_FUNCTIONS(X)
#endif
#if UFFDWP_TRACKS_HUGETLB
#define UFFDWP_HUGETLB_FUNCTIONS(X)							\
	X(hugetlb_unshare_all_pmds, void, (struct vm_area_struct *vma))			\
	X(huge_pte_alloc, pte_t *, (struct mm_struct *mm, struct vm_area_struct *vma,	\
				    unsigned long addr, unsigned long size))
#define UFFDWP_HOOKED_HUGETLB_FUNCTIONS(X)						\
	X(copy_hugetlb_page_range, int, (struct mm_struct *dst, struct mm_struct *src,	\
					 struct vm_area_struct *dst_vma,		\
					 struct vm_area_struct *src_vma))
#else
#define UFFDWP_HUGETLB_FUNCTIONS(X)
#define UFFDWP_HOOKED_HUGETLB_FUNCTIONS(X)
#endif

/* fs/hugetlbfs/inode.c */
#if UFFDWP_TRACKS_HUGETLBFS
#define UFFDWP_HOOKED_HUGETLBFS_FUNCTIONS(X)						\
	X(hugetlbfs_fallocate, long, (struct file *file, int mode, loff_t offset,	\
				      loff_t len))					\
	X(hugetlbfs_setattr, int, (uffdwp_idmap *idmap, struct dentry *dentry,		\
				   struct iattr *attr))
#else
#define UFFDWP_HOOKED_HUGETLBFS_FUNCTIONS(X)
#endif

/* mm/shmem.c */
#ifdef CONFIG_SHMEM
#define UFFDWP_SHMEM_FUNCTIONS(X)							\
	X(vma_is_shmem, bool, (UFFDWP_CONST struct vm_area_struct *vma))
#else
#define UFFDWP_SHMEM_FUNCTIONS(X)
#endif

#if UFFDWP_TRACKS_SHMEM
#define UFFDWP_HOOKED_SHMEM_FUNCTIONS(X)						\
	X(shmem_fallocate, long, (struct file *file, int mode, loff_t offset,		\
				  loff_t len))						\
	X(shmem_setattr, int, (uffdwp_idmap *idmap, struct dentry *dentry,		\
			       struct iattr *attr))
#else
#define UFFDWP_HOOKED_SHMEM_FUNCTIONS(X)
#endif

/* fs/open.c, fs/attr.c, fs/userfaultfd.c (later mm/userfaultfd.c) */
#if UFFDWP_TRACKS_FILES
#define UFFDWP_HOOKED_FILE_FUNCTIONS(X)							\
	X(vfs_fallocate, int, (struct file *file, int mode, loff_t offset, loff_t len))	\
	X(notify_change, int, (uffdwp_idmap *idmap, struct dentry *dentry,		\
			       struct iattr *attr, uffdwp_delegated *delegated_inode))
#else
#define UFFDWP_HOOKED_FILE_FUNCTIONS(X)
#endif

#if UFFDWP_KERNEL_HAS_WP_ASYNC
#define UFFDWP_HOOKED_ASYNC_FUNCTION(X)						\
	X(userfaultfd_wp_async, bool, (struct vm_area_struct *vma))
#else
#define UFFDWP_HOOKED_ASYNC_FUNCTION(X)
#endif

/* mm/userfaultfd.c, mm/hugetlb.c: where ours runs instead and calls them */
#if UFFDWP_KERNEL_HAS_MFILL_WP_COPY || UFFDWP_KERNEL_HAS_MFILL_FLAGS
#define UFFDWP_HOOKED_MFILL_FUNCTION(X)						\
	X(mfill_atomic_install_pte, int, (UFFDWP_INSTALL_PTE_PARAMETERS))
#else
#define UFFDWP_HOOKED_MFILL_FUNCTION(X)
#endif

#if UFFDWP_KERNEL_HAS_MFILL_FLAGS && UFFDWP_TRACKS_HUGETLB
#define UFFDWP_HOOKED_MFILL_HUGETLB_FUNCTION(X)					\
	X(hugetlb_mfill_atomic_pte, int, (UFFDWP_HUGETLB_MFILL_PARAMETERS))
#elif UFFDWP_KERNEL_HAS_MFILL_WP_COPY && UFFDWP_TRACKS_HUGETLB
#define UFFDWP_HOOKED_MFILL_HUGETLB_FUNCTION(X)					\
	X(hugetlb_mcopy_atomic_pte, int, (UFFDWP_HUGETLB_MCOPY_PARAMETERS))
#else
#define UFFDWP_HOOKED_MFILL_HUGETLB_FUNCTION(X)
#endif

/* mm/swap_state.c */
#ifndef CONFIG_SWAP
#define UFFDWP_SWAP_FUNCTIONS(X)
#elif UFFDWP_SWAP_CACHE_IS_PAGE
#define UFFDWP_SWAP_FUNCTIONS(X)							\
	X(lookup_swap_cache, struct page *, (swp_entry_t entry, struct vm_area_struct *vma, \
					     unsigned long addr))
#elif UFFDWP_SWAP_CACHE_TAKES_VMA
#define UFFDWP_SWAP_FUNCTIONS(X)							\
	X(swap_cache_get_folio, struct folio *, (swp_entry_t entry,			\
						 struct vm_area_struct *vma,		\
						 unsigned long addr))
#else
#define UFFDWP_SWAP_FUNCTIONS(X)							\
	X(get_swap_device, struct swap_info_struct *, (swp_entry_t entry))		\
	X(swap_cache_get_folio, struct folio *, (swp_entry_t entry))
#endif

/* mm/filemap.c, mm/swap_state.c */
#if UFFDWP_INCORE_IS_PAGE
#define UFFDWP_INCORE_FUNCTIONS(X)							\
	X(find_get_incore_page, struct page *, (struct address_space *mapping,		\
						pgoff_t index))
#elif UFFDWP_INCORE_IS_FOLIO
#define UFFDWP_INCORE_FUNCTIONS(X)							\
	X(filemap_get_incore_folio, struct folio *, (struct address_space *mapping,	\
						     pgoff_t index))
#else
#define UFFDWP_INCORE_FUNCTIONS(X)							\
	X(filemap_get_entry, void *, (struct address_space *mapping, pgoff_t index))
#endif

/* mm/huge_memory.c */
#if !UFFDWP_KERNEL_HAS_THP
#define UFFDWP_SPLIT_FUNCTION(X)
#elif UFFDWP_SPLIT_TAKES_FOLIO
#define UFFDWP_SPLIT_FUNCTION(X)							\
	X(__split_huge_pmd, void, (struct vm_area_struct *vma, pmd_t *pmd,		\
				   unsigned long addr, bool freeze,		\
				   uffdwp_split_folio *folio))
#else
#define UFFDWP_SPLIT_FUNCTION(X)							\
	X(__split_huge_pmd, void, (struct vm_area_struct *vma, pmd_t *pmd,		\
				   unsigned long addr, bool freeze))
#endif

#if !UFFDWP_KERNEL_HAS_THP
#define UFFDWP_HUGE_WP_FUNCTION(X)
#elif UFFDWP_HUGE_WP_TAKES_PMD
#define UFFDWP_HUGE_WP_FUNCTION(X)							\
	X(do_huge_pmd_wp_page, vm_fault_t, (struct vm_fault *vmf, pmd_t pmd))
#else
#define UFFDWP_HUGE_WP_FUNCTION(X)							\
	X(do_huge_pmd_wp_page, vm_fault_t, (struct vm_fault *vmf))
#endif

/* mm/util.c, mm/huge_memory.c */
#if UFFDWP_KERNEL_HAS_LARGE_MAPCOUNT
#define UFFDWP_MAPCOUNT_FUNCTION(X)
#elif UFFDWP_KERNEL_HAS_FOLIO
#define UFFDWP_MAPCOUNT_FUNCTION(X)							\
	X(folio_mapcount, int, (struct folio *folio))
#else
#define UFFDWP_MAPCOUNT_FUNCTION(X)							\
	X(total_mapcount, int, (struct page *page))
#endif

/* mm/pgtable-generic.c */
#if UFFDWP_KERNEL_HAS_INNER_PTE_LOCK
#define UFFDWP_PTE_LOCK_FUNCTION(X)							\
	X(__pte_offset_map_lock, pte_t *, (struct mm_struct *mm, pmd_t *pmd,		\
					   unsigned long addr, spinlock_t **ptl))
#elif !defined(pte_offset_map_lock)
#define UFFDWP_PTE_LOCK_FUNCTION(X)							\
	X(pte_offset_map_lock, pte_t *, (struct mm_struct *mm, pmd_t *pmd,		\
					 unsigned long addr, spinlock_t **ptl))
#else
#define UFFDWP_PTE_LOCK_FUNCTION(X)
#endif

/* mm/mmap.c, later mm/vma.c */
#if UFFDWP_VMA_MODIFY_TAKES_TYPE
#define UFFDWP_VMA_FUNCTION(X)								\
	X(vma_modify_flags_uffd, struct vm_area_struct *,				\
	  (struct vma_iterator *vmi, struct vm_area_struct *prev,			\
	   struct vm_area_struct *vma, unsigned long start, unsigned long end,		\
	   const vma_flags_t *flags, struct vm_userfaultfd_ctx ctx, bool give_up_on_oom))
#elif UFFDWP_VMA_MODIFY_SPLITS
#define UFFDWP_VMA_FUNCTION(X)								\
	X(vma_modify_flags_uffd, struct vm_area_struct *,				\
	  (struct vma_iterator *vmi, struct vm_area_struct *prev,			\
	   struct vm_area_struct *vma, unsigned long start, unsigned long end,		\
	   unsigned long flags, struct vm_userfaultfd_ctx ctx, bool give_up_on_oom))
#else
#if UFFDWP_VMA_MERGE_TAKES_NAME
#define UFFDWP_VMA_NAME , struct anon_vma_name *name
#else
#define UFFDWP_VMA_NAME
#endif
/* mm/madvise.c */
#if UFFDWP_VMA_MERGE_TAKES_NAME && defined(CONFIG_ANON_VMA_NAME)
#define UFFDWP_VMA_NAME_FUNCTION(X)							\
	X(anon_vma_name, struct anon_vma_name *, (struct vm_area_struct *vma))
#else
#define UFFDWP_VMA_NAME_FUNCTION(X)
#endif
#define UFFDWP_VMA_FUNCTION(X)								\
	UFFDWP_VMA_NAME_FUNCTION(X)							\
	X(find_vma_prev, struct vm_area_struct *,					\
	  (struct mm_struct *mm, unsigned long addr, struct vm_area_struct **prev))	\
	X(vma_merge, struct vm_area_struct *,						\
	  (struct mm_struct *mm, struct vm_area_struct *prev, unsigned long start,	\
	   unsigned long end, unsigned long flags, struct anon_vma *anon_vma,		\
	   struct file *file, pgoff_t pgoff, struct mempolicy *policy,			\
	   struct vm_userfaultfd_ctx ctx UFFDWP_VMA_NAME))				\
	X(split_vma, int, (struct mm_struct *mm, struct vm_area_struct *vma,		\
			   unsigned long addr, int new_below))
#endif

/* mm/memory.c */
#if CONFIG_PGTABLE_LEVELS > 4
#define UFFDWP_P4D_FUNCTION(X)								\
	X(__p4d_alloc, int, (struct mm_struct *mm, pgd_t *pgd, unsigned long addr))
#else
#define UFFDWP_P4D_FUNCTION(X)
#endif

/* kernel/exec_state.c */
#if UFFDWP_KERNEL_HAS_EXEC_STATE
#define UFFDWP_EXEC_STATE_FUNCTION(X)							\
	X(task_exec_state_get_dumpable, enum task_dumpable, (struct task_struct *task))
#else
#define UFFDWP_EXEC_STATE_FUNCTION(X)
#endif

/* mm/interval_tree.c */
#if UFFDWP_KERNEL_HAS_MAPPING_RMAP
#define UFFDWP_FILE_VMA_FUNCTIONS(X)							\
	X(mapping_rmap_tree_iter_first, struct vm_area_struct *,			\
	  (struct address_space *mapping, unsigned long start, unsigned long last))	\
	X(mapping_rmap_tree_iter_next, struct vm_area_struct *,				\
	  (struct vm_area_struct *vma, unsigned long start, unsigned long last))
#else
#define UFFDWP_FILE_VMA_FUNCTIONS(X)							\
	X(vma_interval_tree_iter_first, struct vm_area_struct *,			\
	  (struct rb_root_cached *root, unsigned long start, unsigned long last))	\
	X(vma_interval_tree_iter_next, struct vm_area_struct *,				\
	  (struct vm_area_struct *node, unsigned long start, unsigned long last))
#endif

/*
 * X(name, result, parameters): the signatures of mm/internal.h and of the files that define them.
 * uffdwp_symbols_find() refuses to go on when one of them is missing.
 */
#define UFFDWP_FUNCTIONS(X)								\
	/* kernel/fork.c, arch/x86/mm/mmap.c: an mm as execve(2) makes it */		\
	X(mm_alloc, struct mm_struct *, (void))						\
	X(arch_pick_mmap_layout, void, (struct mm_struct *mm,				\
					UFFDWP_CONST struct rlimit *stack))		\
	/* kernel/fork.c: the check of ptrace and process_vm_readv */			\
	X(mm_access, struct mm_struct *, (struct task_struct *task, unsigned int mode))	\
	/* kernel/trace/ftrace.c */							\
	X(ftrace_is_dead, int, (void))							\
	/* kernel/pid.c */								\
	X(pidfd_get_pid, struct pid *, (unsigned int fd, unsigned int *flags))		\
	/* fs/userfaultfd.c: userfaultfd(2), its flags are in regs->di */		\
	X(__x64_sys_userfaultfd, long, (const struct pt_regs *regs))			\
	/* mm/madvise.c, mm/memfd.c, mm/mremap.c, mm/mmap.c, fs/ioctl.c: for the self-test */ \
	X(do_madvise, int, (struct mm_struct *mm, unsigned long start, size_t len,	\
			    int behavior))						\
	X(__x64_sys_memfd_create, long, (const struct pt_regs *regs))			\
	X(__x64_sys_mremap, long, (const struct pt_regs *regs))				\
	X(__x64_sys_brk, long, (const struct pt_regs *regs))				\
	X(__x64_sys_ioctl, long, (const struct pt_regs *regs))				\
	/* arch/x86/mm/tlb.c */								\
	X(flush_tlb_mm_range, void, (struct mm_struct *mm, unsigned long start,		\
				     unsigned long end, unsigned int stride_shift,	\
				     bool freed_tables))				\
	/* mm/memory.c */								\
	X(__pud_alloc, int, (struct mm_struct *mm, p4d_t *p4d, unsigned long addr))	\
	X(__pmd_alloc, int, (struct mm_struct *mm, pud_t *pud, unsigned long addr))	\
	X(__pte_alloc, int, (struct mm_struct *mm, pmd_t *pmd))				\
	/* mm/swap.c */									\
	X(lru_add_drain, void, (void))							\
	X(lru_add_drain_all, void, (void))						\
	/* mm/mmap.c */									\
	X(vma_set_page_prot, void, (struct vm_area_struct *vma))			\
	UFFDWP_VMA_FUNCTION(X)								\
	UFFDWP_VMA_LOCK_FUNCTION(X)							\
	UFFDWP_FILE_VMA_FUNCTIONS(X)							\
	UFFDWP_P4D_FUNCTION(X)								\
	UFFDWP_PTE_LOCK_FUNCTION(X)							\
	UFFDWP_SPLIT_FUNCTION(X)							\
	UFFDWP_HUGE_WP_FUNCTION(X)							\
	UFFDWP_MAPCOUNT_FUNCTION(X)							\
	UFFDWP_INCORE_FUNCTIONS(X)							\
	UFFDWP_RMAP_FUNCTIONS(X)							\
	UFFDWP_SEEN_HUGETLB_FUNCTIONS(X)						\
	UFFDWP_HUGETLB_FUNCTIONS(X)							\
	UFFDWP_SHMEM_FUNCTIONS(X)							\
	UFFDWP_SWAP_FUNCTIONS(X)							\
	UFFDWP_NOTIFIER_FUNCTIONS(X)							\
	UFFDWP_EXEC_STATE_FUNCTION(X)

/* mm/memory.c, mm/swapfile.c, mm/hugetlb.c: for rings */
#if UFFDWP_KERNEL_BEFORE(5, 19)
#define UFFDWP_HOOKED_PLAIN_ZAP_FUNCTION(X)						\
	X(migrate_misplaced_transhuge_page, int, (struct mm_struct *mm,			\
						  struct vm_area_struct *vma,		\
						  pmd_t *pmd, pmd_t entry,		\
						  unsigned long addr,			\
						  struct page *page, int node))
#elif UFFDWP_ZAP_IS_BATCHED
#define UFFDWP_HOOKED_PLAIN_ZAP_FUNCTION(X)						\
	X(zap_vma_range, void, (struct vm_area_struct *vma, unsigned long start,	\
				unsigned long size))
#else
#define UFFDWP_HOOKED_PLAIN_ZAP_FUNCTION(X)
#endif

/* mm/rmap.c */
#if UFFDWP_KERNEL_HAS_TRY_TO_MIGRATE
#define UFFDWP_HOOKED_MIGRATE_FUNCTION(X)						\
	X(try_to_migrate_one, bool, (struct page *page, struct vm_area_struct *vma,	\
				     unsigned long addr, void *arg))
#else
#define UFFDWP_HOOKED_MIGRATE_FUNCTION(X)
#endif

/* mm/swapfile.c: what is behind them is inlined */
#ifndef CONFIG_SWAP
#define UFFDWP_HOOKED_SWAPOFF_FUNCTIONS(X)
#elif defined(CONFIG_IA32_EMULATION)
#define UFFDWP_HOOKED_SWAPOFF_FUNCTIONS(X)						\
	X(__x64_sys_swapoff, long, (const struct pt_regs *regs))			\
	X(__ia32_sys_swapoff, long, (const struct pt_regs *regs))
#else
#define UFFDWP_HOOKED_SWAPOFF_FUNCTIONS(X)						\
	X(__x64_sys_swapoff, long, (const struct pt_regs *regs))
#endif

#if UFFDWP_TRACKS_HUGETLB
#define UFFDWP_HOOKED_UNMAP_HUGETLB_FUNCTION(X)					\
	X(unmap_hugepage_range, void, (struct vm_area_struct *vma, unsigned long start,	\
				       unsigned long end, uffdwp_hugetlb_folio *folio,	\
				       zap_flags_t flags))
#else
#define UFFDWP_HOOKED_UNMAP_HUGETLB_FUNCTION(X)
#endif

#if UFFDWP_TRACKS_HUGETLB && UFFDWP_UNSHARED_HUGETLB_LOSES_BIT
#define UFFDWP_HOOKED_HUGETLB_FAULT_FUNCTION(X)					\
	X(hugetlb_fault, vm_fault_t, (struct mm_struct *mm, struct vm_area_struct *vma,	\
				      unsigned long addr, unsigned int flags))
#else
#define UFFDWP_HOOKED_HUGETLB_FAULT_FUNCTION(X)
#endif

/* kernel/events/uprobes.c, until 6.15 */
#if UFFDWP_UPROBES_LOSE_BITS
#define UFFDWP_HOOKED_UPROBES_FUNCTION(X)						\
	X(uprobe_write_opcode, int, (struct arch_uprobe *auprobe, struct mm_struct *mm,	\
				     unsigned long addr, uprobe_opcode_t opcode))
#else
#define UFFDWP_HOOKED_UPROBES_FUNCTION(X)
#endif

/* mm/userfaultfd.c: others take a ctx instead of mm */
#if !UFFDWP_KERNEL_HAS_WP_ASYNC
#define UFFDWP_HOOKED_WRITEPROTECT_FUNCTION(X)						\
	X(mwriteprotect_range, int, (struct mm_struct *mm, unsigned long start,		\
				     unsigned long len, bool enable_wp,			\
				     uffdwp_mmap_changing *changing))
#else
#define UFFDWP_HOOKED_WRITEPROTECT_FUNCTION(X)
#endif

/* mm/userfaultfd.c: where it protects by itself */
#if UFFDWP_PROTECTS_IN_MCOPY
#define UFFDWP_HOOKED_MCOPY_FUNCTION(X)							\
	X(mcopy_atomic, ssize_t, (struct mm_struct *mm, unsigned long dst,		\
				  unsigned long src, unsigned long len,			\
				  uffdwp_mmap_changing *changing, __u64 mode))
#else
#define UFFDWP_HOOKED_MCOPY_FUNCTION(X)
#endif

/* mm/mmap.c, later mm/vma.c */
#define UFFDWP_HOOKED_BIRTH_FUNCTIONS(X)						\
	X(mmap_region, unsigned long, (struct file *file, unsigned long addr,		\
				       unsigned long len, unsigned long flags,		\
				       unsigned long pgoff, struct list_head *uf))	\
	X(do_brk_flags, int, (UFFDWP_BRK_PARAMETERS))

#if UFFDWP_EXIT_AND_EXEC_RELEASE
#define UFFDWP_HOOKED_RELEASE_FUNCTIONS(X)						\
	X(mm_exit_exec_release, void, (struct task_struct *task, struct mm_struct *mm))
#else
#define UFFDWP_HOOKED_RELEASE_FUNCTIONS(X)						\
	X(exit_mm_release, void, (struct task_struct *task, struct mm_struct *mm))	\
	X(exec_mm_release, void, (struct task_struct *task, struct mm_struct *mm))
#endif

/* mm/memory.c, later mm/mmap_lock.c */
#if UFFDWP_FILLS_UNDER_VMA_LOCK
#define UFFDWP_VMA_LOCK_FUNCTION(X)							\
	X(lock_vma_under_rcu, struct vm_area_struct *, (struct mm_struct *mm,		\
							unsigned long address))
#else
#define UFFDWP_VMA_LOCK_FUNCTION(X)
#endif

/* mm/memory.c, kernel/fork.c, kernel/sched/core.c, fs/exec.c: for events */
#define UFFDWP_HOOKED_LIFE_FUNCTIONS(X)						\
	X(unmap_vmas, void, (UFFDWP_UNMAP_PARAMETERS))					\
	UFFDWP_HOOKED_RELEASE_FUNCTIONS(X)						\
	X(wake_up_new_task, void, (struct task_struct *task))				\
	X(finalize_exec, void, (struct linux_binprm *bprm))

/* Called only where they are hooked (hooks/hooks.c), so that none of them is required here. */
#define UFFDWP_HOOKED_FUNCTIONS(X)							\
	/* mm/mprotect.c, mm/userfaultfd.c */						\
	X(change_protection, UFFDWP_CHANGE_PROTECTION_RESULT,				\
	  (UFFDWP_CHANGE_PROTECTION_PARAMETERS))					\
	UFFDWP_HOOKED_WRITEPROTECT_FUNCTION(X)						\
	UFFDWP_HOOKED_MCOPY_FUNCTION(X)							\
	/* mm/memory.c */								\
	X(uffdwp_zap, void, (UFFDWP_ZAP_PARAMETERS))					\
	UFFDWP_HOOKED_FILE_FUNCTIONS(X)							\
	UFFDWP_HOOKED_ASYNC_FUNCTION(X)							\
	/* mm/madvise.c, mm/rmap.c, mm/ksm.c */						\
	X(madvise_free_pte_range, int, (pmd_t *pmd, unsigned long addr,			\
					unsigned long end, struct mm_walk *walk))	\
	X(try_to_unmap_one, bool, (struct page *page, struct vm_area_struct *vma,	\
				   unsigned long addr, void *arg))			\
	UFFDWP_HOOKED_MIGRATE_FUNCTION(X)						\
	X(try_to_merge_one_page, int, (struct vm_area_struct *vma, struct page *page,	\
				       struct page *kpage))				\
	UFFDWP_HOOKED_PLAIN_ZAP_FUNCTION(X)						\
	UFFDWP_HOOKED_UPROBES_FUNCTION(X)						\
	UFFDWP_HOOKED_UNMAP_HUGETLB_FUNCTION(X)						\
	UFFDWP_HOOKED_HUGETLB_FAULT_FUNCTION(X)						\
	UFFDWP_HOOKED_SWAPOFF_FUNCTIONS(X)						\
	/* fs/userfaultfd.c, later mm/userfaultfd.c */					\
	X(userfaultfd_ioctl, long, (struct file *file, unsigned int cmd,		\
				    unsigned long arg))					\
	X(mremap_userfaultfd_prep, void, (struct vm_area_struct *vma,			\
					  struct vm_userfaultfd_ctx *remap))		\
	X(mremap_userfaultfd_complete, void, (struct vm_userfaultfd_ctx *ctx,		\
					      unsigned long from, unsigned long to,	\
					      unsigned long len))			\
	/* mm/mmap.c, later mm/vma.c */							\
	X(expand_downwards, int, (struct vm_area_struct *vma, unsigned long address))	\
	X(userfaultfd_release, int, (struct inode *inode, struct file *file))		\
	X(dup_userfaultfd, int, (struct vm_area_struct *vma, struct list_head *fcs))	\
	X(dup_userfaultfd_complete, void, (struct list_head *fcs))			\
	/* fs/proc/task_mmu.c */							\
	X(pagemap_open, int, (struct inode *inode, struct file *file))			\
	UFFDWP_HOOKED_BIRTH_FUNCTIONS(X)						\
	UFFDWP_HOOKED_LIFE_FUNCTIONS(X)							\
	UFFDWP_HOOKED_MFILL_FUNCTION(X)						\
	UFFDWP_HOOKED_MFILL_HUGETLB_FUNCTION(X)					\
	UFFDWP_HOOKED_SHMEM_FUNCTIONS(X)						\
	UFFDWP_HOOKED_HUGETLB_FUNCTIONS(X)						\
	UFFDWP_HOOKED_HUGETLBFS_FUNCTIONS(X)

/* Static, so a compiler may inline it away: then a call does nothing. */
#define UFFDWP_OPTIONAL_FUNCTIONS(X)							\
	/* fs/userfaultfd.c, later mm/userfaultfd.c */					\
	X(__wake_userfault, void, (struct userfaultfd_ctx *ctx,				\
				   struct uffdwp_wake_range *range))

#define UFFDWP_DECLARE_FUNCTION(name, result, parameters)			\
	typedef result uffdwp_fn_##name parameters;				\
	DECLARE_STATIC_CALL(uffdwp_##name, uffdwp_fn_##name);
UFFDWP_FUNCTIONS(UFFDWP_DECLARE_FUNCTION)
UFFDWP_HOOKED_FUNCTIONS(UFFDWP_DECLARE_FUNCTION)
UFFDWP_OPTIONAL_FUNCTIONS(UFFDWP_DECLARE_FUNCTION)
#undef UFFDWP_DECLARE_FUNCTION

#define uffdwp_call(name) static_call(uffdwp_##name)

/* mm/huge_memory.c: page frame of the huge zero page, ~0 while there is none */
#if UFFDWP_KERNEL_HAS_THP
extern const unsigned long *uffdwp_huge_zero_pfn;
#endif

int uffdwp_symbols_find(void);
unsigned long uffdwp_symbol_address(const char *name);

#endif /* UFFDWP_COMPAT_SYMBOLS_H */
