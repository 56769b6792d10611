// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the hooks: which functions of the kernel are stopped at their entry, and when.
 *
 * Two kinds. A watching hook runs at the entry and returns; the function goes on. A redirecting
 * hook (FTRACE_OPS_FL_IPMODIFY) decides at the entry whether our function runs instead. In the
 * fault path that is only for memory of a tracker, and ours never sleeps for ever; elsewhere a call
 * that was redirected keeps the module from being unloaded.
 *
 * What runs then: hooks_memory.c, hooks_arming.c, hooks_discard.c and, for native_abi=1,
 * hooks_native.c.
 *
 * FTRACE_OPS_FL_PERMANENT: with these hooks in place kernel.ftrace_enabled=0 is refused, since it
 * would silence them.
 *
 * Hooks are placed with the first tracker and removed some time after the last one, so that nothing
 * is hooked in the fault path while nobody tracks, and opening and closing in a loop does not patch
 * code each time. Those on file systems, and on mcopy_atomic() of Linux 5.10, stay as long as the
 * module: they are seldom called, and a call that is under way when a hook is placed is not seen
 * and could not be waited for. So do those of native_abi=1, since there a tracker begins with a
 * call that only a hook can see.
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
#include "compat/ftrace.h"
#include "compat/hooked.h"
#include "compat/native.h"
#include "compat/symbols.h"
#include "health.h"
#include "hook_callbacks.h"
#include "hooks.h"
#include "native.h"
#include "redirect.h"

/* How long hooks stay after the last tracker was closed. */
#define LINGER (2 * HZ)

/*
 * A BPF program is just coming to the function or leaving it: bpf_tramp_ftrace_ops_func() has
 * slept for a millisecond before it says -EAGAIN.
 */
#define EAGAIN_TRIES 1000

atomic_t uffdwp_calls_in_flight = ATOMIC_INIT(0);

struct hook {
	const char *symbol;
	const char *loss;	/* what is lost without it; NULL: nothing works without it */
	u64 features;		/* what is offered with it */
	u64 kinds;		/* of memory that cannot be tracked without it */
	bool stays;		/* as long as the module */
	bool native;		/* only with native_abi=1 */
	bool begins_native;	/* with native_abi=1 it stays, too */
	struct ftrace_ops ops;
	unsigned long address;
	bool given_up;
	bool placed;
};

/* What no kernel without markers needs a hook for, nor can offer. */
#define FOR_MARKERS .given_up = !UFFDWP_HAVE_MARKERS

/* What only kernels that track mappings of ordinary files need a hook for. */
#define FOR_FILES .given_up = !UFFDWP_HAVE_FILES
/* Only with native_abi=1, and only where the kernel lacks what it is for. */
#define FOR_NATIVE(lacking) .native = true, .stays = true, .given_up = !(lacking)

#define WATCH(callback) \
	{ .func = (callback), .flags = UFFDWP_FTRACE_FLAGS }
#define REDIRECT(callback) \
	{ .func = (callback), .flags = UFFDWP_FTRACE_FLAGS | FTRACE_OPS_FL_IPMODIFY }
/* A flag in a register is taken out at the entry, one on the stack by our function. */
#if UFFDWP_HAS_MFILL_FLAGS
#define MFILL WATCH
#else
#define MFILL REDIRECT
#endif

