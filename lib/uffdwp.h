/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libuffdwp: which pages of a process were written since you last looked?
 *
 *	struct uffdwp *t;
 *	struct uffdwp_scan *s;
 *	struct uffdwp_region r;
 *
 *	UFFDWP_OPTS(uffdwp_scan_opts, opts, .start = start, .len = len,
 *		    .flags = UFFDWP_SCAN_WP_MATCHING);
 *
 *	uffdwp_open(pid, NULL, &t);
 *	uffdwp_track(t, start, len, NULL);
 *	for (;;) {
 *		sleep(1);
 *		uffdwp_scan_start(t, &opts, &s);
 *		while (uffdwp_scan_next(s, &r) == 1)
 *			copy(r.start, r.end);
 *		uffdwp_scan_end(s);
 *	}
 *
 * What "written" means, and all that the words here mean, is told in <uffdwp-async.h>.
 *
 * Functions that return int return 0 or a positive number on success and a negative errno on
 * failure; uffdwp_explain() makes a sentence of it. Addresses and lengths are bytes, aligned to
 * 4096.
 *
 * Options structures begin with their size, so that a program and a library of different age
 * understand each other; fields that are left out are 0, the default. UFFDWP_OPTS() fills in the
 * size. A NULL options pointer means all defaults.
 *
 * Threads: a tracker may be used by several threads at once. A scan belongs to one thread at a
 * time. No function changes signal handlers, file descriptors that are not its own, or the
 * environment.
 */
#ifndef UFFDWP_H
#define UFFDWP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <uffdwp-async.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Define a variable NAME: a struct TYPE that begins with its size, with that and these fields. */
#define UFFDWP_OPTS(type, name, ...) \
	struct type name = { .size = sizeof(struct type), __VA_ARGS__ }

/** struct uffdwp - a tracker: one process, any number of ranges of its memory */
struct uffdwp;

/** struct uffdwp_scan - a scan under way */
struct uffdwp_scan;

/**
 * uffdwp_version - version of the library
 *
 * Return: text such as "0.9.0", constant.
 */
const char *uffdwp_version(void);

/* What does the work; uffdwp_backend_name() tells which it has become. */
enum uffdwp_backend {
	/*
	 * The first that can serve the request, in the order of this list. A back end is passed
	 * over if it is not there, is not for this caller (no right to open the device) or does not
	 * offer what was asked for; uffdwp_passed_over() tells. An answer about the process (no
	 * right to it, no such process) is final, and so is that the module's hooks cannot be
	 * placed now: nobody gets less than he could have without being told.
	 */
	UFFDWP_BACKEND_ANY = 0,
	UFFDWP_BACKEND_MODULE = 1,	/* /dev/uffdwp-async */
	/*
	 * The interfaces of Linux 6.7, without the device: the caller's own process, or one whose
	 * userfaultfd with UFFD_FEATURE_WP_ASYNC is handed in. What this kernel does not tell:
	 * pages that somebody holds; holes in files under armed pages, and private pages over
	 * a file that MADV_DONTNEED has thrown away. UFFDWP_UNPOP_ZERO, huge pages that stay whole,
	 * a granule, to ride along, PAGE_IS_PINNED and statistics are not offered. Where the module
	 * offers these interfaces to older kernels (native_abi=1), this back end serves the
	 * caller's own process; a userfaultfd that is handed in is -EOPNOTSUPP there, as
	 * /proc/PID/fdinfo does not show its features.
	 */
	UFFDWP_BACKEND_KERNEL = 2,
};

