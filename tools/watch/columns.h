/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_COLUMNS_H
#define TOOLS_WATCH_COLUMNS_H

#include "screen/text.h"
#include "watch/view.h"

#define COLUMNS_LEAST 60	/* of a terminal: what there is room for below is not worth it */

/* How wide each column is; 0: there is no room for it. */
struct columns {
	unsigned int width[COLUMNS_ALL];
};

/* What fits into so many columns of a terminal. */
void columns_fit(struct columns *columns, unsigned int width);

/* Their names, the one that rows are sorted by marked. */
void columns_head(const struct columns *columns, const struct view *view, struct text *text);

/* A row of values. @chosen: it is the one that is chosen. */
void columns_row(const struct columns *columns, const struct view_row *row, bool chosen,
		 struct text *text);

/* Is a process shown as ended, and how: a few words, or "". */
void columns_fate(const struct row *process, char *text, size_t size);

/* The next column to sort by, to the right or the left of one, that there is room for. */
enum column columns_next(const struct columns *columns, enum column from, int direction);

#endif /* TOOLS_WATCH_COLUMNS_H */
