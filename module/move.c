// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_MOVE. A present page gets a new entry at the destination, which reads as written. A swap
 * entry is moved as it is, with the write-protect bit (move_swap_pte()): if it was armed at the
 * source, it would read as "not written" where no tracker has armed it, or be a fault for the
 * monitor of the destination's userfaultfd. And a marker is an error, also with
 * UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES.
 *
 * So while a call is under way nothing is armed in the source (off_limits.c): first it is noted,
 * then what is armed there is disarmed, then the kernel moves. Meanwhile the source reads as
 * written. Zero pages that a tracker has mapped are unmapped, so they are holes to the kernel.
 *
 * In memory of a tracker, what has arrived is disarmed, after it was moved, for the same reason as
 * in discard.c: a scan that comes in between may say "not written" once, and the next one says
 * "written". This is for bits that were in the source before it was tracked.
 *
 * The kernel reads the request from user memory, after we have; it cannot be given a copy
 * (private_mm.c), since UFFDIO_MOVE requires that current->mm is ctx->mm. A thread that changes it
 * in between can hide a move from us, and gains nothing by it: the kernel moves only to memory that
 * is registered with the very userfaultfd that is called, which may arm all of that by
 * UFFDIO_WRITEPROTECT. Whether to trust its holders was decided when it was handed in.
 */
#include "compat/userfault.h"
#include "move.h"

#if UFFDWP_KERNEL_HAS_MOVE
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "compat/hooked.h"
#include "compat/symbols.h"
#include "disarm.h"
#include "off_limits.h"
#include "tracker.h"
#include "uffd_note.h"

/* The kernel has moved to VMAs of this userfaultfd; those that are tracked are ours. */
static unsigned int all_that_arrived(struct vm_area_struct *vma, const void *ctx)
{
	return vma->vm_userfaultfd_ctx.ctx == ctx && uffdwp_async_tracker_of_vma(vma) ?
	       UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

static unsigned int all_that_leaves(struct vm_area_struct *vma, const void *arg)
{
	const struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	return t ? uffdwp_disarm_all_of(t, vma) | UFFDWP_DISARM_SPLIT : UFFDWP_DISARM_NOTHING;
}

static void disarm_arrived(const struct file *uffd, struct mm_struct *mm, u64 start, u64 len)
{
	if (uffdwp_whose_ctx(uffd->private_data) && uffdwp_user_range_is_valid(mm, start, len))
		uffdwp_disarm_range(mm, start, start + len, all_that_arrived, uffd->private_data);
}

static long move_noted(struct file *uffd, struct mm_struct *mm, void __user *uarg,
		       const struct uffdio_move *move)
{
	struct uffdwp_off_limits moving = {
		.mm = mm,
		.start = move->src,
		.end = move->src + move->len,
	};
	long ret;

	uffdwp_off_limits_begin(&moving);
	/* Not where there is nothing to disarm: the kernel need not ask for mmap_lock. */
	if (uffdwp_mm_is_tracked(mm))
		uffdwp_disarm_range(mm, moving.start, moving.end, all_that_leaves, NULL);
	ret = uffdwp_uffd_call_original(uffd, UFFDIO_MOVE, uarg);
	uffdwp_off_limits_end(&moving);
	return ret;
}

/* Others the kernel refuses, and then nothing is to be disarmed. */
#define MODES ((u64)(UFFDIO_MOVE_MODE_DONTWAKE | UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES))

/**
 * uffdwp_move - UFFDIO_MOVE, and what has arrived is written
 * @uffd: userfaultfd
 * @uarg: struct uffdio_move in user memory
 *
 * Return: what the kernel returns.
 */
long uffdwp_move(struct file *uffd, void __user *uarg)
{
	struct uffdio_move __user *request = uarg;
	struct mm_struct *mm = uffdwp_userfault_mm(uffd);
	struct uffdio_move move = {};
	s64 moved;
	long ret;

	/* What cannot be read, or is no range, the kernel refuses. It does not read @move. */
	if (copy_from_user(&move, request, offsetof(struct uffdio_move, move)) ||
	    !uffdwp_user_range_is_valid(mm, move.src, move.len) || move.mode & ~MODES ||
	    current->mm != mm || !mmget_not_zero(mm))
		return uffdwp_uffd_call_original(uffd, UFFDIO_MOVE, uarg);
	ret = move_noted(uffd, mm, uarg, &move);
	/* With an error, @move says how far it came; with -EFAULT it need not have been stored. */
	if (ret && ret != -EFAULT && !get_user(moved, &request->move))
		move.len = max_t(s64, moved, 0);
	disarm_arrived(uffd, mm, move.dst, move.len);
	mmput(mm);
	return ret;
}
#endif
