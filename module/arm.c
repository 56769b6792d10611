// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arming: make the next write to a page fault, and remember that it has not happened.
 *
 * Why the TLBs are flushed before the page-table lock is dropped, whether or not the entry was
 * writable: a CPU may write through an old, writable translation until its TLB is flushed, also
 * through one left by an earlier change of the entry whose flush is still to come: mprotect()
 * flushes after it has dropped the lock (mm_tlb_flush_pending()), reclaim flushes in batches
 * (flush_tlb_batched_pending()). A write through such a translation after we have armed would be
 * lost. The one flush per table covers them all.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>

#include "arm.h"
#include "compat/hugetlb.h"
#include "disarm.h"
#include "hold.h"
#include "kind.h"
#include "off_limits.h"
#include "pinned.h"
#include "pte.h"
#include "ring.h"
#include "sparse.h"
#include "tracker.h"
#include "walk.h"

/*
 * The page of an entry that was just armed may be pinned: it stays written, and writable if it was.
 * It must not take another fault: without PG_anon_exclusive (until 5.18), do_wp_page() copies a
 * page that has references, and the pin keeps the old one.
 */
static void leave_pinned(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr, bool writable)
{
	if (writable)
		uffdwp_pte_give_back(ptep);
	else
		uffdwp_disarm_pte(a->vma->vm_mm, addr, ptep);
	a->armed--;
	a->pinned++;
}

/* What was to be armed and is not is told in the ring: nobody else will tell of it. */
static void tell_left(const struct uffdwp_arming *a, unsigned long addr)
{
	uffdwp_tell_locked(a->t, addr, 1U << (a->shift - PAGE_SHIFT));
}

/* Returns as uffdwp_arm_pte(). */
static bool leave_if_pinned(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr,
			    bool writable, enum uffdwp_verdict hold)
{
	if (hold == UFFDWP_NOT_PINNED)
		return false;
	leave_pinned(a, ptep, addr, writable);
	if (hold != UFFDWP_IN_LRU_BATCH || a->drained) {
		tell_left(a, addr);
		return false;
	}
	a->pinned--;
	return true;
}

static void look_later(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr, bool writable)
{
	const unsigned long nth = offset_in_page(ptep) / sizeof(*ptep);

	if (!a->table)
		bitmap_zero(a->later, PTRS_PER_PTE);
	a->table = ptep - nth;
	a->table_addr = addr - nth * PAGE_SIZE;
	__set_bit(nth, a->later);
	__assign_bit(nth, a->writable, writable);
}

/* A page was found for a none PTE: the other pages of its large folio need not be looked up. */
static void note_folio(struct uffdwp_arming *a, struct page *page, unsigned long addr)
{
	struct page *head = compound_head(page);
	pgoff_t nth;

	a->folio_start = 0;
	a->folio_end = 0;
	if (!PageHead(head) || !uffdwp_page_is_cached(head))
		return;
	nth = linear_page_index(a->vma, addr) - uffdwp_page_file_index(head);
	if (nth >= compound_nr(head))
		return;
	a->folio_start = addr - nth * PAGE_SIZE;
	a->folio_end = a->folio_start + compound_nr(head) * PAGE_SIZE;
}

static bool in_noted_folio(const struct uffdwp_arming *a, unsigned long addr)
{
	return addr >= a->folio_start && addr < a->folio_end;
}

/* The entry is armed already: what was a none PTE is a marker now. */
static enum uffdwp_verdict look_at_armed_entry(struct uffdwp_arming *a, struct uffdwp_look *look,
					 pte_t *ptep, unsigned long addr)
{
	pte_t pte = READ_ONCE(*ptep);
	struct page *page;

	if (pte_present(pte))
		return uffdwp_look_at_page(look, ptep, pte_page(pte));
	page = uffdwp_find_absent_page(a->vma, addr, uffdwp_pte_is_marker(pte) ? __pte(0) : pte);
	if (!page)
		return UFFDWP_NOT_PINNED;
	note_folio(a, page, addr);
	return uffdwp_look_at_found_page(look, page);
}

/* Is this entry of the folio that was looked at last? */
static bool is_of_same_folio(const struct uffdwp_arming *a, const struct uffdwp_look *look,
			     unsigned long nth)
{
	pte_t pte = READ_ONCE(a->table[nth]);

	if (pte_present(pte))
		return pte_pfn(pte) - look->base < look->nr;
	return look->referenced && uffdwp_pte_is_marker(pte) &&
	       in_noted_folio(a, a->table_addr + nth * PAGE_SIZE);
}

