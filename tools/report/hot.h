/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_HOT_H
#define TOOLS_REPORT_HOT_H

#include "report/model.h"

/* Where and when most was written. */
struct hot {
	double half_pages;	/* half of all page writes went to so many pages ... */
	double all_pages;	/* ... of so many that were ever written, or are near those */
	double half_seconds;	/* and half of them happened in so many seconds */
	/* Of the rows that have a hundredth of all writes, that with the most for its size */
	size_t row;
	double row_written;	/* page writes */
	size_t column;		/* in which most was written */
};

/* Return: 0, or -ENOMEM. */
int hot_find(const struct model *model, struct hot *hot);

#endif /* TOOLS_REPORT_HOT_H */
