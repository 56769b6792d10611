// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scan: classify, match, report and arm, one page after the other. Which memory that is about,
 * and by whose rules, its two callers say: device_scan.c and backport/scan.c.
 *
 * Each page is looked at and armed under one hold of its page-table lock, and the TLBs are flushed
 * before that lock is dropped (arm.c), so a write is either seen by this scan or faults afterwards.
 *
 * A report that cannot be delivered must not leave its pages armed, or their writes are lost.
 * Regions go from the buffer to user memory without locks; if that fails, those that were not
 * delivered are disarmed: written again. No other command of the tracker can have seen them armed,
 * since its lock is held.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "arm.h"
#include "categories.h"
#include "compat/hugetlb.h"
#include "pinned.h"
#include "pte.h"
#include "scan.h"
#include "tracker.h"

/**
 * uffdwp_scan_add - report what does not extend the last region
 * @s: scan
 * @addr: first address
 * @end: in: last address, exclusive; out: where the reported part ends; @addr: nothing
 * @categories: of all of it, as far as they are to be returned
 *
 * Return: what the walk is to do next; if that is not ON, its position is set.
 */
int uffdwp_scan_add(struct uffdwp_scan *s, unsigned long addr, unsigned long *end, u64 categories)
{
	switch (uffdwp_regions_add(&s->regions, addr, end, categories)) {
	case UFFDWP_ADD_TAKEN:
		return UFFDWP_WALK_ON;
	case UFFDWP_ADD_LAST:
		s->walk.pos = *end;
		return UFFDWP_WALK_STOP;
	case UFFDWP_ADD_NO_ROOM:
		*end = addr;
		s->walk.pos = addr;
		return UFFDWP_WALK_STOP;
	case UFFDWP_ADD_FLUSH_FIRST:
		break;
	}
	*end = addr;
	s->walk.pos = addr;
	return UFFDWP_WALK_PAUSE;
}

static int scan_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	const u64 categories = uffdwp_scan_empty_categories(s, addr, end, s->hole_categories);

	if (!uffdwp_scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (uffdwp_scan_resets_at(s, addr, end) && uffdwp_hole_can_be_armed(s->t, walk->vma))
		return UFFDWP_WALK_POPULATE;
	if (uffdwp_scan_resets(s))
		uffdwp_tell(s->t, addr, end, UFFDWP_RING_SCAN);
	return uffdwp_scan_report(s, addr, &end, categories);
}

/* Is this entry, which is to be armed, not armed already, and secondary MMUs are to know before? */
static bool must_notify_first(const struct uffdwp_scan *s, pte_t pte)
{
	return uffdwp_walk_must_notify(&s->walk) && !uffdwp_pte_armed(pte);
}

/* ->ptes of a PAGEMAP_SCAN without vec: arms all, whatever its categories, as Linux does. */
static int arm_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	return uffdwp_arm_ptes(container_of(walk, struct uffdwp_scan, walk)->t, walk, pte, addr,
			       end);
}

/* Would a page be reported as pinned that is perhaps only in an LRU batch? */
static bool meets_batch(const struct uffdwp_scan *s, struct uffdwp_look *look, pte_t *pte,
			unsigned long addr, unsigned long end)
{
	if (!(s->asked & UFFDWP_PAGE_IS_PINNED) || s->walk.drained)
		return false;
	for (; addr != end && !look->met_batch; pte++, addr += PAGE_SIZE)
		uffdwp_pte_extra_categories(pte, READ_ONCE(*pte), UFFDWP_PAGE_IS_PINNED, look);
	return look->met_batch;
}

/*
 * A page that is present, as nearly all are, has the categories of its entry, unless it is special
 * (the zero page) or the caller asks for more: is_plain(), s->plain. Bits that were not asked for
 * do no harm.
 */
#define PLAIN_BITS (_PAGE_PRESENT | _PAGE_RW | _PAGE_UFFD_WP | _PAGE_SOFT_DIRTY | _PAGE_SPECIAL)

static __always_inline bool is_plain(const struct uffdwp_scan *s, pteval_t val)
{
	return s->plain && (val & (_PAGE_PRESENT | _PAGE_SPECIAL)) == _PAGE_PRESENT;
}

