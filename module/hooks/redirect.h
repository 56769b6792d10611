/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * At the entry of a hooked function: run our function instead. How unloading waits for it:
 * hooks/hooks.c.
 *
 * Ours may call the original. The callback knows that call by its return address, which is in this
 * module (within_module()), and does not redirect it again. So calls of the original must not be
 * tail calls: those return to the caller of ours, outside of this module.
 */
#ifndef UFFDWP_HOOKS_REDIRECT_H
#define UFFDWP_HOOKS_REDIRECT_H

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/wait_bit.h>

#include "compat/ftrace.h"

/* Calls that were redirected to us and have not returned. */
extern atomic_t uffdwp_calls_in_flight;

/* To a function that never sleeps for ever, and ends with uffdwp_call_ends(): unloading waits. */
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
 * To a function that may sleep for long, and ends with module_put(): its reference keeps the module
 * from being unloaded before it returns. Calls from this module go on to the original.
 */
static __always_inline void uffdwp_redirect_sleeping(unsigned long parent_ip,
						     struct ftrace_regs *fregs, void *to)
{
	/* No reference while the module is unloaded: then there is no tracker. */
	if (!within_module(parent_ip, THIS_MODULE) && try_module_get(THIS_MODULE))
		uffdwp_fregs_redirect(fregs, to);
}

#endif /* UFFDWP_HOOKS_REDIRECT_H */
