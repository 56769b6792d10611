// SPDX-License-Identifier: GPL-2.0-only
/*
 * Riding along: memory that a process has registered for MISSING or MINOR faults with a userfaultfd
 * of its own is tracked for writes, and the process gets the faults, messages and answers that it
 * would get without.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

/* Not in the headers of Linux 5.10. */
#define MISSING		UFFDIO_REGISTER_MODE_MISSING
#define WP		UFFDIO_REGISTER_MODE_WP
#define MINOR		(1ull << 2)
#define FEATURE_MINOR_HUGETLBFS	(1ull << 9)
#define FEATURE_MINOR_SHMEM	(1ull << 10)

#define N 64ul
#define LEN (N * PAGE)
#define HUGE_LEN (4 * HUGE_PAGE)

struct continue_arg {
	struct uffdio_range range;
	uint64_t mode;
	int64_t mapped;
};

#define CONTINUE		_IOWR(UFFDIO, 0x07, struct continue_arg)
#define CONTINUE_MODE_WP	(1ull << 1)

struct move_arg {
	uint64_t dst, src, len, mode;
	int64_t move;
};

#define MOVE	_IOWR(UFFDIO, 0x05, struct move_arg)

struct poison_arg {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

#define POISON	_IOWR(UFFDIO, 0x08, struct poison_arg)

/* ---- what the process does with its userfaultfd: 0, or -errno */

static int uffd_register(int uffd, const void *start, size_t len, uint64_t mode)
{
	struct uffdio_register arg = { .range = { (uintptr_t)start, len }, .mode = mode };

	return ioctl(uffd, UFFDIO_REGISTER, &arg) ? -errno : 0;
}

static int uffd_unregister(int uffd, const void *start, size_t len)
{
	struct uffdio_range arg = { (uintptr_t)start, len };

	return ioctl(uffd, UFFDIO_UNREGISTER, &arg) ? -errno : 0;
}

static int uffd_protect(int uffd, const void *start, size_t len, bool protect)
{
	struct uffdio_writeprotect arg = {
		.range = { (uintptr_t)start, len },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;
}

static int uffd_copy(int uffd, const void *dst, const void *src, size_t len, uint64_t mode)
{
	struct uffdio_copy arg = {
		.dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = len, .mode = mode,
	};

	return ioctl(uffd, UFFDIO_COPY, &arg) ? -errno : 0;
}

static int uffd_continue(int uffd, const void *start, size_t len, uint64_t mode)
{
	struct continue_arg arg = { .range = { (uintptr_t)start, len }, .mode = mode };

	return ioctl(uffd, CONTINUE, &arg) ? -errno : 0;
}

static int uffd_move(int uffd, const void *dst, const void *src, size_t len)
{
	struct move_arg arg = { .dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = len };

	return ioctl(uffd, MOVE, &arg) ? -errno : 0;
}

static int uffd_poison(int uffd, const void *start, size_t len)
{
	struct poison_arg arg = { .range = { (uintptr_t)start, len } };

	return ioctl(uffd, POISON, &arg) ? -errno : 0;
}

/* ---- its monitor, which fills each page with its number */

static struct monitor {
	int uffd;
	size_t page;
	char *source;
	pthread_t thread;
	atomic_bool ends;
	atomic_ulong missing, minor, protected, refused;
} monitor;

static void answer(const struct uffd_msg *msg)
{
	const uintptr_t addr = msg->arg.pagefault.address & ~(monitor.page - 1);
	int err = 0;

	if (msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
		atomic_fetch_add(&monitor.protected, 1);
		err = uffd_protect(monitor.uffd, (void *)addr, monitor.page, false);
	} else if (msg->arg.pagefault.flags & (1 << 2) /* UFFD_PAGEFAULT_FLAG_MINOR */) {
		atomic_fetch_add(&monitor.minor, 1);
		err = uffd_continue(monitor.uffd, (void *)addr, monitor.page, 0);
	} else {
		atomic_fetch_add(&monitor.missing, 1);
		memset(monitor.source, 'A' + addr / monitor.page % 26, monitor.page);
		err = uffd_copy(monitor.uffd, (void *)addr, monitor.source, monitor.page, 0);
	}
	if (err)
		atomic_fetch_add(&monitor.refused, 1);
}

static void *run_monitor(void *unused)
{
	struct pollfd pfd = { .fd = monitor.uffd, .events = POLLIN };
	struct uffd_msg msg;

	(void)unused;
	while (!monitor.ends)
		if (poll(&pfd, 1, 20) > 0 && read(monitor.uffd, &msg, sizeof(msg)) == sizeof(msg))
			answer(&msg);
	return NULL;
}

static void monitor_start(int uffd, size_t page)
{
	monitor = (struct monitor){ .uffd = uffd, .page = page };
	monitor.source = aligned_alloc(page, page);
	assert_non_null(monitor.source);
	assert_ok(pthread_create(&monitor.thread, NULL, run_monitor, NULL));
}

static void monitor_end(void)
{
	monitor.ends = true;
	pthread_join(monitor.thread, NULL);
	free(monitor.source);
	assert_int_equal(monitor.refused, 0);
}

/* ---- its memory, and the tracker */

static char *memory;
static int uffd;

static int attach_riding(int tracker, int fd)
{
	return dev_attach(tracker, UFFDWP_ATTACH_UFFD | UFFDWP_ATTACH_RIDE, 0, fd,
			  UFFDWP_UNPOP_DEFAULT);
}

static int ride(void)
{
	int tracker = dev_open();

	assert_true(tracker >= 0);
	assert_ok(attach_riding(tracker, uffd));
	return tracker;
}

/* Before Linux 5.14 the pagemap does not show it. */
static void assert_armed(const char *start, size_t pages, size_t armed)
{
	if (!kernel_is_before(5, 14))
		assert_int_equal(armed_entries(start, pages), armed);
}

/* Does the mapping of this address have all of these in its VmFlags? */
static bool has_flags(const void *addr, const char *flags)
{
	unsigned long start, end;
	bool here = false, has = false;
	char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (uintptr_t)addr >= start && (uintptr_t)addr < end;
		if (here && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, flags);
	}
	fclose(f);
	return has;
}

static int set_up(void **state)
{
	(void)state;
	if (!(dev_features() & UFFDWP_FEATURE_RIDE)) {
		print_message("no UFFDWP_FEATURE_RIDE\n");
		return -1;
	}
	memory = map_anon(N);
	uffd = new_uffd(0);
	return uffd_register(uffd, memory, LEN, MISSING);
}

static int tear_down(void **state)
{
	(void)state;
	close(uffd);
	munmap(memory, LEN);
	return 0;
}

/* Half of it filled by the monitor, and all that is filled armed. */
static int ride_half(void)
{
	int tracker = ride();
	size_t i;

	assert_ok(dev_register(tracker, memory, LEN));
	for (i = 0; i < N / 2; i++)
		assert_int_equal(memory[i * PAGE], 'A' + ((uintptr_t)memory / PAGE + i) % 26);
	assert_int_equal(monitor.missing, N / 2);
	assert_ok(dev_arm(tracker, memory, LEN));
	return tracker;
}

TEST(tracks_what_is_registered_for_missing_faults)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	assert_true(has_flags(memory, " uw"));
	assert_true(has_flags(memory, " um"));
	/* What has nothing in it cannot be armed: UFFDIO_COPY would be -EEXIST. */
	assert_int_equal(written(tracker, memory, LEN, false), N / 2);
	touch(memory + 3 * PAGE, 5, 1);
	assert_int_equal(written(tracker, memory, LEN, false), N / 2 + 5);
	/* What the monitor fills is written, whether by reading or writing. */
	assert_int_equal(((volatile char *)memory)[(N - 1) * PAGE] != 0, 1);
	memory[(N - 2) * PAGE] = 1;
	assert_int_equal(written(tracker, memory, LEN, true), N / 2 + 5);
	assert_int_equal(written(tracker, memory, LEN, false), N / 2 - 2);
	touch(memory + (N - 2) * PAGE, 2, 1);
	assert_int_equal(written(tracker, memory, LEN, false), N / 2);
	assert_int_equal(monitor.missing, N / 2 + 2);
	assert_int_equal(monitor.protected, 0);
	close(tracker);
	monitor_end();
}

