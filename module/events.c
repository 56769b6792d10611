// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the queue of events of a tracker: made, filled, read, freed. How its users go together:
 * events.h. Who tells it what: follow.c, discard.c, giveway.c, harvest.c, heirs.c.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>

#include "device_tracker.h"
#include "events.h"
#include "heirs.h"
#include "hooks/hooks.h"
#include "kind.h"
#include "tracker.h"

/* Trackers that have events. */
atomic_t uffdwp_event_queues = ATOMIC_INIT(0);

/*
 * What may sleep while it uses such a tracker, without mmap_lock: the end of an mm, which has no
 * user any more and so lets its trackers end any time.
 */
static struct srcu_struct users;

/**
 * uffdwp_events_enter - trackers that have events stay in memory
 *
 * Return: for uffdwp_events_leave().
 */
int uffdwp_events_enter(void) __acquires(&users)
{
	return srcu_read_lock(&users);
}

/**
 * uffdwp_events_leave - they need not stay any more
 * @index: from uffdwp_events_enter()
 */
void uffdwp_events_leave(int index) __releases(&users)
{
	srcu_read_unlock(&users, index);
}

/* ---- adding */

/* Of which there are one more than can be asked for: the last event is never lost. */
static struct uffdwp_event *nth(struct uffdwp_events *ev, u32 n)
{
	return &ev->queue[(ev->first + n) % (ev->capacity + 1)];
}

/* Of a range, and nothing else than the range differs between two of them that touch. */
static bool may_be_merged(u32 type)
{
	return type == UFFDWP_EVENT_MAPPED || type == UFFDWP_EVENT_UNMAPPED ||
	       type == UFFDWP_EVENT_DISCARDED || type == UFFDWP_EVENT_WRITTEN ||
	       type == UFFDWP_EVENT_LEFT;
}

static bool merge(struct uffdwp_event *last, const struct uffdwp_event *event)
{
	if (last->type != event->type || !may_be_merged(event->type) ||
	    event->start > last->end || event->end < last->start)
		return false;
	if (last->kind != event->kind || last->inode != event->inode || last->dev != event->dev ||
	    last->offset - last->start != event->offset - event->start)
		return false;
	last->offset = min(last->offset, event->offset);
	last->start = min(last->start, event->start);
	last->end = max(last->end, event->end);
	return true;
}

/* The last slot is for LOST. */
static bool add_locked(struct uffdwp_events *ev, const struct uffdwp_event *event)
{
	static const struct uffdwp_event lost = { .type = UFFDWP_EVENT_LOST };
	struct uffdwp_event *last = ev->nr > (ev->reading ? 1 : 0) ? nth(ev, ev->nr - 1) : NULL;

	lockdep_assert_held(&ev->lock);
	if (last && merge(last, event))
		return true;
	if (ev->nr < ev->capacity - 1) {
		*nth(ev, ev->nr++) = *event;
		return true;
	}
	if (ev->nr < ev->capacity && nth(ev, ev->nr - 1)->type != UFFDWP_EVENT_LOST)
		*nth(ev, ev->nr++) = lost;
	return false;
}

static void wake_readers(struct uffdwp_events *ev)
{
	wake_up_interruptible_poll(&ev->wait, EPOLLIN | EPOLLRDNORM | EPOLLPRI | EPOLLERR |
					      EPOLLHUP);
}

/**
 * uffdwp_events_add - tell an event
 * @ev: events
 * @event: event
 *
 * Return: whether there was room. If there was none, LOST says so.
 */
bool uffdwp_events_add(struct uffdwp_events *ev, const struct uffdwp_event *event)
{
	bool added;

	spin_lock(&ev->lock);
	added = !ev->ended && add_locked(ev, event);
	spin_unlock(&ev->lock);
	wake_readers(ev);
	return added;
}

/**
 * uffdwp_events_are_full - would another event be lost, as things are?
 * @ev: events
 *
 * Return: whether it would.
 */
bool uffdwp_events_are_full(struct uffdwp_events *ev)
{
	bool full;

	spin_lock(&ev->lock);
	full = ev->ended || ev->nr >= ev->capacity - 1;
	spin_unlock(&ev->lock);
	return full;
}

/**
 * uffdwp_memory_of - what events tell of a VMA
 * @vma: VMA; some lock keeps it
 *
 * Return: that. The offsets of anonymous memory are its addresses, so that it merges.
 */
