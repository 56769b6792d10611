/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMAs: their flags, their locks, their userfaultfd, and MMU notifiers.
 */
#ifndef UFFDWP_COMPAT_VMA_H
#define UFFDWP_COMPAT_VMA_H

#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/userfaultfd_k.h>

#include "symbols.h"

/* Linux 5.10 registers no MINOR faults, and has no name for the other two. */
#ifndef __VM_UFFD_FLAGS
#define __VM_UFFD_FLAGS (VM_UFFD_MISSING | VM_UFFD_WP)
#endif

#ifndef VM_UFFD_MINOR
#define VM_UFFD_MINOR VM_NONE
#endif
#ifndef UFFDIO_REGISTER_MODE_MINOR
#define UFFDIO_REGISTER_MODE_MINOR 0
#endif

#ifndef VM_DROPPABLE
#define VM_DROPPABLE VM_NONE
#endif
#ifndef VM_SHADOW_STACK
#define VM_SHADOW_STACK VM_NONE
#endif

/* VMAs that no userfaultfd may have: vma_can_userfault() of the kernels that have these flags. */
#define UFFDWP_VM_SPECIAL (VM_SPECIAL | VM_DROPPABLE | VM_SHADOW_STACK)

/* A fault of GUP that unshares the page (FAULT_FLAG_UNSHARE): no write, so it stays armed. */
static __always_inline bool uffdwp_fault_is_unshare(const struct vm_fault *vmf)
{
#if UFFDWP_KERNEL_HAS_FAULT_UNSHARE
	return vmf->flags & FAULT_FLAG_UNSHARE;
#else
	return false;
#endif
}

/*
 * mmap_lock is held for writing, which keeps out all faults but those under the VMA lock alone (6.4
 * and later). This waits for the latter, and keeps them out until mmap_lock is dropped.
 */
static inline void uffdwp_vma_keep_out_faults(struct vm_area_struct *vma)
{
	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
#if UFFDWP_KERNEL_HAS_VMA_LOCK
	vma_start_write(vma);
#endif
}

/*
 * mmap_lock is held for writing. Whether new entries of a shared VMA are writable depends on
 * the write-protect mode (vma_wants_writenotify()).
 */
static inline void uffdwp_vma_set_flags(struct vm_area_struct *vma, unsigned long clear,
					unsigned long set)
{
#if UFFDWP_KERNEL_HAS_VM_FLAGS_MOD
	vm_flags_mod(vma, set, clear & ~set);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
	uffdwp_call(vma_set_page_prot)(vma);
}

/* Of a VMA that is being made, by ->mmap(). */
static inline void uffdwp_vma_set_vm_flags(struct vm_area_struct *vma, unsigned long clear,
					   unsigned long set)
{
#if UFFDWP_KERNEL_HAS_VM_FLAGS_MOD
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
}

/*
 * Merge [start, end) of @vma, as it is without a userfaultfd, with its neighbours if that can be,
 * or split it off. Return: the VMA that it is in then, or an ERR_PTR.
 */
#if UFFDWP_VMA_MODIFY_SPLITS
static inline struct vm_area_struct *uffdwp_vma_cut_out(struct vm_area_struct *vma,
							unsigned long start, unsigned long end)
{
	/* give_up_on_oom: with nothing to split, a merge that lacks memory is left out. */
	const bool whole = start == vma->vm_start && end == vma->vm_end;
	VMA_ITERATOR(vmi, vma->vm_mm, start);
	struct vm_area_struct *prev = vma_prev(&vmi);
#if UFFDWP_VMA_MODIFY_TAKES_TYPE
	vma_flags_t flags = vma->flags;

	vma_flags_clear_mask(&flags, __VMA_UFFD_FLAGS);
#endif
	vma = vma_next(&vmi);
	if (vma->vm_start < start)
		prev = vma;
#if UFFDWP_VMA_MODIFY_TAKES_TYPE
	return uffdwp_call(vma_modify_flags_uffd)(&vmi, prev, vma, start, end, &flags,
						  NULL_VM_UFFD_CTX, whole);
#else
	return uffdwp_call(vma_modify_flags_uffd)(&vmi, prev, vma, start, end,
						  vma->vm_flags & ~__VM_UFFD_FLAGS,
						  NULL_VM_UFFD_CTX, whole);
#endif
}
#else
#if !UFFDWP_VMA_MERGE_TAKES_NAME
#define UFFDWP_VMA_NAME_OF(vma)
#elif defined(CONFIG_ANON_VMA_NAME)
#define UFFDWP_VMA_NAME_OF(vma) , uffdwp_call(anon_vma_name)(vma)
#else
#define UFFDWP_VMA_NAME_OF(vma) , NULL
#endif

