// SPDX-License-Identifier: GPL-2.0-only
/*
 * Riding along: memory that the process has registered with a userfaultfd of its own, for MISSING
 * or MINOR faults, is tracked through that very userfaultfd. A VMA has one userfaultfd and several
 * modes, so VM_UFFD_WP is added to those that are there. UFFDIO_REGISTER does not add a mode, and
 * is not used.
 *
 * All VMAs of that userfaultfd have the flag, or none has: one that only some had would divide
 * VMAs, and a UFFDIO_COPY over the border is -ENOENT. What the process registers later joins them.
 *
 * The process knows nothing of it:
 *
 *   faults			MISSING and MINOR faults are delivered as before. Write faults that
 *				meet an armed entry are resolved by our hooks, before the kernel
 *				comes to the monitor.
 *   calls that protect		UFFDIO_WRITEPROTECT is -ENOENT and UFFDIO_COPY_MODE_WP is -EINVAL,
 *				since the process has not registered the memory for that
 *				(stranger.c, writeprotect.c).
 *   UFFDIO_POISON		takes an empty entry for its own, but not a marker: what it is for
 *				is disarmed first (uffd_call.c).
 *   UFFDIO_REGISTER		with the modes that it has: the kernel leaves the VMA alone. With
 *				others it replaces the modes, ours with them, and the VMA joins
 *				anew. In any case the memory is written (registration.c). Linux 7.3
 *				refuses to take our mode, so we do. For write
 *				protection: the tracker ends first, for all of that userfaultfd,
 *				since VMAs that the process write-protects could not be told from
 *				those that we do.
 *   UFFDIO_UNREGISTER		takes all modes; what is taken is as if we had never been there
 *				before the kernel sees it, since Linux 6.1 gives all entries of a
 *				VMA with our mode another protection, armed or not
 *				(uffdwp_ride_let_go()).
 *   UFFDIO_MOVE		the tracker ends first, too: from where to where is known only once
 *				it is too late (move.c), and an armed swap entry that arrives would
 *				read as not written.
 *   fork()			without UFFD_FEATURE_EVENT_FORK, which ATTACH refuses, the child's
 *				VMAs have no userfaultfd and no bits.
 *   mremap()			with UFFD_FEATURE_EVENT_REMAP modes move along, and what was moved
 *				is written; else the kernel takes the VMA from the userfaultfd.
 *   close()			seen within a second (health.c).
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/userfaultfd_k.h>

#include "compat/hugetlb.h"
#include "compat/vma.h"
#include "device_tracker.h"
#include "disarm.h"
#include "health.h"
#include "kind.h"
#include "off_limits.h"
#include "register.h"
#include "ride.h"
#include "ring.h"
#include "tracker.h"
#include "uffd_note.h"

/**
 * uffdwp_ride_may_begin - does the process leave write protection to us?
 * @t: tracker, not published yet; mmap_lock is held for writing
 *
 * Return: whether it does.
 */
bool uffdwp_ride_may_begin(const struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;

	lockdep_assert_held_write(&t->mm->mmap_lock);
	uffdwp_for_each_vma(vma, t->mm, 0, ULONG_MAX)
		if (vma->vm_userfaultfd_ctx.ctx == t->ctx && userfaultfd_wp(vma))
			return false;
	return true;
}

/**
 * uffdwp_ride_may_go_on - ... also in a call that has begun before the tracker could be found?
 * @t: tracker, just published; mmap_lock is held for writing
 *
 * Such a UFFDIO_REGISTER may register for write protection later. It notes itself, has a full
 * barrier and looks for a tracker (uffdwp_ride_off()). We have published the tracker, take the
 * locks of all notes, each an atomic operation and so a full barrier, and look for its note: one of
 * us sees the other. So do UFFDIO_MOVE, and UFFDIO_UNREGISTER before uffdwp_ride_let_go().
 *
 * Return: whether there is no such call.
 */
bool uffdwp_ride_may_go_on(const struct uffdwp_tracker *t)
{
	return !uffdwp_uffd_call_is_taking(t->ctx);
}

/*
 * mmap_lock is held for writing. Whole VMAs: to register them cannot fail. Nothing in them is
 * armed, but for what an earlier userfaultfd has left on Linux 5.10: the caller disarms. Who takes
 * some of them just now, and has let go of them, does the same afterwards.
 */
