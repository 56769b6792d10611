// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watch command, as a person and as a program use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "support.h"
#include "unserved.h"

#define REPORTS "/tmp/reports"
#define MESSAGES "/tmp/messages"
#define N 64ul

/* What a command begins with that goes on when it is being watched, however long that takes. */
#define WHEN_WATCHED "until grep -q \"^VmFlags:.* uw\" /proc/$$/smaps; do sleep 0.1; done; "

/* This program is also what others execute: "keep N" writes and waits, "drop N" ends. */
static int be_program(char **argv)
{
	const size_t pages = strtoul(argv[2], NULL, 10);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	touch(map_at_place(N), pages, 1);
	if (strcmp(argv[1], "keep")) {
		munmap(place, N * PAGE);
		_exit(3);
	}
	for (;;)
		pause();
}

static void execute(const char *what, const char *pages)
{
	execl("/proc/self/exe", "written", what, pages, (char *)NULL);
	_exit(98);
}

/* NULL when there is none, or only its beginning. */
static struct json_object *last_report(void)
{
	char *line = output, *next;

	while ((next = strchr(line, '\n')) && next[1])
		line = next + 1;
	return next ? json_tokener_parse(line) : NULL;
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no '%s' in the report", key);
	return value;
}

/* The line of the mapping that holds an address, or NULL. */
static struct json_object *line_of(struct json_object *report, const void *address)
{
	struct json_object *mappings = get(report, "mappings");
	size_t i;

	for (i = 0; i < json_object_array_length(mappings); i++) {
		struct json_object *line = json_object_array_get_idx(mappings, i);
		uint64_t start = strtoull(json_object_get_string(get(line, "start")), NULL, 16);
		uint64_t end_of = strtoull(json_object_get_string(get(line, "end")), NULL, 16);

		if (start <= (uintptr_t)address && (uintptr_t)address < end_of)
			return line;
	}
	return NULL;
}

/* A watch that goes on until it is ended, so that nothing has to happen within so many reports. */
static pid_t watch_with(pid_t target, const char *option, const char *value)
{
	char pid_text[16];
	pid_t watch;

	unlink(REPORTS);
	snprintf(pid_text, sizeof(pid_text), "%d", (int)target);
	watch = fork();
	if (!watch) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(MESSAGES, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(UFFDWP, "uffdwp", "watch", "-p", pid_text, "-i", "0.3", "-j", "-o", REPORTS,
		      option, value, (char *)NULL);
		_exit(126);
	}
	return watch;
}

static pid_t watch_start(pid_t target, const char *range)
{
	return watch_with(target, range ? "-r" : NULL, range);
}

static void watch_end(pid_t watch)
{
	int status;

	kill(watch, SIGINT);
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_int_equal(status, 0);
}

/* Is the last report of that watch this of a mapping? A writer may have had no time: then less. */
static bool reports(const void *address, int64_t tracked, int64_t pages_written)
{
	struct json_object *report, *line;
	int64_t n = -1;

	if (run("cat " REPORTS))
		return false;
	report = last_report();
	line = report ? line_of(report, address) : NULL;
	if (line && json_object_get_int64(get(line, "pages_tracked")) == tracked) {
		n = json_object_get_int64(get(line, "pages_written"));
		assert_in_range(n, 0, pages_written);
	}
	json_object_put(report);
	return n == pages_written;
}

TEST(it_counts_what_is_written)
{
	char *p = map_filled(N), range[64];
	pid_t pid = writer(p, 10), watch;
	struct json_object *report;

	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)p, (unsigned long)p + N * PAGE);
	watch = watch_start(pid, range);
	wait_for(reports(p, N, 10));
	report = last_report();
	assert_int_equal(json_object_get_int64(get(get(report, "total"), "pages_written")), 10);
	json_object_put(report);
	watch_end(watch);
	assert_false(has_registered_memory(pid));
	end(pid);
	munmap(p, N * PAGE);
}

static long table_kib_of(pid_t pid)
{
	char command[64];

	snprintf(command, sizeof(command), "sed -n 's/^VmPTE:[^0-9]*//p' /proc/%d/status",
		 (int)pid);
	assert_int_equal(run(command), 0);
	return strtol(output, NULL, 10);
}

/* As much as the address sanitizer reserves for its shadow. */
TEST(terabytes_are_watched_and_get_no_page_tables)
{
	const size_t len = 14ul << 40;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), range[64];
	pid_t pid, watch;
	long before;

	assert_ptr_not_equal(p, MAP_FAILED);
	thp_advice(p, len, MADV_NOHUGEPAGE);
	pid = writer(p + len / 2, 10);
	before = table_kib_of(pid);
	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)p, (unsigned long)p + len);
	watch = watch_start(pid, range);
	wait_for(reports(p, len / PAGE, 10));
	watch_end(watch);
	assert_true(table_kib_of(pid) - before < 64);
	end(pid);
	munmap(p, len);
}