static struct hook hooks[UFFDWP_HOOKS] = {
	[UFFDWP_HOOK_HANDLE_USERFAULT] = {
		.symbol = "handle_userfault",
		.features = UFFDWP_FEATURE_THP,
		.ops = REDIRECT(uffdwp_on_handle_userfault),
	},
	[UFFDWP_HOOK_DO_WP_PAGE] = {
		.symbol = "do_wp_page",
		.ops = WATCH(uffdwp_on_do_wp_page),
	},
	[UFFDWP_HOOK_USERFAULTFD_IOCTL] = {
		.symbol = "userfaultfd_ioctl",
		.loss = "no userfaultfd can be handed in, no tracker gives way, and native_abi=1 offers nothing on one",
		.features = UFFDWP_FEATURE_UFFD | UFFDWP_FEATURE_GIVES_WAY,
		.begins_native = UFFDWP_LACKS_WP_ASYNC || UFFDWP_CAN_ADD_CONTINUE_WP,
		.ops = REDIRECT(uffdwp_on_userfaultfd_ioctl),
	},
	[UFFDWP_HOOK_CHANGE_PROTECTION] = {
		.symbol = "change_protection",
		.features = UFFDWP_FEATURE_WRITEPROTECT,
		.ops = REDIRECT(uffdwp_on_change_protection),
	},
	[UFFDWP_HOOK_MFILL] = {
		.symbol = "mfill_atomic_install_pte",
		.given_up = UFFDWP_PROTECTS_IN_MCOPY,
		.ops = MFILL(uffdwp_on_mfill),
	},
	[UFFDWP_HOOK_MCOPY_ATOMIC] = {
		.symbol = "mcopy_atomic",
		.given_up = !UFFDWP_PROTECTS_IN_MCOPY,
		.stays = true,
		.ops = REDIRECT(uffdwp_on_mcopy_atomic),
	},
	[UFFDWP_HOOK_DO_SWAP_PAGE] = {
		.symbol = "do_swap_page",
		.given_up = !UFFDWP_HAVE_MARKERS && !UFFDWP_FORCED_WRITES_GO_BY_DIRTY,
		.loss = UFFDWP_FORCED_WRITES_GO_BY_DIRTY ? NULL :
			"unpopulated memory cannot be armed with markers",
		.features = UFFDWP_FEATURE_UNPOP_MARKER,
		.ops = REDIRECT(uffdwp_on_do_swap_page),
	},
	[UFFDWP_HOOK_ZAP] = {
		.symbol = UFFDWP_ZAP_SYMBOL,
		FOR_MARKERS,
		.loss = "shared memory, hugetlb and files cannot be tracked, nor markers be left",
		.features = UFFDWP_FEATURE_UNPOP_MARKER,
		.kinds = UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB | UFFDWP_KIND_FILE,
		.ops = REDIRECT(uffdwp_on_zap),
	},
	[UFFDWP_HOOK_MREMAP_USERFAULTFD_PREP] = {
		.symbol = "mremap_userfaultfd_prep",
		.ops = REDIRECT(uffdwp_on_mremap_userfaultfd_prep),
	},
	[UFFDWP_HOOK_USERFAULTFD_WP_ASYNC] = {
		.symbol = "userfaultfd_wp_async",
		FOR_FILES,
		.loss = "mappings of ordinary files cannot be tracked",
		.kinds = UFFDWP_KIND_FILE,
		.ops = REDIRECT(uffdwp_on_userfaultfd_wp_async),
	},
	/* Before the same of single file systems, so that the self-test can tell them apart. */
	[UFFDWP_HOOK_VFS_FALLOCATE] = {
		.symbol = "vfs_fallocate",
		FOR_FILES,
		.loss = "mappings of ordinary files cannot be tracked",
		.kinds = UFFDWP_KIND_FILE,
		.stays = true,
		.ops = REDIRECT(uffdwp_on_vfs_fallocate),
	},
	[UFFDWP_HOOK_NOTIFY_CHANGE] = {
		.symbol = "notify_change",
		FOR_FILES,
		.loss = "mappings of ordinary files cannot be tracked",
		.kinds = UFFDWP_KIND_FILE,
		.stays = true,
		.ops = REDIRECT(uffdwp_on_notify_change),
	},
	[UFFDWP_HOOK_SHMEM_FALLOCATE] = {
		.symbol = "shmem_fallocate",
		FOR_MARKERS,
		.loss = "shared memory cannot be tracked",
		.kinds = UFFDWP_KIND_SHMEM,
		.stays = true,
		.ops = REDIRECT(uffdwp_on_shmem_fallocate),
	},
	[UFFDWP_HOOK_SHMEM_SETATTR] = {
		.symbol = "shmem_setattr",
		FOR_MARKERS,
		.loss = "shared memory cannot be tracked",
		.kinds = UFFDWP_KIND_SHMEM,
		.stays = true,
		.ops = REDIRECT(uffdwp_on_shmem_setattr),
	},
	[UFFDWP_HOOK_HUGETLBFS_FALLOCATE] = {
		.symbol = "hugetlbfs_fallocate",
		FOR_MARKERS,
		.loss = "hugetlb cannot be tracked",
		.kinds = UFFDWP_KIND_HUGETLB,
		.stays = true,
		.ops = REDIRECT(uffdwp_on_hugetlbfs_fallocate),
	},
	[UFFDWP_HOOK_HUGETLBFS_SETATTR] = {
		.symbol = "hugetlbfs_setattr",
		FOR_MARKERS,
		.loss = "hugetlb cannot be tracked",
		.kinds = UFFDWP_KIND_HUGETLB,
		.stays = true,
		.ops = REDIRECT(uffdwp_on_hugetlbfs_setattr),
	},
	[UFFDWP_HOOK_COPY_HUGETLB_PAGE_RANGE] = {
		.symbol = "copy_hugetlb_page_range",
		FOR_MARKERS,
		.loss = "hugetlb cannot be tracked",
		.kinds = UFFDWP_KIND_HUGETLB,
		.ops = REDIRECT(uffdwp_on_copy_hugetlb_page_range),
	},
	[UFFDWP_HOOK_HUGETLB_MFILL] = {
		.symbol = UFFDWP_HUGETLB_MFILL_SYMBOL,
		FOR_MARKERS,
		.loss = "hugetlb cannot be tracked",
		.kinds = UFFDWP_KIND_HUGETLB,
		.ops = MFILL(uffdwp_on_hugetlb_mfill),
	},
	[UFFDWP_HOOK_MWRITEPROTECT_RANGE] = {
		.symbol = "mwriteprotect_range",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC),
		.loss = "no UFFD_FEATURE_WP_ASYNC",
		.ops = REDIRECT(uffdwp_on_mwriteprotect_range),
	},
	[UFFDWP_HOOK_DUP_USERFAULTFD] = {
		.symbol = "dup_userfaultfd",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC),
		.loss = "no UFFD_FEATURE_WP_ASYNC",
		.ops = REDIRECT(uffdwp_on_dup_userfaultfd),
	},
	[UFFDWP_HOOK_DUP_USERFAULTFD_COMPLETE] = {
		.symbol = "dup_userfaultfd_complete",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC),
		.loss = "no UFFD_FEATURE_WP_ASYNC",
		.ops = REDIRECT(uffdwp_on_dup_userfaultfd_complete),
	},
	[UFFDWP_HOOK_USERFAULTFD_RELEASE] = {
		.symbol = "userfaultfd_release",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC),
		.loss = "no UFFD_FEATURE_WP_ASYNC",
		.ops = REDIRECT(uffdwp_on_userfaultfd_release),
	},
	[UFFDWP_HOOK_PAGEMAP_OPEN] = {
		.symbol = "pagemap_open",
		FOR_NATIVE(UFFDWP_LACKS_PAGEMAP_SCAN),
		.loss = "no PAGEMAP_SCAN",
		.ops = REDIRECT(uffdwp_on_pagemap_open),
	},
};

