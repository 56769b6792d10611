// SPDX-License-Identifier: GPL-2.0-only
/*
 * The granule: a write fault opens the block of pages around its own, so that the next writes there
 * take none.
 *
 * To open a page is to disarm it and to make it writable, in one step and under the lock of the
 * table. A page that cannot be made writable stays armed: its next write takes a fault in any case,
 * which will say exactly what was written.
 */
#include <linux/mm.h>

#include "compat/pages.h"
#include "compat/vma.h"
#include "granule.h"
#include "pte.h"
#include "ring.h"
#include "trace.h"
#include "tracker.h"

/* Does the kernel want a fault for the next write, for the soft-dirty bit? */
static __always_inline bool is_for_soft_dirty(const struct vm_area_struct *vma, pte_t pte)
{
	return IS_ENABLED(CONFIG_MEM_SOFT_DIRTY) && !(vma->vm_flags & VM_SOFTDIRTY) &&
	       !pte_soft_dirty(pte);
}

/*
 * Would do_wp_page() do no more than make this entry writable? It is present.
 *
 * The rule is that of can_change_pte_writable() of Linux 6.2 and later, with which the kernel ends
 * write protection by mprotect() and UFFDIO_WRITEPROTECT: a page of a private VMA is of this
 * process alone; one of a shared VMA is dirty, so that its file system knows of a write already.
 * The zero page, and what else has no struct page of its own, is special.
 */
static __always_inline bool can_be_opened(const struct vm_area_struct *vma, pte_t pte)
{
	struct page *page;

	if ((pte.pte & _PAGE_SPECIAL) || is_for_soft_dirty(vma, pte))
		return false;
	if (vma->vm_flags & VM_SHARED)
		return pte_dirty(pte);
	page = uffdwp_present_page(pte);
	return PageAnon(page) && uffdwp_anon_page_is_own(page);
}

/* What was opened up to @end is told in the ring, in one entry, and by the tracepoint. */
static __always_inline void tell_run(const struct uffdwp_tracker *t, unsigned long end,
				     unsigned long *run)
{
	if (*run) {
		uffdwp_tell_locked(t, end - *run * PAGE_SIZE, *run);
		trace_uffdwp_written(t->mm, end - *run * PAGE_SIZE, *run);
	}
	*run = 0;
}

/**
 * uffdwp_granule_open - open the block around a page that is being written
 * @t: tracker with a granule
 * @vma: VMA of the fault
 * @ptep: entry of the page, which is not armed any more; the lock of its table is held
 * @addr: an address in it
 *
 * The block is naturally aligned, and so inside of one table; and it ends where the VMA does. What
 * is not populated (the zero page, a marker), swapped out or is to take a NUMA hint fault stays
 * armed. If the page that is written could not be opened itself, as when it is copied, nothing is:
 * most of its neighbours are like it, and would be looked at in the fault of each of them.
 *
 * No TLB is flushed, since nothing is taken away. A processor that has an old translation takes a
 * fault, and finds the entry writable.
 */
notrace void uffdwp_granule_open(struct uffdwp_tracker *t, const struct vm_area_struct *vma,
				 pte_t *ptep, unsigned long addr)
{
	const unsigned long size = t->granule * PAGE_SIZE;
	unsigned long start = round_down(addr, size), end = start + size;
	unsigned long opened = 0, run = 0;
	pte_t *pte;

	if ((vma->vm_flags & (VM_WRITE | VM_SHADOW_STACK)) != VM_WRITE ||
	    !can_be_opened(vma, READ_ONCE(*ptep)))
		return;
	start = max(start, vma->vm_start);
	end = min(end, vma->vm_end);
	pte = ptep - (addr - start) / PAGE_SIZE;
	for (; start != end; pte++, start += PAGE_SIZE) {
		const pte_t old = READ_ONCE(*pte);

		if (!uffdwp_pteval_is_armed(old.pte) || !can_be_opened(vma, old)) {
			tell_run(t, start, &run);
			continue;
		}
		uffdwp_pte_give_back(pte);
		opened++;
		run++;
	}
	tell_run(t, start, &run);
	if (opened)
		uffdwp_count(t, pages_opened, opened);
}
