// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of the mappings that were written.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "human.h"
#include "report/busiest.h"
#include "report/text.h"
#include "report/words.h"

#define NAME_WIDTH 18

static void print_mapping(const struct text *t, const struct model *m,
			  const struct seen_mapping *mapping)
{
	const struct seen_process *process = seen_find(&m->seen, mapping->process);
	char range[40], name[4 * NAME_WIDTH + 1], first[WORDS], last[WORDS];

	human_tail(mapping->name, NAME_WIDTH, t->utf8, name, sizeof(name));
	snprintf(range, sizeof(range), "%" PRIx64 "-%" PRIx64, mapping->start, mapping->end);
	words_clock(mapping->first, first);
	words_clock(mapping->last, last);
	fprintf(t->to, "%7d  %-25s  %s %9" PRIu64 " %11" PRIu64 " %9" PRIu64 " %9" PRIu64
		" %9s %9s\n", process ? (int)process->pid : 0, range, name, mapping->tracked,
		mapping->written, mapping->most, mapping->intervals, first, last);
}

void text_mappings(const struct text *t, const struct model *m)
{
	const struct seen_mapping **mapping;
	size_t n, i;

	text_title(t, m);
	mapping = busiest_mappings(&m->seen, &n);
	if (!mapping)
		return;
	fprintf(t->to, "%7s  %-25s  %-*s %9s %11s %9s %9s %9s %9s\n", "process", "address range",
		NAME_WIDTH, "name", "pages", "page writes", "most", "intervals", "first", "last");
	for (i = 0; i < n; i++)
		print_mapping(t, m, mapping[i]);
	if (m->seen.other_mappings)
		fprintf(t->to, "%" PRIu64 " more, with %" PRIu64 " page writes\n",
			m->seen.other_mappings, m->seen.other_written);
	if (m->gone)
		fprintf(t->to, "no longer mapped: %" PRIu64 " page writes\n", m->gone);
	free(mapping);
	text_notes(t, m);
}
