// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are the hooks still called, and is the userfaultfd that was handed in still open elsewhere? Owns
 * the list of trackers that are watched, and the work that looks at them twice a second while there
 * is one.
 *
 * How hooks die: a function that has one hook calls the trampoline of that hook; one that has
 * several, or a BPF program besides, calls ftrace_ops_list_func(), which calls all hooks in the
 * list, ours among them. That gives up at the first ftrace_ops without a function: FTRACE_WARN_ON()
 * calls ftrace_kill(), and no hook behind it in the list is called, this time or later. If ftrace
 * is killed while it changes what is hooked, the common trampolines may be left with ftrace_stub().
 * So hooks die function by function, some live on, and a hook on a function of our own would prove
 * nothing about the others. After ftrace_kill() no hook is added or removed any more:
 * ftrace_disabled is never reset.
 *
 * In Linux 6.1 a BPF program at the entry of a function that we redirect, and another one at its
 * exit after that, do it: bpf_trampoline_update() has to begin again (-EAGAIN of an IPMODIFY
 * function) and resets ->func of an ftrace_ops that is registered already. Later kernels do not.
 *
 * Two signs:
 *
 *   - ftrace_is_dead(), for all trackers. It is set before the function that lost its hook runs, so
 *     before whatever that function does to an entry: a command that asks after its last look at
 *     the page tables learns whether any of what it saw was done without our hooks.
 *   - a fault that waits on the userfaultfd of a tracker, for that tracker. One that was not handed
 *     in is registered for write protection only and has no monitor, so this is a write fault that
 *     passed by all hooks, whatever the reason. With one that was handed in it may be a fault for
 *     its monitor.
 *
 * A tracker whose hooks are dead is lost, for good. Everything is disarmed first, so that it reads
 * as written; then the sleeping tasks are woken, and take their fault again. Commands that would
 * arm or report what is clean are refused from then on. One that is at work may have armed what was
 * just disarmed: it checks again at its end (uffdwp_health_after()), before it reports anything. A
 * handed-in userfaultfd arms by UFFDIO_WRITEPROTECT, too, which no hook sees any more: while its
 * tracker is open, it is disarmed again whenever a fault waits.
 *
 * A lost tracker stays lost: a function without its hook may have zapped a page and left its
 * marker, so an entry that looks armed proves nothing (hence no scan), and a fault of the kernel
 * itself (read(2) into armed memory) meets UFFD_USER_MODE_ONLY and fails with EFAULT instead of
 * waiting.
 *
 * A synchronous tracker (t->sync) goes on: the kernel itself delivers its write faults to the
 * monitor, without our hooks, and disarming would hide them. Only its markers have to be replaced
 * where the kernel knows none in anonymous memory: a task that touches one is killed.
 *
 * Locks: watch_lock protects the list. It nests inside mmap_lock (dup_userfaultfd() publishes a
 * tracker), so health_look() takes no mmap_lock. Losing a tracker, and closing one that is left,
 * do, and may wait long for it: a hostile process can keep its mmap_lock for as long as it likes.
 * So that is a work of its own for each tracker. It does not wait for the lock of a device tracker,
 * since a command that holds it may be what sleeps (put_user() to armed memory, Linux 5.10; a
 * buffer that waits for the reader of a userfaultfd).
 *
 * The queues are WQ_UNBOUND and WQ_MEM_RECLAIM, which gives each a thread when there is no memory
 * for others: they do not wait for other work. One is for the looks alone, which go on when some
 * hundred works wait for mmap_lock.
 */
#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mutex.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "compat/symbols.h"
#include "compat/userfault.h"
#include "device_tracker.h"
#include "disarm.h"
#include "events.h"
#include "health.h"
#include "hooks/hooks.h"
#include "ring.h"
#include "tracker.h"
#include "userfault.h"

#define INTERVAL (HZ / 2)

static LIST_HEAD(watched);
static DEFINE_MUTEX(watch_lock);
static struct workqueue_struct *look_queue, *losing_queue;

static void health_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, health_look);

/**
 * uffdwp_health_is_lost - are the hooks of this tracker known to be dead?
 * @t: tracker
 *
 * Return: whether they are.
 */
bool uffdwp_health_is_lost(struct uffdwp_tracker *t)
{
	return READ_ONCE(t->lost) || uffdwp_ftrace_is_dead();
}

/**
 * uffdwp_health_wake - wake the tasks that sleep in handle_userfault() for this tracker
 * @t: tracker, whose userfaultfd is open
 *
 * __wake_userfault() may have been inlined by another compiler. Then the static_call() does
 * nothing, and they sleep until the tracker is closed.
 */
