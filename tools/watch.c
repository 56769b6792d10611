// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp watch: at every interval, ask what was written and arm it again, by one scan however many
 * mappings there are; track what is new.
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

/*
 * How long a process may take from giving up its memory to having ended: asked again that often,
 * because a machine may have no time for it, and not for ever, because the first thread of a
 * program may end long before the others.
 */
#define ENDING_MS 500
#define ENDING_TRIES 6

struct watch {
	const struct watch_options *options;
	struct target target;
	struct uffdwp *tracker;
	bool sparse;		/* private memory of no file can be tracked, whatever its size */
	bool follows;		/* ... and is tracked from when it is mapped */
	bool fresh;		/* what it had before that was not armed yet */
	struct maps maps;
	struct maps before;	/* those of the last report */
	int maps_err;		/* of reading @maps, which is not the library's to explain */
	struct report report;
	uint64_t busy_bytes;	/* of the last report */
	uint64_t given_way;	/* pages, of this tracker, that were told of */
	FILE *output;
	double began;
	double looked;		/* when the last report was made */
	uint64_t written;	/* pages in all reports */
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

/* Sparse: nothing is copied here, and the process is to stay as small as it is. */
static int open_sparse(struct watch *w)
{
	UFFDWP_OPTS(uffdwp_open_opts, opts, .flags = UFFDWP_OPEN_PIDFD,
		    .pidfd = w->target.pidfd, .unpopulated = UFFDWP_UNPOP_SPARSE);
	int err = uffdwp_open(0, &opts, &w->tracker);

	w->sparse = !err;
	if (err != -EOPNOTSUPP)
		return err;
	opts.unpopulated = UFFDWP_UNPOP_DEFAULT;
	return uffdwp_open(0, &opts, &w->tracker);
}

/*
 * Private memory of no file, which heaps are made of, is followed: it is tracked from when it is
 * mapped, and its mappings stay what they would be. Not if mappings are chosen by their names,
 * which they may get later. Where that cannot be, as for all other memory, what is new is tracked
 * by the next report.
 */
static int open_tracker(struct watch *w)
{
	const struct watch_options *o = w->options;
	UFFDWP_OPTS(uffdwp_follow_opts, opts, .start = o->start, .len = o->end - o->start,
		    .kinds = UFFDWP_KIND_ANON_PRIVATE, .flags = UFFDWP_FOLLOW_SPARSE);
	int err = open_sparse(w);

	w->follows = false;
	if (err || !w->sparse || o->name)
		return err;
	err = uffdwp_follow(w->tracker, &opts);
	w->follows = !err;
	w->fresh = !err;
	if (!err || err == -EOPNOTSUPP || err == -EBUSY)
		return 0;
	uffdwp_close(w->tracker);
	w->tracker = NULL;
	return err;
}

static uint64_t pages(const struct uffdwp_region *region)
{
	return (region->end - region->start) / PAGE;
}

/*
 * What is in memory that has just been armed was written since the last report, when nobody
 * tracked it: all that is populated counts, but for the zero page and for what still is a page of
 * a file, privately mapped. What was written again meanwhile, or could not be armed, is left to the
 * next report.
 */
static int count_populated(struct watch *w, const struct map *map,
			   const struct uffdwp_region *where, struct report_line *line)
{
	const uint64_t none_of = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PFNZERO |
		(map->kind == MAP_SHARED_MEMORY ? 0 : UFFDWP_PAGE_IS_FILE);
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.start = where->start,
		.len = where->end - where->start,
		.category_inverted = none_of,
		.category_mask = none_of,
		/* In memory of files, a marker reads as swapped. */
		.category_anyof_mask = UFFDWP_PAGE_IS_PRESENT |
			(map->kind == MAP_TRACKABLE ? UFFDWP_PAGE_IS_SWAPPED : 0),
	};
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int err = uffdwp_scan_start(w->tracker, &opts, &scan);

	if (err)
		return err;
	while ((err = uffdwp_scan_next(scan, &region)) == 1)
		line->written += pages(&region);
	uffdwp_scan_end(scan);
	return err;
}

