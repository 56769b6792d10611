// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile and mistaken arguments: each has its error, and none changes anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "unserved.h"

#define N 1024ul
/* First address above user space with four levels of page tables, and with five. */
#define ABOVE 0x8000000000000000ul

static char *memory;
static int tracker;

/* From the start of a page table on: a scan may pause between two. */
static char *map_filled_at_table(size_t pages)
{
	char *all = map_anon(pages + 512);
	char *p = next_huge_page(all);

	/* What is around it is given back: tear_down() does not know of it. */
	if (p != all)
		assert_ok(munmap(all, p - all));
	if (p != all + 512 * PAGE)
		assert_ok(munmap(p + pages * PAGE, all + 512 * PAGE - p));
	touch(p, pages, 1);
	return p;
}

static int set_up(void **state)
{
	(void)state;
	memory = map_filled_at_table(N);
	tracker = tracker_of(memory, N * PAGE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(tracker);
	munmap(memory, N * PAGE);
	return 0;
}

TEST(hello_tells_who_it_is)
{
	const struct unserved *row;
	struct uffdwp_hello_arg arg;
	int fd = dev_open();
	size_t i;

	assert_ok(dev_hello(fd, &arg));
	assert_int_equal(arg.abi_version, UFFDWP_ABI_VERSION);
	assert_int_equal(arg.page_size, PAGE);
	assert_true(arg.features & UFFDWP_FEATURE_PIDFD);
	assert_true(arg.features & UFFDWP_FEATURE_UNPOP_ZERO);
	assert_true(arg.features & UFFDWP_FEATURE_THP);
	assert_true(arg.features & UFFDWP_FEATURE_WRITEPROTECT);
	for (i = 0; (row = unserved_row(i)); i++)
		unserved_here(row->kinds, row->features);
	assert_true(arg.kinds & UFFDWP_KIND_ANON_PRIVATE);
	assert_true(arg.categories & UFFDWP_PAGE_IS_WRITTEN);
	assert_true(arg.address_limit > (uintptr_t)memory);
	assert_true(strlen(arg.version) > 0 && strlen(arg.version) < sizeof(arg.version));
	close(fd);
}

TEST(unknown_commands)
{
	char arg[256] = { 0 };

	assert_err(dev_ioctl(tracker, _IOWR(UFFDWP_IOC_MAGIC, 99, char[8]), arg), ENOTTY);
	assert_err(dev_ioctl(tracker, _IOWR('x', 0, struct uffdwp_hello_arg), arg), ENOTTY);
	assert_err(dev_ioctl(tracker, _IO(UFFDWP_IOC_MAGIC, 0), arg), ENOTTY);
	assert_err(dev_ioctl(tracker, _IOR(UFFDWP_IOC_MAGIC, 5, struct uffdwp_scan_arg), arg),
		   ENOTTY);
	assert_err(dev_ioctl(tracker, TIOCGWINSZ, arg), ENOTTY);
}

/* Every command: size first. */
static const struct {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t released;
} sizes[] = {
#define ROW(name, type) \
	{ #type, UFFDWP_IOC_##name, sizeof(struct uffdwp_##type##_arg), UFFDWP_##name##_SIZE_VER0 }
	ROW(HELLO, hello),
	ROW(ATTACH, attach),
	ROW(REGISTER, register),
	ROW(UNREGISTER, unregister),
	ROW(ARM, arm),
	ROW(SCAN, scan),
	ROW(STATS, stats),
	ROW(DISARM, disarm),
	ROW(RING, ring),
	ROW(RING_RESET, ring_reset),
	ROW(FOLLOW, follow),
	ROW(EVENTS, events),
	ROW(CLAIM, claim),
#undef ROW
};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

TEST(sizes_that_are_wrong)
{
	uint64_t arg[1024];
	size_t i;

	for (i = 0; i < SIZES; i++) {
		memset(arg, 0, sizeof(arg));
		assert_err(dev_ioctl(tracker, sizes[i].cmd, arg), EINVAL);
		arg[0] = 8;
		assert_err(dev_ioctl(tracker, sizes[i].cmd, arg), EINVAL);
		arg[0] = sizes[i].released - 8;
		assert_err(dev_ioctl(tracker, sizes[i].cmd, arg), EINVAL);
		/* Longer than known, and something there. */
		arg[0] = sizes[i].size + 8;
		arg[sizes[i].size / 8] = 1;
		assert_err(dev_ioctl(tracker, sizes[i].cmd, arg), E2BIG);
		arg[0] = 1ull << 40;
		assert_err(dev_ioctl(tracker, sizes[i].cmd, arg), E2BIG);
		arg[0] = UINT64_MAX;
		assert_err(dev_ioctl(tracker, sizes[i].cmd, arg), E2BIG);
	}
}

/*
 * A program that was built with the first release of the header, before any structure grew: its
 * structures do as they did, and nothing is written behind them.
 */
static int first_release(unsigned long cmd, size_t size, void *arg)
{
	char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *at = two + PAGE - size;
	int ret;

	assert_ok(munmap(two + PAGE, PAGE));
	memcpy(at, arg, size);
	memcpy(at, &(uint64_t){ size }, 8);
	ret = dev_ioctl(tracker, cmd, at);
	memcpy(arg, at, size);
	munmap(two, PAGE);
	return ret;
}

TEST(programs_of_the_first_release)
{
	struct uffdwp_region region;
	struct uffdwp_hello_arg hello = { 0 };
	struct uffdwp_attach_arg attach = { 0 };
	struct uffdwp_register_arg reg = { .start = (uintptr_t)memory, .len = N * PAGE };
	struct uffdwp_arm_arg arm = { .start = (uintptr_t)memory, .len = N * PAGE };
	struct uffdwp_scan_arg scan = scan_arg(memory, N * PAGE, &region, 1);
	struct uffdwp_disarm_arg disarm = { .start = (uintptr_t)memory, .len = N * PAGE };
	struct uffdwp_unregister_arg unreg = { .start = (uintptr_t)memory, .len = N * PAGE };
	struct uffdwp_stats_arg stats = { 0 };

	assert_ok(first_release(UFFDWP_IOC_HELLO, UFFDWP_HELLO_SIZE_VER0, &hello));
	assert_int_equal(hello.page_size, PAGE);
	assert_err(first_release(UFFDWP_IOC_ATTACH, UFFDWP_ATTACH_SIZE_VER0, &attach), EALREADY);
	assert_ok(first_release(UFFDWP_IOC_REGISTER, UFFDWP_REGISTER_SIZE_VER0, &reg));
	touch(memory, N, 2);
	assert_ok(first_release(UFFDWP_IOC_ARM, UFFDWP_ARM_SIZE_VER0, &arm));
	assert_int_equal(arm.armed, N);
	touch(memory, 1, 3);
	assert_int_equal(first_release(UFFDWP_IOC_SCAN, UFFDWP_SCAN_SIZE_VER0, &scan), 1);
	assert_int_equal(region.end, (uintptr_t)memory + PAGE);
	assert_ok(first_release(UFFDWP_IOC_DISARM, UFFDWP_DISARM_SIZE_VER0, &disarm));
	assert_int_equal(disarm.disarmed, N - 1);
	assert_ok(first_release(UFFDWP_IOC_STATS, UFFDWP_STATS_SIZE_VER0, &stats));
	assert_int_equal(stats.scans, 1);
	assert_ok(first_release(UFFDWP_IOC_UNREGISTER, UFFDWP_UNREGISTER_SIZE_VER0, &unreg));
}

TEST(longer_structures_with_zeroes_are_fine)
{
	struct {
		struct uffdwp_hello_arg hello;
		uint64_t more[4];
	} arg = { .hello = { .size = sizeof(arg) } };

	assert_ok(dev_ioctl(tracker, UFFDWP_IOC_HELLO, &arg));
	/* The number carries the caller's size, too. */
	assert_ok(dev_ioctl(tracker, _IOC(_IOC_READ | _IOC_WRITE, UFFDWP_IOC_MAGIC, 0, sizeof(arg)),
			    &arg));
}

TEST(pointers_that_cannot_be_read)
{
	void *const bad[] = {
		NULL, (void *)8, (void *)-8, (void *)ABOVE, (void *)0xffff888000000000ul,
	};
	size_t i, j;

	for (i = 0; i < SIZES; i++)
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
			assert_err(dev_ioctl(tracker, sizes[i].cmd, bad[j]), EFAULT);
}

/* A structure that ends behind the end of memory. */
TEST(structures_that_are_cut_off)
{
	char *two = map_filled(2);
	size_t i;

	assert_ok(munmap(two + PAGE, PAGE));
	for (i = 0; i < SIZES; i++) {
		char *arg = two + PAGE - sizes[i].size + 8;

		memset(arg, 0, sizes[i].size - 8);
		memcpy(arg, &sizes[i].size, 8);
		assert_err(dev_ioctl(tracker, sizes[i].cmd, arg), EFAULT);
	}
	munmap(two, PAGE);
}

TEST(reserved_fields_and_flags)
{
	struct uffdwp_hello_arg hello = { .size = sizeof(hello), .reserved = 1 };
	struct uffdwp_attach_arg attach = {
		.size = sizeof(attach),
	};
	struct uffdwp_register_arg reg = {
		.size = sizeof(reg), .start = (uintptr_t)memory, .len = PAGE,
	};
	struct uffdwp_unregister_arg unreg = {
		.size = sizeof(unreg), .start = (uintptr_t)memory, .len = PAGE,
	};
	struct uffdwp_arm_arg arm = {
		.size = sizeof(arm), .start = (uintptr_t)memory, .len = PAGE,
	};
	struct uffdwp_disarm_arg disarm = {
		.size = sizeof(disarm), .start = (uintptr_t)memory, .len = PAGE,
	};
	struct uffdwp_stats_arg stats = { .size = sizeof(stats), .flags = 1 };
	struct uffdwp_region region;
	struct uffdwp_scan_arg scan = scan_arg(memory, PAGE, &region, 1);
	static const uint32_t no_granules[] = {
		2, 8, 15, 17, 96, 511, 513, 1024, 1u << 16, 1u << 31, UINT32_MAX,
	};
	int fd = dev_open();
	size_t i;

	assert_err(dev_ioctl(fd, UFFDWP_IOC_HELLO, &hello), EINVAL);

	for (i = 0; i < sizeof(no_granules) / sizeof(no_granules[0]); i++) {
		attach.granule = no_granules[i];
		assert_err(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &attach), EINVAL);
	}
	attach.granule = 0;
	attach.flags = 1ull << 63;
	assert_err(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &attach), EINVAL);
	attach.flags = 0;
	attach.unpopulated = 4;
	assert_err(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &attach), EINVAL);
	attach.unpopulated = 0;
	attach.pidfd = 5;
	assert_err(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &attach), EINVAL);
	attach.pidfd = 0;
	attach.uffd = 5;
	assert_err(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &attach), EINVAL);
	close(fd);

	reg.flags = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_REGISTER, &reg), EINVAL);
	reg.flags = 0;
	reg.reserved = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_REGISTER, &reg), EINVAL);

	unreg.flags = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_UNREGISTER, &unreg), EINVAL);
	unreg.flags = 0;
	unreg.reserved = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_UNREGISTER, &unreg), EINVAL);

	arm.flags = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_ARM, &arm), EINVAL);
	arm.flags = 0;
	arm.reserved = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_ARM, &arm), EINVAL);

	disarm.flags = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_DISARM, &disarm), EINVAL);
	disarm.flags = 0;
	disarm.reserved = 1;
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_DISARM, &disarm), EINVAL);

	assert_err(dev_ioctl(tracker, UFFDWP_IOC_STATS, &stats), EINVAL);

	scan.flags = 1ull << 2;
	assert_err(dev_scan(tracker, &scan), EINVAL);
	scan.flags = 0;
	scan.category_mask = 1ull << 63;
	assert_err(dev_scan(tracker, &scan), EINVAL);
	scan.category_mask = 0;
	scan.category_inverted = 1ull << 20;
	assert_err(dev_scan(tracker, &scan), EINVAL);
	scan.category_inverted = 0;
	scan.return_mask = 1ull << 9;
	assert_err(dev_scan(tracker, &scan), EINVAL);
	scan.return_mask = 0;
	scan.vec_len = 0;
	assert_err(dev_scan(tracker, &scan), EINVAL);
	scan.vec = 0;
	scan.vec_len = 1;
	assert_err(dev_scan(tracker, &scan), EINVAL);
	scan.vec = (uintptr_t)&region;
	scan.vec_len = 1ull << 32;
	assert_err(dev_scan(tracker, &scan), EINVAL);
}

