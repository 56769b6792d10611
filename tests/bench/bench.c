// SPDX-License-Identifier: GPL-2.0-only
/*
 * What things cost, in instructions.
 *
 * Each figure is the least of several repeats: what is on top of it is a timer tick.
 *
 * Prints lines "NAME VALUE"; tests/bench/run makes the table.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "uffdwp-async.h"

#define PAGES 256ul
#define LEN (PAGES * PAGE)
#define ROUNDS 20
#define REPEATS 7

static char *memory;

/* Least instructions of one of count things that run() does. */
static double least(void (*run)(void), uint64_t count)
{
	uint64_t best = UINT64_MAX, begin, took;
	int i;

	run();
	for (i = 0; i < REPEATS; i++) {
		begin = now();
		run();
		took = now() - begin;
		if (took < best)
			best = took;
	}
	return (double)best / count;
}

static void report(const char *name, double value)
{
	printf("%s %.1f\n", name, value);
	fflush(stdout);
}

static char *map(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		stop("mmap");
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static void touch(void)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		*(volatile char *)(memory + i * PAGE) = 1;
}

/* ---- processes that are not tracked */

static void run_getppid(void)
{
	int i;

	for (i = 0; i < 2000; i++)
		syscall(SYS_getppid);
}

static void run_faults(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		madvise(memory, LEN, MADV_DONTNEED);
		touch();
	}
}

static void run_mprotect(void)
{
	int i;

	for (i = 0; i < 500; i++) {
		mprotect(memory, 8 * PAGE, PROT_READ);
		mprotect(memory, 8 * PAGE, PROT_READ | PROT_WRITE);
	}
}

/* Pages of a file that are copied when they are written: mapped before, so that it is COW alone. */
static void run_cow(void)
{
	static int file = -1;
	char *p;
	size_t i;

	if (file < 0) {
		file = memfd_create("cow", MFD_CLOEXEC);
		if (ftruncate(file, LEN))
			stop("memfd_create");
	}
	p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, file, 0);
	if (p == MAP_FAILED)
		stop("mmap");
	for (i = 0; i < PAGES; i++)
		*(volatile char *)(p + i * PAGE) = 1;
	munmap(p, LEN);
}

static void run_mmap(void)
{
	int i;

	for (i = 0; i < 500; i++)
		munmap(mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0), 8 * PAGE);
}

/* Pages of a userfaultfd of this process's own, one by one. */
static void run_fill(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy copy = { .src = (uintptr_t)memory, .len = PAGE };
	static int uffd = -1;
	static char *filled;
	size_t i;

	if (uffd < 0) {
		uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
		filled = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
		reg.range.start = (uintptr_t)filled;
		reg.range.len = LEN;
		if (uffd < 0 || filled == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) ||
		    ioctl(uffd, UFFDIO_REGISTER, &reg))
			stop("userfaultfd");
	}
	madvise(filled, LEN, MADV_DONTNEED);
	for (i = 0; i < PAGES; i++) {
		copy.dst = (uintptr_t)filled + i * PAGE;
		copy.copy = 0;
		if (ioctl(uffd, UFFDIO_COPY, &copy))
			stop("UFFDIO_COPY");
	}
}

