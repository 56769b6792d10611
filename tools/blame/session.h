/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_SESSION_H
#define TOOLS_BLAME_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "arguments.h"
#include "family.h"
#include "options.h"
#include "report.h"
#include "target.h"

/* A process whose memory is armed at every interval, while BPF programs look at who writes it. */
struct session {
	const char *verb;
	struct watch_options options;
	struct target target;
	struct family family;
	struct report report;
	uint64_t written;	/* pages, as the scans have found them */
	double seconds;		/* that it took */
	/* Called before each look at the process, while it may still be there. */
	void (*before)(void *arg);
	void *arg;
};

/* The signals that end us come only while we wait, from now on. */
void session_catch_signals(void);
extern volatile sig_atomic_t session_interrupted;
extern sigset_t session_mask;

/* Could anything be tracked at all? 0; or 1, and standard error was told. */
int session_check(const char *verb);

/* Find the process, or make one for the command, which waits. 0, or the exit status. */
int session_target(struct session *s, const struct arguments *a);

/**
 * session_run - arm the memory of the process at every interval, until it is time
 * @s: session with a target
 * @a: how long, and how often
 *
 * Return: 0, or the exit status; standard error was told.
 */
int session_run(struct session *s, const struct arguments *a);

/* Let go of the process, or wait for our command. The exit status: @status if that is not 0. */
int session_end(struct session *s, int status);

#endif /* TOOLS_BLAME_SESSION_H */
