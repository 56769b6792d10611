// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disarming: give a page back as it was. Nothing here fails: it needs no memory, and goes on when
 * the task was killed, since what stays armed by mistake is a write that nobody is told of.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>

#include "compat/hugetlb.h"
#include "disarm.h"
#include "hold.h"
#include "kind.h"
#include "pte.h"
#include "ring.h"
#include "sparse.h"
#include "tracker.h"
#include "walk.h"

/**
 * uffdwp_disarm_pte - disarm one entry
 * @mm: mm
 * @addr: its address
 * @ptep: entry, of a PTE-mapped page or of hugetlb; its lock is held
 *
 * Clears the bit also in a writable entry, where it protects nothing. Disarming removes no
 * permission, so no TLB is flushed.
 *
 * Return: whether it was armed.
 */
bool uffdwp_disarm_pte(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	pte_t pte = READ_ONCE(*ptep);

	if (pte_present(pte) ? !pte_uffd_wp(pte) : !uffdwp_absent_pte_has_bit(pte))
		return false;
	if (pte_present(pte))
		uffdwp_pte_disarm_present(ptep);
	else if (uffdwp_pte_is_marker(pte))
		pte_clear(mm, addr, ptep);
	else
		set_pte_at(mm, addr, ptep, pte_swp_clear_uffd_wp(pte));
	return true;
}

/**
 * uffdwp_disarm_pmd - the same for a huge page
 * @mm: mm
 * @addr: an address in it
 * @pmdp: entry; its lock is held
 *
 * Return: whether it was armed.
 */
bool uffdwp_disarm_pmd(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp)
{
	pmd_t pmd = READ_ONCE(*pmdp);

	if (pmd_present(pmd) ? !pmd_uffd_wp(pmd) : !pmd_swp_uffd_wp(pmd))
		return false;
	if (pmd_present(pmd))
		uffdwp_pmd_disarm_present(pmdp);
	else
		set_pmd_at(mm, addr & PMD_MASK, pmdp, pmd_swp_clear_uffd_wp(pmd));
	return true;
}

struct disarm_walk {
	struct uffdwp_walk walk;
	struct uffdwp_tracker *told;	/* in its ring; mmap_lock keeps it. NULL: nobody */
	unsigned int how;
	u64 disarmed;
};

static bool is_how(const struct disarm_walk *w, unsigned int how)
{
	return (w->how & how) == how;
}

static int disarm_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	return UFFDWP_WALK_ON;
}

/* Not zero pages of KSM, which are dirty (is_ksm_zero_pte()): the kernel counts them. */
static bool is_to_be_unmapped(const struct disarm_walk *w, pte_t pte)
{
	return is_how(w, UFFDWP_DISARM_UNMAP) && pte_present(pte) && is_zero_pfn(pte_pfn(pte)) &&
	       !pte_dirty(pte) && (is_how(w, UFFDWP_DISARM_ZEROES) || uffdwp_pte_armed(pte));
}

static int disarm_ptes(struct uffdwp_walk *walk, pte_t *ptep, unsigned long addr, unsigned long end)
{
	struct disarm_walk *w = container_of(walk, struct disarm_walk, walk);
	struct mm_struct *mm = walk->vma->vm_mm;
	const unsigned long start = addr;
	unsigned long first = end, last = addr;
	const u64 before = w->disarmed;
	bool flush = false;
	u64 here;

	for (; addr != end; ptep++, addr += PAGE_SIZE) {
		here = w->disarmed;
		if (is_to_be_unmapped(w, READ_ONCE(*ptep))) {
			if (uffdwp_walk_must_notify(walk)) {
				if (w->told && first < last)
					uffdwp_tell(w->told, first, last, UFFDWP_RING_SCAN);
				walk->pos = addr;
				return UFFDWP_WALK_NOTIFY;
			}
			ptep_get_and_clear(mm, addr, ptep);
			w->disarmed++;
			flush = true;
		} else {
			w->disarmed += uffdwp_disarm_pte(mm, addr, ptep);
		}
		if (w->disarmed != here) {
			first = min(first, addr);
			last = addr + PAGE_SIZE;
		}
	}
	/* With others between them that may be armed still (not for long), or are not. */
	if (w->told && first < last)
		uffdwp_tell(w->told, first, last,
			    (last - first) >> PAGE_SHIFT == w->disarmed - before ?
			    UFFDWP_RING_WRITTEN : UFFDWP_RING_SCAN);
	if (flush)
		uffdwp_flush_tlb(mm, start, end, PAGE_SHIFT);
	return UFFDWP_WALK_ON;
}

