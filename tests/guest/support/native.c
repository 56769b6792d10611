// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "native.h"
#include "unserved.h"

/* ---- PAGEMAP_SCAN */

int scan_pages(int pagemap, struct scan *scan)
{
	int ret = ioctl(pagemap, SCAN_COMMAND, scan);

	return ret < 0 ? -errno : ret;
}

int open_pagemap(pid_t pid)
{
	char path[64] = "/proc/self/pagemap";
	int fd;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct scan written_pages(const void *start, size_t len, struct scan_region *vec, size_t n)
{
	return (struct scan){
		.size = sizeof(struct scan),
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + len,
		.vec = (uintptr_t)vec,
		.vec_len = n,
		.category_mask = IS_WRITTEN,
		.return_mask = IS_WRITTEN,
	};
}

size_t count_written(int pagemap, const void *start, size_t len, bool reset)
{
	struct scan_region vec[64];
	struct scan scan = written_pages(start, len, vec, 64);
	size_t pages = 0;
	int n, i;

	if (reset)
		scan.flags = WP_MATCHING | CHECK_WPASYNC;
	do {
		n = scan_pages(pagemap, &scan);
		if (n < 0)
			fail_msg("PAGEMAP_SCAN: %s", strerror(-n));
		for (i = 0; i < n; i++)
			pages += (vec[i].end - vec[i].start) / PAGE;
		scan.start = scan.walk_end;
	} while (scan.walk_end < scan.end);
	return pages;
}

static size_t count_here(const void *start, size_t len, bool reset)
{
	int pagemap = open_pagemap(0);
	size_t pages;

	assert_true(pagemap >= 0);
	pages = count_written(pagemap, start, len, reset);
	close(pagemap);
	return pages;
}

bool unregistered_is_written(void)
{
	return kernel_is_before(7, 3);
}

int nothing_there(void)
{
	return kernel_is_before(7, 3) ? 0 : -ESRCH;
}

size_t written_here(const void *start, size_t len)
{
	return count_here(start, len, false);
}

size_t reset_here(const void *start, size_t len)
{
	return count_here(start, len, true);
}

bool is_written(const void *page)
{
	return written_here(page, PAGE);
}

uint64_t categories_here(const void *page)
{
	struct scan_region region;
	struct scan scan = written_pages(page, PAGE, &region, 1);
	int pagemap = open_pagemap(0);
	int n;

	assert_true(pagemap >= 0);
	scan.category_mask = 0;
	scan.return_mask = IS_ALL;
	n = scan_pages(pagemap, &scan);
	close(pagemap);
	if (n != 1)
		fail_msg("a scan of one page gave %d regions", n);
	return region.categories;
}

/* ---- userfaultfd */

int raw_uffd(int flags)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | flags);

	assert_true(uffd >= 0);
	return uffd;
}

int raw_uffd_of_user_mode(void)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	return uffd < 0 && errno == EINVAL ? raw_uffd(0) : uffd;
}

uint64_t uffd_features(void)
{
	struct uffdio_api answer;
	int uffd = raw_uffd(0);

	assert_ok(uffd_api(uffd, 0, &answer));
	close(uffd);
	return answer.features;
}

int uffd_api(int uffd, uint64_t features, struct uffdio_api *answer)
{
	struct uffdio_api api;

	if (!answer)
		answer = &api;
	*answer = (struct uffdio_api){ .api = UFFD_API, .features = features };
	return ioctl(uffd, UFFDIO_API, answer) ? -errno : 0;
}

int uffd_register(int uffd, const void *start, size_t len, uint64_t mode, uint64_t *ioctls)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)start, .len = len }, .mode = mode,
	};

	if (ioctl(uffd, UFFDIO_REGISTER, &arg))
		return -errno;
	if (ioctls)
		*ioctls = arg.ioctls;
	return 0;
}

