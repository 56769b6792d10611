/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything else in every file of the module (see Kbuild), so that no other file
 * needs to know which kernel it is built for. What differs between kernels is in this folder:
 *
 *   ftrace.h	the arguments of a hooked function, and the redirect of a call
 *   pgtable.h	entries and tables
 *   symbols.h	functions of the kernel that are not exported, and their signatures
 */
#ifndef UFFDWP_COMPAT_H
#define UFFDWP_COMPAT_H

#include <linux/version.h>

/*
 * The kernels that the tests run on. Another kernel may have another page-table format, other locks
 * in the fault path or another signature behind the same name, and none of this shows when
 * building.
 */
#ifndef UFFDWP_ALLOW_UNTESTED_KERNEL
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
/* KCFLAGS=-DUFFDWP_ALLOW_UNTESTED_KERNEL builds it all the same. */
#error uffdwp-async is tested on Linux 6.1 only: see Supported kernels in README.md
#endif
#endif

#ifndef CONFIG_X86_64
#error uffdwp-async is for x86-64: the entries in module/pte.h are changed as that processor does it
#endif

#define pr_fmt(fmt) "uffdwp-async: " fmt

#endif /* UFFDWP_COMPAT_H */
