/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_BACKPORT_H
#define UFFDWP_BACKPORT_H

#include <linux/fs.h>
#include <linux/mm_types.h>

#include "compat/hooked.h"

/* The parameter native_abi. */
extern bool uffdwp_native_abi;

/* backport/api.c */
void uffdwp_backport_init(void);
long uffdwp_backport_ioctl(struct file *uffd, unsigned int cmd, void __user *uarg);
bool uffdwp_backport_handles(unsigned int cmd);
void uffdwp_backport_end(const void *ctx, const struct mm_struct *mm);

/* backport/continue.c */
bool uffdwp_backport_continue_init(void);
bool uffdwp_backport_is_continue(unsigned int cmd);
long uffdwp_backport_continue(struct file *uffd, void __user *arg);
bool uffdwp_backport_continues(void);
bool uffdwp_backport_continues_protected(void);

/* backport/fork.c */
int uffdwp_backport_fork_init(void);
void uffdwp_backport_fork_exit(void);
int uffdwp_backport_fork_vma(const void *ctx, struct vm_area_struct *vma, const void *fork);
void uffdwp_backport_fork_begin(const void *fork, struct list_head *ours);
void uffdwp_backport_fork_end(struct list_head *ours);

/* backport/writeprotect.c */
int uffdwp_backport_writeprotect(struct mm_struct *mm, unsigned long start, unsigned long len,
			       bool enable_wp, uffdwp_mmap_changing *changing);

/* backport/scan.c */
void uffdwp_backport_scan_open(struct file *pagemap);

extern bool uffdwp_backport_scan_offered;

#endif /* UFFDWP_BACKPORT_H */
