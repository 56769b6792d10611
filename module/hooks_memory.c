// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where the kernel meets memory of a tracker: write faults, UFFDIO_WRITEPROTECT
 * and UFFDIO_MOVE, fork.
 *
 * Why UFFDIO_WRITEPROTECT is caught at mwriteprotect_range() and not two calls deeper, at
 * change_protection(): the latter is also the body of mprotect(), which every process would then
 * pay for, and what it returns is thrown away on this kernel, so that running out of memory could
 * not be told to the caller.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/userfaultfd_k.h>

#include "breakage.h"
#include "compat/hooked.h"
#include "compat/pgtable.h"
#include "compat/symbols.h"
#include "fault.h"
#include "fork.h"
#include "hook_callbacks.h"
#include "native.h"
#include "redirect.h"
#include "tracker.h"
#include "uffd_call.h"
#include "writeprotect.h"

/* vm_fault_t do_wp_page(struct vm_fault *vmf) */
notrace void uffdwp_on_do_wp_page(unsigned long ip, unsigned long parent_ip,
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
	if (uffdwp_tracker_of_vma(vmf->vma) && !uffdwp_broken(UFFDWP_BREAK_HOOK))
		uffdwp_redirect(fregs, instead_of_handle_userfault);
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
	uffdwp_call_ends();
	return ret;
}

/* int mwriteprotect_range(mm or context, start, len, bool enable_wp, ...): compat/hooked.h */
notrace void uffdwp_on_mwriteprotect_range(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	bool enable_wp = uffdwp_fregs_arg3(fregs) & 1;

	if ((enable_wp || uffdwp_native_abi) && !within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_mm_is_tracked(uffdwp_mwriteprotect_mm(uffdwp_fregs_arg0(fregs))))
		uffdwp_redirect(fregs, instead_of_mwriteprotect_range);
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
	       userfaultfd_wp(vmf->vma) && pte_swp_uffd_wp(vmf->orig_pte) &&
	       !uffdwp_broken(UFFDWP_BREAK_FORCED);
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
	    (!UFFDWP_HAS_ANON_MARKERS || uffdwp_tracker_of_vma(vmf->vma) ||
	     uffdwp_broken(UFFDWP_BREAK_OTHERS)))
		uffdwp_redirect(fregs, instead_of_do_swap_page);
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
notrace void uffdwp_on_userfaultfd_wp_async(unsigned long ip, unsigned long parent_ip,
					    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_vma_is_of_own_userfault(vma) && !uffdwp_broken(UFFDWP_BREAK_FOREIGN_SCAN))
		uffdwp_fregs_redirect(fregs, instead_of_userfaultfd_wp_async);
}
#endif

static long instead_of_userfaultfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long ret = uffdwp_uffd_call(file, cmd, arg);

	module_put(THIS_MODULE);
	return ret;
}

/* long userfaultfd_ioctl(struct file *file, unsigned cmd, unsigned long arg) */
notrace void uffdwp_on_userfaultfd_ioctl(unsigned long ip, unsigned long parent_ip,
					 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct file *file = (const struct file *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_uffd_call_concerns_us(file, uffdwp_fregs_arg1(fregs)))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_userfaultfd_ioctl);
}
