// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp watch: look at every interval, print what was written, and take meanwhile what events tell
 * of processes and of memory that will not be there at the next look.
 */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "family.h"
#include "goodbye.h"
#include "options.h"
#include "report.h"
#include "target.h"
#include "uffdwp.h"
#include "watch.h"

struct watch {
	const struct watch_options *options;
	struct target target;
	struct family family;
	struct report report;
	uint64_t busy_bytes;	/* of the last report */
	struct goodbye goodbye;	/* what is known of it by now */
	FILE *output;
	double began;
	double looked;		/* when the last report was made */
	bool from_start;	/* of our command: nothing of it came before */
	bool utf8;
};

static volatile sig_atomic_t interrupted;	/* the signal */
static sigset_t while_waiting;			/* signals that are blocked while we wait */

static void on_signal(int number)
{
	interrupted = number;
}

/*
 * The signals that end us come only while we wait, so that none is missed between looking for it
 * and waiting. A reader that goes away ("| head") ends us by a failed write, in good order.
 */
static void catch_signals(void)
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
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int print(struct watch *w)
{
	double time = now();
	int err = 0;

	w->report.interval = time - w->looked;
	w->report.elapsed = time - w->began;
	w->looked = time;
	w->goodbye.written += report_total(&w->report).written;
	if (w->options->by_name)
		report_by_name(&w->report);
	if (w->options->top)
		report_top(&w->report, w->options->top);
	w->report.skipped_news = w->report.number == 1 ||
				 w->report.skipped_bytes[MAP_BUSY] != w->busy_bytes;
	w->busy_bytes = w->report.skipped_bytes[MAP_BUSY];
	if (w->options->json)
		err = report_print_json(w->output, &w->report);
	else
		report_print_table(w->output, &w->report, w->utf8);
	return ferror(w->output) ? -EPIPE : err;
}

/* Until it is time for the next report, all has ended, or we are told to stop. */
static int wait_until(struct watch *w, double when)
{
	double left = when - now();
	int err;

	do {
		/* Even when there is no time left: this is where signals come in. */
		err = family_wait(&w->family, left > 0 ? left : 0, &while_waiting);
		left = when - now();
	} while (!err && !interrupted && left > 0 && !family_has_ended(&w->family));
	/* It may have ended since events were taken, and has told what it had written. */
	return err ? err : family_take_events(&w->family);
}

/* The next report in step with the first; those that we were too late for are left out. */
static double next_report(const struct watch *w)
{
	double passed = (now() - w->began) / w->options->interval;

	return w->began + ((uint64_t)passed + 1) * w->options->interval;
}

static void warn_if_nothing_matches(const struct watch *w)
{
	size_t i;
	uint64_t skipped = 0;

	for (i = 0; i < MAP_KINDS; i++)
		skipped += w->report.skipped_maps[i];
	/* Or it has ended already. */
	if (!w->report.n && !skipped && w->family.member[0]->tracker)
		fprintf(stderr, "uffdwp: no writable memory of process %d matches yet: see -r and -m, and /proc/%d/maps\n",
			(int)w->target.pid, (int)w->target.pid);
}

/* What is missing is not known, so this is said where it is missing. */
static void tell_lost(const struct watch *w)
{
	if (w->report.lost)
		fprintf(stderr, "uffdwp: events were lost: report %" PRIu64 " may miss pages that were written in memory that was unmapped since, and processes that have come since are not watched\n",
			w->report.number);
}

static void keep_skipped(struct watch *w)
{
	/* Of processes that have ended nothing is left to skip. */
	if (!w->report.n)
		return;
	memcpy(w->goodbye.skipped_maps, w->report.skipped_maps, sizeof(w->goodbye.skipped_maps));
	memcpy(w->goodbye.skipped_bytes, w->report.skipped_bytes,
	       sizeof(w->goodbye.skipped_bytes));
}

static int next(struct watch *w)
{
	int err;

	w->report.number++;
	err = family_look(&w->family, &w->report);
	if (err)
		return err;
	tell_lost(w);
	keep_skipped(w);
	if (w->report.number == 1 && w->from_start)
		warn_if_nothing_matches(w);
	return print(w);
}

/* The first look only arms. Of a program that we have seen from its start, all counts. */
static int begin(struct watch *w)
{
	int err = 0;

	w->from_start = family_saw_the_start(&w->family);
	if (!w->from_start)
		err = family_look(&w->family, &w->report);
	w->began = now();
	w->looked = w->began;
	if (err || w->from_start)
		return err;
	family_forget(&w->family);
	keep_skipped(w);
	warn_if_nothing_matches(w);
	return 0;
}

