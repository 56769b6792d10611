// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that is watched: found, or started.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ourselves.h"
#include "target.h"

/* The process that a thread belongs to, by the number of any of its threads. */
static pid_t process_of(pid_t thread)
{
	char path[32], line[128];
	pid_t pid = thread;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	file = fopen(path, "re");
	if (!file)
		return thread;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %d", &pid) == 1)
			break;
	fclose(file);
	return pid;
}

static int open_pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* A number may become another's at any time: it is looked up again once there is a pidfd. */
int target_find(pid_t pid, struct target *target)
{
	*target = (struct target){ .pid = pid };
	target->pidfd = open_pidfd(pid);
	if (target->pidfd >= 0)
		return 0;
	/* A thread that is not the first of its process: EINVAL, since Linux 6.15 ENOENT. */
	if (errno != EINVAL && errno != ENOENT)
		return -errno;
	target->pid = process_of(pid);
	target->pidfd = open_pidfd(target->pid);
	if (target->pidfd < 0)
		return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
	if (process_of(pid) == target->pid && !target_has_ended(target))
		return 0;
	close(target->pidfd);
	return -ESRCH;
}

/*
 * The child's end of the pipe is closed by a successful execve(2), and carries the error of one
 * that failed: so when the pipe ends, the new program runs.
 */
static void be_program(char **command, const sigset_t *mask, int go, int report)
{
	char byte;
	int err;

	/* If it ends without a byte, so have we. */
	if (read(go, &byte, 1) != 1)
		_exit(126);
	ourselves_restore_sigpipe();
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	err = -errno;
	if (write(report, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

static int make_pipes(int go[2], int report[2])
{
	int err;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (!pipe2(report, O_CLOEXEC))
		return 0;
	err = -errno;
	close(go[0]);
	close(go[1]);
	return err;
}

int target_start(char **command, const sigset_t *mask, struct target *target)
{
	int go[2], report[2];
	int err = make_pipes(go, report);
	pid_t pid;

	if (err)
		return err;
	pid = fork();
	if (!pid) {
		close(go[1]);
		close(report[0]);
		be_program(command, mask, go[0], report[1]);
	}
	err = pid < 0 ? -errno : 0;
	close(go[0]);
	close(report[1]);
	if (!err)
		err = target_find(pid, target);
	if (err) {
		close(go[1]);
		close(report[0]);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		return err;
	}
	target->child = true;
	target->held = true;
	target->go = go[1];
	target->report = report[0];
	return 0;
}

int target_release(struct target *target)
{
	int err = 0;

	/* Somebody may have killed it meanwhile: SIGPIPE is ignored here. */
	if (write(target->go, "g", 1) != 1)
		err = -errno;
	close(target->go);
	while (read(target->report, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	close(target->report);
	target->held = false;
	/* EPIPE: it is over, with a status of its own. */
	if (!err || err == -EPIPE)
		return 0;
	waitpid(target->pid, NULL, 0);
	close(target->pidfd);
	return err;
}

bool target_ends_within(const struct target *target, int milliseconds)
{
	struct pollfd poll_one = { .fd = target->pidfd, .events = POLLIN };

	return poll(&poll_one, 1, milliseconds) == 1;
}

bool target_has_ended(const struct target *target)
{
	return target_ends_within(target, 0);
}

int target_finish(struct target *target, int number)
{
	int status = 0;

	/* What a terminal sends reaches it anyhow, and twice does no harm. */
	if (target->child && number)
		kill(target->pid, number);
	if (target->child)
		while (waitpid(target->pid, &status, 0) < 0 && errno == EINTR)
			;
	close(target->pidfd);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}
