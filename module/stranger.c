// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of a process on a userfaultfd of its own, in memory of a tracker whose userfaultfd the
 * module has made. The process has not registered that memory, and without us would be told so:
 * -ENOENT. The kernel asks only whether the VMA has some userfaultfd (mfill_atomic(),
 * mwriteprotect_range()), finds ours, and would fill the memory: with a page that comes late, say,
 * for memory that was unmapped, mapped anew and tracked meanwhile.
 *
 * It is asked before the kernel acts, for the VMA that the range begins in; the kernel fills no
 * range of two VMAs. Whoever registers it in between has raced with the call. In a range of several
 * VMAs, which UFFDIO_WRITEPROTECT takes since Linux 6.3, change_protection() says so where it comes
 * to ours (writeprotect.c).
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd.h>

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
 */
struct fill {
	unsigned int cmd;
	unsigned int start;
	unsigned int len;
	unsigned int result;
};

#define RANGE_AND(type, field)							\
	.start = offsetof(struct type, range.start),				\
	.len = offsetof(struct type, range.len),				\
	.result = offsetof(struct type, field)

static const struct fill fills[] = {
	{
		.cmd = UFFDIO_COPY,
		.start = offsetof(struct uffdio_copy, dst),
		.len = offsetof(struct uffdio_copy, len),
		.result = offsetof(struct uffdio_copy, copy),
	},
	{ .cmd = UFFDIO_ZEROPAGE, RANGE_AND(uffdio_zeropage, zeropage) },
#ifdef UFFDIO_CONTINUE
	{ .cmd = UFFDIO_CONTINUE, RANGE_AND(uffdio_continue, mapped) },
#endif
#ifdef UFFDIO_POISON
	{ .cmd = UFFDIO_POISON, RANGE_AND(uffdio_poison, updated) },
#endif
	{
		.cmd = UFFDIO_WRITEPROTECT,
		.start = offsetof(struct uffdio_writeprotect, range.start),
		.len = offsetof(struct uffdio_writeprotect, range.len),
		.result = NO_RESULT,
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

static bool is_of_tracker(struct mm_struct *mm, unsigned long addr)
{
	const struct vm_area_struct *vma;
	const struct uffdwp_tracker *t = NULL;

	if (!mmget_not_zero(mm))
		return false;
	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start <= addr)
		t = uffdwp_tracker_of_vma(vma);
	if (t && (t->handed_in || t->backport))
		t = NULL;
	mmap_read_unlock(mm);
	mmput(mm);
	return t;
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
bool uffdwp_stranger_is_refused(const struct file *uffd, unsigned int cmd, void __user *uarg,
				long *ret)
{
	const struct fill *fill = find_fill(cmd);
	struct mm_struct *mm = uffdwp_userfault_owner(uffd);
	u64 start, len, end;

	/* What cannot be read, and what is no range, the kernel finds out. */
	if (!fill || !mm || get_user(start, (u64 __user *)(uarg + fill->start)) ||
	    get_user(len, (u64 __user *)(uarg + fill->len)))
		return false;
	if (!len || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(len) ||
	    check_add_overflow(start, len, &end) || end > mm->task_size)
		return false;
	if (!is_of_tracker(mm, start))
		return false;
	*ret = -ENOENT;
	if (fill->result != NO_RESULT &&
	    put_user((s64)-ENOENT, (s64 __user *)(uarg + fill->result)))
		*ret = -EFAULT;
	return true;
}
