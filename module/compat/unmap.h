/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unmap_vmas(): its parameters, and the VMAs that it is about to unmap. They are out of the tree of
 * the mm already, so that they are found as it finds them. To look at them changes nothing of what
 * it is handed.
 */
#ifndef UFFDWP_COMPAT_UNMAP_H
#define UFFDWP_COMPAT_UNMAP_H

#include "ftrace.h"
#include "signatures.h"

#include <linux/mm.h>
#include <linux/xarray.h>
#if !UFFDWP_UNMAP_TAKES_LIST
#include <linux/maple_tree.h>
#endif

struct mmu_gather;

/**
 * struct uffdwp_unmapped - what unmap_vmas() is about to unmap
 * @vma: the next VMA, or NULL
 * @start: first address
 * @end: last address, exclusive; the VMAs may stick out
 * @mas: where it is in the tree
 * @last: last address that is looked for there
 */
struct uffdwp_unmapped {
	struct vm_area_struct *vma;
	unsigned long start;
	unsigned long end;
#if !UFFDWP_UNMAP_TAKES_LIST
	struct ma_state mas;
	unsigned long last;
#endif
};

#if UFFDWP_UNMAP_TAKES_LIST
#define UFFDWP_UNMAP_PARAMETERS							\
	struct mmu_gather *tlb, struct vm_area_struct *vma,			\
	unsigned long start, unsigned long end
#define UFFDWP_UNMAP_ARGUMENTS tlb, vma, start, end
#define UFFDWP_UNMAPPED { .vma = vma, .start = start, .end = end }

static __always_inline struct vm_area_struct *uffdwp_first_unmapped(struct ftrace_regs *fregs)
{
	return (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);
}

static inline void uffdwp_next_unmapped(struct uffdwp_unmapped *u)
{
	u->vma = u->vma->vm_next;
	if (u->vma && u->vma->vm_start >= u->end)
		u->vma = NULL;
}
#else

#if UFFDWP_UNMAP_TAKES_TREE
#define UFFDWP_UNMAP_PARAMETERS							\
	struct mmu_gather *tlb, struct maple_tree *tree, struct vm_area_struct *vma, \
	unsigned long start, unsigned long end
#define UFFDWP_UNMAP_ARGUMENTS tlb, tree, vma, start, end
#define UFFDWP_UNMAPPED								\
	{ .vma = vma, .start = start, .end = end, .last = end - 1,		\
	  .mas = { .tree = tree, .index = vma->vm_end, .last = vma->vm_end,	\
		   .node = MAS_START, .max = ULONG_MAX } }
#elif UFFDWP_UNMAP_TAKES_STATE
#define UFFDWP_UNMAP_PARAMETERS							\
	struct mmu_gather *tlb, struct ma_state *mas, struct vm_area_struct *vma, \
	unsigned long start, unsigned long end, unsigned long tree_end, bool mm_wr_locked
#define UFFDWP_UNMAP_ARGUMENTS tlb, mas, vma, start, end, tree_end, mm_wr_locked
#define UFFDWP_UNMAPPED								\
	{ .vma = vma, .start = start, .end = end, .last = tree_end - 1, .mas = *mas }
#else
/* That of mm/vma.h, read in 7.2. */
struct uffdwp_unmap_desc {
	struct ma_state *mas;
	struct vm_area_struct *first;
	unsigned long pg_start;
	unsigned long pg_end;
	unsigned long vma_start;
	unsigned long vma_end;
	unsigned long tree_end;
};

#define UFFDWP_UNMAP_PARAMETERS							\
	struct mmu_gather *tlb, struct uffdwp_unmap_desc *unmap
#define UFFDWP_UNMAP_ARGUMENTS tlb, unmap
#define UFFDWP_UNMAPPED								\
	{ .vma = unmap->first, .start = unmap->vma_start, .end = unmap->vma_end, \
	  .last = unmap->tree_end - 1, .mas = *unmap->mas }
#endif

static __always_inline struct vm_area_struct *uffdwp_first_unmapped(struct ftrace_regs *fregs)
{
#if UFFDWP_UNMAP_TAKES_DESC
	return ((struct uffdwp_unmap_desc *)uffdwp_fregs_arg1(fregs))->first;
#else
	return (struct vm_area_struct *)uffdwp_fregs_arg2(fregs);
#endif
}

/* fork() that fails leaves XA_ZERO_ENTRY where it has come to. */
static inline void uffdwp_next_unmapped(struct uffdwp_unmapped *u)
{
	u->vma = mas_find(&u->mas, u->last);
	if (xa_is_zero(u->vma))
		u->vma = NULL;
}
#endif

#endif /* UFFDWP_COMPAT_UNMAP_H */