/* The same ranges, to each command that takes one. */
static int with_range(unsigned int command, uint64_t start, uint64_t len)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg scan = scan_arg(NULL, 0, &region, 1);

	switch (command) {
	case 0:
		return dev_register(tracker, (void *)start, len);
	case 1:
		return dev_unregister(tracker, (void *)start, len);
	case 2:
		return dev_arm(tracker, (void *)start, len);
	case 3:
		return dev_disarm(tracker, (void *)start, len);
	default:
		scan.start = start;
		scan.end = start + len;
		return dev_scan(tracker, &scan);
	}
}

TEST(ranges_that_are_wrong)
{
	uint64_t good = (uintptr_t)memory;
	unsigned int command;

	for (command = 0; command < 5; command++) {
		assert_err(with_range(command, good + 1, PAGE), EINVAL);
		assert_err(with_range(command, good, PAGE + 1), EINVAL);
		assert_err(with_range(command, good, 0), EINVAL);
		assert_err(with_range(command, good, -PAGE), EOVERFLOW);
		assert_err(with_range(command, -PAGE, 2 * PAGE), EOVERFLOW);
		assert_err(with_range(command, ABOVE, PAGE), EOVERFLOW);
		assert_err(with_range(command, 0, ABOVE), EOVERFLOW);
	}
}

