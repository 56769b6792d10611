// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory without page tables that is armed by remembering it (UFFDWP_UNPOP_SPARSE): what it costs,
 * what each command makes of it, and what it becomes when there is something in it. What its
 * contract is for: test_sparse_contract.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

#define UNIT HUGE_PAGE		/* what a page table covers */
#define UNITS 4ul
#define TIB (1ul << 40)

#define WRITTEN UFFDWP_PAGE_IS_WRITTEN
#define SPARSE UFFDWP_PAGE_IS_SPARSE

/* Reserved and never touched; units that begin where a page table does. */
static char *map_reserved(size_t len, int advice)
{
	char *all = mmap(NULL, len + UNIT, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *p = next_huge_page(all);

	assert_ptr_not_equal(all, MAP_FAILED);
	thp_advice(p, len, advice);
	return p;
}

static char *map_units(void)
{
	return map_reserved(UNITS * UNIT, MADV_NOHUGEPAGE);
}

static int sparse_tracker(const void *p, size_t len)
{
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_ok(dev_attach(fd, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	assert_ok(dev_register(fd, p, len));
	return fd;
}

static int armed_tracker(const void *p, size_t len)
{
	int fd = sparse_tracker(p, len);

	assert_ok(dev_arm(fd, p, len));
	return fd;
}

/* Pages that a scan for this category finds; nothing is armed. */
static uint64_t pages_of(int fd, const void *p, size_t len, uint64_t category)
{
	struct uffdwp_region vec[512];
	struct uffdwp_scan_arg arg = scan_arg(p, len, vec, 512);
	uint64_t pages = 0;
	int i, n;

	arg.category_mask = category;
	arg.return_mask = category;
	n = dev_scan(fd, &arg);
	assert_true(n >= 0 && n < 512);
	for (i = 0; i < n; i++)
		pages += (vec[i].end - vec[i].start) / PAGE;
	return pages;
}

/* One resetting scan for written pages that asks for SPARSE, into one region. */
static struct uffdwp_region reset_told(int fd, const void *p, size_t len)
{
	struct uffdwp_region region = {};
	struct uffdwp_scan_arg arg = scan_arg(p, len, &region, 1);

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.category_mask = WRITTEN;
	arg.return_mask = WRITTEN | SPARSE;
	assert_true(dev_scan(fd, &arg) >= 0);
	return region;
}

static long table_kib(void)
{
	return number_after("/proc/self/status", "VmPTE");
}

TEST(terabytes_cost_no_page_table)
{
	const size_t len = 16 * TIB;
	char *p = map_reserved(len, MADV_NOHUGEPAGE);
	long before = table_kib();
	int fd = armed_tracker(p, len);
	struct uffdwp_stats_arg stats = dev_stats(fd);

	assert_int_equal(stats.pages_armed, len / PAGE);
	assert_int_equal(stats.sparse_armed, len / PAGE);
	assert_int_equal(stats.zero_installed, 0);
	assert_int_equal(written(fd, p, len, true), 0);
	assert_int_equal(pages_of(fd, p, len, SPARSE), len / PAGE);
	assert_true(table_kib() - before < 64);
	p[5 * TIB] = 1;
	p[len - PAGE] = 2;
	assert_int_equal(written(fd, p, len, false), 2);
	assert_int_equal(written(fd, p, len, true), 2);
	assert_int_equal(written(fd, p, len, true), 0);
	assert_int_equal(pages_of(fd, p, len, SPARSE), len / PAGE - 2 * 512);
	p[5 * TIB] = 3;
	assert_int_equal(written(fd, p, len, true), 1);
	assert_true(table_kib() - before < 128);
	close(fd);
	munmap(p, len);
}

TEST(what_is_written_stays_so_until_it_is_reset)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);

	touch(p + UNIT + 7 * PAGE, 3, 1);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 3);
	/* The rest of the unit is armed by entries now. */
	assert_int_equal(dev_stats(fd).zero_installed, 512 - 3);
	assert_int_equal(dev_stats(fd).pages_armed, UNITS * 512);
	assert_int_equal(pages_of(fd, p, UNITS * UNIT, SPARSE), (UNITS - 1) * 512);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 3);
	assert_ok(madvise(p + UNIT + 7 * PAGE, PAGE, MADV_DONTNEED));
	assert_int_equal(written(fd, p, UNITS * UNIT, true), 3);
	assert_int_equal(written(fd, p, UNITS * UNIT, true), 0);
	p[UNIT] = 1;
	assert_int_equal(written(fd, p, UNITS * UNIT, true), 1);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* Also where it leaves nothing behind, and nobody is told of that. */
