// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do in memory of a tracker at write faults, fork and mremap.
 */
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/userfaultfd_k.h>

#include "compat/entries.h"
#include "compat/hooked.h"
#include "compat/pgtable.h"
#include "compat/symbols.h"
#include "disarm.h"
#include "fault.h"
#include "follow.h"
#include "fork.h"
#include "hook.h"
#include "hooks.h"
#include "proof.h"
#include "redirect.h"
#include "remap.h"
#include "ring.h"
#include "tracker.h"
#include "userfault.h"
#include "walk.h"

static vm_fault_t instead_of_handle_userfault(struct vm_fault *vmf, unsigned long reason)
{
	vm_fault_t ret = uffdwp_fault_userfault(vmf);

	uffdwp_call_ends();
	return ret;
}

/*
 * vm_fault_t handle_userfault(struct vm_fault *vmf, unsigned long reason)
 *
 * MISSING and MINOR faults are for the userfaultfd monitor, as ever.
 */
UFFDWP_CALLBACK(handle_userfault)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (uffdwp_fregs_arg1(fregs) != VM_UFFD_WP)
		return;
	if (uffdwp_async_tracker_of_vma(vmf->vma))
		uffdwp_redirect(fregs, instead_of_handle_userfault);
}

/* Proved before do_wp_page() is hooked, so that the write fault comes as far as this hook. */
static bool prove_handle_userfault(struct uffdwp_proof *p)
{
	return !uffdwp_proof_write(p, 0, 1) && !uffdwp_proof_arm(p, 0) &&
	       !uffdwp_proof_write(p, 0, 2) && uffdwp_proof_page_is(p, 0, 2) &&
	       uffdwp_total(p->t, fallback_faults) == 1;
}

static struct uffdwp_hook handle_userfault_hook = {
	.symbol = "handle_userfault",
	.features = UFFDWP_FEATURE_THP | UFFDWP_FEATURE_WHOLE_HUGE,
	.ops = UFFDWP_REDIRECT(handle_userfault),
	.prove = prove_handle_userfault,
};

/* vm_fault_t do_wp_page(struct vm_fault *vmf) */
UFFDWP_CALLBACK(do_wp_page)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (unlikely(userfaultfd_wp(vmf->vma)))
		uffdwp_fault_wp_page(vmf);
}

static bool prove_do_wp_page(struct uffdwp_proof *p)
{
	return !uffdwp_proof_arm(p, 0) && !uffdwp_proof_write(p, 0, 3) &&
	       uffdwp_proof_page_is(p, 0, 3) && uffdwp_total(p->t, write_faults) == 1 &&
	       uffdwp_total(p->t, fallback_faults) == 1;
}

static struct uffdwp_hook do_wp_page_hook = {
	.symbol = "do_wp_page",
	.features = UFFDWP_FEATURE_GRANULE,
	.ops = UFFDWP_WATCH(do_wp_page),
	.prove = prove_do_wp_page,
};

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

/* A write to an armed non-present page, which do_swap_page() may let through (FOLL_FORCE)? */
static __always_inline bool is_write_to_absent(const struct vm_fault *vmf)
{
	return UFFDWP_FORCED_WRITES_GO_BY_DIRTY && (vmf->flags & FAULT_FLAG_WRITE) &&
	       userfaultfd_wp(vmf->vma) && pte_swp_uffd_wp(vmf->orig_pte);
}

static __always_inline bool is_marker_in_mlocked_file(const struct vm_fault *vmf)
{
	return UFFDWP_FILEMAP_ASKS_FOR_NONE && UFFDWP_TRACKS_FILES &&
	       unlikely(vmf->vma->vm_flags & VM_LOCKED) &&
	       uffdwp_pte_is_marker(vmf->orig_pte) && vmf->vma->vm_file;
}

/*
 * vm_fault_t do_swap_page(struct vm_fault *vmf)
 *
 * Since 6.4 anonymous markers may be another userfaultfd's (WP_UNPOPULATED), or left over, which
 * the kernel handles itself: redirect only for our VMAs. Before, all are ours.
 */
UFFDWP_CALLBACK(do_swap_page)
{
	struct vm_fault *vmf = (struct vm_fault *)uffdwp_fregs_arg0(fregs);

	if (unlikely(uffdwp_pte_is_marker(vmf->orig_pte)) && vma_is_anonymous(vmf->vma) &&
	    (!UFFDWP_KERNEL_HAS_ANON_MARKERS || uffdwp_async_tracker_of_vma(vmf->vma)))
		uffdwp_redirect(fregs, instead_of_do_swap_page);
	else if (is_marker_in_mlocked_file(vmf) && uffdwp_async_tracker_of_vma(vmf->vma))
		uffdwp_fault_read_in(vmf);
	else if (is_write_to_absent(vmf) && uffdwp_async_tracker_of_vma(vmf->vma))
		uffdwp_redirect(fregs, instead_of_do_swap_page_for_write);
}

