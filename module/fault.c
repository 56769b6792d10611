// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resolving a write fault: the page becomes written, and the kernel's own code does the rest.
 *
 * Nothing here waits for another task. A fault comes with mmap_lock held for reading, or since 6.4
 * the VMA lock, so its VMA and its tracker stay (tracker.c). What is said of mmap_lock below is
 * said of either.
 */
#include <linux/mm.h>
#include <linux/oom.h>

#include "compat/hugetlb.h"
#include "compat/pages.h"
#include "compat/vma.h"
#include "fault.h"
#include "granule.h"
#include "pte.h"
#include "ring.h"
#include "trace.h"
#include "tracker.h"

/*
 * Armed pages have become written by a fault: who asked for it is told, in the ring and by the
 * tracepoint. With the page-table lock held.
 */
static __always_inline void tell_written(const struct uffdwp_tracker *t, unsigned long addr,
					 unsigned long pages)
{
	uffdwp_tell_locked(t, addr, pages);
	trace_uffdwp_written(t->mm, addr, pages);
}

/**
 * uffdwp_fault_wp_page - at the entry of do_wp_page(): let the write through
 * @vmf: fault; its PTE is mapped and locked and is what vmf->orig_pte says
 *
 * do_wp_page() looks at the write-protect bit first. With the bit gone, and orig_pte refreshed so
 * that it compares equal, it goes on as for any other read-only page: reuses it, or copies it. That
 * is one fault, and what UFFD_FEATURE_WP_ASYNC of Linux 6.7 does in the same place.
 *
 * With a granule the pages around it may be written without a fault from now on, too.
 *
 * An unshare fault (FAULT_FLAG_UNSHARE, a GUP pin for reading) writes nothing: the page stays
 * armed.
 */
notrace void uffdwp_fault_wp_page(struct vm_fault *vmf)
{
	struct uffdwp_tracker *t;

	if (unlikely(uffdwp_fault_is_unshare(vmf)) || !pte_uffd_wp(*vmf->pte))
		return;
	t = uffdwp_async_tracker_of_vma_atomic(vmf->vma);
	if (!t)
		return;
	vmf->orig_pte = uffdwp_pte_disarm_present(vmf->pte);
	uffdwp_count(t, write_faults, 1);
	tell_written(t, vmf->address & PAGE_MASK, 1);
	if (unlikely(t->granule))
		uffdwp_granule_open(t, vmf->vma, vmf->pte, vmf->address);
}

/* A fault that the hook on do_wp_page() did not see. The access is retried, and meets no bit. */
static void resolve_small(struct vm_fault *vmf, struct uffdwp_tracker *t)
{
	spinlock_t *ptl;
	pte_t *pte = uffdwp_pte_lock(vmf->vma->vm_mm, vmf->pmd, vmf->address, &ptl);

	if (uffdwp_pte_lock_failed(pte))
		return;
	if (pte_present(*pte) && pte_uffd_wp(*pte)) {
		uffdwp_pte_disarm_present(pte);
		if (t)
			tell_written(t, vmf->address & PAGE_MASK, 1);
		if (t && t->granule)
			uffdwp_granule_open(t, vmf->vma, pte, vmf->address);
	}
	pte_unmap_unlock(pte, ptl);
}

/*
 * hugetlb_fault() has dropped all of its locks, and passes no more than the address. The access is
 * retried, and meets no bit.
 */
static void resolve_hugetlb(struct vm_fault *vmf, const struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma = vmf->vma;
	const unsigned long size = 1UL << uffdwp_hugetlb_shift(vma);
	const unsigned long addr = round_down(vmf->address, size);
	pte_t *pte = uffdwp_huge_pte_offset(vma, addr);
	spinlock_t *ptl;

	if (!pte)
		return;
	ptl = uffdwp_huge_pte_lock(vma, pte);
	if (pte_present(*pte) && pte_uffd_wp(*pte)) {
		uffdwp_pte_disarm_present(pte);
		if (t)
			tell_written(t, addr, size >> PAGE_SHIFT);
	}
	spin_unlock(ptl);
}

