/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One hook: a function of the kernel, what is lost without it, what runs at its entry and how that
 * is proved stand together, in the files of this folder. Each
 * of these ends with a list of its hooks, in the order in which they are placed.
 *
 * Callbacks run in the fault path of every process while a tracker is open, so they look at as
 * little as they can, take no lock and do not sleep. They are not traced themselves.
 */
#ifndef UFFDWP_HOOKS_HOOK_H
#define UFFDWP_HOOKS_HOOK_H

#include <linux/ftrace.h>
#include <linux/types.h>

#include "compat/ftrace.h"

struct uffdwp_proof;

/**
 * struct uffdwp_hook - a function of the kernel that is hooked at its entry
 * @symbol: the function
 * @without: what is lost without it; NULL: nothing works without it
 * @features: what is offered with it: UFFDWP_FEATURE_*, and UFFDWP_INNER_* of hooks.h
 * @kinds: UFFDWP_KIND_* of memory that cannot be tracked without it
 * @permanent: stays as long as the module
 * @permanent_with_native_abi: so it does with native_abi=1
 * @only_with_native_abi: needs native_abi=1, and is permanent
 * @ops: callback
 * @prove: with the hook in place: does it work? NULL: that cannot be tried
 * @unusable: it does not exist here, or does not work; never placed
 * @placed: it is in place
 * @fired: its callback ran while the hooks were proved; noted only where nothing else shows it,
 *	by uffdwp_hook_fires()
 */
struct uffdwp_hook {
	const char *symbol;
	const char *without;
	u64 features;
	u64 kinds;
	bool permanent;
	bool permanent_with_native_abi;
	bool only_with_native_abi;
	struct ftrace_ops ops;
	bool (*prove)(struct uffdwp_proof *p);
	bool unusable;
	bool placed;
	bool fired;
};

/* The callback of a hook that is placed on the function of that name. */
#define UFFDWP_CALLBACK(name)							\
static notrace void uffdwp_on_##name(unsigned long ip, unsigned long parent_ip,	\
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)

/* It runs at the entry and returns; the function goes on. */
#define UFFDWP_WATCH(name) \
	{ .func = uffdwp_on_##name, .flags = UFFDWP_FTRACE_FLAGS }
/* It decides at the entry whether our function runs instead: redirect.h */
#define UFFDWP_REDIRECT(name) \
	{ .func = uffdwp_on_##name, .flags = UFFDWP_FTRACE_FLAGS | FTRACE_OPS_FL_IPMODIFY }

extern bool uffdwp_hooks_are_proved;

/* For callbacks whose effect no proof can see otherwise; the others are too hot for it. */
static __always_inline void uffdwp_hook_fires(struct ftrace_ops *ops)
{
	if (unlikely(READ_ONCE(uffdwp_hooks_are_proved)))
		WRITE_ONCE(container_of(ops, struct uffdwp_hook, ops)->fired, true);
}

/* The lists, which end with NULL. */
extern struct uffdwp_hook *const uffdwp_memory_hooks[];
extern struct uffdwp_hook *const uffdwp_arming_hooks[];
extern struct uffdwp_hook *const uffdwp_discard_hooks[];
extern struct uffdwp_hook *const uffdwp_ring_hooks[];
extern struct uffdwp_hook *const uffdwp_birth_hooks[];
extern struct uffdwp_hook *const uffdwp_life_hooks[];
extern struct uffdwp_hook *const uffdwp_backport_hooks[];

int uffdwp_hook_add(struct uffdwp_hook *hook);
int uffdwp_hook_place(struct uffdwp_hook *hook);
void uffdwp_hook_give_up(struct uffdwp_hook *hook);
void uffdwp_hooks_offer(void);
void uffdwp_hooks_linger(void);

#endif /* UFFDWP_HOOKS_HOOK_H */
