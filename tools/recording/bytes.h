/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORDING_BYTES_H
#define TOOLS_RECORDING_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Numbers as bytes: seven bits in each, the lowest first, and the highest bit in all but the last.
 * What has a sign is folded: 0, -1, 1, -2 become 0, 1, 2, 3.
 */

/* Bytes that are put together. All 0 is empty. */
struct bytes {
	unsigned char *data;
	size_t n;
	size_t room;
	bool failed;	/* there was no memory for all */
};

void bytes_put(struct bytes *to, const void *data, size_t n);
void bytes_put_number(struct bytes *to, uint64_t number);
void bytes_put_signed(struct bytes *to, int64_t number);

/* Its length and its bytes, without the zero byte. */
void bytes_put_text(struct bytes *to, const char *text);

/* Room for @n bytes more at the end. Return: false when there is none. */
bool bytes_reserve(struct bytes *to, size_t n);

void bytes_free(struct bytes *bytes);

/* Bytes that are taken apart. After an error, numbers are 0. */
struct bytes_in {
	const unsigned char *at;
	const unsigned char *end;
	bool bad;	/* something did not make sense */
};

uint64_t bytes_take_number(struct bytes_in *from);
int64_t bytes_take_signed(struct bytes_in *from);

/* A larger one is an error. */
uint64_t bytes_take_at_most(struct bytes_in *from, uint64_t most);

/* How many things follow: of at least a byte each, and not more than @most. */
size_t bytes_take_count(struct bytes_in *from, size_t most);

/* By human_clean(), whoever has written it; one that does not fit is an error. */
void bytes_take_text(struct bytes_in *from, char *text, size_t size);

/* One more error. */
void bytes_check(struct bytes_in *from, bool good);

#endif /* TOOLS_RECORDING_BYTES_H */
