// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and names for people.
 */
#include <stdio.h>
#include <string.h>

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

void human_tail(const char *name, unsigned int width, char *text, size_t size)
{
	size_t length = strlen(name);

	if (length <= width)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "~%s", name + length - (width - 1));
}
