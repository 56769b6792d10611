// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the hooks: which functions of the kernel are hooked at their entry, and when.
 *
 * Two kinds. A watching hook runs at the entry and returns; the function goes on. A redirecting
 * hook (FTRACE_OPS_FL_IPMODIFY) decides at the entry whether our function runs instead. In the
 * fault path that is only for memory of a tracker, and ours never sleeps for ever; elsewhere a call
 * that was redirected keeps the module from being unloaded.
 *
 * What runs then: hooks/memory.c, hooks/arming.c, hooks/discard.c, hooks/ring.c, hooks/birth.c,
 * hooks/life.c and, for native_abi=1, hooks/backport.c.
 *
 * FTRACE_OPS_FL_PERMANENT: with these hooks in place kernel.ftrace_enabled=0 is refused, since it
 * would silence them.
 *
 * Hooks are placed with the first tracker and removed some time after the last one, so that the
 * fault path has no hooks while there is no tracker, and opening and closing in a loop does not
 * patch code each time. Those on file systems, and on mcopy_atomic() of Linux 5.10, stay as long as
 * the module: they are seldom called, and a call that is under way when a hook is placed is not
 * seen and could not be waited for. So do those of native_abi=1, since there a tracker begins with
 * a call that only a hook can see.
 *
 * Removing, in stages:
 *   1. unregister_ftrace_function(): no new call reaches a callback. Inside, it waits for
 *      tasks-RCU: no task is preempted in a trampoline or callback.
 *   2. uffdwp_calls_in_flight reaches zero: every redirected call has left our function, but for
 *      the last instructions. Calls with a reference to the module are over before.
 *   3. tasks-RCU again: and those, too.
 */
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "../uapi/uffdwp-async.h"
#include "backport/backport.h"
#include "compat/backport.h"
#include "compat/ftrace.h"
#include "compat/hooked.h"
#include "compat/symbols.h"
#include "hook.h"
#include "hooks.h"
#include "redirect.h"

/* How long hooks stay after the last tracker was closed. */
#define LINGER (2 * HZ)

/*
 * -EAGAIN of register_ftrace_function(): a BPF trampoline is being attached to the function or
 * detached. bpf_tramp_ftrace_ops_func() has slept for a millisecond before.
 */
#define EAGAIN_TRIES 1000

atomic_t uffdwp_calls_in_flight = ATOMIC_INIT(0);

bool uffdwp_with_hooks = true;

/* All that this kernel has, in the order in which they are placed (list.c). */
static struct uffdwp_hook *hooks[48];
static unsigned int nr_hooks;

u64 uffdwp_features __ro_after_init;
u64 uffdwp_kinds __ro_after_init;

bool uffdwp_hooks_are_proved;

/* Protects users and the state of all hooks. Outside the locks of register_ftrace_function(). */
static DEFINE_MUTEX(hooks_lock);
static unsigned int users;

/* Tasks that want the hooks, and wait for hooks_lock. */
static atomic_t waiting = ATOMIC_INIT(0);

/**
 * uffdwp_ftrace_is_dead - has ftrace stopped after an error of its own?
 *
 * Return: whether it has; it never works again until the next boot.
 */
bool uffdwp_ftrace_is_dead(void)
{
	/* After what the caller has read from page tables, whose lock it has dropped. */
	smp_rmb();
	return uffdwp_call(ftrace_is_dead)();
}

/**
 * uffdwp_hook_give_up - never place an optional hook, and offer nothing that needs it
 * @hook: hook
 */
void uffdwp_hook_give_up(struct uffdwp_hook *hook)
{
	pr_warn("no hook on %s: %s\n", hook->symbol, hook->without);
	hook->unusable = true;
}

/**
 * uffdwp_hook_add - find the function of a hook, which comes behind those that were added before
 * @hook: hook
 *
 * Return: 0; -ENOENT when it is required, and there is no such function or it cannot be traced; or
 * -ENOSPC.
 */
