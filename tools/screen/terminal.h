/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_SCREEN_TERMINAL_H
#define TOOLS_SCREEN_TERMINAL_H

#include <stdbool.h>

#include "screen/text.h"

enum color_choice {
	COLOR_AUTO,		/* if the terminal has them, and NO_COLOR is not set */
	COLOR_ALWAYS,		/* if the terminal has them */
	COLOR_NEVER,
};

/* Keys that are no characters. */
enum terminal_key {
	KEY_NONE = -1,		/* no more for now */
	KEY_OTHER = 0x200000,	/* beyond all characters */
	KEY_ESCAPE,
	KEY_RETURN,
	KEY_ERASE,
	KEY_GO_UP,
	KEY_GO_DOWN,
	KEY_GO_LEFT,
	KEY_GO_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_GO_HOME,
	KEY_GO_END,
};

/* Can there be a full screen: is standard output a terminal that can do it, with keys? */
bool terminal_is_usable(void);

/**
 * terminal_begin - take the terminal
 * @choice: colours
 *
 * From here on SIGWINCH, SIGTSTP and SIGCONT are taken care of, and SIGQUIT is ignored.
 *
 * Return: a file that can be read when terminal_take() has something to do; or a negative errno,
 * and nothing has changed.
 */
int terminal_begin(enum color_choice choice);

/* Have terminal_begin()'s file readable also when this one is. */
int terminal_also_wait_for(int fd);

/**
 * terminal_take - do what the outside wants: another size, to stop, to go on
 * @changed: out: the screen is to be drawn anew
 *
 * Return: false when the terminal is gone.
 */
bool terminal_take(bool *changed);

/* The next key that was pressed: a character, or one of those above. */
int terminal_key(void);

void terminal_size(unsigned int *height, unsigned int *width);

/* Show a page. @cursor: column of the last line where the cursor is to be, or -1. */
void terminal_draw(const struct page *page, int cursor);

/* The terminal is what it was. May be called twice, or when there was no begin. */
void terminal_end(void);

#endif /* TOOLS_SCREEN_TERMINAL_H */
