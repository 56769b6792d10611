// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trackers: choosing a back end, and what all of them do alike.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "internal.h"

/* In the order in which they are tried. */
static const struct uffdwp_backend_ops *const backends[] = {
	&uffdwp_module_backend,
	&uffdwp_kernel_backend,
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]))
#define OPEN_FLAGS (UFFDWP_OPEN_PIDFD | UFFDWP_OPEN_UFFD | UFFDWP_OPEN_IGNORE_PINS | \
		    UFFDWP_OPEN_KEEP | UFFDWP_OPEN_WHOLE_HUGE | UFFDWP_OPEN_RIDE)
#define FOLLOW_FLAGS (UFFDWP_FOLLOW_SPARSE | UFFDWP_FOLLOW_FORK | UFFDWP_FOLLOW_EXEC)

const char *uffdwp_version(void)
{
	return UFFDWP_VERSION;
}

static bool is_granule(unsigned int pages)
{
	return pages <= 1 || (pages >= UFFDWP_GRANULE_MIN && pages <= UFFDWP_GRANULE_MAX &&
			      !(pages & (pages - 1)));
}

static int check(pid_t pid, const struct uffdwp_open_opts *opts)
{
	if (pid < 0 || (opts->flags & ~OPEN_FLAGS) || !is_granule(opts->granule))
		return -EINVAL;
	if ((int)opts->backend < 0 || opts->backend >= UFFDWP_BACKENDS)
		return -EINVAL;
	if ((opts->flags & UFFDWP_OPEN_RIDE) && !(opts->flags & UFFDWP_OPEN_UFFD))
		return -EINVAL;
	return (opts->flags & UFFDWP_OPEN_PIDFD) && pid ? -EINVAL : 0;
}

/* What is asked of one back end after the other: to open a tracker, or to tell what it offers. */
struct request {
	struct uffdwp *tracker;		/* NULL: only ask */
	struct uffdwp_info *info;
	pid_t pid;
	const struct uffdwp_open_opts *opts;
};

static int try_one(const struct request *r, const struct uffdwp_backend_ops *ops,
		   struct uffdwp_no *no)
{
	int err;

	if (!r->tracker) {
		r->info->backend = ops->id;
		return ops->query(r->info, no);
	}
	r->tracker->ops = ops;
	err = ops->open(r->tracker, r->pid, r->opts, no);
	r->tracker->passed_over[ops->id] = err;
	return err;
}

/*
 * The first back end that can serve the request. An error that is not about the back end, such as
 * no right to the process, ends the search: the next one would say the same, or serve with less.
 * When none can, the first one's reason is told.
 */
static int try_all(const struct request *r, enum uffdwp_backend wanted)
{
	enum uffdwp_step first_step = UFFDWP_STEP_NONE;
	int err, first_err = 0;
	struct uffdwp_no no;
	size_t i;

	for (i = 0; i < BACKENDS; i++) {
		if (wanted != UFFDWP_BACKEND_ANY && wanted != backends[i]->id)
			continue;
		no = (struct uffdwp_no){ 0 };
		err = try_one(r, backends[i], &no);
		if (!err)
			return 0;
		if (!no.cannot)
			return uffdwp_failed(no.step, err);
		if (!first_err) {
			first_err = err;
			first_step = no.step;
		}
	}
	return uffdwp_failed(first_step, first_err);
}

int uffdwp_open(pid_t pid, const struct uffdwp_open_opts *opts, struct uffdwp **tracker)
{
	struct uffdwp_open_opts full;
	struct uffdwp *t;
	int err;

	*tracker = NULL;
	if (uffdwp_copy_opts(&full, sizeof(full), opts) || check(pid, &full))
		return uffdwp_failed(UFFDWP_STEP_OPTIONS, -EINVAL);
	t = calloc(1, sizeof(*t));
	if (!t)
		return uffdwp_failed(UFFDWP_STEP_OPTIONS, -ENOMEM);
	err = try_all(&(struct request){ .tracker = t, .pid = pid, .opts = &full }, full.backend);
	if (err) {
		free(t);
		return err;
	}
	t->sparse = full.unpopulated == UFFDWP_UNPOP_SPARSE;
	*tracker = t;
	return 0;
}

int uffdwp_query(enum uffdwp_backend backend, struct uffdwp_info *info)
{
	struct uffdwp_info full = { .size = info->size };
	int err;

	if ((int)backend < 0 || backend >= UFFDWP_BACKENDS ||
	    info->size < offsetof(struct uffdwp_info, features) + sizeof(info->features))
		return uffdwp_failed(UFFDWP_STEP_OPTIONS, -EINVAL);
	err = try_all(&(struct request){ .info = &full }, backend);
	if (err)
		return err;
	/* What a younger program has room for, and this library does not know, is 0. */
	memset(info, 0, full.size);
	memcpy(info, &full, full.size < sizeof(full) ? full.size : sizeof(full));
	return 0;
}

int uffdwp_passed_over(const struct uffdwp *tracker, enum uffdwp_backend backend)
{
	if ((int)backend <= UFFDWP_BACKEND_ANY || backend >= UFFDWP_BACKENDS)
		return 0;
	return tracker->passed_over[backend];
}

void uffdwp_close(struct uffdwp *tracker)
{
	if (!tracker)
		return;
	tracker->ops->close(tracker);
	uffdwp_events_free(tracker->events);
	free(tracker);
}

const char *uffdwp_backend_name(const struct uffdwp *tracker)
{
	return tracker->ops->name;
}

int uffdwp_track(struct uffdwp *tracker, uint64_t start, uint64_t len, uint64_t *fail_at)
{
	uint64_t ignored;
	int err;

	if (!fail_at)
		fail_at = &ignored;
	*fail_at = 0;
	err = tracker->ops->do_register(tracker, start, len, fail_at);
	if (!err)
		err = tracker->ops->arm(tracker, start, len);
	return uffdwp_failed(UFFDWP_STEP_TRACK, err);
}

int uffdwp_follow(struct uffdwp *tracker, const struct uffdwp_follow_opts *opts)
{
	struct uffdwp_follow_opts full;
	int err;

	if (uffdwp_copy_opts(&full, sizeof(full), opts) || (full.flags & ~FOLLOW_FLAGS))
		err = -EINVAL;
	else
		err = tracker->ops->follow ? tracker->ops->follow(tracker, &full) : -EOPNOTSUPP;
	return uffdwp_failed(UFFDWP_STEP_FOLLOW, err);
}

int uffdwp_untrack(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return uffdwp_failed(UFFDWP_STEP_UNTRACK,
			     tracker->ops->do_unregister(tracker, start, len));
}

int uffdwp_arm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return uffdwp_failed(UFFDWP_STEP_ARM, tracker->ops->arm(tracker, start, len));
}

int uffdwp_disarm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return uffdwp_failed(UFFDWP_STEP_DISARM, tracker->ops->disarm(tracker, start, len));
}

int uffdwp_get_stats(struct uffdwp *tracker, struct uffdwp_stats_arg *stats)
{
	struct uffdwp_stats_arg full = { .size = sizeof(full) };
	const size_t size = stats->size;
	int err;

	if (size < sizeof(stats->size))
		return uffdwp_failed(UFFDWP_STEP_STATS, -EINVAL);
	err = tracker->ops->stats(tracker, &full);
	if (err)
		return uffdwp_failed(UFFDWP_STEP_STATS, err);
	memset(stats, 0, size);
	memcpy(stats, &full, size < sizeof(full) ? size : sizeof(full));
	stats->size = size;
	return 0;
}
