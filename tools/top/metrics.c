// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report as metrics for Prometheus.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "top/metrics.h"

static void fill_states(const struct top_report *report, struct prometheus_state *states)
{
	int why;

	states[0] = (struct prometheus_state){ "tracked", report->processes };
	for (why = 0; why < REFUSALS; why++)
		states[1 + why] = (struct prometheus_state){
			refusal_key(why), report->refused[why],
		};
}

static void fill(const struct top_row *row, struct prometheus_sample *sample)
{
	*sample = (struct prometheus_sample){
		.pid = row->pid,
		.process = row->name,
		.written = row->all_written,
		.rate = top_rate(row),
		.tracked = row->tracked,
	};
	memcpy(sample->set, row->set, sizeof(sample->set));
}

/* If there are too many, those that have written most: that order does not change often. */
static int compare(const void *a, const void *b)
{
	const struct prometheus_sample *one = a, *other = b;

	if (one->written != other->written)
		return one->written < other->written ? 1 : -1;
	return (one->pid > other->pid) - (one->pid < other->pid);
}

/* One that has ended would be followed by another of its number. */
static size_t fill_all(const struct top_report *report, struct prometheus_sample *samples)
{
	size_t i, n = 0;

	for (i = 0; i < report->n; i++)
		if (!report->row[i].ended)
			fill(&report->row[i], &samples[n++]);
	if (n > PROMETHEUS_PROCESSES_MAX)
		qsort(samples, n, sizeof(*samples), compare);
	return n;
}

int metrics_update(struct prometheus_file *file, const struct top_report *report, double time)
{
	struct prometheus_state states[1 + REFUSALS];
	struct prometheus_sample *samples;
	struct prometheus_metrics metrics = {
		.time = time,
		.written = report->all_written,
		.states = states,
		.n_states = 1 + REFUSALS,
	};
	int err;

	if (!file->path)
		return 0;
	samples = calloc(report->n + 1, sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	fill_states(report, states);
	metrics.processes = samples;
	metrics.n_processes = fill_all(report, samples);
	err = prometheus_update(file, &metrics);
	free(samples);
	return err;
}
