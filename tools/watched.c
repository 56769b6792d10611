// SPDX-License-Identifier: GPL-2.0-only
/*
 * One process that is watched, from its first tracker to the last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "watched.h"

/*
 * How long a process may take from giving up its memory to having ended: asked again that often,
 * because a machine may have no time for it, and not for ever, because the first thread of a
 * program may end long before the others.
 */
#define ENDING_MS 500
#define ENDING_TRIES 6

/* Sparse: nothing is copied here, and the process is to stay as small as it is. */
static int open_sparse(struct watched *p)
{
	UFFDWP_OPTS(uffdwp_open_opts, opts, .flags = UFFDWP_OPEN_PIDFD,
		    .pidfd = p->target.pidfd, .unpopulated = UFFDWP_UNPOP_SPARSE);
	int err;

	if (p->what->whole_huge)
		opts.flags |= UFFDWP_OPEN_WHOLE_HUGE;
	err = uffdwp_open(0, &opts, &p->tracker);

	p->sparse = !err;
	if (err != -EOPNOTSUPP)
		return err;
	opts.unpopulated = UFFDWP_UNPOP_DEFAULT;
	return uffdwp_open(0, &opts, &p->tracker);
}

/* Of all memory: what was written in it is to be counted when it is gone. */
static int open_events(struct watched *p)
{
	UFFDWP_OPTS(uffdwp_events_opts, opts, .flags = UFFDWP_EVENTS_HARVEST_ALL);
	int err = uffdwp_events_open(p->tracker, &opts);

	p->events = !err;
	return err == -EOPNOTSUPP && !p->what->children ? 0 : err;
}

/*
 * Private memory of no file, which heaps are made of, is followed: it is tracked from when it is
 * mapped, and its mappings stay what they would be. Not if mappings are chosen by their names,
 * which they may get later: then execve(2) and children are followed, which takes a range, and
 * nothing can be mapped in the first page. Where memory is not followed, as all other memory, what
 * is new is tracked by the next report.
 */
static int follow(struct watched *p)
{
	const struct selection *o = p->what;
	UFFDWP_OPTS(uffdwp_follow_opts, opts, .start = o->start, .len = o->end - o->start,
		    .kinds = UFFDWP_KIND_ANON_PRIVATE);
	const bool memory = p->sparse && !o->name;
	int err;

	if (!memory && !p->events)
		return 0;
	if (!memory) {
		opts.start = 0;
		opts.len = 4096;
	} else {
		opts.flags = UFFDWP_FOLLOW_SPARSE;
	}
	if (p->events)
		opts.flags |= UFFDWP_FOLLOW_EXEC;
	if (o->children)
		opts.flags |= UFFDWP_FOLLOW_FORK;
	err = uffdwp_follow(p->tracker, &opts);
	p->follows_exec = p->events && !err;
	p->follows = memory && !err;
	p->fresh = p->follows;
	p->busy = err == -EBUSY;
	return (err == -EOPNOTSUPP || err == -EBUSY) && !o->children ? 0 : err;
}

int watched_open(struct watched *p)
{
	int err = open_sparse(p);

	p->events = false;
	p->follows_exec = false;
	p->follows = false;
	p->fresh = false;
	p->busy = false;
	if (!err)
		err = open_events(p);
	if (!err)
		err = follow(p);
	if (err)
		watched_close(p);
	return err;
}

/* Nothing of the last report is in the memory that there is now. */
static void begin_anew(struct watched *p)
{
	p->memories++;
	p->given_way = 0;
	p->maps.n = 0;
	p->maps_err = 0;
	p->forked = false;
}

void watched_adopt(struct watched *p, struct uffdwp *tracker)
{
	watched_close(p);
	p->tracker = tracker;
	p->fresh = p->follows;
	begin_anew(p);
}

int watched_reopen(struct watched *p)
{
	int err, tries = 0;

	do {
		if (target_ends_within(&p->target, ENDING_MS))
			return -ESRCH;
		watched_close(p);
		begin_anew(p);
		err = watched_open(p);
	} while (err == -ESRCH && ++tries < ENDING_TRIES);
	return err;
}

void watched_forget(struct watched *p)
{
	struct report_process *since = &p->since, kept = *since;

	*since = (struct report_process){ .pid = kept.pid };
	memcpy(since->name, kept.name, sizeof(kept.name));
}

bool watched_read_name(struct watched *p)
{
	char path[32], raw[32];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)p->target.pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(raw, 1, sizeof(raw), file);
	fclose(file);
	if (n)
		human_clean(raw, n - (raw[n - 1] == '\n'), p->since.name, sizeof(p->since.name));
	return n;
}

void watched_tell_exec(const struct watched *p)
{
	if (p->what->quiet)
		return;
	fprintf(stderr, "uffdwp: process %d has called execve, its new memory is watched\n",
		(int)p->target.pid);
}

void watched_close(struct watched *p)
{
	uffdwp_close(p->tracker);
	p->tracker = NULL;
}

void watched_free(struct watched *p)
{
	watched_close(p);
	maps_free(&p->maps);
	maps_free(&p->before);
	free(p);
}
