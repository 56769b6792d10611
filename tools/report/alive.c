// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which process an ID stands for. An interval may have as many processes as the format allows, of
 * which none is known, so nothing here looks at all that are.
 */
#include <stdbool.h>
#include <string.h>

#include "report/alive.h"

/* ---- in the order of IDs */

/* Of the first that has this ID, or a higher one. */
static size_t place_of(const struct alive *alive, pid_t pid)
{
	size_t low = 0, high = alive->n;

	while (low < high) {
		const size_t half = low + (high - low) / 2;

		if (alive->process[alive->by_pid[half]].pid < pid)
			low = half + 1;
		else
			high = half;
	}
	return low;
}

static bool is_at(const struct alive *alive, size_t place, pid_t pid)
{
	return place < alive->n && alive->process[alive->by_pid[place]].pid == pid;
}

/* ---- in the order in which they were seen: a ring that begins and ends with number 0 */

static void unlink_process(struct alive *alive, uint16_t number)
{
	const struct alive_process *p = &alive->process[number];

	alive->process[p->older].newer = p->newer;
	alive->process[p->newer].older = p->older;
}

static void link_as_newest(struct alive *alive, uint16_t number)
{
	struct alive_process *p = &alive->process[number], *ring = &alive->process[0];

	p->newer = 0;
	p->older = ring->older;
	alive->process[p->older].newer = number;
	ring->older = number;
}

/* ---- both */

static void remove_at(struct alive *alive, size_t place)
{
	const uint16_t number = alive->by_pid[place];

	unlink_process(alive, number);
	alive->process[number].newer = alive->unused;
	alive->unused = number;
	alive->n--;
	memmove(&alive->by_pid[place], &alive->by_pid[place + 1],
		(alive->n - place) * sizeof(alive->by_pid[0]));
}

/* That was not seen for the longest time: its end may not have been told. */
static void remove_oldest(struct alive *alive)
{
	const uint16_t oldest = alive->process[0].newer;

	remove_at(alive, place_of(alive, alive->process[oldest].pid));
}

/* One that was used before, or the next that never was. */
static uint16_t take_number(struct alive *alive)
{
	const uint16_t number = alive->unused;

	if (!number)
		return ++alive->used;
	alive->unused = alive->process[number].newer;
	return number;
}

static uint16_t add_at(struct alive *alive, size_t place, pid_t pid)
{
	const uint16_t number = take_number(alive);

	memmove(&alive->by_pid[place + 1], &alive->by_pid[place],
		(alive->n - place) * sizeof(alive->by_pid[0]));
	alive->by_pid[place] = number;
	alive->n++;
	alive->process[number].pid = pid;
	alive->process[number].id = ++alive->ids;
	return number;
}

uint64_t alive_id(struct alive *alive, pid_t pid)
{
	size_t place = place_of(alive, pid);
	uint16_t number;

	if (is_at(alive, place, pid)) {
		number = alive->by_pid[place];
		unlink_process(alive, number);
	} else {
		if (alive->n == ALIVE_MOST) {
			remove_oldest(alive);
			place = place_of(alive, pid);
		}
		number = add_at(alive, place, pid);
	}
	link_as_newest(alive, number);
	return alive->process[number].id;
}

void alive_end(struct alive *alive, pid_t pid)
{
	const size_t place = place_of(alive, pid);

	if (is_at(alive, place, pid))
		remove_at(alive, place);
}
