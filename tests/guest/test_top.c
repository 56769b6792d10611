// SPDX-License-Identifier: GPL-2.0-only
/*
 * The top command, as a person and as a program use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "command.h"
#include "environment.h"
#include "support.h"
#include "unserved.h"

#define REPORTS "/tmp/top-reports"
#define MESSAGES "/tmp/top-messages"
#define METRICS "/tmp/top.prom"
#define NOBODY 1000
#define N 256ul

/* Beside what it is told to, a process writes to its stack and to variables of the C library. */
#define ASIDE 8

/* ---- processes */

/* Does something when it is told to, and then waits. */
static pid_t told(void (*what)(void), int *go)
{
	int fds[2];
	pid_t pid;
	char byte;

	assert_ok(pipe2(fds, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[1]);
		if (read(fds[0], &byte, 1) != 1)
			_exit(97);
		what();
		for (;;)
			pause();
	}
	close(fds[0]);
	*go = fds[1];
	return pid;
}

static void tell(int go)
{
	assert_int_equal(write(go, "g", 1), 1);
	close(go);
}

static char *map_small_pages_at_place(void)
{
	char *p = map_at_place(N);

	madvise(p, N * PAGE, MADV_NOHUGEPAGE);
	return p;
}

/* What this program does when it is executed: "busily 32". */
static int be_program(char **argv)
{
	const size_t pages = strtoul(argv[2], NULL, 10);
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	map_small_pages_at_place();
	for (i = 0;; i++) {
		touch(place, pages, i);
		usleep(10000);
	}
	return 0;
}

static void execute(void)
{
	execl("/proc/self/exe", "written", "busily", "32", (char *)NULL);
	_exit(98);
}

static void write_and_end(void)
{
	touch(map_small_pages_at_place(), 50, 1);
	_exit(0);
}

static void write_once(void)
{
	touch(map_small_pages_at_place(), 100, 1);
}

/* ---- reports */

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no '%s' in the report", key);
	return value;
}

static int64_t number_in(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : 0;
}

static struct json_object *row_of(struct json_object *report, pid_t pid)
{
	struct json_object *all = get(report, "processes");
	size_t i;

	for (i = 0; i < json_object_array_length(all); i++)
		if (number_in(json_object_array_get_idx(all, i), "pid") == pid)
			return json_object_array_get_idx(all, i);
	return NULL;
}

/* The last whole report, which the next call frees; NULL: there is none yet. */
static struct json_object *last_report(void)
{
	static struct json_object *report;
	char *last, *line;

	json_object_put(report);
	report = NULL;
	last = strrchr(read_text(REPORTS), '\n');
	if (!last)
		return NULL;
	*last = 0;
	line = strrchr(output, '\n');
	report = json_tokener_parse(line ? line + 1 : output);
	assert_non_null(report);
	return report;
}

static struct json_object *last_row(pid_t pid)
{
	struct json_object *report = last_report();

	return report ? row_of(report, pid) : NULL;
}

static int64_t last_number(pid_t pid, const char *key)
{
	struct json_object *row = last_row(pid);

	return row ? number_in(row, key) : -1;
}

static int64_t refused(const char *why)
{
	struct json_object *report = last_report();

	return report ? number_in(get(report, "not_tracked"), why) : -1;
}

static bool about(int64_t number, int64_t pages)
{
	return number >= pages && number <= pages + ASIDE;
}

/* Of all reports, which of them has a row of a process that has ended? Its pages; -1: none. */
static int64_t pages_at_end_of(pid_t pid)
{
	char *line, *rest;
	int64_t pages = -1;

	for (line = read_text(REPORTS); (rest = strchr(line, '\n')); line = rest + 1) {
		struct json_object *report, *row;

		*rest = 0;
		report = json_tokener_parse(line);
		assert_non_null(report);
		row = row_of(report, pid);
		if (row && number_in(row, "ended"))
			pages = number_in(row, "pages_written_all");
		json_object_put(report);
	}
	return pages;
}

/* ---- the command */

