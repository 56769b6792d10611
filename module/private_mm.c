// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns an mm that no process has, and runs functions in it, or in another mm.
 *
 * UFFDIO_API, UFFDIO_REGISTER and UFFDIO_UNREGISTER copy their structure from user memory. That of
 * the caller can be changed by its threads, by other users of a shared page and through
 * /proc/PID/mem, between our copy and the kernel's: then the kernel would register memory or a mode
 * that was never checked. So the structure is put into a page of this mm. It has no task of its
 * own; a kernel thread adopts it (kthread_use_mm()) for one call, and get_task_mm() does not return
 * the mm of a kernel thread: neither ptrace(2) nor /proc nor process_vm_writev(2) can get at it.
 * These ioctls act on ctx->mm, the mm of the userfaultfd, and use nothing of current but its user
 * memory. This is so in each of the kernels that compat.h lets in, and is to be checked for the
 * next.
 *
 * One thread a call, and no work queue: it waits for the mmap_lock of the target, which a hostile
 * target can keep for as long as it likes, and would block other callers. This way each waits for
 * its own target only.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "compat/memcg.h"
#include "compat/symbols.h"
#include "private_mm.h"

/* Set once, when the module is loaded. */
static struct mm_struct *private_mm;

struct errand {
	struct mm_struct *mm;
	struct mem_cgroup *memcg;
	void (*run)(void *arg);
	void *arg;
	struct completion done;
};

static int do_errand(void *data)
{
	struct errand *e = data;

	uffdwp_set_active_memcg(e->memcg);
	kthread_use_mm(e->mm);
	e->run(e->arg);
	kthread_unuse_mm(e->mm);
	uffdwp_set_active_memcg(NULL);
	complete(&e->done);
	return 0;
}

/**
 * uffdwp_run_in_mm - have a kernel thread adopt an mm and run a function in it
 * @mm: mm, held by mmget()
 * @run: function
 * @arg: its argument
 *
 * What @run allocates for user space (GFP_KERNEL_ACCOUNT) is charged to the memory cgroup of the
 * calling process, as if that had called it, or to the one that is active for the caller: kernel
 * threads are charged for nothing by themselves.
 *
 * Return: 0 when it has run; -EINTR when the caller was killed before, or -ENOMEM: it has not.
 */
int uffdwp_run_in_mm(struct mm_struct *mm, void (*run)(void *arg), void *arg)
{
	struct errand e = { .mm = mm, .run = run, .arg = arg };
	struct task_struct *task;

	init_completion(&e.done);
	task = kthread_create(do_errand, &e, "uffdwp");
	if (IS_ERR(task))
		return PTR_ERR(task) == -EINTR ? -EINTR : -ENOMEM;
	e.memcg = uffdwp_memcg_to_charge();
	get_task_struct(task);
	wake_up_process(task);
	/* Not kthread_stop() at once: a thread that is told to stop before it runs never does. */
	wait_for_completion(&e.done);
	/* After this it runs no code of the module any more, which may be unloaded. */
	kthread_stop(task);
	put_task_struct(task);
	mem_cgroup_put(e.memcg);
	return 0;
}

struct call {
	struct file *file;
	unsigned int cmd;
	void *arg;
	long ret;
};

static long call_with_page(const struct call *c, void __user *page)
{
	long ret;

	if (copy_to_user(page, c->arg, _IOC_SIZE(c->cmd)))
		return -EFAULT;
	ret = c->file->f_op->unlocked_ioctl(c->file, c->cmd, (unsigned long)page);
	if (copy_from_user(c->arg, page, _IOC_SIZE(c->cmd)))
		return -EFAULT;
	return ret;
}

/* Each call has a page of its own, so none waits for another. */
static void run_call(void *arg)
{
	struct call *c = arg;
	unsigned long addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, 0);

	if (IS_ERR_VALUE(addr)) {
		c->ret = -ENOMEM;
		return;
	}
	c->ret = call_with_page(c, (void __user *)addr);
	vm_munmap(addr, PAGE_SIZE);
}

/**
 * uffdwp_private_ioctl - ioctl() with a structure that no other task can change
 * @file: file whose ioctl uses the memory of the calling task for its structure, and for nothing
 *	else
 * @cmd: command, whose number has the size of the structure
 * @arg: the structure, in kernel memory
 *
 * Return: what the ioctl returns, or -ENOMEM or -EINTR as uffdwp_run_in_mm().
 */
long uffdwp_private_ioctl(struct file *file, unsigned int cmd, void *arg)
{
	struct call c = { .file = file, .cmd = cmd, .arg = arg };
	int err = uffdwp_run_in_mm(private_mm, run_call, &c);

	return err ?: c.ret;
}

/**
 * uffdwp_private_mm_init - make the mm
 *
 * Return: 0 or -ENOMEM.
 */
int uffdwp_private_mm_init(void)
{
	struct rlimit stack = { .rlim_cur = 0, .rlim_max = 0 };
	struct mm_struct *mm = uffdwp_call(mm_alloc)();

	if (!mm)
		return -ENOMEM;
#ifdef CONFIG_MEMCG
	/* mm_alloc() has set the loading task, which exits before the mm is charged. */
	mm->owner = NULL;
#endif
	mm->task_size = TASK_SIZE_MAX;
	/* Where vm_mmap() puts what it makes; execve(2) does this for the mm of a process. */
	uffdwp_call(arch_pick_mmap_layout)(mm, &stack);
	private_mm = mm;
	return 0;
}

/**
 * uffdwp_private_mm_exit - free the mm; nothing runs in it
 */
void uffdwp_private_mm_exit(void)
{
	mmput(private_mm);
}
