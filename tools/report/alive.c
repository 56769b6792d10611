// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which process an ID stands for.
 */
#include "report/alive.h"

static size_t find(const struct alive *alive, pid_t pid)
{
	size_t i;

	for (i = 0; i < alive->n && alive->process[i].pid != pid; i++)
		;
	return i;
}

/* That was not seen for the longest time: its end may not have been told. */
static size_t oldest(const struct alive *alive)
{
	size_t i, old = 0;

	for (i = 1; i < alive->n; i++)
		if (alive->process[i].seen < alive->process[old].seen)
			old = i;
	return old;
}

uint64_t alive_id(struct alive *alive, pid_t pid)
{
	size_t i = find(alive, pid);

	if (i == alive->n) {
		if (alive->n < ALIVE_MOST)
			alive->n++;
		else
			i = oldest(alive);
		alive->process[i].pid = pid;
		alive->process[i].id = ++alive->ids;
	}
	alive->process[i].seen = ++alive->now;
	return alive->process[i].id;
}

void alive_end(struct alive *alive, pid_t pid)
{
	const size_t i = find(alive, pid);

	if (i < alive->n)
		alive->process[i] = alive->process[--alive->n];
}
