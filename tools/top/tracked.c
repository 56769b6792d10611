// SPDX-License-Identifier: GPL-2.0-only
/*
 * A row of each process that is tracked: what it has written, and its written sets.
 */
#include <errno.h>
#include <string.h>

#include "crowd/member.h"
#include "session.h"
#include "top/tracked.h"
#include "top/users.h"

/* As much of all written sets: 256 MiB, and no more. */
#define MOST_BLOCKS (256u << 20 >> 11)

struct top_member {
	struct member member;	/* first */
	char user[32];
	uint64_t all_written;	/* pages, since it is tracked */
	double looked;		/* when it was looked at last */
	unsigned int memories;	/* that it had then */
	struct written_set set;
};

static struct top_member *of(struct member *m)
{
	return (struct top_member *)m;
}

static void join(struct crowd *c, struct member *member)
{
	struct top_member *m = of(member);

	(void)c;
	user_name(member->user, m->user, sizeof(m->user));
	m->memories = member_memories(member);
	m->looked = session_now();
}

static void leave(struct crowd *c, struct member *member)
{
	struct tracked *t = c->arg;

	t->blocks -= of(member)->set.blocks;
	written_set_free(&of(member)->set);
}

/*
 * The pages of memory that was replaced by execve(2) are no pages of this process any more.
 * @room: blocks. One region may take more, which is bounded by what a set may take.
 */
static void remember(struct top_member *m, const struct report *look, double time, size_t room)
{
	size_t i, before;

	if (m->memories != member_memories(&m->member))
		written_set_free(&m->set);
	m->memories = member_memories(&m->member);
	before = m->set.blocks;
	for (i = 0; i < look->regions; i++) {
		const struct report_region *r = &look->region[i];

		if (m->set.blocks - before >= room ||
		    written_set_add(&m->set, m->member.target.pid, r->start, r->end, time))
			m->set.incomplete = true;
	}
	written_set_age(&m->set, time);
}

/* Of what is mapped now. */
static void count_set(const struct top_member *m, const struct report *look, double time,
		      uint64_t sum[WRITTEN_SET_WINDOWS])
{
	uint64_t pages[WRITTEN_SET_WINDOWS];
	size_t i, window;

	for (i = 0; i < look->n; i++) {
		written_set_count(&m->set, m->member.target.pid, look->line[i].start,
				  look->line[i].end, time, pages);
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			sum[window] += pages[window];
	}
}

static void fill(const struct top_member *m, const struct report *look, double now,
		 struct top_row *row)
{
	const struct report_process *process = &look->process[0];

	*row = (struct top_row){
		.pid = m->member.target.pid,
		.tracked = process->sum.tracked,
		.written = process->sum.written,
		.interval = now - m->looked,
		.lost = look->lost,
	};
	strcpy(row->user, m->user);
	strcpy(row->name, process->name);
}

static void remember_in_bounds(struct tracked *t, struct top_member *m, double time)
{
	const size_t others = t->blocks - m->set.blocks;

	remember(m, &t->look, time, t->blocks < MOST_BLOCKS ? MOST_BLOCKS - t->blocks : 0);
	t->blocks = others + m->set.blocks;
}

static int add_row(struct tracked *t, struct top_member *m, bool ended)
{
	const double now = session_now(), time = now - t->crowd.began;
	struct top_row row;

	if (!t->look.processes)
		return 0;
	fill(m, &t->look, now, &row);
	remember_in_bounds(t, m, time);
	count_set(m, &t->look, time, row.set);
	m->looked = now;
	row.ended = ended;
	if (ended)
		row.written += member_written_since(&m->member);
	m->all_written += row.written;
	row.all_written = m->all_written;
	t->all_written += row.written;
	return top_add(t->report, &row);
}

static int look_at(struct crowd *c, struct member *member, int *err)
{
	struct tracked *t = c->arg;
	int own;

	report_clear(&t->look);
	*err = member_look(member, &t->look);
	own = add_row(t, of(member), *err == -ESRCH);
	t->report->set_incomplete = t->report->set_incomplete || of(member)->set.incomplete;
	return own;
}

static const struct crowd_ops ops = {
	.member_size = sizeof(struct top_member),
	.join = join,
	.look = look_at,
	.leave = leave,
};

void tracked_begin(struct tracked *t)
{
	t->crowd.ops = &ops;
	t->crowd.arg = t;
	t->look.wants_regions = true;
	crowd_begin(&t->crowd);
}

int tracked_look(struct tracked *t, struct top_report *report)
{
	int err;

	t->report = report;
	err = crowd_look(&t->crowd);
	report->all_written = t->all_written;
	return err;
}

void tracked_end(struct tracked *t)
{
	crowd_end(&t->crowd);
	report_free(&t->look);
}