bool uffdwp_hooks_are_proved;
unsigned long uffdwp_hooks_fired;

/* Users and the state of all hooks. Outside everything that placing a hook takes. */
static DEFINE_MUTEX(hooks_lock);
static unsigned int users;

const char *uffdwp_hook_symbol(enum uffdwp_hook_id id)
{
	return hooks[id].symbol;
}

const char *uffdwp_hook_loss(enum uffdwp_hook_id id)
{
	return hooks[id].loss;
}

bool uffdwp_hook_is_given_up(enum uffdwp_hook_id id)
{
	return hooks[id].given_up;
}

/**
 * uffdwp_hook_give_up - never place an optional hook, and offer no feature that needs it
 * @id: hook
 */
void uffdwp_hook_give_up(enum uffdwp_hook_id id)
{
	pr_warn("no hook on %s: %s\n", hooks[id].symbol, hooks[id].loss);
	hooks[id].given_up = true;
}

/**
 * uffdwp_hooks_features - what is offered with the hooks that are there
 *
 * Return: UFFDWP_FEATURE_*.
 */
u64 uffdwp_hooks_features(void)
{
	u64 features = 0, lost = 0;
	int id;

	for (id = 0; id < UFFDWP_HOOKS; id++) {
		features |= hooks[id].features;
		if (hooks[id].given_up)
			lost |= hooks[id].features;
	}
	return features & ~lost;
}

