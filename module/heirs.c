// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns what a tracker leaves behind: the trackers of forked children, and of the memory that a
 * process has after execve(2). Each is made while nobody runs in that memory yet, is told of by an
 * event, and waits until the tracer claims it.
 *
 * fork(2): at the entry of wake_up_new_task() the child is complete and does not run. Earlier, in
 * dup_mmap(), both mmap_locks are held, and userfaultfd(2) needs a task in that mm. What was armed
 * in the parent is not in the child: copy_page_range() takes the bits away. So all of the child
 * reads as written.
 *
 * execve(2): at the entry of finalize_exec() all is mapped, the credentials are committed, and the
 * locks of exec are dropped (mm_access() takes one of them). By then the old mm may be gone, and
 * with it its tracker; so exec_mm_release(), which is called while the task has it still, notes
 * what is to be done. The other threads are dead by then, and there is no way back: a task that
 * fails dies, and leaves by exit_mm_release().
 *
 * Rights. A child has the credentials of its parent, as for PTRACE_O_TRACEFORK. What execve(2)
 * makes may have more: it is tracked only if it is dumpable and runs without secureexec, which is
 * what perf(1) and ptrace(2) go by, or if both who has opened the tracker and who has asked for its
 * events are capable of ptrace in its user namespace: a descriptor may have changed hands.
 *
 * A tracker that is not claimed ends with the one that has named it, also if that is not claimed
 * either; so a process that forks for ever leaves UFFDWP_MOST_HEIRS of them at most. They are
 * charged to who has asked for events, not to the process.
 */
#include <linux/binfmts.h>
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "attach.h"
#include "compat/exec.h"
#include "compat/memcg.h"
#include "device_tracker.h"
#include "events.h"
#include "follow.h"
#include "heirs.h"
#include "hooks/hooks.h"
#include "tracker.h"
#include "userfault.h"

/**
 * struct uffdwp_family - a tracker, those that it has left, those that they have left, and so on
 * @refs: references, of their events
 * @lock: of the lists of heirs; nests inside nothing but the lock of a device tracker
 * @unclaimed: heirs that were not claimed
 * @opener: credentials of who has opened the first of them
 * @asker: credentials of who has asked for its events
 * @ns: in which he counts processes
 * @memcg: what is charged for them, or NULL
 */
struct uffdwp_family {
	refcount_t refs;
	struct mutex lock;
	unsigned int unclaimed;
	const struct cred *opener;
	const struct cred *asker;
	struct pid_namespace *ns;
	struct mem_cgroup *memcg;
};

/**
 * uffdwp_family_new - begin a family; called by the tracer
 * @opener: credentials of who has opened the tracker
 *
 * The hooks stay as long as it does.
 *
 * Return: family, one reference; or an ERR_PTR: -ENOMEM, or as uffdwp_hooks_get().
 */
struct uffdwp_family *uffdwp_family_new(const struct cred *opener)
{
	struct uffdwp_family *family = kzalloc(sizeof(*family), GFP_KERNEL_ACCOUNT);
	int err;

	if (!family)
		return ERR_PTR(-ENOMEM);
	err = uffdwp_hooks_get();
	if (err) {
		kfree(family);
		return ERR_PTR(err);
	}
	refcount_set(&family->refs, 1);
	mutex_init(&family->lock);
	family->opener = get_cred(opener);
	family->asker = get_current_cred();
	family->ns = get_pid_ns(task_active_pid_ns(current));
	family->memcg = get_mem_cgroup_from_mm(current->mm);
	return family;
}

/**
 * uffdwp_family_get - one reference more
 * @family: family
 *
 * Return: @family.
 */
struct uffdwp_family *uffdwp_family_get(struct uffdwp_family *family)
{
	refcount_inc(&family->refs);
	return family;
}

/**
 * uffdwp_family_put - give a reference back; sleeps
 * @family: family
 */
