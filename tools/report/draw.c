// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pictures have in common: title, axis of time, curves.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "report/draw.h"
#include "report/words.h"

#define MOST_TICKS 9
#define TITLE_WIDTH 100

void draw_label(struct picture *p, double x, double y, double size, enum align align,
		unsigned int colour, const char *text)
{
	const struct label label = {
		.x = x, .y = y, .size = size, .align = align, .colour = colour,
	};

	p->ops->text(p, &label, text);
}

void draw_title(struct picture *p, const struct model *m, const char *what)
{
	const struct label big = { .x = 16, .y = 26, .size = 17, .colour = DRAW_INK, .bold = 1 };
	char length[WORDS], date[WORDS], note[WORDS], text[4 * WORDS], name[4 * TITLE_WIDTH];

	p->ops->text(p, &big, what);
	words_length(m->end - m->begin, length);
	words_date(m->header->began, date);
	model_note(m, note, sizeof(note));
	human_tail(m->header->what, TITLE_WIDTH - 1, true, name, sizeof(name));
	name[strcspn(name, " ") ? strlen(name) : 0] = 0;
	if (strlen(m->header->what) < TITLE_WIDTH)
		snprintf(name, sizeof(name), "%s", m->header->what);
	snprintf(text, sizeof(text), "%s \u2014 %s, recorded %s", name, length, date);
	draw_label(p, 16, 46, 12, ALIGN_LEFT, DRAW_GREY, text);
	if (*note) {
		snprintf(text, sizeof(text), "note: %s", note);
		draw_label(p, DRAW_WIDTH - DRAW_RIGHT, 26, 11, ALIGN_RIGHT, 0xb03a00, text);
	}
}

static double x_of(const struct model *m, double time)
{
	return DRAW_LEFT + DRAW_PLOT * (time - m->begin) / (m->end - m->begin);
}

void draw_times(struct picture *p, const struct model *m, double top, double y)
{
	const double step = words_time_step((m->end - m->begin) / MOST_TICKS);
	double tick = ceil(m->begin / step - 1e-6) * step;
	char text[WORDS];

	for (; tick <= m->end + step * 1e-6; tick += step) {
		const struct point line[] = { { x_of(m, tick), top }, { x_of(m, tick), y + 5 } };

		p->ops->line(p, line, 2, DRAW_GRID, 1);
		words_tick(tick, m->end, text);
		if (line->x > DRAW_LEFT + DRAW_PLOT - 12)
			draw_label(p, DRAW_WIDTH - 4, y + 18, 11, ALIGN_RIGHT, DRAW_INK, text);
		else
			draw_label(p, line->x, y + 18, 11, ALIGN_MIDDLE, DRAW_INK, text);
	}
	draw_label(p, DRAW_LEFT + DRAW_PLOT / 2, y + 35, 11, ALIGN_MIDDLE, DRAW_GREY,
		   m->end < 120 ? "time since recording began (seconds)" :
		   m->end < 3600 ? "time since recording began (minutes:seconds)" :
		   "time since recording began (hours:minutes:seconds)");
}

/* ---- curves */

static double highest(const struct model *m, const struct curve *curve, size_t n)
{
	double most = 0;
	size_t i, column;

	for (i = 0; i < n; i++)
		for (column = 0; column < m->columns; column++)
			most = fmax(most, curve[i].value(m, column, curve[i].which));
	return most;
}

/* A distance of ticks in bytes that has a short name: 1, 2, 4, ... of a unit */
static double byte_step(double least)
{
	double step = 1;

	while (step < least)
		step *= 2;
	return step;
}

static void scale(struct picture *p, double most, double top, double bottom, const char *per)
{
	const double bytes = most * MODEL_PAGE;
	const double step = byte_step(bytes / 3);
	double tick;

	for (tick = 0; tick <= bytes; tick += step) {
		const double y = bottom - (bottom - top) * tick / bytes;
		const struct point line[] = {
			{ DRAW_LEFT, y }, { DRAW_WIDTH - DRAW_RIGHT, y },
		};
		char amount[WORDS], text[WORDS + 8];

		p->ops->line(p, line, 2, DRAW_GRID, 1);
		human_bytes(tick, amount, sizeof(amount));
		snprintf(text, sizeof(text), "%s%s", tick > 0 ? amount : "0", tick > 0 ? per : "");
		draw_label(p, DRAW_LEFT - 8, y + 4, 11, ALIGN_RIGHT, DRAW_INK, text);
	}
}

struct plot_area {
	double top;
	double bottom;
	double most;
};

/* The points of columns from @from on that were recorded. Return: the first behind them. */
static size_t run(const struct model *m, const struct curve *curve, size_t from,
		  const struct plot_area *plot, struct point *point, size_t *n)
{
	size_t column = from;

	for (*n = 0; column < m->columns; column++) {
		const double value = curve->value(m, column, curve->which);
		const double y = plot->bottom - (plot->bottom - plot->top) * value / plot->most;

		if (value < 0)
			break;
		point[(*n)++] = (struct point){ x_of(m, model_time(m, column)), y };
		point[(*n)++] = (struct point){ x_of(m, model_time(m, column + 1)), y };
	}
	return column;
}

static void draw_curve(struct picture *p, const struct model *m, const struct curve *curve,
		       const struct plot_area *plot, struct point *point)
{
	size_t column, n;

	for (column = 0; column < m->columns; column++) {
		column = run(m, curve, column, plot, point + 1, &n);
		if (!n)
			continue;
		if (!curve->filled) {
			p->ops->line(p, point + 1, n, curve->colour, 1.8);
			continue;
		}
		point[0] = (struct point){ point[1].x, plot->bottom };
		point[n + 1] = (struct point){ point[n].x, plot->bottom };
		p->ops->area(p, point, n + 2, curve->colour);
	}
}

static void legend(struct picture *p, const struct curve *curve, size_t n, double top)
{
	double x = DRAW_WIDTH - DRAW_RIGHT;
	size_t i;

	for (i = n; i-- > 0;) {
		draw_label(p, x, top - 8, 11, ALIGN_RIGHT, DRAW_INK, curve[i].name);
		x -= 6.4 * strlen(curve[i].name) + 18;
		p->ops->box(p, x, top - 17, 11, 11, curve[i].colour, NULL);
		x -= 14;
	}
}

int draw_curves(struct picture *p, const struct model *m, const struct curve *curve, size_t n,
		double top, double bottom, const char *per)
{
	const struct plot_area plot = {
		.top = top, .bottom = bottom, .most = fmax(highest(m, curve, n) * 1.05, 1),
	};
	struct point *point = calloc(2 * m->columns + 2, sizeof(*point));
	size_t i;

	if (!point)
		return -ENOMEM;
	scale(p, plot.most, top, bottom, per);
	for (i = 0; i < n; i++)
		draw_curve(p, m, &curve[i], &plot, point);
	legend(p, curve, n, top);
	free(point);
	return 0;
}
