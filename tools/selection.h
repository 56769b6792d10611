/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_SELECTION_H
#define TOOLS_SELECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Which processes, and which memory of them, a verb is about. */
struct selection {
	pid_t pid;		/* of an existing process, or 0 */
	char **command;		/* to start, or NULL */
	bool children;		/* ... and all that come from it */
	uint64_t start;		/* range; end 0: all */
	uint64_t end;
	const char *name;	/* pattern of fnmatch(3) for mappings, or NULL */
	bool whole_huge;	/* huge pages are written as a whole, and stay huge */
	bool quiet;		/* what becomes of a process is shown, not told */
};

#endif /* TOOLS_SELECTION_H */
