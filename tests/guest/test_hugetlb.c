// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is special about hugetlb: pages that cannot be split, and a kernel that hands their bits to
 * a forked child.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define PAGES 4ul
#define LEN (PAGES * HUGE_PAGE)

static int flags_of_kind;

/* The child of a private mapping may need a copy of each page. */
static int reserve(void)
{
	const char *why = hugetlb_reserve(2 * PAGES);

	if (why)
		fail_msg("no pages of hugetlb: %s", why);
	return 0;
}

static int shared(void **state)
{
	(void)state;
	flags_of_kind = MAP_SHARED;
	return reserve();
}

static int private(void **state)
{
	(void)state;
	flags_of_kind = MAP_PRIVATE;
	return reserve();
}

static int release(void **state)
{
	(void)state;
	hugetlb_release();
	return 0;
}

static char *map_hugetlb(void)
{
	char *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		       flags_of_kind | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	needs_kind(UFFDWP_KIND_HUGETLB, p, LEN);
	return p;
}

static char *map_filled_hugetlb(void)
{
	char *p = map_hugetlb();

	touch(p, LEN / PAGE, 1);
	return p;
}

TEST(a_write_makes_the_whole_page_written)
{
	char *p = map_filled_hugetlb();
	int fd = tracker_of(p, LEN);
	long before;

	assert_int_equal(written(fd, p, LEN, false), 0);
	before = faults();
	p[HUGE_PAGE + 5 * PAGE] = 2;
	p[HUGE_PAGE + 6 * PAGE] = 2;
	assert_int_equal(faults() - before, 2);
	assert_int_equal(dev_stats(fd).hugetlb_faults, 1);
	assert_int_equal(written(fd, p, LEN, true), 512);
	assert_int_equal(written(fd, p, LEN, true), 0);
	p[HUGE_PAGE] = 3;
	assert_int_equal(written(fd, p, LEN, true), 512);
	assert_true(categories(fd, p) & UFFDWP_PAGE_IS_HUGE);
	close(fd);
	munmap(p, LEN);
}

TEST(nothing_there_is_armed_and_written_once)
{
	char *p = map_hugetlb();
	int fd = tracker_of(p, LEN);
	size_t i;

	assert_int_equal(written(fd, p, LEN, false), 0);
	/* Reading is not writing. */
	for (i = 0; i < 512; i++)
		assert_int_equal(p[i * PAGE], 0);
	assert_int_equal(written(fd, p, LEN, false), 0);
	p[0] = 1;
	p[HUGE_PAGE] = 1;
	assert_int_equal(written(fd, p, LEN, true), 1024);
	assert_int_equal(p[0] + p[HUGE_PAGE], 2);
	assert_int_equal(written(fd, p, LEN, true), 0);
	close(fd);
	munmap(p, LEN);
}