int uffdwp_hook_add(struct uffdwp_hook *hook)
{
	unsigned long address;

	if (WARN_ON(nr_hooks == ARRAY_SIZE(hooks)))
		return -ENOSPC;
	hooks[nr_hooks++] = hook;
	hook->permanent |= hook->only_with_native_abi ||
			   (hook->permanent_with_native_abi && uffdwp_native_abi);
	hook->unusable = hook->only_with_native_abi && !uffdwp_native_abi;
	if (hook->unusable)
		return 0;
	address = uffdwp_symbol_address(hook->symbol);
	if (address && !ftrace_set_filter_ip(&hook->ops, address, 0, 0))
		return 0;
	if (!hook->without) {
		pr_err("this kernel has no function %s that ftrace could stop, which cannot be done without\n",
		       hook->symbol);
		return -ENOENT;
	}
	uffdwp_hook_give_up(hook);
	return 0;
}

/* Rate-limited: with native_abi=1 every process can cause this by UFFDIO_API. */
static void hook_explain(const struct uffdwp_hook *hook, int err)
{
	if (err == -EBUSY)
		pr_err_ratelimited("%s cannot be hooked: kernel.ftrace_enabled is 0, or a livepatch or another module has redirected it (see /sys/kernel/debug/tracing/enabled_functions)\n",
				   hook->symbol);
	else
		pr_err_ratelimited("%s cannot be hooked: error %d of register_ftrace_function\n",
				   hook->symbol, err);
}

/**
 * uffdwp_hook_place - place a hook, if it is not in place and not unusable
 * @hook: hook
 *
 * Return: 0, or -ENODEV after the log was told why.
 */
int uffdwp_hook_place(struct uffdwp_hook *hook)
{
	int err, tries = EAGAIN_TRIES;

	if (hook->placed || hook->unusable)
		return 0;
	do {
		err = register_ftrace_function(&hook->ops);
	} while (err == -EAGAIN && --tries);
	if (err) {
		hook_explain(hook, err);
		return -ENODEV;
	}
	hook->placed = true;
	return 0;
}

/*
 * To take a hook away takes long. Unless it is for all, this stops when they are wanted again.
 * Return: whether it has not stopped.
 */
static bool remove_hooks(bool all)
{
	struct uffdwp_hook *hook;
	int i;

	for (i = nr_hooks - 1; i >= 0; i--) {
		if (!all && atomic_read(&waiting))
			return false;
		hook = hooks[i];
		if (hook->placed && (all || !hook->permanent) &&
		    !unregister_ftrace_function(&hook->ops))
			hook->placed = false;
	}
	return true;
}

static bool any_placed(bool all)
{
	int i;

	for (i = 0; i < nr_hooks; i++)
		if (hooks[i]->placed && (all || !hooks[i]->permanent))
			return true;
	return false;
}

/*
 * Hooks that cannot be removed any more may still be called: unloading would never come to an end
 * (uffdwp_hooks_exit()). So it is refused from now on.
 */
static void refuse_unload(void)
{
	static bool stays;

	lockdep_assert_held(&hooks_lock);
	if (!stays && any_placed(true))
		stays = try_module_get(THIS_MODULE);
}

/* No need to wait for calls in flight: they end while the module is loaded. */
static void remove_unused(struct work_struct *work)
{
	mutex_lock(&hooks_lock);
	if (!users && remove_hooks(false) && any_placed(false))
		refuse_unload();
	mutex_unlock(&hooks_lock);
}

static DECLARE_DELAYED_WORK(linger_work, remove_unused);

/**
 * uffdwp_hooks_linger - hooks without a user are removed a little later
 */
void uffdwp_hooks_linger(void)
{
	schedule_delayed_work(&linger_work, LINGER);
}

/**
 * uffdwp_hooks_stay - ftrace is dead: refuse to be unloaded, if any hook is in place
 *
 * Does nothing while another task has hooks_lock, which may be for long: to be called again.
 */