struct uffdwp_memory uffdwp_memory_of(struct vm_area_struct *vma)
{
	struct uffdwp_memory memory = { .kind = uffdwp_kind_of_vma(vma) };
	const struct inode *inode;

	if (vma->vm_file) {
		inode = uffdwp_vma_inode(vma);
		memory.inode = inode->i_ino;
		memory.dev = inode->i_sb->s_dev;
		memory.base = ((u64)vma->vm_pgoff << PAGE_SHIFT) - vma->vm_start;
	}
	return memory;
}

/**
 * uffdwp_tell_range - something has happened to a range
 * @ev: events
 * @memory: what is there
 * @type: UFFDWP_EVENT_*
 * @start: first address
 * @end: last address, exclusive
 *
 * Return: whether it was told: not of an empty range, nor when there is no room.
 */
bool uffdwp_tell_range(struct uffdwp_events *ev, const struct uffdwp_memory *memory, u32 type,
		       unsigned long start, unsigned long end)
{
	const struct uffdwp_event event = uffdwp_event_of_range(memory, type, start, end);

	return start < end && uffdwp_events_add(ev, &event);
}

/**
 * uffdwp_tell_discard - the content of a part of a VMA was discarded
 * @vma: VMA; some lock keeps it, which need not be mmap_lock
 * @start: first address
 * @end: last address, exclusive
 */
void uffdwp_tell_discard(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	const struct uffdwp_tracker *t;
	struct uffdwp_memory memory;

	if (!uffdwp_any_events())
		return;
	/* Without mmap_lock RCU alone keeps the tracker, and its events. */
	rcu_read_lock();
	t = uffdwp_tracker_of_vma(vma);
	if (t && READ_ONCE(t->events)) {
		memory = uffdwp_memory_of(vma);
		uffdwp_tell_event(t, &memory, UFFDWP_EVENT_DISCARDED, start, end);
	}
	rcu_read_unlock();
}

/* ---- how an mm ends */

/**
 * uffdwp_events_note_last - a task leaves the memory, by exit(2) or a signal
 * @ev: events
 * @pid: its process, as the reader counts
 * @status: as from wait(2)
 */
void uffdwp_events_note_last(struct uffdwp_events *ev, pid_t pid, int status)
{
	spin_lock(&ev->lock);
	ev->left_by_exec = false;
	ev->last = pid;
	ev->status = status;
	spin_unlock(&ev->lock);
}

/**
 * uffdwp_events_exec_begins - a task is about to leave the memory by execve(2)
 * @ev: events, which are not ended before uffdwp_events_exec_ends()
 */
void uffdwp_events_exec_begins(struct uffdwp_events *ev)
{
	spin_lock(&ev->lock);
	ev->left_by_exec = true;
	ev->execs++;
	spin_unlock(&ev->lock);
}

/*
 * Of an mm that was left last by execve(2) the end was told by EXEC. Of one that had no task left
 * when there came to be events nobody has noted the last.
 */
static void end_if_over(struct uffdwp_events *ev)
{
	const struct uffdwp_event event = {
		.type = UFFDWP_EVENT_EXITED, .pid = ev->last, .status = ev->status,
	};

	lockdep_assert_held(&ev->lock);
	if (!ev->gone || ev->execs || ev->ended)
		return;
	if (!ev->left_by_exec)
		*nth(ev, ev->nr++) = event;
	ev->ended = true;
}

/**
 * uffdwp_events_exec_ends - what has become of it was told
 * @ev: events
 */
void uffdwp_events_exec_ends(struct uffdwp_events *ev)
{
	spin_lock(&ev->lock);
	ev->execs--;
	end_if_over(ev);
	spin_unlock(&ev->lock);
	wake_readers(ev);
}

/**
 * uffdwp_events_mm_is_gone - no task has the memory any more
 * @ev: events
 */
void uffdwp_events_mm_is_gone(struct uffdwp_events *ev)
{
	spin_lock(&ev->lock);
	ev->gone = true;
	end_if_over(ev);
	spin_unlock(&ev->lock);
	wake_readers(ev);
}

/* ---- reading */

static bool is_ready(struct uffdwp_events *ev, const struct uffdwp_tracker *t)
{
	return READ_ONCE(ev->nr) || READ_ONCE(ev->ended) || READ_ONCE(t->lost);
}

