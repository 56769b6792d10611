/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_SCREEN_MESSAGES_H
#define TOOLS_SCREEN_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What is printed on standard error while a screen is shown: caught, so that it does not run over
 * the screen, shown there, and printed when the screen is gone.
 */
struct messages {
	int saved;		/* standard error as it was; -1: nothing is caught */
	int pipe;		/* what is printed comes out of it */
	bool forward;		/* standard error is no terminal: print at once */
	char *text;		/* whole lines, for later */
	size_t len;
	size_t dropped;		/* bytes that there was no room for */
	char last[512];		/* the last line, by human_clean() */
	size_t last_len;	/* of a line that is not whole yet */
	char partial[512];
	unsigned int n;		/* lines until now */
};

/**
 * messages_catch - catch standard error from now on
 * @m: messages
 *
 * Return: 0 or a negative errno; then nothing has changed.
 */
int messages_catch(struct messages *m);

/* Take what was printed by now. */
void messages_take(struct messages *m);

/* Standard error is what it was, and gets what was caught. */
void messages_release(struct messages *m);

#endif /* TOOLS_SCREEN_MESSAGES_H */
