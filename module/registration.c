// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_REGISTER and UFFDIO_UNREGISTER of a process on userfaultfds of its own, in an mm that has
 * a tracker. (Calls of this module on the userfaultfds of its trackers are not redirected.)
 *
 *   UFFDIO_REGISTER	trackers give way (giveway.c); and what is registered with a userfaultfd
 *			that has a tracker, again or for the first time, is written until it is
 *			armed
 *   UFFDIO_UNREGISTER	trackers give way; and nothing stays armed in what is not registered any
 *			more
 *
 * The kernel's function reads its structure from user memory, after we have, and a process can
 * change it in between. It can make a tracker give way where it then does not register; and can
 * register memory that we have not looked at, but with a userfaultfd of its own, by which it could
 * have armed that as well. And up to Linux 6.12 it can unregister memory from a tracker that keeps
 * it, or that is not told. That memory reads as UNTRACKED and WRITTEN; on 5.10 bits stay in it,
 * which are disarmed when a tracker registers it again.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>

#include "compat/userfault.h"
#include "compat/vma.h"
#include "disarm.h"
#include "giveway.h"
#include "kind.h"
#include "off_limits.h"
#include "registration.h"
#include "ride.h"
#include "tracker.h"
#include "uffd_note.h"
#include "userfault.h"

/* The mm of a userfaultfd, by mmget(), or NULL: the kernel has nothing to do there. */
static struct mm_struct *get_mm(const struct file *uffd)
{
	struct mm_struct *mm = uffdwp_userfault_owner(uffd);

	return mm && mmget_not_zero(mm) ? mm : NULL;
}

