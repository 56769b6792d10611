// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heat map in a terminal: a line for each row, a character for each column.
 */
#include <inttypes.h>
#include <string.h>

#include "human.h"
#include "report/levels.h"
#include "report/text.h"
#include "report/words.h"

#define LABEL_WIDTH 24

static void print_cell(const struct text *t, const struct model *m, size_t row, size_t column,
		       size_t *level)
{
	const size_t wanted = level_of(model_share(m, row, column));

	if (t->colour && wanted != *level && (wanted || *level))
		fprintf(t->to, "\33[%sm", levels[wanted].terminal);
	*level = wanted;
	if (m->column[column].intervals <= 0)
		fputc('?', t->to);
	else if (t->utf8)
		fputs(levels[wanted].shade, t->to);
	else
		fputc(levels[wanted].ascii, t->to);
}

/* Its name, then its first address, then its size. */
static void label(const struct text *t, const struct segment *segment, size_t row, char *text,
		  size_t size)
{
	char words[WORDS] = "", amount[WORDS];

	words_pages((double)((segment->span.end - segment->span.start) / MODEL_PAGE), amount);
	if (row == segment->row)
		snprintf(words, sizeof(words), "%s", segment->span.name);
	else if (row == segment->row + 1)
		snprintf(words, sizeof(words), "  from %" PRIx64, segment->span.start);
	else if (row == segment->row + 2)
		snprintf(words, sizeof(words), "  %.20s", amount);
	human_tail(words, LABEL_WIDTH - 1, t->utf8, text, size);
}

static void print_row(const struct text *t, const struct model *m, const struct segment *segment,
		      size_t row)
{
	char text[4 * LABEL_WIDTH + 1];
	size_t column, level = 0;

	label(t, segment, row, text, sizeof(text));
	fprintf(t->to, "%s %s", text, t->utf8 ? "\u2502" : "|");
	for (column = 0; column < m->columns; column++)
		print_cell(t, m, row, column, &level);
	fprintf(t->to, "%s%s\n", t->colour && level ? "\33[m" : "", t->utf8 ? "\u2502" : "|");
}

static void clock_text(double seconds, double end, char text[WORDS])
{
	if (end < 120)
		words_clock(seconds, text);
	else
		words_tick(seconds, end, text);
}

/* Below the picture: where it begins, its middle, and its end. */
static void print_times(const struct text *t, const struct model *m)
{
	char begin[WORDS], middle[WORDS], end[WORDS];
	int gap;

	clock_text(m->begin, m->end, begin);
	clock_text((m->begin + m->end) / 2, m->end, middle);
	clock_text(m->end, m->end, end);
	gap = (int)m->columns - (int)(strlen(begin) + strlen(end));
	if (gap > (int)strlen(middle) + 8)
		fprintf(t->to, "%*s%s%*s%*s\n", LABEL_WIDTH + 1, "", begin,
			(gap + (int)strlen(middle)) / 2, middle,
			gap - (gap + (int)strlen(middle)) / 2 + (int)strlen(end), end);
	else
		fprintf(t->to, "%*s%s to %s\n", LABEL_WIDTH + 1, "", begin, end);
}

/* In UTF-8 two levels may have one shade, when there are no colours: the last of them is named. */
static void print_scale(const struct text *t, const struct model *m)
{
	size_t i;

	fprintf(t->to, "\npages written in an interval, on average over a cell, up to:\n");
	for (i = 1; i < LEVELS; i++) {
		if (t->utf8 && !t->colour && i + 1 < LEVELS &&
		    !strcmp(levels[i].shade, levels[i + 1].shade))
			continue;
		fputs("  ", t->to);
		if (t->colour)
			fprintf(t->to, "\33[%sm", levels[i].terminal);
		if (t->utf8)
			fputs(levels[i].shade, t->to);
		else
			fputc(levels[i].ascii, t->to);
		fprintf(t->to, "%s %s", t->colour ? "\33[m" : "", levels[i].text + strlen("to "));
	}
	if (m->end - m->begin - m->seconds > m->header->interval)
		fputs("  ? not recorded", t->to);
	fputs("\n", t->to);
}

static void print_heading(const struct text *t, const struct model *m, size_t i)
{
	const struct segment *s = &m->axis.segment[i];
	char text[WORDS];

	if (m->seen.processes + m->seen.other_processes < 2)
		return;
	if (i && s[-1].span.process == s->span.process)
		return;
	words_process(m, s->span.process, text);
	human_print(t->to, "%s\n", text);
}

void text_heatmap(const struct text *t, const struct model *m)
{
	size_t i, row;

	text_title(t, m);
	for (i = 0; i < m->axis.n; i++) {
		const struct segment *segment = &m->axis.segment[i];

		print_heading(t, m, i);
		for (row = segment->row; row < segment->row + segment->rows; row++)
			print_row(t, m, segment, row);
	}
	if (m->intervals)
		print_times(t, m);
	if (m->axis.rows)
		print_scale(t, m);
	else if (m->intervals)
		fputs("nothing was written\n", t->to);
	if (m->axis.left_out)
		fprintf(t->to, "%zu more range%s no row, with %" PRIu64 " page writes: -r may help\n",
			m->axis.left_out, m->axis.left_out == 1 ? " has" : "s have",
			m->axis.left_out_written);
	if (m->gone)
		fprintf(t->to, "%" PRIu64 " page writes more in memory that is not mapped any more\n",
			m->gone);
	text_notes(t, m);
}
