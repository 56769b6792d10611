// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures of values in lines of text: columns in eighths of a line.
 */
#include <stdio.h>

#include "screen/spark.h"

#define LEVELS 8

void spark_add(struct spark *spark, double value)
{
	spark->value[spark->at] = (float)value;
	spark->at = (spark->at + 1) % SPARK_VALUES;
	if (spark->n < SPARK_VALUES)
		spark->n++;
}

double spark_value(const struct spark *spark, unsigned int before)
{
	if (before >= spark->n)
		return 0;
	return spark->value[(spark->at + SPARK_VALUES - 1 - before) % SPARK_VALUES];
}

double spark_most(const struct spark *spark, unsigned int n)
{
	double most = 0;
	unsigned int i;

	for (i = 0; i < n && i < spark->n; i++)
		if (spark_value(spark, i) > most)
			most = spark_value(spark, i);
	return most;
}

/* Eighths of a line: 0 to @rows times eight. */
static unsigned int level_of(double share, unsigned int rows)
{
	unsigned int level;

	if (!(share > 0))
		return 0;
	if (share >= 1)
		return LEVELS * rows;
	level = (unsigned int)(share * LEVELS * rows + 0.5);
	return level ? level : 1;
}

/* U+2581 is an eighth of a block, each code point above it an eighth more. */
static size_t put_level(unsigned int level, bool utf8, char *text, size_t size)
{
	static const char ascii[LEVELS + 1] = { ' ', '.', ':', '-', '=', '+', '*', '%', '#' };

	if (utf8 && level)
		return snprintf(text, size, "\xe2\x96%c", 0x80 + level);
	return snprintf(text, size, "%c", ascii[level]);
}

void spark_line(const struct spark *spark, unsigned int width, unsigned int rows,
		unsigned int row, bool utf8, char *text, size_t size)
{
	const double most = spark_most(spark, width);
	const unsigned int below = LEVELS * (rows - 1 - row);
	unsigned int i, level;
	size_t at = 0;

	*text = 0;
	for (i = width; i && at + 4 <= size; i--) {
		level = most > 0 ? level_of(spark_value(spark, i - 1) / most, rows) : 0;
		level = level > below ? level - below : 0;
		at += put_level(level > LEVELS ? LEVELS : level, utf8, text + at, size - at);
	}
}

void spark_shares(const float *share, unsigned int n, bool utf8, char *text, size_t size)
{
	unsigned int i;
	size_t at = 0;

	*text = 0;
	for (i = 0; i < n && at + 4 <= size; i++)
		at += put_level(level_of(share[i], 1), utf8, text + at, size - at);
}
