// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the hooks: which functions of the kernel are stopped at their entry, and when.
 *
 * Two kinds. A watching hook runs at the entry and returns; the function goes on. A redirecting
 * hook (FTRACE_OPS_FL_IPMODIFY) decides at the entry whether our function runs instead. In the
 * fault path that is only for memory of a tracker, and ours never sleeps for ever; elsewhere a call
 * that was redirected keeps the module from being unloaded.
 *
 * The callbacks run in the fault path of every process while a tracker is open, so they look at as
 * little as they can, take no lock and do not sleep. They are not traced themselves.
 *
 * Why UFFDIO_WRITEPROTECT is caught at mwriteprotect_range() and not two calls deeper, at
 * change_protection(): the latter is also the body of mprotect(), which every process would then
 * pay for, and what it returns is thrown away on this kernel, so that running out of memory could
 * not be told to the caller.
 *
 * FTRACE_OPS_FL_PERMANENT: with these hooks in place kernel.ftrace_enabled=0 is refused, since it
 * would silence them.
 *
 * Hooks are placed with the first tracker and removed some time after the last one, so that nothing
 * is hooked in the fault path while nobody tracks, and opening and closing in a loop does not patch
 * code each time. Those on file systems stay as long as the module: they are seldom called, and a
 * call that is under way when a hook is placed is not seen and could not be waited for. So do those
 * of native_abi=1, since there a tracker begins with a call that only a hook can see.
 *
 * Removing, in stages:
 *   1. unregister_ftrace_function(): no new call reaches a callback. Inside, it waits for
 *      tasks-RCU: no task is preempted in a trampoline or callback.
 *   2. calls_in_flight reaches zero: every redirected call has left our function, but for the last
 *      instructions.
 *   3. tasks-RCU again: and those, too.
 */
#include <linux/delay.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/userfaultfd_k.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "arm.h"
#include "breakage.h"
#include "compat/ftrace.h"
#include "compat/hooked.h"
#include "compat/native.h"
#include "compat/pgtable.h"
#include "compat/symbols.h"
#include "discard.h"
#include "fault.h"
#include "fork.h"
#include "hooks.h"
#include "kind.h"
#include "move.h"
#include "native.h"
#include "tracker.h"
#include "writeprotect.h"

/* How long hooks stay after the last tracker was closed. */
#define LINGER (2 * HZ)

/* Calls that were redirected to us and have not come back. */
static atomic_t calls_in_flight = ATOMIC_INIT(0);

static notrace void redirect(struct ftrace_regs *fregs, void *to)
{
	atomic_inc(&calls_in_flight);
	uffdwp_fregs_redirect(fregs, to);
}

static void redirected_call_ends(void)
{
	if (atomic_dec_and_test(&calls_in_flight))
		wake_up_var(&calls_in_flight);
}

/* vm_fault_t do_wp_page(struct vm_fault *vmf) */
static notrace void on_do_wp_page(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (unlikely(userfaultfd_wp(vmf->vma) || uffdwp_broken(UFFDWP_BREAK_MODE)) &&
	    !uffdwp_broken(UFFDWP_BREAK_HOOK))
		uffdwp_fault_wp_page(vmf);
}

static vm_fault_t instead_of_handle_userfault(struct vm_fault *vmf, unsigned long reason)
{
	vm_fault_t ret = uffdwp_fault_userfault(vmf);

	redirected_call_ends();
	return ret;
}

/*
 * vm_fault_t handle_userfault(struct vm_fault *vmf, unsigned long reason)
 *
 * MISSING and MINOR faults are for the reader of the userfaultfd, as ever.
 */
static notrace void on_handle_userfault(unsigned long ip, unsigned long parent_ip,
					struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_fregs_arg1(fregs) != VM_UFFD_WP)
		return;
	if (uffdwp_tracker_of_vma(vmf->vma) && !uffdwp_broken(UFFDWP_BREAK_HOOK))
		redirect(fregs, instead_of_handle_userfault);
}

static int instead_of_mwriteprotect_range(UFFDWP_MWRITEPROTECT_PARAMETERS)
{
	int ret = uffdwp_writeprotect(UFFDWP_MWRITEPROTECT_ARGUMENTS);

	/*
	 * Not a tail call, or the original would see our caller as its own, and be redirected for
	 * ever: within_module() below is what tells the two apart.
	 */
	if (ret == -EXDEV) {
		ret = uffdwp_call(mwriteprotect_range)(UFFDWP_MWRITEPROTECT_ARGUMENTS);
		barrier();
	}
	redirected_call_ends();
	return ret;
}

