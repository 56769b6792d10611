// SPDX-License-Identifier: GPL-2.0-only
/*
 * Written set sizes: how they are distributed, and how they change with time.
 */
#include <inttypes.h>

#include "human.h"
#include "report/text.h"
#include "report/words.h"

#define BAR_WIDTH 32
#define MOST_LINES 30

static const double parts[] = { 0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1 };

static void print_quantiles(FILE *to, const struct model *m)
{
	char text[WORDS];
	size_t i, window;

	fprintf(to, "%*s", 17, "part of intervals");
	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		fprintf(to, "     in %2u s", written_set_seconds[window]);
	fputs("\n", to);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fprintf(to, "%*s%5.1f %%", 10, "", 100 * parts[i]);
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++) {
			words_pages(parts[i] < 1 ? histogram_quantile(&m->set[window], parts[i]) :
				    m->set[window].max, text);
			fprintf(to, "  %10s", text);
		}
		fputs("\n", to);
	}
}

/* A window of a minute is the one that sizes memory; the others are beside it as numbers. */
static void print_curve(const struct text *t, const struct model *m)
{
	const size_t step = (m->columns + MOST_LINES - 1) / MOST_LINES;
	const size_t last = WRITTEN_SET_WINDOWS - 1;
	char clock[WORDS], size[WRITTEN_SET_WINDOWS][WORDS], bar[3 * BAR_WIDTH + 1];
	size_t column, window, i;

	fprintf(t->to, "\n%10s", "until");
	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		fprintf(t->to, "     in %2u s", written_set_seconds[window]);
	fputs("\n", t->to);
	for (column = 0; column < m->columns; column += step) {
		uint64_t most[WRITTEN_SET_WINDOWS] = { 0 };
		const size_t behind = column + step < m->columns ? column + step : m->columns;
		double intervals = 0;

		for (i = column; i < behind; i++) {
			intervals += m->column[i].intervals;
			for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
				if (m->column[i].set[window] > most[window])
					most[window] = m->column[i].set[window];
		}
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			words_pages(most[window], size[window]);
		words_tick(model_time(m, behind), m->end, clock);
		if (intervals <= 0) {
			fprintf(t->to, "%10s  not recorded\n", clock);
			continue;
		}
		human_bar(m->set[last].max ? (double)most[last] / m->set[last].max : 0, BAR_WIDTH,
			  t->utf8, bar, sizeof(bar));
		fprintf(t->to, "%10s  %10s  %10s  %10s %s\n", clock, size[0], size[1], size[2],
			bar);
	}
}

void text_wss(const struct text *t, const struct model *m)
{
	text_title(t, m);
	if (m->intervals) {
		fputs("Memory that was written in the last 1, 10 and 60 seconds. In so many of the intervals it was\nnot more than\n\n",
		      t->to);
		print_quantiles(t->to, m);
		fputs("\nThe most by time:\n", t->to);
		print_curve(t, m);
	}
	if (m->query.end && m->intervals)
		fputs("\nnote: written sets are those of all addresses\n", t->to);
	text_notes(t, m);
}
