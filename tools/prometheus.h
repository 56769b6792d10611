/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_PROMETHEUS_H
#define TOOLS_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "written_set.h"

/*
 * A file of metrics in Prometheus' text format, for the textfile collector of node_exporter. It is
 * written whole at each interval: a reader has the one before or the new one.
 */

#define PROMETHEUS_PROCESSES_MAX 500
#define PROMETHEUS_NAMES_MAX 200	/* of mappings, of each process; the others are "other" */

/* A process, or the mappings of one name in it. */
struct prometheus_sample {
	pid_t pid;
	const char *process;	/* name of its program */
	const char *name;	/* of mappings, or NULL: it is about a process */
	uint64_t written;	/* pages, since the process is tracked */
	double rate;		/* bytes a second, in the last interval */
	uint64_t tracked;	/* pages */
	uint64_t set[WRITTEN_SET_WINDOWS];	/* pages */
};

struct prometheus_state {
	const char *state;
	uint64_t processes;
};

/* What there is to be told. */
struct prometheus_metrics {
	double time;		/* seconds since 1970 */
	uint64_t written;	/* pages in all, also of processes that have ended */
	const struct prometheus_state *states;	/* how many processes are in which state */
	size_t n_states;
	const struct prometheus_sample *processes;
	size_t n_processes;	/* those above PROMETHEUS_PROCESSES_MAX are only counted */
	uint64_t left_out;	/* processes that are not among them */
	const struct prometheus_sample *names;
	size_t n_names;
};

void prometheus_print(FILE *to, const struct prometheus_metrics *metrics);

/**
 * prometheus_check - could metrics be written there, without a loss of anything else?
 * @path: file
 * @why: out: what is wrong, for people
 * @size: of @why
 *
 * What is there already must be a file of metrics of this program, and its folder one in which
 * files can be made.
 *
 * Return: 0 or a negative errno.
 */
int prometheus_check(const char *path, char *why, size_t size);

/**
 * prometheus_write - write the file
 * @path: file
 * @metrics: what it says
 *
 * After an error the file is as it was.
 *
 * Return: 0 or a negative errno.
 */
int prometheus_write(const char *path, const struct prometheus_metrics *metrics);

/* A file that is kept up to date. All 0 is none. */
struct prometheus_file {
	const char *path;	/* or NULL */
	bool written;		/* at least once, by us */
	bool told;		/* that it cannot be written; until it could be again */
};

/**
 * prometheus_update - write the file of this interval
 * @file: file
 * @metrics: what it says
 *
 * An error is printed. The first time it is one of ours; later ones, of a disk that is full, pass.
 *
 * Return: 0, or a negative errno when the file could never be written.
 */
int prometheus_update(struct prometheus_file *file, const struct prometheus_metrics *metrics);

/* Nothing is measured any more: what the file says would be taken for what is. */
void prometheus_end(struct prometheus_file *file);

#endif /* TOOLS_PROMETHEUS_H */
