// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDWP_IOC_RING_RESET: arm again what the tracer has read in the ring, that and nothing else.
 *
 * Entries are taken out of the ring first, so that there is room for what is written meanwhile, and
 * then armed, in batches that are sorted: the pages of one table are armed under one hold of its
 * lock, with one flush. What is not armed, for whatever reason, is told again: a page that may be
 * pinned, by arm.c; and all that is left when there is no memory, or the task is killed.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>

#include "arm.h"
#include "compat/hugetlb.h"
#include "device_tracker.h"
#include "hold.h"
#include "off_limits.h"
#include "pte.h"
#include "ring.h"
#include "trace.h"
#include "tracker.h"
#include "walk.h"

/**
 * struct reset - a batch that is being armed
 * @hold: mmap_lock
 * @walk: walk over the part of a VMA
 * @t: tracker
 * @next: the first interval that is not done, sorted and apart from each other
 * @end: behind the last
 * @pos: of @next, all below is done
 */
struct reset {
	struct uffdwp_hold hold;
	struct uffdwp_walk walk;
	struct uffdwp_tracker *t;
	const struct uffdwp_interval *next;
	const struct uffdwp_interval *end;
	unsigned long pos;
};

static bool is_sorted(const struct uffdwp_interval *batch, unsigned int n)
{
	unsigned int i;

	for (i = 1; i < n; i++)
		if (batch[i].start < batch[i - 1].start)
			return false;
	return true;
}

/* Two runs of @from, one behind the other, become one of @to. */
static void merge_runs(struct uffdwp_interval *to, const struct uffdwp_interval *from,
		       unsigned int middle, unsigned int end)
{
	unsigned int a = 0, b = middle;

	while (a < middle || b < end) {
		if (b == end || (a < middle && from[a].start <= from[b].start))
			*to++ = from[a++];
		else
			*to++ = from[b++];
	}
}

/*
 * By merging, with as much room again behind the batch. sort() makes a call through a pointer for
 * each comparison, which costs more than arming the page.
 */
static struct uffdwp_interval *sorted(struct uffdwp_interval *batch, unsigned int n)
{
	struct uffdwp_interval *from = batch, *to = batch + UFFDWP_RING_BATCH;
	unsigned int width, i;

	if (is_sorted(batch, n))
		return batch;
	for (width = 1; width < n; width *= 2) {
		for (i = 0; i < n; i += 2 * width)
			merge_runs(to + i, from + i, min(width, n - i), min(2 * width, n - i));
		swap(from, to);
	}
	return from;
}

/* Sort, and make one of those that touch each other. Returns how many there are then. */
static unsigned int sort_batch(struct uffdwp_interval **from, unsigned int n)
{
	struct uffdwp_interval *batch = sorted(*from, n);
	unsigned int i, last = 0;

	*from = batch;
	if (!n)
		return 0;
	for (i = 1; i < n; i++) {
		if (batch[i].start <= batch[last].end)
			batch[last].end = max(batch[last].end, batch[i].end);
		else
			batch[++last] = batch[i];
	}
	return last + 1;
}

/*
 * Take entries out of the ring, up to *@upto or as many as a batch has room for. Returns how many
 * intervals there are. One that is not published yet cannot have been read: it ends there.
 */
static unsigned int take_batch(struct uffdwp_ring *ring, u64 *pos, u64 *upto,
			       struct uffdwp_interval **batch)
{
	struct uffdwp_ring_header *h = ring->header;
	struct uffdwp_ring_entry *e;
	unsigned int n = 0;
	u64 half;

	while (*pos != *upto && n < UFFDWP_RING_BATCH) {
		e = &ring->entries[*pos & ring->mask];
		half = smp_load_acquire(uffdwp_ring_published(e));
		if (!half) {
			*upto = *pos;
			break;
		}
		if ((half >> 32) & UFFDWP_RING_WRITTEN) {
			ring->batch[n].start = e->start;
			ring->batch[n++].end = e->start + ((u64)(u32)half << PAGE_SHIFT);
		}
		WRITE_ONCE(*uffdwp_ring_published(e), 0);
		++*pos;
		if (!(*pos % UFFDWP_RING_BATCH))
			cond_resched();
	}
	/* From here on the slots may be taken. */
	smp_store_release(&h->tail, *pos);
	/*
	 * Who has read the old @tail may have counted one too many, who reads the new one may count
	 * one too few, and neither has woken poll(). Either that writer sees the new @tail, or its
	 * @head is seen here.
	 */
	smp_mb();
	if (READ_ONCE(h->head) - *pos >= ring->watermark)
		irq_work_queue(&ring->wake);
	*batch = ring->batch;
	return sort_batch(batch, n);
}

