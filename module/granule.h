/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_GRANULE_H
#define UFFDWP_GRANULE_H

#include <linux/mm_types.h>

struct uffdwp_tracker;

void uffdwp_granule_open(struct uffdwp_tracker *t, const struct vm_area_struct *vma, pte_t *ptep,
			 unsigned long addr);

#endif /* UFFDWP_GRANULE_H */
