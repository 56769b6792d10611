// SPDX-License-Identifier: GPL-2.0-only
/*
 * A backport userfaultfd with UFFD_FEATURE_EVENT_FORK: the forked child gets a userfaultfd of its
 * own and of the same kind, which the monitor receives with the event. So the child gets a tracker,
 * too.
 *
 *   dup_userfaultfd()		for each VMA of the child, with both mmap_locks held: the kernel
 *				makes a context at the first. Its tracker is made here.
 *   dup_userfaultfd_complete()	without locks: the event is delivered, and waits to be read. Before
 *				that the tracker gets its hooks, which cannot be placed with
 *				mmap_lock held (cpuset_attach() takes it inside of
 *				cpus_read_lock()). The child does not run before this returns.
 *
 * The tracker ends with its userfaultfd, as any of the backport. If no monitor has read the event
 * there never was a userfaultfd, and the tracker ends at once: the kernel has given up the wait
 * (userfaultfd_event_wait_completion()), because the forking task was killed or the parent's
 * userfaultfd was closed, and has taken the context from the child's VMAs.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "backport/backport.h"
#include "backport/backport_tracker.h"
#include "disarm.h"
#include "hooks/hooks.h"
#include "life.h"
#include "tracker.h"

/**
 * struct forked - the tracker of a child that is being forked
 * @node: in forked_trackers, together with the others of its fork
 * @list: then in the list of its fork
 * @fork: which fork: the list of its events, on the stack of dup_mmap()
 * @tracker: its tracker; not to be looked at once the event is delivered
 * @ctx: its context
 * @parent: the context of the parent, to be looked up only: it may be another one's by then
 * @parent_id: id of the tracker that it had
 * @mm: its mm, by mmgrab()
 * @rcu: frees it when no lookup of another fork can still be at it
 */
struct forked {
	struct rhlist_head node;
	struct list_head list;
	const void *fork;
	struct uffdwp_backport_tracker *tracker;
	const void *ctx;
	const void *parent;
	u64 parent_id;
	struct mm_struct *mm;
	struct rcu_head rcu;
};

static u32 hash_fork(const void *key, u32 len, u32 seed)
{
	return hash_64(*(const unsigned long *)key ^ seed, 32);
}

static const struct rhashtable_params params = {
	.key_len = sizeof(void *),
	.key_offset = offsetof(struct forked, fork),
	.head_offset = offsetof(struct forked, node),
	.hashfn = hash_fork,
	.automatic_shrinking = true,
};

/* Looked into by every fork with an event: it grows, so that no fork is slowed by the others. */
static struct rhltable forked_trackers;

/**
 * uffdwp_backport_fork_init - set up the table of forks
 *
 * Return: 0 or -ENOMEM.
 */
int uffdwp_backport_fork_init(void)
{
	return rhltable_init(&forked_trackers, &params);
}

/**
 * uffdwp_backport_fork_exit - free it; there is no fork in it
 */
void uffdwp_backport_fork_exit(void)
{
	rhltable_destroy(&forked_trackers);
}

static int new_tracker(const struct uffdwp_tracker *parent, struct vm_area_struct *vma,
		       const void *fork)
{
	struct forked *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	struct uffdwp_backport_tracker *b = f ? uffdwp_backport_tracker_new() : NULL;
	struct uffdwp_tracker *t;
	int err = -ENOMEM;

	if (!b)
		goto free;
	t = &b->base;
	t->ctx = vma->vm_userfaultfd_ctx.ctx;
	t->sync = parent->sync;
	t->ignore_pins = parent->ignore_pins;
	t->remaps = parent->remaps;
	/* Copied into the child. */
	t->anon_markers = READ_ONCE(parent->anon_markers);
	t->mm = vma->vm_mm;

	f->fork = fork;
	f->tracker = b;
	f->ctx = t->ctx;
	f->parent = parent->ctx;
	f->parent_id = parent->id;
	f->mm = t->mm;
	/* First, since it can be undone: a tracker that is published has the child's faults. */
	err = rhltable_insert(&forked_trackers, &f->node, params);
	if (err)
		goto release;
	err = uffdwp_tracker_begin(t);
	if (err)
		goto remove;
	mmgrab(t->mm);
	mmgrab(f->mm);
	__module_get(THIS_MODULE);
	return 0;

remove:
	rhltable_remove(&forked_trackers, &f->node, params);
release:
	t->mm = NULL;
	uffdwp_backport_tracker_release(b);
free:
	if (f)
		kfree_rcu(f, rcu);
	return err;
}

