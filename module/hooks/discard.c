// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where content is thrown away: MADV_DONTNEED, holes, truncation. Why ours comes
 * after the original: discard.c.
 *
 * The originals may sleep for long, waiting for the lock of a file that anybody holds, so each call
 * has a reference to the module.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/userfaultfd_k.h>
#include <uapi/linux/memfd.h>

#include "compat/hooked.h"
#include "compat/symbols.h"
#include "discard.h"
#include "hook.h"
#include "proof.h"
#include "redirect.h"
#include "tracker.h"

/* ---- MADV_DONTNEED */

#if UFFDWP_KERNEL_HAS_MARKERS
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
UFFDWP_CALLBACK(zap)
{
	struct vm_area_struct *vma = uffdwp_zap_vma(fregs);

	if (unlikely(userfaultfd_wp(vma)) && uffdwp_zap_loses_content(fregs) &&
	    (uffdwp_tracker_of_vma(vma) ||
	     (vma_is_anonymous(vma) && uffdwp_tracker_of_sync_vma(vma))))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_zap);
}

/* The kernel leaves a marker where one was, on purpose: the content of a file is still there. */
static bool dont_need(const struct uffdwp_proof_file *f)
{
	const u64 discarded = uffdwp_total(f->p->t, pages_discarded);

	return !uffdwp_call(do_madvise)(f->p->t->mm, f->addr, f->size, MADV_DONTNEED) &&
	       uffdwp_total(f->p->t, pages_discarded) > discarded;
}

static bool prove_zap(struct uffdwp_proof *p)
{
	return uffdwp_proof_of_file(p, 0, dont_need);
}

static struct uffdwp_hook zap_hook = {
	.symbol = UFFDWP_ZAP_SYMBOL,
	.without = "shared memory, hugetlb and files cannot be tracked, nor markers be left",
	.features = UFFDWP_FEATURE_UNPOP_MARKER,
	.kinds = UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB | UFFDWP_KIND_FILE,
	.ops = UFFDWP_REDIRECT(zap),
	.prove = prove_zap,
};
#endif

/* ---- holes and truncation */

/* hugetlbfs mostly takes markers away by itself when it truncates: its hook has to be seen, too. */
static __maybe_unused bool make_hole(const struct uffdwp_proof_file *f)
{
	const u64 discards = uffdwp_file_discards();

	return !vfs_fallocate(f->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, f->size) &&
	       uffdwp_file_discards() > discards;
}

