// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report for programs: one JSON object on one line.
 */
#include <errno.h>
#include <json-c/json.h>

#include "top/rows.h"

#define SCHEMA 1

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_int64(number));
}

static void add_double(struct json_object *object, const char *key, double number)
{
	json_object_object_add(object, key, json_object_new_double(number));
}

static struct json_object *written_set(const struct top_row *row)
{
	struct json_object *object = json_object_new_object();
	char key[16];
	int i;

	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		snprintf(key, sizeof(key), "%u", written_set_seconds[i]);
		add_number(object, key, row->set[i]);
	}
	return object;
}

static struct json_object *counts(const struct top_row *row)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "pages_tracked", row->tracked);
	add_number(object, "pages_written", row->written);
	add_double(object, "share", top_share(row));
	add_double(object, "bytes_per_second", top_rate(row));
	json_object_object_add(object, "pages_written_set", written_set(row));
	return object;
}

static struct json_object *processes(const struct top_report *report)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < report->n; i++) {
		const struct top_row *row = &report->row[i];
		struct json_object *object = counts(row);

		add_number(object, "pid", row->pid);
		json_object_object_add(object, "user", json_object_new_string(row->user));
		json_object_object_add(object, "name", json_object_new_string(row->name));
		add_number(object, "pages_written_all", row->all_written);
		add_double(object, "interval", row->interval);
		if (row->ended)
			json_object_object_add(object, "ended", json_object_new_boolean(true));
		if (row->lost)
			json_object_object_add(object, "events_lost",
					       json_object_new_boolean(true));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *refused(const struct top_report *report)
{
	struct json_object *object = json_object_new_object();
	int why;

	for (why = 0; why < REFUSALS; why++)
		add_number(object, refusal_key(why), report->refused[why]);
	return object;
}

int top_print_json(FILE *to, const struct top_report *report)
{
	struct json_object *object = json_object_new_object(), *total = counts(&report->total);
	const char *text;

	add_number(object, "schema", SCHEMA);
	add_number(object, "report", report->number);
	add_double(object, "elapsed", report->elapsed);
	add_double(object, "interval", report->interval);
	json_object_object_add(object, "processes", processes(report));
	if (report->cut)
		add_number(object, "left_out", report->cut);
	add_number(total, "pages_written_all", report->all_written);
	add_number(total, "processes", report->processes);
	json_object_object_add(object, "total", total);
	json_object_object_add(object, "not_tracked", refused(report));
	if (report->set_incomplete)
		json_object_object_add(object, "written_set_incomplete",
				       json_object_new_boolean(true));
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	if (text)
		fprintf(to, "%s\n", text);
	fflush(to);
	json_object_put(object);
	return text ? 0 : -ENOMEM;
}