/* The intervals that meet [addr, end), cut to it. */
#define for_each_part(r, i, from, to, addr, end)					\
	for ((i) = (r)->next; (i) != (r)->end && (i)->start < (end) &&			\
	     ((from) = max((i)->start, addr), (to) = min((i)->end, end), true); (i)++)	\
		if ((from) < (to))

static void tell_parts(struct reset *r, unsigned long addr, unsigned long end)
{
	const struct uffdwp_interval *i;
	unsigned long from, to;

	for_each_part(r, i, from, to, addr, end)
		uffdwp_tell(r->t, from, to, UFFDWP_RING_WRITTEN);
}

static int reset_hole(struct uffdwp_walk *walk, unsigned long addr, unsigned long end)
{
	struct reset *r = container_of(walk, struct reset, walk);

	if (uffdwp_hole_can_be_armed(r->t, walk->vma) && !uffdwp_is_off_limits(r->t->mm, addr, end))
		return UFFDWP_WALK_POPULATE;
	tell_parts(r, addr, end);
	return UFFDWP_WALK_ON;
}

static int come_back(struct uffdwp_walk *walk, unsigned long addr, enum uffdwp_walk_next first)
{
	walk->pos = addr;
	return first;
}

static int reset_ptes(struct uffdwp_walk *walk, pte_t *ptep, unsigned long addr, unsigned long end)
{
	struct reset *r = container_of(walk, struct reset, walk);
	const struct uffdwp_interval *i;
	unsigned long from, to;
	struct uffdwp_arming a;
	int next = UFFDWP_WALK_ON;

	if (uffdwp_is_off_limits(r->t->mm, addr, end)) {
		tell_parts(r, addr, end);
		return UFFDWP_WALK_ON;
	}
	if (uffdwp_walk_must_notify(walk))
		return come_back(walk, addr, UFFDWP_WALK_NOTIFY);
	uffdwp_arming_begin(&a, r->t, walk, PAGE_SHIFT);
	for_each_part(r, i, from, to, addr, end) {
		for (; from != to; from += PAGE_SIZE) {
			if (!uffdwp_arm_pte(&a, ptep + ((from - addr) >> PAGE_SHIFT), from))
				continue;
			next = come_back(walk, from, UFFDWP_WALK_DRAIN);
			goto end;
		}
	}
end:
	uffdwp_arming_end(&a);
	return next;
}

/* What was not read in the ring stays as it is, so a huge page is split for a part of it. */
static int reset_huge(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	struct reset *r = container_of(walk, struct reset, walk);
	struct uffdwp_arming a;

	uffdwp_arming_begin(&a, r->t, walk, PMD_SHIFT);
	if (uffdwp_pmd_armed(*pmd))
		return UFFDWP_WALK_ON;
	if (uffdwp_is_off_limits(r->t->mm, addr, end)) {
		tell_parts(r, addr, end);
		return UFFDWP_WALK_ON;
	}
	if (!uffdwp_pmd_can_be_armed(walk->vma, addr, end) || r->next->start > addr ||
	    r->next->end < end) {
		if (!uffdwp_pmd_stays_whole(r->t, walk->vma))
			return UFFDWP_WALK_SPLIT;
		/* It was made of small pages since: all of it stays written. */
		addr = round_down(addr, PMD_SIZE);
		uffdwp_tell(r->t, addr, addr + PMD_SIZE, UFFDWP_RING_WRITTEN);
		return UFFDWP_WALK_ON;
	}
	if (uffdwp_walk_must_notify(walk))
		return come_back(walk, addr, UFFDWP_WALK_NOTIFY);
	uffdwp_arm_pmd(&a, pmd, addr);
	uffdwp_arming_end(&a);
	return UFFDWP_WALK_ON;
}

/* Entries are of whole pages of hugetlb; unless the VMA was replaced by one of another size. */
static int reset_hugetlb(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr,
			 unsigned long end)
{
	struct reset *r = container_of(walk, struct reset, walk);
	struct uffdwp_arming a;

	uffdwp_arming_begin(&a, r->t, walk, uffdwp_hugetlb_shift(walk->vma));
	if (uffdwp_pte_armed(*pte))
		return UFFDWP_WALK_ON;
	if (uffdwp_is_off_limits(r->t->mm, addr, end)) {
		tell_parts(r, addr, end);
		return UFFDWP_WALK_ON;
	}
	if (end - addr != 1UL << a.shift || r->next->start > addr || r->next->end < end) {
		addr = round_down(addr, 1UL << a.shift);
		uffdwp_tell(r->t, addr, addr + (1UL << a.shift), UFFDWP_RING_WRITTEN);
		return UFFDWP_WALK_ON;
	}
	if (uffdwp_walk_must_notify(walk))
		return come_back(walk, addr, UFFDWP_WALK_NOTIFY);
	uffdwp_arm_hugetlb(&a, pte, addr);
	uffdwp_arming_end(&a);
	return UFFDWP_WALK_ON;
}

