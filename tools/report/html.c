// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page: a heat map to look into, and everything else as text. Its style and its program are
 * page.css and page.js, which are in the command as they are. Names in it are hostile: in markup
 * they are escaped, the data is JSON without '<', and the program makes text of them only. The
 * policy forbids it to load anything.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/escape.h"
#include "report/html.h"
#include "report/json.h"
#include "report/text.h"
#include "report/words.h"

#define FILE_IN_COMMAND(name, file)					\
	extern const char name[], name##_end[];				\
	__asm__(".section .rodata\n"					\
		".global " #name ", " #name "_end\n"			\
		#name ": .incbin \"" file "\"\n"			\
		#name "_end:\n"						\
		".previous\n")

FILE_IN_COMMAND(html_page_css, "tools/report/page.css");
FILE_IN_COMMAND(html_page_js, "tools/report/page.js");

static void print_file(FILE *to, const char *text, const char *end)
{
	fwrite(text, 1, (size_t)(end - text), to);
}

static void print_head(FILE *to, const struct model *m)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>", to);
	escape_print(to, m->header->what);
	fputs(" - memory written</title>\n<style>\n", to);
	print_file(to, html_page_css, html_page_css_end);
	fputs("</style>\n</head>\n<body>\n<h1>Which memory was written when</h1>\n<p class=\"what\">",
	      to);
	escape_print(to, m->header->what);
	fputs("</p>\n", to);
}

static void print_note(FILE *to, const struct model *m)
{
	char note[WORDS];

	model_note(m, note, sizeof(note));
	if (!*note)
		return;
	fputs("<p class=\"note\">note: ", to);
	escape_print(to, note);
	fputs("</p>\n", to);
}

/* The same words as in a terminal. */
static int print_summary(FILE *to, const struct model *m)
{
	struct text text = { .width = 100, .utf8 = true };
	char *words = NULL;
	size_t size;

	text.to = open_memstream(&words, &size);
	if (!text.to)
		return -ENOMEM;
	text_summary(&text, m);
	if (fclose(text.to)) {
		free(words);
		return -ENOMEM;
	}
	fputs("<h2>Summary</h2>\n<pre>", to);
	escape_print(to, words);
	fputs("</pre>\n", to);
	free(words);
	return 0;
}

int html_print(FILE *to, const struct model *m)
{
	int err;

	print_head(to, m);
	print_note(to, m);
	fputs("<noscript><p class=\"note\">The pictures need JavaScript.</p></noscript>\n"
	      "<div id=\"bar\"><button id=\"reset\" type=\"button\">whole picture</button>\n"
	      "<span id=\"shown\"></span><span id=\"scale\"></span></div>\n"
	      "<p class=\"help\">Drag over the picture to look closer; the wheel does the same in time, with Shift in memory. Escape or a double click goes back.</p>\n"
	      "<canvas id=\"map\"></canvas>\n"
	      "<h2>Written set sizes</h2>\n"
	      "<p class=\"help\">Memory written in the last 1, 10 and 60 seconds.</p>\n"
	      "<canvas id=\"sets\"></canvas>\n<div id=\"tip\" hidden></div>\n", to);
	err = print_summary(to, m);
	if (err)
		return err;
	fputs("<h2>Mappings</h2>\n<table id=\"mappings\"></table>\n"
	      "<script type=\"application/json\" id=\"data\">", to);
	err = json_print_page(to, m);
	if (err)
		return err;
	fputs("</script>\n<script>\n", to);
	print_file(to, html_page_js, html_page_js_end);
	fputs("</script>\n</body>\n</html>\n", to);
	return 0;
}
