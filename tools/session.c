// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session: look at every interval, and take meanwhile what events tell of processes and of memory
 * that will not be there at the next look.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ourselves.h"
#include "pace.h"
#include "session.h"
#include "uffdwp.h"

static const sigset_t *while_waiting;		/* signals that are blocked while we wait */

double session_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* An error of a verb's own, which it has printed. No errno is as large. */
#define TOLD (-4096)

static int call(struct session *s, int (*op)(struct session *s))
{
	return op && op(s) ? TOLD : 0;
}

static int take_input(struct session *s)
{
	return family_has_input(&s->family) ? call(s, s->ops->input) : 0;
}

/* Asked again and again while we wait, as the interval may change. */
static double next_report(const struct session *s)
{
	const double when = pace_next(s->began, s->looked, s->interval);

	return s->seconds && when > s->began + s->seconds ? s->began + s->seconds : when;
}

/* Until it is time for the next report, all has ended, or we are told to stop. */
static int wait_for_next(struct session *s)
{
	double left = next_report(s) - session_now();
	int err;

	do {
		/* Even when there is no time left: this is where signals come in. */
		err = family_wait(&s->family, left > 0 ? left : 0, while_waiting);
		if (!err)
			err = take_input(s);
		left = next_report(s) - session_now();
	} while (!err && !ourselves_interrupted() && !s->stop && left > 0 &&
		 !family_has_ended(&s->family));
	/* It may have ended since events were taken, and has told what it had written. */
	return err ? err : family_take_events(&s->family);
}

/* What is missing is not known, so this is said where it is missing. */
static void tell_lost(const struct session *s)
{
	if (s->report.lost)
		fprintf(stderr, "uffdwp: events were lost: report %" PRIu64 " may miss pages that were written in memory that was unmapped since, and processes that have come since are not watched\n",
			s->report.number);
}

static void warn_if_nothing_matches(const struct session *s)
{
	size_t i;
	uint64_t skipped = 0;

	for (i = 0; i < MAP_KINDS; i++)
		skipped += s->report.skipped_maps[i];
	/* Or it has ended already. */
	if (!s->report.n && !skipped && s->family.member[0]->tracker)
		fprintf(stderr, "uffdwp: no writable memory of process %d matches yet: see -r and -m, and /proc/%d/maps\n",
			(int)s->target.pid, (int)s->target.pid);
}

static int look_at_all(struct session *s)
{
	if (s->ops->look)
		s->ops->look(s);
	return family_look(&s->family, &s->report);
}

static int next(struct session *s)
{
	double time;
	int err;

	s->report.number++;
	err = look_at_all(s);
	if (err)
		return err;
	tell_lost(s);
	if (s->report.number == 1 && s->from_start)
		warn_if_nothing_matches(s);
	time = session_now();
	s->report.interval = time - s->looked;
	s->report.elapsed = time - s->began;
	s->looked = time;
	return call(s, s->ops->report);
}

/* The first look only arms. Of a program that we have seen from its start, all counts. */
static int begin(struct session *s)
{
	int err = 0;

	s->from_start = family_saw_the_start(&s->family);
	if (!s->from_start)
		err = look_at_all(s);
	s->began = session_now();
	s->looked = s->began;
	if (err)
		return err;
	if (!s->from_start) {
		family_forget(&s->family);
		warn_if_nothing_matches(s);
	}
	err = call(s, s->ops->begin);
	s->family.has_input = s->input >= 0;
	s->family.input = s->input;
	return err;
}

bool session_has_seen_enough(const struct session *s)
{
	return s->stop || (s->count && s->report.number >= s->count) ||
	       (s->seconds && s->looked >= s->began + s->seconds);
}

/*
 * 0 when what is watched has ended, or we were told to stop, or have seen enough. Of children, what
 * has happened since the last report is told in the end, too.
 */