void uffdwp_family_put(struct uffdwp_family *family)
{
	if (!refcount_dec_and_test(&family->refs))
		return;
	mem_cgroup_put(family->memcg);
	put_pid_ns(family->ns);
	put_cred(family->opener);
	put_cred(family->asker);
	mutex_destroy(&family->lock);
	kfree(family);
	uffdwp_hooks_put();
}

/* ---- heirs that wait to be claimed */

/*
 * Before it is made, since that takes time. It is kept until the heir is claimed or has ended, also
 * if nobody waits for it any more. False: there are too many, or the tracker has ended.
 */
static bool reserve_place(struct uffdwp_events *ev)
{
	struct uffdwp_family *family = ev->family;
	bool reserved;

	mutex_lock(&family->lock);
	reserved = !ev->closed && family->unclaimed < UFFDWP_MOST_HEIRS;
	if (reserved)
		family->unclaimed++;
	mutex_unlock(&family->lock);
	return reserved;
}

static void release_place(struct uffdwp_family *family)
{
	mutex_lock(&family->lock);
	family->unclaimed--;
	mutex_unlock(&family->lock);
}

/* For @heir, for which it was reserved. False: the tracker has ended. */
static bool take_place(struct uffdwp_events *ev, struct uffdwp_device_tracker *heir)
{
	bool taken;

	mutex_lock(&ev->family->lock);
	taken = !ev->closed;
	if (taken)
		list_add_tail(&heir->heir, &ev->heirs);
	mutex_unlock(&ev->family->lock);
	return taken;
}

/* The heir of that id, which is the caller's now, with its place; or NULL. */
static struct uffdwp_device_tracker *take_heir(struct uffdwp_events *ev, u64 id)
{
	struct uffdwp_device_tracker *heir, *found = NULL;

	mutex_lock(&ev->family->lock);
	list_for_each_entry(heir, &ev->heirs, heir) {
		if (heir->base.id != id)
			continue;
		found = heir;
		list_del_init(&heir->heir);
		break;
	}
	mutex_unlock(&ev->family->lock);
	return found;
}

/**
 * uffdwp_heir_claim - take an heir out of the list
 * @d: tracker with events, or without
 * @id: of the heir
 *
 * Return: the heir, which is the caller's now, or NULL.
 */
struct uffdwp_device_tracker *uffdwp_heir_claim(struct uffdwp_device_tracker *d, u64 id)
{
	struct uffdwp_events *ev = d->base.events;
	struct uffdwp_device_tracker *heir = ev ? take_heir(ev, id) : NULL;

	if (heir)
		release_place(ev->family);
	return heir;
}

/**
 * uffdwp_heir_put_back - the caller could not be given what it has claimed
 * @d: tracker, locked
 * @heir: what uffdwp_heir_claim() has returned
 */
void uffdwp_heir_put_back(struct uffdwp_device_tracker *d, struct uffdwp_device_tracker *heir)
{
	struct uffdwp_events *ev = d->base.events;

	mutex_lock(&ev->family->lock);
	list_add(&heir->heir, &ev->heirs);
	ev->family->unclaimed++;
	mutex_unlock(&ev->family->lock);
}

/* With their places. From now on there are no more. */
static void take_heirs(struct uffdwp_device_tracker *d, struct list_head *heirs)
{
	struct uffdwp_events *ev = d->base.events;

	if (!ev)
		return;
	mutex_lock(&ev->family->lock);
	ev->closed = true;
	list_splice_tail_init(&ev->heirs, heirs);
	mutex_unlock(&ev->family->lock);
}

/**
 * uffdwp_heirs_end - end what a tracker has left and nobody has claimed
 * @d: tracker that ends
 *
 * One after the other: an heir may have heirs, without end.
 */
void uffdwp_heirs_end(struct uffdwp_device_tracker *d)
{
	struct uffdwp_device_tracker *heir;
	LIST_HEAD(heirs);

	take_heirs(d, &heirs);
	while (!list_empty(&heirs)) {
		heir = list_first_entry(&heirs, struct uffdwp_device_tracker, heir);
		list_del_init(&heir->heir);
		take_heirs(heir, &heirs);
		/* Which finds no heirs of it any more. */
		uffdwp_detach(heir);
		release_place(d->base.events->family);
	}
}

