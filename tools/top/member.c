// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of the processes that are tracked, from its first look to the last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"
#include "top/member.h"

/* Nothing of it is ours to track: it is somebody else's. */
static bool is_taken(const struct report *look)
{
	return look->processes && !look->process[0].sum.tracked && look->skipped_bytes[MAP_BUSY];
}

static struct watched *watched_of(const struct member *m)
{
	return family_first(&m->family);
}

int top_member_begin(struct member *m, const struct selection *what, struct report *look)
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
	if (err)
		return err;
	family_forget(&m->family);
	m->memories = watched_of(m)->memories;
	m->looked = session_now();
	return 0;
}

/*
 * The pages of memory that was replaced by execve(2) are no pages of this process any more.
 * @room: blocks. One region may take more, which is bounded by what a set may take.
 */
static void remember(struct member *m, const struct report *look, double time, size_t room)
{
	size_t i, before;

	if (m->memories != watched_of(m)->memories)
		written_set_free(&m->set);
	m->memories = watched_of(m)->memories;
	before = m->set.blocks;
	for (i = 0; i < look->regions; i++) {
		const struct report_region *r = &look->region[i];

		if (m->set.blocks - before >= room ||
		    written_set_add(&m->set, m->target.pid, r->start, r->end, time))
			m->set.incomplete = true;
	}
	written_set_age(&m->set, time);
}

/* Of what is mapped now. */
static void count_set(const struct member *m, const struct report *look, double time,
		      uint64_t sum[WRITTEN_SET_WINDOWS])
{
	uint64_t pages[WRITTEN_SET_WINDOWS];
	size_t i, window;

	for (i = 0; i < look->n; i++) {
		written_set_count(&m->set, m->target.pid, look->line[i].start, look->line[i].end,
				  time, pages);
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			sum[window] += pages[window];
	}
}

static void fill(const struct member *m, const struct report *look, double now, struct top_row *row)
{
	const struct report_process *process = &look->process[0];

	*row = (struct top_row){
		.pid = m->target.pid,
		.tracked = process->sum.tracked,
		.written = process->sum.written,
		.all_written = m->all_written,
		.interval = now - m->looked,
		.lost = look->lost,
	};
	strcpy(row->user, m->user);
	strcpy(row->name, process->name);
}

/*
 * What events have told during the look, because the look itself found that the memory is gone,
 * would be for the next report, and there is none.
 */
static void take_the_rest(struct member *m, struct top_row *row)
{
	const uint64_t pages = family_written_since(&m->family);

	row->written += pages;
	m->all_written += pages;
	row->all_written = m->all_written;
}

int top_member_look(struct member *m, struct report *look, struct top_row *row, double time,
		    size_t room)
{
	/* What it does between this and the look is in the look: its events come first. */
	const bool had_ended = target_has_ended(&m->target);
	double now;
	int err;

	look->wants_regions = true;
	err = family_look(&m->family, look);
	family_close_old(&m->family);
	now = session_now();
	*row = (struct top_row){ .pid = m->target.pid };
	if (look->processes) {
		m->all_written += look->process[0].sum.written;
		fill(m, look, now, row);
		remember(m, look, time, room);
		count_set(m, look, time, row->set);
	}
	m->looked = now;
	if (!err)
		err = m->err;
	row->ended = had_ended || err == -ESRCH || (!err && !watched_of(m)->tracker);
	if (!row->ended)
		return err;
	take_the_rest(m, row);
	return -ESRCH;
}

int top_member_event_fd(const struct member *m)
{
	const struct watched *p = watched_of(m);

	return p->tracker && p->events ? uffdwp_event_fd(p->tracker) : -1;
}

void top_member_take_events(struct member *m)
{
	int err = family_take_events(&m->family);

	if (err && err != -ESRCH)
		m->err = err;
	family_close_old(&m->family);
}

void top_member_free(struct member *m)
{
	family_end(&m->family);
	written_set_free(&m->set);
	if (m->target.pidfd >= 0)
		close(m->target.pidfd);
	free(m);
}
