// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do for native_abi=1.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "backport/backport.h"
#include "compat/backport.h"
#include "compat/hooked.h"
#include "compat/symbols.h"
#include "hook.h"
#include "hooks.h"
#include "proof.h"
#include "redirect.h"
#include "tracker.h"
#include "userfault.h"

#if UFFDWP_BACKPORTS_WP_ASYNC
static int instead_of_mwriteprotect_range(struct mm_struct *mm, unsigned long start,
					  unsigned long len, bool enable_wp,
					  uffdwp_mmap_changing *changing)
{
	int ret = uffdwp_backport_writeprotect(mm, start, len, enable_wp, changing);

	/* Not a tail call: hooks/redirect.h */
	if (ret == -EXDEV) {
		ret = uffdwp_call(mwriteprotect_range)(mm, start, len, enable_wp, changing);
		barrier();
	}
	uffdwp_call_ends();
	return ret;
}

/* int mwriteprotect_range(mm, start, len, bool enable_wp, changing) */
UFFDWP_CALLBACK(mwriteprotect_range)
{
	uffdwp_hook_fires(ops);
	if (!within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_mm_is_tracked((struct mm_struct *)uffdwp_fregs_arg0(fregs)))
		uffdwp_redirect(fregs, instead_of_mwriteprotect_range);
}

static bool prove_mwriteprotect_range(struct uffdwp_proof *p)
{
	return !uffdwp_proof_write_protect(p, 0) && uffdwp_proof_fired(p);
}

static struct uffdwp_hook mwriteprotect_range_hook = {
	.symbol = "mwriteprotect_range",
	.without = "no UFFD_FEATURE_WP_ASYNC",
	.features = UFFDWP_INNER_WP_ASYNC,
	.only_with_native_abi = true,
	.ops = UFFDWP_REDIRECT(mwriteprotect_range),
	.prove = prove_mwriteprotect_range,
};

static int instead_of_userfaultfd_release(struct inode *inode, struct file *file)
{
	int ret;

	/* Before it, since it may free the context, which another userfaultfd may get then. */
	uffdwp_backport_end(file->private_data, NULL);
	ret = uffdwp_call(userfaultfd_release)(inode, file);
	module_put(THIS_MODULE);
	return ret;
}

/* int userfaultfd_release(struct inode *inode, struct file *file) */
UFFDWP_CALLBACK(userfaultfd_release)
{
	const struct file *uffd = (struct file *)uffdwp_fregs_arg1(fregs);

	uffdwp_hook_fires(ops);
	if (uffdwp_whose_ctx(uffd->private_data) == UFFDWP_BACKPORT)
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_userfaultfd_release);
}

struct closing {
	struct work_struct work;
	struct file *file;
};

/* In a kernel thread, since __fput_sync() is for these only: fput() would release it later. */
static void close_work(struct work_struct *work)
{
	__fput_sync(container_of(work, struct closing, work)->file);
}

static bool prove_userfaultfd_release(struct uffdwp_proof *p)
{
	struct closing c = { .file = uffdwp_userfault_create(p->t->mm) };

	if (IS_ERR(c.file))
		return false;
	INIT_WORK_ONSTACK(&c.work, close_work);
	schedule_work(&c.work);
	flush_work(&c.work);
	destroy_work_on_stack(&c.work);
	return uffdwp_proof_fired(p);
}

static struct uffdwp_hook userfaultfd_release_hook = {
	.symbol = "userfaultfd_release",
	.without = "no UFFD_FEATURE_WP_ASYNC",
	.features = UFFDWP_INNER_WP_ASYNC,
	.only_with_native_abi = true,
	.ops = UFFDWP_REDIRECT(userfaultfd_release),
	.prove = prove_userfaultfd_release,
};

static int instead_of_dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs)
{
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;
	int ret = uffdwp_call(dup_userfaultfd)(vma, fcs);

	if (!ret)
		ret = uffdwp_backport_fork_vma(ctx, vma, fcs);
	uffdwp_call_ends();
	return ret;
}

/* int dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs): backport/fork.c */
UFFDWP_CALLBACK(dup_userfaultfd)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);
	const void *ctx = vma->vm_userfaultfd_ctx.ctx;

	uffdwp_hook_fires(ops);
	if (unlikely(ctx) && !within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_whose_ctx(ctx) == UFFDWP_BACKPORT)
		uffdwp_redirect(fregs, instead_of_dup_userfaultfd);
}