/* Before the first report there is no "since". */
static int count_since(struct watch *w, const struct map *map, const struct uffdwp_region *where,
		       struct report_line *line)
{
	return w->report.number ? count_populated(w, map, where, line) : 0;
}

/*
 * Memory that is not tracked yet. It may be gone, or be something else, since we have read the list
 * of mappings: then the next report will know better. What is somebody else's is left out, and so
 * is what this kernel cannot track: only trying tells shared memory from a file on a disk.
 */
static int track_new(struct watch *w, const struct map *map, const struct uffdwp_region *region,
		     struct report_line *line)
{
	enum map_kind kind = MAP_BUSY;
	int err;

	err = uffdwp_track(w->tracker, region->start, region->end - region->start, NULL);
	switch (err) {
	case 0:
		line->added += pages(region);
		return count_since(w, map, region, line);
	case -EOPNOTSUPP:
		if (map->kind != MAP_TRACKABLE)
			kind = map->kind;
		/* fall through */
	case -EBUSY:
	case -EACCES:
		report_skip(&w->report, kind, region->end - region->start);
		/* fall through */
	case -ENOENT:
		line->tracked -= pages(region);
		return 0;
	default:
		return err;
	}
}

/*
 * One scan of all that lies between the first and the last of some mappings. Its regions and the
 * mappings are in ascending order, so a region is cut where one mapping ends and the next begins.
 */
struct harvest {
	struct watch *w;
	const struct map *map;		/* the mapping that we have come to */
	const struct map *end;
	struct report_line line;	/* of it */
};

static void begin_line(struct harvest *h)
{
	const struct map *map = h->map;

	if (map == h->end)
		return;
	h->line = (struct report_line){
		.start = map->start,
		.end = map->end,
		.name = map->name,
		.tracked = (map->end - map->start) / PAGE,
	};
}

/* Memory that is followed: the scan does not say what is new, nor what cannot be written yet. */
static void finish_followed(const struct watch *w, const struct map *map, struct report_line *line)
{
	if (w->report.number && map->kind == MAP_TRACKABLE)
		line->added = (map->end - map->start -
			       maps_bytes_within(&w->before, map->start, map->end)) / PAGE;
	if (map->kind == MAP_NOT_WRITABLE && !line->written)
		line->tracked = 0;
}

/* Whether shared memory can be tracked is only known when it was tried, and so with most others. */
static int end_line(struct harvest *h)
{
	int err = 0;

	if (h->w->follows)
		finish_followed(h->w, h->map, &h->line);
	if (h->line.tracked || h->map->kind == MAP_TRACKABLE)
		err = report_add(&h->w->report, &h->line);
	h->map++;
	begin_line(h);
	return err;
}

/*
 * The list of mappings was read before the scan, and what has grown since is in none of them. It
 * stays written, for the next report, which has a line for it.
 */
static int leave(struct harvest *h, uint64_t start, uint64_t end, uint64_t categories)
{
	if (categories & UFFDWP_PAGE_IS_UNTRACKED)
		return 0;
	return uffdwp_disarm(h->w->tracker, start, end - start);
}

static int take(struct harvest *h, const struct uffdwp_region *part)
{
	if (!(part->categories & UFFDWP_PAGE_IS_UNTRACKED)) {
		if (h->w->fresh)
			return count_since(h->w, h->map, part, &h->line);
		h->line.written += pages(part);
		return 0;
	}
	/* Nothing that it would leave out can be written. What was tracked before stays so. */
	if (h->map->kind == MAP_NOT_WRITABLE) {
		h->line.tracked -= pages(part);
		return 0;
	}
	return track_new(h->w, h->map, part, &h->line);
}

static int sort_in(struct harvest *h, const struct uffdwp_region *region)
{
	struct uffdwp_region part = *region;
	int err = 0;

	while (!err && part.start != region->end) {
		while (!err && h->map != h->end && h->map->end <= part.start)
			err = end_line(h);
		part.end = region->end;
		if (err)
			break;
		if (h->map == h->end || h->map->start >= region->end) {
			err = leave(h, part.start, part.end, part.categories);
		} else if (h->map->start > part.start) {
			part.end = h->map->start;
			err = leave(h, part.start, part.end, part.categories);
		} else {
			if (h->map->end < part.end)
				part.end = h->map->end;
			err = take(h, &part);
		}
		part.start = part.end;
	}
	return err;
}

