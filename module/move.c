// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_MOVE on a userfaultfd that was handed in. The kernel gives a page that is in memory a new
 * entry where it moves it to, which reads as written. A swap entry it moves as it is, with the
 * write-protect bit (move_swap_pte()): if the page was armed where it came from, it would read as
 * "not written" in a place where nobody has armed it.
 *
 * So all that has arrived is disarmed, after it was moved, for the same reason as in discard.c: a
 * scan that comes in between may say "not written" once, and the next one says "written".
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

#if UFFDWP_HAS_MOVE
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "arm.h"
#include "breakage.h"
#include "compat/hooked.h"
#include "compat/symbols.h"
#include "tracker.h"

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

static void disarm_arrived(const struct arrival *a, struct mm_struct *mm, u64 start, u64 len)
{
	const struct uffdwp_choice choice = { .what = all_that_arrived, .arg = a };
	u64 end;

	/* Of a request that the kernel has refused it need not even be sensible. */
	if (!PAGE_ALIGNED(start) || !PAGE_ALIGNED(len) || check_add_overflow(start, len, &end) ||
	    end > mm->task_size || uffdwp_broken(UFFDWP_BREAK_MOVED) || !mmget_not_zero(mm))
		return;
	uffdwp_disarm_range(mm, start, end, &choice);
	mmput(mm);
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
	struct uffdio_move move = {};
	bool known = !copy_from_user(&move, request, sizeof(move));
	/* It may be tracked only now, or not any more when this is over. */
	const struct arrival arrival = {
		.ctx = uffd->private_data,
		.tracked = uffdwp_ctx_is_tracked(uffd->private_data),
	};
	long ret = uffdwp_call(userfaultfd_ioctl)(uffd, cmd, arg);
	s64 moved;

	/* With an error, @move says how far it came; with -EFAULT it need not have been stored. */
	if (ret && ret != -EFAULT && !get_user(moved, &request->move))
		move.len = max_t(s64, moved, 0);
	if (known && move.len)
		disarm_arrived(&arrival, uffdwp_userfault_mm(uffd), move.dst, move.len);
	return ret;
}
#endif
