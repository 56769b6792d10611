// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trackers: choosing a back end, and what all of them do alike.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* In the order in which they are tried. */
static const struct uffdwp_backend_ops *const backends[] = {
	&uffdwp_module_backend,
	&uffdwp_kernel_backend,
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]))
#define OPEN_FLAGS (UFFDWP_OPEN_PIDFD | UFFDWP_OPEN_UFFD | UFFDWP_OPEN_IGNORE_PINS)

const char *uffdwp_version(void)
{
	return UFFDWP_VERSION;
}

static int check(pid_t pid, const struct uffdwp_open_opts *opts)
{
	if (pid < 0 || (opts->flags & ~OPEN_FLAGS) || opts->reserved)
		return -EINVAL;
	if ((opts->flags & UFFDWP_OPEN_PIDFD) && pid)
		return -EINVAL;
	return 0;
}

int uffdwp_open(pid_t pid, const struct uffdwp_open_opts *opts, struct uffdwp **tracker)
{
	struct uffdwp_open_opts full;
	struct uffdwp *t;
	size_t i;
	int err;

	*tracker = NULL;
	if (uffdwp_copy_opts(&full, sizeof(full), opts))
		return -EINVAL;
	err = check(pid, &full);
	if (err)
		return err;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;

	err = -ENODEV;
	for (i = 0; i < BACKENDS && err == -ENODEV; i++) {
		if (full.backend != UFFDWP_BACKEND_ANY && full.backend != backends[i]->id)
			continue;
		t->ops = backends[i];
		err = t->ops->open(t, pid, &full);
	}
	if (err) {
		free(t);
		return err;
	}
	*tracker = t;
	return 0;
}

void uffdwp_close(struct uffdwp *tracker)
{
	if (!tracker)
		return;
	tracker->ops->close(tracker);
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
	return err ? err : uffdwp_arm(tracker, start, len);
}

int uffdwp_untrack(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return tracker->ops->do_unregister(tracker, start, len);
}

int uffdwp_arm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return tracker->ops->arm(tracker, start, len);
}

int uffdwp_disarm(struct uffdwp *tracker, uint64_t start, uint64_t len)
{
	return tracker->ops->disarm(tracker, start, len);
}

int uffdwp_get_stats(struct uffdwp *tracker, struct uffdwp_stats *stats)
{
	struct uffdwp_stats full = { .size = sizeof(full) };
	size_t size = stats->size;
	int err;

	if (size < sizeof(size))
		return -EINVAL;
	err = tracker->ops->stats(tracker, &full);
	if (err)
		return err;
	memset(stats, 0, size);
	memcpy(stats, &full, size < sizeof(full) ? size : sizeof(full));
	stats->size = size;
	return 0;
}
