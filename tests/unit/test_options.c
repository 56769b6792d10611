// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "uffdwp watch".
 */
#include "unit.h"

#include "watch/options.h"

static struct watch_options o;
static char why[160];

/* Words, ended by NULL, after "watch". */
static int parse(const char *first, ...)
{
	char *argv[16] = { "watch", (char *)first };
	int argc = first ? 2 : 1;
	va_list words;

	va_start(words, first);
	while (first && argc < 15 && (argv[argc] = va_arg(words, char *)))
		argc++;
	va_end(words);
	argv[argc] = NULL;
	*why = 0;
	return watch_options_parse(argc, argv, &o, why, sizeof(why));
}

static void a_process(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "42", NULL), 0);
	assert_int_equal(o.what.pid, 42);
	assert_null(o.what.command);
	assert_true(o.interval == 1);
	assert_int_equal(o.count, 0);
	assert_false(o.json);
}

static void everything(void **state)
{
	(void)state;
	assert_int_equal(parse("--pid=7", "-i", "0.25", "--count", "3", "-j", "-m", "*heap*", "-r",
			       "1000-3000", "-o", "out", NULL), 0);
	assert_string_equal(o.output, "out");
	assert_null(o.prometheus);
	assert_int_equal(o.what.pid, 7);
	assert_true(o.interval == 0.25);
	assert_int_equal(o.count, 3);
	assert_true(o.json);
	assert_string_equal(o.what.name, "*heap*");
	assert_int_equal(o.what.start, 0x1000);
	assert_int_equal(o.what.end, 0x3000);
}

static void metrics(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "1", "--prometheus", "x.prom", NULL), 0);
	assert_string_equal(o.prometheus, "x.prom");
	assert_int_equal(parse("-p", "1", "--prometheus=", NULL), -EINVAL);
}

static void a_command_keeps_its_own_options(void **state)
{
	(void)state;
	assert_int_equal(parse("-i", "2", "--", "sleep", "-p", "3", NULL), 0);
	assert_int_equal(o.what.pid, 0);
	assert_string_equal(o.what.command[0], "sleep");
	assert_string_equal(o.what.command[1], "-p");
	assert_null(o.what.command[3]);
	/* The two dashes may be left out. */
	assert_int_equal(parse("sleep", "-p", "3", NULL), 0);
	assert_string_equal(o.what.command[1], "-p");
}

static void lines_can_be_fewer(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "1", NULL), 0);
	assert_false(o.by_name);
	assert_int_equal(o.top, 0);
	assert_int_equal(parse("-p", "1", "-g", "-t", "10", NULL), 0);
	assert_true(o.by_name);
	assert_int_equal(o.top, 10);
	assert_int_equal(parse("-p", "1", "--by-name", "--top", "3", NULL), 0);
	assert_true(o.by_name);
	assert_int_equal(o.top, 3);
}

static void children_are_asked_for(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "1", NULL), 0);
	assert_false(o.what.children);
	assert_int_equal(parse("-p", "1", "--children", NULL), 0);
	assert_true(o.what.children);
	assert_int_equal(parse("-c", "--", "make", "-c", NULL), 0);
	assert_true(o.what.children);
	assert_string_equal(o.what.command[0], "make");
}

static void ranges_are_widened_to_pages(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "1", "-r", "1001-2fff", NULL), 0);
	assert_int_equal(o.what.start, 0x1000);
	assert_int_equal(o.what.end, 0x3000);
	assert_int_equal(parse("-p", "1", "-r", "0x7f0000000000-0x7f0000001000", NULL), 0);
	assert_int_equal(o.what.start, 0x7f0000000000);
}

static void help_needs_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(parse("--help", NULL), 0);
	assert_true(o.help);
}

static void assert_wrong(const char *mentions)
{
	assert_non_null(strstr(why, mentions));
}

static void lines_or_the_screen(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "1", NULL), 0);
	assert_false(o.plain);
	assert_false(o.screen);
	assert_int_equal(o.color, COLOR_AUTO);
	assert_int_equal(parse("-p", "1", "--plain", "--color=never", NULL), 0);
	assert_true(o.plain);
	assert_int_equal(o.color, COLOR_NEVER);
	assert_int_equal(parse("--screen", "--color", "always", "sleep", "1", NULL), 0);
	assert_true(o.screen);
	assert_int_equal(o.color, COLOR_ALWAYS);
}

static void mistakes_are_explained(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL), -EINVAL);
	assert_wrong("-p PID");
	assert_int_equal(parse("-p", "1", "sleep", NULL), -EINVAL);
	assert_wrong("not both");
	assert_int_equal(parse("-p", "0", NULL), -EINVAL);
	assert_wrong("'0'");
	assert_int_equal(parse("-p", "-1", NULL), -EINVAL);
	assert_int_equal(parse("-p", "12x", NULL), -EINVAL);
	assert_int_equal(parse("-p", "99999999999", NULL), -EINVAL);
	assert_int_equal(parse("-p", "", NULL), -EINVAL);
	assert_int_equal(parse("-p", NULL), -EINVAL);
	assert_wrong("'-p' needs a value");
	assert_int_equal(parse("-p", "1", "-i", "0", NULL), -EINVAL);
	assert_wrong("interval");
	assert_int_equal(parse("-p", "1", "-i", "nan", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1", "-i", "inf", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1", "-i", "1s", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1", "-n", "0", NULL), -EINVAL);
	assert_wrong("count");
	assert_int_equal(parse("-p", "1", "-t", "0", NULL), -EINVAL);
	assert_wrong("number of lines");
	assert_int_equal(parse("-p", "1", "-r", "1000", NULL), -EINVAL);
	assert_wrong("range");
	assert_int_equal(parse("-p", "1", "-r", "2000-1000", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1", "-r", "1000-2000z", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1", "-r", "0-fffffffffffffffff", NULL), -EINVAL);
	assert_int_equal(parse("-p", "1", "--color", "red", NULL), -EINVAL);
	assert_wrong("'red' is no choice of colours");
	assert_int_equal(parse("-p", "1", "--screen", "-j", NULL), -EINVAL);
	assert_wrong("--screen is for a terminal");
	assert_int_equal(parse("--nonsense", NULL), -EINVAL);
	assert_wrong("no option '--nonsense'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process),
		cmocka_unit_test(everything),
		cmocka_unit_test(metrics),
		cmocka_unit_test(a_command_keeps_its_own_options),
		cmocka_unit_test(lines_can_be_fewer),
		cmocka_unit_test(children_are_asked_for),
		cmocka_unit_test(ranges_are_widened_to_pages),
		cmocka_unit_test(help_needs_nothing_else),
		cmocka_unit_test(lines_or_the_screen),
		cmocka_unit_test(mistakes_are_explained),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
