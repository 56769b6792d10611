// SPDX-License-Identifier: GPL-2.0-only
/*
 * The target and the tracer come and go at any moment: nothing leaks, nothing hangs, nothing stays
 * protected.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "madvise.h"
#include "support.h"

/* Linux 6.1; not in the C library of the same age. */

#define N 512ul
#define LEN (N * PAGE)

static char *memory;

static int set_up(void **state)
{
	(void)state;
	memory = map_filled(N);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(memory, LEN);
	return 0;
}

static int tracker_of_pid(pid_t pid, void *start, size_t len)
{
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_ok(dev_attach_pid(fd, pid));
	assert_ok(dev_register(fd, start, len));
	assert_ok(dev_arm(fd, start, len));
	return fd;
}

static int scan_once(int fd)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(memory, LEN, &region, 1);

	return dev_scan(fd, &arg);
}

TEST(the_target_exits)
{
	struct peer peer = peer_start();
	int fd = tracker_of_pid(peer.pid, memory, LEN);

	assert_int_equal(scan_once(fd), 0);
	peer_do(&peer, PEER_EXIT, NULL, 0, 0);
	peer_end(&peer);
	assert_err(scan_once(fd), ESRCH);
	assert_err(dev_arm(fd, memory, LEN), ESRCH);
	assert_err(dev_register(fd, memory, LEN), ESRCH);
	assert_err(dev_unregister(fd, memory, LEN), ESRCH);
	/* What it did can still be asked. */
	assert_int_equal(dev_stats(fd).pages_armed, N);
	close(fd);
}

TEST(the_target_is_killed)
{
	struct peer peer = peer_start();
	int fd = tracker_of_pid(peer.pid, memory, LEN);

	peer_do(&peer, PEER_WRITE, memory, LEN / 2, 3);
	peer_end(&peer);
	assert_err(scan_once(fd), ESRCH);
	close(fd);
}

TEST(the_target_calls_execve)
{
	struct peer peer = peer_start();
	int fd = tracker_of_pid(peer.pid, memory, LEN);

	peer_do(&peer, PEER_EXEC, NULL, 0, 0);
	assert_err(scan_once(fd), ESRCH);
	/* The new program is not the old address space; it can be attached to anew. */
	assert_false(has_registered_memory(peer.pid));
	close(fd);
	fd = dev_open();
	assert_ok(dev_attach_pid(fd, peer.pid));
	close(fd);
	assert_ok(kill(peer.pid, 0));
	peer_end(&peer);
}

TEST(the_target_unmaps)
{
	struct peer peer = peer_start();
	int fd = tracker_of_pid(peer.pid, memory, LEN);

	peer_do(&peer, PEER_UNMAP, memory, LEN / 2, 0);
	assert_int_equal(scan_once(fd), 0);
	assert_int_equal(categories(fd, memory), UFFDWP_PAGE_IS_UNTRACKED);
	peer_do(&peer, PEER_WRITE, memory + LEN / 2, LEN / 2, 4);
	assert_int_equal(written(fd, memory, LEN, true), N / 2);
	peer_do(&peer, PEER_UNMAP, memory, LEN, 0);
	assert_int_equal(scan_once(fd), 0);
	assert_err(dev_arm(fd, memory, LEN), ENOENT);
	close(fd);
	peer_end(&peer);
}

TEST(closing_leaves_the_target_alone)
{
	struct peer peer = peer_start();
	int fd = tracker_of_pid(peer.pid, memory, LEN);

	assert_true(has_registered_memory(peer.pid));
	close(fd);
	assert_false(has_registered_memory(peer.pid));
	peer_do(&peer, PEER_WRITE, memory, LEN, 4);
	peer_end(&peer);
}

TEST(the_tracer_is_killed)
{
	struct peer peer = peer_start();
	pid_t tracer = fork();
	int i;

	if (!tracer) {
		int fd = tracker_of_pid(peer.pid, memory, LEN);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			written(fd, memory, LEN, true);
	}
	wait_for(has_registered_memory(peer.pid));
	for (i = 0; i < 20; i++)
		peer_do(&peer, PEER_WRITE, memory, LEN, i);
	assert_ok(kill(tracer, SIGKILL));
	/* In the middle of it, and after it. */
	for (i = 0; i < 20; i++)
		peer_do(&peer, PEER_WRITE, memory, LEN, i);
	waitpid(tracer, NULL, 0);
	assert_false(has_registered_memory(peer.pid));
	peer_do(&peer, PEER_WRITE, memory, LEN, 9);
	peer_end(&peer);
}

