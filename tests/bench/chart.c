// SPDX-License-Identifier: GPL-2.0-only
/*
 * chart BENCH.JSON FOLDER: draws what tests/bench/ways.c has measured, for each kernel, as
 * FOLDER/tracked-KERNEL and FOLDER/written-KERNEL, .svg and .png: cost against the memory that is
 * tracked, and against the pages that are written. Both axes are logarithmic.
 *
 * The ways are those that the figures name ("title.WAY"), in their order.
 */
#include <cairo-svg.h>
#include <cairo.h>
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH		900.0
#define HEIGHT		520.0
#define LEFT		84.0
#define RIGHT		230.0	/* where the names of the lines are */
#define TOP		76.0
#define BOTTOM		78.0
#define SCALE		2	/* pixels of a PNG for each unit */

#define MAX_POINTS	32
#define MAX_LINES	16

struct point {
	double x, y;
	bool hollow;
};

struct line {
	const char *title;
	size_t which;		/* of the ways: its colour and shape */
	struct point point[MAX_POINTS];
	size_t n;
	double label;		/* where its name stands */
};

/* In powers of ten */
struct axis {
	double low, high;
	double zero;		/* where 0 stands on it */
};

struct chart {
	char title[160];
	const char *subtitle;
	const char *x_title, *y_title;
	const char *note;	/* below, or NULL */
	struct axis x, y;
	/* Ascending; of the x axis */
	double tick[MAX_POINTS];
	char tick_text[MAX_POINTS][16];
	size_t n_ticks;
	struct line line[MAX_LINES];
	size_t n;
};

/* Of Okabe and Ito: told apart by those who see fewer colours, too. The shapes differ, as well. */
static const double colours[][3] = {
	{ 0, 0.447, 0.698 }, { 0.835, 0.369, 0 }, { 0, 0.62, 0.451 }, { 0.8, 0.475, 0.655 },
	{ 0, 0, 0 }, { 0.902, 0.624, 0 }, { 0.337, 0.706, 0.914 },
};

#define COLOURS (sizeof(colours) / sizeof(colours[0]))

static void die(const char *what, const char *why)
{
	fprintf(stderr, "chart: %s: %s\n", what, why);
	exit(1);
}

/* ---- numbers for people */

static void human(double value, char *text, size_t size)
{
	static const char *const units[] = { "", " k", " M", " G", " T" };
	int unit = 0;

	for (; fabs(value) >= 1000 && unit < 4; unit++)
		value /= 1000;
	snprintf(text, size, "%.*f%s", value < 10 && value != floor(value) ? 1 : 0, value,
		 units[unit]);
}

static void bytes(double mib, char *text, size_t size)
{
	if (mib < 1024)
		snprintf(text, size, "%.0f MiB", mib);
	else
		snprintf(text, size, "%.0f GiB", mib / 1024);
}

/* ---- where things stand */

static double place(const struct axis *axis, double value, double from, double to)
{
	const double at = value > 0 ? log10(value) : axis->zero;

	return from + (at - axis->low) / (axis->high - axis->low) * (to - from);
}

static double x_of(const struct chart *c, double value)
{
	return place(&c->x, value, LEFT, WIDTH - RIGHT);
}

static double y_of(const struct chart *c, double value)
{
	return place(&c->y, value, HEIGHT - BOTTOM, TOP);
}

/* ---- drawing */

static void text_at(cairo_t *cr, const char *text, double x, double y, double align)
{
	cairo_text_extents_t size;

	cairo_text_extents(cr, text, &size);
	cairo_move_to(cr, x - align * size.x_advance, y);
	cairo_show_text(cr, text);
}