TEST(it_makes_as_many_reports_as_asked_for)
{
	char *p = map_filled(N), command[128];
	pid_t pid = writer(p, 10);
	struct json_object *report;

	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.3 -n 3 -j", (int)pid);
	assert_int_equal(run(command), 0);
	report = last_report();
	assert_non_null(report);
	assert_int_equal(json_object_get_int64(get(report, "report")), 3);
	json_object_put(report);
	assert_false(has_registered_memory(pid));
	end(pid);
	munmap(p, N * PAGE);
}

TEST(the_table_names_what_is_written)
{
	int file = new_untrackable_file(PAGE);
	char *p = map_filled(N), command[128], range[64], *private;
	pid_t pid;

	private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	pid = writer(p, N);
	snprintf(command, sizeof(command), UFFDWP " watch --pid %d --interval 0.2 --count 2",
		 (int)pid);
	snprintf(range, sizeof(range), "%lx-", (unsigned long)p);
	assert_int_equal(run(command), 0);
	assert_true(printed(range));
	assert_true(printed("[stack]"));
	assert_true(printed("total"));
	/* The program's own files are shared memory, on the guest's root file system. */
	assert_true(printed(unserved_here(UFFDWP_KIND_SHMEM, 0) ?
			    " private file mappings" :
			    "not tracked: 4.0 KiB in 1 private file mapping"));
	assert_true(printed("goes on, nothing of it is protected"));
	end(pid);
	munmap(p, N * PAGE);
	munmap(private, PAGE);
	close(file);
}

TEST(shared_memory_is_watched)
{
	int memfd = memfd_create("x", 0);
	char command[128], *shared;
	pid_t pid;

	assert_ok(ftruncate(memfd, N * PAGE));
	shared = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	pid = writer(shared, N);
	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.2 -n 2", (int)pid);
	assert_int_equal(run(command), 0);
	assert_true(printed(unserved_here(UFFDWP_KIND_SHMEM, 0) ? " in 1 shared mapping" :
								  "/memfd:x"));
	end(pid);
	munmap(shared, N * PAGE);
	close(memfd);
}

/* The process maps memory when it sees that it is being watched. */
TEST(new_mappings_are_picked_up)
{
	char *p = (char *)0x600000000000;
	pid_t pid = fork(), watch;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!has_registered_memory(getpid()))
			usleep(10000);
		p = mmap(p, N * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		for (;;) {
			touch(p, 5, 1);
			usleep(10000);
		}
	}
	watch = watch_start(pid, NULL);
	wait_for(reports(p, N, 5));
	watch_end(watch);
	end(pid);
}

/*
 * So many pages were written. One whose writer was at it when it was looked at, which may take long
 * on a busy machine, is held then, stays written, and so counts in the next report, too.
 */
static bool is_about(int64_t n, int64_t pages)
{
	if (n > pages)
		print_message("[   INFO   ] %" PRId64 " page writes of %" PRId64 "\n", n, pages);
	return n >= pages && n <= pages + 2;
}

/* The sum of all reports, and how many have a line of the mapping. */
static int64_t written_in_all(const void *address, int *lines)
{
	char *line, *rest;
	int64_t sum = 0;

	*lines = 0;

	if (run("cat " REPORTS))
		return -1;
	/* The last one may be half there. */
	for (line = output; (rest = strchr(line, '\n')); line = rest + 1) {
		struct json_object *report, *mapping;

		*rest = 0;
		report = json_tokener_parse(line);
		if (!report)
			fail_msg("no report: %s", line);
		mapping = line_of(report, address);
		if (mapping) {
			sum += json_object_get_int64(get(mapping, "pages_written"));
			++*lines;
		}
		json_object_put(report);
	}
	return sum;
}

/*
 * What a mapping came with is not left out of the sum: neither what was written before it was seen,
 * nor pages that were only read, nor twice.
 */
TEST(pages_of_a_new_mapping_count)
{
	atomic_bool *reported = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *p = (char *)0x600000000000;
	pid_t pid = fork(), watch;
	int lines;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!*reported)
			usleep(10000);
		p = mmap(p, N * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		madvise(p, N * PAGE, MADV_NOHUGEPAGE);
		touch(p, 5, 1);
		/* The zero page */
		if (p[20 * PAGE])
			_exit(1);
		for (;;)
			pause();
	}
	watch = watch_start(pid, NULL);
	/* What was written before the first look counts in no report. */
	wait_for(!run("grep -q . " REPORTS));
	*reported = true;
	/* It may be seen before it is written to, and a page may be held for a look or two. */
	wait_for(is_about(written_in_all(p, &lines), 5) && lines >= 4);
	watch_end(watch);
	end(pid);
	munmap(reported, PAGE);
}

/* Memory that shares no page table with a neighbour. */
static char *map_reserved(size_t len)
{
	char *all = mmap(NULL, len + HUGE_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *p = (char *)(((uintptr_t)all + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));

	assert_ptr_not_equal(all, MAP_FAILED);
	if (p != all)
		assert_ok(munmap(all, p - all));
	assert_ok(munmap(p + len, all + HUGE_PAGE - p));
	thp_advice(p, len, MADV_NOHUGEPAGE);
	return p;
}

/* How far the process and the test have come. */
enum { RESERVED, SEEN, THROWN_AWAY, SEEN_AGAIN };

static void be_thrown_away(char *reserved, size_t len, atomic_int *step)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (*step != SEEN)
		usleep(10000);
	if (madvise(reserved, len, MADV_DONTNEED))
		_exit(1);
	*step = THROWN_AWAY;
	while (*step != SEEN_AGAIN)
		usleep(10000);
	touch(reserved + len / 2, 10, 1);
	for (;;)
		pause();
}

