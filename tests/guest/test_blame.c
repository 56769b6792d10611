// SPDX-License-Identifier: GPL-2.0-only
/*
 * blame, trap and latency, as a person and as a program use them: on a program whose threads and
 * functions write known numbers of pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

#define UFFDWP "/bin/uffdwp"
#define WRITERS "/bin/writers"
#define REPORT "/tmp/report"
#define MESSAGES "/tmp/messages"
#define RED 100ul
#define BLUE 50ul

static char output[1 << 20];

static void read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(output, 1, sizeof(output) - 1, file);
	output[n] = 0;
	fclose(file);
}

static bool printed(const char *text)
{
	return strstr(output, text);
}

static void expect_printed(const char *text)
{
	if (!printed(text))
		fail_msg("no '%s' in:\n%s", text, output);
}

/* Standard output and error of a command; its exit status. */
static int run(const char *command)
{
	char joined[512];
	int status;

	snprintf(joined, sizeof(joined), "%s >" REPORT " 2>&1", command);
	status = system(joined);
	read_file(REPORT);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct writers {
	pid_t pid;
	int tell;
};

static struct writers start_writers(const char *first, const char *second)
{
	struct writers w;
	int pipe_to[2];

	assert_ok(pipe2(pipe_to, O_CLOEXEC));
	w.pid = fork();
	if (!w.pid) {
		dup2(pipe_to[0], STDIN_FILENO);
		execl(WRITERS, WRITERS, first, second, (char *)NULL);
		_exit(98);
	}
	close(pipe_to[0]);
	w.tell = pipe_to[1];
	return w;
}

static void tell(const struct writers *w)
{
	assert_int_equal(write(w->tell, "g", 1), 1);
}

static void end_writers(struct writers *w)
{
	close(w->tell);
	waitpid(w->pid, NULL, 0);
}

/* A verb on that process, in the background: until its memory is armed. */
static pid_t start_verb(const struct writers *w, const char *words)
{
	char command[256];
	pid_t pid = fork(), ended = 0;

	if (!pid) {
		snprintf(command, sizeof(command),
			 "exec " UFFDWP " %s -p %d >" REPORT " 2>" MESSAGES, words, (int)w->pid);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(98);
	}
	wait_for(has_registered_memory(w->pid) || (ended = waitpid(pid, NULL, WNOHANG)) == pid);
	if (ended == pid) {
		read_file(MESSAGES);
		fail_msg("%s: %s", words, output);
	}
	/* Registered is not armed yet: that comes at once, and nothing outside shows it. */
	sleep(2);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Both of its threads write once, under this command line of blame, which ends with them. */
static void blame_writers(const char *words)
{
	struct writers w = start_writers("100", "50");
	pid_t verb;

	usleep(300000);
	verb = start_verb(&w, words);
	tell(&w);
	usleep(500000);
	end_writers(&w);
	if (status_of(verb)) {
		read_file(MESSAGES);
		fail_msg("%s: %s", words, output);
	}
	read_file(REPORT);
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = object ? get(object, key) : NULL;

	return value ? json_object_get_string(value) : "";
}

/* Pages of the writers for which a function, or the thread's name, is this. */
static uint64_t pages_of(struct json_object *report, const char *name)
{
	struct json_object *writers = get(report, "writers"), *writer, *stack;
	uint64_t pages = 0;
	size_t i;

	assert_non_null(writers);
	for (i = 0; i < json_object_array_length(writers); i++) {
		writer = json_object_array_get_idx(writers, i);
		stack = get(writer, "stack");
		if (!strcmp(text_of(writer, "comm"), name) ||
		    (stack && !strcmp(text_of(json_object_array_get_idx(stack, 0), "function"),
				      name)))
			pages += json_object_get_int64(get(writer, "pages"));
	}
	return pages;
}

static void expect_pages(const char *words, const char *red, const char *blue)
{
	struct json_object *report;

	blame_writers(words);
	report = json_tokener_parse(output);
	assert_non_null(report);
	if (pages_of(report, red) < RED || pages_of(report, blue) < BLUE)
		fail_msg("%s: %" PRIu64 " and %" PRIu64 " pages in %s", words,
			 pages_of(report, red), pages_of(report, blue), output);
	/* Functions write nothing else; threads have stacks, too. */
	if (strcmp(red, "red")) {
		assert_int_equal(pages_of(report, red), RED);
		assert_int_equal(pages_of(report, blue), BLUE);
	}
	assert_true(pages_of(report, red) < RED + 20);
	assert_true(pages_of(report, blue) < BLUE + 20);
	assert_int_equal(json_object_get_int64(get(report, "pages_lost")), 0);
	json_object_put(report);
}

TEST(functions_are_blamed)
{
	expect_pages("blame -i 100 --json", "fill_red", "fill_blue");
	expect_printed("writers.c");
}

TEST(threads_are_blamed)
{
	expect_pages("blame -i 100 --json --by task", "red", "blue");
}

TEST(stacks_are_blamed)
{
	expect_pages("blame -i 100 --json --by stack", "fill_red", "fill_blue");
	expect_printed("call_red");
}

/* Each page is blamed once in an interval, so two of them in two. */
TEST(the_table_has_it_all)
{
	blame_writers("blame -i 100");
	expect_printed("fill_red");
	expect_printed("fill_blue");
	expect_printed("(writers)");
	expect_printed("first writes to a page");
	assert_true(strstr(output, "fill_red") < strstr(output, "fill_blue"));
}

TEST(mappings_are_blamed)
{
	blame_writers("blame -i 100 --by mapping");
	expect_printed("600000000000-600000064000");
	expect_printed("610000000000-610000032000");
}

TEST(stacks_can_be_folded)
{
	blame_writers("blame -i 100 --folded");
	expect_printed("call_red;fill_red 100\n");
	expect_printed(";fill_blue 50\n");
	assert_int_equal(strncmp(output, "writers;", 8), 0);
}

TEST(a_profile_for_pprof_is_compressed)
{
	blame_writers("blame -i 100 --pprof");
	assert_int_equal((unsigned char)output[0], 0x1f);
	assert_int_equal((unsigned char)output[1], 0x8b);
	assert_int_equal(system("gunzip -c " REPORT " | grep -q fill_red"), 0);
}

TEST(a_command_is_blamed)
{
	assert_int_equal(run("(sleep 1; echo gg; sleep 4) | " UFFDWP
			     " blame -i 0.3 -- " WRITERS " 100 50"), 0);
	expect_printed("process");
	assert_int_equal(run(UFFDWP " blame -- sh -c 'exit 3'"), 3);
	assert_int_equal(run(UFFDWP " blame -- /no/such/program"), 127);
	expect_printed("cannot start /no/such/program");
}

TEST(the_next_write_is_trapped)
{
	struct writers w = start_writers("3", NULL);
	pid_t verb;

	usleep(300000);
	verb = start_verb(&w, "trap --on 600000000000 --stack -n 2");
	tell(&w);
	sleep(1);
	tell(&w);
	assert_int_equal(status_of(verb), 0);
	read_file(REPORT);
	expect_printed("writers, thread ");
	expect_printed("writes to 0x600000000000\n");
	expect_printed("in fill_red+0x");
	expect_printed("writers.c:");
	expect_printed("called by write_often");
	assert_true(strstr(strstr(output, "writes to") + 1, "writes to"));
	end_writers(&w);
}

static char state_of(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *file;
	char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return end ? end[2] : 0;
}

TEST(who_is_trapped_is_stopped)
{
	struct writers w = start_writers("3", NULL);
	pid_t verb;

	usleep(300000);
	verb = start_verb(&w, "trap --on 600000000000-600000010000 --stop");
	tell(&w);
	assert_int_equal(status_of(verb), 0);
	read_file(REPORT);
	expect_printed("is stopped, before the write is done");
	wait_for(state_of(w.pid) == 'T');
	kill(w.pid, SIGCONT);
	wait_for(state_of(w.pid) == 'S');
	end_writers(&w);
}

/* While trap itself is stopped, the write and Ctrl-C come: it goes on with both. */
TEST(who_is_stopped_together_with_ctrl_c_is_told_of)
{
	struct writers w = start_writers("3", NULL);
	pid_t verb;

	usleep(300000);
	verb = start_verb(&w, "trap --on 600000000000 --stop");
	kill(verb, SIGSTOP);
	wait_for(state_of(verb) == 'T');
	tell(&w);
	wait_for(state_of(w.pid) == 'T');
	kill(verb, SIGINT);
	kill(verb, SIGCONT);
	assert_int_equal(status_of(verb), 0);
	read_file(REPORT);
	expect_printed("writes to 0x600000000000\n");
	expect_printed("is stopped, before the write is done: kill -CONT");
	kill(w.pid, SIGCONT);
	wait_for(state_of(w.pid) == 'S');
	end_writers(&w);
}

/* After the first write all is unmapped, before trap can arm it: that is no error, and it waits. */
TEST(a_page_that_was_hit_may_be_unmapped)
{
	struct writers w = start_writers("1", NULL);
	pid_t verb;

	usleep(300000);
	verb = start_verb(&w, "trap --on 600000000000 -n 2");
	kill(verb, SIGSTOP);
	wait_for(state_of(verb) == 'T');
	tell(&w);
	tell(&w);
	wait_for(!has_registered_memory(w.pid));
	kill(verb, SIGCONT);
	sleep(2);
	assert_int_equal(waitpid(verb, NULL, WNOHANG), 0);
	end_writers(&w);
	assert_int_equal(status_of(verb), 0);
	read_file(MESSAGES);
	expect_printed("has ended after 1 of 2 writes");
}

TEST(latency_counts_each_fault)
{
	uint64_t sum = 0, least, most, count, total = 0;
	char *line, *next;

	blame_writers("latency -i 100");
	for (line = output; line && *line; line = next) {
		next = strchr(line, '\n');
		next = next ? next + 1 : NULL;
		if (sscanf(line, "%" SCNu64 " -> %" SCNu64 " : %" SCNu64, &least, &most,
			   &count) == 3)
			sum += count;
		else
			sscanf(line, "%" SCNu64 " faults that made", &total);
	}
	if (total < RED + BLUE || total > RED + BLUE + 40 || sum != total)
		fail_msg("%" PRIu64 " of %" PRIu64 " faults:\n%s", sum, total, output);
}

TEST(mistakes_are_explained)
{
	assert_int_equal(run(UFFDWP " blame"), 2);
	expect_printed("say either -p PID or -- COMMAND");
	assert_int_equal(run(UFFDWP " blame -p 1 --by colour"), 2);
	expect_printed("not 'colour'");
	assert_int_equal(run(UFFDWP " trap -p 1"), 2);
	expect_printed("--on ADDRESS");
	assert_int_equal(run(UFFDWP " trap -p 1 --on nothing"), 1);
	expect_printed("no writable mapping of the name 'nothing'");
	assert_int_equal(run(UFFDWP " latency -p 999999"), 1);
	expect_printed("there is no such process");
	assert_int_equal(run(UFFDWP " blame -d 0.1 -p $$ -o /no/where"), 1);
	expect_printed("cannot write to /no/where");
}

/* Ours: page tables for all of it would take 130 MiB. */
TEST(a_very_large_mapping_is_not_trapped)
{
	const size_t size = 65ul << 30;
	const int fd = memfd_create("giant", MFD_CLOEXEC);
	char command[128];
	void *memory;

	assert_ok(ftruncate(fd, size));
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	snprintf(command, sizeof(command), UFFDWP " trap -p %d --on '*giant*'", (int)getpid());
	assert_int_equal(run(command), 1);
	expect_printed("'*giant*', is larger than 64 GiB");
	munmap(memory, size);
	close(fd);
}

/* Who may open the device need not have the right to use BPF. */
TEST(rights_are_explained)
{
	struct writers w;
	char command[128];

	chmod("/dev/uffdwp-async", 0666);
	w = start_writers("3", NULL);
	snprintf(command, sizeof(command), "su nobody -c '" UFFDWP " blame -d 1 -p %d'",
		 (int)w.pid);
	assert_int_equal(run(command), 1);
	expect_printed("no right to use BPF");
	chmod("/dev/uffdwp-async", 0600);
	snprintf(command, sizeof(command), "su nobody -c '" UFFDWP " trap --on heap -p %d'",
		 (int)w.pid);
	assert_int_equal(run(command), 1);
	expect_printed("nothing was started");
	end_writers(&w);
}

/* BPF programs are checked against the types of the kernel, which one without BTF does not tell. */
TEST(all_of_it)
{
	skip_because("this kernel has no /sys/kernel/btf/vmlinux");
}

int main(void)
{
	const struct CMUnitTest none[] = { cmocka_unit_test(all_of_it) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_blamed),
		cmocka_unit_test(threads_are_blamed),
		cmocka_unit_test(stacks_are_blamed),
		cmocka_unit_test(the_table_has_it_all),
		cmocka_unit_test(mappings_are_blamed),
		cmocka_unit_test(stacks_can_be_folded),
		cmocka_unit_test(a_profile_for_pprof_is_compressed),
		cmocka_unit_test(a_command_is_blamed),
		cmocka_unit_test(the_next_write_is_trapped),
		cmocka_unit_test(who_is_trapped_is_stopped),
		cmocka_unit_test(who_is_stopped_together_with_ctrl_c_is_told_of),
		cmocka_unit_test(a_page_that_was_hit_may_be_unmapped),
		cmocka_unit_test(latency_counts_each_fault),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(a_very_large_mapping_is_not_trapped),
		cmocka_unit_test(rights_are_explained),
	};

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return cmocka_run_group_tests_name("blame", none, NULL, NULL);
	return cmocka_run_group_tests_name("blame", tests, NULL, NULL);
}