#define UFFDWP_OPEN_PIDFD	(1u << 0)	/* the process is @pidfd; argument pid is 0 */
#define UFFDWP_OPEN_UFFD	(1u << 1)	/* use @uffd */
/* Arm pages that somebody holds like others: UFFDWP_ATTACH_IGNORE_PINS of uffdwp-async.h */
#define UFFDWP_OPEN_IGNORE_PINS	(1u << 2)
/* Do not give way to userfaultfds of the process: UFFDWP_ATTACH_KEEP. Not with UFFDWP_OPEN_UFFD */
#define UFFDWP_OPEN_KEEP	(1u << 3)
/* Huge pages are written as a whole and stay huge: UFFDWP_ATTACH_WHOLE_HUGE. The module only */
#define UFFDWP_OPEN_WHOLE_HUGE	(1u << 4)
/*
 * Ride along on @uffd, which the process has registered for MISSING or MINOR faults, and which
 * notices nothing of it: UFFDWP_ATTACH_RIDE. uffdwp_track() of any range tracks all that is
 * registered with it. With UFFDWP_OPEN_UFFD. The module only
 */
#define UFFDWP_OPEN_RIDE	(1u << 5)

/**
 * struct uffdwp_info - what a back end offers on this machine
 * @size: sizeof(struct uffdwp_info)
 * @backend: which it is, never UFFDWP_BACKEND_ANY
 * @abi_version: of the module; 0 for the kernel alone
 * @kinds: UFFDWP_KIND_* that can be tracked
 * @features: UFFDWP_FEATURE_*; UFFDWP_FEATURE_PIDFD: processes that do not help
 */
struct uffdwp_info {
	size_t size;
	enum uffdwp_backend backend;
	unsigned int abi_version;
	uint64_t kinds;
	uint64_t features;
};

/**
 * uffdwp_query - what could be tracked here, and how? Nothing is tracked by asking
 * @backend: the back end to ask, or UFFDWP_BACKEND_ANY for the first one that is there
 * @info: in: size; out: the rest of it, as much as @size has room for
 *
 * That the module's hooks can be placed, and the rights to a process, only uffdwp_open() finds out.
 *
 * Return: 0; -ENODEV, -EACCES or -EPROTO as from uffdwp_open(); -EINVAL for a bad @backend or size;
 * -EMFILE, -ENFILE or -ENOMEM.
 */
int uffdwp_query(enum uffdwp_backend backend, struct uffdwp_info *info);

/**
 * struct uffdwp_open_opts - options of uffdwp_open()
 * @size: sizeof(struct uffdwp_open_opts)
 * @flags: UFFDWP_OPEN_*
 * @backend: the only back end to try
 * @pidfd: process, from pidfd_open(2); stays the caller's
 * @uffd: a userfaultfd of that process, made without UFFD_FEATURE_EVENT_FORK; stays the caller's.
 *	Without it the module makes one
 * @unpopulated: UFFDWP_UNPOP_*, how memory with nothing in it yet is armed
 * @granule: pages that one write fault opens, as in struct uffdwp_attach_arg; 0 or 1: its own page
 *	alone. From the module only
 *
 * UFFDWP_UNPOP_SPARSE is for processes that reserve much and use little of it: what has no page
 * table costs nothing. In return, the caller copies nothing that is UFFDWP_PAGE_IS_SPARSE: it is
 * zeroes until it is reported as written. A scan that resets always returns this category. The
 * first copy of a process, into memory of zeroes, is everything that a scan like this one returns:
 *
 *	uffdwp_track(t, start, len, NULL);
 *	UFFDWP_OPTS(uffdwp_scan_opts, first, .start = start, .len = len,
 *		    .flags = UFFDWP_SCAN_WP_MATCHING,
 *		    .category_anyof_mask = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED |
 *					   UFFDWP_PAGE_IS_WRITTEN);
 *
 * and each later one is what is written, as ever: that is the same loop, with a test of
 * UFFDWP_PAGE_IS_SPARSE, which a range may be that was given to the tracker since.
 */
struct uffdwp_open_opts {
	size_t size;
	unsigned int flags;
	enum uffdwp_backend backend;
	int pidfd;
	int uffd;
	unsigned int unpopulated;
	unsigned int granule;
};

