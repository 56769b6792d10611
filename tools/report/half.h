/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_HALF_H
#define TOOLS_REPORT_HALF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which elements of an array are in the greater half of it: exactly half of them. */
struct half {
	uint64_t middle;
	size_t equal;	/* so many more that are like the middle one */
};

/**
 * half_find - tell the greater half from the others
 * @half: out
 * @first: the number of the first element that counts
 * @n: elements
 * @step: size of an element
 *
 * Return: 0 or -ENOMEM.
 */
int half_find(struct half *half, const uint64_t *first, size_t n, size_t step);

/* To be asked once for each element, in any order. */
bool half_has(struct half *half, uint64_t number);

#endif /* TOOLS_REPORT_HALF_H */