/* EXITED is added under one hold of the lock with @ended. */
static bool is_over(struct uffdwp_events *ev)
{
	bool over;

	spin_lock(&ev->lock);
	over = ev->ended && !ev->nr;
	spin_unlock(&ev->lock);
	return over;
}

/* The first event, which stays in the queue. */
static bool begin_reading(struct uffdwp_events *ev, struct uffdwp_event *event)
{
	spin_lock(&ev->lock);
	ev->reading = ev->nr;
	if (ev->reading)
		*event = *nth(ev, 0);
	spin_unlock(&ev->lock);
	return ev->reading;
}

static void end_reading(struct uffdwp_events *ev, bool taken)
{
	spin_lock(&ev->lock);
	ev->reading = false;
	if (taken) {
		ev->first = (ev->first + 1) % (ev->capacity + 1);
		ev->nr--;
	}
	spin_unlock(&ev->lock);
}

/* A reader may know a shorter event, or a longer one. */
static int copy_event(const struct uffdwp_events *ev, char __user *buf,
		      const struct uffdwp_event *event)
{
	const size_t known = min_t(size_t, ev->event_size, sizeof(*event));

	return copy_to_user(buf, event, known) || clear_user(buf + known, ev->event_size - known) ?
	       -EFAULT : 0;
}

/* As many as there are room for. Bytes, or -EFAULT when not even one could be stored. */
static ssize_t read_events(struct uffdwp_events *ev, char __user *buf, size_t len)
{
	struct uffdwp_event event;
	size_t done = 0;
	int err = 0;

	while (!err && done + ev->event_size <= len && begin_reading(ev, &event)) {
		err = copy_event(ev, buf + done, &event);
		end_reading(ev, !err);
		if (!err)
			done += ev->event_size;
		cond_resched();
	}
	return done ?: err;
}

/**
 * uffdwp_events_read - read(2) on a tracker
 * @d: tracker
 * @buf: for the events
 * @len: bytes of that
 * @nonblock: do not wait
 *
 * Return: bytes that were stored, 0 when there will be no more events; or an error as documented
 * with the events in the uapi header.
 */
ssize_t uffdwp_events_read(struct uffdwp_device_tracker *d, char __user *buf, size_t len,
			   bool nonblock)
{
	struct uffdwp_events *ev = smp_load_acquire(&d->base.events);
	ssize_t ret;

	if (!ev || len < ev->event_size)
		return -EINVAL;
	for (;;) {
		if (mutex_lock_interruptible(&ev->read_lock))
			return -EINTR;
		ret = read_events(ev, buf, len);
		mutex_unlock(&ev->read_lock);
		if (ret)
			return ret;
		if (is_over(ev))
			return 0;
		if (READ_ONCE(d->base.lost))
			return -ENOTRECOVERABLE;
		if (nonblock && !is_ready(ev, &d->base))
			return -EAGAIN;
		if (wait_event_interruptible(ev->wait, is_ready(ev, &d->base)))
			return -EINTR;
	}
}

/**
 * uffdwp_events_poll - is there an event to be read?
 * @d: tracker with events
 * @file: its file
 * @table: table of poll()
 *
 * Return: EPOLLPRI when read() would not wait and, unless that is for the ring, EPOLLIN; EPOLLHUP,
 * too, when read() would return 0; EPOLLERR when the hooks are dead.
 */
__poll_t uffdwp_events_poll(struct uffdwp_device_tracker *d, struct file *file,
			    struct poll_table_struct *table)
{
	struct uffdwp_events *ev = smp_load_acquire(&d->base.events);
	__poll_t found = 0;

	poll_wait(file, &ev->wait, table);
	if (is_ready(ev, &d->base))
		found |= EPOLLPRI | (READ_ONCE(d->base.ring) ? 0 : EPOLLIN | EPOLLRDNORM);
	if (is_over(ev))
		found |= EPOLLHUP;
	if (READ_ONCE(d->base.lost))
		found |= EPOLLERR;
	return found;
}

/**
 * uffdwp_events_wake - the tracker is lost: wake who waits for an event
 * @t: tracker, with events or without
 */
void uffdwp_events_wake(struct uffdwp_tracker *t)
{
	struct uffdwp_events *ev = READ_ONCE(t->events);

	if (ev)
		wake_readers(ev);
}