/* ---- what is to be done at a fork or an exec */

/**
 * struct bequest - a tracker is to leave another one
 * @node: in a list
 * @ev: events of the tracker, a reference
 * @options: as the tracker is attached
 * @follow: what it follows
 * @task: which calls execve(2)
 *
 * Has a reference to the module, which no tracker need have any more when a call ends.
 */
struct bequest {
	struct list_head node;
	struct uffdwp_events *ev;
	struct uffdwp_options options;
	struct uffdwp_follow follow;
	const struct task_struct *task;
};

static void bequest_free(struct bequest *b)
{
	uffdwp_events_put(b->ev);
	kfree(b);
	module_put(THIS_MODULE);
}

/*
 * Of all trackers of this mm that have events. Without mmap_lock: it may be kept by a fault of
 * another thread that waits for ever, and what the process does goes on beside that.
 */
static void find_bequests(struct mm_struct *mm, struct list_head *bequests,
			  void (*note)(struct uffdwp_events *ev))
{
	const int index = uffdwp_events_enter();
	struct uffdwp_tracker *t;
	struct bequest *b;
	u64 id = 0;

	while ((t = uffdwp_next_with_events(mm, id))) {
		id = t->id;
		/* Some bytes, so that nothing is left untold. */
		b = kzalloc(sizeof(*b), GFP_KERNEL | __GFP_NOFAIL);
		__module_get(THIS_MODULE);
		b->ev = t->events;
		refcount_inc(&b->ev->refs);
		b->options = uffdwp_options_of(t);
		b->follow = uffdwp_follow_of(t);
		b->task = current;
		list_add_tail(&b->node, bequests);
		if (note)
			note(b->ev);
	}
	uffdwp_events_leave(index);
}

/* ---- heirs that nobody wants */

/**
 * struct unwanted - an heir that is to end
 * @reaper: which ends it
 * @delay: how long that waits before it looks again, in jiffies
 * @heir: it
 * @family: in which it has a place, a reference
 *
 * Has a reference to the module. Each has a reaper of its own, which may come to wait for mmap_lock
 * all the same, if somebody takes that between two times that it has it.
 */
struct unwanted {
	struct delayed_work reaper;
	unsigned long delay;
	struct uffdwp_device_tracker *heir;
	struct uffdwp_family *family;
};

/* Reapers have a queue of their own: what is made does not wait for those that wait. */
static struct workqueue_struct *making_queue, *reaping_queue;

#define FIRST_DELAY 1UL
#define LONGEST_DELAY HZ

/*
 * To end it takes mmap_lock several times, which is not to be waited for (uffdwp_try_lock()): only
 * when nobody has it.
 */
static bool can_end(const struct uffdwp_device_tracker *heir)
{
	struct mm_struct *mm = heir->base.mm;

	if (!mm && heir->uffd)
		mm = uffdwp_userfault_owner(heir->uffd);
	if (!mm || !atomic_read(&mm->mm_users))
		return true;
	if (!uffdwp_mmap_write_trylock(mm))
		return false;
	mmap_write_unlock(mm);
	return true;
}

static void reap(struct work_struct *work);

/* Never by the task that has made the child, or calls execve(2): it would wait with the heir. */
static void give_to_reaper(struct uffdwp_device_tracker *heir, struct uffdwp_family *family)
{
	struct unwanted *u = kzalloc(sizeof(*u), GFP_KERNEL | __GFP_NOFAIL);

	__module_get(THIS_MODULE);
	INIT_DELAYED_WORK(&u->reaper, reap);
	u->delay = FIRST_DELAY;
	u->heir = heir;
	u->family = uffdwp_family_get(family);
	queue_delayed_work(reaping_queue, &u->reaper, 0);
}

