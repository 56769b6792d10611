// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which mappings of a process a look is about: those that were asked for and can be tracked.
 */
#include "watched.h"

/* Is this mapping, or a part of it, asked for? */
static bool selected(const struct selection *o, struct map *map)
{
	if (o->end) {
		if (map->start < o->start)
			map->start = o->start;
		if (map->end > o->end)
			map->end = o->end;
		if (map->start >= map->end)
			return false;
	}
	return !o->name || map_has_name(map, o->name);
}

/* Would it get page tables that are a burden? What is private and not of a file gets none. */
static bool is_giant(const struct watched *p, const struct map *map)
{
	return map->end - map->start > MAP_GIANT_BYTES && map->kind != MAP_NOT_WRITABLE &&
	       !(p->sparse && map->kind == MAP_TRACKABLE);
}

void choose_maps(struct watched *p, struct report *report)
{
	struct maps *maps = &p->maps;
	size_t i, n = 0;

	for (i = 0; i < maps->n; i++) {
		struct map *map = &maps->map[i];

		if (map->kind == MAP_SPECIAL || !selected(p->what, map))
			continue;
		if (is_giant(p, map)) {
			map->kind = MAP_GIANT;
			report_skip(report, MAP_GIANT, map->end - map->start);
		}
		maps->map[n++] = *map;
	}
	maps->n = n;
}
