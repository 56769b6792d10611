/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_BACKPORT_TRACKER_H
#define UFFDWP_BACKPORT_TRACKER_H

#include "tracker.h"

/**
 * struct uffdwp_backport_tracker - the tracker of a userfaultfd of native_abi=1
 * @base: what faults see
 * @ending: its end has begun
 *
 * It has no reference to the userfaultfd, and no command. @ending is set under ending_lock.
 */
struct uffdwp_backport_tracker {
	struct uffdwp_tracker base;
	bool ending;
};

struct uffdwp_backport_tracker *uffdwp_backport_tracker_new(void);
void uffdwp_backport_tracker_release(struct uffdwp_backport_tracker *b);

#endif /* UFFDWP_BACKPORT_TRACKER_H */