/* All that the process may ask for of its userfaultfd, except to register for WP. */
static void ask(int results[12])
{
	static char source[2 * PAGE] __attribute__((aligned(4096)));
	int other = new_uffd(0), i = 0;

	results[i++] = uffd_protect(uffd, memory, PAGE, true);
	results[i++] = uffd_protect(uffd, memory, PAGE, false);
	results[i++] = uffd_protect(uffd, memory, LEN, true);
	results[i++] = uffd_protect(other, memory, PAGE, true);
	results[i++] = uffd_copy(uffd, memory + 40 * PAGE, source, PAGE, UFFDIO_COPY_MODE_WP);
	results[i++] = uffd_copy(uffd, memory + (N - 1) * PAGE, source, 2 * PAGE,
				 UFFDIO_COPY_MODE_WP);
	results[i++] = uffd_copy(uffd, memory, source, PAGE, UFFDIO_COPY_MODE_WP);
	results[i++] = uffd_copy(uffd, memory, source, PAGE, 0);
	results[i++] = uffd_copy(uffd, memory + 41 * PAGE, source, 2 * PAGE, 0);
	results[i++] = uffd_copy(other, memory + 43 * PAGE, source, PAGE, 0);
	results[i++] = uffd_register(other, memory, LEN, MISSING);
	results[i++] = uffd_register(uffd, memory, LEN, MISSING);
	close(other);
	assert_int_equal(i, 12);
}

TEST(answers_the_process_as_without)
{
	int before[12], during[12], after[12], tracker;
	size_t i;

	monitor_start(uffd, PAGE);
	touch(memory, 2, 1);
	ask(before);
	assert_ok(madvise(memory + 40 * PAGE, 4 * PAGE, MADV_DONTNEED));
	tracker = ride();
	assert_ok(dev_register(tracker, memory, LEN));
	assert_ok(dev_arm(tracker, memory, LEN));
	ask(during);
	/* Nothing that was asked for has armed, and what was registered again is written. */
	assert_int_equal(written(tracker, memory, LEN, false), N);
	close(tracker);
	assert_ok(madvise(memory + 40 * PAGE, 4 * PAGE, MADV_DONTNEED));
	ask(after);
	for (i = 0; i < 12; i++) {
		if (during[i] != before[i] || after[i] != before[i])
			fail_msg("call %zu: %d before, %d during, %d after", i, before[i],
				 during[i], after[i]);
	}
	/* Otherwise this would prove nothing. */
	assert_err(before[0], ENOENT);
	assert_err(before[4], EINVAL);
	assert_ok(before[8]);
	monitor_end();
}

TEST(protects_nothing_for_the_process)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	touch(memory, 4, 1);
	assert_err(uffd_protect(uffd, memory, LEN, true), ENOENT);
	assert_int_equal(written(tracker, memory, 4 * PAGE, false), 4);
	/* Nor does it take the protection away. */
	assert_err(uffd_protect(uffd, memory, LEN, false), ENOENT);
	assert_int_equal(written(tracker, memory, N / 2 * PAGE, false), 4);
	close(tracker);
	monitor_end();
}

TEST(leaves_missing_faults_after_a_discard)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	assert_ok(madvise(memory, 4 * PAGE, MADV_DONTNEED));
	assert_int_equal(written(tracker, memory, 4 * PAGE, true), 4);
	touch(memory, 4, 1);
	assert_int_equal(monitor.missing, N / 2 + 4);
	assert_int_equal(written(tracker, memory, 4 * PAGE, false), 4);
	close(tracker);
	monitor_end();
}

