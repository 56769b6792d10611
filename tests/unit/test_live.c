// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live screen without a terminal: reports and keys come in, text comes out.
 */
#include "unit.h"

#include <locale.h>
#include <stdlib.h>

#include "screen/terminal.h"
#include "watch/keys.h"
#include "watch/live.h"

static struct live live;
static struct page page;
static struct report report;
static struct written_set set;
static char shown[32768];

/* What is on the screen, without spaces at the ends of lines. */
static const char *show(unsigned int height, unsigned int width)
{
	size_t at = 0;
	unsigned int i;

	assert_int_equal(page_begin(&page, height, width, live.utf8), 0);
	live_layout(&live, &page);
	for (i = 0; i < page.n; i++) {
		const char *bytes = page.line[i].bytes;
		size_t n = strlen(bytes);

		assert_true(page.line[i].columns <= width);
		while (n && bytes[n - 1] == ' ')
			n--;
		at += snprintf(shown + at, sizeof(shown) - at, "%.*s\n", (int)n, bytes);
	}
	return shown;
}

static void assert_shows(const char *text)
{
	if (!strstr(show(24, 80), text))
		fail_msg("there is no '%s' in\n%s", text, shown);
}

static void assert_hides(const char *text)
{
	if (strstr(show(24, 80), text))
		fail_msg("there is '%s' in\n%s", text, shown);
}

/* The first line below the names of columns begins with this. */
static void assert_first(const char *text)
{
	const char *line = strstr(show(24, 80), "ADDRESS");

	line = line ? strchr(line, '\n') : NULL;
	if (!line || strncmp(line + 1, text, strlen(text)))
		fail_msg("'%s' is not first in\n%s", text, shown);
}

static void press(const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(live_key(&live, *keys), 0);
}

static void begin_report(uint64_t number)
{
	const struct report_process process = { .pid = 7, .name = "program" };

	report_clear(&report);
	report.number = number;
	report.elapsed = (double)number;
	report.interval = 1;
	report.has_sets = true;
	assert_int_equal(report_add_process(&report, &process), 0);
}

static void line(uint64_t start, uint64_t end, const char *name, uint64_t written)
{
	const struct report_line one = {
		.process = report.processes - 1, .start = start, .end = end, .name = name,
		.tracked = (end - start) >> 12, .written = written,
		.set = { written, 2 * written, 3 * written },
	};

	assert_int_equal(report_add(&report, &one), 0);
}

static void take(void)
{
	assert_int_equal(live_report(&live, &report), 0);
}

static void begin(bool utf8)
{
	live = (struct live){ .utf8 = utf8, .set = &set, .interval = 1 };
	strcpy(live.title, "process 7 program");
	live_begin(&live);
}

static void three_mappings(void)
{
	begin_report(1);
	line(0x1000000, 0x1400000, "[heap]", 100);
	line(0x7f0000000000, 0x7f0000064000, "anon", 50);
	line(0x7f0000100000, 0x7f0000101000, "/usr/lib/libcrypto.so.3", 0);
	report_skip(&report, MAP_BUSY, 8192);
	take();
}

static void end(void)
{
	live_free(&live);
	page_free(&page);
	report_free(&report);
	written_set_free(&set);
}

static void all_of_it_in_80_columns(void **state)
{
	(void)state;
	begin(true);
	three_mappings();
	begin_report(2);
	line(0x1000000, 0x1400000, "[heap]", 10);
	line(0x7f0000000000, 0x7f0000064000, "anon", 50);
	line(0x7f0000100000, 0x7f0000101000, "/usr/lib/libcrypto.so.3", 0);
	take();
	assert_string_equal(show(14, 80),
"uffdwp watch  process 7 program                                 2.0 s, every 1 s\n"
"written      240.0 KiB/s  60 of 1125 pages, 5.3 %                             █▃\n"
"written set  240.0 KiB in 1 s   480.0 KiB in 10 s   720.0 KiB in 60 s\n"
"not tracked  nothing that could be written\n"
"1-3 of 3 lines\n"
"ADDRESS      NAME         PAGES  WRITTEN SHARE     RATE/s▼   1s  10s  60s LATELY\n"
"7f0000000000 anon           100       50 50.0% █▌     200K 200K 400K 600K     ██\n"
"1000000      [heap]        1024       10  1.0% ▏       40K  40K  80K 120K     █▁\n"
"7f0000100000 ~rypto.so.3      1        0    0%           0    0    0    0\n"
"\n"
"\n"
"\n"
"\n"
"q quit  h help  / filter  <> sort  r reverse  +- interval  space pause  Enter\n");
	end();
}

