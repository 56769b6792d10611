/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything else in every file of the module (see Kbuild), so that no other file
 * needs to know which kernel it is built for. What differs between kernels is in this folder:
 *
 *   probe.sh		what the kernel's headers have: UFFDWP_HAS_*, in probed.h when it is built
 *   signatures.h	what no header shows, by version
 *   ftrace.h		the arguments of a hooked function, and the redirect of a call
 *   hooked.h		hooked functions that have other parameters on other kernels
 *   symbols.h		functions of the kernel that are not exported
 *   pgtable.h		tables, and entries of them that are present
 *   entries.h		entries that are not present
 *   pages.h		pages, and where they are found
 *   hugetlb.h		mappings of hugetlb, and their pages
 *   vma.h		mappings
 *   userfault.h	flags of userfaultfd(2)
 *   lockdep.h		assertions
 */
#ifndef UFFDWP_COMPAT_H
#define UFFDWP_COMPAT_H

#include <linux/kconfig.h>

#include "signatures.h"

/*
 * The kernels that the tests run on. Another kernel may have another page-table format, other locks
 * in the fault path or another signature behind the same name, and none of this shows when
 * building.
 */
#define UFFDWP_KERNEL_IS(a, b) (UFFDWP_KERNEL_SINCE(a, b) && UFFDWP_KERNEL_BEFORE(a, (b) + 1))

#ifndef UFFDWP_ALLOW_UNTESTED_KERNEL
#if !UFFDWP_KERNEL_IS(5, 10) && !UFFDWP_KERNEL_IS(6, 1) && !UFFDWP_KERNEL_IS(6, 12) && \
	!UFFDWP_KERNEL_IS(7, 2)
#error "uffdwp-async is not tested on this kernel: see Other kernels in README.md, or build with KCFLAGS=-DUFFDWP_ALLOW_UNTESTED_KERNEL at your own risk"
#endif
#endif

#ifndef CONFIG_X86_64
#error "uffdwp-async is for x86-64: entries in module/pte.h are changed as that processor does it"
#endif

/*
 * Markers remember the bit where nothing is mapped: 5.19, "mm: introduce PTE_MARKER swap entry".
 * Without them the kernel registers anonymous memory only.
 */
#ifdef CONFIG_PTE_MARKER_UFFD_WP
#define UFFDWP_HAVE_MARKERS 1
#else
#define UFFDWP_HAVE_MARKERS 0
#endif

#define UFFDWP_HAVE_SHMEM (UFFDWP_HAVE_MARKERS && IS_ENABLED(CONFIG_SHMEM))
#define UFFDWP_HAVE_HUGETLB (UFFDWP_HAVE_MARKERS && IS_ENABLED(CONFIG_HUGETLB_PAGE))
#define UFFDWP_HAVE_HUGETLBFS (UFFDWP_HAVE_HUGETLB && IS_ENABLED(CONFIG_HUGETLBFS))

/*
 * Mappings of ordinary files: the kernel registers them for write protection with a userfaultfd
 * that has UFFD_FEATURE_WP_ASYNC only, and remembers the bits of their pages in markers.
 */
#define UFFDWP_HAVE_FILES (UFFDWP_HAVE_MARKERS && UFFDWP_HAS_WP_ASYNC)

#define pr_fmt(fmt) "uffdwp-async: " fmt

#endif /* UFFDWP_COMPAT_H */