int uffd_unregister(int uffd, const void *start, size_t len)
{
	struct uffdio_range arg = { .start = (uintptr_t)start, .len = len };

	return ioctl(uffd, UFFDIO_UNREGISTER, &arg) ? -errno : 0;
}

int uffd_protect(int uffd, const void *start, size_t len, uint64_t mode)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (uintptr_t)start, .len = len }, .mode = mode,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;
}

int64_t uffd_continue(int uffd, const void *start, size_t len, uint64_t mode)
{
	struct uffdio_continue arg = {
		.range = { .start = (uintptr_t)start, .len = len }, .mode = mode,
	};

	return ioctl(uffd, UFFDIO_CONTINUE, &arg) ? -errno : arg.mapped;
}

int async_uffd(void)
{
	const uint64_t more = FEATURE_WP_FILES | FEATURE_MINOR_SHMEM | FEATURE_MINOR_HUGETLBFS;
	int uffd = raw_uffd(0);

	assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED |
			   (more & uffd_features()), NULL));
	return uffd;
}

int async_uffd_of(const void *start, size_t len)
{
	int uffd = async_uffd();

	assert_ok(uffd_register(uffd, start, len, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, start, len, WRITEPROTECT_WP));
	return uffd;
}

bool is_silent(int uffd)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	char message[64];

	return poll(&poll_fd, 1, 0) == 0 && read(uffd, message, sizeof(message)) < 0 &&
	       errno == EAGAIN;
}

/* ---- memory */

static char *map_memfd(size_t len, unsigned int flags, char **alias)
{
	int fd = syscall(SYS_memfd_create, "native", flags | MFD_CLOEXEC);
	char *p;

	if (fd < 0)
		return NULL;
	assert_ok(ftruncate(fd, len));
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (alias) {
		*alias = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert_ptr_not_equal(*alias, MAP_FAILED);
	}
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

char *map_shared(size_t len, char **alias)
{
	char *p = map_memfd(len, 0, alias);

	assert_non_null(p);
	return p;
}

char *map_hugetlb(size_t huge_pages, char **alias)
{
	return map_memfd(huge_pages * HUGE_PAGE, MFD_HUGETLB, alias);
}

/* ---- tests */

static void timed_out(int sig)
{
	static const char words[] = "[  ERROR   ] --- still there after a minute: it hangs\n";

	(void)sig;
	if (write(STDOUT_FILENO, words, sizeof(words) - 1) < 0)
		_exit(2);
	_exit(1);
}

int start_clock(void **state)
{
	(void)state;
	signal(SIGALRM, timed_out);
	alarm(60);
	return 0;
}

int stop_clock(void **state)
{
	(void)state;
	alarm(0);
	return 0;
}

/* A request that fails tells nothing: another may still be served. Ask as programs do. */
static bool is_offered(void)
{
	int uffd = raw_uffd(0);
	int ret = uffd_api(uffd, FEATURE_WP_ASYNC, NULL);

	close(uffd);
	return !ret;
}

/* Whether the module is there, and was told to give them */
static bool are_given(void)
{
	FILE *file = fopen("/sys/module/uffdwp_async/parameters/native_abi", "re");
	int value = 0;

	if (file) {
		value = fgetc(file);
		fclose(file);
	}
	return value == 'Y';
}

TEST(native_interfaces)
{
	if (are_given())
		fail_msg("native_abi=1 offers no UFFD_FEATURE_WP_ASYNC: see the kernel log");
	skip_because("this kernel has no UFFD_FEATURE_WP_ASYNC, and native_abi=1 does not give it");
}

int run_native(const char *name, const struct CMUnitTest *tests, size_t n)
{
	const struct CMUnitTest nothing[] = { cmocka_unit_test(native_interfaces) };

	if (!is_offered())
		return _cmocka_run_group_tests(name, nothing, 1, NULL, NULL);
	return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}

void become_nobody(void)
{
	child_expects(!setgroups(0, NULL));
	child_expects(!setresgid(65534, 65534, 65534));
	child_expects(!setresuid(65534, 65534, 65534));
}
