/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_NATIVE_H
#define UFFDWP_NATIVE_H

#include <linux/fs.h>
#include <linux/mm_types.h>

#include "compat/hooked.h"

/* The parameter native_abi. */
extern bool uffdwp_native_abi;

/* native_api.c */
void uffdwp_native_init(void);
long uffdwp_native_ioctl(struct file *uffd, unsigned int cmd, void __user *uarg);
bool uffdwp_native_handles(unsigned int cmd);
void uffdwp_native_end(const void *ctx, const struct mm_struct *mm);

/* native_continue.c */
bool uffdwp_native_continue_init(void);
bool uffdwp_native_is_continue(unsigned int cmd);
long uffdwp_native_continue(struct file *uffd, void __user *arg);
bool uffdwp_native_continues(void);
bool uffdwp_native_continues_protected(void);

/* native_fork.c */
int uffdwp_native_fork_init(void);
void uffdwp_native_fork_exit(void);
int uffdwp_native_fork_vma(const void *ctx, struct vm_area_struct *vma, const void *fork);
void uffdwp_native_fork_begin(const void *fork, struct list_head *ours);
void uffdwp_native_fork_end(struct list_head *ours);

/* native_writeprotect.c */
int uffdwp_native_writeprotect(struct mm_struct *mm, unsigned long start, unsigned long len,
			       bool enable_wp, uffdwp_mmap_changing *changing);

/* native_scan.c */
void uffdwp_native_scan_open(struct file *pagemap);

extern bool uffdwp_native_scan_offered;

#endif /* UFFDWP_NATIVE_H */