/* Goes on until it is ended. Three words at most. */
static pid_t top_start(const char *one, const char *two, const char *three)
{
	pid_t top;

	unlink(REPORTS);
	top = fork();
	if (!top) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(MESSAGES, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		dup2(open(REPORTS, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
		execl(UFFDWP, "uffdwp", "top", "-i", "0.3", "-j", one, two, three, (char *)NULL);
		_exit(126);
	}
	return top;
}

static pid_t top_of(pid_t one, pid_t other)
{
	char pids[32];

	snprintf(pids, sizeof(pids), other ? "%d,%d" : "%d", (int)one, (int)other);
	return top_start("-p", pids, NULL);
}

static void top_end(pid_t top)
{
	int status;

	kill(top, SIGINT);
	assert_int_equal(waitpid(top, &status, 0), top);
	if (status)
		fail_msg("status %x: %s", status, read_text(MESSAGES));
}

static char *maps_of(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	return strdup(read_text(path));
}

TEST(two_writers_are_told_apart)
{
	char *p = map_filled(N), *before, *after;
	pid_t one = writer(p, 40), other = writer(p, 200), top;
	struct json_object *report, *row;

	before = maps_of(one);
	top = top_of(one, other);
	wait_for(about(last_number(one, "pages_written"), 40) &&
		 about(last_number(other, "pages_written"), 200) &&
		 number_in(last_report(), "report") > 3);
	report = last_report();
	assert_int_equal(number_in(report, "schema"), 1);
	assert_int_equal(json_object_array_length(get(report, "processes")), 2);
	/* The one that writes most comes first. */
	row = json_object_array_get_idx(get(report, "processes"), 0);
	assert_int_equal(number_in(row, "pid"), other);
	assert_string_equal(json_object_get_string(get(row, "name")), "test_top");
	assert_true(number_in(row, "pages_tracked") >= (int64_t)N);
	row = get(row, "pages_written_set");
	assert_true(about(number_in(row, "1"), 200));
	assert_true(about(number_in(row, "10"), 200));
	assert_true(about(number_in(row, "60"), 200));
	assert_in_range(number_in(get(report, "total"), "pages_written"), 240, 240 + 2 * ASIDE);
	after = maps_of(one);
	assert_string_equal(before, after);
	top_end(top);
	assert_false(has_registered_memory(one));
	assert_false(has_registered_memory(other));
	free(after);
	after = maps_of(one);
	assert_string_equal(before, after);
	free(before);
	free(after);
	end(one);
	end(other);
	munmap(p, N * PAGE);
}

/* What is written once is in one report, and in the sum of all. */
TEST(pages_count_once)
{
	int go;
	pid_t pid = told(write_once, &go), top = top_of(pid, 0);

	wait_for(last_row(pid));
	tell(go);
	wait_for(last_number(pid, "pages_written_all") >= 100);
	/* Pages that were held for a moment, as by the LRU batch of a processor, come again. */
	wait_for(!last_number(pid, "pages_written"));
	assert_in_range(last_number(pid, "pages_written_all"), 100, 2 * 100 + ASIDE);
	assert_true(about(number_in(get(last_row(pid), "pages_written_set"), "60"), 100));
	/* In the window of a second it is not any more. */
	wait_for(!number_in(get(last_row(pid), "pages_written_set"), "1"));
	top_end(top);
	end(pid);
}

/* They leave after a last row; when all of those have that were named, it is over. */
TEST(one_that_ends_has_a_last_row)
{
	int go, status;
	pid_t pid = told(write_and_end, &go), other = writer(place, 0), top = top_of(pid, other);

	wait_for(last_row(pid) && last_row(other));
	tell(go);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	wait_for(last_report() && !last_row(pid));
	if (dev_features() & UFFDWP_FEATURE_EVENTS)
		assert_in_range(pages_at_end_of(pid), 50, 50 + 4 * ASIDE);
	assert_non_null(last_row(other));
	end(other);
	assert_int_equal(waitpid(top, &status, 0), top);
	assert_int_equal(status, 0);
}

TEST(one_that_executes_goes_on)
{
	int go;
	pid_t pid = told(execute, &go), top = top_of(pid, 0);
	struct json_object *row;

	wait_for(last_row(pid));
	tell(go);
	/* A program that begins writes more. Of what was before nothing is left in the set. */
	wait_for((row = last_row(pid)) && about(number_in(row, "pages_written"), 32) &&
		 about(number_in(get(row, "pages_written_set"), "1"), 32));
	assert_string_equal(json_object_get_string(get(row, "name")), "exe");
	assert_in_range(number_in(row, "pages_tracked"), N, 4 * N);
	top_end(top);
	assert_false(has_registered_memory(pid));
	assert_int_equal(strlen(read_text(MESSAGES)), 0);
	end(pid);
}

/* It is left to its tracker, which loses nothing by it, and comes in when that is gone. */
TEST(one_of_another_tracker_is_left_to_it)
{
	char *p = map_filled(N);
	pid_t taken = writer(p, 10), other = writer(p, 20), top;
	int fd = dev_open();

	assert_ok(dev_attach_pid(fd, taken));
	if (dev_follow(fd, NULL, 0, 0))
		assert_ok(dev_register(fd, p, N * PAGE));
	assert_ok(dev_arm(fd, p, N * PAGE));
	top = top_of(taken, other);
	wait_for(about(last_number(other, "pages_written"), 20));
	assert_null(last_row(taken));
	assert_int_equal(refused("other_tracker"), 1);
	assert_non_null(strstr(read_text(MESSAGES), "another tracker has it, or its memory"));
	wait_for(written(fd, p, N * PAGE, true) == 10);
	assert_int_equal(categories(fd, p + 20 * PAGE) & UFFDWP_PAGE_IS_UNTRACKED, 0);
	close(fd);
	wait_for(about(last_number(taken, "pages_written"), 10));
	assert_int_equal(refused("other_tracker"), 0);
	top_end(top);
	assert_false(has_registered_memory(taken));
	end(taken);
	end(other);
	munmap(p, N * PAGE);
}

/* ---- cgroups */

/* In it and below it; those that come, and those that leave. */
TEST(a_cgroup_is_read_again)
{
	char *p = map_filled(N);
	pid_t one = writer(p, 10), nested = writer(p, 20), late = writer(p, 30), top;
	int status;

	groups_start();
	move(one, "/a");
	move(nested, "/a/b");
	top = top_start("--cgroup", CGROUPS "/a", NULL);
	wait_for(about(last_number(one, "pages_written"), 10) &&
		 about(last_number(nested, "pages_written"), 20));
	assert_null(last_row(late));
	assert_false(has_registered_memory(late));
	move(late, "/a/b");
	wait_for(about(last_number(late, "pages_written"), 30));
	move(one, "");
	wait_for(!last_row(one));
	assert_false(has_registered_memory(one));
	assert_true(has_registered_memory(late));
	/* When the cgroup is gone, nobody can come any more. */
	end(nested);
	end(late);
	groups_remove();
	assert_int_equal(waitpid(top, &status, 0), top);
	assert_int_equal(status, 0);
	groups_end();
	end(one);
	munmap(p, N * PAGE);
}

TEST(what_is_no_cgroup_is_refused)
{
	assert_int_equal(run(UFFDWP " top --cgroup /tmp"), 1);
	assert_true(printed("/tmp: that is no cgroup of version 2"));
	assert_int_equal(run(UFFDWP " top --cgroup /no/such"), 1);
	assert_true(printed("/no/such: there is none of that name"));
}

/* ---- rights */

/* A command as another user, who may open the device. */
static pid_t top_as_nobody(const char *pids)
{
	pid_t top;

	unlink(REPORTS);
	unlink(MESSAGES);
	top = fork();
	if (!top) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(MESSAGES, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		dup2(open(REPORTS, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(125);
		execl(UFFDWP, "uffdwp", "top", "-i", "0.3", "-j", pids ? "-p" : "--yes", pids,
		      (char *)NULL);
		_exit(126);
	}
	return top;
}

/* Its memory is readable by its user, as that of a program that was executed would be. */
static pid_t writer_of_nobody(char *memory, size_t pages)
{
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgid(NOBODY) || setuid(NOBODY) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		_exit(1);
	for (i = 0;; i++) {
		touch(memory, pages, i);
		usleep(10000);
	}
}

TEST(without_rights_it_tracks_what_it_may)
{
	char *p = map_filled(N), pids[32];
	pid_t mine = writer_of_nobody(p, 10), roots = writer(p, 20), top;
	int status;

	assert_ok(chmod("/dev/uffdwp-async", 0666));
	top = top_as_nobody(NULL);
	wait_for(about(last_number(mine, "pages_written"), 10));
	assert_null(last_row(roots));
	assert_false(has_registered_memory(roots));
	/* This test, init and the like */
	assert_true(refused("no_permission") >= 2);
	assert_true(refused("kernel") >= 10);
	/* And not itself. */
	assert_null(last_row(top));
	top_end(top);
	snprintf(pids, sizeof(pids), "%d", (int)roots);
	top = top_as_nobody(pids);
	assert_int_equal(waitpid(top, &status, 0), top);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_non_null(strstr(read_text(MESSAGES), "cannot track process"));
	assert_non_null(strstr(output, "nothing to track"));
	assert_ok(chmod("/dev/uffdwp-async", 0600));
	end(mine);
	end(roots);
	munmap(p, N * PAGE);
}

TEST(a_user_is_chosen)
{
	char *p = map_filled(N);
	pid_t theirs = writer_of_nobody(p, 10), roots = writer(p, 20), top;

	top = top_start("-u", "1000", NULL);
	wait_for(about(last_number(theirs, "pages_written"), 10));
	assert_int_equal(json_object_array_length(get(last_report(), "processes")), 1);
	assert_string_equal(json_object_get_string(get(last_row(theirs), "user")), "1000");
	assert_int_equal(refused("no_permission"), 0);
	assert_int_equal(refused("kernel"), 0);
	assert_false(has_registered_memory(roots));
	top_end(top);
	end(theirs);
	end(roots);
	munmap(p, N * PAGE);
}

/* Nobody can be asked without a terminal. */
TEST(the_whole_machine_takes_a_yes)
{
	char *p = map_filled(N);
	pid_t pid = writer(p, 10), top;

	assert_int_equal(run(UFFDWP " top -n 1 </dev/null"), 2);
	assert_true(printed("this would track all "));
	assert_true(printed("say --yes"));
	assert_false(has_registered_memory(pid));
	top = top_start("--yes", NULL, NULL);
	wait_for(about(last_number(pid, "pages_written"), 10));
	/* The test itself is among them, and nothing of it changes either. */
	assert_non_null(last_row(getpid()));
	assert_null(last_row(top));
	top_end(top);
	assert_false(has_registered_memory(getpid()));
	assert_false(has_registered_memory(pid));
	end(pid);
	munmap(p, N * PAGE);
}

/* Each takes two of them: those that there are none for are counted, and the others go on. */
TEST(there_may_be_too_few_files)
{
	char *p = map_filled(N), pids[64];
	pid_t one = writer(p, 10), other = writer(p, 10), third = writer(p, 10), top;
	struct rlimit old, few = { 197, 197 };

	snprintf(pids, sizeof(pids), "%d,%d,%d", (int)one, (int)other, (int)third);
	assert_ok(getrlimit(RLIMIT_NOFILE, &old));
	few.rlim_max = old.rlim_max;
	assert_ok(setrlimit(RLIMIT_NOFILE, &few));
	/* The soft limit is raised. */
	top = top_start("-p", pids, NULL);
	wait_for(about(last_number(third, "pages_written"), 10));
	top_end(top);
	assert_ok(setrlimit(RLIMIT_NOFILE, &old));
	assert_int_equal(run("ulimit -n 197; " UFFDWP " top -n 1 -i 0.3 --yes --plain"), 0);
	assert_true(printed("2 processes, "));
	assert_true(printed("no file descriptor left"));
	end(one);
	end(other);
	end(third);
	munmap(p, N * PAGE);
}

/* ---- memory */

static long huge_kib_of(pid_t pid)
{
	char command[96];

	snprintf(command, sizeof(command),
		 "awk '/^AnonHugePages/ { sum += $2 } END { print sum }' /proc/%d/smaps", (int)pid);
	assert_int_equal(run(command), 0);
	return strtol(output, NULL, 10);
}

TEST(huge_pages_stay_whole)
{
	char *p = map_huge(2);
	pid_t pid, top;
	long before;
	int i;

	if (!p)
		skip_because("no huge page could be had");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		p = map_huge(2);
		for (i = 0;; i++) {
			p[5 * PAGE] = (char)i;
			usleep(10000);
		}
	}
	wait_for(huge_kib_of(pid) > huge_kib_of(getpid()));
	before = huge_kib_of(pid);
	top = top_of(pid, 0);
	/* One byte is all of a huge page. */
	wait_for(about(last_number(pid, "pages_written"), 512));
	assert_int_equal(huge_kib_of(pid), before);
	top_end(top);
	assert_int_equal(huge_kib_of(pid), before);
	end(pid);
}

/* Maps page after page, each beside the last: to the kernel that is one mapping. */
static void map_beside(void)
{
	size_t i;

	for (i = 0; i < 64; i++) {
		if (mmap(place + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
			_exit(99);
		touch(place + i * PAGE, 1, 1);
	}
}

static size_t mappings_at_place(pid_t pid)
{
	char *maps = maps_of(pid), *at = maps;
	size_t n = 0;

	for (; (at = strstr(at, "\n6000000")); at++)
		n++;
	free(maps);
	return n;
}

TEST(mappings_stay_what_they_would_be)
{
	int go, go_twin;
	pid_t pid = told(map_beside, &go), twin = told(map_beside, &go_twin);
	pid_t top = top_of(pid, 0);

	if (!(dev_features() & UFFDWP_FEATURE_FOLLOW))
		skip_because("this module follows no memory");
	wait_for(last_row(pid));
	tell(go);
	tell(go_twin);
	wait_for(last_number(pid, "pages_written_all") >= 64 && mappings_at_place(twin));
	assert_int_equal(mappings_at_place(pid), mappings_at_place(twin));
	top_end(top);
	assert_int_equal(mappings_at_place(pid), mappings_at_place(twin));
	end(pid);
	end(twin);
}

/* ---- ways to be told */

TEST(metrics_are_kept_in_a_file)
{
	char *p = map_filled(N), series[128], command[96];
	pid_t pid = writer(p, 10), top;
	struct stat stat_of;
	mode_t mask = umask(077);

	snprintf(command, sizeof(command), "%d", (int)pid);
	snprintf(series, sizeof(series),
		 "uffdwp_process_tracked_bytes{pid=\"%d\",process=\"test_top\"} ", (int)pid);
	unlink(METRICS);
	top = top_start("-p", command, "--prometheus=" METRICS);
	wait_for(strstr(read_text(METRICS), series));
	assert_non_null(strstr(output, "uffdwp_processes{state=\"tracked\"} 1\n"));
	assert_ok(stat(METRICS, &stat_of));
	assert_int_equal(stat_of.st_mode & 07777, 0644);
	top_end(top);
	/* What it says does not hold any more. */
	assert_int_equal(access(METRICS, F_OK), -1);
	/* Killed, it leaves the last one, which says when that was. */
	top = top_start("-p", command, "--prometheus=" METRICS);
	wait_for(strstr(read_text(METRICS), "uffdwp_last_report_timestamp_seconds "));
	kill(top, SIGKILL);
	waitpid(top, NULL, 0);
	assert_ok(access(METRICS, F_OK));
	wait_for(!has_registered_memory(pid));
	assert_int_equal(run("ls /tmp/top.prom.*"), 1);
	/* What is somebody else's is not lost. */
	assert_int_equal(run("echo precious >" METRICS), 0);
	snprintf(command, sizeof(command), UFFDWP " top -p %d -n 1 --prometheus " METRICS,
		 (int)pid);
	assert_int_equal(run(command), 1);
	assert_true(printed("something else in it"));
	assert_string_equal(read_text(METRICS), "precious\n");
	assert_int_equal(run(UFFDWP " top --yes -n 1 --prometheus /dev/null"), 1);
	assert_true(printed("no ordinary file"));
	snprintf(command, sizeof(command), UFFDWP " top -p %d -n 1 --prometheus /no/such/file",
		 (int)pid);
	assert_int_equal(run(command), 1);
	assert_true(printed("cannot write metrics to /no/such/file: No such file or directory"));
	assert_false(has_registered_memory(pid));
	unlink(METRICS);
	umask(mask);
	end(pid);
	munmap(p, N * PAGE);
}

/* By the names of mappings; with children, of each process. */
TEST(watch_has_metrics_too)
{
	char *p = map_filled(N), command[256], series[128];
	pid_t pid = writer(p, 10);

	unlink(METRICS);
	snprintf(command, sizeof(command),
		 UFFDWP " watch -p %d -i 0.3 -n 4 --prometheus " METRICS
		 " | while read line; do cat " METRICS "; done; ls " METRICS, (int)pid);
	assert_int_equal(run(command), 1);
	snprintf(series, sizeof(series),
		 "uffdwp_mapping_written_pages_total{pid=\"%d\",process=\"test_top\",name=\"anon\"} ",
		 (int)pid);
	assert_true(printed(series));
	assert_true(printed("name=\"[stack]\",window=\"60s\"} "));
	/* The file is gone in the end. */
	assert_true(printed(METRICS ": No such file"));
	assert_int_equal(run(UFFDWP " watch --prometheus /dev/null -- touch /tmp/top-touched"), 1);
	assert_true(printed("no ordinary file"));
	assert_int_equal(access("/tmp/top-touched", F_OK), -1);
	end(pid);
	munmap(p, N * PAGE);
}

TEST(tables_for_people)
{
	char *p = map_filled(N), command[128];
	pid_t pid = writer(p, 100);

	snprintf(command, sizeof(command), UFFDWP " top -p %d -n 2 -i 0.5", (int)pid);
	assert_int_equal(run(command), 0);
	assert_true(printed("1 process, "));
	assert_true(printed("write rate"));
	assert_true(printed("test_top"));
	assert_true(printed("total"));
	assert_false(has_registered_memory(pid));
	assert_int_equal(run(UFFDWP " top -p 99999999"), 1);
	assert_true(printed("cannot track process 99999999: there is no such process"));
	/* One that cannot be tracked does not stop the others: 2 is a thread of the kernel. */
	snprintf(command, sizeof(command), UFFDWP " top -p 2,99999999,%d -n 1 -i 0.5", (int)pid);
	assert_int_equal(run(command), 0);
	assert_true(printed("cannot track process 2: it is a thread of the kernel"));
	assert_true(printed("not tracked: 1 of the kernel"));
	snprintf(command, sizeof(command), "(" UFFDWP " top -p %d -n 1 -i 0.1 >/dev/full)",
		 (int)pid);
	assert_int_equal(run(command), 1);
	assert_true(printed("cannot write the report"));
	snprintf(command, sizeof(command), UFFDWP " top -p %d -i 0.1 | head -n 1", (int)pid);
	assert_int_equal(run(command), 0);
	wait_for(!has_registered_memory(pid));
	end(pid);
	munmap(p, N * PAGE);
}

/* ---- a terminal */

/* What the command prints on its terminal until that is in it. */
static bool shows(int terminal, const char *text)
{
	struct pollfd poll_one = { .fd = terminal, .events = POLLIN };
	size_t n = 0;
	ssize_t got;

	output[0] = 0;
	while (!printed(text) && n < sizeof(output) - 1 && poll(&poll_one, 1, 30000) == 1) {
		got = read(terminal, output + n, sizeof(output) - 1 - n);
		if (got <= 0)
			return printed(text);
		n += got;
		output[n] = 0;
	}
	return printed(text);
}

static pid_t top_on_terminal(pid_t pid, int *terminal)
{
	struct winsize size = { .ws_row = 24, .ws_col = 120 };
	char number[16];
	pid_t top;

	snprintf(number, sizeof(number), "%d", (int)pid);
	top = forkpty(terminal, NULL, NULL, &size);
	if (!top) {
		setenv("TERM", "xterm", 1);
		execl(UFFDWP, "uffdwp", "top", "-i", "0.3", pid ? "-p" : "-n",
		      pid ? number : "1", (char *)NULL);
		_exit(126);
	}
	return top;
}

#define LEAVES_THE_SCREEN "\33[?1049l"

static bool same_modes(const struct termios *one, const struct termios *other)
{
	return one->c_lflag == other->c_lflag && one->c_iflag == other->c_iflag &&
	       one->c_oflag == other->c_oflag;
}

static void end_on_terminal(pid_t pid, const char *key, int number)
{
	struct termios before, after;
	int terminal, status, copy;
	pid_t top = top_on_terminal(pid, &terminal);

	assert_ok(tcgetattr(terminal, &before));
	copy = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(shows(terminal, "test_top"));
	if (*key)
		assert_int_equal(write(terminal, key, strlen(key)), strlen(key));
	else
		kill(top, number);
	assert_true(shows(terminal, LEAVES_THE_SCREEN));
	assert_int_equal(waitpid(top, &status, 0), top);
	assert_int_equal(status, 0);
	assert_ok(tcgetattr(terminal, &after));
	assert_true(same_modes(&before, &after));
	assert_false(has_registered_memory(pid));
	close(copy);
	close(terminal);
}

TEST(on_a_terminal_it_fills_the_screen)
{
	char *p = map_filled(N);
	pid_t pid, top;
	struct winsize size = { .ws_row = 10, .ws_col = 50 };
	int terminal, status;

	if (access("/lib/terminfo/x/xterm", F_OK))
		skip_because("this guest has no description of a terminal");
	pid = writer(p, 10);
	end_on_terminal(pid, "q", 0);
	end_on_terminal(pid, "\3", 0);
	end_on_terminal(pid, "", SIGTERM);
	/* It can be made smaller, and all keys can be pressed. */
	top = top_on_terminal(pid, &terminal);
	assert_true(shows(terminal, "test_top"));
	assert_int_equal(write(terminal, "h", 1), 1);
	assert_true(shows(terminal, "Any key goes back."));
	assert_int_equal(write(terminal, "x<<>>r+- /nobody\r", 17), 17);
	assert_true(shows(terminal, "0 of 1 shown"));
	assert_ok(ioctl(terminal, TIOCSWINSZ, &size));
	assert_true(shows(terminal, "q quit"));
	/* The terminal goes away. */
	close(terminal);
	assert_int_equal(waitpid(top, &status, 0), top);
	wait_for(!has_registered_memory(pid));
	end(pid);
	munmap(p, N * PAGE);
}

TEST(on_a_terminal_it_asks)
{
	int terminal, status;
	pid_t top = top_on_terminal(0, &terminal);

	assert_true(shows(terminal, "[y/N] "));
	assert_non_null(strstr(output, "Their huge pages stay whole"));
	assert_int_equal(write(terminal, "\n", 1), 1);
	assert_true(shows(terminal, "nothing was tracked"));
	assert_int_equal(waitpid(top, &status, 0), top);
	assert_int_equal(WEXITSTATUS(status), 1);
	close(terminal);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_writers_are_told_apart),
		cmocka_unit_test(pages_count_once),
		cmocka_unit_test(one_that_ends_has_a_last_row),
		cmocka_unit_test(one_that_executes_goes_on),
		cmocka_unit_test(one_of_another_tracker_is_left_to_it),
		cmocka_unit_test(a_cgroup_is_read_again),
		cmocka_unit_test(what_is_no_cgroup_is_refused),
		cmocka_unit_test(without_rights_it_tracks_what_it_may),
		cmocka_unit_test(a_user_is_chosen),
		cmocka_unit_test(the_whole_machine_takes_a_yes),
		cmocka_unit_test(there_may_be_too_few_files),
		cmocka_unit_test(huge_pages_stay_whole),
		cmocka_unit_test(mappings_stay_what_they_would_be),
		cmocka_unit_test(metrics_are_kept_in_a_file),
		cmocka_unit_test(watch_has_metrics_too),
		cmocka_unit_test(tables_for_people),
		cmocka_unit_test(on_a_terminal_it_fills_the_screen),
		cmocka_unit_test(on_a_terminal_it_asks),
	};

	if (argc == 3 && !strcmp(argv[1], "busily"))
		return be_program(argv);
	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