static const struct uffdwp_walk_ops reset_ops = {
	.hole = reset_hole,
	.ptes = reset_ptes,
	.huge = reset_huge,
	.hugetlb = reset_hugetlb,
};

/* All below is done. */
static void advance(struct reset *r, unsigned long pos)
{
	while (r->next != r->end && r->next->end <= pos)
		r->next++;
	r->pos = r->next == r->end ? pos : max(pos, r->next->start);
}

/* How far one walk goes from r->pos on: a table, or what one interval has of the VMA. */
static unsigned long end_of_part(const struct reset *r, struct vm_area_struct *vma)
{
	unsigned long size = PMD_SIZE, end;

	if (is_vm_hugetlb_page(vma))
		size = max(size, 1UL << uffdwp_hugetlb_shift(vma));
	end = round_down(r->pos, size) + size;
	return min(vma->vm_end, max(end, round_down(r->next->end, size)));
}

static int reset_on(struct uffdwp_hold *hold)
{
	struct reset *r = container_of(hold, struct reset, hold);
	struct vm_area_struct *vma = NULL;
	unsigned long end;
	int next;

	lockdep_assert_held(&hold->mm->mmap_lock);
	if (r->t->arming_ended)
		return -ENODEV;
	while (r->next != r->end) {
		if (!vma || r->pos >= vma->vm_end) {
			vma = find_vma(hold->mm, r->pos);
			if (!vma) {
				r->next = r->end;
				break;
			}
			/* Not mapped, or not registered: UNTRACKED, and not to be armed. */
			if (vma->vm_start > r->pos || !uffdwp_vma_is_tracked(r->t, vma)) {
				advance(r, vma->vm_start > r->pos ? vma->vm_start : vma->vm_end);
				vma = NULL;
				continue;
			}
		}
		end = end_of_part(r, vma);
		r->walk.vma = vma;
		/* Within one table there is no pause; behind it, below. */
		r->walk.yield = end - r->pos > PMD_SIZE;
		next = uffdwp_walk_vma(&r->walk, r->pos, end);
		advance(r, next ? r->walk.pos : end);
		if (!next)
			next = uffdwp_may_go_on(hold->mm, true, true);
		if (next)
			return next;
	}
	return UFFDWP_WALK_ON;
}

static int arm_batch(struct uffdwp_tracker *t, const struct uffdwp_interval *batch, unsigned int n)
{
	struct reset r = {
		.hold = { .mm = t->mm, .killable = true, .work = reset_on },
		.walk = { .ops = &reset_ops, .killable = true, .yield = true },
		.t = t,
		.next = batch,
		.end = batch + n,
		.pos = n ? batch->start : 0,
	};
	/* Summed over all processors, so only for who asks. */
	const bool traced = n && trace_uffdwp_armed_enabled();
	const u64 before = traced ? uffdwp_total(t, pages_armed) : 0;
	int err = n ? uffdwp_hold_and_pause(&r.hold) : 0;

	if (traced)
		trace_uffdwp_armed(t->mm, batch->start, r.pos,
				   uffdwp_total(t, pages_armed) - before);
	for (; r.next != r.end; r.next++)
		uffdwp_tell(t, max(r.pos, r.next->start), r.next->end, UFFDWP_RING_WRITTEN);
	return err;
}

/**
 * uffdwp_ring_reset - UFFDWP_IOC_RING_RESET
 * @d: attached tracker, locked, its mm held by mmget()
 * @arg: request; the results are filled in
 *
 * Return: 0, or an error as documented with struct uffdwp_ring_reset_arg.
 */
int uffdwp_ring_reset(struct uffdwp_device_tracker *d, struct uffdwp_ring_reset_arg *arg)
{
	struct uffdwp_tracker *t = &d->base;
	struct uffdwp_ring *ring = t->ring;
	struct uffdwp_ring_header *h;
	u64 armed_before, pos, upto = arg->upto;
	struct uffdwp_interval *batch;
	unsigned int n;
	int err = 0;

	if (!ring)
		return -ENODEV;
	h = ring->header;
	pos = h->tail;
	if (upto < pos || upto > READ_ONCE(h->head))
		return -EINVAL;
	armed_before = uffdwp_total(t, pages_armed);
	while (pos != upto && !err) {
		n = take_batch(ring, &pos, &upto, &batch);
		err = arm_batch(t, batch, n);
	}
	arg->tail = pos;
	arg->armed = uffdwp_total(t, pages_armed) - armed_before;
	/* Once it is told, it is the tracer's to scan. */
	arg->told = err ? 0 : atomic_fetch_andnot(UFFDWP_RING_EVERYTHING,
						  (atomic_t *)&h->flags) & UFFDWP_RING_EVERYTHING;
	return err;
}
