// SPDX-License-Identifier: GPL-2.0-only
/*
 * The closer look at a page that has more references than mappings.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "compat/hugetlb.h"
#include "compat/pgtable.h"
#include "pinned.h"

/*
 * All references of a huge or small page that are not somebody's hold: one for each mapping; one
 * for the file or the swap cache, for each of its small pages; one of its file system for what that
 * has attached to it, such as buffers; and one for the batch or the task that has the page while it
 * is on no LRU list. A page of hugetlb is on no list but when it is taken out to be migrated.
 */
static int known_references(struct page *head)
{
	int cached = uffdwp_page_is_cached(head) || uffdwp_page_is_swap_cached(head);

	if (uffdwp_page_is_hugetlb(head))
		return uffdwp_hugetlb_mapcount(head) + cached * uffdwp_hugetlb_cache_refs(head) +
		       uffdwp_hugetlb_is_isolated(head);
	return uffdwp_total_mapcount(head) + cached * compound_nr(head) +
	       (uffdwp_page_has_private(head) && !uffdwp_broken(UFFDWP_BREAK_BUFFERS)) +
	       !PageLRU(head);
}

/* The larger of two counts of the references, and mappings that are counted in between: pinned.h */
static bool has_unknown_references(struct page *head, int ours)
{
	const int before = page_ref_count(head);
	const int known = known_references(head) + ours;

	return max(before, page_ref_count(head)) > known;
}

/**
 * uffdwp_page_may_be_pinned - may somebody write to a page past the page tables?
 * @page: page that is mapped by a small entry, whose table is locked
 * @known: of the huge page that was asked for last, under the same lock
 *
 * The reference count is read anew for each page, after its entry was protected. As long as it is
 * the same, so is what is known.
 *
 * Return: false when all its references are known.
 */
bool uffdwp_page_may_be_pinned(struct page *page, struct uffdwp_known_refs *known)
{
	struct page *head = compound_head(page);
	int refs;

	if (!PageHead(head))
		return has_unknown_references(head, 0);
	refs = page_ref_count(head);
	if (known->head != head || known->seen != refs) {
		known->head = head;
		known->refs = known_references(head);
		known->seen = page_ref_count(head);
	}
	return max(refs, known->seen) > known->refs;
}

/**
 * uffdwp_pmd_may_be_pinned - may somebody write to a huge page past the page tables?
 * @pmd: its entry, present, whose lock is held
 *
 * Return: false when all its references are known.
 */
bool uffdwp_pmd_may_be_pinned(pmd_t pmd)
{
	if (uffdwp_pmd_is_huge_zero(pmd) || uffdwp_broken(UFFDWP_BREAK_PINNED))
		return false;
	return has_unknown_references(pmd_page(pmd), 0);
}

/**
 * uffdwp_hugetlb_may_be_pinned - may somebody write to a page of hugetlb past the page tables?
 * @pte: its entry, present, whose lock is held
 *
 * Return: false when all its references are known.
 */
bool uffdwp_hugetlb_may_be_pinned(pte_t pte)
{
	if (uffdwp_broken(UFFDWP_BREAK_PINNED))
		return false;
	return has_unknown_references(compound_head(pte_page(pte)), 0);
}

/* A page that was looked up, with a reference for us; or none. */
static bool found_page_may_be_pinned(struct page *page)
{
	bool held;

	if (!page)
		return false;
	held = has_unknown_references(compound_head(page), 1);
	put_page(page);
	return held;
}

/**
 * uffdwp_absent_may_be_pinned - may somebody write to a page that is not mapped here?
 * @vma: mapping
 * @addr: address of the page
 * @pte: what its entry was before it was armed: none, swap or migration; its lock is held
 *
 * Return: false when nobody holds a page that a fault would find for this entry.
 */
bool uffdwp_absent_may_be_pinned(struct vm_area_struct *vma, unsigned long addr, pte_t pte)
{
	swp_entry_t entry;

	if (uffdwp_broken(UFFDWP_BREAK_PINNED))
		return false;
	if (pte_none(pte))
		return (vma->vm_flags & VM_SHARED) &&
		       found_page_may_be_pinned(uffdwp_find_file_page(vma, addr));
	entry = pte_to_swp_entry(pte);
	if (is_migration_entry(entry))
		return has_unknown_references(compound_head(pfn_swap_entry_to_page(entry)), 0);
	return !non_swap_entry(entry) && found_page_may_be_pinned(uffdwp_find_swap_page(entry));
}

/**
 * uffdwp_absent_pmd_may_be_pinned - the same for a huge page that is migrating
 * @pmd: its entry, whose lock is held
 *
 * Return: false when all its references are known.
 */
bool uffdwp_absent_pmd_may_be_pinned(pmd_t pmd)
{
	if (uffdwp_broken(UFFDWP_BREAK_PINNED))
		return false;
	return has_unknown_references(pfn_swap_entry_to_page(pmd_to_swp_entry(pmd)), 0);
}

/**
 * uffdwp_settle_lists - let the kernel put pages on its lists that it has in its hands
 * @t: tracker, locked; no other lock is held
 *
 * For the next command. At most once a second, since all processors take part in it, and a page
 * that is really held is held after it, too.
 */
void uffdwp_settle_lists(struct uffdwp_tracker *t)
{
	if (!READ_ONCE(t->met_held) || time_before(jiffies, t->settled + HZ))
		return;
	WRITE_ONCE(t->met_held, false);
	uffdwp_call(lru_add_drain_all)();
	t->settled = jiffies;
}
