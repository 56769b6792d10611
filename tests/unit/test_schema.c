// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON of watch, top and report is what their manuals say. That of blame is in test_blame.c.
 */
#include "schema.h"

#include "recording/recording.h"
#include "report.h"
#include "report/json.h"
#include "report/model.h"
#include "report/source.h"
#include "../report/made.h"
#include "top/rows.h"

#define RECORDING "build/tests/unit/schema.data"

static const struct field of_watch[] = {
	{ "schema", NUMBER, false },
	{ "report", NUMBER, false },
	{ "elapsed", REAL, false },
	{ "interval", REAL, false },
	{ "mappings", ARRAY, false },
	{ "mappings[].pid", NUMBER, OPTIONAL },
	{ "mappings[].start", TEXT, OPTIONAL },
	{ "mappings[].end", TEXT, OPTIONAL },
	{ "mappings[].ranges", NUMBER, OPTIONAL },
	{ "mappings[].name", TEXT, false },
	{ "mappings[].pages_tracked", NUMBER, false },
	{ "mappings[].pages_written", NUMBER, false },
	{ "mappings[].pages_added", NUMBER, false },
	{ "mappings[].share", REAL, false },
	{ "mappings[].bytes_per_second", REAL, false },
	{ "mappings[].written_set", OBJECT, false },
	{ "mappings[].written_set.1s", NUMBER, false },
	{ "mappings[].written_set.10s", NUMBER, false },
	{ "mappings[].written_set.60s", NUMBER, false },
	{ "left_out", NUMBER, OPTIONAL },
	{ "total", OBJECT, false },
	{ "total.pages_tracked", NUMBER, false },
	{ "total.pages_written", NUMBER, false },
	{ "total.pages_added", NUMBER, false },
	{ "total.share", REAL, false },
	{ "total.bytes_per_second", REAL, false },
	{ "total.written_set", OBJECT, false },
	{ "total.written_set.1s", NUMBER, false },
	{ "total.written_set.10s", NUMBER, false },
	{ "total.written_set.60s", NUMBER, false },
	{ "not_tracked", ARRAY, false },
	{ "not_tracked[].kind", TEXT, false },
	{ "not_tracked[].mappings", NUMBER, false },
	{ "not_tracked[].bytes", NUMBER, false },
	{ "pages_written_unmapped", NUMBER, OPTIONAL },
	{ "bytes_mapped", NUMBER, OPTIONAL },
	{ "mappings_mapped", NUMBER, OPTIONAL },
	{ "bytes_unmapped", NUMBER, OPTIONAL },
	{ "mappings_unmapped", NUMBER, OPTIONAL },
	{ "pages_presumed", NUMBER, OPTIONAL },
	{ "processes", ARRAY, OPTIONAL },
	{ "processes[].pid", NUMBER, false },
	{ "processes[].name", TEXT, false },
	{ "processes[].pages_tracked", NUMBER, false },
	{ "processes[].pages_written", NUMBER, false },
	{ "processes[].pages_added", NUMBER, false },
	{ "processes[].share", REAL, false },
	{ "processes[].bytes_per_second", REAL, false },
	{ "processes[].written_set", OBJECT, false },
	{ "processes[].written_set.1s", NUMBER, false },
	{ "processes[].written_set.10s", NUMBER, false },
	{ "processes[].written_set.60s", NUMBER, false },
	{ "processes[].pages_written_unmapped", NUMBER, OPTIONAL },
	{ "processes[].bytes_mapped", NUMBER, OPTIONAL },
	{ "processes[].mappings_mapped", NUMBER, OPTIONAL },
	{ "processes[].bytes_unmapped", NUMBER, OPTIONAL },
	{ "processes[].mappings_unmapped", NUMBER, OPTIONAL },
	{ "processes[].pages_presumed", NUMBER, OPTIONAL },
	{ "processes[].status", NUMBER, OPTIONAL },
	{ "processes[].signal", NUMBER, OPTIONAL },
	{ "processes_not_followed", NUMBER, OPTIONAL },
	{ "written_set_incomplete", TRUTH, OPTIONAL },
	{ "events_lost", TRUTH, OPTIONAL },
};

