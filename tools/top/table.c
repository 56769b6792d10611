// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report for people, as lines one below the other.
 */
#include <inttypes.h>

#include "human.h"
#include "top/rows.h"

#define PAGE 4096.0
#define USER_WIDTH 10
#define NAME_WIDTH 18
#define BAR_WIDTH 10

static size_t min(size_t one, size_t other)
{
	return one < other ? one : other;
}

void top_summary(const struct top_report *report, char *text, size_t size)
{
	char tracked[16], rate[16];
	const char *before = "; not tracked: ";
	size_t at;
	int why;

	human_bytes(report->total.tracked * PAGE, tracked, sizeof(tracked));
	human_bytes(top_rate(&report->total), rate, sizeof(rate));
	at = min(size, snprintf(text, size, "%zu process%s, %s tracked, %s/s written",
				report->processes, report->processes == 1 ? "" : "es", tracked,
				rate));
	for (why = 0; why < REFUSALS; why++) {
		if (!report->refused[why])
			continue;
		at = min(size, at + snprintf(text + at, size - at, "%s%" PRIu64 " %s", before,
					     report->refused[why], refusal_text(why)));
		before = ", ";
	}
}

/* @first: the number of a process, or what the sum is of */
static void print_row(FILE *to, const char *first, const struct top_row *row, bool utf8)
{
	char user[4 * USER_WIDTH + 1], name[4 * NAME_WIDTH + 1], bar[3 * BAR_WIDTH + 1];
	char tracked[16], rate[16], set[16];
	int i;

	human_tail(row->user, USER_WIDTH, utf8, user, sizeof(user));
	human_tail(row->name, NAME_WIDTH, utf8, name, sizeof(name));
	human_bar(top_share(row), BAR_WIDTH, utf8, bar, sizeof(bar));
	human_bytes(row->tracked * PAGE, tracked, sizeof(tracked));
	human_bytes(top_rate(row), rate, sizeof(rate));
	fprintf(to, "%9s %s %s %10s %9" PRIu64 " %11s/s  %5.1f %% %s", first, user, name, tracked,
		row->written, rate, 100 * top_share(row), bar);
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		human_bytes(row->set[i] * PAGE, set, sizeof(set));
		fprintf(to, " %10s", set);
	}
	fputs(row->ended ? "  ended\n" : "\n", to);
}

static void print_heading(FILE *to)
{
	char window[16];
	int i;

	fprintf(to, "%9s %-*s %-*s %10s %9s %13s  %7s %-*s", "pid", USER_WIDTH, "user", NAME_WIDTH,
		"name", "tracked", "written", "write rate", "share", BAR_WIDTH, "");
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		snprintf(window, sizeof(window), "in %u s", written_set_seconds[i]);
		fprintf(to, " %10s", window);
	}
	fputs("\n", to);
}

static void print_doubts(FILE *to, const struct top_report *report)
{
	if (report->lost)
		fputs("  events were lost: pages may be missing that were written in memory that was unmapped since\n",
		      to);
	if (report->set_incomplete)
		fputs("  too much was written to remember all of it: the last three columns are too low\n",
		      to);
}

void top_print_table(FILE *to, const struct top_report *report, bool utf8)
{
	char text[400], first[32];
	size_t i;

	top_summary(report, text, sizeof(text));
	fprintf(to, "%7.1f s  %s\n", report->elapsed, text);
	print_heading(to);
	for (i = 0; i < report->n; i++) {
		snprintf(first, sizeof(first), "%d", (int)report->row[i].pid);
		print_row(to, first, &report->row[i], utf8);
	}
	if (report->cut) {
		snprintf(first, sizeof(first), "%zu more", report->cut);
		print_row(to, first, &report->rest, utf8);
	}
	print_row(to, "total", &report->total, utf8);
	print_doubts(to, report);
	fflush(to);
}
