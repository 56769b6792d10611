// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp record: what was written when, into a file.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "human.h"
#include "record/group.h"
#include "record/intervals.h"
#include "record/options.h"
#include "record/progress.h"
#include "record/record.h"
#include "recording/recording.h"
#include "session.h"

struct record {
	struct record_options options;
	struct recording_writer *writer;
	struct intervals intervals;
	struct progress progress;
	double created;		/* seconds, as session_now(): the file's times are since then */
	bool draws;
	bool told_incomplete;
	int err;		/* of the file */
};

/* ---- what the file begins with */

static void join_words(char **words, char *text, size_t size)
{
	size_t at = 0;

	*text = 0;
	for (; *words && at < size; words++) {
		int n = snprintf(text + at, size - at, "%s%s", at ? " " : "", *words);

		at += n;
	}
}

/* As much as there is room for. False: nobody can read it, or it has none, as kernel threads. */
static bool read_command_line(pid_t pid, char *text, size_t size)
{
	char path[32];
	FILE *file;
	size_t n = 0, i;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = fopen(path, "re");
	if (file) {
		n = fread(text, 1, size - 1, file);
		fclose(file);
	}
	while (n && !text[n - 1])
		n--;
	for (i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n] = 0;
	return n;
}

static void say_what(const struct record_options *options, char *text, size_t size)
{
	const struct selection *what = &options->what;
	char raw[1024];

	if (options->cgroup)
		snprintf(raw, sizeof(raw), "cgroup %s", options->cgroup);
	else if (what->command)
		join_words(what->command, raw, sizeof(raw));
	else if (!read_command_line(what->pid, raw, sizeof(raw)))
		snprintf(raw, sizeof(raw), "process %d", (int)what->pid);
	human_clean(raw, strlen(raw), text, size);
}

static void fill_header(const struct record *r, struct recording_header *header)
{
	struct timespec now;
	struct utsname machine;

	*header = (struct recording_header){
		.interval = r->options.interval,
		.most_cells = r->options.most_cells,
		.children = r->options.what.children,
	};
	clock_gettime(CLOCK_REALTIME, &now);
	header->began = now.tv_sec * 1000000000ll + now.tv_nsec;
	snprintf(header->tool, sizeof(header->tool), "uffdwp %s", UFFDWP_VERSION);
	if (!uname(&machine)) {
		human_clean(machine.nodename, strlen(machine.nodename), header->host,
			    sizeof(header->host));
		human_clean(machine.release, strlen(machine.release), header->kernel,
			    sizeof(header->kernel));
	}
	say_what(&r->options, header->what, sizeof(header->what));
}

static const char *explain(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "it is there, and is no ordinary file";
	case -ELOOP:
		return "it is a symbolic link";
	case -E2BIG:
		return "there is more in an interval than a recording can have: select a part with -r or -m";
	default:
		return strerror(-err);
	}
}

/* Before anything is started, so that a name that cannot be is told first. */
static int create(struct record *r)
{
	struct recording_header header;
	int err;

	fill_header(r, &header);
	r->created = session_now();
	err = recording_create(r->options.output, &header, &r->writer);
	if (err)
		fprintf(stderr, "uffdwp: cannot write to %s: %s\n", r->options.output,
			explain(err));
	return err;
}

/* ---- while it is made */

static int complain(struct record *r, int err)
{
	r->err = err;
	if (r->draws)
		progress_clear(stderr);
	fprintf(stderr, "uffdwp: cannot write to %s: %s\n", r->options.output, explain(err));
	if (r->progress.intervals)
		fprintf(stderr, "uffdwp: it has what was recorded until %.1f s, see 'uffdwp report %s'\n",
			r->progress.seconds, r->options.output);
	else
		fprintf(stderr, "uffdwp: nothing was recorded\n");
	return err;
}

static void tell_incomplete(struct record *r)
{
	if (!r->intervals.set.incomplete || r->told_incomplete)
		return;
	r->told_incomplete = true;
	fprintf(stderr, "uffdwp: more memory is written than the written sets have room for: they are too small from here on\n");
}

