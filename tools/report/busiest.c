// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings in another order than that of addresses.
 */
#include <stdlib.h>

#include "report/busiest.h"

static int most_first(const void *a, const void *b)
{
	const struct seen_mapping *const *x = a, *const *y = b;

	if ((*x)->written != (*y)->written)
		return (*x)->written < (*y)->written ? 1 : -1;
	return *x < *y ? -1 : *x > *y;
}

const struct seen_mapping **busiest_mappings(const struct seen *seen, size_t *n)
{
	const struct seen_mapping **all = calloc(seen->mappings + 1, sizeof(*all));
	size_t i;

	*n = 0;
	if (!all)
		return NULL;
	for (i = 0; i < seen->mappings; i++)
		if (seen->mapping[i].written)
			all[(*n)++] = &seen->mapping[i];
	qsort(all, *n, sizeof(*all), most_first);
	return all;
}
