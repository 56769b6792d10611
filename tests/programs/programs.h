/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real programs that the tests start, and tell what to do.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* What it prints goes into a file. Its addresses are not random; it ends with its parent. */
pid_t program_start(char *const argv[], const char *output);
/* The command line, behind that of a tool that follows it, if it is to be. */
pid_t program_follow(char *const argv[], bool followed, const char *output);
/* Its exit status, or 128 and the signal that has ended it. */
int program_wait(pid_t pid);
/* The same, after it was sent this signal. */
int program_end(pid_t pid, int how);

double seconds(void);

/* ---- redis */

struct redis {
	pid_t started;	/* the program, or the tool that follows it */
	pid_t pid;
	int sock;
};

struct redis redis_start(char name, bool followed);
void redis_end(struct redis *r);
void redis_put(struct redis *r, const char *text, size_t len);
void redis_get_line(struct redis *r, char *line, size_t size);
/* The @nth part of a load that is always the same. */
void redis_load(struct redis *r, unsigned int nth);
void redis_assert_same(struct redis *a, struct redis *b);

/* ---- Java */

struct java {
	pid_t started;
	pid_t pid;
	FILE *in, *out;
};

struct java java_start(char name, bool followed);
/* The sum that the @n-th turn ends with. */
long java_turn(struct java *j, int n);
void java_end(struct java *j);

/* ---- PostgreSQL */

pid_t postgres_start(void);
/* What psql prints of a query, by a server process of its own. */
void postgres_ask(const char *query, char *answer, size_t size);
void postgres_end(pid_t pid);

#endif /* PROGRAMS_H */
