// SPDX-License-Identifier: GPL-2.0-only
/*
 * dead_tracers: BPF programs on the functions that are hooked, one at a time. Whoever comes second
 * is let in or gets a clear error; writes are noticed all the while.
 *
 * At the exit of a function first, and gone before another comes to its entry: the other way round
 * kills ftrace on Linux 6.1 (dead_ftrace.c). A guest of its own, in case it dies all the same.
 * PART=I/N in the environment: every Nth function, from the Ith on, counted from 0.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf.h"
#include "support.h"
#include "writer.h"

#define ENABLED "/sys/kernel/debug/tracing/enabled_functions"
#define MOST 40
#define N 64ul
#define LEN (N * PAGE)

static char names[MOST][64];
static unsigned int n;

/* What /sys says of a function that is hooked, or NULL. */
static const char *enabled(const char *name)
{
	static char line[1024];
	FILE *file = fopen(ENABLED, "r");
	char first[64];
	bool found = false;

	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s", first) == 1 && !strcmp(first, name);
	fclose(file);
	return found ? line : NULL;
}

static bool has_bpf(const char *name)
{
	const char *line = enabled(name);

	return line && strstr(line, "direct");
}

static void list_functions(void)
{
	FILE *file = fopen(ENABLED, "r");
	char line[1024];

	unsigned int seen = 0, part = 0, parts = 1;

	assert_non_null(file);
	if (getenv("PART") && sscanf(getenv("PART"), "%u/%u", &part, &parts) == 2 && parts)
		print_message("[   INFO   ] every %uth function, from the %uth on\n", parts, part);
	while (n < MOST && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s", names[n]) == 1 && seen++ % parts == part)
			n++;
	fclose(file);
	assert_true(n);
}

static void writes_are_noticed(int fd, char *memory)
{
	assert_ok(dev_arm(fd, memory, LEN));
	assert_int_equal(written(fd, memory, LEN, false), 0);
	memory[0]++;
	memory[7 * PAGE]++;
	assert_int_equal(written(fd, memory, LEN, true), 2);
	assert_ok(madvise(memory + 8 * PAGE, PAGE, MADV_DONTNEED));
	assert_int_equal(written(fd, memory, LEN, true), 1);
	assert_false(ftrace_is_dead());
}

static const struct {
	enum bpf_place place;
	const char *name;
} places[] = {
	{ BPF_INSTEAD, "fmod_ret" }, { BPF_AT_EXIT, "fexit" }, { BPF_AT_ENTRY, "fentry" },
};

#define PLACES (sizeof(places) / sizeof(places[0]))

/* 0 or more, or -errno */
static int attach(const char *function, unsigned int place)
{
	int program = bpf_load(function, places[place].place), link;

	if (program < 0)
		return program;
	link = bpf_attach(program);
	close(program);
	return link;
}

static void detach(const char *function, int link)
{
	close(link);
	wait_for(!has_bpf(function));
}

TEST(bpf_comes_second)
{
	char *memory = map_filled(N);
	int fd = tracker_of(memory, LEN), link;
	unsigned int i, p;

	list_functions();
	for (i = 0; i < n; i++) {
		for (p = 0; p < PLACES; p++) {
			link = attach(names[i], p);
			print_message("[          ] %s, then %s: %s\n", names[i], places[p].name,
				      link < 0 ? strerror(-link) : "both");
			/* To decide what a function returns is allowed where the kernel says so. */
			if (places[p].place == BPF_INSTEAD)
				assert_true(link < 0);
			writes_are_noticed(fd, memory);
			if (link >= 0)
				detach(names[i], link);
		}
	}
	close(fd);
	munmap(memory, LEN);
}

TEST(bpf_comes_first)
{
	char *memory = map_filled(N);
	unsigned int i, p;
	int fd, link, err;

	for (i = 0; i < n; i++) {
		for (p = 0; p < PLACES; p++) {
			/* Those that stay as long as the module were there before. */
			wait_for(!enabled("handle_userfault"));
			link = attach(names[i], p);
			if (link < 0)
				continue;
			fd = dev_open();
			err = dev_attach_self(fd);
			print_message("[          ] %s of %s, then a tracker: %s\n",
				      places[p].name, names[i], err ? strerror(-err) : "both");
			assert_true(!err || err == -ENODEV);
			if (!err) {
				assert_ok(dev_register(fd, memory, LEN));
				writes_are_noticed(fd, memory);
			}
			close(fd);
			detach(names[i], link);
		}
	}
	fd = tracker_of(memory, LEN);
	writes_are_noticed(fd, memory);
	close(fd);
	munmap(memory, LEN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bpf_comes_second),
		cmocka_unit_test(bpf_comes_first),
	};

	return cmocka_run_group_tests_name("dead_tracers", tests, NULL, NULL);
}