/* Its own heirs have other mms, which are asked for one by one. */
static void reap_one(struct unwanted *u)
{
	struct uffdwp_device_tracker *heir;
	LIST_HEAD(heirs);

	take_heirs(u->heir, &heirs);
	while (!list_empty(&heirs)) {
		heir = list_first_entry(&heirs, struct uffdwp_device_tracker, heir);
		list_del_init(&heir->heir);
		give_to_reaper(heir, u->family);
	}
	/* Which finds no heirs of it any more. */
	uffdwp_detach(u->heir);
	release_place(u->family);
	uffdwp_family_put(u->family);
	kfree(u);
}

static void reap(struct work_struct *work)
{
	struct unwanted *u = container_of(to_delayed_work(work), struct unwanted, reaper);

	if (can_end(u->heir)) {
		reap_one(u);
		/* The last instructions are waited for by uffdwp_heirs_exit(). */
		module_put(THIS_MODULE);
		return;
	}
	queue_delayed_work(reaping_queue, &u->reaper, u->delay);
	u->delay = min(2 * u->delay, LONGEST_DELAY);
}

/* ---- heirs that are made */

static int attach_heir(struct uffdwp_device_tracker *heir, const struct bequest *b,
		       struct mm_struct *mm, const atomic_t *given_up)
{
	const struct uffdwp_events_arg arg = {
		.capacity = b->ev->capacity, .event_size = b->ev->event_size, .flags = b->ev->flags,
	};
	struct uffdwp_events *ev;
	int err;

	ev = uffdwp_events_new(&arg, b->ev->family);
	if (!ev)
		return -ENOMEM;
	atomic_inc(&uffdwp_event_queues);
	heir->base.events = ev;
	err = uffdwp_attach_heir(heir, &b->options, mm);
	return err ?: uffdwp_follow_heir(heir, &b->follow, given_up);
}

/*
 * The tracker of @mm, which nobody runs in. NULL: there is none, and its place is released, now or
 * by the reaper.
 */
static struct uffdwp_device_tracker *make_heir(const struct bequest *b, struct mm_struct *mm,
					       const atomic_t *given_up)
{
	struct uffdwp_device_tracker *heir = uffdwp_device_tracker_new(b->ev->family->opener);
	int err;

	if (!heir) {
		release_place(b->ev->family);
		return NULL;
	}
	mutex_lock(&heir->lock);
	err = attach_heir(heir, b, mm, given_up);
	mutex_unlock(&heir->lock);
	if (!err)
		return heir;
	give_to_reaper(heir, b->ev->family);
	return NULL;
}

/* How long fork(2) or execve(2) waits for a tracker to be made, at most. It takes milliseconds. */
#define PATIENCE (5 * HZ)

/**
 * struct making - an heir that is made, charged to the tracer
 * @work: which makes it, and gives up its reference
 * @refs: the other is of who waits
 * @made: when it is made, or cannot be
 * @given_up: nobody waits for it any more
 * @b: what is made; its events, and the module, are kept
 * @mm: kept by mmget()
 * @heir: it, or NULL
 */
struct making {
	struct work_struct work;
	refcount_t refs;
	struct completion made;
	atomic_t given_up;
	struct bequest b;
	struct mm_struct *mm;
	struct uffdwp_device_tracker *heir;
};

static void making_put(struct making *m)
{
	if (!refcount_dec_and_test(&m->refs))
		return;
	uffdwp_events_put(m->b.ev);
	kfree(m);
}

static void make_heir_work(struct work_struct *work)
{
	struct making *m = container_of(work, struct making, work);

	uffdwp_set_active_memcg(m->b.ev->family->memcg);
	m->heir = make_heir(&m->b, m->mm, &m->given_up);
	uffdwp_set_active_memcg(NULL);
	/* Of this and who waits, the second knows what the first has done. */
	if (!atomic_xchg(&m->given_up, 1))
		complete(&m->made);
	else if (m->heir)
		give_to_reaper(m->heir, m->b.ev->family);
	mmput(m->mm);
	making_put(m);
	/* The last instructions are waited for by uffdwp_heirs_exit(). */
	module_put(THIS_MODULE);
}

