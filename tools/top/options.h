/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_OPTIONS_H
#define TOOLS_TOP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define TOP_PIDS_MAX 64

/* What "uffdwp top" was asked to do. */
struct top_options {
	pid_t pid[TOP_PIDS_MAX];	/* these only */
	size_t pids;
	const char *cgroup;		/* what is in it and below it, or NULL */
	bool by_user;			/* of this user only */
	uid_t user;
	double interval;		/* seconds */
	uint64_t count;			/* reports; 0: until it is ended */
	uint64_t top;			/* lines; 0: all */
	bool plain;			/* tables, also on a terminal */
	bool json;
	const char *prometheus;		/* file of metrics, or NULL */
	bool yes;			/* the whole machine, without a question */
	bool help;
};

/**
 * top_options_parse - understand the command line
 * @argc: number of words, the first of which is "top"
 * @argv: words
 * @options: out: what was asked for
 * @why: out: what is wrong, for people
 * @size: of @why
 *
 * Return: 0 or -EINVAL.
 */
int top_options_parse(int argc, char **argv, struct top_options *options, char *why, size_t size);

/* Nothing was chosen, so it is about every process there is. */
bool top_options_want_all(const struct top_options *options);

void top_usage(FILE *to);

#endif /* TOOLS_TOP_OPTIONS_H */
