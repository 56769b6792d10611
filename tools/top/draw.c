// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report on a terminal, as wide as that is.
 */
#include <curses.h>
#include <inttypes.h>
#include <string.h>
#include <wchar.h>

#include "human.h"
#include "top/draw.h"

#define PAGE 4096.0
#define BAR_WIDTH 10
#define BAR TOP_COLUMNS		/* the picture beside the share: nothing to sort by */
#define COLUMNS (TOP_COLUMNS + 1)

/* In the order in which they stand. Where there is no room, those of a high rank go first. */
static const struct column {
	int what;
	const char *heading;
	int width;
	bool left;
	int rank;
} columns[COLUMNS] = {
	{ TOP_PID, "pid", 7, false, 0 },
	{ TOP_USER, "user", 9, true, 5 },
	{ TOP_NAME, "name", 16, true, 1 },
	{ TOP_TRACKED, "tracked", 10, false, 4 },
	{ TOP_WRITTEN, "written", 9, false, 8 },
	{ TOP_RATE, "write rate", 13, false, 0 },
	{ TOP_SHARE, "share", 7, false, 2 },
	{ BAR, "", BAR_WIDTH, true, 10 },
	{ TOP_SET_1, "in 1 s", 10, false, 9 },
	{ TOP_SET_10, "in 10 s", 10, false, 3 },
	{ TOP_SET_60, "in 60 s", 10, false, 7 },
};

#define RANKS 11

/* As wide as all columns up to a rank, with a space before each. */
static int width_of(int rank)
{
	int width = 0;
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (columns[i].rank <= rank)
			width += 1 + columns[i].width;
	return width;
}

static int highest_rank(void)
{
	int rank = RANKS - 1;

	while (rank && width_of(rank) > COLS)
		rank--;
	return rank;
}

bool top_draw_shows(enum top_column column)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (columns[i].what == (int)column)
			return columns[i].rank <= highest_rank();
	return false;
}

/* Two lines above the heading, one below the rows. */
size_t top_draw_lines(void)
{
	return LINES > 4 ? LINES - 4 : 1;
}

/* Bytes of a text that fit into so many columns: ncurses would go on in the next line. */
static int fitting(const char *text, int width)
{
	const char *end = text + strlen(text), *at = text;
	mbstate_t state = { 0 };
	wchar_t character;
	size_t bytes;
	int columns_of;

	while (at < end) {
		bytes = mbrtowc(&character, at, end - at, &state);
		if (bytes == (size_t)-1 || bytes == (size_t)-2 || !bytes)
			break;
		columns_of = wcwidth(character);
		width -= columns_of > 0 ? columns_of : 0;
		if (width < 0)
			break;
		at += bytes;
	}
	return (int)(at - text);
}

static void put(int y, int x, int attributes, const char *text)
{
	if (y >= LINES || x >= COLS)
		return;
	attrset(attributes);
	mvaddnstr(y, x, text, fitting(text, COLS - x));
	attrset(A_NORMAL);
}

static void fill_line(int y, int attributes)
{
	attrset(attributes);
	mvhline(y, 0, ' ', COLS);
	attrset(A_NORMAL);
}

/* What stands in a column of a row; in UTF-8. */
static void format(const struct top_row *row, const struct column *c, bool utf8, char *text,
		   size_t size)
{
	char bytes[16];

	switch (c->what) {
	case TOP_PID:
		snprintf(text, size, "%d", (int)row->pid);
		break;
	case TOP_USER:
		human_tail(row->user, c->width, utf8, text, size);
		break;
	case TOP_NAME:
		human_tail(row->name, c->width, utf8, text, size);
		break;
	case TOP_TRACKED:
		human_bytes(row->tracked * PAGE, text, size);
		break;
	case TOP_WRITTEN:
		snprintf(text, size, "%" PRIu64, row->written);
		break;
	case TOP_RATE:
		human_bytes(top_rate(row), bytes, sizeof(bytes));
		snprintf(text, size, "%s/s", bytes);
		break;
	case TOP_SHARE:
		snprintf(text, size, "%.1f %%", 100 * top_share(row));
		break;
	case BAR:
		human_bar(top_share(row), BAR_WIDTH, utf8, text, size);
		break;
	default:
		human_bytes(row->set[c->what - TOP_SET_1] * PAGE, text, size);
	}
}

