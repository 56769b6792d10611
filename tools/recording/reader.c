// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a recording: what it is, what is the same for all of it, then an interval at a time.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recording/format.h"
#include "recording/frames.h"

struct recording_reader {
	struct frames frames;
	struct recording_header header;
	struct recording_state state;
	struct recording_room room;
	int err;		/* that has ended it */
};

__attribute__((format(printf, 3, 4)))
static int refuse(char *why, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return -EPROTO;
}

static int read_head(struct recording_reader *reader, char *why, size_t size)
{
	unsigned char head[RECORDING_HEAD_BYTES] = { 0 };
	uint32_t magic, length, version;
	const ssize_t got = frames_take_raw(&reader->frames, head, sizeof(head));

	if (got < 0)
		return got;
	memcpy(&magic, head, 4);
	memcpy(&length, head + 4, 4);
	memcpy(&version, head + 16, 4);
	version = le32toh(version);
	if (le32toh(magic) != RECORDING_SKIPPABLE ||
	    memcmp(head + 8, RECORDING_MAGIC, RECORDING_MAGIC_BYTES))
		return refuse(why, size, "it is no recording of uffdwp");
	if (got < RECORDING_HEAD_BYTES)
		return refuse(why, size, "it ends in the middle of its header");
	if (version != RECORDING_VERSION)
		return refuse(why, size, "it has version %u of the format, and this program reads version %u",
			      (unsigned int)version, RECORDING_VERSION);
	if (le32toh(length) != RECORDING_HEAD_BYTES - 8)
		return refuse(why, size, "its header is damaged");
	reader->header.version = version;
	return 0;
}

static struct bytes_in content_of(const struct frames *frames)
{
	const struct bytes *content = &frames->content;

	return (struct bytes_in){ .at = content->data, .end = content->data + content->n };
}

static int read_header(struct recording_reader *reader, char *why, size_t size)
{
	struct bytes_in content;
	int ret = frames_next(&reader->frames);

	if (!ret || ret == -EPIPE)
		return refuse(why, size, "it ends in the middle of its header");
	if (ret == 1) {
		content = content_of(&reader->frames);
		if (recording_decode_header(&content, &reader->header))
			return 0;
		ret = -EPROTO;
	}
	return ret == -EPROTO ? refuse(why, size, "its header is damaged") : ret;
}

static int begin(struct recording_reader *reader, char *why, size_t size)
{
	int err = read_head(reader, why, size);

	return err ? err : read_header(reader, why, size);
}

static int open_file(struct recording_reader *reader, const char *path, char *why, size_t size)
{
	int err, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		err = -errno;
		reader->frames.fd = -1;
	} else {
		err = frames_open(&reader->frames, fd);
	}
	if (!err)
		err = begin(reader, why, size);
	if (err && err != -EPROTO)
		snprintf(why, size, "%s", strerror(-err));
	return err;
}

int recording_open(const char *path, struct recording_reader **reader, char *why, size_t size)
{
	struct recording_reader *new = calloc(1, sizeof(*new));
	int err;

	*reader = NULL;
	if (!new) {
		snprintf(why, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = open_file(new, path, why, size);
	if (err)
		recording_close(new);
	else
		*reader = new;
	return err;
}

const struct recording_header *recording_header(const struct recording_reader *reader)
{
	return &reader->header;
}

int recording_next(struct recording_reader *reader, struct recording_interval *interval)
{
	struct bytes_in content;
	int ret;

	if (reader->err)
		return reader->err;
	ret = frames_next(&reader->frames);
	if (ret == 1) {
		content = content_of(&reader->frames);
		ret = recording_decode(&content, &reader->state, &reader->room);
		ret = ret ? ret : 1;
	}
	if (ret == 1)
		*interval = reader->room.interval;
	else
		reader->err = ret;
	return ret;
}

int recording_rewind(struct recording_reader *reader)
{
	char why[80];
	int err = frames_rewind(&reader->frames);

	recording_forget_tables(&reader->state.tables);
	reader->state.time = 0;
	reader->state.skipped = 0;
	if (!err)
		err = begin(reader, why, sizeof(why));
	reader->err = err;
	return err;
}

void recording_close(struct recording_reader *reader)
{
	if (!reader)
		return;
	frames_close(&reader->frames);
	recording_free_tables(&reader->state.tables);
	free(reader->room.interval.process);
	free(reader->room.interval.line);
	free(reader->room.interval.cell);
	free(reader);
}
