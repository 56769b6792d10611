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
#include <linux/mm_types.h>
#include <linux/swap.h>
#include <linux/rbtree.h>
#include <linux/static_call.h>
#include <linux/types.h>

struct mmu_notifier_range;
struct folio;
struct dentry;
struct iattr;
struct pid;
struct pt_regs;
struct task_struct;
struct zap_details;

/* mm/mmu_notifier.c */
#ifdef CONFIG_MMU_NOTIFIER
#define UFFDWP_NOTIFIER_FUNCTIONS(X)							\
	X(__mmu_notifier_invalidate_range_start, int, (struct mmu_notifier_range *range)) \
	X(__mmu_notifier_invalidate_range_end, void, (struct mmu_notifier_range *range,	\
						      bool only_end))
#else
#define UFFDWP_NOTIFIER_FUNCTIONS(X)
#endif

/* mm/hugetlb.c */
#ifdef CONFIG_HUGETLB_PAGE
#define UFFDWP_HUGETLB_FUNCTIONS(X)							\
	X(huge_pte_offset, pte_t *, (struct mm_struct *mm, unsigned long addr,		\
				     unsigned long size))				\
	X(huge_pte_alloc, pte_t *, (struct mm_struct *mm, struct vm_area_struct *vma,	\
				    unsigned long addr, unsigned long size))
#else
#define UFFDWP_HUGETLB_FUNCTIONS(X)
#endif

#ifdef CONFIG_HUGETLB_PAGE
#define UFFDWP_HOOKED_HUGETLB_FUNCTIONS(X)						\
	X(copy_hugetlb_page_range, int, (struct mm_struct *dst, struct mm_struct *src,	\
					 struct vm_area_struct *dst_vma,		\
					 struct vm_area_struct *src_vma))
#else
#define UFFDWP_HOOKED_HUGETLB_FUNCTIONS(X)
#endif

/* fs/hugetlbfs/inode.c */
#ifdef CONFIG_HUGETLBFS
#define UFFDWP_HOOKED_HUGETLBFS_FUNCTIONS(X)						\
	X(hugetlbfs_fallocate, long, (struct file *file, int mode, loff_t offset,	\
				      loff_t len))					\
	X(hugetlbfs_setattr, int, (void *idmap, struct dentry *dentry,			\
				   struct iattr *attr))
#else
#define UFFDWP_HOOKED_HUGETLBFS_FUNCTIONS(X)
#endif

/* mm/shmem.c */
#ifdef CONFIG_SHMEM
#define UFFDWP_SHMEM_FUNCTIONS(X)							\
	X(vma_is_shmem, bool, (struct vm_area_struct *vma))
#define UFFDWP_HOOKED_SHMEM_FUNCTIONS(X)						\
	X(shmem_fallocate, long, (struct file *file, int mode, loff_t offset,		\
				  loff_t len))						\
	X(shmem_setattr, int, (void *idmap, struct dentry *dentry, struct iattr *attr))
#else
#define UFFDWP_SHMEM_FUNCTIONS(X)
#define UFFDWP_HOOKED_SHMEM_FUNCTIONS(X)
#endif

/* mm/swap_state.c */
#ifdef CONFIG_SWAP
#define UFFDWP_SWAP_FUNCTIONS(X)							\
	X(swap_cache_get_folio, struct folio *, (swp_entry_t entry,			\
						 struct vm_area_struct *vma,		\
						 unsigned long addr))
#else
#define UFFDWP_SWAP_FUNCTIONS(X)
#endif

/*
 * X(name, result, parameters): the signatures of mm/internal.h and of the files that define them.
 * uffdwp_symbols_find() refuses to go on when one of them is missing.
 */