static int loop(struct session *s)
{
	int err = begin(s);

	while (!err && !session_has_seen_enough(s)) {
		err = wait_for_next(s);
		if (err || ourselves_interrupted() || s->stop)
			return err;
		if (!family_has_ended(&s->family))
			err = next(s);
		else
			return s->what->children && family_has_news(&s->family) ? next(s) : 0;
	}
	return err;
}

static void end(struct session *s)
{
	if (s->ops->end)
		s->ops->end(s);
}

static int complain(const struct session *s, const char *what, int err)
{
	/* Or that went wrong once, and this is another error. */
	const bool maps = s->family.n && err == s->family.member[0]->maps_err;

	if (maps)
		fprintf(stderr, "uffdwp: cannot %s process %d: its list of mappings cannot be read: %s\n",
			what, (int)s->target.pid, strerror(-err));
	else
		fprintf(stderr, "uffdwp: cannot %s process %d: %s\n", what, (int)s->target.pid,
			uffdwp_explain(err));
	return 1;
}

static int look_at_family(struct session *s)
{
	int start_err;
	int err = family_begin(&s->family, &s->target, &start_err);
	char what[32];

	if (start_err) {
		fprintf(stderr, "uffdwp: cannot start %s: %s\n", s->what->command[0],
			strerror(-start_err));
		s->target.child = false;
		return 127;
	}
	if (err == -ESRCH && s->target.child && target_has_ended(&s->target)) {
		end(s);
		return 0;
	}
	if (err)
		return complain(s, s->ops->verb, err);
	err = loop(s);
	if (err == TOLD)
		return 1;
	if (err && !(err == -ESRCH && target_has_ended(&s->target))) {
		snprintf(what, sizeof(what), "go on to %s", s->ops->verb);
		return complain(s, what, err);
	}
	end(s);
	return 0;
}

static int with_family(struct session *s)
{
	int status;

	if (s->what->children)
		ourselves_have_many_files();
	s->family.what = s->what;
	status = look_at_family(s);
	if (s->ops->over)
		s->ops->over(s);
	family_end(&s->family);
	report_free(&s->report);
	return status;
}

/* Before a program is started: could anything be tracked at all? */
int session_check_device(void)
{
	UFFDWP_OPTS(uffdwp_open_opts, opts, .backend = UFFDWP_BACKEND_MODULE);
	struct uffdwp *tracker;
	int err = uffdwp_open(0, &opts, &tracker);

	if (err) {
		fprintf(stderr, "uffdwp: nothing was started: %s\n", uffdwp_explain(err));
		return 1;
	}
	uffdwp_close(tracker);
	return 0;
}

/* 0, or the exit status. */
static int get_target(struct session *s)
{
	int err;

	if (!s->what->command) {
		err = target_find(s->what->pid, &s->target);
		if (!err)
			return 0;
		fprintf(stderr, "uffdwp: cannot %s process %d: %s\n", s->ops->verb,
			(int)s->what->pid,
			err == -ESRCH ? "there is no such process" : strerror(-err));
		return 1;
	}
	if (session_check_device())
		return 1;
	err = target_start(s->what->command, while_waiting, &s->target);
	if (err)
		fprintf(stderr, "uffdwp: cannot start %s: %s\n", s->what->command[0],
			strerror(-err));
	return err ? 127 : 0;
}

int session_run(struct session *s)
{
	int status, child;

	/* First, so that no signal can part us from a program that we have started. */
	while_waiting = ourselves_catch_signals();
	status = get_target(s);
	if (status)
		return status;
	if (s->ops->found)
		s->ops->found(s);
	status = with_family(s);
	if (status == 127)
		return status;

	ourselves_release_signals();
	if (s->target.child && !ourselves_interrupted() && !target_has_ended(&s->target))
		fprintf(stderr, "uffdwp: done, waiting for %s to end\n", s->what->command[0]);
	child = target_finish(&s->target, ourselves_interrupted());
	return status ? status : child;
}
