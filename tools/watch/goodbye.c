// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last lines: how much it was in all, and what could not be seen.
 */
#include <errno.h>
#include <inttypes.h>

#include "watch/goodbye.h"
#include "human.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_sum(FILE *to, const struct goodbye *g)
{
	const char *fate = g->ended ? "has ended" : "goes on, nothing of it is protected";

	if (g->seconds > 0)
		fprintf(to, "%" PRIu64 " page writes in %.1f s; process %d %s\n", g->written,
			g->seconds, (int)g->pid, fate);
	else
		fprintf(to, "no report yet: process %d %s\n", (int)g->pid, fate);
	if (g->after)
		fprintf(to, "%" PRIu64 " %spage writes in memory that was unmapped since\n",
			g->after, g->seconds > 0 ? "more " : "");
}

/* The first begins the line. */
static const char *before(bool *any)
{
	const char *text = *any ? ", " : "not seen: ";

	*any = true;
	return text;
}

static void print_unseen(FILE *to, const struct goodbye *g)
{
	bool any = false;
	char bytes[16];
	int kind;

	for (kind = 0; kind < MAP_KINDS; kind++) {
		if (!g->skipped_maps[kind])
			continue;
		human_bytes(g->skipped_bytes[kind], bytes, sizeof(bytes));
		fprintf(to, "%s%s in %" PRIu64 " %s mapping%s", before(&any), bytes,
			g->skipped_maps[kind], map_kind_name(kind), plural(g->skipped_maps[kind]));
	}
	if (g->not_followed)
		fprintf(to, "%s%" PRIu64 " process%s", before(&any), g->not_followed,
			g->not_followed == 1 ? "" : "es");
	if (g->reports_lost)
		fprintf(to, "%sevents of %" PRIu64 " report%s", before(&any), g->reports_lost,
			plural(g->reports_lost));
	if (any)
		fputs("\n", to);
}

int goodbye_print(FILE *to, const struct goodbye *goodbye)
{
	print_sum(to, goodbye);
	print_unseen(to, goodbye);
	return fflush(to) || ferror(to) ? -EIO : 0;
}
