/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of a tracker: what becomes written is told to the tracer, who need not look for it.
 *
 * One sentence, which everything here and in hooks/ring.c serves: each page that a scan calls
 * written, in memory that was registered, is in an entry that was not reset, or in a range that is
 * to be scanned (UFFDWP_RING_SCAN), or else UFFDWP_RING_EVERYTHING is set. So what makes an
 * armed page written tells it, and so does what was to arm a page and leaves it written.
 *
 * When to tell. *After* the page has become written, or in the same hold of its page-table lock:
 * a tracer that is told too early resets the entry, and what becomes written then is in none. While
 * a call is under way that discards (madvise(), fallocate()) the ring may not have it yet, as a
 * scan may not (discard.c).
 *
 * Writers. Any number of them, each with another page-table lock, or with none: a slot is taken by
 * compare-and-exchange of @head, and published by one store of the second half of the entry, which
 * is not 0 then. A reader that finds 0 there waits for the writer, which is between these two
 * instructions: it is not preempted there. Slots are free when they are 0 again and @tail has
 * passed them, by UFFDWP_IOC_RING_RESET alone. When there is none, EVERYTHING is set: entries are
 * never overwritten.
 *
 * The memory is mapped by the tracer for reading only, and nothing can make that mapping writable.
 * So its header is what we count with, and its entries are what RESET goes by.
 *
 * Life. t->ring is set once. The ring is freed when no fault can see the tracker any more, that is
 * an RCU grace period after it was unpublished (tracker.c); a mapping of it has a reference to the
 * file, and so to the tracker.
 */
#ifndef UFFDWP_RING_H
#define UFFDWP_RING_H

#include <linux/irq_work.h>
#include <linux/mm_types.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "../uapi/uffdwp-async.h"
#include "tracker.h"

struct uffdwp_device_tracker;

/* Entries that are armed together: sorted, so that each table is locked and flushed once. */
#define UFFDWP_RING_BATCH 4096U

/**
 * struct uffdwp_interval - pages that are to be armed
 * @start: first address
 * @end: last address, exclusive
 */
struct uffdwp_interval {
	unsigned long start;
	unsigned long end;
};

/**
 * struct uffdwp_ring - the ring of a tracker
 * @header: what the tracer maps, and behind it the entries
 * @entries: these
 * @mask: their number, which is a power of two, less one
 * @watermark: that many entries that are not reset wake poll()
 * @wake: wakes poll(), from whatever context
 * @wait: who waits in poll()
 * @bytes: size of @header and entries
 * @batch: UFFDWP_RING_BATCH of them, and as many to sort them, for RESET; the lock of the tracker
 *	is held
 */
struct uffdwp_ring {
	struct uffdwp_ring_header *header;
	struct uffdwp_ring_entry *entries;
	u64 mask;
	u64 watermark;
	struct irq_work wake;
	wait_queue_head_t wait;
	size_t bytes;
	struct uffdwp_interval *batch;
};

/* The half of an entry by which it is published. */
static_assert(sizeof(struct uffdwp_ring_entry) == 16);
static_assert(offsetof(struct uffdwp_ring_entry, flags) ==
	      offsetof(struct uffdwp_ring_entry, pages) + sizeof(u32));

static __always_inline u64 *uffdwp_ring_published(struct uffdwp_ring_entry *e)
{
	return (u64 *)&e->pages;
}

void uffdwp_ring_overflows(struct uffdwp_ring *ring);
void uffdwp_ring_tell_range(struct uffdwp_ring *ring, unsigned long start, unsigned long end,
			    u32 flags);
void uffdwp_ring_set(struct uffdwp_tracker *t, u32 flags);

/**
 * uffdwp_ring_add - one entry
 * @ring: ring; the caller cannot be preempted
 * @start: first address
 * @pages: pages
 * @flags: UFFDWP_RING_WRITTEN or UFFDWP_RING_SCAN
 */
static __always_inline void uffdwp_ring_add(struct uffdwp_ring *ring, unsigned long start,
					    u32 pages, u32 flags)
{
	struct uffdwp_ring_header *h = ring->header;
	/* Before @head, which is never behind it. The slots up to there are 0. */
	const u64 tail = smp_load_acquire(&h->tail);
	struct uffdwp_ring_entry *e;
	u64 head = READ_ONCE(h->head);

	do {
		if (unlikely(head - tail > ring->mask)) {
			uffdwp_ring_overflows(ring);
			return;
		}
	} while (!try_cmpxchg(&h->head, &head, head + 1));
	e = &ring->entries[head & ring->mask];
	WRITE_ONCE(e->start, start);
	smp_store_release(uffdwp_ring_published(e), pages | (u64)flags << 32);
	/*
	 * @tail is read anew, behind the barrier that the exchange was: either this sees what RESET
	 * has freed, or the poll() after that sees this entry.
	 */
	if (unlikely(head + 1 - READ_ONCE(h->tail) == ring->watermark))
		irq_work_queue(&ring->wake);
}

/**
 * uffdwp_tell_locked - a page has become written
 * @t: tracker
 * @addr: its address
 * @pages: its size
 *
 * With the page-table lock held under which that has happened.
 */
static __always_inline void uffdwp_tell_locked(const struct uffdwp_tracker *t, unsigned long addr,
					       u32 pages)
{
	struct uffdwp_ring *ring = READ_ONCE(t->ring);

	if (likely(!ring))
		return;
	/* A page-table lock may be one that sleeps. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	uffdwp_ring_add(ring, addr, pages, UFFDWP_RING_WRITTEN);
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

/**
 * uffdwp_tell - a range has become written, or has to be looked at
 * @t: tracker, or NULL; kept by the caller, by whatever lock
 * @start: first address
 * @end: last address, exclusive
 * @flags: UFFDWP_RING_WRITTEN or UFFDWP_RING_SCAN
 */
static inline void uffdwp_tell(const struct uffdwp_tracker *t, unsigned long start,
			       unsigned long end, u32 flags)
{
	struct uffdwp_ring *ring = t ? READ_ONCE(t->ring) : NULL;

	if (unlikely(ring))
		uffdwp_ring_tell_range(ring, start, end, flags);
}

void uffdwp_tell_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end, u32 flags);
void uffdwp_tell_mm(const struct mm_struct *mm, unsigned long start, unsigned long end);
void uffdwp_rings_of_mm_set(const struct mm_struct *mm, const void *ctx, u32 flags);
bool uffdwp_vma_may_tell(const struct vm_area_struct *vma);

extern atomic_t uffdwp_rings;

/* Has any tracker a ring? */
static __always_inline bool uffdwp_any_ring(void)
{
	return unlikely(atomic_read(&uffdwp_rings));
}

/* Of the mapping. */
static inline u64 uffdwp_ring_bytes(u32 entries)
{
	return PAGE_SIZE + PAGE_ALIGN((u64)entries * sizeof(struct uffdwp_ring_entry));
}

/* What the tracer does: ring.c */
int uffdwp_ring_make(struct uffdwp_device_tracker *d, const struct uffdwp_ring_arg *arg);
void uffdwp_ring_free(struct uffdwp_tracker *t);
int uffdwp_ring_mmap(struct uffdwp_device_tracker *d, struct vm_area_struct *vma);
__poll_t uffdwp_ring_poll(struct uffdwp_device_tracker *d, struct file *file,
			  struct poll_table_struct *table);

/* ring_reset.c */
int uffdwp_ring_reset(struct uffdwp_device_tracker *d, struct uffdwp_ring_reset_arg *arg);

#endif /* UFFDWP_RING_H */