static void draw_axes(cairo_t *cr, const struct chart *c)
{
	const double left = LEFT, right = WIDTH - RIGHT, low = HEIGHT - BOTTOM;
	cairo_text_extents_t size;
	double at, taken = right + RIGHT;
	char text[32];
	size_t i;
	int power;

	cairo_set_font_size(cr, 12);
	cairo_set_line_width(cr, 1);
	for (power = ceil(c->y.low); power <= c->y.high; power++) {
		at = y_of(c, pow(10, power));
		cairo_set_source_rgb(cr, 0.87, 0.87, 0.87);
		cairo_move_to(cr, left, at);
		cairo_line_to(cr, right, at);
		cairo_stroke(cr);
		human(pow(10, power), text, sizeof(text));
		cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
		text_at(cr, text, left - 8, at + 4, 1);
	}
	/* From the right: what would run into the next one is left out. */
	for (i = c->n_ticks; i-- > 0;) {
		at = x_of(c, c->tick[i]);
		cairo_set_source_rgb(cr, 0.93, 0.93, 0.93);
		cairo_move_to(cr, at, TOP);
		cairo_line_to(cr, at, low);
		cairo_stroke(cr);
		cairo_text_extents(cr, c->tick_text[i], &size);
		if (at + size.x_advance / 2 + 4 > taken)
			continue;
		cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
		text_at(cr, c->tick_text[i], at, low + 18, 0.5);
		taken = at - size.x_advance / 2;
	}
	cairo_set_source_rgb(cr, 0.4, 0.4, 0.4);
	cairo_move_to(cr, left, TOP);
	cairo_line_to(cr, left, low);
	cairo_line_to(cr, right, low);
	cairo_stroke(cr);
	cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
	text_at(cr, c->x_title, (left + right) / 2, low + 40, 0.5);
	if (c->note)
		text_at(cr, c->note, (left + right) / 2, low + 60, 0.5);
	cairo_save(cr);
	cairo_translate(cr, 20, (TOP + low) / 2);
	cairo_rotate(cr, -M_PI / 2);
	text_at(cr, c->y_title, 0, 0, 0.5);
	cairo_restore(cr);
}

static void draw_mark(cairo_t *cr, size_t which, double x, double y, bool hollow)
{
	const double r = 4.5;

	cairo_new_path(cr);
	switch (which % 5) {
	case 0:
		cairo_arc(cr, x, y, r, 0, 2 * M_PI);
		break;
	case 1:
		cairo_rectangle(cr, x - r + 0.5, y - r + 0.5, 2 * r - 1, 2 * r - 1);
		break;
	case 2:
		cairo_move_to(cr, x, y - r - 1);
		cairo_line_to(cr, x + r + 1, y + r - 1);
		cairo_line_to(cr, x - r - 1, y + r - 1);
		break;
	case 3:
		cairo_move_to(cr, x, y - r - 1);
		cairo_line_to(cr, x + r + 1, y);
		cairo_line_to(cr, x, y + r + 1);
		cairo_line_to(cr, x - r - 1, y);
		break;
	default:
		cairo_move_to(cr, x, y + r + 1);
		cairo_line_to(cr, x + r + 1, y - r + 1);
		cairo_line_to(cr, x - r - 1, y - r + 1);
	}
	cairo_close_path(cr);
	if (!hollow) {
		cairo_fill(cr);
		return;
	}
	cairo_save(cr);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_fill_preserve(cr);
	cairo_restore(cr);
	cairo_set_line_width(cr, 1.5);
	cairo_stroke(cr);
}

/* The name of a line, and a thin dotted one to where it belongs. */
static void draw_label(cairo_t *cr, const struct chart *c, const struct line *line)
{
	static const double dots[] = { 1, 3 };
	const struct point *p = &line->point[line->n - 1];

	cairo_set_line_width(cr, 0.8);
	cairo_set_dash(cr, dots, 2, 0);
	cairo_move_to(cr, x_of(c, p->x) + 8, y_of(c, p->y));
	cairo_line_to(cr, WIDTH - RIGHT + 18, line->label);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
	draw_mark(cr, line->which, WIDTH - RIGHT + 24, line->label, false);
	text_at(cr, line->title, WIDTH - RIGHT + 34, line->label + 4, 0);
}

/* What is measured on another kind of memory is not joined. */
static void draw_line(cairo_t *cr, const struct chart *c, const struct line *line)
{
	static const double dashes[] = { 5, 3 };
	const double *colour = colours[line->which % COLOURS];
	const struct point *p = line->point;
	size_t i;

	cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
	for (i = 1; i < line->n; i++) {
		if (p[i].hollow != p[i - 1].hollow)
			continue;
		cairo_set_line_width(cr, line->which ? 1.8 : 3);
		cairo_set_dash(cr, dashes, p[i].hollow ? 2 : 0, 0);
		cairo_move_to(cr, x_of(c, p[i - 1].x), y_of(c, p[i - 1].y));
		cairo_line_to(cr, x_of(c, p[i].x), y_of(c, p[i].y));
		cairo_stroke(cr);
	}
	cairo_set_dash(cr, NULL, 0, 0);
	for (i = 0; i < line->n; i++)
		draw_mark(cr, line->which, x_of(c, p[i].x), y_of(c, p[i].y), p[i].hollow);
	draw_label(cr, c, line);
}

