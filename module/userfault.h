/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_USERFAULT_H
#define UFFDWP_USERFAULT_H

#include <linux/fs.h>
#include <linux/mm_types.h>

struct file *uffdwp_userfault_create(struct mm_struct *mm);
struct file *uffdwp_userfault_get(int fd);
int uffdwp_userfault_features(struct file *uffd, unsigned int *features);
long uffdwp_userfault_ioctl(struct file *uffd, unsigned int cmd, void __user *arg);

#endif /* UFFDWP_USERFAULT_H */
