// SPDX-License-Identifier: GPL-2.0-only
/*
 * The views as JSON. Addresses are text: they do not fit into a number of every reader.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "report/busiest.h"
#include "report/json.h"
#include "report/levels.h"
#include "report/words.h"

/* Fields that are added keep it; one that goes, or means something else, makes it another. */
#define SCHEMA 1

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	add(object, key, json_object_new_int64((int64_t)number));
}

static void add_address(struct json_object *object, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	add_text(object, key, text);
}

/* Three digits behind the point are a millisecond, or a thousandth of a page. */
static struct json_object *real(double value)
{
	char text[40];

	value = round(value * 1000) / 1000;
	snprintf(text, sizeof(text), "%.15g", value);
	return json_object_new_double_s(value, text);
}

static void add_real(struct json_object *object, const char *key, double value)
{
	add(object, key, real(value));
}

/* ---- parts */

static struct json_object *recording(const struct model *m)
{
	const struct recording_header *h = m->header;
	struct json_object *object = json_object_new_object();
	char date[WORDS], note[WORDS];

	words_date(h->began, date);
	add_text(object, "what", h->what);
	add_text(object, "began", date);
	add_number(object, "began_ns", h->began);
	add_real(object, "interval", h->interval);
	add(object, "children", json_object_new_boolean(h->children));
	add_text(object, "host", h->host);
	add_text(object, "kernel", h->kernel);
	add_text(object, "tool", h->tool);
	add_number(object, "intervals", m->in_file);
	add(object, "whole", json_object_new_boolean(m->ends == MODEL_WHOLE));
	model_note(m, note, sizeof(note));
	if (*note)
		add_text(object, "note", note);
	return object;
}

static struct json_object *unseen(const struct model *m)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "bytes_not_tracked", m->skipped_bytes);
	add_number(object, "processes_not_followed", m->not_followed);
	add_number(object, "intervals_events_lost", m->lost);
	add_real(object, "seconds_not_recorded", m->end - m->begin - m->seconds);
	add_number(object, "pages_presumed", m->presumed);
	return object;
}

static struct json_object *totals(const struct model *m)
{
	struct json_object *object = json_object_new_object();

	add_real(object, "from", m->begin);
	add_real(object, "to", m->end);
	add_number(object, "intervals", m->intervals);
	add_real(object, "seconds", m->seconds);
	add_number(object, "pages_written", m->written);
	add_number(object, "pages_written_unmapped", m->gone);
	if (m->intervals) {
		add_real(object, "bytes_per_second", m->written * MODEL_PAGE / m->seconds);
		add_real(object, "busiest_time", m->busiest.time);
		add_real(object, "busiest_bytes_per_second",
			 m->busiest.written * MODEL_PAGE / m->busiest.length);
	}
	add(object, "not_seen", unseen(m));
	return object;
}

static struct json_object *process(const struct seen_process *p)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "pid", p->pid);
	add_text(object, "name", p->name);
	add_real(object, "first", p->first);
	add_real(object, "last", p->last);
	add_number(object, "pages_written", p->written);
	add_number(object, "pages_written_unmapped", p->gone);
	add_number(object, "pages_presumed", p->presumed);
	if (p->ended && WIFSIGNALED(p->status))
		add_number(object, "signal", WTERMSIG(p->status));
	else if (p->ended)
		add_number(object, "status", WEXITSTATUS(p->status));
	return object;
}

static struct json_object *processes(const struct model *m)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < m->seen.processes; i++)
		json_object_array_add(array, process(&m->seen.process[i]));
	return array;
}

static void add_owner(struct json_object *object, const struct model *m, uint64_t id)
{
	const struct seen_process *owner = seen_find(&m->seen, id);

	if (!owner)
		return;
	add_number(object, "pid", owner->pid);
	add_text(object, "process", owner->name);
}

static struct json_object *mapping(const struct model *m, const struct seen_mapping *seen)
{
	struct json_object *object = json_object_new_object();

	add_owner(object, m, seen->process);
	add_address(object, "start", seen->start);
	add_address(object, "end", seen->end);
	add_text(object, "name", seen->name);
	add_number(object, "pages_tracked", seen->tracked);
	add_number(object, "pages_written", seen->written);
	add_number(object, "most_in_an_interval", seen->most);
	add_number(object, "intervals", seen->intervals);
	add_real(object, "first", seen->first);
	add_real(object, "last", seen->last);
	return object;
}

static struct json_object *mappings(const struct model *m)
{
	struct json_object *array = json_object_new_array();
	const struct seen_mapping **all;
	size_t i, n;

	all = busiest_mappings(&m->seen, &n);
	for (i = 0; all && i < n; i++)
		json_object_array_add(array, mapping(m, all[i]));
	free(all);
	return array;
}

/* In the order of the windows; quantiles as an array for each. */
static struct json_object *sets(const struct model *m)
{
	static const double part[] = { 0.5, 0.9, 0.99, 1 };
	static const char *const key[] = { "p50", "p90", "p99", "max" };
	struct json_object *array = json_object_new_array();
	size_t window, i;

	for (window = 0; window < WRITTEN_SET_WINDOWS; window++) {
		struct json_object *object = json_object_new_object();

		add_number(object, "seconds", written_set_seconds[window]);
		for (i = 0; i < sizeof(part) / sizeof(part[0]); i++)
			add_number(object, key[i], part[i] < 1 ?
				   histogram_quantile(&m->set[window], part[i]) :
				   m->set[window].max);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *set_at(const struct column *column)
{
	struct json_object *array = json_object_new_array();
	size_t window;

	for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
		json_object_array_add(array, json_object_new_int64((int64_t)column->set[window]));
	return array;
}

static struct json_object *columns(const struct model *m)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < m->columns; i++) {
		const struct column *column = &m->column[i];
		struct json_object *object = json_object_new_object();

