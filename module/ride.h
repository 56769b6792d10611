/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_RIDE_H
#define UFFDWP_RIDE_H

#include <linux/mm_types.h>

struct uffdwp_tracker;

bool uffdwp_ride_may_begin(const struct uffdwp_tracker *t);
bool uffdwp_ride_may_go_on(const struct uffdwp_tracker *t);
int uffdwp_ride_begin(struct uffdwp_tracker *t);
void uffdwp_ride_join(struct mm_struct *mm, const void *ctx);
void uffdwp_ride_leave(struct uffdwp_tracker *t);
void uffdwp_ride_disarm(struct mm_struct *mm, unsigned long start, unsigned long end,
			const void *ctx);
void uffdwp_ride_let_go(struct mm_struct *mm, const void *ctx, unsigned long start,
			unsigned long end, bool whole);
void uffdwp_ride_off(struct mm_struct *mm, const void *ctx);

#endif /* UFFDWP_RIDE_H */
