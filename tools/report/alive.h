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

struct alive_process {
	uint64_t id;
	pid_t pid;
	uint16_t newer;		/* who was seen after it, or the next that is unused */
	uint16_t older;
};

/* All 0 is empty. */
struct alive {
	struct alive_process process[ALIVE_MOST + 1];	/* number 0 is nobody's */
	uint16_t by_pid[ALIVE_MOST];	/* numbers, in ascending order of process IDs */
	size_t n;
	uint16_t used;		/* the highest number that was used by now */
	uint16_t unused;	/* one that is not used any more, or 0 */
	uint64_t ids;		/* given by now; 0 is never given */
};

/* The number of the process that has this ID now. */
uint64_t alive_id(struct alive *alive, pid_t pid);

/* It has ended. */
void alive_end(struct alive *alive, pid_t pid);

#endif /* TOOLS_REPORT_ALIVE_H */
