// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRIU dumps, dumps beforehand and restores a process that is tracked, as it does any other.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define CRIU		"/bin/criu"
#define PAGES		64ul
#define LEN		(PAGES * PAGE)
#define RESULT		"/tmp/criu-result"

/* ---- the process: writes when it is told to, and says what it has */

static char *memory;
static volatile sig_atomic_t told;

static void be_told(int number)
{
	(void)number;
	told++;
}

/* A sum of all that is there, in a file. */
static void say(unsigned int turn)
{
	unsigned long sum = 0;
	char text[64];
	int file, len;
	size_t i;

	for (i = 0; i < LEN; i++)
		sum = sum * 31 + (unsigned char)memory[i];
	len = snprintf(text, sizeof(text), "%u %lu\n", turn, sum);
	file = open(RESULT ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || write(file, text, len) != len || close(file) ||
	    rename(RESULT ".new", RESULT))
		_exit(1);
}

static void write_some(unsigned int turn)
{
	size_t i;

	for (i = turn % 3; i < PAGES; i += 3)
		memory[i * PAGE + turn] = turn;
}

static void live(void)
{
	sigset_t none, usr1;
	unsigned int turn;

	setsid();
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	signal(SIGUSR1, be_told);
	for (turn = 1;; turn++) {
		say(turn - 1);
		while (told < (int)turn)
			sigsuspend(&none);
		write_some(turn);
	}
}

static pid_t start_process(void)
{
	int null, i;
	pid_t pid;

	unlink(RESULT);
	pid = fork();
	if (pid)
		return pid;
	null = open("/dev/null", O_RDWR);
	for (i = 0; i < 3; i++)
		dup2(null, i);
	for (i = 3; i < 100; i++)
		close(i);
	live();
	_exit(1);
}

/* What the process has said of this turn, waited for. */
static unsigned long said(unsigned int turn)
{
	unsigned long sum = 0;
	unsigned int of = ~0u;
	FILE *file;
	int i;

	for (i = 0; i < 600 && of != turn; i++) {
		file = fopen(RESULT, "re");
		if (file) {
			if (fscanf(file, "%u %lu", &of, &sum) != 2)
				of = ~0u;
			fclose(file);
		}
		if (of != turn)
			usleep(50000);
	}
	assert_int_equal(of, turn);
	return sum;
}

/* The same, of what this process has done to a copy: it writes as the other does. */
static unsigned long expected(unsigned int turn)
{
	unsigned long sum = 0;
	size_t i;

	write_some(turn);
	for (i = 0; i < LEN; i++)
		sum = sum * 31 + (unsigned char)memory[i];
	return sum;
}

static void tell(pid_t pid, unsigned int turn)
{
	assert_ok(kill(pid, SIGUSR1));
	assert_int_equal(said(turn), expected(turn));
}

/* ---- CRIU */

/* What it calls an error is printed. */
static bool criu(const char *command, pid_t pid, const char *folder, const char *options)
{
	char line[512], process[32] = "";

	mkdir("/tmp/criu", 0700);
	snprintf(line, sizeof(line), "/tmp/criu/%s", folder);
	mkdir(line, 0700);
	if (pid)
		snprintf(process, sizeof(process), "-t %d", pid);
	snprintf(line, sizeof(line),
		 CRIU " %s %s -D /tmp/criu/%s %s -o criu.log >/tmp/criu.out 2>&1 || "
		 "{ cat /tmp/criu.out; grep -h Error /tmp/criu/%s/criu.log; false; }",
		 command, process, folder, options, folder);
	return !system(line);
}

/* It is older than some kernels, and newer than others: can it do that with any process? */
static void needs_criu(void)
{
	pid_t pid;
	bool can;

	if (access(CRIU, X_OK))
		skip_because("there is no criu");
	pid = start_process();
	said(0);
	can = criu("pre-dump", pid, "1", "--track-mem") &&
	      criu("dump", pid, "2", "--prev-images-dir ../1 --track-mem");
	if (!can)
		kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (!can)
		skip_because("this criu cannot dump a process of this kernel");
}

static uint64_t written_of(int fd)
{
	return written(fd, memory, LEN, true);
}

TEST(a_tracked_process_is_dumped_and_restored)
{
	int fd, status;
	pid_t pid;

	memory = map_filled(PAGES);
	needs_criu();
	pid = start_process();
	said(0);
	fd = dev_open();
	assert_ok(dev_attach_pid(fd, pid));
	assert_ok(dev_register(fd, memory, LEN));
	assert_ok(dev_arm(fd, memory, LEN));
	tell(pid, 1);
	assert_int_equal(written_of(fd), (PAGES - 1 + 2) / 3);

	assert_true(criu("pre-dump", pid, "3", "--track-mem"));
	/* It goes on, and so does its tracker. */
	tell(pid, 2);
	assert_true(written_of(fd) >= (PAGES - 2 + 2) / 3);
	tell(pid, 3);
	assert_true(criu("dump", pid, "4", "--prev-images-dir ../3 --track-mem"));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);

	unlink(RESULT);
	assert_true(criu("restore", 0, "4", "-d"));
	tell(pid, 4);
	/* And is tracked again. */
	fd = dev_open();
	assert_ok(dev_attach_pid(fd, pid));
	assert_ok(dev_register(fd, memory, LEN));
	assert_ok(dev_arm(fd, memory, LEN));
	assert_int_equal(written(fd, memory, LEN, false), 0);
	tell(pid, 5);
	assert_int_equal(written(fd, memory, LEN, false), (PAGES - 2 + 2) / 3);
	close(fd);
	assert_ok(kill(pid, SIGKILL));
	munmap(memory, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tracked_process_is_dumped_and_restored),
	};

	return cmocka_run_group_tests_name("criu", tests, NULL, NULL);
}