TEST(goes_on_when_the_process_registers_again)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	assert_ok(uffd_register(uffd, memory, LEN, MISSING));
	assert_int_equal(written(tracker, memory, LEN, true), N);
	assert_int_equal(written(tracker, memory, LEN, false), N / 2);
	touch(memory, 1, 1);
	assert_int_equal(written(tracker, memory, LEN, false), N / 2 + 1);
	close(tracker);
	monitor_end();
}

TEST(ends_where_the_process_unregisters)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	assert_ok(uffd_unregister(uffd, memory, 8 * PAGE));
	assert_false(has_flags(memory, " uw"));
	assert_armed(memory, 8, 0);
	assert_true(categories(tracker, memory) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_true(has_flags(memory + 8 * PAGE, " uw"));
	touch(memory, 8, 1);
	assert_int_equal(written(tracker, memory + 8 * PAGE, (N / 2 - 8) * PAGE, false), 0);
	close(tracker);
	monitor_end();
}

/* All of it filled by the monitor and written since, and nothing armed. */
static int ride_without_arming(void)
{
	int tracker;

	touch(memory, N, 1);
	tracker = ride();
	assert_ok(dev_register(tracker, memory, LEN));
	touch(memory, N, 2);
	return tracker;
}

static long faults_of_writing(char *start, size_t pages)
{
	const long before = faults();

	touch(start, pages, 3);
	return faults() - before;
}

/* Linux 6.1 protects all that it takes from the mode. The process has never asked for that. */
TEST(what_is_unregistered_costs_no_fault)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_without_arming();
	assert_ok(uffd_unregister(uffd, memory, LEN));
	assert_false(has_flags(memory, " um"));
	assert_false(has_flags(memory, " uw"));
	assert_int_equal(faults_of_writing(memory, N), 0);
	close(tracker);
	assert_int_equal(faults_of_writing(memory, N), 0);
	monitor_end();
}

