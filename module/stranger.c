// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of a process on a userfaultfd of its own, in memory of a private tracker or, if they
 * protect, of one that rides along (ride.c). The process has not registered that memory, or not for
 * that, and without us would get -ENOENT or -EINVAL. The kernel checks only whether the VMA has
 * some userfaultfd (mfill_atomic(), mwriteprotect_range()), finds ours, and would fill the memory:
 * say, by a late UFFDIO_COPY to memory that was unmapped, mapped anew and tracked meanwhile.
 *
 * The VMA that the range begins in is checked before the kernel acts; the kernel fills no range of
 * two VMAs. What the kernel refuses for another reason, which it checks first, is left to it. For
 * memory that is registered with a tracker after our check see hooks/arming.c. In a range of
 * several VMAs, which UFFDIO_WRITEPROTECT takes since Linux 6.3, the hook on change_protection()
 * returns -ENOENT at the first of ours (writeprotect.c).
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>

#include "backport/backport.h"
#include "compat/backport.h"
#include "compat/signatures.h"
#include "compat/vma.h"
#include "stranger.h"
#include "tracker.h"
#include "userfault.h"

#define NO_RESULT (~0U)

/**
 * struct fill - a command that fills or protects memory
 * @cmd: UFFDIO_*
 * @start: offset in its structure of the first address
 * @len: offset of the length
 * @result: offset of what is stored with an error, too, or NO_RESULT
 * @mode: offset of the mode
 * @modes: those that this kernel knows
 * @protects: of these, the one that write-protects what is filled, or 0
 * @not_both: modes that it does not take together, or 0
 */
struct fill {
	unsigned int cmd;
	unsigned int start;
	unsigned int len;
	unsigned int result;
	unsigned int mode;
	u64 modes;
	u64 protects;
	u64 not_both;
};

#define RANGE_AND(type, field)							\
	.start = offsetof(struct type, range.start),				\
	.len = offsetof(struct type, range.len),				\
	.result = offsetof(struct type, field),					\
	.mode = offsetof(struct type, mode)

static const struct fill fills[] = {
	{
		.cmd = UFFDIO_COPY,
		.start = offsetof(struct uffdio_copy, dst),
		.len = offsetof(struct uffdio_copy, len),
		.result = offsetof(struct uffdio_copy, copy),
		.mode = offsetof(struct uffdio_copy, mode),
		.modes = UFFDIO_COPY_MODE_DONTWAKE | UFFDIO_COPY_MODE_WP,
		.protects = UFFDIO_COPY_MODE_WP,
	},
	{
		.cmd = UFFDIO_ZEROPAGE,
		RANGE_AND(uffdio_zeropage, zeropage),
		.modes = UFFDIO_ZEROPAGE_MODE_DONTWAKE,
	},
#ifdef UFFDIO_CONTINUE
	{
		.cmd = UFFDIO_CONTINUE,
		RANGE_AND(uffdio_continue, mapped),
		.modes = UFFDIO_CONTINUE_MODE_DONTWAKE | UFFDIO_CONTINUE_MODE_WP,
		.protects = UFFDIO_CONTINUE_MODE_WP,
	},
#endif
#ifdef UFFDIO_POISON
	{
		.cmd = UFFDIO_POISON,
		RANGE_AND(uffdio_poison, updated),
		.modes = UFFDIO_POISON_MODE_DONTWAKE,
	},
#endif
	{
		.cmd = UFFDIO_WRITEPROTECT,
		.start = offsetof(struct uffdio_writeprotect, range.start),
		.len = offsetof(struct uffdio_writeprotect, range.len),
		.result = NO_RESULT,
		.mode = offsetof(struct uffdio_writeprotect, mode),
		.modes = UFFDIO_WRITEPROTECT_MODE_WP | UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
		.not_both = UFFDIO_WRITEPROTECT_MODE_WP | UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
	},
};

static notrace const struct fill *find_fill(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fills); i++)
		if (fills[i].cmd == cmd)
			return &fills[i];
	return NULL;
}

/**
 * uffdwp_stranger_may_fill - does a command fill or protect memory?
 * @cmd: command
 *
 * Return: whether it does.
 */
notrace bool uffdwp_stranger_may_fill(unsigned int cmd)
{
	return find_fill(cmd);
}

