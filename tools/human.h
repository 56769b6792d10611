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
 * human_clean - text that somebody else has chosen, without what a terminal would obey
 * @raw: text
 * @len: its bytes
 * @text: out: UTF-8, ended by a zero byte; cut between characters where it is too long
 * @size: of @text
 *
 * Control characters, what reverses the direction of writing, and bytes that are no UTF-8 are
 * written as the kernel writes a newline in /proc/PID/maps: a backslash and three octal digits a
 * byte.
 */
void human_clean(const char *raw, size_t len, char *text, size_t size);

/**
 * human_tail - the end of a name that is too long: "~/libjemalloc.so.2"
 * @name: name, in UTF-8
 * @width: characters
 * @utf8: print other characters than those of ASCII, otherwise '?'
 * @text: out: exactly @width characters, filled up with spaces
 * @size: of @text, 4 * @width + 1 is enough
 */
void human_tail(const char *name, unsigned int width, bool utf8, char *text, size_t size);

#endif /* TOOLS_HUMAN_H */
