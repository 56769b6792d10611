// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "uffdwp top", its keys, and the question that it asks.
 */
#include "unit.h"

#include "top/ask.h"
#include "top/options.h"
#include "top/view.h"

static struct top_options o;
static char why[160];

/* Words, ended by NULL, after "top". */
static int parse(const char *first, ...)
{
	char *argv[20] = { "top", (char *)first };
	int argc = first ? 2 : 1;
	va_list words;

	va_start(words, first);
	while (first && argc < 19 && (argv[argc] = va_arg(words, char *)))
		argc++;
	va_end(words);
	argv[argc] = NULL;
	*why = 0;
	return top_options_parse(argc, argv, &o, why, sizeof(why));
}

static void nothing_is_everything(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL), 0);
	assert_true(top_options_want_all(&o));
	assert_true(o.interval == 1);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.top, 0);
	assert_false(o.yes);
	assert_null(o.prometheus);
}

static void everything(void **state)
{
	(void)state;
	assert_int_equal(parse("--cgroup", "a/b", "-u", "0", "-i", "0.5", "-n", "3", "-t", "10", "-j",
			       "--prometheus", "x.prom", "--yes", NULL), 0);
	assert_string_equal(o.cgroup, "a/b");
	assert_true(o.by_user);
	assert_int_equal(o.user, 0);
	assert_true(o.interval == 0.5);
	assert_int_equal(o.count, 3);
	assert_int_equal(o.top, 10);
	assert_true(o.json);
	assert_true(o.yes);
	assert_string_equal(o.prometheus, "x.prom");
	assert_false(top_options_want_all(&o));
	assert_int_equal(parse("--plain", "--user", "root", NULL), 0);
	assert_true(o.plain);
	assert_int_equal(o.user, 0);
}

static void several_processes(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "42", NULL), 0);
	assert_int_equal(o.pids, 1);
	assert_int_equal(o.pid[0], 42);
	/* Each once, in one list or several. */
	assert_int_equal(parse("-p", "1,2,1", "--pid=3,2", NULL), 0);
	assert_int_equal(o.pids, 3);
	assert_int_equal(o.pid[2], 3);
	assert_false(top_options_want_all(&o));
}

static void assert_wrong(const char *contains)
{
	if (!strstr(why, contains))
		fail_msg("\"%s\" does not say \"%s\"", why, contains);
}

static void mistakes_are_explained(void **state)
{
	char many[512] = "1";
	int i;

	(void)state;
	for (i = 2; i <= TOP_PIDS_MAX + 1; i++)
		sprintf(many + strlen(many), ",%d", i);
	assert_int_equal(parse("-p", many, NULL), -EINVAL);
	assert_wrong("more than 64 process ids");
	assert_int_equal(parse("-p", "", NULL), -EINVAL);
	assert_wrong("'' is no process id");
	assert_int_equal(parse("-p", "1,", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1,,2", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1x", NULL), -EINVAL);
	assert_int_equal(parse("-p", "0", NULL), -EINVAL);
	assert_int_equal(parse("-p", "99999999999999999999999999", NULL), -EINVAL);
	assert_int_equal(parse("-u", "no such user", NULL), -EINVAL);
	assert_wrong("there is no user 'no such user'");
	assert_int_equal(parse("-u", "-1", NULL), -EINVAL);
	assert_int_equal(parse("--cgroup", "", NULL), -EINVAL);
	assert_wrong("cgroup is empty");
	assert_int_equal(parse("--prometheus=", NULL), -EINVAL);
	assert_int_equal(parse("-i", "0", NULL), -EINVAL);
	assert_wrong("interval");
	assert_int_equal(parse("-n", "0", NULL), -EINVAL);
	assert_wrong("count");
	assert_int_equal(parse("-t", "x", NULL), -EINVAL);
	assert_wrong("number of lines");
	assert_int_equal(parse("-p", "1", "-u", "root", NULL), -EINVAL);
	assert_wrong("either process ids");
	assert_int_equal(parse("-j", "--plain", NULL), -EINVAL);
	assert_wrong("not both");
	assert_int_equal(parse("42", NULL), -EINVAL);
	assert_wrong("-p PID");
	assert_int_equal(parse("-p", NULL), -EINVAL);
	assert_wrong("'-p' needs a value");
	assert_int_equal(parse("--nonsense", NULL), -EINVAL);
	assert_wrong("no option '--nonsense'");
}

static void help_needs_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(parse("--help", NULL), 0);
	assert_true(o.help);
}

