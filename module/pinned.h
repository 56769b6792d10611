/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that may be pinned: that may be written to past the page tables.
 *
 * GUP for writing takes the fault, if there is one to take, together with its reference; the write
 * that follows takes none: DMA of a device, process_vm_writev(), a direct read from a disk. Such a
 * page must not become "not written" before the reference is dropped. There are two kinds:
 *
 *   - pin_user_pages() (FOLL_PIN) counts pins: folio_maybe_dma_pinned() is exact for large folios,
 *     which have a counter of their own, and says yes too often only for a small one with 1024
 *     references. It depends on no other counter.
 *   - get_user_pages() (FOLL_GET) just takes a reference. So any unexplained reference counts, as
 *     in write_protect_page() of mm/ksm.c. All below is about these.
 *
 * Order: the entry is write-protected by an atomic operation, then a full barrier, then the
 * references are read. gup_fast takes its reference by an atomic operation, and then reads the
 * entry again (gup_fast_pte_range(), _pmd_leaf()): one of the two sees the other. Both read the
 * page tables and not a TLB, so the look need not wait for the flush; it comes before it. All other
 * GUP takes the page-table lock. A folio with several entries in a table can be pinned through each
 * of them, so it is looked at when all that is to be armed in the table is protected
 * (uffdwp_arming_end()), and the verdict is forgotten when the page-table lock is dropped.
 *
 * A page that is pinned while we look has, at each instant of the look,
 *
 *	references >= mapcount + those of page cache, swap cache and private data + 1
 *
 * since the kernel takes the reference of a mapping before it raises the mapcount and drops it
 * after it has lowered that (map, unmap, fork, swap, migration), and the same for the caches
 * (folio_ref_add() before folio_set_swapcache()) and for private data (folio_attach_private()). So
 * a page is not pinned if its references *equal* the sum at one instant; and only then. If they are
 * fewer, some terms are from another instant, or of one of the exceptions below, and then a pin may
 * be hidden in the sum as well. What makes the terms those of one instant:
 *
 *   - The folio lock. Under it no folio enters or leaves a cache, gets or loses private data,
 *     migrates, is split or swapped in; and no fault, fault-around included, maps a page of a file.
 *     We only try it: a locked page counts as pinned.
 *   - _mapcount and _refcount of a small folio are neighbours, and are read as one word.
 *   - Mappings by a table that we have locked do not change. Where references equal those alone,
 *     plus the caches', no other counter is read.
 *   - Otherwise a large folio is mapped elsewhere, too, and its mapcount is another word, or 512
 *     that are added up one after the other. With the folio locked it can only fall (zap), or rise
 *     by a fork of another process. So mapcount, references and mapcount again are read; both
 *     mapcounts must be the same. To hide a pin, a mapping would have to go between the first and
 *     the second read, and a fork to make one between the second and the third, some instructions
 *     each.
 *
 * The exceptions, where the mapcount is raised without a reference:
 *
 *   - Fault-around, since 6.6: filemap_map_folio_range() raises the mapcount of a large folio by up
 *     to all of its pages, and takes the references after. It has the folio lock. For a small folio
 *     the reference of next_uptodate_folio() stands in.
 *   - The split of the PMD of an anonymous folio (__split_huge_pmd_locked()) in another process
 *     counts 512 PTE mappings before it removes that of the PMD, without the folio lock. So an
 *     anonymous folio is believed only if all its mappings are PMDs or all are PTEs, and before
 *     6.10, where the PTE mappings are not one counter and the last split corrects all of them
 *     (PG_double_map), only if all are PMDs.
 *   - Isolation from the LRU: folio_isolate_lru() clears PG_lru before it takes its reference. So a
 *     page without PG_lru need not have a reference for that, and none is allowed for. But it
 *     mostly has one: a new page waits in an LRU batch of the processor that took the fault. A page
 *     with just one reference too many for that reason has its batch drained: this processor's at
 *     once, as do_wp_page() does it, and once a walk those of all (UFFDWP_WALK_DRAIN).
 *   - A page of hugetlb that is isolated (hugetlb_migratable is clear) has a reference for that;
 *     but one that memfd_pin_folios() has made is never migratable. So that reference is not
 *     allowed for either.
 *
 * A page need not be mapped here to be pinned: one of a shared file may be in the page cache, and
 * one behind a swap entry in the swap cache. They are looked up there. A page that migrates is
 * locked meanwhile, and counts as pinned.
 *
 * False positives: a page that reclaim or compaction works on has one reference more, and stays
 * written for longer than it needs to. So does one in an LRU batch, which may not be drained for
 * long on an idle processor; a command that has met pages that may be pinned has all batches
 * drained (uffdwp_drain_lru()).
 */
