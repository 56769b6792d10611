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
#include "device_tracker.h"
#include "disarm.h"
#include "events.h"
#include "follow.h"
#include "health.h"
#include "life.h"
#include "register.h"
#include "ride.h"
#include "ring.h"
#include "tracker.h"

static atomic64_t ids = ATOMIC64_INIT(0);

/**
 * uffdwp_tracker_init - initialise a tracker that is not attached yet
 * @t: zeroed
 *
 * A task may have one for each userfaultfd, so they are charged to it (GFP_KERNEL_ACCOUNT).
 *
 * Return: 0 or -ENOMEM. Is to be given back by uffdwp_tracker_end() and uffdwp_tracker_free().
 */
int uffdwp_tracker_init(struct uffdwp_tracker *t)
{
	t->counters = alloc_percpu_gfp(struct uffdwp_counters, GFP_KERNEL_ACCOUNT);
	if (!t->counters)
		return -ENOMEM;
	t->id = atomic64_inc_return(&ids);
	uffdwp_sparse_init(&t->sparse);
	uffdwp_health_prepare(t);
	return 0;
}

static_assert(offsetof(struct uffdwp_device_tracker, base) == 0);

static void free_tracker(struct rcu_head *rcu)
{
	struct uffdwp_tracker *t = container_of(rcu, struct uffdwp_tracker, rcu);

	free_percpu(t->counters);
	/* The first member of what was allocated. */
	kfree(t);
}

/**
 * uffdwp_tracker_free - free a tracker when no fault can see it any more
 * @t: tracker that has ended
 */
void uffdwp_tracker_free(struct uffdwp_tracker *t)
{
	call_rcu(&t->rcu, free_tracker);
}

/**
 * uffdwp_tracker_begin - publish a tracker, and look after its hooks
 * @t: tracker with mm, ctx and whose set
 *
 * Return: as uffdwp_tracker_publish(); or, of one that rides along, -EBUSY when the process
 * write-protects by itself, and -EAGAIN when it may just be about to.
 */
int uffdwp_tracker_begin(struct uffdwp_tracker *t)
{
	int err = t->rides && !uffdwp_ride_may_begin(t) ? -EBUSY : uffdwp_tracker_publish(t);

	if (!err && t->rides && !uffdwp_ride_may_go_on(t)) {
		uffdwp_tracker_unpublish(t);
		err = -EAGAIN;
	}
	if (!err)
		uffdwp_health_watch(t);
	return err;
}

static unsigned int all_of_ctx(struct vm_area_struct *vma, const void *ctx)
{
	return vma->vm_userfaultfd_ctx.ctx == ctx ? UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/**
 * uffdwp_tracker_disarm_early - disarm what the process has protected before the tracker began
 * @t: tracker, just published, of a userfaultfd of the process; its mm held by mmget()
 *
 * Arming would skip such entries. A write to one may sleep already, waiting for a monitor that need
 * not answer write faults any more: all are woken, also when nothing is armed by now, since what a
 * sleeper has met may have been discarded.
 */
void uffdwp_tracker_disarm_early(const struct uffdwp_tracker *t)
{
	uffdwp_disarm_range(t->mm, 0, ULONG_MAX, all_of_ctx, t->ctx);
	uffdwp_health_wake(t);
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
			uffdwp_disarm_vma(vma, vma->vm_start, vma->vm_end, UFFDWP_DISARM_ALL);
	}
}

static void end_in_mm(struct uffdwp_tracker *t)
{
	uffdwp_follow_end(t);
	uffdwp_tracker_disarm_all(t);
	/* Whole VMAs: cannot fail, and leaves one only where a stack has grown down meanwhile. */
	if (uffdwp_tracker_is_private(t))
		uffdwp_unregister_disarmed(t, 0, ULONG_MAX);
	mmap_write_lock(t->mm);
	/* The process has taken it back: what is armed there is its own. */
	if (uffdwp_tracker_is_ridden_off(t)) {
		mmap_write_unlock(t->mm);
		return;
	}
	if (t->rides)
		uffdwp_ride_leave(t);
	drain_faults(t);
	uffdwp_tracker_unpublish(t);
	mmap_write_unlock(t->mm);
	/* userfaultfd_release() wakes all waiters; but one that was handed in stays open. */
	if (t->whose != UFFDWP_BACKPORT && uffdwp_health_is_lost(t))
		uffdwp_health_wake(t);
}

static void end_tracking(struct uffdwp_tracker *t)
{
	/* mm_users of 0: exit_mmap() removes the VMAs, or has, and no fault can come. */
	if (mmget_not_zero(t->mm)) {
		end_in_mm(t);
		mmput(t->mm);
	} else if (!uffdwp_tracker_is_ridden_off(t)) {
		uffdwp_follow_forget(t);
		uffdwp_tracker_unpublish(t);
	}
}

/**
 * uffdwp_tracker_end - end the tracking
 * @t: tracker, to be found by now only through the tables; may never have been attached
 *
 * A userfaultfd that was handed in stays open and registered, but nothing in its VMAs is armed any
 * more. The hooks must stay until this returns.
 */
void uffdwp_tracker_end(struct uffdwp_tracker *t)
{
	if (!t->mm)
		return;
	uffdwp_health_forget(t);
	end_tracking(t);
	mmdrop(t->mm);
}

