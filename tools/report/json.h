/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_JSON_H
#define TOOLS_REPORT_JSON_H

#include <stdio.h>

#include "report/model.h"
#include "report/options.h"

/* The views for programs. Return: 0 or -ENOMEM. */
int json_print(FILE *to, const struct model *model, enum view view);

/* All of them, as a text that can stand within a page of HTML. */
int json_print_page(FILE *to, const struct model *model);

/* The view of times: an object a line, while the recording is read. */
int json_moment(FILE *to, const struct moment *moment);

#endif /* TOOLS_REPORT_JSON_H */
