/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_ARM_H
#define UFFDWP_ARM_H

#include <linux/bitmap.h>
#include <linux/limits.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include "disarm.h"
#include "pinned.h"
#include "pte.h"
#include "tracker.h"
#include "walk.h"

/**
 * struct uffdwp_arming - entries that are being armed under one page-table lock
 * @t: tracker
 * @vma: VMA
 * @shift: of the size of the pages: one lock covers either PTE-mapped pages or one huge page
 * @first: lowest address for which a TLB may still have an entry without protection
 * @last: the highest; below @first while there is none
 * @armed: entries that were written and are armed now
 * @pinned: entries that were left unarmed because their pages may be pinned (pinned.h)
 * @drained: the LRU batches were drained: a page that may be in one counts as pinned
 * @look: looks at small folios, and at all for PAGE_IS_PINNED
 * @table: first entry of the table, once there is something in @later; NULL before, when
 *	@table_addr and @later are not initialised
 * @table_addr: its address
 * @later: entries that were armed and whose large folios are to be looked at when all is armed
 * @writable: of those in @later: the entry was writable before
 * @folio_start: where the large folio would be mapped that was found last for a none PTE
 * @folio_end: its end
 *
 * Begin with uffdwp_arming_begin(), with the lock held, and end with uffdwp_arming_end() before it
 * is dropped.
 */
struct uffdwp_arming {
	struct uffdwp_tracker *t;
	struct vm_area_struct *vma;
	unsigned int shift;
	unsigned long first;
	unsigned long last;
	unsigned int armed;
	unsigned int pinned;
	bool drained;
	struct uffdwp_look look;
	pte_t *table;
	unsigned long table_addr;
	unsigned long folio_start;
	unsigned long folio_end;
	DECLARE_BITMAP(later, PTRS_PER_PTE);
	DECLARE_BITMAP(writable, PTRS_PER_PTE);
};

/* @later is cleared when the first entry is put there: a table in which there is none is common. */
static __always_inline void uffdwp_arming_begin(struct uffdwp_arming *a, struct uffdwp_tracker *t,
						const struct uffdwp_walk *walk,
						unsigned int shift)
{
	a->t = t;
	a->vma = walk->vma;
	a->shift = shift;
	a->first = ULONG_MAX;
	a->last = 0;
	a->armed = 0;
	a->pinned = 0;
	a->drained = walk->drained;
	a->look = (struct uffdwp_look){};
	a->table = NULL;
	a->folio_start = 0;
	a->folio_end = 0;
}

static inline void uffdwp_arming_needs_flush(struct uffdwp_arming *a, unsigned long addr)
{
	if (a->first > addr)
		a->first = addr;
	a->last = addr;
}

void uffdwp_arming_end(struct uffdwp_arming *a);
unsigned long uffdwp_arm_run(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr,
			     unsigned long left, bool *drain);
bool uffdwp_arm_absent_pte(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr);
bool uffdwp_arming_look(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr,
			struct page *page, bool writable);
void uffdwp_arm_pmd(struct uffdwp_arming *a, pmd_t *pmdp, unsigned long addr);
void uffdwp_arm_hugetlb(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr);

pte_t *uffdwp_skip_armed_lines(pte_t *ptep, pte_t *end);

/*
 * The first entry before @end that is not armed, or @end. One that is not armed has neighbours that
 * are not: so two lines' worth are looked at one by one, and then several lines at once.
 */
static __always_inline pte_t *uffdwp_skip_armed(pte_t *ptep, pte_t *end)
{
	enum { N = 2 * UFFDWP_LINE_ENTRIES };
	pte_t *const stop = ptep + N;

	if (end < stop)
		return uffdwp_skip_armed_lines(ptep, end);
	ptep = uffdwp_not_armed_of(ptep, N);
	return ptep == stop ? uffdwp_skip_armed_lines(ptep, end) : ptep;
}

/*
 * Is a none PTE armed by a marker, not by the zero page? The content of a file is not zeroes, and
 * faults in its VMAs handle markers. In populated memory (mlock(), then MADV_DONTNEED_LOCKED) the
 * zero page could not be told from one of the process when it is disarmed.
 */
static inline bool uffdwp_hole_takes_marker(const struct uffdwp_tracker *t,
					    struct vm_area_struct *vma)
{
	if (!UFFDWP_KERNEL_HAS_MARKERS)
		return false;
	return t->markers || !vma_is_anonymous(vma) ||
	       (uffdwp_vma_is_populated(vma) && (uffdwp_features & UFFDWP_FEATURE_UNPOP_MARKER));
}

/*
 * In a VMA that is also registered for MISSING a none PTE must still fault to the userfaultfd
 * monitor. With native_abi=1 a marker may be put there, as in Linux 6.7: its fault clears it, and
 * then goes to the monitor (fault.c).
 */
