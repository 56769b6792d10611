// SPDX-License-Identifier: GPL-2.0-only
/*
 * The views as CSV.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/busiest.h"
#include "report/csv.h"

/*
 * In quotes, which are doubled within. What a spreadsheet would take for a formula has an
 * apostrophe before it: others have chosen the text.
 */
static void print_text(FILE *to, const char *text)
{
	fputc('"', to);
	if (*text && strchr("=+-@", *text))
		fputc('\'', to);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void print_owner(FILE *to, const struct model *m, uint64_t id)
{
	const struct seen_process *process = seen_find(&m->seen, id);

	if (process)
		fprintf(to, "%d,", (int)process->pid);
	else
		fputc(',', to);
	print_text(to, process ? process->name : "");
	fputc(',', to);
}

static void print_pair_text(FILE *to, const char *key, const char *text)
{
	fprintf(to, "%s,", key);
	print_text(to, text);
	fputc('\n', to);
}

static void print_sets(FILE *to, const struct model *m)
{
	size_t window;

	for (window = 0; window < WRITTEN_SET_WINDOWS; window++) {
		const struct histogram *set = &m->set[window];
		const unsigned int seconds = written_set_seconds[window];

		fprintf(to, "written_set_%u_p50,%" PRIu64 "\n", seconds,
			histogram_quantile(set, 0.5));
		fprintf(to, "written_set_%u_p90,%" PRIu64 "\n", seconds,
			histogram_quantile(set, 0.9));
		fprintf(to, "written_set_%u_p99,%" PRIu64 "\n", seconds,
			histogram_quantile(set, 0.99));
		fprintf(to, "written_set_%u_max,%" PRIu64 "\n", seconds, set->max);
	}
}

static void print_summary(FILE *to, const struct model *m)
{
	const struct recording_header *h = m->header;

	fputs("key,value\n", to);
	print_pair_text(to, "what", h->what);
	fprintf(to, "began_ns,%" PRId64 "\n", h->began);
	fprintf(to, "interval,%.3f\n", h->interval);
	print_pair_text(to, "host", h->host);
	print_pair_text(to, "kernel", h->kernel);
	print_pair_text(to, "tool", h->tool);
	fprintf(to, "whole,%d\n", m->ends == MODEL_WHOLE);
	fprintf(to, "from,%.3f\nto,%.3f\nseconds,%.3f\n", m->begin, m->end, m->seconds);
	fprintf(to, "intervals,%" PRIu64 "\n", m->intervals);
	fprintf(to, "pages_written,%" PRIu64 "\n", m->written);
	fprintf(to, "pages_written_unmapped,%" PRIu64 "\n", m->gone);
	fprintf(to, "pages_presumed,%" PRIu64 "\n", m->presumed);
	fprintf(to, "bytes_not_tracked,%" PRIu64 "\n", m->skipped_bytes);
	fprintf(to, "processes_not_followed,%" PRIu64 "\n", m->not_followed);
	fprintf(to, "intervals_events_lost,%" PRIu64 "\n", m->lost);
	print_sets(to, m);
}

static void print_row(FILE *to, const struct model *m, const struct segment *s, size_t row)
{
	uint64_t start, end;
	size_t column;

	axis_row(s, row, &start, &end);
	for (column = 0; column < m->columns; column++) {
		const double written = m->cell[row * m->columns + column];

		if (written <= 0)
			continue;
		fprintf(to, "%.3f,%.3f,", model_time(m, column), model_time(m, column + 1));
		print_owner(to, m, s->span.process);
		print_text(to, s->span.name);
		fprintf(to, ",0x%" PRIx64 ",0x%" PRIx64 ",%.3f,%.3f,%.5f\n", start, end,
			m->column[column].intervals, written, model_share(m, row, column));
	}
}

static void print_heatmap(FILE *to, const struct model *m)
{
	size_t i, row;

	fputs("from,to,pid,process,mapping,start,end,intervals,pages_written,share\n", to);
	for (i = 0; i < m->axis.n; i++)
		for (row = 0; row < m->axis.segment[i].rows; row++)
			print_row(to, m, &m->axis.segment[i], m->axis.segment[i].row + row);
}

static void print_wss(FILE *to, const struct model *m)
{
	size_t i;

	fputs("from,to,intervals,pages_written,", to);
	fprintf(to, "written_set_%u,written_set_%u,written_set_%u\n",
		written_set_seconds[0], written_set_seconds[1], written_set_seconds[2]);
	for (i = 0; i < m->columns; i++) {
		const struct column *c = &m->column[i];

		fprintf(to, "%.3f,%.3f,%.3f,%.3f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
			model_time(m, i), model_time(m, i + 1), c->intervals, c->written,
			c->set[0], c->set[1], c->set[2]);
	}
}

static void print_mappings(FILE *to, const struct model *m)
{
	const struct seen_mapping **all;
	size_t i, n;

	fputs("pid,process,start,end,mapping,pages_tracked,pages_written,most_in_an_interval,intervals,first,last\n",
	      to);
	all = busiest_mappings(&m->seen, &n);
	for (i = 0; all && i < n; i++) {
		print_owner(to, m, all[i]->process);
		fprintf(to, "0x%" PRIx64 ",0x%" PRIx64 ",", all[i]->start, all[i]->end);
		print_text(to, all[i]->name);
		fprintf(to, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.3f,%.3f\n",
			all[i]->tracked, all[i]->written, all[i]->most, all[i]->intervals,
			all[i]->first, all[i]->last);
	}
	free(all);
}

void csv_print(FILE *to, const struct model *m, enum view view)
{
	switch (view) {
	case VIEW_SUMMARY:
		print_summary(to, m);
		break;
	case VIEW_HEATMAP:
		print_heatmap(to, m);
		break;
	case VIEW_WSS:
		print_wss(to, m);
		break;
	case VIEW_MAPPINGS:
		print_mappings(to, m);
		break;
	default:
		break;
	}
}

void csv_times_begin(FILE *to)
{
	fprintf(to, "interval,time,seconds,pages_written,pages_written_unmapped,pages_added,mappings,processes,written_set_%u,written_set_%u,written_set_%u,events_lost\n",
		written_set_seconds[0], written_set_seconds[1], written_set_seconds[2]);
}

void csv_moment(FILE *to, const struct moment *moment)
{
	fprintf(to, "%" PRIu64 ",%.3f,%.3f,%" PRIu64 ",%" PRIu64, moment->number, moment->time,
		moment->length, moment->written, moment->gone);
	fprintf(to, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, moment->added, moment->mappings,
		moment->processes);
	fprintf(to, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d\n", moment->set[0], moment->set[1],
		moment->set[2], moment->lost);
}
