// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rings: what the module tells, in the order in which it is safe to copy it. A harvest takes the
 * entries out of the ring, arms their pages, and hands out the regions only then; so who copies
 * each region as it comes cannot copy a page before it is armed. What is to be scanned is scanned
 * here, and comes as regions, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "internal.h"

/* Entries that are taken out of the ring at once. */
#define HARVEST 512u

struct uffdwp_ring {
	struct uffdwp *tracker;
	const struct uffdwp_ring_header *header;
	size_t bytes;
	uint64_t start, len;			/* what EVERYTHING means */
	struct uffdwp_ring_entry kept[HARVEST];	/* are armed, and to be handed out */
	size_t nr, next;
	bool everything;			/* is to be scanned */
	struct uffdwp_scan *scan;		/* of one entry, or of everything */
	bool harvesting;
	uint64_t until;				/* where the harvest ends */
};

static int start_scan(struct uffdwp_ring *ring, uint64_t start, uint64_t len)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .start = start, .len = len,
		    .flags = UFFDWP_SCAN_WP_MATCHING,
		    .category_mask = UFFDWP_PAGE_IS_WRITTEN,
		    .return_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_UNTRACKED);

	return uffdwp_scan_start(ring->tracker, &opts, &ring->scan);
}

int uffdwp_ring_open(struct uffdwp *tracker, const struct uffdwp_ring_opts *opts,
		     struct uffdwp_ring **ring)
{
	struct uffdwp_ring_opts full;
	struct uffdwp_ring *r;
	void *map;
	int err;

	*ring = NULL;
	if (uffdwp_copy_opts(&full, sizeof(full), opts))
		return uffdwp_failed(UFFDWP_STEP_RING, -EINVAL);
	if (!tracker->ops->ring)
		return uffdwp_failed(UFFDWP_STEP_RING, -EOPNOTSUPP);
	r = calloc(1, sizeof(*r));
	if (!r)
		return uffdwp_failed(UFFDWP_STEP_RING, -ENOMEM);
	err = tracker->ops->ring(tracker, full.entries ? full.entries : 4096,
				 full.watermark ? full.watermark : 1, &r->bytes);
	if (err)
		goto failed;
	map = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, tracker->fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		goto failed;
	}
	r->tracker = tracker;
	r->header = map;
	r->start = full.start;
	r->len = full.len;
	*ring = r;
	return 0;

failed:
	free(r);
	return uffdwp_failed(UFFDWP_STEP_RING, err);
}

void uffdwp_ring_close(struct uffdwp_ring *ring)
{
	if (!ring)
		return;
	uffdwp_scan_end(ring->scan);
	/* What is armed and was not handed out is written. */
	for (; ring->next < ring->nr; ring->next++)
		uffdwp_disarm(ring->tracker, ring->kept[ring->next].start,
			      ring->kept[ring->next].pages * 4096ull);
	munmap((void *)ring->header, ring->bytes);
	free(ring);
}

int uffdwp_ring_fd(const struct uffdwp_ring *ring)
{
	return ring->tracker->fd;
}

int uffdwp_ring_pending(const struct uffdwp_ring *ring)
{
	const struct uffdwp_ring_header *h = ring->header;

	return ring->next < ring->nr || ring->scan || ring->everything ||
	       __atomic_load_n(&h->head, __ATOMIC_ACQUIRE) != h->tail ||
	       (h->flags & UFFDWP_RING_EVERYTHING);
}

static bool read_entry(const struct uffdwp_ring *ring, uint64_t number,
		       struct uffdwp_ring_entry *entry)
{
	const char *first = (const char *)ring->header + ring->header->first;
	const struct uffdwp_ring_entry *e = (const struct uffdwp_ring_entry *)first +
					    number % ring->header->entries;

	entry->flags = __atomic_load_n(&e->flags, __ATOMIC_ACQUIRE);
	entry->start = e->start;
	entry->pages = e->pages;
	return entry->flags;
}

/* Up to HARVEST entries, armed. */
static int harvest(struct uffdwp_ring *ring)
{
	const uint64_t tail = ring->header->tail;
	uint32_t told = 0;
	size_t n = 0;
	int err;

	while (n < HARVEST && n < ring->header->entries &&
	       read_entry(ring, tail + n, &ring->kept[n]))
		n++;
	if (!n && !(ring->header->flags & UFFDWP_RING_EVERYTHING))
		return 0;
	err = ring->tracker->ops->ring_reset(ring->tracker, tail + n, &told);
	/* Also after an error: what it has taken out is told again, or was armed. */
	ring->nr = ring->header->tail - tail;
	ring->next = 0;
	if (told)
		ring->everything = true;
	return err;
}

/* 1 with a region, 0 when it is done, or an error: then its range may be written, as all may be. */
static int next_of_scan(struct uffdwp_ring *ring, struct uffdwp_region *region)
{
	int ret = uffdwp_scan_next(ring->scan, region);

	if (ret > 0)
		return ret;
	if (ret < 0)
		ring->everything = true;
	if (uffdwp_scan_end(ring->scan))
		ring->everything = true;
	ring->scan = NULL;
	return ret;
}

/* The next of what was harvested: 1 with a region, 0 when something else is to be done next. */
static int next_kept(struct uffdwp_ring *ring, struct uffdwp_region *region)
{
	const struct uffdwp_ring_entry *e = &ring->kept[ring->next];
	int ret;

	if (e->flags & UFFDWP_RING_SCAN) {
		ret = start_scan(ring, e->start, e->pages * 4096ull);
		if (!ret)
			ring->next++;
		return ret;
	}
	ring->next++;
	*region = (struct uffdwp_region){
		.start = e->start,
		.end = e->start + e->pages * 4096ull,
		.categories = UFFDWP_PAGE_IS_WRITTEN,
	};
	return 1;
}

/* One step; 0 when another is needed. @done: there is no other */
static int step(struct uffdwp_ring *ring, struct uffdwp_region *region, bool *done)
{
	int ret;

	if (ring->scan)
		return next_of_scan(ring, region);
	if (ring->next < ring->nr)
		return next_kept(ring, region);
	if (ring->everything) {
		ret = start_scan(ring, ring->start, ring->len);
		ring->everything = ret;
		return ret;
	}
	/* Up to what is there now: a process that goes on writing would never let it end. */
	if (!ring->harvesting)
		ring->until = __atomic_load_n(&ring->header->head, __ATOMIC_ACQUIRE);
	else if (ring->header->tail >= ring->until)
		*done = true;
	if (*done)
		return 0;
	ring->harvesting = true;
	ret = harvest(ring);
	*done = !ret && !ring->nr && !ring->everything;
	return ret;
}

int uffdwp_ring_next(struct uffdwp_ring *ring, struct uffdwp_region *region)
{
	bool done = false;
	int ret;

	do {
		ret = step(ring, region, &done);
	} while (!ret && !done);
	if (ret != 1)
		ring->harvesting = false;
	return ret < 0 ? uffdwp_failed(UFFDWP_STEP_RING, ret) : ret;
}
