// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the processes come from, again and again.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "target.h"
#include "crowd/cgroup.h"
#include "top/source.h"

/* By the number of any of their threads. */
static int find_named(struct source *s)
{
	const struct top_options *o = s->options;
	struct target target;
	size_t i;
	int err = 0;

	for (i = 0; i < o->pids; i++) {
		err = target_find(o->pid[i], &target);
		if (err) {
			fprintf(stderr, "uffdwp: cannot track process %d: %s\n", (int)o->pid[i],
				err == -ESRCH ? "there is no such process" : strerror(-err));
			continue;
		}
		s->pid[s->pids] = target.pid;
		s->pidfd[s->pids++] = target.pidfd;
	}
	return s->pids ? 0 : err;
}

static int find_cgroup(struct source *s)
{
	s->cgroup = cgroup_open(s->options->cgroup);
	if (s->cgroup >= 0)
		return 0;
	fprintf(stderr, "uffdwp: cannot read the cgroup %s: %s\n", s->options->cgroup,
		cgroup_explain(s->cgroup));
	return s->cgroup;
}

int source_open(struct source *s, const struct top_options *options)
{
	*s = (struct source){ .options = options, .cgroup = -1 };
	if (options->pids)
		return find_named(s);
	return options->cgroup ? find_cgroup(s) : 0;
}

static int read_named(struct source *s)
{
	const struct target *target;
	size_t i;
	int err = 0;

	for (i = 0; i < s->pids && !err; i++) {
		target = &(struct target){ .pid = s->pid[i], .pidfd = s->pidfd[i] };
		if (!target_has_ended(target))
			err = pid_list_add(&s->list, s->pid[i]);
	}
	return err || s->list.n ? err : -ENODEV;
}

int source_read(struct source *s)
{
	int err;

	s->list.n = 0;
	if (s->pids)
		err = read_named(s);
	else if (s->cgroup >= 0)
		err = cgroup_read(s->cgroup, &s->list);
	else
		err = processes_read(&s->list);
	pid_list_sort(&s->list);
	if (err && err != -ENODEV)
		fprintf(stderr, "uffdwp: the list of processes cannot be read: %s\n",
			strerror(-err));
	return err;
}

void source_close(struct source *s)
{
	size_t i;

	for (i = 0; i < s->pids; i++)
		close(s->pidfd[i]);
	if (s->cgroup >= 0)
		close(s->cgroup);
	pid_list_free(&s->list);
}