/* ---- their life */

/**
 * uffdwp_events_new - make events for a tracker
 * @arg: checked request
 * @family: what the tracker belongs to; a reference is taken
 *
 * Return: events, one reference; or NULL when there is no memory.
 */
struct uffdwp_events *uffdwp_events_new(const struct uffdwp_events_arg *arg,
					struct uffdwp_family *family)
{
	struct uffdwp_events *ev = kzalloc(sizeof(*ev), GFP_KERNEL_ACCOUNT);

	if (!ev)
		return NULL;
	ev->queue = kvmalloc_array(arg->capacity + 1, sizeof(*ev->queue), GFP_KERNEL_ACCOUNT);
	if (!ev->queue) {
		kfree(ev);
		return NULL;
	}
	refcount_set(&ev->refs, 1);
	init_waitqueue_head(&ev->wait);
	mutex_init(&ev->read_lock);
	spin_lock_init(&ev->lock);
	INIT_LIST_HEAD(&ev->heirs);
	ev->capacity = arg->capacity;
	ev->event_size = arg->event_size;
	ev->flags = arg->flags;
	ev->family = uffdwp_family_get(family);
	return ev;
}

/**
 * uffdwp_events_put - give a reference back; sleeps
 * @ev: events
 */
void uffdwp_events_put(struct uffdwp_events *ev)
{
	if (!refcount_dec_and_test(&ev->refs))
		return;
	uffdwp_family_put(ev->family);
	mutex_destroy(&ev->read_lock);
	kvfree(ev->queue);
	kfree(ev);
}

/**
 * uffdwp_events_make - UFFDWP_IOC_EVENTS
 * @d: attached tracker, locked
 * @arg: request
 *
 * Return: 0, or an error as documented with struct uffdwp_events_arg.
 */
int uffdwp_events_make(struct uffdwp_device_tracker *d, const struct uffdwp_events_arg *arg)
{
	struct uffdwp_family *family;
	struct uffdwp_events *ev;

	lockdep_assert_held(&d->lock);
	if ((arg->flags & ~(UFFDWP_EVENTS_HARVEST_ALL | UFFDWP_EVENTS_HARVEST_NONE)) ||
	    arg->flags == (UFFDWP_EVENTS_HARVEST_ALL | UFFDWP_EVENTS_HARVEST_NONE) ||
	    arg->reserved || arg->capacity < UFFDWP_EVENTS_MIN_CAPACITY ||
	    arg->capacity > UFFDWP_EVENTS_MAX_CAPACITY ||
	    arg->event_size < UFFDWP_EVENT_SIZE_VER0 || arg->event_size > 256 ||
	    arg->event_size % 8)
		return -EINVAL;
	if (d->base.events)
		return -EALREADY;
	if (!(uffdwp_features & UFFDWP_FEATURE_EVENTS) || !uffdwp_tracker_is_private(&d->base))
		return -EOPNOTSUPP;
	family = uffdwp_family_new(d->opener);
	if (IS_ERR(family))
		return PTR_ERR(family);
	ev = uffdwp_events_new(arg, family);
	uffdwp_family_put(family);
	if (!ev)
		return -ENOMEM;
	atomic_inc(&uffdwp_event_queues);
	smp_store_release(&d->base.events, ev);
	return 0;
}

/**
 * uffdwp_events_free - the tracker has ended, and tells nothing any more
 * @d: tracker, unpublished; its file is closed, and so nobody reads or polls
 *
 * What it has left and nobody has claimed is to be released by uffdwp_heirs_end() before.
 */
void uffdwp_events_free(struct uffdwp_device_tracker *d)
{
	struct uffdwp_events *ev = d->base.events;

	if (!ev)
		return;
	/* Who has found the tracker. */
	synchronize_rcu();
	synchronize_srcu(&users);
	atomic_dec(&uffdwp_event_queues);
	d->base.events = NULL;
	uffdwp_events_put(ev);
}

/**
 * uffdwp_events_init - prepare for trackers that have events
 *
 * Return: 0 or -ENOMEM.
 */
int uffdwp_events_init(void)
{
	return init_srcu_struct(&users);
}

/**
 * uffdwp_events_exit - there are no trackers, and no hooks
 */
void uffdwp_events_exit(void)
{
	cleanup_srcu_struct(&users);
}