/* A VMA without a userfaultfd, and part of no mm: there is nothing to be duplicated. */
static bool prove_dup_userfaultfd(struct uffdwp_proof *p)
{
	struct vm_area_struct *vma = kzalloc(sizeof(*vma), GFP_KERNEL);
	LIST_HEAD(none);

	if (!vma)
		return false;
	uffdwp_call(dup_userfaultfd)(vma, &none);
	kfree(vma);
	return uffdwp_proof_fired(p);
}

static struct uffdwp_hook dup_userfaultfd_hook = {
	.symbol = "dup_userfaultfd",
	.without = "no UFFD_FEATURE_WP_ASYNC",
	.features = UFFDWP_INNER_WP_ASYNC,
	.only_with_native_abi = true,
	.ops = UFFDWP_REDIRECT(dup_userfaultfd),
	.prove = prove_dup_userfaultfd,
};

static void instead_of_dup_userfaultfd_complete(struct list_head *fcs)
{
	LIST_HEAD(trackers);

	uffdwp_backport_fork_begin(fcs, &trackers);
	uffdwp_call(dup_userfaultfd_complete)(fcs);
	uffdwp_backport_fork_end(&trackers);
	module_put(THIS_MODULE);
}

/* void dup_userfaultfd_complete(struct list_head *fcs) */
UFFDWP_CALLBACK(dup_userfaultfd_complete)
{
	const struct list_head *fcs = (struct list_head *)uffdwp_fregs_arg0(fregs);

	uffdwp_hook_fires(ops);
	if (unlikely(!list_empty(fcs)))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_dup_userfaultfd_complete);
}

static bool prove_dup_userfaultfd_complete(struct uffdwp_proof *p)
{
	LIST_HEAD(none);

	uffdwp_call(dup_userfaultfd_complete)(&none);
	return uffdwp_proof_fired(p);
}

static struct uffdwp_hook dup_userfaultfd_complete_hook = {
	.symbol = "dup_userfaultfd_complete",
	.without = "no UFFD_FEATURE_WP_ASYNC",
	.features = UFFDWP_INNER_WP_ASYNC,
	.only_with_native_abi = true,
	.ops = UFFDWP_REDIRECT(dup_userfaultfd_complete),
	.prove = prove_dup_userfaultfd_complete,
};
#endif

#if UFFDWP_BACKPORTS_PAGEMAP_SCAN
static int instead_of_pagemap_open(struct inode *inode, struct file *file)
{
	int ret = uffdwp_call(pagemap_open)(inode, file);

	if (!ret)
		uffdwp_backport_scan_open(file);
	module_put(THIS_MODULE);
	return ret;
}

/* int pagemap_open(struct inode *inode, struct file *file) */
UFFDWP_CALLBACK(pagemap_open)
{
	uffdwp_hook_fires(ops);
	/* Not while loading: if that fails, uffdwp_hooks_exit() waits until the file is closed. */
	if (READ_ONCE(uffdwp_backport_scan_offered))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_pagemap_open);
}

static bool prove_pagemap_open(struct uffdwp_proof *p)
{
	struct file *pagemap = filp_open("/proc/self/pagemap", O_RDONLY, 0);

	if (IS_ERR(pagemap))
		return false;
	filp_close(pagemap, NULL);
	return uffdwp_proof_fired(p);
}

static struct uffdwp_hook pagemap_open_hook = {
	.symbol = "pagemap_open",
	.without = "no PAGEMAP_SCAN",
	.features = UFFDWP_INNER_PAGEMAP_SCAN,
	.only_with_native_abi = true,
	.ops = UFFDWP_REDIRECT(pagemap_open),
	.prove = prove_pagemap_open,
};
#endif

struct uffdwp_hook *const uffdwp_backport_hooks[] = {
#if UFFDWP_BACKPORTS_WP_ASYNC
	&mwriteprotect_range_hook,
	&dup_userfaultfd_hook,
	&dup_userfaultfd_complete_hook,
	&userfaultfd_release_hook,
#endif
#if UFFDWP_BACKPORTS_PAGEMAP_SCAN
	&pagemap_open_hook,
#endif
	NULL
};
