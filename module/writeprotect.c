// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel is about to change the protection of memory of a tracker by itself:
 * change_protection() with MM_CP_UFFD_WP, from UFFDIO_WRITEPROTECT, and from PAGEMAP_SCAN where it
 * finds no page table; and with MM_CP_UFFD_WP_RESOLVE, from UFFDIO_WRITEPROTECT.
 *
 * Only calls on a userfaultfd that was handed in arm its memory, and those arm as ARM does: Linux
 * 6.1 protects what is populated and silently skips the rest, which would read as written for ever;
 * and no kernel checks for pins. Other calls arm and disarm nothing, and return what they would
 * without us: success where a userfaultfd of the process has the memory, and else -ENOENT
 * (stranger.c).
 *
 * Once the tracker arms no more (arming_ended), write protection is left to the kernel and answered
 * by the monitor of that userfaultfd. What we armed by then would not be disarmed any more.
 *
 * Left to the kernel: which ranges are refused, pending events, and which tasks to wake.
 *
 * The caller holds mmap_lock for reading and keeps its pointer to the VMA, so the lock must not be
 * dropped when it is contended: it is held for as long as the kernel's own function would.
 *
 * On 5.19 and later the caller's mmu_gather counts as a pending flush (mm_tlb_flush_pending()), so
 * arm_none() flushes once a table where there was nothing. One flush too many, never one too few.
 */
#include <linux/mm.h>
#include <linux/userfaultfd_k.h>

#include "arm.h"
#include "disarm.h"
#include "tracker.h"
#include "uffd_note.h"
#include "writeprotect.h"

/**
 * uffdwp_writeprotect_is_ours - is change_protection() to be replaced?
 * @vma: VMA; mmap_lock is held
 * @protect: MM_CP_UFFD_WP; else MM_CP_UFFD_WP_RESOLVE
 *
 * Return: whether uffdwp_writeprotect() is to be called instead.
 */
notrace bool uffdwp_writeprotect_is_ours(const struct vm_area_struct *vma, bool protect)
{
	const struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	if (!t)
		return false;
	if (uffdwp_tracker_is_hidden(t))
		return protect || uffdwp_uffd_call_is_strangers(t);
	return protect && !t->arming_ended;
}

/**
 * uffdwp_writeprotect - instead of change_protection() with MM_CP_UFFD_WP, in memory of a tracker
 * @vma: a VMA that is registered for write protection
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 *
 * The caller does not learn how far it came, and before 6.3 not even of the error: so on error
 * nothing in the range is left armed, and all of it reads as written.
 *
 * Return: 0; -ENOMEM when there was no memory for page tables; -EINTR when the task was killed;
 * -EIO as from uffdwp_walk_vma(); -ENOENT in memory of which the process does not know that it is
 * registered.
 */
long uffdwp_writeprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);
	unsigned long pos;
	int err;

	if (uffdwp_tracker_is_hidden(t))
		return -ENOENT;
	if (!t || !uffdwp_uffd_call_may_arm(t) || !uffdwp_vma_is_tracked(t, vma))
		return 0;
	err = uffdwp_arm_vma(t, vma, start, end, &pos);
	if (err)
		uffdwp_disarm_vma(vma, start, pos, UFFDWP_DISARM_ALL);
	return err;
}
