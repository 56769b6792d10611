/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_CROWD_PROCESSES_H
#define TOOLS_CROWD_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Numbers of processes, in ascending order, each once. All 0 is empty. */
struct pid_list {
	pid_t *pid;
	size_t n;
	size_t room;
};

int pid_list_add(struct pid_list *list, pid_t pid);

/* In ascending order, each once: to be called when all are in it. */
void pid_list_sort(struct pid_list *list);

bool pid_list_has(const struct pid_list *list, pid_t pid);
void pid_list_free(struct pid_list *list);

/**
 * processes_read - add all processes of the machine that can be seen
 * @list: list; not sorted afterwards
 *
 * Return: 0, or a negative errno.
 */
int processes_read(struct pid_list *list);

/* What /proc tells of a process. */
struct process_facts {
	uid_t user;		/* effective */
	bool kernel;		/* a thread of the kernel */
	uint64_t resident;	/* bytes */
};

/**
 * process_read_facts - what is known of a process
 * @pid: process; whoever has a pidfd of it knows from that whether it still is the same one
 * @facts: out: facts
 *
 * Return: 0, or -ESRCH, or another negative errno of open(2).
 */
int process_read_facts(pid_t pid, struct process_facts *facts);

/* The text of /proc/PID/stat and /proc/PID/status. False: they make no sense. */
bool process_parse_stat(const char *text, struct process_facts *facts);
bool process_parse_status(const char *text, struct process_facts *facts);

#endif /* TOOLS_CROWD_PROCESSES_H */