static void run_fork(void)
{
	pid_t pid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

/* Of this program, which then does nothing. */
static void run_exec(void)
{
	pid_t pid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pid = vfork();
		if (!pid) {
			execl("/proc/self/exe", "bench", "nothing", (char *)NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
}

enum when { UNLOADED, LOADED, TRACKER_ELSEWHERE, WHENS };

static const struct {
	const char *name;
	void (*run)(void);
	uint64_t count;
} untracked[] = {
	{ "getppid", run_getppid, 2000 },
	{ "anon_fault", run_faults, ROUNDS * PAGES },
	{ "cow_fault", run_cow, PAGES },
	{ "mprotect", run_mprotect, 1000 },
	{ "mmap", run_mmap, 500 },
	{ "fill", run_fill, PAGES },
	{ "fork", run_fork, ROUNDS },
	{ "exec", run_exec, ROUNDS },
};

#define UNTRACKED (sizeof(untracked) / sizeof(untracked[0]))

static double best_untracked[WHENS][UNTRACKED];

static void measure_untracked(enum when when)
{
	double value, *best = best_untracked[when];
	size_t i;

	touch();
	for (i = 0; i < UNTRACKED; i++) {
		value = least(untracked[i].run, untracked[i].count);
		if (!best[i] || value < best[i])
			best[i] = value;
	}
}

static void report_untracked(void)
{
	static const char *const names[WHENS] = { "unloaded", "loaded", "tracker_elsewhere" };
	char name[64];
	size_t when, i;

	for (when = 0; when < WHENS; when++) {
		for (i = 0; i < UNTRACKED; i++) {
			snprintf(name, sizeof(name), "%s.%s", untracked[i].name, names[when]);
			report(name, best_untracked[when][i]);
		}
	}
}

/* ---- our own */

static int tracker = -1;

static int command(unsigned long cmd, void *arg)
{
	return ioctl(tracker, cmd, arg);
}

static void track_range(char *start, size_t len, struct uffdwp_attach_arg attach)
{
	struct uffdwp_register_arg reg = {
		.size = sizeof(reg), .start = (uintptr_t)start, .len = len,
	};

	attach.size = sizeof(attach);
	tracker = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
	if (tracker < 0 || command(UFFDWP_IOC_ATTACH, &attach) ||
	    command(UFFDWP_IOC_REGISTER, &reg))
		stop(UFFDWP_DEVICE);
}

static void track(uint32_t unpopulated)
{
	track_range(memory, LEN, (struct uffdwp_attach_arg){ .unpopulated = unpopulated });
}

static void arm_range(char *start, size_t len)
{
	struct uffdwp_arm_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};

	if (command(UFFDWP_IOC_ARM, &arg))
		stop("arm");
}

static void arm(void)
{
	arm_range(memory, LEN);
}

static struct uffdwp_region vec[PAGES];

static int scan(uint64_t flags)
{
	struct uffdwp_scan_arg arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + LEN,
		.vec = (uintptr_t)vec,
		.vec_len = PAGES,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = UFFDWP_PAGE_IS_WRITTEN,
	};
	int n = command(UFFDWP_IOC_SCAN, &arg);

	if (n < 0)
		stop("scan");
	return n;
}

static void tell_events(void)
{
	struct uffdwp_events_arg arg = {
		.size = sizeof(arg), .capacity = 4096, .event_size = UFFDWP_EVENT_SIZE_VER0,
	};

	if (command(UFFDWP_IOC_EVENTS, &arg))
		stop("events");
}

static void follow(void)
{
	struct uffdwp_follow_arg arg = { .size = sizeof(arg) };

	if (command(UFFDWP_IOC_FOLLOW, &arg))
		stop("follow");
}

static struct uffdwp_hello_arg offered(void)
{
	struct uffdwp_hello_arg arg = { .size = sizeof(arg) };
	const int fd = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDWP_IOC_HELLO, &arg))
		stop(UFFDWP_DEVICE);
	close(fd);
	return arg;
}

static bool has_kind(uint64_t kind)
{
	return offered().kinds & kind;
}

static bool has_feature(uint64_t feature)
{
	return offered().features & feature;
}

static void run_arm_write(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		arm();
		touch();
	}
}

static void run_scan_write(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		scan(UFFDWP_SCAN_WP_MATCHING);
		touch();
	}
}

static void run_scan_clean(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		scan(0);
}

static void run_unpopulated_write(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		madvise(memory, LEN, MADV_DONTNEED);
		arm();
		touch();
	}
}

static void run_unpopulated_arm(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		madvise(memory, LEN, MADV_DONTNEED);
		arm();
	}
}

static void run_dontneed(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		madvise(memory, LEN, MADV_DONTNEED);
}

static void own(void)
{
	touch();
	track(UFFDWP_UNPOP_ZERO);
	report("first_write_with_arm", least(run_arm_write, ROUNDS * PAGES));
	report("first_write_with_scan", least(run_scan_write, ROUNDS * PAGES));
	arm();
	report("scan_clean_page", least(run_scan_clean, ROUNDS * PAGES));
	report("unpopulated_write.zero", least(run_unpopulated_write, ROUNDS * PAGES));
	report("unpopulated_arm.zero", least(run_unpopulated_arm, ROUNDS * PAGES));
	close(tracker);

	madvise(memory, LEN, MADV_DONTNEED);
	if (has_feature(UFFDWP_FEATURE_UNPOP_MARKER)) {
		track(UFFDWP_UNPOP_MARKER);
		report("unpopulated_write.marker", least(run_unpopulated_write, ROUNDS * PAGES));
		/* 6.1's MADV_DONTNEED leaves markers: arming again has nothing to do. */
		close(tracker);
	} else {
		printf("unpopulated_write.marker - this kernel has no markers\n");
	}
	report("madvise_dontneed_page", least(run_dontneed, ROUNDS * PAGES));
}

