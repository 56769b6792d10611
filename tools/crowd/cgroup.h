/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_CROWD_CGROUP_H
#define TOOLS_CROWD_CGROUP_H

#include "crowd/processes.h"

/**
 * cgroup_open - find a cgroup of version 2
 * @path: folder of it, or its path below /sys/fs/cgroup, with a slash at its beginning or without
 *
 * Return: a file descriptor of its folder; -ENOENT; -ENOTDIR when that is no cgroup of version 2;
 * -EOPNOTSUPP when it has threads only, no processes; or another negative errno of open(2).
 */
int cgroup_open(const char *path);

/* Why that failed, and what to do. */
const char *cgroup_explain(int err);

/**
 * cgroup_read - add the processes of a cgroup and of all cgroups below it
 * @folder: from cgroup_open()
 * @list: list; not sorted afterwards
 *
 * Those that our namespace of processes does not have are left out.
 *
 * Return: 0; -ENODEV when the cgroup was removed; or another negative errno.
 */
int cgroup_read(int folder, struct pid_list *list);

#endif /* TOOLS_CROWD_CGROUP_H */