TEST(memory_that_is_not_there)
{
	char *hole = map_anon(2);
	struct uffdwp_region region;
	struct uffdwp_scan_arg scan;

	assert_ok(munmap(hole, 2 * PAGE));
	assert_err(dev_register(tracker, hole, 2 * PAGE), ENOENT);
	assert_err(dev_unregister(tracker, hole, 2 * PAGE), ENOENT);
	assert_err(dev_arm(tracker, hole, 2 * PAGE), ENOENT);
	/* A scan says of it that it is not tracked, if asked. */
	scan = scan_arg(hole, 2 * PAGE, &region, 1);
	assert_int_equal(dev_scan(tracker, &scan), 0);
	scan.flags = UFFDWP_SCAN_CHECK_TRACKED;
	assert_err(dev_scan(tracker, &scan), EPERM);
	assert_int_equal(scan.walk_end, (uintptr_t)hole);
	assert_int_equal(categories(tracker, hole), UFFDWP_PAGE_IS_UNTRACKED);
}

TEST(memory_that_is_not_registered)
{
	char *p = map_filled(1);

	assert_err(dev_arm(tracker, p, PAGE), ENOENT);
	assert_true(categories(tracker, p) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_true(categories(tracker, p) & UFFDWP_PAGE_IS_WRITTEN);
	assert_false(categories(tracker, p) & UFFDWP_PAGE_IS_WPALLOWED);
	munmap(p, PAGE);
}

TEST(before_attaching)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg scan = scan_arg(memory, PAGE, &region, 1);
	struct uffdwp_stats_arg stats = { .size = sizeof(stats) };
	int fd = dev_open();

	assert_err(dev_register(fd, memory, PAGE), ENOTCONN);
	assert_err(dev_unregister(fd, memory, PAGE), ENOTCONN);
	assert_err(dev_arm(fd, memory, PAGE), ENOTCONN);
	assert_err(dev_disarm(fd, memory, PAGE), ENOTCONN);
	assert_err(dev_scan(fd, &scan), ENOTCONN);
	assert_ok(dev_ioctl(fd, UFFDWP_IOC_STATS, &stats));
	close(fd);
}

