/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel does to memory behind a program's back, made to happen: swap, migration, NUMA
 * hints, KSM, poison, compaction, khugepaged; and huge pages of hugetlb to be had.
 *
 * Unless said otherwise a function returns NULL when what it promises was seen to be so, or why it
 * could not be: words for skip_because() where this kernel has no such thing, for fail_msg() where
 * it has.
 */
#ifndef GUEST_ENVIRONMENT_H
#define GUEST_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- files of the kernel */

/* 0 or -errno */
int write_file(const char *path, const char *text);
/* The number at the start of a file; -1 when there is none. */
long read_number(const char *path);
/* The number in the line that begins with a word and a colon or space; -1 when none does. */
long number_after(const char *path, const char *word);
/* A counter of /proc/vmstat; -1 when this kernel does not have it. */
long vmstat(const char *name);
/* What /proc/self/pagemap says of a page; bits as in Documentation/admin-guide/mm/pagemap.rst */
uint64_t pagemap_entry(const void *page);

/* Pages in the batch of some processor, where reclaim does not find them, are put on the lists. */
void empty_batches(void);

/* ---- swap, in a zram device (tests/vm/run --kernel-module zram) */

const char *swap_on(size_t bytes);
void swap_off(void);
/* Every page of the range is a swap entry now. The pages must be ours alone and written. */
const char *swap_out(void *start, size_t len);
bool is_swapped(const void *page);

/*
 * ---- ordinary files: ext4 in a zram device of its own (tests/vm/run --kernel-module zram
 * --kernel-module ext4 --add /usr/sbin/mkfs.ext4)
 */

const char *disk_mount(size_t bytes);
void disk_unmount(void);
/* A file without a name on it; -1 when nothing is mounted. */
int disk_file(void);

/* ---- memory nodes (tests/vm/run --numa 2) */

/* Nodes with memory, numbered from 0. */
int nodes(void);
/* The node of a page, or -errno when there is no page. */
int node_of(const void *page);
const char *move_to_node(void *start, size_t len, int node);
/* A node that is not the one where the page is. */
const char *move_to_other_node(void *start, size_t len);
/*
 * Every page of the range waits for a NUMA hinting fault (its PTE is PROT_NONE) until it is
 * touched. Moves it to another node, and the calling thread to one processor, to be undone with
 * numa_hints_off().
 */
const char *numa_hints(void *start, size_t len);
/*
 * To a processor of another node. After numa_hints() that is where the pages are, and the faults
 * leave them there.
 */
const char *go_to_other_node(void);
/*
 * Processes that are forked from now on need not wait a second for their first hints. To be undone
 * with numa_hints_off().
 */
void numa_hints_soon(void);
void numa_hints_off(void);

/* ---- KSM: every page of both ranges, which hold the same, is merged */

const char *ksm_merge(void *a, void *b, size_t len);
/*
 * Every page of the range, which holds zeroes, is the zero page now, and counted as such (since
 * Linux 6.6).
 */
const char *ksm_merge_zeroes(void *start, size_t len);
/* How many of those there are, in all processes and in this one; -1 on older kernels. */
long ksm_zero_pages(void);
long ksm_zero_pages_here(void);
/* All that is merged is made whole again, and KSM stopped. */
void ksm_off(void);
bool is_ksm(const void *page);
/* The same for a page of another process. */
bool is_ksm_of(pid_t pid, const void *page);

/* ---- hardware poison. A page that is accessed after that means SIGBUS. */

const char *poison(void *page, uint64_t *pfn);
/* Gives the frame back to the kernel (tests/vm/run --kernel-module hwpoison-inject). */
const char *unpoison(uint64_t pfn);

/*
 * ---- 2 MiB of shared memory, every small page of it written: a huge page if one was to be had,
 * which is for the caller to see. NULL when there was no memory at all.
 */

char *map_shared_huge(void);

/* ---- things that take their own choice of pages */

/* Memory was compacted on all nodes. */
const char *compact_memory(void);
/* khugepaged has looked at all memory since the call. */
const char *khugepaged_pass(void);

/* ---- leaks */

/* What kmemleak (kmemleak=on) has found until now, in its words; "" when nothing. Takes 18 s. */
const char *find_leaks(char *found, size_t len);

/* ---- hugetlb pages of 2 MiB */

const char *hugetlb_reserve(size_t pages);
void hugetlb_release(void);

#endif /* GUEST_ENVIRONMENT_H */
