// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows in the order that somebody wants to see them in.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "room.h"
#include "watch/view.h"

void view_begin(struct view *view)
{
	*view = (struct view){ .sort = COLUMN_RATE };
}

bool view_matches(const char *filter, const char *name)
{
	if (!*filter)
		return true;
	/* "[heap]" is a name rather than a set of letters. */
	if (strstr(name, filter))
		return true;
	return strpbrk(filter, "*?[") && !fnmatch(filter, name, 0);
}

/* ---- order */

static double number_of(const struct row *row, enum column column)
{
	switch (column) {
	case COLUMN_PAGES:
		return row->line.tracked;
	case COLUMN_WRITTEN:
		return row->line.written;
	case COLUMN_SHARE:
		return report_share(&row->line);
	case COLUMN_RATE:
		return row->rate;
	default:
		return row->line.set[column - COLUMN_SET];
	}
}

static int compare_addresses(const struct row *one, const struct row *other)
{
	return (one->line.start > other->line.start) - (one->line.start < other->line.start);
}

static int compare_values(const struct row *one, const struct row *other, enum column column)
{
	double a, b;

	if (column == COLUMN_ADDRESS)
		return compare_addresses(one, other);
	if (column == COLUMN_NAME)
		return strcmp(one->name, other->name);
	a = number_of(one, column);
	b = number_of(other, column);
	return (a < b) - (a > b);
}

/* By the column, and in an order that stays where that is the same. */
static int compare(const struct view *view, const struct row *one, const struct row *other)
{
	int order = compare_values(one, other, view->sort);

	if (view->reverse)
		order = -order;
	if (!order && one->pid != other->pid)
		order = one->pid < other->pid ? -1 : 1;
	return order ? order : compare_addresses(one, other);
}

/*
 * What belongs to no process is the last. A process comes before its rows, and what is gone of it
 * behind them.
 */
static int compare_view_rows(const void *a, const void *b, void *arg)
{
	const struct view_row *one = a, *other = b;
	const struct row *mine = one->row, *yours = other->row;

	if ((mine->kind == ROW_REST) != (yours->kind == ROW_REST))
		return mine->kind == ROW_REST ? 1 : -1;
	if (one->process && other->process && one->process != other->process)
		return compare(arg, one->process, other->process);
	if (mine->kind != yours->kind)
		return mine->kind < yours->kind ? -1 : 1;
	return compare(arg, mine, yours);
}

/* ---- choice */

static bool is_shown(const struct view *view, const struct view_row *v)
{
	const struct row *row = v->row;

	if (row->kind == ROW_MAPPING)
		return view_matches(view->filter, row->name) ||
		       (v->process && *view->filter &&
			view_matches(view->filter, v->process->name));
	/* Of what is not named nobody knows. A heading is decided on when its rows are known. */
	return row->kind == ROW_PROCESS || !*view->filter;
}

static int add(struct view *view, const struct row *row, const struct row *process)
{
	const struct view_row v = { .row = row, .process = process };
	struct view_row *more;

	if (!is_shown(view, &v))
		return 0;
	more = with_room(view->row, view->n, &view->room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	view->row = more;
	more[view->n++] = v;
	return 0;
}

/* Headings that nothing is under, because of the filter. */
static void drop_empty_processes(struct view *view)
{
	size_t i, n = 0;

	for (i = 0; i < view->n; i++) {
		const struct view_row *next = i + 1 < view->n ? &view->row[i + 1] : NULL;
		const struct row *row = view->row[i].row;

		if (row->kind == ROW_PROCESS && (!next || next->process != row) &&
		    !view_matches(view->filter, row->name))
			continue;
		view->row[n++] = view->row[i];
	}
	view->n = n;
}

static bool is_same(const struct row *one, const struct row *other)
{
	return one->kind == other->kind && one->pid == other->pid &&
	       (one->kind != ROW_MAPPING || (one->line.start == other->line.start &&
					     !strcmp(one->name, other->name)));
}

/* Who has chosen nothing sees the first. */
static void choose_again(struct view *view, const struct history *history,
			 const struct row *chosen)
{
	const struct row *found = chosen && view->moved ? history_find(history, chosen) : NULL;
	size_t i;

	for (i = 0; found && i < view->n; i++) {
		if (is_same(view->row[i].row, found)) {
			view->chosen = i;
			return;
		}
	}
	if (view->chosen >= view->n)
		view->chosen = view->n ? view->n - 1 : 0;
}

int view_update(struct view *view, const struct history *history, const struct row *chosen)
{
	const struct row *process = NULL;
	size_t i;
	int err = 0;

	view->n = 0;
	/* In the history, the heading is the first of its process, too. */
	for (i = 0; i < history->n && !err; i++) {
		const struct row *row = &history->row[i];

		if (row->kind == ROW_PROCESS)
			process = row;
		else if (row->kind == ROW_REST)
			process = NULL;
		err = add(view, row, process);
	}
	if (view->n)
		qsort_r(view->row, view->n, sizeof(*view->row), compare_view_rows, view);
	if (*view->filter)
		drop_empty_processes(view);
	choose_again(view, history, chosen);
	return err;
}

const struct row *view_chosen(const struct view *view)
{
	return view->chosen < view->n ? view->row[view->chosen].row : NULL;
}

void view_move(struct view *view, long by)
{
	const size_t last = view->n ? view->n - 1 : 0;

	if (by < 0)
		view->chosen -= (size_t)-by < view->chosen ? (size_t)-by : view->chosen;
	else
		view->chosen += (size_t)by < last - view->chosen ? (size_t)by :
								   last - view->chosen;
	view->moved = view->chosen;
}

void view_scroll(struct view *view, size_t height)
{
	if (view->chosen < view->top)
		view->top = view->chosen;
	if (height && view->chosen >= view->top + height)
		view->top = view->chosen - height + 1;
	/* No empty lines at the end while there is something above. */
	if (view->top + height > view->n)
		view->top = view->n > height ? view->n - height : 0;
}

void view_free(struct view *view)
{
	free(view->row);
	view->row = NULL;
}
