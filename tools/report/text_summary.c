// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first look at a recording.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "human.h"
#include "report/busiest.h"
#include "report/hot.h"
#include "report/text.h"
#include "report/words.h"

#define NAME_WIDTH 24
#define MOST_LINES 8

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_head(FILE *to, const struct model *m)
{
	const struct recording_header *h = m->header;
	char text[WORDS];

	human_print(to, "what      %s%s\n", h->what, h->children ? ", with its children" : "");
	words_date(h->began, text);
	fprintf(to, "when      %s", text);
	words_length(m->end - m->begin, text);
	fprintf(to, ", for %s: %" PRIu64 " interval%s of %g s\n", text, m->intervals,
		plural(m->intervals), h->interval);
	human_print(to, "where     %s, Linux %s, by %s\n", h->host, h->kernel, h->tool);
	if (m->query.from || m->query.to) {
		words_clock(m->begin, text);
		fprintf(to, "only      from %s", text);
		words_clock(m->end, text);
		fprintf(to, " to %s\n", text);
	}
	if (m->query.end)
		fprintf(to, "only      addresses %" PRIx64 "-%" PRIx64 "\n", m->query.start,
			m->query.end);
	if (m->query.pid)
		fprintf(to, "only      process %d\n", (int)m->query.pid);
}

static void print_written(FILE *to, const struct model *m)
{
	char all[WORDS], rate[WORDS], most[WORDS], when[WORDS], gone[WORDS];

	words_pages(m->written, all);
	words_pages(m->written / m->seconds, rate);
	words_pages(m->busiest.written / m->busiest.length, most);
	words_clock(m->busiest.time, when);
	fprintf(to, "written   %s in %" PRIu64 " page write%s: %s/s, at most %s/s (at %s)\n", all,
		m->written, plural(m->written), rate, most, when);
	if (m->gone) {
		words_pages(m->gone, gone);
		fprintf(to, "          %s of it in memory that is not mapped any more\n", gone);
	}
}

static void print_hot_memory(FILE *to, const struct model *m, const struct hot *hot)
{
	const struct segment *segment = axis_segment(&m->axis, hot->row);
	char size[WORDS], name[WORDS];
	uint64_t start, end;

	axis_row(segment, hot->row, &start, &end);
	words_pages((double)((end - start) / MODEL_PAGE), size);
	human_print(to, "          most in %s at %" PRIx64 "-%" PRIx64 " (%s), %.1f %% of all\n",
		    segment->span.name, start, end, size, 100 * hot->row_written / m->written);
	if (m->seen.processes < 2)
		return;
	words_process(m, segment->span.process, name);
	human_print(to, "          of %s\n", name);
}

/* Nothing about memory, if much of it has no row. */
static void print_hot(FILE *to, const struct model *m)
{
	const bool has_rows = m->axis.rows && m->axis.left_out_written * 10 <= m->written;
	char half[WORDS], all[WORDS], time[WORDS], whole[WORDS];
	struct hot hot;

	if (hot_find(m, &hot))
		return;
	words_length(hot.half_seconds, time);
	words_length(m->seconds, whole);
	fprintf(to, "hot       half of the writes in %s of %s", time, whole);
	words_clock(model_time(m, hot.column), time);
	words_clock(model_time(m, hot.column + 1), whole);
	fprintf(to, "; most from %s to %s, %.1f %% of all\n", time, whole,
		100 * m->column[hot.column].written / m->written);
	if (!has_rows)
		return;
	words_pages(hot.half_pages, half);
	words_pages(hot.all_pages, all);
	fprintf(to, "          half of them in %s of %s that were written\n", half, all);
	if (hot.row_written >= m->written / 100.0)
		print_hot_memory(to, m, &hot);
}

static void print_sets(FILE *to, const struct model *m)
{
	static const double part[] = { 0.5, 0.9, 0.99, 1 };
	char text[WORDS];
	size_t window, i;

	fprintf(to, "\nwritten set       50 %%        90 %%        99 %%     largest\n");
	for (window = 0; window < WRITTEN_SET_WINDOWS; window++) {
		fprintf(to, "  in %3u s  ", written_set_seconds[window]);
		for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
			words_pages(part[i] < 1 ? histogram_quantile(&m->set[window], part[i]) :
				    m->set[window].max, text);
			fprintf(to, "%s%10s", i ? "  " : "", text);
		}
		fputs("\n", to);
	}
}

