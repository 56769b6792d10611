/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_SCREEN_SPARK_H
#define TOOLS_SCREEN_SPARK_H

#include <stdbool.h>
#include <stddef.h>

/* The last values of something, as many as a picture may show. All 0 is empty. */
#define SPARK_VALUES 128

struct spark {
	float value[SPARK_VALUES];
	unsigned int at;	/* where the next one goes */
	unsigned int n;
};

void spark_add(struct spark *spark, double value);

/* The value so many before the last; 0 where there is none. */
double spark_value(const struct spark *spark, unsigned int before);

/* The largest of the last @n. */
double spark_most(const struct spark *spark, unsigned int n);

/**
 * spark_line - a line of a picture of the last values, the newest to the right
 * @spark: values
 * @width: how many of them, at most SPARK_VALUES
 * @rows: lines of the picture
 * @row: which of them, 0 is the one at the top
 * @utf8: draw with block characters, otherwise with those of ASCII
 * @text: out: @width columns; where there are no values yet there are spaces
 * @size: of @text, 3 * @width + 1 is enough
 *
 * The largest value takes the whole height. Any above 0 shows something.
 */
void spark_line(const struct spark *spark, unsigned int width, unsigned int rows,
		unsigned int row, bool utf8, char *text, size_t size);

/* One column for each of so many shares, 0 to 1, as high as the share is. */
void spark_shares(const float *share, unsigned int n, bool utf8, char *text, size_t size);

#endif /* TOOLS_SCREEN_SPARK_H */
