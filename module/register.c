// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which memory belongs to a tracker. The kernel's UFFDIO_REGISTER and UFFDIO_UNREGISTER do the work
 * (flags, splits and merges of VMAs). This file checks first: it refuses VMAs that the kernel would
 * accept but we cannot track, and tells the caller which VMA the kernel would refuse.
 *
 * The VMAs are checked under mmap_lock, which is dropped before the kernel takes it again. What is
 * mapped in between can become registered unchecked; it is armed only if it is of a kind that we
 * track (uffdwp_vma_is_tracked()).
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/signal.h>
#include <linux/userfaultfd_k.h>

#include "compat/hugetlb.h"
#include "compat/vma.h"
#include "device_tracker.h"
#include "disarm.h"
#include "health.h"
#include "hooks/hooks.h"
#include "kind.h"
#include "register.h"
#include "ride.h"
#include "ring.h"
#include "tracker.h"
#include "userfault.h"

static int check_kind(const struct uffdwp_device_tracker *d, struct vm_area_struct *vma)
{
	if (!uffdwp_kind_is_offered(vma))
		return -EOPNOTSUPP;
	return uffdwp_kind_of_vma(vma) == UFFDWP_KIND_FILE && !d->files ? -EOPNOTSUPP : 0;
}

/*
 * A VMA whose parts would stay split off is registered and unregistered as a whole; so more is
 * registered than was asked for, but nothing is armed unless it is asked for. Who hands in its own
 * userfaultfd divides its VMAs as it likes.
 */
static bool is_not_divided(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	return uffdwp_tracker_is_private(t) && uffdwp_vma_stays_split(vma);
}

static void widen(const struct uffdwp_tracker *t, unsigned long *start, unsigned long *end)
{
	struct vm_area_struct *vma = find_vma(t->mm, *start);

	if (vma && vma->vm_start < *start && is_not_divided(t, vma))
		*start = vma->vm_start;
	vma = find_vma(t->mm, *end - 1);
	if (vma && vma->vm_start < *end && is_not_divided(t, vma))
		*end = max(*end, vma->vm_end);
}

static int check_widened(const struct uffdwp_tracker *t, unsigned long start, unsigned long end,
			 u64 *fail_at)
{
	unsigned long first = start, last = end;

	widen(t, &first, &last);
	if (first == start && last == end)
		return 0;
	*fail_at = first < start ? first : find_vma(t->mm, end - 1)->vm_start;
	return -EINVAL;
}

/* Both ends of a range that the kernel is about to register, dividing the VMAs there. */
static int prepare_splits(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	int err = mmap_write_lock_killable(t->mm);

	if (err)
		return err;
	vma = find_vma(t->mm, start);
	if (vma && vma->vm_start < start)
		err = uffdwp_vma_prepare_split(vma, start, end);
	vma = find_vma(t->mm, end - 1);
	if (!err && vma && vma->vm_start < end && vma->vm_end > end)
		err = uffdwp_vma_prepare_split(vma, start, end);
	mmap_write_unlock(t->mm);
	return err;
}

/* The kernel registers pages of hugetlb as a whole only. */
static int check_border(struct vm_area_struct *vma, unsigned long border)
{
	if (!is_vm_hugetlb_page(vma) || border <= vma->vm_start || border >= vma->vm_end)
		return 0;
	return IS_ALIGNED(border, 1UL << uffdwp_hugetlb_shift(vma)) ? 0 : -EINVAL;
}

static int check_owner(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;

	return ctx && ctx != t->ctx ? -EBUSY : 0;
}

/*
 * UFFDIO_REGISTER replaces the mode of a VMA: adding WP would take away MISSING or MINOR. Riding
 * along is for such VMAs, and for no others.
 */
static int check_mode(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	if (t->rides)
		return vma->vm_userfaultfd_ctx.ctx ? 0 : -EOPNOTSUPP;
	return (vma->vm_flags & __VM_UFFD_FLAGS & ~VM_UFFD_WP) && !(vma->vm_flags & VM_UFFD_WP) ?
	       -EBUSY : 0;
}

