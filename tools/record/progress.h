/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORD_PROGRESS_H
#define TOOLS_RECORD_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

/* How far a recording is. */
struct progress {
	double seconds;		/* since it began */
	double length;		/* of the last interval */
	uint64_t last;		/* pages written in it */
	uint64_t written;	/* pages in all */
	uint64_t intervals;
	uint64_t bytes;		/* of the file */
};

/* One line of text, without a newline. */
void progress_text(const struct progress *progress, char *text, size_t size);

/* In place of the line before, on a terminal, as far as it is wide enough. */
void progress_draw(FILE *to, const struct progress *progress);

/* The terminal is as it was. */
void progress_clear(FILE *to);

/* The last line: what there is, and what to do with it. */
void progress_finish(FILE *to, const struct progress *progress, const char *path);

#endif /* TOOLS_RECORD_PROGRESS_H */