/* The huge page is split, and the same fault goes on with one of its small pages, all armed. */
static vm_fault_t split_huge(struct vm_fault *vmf, struct uffdwp_tracker *t)
{
	uffdwp_split_huge_pmd(vmf->vma, vmf->pmd, vmf->address);
	if (t) {
		uffdwp_count(t, huge_splits, 1);
		trace_uffdwp_split(t->mm, vmf->address & PMD_MASK);
	}
	return VM_FAULT_FALLBACK;
}

static bool stays_huge(pmd_t pmd)
{
	if (uffdwp_pmd_is_huge_zero(pmd))
		return UFFDWP_HUGE_ZERO_BECOMES_HUGE;
	return uffdwp_huge_page_is_own(pmd_page(pmd));
}

/*
 * A huge page that is to stay whole: all of it becomes written, and the same fault goes on as it
 * does without the bit. One that the kernel would split then, since it is shared with a child or
 * is the huge zero page, is split while it is armed, so that 4 KiB become written.
 *
 * Between the locks it may be armed again: do_huge_pmd_wp_page() finds another entry than that, and
 * the access is retried. So it is where another thread was faster, with its write or with a split.
 */
static vm_fault_t open_huge(struct vm_fault *vmf, struct uffdwp_tracker *t)
{
	spinlock_t *ptl = pmd_lock(vmf->vma->vm_mm, vmf->pmd);
	pmd_t pmd = READ_ONCE(*vmf->pmd);
	const bool armed = pmd_present(pmd) && uffdwp_pmd_is_huge(pmd) && pmd_uffd_wp(pmd);
	const bool whole = armed && stays_huge(pmd);
	vm_fault_t ret;

	if (whole) {
		pmd = uffdwp_pmd_disarm_present(vmf->pmd);
		tell_written(t, vmf->address & PMD_MASK, PTRS_PER_PTE);
	}
	spin_unlock(ptl);
	if (!armed)
		return 0;
	if (!whole)
		return split_huge(vmf, t);

	ret = uffdwp_do_huge_wp_page(vmf, pmd);
	if (ret & VM_FAULT_FALLBACK)
		uffdwp_count(t, huge_splits, 1);
	else
		uffdwp_count(t, huge_faults, 1);
	return ret;
}

/**
 * uffdwp_fault_userfault - instead of handle_userfault(), for a write to memory that we armed
 * @vmf: fault; no page-table lock is held
 *
 * From wp_huge_pmd() there is no PTE yet, and vmf->pte is NULL: the huge page is split, which hands
 * the bit down to each PTE, and VM_FAULT_FALLBACK makes __handle_mm_fault() go on with the PTE in
 * the same fault; or it becomes written as a whole. It may sleep.
 *
 * From do_wp_page() there is one: the hook there has missed it.
 *
 * From hugetlb_fault() there is neither: the page becomes written as a whole, in two faults.
 *
 * Return: what handle_userfault() would; never VM_FAULT_RETRY, so mmap_lock stays held.
 */
vm_fault_t uffdwp_fault_userfault(struct vm_fault *vmf)
{
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vmf->vma);

	if (is_vm_hugetlb_page(vmf->vma)) {
		resolve_hugetlb(vmf, t);
		if (t)
			uffdwp_count(t, hugetlb_faults, 1);
		return 0;
	}
	if (!vmf->pte)
		return t && t->whole_huge ? open_huge(vmf, t) : split_huge(vmf, t);
	resolve_small(vmf, t);
	if (t)
		uffdwp_count(t, fallback_faults, 1);
	return 0;
}

/**
 * uffdwp_fault_marker - instead of do_swap_page(), for a marker in an anonymous VMA
 * @vmf: fault; its PTE is mapped and not locked
 *
 * Linux before 6.4 knows markers in VMAs of files only and would kill the process. A write clears
 * the marker and is retried, then finds a none PTE and gets a new page as it would have without us:
 * two faults. A read gets the zero page, still armed: one fault.
 *
 * A marker in a VMA that is not registered any more is cleared (where the kernel does not do so
 * itself); so is one in a VMA registered for MISSING, where the monitor is asked what belongs
 * there. With a synchronous tracker a write gets the zero page, too, and is retried: do_wp_page()
 * then asks the monitor.
 *
 * Return: 0, or the error of check_stable_address_space(): the mm is being reaped.
 */
