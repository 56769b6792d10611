// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines that are as wide as they say they are, whatever characters are in them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "screen/text.h"

static void begin_text(struct text *text, unsigned int width, bool utf8)
{
	*text->bytes = 0;
	text->at = 0;
	text->columns = 0;
	text->width = width;
	text->utf8 = utf8;
	text->pieces = 0;
}

int page_begin(struct page *page, unsigned int height, unsigned int width, bool utf8)
{
	struct text *lines;
	unsigned int i;

	if (width > TEXT_COLUMNS)
		width = TEXT_COLUMNS;
	lines = reallocarray(page->line, height ? height : 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	page->line = lines;
	page->height = height;
	page->width = width;
	page->utf8 = utf8;
	page->n = 0;
	for (i = 0; i < height; i++)
		begin_text(&lines[i], width, utf8);
	return 0;
}

struct text *page_line(struct page *page)
{
	if (page->n < page->height)
		return &page->line[page->n++];
	begin_text(&page->beyond, page->width, page->utf8);
	return &page->beyond;
}

void page_skip_to(struct page *page, unsigned int left)
{
	while (page->n + left < page->height)
		page_line(page);
}

void page_free(struct page *page)
{
	free(page->line);
	page->line = NULL;
}

/* Bytes of one style, which are so many columns. */
static void append(struct text *text, enum style style, const char *bytes, size_t n,
		   unsigned int columns)
{
	struct text_piece *last = text->pieces ? &text->piece[text->pieces - 1] : NULL;

	memcpy(text->bytes + text->at, bytes, n);
	text->at += n;
	text->bytes[text->at] = 0;
	text->columns += columns;
	if (last && (last->style == style || text->pieces == TEXT_PIECES))
		last->bytes += n;
	else
		text->piece[text->pieces++] = (struct text_piece){ .style = style, .bytes = n };
}

static bool has_bytes(const struct text *text, size_t n)
{
	return text->at + n < sizeof(text->bytes);
}

static unsigned int left_of(const struct text *text)
{
	return text->width - text->columns;
}

/* As many characters as fit into @width columns. Return: columns that they take. */
static unsigned int append_cut(struct text *text, enum style style, const char *string,
			       unsigned int width)
{
	unsigned int used = 0, columns;
	size_t n;

	if (width > left_of(text))
		width = left_of(text);
	while (*string) {
		n = human_character(string, &columns);
		if (used + columns > width || !has_bytes(text, n))
			break;
		if (text->utf8 || (unsigned char)*string < 0x80)
			append(text, style, string, n, columns);
		else
			append(text, style, "?", 1, columns = 1);
		used += columns;
		string += n;
	}
	return used;
}

static void append_spaces(struct text *text, enum style style, unsigned int n)
{
	if (n > left_of(text))
		n = left_of(text);
	for (; n && has_bytes(text, 1); n--)
		append(text, style, " ", 1, 1);
}

void text_add(struct text *text, enum style style, const char *format, ...)
{
	char string[4 * TEXT_COLUMNS];
	va_list args;

	va_start(args, format);
	vsnprintf(string, sizeof(string), format, args);
	va_end(args);
	append_cut(text, style, string, text->width);
}

void text_left(struct text *text, enum style style, unsigned int width, const char *string)
{
	append_spaces(text, style, width - append_cut(text, style, string, width));
}

void text_right(struct text *text, enum style style, unsigned int width, const char *string)
{
	const unsigned int columns = human_columns(string, text->utf8);

	if (columns < width)
		append_spaces(text, style, width - columns);
	append_cut(text, style, string, width);
}

void text_tail(struct text *text, enum style style, unsigned int width, const char *name)
{
	char tail[4 * TEXT_COLUMNS + 1];

	if (width > TEXT_COLUMNS)
		width = TEXT_COLUMNS;
	human_tail(name, width, text->utf8, tail, sizeof(tail));
	text_left(text, style, width, tail);
}

void text_skip_to(struct text *text, enum style style, unsigned int column)
{
	if (column > text->columns)
		append_spaces(text, style, column - text->columns);
}