/* A scan calls it WRITTEN, for nobody knows what was there before, and SPARSE. */
TEST(what_is_thrown_away_and_holds_nothing_does_not_count)
{
	const size_t len = 4ul << 30;
	char *p = map_reserved(len), range[64];
	atomic_int *step = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
				0);
	int lines, before;
	pid_t pid, watch;

	pid = fork();
	if (!pid)
		be_thrown_away(p, len, step);
	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)p, (unsigned long)p + len);
	watch = watch_start(pid, range);
	wait_for(!run("grep -q . " REPORTS));
	*step = SEEN;
	wait_for(*step == THROWN_AWAY);
	written_in_all(p, &before);
	wait_for(!written_in_all(p, &lines) && lines >= before + 3);
	*step = SEEN_AGAIN;
	wait_for(is_about(written_in_all(p, &lines), 10));
	watch_end(watch);
	end(pid);
	munmap(p, len);
	munmap(step, PAGE);
}

TEST(what_was_protected_after_it_was_written_counts)
{
	char *p = map_filled(N), range[64];
	pid_t pid = fork(), watch;
	int lines;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!has_registered_memory(getpid()))
			usleep(10000);
		/* What is written before it is armed is not counted. */
		sleep(1);
		touch(p, 7, 2);
		mprotect(p, N * PAGE, PROT_READ);
		for (;;)
			pause();
	}
	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)p, (unsigned long)p + N * PAGE);
	watch = watch_start(pid, range);
	wait_for(is_about(written_in_all(p, &lines), 7));
	watch_end(watch);
	end(pid);
	munmap(p, N * PAGE);
}

#define MAPPINGS 100ul

/* The scans that a watch of so many reports makes of a process that does nothing. */
static int scans_of_watch(pid_t target, const char *reports)
{
	struct user_regs_struct regs;
	int status, scans = 0;
	char pid_text[16];
	pid_t watch;

	snprintf(pid_text, sizeof(pid_text), "%d", (int)target);
	watch = fork();
	if (!watch) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(UFFDWP, "uffdwp", "watch", "-p", pid_text, "-i", "0.1", "-n", reports, "-o",
		      "/dev/null", (char *)NULL);
		_exit(126);
	}
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_true(WIFSTOPPED(status));
	assert_ok(ptrace(PTRACE_SETOPTIONS, watch, NULL,
			 (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)));
	while (!ptrace(PTRACE_SYSCALL, watch, NULL, NULL) && waitpid(watch, &status, 0) == watch &&
	       WIFSTOPPED(status)) {
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		assert_ok(ptrace(PTRACE_GETREGS, watch, NULL, &regs));
		/* Where it begins, there is no result yet. */
		scans += regs.orig_rax == SYS_ioctl && (int)regs.rsi == (int)UFFDWP_IOC_SCAN &&
			 (int)regs.rax == -ENOSYS;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return scans;
}

/* However many mappings there are, once they are tracked (test_lib has some thousands). */
TEST(a_report_is_one_scan)
{
	pid_t pid = fork();
	char *many;
	size_t i;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		many = map_filled(2 * MAPPINGS);
		for (i = 0; i < MAPPINGS; i++)
			munmap(many + (2 * i + 1) * PAGE, PAGE);
		prctl(PR_SET_NAME, "ready");
		for (;;)
			pause();
	}
	wait_for(!run("grep -q ready /proc/[0-9]*/comm"));
	assert_int_equal(scans_of_watch(pid, "4") - scans_of_watch(pid, "1"), 3);
	end(pid);
}

/* Each name on a line, and what does not fit into the first as a sum. */
TEST(lines_can_be_fewer)
{
	char *p = map_filled(N), *hole, command[128];
	struct json_object *report, *mappings, *line;
	pid_t pid;

	/* Two mappings of one name */
	hole = p + N / 2 * PAGE;
	assert_ok(munmap(hole, PAGE));
	pid = writer(p, N / 2);
	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.3 -n 2 -j -g -t 1", (int)pid);
	assert_int_equal(run(command), 0);
	report = last_report();
	assert_non_null(report);
	mappings = get(report, "mappings");
	assert_int_equal(json_object_array_length(mappings), 1);
	line = json_object_array_get_idx(mappings, 0);
	assert_string_equal(json_object_get_string(get(line, "name")), "anon");
	assert_true(json_object_get_int64(get(line, "ranges")) >= 2);
	assert_true(json_object_get_int64(get(report, "left_out")) >= 1);
	json_object_put(report);
	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.3 -n 2 -t 1", (int)pid);
	assert_int_equal(run(command), 0);
	assert_true(printed(" more "));
	end(pid);
	munmap(p, N / 2 * PAGE);
	munmap(hole + PAGE, (N / 2 - 1) * PAGE);
}

