// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs are started, followed or not, and ended.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "programs.h"

pid_t program_start(char *const argv[], const char *output)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	personality(ADDR_NO_RANDOMIZE);
	fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	execvp(argv[0], argv);
	_exit(127);
}

int program_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_end(pid_t pid, int how)
{
	kill(pid, how);
	return program_wait(pid);
}

pid_t program_follow(char *const argv[], bool followed, const char *output)
{
	char *with[32] = { "uffdwp", "watch", "-i", "0.2", "--" };
	size_t n = 5, i;

	for (i = 0; argv[i]; i++)
		with[n++] = argv[i];
	return program_start(followed ? with : argv, output);
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}
