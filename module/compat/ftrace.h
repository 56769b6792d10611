/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arguments of a function that ftrace has stopped at its entry, and where it goes on.
 *
 * DYNAMIC_FTRACE_WITH_ARGS (5.11 and later) saves the argument registers for every callback and
 * lets an IPMODIFY callback set the instruction pointer, without the cost of SAVE_REGS.
 */
#ifndef UFFDWP_COMPAT_FTRACE_H
#define UFFDWP_COMPAT_FTRACE_H

#include <linux/ftrace.h>

#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error this kernel has no DYNAMIC_FTRACE_WITH_ARGS
#endif

/* System V AMD64 calling convention: rdi, rsi, rdx, rcx, r8, r9 */
static __always_inline unsigned long uffdwp_fregs_arg0(struct ftrace_regs *fregs)
{
	return fregs->regs.di;
}

static __always_inline unsigned long uffdwp_fregs_arg1(struct ftrace_regs *fregs)
{
	return fregs->regs.si;
}

static __always_inline unsigned long uffdwp_fregs_arg2(struct ftrace_regs *fregs)
{
	return fregs->regs.dx;
}

static __always_inline unsigned long uffdwp_fregs_arg3(struct ftrace_regs *fregs)
{
	return fregs->regs.cx;
}

static __always_inline void uffdwp_fregs_redirect(struct ftrace_regs *fregs, void *to)
{
	ftrace_instruction_pointer_set(fregs, (unsigned long)to);
}

#endif /* UFFDWP_COMPAT_FTRACE_H */
