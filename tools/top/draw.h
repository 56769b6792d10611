/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_DRAW_H
#define TOOLS_TOP_DRAW_H

#include <stdbool.h>
#include <stddef.h>

#include "top/rows.h"
#include "top/view.h"

/* Rows of processes that the screen has room for, at least 1. */
size_t top_draw_lines(void);

/* Is there room for that column? */
bool top_draw_shows(enum top_column column);

/* Draw a report, which top_view_arrange() has arranged, on the screen of ncurses. */
void top_draw(const struct top_view *v, const struct top_report *report);

#endif /* TOOLS_TOP_DRAW_H */
