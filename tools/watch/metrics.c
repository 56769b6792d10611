// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports as metrics for Prometheus: counters that go on from report to report, and what the last
 * one has brought.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "room.h"
#include "watch/metrics.h"

#define OTHER "other"
#define GONE "no longer mapped"

/* Of all mappings of a name, or of a process: what the last report says, but for @written. */
struct counts {
	uint64_t written;	/* pages in all reports */
	uint64_t now;		/* pages in the last one */
	uint64_t tracked;
	uint64_t set[WRITTEN_SET_WINDOWS];
};

struct metrics_name {
	char name[64];
	struct counts counts;
};

struct metrics_process {
	pid_t pid;
	char name[64];
	struct counts counts;
	struct metrics_name *mapping;
	size_t n;
	size_t room;
	bool seen;		/* in the last report, and has not ended */
};

/* ---- finding */

static struct metrics_process *find_process(struct watch_metrics *m, pid_t pid)
{
	struct metrics_process *more;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->process[i].pid == pid)
			return &m->process[i];
	if (m->n == PROMETHEUS_PROCESSES_MAX)
		return NULL;
	more = with_room(m->process, m->n, &m->room, sizeof(*more));
	if (!more)
		return NULL;
	m->process = more;
	more += m->n++;
	*more = (struct metrics_process){ .pid = pid };
	return more;
}

/* The last one is for all names that there was no room for. */
static struct metrics_name *find_name(struct metrics_process *p, const char *name)
{
	struct metrics_name *more;
	size_t i;

	if (p->n == PROMETHEUS_NAMES_MAX)
		name = OTHER;
	for (i = 0; i < p->n; i++)
		if (!strcmp(p->mapping[i].name, name))
			return &p->mapping[i];
	if (p->n > PROMETHEUS_NAMES_MAX)
		return &p->mapping[PROMETHEUS_NAMES_MAX];
	more = with_room(p->mapping, p->n, &p->room, sizeof(*more));
	if (!more)
		return NULL;
	p->mapping = more;
	more += p->n++;
	*more = (struct metrics_name){ 0 };
	snprintf(more->name, sizeof(more->name), "%s", name);
	return more;
}

/* ---- a report */

static void begin_counts(struct counts *c)
{
	*c = (struct counts){ .written = c->written };
}

static void begin(struct watch_metrics *m)
{
	size_t i, k;

	m->left_out = 0;
	for (i = 0; i < m->n; i++) {
		m->process[i].seen = false;
		begin_counts(&m->process[i].counts);
		for (k = 0; k < m->process[i].n; k++)
			begin_counts(&m->process[i].mapping[k].counts);
	}
}

static void add_counts(struct counts *to, const struct report_line *line,
		       const uint64_t set[WRITTEN_SET_WINDOWS])
{
	int i;

	to->written += line->written;
	to->now += line->written;
	to->tracked += line->tracked;
	for (i = 0; i < WRITTEN_SET_WINDOWS; i++)
		to->set[i] += set[i];
}

static int add_line(struct metrics_process *p, const char *name, const struct report_line *line,
		    const uint64_t set[WRITTEN_SET_WINDOWS])
{
	struct metrics_name *mapping = find_name(p, name);

	if (!mapping)
		return -ENOMEM;
	add_counts(&mapping->counts, line, set);
	add_counts(&p->counts, line, set);
	return 0;
}

/* Its lines, from @line on: all of a process are together. */
static int add_lines(struct watch_metrics *m, struct metrics_process *p,
		     const struct report *report, size_t line, size_t number)
{
	uint64_t set[WRITTEN_SET_WINDOWS];
	int err = 0;

	for (; line < report->n && !err && report->line[line].process == number; line++) {
		const struct report_line *l = &report->line[line];

		written_set_count(&m->set, p->pid, l->start, l->end, report->elapsed, set);
		err = add_line(p, l->name, l, set);
	}
	return err;
}

