// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same work by each way to track that this kernel has: what it costs, in instructions, and how
 * that grows with the memory that is tracked and with the part of it that is written.
 *
 * Prints lines "FIGURE.WAY VALUE", as tests/bench/bench.c, and under the same conditions. Each is
 * the median of five.
 *
 *	device		this module
 *	native		WP_ASYNC and PAGEMAP_SCAN of Linux 6.7
 *	soft_dirty	/proc/PID/clear_refs and pagemap; always the whole process
 *	sync		userfaultfd write protection, resolved by a thread of the process
 *	sigsegv		mprotect(), resolved in a handler of SIGSEGV
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "uffdwp-async.h"

#define REGIONS		65536ul
#define REPEATS		5

/* Of Linux 6.7, which the headers that this is built with need not know. */
#define UFFD_WP_UNPOPULATED	(1ull << 13)
#define UFFD_WP_ASYNC		(1ull << 15)
#define PAGE_IS_WPALLOWED	(1ull << 0)
#define PAGE_IS_WRITTEN		(1ull << 1)
#define PM_SCAN_WP_MATCHING	(1ull << 0)

struct pm_scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN		_IOWR('f', 16, struct pm_scan)

static int ascending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t took[REPEATS])
{
	qsort(took, REPEATS, sizeof(took[0]), ascending);
	return took[REPEATS / 2];
}

/* ---- the ways */

static char *memory;
static size_t len;
static struct uffdwp_region regions[REGIONS];

/*
 * To begin makes all of the memory "not written", however it was. A scan returns how many pages
 * were written; with reset they are not written from then on, and what cannot do that is to begin
 * anew.
 */
struct way {
	const char *name;
	bool (*possible)(void);
	void (*attach)(void);
	void (*begin)(void);
	size_t (*scan)(bool reset, bool all);
	void (*detach)(void);
	bool slow;	/* a write takes ten times as long: with less memory, and not all figures */
};

static int fd = -1, pagemap = -1;

/* this module */

static bool always(void)
{
	return true;
}

static void device_attach(void)
{
	struct uffdwp_attach_arg attach = { .size = sizeof(attach) };
	struct uffdwp_register_arg reg = {
		.size = sizeof(reg), .start = (uintptr_t)memory, .len = len,
	};

	fd = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, UFFDWP_IOC_ATTACH, &attach) || ioctl(fd, UFFDWP_IOC_REGISTER, &reg))
		stop(UFFDWP_DEVICE);
}

static void device_begin(void)
{
	struct uffdwp_arm_arg arm = {
		.size = sizeof(arm), .start = (uintptr_t)memory, .len = len,
	};

	if (ioctl(fd, UFFDWP_IOC_ARM, &arm))
		stop("ARM");
}

static size_t pages_of(int n)
{
	size_t pages = 0;
	int i;

	for (i = 0; i < n; i++)
		pages += (regions[i].end - regions[i].start) / PAGE;
	return pages;
}

static size_t device_scan(bool reset, bool all)
{
	struct uffdwp_scan_arg arg = {
		.size = sizeof(arg),
		.flags = reset ? UFFDWP_SCAN_WP_MATCHING : 0,
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + len,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.category_mask = all ? 0 : UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = all ? UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PRESENT |
				     UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_FILE |
				     UFFDWP_PAGE_IS_PFNZERO | UFFDWP_PAGE_IS_HUGE :
				     UFFDWP_PAGE_IS_WRITTEN,
	};
	int n = ioctl(fd, UFFDWP_IOC_SCAN, &arg);

	if (n < 0 || arg.walk_end != arg.end)
		stop("SCAN");
	return pages_of(n);
}

static void close_fd(void)
{
	close(fd);
}

/* the kernel's own, since 6.7 */

static int uffd_with(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	/* Without O_NONBLOCK poll() returns POLLERR. */
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd >= 0 && ioctl(uffd, UFFDIO_API, &api)) {
		close(uffd);
		uffd = -1;
	}
	return uffd;
}

static bool native_possible(void)
{
	int uffd = uffd_with(UFFD_WP_ASYNC | UFFD_WP_UNPOPULATED);

	close(uffd);
	return uffd >= 0;
}

static void uffd_attach(uint64_t features)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)memory, len }, .mode = UFFDIO_REGISTER_MODE_WP,
	};

	fd = uffd_with(features);
	if (fd < 0 || ioctl(fd, UFFDIO_REGISTER, &reg))
		stop("userfaultfd");
}

static void native_attach(void)
{
	uffd_attach(UFFD_WP_ASYNC | UFFD_WP_UNPOPULATED);
}

