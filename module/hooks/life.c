// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where memory ends, and where a process begins to have other memory, for
 * trackers that have events, or a ring, or are sparse: module/harvest.c, module/heirs.c.
 *
 * Each call that is redirected has a reference to the module: unmap_vmas() may take long, and
 * fork(2) and execve(2) wait for a tracker to be made.
 */
#include <linux/binfmts.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "compat/symbols.h"
#include "events.h"
#include "harvest.h"
#include "heirs.h"
#include "hook.h"
#include "proof.h"
#include "redirect.h"
#include "tracker.h"

#define WITHOUT "no tracker has events"

/* ---- unmap_vmas() */

static void instead_of_unmap_vmas(UFFDWP_UNMAP_PARAMETERS)
{
	struct uffdwp_unmapped unmapped = UFFDWP_UNMAPPED;

	uffdwp_unmaps(&unmapped);
	uffdwp_call(unmap_vmas)(UFFDWP_UNMAP_ARGUMENTS);
	module_put(THIS_MODULE);
}

/* void unmap_vmas(tlb, ...): compat/unmap.h; mmap_lock is held, or mm_users is 0 */
UFFDWP_CALLBACK(unmap_vmas)
{
	uffdwp_hook_fires(ops);
	if (uffdwp_mm_is_tracked(uffdwp_first_unmapped(fregs)->vm_mm))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_unmap_vmas);
}

static bool prove_unmap_vmas(struct uffdwp_proof *p)
{
	unsigned long addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);

	return !IS_ERR_VALUE(addr) && !vm_munmap(addr, PAGE_SIZE) && uffdwp_proof_fired(p);
}

static struct uffdwp_hook unmap_vmas_hook = {
	.symbol = "unmap_vmas",
	.without = "no tracker has events, or a ring, or is sparse",
	.features = UFFDWP_FEATURE_EVENTS | UFFDWP_FEATURE_RING | UFFDWP_FEATURE_UNPOP_SPARSE,
	.ops = UFFDWP_REDIRECT(unmap_vmas),
	.prove = prove_unmap_vmas,
};

/* ---- exit_mm_release() and exec_mm_release(), or mm_exit_exec_release() */

static bool has_to_leave(const struct mm_struct *mm)
{
	return (uffdwp_any_events() && uffdwp_mm_is_tracked(mm)) || unlikely(uffdwp_any_exec());
}

static bool has_to_exec(const struct mm_struct *mm)
{
	return uffdwp_any_events() && mm && uffdwp_mm_is_tracked(mm);
}

#if UFFDWP_EXIT_AND_EXEC_RELEASE
/* do_exit() sets the flag before it comes to the mm. */
static bool is_exiting(void)
{
	return current->flags & PF_EXITING;
}

static void instead_of_mm_exit_exec_release(struct task_struct *task, struct mm_struct *mm)
{
	if (is_exiting())
		uffdwp_task_leaves(task, mm);
	else
		uffdwp_task_execs(mm);
	uffdwp_call(mm_exit_exec_release)(task, mm);
	module_put(THIS_MODULE);
}

/* void mm_exit_exec_release(struct task_struct *task, struct mm_struct *mm), of current */
UFFDWP_CALLBACK(mm_exit_exec_release)
{
	const struct mm_struct *mm = (struct mm_struct *)uffdwp_fregs_arg1(fregs);

	if (is_exiting() ? has_to_leave(mm) : has_to_exec(mm))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_mm_exit_exec_release);
}

/* It is only placed, as are those that follow: the task that loads goes on. */
static struct uffdwp_hook mm_exit_exec_release_hook = {
	.symbol = "mm_exit_exec_release",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_EVENTS,
	.ops = UFFDWP_REDIRECT(mm_exit_exec_release),
};
#else
static void instead_of_exit_mm_release(struct task_struct *task, struct mm_struct *mm)
{
	uffdwp_task_leaves(task, mm);
	uffdwp_call(exit_mm_release)(task, mm);
	module_put(THIS_MODULE);
}

/* void exit_mm_release(struct task_struct *task, struct mm_struct *mm), of current */
UFFDWP_CALLBACK(exit_mm_release)
{
	if (has_to_leave((struct mm_struct *)uffdwp_fregs_arg1(fregs)))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_exit_mm_release);
}

/* It is only placed, as are those that follow: the task that loads goes on. */
static struct uffdwp_hook exit_mm_release_hook = {
	.symbol = "exit_mm_release",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_EVENTS,
	.ops = UFFDWP_REDIRECT(exit_mm_release),
};

static void instead_of_exec_mm_release(struct task_struct *task, struct mm_struct *mm)
{
	uffdwp_task_execs(mm);
	uffdwp_call(exec_mm_release)(task, mm);
	module_put(THIS_MODULE);
}

/* void exec_mm_release(struct task_struct *task, struct mm_struct *mm), of current */
UFFDWP_CALLBACK(exec_mm_release)
{
	if (has_to_exec((struct mm_struct *)uffdwp_fregs_arg1(fregs)))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_exec_mm_release);
}

static struct uffdwp_hook exec_mm_release_hook = {
	.symbol = "exec_mm_release",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_EVENTS,
	.ops = UFFDWP_REDIRECT(exec_mm_release),
};
#endif

/* ---- wake_up_new_task() */

static void instead_of_wake_up_new_task(struct task_struct *child)
{
	uffdwp_forks(child);
	uffdwp_call(wake_up_new_task)(child);
	module_put(THIS_MODULE);
}

/* void wake_up_new_task(struct task_struct *child); a thread, or after vfork(2), has the same mm */
UFFDWP_CALLBACK(wake_up_new_task)
{
	const struct task_struct *child = (struct task_struct *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_any_events() && current->mm && child->mm && child->mm != current->mm &&
	    uffdwp_mm_is_tracked(current->mm))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_wake_up_new_task);
}

static struct uffdwp_hook wake_up_new_task_hook = {
	.symbol = "wake_up_new_task",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_EVENTS,
	.ops = UFFDWP_REDIRECT(wake_up_new_task),
};

/* ---- finalize_exec() */

static void instead_of_finalize_exec(struct linux_binprm *bprm)
{
	uffdwp_call(finalize_exec)(bprm);
	uffdwp_exec_succeeds(bprm);
	module_put(THIS_MODULE);
}

/* void finalize_exec(struct linux_binprm *bprm), called last by each binary format */
UFFDWP_CALLBACK(finalize_exec)
{
	if (unlikely(uffdwp_any_exec()))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_finalize_exec);
}

static struct uffdwp_hook finalize_exec_hook = {
	.symbol = "finalize_exec",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_EVENTS,
	.ops = UFFDWP_REDIRECT(finalize_exec),
};

/* What ends a call of execve(2) is in place before what begins it. */
struct uffdwp_hook *const uffdwp_life_hooks[] = {
	&unmap_vmas_hook,
	&wake_up_new_task_hook,
	&finalize_exec_hook,
#if UFFDWP_EXIT_AND_EXEC_RELEASE
	&mm_exit_exec_release_hook,
#else
	&exit_mm_release_hook,
	&exec_mm_release_hook,
#endif
	NULL
};
