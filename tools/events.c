// SPDX-License-Identifier: GPL-2.0-only
/*
 * What events tell of the processes that are watched: who joins them by fork(2) or execve(2), who
 * has ended, and what was written where nobody can look any more.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "family.h"

#define PAGE 4096

/* How long the first process may take to tell that it has ended, or is another program. */
#define ENDING_MS 1000

/* A process that was forked, or what one has executed that had the memory of another. */
static void join(struct family *f, const struct watched *parent, struct uffdwp *tracker, pid_t pid,
		 bool forked)
{
	struct watched *p;

	if (!f->what->children) {
		uffdwp_close(tracker);
		return;
	}
	/* In another namespace of processes it has no number that we could use. */
	p = tracker && pid ? family_add(f) : NULL;
	if (!p) {
		family_misses(f, tracker);
		return;
	}
	p->what = f->what;
	p->target = (struct target){ .pid = pid, .pidfd = -1 };
	p->tracker = tracker;
	p->events = true;
	p->sparse = parent->sparse;
	p->follows = parent->follows;
	p->fresh = p->follows;
	p->counts = true;
	p->forked = forked;
	p->since.pid = pid;
	strcpy(p->since.name, forked ? parent->since.name : "?");
	watched_read_name(p);
}

/*
 * No tracker was made for its new memory. To try again by hand tells the reason, or succeeds after
 * all, with what it has done meanwhile unseen. Not for a child: there is but its number, which may
 * be that of another process by now.
 */
static int try_again(struct family *f, struct watched *p)
{
	int err;

	if (!family_is_first(f, p)) {
		family_lose(f, p);
		return 0;
	}
	err = watched_reopen(p);
	if (!err || err == -ESRCH)
		return err;
	if ((err == -EPERM || err == -EACCES) && !f->what->quiet)
		fprintf(stderr, "uffdwp: process %d has called execve, and its new memory is not watched: the program has more rights than who watches\n",
			(int)p->target.pid);
	family_lose(f, p);
	/* Without it there is nothing to watch. */
	return f->what->children ? 0 : err;
}

/* It has executed another program. */
static int becomes(struct family *f, struct watched *p, struct uffdwp *tracker)
{
	const bool begins = f->starting && family_is_first(f, p);
	int err = 0;

	f->starting = f->starting && !begins;
	/* Before, it was a copy of us. */
	if (begins)
		watched_forget(p);
	if (tracker) {
		family_close_later(f, p);
		watched_adopt(p, tracker);
	} else {
		err = try_again(f, p);
	}
	p->counts = p->counts || (begins && tracker);
	/* Not its name before execve(2): that is another program's. Nor who has its number now. */
	if (!(p->tracker || family_is_first(f, p)) || !watched_read_name(p))
		strcpy(p->since.name, "?");
	if (!err && p->tracker && family_is_first(f, p) && !begins)
		watched_tell_exec(p);
	return err == -ESRCH ? 0 : err;
}

static void count_written(struct watched *p, uint64_t pages)
{
	p->since.gone.written += pages;
	if (p->forked)
		p->since.presumed += pages;
}

/* One event, with the tracker that it names. */
static int take(struct family *f, struct watched *p, const struct uffdwp_event *event,
		struct uffdwp *tracker)
{
	const uint64_t bytes = event->end - event->start;

	switch (event->type) {
	case UFFDWP_EVENT_WRITTEN:
		count_written(p, bytes / PAGE);
		return 0;
	case UFFDWP_EVENT_MAPPED:
		p->since.mapped++;
		p->since.mapped_bytes += bytes;
		return 0;
	case UFFDWP_EVENT_UNMAPPED:
		p->since.unmapped++;
		p->since.unmapped_bytes += bytes;
		return 0;
	case UFFDWP_EVENT_LOST:
		f->lost = true;
		return 0;
	case UFFDWP_EVENT_FORKED:
		join(f, p, tracker, event->pid, true);
		return 0;
	case UFFDWP_EVENT_EXEC:
		if (event->pid == p->target.pid)
			return becomes(f, p, tracker);
		join(f, p, tracker, event->pid, false);
		return 0;
	case UFFDWP_EVENT_EXITED:
		p->since.ended = true;
		p->since.status = event->status;
		return 0;
	default:
		return 0;
	}
}

/*
 * The next event, whatever it takes: who has no file left for the tracker of another process has to
 * do without.
 */
static int next_event(struct watched *p, struct uffdwp_event *event, struct uffdwp **tracker)
{
	int ret = uffdwp_event_next(p->tracker, event, tracker);

	if (ret == -EMFILE || ret == -ENFILE || ret == -ENOMEM)
		ret = uffdwp_event_next(p->tracker, event, NULL);
	return ret;
}

/* Nothing more will happen to the memory of this tracker. */
static int finish(struct family *f, struct watched *p)
{
	int err;

	family_close_later(f, p);
	/* Or the last one was of another process, which has executed something. */
	if (p->since.ended || p->target.pidfd < 0)
		return 0;
	err = try_again(f, p);
	return err == -ESRCH ? 0 : err;
}

static int take_events_of(struct family *f, struct watched *p)
{
	struct uffdwp_event event;
	struct uffdwp *tracker;
	int ret;

	/* By execve(2) it gets another tracker, which may have events by now. */
	while (p->tracker && p->events) {
		ret = next_event(p, &event, &tracker);
		if (!ret)
			return 0;
		if (ret == -ENODATA)
			ret = finish(f, p);
		else if (ret == 1)
			ret = take(f, p, &event, tracker);
		if (ret)
			return ret;
	}
	return 0;
}

/* Those that join are behind the others, and so their events are taken, too. */
int family_take_events(struct family *f)
{
	size_t i;
	int err = 0;

	for (i = 0; i < f->n && !err; i++)
		err = take_events_of(f, f->member[i]);
	return err;
}

int family_await(struct family *f)
{
	struct watched *p = family_first(f);
	const unsigned int before = p->memories;
	struct pollfd wait;
	int err = 0;

	while (!err && p->tracker && p->memories == before) {
		wait = (struct pollfd){ .fd = uffdwp_event_fd(p->tracker), .events = POLLIN };
		if (poll(&wait, 1, ENDING_MS) != 1)
			return 0;
		err = take_events_of(f, p);
	}
	return err;
}