/* ---- coarser, by choice: a granule, and huge pages that stay whole */

#define GRANULE 64u

/* All pages in ascending order; a block of them takes one fault. */
static void granule(void)
{
	madvise(memory, LEN, MADV_DONTNEED);
	touch();
	track_range(memory, LEN, (struct uffdwp_attach_arg){ .granule = GRANULE });
	report("first_write_with_arm.granule64", least(run_arm_write, ROUNDS * PAGES));
	close(tracker);
}

#define HUGE_LEN (512 * PAGE)

/* The first writes to that many pages of an armed huge page. */
static uint64_t write_huge(uint64_t flags, size_t pages)
{
	char *all = mmap(NULL, 2 * HUGE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *p = (char *)(((uintptr_t)all + HUGE_LEN - 1) & ~(HUGE_LEN - 1));
	uint64_t took;
	size_t i;

	if (all == MAP_FAILED || madvise(p, HUGE_LEN, MADV_HUGEPAGE))
		stop("huge pages");
	memset(p, 1, HUGE_LEN);
	track_range(p, HUGE_LEN, (struct uffdwp_attach_arg){ .flags = flags });
	arm_range(p, HUGE_LEN);
	took = now();
	for (i = 0; i < pages; i++)
		*(volatile char *)(p + i * PAGE) = 2;
	took = now() - took;
	close(tracker);
	munmap(all, 2 * HUGE_LEN);
	return took;
}

static void report_huge(const char *name, uint64_t flags, size_t pages)
{
	uint64_t best = UINT64_MAX, took;
	int i;

	for (i = 0; i < REPEATS; i++) {
		took = write_huge(flags, pages);
		if (took < best)
			best = took;
	}
	report(name, best);
}

static void huge(void)
{
	report_huge("huge.first_write.split", 0, 1);
	report_huge("huge.first_write.whole", UFFDWP_ATTACH_WHOLE_HUGE, 1);
	report_huge("huge.all_written.split", 0, 512);
	report_huge("huge.all_written.whole", UFFDWP_ATTACH_WHOLE_HUGE, 512);
}

/* ---- shared memory in huge pages: ARM for the first time has to split them */

static void shared_huge_memory(const char *enabled)
{
	int f = open("/sys/kernel/mm/transparent_hugepage/shmem_enabled", O_WRONLY | O_CLOEXEC);

	if (f < 0 || write(f, enabled, strlen(enabled)) < 0)
		stop("shmem_enabled");
	close(f);
}

static double first_arm_of_shared_huge_pages(void)
{
	struct uffdwp_register_arg reg = {
		.size = sizeof(reg), .len = HUGE_LEN,
	};
	struct uffdwp_attach_arg attach = { .size = sizeof(attach) };
	struct uffdwp_arm_arg arg = { .size = sizeof(arg), .len = HUGE_LEN };
	int file = memfd_create("huge", MFD_CLOEXEC);
	char *all = mmap(NULL, 2 * HUGE_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = (char *)(((uintptr_t)all + HUGE_LEN - 1) & ~(HUGE_LEN - 1));
	uint64_t took;

	if (file < 0 || ftruncate(file, HUGE_LEN) ||
	    mmap(p, HUGE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) != p)
		stop("shared memory");
	memset(p, 1, HUGE_LEN);
	reg.start = (uintptr_t)p;
	arg.start = (uintptr_t)p;
	tracker = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
	if (tracker < 0 || command(UFFDWP_IOC_ATTACH, &attach) ||
	    command(UFFDWP_IOC_REGISTER, &reg))
		stop(UFFDWP_DEVICE);
	took = now();
	if (command(UFFDWP_IOC_ARM, &arg))
		stop("arm");
	took = now() - took;
	close(tracker);
	munmap(all, 2 * HUGE_LEN);
	close(file);
	return (double)took / (HUGE_LEN / PAGE);
}

static void shared_huge(void)
{
	double best = first_arm_of_shared_huge_pages(), next;
	int i;

	for (i = 1; i < REPEATS; i++) {
		next = first_arm_of_shared_huge_pages();
		if (next < best)
			best = next;
	}
	report("first_arm.shared_huge", best);
}

/* ---- the kernel's own way that 6.1 has: soft-dirty, always the whole process */

static int clear_refs = -1, pagemap = -1;

static void run_soft_dirty(void)
{
	static uint64_t entries[PAGES];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (pwrite(clear_refs, "4", 1, 0) != 1)
			stop("clear_refs");
		touch();
		if (pread(pagemap, entries, sizeof(entries), (uintptr_t)memory / PAGE * 8) !=
		    sizeof(entries))
			stop("pagemap");
	}
}

static void run_scan_write_report(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		touch();
		if (scan(UFFDWP_SCAN_WP_MATCHING) != 1)
			stop("scan reports");
	}
}

