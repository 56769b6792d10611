/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_VIEW_H
#define TOOLS_WATCH_VIEW_H

#include "watch/history.h"

enum column {
	COLUMN_ADDRESS,
	COLUMN_NAME,
	COLUMN_PAGES,
	COLUMN_WRITTEN,
	COLUMN_SHARE,
	COLUMN_RATE,
	COLUMN_SET,		/* and those of the other windows, in their order */
	COLUMN_HISTORY = COLUMN_SET + WRITTEN_SET_WINDOWS,
	COLUMNS_ALL,
};

#define COLUMNS_SORTED COLUMN_HISTORY	/* those that rows can be sorted by */

/* Which rows are shown, in which order, and which of them is chosen. */
struct view {
	enum column sort;	/* the most first, or the first in an alphabet or of addresses */
	bool reverse;
	char filter[64];	/* pattern for names; empty: all */
	struct view_row *row;
	size_t n;
	size_t room;
	size_t chosen;		/* which row */
	size_t top;		/* the first on the screen */
	bool moved;		/* somebody has: it is followed when rows are sorted anew */
};

/* A row of the history, and that of its process if there is one. */
struct view_row {
	const struct row *row;
	const struct row *process;
};

void view_begin(struct view *view);

/**
 * view_update - sort and filter the rows of a history
 * @view: view
 * @history: history; its rows must stay until the next call
 * @chosen: the row that was chosen, or NULL: it stays chosen, wherever it is now
 *
 * Return: 0 or -ENOMEM.
 */
int view_update(struct view *view, const struct history *history, const struct row *chosen);

/* The chosen row, or NULL if there is none. */
const struct row *view_chosen(const struct view *view);

/* Choose another row: so many further down, or up. */
void view_move(struct view *view, long by);

/* Have the chosen row among @height rows that are shown. */
void view_scroll(struct view *view, size_t height);

/* Does a name match what was typed: a pattern of glob(7), or else a part of it? */
bool view_matches(const char *filter, const char *name);

void view_free(struct view *view);

#endif /* TOOLS_WATCH_VIEW_H */
