// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of ordinary files; and the kernel's own write tracking (WP_ASYNC, PAGEMAP_SCAN), which
 * Linux 6.7 and later have for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define N 8ul
#define LEN (N * PAGE)

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

/* Laid out as UFFDWP_IOC_SCAN's. */
#define PAGEMAP_SCAN	_IOWR('f', 16, struct uffdwp_scan_arg)

static const char *no_disk;

static bool kernel_has_wp_async(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_WP_ASYNC };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	bool has;

	assert_true(uffd >= 0);
	has = !ioctl(uffd, UFFDIO_API, &api);
	close(uffd);
	return has;
}

static int mount_disk(void **state)
{
	(void)state;
	no_disk = disk_mount(32 << 20);
	return 0;
}

static int unmount_disk(void **state)
{
	(void)state;
	disk_unmount();
	return 0;
}

/* A file of the disk with so many bytes. */
static int new_file(size_t len)
{
	int file;

	/* Which is refused: map_file() */
	if (!(dev_kinds() & UFFDWP_KIND_FILE))
		return new_ordinary_file(len);
	if (no_disk)
		skip_because("no ordinary files: %s", no_disk);
	file = disk_file();
	assert_true(file >= 0);
	assert_ok(ftruncate(file, len));
	return file;
}

static char *map_file(int file, size_t len, int flags)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, file, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	needs_kind(UFFDWP_KIND_FILE, p, len);
	return p;
}

static int refused_at(int fd, const void *start, size_t len, uint64_t *fail_at)
{
	struct uffdwp_register_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};
	int ret = dev_ioctl(fd, UFFDWP_IOC_REGISTER, &arg);

	*fail_at = arg.fail_at;
	return ret;
}

/* By UFFD_FEATURE_WP_ASYNC of the kernel or, where there is none, by the module itself. */
TEST(files_are_offered_where_the_kernel_has_markers)
{
	assert_int_equal(!(dev_kinds() & UFFDWP_KIND_FILE),
			 !(dev_features() & UFFDWP_FEATURE_UNPOP_MARKER));
	if (!(dev_kinds() & UFFDWP_KIND_FILE))
		assert_false(kernel_has_wp_async());
}

static void expect_refused(const char *what, int file, off_t offset)
{
	int fd = dev_open();
	uint64_t fail_at;
	char *p;

	assert_ok(dev_attach_self(fd));
	if (file < 0) {
		print_message("[   INFO   ] %s: %s\n", what, strerror(errno));
		goto close_tracker;
	}
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, offset);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_err(refused_at(fd, p, PAGE, &fail_at), EOPNOTSUPP);
	assert_int_equal(fail_at, (uintptr_t)p);
	munmap(p, PAGE);
	close(file);
close_tracker:
	close(fd);
}

/* What others write to than those who have mapped it, and what is no file. */
TEST(what_is_no_ordinary_file_is_refused)
{
	uint32_t ring[30] = { 0 };
	int secret = syscall(SYS_memfd_secret, O_CLOEXEC);

	if (secret >= 0)
		assert_ok(ftruncate(secret, PAGE));
	expect_refused("memfd_secret(2)", secret, 0);
	expect_refused("io_uring_setup(2)", syscall(SYS_io_uring_setup, 4, ring), 0);
	expect_refused("a disk", open("/dev/zram0", O_RDWR | O_CLOEXEC), 0);
}