TEST(a_part_that_is_unregistered_costs_no_fault)
{
	char *middle = memory + 16 * PAGE, *behind = memory + 48 * PAGE;
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_without_arming();
	assert_ok(uffd_unregister(uffd, middle, 32 * PAGE));
	assert_int_equal(faults_of_writing(memory, N), 0);
	assert_true(categories(tracker, middle) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_true(categories(tracker, behind - PAGE) & UFFDWP_PAGE_IS_UNTRACKED);
	/* The rest is tracked as before. */
	assert_int_equal(written(tracker, memory, 16 * PAGE, true), 16);
	assert_int_equal(written(tracker, behind, 16 * PAGE, true), 16);
	touch(memory, N, 4);
	assert_int_equal(written(tracker, memory, 16 * PAGE, false), 16);
	assert_ok(dev_arm(tracker, behind, 16 * PAGE));
	behind[0]++;
	assert_int_equal(written(tracker, behind, 16 * PAGE, false), 1);
	assert_int_equal(monitor.protected, 0);
	close(tracker);
	monitor_end();
}

/* Nor with a part in it that the process has not registered, which the kernel passes by. */
TEST(a_range_with_a_gap_that_is_unregistered_costs_no_fault)
{
	int tracker;

	monitor_start(uffd, PAGE);
	touch(memory, N, 1);
	assert_ok(uffd_unregister(uffd, memory + 24 * PAGE, 16 * PAGE));
	tracker = ride();
	assert_ok(dev_register(tracker, memory, 24 * PAGE));
	assert_ok(dev_register(tracker, memory + 40 * PAGE, LEN - 40 * PAGE));
	touch(memory, N, 2);
	assert_ok(uffd_unregister(uffd, memory, LEN));
	assert_false(has_flags(memory, " um"));
	assert_int_equal(faults_of_writing(memory, N), 0);
	close(tracker);
	assert_int_equal(faults_of_writing(memory, N), 0);
	monitor_end();
}

/* The kernel refuses a range with a mapping in it that no userfaultfd can register. */
TEST(a_refused_unregister_leaves_all_of_it_tracked)
{
	const size_t pages = N - 8;
	int file = new_untrackable_file(8 * PAGE), tracker;
	char *refused = memory + pages * PAGE;

	assert_ptr_equal(mmap(refused, 8 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0),
			 refused);
	close(file);
	monitor_start(uffd, PAGE);
	touch(memory, pages, 1);
	/* Without a tracker. */
	assert_err(uffd_unregister(uffd, memory, LEN), EINVAL);
	tracker = ride();
	assert_ok(dev_register(tracker, memory, pages * PAGE));
	assert_err(uffd_unregister(uffd, memory, LEN), EINVAL);
	assert_true(has_flags(memory, " um"));
	assert_true(has_flags(memory, " uw"));
	assert_true(is_one_vma(memory, pages * PAGE));
	assert_ok(dev_arm(tracker, memory, pages * PAGE));
	assert_int_equal(written(tracker, memory, pages * PAGE, false), 0);
	touch(memory, 4, 2);
	assert_int_equal(written(tracker, memory, pages * PAGE, false), 4);
	/* Nor is a write missed that was there before. */
	assert_err(uffd_unregister(uffd, memory, LEN), EINVAL);
	assert_true(written(tracker, memory, pages * PAGE, true) >= 4);
	memory[9 * PAGE]++;
	assert_int_equal(written(tracker, memory, pages * PAGE, false), 1);
	assert_int_equal(monitor.protected, 0);
	close(tracker);
	monitor_end();
}

/* ---- what is refused is not divided for a moment, either */

static atomic_bool refuses;

static void *unregister_and_be_refused(void *unused)
{
	(void)unused;
	while (refuses)
		assert_err(uffd_unregister(uffd, memory + 32 * PAGE, LEN - 32 * PAGE), EINVAL);
	return NULL;
}

TEST(copies_beside_a_refused_unregister)
{
	const size_t pages = N - 8;
	int file = new_untrackable_file(8 * PAGE), tracker, i;
	char *from = map_filled(2);
	pthread_t thread;

	assert_ptr_equal(mmap(memory + pages * PAGE, 8 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
			      file, 0), memory + pages * PAGE);
	tracker = ride();
	assert_ok(dev_register(tracker, memory, pages * PAGE));
	refuses = true;
	pthread_create(&thread, NULL, unregister_and_be_refused, NULL);
	/* Over the place where it would be divided. */
	for (i = 0; i < 2000; i++) {
		struct uffdio_copy copy = {
			.dst = (uintptr_t)memory + 31 * PAGE, .src = (uintptr_t)from,
			.len = 2 * PAGE,
		};

		assert_ok(madvise(memory + 31 * PAGE, 2 * PAGE, MADV_DONTNEED));
		assert_ok(ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0);
	}
	refuses = false;
	pthread_join(thread, NULL);
	close(tracker);
	close(file);
	munmap(from, 2 * PAGE);
}

TEST(leaves_nothing_when_it_is_closed)
{
	const size_t before = N / 2;
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	close(tracker);
	assert_false(has_flags(memory, " uw"));
	assert_true(has_flags(memory, " um"));
	assert_armed(memory, N, 0);
	touch(memory, N, 1);
	assert_int_equal(monitor.missing, before + N / 2);
	assert_int_equal(monitor.protected, 0);
	monitor_end();
}

/* A part would divide a mapping, and a UFFDIO_COPY over the border be -ENOENT. */
TEST(has_all_of_it_or_nothing)
{
	static char source[4 * PAGE] __attribute__((aligned(4096)));
	char *more = memory + LEN;
	int tracker;

	monitor_start(uffd, PAGE);
	touch(memory, 8, 1);
	tracker = ride();
	assert_ok(dev_register(tracker, memory + 8 * PAGE, 8 * PAGE));
	assert_true(is_one_vma(memory, LEN));
	assert_true(has_flags(memory, " uw"));
	assert_ok(uffd_copy(uffd, memory + 14 * PAGE, source, 4 * PAGE, 0));
	assert_err(dev_unregister(tracker, memory, 8 * PAGE), EOPNOTSUPP);
	/* What the process registers later is a part of the same mapping. */
	if (mmap(more, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_FIXED_NOREPLACE, -1, 0) == more) {
		thp_advice(more, LEN, MADV_NOHUGEPAGE);
		assert_ok(uffd_register(uffd, more, LEN, MISSING));
		assert_true(is_one_vma(memory, 2 * LEN));
		assert_ok(uffd_copy(uffd, more - 2 * PAGE, source, 4 * PAGE, 0));
		assert_ok(dev_arm(tracker, more, LEN));
		assert_int_equal(written(tracker, more, 2 * PAGE, false), 0);
		more[0] = 1;
		assert_int_equal(written(tracker, more, 2 * PAGE, false), 1);
		assert_ok(munmap(more, LEN));
	}
	close(tracker);
	assert_true(is_one_vma(memory, LEN));
	assert_true(has_flags(memory, " um"));
	assert_false(has_flags(memory, " uw"));
	monitor_end();
}

TEST(gives_way_when_the_process_protects)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	assert_ok(uffd_register(uffd, memory, 8 * PAGE, MISSING | WP));
	assert_int_equal(dev_stats(tracker).pages_given_way, N);
	assert_false(has_flags(memory + 8 * PAGE, " uw"));
	assert_armed(memory, N, 0);
	assert_ok(uffd_protect(uffd, memory, 8 * PAGE, true));
	assert_armed(memory, 8, 8);
	/* It does not take the memory of the process for its own, neither now nor at its end. */
	assert_err(dev_arm(tracker, memory, LEN), ENODEV);
	assert_err(dev_disarm(tracker, memory, LEN), ENODEV);
	assert_err(dev_unregister(tracker, memory, LEN), ENODEV);
	assert_armed(memory, 8, 8);
	touch(memory, 4, 1);
	assert_int_equal(monitor.protected, 4);
	/* The health of trackers is looked after twice a second. */
	usleep(1200000);
	assert_armed(memory, 8, 4);
	close(tracker);
	assert_armed(memory, 8, 4);
	touch(memory, 8, 1);
	assert_int_equal(monitor.protected, 8);
	monitor_end();
}

/* What is moved is what is armed. */
TEST(gives_way_when_the_process_moves)
{
	char *to = memory + N / 2 * PAGE;
	int tracker;
	size_t i;

	if (kernel_is_before(6, 8))
		skip_because("this kernel has no UFFDIO_MOVE");
	monitor_start(uffd, PAGE);
	tracker = ride_half();
	assert_ok(uffd_move(uffd, to, memory, 8 * PAGE));
	for (i = 0; i < 8; i++)
		assert_int_equal(to[i * PAGE], 'A' + ((uintptr_t)memory / PAGE + i) % 26);
	assert_int_equal(dev_stats(tracker).pages_given_way, N);
	assert_true(has_flags(memory, " um"));
	assert_false(has_flags(memory, " uw"));
	assert_armed(memory, N, 0);
	assert_err(dev_arm(tracker, memory, LEN), ENODEV);
	assert_err(dev_disarm(tracker, memory, LEN), ENODEV);
	assert_err(dev_unregister(tracker, memory, LEN), ENODEV);
	/* Where they came from nothing is left. */
	touch(memory, N / 2 + 8, 1);
	assert_int_equal(monitor.missing, N / 2 + 8);
	assert_int_equal(monitor.protected, 0);
	close(tracker);
	assert_armed(memory, N, 0);
	monitor_end();
}

/* MISSING becomes WP: what the kernel would have done without a tracker. */
TEST(gives_way_with_its_mode)
{
	int tracker = ride();

	assert_ok(dev_register(tracker, memory, LEN));
	assert_ok(uffd_register(uffd, memory, LEN, WP));
	assert_false(has_flags(memory, " um"));
	assert_true(has_flags(memory, " uw"));
	close(tracker);
	assert_true(has_flags(memory, " uw"));
	/* No MISSING fault. */
	touch(memory, N, 1);
}

