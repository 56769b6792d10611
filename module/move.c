// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_MOVE. The kernel gives a page that is in memory a new entry where it moves it to, which
 * reads as written. A swap entry it moves as it is, with the write-protect bit (move_swap_pte()):
 * if the page was armed where it came from, it would read as "not written" in a place where nobody
 * has armed it, or be a message to the monitor of the userfaultfd that the destination is
 * registered with. And a marker is no hole to it, but an error.
 *
 * So while a call is under way nothing is armed where it moves from: first it is noted, then what
 * is armed there is disarmed, then the kernel moves. Whoever arms a table has its lock, and looks
 * for notes there (uffdwp_is_moving()): either it comes first and is disarmed, or it sees the note.
 * (Where there is no table yet, nothing is locked to disarm it. Then the note, a full barrier, and
 * the look at the PMD stand against a new PMD, the lock of its table, which is an atomic operation
 * and so a full barrier, and the look for notes.) Meanwhile what is there reads as written. Zero
 * pages that a tracker has mapped are holes again.
 *
 * In memory of a tracker, what has arrived is disarmed, after it was moved, for the same reason as
 * in discard.c: a scan that comes in between may say "not written" once, and the next one says
 * "written". That is for bits that were in the source before anybody tracked it.
 *
 * The kernel reads the request from user memory, and so do we; it cannot be read for the kernel
 * from elsewhere (private_mm.c), since UFFDIO_MOVE wants the caller to have the mm (ctx->mm). Who
 * changes it in between can hide a move from us, and gains nothing by it: the kernel moves only to
 * memory that is registered with the very userfaultfd that is called, whose holder may arm all of
 * that by UFFDIO_WRITEPROTECT. To trust him or not was decided by who handed it in.
 */
#include "compat/userfault.h"
#include "move.h"

#if UFFDWP_KERNEL_HAS_MOVE
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "arm.h"
#include "compat/hooked.h"
#include "compat/symbols.h"
#include "tracker.h"
#include "uffd_call.h"

/* A call that is under way, and where it moves from. */
struct note {
	struct list_head node;
	const struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
};

/* Inside page-table locks. */
static DEFINE_SPINLOCK(notes_lock);
static LIST_HEAD(notes);
unsigned int uffdwp_moves;

static void note_begin(struct note *n)
{
	spin_lock(&notes_lock);
	list_add(&n->node, &notes);
	WRITE_ONCE(uffdwp_moves, uffdwp_moves + 1);
	spin_unlock(&notes_lock);
	smp_mb();
}

static void note_end(struct note *n)
{
	spin_lock(&notes_lock);
	list_del(&n->node);
	WRITE_ONCE(uffdwp_moves, uffdwp_moves - 1);
	spin_unlock(&notes_lock);
}

/**
 * uffdwp_meets_move - is a part of this range being moved away?
 * @mm: mm
 * @start: first address
 * @end: last address, exclusive
 *
 * Return: whether it is.
 */
bool uffdwp_meets_move(const struct mm_struct *mm, unsigned long start, unsigned long end)
{
	const struct note *n;
	bool found = false;

	spin_lock(&notes_lock);
	list_for_each_entry(n, &notes, node)
		found |= n->mm == mm && n->start < end && start < n->end;
	spin_unlock(&notes_lock);
	return found;
}

/* The kernel has moved it into VMAs of this userfaultfd, and only what is tracked is ours. */
static enum uffdwp_disarm all_that_arrived(struct vm_area_struct *vma, const void *ctx)
{
	return vma->vm_userfaultfd_ctx.ctx == ctx && uffdwp_tracker_of_vma(vma) ?
	       UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

static enum uffdwp_disarm all_that_leaves(struct vm_area_struct *vma, const void *arg)
{
	const struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);

	return t ? uffdwp_disarm_all_of(t) : UFFDWP_DISARM_NOTHING;
}

static void disarm_arrived(const struct file *uffd, struct mm_struct *mm, u64 start, u64 len)
{
	const struct uffdwp_choice choice = {
		.what = all_that_arrived,
		.arg = uffd->private_data,
	};

	if (uffdwp_user_range_is_valid(mm, start, len))
		uffdwp_disarm_range(mm, start, start + len, &choice);
}

static long move_noted(struct file *uffd, struct mm_struct *mm, void __user *uarg,
		       const struct uffdio_move *move)
{
	const struct uffdwp_choice leaving = { .what = all_that_leaves, .split = true };
	struct note note = { .mm = mm, .start = move->src, .end = move->src + move->len };
	long ret;

	note_begin(&note);
	uffdwp_disarm_range(mm, note.start, note.end, &leaving);
	ret = uffdwp_uffd_call_original(uffd, UFFDIO_MOVE, uarg);
	note_end(&note);
	return ret;
}

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

	/* What cannot be read, or is no range, the kernel finds out. */
	if (copy_from_user(&move, request, sizeof(move)) ||
	    !uffdwp_user_range_is_valid(mm, move.src, move.len) || !mmget_not_zero(mm))
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
