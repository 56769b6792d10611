/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_SOURCE_H
#define TOOLS_TOP_SOURCE_H

#include "top/options.h"
#include "crowd/processes.h"

/* Where the processes come from: they were named, or are all of a cgroup or of the machine. */
struct source {
	const struct top_options *options;
	int cgroup;		/* folder, or -1 */
	/* Those that were named. Who gets their numbers later is another process. */
	pid_t pid[TOP_PIDS_MAX];
	int pidfd[TOP_PIDS_MAX];
	size_t pids;
	struct pid_list list;
};

/**
 * source_open - find what was asked for
 * @s: out: source
 * @options: what was asked for
 *
 * Of those that were named, one that does not exist is told of on standard error.
 *
 * Return: 0, or a negative errno, which was printed: also when none of those that were named
 * exists.
 */
int source_open(struct source *s, const struct top_options *options);

/**
 * source_read - read them again
 * @s: source; out: its list, sorted
 *
 * Return: 0; -ENODEV when there will be no more of them; or another negative errno, which was
 * printed.
 */
int source_read(struct source *s);

void source_close(struct source *s);

#endif /* TOOLS_TOP_SOURCE_H */
