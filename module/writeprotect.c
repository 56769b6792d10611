// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_WRITEPROTECT on a userfaultfd that was handed in. Linux 6.1 protects what is populated and
 * skips the rest without a word, which would read as written for ever. Here it arms like ARM does.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>

#include "arm.h"
#include "tracker.h"
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

/**
 * uffdwp_writeprotect - arm a range on behalf of UFFDIO_WRITEPROTECT
 * @mm: address space, held by the caller of the ioctl
 * @start: first address, aligned
 * @len: bytes, aligned, not 0
 * @changing: of the userfaultfd: events that its reader has not read yet
 *
 * A tracker that is found with mmap_lock held stays until it is dropped (tracker.c).
 *
 * Return: 0; -EXDEV when the range begins in memory that is not ours, for the kernel's own function
 * to handle; -EAGAIN and -ENOENT as from that function; -ENOMEM when there was no memory for
 * tables.
 */
int uffdwp_writeprotect(struct mm_struct *mm, unsigned long start, unsigned long len,
			const uffdwp_mmap_changing *changing)
{
	unsigned long pos = start, end = start + len;
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
