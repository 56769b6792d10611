// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quantiles of any number of values in bounded memory.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "report/histogram.h"

static size_t bucket_of(uint64_t value)
{
	unsigned int shift = 0;

	while (value >> shift >= 2 * HISTOGRAM_HALF)
		shift++;
	return shift * HISTOGRAM_HALF + (value >> shift);
}

static uint64_t least_of(size_t bucket)
{
	unsigned int shift;

	if (bucket < 2 * HISTOGRAM_HALF)
		return bucket;
	shift = bucket / HISTOGRAM_HALF - 1;
	return (uint64_t)(bucket - shift * HISTOGRAM_HALF) << shift;
}

int histogram_add(struct histogram *h, uint64_t value)
{
	if (!h->count)
		h->count = calloc(HISTOGRAM_BUCKETS, sizeof(*h->count));
	if (!h->count)
		return -ENOMEM;
	h->count[bucket_of(value)]++;
	h->n++;
	if (value > h->max)
		h->max = value;
	return 0;
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
	const uint64_t wanted = (uint64_t)ceil(part * h->n);
	uint64_t sum = 0;
	size_t i;

	if (!h->n)
		return 0;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum += h->count[i];
		if (sum && sum >= wanted)
			return least_of(i);
	}
	return h->max;
}

void histogram_free(struct histogram *h)
{
	free(h->count);
	*h = (struct histogram){ 0 };
}
