// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The back end that is the kernel itself: UFFD_FEATURE_WP_ASYNC and PAGEMAP_SCAN, Linux 6.7 and
 * later, without the module. For the caller's own process, or with a userfaultfd handed in.
 *
 * Three rules of uffdwp-async.h are kept here, since that kernel does not keep them all by itself:
 *
 *  - Memory with nothing in it reads as clean only if it was armed, and then it has a marker. So a
 *    page that is neither present nor swapped counts as written (PAGEMAP_SCAN calls it not written
 *    where MADV_DONTNEED has thrown it away).
 *  - Nothing is armed that is not reported: if arming ends halfway, the report ends there, too.
 *  - What was found armed is not armed again. A reset is two steps here, look and then arm. A write
 *    in between to a page that is about to be reported as written is in the copy, which whoever is
 *    told makes after both. One to a page that is about to be reported as not written is in no
 *    copy, and has to be found by the next scan.
 *
 * PAGEMAP_SCAN and UFFDIO_WRITEPROTECT take all memory that is registered for write protection for
 * their own, with whatever userfaultfd. So a scan of everything is one of the ranges that were
 * registered here: elsewhere it would arm what another one of the process looks after, whose writes
 * would be missed.
 *
 * What this back end cannot know: which pages are held by somebody who writes to them without a
 * fault (PAGE_IS_PINNED is not offered), which userfaultfd memory is registered with, and that an
 * armed page was thrown away in a mapping of a file, by a hole or by MADV_DONTNEED (the kernel
 * leaves a marker, which looks like a page that is swapped out).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define PAGE 4096ull

/* Of Linux 6.7, which the headers that this is built with need not know. */
#define FEATURE_WP_UNPOPULATED	(1ull << 13)
#define FEATURE_WP_ASYNC	(1ull << 15)
/* What the kernel shows of a userfaultfd on which UFFDIO_API was called. */
#define FEATURE_INITIALIZED	(1ull << 31)
#define MODE_USER_ONLY		1

/* The same structure as UFFDWP_IOC_SCAN's: struct pm_scan_arg of <linux/fs.h> */
#define PAGEMAP_SCAN_IOCTL	_IOWR('f', 16, struct uffdwp_scan_arg)

/* All that PAGEMAP_SCAN of Linux 6.7 can tell. */
#define KERNEL_CATEGORIES	((UFFDWP_PAGE_IS_SOFT_DIRTY << 1) - 1)
#define KNOWN_CATEGORIES	(KERNEL_CATEGORIES | UFFDWP_PAGE_IS_UNTRACKED)
#define KNOWN_FLAGS		(UFFDWP_SCAN_WP_MATCHING | UFFDWP_SCAN_CHECK_TRACKED)

/* Regions of one look, and as many runs to arm. */
#define LOOK_REGIONS		512

/*
 * While an event of a userfaultfd (fork, remap, remove, unmap) waits to be read,
 * UFFDIO_WRITEPROTECT says EAGAIN. Its reader may be about to read, or may be this very thread: so
 * it is asked again for about a second, without keeping the processor from the reader, and not for
 * ever.
 */
#define EVENT_TRIES	1000
#define EVENT_WAIT_NS	1000000

