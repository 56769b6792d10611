/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_SEEN_H
#define TOOLS_REPORT_SEEN_H

#include <stdbool.h>

#include "recording/recording.h"

/* What a recording says of a process in all. */
struct seen_process {
	uint64_t id;		/* its number (alive.h) */
	pid_t pid;
	char name[64];		/* of its program, the last one */
	char first_name[64];	/* another one, if it has executed a program */
	bool ended;
	int status;
	double first;		/* time of the first interval that has it, and of the last */
	double last;
	uint64_t written;	/* page writes, with @gone */
	uint64_t gone;		/* of those, in memory that is not mapped any more */
	uint64_t presumed;
};

/* What a recording says of a mapping in all. */
struct seen_mapping {
	uint64_t process;	/* its number */
	uint64_t start;		/* the lowest address that it has had */
	uint64_t end;		/* behind the highest */
	char name[64];
	uint64_t tracked;	/* pages, in the end */
	uint64_t written;	/* page writes */
	uint64_t most;		/* of them in one interval */
	uint64_t intervals;	/* in which it was written */
	double first;		/* in which interval it was written first, and last */
	double last;
};

/*
 * In the order of their numbers, and of process and address. When there are too many, the half
 * that was written least is known as a sum only.
 */
#define SEEN_PROCESSES 1024
#define SEEN_MAPPINGS 4096

struct seen {
	struct seen_process *process;
	size_t processes;
	uint64_t other_processes;
	struct seen_mapping *mapping;
	size_t mappings;
	uint64_t other_mappings;
	uint64_t other_written;	/* in those */
};

/*
 * Return: that process; NULL when there is no memory. It is good until the next call. What is known
 * of it already is kept.
 */
struct seen_process *seen_process(struct seen *seen, uint64_t id,
				  const struct recording_process *process, double time);

/* @written: of the line, what is asked about. Return: 0 or -ENOMEM. */
int seen_line(struct seen *seen, uint64_t id, const struct recording_line *line, uint64_t written,
	      double time);

/* That process, or NULL if it is known as a part of a sum only. */
const struct seen_process *seen_find(const struct seen *seen, uint64_t id);

void seen_free(struct seen *seen);

#endif /* TOOLS_REPORT_SEEN_H */
