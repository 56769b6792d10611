// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures as PNG, by cairo. This is a part of its own, uffdwp-plot.so, so that who draws none
 * needs no cairo.
 */
#include <cairo.h>
#include <errno.h>
#include <stdlib.h>

#include "report/picture.h"

#define SCALE 1.5	/* pixels for each unit of length */

struct png {
	struct picture picture;
	cairo_surface_t *surface;
	cairo_t *cairo;
};

extern const struct plot uffdwp_plot;

static void set_colour(cairo_t *cairo, unsigned int colour)
{
	cairo_set_source_rgb(cairo, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
			     (colour & 255) / 255.0);
}

static struct picture *begin(FILE *to, double width, double height, const char *title)
{
	struct png *png = calloc(1, sizeof(*png));

	(void)title;
	if (!png)
		return NULL;
	png->picture.ops = &uffdwp_plot.ops;
	png->picture.to = to;
	png->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * SCALE),
						  (int)(height * SCALE));
	png->cairo = cairo_create(png->surface);
	cairo_scale(png->cairo, SCALE, SCALE);
	set_colour(png->cairo, 0xffffff);
	cairo_paint(png->cairo);
	return &png->picture;
}

/* Boxes that touch shall not let through what is behind, as half a pixel of each would. */
static void box(struct picture *picture, double x, double y, double width, double height,
		unsigned int colour, const char *tip)
{
	cairo_t *cairo = ((struct png *)picture)->cairo;

	(void)tip;
	cairo_set_antialias(cairo, CAIRO_ANTIALIAS_NONE);
	set_colour(cairo, colour);
	cairo_rectangle(cairo, x, y, width, height);
	cairo_fill(cairo);
	cairo_set_antialias(cairo, CAIRO_ANTIALIAS_DEFAULT);
}

static void path(cairo_t *cairo, const struct point *point, size_t n)
{
	size_t i;

	/* Text leaves a point behind it. */
	cairo_new_path(cairo);
	for (i = 0; i < n; i++)
		cairo_line_to(cairo, point[i].x, point[i].y);
}

static void line(struct picture *picture, const struct point *point, size_t n, unsigned int colour,
		 double width)
{
	cairo_t *cairo = ((struct png *)picture)->cairo;

	set_colour(cairo, colour);
	cairo_set_line_width(cairo, width);
	path(cairo, point, n);
	cairo_stroke(cairo);
}

static void area(struct picture *picture, const struct point *point, size_t n, unsigned int colour)
{
	cairo_t *cairo = ((struct png *)picture)->cairo;

	set_colour(cairo, colour);
	path(cairo, point, n);
	cairo_fill(cairo);
}

static void text(struct picture *picture, const struct label *label, const char *words)
{
	static const double before[] = { 0, 0.5, 1 };
	cairo_t *cairo = ((struct png *)picture)->cairo;
	cairo_text_extents_t extents;

	cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
			       label->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cairo, label->size);
	cairo_text_extents(cairo, words, &extents);
	set_colour(cairo, label->colour);
	cairo_move_to(cairo, label->x - before[label->align] * extents.x_advance, label->y);
	cairo_show_text(cairo, words);
}

static cairo_status_t give(void *to, const unsigned char *data, unsigned int size)
{
	return fwrite(data, 1, size, to) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static int end(struct picture *picture)
{
	struct png *png = (struct png *)picture;
	cairo_status_t status = cairo_status(png->cairo);

	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_write_to_png_stream(png->surface, give, picture->to);
	cairo_destroy(png->cairo);
	cairo_surface_destroy(png->surface);
	free(png);
	return status == CAIRO_STATUS_SUCCESS ? 0 : status == CAIRO_STATUS_NO_MEMORY ? -ENOMEM :
	       -EIO;
}

__attribute__((visibility("default")))
const struct plot uffdwp_plot = {
	.version = PLOT_VERSION,
	.ops = {
		.begin = begin,
		.box = box,
		.line = line,
		.area = area,
		.text = text,
		.end = end,
	},
};
