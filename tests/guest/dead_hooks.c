// SPDX-License-Identifier: GPL-2.0-only
/*
 * dead_hooks [native]: the hooks in the fault path are not called any more. Nobody sleeps for ever,
 * nothing stays armed, no command says "clean".
 *
 * For a build of the module that a test can make deaf: tests/mutants/dead-hooks.patch. With native,
 * for trackers of native_abi=1. The last tests kill ftrace, for good: one run is one guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "native.h"
#include "support.h"
#include "writer.h"

#define DEAF "/sys/module/uffdwp_async/parameters/deaf"

enum { HEARING = 0, DEAF_HOOKS = 1, DEAD_FTRACE = 2 };

static void become(int what)
{
	char number[] = { '0' + what, 0 };

	assert_ok(write_file(DEAF, number));
}

static int hear_again(void **state)
{
	(void)state;
	become(HEARING);
	return 0;
}

/* ---- each kind of memory */

struct kind {
	const char *name;
	char *(*map)(size_t len);
	uint32_t unpopulated;
	size_t step;		/* of the writer */
	uint64_t needs;		/* UFFDWP_KIND_* */
};

#define LEN (2 * HUGE_PAGE)

static char *some_filled(size_t len)
{
	return map_filled(len / PAGE);
}

static char *some_empty(size_t len)
{
	return map_anon(len / PAGE);
}

static char *some_huge(size_t len)
{
	return map_huge(len / HUGE_PAGE);
}

static char *some_shared(size_t len)
{
	return map_shared(len, NULL);
}

static char *some_hugetlb(size_t len)
{
	return hugetlb_reserve(len / HUGE_PAGE) ? NULL : map_hugetlb(len / HUGE_PAGE, NULL);
}

static const struct kind kinds[] = {
	{ "pages of their own", some_filled, UFFDWP_UNPOP_DEFAULT, PAGE, 0 },
	{ "zero pages", some_empty, UFFDWP_UNPOP_ZERO, PAGE, 0 },
	{ "huge pages", some_huge, UFFDWP_UNPOP_DEFAULT, PAGE, 0 },
	{ "shared memory", some_shared, UFFDWP_UNPOP_DEFAULT, PAGE, UFFDWP_KIND_SHMEM },
	{ "hugetlb", some_hugetlb, UFFDWP_UNPOP_DEFAULT, HUGE_PAGE, UFFDWP_KIND_HUGETLB },
};

static void sleep_in(const struct kind *kind)
{
	char *memory = kind->map(LEN);
	struct writer *w;
	pid_t pid;
	int fd;

	if (!memory) {
		print_message("[          ] there are no %s to be had\n", kind->name);
		return;
	}
	w = writer_new(memory, LEN / kind->step, kind->step);
	pid = writer_fork(w);

	fd = dev_open();
	assert_ok(dev_attach(fd, UFFDWP_ATTACH_PIDFD, syscall(SYS_pidfd_open, pid, 0), 0,
			     kind->unpopulated));
	/* The child has no page of its own yet. */
	writer_write(w, kind->name);
	assert_ok(dev_register(fd, memory, LEN));
	assert_ok(dev_arm(fd, memory, LEN));
	writer_write(w, kind->name);
	assert_int_equal(written(fd, memory, LEN, true), LEN / PAGE);
	assert_int_equal(written(fd, memory, LEN, false), 0);
	assert_int_equal(dev_stats(fd).hooks_dead, 0);

	become(DEAF_HOOKS);
	writer_write(w, kind->name);
	assert_lost(fd, memory, LEN);
	writer_write(w, kind->name);
	assert_ok(dev_unregister(fd, memory, LEN));
	become(HEARING);

	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(memory, LEN);
	writer_free(w);
}

TEST(a_sleeper_comes_back)
{
	const uint64_t offered = dev_kinds();
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!(kinds[i].needs & ~offered))
			sleep_in(&kinds[i]);
	hugetlb_release();
}

#define THREADS 8

TEST(all_threads_of_a_process_come_back)
{
	const size_t part = 16 * PAGE;
	char *memory = map_filled(THREADS / 2 * 16);
	struct writer *w[THREADS];
	size_t i;
	int fd;

	for (i = 0; i < THREADS; i++) {
		/* Two on each part. */
		w[i] = writer_new(memory + i / 2 * part, 16, PAGE);
		writer_thread(w[i]);
	}
	fd = tracker_of(memory, THREADS / 2 * part);
	become(DEAF_HOOKS);
	for (i = 0; i < THREADS; i++)
		writer_begin(w[i]);
	for (i = 0; i < THREADS; i++)
		wait_for(writer_is_done(w[i]));
	assert_lost(fd, memory, THREADS / 2 * part);
	close(fd);
}

