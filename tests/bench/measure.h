/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Under icount one instruction is one nanosecond of the guest's clock, so times are instructions,
 * the same from boot to boot. Elsewhere they mean nothing.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE 4096ul
#define MIB (1ul << 20)
#define GIB (1ul << 30)

/* Ends the program: it cannot do what was to be measured, and errno says why. */
static inline void stop(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* Instructions, or nanoseconds */
static inline uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

#endif /* MEASURE_H */
