/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMAs: their flags, their locks, their userfaultfd, and MMU notifiers.
 */
#ifndef UFFDWP_COMPAT_VMA_H
#define UFFDWP_COMPAT_VMA_H

#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
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

/* 7.3: read protection. The same bit in the entries, and never together with VM_UFFD_WP. */
#ifndef VM_UFFD_RWP
#define VM_UFFD_RWP VM_NONE
#endif
#ifndef UFFDIO_REGISTER_MODE_RWP
#define UFFDIO_REGISTER_MODE_RWP 0
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
 * Merge [start, end) of @vma, as it is to be with @ctx and @mode, with its neighbours if that can
 * be, or split it off. Return: the VMA that it is in then, or an ERR_PTR.
 *
 * VM_SOFTDIRTY keeps no VMAs apart, and before Linux 6.19 a merge may lose it, which mmap() puts
 * right by setting it. So the caller sets it again.
 */
#if UFFDWP_VMA_MODIFY_SPLITS
static inline struct vm_area_struct *uffdwp_vma_cut_out(struct vm_area_struct *vma,
							unsigned long start, unsigned long end,
							struct vm_userfaultfd_ctx ctx,
							unsigned long mode)
{
	/* give_up_on_oom: with nothing to split, a merge that lacks memory is left out. */
	const bool whole = start == vma->vm_start && end == vma->vm_end;
	VMA_ITERATOR(vmi, vma->vm_mm, start);
	struct vm_area_struct *prev = vma_prev(&vmi);
#if UFFDWP_VMA_MODIFY_TAKES_TYPE
	vma_flags_t flags = vma->flags;

	vma_flags_clear_mask(&flags, __VMA_UFFD_FLAGS);
	if (mode & VM_UFFD_MISSING)
		vma_flags_set(&flags, VMA_UFFD_MISSING_BIT);
	if (mode & VM_UFFD_MINOR)
		vma_flags_set(&flags, VMA_UFFD_MINOR_BIT);
	if (mode & VM_UFFD_WP)
		vma_flags_set(&flags, VMA_UFFD_WP_BIT);
#endif
	vma = vma_next(&vmi);
	if (vma->vm_start < start)
		prev = vma;
#if UFFDWP_VMA_MODIFY_TAKES_TYPE
	return uffdwp_call(vma_modify_flags_uffd)(&vmi, prev, vma, start, end, &flags, ctx, whole);
#else
	return uffdwp_call(vma_modify_flags_uffd)(&vmi, prev, vma, start, end,
						  (vma->vm_flags & ~__VM_UFFD_FLAGS) | mode, ctx,
						  whole);
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

static inline struct vm_area_struct *uffdwp_vma_merge(struct vm_area_struct *vma,
						      struct vm_area_struct *prev,
						      unsigned long start, unsigned long end,
						      struct vm_userfaultfd_ctx ctx,
						      unsigned long mode,
						      struct anon_vma *anon_vma)
{
	return uffdwp_call(vma_merge)(vma->vm_mm, prev, start, end,
				      (vma->vm_flags & ~__VM_UFFD_FLAGS) | mode, anon_vma,
				      vma->vm_file,
				      vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT),
				      vma_policy(vma), ctx UFFDWP_VMA_NAME_OF(vma));
}

/*
 * A new VMA between two with different anon_vmas merges with one of them. With the anon_vma of the
 * VMA behind, if mmap() would take that one, vma_merge() does not take the other.
 */
static inline struct anon_vma *uffdwp_anon_vma_of_next(const struct vm_area_struct *vma,
						       const struct vm_area_struct *prev,
						       unsigned long start, unsigned long end)
{
	const struct vm_area_struct *next = find_vma(vma->vm_mm, end);

	if (vma->anon_vma || !prev || prev->vm_end != start || !prev->anon_vma ||
	    !next || next->vm_start != end || !next->anon_vma || prev->anon_vma == next->anon_vma)
		return NULL;
	/* is_mergeable_anon_vma(): one that fork() has copied does not go with a new one. */
	return list_is_singular(&next->anon_vma_chain) ? next->anon_vma : NULL;
}

