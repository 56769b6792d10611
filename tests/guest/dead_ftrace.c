// SPDX-License-Identifier: GPL-2.0-only
/*
 * dead_ftrace: BPF kills ftrace while a process is tracked. It sleeps for a moment and goes on,
 * nothing stays armed, and no command says "clean".
 *
 * On Linux 6.1 it takes one BPF program at the entry of a function and then one at its exit, where
 * a module has redirected the function: bpf_trampoline_update() is told to begin again (-EAGAIN)
 * and resets ->func of an ftrace_ops that is in the list and stays there. The next call of the
 * function ends in FTRACE_WARN_ON(!op->func). Later kernels reset
 * nothing: there the test sees that BPF and the hooks agree.
 *
 * The kernel is broken afterwards and says so in its log: one run is one guest, which tells the
 * runner to expect that. The function goes on calling the trampolines of the BPF programs, so these
 * must stay: a process that nobody ends holds them until the machine goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf.h"
#include "native.h"
#include "support.h"
#include "unserved.h"
#include "writer.h"

#define HUGE_PAGES 2ul
#define LEN (HUGE_PAGES * HUGE_PAGE)

/* Programs and links live as long as one of their descriptors. */
static void hold_for_ever(int tracker)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return;
	setsid();
	close(tracker);
	for (;;)
		pause();
}

TEST(nobody_sleeps_when_ftrace_dies)
{
	char *seen = map_huge(HUGE_PAGES), *asleep = map_huge(HUGE_PAGES);
	struct writer *w, *sleeper;
	int tracker, other, entry, leave;
	pid_t pid, sleeping;

	assert_non_null(seen);
	assert_non_null(asleep);
	w = writer_new(seen, HUGE_PAGES, HUGE_PAGE);
	sleeper = writer_new(asleep, HUGE_PAGES, HUGE_PAGE);
	pid = writer_fork(w);
	sleeping = writer_fork(sleeper);
	/* Pages of its own, of which the fork has left none. */
	assert_ok(munmap(seen, LEN));
	assert_ok(munmap(asleep, LEN));

	tracker = dev_open();
	other = dev_open();
	assert_ok(dev_attach_pid(other, pid));
	assert_ok(dev_register(other, seen, LEN));
	assert_ok(dev_arm(other, seen, LEN));
	writer_write(w, "with hooks");
	assert_int_equal(dev_stats(other).huge_splits, HUGE_PAGES);
	assert_ok(dev_attach_pid(tracker, sleeping));
	assert_ok(dev_register(tracker, asleep, LEN));
	assert_ok(dev_arm(tracker, asleep, LEN));

	entry = bpf_load("handle_userfault", BPF_AT_ENTRY);
	leave = bpf_load("handle_userfault", BPF_AT_EXIT);
	if (entry < 0 || leave < 0)
		skip_because("no BPF program on this kernel: %d, %d", entry, leave);
	if (bpf_attach(entry) < 0 || bpf_attach(leave) < 0)
		skip_because("this kernel lets no BPF program beside a hook");
	hold_for_ever(tracker);
	assert_false(ftrace_is_dead());
	writer_write(sleeper, "with BPF programs on the hooked function");
	if (!ftrace_is_dead()) {
		assert_int_equal(dev_stats(tracker).huge_splits, HUGE_PAGES);
		skip_because("BPF programs do not kill ftrace on this kernel");
	}

	assert_lost(tracker, asleep, LEN);
	assert_lost(other, seen, LEN);
	writer_write(sleeper, "afterwards");
	writer_write(w, "the other process");
	close(tracker);
	close(other);
	writer_write(sleeper, "without a tracker");
	other = dev_open();
	assert_err(dev_attach_pid(other, pid), ENOTRECOVERABLE);
	close(other);
	kill(pid, SIGKILL);
	kill(sleeping, SIGKILL);
	waitpid(pid, NULL, 0);
	waitpid(sleeping, NULL, 0);
}

/* ---- a monitor that the kernel itself delivers write faults to (native_abi=1) */

static struct {
	int uffd;
	char *page;
} monitored = { .uffd = -1 };

/* Before ftrace dies: a page with nothing in it is protected by a marker. */
static int protect_for_monitor(void **state)
{
	(void)state;
	if (!kernel_is_before(6, 4) || !(uffd_features() & FEATURE_WP_UNPOPULATED))
		return 0;
	monitored.page = map_anon(1);
	monitored.uffd = raw_uffd(O_CLOEXEC | O_NONBLOCK);
	return uffd_api(monitored.uffd, FEATURE_WP | FEATURE_WP_UNPOPULATED, NULL) ||
	       uffd_register(monitored.uffd, monitored.page, PAGE, REGISTER_WP, NULL) ||
	       uffd_protect(monitored.uffd, monitored.page, PAGE, WRITEPROTECT_WP);
}

static void *write_to_monitored(void *unused)
{
	(void)unused;
	*(volatile char *)monitored.page = 1;
	return NULL;
}

/* A marker is SIGBUS where the kernel knows none in anonymous memory. */
TEST(markers_of_a_monitor_become_zero_pages)
{
	struct pollfd pfd = { .fd = monitored.uffd, .events = POLLIN };
	pthread_t thread;
	int ends[2];

	if (monitored.uffd < 0)
		skip_because("the kernel knows markers, or the module was loaded without native_abi=1");
	if (!ftrace_is_dead())
		skip_because("BPF programs do not kill ftrace on this kernel");
	assert_ok(pipe(ends));
	/* Seen within half a second; a system call is told EFAULT, and not killed. */
	wait_for(write(ends[1], monitored.page, 1) == 1);
	assert_ok(pthread_create(&thread, NULL, write_to_monitored, NULL));
	assert_int_equal(poll(&pfd, 1, 20000), 1);
	assert_ok(uffd_protect(monitored.uffd, monitored.page, PAGE, 0));
	pthread_join(thread, NULL);
	assert_int_equal(*monitored.page, 1);
	close(monitored.uffd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_sleeps_when_ftrace_dies),
		cmocka_unit_test(markers_of_a_monitor_become_zero_pages),
	};

	return cmocka_run_group_tests_name("dead_ftrace", tests, protect_for_monitor, NULL);
}
