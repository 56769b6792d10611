/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_WORDS_H
#define TOOLS_REPORT_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "report/model.h"

/* Texts that several forms have. Each is given room of WORDS bytes. */
#define WORDS 160

/* "12.5 s", "3 min 20 s", "1 h 2 min" */
void words_length(double seconds, char text[WORDS]);

/* Since recording began: "12.5 s", "3:20", "1:02:03" */
void words_clock(double seconds, char text[WORDS]);

/* The same for a scale that goes up to @end: all of it is in one form. */
void words_tick(double seconds, double end, char text[WORDS]);

/* "2026-11-29 23:55:01 UTC" */
void words_date(int64_t nanoseconds, char text[WORDS]);

/* "1.5 MiB" */
void words_pages(double pages, char text[WORDS]);

/* "process 12 (sh)"; of a process that is known as a part of a sum only "another process" */
void words_process(const struct model *model, uint64_t id, char text[WORDS]);

/*
 * A distance between two ticks of a scale of time that people can count in: not less than @least
 * seconds.
 */
double words_time_step(double least);

/* Also for a scale of anything else: 1, 2, 5, 10, ... */
double words_step(double least);

#endif /* TOOLS_REPORT_WORDS_H */
