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
	uint64_t tracked;	/* pages that were tracked all the time */
	uint64_t written;	/* pages of those that were written */
	uint64_t added;		/* pages that are tracked from now on */
};

struct report {
	uint64_t number;	/* 1 is the first */
	double elapsed;		/* seconds since watching began */
	double interval;	/* seconds that this report covers */
	struct report_line *line;
	size_t n;
	size_t room;
	uint64_t skipped_maps[MAP_KINDS];	/* writable memory that is not tracked */
	uint64_t skipped_bytes[MAP_KINDS];
};

/*
 * Registering splits mappings, so what is one to a person may be several to the kernel: lines of
 * one name that touch are made one.
 */
int report_add(struct report *report, const struct report_line *line);
void report_skip(struct report *report, enum map_kind kind, uint64_t bytes);
void report_clear(struct report *report);
void report_free(struct report *report);

/* Sums over all lines; start, end and name are 0. */
struct report_line report_total(const struct report *report);

/* Written pages as a part of tracked ones: 0 to 1. */
double report_share(const struct report_line *line);

/* Bytes in pages written, a second. */
double report_rate(const struct report_line *line, double interval);

/* One way to print reports: for people, or for programs. */
void report_print_table(FILE *to, const struct report *report, bool utf8);
int report_print_json(FILE *to, const struct report *report);

#endif /* TOOLS_REPORT_H */
