// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp watch: at every interval, ask what was written and arm it again; track what is new.
 *
 * Nothing is remembered about which memory is tracked: a scan says of each address whether it is,
 * so a mapping that was replaced, or moved, or has grown between two reports is seen as new, and
 * tracked from then on.
 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "maps.h"
#include "options.h"
#include "report.h"
#include "target.h"
#include "uffdwp.h"
#include "watch.h"

#define PAGE 4096

struct watch {
	const struct watch_options *options;
	struct target target;
	struct uffdwp *tracker;
	struct maps maps;
	struct report report;
	double began;
	double looked;		/* when the last report was made */
	uint64_t written;	/* pages in all reports */
	uint64_t execs;
	bool utf8;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_signals(void)
{
	/* No SA_RESTART: waiting ends at once. */
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* A reader that goes away ("| head") ends us by a failed write, in good order. */
	signal(SIGPIPE, SIG_IGN);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int complain(const struct watch *w, const char *what, const char *why)
{
	fprintf(stderr, "uffdwp: cannot %s process %d: %s\n", what, (int)w->target.pid, why);
	return 1;
}

static int open_tracker(struct watch *w)
{
	struct uffdwp_open_opts opts = {
		.size = sizeof(opts),
		.flags = UFFDWP_OPEN_PIDFD,
		.pidfd = w->target.pidfd,
	};

	return uffdwp_open(0, &opts, &w->tracker);
}

static uint64_t pages(const struct uffdwp_region *region)
{
	return (region->end - region->start) / PAGE;
}

/*
 * Memory that is not tracked yet. It may be gone, or be something else, since we have read the list
 * of mappings; then the next report will know better.
 */
static int track_new(struct watch *w, const struct uffdwp_region *region, struct report_line *line)
{
	int err = uffdwp_track(w->tracker, region->start, region->end - region->start, NULL);

	if (!err) {
		line->added += pages(region);
		return 0;
	}
	if (err == -ENOENT || err == -EOPNOTSUPP || err == -EACCES || err == -EBUSY)
		return 0;
	return err;
}

static int scan_mapping(struct watch *w, struct report_line *line)
{
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.flags = UFFDWP_SCAN_WP_MATCHING,
		.start = line->start,
		.end = line->end,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = UFFDWP_PAGE_IS_UNTRACKED,
	};
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int got, err;

	got = uffdwp_scan_start(w->tracker, &opts, &scan);
	if (got)
		return got;
	while ((got = uffdwp_scan_next(scan, &region)) == 1) {
		if (region.categories & UFFDWP_PAGE_IS_UNTRACKED) {
			got = track_new(w, &region, line);
			if (got)
				break;
		} else {
			line->written += pages(&region);
		}
	}
	err = uffdwp_scan_end(scan);
	line->tracked = (line->end - line->start) / PAGE - line->added;
	return got ? got : err;
}

/* Is this mapping, or a part of it, asked for? */
static bool selected(const struct watch_options *o, struct map *map)
{
	if (o->end) {
		if (map->start < o->start)
			map->start = o->start;
		if (map->end > o->end)
			map->end = o->end;
		if (map->start >= map->end)
			return false;
	}
	if (!o->name)
		return true;
	if (*map->name == '[' && *o->name != '[') {
		/* "heap" is easier to type than "\[heap]" */
		char bare[sizeof(map->name)];

		snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(map->name + 1, "]"),
			 map->name + 1);
		return !fnmatch(o->name, bare, 0);
	}
	return !strcmp(o->name, map->name) || !fnmatch(o->name, map->name, 0);
}

static int scan_all(struct watch *w)
{
	struct report *report = &w->report;
	size_t i;
	int err;

	report->n = 0;
	memset(report->skipped_maps, 0, sizeof(report->skipped_maps));
	memset(report->skipped_bytes, 0, sizeof(report->skipped_bytes));
	err = maps_read(w->target.pid, &w->maps);
	for (i = 0; i < w->maps.n && !err; i++) {
		struct map *map = &w->maps.map[i];
		struct report_line line;

		if (!selected(w->options, map))
			continue;
		if (map->kind != MAP_TRACKABLE) {
			/* Memory that cannot be written leaves nothing out. */
			if (map->kind == MAP_OF_FILE || map->kind == MAP_SHARED_MEMORY) {
				report->skipped_maps[map->kind]++;
				report->skipped_bytes[map->kind] += map->end - map->start;
			}
			continue;
		}
		line = (struct report_line){ .start = map->start, .end = map->end,
					     .name = map->name };
		err = scan_mapping(w, &line);
		if (!err)
			err = report_add(report, &line);
	}
	return err;
}

