/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_RIDE_H
#define UFFDWP_RIDE_H

#include <linux/mm_types.h>

struct uffdwp_tracker;

int uffdwp_ride_check(const struct uffdwp_tracker *t);
bool uffdwp_ride_wants(const struct uffdwp_tracker *t, const struct vm_area_struct *vma);
void uffdwp_ride_leave(struct uffdwp_tracker *t);
void uffdwp_ride_off(struct mm_struct *mm, const void *ctx);

#endif /* UFFDWP_RIDE_H */
