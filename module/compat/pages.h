/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages: their mapcounts, and where they are found when no entry maps them.
 *
 * @head is no tail page.
 */
#ifndef UFFDWP_COMPAT_PAGES_H
#define UFFDWP_COMPAT_PAGES_H

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include "entries.h"
#include "symbols.h"

/* Bits of page->mapping, set where it is no struct address_space */
#ifdef PAGE_MAPPING_FLAGS
#define UFFDWP_MAPPING_FLAGS PAGE_MAPPING_FLAGS
#else
#define UFFDWP_MAPPING_FLAGS FOLIO_MAPPING_FLAGS
#endif

/* Entries of all levels that map any part of this large page, which may be one of hugetlb. */
static inline int uffdwp_total_mapcount(struct page *head)
{
#if UFFDWP_KERNEL_HAS_LARGE_MAPCOUNT
	return folio_mapcount(page_folio(head));
#elif UFFDWP_KERNEL_HAS_FOLIO
	return uffdwp_call(folio_mapcount)(page_folio(head));
#else
	return uffdwp_call(total_mapcount)(head);
#endif
}

/* Those of them that map all of it by one entry. */
static inline int uffdwp_entire_mapcount(struct page *head)
{
#if UFFDWP_KERNEL_HAS_LARGE_MAPCOUNT
	return folio_entire_mapcount(page_folio(head));
#else
	return compound_mapcount(head);
#endif
}

/*
 * Is this anonymous page of one process alone, so that do_wp_page() makes it writable where it is?
 * The lock of the entry that maps it is held.
 *
 * Until 5.18 that is asked of its counters. The one reference is that of the entry: so nobody has
 * it locked, no pin keeps it, and neither KSM nor the swap cache has it.
 */
static __always_inline bool uffdwp_anon_page_is_own(struct page *page)
{
#if UFFDWP_KERNEL_HAS_ANON_EXCLUSIVE
	return PageAnonExclusive(page);
#else
	return !PageCompound(page) && page_count(page) == 1 && page_mapcount(page) == 1 &&
	       !PageKsm(page);
#endif
}

/*
 * Will do_huge_pmd_wp_page() leave this huge page whole? The lock of its entry is held. A guess for
 * one that was shared with a child until now: a reference may come or go.
 */
static inline bool uffdwp_huge_page_is_own(struct page *head)
{
#if UFFDWP_KERNEL_HAS_ANON_EXCLUSIVE
	return PageAnonExclusive(head) || page_count(head) == 1;
#else
	return page_mapcount(head) == 1;
#endif
}

/* Exact for large folios; false positives for order 0 (GUP_PIN_COUNTING_BIAS). */
static inline bool uffdwp_page_maybe_dma_pinned(struct page *head)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	return folio_maybe_dma_pinned(page_folio(head));
#else
	return page_maybe_dma_pinned(head);
#endif
}

static inline bool uffdwp_page_trylock(struct page *head)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	return folio_trylock(page_folio(head));
#else
	return trylock_page(head);
#endif
}

static inline void uffdwp_page_unlock(struct page *head)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	folio_unlock(page_folio(head));
#else
	unlock_page(head);
#endif
}

/* Where in its file it begins, in units of PAGE_SIZE. */
static inline pgoff_t uffdwp_page_file_index(struct page *head)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	return page_folio(head)->index;
#else
	return head->index;
#endif
}

static inline bool uffdwp_page_is_swap_cached(struct page *head)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	return folio_test_swapcache(page_folio(head));
#else
	return PageSwapCache(head);
#endif
}

/* By KSM. */
static inline bool uffdwp_page_is_merged(struct page *page)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	return folio_test_ksm(page_folio(page));
#else
	return PageKsm(page);
#endif
}

/* MADV_FREE: reclaim may drop it. */
static __always_inline bool uffdwp_page_is_lazily_freed(struct page *page)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	return folio_test_anon(page_folio(page)) && !folio_test_swapbacked(page_folio(page));
#else
	return PageAnon(page) && !PageSwapBacked(page);
#endif
}

/*
 * Is any page of a compound page poisoned? It has no flag for that which could be relied on:
 * memory_failure() sets PageHWPoison first, and PageHasHWPoisoned only if it goes on.
 */
static inline bool uffdwp_page_has_poison(struct page *page)
{
	struct page *head = compound_head(page);
	unsigned long i, n = PageHuge(head) ? 1 : compound_nr(head);

	for (i = 0; i < n; i++)
		if (PageHWPoison(head + i))
			return true;
	return false;
}

/* Its file system has attached private data, which has a reference (attach_page_private()). */
static inline bool uffdwp_page_has_private(struct page *head)
{
#if UFFDWP_KERNEL_HAS_FOLIO
	return folio_test_private(page_folio(head));
#else
	return PagePrivate(head);
#endif
}

/*
 * The page in the swap cache, with a reference, or NULL. Does not sleep. The caller holds the
 * page-table lock of the entry, which keeps its swap device.
 */
static inline struct page *uffdwp_find_swap_page(swp_entry_t entry)
{
#ifndef CONFIG_SWAP
	return NULL;
#elif UFFDWP_SWAP_CACHE_IS_PAGE
	return uffdwp_call(lookup_swap_cache)(entry, NULL, 0);
#else
#if UFFDWP_SWAP_CACHE_TAKES_VMA
	struct folio *folio = uffdwp_call(swap_cache_get_folio)(entry, NULL, 0);
#else
	struct folio *folio = uffdwp_call(swap_cache_get_folio)(entry);
#endif

	return folio ? &folio->page : NULL;
#endif
}

/*
 * The page of a shmem file, from the page cache or the swap cache, with a reference; or NULL. Does
 * not sleep.
 */
#if UFFDWP_INCORE_IS_PAGE
static inline struct page *uffdwp_find_shmem_page(struct address_space *mapping, pgoff_t index)
{
	return uffdwp_call(find_get_incore_page)(mapping, index);
}
#elif UFFDWP_INCORE_IS_FOLIO
static inline struct page *uffdwp_find_shmem_page(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = uffdwp_call(filemap_get_incore_folio)(mapping, index);

	return IS_ERR_OR_NULL(folio) ? NULL : &folio->page;
}
#else
/* Only get_swap_device() keeps the swap device: mincore_swap() */
static inline struct page *uffdwp_find_shmem_swap(swp_entry_t entry)
{
	struct page *page = NULL;
#ifdef CONFIG_SWAP
	struct swap_info_struct *si;

	if (non_swap_entry(entry))
		return NULL;
	si = uffdwp_call(get_swap_device)(entry);
	if (!si)
		return NULL;
	page = uffdwp_find_swap_page(entry);
	put_swap_device(si);
#endif
	return page;
}

static inline struct page *uffdwp_find_shmem_page(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = uffdwp_call(filemap_get_entry)(mapping, index);

	if (!folio)
		return NULL;
	return xa_is_value(folio) ? uffdwp_find_shmem_swap(radix_to_swp_entry(folio)) :
				    &folio->page;
}
#endif

#endif /* UFFDWP_COMPAT_PAGES_H */
