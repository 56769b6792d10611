// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and texts as bytes. Errors stay, so that they are asked for once, at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "recording/bytes.h"

bool bytes_reserve(struct bytes *to, size_t n)
{
	size_t room = to->room ? to->room : 4096;
	unsigned char *more;

	if (to->failed)
		return false;
	if (to->room - to->n >= n)
		return true;
	while (room - to->n < n)
		room *= 2;
	more = realloc(to->data, room);
	if (!more) {
		to->failed = true;
		return false;
	}
	to->data = more;
	to->room = room;
	return true;
}

void bytes_put(struct bytes *to, const void *data, size_t n)
{
	if (!n || !bytes_reserve(to, n))
		return;
	memcpy(to->data + to->n, data, n);
	to->n += n;
}

void bytes_put_number(struct bytes *to, uint64_t number)
{
	unsigned char coded[10];
	size_t n = 0;

	for (; number >= 0x80; number >>= 7)
		coded[n++] = 0x80 | (number & 0x7f);
	coded[n++] = (unsigned char)number;
	bytes_put(to, coded, n);
}

void bytes_put_signed(struct bytes *to, int64_t number)
{
	const uint64_t twice = (uint64_t)number << 1;

	bytes_put_number(to, number < 0 ? ~twice : twice);
}

void bytes_put_text(struct bytes *to, const char *text)
{
	const size_t n = strlen(text);

	bytes_put_number(to, n);
	bytes_put(to, text, n);
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

void bytes_check(struct bytes_in *from, bool good)
{
	from->bad = from->bad || !good;
}

uint64_t bytes_take_number(struct bytes_in *from)
{
	uint64_t number = 0;
	unsigned int bits;

	for (bits = 0; !from->bad && bits < 64; bits += 7) {
		const unsigned char byte = from->at < from->end ? *from->at++ : 0xff;

		/* Of the tenth byte there is one bit left. */
		if (bits == 63 && byte > 1)
			break;
		number |= (uint64_t)(byte & 0x7f) << bits;
		if (!(byte & 0x80))
			return number;
	}
	from->bad = true;
	return 0;
}

int64_t bytes_take_signed(struct bytes_in *from)
{
	const uint64_t folded = bytes_take_number(from);

	return (int64_t)(folded & 1 ? ~(folded >> 1) : folded >> 1);
}

uint64_t bytes_take_at_most(struct bytes_in *from, uint64_t most)
{
	const uint64_t number = bytes_take_number(from);

	bytes_check(from, number <= most);
	return from->bad ? 0 : number;
}

size_t bytes_take_count(struct bytes_in *from, size_t most)
{
	const uint64_t number = bytes_take_at_most(from, most);

	bytes_check(from, number <= (size_t)(from->end - from->at));
	return from->bad ? 0 : number;
}

void bytes_take_text(struct bytes_in *from, char *text, size_t size)
{
	const size_t n = bytes_take_count(from, size - 1);

	human_clean((const char *)from->at, n, text, size);
	from->at += n;
}
