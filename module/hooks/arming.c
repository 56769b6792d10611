// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where the kernel arms by itself, so that memory of a tracker is armed by the
 * commands of that tracker and by nothing else or, if its userfaultfd was handed in, by calls on
 * that one as well (uffd_note.c):
 *
 *	UFFDIO_WRITEPROTECT		change_protection() with MM_CP_UFFD_WP
 *	UFFDIO_COPY, UFFDIO_CONTINUE	mfill_atomic_install_pte(), hugetlb_mfill_atomic_pte();
 *					mcopy_atomic() of Linux 5.10: copy.c
 *	PAGEMAP_SCAN			userfaultfd_wp_async(), which it asks of each VMA;
 *					change_protection() where it finds no page table
 *
 * UFFDIO_ZEROPAGE, UFFDIO_POISON and UFFDIO_MOVE protect nothing: they refuse existing entries, and
 * those that they make have no bit, but for a swap entry that has moved (move.c). UFFDIO_MOVE
 * refuses a VMA of another userfaultfd.
 *
 * A caller that may not arm gets no error: all that it asked for has happened but the protection,
 * and the page reads as written.
 *
 * change_protection() is the body of mprotect(), too: a call that is not of userfaultfd costs one
 * test. Callbacks look at a VMA under mmap_lock or its VMA lock, which registering takes for
 * writing: it belongs to the same userfaultfd until the kernel has acted.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/userfaultfd.h>
#include <linux/userfaultfd_k.h>
#include <uapi/linux/memfd.h>

#include "backport/backport.h"
#include "compat/backport.h"
#include "compat/hooked.h"
#include "compat/hugetlb.h"
#include "compat/symbols.h"
#include "compat/userfault.h"
#include "copy.h"
#include "hook.h"
#include "hooks.h"
#include "proof.h"
#include "redirect.h"
#include "ring.h"
#include "tracker.h"
#include "uffd_call.h"
#include "uffd_note.h"
#include "userfault.h"
#include "writeprotect.h"

static long instead_of_userfaultfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long ret = uffdwp_uffd_call(file, cmd, arg);

	module_put(THIS_MODULE);
	return ret;
}

/* long userfaultfd_ioctl(struct file *file, unsigned cmd, unsigned long arg) */
UFFDWP_CALLBACK(userfaultfd_ioctl)
{
	const struct file *file = (const struct file *)uffdwp_fregs_arg0(fregs);

	uffdwp_hook_fires(ops);
	if (uffdwp_uffd_call_concerns_us(file, uffdwp_fregs_arg1(fregs)))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_userfaultfd_ioctl);
}

