// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding a tracker to an mm: find it, check the right to it, get a userfaultfd of it.
 */
#include <linux/file.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/userfaultfd.h>

#include "attach.h"
#include "compat/symbols.h"
#include "compat/userfault.h"
#include "compat/vma.h"
#include "device_tracker.h"
#include "heirs.h"
#include "hooks/hooks.h"
#include "life.h"
#include "tracker.h"
#include "userfault.h"

#define ATTACH_FLAGS (UFFDWP_ATTACH_PIDFD | UFFDWP_ATTACH_UFFD | UFFDWP_ATTACH_IGNORE_PINS | \
		      UFFDWP_ATTACH_KEEP | UFFDWP_ATTACH_WHOLE_HUGE | UFFDWP_ATTACH_RIDE)

static bool granule_is_valid(u32 granule)
{
	return granule <= 1 || (is_power_of_2(granule) && granule >= UFFDWP_GRANULE_MIN &&
				granule <= UFFDWP_GRANULE_MAX);
}

static int check_request(const struct uffdwp_attach_arg *arg)
{
	const bool uffd = arg->flags & UFFDWP_ATTACH_UFFD;

	if ((arg->flags & ~ATTACH_FLAGS) || !granule_is_valid(arg->granule) ||
	    arg->unpopulated > UFFDWP_UNPOP_SPARSE)
		return -EINVAL;
	if ((!(arg->flags & UFFDWP_ATTACH_PIDFD) && arg->pidfd) || (!uffd && arg->uffd) ||
	    (uffd && ((arg->flags & UFFDWP_ATTACH_KEEP) ||
		      arg->unpopulated == UFFDWP_UNPOP_SPARSE)))
		return -EINVAL;
	if (!uffd && (arg->flags & UFFDWP_ATTACH_RIDE))
		return -EINVAL;
	if ((arg->flags & UFFDWP_ATTACH_RIDE) && !(uffdwp_features & UFFDWP_FEATURE_RIDE))
		return -EOPNOTSUPP;
	if (arg->unpopulated == UFFDWP_UNPOP_MARKER &&
	    !(uffdwp_features & UFFDWP_FEATURE_UNPOP_MARKER))
		return -EOPNOTSUPP;
	if (arg->unpopulated == UFFDWP_UNPOP_SPARSE &&
	    !(uffdwp_features & UFFDWP_FEATURE_UNPOP_SPARSE))
		return -EOPNOTSUPP;
	if (uffd && !(uffdwp_features & UFFDWP_FEATURE_UFFD))
		return -EOPNOTSUPP;
	if ((arg->flags & UFFDWP_ATTACH_WHOLE_HUGE) &&
	    !(uffdwp_features & UFFDWP_FEATURE_WHOLE_HUGE))
		return -EOPNOTSUPP;
	return 0;
}

/* A process, or since Linux 6.9 (PIDFD_THREAD) one thread of it. */
static struct task_struct *task_of_pidfd(int pidfd)
{
	struct task_struct *task;
	unsigned int flags;
	struct pid *pid = uffdwp_call(pidfd_get_pid)(pidfd, &flags);

	if (IS_ERR(pid))
		return ERR_CAST(pid);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	return task ?: ERR_PTR(-ESRCH);
}

/*
 * The same check as ptrace(2) and process_vm_writev(2), with the same error: mm_access() returns
 * -EACCES where those return -EPERM. It returns -ESRCH, or on some kernels NULL, where the task has
 * no mm.
 */
static struct mm_struct *mm_of_task(struct task_struct *task)
{
	struct mm_struct *mm = uffdwp_call(mm_access)(task, PTRACE_MODE_ATTACH_REALCREDS);

	if (!mm)
		return ERR_PTR(-ESRCH);
	return mm == ERR_PTR(-EACCES) ? ERR_PTR(-EPERM) : mm;
}

/* Some thread of the same process that still has its mm, or NULL. */
static struct task_struct *thread_with_mm(struct task_struct *task)
{
	struct task_struct *thread, *found = NULL;

