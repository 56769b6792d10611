// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report for programs: one JSON object on one line.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <sys/wait.h>

#include "report.h"

/* Fields that are added keep it; one that goes, or means something else, makes it another. */
#define SCHEMA 1

/* A 64-bit address does not fit into a JSON number of every reader, so it is text. */
static void add_address(struct json_object *object, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_int64(number));
}

/* What is 0 nearly always. */
static void add_if_any(struct json_object *object, const char *key, uint64_t number)
{
	if (number)
		add_number(object, key, number);
}

static void add_sets(struct json_object *object, const struct report_line *line)
{
	struct json_object *sets = json_object_new_object();
	char key[16];
	size_t i;

	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		snprintf(key, sizeof(key), "%us", written_set_seconds[i]);
		add_number(sets, key, line->set[i]);
	}
	json_object_object_add(object, "written_set", sets);
}

static void add_counts(struct json_object *object, const struct report *report,
		       const struct report_line *line)
{
	json_object_object_add(object, "pages_tracked", json_object_new_int64(line->tracked));
	json_object_object_add(object, "pages_written", json_object_new_int64(line->written));
	json_object_object_add(object, "pages_added", json_object_new_int64(line->added));
	json_object_object_add(object, "share", json_object_new_double(report_share(line)));
	json_object_object_add(object, "bytes_per_second",
			       json_object_new_double(report_rate(line, report->interval)));
	if (report->has_sets)
		add_sets(object, line);
}

static struct json_object *mappings(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < report->n; i++) {
		const struct report_line *line = &report->line[i];
		struct json_object *object = json_object_new_object();

		if (report->by_process)
			add_number(object, "pid", report->process[line->process].pid);
		if (report->by_name) {
			json_object_object_add(object, "ranges",
					       json_object_new_int64(line->ranges));
		} else {
			add_address(object, "start", line->start);
			add_address(object, "end", line->end);
		}
		json_object_object_add(object, "name", json_object_new_string(line->name));
		add_counts(object, report, line);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *not_tracked(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	int kind;

	for (kind = 0; kind < MAP_KINDS; kind++) {
		struct json_object *object;

		if (!report->skipped_maps[kind])
			continue;
		object = json_object_new_object();
		json_object_object_add(object, "kind",
				       json_object_new_string(map_kind_name(kind)));
		json_object_object_add(object, "mappings",
				       json_object_new_int64(report->skipped_maps[kind]));
		json_object_object_add(object, "bytes",
				       json_object_new_int64(report->skipped_bytes[kind]));
		json_object_array_add(array, object);
	}
	return array;
}

/* What has happened to mappings that need not be in the array of mappings. */
static void add_changes(struct json_object *object, const struct report_process *changes,
			uint64_t written)
{
	add_if_any(object, "pages_written_unmapped", written);
	add_if_any(object, "bytes_mapped", changes->mapped_bytes);
	add_if_any(object, "mappings_mapped", changes->mapped);
	add_if_any(object, "bytes_unmapped", changes->unmapped_bytes);
	add_if_any(object, "mappings_unmapped", changes->unmapped);
	add_if_any(object, "pages_presumed", changes->presumed);
}

static struct json_object *processes(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < report->processes; i++) {
		const struct report_process *process = &report->process[i];
		struct json_object *object = json_object_new_object();

		add_number(object, "pid", process->pid);
		json_object_object_add(object, "name", json_object_new_string(process->name));
		add_counts(object, report, &process->sum);
		add_changes(object, process, process->gone.written);
		if (process->ended && WIFSIGNALED(process->status))
			add_number(object, "signal", WTERMSIG(process->status));
		else if (process->ended)
			add_number(object, "status", WEXITSTATUS(process->status));
		json_object_array_add(array, object);
	}
	return array;
}

static uint64_t written_in_gone(const struct report *report)
{
	uint64_t written = 0;
	size_t i;

	for (i = 0; i < report->processes; i++)
		written += report->process[i].gone.written;
	return written;
}

/* Fields that are there only when there is something to say. */
static void add_extras(struct json_object *object, const struct report *report)
{
	const struct report_process changes = report_changes(report);

	if (report->by_process)
		json_object_object_add(object, "processes", processes(report));
	add_changes(object, &changes, written_in_gone(report));
	add_if_any(object, "processes_not_followed", report->not_followed);
	if (report->sets_incomplete)
		json_object_object_add(object, "written_set_incomplete",
				       json_object_new_boolean(true));
	if (report->lost)
		json_object_object_add(object, "events_lost", json_object_new_boolean(true));
}

int report_print_json(FILE *to, const struct report *report)
{
	struct json_object *object = json_object_new_object();
	struct json_object *sum = json_object_new_object();
	struct report_line total = report_total(report);
	const char *text;

	add_number(object, "schema", SCHEMA);
	json_object_object_add(object, "report", json_object_new_int64(report->number));
	json_object_object_add(object, "elapsed", json_object_new_double(report->elapsed));
	json_object_object_add(object, "interval", json_object_new_double(report->interval));
	json_object_object_add(object, "mappings", mappings(report));
	if (report->cut)
		json_object_object_add(object, "left_out", json_object_new_int64(report->cut));
	add_counts(sum, report, &total);
	json_object_object_add(object, "total", sum);
	json_object_object_add(object, "not_tracked", not_tracked(report));
	add_extras(object, report);

	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	if (text)
		fprintf(to, "%s\n", text);
	fflush(to);
	json_object_put(object);
	return text ? 0 : -ENOMEM;
}