static void ascii_where_there_is_nothing_else(void **state)
{
	const char *c;

	(void)state;
	begin(false);
	begin_report(1);
	line(0x1000000, 0x1400000, "/tmp/\u00e9\u4e16", 512);
	take();
	for (c = show(24, 120); *c; c++)
		assert_true((unsigned char)*c < 0x80);
	assert_non_null(strstr(shown, "/tmp/??"));
	assert_non_null(strstr(shown, "50.0% ####"));
	press("\r");
	live_key(&live, KEY_RETURN);
	for (c = show(24, 120); *c; c++)
		assert_true((unsigned char)*c < 0x80);
	end();
}

/* Whatever the width, no line is wider, and what is wide shows both ends of a range. */
static void every_width(void **state)
{
	unsigned int width;

	(void)state;
	begin(true);
	begin_report(1);
	line(0x7f0000000000, 0x7f0000064000, "\u4e16\u754c/e\u0301\u4e16\u754c\u4e16\u754c.so", 50);
	take();
	for (width = 1; width < 300; width++) {
		live.mode = LIVE_LIST;
		show(24, width);
		assert_true(width < 100 || strstr(shown, "7f0000000000-7f0000064000"));
		live_key(&live, KEY_RETURN);
		show(24, width);
		press("h");
		show(24, width);
		press("h");
	}
	show(5, 80);
	assert_non_null(strstr(shown, "80x5 is too small"));
	end();
}

static void columns_to_sort_by(void **state)
{
	(void)state;
	begin(true);
	three_mappings();
	assert_shows("RATE/s\u25bc");
	assert_first("1000000 ");
	press("r");
	assert_shows("RATE/s\u25b2");
	assert_first("7f0000100000");
	press("<");
	assert_shows("SHARE\u25bc");
	assert_first("7f0000000000");
	press("<<<");
	assert_shows("NAME\u25b2");
	assert_first("7f0000100000 ~");
	press("<");
	assert_shows("ADDRESS\u25b2");
	assert_first("1000000 ");
	press("<");
	assert_shows("60s\u25bc");
	press(">");
	assert_shows("ADDRESS\u25b2");
	end();
}

static void a_filter(void **state)
{
	(void)state;
	begin(true);
	three_mappings();
	press("/");
	press("lib");
	assert_shows("\n/lib\n");
	assert_shows("1-1 of 1 line");
	assert_hides("[heap]");
	live_key(&live, KEY_ERASE);
	live_key(&live, KEY_RETURN);
	assert_shows("of names that match li\n");
	press("/");
	press("h[ea]*");
	assert_shows("no name matches");
	live_key(&live, KEY_ESCAPE);
	assert_shows("of names that match li\n");
	live_key(&live, KEY_ESCAPE);
	assert_shows("1-3 of 3 lines");
	/* Letters that are commands are letters here. */
	press("/q");
	assert_false(live.quit);
	live_key(&live, KEY_ERASE);
	live_key(&live, KEY_ERASE);
	press("q");
	assert_true(live.quit);
	end();
}

static void patterns(void **state)
{
	(void)state;
	assert_true(view_matches("", "anon"));
	assert_true(view_matches("heap", "[heap]"));
	assert_true(view_matches("[heap]", "[heap]"));
	assert_true(view_matches("*lib*.so*", "/usr/lib/libc.so.6"));
	assert_false(view_matches("lib*", "/usr/lib/libc.so.6"));
	assert_false(view_matches("heaps", "[heap]"));
}

static void the_interval(void **state)
{
	(void)state;
	begin(true);
	press("+");
	assert_true(live.interval == 2);
	press("---");
	assert_true(live.interval == 0.2);
	live.interval = 0.001;
	press("-");
	assert_true(live.interval == 0.001);
	live.interval = 86400;
	press("+");
	assert_true(live.interval == 86400);
	end();
}

static void a_pause(void **state)
{
	(void)state;
	begin(true);
	three_mappings();
	press(" ");
	begin_report(2);
	line(0x1000000, 0x1400000, "[heap]", 999);
	take();
	assert_shows("PAUSED at 1.0 s");
	assert_shows("anon");
	assert_hides("999");
	press("/heap");
	live_key(&live, KEY_RETURN);
	assert_shows("[heap]");
	assert_hides("999");
	press(" ");
	assert_shows(" 999 ");
	assert_hides("PAUSED");
	/* And what came meanwhile is in the history. */
	assert_int_equal(live.now.row[0].rates.n, 2);
	end();
}