/**
 * uffdwp_open - begin to track a process
 * @pid: process, by its number or that of any of its threads; or 0 for the caller itself
 * @opts: options or NULL
 * @tracker: out: the tracker
 *
 * Nothing of the process is tracked before uffdwp_track(). The process is not stopped. Needs the
 * right to ptrace-attach to it, and to open the device.
 *
 * Return: 0, or
 *   -ENODEV      no back end: the module is not loaded, and the kernel alone cannot do it; or the
 *                module's hooks cannot be placed now (uffdwp_explain() tells which)
 *   -EACCES      no permission to open the device, and the kernel alone cannot do it; or, from the
 *                kernel alone, no permission to open /proc/PID/pagemap
 *   -EPERM       no permission to ptrace-attach to the process
 *   -ESRCH       no such process
 *   -ENXIO       a kernel thread
 *   -EBADF       @pidfd or @uffd is not what it should be
 *   -EBUSY       @uffd is used by another tracker, or is tracked by itself (native_abi=1)
 *   -ENOTRECOVERABLE
 *                the kernel's function tracer has stopped after an error of its own, and the module
 *                can do nothing before the machine is booted anew
 *   -EPROTO      the module is older than this library
 *   -EOPNOTSUPP  an option that this back end does not offer; for the kernel alone that includes
 *                a @uffd that was made without UFFD_FEATURE_WP_ASYNC
 *   -EINVAL      bad options; UFFDIO_API not called on @uffd, or with UFFD_FEATURE_EVENT_FORK
 *   -EMFILE, -ENFILE, -ENOMEM
 */
int uffdwp_open(pid_t pid, const struct uffdwp_open_opts *opts, struct uffdwp **tracker);

/**
 * uffdwp_close - end the tracking
 * @tracker: tracker, or NULL; no thread uses it or a scan of it any more
 *
 * Nothing of the process stays protected.
 */
void uffdwp_close(struct uffdwp *tracker);

/**
 * uffdwp_backend_name - what does the work for this tracker
 * @tracker: tracker
 *
 * Return: "module" or "kernel", constant.
 */
const char *uffdwp_backend_name(const struct uffdwp *tracker);

/**
 * uffdwp_passed_over - why did another back end not serve?
 * @tracker: tracker
 * @backend: UFFDWP_BACKEND_MODULE or UFFDWP_BACKEND_KERNEL
 *
 * Return: 0 when it serves or was not tried; otherwise the error that it gave to uffdwp_open():
 *   -ENODEV      it is not there
 *   -EACCES, -EPERM  no permission to open the device
 *   -EPROTO      the module is older than this library
 *   -EOPNOTSUPP  it does not offer what was asked for
 */
int uffdwp_passed_over(const struct uffdwp *tracker, enum uffdwp_backend backend);

/**
 * uffdwp_track - register a range and arm it
 * @tracker: tracker
 * @start: first address
 * @len: bytes
 * @fail_at: out, may be NULL: start of the mapping that refused, or 0
 *
 * All mappings in the range must be of a kind that can be tracked; holes are skipped. What was
 * written before is forgotten: copy the memory after this, not before. After -ENOMEM a front part
 * may be tracked and armed; after any other error nothing has changed.
 *
 * Return: 0, or
 *   -ENOENT      nothing is mapped there
 *   -EOPNOTSUPP  a mapping that cannot be tracked: a device, the vdso; before Linux 5.19 all but
 *                private anonymous memory; a file, with a userfaultfd that was handed in without
 *                UFFD_FEATURE_WP_ASYNC
 *   -EACCES      a mapping that may never become writable
 *   -EBUSY       a mapping that belongs to another tracker, or to a userfaultfd of the process, for
 *                which a tracker gives way
 *   -ESRCH       the process has ended or called execve(2)
 *   -EINVAL      not aligned, empty, or cutting a page of hugetlb
 *   -EOVERFLOW   outside the address space
 *   -ENOMEM      out of memory
 *   -EAGAIN      as from uffdwp_arm(): the range is tracked, and a front part of it armed
 *   -ENOTRECOVERABLE
 *                the kernel does not call the module's hooks any more: nothing that was tracked is
 *                armed or protected, and all of it must be taken for written
 */
int uffdwp_track(struct uffdwp *tracker, uint64_t start, uint64_t len, uint64_t *fail_at);

