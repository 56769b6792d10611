// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that are watched, and what events tell of them: who joins them by fork(2) or
 * execve(2), who has ended, and what nobody can see any more by looking.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family.h"

#define PAGE 4096

/*
 * What happens often is taken many events at once: who was woken by one waits so long for more.
 * In that time a queue of 4096 events does not fill, as a rule, nor are 64 children born.
 */
#define NAP_SECONDS 0.005

/* How long the one that was asked for may take to tell that it has ended, or is another program. */
#define ENDING_MS 1000

static struct watched *first(const struct family *f)
{
	return f->member[0];
}

static struct watched *add(struct family *f)
{
	const size_t room = f->room ? 2 * f->room : 16;
	struct watched **more, *p;

	if (f->n == f->room) {
		more = reallocarray(f->member, room, sizeof(struct watched *));
		if (!more)
			return NULL;
		f->member = more;
		f->room = room;
	}
	p = calloc(1, sizeof(*p));
	if (p)
		f->member[f->n++] = p;
	return p;
}

static void tell_exec(const struct watched *p)
{
	fprintf(stderr, "uffdwp: process %d has called execve, its new memory is watched\n",
		(int)p->target.pid);
}

int family_begin(struct family *f, const struct target *target)
{
	struct watched *p = add(f);
	int err;

	if (!p)
		return -ENOMEM;
	p->options = f->options;
	p->target = *target;
	p->since.pid = target->pid;
	err = watched_open(p);
	/* A program of ours runs already: it may be over, or another one, by now. */
	if (err == -ESRCH && target->child) {
		err = watched_reopen(p);
		if (!err)
			tell_exec(p);
	}
	watched_read_name(p);
	return err;
}

/* ---- events */

static void not_followed(struct family *f, struct uffdwp *tracker)
{
	uffdwp_close(tracker);
	f->not_followed++;
	f->all_not_followed++;
}

