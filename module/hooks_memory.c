// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where the kernel meets memory of a tracker: write faults, fork and mremap.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/userfaultfd_k.h>

#include "compat/hooked.h"
#include "compat/pgtable.h"
#include "compat/symbols.h"
#include "fault.h"
#include "fork.h"
#include "hook_callbacks.h"
#include "hooks.h"
#include "redirect.h"
#include "remap.h"
#include "tracker.h"

/* vm_fault_t do_wp_page(struct vm_fault *vmf) */
notrace void uffdwp_on_do_wp_page(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (unlikely(userfaultfd_wp(vmf->vma)))
		uffdwp_fault_wp_page(vmf);
}

static vm_fault_t instead_of_handle_userfault(struct vm_fault *vmf, unsigned long reason)
{
	vm_fault_t ret = uffdwp_fault_userfault(vmf);

	uffdwp_call_ends();
	return ret;
}

/*
 * vm_fault_t handle_userfault(struct vm_fault *vmf, unsigned long reason)
 *
 * MISSING and MINOR faults are for the reader of the userfaultfd, as ever.
 */
notrace void uffdwp_on_handle_userfault(unsigned long ip, unsigned long parent_ip,
					struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_fregs_arg1(fregs) != VM_UFFD_WP)
		return;
	if (uffdwp_tracker_of_vma(vmf->vma))
		uffdwp_redirect(fregs, instead_of_handle_userfault);
}

static vm_fault_t instead_of_do_swap_page(struct vm_fault *vmf)
{
	vm_fault_t ret = uffdwp_fault_marker(vmf);

	uffdwp_call_ends();
	return ret;
}

static vm_fault_t instead_of_do_swap_page_for_write(struct vm_fault *vmf)
{
	vm_fault_t ret = uffdwp_fault_absent(vmf);

	uffdwp_call_ends();
	return ret;
}

/* Of a page that is not present: a write that do_swap_page() would let through without a fault? */
static __always_inline bool is_write_to_absent(const struct vm_fault *vmf)
{
	return UFFDWP_FORCED_WRITES_GO_BY_DIRTY && (vmf->flags & FAULT_FLAG_WRITE) &&
	       userfaultfd_wp(vmf->vma) && pte_swp_uffd_wp(vmf->orig_pte);
}

static __always_inline bool is_marker_in_mlocked_file(const struct vm_fault *vmf)
{
	return UFFDWP_HAVE_FILES && unlikely(vmf->vma->vm_flags & VM_LOCKED) &&
	       uffdwp_pte_is_marker(vmf->orig_pte) && vmf->vma->vm_file;
}

/*
 * vm_fault_t do_swap_page(struct vm_fault *vmf)
 *
 * A kernel that knows these markers itself has other users for them, and takes care of what is left
 * in memory that nobody tracks.
 */
notrace void uffdwp_on_do_swap_page(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (unlikely(uffdwp_pte_is_marker(vmf->orig_pte)) && vma_is_anonymous(vmf->vma) &&
	    (!UFFDWP_HAS_ANON_MARKERS || uffdwp_tracker_of_vma(vmf->vma)))
		uffdwp_redirect(fregs, instead_of_do_swap_page);
	else if (is_marker_in_mlocked_file(vmf) && uffdwp_tracker_of_vma(vmf->vma))
		uffdwp_fault_read_in(vmf);
	else if (is_write_to_absent(vmf) && uffdwp_tracker_of_vma(vmf->vma))
		uffdwp_redirect(fregs, instead_of_do_swap_page_for_write);
}

#if UFFDWP_HAVE_HUGETLB
static int instead_of_copy_hugetlb_page_range(struct mm_struct *dst, struct mm_struct *src,
					      struct vm_area_struct *dst_vma,
					      struct vm_area_struct *src_vma)
{
	int ret = uffdwp_call(copy_hugetlb_page_range)(dst, src, dst_vma, src_vma);

	uffdwp_fork_hugetlb(dst_vma);
	uffdwp_call_ends();
	return ret;
}

/* int copy_hugetlb_page_range(dst, src, dst_vma, src_vma): fork, with both mmap_locks held */
notrace void uffdwp_on_copy_hugetlb_page_range(unsigned long ip, unsigned long parent_ip,
					       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vm_area_struct *src_vma = (struct vm_area_struct *)uffdwp_fregs_arg3(fregs);

	if (unlikely(userfaultfd_wp(src_vma)) && !within_module(parent_ip, THIS_MODULE) &&
	    (uffdwp_tracker_of_vma(src_vma) || uffdwp_tracker_of_sync_vma(src_vma)))
		uffdwp_redirect(fregs, instead_of_copy_hugetlb_page_range);
}
#endif

static void instead_of_mremap_userfaultfd_prep(struct vm_area_struct *vma,
					       struct vm_userfaultfd_ctx *remap)
{
	uffdwp_call(mremap_userfaultfd_prep)(vma, remap);
	/* With UFFD_FEATURE_EVENT_REMAP it stays registered, and armed as it is. */
	if (!vma->vm_userfaultfd_ctx.ctx)
		uffdwp_remap(vma);
	uffdwp_call_ends();
}

/* void mremap_userfaultfd_prep(struct vm_area_struct *vma, struct vm_userfaultfd_ctx *remap) */
notrace void uffdwp_on_mremap_userfaultfd_prep(unsigned long ip, unsigned long parent_ip,
					       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	uffdwp_hook_has_fired(UFFDWP_HOOK_MREMAP_USERFAULTFD_PREP);
	if (unlikely(vma->vm_userfaultfd_ctx.ctx) && !within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_ctx_is_tracked(vma->vm_userfaultfd_ctx.ctx))
		uffdwp_redirect(fregs, instead_of_mremap_userfaultfd_prep);
}