/* int mwriteprotect_range(mm or context, start, len, bool enable_wp, ...): compat/hooked.h */
static notrace void on_mwriteprotect_range(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	bool enable_wp = uffdwp_fregs_arg3(fregs) & 1;

	if ((enable_wp || uffdwp_native_abi) && !within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_tracker_of_mm(uffdwp_mwriteprotect_mm(uffdwp_fregs_arg0(fregs))))
		redirect(fregs, instead_of_mwriteprotect_range);
}

static vm_fault_t instead_of_do_swap_page(struct vm_fault *vmf)
{
	vm_fault_t ret = uffdwp_fault_marker(vmf);

	redirected_call_ends();
	return ret;
}

static vm_fault_t instead_of_do_swap_page_for_write(struct vm_fault *vmf)
{
	vm_fault_t ret = uffdwp_fault_absent(vmf);

	redirected_call_ends();
	return ret;
}

/* Of a page that is not present: a write that do_swap_page() would let through without a fault? */
static __always_inline bool is_write_to_absent(const struct vm_fault *vmf)
{
	return UFFDWP_FORCED_WRITES_GO_BY_DIRTY && (vmf->flags & FAULT_FLAG_WRITE) &&
	       userfaultfd_wp(vmf->vma) && pte_swp_uffd_wp(vmf->orig_pte) &&
	       !uffdwp_broken(UFFDWP_BREAK_FORCED);
}

/*
 * vm_fault_t do_swap_page(struct vm_fault *vmf)
 *
 * A kernel that knows these markers itself has other users for them, and takes care of what is left
 * in memory that nobody tracks.
 */
static notrace void on_do_swap_page(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (unlikely(uffdwp_pte_is_marker(vmf->orig_pte)) && vma_is_anonymous(vmf->vma) &&
	    (!UFFDWP_HAS_ANON_MARKERS || uffdwp_tracker_of_vma(vmf->vma) ||
	     uffdwp_broken(UFFDWP_BREAK_OTHERS)))
		redirect(fregs, instead_of_do_swap_page);
	else if (is_write_to_absent(vmf) && uffdwp_tracker_of_vma(vmf->vma))
		redirect(fregs, instead_of_do_swap_page_for_write);
}

/*
 * The originals of these may sleep for long, waiting for the lock of a file that anybody holds. So
 * nothing waits for them: each call has a reference to the module, and it cannot be unloaded before
 * they are back. Why ours comes after the original: discard.c. A call that comes from this module
 * is the one of the function that it was redirected to, and goes on.
 */
static notrace void redirect_with_reference(unsigned long parent_ip, struct ftrace_regs *fregs,
					    void *to)
{
	/* Without the module there is no tracker. */
	if (!within_module(parent_ip, THIS_MODULE) && try_module_get(THIS_MODULE))
		uffdwp_fregs_redirect(fregs, to);
}

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
static notrace void on_zap(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	struct vm_area_struct *vma = uffdwp_zap_vma(fregs);

	if (unlikely(userfaultfd_wp(vma)) && uffdwp_zap_loses_content(fregs) &&
	    (uffdwp_tracker_of_vma(vma) ||
	     (vma_is_anonymous(vma) && uffdwp_tracker_of_sync_vma(vma))))
		redirect_with_reference(parent_ip, fregs, instead_of_zap);
}

/*
 * Holes and truncation, of files that need not be mapped yet: they may be before it is over. What
 * went wrong may have thrown away a part, so what they return is not looked at.
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
	uffdwp_discard_file(file->f_mapping, first, first + len - 1);			\
	module_put(THIS_MODULE);							\
	return ret;									\
}											\
											\
static notrace void on_##name##_fallocate(unsigned long ip, unsigned long parent_ip,	\
					  struct ftrace_ops *ops,			\
					  struct ftrace_regs *fregs)			\
{											\
	if (uffdwp_fregs_arg1(fregs) & FALLOC_FL_PUNCH_HOLE)				\
		redirect_with_reference(parent_ip, fregs, instead_of_##name##_fallocate); \
}											\
											\
static int instead_of_##name##_setattr(void *idmap, struct dentry *dentry,		\
				       struct iattr *attr)				\
{											\
	int ret = uffdwp_call(name##_setattr)(idmap, dentry, attr);			\
											\
	uffdwp_discard_file(d_inode(dentry)->i_mapping, attr->ia_size, -1);		\
	module_put(THIS_MODULE);							\
	return ret;									\
}											\
											\
static notrace void on_##name##_setattr(unsigned long ip, unsigned long parent_ip,	\
					struct ftrace_ops *ops,				\
					struct ftrace_regs *fregs)			\
{											\
	struct iattr *attr = (struct iattr *)uffdwp_fregs_arg2(fregs);			\
											\
	if (attr->ia_valid & ATTR_SIZE)							\
		redirect_with_reference(parent_ip, fregs, instead_of_##name##_setattr);	\
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

static int instead_of_vfs_fallocate(struct file *file, int mode, loff_t first, loff_t len)
{
	const loff_t size = i_size_read(file_inode(file));
	int ret = uffdwp_call(vfs_fallocate)(file, mode, first, len);
	const loff_t new_size = i_size_read(file_inode(file));

	if ((mode & ~FALLOC_KEEPS) && first >= 0 && len > 0)
		uffdwp_discard_file(file->f_mapping, first,
				    mode & FALLOC_MOVES ? -1 : first + len - 1);
	/* More than the last page: without the lock of the file it may be longer meanwhile. */
	if (new_size > size)
		uffdwp_discard_file(file->f_mapping, size, new_size);
	module_put(THIS_MODULE);
	return ret;
}