static int call(int fd, unsigned long cmd, void *arg)
{
	const struct timespec a_moment = { .tv_nsec = EVENT_WAIT_NS };
	int ret, tries = 0;

	for (;;) {
		ret = ioctl(fd, cmd, arg);
		if (ret >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
		if (errno == EAGAIN) {
			if (++tries == EVENT_TRIES)
				break;
			nanosleep(&a_moment, NULL);
			errno = EAGAIN;
		}
	}
	return ret < 0 ? -errno : ret;
}

/* ---- opening */

/* The first line of a file descriptor's fdinfo that has this form; -EBADF when none has. */
__attribute__((format(scanf, 2, 3)))
static int scan_fdinfo(int fd, const char *format, ...)
{
	char path[64], line[128];
	bool found = false;
	va_list values;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -EBADF;
	while (!found && fgets(line, sizeof(line), file)) {
		va_start(values, format);
		found = vsscanf(line, format, values) == 1;
		va_end(values);
	}
	fclose(file);
	return found ? 0 : -EBADF;
}

/*
 * Does the kernel resolve its write faults by itself, as was asked for when it was made? And will
 * no child inherit what is armed, in a userfaultfd of its own?
 */
static int check_features(int uffd)
{
	uint64_t features;
	int err = scan_fdinfo(uffd, "API: %*x:%" SCNx64, &features);

	if (err)
		return err;
	if (!(features & FEATURE_INITIALIZED) || (features & UFFD_FEATURE_EVENT_FORK))
		return -EINVAL;
	return features & FEATURE_WP_ASYNC ? 0 : -EOPNOTSUPP;
}

/* -ENODEV: this kernel cannot do it. */
static int new_uffd(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | MODE_USER_ONLY), err;

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -ENODEV;
	err = call(fd, UFFDIO_API, &api);
	if (!err)
		return fd;
	close(fd);
	return err == -EINVAL ? -ENODEV : err;
}

static int own_uffd(struct uffdwp *tracker, const struct uffdwp_open_opts *opts)
{
	int err;

	if (!(opts->flags & UFFDWP_OPEN_UFFD)) {
		tracker->fd = new_uffd();
		return tracker->fd < 0 ? tracker->fd : 0;
	}
	err = check_features(opts->uffd);
	if (err)
		return err;
	tracker->fd = fcntl(opts->uffd, F_DUPFD_CLOEXEC, 0);
	return tracker->fd < 0 ? -errno : 0;
}

/* *pidfd: of the process that is meant, to be closed; -1 for the caller's own. */
static int pidfd_of(pid_t pid, const struct uffdwp_open_opts *opts, int *pidfd)
{
	*pidfd = -1;
	if (opts->flags & UFFDWP_OPEN_PIDFD)
		*pidfd = fcntl(opts->pidfd, F_DUPFD_CLOEXEC, 0);
	else if (pid && pid != getpid())
		return (*pidfd = uffdwp_pidfd_of(pid)) < 0 ? *pidfd : 0;
	else
		return 0;
	return *pidfd < 0 ? -errno : 0;
}

/* -1: it has ended; 0: it has no number here. */
static int pid_of(int pidfd, pid_t *pid)
{
	int err = scan_fdinfo(pidfd, "Pid: %d", pid);

	return err ? err : *pid <= 0 ? -ESRCH : 0;
}

/*
 * /proc knows processes by number, and a number may be another process's by the time that the file
 * is open. As long as the pidfd has the number, nobody else has.
 */
static int open_pagemap(int pidfd, int *pagemap)
{
	char path[64];
	pid_t pid = 0;
	int err = pidfd < 0 ? 0 : pid_of(pidfd, &pid);

	if (err)
		return err;
	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	else
		snprintf(path, sizeof(path), "/proc/self/pagemap");
	*pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (*pagemap < 0)
		return pid && errno == ENOENT ? -ESRCH : -errno;
	if (pid && pid_of(pidfd, &pid)) {
		close(*pagemap);
		return -ESRCH;
	}
	return 0;
}

/* Opens it, and asks by a scan of nothing whether the kernel has PAGEMAP_SCAN. */
static int scanning_pagemap(struct uffdwp *tracker, int pidfd, struct uffdwp_no *no)
{
	struct uffdwp_scan_arg nothing = { .size = sizeof(nothing) };
	int err;

	no->step = UFFDWP_STEP_PAGEMAP;
	err = open_pagemap(pidfd, &tracker->pagemap);
	if (err)
		return err;
	if (call(tracker->pagemap, PAGEMAP_SCAN_IOCTL, &nothing) >= 0)
		return 0;
	no->cannot = true;
	close(tracker->pagemap);
	return -ENODEV;
}

static int open_both(struct uffdwp *tracker, int pidfd, const struct uffdwp_open_opts *opts,
		     struct uffdwp_no *no)
{
	int err = scanning_pagemap(tracker, pidfd, no);

	if (err)
		return err;
	no->step = UFFDWP_STEP_USERFAULTFD;
	err = own_uffd(tracker, opts);
	if (err) {
		no->cannot = err == -ENODEV || err == -EOPNOTSUPP;
		close(tracker->pagemap);
	}
	return err;
}

