// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of more than one mapping: kinds that are refused, kinds that go together, and holes.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support.h"
#include "unserved.h"

#define N 4ul
#define LEN (N * PAGE)

static int attached(void)
{
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_ok(dev_attach_self(fd));
	return fd;
}

static void expect_refused(int fd, const char *start, size_t len, const char *at)
{
	struct uffdwp_register_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};

	assert_err(dev_ioctl(fd, UFFDWP_IOC_REGISTER, &arg), EOPNOTSUPP);
	assert_int_equal(arg.fail_at, (uintptr_t)at);
}

/* Nothing of the range is registered when a mapping in it is refused. */
static void files_are_refused(int flags)
{
	char *p = map_filled(3 * N), *file_at = p + LEN;
	int file = new_untrackable_file(LEN), fd = attached();

	assert_ptr_equal(mmap(file_at, LEN, PROT_READ | PROT_WRITE, flags | MAP_FIXED, file, 0),
			 file_at);
	expect_refused(fd, file_at, LEN, file_at);
	expect_refused(fd, p, 3 * LEN, file_at);
	assert_false(has_registered_memory(getpid()));
	assert_ok(dev_register(fd, p, LEN));
	close(fd);
	close(file);
	munmap(p, 3 * LEN);
}

static void private_files_are_refused(void **state)
{
	(void)state;
	files_are_refused(MAP_PRIVATE);
}

static void shared_files_are_refused(void **state)
{
	(void)state;
	files_are_refused(MAP_SHARED);
}

static char *find_mapping(const char *name, size_t *len)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uintptr_t start, end;
	char line[256];
	char *found = NULL;

	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, name) ||
		    sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) != 2)
			continue;
		found = (char *)start;
		*len = end - start;
	}
	fclose(maps);
	return found;
}

static void the_kernels_own_pages_are_refused(void **state)
{
	static const char *const names[] = { "[vdso]", "[vvar]" };
	int fd = attached();
	size_t i, len;

	(void)state;
	for (i = 0; i < 2; i++) {
		char *p = find_mapping(names[i], &len);

		assert_non_null(p);
		expect_refused(fd, p, len, p);
	}
	close(fd);
}

/* Private, shared and private again, a hole, and memory that may not be read. */
static void kinds_go_together(void **state)
{
	char *p = map_filled(5 * N), *shared = p + LEN, *hole = p + 3 * LEN, *closed = p + 4 * LEN;
	int file = memfd_create("ranges", MFD_CLOEXEC), fd = attached();
	struct uffdwp_region vec[8];
	struct uffdwp_scan_arg arg = scan_arg(p, 5 * LEN, vec, 8);

	(void)state;
	assert_ok(ftruncate(file, LEN));
	assert_ptr_equal(mmap(shared, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0),
			 shared);
	munmap(hole, LEN);
	assert_ok(mprotect(closed, LEN, PROT_NONE));
	if (unserved_here(UFFDWP_KIND_SHMEM, 0)) {
		expect_refused(fd, p, 5 * LEN, shared);
		assert_false(has_registered_memory(getpid()));
		skip_because("refused, as it should be: a mapping of shared memory in the middle");
	}
	assert_ok(dev_register(fd, p, 5 * LEN));
	assert_ok(dev_arm(fd, p, 5 * LEN));
	assert_int_equal(written(fd, p, 5 * LEN, false), 0);
	assert_int_equal(categories(fd, hole), UFFDWP_PAGE_IS_UNTRACKED);

	/* Across the border of two kinds: one region. */
	touch(shared - PAGE, 2, 7);
	touch(hole - PAGE, 1, 7);
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(fd, &arg), 2);
	assert_int_equal(vec[0].start, (uintptr_t)shared - PAGE);
	assert_int_equal(vec[0].end, (uintptr_t)shared + PAGE);
	assert_int_equal(vec[1].start, (uintptr_t)hole - PAGE);
	assert_int_equal(vec[1].end, (uintptr_t)hole);
	assert_int_equal(written(fd, p, 5 * LEN, false), 0);
	touch(p, 3 * N, 8);
	assert_int_equal(written(fd, p, 5 * LEN, true), 3 * N);
	close(fd);
	close(file);
	munmap(p, 5 * LEN);
}

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* Each of them splits a VMA, and leaves one behind as it was before. */
static void vmas_are_merged_again(void **state)
{
	int fd = attached(), named;
	char *p = map_filled(9);

	(void)state;
	for (named = 0; named < 2; named++) {
		assert_ok(dev_register(fd, p + 3 * PAGE, 3 * PAGE));
		assert_ok(dev_arm(fd, p + 3 * PAGE, 3 * PAGE));
		assert_false(is_one_vma(p, 9 * PAGE));
		assert_ok(dev_unregister(fd, p + 4 * PAGE, PAGE));
		assert_false(is_one_vma(p + 3 * PAGE, 2 * PAGE));
		assert_int_equal(categories(fd, p + 4 * PAGE) & UFFDWP_PAGE_IS_UNTRACKED,
				 UFFDWP_PAGE_IS_UNTRACKED);
		assert_false(categories(fd, p + 3 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
		assert_false(categories(fd, p + 5 * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
		assert_ok(dev_unregister(fd, p, 4 * PAGE));
		assert_true(is_one_vma(p, 5 * PAGE));
		assert_ok(dev_unregister(fd, p, 9 * PAGE));
		assert_true(is_one_vma(p, 9 * PAGE));

		assert_ok(dev_register(fd, p + PAGE, PAGE));
		assert_ok(dev_register(fd, p + 7 * PAGE, 2 * PAGE));
		close(fd);
		assert_true(is_one_vma(p, 9 * PAGE));
		fd = attached();
		/* Linux 5.17 and later: memory that has a name is merged with its like only. */
		if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 9 * PAGE, "ranges"))
			break;
	}
	close(fd);
	munmap(p, 9 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_files_are_refused),
		cmocka_unit_test(shared_files_are_refused),
		cmocka_unit_test(the_kernels_own_pages_are_refused),
		cmocka_unit_test(kinds_go_together),
		cmocka_unit_test(vmas_are_merged_again),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