/* To a UFFDIO_REGISTER of the process, which would be -EBUSY otherwise. */
static bool gives_way(struct uffdwp_proof *p)
{
	const unsigned long addr = uffdwp_proof_page(p, 3);
	const struct uffdio_register reg = {
		.range = { .start = addr, .len = PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	const u64 given = uffdwp_total(p->t, pages_given_way);
	struct file *uffd = uffdwp_proof_userfault(0);
	bool proved;

	if (IS_ERR(uffd))
		return false;
	proved = !uffdwp_proof_ioctl_of_process(p, uffd, UFFDIO_REGISTER, &reg, sizeof(reg)) &&
		 uffdwp_total(p->t, pages_given_way) == given + 1 &&
		 !uffdwp_userfault_unregister(uffd, addr, PAGE_SIZE) &&
		 !uffdwp_userfault_register(p->uffd, addr, PAGE_SIZE);
	fput(uffd);
	return proved;
}

/* An unknown command, which does nothing but call the hook; then one with an effect. */
static bool prove_userfaultfd_ioctl(struct uffdwp_proof *p)
{
	return uffdwp_proof_ioctl(p, 0, NULL, 0) == -EINVAL && uffdwp_proof_fired(p) &&
	       gives_way(p);
}

static struct uffdwp_hook userfaultfd_ioctl_hook = {
	.symbol = "userfaultfd_ioctl",
	.without = "no userfaultfd can be handed in, no tracker gives way, and native_abi=1 offers nothing on one",
	.features = UFFDWP_FEATURE_UFFD | UFFDWP_FEATURE_GIVES_WAY | UFFDWP_FEATURE_RIDE |
		    UFFDWP_INNER_WP_ASYNC | UFFDWP_INNER_CONTINUE_WP,
	/* A call that has begun is seen by a tracker that comes meanwhile: uffd_call.c */
	.permanent = true,
	.ops = UFFDWP_REDIRECT(userfaultfd_ioctl),
	.prove = prove_userfaultfd_ioctl,
};

static long instead_of_change_protection(UFFDWP_CHANGE_PROTECTION_PARAMETERS)
{
	long ret = uffdwp_writeprotect(vma, start, end);

	uffdwp_call_ends();
	return ret;
}

/*
 * What the kernel disarms in memory of a tracker is told when it is done. Whether there is a ring
 * is asked then: it may be made while the kernel is at work.
 */
static long instead_of_disarming(UFFDWP_CHANGE_PROTECTION_PARAMETERS)
{
	long ret = uffdwp_call(change_protection)(UFFDWP_CHANGE_PROTECTION_ARGUMENTS);

	uffdwp_tell_vma(vma, start, end, UFFDWP_RING_SCAN);
	uffdwp_call_ends();
	return ret;
}

/* long change_protection(..., vma, start, end, ..., unsigned long cp_flags): compat/hooked.h */
UFFDWP_CALLBACK(change_protection)
{
	const unsigned long flags = uffdwp_change_protection_flags(fregs);
	const struct vm_area_struct *vma;

	if (likely(!(flags & MM_CP_UFFD_WP_ALL)))
		return;
	vma = (struct vm_area_struct *)uffdwp_change_protection_vma(fregs);
	if (uffdwp_writeprotect_is_ours(vma, flags & MM_CP_UFFD_WP))
		uffdwp_redirect(fregs, instead_of_change_protection);
	else if ((flags & MM_CP_UFFD_WP_RESOLVE) && uffdwp_async_tracker_of_vma(vma) &&
		 !within_module(parent_ip, THIS_MODULE))
		uffdwp_redirect(fregs, instead_of_disarming);
}

/* As if the userfaultfd was handed in and its owner made the call. */
static long write_protect_as_owner(struct uffdwp_proof *p, unsigned int number)
{
	struct uffdwp_uffd_call call;
	long ret;

	p->t->whose = UFFDWP_HANDED_IN;
	uffdwp_uffd_call_begin(&call, p->t->ctx, UFFDIO_WRITEPROTECT);
	ret = uffdwp_proof_write_protect(p, number);
	uffdwp_uffd_call_end(&call);
	p->t->whose = UFFDWP_PRIVATE;
	return ret;
}

/* Without the owner nothing is armed, not even a populated page; with it even an empty one is. */
static bool prove_change_protection(struct uffdwp_proof *p)
{
	const u64 zeroes = uffdwp_total(p->t, zero_installed);

	/* Its -ENOENT is returned since 6.3 only. */
	uffdwp_proof_write_protect(p, 0);
	return !uffdwp_proof_disarm(p, uffdwp_proof_page(p, 0), PAGE_SIZE) &&
	       !write_protect_as_owner(p, 1) &&
	       uffdwp_total(p->t, zero_installed) == zeroes + 1;
}

static struct uffdwp_hook change_protection_hook = {
	.symbol = "change_protection",
	.features = UFFDWP_FEATURE_WRITEPROTECT | UFFDWP_FEATURE_RIDE,
	.ops = UFFDWP_REDIRECT(change_protection),
	.prove = prove_change_protection,
};

/* The page to be copied is the one that the argument is in. */
static long copy_request(struct uffdwp_proof *p, const struct uffdio_copy *copy)
{
	return uffdwp_proof_ioctl(p, UFFDIO_COPY, copy, sizeof(*copy));
}

/* As if the userfaultfd was handed in, and the call on another one. */
static long copy_as_stranger(struct uffdwp_proof *p, const struct uffdio_copy *copy)
{
	long ret;

	p->t->whose = UFFDWP_HANDED_IN;
	ret = copy_request(p, copy);
	p->t->whose = UFFDWP_PRIVATE;
	return ret;
}

/* UFFDIO_COPY is refused in memory of a private tracker (not on 5.10); else it fills, unarmed. */
static bool prove_copy(struct uffdwp_proof *p)
{
	const struct uffdio_copy copy = {
		.dst = uffdwp_proof_page(p, 4),
		.src = p->area,
		.len = PAGE_SIZE,
		.mode = UFFDIO_COPY_MODE_WP,
	};

	return (UFFDWP_PROTECTS_IN_MCOPY || copy_request(p, &copy) == -EAGAIN) &&
	       !copy_as_stranger(p, &copy) && uffdwp_proof_page_is(p, 4, (int)copy.dst) &&
	       !uffdwp_proof_disarm(p, copy.dst, PAGE_SIZE);
}

#if UFFDWP_TRACKS_HUGETLB
/* The file has no page that could be mapped: nothing happens but that the hook is called. */
static bool continue_absent(const struct uffdwp_proof_file *f)
{
#ifdef UFFDIO_CONTINUE
	struct uffdio_continue request = { .range = { .start = f->addr, .len = f->size } };

	uffdwp_proof_disarm(f->p, f->addr, f->size);
	return uffdwp_proof_ioctl(f->p, UFFDIO_CONTINUE, &request, sizeof(request)) &&
	       uffdwp_proof_fired(f->p);
#else
	return false;
#endif
}

static bool prove_hugetlb_mfill(struct uffdwp_proof *p)
{
	return uffdwp_proof_of_file(p, MFD_HUGETLB, continue_absent);
}
#endif

#if !UFFDWP_PROTECTS_IN_MCOPY
/* Is this memory of a tracker that the userfaultfd call of current may not arm? */
static notrace bool is_refused(const struct vm_area_struct *vma)
{
	const struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);

	return t && !uffdwp_uffd_call_may_arm(t);
}

/*
 * Is this memory of a private tracker? stranger.c would have refused the call, so it was registered
 * after that check. The caller is to retry, as after a change of the mm, and is refused then.
 */
static notrace bool has_come_late(const struct vm_area_struct *vma)
{
	return uffdwp_tracker_is_private(uffdwp_async_tracker_of_vma(vma));
}

/*
 * One page was filled. Where there was an armed marker it is written now, and the call may go on
 * for as long as the process likes: the next page may be one that is never brought.
 */
static void tell_filled(struct vm_area_struct *vma, unsigned long addr, bool wp)
{
	const unsigned int shift = is_vm_hugetlb_page(vma) ? uffdwp_hugetlb_shift(vma) : PAGE_SHIFT;

	addr = round_down(addr, 1UL << shift);
	if (wp)
		uffdwp_uffd_call_armed(addr, addr + (1UL << shift));
	uffdwp_tell_vma(vma, addr, addr + (1UL << shift), UFFDWP_RING_SCAN);
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
UFFDWP_CALLBACK(mcopy_atomic)
{
	if (uffdwp_fregs_arg5(fregs) & UFFDIO_COPY_MODE_WP)
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_mcopy_atomic);
}

/* Permanent: a call that is under way when it is placed is not seen, nor could be waited for. */
static struct uffdwp_hook mcopy_atomic_hook = {
	.symbol = "mcopy_atomic",
	.permanent = true,
	.ops = UFFDWP_REDIRECT(mcopy_atomic),
	.prove = prove_copy,
};
#elif UFFDWP_KERNEL_HAS_MFILL_FLAGS
static bool protects(uffd_flags_t flags)
{
	return (__force unsigned long)flags & (__force unsigned long)MFILL_ATOMIC_WP;
}

static uffd_flags_t choose_flags(const struct vm_area_struct *vma, uffd_flags_t flags)
{
	const unsigned long wp = (__force unsigned long)MFILL_ATOMIC_WP;

	return protects(flags) && is_refused(vma) ?
	       (__force uffd_flags_t)((__force unsigned long)flags & ~wp) : flags;
}

static int instead_of_mfill(UFFDWP_INSTALL_PTE_PARAMETERS)
{
	int ret = -EAGAIN;

	if (!has_come_late(vma)) {
		flags = choose_flags(vma, flags);
		ret = uffdwp_call(mfill_atomic_install_pte)(UFFDWP_INSTALL_PTE_ARGUMENTS);
	}
	if (!ret)
		tell_filled(vma, addr, protects(flags));
	uffdwp_call_ends();
	return ret;
}

/* int mfill_atomic_install_pte(pmd, vma, addr, page, ..., flags): compat/hooked.h */
UFFDWP_CALLBACK(mfill)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);

	if (uffdwp_async_tracker_of_vma(vma) && !within_module(parent_ip, THIS_MODULE))
		uffdwp_redirect(fregs, instead_of_mfill);
}