static void leave_if_folio_pinned(struct uffdwp_arming *a, unsigned long nth, bool pinned)
{
	const unsigned long addr = a->table_addr + nth * PAGE_SIZE;

	if (!pinned)
		return;
	leave_pinned(a, a->table + nth, addr, test_bit(nth, a->writable));
	tell_left(a, addr);
}

/*
 * All entries that this arming has armed are protected now, so pins from before that are seen
 * (pinned.h). What @a->look has found for PAGE_IS_PINNED is older, and is not used.
 */
static void look_at_folios(struct uffdwp_arming *a)
{
	struct uffdwp_look look = { .drained = a->look.drained };
	unsigned long nth = 0;
	bool pinned;

	a->folio_start = 0;
	a->folio_end = 0;
	while ((nth = find_next_bit(a->later, PTRS_PER_PTE, nth)) < PTRS_PER_PTE) {
		pinned = look_at_armed_entry(a, &look, a->table + nth,
					a->table_addr + nth * PAGE_SIZE) != UFFDWP_NOT_PINNED;
		do {
			leave_if_folio_pinned(a, nth++, pinned);
			pinned = look.pinned;
		} while (nth < PTRS_PER_PTE && look.head && test_bit(nth, a->later) &&
			 is_of_same_folio(a, &look, nth));
	}
	uffdwp_look_end(&look);
}

/*
 * A reference that is to be ignored may be that of reclaim, or of memory_failure(), which have
 * begun before the VMA was registered, so that hooks/ring.c has passed them by. Of what they are
 * about to drop, pages that MADV_FREE has given and those with poison, no reference is ignored. A
 * monitor of a @sync tracker looks for no pages that are written, and must have all protected.
 */
static bool may_be_dropped(const struct uffdwp_arming *a, struct page *page, bool huge)
{
	return !a->t->sync && (uffdwp_page_is_lazily_freed(page) ||
			       (huge ? uffdwp_page_has_poison(page) : PageHWPoison(page)));
}

/**
 * uffdwp_arming_look - look at the page of an entry that was just armed
 * @a: arming; the lock of the table is held
 * @ptep: the entry, present
 * @addr: its address
 * @page: the page
 * @writable: the entry was writable before
 *
 * Return: as uffdwp_arm_pte().
 */
bool uffdwp_arming_look(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr,
			struct page *page, bool writable)
{
	if (a->t->ignore_pins && !may_be_dropped(a, page, false))
		return false;
	if (PageCompound(page)) {
		look_later(a, ptep, addr, writable);
		return false;
	}
	return leave_if_pinned(a, ptep, addr, writable, uffdwp_look_at_page(&a->look, ptep, page));
}

/* The same for one that is not present. @pte: what it was before */
static bool look_at_absent(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr, pte_t pte)
{
	struct page *page;

	if (pte_none(pte) && in_noted_folio(a, addr)) {
		look_later(a, ptep, addr, false);
		return false;
	}
	page = uffdwp_find_absent_page(a->vma, addr, pte);
	if (!page)
		return false;
	if (PageCompound(page) && a->shift == PAGE_SHIFT) {
		note_folio(a, page, addr);
		put_page(page);
		look_later(a, ptep, addr, false);
		return false;
	}
	return leave_if_pinned(a, ptep, addr, false, uffdwp_look_at_found_page(&a->look, page));
}

/**
 * uffdwp_arming_end - look at large folios, flush the TLBs for what was armed, and count it
 * @a: arming; the page-table lock is still held
 */
void uffdwp_arming_end(struct uffdwp_arming *a)
{
	if (unlikely(a->table))
		look_at_folios(a);
	uffdwp_look_end(&a->look);
	if (a->armed)
		uffdwp_count(a->t, pages_armed, (u64)a->armed << (a->shift - PAGE_SHIFT));
	if (unlikely(a->pinned)) {
		uffdwp_count(a->t, pages_pinned, (u64)a->pinned << (a->shift - PAGE_SHIFT));
		WRITE_ONCE(a->t->drain_wanted, true);
	}
	if (a->first > a->last)
		return;
	uffdwp_flush_tlb(a->vma->vm_mm, a->first, a->last + (1UL << a->shift), a->shift);
	uffdwp_count(a->t, tlb_flushes, 1);
}

/*
 * Nothing is mapped, but a TLB may still have an old translation. MADV_DONTNEED flushes only after
 * it has dropped the lock. A write through it is discarded with the page; but a caller that is told
 * of this page and copies it could still read the discarded content, and would not be told that it
 * reads as zeroes from now on. The page-table lock orders mm_tlb_flush_pending() after the entry
 * was cleared. And a page of a shared file may live on: reclaim unmaps it and flushes later
 * (TTU_BATCH_FLUSH), and until then a CPU may write through an old translation.
 */