static __maybe_unused bool truncate_file(const struct uffdwp_proof_file *f)
{
	const u64 discards = uffdwp_file_discards();

	return !vfs_truncate(&f->file->f_path, 0) && uffdwp_file_discards() > discards;
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
#define DISCARDING_FILE_SYSTEM(name, what, kind, memfd_flags)				\
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
UFFDWP_CALLBACK(name##_fallocate)							\
{											\
	if (uffdwp_fregs_arg1(fregs) & FALLOC_FL_PUNCH_HOLE)				\
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_##name##_fallocate);	\
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
UFFDWP_CALLBACK(name##_setattr)								\
{											\
	struct iattr *attr = (struct iattr *)uffdwp_fregs_arg2(fregs);			\
											\
	if (attr->ia_valid & ATTR_SIZE)							\
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_##name##_setattr);	\
}											\
											\
static bool prove_##name##_fallocate(struct uffdwp_proof *p)				\
{											\
	return uffdwp_proof_of_file(p, memfd_flags, make_hole);				\
}											\
											\
static bool prove_##name##_setattr(struct uffdwp_proof *p)				\
{											\
	return uffdwp_proof_of_file(p, memfd_flags, truncate_file);			\
}											\
											\
static struct uffdwp_hook name##_fallocate_hook = {					\
	.symbol = #name "_fallocate",							\
	.without = what " cannot be tracked",						\
	.kinds = kind,									\
	.permanent = true,								\
	.ops = UFFDWP_REDIRECT(name##_fallocate),					\
	.prove = prove_##name##_fallocate,						\
};											\
											\
static struct uffdwp_hook name##_setattr_hook = {					\
	.symbol = #name "_setattr",							\
	.without = what " cannot be tracked",						\
	.kinds = kind,									\
	.permanent = true,								\
	.ops = UFFDWP_REDIRECT(name##_setattr),						\
	.prove = prove_##name##_setattr,						\
}

/*
 * The same for ordinary files, whatever their file system: what all of them are called through.
 *
 *	int vfs_fallocate(struct file *file, int mode, loff_t first, loff_t len)
 *	int notify_change(idmap, struct dentry *dentry, struct iattr *attr, delegated_inode)
 */
#if UFFDWP_TRACKS_FILES
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

UFFDWP_CALLBACK(vfs_fallocate)
{
	const struct file *file = (const struct file *)uffdwp_fregs_arg0(fregs);
	const int mode = uffdwp_fregs_arg1(fregs);

	if (((mode & ~FALLOC_KEEPS) || !(mode & FALLOC_FL_KEEP_SIZE)) &&
	    S_ISREG(file_inode(file)->i_mode) &&
	    can_be_done(file, uffdwp_fregs_arg2(fregs), uffdwp_fregs_arg3(fregs)))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_vfs_fallocate);
}

/*
 * A file of shared memory will do, since the hooks of its own file system come later. (Not by
 * vfs_fallocate() itself: what this module calls is not redirected.)
 */
static bool remove_pages(const struct uffdwp_proof_file *f)
{
	const u64 discards = uffdwp_file_discards();

	return !uffdwp_call(do_madvise)(f->p->t->mm, f->addr, f->size, MADV_REMOVE) &&
	       uffdwp_file_discards() > discards;
}

static bool prove_vfs_fallocate(struct uffdwp_proof *p)
{
	return uffdwp_proof_of_file(p, 0, remove_pages);
}

static struct uffdwp_hook vfs_fallocate_hook = {
	.symbol = "vfs_fallocate",
	.without = "VMAs of ordinary files cannot be tracked",
	.kinds = UFFDWP_KIND_FILE,
	.permanent = true,
	.ops = UFFDWP_REDIRECT(vfs_fallocate),
	.prove = prove_vfs_fallocate,
};

/*
 * A file that grows may have been written to behind its end, in its last page, and what is there
 * may become zeroes (pagecache_isize_extended() of 7.2).
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

UFFDWP_CALLBACK(notify_change)
{
	const struct dentry *dentry = (const struct dentry *)uffdwp_fregs_arg1(fregs);
	const struct iattr *attr = (const struct iattr *)uffdwp_fregs_arg2(fregs);

	if ((attr->ia_valid & ATTR_SIZE) && S_ISREG(d_inode(dentry)->i_mode))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_notify_change);
}

static bool prove_notify_change(struct uffdwp_proof *p)
{
	return uffdwp_proof_of_file(p, 0, truncate_file);
}

static struct uffdwp_hook notify_change_hook = {
	.symbol = "notify_change",
	.without = "VMAs of ordinary files cannot be tracked",
	.kinds = UFFDWP_KIND_FILE,
	.permanent = true,
	.ops = UFFDWP_REDIRECT(notify_change),
	.prove = prove_notify_change,
};
#endif

#if UFFDWP_TRACKS_SHMEM
DISCARDING_FILE_SYSTEM(shmem, "shared memory", UFFDWP_KIND_SHMEM, 0);
#endif

#if UFFDWP_TRACKS_HUGETLBFS
DISCARDING_FILE_SYSTEM(hugetlbfs, "hugetlb", UFFDWP_KIND_HUGETLB, MFD_HUGETLB);
#endif

/* What is called for every file comes before the same of one file system, to be proved alone. */
struct uffdwp_hook *const uffdwp_discard_hooks[] = {
#if UFFDWP_KERNEL_HAS_MARKERS
	&zap_hook,
#endif
#if UFFDWP_TRACKS_FILES
	&vfs_fallocate_hook,
	&notify_change_hook,
#endif
#if UFFDWP_TRACKS_SHMEM
	&shmem_fallocate_hook,
	&shmem_setattr_hook,
#endif
#if UFFDWP_TRACKS_HUGETLBFS
	&hugetlbfs_fallocate_hook,
	&hugetlbfs_setattr_hook,
#endif
	NULL
};