static void draw(cairo_t *cr, const struct chart *c)
{
	size_t i;

	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
	cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
			       CAIRO_FONT_WEIGHT_BOLD);
	cairo_set_font_size(cr, 16);
	text_at(cr, c->title, 20, 30, 0);
	cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
			       CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, 12);
	text_at(cr, c->subtitle, 20, 50, 0);
	draw_axes(cr, c);
	/* This module is the first, and on top of the others. */
	for (i = c->n; i-- > 0;)
		draw_line(cr, c, &c->line[i]);
}

/* ---- names of lines that do not cover each other */

static int by_label(const void *a, const void *b)
{
	const struct line *x = *(struct line *const *)a, *y = *(struct line *const *)b;

	return (x->label > y->label) - (x->label < y->label);
}

static void spread_labels(struct chart *c)
{
	const double apart = 19, low = HEIGHT - BOTTOM;
	struct line *sorted[MAX_LINES];
	double most;
	size_t i;

	for (i = 0; i < c->n; i++) {
		sorted[i] = &c->line[i];
		c->line[i].label = y_of(c, c->line[i].point[c->line[i].n - 1].y);
	}
	qsort(sorted, c->n, sizeof(sorted[0]), by_label);
	for (i = 1; i < c->n; i++)
		if (sorted[i]->label < sorted[i - 1]->label + apart)
			sorted[i]->label = sorted[i - 1]->label + apart;
	for (i = c->n, most = low; i-- > 0; most = sorted[i]->label - apart)
		if (sorted[i]->label > most)
			sorted[i]->label = most;
}

/* ---- files */

struct text {
	char *data;
	size_t len;
};

static cairo_status_t append(void *to, const unsigned char *data, unsigned int len)
{
	struct text *text = to;

	text->data = realloc(text->data, text->len + len);
	if (!text->data)
		return CAIRO_STATUS_NO_MEMORY;
	memcpy(text->data + text->len, data, len);
	text->len += len;
	return CAIRO_STATUS_SUCCESS;
}

/* With the licence in its second line. */
static void write_svg(const char *path, const struct text *svg)
{
	const char *second = memchr(svg->data, '\n', svg->len);
	FILE *file = fopen(path, "we");

	if (!file || !second)
		die(path, strerror(errno));
	fwrite(svg->data, 1, second + 1 - svg->data, file);
	fprintf(file, "<!-- SPDX-License-Identifier: GPL-2.0-only -->\n");
	fwrite(second + 1, 1, svg->data + svg->len - second - 1, file);
	if (ferror(file) || fclose(file))
		die(path, strerror(errno));
}

static void draw_files(struct chart *c, const char *folder, const char *name, const char *kernel)
{
	cairo_surface_t *surface;
	struct text svg = { 0 };
	char path[4096];
	cairo_t *cr;

	spread_labels(c);
	surface = cairo_svg_surface_create_for_stream(append, &svg, WIDTH, HEIGHT);
	cr = cairo_create(surface);
	draw(cr, c);
	cairo_destroy(cr);
	cairo_surface_finish(surface);
	if (cairo_surface_status(surface))
		die(name, cairo_status_to_string(cairo_surface_status(surface)));
	cairo_surface_destroy(surface);
	snprintf(path, sizeof(path), "%s/%s-%s.svg", folder, name, kernel);
	write_svg(path, &svg);
	free(svg.data);

	surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH * SCALE, HEIGHT * SCALE);
	cr = cairo_create(surface);
	cairo_scale(cr, SCALE, SCALE);
	draw(cr, c);
	cairo_destroy(cr);
	snprintf(path, sizeof(path), "%s/%s-%s.png", folder, name, kernel);
	if (cairo_surface_write_to_png(surface, path))
		die(path, cairo_status_to_string(cairo_surface_status(surface)));
	cairo_surface_destroy(surface);
}

/* ---- what is measured */

static int by_x(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	return (x->x > y->x) - (x->x < y->x);
}

