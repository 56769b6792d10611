// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where the kernel arms by itself, so that memory of a tracker is armed by the
 * commands of that tracker and by nothing else or, if its userfaultfd was handed in, by calls on
 * that one as well (uffd_call.c):
 *
 *	UFFDIO_WRITEPROTECT		change_protection() with MM_CP_UFFD_WP
 *	UFFDIO_COPY, UFFDIO_CONTINUE	mfill_atomic_install_pte(), hugetlb_mfill_atomic_pte();
 *					mcopy_atomic() of Linux 5.10: copy.c
 *	PAGEMAP_SCAN			userfaultfd_wp_async(), which it asks of each VMA;
 *					change_protection() where it finds no page table
 *
 * UFFDIO_ZEROPAGE, UFFDIO_POISON and UFFDIO_MOVE protect nothing: they refuse what is there, and
 * what they put there has no bit, but for a swap entry that has moved (move.c). UFFDIO_MOVE refuses
 * a VMA of another userfaultfd.
 *
 * Who protects memory of others is told nothing of it: what it asked for has happened, but for the
 * protection, and the page reads as written.
 *
 * change_protection() is the body of mprotect(), too, and all but the calls of userfaultfd are over
 * after one test. Everything is asked with mmap_lock held, or the lock of the VMA, which
 * registering takes for writing: whose the memory is stays so until the kernel has acted.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/userfaultfd.h>
#include <linux/userfaultfd_k.h>

#include "compat/hooked.h"
#include "compat/symbols.h"
#include "copy.h"
#include "hook_callbacks.h"
#include "hooks.h"
#include "native.h"
#include "redirect.h"
#include "tracker.h"
#include "uffd_call.h"
#include "writeprotect.h"

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

	uffdwp_hook_has_fired(UFFDWP_HOOK_USERFAULTFD_IOCTL);
	if (uffdwp_uffd_call_concerns_us(file, uffdwp_fregs_arg1(fregs)))
		uffdwp_redirect_held(parent_ip, fregs, instead_of_userfaultfd_ioctl);
}

static long instead_of_change_protection(UFFDWP_CHANGE_PROTECTION_PARAMETERS)
{
	long ret = uffdwp_writeprotect(vma, start, end);

	uffdwp_call_ends();
	return ret;
}

/* long change_protection(..., vma, start, end, ..., unsigned long cp_flags): compat/hooked.h */
notrace void uffdwp_on_change_protection(unsigned long ip, unsigned long parent_ip,
					 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (likely(!(uffdwp_change_protection_flags(fregs) & MM_CP_UFFD_WP)))
		return;
	if (uffdwp_tracker_of_vma((struct vm_area_struct *)uffdwp_change_protection_vma(fregs)))
		uffdwp_redirect(fregs, instead_of_change_protection);
}

#if !UFFDWP_PROTECTS_IN_MCOPY
/* Is this memory of a tracker, which the call that current is in may not arm? */
static notrace bool is_refused(const struct vm_area_struct *vma)
{
	const struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);

	return t && !uffdwp_uffd_call_may_arm(t);
}
#endif

#if UFFDWP_PROTECTS_IN_MCOPY
static ssize_t instead_of_mcopy_atomic(struct mm_struct *mm, unsigned long dst, unsigned long src,
				       unsigned long len, uffdwp_mmap_changing *changing,
				       __u64 mode)
{
	ssize_t ret = uffdwp_copy(mm, dst, src, len, changing, mode);

	module_put(THIS_MODULE);
	return ret;
}

/* ssize_t mcopy_atomic(mm, dst, src, len, changing, __u64 mode) */
notrace void uffdwp_on_mcopy_atomic(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (uffdwp_fregs_arg5(fregs) & UFFDIO_COPY_MODE_WP)
		uffdwp_redirect_held(parent_ip, fregs, instead_of_mcopy_atomic);
}
#elif UFFDWP_HAS_MFILL_FLAGS
/* int mfill_atomic_install_pte(pmd, vma, addr, page, ..., flags): compat/hooked.h */
notrace void uffdwp_on_mfill(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *fregs)
{
	const unsigned long flags = uffdwp_mfill_flags(fregs);
	const unsigned long wp = (__force unsigned long)MFILL_ATOMIC_WP;

	if ((flags & wp) && is_refused((struct vm_area_struct *)uffdwp_fregs_arg1(fregs)))
		uffdwp_mfill_set_flags(fregs, flags & ~wp);
}