static bool arm_none(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr)
{
	struct mm_struct *mm = a->vma->vm_mm;

	if (!uffdwp_hole_can_be_armed(a->t, a->vma))
		return false;
	if (mm_tlb_flush_pending(mm) || (a->vma->vm_flags & VM_SHARED))
		uffdwp_arming_needs_flush(a, addr);
	if (uffdwp_hole_takes_marker(a->t, a->vma)) {
		set_pte_at(mm, addr, ptep, uffdwp_make_marker());
		uffdwp_count(a->t, markers_installed, 1);
		if (vma_is_anonymous(a->vma) && unlikely(!READ_ONCE(a->t->anon_markers)))
			WRITE_ONCE(a->t->anon_markers, true);
		return true;
	}
	/*
	 * The OOM reaper is zapping this mm: the zero page must not stand for what it took, as in
	 * do_anonymous_page(). The page stays written.
	 */
	if (check_stable_address_space(mm))
		return false;
	set_pte_at(mm, addr, ptep, uffdwp_zero_pte(a->vma, addr));
	uffdwp_count(a->t, zero_installed, 1);
	if (unlikely(!READ_ONCE(a->t->mapped_zeroes)))
		WRITE_ONCE(a->t->mapped_zeroes, true);
	return true;
}

/*
 * A hwpoison entry, or one that this module does not know, stays written; so does a page in the
 * memory of a device, but for the monitor of a @sync tracker, which the kernel's rules hold for.
 */
static bool swap_pte_can_be_armed(const struct uffdwp_arming *a, pte_t pte)
{
	swp_entry_t entry = pte_to_swp_entry(pte);

	return !non_swap_entry(entry) || is_migration_entry(entry) ||
	       is_device_exclusive_entry(entry) || (a->t->sync && is_device_private_entry(entry));
}

/*
 * A folio is locked while it migrates, and so counts as pinned. Its entry is left as it is. One
 * that is armed is for reading, and comes back so when the migration fails, as that of a pinned
 * page does.
 */
static bool is_migrating(pte_t pte)
{
	return !pte_present(pte) && !pte_none(pte) && is_migration_entry(pte_to_swp_entry(pte));
}

/**
 * uffdwp_arm_absent_pte - arm one PTE that is not present
 * @a: arming; the lock of the table is held
 * @ptep: the entry: none, swap, migration or marker
 * @addr: its address
 *
 * Return: as uffdwp_arm_pte(); for hugetlb always false.
 */
bool uffdwp_arm_absent_pte(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr)
{
	pte_t pte = *ptep;

	if (uffdwp_pte_armed(pte))
		return false;
	if (is_migrating(pte) && !a->t->ignore_pins) {
		a->pinned++;
		tell_left(a, addr);
		return false;
	}
	if (pte_none(pte)) {
		if (!arm_none(a, ptep, addr)) {
			tell_left(a, addr);
			return false;
		}
	} else if (swap_pte_can_be_armed(a, pte)) {
		uffdwp_pte_arm_swap(a->vma->vm_mm, addr, ptep);
		uffdwp_arming_needs_flush(a, addr);
	} else {
		tell_left(a, addr);
		return false;
	}
	a->armed++;
	return !a->t->ignore_pins && look_at_absent(a, ptep, addr, pte);
}

static bool huge_page_stays_written(const struct uffdwp_arming *a, pmd_t pmd)
{
	if (a->t->ignore_pins && !pmd_present(pmd))
		return false;
	return uffdwp_pmd_may_be_pinned(pmd) &&
	       (!a->t->ignore_pins || may_be_dropped(a, pmd_page(pmd), true));
}

static bool absent_huge_page_stays_written(const struct uffdwp_arming *a, pmd_t pmd)
{
	return !a->t->ignore_pins || (!a->t->sync && uffdwp_pmd_is_of_device(pmd));
}

/**
 * uffdwp_arm_pmd - arm one huge page as a whole
 * @a: arming; the lock of the entry is held
 * @pmdp: its entry, present or migrating
 * @addr: its address
 */