static notrace void on_vfs_fallocate(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct file *file = (const struct file *)uffdwp_fregs_arg0(fregs);
	const int mode = uffdwp_fregs_arg1(fregs);

	if (((mode & ~FALLOC_KEEPS) || !(mode & FALLOC_FL_KEEP_SIZE)) &&
	    S_ISREG(file_inode(file)->i_mode) && !uffdwp_broken(UFFDWP_BREAK_FILE_DISCARD))
		redirect_with_reference(parent_ip, fregs, instead_of_vfs_fallocate);
}

/*
 * A file that grows may have been written to behind its end, in its last page, and what is there
 * becomes zeroes (pagecache_isize_extended()).
 */
static int instead_of_notify_change(void *idmap, struct dentry *dentry, struct iattr *attr,
				    void *delegated_inode)
{
	const loff_t first = min(i_size_read(d_inode(dentry)), attr->ia_size);
	int ret = uffdwp_call(notify_change)(idmap, dentry, attr, delegated_inode);

	uffdwp_discard_file(d_inode(dentry)->i_mapping, max_t(loff_t, first, 0), -1);
	module_put(THIS_MODULE);
	return ret;
}

static notrace void on_notify_change(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct dentry *dentry = (const struct dentry *)uffdwp_fregs_arg1(fregs);
	const struct iattr *attr = (const struct iattr *)uffdwp_fregs_arg2(fregs);

	if ((attr->ia_valid & ATTR_SIZE) && S_ISREG(d_inode(dentry)->i_mode) &&
	    !uffdwp_broken(UFFDWP_BREAK_FILE_DISCARD))
		redirect_with_reference(parent_ip, fregs, instead_of_notify_change);
}
#else
#define on_vfs_fallocate NULL
#define on_notify_change NULL
#endif

#if UFFDWP_HAVE_SHMEM
DISCARDING_FILE_SYSTEM(shmem)
#else
#define on_shmem_fallocate NULL
#define on_shmem_setattr NULL
#endif

#if UFFDWP_HAVE_HUGETLBFS
DISCARDING_FILE_SYSTEM(hugetlbfs)
#else
#define on_hugetlbfs_fallocate NULL
#define on_hugetlbfs_setattr NULL
#endif

#if UFFDWP_HAVE_HUGETLB
static int instead_of_copy_hugetlb_page_range(struct mm_struct *dst, struct mm_struct *src,
					      struct vm_area_struct *dst_vma,
					      struct vm_area_struct *src_vma)
{
	int ret = uffdwp_call(copy_hugetlb_page_range)(dst, src, dst_vma, src_vma);

	uffdwp_fork_hugetlb(dst_vma);
	redirected_call_ends();
	return ret;
}

/* int copy_hugetlb_page_range(dst, src, dst_vma, src_vma): fork, with both mmap_locks held */
static notrace void on_copy_hugetlb_page_range(unsigned long ip, unsigned long parent_ip,
					       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_area_struct *src_vma = (struct vm_area_struct *)uffdwp_fregs_arg3(fregs);

	if (unlikely(userfaultfd_wp(src_vma)) && !within_module(parent_ip, THIS_MODULE) &&
	    (uffdwp_tracker_of_vma(src_vma) || uffdwp_tracker_of_sync_vma(src_vma)))
		redirect(fregs, instead_of_copy_hugetlb_page_range);
}
#else
#define on_copy_hugetlb_page_range NULL
#endif

/*
 * bool userfaultfd_wp_async(struct vm_area_struct *vma): may the kernel resolve and arm by itself?
 *
 * Not in memory of ours. PAGEMAP_SCAN would arm it for whoever asks, and what was written before
 * and not yet reported would be lost. And a fault that is left to handle_userfault(), and so to us,
 * is counted and is the same on every kernel. The kernel asks only if it has found an armed entry,
 * which our hook in do_wp_page() comes before. Without this hook, should it not fire, the kernel
 * resolves the fault itself.
 *
 * Who hands in a userfaultfd with WP_ASYNC keeps what it was made for.
 */