static void against_soft_dirty(void)
{
	clear_refs = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	touch();
	report("cycle.soft_dirty", least(run_soft_dirty, ROUNDS * PAGES));
	track(UFFDWP_UNPOP_ZERO);
	report("cycle.uffdwp", least(run_scan_write_report, ROUNDS * PAGES));
	close(tracker);
	close(clear_refs);
	close(pagemap);
}

/* ---- loading */

static void load(void)
{
	int file = open("/run/uffdwp-async.ko", O_RDONLY | O_CLOEXEC);

	if (file < 0 || syscall(SYS_finit_module, file, "", 0))
		stop("load the module");
	close(file);
	/* The hooks of the self-test are removed a little later. */
	sleep(5);
}

static void unload(void)
{
	if (syscall(SYS_delete_module, "uffdwp_async", O_NONBLOCK))
		stop("unload the module");
	sleep(1);
}

/* A process that is tracked, so that all hooks are in place, and does nothing. */
static pid_t tracked_process(void)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		stop("pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		track(UFFDWP_UNPOP_ZERO);
		tell_events();
		follow();
		arm();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		stop("tracked process");
	close(ready[0]);
	return pid;
}

/*
 * What is measured of a kernel differs by a percent from one minute to the next, as its slabs fill:
 * by turns, so that none of the three has all the luck. The module is loaded at the end.
 */
static void beside_others(void)
{
	pid_t other;
	int turn;

	for (turn = 0; turn < 3; turn++) {
		/* Hooks stay for 2 s, and keep the module. */
		if (turn)
			sleep(5);
		unload();
		measure_untracked(UNLOADED);
		load();
		measure_untracked(LOADED);
		/* Another process is tracked: all hooks are in place. */
		other = tracked_process();
		measure_untracked(TRACKER_ELSEWHERE);
		kill(other, SIGKILL);
		waitpid(other, NULL, 0);
	}
	report_untracked();
}

/* ---- a process that is followed: what it maps, and what is told of it */

/* Each event that is there is read: a queue that is full costs less. */
static void read_events(void)
{
	static char events[PAGES * UFFDWP_EVENT_SIZE_VER0];

	while (read(tracker, events, sizeof(events)) == sizeof(events))
		;
}

static void run_mmap_and_read(void)
{
	run_mmap();
	read_events();
}

static char *map_shared(void)
{
	char *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (p == MAP_FAILED)
		stop("mmap");
	madvise(p, LEN, MADV_NOHUGEPAGE);
	for (i = 0; i < PAGES; i++)
		*(volatile char *)(p + i * PAGE) = 1;
	return p;
}

/* Of its pages every other one is written before it is unmapped: each is an event. */
static double unmap_shared(void)
{
	uint64_t begin, took, best = UINT64_MAX;
	size_t i, round;
	char *p;

	for (round = 0; round < REPEATS; round++) {
		p = map_shared();
		arm_range(p, LEN);
		for (i = 0; i < PAGES; i += 2)
			*(volatile char *)(p + i * PAGE) = 1;
		read_events();
		begin = now();
		munmap(p, LEN);
		read_events();
		took = now() - begin;
		if (took < best)
			best = took;
	}
	return (double)best / PAGES;
}

