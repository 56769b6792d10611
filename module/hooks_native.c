// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do for native_abi=1.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "compat/hooked.h"
#include "compat/native.h"
#include "compat/symbols.h"
#include "hook_callbacks.h"
#include "hooks.h"
#include "native.h"
#include "redirect.h"
#include "tracker.h"

static int instead_of_mwriteprotect_range(struct mm_struct *mm, unsigned long start,
					  unsigned long len, bool enable_wp,
					  uffdwp_mmap_changing *changing)
{
	int ret = uffdwp_native_writeprotect(mm, start, len, enable_wp, changing);

	/* Not a tail call: redirect.h */
	if (ret == -EXDEV) {
		ret = uffdwp_call(mwriteprotect_range)(mm, start, len, enable_wp, changing);
		barrier();
	}
	uffdwp_call_ends();
	return ret;
}

/* int mwriteprotect_range(mm, start, len, bool enable_wp, changing) */
notrace void uffdwp_on_mwriteprotect_range(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	uffdwp_hook_has_fired(UFFDWP_HOOK_MWRITEPROTECT_RANGE);
	if (!within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_mm_is_tracked((struct mm_struct *)uffdwp_fregs_arg0(fregs)))
		uffdwp_redirect(fregs, instead_of_mwriteprotect_range);
}

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
notrace void uffdwp_on_userfaultfd_release(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct file *uffd = (struct file *)uffdwp_fregs_arg1(fregs);

	uffdwp_hook_has_fired(UFFDWP_HOOK_USERFAULTFD_RELEASE);
	if (uffdwp_tracker_of_ctx(uffd->private_data))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_userfaultfd_release);
}

static int instead_of_dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs)
{
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;
	int ret = uffdwp_call(dup_userfaultfd)(vma, fcs);

	if (!ret)
		ret = uffdwp_native_fork_vma(ctx, vma, fcs);
	uffdwp_call_ends();
	return ret;
}

/* int dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs): native_fork.c */
notrace void uffdwp_on_dup_userfaultfd(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;

	uffdwp_hook_has_fired(UFFDWP_HOOK_DUP_USERFAULTFD);
	if (unlikely(ctx) && !within_module(parent_ip, THIS_MODULE) && uffdwp_tracker_of_ctx(ctx))
		uffdwp_redirect(fregs, instead_of_dup_userfaultfd);
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
notrace void uffdwp_on_dup_userfaultfd_complete(unsigned long ip, unsigned long parent_ip,
						struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct list_head *fcs = (struct list_head *)uffdwp_fregs_arg0(fregs);

	uffdwp_hook_has_fired(UFFDWP_HOOK_DUP_USERFAULTFD_COMPLETE);
	if (unlikely(!list_empty(fcs)))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_dup_userfaultfd_complete);
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
notrace void uffdwp_on_pagemap_open(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	uffdwp_hook_has_fired(UFFDWP_HOOK_PAGEMAP_OPEN);
	/* A file that is open then is not waited for if loading fails: uffdwp_hooks_exit() */
	if (READ_ONCE(uffdwp_native_scan_offered))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_pagemap_open);
}
