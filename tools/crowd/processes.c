// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which processes there are, and whose they are, from /proc.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "room.h"
#include "crowd/processes.h"

/* PF_KTHREAD of the kernel's include/linux/sched.h: in the flags that /proc/PID/stat shows. */
#define KERNEL_THREAD 0x00200000u

int pid_list_add(struct pid_list *list, pid_t pid)
{
	pid_t *more = with_room(list->pid, list->n, &list->room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	list->pid = more;
	more[list->n++] = pid;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const pid_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

void pid_list_sort(struct pid_list *list)
{
	size_t i, n = 0;

	if (list->n)
		qsort(list->pid, list->n, sizeof(*list->pid), compare);
	for (i = 0; i < list->n; i++)
		if (!n || list->pid[n - 1] != list->pid[i])
			list->pid[n++] = list->pid[i];
	list->n = n;
}

bool pid_list_has(const struct pid_list *list, pid_t pid)
{
	return list->n && bsearch(&pid, list->pid, list->n, sizeof(*list->pid), compare);
}

void pid_list_free(struct pid_list *list)
{
	free(list->pid);
	*list = (struct pid_list){ 0 };
}

int processes_read(struct pid_list *list)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	uint64_t number;
	int err = 0;

	if (!proc)
		return -errno;
	while (!err && (entry = readdir(proc)))
		if (argument_number(entry->d_name, 1, INT_MAX, &number))
			err = pid_list_add(list, (pid_t)number);
	closedir(proc);
	return err;
}

/* The name may have spaces and parentheses in it: what follows its end is numbers. */
bool process_parse_stat(const char *text, struct process_facts *facts)
{
	const char *rest = strrchr(text, ')');
	unsigned int flags;
	int64_t resident;

	if (!rest)
		return false;
	/* Fields 3 to 24: state, flags (9), resident pages (24). */
	if (sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %*u %" SCNd64,
		   &flags, &resident) != 2)
		return false;
	facts->kernel = flags & KERNEL_THREAD;
	facts->resident = resident > 0 ? (uint64_t)resident * 4096 : 0;
	return true;
}

bool process_parse_status(const char *text, struct process_facts *facts)
{
	const char *line = strstr(text, "\nUid:");
	unsigned int effective;

	if (!line || sscanf(line, " Uid: %*u %u", &effective) != 1)
		return false;
	facts->user = effective;
	return true;
}

/* As much of a file of /proc as there is room for. */
static int read_text(pid_t pid, const char *name, char *text, size_t size)
{
	char path[48];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, size - 1);
	close(fd);
	/* ESRCH: it has ended since. */
	if (n < 0)
		return -errno;
	text[n] = 0;
	return 0;
}

int process_read_facts(pid_t pid, struct process_facts *facts)
{
	char text[2048];
	int err = read_text(pid, "stat", text, sizeof(text));

	if (err)
		return err;
	if (!process_parse_stat(text, facts))
		return -ESRCH;
	err = read_text(pid, "status", text, sizeof(text));
	if (err)
		return err;
	return process_parse_status(text, facts) ? 0 : -ESRCH;
}
