/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_SESSION_H
#define TOOLS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "family.h"
#include "report.h"
#include "selection.h"
#include "target.h"

struct session;

/* What a verb does with a session. Each may be NULL. An error that is returned was printed. */
struct session_ops {
	const char *verb;	/* "watch": for "cannot watch process 42" */
	/* s->target is known, and nothing of it is tracked yet. */
	void (*found)(struct session *s);
	/* Before each look at the processes: they may be gone after it. */
	void (*look)(struct session *s);
	/* What there is by now is armed: from here on it counts. */
	int (*begin)(struct session *s);
	/* s->report is new. */
	int (*report)(struct session *s);
	/* s->input can be read. */
	int (*input)(struct session *s);
	/* It is over, without an error. */
	void (*end)(struct session *s);
	/* It is over, with or without an error; a command may yet be waited for. */
	void (*over)(struct session *s);
};

/*
 * Processes that are looked at, at every interval, from the first look to the end, with what each
 * verb needs for it: signals, a command that is started and waited for, errors.
 */
struct session {
	const struct session_ops *ops;
	void *arg;		/* the verb's */
	const struct selection *what;
	double interval;	/* seconds; may be changed at any time */
	uint64_t count;		/* reports; 0: until the process ends */
	double seconds;		/* the same as a time, after which there is a last report; or 0 */
	int input;		/* a file descriptor, or -1; may be changed by @begin */
	bool stop;		/* to be set by who has seen enough */
	/* From here on it is the session's: */
	struct target target;
	struct family family;
	struct report report;
	double began;
	double looked;		/* when the last report was made */
	bool from_start;	/* of our command: nothing of it came before */
};

/**
 * session_run - run a session from its beginning to its end
 * @s: session, with what is the verb's
 *
 * Signals that end a program end the session in good order; a command that the session has started
 * is told of them, and waited for. SIGPIPE is ignored: a write fails instead.
 *
 * Return: the exit status of the program: of the command, if it was started here; 127 when it could
 * not be; 1 after an error, which was printed.
 */
int session_run(struct session *s);

/* It was told to stop, or there were all reports that were asked for. */
bool session_has_seen_enough(const struct session *s);

/* Could anything be tracked at all? 0; or 1, and standard error was told. */
int session_check_device(void);

/* Seconds since an unspecified moment. */
double session_now(void);

#endif /* TOOLS_SESSION_H */
