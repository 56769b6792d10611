/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_GIVEWAY_H
#define UFFDWP_GIVEWAY_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct uffdwp_claim - a process registers memory with its userfaultfd, or unregisters it
 * @ctx: context of the userfaultfd
 * @start: first address
 * @end: last address, exclusive
 * @mode: VM_UFFD_* to be registered for; 0: UFFDIO_UNREGISTER
 * @async: the userfaultfd has UFFD_FEATURE_WP_ASYNC
 */
struct uffdwp_claim {
	const void *ctx;
	unsigned long start;
	unsigned long end;
	unsigned long mode;
	bool async;
};

bool uffdwp_claim_meets_tracker(struct mm_struct *mm, const struct uffdwp_claim *claim);
long uffdwp_give_way(struct mm_struct *mm, const struct uffdwp_claim *claim);

#endif /* UFFDWP_GIVEWAY_H */
