// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages in, regions out: joins neighbours of the same categories, obeys the caller's two limits.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "regions.h"

static void set_room(struct uffdwp_regions *r)
{
	r->room = r->vec ? min_t(u64, r->capacity, r->vec_len - r->stored) : 0;
}

/**
 * uffdwp_regions_use_buffer - before the first page is offered
 * @r: regions, with the caller's array and limits
 * @buffer: what they are put in until they are stored
 * @capacity: elements of it
 */
void uffdwp_regions_use_buffer(struct uffdwp_regions *r, struct uffdwp_region *buffer,
			       unsigned int capacity)
{
	r->buffer = buffer;
	r->capacity = capacity;
	set_room(r);
}

/**
 * uffdwp_regions_add - offer a run of matching pages
 * @r: regions
 * @start: first address, above all that were offered before
 * @end: in: last address, exclusive; out: the last that was taken, when the page limit cut the run
 * @categories: to report for them
 *
 * Does not sleep.
 *
 * Return: what became of them.
 */
enum uffdwp_added uffdwp_regions_add(struct uffdwp_regions *r, unsigned long start,
				   unsigned long *end, u64 categories)
{
	struct uffdwp_region *last = r->buffered ? &r->buffer[r->buffered - 1] : NULL;
	u64 pages = min_t(u64, (*end - start) >> PAGE_SHIFT, uffdwp_regions_room(r));
	unsigned long taken = start + (pages << PAGE_SHIFT);
	bool cut = taken != *end;

	if (!pages)
		return UFFDWP_ADD_NO_ROOM;
	if (!r->vec) {
		/* counted only */
	} else if (last && last->end == start && last->categories == categories) {
		last->end = taken;
	} else if (r->stored + r->buffered == r->vec_len) {
		return UFFDWP_ADD_NO_ROOM;
	} else if (r->buffered == r->capacity) {
		return UFFDWP_ADD_FLUSH_FIRST;
	} else {
		r->buffer[r->buffered++] = (struct uffdwp_region){
			.start = start, .end = taken, .categories = categories,
		};
	}
	*end = taken;
	r->pages += pages;
	if (r->past_limit ? cut : !uffdwp_regions_room(r))
		return UFFDWP_ADD_LAST;
	return UFFDWP_ADD_TAKEN;
}

/**
 * uffdwp_regions_store - store what is buffered in user memory
 * @r: regions
 * @last: nothing more will come. Otherwise the last region stays in the buffer, where the next page
 *	may join it
 *
 * May fault: the caller holds no lock that a fault may take.
 *
 * Return: 0, or -EFAULT; then nothing of the buffer counts as stored.
 */
int uffdwp_regions_store(struct uffdwp_regions *r, bool last)
{
	unsigned int n = r->buffered;

	if (!last && n)
		n--;
	if (!n)
		return 0;
	if (copy_to_user(r->vec + r->stored, r->buffer, n * sizeof(*r->buffer)))
		return -EFAULT;
	r->stored += n;
	r->buffered -= n;
	if (r->buffered)
		r->buffer[0] = r->buffer[n];
	set_room(r);
	return 0;
}
