// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A set of addresses, as ranges.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

int uffdwp_ranges_reserve(struct uffdwp_ranges *ranges)
{
	struct uffdwp_range *more;
	size_t room;

	/* Removing from the middle of one leaves two. */
	if (ranges->n < ranges->room)
		return 0;
	room = ranges->room ? 2 * ranges->room : 16;
	more = reallocarray(ranges->range, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	ranges->range = more;
	ranges->room = room;
	return 0;
}

/* The first that ends at or above an address. */
static size_t find(const struct uffdwp_ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (ranges->range[middle].end < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Those of [first, last) are replaced by @n others. */
static void replace(struct uffdwp_ranges *ranges, size_t first, size_t last,
		    const struct uffdwp_range *by, size_t n)
{
	memmove(ranges->range + first + n, ranges->range + last,
		(ranges->n - last) * sizeof(*by));
	memcpy(ranges->range + first, by, n * sizeof(*by));
	ranges->n += n - (last - first);
}

void uffdwp_ranges_add(struct uffdwp_ranges *ranges, uint64_t start, uint64_t end)
{
	struct uffdwp_range one = { start, end };
	const size_t first = find(ranges, start);
	size_t last;

	for (last = first; last < ranges->n && ranges->range[last].start <= end; last++) {
		if (ranges->range[last].start < one.start)
			one.start = ranges->range[last].start;
		if (ranges->range[last].end > one.end)
			one.end = ranges->range[last].end;
	}
	replace(ranges, first, last, &one, 1);
}

void uffdwp_ranges_remove(struct uffdwp_ranges *ranges, uint64_t start, uint64_t end)
{
	struct uffdwp_range left[2] = { 0 };
	const size_t first = find(ranges, start);
	size_t last, n = 0;

	for (last = first; last < ranges->n && ranges->range[last].start < end; last++) {
		if (ranges->range[last].start < start)
			left[n++] = (struct uffdwp_range){ ranges->range[last].start, start };
		if (ranges->range[last].end > end)
			left[n++] = (struct uffdwp_range){ end, ranges->range[last].end };
	}
	replace(ranges, first, last, left, n);
}

const struct uffdwp_range *uffdwp_ranges_from(const struct uffdwp_ranges *ranges, uint64_t start)
{
	const size_t at = find(ranges, start + 1);

	return at < ranges->n ? &ranges->range[at] : NULL;
}