/**
 * struct uffdwp_follow_opts - what uffdwp_follow() is about
 * @size: sizeof(struct uffdwp_follow_opts)
 * @start: first address
 * @len: bytes; without @start and @len, the whole address space
 * @kinds: UFFDWP_KIND_*; 0: all that can be tracked here
 * @flags: UFFDWP_FOLLOW_SPARSE, for a tracker that was opened with UFFDWP_UNPOP_SPARSE;
 *	UFFDWP_FOLLOW_FORK, UFFDWP_FOLLOW_EXEC, for one with events: uffdwp_events_open() comes
 *	first, and uffdwp_event_next() hands out the trackers
 */
struct uffdwp_follow_opts {
	size_t size;
	uint64_t start;
	uint64_t len;
	uint64_t kinds;
	uint64_t flags;
};

/**
 * uffdwp_follow - track all memory that there is, and all that will be mapped
 * @tracker: tracker
 * @opts: what; NULL: everything
 *
 * What is mapped from now on is registered by the call that maps it, and the process has the
 * mappings that it would have without. Nothing is armed: what is not armed yet is written. So a
 * scan of everything with UFFDWP_SCAN_WP_MATCHING is the next thing to do, again and again:
 *
 *	uffdwp_follow(t, NULL);
 *	UFFDWP_OPTS(uffdwp_scan_opts, all, .flags = UFFDWP_SCAN_WP_MATCHING);
 *
 * struct uffdwp_follow_arg has the rules, and what is left out.
 *
 * Return: 0, or
 *   -EOPNOTSUPP  not offered: always with the kernel alone as back end, and with a userfaultfd that
 *                was handed in
 *   -EBUSY       another tracker follows some of it
 *   -EINVAL      bad options; UFFDWP_FOLLOW_FORK or UFFDWP_FOLLOW_EXEC, and the tracker has no
 *                events
 *   -ESRCH, -ENOMEM, -EOVERFLOW, -ENOTRECOVERABLE as from uffdwp_track()
 */
int uffdwp_follow(struct uffdwp *tracker, const struct uffdwp_follow_opts *opts);

/**
 * uffdwp_untrack - stop tracking a range
 * @tracker: tracker
 * @start: first address
 * @len: bytes
 *
 * Return: 0, or -ENOENT, -EOPNOTSUPP, -EBUSY, -ESRCH, -EINVAL, -EOVERFLOW, -ENOMEM as from
 * uffdwp_track().
 */
int uffdwp_untrack(struct uffdwp *tracker, uint64_t start, uint64_t len);

/**
 * uffdwp_arm - forget what was written in a range, notice what is written from now on
 * @tracker: tracker
 * @start: first address
 * @len: bytes
 *
 * To learn what was written and arm it in one step, scan with UFFDWP_SCAN_WP_MATCHING.
 *
 * Return: 0, or
 *   -ENOENT      nothing there is tracked
 *   -EIO         an entry of a page table is of no known kind
 *   -EAGAIN      from the kernel alone: for a second, an event of the userfaultfd that was handed
 *                in has waited to be read, and nothing can be armed before it is
 *   -ESRCH, -EINVAL, -EOVERFLOW, -ENOMEM, -ENOTRECOVERABLE as from uffdwp_track()
 * After -ENOMEM, -EIO and -EAGAIN a front part is armed, and the rest reads as written.
 */
int uffdwp_arm(struct uffdwp *tracker, uint64_t start, uint64_t len);

/**
 * uffdwp_disarm - take a range for written, whether it is or not
 * @tracker: tracker
 * @start: first address
 * @len: bytes
 *
 * For a caller that could not do what a scan has told it to do: the next scan will tell it again.
 * Memory that is not tracked is skipped, as it cannot read as clean.
 *
 * Return: 0, or -ESRCH, -EINVAL, -EOVERFLOW as from uffdwp_track(), -EAGAIN as from uffdwp_arm().
 */
int uffdwp_disarm(struct uffdwp *tracker, uint64_t start, uint64_t len);

