// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heat map as a picture: memory from top to bottom, time from left to right; below it how much
 * was written in all.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "human.h"
#include "report/draw.h"
#include "report/levels.h"
#include "report/words.h"

#define MAP_HEIGHT 560.0	/* of all rows, where they are not too low */
#define ROW_LEAST 2.0
#define ROW_MOST 12.0
#define SEGMENT_LEAST 14.0	/* room for its name */
#define GAP 3.0			/* between two segments */
#define HEADING 20.0		/* the name of a process */
#define SCALE 34.0		/* the scale above the map */
#define STRIP 80.0		/* the curve below it */
#define STRIP_GAP 34.0
#define BELOW 56.0		/* the axis of time */
#define LABEL_CHARACTERS 25

struct map {
	const struct model *m;
	struct picture *p;
	double row;		/* height of one */
};

/* ---- where things stand */

static double segment_height(const struct map *map, const struct segment *s)
{
	return fmax(SEGMENT_LEAST, s->rows * map->row);
}

static bool has_heading(const struct map *map, size_t i)
{
	const struct segment *s = &map->m->axis.segment[i];

	if (map->m->seen.processes + map->m->seen.other_processes < 2)
		return false;
	return !i || s[-1].span.process != s->span.process;
}

static double map_height(const struct map *map)
{
	double height = 0;
	size_t i;

	for (i = 0; i < map->m->axis.n; i++)
		height += segment_height(map, &map->m->axis.segment[i]) + GAP +
			  (has_heading(map, i) ? HEADING : 0);
	return fmax(height, 40);
}

static double x_of(const struct model *m, size_t column)
{
	return DRAW_LEFT + DRAW_PLOT * column / m->columns;
}

/* ---- the scale */

static void draw_scale(struct picture *p)
{
	double x = DRAW_LEFT;
	size_t i;

	draw_label(p, DRAW_LEFT - 8, DRAW_TOP + 13, 11, ALIGN_RIGHT, DRAW_GREY,
		   "pages written in an interval");
	for (i = 0; i < LEVELS; i++) {
		p->ops->box(p, x, DRAW_TOP + 2, 16, 14, levels[i].colour, NULL);
		draw_label(p, x + 20, DRAW_TOP + 13, 11, ALIGN_LEFT, DRAW_INK, levels[i].text);
		x += 86;
	}
	p->ops->box(p, x, DRAW_TOP + 2, 16, 14, LEVEL_UNKNOWN_COLOUR, NULL);
	draw_label(p, x + 20, DRAW_TOP + 13, 11, ALIGN_LEFT, DRAW_INK, "not recorded");
}

/* ---- the map */

/* For who points at it. */
static void tip(const struct map *map, const struct segment *s, size_t row, size_t column,
		size_t behind, char *text, size_t size)
{
	const struct model *m = map->m;
	char from[WORDS], to[WORDS], owner[WORDS], amount[WORDS];
	double written = 0, intervals = 0;
	uint64_t start, end;

	axis_row(s, row, &start, &end);
	words_clock(model_time(m, column), from);
	words_clock(model_time(m, behind), to);
	words_process(m, s->span.process, owner);
	words_pages((double)((end - start) / MODEL_PAGE), amount);
	for (; column < behind; column++) {
		written += m->cell[row * m->columns + column];
		intervals += m->column[column].intervals;
	}
	snprintf(text, size, "%s of %s\n%" PRIx64 "-%" PRIx64 " (%s)\n%s to %s\n%.4g of %" PRIu64 " pages written in an interval",
		 s->span.name, owner, start, end, amount, from, to, written / intervals,
		 (uint64_t)((end - start) / MODEL_PAGE));
}

/* Columns of one level that are side by side are one box. */
static void draw_row(const struct map *map, const struct segment *s, size_t row, double y,
		     double height)
{
	const struct model *m = map->m;
	size_t column, behind, level;
	char text[6 * WORDS];

	for (column = 0; column < m->columns; column = behind) {
		level = level_of(model_share(m, row, column));
		for (behind = column + 1; behind < m->columns &&
					  level_of(model_share(m, row, behind)) == level; behind++)
			;
		if (!level)
			continue;
		tip(map, s, row, column, behind, text, sizeof(text));
		map->p->ops->box(map->p, x_of(m, column), y, x_of(m, behind) - x_of(m, column),
				 height, levels[level].colour, text);
	}
}

static void draw_unknown(const struct map *map, double y, double height)
{
	const struct model *m = map->m;
	size_t column, behind;

	for (column = 0; column < m->columns; column = behind) {
		const bool known = m->column[column].intervals > 0;

		for (behind = column + 1; behind < m->columns &&
					  (m->column[behind].intervals > 0) == known; behind++)
			;
		if (!known)
			map->p->ops->box(map->p, x_of(m, column), y,
					 x_of(m, behind) - x_of(m, column), height,
					 LEVEL_UNKNOWN_COLOUR, "nothing was recorded then");
	}
}

