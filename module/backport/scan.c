// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAGEMAP_SCAN on /proc/PID/pagemap, for kernels whose pagemap has no ioctl: arguments in,
 * arguments checked as Linux 7.2 does it. The scan itself is scan.c.
 *
 * The hook on pagemap_open() gives each pagemap a copy of the kernel's file operations with an
 * ioctl. They belong to this module, so an open pagemap keeps it loaded. Access was checked at
 * open, and private_data is the mm that the kernel has found then.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../uapi/uffdwp-async.h"
#include "backport/backport.h"
#include "compat/backport.h"
#include "scan.h"

/* Set once the module is sure to stay: its operations are called until the file is closed. */
bool uffdwp_backport_scan_offered;

#define MAX_BUFFER_REGIONS 512U

#define SCAN_FLAGS (PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC)
#define SCAN_CATEGORIES \
	(UFFDWP_PAGE_IS_WPALLOWED | UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_FILE | \
	 UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_PFNZERO | \
	 UFFDWP_PAGE_IS_HUGE | UFFDWP_PAGE_IS_SOFT_DIRTY | UFFDWP_PAGE_IS_GUARD)

static_assert(UFFDWP_SCAN_WP_MATCHING == PM_SCAN_WP_MATCHING);
static_assert(UFFDWP_SCAN_CHECK_TRACKED == PM_SCAN_CHECK_WPASYNC);
static_assert(sizeof(struct uffdwp_scan_arg) == 96 && sizeof(struct uffdwp_region) == 24);

/* pagemap_scan_get_args() */
static int get_arg(struct uffdwp_scan_arg *arg, const void __user *uarg)
{
	if (copy_from_user(arg, uarg, sizeof(*arg)))
		return -EFAULT;
	if (arg->size != sizeof(*arg) || (arg->flags & ~SCAN_FLAGS))
		return -EINVAL;
	if ((arg->category_inverted | arg->category_mask | arg->category_anyof_mask |
	     arg->return_mask) & ~SCAN_CATEGORIES)
		return -EINVAL;
	if (!PAGE_ALIGNED(arg->start))
		return -EINVAL;
	if (!access_ok((void __user *)arg->start, arg->end - arg->start))
		return -EFAULT;
	if (!arg->vec && arg->vec_len)
		return -EINVAL;
	if (arg->vec && !access_ok(u64_to_user_ptr(arg->vec),
				   array_size(arg->vec_len, sizeof(struct uffdwp_region))))
		return -EFAULT;
	arg->end = PAGE_ALIGN(arg->end);
	return 0;
}

static long scan_mm(struct mm_struct *mm, struct uffdwp_scan_arg *arg)
{
	const unsigned int capacity = min_t(u64, arg->vec_len, MAX_BUFFER_REGIONS);
	struct uffdwp_region *buffer = NULL;
	long ret;

	if (capacity) {
		buffer = kmalloc_array(capacity, sizeof(*buffer), GFP_KERNEL);
		if (!buffer)
			return -ENOMEM;
	}
	/* An mm that is gone has no VMAs. */
	arg->walk_end = arg->end;
	ret = 0;
	if (mmget_not_zero(mm)) {
		ret = uffdwp_backport_scan(mm, arg, buffer, capacity);
		mmput(mm);
	}
	kfree(buffer);
	return ret;
}

static void take_back(struct mm_struct *mm, const struct uffdwp_scan_arg *arg)
{
	if (!(arg->flags & PM_SCAN_WP_MATCHING) || !mmget_not_zero(mm))
		return;
	uffdwp_backport_scan_undo(mm, arg->start, arg->end);
	mmput(mm);
}

static long pagemap_scan(struct mm_struct *mm, struct uffdwp_scan_arg __user *uarg)
{
	struct uffdwp_scan_arg arg;
	long ret = get_arg(&arg, uarg);

	if (ret)
		return ret;
	ret = scan_mm(mm, &arg);
	/* The caller does not learn where the scan has ended, so undo it. */
	if (put_user(arg.walk_end, &uarg->walk_end)) {
		take_back(mm, &arg);
		ret = -EFAULT;
	}
	return ret;
}

static long pagemap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mm_struct *mm = file->private_data;

	if (cmd != PAGEMAP_SCAN)
		return -EINVAL;
	/* The pagemap of a kernel thread, which later kernels refuse to open. */
	if (!mm)
		return -ESRCH;
	return pagemap_scan(mm, (struct uffdwp_scan_arg __user *)arg);
}

static struct file_operations pagemap_fops;
static DEFINE_MUTEX(pagemap_fops_lock);

/**
 * uffdwp_backport_scan_open - give an ioctl to a pagemap
 * @pagemap: file that is just being opened, by pagemap_open()
 *
 * The caller has a reference to the module; the file gets one of its own.
 */
void uffdwp_backport_scan_open(struct file *pagemap)
{
	if (pagemap->f_op->unlocked_ioctl)
		return;
	mutex_lock(&pagemap_fops_lock);
	if (!pagemap_fops.owner) {
		pagemap_fops = *pagemap->f_op;
		pagemap_fops.unlocked_ioctl = pagemap_ioctl;
		pagemap_fops.compat_ioctl = pagemap_ioctl;
		pagemap_fops.owner = THIS_MODULE;
	}
	mutex_unlock(&pagemap_fops_lock);
	__module_get(THIS_MODULE);
	replace_fops(pagemap, &pagemap_fops);
}