static inline bool uffdwp_hole_can_be_armed(const struct uffdwp_tracker *t,
					    struct vm_area_struct *vma)
{
	if (userfaultfd_missing(vma))
		return t->whose == UFFDWP_BACKPORT && t->markers;
	return !uffdwp_vma_is_populated(vma) || uffdwp_hole_takes_marker(t, vma);
}

/*
 * Is a range of this VMA without a page table armed by remembering it (sparse.h)? Other memory than
 * private anonymous one is not zeroes. Where the process has a userfaultfd monitor it is asked what
 * belongs there; and mlocked memory gets tables anyway.
 */
static inline bool uffdwp_can_be_sparse(const struct uffdwp_tracker *t, struct vm_area_struct *vma)
{
	return t->sparse.on && vma_is_anonymous(vma) && !userfaultfd_missing(vma) &&
	       !uffdwp_vma_is_populated(vma);
}

/*
 * A huge PMD of a file is not armed as a whole: the kernel may clear it at any time, and leaves no
 * marker (__split_huge_pmd_locked()). Once it is split, there is a table to keep the bits in.
 */
static inline bool uffdwp_pmd_can_be_armed(struct vm_area_struct *vma, unsigned long addr,
					   unsigned long end)
{
	return end - addr == PMD_SIZE && vma_is_anonymous(vma);
}

/* The tracker splits no such huge page: a part of it is not armed, as with hugetlb. */
static inline bool uffdwp_pmd_stays_whole(const struct uffdwp_tracker *t,
					  struct vm_area_struct *vma)
{
	return t->whole_huge && vma_is_anonymous(vma);
}

/* The rest of uffdwp_arm_pte(), for an entry that is present and not armed. @pte: *@ptep */
static __always_inline bool uffdwp_arm_present_pte(struct uffdwp_arming *a, pte_t *ptep, pte_t pte,
						   unsigned long addr)
{
	struct page *page;

	uffdwp_pte_arm_as_read(ptep, pte);
	if (uffdwp_forced_write_goes_by_dirty(a->vma))
		uffdwp_pte_hand_over_dirty(ptep);
	uffdwp_arming_needs_flush(a, addr);
	a->armed++;
	/* The zero page (pte_special()) is never written to. */
	if (pte.pte & _PAGE_SPECIAL)
		return false;
	page = likely(pte.pte & _PAGE_PRESENT) ? uffdwp_present_page(pte) : pte_page(pte);
	if (likely(uffdwp_page_is_plainly_unpinned(page)))
		return false;
	return uffdwp_arming_look(a, ptep, addr, page, uffdwp_pte_writable(pte));
}

/**
 * uffdwp_arm_pte - arm one PTE
 * @a: arming; the lock of the table is held
 * @ptep: the entry
 * @addr: its address
 *
 * A page that may be pinned, and so written to without a fault (pinned.h), stays written.
 *
 * Return: false; true if nothing was done because the LRU batches are to be drained first
 * (UFFDWP_WALK_DRAIN).
 */
static __always_inline bool uffdwp_arm_pte(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr)
{
	const pte_t pte = READ_ONCE(*ptep);

	if (unlikely(!(pte.pte & _PAGE_PRESENT))) {
		/* PROT_NONE, as a hint of NUMA balancing, too */
		if (!pte_present(pte))
			return uffdwp_arm_absent_pte(a, ptep, addr);
		if (uffdwp_pte_armed(pte))
			return false;
	} else if (uffdwp_pteval_is_armed(pte.pte)) {
		return false;
	}
	return uffdwp_arm_present_pte(a, ptep, pte, addr);
}

int uffdwp_sparse_take(struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
		       unsigned long end);
void uffdwp_arm_empty(struct uffdwp_tracker *t, struct uffdwp_walk *walk, pte_t *pte,
		      unsigned long addr, unsigned long end);
void uffdwp_arm_huge_zero(struct uffdwp_tracker *t, struct uffdwp_walk *walk, pmd_t *pmd,
			  unsigned long addr);
int uffdwp_arm_ptes(struct uffdwp_tracker *t, struct uffdwp_walk *walk, pte_t *pte,
		    unsigned long addr, unsigned long end);
int uffdwp_arm(struct uffdwp_tracker *t, unsigned long start, unsigned long end,
	       unsigned long *walk_end);
int uffdwp_arm_range(struct uffdwp_tracker *t, unsigned long start, unsigned long end,
		     unsigned long *walk_end);
int uffdwp_arm_vma(struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
		   unsigned long end, unsigned long *walk_end);
void uffdwp_disarm_pinned(struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
			unsigned long end);

#endif /* UFFDWP_ARM_H */
