// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process whose memory is armed again at every interval, so that the first write to each page of
 * it is seen in each of them.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "session.h"
#include "uffdwp.h"

volatile sig_atomic_t session_interrupted;	/* the signal */
sigset_t session_mask;				/* signals that are blocked while we wait */

static void on_signal(int number)
{
	session_interrupted = number;
}

void session_catch_signals(void)
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
	sigprocmask(SIG_BLOCK, &blocked, &session_mask);
	signal(SIGPIPE, SIG_IGN);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int session_check(const char *verb)
{
	UFFDWP_OPTS(uffdwp_open_opts, opts, .backend = UFFDWP_BACKEND_MODULE);
	struct uffdwp *tracker;
	int err = uffdwp_open(0, &opts, &tracker);

	if (err) {
		fprintf(stderr, "uffdwp %s: nothing was started: %s\n", verb, uffdwp_explain(err));
		return 1;
	}
	uffdwp_close(tracker);
	return 0;
}

int session_target(struct session *s, const struct arguments *a)
{
	int err;

	s->options = (struct watch_options){
		.pid = a->pid, .command = a->command, .interval = a->interval,
	};
	s->family.options = &s->options;
	if (a->command) {
		err = target_start(a->command, &session_mask, &s->target);
		if (err)
			fprintf(stderr, "uffdwp %s: cannot start %s: %s\n", s->verb, a->command[0],
				strerror(-err));
		return err ? 127 : 0;
	}
	err = target_find(a->pid, &s->target);
	if (err)
		fprintf(stderr, "uffdwp %s: cannot look at process %d: %s\n", s->verb, (int)a->pid,
			err == -ESRCH ? "there is no such process" : strerror(-err));
	return err ? 1 : 0;
}

static bool is_over(const struct session *s)
{
	return session_interrupted || family_has_ended(&s->family);
}

static int wait_until(struct session *s, double when)
{
	double left = when - now();
	int err;

	do {
		err = family_wait(&s->family, left > 0 ? left : 0, &session_mask);
		left = when - now();
	} while (!err && left > 0 && !is_over(s));
	return err ? err : family_take_events(&s->family);
}

/* What was written in memory that is gone counts, too. */
static int look_again(struct session *s, bool counts)
{
	int err;

	s->before(s->arg);
	err = family_look(&s->family, &s->report);
	if (!err && counts)
		s->written += report_total(&s->report).written;
	return err;
}

static int loop(struct session *s, const struct arguments *a)
{
	const double began = now(), end = a->seconds ? began + a->seconds : HUGE_VAL;
	/* Of our command, all that it has written counts. */
	const bool from_start = family_saw_the_start(&s->family);
	int err = from_start ? 0 : look_again(s, false);
	double next = began;

	if (!err && !from_start)
		family_forget(&s->family);
	while (!err && !is_over(s) && next < end) {
		next = now() + a->interval < end ? now() + a->interval : end;
		err = wait_until(s, next);
		if (!err && !family_has_ended(&s->family))
			err = look_again(s, true);
	}
	s->written += family_written_since(&s->family);
	s->seconds = now() - began;
	return err;
}

static int complain(const struct session *s, const char *what, int err)
{
	fprintf(stderr, "uffdwp %s: cannot %s process %d: %s\n", s->verb, what, (int)s->target.pid,
		uffdwp_explain(err));
	return 1;
}

int session_run(struct session *s, const struct arguments *a)
{
	int start_err, err;

	err = family_begin(&s->family, &s->target, &start_err);
	if (start_err) {
		fprintf(stderr, "uffdwp %s: cannot start %s: %s\n", s->verb, a->command[0],
			strerror(-start_err));
		s->target.child = false;
		return 127;
	}
	if (err && !(err == -ESRCH && target_has_ended(&s->target)))
		return complain(s, "track", err);
	if (!err)
		err = loop(s, a);
	if (err && !(err == -ESRCH && target_has_ended(&s->target)))
		return complain(s, "go on tracking", err);
	return 0;
}

int session_end(struct session *s, int status)
{
	int child;

	family_end(&s->family);
	report_free(&s->report);
	if (status == 127)
		return status;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &session_mask, NULL);
	if (s->target.child && !session_interrupted && !target_has_ended(&s->target))
		fprintf(stderr, "uffdwp %s: waiting for %s to end\n", s->verb,
			s->options.command[0]);
	child = target_finish(&s->target, session_interrupted);
	return status ? status : child;
}
