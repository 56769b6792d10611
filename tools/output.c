// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a report goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
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

static bool is_no_file(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && !S_ISREG(st.st_mode);
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
	struct output output;
	int err, fd;

	if (!path)
		return 0;
	if (is_no_file(path))
		return access(path, W_OK) ? -errno : 0;
	if (asprintf(&output.temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(output.temporary);
	err = fd < 0 ? -errno : 0;
	if (fd >= 0) {
		close(fd);
		unlink(output.temporary);
	}
	free(output.temporary);
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
	if (asprintf(&output->temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	err = open_temporary(output);
	if (err)
		free(output->temporary);
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
	if (!err && rename(output->temporary, output->path))
		err = -errno;
	if (err)
		unlink(output->temporary);
	unfinished = NULL;
	free(output->temporary);
	return err;
}