static void uffd_begin(void)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)memory, len }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		stop("UFFDIO_WRITEPROTECT");
}

static size_t native_scan(bool reset, bool all)
{
	struct pm_scan arg = {
		.size = sizeof(arg),
		.flags = reset ? PM_SCAN_WP_MATCHING : 0,
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + len,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.category_mask = all ? 0 : PAGE_IS_WRITTEN,
		.return_mask = all ? 0x7e : PAGE_IS_WRITTEN,
	};
	size_t pages = 0;
	int n;

	/* It may stop before the end, which is no error. */
	for (; arg.start != arg.end; arg.start = arg.walk_end) {
		n = ioctl(pagemap, PAGEMAP_SCAN, &arg);
		if (n < 0)
			stop("PAGEMAP_SCAN");
		pages += pages_of(n);
	}
	return pages;
}

/* soft-dirty */

static bool soft_dirty_possible(void)
{
	/* A page that was just written */
	static char page[2 * PAGE];
	uint64_t entry = 0;

	page[PAGE] = 1;
	return pread(pagemap, &entry, sizeof(entry), (uintptr_t)(page + PAGE) / PAGE * 8) ==
	       sizeof(entry) && (entry & 1ull << 55);
}

static void soft_dirty_attach(void)
{
	fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		stop("clear_refs");
}

static void soft_dirty_begin(void)
{
	if (pwrite(fd, "4", 1, 0) != 1)
		stop("clear_refs");
}

static size_t soft_dirty_scan(bool reset, bool all)
{
	static uint64_t entries[65536];
	size_t page, n, i, dirty = 0;

	(void)all;
	for (page = 0; page < len / PAGE; page += n) {
		n = len / PAGE - page < 65536 ? len / PAGE - page : 65536;
		if (pread(pagemap, entries, n * 8, ((uintptr_t)memory / PAGE + page) * 8) !=
		    (ssize_t)(n * 8))
			stop("pagemap");
		for (i = 0; i < n; i++)
			dirty += entries[i] >> 55 & 1;
	}
	if (reset)
		soft_dirty_begin();
	return dirty;
}

/* userfaultfd write protection and a thread; what it was told of stands in a list */

static pthread_t monitor;
static int enough[2];
static uintptr_t *noted;
static volatile size_t notes;

static void *resolve(void *arg)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = enough[0], .events = POLLIN } };
	struct uffdio_writeprotect wp = { .range.len = PAGE };
	struct uffd_msg msg;

	(void)arg;
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		if (read(fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		wp.range.start = msg.arg.pagefault.address & ~(PAGE - 1);
		noted[notes++] = wp.range.start;
		if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
			stop("UFFDIO_WRITEPROTECT of a page");
	}
	return NULL;
}

static void sync_attach(void)
{
	uffd_attach(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	if (pipe(enough) || pthread_create(&monitor, NULL, resolve, NULL))
		stop("a thread");
}

static void sync_begin(void)
{
	notes = 0;
	uffd_begin();
}

static size_t sync_scan(bool reset, bool all)
{
	struct uffdio_writeprotect wp = {
		.range.len = PAGE, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	const size_t n = notes;
	size_t i;

	(void)all;
	for (i = 0; reset && i < n; i++) {
		wp.range.start = noted[i];
		if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
			stop("UFFDIO_WRITEPROTECT of a page");
	}
	if (reset)
		notes = 0;
	return n;
}

static void sync_detach(void)
{
	if (write(enough[1], "x", 1) != 1)
		stop("pipe");
	pthread_join(monitor, NULL);
	close(enough[0]);
	close(enough[1]);
	close(fd);
}

/* mprotect() and SIGSEGV */

static void on_segv(int sig, siginfo_t *info, void *context)
{
	const uintptr_t page = (uintptr_t)info->si_addr & ~(PAGE - 1);

	(void)sig;
	(void)context;
	if (page < (uintptr_t)memory || page >= (uintptr_t)memory + len)
		_exit(2);
	noted[notes++] = page;
	mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE);
}

static void sigsegv_attach(void)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
}

static void sigsegv_begin(void)
{
	notes = 0;
	if (mprotect(memory, len, PROT_READ))
		stop("mprotect");
}

static size_t sigsegv_scan(bool reset, bool all)
{
	const size_t n = notes;

	(void)all;
	/* One call for all of it: page by page, there may be more VMAs than are allowed. */
	if (reset)
		sigsegv_begin();
	return n;
}

