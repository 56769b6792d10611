// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of the processes that are tracked, from its first look to the last.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "crowd/member.h"

/* Nothing of it is ours to track: it is somebody else's. */
static bool is_taken(const struct report *look)
{
	return look->processes && !look->process[0].sum.tracked && look->skipped_bytes[MAP_BUSY];
}

static struct watched *watched_of(const struct member *m)
{
	return family_first(&m->family);
}

int member_begin(struct member *m, const struct selection *what, struct report *look)
{
	int err, start_err;

	m->family.what = what;
	err = family_begin(&m->family, &m->target, &start_err);
	/* Before a look takes a part of it away from who follows it. */
	if (!err && watched_of(m)->busy)
		err = -EBUSY;
	if (!err)
		err = family_look(&m->family, look);
	if (!err && !watched_of(m)->tracker)
		err = -ESRCH;
	if (!err && is_taken(look))
		err = -EBUSY;
	if (!err)
		family_forget(&m->family);
	return err;
}

int member_look(struct member *m, struct report *report)
{
	/* What it does between this and the look is in the look: its events come first. */
	const bool had_ended = target_has_ended(&m->target);
	int err = family_look_too(&m->family, report);

	family_close_old(&m->family);
	/* Once: what it was short of may be there again. */
	if (!err) {
		err = m->err;
		m->err = 0;
	}
	return had_ended || (!err && !watched_of(m)->tracker) ? -ESRCH : err;
}

bool member_is_tracked(const struct member *m)
{
	return watched_of(m)->tracker;
}

uint64_t member_written_since(const struct member *m)
{
	return family_written_since(&m->family);
}

unsigned int member_memories(const struct member *m)
{
	return watched_of(m)->memories;
}

int member_event_fd(const struct member *m)
{
	const struct watched *p = watched_of(m);

	return p->tracker && p->events ? uffdwp_event_fd(p->tracker) : -1;
}

void member_take_events(struct member *m)
{
	int err = family_take_events(&m->family);

	if (err && err != -ESRCH)
		m->err = err;
	family_close_old(&m->family);
}

void member_free(struct member *m)
{
	family_end(&m->family);
	if (m->target.pidfd >= 0)
		close(m->target.pidfd);
	free(m);
}