/* Its file system holds each page by a reference of its own; that is nobody who writes. */
TEST(pages_with_buffers_can_be_armed)
{
	int file = new_file(LEN), fd;
	char *p = map_file(file, LEN, MAP_SHARED);

	touch(p, N, 1);
	assert_ok(fsync(file));
	fd = tracker_of(p, LEN);
	wait_for(!written(fd, p, LEN, true));
	assert_false(categories(fd, p) & UFFDWP_PAGE_IS_PINNED);
	p[3 * PAGE] = 2;
	assert_true(categories(fd, p + 3 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(written(fd, p, LEN, false), 1);
	close(fd);
	munmap(p, LEN);
	close(file);
}

/* What was written behind the end of the file, in its last page, becomes zeroes. */
TEST(a_file_that_grows_has_another_last_page)
{
	int file = new_file(PAGE + 100), fd;
	char *p = map_file(file, 2 * PAGE, MAP_SHARED);

	p[0] = 1;
	p[PAGE + 200] = 1;
	fd = tracker_of(p, 2 * PAGE);
	wait_for(!written(fd, p, 2 * PAGE, true));
	assert_ok(ftruncate(file, 2 * PAGE));
	assert_true(categories(fd, p + PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_false(categories(fd, p) & UFFDWP_PAGE_IS_WRITTEN);

	/* By fallocate(2), with room for what is there already. */
	assert_ok(ftruncate(file, PAGE + 100));
	p[PAGE + 200] = 1;
	wait_for(!written(fd, p, 2 * PAGE, true));
	assert_ok(fallocate(file, 0, 0, 2 * PAGE));
	assert_true(categories(fd, p + PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_false(categories(fd, p) & UFFDWP_PAGE_IS_WRITTEN);
	close(fd);
	munmap(p, 2 * PAGE);
	close(file);
}

/* Not by fallocate(2) or truncation: ext4 of Linux 7.2, when its journal takes the data, too. */
TEST(copies_that_a_file_system_throws_away_are_written)
{
	int file = new_file(LEN), fd, flags;
	char *p = map_file(file, LEN, MAP_PRIVATE);
	size_t i;

	touch(p, N, 7);
	fd = tracker_of(p, LEN);
	wait_for(!written(fd, p, LEN, true));
	assert_ok(ioctl(file, FS_IOC_GETFLAGS, &flags));
	flags |= FS_JOURNAL_DATA_FL;
	if (ioctl(file, FS_IOC_SETFLAGS, &flags)) {
		close(fd);
		skip_because("this file system has no journal for data: %s", strerror(errno));
	}
	if (!(pagemap_entry(p) & (1ull << 63))) {
		for (i = 0; i < N; i++)
			assert_true(categories(fd, p + i * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
		assert_int_equal(p[0], 0);
	} else {
		print_message("[   INFO   ] this kernel keeps the copies\n");
		assert_int_equal(written(fd, p, LEN, false), 0);
		assert_int_equal(p[0], 7);
	}
	close(fd);
	munmap(p, LEN);
	close(file);
}

/* Markers and bits go; what is in the file is there as ever. */
TEST(nothing_is_left_when_the_tracker_is_closed)
{
	int file = new_file(LEN), fd;
	char *p = map_file(file, LEN, MAP_SHARED);
	char page[PAGE];
	size_t i;

	touch(p, N / 2, 1);
	fd = tracker_of(p, LEN);
	close(fd);
	for (i = 0; i < N; i++)
		assert_false(pagemap_entry(p + i * PAGE) & (1ull << 57));
	touch(p, N, 2);
	for (i = 0; i < N; i++) {
		assert_int_equal(pread(file, page, PAGE, i * PAGE), PAGE);
		assert_int_equal(page[0], 2);
	}
	munmap(p, LEN);
	close(file);
}

/* Of five parts the second and the fourth are such files; a hole is between the last two. */
TEST(files_that_are_not_registered_are_skipped)
{
	int file = new_file(LEN), fd = dev_open(), i;
	char *p = map_filled(5 * N);
	struct uffdwp_unregister_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)p + PAGE, .len = 5 * LEN - 2 * PAGE,
	};

	munmap(map_file(file, LEN, MAP_SHARED), LEN);
	for (i = 1; i < 5; i += 2)
		assert_ptr_equal(mmap(p + i * LEN, LEN, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_FIXED, file, 0), p + i * LEN);
	munmap(p + 4 * LEN, PAGE);
	assert_ok(dev_attach_self(fd));
	for (i = 0; i < 5; i += 2)
		assert_ok(dev_register(fd, p + i * LEN, LEN));
	assert_ok(dev_arm(fd, p, 5 * LEN));
	assert_ok(dev_ioctl(fd, UFFDWP_IOC_UNREGISTER, &arg));
	assert_int_equal(arg.start, (uintptr_t)p + PAGE);
	assert_int_equal(arg.len, 5 * LEN - 2 * PAGE);
	/* The ends are still registered, and nothing else. */
	assert_false(categories(fd, p) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_false(categories(fd, p + 5 * LEN - PAGE) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_int_equal(dev_unregister(fd, p, PAGE), 0);
	assert_int_equal(dev_unregister(fd, p + 5 * LEN - PAGE, PAGE), 0);
	assert_false(has_registered_memory(getpid()));
	/* Nothing but such files is nothing to do; registered, they are like any other memory. */
	assert_ok(dev_unregister(fd, p + LEN, LEN));
	assert_ok(dev_register(fd, p, 5 * LEN));
	assert_ok(dev_unregister(fd, p, 5 * LEN));
	assert_false(has_registered_memory(getpid()));
	close(fd);
	munmap(p, 5 * LEN);
	close(file);
}

/* ---- the kernel's own tracking */

static int pagemap_scan(const char *start, size_t len, uint64_t flags)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), ret;
	struct uffdwp_region vec[2 * N];
	struct uffdwp_scan_arg arg = scan_arg(start, len, vec, 2 * N);

	arg.flags = flags;
	ret = ioctl(pagemap, PAGEMAP_SCAN, &arg);
	ret = ret < 0 ? -errno : ret;
	close(pagemap);
	return ret;
}

/*
 * Somebody who scans all of his memory with the kernel's own means, as he may, arms nothing of what
 * a tracker has still to report.
 */
TEST(another_scan_arms_nothing)
{
	char *p = map_filled(N), *q = map_anon(N);
	int fd;

	if (pagemap_scan(p, LEN, 0) == -ENOTTY)
		skip_because("this kernel has no PAGEMAP_SCAN");
	fd = tracker_of(p, LEN);
	assert_ok(dev_register(fd, q, LEN));
	p[2 * PAGE] = 2;
	assert_err(pagemap_scan(p, LEN, UFFDWP_SCAN_WP_MATCHING | UFFDWP_SCAN_CHECK_TRACKED),
		   EPERM);
	assert_int_equal(pagemap_scan(p, LEN, UFFDWP_SCAN_WP_MATCHING), 0);
	assert_int_equal(pagemap_scan(q, LEN, UFFDWP_SCAN_WP_MATCHING), 0);
	/* It may look. */
	assert_int_equal(pagemap_scan(p, LEN, 0), 1);
	assert_int_equal(written(fd, p, LEN, false), 1);
	assert_int_equal(written(fd, q, LEN, false), N);
	close(fd);
	munmap(p, LEN);
	munmap(q, LEN);
}

static int uffd_protect(int uffd, char *start, size_t len)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0;
}

/* Private memory, half of it with nothing in it, and a file's. */
TEST(a_handed_in_userfaultfd_with_wp_async)
{
	int file = new_file(LEN), fd = dev_open(), uffd, i;
	char *areas[2] = { map_anon(N), map_file(file, LEN, MAP_SHARED) };

	if (!kernel_has_wp_async())
		skip_because("this kernel has no UFFD_FEATURE_WP_ASYNC");
	uffd = new_uffd(UFFD_WP_ASYNC | UFFD_WP_UNPOPULATED);
	assert_ok(dev_attach_uffd(fd, uffd));
	for (i = 0; i < 2; i++) {
		char *p = areas[i];

		touch(p, N / 2, 1);
		assert_ok(dev_register(fd, p, LEN));
		assert_int_equal(written(fd, p, LEN, false), N);
		assert_ok(dev_arm(fd, p, LEN));
		wait_for(!written(fd, p, LEN, true));
		p[PAGE] = 2;
		p[(N - 1) * PAGE] = 2;
		assert_int_equal(written(fd, p, LEN, true), 2);
		wait_for(!written(fd, p, LEN, true));
		/* Its owner may arm by himself, and look with the kernel's own means. */
		p[2 * PAGE] = 2;
		assert_ok(uffd_protect(uffd, p, LEN));
		assert_int_equal(written(fd, p, LEN, false), 0);
		p[3 * PAGE] = 2;
		assert_int_equal(written(fd, p, LEN, false), 1);
		assert_int_equal(pagemap_scan(p, LEN, 0), 1);
		/* Those arm nothing while there is a tracker. */
		assert_err(pagemap_scan(p, LEN, UFFDWP_SCAN_CHECK_TRACKED), EPERM);
		assert_int_equal(pagemap_scan(p, LEN, UFFDWP_SCAN_WP_MATCHING), 0);
		assert_int_equal(written(fd, p, LEN, false), 1);
	}
	assert_int_equal(dev_stats(fd).fallback_faults, 0);
	close(fd);
	/* Without us it is the kernel that resolves. */
	for (i = 0; i < 2; i++) {
		assert_ok(uffd_protect(uffd, areas[i], LEN));
		touch(areas[i], N, 3);
		munmap(areas[i], LEN);
	}
	close(uffd);
	close(file);
}

TEST(a_handed_in_userfaultfd_without_it_takes_no_files)
{
	int file = new_file(LEN), fd = dev_open(), uffd = new_uffd(0);
	char *p = map_file(file, LEN, MAP_SHARED);
	uint64_t fail_at;

	assert_ok(dev_attach_uffd(fd, uffd));
	assert_err(refused_at(fd, p, LEN, &fail_at), EOPNOTSUPP);
	assert_int_equal(fail_at, (uintptr_t)p);
	close(fd);
	close(uffd);
	munmap(p, LEN);
	close(file);
}

/*
 * In mlocked memory a marker is met by filemap_fault() while it reads the page: since Linux 6.8 it
 * never returns, if it takes the marker for a page.
 */
TEST(mlocked_pages_are_read_in)
{
	static const int flags[] = { MAP_SHARED, MAP_PRIVATE };
	int file = new_file(LEN);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		char *p = map_file(file, LEN, flags[i]);
		int fd;

		assert_int_equal(pwrite(file, "abc", 3, PAGE), 3);
		assert_ok(fsync(file));
		assert_ok(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
		fd = tracker_of(p, LEN);
		assert_ok(mlock2(p, LEN, MLOCK_ONFAULT));
		assert_true(alarm(60) == 0);
		assert_int_equal(p[PAGE], 'a');
		assert_int_equal(written(fd, p, LEN, false), 0);
		touch(p + 2 * PAGE, 1, 5);
		assert_int_equal(written(fd, p, LEN, false), 1);
		touch(p + PAGE, 1, 'a');
		assert_int_equal(written(fd, p, LEN, false), 2);
		alarm(0);
		close(fd);
		munmap(p, LEN);
	}
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_offered_where_the_kernel_has_markers),
		cmocka_unit_test(what_is_no_ordinary_file_is_refused),
		cmocka_unit_test(pages_with_buffers_can_be_armed),
		cmocka_unit_test(a_file_that_grows_has_another_last_page),
		cmocka_unit_test(copies_that_a_file_system_throws_away_are_written),
		cmocka_unit_test(nothing_is_left_when_the_tracker_is_closed),
		cmocka_unit_test(files_that_are_not_registered_are_skipped),
		cmocka_unit_test(another_scan_arms_nothing),
		cmocka_unit_test(mlocked_pages_are_read_in),
		cmocka_unit_test(a_handed_in_userfaultfd_with_wp_async),
		cmocka_unit_test(a_handed_in_userfaultfd_without_it_takes_no_files),
	};

	return cmocka_run_group_tests_name("file", tests, mount_disk, unmount_disk);
}
