// SPDX-License-Identifier: GPL-2.0-only
/*
 * The columns of the live screen: which of them fit, and what is in them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "human.h"
#include "watch/columns.h"

#define ADDRESS_WIDTH 12	/* its start, or both ends */
#define RANGE_WIDTH 25
#define SHARE_WIDTH 5		/* the number; the bar is behind it */
#define BAR_MOST 8
#define HISTORY_MOST 24
#define NAME_MOST 40

/* At 80 columns, all are there; the smallest are 1 wider than what is in them, for the mark. */
static const struct {
	const char *title;
	unsigned int width;
	bool left;
} all[COLUMNS_ALL] = {
	[COLUMN_ADDRESS] = { "ADDRESS", ADDRESS_WIDTH, true },
	[COLUMN_NAME] = { "NAME", 11, true },
	[COLUMN_PAGES] = { "PAGES", 6, false },
	[COLUMN_WRITTEN] = { "WRITTEN", 8, false },
	[COLUMN_SHARE] = { "SHARE", SHARE_WIDTH + 1 + 3, true },
	[COLUMN_RATE] = { "RATE/s", 7, false },
	[COLUMN_SET] = { "1s", 4, false },
	[COLUMN_SET + 1] = { "10s", 4, false },
	[COLUMN_SET + 2] = { "60s", 4, false },
	[COLUMN_HISTORY] = { "LATELY", 6, true },
};

/* What a terminal of less than 80 columns can do best without. */
static const enum column first_to_go[] = {
	COLUMN_HISTORY, COLUMN_SET + 1, COLUMN_PAGES, COLUMN_SET,
};

static unsigned int sum(const struct columns *columns)
{
	unsigned int i, width = 0;

	for (i = 0; i < COLUMNS_ALL; i++)
		width += columns->width[i] ? columns->width[i] + 1 : 0;
	return width - 1;
}

/* At most so much more for one of them. Return: what is left. */
static unsigned int widen(unsigned int *width, unsigned int most, unsigned int left)
{
	const unsigned int more = most - *width < left ? most - *width : left;

	*width += more;
	return left - more;
}

void columns_fit(struct columns *columns, unsigned int width)
{
	unsigned int i, left;

	for (i = 0; i < COLUMNS_ALL; i++)
		columns->width[i] = all[i].width;
	for (i = 0; i < sizeof(first_to_go) / sizeof(first_to_go[0]); i++)
		if (sum(columns) > width)
			columns->width[first_to_go[i]] = 0;
	left = width > sum(columns) ? width - sum(columns) : 0;
	left = widen(&columns->width[COLUMN_NAME], 18, left);
	/* All of it, or nothing. */
	if (left >= RANGE_WIDTH - ADDRESS_WIDTH)
		left = widen(&columns->width[COLUMN_ADDRESS], RANGE_WIDTH, left);
	left = widen(&columns->width[COLUMN_SHARE], SHARE_WIDTH + 1 + BAR_MOST, left);
	if (columns->width[COLUMN_HISTORY])
		left = widen(&columns->width[COLUMN_HISTORY], HISTORY_MOST, left);
	widen(&columns->width[COLUMN_NAME], NAME_MOST, left);
}

enum column columns_next(const struct columns *columns, enum column from, int direction)
{
	int to = from;

	do
		to = (to + COLUMNS_SORTED + direction) % COLUMNS_SORTED;
	while (!columns->width[to] && to != (int)from);
	return to;
}

/* ---- the head */

/* Numbers have the most at the top, names and addresses the first. */
static bool is_downwards(const struct view *view)
{
	const bool by_number = view->sort != COLUMN_ADDRESS && view->sort != COLUMN_NAME;

	return by_number != view->reverse;
}

static void head_one(const struct columns *columns, const struct view *view, enum column i,
		     struct text *text)
{
	const char *mark = !text->utf8 ? (is_downwards(view) ? "v" : "^") :
			   is_downwards(view) ? "\xe2\x96\xbc" : "\xe2\x96\xb2";
	const enum style style = i == view->sort ? STYLE_SORTED : STYLE_HEAD;
	const char *name = i == COLUMN_ADDRESS && columns->width[i] == RANGE_WIDTH ?
			   "ADDRESS RANGE" : all[i].title;
	char title[32];

	snprintf(title, sizeof(title), "%s%s", name, i == view->sort ? mark : "");
	if (all[i].left)
		text_left(text, style, columns->width[i], title);
	else
		text_right(text, style, columns->width[i], title);
}

void columns_head(const struct columns *columns, const struct view *view, struct text *text)
{
	unsigned int i;

	for (i = 0; i < COLUMNS_ALL; i++) {
		if (!columns->width[i])
			continue;
		if (text->columns)
			text_add(text, STYLE_HEAD, " ");
		head_one(columns, view, i, text);
	}
	text_skip_to(text, STYLE_HEAD, text->width);
}

/* ---- rows */

void columns_fate(const struct row *process, char *text, size_t size)
{
	*text = 0;
	if (process->ended && WIFSIGNALED(process->status))
		snprintf(text, size, "ended, signal %d", WTERMSIG(process->status));
	else if (process->ended)
		snprintf(text, size, "ended, status %d", WEXITSTATUS(process->status));
}

