// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of memory, and the ways in which a tracker may look after it.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "races.h"

static void map_anonymous(char *at, size_t len, int advice)
{
	char *p = mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		       0);

	/* Not assert_*(): the partner may call this, and it is not the task that runs the test. */
	if (p != at || (kernel_has_thp() && madvise(at, len, advice)))
		abort();
}

static void map_small(char *at, size_t len)
{
	map_anonymous(at, len, MADV_NOHUGEPAGE);
}

static void map_huge_pages(char *at, size_t len)
{
	map_anonymous(at, len, MADV_HUGEPAGE);
}

static int attach_sparse(int tracker)
{
	return dev_attach(tracker, 0, 0, 0, UFFDWP_UNPOP_SPARSE);
}

static int attach_whole_huge(int tracker)
{
	return dev_attach_granule(tracker, UFFDWP_ATTACH_WHOLE_HUGE, 0);
}

static int attach_granule(int tracker)
{
	return dev_attach_granule(tracker, 0, UFFDWP_GRANULE_MIN);
}

const struct kind race_kinds[] = {
	{ .name = "small", .map = map_small, .attach = dev_attach_self, .block = 1, .every = 1 },
	{ .name = "sparse", .map = map_small, .attach = attach_sparse, .block = 1, .every = 6,
	  .features = UFFDWP_FEATURE_UNPOP_SPARSE, .upper_half = true, .sparse = true },
	{ .name = "ring", .map = map_small, .attach = dev_attach_self, .block = 1, .every = 6,
	  .features = UFFDWP_FEATURE_RING, .ring = true },
	/* The lower half. A huge page takes long to be made, the upper half is of small pages. */
	{ .name = "huge", .map = map_huge_pages, .attach = attach_whole_huge, .every = 12,
	  .features = UFFDWP_FEATURE_WHOLE_HUGE, .upper_half = true, .alternates = true,
	  .block = HUGE_PAGE / PAGE, .below = HUGE_PAGE - RACE_LEN / 2 },
	{ .name = "followed", .map = map_small, .attach = dev_attach_self, .block = 1, .every = 6,
	  .features = UFFDWP_FEATURE_FOLLOW | UFFDWP_FEATURE_EVENTS, .followed = true },
	{ .name = "ridden", .map = map_small, .block = 1, .every = 6,
	  .features = UFFDWP_FEATURE_RIDE, .ridden = true },
	{ .name = "granule", .map = map_small, .attach = attach_granule, .every = 6,
	  .features = UFFDWP_FEATURE_GRANULE, .upper_half = true, .block = UFFDWP_GRANULE_MIN },
};

const size_t race_kinds_number = sizeof(race_kinds) / sizeof(race_kinds[0]);
