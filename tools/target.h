/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TARGET_H
#define TOOLS_TARGET_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* The process that is watched. */
struct target {
	pid_t pid;
	int pidfd;
	bool child;		/* we have started it */
};

/**
 * target_find - take an existing process
 * @pid: process, by the number of any of its threads
 * @target: out: the process
 *
 * Return: 0, or -ESRCH when there is none.
 */
int target_find(pid_t pid, struct target *target);

/**
 * target_start - start a program and return when it runs
 * @command: words, ended by NULL; the first is looked for in PATH
 * @mask: signals that are blocked in it; SIGPIPE is not ignored in it
 * @target: out: the process, after execve(2)
 *
 * Return: 0, or a negative errno of fork(2) or execvp(3); then nothing was started.
 */
int target_start(char **command, const sigset_t *mask, struct target *target);

bool target_has_ended(const struct target *target);

/**
 * target_ends_within - wait for its end, for a while
 * @target: process
 * @milliseconds: how long
 *
 * Return: true as soon as it has ended; false when the time is over.
 */
bool target_ends_within(const struct target *target, int milliseconds);

/**
 * target_finish - let go of the process
 * @target: process
 * @signal: that has told us to end, or 0
 *
 * One that we have started is told of the signal, too, and waited for.
 *
 * Return: its exit status if we have started it, in the way of the shell (128 + signal); otherwise
 * 0.
 */
int target_finish(struct target *target, int signal);

#endif /* TOOLS_TARGET_H */