/* A process that was forked, or what one has executed that had the memory of another. */
static void join(struct family *f, const struct watched *parent, struct uffdwp *tracker, pid_t pid,
		 bool forked)
{
	struct watched *p;

	if (!f->options->children) {
		uffdwp_close(tracker);
		return;
	}
	/* In another namespace of processes it has no number that we could use. */
	p = tracker && pid ? add(f) : NULL;
	if (!p) {
		not_followed(f, tracker);
		return;
	}
	p->options = f->options;
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

static bool is_first(const struct family *f, const struct watched *p)
{
	return p == first(f);
}

/* It goes on, and is ours no more. */
static void lose(struct family *f, struct watched *p)
{
	watched_close(p);
	not_followed(f, NULL);
}

/* For as long as it takes, a child has a pidfd, too. */
static int reopen(struct family *f, struct watched *p)
{
	int err;

	if (is_first(f, p))
		return watched_reopen(p);
	err = target_find(p->target.pid, &p->target);
	if (!err) {
		err = watched_reopen(p);
		close(p->target.pidfd);
	}
	p->target.pidfd = -1;
	return err;
}

/*
 * No tracker was made for its new memory. To try again by hand tells the reason, or succeeds after
 * all, with what it has done meanwhile unseen.
 */
static int try_again(struct family *f, struct watched *p)
{
	int err = reopen(f, p);

	if (!err || err == -ESRCH)
		return err;
	if (err == -EPERM || err == -EACCES)
		fprintf(stderr, "uffdwp: process %d has called execve, and its new memory is not watched: the program has more rights than who watches\n",
			(int)p->target.pid);
	lose(f, p);
	/* Without it there is nothing to watch. */
	return is_first(f, p) && !f->options->children ? err : 0;
}

/* It has executed another program. */
static int becomes(struct family *f, struct watched *p, struct uffdwp *tracker)
{
	int err = 0;

	if (tracker)
		watched_adopt(p, tracker);
	else
		err = try_again(f, p);
	watched_read_name(p);
	if (!err && p->tracker && is_first(f, p))
		tell_exec(p);
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

	watched_close(p);
	/* Or the last one was of another process that has executed something: this one has ended. */
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

/* ---- looking */

/* The tracker of the one that was asked for says that its memory is gone. */
static int await_end(struct family *f)
{
	struct watched *p = first(f);
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

/* Its memory is gone. 0: then there is another one, or the next event will say what has happened. */
static int find_again(struct family *f, struct watched *p)
{
	int err;

	if (p->events)
		return is_first(f, p) ? await_end(f) : 0;
	err = watched_reopen(p);
	if (!err)
		tell_exec(p);
	return err;
}

static int look_at(struct family *f, struct watched *p, struct report *report, size_t process)
{
	const unsigned int before = p->memories;
	int err;

	if (!p->tracker)
		return 0;
	err = look(p, report, process);
	if (err == -ESRCH) {
		err = find_again(f, p);
		if (!err && p->tracker && p->memories != before)
			err = look(p, report, process);
		/* One that has just begun to end. */
		if (err == -ESRCH && p->events)
			err = 0;
	}
	/* A child may have become another user. */
	if (err && !is_first(f, p) && p->maps_err) {
		fprintf(stderr, "uffdwp: process %d is not watched any more: its list of mappings cannot be read: %s\n",
			(int)p->target.pid, strerror(-err));
		lose(f, p);
		err = 0;
	}
	return err;
}

/* The first one may have been told the end of. */
static bool is_past(const struct family *f, const struct watched *p)
{
	return f->options->children && !p->tracker && !p->since.ended && !p->since.gone.written;
}

/* What comes from now on is for the next report. */
static int report_on(struct family *f, struct watched *p, struct report *report)
{
	struct report_process process;
	int err;

	if (is_past(f, p))
		return 0;
	if (p->tracker && f->options->children)
		watched_read_name(p);
	process = p->since;
	if (process.gone.written) {
		process.gone.tracked = process.unmapped_bytes / PAGE;
		if (process.gone.tracked < process.gone.written)
			process.gone.tracked = process.gone.written;
	}
	err = report_add_process(report, &process);
	if (err)
		return err;
	watched_forget(p);
	return look_at(f, p, report, report->processes - 1);
}

static bool is_over(const struct family *f, const struct watched *p)
{
	return !p->tracker && !p->since.ended && !is_first(f, p);
}

/* Those that the last report has told the end of. */
static void bury(struct family *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n; i++) {
		if (is_over(f, f->member[i]))
			watched_free(f->member[i]);
		else
			f->member[n++] = f->member[i];
	}
	f->n = n;
}

int family_look(struct family *f, struct report *report)
{
	size_t i;
	int err = family_take_events(f);

	report_clear(report);
	report->by_process = f->options->children;
	for (i = 0; i < f->n && !err; i++)
		err = report_on(f, f->member[i], report);
	report->not_followed = f->not_followed;
	report->lost = f->lost;
	f->reports_lost += f->lost;
	f->not_followed = 0;
	f->lost = false;
	bury(f);
	return err;
}

void family_forget(struct family *f)
{
	struct watched *p = first(f);
	const struct report_process since = p->since;

	watched_forget(p);
	p->since.ended = since.ended;
	p->since.status = since.status;
	p->counts = true;
}

/* ---- waiting */

static int wait_for(struct pollfd *fds, size_t n, double seconds, const sigset_t *mask)
{
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - ts.tv_sec) * 1e9);
	return ppoll(fds, n, &ts, mask);
}

/* Files that tell of something. The end of a process is told by its events, or by its pidfd. */
static size_t fill(const struct family *f, struct pollfd *fds)
{
	size_t i, n = 0;

	for (i = 0; i < f->n; i++)
		if (f->member[i]->tracker && f->member[i]->events)
			fds[n++] = (struct pollfd){
				.fd = uffdwp_event_fd(f->member[i]->tracker), .events = POLLIN,
			};
	if (!f->options->children)
		fds[n++] = (struct pollfd){ .fd = first(f)->target.pidfd, .events = POLLIN };
	return n;
}

int family_wait(struct family *f, double seconds, const sigset_t *mask)
{
	struct pollfd *fds = calloc(f->n + 1, sizeof(*fds));
	size_t n;

	if (!fds)
		return -ENOMEM;
	n = fill(f, fds);
	if (wait_for(fds, n, seconds, mask) > 0)
		wait_for(NULL, 0, seconds < NAP_SECONDS ? seconds : NAP_SECONDS, mask);
	free(fds);
	return family_take_events(f);
}

bool family_has_ended(const struct family *f)
{
	size_t i;

	if (!f->options->children)
		return target_has_ended(&first(f)->target);
	for (i = 0; i < f->n; i++)
		if (f->member[i]->tracker)
			return false;
	return true;
}

uint64_t family_written_since(const struct family *f)
{
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < f->n; i++)
		pages += f->member[i]->since.gone.written;
	return pages;
}

void family_end(struct family *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		watched_free(f->member[i]);
	free(f->member);
}
