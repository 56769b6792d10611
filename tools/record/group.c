// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes of a cgroup, as "uffdwp record" sees them: each of them is tracked by itself, and
 * at every interval there is one report of all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crowd/cgroup.h"
#include "crowd/member.h"
#include "ourselves.h"
#include "pace.h"
#include "record/group.h"
#include "session.h"
#include "uffdwp.h"

/* An error that was printed. No errno is as large. */
#define TOLD (-4096)

/*
 * One that has ended is looked at once more: what its events have told during the look would be in
 * the next report, and how it has ended, too.
 */
static int look_at(struct crowd *c, struct member *m, int *err)
{
	struct group *g = c->arg;

	*err = member_look(m, &g->report);
	if (*err == -ESRCH)
		member_look(m, &g->report);
	return 0;
}

static const struct crowd_ops ops = { .member_size = sizeof(struct member), .look = look_at };

/* ---- who cannot be recorded */

static void tell_refused(const struct group *g)
{
	uint64_t counts[REFUSALS];
	int why;

	refused_count(&g->crowd.refused, counts);
	for (why = 0; why < REFUSALS; why++)
		if (counts[why] && why != REFUSED_KERNEL)
			fprintf(stderr, "uffdwp: %" PRIu64 " process%s of the cgroup cannot be recorded: %s\n",
				counts[why], counts[why] == 1 ? "" : "es", refusal_text(why));
}

/* ---- the processes that there are now */

static int update(struct group *g)
{
	int err;

	g->list.n = 0;
	err = cgroup_read(g->folder, &g->list);
	pid_list_sort(&g->list);
	if (err == -ENODEV) {
		g->over = true;
		g->list.n = 0;
	} else if (err) {
		fprintf(stderr, "uffdwp: the cgroup %s cannot be read any more: %s\n",
			g->options->cgroup, strerror(-err));
		return TOLD;
	}
	return crowd_update(&g->crowd, &g->list);
}

/* ---- reports */

/* Who could not be tracked when it came is told with what was written since. */
static int look_at_all(struct group *g)
{
	struct report *r = &g->report;
	double now;
	int err;

	report_clear(r);
	r->by_process = true;
	err = crowd_look(&g->crowd);
	r->not_followed += g->crowd.refused_anew;
	g->crowd.refused_anew = 0;
	now = session_now();
	r->number++;
	r->interval = now - g->looked;
	r->elapsed = now - g->began;
	g->looked = now;
	return err;
}

static int next(struct group *g)
{
	int err = look_at_all(g);

	if (!err && g->take(g->arg, &g->report, g->looked))
		err = TOLD;
	return err ? err : update(g);
}

/* It ends in the middle of an interval. */
static int last(struct group *g)
{
	int err = look_at_all(g);

	if (!err && g->take_last(g->arg, &g->report, g->looked))
		err = TOLD;
	return err;
}

/* ---- the time between two */

static double end_of(const struct group *g)
{
	return g->began + g->options->duration;
}

static double next_report(const struct group *g)
{
	const double when = pace_next(g->began, g->looked, g->options->interval);

	return g->options->duration > 0 && when > end_of(g) ? end_of(g) : when;
}

static int wait_for_next(struct group *g, const sigset_t *while_waiting)
{
	double left = next_report(g) - session_now();
	int ret;

	do {
		ret = crowd_wait(&g->crowd, left > 0 ? left : 0, while_waiting, -1);
		if (ret < 0)
			return ret;
		left = next_report(g) - session_now();
	} while (left > 0 && !ourselves_interrupted());
	return 0;
}

static bool has_seen_enough(const struct group *g)
{
	const struct record_options *o = g->options;

	return (g->over && !g->crowd.n) || (o->count && g->report.number >= o->count) ||
	       (o->duration > 0 && g->looked >= end_of(g));
}

static int loop(struct group *g, const sigset_t *while_waiting)
{
	int err = 0;

	while (!err && !has_seen_enough(g)) {
		err = wait_for_next(g, while_waiting);
		if (err || ourselves_interrupted())
			return err ? err : last(g);
		err = next(g);
	}
	return err;
}

/* ---- beginning and end */

static int with_crowd(struct group *g, const sigset_t *while_waiting)
{
	int err;

	crowd_begin(&g->crowd);
	g->report.wants_regions = true;
	err = update(g);
	if (err || ourselves_interrupted())
		return err;
	tell_refused(g);
	if (!g->crowd.n)
		fprintf(stderr, "uffdwp: there is no process in the cgroup yet that can be recorded\n");
	g->began = session_now();
	g->looked = g->began;
	return loop(g, while_waiting);
}

static int open_cgroup(struct group *g)
{
	g->folder = cgroup_open(g->options->cgroup);
	if (g->folder >= 0)
		return 0;
	fprintf(stderr, "uffdwp: cannot read the cgroup %s: %s\n", g->options->cgroup,
		cgroup_explain(g->folder));
	return 1;
}

int group_run(struct group *g)
{
	int err;

	if (session_check_device() || open_cgroup(g))
		return 1;
	g->crowd.ops = &ops;
	g->crowd.arg = g;
	g->crowd.what = g->options->what;
	g->crowd.what.quiet = true;
	err = with_crowd(g, ourselves_catch_signals());
	crowd_end(&g->crowd);
	report_free(&g->report);
	pid_list_free(&g->list);
	close(g->folder);
	if (err && err != TOLD)
		fprintf(stderr, "uffdwp: cannot go on: %s\n", uffdwp_explain(err));
	return err ? 1 : 0;
}
