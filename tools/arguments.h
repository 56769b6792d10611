/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_ARGUMENTS_H
#define TOOLS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Words of a command line. False: the word is none of that kind, and the value is not to be used.
 */

/* A decimal number from @min to @max. */
bool argument_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* Seconds, from a millisecond to a day. */
bool argument_seconds(const char *text, double *number);

/* 7f0000000000-7f0000200000, as in /proc/PID/maps, widened to pages. */
bool argument_range(const char *text, uint64_t *start, uint64_t *end);

/* Put into @why what is wrong. Return: -EINVAL. */
__attribute__((format(printf, 3, 4)))
int argument_wrong(char *why, size_t size, const char *format, ...);

#endif /* TOOLS_ARGUMENTS_H */
