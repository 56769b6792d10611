/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_DISCARD_H
#define UFFDWP_DISCARD_H

#include <linux/fs.h>
#include <linux/mm_types.h>

void uffdwp_discard_range(struct vm_area_struct *vma, unsigned long start, unsigned long len);
u64 uffdwp_file_discards(void);
void uffdwp_discard_file(struct address_space *mapping, loff_t first, loff_t last);

#endif /* UFFDWP_DISCARD_H */
