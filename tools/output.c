// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a report goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

/* A file that is not whole yet, for who ends us meanwhile; or NULL. */
static const char *volatile unfinished;

static void on_signal(int number)
{
	if (unfinished)
		unlink(unfinished);
	signal(number, SIG_DFL);
	raise(number);
}

static void leave_nothing(const char *path)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;

	unfinished = path;
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (signal(ending[i], on_signal) == SIG_IGN)
			signal(ending[i], SIG_IGN);
}

/* mkstemp() makes it for the owner only; a report is as any other file that one writes. */
static int open_temporary(struct output *output)
{
	const mode_t mask = umask(0);
	int fd;

	umask(mask);
	fd = mkstemp(output->temporary);
	if (fd < 0)
		return -errno;
	leave_nothing(output->temporary);
	output->to = fchmod(fd, 0666 & ~mask) ? NULL : fdopen(fd, "w");
	if (output->to)
		return 0;
	close(fd);
	unlink(output->temporary);
	unfinished = NULL;
	return -EIO;
}

/* What a link names counts; but not if it names nothing, which resolve() refuses. */
static bool is_no_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

/*
 * May we write through this link? Opening it asks the kernel, which may not follow links that
 * somebody else has put into /tmp (fs.protected_symlinks), and realpath(3) does not ask.
 */
static int check_link(const char *path, const char *target)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	struct stat opened, named;
	int err = fd < 0 ? -errno : 0;

	if (!err && (fstat(fd, &opened) || stat(target, &named)))
		err = -errno;
	if (!err && (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino))
		err = -ELOOP;
	if (fd >= 0)
		close(fd);
	return err;
}

/* The name of the file itself, behind all links. */
static int resolve(const char *path, char **target)
{
	struct stat st;
	int err;

	if (lstat(path, &st) || !S_ISLNK(st.st_mode)) {
		*target = strdup(path);
		return *target ? 0 : -ENOMEM;
	}
	*target = realpath(path, NULL);
	if (!*target)
		return -errno;
	err = check_link(path, *target);
	if (err)
		free(*target);
	return err;
}

/* Out: names of the file, and of one beside it, where it is until it is whole. */
static int choose_names(const char *path, char **target, char **temporary)
{
	const int err = resolve(path, target);

	if (err)
		return err;
	if (asprintf(temporary, "%s.XXXXXX", *target) >= 0)
		return 0;
	free(*target);
	return -ENOMEM;
}

static int open_as_it_is(struct output *output)
{
	const int fd = open(output->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);

	output->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (output->to)
		return 0;
	if (fd >= 0)
		close(fd);
	return -errno;
}

int output_try(const char *path)
{
	char *target, *temporary;
	int err, fd;

	if (!path)
		return 0;
	if (is_no_file(path))
		return access(path, W_OK) ? -errno : 0;
	err = choose_names(path, &target, &temporary);
	if (err)
		return err;
	fd = mkstemp(temporary);
	err = fd < 0 ? -errno : 0;
	if (fd >= 0) {
		close(fd);
		unlink(temporary);
	}
	free(temporary);
	free(target);
	return err;
}

int output_open(struct output *output, const char *path)
{
	int err;

	*output = (struct output){ .to = stdout, .path = path };
	if (!path)
		return 0;
	if (is_no_file(path))
		return open_as_it_is(output);
	err = choose_names(path, &output->target, &output->temporary);
	if (err)
		return err;
	err = open_temporary(output);
	if (err) {
		free(output->temporary);
		free(output->target);
	}
	return err;
}

int output_close(struct output *output, int err)
{
	if (!err && (fflush(output->to) || ferror(output->to)))
		err = errno ? -errno : -EIO;
	if (!output->path)
		return err;
	if (fclose(output->to) && !err)
		err = -errno;
	if (!output->temporary)
		return err;
	if (!err && rename(output->temporary, output->target))
		err = -errno;
	if (err)
		unlink(output->temporary);
	unfinished = NULL;
	free(output->temporary);
	free(output->target);
	return err;
}
