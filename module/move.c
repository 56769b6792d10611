// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_MOVE. The kernel gives a page that is in memory a new entry where it moves it to, which
 * reads as written. A swap entry it moves as it is, with the write-protect bit (move_swap_pte()):
 * if the page was armed where it came from, it would read as "not written" in a place where nobody
 * has armed it.
 *
 * To memory of a tracker: all that has arrived is disarmed, after it was moved, for the same reason
 * as in discard.c: a scan that comes in between may say "not written" once, and the next one says
 * "written".
 *
 * From memory of a tracker, to memory of any userfaultfd (validate_move_areas() asks only for that
 * of the destination): there the bit would be the process's own, and a message to its reader. So
 * what is to be moved is disarmed before. That also makes holes of markers again, which the kernel
 * takes for an error where a move begins; a zero page that the tracker has mapped is moved as one.
 * If a tracker has armed anything there meanwhile (pages_armed, which is counted under the
 * page-table lock that an entry is armed under, and grows only), what has arrived is disarmed
 * afterwards, too.
 *
 * The kernel reads the request from user memory, and so do we; it cannot be read for the kernel
 * from elsewhere (private_mm.c), since UFFDIO_MOVE wants the caller to have the mm (ctx->mm). Who
 * changes it in between can hide a move from us, and gains nothing by it: the kernel moves only to
 * memory that is registered with the very userfaultfd that is called (validate_move_areas()), whose
 * holder may arm all of that by UFFDIO_WRITEPROTECT. To trust him or not was decided by who handed
 * it in.
 */
#include "compat/userfault.h"
#include "move.h"

#if UFFDWP_KERNEL_HAS_MOVE
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "arm.h"
#include "compat/hooked.h"
#include "compat/symbols.h"
#include "tracker.h"

/* @tracked: what has arrived is disarmed whether there is a tracker or not */
struct arrival {
	const void *ctx;
	bool tracked;
};

/* The kernel has moved it into VMAs of this userfaultfd, and only what is tracked is ours. */
static enum uffdwp_disarm all_that_arrived(struct vm_area_struct *vma, const void *arg)
{
	const struct arrival *a = arg;

	return vma->vm_userfaultfd_ctx.ctx == a->ctx && (a->tracked || uffdwp_tracker_of_vma(vma)) ?
	       UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

static enum uffdwp_disarm all_that_leaves(struct vm_area_struct *vma, const void *arg)
{
	return uffdwp_tracker_of_vma(vma) ? UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/* Of a request that the kernel refuses it need not even be sensible. */
static bool range_is_valid(const struct mm_struct *mm, u64 start, u64 len)
{
	u64 end;

	return PAGE_ALIGNED(start) && PAGE_ALIGNED(len) && !check_add_overflow(start, len, &end) &&
	       end <= mm->task_size;
}

static void disarm_arrived(const struct arrival *a, struct mm_struct *mm, u64 start, u64 len)
{
	const struct uffdwp_choice choice = { .what = all_that_arrived, .arg = a };

	if (range_is_valid(mm, start, len))
		uffdwp_disarm_range(mm, start, start + len, &choice);
}

/* Entries that the trackers of a range have armed so far. */
static u64 armed_so_far(struct mm_struct *mm, u64 start, u64 len)
{
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;
	u64 armed = 0;

	mmap_read_lock(mm);
	uffdwp_for_each_vma(vma, mm, start, start + len) {
		t = uffdwp_tracker_of_vma(vma);
		if (t)
			armed += uffdwp_total(t, pages_armed);
	}
	mmap_read_unlock(mm);
	return armed;
}

static void disarm_leaving(struct mm_struct *mm, u64 start, u64 len)
{
	const struct uffdwp_choice choice = { .what = all_that_leaves, .split = true };

	uffdwp_disarm_range(mm, start, start + len, &choice);
}

/**
 * uffdwp_move - UFFDIO_MOVE, and what has arrived is written
 * @uffd: userfaultfd, of an address space that has a tracker
 * @cmd: UFFDIO_MOVE
 * @arg: struct uffdio_move in user memory
 *
 * Return: what the kernel returns.
 */
long uffdwp_move(struct file *uffd, unsigned int cmd, unsigned long arg)
{
	struct uffdio_move __user *request = (struct uffdio_move __user *)arg;
	struct mm_struct *mm = uffdwp_userfault_mm(uffd);
	/* It may be tracked only now, or not any more when this is over. */
	struct arrival arrival = {
		.ctx = uffd->private_data,
		.tracked = uffdwp_ctx_is_tracked(uffd->private_data),
	};
	struct uffdio_move move = {};
	u64 armed = 0;
	s64 moved;
	long ret;

	/* What cannot be read, the kernel cannot read either. */
	if (copy_from_user(&move, request, sizeof(move)) || !mmget_not_zero(mm)) {
		ret = uffdwp_call(userfaultfd_ioctl)(uffd, cmd, arg);
		barrier();
		return ret;
	}
	if (range_is_valid(mm, move.src, move.len)) {
		armed = armed_so_far(mm, move.src, move.len);
		disarm_leaving(mm, move.src, move.len);
	}
	ret = uffdwp_call(userfaultfd_ioctl)(uffd, cmd, arg);
	if (range_is_valid(mm, move.src, move.len) &&
	    armed_so_far(mm, move.src, move.len) != armed)
		arrival.tracked = true;
	/* With an error, @move says how far it came; with -EFAULT it need not have been stored. */
	if (ret && ret != -EFAULT && !get_user(moved, &request->move))
		move.len = max_t(s64, moved, 0);
	if (move.len)
		disarm_arrived(&arrival, mm, move.dst, move.len);
	mmput(mm);
	return ret;
}
#endif
