// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debian's redis-server, and the client of it that the tests are: by a socket of its own, without a
 * network.
 */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"
#include "support.h"

void redis_put(struct redis *r, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= n) {
		n = write(r->sock, text, len);
		assert_true(n > 0);
	}
}

/* A line; what a $ announces is another one. */
void redis_get_line(struct redis *r, char *line, size_t size)
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

struct redis redis_start(char name, bool followed)
{
	char path[] = "/tmp/?.sock", output[] = "/tmp/?.log", line[512];
	struct redis r = { .sock = -1 };
	char *argv[] = { "redis-server", "--port", "0", "--unixsocket", path, "--save", "",
			 "--dir", "/tmp", "--enable-debug-command", "yes", NULL };

	path[5] = output[5] = name;
	unlink(path);
	r.started = program_follow(argv, followed, output);
	wait_for((r.sock = redis_connect(path)) >= 0);
	/* Of all that INFO tells, its pid. */
	redis_put(&r, "INFO server\r\n", 13);
	do
		redis_get_line(&r, line, sizeof(line));
	while (sscanf(line, "process_id:%d", &r.pid) != 1);
	do
		redis_get_line(&r, line, sizeof(line));
	while (strncmp(line, "listener", 8) && strcmp(line, "io_threads_active:0\r\n") &&
	       strcmp(line, "\r\n"));
	close(r.sock);
	r.sock = redis_connect(path);
	assert_true(r.sock >= 0);
	return r;
}

void redis_end(struct redis *r)
{
	close(r->sock);
	kill(r->pid, SIGKILL);
	if (r->started != r->pid)
		kill(r->started, SIGKILL);
	waitpid(r->started, NULL, 0);
}

void redis_load(struct redis *r, unsigned int nth)
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
		redis_put(r, text, n);
		redis_get_line(r, line, sizeof(line));
		assert_true(*line == '+' || *line == ':');
	}
}

void redis_assert_same(struct redis *a, struct redis *b)
{
	char of_a[128], of_b[128];

	redis_put(a, "DEBUG DIGEST\r\n", 14);
	redis_put(b, "DEBUG DIGEST\r\n", 14);
	redis_get_line(a, of_a, sizeof(of_a));
	redis_get_line(b, of_b, sizeof(of_b));
	assert_true(*of_a == '+' || *of_a == '$');
	assert_string_equal(of_a, of_b);
}
