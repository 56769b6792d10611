// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our own process: signals that end it, and the files that it may have.
 */
#include <poll.h>
#include <sys/resource.h>

#include "ourselves.h"

static volatile sig_atomic_t interrupted;	/* the signal */
static sigset_t while_waiting;			/* signals that are blocked while we wait */

static void on_signal(int number)
{
	interrupted = number;
}

static void on_limit(int number)
{
	(void)number;
}

/* Not ignored: that would be inherited. */
void ourselves_survive_limits(void)
{
	const struct sigaction action = { .sa_handler = on_limit, .sa_flags = SA_RESTART };

	sigaction(SIGXFSZ, &action, NULL);
}

const sigset_t *ourselves_catch_signals(void)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		sigaction(ending[i], &action, NULL);
		sigaddset(&blocked, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, &while_waiting);
	signal(SIGPIPE, SIG_IGN);
	return &while_waiting;
}

int ourselves_interrupted(void)
{
	return interrupted;
}

int ourselves_interrupted_by_now(void)
{
	const struct timespec no_time = { 0 };

	ppoll(NULL, 0, &no_time, &while_waiting);
	return interrupted;
}

void ourselves_release_signals(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &while_waiting, NULL);
}

void ourselves_have_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