void uffdwp_health_wake(const struct uffdwp_tracker *t)
{
	struct uffdwp_wake_range all = {};

	/* As in wake_userfault(): the entries were changed before we look for waiters. */
	smp_mb();
	uffdwp_call(__wake_userfault)((struct userfaultfd_ctx *)t->ctx, &all);
}

/*
 * We have no reference to the userfaultfd of a backport tracker, and with the hook on
 * userfaultfd_release() dead we have not seen it closed. The context exists as long as a VMA points
 * to it: userfaultfd_release() clears all of those, with mmap_lock held for writing, before it
 * frees it.
 */
static bool userfault_is_open(const struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;

	lockdep_assert_held(&t->mm->mmap_lock);
	if (t->whose != UFFDWP_BACKPORT)
		return !uffdwp_tracker_is_ridden_off(t);
	uffdwp_for_each_vma(vma, t->mm, 0, ULONG_MAX)
		if (vma->vm_userfaultfd_ctx.ctx == t->ctx)
			return true;
	return false;
}

static void wake_if_open(struct uffdwp_tracker *t)
{
	mmap_read_lock(t->mm);
	if (userfault_is_open(t))
		uffdwp_health_wake(t);
	mmap_read_unlock(t->mm);
}

/* With mm_users of 0 exit_mmap() takes care of the VMAs, and no task is left to sleep. */
static void lose_tracker(struct uffdwp_tracker *t)
{
	WRITE_ONCE(t->lost, true);
	uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING | UFFDWP_RING_ENDED);
	uffdwp_events_wake(t);
	/* A command that arms after our disarming sees this: it takes page-table locks after us. */
	if (!mmget_not_zero(t->mm))
		return;
	uffdwp_tracker_disarm_all(t);
	wake_if_open(t);
	mmput(t->mm);
}

static void lose_markers(struct uffdwp_tracker *t)
{
	WRITE_ONCE(t->lost, true);
	if (!mmget_not_zero(t->mm))
		return;
	uffdwp_tracker_replace_markers(t);
	mmput(t->mm);
}

static bool someone_waits(struct uffdwp_tracker *t)
{
	bool waits = false;

	/* Until it is off the list, its userfaultfd is open. */
	if (t->whose != UFFDWP_BACKPORT) {
		mutex_lock(&watch_lock);
		waits = !list_empty(&t->watched) && uffdwp_userfault_waiting(t->ctx);
		mutex_unlock(&watch_lock);
		return waits;
	}
	if (!mmget_not_zero(t->mm))
		return false;
	mmap_read_lock(t->mm);
	if (userfault_is_open(t))
		waits = uffdwp_userfault_waiting(t->ctx);
	mmap_read_unlock(t->mm);
	mmput(t->mm);
	return waits;
}

/* As far as it is known without mmap_lock. */
static bool needs_help(struct uffdwp_tracker *t, bool dead)
{
	if (t->sync)
		return dead && !READ_ONCE(t->lost) && t->whose == UFFDWP_BACKPORT;
	if (dead)
		return !READ_ONCE(t->lost) || t->whose == UFFDWP_BACKPORT ||
		       uffdwp_userfault_waiting(t->ctx);
	if (READ_ONCE(t->lost))
		return uffdwp_userfault_waiting(t->ctx);
	return uffdwp_tracker_is_private(t) && uffdwp_userfault_waiting(t->ctx);
}

static void lose_work(struct work_struct *work)
{
	struct uffdwp_tracker *t = container_of(work, struct uffdwp_tracker, losing);

	/* Only this work takes a tracker off the list while it is open, so its userfaultfd is. */
	if (list_empty(&t->watched))
		return;
	if (uffdwp_device_tracker_is_left(t) && uffdwp_device_tracker_close(t))
		return;
	if (!READ_ONCE(t->losing_wanted))
		return;
	WRITE_ONCE(t->losing_wanted, false);
	if (t->sync)
		lose_markers(t);
	else if (!READ_ONCE(t->lost) || someone_waits(t))
		lose_tracker(t);
}

static void explain_once(bool dead)
{
	if (dead)
		pr_err_once("ftrace has stopped after an error of its own (see above), so the kernel calls the hooks no longer: nothing is tracked or protected any more, and nothing can be until the next boot\n");
	else
		pr_err_once("a write fault has passed by all hooks: its process is not tracked any more, and nothing of it is protected\n");
}

/*
 * Who waits in poll() learns that the mm is gone; and that the OOM reaper takes memory,
 * which nothing tells of: the process is being killed.
 */
static void look_at_mm(struct uffdwp_tracker *t)
{
	struct uffdwp_events *ev = READ_ONCE(t->events);

	/* Without a VMA exit_mmap() does not come to unmap_vmas(), which tells it (harvest.c). */
	if (ev && !atomic_read(&t->mm->mm_users) && !READ_ONCE(t->mm->map_count))
		uffdwp_events_mm_is_gone(ev);
	if (!READ_ONCE(t->ring))
		return;
	if (!atomic_read(&t->mm->mm_users))
		uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING | UFFDWP_RING_ENDED);
	else if (check_stable_address_space(t->mm))
		uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING);
}