TEST(attaching_twice)
{
	assert_err(dev_attach_self(tracker), EALREADY);
	assert_err(dev_attach_pid(tracker, getppid()), EALREADY);
	/* It is the tracker that it was. */
	assert_int_equal(written(tracker, memory, N * PAGE, false), 0);
}

static int attach_with(uint64_t flags, int pidfd, int uffd)
{
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg), .flags = flags, .pidfd = pidfd, .uffd = uffd,
	};
	int fd = dev_open(), ret = dev_ioctl(fd, UFFDWP_IOC_ATTACH, &arg);

	close(fd);
	return ret;
}

TEST(descriptors_that_are_wrong)
{
	int null = open("/dev/null", O_RDWR);

	assert_err(attach_with(UFFDWP_ATTACH_PIDFD, 9999, 0), EBADF);
	assert_err(attach_with(UFFDWP_ATTACH_PIDFD, -1, 0), EBADF);
	assert_err(attach_with(UFFDWP_ATTACH_PIDFD, null, 0), EBADF);
	assert_err(attach_with(UFFDWP_ATTACH_PIDFD, tracker, 0), EBADF);
	assert_err(attach_with(UFFDWP_ATTACH_UFFD, 0, 9999), EBADF);
	assert_err(attach_with(UFFDWP_ATTACH_UFFD, 0, -1), EBADF);
	assert_err(attach_with(UFFDWP_ATTACH_UFFD, 0, null), EBADF);
	assert_err(attach_with(UFFDWP_ATTACH_UFFD, 0, tracker), EBADF);
	close(null);
}