#if UFFDWP_TRACKS_HUGETLB
static int instead_of_hugetlb_mfill(UFFDWP_HUGETLB_MFILL_PARAMETERS)
{
	int ret = -EAGAIN;

	if (has_come_late(vma)) {
		/* With what has come late; freed, as the original does when it fails. */
		if (*foliop)
			folio_put(*foliop);
		*foliop = NULL;
	} else {
		flags = choose_flags(vma, flags);
		ret = uffdwp_call(hugetlb_mfill_atomic_pte)(UFFDWP_HUGETLB_MFILL_ARGUMENTS);
	}
	if (!ret)
		tell_filled(vma, addr, protects(flags));
	uffdwp_call_ends();
	return ret;
}

/* int hugetlb_mfill_atomic_pte(pte, vma, addr, src_addr, flags, folio) */
UFFDWP_CALLBACK(hugetlb_mfill)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);

	uffdwp_hook_fires(ops);
	if (uffdwp_async_tracker_of_vma(vma) && !within_module(parent_ip, THIS_MODULE))
		uffdwp_redirect(fregs, instead_of_hugetlb_mfill);
}
#endif
#else
/* Set @wp_copy. Return: false when UFFDIO_CONTINUE must not map the page (backport/continue.c). */
static bool choose_protection(struct vm_area_struct *vma, bool *wp_copy)
{
	if (uffdwp_backport_continues_protected()) {
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

	if ((!uffdwp_backport_continues() && !uffdwp_async_tracker_of_vma(vma)) ||
	    within_module(parent_ip, THIS_MODULE))
		return;
	uffdwp_redirect(fregs, to);
}

static int instead_of_mfill(UFFDWP_INSTALL_PTE_PARAMETERS)
{
	int ret = -EINVAL;

	if (has_come_late(vma))
		ret = -EAGAIN;
	else if (choose_protection(vma, &wp_copy))
		ret = uffdwp_call(mfill_atomic_install_pte)(UFFDWP_INSTALL_PTE_ARGUMENTS);
	if (!ret)
		tell_filled(vma, addr, wp_copy);
	uffdwp_call_ends();
	return ret;
}

/* int mfill_atomic_install_pte(mm, pmd, vma, addr, page, newly_allocated, wp_copy) */
UFFDWP_CALLBACK(mfill)
{
	redirect_mfill(parent_ip, fregs, instead_of_mfill);
}

#if UFFDWP_TRACKS_HUGETLB
static int instead_of_hugetlb_mfill(UFFDWP_HUGETLB_MCOPY_PARAMETERS)
{
	int ret = -EINVAL;

	if (has_come_late(vma)) {
		/* With what has come late; freed, as the original does when it fails. */
		if (*pagep)
			put_page(*pagep);
		*pagep = NULL;
		ret = -EAGAIN;
	} else if (choose_protection(vma, &wp_copy)) {
		ret = uffdwp_call(hugetlb_mcopy_atomic_pte)(UFFDWP_HUGETLB_MCOPY_ARGUMENTS);
	}
	if (!ret)
		tell_filled(vma, addr, wp_copy);
	uffdwp_call_ends();
	return ret;
}

/* int hugetlb_mcopy_atomic_pte(mm, pte, vma, addr, src_addr, mode, pagep, wp_copy) */
UFFDWP_CALLBACK(hugetlb_mfill)
{
	uffdwp_hook_fires(ops);
	redirect_mfill(parent_ip, fregs, instead_of_hugetlb_mfill);
}
#endif
#endif

#if !UFFDWP_PROTECTS_IN_MCOPY
static struct uffdwp_hook mfill_hook = {
	.symbol = "mfill_atomic_install_pte",
	.ops = UFFDWP_REDIRECT(mfill),
	.prove = prove_copy,
};
#endif

#if UFFDWP_TRACKS_HUGETLB
static struct uffdwp_hook hugetlb_mfill_hook = {
	.symbol = UFFDWP_HUGETLB_MFILL_SYMBOL,
	.without = "hugetlb cannot be tracked",
	.features = UFFDWP_INNER_CONTINUE_WP,
	.kinds = UFFDWP_KIND_HUGETLB,
	.ops = UFFDWP_REDIRECT(hugetlb_mfill),
	.prove = prove_hugetlb_mfill,
};
#endif

#if UFFDWP_KERNEL_HAS_WP_ASYNC
static bool instead_of_userfaultfd_wp_async(struct vm_area_struct *vma)
{
	return false;
}

/*
 * bool userfaultfd_wp_async(struct vm_area_struct *vma): may the kernel resolve and arm by itself?
 *
 * Not in memory of a tracker. PAGEMAP_SCAN would arm it for any reader of the pagemap, and writes
 * that were not yet reported would be missed. And a fault that goes on to handle_userfault(), and
 * so to us, is counted, and is the same on every kernel. The kernel asks only after it has found an
 * armed entry, and our hook on do_wp_page() comes before that. Should this hook not fire, the
 * kernel resolves the fault itself.
 *
 * Not counted as in flight: it neither sleeps nor calls, so synchronize_rcu_tasks() waits for it.
 */
UFFDWP_CALLBACK(userfaultfd_wp_async)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_async_tracker_of_vma(vma))
		uffdwp_fregs_redirect(fregs, instead_of_userfaultfd_wp_async);
}