/* A process can name its memory as it likes, and we print that on somebody's terminal. */
TEST(names_do_not_reach_the_terminal)
{
	int memfd = memfd_create("x\33[31m\xff", 0);
	char *shared, command[128];
	struct json_object *report;
	pid_t pid;

	assert_ok(ftruncate(memfd, N * PAGE));
	shared = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	needs_kind(UFFDWP_KIND_SHMEM, shared, N * PAGE);
	pid = writer(shared, N);
	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.2 -n 2 -m '/memfd*'",
		 (int)pid);
	assert_int_equal(run(command), 0);
	assert_null(strchr(output, '\33'));
	assert_true(printed("31m\\377 (deleted)"));
	strcat(command, " -j");
	assert_int_equal(run(command), 0);
	assert_null(strchr(output, '\xff'));
	report = last_report();
	assert_non_null(report);
	assert_string_equal(json_object_get_string(get(line_of(report, shared), "name")),
			    "/memfd:x\\033[31m\\377 (deleted)");
	json_object_put(report);
	end(pid);
	munmap(shared, N * PAGE);
	close(memfd);
}

/* The userfaultfd is made in its address space, but not by it: no filter of its own sees a call. */
TEST(a_filter_that_kills_for_userfaultfd_is_no_obstacle)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };
	char *p = map_filled(N), range[64];
	pid_t pid, watch;
	int status, go[2];

	/* -EFAULT where there are filters. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) && errno == EINVAL)
		skip_because("this kernel has no seccomp filters");
	assert_ok(pipe(go));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
			_exit(1);
		fcntl(go[0], F_SETFL, O_NONBLOCK);
		while (read(go[0], &status, 1) < 0) {
			touch(p, 7, 1);
			usleep(10000);
		}
		/* And the filter is not one that lets everything pass. */
		syscall(SYS_userfaultfd, O_CLOEXEC);
		_exit(0);
	}
	/* What is mapped beside it would be in the same line. */
	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)p, (unsigned long)p + N * PAGE);
	watch = watch_start(pid, range);
	wait_for(reports(p, N, 7));
	watch_end(watch);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	close(go[0]);
	close(go[1]);
	munmap(p, N * PAGE);
}

/* It registers what is watched with a userfaultfd of its own: it may, and the watcher is told. */
TEST(the_process_takes_its_memory)
{
	char *p = map_filled(N), range[64], byte;
	int uffd, go[2], status;
	pid_t pid, watch;

	assert_ok(pipe(go));
	pid = fork();
	if (!pid) {
		struct uffdio_register arg = {
			.range = { .start = (uintptr_t)p, .len = N * PAGE },
			.mode = UFFDIO_REGISTER_MODE_MISSING,
		};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		uffd = new_uffd(0);
		while (!has_registered_memory(getpid()))
			usleep(10000);
		if (ioctl(uffd, UFFDIO_REGISTER, &arg))
			_exit(1);
		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(0);
	}
	snprintf(range, sizeof(range), "%lx-%lx", (unsigned long)p, (unsigned long)p + N * PAGE);
	watch = watch_start(pid, range);
	wait_for(!run("grep -q busy " REPORTS));
	watch_end(watch);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(run("cat " MESSAGES), 0);
	assert_true(printed("has taken 64 pages for a userfaultfd of its own"));
	close(go[0]);
	close(go[1]);
	munmap(p, N * PAGE);
}

/* Two watchers of one process: the second says that it sees nothing, not that all is clean. */
TEST(memory_of_another_tracker_is_left_out)
{
	char *p = map_filled(N), command[128];
	pid_t pid = writer(p, N);
	struct json_object *report, *line;
	int fd = dev_open();

	assert_ok(dev_attach_pid(fd, pid));
	assert_ok(dev_register(fd, p, N * PAGE));
	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.3 -n 2 -j -r %lx-%lx",
		 (int)pid, (unsigned long)p, (unsigned long)p + N * PAGE);
	assert_int_equal(run(command), 0);
	report = last_report();
	line = line_of(report, p);
	assert_non_null(line);
	assert_int_equal(json_object_get_int64(get(line, "pages_tracked")), 0);
	assert_true(printed("\"kind\":\"busy\""));
	json_object_put(report);
	close(fd);
	end(pid);
	munmap(p, N * PAGE);
}

TEST(reports_go_to_a_file)
{
	assert_int_equal(run(UFFDWP " watch -i 0.2 -n 1 -j -o " REPORTS
			     " -- sh -c 'until [ -s " REPORTS " ]; do sleep 0.1; done; echo out'"),
			 0);
	assert_true(printed("out"));
	assert_false(printed("mappings"));
	assert_int_equal(run("cat " REPORTS), 0);
	assert_non_null(last_report());
	assert_int_equal(run(UFFDWP " watch -p 1 -n 1 -i 0.1 -o /dev/full"), 1);
	assert_true(printed("cannot write the report"));
	assert_int_equal(run(UFFDWP " watch -p 1 -n 1 -o /no/such/folder/file"), 1);
	assert_true(printed("cannot write to /no/such/folder/file"));
}

