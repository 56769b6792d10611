// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where content is thrown away: MADV_DONTNEED, holes, truncation. Why ours comes
 * after the original: discard.c.
 *
 * The originals may sleep for long, waiting for the lock of a file that anybody holds, so each call
 * has a reference to the module.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/falloc.h>
#include <linux/module.h>
#include <linux/userfaultfd_k.h>

#include "compat/hooked.h"
#include "compat/symbols.h"
#include "discard.h"
#include "hook_callbacks.h"
#include "redirect.h"
#include "tracker.h"

static void instead_of_zap(UFFDWP_ZAP_PARAMETERS)
{
	uffdwp_call(uffdwp_zap)(UFFDWP_ZAP_ARGUMENTS);
	uffdwp_discard_range(vma, start, size);
	module_put(THIS_MODULE);
}

/*
 * MADV_DONTNEED, with mmap_lock held: compat/hooked.h. (Since 6.16 it may do with the lock of the
 * mapping, but not with one that is registered with a userfaultfd: is_vma_lock_sufficient().)
 *
 * And what file systems throw away by themselves, copies of private mappings included, with the
 * lock of the file's mappings held: truncate_pagecache(), when a server has made the file shorter,
 * or behind a hole.
 */
notrace void uffdwp_on_zap(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	struct vm_area_struct *vma = uffdwp_zap_vma(fregs);

	if (unlikely(userfaultfd_wp(vma)) && uffdwp_zap_loses_content(fregs) &&
	    (uffdwp_tracker_of_vma(vma) ||
	     (vma_is_anonymous(vma) && uffdwp_tracker_of_sync_vma(vma))))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_zap);
}

/*
 * Holes and truncation, of files that need not be mapped yet: they may be before it is over.
 *
 * Only a call that can have changed content disarms, or whoever holds a descriptor for reading, or
 * of a sealed memfd, could make pages of others written as often as he likes. These file systems
 * punch a hole without fail once they have begun, and refuse to shrink a file before they set its
 * size, which the lock of the inode keeps as it is until they return.
 *
 *	long NAME_fallocate(struct file *file, int mode, loff_t first, loff_t len)
 *	int NAME_setattr(idmap, struct dentry *dentry, struct iattr *attr)
 */
