/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_ROWS_H
#define TOOLS_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "crowd/refused.h"
#include "written_set.h"

/* What one process has written between two reports. */
struct top_row {
	pid_t pid;
	char user[32];
	char name[64];		/* of its program */
	uint64_t tracked;	/* pages */
	uint64_t written;	/* pages of those, and of memory that was unmapped since */
	uint64_t all_written;	/* in all reports */
	double interval;	/* seconds that @written is from */
	uint64_t set[WRITTEN_SET_WINDOWS];	/* pages */
	bool ended;		/* since the last report */
	bool lost;		/* events were: something may be missing */
};

struct top_report {
	uint64_t number;	/* 1 is the first */
	double elapsed;		/* seconds since the beginning */
	double interval;	/* seconds since the last report */
	struct top_row *row;
	size_t n;
	size_t room;
	uint64_t all_written;	/* pages in all reports, also of processes that have ended */
	uint64_t refused[REFUSALS];
	bool set_incomplete;	/* there was no room for all of the written sets */
	bool lost;		/* events of some process were */
	struct top_row total;	/* of all rows, with those that were left out */
	size_t processes;	/* tracked, with those that were left out */
	size_t cut;		/* rows that were left out */
	struct top_row rest;	/* their sum */
};

enum top_column {
	TOP_PID,
	TOP_USER,
	TOP_NAME,
	TOP_TRACKED,
	TOP_WRITTEN,
	TOP_RATE,
	TOP_SHARE,
	TOP_SET_1,
	TOP_SET_10,
	TOP_SET_60,
	TOP_COLUMNS
};

/* Begin anew: no rows. */
void top_clear(struct top_report *report);

/* One more row, which counts in the total. Return: 0 or -ENOMEM. */
int top_add(struct top_report *report, const struct top_row *row);

/* The largest first, names and numbers of processes the smallest; @reverse: the other way round. */
void top_sort(struct top_report *report, enum top_column column, bool reverse);

/* The first @n rows, and the others as one sum. */
void top_cut(struct top_report *report, uint64_t n);

/* Only rows in whose name, user or number @text is, in large or small letters. */
void top_filter(struct top_report *report, const char *text);

/* Return: 0 or -ENOMEM, and then @to is as it was. */
int top_copy(struct top_report *to, const struct top_report *from);

void top_free(struct top_report *report);

/* Bytes in pages written, a second. */
double top_rate(const struct top_row *row);

/* Written pages as a part of tracked ones: 0 to 1. */
double top_share(const struct top_row *row);

/* For people: what there is and what is not tracked, as a line without its end. */
void top_summary(const struct top_report *report, char *text, size_t size);

/* One way to print reports: for people, or for programs. */
void top_print_table(FILE *to, const struct top_report *report, bool utf8);
int top_print_json(FILE *to, const struct top_report *report);

#endif /* TOOLS_TOP_ROWS_H */
