// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving way: a VMA has one userfaultfd, and the process that is tracked comes first. When it names
 * memory of a tracker in UFFDIO_REGISTER or UFFDIO_UNREGISTER, the tracker loses that memory, and
 * the call does what it would do without us. What was lost reads as UNTRACKED and WRITTEN, and is
 * counted in pages_given_way of STATS.
 *
 * A private tracker gives way, since the process cannot know of its userfaultfd; and one that was
 * handed in and is closed since, whose memory health.c is about to let go. One that is open, or
 * that has asked for a feature of native_abi=1, is the process's own, and the kernel's rules hold.
 *
 * UFFDIO_UNREGISTER by another userfaultfd: without us the VMA would have no userfaultfd, which
 * every kernel skips with success. Linux 5.10 to 6.12 would unregister it from ours in silence, and
 * 7.2 would return -EINVAL. To skip it as well would take one call for each part of the range, and
 * the caller could not be told which of them has failed.
 *
 * The kernel's other reasons to refuse are checked first, under the same mmap_lock; so nothing is
 * lost for a request that was never valid. One that fails later with -ENOMEM is not undone.
 *
 * No bit is left, since a write to it would be a fault for the monitor of the process's
 * userfaultfd. To walk a large range takes long, so it is disarmed first, with pauses (hold.c).
 * What follows under mmap_lock held for writing is short: the range is checked again, and is taken
 * if no tracker has armed anything since (pages_armed, which is counted under the page-table lock
 * that an entry is armed under); otherwise all is tried again. If a tracker never stops arming, the
 * last try disarms under one long hold.
 *
 * Once faults are kept out of the VMA, each write fault that has found the tracker is over; and a
 * command of the tracker, which takes mmap_lock, finds the VMA unregistered.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/userfaultfd_k.h>

#include "compat/vma.h"
#include "device_tracker.h"
#include "disarm.h"
#include "events.h"
#include "giveway.h"
#include "tracker.h"

/* The tracker of this VMA, if it is one that gives way unless it keeps; or NULL. */
static struct uffdwp_tracker *tracker_to_ask(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	return t && (uffdwp_tracker_is_private(t) || uffdwp_device_tracker_is_left(t)) ? t : NULL;
}

/**
 * uffdwp_claim_meets_tracker - is tracked memory of another userfaultfd in the range?
 * @mm: mm
 * @claim: what the process asks for
 *
 * Return: whether there is, at this moment.
 */
bool uffdwp_claim_meets_tracker(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(mm);
	uffdwp_for_each_vma(vma, mm, claim->start, claim->end) {
		found = vma->vm_userfaultfd_ctx.ctx != claim->ctx &&
			uffdwp_async_tracker_of_vma(vma);
		if (found)
			break;
	}
	mmap_read_unlock(mm);
	return found;
}

static bool cuts_hugetlb(struct vm_area_struct *vma, unsigned long border)
{
	return is_vm_hugetlb_page(vma) && border > vma->vm_start && border < vma->vm_end &&
	       !IS_ALIGNED(border, vma_kernel_pagesize(vma));
}

/* Does the kernel pass over VMAs of other userfaultfds? userfaultfd_register(), _unregister() */
static bool others_may_stay(const struct uffdwp_claim *claim)
{
	return !claim->mode && !UFFDWP_UNREGISTER_ASKS_CTX;
}

/*
 * What would the kernel return if the VMA were not a tracker's? In the order of
 * userfaultfd_register(). userfaultfd_unregister() checks the end in hugetlb only when it gets
 * there, with all below unregistered: that is left to it.
 */
static int check_vma(const struct uffdwp_claim *claim, struct vm_area_struct *vma)
{
	const struct uffdwp_tracker *t = tracker_to_ask(vma);
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;
	unsigned long mode = claim->mode;

	/* UFFDIO_UNREGISTER checks the modes of the VMA: without us it would have none. */
	if (!mode && !t)
		mode = vma->vm_flags & __VM_UFFD_FLAGS;
	if (!uffdwp_vma_can_userfault(vma, mode, claim->async))
		return -EINVAL;
	if (claim->mode && !(vma->vm_flags & VM_MAYWRITE))
		return -EPERM;
	if (claim->mode && cuts_hugetlb(vma, claim->end))
		return -EINVAL;
	if (t ? t->keep : ctx && ctx != claim->ctx && !others_may_stay(claim))
		return -EBUSY;
	/* Of its own what it has protected is not to be left so. A tracker that rides lets go. */
	if (UFFDWP_REGISTER_KEEPS_WP && claim->mode && ctx == claim->ctx &&
	    (vma->vm_flags & ~claim->mode & (VM_UFFD_WP | VM_UFFD_RWP)) &&
	    !uffdwp_ctx_is_ridden(ctx))
		return -EBUSY;
	return 0;
}

