// SPDX-License-Identifier: GPL-2.0-only
/*
 * The right to a process when something else decides about it, or changes it meanwhile: Yama, user
 * namespaces, a number that is used again, a program that is no longer to be looked at, execve(2)
 * of a program with more rights; and what a descriptor is worth to somebody without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

#define NOBODY 1000
#define YAMA "/proc/sys/kernel/yama/ptrace_scope"

static const char *self;

static int set_up(void **state)
{
	(void)state;
	return chmod(UFFDWP_DEVICE, 0666);
}

static int tear_down(void **state)
{
	(void)state;
	return chmod(UFFDWP_DEVICE, 0600);
}

/* From now on this process is of no account, and may be looked at by its like. */
static void become_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		_exit(100);
}

static pid_t sleeper(bool nobody)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (nobody)
			become_nobody();
		pause();
		_exit(0);
	}
	usleep(20000);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int attach_anew(pid_t pid)
{
	const int fd = dev_open(), err = dev_attach_pid(fd, pid);

	close(fd);
	return err;
}

/* What a child of ours that does that returns, as -errno. */
#define in_child(statements) ({						\
	pid_t in_child_pid = fork();					\
	int in_child_status;						\
									\
	if (!in_child_pid) {						\
		statements;						\
		_exit(101);						\
	}								\
	waitpid(in_child_pid, &in_child_status, 0);			\
	assert_true(WIFEXITED(in_child_status));			\
	-WEXITSTATUS(in_child_status);					\
})

/* ---- a number that is used again */

static pid_t fork_with_number(pid_t number)
{
	char text[16];
	pid_t pid;
	int i;

	snprintf(text, sizeof(text), "%d", number - 1);
	for (i = 0; i < 1000; i++) {
		assert_ok(write_file("/proc/sys/kernel/ns_last_pid", text));
		pid = sleeper(false);
		if (pid == number)
			return pid;
		end(pid);
	}
	return 0;
}

TEST(a_number_that_is_used_again)
{
	pid_t first, second;
	int pidfd, fd;

	if (access("/proc/sys/kernel/ns_last_pid", W_OK))
		skip_because("numbers of processes cannot be chosen in this kernel");
	first = sleeper(false);
	pidfd = syscall(SYS_pidfd_open, first, 0);
	fd = dev_open();
	end(first);
	second = fork_with_number(first);
	assert_int_equal(second, first);
	assert_err(dev_attach(fd, UFFDWP_ATTACH_PIDFD, pidfd, 0, 0), ESRCH);
	assert_ok(attach_anew(second));
	end(second);
	close(pidfd);
	close(fd);
}

/* ---- Yama */

static int child_attaches(pid_t pid)
{
	return in_child(become_nobody(); _exit(-attach_anew(pid)));
}

static int child_attaches_to_its_child(void)
{
	return in_child(
		become_nobody();
		pid_t pid = sleeper(false);
		int err = attach_anew(pid);

		end(pid);
		_exit(-err)
	);
}

TEST(yama_decides)
{
	const pid_t other = sleeper(true);
	char before[16];

	if (read_number(YAMA) < 0)
		skip_because("this kernel has no Yama");
	snprintf(before, sizeof(before), "%ld", read_number(YAMA));
	assert_ok(write_file(YAMA, "0"));
	assert_ok(child_attaches(other));
	assert_ok(write_file(YAMA, "1"));
	assert_err(child_attaches(other), EPERM);
	assert_ok(child_attaches_to_its_child());
	assert_ok(attach_anew(other));
	assert_ok(write_file(YAMA, "2"));
	assert_err(child_attaches_to_its_child(), EPERM);
	assert_ok(attach_anew(other));
	assert_ok(write_file(YAMA, before));
	end(other);
}

/* ---- user namespaces */

static void enter_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		_exit(102);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	/* Root of it */
	if (write_file("/proc/self/setgroups", "deny") ||
	    write_file("/proc/self/uid_map", "0 1000 1") || write_file("/proc/self/gid_map", "0 1000 1"))
		_exit(103);
}

TEST(root_of_a_namespace_has_what_is_in_it)
{
	pid_t inside, outside;

	if (access("/proc/self/ns/user", F_OK))
		skip_because("this kernel has no user namespaces");
	outside = sleeper(true);
	/* Debian's own, before 6.x; no harm where it is not. */
	write_file("/proc/sys/kernel/unprivileged_userns_clone", "1");
	assert_ok(in_child(
		become_nobody();
		enter_namespace();
		inside = sleeper(false);
		_exit(-attach_anew(inside))
	));
	/* The same user, and not of this namespace. */
	assert_err(in_child(
		become_nobody();
		enter_namespace();
		_exit(-attach_anew(outside))
	), EPERM);
	/* Who has made it is as its root, from outside. */
	assert_ok(in_child(
		become_nobody();
		inside = fork();
		if (!inside) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			enter_namespace();
			pause();
		}
		usleep(200000);
		_exit(-attach_anew(inside))
	));
	end(outside);
}

/* ---- a program that is no longer to be looked at */

