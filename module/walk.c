// SPDX-License-Identifier: GPL-2.0-only
/*
 * A walk over page tables that can make tables, split huge pages and stop anywhere. The kernel's
 * own walkers can do neither, and are not exported.
 *
 * Needs mmap_lock, for reading at least; or, to take bits away in a VMA of a file, i_mmap_rwsem,
 * which munmap() takes before it frees tables, and khugepaged before it replaces one. Under either:
 *
 *   - tables are made at any time, by faults;
 *   - tables above the lowest level stay: munmap() takes both for writing;
 *   - so does a table of the lowest level, until 6.4: khugepaged takes both for writing, too. Since
 *     6.5 it frees empty tables in VMAs of files (retract_page_tables(), not where write protection
 *     is registered), and since 6.14 MADV_DONTNEED frees those that it has emptied (PT_RECLAIM).
 *     Such a table was empty, so no bit is lost with it. pte_offset_map_lock() fails then, and the
 *     PMD is read again;
 *   - an empty PMD may become a table or a huge page, a huge page may become empty (MADV_DONTNEED,
 *     the split of a file's) or a table (split), so a PMD is read once, and what it said is checked
 *     again under its lock.
 *
 * Tables of hugetlb that several processes share could go away (huge_pmd_unshare()). In a VMA that
 * is registered for write protection there are none: UFFDIO_REGISTER unshares them, and
 * want_pmd_share() says no from then on.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/userfaultfd_k.h>

#include "compat/hugetlb.h"
#include "compat/lockdep.h"
#include "compat/pgtable.h"
#include "compat/vma.h"
#include "hold.h"
#include "walk.h"

/* Between two tables, and before the same one is looked at again. */
static int may_go_on(const struct uffdwp_walk *walk)
{
	if (walk->yield && walk->file_lock && rwsem_is_contended(walk->file_lock))
		return UFFDWP_WALK_PAUSE;
	return uffdwp_may_go_on(walk->vma->vm_mm, walk->killable, walk->yield);
}

static int walk_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl = pmd_lock(walk->vma->vm_mm, pmd);
	int next = UFFDWP_WALK_ON;
	bool huge = uffdwp_pmd_is_huge(*pmd);

	if (huge)
		next = walk->ops->huge(walk, pmd, addr, end);
	spin_unlock(ptl);

	if (next == UFFDWP_WALK_SPLIT)
		uffdwp_split_huge_pmd(walk->vma, pmd, addr);
	return huge ? next : UFFDWP_WALK_SPLIT;
}

static int walk_ptes(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *pte = uffdwp_pte_lock(walk->vma->vm_mm, pmd, addr, &ptl);
	int next;

	/* Gone, or a huge page now. */
	if (uffdwp_pte_lock_failed(pte))
		return UFFDWP_WALK_SPLIT;
	next = walk->ops->ptes(walk, pte, addr, end);
	pte_unmap_unlock(pte, ptl);
	return next;
}

/*
 * A huge zero page that is being split leaves its PMD empty for a moment, under the lock of the PMD
 * (__split_huge_zero_page_pmd()). Without that lock, 512 pages would look unpopulated.
 */
static pmd_t read_pmd(struct mm_struct *mm, pmd_t *pmdp)
{
	pmd_t pmd = READ_ONCE(*pmdp);
	spinlock_t *ptl;

	if (pmd_none(pmd)) {
		ptl = pmd_lock(mm, pmdp);
		pmd = READ_ONCE(*pmdp);
		spin_unlock(ptl);
	}
	return pmd;
}

/*
 * One PMD. SPLIT and POPULATE: it has changed, look again. DRAIN and NOTIFY: do so first, then look
 * again.
 */
static int walk_pmd(struct uffdwp_walk *walk, pmd_t *pmdp, unsigned long addr, unsigned long end)
{
	pmd_t pmd = read_pmd(walk->vma->vm_mm, pmdp);
	int next;

	/* The PMD is read once for all checks, as in pmd_none_or_trans_huge_or_clear_bad(). */
	barrier();
	if (pmd_none(pmd)) {
		next = walk->ops->hole(walk, addr, end);
		/* A part before walk->pos may have been handled. */
		if (next == UFFDWP_WALK_POPULATE && uffdwp_pte_alloc(walk->vma->vm_mm, pmdp))
			return -ENOMEM;
		return next;
	}
	if (uffdwp_pmd_is_huge(pmd))
		return walk_huge(walk, pmdp, addr, end);
	if (pmd_bad(pmd)) {
		walk->pos = addr;
		return -EIO;
	}
	return walk_ptes(walk, pmdp, addr, end);
}

