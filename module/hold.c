// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long mmap_lock and a CPU are kept: as long as it takes to handle one page table or one VMA,
 * whatever the range. After each of them a walk calls uffdwp_may_go_on(). On UFFDWP_WALK_PAUSE it
 * returns, with all that it has done kept, to the one loop that drops mmap_lock and takes it again
 * (uffdwp_hold_and_pause()).
 *
 * mmap_lock_is_contended() says whether there are waiters. A waiter is only woken when the lock is
 * dropped: a reader that comes back before it runs takes the lock once more, and does so for 4 ms
 * until the waiter asks for a handoff (rwsem_down_read_slowpath()). So a pause with waiters sleeps
 * for as long as it takes one to run, on this CPU or on another. cond_resched() would not do: it
 * does nothing in a kernel that is preempted lazily.
 *
 * need_resched() says that another task is to run: without preemption (preempt=none) only
 * cond_resched() lets it, and dropping a lock does not.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "hold.h"
#include "walk.h"

/**
 * uffdwp_may_go_on - after a page table or a VMA was handled: go on, pause, or give up?
 * @mm: mm whose mmap_lock is held
 * @killable: give up when the task was killed
 * @yield: the caller can drop mmap_lock
 *
 * Sleeps.
 *
 * Return: UFFDWP_WALK_ON, UFFDWP_WALK_PAUSE (only with @yield), or -EINTR (only with @killable).
 */
int uffdwp_may_go_on(struct mm_struct *mm, bool killable, bool yield)
{
	if (killable && fatal_signal_pending(current))
		return -EINTR;
	if (yield && (need_resched() || mmap_lock_is_contended(mm)))
		return UFFDWP_WALK_PAUSE;
	cond_resched();
	return UFFDWP_WALK_ON;
}

static void let_others_run(struct mm_struct *mm)
{
	if (mmap_lock_is_contended(mm))
		usleep_range(20, 60);
	else
		cond_resched();
}

static int hold_once(struct uffdwp_hold *hold)
{
	int next;

	/* down_read_killable() looks for a signal only if it has to wait. */
	if (hold->killable && fatal_signal_pending(current))
		return -EINTR;
	if (hold->killable) {
		next = mmap_read_lock_killable(hold->mm);
		if (next)
			return next;
	} else {
		mmap_read_lock(hold->mm);
	}
	next = hold->work(hold);
	mmap_read_unlock(hold->mm);
	return next;
}

/**
 * uffdwp_hold_and_pause - do work under mmap_lock, held for reading, and pause when it says so
 * @hold: the work
 *
 * Return: what @hold->between returned, if that was not 0; otherwise what the last @hold->work
 * returned, or -EINTR when the task was killed and @hold->killable is set.
 */
int uffdwp_hold_and_pause(struct uffdwp_hold *hold)
{
	int next, err = 0;

	do {
		next = hold_once(hold);
		if (hold->between)
			err = hold->between(hold, next);
		let_others_run(hold->mm);
	} while (!err && next == UFFDWP_WALK_PAUSE);
	return err ?: next;
}
