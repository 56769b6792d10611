/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What execve(2) has made of a process: may it be traced by its user?
 */
#ifndef UFFDWP_COMPAT_EXEC_H
#define UFFDWP_COMPAT_EXEC_H

#include <linux/binfmts.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>

#include "symbols.h"

/* Since 7.0 both belong to the task, and execve(2) sets them. */
#if UFFDWP_KERNEL_HAS_EXEC_STATE
static inline bool uffdwp_current_is_dumpable(void)
{
	return uffdwp_call(task_exec_state_get_dumpable)(current) == TASK_DUMPABLE_OWNER;
}

static inline struct user_namespace *uffdwp_user_ns_of_exec(const struct linux_binprm *bprm)
{
	return bprm->user_ns;
}
#else
static inline bool uffdwp_current_is_dumpable(void)
{
	return get_dumpable(current->mm) == SUID_DUMP_USER;
}

static inline struct user_namespace *uffdwp_user_ns_of_exec(const struct linux_binprm *bprm)
{
	return current->mm->user_ns;
}
#endif

#endif /* UFFDWP_COMPAT_EXEC_H */