/**
 * uffdwp_backport_fork_vma - after dup_userfaultfd(): a VMA was copied for a child
 * @ctx: context of the parent's VMA
 * @vma: the child's VMA
 * @fork: the same for all calls of one fork
 *
 * The mmap_locks of both are held for writing, so the parent's tracker stays.
 *
 * Return: 0, or -ENOMEM: then there is no fork.
 */
int uffdwp_backport_fork_vma(const void *ctx, struct vm_area_struct *vma, const void *fork)
{
	const void *new = vma->vm_userfaultfd_ctx.ctx;
	const struct uffdwp_tracker *parent = uffdwp_tracker_of_ctx(ctx);

	if (!parent || parent->whose != UFFDWP_BACKPORT || parent->mm != current->mm)
		return 0;
	if (!new || new == ctx || uffdwp_tracker_of_vma(vma))
		return 0;
	return new_tracker(parent, vma, fork) ? -ENOMEM : 0;
}

static void free_forked(struct forked *f)
{
	mmdrop(f->mm);
	kfree_rcu(f, rcu);
}

/* One of a fork, removed from the table, or NULL. */
static struct forked *take_forked(const void *fork)
{
	struct rhlist_head *head;
	struct forked *f = NULL;

	rcu_read_lock();
	head = rhltable_lookup(&forked_trackers, &fork, params);
	if (head)
		f = container_of(head, struct forked, node);
	rcu_read_unlock();
	/* Stays: no other task takes those of this fork. */
	if (f)
		rhltable_remove(&forked_trackers, &f->node, params);
	return f;
}

/**
 * uffdwp_backport_fork_begin - before dup_userfaultfd_complete(): let the new trackers have hooks
 * @fork: as in uffdwp_backport_fork_vma()
 * @ours: out: the trackers of this fork
 */
void uffdwp_backport_fork_begin(const void *fork, struct list_head *ours)
{
	struct forked *f;

	while ((f = take_forked(fork))) {
		if (uffdwp_hooks_get()) {
			/* The log has the reason. Nothing in the child stays protected. */
			uffdwp_backport_tracker_release(f->tracker);
			module_put(THIS_MODULE);
			free_forked(f);
			continue;
		}
		list_add(&f->list, ours);
	}
}

static bool is_in_use(const struct forked *f)
{
	struct vm_area_struct *vma;
	bool found = false;

	if (!mmget_not_zero(f->mm))
		return false;
	mmap_read_lock(f->mm);
	uffdwp_for_each_vma(vma, f->mm, 0, ULONG_MAX)
		found |= vma->vm_userfaultfd_ctx.ctx == f->ctx;
	mmap_read_unlock(f->mm);
	mmput(f->mm);
	return found;
}

static bool parent_goes_on(const struct forked *f)
{
	const struct uffdwp_tracker *t;
	bool found;

	rcu_read_lock();
	t = uffdwp_tracker_of_ctx(f->parent);
	found = t && t->id == f->parent_id;
	rcu_read_unlock();
	return found;
}

/*
 * That no VMA uses the context is not enough: a monitor that has read the event may have
 * unregistered all for now. The kernel gave it up only if the forking task was killed, or the
 * parent's userfaultfd closed, whose tracker ends before userfaultfd_release() marks it as closed.
 */
static bool was_given_up(const struct forked *f)
{
	return !is_in_use(f) && (fatal_signal_pending(current) || !parent_goes_on(f));
}

/* The kernel takes away context and mode and leaves the bits. What they do: module/fork.c */
static void leave_nothing(const struct forked *f)
{
	if (!mmget_not_zero(f->mm))
		return;
	uffdwp_disarm_unregistered(f->mm, 0, ULONG_MAX);
	mmput(f->mm);
}

/**
 * uffdwp_backport_fork_end - after dup_userfaultfd_complete(): end trackers without a userfaultfd
 * @ours: the trackers of this fork
 *
 * A monitor that has read the event may have closed what it got, and so ended the tracker.
 */
void uffdwp_backport_fork_end(struct list_head *ours)
{
	struct forked *f, *next;

	list_for_each_entry_safe(f, next, ours, list) {
		if (was_given_up(f)) {
			leave_nothing(f);
			uffdwp_backport_end(f->ctx, f->mm);
		}
		free_forked(f);
	}
}
