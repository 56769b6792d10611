// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory with nothing in it: armed with the zero page, or with markers.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define N 600ul		/* more than one page table */

static bool markers;

/* Before anything is mapped: what a test that is skipped leaves mapped is locked by a later one. */
static void needs_mode(void)
{
	if (markers)
		needs_markers();
}

static char *map_unpopulated(size_t pages)
{
	needs_mode();
	return map_anon(pages);
}

static int tracker_of_mode(const void *p, size_t len)
{
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_ok(markers ? dev_attach_markers(fd) : dev_attach_self(fd));
	assert_ok(dev_register(fd, p, len));
	assert_ok(dev_arm(fd, p, len));
	return fd;
}

static int zero_mode(void **state)
{
	(void)state;
	markers = false;
	return 0;
}

static int marker_mode(void **state)
{
	(void)state;
	markers = true;
	return 0;
}

TEST(nothing_is_written_at_first)
{
	char *p = map_unpopulated(N);
	int fd = tracker_of_mode(p, N * PAGE);
	struct uffdwp_stats_arg stats = dev_stats(fd);

	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_int_equal(stats.zero_installed, markers ? 0 : N);
	assert_int_equal(stats.markers_installed, markers ? N : 0);
	assert_int_equal(stats.pages_armed, N);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(the_first_write_is_seen)
{
	char *p = map_unpopulated(N);
	int fd = tracker_of_mode(p, N * PAGE);
	long before = faults();

	touch(p, N, 3);
	/* A marker is found by one fault and replaced by the next. */
	assert_int_equal(faults() - before, markers ? 2 * N : N);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	assert_int_equal(p[5 * PAGE], 3);
	assert_int_equal(p[5 * PAGE + 1], 0);
	assert_int_equal(written(fd, p, N * PAGE, true), 0);
	before = faults();
	touch(p, N, 4);
	assert_int_equal(faults() - before, N);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(reading_leaves_it_armed)
{
	char *p = map_unpopulated(N);
	int fd = tracker_of_mode(p, N * PAGE);
	long before = faults();
	size_t i;

	for (i = 0; i < N; i++)
		assert_int_equal(*(volatile char *)(p + i * PAGE), 0);
	assert_int_equal(faults() - before, markers ? N : 0);
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	before = faults();
	touch(p, N, 3);
	assert_int_equal(faults() - before, N);
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(the_kernel_writes)
{
	char *p = map_unpopulated(N);
	int fd = tracker_of_mode(p, N * PAGE);
	int urandom = open("/dev/zero", O_RDONLY);

	assert_int_equal(read(urandom, p + 10 * PAGE, 20 * PAGE), 20 * PAGE);
	assert_int_equal(written(fd, p, N * PAGE, false), 20);
	close(urandom);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(a_forked_child_is_free)
{
	char *p = map_unpopulated(N);
	int fd = tracker_of_mode(p, N * PAGE);
	struct peer child = peer_start();

	peer_do(&child, PEER_WRITE, p, N * PAGE, 9);
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	touch(p, 3, 1);
	assert_int_equal(written(fd, p, N * PAGE, false), 3);
	peer_end(&child);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(closing_leaves_nothing_behind)
{
	char *p = map_unpopulated(N), *q;
	size_t i;

	close(tracker_of_mode(p, N * PAGE));
	for (i = 0; i < N; i++)
		assert_int_equal(*(volatile char *)(p + i * PAGE), 0);
	touch(p, N, 3);
	for (i = 0; i < N; i++)
		assert_int_equal(p[i * PAGE], 3);
	munmap(p, N * PAGE);

	/* Moved away from its tracker with markers or zero pages in it. */
	p = map_unpopulated(N);
	i = tracker_of_mode(p, N * PAGE);
	q = mremap(p, N * PAGE, 2 * N * PAGE, MREMAP_MAYMOVE);
	assert_ptr_not_equal(q, MAP_FAILED);
	touch(q, 2 * N, 4);
	close(i);
	touch(q, 2 * N, 5);
	munmap(q, 2 * N * PAGE);
}

/*
 * Two mappings become one by mremap(), which takes both from the tracker but cleans only the one
 * that has moved. At an address of their own: what was once merged with memory in use stays apart.
 */
TEST(merged_mappings_are_left_clean)
{
	char *p = (char *)0x600000000000, *q = p + 8 * N * PAGE;
	size_t i;
	int fd;

	needs_mode();
	for (i = 0; i < 2; i++)
		assert_ptr_not_equal(mmap(i ? q : p, N * PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
					  0), MAP_FAILED);
	fd = tracker_of_mode(p, N * PAGE);
	assert_ok(dev_register(fd, q, N * PAGE));
	assert_ok(dev_arm(fd, q, N * PAGE));
	assert_ptr_equal(mremap(q, N * PAGE, N * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				p + N * PAGE), p + N * PAGE);
	/* Since Linux 7.3 they stay two. */
	assert_true(is_one_vma(p, 2 * N * PAGE) || !kernel_is_before(7, 3));
	if (is_one_vma(p, 2 * N * PAGE))
		assert_true(categories(fd, p) & UFFDWP_PAGE_IS_UNTRACKED);
	close(fd);
	/* Until the hooks are gone. */
	sleep(4);
	for (i = 0; i < 2 * N; i += 2)
		assert_int_equal(*(volatile char *)(p + i * PAGE), 0);
	touch(p, 2 * N, 3);
	munmap(p, 2 * N * PAGE);
}

TEST(unregistering_leaves_nothing_behind)
{
	char *p = map_unpopulated(N);
	int fd = tracker_of_mode(p, N * PAGE);

	assert_ok(dev_unregister(fd, p, N * PAGE));
	touch(p, N, 3);
	assert_ok(dev_register(fd, p, N * PAGE));
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	close(fd);
	munmap(p, N * PAGE);
}

/* Nothing but page tables is used, and those only for what is armed. */
static long vm_status(const char *what)
{
	return number_after("/proc/self/status", what);
}

TEST(memory_used)
{
	const size_t len = 1ul << 30;
	long tables, resident;
	char *p;
	int fd;

	needs_mode();
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		 0);
	tables = vm_status("VmPTE");
	resident = vm_status("RssAnon");
	fd = tracker_of_mode(p, len);
	assert_in_range(vm_status("VmPTE") - tables, 2048, 2048 + 16);
	assert_in_range(vm_status("RssAnon") + 512 - resident, 0, 1024);
	assert_int_equal(written(fd, p, len, false), 0);
	close(fd);
	munmap(p, len);
}

/* ---- mlocked memory is populated, and stays so */

static size_t present(const char *p, size_t pages)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++)
		n += pagemap_entry(p + i * PAGE) >> 63;
	return n;
}

/* By reading, where the process may not write: zero pages, which are not the tracker's. */
TEST(zero_pages_of_mlocked_memory_stay)
{
	const size_t pages = 16;
	char *p = map_anon(pages), *hole = map_anon(1);
	int fd = dev_open();

	assert_ok(mprotect(p, pages * PAGE, PROT_READ));
	assert_ok(mlock(p, pages * PAGE));
	assert_int_equal(present(p, pages), pages);
	assert_ok(dev_attach_self(fd));
	/* It maps zero pages elsewhere, so that it has some to unmap. */
	assert_ok(dev_register(fd, hole, PAGE));
	assert_ok(dev_arm(fd, hole, PAGE));
	assert_ok(dev_register(fd, p, pages * PAGE));
	assert_ok(dev_arm(fd, p, pages * PAGE));
	assert_ok(dev_disarm(fd, p, pages * PAGE));
	assert_int_equal(present(p, pages), pages);
	assert_ok(dev_arm(fd, p, pages * PAGE));
	close(fd);
	assert_int_equal(present(p, pages), pages);
	assert_int_equal(present(hole, 1), 0);
	munmap(p, pages * PAGE);
	munmap(hole, PAGE);
}

/* ---- no memory for page tables */

/* All of the stack that the task will need is there: it takes no fault while it is poor. */
static void need_no_more_memory(void)
{
	volatile char stack[256 * 1024];
	size_t i;

	for (i = 0; i < sizeof(stack); i += PAGE)
		stack[i] = 1;
	assert_ok(mlockall(MCL_CURRENT));
}

/*
 * In a memory cgroup whose only task may not be killed, an allocation that goes over the limit
 * fails.
 */
static int without_memory(void)
{
	const size_t len = 32ul << 30;
	struct uffdwp_region region;
	struct uffdwp_arm_arg arm = { .size = sizeof(arm), .len = len };
	struct uffdwp_scan_arg scan;
	int fd = dev_open(), limit = open("/sys/fs/cgroup/poor/memory.max", O_WRONLY);
	int arm_result, scan_result;
	uint64_t armed;
	char *p;

	if (write_file("/sys/fs/cgroup/poor/cgroup.procs", "0") ||
	    write_file("/proc/self/oom_score_adj", "-1000"))
		return 3;
	need_no_more_memory();
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	if (dev_attach_self(fd) || dev_register(fd, p, len) || dev_stats(fd).pages_armed)
		return 1;

	arm.start = (uintptr_t)p;
	arm_result = dev_ioctl(fd, UFFDWP_IOC_ARM, &arm);
	scan = scan_arg((void *)(uintptr_t)arm.walk_end, (uintptr_t)p + len - arm.walk_end, &region,
			1);
	scan.flags = UFFDWP_SCAN_WP_MATCHING;
	scan_result = dev_scan(fd, &scan);
	if (write(limit, "max", 3) != 3)
		return 2;

	if (arm_result != -ENOMEM || arm.walk_end <= arm.start || arm.walk_end >= arm.start + len)
		return 3;
	/* Arming while scanning meets the same want at once, or after what it could still do. */
	if (scan_result != -ENOMEM && scan_result != 1)
		return 4;
	armed = scan.walk_end - arm.start;
	/* All below is armed, all above is written: nothing is lost, nothing is wrong. */
	if (written(fd, p, armed, false))
		return 5;
	if (written(fd, p, len, false) != (len - armed) / PAGE)
		return 6;

	/* With memory again, it goes on from there. */
	if (dev_arm(fd, p, len) || written(fd, p, len, false))
		return 7;
	p[len / 2] = 1;
	return written(fd, p, len, false) != 1 ? 8 : 0;
}

TEST(no_memory_for_page_tables)
{
	pid_t child;
	int status;

	if (mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) && errno != EBUSY)
		skip_because("no cgroup2: %s", strerror(errno));
	assert_ok(write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory"));
	if (mkdir("/sys/fs/cgroup/poor", 0755) && errno != EEXIST)
		fail_msg("mkdir: %s", strerror(errno));
	assert_ok(write_file("/sys/fs/cgroup/poor/memory.max", "16M"));

	child = fork();
	if (!child)
		_exit(without_memory());
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("failed at step %d (status %x)", WEXITSTATUS(status), status);
}

#define ZERO(f) { "zero pages: " #f, f, zero_mode, NULL, NULL }
#define MARKER(f) { "markers: " #f, f, marker_mode, NULL, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_pages_of_mlocked_memory_stay),
		ZERO(nothing_is_written_at_first),
		MARKER(nothing_is_written_at_first),
		ZERO(the_first_write_is_seen),
		MARKER(the_first_write_is_seen),
		ZERO(reading_leaves_it_armed),
		MARKER(reading_leaves_it_armed),
		ZERO(the_kernel_writes),
		MARKER(the_kernel_writes),
		ZERO(a_forked_child_is_free),
		MARKER(a_forked_child_is_free),
		ZERO(closing_leaves_nothing_behind),
		MARKER(closing_leaves_nothing_behind),
		ZERO(merged_mappings_are_left_clean),
		MARKER(merged_mappings_are_left_clean),
		ZERO(unregistering_leaves_nothing_behind),
		MARKER(unregistering_leaves_nothing_behind),
		ZERO(memory_used),
		MARKER(memory_used),
		ZERO(no_memory_for_page_tables),
	};

	return cmocka_run_group_tests_name("unpopulated", tests, NULL, NULL);
}
