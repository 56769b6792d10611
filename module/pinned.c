// SPDX-License-Identifier: GPL-2.0-only
/*
 * The closer look at a page with more references than uffdwp_page_is_plainly_unpinned() explains.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "compat/hugetlb.h"
#include "compat/pgtable.h"
#include "device_tracker.h"
#include "pinned.h"

/*
 * Known references besides those of mappings: one of the page cache or the swap cache for each base
 * page; one for what a file system has attached, such as buffers. The folio is locked, so they do
 * not change.
 */
static int other_references(struct page *head)
{
	const int cached = uffdwp_page_is_cached(head) || uffdwp_page_is_swap_cached(head);

	if (uffdwp_page_is_hugetlb(head))
		return cached * uffdwp_hugetlb_cache_refs(head);
	return cached * compound_nr(head) +
	       uffdwp_page_has_private(head);
}

/* @ours: references that the caller has taken. */
static enum uffdwp_verdict look_at_small_page(struct uffdwp_look *look, struct page *page, int ours)
{
	u64 counters;
	bool alone;
	int unknown;

	/* PG_lru is clear in an LRU batch, perhaps of this processor; also when isolated. */
	if (!PageLRU(page) && !look->drained) {
		look->drained = true;
		uffdwp_call(lru_add_drain)();
	}
	if (!uffdwp_page_trylock(page))
		return UFFDWP_MAY_BE_PINNED;
	counters = uffdwp_small_page_counters(page);
	unknown = (int)(counters >> 32) - ((int)counters + 1) - other_references(page) - ours;
	alone = unknown == 1 && !PageLRU(page);
	uffdwp_page_unlock(page);

	if (!unknown)
		return UFFDWP_NOT_PINNED;
	return alone ? UFFDWP_IN_LRU_BATCH : UFFDWP_MAY_BE_PINNED;
}

/* Is uffdwp_total_mapcount() right? Not while another process splits the PMD (pinned.h). */
static bool mappings_can_be_counted(struct page *head)
{
	const int whole = uffdwp_entire_mapcount(head);

	if (!PageAnon(head) || uffdwp_page_is_hugetlb(head))
		return true;
	if (!whole)
		return UFFDWP_KERNEL_HAS_LARGE_MAPCOUNT;
	return whole == uffdwp_total_mapcount(head);
}

/* The folio is locked. @other: known references besides those of mappings. */
static bool large_has_unknown_references(struct page *head, int mapped_here, int other)
{
	int mapped, refs;

	if (page_ref_count(head) == mapped_here + other)
		return false;
	if (!mappings_can_be_counted(head))
		return true;
	mapped = uffdwp_total_mapcount(head);
	smp_rmb();
	refs = page_ref_count(head);
	smp_rmb();
	return refs != mapped + other || uffdwp_total_mapcount(head) != mapped;
}

/*
 * @mapped_here: entries that map it, of a table that we have locked
 * @ours: references that the caller has taken
 */
static bool large_may_be_pinned(struct page *head, int mapped_here, int ours)
{
	bool pinned;

	if (uffdwp_page_maybe_dma_pinned(head) || !uffdwp_page_trylock(head))
		return true;
	pinned = large_has_unknown_references(head, mapped_here, other_references(head) + ours);
	uffdwp_page_unlock(head);
	return pinned;
}

/*
 * How many entries of this table map the folio, its own pages in a row. All are under the same
 * lock, whatever VMA they are of. Those that mremap() has put elsewhere are missed: the mapcount is
 * read then.
 */
static int count_entries(pte_t *ptep, struct page *head)
{
	const unsigned long base = page_to_pfn(head), nr = compound_nr(head);
	const unsigned long at = offset_in_page(ptep) / sizeof(pte_t);
	const unsigned long nth = pte_pfn(READ_ONCE(*ptep)) - base;
	const unsigned long first = at - min(at, nth);
	const unsigned long end = min(at + nr - nth, PTRS_PER_PTE + 0ul);
	const pte_t *table = ptep - at;
	unsigned long i;
	int n = 0;

	for (i = first; i < end; i++) {
		pte_t pte = READ_ONCE(table[i]);

		n += pte_present(pte) && !pte_special(pte) && pte_pfn(pte) - base < nr;
	}
	return n;
}

