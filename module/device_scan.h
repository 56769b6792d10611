/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_DEVICE_SCAN_H
#define UFFDWP_DEVICE_SCAN_H

#include "../uapi/uffdwp-async.h"

struct mm_struct;
struct uffdwp_device_tracker;
struct uffdwp_tracker;

#define UFFDWP_SCAN_FLAGS (UFFDWP_SCAN_WP_MATCHING | UFFDWP_SCAN_CHECK_TRACKED)

#define UFFDWP_CATEGORIES \
	(UFFDWP_PAGE_IS_WPALLOWED | UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_FILE | \
	 UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_PFNZERO | \
	 UFFDWP_PAGE_IS_HUGE | UFFDWP_PAGE_IS_SOFT_DIRTY | UFFDWP_PAGE_IS_GUARD | \
	 UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_PINNED | UFFDWP_PAGE_IS_SPARSE)

/* The number of regions is what ioctl(2) returns, an int. */
#define UFFDWP_MAX_REGIONS ((u64)INT_MAX)

long uffdwp_scan(struct uffdwp_device_tracker *d, struct uffdwp_scan_arg *arg);
void uffdwp_scan_undo(struct uffdwp_tracker *t, unsigned long start, unsigned long end);

#endif /* UFFDWP_DEVICE_SCAN_H */