TEST(ends_when_the_process_closes_it)
{
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	monitor_end();
	close(uffd);
	wait_for(dev_arm(tracker, memory, LEN) == -ENODEV);
	assert_false(has_flags(memory, " uw"));
	assert_false(has_flags(memory, " um"));
	touch(memory, N, 1);
	close(tracker);
	uffd = new_uffd(0);
}

TEST(refuses_what_it_cannot_ride_on)
{
	int tracker = dev_open(), forks, other = new_uffd(0);
	char *memory2 = map_anon(N), *plain = map_anon(N);

	assert_err(dev_attach(tracker, UFFDWP_ATTACH_RIDE, 0, 0, 0), EINVAL);
	assert_ok(uffd_register(other, memory2, LEN, MISSING | WP));
	assert_err(attach_riding(tracker, other), EBUSY);
	assert_ok(uffd_unregister(other, memory2, LEN));
	assert_ok(uffd_register(other, memory2, LEN, MISSING));
	forks = new_uffd(UFFD_FEATURE_EVENT_FORK);
	assert_err(attach_riding(tracker, forks), EINVAL);
	assert_ok(attach_riding(tracker, uffd));
	assert_err(dev_register(tracker, memory2, LEN), EBUSY);
	assert_err(dev_register(tracker, plain, LEN), EOPNOTSUPP);
	assert_ok(dev_register(tracker, memory, LEN));
	close(tracker);
	close(other);
	close(forks);
	munmap(memory2, LEN);
	munmap(plain, LEN);
}

TEST(leaves_a_forked_child_alone)
{
	int tracker, status;
	pid_t child;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	child = fork();
	if (!child) {
		alarm(20);
		touch(memory, N, 7);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(written(tracker, memory, N / 2 * PAGE, false), 0);
	touch(memory, 4, 1);
	assert_int_equal(written(tracker, memory, N / 2 * PAGE, false), 4);
	assert_int_equal(monitor.protected, 0);
	close(tracker);
	monitor_end();
}

/* With EVENT_REMAP it moves along; without, the kernel takes it from the userfaultfd. */
TEST(ends_where_mremap_moves)
{
	char *to = map_anon(N);
	int tracker;

	monitor_start(uffd, PAGE);
	tracker = ride_half();
	assert_ptr_equal(mremap(memory, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	assert_true(categories(tracker, to) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_armed(to, 8, 0);
	touch(to, 8, 1);
	assert_int_equal(monitor.protected, 0);
	close(tracker);
	monitor_end();
	munmap(to, LEN);
}

/* With EVENT_REMAP it stays, and its monitor reads the event, which the tracer never sees. */
static void *read_one(void *fd)
{
	struct pollfd pfd = { .fd = *(int *)fd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&pfd, 1, 20000) == 1 && read(pfd.fd, &msg, sizeof(msg)) == sizeof(msg) &&
	    msg.event == UFFD_EVENT_REMAP)
		return fd;
	return NULL;
}

TEST(what_mremap_brings_is_written)
{
	int tracker = dev_open(), remaps = new_uffd(UFFD_FEATURE_EVENT_REMAP);
	char *p = map_filled(N);
	pthread_t reader;
	void *read_it;

	touch(p, 8, 'a');
	touch(p + 32 * PAGE, 8, 'b');
	assert_ok(uffd_register(remaps, p, LEN, MISSING));
	assert_ok(attach_riding(tracker, remaps));
	assert_ok(dev_register(tracker, p, LEN));
	assert_ok(dev_arm(tracker, p, LEN));
	assert_ok(pthread_create(&reader, NULL, read_one, &remaps));
	assert_ptr_equal(mremap(p + 32 * PAGE, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				p), p);
	pthread_join(reader, &read_it);
	assert_non_null(read_it);
	assert_int_equal(*p, 'b');
	assert_int_equal(written(tracker, p, 8 * PAGE, false), 8);
	close(tracker);
	close(remaps);
	munmap(p, LEN);
}

/* The process closes what a tracker was ridden off from: it is closed at once. */
TEST(what_was_taken_back_is_closed_by_the_process)
{
	int tracker = ride(), other;

	assert_ok(dev_register(tracker, memory, LEN));
	assert_ok(uffd_register(uffd, memory, LEN, MISSING | WP));
	close(uffd);
	assert_false(has_flags(memory, " um"));
	other = new_uffd(0);
	assert_ok(uffd_register(other, memory, LEN, MISSING));
	close(other);
	close(tracker);
	uffd = new_uffd(0);
}

/* A thread waits for a page; it is not woken, and asks no second time. */
static void *touch_last(void *unused)
{
	(void)unused;
	memory[(N - 1) * PAGE] = 1;
	return NULL;
}

static size_t messages(void)
{
	struct uffd_msg msg;
	size_t n = 0;

	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg))
		n++;
	return n;
}

TEST(wakes_nobody_who_waits_for_a_page)
{
	static char source[PAGE] __attribute__((aligned(4096)));
	struct pollfd pfd = { .fd = uffd, .events = POLLIN };
	int tracker, i;
	pthread_t waiter;

	for (i = 0; i < 2; i++) {
		assert_ok(pthread_create(&waiter, NULL, touch_last, NULL));
		assert_int_equal(poll(&pfd, 1, 20000), 1);
		assert_int_equal(messages(), 1);
		tracker = ride();
		assert_ok(dev_register(tracker, memory, LEN));
		if (i)
			assert_ok(uffd_register(uffd, memory, LEN, MISSING | WP));
		usleep(1200000);
		close(tracker);
		usleep(100000);
		assert_int_equal(messages(), 0);
		assert_ok(uffd_copy(uffd, memory + (N - 1) * PAGE, source, PAGE, 0));
		pthread_join(waiter, NULL);
		assert_ok(madvise(memory, LEN, MADV_DONTNEED));
	}
}

/* A marker of ours is in the way of the kernel's own. */
static void poison_holes(int minor, char *here)
{
	if (!kernel_is_before(6, 6))
		assert_ok(uffd_poison(minor, here, 4 * PAGE));
}

static bool knows_minor_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	bool knows = !ioctl(fd, UFFDIO_API, &api) && (api.features & FEATURE_MINOR_SHMEM);

	close(fd);
	return knows;
}

