/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_GOODBYE_H
#define TOOLS_GOODBYE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "maps.h"

/* What all reports have come to, and what none of them could see. */
struct goodbye {
	pid_t pid;		/* that was asked for */
	bool ended;		/* it has */
	double seconds;		/* from the beginning to the last report; 0: there was none */
	uint64_t written;	/* pages in all reports */
	uint64_t after;		/* pages after the last one, in memory that was unmapped since */
	uint64_t skipped_maps[MAP_KINDS];	/* memory that was not tracked in the end */
	uint64_t skipped_bytes[MAP_KINDS];
	uint64_t not_followed;	/* processes */
	uint64_t reports_lost;	/* in which events were missing */
};

/*
 * For people. They are out when this returns: a command may be waited for, and a signal end us.
 *
 * Return: 0, or -EIO when they could not be written.
 */
int goodbye_print(FILE *to, const struct goodbye *goodbye);

#endif /* TOOLS_GOODBYE_H */
