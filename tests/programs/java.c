// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Java virtual machine that does a turn when it is told to (Churn.java).
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"
#include "support.h"

struct java java_start(char name, bool followed)
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
	j.started = program_follow(argv, followed, output);
	j.in = fopen(in, "w");
	j.out = fopen(out, "r");
	assert_true(j.in && j.out);
	assert_non_null(fgets(line, sizeof(line), j.out));
	assert_int_equal(sscanf(line, "%d %ld", &j.pid, &zero), 2);
	return j;
}

long java_turn(struct java *j, int n)
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

void java_end(struct java *j)
{
	kill(j->pid, SIGKILL);
	if (j->started != j->pid)
		kill(j->started, SIGKILL);
	waitpid(j->started, NULL, 0);
	fclose(j->in);
	fclose(j->out);
}