static __always_inline u64 plain_categories(const struct uffdwp_scan *s, pteval_t val)
{
	return s->vma_categories | UFFDWP_PAGE_IS_PRESENT |
	       (uffdwp_pteval_is_armed(val) ? 0 : UFFDWP_PAGE_IS_WRITTEN) |
	       (val & _PAGE_SOFT_DIRTY ? UFFDWP_PAGE_IS_SOFT_DIRTY : 0);
}

/* Pages of an anonymous VMA are none of a file, and only the zero page is PFNZERO. */
static void set_plain(struct uffdwp_scan *s, struct vm_area_struct *vma)
{
	const u64 extra = s->asked & UFFDWP_EXTRA_CATEGORIES;

	s->plain = !extra || (vma_is_anonymous(vma) && !(extra & UFFDWP_PAGE_IS_PINNED));
	s->skips_armed = !extra && !uffdwp_scan_matches(s, s->vma_categories |
							   UFFDWP_PAGE_IS_PRESENT);
	s->plain_written = s->vma_categories | UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_WRITTEN;
	s->takes_written = s->skips_armed && uffdwp_scan_resets(s) &&
			   uffdwp_scan_matches(s, s->plain_written);
	s->plain_written &= s->arg->return_mask;
}

/* The pages of a line, written and reported. Returns how many are armed, and so stay reported. */
static unsigned long arm_line(struct uffdwp_scan *s, struct uffdwp_arming *a, pte_t *pte,
			      unsigned long addr, bool *drain)
{
	unsigned long n = 0, done;

	do {
		done = uffdwp_arm_run(a, pte + n, addr + n * PAGE_SIZE, UFFDWP_LINE_ENTRIES - n,
				      drain);
		n += done;
	} while (done && n != UFFDWP_LINE_ENTRIES && !*drain);
	if (unlikely(n != UFFDWP_LINE_ENTRIES))
		uffdwp_regions_take_back(&s->regions, UFFDWP_LINE_ENTRIES - n);
	return n;
}

/*
 * The eight pages of a cache line of entries, if all have the same categories. Returns how many are
 * done with; *drain: the next one is to be armed when the LRU batches are drained.
 */
static __always_inline unsigned long scan_line(struct uffdwp_scan *s, struct uffdwp_arming *a,
					       pte_t *pte, unsigned long addr, bool reset,
					       bool notify, bool *drain)
{
	const struct uffdwp_entries e = uffdwp_read_entries(pte, UFFDWP_LINE_ENTRIES);
	u64 categories;
	bool arm;

	if (((e.all ^ e.any) & PLAIN_BITS) || !is_plain(s, e.all))
		return 0;
	categories = plain_categories(s, e.all);
	if (!uffdwp_scan_matches(s, categories))
		return UFFDWP_LINE_ENTRIES;
	arm = reset && (categories & UFFDWP_PAGE_IS_WRITTEN);
	/* What is written and has the bit is for uffdwp_arm_pte(). */
	if (arm && (notify || (e.any & _PAGE_UFFD_WP) ||
		    uffdwp_forced_write_goes_by_dirty(a->vma)))
		return 0;
	if (!uffdwp_regions_extend(&s->regions, addr, UFFDWP_LINE_ENTRIES,
				   categories & s->arg->return_mask))
		return 0;
	return arm ? arm_line(s, a, pte, addr, drain) : UFFDWP_LINE_ENTRIES;
}

