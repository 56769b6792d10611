// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics for Prometheus: the text, which a strict parser of the format reads, and the file.
 */
#include "unit.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "prometheus.h"
#include "top/metrics.h"
#include "watch/metrics.h"

static char folder[] = "/tmp/uffdwp-prometheus.XXXXXX";
static char path[64];
static char text[1 << 20];

static const char *read_file(void)
{
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[n] = 0;
	if (file)
		fclose(file);
	return text;
}

/* ---- the format: https://prometheus.io/docs/instrumenting/exposition_formats/ */

struct parser {
	const char *at;
	char family[128];	/* that HELP and TYPE were of */
	size_t samples;		/* of that family */
	char seen[64][128];	/* families */
	size_t families;
	size_t all;
};

static bool is_name(char c, bool first)
{
	return isalpha((unsigned char)c) || c == '_' || (!first && isdigit((unsigned char)c));
}

static void take_name(struct parser *p, char *name, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && is_name(*p->at, !n))
		name[n++] = *p->at++;
	assert_true(n > 0);
	name[n] = 0;
}

static void expect(struct parser *p, const char *what)
{
	if (strncmp(p->at, what, strlen(what)))
		fail_msg("expected '%s' at '%.60s'", what, p->at);
	p->at += strlen(what);
}

/* HELP of a family comes once, then its TYPE, then its samples; none of another in between. */
static void take_head(struct parser *p)
{
	char name[128];
	size_t i;

	if (p->families)
		assert_true(p->samples > 0);
	expect(p, "# HELP ");
	take_name(p, p->family, sizeof(p->family));
	for (i = 0; i < p->families; i++)
		assert_string_not_equal(p->seen[i], p->family);
	strcpy(p->seen[p->families++], p->family);
	expect(p, " ");
	for (; *p->at != '\n'; p->at++)
		assert_true(*p->at >= ' ' && *p->at != '\\');
	expect(p, "\n# TYPE ");
	take_name(p, name, sizeof(name));
	assert_string_equal(name, p->family);
	/* The names of counters, and of nothing else, end in _total. */
	if (strlen(name) > 6 && !strcmp(name + strlen(name) - 6, "_total"))
		expect(p, " counter\n");
	else
		expect(p, " gauge\n");
	p->samples = 0;
}

static void take_label(struct parser *p)
{
	char name[64];

	take_name(p, name, sizeof(name));
	expect(p, "=\"");
	while (*p->at != '"') {
		assert_true(*p->at && *p->at != '\n');
		if (*p->at == '\\') {
			p->at++;
			assert_true(*p->at == '\\' || *p->at == '"' || *p->at == 'n');
		}
		p->at++;
	}
	p->at++;
}

static void take_sample(struct parser *p)
{
	char name[128], *end;

	take_name(p, name, sizeof(name));
	assert_string_equal(name, p->family);
	if (*p->at == '{') {
		do {
			p->at++;
			take_label(p);
		} while (*p->at == ',');
		expect(p, "}");
	}
	expect(p, " ");
	assert_true(isdigit((unsigned char)*p->at));
	strtod(p->at, &end);
	p->at = end;
	/* No timestamp: the collector refuses them. */
	expect(p, "\n");
	p->samples++;
	p->all++;
}

static size_t assert_format(const char *metrics)
{
	struct parser p = { .at = metrics };

	while (*p.at) {
		if (*p.at == '#')
			take_head(&p);
		else
			take_sample(&p);
	}
	assert_true(p.samples > 0);
	return p.all;
}

static const char *printed(const struct prometheus_metrics *metrics)
{
	FILE *to = fmemopen(text, sizeof(text), "w");

	prometheus_print(to, metrics);
	fclose(to);
	return text;
}

