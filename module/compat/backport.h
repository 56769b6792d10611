/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the kernel's own interfaces for tracking writes this kernel lacks, seen in its uapi
 * headers, and their values, which are the same for all kernels.
 */
#ifndef UFFDWP_COMPAT_BACKPORT_H
#define UFFDWP_COMPAT_BACKPORT_H

#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/userfaultfd.h>

/* 6.7, "userfaultfd: UFFD_FEATURE_WP_ASYNC"; with it comes 6.4's UFFD_FEATURE_WP_UNPOPULATED */
#ifdef UFFD_FEATURE_WP_ASYNC
#define UFFDWP_BACKPORTS_WP_ASYNC 0
#else
#define UFFDWP_BACKPORTS_WP_ASYNC 1
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

/* 6.7, "fs/proc/task_mmu: implement IOCTL to get and optionally clear info about PTEs" */
#ifdef PAGEMAP_SCAN
#define UFFDWP_BACKPORTS_PAGEMAP_SCAN 0
#else
#define UFFDWP_BACKPORTS_PAGEMAP_SCAN 1
/* struct uffdwp_scan_arg is laid out as struct pm_scan_arg. */
#define PAGEMAP_SCAN _IOWR('f', 16, struct uffdwp_scan_arg)
#define PM_SCAN_WP_MATCHING (1 << 0)
#define PM_SCAN_CHECK_WPASYNC (1 << 1)
#endif

/* 6.4, "mm: userfaultfd: add UFFDIO_CONTINUE_MODE_WP to install WP PTEs" */
#ifdef UFFDIO_CONTINUE_MODE_WP
#define UFFDWP_KERNEL_LACKS_CONTINUE_WP 0
#else
#define UFFDWP_KERNEL_LACKS_CONTINUE_WP 1
#define UFFDIO_CONTINUE_MODE_WP ((__u64)1 << 1)
#endif

/* 5.13, "userfaultfd: add UFFDIO_CONTINUE ioctl": something that the mode can be added to */
#ifdef UFFDIO_CONTINUE
#define UFFDWP_BACKPORTS_CONTINUE_WP UFFDWP_KERNEL_LACKS_CONTINUE_WP
#else
#define UFFDWP_BACKPORTS_CONTINUE_WP 0
#endif

#endif /* UFFDWP_COMPAT_BACKPORT_H */
