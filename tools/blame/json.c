// SPDX-License-Identifier: GPL-2.0-only
/*
 * A profile for programs: one JSON object.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "profile.h"

/* Fields that are added keep it; one that goes, or means something else, makes it another. */
#define SCHEMA 1

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_int64((int64_t)number));
}

/* As text: a 64-bit address does not fit into a JSON number of every reader. */
static void add_address(struct json_object *object, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	add_text(object, key, text);
}

static struct json_object *frame_of(struct profile *p, const struct place *place, size_t i)
{
	struct json_object *object = json_object_new_object();
	const struct frame *frame = &place->frame[i];

	add_text(object, "function", frame->function);
	if (i == place->n - 1) {
		add_address(object, "address", place->ip);
		if (place->named)
			add_number(object, "offset", place->offset);
	}
	if (frame->file) {
		add_text(object, "file", frame->file);
		add_number(object, "line", frame->line);
	}
	if (place->mapping != SIZE_MAX)
		add_text(object, "module", p->symbols.mapping[place->mapping].name);
	return object;
}

static struct json_object *stack_of(struct profile *p, const struct entry *e)
{
	struct json_object *array = json_object_new_array();
	const size_t n = entry_frames(e);
	size_t i, k;

	for (i = 0; i < n; i++) {
		const struct place *place = symbols_find(&p->symbols, e->key.ip[i], i > 0);

		for (k = 0; place && k < place->n; k++)
			json_object_array_add(array, frame_of(p, place, k));
	}
	return array;
}

static struct json_object *object_of(struct profile *p, const struct row *r)
{
	struct json_object *object = json_object_new_object();
	const struct entry *e = r->entry;
	char comm[64];

	add_number(object, "pages", r->pages);
	json_object_object_add(object, "share", json_object_new_double(
			       p->pages ? (double)r->pages / p->pages : 0));
	human_clean(e->count.comm, strnlen(e->count.comm, sizeof(e->count.comm)), comm,
		    sizeof(comm));
	if (e->key.tid) {
		add_number(object, "tgid", e->key.tgid);
		add_number(object, "tid", e->key.tid);
		add_text(object, "comm", comm);
	}
	if (p->by == BLAME_BY_MAPPING && !entry_is_foreign(p, e)) {
		add_address(object, "lowest", e->count.lowest);
		add_address(object, "highest", e->count.highest);
		add_text(object, "mapping", r->where);
	}
	if (e->key.ip[0])
		json_object_object_add(object, "stack", stack_of(p, e));
	return object;
}

int profile_print_json(FILE *to, struct profile *p)
{
	static const char *const by[] = { "task", "function", "stack", "mapping" };
	struct json_object *object = json_object_new_object();
	struct json_object *writers = json_object_new_array();
	size_t n, i;
	struct row *rows = profile_rows(p, &n);
	const char *text;

	for (i = 0; i < n; i++)
		json_object_array_add(writers, object_of(p, &rows[i]));
	add_number(object, "schema", SCHEMA);
	add_number(object, "pid", p->pid);
	add_text(object, "name", p->name);
	add_text(object, "by", by[p->by]);
	json_object_object_add(object, "seconds", json_object_new_double(p->seconds));
	json_object_object_add(object, "interval", json_object_new_double(p->interval));
	add_number(object, "pages", p->pages);
	add_number(object, "pages_lost", p->lost);
	add_number(object, "pages_without_fault", p->unseen);
	json_object_object_add(object, "writers", writers);
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(to, "%s\n", text);
	json_object_put(object);
	free(rows);
	return text && (rows || !p->n) ? 0 : -ENOMEM;
}