/*
 * 0 when what is watched has ended, or we were told to stop, or have seen enough. Of children, what
 * has happened since the last report is told in the end, too.
 */
static int watch_loop(struct watch *w)
{
	const struct watch_options *o = w->options;
	int err = begin(w);

	while (!err && (!o->count || w->report.number < o->count)) {
		err = wait_until(w, next_report(w));
		if (err || interrupted)
			return err;
		if (!family_has_ended(&w->family))
			err = next(w);
		else
			return o->children && family_has_news(&w->family) ? next(w) : 0;
	}
	return err;
}

static void say_goodbye(struct watch *w)
{
	struct goodbye *g = &w->goodbye;

	if (w->options->json)
		return;
	g->pid = w->target.pid;
	g->ended = target_has_ended(&w->target);
	g->seconds = w->looked - w->began;
	g->after = family_written_since(&w->family);
	g->not_followed = w->family.all_not_followed;
	g->reports_lost = w->family.reports_lost + w->family.lost;
	goodbye_print(w->output, g);
}

static int complain(const struct watch *w, const char *what, int err)
{
	const bool maps = w->family.n && w->family.member[0]->maps_err;

	if (maps)
		fprintf(stderr, "uffdwp: cannot %s process %d: its list of mappings cannot be read: %s\n",
			what, (int)w->target.pid, strerror(-err));
	else
		fprintf(stderr, "uffdwp: cannot %s process %d: %s\n", what, (int)w->target.pid,
			uffdwp_explain(err));
	return 1;
}

/* Each process takes a file. Not to be inherited by a program that we have started: it runs. */
static void have_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int watch_family(struct watch *w)
{
	int start_err;
	int err = family_begin(&w->family, &w->target, &start_err);

	if (start_err) {
		fprintf(stderr, "uffdwp: cannot start %s: %s\n", w->options->command[0],
			strerror(-start_err));
		w->target.child = false;
		return 127;
	}
	if (err == -ESRCH && w->target.child && target_has_ended(&w->target)) {
		say_goodbye(w);
		return 0;
	}
	if (err)
		return complain(w, "watch", err);
	err = watch_loop(w);
	if (err == -EPIPE) {
		fprintf(stderr, "uffdwp: cannot write the report\n");
		return 1;
	}
	if (err && !(err == -ESRCH && target_has_ended(&w->target)))
		return complain(w, "go on watching", err);
	say_goodbye(w);
	return 0;
}

static int run(struct watch *w)
{
	int status;

	if (w->options->children)
		have_many_files();
	w->family.options = w->options;
	status = watch_family(w);
	family_end(&w->family);
	report_free(&w->report);
	return status;
}

/* Before a program is started: could anything be tracked at all? */
static int check_device(void)
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
static int get_target(struct watch *w)
{
	const struct watch_options *o = w->options;
	int err;

	if (!o->command) {
		err = target_find(o->pid, &w->target);
		if (!err)
			return 0;
		fprintf(stderr, "uffdwp: cannot watch process %d: %s\n", (int)o->pid,
			err == -ESRCH ? "there is no such process" : strerror(-err));
		return 1;
	}
	if (check_device())
		return 1;
	err = target_start(o->command, &while_waiting, &w->target);
	if (err)
		fprintf(stderr, "uffdwp: cannot start %s: %s\n", o->command[0], strerror(-err));
	return err ? 127 : 0;
}

static int open_output(struct watch *w)
{
	w->output = w->options->output ? fopen(w->options->output, "we") : stdout;
	if (w->output)
		return 0;
	fprintf(stderr, "uffdwp: cannot write to %s: %s\n", w->options->output, strerror(errno));
	return 1;
}

int watch_main(int argc, char **argv)
{
	struct watch_options options;
	struct watch w = { .options = &options };
	int status, child;
	char why[160];

	if (watch_options_parse(argc, argv, &options, why, sizeof(why))) {
		fprintf(stderr, "uffdwp watch: %s\n\n", why);
		watch_usage(stderr);
		return 2;
	}
	if (options.help) {
		watch_usage(stdout);
		return 0;
	}
	w.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (open_output(&w))
		return 1;
	/* First, so that no signal can part us from a program that we have started. */
	catch_signals();
	status = get_target(&w);
	if (status)
		return status;
	status = run(&w);
	if (status == 127)
		return status;

	/* From here on a signal ends us as it would any other program. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &while_waiting, NULL);
	if (w.target.child && !interrupted && !target_has_ended(&w.target))
		fprintf(stderr, "uffdwp: watching has ended, waiting for %s to end\n",
			options.command[0]);
	child = target_finish(&w.target, interrupted);
	return status ? status : child;
}
