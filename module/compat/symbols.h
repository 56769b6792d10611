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

#include <linux/mm_types.h>
#include <linux/static_call.h>
#include <linux/types.h>

struct mmu_notifier_range;
struct folio;
struct pid;
struct pt_regs;
struct task_struct;

/* mm/mmu_notifier.c */
#ifdef CONFIG_MMU_NOTIFIER
#define UFFDWP_NOTIFIER_FUNCTIONS(X)							\
	X(__mmu_notifier_invalidate_range_start, int, (struct mmu_notifier_range *range)) \
	X(__mmu_notifier_invalidate_range_end, void, (struct mmu_notifier_range *range,	\
						      bool only_end))
#else
#define UFFDWP_NOTIFIER_FUNCTIONS(X)
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
	/* mm/userfaultfd.c */								\
	X(mwriteprotect_range, int, (struct mm_struct *mm, unsigned long start,		\
				     unsigned long len, bool enable_wp,			\
				     atomic_t *mmap_changing))				\
	/* arch/x86/mm/tlb.c */								\
	X(flush_tlb_mm_range, void, (struct mm_struct *mm, unsigned long start,		\
				     unsigned long end, unsigned int stride_shift,	\
				     bool freed_tables))				\
	/* mm/memory.c */								\
	X(__p4d_alloc, int, (struct mm_struct *mm, pgd_t *pgd, unsigned long addr))	\
	X(__pud_alloc, int, (struct mm_struct *mm, p4d_t *p4d, unsigned long addr))	\
	X(__pmd_alloc, int, (struct mm_struct *mm, pud_t *pud, unsigned long addr))	\
	X(__pte_alloc, int, (struct mm_struct *mm, pmd_t *pmd))				\
	/* mm/huge_memory.c */								\
	X(__split_huge_pmd, void, (struct vm_area_struct *vma, pmd_t *pmd,		\
				   unsigned long addr, bool freeze,			\
				   struct folio *folio))				\
	UFFDWP_NOTIFIER_FUNCTIONS(X)

#define UFFDWP_DECLARE_FUNCTION(name, result, parameters)			\
	typedef result uffdwp_fn_##name parameters;				\
	DECLARE_STATIC_CALL(uffdwp_##name, uffdwp_fn_##name);
UFFDWP_FUNCTIONS(UFFDWP_DECLARE_FUNCTION)
#undef UFFDWP_DECLARE_FUNCTION

#define uffdwp_call(name) static_call(uffdwp_##name)

/* mm/huge_memory.c: page frame of the huge zero page, ~0 while there is none */
extern const unsigned long *uffdwp_huge_zero_pfn;

int uffdwp_symbols_find(void);
unsigned long uffdwp_symbol_address(const char *name);

#endif /* UFFDWP_COMPAT_SYMBOLS_H */
