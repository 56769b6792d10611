// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real programs and their twins: redis and a Java virtual machine do the same twice, once by
 * themselves and once followed, or with tracers that are killed at any moment. They answer the
 * same, and have the same mappings at the same addresses: at every point where they are compared,
 * and after tracking has ended.
 *
 * Addresses are not random, so that the same program is the same. What is not the same without a
 * tracker either is not compared: the twins that nobody tracks are compared first.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "programs.h"
#include "support.h"

#define MAPS 65536

/* ---- mappings of a process */

/* Addresses, permissions and names of /proc/PID/maps, without devices and inodes. */
static char *maps_of(pid_t pid)
{
	char path[64], line[512], perms[8], *text = malloc(MAPS);
	unsigned long start, end;
	size_t len = 0;
	int name;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(text);
	while (fgets(line, sizeof(line), f)) {
		assert_int_equal(sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &start, &end, perms,
					&name), 3);
		len += snprintf(text + len, MAPS - len, "%lx-%lx %s %s", start, end, perms,
				line + name);
		assert_true(len < MAPS);
	}
	fclose(f);
	return text;
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static bool is_registered(pid_t pid)
{
	return has_registered_memory(pid);
}

/* Both are stopped at the same point of what they do. */
static void assert_twins(pid_t a, pid_t b, const char *when)
{
	char *of_a = maps_of(a), *of_b = maps_of(b);

	if (strcmp(of_a, of_b)) {
		print_message("%s\n---- and its twin\n%s", of_a, of_b);
		fail_msg("%s: %zu mappings, and %zu of the twin", when, lines(of_a), lines(of_b));
	}
	free(of_a);
	free(of_b);
}

#define PARTS 40

static void compare_redis(bool followed)
{
	struct redis a = redis_start('a', false), b = redis_start('b', followed);
	unsigned int i;
	char when[32];

	assert_int_equal(is_registered(b.pid), followed);
	assert_twins(a.pid, b.pid, "at the start");
	for (i = 0; i < PARTS; i++) {
		redis_load(&a, i);
		redis_load(&b, i);
		snprintf(when, sizeof(when), "after part %u", i);
		assert_twins(a.pid, b.pid, when);
	}
	redis_assert_same(&a, &b);
	if (followed) {
		program_end(b.started, SIGKILL);
		wait_for(!is_registered(b.pid));
		assert_twins(a.pid, b.pid, "after the tracer was killed");
		redis_load(&a, PARTS);
		redis_load(&b, PARTS);
		assert_twins(a.pid, b.pid, "and gone on");
		redis_assert_same(&a, &b);
	}
	redis_end(&a);
	redis_end(&b);
}

TEST(redis_is_like_its_twin)
{
	compare_redis(false);
}

TEST(redis_is_like_its_twin_when_it_is_followed)
{
	compare_redis(true);
}

#define KILLS 100

/*
 * A tool that is started beside a running process registers mapping after mapping, while others
 * come: the process may have a few more afterwards, which the kernel does not merge (its rule for
 * what was touched before). So here they are counted.
 */
TEST(redis_does_not_notice_that_tracers_are_killed)
{
	struct redis a = redis_start('a', false), b = redis_start('b', false);
	char pid[16], *argv[] = { "uffdwp", "watch", "-i", "0.05", "-p", pid, NULL };
	uint64_t chance = time(NULL);
	unsigned int parts = 0, i, seen = 0;
	char *of_a, *of_b;
	double until;
	pid_t tracer;

	print_message("[   INFO   ] seed %lu\n", (unsigned long)chance);
	snprintf(pid, sizeof(pid), "%d", b.pid);
	for (i = 0; i < KILLS; i++) {
		until = seconds() + next_random(&chance) % 400 / 1000.0;
		tracer = program_start(argv, "/tmp/watch.log");
		do
			redis_load(&b, parts++);
		while (seconds() < until);
		seen += is_registered(b.pid);
		program_end(tracer, SIGKILL);
	}
	wait_for(!is_registered(b.pid));
	for (i = 0; i < parts; i++)
		redis_load(&a, i);
	redis_assert_same(&a, &b);
	of_a = maps_of(a.pid);
	of_b = maps_of(b.pid);
	print_message("[   INFO   ] %u tracers killed, %u of them at work, %u parts: %zu mappings, and %zu of the twin\n",
		      KILLS, seen, parts, lines(of_a), lines(of_b));
	assert_true(seen > KILLS / 10);
	if (strcmp(of_a, of_b)) {
		print_message("%s\n---- and its twin\n%s", of_a, of_b);
		fail_msg("%zu mappings, and %zu of the twin", lines(of_a), lines(of_b));
	}
	free(of_a);
	free(of_b);
	redis_end(&a);
	redis_end(&b);
}

#define TURNS 24

/*
 * Threads of the virtual machine come when they like, so that only numbers are compared, and given
 * a moment.
 */
static size_t mappings(pid_t pid)
{
	char *maps = maps_of(pid);
	size_t n = lines(maps);

	free(maps);
	return n;
}

static void compare_java(bool followed)
{
	struct java a = java_start('a', false), b = java_start('b', followed);
	int i;

	assert_int_equal(is_registered(b.pid), followed);
	for (i = 0; i < TURNS; i++) {
		assert_int_equal(java_turn(&a, i), java_turn(&b, i));
		wait_for(mappings(a.pid) == mappings(b.pid));
	}
	print_message("[   INFO   ] %zu mappings after %d turns\n", mappings(b.pid), TURNS);
	if (followed) {
		program_end(b.started, SIGKILL);
		wait_for(!is_registered(b.pid));
		wait_for(mappings(a.pid) == mappings(b.pid));
		assert_int_equal(java_turn(&a, TURNS), java_turn(&b, TURNS));
		wait_for(mappings(a.pid) == mappings(b.pid));
	}
	java_end(&a);
	java_end(&b);
}

TEST(java_is_like_its_twin)
{
	compare_java(false);
}

TEST(java_is_like_its_twin_when_it_is_followed)
{
	compare_java(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redis_is_like_its_twin),
		cmocka_unit_test(redis_is_like_its_twin_when_it_is_followed),
		cmocka_unit_test(redis_does_not_notice_that_tracers_are_killed),
		cmocka_unit_test(java_is_like_its_twin),
		cmocka_unit_test(java_is_like_its_twin_when_it_is_followed),
	};

	return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
