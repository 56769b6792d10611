// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "stress.h"
#include "support.h"

void stress_arguments(struct stress *stress, int argc, char **argv)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	stress->seed = argc > 1 ? strtoull(argv[1], NULL, 10) :
				  (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec;
	if (argc > 2)
		stress->count = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		stress->seconds = strtol(argv[3], NULL, 10);
	if (argc > 4)
		cmocka_set_test_filter(argv[4]);
	printf("[   INFO   ] seed %" PRIu64 "\n", stress->seed);
	fflush(stdout);
}
