/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_REPORT_SETS_H
#define TOOLS_REPORT_SETS_H

#include <stdbool.h>

#include "recording/recording.h"

/*
 * The written sets of all mappings at one time. A mapping that is not in an interval keeps what was
 * said of it last, until that is older than the window: it was not written since.
 */
#define SETS_MOST 16384

struct kept_set {
	uint64_t process;	/* its number (alive.h) */
	uint64_t start;
	uint64_t end;
	double time;
	uint64_t pages[WRITTEN_SET_WINDOWS];
};

struct sets {
	struct kept_set *set;	/* in ascending order of process and address; of SETS_MOST */
	size_t n;
	bool incomplete;	/* there were too many, once */
};

/* What a line of an interval says. Return: 0 or -ENOMEM. */
int sets_put(struct sets *sets, uint64_t process, const struct recording_line *line, double time);

/* The memory of a process is gone. */
void sets_end(struct sets *sets, uint64_t process);

/* The sums at @time; what is too old is let go. */
void sets_sum(struct sets *sets, double time, uint64_t pages[WRITTEN_SET_WINDOWS]);

void sets_free(struct sets *sets);

#endif /* TOOLS_REPORT_SETS_H */
