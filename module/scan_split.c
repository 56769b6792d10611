// SPDX-License-Identifier: GPL-2.0-only
/*
 * A huge page of a file is split before it is armed, and the kernel splits one by clearing its PMD
 * (__split_huge_pmd_locked()). The none PTEs that are found afterwards are still reported as the
 * huge page that they were part of, or a scan for present pages would never report it. For that a
 * scan remembers the huge page that was split last; a limit may leave a part of it to the next one.
 */
#include <linux/mm.h>

#include "arm.h"
#include "categories.h"
#include "scan.h"

/**
 * uffdwp_scan_empty_categories - what is reported of an unpopulated range
 * @s: scan
 * @addr: first address
 * @end: last address, exclusive
 * @categories: as it is now
 *
 * Return: as it was before a scan has split the huge page there, or @categories.
 */
u64 uffdwp_scan_empty_categories(const struct uffdwp_scan *s, unsigned long addr,
				 unsigned long end, u64 categories)
{
	if (addr < s->split.start || end > s->split.end || vma_is_anonymous(s->walk.vma) ||
	    !uffdwp_scan_matches(s, s->split.categories))
		return categories;
	return s->split.categories;
}

/* A none PTE, perhaps of the huge page that was split. */
static int scan_emptied(struct uffdwp_scan *s, struct uffdwp_arming *a, pte_t *pte,
			unsigned long addr)
{
	const u64 nothing = s->vma_categories | UFFDWP_PAGE_IS_WRITTEN;
	unsigned long taken = addr + PAGE_SIZE;
	const u64 categories = uffdwp_scan_empty_categories(s, addr, taken, nothing);
	int next;

	if (!uffdwp_scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (uffdwp_scan_resets(s) && uffdwp_walk_must_notify(&s->walk))
		return uffdwp_scan_come_back(s, addr, UFFDWP_WALK_NOTIFY);
	next = uffdwp_scan_report(s, addr, &taken, categories);
	if (uffdwp_scan_resets_at(s, addr, taken) && taken > addr &&
	    uffdwp_arm_absent_pte(a, pte, addr)) {
		uffdwp_regions_take_back(&s->regions, 1);
		next = uffdwp_scan_come_back(s, addr, UFFDWP_WALK_DRAIN);
	}
	return next;
}

/**
 * uffdwp_scan_split_ptes - ->ptes up to the end of the huge page that was split
 * @walk: walk of a scan
 * @pte: first entry, the lock of its table held
 * @addr: its address
 * @end: end of the last one
 *
 * None PTEs are reported as parts of it. Not done in uffdwp_scan_ptes(), which is the hot loop.
 *
 * Return: what the walk is to do next.
 */
int uffdwp_scan_split_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			   unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	struct uffdwp_arming a;
	int next = UFFDWP_WALK_ON;
	unsigned long run;

	uffdwp_arming_begin(&a, s->t, walk, PAGE_SHIFT);
	if (addr >= s->split.end)
		walk->ops = &uffdwp_scan_ops;
	if (addr >= s->split.end || end <= s->split.start)
		return uffdwp_scan_ptes(walk, pte, addr, end);
	while (addr != end && next == UFFDWP_WALK_ON) {
		for (run = 0; addr + run != end && !pte_none(READ_ONCE(pte[run >> PAGE_SHIFT]));)
			run += PAGE_SIZE;
		if (run) {
			next = uffdwp_scan_ptes(walk, pte, addr, addr + run);
		} else {
			run = PAGE_SIZE;
			next = scan_emptied(s, &a, pte, addr);
		}
		addr += run;
		pte += run >> PAGE_SHIFT;
	}
	uffdwp_arming_end(&a);
	return next;
}

/**
 * uffdwp_scan_forget_split - something else may be there by now
 * @s: scan
 */
void uffdwp_scan_forget_split(struct uffdwp_scan *s)
{
	s->split = (struct uffdwp_split){};
	s->walk.cut = 0;
	if (s->walk.ops == &uffdwp_split_scan_ops)
		s->walk.ops = &uffdwp_scan_ops;
}

/**
 * uffdwp_scan_remember_split - a huge page is about to be split
 * @s: scan
 * @addr: an address in it
 * @pmd: its entry
 *
 * Of all of it, also if the scan is about a part.
 */
void uffdwp_scan_remember_split(struct uffdwp_scan *s, unsigned long addr, pmd_t pmd)
{
	const u64 all = UFFDWP_EXTRA_CATEGORIES & ~UFFDWP_PAGE_IS_PINNED;

	if (vma_is_anonymous(s->walk.vma))
		return;
	s->split.start = round_down(addr, PMD_SIZE);
	s->split.end = s->split.start + PMD_SIZE;
	s->split.categories = s->vma_categories | uffdwp_pmd_categories(pmd, s->asked | all);
	s->walk.cut = s->split.end;
	if (s->t)
		WRITE_ONCE(s->t->split_at, s->split.start);
	if (s->walk.ops == &uffdwp_scan_ops)
		s->walk.ops = &uffdwp_split_scan_ops;
}
