/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests in the guest share: the raw interface of the device, memory in known states, and
 * other processes that do as they are told.
 */
#ifndef GUEST_SUPPORT_H
#define GUEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "uffdwp-async.h"

#define PAGE 4096ul
#define HUGE_PAGE (512 * PAGE)

/* A test, for cmocka_unit_test(); one that needs its state says so itself. */
#define TEST(name) static void name(void **state __attribute__((unused)))

/* ---- the device: each returns 0 or more, or -errno */

int dev_open(void);
int dev_hello(int fd, struct uffdwp_hello_arg *arg);
/* Whatever is not asked for by the flags is 0. */
int dev_attach(int fd, uint64_t flags, int pidfd, int uffd, uint32_t unpopulated);
int dev_attach_self(int fd);
int dev_attach_pid(int fd, pid_t pid);
int dev_attach_uffd(int fd, int uffd);
int dev_attach_markers(int fd);
int dev_attach_ignoring_pins(int fd);
/* With flags that need no file descriptor, and a granule. */
int dev_attach_granule(int fd, uint64_t flags, uint32_t granule);
int dev_register(int fd, const void *start, size_t len);
int dev_unregister(int fd, const void *start, size_t len);
/* NULL and 0: everything */
int dev_follow(int fd, const void *start, size_t len, uint64_t kinds);
int dev_follow_end(int fd);
int dev_arm(int fd, const void *start, size_t len);
int dev_disarm(int fd, const void *start, size_t len);
int dev_scan(int fd, struct uffdwp_scan_arg *arg);
int dev_ioctl(int fd, unsigned long cmd, void *arg);
struct uffdwp_stats_arg dev_stats(int fd);
uint64_t dev_features(void);
uint64_t dev_kinds(void);

/* A tracker of the caller with [start, start + len) registered and armed, or a failed test. */
int tracker_of(const void *start, size_t len);

/* ---- what a scan says */

/* Written pages in the range; with reset they are armed. */
uint64_t written(int fd, const void *start, size_t len, bool reset);

/* The categories of one page. */
uint64_t categories(int fd, const void *page);

/* Everything in the arguments that a scan of this range for written pages needs. */
struct uffdwp_scan_arg scan_arg(const void *start, size_t len, struct uffdwp_region *vec, size_t n);

/* ---- memory */

/* Private anonymous memory without huge pages, nothing in it. */
char *map_anon(size_t pages);
/* Since some moment, by a clock that nobody sets. */
double seconds_now(void);
/* Kernels with PREEMPT_RT have no huge pages but those of hugetlb, and do not know the advice. */
bool kernel_has_thp(void);
void needs_thp(void);
/* MADV_HUGEPAGE or MADV_NOHUGEPAGE. */
void thp_advice(void *start, size_t len, int advice);
/* The same, each page written. */
char *map_filled(size_t pages);
/* The address itself, or the first behind it, at which a huge page and a page table may begin. */
char *next_huge_page(char *addr);
/* A number of huge pages, or NULL when there are none to be had. */
char *map_huge(size_t huge_pages);
bool is_huge(const void *addr);
/* Entries of this process with the uffd-wp bit, and markers: since Linux 5.14, before always 0 */
size_t armed_entries(const char *start, size_t pages);
/* Is that range in a single VMA of this process? */
bool is_one_vma(const void *start, size_t len);

/* An open file that is no shared memory, on a file system of its own, with some bytes in it. */
int new_ordinary_file(size_t len);

/*
 * An open file whose mappings this kernel cannot track: an ordinary one, or a device where those
 * are tracked.
 */
int new_untrackable_file(size_t len);

/* Write one byte to every page. */
void touch(char *start, size_t pages, int value);

/* ---- faults */

/* Page faults of the calling thread until now that needed no disk. */
long faults(void);

/* ---- chance */

/* The next number of a stream. The state is not 0. */
uint64_t next_random(uint64_t *state);

/* ---- other processes */

/*
 * A forked process that runs commands of its parent, one at a time, in its own memory.
 */
struct peer {
	pid_t pid;
	int to;
	int from;
};

enum peer_order {
	PEER_WRITE,		/* write value to every page of [addr, addr + len) */
	PEER_UNMAP,
	PEER_EXEC,		/* become another program, which waits until it is killed */
	PEER_EXIT,
};

struct peer peer_start(void);
/* Returns when it is done; for EXEC and EXIT, when the old address space is gone. */
void peer_do(struct peer *peer, enum peer_order order, void *addr, size_t len, int value);
void peer_end(struct peer *peer);

/* VmFlags of some mapping of the process contain "uw": registered for write protection. */
bool has_registered_memory(pid_t pid);

/* ---- userfaultfds */

/* Of Linux 6.7, which the headers that this is built with need not know. */
#define UFFD_WP_UNPOPULATED	(1ull << 13)
#define UFFD_WP_ASYNC		(1ull << 15)

/* One of our own, initialised, that does not block its reader. */
int new_uffd(uint64_t features);

/* A file whose end tells why, or NULL: printed when a wait ends without what was waited for. */
extern const char *tells_why;
void fail_waiting(const char *condition);

/* Look again every millisecond until it holds, for a minute at most, however long a look takes. */
#define wait_for(condition)						\
	do {								\
		const time_t wait_until = time(NULL) + 60;		\
									\
		while (!(condition)) {					\
			if (time(NULL) > wait_until)			\
				fail_waiting(#condition);		\
			usleep(1000);					\
		}							\
	} while (0)

#define assert_ok(call) assert_int_equal(call, 0)
#define assert_err(call, error) assert_int_equal(call, -(error))

/* A test that cannot run here says why. */
#define skip_because(...)						\
	do {								\
		print_message("[   WHY    ] " __VA_ARGS__);		\
		print_message("\n");					\
		skip();							\
	} while (0)

#endif /* GUEST_SUPPORT_H */