static struct making *making_new(const struct bequest *b, struct mm_struct *mm)
{
	struct making *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	INIT_WORK(&m->work, make_heir_work);
	refcount_set(&m->refs, 2);
	init_completion(&m->made);
	m->b = *b;
	refcount_inc(&b->ev->refs);
	mmget(mm);
	m->mm = mm;
	__module_get(THIS_MODULE);
	return m;
}

/*
 * By a task that cannot be killed: the parent may be while it forks, and the child goes on. What it
 * waits for is the mmap_lock of an mm that nobody runs in, but that others may read: who may
 * ptrace it, by a fault that a FUSE server does not answer. The process is not to wait for that.
 *
 * NULL: there is none, or nobody waits for it any more; its place is not the caller's, then.
 */
static struct uffdwp_device_tracker *have_heir_made(const struct bequest *b, struct mm_struct *mm)
{
	struct making *m = making_new(b, mm);
	struct uffdwp_device_tracker *heir = NULL;

	if (!m) {
		release_place(b->ev->family);
		return NULL;
	}
	queue_work(making_queue, &m->work);
	if (wait_for_completion_timeout(&m->made, PATIENCE) || atomic_xchg(&m->given_up, 1))
		heir = m->heir;
	making_put(m);
	return heir;
}

/* Tells @event, with an heir or without. Who is not told of it could never claim it. */
static void leave_heir(const struct bequest *b, struct mm_struct *mm, bool wanted,
		       struct uffdwp_event *event)
{
	struct uffdwp_device_tracker *heir;

	event->id = 0;
	if (wanted && !uffdwp_events_are_full(b->ev) && reserve_place(b->ev)) {
		heir = have_heir_made(b, mm);
		/* Once it is in the list, it may be claimed and closed. */
		if (heir)
			event->id = heir->base.id;
		if (heir && !take_place(b->ev, heir)) {
			event->id = 0;
			give_to_reaper(heir, b->ev->family);
		}
	}
	if (uffdwp_events_add(b->ev, event) || !event->id)
		return;
	heir = take_heir(b->ev, event->id);
	if (heir)
		give_to_reaper(heir, b->ev->family);
}

/**
 * uffdwp_forks - a task has forked, and the child does not run yet
 * @child: child, with an mm of its own
 */
void uffdwp_forks(struct task_struct *child)
{
	struct uffdwp_event event = { .type = UFFDWP_EVENT_FORKED };
	struct bequest *b, *next;
	LIST_HEAD(bequests);

	find_bequests(current->mm, &bequests, NULL);
	list_for_each_entry_safe(b, next, &bequests, node) {
		event.pid = task_tgid_nr_ns(child, b->ev->family->ns);
		leave_heir(b, child->mm, b->follow.kinds && b->follow.fork, &event);
		bequest_free(b);
	}
}

/* Calls of execve(2) that are under way, of tasks that were tracked. */
static LIST_HEAD(execs);
static DEFINE_SPINLOCK(execs_lock);

/**
 * uffdwp_any_exec - is a task that was tracked in the middle of execve(2)?
 *
 * Return: whether one may be: others than the caller begin and end at any time.
 */
notrace bool uffdwp_any_exec(void)
{
	return !list_empty(&execs);
}

/**
 * uffdwp_task_execs - the task is about to leave its mm by execve(2)
 * @mm: that mm
 *
 * Its other threads are dead by now, and were noted.
 */
void uffdwp_task_execs(struct mm_struct *mm)
{
	LIST_HEAD(bequests);

	find_bequests(mm, &bequests, uffdwp_events_exec_begins);
	spin_lock(&execs_lock);
	list_splice_tail(&bequests, &execs);
	spin_unlock(&execs_lock);
}