/* Inlined: the hottest path. @reset: what is reported is armed; @notify: by NOTIFY first */
static __always_inline int scan_pte(struct uffdwp_scan *s, struct uffdwp_arming *a, pte_t *ptep,
				    unsigned long addr, bool reset, bool notify)
{
	const pte_t pte = READ_ONCE(*ptep);
	unsigned long taken = addr + PAGE_SIZE;
	u64 categories;
	int next;

	if (likely(is_plain(s, pte.pte)))
		categories = plain_categories(s, pte.pte);
	else
		categories = s->vma_categories |
			     uffdwp_pte_categories(ptep, pte, s->asked, &a->look);
	if (!uffdwp_scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (notify && !uffdwp_pte_armed(pte))
		return uffdwp_scan_come_back(s, addr, UFFDWP_WALK_NOTIFY);
	next = uffdwp_scan_report(s, addr, &taken, categories);
	if (reset && taken > addr && unlikely(uffdwp_arm_pte(a, ptep, addr))) {
		uffdwp_regions_take_back(&s->regions, 1);
		return uffdwp_scan_come_back(s, addr, UFFDWP_WALK_DRAIN);
	}
	return next;
}

/*
 * A plain page that is written, behind one that is not: a region of its own. What has the bit and
 * is written is for uffdwp_arm_pte(). False: it is for scan_pte(). *drain as for scan_line().
 */
static __always_inline bool take_single(struct uffdwp_scan *s, struct uffdwp_arming *a, pte_t *ptep,
					unsigned long addr, bool *drain)
{
	const pte_t pte = READ_ONCE(*ptep);

	if ((pte.pte & (_PAGE_PRESENT | _PAGE_SPECIAL | _PAGE_UFFD_WP)) != _PAGE_PRESENT ||
	    !uffdwp_regions_begin(&s->regions, addr, s->plain_written))
		return false;
	if (unlikely(uffdwp_arm_present_pte(a, ptep, pte, addr))) {
		uffdwp_regions_take_back(&s->regions, 1);
		*drain = true;
	}
	return true;
}

/* What neighbours of one table differ in, as the addresses of their pages do. */
static __always_inline unsigned long address_of_entry(const pte_t *pte)
{
	return (unsigned long)pte * (PAGE_SIZE / sizeof(*pte));
}

/* @notify is a constant: what is about to be armed is looked for, and nothing is armed. */
static __always_inline int scan_entries(struct uffdwp_scan *s, struct uffdwp_arming *a, pte_t *pte,
					unsigned long addr, unsigned long end, bool reset,
					bool notify)
{
	const bool singly = reset && !notify && s->takes_written;
	const unsigned long base = addr - address_of_entry(pte);
	pte_t *const last = pte + (end - addr) / PAGE_SIZE;
	int next = UFFDWP_WALK_ON;
	bool drain = false;
	pte_t *first;
	unsigned long n;

	while (pte != last && next == UFFDWP_WALK_ON) {
		first = pte;
		if (s->skips_armed)
			pte = uffdwp_skip_armed(pte, last);
		if (pte == last)
			break;
		addr = base + address_of_entry(pte);
		if (pte != first && singly && take_single(s, a, pte, addr, &drain)) {
			n = 1;
		} else if (pte == first && s->plain && last - pte >= UFFDWP_LINE_ENTRIES &&
			   uffdwp_line_begins(pte)) {
			/* Another that is written is likely. */
			n = scan_line(s, a, pte, addr, reset, notify, &drain);
			addr += n * PAGE_SIZE;
		} else {
			n = 0;
		}
		if (unlikely(drain))
			return uffdwp_scan_come_back(s, addr, UFFDWP_WALK_DRAIN);
		if (!n) {
			next = scan_pte(s, a, pte, addr, reset, notify);
			n = 1;
		}
		pte += n;
	}
	return next;
}

static noinline int scan_table(struct uffdwp_scan *s, pte_t *pte, unsigned long addr,
			       unsigned long end)
{
	const bool reset = uffdwp_scan_resets_at(s, addr, end);
	struct uffdwp_arming a;
	int next;

	uffdwp_arming_begin(&a, s->t, &s->walk, PAGE_SHIFT);
	if (meets_batch(s, &a.look, pte, addr, end))
		return uffdwp_scan_come_back(s, addr, UFFDWP_WALK_DRAIN);
	if (reset && uffdwp_walk_must_notify(&s->walk))
		next = scan_entries(s, &a, pte, addr, end, true, true);
	else
		next = scan_entries(s, &a, pte, addr, end, reset, false);
	uffdwp_arming_end(&a);
	return next;
}

/**
 * uffdwp_scan_ptes - ->ptes of a scan
 * @walk: its walk
 * @pte: first entry, the lock of its table held
 * @addr: its address
 * @end: end of the last one
 *
 * Return: what the walk is to do next.
 */
int uffdwp_scan_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	pte_t *const last = pte + (end - addr) / PAGE_SIZE;

	/* Most tables are armed as a whole. */
	if (s->skips_armed) {
		pte = uffdwp_skip_armed_lines(pte, last);
		if (pte == last)
			return UFFDWP_WALK_ON;
		addr = end - (last - pte) * PAGE_SIZE;
	}
	return scan_table(s, pte, addr, end);
}