void uffdwp_arm_pmd(struct uffdwp_arming *a, pmd_t *pmdp, unsigned long addr)
{
	pmd_t pmd = READ_ONCE(*pmdp);

	if (uffdwp_pmd_armed(pmd))
		return;
	if (!pmd_present(pmd) && absent_huge_page_stays_written(a, pmd)) {
		a->pinned++;
		tell_left(a, addr);
		return;
	}
	uffdwp_arming_needs_flush(a, addr);
	if (pmd_present(pmd)) {
		uffdwp_pmd_arm_present(pmdp);
		if (uffdwp_forced_write_goes_by_dirty(a->vma))
			uffdwp_pmd_hand_over_dirty(pmdp);
	} else {
		uffdwp_pmd_arm_swap(a->vma->vm_mm, addr, pmdp);
	}
	if (huge_page_stays_written(a, pmd)) {
		if (pmd_flags(pmd) & _PAGE_RW)
			uffdwp_pmd_give_back(pmdp);
		else
			uffdwp_disarm_pmd(a->vma->vm_mm, addr, pmdp);
		a->pinned++;
		tell_left(a, addr);
	} else {
		a->armed++;
	}
}

/**
 * uffdwp_arm_hugetlb - arm one page of hugetlb
 * @a: arming; the lock of the entry is held
 * @ptep: its entry
 * @addr: its address
 */
void uffdwp_arm_hugetlb(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr)
{
	pte_t pte = READ_ONCE(*ptep);

	if (!pte_present(pte)) {
		uffdwp_arm_absent_pte(a, ptep, addr);
		return;
	}
	if (uffdwp_pte_armed(pte))
		return;
	uffdwp_pte_arm_present(ptep);
	uffdwp_arming_needs_flush(a, addr);
	a->armed++;
	if (!a->t->ignore_pins && uffdwp_hugetlb_may_be_pinned(pte)) {
		leave_pinned(a, ptep, addr, uffdwp_pte_writable(pte));
		tell_left(a, addr);
	}
}

struct arm_walk {
	struct uffdwp_walk walk;
	struct uffdwp_tracker *t;
};

static int arm_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct arm_walk *w = container_of(walk, struct arm_walk, walk);

	if (uffdwp_hole_can_be_armed(w->t, walk->vma) && !uffdwp_is_off_limits(w->t->mm, addr, end))
		return UFFDWP_WALK_POPULATE;
	uffdwp_tell(w->t, addr, end, UFFDWP_RING_SCAN);
	return UFFDWP_WALK_ON;
}

/**
 * uffdwp_arm_run - arm entries that are present and not armed, as most are
 * @a: arming; the lock of the table is held
 * @ptep: the first
 * @addr: its address
 * @left: how many there are, of all kinds
 * @drain: out, if true: the next one is to be armed when the LRU batches are drained
 *
 * As uffdwp_arm_pte(), with nothing stored for each but the entry.
 *
 * Return: how many are done: up to the first of another kind, or behind the first whose page is not
 * plainly unpinned.
 */
unsigned long uffdwp_arm_run(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr,
			     unsigned long left, bool *drain)
{
	const pteval_t looked_at = _PAGE_PRESENT | _PAGE_SPECIAL | _PAGE_UFFD_WP;
	pte_t *const first = ptep, *const end = ptep + left;
	struct page *page = NULL;
	unsigned long n;
	pte_t pte = {};

	if (uffdwp_forced_write_goes_by_dirty(a->vma))
		return 0;
	while (ptep != end) {
		pte = READ_ONCE(*ptep);
		if ((pte.pte & looked_at) != _PAGE_PRESENT)
			break;
		uffdwp_pte_arm_as_read(ptep++, pte);
		page = uffdwp_present_page(pte);
		if (unlikely(!uffdwp_page_is_plainly_unpinned(page)))
			break;
		page = NULL;
	}
	n = ptep - first;
	if (!n)
		return 0;
	uffdwp_arming_needs_flush(a, addr);
	addr += (n - 1) * PAGE_SIZE;
	uffdwp_arming_needs_flush(a, addr);
	a->armed += n;
	if (likely(!page))
		return n;
	*drain = uffdwp_arming_look(a, ptep - 1, addr, page, uffdwp_pte_writable(pte));
	return *drain ? n - 1 : n;
}

/*
 * As uffdwp_arm_absent_pte(), in an anonymous VMA: as many of @left entries as are none, which are
 * all of a table that was never touched, get the zero page. What is asked there for each is asked
 * once: what is zapped was zapped under the lock that is held, with mm_tlb_flush_pending() or
 * MMF_UNSTABLE set before. x86 has one zero page. Returns how many are done.
 */
