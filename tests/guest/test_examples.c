// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of examples/, as somebody runs them who copies one: what they print, and what they
 * leave behind. The one that needs KVM is in test_vmm.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "command.h"
#include "support.h"
#include "uffdwp.h"

#define COPY "/tmp/copy"
#define PRINTED "/tmp/printed"

static void must_print(int status, int wanted, const char *text)
{
	if (status != wanted || !strstr(output, text))
		fail_msg("status %d, and no \"%s\" in: %s", status, text, output);
}

/* All of a file, in memory that is to be unmapped; or a failed test. */
static char *content(const char *path, size_t *len)
{
	struct stat stat;
	char *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_ok(fstat(fd, &stat));
	*len = stat.st_size;
	p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	close(fd);
	return p;
}

/* ---- incremental */

/*
 * What its file brings back, put together here as its head says. Of the byte of each round in
 * each page, which the others leave alone, those that it should have.
 */
static void check_increments(void)
{
	char *heap = map_anon(4096), *file;
	size_t len, at, page;
	uint64_t piece[2] = { 0, 1 };

	file = content(COPY, &len);
	for (at = 0; at < len; at += piece[1]) {
		memcpy(piece, file + at, sizeof(piece));
		at += sizeof(piece);
		assert_true(at + piece[1] <= len && piece[0] + piece[1] <= 4096 * PAGE);
		memcpy(heap + piece[0], file + at, piece[1]);
	}
	/* The last increment is finished. */
	assert_int_equal(piece[1], 0);
	for (page = 0; page < 4096; page++) {
		assert_int_equal(heap[page * PAGE + 1], 1);
		assert_int_equal(heap[page * PAGE + 2], page % 16 ? 0 : 2);
		assert_int_equal(heap[page * PAGE + 3], page % 256 ? 0 : 3);
		assert_int_equal(heap[page * PAGE + 4], page ? 0 : 4);
	}
	munmap(file, len);
	munmap(heap, 4096 * PAGE);
}

TEST(increments_have_what_was_written_and_restore_the_heap)
{
	unlink(COPY);
	must_print(run("incremental " COPY), 0, "increment 1: 4096 pages\nincrement 2: 256 pages\n"
		   "increment 3: 16 pages\nincrement 4: 1 pages\nwhat was restored is equal\n");
	check_increments();
}

TEST(increments_leave_a_file_alone_that_is_there)
{
	must_print(run("echo mine >" PRINTED "; incremental " PRINTED), 1, "File exists");
	must_print(run("cat " PRINTED), 0, "mine");
	must_print(run("incremental"), 2, "usage");
}

/* Is the process in write(2) on its standard error? */
static bool complains(pid_t pid)
{
	char path[64], line[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	file = fopen(path, "r");
	if (file) {
		if (!fgets(line, sizeof(line), file))
			line[0] = 0;
		fclose(file);
	}
	return !strncmp(line, "1 0x2 ", 6);
}

static void become_limited(int errors, rlim_t size)
{
	const struct rlimit limit = { size, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) || dup2(errors, 2) != 2 ||
	    !freopen(PRINTED, "w", stdout))
		_exit(126);
	execlp("incremental", "incremental", COPY, NULL);
	_exit(127);
}

/*
 * Half of the first increment finds room, and then there is room again: the program waits in its
 * complaint meanwhile, since nobody reads that.
 */
