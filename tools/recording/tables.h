/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORDING_TABLES_H
#define TOOLS_RECORDING_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What intervals have in common is in the file once, and has a number from then on: names, and
 * mappings of a name, which are called places. Children have those of their parents.
 */

#define RECORDING_NAME_SIZE 64

/* More than one interval can have of them, so that all fit into tables that are empty again. */
#define RECORDING_MOST_NAMES (1u << 18)
#define RECORDING_MOST_PLACES (1u << 18)

struct recording_name {
	char text[RECORDING_NAME_SIZE];
};

struct recording_place {
	uint64_t start;
	uint64_t end;
	uint64_t tracked;
	uint32_t name;
};

/* Where a name or place is, by its hash: its number plus 1; 0 is free. Always some are. */
struct recording_index {
	uint32_t *slot;
	size_t slots;		/* a power of two */
};

struct recording_tables {
	struct recording_name *name;
	size_t names;
	size_t name_room;
	struct recording_place *place;
	size_t places;
	size_t place_room;
	/* Of who writes */
	struct recording_index by_name;
	struct recording_index by_place;
};

/* One more, at the end. Return: 0 or -ENOMEM. */
int recording_add_name(struct recording_tables *tables, const char *text);
int recording_add_place(struct recording_tables *tables, const struct recording_place *place);

/**
 * recording_find_name - the number of a name
 * @tables: tables
 * @text: name, cut where it is too long
 * @number: out: its number; it is new if that is the last one
 *
 * Return: 0 or -ENOMEM.
 */
int recording_find_name(struct recording_tables *tables, const char *text, uint32_t *number);

/* The same of a place. */
int recording_find_place(struct recording_tables *tables, const struct recording_place *place,
			 uint32_t *number);

void recording_forget_tables(struct recording_tables *tables);
void recording_free_tables(struct recording_tables *tables);

#endif /* TOOLS_RECORDING_TABLES_H */