static unsigned long arm_none_run(struct uffdwp_arming *a, pte_t *ptep, unsigned long addr,
				  unsigned long left)
{
	struct mm_struct *mm = a->vma->vm_mm;
	unsigned long n;
	pte_t zero;

	if (uffdwp_hole_takes_marker(a->t, a->vma) ||
	    !uffdwp_hole_can_be_armed(a->t, a->vma) || mm_tlb_flush_pending(mm) ||
	    check_stable_address_space(mm))
		return 0;
	zero = uffdwp_zero_pte(a->vma, addr);
	for (n = 0; n != left && pte_none(READ_ONCE(ptep[n])); n++)
		set_pte_at(mm, addr + n * PAGE_SIZE, ptep + n, zero);
	if (!n)
		return 0;
	a->armed += n;
	uffdwp_count(a->t, zero_installed, n);
	if (unlikely(!READ_ONCE(a->t->mapped_zeroes)))
		WRITE_ONCE(a->t->mapped_zeroes, true);
	return n;
}

/**
 * uffdwp_skip_armed_lines - skip what is armed
 * @ptep: first entry, the lock of the table held
 * @end: behind the last one
 *
 * A scan costs this where nothing was written.
 *
 * Return: the first entry that is not armed, or @end.
 */
pte_t *uffdwp_skip_armed_lines(pte_t *ptep, pte_t *end)
{
	enum { N = 4 * UFFDWP_LINE_ENTRIES };
	pte_t *stop;

	while (end - ptep >= N && uffdwp_entries_are_armed(ptep, N))
		ptep += N;
	while (end - ptep >= UFFDWP_LINE_ENTRIES) {
		stop = ptep + UFFDWP_LINE_ENTRIES;
		ptep = uffdwp_not_armed_of(ptep, UFFDWP_LINE_ENTRIES);
		if (ptep != stop)
			return ptep;
	}
	while (ptep != end && uffdwp_pteval_is_armed(READ_ONCE(ptep->pte)))
		ptep++;
	return ptep;
}

/**
 * uffdwp_arm_ptes - arm entries of a table, for ->ptes of a walk
 * @t: tracker
 * @walk: its walk
 * @pte: first entry, the lock of the table held
 * @addr: its address
 * @end: end of the last one
 *
 * Return: what the walk is to do next.
 */
int uffdwp_arm_ptes(struct uffdwp_tracker *t, struct uffdwp_walk *walk, pte_t *pte,
		    unsigned long addr, unsigned long end)
{
	pte_t *const last = pte + (end - addr) / PAGE_SIZE;
	const bool anonymous = vma_is_anonymous(walk->vma);
	int next = UFFDWP_WALK_ON;
	struct uffdwp_arming a;
	bool drain = false;

	if (uffdwp_is_off_limits(t->mm, addr, end)) {
		uffdwp_tell(t, addr, end, UFFDWP_RING_SCAN);
		return UFFDWP_WALK_ON;
	}
	pte = uffdwp_skip_armed_lines(pte, last);
	if (pte == last)
		return UFFDWP_WALK_ON;
	addr = end - (last - pte) * PAGE_SIZE;
	if (uffdwp_walk_must_notify(walk)) {
		walk->pos = addr;
		return UFFDWP_WALK_NOTIFY;
	}
	uffdwp_arming_begin(&a, t, walk, PAGE_SHIFT);
	while (addr != end) {
		const unsigned long left = (end - addr) / PAGE_SIZE;
		unsigned long done = 0;

		if (pte->pte & _PAGE_PRESENT)
			done = uffdwp_arm_run(&a, pte, addr, left, &drain);
		else if (anonymous)
			done = arm_none_run(&a, pte, addr, left);
		pte += done;
		addr += done * PAGE_SIZE;
		if (!done && !drain) {
			drain = uffdwp_arm_pte(&a, pte, addr);
			pte += !drain;
			addr += drain ? 0 : PAGE_SIZE;
		}
		if (unlikely(drain)) {
			walk->pos = addr;
			next = UFFDWP_WALK_DRAIN;
			break;
		}
	}
	uffdwp_arming_end(&a);
	return next;
}

static int arm_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	return uffdwp_arm_ptes(container_of(walk, struct arm_walk, walk)->t, walk, pte, addr, end);
}

static int arm_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	struct arm_walk *w = container_of(walk, struct arm_walk, walk);
	struct uffdwp_arming a;

	uffdwp_arming_begin(&a, w->t, walk, PMD_SHIFT);
	if (uffdwp_pmd_armed(*pmd))
		return UFFDWP_WALK_ON;
	if (uffdwp_is_off_limits(w->t->mm, addr, end)) {
		uffdwp_tell(w->t, addr, end, UFFDWP_RING_SCAN);
		return UFFDWP_WALK_ON;
	}
	if (!uffdwp_pmd_can_be_armed(walk->vma, addr, end)) {
		if (!uffdwp_pmd_stays_whole(w->t, walk->vma))
			return UFFDWP_WALK_SPLIT;
		uffdwp_tell(w->t, addr, end, UFFDWP_RING_SCAN);
		return UFFDWP_WALK_ON;
	}
	if (uffdwp_walk_must_notify(walk)) {
		walk->pos = addr;
		return UFFDWP_WALK_NOTIFY;
	}
	uffdwp_arm_pmd(&a, pmd, addr);
	uffdwp_arming_end(&a);
	return UFFDWP_WALK_ON;
}