#if UFFDWP_HAVE_FILES
static bool instead_of_userfaultfd_wp_async(struct vm_area_struct *vma)
{
	return false;
}

/* No need to count it as in flight: it neither sleeps nor calls, so the last stage waits for it. */
static notrace void on_userfaultfd_wp_async(unsigned long ip, unsigned long parent_ip,
					    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_vma_is_of_own_userfault(vma) && !uffdwp_broken(UFFDWP_BREAK_FOREIGN_SCAN))
		uffdwp_fregs_redirect(fregs, instead_of_userfaultfd_wp_async);
}
#else
#define on_userfaultfd_wp_async NULL
#endif

#if UFFDWP_HAS_MOVE
static long instead_of_userfaultfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long ret = uffdwp_move(file, cmd, arg);

	module_put(THIS_MODULE);
	return ret;
}

/* long userfaultfd_ioctl(struct file *file, unsigned cmd, unsigned long arg): UFFDIO_MOVE */
static notrace void on_userfaultfd_ioctl(unsigned long ip, unsigned long parent_ip,
					 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct file *file = (const struct file *)uffdwp_fregs_arg0(fregs);

	if ((unsigned int)uffdwp_fregs_arg1(fregs) == UFFDIO_MOVE &&
	    uffdwp_tracker_of_mm(uffdwp_userfault_mm(file)))
		redirect_with_reference(parent_ip, fregs, instead_of_userfaultfd_ioctl);
}
#else
#define on_userfaultfd_ioctl NULL
#endif

/*
 * What follows is for native_abi=1.
 *
 *	int mfill_atomic_install_pte(mm, pmd, vma, addr, page, newly_allocated, wp_copy)
 *	int hugetlb_mcopy_atomic_pte(mm, pte, vma, addr, src_addr, mode, pagep, wp_copy)
 */
#if UFFDWP_CAN_ADD_CONTINUE_WP
static int instead_of_mfill_atomic_install_pte(UFFDWP_INSTALL_PTE_PARAMETERS)
{
	int ret = -EINVAL;

	if (uffdwp_native_continues_protected())
		wp_copy = true;
	if (!wp_copy || userfaultfd_wp(vma))
		ret = uffdwp_call(mfill_atomic_install_pte)(UFFDWP_INSTALL_PTE_ARGUMENTS);
	redirected_call_ends();
	return ret;
}

static notrace void on_mfill_atomic_install_pte(unsigned long ip, unsigned long parent_ip,
						struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (unlikely(uffdwp_native_continues()) && !within_module(parent_ip, THIS_MODULE))
		redirect(fregs, instead_of_mfill_atomic_install_pte);
}
#else
#define on_mfill_atomic_install_pte NULL
#endif

#if UFFDWP_CAN_ADD_CONTINUE_WP && UFFDWP_HAVE_HUGETLB
static int instead_of_hugetlb_mcopy_atomic_pte(UFFDWP_HUGETLB_MCOPY_PARAMETERS)
{
	int ret = -EINVAL;

	if (uffdwp_native_continues_protected())
		wp_copy = true;
	if (!wp_copy || userfaultfd_wp(vma))
		ret = uffdwp_call(hugetlb_mcopy_atomic_pte)(UFFDWP_HUGETLB_MCOPY_ARGUMENTS);
	redirected_call_ends();
	return ret;
}

static notrace void on_hugetlb_mcopy_atomic_pte(unsigned long ip, unsigned long parent_ip,
						struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (unlikely(uffdwp_native_continues()) && !within_module(parent_ip, THIS_MODULE))
		redirect(fregs, instead_of_hugetlb_mcopy_atomic_pte);
}
#else
#define on_hugetlb_mcopy_atomic_pte NULL
#endif

static int instead_of_userfaultfd_release(struct inode *inode, struct file *file)
{
	int ret;

	/* Not after it: the context may be another userfaultfd's by then. */
	uffdwp_native_end(file->private_data, NULL);
	ret = uffdwp_call(userfaultfd_release)(inode, file);
	module_put(THIS_MODULE);
	return ret;
}

/* int userfaultfd_release(struct inode *inode, struct file *file) */
static notrace void on_userfaultfd_release(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct file *uffd = (struct file *)uffdwp_fregs_arg1(fregs);

	if (uffdwp_tracker_of_ctx(uffd->private_data))
		redirect_with_reference(parent_ip, fregs, instead_of_userfaultfd_release);
}