#if UFFDWP_HAVE_HUGETLB
/* int hugetlb_mfill_atomic_pte(pte, vma, addr, src_addr, flags, folio) */
notrace void uffdwp_on_hugetlb_mfill(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const unsigned long flags = uffdwp_hugetlb_mfill_flags(fregs);
	const unsigned long wp = (__force unsigned long)MFILL_ATOMIC_WP;

	uffdwp_hook_has_fired(UFFDWP_HOOK_HUGETLB_MFILL);
	if ((flags & wp) && is_refused((struct vm_area_struct *)uffdwp_fregs_arg1(fregs)))
		uffdwp_hugetlb_mfill_set_flags(fregs, flags & ~wp);
}
#endif
#else
/* What the page is mapped with; false: UFFDIO_CONTINUE must not map it (native_continue.c). */
static bool choose_protection(struct vm_area_struct *vma, bool *wp_copy)
{
	if (uffdwp_native_continues_protected()) {
		if (!userfaultfd_wp(vma))
			return false;
		*wp_copy = true;
	}
	if (*wp_copy && is_refused(vma))
		*wp_copy = false;
	return true;
}

static notrace void redirect_mfill(unsigned long parent_ip, struct ftrace_regs *fregs, void *to)
{
	struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg2(fregs);

	if ((uffdwp_native_continues() || uffdwp_tracker_of_vma(vma)) &&
	    !within_module(parent_ip, THIS_MODULE))
		uffdwp_redirect(fregs, to);
}

static int instead_of_mfill(UFFDWP_INSTALL_PTE_PARAMETERS)
{
	int ret = -EINVAL;

	if (choose_protection(vma, &wp_copy))
		ret = uffdwp_call(mfill_atomic_install_pte)(UFFDWP_INSTALL_PTE_ARGUMENTS);
	uffdwp_call_ends();
	return ret;
}

/* int mfill_atomic_install_pte(mm, pmd, vma, addr, page, newly_allocated, wp_copy) */
notrace void uffdwp_on_mfill(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *fregs)
{
	redirect_mfill(parent_ip, fregs, instead_of_mfill);
}

#if UFFDWP_HAVE_HUGETLB
static int instead_of_hugetlb_mfill(UFFDWP_HUGETLB_MCOPY_PARAMETERS)
{
	int ret = -EINVAL;

	if (choose_protection(vma, &wp_copy))
		ret = uffdwp_call(hugetlb_mcopy_atomic_pte)(UFFDWP_HUGETLB_MCOPY_ARGUMENTS);
	uffdwp_call_ends();
	return ret;
}

/* int hugetlb_mcopy_atomic_pte(mm, pte, vma, addr, src_addr, mode, pagep, wp_copy) */
notrace void uffdwp_on_hugetlb_mfill(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	uffdwp_hook_has_fired(UFFDWP_HOOK_HUGETLB_MFILL);
	redirect_mfill(parent_ip, fregs, instead_of_hugetlb_mfill);
}
#endif
#endif

#if UFFDWP_HAVE_FILES
static bool instead_of_userfaultfd_wp_async(struct vm_area_struct *vma)
{
	return false;
}

/*
 * bool userfaultfd_wp_async(struct vm_area_struct *vma): may the kernel resolve and arm by itself?
 *
 * Not in memory of a tracker. PAGEMAP_SCAN would arm it for any reader of the pagemap, and what was
 * written before and not yet reported would be lost. And a fault that is left to
 * handle_userfault(), and so to us, is counted and is the same on every kernel. The kernel asks
 * only if it has found an armed entry, which our hook in do_wp_page() comes before. Without this
 * hook, should it not fire, the kernel resolves the fault itself.
 *
 * No need to count it as in flight: it neither sleeps nor calls, so the last stage waits for it.
 */
notrace void uffdwp_on_userfaultfd_wp_async(unsigned long ip, unsigned long parent_ip,
					    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_tracker_of_vma(vma))
		uffdwp_fregs_redirect(fregs, instead_of_userfaultfd_wp_async);
}
#endif