TEST(a_tracker_of_oneself_ends_with_oneself)
{
	pid_t child = fork();
	int status;

	if (!child) {
		tracker_of(memory, LEN);
		touch(memory, N / 2, 3);
		/* Neither closed nor unregistered. */
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);

	child = fork();
	if (!child) {
		tracker_of(memory, LEN);
		execl("/bin/busybox", "true", (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

TEST(a_descriptor_that_was_inherited_means_the_parent)
{
	int fd = tracker_of(memory, LEN), status;
	pid_t child;

	touch(memory, 3, 4);
	child = fork();
	if (!child) {
		touch(memory, N, 4);
		_exit(written(fd, memory, LEN, false) != 3);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(written(fd, memory, LEN, false), 3);
	close(fd);
}

/* On one process, a page each, and on several processes. */
#define TRACKERS 250
#define PROCESSES 10

TEST(many_trackers)
{
	static int fds[TRACKERS];
	struct peer peers[PROCESSES];
	int of_peers[PROCESSES];
	size_t i;

	for (i = 0; i < PROCESSES; i++) {
		peers[i] = peer_start();
		of_peers[i] = tracker_of_pid(peers[i].pid, memory, LEN);
	}
	for (i = 0; i < TRACKERS; i++)
		fds[i] = tracker_of(memory + i * PAGE, PAGE);
	for (i = 0; i < TRACKERS; i += 2)
		memory[i * PAGE] = 3;
	for (i = 0; i < PROCESSES; i++)
		peer_do(&peers[i], PEER_WRITE, memory, (i + 1) * PAGE, 3);
	for (i = 0; i < TRACKERS; i++)
		assert_int_equal(written(fds[i], memory + i * PAGE, PAGE, true), i % 2 == 0);
	for (i = 0; i < PROCESSES; i++)
		assert_int_equal(written(of_peers[i], memory, LEN, true), i + 1);
	for (i = 0; i < TRACKERS; i++)
		close(fds[i]);
	for (i = 0; i < PROCESSES; i++) {
		peer_end(&peers[i]);
		close(of_peers[i]);
	}
}

/* ---- storms: writers that never stop, while trackers come and go. Bounded by time. */

struct storm {
	char *memory;
	size_t pages;
	atomic_bool stop;
	atomic_ulong writes;
};

static void *write_on(void *arg)
{
	struct storm *storm = arg;
	unsigned int seed = (uintptr_t)&seed;
	size_t i;

	while (!storm->stop) {
		for (i = 0; i < 64; i++)
			storm->memory[(size_t)rand_r(&seed) % storm->pages * PAGE] = i;
		atomic_fetch_add(&storm->writes, 64);
	}
	return NULL;
}

TEST(open_close_storm)
{
	struct storm storm = { .memory = memory, .pages = N };
	pthread_t threads[3];
	double end = seconds_now() + 4;
	unsigned long rounds = 0, before;
	size_t i;

	for (i = 0; i < 3; i++)
		assert_ok(pthread_create(&threads[i], NULL, write_on, &storm));
	do {
		int fd = tracker_of(memory, LEN);

		written(fd, memory, LEN, true);
		if (rounds % 2)
			assert_ok(dev_unregister(fd, memory + LEN / 4, LEN / 2));
		close(fd);
		rounds++;
	} while (seconds_now() < end && rounds < 2000);
	/* All of them still write. */
	before = storm.writes;
	wait_for(storm.writes >= before + 3 * 64 * 10);
	storm.stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	print_message("[   INFO   ] %lu trackers, %lu writes\n", rounds,
		      (unsigned long)storm.writes);
}

TEST(huge_page_close_storm)
{
	char *huge = map_huge(2);
	struct storm storm = { .memory = huge, .pages = 1024 };
	pthread_t threads[2];
	double end = seconds_now() + 3;
	unsigned long rounds = 0;
	size_t i;

	if (!huge)
		skip_because("no huge page could be had");
	for (i = 0; i < 2; i++)
		assert_ok(pthread_create(&threads[i], NULL, write_on, &storm));
	do {
		close(tracker_of(huge, 2 * HUGE_PAGE));
		/* Huge again, so that the next tracker arms a huge page. */
		madvise(huge, 2 * HUGE_PAGE, MADV_COLLAPSE);
		rounds++;
	} while (seconds_now() < end && rounds < 1000);
	storm.stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	munmap(huge, 2 * HUGE_PAGE);
}

/* The target dies at a random moment while it is scanned. */
TEST(exit_storm)
{
	double end = seconds_now() + 4;
	unsigned int rounds = 0, seed = 1;

	do {
		int fd = dev_open(), ret;
		pid_t child = fork();

		if (!child)
			for (;;)
				touch(memory, N, 3);
		ret = dev_attach_pid(fd, child);
		if (!ret)
			ret = dev_register(fd, memory, LEN);
		assert_ok(ret);
		usleep(rand_r(&seed) % 3000);
		kill(child, SIGKILL);
		do {
			struct uffdwp_scan_arg arg = scan_arg(memory, LEN, NULL, 0);

			arg.flags = UFFDWP_SCAN_WP_MATCHING;
			ret = dev_scan(fd, &arg);
		} while (!ret);
		assert_err(ret, ESRCH);
		waitpid(child, NULL, 0);
		close(fd);
		rounds++;
	} while (seconds_now() < end && rounds < 300);
}

/* munmap(), mmap(), mprotect() and MADV_DONTNEED in one thread while another scans. */
struct changer {
	char *memory;
	atomic_bool stop;
};

static void *change_on(void *arg)
{
	struct changer *c = arg;
	unsigned int seed = 7;

	while (!c->stop) {
		char *at = c->memory + rand_r(&seed) % (N / 2) * PAGE;
		size_t len = (1 + rand_r(&seed) % 64) * PAGE;

		switch (rand_r(&seed) % 5) {
		case 0:
			if (mmap(at, len, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
				abort();
			break;
		case 1:
			mprotect(at, len, PROT_READ);
			mprotect(at, len, PROT_READ | PROT_WRITE);
			break;
		case 2:
			madvise(at, len, MADV_DONTNEED);
			break;
		default:
			touch(at, len / PAGE, 3);
		}
	}
	return NULL;
}

TEST(mapping_storm)
{
	struct changer changer = { .memory = memory };
	double end = seconds_now() + 4;
	unsigned long rounds = 0;
	pthread_t thread;
	int fd = dev_open();

	assert_ok(dev_attach_self(fd));
	assert_ok(pthread_create(&thread, NULL, change_on, &changer));
	while (seconds_now() < end && rounds < 20000) {
		int ret = dev_register(fd, memory, LEN);

		if (ret != -ENOENT)
			assert_ok(ret);
		written(fd, memory, LEN, true);
		rounds++;
	}
	changer.stop = true;
	pthread_join(thread, NULL);
	close(fd);
	assert_false(has_registered_memory(getpid()));
}

static long slab_objects(const char *name)
{
	return number_after("/proc/slabinfo", name);
}

static void trackers_and_targets_come_and_go(int n)
{
	while (n--) {
		struct peer peer = peer_start();
		int fd = tracker_of_pid(peer.pid, memory, LEN);

		if (n % 2)
			close(fd);
		peer_end(&peer);
		if (!(n % 2))
			close(fd);
	}
}

/* Slabs count in batches, so there are many. */
static void no_more_objects_than_before(void)
{
	long contexts, spaces;

	sleep(1);
	contexts = slab_objects("userfaultfd_ctx_cache");
	spaces = slab_objects("mm_struct");
	trackers_and_targets_come_and_go(200);
	/* The last of them go when the kernel has time for it. */
	wait_for(slab_objects("userfaultfd_ctx_cache") < contexts + 100);
	wait_for(slab_objects("mm_struct") < spaces + 100);
	print_message("[   INFO   ] userfaultfd contexts %ld -> %ld, mm_structs %ld -> %ld\n",
		      contexts, slab_objects("userfaultfd_ctx_cache"), spaces,
		      slab_objects("mm_struct"));
}

static void nothing_is_out_of_reach(void)
{
	static char found[1 << 16];
	const char *reason;

	trackers_and_targets_come_and_go(50);
	reason = find_leaks(found, sizeof(found));
	if (reason)
		skip_because("KASAN keeps what was freed, and %s", reason);
	if (found[0])
		fail_msg("leaked:\n%s", found);
}

/* mm_struct and userfaultfd contexts are given back, and whatever else there is. */
TEST(nothing_leaks)
{
	/* Freed objects stay in KASAN's quarantine and are counted. */
	if (!system("grep -q ' kasan_quarantine_put$' /proc/kallsyms"))
		nothing_is_out_of_reach();
	else
		no_more_objects_than_before();
}

/*
 * ---- zero pages that KSM has placed look like those that a tracker places. The kernel counts them
 * until they are written to or unmapped, by itself.
 */

/* Of which the tracker has to place the last one. */
#define ZEROES 64ul

static void stop_by_closing(int fd, const char *start, size_t len)
{
	(void)start;
	(void)len;
	close(fd);
}

static void stop_by_unregistering(int fd, const char *start, size_t len)
{
	assert_ok(dev_unregister(fd, start, len));
	close(fd);
}

/* The tracker gives way. Others than its own may go, too, and are counted no more then. */
static void stop_by_registering(int fd, const char *start, size_t len)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = new_uffd(0);

	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &arg));
	close(uffd);
	close(fd);
}

static int end_ksm(void **state)
{
	ksm_off();
	return tear_down(state);
}

static void zero_pages_of_ksm_are_counted(bool stay,
					  void (*stop_tracking)(int fd, const char *start,
								size_t len))
{
	const size_t len = (ZEROES + 1) * PAGE;
	const long before = ksm_zero_pages();
	const char *reason;
	long before_here;
	char *p;
	int fd;

	if (before < 0)
		skip_because("this kernel does not count the zero pages of KSM");
	before_here = ksm_zero_pages_here();
	p = map_anon(ZEROES + 1);
	touch(p, ZEROES, 0);
	reason = ksm_merge_zeroes(p, ZEROES * PAGE);
	if (reason)
		fail_msg("%s", reason);
	fd = tracker_of(p, len);
	assert_int_equal(dev_stats(fd).zero_installed, 1);
	assert_int_equal(written(fd, p, len, false), 0);
	assert_int_equal(ksm_zero_pages_here() - before_here, ZEROES);
	/* One that is written to is counted no more. */
	p[0] = 1;
	assert_int_equal(written(fd, p, len, false), 1);
	assert_int_equal(ksm_zero_pages_here() - before_here, ZEROES - 1);
	stop_tracking(fd, p, len);
	if (stay)
		assert_int_equal(ksm_zero_pages_here() - before_here, ZEROES - 1);
	munmap(p, len);
	assert_int_equal(ksm_zero_pages_here() - before_here, 0);
	assert_int_equal(ksm_zero_pages() - before, 0);
}

TEST(zero_pages_of_ksm_outlive_the_tracker)
{
	zero_pages_of_ksm_are_counted(true, stop_by_closing);
}

TEST(zero_pages_of_ksm_are_not_unregistered)
{
	zero_pages_of_ksm_are_counted(true, stop_by_unregistering);
}

TEST(zero_pages_of_ksm_are_given)
{
	zero_pages_of_ksm_are_counted(false, stop_by_registering);
}

/*
 * Linux 7.3: read protection of the process's own userfaultfd, which has the same bit in the
 * entries. A tracker of that userfaultfd neither takes it away nor takes it for its own.
 */
#define MODE_RWP (1ull << 3)
#define FEATURE_RWP (1ull << 17)

TEST(read_protection_outlives_the_tracker)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_RWP };
	struct uffdio_register reg = { .mode = MODE_RWP };
	struct {
		struct uffdio_range range;
		uint64_t mode;
	} protect = { .mode = 1 };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), fd = dev_open();
	char *kept, *tracked;

	if (ioctl(uffd, UFFDIO_API, &api))
		skip_because("this kernel has no read protection");
	kept = map_filled(N);
	tracked = map_filled(N);
	protect.range = reg.range = (struct uffdio_range){ (uintptr_t)kept, LEN };
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_ok(ioctl(uffd, _IOWR(UFFDIO, 0x09, protect), &protect));
	assert_int_equal(armed_entries(kept, N), N);
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(dev_register(fd, tracked, LEN));
	assert_ok(dev_arm(fd, tracked, LEN));
	assert_true(categories(fd, kept) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_int_equal(armed_entries(kept, N), N);
	assert_ok(dev_disarm(fd, tracked, LEN));
	close(fd);
	assert_int_equal(armed_entries(tracked, N), 0);
	assert_int_equal(armed_entries(kept, N), N);
	close(uffd);
	munmap(kept, LEN);
	munmap(tracked, LEN);
}

#define with_set_up(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* With an argument only the tests whose names match it. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_set_up(the_target_exits),
		with_set_up(the_target_is_killed),
		with_set_up(the_target_calls_execve),
		with_set_up(the_target_unmaps),
		with_set_up(closing_leaves_the_target_alone),
		with_set_up(the_tracer_is_killed),
		with_set_up(a_tracker_of_oneself_ends_with_oneself),
		with_set_up(a_descriptor_that_was_inherited_means_the_parent),
		with_set_up(many_trackers),
		with_set_up(open_close_storm),
		with_set_up(huge_page_close_storm),
		with_set_up(exit_storm),
		with_set_up(mapping_storm),
		with_set_up(nothing_leaks),
		cmocka_unit_test(read_protection_outlives_the_tracker),
		cmocka_unit_test_setup_teardown(zero_pages_of_ksm_outlive_the_tracker, set_up,
						end_ksm),
		cmocka_unit_test_setup_teardown(zero_pages_of_ksm_are_not_unregistered, set_up,
						end_ksm),
		cmocka_unit_test_setup_teardown(zero_pages_of_ksm_are_given, set_up, end_ksm),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
