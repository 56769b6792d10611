// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_abi=1: UFFDIO_WRITEPROTECT as Linux 6.4 and 6.7 have it, over several VMAs and unpopulated
 * memory, on a userfaultfd that is itself a tracker (backport/api.c).
 */
#include "backport/backport.h"

#if !UFFDWP_KERNEL_HAS_WP_ASYNC
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/signal.h>

#include "arm.h"
#include "compat/hugetlb.h"
#include "compat/symbols.h"
#include "disarm.h"
#include "tracker.h"
#include "userfault.h"
#include "walk.h"

/* What mwriteprotect_range() of Linux 6.12 checks of a VMA, and that it is the caller's. */
static int check_backport(const struct uffdwp_tracker *t, struct vm_area_struct *vma,
			unsigned long start, unsigned long len)
{
	if (!uffdwp_vma_is_tracked(t, vma))
		return -ENOENT;
	if (is_vm_hugetlb_page(vma) && !IS_ALIGNED(start | len, 1UL << uffdwp_hugetlb_shift(vma)))
		return -EINVAL;
	return 0;
}

/*
 * Linux 6.12 goes from VMA to VMA, skips gaps, and stops at the first VMA that it cannot protect:
 * those before it are protected.
 *
 * The tracker is looked up each time that mmap_lock was taken: that of a forked child may end
 * before its userfaultfd does (backport/fork.c), and without it no memory is the caller's.
 */
static int arm_backport(struct mm_struct *mm, unsigned long start, unsigned long len,
		      const uffdwp_mmap_changing *changing)
{
	const unsigned long end = start + len;
	unsigned long pos = start, stop;
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;
	int next, err;

	do {
		mmap_read_lock(mm);
		t = uffdwp_userfault_of_field(mm, changing);
		if (!t) {
			mmap_read_unlock(mm);
			return -ENOENT;
		}
		err = pos == start ? -ENOENT : 0;
		stop = end;
		uffdwp_for_each_vma(vma, mm, pos, stop) {
			err = check_backport(t, vma, start, len);
			if (err)
				stop = max(pos, vma->vm_start);
		}
		if (uffdwp_mmap_is_changing(changing)) {
			err = -EAGAIN;
			stop = pos;
		}
		next = pos < stop ? uffdwp_arm(t, pos, stop, &pos) : UFFDWP_WALK_ON;
		mmap_read_unlock(mm);
	} while (next == UFFDWP_WALK_PAUSE);
	/* -ENOENT: no VMA in what was left */
	return next && next != -ENOENT ? next : err;
}

/* With WP_ASYNC no write fault waits, so none is to be woken. */
static int disarm_async(struct uffdwp_tracker *t, unsigned long start, unsigned long len,
			const uffdwp_mmap_changing *changing)
{
	struct vm_area_struct *vma;
	int err = -ENOENT;

	lockdep_assert_held(&t->mm->mmap_lock);
	if (uffdwp_mmap_is_changing(changing))
		return -EAGAIN;
	uffdwp_for_each_vma(vma, t->mm, start, start + len) {
		err = check_backport(t, vma, start, len);
		if (err)
			break;
		uffdwp_disarm_vma(vma, max(start, vma->vm_start), min(start + len, vma->vm_end),
				  UFFDWP_DISARM_ALL | UFFDWP_DISARM_SPLIT);
	}
	return err;
}

/*
 * The kernel's mwriteprotect_range() does one VMA, and takes mmap_lock itself. If the VMA was split
 * in between, it finds none that spans the range: -ENOENT. Then look again, once for each end.
 */
static int disarm_native(struct mm_struct *mm, unsigned long start, unsigned long len,
			 uffdwp_mmap_changing *changing)
{
	const unsigned long first = start, whole = len, end = start + len;
	unsigned long not_found = 0;
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;
	int err = uffdwp_mmap_is_changing(changing) ? -EAGAIN : -ENOENT;

	while (start < end && err != -EAGAIN) {
		mmap_read_lock(mm);
		t = uffdwp_userfault_of_field(mm, changing);
		if (t && !t->sync) {
			err = disarm_async(t, first, whole, changing);
			mmap_read_unlock(mm);
			return err;
		}
		vma = find_vma(mm, start);
		if (!t || !vma || vma->vm_start >= end) {
			mmap_read_unlock(mm);
			break;
		}
		err = check_backport(t, vma, first, whole);
		start = max(start, vma->vm_start);
		len = min(end, vma->vm_end) - start;
		mmap_read_unlock(mm);
		if (err)
			break;
		err = uffdwp_call(mwriteprotect_range)(mm, start, len, false, changing);
		if (err == -ENOENT && start + len != not_found && !fatal_signal_pending(current)) {
			not_found = start + len;
			continue;
		}
		if (err)
			break;
		start += len;
		cond_resched();
	}
	return err;
}

/**
 * uffdwp_backport_writeprotect - instead of mwriteprotect_range(), on a userfaultfd that is tracked
 * @mm: its mm, by mmget() of the caller
 * @start: first address, aligned
 * @len: bytes, aligned and not 0
 * @enable_wp: protect, or take the protection away
 * @changing: its mmap_changing, a field of its context
 *
 * A tracker that is found with mmap_lock held stays until it is dropped (tracker.c).
 *
 * Return: 0; -EXDEV when the userfaultfd has no tracker, and the kernel's own function is to be
 * called; -EAGAIN, -ENOENT and -EINVAL as from that function; -ENOMEM when there was no memory for
 * tables; -EINTR when the task was killed.
 */
int uffdwp_backport_writeprotect(struct mm_struct *mm, unsigned long start, unsigned long len,
			       bool enable_wp, uffdwp_mmap_changing *changing)
{
	if (!uffdwp_userfault_of_field(mm, changing))
		return -EXDEV;
	return enable_wp ? arm_backport(mm, start, len, changing) :
			   disarm_native(mm, start, len, changing);
}
#endif
