/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * At the entry of a hooked function: our function instead of it. What waits for it when the module
 * goes: hooks/hooks.c.
 *
 * Ours may call the original. That call comes from this module, which is how the callback tells it
 * apart (within_module()), or the original would be redirected for ever; so it must not be a tail
 * call.
 */
#ifndef UFFDWP_HOOKS_REDIRECT_H
#define UFFDWP_HOOKS_REDIRECT_H

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/wait_bit.h>

#include "compat/ftrace.h"

/* Calls that were redirected to us and have not come back. */
extern atomic_t uffdwp_calls_in_flight;

/* To a function that never sleeps for ever, and ends with uffdwp_call_ends(): it is waited for. */
static __always_inline void uffdwp_redirect(struct ftrace_regs *fregs, void *to)
{
	atomic_inc(&uffdwp_calls_in_flight);
	uffdwp_fregs_redirect(fregs, to);
}

static inline void uffdwp_call_ends(void)
{
	if (atomic_dec_and_test(&uffdwp_calls_in_flight))
		wake_up_var(&uffdwp_calls_in_flight);
}

/*
 * To a function that may sleep for long, and ends with module_put(): nothing waits for it, but the
 * module cannot be unloaded before it is back. Calls from this module go on to the original.
 */
static __always_inline void uffdwp_redirect_sleeping(unsigned long parent_ip,
						     struct ftrace_regs *fregs, void *to)
{
	/* Without the module there is no tracker. */
	if (!within_module(parent_ip, THIS_MODULE) && try_module_get(THIS_MODULE))
		uffdwp_fregs_redirect(fregs, to);
}

#endif /* UFFDWP_HOOKS_REDIRECT_H */
