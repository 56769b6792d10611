// SPDX-License-Identifier: GPL-2.0-only
/*
 * What "uffdwp record" and "uffdwp blame" cost a real program: the time on a processor that
 * redis-server takes for exactly the same requests, by itself and with the tool.
 *
 * Under icount that is instructions, of redis and of the kernel on its behalf. There is one
 * processor, so that no flush of a TLB goes to another. Elsewhere the figures mean nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "programs.h"
#include "support.h"

#define OUTPUT "/tmp/tool.log"

/* As many GETs as SETs, of keys at random, one after the other by one client. */
struct load {
	const char *name;
	unsigned int keys;
	unsigned int value;	/* bytes */
	unsigned int requests;
	unsigned int sets;	/* of 100 */
	long pause;		/* nanoseconds from one request to the next; 0: at once */
};

static const struct load busy = { "busy", 100000, 100, 40000, 50, 0 };
static const struct load slow = { "1000 a second", 100000, 100, 4000, 50, 1000000 };

struct cost {
	uint64_t time;		/* on a processor, of all threads */
	uint64_t faults;
	uint64_t tool;		/* the time of the tool */
	double seconds;
};

/* ---- what a process has taken until now */

/* The first number in a file of /proc */
static uint64_t number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t number = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%" SCNu64, &number), 1);
	fclose(file);
	return number;
}

static uint64_t time_of(pid_t pid)
{
	char path[320];
	struct dirent *entry;
	uint64_t sum = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	assert_non_null(threads);
	while ((entry = readdir(threads))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid,
			 entry->d_name);
		sum += number_in(path);
	}
	closedir(threads);
	return sum;
}

static uint64_t faults_of(pid_t pid)
{
	uint64_t faults = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %" SCNu64,
				&faults), 1);
	fclose(file);
	return faults;
}

static struct cost cost_until_now(const struct redis *r, pid_t tool)
{
	return (struct cost){ time_of(r->pid), faults_of(r->pid), tool ? time_of(tool) : 0,
			      seconds() };
}

static struct cost cost_since(struct cost before, const struct redis *r, pid_t tool)
{
	const struct cost now = cost_until_now(r, tool);

	return (struct cost){ now.time - before.time, now.faults - before.faults,
			      now.tool - before.tool, now.seconds - before.seconds };
}

/* ---- requests */

/* As long as the value of a key is, so is the answer: no byte of it needs to be looked at. */
static void get_bytes(struct redis *r, size_t len)
{
	static char answer[4096];
	ssize_t n;

	assert_true(len <= sizeof(answer));
	for (; len; len -= n) {
		n = read(r->sock, answer, len);
		assert_true(n > 0);
	}
	assert_true(*answer != '-');
}

/* As DEBUG POPULATE names them; returns the length. */
static int name_key(char name[16], unsigned int key)
{
	return snprintf(name, 16, "key:%u", key);
}

static void set_key(struct redis *r, const struct load *load, unsigned int key)
{
	char text[4096], name[16];
	int n = name_key(name, key);

	n = snprintf(text, sizeof(text), "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%u\r\n%0*u\r\n", n, name,
		     load->value, (int)load->value, key);
	redis_put(r, text, n);
	get_bytes(r, strlen("+OK\r\n"));
}

static void get_key(struct redis *r, const struct load *load, unsigned int key)
{
	char text[64], name[16];
	int n = name_key(name, key);

	n = snprintf(text, sizeof(text), "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", n, name);
	redis_put(r, text, n);
	n = snprintf(text, sizeof(text), "$%u\r\n\r\n", load->value);
	get_bytes(r, n + load->value);
}

/* All keys and their values, by redis itself */
static void fill(struct redis *r, const struct load *load)
{
	char text[64];
	int n;

	n = snprintf(text, sizeof(text), "DEBUG POPULATE %u key %u\r\n", load->keys, load->value);
	redis_put(r, text, n);
	get_bytes(r, strlen("+OK\r\n"));
}

static void wait_until(double when)
{
	const struct timespec t = { when, (when - (time_t)when) * 1e9 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void do_requests(struct redis *r, const struct load *load)
{
	const double begin = seconds();
	uint64_t chance = 1;
	unsigned int i, key;

	for (i = 0; i < load->requests; i++) {
		key = next_random(&chance) % load->keys;
		if (load->pause)
			wait_until(begin + i * (load->pause / 1e9));
		if (next_random(&chance) % 100 < load->sets)
			set_key(r, load, key);
		else
			get_key(r, load, key);
	}
}

/* ---- with a tool, or without */

static pid_t start_tool(const char *verb, const struct redis *r)
{
	char pid[16], *argv[] = { "uffdwp", (char *)verb, "-p", pid, "-i", "1", "-o",
				  "/tmp/tool.data", NULL };
	pid_t tool;

	snprintf(pid, sizeof(pid), "%d", (int)r->pid);
	tool = program_start(argv, OUTPUT);
	wait_for(has_registered_memory(r->pid));
	return tool;
}

static struct cost measure(const struct load *load, const char *verb)
{
	struct redis r = redis_start('a', false);
	struct cost before, cost;
	pid_t tool = 0;

	fill(&r, load);
	if (verb)
		tool = start_tool(verb, &r);
	/* The dictionary has its final size, and everything is armed. */
	sleep(3);
	before = cost_until_now(&r, tool);
	do_requests(&r, load);
	cost = cost_since(before, &r, tool);
	/* It was at work until then, and not for nothing. */
	if (tool) {
		assert_true(has_registered_memory(r.pid));
		assert_true(cost.faults > load->requests / 20);
		assert_int_equal(program_end(tool, SIGINT), 0);
	}
	redis_end(&r);
	return cost;
}

/* ---- figures */

static double print_row(const struct load *load, const char *what, struct cost c, struct cost alone)
{
	const double ratio = (double)c.time / alone.time;

	print_message("[   COST   ] %-14s %-8s %8.1f ms %8.0f ns/request %6" PRIu64
		      " faults %6.1f s  %.4f", load->name, what, c.time / 1e6,
		      (double)c.time / load->requests, c.faults, c.seconds, ratio);
	if (c.tool)
		print_message("  (tool: %.1f ms)", c.tool / 1e6);
	print_message("\n");
	return ratio;
}

static void measure_all(const struct load *load, double *record, double *blame)
{
	const struct cost alone = measure(load, NULL);

	print_row(load, "alone", alone, alone);
	*record = print_row(load, "record", measure(load, "record"), alone);
	*blame = print_row(load, "blame", measure(load, "blame"), alone);
}

TEST(a_busy_redis_pays_little)
{
	double record, blame;

	measure_all(&busy, &record, &blame);
	if (record > 1.05 || blame > 1.15)
		fail_msg("record %.4f, at most 1.05; blame %.4f, at most 1.15", record, blame);
}

/*
 * One that does little in an interval writes to nearly every page for the first time: it pays a
 * larger part of that little. This limit is no promise; it is to notice when that changes.
 */
TEST(an_idle_redis_pays_for_its_faults)
{
	double record, blame;

	measure_all(&slow, &record, &blame);
	if (record > 1.5)
		fail_msg("record %.4f, at most 1.5", record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_redis_pays_for_its_faults),
		cmocka_unit_test(a_busy_redis_pays_little),
	};

	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