void uffdwp_hooks_stay(void)
{
	if (!mutex_trylock(&hooks_lock))
		return;
	refuse_unload();
	mutex_unlock(&hooks_lock);
}

/**
 * uffdwp_hooks_get - have the hooks in place until uffdwp_hooks_put()
 *
 * Return: 0; or, after the log was told why, -ENODEV, or -ENOTRECOVERABLE when ftrace is dead; or
 * -EINTR when the task was killed. Then no hook was placed for this user.
 */
int uffdwp_hooks_get(void)
{
	int i, err = 0;

	if (!uffdwp_with_hooks) {
		pr_err_ratelimited("loaded with hooks=0: nothing can be tracked\n");
		return -ENODEV;
	}
	/* A dead ftrace need not call even the hooks that are in place. */
	if (uffdwp_ftrace_is_dead()) {
		pr_err_ratelimited("ftrace has stopped after an error of its own, and works no more before the next boot\n");
		return -ENOTRECOVERABLE;
	}
	atomic_inc(&waiting);
	err = mutex_lock_killable(&hooks_lock);
	atomic_dec(&waiting);
	/* Who has removed hooks may have stopped for us. */
	if (err) {
		uffdwp_hooks_linger();
		return err;
	}
	for (i = 0; i < nr_hooks && !err; i++)
		err = fatal_signal_pending(current) ? -EINTR : uffdwp_hook_place(hooks[i]);
	if (!err)
		users++;
	else if (!users)
		uffdwp_hooks_linger();
	mutex_unlock(&hooks_lock);
	return err;
}

/**
 * uffdwp_hooks_put - one user less; the last one's hooks are removed a little later
 */
void uffdwp_hooks_put(void)
{
	mutex_lock(&hooks_lock);
	if (!--users)
		uffdwp_hooks_linger();
	mutex_unlock(&hooks_lock);
}

/**
 * uffdwp_hooks_offer - offer everything but what needs an unusable hook
 */
void uffdwp_hooks_offer(void)
{
	u64 features = 0, lost = 0;
	u64 kinds = UFFDWP_KIND_ANON_PRIVATE |
		    (UFFDWP_TRACKS_SHMEM ? UFFDWP_KIND_SHMEM : 0) |
		    (UFFDWP_TRACKS_HUGETLBFS ? UFFDWP_KIND_HUGETLB : 0) |
		    (UFFDWP_TRACKS_FILES ? UFFDWP_KIND_FILE : 0);
	int i;

	for (i = 0; i < nr_hooks; i++) {
		features |= hooks[i]->features;
		if (hooks[i]->unusable) {
			lost |= hooks[i]->features;
			kinds &= ~hooks[i]->kinds;
		}
	}
	uffdwp_features = features & ~lost;
	uffdwp_kinds = kinds;
}

/*
 * delete_module(2) refuses while there are references. But do_init_module() frees a module whose
 * init has failed whatever references there are, and has one itself.
 */
static void wait_for_references(void)
{
	while (module_refcount(THIS_MODULE) > 1)
		msleep(20);
}

/**
 * uffdwp_hooks_exit - remove all hooks and wait until nothing runs in them; there are no users
 *
 * When it returns no processor and no sleeping task is in a callback, a trampoline or a function
 * that a call was redirected to.
 */
void uffdwp_hooks_exit(void)
{
	int i;

	cancel_delayed_work_sync(&linger_work);
	remove_hooks(true);
	wait_var_event(&uffdwp_calls_in_flight, !atomic_read(&uffdwp_calls_in_flight));
	wait_for_references();
	synchronize_rcu_tasks();
	/*
	 * ftrace is dead: unregistering has failed, and it goes on calling us. Not to return is all
	 * that keeps the code in memory.
	 */
	while (any_placed(true)) {
		pr_err_once("ftrace does not remove its hooks: the module has to stay\n");
		ssleep(60);
	}
	for (i = 0; i < nr_hooks; i++)
		uffdwp_ftrace_free_filter(&hooks[i]->ops);
}
