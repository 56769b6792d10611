/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What "uffdwp watch" was asked to do. */
struct watch_options {
	pid_t pid;		/* of an existing process, or 0 */
	char **command;		/* to start and watch, or NULL */
	bool children;		/* ... and all that come from it */
	double interval;	/* seconds */
	uint64_t count;		/* reports; 0: until the process ends */
	uint64_t start;		/* range; end 0: all */
	uint64_t end;
	const char *name;	/* pattern of fnmatch(3), or NULL */
	uint64_t top;		/* lines, or 0: all */
	bool by_name;
	const char *output;	/* file for the reports, or NULL: standard output */
	bool json;
	bool help;
};

/**
 * watch_options_parse - understand the command line
 * @argc: number of words, the first of which is "watch"
 * @argv: words
 * @options: out: what was asked for
 * @why: out: what is wrong, for people
 * @size: of @why
 *
 * Return: 0 or -EINVAL.
 */
int watch_options_parse(int argc, char **argv, struct watch_options *options, char *why,
			size_t size);

void watch_usage(FILE *to);

#endif /* TOOLS_OPTIONS_H */
