/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_OPTIONS_H
#define TOOLS_REPORT_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "report/model.h"

enum view {
	VIEW_SUMMARY,
	VIEW_HEATMAP,
	VIEW_WSS,
	VIEW_MAPPINGS,
	VIEW_TIMES,
	VIEWS
};

extern const char *const view_name[VIEWS];

enum form {
	FORM_TEXT,
	FORM_JSON,
	FORM_CSV,
	FORM_SVG,
	FORM_PNG,
	FORM_HTML,
};

/* What "uffdwp report" was asked to do. */
struct report_options {
	const char *file;
	enum view view;
	enum form form;
	const char *output;		/* or NULL: standard output */
	struct model_query query;	/* columns and rows are 0 if nothing was said */
	bool help;
};

/**
 * report_options_parse - understand the command line
 * @argc: number of words, the first of which is "report"
 * @argv: words; they may be put into another order
 * @options: out: what was asked for
 * @why: out: what is wrong, for people
 * @size: of @why
 *
 * Return: 0 or -EINVAL.
 */
int report_options_parse(int argc, char **argv, struct report_options *options, char *why,
			 size_t size);

void report_usage(FILE *to);

#endif /* TOOLS_REPORT_OPTIONS_H */
