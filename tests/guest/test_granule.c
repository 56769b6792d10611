// SPDX-License-Identifier: GPL-2.0-only
/*
 * The granule: one write fault opens the pages around its own, as far as they can be made writable
 * at once; all others take a fault of their own, as without.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define TABLE 512ul	/* pages of a page table, and the largest granule */
#define GRANULE 64u

/* A page table's worth of memory, aligned to it, and the addresses around it free. */
static char *map_table(void)
{
	char *all = mmap(NULL, 3 * TABLE * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = next_huge_page(all) + (all == next_huge_page(all) ? TABLE * PAGE : 0);

	assert_ptr_not_equal(all, MAP_FAILED);
	assert_ok(munmap(all, 3 * TABLE * PAGE));
	assert_ptr_equal(mmap(p, TABLE * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p);
	thp_advice(p, TABLE * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static char *map_filled_table(void)
{
	char *p = map_table();

	touch(p, TABLE, 1);
	return p;
}

static int armed_tracker(const char *p, size_t pages, unsigned int granule)
{
	int fd = dev_open();

	assert_ok(dev_attach_granule(fd, 0, granule));
	assert_ok(dev_register(fd, p, pages * PAGE));
	assert_ok(dev_arm(fd, p, pages * PAGE));
	return fd;
}

/* Faults of writes to these pages. */
static long faults_of_writes(char *p, size_t pages, int value)
{
	const long before = faults();

	touch(p, pages, value);
	return faults() - before;
}

static void expect_opened(int fd, uint64_t write_faults, uint64_t opened)
{
	assert_int_equal(dev_stats(fd).write_faults, write_faults);
	assert_int_equal(dev_stats(fd).pages_opened, opened);
}

TEST(is_offered)
{
	assert_true(dev_features() & UFFDWP_FEATURE_GRANULE);
}

TEST(one_fault_opens_a_block)
{
	static const unsigned int granules[] = { 0, 1, 16, 32, 64, 128, 256, 512 };
	unsigned int i, block;
	char *p = map_filled_table();
	int fd;

	for (i = 0; i < sizeof(granules) / sizeof(granules[0]); i++) {
		block = granules[i] ?: 1;
		fd = armed_tracker(p, TABLE, granules[i]);
		assert_int_equal(written(fd, p, TABLE * PAGE, false), 0);
		assert_int_equal(faults_of_writes(p + 7 * PAGE, 1, 2), 1);
		assert_int_equal(written(fd, p, TABLE * PAGE, false), block);
		if (block > 1)
			assert_int_equal(written(fd, p, block * PAGE, false), block);
		assert_int_equal(written(fd, p, TABLE * PAGE, true), block);
		assert_int_equal(faults_of_writes(p, TABLE, 3), TABLE / block);
		assert_int_equal(written(fd, p, TABLE * PAGE, true), TABLE);
		assert_int_equal(written(fd, p, TABLE * PAGE, true), 0);
		expect_opened(fd, 1 + TABLE / block, (1 + TABLE / block) * (block - 1));
		close(fd);
	}
	munmap(p, TABLE * PAGE);
}

/* What is next to it in the table is another mapping, which is read-only, or not registered. */
TEST(a_block_ends_where_the_mapping_does)
{
	char *p = map_filled_table();
	int fd = armed_tracker(p, TABLE, TABLE);

	assert_ok(mprotect(p, 100 * PAGE, PROT_READ));
	assert_ok(mprotect(p + 300 * PAGE, 212 * PAGE, PROT_READ));
	assert_int_equal(faults_of_writes(p + 150 * PAGE, 1, 2), 1);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 200);
	assert_int_equal(written(fd, p + 100 * PAGE, 200 * PAGE, false), 200);
	assert_int_equal(faults_of_writes(p + 100 * PAGE, 200, 3), 0);
	/* They are made writable again, and were not written before. */
	assert_ok(mprotect(p, TABLE * PAGE, PROT_READ | PROT_WRITE));
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 200);
	close(fd);
	munmap(p, TABLE * PAGE);
}

/* Only what is armed and has content is opened. */
TEST(what_is_not_populated_stays_armed)
{
	char *p = map_table();
	int fd;

	touch(p, 10, 1);
	fd = armed_tracker(p, TABLE, GRANULE);
	/* The zero page opens nothing; nor do its neighbours open it. */
	assert_int_equal(faults_of_writes(p + 20 * PAGE, 1, 2), 1);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 1);
	assert_int_equal(faults_of_writes(p, 10, 2), 1);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 11);
	assert_int_equal(*(volatile char *)(p + 30 * PAGE), 0);
	assert_int_equal(faults_of_writes(p + 30 * PAGE, 10, 2), 10);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 21);
	close(fd);
	munmap(p, TABLE * PAGE);
}

