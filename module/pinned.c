// SPDX-License-Identifier: GPL-2.0-only
/*
 * The closer look at a page that has more references than mappings.
 */
#include <linux/mm.h>

#include "pinned.h"

/*
 * All references of a huge or small page that are not somebody's hold: one for each mapping; one
 * for the file or the swap cache, for each of its small pages; and one for the batch or the task
 * that has the page while it is on no LRU list.
 */
static int known_references(struct page *head)
{
	const int cached = uffdwp_page_is_cached(head) || PageSwapCache(head);

	return uffdwp_total_mapcount(head) + cached * compound_nr(head) + !PageLRU(head);
}

/**
 * uffdwp_page_may_be_pinned - may somebody write to a page past the page tables?
 * @page: page that is mapped by a small entry, whose table is locked
 * @known: of the huge page that was asked for last, under the same lock
 *
 * The reference count is read anew for each page, after its entry was protected; what is known
 * comes from the first page of the same huge page. Mappings that other processes have added or
 * dropped since make it wrong by as much: more references than known read as "held"; fewer could
 * hide a hold only if a process that shares the page unmaps it in this moment, and it is written
 * to through another process than this one.
 *
 * Return: false when all its references are known.
 */
bool uffdwp_page_may_be_pinned(struct page *page, struct uffdwp_known_refs *known)
{
	struct page *head = compound_head(page);

	if (head == page && !PageHead(page))
		return page_ref_count(page) > known_references(page);
	if (known->head != head) {
		known->head = head;
		known->refs = known_references(head);
	}
	return page_ref_count(head) > known->refs;
}

/**
 * uffdwp_pmd_may_be_pinned - may somebody write to a huge page past the page tables?
 * @pmd: its entry, present, whose lock is held
 *
 * Return: false when all its references are known.
 */
bool uffdwp_pmd_may_be_pinned(pmd_t pmd)
{
	struct page *head;

	if (uffdwp_pmd_is_huge_zero(pmd) || uffdwp_broken(UFFDWP_BREAK_PINNED))
		return false;
	head = pmd_page(pmd);
	return page_ref_count(head) > compound_mapcount(head) &&
	       page_ref_count(head) > known_references(head);
}

/**
 * uffdwp_hugetlb_may_be_pinned - may somebody write to a page of hugetlb past the page tables?
 * @pte: its entry, present, whose lock is held
 *
 * These pages are on no list and are mapped as a whole, so that all references are known: one for
 * each mapping, and one for the file.
 *
 * Return: false when all its references are known.
 */
bool uffdwp_hugetlb_may_be_pinned(pte_t pte)
{
	struct page *head = compound_head(pte_page(pte));

	if (uffdwp_broken(UFFDWP_BREAK_PINNED))
		return false;
	return page_ref_count(head) > compound_mapcount(head) + uffdwp_page_is_cached(head);
}