static inline struct vm_area_struct *uffdwp_vma_cut_out(struct vm_area_struct *vma,
							unsigned long start, unsigned long end,
							struct vm_userfaultfd_ctx ctx,
							unsigned long mode)
{
	struct vm_area_struct *prev, *merged = NULL;
	struct mm_struct *mm = vma->vm_mm;
	struct anon_vma *anon_vma;
	int err = 0;

	uffdwp_call(find_vma_prev)(mm, start, &prev);
	if (vma->vm_start < start)
		prev = vma;
	anon_vma = mode && UFFDWP_MMAP_MERGES_NEXT_FIRST ?
		   uffdwp_anon_vma_of_next(vma, prev, start, end) : NULL;
	if (anon_vma)
		merged = uffdwp_vma_merge(vma, prev, start, end, ctx, mode, anon_vma);
	if (!merged)
		merged = uffdwp_vma_merge(vma, prev, start, end, ctx, mode, vma->anon_vma);
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
 * Is a part of this VMA, once split off, a VMA of its own for good? No kernel merges what has a
 * ->close(): hugetlb, FUSE. mremap() of the whole would be -EFAULT from then on.
 */
static inline bool uffdwp_vma_stays_split(const struct vm_area_struct *vma)
{
	return vma->vm_ops && vma->vm_ops->close;
}

/*
 * [start, end) of a VMA is about to be split off, for a while. Parts of a private VMA that was not
 * touched yet would get an anon_vma each, at their first write, and VMAs with different ones are
 * never merged again (is_mergeable_anon_vma()). So they get one now. mmap_lock is held for writing.
 *
 * Return: 0 or -ENOMEM.
 */
static inline int uffdwp_vma_prepare_split(struct vm_area_struct *vma, unsigned long start,
					   unsigned long end)
{
	if ((start <= vma->vm_start && end >= vma->vm_end) || vma->anon_vma ||
	    (vma->vm_flags & (VM_MAYSHARE | VM_HUGETLB)))
		return 0;
	return uffdwp_call(__anon_vma_prepare)(vma);
}

/*
 * Give [start, end) of a VMA a userfaultfd and modes. mmap_lock is held for writing. The VMA may be
 * another one afterwards, or gone.
 */
static inline int uffdwp_vma_set_userfaultfd(struct vm_area_struct *vma, unsigned long start,
					     unsigned long end, struct vm_userfaultfd_ctx ctx,
					     unsigned long mode)
{
	const unsigned long soft_dirty = vma->vm_flags & VM_SOFTDIRTY;
	int err = uffdwp_vma_prepare_split(vma, start, end);

	if (err)
		return err;
	vma = uffdwp_vma_cut_out(vma, start, end, ctx, mode);
	if (IS_ERR(vma))
		return PTR_ERR(vma);
	/*
	 * Both or none of them before mmap_lock is dropped: userfaultfd_release(). The kernel's
	 * merge has kept faults out of the VMA that it was merged into.
	 */
	uffdwp_vma_set_flags(vma, __VM_UFFD_FLAGS, mode | soft_dirty);
	vma->vm_userfaultfd_ctx = ctx;
	return 0;
}

/*
 * Register [start, end) of a VMA for write protection, as userfaultfd_register() does: one that has
 * no userfaultfd, or this one, whose other modes stay. mmap_lock is held for writing. The VMA may
 * be another one afterwards, or gone. A context has no count of its VMAs: the caller keeps it until
 * it has taken them away from it.
 *
 * Return: 0, or -ENOMEM: it is as before.
 */
static inline int uffdwp_vma_register(struct vm_area_struct *vma, unsigned long start,
				      unsigned long end, const void *userfault)
{
	const struct vm_userfaultfd_ctx ctx = { .ctx = (struct userfaultfd_ctx *)userfault };

	return uffdwp_vma_set_userfaultfd(vma, start, end, ctx,
					  (vma->vm_flags & __VM_UFFD_FLAGS) | VM_UFFD_WP);
}

/*
 * Take write protection from [start, end) of a VMA, whose userfaultfd keeps it for its other modes.
 * One that has no other mode was registered by the process, and is left alone: with a userfaultfd
 * and no mode it would meet a BUG_ON() of the kernel. mmap_lock is held for writing, faults are
 * kept out, and nothing in the range is armed. The VMA may be another one afterwards, or gone.
 *
 * Return: 0, or -ENOMEM, never for a whole VMA: it is as before.
 */
static inline int uffdwp_vma_unprotect(struct vm_area_struct *vma, unsigned long start,
				       unsigned long end)
{
	if (!(vma->vm_flags & __VM_UFFD_FLAGS & ~VM_UFFD_WP))
		return 0;
	return uffdwp_vma_set_userfaultfd(vma, start, end, vma->vm_userfaultfd_ctx,
					  vma->vm_flags & __VM_UFFD_FLAGS & ~VM_UFFD_WP);
}

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
	return uffdwp_vma_set_userfaultfd(vma, start, end, NULL_VM_UFFD_CTX, 0);
}