/* A part of what is to stay whole is reported, and stays written, as with hugetlb. */
static int scan_part_of_huge(struct uffdwp_scan *s, unsigned long addr, unsigned long end,
			     u64 categories)
{
	const bool whole = end - addr == PMD_SIZE;

	if (s->rules->hugetlb(s, addr, end, whole, true) == UFFDWP_SCAN_STOP) {
		s->walk.pos = addr;
		return UFFDWP_WALK_STOP;
	}
	uffdwp_tell(s->t, addr, end, UFFDWP_RING_SCAN);
	return uffdwp_scan_report(s, addr, &end, categories);
}

static int scan_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	struct uffdwp_arming a;
	u64 categories = s->vma_categories | uffdwp_pmd_categories(READ_ONCE(*pmd), s->asked);
	const u64 room = uffdwp_regions_room(&s->regions);
	unsigned long taken = end;
	int next;

	uffdwp_arming_begin(&a, s->t, walk, PMD_SHIFT);
	if (!uffdwp_scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	if (!uffdwp_scan_resets_at(s, addr, end) || !room || uffdwp_pmd_armed(*pmd))
		return uffdwp_scan_report(s, addr, &taken, categories);

	/* Only what is reported may be armed, so for a part of a huge page it is split. */
	if (!uffdwp_pmd_can_be_armed(walk->vma, addr, end) ||
	    room < PTRS_PER_PTE) {
		if (uffdwp_pmd_stays_whole(s->t, walk->vma))
			return scan_part_of_huge(s, addr, end, categories);
		uffdwp_scan_remember_split(s, addr, *pmd);
		return UFFDWP_WALK_SPLIT;
	}
	if (uffdwp_walk_must_notify(walk))
		return uffdwp_scan_come_back(s, addr, UFFDWP_WALK_NOTIFY);
	next = uffdwp_scan_report(s, addr, &taken, categories);
	if (taken == end) {
		uffdwp_arm_pmd(&a, pmd, addr);
		uffdwp_arming_end(&a);
	}
	return next;
}

static u64 hugetlb_categories(const struct uffdwp_scan *s, pte_t pte)
{
	if (pte_none(pte))
		return s->hole_categories | UFFDWP_PAGE_IS_HUGE;
	return s->vma_categories | uffdwp_hugetlb_categories(pte, s->asked);
}

/* A page of hugetlb cannot be split: where the caller's range cuts it, it stays written. */
static int scan_hugetlb(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end)
{
	struct uffdwp_scan *s = container_of(walk, struct uffdwp_scan, walk);
	const u64 categories = hugetlb_categories(s, READ_ONCE(*pte));
	const unsigned int shift = uffdwp_hugetlb_shift(walk->vma);
	const bool whole = end - addr == 1UL << shift;
	const bool written = categories & UFFDWP_PAGE_IS_WRITTEN;
	unsigned long taken = end;
	struct uffdwp_arming a;
	int next;

	uffdwp_arming_begin(&a, s->t, walk, shift);
	if (!uffdwp_scan_matches(s, categories))
		return UFFDWP_WALK_ON;
	switch (s->rules->hugetlb(s, addr, end, whole, written)) {
	case UFFDWP_SCAN_LEAVE_OUT:
		return UFFDWP_WALK_ON;
	case UFFDWP_SCAN_STOP:
		walk->pos = addr;
		return UFFDWP_WALK_STOP;
	case UFFDWP_SCAN_TAKE:
		break;
	}
	if (uffdwp_scan_resets(s) && must_notify_first(s, *pte))
		return uffdwp_scan_come_back(s, addr, UFFDWP_WALK_NOTIFY);
	next = uffdwp_scan_report(s, addr, &taken, categories);
	if (taken - addr == 1UL << shift && uffdwp_scan_resets_at(s, addr, taken)) {
		uffdwp_arm_hugetlb(&a, pte, addr);
		uffdwp_arming_end(&a);
	} else if (uffdwp_scan_resets(s) && written) {
		uffdwp_tell(s->t, addr, end, UFFDWP_RING_SCAN);
	}
	return next;
}

const struct uffdwp_walk_ops uffdwp_scan_ops = {
	.hole = scan_hole,
	.ptes = uffdwp_scan_ptes,
	.huge = scan_huge,
	.hugetlb = scan_hugetlb,
};

const struct uffdwp_walk_ops uffdwp_split_scan_ops = {
	.hole = scan_hole,
	.ptes = uffdwp_scan_split_ptes,
	.huge = scan_huge,
	.hugetlb = scan_hugetlb,
};

