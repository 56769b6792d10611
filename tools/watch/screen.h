/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_SCREEN_H
#define TOOLS_WATCH_SCREEN_H

#include "screen/messages.h"
#include "screen/terminal.h"
#include "session.h"
#include "watch/live.h"

/* The live screen on a terminal. All 0: there is none. */
struct screen {
	struct live live;
	struct messages messages;
	struct page page;
	unsigned int told;	/* messages that were shown */
	bool active;
};

/**
 * screen_begin - take the terminal, from the beginning of a session on
 * @screen: screen
 * @s: session: it gets an input
 * @set: written set that its reports go into
 * @color: colours
 *
 * Return: 0 or a negative errno; then the terminal and standard error are as they were.
 */
int screen_begin(struct screen *screen, struct session *s, const struct written_set *set,
		 enum color_choice color);

/* The session has a report, or input: 0 or a negative errno. */
int screen_report(struct screen *screen, struct session *s);
int screen_input(struct screen *screen, struct session *s);

/* The terminal is what it was, and messages are printed. May be called twice. */
void screen_end(struct screen *screen);

#endif /* TOOLS_WATCH_SCREEN_H */
