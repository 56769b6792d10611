// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the first process comes to be watched: it runs already, or is a command of ours, which waits
 * until it is followed.
 */
#include <errno.h>

#include "family.h"

/* It runs already: it may be over, or another program, by now. */
static int open_running(struct watched *p)
{
	int err = watched_open(p);

	if (err != -ESRCH)
		return err;
	err = watched_reopen(p);
	if (!err)
		watched_tell_exec(p);
	return err;
}

/*
 * It is followed while it waits, so that the program has a tracker before its first instruction.
 * Where that cannot be, it is watched as one that runs already.
 */
static int open_command(struct family *f, struct watched *p, int *start_err)
{
	int err = watched_open(p), released = target_release(&p->target);

	*start_err = released;
	if (released)
		return released;
	if (!err && p->events && p->follows_exec) {
		f->starting = true;
		err = family_await(f);
		if (err || !f->starting)
			return err;
	}
	f->starting = false;
	watched_close(p);
	watched_forget(p);
	return open_running(p);
}

int family_begin(struct family *f, struct target *target, int *start_err)
{
	struct watched *p = family_add(f);
	int err;

	*start_err = 0;
	if (!p) {
		if (target->held)
			*start_err = target_release(target);
		return -ENOMEM;
	}
	p->what = f->what;
	p->target = *target;
	p->since.pid = target->pid;
	err = target->held ? open_command(f, p, start_err) : open_running(p);
	*target = p->target;
	watched_read_name(p);
	return err;
}

bool family_saw_the_start(const struct family *f)
{
	return family_first(f)->counts;
}
