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
	bool held;		/* ... and it waits for target_release() */
	int go;			/* then: pipes to it, and from it */
	int report;
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
 * target_start - make a process for a program, which waits
 * @mask: signals that are blocked in the program; SIGPIPE is not ignored in it
 * @command: words, ended by NULL; the first is looked for in PATH
 * @target: out: the process, before execve(2)
 *
 * Return: 0, or a negative errno of fork(2) or pipe(2).
 */
int target_start(char **command, const sigset_t *mask, struct target *target);

/**
 * target_release - let it execute the program, and return when that runs
 * @target: process that waits
 *
 * Return: 0, or a negative errno of execvp(3); then there is no process any more.
 */
int target_release(struct target *target);

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
