/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_VIEW_H
#define TOOLS_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "top/rows.h"

/* What of a report is shown, and how: what keys change. */
struct top_view {
	enum top_column column;	/* that it is sorted by */
	bool reverse;
	bool paused;
	bool help;
	size_t first;		/* row that is shown first */
	char filter[64];	/* rows that have this text only */
	bool editing;		/* ... which is being typed */
	double *interval;	/* seconds */
	bool utf8;
	bool colours;
	char message[160];	/* the last that was said on standard error */
};

enum top_key {
	TOP_KEY_NOTHING = 0x10000,	/* above all characters */
	TOP_KEY_UP,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_BACKSPACE,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
};

/**
 * top_view_take_key - do what a key says
 * @v: view
 * @key: a character, or one of enum top_key
 * @rows: that there are
 * @lines: that the screen has for them
 * @shown: is that column on the screen?
 *
 * Return: false when it is to end.
 */
bool top_view_take_key(struct top_view *v, int key, size_t rows, size_t lines,
		       bool (*shown)(enum top_column column));

/* The next longer (@step 1) or shorter (-1) interval: 1, 2, 5, 10 and so on. */
double top_view_next_interval(double interval, int step);

/* The rows of a report that are to be shown, in their order. */
void top_view_arrange(struct top_view *v, struct top_report *report, size_t lines);

#endif /* TOOLS_TOP_VIEW_H */
