/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that are held: they may be written to past the page tables.
 *
 * Who holds a page for writing took the fault then, if there was one to take, and takes none when
 * it writes: a device by DMA, process_vm_writev() that copies with the page in its hands, a direct
 * read from a disk. Such a page must not become "not written" before it is let go. The kernel has
 * two ways to hold a page:
 *
 *   - pin_user_pages() (FOLL_PIN) counts pins: folio_maybe_dma_pinned() is exact for large folios,
 *     which have a counter of their own, and says yes too often only for a small one with 1024
 *     references. What it says depends on no other counter.
 *   - get_user_pages() (FOLL_GET) just takes a reference. So any reference that is not accounted
 *     for counts, as in write_protect_page() of mm/ksm.c. All below is about these.
 *
 * Order: the entry is write-protected by an atomic operation, a full barrier, and then the
 * references are looked at. gup_fast takes its reference by an atomic operation, and then looks at
 * the entry again (gup_fast_pte_range(), _pmd_leaf()): one of the two sees the other. Both look at
 * the tables and not at a TLB, so the look need not wait for the flush; it comes before it. All
 * other GUP has the lock of the table. A folio with several entries in a table can be held through
 * each of them, so it is looked at when all that is to be armed in the table is protected
 * (uffdwp_arming_end()), and what that look has found is forgotten with the lock of the table.
 *
 * A page that is held while we look has, at each instant of the look,
 *
 *	references >= mappings + what the page cache, the swap cache and buffers hold + 1
 *
 * since the kernel takes the reference of a mapping before it counts it and drops it after (map,
 * unmap, fork, swap, migration), and the same for the caches (folio_ref_add() before
 * folio_set_swapcache()) and for private data (folio_attach_private()). So a page is not held if
 * its references *equal* the sum at one instant; and only then. If there are less than the sum
 * says, some of its terms are from another instant, or of one of the exceptions below, and then a
 * hold may be hidden in it as well. What makes the terms those of one instant:
 *
 *   - The lock of the folio. Under it no folio enters or leaves a cache, gets or loses private
 *     data, migrates, is split or swapped in; and no fault, fault-around included, maps a page of a
 *     file. It is only tried for: a page that is locked counts as held.
 *   - The counters of a small page are neighbours, and are read as one word.
 *   - The mappings in a table that we have locked do not change. Where references equal those
 *     alone, plus the caches', no other counter is asked.
 *   - Otherwise a large folio is mapped elsewhere, too, and its mappings are in another word, or in
 *     512 that are added up one after the other. With the folio locked there may be less and less
 *     of them (zap), and more only by a fork of another process. So mappings are counted, then
 *     references, then mappings once more; both sums must be the same. For this to hide a hold, a
 *     mapping would have to go between the first and the second, and a fork to make one between the
 *     second and the third, some instructions each.
 *
 * The exceptions, where a mapping is counted without its reference:
 *
 *   - Fault-around, since 6.6: filemap_map_folio_range() counts up to all mappings of a large
 *     folio, and takes the references after. It has the folio's lock. For a small page the
 *     reference of next_uptodate_folio() stands in.
 *   - The split of the huge entry of an anonymous folio (__split_huge_pmd_locked()) in another
 *     process counts 512 small mappings before it forgets the huge one, without the folio's lock.
 *     So an anonymous folio is believed only if all its mappings are huge or all are small, and
 *     before 6.10, where the small ones are not one counter and the last split corrects all of them
 *     (PG_double_map), only if all are huge.
 *   - Isolation from the LRU: folio_isolate_lru() clears PG_lru before it takes its reference. So a
 *     page that is on no LRU list need not have a reference for that, and none is allowed for. But
 *     it mostly has one: a new page waits in an LRU batch of the processor that took the fault.
 *     A page that has just one reference too many for that reason has its batch drained: this
 *     processor's at once, as do_wp_page() does it, and once in a walk those of all
 *     (UFFDWP_WALK_DRAIN).
 *   - A page of hugetlb that is isolated (hugetlb_migratable is clear) has a reference for that;
 *     but one that memfd_pin_folios() has made has that look for ever. It is not allowed for
 *     either.
 *
 * A page need not be mapped here to be held: one of a shared file may be in memory all the same,
 * and so may one behind a swap entry. Those are looked up where they are. A page that migrates is
 * locked for as long, and counts as held.
 *
 * What it costs: a page that is looked at by reclaim or compaction just now has a reference more
 * and stays written for longer than it needs to. So does one in a batch on its way between two
 * lists, for as long as its processor has nothing else to put there; a command that has met held
 * pages has all batches drained (uffdwp_drain_lru()).
 */
#ifndef UFFDWP_PINNED_H
#define UFFDWP_PINNED_H

#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "compat/pages.h"
#include "tracker.h"

/* What a look at a page has found. */
enum uffdwp_verdict {
	UFFDWP_NOT_PINNED,
	UFFDWP_MAY_BE_PINNED,
	UFFDWP_IN_LRU_BATCH,	/* perhaps by nothing but an LRU batch of another processor */
};

/**
 * struct uffdwp_look - looks at the pages of one table, under one hold of its lock
 * @head: the large folio that was looked at last; NULL: none
 * @base: number of its first page frame
 * @nr: its pages
 * @pinned: whether it was held then
 * @referenced: @head was looked up, and stays by a reference until uffdwp_look_end()
 * @drained: this processor's LRU batches were drained
 * @met_batch: a page was found that is held by an LRU batch, perhaps; for the caller
 *
 * Zero it when the table is locked. What one look at a folio has found is good for all its entries
 * that were protected before it, and for no other.
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
void uffdwp_drain_lru(struct uffdwp_tracker *t);

/* The file that a page belongs to has a reference. It stays while the page is mapped. */
static inline int uffdwp_page_is_cached(const struct page *page)
{
	unsigned long mapping = (unsigned long)READ_ONCE(page->mapping);

	return mapping && !(mapping & UFFDWP_MAPPING_FLAGS);
}

/* Both counters of a small page at one instant: mappings less one below, references above. */
static __always_inline u64 uffdwp_small_page_counters(const struct page *page)
{
	BUILD_BUG_ON(offsetof(struct page, _mapcount) % sizeof(u64));
	BUILD_BUG_ON(offsetof(struct page, _refcount) !=
		     offsetof(struct page, _mapcount) + sizeof(u32));
	return READ_ONCE(*(const u64 *)&page->_mapcount);
}

/*
 * Mostly each reference is a mapping or the one of the file, and there is no more to ask. A tail
 * page has no reference.
 */
static __always_inline bool uffdwp_page_is_plainly_unpinned(struct page *page)
{
	const u64 counters = uffdwp_small_page_counters(page);
	const int refs = counters >> 32;

	return refs && refs == (int)counters + 1 + uffdwp_page_is_cached(page) && !PageHead(page);
}

#endif /* UFFDWP_PINNED_H */
