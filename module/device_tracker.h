/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_DEVICE_TRACKER_H
#define UFFDWP_DEVICE_TRACKER_H

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "tracker.h"

/**
 * struct uffdwp_split - a huge page of a file that was split, which leaves its PMD empty
 * @start: first address
 * @end: last address, exclusive; 0: there is none
 * @categories: of all of it, as it was before
 */
struct uffdwp_split {
	unsigned long start;
	unsigned long end;
	u64 categories;
};

/**
 * struct uffdwp_device_tracker - one open of /dev/uffdwp-async
 * @base: what faults see; @base.mm is NULL until attached
 * @lock: held by each command from beginning to end; outside mmap_lock, never taken by a fault
 * @uffd: the userfaultfd that the VMAs are registered with, a reference of our own; from ATTACH on
 *	until @closed, or until a tracker that rides along lets go of it; also of an heir that
 *	could not be attached
 * @left: it was handed in, and the process was seen to have closed it; without @lock
 * @closed: then nothing is tracked any more
 * @files: VMAs of ordinary files can be registered with it: it has WP_ASYNC or, where the kernel
 *	does not have that, is our own
 * @drained_at: when uffdwp_drain_lru() was last at work, in jiffies
 * @split: the huge page of a file that a scan has split last
 * @opener: credentials of who has opened the device
 * @heir: in the list of the tracker that has left this one, until it is claimed (heirs.c)
 * @buffer: regions on their way to user memory, UFFDWP_BUFFER_REGIONS of them
 *
 * @opener, @uffd and @files are set once, with @lock held; what is below changes under it,
 * but for @heir.
 */
struct uffdwp_device_tracker {
	struct uffdwp_tracker base;
	struct mutex lock;
	struct file *uffd;
	bool left;
	bool closed;
	bool files;
	const struct cred *opener;
	struct list_head heir;
	unsigned long drained_at;
	struct uffdwp_split split;
	struct uffdwp_region *buffer;
};

#define UFFDWP_BUFFER_REGIONS 512U

struct uffdwp_device_tracker *uffdwp_device_tracker_new(const struct cred *opener);
void uffdwp_device_tracker_release(struct uffdwp_device_tracker *d);

/* health.c asks, and has it closed */
bool uffdwp_device_tracker_is_left(struct uffdwp_tracker *t);
bool uffdwp_device_tracker_close(struct uffdwp_tracker *t);

/* ride.c lets go of it */
struct file *uffdwp_device_tracker_take_uffd(struct uffdwp_tracker *t);

#endif /* UFFDWP_DEVICE_TRACKER_H */
