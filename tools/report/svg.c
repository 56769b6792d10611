// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures as SVG: text is text, there are no scripts, and what one points at says what it is.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/escape.h"
#include "report/picture.h"

static struct picture *begin(FILE *to, double width, double height, const char *title)
{
	struct picture *picture = calloc(1, sizeof(*picture));

	if (!picture)
		return NULL;
	picture->ops = &picture_svg;
	picture->to = to;
	fprintf(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" font-family=\"DejaVu Sans, Verdana, sans-serif\" role=\"img\">\n",
		width, height, width, height);
	fputs("<title>", to);
	escape_print(to, title);
	fprintf(to, "</title>\n<style>rect{shape-rendering:crispEdges}</style>\n<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\"/>\n", width,
		height);
	return picture;
}

static void box(struct picture *picture, double x, double y, double width, double height,
		unsigned int colour, const char *tip)
{
	FILE *to = picture->to;

	fprintf(to, "<rect x=\"%.4g\" y=\"%.4g\" width=\"%.4g\" height=\"%.4g\" fill=\"#%06x\"",
		x, y, width, height, colour);
	if (!tip) {
		fputs("/>\n", to);
		return;
	}
	fputs("><title>", to);
	escape_print(to, tip);
	fputs("</title></rect>\n", to);
}

static void points(FILE *to, const struct point *point, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		fprintf(to, "%s%.4g,%.4g", i ? " " : "", point[i].x, point[i].y);
}

static void line(struct picture *picture, const struct point *point, size_t n, unsigned int colour,
		 double width)
{
	fputs("<polyline points=\"", picture->to);
	points(picture->to, point, n);
	fprintf(picture->to, "\" fill=\"none\" stroke=\"#%06x\" stroke-width=\"%.3g\"/>\n", colour,
		width);
}

static void area(struct picture *picture, const struct point *point, size_t n, unsigned int colour)
{
	fputs("<polygon points=\"", picture->to);
	points(picture->to, point, n);
	fprintf(picture->to, "\" fill=\"#%06x\"/>\n", colour);
}

static void text(struct picture *picture, const struct label *label, const char *words)
{
	static const char *const anchor[] = { "start", "middle", "end" };

	fprintf(picture->to, "<text x=\"%.4g\" y=\"%.4g\" font-size=\"%.3g\" fill=\"#%06x\"",
		label->x, label->y, label->size, label->colour);
	if (label->align != ALIGN_LEFT)
		fprintf(picture->to, " text-anchor=\"%s\"", anchor[label->align]);
	if (label->bold)
		fputs(" font-weight=\"bold\"", picture->to);
	fputc('>', picture->to);
	escape_print(picture->to, words);
	fputs("</text>\n", picture->to);
}

static int end(struct picture *picture)
{
	int err;

	fputs("</svg>\n", picture->to);
	err = ferror(picture->to) ? -EIO : 0;
	free(picture);
	return err;
}

const struct picture_ops picture_svg = {
	.begin = begin,
	.box = box,
	.line = line,
	.area = area,
	.text = text,
	.end = end,
};