static void join_all(struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;
	unsigned long pos = 0, start;

	/* A VMA may be merged with its neighbours when it is like them. */
	while ((vma = find_vma(t->mm, pos))) {
		start = vma->vm_start;
		pos = vma->vm_end;
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx ||
		    (vma->vm_flags & (VM_UFFD_WP | VM_UFFD_RWP)) || !uffdwp_kind_is_offered(vma) ||
		    uffdwp_is_taken(t->mm, t->ctx, start, pos))
			continue;
		uffdwp_register_populated(t, vma, start, pos);
		cond_resched();
	}
}

static unsigned int all_if_ridden(struct vm_area_struct *vma, const void *ctx)
{
	const struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	return t && t->rides && (!ctx || t->ctx == ctx) ? UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/**
 * uffdwp_ride_disarm - make a range written where trackers ride along
 * @mm: mm, by mmget(); mmap_lock is taken here
 * @start: first address
 * @end: last address, exclusive
 * @ctx: context of the userfaultfd that they ride on, or NULL: any
 *
 * Looked at VMA by VMA: what the process has taken back meanwhile is its own, and stays armed.
 */
void uffdwp_ride_disarm(struct mm_struct *mm, unsigned long start, unsigned long end,
			const void *ctx)
{
	uffdwp_disarm_range(mm, start, end, all_if_ridden, ctx);
}

/**
 * uffdwp_ride_begin - register all that the process has registered with its userfaultfd
 * @t: tracker that rides along, locked, its mm held by mmget(); mmap_lock is taken here
 *
 * Return: 0; -ENODEV when the process has taken it back; or -EINTR.
 */
int uffdwp_ride_begin(struct uffdwp_tracker *t)
{
	bool first, ended;

	if (mmap_write_lock_killable(t->mm))
		return -EINTR;
	ended = t->arming_ended;
	first = !t->joins && !ended;
	if (first) {
		t->joins = true;
		join_all(t);
	}
	mmap_write_unlock(t->mm);
	if (first) {
		uffdwp_ride_disarm(t->mm, 0, ULONG_MAX, t->ctx);
		uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING);
	}
	return ended ? -ENODEV : 0;
}

/**
 * uffdwp_ride_join - the process has registered memory with a userfaultfd of its own
 * @mm: its mm, by mmget(); mmap_lock is taken here
 * @ctx: context of that userfaultfd, which the caller keeps open
 */
void uffdwp_ride_join(struct mm_struct *mm, const void *ctx)
{
	struct uffdwp_tracker *t;

	mmap_write_lock(mm);
	t = uffdwp_tracker_of_ctx(ctx);
	if (t && t->joins && !t->arming_ended)
		join_all(t);
	mmap_write_unlock(mm);
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
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx)
			continue;
		uffdwp_vma_keep_out_faults(vma);
		if (!userfaultfd_wp(vma))
			continue;
		if (t->remaps)
			uffdwp_disarm_vma(vma, vma->vm_start, end, UFFDWP_DISARM_ALL);
		/* A whole VMA: cannot fail. */
		uffdwp_vma_unprotect(vma, vma->vm_start, end);
		cond_resched();
	}
}

static bool is_aligned(struct vm_area_struct *vma, unsigned long addr)
{
	return !is_vm_hugetlb_page(vma) || IS_ALIGNED(addr, 1UL << uffdwp_hugetlb_shift(vma));
}

/*
 * Will the kernel unregister this range? What it refuses is not to be divided, not for a moment.
 * userfaultfd_unregister() passes by gaps, and VMAs that have no userfaultfd, if they could have
 * one. Those of other userfaultfds it takes as well, and refuses since 7.0. It divides no page of
 * hugetlb.
 */
static bool is_to_be_unregistered(const struct uffdwp_tracker *t, unsigned long start,
				  unsigned long end)
{
	struct vm_area_struct *vma = find_vma(t->mm, start);

	if (!vma || vma->vm_start >= end || !is_aligned(vma, start))
		return false;
	uffdwp_for_each_vma(vma, t->mm, start, end) {
		const void *ctx = vma->vm_userfaultfd_ctx.ctx;

		if (!uffdwp_vma_can_userfault(vma, vma->vm_flags & __VM_UFFD_FLAGS, false) ||
		    (UFFDWP_UNREGISTER_ASKS_CTX && ctx && ctx != t->ctx))
			return false;
		if (ctx && (!is_aligned(vma, max(start, vma->vm_start)) ||
			    !is_aligned(vma, min(end, vma->vm_end))))
			return false;
	}
	return true;
}

