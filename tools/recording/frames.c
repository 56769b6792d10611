// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frames of a file, one after the other. What one claims to have in it is not believed: content
 * takes as much memory as it turns out to need, up to a limit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd_errors.h>

#include "recording/format.h"
#include "recording/frames.h"

int frames_open(struct frames *frames, int fd)
{
	frames->fd = fd;
	frames->zstd = ZSTD_createDCtx();
	if (!frames->zstd)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(frames->zstd, ZSTD_d_windowLogMax, RECORDING_MOST_CONTENT_LOG);
	return 0;
}

/* 1: there is something in the buffer; 0: the end of the file. */
static int fill(struct frames *frames)
{
	ssize_t got;

	if (frames->at < frames->n)
		return 1;
	do {
		got = read(frames->fd, frames->buffer, sizeof(frames->buffer));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	frames->at = 0;
	frames->n = got;
	return got > 0;
}

ssize_t frames_take_raw(struct frames *frames, void *to, size_t n)
{
	size_t done = 0, part;
	int ret = 1;

	while (done < n && (ret = fill(frames)) == 1) {
		part = frames->n - frames->at;
		part = part < n - done ? part : n - done;
		memcpy((char *)to + done, frames->buffer + frames->at, part);
		frames->at += part;
		done += part;
	}
	return ret < 0 ? ret : (ssize_t)done;
}

/* What is in the buffer, as far as there is room. 1: the frame is whole. */
static int decompress(struct frames *frames)
{
	struct bytes *content = &frames->content;
	ZSTD_inBuffer in = { frames->buffer, frames->n, frames->at };
	ZSTD_outBuffer out;
	size_t left;

	if (content->n > RECORDING_MOST_CONTENT)
		return -EPROTO;
	if (!bytes_reserve(content, 4096))
		return -ENOMEM;
	out = (ZSTD_outBuffer){ content->data, content->room, content->n };
	left = ZSTD_decompressStream(frames->zstd, &out, &in);
	frames->at = in.pos;
	content->n = out.pos;
	if (ZSTD_isError(left))
		return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EPROTO;
	return !left;
}

/* From where nothing of it was taken. 0: there is none. */
static int take_frame(struct frames *frames)
{
	bool begun = false;
	int ret;

	frames->content.n = 0;
	do {
		ret = fill(frames);
		/* Output may be waiting, but a frame ends with its checksum. */
		if (!ret)
			return begun ? -EPIPE : 0;
		if (ret > 0)
			ret = decompress(frames);
		begun = true;
	} while (!ret);
	return ret;
}

int frames_next(struct frames *frames)
{
	int ret;

	do {
		ret = take_frame(frames);
	} while (ret == 1 && !frames->content.n);
	return ret == 1 && frames->content.n > RECORDING_MOST_CONTENT ? -EPROTO : ret;
}

int frames_rewind(struct frames *frames)
{
	if (lseek(frames->fd, 0, SEEK_SET) < 0)
		return -errno;
	frames->at = 0;
	frames->n = 0;
	ZSTD_DCtx_reset(frames->zstd, ZSTD_reset_session_only);
	return 0;
}

void frames_close(struct frames *frames)
{
	close(frames->fd);
	ZSTD_freeDCtx(frames->zstd);
	bytes_free(&frames->content);
}