TEST(userfaultfds_that_cannot_be_used)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	/* Not initialised: its owner could still ask for anything. */
	assert_err(attach_with(UFFDWP_ATTACH_UFFD, 0, uffd), EINVAL);
	close(uffd);
	uffd = new_uffd(UFFD_FEATURE_EVENT_FORK);
	assert_err(attach_with(UFFDWP_ATTACH_UFFD, 0, uffd), EINVAL);
	close(uffd);
	uffd = new_uffd(UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_THREAD_ID);
	assert_ok(attach_with(UFFDWP_ATTACH_UFFD, 0, uffd));
	close(uffd);
}

/*
 * Another thread changes the start of a request while it is under way: between memory that the
 * command may have, and memory that it must not touch.
 */
struct flipper {
	volatile __u64 *start;
	uint64_t allowed;
	uint64_t forbidden;
	volatile bool stop;
};

/* Each state as long as a command takes, roughly, so that a command meets both. */
static void linger(void)
{
	volatile unsigned int i;

	for (i = 0; i < 10000; i++)
		;
}

static void *flip(void *arg)
{
	struct flipper *f = arg;

	while (!f->stop) {
		*f->start = f->forbidden;
		linger();
		*f->start = f->allowed;
		linger();
	}
	return NULL;
}

/* Is it registered with a userfaultfd for this? "um" is MISSING, "uw" write protection. */
static bool is_registered(const void *start, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	bool here = false, found = false;
	char line[512];

	assert_non_null(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= (uintptr_t)start && (uintptr_t)start < to;
		else if (here && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, flag);
	}
	fclose(smaps);
	return found;
}

static void register_for_missing(int uffd, void *start, size_t len)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)start, len }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
}

#define FLIPS 2000

/*
 * Adding WP would take MISSING from memory of the handed-in userfaultfd: refused with -EBUSY. A
 * kernel that reads the request once more after that was checked would do it.
 */
TEST(a_register_that_changes)
{
	static struct uffdwp_register_arg reg;
	char *allowed = map_anon(4), *forbidden = map_anon(4);
	struct flipper flipper = {
		.start = &reg.start, .allowed = (uintptr_t)allowed,
		.forbidden = (uintptr_t)forbidden,
	};
	int uffd = new_uffd(0), fd = dev_open(), err;
	unsigned int round, refused = 0;
	pthread_t thread;

	assert_ok(dev_attach_uffd(fd, uffd));
	register_for_missing(uffd, forbidden, 4 * PAGE);
	assert_err(dev_register(fd, forbidden, 4 * PAGE), EBUSY);
	reg = (struct uffdwp_register_arg){
		.size = sizeof(reg), .start = (uintptr_t)allowed, .len = 4 * PAGE,
	};
	assert_ok(pthread_create(&thread, NULL, flip, &flipper));
	for (round = 0; round < FLIPS; round++) {
		err = dev_ioctl(fd, UFFDWP_IOC_REGISTER, &reg);
		assert_true(!err || err == -EBUSY);
		refused += err == -EBUSY;
	}
	flipper.stop = true;
	pthread_join(thread, NULL);
	print_message("[   INFO   ] %u of %u requests were refused\n", refused, round);
	assert_true(is_registered(forbidden, " um"));
	assert_false(is_registered(forbidden, " uw"));
	close(fd);
	close(uffd);
	munmap(allowed, 4 * PAGE);
	munmap(forbidden, 4 * PAGE);
}

