// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * follow PID: how many pages a process and all that come from it have written, second by second,
 * until all have ended. A child is followed before it runs, and so is what execve(2) makes.
 *
 *	cc follow.c $(pkg-config --cflags --libs libuffdwp)
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uffdwp.h>

#define MAX 1000

/* A tracker has one address space. A child has another one, and so has the next program. */
static struct process {
	struct uffdwp *tracker;
	int pid;
	unsigned long pages;	/* written, and not printed yet */
} processes[MAX];
static int n;

static void add(struct uffdwp *tracker, int pid)
{
	if (n < MAX)
		processes[n++] = (struct process){ tracker, pid, 0 };
	else
		uffdwp_close(tracker);	/* that process goes on, and is not followed */
}

/* 0 when nothing else has happened yet, -ENODATA when nothing else will. */
static int take_events(struct process *p)
{
	struct uffdwp_event event;
	struct uffdwp *tracker;	/* the one that the event names, ours from now on; or NULL */
	int ret;

	while ((ret = uffdwp_event_next(p->tracker, &event, &tracker)) == 1) {
		if (event.type == UFFDWP_EVENT_WRITTEN)	/* and is gone before the next scan */
			p->pages += (event.end - event.start) / 4096;
		if (event.type == UFFDWP_EVENT_LOST)
			fprintf(stderr, "follow: %d has done more than was told\n", p->pid);
		if (tracker)				/* FORKED or EXEC */
			add(tracker, event.pid);
		else if (event.type == UFFDWP_EVENT_FORKED || event.type == UFFDWP_EVENT_EXEC)
			fprintf(stderr, "follow: %d is not followed\n", event.pid);
	}
	return ret;
}

/* What was written since the last scan, and at first all that is there. */
static void report(struct process *p)
{
	/* Without start and len: all memory. WP_MATCHING: in the same step, begin anew. */
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING,
		    .category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED,
		    .category_anyof_mask = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;

	/* What an error leaves out is in the next scan. If there is none, the events say why. */
	if (!uffdwp_scan_start(p->tracker, &opts, &scan))
		while (uffdwp_scan_next(scan, &region) == 1)
			p->pages += (region.end - region.start) / 4096;
	uffdwp_scan_end(scan);
	if (p->pages)
		printf("%8d %8lu pages\n", p->pid, p->pages);
	p->pages = 0;
}

int main(int argc, char **argv)
{
	/* Of private memory, too: it need not be read, only counted. */
	UFFDWP_OPTS(uffdwp_events_opts, events, .flags = UFFDWP_EVENTS_HARVEST_ALL);
	UFFDWP_OPTS(uffdwp_follow_opts, follow, .kinds = UFFDWP_KIND_ANON_PRIVATE,
		    .flags = UFFDWP_FOLLOW_FORK | UFFDWP_FOLLOW_EXEC);
	static struct pollfd fds[MAX];
	time_t reported = 0, now;
	struct uffdwp *tracker;
	int i, err;

	if (argc != 2) {
		fprintf(stderr, "usage: follow PID\n");
		return 2;
	}
	err = uffdwp_open(atoi(argv[1]), NULL, &tracker);
	if (!err)
		err = uffdwp_events_open(tracker, &events);	/* before uffdwp_follow() */
	if (!err)
		err = uffdwp_follow(tracker, &follow);
	if (err) {
		fprintf(stderr, "follow: %s\n", uffdwp_explain(err));
		return 1;
	}
	for (add(tracker, atoi(argv[1])); n; reported = now) {
		for (i = 0; i < n; i++) {
			fds[i].fd = uffdwp_event_fd(processes[i].tracker);
			fds[i].events = POLLIN;
		}
		poll(fds, n, 1000);
		now = time(NULL);
		/* Backwards, since new ones are added behind, and the last one fills a gap. */
		for (i = n - 1; i >= 0; i--) {
			err = take_events(&processes[i]);
			if (err || now != reported)
				report(&processes[i]);
			if (!err)
				continue;
			if (err != -ENODATA)
				fprintf(stderr, "follow: %s\n", uffdwp_explain(err));
			uffdwp_close(processes[i].tracker);
			processes[i] = processes[--n];
		}
	}
	return 0;
}