#define DISCARDING_FILE_SYSTEM(name)							\
static long instead_of_##name##_fallocate(struct file *file, int mode, loff_t first,	\
					  loff_t len)					\
{											\
	long ret = uffdwp_call(name##_fallocate)(file, mode, first, len);		\
											\
	if (!ret)									\
		uffdwp_discard_file(file->f_mapping, first, first + len - 1);		\
	module_put(THIS_MODULE);							\
	return ret;									\
}											\
											\
notrace void uffdwp_on_##name##_fallocate(unsigned long ip, unsigned long parent_ip,	\
					  struct ftrace_ops *ops,			\
					  struct ftrace_regs *fregs)			\
{											\
	if (uffdwp_fregs_arg1(fregs) & FALLOC_FL_PUNCH_HOLE)				\
		uffdwp_redirect_held(parent_ip, fregs, instead_of_##name##_fallocate);	\
}											\
											\
static int instead_of_##name##_setattr(void *idmap, struct dentry *dentry,		\
				       struct iattr *attr)				\
{											\
	int ret = uffdwp_call(name##_setattr)(idmap, dentry, attr);			\
											\
	if (!ret || i_size_read(d_inode(dentry)) == attr->ia_size)			\
		uffdwp_discard_file(d_inode(dentry)->i_mapping, attr->ia_size, -1);	\
	module_put(THIS_MODULE);							\
	return ret;									\
}											\
											\
notrace void uffdwp_on_##name##_setattr(unsigned long ip, unsigned long parent_ip,	\
					struct ftrace_ops *ops,				\
					struct ftrace_regs *fregs)			\
{											\
	struct iattr *attr = (struct iattr *)uffdwp_fregs_arg2(fregs);			\
											\
	if (attr->ia_valid & ATTR_SIZE)							\
		uffdwp_redirect_held(parent_ip, fregs, instead_of_##name##_setattr);	\
}

/*
 * The same for ordinary files, whatever their file system: what all of them are called through.
 *
 *	int vfs_fallocate(struct file *file, int mode, loff_t first, loff_t len)
 *	int notify_change(idmap, struct dentry *dentry, struct iattr *attr, delegated_inode)
 */
#if UFFDWP_HAVE_FILES
/* What moves the rest of the file up or down changes all behind it. */
#define FALLOC_MOVES (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)
/* What neither throws content away nor moves it. */
#define FALLOC_KEEPS (FALLOC_FL_KEEP_SIZE | FALLOC_FL_UNSHARE_RANGE)

/*
 * May the call have been refused before anything was done? With these errors vfs_fallocate(),
 * notify_change(), security modules, seals and file systems refuse a call as a whole. All others
 * may come when a part is done: -ENOSPC, -EIO, -EINTR, -ENOMEM, -EROFS of a journal that was given
 * up, and what a file system has of its own.
 */
static bool was_refused(int ret)
{
	return ret == -EPERM || ret == -EACCES || ret == -ETXTBSY || ret == -EOPNOTSUPP;
}

/*
 * What vfs_fallocate() refuses for reasons that cannot change while the call is under way: needs no
 * look afterwards. The range it checks against s_maxbytes, too.
 */
static __always_inline bool can_be_done(const struct file *file, loff_t first, loff_t len)
{
	return (file->f_mode & FMODE_WRITE) && first >= 0 && len > 0 &&
	       len <= file_inode(file)->i_sb->s_maxbytes &&
	       first <= file_inode(file)->i_sb->s_maxbytes - len;
}

static int instead_of_vfs_fallocate(struct file *file, int mode, loff_t first, loff_t len)
{
	const loff_t size = i_size_read(file_inode(file));
	int ret = uffdwp_call(vfs_fallocate)(file, mode, first, len);
	const loff_t new_size = i_size_read(file_inode(file));

	if ((mode & ~FALLOC_KEEPS) && !was_refused(ret))
		uffdwp_discard_file(file->f_mapping, first,
				    mode & FALLOC_MOVES ? -1 : first + len - 1);
	/* More than the last page: without the lock of the file it may be longer meanwhile. */
	if (new_size > size)
		uffdwp_discard_file(file->f_mapping, size, new_size);
	module_put(THIS_MODULE);
	return ret;
}

notrace void uffdwp_on_vfs_fallocate(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct file *file = (const struct file *)uffdwp_fregs_arg0(fregs);
	const int mode = uffdwp_fregs_arg1(fregs);

	if (((mode & ~FALLOC_KEEPS) || !(mode & FALLOC_FL_KEEP_SIZE)) &&
	    S_ISREG(file_inode(file)->i_mode) &&
	    can_be_done(file, uffdwp_fregs_arg2(fregs), uffdwp_fregs_arg3(fregs)))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_vfs_fallocate);
}

/*
 * A file that grows may have been written to behind its end, in its last page, and what is there
 * becomes zeroes (pagecache_isize_extended()).
 */
static int instead_of_notify_change(void *idmap, struct dentry *dentry, struct iattr *attr,
				    void *delegated_inode)
{
	struct inode *inode = d_inode(dentry);
	const loff_t size = i_size_read(inode), first = min(size, attr->ia_size);
	int ret = uffdwp_call(notify_change)(idmap, dentry, attr, delegated_inode);

	/* The caller has the lock of the inode, so nobody else has set the size. */
	if (!was_refused(ret) || i_size_read(inode) != size)
		uffdwp_discard_file(inode->i_mapping, max_t(loff_t, first, 0), -1);
	module_put(THIS_MODULE);
	return ret;
}

notrace void uffdwp_on_notify_change(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct dentry *dentry = (const struct dentry *)uffdwp_fregs_arg1(fregs);
	const struct iattr *attr = (const struct iattr *)uffdwp_fregs_arg2(fregs);

	if ((attr->ia_valid & ATTR_SIZE) && S_ISREG(d_inode(dentry)->i_mode))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_notify_change);
}
#endif

#if UFFDWP_HAVE_SHMEM
DISCARDING_FILE_SYSTEM(shmem)
#endif

#if UFFDWP_HAVE_HUGETLBFS
DISCARDING_FILE_SYSTEM(hugetlbfs)
#endif
