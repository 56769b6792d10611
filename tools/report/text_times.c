// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line for each interval, printed as it is read.
 */
#include <inttypes.h>

#include "report/text.h"
#include "report/words.h"

void text_times_begin(const struct text *t)
{
	fprintf(t->to, "%10s %9s %9s %9s %11s %10s %10s %10s %9s %9s\n", "time", "seconds",
		"written", "unmapped", "rate", "in 1 s", "in 10 s", "in 60 s", "mappings",
		"processes");
}

void text_moment(const struct text *t, const struct moment *moment)
{
	char clock[WORDS], rate[WORDS], set[WRITTEN_SET_WINDOWS][WORDS];
	size_t window;

	words_clock(moment->time, clock);
	words_pages(moment->written / moment->length, rate);
	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		words_pages(moment->set[window], set[window]);
	fprintf(t->to, "%10s %9.3f %9" PRIu64 " %9" PRIu64 " %9s/s %10s %10s %10s %9" PRIu64
		" %9" PRIu64 "%s\n", clock, moment->length, moment->written, moment->gone, rate,
		set[0], set[1], set[2], moment->mappings, moment->processes,
		moment->lost ? "  events lost" : "");
}
