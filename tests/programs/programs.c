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
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* ---- programs */

static pid_t run(char *const argv[], const char *output)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	personality(ADDR_NO_RANDOMIZE);
	fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	execvp(argv[0], argv);
	_exit(127);
}

static void end(pid_t pid, int how)
{
	kill(pid, how);
	waitpid(pid, NULL, 0);
}

/* The command line, behind that of a tool that follows it, if it is to be. */
static pid_t run_program(char *const argv[], bool followed, const char *output)
{
	char *with[32] = { "uffdwp", "watch", "-i", "0.2", "--" };
	size_t n = 5, i;

	for (i = 0; argv[i]; i++)
		with[n++] = argv[i];
	return run(followed ? with : argv, output);
}

/* ---- redis */

struct redis {
	pid_t started;	/* the program, or the tool that follows it */
	pid_t pid;
	int sock;
};

static void put(struct redis *r, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= n) {
		n = write(r->sock, text, len);
		assert_true(n > 0);
	}
}

/* A line; what a $ announces is another one. */
static void get_line(struct redis *r, char *line, size_t size)
{
	size_t n = 0;

	do {
		assert_true(n < size - 1);
		assert_int_equal(read(r->sock, line + n, 1), 1);
	} while (line[n++] != '\n');
	line[n] = 0;
}

static int redis_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	if (!connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		return sock;
	close(sock);
	return -1;
}

static struct redis redis_start(char name, bool followed)
{
	char path[] = "/tmp/?.sock", output[] = "/tmp/?.log", line[512];
	struct redis r = { .sock = -1 };
	char *argv[] = { "redis-server", "--port", "0", "--unixsocket", path, "--save", "",
			 "--dir", "/tmp", "--enable-debug-command", "yes", NULL };

	path[5] = output[5] = name;
	unlink(path);
	r.started = run_program(argv, followed, output);
	wait_for((r.sock = redis_connect(path)) >= 0);
	/* Of all that INFO tells, its pid. */
	put(&r, "INFO server\r\n", 13);
	do
		get_line(&r, line, sizeof(line));
	while (sscanf(line, "process_id:%d", &r.pid) != 1);
	do
		get_line(&r, line, sizeof(line));
	while (strncmp(line, "listener", 8) && strcmp(line, "io_threads_active:0\r\n") &&
	       strcmp(line, "\r\n"));
	close(r.sock);
	r.sock = redis_connect(path);
	assert_true(r.sock >= 0);
	return r;
}

static void redis_end(struct redis *r)
{
	close(r->sock);
	kill(r->pid, SIGKILL);
	if (r->started != r->pid)
		kill(r->started, SIGKILL);
	waitpid(r->started, NULL, 0);
}

/* The @nth part of a load that is always the same. */
static void load(struct redis *r, unsigned int nth)
{
	uint64_t state = nth + 1;
	static char text[20000];
	char line[512];
	int i, n;

	for (i = 0; i < 200; i++) {
		const unsigned int key = next_random(&state) % 5000;
		const int len = next_random(&state) % (i % 50 ? 400 : 16000);

		switch (next_random(&state) % 4) {
		case 0:
			n = snprintf(text, sizeof(text), "DEL k%u\r\n", key);
			break;
		case 1:
			n = snprintf(text, sizeof(text), "LPUSH l%u %0*u\r\n", key % 50,
				     len % 100 + 1, key);
			break;
		default:
			n = snprintf(text, sizeof(text), "SET k%u %0*u\r\n", key, len + 1, key);
		}
		put(r, text, n);
		get_line(r, line, sizeof(line));
		assert_true(*line == '+' || *line == ':');
	}
}

static void assert_same_content(struct redis *a, struct redis *b)
{
	char of_a[128], of_b[128];

	put(a, "DEBUG DIGEST\r\n", 14);
	put(b, "DEBUG DIGEST\r\n", 14);
	get_line(a, of_a, sizeof(of_a));
	get_line(b, of_b, sizeof(of_b));
	assert_true(*of_a == '+' || *of_a == '$');
	assert_string_equal(of_a, of_b);
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
		load(&a, i);
		load(&b, i);
		snprintf(when, sizeof(when), "after part %u", i);
		assert_twins(a.pid, b.pid, when);
	}
	assert_same_content(&a, &b);
	if (followed) {
		end(b.started, SIGKILL);
		wait_for(!is_registered(b.pid));
		assert_twins(a.pid, b.pid, "after the tracer was killed");
		load(&a, PARTS);
		load(&b, PARTS);
		assert_twins(a.pid, b.pid, "and gone on");
		assert_same_content(&a, &b);
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

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
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
		tracer = run(argv, "/tmp/watch.log");
		do
			load(&b, parts++);
		while (seconds() < until);
		seen += is_registered(b.pid);
		end(tracer, SIGKILL);
	}
	wait_for(!is_registered(b.pid));
	for (i = 0; i < parts; i++)
		load(&a, i);
	assert_same_content(&a, &b);
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

/* ---- Java */

struct java {
	pid_t started;
	pid_t pid;
	FILE *in, *out;
};

static struct java java_start(char name, bool followed)
{
	char in[] = "/tmp/?.in", out[] = "/tmp/?.out", output[] = "/tmp/?.log";
	char *argv[] = { "java", "-Xint", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto",
			 "-Xms8m", "-Xmx256m", "-cp", "/programs", "Churn", in, out, NULL };
	struct java j;
	long zero;
	char line[64];

	in[5] = out[5] = output[5] = name;
	unlink(in);
	unlink(out);
	assert_ok(mkfifo(in, 0600));
	assert_ok(mkfifo(out, 0600));
	j.started = run_program(argv, followed, output);
	j.in = fopen(in, "w");
	j.out = fopen(out, "r");
	assert_true(j.in && j.out);
	assert_non_null(fgets(line, sizeof(line), j.out));
	assert_int_equal(sscanf(line, "%d %ld", &j.pid, &zero), 2);
	return j;
}

static long java_turn(struct java *j, int n)
{
	char line[64];
	long sum;
	int turn;

	fputs("turn\n", j->in);
	fflush(j->in);
	assert_non_null(fgets(line, sizeof(line), j->out));
	assert_int_equal(sscanf(line, "%d %ld", &turn, &sum), 2);
	assert_int_equal(turn, n + 1);
	return sum;
}

static void java_end(struct java *j)
{
	kill(j->pid, SIGKILL);
	if (j->started != j->pid)
		kill(j->started, SIGKILL);
	waitpid(j->started, NULL, 0);
	fclose(j->in);
	fclose(j->out);
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
		end(b.started, SIGKILL);
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
