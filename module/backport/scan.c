// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAGEMAP_SCAN on /proc/PID/pagemap, for kernels whose pagemap has no ioctl: arguments in,
 * arguments checked, and memory scanned, as Linux 7.2 does it. The scan itself is scan.c.
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
#include "compat/symbols.h"
#include "disarm.h"
#include "hooks/hooks.h"
#include "scan.h"
#include "tracker.h"

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

/* The tracker, if the VMA is registered with a userfaultfd that has asked for WP_ASYNC. */
static struct uffdwp_tracker *backport_tracker(struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	return t && t->whose == UFFDWP_BACKPORT && !t->arming_ended &&
	       uffdwp_vma_is_tracked(t, vma) ? t : NULL;
}

/*
 * The rules of pagemap_scan_test_walk() and pagemap_scan_pte_hole() of Linux 7.2, except that
 * unpopulated hugetlb in a VMA that is registered for write protection is written like all else.
 */
static int scan_vma(struct uffdwp_scan *s, struct vm_area_struct *vma, unsigned long start,
		    unsigned long end)
{
	const u64 required = s->arg->category_mask & UFFDWP_PAGE_IS_WPALLOWED;
	struct address_space *mapping;
	int next;

	s->t = backport_tracker(vma);
	if (!s->t && s->arg->flags & UFFDWP_SCAN_CHECK_TRACKED)
		return -EPERM;
	if ((!s->t && s->arg->flags & UFFDWP_SCAN_WP_MATCHING) || vma->vm_flags & VM_PFNMAP)
		return UFFDWP_WALK_ON;

	s->vma_categories = s->t ? UFFDWP_PAGE_IS_WPALLOWED : 0;
	if (vma->vm_flags & VM_SOFTDIRTY)
		s->vma_categories |= UFFDWP_PAGE_IS_SOFT_DIRTY;
	if (((s->vma_categories ^ s->arg->category_inverted) & required) != required)
		return UFFDWP_WALK_ON;
	s->hole_categories = s->vma_categories | (userfaultfd_wp(vma) ? UFFDWP_PAGE_IS_WRITTEN : 0);
	/* Linux 5.10 leaves bits behind in memory that is not registered any more. */
	if (!userfaultfd_wp(vma))
		s->vma_categories |= UFFDWP_PAGE_IS_WRITTEN;

	if (!is_vm_hugetlb_page(vma) || userfaultfd_wp(vma))
		return uffdwp_scan_walk(s, vma, start, end);
	/* Tables that are shared with other processes may go away: disarm.c. */
	mapping = vma->vm_file->f_mapping;
	i_mmap_lock_read(mapping);
	s->walk.file_lock = &mapping->i_mmap_rwsem;
	next = uffdwp_scan_walk(s, vma, start, end);
	s->walk.file_lock = NULL;
	i_mmap_unlock_read(mapping);
	return next;
}

static int scan_unmapped(struct uffdwp_scan *s, unsigned long start, unsigned long end)
{
	return UFFDWP_WALK_ON;
}

/**
 * struct backport_scan - a PAGEMAP_SCAN
 * @scan: the scan
 * @left_out: a part of a page of hugetlb that was left out last; 0: none
 */
struct backport_scan {
	struct uffdwp_scan scan;
	unsigned long left_out;
};

/*
 * PAGEMAP_SCAN does not report what it cannot arm: it leaves out a part of a page at either end of
 * the range, which walk_end tells, and ends before a page that exceeds the page limit.
 */
static enum uffdwp_scan_hugetlb takes_hugetlb(struct uffdwp_scan *s, unsigned long addr,
					      unsigned long end, bool whole, bool written)
{
	if (!uffdwp_scan_resets(s) || !written)
		return UFFDWP_SCAN_TAKE;
	if (!whole) {
		container_of(s, struct backport_scan, scan)->left_out = addr;
		return UFFDWP_SCAN_LEAVE_OUT;
	}
	return uffdwp_regions_room(&s->regions) < (end - addr) >> PAGE_SHIFT ?
	       UFFDWP_SCAN_STOP : UFFDWP_SCAN_TAKE;
}

static const struct uffdwp_scan_rules rules = {
	.vma = scan_vma,
	.unmapped = scan_unmapped,
	.hugetlb = takes_hugetlb,
};

static unsigned int all_if_backport(struct vm_area_struct *vma, const void *arg)
{
	return backport_tracker(vma) ? UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/*
 * Make a range written again whose report was not delivered; @mm is held by mmget(). It may have
 * moved since, armed as it was: uffdwp_scan_undo().
 */
static void scan_undo(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	if (uffdwp_mm_moves_armed(mm)) {
		start = 0;
		end = ULONG_MAX;
	}
	uffdwp_disarm_range(mm, start, end, all_if_backport, NULL);
}

/*
 * Without a vec the page limit does not count. The walk goes on behind the last page that is
 * wanted, and ends at the first that is one too many.
 *
 * Returns regions stored; or -EPERM, -EFAULT, -ENOMEM, -EINTR, -EIO or -ENOTRECOVERABLE: then the
 * whole range is written again, since the caller does not learn how many regions were stored.
 */
static long scan(struct mm_struct *mm, struct uffdwp_scan_arg *arg, struct uffdwp_region *buffer,
		 unsigned int capacity)
{
	struct backport_scan b = { .scan = uffdwp_scan_begin(mm, arg, &rules) };
	struct uffdwp_scan *s = &b.scan;
	unsigned long pos;
	int err;

	s->regions.past_limit = true;
	if (!arg->vec_len) {
		s->regions.vec = NULL;
		s->regions.max_pages = U64_MAX;
		if (uffdwp_scan_resets(s))
			uffdwp_scan_arms_only(s);
	}
	uffdwp_regions_use_buffer(&s->regions, buffer, capacity);
	err = uffdwp_scan_run(s);
	if (!err && uffdwp_ftrace_is_dead())
		err = -ENOTRECOVERABLE;
	if (err && uffdwp_scan_resets(s))
		scan_undo(mm, arg->start, arg->end);
	pos = s->walk.pos;
	arg->walk_end = err ? arg->end : b.left_out && pos == arg->end ? b.left_out : pos;
	return err ?: (long)s->regions.stored;
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
		ret = scan(mm, arg, buffer, capacity);
		mmput(mm);
	}
	kfree(buffer);
	return ret;
}

static void take_back(struct mm_struct *mm, const struct uffdwp_scan_arg *arg)
{
	if (!(arg->flags & PM_SCAN_WP_MATCHING) || !mmget_not_zero(mm))
		return;
	scan_undo(mm, arg->start, arg->end);
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
