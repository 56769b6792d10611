// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tools on real programs: what they say makes sense, and the program does its work as it does
 * without them. redis while it runs, sqlite3 and python3 as commands, a Java virtual machine, and
 * PostgreSQL with its processes.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "programs.h"
#include "support.h"

#define DATA "/tmp/tool.data"
#define OUTPUT "/tmp/tool.out"
#define BIG (8ul << 20)

static char output[1 << 20];

/* ---- what tools print */

static void read_output(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(output, 1, sizeof(output) - 1, file);
	output[n] = 0;
	fclose(file);
}

/* A command of the shell that succeeds; what it prints is the output. */
static void run(const char *command)
{
	char *argv[] = { "sh", "-c", (char *)command, NULL };
	const int status = program_wait(program_start(argv, OUTPUT));

	read_output(OUTPUT);
	if (status)
		fail_msg("%s: status %d: %s", command, status, output);
}

static void expect_printed(const char *text)
{
	if (!strstr(output, text))
		fail_msg("no '%s' in:\n%s", text, output);
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no '%s' in %s", key, json_object_to_json_string(object));
	return value;
}

static int64_t number(struct json_object *object, const char *key)
{
	return json_object_get_int64(get(object, key));
}

static const char *text(struct json_object *object, const char *key)
{
	return json_object_get_string(get(object, key));
}

/* The output is one object. */
static struct json_object *parse(void)
{
	struct json_object *object = json_tokener_parse(output);

	if (!object)
		fail_msg("this is no JSON: %s", output);
	return object;
}

/* Of a number in the objects that are lines of the output */
struct numbers {
	unsigned int lines;
	int64_t least, most, last;
};

static struct numbers numbers_of(int64_t (*of)(struct json_object *))
{
	struct numbers n = { .least = INT64_MAX };
	char *line, *rest = output;

	for (; (line = strsep(&rest, "\n")) && *line; n.lines++) {
		struct json_object *object = json_tokener_parse(line);

		if (!object)
			fail_msg("this is no JSON: %s", line);
		n.last = of(object);
		n.least = n.last < n.least ? n.last : n.least;
		n.most = n.last > n.most ? n.last : n.most;
		json_object_put(object);
	}
	return n;
}

/* ---- redis */

static struct redis redis;

static int start_redis(void **state __attribute__((unused)))
{
	redis = redis_start('r', false);
	return 0;
}

static int end_redis(void **state __attribute__((unused)))
{
	redis_end(&redis);
	return 0;
}

/* A tool on that process, until its memory is armed. */
static pid_t start_on(pid_t pid, const char *words)
{
	char command[256], *argv[] = { "sh", "-c", command, NULL };
	pid_t tool, ended = 0;

	snprintf(command, sizeof(command), "exec uffdwp %s -p %d", words, (int)pid);
	tool = program_start(argv, OUTPUT);
	wait_for(has_registered_memory(pid) || (ended = waitpid(tool, NULL, WNOHANG)) == tool);
	if (ended == tool) {
		read_output(OUTPUT);
		fail_msg("%s: %s", words, output);
	}
	sleep(2);
	return tool;
}

static void expect_end(pid_t tool, int signal)
{
	const int status = signal ? program_end(tool, signal) : program_wait(tool);

	read_output(OUTPUT);
	if (status)
		fail_msg("status %d: %s", status, output);
}

/* Some parts of the load each second, for so long. */
static void load_for(double how_long)
{
	const double until = seconds() + how_long;
	static unsigned int part;

	while (seconds() < until) {
		redis_load(&redis, part++);
		usleep(100000);
	}
}

static void set_big(void)
{
	char *value = malloc(BIG + 64), line[64];
	int n;

	assert_non_null(value);
	n = sprintf(value, "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%lu\r\n", BIG);
	redis_put(&redis, value, n);
	memset(value, 'x', BIG);
	memcpy(value + BIG, "\r\n", 2);
	redis_put(&redis, value, BIG + 2);
	redis_get_line(&redis, line, sizeof(line));
	assert_string_equal(line, "+OK\r\n");
	free(value);
}

static int64_t written_in(struct json_object *object)
{
	return number(object, "pages_written");
}

/* 8 MiB in one interval, nothing but what it does every now and then in others. */
TEST(redis_is_recorded)
{
	struct json_object *report;
	struct numbers times;
	pid_t tool;

	load_for(1);
	tool = start_on(redis.pid, "record -i 1 -o " DATA);
	sleep(3);
	set_big();
	sleep(3);
	expect_end(tool, SIGINT);
	run("uffdwp report " DATA " times --json");
	times = numbers_of(written_in);
	print_message("[   INFO   ] %" PRId64 " to %" PRId64 " pages in %u intervals\n",
		      times.least, times.most, times.lines);
	assert_in_range(times.lines, 5, 60);
	assert_in_range(times.most, BIG / PAGE / 2, 4 * BIG / PAGE);
	assert_in_range(times.least, 1, BIG / PAGE / 4);
	run("uffdwp report " DATA);
	expect_printed("redis-server");
	expect_printed("written set");
	expect_printed("hot ");
	run("uffdwp report " DATA " --json");
	report = parse();
	assert_non_null(strstr(text(get(report, "recording"), "what"), "redis-server"));
	assert_true(json_object_get_boolean(get(get(report, "recording"), "whole")));
	assert_in_range(number(get(report, "total"), "pages_written"), BIG / PAGE,
			6 * BIG / PAGE);
	json_object_put(report);
}