TEST(an_increment_that_finds_no_room_is_in_the_next_one)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	char byte[64] = "";
	int errors[2], status;
	pid_t pid;

	unlink(COPY);
	assert_ok(pipe2(errors, O_CLOEXEC | O_NONBLOCK));
	while (write(errors[1], byte, 1) == 1)
		;
	assert_ok(fcntl(errors[1], F_SETFL, 0));
	pid = fork();
	if (!pid)
		become_limited(errors[1], 2048 * PAGE);
	close(errors[1]);
	wait_for(complains(pid));
	assert_ok(prlimit(pid, RLIMIT_FSIZE, &none, NULL));
	assert_ok(fcntl(errors[0], F_SETFL, 0));
	while (read(errors[0], byte, sizeof(byte)) > 0)
		if (byte[0])
			break;
	close(errors[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	must_print(run("cat " PRINTED), 0, "increment 2: 4096 pages\nincrement 3: 16 pages\n"
		   "increment 4: 1 pages\nwhat was restored is equal\n");
	assert_null(strstr(output, "increment 1"));
	check_increments();
}

/* ---- writewatch */

static const char watched[] =
	"at first: none\n"
	"written: 3 5 6 7\n"
	"no more than two, and reset: 3 5\n"
	"the rest, and reset: 6 7\n"
	"what was there, stored once more: 5\n"
	"read into: 9 10\n"
	"after a reset: none\n";

TEST(a_write_watch_by_the_module)
{
	must_print(run("writewatch module"), 0, watched);
	must_print(0, 0, "by the module\n");
	must_print(run("writewatch other"), 2, "usage");
}

TEST(a_write_watch_by_the_kernel_alone)
{
	struct uffdwp_info info = { .size = sizeof(info) };
	int status = run("writewatch kernel");

	if (uffdwp_query(UFFDWP_BACKEND_KERNEL, &info)) {
		must_print(status, 1, "writewatch: ");
		skip_because("this kernel cannot do it alone, and the program says so: %s", output);
	}
	must_print(status, 0, watched);
	must_print(0, 0, "by the kernel\n");
}

/* ---- precopy */

#define N 2048ul
#define MOVING 64ul

/* What a process has that is to be copied: in the end it does nothing any more, see below. */
static char *area, *moving;

/* It comes before anything else that the process does after it was stopped. */
static void freeze(int signal)
{
	(void)signal;
	for (;;)
		pause();
}

static void write_for_ever(void)
{
	uint64_t state = 1, round;
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* when a test fails */
	signal(SIGCONT, freeze);
	for (round = 1;; round++) {
		for (i = 0; i < 8; i++)
			*(uint64_t *)(area + next_random(&state) % N * PAGE + 8) = round;
		/* Other memory in the same place, with something in a part of it. */
		if (round % 16 == 0) {
			mmap(moving, MOVING * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			for (i = round / 16 % 3; i < MOVING; i += 3)
				*(uint64_t *)(moving + i * PAGE) = round;
		}
		usleep(100);
	}
}

static pid_t start_writer(void)
{
	pid_t pid;

	unlink(COPY);
	area = map_filled(N);
	moving = map_anon(MOVING);
	pid = fork();
	if (!pid)
		write_for_ever();
	return pid;
}

static void end_writer(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(area, N * PAGE);
	munmap(moving, MOVING * PAGE);
}

struct piece {
	uint64_t start;
	uint64_t len;
	uint64_t zeroes;
};

/* What the copy has of a page, or NULL: the last piece that it is in. */
static const char *copied(const char *file, size_t len, uint64_t page)
{
	static const char zeroes[PAGE];
	const char *found = NULL;
	struct piece piece;
	size_t at;

	for (at = 0; at < len; at += piece.zeroes ? 0 : piece.len) {
		memcpy(&piece, file + at, sizeof(piece));
		at += sizeof(piece);
		if (page >= piece.start && page - piece.start < piece.len)
			found = piece.zeroes ? zeroes : file + at + (page - piece.start);
	}
	return found;
}

static size_t compare(pid_t pid, const char *file, size_t len, uint64_t start, uint64_t end)
{
	char page[PAGE];
	const struct iovec to = { page, PAGE };
	struct iovec from = { NULL, PAGE };
	const char *copy;

	for (; start < end; start += PAGE) {
		from.iov_base = (void *)(uintptr_t)start;
		assert_int_equal(process_vm_readv(pid, &to, 1, &from, 1, 0), PAGE);
		copy = copied(file, len, start);
		if (!copy || memcmp(copy, page, PAGE))
			fail_msg("A WRITE WAS MISSED: %#lx of the copy %s", (unsigned long)start,
				 copy ? "differs" : "is not there");
	}
	return 1;
}

/* All private anonymous memory that it may write to, but its stack, which freeze() is on. */
static size_t compare_all(pid_t pid)
{
	unsigned long start, end, offset, inode;
	char path[64], line[512], flags[8], device[16];
	size_t len, mappings = 0;
	char *file = content(COPY, &len);
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s %lx %15s %lu", &start, &end, flags, &offset, device,
			   &inode) == 6 &&
		    !strcmp(flags, "rw-p") && !inode && !strstr(line, "[stack]"))
			mappings += compare(pid, file, len, start, end);
	fclose(maps);
	munmap(file, len);
	return mappings;
}