static int kernel_open(struct uffdwp *tracker, pid_t pid, const struct uffdwp_open_opts *opts,
		       struct uffdwp_no *no)
{
	bool other;
	pid_t number;
	int pidfd, err;

	no->step = UFFDWP_STEP_USERFAULTFD;
	err = pidfd_of(pid, opts, &pidfd);
	if (!err && pidfd >= 0)
		err = pid_of(pidfd, &number);
	if (err)
		goto close_pidfd;
	other = pidfd >= 0 && number != getpid();
	/*
	 * Another process cannot be given a userfaultfd from here. And nothing is mapped where
	 * nothing is but what the kernel's own markers say.
	 */
	err = other && !(opts->flags & UFFDWP_OPEN_UFFD) ? -ENODEV :
	      opts->unpopulated == UFFDWP_UNPOP_ZERO ||
	      opts->unpopulated == UFFDWP_UNPOP_SPARSE || opts->granule > 1 ||
	      (opts->flags & (UFFDWP_OPEN_WHOLE_HUGE | UFFDWP_OPEN_RIDE)) ? -EOPNOTSUPP : 0;
	no->cannot = err;
	if (!err)
		err = open_both(tracker, other ? pidfd : -1, opts, no);
	if (err)
		goto close_pidfd;

	tracker->raw = calloc(2 * LOOK_REGIONS, sizeof(*tracker->raw));
	if (!tracker->raw) {
		close(tracker->fd);
		close(tracker->pagemap);
		err = -ENOMEM;
		goto close_pidfd;
	}
	pthread_mutex_init(&tracker->lock, NULL);

close_pidfd:
	if (pidfd >= 0)
		close(pidfd);
	return err;
}

/* What Linux 6.7 and later register, of those who ask for WP_ASYNC. */
static int kernel_query(struct uffdwp_info *info, struct uffdwp_no *no)
{
	const int uffd = new_uffd();

	no->step = UFFDWP_STEP_USERFAULTFD;
	no->cannot = uffd == -ENODEV;
	if (uffd < 0)
		return uffd;
	close(uffd);
	info->kinds = UFFDWP_KIND_ANON_PRIVATE | UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB |
		      UFFDWP_KIND_FILE;
	info->features = UFFDWP_FEATURE_UFFD | UFFDWP_FEATURE_UNPOP_MARKER | UFFDWP_FEATURE_THP;
	return 0;
}

static void kernel_close(struct uffdwp *tracker)
{
	pthread_mutex_destroy(&tracker->lock);
	free(tracker->tracked.range);
	free(tracker->raw);
	close(tracker->pagemap);
	close(tracker->fd);
}

/* ---- registering and arming */

static int check_range(uint64_t start, uint64_t len)
{
	if (start % PAGE || len % PAGE || !len)
		return -EINVAL;
	return start + len < start || start + len > 1ull << 56 ? -EOVERFLOW : 0;
}

/*
 * An address space that is gone has no mappings, and a scan of it finds nothing, which is no error
 * to the kernel. Reading the file ends at once then. Asked behind what it is to confirm.
 */
static int check_alive(const struct uffdwp *tracker)
{
	uint64_t entry;

	return pread(tracker->pagemap, &entry, sizeof(entry), 0) == 0 ? -ESRCH : 0;
}

/* Is anything mapped there? */
static bool is_mapped(const struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = start + len,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.max_pages = 1,
	};

	return call(tracker->pagemap, PAGEMAP_SCAN_IOCTL, &arg) != 0;
}

/* What the kernel has said to a range, in the words of uffdwp.h. */
static int range_error(const struct uffdwp *tracker, uint64_t start, uint64_t len, int err)
{
	if (err && check_alive(tracker))
		return -ESRCH;
	if (err == -EINVAL)
		return is_mapped(tracker, start, len) ? -EOPNOTSUPP : -ENOENT;
	return err == -EPERM ? -EACCES : err;
}

