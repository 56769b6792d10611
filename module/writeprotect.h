/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_WRITEPROTECT_H
#define UFFDWP_WRITEPROTECT_H

#include <linux/mm_types.h>

bool uffdwp_writeprotect_is_ours(const struct vm_area_struct *vma, bool protect);
long uffdwp_writeprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end);

#endif /* UFFDWP_WRITEPROTECT_H */