static void draw_names(const struct map *map, const struct segment *s, double y, double height)
{
	char name[4 * LABEL_CHARACTERS + 1], text[WORDS], amount[WORDS];
	size_t len;

	human_tail(s->span.name, LABEL_CHARACTERS, true, name, sizeof(name));
	for (len = strlen(name); len && name[len - 1] == ' '; len--)
		name[len - 1] = 0;
	draw_label(map->p, DRAW_LEFT - 8, y + 11, 11, ALIGN_RIGHT, DRAW_INK, name);
	words_pages((double)((s->span.end - s->span.start) / MODEL_PAGE), amount);
	if (height >= 2 * SEGMENT_LEAST) {
		snprintf(text, sizeof(text), "%.20s from %" PRIx64, amount, s->span.start);
		draw_label(map->p, DRAW_LEFT - 8, y + 24, 9.5, ALIGN_RIGHT, DRAW_GREY, text);
	}
}

static void draw_segment(const struct map *map, const struct segment *s, double y)
{
	const double height = segment_height(map, s), row_height = height / s->rows;
	size_t i;

	map->p->ops->box(map->p, DRAW_LEFT, y, DRAW_PLOT, height, levels[0].colour, NULL);
	for (i = 0; i < s->rows; i++)
		draw_row(map, s, s->row + i, y + i * row_height, row_height);
	draw_unknown(map, y, height);
	draw_names(map, s, y, height);
}

static void draw_map(const struct map *map, double y)
{
	const struct axis *axis = &map->m->axis;
	char text[WORDS];
	size_t i;

	for (i = 0; i < axis->n; i++) {
		if (has_heading(map, i)) {
			words_process(map->m, axis->segment[i].span.process, text);
			draw_label(map->p, 16, y + 14, 11, ALIGN_LEFT, DRAW_GREY, text);
			y += HEADING;
		}
		draw_segment(map, &axis->segment[i], y);
		y += segment_height(map, &axis->segment[i]) + GAP;
	}
}

/* ---- the curve */

static double rate_of(const struct model *m, size_t column, unsigned int which)
{
	const struct column *c = &m->column[column];

	(void)which;
	return c->intervals > 0 ? c->written / c->seconds : -1;
}

static double gone_rate_of(const struct model *m, size_t column, unsigned int which)
{
	const struct column *c = &m->column[column];

	(void)which;
	return c->intervals > 0 ? c->gone / c->seconds : -1;
}

static int draw_strip(const struct map *map, double top)
{
	static const struct curve curves[] = {
		{ "all writes", 0x3a4689, true, rate_of, 0 },
		{ "to memory unmapped since", 0xe69f00, true, gone_rate_of, 0 },
	};

	draw_label(map->p, DRAW_LEFT, top - 8, 11, ALIGN_LEFT, DRAW_GREY,
		   "bytes in pages written a second");
	draw_times(map->p, map->m, top, top + STRIP);
	return draw_curves(map->p, map->m, curves, map->m->gone ? 2 : 1, top, top + STRIP, "/s");
}

static void draw_left_out(const struct map *map, double y)
{
	const struct axis *axis = &map->m->axis;
	char text[WORDS];

	if (!axis->left_out)
		return;
	snprintf(text, sizeof(text), "%zu more range%s no row, with %" PRIu64 " page writes",
		 axis->left_out, axis->left_out == 1 ? " has" : "s have", axis->left_out_written);
	draw_label(map->p, 16, y, 10, ALIGN_LEFT, DRAW_GREY, text);
}

int draw_heatmap(const struct picture_ops *ops, FILE *to, const struct model *m)
{
	struct map map = { .m = m };
	double bottom;
	int err = 0, end;

	map.row = fmin(ROW_MOST, fmax(ROW_LEAST, MAP_HEIGHT / fmax(m->axis.rows, 1)));
	bottom = DRAW_TOP + SCALE + map_height(&map);
	map.p = ops->begin(to, DRAW_WIDTH, bottom + STRIP_GAP + STRIP + BELOW,
			   "which memory was written when");
	if (!map.p)
		return -ENOMEM;
	draw_title(map.p, m, "Which memory was written when");
	if (m->intervals) {
		draw_scale(map.p);
		draw_map(&map, DRAW_TOP + SCALE);
		err = draw_strip(&map, bottom + STRIP_GAP);
		draw_left_out(&map, bottom + STRIP_GAP + STRIP + 35);
	} else {
		draw_label(map.p, DRAW_LEFT, DRAW_TOP + 40, 14, ALIGN_LEFT, DRAW_INK,
			   "Nothing was recorded: there is no interval.");
	}
	end = ops->end(map.p);
	return err ? err : end;
}