static void print_busiest(const struct text *t, const struct model *m)
{
	const struct seen_mapping **mapping;
	char name[4 * NAME_WIDTH + 1], text[WORDS];
	size_t n, i;

	mapping = busiest_mappings(&m->seen, &n);
	if (!mapping)
		return;
	fprintf(t->to, "\n%-*s  %-30s %9s %12s %7s\n", NAME_WIDTH, "busiest mappings",
		"address range", "size", "page writes", "of all");
	for (i = 0; i < n && i < MOST_LINES; i++) {
		char range[40];

		human_tail(mapping[i]->name, NAME_WIDTH - 2, t->utf8, name, sizeof(name));
		snprintf(range, sizeof(range), "%" PRIx64 "-%" PRIx64, mapping[i]->start,
			 mapping[i]->end);
		words_pages((mapping[i]->end - mapping[i]->start) / MODEL_PAGE, text);
		fprintf(t->to, "  %s  %-29s %10s %12" PRIu64 " %5.1f %%\n", name, range, text,
			mapping[i]->written, 100.0 * mapping[i]->written / m->written);
	}
	if (n > MOST_LINES || m->seen.other_mappings)
		fprintf(t->to, "  and %" PRIu64 " more: uffdwp report FILE mappings\n",
			n - (n > MOST_LINES ? MOST_LINES : n) + m->seen.other_mappings);
	free(mapping);
}

static void say_end(FILE *to, const struct seen_process *process)
{
	if (process->ended && WIFSIGNALED(process->status))
		fprintf(to, "  ended, signal %d", WTERMSIG(process->status));
	else if (process->ended)
		fprintf(to, "  ended, status %d", WEXITSTATUS(process->status));
}

static void print_processes(FILE *to, const struct model *m)
{
	const struct seen *seen = &m->seen;
	size_t i;

	if (seen->processes + seen->other_processes < 2)
		return;
	fprintf(to, "\nprocesses  %-24s %12s\n", "name", "page writes");
	for (i = 0; i < seen->processes && i < 2 * MOST_LINES; i++) {
		human_print(to, "  %7d  %-24s %12" PRIu64, (int)seen->process[i].pid,
			    seen->process[i].name, seen->process[i].written);
		say_end(to, &seen->process[i]);
		fputs("\n", to);
	}
	if (seen->processes > i || seen->other_processes)
		fprintf(to, "  and %" PRIu64 " more\n",
			(uint64_t)(seen->processes - i) + seen->other_processes);
}

static void print_unseen(FILE *to, const struct model *m)
{
	const char *before = "\nnot seen  ";
	char text[WORDS];

	if (m->skipped_bytes) {
		human_bytes(m->skipped_bytes, text, sizeof(text));
		fprintf(to, "%s%s of writable memory that is not tracked\n", before, text);
		before = "          ";
	}
	if (m->not_followed) {
		fprintf(to, "%s%" PRIu64 " process%s that could not be followed\n", before,
			m->not_followed, m->not_followed == 1 ? "" : "es");
		before = "          ";
	}
	if (m->lost) {
		fprintf(to, "%sevents of %" PRIu64 " interval%s, which were lost\n", before,
			m->lost, plural(m->lost));
		before = "          ";
	}
	if (m->end - m->begin - m->seconds > m->header->interval) {
		words_length(m->end - m->begin - m->seconds, text);
		fprintf(to, "%s%s, in which nothing was recorded\n", before, text);
	}
	if (m->presumed)
		fprintf(to, "\npresumed  %" PRIu64 " of the page writes, which children may have as they were forked\n",
			m->presumed);
}

void text_summary(const struct text *t, const struct model *m)
{
	print_head(t->to, m);
	if (m->intervals)
		print_written(t->to, m);
	if (m->query.pid && m->intervals && !m->seen.processes)
		fprintf(t->to, "          process %d is not in this recording, or not in that time\n",
			(int)m->query.pid);
	if (m->written) {
		print_hot(t->to, m);
		print_sets(t->to, m);
		if (m->query.end)
			fputs("  (these are of all addresses)\n", t->to);
		print_busiest(t, m);
	}
	print_processes(t->to, m);
	print_unseen(t->to, m);
	text_notes(t, m);
}