static int look_of(const struct top_view *v, const struct top_row *row, int what)
{
	if (row->ended)
		return A_DIM;
	return what == BAR && v->colours ? COLOR_PAIR(1) : A_NORMAL;
}

static void put_cell(int y, int x, const struct column *c, int attributes, const char *text)
{
	const int length = (int)strlen(text);

	put(y, c->left || length > c->width ? x : x + c->width - length, attributes, text);
}

static void draw_row(const struct top_view *v, int y, const struct top_row *row)
{
	const int rank = highest_rank();
	char text[80];
	size_t i;
	int x = 0;

	for (i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (c->rank > rank)
			continue;
		format(row, c, v->utf8, text, sizeof(text));
		put_cell(y, x, c, look_of(v, row, c->what), text);
		x += 1 + c->width;
	}
}

static void draw_heading(const struct top_view *v, int y)
{
	const int rank = highest_rank();
	size_t i;
	int x = 0;

	fill_line(y, A_REVERSE);
	for (i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (c->rank > rank)
			continue;
		put_cell(y, x, c, c->what == (int)v->column ? A_BOLD | A_UNDERLINE : A_REVERSE,
			 c->heading);
		x += 1 + c->width;
	}
}

static void draw_state(const struct top_view *v, const struct top_report *report, int y)
{
	char text[256];

	snprintf(text, sizeof(text), "every %g s, %zu of %zu shown%s%s%s%s%s", *v->interval,
		 report->n, report->processes, v->paused ? ", PAUSED" : "",
		 *v->filter || v->editing ? ", with: " : "", v->filter,
		 report->lost ? ", events were lost" : "",
		 report->set_incomplete ? ", sets are too low" : "");
	put(y, 0, v->paused ? A_BOLD : 0, text);
}

static void draw_foot(const struct top_view *v)
{
	const char *text = v->editing ? "Enter: keep   Esc: all   (type a part of name, user or pid)" :
			   *v->message ? v->message :
			   "q quit  h help  < > sort by  r reverse  + - interval  space pause  / find";

	put(LINES - 1, 0, A_DIM, text);
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"uffdwp top: how much memory processes write",
		"",
		"  tracked     memory in which writes are seen",
		"  written     pages written since the last report, each once",
		"  write rate  bytes in these pages, a second",
		"  share       written pages, of those that are tracked",
		"  in 1, 10, 60 s   written set: memory that was written in that time",
		"",
		"  < >         sort by the column to the left, to the right",
		"  r           the other way round",
		"  + -         longer, shorter interval",
		"  space       pause: processes are still tracked",
		"  /           only processes with a text in name, user or pid; Esc: all",
		"  arrows, PgUp, PgDn, Home, End   scroll",
		"  q           quit: nothing stays protected",
		"",
		"Any key goes back.",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put((int)i, 0, i ? 0 : A_BOLD, lines[i]);
}

static void draw_rows(const struct top_view *v, const struct top_report *report)
{
	const size_t lines = top_draw_lines();
	size_t i;

	for (i = 0; i < lines && v->first + i < report->n; i++)
		draw_row(v, 3 + (int)i, &report->row[v->first + i]);
}

void top_draw(const struct top_view *v, const struct top_report *report)
{
	char text[400];

	erase();
	if (v->help) {
		draw_help();
	} else {
		top_summary(report, text, sizeof(text));
		put(0, 0, A_BOLD, text);
		draw_state(v, report, 1);
		draw_heading(v, 2);
		draw_rows(v, report);
		draw_foot(v);
	}
	move(LINES - 1, COLS - 1);
	refresh();
}
