// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protocol buffers, as far as they are written here.
 */
#include <stdlib.h>
#include <string.h>

#include "protobuf.h"

/* How the value of a field is written. */
#define VARINT 0
#define LENGTH 2

static bool has_room(struct protobuf *m, size_t n)
{
	size_t room = m->room ? m->room : 64;
	unsigned char *more;

	while (room - m->n < n)
		room *= 2;
	if (m->failed || (room == m->room && m->bytes))
		return !m->failed;
	more = realloc(m->bytes, room);
	if (!more) {
		m->failed = true;
		return false;
	}
	m->bytes = more;
	m->room = room;
	return true;
}

static void add_bytes(struct protobuf *m, const void *bytes, size_t n)
{
	if (!n || !has_room(m, n))
		return;
	memcpy(m->bytes + m->n, bytes, n);
	m->n += n;
}

/* Seven bits a byte, the lowest first; the eighth says that there are more. */
static void add_varint(struct protobuf *m, uint64_t number)
{
	unsigned char bytes[10];
	size_t n = 0;

	do {
		bytes[n] = number & 0x7f;
		number >>= 7;
		if (number)
			bytes[n] |= 0x80;
		n++;
	} while (number);
	add_bytes(m, bytes, n);
}

void protobuf_number(struct protobuf *m, unsigned int field, uint64_t number)
{
	add_varint(m, field << 3 | VARINT);
	add_varint(m, number);
}

void protobuf_bytes(struct protobuf *m, unsigned int field, const void *bytes, size_t n)
{
	add_varint(m, field << 3 | LENGTH);
	add_varint(m, n);
	add_bytes(m, bytes, n);
}

void protobuf_message(struct protobuf *m, unsigned int field, struct protobuf *message)
{
	m->failed = m->failed || message->failed;
	protobuf_bytes(m, field, message->bytes, message->n);
	protobuf_free(message);
}

void protobuf_append(struct protobuf *m, struct protobuf *more)
{
	m->failed = m->failed || more->failed;
	add_bytes(m, more->bytes, more->n);
	protobuf_free(more);
}

void protobuf_free(struct protobuf *m)
{
	free(m->bytes);
	m->bytes = NULL;
	m->n = 0;
	m->room = 0;
}