static void check_report(struct schema *s, const struct report *report)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(report_print_json(to, report), 0);
	fclose(to);
	check_text(s, text);
	free(text);
}

/* Of two processes, one of which has ended, and all has happened that can. */
static struct report everything(void)
{
	struct report r = {
		.number = 3, .elapsed = 3.5, .interval = 1, .has_sets = true, .by_process = true,
		.sets_incomplete = true, .not_followed = 1, .lost = true,
	};
	struct report_process process = {
		.pid = 7, .name = "one", .gone = { .written = 2 }, .presumed = 1, .mapped = 1,
		.mapped_bytes = 4096, .unmapped = 1, .unmapped_bytes = 4096,
	};

	assert_int_equal(report_add_process(&r, &process), 0);
	process.ended = true;
	process.status = 9;
	assert_int_equal(report_add_process(&r, &process), 0);
	process.status = 3 << 8;
	assert_int_equal(report_add_process(&r, &process), 0);
	assert_int_equal(report_add(&r, &(struct report_line){
		.start = 0x1000, .end = 0x5000, .name = "[heap]", .tracked = 4, .written = 1,
	}), 0);
	assert_int_equal(report_add(&r, &(struct report_line){
		.start = 0x7000, .end = 0x8000, .name = "anon", .tracked = 1,
	}), 0);
	report_skip(&r, MAP_GIANT, 4096);
	return r;
}

static void watch_prints_what_its_manual_says(void **state)
{
	struct schema s = SCHEMA_OF(of_watch);
	struct report r = everything();

	(void)state;
	check_report(&s, &r);
	report_by_name(&r);
	report_top(&r, 1);
	check_report(&s, &r);
	report_clear(&r);
	r.by_process = false;
	check_report(&s, &r);
	report_free(&r);
	check_all_seen(&s);
	check_manual(&s, "tools/man/uffdwp-watch.1");
}

#define COUNTS_OF_TOP(of)						\
	{ of "pages_tracked", NUMBER, false },				\
	{ of "pages_written", NUMBER, false },				\
	{ of "pages_written_all", NUMBER, false },			\
	{ of "share", REAL, false },					\
	{ of "bytes_per_second", REAL, false },				\
	{ of "pages_written_set", OBJECT, false },			\
	{ of "pages_written_set.1", NUMBER, false },			\
	{ of "pages_written_set.10", NUMBER, false },			\
	{ of "pages_written_set.60", NUMBER, false }

static const struct field of_top[] = {
	{ "schema", NUMBER, false },
	{ "report", NUMBER, false },
	{ "elapsed", REAL, false },
	{ "interval", REAL, false },
	{ "processes", ARRAY, false },
	{ "processes[].pid", NUMBER, false },
	{ "processes[].user", TEXT, false },
	{ "processes[].name", TEXT, false },
	COUNTS_OF_TOP("processes[]."),
	{ "processes[].interval", REAL, false },
	{ "processes[].ended", TRUTH, OPTIONAL },
	{ "processes[].events_lost", TRUTH, OPTIONAL },
	{ "left_out", NUMBER, OPTIONAL },
	{ "total", OBJECT, false },
	COUNTS_OF_TOP("total."),
	{ "total.processes", NUMBER, false },
	{ "not_tracked", OBJECT, false },
	{ "not_tracked.other_tracker", NUMBER, false },
	{ "not_tracked.no_permission", NUMBER, false },
	{ "not_tracked.kernel", NUMBER, false },
	{ "not_tracked.no_file_descriptor", NUMBER, false },
	{ "not_tracked.failed", NUMBER, false },
	{ "written_set_incomplete", TRUTH, OPTIONAL },
};

static void check_top(struct schema *s, const struct top_report *report)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(top_print_json(to, report), 0);
	fclose(to);
	check_text(s, text);
	free(text);
}