/**
 * struct uffdwp_scan_opts - what to look for
 * @size: sizeof(struct uffdwp_scan_opts)
 * @flags: UFFDWP_SCAN_WP_MATCHING, UFFDWP_SCAN_CHECK_TRACKED
 * @start: first address
 * @len: bytes; 0: the scan finds nothing, unless @start is 0, too: see below
 * @category_inverted: as in struct uffdwp_scan_arg
 * @category_mask: as in struct uffdwp_scan_arg; when this and @category_anyof_mask are both 0,
 *	UFFDWP_PAGE_IS_WRITTEN is looked for
 * @category_anyof_mask: as in struct uffdwp_scan_arg
 * @return_mask: as in struct uffdwp_scan_arg
 * @max_pages: end after that many pages; 0 is no limit
 *
 * Without @start and @len the scan is one of everything: of all the address space, in one call of
 * the kernel for each 512 regions that it finds, however many mappings there are. What is not
 * tracked, or not any more, is UNTRACKED and WRITTEN in it as in any other scan, and costs next to
 * nothing. With UFFDWP_PAGE_IS_WPALLOWED in @category_mask it is left out:
 *
 *	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING,
 *		    .category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED);
 *
 * Then look out for what the tracker loses by other ways (pages_given_way of uffdwp_get_stats(),
 * what the process moves and maps anew): it is left out, too, and that is not the same as clean.
 *
 * From the kernel alone, a scan of everything is one of the ranges that were given to
 * uffdwp_track(), each by a call of its own unless they touch: the kernel does not tell the memory
 * of one userfaultfd from that of another, and would arm what somebody else looks after.
 */
struct uffdwp_scan_opts {
	size_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t len;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
	uint64_t max_pages;
};

/**
 * uffdwp_scan_start - prepare a scan
 * @tracker: tracker, which must stay open until uffdwp_scan_end()
 * @opts: what to look for; copied
 * @scan: out: the scan
 *
 * Looks at nothing yet: pages are looked at, and armed, while uffdwp_scan_next() goes on.
 *
 * Return: 0; -EINVAL, also when the range is beyond the last address; or -ENOMEM.
 */
int uffdwp_scan_start(struct uffdwp *tracker, const struct uffdwp_scan_opts *opts,
		      struct uffdwp_scan **scan);

/**
 * uffdwp_scan_next - the next region
 * @scan: scan
 * @region: out: the region
 *
 * Regions come in ascending order and do not overlap. Two of them may touch with the same
 * categories.
 *
 * Return: 1 with a region; 0 when the range, or max_pages, is done; or
 *   -EPERM       UFFDWP_SCAN_CHECK_TRACKED, and the memory at uffdwp_scan_position() is not tracked
 *   -ESRCH       the process has ended or called execve(2)
 *   -EINVAL      bad flags, categories or alignment
 *   -EIO         an entry of a page table is of no known kind
 *   -EOPNOTSUPP  from the kernel alone: UFFDWP_PAGE_IS_PINNED
 *   -EOVERFLOW, -ENOMEM; -EAGAIN as from uffdwp_arm(); -ENOTRECOVERABLE as from uffdwp_track()
 * What was returned before an error holds.
 */
int uffdwp_scan_next(struct uffdwp_scan *scan, struct uffdwp_region *region);

/**
 * uffdwp_scan_position - how far a scan has come
 * @scan: scan
 *
 * Return: the address below which everything was looked at. At the end of a scan of everything, it
 * is above all addresses that can be.
 */
uint64_t uffdwp_scan_position(const struct uffdwp_scan *scan);

/**
 * uffdwp_scan_end - finish a scan, at any time
 * @scan: scan, or NULL; freed in any case
 *
 * Pages that UFFDWP_SCAN_WP_MATCHING has armed already, but that uffdwp_scan_next() has not
 * returned yet, are made written again, so that no write is lost when a scan is given up.
 *
 * Return: 0; or -EIO when that failed: then the whole range of the scan must be taken as written.
 */