static int add_process(struct watch_metrics *m, const struct report *report, size_t line,
		       size_t number)
{
	const struct report_process *process = &report->process[number];
	struct metrics_process *p = find_process(m, process->pid);
	const uint64_t no_set[WRITTEN_SET_WINDOWS] = { 0 };
	int err;

	m->written += process->sum.written;
	if (!p) {
		m->left_out++;
		return 0;
	}
	p->seen = !process->ended;
	memcpy(p->name, process->name, sizeof(p->name));
	err = add_lines(m, p, report, line, number);
	/* Its pages are tracked no more. */
	if (!err && process->gone.written)
		err = add_line(p, GONE, &(struct report_line){ .written = process->gone.written },
			       no_set);
	return err;
}

/* The number of one that has ended may be another's in the next report. */
static void forget_ended(struct watch_metrics *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n; i++) {
		if (m->process[i].seen) {
			m->process[n++] = m->process[i];
			continue;
		}
		written_set_remove(&m->set, m->process[i].pid, 0, UINT64_MAX);
		free(m->process[i].mapping);
	}
	m->n = n;
}

static void remember(struct watch_metrics *m, const struct report *report)
{
	size_t i;

	/* What there is no memory for is missing in the sets, and nowhere else. */
	for (i = 0; i < report->regions; i++)
		written_set_add(&m->set, report->process[report->region[i].process].pid,
				report->region[i].start, report->region[i].end, report->elapsed);
	written_set_age(&m->set, report->elapsed);
}

/* ---- writing */

static struct prometheus_sample sample_of(const struct metrics_process *p, const char *name,
					  const struct counts *counts, double interval)
{
	const struct report_line line = { .written = counts->now };
	struct prometheus_sample sample = {
		.pid = p->pid, .process = p->name, .name = name, .written = counts->written,
		.rate = report_rate(&line, interval), .tracked = counts->tracked,
	};

	memcpy(sample.set, counts->set, sizeof(sample.set));
	return sample;
}

static int write_file(struct watch_metrics *m, double interval, double time)
{
	const struct prometheus_state state = { "tracked", m->n + m->left_out };
	struct prometheus_sample *processes, *names;
	struct prometheus_metrics metrics = {
		.time = time, .written = m->written, .states = &state, .n_states = 1,
		.n_processes = m->n, .left_out = m->left_out,
	};
	size_t i, k, all = 0;
	int err = -ENOMEM;

	for (i = 0; i < m->n; i++)
		all += m->process[i].n;
	processes = calloc(m->n + 1, sizeof(*processes));
	names = calloc(all + 1, sizeof(*names));
	for (i = 0; processes && names && i < m->n; i++) {
		const struct metrics_process *p = &m->process[i];

		processes[i] = sample_of(p, NULL, &p->counts, interval);
		for (k = 0; k < p->n; k++)
			names[metrics.n_names++] = sample_of(p, p->mapping[k].name,
							     &p->mapping[k].counts, interval);
	}
	metrics.processes = processes;
	metrics.names = names;
	if (processes && names)
		err = prometheus_update(&m->file, &metrics);
	free(processes);
	free(names);
	return err;
}

int watch_metrics_take(struct watch_metrics *m, const struct report *report, double time)
{
	size_t i, line = 0;
	int err = 0;

	if (!m->file.path)
		return 0;
	begin(m);
	remember(m, report);
	for (i = 0; i < report->processes && !err; i++) {
		err = add_process(m, report, line, i);
		while (line < report->n && report->line[line].process == i)
			line++;
	}
	forget_ended(m);
	return err ? err : write_file(m, report->interval, time);
}

void watch_metrics_end(struct watch_metrics *m)
{
	size_t i;

	prometheus_end(&m->file);
	for (i = 0; i < m->n; i++)
		free(m->process[i].mapping);
	free(m->process);
	written_set_free(&m->set);
}