/* UFFDIO_UNREGISTER of older kernels takes memory from any userfaultfd, so the owner is checked. */
TEST(an_unregister_that_changes)
{
	static struct uffdwp_unregister_arg unreg;
	char *allowed = map_anon(4), *forbidden = map_anon(4);
	struct flipper flipper = {
		.start = &unreg.start, .allowed = (uintptr_t)allowed,
		.forbidden = (uintptr_t)forbidden,
	};
	int fd = tracker_of(allowed, 4 * PAGE), other = tracker_of(forbidden, 4 * PAGE), err;
	unsigned int round;
	pthread_t thread;

	unreg = (struct uffdwp_unregister_arg){
		.size = sizeof(unreg), .start = (uintptr_t)allowed, .len = 4 * PAGE,
	};
	assert_ok(pthread_create(&thread, NULL, flip, &flipper));
	for (round = 0; round < FLIPS; round++) {
		err = dev_ioctl(fd, UFFDWP_IOC_UNREGISTER, &unreg);
		assert_true(!err || err == -EBUSY);
	}
	flipper.stop = true;
	pthread_join(thread, NULL);
	assert_true(is_registered(forbidden, " uw"));
	close(fd);
	close(other);
	munmap(allowed, 4 * PAGE);
	munmap(forbidden, 4 * PAGE);
}

TEST(one_userfaultfd_one_tracker)
{
	int uffd = new_uffd(0);
	int a = dev_open(), b = dev_open();

	assert_ok(dev_attach_uffd(a, uffd));
	assert_err(dev_attach_uffd(b, uffd), EBUSY);
	close(a);
	assert_ok(dev_attach_uffd(b, uffd));
	close(b);
	close(uffd);
}

/* A userfaultfd of one process with the pidfd of another: nothing of either is tracked. */
TEST(a_userfaultfd_of_somebody_else)
{
	char *p = map_filled(4);
	struct peer peer = peer_start();
	int uffd = new_uffd(0), fd = dev_open();
	int pidfd = syscall(SYS_pidfd_open, peer.pid, 0);
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg), .flags = UFFDWP_ATTACH_PIDFD | UFFDWP_ATTACH_UFFD,
		.pidfd = pidfd, .uffd = uffd,
	};

	/* To the kernel it would be our own memory that is registered, and not the peer's. */
	assert_err(dev_ioctl(fd, UFFDWP_IOC_ATTACH, &arg), EINVAL);
	assert_err(dev_register(fd, p, 4 * PAGE), ENOTCONN);
	/* The tracker is as it was. */
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(dev_register(fd, p, 4 * PAGE));
	assert_ok(dev_arm(fd, p, 4 * PAGE));
	touch(p, 4, 2);
	peer_do(&peer, PEER_WRITE, p, 4 * PAGE, 3);
	close(fd);
	close(uffd);
	close(pidfd);
	peer_end(&peer);
	munmap(p, 4 * PAGE);
}

TEST(processes_that_are_gone)
{
	pid_t pid = fork();
	int pidfd, fd = dev_open();
	siginfo_t info;

	if (!pid)
		_exit(0);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	assert_true(pidfd >= 0);
	assert_ok(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	/* A zombie has no memory any more. */
	assert_err(attach_with(UFFDWP_ATTACH_PIDFD, pidfd, 0), ESRCH);
	waitpid(pid, NULL, 0);
	assert_err(attach_with(UFFDWP_ATTACH_PIDFD, pidfd, 0), ESRCH);
	close(pidfd);
	close(fd);
}

TEST(kernel_threads)
{
	int fd = dev_open();

	/* kthreadd */
	assert_err(dev_attach_pid(fd, 2), ENXIO);
	close(fd);
}

/* In a child, so that the rights can be given up. Returns what attach said to pid. */
static int attach_as(uid_t uid, pid_t pid, int device)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setgid(uid) || setuid(uid))
			_exit(255);
		_exit(-dev_attach_pid(device, pid));
	}
	waitpid(child, &status, 0);
	return -WEXITSTATUS(status);
}