TEST(a_command_ends_with_us)
{
	pid_t watch = fork();
	int status;

	if (!watch) {
		execl(UFFDWP, "uffdwp", "watch", "-i", "0.1", "-o", "/dev/null", "--", "sleep", "1000",
		      (char *)NULL);
		_exit(126);
	}
	wait_for(!run("pidof sleep"));
	usleep(300000);
	kill(watch, SIGTERM);
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
	assert_int_not_equal(run("pidof sleep"), 0);
}

/* A signal ends us as any other program while we wait for the command. */
TEST(the_last_lines_come_before_the_wait_for_a_command)
{
	pid_t watch;
	int status;

	unlink(REPORTS);
	watch = fork();
	if (!watch) {
		execl(UFFDWP, "uffdwp", "watch", "-n", "1", "-i", "0.1", "-o", REPORTS, "--",
		      "sleep", "1000", (char *)NULL);
		_exit(126);
	}
	wait_for(!run("grep -q 'goes on, nothing of it is protected' " REPORTS));
	kill(watch, SIGINT);
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(run("kill $(pidof sleep)"), 0);
}

TEST(last_lines_that_cannot_be_written_are_an_error)
{
	char *p = map_filled(N), pid_text[16];
	pid_t pid = writer(p, N), watch;
	int status;

	snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
	watch = fork();
	if (!watch) {
		execl(UFFDWP, "uffdwp", "watch", "-p", pid_text, "-i", "1000", "-o", "/dev/full",
		      (char *)NULL);
		_exit(126);
	}
	wait_for(has_registered_memory(pid));
	kill(watch, SIGINT);
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	end(pid);
	munmap(p, N * PAGE);
}

TEST(names_filter)
{
	char *p = map_filled(N), command[128];
	pid_t pid = writer(p, N);

	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.2 -n 1 -m stack", (int)pid);
	assert_int_equal(run(command), 0);
	assert_true(printed("[stack]"));
	assert_false(printed("anon "));
	end(pid);
	munmap(p, N * PAGE);
}

TEST(interrupted_it_leaves_the_target_clean)
{
	char *p = map_filled(N), pid_text[16];
	pid_t pid = writer(p, N), watch;
	int status, null = open("/dev/null", O_WRONLY);

	snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
	watch = fork();
	if (!watch) {
		dup2(null, 1);
		execl(UFFDWP, "uffdwp", "watch", "-p", pid_text, "-i", "0.1", (char *)NULL);
		_exit(126);
	}
	wait_for(has_registered_memory(pid));
	kill(watch, SIGINT);
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_int_equal(status, 0);
	assert_false(has_registered_memory(pid));
	assert_ok(kill(pid, 0));
	end(pid);
	close(null);
	munmap(p, N * PAGE);
}

TEST(a_command_is_started_and_its_status_passed_on)
{
	assert_int_equal(run(UFFDWP " watch -i 0.1 -- sh -c '" WHEN_WATCHED "exit 7'"), 7);
	assert_true(printed("has ended"));
	/* Over before it could be watched, as a rule */
	assert_int_equal(run(UFFDWP " watch -- sh -c 'exit 7'"), 7);
	assert_true(printed("has ended"));
	assert_false(printed("cannot"));
	assert_int_equal(run(UFFDWP " watch -- /no/such/program"), 127);
	assert_true(printed("cannot start /no/such/program: No such file or directory"));
}

/* A new program that is gone before the next look cannot be seen: a slow machine has more time. */
TEST(it_follows_execve)
{
	static const int lives[] = { 1, 5, 25 };
	char command[128];
	bool seen = false;
	size_t i;

	for (i = 0; i < sizeof(lives) / sizeof(lives[0]) && !seen; i++) {
		snprintf(command, sizeof(command),
			 UFFDWP " watch -i 0.2 -- sh -c '" WHEN_WATCHED "exec sleep %d'",
			 lives[i]);
		assert_int_equal(run(command), 0);
		assert_true(printed("has ended"));
		seen = printed("has called execve, its new memory is watched");
	}
	assert_true(seen);
}

/* ---- what events tell */

/* A process that does something when it is told to, after it has been seen in a report. */
static pid_t told(void (*what)(void), int *go)
{
	int fds[2];
	pid_t pid;
	char byte;

	assert_ok(pipe(fds));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[1]);
		if (read(fds[0], &byte, 1) != 1)
			_exit(97);
		close(fds[0]);
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
	wait_for(!run("grep -q . " REPORTS));
	assert_int_equal(write(go, "g", 1), 1);
	close(go);
}

static int64_t number_in(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : 0;
}

/* The sum of something in all reports that are there by now. */
static int64_t sum_of(int64_t (*what)(struct json_object *report))
{
	char *line, *rest;
	int64_t sum = 0;

	if (run("cat " REPORTS))
		return -1;
	for (line = output; (rest = strchr(line, '\n')); line = rest + 1) {
		struct json_object *report;

		*rest = 0;
		report = json_tokener_parse(line);
		assert_non_null(report);
		sum += what(report);
		json_object_put(report);
	}
	return sum;
}

static int64_t gone_of(struct json_object *report)
{
	return number_in(report, "pages_written_unmapped");
}

static int64_t mapped_of(struct json_object *report)
{
	return number_in(report, "bytes_mapped");
}

static int64_t total_of(struct json_object *report)
{
	return number_in(get(report, "total"), "pages_written");
}

