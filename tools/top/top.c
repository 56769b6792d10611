// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp top: processes by how much memory they write.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "human.h"
#include "ourselves.h"
#include "pace.h"
#include "prometheus.h"
#include "session.h"
#include "top/ask.h"
#include "top/metrics.h"
#include "top/options.h"
#include "top/screen.h"
#include "top/source.h"
#include "top/top.h"
#include "top/tracked.h"
#include "uffdwp.h"

struct top {
	struct top_options options;
	struct source source;
	struct tracked tracked;
	struct top_report report;
	struct prometheus_file metrics;
	struct top_screen *screen;		/* or NULL */
	const sigset_t *while_waiting;
	bool utf8;
	bool over;			/* there will be no more processes */
	bool stop;			/* somebody has seen enough */
	double looked;			/* when the last report was made */
};

/* An error that was printed. No errno is as large. */
#define TOLD (-4096)

static int complain(int err)
{
	if (err == TOLD)
		return 1;
	fprintf(stderr, "uffdwp: cannot go on: %s\n", uffdwp_explain(err));
	return 1;
}

/* Who is to be tracked now? */
static int update(struct top *t)
{
	int err = source_read(&t->source);

	if (err == -ENODEV) {
		t->over = true;
		t->source.list.n = 0;
		return crowd_update(&t->tracked.crowd, &t->source.list);
	}
	return err ? TOLD : crowd_update(&t->tracked.crowd, &t->source.list);
}

/* ---- a report */