TEST(rights)
{
	struct peer peer = peer_start();
	int fd = dev_open(), device;
	pid_t child;
	int status;

	/* The file was opened by root and handed on: the right to the process still counts. */
	assert_err(attach_as(1000, peer.pid, fd), EPERM);
	assert_err(attach_as(1000, 1, fd), EPERM);
	assert_ok(attach_as(0, peer.pid, fd));
	close(fd);
	peer_end(&peer);

	/* And others cannot open it. */
	child = fork();
	if (!child) {
		if (setuid(1000))
			_exit(255);
		device = dev_open();
		_exit(device < 0 ? -device : 0);
	}
	waitpid(child, &status, 0);
	assert_int_equal(WEXITSTATUS(status), EACCES);
}

TEST(the_device_node_is_for_root)
{
	struct stat st;

	assert_ok(stat(UFFDWP_DEVICE, &st));
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_uid, 0);
}

static int refused_at(const void *start, size_t len, uint64_t *fail_at)
{
	struct uffdwp_register_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};
	int ret = dev_ioctl(tracker, UFFDWP_IOC_REGISTER, &arg);

	*fail_at = arg.fail_at;
	return ret;
}

TEST(kinds_that_cannot_be_tracked)
{
	int file = new_untrackable_file(PAGE);
	char *p = map_filled(4), *q;
	uint64_t fail_at;

	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	assert_err(refused_at(q, PAGE, &fail_at), EOPNOTSUPP);
	assert_int_equal(fail_at, (uintptr_t)q);
	munmap(q, PAGE);
	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_err(refused_at(q, PAGE, &fail_at), EOPNOTSUPP);
	munmap(q, PAGE);
	q = (char *)getauxval(AT_SYSINFO_EHDR);
	assert_err(refused_at(q, PAGE, &fail_at), EOPNOTSUPP);
	assert_int_equal(fail_at, (uintptr_t)q);

	/* One in the middle: the whole range is refused, and nothing of it is registered. */
	q = mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
	assert_err(refused_at(p, 4 * PAGE, &fail_at), EOPNOTSUPP);
	assert_int_equal(fail_at, (uintptr_t)q);
	assert_true(categories(tracker, p) & UFFDWP_PAGE_IS_UNTRACKED);
	munmap(p, 4 * PAGE);
	close(file);
}

/* ---- reports that cannot be delivered: nothing is armed that was not reported */

/* Every second page written, so that each is a region. */
static void write_every_second(void)
{
	size_t i;

	for (i = 0; i < N; i += 2)
		memory[i * PAGE] = 5;
}

TEST(a_vector_that_faults)
{
	struct uffdwp_region *vec = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdwp_scan_arg scan;
	size_t at_end = PAGE / sizeof(*vec) - 10;
	int n;

	assert_ok(munmap((char *)vec + PAGE, PAGE));
	write_every_second();
	scan = scan_arg(memory, N * PAGE, vec + at_end, N);
	scan.flags = UFFDWP_SCAN_WP_MATCHING;
	n = dev_scan(tracker, &scan);
	assert_err(n, EFAULT);
	assert_int_equal(scan.walk_end, (uintptr_t)memory);
	assert_int_equal(written(tracker, memory, N * PAGE, false), N / 2);
	assert_true(dev_stats(tracker).pages_undone > 0);

	/* Nothing mapped at all, read-only, not of user space. */
	scan.vec = 16;
	assert_err(dev_scan(tracker, &scan), EFAULT);
	scan.vec = ABOVE;
	assert_err(dev_scan(tracker, &scan), EFAULT);
	assert_ok(mprotect(vec, PAGE, PROT_READ));
	scan.vec = (uintptr_t)vec;
	assert_err(dev_scan(tracker, &scan), EFAULT);
	assert_int_equal(written(tracker, memory, N * PAGE, false), N / 2);
	munmap(vec, PAGE);
}

