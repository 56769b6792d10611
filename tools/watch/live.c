// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the live screen shows, and what keys do to it.
 */
#include <string.h>

#include "human.h"
#include "screen/terminal.h"
#include "watch/head.h"
#include "watch/keys.h"
#include "watch/live.h"

#define LINES_LEAST 10		/* of a terminal */

static const struct history *shown_by(const struct live *live)
{
	return live->paused ? &live->held : &live->now;
}

void live_begin(struct live *live)
{
	view_begin(&live->view);
	columns_fit(&live->columns, COLUMNS_LEAST);
	live->width = COLUMNS_LEAST;
}

/* ---- reports */

static void measure_density(struct live *live)
{
	density_fill(&live->density, live->set, &live->opened, shown_by(live)->elapsed,
		     density_parts(live->width));
}

/* Of one that is gone the last stays to be seen. */
static void look_at_opened(struct live *live)
{
	const struct row *row = history_find(shown_by(live), &live->opened);

	live->opened_there = row;
	if (!row)
		return;
	live->opened = *row;
	measure_density(live);
}

/* The rows of the view are those of the history: where that is another one, so is the view. */
static int update(struct live *live, const struct row *chosen)
{
	const int err = view_update(&live->view, shown_by(live), chosen);

	if (live->mode == LIVE_DETAIL || live->behind == LIVE_DETAIL)
		look_at_opened(live);
	return err;
}

int live_report(struct live *live, struct report *report)
{
	const struct row *chosen = view_chosen(&live->view);
	struct row copy;
	int err;

	if (live->paused)
		return history_take(&live->now, report);
	if (chosen)
		copy = *chosen;
	err = history_take(&live->now, report);
	return err ? err : update(live, chosen ? &copy : NULL);
}

/* ---- keys */

static int update_here(struct live *live)
{
	const struct row *chosen = view_chosen(&live->view);
	struct row copy;

	if (!chosen)
		return update(live, NULL);
	copy = *chosen;
	return update(live, &copy);
}

static int toggle_pause(struct live *live)
{
	const struct row *chosen = view_chosen(&live->view);
	struct row copy;
	int err;

	if (chosen)
		copy = *chosen;
	if (!live->paused) {
		err = history_copy(&live->now, &live->held);
		if (err)
			return err;
		live->paused = true;
		return update(live, chosen ? &copy : NULL);
	}
	live->paused = false;
	err = update(live, chosen ? &copy : NULL);
	history_free(&live->held);
	return err;
}

/* One, two, five, ten, and so on: the next that is longer, or shorter. */
static double next_interval(double interval, bool longer)
{
	static const double steps[] = {
		0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600,
	};
	const size_t n = sizeof(steps) / sizeof(steps[0]);
	size_t i;

	if (longer) {
		for (i = 0; i < n; i++)
			if (steps[i] > interval * 1.001)
				return steps[i];
		return interval;
	}
	for (i = n; i; i--)
		if (steps[i - 1] < interval * 0.999)
			return steps[i - 1];
	return interval;
}

static void open_chosen(struct live *live)
{
	const struct row *chosen = view_chosen(&live->view);

	if (!chosen)
		return;
	live->opened = *chosen;
	live->opened_there = true;
	live->mode = LIVE_DETAIL;
	measure_density(live);
}

static void begin_typing(struct live *live)
{
	live->typing = true;
	memcpy(live->filter_before, live->view.filter, sizeof(live->filter_before));
	*live->view.filter = 0;
}

/* What applies wherever one is. */
static int act_anywhere(struct live *live, enum action action)
{
	switch (action) {
	case ACTION_QUIT:
		live->quit = true;
		return 0;
	case ACTION_HELP:
		live->behind = live->mode;
		live->mode = LIVE_HELP;
		return 0;
	case ACTION_SLOWER:
	case ACTION_FASTER:
		live->interval = next_interval(live->interval, action == ACTION_SLOWER);
		return 0;
	case ACTION_PAUSE:
		return toggle_pause(live);
	default:
		return 0;
	}
}