static int check_register(const struct uffdwp_device_tracker *d, struct vm_area_struct *vma)
{
	int err = check_kind(d, vma);

	if (!err && !(vma->vm_flags & VM_MAYWRITE))
		err = -EACCES;
	return err ?: check_owner(&d->base, vma) ?: check_mode(&d->base, vma);
}

/* UFFDIO_UNREGISTER refuses ranges with a VMA that cannot be registered. */
static int check_unregister(const struct uffdwp_device_tracker *d, struct vm_area_struct *vma)
{
	return uffdwp_kind_is_offered(vma) ? check_owner(&d->base, vma) : -EOPNOTSUPP;
}


static int check_range(struct uffdwp_device_tracker *d, unsigned long start, unsigned long end,
		       int (*check)(const struct uffdwp_device_tracker *d,
				    struct vm_area_struct *vma),
		       u64 *fail_at)
{
	struct vm_area_struct *vma;
	int err = -ENOENT;

	uffdwp_for_each_vma(vma, d->base.mm, start, end) {
		err = check(d, vma) ?: check_border(vma, start) ?: check_border(vma, end);
		if (err) {
			*fail_at = vma->vm_start;
			return err;
		}
	}
	return err;
}

/* Narrow [*start, *end) to its first part with VMAs that are not ours. False: there is none. */
static bool find_part_of_others(struct uffdwp_tracker *t, unsigned long *start, unsigned long *end)
{
	const unsigned long limit = *end;
	struct vm_area_struct *vma;
	unsigned long pos = *start;
	bool others = false;

	mmap_read_lock(t->mm);
	uffdwp_for_each_vma(vma, t->mm, pos, limit) {
		if (!uffdwp_vma_is_tracked(t, vma)) {
			others = true;
			continue;
		}
		*end = vma->vm_start;
		if (others)
			break;
		*start = vma->vm_end;
		*end = limit;
	}
	mmap_read_unlock(t->mm);
	return others;
}

static bool is_mapped(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	bool mapped;

	mmap_read_lock(t->mm);
	vma = find_vma(t->mm, start);
	mapped = vma && vma->vm_start < end;
	mmap_read_unlock(t->mm);
	return mapped;
}

/*
 * A bit that an earlier userfaultfd has left would make a page read as "not written" that we have
 * never armed. mremap() may move memory with such bits here until it is registered, so it is
 * disarmed after that, and before a command can look at it: the lock of the tracker is held. What
 * was registered with us already is left alone, since there a bit counts.
 */
static int register_and_disarm(struct uffdwp_device_tracker *d, unsigned long start,
			       unsigned long end)
{
	int tries = 20, err = prepare_splits(&d->base, start, end);

	if (err)
		return err;
	uffdwp_tracker_forget(&d->base, start, end);
	err = uffdwp_userfault_register(d->uffd, start, end - start);

	/* It was unmapped meanwhile, and may be back: the kernel refuses a range without a VMA. */
	while ((err == -EINVAL || err == -ENOMEM) && tries--) {
		if (!is_mapped(&d->base, start, end)) {
			err = 0;
			break;
		}
		err = uffdwp_userfault_register(d->uffd, start, end - start);
	}
	/* Also after an error: a front part may be registered. */
	uffdwp_disarm_tracked(&d->base, start, end);
	uffdwp_tell(&d->base, start, end, UFFDWP_RING_SCAN);
	return err;
}

/**
 * uffdwp_register_populated - register a part of a VMA that may have pages, as UFFDIO_REGISTER does
 * @t: tracker
 * @vma: VMA, of a kind that can be had
 * @start: first address of the part
 * @end: last address of the part, exclusive
 *
 * mmap_lock is held for writing. The VMA may be another one afterwards, or gone. Bits that are in
 * it count as the tracker's from then on: the caller disarms.
 *
 * Return: 0, never an error for a whole VMA; or -ENOMEM: it is as before.
 */