/* Of one way: figures "BEFORE<x>BEHIND<way>" */
static void take_line(struct chart *c, struct json_object *figures, const char *way,
		      const char *title, const char *before, const char *behind)
{
	struct line *line = &c->line[c->n];
	double x;
	char *rest;

	line->title = title;
	line->n = 0;
	json_object_object_foreach(figures, key, value) {
		if (strncmp(key, before, strlen(before)) || line->n == MAX_POINTS ||
		    json_object_get_type(value) == json_type_string)
			continue;
		x = strtoul(key + strlen(before), &rest, 10);
		if (strncmp(rest, behind, strlen(behind)) || strcmp(rest + strlen(behind), way))
			continue;
		line->point[line->n++] = (struct point){ x, json_object_get_double(value), false };
	}
	qsort(line->point, line->n, sizeof(line->point[0]), by_x);
	if (line->n)
		c->n++;
}

static void take_lines(struct chart *c, struct json_object *figures, const char *before,
		       const char *behind)
{
	double low = INFINITY, high = 0;
	size_t i, j, which = 0;

	json_object_object_foreach(figures, key, value)
		if (!strncmp(key, "title.", 6) && c->n < MAX_LINES) {
			c->line[c->n].which = which++;
			take_line(c, figures, key + 6, json_object_get_string(value),
				  before, behind);
		}
	for (i = 0; i < c->n; i++)
		for (j = 0; j < c->line[i].n; j++) {
			low = fmin(low, c->line[i].point[j].y);
			high = fmax(high, c->line[i].point[j].y);
		}
	if (!c->n)
		die(before, "no such figures");
	c->y.low = floor(log10(low) * 2) / 2;
	c->y.high = ceil(log10(high) * 2) / 2;
}

/* A tick of the x axis for each x of the first line, which has all that the others have. */
static void take_ticks(struct chart *c, void (*say)(double, char *, size_t))
{
	for (; c->n_ticks < c->line[0].n; c->n_ticks++) {
		const double x = c->line[0].point[c->n_ticks].x;

		c->tick[c->n_ticks] = x;
		say(x, c->tick_text[c->n_ticks], sizeof(c->tick_text[0]));
	}
}

static void chart_tracked(struct json_object *figures, const char *kernel, const char *folder)
{
	static struct chart c;
	size_t i, j;

	c = (struct chart){
		.subtitle = "to tell which pages were written, and begin anew, when 64 were",
		.x_title = "memory that is tracked",
		.y_title = "instructions of one scan with reset",
		.note = "filled: all of it is populated with small pages; hollow: never touched, but for the 64 pages",
	};
	snprintf(c.title, sizeof(c.title), "Linux %s: cost of a scan against memory tracked",
		 kernel);
	take_lines(&c, figures, "tracked.", "MiB.scan.");
	for (i = 0; i < c.n; i++)
		for (j = 0; j < c.line[i].n; j++)
			c.line[i].point[j].hollow = c.line[i].point[j].x > 1024;
	c.x.low = -0.1;
	c.x.high = log10(65536) + 0.1;
	take_ticks(&c, bytes);
	draw_files(&c, folder, "tracked", kernel);
}

static void chart_written(struct json_object *figures, const char *kernel, const char *folder)
{
	static struct chart c;

	c = (struct chart){
		.subtitle = "1 GiB is tracked: 262144 small pages, all populated",
		.x_title = "pages written in the interval",
		.y_title = "instructions: the writes, and a scan with reset",
		.x = { .low = 0.2, .high = 5.6, .zero = 0.4 },
		.note = "both axes are logarithmic, but for 0",
	};
	snprintf(c.title, sizeof(c.title), "Linux %s: cost of an interval against pages written",
		 kernel);
	take_lines(&c, figures, "written.", ".all.");
	take_ticks(&c, human);
	draw_files(&c, folder, "written", kernel);
}

int main(int argc, char **argv)
{
	struct json_object *all;

	if (argc != 3)
		die("usage", "chart BENCH.JSON FOLDER");
	all = json_object_from_file(argv[1]);
	if (!all)
		die(argv[1], json_util_get_last_err());
	json_object_object_foreach(all, kernel, figures) {
		chart_tracked(figures, kernel, argv[2]);
		chart_written(figures, kernel, argv[2]);
	}
	json_object_put(all);
	return 0;
}