/* A page of hugetlb cannot be split, and what the caller has not named must not be armed. */
static int arm_hugetlb(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct arm_walk *w = container_of(walk, struct arm_walk, walk);
	struct uffdwp_arming a;

	uffdwp_arming_begin(&a, w->t, walk, uffdwp_hugetlb_shift(walk->vma));
	if (uffdwp_pte_armed(*pte))
		return UFFDWP_WALK_ON;
	if (end - addr != 1UL << a.shift) {
		walk->pos = addr;
		return -EINVAL;
	}
	if (uffdwp_is_off_limits(w->t->mm, addr, end)) {
		uffdwp_tell(w->t, addr, end, UFFDWP_RING_SCAN);
		return UFFDWP_WALK_ON;
	}
	if (uffdwp_walk_must_notify(walk)) {
		walk->pos = addr;
		return UFFDWP_WALK_NOTIFY;
	}
	uffdwp_arm_hugetlb(&a, pte, addr);
	uffdwp_arming_end(&a);
	return UFFDWP_WALK_ON;
}

static const struct uffdwp_walk_ops arm_ops = {
	.hole = arm_hole,
	.ptes = arm_ptes,
	.huge = arm_huge,
	.hugetlb = arm_hugetlb,
};

/**
 * uffdwp_sparse_take - arm memory without a page table, and put none there
 * @t: tracker
 * @vma: a VMA of which uffdwp_can_be_sparse() says so; mmap_lock is held
 * @start: first address
 * @end: last address, exclusive; its PMDs were read as none
 *
 * A fault may have made a table since the PMD was read. Then the next scan finds it, and what is
 * not empty in it is written.
 *
 * Memory stays written where UFFDIO_MOVE takes it away, and while the OOM reaper empties the mm.
 * The owed flush of MADV_DONTNEED: arm_none().
 *
 * Return: 0 or -ENOMEM, and then nothing was taken.
 */
int uffdwp_sparse_take(struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
		       unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;
	u64 added;
	int err;

	if (check_stable_address_space(mm))
		return 0;
	err = uffdwp_sparse_add(&t->sparse, start, end, &added);
	if (err)
		return err;
	/* A move that begins after this takes the range out again. */
	if (uffdwp_is_off_limits(mm, start, end)) {
		uffdwp_sparse_remove_all(&t->sparse, start, end);
		return 0;
	}
	if (mm_tlb_flush_pending(mm)) {
		uffdwp_flush_tlb(mm, start, end, PAGE_SHIFT);
		uffdwp_count(t, tlb_flushes, 1);
	}
	uffdwp_count(t, pages_armed, added);
	uffdwp_count(t, sparse_armed, added);
	return 0;
}

static bool is_empty(pte_t pte)
{
	return pte_none(pte) || (pte_present(pte) && is_zero_pfn(pte_pfn(pte)));
}

/**
 * uffdwp_arm_empty - arm what is empty, or the zero page, in a range that was sparse until now
 * @t: tracker
 * @walk: walk
 * @pte: first entry, the lock of the table held
 * @addr: its address
 * @end: end of the last one
 *
 * It was counted when it was taken. No permission is taken away, so no secondary MMU is notified.
 */
void uffdwp_arm_empty(struct uffdwp_tracker *t, struct uffdwp_walk *walk, pte_t *pte,
		      unsigned long addr, unsigned long end)
{
	struct uffdwp_arming a;
	unsigned long done;

	if (check_stable_address_space(walk->vma->vm_mm))
		return;
	uffdwp_arming_begin(&a, t, walk, PAGE_SHIFT);
	while (addr != end) {
		done = arm_none_run(&a, pte, addr, (end - addr) / PAGE_SIZE);
		if (!done) {
			if (is_empty(READ_ONCE(*pte)))
				uffdwp_arm_pte(&a, pte, addr);
			done = 1;
		}
		pte += done;
		addr += done * PAGE_SIZE;
	}
	a.armed = 0;
	uffdwp_arming_end(&a);
}

/**
 * uffdwp_arm_huge_zero - the same for the huge page of zeroes
 * @t: tracker
 * @walk: walk
 * @pmd: its entry, the lock held
 * @addr: its address
 */