static int instead_of_dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs)
{
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;
	int ret = uffdwp_call(dup_userfaultfd)(vma, fcs);

	if (!ret)
		ret = uffdwp_native_fork_vma(ctx, vma, fcs);
	redirected_call_ends();
	return ret;
}

/* int dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs): native_fork.c */
static notrace void on_dup_userfaultfd(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;

	if (unlikely(ctx) && !within_module(parent_ip, THIS_MODULE) && uffdwp_tracker_of_ctx(ctx))
		redirect(fregs, instead_of_dup_userfaultfd);
}

static void instead_of_dup_userfaultfd_complete(struct list_head *fcs)
{
	LIST_HEAD(trackers);

	uffdwp_native_fork_begin(fcs, &trackers);
	uffdwp_call(dup_userfaultfd_complete)(fcs);
	uffdwp_native_fork_end(&trackers);
	module_put(THIS_MODULE);
}

/* void dup_userfaultfd_complete(struct list_head *fcs) */
static notrace void on_dup_userfaultfd_complete(unsigned long ip, unsigned long parent_ip,
						struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct list_head *fcs = (struct list_head *)uffdwp_fregs_arg0(fregs);

	if (unlikely(!list_empty(fcs)))
		redirect_with_reference(parent_ip, fregs, instead_of_dup_userfaultfd_complete);
}

static long instead_of_native_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long ret = uffdwp_native_ioctl(file, cmd, arg);

	module_put(THIS_MODULE);
	return ret;
}

/* long userfaultfd_ioctl(struct file *file, unsigned cmd, unsigned long arg) */
static notrace void on_native_ioctl(unsigned long ip, unsigned long parent_ip,
					 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (uffdwp_native_handles(uffdwp_fregs_arg1(fregs)))
		redirect_with_reference(parent_ip, fregs, instead_of_native_ioctl);
}

static int instead_of_pagemap_open(struct inode *inode, struct file *file)
{
	int ret = uffdwp_call(pagemap_open)(inode, file);

	if (!ret)
		uffdwp_native_scan_open(file);
	module_put(THIS_MODULE);
	return ret;
}

/* int pagemap_open(struct inode *inode, struct file *file) */
static notrace void on_pagemap_open(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	/* A file that is open then is not waited for if loading fails: uffdwp_hooks_exit() */
	if (READ_ONCE(uffdwp_native_scan_offered))
		redirect_with_reference(parent_ip, fregs, instead_of_pagemap_open);
}

struct hook {
	const char *symbol;
	const char *loss;	/* what is lost without it; NULL: nothing works without it */
	u64 features;		/* what is offered with it */
	u64 kinds;		/* of memory that cannot be tracked without it */
	bool stays;		/* as long as the module */
	bool native;		/* only with native_abi=1 */
	struct ftrace_ops ops;
	unsigned long address;
	bool given_up;
	bool placed;
};

/* What no kernel without markers needs a hook for, nor can offer. */
#define FOR_MARKERS .given_up = !UFFDWP_HAVE_MARKERS

/* What only kernels that track mappings of ordinary files need a hook for. */
#define FOR_FILES .given_up = !UFFDWP_HAVE_FILES
/* What a kernel without UFFDIO_MOVE needs no hook for: nothing is lost there. */
#define FOR_MOVE .given_up = !UFFDWP_HAS_MOVE
/* Only with native_abi=1, and only where the kernel lacks what it is for. */
#define FOR_NATIVE(lacking) .native = true, .stays = true, .given_up = !(lacking)

#define WATCH(callback) \
	{ .func = (callback), .flags = UFFDWP_FTRACE_FLAGS }
#define REDIRECT(callback) \
	{ .func = (callback), .flags = UFFDWP_FTRACE_FLAGS | FTRACE_OPS_FL_IPMODIFY }

