// SPDX-License-Identifier: GPL-2.0-only
/*
 * The categories that need more than a PTE.
 */
#include <linux/mm.h>

#include "categories.h"
#include "pinned.h"

/* FILE and SOFT_DIRTY mean the same for entries of every size. */
static u64 page_categories(const struct page *page)
{
	return PageAnon((struct page *)page) ? 0 : UFFDWP_PAGE_IS_FILE;
}

static u64 swap_categories(swp_entry_t entry)
{
	if (uffdwp_entry_is_guard(entry))
		return UFFDWP_PAGE_IS_GUARD;
	return is_migration_entry(entry) ? page_categories(pfn_swap_entry_to_page(entry)) : 0;
}

static bool is_pinned(pte_t *ptep, struct page *page, struct uffdwp_look *look)
{
	enum uffdwp_verdict hold;

	if (uffdwp_page_is_plainly_unpinned(page))
		return false;
	hold = uffdwp_look_at_page(look, ptep, page);
	if (hold == UFFDWP_IN_LRU_BATCH)
		look->met_batch = true;
	return hold != UFFDWP_NOT_PINNED;
}

/**
 * uffdwp_pte_extra_categories - what only some callers want to know of a PTE-mapped page
 * @ptep: its entry
 * @pte: what it was read as
 * @asked: categories that matter to the caller
 * @look: looks at the pages of this table, for this purpose
 *
 * Return: some of UFFDWP_EXTRA_CATEGORIES.
 */
u64 uffdwp_pte_extra_categories(pte_t *ptep, pte_t pte, u64 asked, struct uffdwp_look *look)
{
	u64 categories = 0;

	if (pte_none(pte))
		return 0;
	if (!pte_present(pte)) {
		if (pte_swp_soft_dirty(pte))
			categories |= UFFDWP_PAGE_IS_SOFT_DIRTY;
		return categories | swap_categories(pte_to_swp_entry(pte));
	}
	if (pte_soft_dirty(pte))
		categories |= UFFDWP_PAGE_IS_SOFT_DIRTY;
	if (is_zero_pfn(pte_pfn(pte)))
		return categories | UFFDWP_PAGE_IS_PFNZERO;
	if (pte_special(pte))
		return categories;
	if (asked & UFFDWP_PAGE_IS_PINNED && is_pinned(ptep, pte_page(pte), look))
		categories |= UFFDWP_PAGE_IS_PINNED;
	return categories | page_categories(pte_page(pte));
}

/**
 * uffdwp_pmd_categories - the categories of a huge page
 * @pmd: its entry, present or migrating
 * @asked: categories that matter to the caller
 *
 * Return: UFFDWP_PAGE_IS_*.
 */
u64 uffdwp_pmd_categories(pmd_t pmd, u64 asked)
{
	u64 categories = UFFDWP_PAGE_IS_HUGE;

	if (!uffdwp_pmd_armed(pmd))
		categories |= UFFDWP_PAGE_IS_WRITTEN;
	categories |= pmd_present(pmd) ? UFFDWP_PAGE_IS_PRESENT : UFFDWP_PAGE_IS_SWAPPED;
	if (!(asked & UFFDWP_EXTRA_CATEGORIES))
		return categories;

	if (pmd_present(pmd) ? pmd_soft_dirty(pmd) : pmd_swp_soft_dirty(pmd))
		categories |= UFFDWP_PAGE_IS_SOFT_DIRTY;
	if (!pmd_present(pmd))
		return categories | swap_categories(pmd_to_swp_entry(pmd));
	if (uffdwp_pmd_is_huge_zero(pmd))
		return categories | UFFDWP_PAGE_IS_PFNZERO;
	if (uffdwp_pmd_is_device(pmd))
		return categories;
	if (asked & UFFDWP_PAGE_IS_PINNED && uffdwp_pmd_may_be_pinned(pmd))
		categories |= UFFDWP_PAGE_IS_PINNED;
	return categories | page_categories(pmd_page(pmd));
}

/**
 * uffdwp_hugetlb_categories - the categories of a page of hugetlb
 * @pte: its entry
 * @asked: categories that matter to the caller
 *
 * /proc/PID/clear_refs skips hugetlb, so its soft-dirty bits stay set from the first write on.
 *
 * Return: UFFDWP_PAGE_IS_*.
 */
u64 uffdwp_hugetlb_categories(pte_t pte, u64 asked)
{
	u64 categories = UFFDWP_PAGE_IS_HUGE | uffdwp_pte_categories(NULL, pte, 0, NULL);

	if (!(asked & UFFDWP_EXTRA_CATEGORIES) || pte_none(pte))
		return categories;
	if (pte_present(pte) ? pte_soft_dirty(pte) : pte_swp_soft_dirty(pte))
		categories |= UFFDWP_PAGE_IS_SOFT_DIRTY;
	if (!pte_present(pte))
		return categories | swap_categories(pte_to_swp_entry(pte));
	if (asked & UFFDWP_PAGE_IS_PINNED && uffdwp_hugetlb_may_be_pinned(pte))
		categories |= UFFDWP_PAGE_IS_PINNED;
	return categories | page_categories(compound_head(pte_page(pte)));
}
