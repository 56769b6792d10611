// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_WRITEPROTECT on a userfaultfd that was handed in, or that is tracked by itself
 * (native_api.c). Linux 6.1 protects what is populated and skips the rest without a word, which
 * would read as written for ever. Here it arms like ARM does.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/signal.h>

#include "arm.h"
#include "compat/hugetlb.h"
#include "compat/symbols.h"
#include "tracker.h"
#include "userfault.h"
#include "walk.h"
#include "writeprotect.h"

/* The tracker of every mapping in the range, or why there is none. */
static struct uffdwp_tracker *tracker_of_range(struct mm_struct *mm, unsigned long start,
					       unsigned long end)
{
	struct uffdwp_tracker *t = NULL;
	struct vm_area_struct *vma;

	for (; start < end; start = vma->vm_end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start > start)
			return ERR_PTR(t ? -ENOENT : -EXDEV);
		if (!t)
			t = uffdwp_tracker_of_vma(vma);
		if (!t || !uffdwp_vma_is_tracked(t, vma))
			return ERR_PTR(t ? -ENOENT : -EXDEV);
	}
	return t;
}

/* An error does not tell how far it came: whoever gets one may rely on nothing in the range. */
static void take_back(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	uffdwp_for_each_vma(vma, mm, start, end)
		if (uffdwp_tracker_of_vma(vma))
			uffdwp_disarm(vma, max(start, vma->vm_start), min(end, vma->vm_end));
}

static int arm_handed_in(struct mm_struct *mm, unsigned long start, unsigned long end,
			 const uffdwp_mmap_changing *changing)
{
	unsigned long pos = start;
	struct uffdwp_tracker *t;
	int next;

	do {
		mmap_read_lock(mm);
		t = tracker_of_range(mm, pos, end);
		if (IS_ERR(t))
			next = PTR_ERR(t);
		else if (uffdwp_mmap_is_changing(changing))
			next = -EAGAIN;
		else
			next = uffdwp_arm(t, pos, end, &pos);
		if (next < 0)
			take_back(mm, start, pos);
		mmap_read_unlock(mm);
	} while (next == UFFDWP_WALK_PAUSE);
	return next;
}

/* What mwriteprotect_range() of Linux 6.12 asks of a mapping, and that it is the caller's. */
static int check_native(const struct uffdwp_tracker *t, struct vm_area_struct *vma,
			unsigned long start, unsigned long len)
{
	if (!uffdwp_vma_is_tracked(t, vma))
		return -ENOENT;
	if (is_vm_hugetlb_page(vma) && !IS_ALIGNED(start | len, 1UL << uffdwp_hugetlb_shift(vma)))
		return -EINVAL;
	return 0;
}

/*
 * Linux 6.12 goes from mapping to mapping, does not mind what is not mapped, and stops at the first
 * mapping that it cannot protect: what comes before that is protected.
 *
 * A native tracker is found anew whenever mmap_lock was taken: that of a forked child may end
 * before its userfaultfd does (native_fork.c), and with it gone nothing of the memory is the
 * caller's.
 */
static int arm_native(struct mm_struct *mm, unsigned long start, unsigned long len,
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
			err = check_native(t, vma, start, len);
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
	/* -ENOENT: nothing is mapped in what was left */
	return next && next != -ENOENT ? next : err;
}

/* Nobody waits for a write fault there, and a write that faults all the same is resolved. */
static int disarm_async(struct uffdwp_tracker *t, unsigned long start, unsigned long len,
			const uffdwp_mmap_changing *changing)
{
	struct vm_area_struct *vma;
	int err = -ENOENT;

	lockdep_assert_held(&t->mm->mmap_lock);
	if (uffdwp_mmap_is_changing(changing))
		return -EAGAIN;
	uffdwp_for_each_vma(vma, t->mm, start, start + len) {
		err = check_native(t, vma, start, len);
		if (err)
			break;
		uffdwp_disarm_part(vma, max(start, vma->vm_start), min(start + len, vma->vm_end));
	}
	return err;
}

/*
 * The function of the kernel does one mapping at a time, and takes mmap_lock itself. If somebody
 * has split the mapping in between, it finds none that is as long as what it was told: -ENOENT.
 */
static int disarm_native(UFFDWP_MWRITEPROTECT_PARAMETERS)
{
	const unsigned long first = start, whole = len, end = start + len;
	const uffdwp_mmap_changing *events = UFFDWP_MWRITEPROTECT_CHANGING;
	struct mm_struct *of = UFFDWP_MWRITEPROTECT_MM;
	unsigned long not_found = 0;
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;
	int err = uffdwp_mmap_is_changing(events) ? -EAGAIN : -ENOENT;

	while (start < end && err != -EAGAIN) {
		mmap_read_lock(of);
		t = uffdwp_userfault_of_field(of, events);
		if (t && !t->sync) {
			err = disarm_async(t, first, whole, events);
			mmap_read_unlock(of);
			return err;
		}
		vma = find_vma(of, start);
		if (!t || !vma || vma->vm_start >= end) {
			mmap_read_unlock(of);
			break;
		}
		err = check_native(t, vma, first, whole);
		start = max(start, vma->vm_start);
		len = min(end, vma->vm_end) - start;
		mmap_read_unlock(of);
		if (err)
			break;
		err = uffdwp_call(mwriteprotect_range)(UFFDWP_MWRITEPROTECT_ARGUMENTS);
		if (err == -ENOENT && start + len != not_found && !fatal_signal_pending(current)) {
			not_found = start + len;
			continue;
		}
		if (err)
			break;
		start += len;
	}
	return err;
}

/**
 * uffdwp_writeprotect - UFFDIO_WRITEPROTECT
 * @UFFDWP_MWRITEPROTECT_PARAMETERS: those of mwriteprotect_range(), as in compat/hooked.h
 *
 * The range is aligned and not empty, and the caller holds the address space by mmget(). A tracker
 * that is found with mmap_lock held stays until it is dropped (tracker.c).
 *
 * Return: 0; -EXDEV when there is nothing for us to do, and the kernel's own function is to be
 * called; -EAGAIN, -ENOENT and -EINVAL as from that function; -ENOMEM when there was no memory for
 * tables; -EINTR when the task was killed.
 */
int uffdwp_writeprotect(UFFDWP_MWRITEPROTECT_PARAMETERS)
{
	const uffdwp_mmap_changing *events = UFFDWP_MWRITEPROTECT_CHANGING;
	struct mm_struct *of = UFFDWP_MWRITEPROTECT_MM;
	const bool native = uffdwp_userfault_of_field(of, events);

	if (native && uffdwp_broken(UFFDWP_BREAK_NATIVE_PROTECT))
		return -EXDEV;
	if (native && enable_wp)
		return arm_native(of, start, len, events);
	if (native)
		return disarm_native(UFFDWP_MWRITEPROTECT_ARGUMENTS);
	return enable_wp ? arm_handed_in(of, start, start + len, events) : -EXDEV;
}
