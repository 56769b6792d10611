// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of "uffdwp report".
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "report/options.h"

const char *const view_name[VIEWS] = { "summary", "heatmap", "wss", "mappings", "times" };

void report_usage(FILE *to)
{
	fputs("usage: uffdwp report [FILE] [VIEW] [OPTION...]\n"
	      "\n"
	      "Show what 'uffdwp record' has recorded in FILE (uffdwp.data). VIEW is one of\n"
	      "\n"
	      "  summary                what, when, how much, and which memory (if none is given)\n"
	      "  heatmap                which memory was written when\n"
	      "  wss                    written set sizes: pages written in 1, 10 and 60 seconds\n"
	      "  mappings               each mapping\n"
	      "  times                  each interval\n"
	      "\n"
	      "  -o, --output OUT       into a file: OUT.html, .svg, .png, .json or .csv\n"
	      "  -j, --json             JSON, on standard output if there is no OUT\n"
	      "  -c, --csv              the same in CSV\n"
	      "  -a, --address START-END  only these addresses, hexadecimal\n"
	      "  -t, --time FROM-TO     only this time, seconds or h:mm:ss since the beginning\n"
	      "  -p, --pid PID          only this process\n"
	      "  -r, --resolution WxH   columns and rows of the heatmap, or columns only\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Example: uffdwp report uffdwp.data -o report.html\n", to);
}

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "json", no_argument, NULL, 'j' },
	{ "csv", no_argument, NULL, 'c' },
	{ "address", required_argument, NULL, 'a' },
	{ "time", required_argument, NULL, 't' },
	{ "pid", required_argument, NULL, 'p' },
	{ "resolution", required_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* ---- words */

/* 90, 1:30 and 0:01:30 are the same. */
static bool clock_time(const char *text, const char *end, double *seconds)
{
	unsigned int parts = 0;
	char *rest;

	/* Nothing else of what strtod() understands */
	if (strspn(text, "0123456789.:") < (size_t)(end - text))
		return false;
	for (*seconds = 0; parts < 3; parts++, text = rest + 1) {
		const double part = strtod(text, &rest);

		if (rest == text || rest > end || part > 1e9 || (parts && part >= 60))
			return false;
		*seconds = *seconds * 60 + part;
		if (rest == end)
			return true;
		if (*rest != ':')
			return false;
	}
	return false;
}

/* FROM-TO; one of them may be left out. */
static bool time_range(const char *text, double *from, double *to)
{
	const char *dash = strchr(text, '-');

	*from = *to = 0;
	if (!dash || !text[1])
		return false;
	if (dash != text && !clock_time(text, dash, from))
		return false;
	if (!dash[1])
		return true;
	return clock_time(dash + 1, dash + strlen(dash), to) && *to > *from;
}

static bool resolution(const char *text, size_t *columns, size_t *rows)
{
	char first[16];
	const size_t len = strcspn(text, "x");
	uint64_t number;

	if (len >= sizeof(first))
		return false;
	memcpy(first, text, len);
	first[len] = 0;
	if (!argument_number(first, 1, MODEL_COLUMNS, &number))
		return false;
	*columns = (size_t)number;
	if (!text[len])
		return true;
	if (!argument_number(text + len + 1, 1, MODEL_ROWS, &number))
		return false;
	*rows = (size_t)number;
	return true;
}

static const struct {
	const char *ending;
	enum form form;
} endings[] = {
	{ ".html", FORM_HTML }, { ".svg", FORM_SVG }, { ".png", FORM_PNG },
	{ ".json", FORM_JSON }, { ".csv", FORM_CSV },
};

#define ENDINGS (sizeof(endings) / sizeof(endings[0]))

static bool ends_with(const char *text, const char *with)
{
	const size_t len = strlen(text), end = strlen(with);

	return len > end && !strcmp(text + len - end, with);
}

/* ---- options */

static int take_form(struct report_options *o, enum form form, char *why, size_t size)
{
	if (o->form != FORM_TEXT && o->form != form)
		return argument_wrong(why, size, "one form at a time: --json, --csv, or the ending of OUT");
	o->form = form;
	return 0;
}

static int take_output(struct report_options *o, const char *name, char *why, size_t size)
{
	size_t i;

	o->output = name;
	for (i = 0; i < ENDINGS; i++)
		if (ends_with(name, endings[i].ending))
			return take_form(o, endings[i].form, why, size);
	return argument_wrong(why, size, "what form shall '%s' have? Let it end in .html, .svg, .png, .json or .csv",
			      name);
}

static int take(int option, const char *word, struct report_options *o, char *why, size_t size)
{
	struct model_query *q = &o->query;
	uint64_t number;

	switch (option) {
	case 'o':
		return take_output(o, optarg, why, size);
	case 'j':
		return take_form(o, FORM_JSON, why, size);
	case 'c':
		return take_form(o, FORM_CSV, why, size);
	case 'a':
		if (!argument_range(optarg, &q->start, &q->end))
			return argument_wrong(why, size, "'%s' is no range: write it as 7f0000000000-7f0000200000",
					      optarg);
		return 0;
	case 't':
		if (!time_range(optarg, &q->from, &q->to))
			return argument_wrong(why, size, "'%s' is no time: write it as 10-25.5, 1:30- or -0:45:00",
					      optarg);
		return 0;
	case 'p':
		if (!argument_number(optarg, 1, INT_MAX, &number))
			return argument_wrong(why, size, "'%s' is no process id", optarg);
		q->pid = (pid_t)number;
		return 0;
	case 'r':
		if (!resolution(optarg, &q->columns, &q->rows))
			return argument_wrong(why, size, "'%s' is no resolution: 160 or 160x48, at most %dx%d",
					      optarg, MODEL_COLUMNS, MODEL_ROWS);
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case ':':
		return argument_wrong(why, size, "option '%s' needs a value", word);
	default:
		return argument_wrong(why, size, "there is no option '%s'", word);
	}
}

static bool is_view(const char *word, enum view *view)
{
	int i;

	for (i = 0; i < VIEWS; i++) {
		if (strcmp(word, view_name[i]))
			continue;
		*view = (enum view)i;
		return true;
	}
	return false;
}

/* One word is a view if it is the name of one: a file of that name is ./wss. */
static int take_words(int argc, char **argv, struct report_options *o, bool *named, char *why,
		      size_t size)
{
	o->file = "uffdwp.data";
	if (argc == 1) {
		*named = is_view(argv[0], &o->view);
		if (!*named)
			o->file = argv[0];
	} else if (argc == 2) {
		*named = true;
		o->file = argv[0];
		if (!is_view(argv[1], &o->view))
			return argument_wrong(why, size, "there is no view '%s': summary, heatmap, wss, mappings or times",
					      argv[1]);
	} else if (argc > 2) {
		return argument_wrong(why, size, "a file and a view are enough, what is '%s'?",
				      argv[2]);
	}
	return 0;
}

static int check(struct report_options *o, bool named, char *why, size_t size)
{
	const bool picture = o->form == FORM_SVG || o->form == FORM_PNG;

	if (picture && !named)
		o->view = VIEW_HEATMAP;
	if (picture && o->view != VIEW_HEATMAP && o->view != VIEW_WSS)
		return argument_wrong(why, size, "there is no picture of '%s': heatmap and wss have one",
				      view_name[o->view]);
	if (o->form == FORM_HTML && named)
		return argument_wrong(why, size, "a page has all views: leave '%s' out",
				      view_name[o->view]);
	return 0;
}

int report_options_parse(int argc, char **argv, struct report_options *o, char *why, size_t size)
{
	bool named = false;
	int option, err;

	*o = (struct report_options){ 0 };
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:jca:t:p:r:h", long_options, NULL)) != -1) {
		err = take(option, argv[optind - 1], o, why, size);
		if (err)
			return err;
	}
	if (o->help)
		return 0;
	err = take_words(argc - optind, argv + optind, o, &named, why, size);
	return err ? err : check(o, named, why, size);
}