		add_real(object, "from", model_time(m, i));
		add_real(object, "intervals", column->intervals);
		add_real(object, "seconds", column->seconds);
		add_real(object, "pages_written", column->written);
		add_real(object, "pages_written_unmapped", column->gone);
		add(object, "written_set", set_at(column));
		json_object_array_add(array, object);
	}
	return array;
}

/* Columns and values by turns, of what is not 0. */
static struct json_object *cells(const struct model *m, size_t row)
{
	struct json_object *array = json_object_new_array();
	size_t column;

	for (column = 0; column < m->columns; column++) {
		const double written = m->cell[row * m->columns + column];

		if (written <= 0)
			continue;
		json_object_array_add(array, json_object_new_int64((int64_t)column));
		json_object_array_add(array, real(written));
	}
	return array;
}

static struct json_object *scale(void)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < LEVELS; i++) {
		struct json_object *object = json_object_new_object();
		char colour[16];

		snprintf(colour, sizeof(colour), "#%06x", levels[i].colour);
		add_real(object, "most", levels[i].most);
		add_text(object, "text", levels[i].text);
		add_text(object, "colour", colour);
		json_object_array_add(array, object);
	}
	return array;
}

/* ---- views: not made as a whole first, since a heat map has up to two million cells */

struct out {
	FILE *to;
	bool in_page;
	bool any;		/* there is a member before the next one */
	int err;
};

/* What would end a script, or begin a comment in it, is written as JSON lets one write it. */
static void print_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '>' || *text == '&')
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, to);
	}
}

static void print(struct out *out, struct json_object *value)
{
	const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		out->err = -ENOMEM;
	else if (out->in_page)
		print_escaped(out->to, text);
	else
		fputs(text, out->to);
	json_object_put(value);
}

static void member(struct out *out, const char *key, struct json_object *value)
{
	fprintf(out->to, "%s\"%s\":", out->any ? "," : "", key);
	print(out, value);
	out->any = true;
}

static void print_segment(struct out *out, const struct model *m, const struct segment *s)
{
	struct json_object *head = json_object_new_object();
	size_t row;

	add_owner(head, m, s->span.process);
	add_text(head, "name", s->span.name);
	add_address(head, "start", s->span.start);
	add_address(head, "end", s->span.end);
	add_number(head, "pages_of_a_row", s->pages);
	fputs("{\"memory\":", out->to);
	print(out, head);
	fputs(",\"rows\":[", out->to);
	for (row = s->row; row < s->row + s->rows; row++) {
		if (row != s->row)
			fputc(',', out->to);
		print(out, cells(m, row));
	}
	fputs("]}", out->to);
}

static void print_heatmap(struct out *out, const struct model *m)
{
	size_t i;

	member(out, "columns", columns(m));
	fputs(",\"segments\":[", out->to);
	for (i = 0; i < m->axis.n; i++) {
		if (i)
			fputc(',', out->to);
		print_segment(out, m, &m->axis.segment[i]);
	}
	fputc(']', out->to);
	member(out, "ranges_left_out", json_object_new_int64((int64_t)m->axis.left_out));
	member(out, "pages_written_left_out",
	       json_object_new_int64((int64_t)m->axis.left_out_written));
}

static void print_mappings(struct out *out, const struct model *m)
{
	member(out, "mappings", mappings(m));
	member(out, "other_mappings", json_object_new_int64((int64_t)m->seen.other_mappings));
	member(out, "pages_written_other", json_object_new_int64((int64_t)m->seen.other_written));
}

static void begin(struct out *out, const struct model *m)
{
	fputc('{', out->to);
	member(out, "schema", json_object_new_int64(SCHEMA));
	member(out, "recording", recording(m));
	member(out, "total", totals(m));
}

int json_print(FILE *to, const struct model *m, enum view view)
{
	struct out out = { .to = to };

	begin(&out, m);
	member(&out, "view", json_object_new_string(view_name[view]));
	if (view == VIEW_SUMMARY || view == VIEW_WSS)
		member(&out, "written_set", sets(m));
	if (view == VIEW_SUMMARY)
		member(&out, "processes", processes(m));
	else if (view == VIEW_WSS)
		member(&out, "columns", columns(m));
	else if (view == VIEW_HEATMAP)
		print_heatmap(&out, m);
	else if (view == VIEW_MAPPINGS)
		print_mappings(&out, m);
	fputs("}\n", to);
	return out.err;
}

int json_print_page(FILE *to, const struct model *m)
{
	struct out out = { .to = to, .in_page = true };

	begin(&out, m);
	member(&out, "written_set", sets(m));
	print_heatmap(&out, m);
	print_mappings(&out, m);
	member(&out, "scale", scale());
	fputc('}', to);
	return out.err;
}

int json_moment(FILE *to, const struct moment *moment)
{
	struct json_object *object = json_object_new_object();
	struct out out = { .to = to };
	const struct column as_column = {
		.set = { moment->set[0], moment->set[1], moment->set[2] },
	};

	add_number(object, "schema", SCHEMA);
	add_number(object, "interval", moment->number);
	add_real(object, "time", moment->time);
	add_real(object, "seconds", moment->length);
	add_number(object, "pages_written", moment->written);
	add_number(object, "pages_written_unmapped", moment->gone);
	add_number(object, "pages_added", moment->added);
	add_number(object, "mappings", moment->mappings);
	add_number(object, "processes", moment->processes);
	add(object, "written_set", set_at(&as_column));
	if (moment->lost)
		add(object, "events_lost", json_object_new_boolean(true));
	print(&out, object);
	fputc('\n', to);
	return out.err;
}
