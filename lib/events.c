// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events: what the module tells of a process, one after the other. Several are read at once, and
 * what was read and not returned yet is kept here, under a lock: threads may take turns.
 *
 * read(2) of a device waits for an event. It must not here, where other threads wait for the lock,
 * so the file is O_NONBLOCK. To look with poll(2) first would not do: a child of the caller may
 * have the same file, and may have read the event since.
 *
 * An event that names a tracker is returned when that tracker was claimed, and not before. If it
 * cannot be claimed now, the event stays the next one: nobody else will tell of that tracker.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

/* Events that are read at once. */
#define BATCH 64

/*
 * The caller has room for an event as large as his header says. When it grows, uffdwp_event_next()
 * needs a second version in libuffdwp.map, for programs that know the smaller one.
 */
_Static_assert(sizeof(struct uffdwp_event) == UFFDWP_EVENT_SIZE_VER0, "events have grown");

struct uffdwp_events {
	pthread_mutex_t lock;
	size_t nr, next;
	struct uffdwp_event batch[BATCH];
};

static struct uffdwp_events *new_events(void)
{
	struct uffdwp_events *events = calloc(1, sizeof(*events));

	if (events)
		pthread_mutex_init(&events->lock, NULL);
	return events;
}

void uffdwp_events_free(struct uffdwp_events *events)
{
	if (!events)
		return;
	pthread_mutex_destroy(&events->lock);
	free(events);
}

/* Of an open file this cannot fail; the other flags that it sets are not set. */
static void let_nobody_wait(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

int uffdwp_events_open(struct uffdwp *tracker, const struct uffdwp_events_opts *opts)
{
	struct uffdwp_events_opts full;
	struct uffdwp_events *events;
	int err;

	if (uffdwp_copy_opts(&full, sizeof(full), opts) || full.reserved)
		return uffdwp_failed(UFFDWP_STEP_EVENTS, -EINVAL);
	if (!tracker->ops->events)
		return uffdwp_failed(UFFDWP_STEP_EVENTS, -EOPNOTSUPP);
	events = new_events();
	if (!events)
		return uffdwp_failed(UFFDWP_STEP_EVENTS, -ENOMEM);
	err = tracker->ops->events(tracker, full.flags, full.capacity ? full.capacity : 4096);
	if (err) {
		uffdwp_events_free(events);
		return uffdwp_failed(UFFDWP_STEP_EVENTS, err);
	}
	let_nobody_wait(tracker->fd);
	/* Last: another thread may ask for the first event at this moment. */
	tracker->events = events;
	return 0;
}

int uffdwp_event_fd(const struct uffdwp *tracker)
{
	return tracker->events ? tracker->fd : uffdwp_failed(UFFDWP_STEP_EVENT, -EINVAL);
}

/* 1: there are some. 0: not now. -ENODATA: the last one was read. */
static int fetch(const struct uffdwp *tracker, struct uffdwp_events *events)
{
	ssize_t n;

	do {
		n = read(tracker->fd, events->batch, sizeof(events->batch));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	events->nr = n / sizeof(events->batch[0]);
	events->next = 0;
	return events->nr ? 1 : -ENODATA;
}

/* All memory is had before the tracker is: what is claimed cannot be given back. */
static int claim(const struct uffdwp *tracker, uint64_t id, struct uffdwp **child)
{
	struct uffdwp *t = calloc(1, sizeof(*t));
	struct uffdwp_events *events = new_events();
	int fd = t && events ? tracker->ops->claim(tracker, id) : -ENOMEM;

	if (fd < 0) {
		uffdwp_events_free(events);
		free(t);
		return fd;
	}
	let_nobody_wait(fd);
	t->ops = tracker->ops;
	memcpy(t->passed_over, tracker->passed_over, sizeof(t->passed_over));
	t->sparse = tracker->sparse;
	t->fd = fd;
	t->events = events;
	*child = t;
	return 0;
}

static bool names_a_tracker(const struct uffdwp_event *event)
{
	return event->id &&
	       (event->type == UFFDWP_EVENT_FORKED || event->type == UFFDWP_EVENT_EXEC);
}

/* The next of those that were read. After an error it is so still. */
static int take(const struct uffdwp *tracker, struct uffdwp_events *events,
		struct uffdwp_event *event, struct uffdwp **child)
{
	struct uffdwp_event *next = &events->batch[events->next];
	int err;

	if (child && names_a_tracker(next)) {
		err = claim(tracker, next->id, child);
		/* It never will be there: the caller has no tracker of that process. */
		if (err == -ENOENT)
			next->id = 0;
		else if (err)
			return err;
	}
	*event = *next;
	events->next++;
	return 1;
}

int uffdwp_event_next(struct uffdwp *tracker, struct uffdwp_event *event, struct uffdwp **child)
{
	struct uffdwp_events *events = tracker->events;
	int ret = 1;

	if (child)
		*child = NULL;
	if (!events)
		return uffdwp_failed(UFFDWP_STEP_EVENT, -EINVAL);
	pthread_mutex_lock(&events->lock);
	if (events->next == events->nr)
		ret = fetch(tracker, events);
	if (ret == 1)
		ret = take(tracker, events, event, child);
	pthread_mutex_unlock(&events->lock);
	return uffdwp_failed(UFFDWP_STEP_EVENT, ret);
}
