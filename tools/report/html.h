/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_HTML_H
#define TOOLS_REPORT_HTML_H

#include <stdio.h>

#include "report/model.h"

/* One page with everything in it, which loads nothing. Return: 0 or -ENOMEM. */
int html_print(FILE *to, const struct model *model);

#endif /* TOOLS_REPORT_HTML_H */