TEST(what_was_reported_and_is_gone_is_still_written)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);
	int tries = 1000;

	touch(p, 2, 1);
	assert_int_equal(written(fd, p, UNIT, false), 2);
	do {
		assert_ok(madvise(p, PAGE, MADV_FREE));
		assert_ok(madvise(p, PAGE, MADV_PAGEOUT));
		empty_batches();
	} while ((pagemap_entry(p) >> 62) && --tries);
	assert_true(tries > 0);
	assert_int_equal(written(fd, p, UNIT, true), 2);
	assert_int_equal(written(fd, p, UNIT, true), 0);
	close(fd);
	munmap(p, UNITS * UNIT);
}

TEST(what_was_never_armed_is_written)
{
	char *p = map_units();
	int fd = sparse_tracker(p, UNITS * UNIT);

	assert_int_equal(written(fd, p, UNITS * UNIT, false), UNITS * 512);
	assert_int_equal(pages_of(fd, p, UNITS * UNIT, SPARSE), 0);
	assert_ok(dev_arm(fd, p + UNIT, PAGE));
	assert_int_equal(written(fd, p, UNITS * UNIT, false), UNITS * 512 - 1);
	assert_int_equal(categories(fd, p + UNIT) & (WRITTEN | SPARSE), SPARSE);
	assert_int_equal(categories(fd, p + UNIT + PAGE) & (WRITTEN | SPARSE), WRITTEN);
	close(fd);
	munmap(p, UNITS * UNIT);
}

TEST(a_scan_takes_only_what_it_tells)
{
	char *p = map_units();
	int fd = sparse_tracker(p, UNITS * UNIT);
	struct uffdwp_region told;
	struct uffdwp_scan_arg only_arms = scan_arg(p, UNIT, NULL, 0);

	told = reset_told(fd, p, UNIT);
	assert_int_equal(told.end - told.start, UNIT);
	assert_int_equal(told.categories, WRITTEN | SPARSE);
	assert_int_equal(dev_stats(fd).sparse_armed, 512);
	assert_int_equal(written(fd, p, UNIT, false), 0);

	/* A caller that does not ask for SPARSE copies what it is told: it gets page tables. */
	assert_int_equal(written(fd, p + UNIT, UNIT, true), 512);
	assert_int_equal(dev_stats(fd).zero_installed, 512);
	assert_int_equal(dev_stats(fd).sparse_armed, 512);
	assert_int_equal(written(fd, p + UNIT, UNIT, false), 0);

	/* One that only arms tells nothing, as ARM. */
	only_arms.start += 2 * UNIT;
	only_arms.end += 2 * UNIT;
	only_arms.flags = UFFDWP_SCAN_WP_MATCHING;
	only_arms.category_mask = WRITTEN;
	only_arms.return_mask = 0;
	assert_ok(dev_scan(fd, &only_arms));
	assert_int_equal(dev_stats(fd).sparse_armed, 2 * 512);
	close(fd);
	munmap(p, UNITS * UNIT);
}

TEST(a_limit_cuts_what_is_taken)
{
	char *p = map_units();
	int fd = sparse_tracker(p, UNITS * UNIT);
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(p, UNITS * UNIT, &region, 1);

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.category_mask = WRITTEN;
	arg.return_mask = WRITTEN | SPARSE;
	arg.max_pages = 700;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_int_equal(arg.walk_end, (uintptr_t)p + 700 * PAGE);
	assert_int_equal(region.end, arg.walk_end);
	assert_int_equal(dev_stats(fd).sparse_armed, 700);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), UNITS * 512 - 700);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* The second of two regions cannot be stored: its memory is written again. */
TEST(what_is_not_delivered_is_written)
{
	char *p = map_units();
	int fd = sparse_tracker(p, UNITS * UNIT);
	char *out = map_anon(2);
	struct uffdwp_region *vec = (struct uffdwp_region *)(out + PAGE) - 1;
	struct uffdwp_scan_arg arg = scan_arg(p, UNITS * UNIT, vec, 2);

	assert_ok(dev_arm(fd, p + UNIT, UNIT));
	touch(out, 1, 0);
	assert_ok(mprotect(out + PAGE, PAGE, PROT_NONE));
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.category_mask = WRITTEN;
	arg.return_mask = WRITTEN | SPARSE;
	/* Both regions go out together, so none counts as stored. */
	assert_err(dev_scan(fd, &arg), EFAULT);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), (UNITS - 1) * 512);
	close(fd);
	munmap(out, 2 * PAGE);
	munmap(p, UNITS * UNIT);
}