static void golden(void **state)
{
	static const struct prometheus_state states[] = { { "tracked", 1 }, { "kernel", 95 } };
	static const struct prometheus_sample process = {
		.pid = 42, .process = "a\"b\\033\\x", .written = 900, .rate = 1024000.5,
		.tracked = 1000, .set = { 1, 2, 3 },
	};
	static const struct prometheus_sample names[] = {
		{ .pid = 42, .process = "x", .name = "[heap]", .written = 1 },
		{ .pid = 42, .process = "x", .name = "/tmp/a b{}=,\n" },
	};
	const struct prometheus_metrics metrics = {
		.time = 1700000000.25, .written = 1000, .states = states, .n_states = 2,
		.processes = &process, .n_processes = 1, .names = names, .n_names = 2,
	};

	(void)state;
	assert_string_equal(printed(&metrics),
"# HELP uffdwp_last_report_timestamp_seconds When this was measured.\n"
"# TYPE uffdwp_last_report_timestamp_seconds gauge\n"
"uffdwp_last_report_timestamp_seconds 1700000000.250\n"
"# HELP uffdwp_written_pages_total Pages written by all processes, also by those that have ended.\n"
"# TYPE uffdwp_written_pages_total counter\n"
"uffdwp_written_pages_total 1000\n"
"# HELP uffdwp_processes_left_out Processes without metrics of their own.\n"
"# TYPE uffdwp_processes_left_out gauge\n"
"uffdwp_processes_left_out 0\n"
"# HELP uffdwp_processes Processes that are tracked, and that are not.\n"
"# TYPE uffdwp_processes gauge\n"
"uffdwp_processes{state=\"tracked\"} 1\n"
"uffdwp_processes{state=\"kernel\"} 95\n"
"# HELP uffdwp_process_written_pages_total Pages of 4096 bytes written since tracking began, once an interval each.\n"
"# TYPE uffdwp_process_written_pages_total counter\n"
"uffdwp_process_written_pages_total{pid=\"42\",process=\"a\\\"b\\\\033\\\\x\"} 900\n"
"# HELP uffdwp_process_write_rate_bytes_per_second Bytes in pages written in the last interval, a second.\n"
"# TYPE uffdwp_process_write_rate_bytes_per_second gauge\n"
"uffdwp_process_write_rate_bytes_per_second{pid=\"42\",process=\"a\\\"b\\\\033\\\\x\"} 1024000.5\n"
"# HELP uffdwp_process_tracked_bytes Memory in which writes are seen.\n"
"# TYPE uffdwp_process_tracked_bytes gauge\n"
"uffdwp_process_tracked_bytes{pid=\"42\",process=\"a\\\"b\\\\033\\\\x\"} 4096000\n"
"# HELP uffdwp_process_written_set_bytes Memory that was written in the last seconds, each page once.\n"
"# TYPE uffdwp_process_written_set_bytes gauge\n"
"uffdwp_process_written_set_bytes{pid=\"42\",process=\"a\\\"b\\\\033\\\\x\",window=\"1s\"} 4096\n"
"uffdwp_process_written_set_bytes{pid=\"42\",process=\"a\\\"b\\\\033\\\\x\",window=\"10s\"} 8192\n"
"uffdwp_process_written_set_bytes{pid=\"42\",process=\"a\\\"b\\\\033\\\\x\",window=\"60s\"} 12288\n"
"# HELP uffdwp_mapping_written_pages_total Pages of 4096 bytes written since tracking began, once an interval each.\n"
"# TYPE uffdwp_mapping_written_pages_total counter\n"
"uffdwp_mapping_written_pages_total{pid=\"42\",process=\"x\",name=\"[heap]\"} 1\n"
"uffdwp_mapping_written_pages_total{pid=\"42\",process=\"x\",name=\"/tmp/a b{}=,\\n\"} 0\n"
"# HELP uffdwp_mapping_write_rate_bytes_per_second Bytes in pages written in the last interval, a second.\n"
"# TYPE uffdwp_mapping_write_rate_bytes_per_second gauge\n"
"uffdwp_mapping_write_rate_bytes_per_second{pid=\"42\",process=\"x\",name=\"[heap]\"} 0\n"
"uffdwp_mapping_write_rate_bytes_per_second{pid=\"42\",process=\"x\",name=\"/tmp/a b{}=,\\n\"} 0\n"
"# HELP uffdwp_mapping_tracked_bytes Memory in which writes are seen.\n"
"# TYPE uffdwp_mapping_tracked_bytes gauge\n"
"uffdwp_mapping_tracked_bytes{pid=\"42\",process=\"x\",name=\"[heap]\"} 0\n"
"uffdwp_mapping_tracked_bytes{pid=\"42\",process=\"x\",name=\"/tmp/a b{}=,\\n\"} 0\n"
"# HELP uffdwp_mapping_written_set_bytes Memory that was written in the last seconds, each page once.\n"
"# TYPE uffdwp_mapping_written_set_bytes gauge\n"
"uffdwp_mapping_written_set_bytes{pid=\"42\",process=\"x\",name=\"[heap]\",window=\"1s\"} 0\n"
"uffdwp_mapping_written_set_bytes{pid=\"42\",process=\"x\",name=\"[heap]\",window=\"10s\"} 0\n"
"uffdwp_mapping_written_set_bytes{pid=\"42\",process=\"x\",name=\"[heap]\",window=\"60s\"} 0\n"
"uffdwp_mapping_written_set_bytes{pid=\"42\",process=\"x\",name=\"/tmp/a b{}=,\\n\",window=\"1s\"} 0\n"
"uffdwp_mapping_written_set_bytes{pid=\"42\",process=\"x\",name=\"/tmp/a b{}=,\\n\",window=\"10s\"} 0\n"
"uffdwp_mapping_written_set_bytes{pid=\"42\",process=\"x\",name=\"/tmp/a b{}=,\\n\",window=\"60s\"} 0\n");
	assert_int_equal(assert_format(text), 5 + 6 + 12);
}

