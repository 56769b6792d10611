// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp watch: print what was written, at every interval.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "human.h"
#include "report.h"
#include "session.h"
#include "watch/goodbye.h"
#include "watch/metrics.h"
#include "watch/options.h"
#include "watch/screen.h"
#include "watch/sets.h"
#include "watch/watch.h"

struct watch {
	struct watch_options options;
	uint64_t busy_bytes;	/* of the last report */
	struct goodbye goodbye;	/* what is known of it by now */
	FILE *output;
	bool unsaid;		/* the last lines could not be written */
	bool utf8;
	struct watch_metrics metrics;
	bool live;		/* on the screen, not in lines */
	struct screen screen;
	struct sets sets;
};

static void keep_skipped(struct session *s)
{
	struct watch *w = s->arg;

	/* Of processes that have ended nothing is left to skip. */
	if (!s->report.n)
		return;
	memcpy(w->goodbye.skipped_maps, s->report.skipped_maps, sizeof(w->goodbye.skipped_maps));
	memcpy(w->goodbye.skipped_bytes, s->report.skipped_bytes,
	       sizeof(w->goodbye.skipped_bytes));
}

static int begin(struct session *s)
{
	struct watch *w = s->arg;
	int err;

	keep_skipped(s);
	if (!w->live)
		return 0;
	w->screen.live.utf8 = w->utf8;
	err = screen_begin(&w->screen, s, &w->sets.set, w->options.color);
	if (err)
		fprintf(stderr, "uffdwp: the terminal cannot be used: %s. Try --plain\n",
			strerror(-err));
	return err;
}

static double since_1970(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int print(struct session *s)
{
	struct watch *w = s->arg;
	struct report *report = &s->report;
	int err = 0;

	report->skipped_news = report->number == 1 ||
			       report->skipped_bytes[MAP_BUSY] != w->busy_bytes;
	w->busy_bytes = report->skipped_bytes[MAP_BUSY];
	if (w->options.json)
		err = report_print_json(w->output, report);
	else
		report_print_table(w->output, report, w->utf8);
	if (!err && !ferror(w->output))
		return 0;
	fprintf(stderr, "uffdwp: cannot write the report\n");
	return -EPIPE;
}

static int show(struct watch *w, struct session *s)
{
	const int err = screen_report(&w->screen, s);

	if (err)
		fprintf(stderr, "uffdwp: cannot show the report: %s\n", strerror(-err));
	return err;
}

static int take_report(struct session *s)
{
	struct watch *w = s->arg;
	struct report *report = &s->report;
	int err;

	keep_skipped(s);
	w->goodbye.written += report_total(report).written;
	err = watch_metrics_take(&w->metrics, report, since_1970());
	if (err == -ENOMEM)
		fprintf(stderr, "uffdwp: there is no memory for the metrics\n");
	if (err)
		return err;
	if (w->live || w->options.json)
		sets_take(&w->sets, report);
	if (w->options.by_name)
		report_by_name(report);
	if (w->options.top)
		report_top(report, w->options.top);
	return w->live ? show(w, s) : print(s);
}

static int take_input(struct session *s)
{
	struct watch *w = s->arg;
	const int err = screen_input(&w->screen, s);

	if (err)
		fprintf(stderr, "uffdwp: cannot show the screen: %s\n", strerror(-err));
	return err;
}

static void leave(struct session *s)
{
	struct watch *w = s->arg;

	screen_end(&w->screen);
	s->input = -1;
}

static void say_goodbye(struct session *s)
{
	struct watch *w = s->arg;
	struct goodbye *g = &w->goodbye;

	/* Also if a command goes on. */
	prometheus_end(&w->metrics.file);
	leave(s);
	if (w->options.json)
		return;
	g->pid = s->target.pid;
	g->ended = target_has_ended(&s->target);
	g->seconds = s->looked - s->began;
	g->after = family_written_since(&s->family);
	g->not_followed = s->family.all_not_followed;
	g->reports_lost = s->family.reports_lost + s->family.lost;
	if (goodbye_print(w->output, g)) {
		fprintf(stderr, "uffdwp: cannot write the last lines\n");
		w->unsaid = true;
	}
}

static const struct session_ops ops = {
	.verb = "watch",
	.begin = begin,
	.report = take_report,
	.input = take_input,
	.end = say_goodbye,
	.over = leave,
};

static int open_output(struct watch *w)
{
	w->output = w->options.output ? fopen(w->options.output, "we") : stdout;
	if (w->output)
		return 0;
	fprintf(stderr, "uffdwp: cannot write to %s: %s\n", w->options.output, strerror(errno));
	return 1;
}

/* Some file systems tell only then that there is no room. What was an error before was told. */
static int close_output(struct watch *w)
{
	const bool told = ferror(w->output);

	if (w->output == stdout || !fclose(w->output) || told)
		return 0;
	fprintf(stderr, "uffdwp: cannot write to %s: %s\n", w->options.output, strerror(errno));
	return 1;
}

/* Before a command is started. */
static int choose_metrics(struct watch *w)
{
	char why[400];

	w->metrics.file.path = w->options.prometheus;
	if (!w->metrics.file.path ||
	    !prometheus_check(w->metrics.file.path, why, sizeof(why)))
		return 0;
	fprintf(stderr, "uffdwp: %s\n", why);
	return 1;
}

/*
 * Not for a command, which may read from the terminal and print on it: then only who asks for it
 * gets the screen.
 */
static int choose_screen(struct watch *w)
{
	const struct watch_options *o = &w->options;

	if (o->json || o->output || o->plain || (o->what.command && !o->screen))
		return 0;
	w->live = terminal_is_usable();
	if (w->live || !o->screen)
		return 0;
	fprintf(stderr, "uffdwp: there is no screen: standard output is no terminal, or TERM does not name one that is known. Leave out --screen\n");
	return 1;
}

int watch_main(int argc, char **argv)
{
	struct watch w = { 0 };
	struct session session = { .ops = &ops, .arg = &w, .what = &w.options.what, .input = -1 };
	char why[160];
	int status;

	if (watch_options_parse(argc, argv, &w.options, why, sizeof(why))) {
		fprintf(stderr, "uffdwp watch: %s\n\n", why);
		watch_usage(stderr);
		return 2;
	}
	if (w.options.help) {
		watch_usage(stdout);
		return 0;
	}
	session.interval = w.options.interval;
	session.count = w.options.count;
	w.utf8 = human_has_utf8();
	if (choose_metrics(&w) || open_output(&w) || choose_screen(&w))
		return 1;
	session.report.wants_regions = w.live || w.options.json || w.options.prometheus;
	status = session_run(&session);
	watch_metrics_end(&w.metrics);
	sets_free(&w.sets);
	return close_output(&w) || w.unsaid ? 1 : status;
}