static double now_since_1970(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int print(struct top *t)
{
	struct top_report *r = &t->report;
	int err = 0;

	if (t->screen)
		return top_screen_show(t->screen, r);
	if (t->options.json)
		err = top_print_json(stdout, r);
	else
		top_print_table(stdout, r, t->utf8);
	if (!err && !ferror(stdout))
		return 0;
	fprintf(stderr, "uffdwp: cannot write the report\n");
	return TOLD;
}

/* Metrics are of all rows, whatever is shown. */
static int show(struct top *t)
{
	struct top_report *r = &t->report;
	int err = metrics_update(&t->metrics, r, now_since_1970());

	if (err)
		return err == -ENOMEM ? err : TOLD;
	top_sort(r, TOP_RATE, false);
	if (t->options.top)
		top_cut(r, t->options.top);
	return print(t);
}

static int next(struct top *t)
{
	struct top_report *r = &t->report;
	const double now = session_now();
	int err;

	top_clear(r);
	r->number++;
	r->interval = now - t->looked;
	r->elapsed = now - t->tracked.crowd.began;
	t->looked = now;
	err = tracked_look(&t->tracked, r);
	if (!err)
		err = update(t);
	refused_count(&t->tracked.crowd.refused, r->refused);
	return err ? err : show(t);
}

/* ---- the time between two */

static double next_report(const struct top *t)
{
	return pace_next(t->tracked.crowd.began, t->looked, t->options.interval);
}

/* A terminal that is gone can be read, too, and has no keys. */
static bool is_gone(int fd)
{
	struct pollfd poll_one = { .fd = fd, .events = POLLIN };

	return poll(&poll_one, 1, 0) == 1 && poll_one.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/* Keys come at any time, and so does another size of the terminal, which is a signal. */
static int wait_for_next(struct top *t)
{
	const int input = t->screen ? STDIN_FILENO : -1;
	double left = next_report(t) - session_now();
	int ret;

	do {
		if (t->screen && left > 0.5)
			left = 0.5;
		ret = crowd_wait(&t->tracked.crowd, left > 0 ? left : 0, t->while_waiting, input);
		if (ret < 0)
			return ret;
		if (t->screen && (!top_screen_take_keys(t->screen) || is_gone(input)))
			t->stop = true;
		left = next_report(t) - session_now();
	} while (left > 0 && !t->stop && !ourselves_interrupted());
	return 0;
}

static bool is_done(const struct top *t)
{
	return t->stop || ourselves_interrupted() || (t->over && !t->tracked.crowd.n) ||
	       (t->options.count && t->report.number >= t->options.count);
}

static int loop(struct top *t)
{
	int err = 0;

	while (!err && !is_done(t)) {
		err = wait_for_next(t);
		if (!err && !t->stop && !ourselves_interrupted())
			err = next(t);
	}
	return err;
}

/* ---- beginning and end */

/* Of those that were named none can be tracked: why, they were told. */
static bool is_hopeless(const struct top *t)
{
	return t->options.pids && !t->tracked.crowd.n;
}

static bool wants_screen(const struct top *t)
{
	return !t->options.plain && !t->options.json && isatty(STDIN_FILENO) &&
	       isatty(STDOUT_FILENO);
}

static int open_screen(struct top *t)
{
	int err = wants_screen(t) ? top_screen_open(&t->screen, &t->options.interval, t->utf8) : 0;
	const char *terminal = getenv("TERM");

	if (err != -ENOTTY)
		return err;
	fprintf(stderr, "uffdwp: nothing is known of the terminal '%s', so these are plain tables: see TERM\n",
		terminal ? terminal : "");
	return 0;
}

static int track(struct top *t)
{
	int err;

	tracked_begin(&t->tracked);
	err = update(t);
	if (err || ourselves_interrupted())
		return err;
	if (is_hopeless(t)) {
		fprintf(stderr, "uffdwp: nothing to track\n");
		return TOLD;
	}
	t->tracked.crowd.tell = false;
	t->tracked.crowd.began = session_now();
	t->looked = t->tracked.crowd.began;
	err = open_screen(t);
	if (!err && t->screen)
		err = top_screen_show(t->screen, &t->report);
	return err ? err : loop(t);
}

static int run(struct top *t)
{
	int err;

	t->tracked.crowd.what = (struct selection){ .whole_huge = true, .quiet = true };
	t->tracked.crowd.by_user = t->options.by_user;
	t->tracked.crowd.user = t->options.user;
	t->tracked.crowd.tell = t->options.pids;
	t->while_waiting = ourselves_catch_signals();
	err = track(t);
	top_screen_close(t->screen);
	tracked_end(&t->tracked);
	prometheus_end(&t->metrics);
	top_free(&t->report);
	return err ? complain(err) : 0;
}

/* Could anything be tracked at all? */
static int check_device(void)
{
	struct uffdwp_info info = { .size = sizeof(info) };
	int err = uffdwp_query(UFFDWP_BACKEND_MODULE, &info);

	if (err)
		fprintf(stderr, "uffdwp: nothing can be tracked: %s\n", uffdwp_explain(err));
	return err ? 1 : 0;
}

/* 0, or the exit status. */
static int check_metrics(struct top *t)
{
	char why[400];

	t->metrics.path = t->options.prometheus;
	if (!t->metrics.path || !prometheus_check(t->metrics.path, why, sizeof(why)))
		return 0;
	fprintf(stderr, "uffdwp: %s\n", why);
	return 1;
}

/* 0, or the exit status: before any signal is caught, so that the question can be interrupted. */
static int ask(struct top *t)
{
	if (!top_options_want_all(&t->options) || t->options.yes)
		return 0;
	return source_read(&t->source) ? 1 : ask_for_all(&t->source.list);
}

static int with_source(struct top *t)
{
	int status = source_open(&t->source, &t->options) ? 1 : 0;

	if (!status)
		status = ask(t);
	if (!status)
		status = run(t);
	source_close(&t->source);
	return status;
}

int top_main(int argc, char **argv)
{
	struct top t = { 0 };
	char why[160];

	if (top_options_parse(argc, argv, &t.options, why, sizeof(why))) {
		fprintf(stderr, "uffdwp top: %s\n\n", why);
		top_usage(stderr);
		return 2;
	}
	if (t.options.help) {
		top_usage(stdout);
		return 0;
	}
	t.utf8 = human_has_utf8();
	if (check_metrics(&t) || check_device())
		return 1;
	return with_source(&t);
}
