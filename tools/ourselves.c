// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our own process: signals that end it, and the files that it may have.
 */
#include <poll.h>
#include <sys/resource.h>

#include "ourselves.h"

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

#define ENDING (sizeof(ending) / sizeof(ending[0]))

static struct sigaction before[ENDING];		/* what was done about them */
static struct sigaction pipe_before;		/* and about SIGPIPE */
static struct sigaction quit_before;		/* and about SIGQUIT */
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

/*
 * What somebody has us ignore stays ignored: nohup(1) SIGHUP, a shell without job control SIGINT of
 * what runs in the background. A program that we start inherits that.
 */
static void catch_signal(size_t i, sigset_t *blocked)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(ending[i], NULL, &before[i]);
	if (before[i].sa_handler == SIG_IGN)
		return;
	sigaction(ending[i], &action, NULL);
	sigaddset(blocked, ending[i]);
}

const sigset_t *ourselves_catch_signals(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < ENDING; i++)
		catch_signal(i, &blocked);
	sigprocmask(SIG_BLOCK, &blocked, &while_waiting);
	sigaction(SIGPIPE, &ignore, &pipe_before);
	return &while_waiting;
}

void ourselves_restore_sigpipe(void)
{
	sigaction(SIGPIPE, &pipe_before, NULL);
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
	size_t i;

	for (i = 0; i < ENDING; i++)
		sigaction(ending[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &while_waiting, NULL);
}

void ourselves_ignore_sigquit(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGQUIT, &ignore, &quit_before);
}

void ourselves_restore_sigquit(void)
{
	sigaction(SIGQUIT, &quit_before, NULL);
}

void ourselves_have_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