void uffdwp_arm_huge_zero(struct uffdwp_tracker *t, struct uffdwp_walk *walk, pmd_t *pmd,
			  unsigned long addr)
{
	struct uffdwp_arming a;

	if (check_stable_address_space(walk->vma->vm_mm))
		return;
	uffdwp_arming_begin(&a, t, walk, PMD_SHIFT);
	uffdwp_arm_pmd(&a, pmd, addr);
	a.armed = 0;
	uffdwp_arming_end(&a);
}

/* A process can make as many parts as it likes. */
static int arm_sparse_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct arm_walk *w = container_of(walk, struct arm_walk, walk);
	unsigned long part_end;
	int next = UFFDWP_WALK_ON;

	if (!uffdwp_can_be_sparse(w->t, walk->vma)) {
		uffdwp_sparse_remove_all(&w->t->sparse, addr, end);
		return arm_hole(walk, addr, end);
	}
	while (addr < end && !next) {
		part_end = end;
		walk->pos = addr;
		if (!uffdwp_sparse_find(&w->t->sparse, addr, &part_end)) {
			next = uffdwp_sparse_take(w->t, walk->vma, addr, part_end);
			if (next)
				return next;
		}
		addr = part_end;
		walk->pos = addr;
		if (addr < end)
			next = uffdwp_may_go_on(walk->vma->vm_mm, walk->killable, walk->yield);
	}
	return next;
}

static int arm_sparse_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			   unsigned long end)
{
	uffdwp_sparse_remove(&container_of(walk, struct arm_walk, walk)->t->sparse, addr, end);
	return arm_ptes(walk, pte, addr, end);
}

static int arm_sparse_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr,
			   unsigned long end)
{
	uffdwp_sparse_remove(&container_of(walk, struct arm_walk, walk)->t->sparse, addr, end);
	return arm_huge(walk, pmd, addr, end);
}

static const struct uffdwp_walk_ops arm_sparse_ops = {
	.hole = arm_sparse_hole,
	.ptes = arm_sparse_ptes,
	.huge = arm_sparse_huge,
};

static int arm_vma(struct arm_walk *w, struct vm_area_struct *vma, unsigned long start,
		   unsigned long end)
{
	w->walk.vma = vma;
	w->walk.ops = w->t->sparse.on && vma_is_anonymous(vma) ? &arm_sparse_ops : &arm_ops;
	return uffdwp_walk_vma(&w->walk, start, end);
}

/**
 * uffdwp_arm - arm all that is registered in a range
 * @t: tracker
 * @start: first address
 * @end: last address, exclusive
 * @walk_end: out: all that is registered below is armed
 *
 * mmap_lock is held for reading.
 *
 * Return: UFFDWP_WALK_ON when all is armed; UFFDWP_WALK_PAUSE from uffdwp_may_go_on(): drop
 * mmap_lock and come back for the rest; -ENOENT when nothing in the range is registered; -ENODEV
 * when the tracker arms no more (uffdwp_tracker_disarm_all()); -EINVAL when the range cuts a page
 * of hugetlb; -ENOMEM, -EINTR, -EIO as from uffdwp_walk_vma().
 */
int uffdwp_arm(struct uffdwp_tracker *t, unsigned long start, unsigned long end,
	       unsigned long *walk_end)
{
	struct arm_walk w = {
		.walk = { .killable = true, .yield = true },
		.t = t,
	};
	struct vm_area_struct *vma;
	bool found = false;
	int next;

	lockdep_assert_held(&t->mm->mmap_lock);
	*walk_end = start;
	if (t->arming_ended)
		return -ENODEV;
	uffdwp_for_each_vma(vma, t->mm, start, end) {
		/* No pause before something was found: the rest alone would be -ENOENT. */
		next = uffdwp_may_go_on(t->mm, true, found);
		if (next)
			return next;
		if (!uffdwp_vma_is_tracked(t, vma))
			continue;
		found = true;
		next = arm_vma(&w, vma, max(start, vma->vm_start), min(end, vma->vm_end));
		*walk_end = w.walk.pos;
		if (next)
			return next;
	}
	if (!found)
		return -ENOENT;
	*walk_end = end;
	return UFFDWP_WALK_ON;
}

struct arm_range {
	struct uffdwp_hold hold;
	struct uffdwp_tracker *t;
	unsigned long pos;
	unsigned long end;
	bool again;
};

static int arm_on(struct uffdwp_hold *hold)
{
	struct arm_range *r = container_of(hold, struct arm_range, hold);
	int next = uffdwp_arm(r->t, r->pos, r->end, &r->pos);

	/* What was left to arm was unmapped while mmap_lock was dropped. */
	if (next == -ENOENT && r->again) {
		r->pos = r->end;
		next = UFFDWP_WALK_ON;
	}
	r->again = true;
	return next;
}

