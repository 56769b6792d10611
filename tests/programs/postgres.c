// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debian's PostgreSQL, which does not run as root: a server with a process for each client.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"
#include "support.h"

#define BIN "/usr/lib/postgresql/15/bin"
#define HOME "/tmp/postgres"

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* By nobody: a line of the shell. */
static pid_t start_as_nobody(const char *line, const char *output)
{
	char *argv[] = { "busybox", "su", "-s", "/bin/sh", "nobody", "-c", (char *)line, NULL };

	return program_start(argv, output);
}

static bool answers(void)
{
	return !system(BIN "/psql -h " HOME " -U nobody -d postgres -c '' >/dev/null 2>&1");
}

pid_t postgres_start(void)
{
	pid_t pid, ended = 0;

	write_text("/etc/passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n");
	write_text("/etc/group", "root:x:0:\nnogroup:x:65534:\n");
	assert_int_equal(program_wait(start_as_nobody(BIN "/initdb -D " HOME " -A trust -E UTF8"
						      " --locale=C --no-sync",
						      "/tmp/initdb.log")), 0);
	pid = start_as_nobody("exec " BIN "/postgres -D " HOME " -k " HOME
			      " -c listen_addresses= -c fsync=off -c autovacuum=off"
			      " -c shared_buffers=16MB -c jit=off", "/tmp/postgres.log");
	wait_for(answers() || (ended = waitpid(pid, NULL, WNOHANG)) == pid);
	assert_int_equal(ended, 0);
	return pid;
}

void postgres_ask(const char *query, char *answer, size_t size)
{
	char command[1024];
	FILE *psql;
	size_t n;

	snprintf(command, sizeof(command),
		 BIN "/psql -h " HOME " -U nobody -d postgres -v ON_ERROR_STOP=1 -qAtc \"%s\" 2>&1",
		 query);
	psql = popen(command, "re");
	assert_non_null(psql);
	n = fread(answer, 1, size - 1, psql);
	answer[n] = 0;
	if (pclose(psql))
		fail_msg("%s: %s", query, answer);
}

void postgres_end(pid_t pid)
{
	/* A fast shutdown: it disconnects clients, and writes what is left. */
	assert_int_equal(program_end(pid, SIGINT), 0);
}
