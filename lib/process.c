// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes by number. A number may be given to another process as soon as the first was waited
 * for, so it is turned into a pidfd at once, and what was found out by number counts only if the
 * pidfd's process was there all the time.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* The process of a thread, by /proc. */
static pid_t process_of(pid_t thread)
{
	char path[64], line[128];
	pid_t pid = -ESRCH;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	file = fopen(path, "re");
	if (!file)
		return -ESRCH;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %d", &pid) == 1)
			break;
	fclose(file);
	return pid;
}

static int pidfd_open(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* A thread that is not the first of its process: EINVAL, since Linux 6.15 ENOENT. */
static bool is_of_thread(int error)
{
	return error == EINVAL || error == ENOENT;
}

static bool has_ended(int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	return poll(&end, 1, 0) != 0;
}

int uffdwp_pidfd_of(pid_t pid)
{
	int pidfd = pidfd_open(pid);
	pid_t process;

	if (pidfd >= 0 || !is_of_thread(errno))
		return pidfd >= 0 ? pidfd : -errno;
	process = process_of(pid);
	if (process < 0)
		return process;
	pidfd = pidfd_open(process);
	if (pidfd < 0)
		return is_of_thread(errno) ? -ESRCH : -errno;
	/* The thread is that process's, and the process is the one that has this number. */
	if (process_of(pid) == process && !has_ended(pidfd))
		return pidfd;
	close(pidfd);
	return -ESRCH;
}
