// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and places by their numbers, and their numbers by what they are.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "recording/tables.h"
#include "room.h"

int recording_add_name(struct recording_tables *tables, const char *text)
{
	struct recording_name *more = with_room(tables->name, tables->names, &tables->name_room,
						sizeof(*more));

	if (!more)
		return -ENOMEM;
	tables->name = more;
	snprintf(more[tables->names++].text, sizeof(more->text), "%s", text);
	return 0;
}

int recording_add_place(struct recording_tables *tables, const struct recording_place *place)
{
	struct recording_place *more = with_room(tables->place, tables->places,
						 &tables->place_room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	tables->place = more;
	more[tables->places++] = *place;
	return 0;
}

/* FNV-1a, which is as good as any for numbers and names. */
static uint64_t mix(uint64_t hash, const void *data, size_t n)
{
	const unsigned char *byte = data;
	size_t i;

	for (i = 0; i < n; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	return hash;
}

#define MIX_BEGIN 0xcbf29ce484222325

static uint64_t hash_name(const struct recording_name *name)
{
	return mix(MIX_BEGIN, name->text, strlen(name->text));
}

static uint64_t hash_place(const struct recording_place *place)
{
	const uint64_t parts[] = { place->start, place->end, place->tracked, place->name };

	return mix(MIX_BEGIN, parts, sizeof(parts));
}

/* FNV's low bits know little of the high bits of what went in. */
static size_t first_slot(const struct recording_index *index, uint64_t hash)
{
	return (hash ^ hash >> 32) & (index->slots - 1);
}

static void enter(struct recording_index *index, uint64_t hash, uint32_t number)
{
	size_t i = first_slot(index, hash);

	while (index->slot[i])
		i = (i + 1) & (index->slots - 1);
	index->slot[i] = number + 1;
}

/* With room for @n, and as many free ones. The new index is empty: it has to be filled. */
static int widen(struct recording_index *index, size_t n, bool *empty)
{
	size_t slots = index->slots ? index->slots : 64;
	uint32_t *slot;

	*empty = false;
	while (slots < 2 * n)
		slots *= 2;
	if (slots == index->slots)
		return 0;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(index->slot);
	*index = (struct recording_index){ .slot = slot, .slots = slots };
	*empty = true;
	return 0;
}

static int make_room_for_name(struct recording_tables *tables)
{
	bool empty;
	size_t i;
	int err = widen(&tables->by_name, tables->names + 1, &empty);

	for (i = 0; !err && empty && i < tables->names; i++)
		enter(&tables->by_name, hash_name(&tables->name[i]), i);
	return err;
}

static int make_room_for_place(struct recording_tables *tables)
{
	bool empty;
	size_t i;
	int err = widen(&tables->by_place, tables->places + 1, &empty);

	for (i = 0; !err && empty && i < tables->places; i++)
		enter(&tables->by_place, hash_place(&tables->place[i]), i);
	return err;
}

int recording_find_name(struct recording_tables *tables, const char *text, uint32_t *number)
{
	struct recording_index *index = &tables->by_name;
	struct recording_name name;
	uint64_t hash;
	size_t i;
	int err = make_room_for_name(tables);

	if (err)
		return err;
	snprintf(name.text, sizeof(name.text), "%s", text);
	hash = hash_name(&name);
	for (i = first_slot(index, hash); index->slot[i]; i = (i + 1) & (index->slots - 1)) {
		*number = index->slot[i] - 1;
		if (!strcmp(tables->name[*number].text, name.text))
			return 0;
	}
	*number = tables->names;
	err = recording_add_name(tables, name.text);
	if (!err)
		index->slot[i] = *number + 1;
	return err;
}

static bool same(const struct recording_place *a, const struct recording_place *b)
{
	return a->start == b->start && a->end == b->end && a->tracked == b->tracked &&
	       a->name == b->name;
}

int recording_find_place(struct recording_tables *tables, const struct recording_place *place,
			 uint32_t *number)
{
	struct recording_index *index = &tables->by_place;
	uint64_t hash;
	size_t i;
	int err = make_room_for_place(tables);

	if (err)
		return err;
	hash = hash_place(place);
	for (i = first_slot(index, hash); index->slot[i]; i = (i + 1) & (index->slots - 1)) {
		*number = index->slot[i] - 1;
		if (same(&tables->place[*number], place))
			return 0;
	}
	*number = tables->places;
	err = recording_add_place(tables, place);
	if (!err)
		index->slot[i] = *number + 1;
	return err;
}

static void clear(struct recording_index *index)
{
	if (index->slots)
		memset(index->slot, 0, index->slots * sizeof(*index->slot));
}

void recording_forget_tables(struct recording_tables *tables)
{
	tables->names = 0;
	tables->places = 0;
	clear(&tables->by_name);
	clear(&tables->by_place);
}

void recording_free_tables(struct recording_tables *tables)
{
	free(tables->name);
	free(tables->place);
	free(tables->by_name.slot);
	free(tables->by_place.slot);
	*tables = (struct recording_tables){ 0 };
}