int uffdwp_scan_end(struct uffdwp_scan *scan);

/** struct uffdwp_ring - what a tracker is told of, so that it need not scan */
struct uffdwp_ring;

/**
 * struct uffdwp_ring_opts - how to be told
 * @size: sizeof(struct uffdwp_ring_opts)
 * @entries: a power of two, UFFDWP_RING_MIN_ENTRIES to UFFDWP_RING_MAX_ENTRIES; 0: 4096
 * @watermark: poll(2) wakes when as many were told; 0: 1
 * @start: first address of what is scanned when all has to be: first, and after an overflow
 * @len: bytes; all that is tracked should be in it
 */
struct uffdwp_ring_opts {
	size_t size;
	uint32_t entries;
	uint32_t watermark;
	uint64_t start;
	uint64_t len;
};

/**
 * uffdwp_ring_open - be told what is written, at a cost that follows what was written
 * @tracker: tracker, which must stay open until uffdwp_ring_close()
 * @opts: options
 * @ring: out: the ring
 *
 *	while (poll(&(struct pollfd){ .fd = uffdwp_ring_fd(ring), .events = POLLIN }, 1, -1) == 1)
 *		while (uffdwp_ring_next(ring, &region) == 1)
 *			copy(region.start, region.end);
 *
 * A tracker has one ring, until it is closed: it can be opened once.
 *
 * Return: 0, or
 *   -EOPNOTSUPP  no ring is offered: always with the kernel alone as back end
 *   -EALREADY    the tracker has had one
 *   -EINVAL      bad options
 *   -ENOTRECOVERABLE, -ESRCH, -ENODEV as from uffdwp_track(); -ENOMEM
 */
int uffdwp_ring_open(struct uffdwp *tracker, const struct uffdwp_ring_opts *opts,
		     struct uffdwp_ring **ring);

/**
 * uffdwp_ring_next - the next region that was written
 * @ring: ring; one thread at a time
 * @region: out: the region, with UFFDWP_PAGE_IS_WRITTEN and, where so, UFFDWP_PAGE_IS_UNTRACKED
 *
 * What it returns is armed again: copy the region after this. What has to be scanned is scanned
 * here. Regions come in no order, and may come twice. 0 does not mean that nothing was written
 * since; it ends at what was there when it began.
 *
 * Return: 1 with a region; 0 when that was all; or an error as from uffdwp_scan_next(). What was
 * returned before an error holds, and what was not will be told again.
 */
int uffdwp_ring_next(struct uffdwp_ring *ring, struct uffdwp_region *region);

/**
 * uffdwp_ring_pending - has anything been written?
 * @ring: ring
 *
 * Makes no system call.
 *
 * Return: 1 if uffdwp_ring_next() has something to return, or has to scan; otherwise 0.
 */
int uffdwp_ring_pending(const struct uffdwp_ring *ring);

/**
 * uffdwp_ring_fd - what to poll(2) for POLLIN
 * @ring: ring
 *
 * POLLHUP and POLLERR: the process has ended, or nothing is tracked any more.
 *
 * Return: a file descriptor, to be used for nothing else.
 */
int uffdwp_ring_fd(const struct uffdwp_ring *ring);

/**
 * uffdwp_ring_close - be told no more
 * @ring: ring, or NULL; freed in any case
 *
 * What was armed and not returned is made written again. Before uffdwp_close(): the process is
 * tracked until both are closed.
 */
void uffdwp_ring_close(struct uffdwp_ring *ring);

/**
 * struct uffdwp_events_opts - what to be told of
 * @size: sizeof(struct uffdwp_events_opts)
 * @flags: UFFDWP_EVENTS_HARVEST_ALL or UFFDWP_EVENTS_HARVEST_NONE; 0: what was written is told of
 *	shared memory, before it is unmapped
 * @capacity: events that can wait to be read, UFFDWP_EVENTS_MIN_CAPACITY to
 *	UFFDWP_EVENTS_MAX_CAPACITY; 0: 4096
 * @reserved: 0
 */
