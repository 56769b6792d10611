// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_abi=1: UFFDIO_CONTINUE_MODE_WP of Linux 6.4, a minor fault that is resolved with the page
 * write-protected.
 *
 * UFFDIO_CONTINUE always passes wp_copy = false to mfill_atomic_install_pte() and
 * hugetlb_mcopy_atomic_pte(). That a task has asked for the mode is in the note of its call while
 * it is in the kernel's function (uffd_note.c), and the hooks on those two then set wp_copy
 * (hooks/arming.c), so that the page is never writable in between.
 *
 * The same functions map each page of every UFFDIO_COPY. So what the hooks ask costs the same
 * however many tasks are in UFFDIO_CONTINUE, and takes no shared lock.
 */
#include <linux/atomic.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd.h>

#include "backport/backport.h"
#include "compat/backport.h"
#include "hooks/hooks.h"
#include "uffd_note.h"

/* Tasks in a UFFDIO_CONTINUE with the mode. */
static atomic_t asking = ATOMIC_INIT(0);

/* Set once, when the module is loaded. */
static bool offered;

/**
 * uffdwp_backport_continues - is some task in a UFFDIO_CONTINUE that protects pages?
 *
 * Return: whether it may be this one.
 */
notrace bool uffdwp_backport_continues(void)
{
	return atomic_read(&asking);
}

/**
 * uffdwp_backport_continues_protected - is this task in a UFFDIO_CONTINUE that protects?
 *
 * Return: whether it is.
 */
bool uffdwp_backport_continues_protected(void)
{
	return uffdwp_uffd_call_protects();
}

#if UFFDWP_BACKPORTS_CONTINUE_WP
/**
 * uffdwp_backport_is_continue - is this UFFDIO_CONTINUE, and has it something added?
 * @cmd: command of userfaultfd_ioctl()
 *
 * Return: whether it is and has.
 */
notrace bool uffdwp_backport_is_continue(unsigned int cmd)
{
	return offered && cmd == UFFDIO_CONTINUE;
}

/**
 * uffdwp_backport_continue - instead of UFFDIO_CONTINUE
 * @uffd: file
 * @arg: struct uffdio_continue, in user memory
 *
 * Return: as from Linux 6.4.
 */
long uffdwp_backport_continue(struct file *uffd, void __user *arg)
{
	struct uffdio_continue __user *uarg = arg;
	long ret;
	u64 mode;

	if (get_user(mode, &uarg->mode))
		return -EFAULT;
	if (!(mode & UFFDIO_CONTINUE_MODE_WP))
		return uffdwp_uffd_call_original(uffd, UFFDIO_CONTINUE, uarg);
	if (put_user(mode & ~UFFDIO_CONTINUE_MODE_WP, &uarg->mode))
		return -EFAULT;

	uffdwp_uffd_call_protect(true);
	atomic_inc(&asking);
	ret = uffdwp_uffd_call_original(uffd, UFFDIO_CONTINUE, uarg);
	atomic_dec(&asking);
	uffdwp_uffd_call_protect(false);

	return put_user(mode, &uarg->mode) ? -EFAULT : ret;
}
#else
notrace bool uffdwp_backport_is_continue(unsigned int cmd)
{
	return false;
}

long uffdwp_backport_continue(struct file *uffd, void __user *arg)
{
	return -EINVAL;
}
#endif

/**
 * uffdwp_backport_continue_init - offer UFFDIO_CONTINUE_MODE_WP, if its hooks are there
 *
 * Return: whether it is offered.
 */
bool uffdwp_backport_continue_init(void)
{
	WRITE_ONCE(offered, UFFDWP_BACKPORTS_CONTINUE_WP &&
			    (uffdwp_features & UFFDWP_INNER_CONTINUE_WP));
	return offered;
}
