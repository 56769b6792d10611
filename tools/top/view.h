/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_VIEW_H
#define TOOLS_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "top/rows.h"

/* What of a report is shown, and how: what keys change. */
struct view {
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

enum view_key {
	VIEW_NOTHING = 0x10000,	/* above all characters */
	VIEW_UP,
	VIEW_DOWN,
	VIEW_PAGE_UP,
	VIEW_PAGE_DOWN,
	VIEW_HOME,
	VIEW_END,
	VIEW_BACKSPACE,
	VIEW_ENTER,
	VIEW_ESCAPE,
};

/**
 * view_take_key - do what a key says
 * @v: view
 * @key: a character, or one of enum view_key
 * @rows: that there are
 * @lines: that the screen has for them
 * @shown: is that column on the screen?
 *
 * Return: false when it is to end.
 */
bool view_take_key(struct view *v, int key, size_t rows, size_t lines,
		   bool (*shown)(enum top_column column));

/* The next longer (@step 1) or shorter (-1) interval: 1, 2, 5, 10 and so on. */
double view_next_interval(double interval, int step);

/* The rows of a report that are to be shown, in their order. */
void view_arrange(struct view *v, struct top_report *report, size_t lines);

#endif /* TOOLS_TOP_VIEW_H */
