// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_abi=1 as a part of the module: what it is without the parameter, how it gets on with the
 * device, what keeps the module loaded, and that nothing is believed that was not said by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define N 8ul

#define WP_UNPOPULATED (1ull << 13)
#define WP_ASYNC (1ull << 15)

/* struct uffdwp_scan_arg is laid out as struct pm_scan_arg. */
#define SCAN _IOWR('f', 16, struct uffdwp_scan_arg)
#define WP_MATCHING UFFDWP_SCAN_WP_MATCHING
#define CHECK_WPASYNC UFFDWP_SCAN_CHECK_TRACKED

static bool native_abi(void)
{
	char value = 0;
	int fd = open("/sys/module/uffdwp_async/parameters/native_abi", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		assert_int_equal(read(fd, &value, 1), 1);
		close(fd);
	}
	return value == 'Y';
}

static int open_pagemap(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int scan(int pagemap, struct uffdwp_scan_arg *arg)
{
	int ret = ioctl(pagemap, SCAN, arg);

	return ret < 0 ? -errno : ret;
}

static int call_api(int uffd, struct uffdio_api *api)
{
	return ioctl(uffd, UFFDIO_API, api) ? -errno : 0;
}

static int raw_uffd(void)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	assert_true(uffd >= 0);
	return uffd;
}

/* Of the module: its open files, and whatever else must end before it may go. */
static long references(void)
{
	return read_number("/sys/module/uffdwp_async/refcnt");
}

/* Seen in its symbols, since what it offers may be the module's. */
static bool kernel_has_them;

static int look_at_kernel(void **state)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[256];

	(void)state;
	assert_non_null(symbols);
	while (fgets(line, sizeof(line), symbols))
		if (strstr(line, " userfaultfd_wp_async\n"))
			kernel_has_them = true;
	fclose(symbols);
	return 0;
}

/* A kernel that lacks the interfaces, and the module that offers them. */
#define needs_native_abi()							\
	do {									\
		if (!native_abi())						\
			skip_because("the module is not here with native_abi=1"); \
		if (kernel_has_them)						\
			skip_because("this kernel has the interfaces itself");	\
	} while (0)

static int register_range(int uffd, void *start, size_t len, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)start, .len = len }, .mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

static int protect(int uffd, void *start, size_t len)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0;
}

static int unregister(int uffd, void *start, size_t len)
{
	struct uffdio_range range = { .start = (uintptr_t)start, .len = len };

	return ioctl(uffd, UFFDIO_UNREGISTER, &range) ? -errno : 0;
}

/* A native userfaultfd with the range registered and armed. */
static int native_tracker_of(void *start, size_t len)
{
	int uffd = new_uffd(WP_ASYNC);

	assert_ok(register_range(uffd, start, len, UFFDIO_REGISTER_MODE_WP));
	assert_ok(protect(uffd, start, len));
	return uffd;
}

static size_t written_natively(int pagemap, const void *start, size_t len, bool reset)
{
	struct uffdwp_region vec[64];
	struct uffdwp_scan_arg arg = scan_arg(start, len, vec, 64);
	size_t pages = 0;
	int n, i;

	arg.flags = reset ? WP_MATCHING : 0;
	n = scan(pagemap, &arg);
	if (n < 0)
		fail_msg("PAGEMAP_SCAN: %s", strerror(-n));
	assert_int_equal(arg.walk_end, arg.end);
	for (i = 0; i < n; i++)
		pages += (vec[i].end - vec[i].start) / PAGE;
	return pages;
}

static void on_alarm(int sig)
{
	(void)sig;
	fprintf(stderr, "a write hangs\n");
	_exit(1);
}

static void *close_soon(void *uffd)
{
	usleep(200000);
	close(*(int *)uffd);
	return NULL;
}

/* Without the parameter it is as if the module did not know of it. */
TEST(off_by_default)
{
	struct uffdio_api api = { .api = UFFD_API, .features = WP_UNPOPULATED };
	struct uffdwp_region vec[1] = {};
	struct uffdwp_scan_arg arg = scan_arg(vec, 0, vec, 1);
	int uffd, pagemap;

	if (native_abi() || kernel_has_them)
		skip_because("the interfaces are here: native_abi=1, or the kernel's own");
	uffd = raw_uffd();
	assert_err(call_api(uffd, &api), EINVAL);
	assert_int_equal(api.features, 0);
	api.api = UFFD_API;
	assert_ok(call_api(uffd, &api));
	assert_false(api.features & (WP_UNPOPULATED | WP_ASYNC));
	close(uffd);

	pagemap = open_pagemap();
	assert_err(scan(pagemap, &arg), ENOTTY);
	close(pagemap);
}