static void followed(void)
{
	struct uffdwp_attach_arg attach = { .size = sizeof(attach) };

	tracker = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tracker < 0 || command(UFFDWP_IOC_ATTACH, &attach))
		stop(UFFDWP_DEVICE);
	follow();
	report("mmap.followed", least(run_mmap, 500));
	if (has_kind(UFFDWP_KIND_SHMEM))
		report("unmap_shared.followed", unmap_shared());
	else
		puts("unmap_shared.followed - no shared memory is tracked");
	tell_events();
	report("mmap.events", least(run_mmap_and_read, 500));
	if (has_kind(UFFDWP_KIND_SHMEM))
		report("unmap_shared.harvest", unmap_shared());
	else
		puts("unmap_shared.harvest - no shared memory is tracked");
	close(tracker);
}

/* ---- many trackers of somebody else */

#define CROWD 4000

/* In KiB */
static long free_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = 0;

	if (!file)
		stop("/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/* Every write fault of a tracked process finds its tracker among all that there are. */
static void in_a_crowd(void)
{
	struct rlimit files = { CROWD + 64, CROWD + 64 };
	pid_t crowd;
	long before, taken;
	int ready[2], i;

	if (pipe(ready))
		stop("pipe");
	crowd = fork();
	if (!crowd) {
		struct uffdwp_attach_arg attach = { .size = sizeof(attach) };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setrlimit(RLIMIT_NOFILE, &files))
			stop("RLIMIT_NOFILE");
		/* The table of files has its size from now on. */
		if (fcntl(ready[1], F_DUPFD, CROWD + 32) < 0)
			stop("a high file descriptor");
		before = free_memory();
		for (i = 0; i < CROWD; i++) {
			tracker = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
			if (tracker < 0 || command(UFFDWP_IOC_ATTACH, &attach))
				stop("a crowd of trackers");
		}
		taken = before - free_memory();
		if (write(ready[1], &taken, sizeof(taken)) != sizeof(taken))
			_exit(1);
		pause();
	}
	close(ready[1]);
	if (read(ready[0], &taken, sizeof(taken)) != sizeof(taken))
		stop("a crowd of trackers");
	close(ready[0]);
	report("tracker_memory", taken * 1024.0 / CROWD);
	madvise(memory, LEN, MADV_DONTNEED);
	touch();
	track(UFFDWP_UNPOP_ZERO);
	report("first_write_with_arm.crowd", least(run_arm_write, ROUNDS * PAGES));
	close(tracker);
	kill(crowd, SIGKILL);
	waitpid(crowd, NULL, 0);
}

/* ---- a GiB in so many mappings, and a page between each two: all by one scan */

static struct uffdwp_scan_arg scan_everything;

static void run_scan_everything(void)
{
	if (command(UFFDWP_IOC_SCAN, &scan_everything) != 0)
		stop("scan of everything");
}

static void in_mappings(size_t n)
{
	const size_t each = GIB / n, all = GIB + n * PAGE;
	struct uffdwp_attach_arg attach = { .size = sizeof(attach) };
	struct uffdwp_hello_arg hello = { .size = sizeof(hello) };
	struct uffdwp_register_arg reg = { .size = sizeof(reg), .len = all };
	struct uffdwp_arm_arg arg = { .size = sizeof(arg), .len = all };
	char name[64], *range = map(all);
	size_t i;

	for (i = 0; i < n; i++)
		munmap(range + i * (each + PAGE) + each, PAGE);
	reg.start = arg.start = (uintptr_t)range;
	tracker = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
	if (tracker < 0 || command(UFFDWP_IOC_HELLO, &hello) ||
	    command(UFFDWP_IOC_ATTACH, &attach) || command(UFFDWP_IOC_REGISTER, &reg) ||
	    command(UFFDWP_IOC_ARM, &arg))
		stop(UFFDWP_DEVICE);
	scan_everything = (struct uffdwp_scan_arg){
		.size = sizeof(scan_everything),
		.end = hello.address_limit,
		.vec = (uintptr_t)vec,
		.vec_len = PAGES,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED,
	};
	snprintf(name, sizeof(name), "scan.mappings.%zu", n);
	report(name, least(run_scan_everything, 1));
	close(tracker);
	munmap(range, all);
}

/* ---- how long a command keeps the process from mapping memory */

static atomic_ulong longest_wait;
static atomic_bool waited_enough;

static void *map_on(void *arg)
{
	(void)arg;
	while (!waited_enough)
		wait_for_mmap(&longest_wait);
	return NULL;
}

enum holder {
	HOLD_ARM, HOLD_SCAN, HOLD_DISARM, HOLD_UNREGISTER, HOLD_REGISTER, HOLD_CLOSE, HOLDERS
};

