// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report for people.
 */
#include <inttypes.h>

#include "human.h"
#include "report.h"

#define NAME_WIDTH 18
#define BAR_WIDTH 10

static void print_line(FILE *to, const char *place, const char *name,
		       const struct report_line *line, double interval, bool utf8)
{
	char bar[3 * BAR_WIDTH + 1], rate[16], added[48] = "";

	human_bar(report_share(line), BAR_WIDTH, utf8, bar, sizeof(bar));
	human_bytes(report_rate(line, interval), rate, sizeof(rate));
	if (line->added)
		snprintf(added, sizeof(added), "  +%" PRIu64 " new", line->added);
	fprintf(to, "  %-25s  %s %9" PRIu64 " %9" PRIu64 "  %5.1f %% %s %11s/s%s\n", place,
		name, line->tracked, line->written, 100 * report_share(line), bar, rate,
		added);
}

static void print_skipped(FILE *to, const struct report *report)
{
	const char *before = "  not tracked:";
	char bytes[16];
	int kind;

	for (kind = 0; kind < MAP_KINDS; kind++) {
		if (!report->skipped_maps[kind])
			continue;
		human_bytes(report->skipped_bytes[kind], bytes, sizeof(bytes));
		fprintf(to, "%s %s in %" PRIu64 " %s mapping%s", before, bytes,
			report->skipped_maps[kind], map_kind_name(kind),
			report->skipped_maps[kind] == 1 ? "" : "s");
		before = ",";
	}
	if (*before == ',')
		fputs("\n", to);
}

void report_print_table(FILE *to, const struct report *report, bool utf8)
{
	struct report_line total = report_total(report);
	char place[40], name[4 * NAME_WIDTH + 1], none[NAME_WIDTH + 1];
	size_t i;

	fprintf(to, "%7.1f s %-19s %-*s %9s %9s  %7s %-*s %13s\n", report->elapsed,
		" address range", NAME_WIDTH, "name", "pages", "written", "share", BAR_WIDTH, "", "write rate");
	for (i = 0; i < report->n; i++) {
		const struct report_line *line = &report->line[i];

		if (!line->written && !line->added)
			continue;
		if (line->ranges > 1)
			snprintf(place, sizeof(place), "%" PRIu64 " ranges", line->ranges);
		else
			snprintf(place, sizeof(place), "%" PRIx64 "-%" PRIx64, line->start,
				 line->end);
		human_tail(line->name, NAME_WIDTH, utf8, name, sizeof(name));
		print_line(to, place, name, line, report->interval, utf8);
	}
	human_tail("", NAME_WIDTH, utf8, none, sizeof(none));
	if (report->rest.written || report->rest.added) {
		snprintf(place, sizeof(place), "%" PRIu64 " more", report->cut);
		print_line(to, place, none, &report->rest, report->interval, utf8);
	}
	print_line(to, "total", none, &total, report->interval, utf8);
	if (report->skipped_news)
		print_skipped(to, report);
	fflush(to);
}
