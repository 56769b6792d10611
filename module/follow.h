/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_FOLLOW_H
#define UFFDWP_FOLLOW_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include "device_tracker.h"

/* Trackers that follow. */
extern atomic_t uffdwp_followers;

static __always_inline bool uffdwp_any_follower(void)
{
	return unlikely(atomic_read(&uffdwp_followers));
}

int uffdwp_follow_begin(struct uffdwp_tracker *t, const struct uffdwp_follow *follow);
void uffdwp_follow_end(struct uffdwp_tracker *t);
void uffdwp_follow_forget(struct uffdwp_tracker *t);
void uffdwp_birth(struct mm_struct *mm, unsigned long start, unsigned long end);
bool uffdwp_follow_keeps(const struct uffdwp_tracker *t, struct vm_area_struct *vma);
void uffdwp_follow_moves(const struct vm_area_struct *vma, unsigned long pgoff, unsigned long to,
			 unsigned long len);
void uffdwp_follow_tells_move(const struct uffdwp_tracker *t, struct vm_area_struct *vma,
			      bool keeps);
void uffdwp_follow_moved(struct uffdwp_tracker *t, struct vm_area_struct *vma);
int uffdwp_follow(struct uffdwp_device_tracker *d, struct uffdwp_follow *follow);
int uffdwp_follow_heir(struct uffdwp_device_tracker *d, const struct uffdwp_follow *follow,
		       const atomic_t *given_up);
struct uffdwp_follow uffdwp_follow_of(const struct uffdwp_tracker *t);
bool uffdwp_try_lock(struct mm_struct *mm, const atomic_t *given_up);

#endif /* UFFDWP_FOLLOW_H */
