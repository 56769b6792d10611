/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_ALIVE_H
#define TOOLS_REPORT_ALIVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A number for each process of a recording, in the order in which they appear. A process ID can be
 * that of another process after the first has ended. Reading the recording again gives the same
 * numbers.
 */
#define ALIVE_MOST 4096

struct alive {
	struct {
		pid_t pid;
		uint64_t id;
		uint64_t seen;
	} process[ALIVE_MOST];
	size_t n;
	uint64_t ids;		/* given by now; 0 is never given */
	uint64_t now;
};

/* The number of the process that has this ID now. */
uint64_t alive_id(struct alive *alive, pid_t pid);

/* It has ended. */
void alive_end(struct alive *alive, pid_t pid);

#endif /* TOOLS_REPORT_ALIVE_H */
