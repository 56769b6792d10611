// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a person sees of a recording that is made.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "human.h"
#include "record/progress.h"

#define PAGE 4096

void progress_text(const struct progress *p, char *text, size_t size)
{
	char rate[16], bytes[16], an_hour[16];

	human_bytes(p->length > 0 ? p->last * (double)PAGE / p->length : 0, rate, sizeof(rate));
	human_bytes(p->bytes, bytes, sizeof(bytes));
	human_bytes(p->seconds > 0 ? p->bytes / p->seconds * 3600 : 0, an_hour, sizeof(an_hour));
	snprintf(text, size, "%9.1f s  %" PRIu64 " page writes, now %s/s; file %s, %s/hour",
		 p->seconds, p->written, rate, bytes, an_hour);
}

static size_t columns(FILE *to)
{
	struct winsize size;

	return !ioctl(fileno(to), TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

/*
 * The cursor goes back to the first column, so that what else is said begins there. A line that
 * fills the last column would make the terminal begin another one.
 */
void progress_draw(FILE *to, const struct progress *p)
{
	char text[160];
	const size_t width = columns(to) - 1;

	progress_text(p, text, sizeof(text));
	if (strlen(text) > width)
		text[width] = 0;
	fprintf(to, "%s\033[K\r", text);
	fflush(to);
}

void progress_clear(FILE *to)
{
	fputs("\033[K", to);
	fflush(to);
}

void progress_finish(FILE *to, const struct progress *p, const char *path)
{
	char bytes[16];

	human_bytes(p->bytes, bytes, sizeof(bytes));
	fprintf(to, "uffdwp: recorded %" PRIu64 " page writes in %.1f s, %" PRIu64 " interval%s, %s in %s; see 'uffdwp report %s'\n",
		p->written, p->seconds, p->intervals, p->intervals == 1 ? "" : "s", bytes, path,
		path);
}