static void only_yes_is_yes(void **state)
{
	(void)state;
	assert_true(ask_is_yes("y\n"));
	assert_true(ask_is_yes(" YES \n"));
	assert_false(ask_is_yes(""));
	assert_false(ask_is_yes("\n"));
	assert_false(ask_is_yes("no\n"));
	assert_false(ask_is_yes("yessir\n"));
	assert_false(ask_is_yes("yo\n"));
}

/* ---- keys */

static bool all_but_written(enum top_column column)
{
	return column != TOP_WRITTEN;
}

static double interval;
static struct top_view v;

static bool press(int key)
{
	return top_view_take_key(&v, key, 100, 10, all_but_written);
}

static void begin_view(void)
{
	interval = 1;
	v = (struct top_view){ .column = TOP_RATE, .interval = &interval };
}

static void keys_change_what_is_shown(void **state)
{
	(void)state;
	begin_view();
	/* A column that the screen has no room for is passed over. */
	assert_true(press('<'));
	assert_int_equal(v.column, TOP_TRACKED);
	press('>');
	assert_int_equal(v.column, TOP_RATE);
	v.column = TOP_PID;
	press('<');
	assert_int_equal(v.column, TOP_PID);
	v.column = TOP_SET_60;
	press('>');
	assert_int_equal(v.column, TOP_SET_60);
	press('r');
	assert_true(v.reverse);
	press(' ');
	assert_true(v.paused);
	press('h');
	assert_true(v.help);
	/* Any key goes back, and does nothing else. */
	press('r');
	assert_false(v.help);
	assert_true(v.reverse);
	press(TOP_KEY_NOTHING);
	assert_false(press('q'));
}

static void keys_scroll(void **state)
{
	(void)state;
	begin_view();
	press(TOP_KEY_UP);
	assert_int_equal(v.first, 0);
	press(TOP_KEY_DOWN);
	assert_int_equal(v.first, 1);
	press(TOP_KEY_PAGE_DOWN);
	assert_int_equal(v.first, 11);
	press(TOP_KEY_END);
	assert_int_equal(v.first, 90);
	press(TOP_KEY_DOWN);
	assert_int_equal(v.first, 90);
	press(TOP_KEY_PAGE_UP);
	assert_int_equal(v.first, 80);
	press(TOP_KEY_HOME);
	assert_int_equal(v.first, 0);
}

static void intervals_have_steps(void **state)
{
	(void)state;
	begin_view();
	press('+');
	assert_true(interval == 2);
	press('-');
	press('-');
	assert_true(interval == 0.5);
	assert_true(top_view_next_interval(0.1, -1) == 0.1);
	assert_true(top_view_next_interval(0.001, -1) == 0.001);
	assert_true(top_view_next_interval(0.001, 1) == 0.1);
	assert_true(top_view_next_interval(3600, 1) == 3600);
	assert_true(top_view_next_interval(86400, 1) == 86400);
	assert_true(top_view_next_interval(86400, -1) == 3600);
}

static void a_text_to_find_is_typed(void **state)
{
	int i;

	(void)state;
	begin_view();
	press('/');
	press('q');
	press('x');
	press(TOP_KEY_BACKSPACE);
	press(0xc3);
	press(0xa9);
	assert_string_equal(v.filter, "q\u00e9");
	/* As a whole */
	press(TOP_KEY_BACKSPACE);
	assert_string_equal(v.filter, "q");
	press('\t');
	press(TOP_KEY_UP);
	assert_string_equal(v.filter, "q");
	for (i = 0; i < 100; i++)
		press('a');
	assert_int_equal(strlen(v.filter), sizeof(v.filter) - 1);
	press(TOP_KEY_ENTER);
	assert_false(v.editing);
	press(TOP_KEY_ESCAPE);
	assert_string_equal(v.filter, "");
	press(TOP_KEY_BACKSPACE);
	press('/');
	press(TOP_KEY_BACKSPACE);
	assert_string_equal(v.filter, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_everything),
		cmocka_unit_test(everything),
		cmocka_unit_test(several_processes),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(help_needs_nothing_else),
		cmocka_unit_test(only_yes_is_yes),
		cmocka_unit_test(keys_change_what_is_shown),
		cmocka_unit_test(keys_scroll),
		cmocka_unit_test(intervals_have_steps),
		cmocka_unit_test(a_text_to_find_is_typed),
	};

	return cmocka_run_group_tests_name("top options", tests, NULL, NULL);
}
