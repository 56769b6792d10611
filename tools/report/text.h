/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_TEXT_H
#define TOOLS_REPORT_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "report/model.h"

/* The views as text for people. */
struct text {
	FILE *to;
	unsigned int width;	/* columns of the terminal */
	bool utf8;		/* it knows more than ASCII */
	bool colour;
};

void text_summary(const struct text *text, const struct model *model);
void text_heatmap(const struct text *text, const struct model *model);
void text_wss(const struct text *text, const struct model *model);
void text_mappings(const struct text *text, const struct model *model);

/* The view of times is printed while the recording is read. */
void text_times_begin(const struct text *text);
void text_moment(const struct text *text, const struct moment *moment);

/* What is common to the beginning of all but the summary, and to the end. */
void text_title(const struct text *text, const struct model *model);
void text_notes(const struct text *text, const struct model *model);

/* Columns and rows of a heat map that fit. */
void text_resolution(const struct text *text, size_t *columns, size_t *rows);

#endif /* TOOLS_REPORT_TEXT_H */
