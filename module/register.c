// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which memory belongs to a tracker. The kernel's UFFDIO_REGISTER and UFFDIO_UNREGISTER do the work
 * (flags, splits and merges of mappings); what is here says no where they would say yes, or would
 * say no without a reason.
 *
 * The mappings are looked at under mmap_lock, which is dropped before the kernel takes it again.
 * What is mapped in between can become registered without our look; it is armed only if it is of a
 * kind that we track (uffdwp_vma_is_tracked()).
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd.h>
#include <linux/userfaultfd_k.h>

#include "arm.h"
#include "register.h"
#include "tracker.h"
#include "userfault.h"

static_assert(UFFDWP_REGISTER_MODE_WP == UFFDIO_REGISTER_MODE_WP);
static_assert(offsetof(struct uffdwp_register_arg, mode) -
	      offsetof(struct uffdwp_register_arg, start) ==
	      offsetof(struct uffdio_register, mode));
static_assert(offsetofend(struct uffdwp_register_arg, uffd_ioctls) -
	      offsetof(struct uffdwp_register_arg, start) == sizeof(struct uffdio_register));
static_assert(offsetofend(struct uffdwp_unregister_arg, len) -
	      offsetof(struct uffdwp_unregister_arg, start) == sizeof(struct uffdio_range));

/* vm_ops instead of vma_is_anonymous(), which asks the same but not of a const mapping. */
static int check_kind(const struct vm_area_struct *vma)
{
	if (vma->vm_ops || (vma->vm_flags & (VM_SPECIAL | VM_SHARED)))
		return -EOPNOTSUPP;
	return 0;
}

static int check_owner(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;

	return ctx && ctx != t->ctx ? -EBUSY : 0;
}

/* UFFDIO_REGISTER of this kernel sets the mode anew: adding WP would take away MISSING or MINOR. */
static int check_mode(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & __VM_UFFD_FLAGS & ~VM_UFFD_WP) && !(vma->vm_flags & VM_UFFD_WP) ?
	       -EBUSY : 0;
}

static int check_register(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	int err = check_kind(vma);

	if (!err && !(vma->vm_flags & VM_MAYWRITE))
		err = -EACCES;
	return err ?: check_owner(t, vma) ?: check_mode(vma);
}

/* UFFDIO_UNREGISTER of this kernel refuses ranges with a mapping that cannot be registered. */
static int check_unregister(const struct uffdwp_tracker *t, const struct vm_area_struct *vma)
{
	return check_kind(vma) ?: check_owner(t, vma);
}

static int check_range(struct uffdwp_tracker *t, unsigned long start, unsigned long end,
		       int (*check)(const struct uffdwp_tracker *t,
				    const struct vm_area_struct *vma),
		       u64 *fail_at)
{
	struct vm_area_struct *vma = find_vma(t->mm, start);
	int err;

	if (!vma || vma->vm_start >= end)
		return -ENOENT;
	for (; vma && vma->vm_start < end; vma = find_vma(t->mm, vma->vm_end)) {
		err = check(t, vma);
		if (err) {
			*fail_at = vma->vm_start;
			return err;
		}
	}
	return 0;
}

/*
 * A bit that an earlier user of the memory left behind would say "not written" of a page that we
 * have never armed. Nobody else owns these bits: the mapping is not registered.
 */
static void clear_leftovers(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	for (vma = find_vma(t->mm, start); vma && vma->vm_start < end;
	     vma = find_vma(t->mm, vma->vm_end))
		if (!vma->vm_userfaultfd_ctx.ctx)
			uffdwp_disarm(vma, max(start, vma->vm_start), min(end, vma->vm_end));
}

/**
 * uffdwp_register - UFFDWP_IOC_REGISTER
 * @t: attached tracker, locked, its mm held by mmget()
 * @arg: request, its range checked
 * @uarg: the same in user memory
 *
 * Return: 0, or an error as documented with struct uffdwp_register_arg.
 */
int uffdwp_register(struct uffdwp_tracker *t, const struct uffdwp_register_arg *arg,
		    struct uffdwp_register_arg __user *uarg)
{
	unsigned long end = arg->start + arg->len;
	u64 fail_at = 0;
	int err;

	if (arg->mode != UFFDWP_REGISTER_MODE_WP)
		return -EINVAL;

	err = mmap_read_lock_killable(t->mm);
	if (err)
		return err;
	err = check_range(t, arg->start, end, check_register, &fail_at);
	if (!err)
		clear_leftovers(t, arg->start, end);
	mmap_read_unlock(t->mm);

	if (put_user(fail_at, &uarg->fail_at))
		return -EFAULT;
	return err ?: uffdwp_userfault_ioctl(t->uffd, UFFDIO_REGISTER, &uarg->start);
}

/**
 * uffdwp_unregister - UFFDWP_IOC_UNREGISTER
 * @t: attached tracker, locked, its mm held by mmget()
 * @arg: request, its range checked
 * @uarg: the same in user memory
 *
 * The owner is checked here because UFFDIO_UNREGISTER of this kernel does not: it would take memory
 * from another userfaultfd.
 *
 * Return: 0, or an error as documented with struct uffdwp_unregister_arg.
 */
int uffdwp_unregister(struct uffdwp_tracker *t, const struct uffdwp_unregister_arg *arg,
		      struct uffdwp_unregister_arg __user *uarg)
{
	u64 fail_at = 0;
	int err;

	err = mmap_read_lock_killable(t->mm);
	if (err)
		return err;
	err = check_range(t, arg->start, arg->start + arg->len, check_unregister, &fail_at);
	mmap_read_unlock(t->mm);

	if (put_user(fail_at, &uarg->fail_at))
		return -EFAULT;
	return err ?: uffdwp_userfault_ioctl(t->uffd, UFFDIO_UNREGISTER, &uarg->start);
}