/* Take what is to be done for this task out of the list. */
static void take_execs(struct list_head *mine)
{
	struct bequest *b, *next;

	spin_lock(&execs_lock);
	list_for_each_entry_safe(b, next, &execs, node)
		if (b->task == current)
			list_move_tail(&b->node, mine);
	spin_unlock(&execs_lock);
}

static void end_exec(struct bequest *b)
{
	uffdwp_events_exec_ends(b->ev);
	bequest_free(b);
}

static bool is_capable(const struct cred *cred, struct user_namespace *ns)
{
	const struct cred *old = override_creds(cred);
	bool capable = ns_capable(ns, CAP_SYS_PTRACE);

	revert_creds(old);
	return capable;
}

static bool may_go_on(const struct bequest *b, const struct linux_binprm *bprm)
{
	struct user_namespace *ns = uffdwp_user_ns_of_exec(bprm);
	const unsigned int flags = current->flags;
	bool capable;

	if (!bprm->secureexec && uffdwp_current_is_dumpable())
		return true;
	capable = is_capable(b->ev->family->opener, ns) && is_capable(b->ev->family->asker, ns);
	/* It is not the process that has used a privilege. */
	current->flags = (current->flags & ~PF_SUPERPRIV) | (flags & PF_SUPERPRIV);
	return capable;
}

/**
 * uffdwp_exec_succeeds - the task has another mm, and is about to run in it
 * @bprm: of the call
 */
void uffdwp_exec_succeeds(const struct linux_binprm *bprm)
{
	struct uffdwp_event event = { .type = UFFDWP_EVENT_EXEC };
	struct bequest *b, *next;
	LIST_HEAD(mine);

	take_execs(&mine);
	list_for_each_entry_safe(b, next, &mine, node) {
		event.pid = task_tgid_nr_ns(current, b->ev->family->ns);
		leave_heir(b, current->mm,
			   b->follow.kinds && b->follow.exec && may_go_on(b, bprm), &event);
		end_exec(b);
	}
}

/* As wait_task_zombie() has it. */
static int status_of(const struct task_struct *task)
{
	return task->signal->flags & SIGNAL_GROUP_EXIT ? task->signal->group_exit_code :
							 task->group_leader->exit_code;
}

static void note(struct uffdwp_events *ev, struct task_struct *task)
{
	uffdwp_events_note_last(ev, task_tgid_nr_ns(task, ev->family->ns), status_of(task));
}

static void note_last(struct mm_struct *mm, struct task_struct *task)
{
	const int index = uffdwp_events_enter();
	struct uffdwp_tracker *t;
	u64 id = 0;

	while ((t = uffdwp_next_with_events(mm, id))) {
		id = t->id;
		note(t->events, task);
	}
	uffdwp_events_leave(index);
}

/**
 * uffdwp_task_leaves - a task dies
 * @task: it, which is current
 * @mm: its mm
 */
void uffdwp_task_leaves(struct task_struct *task, struct mm_struct *mm)
{
	struct bequest *b, *next;
	LIST_HEAD(mine);

	note_last(mm, task);
	take_execs(&mine);
	list_for_each_entry_safe(b, next, &mine, node) {
		/* In the middle of execve(2): it has left the mm of the tracker without EXEC. */
		note(b->ev, task);
		end_exec(b);
	}
}

/**
 * uffdwp_heirs_init - make the queues
 *
 * Return: 0 or -ENOMEM.
 */
int uffdwp_heirs_init(void)
{
	making_queue = alloc_workqueue("uffdwp_heirs", WQ_UNBOUND, 0);
	if (!making_queue)
		return -ENOMEM;
	reaping_queue = alloc_workqueue("uffdwp_reapers", WQ_UNBOUND, 0);
	if (reaping_queue)
		return 0;
	destroy_workqueue(making_queue);
	return -ENOMEM;
}

/**
 * uffdwp_heirs_exit - destroy the queues; there are no trackers
 */
void uffdwp_heirs_exit(void)
{
	/* Each heir that is to be ended keeps the module, so there is none. */
	destroy_workqueue(making_queue);
	destroy_workqueue(reaping_queue);
}