/* After ENOMEM a front part may be registered: what is not reads as UNTRACKED. */
static int register_and_note(struct uffdwp *tracker, struct uffdio_register *arg)
{
	const uint64_t start = arg->range.start, end = start + arg->range.len;
	int err = uffdwp_ranges_reserve(&tracker->tracked);

	if (err)
		return err;
	err = call(tracker->fd, UFFDIO_REGISTER, arg);
	if (!err || err == -ENOMEM)
		uffdwp_ranges_add(&tracker->tracked, start, end);
	return err;
}

/* The kernel does not say where it met what it did not like. */
static int kernel_register(struct uffdwp *tracker, uint64_t start, uint64_t len, uint64_t *fail_at)
{
	struct uffdio_register arg = {
		.range = { .start = start, .len = len },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int err = check_range(start, len);

	*fail_at = 0;
	if (err)
		return err;
	pthread_mutex_lock(&tracker->lock);
	err = register_and_note(tracker, &arg);
	pthread_mutex_unlock(&tracker->lock);
	return range_error(tracker, start, len, err);
}

static int kernel_unregister(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	struct uffdio_range arg = { .start = start, .len = len };
	int err = check_range(start, len);

	if (err)
		return err;
	pthread_mutex_lock(&tracker->lock);
	err = uffdwp_ranges_reserve(&tracker->tracked) ?:
	      call(tracker->fd, UFFDIO_UNREGISTER, &arg);
	if (!err)
		uffdwp_ranges_remove(&tracker->tracked, start, start + len);
	pthread_mutex_unlock(&tracker->lock);
	return range_error(tracker, start, len, err);
}

static int protect(struct uffdwp *tracker, uint64_t start, uint64_t len, bool armed)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = start, .len = len },
		.mode = armed ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return call(tracker->fd, UFFDIO_WRITEPROTECT, &arg);
}

/* ---- scanning */

/* One look of the kernel at a part of the range, and what becomes of it. */
struct look {
	struct uffdwp *tracker;
	struct uffdwp_scan_arg *arg;
	struct uffdwp_region *out;	/* the caller's */
	unsigned int found;
	uint64_t pages;
	struct uffdwp_region *arm;	/* runs that are to be armed */
	unsigned int arms;
	uint64_t pos;			/* all below was looked at */
	uint64_t end;			/* of what is to be looked at */
	bool full;
};

static bool matches(const struct uffdwp_scan_arg *arg, uint64_t categories)
{
	categories ^= arg->category_inverted;
	return (categories & arg->category_mask) == arg->category_mask &&
	       (!arg->category_anyof_mask || (categories & arg->category_anyof_mask));
}

/* The kernel's categories in the words of uffdwp-async.h. */
static uint64_t translate(uint64_t categories)
{
	if (!(categories & UFFDWP_PAGE_IS_WPALLOWED))
		return UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN;
	if (!(categories & (UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED)))
		categories |= UFFDWP_PAGE_IS_WRITTEN;
	return categories;
}

/* True: one more region, or the last one has grown. */
static bool add(struct uffdwp_region *regions, unsigned int *n, unsigned int room, uint64_t start,
		uint64_t end, uint64_t categories)
{
	struct uffdwp_region *last = *n ? &regions[*n - 1] : NULL;

	if (last && last->end == start && last->categories == categories) {
		last->end = end;
		return true;
	}
	if (*n == room)
		return false;
	regions[(*n)++] = (struct uffdwp_region){ start, end, categories };
	return true;
}

/*
 * As translate() has them. What is not WRITTEN was armed when it was looked at: if it is not any
 * more, it was written since, and nobody has been told.
 */
static bool is_to_be_armed(const struct uffdwp_scan_arg *arg, uint64_t categories)
{
	return (arg->flags & UFFDWP_SCAN_WP_MATCHING) &&
	       (categories & UFFDWP_PAGE_IS_WRITTEN) && !(categories & UFFDWP_PAGE_IS_UNTRACKED);
}