TEST(markers_stay)
{
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg), .unpopulated = UFFDWP_UNPOP_MARKER, .granule = GRANULE,
	};
	int fd = dev_open();
	char *p;

	needs_markers();
	p = map_table();
	touch(p, 10, 1);
	assert_ok(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &arg));
	assert_ok(dev_register(fd, p, TABLE * PAGE));
	assert_ok(dev_arm(fd, p, TABLE * PAGE));
	assert_int_equal(faults_of_writes(p + 5 * PAGE, 1, 2), 1);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 10);
	touch(p + 20 * PAGE, 1, 2);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 11);
	close(fd);
	munmap(p, TABLE * PAGE);
}

TEST(what_is_swapped_out_stays_armed)
{
	const char *why = swap_on(64ul << 20);
	char *p;
	int fd;

	if (why)
		skip_because("%s", why);
	p = map_filled_table();
	fd = armed_tracker(p, TABLE, GRANULE);
	why = swap_out(p + 10 * PAGE, 20 * PAGE);
	if (why)
		fail_msg("%s", why);
	touch(p + 5 * PAGE, 1, 2);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), GRANULE - 20);
	assert_true(is_swapped(p + 20 * PAGE));
	/* What is read back to be written opens what has come back before it. */
	assert_int_equal(*(volatile char *)(p + 29 * PAGE), 1);
	touch(p + 10 * PAGE, 1, 3);
	assert_true(written(fd, p, TABLE * PAGE, false) > GRANULE - 20);
	touch(p + 10 * PAGE, 20, 3);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), GRANULE);
	close(fd);
	munmap(p, TABLE * PAGE);
	swap_off();
}

/* ---- memory that a child shares by copy-on-write */

/* The child says by its status whether it has found only that value. */
static pid_t child_that_looks(const char *p, size_t pages, char value, int *go)
{
	int ends[2];
	pid_t pid;
	size_t i;
	char c;

	assert_ok(pipe(ends));
	pid = fork();
	if (!pid) {
		close(ends[1]);
		if (read(ends[0], &c, 1) != 0)
			_exit(2);
		for (i = 0; i < pages; i++)
			if (p[i * PAGE] != value)
				_exit(1);
		_exit(0);
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

static void expect_child_has_found_it(pid_t child, int go)
{
	int status;

	close(go);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status)
		fail_msg("the child has found what its parent has written");
}

TEST(a_page_that_a_child_shares_stays_so)
{
	char *p = map_filled_table();
	uint64_t copied, opened;
	long of_own, of_shared;
	pid_t child;
	int fd, go;

	child = child_that_looks(p, TABLE, 1, &go);
	/* Half of the block is copied before it is armed. */
	touch(p, 32, 2);
	fd = armed_tracker(p, TABLE, GRANULE);
	touch(p + 40 * PAGE, 1, 3);
	copied = written(fd, p, TABLE * PAGE, false);
	of_own = faults_of_writes(p, 32, 3);
	opened = written(fd, p, TABLE * PAGE, false);
	of_shared = faults_of_writes(p + 32 * PAGE, 32, 3);
	expect_child_has_found_it(child, go);
	/* A page that is copied opens nothing. */
	assert_int_equal(copied, 1);
	assert_int_equal(of_own, 1);
	assert_int_equal(opened, 1 + 32);
	assert_int_equal(of_shared, 31);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 64);
	close(fd);
	munmap(p, TABLE * PAGE);
}

/* The other way round: it is armed, and then forked. */
TEST(a_page_that_is_forked_when_it_is_armed_stays_shared)
{
	char *p = map_filled_table();
	int fd = armed_tracker(p, TABLE, GRANULE), go;
	pid_t child = child_that_looks(p, TABLE, 1, &go);
	const long of_shared = faults_of_writes(p, GRANULE, 3);

	expect_child_has_found_it(child, go);
	/* After fork() a page of the stack may be copied, too. */
	assert_in_range(of_shared, GRANULE, GRANULE + 4);
	expect_opened(fd, GRANULE, 0);
	close(fd);
	munmap(p, TABLE * PAGE);
}

/* ---- others who want to see a write */

static bool is_soft_dirty(const char *page)
{
	return pagemap_entry(page) >> 55 & 1;
}

TEST(soft_dirty_bits_are_right)
{
	char *p = map_filled_table();
	uint64_t opened;
	size_t i;
	int fd;

	assert_ok(write_file("/proc/self/clear_refs", "4"));
	touch(p, 8, 2);
	fd = armed_tracker(p, TABLE, GRANULE);
	touch(p + 2 * PAGE, 1, 3);
	opened = written(fd, p, TABLE * PAGE, false);
	touch(p + 20 * PAGE, 1, 3);
	for (i = 0; i < GRANULE; i++)
		if (is_soft_dirty(p + i * PAGE) != (i < 8 || i == 20))
			fail_msg("the soft-dirty bit of page %zu is wrong", i);
	assert_int_equal(opened, 8);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 9);
	close(fd);
	munmap(p, TABLE * PAGE);
}

