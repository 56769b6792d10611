// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of a command line that mean a number, a time or a range.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"

#define PAGE 4096ull

int argument_wrong(char *why, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

bool argument_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *number >= min && *number <= max;
}

bool argument_seconds(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && !*end && isfinite(*number) && *number >= 0.001 && *number <= 86400;
}

static bool hexadecimal(const char *text, char **end, uint64_t *number)
{
	errno = 0;
	*number = strtoull(text, end, 16);
	return !errno && *end != text && *text != '-';
}

/* Pages are the smallest thing that is watched, so a range is widened to them. */
bool argument_range(const char *text, uint64_t *start, uint64_t *end)
{
	char *rest;

	if (!hexadecimal(text, &rest, start) || *rest != '-')
		return false;
	if (!hexadecimal(rest + 1, &rest, end) || *rest)
		return false;
	if (*end <= *start || *end > UINT64_MAX - PAGE)
		return false;
	*start &= ~(PAGE - 1);
	*end = (*end + PAGE - 1) & ~(PAGE - 1);
	return true;
}