static int64_t total_of(struct json_object *report)
{
	return number(get(report, "total"), "pages_written");
}

static int64_t row_of(struct json_object *report)
{
	struct json_object *rows = get(report, "processes"), *row;

	assert_int_equal(json_object_array_length(rows), 1);
	row = json_object_array_get_idx(rows, 0);
	assert_int_equal(number(row, "pid"), redis.pid);
	assert_string_equal(text(row, "name"), "redis-server");
	assert_true(number(row, "pages_written") <= number(row, "pages_tracked"));
	return number(row, "pages_written");
}

/* Both print a line each second, and have the 8 MiB in one or two of them. */
static void expect_reports(const char *words, int64_t (*of)(struct json_object *))
{
	pid_t tool = start_on(redis.pid, words);
	struct numbers pages;

	set_big();
	expect_end(tool, 0);
	pages = numbers_of(of);
	print_message("[   INFO   ] %s: %" PRId64 " to %" PRId64 " pages\n", words, pages.least,
		      pages.most);
	assert_int_equal(pages.lines, 6);
	assert_in_range(pages.most, BIG / PAGE / 2, 4 * BIG / PAGE);
	assert_in_range(pages.least, 1, BIG / PAGE / 4);
}

TEST(redis_is_on_top)
{
	expect_reports("top --json -n 6", row_of);
}

TEST(redis_is_watched)
{
	expect_reports("watch --json -n 6", total_of);
}

/* Pages by functions of which the name is known, of those in modules with this in their name. */
static int64_t pages_in(struct json_object *report, const char *module, const char **most)
{
	struct json_object *writers = get(report, "writers"), *stack, *frame, *value;
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(writers); i++) {
		stack = get(json_object_array_get_idx(writers, i), "stack");
		frame = json_object_array_get_idx(stack, 0);
		if (!json_object_object_get_ex(frame, "module", &value) ||
		    !strstr(json_object_get_string(value), module) ||
		    !strncmp(text(frame, "function"), "0x", 2))
			continue;
		if (!sum)
			*most = text(frame, "function");
		sum += number(json_object_array_get_idx(writers, i), "pages");
	}
	return sum;
}

/* Functions of the program have names, and so have those of the C library. */
static void expect_blamed(const char *module)
{
	struct json_object *report = parse();
	const char *most = NULL, *libc = NULL;
	int64_t own = pages_in(report, module, &most), libraries = pages_in(report, "libc", &libc);

	if (!own)
		fail_msg("no function of %s in %s", module, output);
	print_message("[   INFO   ] of %" PRId64 " pages: %" PRId64 " %s (%s), %" PRId64 " libc\n",
		      number(report, "pages"), own, module, most, libraries);
	assert_int_equal(number(report, "pages_lost"), 0);
	assert_true(own + libraries <= number(report, "pages"));
	json_object_put(report);
}

static bool no_types(void)
{
	return access("/sys/kernel/btf/vmlinux", R_OK);
}

TEST(functions_of_redis_are_blamed)
{
	pid_t tool;

	if (no_types())
		skip_because("this kernel has no /sys/kernel/btf/vmlinux");
	tool = start_on(redis.pid, "blame -d 6 --json");
	load_for(3);
	expect_end(tool, 0);
	/* redis-server is a link to that program. */
	expect_blamed("redis");
}

/* After all that, what it has is what its twin has that nobody looked at. */
TEST(redis_has_what_its_twin_has)
{
	struct redis twin = redis_start('t', false);
	unsigned int i;
	char line[64];
	pid_t tool;

	redis_put(&redis, "FLUSHALL\r\n", 10);
	redis_get_line(&redis, line, sizeof(line));
	tool = start_on(redis.pid, "record -i 0.2 -o " DATA);
	for (i = 0; i < 10; i++) {
		redis_load(&redis, i);
		redis_load(&twin, i);
	}
	redis_assert_same(&redis, &twin);
	expect_end(tool, SIGINT);
	redis_assert_same(&redis, &twin);
	redis_end(&twin);
}

/* ---- commands */

/*
 * A command alone, and recorded: what it prints is the same, and has this in it. At least so many
 * pages were written.
 */
