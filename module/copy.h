/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_COPY_H
#define UFFDWP_COPY_H

#include <linux/mm_types.h>

#include "compat/hooked.h"

ssize_t uffdwp_copy(struct mm_struct *mm, unsigned long dst, unsigned long src, unsigned long len,
		    uffdwp_mmap_changing *changing, u64 mode);

#endif /* UFFDWP_COPY_H */