/**
 * uffdwp_arm_range - the same, taking mmap_lock, with pauses
 * @t: tracker
 * @start: first address
 * @end: last address, exclusive
 * @walk_end: out: all that is registered below is armed
 *
 * Return: 0, or an error as from uffdwp_arm().
 */
int uffdwp_arm_range(struct uffdwp_tracker *t, unsigned long start, unsigned long end,
		     unsigned long *walk_end)
{
	struct arm_range r = {
		.hold = { .mm = t->mm, .killable = true, .work = arm_on },
		.t = t,
		.pos = start,
		.end = end,
	};
	int err = uffdwp_hold_and_pause(&r.hold);

	*walk_end = r.pos;
	return err;
}

/**
 * uffdwp_arm_vma - arm a part of one VMA, without a pause
 * @t: tracker
 * @vma: a VMA that is registered with it
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 * @walk_end: out: all below is armed
 *
 * For a caller that must keep mmap_lock, which is held for reading.
 *
 * Return: UFFDWP_WALK_ON when all is armed, or an error as from uffdwp_arm().
 */
int uffdwp_arm_vma(struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
		   unsigned long end, unsigned long *walk_end)
{
	struct arm_walk w = {
		.walk = { .killable = true },
		.t = t,
	};
	int next;

	lockdep_assert_held(&t->mm->mmap_lock);
	next = arm_vma(&w, vma, start, end);
	*walk_end = w.walk.pos;
	return next;
}

static int look_at_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	return UFFDWP_WALK_ON;
}

static int look_at_ptes(struct uffdwp_walk *walk, pte_t *ptep, unsigned long addr,
			unsigned long end)
{
	struct arm_walk *w = container_of(walk, struct arm_walk, walk);
	struct uffdwp_arming a;
	pte_t pte;

	uffdwp_arming_begin(&a, w->t, walk, PAGE_SHIFT);
	for (; addr != end; ptep++, addr += PAGE_SIZE) {
		pte = READ_ONCE(*ptep);
		if (!pte_present(pte) || pte_special(pte) || !uffdwp_pte_armed(pte))
			continue;
		a.armed++;
		uffdwp_arming_look(&a, ptep, addr, pte_page(pte), false);
	}
	uffdwp_arming_end(&a);
	return UFFDWP_WALK_ON;
}

static int look_at_huge(struct uffdwp_walk *walk, pmd_t *pmdp, unsigned long addr,
			unsigned long end)
{
	return UFFDWP_WALK_ON;
}

static int look_at_hugetlb(struct uffdwp_walk *walk, pte_t *ptep, unsigned long addr,
			   unsigned long end)
{
	struct arm_walk *w = container_of(walk, struct arm_walk, walk);
	struct uffdwp_arming a;
	const pte_t pte = READ_ONCE(*ptep);

	uffdwp_arming_begin(&a, w->t, walk, uffdwp_hugetlb_shift(walk->vma));
	/* A page that is larger than the range of one call is handled with its beginning only. */
	if (!pte_present(pte) || !uffdwp_pte_armed(pte) || !IS_ALIGNED(addr, 1UL << a.shift))
		return UFFDWP_WALK_ON;
	a.armed++;
	if (uffdwp_hugetlb_may_be_pinned(pte)) {
		leave_pinned(&a, ptep, round_down(addr, 1UL << a.shift), false);
		tell_left(&a, round_down(addr, 1UL << a.shift));
	}
	uffdwp_arming_end(&a);
	return UFFDWP_WALK_ON;
}

static const struct uffdwp_walk_ops look_ops = {
	.hole = look_at_hole,
	.ptes = look_at_ptes,
	.huge = look_at_huge,
	.hugetlb = look_at_hugetlb,
};

/**
 * uffdwp_disarm_pinned - disarm pages that the kernel has armed though they may be pinned
 * @t: tracker
 * @vma: a VMA that is registered with it; mmap_lock is held
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 *
 * PTE-mapped pages and hugetlb only; those that stay armed are counted as armed. A page that is
 * just in an LRU batch is disarmed, too.
 */
void uffdwp_disarm_pinned(struct uffdwp_tracker *t, struct vm_area_struct *vma, unsigned long start,
			unsigned long end)
{
	struct arm_walk w = {
		.walk = { .ops = &look_ops, .vma = vma, .drained = true },
		.t = t,
	};

	uffdwp_walk_vma(&w.walk, start, end);
}