static const struct uffdwp_walk_ops arming_scan_ops = {
	.hole = scan_hole,
	.ptes = arm_ptes,
	.huge = scan_huge,
	.hugetlb = scan_hugetlb,
};

/**
 * uffdwp_scan_walk - look at the entries of a part of a VMA
 * @s: scan, with the tracker and the categories of the VMA set
 * @vma: VMA
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 *
 * Return: as uffdwp_walk_vma().
 */
int uffdwp_scan_walk(struct uffdwp_scan *s, struct vm_area_struct *vma, unsigned long start,
		     unsigned long end)
{
	s->walk.vma = vma;
	set_plain(s, vma);
	return uffdwp_walk_vma(&s->walk, start, end);
}

/* From walk.pos on, until the end of the range or until the walk pauses or stops. */
static int scan_on(struct uffdwp_hold *hold)
{
	struct uffdwp_scan *s = container_of(hold, struct uffdwp_scan, hold);
	const unsigned long end = s->arg->end;
	struct vm_area_struct *vma;
	unsigned long pos, border;
	int next;

	lockdep_assert_held(&hold->mm->mmap_lock);
	while (s->walk.pos < end) {
		pos = s->walk.pos;
		vma = find_vma(hold->mm, pos);
		if (!vma || vma->vm_start > pos) {
			border = vma ? min(end, vma->vm_start) : end;
			next = s->rules->unmapped(s, pos, border);
			if (next)
				return next;
			s->walk.pos = border;
			pos = border;
		}
		if (pos == end)
			break;
		border = min(end, vma->vm_end);
		next = s->rules->vma(s, vma, pos, border);
		if (next)
			return next;
		s->walk.pos = border;
		if (border < end)
			next = uffdwp_may_go_on(hold->mm, true, true);
		if (next)
			return next;
	}
	return UFFDWP_WALK_STOP;
}

/* Store what is buffered; if that fails, make it written again, and end before it. */
static int scan_deliver(struct uffdwp_hold *hold, int next)
{
	struct uffdwp_scan *s = container_of(hold, struct uffdwp_scan, hold);
	const struct uffdwp_region *lost = s->regions.buffer;
	unsigned int n = s->regions.buffered;
	int err = uffdwp_regions_store(&s->regions, next != UFFDWP_WALK_PAUSE);

	if (err) {
		if (s->rules->undo && uffdwp_scan_resets(s))
			s->rules->undo(s, lost, n);
		s->regions.buffered = 0;
		s->walk.pos = lost[0].start;
	}
	return err;
}

/**
 * uffdwp_scan_run - run a scan to its end, taking mmap_lock, with pauses
 * @s: scan
 *
 * Return: 0, or an error: of a rule, of a walk, or of storing regions.
 */
int uffdwp_scan_run(struct uffdwp_scan *s)
{
	int next = uffdwp_hold_and_pause(&s->hold);

	return next < 0 ? next : 0;
}

/**
 * uffdwp_scan_begin - a scan from @arg->start to @arg->end
 * @mm: mm, held by mmget()
 * @arg: checked request, which stays
 * @rules: rules
 *
 * Return: the scan; the buffer of its regions, and its capacity, are left to the caller.
 */
struct uffdwp_scan uffdwp_scan_begin(struct mm_struct *mm, const struct uffdwp_scan_arg *arg,
				     const struct uffdwp_scan_rules *rules)
{
	return (struct uffdwp_scan){
		.walk = {
			.ops = &uffdwp_scan_ops,
			.pos = arg->start,
			.killable = true,
			.yield = true,
		},
		.hold = {
			.mm = mm,
			.killable = true,
			.work = scan_on,
			.between = scan_deliver,
		},
		.rules = rules,
		.arg = arg,
		.asked = arg->category_inverted | arg->category_mask |
			 arg->category_anyof_mask | arg->return_mask,
		.regions = {
			.vec = u64_to_user_ptr(arg->vec),
			.vec_len = arg->vec_len,
			.max_pages = arg->max_pages ?: U64_MAX,
		},
	};
}

/**
 * uffdwp_scan_arms_only - let a scan arm all pages, and report none
 * @s: scan that resets
 */
void uffdwp_scan_arms_only(struct uffdwp_scan *s)
{
	s->walk.ops = &arming_scan_ops;
}
