/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORDING_FORMAT_H
#define TOOLS_RECORDING_FORMAT_H

#include "recording/bytes.h"
#include "recording/recording.h"
#include "recording/tables.h"

/*
 * The format of the file, which uffdwp.data(5) describes: a skippable frame of zstd that says what
 * it is, then frames of zstd, each with a checksum, of which one has what is the same for all of
 * it, and each that follows an interval.
 */
#define RECORDING_VERSION 1
#define RECORDING_SKIPPABLE 0x184d2a50u	/* the magic number of such a frame */
#define RECORDING_MAGIC "uffdwprc"	/* in it, without the zero byte */
#define RECORDING_MAGIC_BYTES 8
#define RECORDING_HEAD_BYTES 20		/* all of it, with its length and the version */

/* The first byte of what a frame has */
#define RECORDING_IS_HEADER 1
#define RECORDING_IS_INTERVAL 2

#define RECORDING_HAS_CHILDREN 1	/* flags of a header */
#define RECORDING_HAS_LOST 1		/* flags of an interval */
#define RECORDING_FORGETS 2		/* the tables are empty again before it */

/* What is larger is not written, and damaged when it is read: what one interval can have. */
#define RECORDING_MOST_CONTENT (16u << 20)	/* bytes of a frame */
#define RECORDING_MOST_CONTENT_LOG 24
#define RECORDING_MOST_PROCESSES (1u << 16)
#define RECORDING_MOST_LINES (1u << 17)
#define RECORDING_MOST_CELLS (1u << 20)
#define RECORDING_MOST_PAGES (1ull << 45)	/* in all that a processor can address */
#define RECORDING_MOST_BYTES (RECORDING_MOST_PAGES << 12)
#define RECORDING_PAGE 4096ull

/* What a frame is coded with besides itself: what came before it in the file. */
struct recording_state {
	struct recording_tables tables;
	uint64_t time;		/* microseconds, of the last interval's end */
	uint64_t skipped;	/* bytes, of the last interval */
};

/* @content: at its end. Errors are kept there. */
void recording_encode_header(struct bytes *content, const struct recording_header *header);

/* False: it is damaged. @header: all but its version. */
bool recording_decode_header(struct bytes_in *content, struct recording_header *header);

/* Return: 0; -E2BIG when it is more than the format allows; -EINVAL; or -ENOMEM. */
int recording_encode(struct bytes *content, struct recording_state *state,
		     const struct recording_interval *interval);

/* An interval, and how much there is room for in its arrays. */
struct recording_room {
	struct recording_interval interval;
	size_t processes;
	size_t lines;
	size_t cells;
};

/* Return: 0; -EPROTO when it is damaged; or -ENOMEM. */
int recording_decode(struct bytes_in *content, struct recording_state *state,
		     struct recording_room *room);

#endif /* TOOLS_RECORDING_FORMAT_H */
