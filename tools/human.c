// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and names for people.
 */
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "human.h"

void human_bytes(double bytes, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	unsigned int unit = 0;

	/* 1023.95 of one unit would be printed as 1024.0 of it. */
	while (bytes >= 1023.95 && unit < 5) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

/* One digit behind the point of what has one before it. */
static void print_short(double n, unsigned int thousand, const char *units, char *text,
			size_t size)
{
	while (n >= 999.5 && units[1]) {
		n /= thousand;
		units++;
	}
	snprintf(text, size, n < 9.95 && *units != 'B' ? "%.1f%c" : "%.0f%c", n, *units);
}

void human_short_bytes(double bytes, char *text, size_t size)
{
	if (bytes < 0.5)
		snprintf(text, size, "0");
	else
		print_short(bytes, 1024, "BKMGTPE", text, size);
}

void human_short_count(uint64_t n, char *text, size_t size)
{
	if (n < 100000)
		snprintf(text, size, "%u", (unsigned int)n);
	else
		print_short(n / 1000.0, 1000, "kMGTPE", text, size);
}

void human_bar(double share, unsigned int width, bool utf8, char *text, size_t size)
{
	/* U+2588 is a full block, each code point above it an eighth less. */
	unsigned int eighths, column;
	size_t at = 0;

	share = share < 0 ? 0 : share > 1 ? 1 : share;
	eighths = (unsigned int)(share * width * 8 + 0.5);
	if (share > 0 && !eighths)
		eighths = 1;

	for (column = 0; column < width && at + 4 <= size; column++) {
		unsigned int here = eighths > 8 ? 8 : eighths;

		eighths -= here;
		if (!here)
			text[at++] = ' ';
		else if (utf8)
			at += snprintf(text + at, size - at, "\xe2\x96%c", 0x88 + 8 - here);
		else
			text[at++] = here >= 4 ? '#' : '.';
	}
	if (at < size)
		text[at] = 0;
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Bytes of the character that begins there, and which one it is; 0: it is no UTF-8. */
static size_t decode(const char *raw, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char first = (unsigned char)*raw;
	const size_t bytes = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 :
			     first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
	size_t i;

	if (!bytes || bytes > len)
		return 0;
	*code = bytes == 1 ? first : first & (0x7f >> bytes);
	for (i = 1; i < bytes; i++) {
		if (!is_continuation(raw[i]))
			return 0;
		*code = *code << 6 | (raw[i] & 0x3f);
	}
	/* Longer than it needs to be, half of a pair of UTF-16, or beyond the last. */
	if (*code < least[bytes] || (*code >= 0xd800 && *code < 0xe000) || *code > 0x10ffff)
		return 0;
	return bytes;
}

/* C0, DEL and C1; marks of direction; separators of lines. */
static bool is_obeyed(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
	       (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

void human_clean(const char *raw, size_t len, char *text, size_t size)
{
	size_t at = 0, bytes, i;
	uint32_t code;

	while (len) {
		bytes = decode(raw, len, &code);
		if (bytes && !is_obeyed(code)) {
			if (at + bytes >= size)
				break;
			memcpy(text + at, raw, bytes);
			at += bytes;
		} else {
			bytes = bytes ? bytes : 1;
			if (at + 4 * bytes >= size)
				break;
			for (i = 0; i < bytes; i++)
				at += sprintf(text + at, "\\%03o", (unsigned char)raw[i]);
		}
		raw += bytes;
		len -= bytes;
	}
	text[at] = 0;
}

/* What the locale does not know takes one column, as on most terminals. */
static unsigned int columns_of(uint32_t code)
{
	const int columns = wcwidth((wchar_t)code);

	return columns < 0 ? 1 : (unsigned int)columns;
}

size_t human_character(const char *text, unsigned int *columns)
{
	uint32_t code;
	const size_t bytes = decode(text, strnlen(text, 4), &code);

	*columns = bytes ? columns_of(code) : 1;
	return bytes ? bytes : 1;
}

unsigned int human_columns(const char *text, bool utf8)
{
	unsigned int sum = 0, columns;

	while (*text) {
		text += human_character(text, &columns);
		sum += utf8 ? columns : 1;
	}
	return sum;
}

void human_tail(const char *name, unsigned int width, bool utf8, char *text, size_t size)
{
	unsigned int left = human_columns(name, utf8), column = 0, columns;
	size_t at = 0, bytes;

	if (left > width) {
		while (left > width - 1) {
			name += human_character(name, &columns);
			left -= utf8 ? columns : 1;
		}
		/* What would combine with the mark. */
		while (utf8 && *name && (bytes = human_character(name, &columns)) && !columns)
			name += bytes;
		text[at++] = '~';
		column++;
	}
	for (; *name; name += bytes) {
		bytes = human_character(name, &columns);
		if (at + bytes >= size)
			break;
		if (utf8 || (unsigned char)*name < 0x80) {
			memcpy(text + at, name, bytes);
			at += bytes;
		} else {
			text[at++] = '?';
			columns = 1;
		}
		column += columns;
	}
	for (; column < width && at + 1 < size; column++)
		text[at++] = ' ';
	text[at] = 0;
}

bool human_has_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static void make_ascii(char *text)
{
	unsigned int columns;
	char *to = text;
	size_t bytes;

	for (; *text; text += bytes) {
		bytes = human_character(text, &columns);
		*to++ = (unsigned char)*text < 0x80 ? *text : '?';
	}
	*to = 0;
}

/* No line has more than three names, of 1024 bytes at most. */
void human_print(FILE *to, const char *format, ...)
{
	char line[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if ((to == stdout || to == stderr) && !human_has_utf8())
		make_ascii(line);
	fputs(line, to);
}