vm_fault_t uffdwp_fault_marker(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);
	const bool sync = t && t->sync;
	vm_fault_t ret = 0;
	pte_t *pte;

	uffdwp_pte_unmap(vmf->pte);
	pte = uffdwp_pte_lock(vma->vm_mm, vmf->pmd, vmf->address, &vmf->ptl);
	if (uffdwp_pte_lock_failed(pte))
		return 0;
	if (!pte_same(*pte, vmf->orig_pte))
		goto unlock;

	if (!t || (!sync && (vmf->flags & FAULT_FLAG_WRITE)) || userfaultfd_missing(vma)) {
		pte_clear(vma->vm_mm, vmf->address, pte);
		if (t)
			tell_written(t, vmf->address & PAGE_MASK, 1);
	} else {
		ret = check_stable_address_space(vma->vm_mm);
		if (ret)
			goto unlock;
		set_pte_at(vma->vm_mm, vmf->address, pte, uffdwp_zero_pte(vma, vmf->address));
		/* No need to flush: nothing was mapped there before. */
		update_mmu_cache(vma, vmf->address, pte);
	}
	if (t)
		uffdwp_count(t, marker_faults, 1);
unlock:
	pte_unmap_unlock(pte, vmf->ptl);
	return ret;
}

#if UFFDWP_FILEMAP_ASKS_FOR_NONE && UFFDWP_TRACKS_FILES
/**
 * uffdwp_fault_read_in - before do_swap_page(), for a marker in an mlocked VMA of a file
 * @vmf: fault
 *
 * Before filemap_fault() reads a page into the page cache it looks whether the PTE is still none
 * (6.8 and later, in mlocked memory: filemap_fault_recheck_pte_none()). A marker is not, and the
 * fault would be taken again, for ever. It does not look without FAULT_FLAG_ORIG_PTE_VALID. Then
 * finish_fault() finds the marker, and maps nothing; and when the fault is taken again the page is
 * in the page cache, so that filemap_fault() has nothing to read.
 */
notrace void uffdwp_fault_read_in(struct vm_fault *vmf)
{
	const void *cached;

	rcu_read_lock();
	cached = xa_load(&vmf->vma->vm_file->f_mapping->i_pages, vmf->pgoff);
	rcu_read_unlock();
	if (!cached || xa_is_value(cached))
		vmf->flags &= ~FAULT_FLAG_ORIG_PTE_VALID;
}
#else
notrace void uffdwp_fault_read_in(struct vm_fault *vmf)
{
}
#endif

/**
 * uffdwp_fault_absent - instead of do_swap_page(), for a write to an armed page that is absent
 * @vmf: fault; its PTE is mapped and not locked
 *
 * Where FOLL_FORCE goes by the dirty bit (uffdwp_forced_write_goes_by_dirty()), do_swap_page()
 * would map the page dirty and armed, and say that it has broken COW (VM_FAULT_WRITE): the write
 * would go through without another fault. So the page becomes written where it is, and the access
 * is retried.
 *
 * Return: 0.
 */
vm_fault_t uffdwp_fault_absent(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct uffdwp_tracker *t = uffdwp_async_tracker_of_vma(vma);
	pte_t *pte;

	uffdwp_pte_unmap(vmf->pte);
	pte = uffdwp_pte_lock(vma->vm_mm, vmf->pmd, vmf->address, &vmf->ptl);
	if (uffdwp_pte_lock_failed(pte))
		return 0;
	if (pte_same(*pte, vmf->orig_pte)) {
		set_pte_at(vma->vm_mm, vmf->address, pte, pte_swp_clear_uffd_wp(*pte));
		if (t) {
			uffdwp_count(t, write_faults, 1);
			tell_written(t, vmf->address & PAGE_MASK, 1);
		}
	}
	pte_unmap_unlock(pte, vmf->ptl);
	return 0;
}