/* Where there is no memory to divide a VMA, the rest is left to the kernel. */
static void unprotect(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long next;

	for (; (vma = find_vma(t->mm, start)) && vma->vm_start < end; start = next) {
		next = min(end, vma->vm_end);
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx || !userfaultfd_wp(vma))
			continue;
		uffdwp_vma_keep_out_faults(vma);
		if (uffdwp_vma_unprotect(vma, max(start, vma->vm_start), next))
			return;
		cond_resched();
	}
}

/* The same, and no VMA is divided. What of them is outside of the range may be armed. */
static void unprotect_whole(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	while ((vma = find_vma(t->mm, start)) && vma->vm_start < end) {
		start = vma->vm_end;
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx || !userfaultfd_wp(vma))
			continue;
		uffdwp_vma_keep_out_faults(vma);
		uffdwp_disarm_vma(vma, vma->vm_start, start, UFFDWP_DISARM_ALL);
		/* It may be merged with one before it: nothing to be done there. */
		uffdwp_vma_unprotect(vma, vma->vm_start, start);
		cond_resched();
	}
}

/**
 * uffdwp_ride_let_go - take write protection from a range of a userfaultfd of the process
 * @mm: its mm, by mmget(); mmap_lock is taken here
 * @ctx: context of that userfaultfd, which the caller keeps open
 * @start: first address
 * @end: last address, exclusive; the caller has made it off limits to arming
 * @whole: for UFFDIO_REGISTER, all VMAs that are there, and the caller has made everything off
 *	limits; else for UFFDIO_UNREGISTER, if the kernel will not refuse it
 *
 * What the kernel refuses to take then, or leaves, is to join again: uffdwp_ride_join().
 */
void uffdwp_ride_let_go(struct mm_struct *mm, const void *ctx, unsigned long start,
			unsigned long end, bool whole)
{
	struct uffdwp_tracker *t;

	uffdwp_ride_disarm(mm, start, end, ctx);
	mmap_write_lock(mm);
	t = uffdwp_tracker_of_ctx(ctx);
	if (t && t->joins && !t->arming_ended) {
		if (whole)
			unprotect_whole(t, start, end);
		else if (is_to_be_unregistered(t, start, end))
			unprotect(t, start, end);
	}
	mmap_write_unlock(mm);
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
 * The process has its memory back, and the tracker is found no more. It lets go of the userfaultfd
 * as well, which the process may close at any time. mmap_lock is held for writing.
 */
static struct file *get_off(struct uffdwp_tracker *t)
{
	uffdwp_count(t, pages_given_way, pages_ridden(t));
	uffdwp_ride_leave(t);
	uffdwp_tracker_unpublish(t);
	t->sync = true;
	uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING | UFFDWP_RING_ENDED);
	/* From here on nobody looks at the userfaultfd. */
	uffdwp_health_unlist(t);
	return uffdwp_device_tracker_take_uffd(t);
}

/**
 * uffdwp_ride_off - the process is about to write-protect with a userfaultfd of its own, or to move
 * @mm: its mm, by mmget(); mmap_lock is taken here
 * @ctx: context of that userfaultfd, which the caller keeps open
 *
 * If a tracker rides along on it, the process has all of its memory as without it when this
 * returns, and the tracker has none. The tracker may be closed, and another one be attached, at any
 * time here, so it is looked for again.
 */
void uffdwp_ride_off(struct mm_struct *mm, const void *ctx)
{
	struct file *uffd = NULL;
	struct uffdwp_tracker *t;
	u64 disarmed = 0;

	/* uffdwp_ride_may_go_on() */
	smp_mb();
	if (uffdwp_whose_ctx(ctx) != UFFDWP_HANDED_IN)
		return;
	for (;;) {
		mmap_write_lock(mm);
		t = uffdwp_tracker_of_ctx(ctx);
		if (!t || !t->rides)
			break;
		t->arming_ended = true;
		if (t->id == disarmed) {
			uffd = get_off(t);
			break;
		}
		disarmed = t->id;
		mmap_write_unlock(mm);
		uffdwp_ride_disarm(mm, 0, ULONG_MAX, ctx);
		cond_resched();
	}
	mmap_write_unlock(mm);
	if (uffd)
		fput(uffd);
}