/* The address space is gone, but the process is not: it has called execve(2). */
static int follow_exec(struct watch *w)
{
	uffdwp_close(w->tracker);
	w->tracker = NULL;
	w->execs++;
	return open_tracker(w);
}

static int look(struct watch *w)
{
	int err = scan_all(w);

	if (err == -ESRCH && !target_has_ended(&w->target)) {
		err = follow_exec(w);
		if (!err)
			err = scan_all(w);
	}
	return err;
}

static int print(struct watch *w)
{
	double time = now();
	int err = 0;

	w->report.interval = time - w->looked;
	w->report.elapsed = time - w->began;
	w->looked = time;
	w->written += report_total(&w->report).written;
	if (w->options->json)
		err = report_print_json(stdout, &w->report);
	else
		report_print_table(stdout, &w->report, w->utf8);
	return ferror(stdout) ? -EPIPE : err;
}

/* Until it is time for the next report, the process ends, or we are told to stop. */
static void wait_until(const struct watch *w, double when)
{
	struct pollfd ended = { .fd = w->target.pidfd, .events = POLLIN };
	double left;

	while (!interrupted && (left = when - now()) > 0)
		if (poll(&ended, 1, (int)(left * 1000) + 1) > 0)
			return;
}

/* 0 when the process has ended, or we were told to stop, or have seen enough. */
static int watch_loop(struct watch *w)
{
	const struct watch_options *o = w->options;
	int err = look(w);

	w->began = now();
	w->looked = w->began;
	while (!err && !interrupted && (!o->count || w->report.number < o->count)) {
		w->report.number++;
		wait_until(w, w->began + w->report.number * o->interval);
		if (interrupted || target_has_ended(&w->target))
			return 0;
		err = look(w);
		if (!err)
			err = print(w);
	}
	return err;
}

static void say_goodbye(const struct watch *w)
{
	char written[32];
	double seconds = w->looked - w->began;

	if (w->options->json)
		return;
	snprintf(written, sizeof(written), "%" PRIu64, w->written);
	printf("%s page writes in %.1f s; process %d %s\n", written, seconds, (int)w->target.pid,
	       target_has_ended(&w->target) ? "has ended" : "goes on, nothing of it is protected");
}

static int run(struct watch *w)
{
	int err = open_tracker(w);

	if (err)
		return complain(w, "watch", uffdwp_explain(UFFDWP_STEP_OPEN, err));
	err = watch_loop(w);
	uffdwp_close(w->tracker);
	maps_free(&w->maps);
	report_free(&w->report);

	if (err == -EPIPE)
		return 1;
	if (err && !(err == -ESRCH && target_has_ended(&w->target)))
		return complain(w, "go on watching", uffdwp_explain(UFFDWP_STEP_SCAN, err));
	say_goodbye(w);
	if (w->target.child && !interrupted && !target_has_ended(&w->target))
		fprintf(stderr, "uffdwp: watching has ended, waiting for %s to end (Ctrl-C ends it)\n",
			w->options->command[0]);
	return 0;
}

int watch_main(int argc, char **argv)
{
	struct watch_options options;
	struct watch w = { .options = &options };
	char why[160];
	int err, status, child;

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
	catch_signals();

	if (options.command)
		err = target_start(options.command, &w.target);
	else
		err = target_find(options.pid, &w.target);
	if (err) {
		fprintf(stderr, "uffdwp: cannot %s %s: %s\n", options.command ? "start" : "watch",
			options.command ? options.command[0] : "this process",
			err == -ESRCH ? "there is no such process" : strerror(-err));
		return options.command ? 127 : 1;
	}
	status = run(&w);
	child = target_finish(&w.target);
	return status ? status : child;
}
