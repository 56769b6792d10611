/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_FORK_H
#define UFFDWP_FORK_H

#include <linux/mm_types.h>

void uffdwp_fork_hugetlb(struct vm_area_struct *child);

#endif /* UFFDWP_FORK_H */
