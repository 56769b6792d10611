// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text that others have chosen, within markup. It is UTF-8 without control characters already
 * (human_clean()), except for the two code points that XML does not allow.
 */
#include <string.h>

#include "report/escape.h"

void escape_print(FILE *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '&':
			fputs("&amp;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		case '\'':
			fputs("&#39;", to);
			break;
		default:
			/* U+FFFE and U+FFFF */
			if (!strncmp(text, "\xef\xbf\xbe", 3) || !strncmp(text, "\xef\xbf\xbf", 3)) {
				fputc('?', to);
				text += 2;
			} else {
				fputc(*text, to);
			}
		}
	}
}