static void needs_events(void)
{
	if (!(dev_features() & UFFDWP_FEATURE_EVENTS))
		skip_because("this kernel has no events");
}

static void come_and_go(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		touch(map_at_place(N), 7, i);
		munmap(place, N * PAGE);
	}
}

/* Mapped, written and unmapped between two reports: no scan can see it. */
TEST(short_lived_mappings_count)
{
	char command[128];
	pid_t pid, watch;
	int go;

	needs_events();
	pid = told(come_and_go, &go);
	watch = watch_start(pid, NULL);
	tell(go);
	wait_for(sum_of(gone_of) >= 70);
	watch_end(watch);
	assert_int_equal(sum_of(gone_of), 70);
	assert_true(sum_of(total_of) >= 70);
	assert_int_equal(sum_of(mapped_of), 10 * N * PAGE);
	end(pid);
	/* For people, and only a part of the memory */
	pid = told(come_and_go, &go);
	snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.5 -n 4 -r %lx-%lx >" REPORTS,
		 (int)pid, (unsigned long)place, (unsigned long)place + 5 * PAGE);
	unlink(REPORTS);
	watch = fork();
	if (!watch)
		_exit(run(command));
	tell(go);
	assert_int_equal(waitpid(watch, NULL, 0), watch);
	assert_int_equal(run("cat " REPORTS), 0);
	assert_true(printed("  no longer mapped "));
	assert_true(printed("  mapped since: "));
	assert_true(printed("\n50 page writes in "));
	end(pid);
}

static void exec_drop(void)
{
	execute("drop", "31");
}

static void exec_keep(void)
{
	execute("keep", "32");
}

/* What a new program does first is before any look at it. */
TEST(execve_leaves_no_gap)
{
	pid_t pid, watch;
	int go, lines, status;

	needs_events();
	pid = told(exec_keep, &go);
	watch = watch_start(pid, NULL);
	tell(go);
	wait_for(is_about(written_in_all(place, &lines), 32) && lines >= 3);
	watch_end(watch);
	assert_int_equal(run("cat " MESSAGES), 0);
	assert_true(printed("has called execve, its new memory is watched"));
	end(pid);

	/* One that has ended before there is a report: the last line has it. */
	pid = told(exec_drop, &go);
	unlink(REPORTS);
	watch = fork();
	if (!watch) {
		char command[128];

		snprintf(command, sizeof(command), UFFDWP " watch -p %d -i 0.5 >" REPORTS,
			 (int)pid);
		_exit(run(command));
	}
	tell(go);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_int_equal(status, 0);
	assert_int_equal(run("cat " REPORTS), 0);
	assert_true(printed("has ended"));
	assert_true(printed("page writes in memory that was unmapped since") ||
		    printed("no longer mapped"));
}

/* However short it is: nothing of it comes before watching. */
TEST(a_command_is_seen_from_its_start)
{
	char program[128] = "", command[256];

	needs_events();
	assert_true(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
	snprintf(command, sizeof(command), UFFDWP " watch -- %s drop 40 | tee " REPORTS, program);
	assert_int_equal(run(command), 0);
	assert_true(printed("no report yet: process "));
	assert_int_equal(run("sed -n 's/ page writes in memory that was unmapped .*//p' "
			     REPORTS), 0);
	assert_in_range(strtoul(output, NULL, 10), 40, 4000);
	snprintf(command, sizeof(command), UFFDWP " watch -c -i 50 -- %s drop 40", program);
	assert_int_equal(run(command), 3);
	assert_true(printed("ended, status 3"));
	assert_false(printed("execve"));
	assert_int_equal(run(UFFDWP " watch -c -- /no/such/program"), 127);
	assert_true(printed("cannot start /no/such/program: No such file or directory"));
}

/* The line of place in the last report, of another process than that. */
static int64_t written_by_other(struct json_object *report, pid_t pid, int64_t *other)
{
	struct json_object *mappings = get(report, "mappings");
	size_t i;

	for (i = 0; i < json_object_array_length(mappings); i++) {
		struct json_object *line = json_object_array_get_idx(mappings, i);

		if (strtoull(json_object_get_string(get(line, "start")), NULL, 16) !=
		    (uintptr_t)place || number_in(line, "pid") == pid)
			continue;
		*other = number_in(line, "pid");
		return number_in(line, "pages_written");
	}
	return 0;
}

static pid_t not_that;
static int64_t the_other;

static int64_t others_of(struct json_object *report)
{
	return written_by_other(report, not_that, &the_other);
}

static void fork_and_keep(void)
{
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A grandchild, too, which executes. */
	if (!fork())
		execute("keep", "5");
	for (;;)
		pause();
}

static void spawn(const char *what, const char *pages)
{
	if (!vfork())
		execute(what, pages);
}

static void spawn_and_keep(void)
{
	spawn("keep", "6");
}

static void fork_and_map(void)
{
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	touch(map_at_place(N), 7, 1);
}

/* By fork, fork of fork and execve, and vfork and execve */
TEST(children_are_watched)
{
	static const struct {
		void (*what)(void);
		int64_t pages;
	} ways[] = { { fork_and_map, 7 }, { fork_and_keep, 5 }, { spawn_and_keep, 6 } };
	pid_t watch;
	size_t i;
	int go;

	needs_events();
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		not_that = told(ways[i].what, &go);
		watch = watch_with(not_that, "--children", NULL);
		tell(go);
		wait_for(is_about(sum_of(others_of), ways[i].pages));
		watch_end(watch);
		assert_true(the_other > 0);
		assert_false(has_registered_memory(the_other));
		end(not_that);
	}
}