/* It stays the same line, wherever it is when lines are sorted anew. */
static void the_chosen_line_is_followed(void **state)
{
	(void)state;
	begin(true);
	three_mappings();
	press("j");
	assert_string_equal(view_chosen(&live.view)->name, "anon");
	begin_report(2);
	line(0x1000000, 0x1400000, "[heap]", 10);
	line(0x7f0000000000, 0x7f0000064000, "anon", 50);
	take();
	assert_int_equal(live.view.chosen, 0);
	assert_string_equal(view_chosen(&live.view)->name, "anon");
	/* Who is at the top stays there. */
	press("g");
	begin_report(3);
	line(0x1000000, 0x1400000, "[heap]", 100);
	line(0x7f0000000000, 0x7f0000064000, "anon", 50);
	take();
	assert_string_equal(view_chosen(&live.view)->name, "[heap]");
	end();
}

static void more_lines_than_there_is_room_for(void **state)
{
	char name[16];
	uint64_t i;

	(void)state;
	begin(true);
	begin_report(1);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "name%u", (unsigned int)i);
		line(0x100000 * (i + 1), 0x100000 * (i + 1) + 0x64000, strdup(name), 40 - i);
	}
	take();
	assert_shows("1-17 of 40 lines");
	live_key(&live, KEY_PAGE_DOWN);
	assert_shows("2-18 of 40 lines");
	press("G");
	assert_shows("24-40 of 40 lines");
	press("j");
	assert_shows("24-40 of 40 lines");
	live_key(&live, KEY_GO_HOME);
	assert_shows("1-17 of 40 lines");
	press("k");
	assert_int_equal(live.view.chosen, 0);
	for (i = 0; i < report.n; i++)
		free((char *)report.line[i].name);
	end();
}

static void one_mapping(void **state)
{
	(void)state;
	begin(true);
	three_mappings();
	written_set_add(&set, 7, 0x1000000, 0x1200000, 1);
	live_key(&live, KEY_RETURN);
	assert_string_equal(show(20, 78),
"process 7: [heap]\n"
"1000000-1400000, 1024 pages tracked, 4.0 MiB\n"
"\n"
"last interval  100 pages, 9.8 %, 400.0 KiB/s\n"
"written set    400.0 KiB in 1 s  800.0 KiB in 10 s  1.2 MiB in 60 s\n"
"\n"
"Where: share of pages written, 14.4 pages a column\n"
"  1 s ███████████████████████████████████▄                                   │\n"
" 10 s ███████████████████████████████████▄                                   │\n"
" 60 s ███████████████████████████████████▄                                   │\n"
"      1000000                                                         1400000\n"
"\n"
"When: write rate in the last 1 intervals, up to 400K/s\n"
"400K                                                                         █\n"
"                                                                             █\n"
"                                                                             █\n"
"                                                                             █\n"
"                                                                             █\n"
"                                                                             █\n"
"Esc back  q quit  h help  +- interval  space pause\n");
	/* It goes on, and ends. */
	begin_report(2);
	line(0x1000000, 0x1800000, "[heap]", 3);
	take();
	assert_shows("1000000-1800000, 2048 pages");
	begin_report(3);
	line(0x5000000, 0x5800000, "[heap]", 3);
	take();
	assert_shows("is not there any more");
	assert_shows("1000000-1800000");
	live_key(&live, KEY_ESCAPE);
	assert_shows("5000000 ");
	end();
}

static void processes_are_headings(void **state)
{
	const struct report_process child = {
		.pid = 9, .name = "child", .ended = true, .status = 3 << 8,
		.gone.tracked = 8, .gone.written = 7,
	};

	(void)state;
	begin(true);
	begin_report(1);
	report.by_process = true;
	line(0x1000000, 0x1400000, "[heap]", 1);
	assert_int_equal(report_add_process(&report, &child), 0);
	line(0x1000000, 0x1400000, "[heap]", 5);
	take();
	assert_string_equal(strstr(show(16, 130), "ADDRESS"),
"ADDRESS RANGE             NAME                       PAGES  WRITTEN SHARE          RATE/s▼   1s  10s  60s LATELY\n"
"process 9                 child ended, status 3       1032       12  1.2% ▏            48K  20K  40K  60K                        █\n"
"1000000-1400000            [heap]                     1024        5  0.5% ▏            20K  20K  40K  60K                        █\n"
"no longer mapped                                         8        7 87.5% ███████      28K    0    0    0                        █\n"
"process 7                 program                     1024        1  0.1% ▏           4.0K 4.0K 8.0K  12K                        █\n"
"1000000-1400000            [heap]                     1024        1  0.1% ▏           4.0K 4.0K 8.0K  12K                        █\n"
"\n\n\n\n"
"q quit  h help  / filter  <> sort  r reverse  +- interval  space pause  Enter\n");
	press("/prog");
	live_key(&live, KEY_RETURN);
	assert_shows("pid 7");
	assert_hides("pid 9");
	assert_shows("1-2 of 2 lines");
	end();
}