#define UFFDWP_FUNCTIONS(X)								\
	/* kernel/fork.c: the check of ptrace and process_vm_readv */			\
	X(mm_access, struct mm_struct *, (struct task_struct *task, unsigned int mode))	\
	/* kernel/pid.c */								\
	X(pidfd_get_pid, struct pid *, (unsigned int fd, unsigned int *flags))		\
	/* fs/userfaultfd.c: userfaultfd(2), its flags are in regs->di */		\
	X(__x64_sys_userfaultfd, long, (const struct pt_regs *regs))			\
	/* mm/madvise.c, mm/memfd.c: for the self-test */				\
	X(do_madvise, int, (struct mm_struct *mm, unsigned long start, size_t len,	\
			    int behavior))						\
	X(__x64_sys_memfd_create, long, (const struct pt_regs *regs))			\
	/* arch/x86/mm/tlb.c */								\
	X(flush_tlb_mm_range, void, (struct mm_struct *mm, unsigned long start,		\
				     unsigned long end, unsigned int stride_shift,	\
				     bool freed_tables))				\
	/* mm/memory.c */								\
	X(__p4d_alloc, int, (struct mm_struct *mm, pgd_t *pgd, unsigned long addr))	\
	X(__pud_alloc, int, (struct mm_struct *mm, p4d_t *p4d, unsigned long addr))	\
	X(__pmd_alloc, int, (struct mm_struct *mm, pud_t *pud, unsigned long addr))	\
	X(__pte_alloc, int, (struct mm_struct *mm, pmd_t *pmd))				\
	/* mm/util.c */									\
	X(folio_mapcount, int, (struct folio *folio))					\
	/* mm/filemap.c, mm/swap_state.c */						\
	X(find_get_incore_page, struct page *, (struct address_space *mapping,		\
						pgoff_t index))				\
	/* mm/swap.c */									\
	X(lru_add_drain_all, void, (void))						\
	/* mm/mmap.c */									\
	X(vma_set_page_prot, void, (struct vm_area_struct *vma))			\
	/* mm/interval_tree.c */							\
	X(vma_interval_tree_iter_first, struct vm_area_struct *,			\
	  (struct rb_root_cached *root, unsigned long start, unsigned long last))	\
	X(vma_interval_tree_iter_next, struct vm_area_struct *,				\
	  (struct vm_area_struct *node, unsigned long start, unsigned long last))	\
	/* mm/huge_memory.c */								\
	X(__split_huge_pmd, void, (struct vm_area_struct *vma, pmd_t *pmd,		\
				   unsigned long addr, bool freeze,			\
				   struct folio *folio))				\
	UFFDWP_HUGETLB_FUNCTIONS(X)							\
	UFFDWP_SHMEM_FUNCTIONS(X)							\
	UFFDWP_SWAP_FUNCTIONS(X)							\
	UFFDWP_NOTIFIER_FUNCTIONS(X)

/* Called only where they are hooked (hooks.c), which may be done without. */
#define UFFDWP_HOOKED_FUNCTIONS(X)							\
	/* mm/userfaultfd.c */								\
	X(mwriteprotect_range, int, (struct mm_struct *mm, unsigned long start,		\
				     unsigned long len, bool enable_wp,			\
				     atomic_t *mmap_changing))				\
	/* mm/memory.c */								\
	X(zap_page_range_single, void, (struct vm_area_struct *vma, unsigned long start, \
					unsigned long size, struct zap_details *details)) \
	UFFDWP_HOOKED_SHMEM_FUNCTIONS(X)						\
	UFFDWP_HOOKED_HUGETLB_FUNCTIONS(X)						\
	UFFDWP_HOOKED_HUGETLBFS_FUNCTIONS(X)

#define UFFDWP_DECLARE_FUNCTION(name, result, parameters)			\
	typedef result uffdwp_fn_##name parameters;				\
	DECLARE_STATIC_CALL(uffdwp_##name, uffdwp_fn_##name);
UFFDWP_FUNCTIONS(UFFDWP_DECLARE_FUNCTION)
UFFDWP_HOOKED_FUNCTIONS(UFFDWP_DECLARE_FUNCTION)
#undef UFFDWP_DECLARE_FUNCTION

#define uffdwp_call(name) static_call(uffdwp_##name)

/* mm/huge_memory.c: page frame of the huge zero page, ~0 while there is none */
extern const unsigned long *uffdwp_huge_zero_pfn;

int uffdwp_symbols_find(void);
unsigned long uffdwp_symbol_address(const char *name);

#endif /* UFFDWP_COMPAT_SYMBOLS_H */
