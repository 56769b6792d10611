/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_PROFILE_H
#define TOOLS_BLAME_PROFILE_H

#include <linux/types.h>
#include <stdio.h>

#include "blame/options.h"
#include "counts.h"
#include "symbols.h"

struct entry {
	struct blame_key key;
	struct blame_count count;
};

/* Who has written: what the BPF program has counted. */
struct profile {
	pid_t pid;
	char name[64];		/* of the program, by human_clean() */
	enum blame_by by;
	double seconds;
	double interval;
	uint64_t pages;		/* that were blamed on somebody */
	uint64_t lost;		/* of these, in no entry */
	uint64_t unseen;	/* that scans have found besides */
	struct entry *entry;	/* the most pages first */
	size_t n;
	struct symbols symbols;
};

/* A line of the report: entries of one function in one mapping are one. */
struct row {
	uint64_t pages;
	const struct entry *entry;	/* the one with the most pages */
	const struct place *place;	/* by function and stack: where it writes; may be NULL */
	char title[256];
	char where[256];
};

/* Is the writer another process? Then there is no code of this one to blame. */
bool entry_is_foreign(const struct profile *p, const struct entry *e);

/* Frames of an entry: as many as there are. */
size_t entry_frames(const struct entry *e);

/**
 * profile_rows - the lines of a report
 * @p: profile
 * @n: out: their number
 *
 * Return: lines, the most pages first, to be freed; NULL when there is none, or no memory.
 */
struct row *profile_rows(struct profile *p, size_t *n);

/* Is there so little of the stacks that frame pointers seem to be missing? */
bool profile_lacks_frames(const struct profile *p);

/* One way to print it each. 0 or a negative errno. */
int profile_print_table(FILE *to, struct profile *p);
int profile_print_json(FILE *to, struct profile *p);
int profile_print_folded(FILE *to, struct profile *p);
int profile_print_pprof(FILE *to, struct profile *p);

#endif /* TOOLS_BLAME_PROFILE_H */