static void nothing_is_well_formed(void **state)
{
	const struct prometheus_metrics metrics = { .time = 1 };

	(void)state;
	assert_int_equal(assert_format(printed(&metrics)), 3);
}

/* A report of more processes than there may be series of: those that write most have some. */
static void series_are_bounded(void **state)
{
	struct prometheus_file file = { .path = path };
	struct top_report report = { .interval = 1 };
	struct top_row row = { .name = "x", .interval = 1 };
	pid_t i;

	(void)state;
	for (i = 1; i <= 600; i++) {
		row.pid = i;
		row.written = i;
		row.all_written = i;
		row.ended = i == 600;
		assert_int_equal(top_add(&report, &row), 0);
	}
	assert_int_equal(metrics_update(&file, &report, 1), 0);
	assert_int_equal(assert_format(read_file()), 3 + 1 + REFUSALS + 500 * 6);
	assert_non_null(strstr(text, "uffdwp_processes_left_out 99\n"));
	assert_null(strstr(text, "{pid=\"99\","));
	assert_non_null(strstr(text, "{pid=\"100\","));
	assert_non_null(strstr(text, "{pid=\"599\","));
	/* It has ended, and its number may be another's. */
	assert_null(strstr(text, "{pid=\"600\","));
	prometheus_end(&file);
	assert_int_equal(access(path, F_OK), -1);
	top_free(&report);
}

static void a_file_is_written_whole(void **state)
{
	const struct prometheus_metrics metrics = { .time = 5 };
	char why[256], command[128];
	struct stat stat_of;
	mode_t mask = umask(077);

	(void)state;
	assert_int_equal(prometheus_check(path, why, sizeof(why)), 0);
	assert_int_equal(prometheus_write(path, &metrics), 0);
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 07777, 0644);
	assert_format(read_file());
	/* Ours is written again. */
	assert_int_equal(prometheus_check(path, why, sizeof(why)), 0);
	assert_int_equal(prometheus_write(path, &metrics), 0);
	/* Nothing else is left in the folder. */
	snprintf(command, sizeof(command), "[ $(ls %s | wc -l) = 1 ]", folder);
	assert_int_equal(system(command), 0);
	umask(mask);
	unlink(path);
}

