/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_PROTOBUF_H
#define TOOLS_BLAME_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message of protocol buffers that is being written; all 0 is an empty one. */
struct protobuf {
	unsigned char *bytes;
	size_t n;
	size_t room;
	bool failed;	/* there was no memory: it is of no use */
};

/* A field with a number. Those of 0 are written, too: a sample has all of its values. */
void protobuf_number(struct protobuf *m, unsigned int field, uint64_t number);

/* A field with text or bytes. */
void protobuf_bytes(struct protobuf *m, unsigned int field, const void *bytes, size_t n);

/* A field with a message, which is freed. */
void protobuf_message(struct protobuf *m, unsigned int field, struct protobuf *message);

/* The fields of another message, which is freed. */
void protobuf_append(struct protobuf *m, struct protobuf *more);

void protobuf_free(struct protobuf *m);

#endif /* TOOLS_BLAME_PROTOBUF_H */