static struct hook hooks[UFFDWP_HOOKS] = {
	[UFFDWP_HOOK_HANDLE_USERFAULT] = {
		.symbol = "handle_userfault",
		.features = UFFDWP_FEATURE_THP,
		.ops = REDIRECT(on_handle_userfault),
	},
	[UFFDWP_HOOK_DO_WP_PAGE] = {
		.symbol = "do_wp_page",
		.ops = WATCH(on_do_wp_page),
	},
	[UFFDWP_HOOK_MWRITEPROTECT_RANGE] = {
		.symbol = "mwriteprotect_range",
		.loss = "UFFDIO_WRITEPROTECT on a handed-in userfaultfd arms populated memory only",
		.features = UFFDWP_FEATURE_WRITEPROTECT,
		.ops = REDIRECT(on_mwriteprotect_range),
	},
	[UFFDWP_HOOK_DO_SWAP_PAGE] = {
		.symbol = "do_swap_page",
		.given_up = !UFFDWP_HAVE_MARKERS && !UFFDWP_FORCED_WRITES_GO_BY_DIRTY,
		.loss = UFFDWP_FORCED_WRITES_GO_BY_DIRTY ? NULL :
			"unpopulated memory cannot be armed with markers",
		.features = UFFDWP_FEATURE_UNPOP_MARKER,
		.ops = REDIRECT(on_do_swap_page),
	},
	[UFFDWP_HOOK_ZAP] = {
		.symbol = UFFDWP_ZAP_SYMBOL,
		FOR_MARKERS,
		.loss = "shared memory, hugetlb and files cannot be tracked, nor markers be left",
		.features = UFFDWP_FEATURE_UNPOP_MARKER,
		.kinds = UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB | UFFDWP_KIND_FILE,
		.ops = REDIRECT(on_zap),
	},
	[UFFDWP_HOOK_USERFAULTFD_IOCTL] = {
		.symbol = "userfaultfd_ioctl",
		FOR_MOVE,
		.loss = "no userfaultfd can be handed in",
		.features = UFFDWP_HAS_MOVE ? UFFDWP_FEATURE_UFFD : 0,
		.ops = REDIRECT(on_userfaultfd_ioctl),
	},
	[UFFDWP_HOOK_USERFAULTFD_WP_ASYNC] = {
		.symbol = "userfaultfd_wp_async",
		FOR_FILES,
		.loss = "mappings of ordinary files cannot be tracked",
		.kinds = UFFDWP_KIND_FILE,
		.ops = REDIRECT(on_userfaultfd_wp_async),
	},
	/* Before the same of single file systems, so that the self-test can tell them apart. */
	[UFFDWP_HOOK_VFS_FALLOCATE] = {
		.symbol = "vfs_fallocate",
		FOR_FILES,
		.loss = "mappings of ordinary files cannot be tracked",
		.kinds = UFFDWP_KIND_FILE,
		.stays = true,
		.ops = REDIRECT(on_vfs_fallocate),
	},
	[UFFDWP_HOOK_NOTIFY_CHANGE] = {
		.symbol = "notify_change",
		FOR_FILES,
		.loss = "mappings of ordinary files cannot be tracked",
		.kinds = UFFDWP_KIND_FILE,
		.stays = true,
		.ops = REDIRECT(on_notify_change),
	},
	[UFFDWP_HOOK_SHMEM_FALLOCATE] = {
		.symbol = "shmem_fallocate",
		FOR_MARKERS,
		.loss = "shared memory cannot be tracked",
		.kinds = UFFDWP_KIND_SHMEM,
		.stays = true,
		.ops = REDIRECT(on_shmem_fallocate),
	},
	[UFFDWP_HOOK_SHMEM_SETATTR] = {
		.symbol = "shmem_setattr",
		FOR_MARKERS,
		.loss = "shared memory cannot be tracked",
		.kinds = UFFDWP_KIND_SHMEM,
		.stays = true,
		.ops = REDIRECT(on_shmem_setattr),
	},
	[UFFDWP_HOOK_HUGETLBFS_FALLOCATE] = {
		.symbol = "hugetlbfs_fallocate",
		FOR_MARKERS,
		.loss = "hugetlb cannot be tracked",
		.kinds = UFFDWP_KIND_HUGETLB,
		.stays = true,
		.ops = REDIRECT(on_hugetlbfs_fallocate),
	},
	[UFFDWP_HOOK_HUGETLBFS_SETATTR] = {
		.symbol = "hugetlbfs_setattr",
		FOR_MARKERS,
		.loss = "hugetlb cannot be tracked",
		.kinds = UFFDWP_KIND_HUGETLB,
		.stays = true,
		.ops = REDIRECT(on_hugetlbfs_setattr),
	},
	[UFFDWP_HOOK_COPY_HUGETLB_PAGE_RANGE] = {
		.symbol = "copy_hugetlb_page_range",
		FOR_MARKERS,
		.loss = "hugetlb cannot be tracked",
		.kinds = UFFDWP_KIND_HUGETLB,
		.ops = REDIRECT(on_copy_hugetlb_page_range),
	},
	[UFFDWP_HOOK_MFILL_ATOMIC_INSTALL_PTE] = {
		.symbol = "mfill_atomic_install_pte",
		FOR_NATIVE(UFFDWP_CAN_ADD_CONTINUE_WP),
		.loss = "no UFFDIO_CONTINUE_MODE_WP",
		.ops = REDIRECT(on_mfill_atomic_install_pte),
	},
	[UFFDWP_HOOK_HUGETLB_MCOPY_ATOMIC_PTE] = {
		.symbol = "hugetlb_mcopy_atomic_pte",
		FOR_NATIVE(UFFDWP_CAN_ADD_CONTINUE_WP && UFFDWP_HAVE_HUGETLB),
		.loss = "no UFFDIO_CONTINUE_MODE_WP",
		.ops = REDIRECT(on_hugetlb_mcopy_atomic_pte),
	},
	[UFFDWP_HOOK_DUP_USERFAULTFD] = {
		.symbol = "dup_userfaultfd",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC),
		.loss = "no UFFD_FEATURE_WP_ASYNC",
		.ops = REDIRECT(on_dup_userfaultfd),
	},
	[UFFDWP_HOOK_DUP_USERFAULTFD_COMPLETE] = {
		.symbol = "dup_userfaultfd_complete",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC),
		.loss = "no UFFD_FEATURE_WP_ASYNC",
		.ops = REDIRECT(on_dup_userfaultfd_complete),
	},
	[UFFDWP_HOOK_USERFAULTFD_RELEASE] = {
		.symbol = "userfaultfd_release",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC),
		.loss = "no UFFD_FEATURE_WP_ASYNC",
		.ops = REDIRECT(on_userfaultfd_release),
	},
	[UFFDWP_HOOK_NATIVE_IOCTL] = {
		.symbol = "userfaultfd_ioctl",
		FOR_NATIVE(UFFDWP_LACKS_WP_ASYNC || UFFDWP_CAN_ADD_CONTINUE_WP),
		.loss = "no UFFD_FEATURE_WP_ASYNC, no UFFDIO_CONTINUE_MODE_WP",
		.ops = REDIRECT(on_native_ioctl),
	},
	[UFFDWP_HOOK_PAGEMAP_OPEN] = {
		.symbol = "pagemap_open",
		FOR_NATIVE(UFFDWP_LACKS_PAGEMAP_SCAN),
		.loss = "no PAGEMAP_SCAN",
		.ops = REDIRECT(on_pagemap_open),
	},
};

