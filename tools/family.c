// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that are watched, as a set: looked at one after the other, and waited for together.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "family.h"
#include "room.h"

#define PAGE 4096

/*
 * What happens often is taken many events at once: who was woken by one waits so long for more.
 * In that time a queue of 4096 events does not fill, as a rule, nor are 64 children born.
 */
#define NAP_SECONDS 0.005

struct watched *family_first(const struct family *f)
{
	return f->member[0];
}

bool family_is_first(const struct family *f, const struct watched *p)
{
	return p == family_first(f);
}

struct watched *family_add(struct family *f)
{
	struct watched **more = with_room(f->member, f->n, &f->room, sizeof(struct watched *));
	struct watched *p;

	if (!more)
		return NULL;
	f->member = more;
	p = calloc(1, sizeof(*p));
	if (p)
		f->member[f->n++] = p;
	return p;
}

void family_misses(struct family *f, struct uffdwp *tracker)
{
	uffdwp_close(tracker);
	f->not_followed++;
	f->all_not_followed++;
}

void family_close_later(struct family *f, struct watched *p)
{
	struct uffdwp **more = with_room(f->closing, f->n_closing, &f->closing_room,
					 sizeof(struct uffdwp *));

	if (!more) {
		watched_close(p);
		return;
	}
	f->closing = more;
	f->closing[f->n_closing++] = p->tracker;
	p->tracker = NULL;
}

void family_close_old(struct family *f)
{
	while (f->n_closing)
		uffdwp_close(f->closing[--f->n_closing]);
}

void family_lose(struct family *f, struct watched *p)
{
	watched_close(p);
	family_misses(f, NULL);
}

/* ---- looking */

/* Its memory is gone. 0: then there is another one, or the next event will say what was. */
static int find_again(struct family *f, struct watched *p)
{
	int err;

	if (p->events)
		return family_is_first(f, p) ? family_await(f) : 0;
	err = watched_reopen(p);
	if (!err)
		watched_tell_exec(p);
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
	if (err && !family_is_first(f, p) && err == p->maps_err) {
		fprintf(stderr, "uffdwp: process %d is not watched any more: its list of mappings cannot be read: %s\n",
			(int)p->target.pid, strerror(-err));
		family_lose(f, p);
		err = 0;
	}
	return err;
}

/* The first one may have been told the end of. */
static bool is_past(const struct family *f, const struct watched *p)
{
	return f->what->children && !p->tracker && !p->since.ended && !p->since.gone.written;
}

/* What comes from now on is for the next report. */
static int report_on(struct family *f, struct watched *p, struct report *report)
{
	struct report_process process;
	int err;

	if (is_past(f, p))
		return 0;
	if (p->tracker && f->what->children)
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
	return !p->tracker && !p->since.ended && !family_is_first(f, p);
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
	report_clear(report);
	report->by_process = f->what->children;
	return family_look_too(f, report);
}

int family_look_too(struct family *f, struct report *report)
{
	size_t i;
	int err = family_take_events(f);

	for (i = 0; i < f->n && !err; i++)
		err = report_on(f, f->member[i], report);
	report->not_followed += f->not_followed;
	report->lost = report->lost || f->lost;
	f->reports_lost += f->lost;
	f->not_followed = 0;
	f->lost = false;
	bury(f);
	return err;
}

void family_forget(struct family *f)
{
	struct watched *p = family_first(f);
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
	if (!f->what->children)
		fds[n++] = (struct pollfd){ .fd = family_first(f)->target.pidfd, .events = POLLIN };
	if (f->has_input)
		fds[n++] = (struct pollfd){ .fd = f->input, .events = POLLIN };
	return n;
}

int family_wait(struct family *f, double seconds, const sigset_t *mask)
{
	struct pollfd *fds = calloc(f->n + 2, sizeof(*fds));
	size_t n;
	int err;

	if (!fds)
		return -ENOMEM;
	n = fill(f, fds);
	if (f->n_closing)
		wait_for(fds, 0, 0, mask);
	else if (wait_for(fds, n, seconds, mask) > 0)
		wait_for(NULL, 0, seconds < NAP_SECONDS ? seconds : NAP_SECONDS, mask);
	free(fds);
	err = family_take_events(f);
	if (f->n_closing)
		uffdwp_close(f->closing[--f->n_closing]);
	return err;
}

bool family_has_input(const struct family *f)
{
	struct pollfd poll_one = { .fd = f->input, .events = POLLIN };

	return f->has_input && poll(&poll_one, 1, 0) == 1;
}

bool family_has_ended(const struct family *f)
{
	size_t i;

	if (!f->what->children)
		return target_has_ended(&family_first(f)->target);
	for (i = 0; i < f->n; i++)
		if (f->member[i]->tracker)
			return false;
	return true;
}

bool family_has_news(const struct family *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->member[i]->since.ended || f->member[i]->since.gone.written)
			return true;
	return false;
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
	family_close_old(f);
	free(f->closing);
}