#ifndef UFFDWP_PINNED_H
#define UFFDWP_PINNED_H

#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "compat/pages.h"
#include "tracker.h"

struct uffdwp_device_tracker;

/* What a look at a page has found. */
enum uffdwp_verdict {
	UFFDWP_NOT_PINNED,
	UFFDWP_MAY_BE_PINNED,
	UFFDWP_IN_LRU_BATCH,	/* one reference more: that of another processor's LRU batch? */
};

/**
 * struct uffdwp_look - looks at the pages of one table, under one hold of its lock
 * @head: the large folio that was looked at last; NULL: none
 * @base: its first PFN
 * @nr: its pages
 * @pinned: the verdict: it may be pinned
 * @referenced: @head was looked up, and has our reference until uffdwp_look_end()
 * @drained: lru_add_drain() was called
 * @met_batch: UFFDWP_IN_LRU_BATCH was the verdict on a page; for the caller
 *
 * Zero it when the table is locked. A verdict on a folio holds for all its entries that were
 * protected before the look, and for no other.
 */
struct uffdwp_look {
	struct page *head;
	unsigned long base;
	unsigned long nr;
	bool pinned;
	bool referenced;
	bool drained;
	bool met_batch;
};

enum uffdwp_verdict uffdwp_look_at_page(struct uffdwp_look *look, pte_t *ptep, struct page *page);
enum uffdwp_verdict uffdwp_look_at_found_page(struct uffdwp_look *look, struct page *page);
void uffdwp_look_end(struct uffdwp_look *look);
bool uffdwp_pmd_may_be_pinned(pmd_t pmd);
bool uffdwp_hugetlb_may_be_pinned(pte_t pte);
struct page *uffdwp_find_absent_page(struct vm_area_struct *vma, unsigned long addr, pte_t pte);
void uffdwp_drain_lru(struct uffdwp_device_tracker *d);

/* Has the page cache a reference? It stays while the page is mapped. */
static inline int uffdwp_page_is_cached(const struct page *page)
{
	unsigned long mapping = (unsigned long)READ_ONCE(page->mapping);

	return mapping && !(mapping & UFFDWP_MAPPING_FLAGS);
}

/* Both counters of a small folio at one instant: _mapcount (from -1) below, _refcount above. */
static __always_inline u64 uffdwp_small_page_counters(const struct page *page)
{
	BUILD_BUG_ON(offsetof(struct page, _mapcount) % sizeof(u64));
	BUILD_BUG_ON(offsetof(struct page, _refcount) !=
		     offsetof(struct page, _mapcount) + sizeof(u32));
	return READ_ONCE(*(const u64 *)&page->_mapcount);
}

/*
 * The common case: all references are those of mappings and the page cache. The _refcount of a tail
 * page is 0.
 */
static __always_inline bool uffdwp_page_is_plainly_unpinned(struct page *page)
{
	const u64 counters = uffdwp_small_page_counters(page);
	const int refs = counters >> 32;

	return refs && refs == (int)counters + 1 + uffdwp_page_is_cached(page) && !PageHead(page);
}

#endif /* UFFDWP_PINNED_H */
