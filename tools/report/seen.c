// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes and mappings of a recording, in bounded memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/half.h"
#include "report/seen.h"

/* ---- processes */

static size_t place_of(const struct seen *s, uint64_t id)
{
	size_t low = 0, high = s->processes;

	while (low < high) {
		const size_t half = low + (high - low) / 2;

		if (s->process[half].id < id)
			low = half + 1;
		else
			high = half;
	}
	return low;
}

const struct seen_process *seen_find(const struct seen *s, uint64_t id)
{
	const size_t at = place_of(s, id);

	return at < s->processes && s->process[at].id == id ? &s->process[at] : NULL;
}

static int drop_processes(struct seen *s)
{
	size_t i, kept = 0;
	struct half half;

	if (half_find(&half, &s->process->written, s->processes, sizeof(*s->process)))
		return -ENOMEM;
	for (i = 0; i < s->processes; i++)
		if (half_has(&half, s->process[i].written))
			s->process[kept++] = s->process[i];
	s->other_processes += s->processes - kept;
	s->processes = kept;
	return 0;
}

struct seen_process *seen_process(struct seen *s, uint64_t id,
				  const struct recording_process *process, double time)
{
	struct seen_process *p;
	size_t at;

	if (!s->process)
		s->process = calloc(SEEN_PROCESSES, sizeof(*s->process));
	if (!s->process)
		return NULL;
	at = place_of(s, id);
	if (at == s->processes || s->process[at].id != id) {
		if (s->processes == SEEN_PROCESSES && drop_processes(s))
			return NULL;
		at = place_of(s, id);
		memmove(&s->process[at + 1], &s->process[at],
			(s->processes - at) * sizeof(*s->process));
		s->processes++;
		s->process[at] = (struct seen_process){
			.id = id, .pid = process->pid, .first = time,
		};
		snprintf(s->process[at].first_name, sizeof(p->first_name), "%s", process->name);
	}
	p = &s->process[at];
	snprintf(p->name, sizeof(p->name), "%s", process->name);
	p->last = time;
	p->presumed += process->presumed;
	p->ended = process->ended;
	p->status = process->status;
	return p;
}

/* ---- mappings */

static size_t behind(const struct seen *s, uint64_t id, uint64_t end)
{
	size_t low = 0, high = s->mappings;

	while (low < high) {
		const size_t half = low + (high - low) / 2;
		const struct seen_mapping *m = &s->mapping[half];

		if (m->process < id || (m->process == id && m->start < end))
			low = half + 1;
		else
			high = half;
	}
	return low;
}

/* One of that name that has had a part of it. Those that overlap are few: names of one place. */
static struct seen_mapping *overlapping(const struct seen *s, uint64_t id,
					const struct recording_line *line, size_t at)
{
	unsigned int steps;

	for (steps = 0; at-- > 0 && steps < 64; steps++) {
		struct seen_mapping *m = &s->mapping[at];

		if (m->process != id)
			break;
		if (m->end > line->start && !strncmp(m->name, line->name, sizeof(m->name) - 1))
			return m;
	}
	return NULL;
}

static int drop_mappings(struct seen *s)
{
	size_t i, kept = 0;
	struct half half;

	if (half_find(&half, &s->mapping->written, s->mappings, sizeof(*s->mapping)))
		return -ENOMEM;
	for (i = 0; i < s->mappings; i++) {
		if (half_has(&half, s->mapping[i].written)) {
			s->mapping[kept++] = s->mapping[i];
			continue;
		}
		s->other_mappings++;
		s->other_written += s->mapping[i].written;
	}
	s->mappings = kept;
	return 0;
}

/* Lines are as many as there are mappings, in each interval, so this is where time goes. */
static struct seen_mapping *mapping_of(struct seen *s, uint64_t id,
				       const struct recording_line *line)
{
	size_t at = behind(s, id, line->end);
	struct seen_mapping *m = overlapping(s, id, line, at);

	if (m)
		return m;
	if (s->mappings == SEEN_MAPPINGS && drop_mappings(s))
		return NULL;
	at = behind(s, id, line->start);
	memmove(&s->mapping[at + 1], &s->mapping[at], (s->mappings - at) * sizeof(*m));
	s->mappings++;
	m = &s->mapping[at];
	*m = (struct seen_mapping){ .process = id, .start = line->start, .end = line->end };
	snprintf(m->name, sizeof(m->name), "%s", line->name);
	return m;
}

int seen_line(struct seen *s, uint64_t id, const struct recording_line *line, uint64_t written,
	      double time)
{
	struct seen_mapping *m;

	if (!s->mapping)
		s->mapping = calloc(SEEN_MAPPINGS, sizeof(*s->mapping));
	if (!s->mapping)
		return -ENOMEM;
	m = mapping_of(s, id, line);
	if (!m)
		return -ENOMEM;
	if (line->end > m->end)
		m->end = line->end;
	/* It stays in its place: what is below it and grows up to it has another name. */
	if (line->start < m->start && (m == s->mapping || m[-1].process != id ||
				       m[-1].start <= line->start))
		m->start = line->start;
	m->tracked = line->tracked;
	if (!written)
		return 0;
	if (!m->intervals)
		m->first = time;
	m->last = time;
	m->intervals++;
	m->written += written;
	if (written > m->most)
		m->most = written;
	return 0;
}

void seen_free(struct seen *s)
{
	free(s->process);
	free(s->mapping);
	*s = (struct seen){ 0 };
}