TEST(the_kernels_own_is_left_alone)
{
	int uffd, pagemap;
	long before;

	if (!native_abi() || !kernel_has_them)
		skip_because("not a kernel that has the interfaces, with native_abi=1");
	before = references();
	uffd = new_uffd(WP_ASYNC);
	pagemap = open_pagemap();
	assert_int_equal(references(), before);
	close(uffd);
	close(pagemap);
}

TEST(open_files_keep_it_loaded)
{
	char *p = map_filled(1);
	int uffd, plain, pagemap;

	needs_native_abi();
	/* The last reference of a file goes away a moment after close(2). */
	wait_for(references() == 0);

	plain = new_uffd(0);
	assert_int_equal(references(), 0);
	uffd = native_tracker_of(p, PAGE);
	assert_int_equal(references(), 1);
	pagemap = open_pagemap();
	assert_int_equal(references(), 2);
	assert_int_equal(syscall(SYS_delete_module, "uffdwp_async", O_NONBLOCK), -1);
	assert_true(errno == EAGAIN || errno == EBUSY);

	close(plain);
	close(uffd);
	close(pagemap);
	wait_for(references() == 0);
	munmap(p, PAGE);
}

/* Also when some was never touched again, and markers are what would be left behind. */
TEST(closing_leaves_nothing)
{
	char *p = map_anon(N);
	int uffd, pagemap;

	needs_native_abi();
	touch(p, N / 2, 1);
	uffd = native_tracker_of(p, N * PAGE);
	pagemap = open_pagemap();
	assert_int_equal(written_natively(pagemap, p, N * PAGE, false), 0);
	close(pagemap);
	touch(p, 1, 2);
	close(uffd);
	/* The hook that serves markers goes away two seconds later. */
	sleep(4);
	touch(p, N, 3);
	munmap(p, N * PAGE);
}