	rcu_read_lock();
	for_each_thread(task, thread) {
		/* A hint: exit_mm() may come any time; get_task_mm() checks under task_lock(). */
		if (READ_ONCE(thread->mm)) {
			found = thread;
			get_task_struct(found);
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/*
 * A thread that has ended has no mm any more, and the process goes on while another has it: the
 * thread group leader, whose pid is that of the process, may be a zombie. mm_access() checks the
 * right to the thread that it takes the mm of, both under exec_update_lock.
 *
 * Each turn has seen a thread that ended just then, so this ends unless the process makes new ones
 * for ever; then it ends when the caller is killed.
 */
static struct mm_struct *mm_of_process(struct task_struct *task)
{
	struct mm_struct *mm = mm_of_task(task);
	struct task_struct *thread;

	while (mm == ERR_PTR(-ESRCH) && (thread = thread_with_mm(task))) {
		mm = mm_of_task(thread);
		put_task_struct(thread);
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return mm;
}

static struct mm_struct *mm_of_pidfd(int pidfd)
{
	struct task_struct *task = task_of_pidfd(pidfd);
	struct mm_struct *mm;

	if (IS_ERR(task))
		return ERR_CAST(task);
	mm = task->flags & PF_KTHREAD ? ERR_PTR(-ENXIO) : mm_of_process(task);
	put_task_struct(task);
	return mm;
}

static struct mm_struct *mm_of(const struct uffdwp_attach_arg *arg)
{
	if (arg->flags & UFFDWP_ATTACH_PIDFD)
		return mm_of_pidfd(arg->pidfd);
	mmget(current->mm);
	return current->mm;
}

/*
 * With WP_ASYNC the kernel arms for every caller of PAGEMAP_SCAN, so it is requested only where
 * ordinary files can be tracked, which takes a hook that prevents that (hooks/arming.c).
 */
static u64 features_wanted(void)
{
	return uffdwp_kinds & UFFDWP_KIND_FILE ? UFFDWP_USERFAULT_FEATURES : 0;
}

/*
 * No other feature: the events (fork, remap, remove, unmap) would block the process, since there is
 * no monitor to read them.
 */
static int open_api(struct file *uffd, unsigned int *features)
{
	*features = features_wanted();
	return uffdwp_userfault_api(uffd, *features);
}

/*
 * With EVENT_FORK a child would inherit what is armed, in a context without a tracker. And with
 * WP_ASYNC any caller of PAGEMAP_SCAN could arm, unless a hook prevents it.
 */
static int check_handed_in(struct file *uffd, const struct mm_struct *mm, unsigned int *features)
{
	int err = uffdwp_userfault_features(uffd, features);

	/* A userfaultfd of a parent or a child registers memory of its own mm. */
	if (!err && uffdwp_userfault_owner(uffd) != mm)
		err = -EINVAL;
	if (!err && (*features & UFFD_FEATURE_EVENT_FORK))
		err = -EINVAL;
	if (!err && (*features & UFFDWP_FEATURE_BIT_ASYNC) &&
	    !(uffdwp_features & UFFDWP_INNER_ASYNC_UFFD))
		err = -EOPNOTSUPP;
	return err;
}

static struct file *userfault_of(const struct uffdwp_attach_arg *arg, struct mm_struct *mm,
				 unsigned int *features)
{
	const bool handed_in = arg->flags & UFFDWP_ATTACH_UFFD;
	struct file *uffd = handed_in ? uffdwp_userfault_get(arg->uffd) :
					uffdwp_userfault_create(mm);
	int err;

	if (IS_ERR(uffd))
		return uffd;
	err = handed_in ? check_handed_in(uffd, mm, features) : open_api(uffd, features);
	if (err) {
		fput(uffd);
		return ERR_PTR(err);
	}
	return uffd;
}

/*
 * Memory of a userfaultfd that is handed in may be registered already, and calls may be at work
 * that began before the hooks were placed or have not found the tracker: a MADV_DONTNEED, or a call
 * on another userfaultfd or a PAGEMAP_SCAN, that arms. Each holds mmap_lock for reading or a VMA
 * lock while it looks for the tracker and acts: they are waited for, and later ones find it. With a
 * userfaultfd of our own nothing is registered yet, and registering waits.
 */
static int publish_tracker(struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;
	int err;

	if (t->whose != UFFDWP_HANDED_IN)
		return uffdwp_tracker_begin(t);
	if (mmap_write_lock_killable(t->mm))
		return -EINTR;
	uffdwp_for_each_vma(vma, t->mm, 0, ULONG_MAX)
		if (vma->vm_userfaultfd_ctx.ctx == t->ctx)
			uffdwp_vma_keep_out_faults(vma);
	err = uffdwp_tracker_begin(t);
	mmap_write_unlock(t->mm);
	return err;
}

/**
 * uffdwp_options_of - what was asked for when a tracker was attached
 * @t: attached tracker
 *
 * Return: these options.
 */
struct uffdwp_options uffdwp_options_of(const struct uffdwp_tracker *t)
{
	return (struct uffdwp_options){
		.ignore_pins = t->ignore_pins,
		.whole_huge = t->whole_huge,
		.keep = t->keep,
		.markers = t->markers,
		.sparse = t->sparse.on,
		.granule = t->granule,
	};
}

static struct uffdwp_options options_asked_for(const struct uffdwp_attach_arg *arg)
{
	return (struct uffdwp_options){
		.ignore_pins = (arg->flags & UFFDWP_ATTACH_IGNORE_PINS) &&
			       !UFFDWP_COPIES_PINNED_PAGES,
		.whole_huge = arg->flags & UFFDWP_ATTACH_WHOLE_HUGE,
		.keep = arg->flags & UFFDWP_ATTACH_KEEP,
		.rides = arg->flags & UFFDWP_ATTACH_RIDE,
		.markers = arg->unpopulated == UFFDWP_UNPOP_MARKER,
		.sparse = arg->unpopulated == UFFDWP_UNPOP_SPARSE,
		.granule = arg->granule > 1 ? arg->granule : 0,
	};
}

static void set_options(struct uffdwp_tracker *t, const struct uffdwp_options *options)
{
	t->ignore_pins = options->ignore_pins;
	t->whole_huge = options->whole_huge;
	t->keep = options->keep;
	t->rides = options->rides;
	t->markers = options->markers;
	t->sparse.on = options->sparse;
	t->granule = options->granule;
}

/*
 * The tracker gets the reference to @uffd. From here on it has mm_count, not mm_users: exit_mmap()
 * does not wait for it.
 */
static int bind_tracker(struct uffdwp_device_tracker *d, struct mm_struct *mm, struct file *uffd,
			unsigned int features, enum uffdwp_whose whose,
			const struct uffdwp_options *options)
{
	struct uffdwp_tracker *t = &d->base;
	int err;

	err = uffdwp_hooks_get();
	if (err)
		return err;
	d->uffd = uffd;
	d->files = (features & UFFDWP_FEATURE_BIT_ASYNC) ||
		   (UFFDWP_REGISTERS_FILES && whose == UFFDWP_PRIVATE);
	t->ctx = uffd->private_data;
	t->whose = whose;
	t->remaps = features & UFFD_FEATURE_EVENT_REMAP;
	set_options(t, options);
	t->mm = mm;
	err = publish_tracker(t);
	if (err) {
		/* It may have been published for a moment, and may be again. */
		synchronize_rcu();
		t->mm = NULL;
		d->uffd = NULL;
		uffdwp_hooks_put();
		return err;
	}
	mmgrab(mm);
	return 0;
}

/**
 * uffdwp_attach - UFFDWP_IOC_ATTACH
 * @d: tracker, locked
 * @arg: request
 *
 * Return: 0, or an error as documented with struct uffdwp_attach_arg; then the tracker is as
 * before.
 */
int uffdwp_attach(struct uffdwp_device_tracker *d, const struct uffdwp_attach_arg *arg)
{
	const enum uffdwp_whose whose = arg->flags & UFFDWP_ATTACH_UFFD ? UFFDWP_HANDED_IN :
									   UFFDWP_PRIVATE;
	const struct uffdwp_options options = options_asked_for(arg);
	unsigned int features;
	struct mm_struct *mm;
	struct file *uffd;
	int err;

	lockdep_assert_held(&d->lock);
	err = check_request(arg);
	if (err)
		return err;
	if (d->base.mm)
		return -EALREADY;

	mm = mm_of(arg);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	uffd = userfault_of(arg, mm, &features);
	if (IS_ERR(uffd)) {
		err = PTR_ERR(uffd);
		goto put_mm;
	}
	err = bind_tracker(d, mm, uffd, features, whose, &options);
	if (err)
		fput(uffd);
	/* What is protected already was protected without a check for pins. */
	else if (whose == UFFDWP_HANDED_IN && !d->base.rides)
		uffdwp_tracker_disarm_early(&d->base);
put_mm:
	mmput(mm);
	return err;
}

/**
 * uffdwp_attach_heir - attach a tracker that another one leaves (heirs.c)
 * @heir: tracker, locked
 * @options: those of the other one
 * @mm: of a task that does not run in it yet, so that there is no check of rights to pass
 *
 * Return: 0; -EINTR when the task was killed; -ENOMEM; or as uffdwp_hooks_get(). The tracker is not
 * attached, then, but may have a userfaultfd: to close it may wait for mmap_lock.
 */
int uffdwp_attach_heir(struct uffdwp_device_tracker *heir, const struct uffdwp_options *options,
		       struct mm_struct *mm)
{
	struct file *uffd = uffdwp_userfault_create(mm);
	unsigned int features;
	int err;

	if (IS_ERR(uffd))
		return PTR_ERR(uffd);
	err = open_api(uffd, &features);
	if (!err)
		err = bind_tracker(heir, mm, uffd, features, UFFDWP_PRIVATE, options);
	if (err)
		heir->uffd = uffd;
	return err;
}

/**
 * uffdwp_detach - end the tracking, if it has begun, and free the tracker
 * @d: tracker, whose last file was closed, or that nobody has claimed
 */
void uffdwp_detach(struct uffdwp_device_tracker *d)
{
	const bool attached = d->base.mm;

	uffdwp_heirs_end(d);
	uffdwp_device_tracker_release(d);
	/* Not before: until then faults rely on the hooks. */
	if (attached)
		uffdwp_hooks_put();
}
