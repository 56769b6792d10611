/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_PRIVATE_MM_H
#define UFFDWP_PRIVATE_MM_H

#include <linux/fs.h>
#include <linux/mm_types.h>

int uffdwp_private_mm_init(void);
void uffdwp_private_mm_exit(void);
int uffdwp_run_in_mm(struct mm_struct *mm, void (*run)(void *arg), void *arg);
long uffdwp_private_ioctl(struct file *file, unsigned int cmd, void *arg);

#endif /* UFFDWP_PRIVATE_MM_H */
