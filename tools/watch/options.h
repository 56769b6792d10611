/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_OPTIONS_H
#define TOOLS_WATCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "screen/terminal.h"
#include "selection.h"

/* What "uffdwp watch" was asked to do. */
struct watch_options {
	struct selection what;
	double interval;	/* seconds */
	uint64_t count;		/* reports; 0: until the process ends */
	uint64_t top;		/* lines, or 0: all */
	bool by_name;
	const char *output;	/* file for the reports, or NULL: standard output */
	bool json;
	const char *prometheus;	/* file of metrics, or NULL */
	bool plain;		/* lines, also on a terminal */
	bool screen;		/* the live screen, also for a command */
	enum color_choice color;
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

#endif /* TOOLS_WATCH_OPTIONS_H */
