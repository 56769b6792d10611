/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_DRAW_H
#define TOOLS_REPORT_DRAW_H

#include "report/model.h"
#include "report/picture.h"

/* Pictures of a model. Return: 0 or a negative errno. */
int draw_heatmap(const struct picture_ops *ops, FILE *to, const struct model *model);
int draw_wss(const struct picture_ops *ops, FILE *to, const struct model *model);

/* ---- what both have */

#define DRAW_WIDTH 1000.0
#define DRAW_LEFT 200.0
#define DRAW_RIGHT 24.0
#define DRAW_TOP 64.0
#define DRAW_PLOT (DRAW_WIDTH - DRAW_LEFT - DRAW_RIGHT)

#define DRAW_INK 0x222222
#define DRAW_GREY 0x666666
#define DRAW_GRID 0xe2e2e2

/* A curve over the time of the model. */
struct curve {
	const char *name;
	unsigned int colour;
	bool filled;
	/* Pages for a column; below 0: nothing was recorded then */
	double (*value)(const struct model *model, size_t column, unsigned int which);
	unsigned int which;
};

void draw_label(struct picture *picture, double x, double y, double size, enum align align,
		unsigned int colour, const char *text);

/* What was recorded, when, and how the file ends. */
void draw_title(struct picture *picture, const struct model *model, const char *what);

/* The axis of time, below @y; with lines from @top to @y. */
void draw_times(struct picture *picture, const struct model *model, double top, double y);

/* Curves between @top and @bottom with a scale in bytes. @per: "/s" or "" */
int draw_curves(struct picture *picture, const struct model *model, const struct curve *curve,
		size_t n, double top, double bottom, const char *per);

#endif /* TOOLS_REPORT_DRAW_H */
