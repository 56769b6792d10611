// SPDX-License-Identifier: GPL-2.0-only
/*
 * userfaultfd_ioctl(): which calls are looked at, and where.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd.h>

#include "arm.h"
#include "backport/backport.h"
#include "compat/hooked.h"
#include "compat/symbols.h"
#include "disarm.h"
#include "move.h"
#include "off_limits.h"
#include "registration.h"
#include "ride.h"
#include "ring.h"
#include "stranger.h"
#include "tracker.h"
#include "uffd_call.h"
#include "uffd_note.h"
#include "userfault.h"

/* Also without a tracker: it may come while they are under way. */
static notrace bool changes_memory(unsigned int cmd)
{
#if UFFDWP_KERNEL_HAS_MOVE
	if (cmd == UFFDIO_MOVE)
		return true;
#endif
	return cmd == UFFDIO_REGISTER || cmd == UFFDIO_UNREGISTER || uffdwp_stranger_may_fill(cmd);
}

/**
 * uffdwp_uffd_call_concerns_us - at the entry of userfaultfd_ioctl(): is there anything to do?
 * @uffd: file
 * @cmd: command
 *
 * Return: whether uffdwp_uffd_call() is to be called instead.
 */
notrace bool uffdwp_uffd_call_concerns_us(const struct file *uffd, unsigned int cmd)
{
	return uffdwp_backport_handles(cmd) || changes_memory(cmd) ||
	       uffdwp_whose_ctx(uffd->private_data) == UFFDWP_HANDED_IN;
}

#ifdef UFFDIO_POISON
/* The kernel puts its marker in the place of nothing, but not of ours, which nobody knows of. */
static long call_poison(struct file *uffd, struct uffdio_poison __user *uarg)
{
	struct mm_struct *mm = uffdwp_userfault_owner(uffd);
	struct uffdwp_off_limits poisoned = { .mm = mm };
	struct uffdio_range range;
	long ret;

	/* Also without a tracker: it may come while the kernel reads the request. */
	if (!mm || copy_from_user(&range, uarg, sizeof(range)) ||
	    !uffdwp_user_range_is_valid(mm, range.start, range.len) || !mmget_not_zero(mm))
		return uffdwp_uffd_call_original(uffd, UFFDIO_POISON, uarg);
	poisoned.start = range.start;
	poisoned.end = range.start + range.len;
	uffdwp_off_limits_begin(&poisoned);
	/* Not where there is nothing to disarm: the kernel asks for no mmap_lock since 6.8. */
	if (uffdwp_mm_is_ridden(mm))
		uffdwp_ride_disarm(mm, poisoned.start, poisoned.end, NULL);
	ret = uffdwp_uffd_call_original(uffd, UFFDIO_POISON, uarg);
	uffdwp_off_limits_end(&poisoned);
	mmput(mm);
	return ret;
}
#endif

#if UFFDWP_KERNEL_HAS_MOVE
/*
 * From where pages were moved only the kernel knows, which has read it from user memory after us:
 * only of a tracker whose userfaultfd was handed in is that believed (move.c).
 */
static long call_move(struct file *uffd, void __user *uarg)
{
	struct mm_struct *mm = uffdwp_userfault_owner(uffd);
	long ret;

	if (mm && mmget_not_zero(mm)) {
		uffdwp_ride_off(mm, uffd->private_data);
		mmput(mm);
	}
	ret = uffdwp_move(uffd, uarg);
	uffdwp_rings_of_mm_set(mm, uffd->private_data, UFFDWP_RING_EVERYTHING);
	return ret;
}
#endif

static long call_command(struct file *uffd, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case UFFDIO_REGISTER:
		return uffdwp_uffd_register(uffd, uarg);
	case UFFDIO_UNREGISTER:
		return uffdwp_uffd_unregister(uffd, uarg);
#if UFFDWP_KERNEL_HAS_MOVE
	case UFFDIO_MOVE:
		return call_move(uffd, uarg);
#endif
#ifdef UFFDIO_POISON
	case UFFDIO_POISON:
		return call_poison(uffd, uarg);
#endif
	}
	if (uffdwp_backport_handles(cmd))
		return uffdwp_backport_ioctl(uffd, cmd, uarg);
	return uffdwp_uffd_call_original(uffd, cmd, uarg);
}

