/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything else in every file of the module (see Kbuild), so that no other file
 * needs to know which kernel it is built for. What differs between kernels is in this folder:
 *
 *   probe.sh		what the kernel's headers have: UFFDWP_KERNEL_HAS_*, in probed.h once built
 *   signatures.h	what no header shows, by version
 *   ftrace.h		the arguments of a hooked function, and the redirect of a call
 *   declared.c		what headers do show of these, compared when the module is built
 *   hooked.h		hooked functions that have other parameters on other kernels
 *   symbols.h		functions of the kernel that are not exported; symbols.c finds them
 *   pgtable.h		page tables, and present entries
 *   entries.h		non-present entries
 *   pages.h		pages, and where they are found
 *   hugetlb.h		VMAs of hugetlb, and their pages
 *   vma.h		VMAs
 *   userfault.h	flags of userfaultfd(2)
 *   backport.h		the kernel's own interfaces for tracking writes, which native_abi=1 offers
 *   lockdep.h		assertions
 *   memcg.h		memory cgroups
 *
 * To add Linux X.Y, have its sources, and those of its neighbour among the kernels below.
 *
 *   1. A line in tests/vm/kernels. "tests/vm/run --kernel X.Y --no-module -- uname -r" boots it.
 *
 *   2. "tests/vm/build-module X.Y KCFLAGS=-DUFFDWP_ALLOW_UNTESTED_KERNEL". What does not compile is
 *      mended in this folder: by a probe in probe.sh if a header shows it, in signatures.h if none
 *      does; and so is what declared.c finds, whose errors name the function. Compare
 *      build/module/X.Y/module/compat/probed.h with that of the neighbour, and know of each line
 *      that differs why it does. Load it in a guest and read the kernel log: a function that is
 *      gone shows only there.
 *
 *   3. What no compiler sees is read in both sources:
 *       - Parameters and result of each function in symbols.h, in hooked.h and at the hooks of
 *         hooks/. Is it still a function and not inlined, still called from where we think, under
 *         the same locks? A change becomes a border in signatures.h; one between the two kernels
 *         is looked up exactly.
 *       - The fault path: do_wp_page(), do_swap_page(), handle_userfault(), and their locks.
 *       - Who keeps, drops or moves the bit: change_pte_range(), change_huge_pmd(),
 *         copy_page_range(), try_to_migrate_one(), remove_migration_pte(), zap_pte_range(),
 *         move_ptes(), collapsing and splitting of huge pages.
 *       - Entries that are not present, and markers: <linux/swapops.h> or <linux/leafops.h>.
 *       - vma_can_userfault(), against kind.h; new VM_UFFD_* flags, and what UFFDIO_REGISTER
 *         checks.
 *       - References that a page has without any pin, against pinned.h.
 *       - New UFFDIO_* and PM_SCAN_* in the uapi headers, against backport.h and backport/scan.c.
 *
 *   4. Let it in: UFFDWP_KERNEL_IS below, dkms.conf, MODULE_INFO in main.c, the table in README.md.
 *      tests/unit/check-kernels tells which of them is missing.
 *
 *   5. "make check-unit"; check, check-native and dkms-check with KERNELS=X.Y; "make lint". What
 *      this kernel cannot serve is a row in tests/guest/support/unserved.c, what it forgets one in
 *      matrix/table.c, where PAGEMAP_SCAN says something else one in differential/known.c: no test
 *      is left out in any other way. "test_matrix --table" prints what uffdwp-pages(7) then says.
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
#define UFFDWP_KERNEL_HAS_MARKERS 1
#else
#define UFFDWP_KERNEL_HAS_MARKERS 0
#endif

#define UFFDWP_TRACKS_SHMEM (UFFDWP_KERNEL_HAS_MARKERS && IS_ENABLED(CONFIG_SHMEM))
#define UFFDWP_SEES_HUGETLB IS_ENABLED(CONFIG_HUGETLB_PAGE)
#define UFFDWP_TRACKS_HUGETLB (UFFDWP_KERNEL_HAS_MARKERS && IS_ENABLED(CONFIG_HUGETLB_PAGE))
#define UFFDWP_TRACKS_HUGETLBFS (UFFDWP_TRACKS_HUGETLB && IS_ENABLED(CONFIG_HUGETLBFS))

/* Kernels with PREEMPT_RT have no huge pages but those of hugetlb. */
#define UFFDWP_KERNEL_HAS_THP IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE)

/*
 * VMAs of ordinary files: the kernel remembers the bits of their pages in markers, as for shared
 * memory. It registers them for write protection only with a userfaultfd that has
 * UFFD_FEATURE_WP_ASYNC. Before there is that, register.c does it.
 */
#define UFFDWP_TRACKS_FILES UFFDWP_KERNEL_HAS_MARKERS
#define UFFDWP_REGISTERS_FILES (UFFDWP_TRACKS_FILES && !UFFDWP_KERNEL_HAS_WP_ASYNC)

/*
 * FOLL_FORCE takes a dirty PTE for the copy that its own write fault has made (FOLL_COW). Until
 * 6.0, "mm/gup: fix FOLL_FORCE COW security issue and remove FOLL_COW".
 */
#define UFFDWP_FORCED_WRITES_GO_BY_DIRTY UFFDWP_KERNEL_HAS_FOLL_COW

/* do_wp_page() copies an anonymous page that has references, and a pin keeps the old one. */
#define UFFDWP_COPIES_PINNED_PAGES (!UFFDWP_KERNEL_HAS_ANON_EXCLUSIVE)

#define pr_fmt(fmt) "uffdwp-async: " fmt

#endif /* UFFDWP_COMPAT_H */