/* Memory of one kind, [l->pos, end). False: the look ends at l->pos. */
static bool take(struct look *l, uint64_t end, uint64_t categories)
{
	const struct uffdwp_scan_arg *arg = l->arg;
	uint64_t room = arg->max_pages ? arg->max_pages - l->pages : UINT64_MAX;

	if (!matches(arg, categories)) {
		l->pos = end;
		return true;
	}
	if ((end - l->pos) / PAGE > room)
		end = l->pos + room * PAGE;
	if (!add(l->out, &l->found, arg->vec_len, l->pos, end, categories & arg->return_mask)) {
		l->full = true;
		return false;
	}
	if (is_to_be_armed(arg, categories))
		add(l->arm, &l->arms, LOOK_REGIONS, l->pos, end, 0);
	l->pages += (end - l->pos) / PAGE;
	l->pos = end;
	l->full = arg->max_pages && l->pages == arg->max_pages;
	return !l->full;
}

/* Addresses without memory up to end, which the kernel passes by. */
static bool take_gap(struct look *l, uint64_t end)
{
	const uint64_t named = l->arg->category_mask | l->arg->category_anyof_mask;

	if (l->pos == end || (named & UFFDWP_PAGE_IS_UNTRACKED))
		return l->pos == end || take(l, end, UFFDWP_PAGE_IS_UNTRACKED);
	l->pos = end;
	return true;
}

/* The kernel's regions one after the other: 0, or -EPERM at something that is not tracked. */
static int sort_out(struct look *l, const struct uffdwp_region *raw, unsigned int n, uint64_t end)
{
	const bool check = l->arg->flags & UFFDWP_SCAN_CHECK_TRACKED;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (check && (raw[i].start != l->pos ||
			      !(raw[i].categories & UFFDWP_PAGE_IS_WPALLOWED)))
			return -EPERM;
		if (!take_gap(l, raw[i].start) ||
		    !take(l, raw[i].end, translate(raw[i].categories)))
			return 0;
	}
	if (check && l->pos != end)
		return -EPERM;
	take_gap(l, end);
	return 0;
}

/* Take back the report of all from @end on: the next look meets it again. */
static void cut_report(struct look *l, uint64_t end)
{
	while (l->found && l->out[l->found - 1].start >= end)
		l->found--;
	if (l->found && l->out[l->found - 1].end > end)
		l->out[l->found - 1].end = end;
	l->pos = end;
}

/* A part of a hugetlb page, or gone since: what is not armed reads as written. */
static bool is_no_failure(int err)
{
	return !err || err == -EINVAL || err == -ENOENT;
}

/*
 * Where arming fails, the report ends: what was armed stays reported, for it may be impossible to
 * take back (while an event waits to be read, nothing can be disarmed either). EAGAIN comes before
 * anything of the run was armed. After another error a part of it may be, and if that cannot be
 * taken back the run is reported after all, armed or not.
 */
static int arm_all(struct look *l)
{
	const struct uffdwp_region *run;
	int err;

	for (run = l->arm; run < l->arm + l->arms; run++) {
		err = protect(l->tracker, run->start, run->end - run->start, true);
		if (is_no_failure(err))
			continue;
		if (err == -EAGAIN || is_no_failure(protect(l->tracker, run->start,
							    run->end - run->start, false))) {
			cut_report(l, run->start);
			return err;
		}
		cut_report(l, run->end);
		l->full = true;
		return 0;
	}
	return 0;
}

static int look_once(struct look *l)
{
	struct uffdwp_scan_arg kernel = {
		.size = sizeof(kernel),
		.start = l->pos,
		.end = l->end,
		.vec = (uintptr_t)l->tracker->raw,
		.vec_len = LOOK_REGIONS,
		.return_mask = KERNEL_CATEGORIES,
	};
	int n = call(l->tracker->pagemap, PAGEMAP_SCAN_IOCTL, &kernel), err;

	if (n < 0)
		return n;
	/* Never seen, and it would be asked for ever. */
	if (kernel.walk_end <= l->pos || kernel.walk_end > l->end)
		return -EIO;
	l->arms = 0;
	err = sort_out(l, l->tracker->raw, n, kernel.walk_end);
	if (!err || l->found)
		return arm_all(l) ?: err;
	return err;
}

static int look_at_range(struct look *l)
{
	int err;

	do {
		err = look_once(l);
	} while (!err && !l->full && l->pos != l->end);
	return err;
}