int uffdwp_register_populated(struct uffdwp_tracker *t, struct vm_area_struct *vma,
			      unsigned long start, unsigned long end)
{
	const bool hugetlb = is_vm_hugetlb_page(vma);
	int err;

	uffdwp_tracker_forget(t, start, end);
	uffdwp_vma_keep_out_faults(vma);
	err = uffdwp_vma_register(vma, start, end, t->ctx);
	/* Its flags say by now that page tables are not to be shared. */
	if (!err && hugetlb)
		uffdwp_hugetlb_unshare(find_vma(t->mm, start));
	return err;
}

/* The next VMA of a file in [*start, *end) that is not registered; then they are what was. */
static int register_next_file(struct uffdwp_device_tracker *d, unsigned long *start,
			      unsigned long *end, bool *done)
{
	struct uffdwp_tracker *t = &d->base;
	struct vm_area_struct *vma;
	int err = mmap_write_lock_killable(t->mm);

	if (err)
		return err;
	*done = true;
	uffdwp_for_each_vma(vma, t->mm, *start, *end) {
		if (!uffdwp_vma_can_be_had(vma, uffdwp_kinds & UFFDWP_KIND_FILE))
			continue;
		*done = false;
		*start = max(*start, vma->vm_start);
		*end = min(*end, vma->vm_end);
		err = uffdwp_register_populated(t, vma, *start, *end);
		break;
	}
	mmap_write_unlock(t->mm);
	return err;
}

/*
 * VMAs of ordinary files, which UFFDIO_REGISTER of this kernel refuses. All that it would have to
 * do for them is as for shared memory. They leave the userfaultfd by our own hand, too, before it
 * is closed (uffdwp_unregister_disarmed()): userfaultfd_release() and UFFDIO_UNREGISTER would give
 * write permission to each entry of a shared VMA, behind the back of its file system, which has to
 * be asked first (->page_mkwrite()). The process can do neither: the kernel tells it that such a
 * VMA cannot have a userfaultfd.
 */
static int register_files(struct uffdwp_device_tracker *d, unsigned long start, unsigned long end)
{
	unsigned long part_end = end;
	bool done;
	int err;

	while (!(err = register_next_file(d, &start, &part_end, &done)) && !done) {
		uffdwp_disarm_tracked(&d->base, start, part_end);
		uffdwp_tell(&d->base, start, part_end, UFFDWP_RING_SCAN);
		start = part_end;
		part_end = end;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return err;
}

/**
 * uffdwp_register - UFFDWP_IOC_REGISTER
 * @d: attached tracker, locked, its mm held by mmget()
 * @start: first address of a range that was checked
 * @end: last address, exclusive
 * @fail_at: out: start of the VMA that was refused, left alone if none was
 *
 * Return: 0, or an error as documented with struct uffdwp_register_arg.
 */
int uffdwp_register(struct uffdwp_device_tracker *d, unsigned long start, unsigned long end,
		    u64 *fail_at)
{
	struct uffdwp_tracker *t = &d->base;
	unsigned long part_end;
	int err;

	err = mmap_read_lock_killable(t->mm);
	if (err)
		return err;
	err = check_range(d, start, end, check_register, fail_at);
	if (!err)
		widen(t, &start, &end);
	mmap_read_unlock(t->mm);
	if (!err && t->rides)
		return uffdwp_ride_begin(t);
	if (!err && UFFDWP_REGISTERS_FILES)
		err = register_files(d, start, end);

	part_end = end;
	while (!err && find_part_of_others(t, &start, &part_end)) {
		err = register_and_disarm(d, start, part_end);
		start = part_end;
		part_end = end;
	}
	return err;
}

/* VMAs that are looked at under one hold of mmap_lock. */
#define BATCH 64

/* From *@pos on, which is where to go on afterwards. */
static int unregister_some(struct uffdwp_tracker *t, unsigned long *pos, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long start, vma_end;
	unsigned int i;
	int err = 0;

	for (i = 0; i < BATCH && *pos < end && !err; i++, *pos = vma_end) {
		vma = find_vma(t->mm, *pos);
		if (!vma || vma->vm_start >= end) {
			*pos = end;
			break;
		}
		vma_end = min(end, vma->vm_end);
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx || uffdwp_tracker_is_ridden_off(t))
			continue;
		uffdwp_vma_keep_out_faults(vma);
		/* ULONG_MAX means whole VMAs: a stack may have grown down below *pos. */
		start = end == ULONG_MAX ? vma->vm_start : max(*pos, vma->vm_start);
		/* Since it was disarmed, its owner may have protected it again. */
		if (t->whose == UFFDWP_HANDED_IN)
			uffdwp_disarm_vma(vma, start, vma_end,
					  UFFDWP_DISARM_ALL | UFFDWP_DISARM_SPLIT);
		err = uffdwp_vma_unregister(vma, start, vma_end);
	}
	return err;
}

