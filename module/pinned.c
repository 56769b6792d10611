// SPDX-License-Identifier: GPL-2.0-only
/*
 * The closer look at a page that has more references than mappings.
 */
#include <linux/mm.h>

#include "pinned.h"

/**
 * uffdwp_page_may_be_pinned - may somebody write to a page past the page tables?
 * @page: page that is mapped by a small entry, whose table is locked
 *
 * Return: false when all its references are known.
 */
bool uffdwp_page_may_be_pinned(struct page *page)
{
	int known;

	/* Small entries of a huge page share its references: only its pins can be told. */
	if (PageCompound(page))
		return page_maybe_dma_pinned(page);

	/*
	 * One reference for each mapping; one for the file or the swap cache; and one for the batch
	 * or the task that has the page while it is on no LRU list.
	 */
	known = page_mapcount(page) + uffdwp_page_is_cached(page) + PageSwapCache(page) +
		!PageLRU(page);
	return page_ref_count(page) > known;
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