static int add(struct record *r, const struct report *report, double now)
{
	struct progress *progress = &r->progress;
	const double time = now - r->created;
	int err = intervals_add(&r->intervals, report, time);

	if (!err)
		err = recording_write(r->writer, &r->intervals.interval);
	if (err)
		return complain(r, err);
	progress->intervals++;
	progress->seconds = time;
	progress->length = report->interval;
	progress->last = report_total(report).written;
	progress->written += progress->last;
	progress->bytes = recording_size(r->writer);
	tell_incomplete(r);
	if (r->draws)
		progress_draw(stderr, progress);
	return 0;
}

static int take_report(struct session *s)
{
	return add(s->arg, &s->report, s->looked);
}

static bool has_news(const struct report *report)
{
	size_t i;

	for (i = 0; i < report->processes; i++)
		if (report->process[i].ended || report->process[i].gone.written)
			return true;
	return report_total(report).written || report->lost || report->not_followed;
}

static int add_if_news(struct record *r, const struct report *report, double now)
{
	return has_news(report) ? add(r, report, now) : 0;
}

/* The report that there is: nobody has been told of it, and it ends now. */
static void take_last(struct session *s)
{
	struct record *r = s->arg;
	const double now = session_now();

	s->report.interval = now - s->looked;
	s->looked = now;
	if (!r->err)
		add_if_news(r, &s->report, now);
}

/*
 * It ends in the middle of an interval: what was written in this part of it is a last one, shorter
 * than the others. Where the process is gone, that is what was in its memory; and where it has gone
 * while it was looked at, what was seen by then.
 */
static void take_rest(struct session *s)
{
	struct record *r = s->arg;

	if (!s->began || session_has_seen_enough(s))
		return;
	if (s->report.number > r->progress.intervals)
		take_last(s);
	family_look(&s->family, &s->report);
	take_last(s);
}

static int close_file(struct record *r)
{
	int err = r->writer ? recording_finish(r->writer) : 0;

	r->writer = NULL;
	return err;
}

/* The recording is there, and can be looked at. */
static void finish(struct record *r)
{
	int err = close_file(r);

	if (r->draws)
		progress_clear(stderr);
	if (err && !r->err)
		complain(r, err);
	if (r->err)
		return;
	if (!r->progress.intervals)
		fprintf(stderr, "uffdwp: nothing was recorded: it ended before\n");
	else if (!r->options.quiet)
		progress_finish(stderr, &r->progress, r->options.output);
}

/* Before a command of ours is waited for. */
static void end(struct session *s)
{
	take_rest(s);
	finish(s->arg);
}

static const struct session_ops ops = {
	.verb = "record",
	.report = take_report,
	.end = end,
};

/* ---- a cgroup */

static int take_of_group(void *arg, const struct report *report, double now)
{
	return add(arg, report, now);
}

static int take_last_of_group(void *arg, const struct report *report, double now)
{
	return add_if_news(arg, report, now);
}

static int run_group(struct record *r)
{
	struct group group = {
		.options = &r->options, .arg = r,
		.take = take_of_group, .take_last = take_last_of_group,
	};
	int status = group_run(&group);

	if (!status)
		finish(r);
	return status;
}

/* ---- the verb */

static int run_session(struct record *r)
{
	struct session session = {
		.ops = &ops, .arg = r, .what = &r->options.what, .input = -1,
		.interval = r->options.interval, .count = r->options.count,
		.seconds = r->options.duration,
	};

	session.report.wants_regions = true;
	return session_run(&session);
}

static int run(struct record *r)
{
	int status;

	if (create(r))
		return 1;
	r->intervals.most_cells = r->options.most_cells;
	r->draws = !r->options.quiet && isatty(STDERR_FILENO);
	status = r->options.cgroup ? run_group(r) : run_session(r);
	close_file(r);
	intervals_free(&r->intervals);
	return r->err ? 1 : status;
}

int record_main(int argc, char **argv)
{
	struct record r = { 0 };
	char why[160];

	if (record_options_parse(argc, argv, &r.options, why, sizeof(why))) {
		fprintf(stderr, "uffdwp record: %s\n\n", why);
		record_usage(stderr);
		return 2;
	}
	if (r.options.help) {
		record_usage(stdout);
		return 0;
	}
	return run(&r);
}
