// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is unmapped is told of, to rings and as events; before such an event, what was written in it
 * and no scan has reported: the content of shared memory lives on, and nobody could ask any more.
 * What was remembered of it to be zeroes is forgotten.
 *
 * At the entry of unmap_vmas() the VMAs are out of the tree, or are kept from faults until they are
 * (mmap() over something, since 6.12), so no fault comes any more, and no call can fail and put
 * them back; and their page tables are as they were. That is so for munmap(), mmap() over
 * something, mremap(), shmdt(), brk(), and for exit_mmap(). Earlier, where
 * userfaultfd_unmap_prep() is called, the call may still fail, and leave memory mapped that was
 * told to be gone. An entry without the bit is written; one with it cannot be written to any more,
 * by anybody whom a scan would have noticed.
 *
 * mmap_lock is held, for writing or already for reading, or mm_users is 0. Nothing else may have
 * the mm then but the OOM reaper, which empties entries of anonymous memory. A tracker that ends
 * meanwhile waits (uffdwp_events_enter()).
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>

#include "compat/unmap.h"
#include "events.h"
#include "harvest.h"
#include "kind.h"
#include "pte.h"
#include "ring.h"
#include "sparse.h"
#include "tracker.h"
#include "walk.h"

/**
 * struct harvest - looks for what was written in a VMA
 * @walk: its walk
 * @t: tracker
 * @memory: what it is
 * @start: a run of pages that were written and are not told of yet: first address
 * @end: last address, exclusive; @start where there is none
 */
struct harvest {
	struct uffdwp_walk walk;
	struct uffdwp_tracker *t;
	struct uffdwp_memory memory;
	unsigned long start;
	unsigned long end;
};

static void tell_run(struct harvest *h)
{
	uffdwp_tell_event(h->t, &h->memory, UFFDWP_EVENT_WRITTEN, h->start, h->end);
	h->start = h->end;
}

static void add_written(struct harvest *h, unsigned long start, unsigned long end)
{
	if (start != h->end) {
		tell_run(h);
		h->start = start;
	}
	h->end = end;
}

/*
 * Nothing is there, and no marker. Of a file it was written, or discarded, or never armed.
 * Anonymous memory goes with what is in it: whatever it was, no content is lost; else each mapping
 * that was reserved and never touched would be told to be written.
 */
static void add_empty(struct harvest *h, unsigned long addr, unsigned long end)
{
	if (!vma_is_anonymous(h->walk.vma))
		add_written(h, addr, end);
}

static int harvest_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	add_empty(container_of(walk, struct harvest, walk), addr, end);
	return UFFDWP_WALK_ON;
}

static int harvest_ptes(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			unsigned long end)
{
	struct harvest *h = container_of(walk, struct harvest, walk);

	for (; addr != end; pte++, addr += PAGE_SIZE) {
		if (pte_none(*pte))
			add_empty(h, addr, addr + PAGE_SIZE);
		else if (!uffdwp_pte_armed(*pte))
			add_written(h, addr, addr + PAGE_SIZE);
	}
	return UFFDWP_WALK_ON;
}

static int harvest_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr,
			unsigned long end)
{
	if (!uffdwp_pmd_armed(*pmd))
		add_written(container_of(walk, struct harvest, walk), addr, end);
	return UFFDWP_WALK_ON;
}

static int harvest_hugetlb(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			   unsigned long end)
{
	if (!uffdwp_pte_armed(*pte))
		add_written(container_of(walk, struct harvest, walk), addr, end);
	return UFFDWP_WALK_ON;
}

static const struct uffdwp_walk_ops ops = {
	.hole = harvest_hole,
	.ptes = harvest_ptes,
	.huge = harvest_huge,
	.hugetlb = harvest_hugetlb,
};

/* What the walk has not looked at, for whatever reason, counts as written. */
static void harvest(struct uffdwp_tracker *t, struct vm_area_struct *vma,
		    const struct uffdwp_memory *memory, unsigned long start, unsigned long end)
{
	struct harvest h = {
		.walk = { .ops = &ops, .vma = vma },
		.t = t,
		.memory = *memory,
	};

	if (uffdwp_walk_vma(&h.walk, start, end) != UFFDWP_WALK_ON)
		add_written(&h, h.walk.pos, end);
	tell_run(&h);
}

static bool is_harvested(const struct uffdwp_events *ev, const struct vm_area_struct *vma)
{
	if (ev->flags & UFFDWP_EVENTS_HARVEST_NONE)
		return false;
	return (ev->flags & UFFDWP_EVENTS_HARVEST_ALL) || (vma->vm_flags & VM_SHARED);
}

/* mmap_lock keeps the tracker. */
static void forget_part(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct uffdwp_tracker *t;

	rcu_read_lock();
	t = uffdwp_tracker_of_vma(vma);
	rcu_read_unlock();
	if (t)
		uffdwp_tracker_forget(t, start, end);
}

static void unmap_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      bool exits)
{
	struct uffdwp_memory memory;
	struct uffdwp_events *ev;
	struct uffdwp_tracker *t;

	/* When the mm has no user, only a tracker with events waits for us before it goes. */
	rcu_read_lock();
	t = uffdwp_tracker_of_vma(vma);
	ev = t ? READ_ONCE(t->events) : NULL;
	rcu_read_unlock();
	if (!ev || !uffdwp_vma_is_tracked(t, vma))
		return;
	memory = uffdwp_memory_of(vma);
	if (is_harvested(ev, vma))
		harvest(t, vma, &memory, start, end);
	if (!exits)
		uffdwp_tell_range(ev, &memory, UFFDWP_EVENT_UNMAPPED, start, end);
}

static void mm_is_gone(const struct mm_struct *mm)
{
	struct uffdwp_tracker *t;
	u64 id = 0;

	while ((t = uffdwp_next_with_events(mm, id))) {
		id = t->id;
		uffdwp_events_mm_is_gone(t->events);
	}
}

/**
 * uffdwp_unmaps - VMAs are about to be unmapped, for good
 * @u: what; is used up
 */
void uffdwp_unmaps(struct uffdwp_unmapped *u)
{
	struct mm_struct *mm = u->vma->vm_mm;
	const bool exits = !atomic_read(&mm->mm_users);
	const int index = uffdwp_events_enter();

	if (exits && UFFDWP_EXIT_UNMAPS_UNLOCKED)
		mmap_read_lock(mm);
	for (; u->vma; uffdwp_next_unmapped(u)) {
		const unsigned long start = max(u->start, u->vma->vm_start);
		const unsigned long end = min(u->end, u->vma->vm_end);

		uffdwp_tell_vma(u->vma, start, end, UFFDWP_RING_SCAN);
		unmap_vma(u->vma, start, end, exits);
		if (!exits)
			forget_part(u->vma, start, end);
		cond_resched();
	}
	if (exits && UFFDWP_EXIT_UNMAPS_UNLOCKED)
		mmap_read_unlock(mm);
	if (exits)
		mm_is_gone(mm);
	uffdwp_events_leave(index);
}