/**
 * uffdwp_health_tell_all - in the rings of all trackers: everything has to be looked at
 */
void uffdwp_health_tell_all(void)
{
	struct uffdwp_tracker *t;

	mutex_lock(&watch_lock);
	list_for_each_entry(t, &watched, watched)
		uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING);
	mutex_unlock(&watch_lock);
}

static void health_look(struct work_struct *work)
{
	const bool dead = uffdwp_ftrace_is_dead();
	struct uffdwp_tracker *t;
	bool help;

	if (dead)
		uffdwp_hooks_stay();
	mutex_lock(&watch_lock);
	list_for_each_entry(t, &watched, watched) {
		help = needs_help(t, dead);
		look_at_mm(t);
		if (help) {
			if (!t->sync)
				explain_once(dead);
			WRITE_ONCE(t->losing_wanted, true);
		}
		if (help || uffdwp_device_tracker_is_left(t))
			queue_work(losing_queue, &t->losing);
		cond_resched();
	}
	if (!list_empty(&watched))
		queue_delayed_work(look_queue, &look_work, INTERVAL);
	mutex_unlock(&watch_lock);
}

/**
 * uffdwp_health_before - may a command that relies on hooks begin?
 * @t: attached tracker of the device, locked, its mm held by mmget()
 *
 * Return: 0; or -ENOTRECOVERABLE: the hooks are dead, and nothing is armed.
 */
int uffdwp_health_before(struct uffdwp_tracker *t)
{
	if (READ_ONCE(t->lost))
		return -ENOTRECOVERABLE;
	return uffdwp_health_after(t);
}

/**
 * uffdwp_health_after - may a command that relies on hooks report what it has found?
 * @t: attached tracker of the device, locked, its mm held by mmget()
 *
 * Return: 0; or -ENOTRECOVERABLE: it may not, and nothing is armed any more.
 */
int uffdwp_health_after(struct uffdwp_tracker *t)
{
	if (likely(!uffdwp_health_is_lost(t)))
		return 0;
	explain_once(uffdwp_ftrace_is_dead());
	lose_tracker(t);
	return -ENOTRECOVERABLE;
}

/**
 * uffdwp_health_prepare - initialise what is used here of a new tracker
 * @t: tracker
 */
void uffdwp_health_prepare(struct uffdwp_tracker *t)
{
	INIT_LIST_HEAD(&t->watched);
	INIT_WORK(&t->losing, lose_work);
}

/**
 * uffdwp_health_watch - watch a tracker from now on
 * @t: tracker, just published
 */
void uffdwp_health_watch(struct uffdwp_tracker *t)
{
	mutex_lock(&watch_lock);
	if (list_empty(&watched))
		queue_delayed_work(look_queue, &look_work, INTERVAL);
	list_add(&t->watched, &watched);
	mutex_unlock(&watch_lock);
}

/**
 * uffdwp_health_unlist - watch a tracker no more, said by its own work, or by ride.c
 * @t: tracker
 */
void uffdwp_health_unlist(struct uffdwp_tracker *t)
{
	mutex_lock(&watch_lock);
	list_del_init(&t->watched);
	mutex_unlock(&watch_lock);
}

/**
 * uffdwp_health_forget - watch a tracker no more
 * @t: tracker, which may never have been watched; mmap_lock is not held
 *
 * On return nothing here uses the tracker.
 */
void uffdwp_health_forget(struct uffdwp_tracker *t)
{
	mutex_lock(&watch_lock);
	list_del_init(&t->watched);
	/* One that runs now waits for watch_lock, and finds the list empty. */
	if (list_empty(&watched))
		cancel_delayed_work(&look_work);
	mutex_unlock(&watch_lock);
	cancel_work_sync(&t->losing);
}

/**
 * uffdwp_health_init - make the queues
 *
 * Return: 0 or -ENOMEM.
 */
int uffdwp_health_init(void)
{
	look_queue = alloc_workqueue("uffdwp_look", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	if (!look_queue)
		return -ENOMEM;
	losing_queue = alloc_workqueue("uffdwp_lose", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!losing_queue) {
		destroy_workqueue(look_queue);
		return -ENOMEM;
	}
	return 0;
}

/**
 * uffdwp_health_exit - destroy the queues; there are no trackers
 */
void uffdwp_health_exit(void)
{
	cancel_delayed_work_sync(&look_work);
	destroy_workqueue(look_queue);
	destroy_workqueue(losing_queue);
}
