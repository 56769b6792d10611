/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_HISTOGRAM_H
#define TOOLS_REPORT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * How often each value was seen, in memory that does not grow with the number of values. Those
 * below 2048 are told apart; of larger ones 11 binary digits are kept, which is 0.1 %.
 */
#define HISTOGRAM_DIGITS 11
#define HISTOGRAM_HALF (1u << (HISTOGRAM_DIGITS - 1))
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_DIGITS + 2) * HISTOGRAM_HALF)

struct histogram {
	uint64_t *count;	/* of HISTOGRAM_BUCKETS; NULL: nothing was added */
	uint64_t n;
	uint64_t max;
};

/* Return: 0 or -ENOMEM. */
int histogram_add(struct histogram *histogram, uint64_t value);

/* The least value that @part, 0 to 1, of all values do not exceed; 0 if there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, double part);

void histogram_free(struct histogram *histogram);

#endif /* TOOLS_REPORT_HISTOGRAM_H */