static int scan_mappings(struct watch *w, const struct map *first, const struct map *end)
{
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.flags = UFFDWP_SCAN_WP_MATCHING,
		.start = first->start,
		.len = end[-1].end - first->start,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = UFFDWP_PAGE_IS_UNTRACKED,
	};
	struct harvest h = { .w = w, .map = first, .end = end };
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int got, err;

	got = uffdwp_scan_start(w->tracker, &opts, &scan);
	if (got)
		return got;
	begin_line(&h);
	while ((got = uffdwp_scan_next(scan, &region)) == 1) {
		got = sort_in(&h, &region);
		if (got)
			break;
	}
	while (!got && h.map != end)
		got = end_line(&h);
	err = uffdwp_scan_end(scan);
	return got ? got : err;
}

/* Is this mapping, or a part of it, asked for? */
static bool selected(const struct watch_options *o, struct map *map)
{
	char bare[sizeof(map->name)];

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
		snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(map->name + 1, "]"),
			 map->name + 1);
		return !fnmatch(o->name, bare, 0);
	}
	return !strcmp(o->name, map->name) || !fnmatch(o->name, map->name, 0);
}

/* Would it get page tables that are a burden? What is private and not of a file gets none. */
static bool is_giant(const struct watch *w, const struct map *map)
{
	return map->end - map->start > MAP_GIANT_BYTES && map->kind != MAP_NOT_WRITABLE &&
	       !(w->sparse && map->kind == MAP_TRACKABLE);
}

/*
 * Leaves in the list what is to be looked at, and what no scan may go over: of what is very large,
 * the report says that it is left out, and if it has grown to that size it may have been tracked
 * before. What cannot be written now may have been written and protected since the last report.
 */
static void select_maps(struct watch *w)
{
	struct maps *maps = &w->maps;
	size_t i, n = 0;

	for (i = 0; i < maps->n; i++) {
		struct map *map = &maps->map[i];

		if (map->kind == MAP_SPECIAL || !selected(w->options, map))
			continue;
		if (is_giant(w, map)) {
			map->kind = MAP_GIANT;
			report_skip(&w->report, MAP_GIANT, map->end - map->start);
		}
		maps->map[n++] = *map;
	}
	maps->n = n;
}

/* As a rule, all mappings by one scan. */
static int look_at_all(struct watch *w)
{
	const struct map *map = w->maps.map, *end = map + w->maps.n, *first;
	int err = 0;

	while (map != end && !err) {
		for (first = map; map != end && map->kind != MAP_GIANT; map++)
			;
		if (map != first)
			err = scan_mappings(w, first, map);
		if (map != end)
			map++;
	}
	return err;
}

static int scan_all(struct watch *w)
{
	struct maps before = w->before;
	int err;

	report_clear(&w->report);
	w->before = w->maps;
	w->maps = before;
	err = maps_read(w->target.pid, &w->maps);
	w->maps_err = err;
	/* Its number may be another process's by now. While it has not ended it was not. */
	if (!err && target_has_ended(&w->target))
		err = -ESRCH;
	/* A process that is ending has an empty list for a moment. */
	if (!err && !w->maps.n)
		err = -ESRCH;
	if (err)
		return err;
	select_maps(w);
	err = look_at_all(w);
	w->fresh = w->fresh && err;
	return err;
}

/* The address space is gone: the process is ending, or has called execve(2). */
static int follow_exec(struct watch *w)
{
	int err, tries = 0;

	do {
		if (target_ends_within(&w->target, ENDING_MS))
			return -ESRCH;
		uffdwp_close(w->tracker);
		w->tracker = NULL;
		w->given_way = 0;
		w->maps.n = 0;
		err = open_tracker(w);
	} while (err == -ESRCH && ++tries < ENDING_TRIES);
	if (!err)
		fprintf(stderr, "uffdwp: process %d has called execve, its new memory is watched\n",
			(int)w->target.pid);
	return err;
}