static const char *const holders[HOLDERS] = {
	"arm", "scan", "disarm", "unregister", "register", "close",
};

/* Longest wait during each command on memory of which all is zero pages, in instructions. */
static void measure_holds(size_t len, uint64_t wait[HOLDERS])
{
	struct uffdwp_register_arg reg = {
		.size = sizeof(reg), .len = len,
	};
	struct uffdwp_unregister_arg unreg = { .size = sizeof(unreg), .len = len };
	struct uffdwp_disarm_arg disarm = { .size = sizeof(disarm), .len = len };
	struct uffdwp_arm_arg arm_all = { .size = sizeof(arm_all), .len = len };
	struct uffdwp_scan_arg scan_all = {
		.size = sizeof(scan_all),
		.flags = UFFDWP_SCAN_WP_MATCHING,
		.vec = (uintptr_t)vec,
		.vec_len = PAGES,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = UFFDWP_PAGE_IS_WRITTEN,
	};
	pthread_t thread;
	enum holder i;
	char *range;
	int err = 0;

	range = mmap(NULL, len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (range == MAP_FAILED)
		stop("mmap");
	madvise(range, len, MADV_NOHUGEPAGE);
	reg.start = unreg.start = disarm.start = arm_all.start = scan_all.start = (uintptr_t)range;
	scan_all.end = scan_all.start + len;
	track(UFFDWP_UNPOP_ZERO);
	if (command(UFFDWP_IOC_REGISTER, &reg) || command(UFFDWP_IOC_ARM, &arm_all))
		stop("register and arm");
	waited_enough = false;
	if (pthread_create(&thread, NULL, map_on, NULL))
		stop("pthread_create");
	for (i = 0; i < HOLDERS; i++) {
		if ((i == HOLD_UNREGISTER || i == HOLD_CLOSE) &&
		    command(UFFDWP_IOC_ARM, &arm_all))
			stop("arm");
		usleep(2000);
		longest_wait = 0;
		if (i == HOLD_ARM)
			err = command(UFFDWP_IOC_ARM, &arm_all);
		else if (i == HOLD_SCAN)
			err = command(UFFDWP_IOC_SCAN, &scan_all);
		else if (i == HOLD_DISARM)
			err = command(UFFDWP_IOC_DISARM, &disarm);
		else if (i == HOLD_UNREGISTER)
			err = command(UFFDWP_IOC_UNREGISTER, &unreg);
		else if (i == HOLD_REGISTER)
			err = command(UFFDWP_IOC_REGISTER, &reg);
		else
			err = close(tracker);
		if (err < 0)
			stop(holders[i]);
		usleep(2000);
		wait[i] = longest_wait;
	}
	waited_enough = true;
	pthread_join(thread, NULL);
	munmap(range, len);
}

/* Some ticks of the scheduler (4 ms) may pass before the waiting thread has the processor. */
#define LONG_WAIT 10000000

static bool holds(void)
{
	uint64_t small[HOLDERS], large[HOLDERS];
	char name[64];
	bool good = true;
	enum holder i;

	measure_holds(2 * GIB, small);
	measure_holds(16 * GIB, large);
	for (i = 0; i < HOLDERS; i++) {
		snprintf(name, sizeof(name), "wait.%s.2GiB", holders[i]);
		report(name, small[i]);
		snprintf(name, sizeof(name), "wait.%s.16GiB", holders[i]);
		report(name, large[i]);
		if (large[i] > LONG_WAIT) {
			printf("%s of 16 GiB keeps mmap() waiting for too long\n", holders[i]);
			good = false;
		}
	}
	return good;
}

/*
 * With the argument "beside": processes that are not tracked, after which what this one has is no
 * longer as in one that has just begun; "holds": only that, and a limit; "nothing": nothing.
 */
int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	memory = map(LEN);
	if (argc > 1 && !strcmp(argv[1], "holds"))
		return !holds();
	if (argc > 1 && !strcmp(argv[1], "beside")) {
		beside_others();
		return 0;
	}
	own();
	followed();
	granule();
	huge();
	against_soft_dirty();
	in_a_crowd();
	in_mappings(1);
	in_mappings(4096);
	if (has_kind(UFFDWP_KIND_SHMEM)) {
		shared_huge_memory("force");
		shared_huge();
	} else {
		printf("first_arm.shared_huge - this kernel tracks no shared memory\n");
	}
	holds();
	return 0;
}