static int64_t ended_of(struct json_object *report)
{
	struct json_object *all = get(report, "processes");
	int64_t n = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(all); i++) {
		struct json_object *one = json_object_array_get_idx(all, i), *value;

		n += json_object_object_get_ex(one, "status", &value) &&
		     json_object_get_int(value) == 3;
	}
	return n;
}

static int64_t missed_of(struct json_object *report)
{
	return number_in(report, "processes_not_followed");
}

static int64_t presumed_of(struct json_object *report)
{
	return number_in(report, "pages_presumed");
}

#define MANY 100

static void spawn_many(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		spawn("drop", "9");
		wait(NULL);
	}
}

static void fork_many(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		if (!fork()) {
			touch(map_at_place(N), 9, 1);
			_exit(3);
		}
		wait(NULL);
	}
}

/* Each of them ends before there is a report on it, as a rule. */
TEST(children_that_end_count)
{
	pid_t pid, watch;
	int go, i;

	needs_events();
	for (i = 0; i < 2; i++) {
		pid = told(i ? fork_many : spawn_many, &go);
		watch = watch_with(pid, "--children", NULL);
		tell(go);
		wait_for(sum_of(ended_of) + sum_of(missed_of) == MANY);
		watch_end(watch);
		assert_int_equal(sum_of(missed_of), 0);
		assert_true(sum_of(total_of) >= MANY * 9);
		/* What it has from who has forked it cannot be told from what it has written. */
		assert_true(sum_of(presumed_of) > 0 ? i : !i);
		end(pid);
	}
}

TEST(it_ends_with_the_last_child)
{
	assert_int_equal(run(UFFDWP " watch --children -i 0.2 -- sh -c 'sleep 1 & exit 7'"), 7);
	assert_true(printed("sh  "));
	assert_true(printed("sleep  "));
	assert_true(printed("ended, status 7"));
	assert_true(printed("ended, status 0"));
	assert_true(printed("has ended"));
	/* A short one is in the only report. */
	assert_int_equal(run(UFFDWP " watch --children -i 100"
			     " -- sh -c 'sleep 0.5; sleep 0; exit 7'"), 7);
	assert_true(printed("ended, status 7"));
	assert_true(printed("total"));
	assert_int_equal(run("pidof sleep"), 1);
}

static void map_very_often(void)
{
	int i;

	for (i = 0; i < 5000; i++) {
		map_at_place(1);
		munmap(place, PAGE);
	}
	/* It is done when the next program runs. */
	execute("keep", "8");
}

/* Who does not get to read them is told that there were more. */
TEST(lost_events_are_told)
{
	pid_t pid, watch;
	int go, lines;

	needs_events();
	pid = told(map_very_often, &go);
	watch = watch_start(pid, NULL);
	wait_for(!run("grep -q . " REPORTS));
	assert_ok(kill(watch, SIGSTOP));
	tell(go);
	wait_for(!run("grep -qx exe /proc/[0-9]*/comm"));
	usleep(500000);
	assert_ok(kill(watch, SIGCONT));
	wait_for(is_about(written_in_all(place, &lines), 8) && lines >= 2);
	watch_end(watch);
	assert_int_equal(run("grep -c events_lost " REPORTS), 0);
	assert_string_equal(output, "1\n");
	assert_int_equal(run("grep -c 'events were lost' " MESSAGES), 0);
	assert_string_equal(output, "1\n");
	end(pid);
}

static void fork_at_once(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	prctl(PR_SET_NAME, "forked");
}

/* More children than wait for who does not take them: the others are counted. */
TEST(children_that_could_not_be_followed_are_told)
{
	char pid_text[16];
	pid_t pid, watch;
	int go, status;

	needs_events();
	pid = told(fork_at_once, &go);
	snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
	unlink(REPORTS);
	watch = fork();
	if (!watch) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(REPORTS, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
		execl(UFFDWP, "uffdwp", "watch", "-c", "-p", pid_text, "-i", "0.3", (char *)NULL);
		_exit(126);
	}
	wait_for(!run("grep -q total " REPORTS));
	assert_ok(kill(watch, SIGSTOP));
	tell(go);
	wait_for(!run("grep -qx forked /proc/[0-9]*/comm"));
	assert_ok(kill(watch, SIGCONT));
	wait_for(!run("grep -q 'presumed:' " REPORTS));
	kill(watch, SIGINT);
	assert_int_equal(waitpid(watch, &status, 0), watch);
	assert_int_equal(status, 0);
	assert_int_equal(run("tail -n 1 " REPORTS), 0);
	assert_true(printed("not seen: "));
	assert_true(printed(" 36 processes"));
	end(pid);
}