TEST(disarming_takes_out_exactly_that)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);
	struct uffdwp_disarm_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)p + 9 * PAGE, .len = 600 * PAGE,
	};

	assert_ok(dev_ioctl(fd, UFFDWP_IOC_DISARM, &arg));
	assert_int_equal(arg.disarmed, 600);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 600);
	assert_int_equal(reset_told(fd, p, UNITS * UNIT).start, (uintptr_t)p + 9 * PAGE);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 0);

	assert_ok(dev_unregister(fd, p + UNIT, UNIT));
	assert_int_equal(categories(fd, p + UNIT), UFFDWP_PAGE_IS_UNTRACKED | WRITTEN);
	assert_ok(dev_register(fd, p + UNIT, UNIT));
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 512);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* With and without a page table there. */
TEST(discarded_memory_is_written)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);

	assert_ok(madvise(p + 5 * PAGE, 2 * PAGE, MADV_DONTNEED));
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 2);
	assert_int_equal(categories(fd, p + 5 * PAGE) & (WRITTEN | SPARSE), WRITTEN);
	assert_int_equal(categories(fd, p + 7 * PAGE) & (WRITTEN | SPARSE), SPARSE);
	p[UNIT] = 1;
	assert_ok(madvise(p + UNIT, PAGE, MADV_DONTNEED));
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 3);
	assert_int_equal(dev_stats(fd).pages_discarded, 3);
	close(fd);
	munmap(p, UNITS * UNIT);
}

TEST(another_mapping_of_the_same_place_is_written)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);

	assert_ptr_equal(mmap(p + UNIT, UNIT, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + UNIT);
	assert_int_equal(categories(fd, p + UNIT), UFFDWP_PAGE_IS_UNTRACKED | WRITTEN);
	assert_ok(dev_register(fd, p + UNIT, UNIT));
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 512);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* Unmapped by the process itself; no scan has come by since. */
TEST(what_was_unmapped_is_written_when_it_is_grown_over)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);

	assert_ok(munmap(p + 2 * UNIT, 2 * UNIT));
	assert_ptr_equal(mremap(p, 2 * UNIT, UNITS * UNIT, 0), p);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 2 * 512);
	assert_int_equal(written(fd, p, 2 * UNIT, false), 0);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* Nor does what was sparse there before become so again, once something else was reported there. */
TEST(what_was_another_mapping_is_written_when_it_is_grown_over)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);

	assert_ptr_equal(mmap(p + 2 * UNIT, 2 * UNIT, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + 2 * UNIT);
	p[2 * UNIT] = 'X';
	assert_int_equal(written(fd, p, UNITS * UNIT, true), 2 * 512);
	assert_ok(munmap(p + 2 * UNIT, 2 * UNIT));
	assert_ptr_equal(mremap(p, 2 * UNIT, UNITS * UNIT, 0), p);
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 2 * 512);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/*
 * Three mappings in a row at an address of their own, sparse: @low, which differs from the others,
 * @middle, and @high, which is moved to where @middle ends. The kernel makes one of the last two,
 * and takes both from the tracker. (Since Linux 7.3 they stay two, and @middle stays tracked.)
 */
#define ROW ((char *)0x610000000000)

static char *const low = ROW, *const middle = ROW + UNIT, *const high = ROW + 8 * UNIT;

