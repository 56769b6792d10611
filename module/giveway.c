// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving way: a VMA has one userfaultfd, and the process that is tracked comes first. When it names
 * memory of a tracker in UFFDIO_REGISTER or UFFDIO_UNREGISTER, the tracker loses that memory, and
 * the process finds what it would find without us. What was lost reads as UNTRACKED and WRITTEN,
 * and pages_given_way of STATS tells of it.
 *
 * Only a tracker whose userfaultfd the module has made gives way, since the process cannot know of
 * that one. A userfaultfd that was handed in, or that has asked for a feature of native_abi=1, is
 * the process's own, and there the kernel decides, as ever.
 *
 * UFFDIO_UNREGISTER by a foreign userfaultfd: without us the memory would be registered with none,
 * which every kernel skips and calls a success. Linux 5.10 to 6.12 would take it from us without a
 * word, and 7.2 would say -EINVAL. To skip it as well would take one call for each part of the
 * range, and the caller could not be told which of them has failed.
 *
 * It is checked first, under the same mmap_lock, that the kernel has no other reason to refuse; so
 * nothing is lost for a request that was never valid. One that fails later for want of memory is
 * not undone.
 *
 * No bit is left, since in memory of the process's own userfaultfd it would be a message to its
 * reader. To walk a large range takes long, so it is disarmed first, with pauses (hold.c). What
 * follows under mmap_lock held for writing is short: the range is checked again, and is taken if no
 * tracker has armed anything since (pages_armed, which is counted under the page-table lock that an
 * entry is armed under); otherwise it all begins anew. A tracker that never stops arming is given a
 * long hold in the end.
 *
 * With faults kept out of the VMA, a write fault that has found the tracker is over; and a command
 * of the tracker has not begun or finds nothing of it here.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/userfaultfd_k.h>

#include "arm.h"
#include "compat/vma.h"
#include "giveway.h"
#include "tracker.h"

/* The tracker with a userfaultfd of its own that has this VMA, or NULL. */
static struct uffdwp_tracker *tracker_to_ask(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);

	return uffdwp_tracker_is_private(t) ? t : NULL;
}

static bool gives_way(const struct vm_area_struct *vma)
{
	const struct uffdwp_tracker *t = tracker_to_ask(vma);

	return t && !t->keep;
}

/**
 * uffdwp_claim_meets_tracker - is there anything in the range to be given, or to be kept?
 * @mm: address space
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
		found = uffdwp_tracker_of_vma(vma) && vma->vm_userfaultfd_ctx.ctx != claim->ctx;
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

/* May another userfaultfd than the claimant's have it? userfaultfd_register(), _unregister() */
static bool others_may_stay(const struct uffdwp_claim *claim)
{
	return !claim->mode && !UFFDWP_UNREGISTER_ASKS_CTX;
}

/*
 * What would the kernel say, if the VMA were not a tracker's? In its order: userfaultfd_register().
 * UFFDIO_UNREGISTER looks at the end of hugetlb only when it has come there, and all that is below
 * is unregistered then: that is left to it.
 */
static int check_vma(const struct uffdwp_claim *claim, struct vm_area_struct *vma)
{
	const struct uffdwp_tracker *t = tracker_to_ask(vma);
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;
	unsigned long mode = claim->mode;

	/* UFFDIO_UNREGISTER asks for the modes that the VMA has: ours it would not have. */
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
	return 0;
}

/* What both calls ask of the first VMA only, wherever it begins. */
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

/* Whole huge pages only: what a border cuts is left for later. */
static unsigned long first_whole(const struct uffdwp_claim *claim)
{
	return round_up(claim->start, PMD_SIZE);
}

static unsigned long end_of_whole(const struct uffdwp_claim *claim)
{
	return round_down(claim->end, PMD_SIZE);
}

static enum uffdwp_disarm all_if_given(struct vm_area_struct *vma, const void *arg)
{
	return gives_way(vma) ? UFFDWP_DISARM_UNMAP : UFFDWP_DISARM_NOTHING;
}

/*
 * Where the tracker has mapped the shared zero page to arm what was not populated, there would be
 * no MISSING fault, and UFFDIO_COPY would say -EEXIST: of this request, or of one that comes later.
 */
static void clean_with_pauses(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	const struct uffdwp_choice choice = { .what = all_if_given };

	if (first_whole(claim) < end_of_whole(claim))
		uffdwp_disarm_range(mm, first_whole(claim), end_of_whole(claim), &choice);
}

/* What trackers had armed before the range was cleaned: as many as are likely to share it. */
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

/* Nothing was armed since: mmap_lock is held for writing. */
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

static void clean(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	if (start >= end)
		return;
	if (vma_is_anonymous(vma))
		uffdwp_unmap_part(vma, start, end);
	else
		uffdwp_disarm_part(vma, start, end);
}

static long give(const struct uffdwp_claim *claim, const struct snapshot *snapshots,
		 struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
		 unsigned long end)
{
	const unsigned long first = first_whole(claim), last = end_of_whole(claim);
	const long pages = (end - start) >> PAGE_SHIFT;
	int err;

	uffdwp_vma_keep_out_faults(vma);
	if (first < last && is_as_it_was(t, snapshots)) {
		clean(vma, start, min(end, first));
		clean(vma, max(start, last), end);
	} else {
		clean(vma, start, end);
	}
	err = uffdwp_vma_unregister(vma, start, end);
	if (err)
		return err;
	uffdwp_count(t, pages_given_way, pages);
	return pages;
}

/* What the kernel is about to take from a handed-in userfaultfd its tracker is told of, too. */
static void tell_of_loss(const struct uffdwp_claim *claim, const struct vm_area_struct *vma,
			 unsigned long pages)
{
	struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);

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

	/* A VMA that was given may be a part of another one now. */
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
			pages = give(claim, snapshots, t, vma, pos, end);
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

/* What is to be refused is not cleaned either: nothing changes. */
static int check_claim(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	int err = mmap_read_lock_killable(mm);

	if (err)
		return err;
	err = check_vmas(mm, claim);
	mmap_read_unlock(mm);
	return err;
}

/* Tries before a long hold is taken. */
#define TRIES 4

/**
 * uffdwp_give_way - let the process have the memory of trackers
 * @mm: address space
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
