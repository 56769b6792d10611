/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that somebody holds on to, and may write to, past the page tables.
 *
 * Whoever has pinned a page for writing took the fault then, if there was one to take, and takes
 * none when it writes: a device by DMA, process_vm_writev() copying with the page already in its
 * hands, a direct read from a disk. Such a page must not become "not written" before it is let go.
 * The kernel has two ways to hold on: pin_user_pages() counts pins, so that they can be told;
 * get_user_pages() just takes a reference. So any reference that is not accounted for counts, as in
 * write_protect_page() of mm/ksm.c.
 *
 * Order: the entry is write-protected first, by an atomic operation, then the references are
 * counted. get_user_pages_fast() takes its reference first and then looks at the entry again. One
 * of the two sees the other.
 *
 * A page need not be mapped here to be held: one of a shared file may be in memory all the same,
 * and so may one behind a swap or migration entry. Those are looked up where they are.
 *
 * The kernel takes the reference of a mapping before it counts the mapping, and drops it after. So
 * mappings are counted before and after the references are, and the smaller number is believed: a
 * mapping that comes or goes in between, in another process, can only make a page look held.
 *
 * What it costs: a page that is on its way between lists of the kernel, or is looked at by reclaim
 * or compaction just now, has a reference more and stays written for longer than it needs to. On
 * such a way it may be for as long as its processor has nothing else to put on the list, so a
 * command that has met held pages sends them all on their way (uffdwp_settle_lists()).
 */
#ifndef UFFDWP_PINNED_H
#define UFFDWP_PINNED_H

#include <linux/mm.h>
#include <linux/page-flags.h>

#include "breakage.h"
#include "compat/pages.h"
#include "tracker.h"

/**
 * struct uffdwp_known_refs - the references of one huge page that are accounted for
 * @head: its first small page; NULL while nothing is known
 * @seen: its reference count, before and after they were counted
 * @refs: references of its mappings, of its file, of the swap cache, of a list
 *
 * To count the mappings of a huge page that is mapped in small entries takes a look at all of its
 * 512 pages, which is done once for all entries of a table. Zero it when the table is locked.
 */
struct uffdwp_known_refs {
	const struct page *head;
	int seen;
	int refs;
};

bool uffdwp_page_may_be_pinned(struct page *page, struct uffdwp_known_refs *known);
bool uffdwp_pmd_may_be_pinned(pmd_t pmd);
bool uffdwp_hugetlb_may_be_pinned(pte_t pte);
bool uffdwp_absent_may_be_pinned(struct vm_area_struct *vma, unsigned long addr, pte_t pte);
bool uffdwp_absent_pmd_may_be_pinned(pmd_t pmd);
void uffdwp_settle_lists(struct uffdwp_tracker *t);

/* The file that a small page belongs to has a reference. It stays while the page is mapped. */
static inline int uffdwp_page_is_cached(const struct page *page)
{
	unsigned long mapping = (unsigned long)READ_ONCE(page->mapping);

	return mapping && !(mapping & UFFDWP_MAPPING_FLAGS);
}

/*
 * Mostly each reference is a mapping or the one of the file, and there is no more to ask. A tail
 * page has no reference.
 */
static __always_inline bool uffdwp_pte_may_be_pinned(pte_t pte, struct uffdwp_known_refs *known)
{
	int mapped_before, mapped, refs;
	struct page *page;

	/* The page of zeroes, which nobody writes to. */
	if (pte_special(pte) || uffdwp_broken(UFFDWP_BREAK_PINNED))
		return false;
	page = pte_page(pte);
	mapped_before = atomic_read(&page->_mapcount);
	refs = page_ref_count(page);
	mapped = min(atomic_read(&page->_mapcount), mapped_before) + 1;
	if (likely(refs && refs <= mapped + uffdwp_page_is_cached(page) && !PageHead(page)))
		return false;
	return uffdwp_page_may_be_pinned(page, known);
}

#endif /* UFFDWP_PINNED_H */