/* Both calls check the start against the page size of the first VMA, wherever that begins. */
static bool begins_well(const struct uffdwp_claim *claim, struct vm_area_struct *first)
{
	return !is_vm_hugetlb_page(first) ||
	       IS_ALIGNED(claim->start, vma_kernel_pagesize(first));
}

static int check_vmas(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	struct vm_area_struct *vma = find_vma(mm, claim->start);
	int err;

	if (vma && vma->vm_start < claim->end && !begins_well(claim, vma))
		return -EINVAL;
	uffdwp_for_each_vma(vma, mm, claim->start, claim->end) {
		err = check_vma(claim, vma);
		if (err)
			return err;
	}
	return 0;
}

/* With pauses only whole PMDs are disarmed; the rest under mmap_lock held for writing. */
static unsigned long first_whole(const struct uffdwp_claim *claim)
{
	return round_up(claim->start, PMD_SIZE);
}

static unsigned long end_of_whole(const struct uffdwp_claim *claim)
{
	return round_down(claim->end, PMD_SIZE);
}

/*
 * Zero pages that faults on markers have mapped go, too. In mlocked memory they are the process's
 * own, and in that of a userfaultfd that it had handed in it expects them.
 */
static unsigned int how_to_clean(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	return uffdwp_tracker_is_private(t) && !uffdwp_vma_is_populated(vma) ?
	       UFFDWP_DISARM_UNMAP : UFFDWP_DISARM_ALL;
}

static unsigned int all_if_given(struct vm_area_struct *vma, const void *arg)
{
	const struct uffdwp_tracker *t = tracker_to_ask(vma);

	return t && !t->keep ? how_to_clean(t, vma) : UFFDWP_DISARM_NOTHING;
}

/*
 * Unmaps the zero pages that the tracker has armed unpopulated memory with: with them there would
 * be no MISSING fault, and UFFDIO_COPY would return -EEXIST: with this mode, or with one that is
 * registered later.
 */
static void clean_with_pauses(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	if (first_whole(claim) < end_of_whole(claim))
		uffdwp_disarm_range(mm, first_whole(claim), end_of_whole(claim), all_if_given,
				    NULL);
}

/* What trackers had armed before the range was disarmed, for as many as are likely to share it. */
#define SNAPSHOTS 4

struct snapshot {
	u64 id;
	u64 armed;
};

static void take_snapshots(struct mm_struct *mm, const struct uffdwp_claim *claim,
			   struct snapshot *snapshots)
{
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;
	unsigned int i;

	memset(snapshots, 0, SNAPSHOTS * sizeof(*snapshots));
	mmap_read_lock(mm);
	uffdwp_for_each_vma(vma, mm, claim->start, claim->end) {
		t = tracker_to_ask(vma);
		for (i = 0; t && i < SNAPSHOTS && snapshots[i].id != t->id; i++) {
			if (snapshots[i].id)
				continue;
			snapshots[i].id = t->id;
			snapshots[i].armed = uffdwp_total(t, pages_armed);
			break;
		}
	}
	mmap_read_unlock(mm);
}

/* Has the tracker armed nothing since? mmap_lock is held for writing. */
static bool is_as_it_was(const struct uffdwp_tracker *t, const struct snapshot *snapshots)
{
	unsigned int i;

	for (i = 0; i < SNAPSHOTS; i++)
		if (snapshots[i].id == t->id)
			return snapshots[i].armed == uffdwp_total(t, pages_armed);
	return false;
}

static bool all_are_as_they_were(struct mm_struct *mm, const struct uffdwp_claim *claim,
				 const struct snapshot *snapshots)
{
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;

	uffdwp_for_each_vma(vma, mm, claim->start, claim->end) {
		t = tracker_to_ask(vma);
		if (t && !is_as_it_was(t, snapshots))
			return false;
	}
	return true;
}

