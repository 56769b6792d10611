/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCHED_H
#define TOOLS_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "maps.h"
#include "report.h"
#include "selection.h"
#include "target.h"
#include "uffdwp.h"

/* One process that is watched: by one tracker, which is another one after execve(2). */
struct watched {
	const struct selection *what;
	struct target target;	/* without a pidfd, -1, if it was not asked for by itself */
	struct uffdwp *tracker;	/* NULL: it has ended, or cannot be watched any more */
	unsigned int memories;	/* that it has had: one more after each execve(2) */
	bool events;		/* the tracker tells what becomes of it */
	bool follows_exec;	/* ... and names another one for what it executes */
	bool sparse;		/* private memory of no file can be tracked, whatever its size */
	bool follows;		/* ... and is tracked from when it is mapped */
	bool fresh;		/* what it had before that was not armed yet */
	bool busy;		/* another tracker follows what it maps */
	bool counts;		/* what is there when it is armed first was written by it */
	bool forked;		/* ... or by who has forked it, which nobody can tell */
	struct maps maps;
	struct maps before;	/* those of the last report */
	int maps_err;		/* of reading @maps, which is not the library's to explain */
	uint64_t given_way;	/* pages, of this tracker, that were told of */
	/* For the next report: what events have told, its program, and how it has ended */
	struct report_process since;
};

/**
 * watched_open - begin to watch a process
 * @p: process, with its selection and its target; the rest is 0
 *
 * Return: 0, or a negative errno for uffdwp_explain(); then it has no tracker.
 */
int watched_open(struct watched *p);

/**
 * watched_adopt - the process has other memory than before
 * @p: process
 * @tracker: of that memory, handed out by an event
 */
void watched_adopt(struct watched *p, struct uffdwp *tracker);

/**
 * watched_reopen - the address space is gone: the process is ending, or has called execve(2)
 * @p: process, with a pidfd
 *
 * What its new memory has been through by now nobody knows: only for where no event names a
 * tracker.
 *
 * Return: 0 when the new memory is watched; -ESRCH when the process has ended; or as
 * watched_open().
 */
int watched_reopen(struct watched *p);

/* What it has done until now counts in no report. */
void watched_forget(struct watched *p);

/* Its program may have become another one. False: it has ended, and nobody knows any more. */
bool watched_read_name(struct watched *p);

/* Its program has become another one, which is watched. */
void watched_tell_exec(const struct watched *p);

/* Do not watch it any more. It goes on. */
void watched_close(struct watched *p);

void watched_free(struct watched *p);

/**
 * choose_maps - leave in the list of mappings what is to be looked at
 * @p: process
 * @report: told of what is left out
 *
 * And what no scan may go over: of what is very large, the report says that it is left out, and if
 * it has grown to that size it may have been tracked before. What cannot be written now may have
 * been written and protected since the last report.
 */
void choose_maps(struct watched *p, struct report *report);

/**
 * look - what was written since the last look? Arm it again
 * @p: process with a tracker
 * @report: lines are added
 * @process: its number in @report
 *
 * Return: 0; -ESRCH when its memory is gone, and the lines that there are hold; or another negative
 * errno.
 */
int look(struct watched *p, struct report *report, size_t process);

#endif /* TOOLS_WATCHED_H */
