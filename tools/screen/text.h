/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_SCREEN_TEXT_H
#define TOOLS_SCREEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* What is drawn, as text: a page of lines, each of pieces that have a style. */

#define TEXT_COLUMNS 400	/* of a line, at most: what a terminal has more stays empty */
#define TEXT_PIECES 32

enum style {
	STYLE_PLAIN,
	STYLE_DIM,		/* there, but not what to look at first */
	STYLE_BOLD,
	STYLE_HEAD,		/* the names of columns */
	STYLE_SORTED,		/* ... of the one that lines are sorted by */
	STYLE_BAR,
	STYLE_SELECTED,
	STYLE_ALERT,
	STYLES
};

struct text_piece {
	enum style style;
	size_t bytes;
};

struct text {
	char bytes[4 * TEXT_COLUMNS + 1];	/* ended by a zero byte */
	size_t at;
	unsigned int columns;			/* that are used */
	unsigned int width;			/* that there are */
	bool utf8;
	struct text_piece piece[TEXT_PIECES];
	size_t pieces;
};

struct page {
	struct text *line;
	unsigned int height;
	unsigned int width;
	bool utf8;
	unsigned int n;		/* lines that are used */
	struct text beyond;	/* for those that there is no room for */
};

/**
 * page_begin - an empty page
 * @page: page; all 0, or used before
 * @height: lines
 * @width: columns
 * @utf8: text may have other characters than those of ASCII
 *
 * Return: 0 or -ENOMEM.
 */
int page_begin(struct page *page, unsigned int height, unsigned int width, bool utf8);

/* The next line, empty. There always is one, even if it will not be seen. */
struct text *page_line(struct page *page);

/* Empty lines, until so many are left. */
void page_skip_to(struct page *page, unsigned int left);

void page_free(struct page *page);

/* One more piece of a line. What is too wide for it is cut off. */
__attribute__((format(printf, 3, 4)))
void text_add(struct text *text, enum style style, const char *format, ...);

/* A piece of exactly so many columns: to the left, or to the right. */
void text_left(struct text *text, enum style style, unsigned int width, const char *string);
void text_right(struct text *text, enum style style, unsigned int width, const char *string);

/* A name, of which the end matters more. */
void text_tail(struct text *text, enum style style, unsigned int width, const char *name);

/* Spaces up to a column. */
void text_skip_to(struct text *text, enum style style, unsigned int column);

#endif /* TOOLS_SCREEN_TEXT_H */