TEST(what_is_no_longer_dumpable_stays_tracked)
{
	int to[2], status, err, fd;
	char *page = map_filled(1), byte;
	pid_t target, tracer;

	assert_ok(pipe(to));
	target = fork();
	if (!target) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		become_nobody();
		usleep(500000);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		page[0]++;
		if (write(to[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	usleep(100000);
	tracer = fork();
	if (!tracer) {
		become_nobody();
		fd = dev_open();
		err = dev_attach_pid(fd, target) ?: dev_register(fd, page, PAGE) ?:
		      dev_arm(fd, page, PAGE);
		if (err || read(to[0], &byte, 1) != 1)
			_exit(1);
		if (attach_anew(target) != -EPERM)
			_exit(2);
		_exit(written(fd, page, PAGE, false) == 1 ? 0 : 3);
	}
	waitpid(tracer, &status, 0);
	assert_int_equal(status, 0);
	end(target);
	munmap(page, PAGE);
	close(to[0]);
	close(to[1]);
}

/* ---- a descriptor that is passed on */

TEST(a_tracker_is_the_right)
{
	char *page = map_filled(1);
	const pid_t target = sleeper(false);
	const int fd = dev_open();

	assert_ok(dev_attach_pid(fd, target));
	assert_ok(dev_register(fd, page, PAGE));
	assert_ok(dev_arm(fd, page, PAGE));
	/* No right to the process; but to what it does to memory, as said in the header. */
	assert_err(child_attaches(target), EPERM);
	assert_ok(in_child(
		become_nobody();
		_exit(written(fd, page, PAGE, false) == 0 ? 0 : 1)
	));
	close(fd);
	end(target);
	munmap(page, PAGE);
}

/* ---- execve(2) of a program with more rights, while somebody attaches */

#define PRIVILEGED "/privileged"

/* What it executes: is its memory tracked? For as long as an attaching tracer needs to come. */
static int see_whether_tracked(void)
{
	const int until = 20;
	int i;

	if (geteuid())
		return 104;
	for (i = 0; i < until; i++) {
		if (has_registered_memory(getpid()))
			return 77;
		usleep(500);
	}
	return 0;
}

static void copy_myself(const char *to)
{
	const int in = open(self, O_RDONLY), out = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0700);
	char buffer[65536];
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, n), n);
	assert_ok(fchmod(out, 04755));
	close(in);
	close(out);
}

/* Attach, and track everything, until it cannot be had any more: -errno of that. */
static int attach_until_refused(int pidfd, unsigned int *attached)
{
	struct uffdwp_follow_arg follow = { .size = sizeof(follow) };
	int fd, err;

	for (;;) {
		fd = dev_open();
		err = dev_attach(fd, UFFDWP_ATTACH_PIDFD, pidfd, 0, 0);
		if (!err) {
			++*attached;
			err = dev_ioctl(fd, UFFDWP_IOC_FOLLOW, &follow);
			if (err == -ESRCH)
				err = 0;
		}
		close(fd);
		if (err)
			return err;
	}
}

/* Exits with 0; 1 when the program was tracked, 2 for an answer that should not be. */
static void race_with_exec(unsigned int usec)
{
	unsigned int attached = 0;
	int pidfd, err, status;
	pid_t pid;

	become_nobody();
	pid = fork();
	if (!pid) {
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		usleep(usec);
		execl(PRIVILEGED, "privileged", "see", NULL);
		_exit(105);
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	err = attach_until_refused(pidfd, &attached);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		_exit(1);
	if (status || (err != -EPERM && err != -ESRCH))
		_exit(2);
	_exit(attached ? 0 : 3);
}

TEST(a_program_with_more_rights_cannot_be_caught_at_its_exec)
{
	const time_t until = time(NULL) + 20;
	int rounds = 0, early = 0, status;
	uint64_t chance = 1;
	pid_t pid;

	copy_myself(PRIVILEGED);
	for (; rounds < 200 && time(NULL) < until; rounds++) {
		pid = fork();
		if (!pid)
			race_with_exec(next_random(&chance) % 30000);
		waitpid(pid, &status, 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 1)
			fail_msg("a program with more rights was tracked by who has none to it");
		assert_int_not_equal(WEXITSTATUS(status), 2);
		early += !WEXITSTATUS(status);
	}
	unlink(PRIVILEGED);
	print_message("[   INFO   ] %d programs, %d of them attached to before execve(2)\n", rounds,
		      early);
	assert_true(early);
}

#define SECURITY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SECURITY_TEST(a_number_that_is_used_again),
		SECURITY_TEST(yama_decides),
		SECURITY_TEST(root_of_a_namespace_has_what_is_in_it),
		SECURITY_TEST(what_is_no_longer_dumpable_stays_tracked),
		SECURITY_TEST(a_tracker_is_the_right),
		SECURITY_TEST(a_program_with_more_rights_cannot_be_caught_at_its_exec),
	};

	if (argc > 1 && !strcmp(argv[1], "see"))
		return see_whether_tracked();
	self = argv[0];
	return cmocka_run_group_tests_name("security", tests, NULL, NULL);
}
