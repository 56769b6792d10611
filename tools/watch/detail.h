/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_DETAIL_H
#define TOOLS_WATCH_DETAIL_H

#include "screen/text.h"
#include "watch/history.h"

/* Where in a mapping pages were written: of each part of it, which share, for each window. */
struct density {
	unsigned int parts;	/* 0: not known */
	double pages;		/* of a part */
	float share[WRITTEN_SET_WINDOWS][TEXT_COLUMNS];
};

/* Divide a mapping into so many parts, or as many as it has pages. Not what is in many ranges. */
void density_fill(struct density *density, const struct written_set *set, const struct row *row,
		  double time, unsigned int parts);

/* How many parts there is room for on a screen of so many columns. */
unsigned int density_parts(unsigned int width);

/* All about one row. @there: it is in the last report. */
void detail_layout(struct page *page, const struct row *row, const struct density *density,
		   bool there);

#endif /* TOOLS_WATCH_DETAIL_H */
