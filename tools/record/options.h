/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORD_OPTIONS_H
#define TOOLS_RECORD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "selection.h"

/* What "uffdwp record" was asked to do. */
struct record_options {
	struct selection what;
	const char *cgroup;	/* all processes of it, or NULL */
	double interval;	/* seconds */
	uint64_t count;		/* intervals; 0: until the process ends */
	double duration;	/* seconds; 0: the same */
	uint64_t most_cells;	/* of a mapping */
	const char *output;	/* file */
	bool quiet;
	bool help;
};

/**
 * record_options_parse - understand the command line
 * @argc: number of words, the first of which is "record"
 * @argv: words
 * @options: out: what was asked for
 * @why: out: what is wrong, for people
 * @size: of @why
 *
 * Return: 0 or -EINVAL.
 */
int record_options_parse(int argc, char **argv, struct record_options *options, char *why,
			 size_t size);

void record_usage(FILE *to);

#endif /* TOOLS_RECORD_OPTIONS_H */
