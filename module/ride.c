// SPDX-License-Identifier: GPL-2.0-only
/*
 * Riding along: memory that the process has registered with a userfaultfd of its own, for MISSING
 * or MINOR faults, is tracked through that very userfaultfd. A VMA has one userfaultfd and several
 * modes, so VM_UFFD_WP is added to those that are there. UFFDIO_REGISTER does not add a mode, and
 * is not used: what it does besides, we do (register.c).
 *
 * The process knows nothing of it:
 *
 *   faults			MISSING and MINOR faults are delivered as before. Write faults that
 *				meet an armed entry are resolved by our hooks, before the kernel
 *				comes to the monitor.
 *   calls that protect		UFFDIO_WRITEPROTECT is -ENOENT and UFFDIO_COPY_MODE_WP is -EINVAL,
 *				since the process has not registered the memory for that
 *				(stranger.c, writeprotect.c).
 *   UFFDIO_REGISTER		with the modes that it has: the kernel leaves the VMA alone. With
 *				others it replaces the modes, ours with them: the memory is
 *				tracked no more. In any case it is written (registration.c). For
 *				write protection: the tracker ends first, for all of that
 *				userfaultfd, since VMAs that the process write-protects could not be
 *				told from those that we do.
 *   UFFDIO_UNREGISTER		takes all modes; nothing stays armed.
 *   fork()			without UFFD_FEATURE_EVENT_FORK, which ATTACH refuses, the child's
 *				VMAs have no userfaultfd and no bits.
 *   mremap()			with UFFD_FEATURE_EVENT_REMAP modes and bits move along; else the
 *				kernel takes the VMA from the userfaultfd.
 *   close()			seen within a second (health.c).
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/userfaultfd_k.h>

#include "compat/vma.h"
#include "disarm.h"
#include "ride.h"
#include "ring.h"
#include "tracker.h"
#include "uffd_note.h"

/**
 * uffdwp_ride_check - does the process leave write protection to us?
 * @t: tracker, just published; mmap_lock is held for writing
 *
 * A UFFDIO_REGISTER that has begun before the tracker was published has not found it, and may
 * register for write protection later; later ones find it. Either that call has taken the lock of
 * its note's bucket before us, and we see its note, or it sees the tracker.
 *
 * Return: 0; -EBUSY when it does not; or -EAGAIN when that may change just now.
 */
int uffdwp_ride_check(const struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;

	lockdep_assert_held_write(&t->mm->mmap_lock);
	uffdwp_for_each_vma(vma, t->mm, 0, ULONG_MAX)
		if (vma->vm_userfaultfd_ctx.ctx == t->ctx && userfaultfd_wp(vma))
			return -EBUSY;
	return uffdwp_uffd_call_is_registering(t->ctx) ? -EAGAIN : 0;
}

/**
 * uffdwp_ride_wants - may a tracker that rides along have this VMA, and has it not yet?
 * @t: tracker
 * @vma: a VMA of its mm; mmap_lock is held
 *
 * Return: whether it may.
 */
bool uffdwp_ride_wants(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	return vma->vm_userfaultfd_ctx.ctx == t->ctx && !(vma->vm_flags & VM_UFFD_WP);
}

/**
 * uffdwp_ride_leave - take write protection from all VMAs that a tracker rides along in
 * @t: tracker that arms no more; mmap_lock is held for writing
 *
 * Nothing in them is armed, but for what mremap() has moved meanwhile.
 */
void uffdwp_ride_leave(struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;
	unsigned long pos = 0, end;

	lockdep_assert_held_write(&t->mm->mmap_lock);
	/* A VMA may be merged with its neighbours when it is like them again. */
	for (; (vma = find_vma(t->mm, pos)); pos = end) {
		end = vma->vm_end;
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx || !userfaultfd_wp(vma))
			continue;
		uffdwp_vma_keep_out_faults(vma);
		if (t->remaps)
			uffdwp_disarm_vma(vma, vma->vm_start, end, UFFDWP_DISARM_ALL);
		/* A whole VMA: cannot fail. */
		uffdwp_vma_unprotect(vma, vma->vm_start, end);
		cond_resched();
	}
}

static unsigned int all_of_ctx(struct vm_area_struct *vma, const void *ctx)
{
	return vma->vm_userfaultfd_ctx.ctx == ctx ? UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

static u64 pages_ridden(const struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;
	u64 pages = 0;

	uffdwp_for_each_vma(vma, t->mm, 0, ULONG_MAX)
		if (uffdwp_vma_is_tracked(t, vma))
			pages += vma_pages(vma);
	return pages;
}

/*
 * mmap_lock is held for writing. @disarmed: id of the tracker whose memory was disarmed before.
 * Return: whether that is to be done, and this to be called again.
 */
static bool step_off(struct uffdwp_tracker *t, u64 *disarmed)
{
	if (!t || !t->rides || t->sync)
		return false;
	t->arming_ended = true;
	if (t->id != *disarmed) {
		*disarmed = t->id;
		return true;
	}
	uffdwp_count(t, pages_given_way, pages_ridden(t));
	uffdwp_ride_leave(t);
	t->sync = true;
	return false;
}

/**
 * uffdwp_ride_off - the process is about to write-protect with a userfaultfd of its own
 * @mm: its mm, by mmget(); mmap_lock is taken here
 * @ctx: context of that userfaultfd, which the caller keeps open
 *
 * If a tracker rides along on it, the process has all of its memory as without it when this
 * returns. The tracker is ended within a second (health.c): it may be closed, and another one be
 * attached, at any time here, so it is looked for again.
 */
void uffdwp_ride_off(struct mm_struct *mm, const void *ctx)
{
	u64 disarmed = 0;
	bool more;

	for (;;) {
		mmap_write_lock(mm);
		more = step_off(uffdwp_tracker_of_ctx(ctx), &disarmed);
		mmap_write_unlock(mm);
		if (!more)
			return;
		uffdwp_disarm_range(mm, 0, ULONG_MAX, all_of_ctx, ctx);
		cond_resched();
	}
}