static int row_with_a_move(void)
{
	char *const starts[] = { low, middle, high };
	int fd = dev_open();
	size_t i;

	assert_ok(dev_attach(fd, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	for (i = 0; i < 3; i++) {
		assert_ptr_equal(mmap(starts[i], UNIT, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				      MAP_FIXED_NOREPLACE, -1, 0), starts[i]);
		if (starts[i] == low)
			assert_ok(madvise(low, UNIT, MADV_DONTFORK));
		assert_ok(dev_register(fd, starts[i], UNIT));
		assert_ok(dev_arm(fd, starts[i], UNIT));
	}
	assert_int_equal(pages_of(fd, middle, UNIT, SPARSE), 512);
	assert_ptr_equal(mremap(high, UNIT, UNIT, MREMAP_MAYMOVE | MREMAP_FIXED, middle + UNIT),
			 middle + UNIT);
	/* The tracer is told, and takes what is there. */
	middle[0] = 'X';
	assert_true(written(fd, middle, UNIT, true));
	assert_ok(munmap(middle, 2 * UNIT));
	return fd;
}

TEST(what_a_move_beside_it_has_unregistered_is_written_when_it_is_grown_over)
{
	int fd = row_with_a_move();

	assert_ptr_equal(mremap(low, UNIT, 2 * UNIT, 0), low);
	assert_int_equal(written(fd, middle, UNIT, false), 512);
	close(fd);
	munmap(low, 2 * UNIT);
}

TEST(what_a_move_beside_it_has_unregistered_is_written_when_it_is_mapped_anew)
{
	int fd = row_with_a_move();

	if (!(dev_features() & UFFDWP_FEATURE_FOLLOW))
		skip_because("nothing can be followed");
	assert_ok(dev_follow(fd, NULL, 0, UFFDWP_KIND_ANON_PRIVATE));
	assert_ptr_equal(mmap(middle, UNIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			      MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0), middle);
	assert_int_equal(written(fd, middle, UNIT, false), 512);
	close(fd);
	munmap(low, 2 * UNIT);
}

TEST(a_scan_for_what_is_not_sparse_gets_it)
{
	char *p = map_units();
	int fd = sparse_tracker(p, UNITS * UNIT);
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(p, UNITS * UNIT, &region, 1);

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.category_inverted = SPARSE;
	arg.category_mask = WRITTEN | SPARSE;
	arg.return_mask = WRITTEN | SPARSE;
	assert_int_equal(dev_scan(fd, &arg), 1);
	assert_int_equal(region.end - region.start, UNITS * UNIT);
	assert_int_equal(region.categories, WRITTEN | SPARSE);
	assert_int_equal(dev_scan(fd, &arg), 0);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* A heap that grows inside of what a page table covers. */
TEST(what_grows_is_written)
{
	char *p = map_units();
	int fd;

	assert_ok(munmap(p + 100 * PAGE, UNITS * UNIT - 100 * PAGE));
	fd = armed_tracker(p, 100 * PAGE);
	assert_int_equal(written(fd, p, 100 * PAGE, false), 0);
	assert_ptr_equal(mremap(p, 100 * PAGE, UNIT, 0), p);
	assert_int_equal(written(fd, p, UNIT, false), 412);
	assert_int_equal(written(fd, p, 100 * PAGE, false), 0);
	close(fd);
	munmap(p, UNIT);
}

TEST(reading_leaves_it_armed)
{
	char *p = map_units();
	int fd = armed_tracker(p, UNITS * UNIT);
	volatile char *q = p;

	(void)q[3 * PAGE];
	(void)q[UNIT];
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 0);
	q[3 * PAGE] = 1;
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 1);
	close(fd);
	munmap(p, UNITS * UNIT);
}

TEST(huge_pages_come_as_without_a_tracker)
{
	char *p = map_reserved(UNITS * UNIT, MADV_HUGEPAGE);
	int fd = armed_tracker(p, UNITS * UNIT);
	volatile char *q = p;

	needs_thp();
	(void)q[0];			/* the huge page of zeroes */
	assert_int_equal(written(fd, p, UNITS * UNIT, false), 0);
	q[0] = 1;
	assert_int_equal(written(fd, p, UNIT, false), 1);
	q[UNIT] = 1;
	if (!is_huge(p + UNIT))
		skip_because("there was no huge page to be had");
	assert_int_equal(written(fd, p + UNIT, UNIT, true), 512);
	assert_int_equal(written(fd, p + UNIT, UNIT, true), 0);
	/* The huge page of zeroes over memory of which a part is sparse. */
	(void)q[2 * UNIT];
	assert_ok(dev_disarm(fd, p + 2 * UNIT, PAGE));
	assert_int_equal(written(fd, p + 2 * UNIT, UNIT, false), 1);
	assert_ok(dev_disarm(fd, p + 3 * UNIT, PAGE));
	(void)q[3 * UNIT];
	assert_int_equal(written(fd, p + 3 * UNIT, UNIT, false), 1);
	close(fd);
	munmap(p, UNITS * UNIT);
}

TEST(another_process)
{
	char *p = map_units();
	struct peer peer = peer_start();
	int fd = dev_open();
	int pidfd = syscall(434 /* pidfd_open */, peer.pid, 0);

	assert_ok(dev_attach(fd, UFFDWP_ATTACH_PIDFD, pidfd, 0, UFFDWP_UNPOP_SPARSE));
	assert_ok(dev_register(fd, p, UNITS * UNIT));
	assert_ok(dev_arm(fd, p, UNITS * UNIT));
	assert_int_equal(dev_stats(fd).sparse_armed, UNITS * 512);
	peer_do(&peer, PEER_WRITE, p + UNIT, 2 * PAGE, 1);
	assert_int_equal(written(fd, p, UNITS * UNIT, true), 2);
	peer_do(&peer, PEER_UNMAP, p, UNIT, 0);
	assert_int_equal(written(fd, p + UNIT, (UNITS - 1) * UNIT, true), 0);
	peer_end(&peer);
	close(pidfd);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* These are armed as ever: memory of files, mlocked memory, and what has a page table. */
TEST(only_empty_private_memory_is_sparse)
{
	char *p = map_units();
	int fd = dev_open();
	int uffd = new_uffd(0);

	assert_err(dev_attach(fd, UFFDWP_ATTACH_UFFD, 0, uffd, UFFDWP_UNPOP_SPARSE), EINVAL);
	close(uffd);
	close(fd);

	p[0] = 1;
	fd = armed_tracker(p, UNITS * UNIT);
	assert_int_equal(dev_stats(fd).zero_installed, 511);
	assert_int_equal(dev_stats(fd).sparse_armed, (UNITS - 1) * 512);
	if (dev_kinds() & UFFDWP_KIND_SHMEM) {
		char *shared = mmap(NULL, UNIT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				    -1, 0);

		assert_ok(dev_register(fd, shared, UNIT));
		assert_ok(dev_arm(fd, shared, UNIT));
		assert_int_equal(dev_stats(fd).markers_installed, 512);
		munmap(shared, UNIT);
	}
	assert_ok(mlock(p + 3 * UNIT, PAGE));
	assert_int_equal(written(fd, p + 3 * UNIT, PAGE, false), 1);
	assert_int_equal(written(fd, p + 3 * UNIT, UNIT, true), 1);
	assert_int_equal(written(fd, p + 3 * UNIT, UNIT, true), 0);
	close(fd);
	munmap(p, UNITS * UNIT);
}

/* A target may cut what is sparse as often as it likes. */
TEST(ten_thousand_parts)
{
	const size_t units = 40, pages = units * 512;
	char *p = map_reserved(units * UNIT, MADV_NOHUGEPAGE);
	int fd = armed_tracker(p, units * UNIT);
	struct uffdwp_disarm_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)p, .len = units * UNIT,
	};
	size_t i;

	for (i = 0; i < pages; i += 2)
		assert_ok(madvise(p + i * PAGE, PAGE, MADV_DONTNEED));
	/* One region each: count them instead. */
	assert_int_equal(dev_stats(fd).pages_discarded, pages / 2);
	assert_ok(dev_ioctl(fd, UFFDWP_IOC_DISARM, &arg));
	assert_int_equal(arg.disarmed, pages / 2);
	assert_int_equal(written(fd, p, units * UNIT, false), pages);
	assert_ok(dev_arm(fd, p, units * UNIT));
	for (i = 0; i < pages; i += 2)
		assert_ok(madvise(p + i * PAGE, PAGE, MADV_DONTNEED));
	assert_ok(dev_arm(fd, p, units * UNIT));
	assert_int_equal(written(fd, p, units * UNIT, false), 0);
	assert_int_equal(dev_stats(fd).zero_installed, 0);
	close(fd);
	munmap(p, units * UNIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terabytes_cost_no_page_table),
		cmocka_unit_test(what_is_written_stays_so_until_it_is_reset),
		cmocka_unit_test(what_was_reported_and_is_gone_is_still_written),
		cmocka_unit_test(what_was_never_armed_is_written),
		cmocka_unit_test(a_scan_takes_only_what_it_tells),
		cmocka_unit_test(a_limit_cuts_what_is_taken),
		cmocka_unit_test(what_is_not_delivered_is_written),
		cmocka_unit_test(disarming_takes_out_exactly_that),
		cmocka_unit_test(discarded_memory_is_written),
		cmocka_unit_test(another_mapping_of_the_same_place_is_written),
		cmocka_unit_test(what_was_unmapped_is_written_when_it_is_grown_over),
		cmocka_unit_test(what_was_another_mapping_is_written_when_it_is_grown_over),
		cmocka_unit_test(
			what_a_move_beside_it_has_unregistered_is_written_when_it_is_grown_over),
		cmocka_unit_test(
			what_a_move_beside_it_has_unregistered_is_written_when_it_is_mapped_anew),
		cmocka_unit_test(a_scan_for_what_is_not_sparse_gets_it),
		cmocka_unit_test(what_grows_is_written),
		cmocka_unit_test(reading_leaves_it_armed),
		cmocka_unit_test(huge_pages_come_as_without_a_tracker),
		cmocka_unit_test(another_process),
		cmocka_unit_test(only_empty_private_memory_is_sparse),
		cmocka_unit_test(ten_thousand_parts),
	};

	return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}