/* With a userfaultfd for which the kernel itself would return true. */
static bool prove_userfaultfd_wp_async(struct uffdwp_proof *unused)
{
	struct uffdwp_proof p = {};
	struct vm_area_struct *vma;
	bool proved = false;

	if (uffdwp_proof_begin(&p, UFFDWP_USERFAULT_FEATURES))
		return false;
	mmap_read_lock(p.t->mm);
	vma = find_vma(p.t->mm, uffdwp_proof_page(&p, 0));
	if (vma && uffdwp_async_tracker_of_vma(vma) == p.t)
		proved = !uffdwp_call(userfaultfd_wp_async)(vma);
	mmap_read_unlock(p.t->mm);
	uffdwp_proof_end(&p);
	return proved;
}

static struct uffdwp_hook userfaultfd_wp_async_hook = {
	.symbol = "userfaultfd_wp_async",
	.without = "VMAs of ordinary files cannot be tracked",
	.features = UFFDWP_INNER_ASYNC_UFFD,
	.kinds = UFFDWP_KIND_FILE,
	.ops = UFFDWP_REDIRECT(userfaultfd_wp_async),
	.prove = prove_userfaultfd_wp_async,
};
#endif

struct uffdwp_hook *const uffdwp_arming_hooks[] = {
	&userfaultfd_ioctl_hook,
	&change_protection_hook,
#if UFFDWP_PROTECTS_IN_MCOPY
	&mcopy_atomic_hook,
#else
	&mfill_hook,
#endif
#if UFFDWP_TRACKS_HUGETLB
	&hugetlb_mfill_hook,
#endif
#if UFFDWP_KERNEL_HAS_WP_ASYNC
	&userfaultfd_wp_async_hook,
#endif
	NULL
};
