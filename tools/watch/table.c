// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report for people.
 */
#include <inttypes.h>
#include <sys/wait.h>

#include "human.h"
#include "report.h"

#define NAME_WIDTH 18
#define BAR_WIDTH 10

struct table {
	FILE *to;
	const struct report *report;
	bool utf8;
};

/* @fate: what else there is to say, or "" */
static void print_line(const struct table *t, const char *place, const char *full_name,
		       const struct report_line *line, const char *fate)
{
	char bar[3 * BAR_WIDTH + 1], rate[16], added[48] = "", name[4 * NAME_WIDTH + 1];
	const double interval = t->report->interval;
	const bool utf8 = t->utf8;
	FILE *to = t->to;

	human_tail(full_name, NAME_WIDTH, utf8, name, sizeof(name));
	human_bar(report_share(line), BAR_WIDTH, utf8, bar, sizeof(bar));
	human_bytes(report_rate(line, interval), rate, sizeof(rate));
	if (line->added)
		snprintf(added, sizeof(added), "  +%" PRIu64 " new", line->added);
	fprintf(to, "  %-25s  %s %9" PRIu64 " %9" PRIu64 "  %5.1f %% %s %11s/s%s%s\n", place,
		name, line->tracked, line->written, 100 * report_share(line), bar, rate, added,
		fate);
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

static void print_mapping(const struct table *t, const struct report_line *line)
{
	char place[40];

	if (!line->written && !line->added)
		return;
	if (line->ranges > 1)
		snprintf(place, sizeof(place), "%" PRIu64 " ranges", line->ranges);
	else
		snprintf(place, sizeof(place), "%" PRIx64 "-%" PRIx64, line->start, line->end);
	print_line(t, place, line->name, line, "");
}

static void print_gone(const struct table *t, const struct report_line *gone)
{
	if (gone->written)
		print_line(t, "no longer mapped", "", gone, "");
}

static void say_fate(const struct report_process *process, char *fate, size_t size)
{
	int at = 0;

	*fate = 0;
	if (process->ended && WIFSIGNALED(process->status))
		at = snprintf(fate, size, "  ended, signal %d", WTERMSIG(process->status));
	else if (process->ended)
		at = snprintf(fate, size, "  ended, status %d", WEXITSTATUS(process->status));
	if (process->presumed)
		snprintf(fate + at, size - at, "%s%" PRIu64 " presumed", at ? ", " : "  ",
			 process->presumed);
}

/* Over the lines of a process, what they come to. */
static void print_heading(const struct table *t, const struct report_process *process)
{
	char place[40], fate[80];

	snprintf(place, sizeof(place), "process %d", (int)process->pid);
	say_fate(process, fate, sizeof(fate));
	print_line(t, place, process->name, &process->sum, fate);
}

static bool is_quiet(const struct report_process *process)
{
	return !process->ended && !process->sum.written && !process->sum.added;
}

/* The lines are in the order of the processes. Of one that has ended, as a rule, all is gone. */
static void print_processes(const struct table *t)
{
	const struct report *report = t->report;
	size_t i, line = 0;

	for (i = 0; i < report->processes; i++) {
		const struct report_process *process = &report->process[i];

		if (!is_quiet(process))
			print_heading(t, process);
		for (; line < report->n && report->line[line].process == i; line++)
			print_mapping(t, &report->line[line]);
		if (!process->ended || process->gone.written != process->sum.written)
			print_gone(t, &process->gone);
	}
}

static void print_one_process(const struct table *t)
{
	size_t i;

	for (i = 0; i < t->report->n; i++)
		print_mapping(t, &t->report->line[i]);
	for (i = 0; i < t->report->processes; i++)
		print_gone(t, &t->report->process[i].gone);
}

static void print_amount(const struct table *t, const char *what, uint64_t bytes, uint64_t n)
{
	char text[16];

	human_bytes(bytes, text, sizeof(text));
	fprintf(t->to, "%s %s in %" PRIu64 " mapping%s", what, text, n, n == 1 ? "" : "s");
}

static void print_changes(const struct table *t)
{
	const struct report_process sum = report_changes(t->report);

	if (sum.mapped)
		print_amount(t, "  mapped since:", sum.mapped_bytes, sum.mapped);
	if (sum.unmapped)
		print_amount(t, sum.mapped ? ", unmapped:" : "  unmapped since:",
			     sum.unmapped_bytes, sum.unmapped);
	if (sum.mapped || sum.unmapped)
		fputs("\n", t->to);
	if (sum.presumed)
		fprintf(t->to, "  presumed: %" PRIu64 " of these pages, which children may have as they were forked\n",
			sum.presumed);
}

void report_print_table(FILE *to, const struct report *report, bool utf8)
{
	const struct table t = { .to = to, .report = report, .utf8 = utf8 };
	const struct report_line total = report_total(report);
	char place[40];

	fprintf(to, "%7.1f s %-19s %-*s %9s %9s  %7s %-*s %13s\n", report->elapsed,
		" address range", NAME_WIDTH, "name", "pages", "written", "share", BAR_WIDTH, "", "write rate");
	if (report->by_process)
		print_processes(&t);
	else
		print_one_process(&t);
	if (report->rest.written || report->rest.added) {
		snprintf(place, sizeof(place), "%" PRIu64 " more", report->cut);
		print_line(&t, place, "", &report->rest, "");
	}
	print_line(&t, "total", "", &total, "");
	print_changes(&t);
	if (report->skipped_news)
		print_skipped(to, report);
	fflush(to);
}
