// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp report: show a recording.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "human.h"
#include "output.h"
#include "report/csv.h"
#include "report/draw.h"
#include "report/html.h"
#include "report/json.h"
#include "report/options.h"
#include "report/png.h"
#include "report/text.h"
#include "report/verb.h"

struct report_run {
	struct report_options options;
	struct output output;
	struct text text;
	const struct picture_ops *picture;
	struct model model;
};

/* ---- the terminal */

static unsigned int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t number;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return columns && argument_number(columns, 20, 10000, &number) ? (unsigned int)number : 80;
}

static void look_at_terminal(struct text *text)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	text->width = terminal_width();
	text->utf8 = human_has_utf8();
	text->colour = isatty(STDOUT_FILENO) && (!no_color || !*no_color) &&
		       term && strcmp(term, "dumb");
}

/* ---- what is read */

static void resolve(struct report_run *run)
{
	struct model_query *q = &run->options.query;
	size_t columns = 240, rows = 256;

	if (run->options.form == FORM_HTML)
		columns = 800;
	else if (run->options.form == FORM_SVG || run->options.form == FORM_PNG)
		columns = 160, rows = 56;
	else if (run->options.form == FORM_TEXT && run->options.view == VIEW_HEATMAP)
		text_resolution(&run->text, &columns, &rows);
	q->columns = q->columns ? q->columns : columns;
	q->rows = q->rows ? q->rows : rows;
}

static int print_moment(void *arg, const struct moment *moment)
{
	struct report_run *run = arg;

	if (run->options.form == FORM_JSON)
		return json_moment(run->output.to, moment);
	if (run->options.form == FORM_CSV)
		csv_moment(run->output.to, moment);
	else
		text_moment(&run->text, moment);
	return !ferror(run->output.to) ? 0 : errno ? -errno : -EIO;
}

static void begin_times(struct report_run *run)
{
	run->options.query.each = print_moment;
	run->options.query.arg = run;
	if (run->options.form == FORM_CSV)
		csv_times_begin(run->output.to);
	else if (run->options.form == FORM_TEXT)
		text_times_begin(&run->text);
}

static int next(void *arg, struct recording_interval *interval)
{
	return recording_next(arg, interval);
}

static int back(void *arg)
{
	return recording_rewind(arg);
}

/* ---- what is written */

static int print_text(const struct report_run *run)
{
	static void (*const print[VIEWS])(const struct text *text, const struct model *model) = {
		text_summary, text_heatmap, text_wss, text_mappings, text_notes,
	};

	print[run->options.view](&run->text, &run->model);
	return 0;
}

static int print_view(const struct report_run *run)
{
	const enum view view = run->options.view;
	FILE *to = run->output.to;

	switch (run->options.form) {
	case FORM_TEXT:
		return print_text(run);
	case FORM_JSON:
		return view == VIEW_TIMES ? 0 : json_print(to, &run->model, view);
	case FORM_CSV:
		csv_print(to, &run->model, view);
		return 0;
	case FORM_HTML:
		return html_print(to, &run->model);
	case FORM_SVG:
	case FORM_PNG:
		return view == VIEW_WSS ? draw_wss(run->picture, to, &run->model) :
		       draw_heatmap(run->picture, to, &run->model);
	}
	return 0;
}

/* What a form cannot say itself. */
static void print_note(const struct report_run *run)
{
	const struct text text = { .to = stderr };

	if (run->options.form == FORM_CSV || run->options.output ||
	    (run->options.form == FORM_JSON && run->options.view == VIEW_TIMES))
		text_notes(&text, &run->model);
}

static int show(struct report_run *run, struct recording_reader *reader)
{
	const struct source source = {
		.arg = reader, .header = recording_header(reader), .next = next, .rewind = back,
	};
	int err = output_open(&run->output, run->options.output);

	if (err) {
		fprintf(stderr, "uffdwp: cannot write to %s: %s\n", run->options.output,
			strerror(-err));
		return 1;
	}
	run->text.to = run->output.to;
	resolve(run);
	if (run->options.view == VIEW_TIMES)
		begin_times(run);
	err = model_read(&run->model, &source, &run->options.query);
	if (!err)
		err = print_view(run);
	if (!err)
		print_note(run);
	model_free(&run->model);
	err = output_close(&run->output, err);
	if (err == -ESPIPE)
		fprintf(stderr, "uffdwp: a recording is read twice, which a pipe cannot be: put it into a file\n");
	else if (err)
		fprintf(stderr, "uffdwp: cannot make the report%s%s: %s\n",
			run->options.output ? " " : "",
			run->options.output ? run->options.output : "", strerror(-err));
	return err ? 1 : 0;
}

/* The report would take the place of what it is made of. */
static bool same_file(const struct report_options *options)
{
	struct stat in, out;

	return options->output && !stat(options->file, &in) && !stat(options->output, &out) &&
	       in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static int read_and_show(struct report_run *run)
{
	struct recording_reader *reader;
	char why[200];
	int err;

	if (same_file(&run->options)) {
		fprintf(stderr, "uffdwp: %s is the recording itself: give OUT another name\n",
			run->options.output);
		return 1;
	}
	if (run->options.form == FORM_PNG) {
		run->picture = png_load(why, sizeof(why));
		if (!run->picture) {
			fprintf(stderr, "uffdwp: %s\n", why);
			return 1;
		}
	} else {
		run->picture = &picture_svg;
	}
	err = recording_open(run->options.file, &reader, why, sizeof(why));
	if (err) {
		fprintf(stderr, "uffdwp: cannot read %s: %s\n", run->options.file, why);
		if (err == -ENOENT)
			fprintf(stderr, "uffdwp: 'uffdwp record' makes such a file\n");
		return 1;
	}
	err = show(run, reader);
	recording_close(reader);
	return err;
}

int report_main(int argc, char **argv)
{
	struct report_run run = { 0 };
	char why[200];

	if (report_options_parse(argc, argv, &run.options, why, sizeof(why))) {
		fprintf(stderr, "uffdwp report: %s\n\n", why);
		report_usage(stderr);
		return 2;
	}
	if (run.options.help) {
		report_usage(stdout);
		return 0;
	}
	look_at_terminal(&run.text);
	return read_and_show(&run);
}
