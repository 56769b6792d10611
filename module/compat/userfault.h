/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * userfaultfd(2): what keeps a fault from waiting for ever, and what else our own ask for.
 */
#ifndef UFFDWP_COMPAT_USERFAULT_H
#define UFFDWP_COMPAT_USERFAULT_H

#include <linux/userfaultfd.h>
#include <linux/userfaultfd_k.h>

/*
 * Flags of userfaultfd(2) that keep a fault of the kernel from waiting for a monitor, and features
 * of UFFDIO_API that keep every fault from it. Where there is no such flag (5.11, "userfaultfd: add
 * UFFD_USER_MODE_ONLY"), the self-test asks for SIGBUS instead, so that a hook that does not fire
 * is an error of put_user() there, too. A tracker has neither then: were its hooks gone, a fault of
 * the kernel would wait until the task is killed, like one of the task itself.
 */
#ifdef UFFD_USER_MODE_ONLY
#define UFFDWP_USERFAULT_FLAGS UFFD_USER_MODE_ONLY
#define UFFDWP_SELFTEST_FEATURES 0
#else
#define UFFDWP_USERFAULT_FLAGS 0
#define UFFDWP_SELFTEST_FEATURES UFFD_FEATURE_SIGBUS
#endif

/*
 * Features of a tracker's own userfaultfd. With WP_ASYNC (which wants WP_UNPOPULATED) the kernel
 * registers VMAs of every kind, and if ever a hook in the fault path does not fire, it resolves the
 * fault itself instead of waiting for a monitor.
 */
#if UFFDWP_KERNEL_HAS_WP_ASYNC
#define UFFDWP_FEATURE_BIT_ASYNC UFFD_FEATURE_WP_ASYNC
#define UFFDWP_USERFAULT_FEATURES (UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED)
#else
#define UFFDWP_FEATURE_BIT_ASYNC 0
#define UFFDWP_USERFAULT_FEATURES 0
#endif

/* struct userfaultfd_wake_range, private to the kernel: len 0 is all */
struct uffdwp_wake_range {
	unsigned long start;
	unsigned long len;
};

#endif /* UFFDWP_COMPAT_USERFAULT_H */
