// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keys do. Knows nothing of terminals.
 */
#include <string.h>

#include "top/view.h"

#define LEAST 0.1
#define MOST 3600

double top_view_next_interval(double interval, int step)
{
	static const double steps[] = {
		0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600,
	};
	const size_t n = sizeof(steps) / sizeof(steps[0]);
	size_t i;

	if (step > 0) {
		for (i = 0; i < n; i++)
			if (steps[i] > interval * 1.001)
				return steps[i];
		return interval > MOST ? interval : MOST;
	}
	for (i = n; i; i--)
		if (steps[i - 1] < interval * 0.999)
			return steps[i - 1];
	return interval < LEAST ? interval : LEAST;
}

/* The next column to the left or right that is on the screen. */
static void move_column(struct top_view *v, int step, bool (*shown)(enum top_column column))
{
	int column = v->column;

	do
		column += step;
	while (column >= 0 && column < TOP_COLUMNS && !shown(column));
	if (column >= 0 && column < TOP_COLUMNS)
		v->column = column;
	v->first = 0;
}

static void scroll(struct top_view *v, long by, size_t rows, size_t lines)
{
	const long last = rows > lines ? (long)(rows - lines) : 0;
	long first = (long)v->first + by;

	v->first = first < 0 ? 0 : first > last ? last : first;
}

static bool scrolls(struct top_view *v, int key, size_t rows, size_t lines)
{
	switch (key) {
	case TOP_KEY_UP:
		scroll(v, -1, rows, lines);
		return true;
	case TOP_KEY_DOWN:
		scroll(v, 1, rows, lines);
		return true;
	case TOP_KEY_PAGE_UP:
		scroll(v, -(long)lines, rows, lines);
		return true;
	case TOP_KEY_PAGE_DOWN:
		scroll(v, lines, rows, lines);
		return true;
	case TOP_KEY_HOME:
		v->first = 0;
		return true;
	case TOP_KEY_END:
		scroll(v, rows, rows, lines);
		return true;
	default:
		return false;
	}
}

/* A character of UTF-8 is taken, and given back, as a whole. */
static void shorten(char *text)
{
	size_t length = strlen(text);

	while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	if (length)
		length--;
	text[length] = 0;
}

static void edit(struct top_view *v, int key)
{
	const size_t length = strlen(v->filter);

	v->first = 0;
	switch (key) {
	case TOP_KEY_ENTER:
		v->editing = false;
		break;
	case TOP_KEY_ESCAPE:
		v->editing = false;
		*v->filter = 0;
		break;
	case TOP_KEY_BACKSPACE:
		shorten(v->filter);
		break;
	default:
		if (key < ' ' || key == 0x7f || key > 0xff || length + 1 >= sizeof(v->filter))
			break;
		v->filter[length] = (char)key;
		v->filter[length + 1] = 0;
	}
}

bool top_view_take_key(struct top_view *v, int key, size_t rows, size_t lines,
		       bool (*shown)(enum top_column column))
{
	if (v->editing) {
		edit(v, key);
		return true;
	}
	if (v->help && key != 'q') {
		v->help = false;
		return true;
	}
	if (scrolls(v, key, rows, lines))
		return true;
	switch (key) {
	case 'q':
		return false;
	case 'h':
	case '?':
		v->help = true;
		break;
	case '<':
		move_column(v, -1, shown);
		break;
	case '>':
		move_column(v, 1, shown);
		break;
	case 'r':
		v->reverse = !v->reverse;
		v->first = 0;
		break;
	case '+':
		*v->interval = top_view_next_interval(*v->interval, 1);
		break;
	case '-':
		*v->interval = top_view_next_interval(*v->interval, -1);
		break;
	case ' ':
		v->paused = !v->paused;
		break;
	case '/':
		v->editing = true;
		*v->filter = 0;
		break;
	case TOP_KEY_ESCAPE:
		*v->filter = 0;
		break;
	}
	return true;
}

void top_view_arrange(struct top_view *v, struct top_report *report, size_t lines)
{
	if (*v->filter)
		top_filter(report, v->filter);
	top_sort(report, v->column, v->reverse);
	scroll(v, 0, report->n, lines);
}
