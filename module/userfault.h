/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_USERFAULT_H
#define UFFDWP_USERFAULT_H

#include <linux/fs.h>
#include <linux/mm_types.h>

struct uffdwp_tracker;

struct file *uffdwp_userfault_create(struct mm_struct *mm);
struct file *uffdwp_userfault_get(int fd);
bool uffdwp_userfault_owner_is_known(void);
struct mm_struct *uffdwp_userfault_owner(const struct file *uffd);
struct uffdwp_tracker *uffdwp_userfault_of_field(const struct mm_struct *mm, const void *field);
bool uffdwp_userfault_waiting(const void *ctx);
int uffdwp_userfault_features(struct file *uffd, unsigned int *features);
long uffdwp_userfault_api(struct file *uffd, u64 features);
long uffdwp_userfault_register(struct file *uffd, unsigned long start, unsigned long len);
long uffdwp_userfault_wake(struct file *uffd, unsigned long start, unsigned long len);
long uffdwp_userfault_unregister(struct file *uffd, unsigned long start, unsigned long len);

#endif /* UFFDWP_USERFAULT_H */
