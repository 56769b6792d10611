// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Scans: regions one by one, fetched from the kernel in batches that go on where the last one
 * ended.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "internal.h"

#define BATCH 512

struct uffdwp_scan {
	struct uffdwp *tracker;
	struct uffdwp_scan_arg arg;
	uint64_t end;
	uint64_t max_pages;		/* still wanted; 0 is no limit */
	bool done;
	unsigned int fetched;
	unsigned int returned;
	struct uffdwp_region regions[BATCH];
};

int uffdwp_scan_start(struct uffdwp *tracker, const struct uffdwp_scan_opts *opts,
		      struct uffdwp_scan **scan)
{
	struct uffdwp_scan_opts full;
	struct uffdwp_scan *s;

	*scan = NULL;
	if (!opts || uffdwp_copy_opts(&full, sizeof(full), opts) ||
	    full.len > UINT64_MAX - full.start)
		return uffdwp_failed(UFFDWP_STEP_SCAN, -EINVAL);
	s = calloc(1, sizeof(*s));
	if (!s)
		return uffdwp_failed(UFFDWP_STEP_SCAN, -ENOMEM);

	if (!full.category_mask && !full.category_anyof_mask)
		full.category_mask = UFFDWP_PAGE_IS_WRITTEN;
	s->tracker = tracker;
	s->end = full.start || full.len ? full.start + full.len : UFFDWP_EVERYTHING;
	s->max_pages = full.max_pages;
	s->done = s->end == full.start;
	s->arg = (struct uffdwp_scan_arg){
		.size = sizeof(s->arg),
		.flags = full.flags,
		.start = full.start,
		.walk_end = full.start,
		.end = s->end,
		.vec = (uintptr_t)s->regions,
		.vec_len = BATCH,
		.category_inverted = full.category_inverted,
		.category_mask = full.category_mask,
		.category_anyof_mask = full.category_anyof_mask,
		.return_mask = full.return_mask,
	};
	if (tracker->sparse && (full.flags & UFFDWP_SCAN_WP_MATCHING))
		s->arg.return_mask |= UFFDWP_PAGE_IS_SPARSE;
	*scan = s;
	return 0;
}

static uint64_t pages_of(const struct uffdwp_region *regions, unsigned int n)
{
	uint64_t pages = 0;

	while (n--)
		pages += (regions[n].end - regions[n].start) / 4096;
	return pages;
}

static int fetch(struct uffdwp_scan *s)
{
	int n;

	s->arg.max_pages = s->max_pages;
	s->fetched = 0;
	s->returned = 0;
	n = s->tracker->ops->scan(s->tracker, &s->arg);
	if (n < 0)
		return n;

	/* Neither a region nor a step: never seen, and it would be asked for ever. */
	if (!n && s->arg.walk_end <= s->arg.start)
		return -EIO;
	s->fetched = n;
	s->arg.start = s->arg.walk_end;
	s->done = s->arg.walk_end == s->end;
	if (s->max_pages) {
		s->max_pages -= pages_of(s->regions, n);
		if (!s->max_pages)
			s->done = true;
	}
	return 0;
}

int uffdwp_scan_next(struct uffdwp_scan *scan, struct uffdwp_region *region)
{
	int err;

	while (scan->returned == scan->fetched) {
		if (scan->done)
			return 0;
		err = fetch(scan);
		if (err)
			return uffdwp_failed(UFFDWP_STEP_SCAN, err);
	}
	*region = scan->regions[scan->returned++];
	return 1;
}

uint64_t uffdwp_scan_position(const struct uffdwp_scan *scan)
{
	if (scan->returned < scan->fetched)
		return scan->regions[scan->returned].start;
	return scan->arg.walk_end;
}

int uffdwp_scan_end(struct uffdwp_scan *scan)
{
	const struct uffdwp_region *region;
	int err = 0;

	if (!scan)
		return 0;
	for (; scan->returned < scan->fetched && !err; scan->returned++) {
		region = &scan->regions[scan->returned];
		if (scan->arg.flags & UFFDWP_SCAN_WP_MATCHING)
			err = uffdwp_disarm(scan->tracker, region->start,
					    region->end - region->start);
	}
	free(scan);
	/* A process that is gone has nothing that could read as clean. */
	return err && err != -ESRCH ? uffdwp_failed(UFFDWP_STEP_SCAN, -EIO) : 0;
}