/* The kernel does not merge what it has divided, so nothing is. */
TEST(mappings_are_not_divided)
{
	char *p = map_filled_hugetlb();
	int fd = dev_open();

	assert_ok(dev_attach_self(fd));
	assert_ok(dev_register(fd, p + HUGE_PAGE, HUGE_PAGE));
	assert_true(is_one_vma(p, LEN));
	assert_false(categories(fd, p) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_ok(dev_arm(fd, p + HUGE_PAGE, HUGE_PAGE));
	assert_int_equal(written(fd, p, LEN, false), (PAGES - 1) * 512);
	assert_err(dev_unregister(fd, p + HUGE_PAGE, HUGE_PAGE), EINVAL);
	assert_err(dev_unregister(fd, p, HUGE_PAGE), EINVAL);
	assert_int_equal(written(fd, p, LEN, false), (PAGES - 1) * 512);
	assert_ok(dev_follow(fd, p, HUGE_PAGE, UFFDWP_KIND_HUGETLB));
	assert_true(is_one_vma(p, LEN));
	assert_ok(dev_unregister(fd, p, LEN));
	assert_true(is_one_vma(p, LEN));
	close(fd);
	munmap(p, LEN);
}

/* A range that cuts a page: an error where it would have to be armed, else no loss. */
TEST(ranges_that_cut_a_page)
{
	char *p = map_filled_hugetlb();
	int fd = dev_open();
	struct uffdwp_arm_arg arm = {
		.size = sizeof(arm), .start = (uintptr_t)p, .len = HUGE_PAGE + PAGE,
	};

	assert_ok(dev_attach_self(fd));
	assert_err(dev_register(fd, p + PAGE, HUGE_PAGE), EINVAL);
	assert_err(dev_register(fd, p, HUGE_PAGE + PAGE), EINVAL);
	assert_ok(dev_register(fd, p, LEN));
	assert_err(dev_unregister(fd, p, PAGE), EINVAL);
	assert_err(dev_ioctl(fd, UFFDWP_IOC_ARM, &arm), EINVAL);
	assert_int_equal(arm.walk_end, (uintptr_t)p + HUGE_PAGE);
	assert_int_equal(arm.armed, 512);
	assert_int_equal(written(fd, p, LEN, false), (PAGES - 1) * 512);

	/* Reported in part, and still written. */
	assert_int_equal(written(fd, p + HUGE_PAGE + PAGE, PAGE, true), 1);
	assert_int_equal(written(fd, p + HUGE_PAGE, HUGE_PAGE, false), 512);
	assert_int_equal(written(fd, p, LEN, true), (PAGES - 1) * 512);
	assert_int_equal(written(fd, p, LEN, false), 0);
	/* Disarmed in part is disarmed. */
	assert_ok(dev_disarm(fd, p + PAGE, PAGE));
	assert_int_equal(written(fd, p, LEN, true), 512);
	close(fd);
	munmap(p, LEN);
}

/* Limits below a page report without end if the caller wants them to, and lose nothing. */
TEST(page_limits)
{
	char *p = map_filled_hugetlb();
	int fd = tracker_of(p, LEN);
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(p, LEN, &region, 1);

	touch(p, LEN / PAGE, 2);
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.max_pages = 100;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_int_equal(arg.walk_end, (uintptr_t)p + 100 * PAGE);
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE);

	/* One page and a half: one page, and the second is left for the next scan. */
	arg.max_pages = 768;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_int_equal(arg.walk_end, (uintptr_t)p + HUGE_PAGE);
	assert_int_equal(written(fd, p, LEN, false), LEN / PAGE - 512);
	close(fd);
	munmap(p, LEN);
}

/* What is said of the child by its exit status; it is killed if it makes no progress. */
TEST(a_forked_child_goes_on)
{
	char *p = map_filled_hugetlb();
	int fd = tracker_of(p, LEN), status;
	pid_t child = fork();

	if (!child) {
		alarm(60);
		touch(p, LEN / PAGE, 7);
		_exit(p[0] == 7 && p[LEN - PAGE] == 7 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		fail_msg("the child hangs in its first write: signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(p[0], flags_of_kind == MAP_SHARED ? 7 : 1);
	/* Written through another mapping; in a private one the child has copies of its own. */
	assert_int_equal(written(fd, p, LEN, true), 0);
	p[0] = 3;
	assert_int_equal(written(fd, p, LEN, true), 512);
	close(fd);
	munmap(p, LEN);
}

#define BOTH(f)							\
	{ #f ": shared", f, shared, release, NULL },		\
	{ #f ": private", f, private, release, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_write_makes_the_whole_page_written),
		BOTH(nothing_there_is_armed_and_written_once),
		BOTH(mappings_are_not_divided),
		BOTH(ranges_that_cut_a_page),
		BOTH(page_limits),
		BOTH(a_forked_child_goes_on),
	};

	return cmocka_run_group_tests_name("hugetlb", tests, NULL, NULL);
}
