/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_HUMAN_H
#define TOOLS_HUMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * human_bytes - an amount of memory in three digits or so: "0 B", "999 B", "4.0 KiB", "1.5 GiB"
 * @bytes: amount
 * @text: out: the text
 * @size: of @text, 16 is enough
 */
void human_bytes(double bytes, char *text, size_t size);

/**
 * human_bar - a share as a picture, in eighths of a column
 * @share: 0 to 1; more and less are cut off
 * @width: columns of a full bar, at most 32
 * @utf8: draw with block characters, otherwise with '#'
 * @text: out: @width columns, filled up with spaces
 * @size: of @text, 3 * @width + 1 is enough
 *
 * Any share above 0 shows something.
 */
void human_bar(double share, unsigned int width, bool utf8, char *text, size_t size);

/**
 * human_tail - the end of a name that is too long: "~/libjemalloc.so.2"
 * @name: name
 * @width: characters
 * @text: out: at most @width characters
 * @size: of @text
 */
void human_tail(const char *name, unsigned int width, char *text, size_t size);

#endif /* TOOLS_HUMAN_H */