/* A part of a huge page is disarmed with the whole, here and below: more is written, not less. */
static int disarm_hugetlb(struct uffdwp_walk *walk, pte_t *ptep, unsigned long addr,
			  unsigned long end)
{
	struct disarm_walk *w = container_of(walk, struct disarm_walk, walk);
	const unsigned int shift = uffdwp_hugetlb_shift(walk->vma);

	addr = round_down(addr, 1UL << shift);
	if (uffdwp_disarm_pte(walk->vma->vm_mm, addr, ptep)) {
		w->disarmed += 1UL << (shift - PAGE_SHIFT);
		uffdwp_tell(w->told, addr, addr + (1UL << shift), UFFDWP_RING_WRITTEN);
	}
	return UFFDWP_WALK_ON;
}

static int disarm_huge(struct uffdwp_walk *walk, pmd_t *pmdp, unsigned long addr, unsigned long end)
{
	struct disarm_walk *w = container_of(walk, struct disarm_walk, walk);

	if (is_how(w, UFFDWP_DISARM_SPLIT) && end - addr != PMD_SIZE &&
	    uffdwp_pmd_armed(*pmdp))
		return UFFDWP_WALK_SPLIT;
	if (uffdwp_disarm_pmd(walk->vma->vm_mm, addr, pmdp)) {
		w->disarmed += PTRS_PER_PTE;
		addr = round_down(addr, PMD_SIZE);
		uffdwp_tell(w->told, addr, addr + PMD_SIZE, UFFDWP_RING_WRITTEN);
	}
	return UFFDWP_WALK_ON;
}

static const struct uffdwp_walk_ops disarm_ops = {
	.hole = disarm_hole,
	.ptes = disarm_ptes,
	.huge = disarm_huge,
	.hugetlb = disarm_hugetlb,
};

static void clear_marker(const struct disarm_walk *w, pte_t *ptep, unsigned long addr)
{
	struct vm_area_struct *vma = w->walk.vma;

	if (is_how(w, UFFDWP_DISARM_TO_ZERO) && vma_is_anonymous(vma) && !userfaultfd_missing(vma))
		set_pte_at(vma->vm_mm, addr, ptep, uffdwp_zero_pte(vma, addr));
	else
		pte_clear(vma->vm_mm, addr, ptep);
}

static int clear_markers(struct uffdwp_walk *walk, pte_t *ptep, unsigned long addr,
			 unsigned long end)
{
	const struct disarm_walk *w = container_of(walk, struct disarm_walk, walk);

	for (; addr != end; ptep++, addr += PAGE_SIZE)
		if (uffdwp_pte_is_marker(READ_ONCE(*ptep)))
			clear_marker(w, ptep, addr);
	return UFFDWP_WALK_ON;
}

static int leave_huge(struct uffdwp_walk *walk, pmd_t *pmdp, unsigned long addr, unsigned long end)
{
	return UFFDWP_WALK_ON;
}

static const struct uffdwp_walk_ops marker_ops = {
	.hole = disarm_hole,
	.ptes = clear_markers,
	.huge = leave_huge,
};

