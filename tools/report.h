/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "maps.h"
#include "written_set.h"

/* What happened in one mapping between two reports. */
struct report_line {
	size_t process;		/* whose it is: of those that the report has */
	uint64_t start;
	uint64_t end;
	const char *name;
	uint64_t ranges;	/* that it stands for; report_add() makes it 1 */
	uint64_t tracked;	/* pages that are tracked */
	uint64_t written;	/* pages of those that were written */
	uint64_t added;		/* pages of those that were not tracked before */
	/* Its pages in the written set: only if the report @has_sets. */
	uint64_t set[WRITTEN_SET_WINDOWS];
};

/* One of the processes that a report is about. */
struct report_process {
	pid_t pid;
	char name[64];		/* of its program, by human_clean() */
	bool ended;		/* since the last report */
	int status;		/* then, as from wait(2) */
	/* What was written in memory that is not there any more: unmapped, or gone with it. */
	struct report_line gone;
	uint64_t presumed;	/* of all pages written: it may have them from who has forked it */
	uint64_t mapped;	/* mappings */
	uint64_t mapped_bytes;
	uint64_t unmapped;
	uint64_t unmapped_bytes;
	struct report_line sum;	/* of its lines and @gone, which report_add() keeps */
};

/* Pages that were written between two reports, of those that are still mapped. */
struct report_region {
	size_t process;
	uint64_t start;
	uint64_t end;
};

struct report {
	uint64_t number;	/* 1 is the first */
	double elapsed;		/* seconds since watching began */
	double interval;	/* seconds that this report covers */
	struct report_line *line;
	size_t n;
	size_t room;
	struct report_process *process;
	size_t processes;
	size_t process_room;
	/*
	 * Which pages were written, in ascending order in each process: only if @wants_regions.
	 * The pages that a look counts because they are populated in new memory are among them.
	 */
	struct report_region *region;
	size_t regions;
	size_t region_room;
	bool wants_regions;
	bool has_sets;
	bool sets_incomplete;	/* there was no memory for all: the sets are larger */
	bool by_process;	/* more than one can be in it, so it says whose a line is */
	uint64_t not_followed;	/* processes that could not be, since the last report */
	bool lost;		/* events were lost: something may be missing */
	bool by_name;		/* report_by_name() was called */
	uint64_t cut;		/* lines that report_top() has left out */
	struct report_line rest; /* their sum */
	uint64_t skipped_maps[MAP_KINDS];	/* writable memory that is not tracked */
	uint64_t skipped_bytes[MAP_KINDS];
	bool skipped_news;	/* not the same as in the last report: worth a line for people */
};

/*
 * Registering splits mappings, so what is one to a person may be several to the kernel: lines of
 * one name that touch are made one.
 */
int report_add(struct report *report, const struct report_line *line);

/* The lines that are added from now on may be of this process, the last one. */
int report_add_process(struct report *report, const struct report_process *process);
int report_add_region(struct report *report, size_t process, uint64_t start, uint64_t end);
void report_skip(struct report *report, enum map_kind kind, uint64_t bytes);
void report_clear(struct report *report);
void report_free(struct report *report);

/*
 * One line for each name of a process, in the order of the names; from the lowest address to the
 * highest.
 */
void report_by_name(struct report *report);

/* The @n lines with the most pages written, most first in each process; the others as one sum. */
void report_top(struct report *report, uint64_t n);

/* Sums over all lines, with those that were left out; start, end and name are 0. */
struct report_line report_total(const struct report *report);

/* What all processes have mapped and unmapped, and what was presumed. The rest is 0. */
struct report_process report_changes(const struct report *report);

/* Written pages as a part of tracked ones: 0 to 1. */
double report_share(const struct report_line *line);

/* Bytes in pages written, a second. */
double report_rate(const struct report_line *line, double interval);

/* One way to print reports: for people, or for programs. */
void report_print_table(FILE *to, const struct report *report, bool utf8);
int report_print_json(FILE *to, const struct report *report);

#endif /* TOOLS_REPORT_H */