static void sigsegv_detach(void)
{
	mprotect(memory, len, PROT_READ | PROT_WRITE);
	signal(SIGSEGV, SIG_DFL);
}

static const struct way ways[] = {
	{ "device", always, device_attach, device_begin, device_scan, close_fd, false },
	{ "native", native_possible, native_attach, uffd_begin, native_scan, close_fd, false },
	{ "soft_dirty", soft_dirty_possible, soft_dirty_attach, soft_dirty_begin, soft_dirty_scan,
	  close_fd, false },
	{ "sync", always, sync_attach, sync_begin, sync_scan, sync_detach, true },
	{ "sigsegv", always, sigsegv_attach, sigsegv_begin, sigsegv_scan, sigsegv_detach, true },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* ---- the work */

static void report(const char *figure, const char *way, double value)
{
	printf("%s.%s %.2f\n", figure, way, value);
	fflush(stdout);
}

static void map(size_t size)
{
	len = size;
	memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		stop("mmap");
	madvise(memory, len, MADV_NOHUGEPAGE);
}

/* Every nth page; n of 0: none. Returns how many. */
static size_t write_every(size_t nth)
{
	size_t i, written = 0;

	for (i = 0; nth && i < len / PAGE; i += nth, written++)
		*(volatile char *)(memory + i * PAGE) = 1;
	return written;
}

static void expect(const struct way *way, size_t found, size_t written)
{
	if (found == written)
		return;
	fprintf(stderr, "ways: %s: %zu pages were written, and it says %zu\n", way->name, written,
		found);
	exit(1);
}

/* A scan after every nth page was written, per page of the memory. */
static double scan_cost(const struct way *way, size_t nth, bool reset, bool all)
{
	uint64_t took[REPEATS], since;
	size_t written, found;
	int i;

	way->begin();
	for (i = 0; i < REPEATS; i++) {
		written = write_every(nth);
		since = now();
		found = way->scan(reset, all);
		took[i] = now() - since;
		if (!all)
			expect(way, found, written);
		if (!reset && nth)
			way->begin();
	}
	return (double)median(took) / (len / PAGE);
}

static double begin_cost(const struct way *way)
{
	uint64_t took[REPEATS], since;
	int i;

	for (i = 0; i < REPEATS; i++) {
		way->attach();
		since = now();
		way->begin();
		took[i] = now() - since;
		way->detach();
		write_every(1);
	}
	return (double)median(took) / (len / PAGE);
}

static double write_cost(const struct way *way, size_t nth)
{
	uint64_t took[REPEATS], since;
	size_t written = 0;
	int i;

	for (i = 0; i < REPEATS; i++) {
		way->begin();
		since = now();
		written = write_every(nth);
		took[i] = now() - since;
	}
	return (double)median(took) / written;
}

/* All of it is there, in small pages. */
static void populated(const struct way *way)
{
	map(way->slow ? 64 * MIB : GIB);
	write_every(1);
	report("arm", way->name, begin_cost(way));
	way->attach();
	/* 128th: every page would be more VMAs than mprotect() may make. */
	report("write", way->name, write_cost(way, 128));
	report("reset.few", way->name, scan_cost(way, 1000, true, false));
	if (way->slow)
		goto out;
	report("scan.none", way->name, scan_cost(way, 0, false, false));
	report("scan.few", way->name, scan_cost(way, 1000, false, false));
	report("reset.tenth", way->name, scan_cost(way, 10, true, false));
	report("scan.categories", way->name, scan_cost(way, 1000, false, true));
out:
	way->detach();
	munmap(memory, len);
}

/* 16 GiB that were never touched, in all */
static void unpopulated(const struct way *way)
{
	uint64_t since;

	map(16 * GIB);
	way->attach();
	since = now();
	way->begin();
	report("arm.16GiB", way->name, now() - since);
	since = now();
	expect(way, way->scan(false, false), 0);
	report("scan.16GiB", way->name, now() - since);
	way->detach();
	munmap(memory, len);
}

static const char *only;

static bool wanted(const struct way *way)
{
	return (!only || !strcmp(only, way->name)) && way->possible();
}

/* With an argument: only that way. */
int main(int argc, char **argv)
{
	size_t i;

	only = argc > 1 ? argv[1] : NULL;
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	noted = malloc(GIB / PAGE * sizeof(*noted));
	if (pagemap < 0 || !noted)
		stop("preparation");
	for (i = 0; i < WAYS; i++)
		if (wanted(&ways[i]))
			populated(&ways[i]);
	for (i = 0; i < 2; i++)
		if (wanted(&ways[i]))
			unpopulated(&ways[i]);
	return 0;
}
