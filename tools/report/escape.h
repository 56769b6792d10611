/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_ESCAPE_H
#define TOOLS_REPORT_ESCAPE_H

#include <stdio.h>

/* Text within XML or HTML, also in an attribute: nothing in it is markup. */
void escape_print(FILE *to, const char *text);

#endif /* TOOLS_REPORT_ESCAPE_H */
