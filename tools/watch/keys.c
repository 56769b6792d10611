// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys of the live screen, as in less(1) and htop(1), and the help that lists them.
 */
#include "screen/terminal.h"
#include "watch/keys.h"

static const struct {
	int key;
	enum action action;
} keys[] = {
	{ 'q', ACTION_QUIT },
	{ 'Q', ACTION_QUIT },
	{ 'h', ACTION_HELP },
	{ '?', ACTION_HELP },
	{ '/', ACTION_FILTER },
	{ '<', ACTION_SORT_LEFT },
	{ ',', ACTION_SORT_LEFT },
	{ KEY_GO_LEFT, ACTION_SORT_LEFT },
	{ '>', ACTION_SORT_RIGHT },
	{ '.', ACTION_SORT_RIGHT },
	{ KEY_GO_RIGHT, ACTION_SORT_RIGHT },
	{ 'r', ACTION_REVERSE },
	{ '+', ACTION_SLOWER },
	{ '=', ACTION_SLOWER },
	{ '-', ACTION_FASTER },
	{ ' ', ACTION_PAUSE },
	{ KEY_RETURN, ACTION_OPEN },
	{ KEY_ESCAPE, ACTION_BACK },
	{ KEY_ERASE, ACTION_BACK },
	{ 'k', ACTION_UP },
	{ KEY_GO_UP, ACTION_UP },
	{ 'j', ACTION_DOWN },
	{ KEY_GO_DOWN, ACTION_DOWN },
	{ KEY_PAGE_UP, ACTION_PAGE_UP },
	{ 2, ACTION_PAGE_UP },		/* Ctrl-B */
	{ KEY_PAGE_DOWN, ACTION_PAGE_DOWN },
	{ 6, ACTION_PAGE_DOWN },	/* Ctrl-F */
	{ KEY_GO_HOME, ACTION_FIRST },
	{ 'g', ACTION_FIRST },
	{ KEY_GO_END, ACTION_LAST },
	{ 'G', ACTION_LAST },
};

enum action keys_action(int key)
{
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].key == key)
			return keys[i].action;
	return ACTION_NONE;
}

static const struct {
	const char *keys;
	const char *what;
} help[] = {
	{ "q", "leave; watching ends, and nothing stays protected" },
	{ "Enter, Esc", "all about the chosen line; back" },
	{ "j k, arrows", "choose a line; also PgUp, PgDn, Home (g), End (G)" },
	{ "/", "only names with this in them, or of this pattern: heap, *lib*" },
	{ "< >", "sort by another column; r the other way round" },
	{ "+ -", "a longer or shorter interval" },
	{ "space", "let the screen stand still; watching goes on" },
	{ "h or ?", "this help" },
	{ "", "" },
	{ "PAGES", "of 4 KiB, of the mapping, that are tracked" },
	{ "WRITTEN", "how many of them were in the last interval; SHARE of them" },
	{ "RATE/s", "bytes in pages written, a second: K is 1024, M, G, T" },
	{ "1s 10s 60s", "written set: bytes in the pages written in this time," },
	{ "", "each page once, and no finer than the interval" },
	{ "LATELY", "the rate in the last intervals, the newest to the right" },
};

void keys_help(struct page *page)
{
	size_t i;

	text_add(page_line(page), STYLE_BOLD,
		 "uffdwp watch: which memory is written, and how fast");
	page_line(page);
	for (i = 0; i < sizeof(help) / sizeof(help[0]); i++) {
		struct text *line = page_line(page);

		text_add(line, STYLE_PLAIN, "  ");
		text_left(line, STYLE_BOLD, 13, help[i].keys);
		text_add(line, STYLE_PLAIN, "%s", help[i].what);
	}
	page_line(page);
	text_add(page_line(page), STYLE_DIM, "Any key goes back. Messages are printed in full in the end. man uffdwp-watch");
}