/**
 * uffdwp_hooks_kinds - kinds of memory that can be tracked with the hooks that are there
 *
 * Return: UFFDWP_KIND_*.
 */
u64 uffdwp_hooks_kinds(void)
{
	u64 kinds = UFFDWP_KIND_ANON_PRIVATE;
	int id;

	if (UFFDWP_HAVE_MARKERS)
		kinds |= UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB;
	if (UFFDWP_HAVE_FILES)
		kinds |= UFFDWP_KIND_FILE;
	for (id = 0; id < UFFDWP_HOOKS; id++)
		if (hooks[id].given_up)
			kinds &= ~hooks[id].kinds;
	return kinds;
}

/**
 * uffdwp_hooks_find - find the functions to hook
 *
 * Return: 0; -ENOENT when one that is required does not exist or cannot be traced; or
 * -ENOTRECOVERABLE when ftrace is dead.
 */
int uffdwp_hooks_find(void)
{
	int id, err = 0;

	if (uffdwp_health_ftrace_is_dead()) {
		pr_err("ftrace has stopped after an error of its own, and works no more before the next boot: nothing can be hooked\n");
		return -ENOTRECOVERABLE;
	}
	for (id = 0; id < UFFDWP_HOOKS; id++) {
		struct hook *hook = &hooks[id];

		if (hook->native && !uffdwp_native_abi)
			hook->given_up = true;
		if (hook->begins_native && uffdwp_native_abi)
			hook->stays = true;
		if (hook->given_up)
			continue;
		hook->address = uffdwp_symbol_address(hook->symbol);
		if (hook->address && !ftrace_set_filter_ip(&hook->ops, hook->address, 0, 0))
			continue;
		if (hook->loss) {
			uffdwp_hook_give_up(id);
		} else {
			pr_err("this kernel has no function %s that ftrace could stop, which cannot be done without\n",
			       hook->symbol);
			err = -ENOENT;
		}
	}
	return err;
}

/* Whoever may call UFFDIO_API may have this said, with native_abi=1. */
static void explain(const struct hook *hook, int err)
{
	if (err == -EBUSY)
		pr_err_ratelimited("%s cannot be hooked: kernel.ftrace_enabled is 0, or a livepatch or another module has redirected it (see /sys/kernel/debug/tracing/enabled_functions)\n",
				   hook->symbol);
	else
		pr_err_ratelimited("%s cannot be hooked: error %d of register_ftrace_function\n",
				   hook->symbol, err);
}

/**
 * uffdwp_hook_place - place one hook, if it is not in place and not given up
 * @id: hook
 *
 * Return: 0, or -ENODEV after the log was told why.
 */
