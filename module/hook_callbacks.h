/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ftrace calls at the entry of each hooked function: the table is in hooks.c. None where the
 * kernel lacks what it is for.
 *
 * They run in the fault path of every process while a tracker is open, so they look at as little as
 * they can, take no lock and do not sleep. They are not traced themselves.
 */
#ifndef UFFDWP_HOOK_CALLBACKS_H
#define UFFDWP_HOOK_CALLBACKS_H

#include <linux/ftrace.h>

#include "compat/hooked.h"
#include "compat/native.h"

#define UFFDWP_CALLBACK(name)							\
	void uffdwp_on_##name(unsigned long ip, unsigned long parent_ip,	\
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)

UFFDWP_CALLBACK(handle_userfault);
UFFDWP_CALLBACK(do_wp_page);
UFFDWP_CALLBACK(userfaultfd_ioctl);
UFFDWP_CALLBACK(change_protection);
UFFDWP_CALLBACK(do_swap_page);
UFFDWP_CALLBACK(zap);

#if UFFDWP_HAVE_SHMEM
UFFDWP_CALLBACK(shmem_fallocate);
UFFDWP_CALLBACK(shmem_setattr);
#else
#define uffdwp_on_shmem_fallocate NULL
#define uffdwp_on_shmem_setattr NULL
#endif

#if UFFDWP_HAVE_HUGETLBFS
UFFDWP_CALLBACK(hugetlbfs_fallocate);
UFFDWP_CALLBACK(hugetlbfs_setattr);
#else
#define uffdwp_on_hugetlbfs_fallocate NULL
#define uffdwp_on_hugetlbfs_setattr NULL
#endif

#if UFFDWP_HAVE_HUGETLB
UFFDWP_CALLBACK(copy_hugetlb_page_range);
UFFDWP_CALLBACK(hugetlb_mfill);
#else
#define uffdwp_on_hugetlb_mfill NULL
#define uffdwp_on_copy_hugetlb_page_range NULL
#endif

#if UFFDWP_HAVE_FILES
UFFDWP_CALLBACK(userfaultfd_wp_async);
UFFDWP_CALLBACK(vfs_fallocate);
UFFDWP_CALLBACK(notify_change);
#else
#define uffdwp_on_userfaultfd_wp_async NULL
#define uffdwp_on_vfs_fallocate NULL
#define uffdwp_on_notify_change NULL
#endif

UFFDWP_CALLBACK(mremap_userfaultfd_prep);

#if UFFDWP_PROTECTS_IN_MCOPY
UFFDWP_CALLBACK(mcopy_atomic);
#define uffdwp_on_mfill NULL
#else
#define uffdwp_on_mcopy_atomic NULL
UFFDWP_CALLBACK(mfill);
#endif

UFFDWP_CALLBACK(mwriteprotect_range);
UFFDWP_CALLBACK(dup_userfaultfd);
UFFDWP_CALLBACK(dup_userfaultfd_complete);
UFFDWP_CALLBACK(userfaultfd_release);
UFFDWP_CALLBACK(pagemap_open);

#endif /* UFFDWP_HOOK_CALLBACKS_H */