static void top_prints_what_its_manual_says(void **state)
{
	struct schema s = SCHEMA_OF(of_top);
	struct top_report r = { .number = 1, .elapsed = 1.5, .interval = 1.5 };
	struct top_row row = {
		.pid = 1, .user = "root", .name = "init", .tracked = 9, .written = 2,
		.interval = 1.5, .ended = true, .lost = true,
	};

	(void)state;
	check_top(&s, &r);
	assert_int_equal(top_add(&r, &row), 0);
	row = (struct top_row){ .pid = 2, .user = "root", .name = "kthreadd", .interval = 1 };
	assert_int_equal(top_add(&r, &row), 0);
	r.set_incomplete = true;
	check_top(&s, &r);
	top_cut(&r, 1);
	check_top(&s, &r);
	top_free(&r);
	check_all_seen(&s);
	check_manual(&s, "tools/man/uffdwp-top.1");
}

static const struct field of_report[] = {
	{ "schema", NUMBER, false },
	{ "recording", OBJECT, OPTIONAL },
	{ "recording.what", TEXT, false },
	{ "recording.began", TEXT, false },
	{ "recording.began_ns", NUMBER, false },
	{ "recording.interval", REAL, false },
	{ "recording.children", TRUTH, false },
	{ "recording.host", TEXT, false },
	{ "recording.kernel", TEXT, false },
	{ "recording.tool", TEXT, false },
	{ "recording.intervals", NUMBER, false },
	{ "recording.whole", TRUTH, false },
	{ "recording.note", TEXT, OPTIONAL },
	{ "total", OBJECT, OPTIONAL },
	{ "total.from", REAL, false },
	{ "total.to", REAL, false },
	{ "total.intervals", NUMBER, false },
	{ "total.seconds", REAL, false },
	{ "total.pages_written", NUMBER, false },
	{ "total.pages_written_unmapped", NUMBER, false },
	{ "total.bytes_per_second", REAL, OPTIONAL },
	{ "total.busiest_time", REAL, OPTIONAL },
	{ "total.busiest_bytes_per_second", REAL, OPTIONAL },
	{ "total.not_seen", OBJECT, false },
	{ "total.not_seen.bytes_not_tracked", NUMBER, false },
	{ "total.not_seen.processes_not_followed", NUMBER, false },
	{ "total.not_seen.intervals_events_lost", NUMBER, false },
	{ "total.not_seen.seconds_not_recorded", REAL, false },
	{ "total.not_seen.pages_presumed", NUMBER, false },
	{ "view", TEXT, OPTIONAL },
	{ "written_set", ARRAY, OPTIONAL },
	{ "written_set[].seconds", NUMBER, false },
	{ "written_set[].p50", NUMBER, false },
	{ "written_set[].p90", NUMBER, false },
	{ "written_set[].p99", NUMBER, false },
	{ "written_set[].max", NUMBER, false },
	{ "processes", ARRAY, OPTIONAL },
	{ "processes[].pid", NUMBER, false },
	{ "processes[].name", TEXT, false },
	{ "processes[].first", REAL, false },
	{ "processes[].last", REAL, false },
	{ "processes[].pages_written", NUMBER, false },
	{ "processes[].pages_written_unmapped", NUMBER, false },
	{ "processes[].pages_presumed", NUMBER, false },
	{ "processes[].status", NUMBER, OPTIONAL },
	{ "processes[].signal", NUMBER, OPTIONAL },
	{ "columns", ARRAY, OPTIONAL },
	{ "columns[].from", REAL, false },
	{ "columns[].intervals", REAL, false },
	{ "columns[].seconds", REAL, false },
	{ "columns[].pages_written", REAL, false },
	{ "columns[].pages_written_unmapped", REAL, false },
	{ "columns[].written_set", ARRAY, false },
	{ "segments", ARRAY, OPTIONAL },
	{ "segments[].memory", OBJECT, false },
	{ "segments[].memory.pid", NUMBER, false },
	{ "segments[].memory.process", TEXT, false },
	{ "segments[].memory.name", TEXT, false },
	{ "segments[].memory.start", TEXT, false },
	{ "segments[].memory.end", TEXT, false },
	{ "segments[].memory.pages_of_a_row", NUMBER, false },
	{ "segments[].rows", ARRAY, false },
	{ "ranges_left_out", NUMBER, OPTIONAL },
	{ "pages_written_left_out", NUMBER, OPTIONAL },
	{ "mappings", ARRAY, OPTIONAL },
	{ "mappings[].pid", NUMBER, false },
	{ "mappings[].process", TEXT, false },
	{ "mappings[].start", TEXT, false },
	{ "mappings[].end", TEXT, false },
	{ "mappings[].name", TEXT, false },
	{ "mappings[].pages_tracked", NUMBER, false },
	{ "mappings[].pages_written", NUMBER, false },
	{ "mappings[].most_in_an_interval", NUMBER, false },
	{ "mappings[].intervals", NUMBER, false },
	{ "mappings[].first", REAL, false },
	{ "mappings[].last", REAL, false },
	{ "other_mappings", NUMBER, OPTIONAL },
	{ "pages_written_other", NUMBER, OPTIONAL },
};