static void remember_look(struct uffdwp_look *look, struct page *head, bool pinned)
{
	uffdwp_look_end(look);
	look->head = head;
	look->base = page_to_pfn(head);
	look->nr = compound_nr(head);
	look->pinned = pinned;
}

/**
 * uffdwp_look_end - drop the reference to what was looked up
 * @look: looks at the pages of a table
 */
void uffdwp_look_end(struct uffdwp_look *look)
{
	if (look->referenced)
		put_page(look->head);
	look->referenced = false;
	look->head = NULL;
}

/**
 * uffdwp_look_at_page - may a page be written to past the page tables?
 * @look: looks at the pages of this table
 * @ptep: entry that maps the page, protected if it is being armed; its lock is held
 * @page: the page
 *
 * Return: UFFDWP_NOT_PINNED when all its references are known.
 */
enum uffdwp_verdict uffdwp_look_at_page(struct uffdwp_look *look, pte_t *ptep, struct page *page)
{
	struct page *head = compound_head(page);

	if (!PageHead(head))
		return look_at_small_page(look, head, 0);
	if (look->head != head)
		remember_look(look, head, large_may_be_pinned(head, count_entries(ptep, head), 0));
	return look->pinned ? UFFDWP_MAY_BE_PINNED : UFFDWP_NOT_PINNED;
}

/**
 * uffdwp_look_at_found_page - may a page that is not mapped be written to past the page tables?
 * @look: looks at the pages of this table
 * @page: as uffdwp_find_absent_page() has found it; its reference is taken over
 *
 * Return: UFFDWP_NOT_PINNED when all its references are known.
 */
enum uffdwp_verdict uffdwp_look_at_found_page(struct uffdwp_look *look, struct page *page)
{
	struct page *head = compound_head(page);
	enum uffdwp_verdict hold;

	if (!PageHead(head)) {
		hold = look_at_small_page(look, head, 1);
		put_page(page);
		return hold;
	}
	if (look->head == head) {
		put_page(page);
	} else {
		remember_look(look, head, large_may_be_pinned(head, 0, 1));
		look->referenced = true;
	}
	return look->pinned ? UFFDWP_MAY_BE_PINNED : UFFDWP_NOT_PINNED;
}

/**
 * uffdwp_pmd_may_be_pinned - may a huge page be written to past the page tables?
 * @pmd: its entry, present or migrating, protected if it is being armed; its lock is held
 *
 * Return: false when all its references are known.
 */
bool uffdwp_pmd_may_be_pinned(pmd_t pmd)
{
	if (!pmd_present(pmd))
		return true;
	return !uffdwp_pmd_is_huge_zero(pmd) && large_may_be_pinned(pmd_page(pmd), 1, 0);
}

/**
 * uffdwp_hugetlb_may_be_pinned - may a page of hugetlb be written to past the page tables?
 * @pte: its entry, present, protected if it is being armed; its lock is held
 *
 * Return: false when all its references are known.
 */
bool uffdwp_hugetlb_may_be_pinned(pte_t pte)
{
	return large_may_be_pinned(compound_head(pte_page(pte)), 1, 0);
}

/**
 * uffdwp_find_absent_page - find the page that a fault would find for an entry
 * @vma: VMA
 * @addr: address of the page
 * @pte: its entry: none or swap; its lock is held
 *
 * Return: the page, with a reference; NULL: there is none, or no reference to be had.
 */
struct page *uffdwp_find_absent_page(struct vm_area_struct *vma, unsigned long addr, pte_t pte)
{
	swp_entry_t entry;

	if (pte_none(pte))
		return vma->vm_flags & VM_SHARED ? uffdwp_find_file_page(vma, addr) : NULL;
	entry = pte_to_swp_entry(pte);
	return non_swap_entry(entry) ? NULL : uffdwp_find_swap_page(entry);
}

/**
 * uffdwp_drain_lru - drain all LRU batches, if a command has met pages that may be pinned
 * @d: tracker, locked; no other lock is held
 *
 * For the next command. At most once a second, since it has every processor do work, and does not
 * help with a page that is really pinned.
 */
void uffdwp_drain_lru(struct uffdwp_device_tracker *d)
{
	if (!READ_ONCE(d->base.drain_wanted) || time_before(jiffies, d->drained_at + HZ))
		return;
	WRITE_ONCE(d->base.drain_wanted, false);
	uffdwp_call(lru_add_drain_all)();
	d->drained_at = jiffies;
}