static int sort_by(struct live *live, enum column column, bool reverse)
{
	live->view.sort = column;
	live->view.reverse = reverse;
	return update_here(live);
}

/* The line that is chosen, which all moves go from. */
static void move_in_list(struct live *live, enum action action, unsigned int height)
{
	struct view *view = &live->view;

	switch (action) {
	case ACTION_UP:
		view_move(view, -1);
		break;
	case ACTION_DOWN:
		view_move(view, 1);
		break;
	case ACTION_PAGE_UP:
		view_move(view, -(long)height);
		break;
	case ACTION_PAGE_DOWN:
		view_move(view, height);
		break;
	case ACTION_FIRST:
		view_move(view, -(long)view->n);
		break;
	case ACTION_LAST:
		view_move(view, (long)view->n);
		break;
	default:
		break;
	}
}

static int act_in_list(struct live *live, enum action action)
{
	struct view *view = &live->view;

	switch (action) {
	case ACTION_FILTER:
		begin_typing(live);
		return update_here(live);
	case ACTION_SORT_LEFT:
		return sort_by(live, columns_next(&live->columns, view->sort, -1), false);
	case ACTION_SORT_RIGHT:
		return sort_by(live, columns_next(&live->columns, view->sort, 1), false);
	case ACTION_REVERSE:
		return sort_by(live, view->sort, !view->reverse);
	case ACTION_OPEN:
		open_chosen(live);
		return 0;
	case ACTION_BACK:
		/* Out of what a filter leaves, too. */
		*view->filter = 0;
		return update_here(live);
	default:
		move_in_list(live, action, live->rows);
		return act_anywhere(live, action);
	}
}

