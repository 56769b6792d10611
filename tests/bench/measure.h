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
#include <stdatomic.h>
#include <sys/mman.h>
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

/* For qsort(), of uint64_t */
static inline int ascending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * What a thread does all the time while something holds mmap_lock: it comes back every now and
 * then, and needs the lock for writing. Notes the longest time that this took.
 */
static inline void wait_for_mmap(atomic_ulong *longest)
{
	const struct timespec pause = { .tv_nsec = 300000 };
	const uint64_t begin = now();
	uint64_t took;
	void *p;

	nanosleep(&pause, NULL);
	p = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(p, PAGE);
	took = now() - begin;
	if (took > *longest)
		*longest = took;
}

#endif /* MEASURE_H */
