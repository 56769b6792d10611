// SPDX-License-Identifier: GPL-2.0-only
/*
 * Written set sizes as curves.
 */
#include <errno.h>

#include "report/draw.h"
#include "report/words.h"

#define HEIGHT 400.0
#define TOP 104.0
#define BOTTOM (HEIGHT - 56)

static double set_of(const struct model *m, size_t column, unsigned int window)
{
	return m->column[column].intervals > 0 ? (double)m->column[column].set[window] : -1;
}

/* Of Okabe and Ito: told apart by those who see fewer colours, too. The longest is behind. */
static const struct curve curves[] = {
	{ "in 60 s", 0xbfd9ea, true, set_of, 2 },
	{ "in 10 s", 0x0072b2, false, set_of, 1 },
	{ "in 1 s", 0xd55e00, false, set_of, 0 },
};

int draw_wss(const struct picture_ops *ops, FILE *to, const struct model *m)
{
	struct picture *p = ops->begin(to, DRAW_WIDTH, HEIGHT, "written set sizes");
	int err = 0, end;

	if (!p)
		return -ENOMEM;
	draw_title(p, m, "Written set sizes");
	if (m->intervals) {
		draw_label(p, DRAW_LEFT, TOP - 8, 11, ALIGN_LEFT, DRAW_GREY,
			   "memory written in the last 1, 10 and 60 seconds, the most in a column");
		draw_times(p, m, TOP, BOTTOM);
		err = draw_curves(p, m, curves, sizeof(curves) / sizeof(curves[0]), TOP, BOTTOM,
				  "");
	} else {
		draw_label(p, DRAW_LEFT, TOP + 40, 14, ALIGN_LEFT, DRAW_INK,
			   "Nothing was recorded: there is no interval.");
	}
	end = ops->end(p);
	return err ? err : end;
}