/* What the process has taken for itself is in no report any more: that is not the same as clean. */
static void tell_given_way(struct watch *w)
{
	UFFDWP_OPTS(uffdwp_stats_arg, stats);

	if (uffdwp_get_stats(w->tracker, &stats) || stats.pages_given_way <= w->given_way)
		return;
	fprintf(stderr, "uffdwp: process %d has taken %" PRIu64 " pages for a userfaultfd of its own, which are left to it\n",
		(int)w->target.pid, (uint64_t)stats.pages_given_way - w->given_way);
	w->given_way = stats.pages_given_way;
}

static int look(struct watch *w)
{
	int err = scan_all(w);

	if (err == -ESRCH) {
		err = follow_exec(w);
		if (!err)
			err = scan_all(w);
	}
	if (!err)
		tell_given_way(w);
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

/* Until it is time for the next report, the process ends, or we are told to stop. */
static void wait_until(const struct watch *w, double when)
{
	struct pollfd ended = { .fd = w->target.pidfd, .events = POLLIN };
	struct timespec ts;
	double left = when - now();

	do {
		if (left < 0)
			left = 0;
		ts.tv_sec = (time_t)left;
		ts.tv_nsec = (long)((left - ts.tv_sec) * 1e9);
		/* Even when there is no time left: this is where signals come in. */
		if (ppoll(&ended, 1, &ts, &while_waiting) > 0)
			return;
		left = when - now();
	} while (!interrupted && left > 0);
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
	if (!w->report.n && !skipped)
		fprintf(stderr, "uffdwp: no writable memory of process %d matches yet: see -r and -m, and /proc/%d/maps\n",
			(int)w->target.pid, (int)w->target.pid);
}

/* 0 when the process has ended, or we were told to stop, or have seen enough. */
static int watch_loop(struct watch *w)
{
	const struct watch_options *o = w->options;
	int err = look(w);

	w->began = now();
	w->looked = w->began;
	if (!err)
		warn_if_nothing_matches(w);
	while (!err && (!o->count || w->report.number < o->count)) {
		wait_until(w, next_report(w));
		if (interrupted || target_has_ended(&w->target))
			return 0;
		w->report.number++;
		err = look(w);
		if (!err)
			err = print(w);
	}
	return err;
}

static void say_goodbye(const struct watch *w)
{
	const char *ended = target_has_ended(&w->target) ?
			    "has ended" : "goes on, nothing of it is protected";

	if (w->options->json)
		return;
	if (w->looked > w->began)
		fprintf(w->output, "%" PRIu64 " page writes in %.1f s; process %d %s\n", w->written,
			w->looked - w->began, (int)w->target.pid, ended);
	else
		fprintf(w->output, "no report yet: process %d %s\n", (int)w->target.pid, ended);
}

static int complain(const struct watch *w, const char *what, int err)
{
	if (w->maps_err)
		fprintf(stderr, "uffdwp: cannot %s process %d: its list of mappings cannot be read: %s\n",
			what, (int)w->target.pid, strerror(-err));
	else
		fprintf(stderr, "uffdwp: cannot %s process %d: %s\n", what, (int)w->target.pid,
			uffdwp_explain(err));
	return 1;
}

static int run(struct watch *w)
{
	int err = open_tracker(w);

	/* A program of ours runs already: it may be over, or another one, by now. */
	if (err == -ESRCH && w->target.child)
		err = follow_exec(w);
	if (err == -ESRCH && w->target.child && target_has_ended(&w->target)) {
		say_goodbye(w);
		return 0;
	}
	if (err)
		return complain(w, "watch", err);
	err = watch_loop(w);
	uffdwp_close(w->tracker);
	maps_free(&w->maps);
	maps_free(&w->before);
	report_free(&w->report);

	if (err == -EPIPE) {
		fprintf(stderr, "uffdwp: cannot write the report\n");
		return 1;
	}
	if (err && !(err == -ESRCH && target_has_ended(&w->target)))
		return complain(w, "go on watching", err);
	say_goodbye(w);
	return 0;
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
