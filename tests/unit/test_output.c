// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers, bars and reports, for people and for programs.
 */
#include "unit.h"

#include <json-c/json.h>
#include <locale.h>
#include <stdlib.h>

#include "watch/goodbye.h"
#include "human.h"
#include "report.h"

static void assert_bytes(double bytes, const char *expected)
{
	char text[16];

	human_bytes(bytes, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void bytes_in_a_few_digits(void **state)
{
	(void)state;
	assert_bytes(0, "0 B");
	assert_bytes(999, "999 B");
	assert_bytes(1023, "1023 B");
	assert_bytes(1024, "1.0 KiB");
	assert_bytes(4096, "4.0 KiB");
	assert_bytes(1024 * 1024 - 1, "1.0 MiB");
	assert_bytes(1536.0 * 1024 * 1024, "1.5 GiB");
	assert_bytes(8e18, "7105.4 PiB");
}

static void assert_short(double bytes, const char *expected)
{
	char text[16];

	human_short_bytes(bytes, text, sizeof(text));
	assert_string_equal(text, expected);
	assert_true(strlen(text) <= 4);
}

static void assert_short_count(uint64_t n, const char *expected)
{
	char text[16];

	human_short_count(n, text, sizeof(text));
	assert_string_equal(text, expected);
	assert_true(strlen(text) <= 5);
}

static void numbers_for_columns(void **state)
{
	(void)state;
	assert_short(0, "0");
	assert_short(999, "999B");
	assert_short(1000, "1.0K");
	assert_short(4096, "4.0K");
	assert_short(9.96 * 1024, "10K");
	assert_short(999.4 * 1024, "999K");
	assert_short(999.6 * 1024, "1.0M");
	assert_short(1.5 * (1 << 30), "1.5G");
	assert_short(8e18, "6.9E");
	assert_short_count(0, "0");
	assert_short_count(99999, "99999");
	assert_short_count(100000, "100k");
	assert_short_count(1234567, "1.2M");
	assert_short_count(UINT64_MAX, "18E");
}

static void assert_bar(double share, bool utf8, const char *expected)
{
	char text[32];

	human_bar(share, 4, utf8, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void bars(void **state)
{
	(void)state;
	assert_bar(0, false, "    ");
	assert_bar(1, false, "####");
	assert_bar(0.5, false, "##  ");
	assert_bar(0.0001, false, ".   ");
	assert_bar(7, false, "####");
	assert_bar(-1, false, "    ");
	assert_bar(1, true, "\u2588\u2588\u2588\u2588");
	assert_bar(0.5 + 1.0 / 32, true, "\u2588\u2588\u258f ");
	assert_bar(0.0001, true, "\u258f   ");
}

static void long_names(void **state)
{
	char text[32];

	(void)state;
	human_tail("[heap]", 10, true, text, sizeof(text));
	assert_string_equal(text, "[heap]    ");
	human_tail("0123456789", 10, true, text, sizeof(text));
	assert_string_equal(text, "0123456789");
	human_tail("/usr/lib/libc.so.6", 10, true, text, sizeof(text));
	assert_string_equal(text, "~libc.so.6");
	/* A character is a column, and is not cut into its bytes. */
	human_tail("/\u00e9\u00e9\u00e9\u00e9", 4, true, text, sizeof(text));
	assert_string_equal(text, "~\u00e9\u00e9\u00e9");
	/* Nor one that takes two columns; one that takes none goes with the one before. */
	human_tail("/\u4e16\u4e16\u4e16", 6, true, text, sizeof(text));
	assert_string_equal(text, "~\u4e16\u4e16 ");
	human_tail("abe\u0301f", 3, true, text, sizeof(text));
	assert_string_equal(text, "~e\u0301f");
	human_tail("abe\u0301f", 2, true, text, sizeof(text));
	assert_string_equal(text, "~f");
	human_tail("\u00e9", 3, true, text, sizeof(text));
	assert_string_equal(text, "\u00e9  ");
	/* A terminal that does not know UTF-8 might obey a part of it. */
	human_tail("/\u00e9\u4e16x", 10, false, text, sizeof(text));
	assert_string_equal(text, "/??x      ");
}

/* A line on standard output, in that locale; and in a file */
static void assert_printed(const char *locale, const char *expected)
{
	char text[64] = "", *in_file = NULL;
	const int saved = dup(STDOUT_FILENO);
	FILE *got = tmpfile(), *file;
	size_t size;

	assert_non_null(setlocale(LC_CTYPE, locale));
	fflush(stdout);
	dup2(fileno(got), STDOUT_FILENO);
	human_print(stdout, "%d %s|", 7, "\u06db31m\u00e9\u4e16x");
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	file = open_memstream(&in_file, &size);
	human_print(file, "%d %s|", 7, "\u00e9");
	fclose(file);
	setlocale(LC_CTYPE, "C.UTF-8");
	rewind(got);
	assert_non_null(fgets(text, sizeof(text), got));
	fclose(got);
	assert_string_equal(text, expected);
	assert_string_equal(in_file, "7 \u00e9|");
	free(in_file);
}

static void what_a_terminal_does_not_know_is_not_printed(void **state)
{
	(void)state;
	assert_printed("C.UTF-8", "7 \u06db31m\u00e9\u4e16x|");
	assert_printed("C", "7 ?31m??x|");
}

static void assert_clean(const char *raw, size_t len, const char *expected)
{
	char text[64];

	human_clean(raw, len, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void nothing_that_a_terminal_would_obey(void **state)
{
	char small[8];

	(void)state;
	assert_clean("/memfd:x (deleted)", 18, "/memfd:x (deleted)");
	assert_clean("\33[2J\33]0;root\7", 13, "\\033[2J\\033]0;root\\007");
	assert_clean("a\tb\x7f", 4, "a\\011b\\177");
	assert_clean("\u00e9\u4e16\U0001f600", 9, "\u00e9\u4e16\U0001f600");
	/* The 8-bit form of the escape sequences, alone and in UTF-8 */
	assert_clean("\x9b" "2J", 3, "\\2332J");
	assert_clean("\xc2\x9b" "2J", 4, "\\302\\2332J");
	/* From right to left from here on */
	assert_clean("\u202e", 3, "\\342\\200\\256");
	/* Too long, of UTF-16, cut off, beyond the last */
	assert_clean("\xc0\xaf", 2, "\\300\\257");
	assert_clean("\xed\xa0\x80", 3, "\\355\\240\\200");
	assert_clean("\xe4\xb8", 2, "\\344\\270");
	assert_clean("\xf4\x90\x80\x80", 4, "\\364\\220\\200\\200");
	assert_clean("\xff", 1, "\\377");
	/* Cut between characters */
	human_clean("abcdef\u00e9", 8, small, sizeof(small));
	assert_string_equal(small, "abcdef");
	human_clean("abcde\33", 6, small, sizeof(small));
	assert_string_equal(small, "abcde");
}

static struct report two_mappings(void)
{
	struct report report = { .number = 1, .elapsed = 2, .interval = 2 };

	assert_int_equal(report_add(&report, &(struct report_line){
		.start = 0x1000, .end = 0x5000, .name = "[heap]", .tracked = 4, .written = 1 }), 0);
	assert_int_equal(report_add(&report, &(struct report_line){
		.start = 0x7000, .end = 0x9000, .name = "anon", .tracked = 2, .added = 2 }), 0);
	assert_int_equal(report_add(&report, &(struct report_line){
		.start = 0xa000, .end = 0xe000, .name = "quiet", .tracked = 4 }), 0);
	report.skipped_news = true;
	report.skipped_maps[MAP_OF_FILE] = 3;
	report.skipped_bytes[MAP_OF_FILE] = 3 * 4096;
	return report;
}

static void sums(void **state)
{
	struct report report = two_mappings();
	struct report_line total = report_total(&report);

	(void)state;
	assert_int_equal(total.tracked, 10);
	assert_int_equal(total.written, 1);
	assert_int_equal(total.added, 2);
	assert_true(report_share(&total) == 0.1);
	assert_true(report_rate(&total, 2) == 2048);
	assert_true(report_share(&(struct report_line){ 0 }) == 0);
	assert_true(report_rate(&total, 0) == 0);
	report_free(&report);
}

static void neighbours_of_one_name_are_one_line(void **state)
{
	struct report report = { 0 };

	(void)state;
	report_add(&report, &(struct report_line){ .start = 0x1000, .end = 0x2000, .name = "anon",
						   .tracked = 1, .written = 1 });
	report_add(&report, &(struct report_line){ .start = 0x2000, .end = 0x5000, .name = "anon",
						   .tracked = 2, .added = 1 });
	report_add(&report, &(struct report_line){ .start = 0x5000, .end = 0x6000,
						   .name = "[heap]", .tracked = 1 });
	report_add(&report, &(struct report_line){ .start = 0x7000, .end = 0x8000,
						   .name = "[heap]", .tracked = 1 });
	assert_int_equal(report.n, 3);
	assert_int_equal(report.line[0].end, 0x5000);
	assert_int_equal(report.line[0].tracked, 3);
	assert_int_equal(report.line[0].written, 1);
	assert_int_equal(report.line[0].added, 1);
	report_clear(&report);
	assert_int_equal(report.n, 0);
	report_free(&report);
}

static struct report four_mappings(void)
{
	static const struct report_line lines[] = {
		{ .start = 0x1000, .end = 0x5000, .name = "[heap]", .tracked = 4, .written = 1 },
		{ .start = 0x7000, .end = 0x9000, .name = "anon", .tracked = 2, .written = 2 },
		{ .start = 0xa000, .end = 0xe000, .name = "/a", .tracked = 4 },
		{ .start = 0xf000, .end = 0x12000, .name = "anon", .tracked = 3, .written = 1,
		  .added = 3 },
	};
	struct report report = { .number = 2, .elapsed = 2, .interval = 1 };
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(report_add(&report, &lines[i]), 0);
	return report;
}

static void lines_of_one_name_can_be_one(void **state)
{
	struct report report = four_mappings();

	(void)state;
	report_by_name(&report);
	assert_int_equal(report.n, 3);
	assert_string_equal(report.line[0].name, "/a");
	assert_string_equal(report.line[1].name, "[heap]");
	assert_string_equal(report.line[2].name, "anon");
	assert_int_equal(report.line[1].ranges, 1);
	assert_int_equal(report.line[2].ranges, 2);
	assert_int_equal(report.line[2].tracked, 5);
	assert_int_equal(report.line[2].written, 3);
	assert_int_equal(report.line[2].added, 3);
	assert_int_equal(report_total(&report).tracked, 13);
	report_clear(&report);
	report_by_name(&report);
	assert_int_equal(report.n, 0);
	report_free(&report);
}

static void the_most_written_come_first(void **state)
{
	struct report report = four_mappings();

	(void)state;
	report_top(&report, 2);
	assert_int_equal(report.n, 2);
	assert_int_equal(report.line[0].start, 0x7000);
	/* As many pages: what is new first */
	assert_int_equal(report.line[1].start, 0xf000);
	assert_int_equal(report.cut, 2);
	assert_int_equal(report.rest.written, 1);
	/* What was cut off is still in the sum. */
	assert_int_equal(report_total(&report).tracked, 13);
	assert_int_equal(report_total(&report).written, 4);
	report_clear(&report);
	assert_int_equal(report.cut, 0);
	assert_int_equal(report_total(&report).tracked, 0);
	report_free(&report);
}

static char *printed(const struct report *report, bool json)
{
	static char text[4096];
	FILE *file = fmemopen(text, sizeof(text), "w");

	assert_non_null(file);
	if (json)
		assert_int_equal(report_print_json(file, report), 0);
	else
		report_print_table(file, report, false);
	fclose(file);
	return text;
}

static void a_table_for_people(void **state)
{
	struct report report = two_mappings();

	(void)state;
	assert_string_equal(printed(&report, false),
"    2.0 s  address range      name                   pages   written    share               write rate\n"
"  1000-5000                  [heap]                     4         1   25.0 % ###            2.0 KiB/s\n"
"  7000-9000                  anon                       2         0    0.0 %                    0 B/s  +2 new\n"
"  total                                                10         1   10.0 % #              2.0 KiB/s  +2 new\n"
"  not tracked: 12.0 KiB in 3 private file mappings\n");
	report_free(&report);
}

static void a_table_of_names(void **state)
{
	struct report report = four_mappings();

	(void)state;
	report_by_name(&report);
	report_top(&report, 1);
	assert_string_equal(printed(&report, false),
"    2.0 s  address range      name                   pages   written    share               write rate\n"
"  2 ranges                   anon                       5         3   60.0 % ######        12.0 KiB/s  +3 new\n"
"  2 more                                                8         1   12.5 % #.             4.0 KiB/s\n"
"  total                                                13         4   30.8 % ###.          16.0 KiB/s  +3 new\n");
	report_free(&report);
}

static int64_t number(struct json_object *object, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, key, &value));
	return json_object_get_int64(value);
}

static void json_for_programs(void **state)
{
	struct report report = two_mappings();
	char *text = printed(&report, true);
	struct json_object *all = json_tokener_parse(text), *mappings, *heap, *value, *total;

	(void)state;
	assert_non_null(all);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_int_equal(number(all, "report"), 1);
	assert_true(json_object_object_get_ex(all, "mappings", &mappings));
	assert_int_equal(json_object_array_length(mappings), 3);
	heap = json_object_array_get_idx(mappings, 0);
	assert_true(json_object_object_get_ex(heap, "start", &value));
	assert_string_equal(json_object_get_string(value), "0x1000");
	assert_true(json_object_object_get_ex(heap, "name", &value));
	assert_string_equal(json_object_get_string(value), "[heap]");
	assert_int_equal(number(heap, "pages_written"), 1);
	assert_int_equal(number(heap, "bytes_per_second"), 2048);
	assert_true(json_object_object_get_ex(all, "total", &total));
	assert_int_equal(number(total, "pages_tracked"), 10);
	assert_int_equal(number(total, "pages_added"), 2);
	assert_false(json_object_object_get_ex(all, "left_out", &value));
	assert_int_equal(number(all, "schema"), 1);
	/* Nobody has counted them. */
	assert_false(json_object_object_get_ex(heap, "written_set", &value));
	json_object_put(all);
	report_free(&report);
}

static void json_of_written_sets(void **state)
{
	struct report report = two_mappings();
	struct json_object *all, *value;

	(void)state;
	report.has_sets = true;
	report.line[0].set[0] = 1;
	report.line[0].set[2] = 3;
	report.line[1].set[2] = 2;
	all = json_tokener_parse(printed(&report, true));
	assert_non_null(all);
	assert_true(json_object_object_get_ex(all, "mappings", &value));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(value, 0), "written_set",
					      &value));
	assert_int_equal(number(value, "1s"), 1);
	assert_int_equal(number(value, "10s"), 0);
	assert_int_equal(number(value, "60s"), 3);
	assert_true(json_object_object_get_ex(all, "total", &value));
	assert_true(json_object_object_get_ex(value, "written_set", &value));
	assert_int_equal(number(value, "60s"), 5);
	assert_false(json_object_object_get_ex(all, "written_set_incomplete", &value));
	json_object_put(all);
	report.sets_incomplete = true;
	all = json_tokener_parse(printed(&report, true));
	assert_true(json_object_object_get_ex(all, "written_set_incomplete", &value));
	json_object_put(all);
	report_free(&report);
}

static void json_of_names(void **state)
{
	struct report report = four_mappings();
	struct json_object *all, *mappings, *anon, *value;

	(void)state;
	report_by_name(&report);
	report_top(&report, 1);
	all = json_tokener_parse(printed(&report, true));
	assert_non_null(all);
	assert_int_equal(number(all, "left_out"), 2);
	assert_true(json_object_object_get_ex(all, "mappings", &mappings));
	assert_int_equal(json_object_array_length(mappings), 1);
	anon = json_object_array_get_idx(mappings, 0);
	assert_int_equal(number(anon, "ranges"), 2);
	assert_false(json_object_object_get_ex(anon, "start", &value));
	json_object_put(all);
	report_free(&report);
}

/* Two that go on, one of which does nothing, and two that have ended. */
static struct report four_processes(void)
{
	static const struct report_process processes[] = {
		{ .pid = 100, .name = "make", .mapped = 1, .mapped_bytes = 8192, .unmapped = 2,
		  .unmapped_bytes = 3 * 4096, .gone = { .tracked = 3, .written = 2 } },
		{ .pid = 101, .name = "sleep" },
		{ .pid = 102, .name = "cc1", .ended = true, .status = 1 << 8, .presumed = 5,
		  .gone = { .tracked = 8, .written = 8 } },
		{ .pid = 103, .name = "as", .ended = true, .status = 9 },
	};
	static const struct report_line lines[] = {
		{ .start = 0x1000, .end = 0x5000, .name = "[heap]", .tracked = 4, .written = 1 },
		{ .start = 0x7000, .end = 0x9000, .name = "anon", .tracked = 2, .written = 2 },
		{ .process = 1, .start = 0x9000, .end = 0xa000, .name = "anon", .tracked = 1 },
	};
	struct report report = { .number = 1, .elapsed = 1, .interval = 1, .by_process = true };
	size_t i;

	for (i = 0; i < sizeof(processes) / sizeof(processes[0]); i++)
		assert_int_equal(report_add_process(&report, &processes[i]), 0);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(report_add(&report, &lines[i]), 0);
	return report;
}

static void a_process_has_its_own_lines(void **state)
{
	struct report report = four_processes();

	(void)state;
	/* They touch, and are of two processes. */
	assert_int_equal(report.n, 3);
	assert_int_equal(report_total(&report).written, 1 + 2 + 2 + 8);
	assert_int_equal(report.process[0].sum.written, 1 + 2 + 2);
	assert_int_equal(report_changes(&report).unmapped_bytes, 3 * 4096);
	assert_int_equal(report_changes(&report).presumed, 5);
	report_by_name(&report);
	assert_int_equal(report.n, 3);
	report_top(&report, 1);
	assert_int_equal(report.line[0].start, 0x7000);
	assert_int_equal(report_total(&report).written, 1 + 2 + 2 + 8);
	report_clear(&report);
	assert_int_equal(report.processes, 0);
	assert_int_equal(report_total(&report).written, 0);
	report_free(&report);
}

static void a_table_of_processes(void **state)
{
	struct report report = four_processes();

	(void)state;
	assert_string_equal(printed(&report, false),
"    1.0 s  address range      name                   pages   written    share               write rate\n"
"  process 100                make                       9         5   55.6 % ######        20.0 KiB/s\n"
"  1000-5000                  [heap]                     4         1   25.0 % ###            4.0 KiB/s\n"
"  7000-9000                  anon                       2         2  100.0 % ##########     8.0 KiB/s\n"
"  no longer mapped                                      3         2   66.7 % #######        8.0 KiB/s\n"
"  process 102                cc1                        8         8  100.0 % ##########    32.0 KiB/s  ended, status 1, 5 presumed\n"
"  process 103                as                         0         0    0.0 %                    0 B/s  ended, signal 9\n"
"  total                                                18        13   72.2 % #######.      52.0 KiB/s\n"
"  mapped since: 8.0 KiB in 1 mapping, unmapped: 12.0 KiB in 2 mappings\n"
"  presumed: 5 of these pages, which children may have as they were forked\n");
	report_free(&report);
}

/* As it is without --children */
static void what_is_gone_has_a_line(void **state)
{
	struct report report = { .number = 1, .elapsed = 1, .interval = 1 };

	(void)state;
	report_add_process(&report, &(struct report_process){
		.pid = 100, .unmapped = 1, .unmapped_bytes = 16384,
		.gone = { .tracked = 4, .written = 1 } });
	report_add(&report, &(struct report_line){ .start = 0x1000, .end = 0x5000,
						   .name = "[heap]", .tracked = 4 });
	assert_string_equal(printed(&report, false),
"    1.0 s  address range      name                   pages   written    share               write rate\n"
"  no longer mapped                                      4         1   25.0 % ###            4.0 KiB/s\n"
"  total                                                 8         1   12.5 % #.             4.0 KiB/s\n"
"  unmapped since: 16.0 KiB in 1 mapping\n");
	report_free(&report);
}

static void json_of_processes(void **state)
{
	struct report report = four_processes();
	struct json_object *all, *array, *one, *value;

	(void)state;
	report.lost = true;
	report.not_followed = 2;
	all = json_tokener_parse(printed(&report, true));
	assert_non_null(all);
	assert_true(json_object_object_get_ex(all, "mappings", &array));
	assert_int_equal(number(json_object_array_get_idx(array, 2), "pid"), 101);
	assert_true(json_object_object_get_ex(all, "processes", &array));
	assert_int_equal(json_object_array_length(array), 4);
	one = json_object_array_get_idx(array, 0);
	assert_int_equal(number(one, "pages_written"), 5);
	assert_int_equal(number(one, "pages_written_unmapped"), 2);
	assert_int_equal(number(one, "bytes_unmapped"), 3 * 4096);
	assert_false(json_object_object_get_ex(one, "status", &value));
	one = json_object_array_get_idx(array, 2);
	assert_int_equal(number(one, "status"), 1);
	assert_int_equal(number(one, "pages_presumed"), 5);
	assert_int_equal(number(json_object_array_get_idx(array, 3), "signal"), 9);
	assert_int_equal(number(all, "pages_written_unmapped"), 10);
	assert_int_equal(number(all, "mappings_mapped"), 1);
	assert_int_equal(number(all, "processes_not_followed"), 2);
	assert_true(json_object_object_get_ex(all, "events_lost", &value));
	json_object_put(all);
	report_free(&report);
}

static void json_of_one_process_has_no_more_than_it_needs(void **state)
{
	struct report report = { .number = 1 };
	char *text;

	(void)state;
	report_add_process(&report, &(struct report_process){ .pid = 100 });
	report_add(&report, &(struct report_line){ .start = 0x1000, .end = 0x5000,
						   .name = "[heap]", .tracked = 4 });
	text = printed(&report, true);
	assert_null(strstr(text, "pid"));
	assert_null(strstr(text, "processes"));
	assert_null(strstr(text, "unmapped"));
	assert_null(strstr(text, "lost"));
	report_free(&report);
}

static char *said(const struct goodbye *goodbye)
{
	static char text[1024];
	FILE *file = fmemopen(text, sizeof(text), "w");

	assert_non_null(file);
	goodbye_print(file, goodbye);
	fclose(file);
	return text;
}

static void the_end_says_what_was_not_seen(void **state)
{
	struct goodbye g = { .pid = 7, .ended = true };

	(void)state;
	assert_string_equal(said(&g), "no report yet: process 7 has ended\n");
	g.after = 4;
	assert_string_equal(said(&g), "no report yet: process 7 has ended\n"
				      "4 page writes in memory that was unmapped since\n");
	g = (struct goodbye){ .pid = 7, .seconds = 2, .written = 5 };
	assert_string_equal(said(&g),
		"5 page writes in 2.0 s; process 7 goes on, nothing of it is protected\n");
	g.after = 3;
	g.skipped_maps[MAP_SHARED_MEMORY] = 1;
	g.skipped_bytes[MAP_SHARED_MEMORY] = 4096;
	g.not_followed = 1;
	g.reports_lost = 2;
	assert_string_equal(said(&g),
		"5 page writes in 2.0 s; process 7 goes on, nothing of it is protected\n"
		"3 more page writes in memory that was unmapped since\n"
		"not seen: 4.0 KiB in 1 shared mapping, 1 process, events of 2 reports\n");
}

/* At once: not when we end, as a signal may end us first. */
static void the_end_is_written_or_that_is_said(void **state)
{
	const struct goodbye g = { .pid = 7, .ended = true };
	char text[80] = "";
	FILE *file = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(goodbye_print(file, &g), -EIO);
	fclose(file);
	file = fmemopen(text, sizeof(text), "w");
	assert_non_null(file);
	assert_int_equal(goodbye_print(file, &g), 0);
	assert_string_equal(text, "no report yet: process 7 has ended\n");
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_in_a_few_digits),
		cmocka_unit_test(numbers_for_columns),
		cmocka_unit_test(bars),
		cmocka_unit_test(long_names),
		cmocka_unit_test(what_a_terminal_does_not_know_is_not_printed),
		cmocka_unit_test(nothing_that_a_terminal_would_obey),
		cmocka_unit_test(sums),
		cmocka_unit_test(neighbours_of_one_name_are_one_line),
		cmocka_unit_test(lines_of_one_name_can_be_one),
		cmocka_unit_test(the_most_written_come_first),
		cmocka_unit_test(a_table_for_people),
		cmocka_unit_test(a_table_of_names),
		cmocka_unit_test(json_for_programs),
		cmocka_unit_test(json_of_written_sets),
		cmocka_unit_test(json_of_names),
		cmocka_unit_test(a_process_has_its_own_lines),
		cmocka_unit_test(a_table_of_processes),
		cmocka_unit_test(what_is_gone_has_a_line),
		cmocka_unit_test(json_of_processes),
		cmocka_unit_test(json_of_one_process_has_no_more_than_it_needs),
		cmocka_unit_test(the_end_says_what_was_not_seen),
		cmocka_unit_test(the_end_is_written_or_that_is_said),
	};

	/* Only a locale knows how wide a character is. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
