// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where content is discarded: MADV_DONTNEED, hole punching, truncation. Why ours
 * comes after the original: module/discard.c.
 *
 * The originals may sleep for long, waiting for the inode lock, so each call has a reference to the
 * module.
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
#include "disarm.h"
#include "discard.h"
#include "hook.h"
#include "proof.h"
#include "redirect.h"
#include "sparse.h"
#include "ring.h"
#include "tracker.h"

/* ---- MADV_DONTNEED */

static void instead_of_zap(UFFDWP_ZAP_PARAMETERS)
{
	uffdwp_call(uffdwp_zap)(UFFDWP_ZAP_ARGUMENTS);
	uffdwp_discard_range(vma, start, size);
	module_put(THIS_MODULE);
}

#if UFFDWP_KERNEL_HAS_MARKERS
/*
 * The bits are those of a monitor that write faults are delivered to (native_abi=1), which protects
 * pages again while the call is under way. So nothing is disarmed after the original. Only markers
 * are taken away, which that would keep, and before it: those that come meanwhile are the
 * monitor's.
 */
static void instead_of_zap_for_monitor(UFFDWP_ZAP_PARAMETERS)
{
	uffdwp_disarm_vma(vma, max(start, vma->vm_start), min(start + size, vma->vm_end),
			  UFFDWP_DISARM_MARKERS);
	uffdwp_call(uffdwp_zap)(UFFDWP_ZAP_ARGUMENTS);
	module_put(THIS_MODULE);
}