/**
 * uffdwp_unregister_disarmed - unregister a range in which nothing is armed
 * @t: tracker, its mm held by mmget(); mmap_lock is taken here
 * @start: first address
 * @end: last address, exclusive
 *
 * UFFDIO_UNREGISTER, and the last close of a userfaultfd, walk the page tables of all of it to take
 * the protection away, under one hold of mmap_lock for writing. Here that was done before, with
 * pauses (hold.c), and nothing is armed again: the caller keeps the tracker's commands out, and
 * hooks/arming.c keeps out others, except for the owner of a userfaultfd that was handed in.
 *
 * Taking mmap_lock and the VMA locks for writing waits for the faults that have found the tracker:
 * when this returns there is none left in the range.
 *
 * Return: 0; or -ENOMEM when a VMA could not be split, never for a whole one: what is below it was
 * taken.
 */
int uffdwp_unregister_disarmed(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	int err = 0;

	while (start < end && !err) {
		mmap_write_lock(t->mm);
		err = unregister_some(t, &start, end);
		mmap_write_unlock(t->mm);
		cond_resched();
	}
	return err;
}

static unsigned int all_if_registered(struct vm_area_struct *vma, const void *arg)
{
	const struct uffdwp_tracker *t = arg;

	return vma->vm_userfaultfd_ctx.ctx == t->ctx ?
	       uffdwp_disarm_all_of(t, vma) | UFFDWP_DISARM_SPLIT : UFFDWP_DISARM_NOTHING;
}

/**
 * uffdwp_unregister - UFFDWP_IOC_UNREGISTER
 * @d: attached tracker, locked, its mm held by mmget()
 * @start: first address of a range that was checked
 * @end: last address, exclusive
 * @fail_at: out: start of the VMA that was refused, left alone if none was
 *
 * Not by UFFDIO_UNREGISTER, which up to Linux 6.12 takes VMAs from other userfaultfds, and the
 * process may register some since the range was checked. VMAs of another kind or userfaultfd that
 * are there before are an error, as for the kernel.
 *
 * Return: 0, or an error as documented with struct uffdwp_unregister_arg.
 */
int uffdwp_unregister(struct uffdwp_device_tracker *d, unsigned long start, unsigned long end,
		      u64 *fail_at)
{
	struct uffdwp_tracker *t = &d->base;
	int err;

	/* A part would divide the VMAs of the process. */
	if (t->rides)
		return -EOPNOTSUPP;
	err = mmap_read_lock_killable(t->mm);
	if (err)
		return err;
	err = check_range(d, start, end, check_unregister, fail_at) ?:
	      check_widened(t, start, end, fail_at);
	mmap_read_unlock(t->mm);
	if (err)
		return err;

	uffdwp_disarm_range(t->mm, start, end, all_if_registered, t);
	uffdwp_tracker_forget(t, start, end);
	err = uffdwp_unregister_disarmed(t, start, end);
	/* Faults of other modes that were registered, too. */
	if (t->whose == UFFDWP_HANDED_IN && uffdwp_userfault_wake(d->uffd, start, end - start))
		uffdwp_health_wake(t);
	return err;
}
