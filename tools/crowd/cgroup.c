// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes of a cgroup of version 2.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "crowd/cgroup.h"

#define MOUNT "/sys/fs/cgroup"

/* Of folders, each of which takes a file descriptor while what is below it is read. */
#define DEPTH_MAX 32

static int open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* In a threaded cgroup, cgroup.procs cannot be read. */
static int check(int folder)
{
	struct statfs fs;
	int fd, err = 0;
	char byte;

	if (fstatfs(folder, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOTDIR;
	fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, &byte, 1) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int open_checked(const char *path)
{
	int fd = open_folder(AT_FDCWD, path), err;

	if (fd < 0)
		return fd;
	err = check(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* "/system.slice" is what /proc/PID/cgroup says. */
int cgroup_open(const char *path)
{
	char below[PATH_MAX];
	int fd = *path == '/' ? open_checked(path) : -ENOENT;

	if (fd != -ENOENT && fd != -ENOTDIR)
		return fd;
	if ((size_t)snprintf(below, sizeof(below), MOUNT "/%s", path) >= sizeof(below))
		return -ENAMETOOLONG;
	/* A folder that is there, and is no cgroup, is not said to be missing. */
	if (fd == -ENOTDIR && access(below, F_OK))
		return fd;
	return open_checked(below);
}

const char *cgroup_explain(int err)
{
	switch (err) {
	case -ENOENT:
		return "there is none of that name: see /proc/PID/cgroup for that of a process";
	case -ENOTDIR:
		return "that is no cgroup of version 2, which are the folders below " MOUNT ", or below " MOUNT "/unified";
	case -EOPNOTSUPP:
		return "it has threads only: give the cgroup above it that is not threaded";
	default:
		return strerror(-err);
	}
}

static int read_procs(int folder, struct pid_list *list)
{
	int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid, err = 0;
	FILE *file;

	if (fd < 0)
		return -errno;
	file = fdopen(fd, "r");
	if (!file) {
		err = -errno;
		close(fd);
		return err;
	}
	/* 0 is a process of another namespace. */
	while (!err && fscanf(file, "%d", &pid) == 1)
		if (pid > 0)
			err = pid_list_add(list, pid);
	if (!err && ferror(file))
		err = -errno;
	fclose(file);
	return err;
}

static int read_tree(int folder, struct pid_list *list, int depth);

/* One that was removed meanwhile has no processes, and threaded ones show theirs above. */
static int read_below(int folder, const char *name, struct pid_list *list, int depth)
{
	int fd = open_folder(folder, name), err;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENODEV ? 0 : fd;
	err = read_tree(fd, list, depth + 1);
	close(fd);
	return err == -ENOENT || err == -ENODEV || err == -EOPNOTSUPP ? 0 : err;
}

static int read_tree(int folder, struct pid_list *list, int depth)
{
	int err = read_procs(folder, list), again;
	const struct dirent *entry;
	DIR *dir;

	if (err || depth == DEPTH_MAX)
		return err;
	again = open_folder(folder, ".");
	dir = again < 0 ? NULL : fdopendir(again);
	if (!dir) {
		err = again < 0 ? again : -errno;
		if (again >= 0)
			close(again);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && *entry->d_name != '.')
			err = read_below(folder, entry->d_name, list, depth);
	closedir(dir);
	return err;
}

/* A file of a cgroup that was removed is not there, or tells ENODEV. */
int cgroup_read(int folder, struct pid_list *list)
{
	int err = read_tree(folder, list, 0);

	return err == -ENOENT ? -ENODEV : err;
}
