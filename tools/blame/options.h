/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_OPTIONS_H
#define TOOLS_BLAME_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "counts.h"

enum blame_format {
	BLAME_TABLE,
	BLAME_FOLDED,
	BLAME_PPROF,
	BLAME_JSON,
};

/* What blame, trap or latency was asked for. */
struct blame_options {
	pid_t pid;		/* of an existing process, or 0 */
	char **command;		/* to start, or NULL */
	double seconds;		/* 0: until the process ends */
	double interval;	/* seconds */
	enum blame_by by;
	enum blame_format format;
	const char *output;	/* file, or NULL: standard output */
	bool debuginfod;
	const char *on;		/* trap: address, range or pattern */
	bool stack;
	bool stop;
	uint64_t count;
	bool help;
};

/**
 * blame_options_parse - understand the command line of a verb
 * @argc: number of words
 * @argv: words, the first of which is the verb
 * @a: out: what was asked for
 * @why: out: what is wrong, for people
 * @size: of @why
 *
 * Return: 0 or -EINVAL.
 */
int blame_options_parse(int argc, char **argv, struct blame_options *a, char *why, size_t size);

/**
 * blame_range - an address, or two of them, in hexadecimal
 * @text: "7f0000001000", "0x7f0000001000" or "7f0000001000-7f0000003000"
 * @start: out: first page
 * @end: out: last page, exclusive
 *
 * Return: whether it is one.
 */
bool blame_range(const char *text, uint64_t *start, uint64_t *end);

#endif /* TOOLS_BLAME_OPTIONS_H */
