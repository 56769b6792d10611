/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORD_GROUP_H
#define TOOLS_RECORD_GROUP_H

#include <stdint.h>

#include "crowd/crowd.h"
#include "record/options.h"
#include "report.h"

/* The processes of a cgroup, which are looked at together at every interval. */
struct group {
	const struct record_options *options;
	/* A report is new. Return: 0, or an error, which was printed. */
	int (*take)(void *arg, const struct report *report, double now);
	/* The same of what there is in the end, when that may be nothing. */
	int (*take_last)(void *arg, const struct report *report, double now);
	void *arg;
	/* From here on it is the group's: */
	struct crowd crowd;
	struct report report;
	struct pid_list list;
	int folder;		/* of the cgroup */
	double began;
	double looked;		/* when the last report was made */
	bool over;		/* the cgroup is gone */
};

/**
 * group_run - look at the processes of a cgroup until that is to end
 * @g: group, with what is the verb's; the rest is 0
 *
 * Signals that end a program end it in good order.
 *
 * Return: 0, or 1 after an error, which was printed. Nothing of any process is protected then.
 */
int group_run(struct group *g);

#endif /* TOOLS_RECORD_GROUP_H */