/* How far it came: to @end, unless @walk pauses. */
static unsigned long walk_past_unknown(struct uffdwp_walk *walk, unsigned long pos,
				       unsigned long end)
{
	int next;

	while (pos < end) {
		next = uffdwp_walk_vma(walk, pos, end);
		if (next == UFFDWP_WALK_ON)
			break;
		if (next == UFFDWP_WALK_PAUSE)
			return walk->pos;
		/* An entry of no known kind cannot be armed: skip the rest of its table. */
		pos = pmd_addr_end(walk->pos, end);
	}
	return end;
}

/*
 * Page tables of hugetlb may be shared with other processes where write protection is not
 * registered, and then go away unless i_mmap_rwsem is held (huge_pmd_unshare()).
 */
static unsigned long walk_locked(struct uffdwp_walk *walk, unsigned long start, unsigned long end)
{
	struct address_space *mapping = walk->vma->vm_file->f_mapping;

	i_mmap_lock_read(mapping);
	walk->file_lock = &mapping->i_mmap_rwsem;
	start = walk_past_unknown(walk, start, end);
	walk->file_lock = NULL;
	i_mmap_unlock_read(mapping);
	return start;
}

/*
 * What is sparse is armed without an entry. Before the entries: a scan that comes in between finds
 * the range no more, and what it has armed by then is disarmed below.
 */
static void disarm_sparse(struct disarm_walk *w, unsigned long start, unsigned long end)
{
	struct uffdwp_tracker *t = NULL;

	if (vma_is_anonymous(w->walk.vma) && is_how(w, UFFDWP_DISARM_ALL))
		t = uffdwp_tracker_of_vma(w->walk.vma);
	if (t && t->sparse.on)
		w->disarmed += uffdwp_sparse_remove_all(&t->sparse, start, end);
}

/* A part at least; returns how far it came. */
static unsigned long disarm_some(struct disarm_walk *w, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = w->walk.vma;

	disarm_sparse(w, start, end);
	if (is_vm_hugetlb_page(vma) && !userfaultfd_wp(vma) && !is_how(w, UFFDWP_DISARM_LOCKED))
		return walk_locked(&w->walk, start, end);
	return walk_past_unknown(&w->walk, start, end);
}

static struct disarm_walk walk_of(struct vm_area_struct *vma, unsigned int how)
{
	if (!vma_is_anonymous(vma))
		how &= ~(UFFDWP_DISARM_ZEROES & ~UFFDWP_DISARM_ALL);
	/* The bits there are those of the userfaultfd monitor, which waits for every access. */
	if (vma->vm_flags & VM_UFFD_RWP)
		how = UFFDWP_DISARM_NOTHING;
	return (struct disarm_walk){
		.walk = {
			.ops = how & UFFDWP_DISARM_MARKERS ? &marker_ops : &disarm_ops,
			.vma = vma,
		},
		/* It may get a ring meanwhile. With i_mmap_rwsem alone discard.c tells. */
		.told = how & UFFDWP_DISARM_LOCKED ? NULL : uffdwp_tracker_of_vma(vma),
		.how = how,
	};
}

/**
 * uffdwp_disarm_vma - make a part of a VMA written, and leave nothing protected in it
 * @vma: VMA, with a lock held that keeps its tables: walk.c
 * @start: first address, inside the VMA
 * @end: last address, exclusive, inside the VMA
 * @how: UFFDWP_DISARM_*; UNMAP and ZEROES need mmap_lock
 *
 * Cannot fail: it needs no memory. Markers are cleared, also those of files.
 *
 * Return: pages that were armed.
 */
u64 uffdwp_disarm_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      unsigned int how)
{
	struct disarm_walk w = walk_of(vma, how);

	while (w.how != UFFDWP_DISARM_NOTHING && start < end)
		start = disarm_some(&w, start, end);
	return w.disarmed;
}

struct disarm_range {
	struct uffdwp_hold hold;
	uffdwp_disarm_how *how;
	const void *arg;
	unsigned long pos;
	unsigned long end;
	bool yield;
	u64 disarmed;
};

