// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first lines of the live screen.
 */
#include <inttypes.h>
#include <stdio.h>

#include "human.h"
#include "watch/head.h"

#define LABEL 13

static void draw_title(const struct live *live, const struct history *shown, struct page *page)
{
	struct text *line = page_line(page);
	char state[64];
	unsigned int width;

	width = (unsigned int)snprintf(state, sizeof(state), "%s%.1f s, every %g s",
				       live->paused ? "PAUSED at " : "", shown->elapsed,
				       live->interval);
	text_add(line, STYLE_BOLD, "uffdwp watch  ");
	text_left(line, STYLE_BOLD,
		  page->width > line->columns + width + 1 ? page->width - line->columns - width - 1
							  : 0,
		  live->title);
	text_add(line, live->paused ? STYLE_ALERT : STYLE_PLAIN, " %s", state);
}

static struct text *begin_line(struct page *page, const char *label)
{
	struct text *line = page_line(page);

	text_left(line, STYLE_DIM, LABEL, label);
	return line;
}

static void draw_rate(const struct history *shown, struct page *page)
{
	const struct report_line *total = &shown->total.line;
	struct text *line = begin_line(page, "written");
	char rate[16], picture[3 * SPARK_VALUES + 1];
	unsigned int width;

	if (!shown->number) {
		text_add(line, STYLE_PLAIN, "the first report is yet to come");
		return;
	}
	human_bytes(shown->total.rate, rate, sizeof(rate));
	text_add(line, STYLE_BOLD, "%s/s", rate);
	text_add(line, STYLE_PLAIN, "  %" PRIu64 " of %" PRIu64 " pages, %.1f %%  ", total->written,
		 total->tracked, 100 * report_share(total));
	width = line->width - line->columns;
	if (width > SPARK_VALUES)
		width = SPARK_VALUES;
	spark_line(&shown->total.rates, width, 1, 0, line->utf8, picture, sizeof(picture));
	text_left(line, STYLE_BAR, width, picture);
}

static void draw_sets(const struct history *shown, struct page *page)
{
	struct text *line = begin_line(page, "written set");
	char bytes[16];
	unsigned int i;

	if (!shown->number)
		return;
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		human_bytes((double)shown->total.line.set[i] * 4096, bytes, sizeof(bytes));
		text_add(line, STYLE_PLAIN, "%s%s in %u s", i ? "   " : "", bytes,
			 written_set_seconds[i]);
	}
	if (shown->sets_incomplete)
		text_add(line, STYLE_ALERT, "   at least: no memory for more");
}

static void draw_skipped(const struct history *shown, struct page *page)
{
	struct text *line = begin_line(page, "not tracked");
	char bytes[16];
	bool any = false;
	int kind;

	for (kind = 0; kind < MAP_KINDS; kind++) {
		if (!shown->skipped_maps[kind])
			continue;
		human_bytes((double)shown->skipped_bytes[kind], bytes, sizeof(bytes));
		text_add(line, STYLE_PLAIN, "%s%s in %" PRIu64 " %s mapping%s", any ? ", " : "",
			 bytes, shown->skipped_maps[kind], map_kind_name(kind),
			 shown->skipped_maps[kind] == 1 ? "" : "s");
		any = true;
	}
	if (!any && shown->number)
		text_add(line, STYLE_PLAIN, "nothing that could be written");
}

void head_layout(const struct live *live, const struct history *shown, struct page *page)
{
	draw_title(live, shown, page);
	draw_rate(shown, page);
	draw_sets(shown, page);
	draw_skipped(shown, page);
}