/* Users and the state of all hooks. Outside everything that placing a hook takes. */
static DEFINE_MUTEX(hooks_lock);
static unsigned int users;

const char *uffdwp_hook_symbol(enum uffdwp_hook_id id)
{
	return hooks[id].symbol;
}

const char *uffdwp_hook_loss(enum uffdwp_hook_id id)
{
	return hooks[id].loss;
}

bool uffdwp_hook_is_given_up(enum uffdwp_hook_id id)
{
	return hooks[id].given_up;
}

/**
 * uffdwp_hook_give_up - never place an optional hook, and offer no feature that needs it
 * @id: hook
 */
void uffdwp_hook_give_up(enum uffdwp_hook_id id)
{
	pr_warn("no hook on %s: %s\n", hooks[id].symbol, hooks[id].loss);
	hooks[id].given_up = true;
}

/**
 * uffdwp_hooks_features - what is offered with the hooks that are there
 *
 * Return: UFFDWP_FEATURE_*.
 */
u64 uffdwp_hooks_features(void)
{
	u64 features = UFFDWP_FEATURE_UFFD, lost = 0;
	int id;

	for (id = 0; id < UFFDWP_HOOKS; id++) {
		features |= hooks[id].features;
		if (hooks[id].given_up)
			lost |= hooks[id].features;
	}
	return features & ~lost;
}

/**
 * uffdwp_hooks_kinds - kinds of memory that can be tracked with the hooks that are there
 *
 * Return: UFFDWP_KIND_*.
 */
u64 uffdwp_hooks_kinds(void)
{
	u64 kinds = UFFDWP_KIND_ANON_PRIVATE;
	int id;

	if (UFFDWP_HAVE_MARKERS)
		kinds |= UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB;
	if (UFFDWP_HAVE_FILES)
		kinds |= UFFDWP_KIND_FILE;
	for (id = 0; id < UFFDWP_HOOKS; id++)
		if (hooks[id].given_up)
			kinds &= ~hooks[id].kinds;
	return kinds;
}

/**
 * uffdwp_kind_is_offered - can this mapping be tracked with the hooks that are there?
 * @vma: mapping
 *
 * Return: whether it can.
 */
bool uffdwp_kind_is_offered(struct vm_area_struct *vma)
{
	return uffdwp_kind_of_vma(vma) & uffdwp_hooks_kinds();
}

/**
 * uffdwp_hooks_find - find the functions to hook
 *
 * Return: 0, or -ENOENT when one that is required does not exist or cannot be traced.
 */
