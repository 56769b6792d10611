// SPDX-License-Identifier: GPL-2.0-only
/*
 * A profile for people.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "human.h"
#include "profile.h"

/* What is below that is for --json: a table is read by eyes. */
#define MOST_ROWS 40
#define MOST_CALLERS 8

static const char *const headings[][2] = {
	[BLAME_BY_TASK] = { "task", "" },
	[BLAME_BY_FUNCTION] = { "function", "where" },
	[BLAME_BY_STACK] = { "function, and who calls it", "where" },
	[BLAME_BY_MAPPING] = { "addresses", "mapping" },
};

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* All frames but the first, which is the line's own: inlined ones, and then those of callers. */
static void print_callers(FILE *to, struct profile *p, const struct row *r)
{
	const size_t frames = entry_frames(r->entry);
	size_t i, k, lines = 0;

	for (i = 0; i < frames && r->place; i++) {
		const struct place *place = symbols_find(&p->symbols, r->entry->key.ip[i], i > 0);

		for (k = 0; place && k < place->n; k++) {
			if (!i && !k)
				continue;
			if (lines++ == MOST_CALLERS) {
				fprintf(to, "%20s...\n", "");
				return;
			}
			human_print(to, "%20s%s\n", "", place->frame[k].function);
		}
	}
}

static void print_row(FILE *to, struct profile *p, const struct row *r)
{
	human_print(to, "%9" PRIu64 "  %5.1f %%  %-30s  %s\n", r->pages,
		    p->pages ? 100.0 * r->pages / p->pages : 0, r->title, r->where);
	if (p->by == BLAME_BY_STACK)
		print_callers(to, p, r);
}

static void print_sums(FILE *to, const struct profile *p, size_t left_out, uint64_t pages)
{
	if (left_out)
		fprintf(to, "%9" PRIu64 "  in %zu more line%s, which --json has\n", pages, left_out,
			plural(left_out));
	if (p->lost)
		fprintf(to, "%9" PRIu64 "  written by more than 10240 different writers: counted, and not told apart\n",
			p->lost);
	if (p->unseen)
		fprintf(to, "%9" PRIu64 "  more page%s found written without a fault to blame: in new memory, discarded, or unmapped\n",
			p->unseen, plural(p->unseen));
	human_print(to, "%" PRIu64 " first write%s to a page in %.1f s, each page once in %g s; process %d (%s)\n",
		    p->pages, plural(p->pages), p->seconds, p->interval, (int)p->pid, p->name);
	if (profile_lacks_frames(p))
		fputs("most stacks have one function: the program was built without frame pointers; build it, and its libraries, with -fno-omit-frame-pointer\n",
		      to);
}

int profile_print_table(FILE *to, struct profile *p)
{
	uint64_t left_out = 0;
	size_t n, i;
	struct row *rows = profile_rows(p, &n);

	if (p->n && !rows)
		return -ENOMEM;
	if (n)
		fprintf(to, "    pages    share  %-30s  %s\n", headings[p->by][0],
			headings[p->by][1]);
	for (i = 0; i < n; i++) {
		if (i < MOST_ROWS)
			print_row(to, p, &rows[i]);
		else
			left_out += rows[i].pages;
	}
	print_sums(to, p, n > MOST_ROWS ? n - MOST_ROWS : 0, left_out);
	free(rows);
	return 0;
}