/* Lines of their own, of which two fields are numbers that are lists elsewhere. */
static const struct field of_times[] = {
	{ "schema", NUMBER, false },
	{ "interval", NUMBER, false },
	{ "time", REAL, false },
	{ "seconds", REAL, false },
	{ "pages_written", NUMBER, false },
	{ "pages_written_unmapped", NUMBER, false },
	{ "pages_added", NUMBER, false },
	{ "mappings", NUMBER, false },
	{ "processes", NUMBER, false },
	{ "written_set", ARRAY, false },
	{ "events_lost", TRUTH, OPTIONAL },
};

static void check_views(struct schema *s, const struct model *m)
{
	char *text;
	size_t size;
	int view;

	for (view = 0; view < VIEW_TIMES; view++) {
		FILE *to = open_memstream(&text, &size);

		assert_int_equal(json_print(to, m, view), 0);
		fclose(to);
		check_text(s, text);
		free(text);
	}
}

static void check_recording(struct schema *s, int (*make)(const char *path), bool cut)
{
	const struct model_query query = { .columns = 40, .rows = 20 };
	struct recording_reader *reader;
	struct source source;
	struct model model;
	char why[200];

	assert_int_equal(make(RECORDING), 0);
	if (cut)
		assert_int_equal(truncate(RECORDING, 3000), 0);
	assert_int_equal(recording_open(RECORDING, &reader, why, sizeof(why)), 0);
	source = (struct source){
		.arg = reader, .header = recording_header(reader),
		.next = (int (*)(void *, struct recording_interval *))recording_next,
		.rewind = (int (*)(void *))recording_rewind,
	};
	assert_int_equal(model_read(&model, &source, &query), 0);
	check_views(s, &model);
	model_free(&model);
	recording_close(reader);
}

static void check_moments(struct schema *s)
{
	struct moment moment = { .number = 1, .time = 1, .length = 1 };
	char *text = NULL;
	size_t size;
	int i;

	for (i = 0; i < 2; i++) {
		FILE *to = open_memstream(&text, &size);

		moment.lost = i;
		assert_int_equal(json_moment(to, &moment), 0);
		fclose(to);
		check_text(s, text);
		free(text);
	}
	check_all_seen(s);
}

/* One process ends as it likes, the other is killed. */
static int made_killed(const char *path)
{
	struct made made;
	struct recording_process *process;

	made_begin(&made, path, "sh", 1);
	process = made_process(&made, 5, "sh");
	process->ended = true;
	process->status = 9;
	process->gone = 3;
	made_interval(&made, 1, 1);
	return made_end(&made);
}

static void report_prints_what_its_manual_says(void **state)
{
	struct schema s = SCHEMA_OF(of_report), times = SCHEMA_OF(of_times), both;
	struct field all[MOST_FIELDS];
	size_t i;

	(void)state;
	check_recording(&s, made_family, false);
	check_recording(&s, made_server, true);
	check_recording(&s, made_killed, false);
	check_all_seen(&s);
	check_moments(&times);
	both = (struct schema){ .field = all, .n = s.n + times.n };
	assert_true(both.n <= MOST_FIELDS);
	for (i = 0; i < both.n; i++)
		all[i] = i < s.n ? s.field[i] : times.field[i - s.n];
	check_manual(&both, "tools/man/uffdwp-report.1");
	unlink(RECORDING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(watch_prints_what_its_manual_says),
		cmocka_unit_test(top_prints_what_its_manual_says),
		cmocka_unit_test(report_prints_what_its_manual_says),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