struct uffdwp_events_opts {
	size_t size;
	uint64_t flags;
	uint32_t capacity;
	uint32_t reserved;
};

/**
 * uffdwp_events_open - be told what becomes of the memory and of the process
 * @tracker: tracker
 * @opts: options; NULL: all defaults
 *
 *	uffdwp_events_open(t, NULL);
 *	uffdwp_follow(t, &follow);
 *	while (poll(&(struct pollfd){ .fd = uffdwp_event_fd(t), .events = POLLIN }, 1, -1) == 1) {
 *		while ((err = uffdwp_event_next(t, &event, &child)) == 1)
 *			take(&event, child);
 *		if (err)
 *			break;
 *	}
 *
 * A tracker has events until it is closed: they can be opened once. What the events are, and their
 * order, is told in <uffdwp-async.h>, "Events".
 *
 * Return: 0, or
 *   -EOPNOTSUPP  no events are offered: always with the kernel alone as back end, and with a
 *                userfaultfd that was handed in
 *   -EALREADY    the tracker has events
 *   -EINVAL      bad options
 *   -ENOTRECOVERABLE, -ESRCH as from uffdwp_track(); -ENOMEM
 */
int uffdwp_events_open(struct uffdwp *tracker, const struct uffdwp_events_opts *opts);

/**
 * uffdwp_event_next - the next event
 * @tracker: tracker
 * @event: out: the event; one whose type you do not know is to be passed over
 * @child: out, may be NULL: the tracker that the event names, or NULL
 *
 * Never waits. Several threads may call it: each event is returned once.
 *
 * UFFDWP_EVENT_FORKED and UFFDWP_EVENT_EXEC name a tracker, if uffdwp_follow() was asked for it. It
 * is handed out with its event, and is the caller's from then on, to be closed by uffdwp_close(),
 * sooner or later than this one. It is like this one, has events, and follows; nothing that it has
 * is armed yet. Without one, event->id is 0, and the process is not tracked.
 *
 * With a @child of NULL no tracker is taken: one that event->id names ends with this one.
 *
 * Return: 1 with an event; 0 when there is none now; or
 *   -ENODATA     the last one was returned: no process has the memory any more. This tracker is of
 *                no use but to be closed
 *   -EMFILE, -ENFILE, -ENOMEM
 *                the tracker that the next event names cannot be taken. Nothing is lost: the event
 *                stays, for the next call, which may give up the tracker with a @child of NULL
 *   -EINVAL      the tracker has no events
 *   -ENOTRECOVERABLE as from uffdwp_track()
 */
int uffdwp_event_next(struct uffdwp *tracker, struct uffdwp_event *event, struct uffdwp **child);

/**
 * uffdwp_event_fd - what to poll(2) for POLLIN
 * @tracker: tracker
 *
 * Before you wait, let uffdwp_event_next() return 0: it may have read more events than it has
 * returned, and poll(2) does not know of those. It is the same file descriptor as that of the
 * tracker's ring, if there is one: then look at both.
 *
 * Return: a file descriptor, to be used for nothing else; -EINVAL if the tracker has no events.
 */
int uffdwp_event_fd(const struct uffdwp *tracker);

/**
 * uffdwp_get_stats - what a tracker has done
 * @tracker: tracker
 * @stats: in: size; out: the rest, as much as that has room for
 *
 * Return: 0, -EINVAL when @stats->size is too short, or -EOPNOTSUPP from the kernel back end, which
 * has none.
 */
int uffdwp_get_stats(struct uffdwp *tracker, struct uffdwp_stats_arg *stats);

/**
 * uffdwp_explain - a sentence for people: what happened and what to do next
 * @err: what a function of this library has returned, negative
 *
 * Which function that was need not be said: for each error, a thread remembers what it was that it
 * came from the last time. A thread that asks about the error of another gets the name of the
 * error.
 *
 * Return: text, constant, without a full stop or newline at the end.
 */
const char *uffdwp_explain(int err);

#ifdef __cplusplus
}
#endif

#endif /* UFFDWP_H */