int uffdwp_hooks_find(void)
{
	int id, err = 0;

	for (id = 0; id < UFFDWP_HOOKS; id++) {
		struct hook *hook = &hooks[id];

		if (hook->native && !uffdwp_native_abi)
			hook->given_up = true;
		if (hook->given_up)
			continue;
		hook->address = uffdwp_symbol_address(hook->symbol);
		if (hook->address && !ftrace_set_filter_ip(&hook->ops, hook->address, 0, 0))
			continue;
		if (hook->loss) {
			uffdwp_hook_give_up(id);
		} else {
			pr_err("this kernel has no function %s that ftrace could stop, which cannot be done without\n",
			       hook->symbol);
			err = -ENOENT;
		}
	}
	return err;
}

/* Whoever may call UFFDIO_API may have this said, with native_abi=1. */
static void explain(const struct hook *hook, int err)
{
	if (err == -EBUSY)
		pr_err_ratelimited("%s cannot be hooked: kernel.ftrace_enabled is 0, or a livepatch or another module has redirected it (see /sys/kernel/debug/tracing/enabled_functions)\n",
				   hook->symbol);
	else
		pr_err_ratelimited("%s cannot be hooked: error %d of register_ftrace_function\n",
				   hook->symbol, err);
}

/**
 * uffdwp_hook_place - place one hook, if it is not in place and not given up
 * @id: hook
 *
 * Return: 0, or -ENODEV after the log was told why.
 */
int uffdwp_hook_place(enum uffdwp_hook_id id)
{
	struct hook *hook = &hooks[id];
	int err;

	if (hook->placed || hook->given_up)
		return 0;
	err = register_ftrace_function(&hook->ops);
	if (err) {
		explain(hook, err);
		return -ENODEV;
	}
	hook->placed = true;
	return 0;
}

static void remove_hooks(bool all)
{
	int id;

	for (id = UFFDWP_HOOKS - 1; id >= 0; id--) {
		if (hooks[id].placed && (all || !hooks[id].stays) &&
		    !unregister_ftrace_function(&hooks[id].ops))
			hooks[id].placed = false;
	}
}

/* Nobody waits for calls in flight here: those come to an end while the module is loaded. */
static void remove_unused(struct work_struct *work)
{
	mutex_lock(&hooks_lock);
	if (!users)
		remove_hooks(false);
	mutex_unlock(&hooks_lock);
}

static DECLARE_DELAYED_WORK(linger_work, remove_unused);

/**
 * uffdwp_hooks_get - have the hooks in place until uffdwp_hooks_put()
 *
 * Return: 0, or -ENODEV after the log was told why: no hook was placed for this user.
 */
int uffdwp_hooks_get(void)
{
	int id, err = 0;

	mutex_lock(&hooks_lock);
	for (id = 0; id < UFFDWP_HOOKS && !err; id++)
		err = uffdwp_hook_place(id);
	if (!err)
		users++;
	else if (!users)
		remove_hooks(false);
	mutex_unlock(&hooks_lock);
	return err;
}

/**
 * uffdwp_hooks_put - one user less; the last one's hooks are removed a little later
 */
void uffdwp_hooks_put(void)
{
	mutex_lock(&hooks_lock);
	if (!--users)
		uffdwp_hooks_linger();
	mutex_unlock(&hooks_lock);
}

/**
 * uffdwp_hooks_linger - hooks without a user may be removed a little later
 */
void uffdwp_hooks_linger(void)
{
	schedule_delayed_work(&linger_work, LINGER);
}

static bool any_placed(void)
{
	int id;

	for (id = 0; id < UFFDWP_HOOKS; id++)
		if (hooks[id].placed)
			return true;
	return false;
}

/*
 * A module is unloaded when nobody has a reference; but one that could not be loaded is freed
 * whoever has one (do_init_module()), and has the one of its loading.
 */
static void wait_for_references(void)
{
	while (module_refcount(THIS_MODULE) > 1)
		msleep(20);
}

/**
 * uffdwp_hooks_exit - remove all hooks and wait until nothing runs in them; there are no users
 *
 * When it returns no processor and no sleeping task is in a callback, a trampoline or a function
 * that a call was redirected to.
 */
void uffdwp_hooks_exit(void)
{
	int id;

	cancel_delayed_work_sync(&linger_work);
	remove_hooks(true);
	wait_var_event(&calls_in_flight, !atomic_read(&calls_in_flight));
	wait_for_references();
	synchronize_rcu_tasks();
	/*
	 * ftrace has given up after an error of its own, and goes on calling us. There is no way to
	 * go: not to return keeps the code where it is called.
	 */
	while (any_placed()) {
		pr_err_once("ftrace does not remove its hooks: the module has to stay\n");
		ssleep(60);
	}
	for (id = 0; id < UFFDWP_HOOKS; id++)
		uffdwp_ftrace_free_filter(&hooks[id].ops);
}
