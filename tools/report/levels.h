/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_LEVELS_H
#define TOOLS_REPORT_LEVELS_H

#include <stddef.h>

/*
 * The scale of heat maps: which part of the pages of a cell was written in an interval, on average.
 * 0 is nothing; each level ends at three times or so of the one before.
 */
#define LEVELS 8

struct level {
	double most;		/* a part: 0 to 1 */
	const char *text;	/* for people */
	unsigned int colour;	/* 0xRRGGBB, on white */
	const char *terminal;	/* colour of ECMA-48, on whatever is behind */
	const char *shade;	/* a character */
	char ascii;
};

extern const struct level levels[LEVELS];

/* Where nothing was recorded. */
#define LEVEL_UNKNOWN_COLOUR 0xd8d8d8

size_t level_of(double share);

#endif /* TOOLS_REPORT_LEVELS_H */
