// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel is about to change the protection of memory of a tracker by itself:
 * change_protection() with MM_CP_UFFD_WP, of UFFDIO_WRITEPROTECT and of PAGEMAP_SCAN where it finds
 * no page table; and with MM_CP_UFFD_WP_RESOLVE, of UFFDIO_WRITEPROTECT.
 *
 * Only calls on a userfaultfd that was handed in arm its memory, and for those it is armed as by
 * ARM: Linux 6.1 protects what is populated and skips the rest without a word, which would read as
 * written for ever; and no kernel asks about pins. For others nothing is armed, nor disarmed, and
 * they are told what they would be told otherwise: that it is done where a userfaultfd of the
 * process has the memory, and else that it is not registered (stranger.c).
 *
 * Once the tracker arms no more, what its owner protects is between the owner and the reader of
 * that userfaultfd, and the kernel's own affair. What we put there by then nobody would take away.
 *
 * What is left to the kernel: which ranges are refused, events that are pending, and whom to wake.
 *
 * The caller holds mmap_lock for reading and keeps its pointer to the VMA, so the lock must not be
 * dropped for those who wait for it: it is held for as long as the kernel's own function would.
 *
 * On 5.19 and later the caller's mmu_gather counts as a flush that is owed
 * (mm_tlb_flush_pending()), so arm_none() flushes once a table where there was nothing. One flush
 * too many, never one too few.
 */
#include <linux/mm.h>
#include <linux/userfaultfd_k.h>

#include "arm.h"
#include "tracker.h"
#include "uffd_call.h"
#include "writeprotect.h"

/**
 * uffdwp_writeprotect_is_ours - is change_protection() not to do what it is called for?
 * @vma: VMA; mmap_lock is held
 * @protect: it is to protect; else it is to take protection away
 *
 * Return: whether uffdwp_writeprotect() is to be called instead.
 */
notrace bool uffdwp_writeprotect_is_ours(const struct vm_area_struct *vma, bool protect)
{
	const struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);

	if (!t)
		return false;
	if (uffdwp_tracker_is_private(t))
		return protect || uffdwp_uffd_call_is_strangers(t);
	return protect && !t->arming_ended;
}

/**
 * uffdwp_writeprotect - instead of change_protection() with MM_CP_UFFD_WP, in memory of a tracker
 * @vma: a VMA that is registered for write protection
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 *
 * An error does not tell how far it came, and before 6.3 it is not even told: then nothing in the
 * range is left armed, and all of it reads as written.
 *
 * Return: 0; -ENOMEM when there was no memory for page tables; -EINTR when the task was killed;
 * -EIO as from uffdwp_walk_vma(); -ENOENT in memory that only the tracker knows of.
 */
long uffdwp_writeprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);
	unsigned long pos;
	int err;

	if (uffdwp_tracker_is_private(t))
		return -ENOENT;
	if (!t || !uffdwp_uffd_call_may_arm(t) || !uffdwp_vma_is_tracked(t, vma))
		return 0;
	err = uffdwp_arm_vma(t, vma, start, end, &pos);
	if (err)
		uffdwp_disarm_tables(vma, start, pos);
	return err;
}
