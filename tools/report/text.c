// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the texts for people have in common.
 */
#include <inttypes.h>

#include "human.h"
#include "report/text.h"
#include "report/words.h"

#define LABEL_WIDTH 24
#define MOST_ROWS 40

void text_title(const struct text *t, const struct model *m)
{
	char length[WORDS], date[WORDS];

	words_length(m->end - m->begin, length);
	words_date(m->header->began, date);
	human_print(t->to, "%s: %s, recorded %s\n\n", m->header->what, length, date);
}

void text_notes(const struct text *t, const struct model *m)
{
	char note[WORDS];

	model_note(m, note, sizeof(note));
	if (*note)
		fprintf(t->to, "note: %s\n", note);
	if (!m->intervals && m->in_file)
		fprintf(t->to, "note: no interval of this recording is in that time\n");
	else if (!m->in_file)
		fprintf(t->to, "note: nothing was recorded: there is no interval in the file\n");
}

void text_resolution(const struct text *t, size_t *columns, size_t *rows)
{
	const unsigned int beside = LABEL_WIDTH + 3;

	*columns = t->width > beside + 10 ? t->width - beside : 10;
	*rows = MOST_ROWS;
}
