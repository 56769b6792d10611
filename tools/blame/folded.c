// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folded stacks, a line each: what flamegraph.pl, inferno and speedscope read.
 */
#include <inttypes.h>
#include <string.h>

#include "human.h"
#include "profile.h"

/* A semicolon ends a frame, and the last space begins the number. */
static void print_name(FILE *to, const char *name)
{
	for (; *name; name++)
		fputc(*name == ';' ? ':' : *name, to);
}

static void print_place(FILE *to, const struct place *place)
{
	size_t i;

	for (i = place->n; i--;) {
		fputc(';', to);
		print_name(to, place->frame[i].function);
	}
}

int profile_print_folded(FILE *to, struct profile *p)
{
	const struct place *place;
	char comm[64];
	size_t i, k;

	for (i = 0; i < p->n; i++) {
		const struct entry *e = &p->entry[i];

		if (entry_is_foreign(p, e)) {
			human_clean(e->count.comm, strnlen(e->count.comm, sizeof(e->count.comm)),
				    comm, sizeof(comm));
			print_name(to, comm);
		} else {
			print_name(to, p->name);
		}
		for (k = entry_frames(e); k--;) {
			place = symbols_find(&p->symbols, e->key.ip[k], k > 0);
			if (place)
				print_place(to, place);
		}
		fprintf(to, " %" PRIu64 "\n", (uint64_t)e->count.pages);
	}
	return 0;
}