static inline struct vm_area_struct *uffdwp_vma_cut_out(struct vm_area_struct *vma,
							unsigned long start, unsigned long end)
{
	const pgoff_t pgoff = vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT);
	struct mm_struct *mm = vma->vm_mm;
	struct vm_area_struct *prev, *merged;
	int err = 0;

	uffdwp_call(find_vma_prev)(mm, start, &prev);
	if (vma->vm_start < start)
		prev = vma;
	merged = uffdwp_call(vma_merge)(mm, prev, start, end, vma->vm_flags & ~__VM_UFFD_FLAGS,
					vma->anon_vma, vma->vm_file, pgoff, vma_policy(vma),
					NULL_VM_UFFD_CTX UFFDWP_VMA_NAME_OF(vma));
	if (merged)
		return merged;
	if (vma->vm_start < start)
		err = uffdwp_call(split_vma)(mm, vma, start, 1);
	if (!err && vma->vm_end > end)
		err = uffdwp_call(split_vma)(mm, vma, end, 0);
	return err ? ERR_PTR(err) : vma;
}
#endif

/*
 * Take [start, end) of a VMA from its userfaultfd, as userfaultfd_unregister() does. mmap_lock is
 * held for writing, faults are kept out, and nothing in the range is armed. The VMA may be another
 * one afterwards, or gone.
 *
 * Return: 0, or -ENOMEM, never for a whole VMA: it belongs to the userfaultfd as before.
 */
static inline int uffdwp_vma_unregister(struct vm_area_struct *vma, unsigned long start,
					unsigned long end)
{
	vma = uffdwp_vma_cut_out(vma, start, end);
	if (IS_ERR(vma))
		return PTR_ERR(vma);
	/* The kernel's merge has kept faults out of the VMA that it was merged into. */
	uffdwp_vma_set_flags(vma, __VM_UFFD_FLAGS, 0);
	vma->vm_userfaultfd_ctx = NULL_VM_UFFD_CTX;
	return 0;
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
 * vma_can_userfault() of this kernel: may a userfaultfd, with WP_ASYNC or not, have this VMA in the
 * modes VM_UFFD_*? The uffd_ops of other modules are not asked, and taken for a yes.
 */
static inline bool uffdwp_vma_can_userfault(struct vm_area_struct *vma, unsigned long mode,
					    bool async)
{
	const bool hugetlb = is_vm_hugetlb_page(vma);

#if UFFDWP_KERNEL_HAS_UFFD_OPS
	if ((vma->vm_flags & (VM_DROPPABLE | VM_SHADOW_STACK)) ||
	    (!hugetlb && (vma->vm_flags & VM_SPECIAL)))
		return false;
#endif
	if (async && mode == VM_UFFD_WP)
		return true;
	if ((mode & VM_UFFD_WP) && !UFFDWP_KERNEL_HAS_MARKERS && !vma_is_anonymous(vma))
		return false;
	if (vma_is_anonymous(vma))
		return !(mode & VM_UFFD_MINOR);
#if UFFDWP_KERNEL_HAS_UFFD_OPS
	if (vma->vm_ops->uffd_ops)
		return true;
#endif
	return hugetlb || uffdwp_vma_is_shmem(vma);
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
#if UFFDWP_KERNEL_HAS_NOTIFIER_RANGE_VMA
	mmu_notifier_range_init(range, MMU_NOTIFY_PROTECTION_VMA, 0, vma, vma->vm_mm, start, end);
#else
	mmu_notifier_range_init(range, MMU_NOTIFY_PROTECTION_VMA, 0, vma->vm_mm, start, end);
#endif
	if (mm_has_notifiers(range->mm)) {
		range->flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
		uffdwp_call(__mmu_notifier_invalidate_range_start)(range);
	}
}

static inline void uffdwp_notifier_end(struct mmu_notifier_range *range)
{
	if (!mm_has_notifiers(range->mm))
		return;
#if UFFDWP_NOTIFIER_ONLY_END
	uffdwp_call(__mmu_notifier_invalidate_range_end)(range, false);
#else
	uffdwp_call(__mmu_notifier_invalidate_range_end)(range);
#endif
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

#endif /* UFFDWP_COMPAT_VMA_H */