static void what_is_not_ours_stays(void **state)
{
	char why[256];
	FILE *file = fopen(path, "we");

	(void)state;
	fputs("precious\n", file);
	fclose(file);
	assert_int_equal(prometheus_check(path, why, sizeof(why)), -EEXIST);
	assert_non_null(strstr(why, "something else in it"));
	unlink(path);
	/* An empty one is as good as none. */
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(prometheus_check(path, why, sizeof(why)), 0);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(prometheus_check(path, why, sizeof(why)), -EEXIST);
	assert_non_null(strstr(why, "no ordinary file"));
	unlink(path);
	assert_int_equal(prometheus_check(folder, why, sizeof(why)), -EEXIST);
	assert_int_equal(prometheus_check("/dev/null/x", why, sizeof(why)), -ENOTDIR);
	assert_int_equal(prometheus_check("/no/such/folder/x", why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "cannot write metrics to /no/such/folder/x: No such file or directory");
}

/* Before there was one that is an error; after that, the next interval may do better. */
static void a_folder_may_go_away(void **state)
{
	const struct prometheus_metrics metrics = { .time = 5 };
	struct prometheus_file file = { .path = "/no/such/folder/file" };

	(void)state;
	assert_int_equal(prometheus_update(&file, &metrics), -ENOENT);
	file.written = true;
	assert_int_equal(prometheus_update(&file, &metrics), 0);
	assert_true(file.told);
	file.path = path;
	assert_int_equal(prometheus_update(&file, &metrics), 0);
	assert_false(file.told);
	prometheus_end(&file);
	file.path = NULL;
	assert_int_equal(prometheus_update(&file, &metrics), 0);
}

/* ---- of watch: by the names of mappings */

static struct report report_of(double elapsed)
{
	struct report r = { .elapsed = elapsed, .interval = 1, .wants_regions = true };

	assert_int_equal(report_add_process(&r, &(struct report_process){
		.pid = 42, .name = "x", .gone = { .written = 7 } }), 0);
	return r;
}

static void add_mapping(struct report *r, const char *name, uint64_t start, uint64_t written)
{
	const struct report_line line = {
		.start = start, .end = start + 16 * 4096, .name = name, .tracked = 16,
		.written = written,
	};

	assert_int_equal(report_add(r, &line), 0);
	assert_int_equal(report_add_region(r, 0, start, start + written * 4096), 0);
}

static void watch_counts_by_names(void **state)
{
	struct watch_metrics m = { .file = { .path = path } };
	struct report r;
	int i;

	(void)state;
	for (i = 1; i <= 2; i++) {
		r = report_of(i);
		add_mapping(&r, "anon", 0x10000, 3);
		add_mapping(&r, "[heap]", 0x30000, 1);
		add_mapping(&r, "anon", 0x50000, 2);
		assert_int_equal(watch_metrics_take(&m, &r, 5), 0);
		report_free(&r);
	}
	assert_format(read_file());
	assert_non_null(strstr(text, "uffdwp_written_pages_total 26\n"));
	assert_non_null(strstr(text, "process_written_pages_total{pid=\"42\",process=\"x\"} 26\n"));
	assert_non_null(strstr(text, "mapping_written_pages_total{pid=\"42\",process=\"x\",name=\"anon\"} 10\n"));
	assert_non_null(strstr(text, "mapping_tracked_bytes{pid=\"42\",process=\"x\",name=\"anon\"} 131072\n"));
	assert_non_null(strstr(text, "mapping_write_rate_bytes_per_second{pid=\"42\",process=\"x\",name=\"[heap]\"} 4096\n"));
	assert_non_null(strstr(text, "written_set_bytes{pid=\"42\",process=\"x\",name=\"anon\",window=\"60s\"} 20480\n"));
	assert_non_null(strstr(text, "mapping_written_pages_total{pid=\"42\",process=\"x\",name=\"no longer mapped\"} 14\n"));
	/* What is not mapped any more has a counter, and nothing else. */
	r = report_of(3);
	assert_int_equal(watch_metrics_take(&m, &r, 5), 0);
	report_free(&r);
	assert_format(read_file());
	assert_non_null(strstr(text, "mapping_written_pages_total{pid=\"42\",process=\"x\",name=\"anon\"} 10\n"));
	assert_non_null(strstr(text, "mapping_tracked_bytes{pid=\"42\",process=\"x\",name=\"anon\"} 0\n"));
	assert_non_null(strstr(text, "written_set_bytes{pid=\"42\",process=\"x\",name=\"anon\",window=\"60s\"} 0\n"));
	watch_metrics_end(&m);
	assert_int_equal(access(path, F_OK), -1);
}

static void names_are_bounded(void **state)
{
	struct watch_metrics m = { .file = { .path = path } };
	char name[300][16];
	struct report r = report_of(1);
	uint64_t i;

	(void)state;
	for (i = 0; i < 300; i++) {
		sprintf(name[i], "name%d", (int)i);
		add_mapping(&r, name[i], (2 * i + 1) << 20, 1);
	}
	assert_int_equal(watch_metrics_take(&m, &r, 5), 0);
	/* Each of 201 names, the last is "other", has six lines, as the process has. */
	assert_int_equal(assert_format(read_file()), 3 + 1 + 6 + 201 * 6);
	assert_non_null(strstr(text, "name=\"name199\""));
	assert_null(strstr(text, "name=\"name200\""));
	/* And the memory that is gone. */
	assert_non_null(strstr(text, "written_pages_total{pid=\"42\",process=\"x\",name=\"other\"} 107\n"));
	report_free(&r);
	watch_metrics_end(&m);
}

static void processes_are_bounded_and_forgotten(void **state)
{
	struct watch_metrics m = { .file = { .path = path } };
	struct report r = { .elapsed = 1, .interval = 1 };
	pid_t pid;

	(void)state;
	for (pid = 1; pid <= 510; pid++)
		assert_int_equal(report_add_process(&r, &(struct report_process){
			.pid = pid, .name = "x", .ended = pid == 1 }), 0);
	assert_int_equal(watch_metrics_take(&m, &r, 5), 0);
	assert_format(read_file());
	assert_non_null(strstr(text, "uffdwp_processes_left_out 10\n"));
	assert_null(strstr(text, "{pid=\"1\","));
	assert_non_null(strstr(text, "{pid=\"2\","));
	report_clear(&r);
	assert_int_equal(watch_metrics_take(&m, &r, 5), 0);
	assert_int_equal(assert_format(read_file()), 4);
	report_free(&r);
	watch_metrics_end(&m);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/x.prom", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(nothing_is_well_formed),
		cmocka_unit_test(series_are_bounded),
		cmocka_unit_test(a_file_is_written_whole),
		cmocka_unit_test(what_is_not_ours_stays),
		cmocka_unit_test(a_folder_may_go_away),
		cmocka_unit_test(watch_counts_by_names),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(processes_are_bounded_and_forgotten),
	};

	return cmocka_run_group_tests_name("prometheus", tests, make_folder, remove_folder);
}
