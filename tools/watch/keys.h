/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_KEYS_H
#define TOOLS_WATCH_KEYS_H

#include "screen/text.h"

/* What a key asks for. */
enum action {
	ACTION_NONE,
	ACTION_QUIT,
	ACTION_HELP,
	ACTION_FILTER,
	ACTION_SORT_LEFT,
	ACTION_SORT_RIGHT,
	ACTION_REVERSE,
	ACTION_SLOWER,
	ACTION_FASTER,
	ACTION_PAUSE,
	ACTION_OPEN,
	ACTION_BACK,
	ACTION_UP,
	ACTION_DOWN,
	ACTION_PAGE_UP,
	ACTION_PAGE_DOWN,
	ACTION_FIRST,
	ACTION_LAST,
};

/* @key: as terminal_key() has it. */
enum action keys_action(int key);

/* Explain all keys, and what there is to see. */
void keys_help(struct page *page);

#endif /* TOOLS_WATCH_KEYS_H */