/* ---- other kinds of memory */

TEST(shared_memory_that_was_written_is_opened)
{
	int file = memfd_create("granule", MFD_CLOEXEC), fd;
	char *p = map_table();

	assert_ok(ftruncate(file, TABLE * PAGE));
	assert_ptr_equal(mmap(p, TABLE * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			      file, 0), p);
	needs_kind(UFFDWP_KIND_SHMEM, p, TABLE * PAGE);
	touch(p, 32, 1);
	fd = armed_tracker(p, TABLE, GRANULE);
	assert_int_equal(faults_of_writes(p, 32, 2), 1);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 32);
	touch(p + 32 * PAGE, 1, 2);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 33);
	close(fd);
	close(file);
	munmap(p, TABLE * PAGE);
}

/* A private mapping of a file, where that can be tracked: copies are opened, the file is not. */
TEST(of_a_private_file_its_copies_are_opened)
{
	int file = new_ordinary_file(TABLE * PAGE), fd;
	char *p = map_table();

	assert_ptr_equal(mmap(p, TABLE * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			      file, 0), p);
	needs_kind(UFFDWP_KIND_FILE, p, TABLE * PAGE);
	touch(p, 32, 1);
	assert_int_equal(*(volatile char *)(p + 40 * PAGE), 0);
	fd = armed_tracker(p, TABLE, GRANULE);
	assert_int_equal(faults_of_writes(p, 32, 2), 1);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 32);
	close(fd);
	close(file);
	munmap(p, TABLE * PAGE);
}

/* In the fault that splits it. Until 5.18 the small pages of one are no page's own. */
TEST(a_huge_page_that_is_split_opens_a_block)
{
	char *p = map_huge(1);
	int fd;

	if (!p)
		skip_because("no huge page could be had");
	fd = armed_tracker(p, TABLE, GRANULE);
	assert_int_equal(faults_of_writes(p, GRANULE, 2), kernel_is_before(5, 19) ? GRANULE : 1);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), GRANULE);
	close(fd);
	munmap(p, TABLE * PAGE);
}

TEST(with_whole_huge_pages)
{
	char *p = map_huge(1), *small = map_filled_table();
	int fd = dev_open();

	if (!p)
		skip_because("no huge page could be had");
	assert_ok(dev_attach_granule(fd, UFFDWP_ATTACH_WHOLE_HUGE, GRANULE));
	assert_ok(dev_register(fd, p, TABLE * PAGE));
	assert_ok(dev_register(fd, small, TABLE * PAGE));
	assert_ok(dev_arm(fd, p, TABLE * PAGE));
	assert_ok(dev_arm(fd, small, TABLE * PAGE));
	touch(p, 1, 2);
	touch(small, 1, 2);
	assert_int_equal(written(fd, p, TABLE * PAGE, false), TABLE);
	assert_int_equal(written(fd, small, TABLE * PAGE, false), GRANULE);
	close(fd);
	munmap(p, TABLE * PAGE);
	munmap(small, TABLE * PAGE);
}

TEST(a_page_is_disarmed_alone)
{
	char *p = map_filled_table();
	int fd = armed_tracker(p, TABLE, GRANULE);

	assert_ok(dev_disarm(fd, p + 5 * PAGE, PAGE));
	assert_int_equal(written(fd, p, TABLE * PAGE, false), 1);
	close(fd);
	munmap(p, TABLE * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_offered),
		cmocka_unit_test(one_fault_opens_a_block),
		cmocka_unit_test(a_block_ends_where_the_mapping_does),
		cmocka_unit_test(what_is_not_populated_stays_armed),
		cmocka_unit_test(markers_stay),
		cmocka_unit_test(what_is_swapped_out_stays_armed),
		cmocka_unit_test(a_page_that_a_child_shares_stays_so),
		cmocka_unit_test(a_page_that_is_forked_when_it_is_armed_stays_shared),
		cmocka_unit_test(shared_memory_that_was_written_is_opened),
		cmocka_unit_test(of_a_private_file_its_copies_are_opened),
		cmocka_unit_test(a_huge_page_that_is_split_opens_a_block),
		cmocka_unit_test(with_whole_huge_pages),
		cmocka_unit_test(a_page_is_disarmed_alone),
		/* Last, since from then on the process's soft-dirty bits are in use. */
		cmocka_unit_test(soft_dirty_bits_are_right),
	};

	return cmocka_run_group_tests_name("granule", tests, NULL, NULL);
}
