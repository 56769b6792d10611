/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_REMAP_H
#define UFFDWP_REMAP_H

#include <linux/mm_types.h>

void uffdwp_remap_ridden(struct vm_area_struct *vma);
void uffdwp_remap(struct vm_area_struct *vma, bool zeroes);

#endif /* UFFDWP_REMAP_H */