static void clean_range(const struct uffdwp_tracker *t, struct vm_area_struct *vma,
			unsigned long start, unsigned long end)
{
	if (start < end)
		uffdwp_disarm_vma(vma, start, end, how_to_clean(t, vma) | UFFDWP_DISARM_SPLIT);
}

static long give_vma(const struct uffdwp_claim *claim, const struct snapshot *snapshots,
		     struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
		     unsigned long end)
{
	const unsigned long first = first_whole(claim), last = end_of_whole(claim);
	const long pages = (end - start) >> PAGE_SHIFT;
	const struct uffdwp_memory memory = uffdwp_memory_of(vma);
	int err;

	uffdwp_vma_keep_out_faults(vma);
	if (first < last && is_as_it_was(t, snapshots)) {
		clean_range(t, vma, start, min(end, first));
		clean_range(t, vma, max(start, last), end);
	} else {
		clean_range(t, vma, start, end);
	}
	uffdwp_tracker_forget(t, start, end);
	err = uffdwp_vma_unregister(vma, start, end);
	if (err)
		return err;
	uffdwp_count(t, pages_given_way, pages);
	uffdwp_tell_event(t, &memory, UFFDWP_EVENT_LEFT, start, end);
	return pages;
}

/* The kernel is about to take it from a handed-in userfaultfd: its tracker is told of that, too. */
static void tell_of_loss(const struct uffdwp_claim *claim, const struct vm_area_struct *vma,
			 unsigned long pages)
{
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	if (t && t->ctx != claim->ctx)
		uffdwp_count(t, pages_given_way, pages);
}

static long give_all(struct mm_struct *mm, const struct uffdwp_claim *claim,
		     const struct snapshot *snapshots)
{
	unsigned long pos = claim->start, end;
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;
	long given = 0, pages;

	/* A VMA that was given may have been merged. */
	for (; pos < claim->end; pos = end) {
		vma = find_vma(mm, pos);
		if (!vma || vma->vm_start >= claim->end)
			break;
		pos = max(pos, vma->vm_start);
		end = min(claim->end, vma->vm_end);
		t = tracker_to_ask(vma);
		/* A page of hugetlb cannot be split between two VMAs. */
		if (t && cuts_hugetlb(vma, end))
			end = round_up(end, vma_kernel_pagesize(vma));
		if (t) {
			pages = give_vma(claim, snapshots, t, vma, pos, end);
			if (pages < 0)
				return pages;
			given += pages;
		} else {
			tell_of_loss(claim, vma, (end - pos) >> PAGE_SHIFT);
		}
		cond_resched();
	}
	return given;
}

/* Before anything is disarmed: a request that is refused changes nothing. */
static int check_claim(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	int err = mmap_read_lock_killable(mm);

	if (err)
		return err;
	err = check_vmas(mm, claim);
	mmap_read_unlock(mm);
	return err;
}

/* The last try disarms under one long hold of mmap_lock. */
#define TRIES 4

/**
 * uffdwp_give_way - let the process have the memory of trackers
 * @mm: mm
 * @claim: what it asks for; its range is aligned
 *
 * Return: pages that are no longer tracked; 0 when there were none; -EINVAL, -EPERM or -EBUSY when
 * the kernel would refuse the request in any case, and -EBUSY when a tracker does not give way:
 * nothing was given; -ENOMEM when a VMA could not be split: what is below it was given; -EINTR when
 * the task was killed.
 */
long uffdwp_give_way(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	struct snapshot snapshots[SNAPSHOTS];
	unsigned int try;
	long ret;

	for (try = 1;; try++) {
		ret = check_claim(mm, claim);
		if (ret)
			return ret;
		take_snapshots(mm, claim, snapshots);
		clean_with_pauses(mm, claim);
		if (mmap_write_lock_killable(mm))
			return -EINTR;
		if (try == TRIES || all_are_as_they_were(mm, claim, snapshots))
			break;
		mmap_write_unlock(mm);
	}
	ret = check_vmas(mm, claim) ?: give_all(mm, claim, snapshots);
	mmap_write_unlock(mm);
	return ret;
}