static unsigned int all_if_other_mode(struct vm_area_struct *vma, const void *ctx)
{
	return vma->vm_userfaultfd_ctx.ctx == ctx && !userfaultfd_wp(vma) &&
	       uffdwp_kind_is_offered(vma) ? UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/* Nothing is left armed in VMAs of the userfaultfd that are not registered for WP. */
static void disarm_other_modes(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	uffdwp_disarm_range(mm, claim->start, claim->end, all_if_other_mode, claim->ctx);
}

static unsigned int all_if_registered(struct vm_area_struct *vma, const void *ctx)
{
	return all_if_other_mode(vma, ctx) == UFFDWP_DISARM_ALL ||
	       (vma->vm_userfaultfd_ctx.ctx == ctx && uffdwp_async_tracker_of_vma(vma)) ?
	       UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/*
 * Bits that an earlier userfaultfd has left would make pages read as "not written" that were never
 * armed. mremap() may move memory with such bits here until it is registered, and what was
 * registered before cannot be told from what is now. So all of it is written when the call returns.
 * Not for a @sync tracker, where the bits are those of the userfaultfd monitor.
 */
static void disarm_registered(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	uffdwp_disarm_range(mm, claim->start, claim->end, all_if_registered, claim->ctx);
}

static unsigned long modes_of(u64 mode)
{
	return (mode & UFFDIO_REGISTER_MODE_MISSING ? VM_UFFD_MISSING : 0) |
	       (mode & UFFDIO_REGISTER_MODE_WP ? VM_UFFD_WP : 0) |
	       (mode & UFFDIO_REGISTER_MODE_MINOR ? VM_UFFD_MINOR : 0) |
	       (mode & UFFDIO_REGISTER_MODE_RWP ? VM_UFFD_RWP : 0);
}

/* Of a race with a tracker that comes or goes. Each of them takes that tracker a command. */
#define TRIES 20

/*
 * Where a tracker rides along and the kernel would refuse to take our mode, it lets go before: of
 * whole VMAs, so that none is divided that the kernel would not divide, and those it finds when it
 * has mmap_lock. Until then nothing at all is armed.
 */
static long register_once(struct file *uffd, struct uffdio_register __user *uarg,
			  struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	struct uffdwp_off_limits taken = {
		.mm = mm, .start = 0, .end = ULONG_MAX, .taken = claim->ctx,
	};
	long ret;

	if (!UFFDWP_REGISTER_KEEPS_WP || !uffdwp_ctx_is_ridden(claim->ctx))
		return uffdwp_uffd_call_original(uffd, UFFDIO_REGISTER, uarg);
	uffdwp_off_limits_begin(&taken);
	uffdwp_ride_let_go(mm, claim->ctx, claim->start, claim->end, true);
	ret = uffdwp_uffd_call_original(uffd, UFFDIO_REGISTER, uarg);
	uffdwp_off_limits_end(&taken);
	return ret;
}

/*
 * -EBUSY says that the kernel has found nothing wrong with the request up to a VMA of another
 * userfaultfd (userfaultfd_register()). UFFDWP_IOC_REGISTER may register again what a tracker has
 * given: then it gives again.
 */
static long register_and_take(struct file *uffd, struct uffdio_register __user *uarg,
			      struct mm_struct *mm, struct uffdwp_claim *claim)
{
	unsigned int features, tries = TRIES;
	long ret, given;

	for (;;) {
		ret = register_once(uffd, uarg, mm, claim);
		if (ret != -EBUSY || uffdwp_userfault_features(uffd, &features))
			return ret;
		claim->async = features & UFFDWP_FEATURE_BIT_ASYNC;
		given = uffdwp_give_way(mm, claim);
		if (given < 0)
			return given;
		if (fatal_signal_pending(current))
			return ret;
		/*
		 * Nothing was given: the tracker has left by itself, and the kernel is asked once
		 * more; or the VMA is that of a userfaultfd of the process, and -EBUSY is right.
		 */
		if (!given && !tries--)
			return ret;
		cond_resched();
	}
}

/**
 * uffdwp_uffd_register - UFFDIO_REGISTER
 * @uffd: file
 * @uarg: its structure, in user memory
 *
 * Return: what the kernel returns; also -ENOMEM when memory of a tracker could not be split off, or
 * -EINTR when the task was killed.
 */
long uffdwp_uffd_register(struct file *uffd, struct uffdio_register __user *uarg)
{
	struct uffdwp_claim claim = { .ctx = uffd->private_data };
	struct uffdio_register request;
	struct mm_struct *mm;
	long ret;

	/* What cannot be read, the kernel cannot read either. */
	if (copy_from_user(&request, uarg, offsetof(struct uffdio_register, ioctls)))
		return uffdwp_uffd_call_original(uffd, UFFDIO_REGISTER, uarg);
	mm = get_mm(uffd);
	if (!mm)
		return uffdwp_uffd_call_original(uffd, UFFDIO_REGISTER, uarg);
	if (uffdwp_user_range_is_valid(mm, request.range.start, request.range.len)) {
		claim.start = request.range.start;
		claim.end = request.range.start + request.range.len;
		claim.mode = modes_of(request.mode);
		if (claim.mode & VM_UFFD_WP)
			uffdwp_ride_off(mm, claim.ctx);
		/*
		 * The kernel clears no bits when a VMA leaves write-protect mode, nor when it comes
		 * back, with pages written in between.
		 */
		if (uffdwp_whose_ctx(claim.ctx))
			disarm_other_modes(mm, &claim);
		ret = register_and_take(uffd, uarg, mm, &claim);
		if (uffdwp_whose_ctx(claim.ctx) == UFFDWP_HANDED_IN)
			uffdwp_ride_join(mm, claim.ctx);
		/* Asked again: it may have been handed in meanwhile. */
		if (uffdwp_whose_ctx(claim.ctx))
			disarm_registered(mm, &claim);
	} else {
		ret = uffdwp_uffd_call_original(uffd, UFFDIO_REGISTER, uarg);
	}
	mmput(mm);
	return ret;
}

static unsigned int all_if_left(struct vm_area_struct *vma, const void *arg)
{
	return !vma->vm_userfaultfd_ctx.ctx || uffdwp_async_tracker_of_vma(vma) ?
	       UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/*
 * Linux 5.10 does not clear the bits. A page that is written and then write-protected by fork() or
 * mprotect() is armed as before, for the next userfaultfd that registers it. What a tracker has
 * registered again by now is written, too, rather than armed by what was here before.
 */
static void disarm_leftovers(struct mm_struct *mm, const struct uffdwp_claim *claim)
{
	uffdwp_disarm_range(mm, claim->start, claim->end, all_if_left, NULL);
}

/* 0: the kernel may go on. */
static long give_unregistered(struct file *uffd, struct mm_struct *mm, struct uffdwp_claim *claim)
{
	unsigned int features;
	long given;

	if (!uffdwp_claim_meets_tracker(mm, claim))
		return 0;
	/* Without UFFDIO_API the kernel refuses everything, with the same error. */
	given = uffdwp_userfault_features(uffd, &features);
	if (given)
		return given;
	claim->async = features & UFFDWP_FEATURE_BIT_ASYNC;
	given = uffdwp_give_way(mm, claim);
	if (given >= 0)
		return 0;
	/* userfaultfd_unregister() has one error for all VMAs that it refuses. */
	return given == -EBUSY ? -EINVAL : given;
}

/*
 * Where a tracker rides along, it lets go before. What the kernel does not unregister after all, or
 * is not what we have read, joins again.
 */
static long unregister(struct file *uffd, struct uffdio_range __user *uarg, struct mm_struct *mm,
		       const struct uffdwp_claim *claim)
{
	struct uffdwp_off_limits taken = {
		.mm = mm, .start = claim->start, .end = claim->end, .taken = claim->ctx,
	};
	long ret;

	/* uffdwp_ride_may_go_on() */
	smp_mb();
	if (!claim->end || !uffdwp_ctx_is_ridden(claim->ctx))
		return uffdwp_uffd_call_original(uffd, UFFDIO_UNREGISTER, uarg);
	uffdwp_off_limits_begin(&taken);
	uffdwp_ride_let_go(mm, claim->ctx, taken.start, taken.end, false);
	ret = uffdwp_uffd_call_original(uffd, UFFDIO_UNREGISTER, uarg);
	uffdwp_off_limits_end(&taken);
	uffdwp_ride_join(mm, claim->ctx);
	return ret;
}

/**
 * uffdwp_uffd_unregister - UFFDIO_UNREGISTER
 * @uffd: file
 * @uarg: its structure, in user memory
 *
 * Return: as uffdwp_uffd_register().
 */
long uffdwp_uffd_unregister(struct file *uffd, struct uffdio_range __user *uarg)
{
	struct uffdwp_claim claim = { .ctx = uffd->private_data };
	unsigned int tries = TRIES;
	struct uffdio_range range;
	struct mm_struct *mm;
	long ret = 0;

	if (copy_from_user(&range, uarg, sizeof(range)))
		return uffdwp_uffd_call_original(uffd, UFFDIO_UNREGISTER, uarg);
	mm = get_mm(uffd);
	if (!mm)
		return uffdwp_uffd_call_original(uffd, UFFDIO_UNREGISTER, uarg);
	if (uffdwp_user_range_is_valid(mm, range.start, range.len)) {
		claim.start = range.start;
		claim.end = range.start + range.len;
		ret = give_unregistered(uffd, mm, &claim);
	}
	if (!ret) {
		ret = unregister(uffd, uarg, mm, &claim);
		/* A tracker may have registered it since. */
		while (ret == -EINVAL && claim.end && tries-- &&
		       uffdwp_claim_meets_tracker(mm, &claim) &&
		       !give_unregistered(uffd, mm, &claim))
			ret = uffdwp_uffd_call_original(uffd, UFFDIO_UNREGISTER, uarg);
		if (UFFDWP_UNREGISTER_KEEPS_BITS && claim.end && uffdwp_mm_is_tracked(mm))
			disarm_leftovers(mm, &claim);
	}
	mmput(mm);
	return ret;
}
