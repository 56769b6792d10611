// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a recording: each frame by itself, so that what there is can be read at any time, whatever
 * becomes of who writes it.
 *
 * The file gets its name when it has an interval. Until then it has a name of its own beside that,
 * so that an earlier recording is not lost to one that comes to nothing.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "recording/format.h"

/* Higher levels take a tenth off at most, as most of it are counts that are as good as random. */
#define LEVEL 3

struct recording_writer {
	int fd;
	char *path;		/* that it shall have */
	char *temporary;	/* that it has until then, or NULL */
	ZSTD_CCtx *zstd;
	struct recording_state state;
	struct bytes content;
	struct bytes frame;
	uint64_t size;		/* of the whole frames in the file */
	int err;		/* that has ended it */
};

static int write_all(int fd, const unsigned char *data, size_t n)
{
	ssize_t done;

	while (n) {
		done = write(fd, data, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		n -= done;
	}
	return 0;
}

/* All of it, or nothing. */
static int append(struct recording_writer *writer, const struct bytes *bytes)
{
	int err = write_all(writer->fd, bytes->data, bytes->n);

	if (!err) {
		writer->size += bytes->n;
		return 0;
	}
	if (ftruncate(writer->fd, writer->size)) {
		/* Then it ends in the middle of a frame, which readers expect. */
	}
	return err;
}

static int append_content(struct recording_writer *writer)
{
	struct bytes *frame = &writer->frame;
	size_t n;

	frame->n = 0;
	if (writer->content.failed ||
	    !bytes_reserve(frame, ZSTD_compressBound(writer->content.n)))
		return -ENOMEM;
	n = ZSTD_compress2(writer->zstd, frame->data, frame->room, writer->content.data,
			   writer->content.n);
	if (ZSTD_isError(n))
		return -ENOMEM;
	frame->n = n;
	return append(writer, frame);
}

static int append_header(struct recording_writer *writer, const struct recording_header *header)
{
	const uint32_t magic = htole32(RECORDING_SKIPPABLE);
	const uint32_t length = htole32(RECORDING_HEAD_BYTES - 8);
	const uint32_t version = htole32(RECORDING_VERSION);
	int err;

	bytes_put(&writer->content, &magic, 4);
	bytes_put(&writer->content, &length, 4);
	bytes_put(&writer->content, RECORDING_MAGIC, RECORDING_MAGIC_BYTES);
	bytes_put(&writer->content, &version, 4);
	if (writer->content.failed)
		return -ENOMEM;
	err = append(writer, &writer->content);
	if (err)
		return err;
	writer->content.n = 0;
	recording_encode_header(&writer->content, header);
	return append_content(writer);
}

/*
 * What is replaced must be an ordinary file. A link would be replaced itself, and not what it
 * names, which nobody expects.
 */
static int check_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode))
		return 0;
	return S_ISDIR(st.st_mode) ? -EISDIR : S_ISLNK(st.st_mode) ? -ELOOP : -EOPNOTSUPP;
}

static int open_file(struct recording_writer *writer, const char *path)
{
	int err = check_path(path);

	if (err)
		return err;
	writer->path = strdup(path);
	if (!writer->path || asprintf(&writer->temporary, "%s.XXXXXX", path) < 0) {
		writer->temporary = NULL;
		return -ENOMEM;
	}
	writer->fd = mkostemp(writer->temporary, O_CLOEXEC);
	if (writer->fd < 0) {
		err = -errno;
		free(writer->temporary);
		writer->temporary = NULL;
		return err;
	}
	/* An odd umask takes our own rights away, too. */
	return fchmod(writer->fd, 0600) ? -errno : 0;
}

static int begin(struct recording_writer *writer, const char *path,
		 const struct recording_header *header)
{
	int err = open_file(writer, path);

	if (err)
		return err;
	writer->zstd = ZSTD_createCCtx();
	if (!writer->zstd)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
	return append_header(writer, header);
}

int recording_create(const char *path, const struct recording_header *header,
		     struct recording_writer **writer)
{
	struct recording_writer *new = calloc(1, sizeof(*new));
	int err;

	*writer = NULL;
	if (!new)
		return -ENOMEM;
	new->fd = -1;
	err = begin(new, path, header);
	if (err)
		recording_finish(new);
	else
		*writer = new;
	return err;
}

/* It has something in it that is worth its name. */
static int publish(struct recording_writer *writer)
{
	int err;

	if (!writer->temporary)
		return 0;
	err = check_path(writer->path);
	if (!err && rename(writer->temporary, writer->path))
		err = -errno;
	if (err)
		return err;
	free(writer->temporary);
	writer->temporary = NULL;
	return 0;
}

int recording_write(struct recording_writer *writer, const struct recording_interval *interval)
{
	if (writer->err)
		return writer->err;
	writer->content.n = 0;
	writer->err = recording_encode(&writer->content, &writer->state, interval);
	if (!writer->err)
		writer->err = append_content(writer);
	if (!writer->err)
		writer->err = publish(writer);
	return writer->err;
}

uint64_t recording_size(const struct recording_writer *writer)
{
	return writer->size;
}

int recording_finish(struct recording_writer *writer)
{
	int err = writer->err;

	if (writer->temporary)
		unlink(writer->temporary);
	if (writer->fd >= 0 && close(writer->fd) && !err)
		err = -errno;
	ZSTD_freeCCtx(writer->zstd);
	recording_free_tables(&writer->state.tables);
	bytes_free(&writer->content);
	bytes_free(&writer->frame);
	free(writer->temporary);
	free(writer->path);
	free(writer);
	return err;
}
