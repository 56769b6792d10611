/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORDING_FRAMES_H
#define TOOLS_RECORDING_FRAMES_H

#include <zstd.h>

#include "recording/bytes.h"

/* Reads a file frame by frame. */
struct frames {
	int fd;
	ZSTD_DCtx *zstd;
	struct bytes content;	/* of the last frame */
	size_t at;		/* in @buffer */
	size_t n;
	unsigned char buffer[1 << 16];
};

/* @fd: becomes theirs, also after an error. Return: 0 or -ENOMEM. */
int frames_open(struct frames *frames, int fd);

/**
 * frames_next - the content of the next frame
 * @frames: frames
 *
 * Skippable frames are skipped.
 *
 * Return: 1, with @frames->content; 0 at the end; -EPIPE when the file ends in a frame; -EPROTO
 * when it is no frame, is damaged or has too much in it; or another negative errno.
 */
int frames_next(struct frames *frames);

/* Bytes as they are. Return: how many there were, or a negative errno. */
ssize_t frames_take_raw(struct frames *frames, void *to, size_t n);

/* From the beginning of the file. Return: 0 or a negative errno. */
int frames_rewind(struct frames *frames);

void frames_close(struct frames *frames);

#endif /* TOOLS_RECORDING_FRAMES_H */
