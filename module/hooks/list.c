// SPDX-License-Identifier: GPL-2.0-only
/*
 * All hooks in their order, and what happens to them when the module is loaded: found, placed and
 * proved.
 */
#include <linux/kernel.h>
#include <linux/sched.h>

#include "compat/userfault.h"
#include "hook.h"
#include "hooks.h"
#include "proof.h"

/* In the order in which they are placed; each is in place before what relies on it. */
static struct uffdwp_hook *const *const lists[] = {
	uffdwp_memory_hooks,
	uffdwp_arming_hooks,
	uffdwp_discard_hooks,
	uffdwp_ring_hooks,
	uffdwp_birth_hooks,
	uffdwp_life_hooks,
	uffdwp_backport_hooks,
};

/**
 * uffdwp_hooks_find - find the functions to hook
 *
 * Return: 0; -ENOENT when one that is required does not exist or cannot be traced; or
 * -ENOTRECOVERABLE when ftrace is dead.
 */
int uffdwp_hooks_find(void)
{
	struct uffdwp_hook *const *next;
	int i, err = 0;

	if (uffdwp_ftrace_is_dead()) {
		pr_err("ftrace has stopped after an error of its own, and works no more before the next boot: nothing can be hooked\n");
		return -ENOTRECOVERABLE;
	}
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (next = lists[i]; *next; next++)
			err = uffdwp_hook_add(*next) ?: err;
	return err;
}

/* One that is required, and that cannot be placed or does not work, is an error. */
static int place_and_prove(struct uffdwp_proof *p, struct uffdwp_hook *hook)
{
	int err;

	if (hook->unusable)
		return 0;
	err = uffdwp_hook_place(hook);
	if (err && !hook->without)
		return err;
	p->hook = hook;
	if (!err && (!hook->prove || hook->prove(p)))
		return 0;
	if (!hook->without) {
		pr_err("the hook on %s was placed but does not work on this kernel: not loading\n",
		       hook->symbol);
		return -ENODEV;
	}
	uffdwp_hook_give_up(hook);
	return 0;
}

/**
 * uffdwp_hooks_place_and_prove - place the hooks one by one, and prove each on memory of this task
 *
 * An optional hook that cannot be placed, or does not work, is done without. When all is well the
 * hooks stay for LINGER, for an ATTACH that follows at once. On failure the caller removes them.
 *
 * Return: 0 when every required hook works; -ENODEV when one does not, which the log names; or the
 * error that kept them from being proved.
 */
int uffdwp_hooks_place_and_prove(void)
{
	struct uffdwp_hook *const *next;
	struct uffdwp_proof p = {};
	int i, err;

	/* insmod and modprobe are processes; a kernel thread has no memory to try on. */
	if (!current->mm)
		return -EINVAL;
	/* The proofs arm only memory of a kind that is offered (kind.h). */
	uffdwp_hooks_offer();
	/* Without WP_ASYNC, with which the kernel would resolve write faults if no hook did. */
	err = uffdwp_proof_begin(&p, UFFDWP_SELFTEST_FEATURES);
	if (err) {
		pr_err("self-test: no userfaultfd with write protection (%d): this kernel needs CONFIG_USERFAULTFD\n",
		       err);
		return err;
	}
	WRITE_ONCE(uffdwp_hooks_are_proved, true);
	for (i = 0; i < ARRAY_SIZE(lists) && !err; i++)
		for (next = lists[i]; *next && !err; next++)
			err = place_and_prove(&p, *next);
	WRITE_ONCE(uffdwp_hooks_are_proved, false);
	uffdwp_proof_end(&p);
	uffdwp_hooks_offer();
	uffdwp_hooks_linger();
	return err;
}
