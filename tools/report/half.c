// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is let go when a table is full: the lesser half of it, so that it is not full again at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/half.h"

static int descending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

int half_find(struct half *half, const uint64_t *first, size_t n, size_t step)
{
	uint64_t *all = calloc(n ? n : 1, sizeof(*all));
	size_t i;

	if (!all)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		all[i] = *(const uint64_t *)((const char *)first + i * step);
	qsort(all, n, sizeof(*all), descending);
	half->middle = all[n / 2];
	half->equal = 0;
	for (i = n / 2; i > 0 && all[i - 1] == half->middle; i--)
		half->equal++;
	free(all);
	return 0;
}

bool half_has(struct half *half, uint64_t number)
{
	if (number != half->middle)
		return number > half->middle;
	if (!half->equal)
		return false;
	half->equal--;
	return true;
}
