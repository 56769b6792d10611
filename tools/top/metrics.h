/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_TOP_METRICS_H
#define TOOLS_TOP_METRICS_H

#include "prometheus.h"
#include "top/rows.h"

/**
 * metrics_update - write the metrics of a report
 * @file: where they are kept
 * @report: report, with all rows
 * @time: seconds since 1970
 *
 * Return: as prometheus_update(), or -ENOMEM.
 */
int metrics_update(struct prometheus_file *file, const struct top_report *report, double time);

#endif /* TOOLS_TOP_METRICS_H */
