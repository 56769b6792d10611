/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_REGIONS_H
#define UFFDWP_REGIONS_H

#include <linux/mm.h>
#include <linux/types.h>

#include "../uapi/uffdwp-async.h"

/* What became of pages that were offered. */
enum uffdwp_added {
	UFFDWP_ADD_TAKEN,	/* all taken */
	UFFDWP_ADD_LAST,	/* taken, up to the page limit, which is reached now */
	UFFDWP_ADD_NO_ROOM,	/* not taken: the caller's vec is full, or the limit was reached */
	UFFDWP_ADD_FLUSH_FIRST,	/* not taken: store what is buffered, then offer again */
};

/**
 * struct uffdwp_regions - regions on their way to the caller of a scan
 * @vec: the caller's array, or NULL when it only wants pages armed
 * @vec_len: elements of it
 * @max_pages: matching pages that the caller wants at most
 * @past_limit: with as many pages as are wanted, go on to the next that would be one too many
 * @buffer: regions that are not stored in @vec yet
 * @capacity: elements of it
 * @buffered: used elements of it
 * @room: of which so many may be used: less than @capacity where @vec ends before; 0 without @vec
 * @stored: regions in @vec
 * @pages: matching pages taken
 *
 * Pages are offered under a page-table lock and regions are stored without any lock, since storing
 * may fault.
 */
struct uffdwp_regions {
	struct uffdwp_region __user *vec;
	u64 vec_len;
	u64 max_pages;
	bool past_limit;
	struct uffdwp_region *buffer;
	unsigned int capacity;
	unsigned int buffered;
	unsigned int room;
	u64 stored;
	u64 pages;
};

void uffdwp_regions_use_buffer(struct uffdwp_regions *r, struct uffdwp_region *buffer,
			       unsigned int capacity);
enum uffdwp_added uffdwp_regions_add(struct uffdwp_regions *r, unsigned long start,
				   unsigned long *end, u64 categories);
int uffdwp_regions_store(struct uffdwp_regions *r, bool last);

/*
 * The most frequent case without a call: more pages like the one before them, and more would fit.
 * False: nothing was taken, offer them to uffdwp_regions_add().
 */
static inline bool uffdwp_regions_extend(struct uffdwp_regions *r, unsigned long start,
					 unsigned long pages, u64 categories)
{
	struct uffdwp_region *last;

	if (!r->buffered)
		return false;
	last = &r->buffer[r->buffered - 1];
	if (last->end != start || last->categories != categories ||
	    r->pages + pages >= r->max_pages)
		return false;
	last->end += pages << PAGE_SHIFT;
	r->pages += pages;
	return true;
}

/* The next most frequent: a page that begins a region, and there is room. False: as above. */
static inline bool uffdwp_regions_begin(struct uffdwp_regions *r, unsigned long start,
					u64 categories)
{
	if (r->buffered >= r->room || r->pages + 1 >= r->max_pages)
		return false;
	r->buffer[r->buffered++] = (struct uffdwp_region){
		.start = start, .end = start + PAGE_SIZE, .categories = categories,
	};
	r->pages++;
	return true;
}

/* Undo the pages that were taken last, by one call: they will be offered again. */
static inline void uffdwp_regions_take_back(struct uffdwp_regions *r, unsigned long pages)
{
	struct uffdwp_region *last;

	r->pages -= pages;
	if (!r->vec)
		return;
	last = &r->buffer[r->buffered - 1];
	last->end -= pages << PAGE_SHIFT;
	if (last->start == last->end)
		r->buffered--;
}

/* Pages that may still be offered. */
static inline u64 uffdwp_regions_room(const struct uffdwp_regions *r)
{
	return r->max_pages - r->pages;
}

#endif /* UFFDWP_REGIONS_H */