/* From @r->pos on, in @vma; may pause. */
static void disarm_in_vma(struct disarm_range *r, struct vm_area_struct *vma)
{
	struct disarm_walk w = walk_of(vma, r->how(vma, r->arg));
	const unsigned long end = min(r->end, vma->vm_end);

	w.walk.yield = r->yield;
	r->pos = max(r->pos, vma->vm_start);
	r->pos = w.how == UFFDWP_DISARM_NOTHING ? end : disarm_some(&w, r->pos, end);
	r->disarmed += w.disarmed;
}

static int disarm_on(struct uffdwp_hold *hold)
{
	struct disarm_range *r = container_of(hold, struct disarm_range, hold);
	struct vm_area_struct *vma;
	int next;

	while (r->pos < r->end) {
		vma = find_vma(hold->mm, r->pos);
		if (!vma || vma->vm_start >= r->end)
			break;
		disarm_in_vma(r, vma);
		next = uffdwp_may_go_on(hold->mm, false, r->yield);
		if (next)
			return next;
	}
	return UFFDWP_WALK_ON;
}

/**
 * uffdwp_disarm_range - disarm what is chosen in a range, with pauses
 * @mm: held by mmget(); mmap_lock is taken here
 * @start: first address
 * @end: last address, exclusive
 * @how: asked about each VMA of the range: UFFDWP_DISARM_*
 * @arg: its second argument
 *
 * Goes on when the task was killed: an undo that left pages armed would hide their earlier writes,
 * which were not reported.
 *
 * What was armed when this began is disarmed when it returns, unless it was armed again. For that,
 * no armed entry may move from a part that is still to come into one that is done, and stay armed
 * and registered. mremap() unregisters the VMA that it moves and, on 6.1 and later, clears the
 * bits, unless the userfaultfd has UFFD_FEATURE_EVENT_REMAP. There is no pause where a tracker of
 * @mm has such a userfaultfd.
 *
 * Return: pages that were armed.
 */
u64 uffdwp_disarm_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			uffdwp_disarm_how *how, const void *arg)
{
	struct disarm_range r = {
		.hold = { .mm = mm, .work = disarm_on },
		.how = how,
		.arg = arg,
		.pos = start,
		.end = end,
		.yield = !uffdwp_mm_moves_armed(mm),
	};

	uffdwp_hold_and_pause(&r.hold);
	return r.disarmed;
}

static unsigned int all_if_free(struct vm_area_struct *vma, const void *arg)
{
	return !vma->vm_userfaultfd_ctx.ctx && uffdwp_kind_is_offered(vma) ?
	       UFFDWP_DISARM_ALL : UFFDWP_DISARM_NOTHING;
}

/**
 * uffdwp_disarm_unregistered - leave nothing protected where no userfaultfd is registered
 * @mm: held by mmget(); mmap_lock is taken here
 * @start: first address
 * @end: last address, exclusive
 *
 * Bits that an earlier userfaultfd has left would make pages read as "not written" that the next
 * tracker has not armed.
 */
void uffdwp_disarm_unregistered(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	uffdwp_disarm_range(mm, start, end, all_if_free, NULL);
}

static unsigned int all_if_tracked(struct vm_area_struct *vma, const void *t)
{
	return uffdwp_vma_is_tracked(t, vma) ? uffdwp_disarm_all_of(t, vma) : UFFDWP_DISARM_NOTHING;
}

/**
 * uffdwp_disarm_tracked - make a range written where it is registered with the tracker
 * @t: tracker, its mm held by mmget(); mmap_lock is taken here
 * @start: first address
 * @end: last address, exclusive
 *
 * Return: pages that were armed.
 */
u64 uffdwp_disarm_tracked(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	const u64 disarmed = uffdwp_disarm_range(t->mm, start, end, all_if_tracked, t);

	/* What is not mapped, or another's, by now, and may become a part of a VMA that grows. */
	if (t->sparse.on)
		uffdwp_sparse_remove_all(&t->sparse, start, end);
	return disarmed;
}

/*
 * In VMAs that mremap() has unregistered. remap.c does this at once, but its hook may not have been
 * called (health.c). Only markers in anonymous memory matter: a kernel that does not know them
 * there kills the task that touches one, once our hook on do_swap_page() is gone. Other bits may be
 * those of another userfaultfd.
 */