/*
 * Set a hwpoison entry with the uffd-wp bit where none is, or clear it. Any access to it is
 * -EFAULT, and no page stands behind it.
 */
static int swap_entries(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
#ifdef CONFIG_MEMORY_FAILURE
	const pte_t poisoned = swp_entry_to_pte(swp_entry(SWP_HWPOISON, 0));

	if (pte_none(*pte)) {
		set_pte_at(walk->vma->vm_mm, addr, pte, pte_swp_mkuffd_wp(poisoned));
		return UFFDWP_WALK_ON;
	}
	if (!pte_same(*pte, poisoned))
		return -ENODEV;
	pte_clear(walk->vma->vm_mm, addr, pte);
#endif
	return UFFDWP_WALK_ON;
}

static int populate_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	return UFFDWP_WALK_POPULATE;
}

static int walk_page(struct uffdwp_proof *p, unsigned int number, const struct uffdwp_walk_ops *ops)
{
	const unsigned long addr = uffdwp_proof_page(p, number);
	struct uffdwp_walk walk = { .ops = ops };
	int next;

	mmap_read_lock(p->t->mm);
	walk.vma = find_vma(p->t->mm, addr);
	next = uffdwp_walk_vma(&walk, addr, addr + PAGE_SIZE);
	mmap_read_unlock(p->t->mm);
	return next;
}

/* Where FOLL_FORCE goes by the dirty bit this hook is for uffdwp_fault_absent(). */
static bool prove_write_to_absent(struct uffdwp_proof *p)
{
	static const struct uffdwp_walk_ops ops = { .hole = populate_hole, .ptes = swap_entries };

	return !walk_page(p, 2, &ops) && uffdwp_proof_write(p, 2, 4) == -EFAULT &&
	       !walk_page(p, 2, &ops);
}

static bool prove_do_swap_page(struct uffdwp_proof *p)
{
	bool proved;

	if (UFFDWP_FORCED_WRITES_GO_BY_DIRTY)
		return prove_write_to_absent(p);
	p->t->markers = true;
	proved = !uffdwp_proof_arm(p, 2) && !uffdwp_proof_arm(p, 3) &&
		 uffdwp_proof_page_is(p, 2, 0) && !uffdwp_proof_write(p, 3, 4) &&
		 uffdwp_proof_page_is(p, 3, 4) && uffdwp_total(p->t, marker_faults) == 2;
	p->t->markers = false;
	return proved;
}

static struct uffdwp_hook do_swap_page_hook = {
	.symbol = "do_swap_page",
	.without = UFFDWP_FORCED_WRITES_GO_BY_DIRTY ? NULL :
		   "unpopulated memory cannot be armed with markers",
	.features = UFFDWP_KERNEL_HAS_MARKERS ? UFFDWP_FEATURE_UNPOP_MARKER : 0,
	.ops = UFFDWP_REDIRECT(do_swap_page),
	.prove = prove_do_swap_page,
};

#if UFFDWP_TRACKS_HUGETLB
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
UFFDWP_CALLBACK(copy_hugetlb_page_range)
{
	struct vm_area_struct *src_vma = (struct vm_area_struct *)uffdwp_fregs_arg3(fregs);

	if (unlikely(userfaultfd_wp(src_vma)) && !within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_tracker_of_vma(src_vma))
		uffdwp_redirect(fregs, instead_of_copy_hugetlb_page_range);
}

/* It is only placed: to prove it a process would have to fork. */
static struct uffdwp_hook copy_hugetlb_page_range_hook = {
	.symbol = "copy_hugetlb_page_range",
	.without = "hugetlb cannot be tracked",
	.kinds = UFFDWP_KIND_HUGETLB,
	.ops = UFFDWP_REDIRECT(copy_hugetlb_page_range),
};
#endif

