/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON against a list of its fields, and the list against the manual: what is printed is in the
 * manual, and what is in the manual is printed.
 */
#ifndef UNIT_SCHEMA_H
#define UNIT_SCHEMA_H

#include "unit.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>

enum kind { TEXT, NUMBER, REAL, TRUTH, OBJECT, ARRAY };

/* A field that is in some of the objects only is OPTIONAL: in one that is checked it must be. */
#define OPTIONAL true

struct field {
	const char *path;	/* "processes[].name" */
	enum kind kind;
	bool optional;
};

#define MOST_FIELDS 100

struct schema {
	const struct field *field;
	size_t n;
	bool seen[MOST_FIELDS];
};

static bool is_kind(struct json_object *value, enum kind kind)
{
	const enum json_type type = json_object_get_type(value);

	switch (kind) {
	case TEXT:
		return type == json_type_string;
	case NUMBER:
		return type == json_type_int;
	case REAL:
		/* One that is whole may be printed without its point. */
		return type == json_type_double || type == json_type_int;
	case TRUTH:
		return type == json_type_boolean;
	case OBJECT:
		return type == json_type_object;
	default:
		return type == json_type_array;
	}
}

static void find_field(struct schema *s, const char *path, struct json_object *value)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (strcmp(s->field[i].path, path))
			continue;
		if (!is_kind(value, s->field[i].kind))
			fail_msg("%s is of another type: %s", path, json_object_get_string(value));
		s->seen[i] = true;
		return;
	}
	fail_msg("%s is in no list of fields", path);
}

static const char *within(const char *path, const char *prefix)
{
	const size_t n = strlen(prefix);

	return !strncmp(path, prefix, n) && !strchr(path + n, '.') ? path + n : NULL;
}

static void check_object(struct schema *s, struct json_object *object, const char *prefix);

static void check_value(struct schema *s, struct json_object *value, const char *path)
{
	char prefix[160];
	size_t i;

	if (json_object_is_type(value, json_type_object)) {
		snprintf(prefix, sizeof(prefix), "%s.", path);
		check_object(s, value, prefix);
	}
	if (!json_object_is_type(value, json_type_array))
		return;
	snprintf(prefix, sizeof(prefix), "%s[]", path);
	for (i = 0; i < json_object_array_length(value); i++)
		check_value(s, json_object_array_get_idx(value, i), prefix);
}

static void check_object(struct schema *s, struct json_object *object, const char *prefix)
{
	struct json_object *value;
	const char *key;
	char path[160];
	size_t i;

	json_object_object_foreach(object, name, member) {
		snprintf(path, sizeof(path), "%s%s", prefix, name);
		find_field(s, path, member);
		check_value(s, member, path);
	}
	for (i = 0; i < s->n; i++) {
		key = within(s->field[i].path, prefix);
		if (key && !s->field[i].optional &&
		    !json_object_object_get_ex(object, key, &value))
			fail_msg("%s is missing", s->field[i].path);
	}
}

/* One object of text, whatever is behind it. */
static void check_text(struct schema *s, const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	check_object(s, object, "");
	json_object_put(object);
}

static void check_all_seen(const struct schema *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!s->seen[i])
			fail_msg("nothing has %s", s->field[i].path);
}

/* ---- manuals */

/* The section "JSON" of a manual, to be freed. */
static char *section(const char *path)
{
	char *text = calloc(1, 1 << 16), *from, *end;
	FILE *file = fopen(path, "re");

	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	from = strstr(text, ".Ss JSON\n");
	assert_non_null(from);
	from += strlen(".Ss JSON\n");
	for (end = from; strncmp(end, "\n.S", 3); end++)
		assert_true(*end);
	end[1] = 0;
	memmove(text, from, (size_t)(end - from) + 2);
	return text;
}

/* The next word of letters, digits and underscores; the text begins behind it then. */
static bool next_word(const char **text, char *word, size_t size)
{
	size_t n = 0;

	while (**text && !isalnum((unsigned char)**text) && **text != '_')
		(*text)++;
	for (; isalnum((unsigned char)**text) || **text == '_'; (*text)++)
		if (n + 1 < size)
			word[n++] = **text;
	word[n] = 0;
	return n;
}

static bool has_word(const char *text, const char *wanted)
{
	char word[64];

	while (next_word(&text, word, sizeof(word)))
		if (!strcmp(word, wanted))
			return true;
	return false;
}

static const char *name_of(const struct field *field)
{
	const char *dot = strrchr(field->path, '.');

	return dot ? dot + 1 : field->path;
}

static bool has_field(const struct schema *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(name_of(&s->field[i]), name))
			return true;
	return false;
}

/* Words of headings of the list, and those that can be nothing else. */
static void check_line(const struct schema *s, const char *line)
{
	const bool heading = !strncmp(line, ".It ", 4);
	char word[64];

	if (heading)
		line += 4;
	while (next_word(&line, word, sizeof(word)))
		if ((heading || strchr(word, '_')) && !has_field(s, word))
			fail_msg("the manual has %s, and nothing is printed of that name", word);
}

static void check_manual(const struct schema *s, const char *path)
{
	char *text = section(path), *line, *rest = NULL;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!has_word(text, name_of(&s->field[i])))
			fail_msg("%s has no %s", path, s->field[i].path);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		check_line(s, line);
	free(text);
}

#define SCHEMA_OF(fields)						\
	(struct schema){ .field = fields, .n = sizeof(fields) / sizeof(fields[0]) }

#endif /* UNIT_SCHEMA_H */