#ifdef UFFDIO_CONTINUE
/* Bytes that are looked at under one hold of mmap_lock. */
#define STRIDE (16UL << 20)

/* Returns where to go on. */
static unsigned long look_at_some(struct mm_struct *mm, const void *ctx, unsigned long pos,
				  unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, pos);
	struct uffdwp_tracker *t;

	if (!vma || vma->vm_start >= end)
		return end;
	pos = max(pos, vma->vm_start);
	end = min(end, vma->vm_end);
	t = uffdwp_async_tracker_of_vma(vma);
	if (!t || t->ctx != ctx || t->ignore_pins || !uffdwp_vma_is_tracked(t, vma))
		return end;
	if (end - pos > STRIDE)
		end = pos + STRIDE;
	uffdwp_disarm_pinned(t, vma, pos, end);
	return end;
}

/*
 * UFFDIO_CONTINUE maps and arms a page that is in the page cache already and may be pinned, which
 * the kernel does not check. So it is looked at afterwards: a scan that comes in between may say
 * "not written" once, and the next one says "written".
 */
static void look_at_continued(const struct file *uffd, const struct uffdwp_uffd_call *note)
{
	struct mm_struct *mm = uffdwp_userfault_owner(uffd);
	unsigned long pos = note->start;

	if (!note->end || !mm || !mmget_not_zero(mm))
		return;
	while (pos < note->end) {
		mmap_read_lock(mm);
		pos = look_at_some(mm, uffd->private_data, pos, note->end);
		mmap_read_unlock(mm);
		cond_resched();
	}
	mmput(mm);
}
#endif

static long call_and_look(struct file *uffd, unsigned int cmd, unsigned long arg,
			  const struct uffdwp_uffd_call *note)
{
	long ret = call_command(uffd, cmd, arg);

#ifdef UFFDIO_CONTINUE
	if (cmd == UFFDIO_CONTINUE && uffdwp_whose_ctx(uffd->private_data) == UFFDWP_HANDED_IN)
		look_at_continued(uffd, note);
#endif
	return ret;
}

/*
 * UFFDIO_REGISTER and UNREGISTER, of a tracker's memory or not: in the rings of all. The range is
 * what the caller has said, which may be another one than the kernel has read: that is believed
 * where the userfaultfd was handed in, and not where a tracker rides along on it.
 */
static void tell_of_registration(const struct file *uffd, const struct uffdio_range *range)
{
	struct mm_struct *mm = uffdwp_userfault_owner(uffd);

	if (uffdwp_ctx_is_ridden(uffd->private_data))
		uffdwp_rings_of_mm_set(mm, NULL, UFFDWP_RING_EVERYTHING);
	else if (mm && uffdwp_user_range_is_valid(mm, range->start, range->len))
		uffdwp_tell_mm(mm, range->start, range->start + range->len);
}

/**
 * uffdwp_uffd_call - instead of userfaultfd_ioctl()
 * @uffd: file
 * @cmd: command
 * @arg: its structure, in user memory
 *
 * All commands of a handed-in userfaultfd are noted, since which of them arm depends on the kernel.
 * Of others, those that may change memory of a tracker that comes while they are under way.
 *
 * Return: what the kernel returns, or what is documented with the functions that add to it.
 */
long uffdwp_uffd_call(struct file *uffd, unsigned int cmd, unsigned long arg)
{
	const bool registers = cmd == UFFDIO_REGISTER || cmd == UFFDIO_UNREGISTER;
	struct uffdwp_uffd_call note;
	struct uffdio_range range;
	long ret;

	/* The kernel refuses what cannot be read. */
	if (registers && copy_from_user(&range, (void __user *)arg, sizeof(range)))
		range.len = 0;
	uffdwp_uffd_call_begin(&note, uffd->private_data, cmd);
	if (!uffdwp_stranger_is_refused(uffd, cmd, (void __user *)arg, &ret))
		ret = call_and_look(uffd, cmd, arg, &note);
	uffdwp_uffd_call_end(&note);
	if (registers)
		tell_of_registration(uffd, &range);
	return ret;
}