/* A program that is another user's, for who may watch only his own. */
TEST(a_program_with_more_rights_is_named)
{
	char command[160];
	int status, go;
	pid_t child, pid;

	needs_events();
	assert_int_equal(run("cp /bin/busybox /strong && chmod 4755 /strong"), 0);
	assert_ok(chmod(UFFDWP_DEVICE, 0666));
	assert_int_equal(run(">" REPORTS "; chmod 666 " REPORTS), 0);
	child = fork();
	if (!child) {
		int fds[2];

		if (setgid(1000) || setuid(1000) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) || pipe(fds))
			_exit(3);
		go = fds[1];
		pid = fork();
		if (!pid) {
			char byte;

			close(go);
			/* What is executed before there is a report is not followed, but found. */
			while (run("grep -q . " REPORTS))
				usleep(10000);
			execl("/strong", "sleep", "3", (char *)NULL);
			_exit(read(fds[0], &byte, 1));
		}
		snprintf(command, sizeof(command),
			 "set -o pipefail; " UFFDWP " watch -p %d -i 0.2 2>&1 | tee " REPORTS,
			 (int)pid);
		status = run(command);
		waitpid(pid, NULL, 0);
		if (status != 1)
			_exit(4);
		_exit(!printed("the program has more rights than who watches"));
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_ok(chmod(UFFDWP_DEVICE, 0600));
	unlink("/strong");
}

TEST(mistakes_are_explained)
{
	assert_int_equal(run(UFFDWP " watch -p 2"), 1);
	assert_true(printed("kernel thread"));
	assert_int_equal(run(UFFDWP " watch -p 999999"), 1);
	assert_true(printed("cannot watch process 999999: there is no such process"));
	assert_int_equal(run(UFFDWP " watch -p 1 -n 1 -i 0.1 -m nothing"), 0);
	assert_true(printed("no writable memory of process 1 matches"));
	assert_int_equal(run(UFFDWP " watch"), 2);
	assert_true(printed("usage:"));
	assert_int_equal(run(UFFDWP " dance"), 2);
	assert_true(printed("no verb 'dance'"));
	assert_int_equal(run(UFFDWP " --version"), 0);
}

/* As another user: first the device cannot be opened, then the process may not be traced. */
TEST(rights_are_explained)
{
	pid_t root = fork(), child;
	char command[128];
	int status, i;

	if (!root) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	for (i = 0; i < 2; i++) {
		if (i && chmod(UFFDWP_DEVICE, 0666))
			fail_msg("chmod");
		child = fork();
		if (!child) {
			if (setgid(1000) || setuid(1000))
				_exit(3);
			snprintf(command, sizeof(command), UFFDWP " watch -p %d", (int)root);
			if (run(command) != 1)
				_exit(4);
			_exit(!printed(i ? "no permission to trace this process" :
					   "no permission to open " UFFDWP_DEVICE));
		}
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
	}
	assert_ok(chmod(UFFDWP_DEVICE, 0600));
	end(root);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_counts_what_is_written),
		cmocka_unit_test(terabytes_are_watched_and_get_no_page_tables),
		cmocka_unit_test(it_makes_as_many_reports_as_asked_for),
		cmocka_unit_test(the_table_names_what_is_written),
		cmocka_unit_test(shared_memory_is_watched),
		cmocka_unit_test(new_mappings_are_picked_up),
		cmocka_unit_test(pages_of_a_new_mapping_count),
		cmocka_unit_test(what_is_thrown_away_and_holds_nothing_does_not_count),
		cmocka_unit_test(what_was_protected_after_it_was_written_counts),
		cmocka_unit_test(a_report_is_one_scan),
		cmocka_unit_test(lines_can_be_fewer),
		cmocka_unit_test(names_do_not_reach_the_terminal),
		cmocka_unit_test(a_filter_that_kills_for_userfaultfd_is_no_obstacle),
		cmocka_unit_test(the_process_takes_its_memory),
		cmocka_unit_test(memory_of_another_tracker_is_left_out),
		cmocka_unit_test(reports_go_to_a_file),
		cmocka_unit_test(a_command_ends_with_us),
		cmocka_unit_test(the_last_lines_come_before_the_wait_for_a_command),
		cmocka_unit_test(last_lines_that_cannot_be_written_are_an_error),
		cmocka_unit_test(names_filter),
		cmocka_unit_test(interrupted_it_leaves_the_target_clean),
		cmocka_unit_test(a_command_is_started_and_its_status_passed_on),
		cmocka_unit_test(it_follows_execve),
		cmocka_unit_test(short_lived_mappings_count),
		cmocka_unit_test(execve_leaves_no_gap),
		cmocka_unit_test(a_command_is_seen_from_its_start),
		cmocka_unit_test(children_are_watched),
		cmocka_unit_test(children_that_end_count),
		cmocka_unit_test(it_ends_with_the_last_child),
		cmocka_unit_test(lost_events_are_told),
		cmocka_unit_test(children_that_could_not_be_followed_are_told),
		cmocka_unit_test(a_program_with_more_rights_is_named),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(rights_are_explained),
	};

	if (argc == 3)
		return be_program(argv);
	tells_why = REPORTS;
	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
