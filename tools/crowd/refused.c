// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that cannot be tracked, and why.
 */
#include <errno.h>
#include <stdlib.h>

#include "room.h"
#include "session.h"
#include "crowd/refused.h"

/* It may have got other rights, or lost its tracker: not worth more than a try now and then. */
#define AGAIN_SECONDS 10

struct refused {
	pid_t pid;
	enum refusal why;
	double again;		/* when to try again */
};

static const struct {
	const char *text, *key;
} refusals[REFUSALS] = {
	[REFUSED_BUSY] = { "of another tracker", "other_tracker" },
	[REFUSED_RIGHTS] = { "no permission", "no_permission" },
	[REFUSED_KERNEL] = { "of the kernel", "kernel" },
	[REFUSED_FILES] = { "no file descriptor left (ulimit -n)", "no_file_descriptor" },
	[REFUSED_OTHER] = { "failed", "failed" },
};

const char *refusal_text(enum refusal why)
{
	return refusals[why].text;
}

const char *refusal_key(enum refusal why)
{
	return refusals[why].key;
}

enum refusal refused_reason(int err)
{
	switch (err) {
	case -EBUSY:
		return REFUSED_BUSY;
	case -EPERM:
	case -EACCES:
		return REFUSED_RIGHTS;
	case -ENXIO:
		return REFUSED_KERNEL;
	case -EMFILE:
	case -ENFILE:
		return REFUSED_FILES;
	default:
		return REFUSED_OTHER;
	}
}

/* Where a process is, or would be. */
static size_t place_of(const struct refused_list *list, pid_t pid)
{
	size_t low = 0, high = list->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list->refused[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct refused *find(const struct refused_list *list, pid_t pid)
{
	const size_t at = place_of(list, pid);

	return at < list->n && list->refused[at].pid == pid ? &list->refused[at] : NULL;
}

int refused_add(struct refused_list *list, pid_t pid, enum refusal why)
{
	struct refused *more, *r = find(list, pid);
	const size_t at = place_of(list, pid);
	size_t i;

	if (!r) {
		more = with_room(list->refused, list->n, &list->room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		list->refused = more;
		for (i = list->n++; i > at; i--)
			more[i] = more[i - 1];
		r = &more[at];
	}
	*r = (struct refused){ .pid = pid, .why = why, .again = session_now() + AGAIN_SECONDS };
	return 0;
}

bool refused_has(const struct refused_list *list, pid_t pid)
{
	const struct refused *r = find(list, pid);

	return r && session_now() < r->again;
}

bool refused_knows(const struct refused_list *list, pid_t pid)
{
	return find(list, pid);
}

void refused_forget(struct refused_list *list, pid_t pid)
{
	struct refused *r = find(list, pid);

	if (!r)
		return;
	for (list->n--; r < list->refused + list->n; r++)
		*r = r[1];
}

void refused_keep(struct refused_list *list, const struct pid_list *wanted)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		if (pid_list_has(wanted, list->refused[i].pid))
			list->refused[n++] = list->refused[i];
	list->n = n;
}

void refused_count(const struct refused_list *list, uint64_t counts[REFUSALS])
{
	size_t i;

	for (i = 0; i < REFUSALS; i++)
		counts[i] = 0;
	for (i = 0; i < list->n; i++)
		if (list->refused[i].why != REFUSALS)
			counts[list->refused[i].why]++;
}

void refused_free(struct refused_list *list)
{
	free(list->refused);
	*list = (struct refused_list){ 0 };
}