static void a_history_is_as_long_as_it_can_be(void **state)
{
	struct history history = { 0 }, other;
	uint64_t i;

	(void)state;
	for (i = 1; i <= 2 * SPARK_VALUES; i++) {
		begin_report(i);
		/* It grows downwards, as stacks do. */
		line(0x10000000 - (i << 12), 0x10001000, "[stack]", i);
		assert_int_equal(history_take(&history, &report), 0);
	}
	assert_int_equal(history.n, 1);
	assert_int_equal(history.row[0].rates.n, SPARK_VALUES);
	assert_true(spark_value(&history.row[0].rates, 0) == 4096 * 2 * SPARK_VALUES);
	assert_true(spark_value(&history.row[0].rates, 1) == 4096 * (2 * SPARK_VALUES - 1));
	/* Another name at that place is another mapping. */
	assert_int_equal(history_copy(&history, &other), 0);
	begin_report(i);
	line(0x10000000, 0x10001000, "anon", 1);
	assert_int_equal(history_take(&history, &report), 0);
	assert_int_equal(history.row[0].rates.n, 1);
	assert_int_equal(other.row[0].rates.n, SPARK_VALUES);
	/* And of very many, some are one. */
	begin_report(i + 1);
	for (i = 0; i < HISTORY_ROWS + 10; i++)
		line(i << 13, (i << 13) + 4096, "anon", 1);
	assert_int_equal(history_take(&history, &report), 0);
	assert_int_equal(history.n, HISTORY_ROWS + 1);
	history_free(&history);
	history_free(&other);
	report_free(&report);
}

static void all_keys(void **state)
{
	(void)state;
	assert_int_equal(keys_action('q'), ACTION_QUIT);
	assert_int_equal(keys_action('?'), ACTION_HELP);
	assert_int_equal(keys_action(KEY_GO_DOWN), ACTION_DOWN);
	assert_int_equal(keys_action('k'), ACTION_UP);
	assert_int_equal(keys_action(KEY_PAGE_UP), ACTION_PAGE_UP);
	assert_int_equal(keys_action(KEY_GO_END), ACTION_LAST);
	assert_int_equal(keys_action('x'), ACTION_NONE);
	assert_int_equal(keys_action(KEY_OTHER), ACTION_NONE);
}

static void sparks(void **state)
{
	const float shares[] = { 0, 0.001f, 0.5f, 1, 7 };
	struct spark spark = { 0 };
	char text[64];

	(void)state;
	spark_add(&spark, 0);
	spark_add(&spark, 1);
	spark_add(&spark, 4);
	spark_add(&spark, 8);
	spark_line(&spark, 6, 1, 0, true, text, sizeof(text));
	assert_string_equal(text, "   \u2581\u2584\u2588");
	spark_line(&spark, 3, 2, 0, false, text, sizeof(text));
	assert_string_equal(text, "  #");
	spark_line(&spark, 3, 2, 1, false, text, sizeof(text));
	assert_string_equal(text, ":##");
	spark_shares(shares, 5, false, text, sizeof(text));
	assert_string_equal(text, " .=##");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_in_80_columns),
		cmocka_unit_test(ascii_where_there_is_nothing_else),
		cmocka_unit_test(every_width),
		cmocka_unit_test(columns_to_sort_by),
		cmocka_unit_test(a_filter),
		cmocka_unit_test(patterns),
		cmocka_unit_test(the_interval),
		cmocka_unit_test(a_pause),
		cmocka_unit_test(the_chosen_line_is_followed),
		cmocka_unit_test(more_lines_than_there_is_room_for),
		cmocka_unit_test(one_mapping),
		cmocka_unit_test(processes_are_headings),
		cmocka_unit_test(a_history_is_as_long_as_it_can_be),
		cmocka_unit_test(all_keys),
		cmocka_unit_test(sparks),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