static void print_place(const struct row *row, unsigned int width, char *text, size_t size)
{
	const struct report_line *line = &row->line;

	if (row->kind == ROW_PROCESS)
		snprintf(text, size, width < RANGE_WIDTH ? "pid %d" : "process %d", (int)row->pid);
	else if (row->kind == ROW_GONE)
		snprintf(text, size, width < RANGE_WIDTH ? "unmapped" : "no longer mapped");
	else if (row->kind == ROW_REST)
		snprintf(text, size, "%" PRIu64 " more", line->ranges);
	else if (line->ranges > 1)
		snprintf(text, size, "%" PRIu64 " ranges", line->ranges);
	else if (width < RANGE_WIDTH)
		snprintf(text, size, "%" PRIx64, line->start);
	else
		snprintf(text, size, "%" PRIx64 "-%" PRIx64, line->start, line->end);
}

/* Four characters and the sign. */
static void print_share(const struct report_line *line, char *text, size_t size)
{
	const double percent = 100 * report_share(line);

	if (!line->written)
		snprintf(text, size, "0%%");
	else if (percent < 0.05)
		snprintf(text, size, "<0.1%%");
	else
		snprintf(text, size, percent < 99.95 ? "%.1f%%" : "%.0f%%", percent);
}

struct drawing {
	const struct columns *columns;
	struct text *text;
	enum style plain;	/* of what is neither a picture nor worth less than others */
	enum style bar;
};

static void draw_number(const struct drawing *d, enum column i, const char *text)
{
	text_right(d->text, d->plain, d->columns->width[i], text);
}

static void draw_share(const struct drawing *d, const struct row *row)
{
	const unsigned int width = d->columns->width[COLUMN_SHARE] - SHARE_WIDTH - 1;
	char share[16], bar[3 * BAR_MOST + 1];

	print_share(&row->line, share, sizeof(share));
	human_bar(report_share(&row->line), width, d->text->utf8, bar, sizeof(bar));
	text_right(d->text, d->plain, SHARE_WIDTH, share);
	text_add(d->text, d->plain, " ");
	text_left(d->text, d->bar, width, bar);
}

static void draw_history(const struct drawing *d, const struct row *row)
{
	char picture[3 * HISTORY_MOST + 1];
	const unsigned int width = d->columns->width[COLUMN_HISTORY];

	spark_line(&row->rates, width, 1, 0, d->text->utf8, picture, sizeof(picture));
	text_left(d->text, d->bar, width, picture);
}

static void draw_name(const struct drawing *d, const struct row *row, bool indented)
{
	char fate[32], name[sizeof(row->name) + sizeof(fate) + 2];
	unsigned int width = d->columns->width[COLUMN_NAME];

	columns_fate(row, fate, sizeof(fate));
	snprintf(name, sizeof(name), *fate ? "%s %s" : "%s%s", row->name, fate);
	if (indented && width > 2) {
		text_add(d->text, d->plain, " ");
		width--;
	}
	text_tail(d->text, d->plain, width, name);
}

static void draw_column(const struct drawing *d, enum column i, const struct view_row *v)
{
	const struct row *row = v->row;
	char text[40];

	switch (i) {
	case COLUMN_ADDRESS:
		print_place(row, d->columns->width[i], text, sizeof(text));
		text_left(d->text, d->plain, d->columns->width[i], text);
		return;
	case COLUMN_NAME:
		draw_name(d, row, v->process && v->process != row);
		return;
	case COLUMN_PAGES:
		human_short_count(row->line.tracked, text, sizeof(text));
		break;
	case COLUMN_WRITTEN:
		human_short_count(row->line.written, text, sizeof(text));
		break;
	case COLUMN_SHARE:
		draw_share(d, row);
		return;
	case COLUMN_RATE:
		human_short_bytes(row->rate, text, sizeof(text));
		break;
	case COLUMN_HISTORY:
		draw_history(d, row);
		return;
	default:
		human_short_bytes(row->line.set[i - COLUMN_SET] * 4096.0, text, sizeof(text));
	}
	draw_number(d, i, text);
}

static enum style style_of(const struct row *row)
{
	if (row->kind == ROW_PROCESS)
		return STYLE_BOLD;
	return row->line.written ? STYLE_PLAIN : STYLE_DIM;
}

void columns_row(const struct columns *columns, const struct view_row *row, bool chosen,
		 struct text *text)
{
	const struct drawing d = {
		.columns = columns,
		.text = text,
		.plain = chosen ? STYLE_SELECTED : style_of(row->row),
		.bar = chosen ? STYLE_SELECTED : STYLE_BAR,
	};
	unsigned int i;

	for (i = 0; i < COLUMNS_ALL; i++) {
		if (!columns->width[i])
			continue;
		if (text->columns)
			text_add(text, d.plain, " ");
		draw_column(&d, i, row);
	}
	if (chosen)
		text_skip_to(text, STYLE_SELECTED, text->width);
}
