/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interfaces that Linux 6.7 has and native_abi=1 gives to older kernels, as programs call
 * them: userfaultfd with WP_UNPOPULATED and WP_ASYNC, PAGEMAP_SCAN, UFFDIO_CONTINUE_MODE_WP. The
 * headers of the machine that builds this may be older than they are.
 */
#ifndef GUEST_NATIVE_H
#define GUEST_NATIVE_H

#include <linux/userfaultfd.h>

#include "support.h"

/* ---- userfaultfd(2) */

#define FEATURE_WP		(1ull << 0)
#define FEATURE_EVENT_FORK	(1ull << 1)
#define FEATURE_MINOR_HUGETLBFS	(1ull << 9)
#define FEATURE_MINOR_SHMEM	(1ull << 10)
#define FEATURE_WP_FILES	(1ull << 12)	/* WP_HUGETLBFS_SHMEM */
#define FEATURE_WP_UNPOPULATED	(1ull << 13)
#define FEATURE_WP_ASYNC	(1ull << 15)

#define CONTINUE_DONTWAKE	(1ull << 0)
#define CONTINUE_WP		(1ull << 1)

#define REGISTER_MISSING	(1ull << 0)
#define REGISTER_WP		(1ull << 1)
#define REGISTER_MINOR		(1ull << 2)

#define WRITEPROTECT_WP		(1ull << 0)
#define WRITEPROTECT_DONTWAKE	(1ull << 1)

/* ---- PAGEMAP_SCAN */

#define IS_WPALLOWED	(1ull << 0)
#define IS_WRITTEN	(1ull << 1)
#define IS_FILE		(1ull << 2)
#define IS_PRESENT	(1ull << 3)
#define IS_SWAPPED	(1ull << 4)
#define IS_PFNZERO	(1ull << 5)
#define IS_HUGE		(1ull << 6)
#define IS_SOFT_DIRTY	(1ull << 7)
#define IS_ALL		0xffull

/*
 * Memory that is not registered for write protection is called written, whatever it is: until Linux
 * 7.3, which says nothing of it.
 */
bool unregistered_is_written(void);
#define UNREGISTERED_WRITTEN (unregistered_is_written() ? IS_WRITTEN : 0)

/* A scan of memory that is gone: 0, or -ESRCH since Linux 7.3. */
int nothing_there(void);

#define WP_MATCHING	(1ull << 0)
#define CHECK_WPASYNC	(1ull << 1)

struct scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN_COMMAND _IOWR('f', 16, struct scan)

/* Each returns 0 or more, or -errno. */
int scan_pages(int pagemap, struct scan *scan);
/* /proc/PID/pagemap; 0 is this process */
int open_pagemap(pid_t pid);
/* Arguments that ask for written pages. */
struct scan written_pages(const void *start, size_t len, struct scan_region *vec, size_t n);

/* How many pages of the range are written; with reset they are protected again, in one step. */
size_t count_written(int pagemap, const void *start, size_t len, bool reset);
/* The same, of this process. */
size_t written_here(const void *start, size_t len);
size_t reset_here(const void *start, size_t len);
bool is_written(const void *page);
/* Every category of one page of this process. */
uint64_t categories_here(const void *page);

/* ---- a userfaultfd: each returns 0, or -errno */

int raw_uffd(int flags);
/* The same, that is to have no faults of the kernel itself where it can be asked (since 5.11). */
int raw_uffd_of_user_mode(void);
/* What UFFDIO_API offers */
uint64_t uffd_features(void);
int uffd_api(int uffd, uint64_t features, struct uffdio_api *answer);
int uffd_register(int uffd, const void *start, size_t len, uint64_t mode, uint64_t *ioctls);
int uffd_unregister(int uffd, const void *start, size_t len);
int uffd_protect(int uffd, const void *start, size_t len, uint64_t mode);
/* Bytes that were mapped, or -errno. */
int64_t uffd_continue(int uffd, const void *start, size_t len, uint64_t mode);

/* With WP_ASYNC and what goes with it, as far as the kernel has it. */
int async_uffd(void);
/* The same, with memory that is registered for writes, and protected. */
int async_uffd_of(const void *start, size_t len);

/* Nothing to read, now. */
bool is_silent(int uffd);

/* What native_abi=1 has nothing to be added to on Linux 5.10. */
#define needs_memory_of_files()						\
	do {								\
		if (~uffd_features() & FEATURE_WP_FILES)		\
			skip_because("this kernel protects no memory of files"); \
	} while (0)

#define needs_minor_faults()						\
	do {								\
		if (~uffd_features() & (FEATURE_MINOR_SHMEM | FEATURE_MINOR_HUGETLBFS)) \
			skip_because("this kernel has no minor faults"); \
	} while (0)

/* ---- memory */

/* Shared memory, and a second mapping of the same in *alias unless that is NULL. */
char *map_shared(size_t len, char **alias);
/* The same in pages of hugetlb; NULL when there are none. */
char *map_hugetlb(size_t huge_pages, char **alias);

/* ---- */

/*
 * Run the tests, if the kernel has these interfaces, or the module gives them to it; otherwise say
 * why not, once.
 */
int run_native(const char *name, const struct CMUnitTest *tests, size_t n);
#define run_native_tests(name, tests) run_native(name, tests, sizeof(tests) / sizeof((tests)[0]))

/* A test that hangs must not hang the others: it ends, with its name, after a minute. */
#define native_test(test) cmocka_unit_test_setup_teardown(test, start_clock, stop_clock)
int start_clock(void **state);
int stop_clock(void **state);

/* In a process of its own, which must exit with 0. */
#define in_child(...)							\
	do {								\
		pid_t in_child_pid = fork();				\
		int in_child_status = 0;				\
									\
		assert_true(in_child_pid >= 0);				\
		if (!in_child_pid) {					\
			alarm(30);					\
			__VA_ARGS__;					\
			_exit(0);					\
		}							\
		assert_int_equal(waitpid(in_child_pid, &in_child_status, 0), in_child_pid); \
		assert_int_equal(in_child_status, 0);			\
	} while (0)

/* In such a process: it exits with the number of the line. */
#define child_expects(condition)					\
	do {								\
		if (!(condition))					\
			_exit(__LINE__ % 255 + 1);			\
	} while (0)

/* No rights but those of everybody, for good. */
void become_nobody(void);

#endif /* GUEST_NATIVE_H */
