/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "maps.h"

/* What happened in one mapping between two reports. */
struct report_line {
	uint64_t start;
	uint64_t end;
	const char *name;
	uint64_t ranges;	/* that it stands for; report_add() makes it 1 */
	uint64_t tracked;	/* pages that are tracked */
	uint64_t written;	/* pages of those that were written */
	uint64_t added;		/* pages of those that were not tracked before */
};

struct report {
	uint64_t number;	/* 1 is the first */
	double elapsed;		/* seconds since watching began */
	double interval;	/* seconds that this report covers */
	struct report_line *line;
	size_t n;
	size_t room;
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
void report_skip(struct report *report, enum map_kind kind, uint64_t bytes);
void report_clear(struct report *report);
void report_free(struct report *report);

/* One line for each name, in the order of the names; from the lowest address to the highest. */
void report_by_name(struct report *report);

/* The @n lines with the most pages written, most first; the others as one sum. */
void report_top(struct report *report, uint64_t n);

/* Sums over all lines, with those that were left out; start, end and name are 0. */
struct report_line report_total(const struct report *report);

/* Written pages as a part of tracked ones: 0 to 1. */
double report_share(const struct report_line *line);

/* Bytes in pages written, a second. */
double report_rate(const struct report_line *line, double interval);

/* One way to print reports: for people, or for programs. */
void report_print_table(FILE *to, const struct report *report, bool utf8);
int report_print_json(FILE *to, const struct report *report);

#endif /* TOOLS_REPORT_H */