/* The letter of /proc/PID/stat. The name is that of the test. */
static char state_of(pid_t pid)
{
	char command[64];

	snprintf(command, sizeof(command), "sed 's/.*) //' /proc/%d/stat", (int)pid);
	assert_int_equal(run(command), 0);
	return output[0];
}

TEST(the_copy_of_a_running_process_is_its_memory_at_the_stop)
{
	pid_t pid = start_writer();
	char command[64];

	snprintf(command, sizeof(command), "precopy %d " COPY, (int)pid);
	must_print(run(command), 0, "round 2: ");
	must_print(0, 0, "stopped for ");
	print_message("%s", output);
	wait_for(state_of(pid) == 'S');
	assert_false(has_registered_memory(pid));
	assert_true(compare_all(pid) >= 3);
	/* There is a file of that name now. */
	must_print(run(command), 1, "File exists");
	end_writer(pid);
}

/* Memory that the process has protected from itself cannot be copied, and is not left out. */
TEST(a_copy_that_cannot_be_finished_is_none)
{
	char *hidden = map_filled(1);
	char command[64];
	pid_t pid;

	assert_ok(mprotect(hidden, PAGE, PROT_NONE));
	pid = start_writer();
	snprintf(command, sizeof(command), "precopy %d " COPY, (int)pid);
	must_print(run(command), 1, "precopy: 1 pages cannot be read");
	assert_int_equal(access(COPY, F_OK), -1);
	wait_for(state_of(pid) == 'S');
	assert_false(has_registered_memory(pid));
	end_writer(pid);
	munmap(hidden, PAGE);
}

TEST(a_process_that_was_stopped_stays_so)
{
	pid_t pid = start_writer();
	char command[64];

	kill(pid, SIGSTOP);
	wait_for(state_of(pid) == 'T');
	snprintf(command, sizeof(command), "precopy %d " COPY, (int)pid);
	must_print(run(command), 0, "stopped for ");
	assert_int_equal(state_of(pid), 'T');
	assert_true(compare_all(pid) >= 3);
	end_writer(pid);
}

/* ---- follow */

/* Writes to some pages of its own, and so does its child before it ends. */
static void be_followed(void)
{
	char *p = map_anon(200);
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!has_registered_memory(getpid()))
		usleep(1000);
	touch(p, 100, 1);
	pid = fork();
	if (!pid) {
		touch(p, 200, 2);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	_exit(0);
}

TEST(a_process_is_followed_with_its_child)
{
	unsigned long sum[2] = { 0 }, pages;
	pid_t pid = fork(), seen;
	char command[64];
	const char *line;

	if (!pid)
		be_followed();
	snprintf(command, sizeof(command), "follow %d", (int)pid);
	assert_int_equal(run(command), 0);
	waitpid(pid, NULL, 0);
	/* At first all that is there counts, and so it does for a child. */
	for (line = output; sscanf(line, "%d %lu pages", &seen, &pages) == 2;
	     line = strchr(line, '\n') + 1)
		sum[seen != pid] += pages;
	if (*line || sum[0] < 100 || sum[1] < 200)
		fail_msg("%lu and %lu pages: %s", sum[0], sum[1], output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(increments_have_what_was_written_and_restore_the_heap),
		cmocka_unit_test(increments_leave_a_file_alone_that_is_there),
		cmocka_unit_test(an_increment_that_finds_no_room_is_in_the_next_one),
		cmocka_unit_test(a_write_watch_by_the_module),
		cmocka_unit_test(a_write_watch_by_the_kernel_alone),
		cmocka_unit_test(the_copy_of_a_running_process_is_its_memory_at_the_stop),
		cmocka_unit_test(a_copy_that_cannot_be_finished_is_none),
		cmocka_unit_test(a_process_that_was_stopped_stays_so),
		cmocka_unit_test(a_process_is_followed_with_its_child),
	};

	return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