static unsigned int lost_markers(const struct uffdwp_tracker *t, struct vm_area_struct *vma)
{
	if (UFFDWP_KERNEL_HAS_ANON_MARKERS || !READ_ONCE(t->anon_markers) ||
	    !vma_is_anonymous(vma))
		return UFFDWP_DISARM_NOTHING;
	if (!vma->vm_userfaultfd_ctx.ctx)
		return UFFDWP_DISARM_ALL;
	return uffdwp_tracker_of_vma(vma) ? UFFDWP_DISARM_NOTHING : UFFDWP_DISARM_MARKERS;
}

static unsigned int zeroes_for_markers(struct vm_area_struct *vma, const void *arg)
{
	const struct uffdwp_tracker *t = arg;

	if (vma->vm_userfaultfd_ctx.ctx != t->ctx)
		return lost_markers(t, vma);
	return vma_is_anonymous(vma) ? UFFDWP_DISARM_TO_ZERO : UFFDWP_DISARM_NOTHING;
}

/**
 * uffdwp_tracker_replace_markers - leave no marker in anonymous memory, nor let one come
 * @t: tracker of a monitor that write faults are delivered to, its mm held by mmget(); mmap_lock is
 *	taken here
 *
 * Where the kernel does not know them, and the hook that does is dead. It delivers the write fault
 * of a zero page with the bit by itself.
 */
void uffdwp_tracker_replace_markers(struct uffdwp_tracker *t)
{
	/* Waits for those who arm, and later ones see it. */
	mmap_write_lock(t->mm);
	t->markers = false;
	mmap_write_unlock(t->mm);
	uffdwp_disarm_range(t->mm, 0, ULONG_MAX, zeroes_for_markers, t);
}

static unsigned int all_of_tracker(struct vm_area_struct *vma, const void *arg)
{
	const struct uffdwp_tracker *t = arg;

	if (vma->vm_userfaultfd_ctx.ctx != t->ctx)
		return lost_markers(t, vma);
	if (uffdwp_tracker_is_ridden_off(t))
		return UFFDWP_DISARM_NOTHING;
	return uffdwp_disarm_all_of(t, vma);
}

/**
 * uffdwp_tracker_disarm_all - disarm all memory of the tracker, and let nothing be armed again
 * @t: attached tracker, its mm held by mmget(); mmap_lock is taken here
 *
 * From now on ARM, and SCAN that resets, fail with -ENODEV, also those that are under way. Faults
 * still find the tracker, and those that have met an armed entry are resolved.
 *
 * mmap_lock is dropped in between (hold.c), so what is disarmed must stay so while the rest is
 * still to come. In the VMAs that are registered with the tracker an entry becomes armed
 *
 *   - by uffdwp_arming_begin(), under mmap_lock. Setting @arming_ended waits for its callers, and
 *     later ones see it;
 *   - by fork(), in another mm;
 *   - by mremap(), if the userfaultfd has UFFD_FEATURE_EVENT_REMAP: then mmap_lock is not dropped,
 *     and drain_faults() disarms once more;
 *   - by UFFDIO_MOVE, for a swap entry: move.c disarms what has arrived;
 *   - by calls of the process on a userfaultfd that was handed in (UFFDIO_COPY_MODE_WP). What these
 *     arm now is for the monitor of that userfaultfd.
 *
 * Everything else that replaces an entry (a split, swap, migration, a zap that leaves a marker)
 * reads it and writes the new one under one hold of the page-table lock, as we do: what is not
 * armed before is not armed after it.
 */
void uffdwp_tracker_disarm_all(struct uffdwp_tracker *t)
{
	mmap_write_lock(t->mm);
	t->arming_ended = true;
	mmap_write_unlock(t->mm);
	uffdwp_disarm_range(t->mm, 0, ULONG_MAX, all_of_tracker, t);
}