TEST(tracks_what_is_registered_for_minor_faults)
{
	int fd, tracker, minor, err;
	char *here, *there;
	size_t i;

	if (!knows_minor_faults())
		skip_because("this kernel has no MINOR faults of shmem");
	if (!(dev_kinds() & UFFDWP_KIND_SHMEM))
		skip_because("this kernel tracks no shmem");
	fd = memfd_create("minor", MFD_CLOEXEC);
	assert_ok(ftruncate(fd, LEN));
	here = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	there = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(here != MAP_FAILED && there != MAP_FAILED);
	touch(there, N, 9);
	minor = new_uffd(FEATURE_MINOR_SHMEM);
	assert_ok(uffd_register(minor, here, LEN, MINOR));
	monitor_start(minor, PAGE);
	tracker = dev_open();
	assert_ok(attach_riding(tracker, minor));
	assert_ok(dev_register(tracker, here, LEN));
	touch(here, 8, 1);
	assert_int_equal(monitor.minor, 8);
	assert_ok(dev_arm(tracker, here, LEN));
	assert_int_equal(written(tracker, here, LEN, false), 0);
	/* Armed with a marker: the process still has its fault. */
	touch(here + 4 * PAGE, 8, 2);
	assert_int_equal(written(tracker, here, LEN, false), 8);
	assert_int_equal(monitor.minor, 12);
	assert_int_equal(((volatile char *)here)[20 * PAGE], 9);
	assert_int_equal(monitor.minor, 13);
	assert_int_equal(monitor.protected, 0);
	assert_ok(dev_arm(tracker, here, LEN));
	poison_holes(minor, here + 40 * PAGE);
	err = uffd_continue(minor, here + 30 * PAGE, PAGE, CONTINUE_MODE_WP);
	assert_true(err == -EINVAL);
	assert_ok(uffd_continue(minor, here + 30 * PAGE, PAGE, 0));
	close(tracker);
	assert_false(has_flags(here, " uw"));
	touch(here, 40, 3);
	for (i = 0; i < 40; i++)
		assert_int_equal(there[i * PAGE], 3);
	assert_int_equal(monitor.protected, 0);
	monitor_end();
	close(minor);
	close(fd);
	munmap(here, LEN);
	munmap(there, LEN);
}

static struct {
	int tracker;
	char *start;
	size_t len;
	atomic_bool on;
	atomic_ulong scans;
} scanning;

static void *scan_again_and_again(void *unused)
{
	(void)unused;
	while (scanning.on) {
		written(scanning.tracker, scanning.start, scanning.len, true);
		scanning.scans++;
	}
	return NULL;
}

