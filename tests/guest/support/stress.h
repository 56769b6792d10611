/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STRESS_H
#define STRESS_H

#include <stdint.h>
#include <time.h>

/* How a test of random events is run. */
struct stress {
	uint64_t seed;		/* the same one gives the same events */
	uint64_t count;		/* of events, or of what the test counts, at most */
	time_t seconds;		/* of each test at most; 0: no matter how long it takes */
};

/*
 * Arguments [SEED [COUNT [SECONDS [TEST]]]] in place of what is in STRESS; without a seed it is
 * made of the time. Prints the seed, first of all.
 */
void stress_arguments(struct stress *stress, int argc, char **argv);

#endif /* STRESS_H */