/* More regions than go in one batch: what was stored counts, what was not is written. */
TEST(a_vector_that_faults_halfway)
{
	const size_t many = 4 * N;
	char *p = map_filled(many);
	int fd = tracker_of(p, many * PAGE);
	size_t room = 1000, whole = room * sizeof(struct uffdwp_region);
	char *area = mmap(NULL, whole + 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *border = (char *)(((uintptr_t)area + whole + PAGE) & ~(PAGE - 1));
	struct uffdwp_region *vec = (struct uffdwp_region *)(border - whole);
	struct uffdwp_scan_arg scan = scan_arg(p, many * PAGE, vec, many);
	size_t i, reported = 0;
	int n;

	munmap(border, PAGE);
	for (i = 0; i < many; i += 2)
		p[i * PAGE] = 5;
	scan.flags = UFFDWP_SCAN_WP_MATCHING;
	n = dev_scan(fd, &scan);
	assert_true(n > 0 && (size_t)n <= room);
	for (i = 0; i < (size_t)n; i++) {
		assert_int_equal(vec[i].start, (uintptr_t)p + 2 * i * PAGE);
		reported += (vec[i].end - vec[i].start) / PAGE;
	}
	assert_int_equal(written(fd, p, many * PAGE, false), many / 2 - reported);
	assert_int_equal(scan.walk_end, (uintptr_t)p + 2 * n * PAGE);

	/* And the call that goes on from there meets the error at once. */
	scan.start = scan.walk_end;
	scan.vec = (uintptr_t)border;
	assert_err(dev_scan(fd, &scan), EFAULT);
	assert_int_equal(written(fd, p, many * PAGE, false), many / 2 - reported);
	close(fd);
	munmap(p, many * PAGE);
}

/* walk_end cannot be stored. */
TEST(a_structure_that_cannot_be_written)
{
	struct uffdwp_region vec[8];
	struct uffdwp_scan_arg *scan = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	touch(memory, 3, 4);
	*scan = scan_arg(memory, N * PAGE, vec, 8);
	scan->flags = UFFDWP_SCAN_WP_MATCHING;
	assert_ok(mprotect(scan, PAGE, PROT_READ));
	assert_err(dev_scan(tracker, scan), EFAULT);
	assert_int_equal(written(tracker, memory, N * PAGE, false), 3);
	munmap(scan, PAGE);
}

/* The structure becomes unwritable while the scan runs: its own first region is stored over it. */
TEST(a_vector_over_the_structure)
{
	union {
		struct uffdwp_scan_arg scan;
		struct uffdwp_region vec[8];
	} both;

	touch(memory, 3, 4);
	both.scan = scan_arg(memory, N * PAGE, both.vec, 8);
	both.scan.flags = UFFDWP_SCAN_WP_MATCHING;
	assert_int_equal(dev_scan(tracker, &both.scan), 1);
	assert_int_equal(written(tracker, memory, N * PAGE, false), 0);
}

TEST(a_32_bit_caller_gets_the_same)
{
	pid_t child = fork();
	int status;

	if (!child) {
		execl("/bin/compat32", "compat32", (char *)NULL);
		_exit(255);
	}
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("the 32-bit program failed at check %d", WEXITSTATUS(status));
}

#define with_set_up(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_set_up(hello_tells_who_it_is),
		with_set_up(unknown_commands),
		with_set_up(sizes_that_are_wrong),
		with_set_up(programs_of_the_first_release),
		with_set_up(longer_structures_with_zeroes_are_fine),
		with_set_up(pointers_that_cannot_be_read),
		with_set_up(structures_that_are_cut_off),
		with_set_up(reserved_fields_and_flags),
		with_set_up(ranges_that_are_wrong),
		with_set_up(memory_that_is_not_there),
		with_set_up(memory_that_is_not_registered),
		with_set_up(before_attaching),
		with_set_up(attaching_twice),
		with_set_up(descriptors_that_are_wrong),
		with_set_up(userfaultfds_that_cannot_be_used),
		with_set_up(a_register_that_changes),
		with_set_up(an_unregister_that_changes),
		with_set_up(one_userfaultfd_one_tracker),
		with_set_up(a_userfaultfd_of_somebody_else),
		with_set_up(processes_that_are_gone),
		with_set_up(kernel_threads),
		with_set_up(rights),
		with_set_up(the_device_node_is_for_root),
		with_set_up(kinds_that_cannot_be_tracked),
		with_set_up(a_vector_that_faults),
		with_set_up(a_vector_that_faults_halfway),
		with_set_up(a_structure_that_cannot_be_written),
		with_set_up(a_vector_over_the_structure),
		with_set_up(a_32_bit_caller_gets_the_same),
	};

	return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