/* In UTF-8, as names are. */
static size_t encode(uint32_t code, char *text)
{
	if (code < 0x80) {
		text[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		text[0] = (char)(0xc0 | code >> 6);
		text[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		text[0] = (char)(0xe0 | code >> 12);
		text[1] = (char)(0x80 | (code >> 6 & 0x3f));
		text[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	text[0] = (char)(0xf0 | code >> 18);
	text[1] = (char)(0x80 | (code >> 12 & 0x3f));
	text[2] = (char)(0x80 | (code >> 6 & 0x3f));
	text[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static void append(struct live *live, uint32_t code)
{
	char *filter = live->view.filter;
	const size_t n = strlen(filter);

	if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code > 0x10ffff ||
	    n + 4 >= sizeof(live->view.filter))
		return;
	filter[n + encode(code, filter + n)] = 0;
}

/* The last character. Nothing left to erase: no filter is typed any more. */
static void erase_one(struct live *live)
{
	char *filter = live->view.filter;
	size_t n = strlen(filter);

	if (!n)
		live->typing = false;
	while (n && (filter[--n] & 0xc0) == 0x80)
		;
	filter[n] = 0;
}

/* The list shows at once what matches so far. */
static int type(struct live *live, int key)
{
	switch (key) {
	case KEY_RETURN:
		live->typing = false;
		return 0;
	case KEY_ESCAPE:
		live->typing = false;
		memcpy(live->view.filter, live->filter_before, sizeof(live->filter_before));
		break;
	case KEY_ERASE:
		erase_one(live);
		break;
	case 21: /* Ctrl-U */
		*live->view.filter = 0;
		break;
	default:
		append(live, (uint32_t)key);
	}
	return update_here(live);
}

int live_key(struct live *live, int key)
{
	const enum action action = keys_action(key);

	*live->message = 0;
	if (live->typing)
		return type(live, key);
	switch (live->mode) {
	case LIVE_HELP:
		live->mode = live->behind;
		live->behind = LIVE_LIST;
		return 0;
	case LIVE_DETAIL:
		if (action == ACTION_BACK)
			live->mode = LIVE_LIST;
		return act_anywhere(live, action);
	default:
		return act_in_list(live, action);
	}
}

/* ---- pages */

/* Which rows there are, and which of them are on the screen. */
static void draw_count(const struct live *live, struct page *page)
{
	const struct view *view = &live->view;
	struct text *line = page_line(page);
	const size_t end = view->top + live->rows;
	char filter[4 * sizeof(view->filter)];

	if (view->n)
		text_add(line, STYLE_DIM, "%zu-%zu of %zu line%s", view->top + 1,
			 end < view->n ? end : view->n, view->n, view->n == 1 ? "" : "s");
	else if (shown_by(live)->number)
		text_add(line, STYLE_DIM, *view->filter ? "no name matches" : "no memory matches");
	if (!*view->filter || live->typing)
		return;
	human_clean(view->filter, strlen(view->filter), filter, sizeof(filter));
	text_add(line, STYLE_DIM, ", of names that match ");
	text_add(line, STYLE_BOLD, "%s", filter);
}

static void layout_list(struct live *live, struct page *page)
{
	struct view *view = &live->view;
	size_t i;

	head_layout(live, shown_by(live), page);
	/* This line, the names of columns, and the last line. */
	live->rows = page->height - page->n - 3;
	view_scroll(view, live->rows);
	draw_count(live, page);
	columns_head(&live->columns, view, page_line(page));
	for (i = view->top; i < view->n && i < view->top + live->rows; i++)
		columns_row(&live->columns, &view->row[i], i == view->chosen, page_line(page));
}

static void draw_hints(const struct live *live, struct text *line)
{
	if (live->paused && live->mode != LIVE_LIST)
		text_add(line, STYLE_ALERT, "PAUSED  ");
	if (live->mode == LIVE_LIST)
		text_add(line, STYLE_DIM, "q quit  h help  / filter  <> sort  r reverse  +- interval  space pause  Enter");
	else
		text_add(line, STYLE_DIM, "Esc back  q quit  h help  +- interval  space pause");
}

static int draw_last_line(const struct live *live, struct page *page)
{
	char filter[4 * sizeof(live->view.filter)];
	struct text *line;

	page_skip_to(page, 1);
	line = page_line(page);
	if (live->typing) {
		human_clean(live->view.filter, strlen(live->view.filter), filter, sizeof(filter));
		text_add(line, STYLE_BOLD, "/%s", filter);
		return line->columns < line->width ? (int)line->columns : -1;
	}
	if (*live->message)
		text_add(line, STYLE_ALERT, "%s", live->message);
	else if (live->mode != LIVE_HELP)
		draw_hints(live, line);
	return -1;
}

static void fit(struct live *live, unsigned int width)
{
	if (live->width == width)
		return;
	live->width = width;
	columns_fit(&live->columns, width);
	if ((live->mode == LIVE_DETAIL || live->behind == LIVE_DETAIL) && live->opened_there)
		measure_density(live);
}

int live_layout(struct live *live, struct page *page)
{
	if (page->width < COLUMNS_LEAST || page->height < LINES_LEAST) {
		text_add(page_line(page), STYLE_ALERT, "%ux%u is too small", page->width,
			 page->height);
		text_add(page_line(page), STYLE_PLAIN, "%ux%u is needed", COLUMNS_LEAST,
			 LINES_LEAST);
		text_add(page_line(page), STYLE_PLAIN, "q quits");
		return -1;
	}
	fit(live, page->width);
	if (live->mode == LIVE_HELP)
		keys_help(page);
	else if (live->mode == LIVE_DETAIL)
		detail_layout(page, &live->opened, &live->density, live->opened_there);
	else
		layout_list(live, page);
	return draw_last_line(live, page);
}

void live_free(struct live *live)
{
	history_free(&live->now);
	history_free(&live->held);
	view_free(&live->view);
}
