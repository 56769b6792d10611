// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many pages were written in the last 1, 10 and 60 seconds, over all mappings. A recording
 * leaves out mappings that nothing has happened to, so what it said of them last is kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/sets.h"

/* Half of what written sets tell apart; an interval may be a little shorter than asked for. */
#define RESOLUTION 0.05

/* The first that ends behind @start, of this process or a later one. */
static size_t find(const struct sets *s, uint64_t process, uint64_t start)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct kept_set *set = &s->set[middle];

		if (set->process < process || (set->process == process && set->end <= start))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Those from @from to @behind make place for @n. */
static void replace(struct sets *s, size_t from, size_t behind, size_t n)
{
	memmove(&s->set[from + n], &s->set[behind], (s->n - behind) * sizeof(*s->set));
	s->n = s->n + n - (behind - from);
}

int sets_put(struct sets *s, uint64_t process, const struct recording_line *line, double time)
{
	size_t at, behind;

	if (!s->set)
		s->set = calloc(SETS_MOST, sizeof(*s->set));
	if (!s->set)
		return -ENOMEM;
	at = find(s, process, line->start);
	for (behind = at; behind < s->n && s->set[behind].process == process &&
			  s->set[behind].start < line->end; behind++)
		;
	if (s->n - (behind - at) >= SETS_MOST) {
		s->incomplete = true;
		return 0;
	}
	replace(s, at, behind, 1);
	s->set[at] = (struct kept_set){
		.process = process, .start = line->start, .end = line->end, .time = time,
	};
	memcpy(s->set[at].pages, line->set, sizeof(line->set));
	return 0;
}

void sets_end(struct sets *s, uint64_t process)
{
	replace(s, find(s, process, 0), find(s, process + 1, 0), 0);
}

void sets_sum(struct sets *s, double time, uint64_t pages[WRITTEN_SET_WINDOWS])
{
	size_t i, window, kept = 0;

	memset(pages, 0, WRITTEN_SET_WINDOWS * sizeof(*pages));
	for (i = 0; i < s->n; i++) {
		const struct kept_set *set = &s->set[i];
		const double age = time - set->time + RESOLUTION;

		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			if (age < written_set_seconds[window])
				pages[window] += set->pages[window];
		if (age < written_set_seconds[WRITTEN_SET_WINDOWS - 1])
			s->set[kept++] = *set;
	}
	s->n = kept;
}

void sets_free(struct sets *s)
{
	free(s->set);
	*s = (struct sets){ 0 };
}