static void expect_same(const char *command, const char *printed, int64_t pages)
{
	char joined[1024], *alone;
	struct json_object *report;
	int64_t written;

	run(command);
	expect_printed(printed);
	alone = strdup(output);
	assert_non_null(alone);
	snprintf(joined, sizeof(joined), "uffdwp record -q -c -i 0.2 -o " DATA " -- %s", command);
	run(joined);
	assert_string_equal(output, alone);
	free(alone);
	run("uffdwp report " DATA " --json");
	report = parse();
	written = number(get(report, "total"), "pages_written");
	print_message("[   INFO   ] %" PRId64 " pages\n", written);
	assert_in_range(written, pages, 100 * pages);
	json_object_put(report);
}

/* 20000 rows of some 100 bytes with an index, more than its cache of 2 MiB */
TEST(sqlite_builds_the_same_database)
{
	expect_same("sh -c 'rm -f /tmp/x.db; sqlite3 /tmp/x.db \"create table t (a, b);"
		    " with recursive n(i) as"
		    " (select 1 union all select i + 1 from n where i < 20000)"
		    " insert into t select i * 7919 % 20011, printf(\\\"%0100d\\\", i) from n;"
		    " create index x on t (a); pragma integrity_check;\" && sha256sum /tmp/x.db'",
		    "ok\n", 500);
}

/* 5000 objects of 4 KiB, which it keeps for a moment */
TEST(python_allocates_the_same)
{
	expect_same("python3 -E -I -S -c 'import time\n"
		    "kept = [bytes([i % 251]) * 4096 for i in range(5000)]\n"
		    "time.sleep(1)\n"
		    "print(sum(b[100] for b in kept))'", "622690\n", 5000);
}

/* ---- Java */

static void twin_turns(struct java *a, struct java *b, int from, int to)
{
	for (; from < to; from++)
		assert_int_equal(java_turn(a, from), java_turn(b, from));
}

TEST(java_is_recorded_and_blamed)
{
	struct java a = java_start('a', false), b = java_start('b', false);
	struct json_object *report;
	pid_t tool = start_on(b.pid, "record -i 1 -o " DATA);

	twin_turns(&a, &b, 0, 8);
	sleep(1);
	expect_end(tool, SIGINT);
	run("uffdwp report " DATA " --json");
	report = parse();
	assert_non_null(strstr(text(get(report, "recording"), "what"), "java"));
	/* Each turn fills two megabytes. */
	assert_true(number(get(report, "total"), "pages_written") > 8 * 500);
	json_object_put(report);
	if (!no_types()) {
		tool = start_on(b.pid, "blame -d 8 --json");
		twin_turns(&a, &b, 8, 12);
		expect_end(tool, 0);
		expect_blamed("libjvm");
	}
	java_end(&a);
	java_end(&b);
}

/* ---- PostgreSQL */

/* Some 2 MiB in a table, as much in its index, sorted and summed up */
static void build_table(const char *name, char *sum, size_t size)
{
	char query[512];

	snprintf(query, sizeof(query),
		 "create table %s as select g as a, md5(g::text) as b"
		 " from generate_series(1, 20000) g;"
		 " create index on %s (b); update %s set a = -a where a %% 7 = 0;"
		 " select sum(a), md5(string_agg(b, '' order by b)) from %s", name, name, name,
		 name);
	postgres_ask(query, sum, size);
}

/* Pages of processes that came after the server, each of which serves one client */
static int64_t pages_of_children(struct json_object *report, pid_t server)
{
	struct json_object *processes = get(report, "processes"), *process;
	int64_t pages = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(processes); i++) {
		process = json_object_array_get_idx(processes, i);
		if (number(process, "pid") != server)
			pages += number(process, "pages_written");
	}
	return pages;
}

TEST(postgresql_builds_the_same_table)
{
	char alone[256], recorded[256];
	const pid_t server = postgres_start();
	struct json_object *report;
	int64_t pages;
	pid_t tool;

	build_table("alone", alone, sizeof(alone));
	tool = start_on(server, "record -c -i 0.5 -o " DATA);
	build_table("recorded", recorded, sizeof(recorded));
	assert_string_equal(recorded, alone);
	expect_end(tool, SIGINT);
	run("uffdwp report " DATA " --json");
	report = parse();
	pages = pages_of_children(report, server);
	print_message("[   INFO   ] %" PRId64 " pages, %zu processes; %s", pages,
		      json_object_array_length(get(report, "processes")), alone);
	/* The pages of table and index are written in its buffers. */
	assert_in_range(pages, 1000, 100000);
	json_object_put(report);
	postgres_end(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redis_is_recorded),
		cmocka_unit_test(redis_is_on_top),
		cmocka_unit_test(redis_is_watched),
		cmocka_unit_test(functions_of_redis_are_blamed),
		cmocka_unit_test(redis_has_what_its_twin_has),
		cmocka_unit_test(sqlite_builds_the_same_database),
		cmocka_unit_test(python_allocates_the_same),
		cmocka_unit_test(java_is_recorded_and_blamed),
		cmocka_unit_test(postgresql_builds_the_same_table),
	};

	return cmocka_run_group_tests_name("tools", tests, start_redis, end_redis);
}