static void instead_of_mremap_userfaultfd_prep(struct vm_area_struct *vma,
					       struct vm_userfaultfd_ctx *remap)
{
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);
	const bool zeroes = uffdwp_tracker_maps_zeroes(t);
	const bool keeps = uffdwp_follow_keeps(t, vma);

	if (t)
		uffdwp_follow_tells_move(t, vma, keeps || t->remaps);
	if (keeps) {
		/* Ours has no event to send. */
		uffdwp_follow_moved(t, vma);
	} else {
		/* All of it, also a neighbour that it was merged with, is unregistered or moved. */
		if (t)
			uffdwp_tracker_forget(t, vma->vm_start, vma->vm_end);
		uffdwp_call(mremap_userfaultfd_prep)(vma, remap);
		/* With UFFD_FEATURE_EVENT_REMAP it stays registered, and armed as it is. */
		if (!vma->vm_userfaultfd_ctx.ctx)
			uffdwp_remap(vma, zeroes);
		/* But that event is not for a tracker that rides along. */
		else if (t && t->rides)
			uffdwp_remap_ridden(vma);
		/* Nor is what it was merged with registered any more. */
		if (t)
			uffdwp_ring_set(t, UFFDWP_RING_EVERYTHING);
	}
	uffdwp_call_ends();
}

/* void mremap_userfaultfd_prep(struct vm_area_struct *vma, struct vm_userfaultfd_ctx *remap) */
UFFDWP_CALLBACK(mremap_userfaultfd_prep)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	uffdwp_hook_fires(ops);
	if (unlikely(vma->vm_userfaultfd_ctx.ctx) && !within_module(parent_ip, THIS_MODULE) &&
	    uffdwp_whose_ctx(vma->vm_userfaultfd_ctx.ctx))
		uffdwp_redirect(fregs, instead_of_mremap_userfaultfd_prep);
}

static bool prove_mremap_userfaultfd_prep(struct uffdwp_proof *p)
{
	unsigned long to = vm_mmap(NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	struct pt_regs regs = {
		.di = to, .si = PAGE_SIZE, .dx = PAGE_SIZE,
		.r10 = MREMAP_MAYMOVE | MREMAP_FIXED, .r8 = to + PAGE_SIZE,
	};
	bool proved;

	if (IS_ERR_VALUE(to))
		return false;
	proved = !uffdwp_userfault_register(p->uffd, to, PAGE_SIZE) &&
		 uffdwp_call(__x64_sys_mremap)(&regs) == to + PAGE_SIZE &&
		 uffdwp_proof_fired(p);
	vm_munmap(to, 2 * PAGE_SIZE);
	return proved;
}

static struct uffdwp_hook mremap_userfaultfd_prep_hook = {
	.symbol = "mremap_userfaultfd_prep",
	.ops = UFFDWP_REDIRECT(mremap_userfaultfd_prep),
	.prove = prove_mremap_userfaultfd_prep,
};

#ifdef CONFIG_DEVICE_PRIVATE
/*
 * Pages that move to the memory of a device (uffdwp_pte_is_of_device()), or back. What was armed
 * would be so again when it comes back, and where there was nothing or the zero page, a page is put
 * without the bit (migrate_vma_insert_page()). The caller of migrate_vma_setup(), _pages() and
 * _finalize() holds mmap_lock, and maps nothing for the device before the last of them is done.
 */
static void instead_of_migrate_finalize(struct migrate_vma *migrate)
{
	struct vm_area_struct *vma = migrate->vma;

	migrate_vma_finalize(migrate);
	uffdwp_disarm_vma(vma, migrate->start, migrate->end, UFFDWP_DISARM_ALL);
	uffdwp_tell_vma(vma, migrate->start, migrate->end, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
}

/* void migrate_vma_finalize(struct migrate_vma *migrate) */
UFFDWP_CALLBACK(migrate_finalize)
{
	const struct migrate_vma *migrate = (struct migrate_vma *)uffdwp_fregs_arg0(fregs);

	if (unlikely(userfaultfd_wp(migrate->vma)) && uffdwp_async_tracker_of_vma(migrate->vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_migrate_finalize);
}

/* It is only placed: there need not be a device. */
static struct uffdwp_hook migrate_finalize_hook = {
	.symbol = "migrate_vma_finalize",
	.without = "memory that has been in a GPU may be reported as not written",
	.ops = UFFDWP_REDIRECT(migrate_finalize),
};
#endif

struct uffdwp_hook *const uffdwp_memory_hooks[] = {
	&handle_userfault_hook,
	&do_wp_page_hook,
#if UFFDWP_KERNEL_HAS_MARKERS || UFFDWP_FORCED_WRITES_GO_BY_DIRTY
	&do_swap_page_hook,
#endif
	&mremap_userfaultfd_prep_hook,
#if UFFDWP_TRACKS_HUGETLB
	&copy_hugetlb_page_range_hook,
#endif
#ifdef CONFIG_DEVICE_PRIVATE
	&migrate_finalize_hook,
#endif
	NULL
};
