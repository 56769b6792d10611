/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WATCH_METRICS_H
#define TOOLS_WATCH_METRICS_H

#include "prometheus.h"
#include "report.h"
#include "written_set.h"

struct metrics_process;

/* What all reports have come to, for Prometheus: by processes, and by names of their mappings. */
struct watch_metrics {
	struct prometheus_file file;
	struct written_set set;
	struct metrics_process *process;	/* at most PROMETHEUS_PROCESSES_MAX */
	size_t n;
	size_t room;
	uint64_t written;	/* pages in all reports */
	uint64_t left_out;	/* processes of this report that there was no room for */
};

/**
 * watch_metrics_take - one more report
 * @m: metrics; without a path nothing happens
 * @report: report with its regions and all of its lines, not sorted yet
 * @time: seconds since 1970
 *
 * Return: 0; -ENOMEM; or as prometheus_update(), which has printed the error.
 */
int watch_metrics_take(struct watch_metrics *m, const struct report *report, double time);

/* Nothing is measured any more. */
void watch_metrics_end(struct watch_metrics *m);

#endif /* TOOLS_WATCH_METRICS_H */
