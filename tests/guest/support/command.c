// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "environment.h"
#include "support.h"

char output[1 << 20];
char *const place = (char *)0x600000000000;

int run(const char *command)
{
	char joined[512];
	FILE *pipe;
	size_t n;
	int status;

	assert_true(strlen(command) + 6 < sizeof(joined));
	snprintf(joined, sizeof(joined), "%s 2>&1", command);
	pipe = popen(joined, "r");
	assert_non_null(pipe);
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = 0;
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool printed(const char *text)
{
	return strstr(output, text);
}

char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(output, 1, sizeof(output) - 1, file) : 0;

	output[n] = 0;
	if (file)
		fclose(file);
	return output;
}

/* ---- processes */

pid_t writer(char *memory, size_t pages)
{
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0;; i++) {
		touch(memory, pages, i);
		usleep(10000);
	}
}

void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

char *map_at_place(size_t pages)
{
	char *p = mmap(place, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != place)
		_exit(99);
	return p;
}

/* ---- cgroups */

void groups_start(void)
{
	/* Of a test that has failed. */
	umount2(CGROUPS, MNT_DETACH);
	mkdir(CGROUPS, 0755);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL))
		fail_msg("cgroup2: %s", strerror(errno));
	mkdir(CGROUPS "/a", 0755);
	mkdir(CGROUPS "/a/b", 0755);
}

void move(pid_t pid, const char *group)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), CGROUPS "%s/cgroup.procs", group);
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (write_file(path, text))
		fail_msg("%s: %s", path, strerror(errno));
}

void groups_remove(void)
{
	wait_for(!rmdir(CGROUPS "/a/b"));
	wait_for(!rmdir(CGROUPS "/a"));
}

void groups_end(void)
{
	assert_ok(umount(CGROUPS));
}
