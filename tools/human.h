/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_HUMAN_H
#define TOOLS_HUMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * human_bytes - an amount of memory in three digits or so: "0 B", "999 B", "4.0 KiB", "1.5 GiB"
 * @bytes: amount
 * @text: out: the text
 * @size: of @text, 16 is enough
 */
void human_bytes(double bytes, char *text, size_t size);

/* The same in at most four characters: "0", "999B", "4.0K", "574K", "1.5G". */
void human_short_bytes(double bytes, char *text, size_t size);

/* A number in at most five characters: "99999", "123k", "1.2M", in thousands. */
void human_short_count(uint64_t n, char *text, size_t size);

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
 * human_character - the first character of a text
 * @text: UTF-8, not empty
 * @columns: out: columns that it takes on a terminal: 0 to 2
 *
 * Return: its bytes, those that combine with it apart. A byte that is no UTF-8 is a character.
 */
size_t human_character(const char *text, unsigned int *columns);

/* Columns that a text takes. Without @utf8, each character is printed as '?'. */
unsigned int human_columns(const char *text, bool utf8);

/**
 * human_tail - the end of a name that is too long: "~/libjemalloc.so.2"
 * @name: name, in UTF-8
 * @width: columns
 * @utf8: print other characters than those of ASCII, otherwise '?'
 * @text: out: exactly @width columns, filled up with spaces
 * @size: of @text, 4 * @width + 1 is enough, unless characters are combined of many
 */
void human_tail(const char *name, unsigned int width, bool utf8, char *text, size_t size);

/* Does the terminal know UTF-8? Only what the locale says of it is known. */
bool human_has_utf8(void);

/**
 * human_print - fprintf(3) of a line with names that human_clean() has made
 * @to: where to
 * @format: as for printf(3)
 *
 * What goes to a terminal, as standard output and standard error may, has '?' for each character
 * that is not of ASCII, unless that knows UTF-8: the bytes of one may be controls for it. A file
 * has them as they are.
 */
void human_print(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* TOOLS_HUMAN_H */