/* Others find out themselves, when they have to. */
TEST(another_tracker_goes_on)
{
	char *ours = map_filled(16), *theirs = map_filled(16);
	struct writer *w = writer_new(theirs, 16, PAGE);
	pid_t pid = writer_fork(w);
	int fd, lost;

	fd = tracker_of(ours, 16 * PAGE);
	lost = dev_open();
	assert_ok(dev_attach_pid(lost, pid));
	assert_ok(dev_register(lost, theirs, 16 * PAGE));
	assert_ok(dev_arm(lost, theirs, 16 * PAGE));
	become(DEAF_HOOKS);
	writer_write(w, "the other process");
	become(HEARING);
	assert_lost(lost, theirs, 16 * PAGE);
	ours[0] = 2;
	assert_int_equal(written(fd, ours, 16 * PAGE, true), 1);
	assert_int_equal(dev_stats(fd).hooks_dead, 0);
	close(lost);
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* It sleeps, and the one that would help it has to wait for its locks to be freed by its death. */
TEST(a_sleeper_can_be_killed)
{
	char *memory = map_filled(16);
	struct writer *w = writer_new(memory, 16, PAGE);
	struct uffdwp_region region;
	struct uffdwp_scan_arg scan = scan_arg(memory, 16 * PAGE, &region, 1);
	pid_t pid = writer_fork(w);
	int fd;

	fd = dev_open();
	assert_ok(dev_attach_pid(fd, pid));
	assert_ok(dev_register(fd, memory, 16 * PAGE));
	assert_ok(dev_arm(fd, memory, 16 * PAGE));
	become(DEAF_HOOKS);
	writer_begin(w);
	wait_for(sleeps_in_handle_userfault(pid) || writer_is_done(w));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	become(HEARING);
	wait_for(dev_scan(fd, &scan) == -ESRCH);
	close(fd);
}

/* ---- ftrace is killed: from here on for good */

static int own_uffd, handed_in;
static char *armed_by_owner;
static struct writer *owner;

/* Before: a fault on it may be its owner's, so nobody looks. */
TEST(a_handed_in_userfaultfd_is_the_owners)
{
	armed_by_owner = map_filled(16);
	owner = writer_new(armed_by_owner, 16, PAGE);
	writer_thread(owner);
	own_uffd = new_uffd(0);
	handed_in = dev_open();
	assert_ok(dev_attach_uffd(handed_in, own_uffd));
	assert_ok(dev_register(handed_in, armed_by_owner, 16 * PAGE));
	assert_ok(dev_arm(handed_in, armed_by_owner, 16 * PAGE));
	become(DEAF_HOOKS);
	writer_begin(owner);
	sleep(2);
	assert_false(writer_is_done(owner));
	assert_int_equal(dev_stats(handed_in).hooks_dead, 0);
}

TEST(a_scan_is_refused_at_once)
{
	char *memory = map_filled(16);
	int fd = tracker_of(memory, 16 * PAGE), other;

	assert_int_equal(written(fd, memory, 16 * PAGE, false), 0);
	become(DEAD_FTRACE);
	assert_lost(fd, memory, 16 * PAGE);
	assert_true(ftrace_is_dead());
	other = dev_open();
	assert_err(dev_attach_self(other), ENOTRECOVERABLE);
	memset(memory, 2, 16 * PAGE);
	close(other);
	close(fd);
}

TEST(owners_of_userfaultfds_come_back)
{
	struct uffdio_writeprotect protect = {
		.range = { (uintptr_t)armed_by_owner, 16 * PAGE },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int i;

	wait_for(writer_is_done(owner));
	assert_lost(handed_in, armed_by_owner, 16 * PAGE);
	assert_int_equal(dev_stats(handed_in).hooks_dead, 1);
	/* The kernel may let the owner arm on: again and again nobody sleeps for ever. */
	for (i = 0; i < 3; i++) {
		struct uffdio_register reg = {
			.range = protect.range, .mode = UFFDIO_REGISTER_MODE_WP
		};

		assert_ok(ioctl(own_uffd, UFFDIO_REGISTER, &reg));
		assert_ok(ioctl(own_uffd, UFFDIO_WRITEPROTECT, &protect));
		writer_write(owner, "the owner of a userfaultfd");
	}
	close(handed_in);
	close(own_uffd);
}

/* Hooks that cannot be removed may still be called: rmmod must not wait for ever. */
TEST(the_module_stays)
{
	/* Hooks of the last tracker are to be removed 2 s after it was closed. */
	sleep(4);
	assert_int_equal(syscall(SYS_delete_module, "uffdwp_async", O_NONBLOCK), -1);
	assert_true(errno == EAGAIN || errno == EBUSY || errno == EWOULDBLOCK);
}

/* ---- native_abi=1 */

TEST(a_native_tracker_lets_go)
{
	char *memory = map_filled(16), *late = map_filled(16);
	struct writer *w = writer_new(memory, 16, PAGE);
	struct scan_region region;
	struct scan scan = written_pages(memory, 16 * PAGE, &region, 1);
	int uffd = async_uffd_of(memory, 16 * PAGE), pagemap = open_pagemap(0), other;

	writer_thread(w);
	assert_int_equal(scan_pages(pagemap, &scan), 0);
	become(DEAD_FTRACE);
	writer_write(w, "the owner of a userfaultfd");
	assert_true(ftrace_is_dead());
	assert_err(scan_pages(pagemap, &scan), ENOTRECOVERABLE);
	/* Whatever it can still arm, it does not sleep in for ever. */
	uffd_protect(uffd, memory, 16 * PAGE, WRITEPROTECT_WP);
	writer_write(w, "the owner of a userfaultfd");
	other = raw_uffd(0);
	assert_err(uffd_api(other, FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED, NULL), EINVAL);
	memset(late, 2, 16 * PAGE);
	close(other);
	close(pagemap);
	close(uffd);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_sleeper_comes_back, hear_again),
		cmocka_unit_test_teardown(all_threads_of_a_process_come_back, hear_again),
		cmocka_unit_test_teardown(another_tracker_goes_on, hear_again),
		cmocka_unit_test_teardown(a_sleeper_can_be_killed, hear_again),
		cmocka_unit_test(a_handed_in_userfaultfd_is_the_owners),
		cmocka_unit_test(a_scan_is_refused_at_once),
		cmocka_unit_test(owners_of_userfaultfds_come_back),
		cmocka_unit_test(the_module_stays),
	};
	static const struct CMUnitTest native[] = {
		cmocka_unit_test(a_native_tracker_lets_go),
	};

	if (argc > 1 && !strcmp(argv[1], "native"))
		return cmocka_run_group_tests_name("dead_hooks native", native, NULL, NULL);
	return cmocka_run_group_tests_name("dead_hooks", tests, NULL, NULL);
}
