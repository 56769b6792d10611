/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arguments of a hooked function at its entry, and the redirect of the call.
 *
 * DYNAMIC_FTRACE_WITH_ARGS (5.11 and later) saves the argument registers for every callback and
 * lets an IPMODIFY callback set the instruction pointer, without the cost of SAVE_REGS. Before that
 * a callback gets all registers if it asks for them.
 */
#ifndef UFFDWP_COMPAT_FTRACE_H
#define UFFDWP_COMPAT_FTRACE_H

#include <linux/ftrace.h>

#include "signatures.h"

/*
 * UFFDWP_FTRACE_FLAGS: of every hook. Our callbacks need no recursion protection. Until 5.10 that
 * takes a flag; since 5.11 it is the protection that does (FTRACE_OPS_FL_RECURSION).
 */
#if UFFDWP_KERNEL_HAS_FTRACE_REGS
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error this kernel has no DYNAMIC_FTRACE_WITH_ARGS
#endif
#define UFFDWP_FTRACE_FLAGS FTRACE_OPS_FL_PERMANENT
#else
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_REGS
#error this kernel has no DYNAMIC_FTRACE_WITH_REGS
#endif
#define UFFDWP_FTRACE_FLAGS \
	(FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION_SAFE)
#define ftrace_regs pt_regs
#endif

static __always_inline struct pt_regs *uffdwp_fregs_regs(struct ftrace_regs *fregs)
{
#if UFFDWP_KERNEL_HAS_FTRACE_REGS_ABSTRACT
	return &arch_ftrace_regs(fregs)->regs;
#elif UFFDWP_KERNEL_HAS_FTRACE_REGS
	return &fregs->regs;
#else
	return fregs;
#endif
}

/* System V AMD64 calling convention: rdi, rsi, rdx, rcx, r8, r9 */
static __always_inline unsigned long uffdwp_fregs_arg0(struct ftrace_regs *fregs)
{
	return uffdwp_fregs_regs(fregs)->di;
}

static __always_inline unsigned long uffdwp_fregs_arg1(struct ftrace_regs *fregs)
{
	return uffdwp_fregs_regs(fregs)->si;
}

static __always_inline unsigned long uffdwp_fregs_arg2(struct ftrace_regs *fregs)
{
	return uffdwp_fregs_regs(fregs)->dx;
}

static __always_inline unsigned long uffdwp_fregs_arg3(struct ftrace_regs *fregs)
{
	return uffdwp_fregs_regs(fregs)->cx;
}

static __always_inline unsigned long uffdwp_fregs_arg4(struct ftrace_regs *fregs)
{
	return uffdwp_fregs_regs(fregs)->r8;
}

static __always_inline unsigned long uffdwp_fregs_arg5(struct ftrace_regs *fregs)
{
	return uffdwp_fregs_regs(fregs)->r9;
}

static __always_inline void uffdwp_fregs_redirect(struct ftrace_regs *fregs, void *to)
{
#if UFFDWP_KERNEL_HAS_FTRACE_REGS_SET_IP
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)to);
#elif UFFDWP_KERNEL_HAS_FTRACE_REGS
	ftrace_instruction_pointer_set(fregs, (unsigned long)to);
#else
	instruction_pointer_set(fregs, (unsigned long)to);
#endif
}

/* Free the filter of a hook that is not registered: ftrace has allocated it. */
static inline void uffdwp_ftrace_free_filter(struct ftrace_ops *ops)
{
#if UFFDWP_FREE_FILTER_EXPORTED
	ftrace_free_filter(ops);
#else
	ftrace_set_filter(ops, NULL, 0, 1);
#endif
}

#endif /* UFFDWP_COMPAT_FTRACE_H */
