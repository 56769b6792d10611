/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_WRITEPROTECT_H
#define UFFDWP_WRITEPROTECT_H

#include <linux/mm_types.h>

#include "compat/hooked.h"

int uffdwp_writeprotect(struct mm_struct *mm, unsigned long start, unsigned long len,
			const uffdwp_mmap_changing *changing);

#endif /* UFFDWP_WRITEPROTECT_H */
