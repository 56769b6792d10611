/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_CSV_H
#define TOOLS_REPORT_CSV_H

#include <stdio.h>

#include "report/model.h"
#include "report/options.h"

/* The views as tables: a line of names, and a line for each thing (RFC 4180, lines end with \n). */
void csv_print(FILE *to, const struct model *model, enum view view);

/* The view of times is printed while the recording is read. */
void csv_times_begin(FILE *to);
void csv_moment(FILE *to, const struct moment *moment);

#endif /* TOOLS_REPORT_CSV_H */
