/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_PICTURE_H
#define TOOLS_REPORT_PICTURE_H

#include <stddef.h>
#include <stdio.h>

/*
 * What pictures are drawn with: SVG (svg.c), or pixels (plot/plot.c, which is loaded when it is
 * needed). Lengths are in pixels from the left and the top, colours are 0xRRGGBB.
 */
struct picture {
	const struct picture_ops *ops;
	FILE *to;
};

struct point {
	double x;
	double y;
};

enum align {
	ALIGN_LEFT,
	ALIGN_MIDDLE,
	ALIGN_RIGHT,
};

struct label {
	double x;
	double y;		/* of the line that the text stands on */
	double size;
	enum align align;
	unsigned int colour;
	int bold;
};

struct picture_ops {
	/* Return: the picture, or NULL when there is no memory. @title: in a few words */
	struct picture *(*begin)(FILE *to, double width, double height, const char *title);
	/* @tip: what it is, for who points at it, or NULL */
	void (*box)(struct picture *picture, double x, double y, double width, double height,
		    unsigned int colour, const char *tip);
	void (*line)(struct picture *picture, const struct point *point, size_t n,
		     unsigned int colour, double width);
	/* Within a line through all points and back to the first */
	void (*area)(struct picture *picture, const struct point *point, size_t n,
		     unsigned int colour);
	void (*text)(struct picture *picture, const struct label *label, const char *text);
	/* Return: 0 or a negative errno. The picture is gone. */
	int (*end)(struct picture *picture);
};

extern const struct picture_ops picture_svg;

/* What the part that draws pixels has to offer, under the name PLOT_SYMBOL. */
#define PLOT_SYMBOL "uffdwp_plot"
#define PLOT_VERSION 1

struct plot {
	unsigned int version;
	struct picture_ops ops;
};

#endif /* TOOLS_REPORT_PICTURE_H */