/* Holes are armed with markers, and may be so once they were disarmed for it. */
static void poison_what_is_armed(int fd, uint64_t feature)
{
	const double until = seconds_now() + 3;
	unsigned int rounds;
	pthread_t thread;
	int minor, err = 0;

	assert_ok(ftruncate(fd, scanning.len));
	scanning.start = mmap(NULL, scanning.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(scanning.start, MAP_FAILED);
	minor = new_uffd(feature);
	assert_ok(uffd_register(minor, scanning.start, scanning.len, MINOR));
	scanning.tracker = dev_open();
	assert_ok(attach_riding(scanning.tracker, minor));
	assert_ok(dev_register(scanning.tracker, scanning.start, scanning.len));
	scanning.scans = 0;
	scanning.on = true;
	assert_ok(pthread_create(&thread, NULL, scan_again_and_again, NULL));
	wait_for(armed_entries(scanning.start, scanning.len / PAGE) == scanning.len / PAGE);
	for (rounds = 0; !err && rounds < 20000 && seconds_now() < until; rounds++) {
		assert_ok(madvise(scanning.start, scanning.len, MADV_DONTNEED));
		err = uffd_poison(minor, scanning.start, scanning.len);
	}
	scanning.on = false;
	pthread_join(thread, NULL);
	print_message("[   INFO   ] poisoned %u times, scanned %lu times\n", rounds,
		      scanning.scans);
	assert_ok(err);
	close(scanning.tracker);
	close(minor);
	close(fd);
	munmap(scanning.start, scanning.len);
}

TEST(poisons_what_is_being_armed)
{
	if (kernel_is_before(6, 6))
		skip_because("this kernel has no UFFDIO_POISON");
	scanning.len = LEN;
	poison_what_is_armed(memfd_create("poison", MFD_CLOEXEC), FEATURE_MINOR_SHMEM);
}

TEST(poisons_hugetlb_that_is_being_armed)
{
	const char *reason;

	if (kernel_is_before(6, 6))
		skip_because("this kernel has no UFFDIO_POISON");
	if (!(dev_kinds() & UFFDWP_KIND_HUGETLB))
		skip_because("this kernel tracks no hugetlb");
	reason = hugetlb_reserve(4);
	if (reason)
		skip_because("%s", reason);
	scanning.len = 2 * HUGE_PAGE;
	poison_what_is_armed(memfd_create("poison", MFD_CLOEXEC | MFD_HUGETLB),
			     FEATURE_MINOR_HUGETLBFS);
	hugetlb_release();
}

TEST(tracks_hugetlb)
{
	int tracker, huge;
	char *p;

	if (!(dev_kinds() & UFFDWP_KIND_HUGETLB))
		skip_because("this kernel tracks no hugetlb");
	if (hugetlb_reserve(8))
		skip_because("no pages of hugetlb");
	p = mmap(NULL, HUGE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB,
		 -1, 0);
	assert_true(p != MAP_FAILED);
	huge = new_uffd(UFFD_FEATURE_MISSING_HUGETLBFS);
	assert_ok(uffd_register(huge, p, HUGE_LEN, MISSING));
	monitor_start(huge, HUGE_PAGE);
	tracker = dev_open();
	assert_ok(attach_riding(tracker, huge));
	assert_ok(dev_register(tracker, p, HUGE_LEN));
	p[0] = 1;
	p[HUGE_PAGE] = 1;
	assert_int_equal(monitor.missing, 2);
	assert_ok(dev_arm(tracker, p, HUGE_LEN));
	assert_int_equal(written(tracker, p, 2 * HUGE_PAGE, false), 0);
	p[HUGE_PAGE] = 2;
	assert_int_equal(written(tracker, p, 2 * HUGE_PAGE, false), 512);
	close(tracker);
	p[0] = p[3 * HUGE_PAGE] = 1;
	assert_int_equal(monitor.missing, 3);
	assert_int_equal(monitor.protected, 0);
	monitor_end();
	close(huge);
	munmap(p, HUGE_LEN);
	hugetlb_release();
}

/* ---- a process that knows nothing of it */

static int pidfd_getfd(int pidfd, int fd)
{
	return syscall(438 /* SYS_pidfd_getfd */, pidfd, fd, 0);
}

/* In the child: fill and write memory for as long as it may, and report how it went. */
static void serve_and_write(int to, int from)
{
	size_t rounds = 0, i;
	char byte;

	alarm(60);
	monitor_start(uffd, PAGE);
	touch(memory, N, 1);
	if (write(to, "r", 1) != 1)
		_exit(2);
	fcntl(from, F_SETFL, O_NONBLOCK);
	while (read(from, &byte, 1) < 0) {
		for (i = rounds++ % 7; i < N; i += 7)
			memory[i * PAGE]++;
		if (rounds % 16 == 0 && madvise(memory, 4 * PAGE, MADV_DONTNEED))
			_exit(3);
	}
	monitor.ends = true;
	pthread_join(monitor.thread, NULL);
	_exit(monitor.protected || monitor.refused || has_flags(memory, " uw") ||
	      !has_flags(memory, " um") ? 4 : 0);
}

TEST(rides_on_another_process_until_the_tracer_is_killed)
{
	int to[2], from[2], pidfd, fd, tracker, status, i;
	pid_t child, tracer;
	char byte;

	close(uffd);
	assert_ok(pipe(to));
	assert_ok(pipe(from));
	child = fork();
	if (!child) {
		uffd = new_uffd(0);
		if (uffd_register(uffd, memory, LEN, MISSING))
			_exit(1);
		/* At a number that its tracer knows. */
		dup2(uffd, 100);
		serve_and_write(from[1], to[0]);
	}
	assert_int_equal(read(from[0], &byte, 1), 1);
	pidfd = syscall(SYS_pidfd_open, child, 0);
	for (i = 0; i < 12; i++) {
		tracer = fork();
		if (!tracer) {
			fd = pidfd_getfd(pidfd, 100);
			tracker = dev_open();
			if (dev_attach(tracker, UFFDWP_ATTACH_PIDFD | UFFDWP_ATTACH_UFFD |
				       UFFDWP_ATTACH_RIDE, pidfd, fd, 0) ||
			    dev_register(tracker, memory, LEN))
				_exit(1);
			close(fd);
			if (write(from[1], "t", 1) != 1)
				_exit(1);
			for (;;)
				written(tracker, memory, LEN, true);
		}
		assert_int_equal(read(from[0], &byte, 1), 1);
		usleep(1000 * i * i);
		assert_ok(waitpid(tracer, &status, WNOHANG));
		kill(tracer, SIGKILL);
		assert_int_equal(waitpid(tracer, &status, 0), tracer);
	}
	assert_int_equal(write(to[1], "e", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(pidfd);
	uffd = new_uffd(0);
}

/* Attached and left again and again while the process registers: no protection is ever left. */
static atomic_bool registering;

static void *register_again_and_again(void *unused)
{
	unsigned long before;
	unsigned int rounds = 0;

	(void)unused;
	while (registering) {
		assert_ok(uffd_register(uffd, memory, LEN, MISSING | WP));
		assert_ok(uffd_protect(uffd, memory, LEN, true));
		before = monitor.protected;
		memory[0]++;
		assert_int_equal(monitor.protected, before + 1);
		assert_ok(uffd_protect(uffd, memory, LEN, false));
		assert_ok(uffd_unregister(uffd, memory, LEN));
		assert_ok(uffd_register(uffd, memory, LEN, MISSING));
		/*
		 * As long without protection as the other thread may need for its turn, or not.
		 * That takes some tens of milliseconds on a slow machine.
		 */
		usleep(rounds % 8 * (250 + 4 * rounds));
		rounds++;
	}
	return NULL;
}

TEST(comes_and_goes_beside_a_process_that_protects)
{
	const double until = seconds_now() + 120;
	size_t attached = 0, busy = 0, rode = 0;
	pthread_t thread;
	int tracker, i, err;

	monitor_start(uffd, PAGE);
	touch(memory, N, 1);
	registering = true;
	assert_ok(pthread_create(&thread, NULL, register_again_and_again, NULL));
	for (i = 0; seconds_now() < until && (i < 300 || !rode || !busy); i++) {
		tracker = dev_open();
		err = attach_riding(tracker, uffd);
		assert_true(!err || err == -EBUSY || err == -EAGAIN);
		if (err) {
			busy++;
		} else {
			attached++;
			if (!dev_register(tracker, memory, LEN) && !dev_arm(tracker, memory, LEN))
				rode++;
		}
		close(tracker);
	}
	registering = false;
	pthread_join(thread, NULL);
	print_message("[   INFO   ] attached %zu times, rode along %zu times, %zu refused\n",
		      attached, rode, busy);
	assert_true(attached && rode && busy);
	assert_false(has_flags(memory, " uw"));
	monitor_end();
}

/* ---- a request that another thread changes while the kernel is at it */

static struct change {
	struct uffdio_register request;
	atomic_int turn;
	unsigned long delay;
	pthread_t thread;
	bool runs;
} change;

/* After a while, and then it says that it has. */
static void *change_mode(void *unused)
{
	volatile unsigned long i;

	(void)unused;
	for (;;) {
		while (change.turn == 0)
			;
		if (change.turn < 0)
			return NULL;
		for (i = 0; i < change.delay; i++)
			;
		*(volatile uint64_t *)&change.request.mode = WP;
		change.turn = 0;
	}
}

static void change_begin(void)
{
	change.turn = 0;
	assert_ok(pthread_create(&change.thread, NULL, change_mode, NULL));
	change.runs = true;
}

static void change_end(void)
{
	if (!change.runs)
		return;
	change.turn = -1;
	pthread_join(change.thread, NULL);
	change.runs = false;
}

static int tear_down_change(void **state)
{
	change_end();
	return tear_down(state);
}

/* For MISSING, as the module reads it; for WP, as the kernel does, if the delay is right. */
static char *register_while_it_changes(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	change.request = (struct uffdio_register){
		.range = { (uintptr_t)p, PAGE }, .mode = MISSING,
	};
	change.turn = 1;
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &change.request));
	while (change.turn)
		;
	return p;
}

/*
 * Memory that is registered for WP only, behind the back of a tracker that rides along and goes on.
 * Where the change comes too early, the tracker has ended, and there is another one.
 */
static char *register_behind_its_back(int *tracker)
{
	const time_t end = time(NULL) + 60;
	char *p;

	while (time(NULL) < end) {
		p = register_while_it_changes();
		if (has_flags(p, " um")) {
			change.delay -= change.delay / 8;
		} else if (dev_arm(*tracker, memory, LEN)) {
			change.delay += 1 + change.delay / 8;
			assert_ok(uffd_unregister(uffd, p, PAGE));
			close(*tracker);
			*tracker = ride();
			assert_ok(dev_register(*tracker, memory, LEN));
		} else {
			return p;
		}
		munmap(p, PAGE);
	}
	return NULL;
}

/*
 * A VMA with a userfaultfd and no mode is a BUG of the kernel, at the next call that comes by it.
 */
static void is_left_alone(void (*how)(int *tracker, char *p))
{
	int tracker;
	char *p;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_because("there is one processor");
	tracker = ride();
	assert_ok(dev_register(tracker, memory, LEN));
	change_begin();
	p = register_behind_its_back(&tracker);
	change_end();
	if (!p) {
		close(tracker);
		skip_because("the request has never changed at the right time\n");
	}
	how(&tracker, p);
	munmap(p, PAGE);
	close(tracker);
}

static void by_close(int *tracker, char *p)
{
	close(*tracker);
	*tracker = -1;
	assert_true(has_flags(p, " uw"));
	assert_ok(uffd_protect(uffd, p, PAGE, true));
	assert_ok(uffd_unregister(uffd, p, PAGE));
	assert_false(has_flags(p, " uw"));
}

static void by_unregister(int *tracker, char *p)
{
	(void)tracker;
	assert_ok(uffd_unregister(uffd, p, PAGE));
	assert_false(has_flags(p, " uw"));
	assert_true(has_flags(memory, " uw"));
}

static void by_another_registration(int *tracker, char *p)
{
	char *other = map_anon(1);

	assert_ok(uffd_register(uffd, other, PAGE, WP));
	assert_err(dev_arm(*tracker, memory, LEN), ENODEV);
	assert_true(has_flags(p, " uw"));
	assert_ok(uffd_protect(uffd, p, PAGE, true));
	munmap(other, PAGE);
}

TEST(leaves_a_registration_behind_its_back_alone_at_its_end)
{
	is_left_alone(by_close);
}

TEST(leaves_a_registration_behind_its_back_to_unregister)
{
	is_left_alone(by_unregister);
}

TEST(leaves_a_registration_behind_its_back_alone_when_it_gives_way)
{
	is_left_alone(by_another_registration);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tracks_what_is_registered_for_missing_faults,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(answers_the_process_as_without, set_up, tear_down),
		cmocka_unit_test_setup_teardown(protects_nothing_for_the_process, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(leaves_missing_faults_after_a_discard, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(goes_on_when_the_process_registers_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(ends_where_the_process_unregisters, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_unregistered_costs_no_fault, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_part_that_is_unregistered_costs_no_fault, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_range_with_a_gap_that_is_unregistered_costs_no_fault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_unregister_leaves_all_of_it_tracked,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(copies_beside_a_refused_unregister, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(leaves_nothing_when_it_is_closed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(has_all_of_it_or_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_mremap_brings_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_taken_back_is_closed_by_the_process,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(wakes_nobody_who_waits_for_a_page, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(gives_way_when_the_process_protects, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(gives_way_when_the_process_moves, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(gives_way_with_its_mode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_when_the_process_closes_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_it_cannot_ride_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_a_forked_child_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_where_mremap_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tracks_what_is_registered_for_minor_faults, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(poisons_what_is_being_armed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(poisons_hugetlb_that_is_being_armed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(tracks_hugetlb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			rides_on_another_process_until_the_tracer_is_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(comes_and_goes_beside_a_process_that_protects,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			leaves_a_registration_behind_its_back_alone_at_its_end, set_up,
			tear_down_change),
		cmocka_unit_test_setup_teardown(
			leaves_a_registration_behind_its_back_to_unregister, set_up,
			tear_down_change),
		cmocka_unit_test_setup_teardown(
			leaves_a_registration_behind_its_back_alone_when_it_gives_way, set_up,
			tear_down_change),
	};

	return cmocka_run_group_tests_name("ride", tests, NULL, NULL);
}