/*
 * Under mmap_lock, as in GUP (collect_longterm_unpinnable_folios()): the work that drains takes no
 * lock of an mm.
 */
static void drain_lru(struct uffdwp_walk *walk)
{
	uffdwp_call(lru_add_drain_all)();
	walk->drained = true;
}

/* From walk->pos on, with the MMU notifiers called for that. */
static int walk_notified(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long end)
{
	struct mmu_notifier_range range;
	int next;

	uffdwp_notifier_start(&range, walk->vma, walk->pos, end);
	walk->notified = true;
	next = walk_pmd(walk, pmd, walk->pos, end);
	walk->notified = false;
	uffdwp_notifier_end(&range);
	return next;
}

/* The PMD may change each time, without end: reschedules, and ends when the task is killed. */
static int walk_changing_pmd(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long end)
{
	int next;

	for (;;) {
		next = walk_pmd(walk, pmd, walk->pos, end);
		if (next == UFFDWP_WALK_NOTIFY)
			next = walk_notified(walk, pmd, end);
		if (next == UFFDWP_WALK_DRAIN)
			drain_lru(walk);
		else if (next != UFFDWP_WALK_POPULATE && next != UFFDWP_WALK_SPLIT)
			return next;
		if (walk->killable && fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

/*
 * Where the PMDs from @pmd on, all of one table, are none no more. They have one lock; why it is
 * taken: read_pmd().
 */
static unsigned long end_of_none(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
				 unsigned long end)
{
	spinlock_t *ptl;

	if (!pmd_none(READ_ONCE(*pmd)))
		return addr;
	ptl = pmd_lock(mm, pmd);
	for (; addr != end && pmd_none(READ_ONCE(*pmd)); pmd++)
		addr = pmd_addr_end(addr, end);
	spin_unlock(ptl);
	return addr;
}

/*
 * From walk->pos on, as far as nothing is there: one call for all of it. Where it is to be
 * populated, which may begin behind walk->pos, PMDs are handled one by one up to *one_by_one.
 */
static int walk_none(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long end,
		     unsigned long *one_by_one)
{
	const unsigned long cut = walk->cut > walk->pos ? min(end, walk->cut) : end;
	const unsigned long border = end_of_none(walk->vma->vm_mm, pmd, walk->pos, cut);
	int next;

	if (border == walk->pos)
		return UFFDWP_WALK_ON;
	next = walk->ops->hole(walk, walk->pos, border);
	if (next == UFFDWP_WALK_ON)
		walk->pos = border;
	if (next != UFFDWP_WALK_POPULATE)
		return next;
	*one_by_one = border;
	return UFFDWP_WALK_ON;
}

/* PMDs of one table, @first is that of walk->pos. */
static int walk_pmds(struct uffdwp_walk *walk, pmd_t *first, unsigned long end)
{
	const unsigned long start = round_down(walk->pos, PMD_SIZE);
	unsigned long border, one_by_one = walk->pos;
	pmd_t *pmd;
	int next = UFFDWP_WALK_ON;

	while (walk->pos != end) {
		pmd = first + ((walk->pos - start) >> PMD_SHIFT);
		if (pmd_none(READ_ONCE(*pmd)) && walk->pos >= one_by_one) {
			next = walk_none(walk, pmd, end, &one_by_one);
			pmd = first + ((walk->pos - start) >> PMD_SHIFT);
		}
		if (!next && walk->pos != end) {
			border = pmd_addr_end(walk->pos, end);
			next = walk_changing_pmd(walk, pmd, border);
			if (!next)
				walk->pos = border;
		}
		if (!next)
			next = may_go_on(walk);
		if (next)
			return next;
	}
	return UFFDWP_WALK_ON;
}

/*
 * The PMD of addr, in a table that goes on to *border. NULL when an upper level has no table up to
 * *border; with populate the tables are made instead.
 */
static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr, unsigned long end, bool populate,
		       unsigned long *border)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	*border = pgd_addr_end(addr, end);
	if (pgd_none(*pgd) && !populate)
		return NULL;
	p4d = uffdwp_p4d_alloc(mm, pgd, addr);
	if (!p4d)
		return ERR_PTR(-ENOMEM);

	/* Of what the level above covers: with four levels this is the end that it is given. */
	*border = p4d_addr_end(addr, *border);
	if (p4d_none(*p4d) && !populate)
		return NULL;
	pud = uffdwp_pud_alloc(mm, p4d, addr);
	if (!pud)
		return ERR_PTR(-ENOMEM);

	*border = pud_addr_end(addr, *border);
	if (pud_none(*pud)) {
		if (!populate)
			return NULL;
		return uffdwp_pmd_alloc(mm, pud, addr) ?: ERR_PTR(-ENOMEM);
	}
	return uffdwp_pud_is_table(*pud) ? pmd_offset(pud, addr) : ERR_PTR(-EIO);
}

static int walk_hugetlb_page(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct vm_area_struct *vma = walk->vma;
	const unsigned long base = round_down(addr, 1UL << uffdwp_hugetlb_shift(vma));
	pte_t *pte = uffdwp_huge_pte_offset(vma, base);
	spinlock_t *ptl;
	int next;

	if (!pte) {
		next = walk->ops->hole(walk, addr, end);
		if (next != UFFDWP_WALK_POPULATE)
			return next;
		pte = uffdwp_huge_pte_alloc(vma, base);
		if (!pte) {
			walk->pos = addr;
			return -ENOMEM;
		}
	}
	ptl = uffdwp_huge_pte_lock(vma, pte);
	next = walk->ops->hugetlb(walk, pte, addr, end);
	spin_unlock(ptl);
	return next;
}

static int walk_notified_hugetlb_page(struct uffdwp_walk *walk, unsigned long addr,
				      unsigned long end)
{
	struct mmu_notifier_range range;
	int next;

	uffdwp_notifier_start(&range, walk->vma, addr, end);
	walk->notified = true;
	next = walk_hugetlb_page(walk, addr, end);
	walk->notified = false;
	uffdwp_notifier_end(&range);
	return next;
}

static int walk_hugetlb(struct uffdwp_walk *walk, unsigned long end)
{
	const unsigned long size = 1UL << uffdwp_hugetlb_shift(walk->vma);
	unsigned long border;
	int next;

	while (walk->pos != end) {
		border = min(end, round_down(walk->pos, size) + size);
		next = walk_hugetlb_page(walk, walk->pos, border);
		if (next == UFFDWP_WALK_NOTIFY)
			next = walk_notified_hugetlb_page(walk, walk->pos, border);
		if (next)
			return next;
		walk->pos = border;
		next = may_go_on(walk);
		if (next)
			return next;
	}
	return UFFDWP_WALK_ON;
}

/* mmap_lock of the VMA's mm, or i_mmap_rwsem of its file. */
static void assert_tables_stay(const struct vm_area_struct *vma)
{
	lockdep_assert(lockdep_is_held(&vma->vm_mm->mmap_lock) ||
		       (vma->vm_file && lockdep_is_held(&vma->vm_file->f_mapping->i_mmap_rwsem)));
}

static int walk_tables(struct uffdwp_walk *walk, unsigned long end)
{
	bool populate = false;
	unsigned long border;
	pmd_t *pmd;
	int next;

	while (walk->pos != end) {
		pmd = find_pmd(walk->vma->vm_mm, walk->pos, end, populate, &border);
		/* A huge PUD, as of a device: the kernel's walkers empty it (split_huge_pud()). */
		if (pmd == ERR_PTR(-EIO) && !userfaultfd_wp(walk->vma))
			pmd = NULL;
		if (IS_ERR(pmd))
			return PTR_ERR(pmd);
		if (pmd) {
			next = walk_pmds(walk, pmd, border);
		} else {
			next = walk->ops->hole(walk, walk->pos, border);
			if (next == UFFDWP_WALK_ON)
				walk->pos = border;
		}
		populate = next == UFFDWP_WALK_POPULATE;
		if (next && !populate)
			return next;
	}
	return UFFDWP_WALK_ON;
}

/**
 * uffdwp_walk_vma - hand the memory of a VMA to the callbacks
 * @walk: all but pos set
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 *
 * Sleeps. Handles one table at least before it pauses, so that a loop on PAUSE ends.
 *
 * Return: UFFDWP_WALK_ON when all is handled; UFFDWP_WALK_PAUSE with something left to handle;
 * UFFDWP_WALK_STOP; -ENOMEM when a table could not be made; -EINTR when the task was killed; -EIO
 * when an entry is of no known kind; or what a callback returned. All below walk->pos is handled.
 */
int uffdwp_walk_vma(struct uffdwp_walk *walk, unsigned long start, unsigned long end)
{
	int next;

	assert_tables_stay(walk->vma);
	walk->pos = start;
	next = is_vm_hugetlb_page(walk->vma) ? walk_hugetlb(walk, end) : walk_tables(walk, end);
	/* Nothing is left to come back for. */
	return next == UFFDWP_WALK_PAUSE && walk->pos == end ? UFFDWP_WALK_ON : next;
}