/*
 * As uffd_lock_vma() of 6.8 and later: the VMA at an address, with its own lock for reading, which
 * keeps what it is registered with. NULL: it has to be looked for with mmap_lock.
 */
static inline struct vm_area_struct *uffdwp_lock_vma(struct mm_struct *mm, unsigned long addr)
{
#if UFFDWP_FILLS_UNDER_VMA_LOCK
	return uffdwp_call(lock_vma_under_rcu)(mm, addr);
#else
	return NULL;
#endif
}

static inline void uffdwp_unlock_vma(struct vm_area_struct *vma)
{
#if UFFDWP_FILLS_UNDER_VMA_LOCK
	vma_end_read(vma);
#endif
}

/* mmap_write_lock(), if nobody has mmap_lock; given back by mmap_write_unlock(). */
static inline bool uffdwp_mmap_write_trylock(struct mm_struct *mm)
{
#if UFFDWP_KERNEL_HAS_MMAP_WRITE_TRYLOCK
	return mmap_write_trylock(mm);
#else
	if (!down_write_trylock(&mm->mmap_lock))
		return false;
#if UFFDWP_KERNEL_HAS_MM_LOCK_SEQCOUNT
	mm_lock_seqcount_begin(mm);
#endif
	return true;
#endif
}

/* As /proc/PID/maps shows it; the VMA is of a file. */
static inline const struct inode *uffdwp_vma_inode(const struct vm_area_struct *vma)
{
#if UFFDWP_KERNEL_HAS_FILE_USER_INODE
	return file_user_inode(vma->vm_file);
#else
	return file_inode(vma->vm_file);
#endif
}

/* The first VMA of pages [first, last] of a file, and the next; i_mmap_rwsem is held. */
static inline struct vm_area_struct *uffdwp_file_vma_first(struct address_space *mapping,
							   pgoff_t first, pgoff_t last)
{
#if UFFDWP_KERNEL_HAS_MAPPING_RMAP
	return uffdwp_call(mapping_rmap_tree_iter_first)(mapping, first, last);
#else
	return uffdwp_call(vma_interval_tree_iter_first)(&mapping->i_mmap, first, last);
#endif
}

static inline struct vm_area_struct *uffdwp_file_vma_next(struct vm_area_struct *vma,
							  pgoff_t first, pgoff_t last)
{
#if UFFDWP_KERNEL_HAS_MAPPING_RMAP
	return uffdwp_call(mapping_rmap_tree_iter_next)(vma, first, last);
#else
	return uffdwp_call(vma_interval_tree_iter_next)(vma, first, last);
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
