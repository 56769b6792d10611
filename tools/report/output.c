// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a report goes.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/output.h"

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

int output_open(struct output *output, const char *path)
{
	int err;

	*output = (struct output){ .to = stdout, .path = path };
	if (!path)
		return 0;
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
	if (!err && rename(output->temporary, output->path))
		err = -errno;
	if (err)
		unlink(output->temporary);
	unfinished = NULL;
	free(output->temporary);
	return err;
}
