/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_HOLD_H
#define UFFDWP_HOLD_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct uffdwp_hold - work under mmap_lock in holds of bounded length
 * @mm: whose mmap_lock; kept by mmget() or mmgrab()
 * @killable: give up with -EINTR when the task was killed
 * @work: with mmap_lock held for reading: goes on where it has left off, and returns
 *	UFFDWP_WALK_PAUSE to be called again after a pause
 * @between: without mmap_lock, after each @work, with what that returned; anything but 0 ends the
 *	work. NULL: nothing is to be done
 */
struct uffdwp_hold {
	struct mm_struct *mm;
	bool killable;
	int (*work)(struct uffdwp_hold *hold);
	int (*between)(struct uffdwp_hold *hold, int next);
};

int uffdwp_hold_and_pause(struct uffdwp_hold *hold);
int uffdwp_may_go_on(struct mm_struct *mm, bool killable, bool yield);

#endif /* UFFDWP_HOLD_H */