static int look_at_everything(struct look *l)
{
	const struct uffdwp_range *range;
	int err = 0;

	while (!err && !l->full) {
		range = uffdwp_ranges_from(&l->tracker->tracked, l->pos);
		if (!range) {
			l->pos = UFFDWP_EVERYTHING;
			break;
		}
		if (l->pos < range->start)
			l->pos = range->start;
		l->end = range->end;
		err = look_at_range(l);
	}
	return err;
}

static int kernel_scan(struct uffdwp *tracker, struct uffdwp_scan_arg *arg)
{
	const bool everything = arg->end == UFFDWP_EVERYTHING;
	const uint64_t named = arg->category_inverted | arg->category_mask |
			       arg->category_anyof_mask | arg->return_mask;
	struct look l = {
		.tracker = tracker,
		.arg = arg,
		.out = (struct uffdwp_region *)(uintptr_t)arg->vec,
		.arm = tracker->raw + LOOK_REGIONS,
		.pos = arg->start,
		.end = arg->end,
	};
	int err = everything ? 0 : check_range(arg->start, arg->end - arg->start);

	if (err)
		return err;
	if (named & UFFDWP_PAGE_IS_PINNED)
		return -EOPNOTSUPP;
	if ((arg->flags & ~KNOWN_FLAGS) || (named & ~KNOWN_CATEGORIES))
		return -EINVAL;
	pthread_mutex_lock(&tracker->lock);
	err = everything ? look_at_everything(&l) : look_at_range(&l);
	if (check_alive(tracker)) {
		err = -ESRCH;
		l.found = 0;
	}
	pthread_mutex_unlock(&tracker->lock);
	arg->walk_end = l.pos;
	/* What was found before an error is told; the next call meets the error at once. */
	return l.found || !err ? (int)l.found : err;
}

/* All that is registered in a range, armed or disarmed; the rest is skipped. */
static int protect_registered(struct uffdwp *tracker, uint64_t start, uint64_t end, bool armed,
			      bool *found)
{
	struct uffdwp_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)tracker->raw,
		.vec_len = LOOK_REGIONS,
		.category_mask = UFFDWP_PAGE_IS_WPALLOWED,
		.return_mask = UFFDWP_PAGE_IS_WPALLOWED,
	};
	int n, i, err;

	for (; arg.start != end; arg.start = arg.walk_end) {
		n = call(tracker->pagemap, PAGEMAP_SCAN_IOCTL, &arg);
		if (n < 0)
			return n;
		if (arg.walk_end <= arg.start || arg.walk_end > end)
			return -EIO;
		for (i = 0; i < n; i++) {
			*found = true;
			err = protect(tracker, tracker->raw[i].start,
				      tracker->raw[i].end - tracker->raw[i].start, armed);
			/* Gone since, and then it reads as written. */
			if (err && err != -ENOENT)
				return err;
		}
	}
	return 0;
}

static int protect_range(struct uffdwp *tracker, uint64_t start, uint64_t len, bool armed)
{
	int err = check_range(start, len);
	bool found = false;

	if (err)
		return err;
	pthread_mutex_lock(&tracker->lock);
	err = protect_registered(tracker, start, start + len, armed, &found);
	pthread_mutex_unlock(&tracker->lock);
	if (check_alive(tracker))
		return -ESRCH;
	return err || found || !armed ? err : -ENOENT;
}

static int kernel_arm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return protect_range(tracker, start, len, true);
}

static int kernel_disarm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return protect_range(tracker, start, len, false);
}

/* The kernel does not count. */
static int kernel_stats(struct uffdwp *tracker, struct uffdwp_stats_arg *stats)
{
	(void)tracker;
	(void)stats;
	return -EOPNOTSUPP;
}

const struct uffdwp_backend_ops uffdwp_kernel_backend = {
	.name = "kernel",
	.id = UFFDWP_BACKEND_KERNEL,
	.open = kernel_open,
	.query = kernel_query,
	.close = kernel_close,
	.do_register = kernel_register,
	.do_unregister = kernel_unregister,
	.arm = kernel_arm,
	.disarm = kernel_disarm,
	.scan = kernel_scan,
	.stats = kernel_stats,
};