/* Nothing was discarded that the process has written, but what it writes next meets no marker. */
static void instead_of_zap_of_folio(UFFDWP_ZAP_PARAMETERS)
{
	uffdwp_call(uffdwp_zap)(UFFDWP_ZAP_ARGUMENTS);
	uffdwp_tell_vma(vma, start, start + size, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
}
#endif

/*
 * MADV_DONTNEED, with mmap_lock held: compat/hooked.h. (Since 6.16 the VMA lock may do, but not for
 * a VMA with a userfaultfd: is_vma_lock_sufficient().)
 *
 * And what file systems zap by themselves, private copies included, with i_mmap_rwsem held:
 * truncate_pagecache(), when a server has made the file shorter, or after a punched hole.
 */
UFFDWP_CALLBACK(zap)
{
	struct vm_area_struct *vma = uffdwp_zap_vma(fregs);

	if (likely(!userfaultfd_wp(vma)))
		return;
#if UFFDWP_KERNEL_HAS_MARKERS
	if (uffdwp_zap_is_of_folio(fregs)) {
		if (uffdwp_vma_may_tell(vma))
			uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_zap_of_folio);
		return;
	}
#endif
	if (!uffdwp_zap_loses_content(fregs))
		return;
	if (uffdwp_async_tracker_of_vma(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_zap);
#if UFFDWP_KERNEL_HAS_MARKERS
	else if (vma_is_anonymous(vma) && uffdwp_tracker_of_vma(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_zap_for_monitor);
#endif
}

static bool dont_need(const struct uffdwp_proof *p, unsigned long addr)
{
	const u64 discarded = uffdwp_total(p->t, pages_discarded);

	return !uffdwp_call(do_madvise)(p->t->mm, addr, PAGE_SIZE, MADV_DONTNEED) &&
	       uffdwp_total(p->t, pages_discarded) > discarded;
}

/* Memory that is sparse is known by nothing but this hook to be discarded. */
static bool prove_zap_of_sparse(struct uffdwp_proof *p)
{
	const unsigned long addr = uffdwp_proof_page(p, 0);
	bool proved = false;
	u64 added;

	p->t->sparse.on = true;
	if (!uffdwp_sparse_add(&p->t->sparse, addr, addr + PAGE_SIZE, &added))
		proved = dont_need(p, addr) && uffdwp_sparse_is_empty(&p->t->sparse);
	uffdwp_sparse_remove(&p->t->sparse, addr, addr + PAGE_SIZE);
	p->t->sparse.on = false;
	return proved;
}

#if UFFDWP_KERNEL_HAS_MARKERS
/* The kernel keeps a marker on purpose, as the file still has the content: ours takes it away. */
static bool dont_need_file(const struct uffdwp_proof_file *f)
{
	return dont_need(f->p, f->addr);
}

static bool prove_zap(struct uffdwp_proof *p)
{
	return uffdwp_proof_of_file(p, 0, dont_need_file) && prove_zap_of_sparse(p);
}
#else
static bool prove_zap(struct uffdwp_proof *p)
{
	return prove_zap_of_sparse(p);
}
#endif

static struct uffdwp_hook zap_hook = {
	.symbol = UFFDWP_ZAP_SYMBOL,
	.without = "private anonymous memory alone is tracked, without markers, and not sparse",
	.features = UFFDWP_FEATURE_UNPOP_SPARSE |
		    (UFFDWP_KERNEL_HAS_MARKERS ? UFFDWP_FEATURE_UNPOP_MARKER : 0),
	.kinds = UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB | UFFDWP_KIND_FILE,
	.ops = UFFDWP_REDIRECT(zap),
	.prove = prove_zap,
};

/* ---- hole punching and truncation */

/* hugetlbfs mostly zaps markers itself when it truncates: so the counter has to show the hook. */
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
 * Hole punching and truncation. The file need not be mapped at the entry: it may be mapped before
 * the call is over.
 *
 * Only a call that can have changed content disarms. Else a process with a descriptor for reading,
 * or of a sealed memfd, could make pages of others written as often as it likes. These file systems
 * do not fail once they have begun to punch a hole, and refuse to shrink a file before they set its
 * size, which the inode lock then keeps until they return.
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
static int instead_of_##name##_setattr(uffdwp_idmap *idmap, struct dentry *dentry,	\
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
 * The same for ordinary files, where the VFS calls any file system.
 *
 *	int vfs_fallocate(struct file *file, int mode, loff_t first, loff_t len)
 *	int notify_change(idmap, struct dentry *dentry, struct iattr *attr, delegated_inode)
 */
#if UFFDWP_TRACKS_FILES
/* These move the rest of the file, so all behind the range changes. */
#define FALLOC_MOVES (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)
/* These neither discard content nor move it. */
#define FALLOC_KEEPS (FALLOC_FL_KEEP_SIZE | FALLOC_FL_UNSHARE_RANGE)

/*
 * Was the call refused before anything was done? With these errors vfs_fallocate(),
 * notify_change(), security modules, seals and file systems refuse a call as a whole. All others
 * may come after a part was done: -ENOSPC, -EIO, -EINTR, -ENOMEM, -EROFS of an aborted journal, and
 * what a file system has of its own.
 */
static bool was_refused(int ret)
{
	return ret == -EPERM || ret == -EACCES || ret == -ETXTBSY || ret == -EOPNOTSUPP;
}

/*
 * False: vfs_fallocate() refuses the call, for reasons that cannot change while it is under way (it
 * checks the range against s_maxbytes, too). Nothing is to be disarmed then.
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
	/* Not only the last page: size was read without the inode lock, the file may be longer. */
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
 * On shmem, whose own hooks are placed later; and by MADV_REMOVE, since a vfs_fallocate() that this
 * module calls is not redirected.
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
 * To grow a file may zero what was written through a VMA beyond its end, in the last page
 * (pagecache_isize_extended() of 7.2).
 */
static int instead_of_notify_change(uffdwp_idmap *idmap, struct dentry *dentry,
				    struct iattr *attr, uffdwp_delegated *delegated_inode)
{
	struct inode *inode = d_inode(dentry);
	const loff_t size = i_size_read(inode), first = min(size, attr->ia_size);
	int ret = uffdwp_call(notify_change)(idmap, dentry, attr, delegated_inode);

	/* The caller holds the inode lock, so only this call can have set the size. */
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

/* The hooks on the VFS come before those on one file system, to be proved without them. */
struct uffdwp_hook *const uffdwp_discard_hooks[] = {
	&zap_hook,
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