/**
 * uffdwp_device_tracker_new - make a tracker that is not attached yet
 * @opener: credentials of who has opened the device
 *
 * Return: the tracker, or NULL when there is no memory.
 */
struct uffdwp_device_tracker *uffdwp_device_tracker_new(const struct cred *opener)
{
	struct uffdwp_device_tracker *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);

	if (!d)
		return NULL;
	d->buffer = kvmalloc_array(UFFDWP_BUFFER_REGIONS, sizeof(*d->buffer), GFP_KERNEL_ACCOUNT);
	if (!d->buffer || uffdwp_tracker_init(&d->base)) {
		kvfree(d->buffer);
		kfree(d);
		return NULL;
	}
	mutex_init(&d->lock);
	INIT_LIST_HEAD(&d->heir);
	d->opener = get_cred(opener);
	d->drained_at = jiffies - HZ;
	return d;
}

/*
 * userfaultfd_release() waits for mmap_lock, which a fault may keep for ever. What a kernel thread
 * gives back by fput() is closed by a work that the whole machine has one of.
 */
static void put_uffd(struct file *uffd)
{
	if (current->flags & PF_KTHREAD)
		__fput_sync(uffd);
	else
		fput(uffd);
}

/**
 * uffdwp_device_tracker_release - end the tracking, and free the tracker
 * @d: tracker; its userfaultfd, if it has one, is given back
 *
 * userfaultfd_release() clears the VMA flags.
 */
void uffdwp_device_tracker_release(struct uffdwp_device_tracker *d)
{
	if (d->base.mm) {
		/* Its work may be closing it. */
		uffdwp_health_forget(&d->base);
		if (!d->closed) {
			end_tracking(&d->base);
			if (d->uffd)
				put_uffd(d->uffd);
		}
		mmdrop(d->base.mm);
	} else if (d->uffd) {
		/* uffdwp_attach_heir() */
		put_uffd(d->uffd);
	}
	/* Before what is looked at by who has found the tracker by its events. */
	uffdwp_events_free(d);
	uffdwp_sparse_free(&d->base.sparse);
	mutex_destroy(&d->lock);
	uffdwp_ring_free(&d->base);
	put_cred(d->opener);
	kvfree(d->buffer);
	uffdwp_tracker_free(&d->base);
}

/**
 * uffdwp_device_tracker_is_left - has the process closed the userfaultfd that it has handed in?
 * @t: tracker whose userfaultfd stays: it is in the list of health.c, or mmap_lock is held
 *
 * When ours is the only reference nobody can take another one that lasts: there is no descriptor,
 * and no command of a tracker takes one. An epoll instance may, for a moment: so the answer is
 * remembered.
 *
 * Return: whether it has.
 */
bool uffdwp_device_tracker_is_left(struct uffdwp_tracker *t)
{
	struct uffdwp_device_tracker *d;
	struct file *uffd;

	if (t->whose != UFFDWP_HANDED_IN)
		return false;
	d = container_of(t, struct uffdwp_device_tracker, base);
	/* The struct file stays for RCU readers, should it be let go just now. */
	rcu_read_lock();
	uffd = READ_ONCE(d->uffd);
	if (uffd && file_count(uffd) == 1)
		WRITE_ONCE(d->left, true);
	rcu_read_unlock();
	return READ_ONCE(d->left);
}

/*
 * As by the last close: its memory is registered no more, and faults that wait for its reader go
 * on. Calls that wait until it has read their event go on with userfaultfd_release().
 */
static void leave_memory(struct uffdwp_tracker *t)
{
	/* mm_users of 0: no task is left. */
	if (!mmget_not_zero(t->mm))
		return;
	uffdwp_tracker_disarm_all(t);
	uffdwp_unregister_disarmed(t, 0, ULONG_MAX);
	uffdwp_health_wake(t);
	mmput(t->mm);
	uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING | UFFDWP_RING_ENDED);
}

/**
 * uffdwp_device_tracker_take_uffd - let go of a userfaultfd that the process uses on
 * @t: tracker that rides along on it, unpublished and watched no more
 *
 * Return: the file, and its reference.
 */
struct file *uffdwp_device_tracker_take_uffd(struct uffdwp_tracker *t)
{
	struct uffdwp_device_tracker *d = container_of(t, struct uffdwp_device_tracker, base);
	struct file *uffd = d->uffd;

	WRITE_ONCE(d->uffd, NULL);
	return uffd;
}

/**
 * uffdwp_device_tracker_close - end a tracker whose userfaultfd the process has closed
 * @t: a tracker that is left
 *
 * What waits for the reader of the userfaultfd goes on, as without a tracker, and that may be a
 * command which is at work and stores its result. So that command is not waited for; health.c asks
 * again. It finds nothing registered, and arms no more. Only who waits for an event to be read does
 * not go on before that command has ended.
 *
 * Return: whether it has ended.
 */
bool uffdwp_device_tracker_close(struct uffdwp_tracker *t)
{
	struct uffdwp_device_tracker *d = container_of(t, struct uffdwp_device_tracker, base);

	leave_memory(t);
	if (!mutex_trylock(&d->lock))
		return false;
	if (!d->closed) {
		/* Its context may become another one's. */
		uffdwp_health_unlist(t);
		end_tracking(t);
		d->closed = true;
		put_uffd(d->uffd);
	}
	mutex_unlock(&d->lock);
	return true;
}