TEST(trackers_of_the_device_are_not_disturbed)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE), pagemap;
	struct uffdwp_region vec[N];
	struct uffdwp_scan_arg arg;

	needs_native_abi();
	pagemap = open_pagemap();
	p[PAGE] = 7;

	/* It may look, but to it this is memory that cannot be armed. */
	arg = scan_arg(p, N * PAGE, vec, N);
	arg.return_mask |= UFFDWP_PAGE_IS_WPALLOWED;
	assert_int_equal(scan(pagemap, &arg), 1);
	assert_int_equal(vec[0].start, p + PAGE);
	assert_int_equal(vec[0].end, p + 2 * PAGE);
	assert_int_equal(vec[0].categories, UFFDWP_PAGE_IS_WRITTEN);
	arg.flags = WP_MATCHING;
	assert_int_equal(scan(pagemap, &arg), 0);
	assert_int_equal(arg.walk_end, arg.end);
	arg.flags = WP_MATCHING | CHECK_WPASYNC;
	assert_err(scan(pagemap, &arg), EPERM);

	p[3 * PAGE] = 7;
	assert_int_equal(written(fd, p, N * PAGE, true), 2);
	assert_int_equal(written(fd, p, N * PAGE, true), 0);
	close(pagemap);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(native_trackers_are_not_disturbed)
{
	char *p = map_filled(N);
	int fd, uffd, pagemap;

	needs_native_abi();
	uffd = native_tracker_of(p, N * PAGE);
	pagemap = open_pagemap();
	fd = dev_open();
	assert_true(fd >= 0);

	p[PAGE] = 7;
	/* One userfaultfd, one tracker. */
	assert_err(dev_attach_uffd(fd, uffd), EBUSY);
	assert_ok(dev_attach_self(fd));
	assert_err(dev_register(fd, p, N * PAGE), EBUSY);
	assert_err(dev_arm(fd, p, N * PAGE), ENOENT);
	assert_int_equal(categories(fd, p), UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(written(fd, p, N * PAGE, true), N);

	p[3 * PAGE] = 7;
	assert_int_equal(written_natively(pagemap, p, N * PAGE, true), 2);
	assert_int_equal(written_natively(pagemap, p, N * PAGE, true), 0);
	close(fd);
	close(uffd);
	close(pagemap);
	munmap(p, N * PAGE);
}

/* What another userfaultfd protects, of whatever kind, is its own to protect. */
TEST(others_memory_is_not_protected)
{
	char *p = map_filled(2 * N);
	int ours, others, pagemap;

	needs_native_abi();
	ours = native_tracker_of(p, N * PAGE);
	others = native_tracker_of(p + N * PAGE, N * PAGE);
	pagemap = open_pagemap();
	touch(p, 2 * N, 4);
	assert_err(protect(ours, p, 2 * N * PAGE), ENOENT);
	assert_int_equal(written_natively(pagemap, p, N * PAGE, false), 0);
	assert_int_equal(written_natively(pagemap, p + N * PAGE, N * PAGE, false), N);
	close(ours);
	close(others);
	close(pagemap);
	munmap(p, 2 * N * PAGE);
}

/* A child whose event nobody has read is not tracked, and its tracker is gone with its parent's. */
TEST(a_child_that_nobody_asked_for)
{
	char *p = map_filled(N), *shared, *huge = MAP_FAILED;
	pthread_t thread;
	int uffd;
	pid_t pid;

	needs_native_abi();
	wait_for(references() == 0);
	/* What the kernel copies with the bit in it, until 6.1 */
	if (dev_kinds() & UFFDWP_KIND_HUGETLB && !hugetlb_reserve(4))
		huge = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	uffd = new_uffd(WP_ASYNC | UFFD_FEATURE_EVENT_FORK);
	assert_ok(register_range(uffd, p, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_ok(protect(uffd, p, N * PAGE));
	if (huge == MAP_FAILED) {
		print_message("without hugetlb, which could not be had\n");
	} else {
		touch(huge, 1, 4);
		assert_ok(register_range(uffd, huge, HUGE_PAGE, UFFDIO_REGISTER_MODE_WP));
		assert_ok(protect(uffd, huge, HUGE_PAGE));
	}
	/*
	 * The child waits until its event is read, or nobody is left who could. It shares the
	 * descriptors, or it would itself keep the userfaultfd open.
	 */
	assert_ok(pthread_create(&thread, NULL, close_soon, &uffd));
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		touch(p, N, 5);
		if (huge != MAP_FAILED)
			touch(huge, 1, 5);
		for (*(volatile char *)shared = 1;;)
			pause();
	}
	pthread_join(thread, NULL);
	wait_for(*(volatile char *)shared);
	assert_false(has_registered_memory(pid));
	wait_for(references() == 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	munmap(shared, PAGE);
	munmap(p, N * PAGE);
	if (huge != MAP_FAILED)
		munmap(huge, HUGE_PAGE);
	hugetlb_release();
}

/* Where the kernel says so: bit 57 is of 5.14. */
static void assert_protected(const char *p)
{
	if (!kernel_is_before(5, 14))
		assert_true(pagemap_entry(p) & 1ull << 57);
}

/* A second call fails, and what the first has agreed on stays. */
TEST(a_second_call_changes_nothing)
{
	struct uffdio_api api = { .api = UFFD_API, .features = WP_ASYNC };
	char *p = map_filled(N);
	struct uffd_msg msg;
	int uffd;

	needs_native_abi();
	uffd = new_uffd(0);
	assert_ok(register_range(uffd, p, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_ok(protect(uffd, p, N * PAGE));
	assert_err(call_api(uffd, &api), EINVAL);
	assert_int_equal(read(uffd, &msg, sizeof(msg)), -1);
	/* Still protected, and still for a reader: whoever writes would be stuck. */
	assert_protected(p);
	assert_int_equal(references(), 0);
	close(uffd);
	munmap(p, N * PAGE);
}

/* Nobody knows how many regions are in the array, so each page is told of once more. */
TEST(what_could_not_be_told_is_told_again)
{
	char *p = map_filled(N);
	char *hole = map_filled(2);
	struct uffdwp_scan_arg arg;
	struct uffdwp_region vec[N];
	int uffd, pagemap;

	needs_native_abi();
	uffd = native_tracker_of(p, N * PAGE);
	pagemap = open_pagemap();
	munmap(hole + PAGE, PAGE);

	touch(p, N, 3);
	arg = scan_arg(p, N * PAGE, (void *)(hole + PAGE), 1);
	arg.flags = WP_MATCHING;
	assert_err(scan(pagemap, &arg), EFAULT);
	assert_int_equal(written_natively(pagemap, p, N * PAGE, true), N);

	/* The first mapping can be armed, and the second not. */
	touch(p, 1, 4);
	arg = scan_arg(p, N * PAGE, vec, N);
	assert_ok(unregister(uffd, p + N / 2 * PAGE, N / 2 * PAGE));
	arg.flags = WP_MATCHING | CHECK_WPASYNC;
	assert_err(scan(pagemap, &arg), EPERM);
	assert_true(written_natively(pagemap, p, PAGE, false));
	close(uffd);
	close(pagemap);
	munmap(hole, PAGE);
	munmap(p, N * PAGE);
}

/* UFFDIO_REGISTER without WP leaves the bits, and UFFDIO_UNREGISTER then does not look for them. */
TEST(bits_of_others_are_not_believed)
{
	char *p = map_filled(N);
	int plain, uffd, pagemap;

	needs_native_abi();
	plain = new_uffd(0);
	assert_ok(register_range(plain, p, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_ok(protect(plain, p, N * PAGE));
	assert_ok(register_range(plain, p, N * PAGE, UFFDIO_REGISTER_MODE_MISSING));
	assert_ok(unregister(plain, p, N * PAGE));
	assert_protected(p);

	uffd = new_uffd(WP_ASYNC);
	assert_ok(register_range(uffd, p, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	pagemap = open_pagemap();
	assert_int_equal(written_natively(pagemap, p, N * PAGE, false), N);
	close(plain);
	close(uffd);
	close(pagemap);
	munmap(p, N * PAGE);
}

/*
 * Written while the mapping is in another mode, and then write-protected for a fork: when the mode
 * comes back the bit must not.
 */
TEST(bits_do_not_outlive_the_mode)
{
	char *p = map_filled(N);
	int uffd, pagemap;
	pid_t pid;

	needs_native_abi();
	uffd = native_tracker_of(p, N * PAGE);
	pagemap = open_pagemap();
	assert_ok(register_range(uffd, p, N * PAGE, UFFDIO_REGISTER_MODE_MISSING));
	touch(p, N / 2, 2);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_ok(register_range(uffd, p, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_int_equal(written_natively(pagemap, p, N * PAGE, true), N);
	assert_int_equal(written_natively(pagemap, p, N * PAGE, false), 0);
	close(uffd);
	close(pagemap);
	munmap(p, N * PAGE);
}

/*
 * mremap() to the end of a mapping takes both from their userfaultfd, and leaves markers in the
 * first (test_unpopulated.c). Another userfaultfd that comes to them then, before the first is
 * closed, must not get its process killed when the hooks are gone.
 */
TEST(markers_are_not_left_to_others)
{
	char *p = (char *)0x610000000000, *q = p + 8 * N * PAGE;
	int uffd, plain, i;

	needs_native_abi();
	if (kernel_is_before(5, 19))
		skip_because("this kernel has no markers");
	for (i = 0; i < 2; i++)
		assert_ptr_not_equal(mmap(i ? q : p, N * PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
					  0), MAP_FAILED);
	uffd = native_tracker_of(p, N * PAGE);
	assert_ok(register_range(uffd, q, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_ok(protect(uffd, q, N * PAGE));
	assert_ptr_equal(mremap(q, N * PAGE, N * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				p + N * PAGE), p + N * PAGE);
	assert_false(has_registered_memory(getpid()));
	plain = new_uffd(0);
	assert_ok(register_range(plain, p, 2 * N * PAGE, UFFDIO_REGISTER_MODE_WP));
	close(uffd);
	/* Until the hooks are gone. */
	wait_for(!references());
	sleep(4);
	touch(p, 2 * N, 3);
	close(plain);
	munmap(p, 2 * N * PAGE);
}

/* The page of a file, mapped by UFFDIO_CONTINUE, and nothing was armed before. */
static void continue_protected(unsigned int memfd_flags, size_t len)
{
	int file = memfd_create("continue", memfd_flags), uffd, pagemap;
	struct uffdio_continue cont = { .range.len = len, .mode = 1ull << 1 };
	char *there, *p;

	assert_true(file >= 0);
	assert_ok(ftruncate(file, len));
	there = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(there, MAP_FAILED);
	assert_ptr_not_equal(p, MAP_FAILED);
	touch(there, len / PAGE, 5);

	uffd = new_uffd(WP_ASYNC | UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_MINOR_HUGETLBFS);
	assert_ok(register_range(uffd, p, len,
				 UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP));
	cont.range.start = (uintptr_t)p;
	assert_ok(ioctl(uffd, UFFDIO_CONTINUE, &cont));
	assert_int_equal(cont.mapped, len);
	assert_int_equal(cont.mode, 1ull << 1);
	pagemap = open_pagemap();
	assert_int_equal(written_natively(pagemap, p, len, false), 0);
	assert_int_equal(p[0], 5);
	p[0] = 6;
	assert_int_equal(written_natively(pagemap, p, len, true),
			 memfd_flags & MFD_HUGETLB ? 512 : 1);
	assert_int_equal(there[0], 6);
	close(pagemap);
	close(uffd);
	close(file);
	munmap(p, len);
	munmap(there, len);
}

TEST(a_continued_page_is_protected)
{
	const char *none = hugetlb_reserve(2);

	needs_native_abi();
	if (~dev_kinds() & (UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB))
		skip_because("this kernel registers anonymous memory only");
	if (none)
		skip_because("%s", none);
	continue_protected(MFD_CLOEXEC, N * PAGE);
	continue_protected(MFD_CLOEXEC | MFD_HUGETLB, HUGE_PAGE);
	hugetlb_release();
}

/* hugetlb with nothing in it is written, as all other memory is. */
TEST(nothing_of_hugetlb_is_written)
{
	const char *none = hugetlb_reserve(2);
	int uffd, pagemap;
	char *p;

	needs_native_abi();
	if (~dev_kinds() & UFFDWP_KIND_HUGETLB)
		skip_because("this kernel registers anonymous memory only");
	if (none)
		skip_because("%s", none);
	p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	uffd = native_tracker_of(p, 2 * HUGE_PAGE);
	pagemap = open_pagemap();
	assert_int_equal(written_natively(pagemap, p, 2 * HUGE_PAGE, true), 0);
	p[0] = 1;
	assert_int_equal(written_natively(pagemap, p, 2 * HUGE_PAGE, true), 512);
	assert_ok(madvise(p, HUGE_PAGE, MADV_DONTNEED));
	assert_int_equal(written_natively(pagemap, p, 2 * HUGE_PAGE, true), 512);
	close(uffd);
	close(pagemap);
	munmap(p, 2 * HUGE_PAGE);
	hugetlb_release();
}

/* To arm it a scan must split it, which takes it out of the page tables: it is reported still. */
TEST(huge_pages_of_shared_memory_are_reported)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg;
	char *p;
	int uffd, pagemap;

	needs_native_abi();
	if (~dev_kinds() & UFFDWP_KIND_SHMEM)
		skip_because("this kernel registers anonymous memory only");
	p = map_shared_huge();
	uffd = new_uffd(WP_ASYNC);
	assert_ok(register_range(uffd, p, HUGE_PAGE, UFFDIO_REGISTER_MODE_WP));
	pagemap = open_pagemap();
	arg = scan_arg(p, HUGE_PAGE, &region, 1);
	arg.category_anyof_mask = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED;
	arg.return_mask = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_FILE | UFFDWP_PAGE_IS_HUGE;
	assert_int_equal(scan(pagemap, &arg), 1);
	if (~region.categories & UFFDWP_PAGE_IS_HUGE)
		skip_because("no huge page of shared memory could be had");
	arg.flags = WP_MATCHING | CHECK_WPASYNC;
	assert_int_equal(scan(pagemap, &arg), 1);
	assert_int_equal(region.end - region.start, HUGE_PAGE);
	assert_int_equal(region.categories, arg.return_mask);
	assert_int_equal(scan(pagemap, &arg), 0);
	touch(p + 9 * PAGE, 2, 3);
	assert_int_equal(scan(pagemap, &arg), 1);
	assert_int_equal(region.start, (uintptr_t)p + 9 * PAGE);
	assert_int_equal(region.end - region.start, 2 * PAGE);
	close(uffd);
	close(pagemap);
	munmap(p, HUGE_PAGE);
}

/* Of each test anew. Less than what a control of the runner has for everything. */
static int start_clock(void **state)
{
	(void)state;
	alarm(90);
	return 0;
}

#define native_test(test) cmocka_unit_test_setup(test, start_clock)

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(off_by_default),
		native_test(the_kernels_own_is_left_alone),
		native_test(open_files_keep_it_loaded),
		native_test(closing_leaves_nothing),
		native_test(trackers_of_the_device_are_not_disturbed),
		native_test(native_trackers_are_not_disturbed),
		native_test(others_memory_is_not_protected),
		native_test(a_child_that_nobody_asked_for),
		native_test(a_second_call_changes_nothing),
		native_test(what_could_not_be_told_is_told_again),
		native_test(bits_of_others_are_not_believed),
		native_test(bits_do_not_outlive_the_mode),
		native_test(markers_are_not_left_to_others),
		native_test(a_continued_page_is_protected),
		native_test(nothing_of_hugetlb_is_written),
		native_test(huge_pages_of_shared_memory_are_reported),
	};

	signal(SIGALRM, on_alarm);
	return cmocka_run_group_tests(tests, look_at_kernel, NULL);
}
