// SPDX-License-Identifier: GPL-2.0-only
/*
 * One mapping on the whole screen: where in it, and when, it was written.
 */
#include <inttypes.h>
#include <stdio.h>

#include "human.h"
#include "watch/columns.h"
#include "watch/detail.h"

#define PAGE 4096
#define LABEL 6			/* columns before a picture */
#define CHART_MOST 8		/* lines */

unsigned int density_parts(unsigned int width)
{
	if (width > TEXT_COLUMNS)
		width = TEXT_COLUMNS;
	return width > LABEL + 1 ? width - LABEL - 1 : 1;
}

void density_fill(struct density *density, const struct written_set *set, const struct row *row,
		  double time, unsigned int parts)
{
	const uint64_t pages = (row->line.end - row->line.start) / PAGE;
	uint64_t from = 0, to, count[WRITTEN_SET_WINDOWS];
	unsigned int i, window;

	density->parts = 0;
	if (row->kind != ROW_MAPPING || row->line.ranges > 1 || !pages)
		return;
	if (parts > pages)
		parts = (unsigned int)pages;
	for (i = 0; i < parts; i++) {
		/* No product of the two is too large for a double to be right about a page. */
		to = i + 1 == parts ? pages : (uint64_t)((double)pages * (i + 1) / parts);
		written_set_count(set, row->pid, row->line.start + from * PAGE,
				  row->line.start + to * PAGE, time, count);
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			density->share[window][i] =
				to > from ? (float)((double)count[window] / (to - from)) : 0;
		from = to;
	}
	density->parts = parts;
	density->pages = (double)pages / parts;
}

static void say_what(struct page *page, const struct row *row, bool there)
{
	struct text *line = page_line(page);
	char fate[32];

	if (row->kind == ROW_MAPPING)
		text_add(line, STYLE_BOLD, "process %d: %s", (int)row->pid, row->name);
	else if (row->kind == ROW_PROCESS)
		text_add(line, STYLE_BOLD, "process %d: %s, all of it", (int)row->pid, row->name);
	else if (row->kind == ROW_GONE)
		text_add(line, STYLE_BOLD, "process %d: memory that was unmapped", (int)row->pid);
	else
		text_add(line, STYLE_BOLD, "mappings that have no line of their own");
	columns_fate(row, fate, sizeof(fate));
	if (*fate)
		text_add(line, STYLE_ALERT, "  %s", fate);
	else if (!there)
		text_add(line, STYLE_ALERT, "  is not there any more; this is the last of it");
}

static void say_where(struct page *page, const struct row *row)
{
	struct text *line = page_line(page);
	char bytes[16];

	human_bytes((double)row->line.tracked * PAGE, bytes, sizeof(bytes));
	if (row->line.ranges > 1)
		text_add(line, STYLE_PLAIN, "%" PRIu64 " ranges, ", row->line.ranges);
	else if (row->kind == ROW_MAPPING)
		text_add(line, STYLE_PLAIN, "%" PRIx64 "-%" PRIx64 ", ", row->line.start,
			 row->line.end);
	text_add(line, STYLE_PLAIN, "%" PRIu64 " pages tracked, %s", row->line.tracked, bytes);
}

static void say_how_much(struct page *page, const struct row *row)
{
	struct text *line = page_line(page);
	char rate[16], bytes[16];
	unsigned int i;

	human_bytes(row->rate, rate, sizeof(rate));
	text_add(line, STYLE_PLAIN, "last interval  %" PRIu64 " pages, %.1f %%, %s/s",
		 row->line.written, 100 * report_share(&row->line), rate);
	if (row->line.added)
		text_add(line, STYLE_PLAIN, ", +%" PRIu64 " new", row->line.added);
	line = page_line(page);
	text_add(line, STYLE_PLAIN, "written set  ");
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		human_bytes((double)row->line.set[i] * PAGE, bytes, sizeof(bytes));
		text_add(line, STYLE_PLAIN, "  %s in %u s", bytes, written_set_seconds[i]);
	}
}

static void draw_density(struct page *page, const struct row *row, const struct density *d)
{
	char picture[3 * TEXT_COLUMNS + 1], address[24];
	struct text *line;
	unsigned int i;

	page_line(page);
	if (row->kind == ROW_MAPPING && row->line.ranges > 1)
		text_add(page_line(page), STYLE_DIM, "Where in it: without -g, each mapping has a line.");
	if (!d->parts)
		return;
	text_add(page_line(page), STYLE_BOLD, "Where: share of pages written, %.*f page%s a column",
		 d->pages == (unsigned int)d->pages ? 0 : 1, d->pages, d->pages == 1 ? "" : "s");
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		line = page_line(page);
		text_add(line, STYLE_PLAIN, "%3u s ", written_set_seconds[i]);
		spark_shares(d->share[i], d->parts, line->utf8, picture, sizeof(picture));
		text_left(line, STYLE_BAR, d->parts, picture);
		text_add(line, STYLE_DIM, "%s", line->utf8 ? "\xe2\x94\x82" : "|");
	}
	line = page_line(page);
	text_skip_to(line, STYLE_DIM, LABEL);
	text_add(line, STYLE_DIM, "%" PRIx64, row->line.start);
	snprintf(address, sizeof(address), "%" PRIx64, row->line.end);
	if (d->parts > 2 * sizeof(address)) {
		text_skip_to(line, STYLE_DIM, LABEL + d->parts - human_columns(address, false));
		text_add(line, STYLE_DIM, "%s", address);
	}
}

static void draw_chart(struct page *page, const struct row *row, unsigned int left)
{
	char picture[3 * SPARK_VALUES + 1], most[16];
	unsigned int width = page->width - LABEL, rows, i;
	struct text *line;

	if (page->n + left + 3 > page->height)
		return;
	if (width > SPARK_VALUES)
		width = SPARK_VALUES;
	rows = page->height - page->n - left - 2;
	if (rows > CHART_MOST)
		rows = CHART_MOST;
	human_short_bytes(spark_most(&row->rates, width), most, sizeof(most));
	page_line(page);
	text_add(page_line(page), STYLE_BOLD, "When: write rate in the last %u intervals, up to %s/s",
		 row->rates.n < width ? row->rates.n : width, most);
	for (i = 0; i < rows; i++) {
		line = page_line(page);
		text_left(line, STYLE_DIM, LABEL, i ? "" : most);
		spark_line(&row->rates, width, rows, i, line->utf8, picture, sizeof(picture));
		text_left(line, STYLE_BAR, width, picture);
	}
}

void detail_layout(struct page *page, const struct row *row, const struct density *density,
		   bool there)
{
	say_what(page, row, there);
	say_where(page, row);
	page_line(page);
	say_how_much(page, row);
	draw_density(page, row, density);
	draw_chart(page, row, 1);
}