/* What a tracker rides along in is registered by the process, but not for write protection. */
static int refusal_of_ridden(const struct fill *fill, const struct vm_area_struct *vma, u64 end,
			     u64 mode)
{
	if (fill->cmd == UFFDIO_WRITEPROTECT)
		return -ENOENT;
	return (mode & fill->protects) && end <= vma->vm_end ? -EINVAL : 0;
}

static int refusal_in(const struct fill *fill, struct vm_area_struct *vma, u64 end, u64 mode)
{
	const struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	if (uffdwp_tracker_is_private(t))
		return -ENOENT;
	return t && t->rides && userfaultfd_wp(vma) ? refusal_of_ridden(fill, vma, end, mode) : 0;
}

/* What the kernel would return if a tracker had nothing to do with the memory, or 0. */
static int refusal(struct mm_struct *mm, const struct fill *fill, u64 start, u64 len, u64 mode)
{
	struct vm_area_struct *vma;
	int err = 0;

	if (!mmget_not_zero(mm))
		return 0;
	/* A fault may keep mmap_lock for ever: to be waited for only where the kernel does. */
	vma = fill->cmd == UFFDIO_WRITEPROTECT ? NULL : uffdwp_lock_vma(mm, start);
	if (vma) {
		err = refusal_in(fill, vma, start + len, mode);
		uffdwp_unlock_vma(vma);
	} else {
		mmap_read_lock(mm);
		vma = find_vma(mm, start);
		if (vma && vma->vm_start <= start)
			err = refusal_in(fill, vma, start + len, mode);
		mmap_read_unlock(mm);
	}
	mmput(mm);
	return err;
}

static u64 known_modes(const struct fill *fill)
{
#ifdef UFFDIO_CONTINUE
	if (fill->cmd == UFFDIO_CONTINUE && UFFDWP_KERNEL_LACKS_CONTINUE_WP &&
	    !uffdwp_backport_handles(UFFDIO_CONTINUE))
		return fill->modes & ~(u64)UFFDIO_CONTINUE_MODE_WP;
#endif
	return fill->modes;
}

static bool mode_is_valid(const struct fill *fill, u64 mode)
{
	return !(mode & ~known_modes(fill)) &&
	       (!fill->not_both || (mode & fill->not_both) != fill->not_both);
}

static bool source_is_valid(const struct fill *fill, const struct mm_struct *mm, void __user *uarg,
			    u64 len)
{
	u64 src, end;

	if (fill->cmd != UFFDIO_COPY)
		return true;
	return !get_user(src, (u64 __user *)(uarg + offsetof(struct uffdio_copy, src))) &&
	       !check_add_overflow(src, len, &end) &&
	       (!UFFDWP_COPY_CHECKS_SOURCE || end <= mm->task_size);
}

/**
 * uffdwp_stranger_is_refused - is this a call on memory that the process has not registered?
 * @uffd: userfaultfd of the process
 * @cmd: command
 * @uarg: its structure, in user memory
 * @ret: out: what to return, if so
 *
 * Return: whether it is.
 */
bool uffdwp_stranger_is_refused(struct file *uffd, unsigned int cmd, void __user *uarg, long *ret)
{
	const struct fill *fill = find_fill(cmd);
	struct mm_struct *mm = uffdwp_userfault_owner(uffd);
	unsigned int features;
	u64 start, len, mode;
	int err;

	/* The kernel refuses what cannot be read. A tracker that comes late: hooks/arming.c. */
	if (!fill || !mm || !uffdwp_mm_is_tracked(mm) ||
	    get_user(start, (u64 __user *)(uarg + fill->start)) ||
	    get_user(len, (u64 __user *)(uarg + fill->len)) ||
	    get_user(mode, (u64 __user *)(uarg + fill->mode)))
		return false;
	/* Without UFFDIO_API the kernel refuses everything. */
	if (!uffdwp_user_range_is_valid(mm, start, len) || !mode_is_valid(fill, mode) ||
	    !source_is_valid(fill, mm, uarg, len) || uffdwp_userfault_features(uffd, &features))
		return false;
	err = refusal(mm, fill, start, len, mode);
	if (!err)
		return false;
	*ret = err;
	if (fill->result != NO_RESULT && put_user((s64)err, (s64 __user *)(uarg + fill->result)))
		*ret = -EFAULT;
	return true;
}
