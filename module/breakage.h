/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mechanisms that a test build can switch off, to see that a test fails without them ("make
 * check-negative"). An ordinary build has none of this: every question below is a constant "no".
 */
#ifndef UFFDWP_BREAKAGE_H
#define UFFDWP_BREAKAGE_H

#define UFFDWP_BREAK_NOTHING	0
/* the hooks in the fault path do nothing: the first write to an armed page never returns */
#define UFFDWP_BREAK_HOOK	1
/* arming does not flush the TLBs */
#define UFFDWP_BREAK_FLUSH	2
/* what was armed and could not be reported stays armed */
#define UFFDWP_BREAK_UNDO	3
/* pages that somebody holds are armed like others */
#define UFFDWP_BREAK_PINNED	4
/* what was thrown away is not disarmed */
#define UFFDWP_BREAK_DISCARD	6
/* what was armed stays armed in a forked child */
#define UFFDWP_BREAK_FORK	7
/* arming hugetlb does not flush the TLBs */
#define UFFDWP_BREAK_HUGETLB_FLUSH	40
/* memory of files with nothing in it is not armed, and nobody is told */
#define UFFDWP_BREAK_FILE_NONE	41

/* whoever uses PAGEMAP_SCAN may arm what a tracker has not yet reported */
#define UFFDWP_BREAK_FOREIGN_SCAN	50
/* what UFFDIO_MOVE has brought keeps the bit that it had elsewhere */
#define UFFDWP_BREAK_MOVED	51
/* what was thrown away is not disarmed in ordinary files */
#define UFFDWP_BREAK_FILE_DISCARD	52
/* what a file system has attached to a page counts as somebody's hold */
#define UFFDWP_BREAK_BUFFERS	53
/* a page that is swapped out reads as not written, whatever its bit says */
#define UFFDWP_BREAK_SWAPPED	60
/* markers of other userfaultfds are taken for our own */
#define UFFDWP_BREAK_OTHERS	61

/* memory for which no page table could be made counts as armed */
#define UFFDWP_BREAK_TABLE	20
/* the buffer of a closed tracker is not freed */
#define UFFDWP_BREAK_LEAK	21

/* a scan looks at a table first and arms it afterwards, as two calls would */
#define UFFDWP_BREAK_ONE_STEP	10
/*
 * an empty entry is armed without a flush, even if what was there is not out of all TLBs yet; what
 * MADV_DONTNEED has thrown away is not disarmed either, which would hide that
 */
#define UFFDWP_BREAK_OWED_FLUSH	11

/*
 * Mistakes that the kernel has made itself, made again:
 *
 * when the huge zero page is split, its small pages lose the bit
 */
#define UFFDWP_BREAK_HUGE_ZERO	30
/* a page that waits for a NUMA hint keeps its write permission behind the bit */
#define UFFDWP_BREAK_HINT	31
/*
 * the kernel takes the mapping for one without protection: mprotect() restores write permission
 * behind the bit, khugepaged takes tables away with the bits in them
 */
#define UFFDWP_BREAK_MODE	32
/* bits stay behind where tracking ends, as in kernels that do not reset them, and are believed */
#define UFFDWP_BREAK_STALE	33
/* whoever writes by force to read-only memory goes by the dirty bit, past ours (Linux 5.10) */
#define UFFDWP_BREAK_FORCED	34
/* bits that an earlier user of the memory has left are believed */
#define UFFDWP_BREAK_LEFTOVERS	35

/* the small pages of a file's huge page that a scan has split are offered as they are then */
#define UFFDWP_BREAK_SPLIT	36

/* PAGEMAP_SCAN reports what it was told to arm, and does not arm it */
#define UFFDWP_BREAK_NATIVE_RESET	70
/* UFFDIO_API says yes to WP_ASYNC, and nothing resolves the write faults */
#define UFFDWP_BREAK_NATIVE_API		71
/* UFFDIO_CONTINUE_MODE_WP maps the page writable */
#define UFFDWP_BREAK_NATIVE_CONTINUE	72
/* UFFDIO_WRITEPROTECT of a native userfaultfd is left to the kernel */
#define UFFDWP_BREAK_NATIVE_PROTECT	73

/* what a patch of tests/mutants has taken away: build-module */
#define UFFDWP_BREAK_MUTANT	1000

#ifndef UFFDWP_BREAK
#define UFFDWP_BREAK UFFDWP_BREAK_NOTHING
#endif

#define uffdwp_broken(what) (UFFDWP_BREAK == (what))

/* The self-test at load would find out, too, and must not keep the tests from it. */
#define uffdwp_broken_somehow() (UFFDWP_BREAK != UFFDWP_BREAK_NOTHING)

#endif /* UFFDWP_BREAKAGE_H */
