// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a tracker: made, published, ended. Who may still find it at its end: tracker.c.
 */
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat/vma.h"
#include "disarm.h"
#include "health.h"
#include "life.h"
#include "register.h"
#include "tracker.h"

static atomic64_t ids = ATOMIC64_INIT(0);

/**
 * uffdwp_tracker_new_backport - make a tracker without the buffer for scans of the device
 *
 * A task may have one for each userfaultfd, so they are charged to it (GFP_KERNEL_ACCOUNT).
 *
 * Return: the tracker, or NULL when there is no memory.
 */
struct uffdwp_tracker *uffdwp_tracker_new_backport(void)
{
	struct uffdwp_tracker *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;

	t->counters = alloc_percpu_gfp(struct uffdwp_counters, GFP_KERNEL_ACCOUNT);
	if (!t->counters) {
		kfree(t);
		return NULL;
	}
	mutex_init(&t->lock);
	t->id = atomic64_inc_return(&ids);
	t->drained_at = jiffies - HZ;
	uffdwp_health_prepare(t);
	return t;
}

/**
 * uffdwp_tracker_new - make a tracker that is not attached yet
 *
 * Return: the tracker, or NULL when there is no memory.
 */
struct uffdwp_tracker *uffdwp_tracker_new(void)
{
	struct uffdwp_tracker *t = uffdwp_tracker_new_backport();

	if (!t)
		return NULL;

	t->buffer = kvmalloc_array(UFFDWP_BUFFER_REGIONS, sizeof(*t->buffer), GFP_KERNEL_ACCOUNT);
	if (!t->buffer) {
		uffdwp_tracker_release(t);
		return NULL;
	}
	return t;
}

static void free_tracker(struct rcu_head *rcu)
{
	struct uffdwp_tracker *t = container_of(rcu, struct uffdwp_tracker, rcu);

	kvfree(t->buffer);
	free_percpu(t->counters);
	kfree(t);
}

/**
 * uffdwp_tracker_begin - publish a tracker, and look after its hooks
 * @t: tracker with mm, uffd and ctx set
 *
 * Return: as uffdwp_tracker_publish().
 */
int uffdwp_tracker_begin(struct uffdwp_tracker *t)
{
	int err = uffdwp_tracker_publish(t);

	if (!err)
		uffdwp_health_watch(t);
	return err;
}

/*
 * Nothing is armed any more, but VMAs of a userfaultfd that is not ours to close stay registered. A
 * fault that saw an armed entry before it was disarmed may not have come to our hook yet. Without
 * the tracker it would sleep in handle_userfault() for a monitor that does not exist. Such a fault
 * holds mmap_lock for reading, or its VMA lock; so with both held for writing there is none, and
 * nothing is left that could start one.
 */
static void drain_faults(struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;

	lockdep_assert_held_write(&t->mm->mmap_lock);
	uffdwp_for_each_vma(vma, t->mm, 0, ULONG_MAX) {
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx)
			continue;
		uffdwp_vma_keep_out_faults(vma);
		if (t->remaps)
			uffdwp_disarm(vma, vma->vm_start, vma->vm_end);
	}
}

static void end_in_mm(struct uffdwp_tracker *t)
{
	uffdwp_tracker_disarm_all(t);
	/* Whole VMAs: cannot fail, and leaves one only where a stack has grown down meanwhile. */
	if (t->uffd && !t->handed_in)
		uffdwp_unregister_disarmed(t, 0, ULONG_MAX);
	mmap_write_lock(t->mm);
	drain_faults(t);
	uffdwp_tracker_unpublish(t);
	mmap_write_unlock(t->mm);
	/* userfaultfd_release() wakes all waiters; but one that was handed in stays open. */
	if (t->uffd && uffdwp_health_is_lost(t))
		uffdwp_health_wake(t);
}

/**
 * uffdwp_tracker_release - end the tracking and free the tracker
 * @t: tracker, to be found by now only through the tables
 *
 * userfaultfd_release() clears the VMA flags. A userfaultfd that was handed in stays open and
 * registered, but nothing in its VMAs is armed any more. The hooks must stay until this returns.
 */
void uffdwp_tracker_release(struct uffdwp_tracker *t)
{
	if (t->mm) {
		uffdwp_health_forget(t);
		/* mm_users of 0: exit_mmap() removes the VMAs, or has, and no fault can come. */
		if (mmget_not_zero(t->mm)) {
			end_in_mm(t);
			mmput(t->mm);
		} else {
			uffdwp_tracker_unpublish(t);
		}
		if (t->uffd)
			fput(t->uffd);
		mmdrop(t->mm);
	}
	mutex_destroy(&t->lock);
	call_rcu(&t->rcu, free_tracker);
}
