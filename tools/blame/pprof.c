// SPDX-License-Identifier: GPL-2.0-only
/*
 * A profile for pprof: the messages of its profile.proto, compressed. What there is of protocol
 * buffers here is three ways to write a field.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "profile.h"
#include "protobuf.h"

/* Fields of the messages that are used, by the names that profile.proto has. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING_TABLE = 6,
	PROFILE_DURATION_NANOS = 10,
	VALUE_TYPE_TYPE = 1,
	VALUE_TYPE_UNIT = 2,
	SAMPLE_LOCATION_ID = 1,
	SAMPLE_VALUE = 2,
	MAPPING_ID = 1,
	MAPPING_MEMORY_START = 2,
	MAPPING_MEMORY_LIMIT = 3,
	MAPPING_FILE_OFFSET = 4,
	MAPPING_FILENAME = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7,
	LOCATION_ID = 1,
	LOCATION_MAPPING_ID = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,
	LINE_FUNCTION_ID = 1,
	LINE_LINE = 2,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILENAME = 4,
};

/* What is being written: ids count from 1. Each line of a place has a function of its own. */
struct writer {
	struct profile *p;
	struct protobuf out;
	struct protobuf strings;	/* the string table, which comes last */
	uint64_t n_strings;
	uint64_t n_functions;
	uint64_t n_locations;
};

static uint64_t add_string(struct writer *w, const char *text)
{
	protobuf_bytes(&w->strings, PROFILE_STRING_TABLE, text, strlen(text));
	return w->n_strings++;
}

static void add_value_type(struct writer *w, const char *type, const char *unit)
{
	struct protobuf m = { 0 };

	protobuf_number(&m, VALUE_TYPE_TYPE, add_string(w, type));
	protobuf_number(&m, VALUE_TYPE_UNIT, add_string(w, unit));
	protobuf_message(&w->out, PROFILE_SAMPLE_TYPE, &m);
}

static void add_mapping(struct writer *w, size_t i)
{
	const struct mapping *map = &w->p->symbols.mapping[i];
	struct protobuf m = { 0 };

	protobuf_number(&m, MAPPING_ID, i + 1);
	protobuf_number(&m, MAPPING_MEMORY_START, map->start);
	protobuf_number(&m, MAPPING_MEMORY_LIMIT, map->end);
	protobuf_number(&m, MAPPING_FILE_OFFSET, map->offset);
	protobuf_number(&m, MAPPING_FILENAME, add_string(w, map->name));
	if (*map->build_id)
		protobuf_number(&m, MAPPING_BUILD_ID, add_string(w, map->build_id));
	protobuf_number(&m, MAPPING_HAS_FUNCTIONS, 1);
	protobuf_message(&w->out, PROFILE_MAPPING, &m);
}

static uint64_t add_function(struct writer *w, const struct frame *frame)
{
	const uint64_t id = ++w->n_functions, name = add_string(w, frame->function);
	struct protobuf m = { 0 };

	protobuf_number(&m, FUNCTION_ID, id);
	protobuf_number(&m, FUNCTION_NAME, name);
	protobuf_number(&m, FUNCTION_SYSTEM_NAME, name);
	if (frame->file)
		protobuf_number(&m, FUNCTION_FILENAME, add_string(w, frame->file));
	protobuf_message(&w->out, PROFILE_FUNCTION, &m);
	return id;
}

static void add_location(struct writer *w, const struct place *place)
{
	struct protobuf m = { 0 }, line;
	size_t i;

	protobuf_number(&m, LOCATION_ID, place->id);
	if (place->mapping != SIZE_MAX)
		protobuf_number(&m, LOCATION_MAPPING_ID, place->mapping + 1);
	protobuf_number(&m, LOCATION_ADDRESS, place->ip);
	for (i = 0; i < place->n; i++) {
		line = (struct protobuf){ 0 };
		protobuf_number(&line, LINE_FUNCTION_ID, add_function(w, &place->frame[i]));
		protobuf_number(&line, LINE_LINE, (uint64_t)place->frame[i].line);
		protobuf_message(&m, LOCATION_LINE, &line);
	}
	protobuf_message(&w->out, PROFILE_LOCATION, &m);
}

static void add_sample(struct writer *w, const struct entry *e)
{
	const size_t n = entry_frames(e);
	struct protobuf m = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		const struct place *place = symbols_find(&w->p->symbols, e->key.ip[i], i > 0);

		if (place)
			protobuf_number(&m, SAMPLE_LOCATION_ID, place->id);
	}
	protobuf_number(&m, SAMPLE_VALUE, e->count.pages);
	protobuf_number(&m, SAMPLE_VALUE, e->count.pages * 4096);
	protobuf_message(&w->out, PROFILE_SAMPLE, &m);
}

/* All that samples refer to, first: then the table of places does not change any more. */
static void add_places(struct writer *w)
{
	struct symbols *s = &w->p->symbols;
	size_t i, k;

	for (i = 0; i < w->p->n; i++)
		for (k = 0; k < entry_frames(&w->p->entry[i]); k++)
			symbols_find(s, w->p->entry[i].key.ip[k], k > 0);
	for (i = 0; i < s->slots; i++) {
		if (!s->place[i])
			continue;
		s->place[i]->id = ++w->n_locations;
		add_location(w, s->place[i]);
	}
}

/* Through a copy of the descriptor, which gzclose() closes. */
static int compress_to(FILE *to, const struct protobuf *out)
{
	int fd = fflush(to) ? -1 : dup(fileno(to));
	gzFile file = fd < 0 ? NULL : gzdopen(fd, "wb");
	int err = 0;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return -EIO;
	}
	if (out->n && gzwrite(file, out->bytes, (unsigned int)out->n) != (int)out->n)
		err = -EIO;
	if (gzclose(file) != Z_OK)
		err = -EIO;
	return err;
}

int profile_print_pprof(FILE *to, struct profile *p)
{
	struct writer w = { .p = p };
	size_t i;
	int err;

	add_string(&w, "");
	add_value_type(&w, "first_writes", "count");
	add_value_type(&w, "written", "bytes");
	add_places(&w);
	for (i = 0; i < p->symbols.mappings; i++)
		add_mapping(&w, i);
	for (i = 0; i < p->n; i++)
		add_sample(&w, &p->entry[i]);
	protobuf_number(&w.out, PROFILE_DURATION_NANOS, (uint64_t)(p->seconds * 1e9));
	protobuf_append(&w.out, &w.strings);
	err = w.out.failed ? -ENOMEM : compress_to(to, &w.out);
	protobuf_free(&w.out);
	return err;
}