int uffdwp_hook_place(enum uffdwp_hook_id id)
{
	struct hook *hook = &hooks[id];
	int err, tries = EAGAIN_TRIES;

	if (hook->placed || hook->given_up)
		return 0;
	do {
		err = register_ftrace_function(&hook->ops);
	} while (err == -EAGAIN && --tries);
	if (err) {
		explain(hook, err);
		return -ENODEV;
	}
	hook->placed = true;
	return 0;
}

static void remove_hooks(bool all)
{
	int id;

	for (id = UFFDWP_HOOKS - 1; id >= 0; id--) {
		if (hooks[id].placed && (all || !hooks[id].stays) &&
		    !unregister_ftrace_function(&hooks[id].ops))
			hooks[id].placed = false;
	}
}

static bool any_placed(bool all)
{
	int id;

	for (id = 0; id < UFFDWP_HOOKS; id++)
		if (hooks[id].placed && (all || !hooks[id].stays))
			return true;
	return false;
}

/*
 * Hooks that cannot be removed any more may still be called: unloading would never come to an end
 * (uffdwp_hooks_exit()). So it is refused from now on.
 */
static void stay(void)
{
	static bool stays;

	lockdep_assert_held(&hooks_lock);
	if (!stays && any_placed(true))
		stays = try_module_get(THIS_MODULE);
}

/* Nobody waits for calls in flight here: those come to an end while the module is loaded. */
static void remove_unused(struct work_struct *work)
{
	mutex_lock(&hooks_lock);
	if (!users) {
		remove_hooks(false);
		if (any_placed(false))
			stay();
	}
	mutex_unlock(&hooks_lock);
}

static DECLARE_DELAYED_WORK(linger_work, remove_unused);

/**
 * uffdwp_hooks_stay - ftrace is dead: refuse to be unloaded, if any hook is in place
 *
 * Does nothing while others are at work on hooks, which may take long: to be called again.
 */
void uffdwp_hooks_stay(void)
{
	if (!mutex_trylock(&hooks_lock))
		return;
	stay();
	mutex_unlock(&hooks_lock);
}

/**
 * uffdwp_hooks_get - have the hooks in place until uffdwp_hooks_put()
 *
 * Return: 0; or, after the log was told why, -ENODEV, or -ENOTRECOVERABLE when ftrace is dead: no
 * hook was placed for this user.
 */
int uffdwp_hooks_get(void)
{
	int id, err = 0;

	/* Those that are in place already need not be called any more. */
	if (uffdwp_health_ftrace_is_dead()) {
		pr_err_ratelimited("ftrace has stopped after an error of its own, and works no more before the next boot\n");
		return -ENOTRECOVERABLE;
	}
	mutex_lock(&hooks_lock);
	for (id = 0; id < UFFDWP_HOOKS && !err; id++)
		err = uffdwp_hook_place(id);
	if (!err)
		users++;
	else if (!users)
		remove_hooks(false);
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
 * uffdwp_hooks_linger - hooks without a user may be removed a little later
 */
void uffdwp_hooks_linger(void)
{
	schedule_delayed_work(&linger_work, LINGER);
}

/*
 * A module is unloaded when nobody has a reference; but one that could not be loaded is freed
 * whoever has one (do_init_module()), and has the one of its loading.
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
	int id;

	cancel_delayed_work_sync(&linger_work);
	remove_hooks(true);
	wait_var_event(&uffdwp_calls_in_flight, !atomic_read(&uffdwp_calls_in_flight));
	wait_for_references();
	synchronize_rcu_tasks();
	/*
	 * ftrace has given up after an error of its own, and goes on calling us. There is no way to
	 * go: not to return keeps the code where it is called.
	 */
	while (any_placed(true)) {
		pr_err_once("ftrace does not remove its hooks: the module has to stay\n");
		ssleep(60);
	}
	for (id = 0; id < UFFDWP_HOOKS; id++)
		uffdwp_ftrace_free_filter(&hooks[id].ops);
}
