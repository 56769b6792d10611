// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that are tracked: who comes in, who leaves, and who cannot be tracked.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crowd/crowd.h"
#include "crowd/member.h"
#include "ourselves.h"
#include "room.h"
#include "session.h"

/*
 * For lists of mappings, folders of cgroups one in the other, pidfds of those that were named,
 * reports, and memory that execve(2) has replaced.
 */
#define FILES_APART 192
#define FILES_EACH 2

/* What happens often is taken many events at once, as by family_wait(). */
#define NAP_SECONDS 0.005

static size_t most_members(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur <= FILES_APART)
		return 1;
	return (limit.rlim_cur - FILES_APART) / FILES_EACH;
}

void crowd_begin(struct crowd *c)
{
	ourselves_have_many_files();
	c->most = most_members();
	c->began = session_now();
}

/* ---- who cannot be tracked */

/* What an errno of the library cannot say. */
static void tell(const struct crowd *c, pid_t pid, enum refusal why, int err)
{
	const char *text = why == REFUSED_BUSY ? "another tracker has it, or its memory" :
			   why == REFUSED_KERNEL ? "it is a thread of the kernel" :
			   err ? uffdwp_explain(err) : refusal_text(why);

	if (c->tell)
		fprintf(stderr, "uffdwp: cannot track process %d: %s\n", (int)pid, text);
}

/* Every ten seconds it is tried again, and then it is none that is new. */
static int add_refused(struct crowd *c, pid_t pid, enum refusal why, int err)
{
	if (why != REFUSALS && why != REFUSED_KERNEL && !refused_knows(&c->refused, pid))
		c->refused_anew++;
	tell(c, pid, why, err);
	return refused_add(&c->refused, pid, why);
}

static int refuse(struct crowd *c, pid_t pid, int err)
{
	return add_refused(c, pid, refused_reason(err), err);
}

/* ---- members */

/* Where a process is, or would be. */
static size_t place_of(const struct crowd *c, pid_t pid)
{
	size_t low = 0, high = c->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (c->member[middle]->target.pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_member(const struct crowd *c, pid_t pid)
{
	const size_t at = place_of(c, pid);

	return at < c->n && c->member[at]->target.pid == pid;
}

static void let_go(struct crowd *c, struct member *m)
{
	if (c->ops->leave)
		c->ops->leave(c, m);
	member_free(m);
}

static int insert(struct crowd *c, struct member *m)
{
	struct member **more = with_room(c->member, c->n, &c->room, sizeof(*more));
	size_t at = place_of(c, m->target.pid), i;

	if (!more)
		return -ENOMEM;
	c->member = more;
	for (i = c->n++; i > at; i--)
		more[i] = more[i - 1];
	more[at] = m;
	return 0;
}

/*
 * Takes over the pidfd. No error of one process is more than a number in the report, and of one
 * that has ended not even that.
 */
static int track(struct crowd *c, const struct target *target, uid_t user)
{
	const pid_t pid = target->pid;
	struct member *m = calloc(1, c->ops->member_size);
	int err;

	if (!m) {
		close(target->pidfd);
		return -ENOMEM;
	}
	m->target = *target;
	m->user = user;
	err = member_begin(m, &c->what, &c->look);
	if (!err)
		err = insert(c, m);
	if (err)
		member_free(m);
	else if (c->ops->join)
		c->ops->join(c, m);
	if (err == -ENOTRECOVERABLE)
		return err;
	if (err && err != -ESRCH)
		return refuse(c, pid, err);
	refused_forget(&c->refused, pid);
	return 0;
}

/* Is it one that was asked for, and could it be tracked? */
static bool may_be_tracked(const struct crowd *c, const struct process_facts *facts,
			   enum refusal *why)
{
	if (c->by_user && facts->user != c->user)
		*why = REFUSALS;
	else if (facts->kernel)
		*why = REFUSED_KERNEL;
	else if (c->n >= c->most)
		*why = REFUSED_FILES;
	else
		return true;
	return false;
}

/* By its pidfd: what was read is about this process if it has not ended since. */
static int consider(struct crowd *c, const struct target *target)
{
	struct process_facts facts;
	enum refusal why;
	int err = process_read_facts(target->pid, &facts);

	if (!err && target_has_ended(target))
		err = -ESRCH;
	if (!err && may_be_tracked(c, &facts, &why))
		return track(c, target, facts.user);
	close(target->pidfd);
	if (err == -ESRCH)
		return 0;
	if (err)
		return refuse(c, target->pid, err);
	return add_refused(c, target->pid, why, 0);
}

static int admit(struct crowd *c, pid_t pid)
{
	struct target target;
	int err;

	if (pid == getpid() || has_member(c, pid) || refused_has(&c->refused, pid))
		return 0;
	err = target_find(pid, &target);
	if (err)
		return err == -ESRCH ? 0 : refuse(c, pid, err);
	return consider(c, &target);
}

/* One that has ended, and so is not wanted any more, has its last row at the next look. */
static bool stays(const struct member *m, const struct pid_list *wanted)
{
	return !m->over && (pid_list_has(wanted, m->target.pid) || target_has_ended(&m->target));
}

static void drop_members(struct crowd *c, const struct pid_list *wanted)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++) {
		if (stays(c->member[i], wanted))
			c->member[n++] = c->member[i];
		else
			let_go(c, c->member[i]);
	}
	c->n = n;
}

int crowd_update(struct crowd *c, const struct pid_list *wanted)
{
	size_t i;
	int err = 0;

	refused_keep(&c->refused, wanted);
	drop_members(c, wanted);
	for (i = 0; i < wanted->n && !err && !ourselves_interrupted_by_now(); i++)
		err = admit(c, wanted->pid[i]);
	return err;
}

/* ---- looking */

/* What is short now may be there at the next look; all else will not be better then. */
static bool passes(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

static int look_at(struct crowd *c, struct member *m)
{
	int err, own = c->ops->look(c, m, &err);

	if (own || err == -ENOTRECOVERABLE)
		return own ? own : err;
	/* Without a tracker it would have to begin again, which is for crowd_update(). */
	m->over = err && !(passes(err) && member_is_tracked(m));
	return m->over && err != -ESRCH ? refuse(c, m->target.pid, err) : 0;
}

int crowd_look(struct crowd *c)
{
	size_t i;
	int err = 0;

	for (i = 0; i < c->n && !err; i++)
		if (!c->member[i]->over)
			err = look_at(c, c->member[i]);
	return err;
}

/* ---- waiting */

static int have_room_for_fds(struct crowd *c)
{
	struct pollfd *more;

	if (c->fds_room >= c->n + 1)
		return 0;
	more = reallocarray(c->fds, c->n + 64, sizeof(*more));
	if (!more)
		return -ENOMEM;
	c->fds = more;
	c->fds_room = c->n + 64;
	return 0;
}

static int wait_for(struct pollfd *fds, size_t n, double seconds, const sigset_t *mask)
{
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - ts.tv_sec) * 1e9);
	return ppoll(fds, n, &ts, mask);
}

/* ppoll() passes over files that are -1. */
int crowd_wait(struct crowd *c, double seconds, const sigset_t *mask, int input)
{
	size_t i;

	if (have_room_for_fds(c))
		return -ENOMEM;
	for (i = 0; i < c->n; i++)
		c->fds[i] = (struct pollfd){
			.fd = member_event_fd(c->member[i]), .events = POLLIN,
		};
	c->fds[c->n] = (struct pollfd){ .fd = input, .events = POLLIN };
	if (wait_for(c->fds, c->n + 1, seconds, mask) <= 0)
		return 0;
	if (c->fds[c->n].revents)
		return 1;
	wait_for(NULL, 0, seconds < NAP_SECONDS ? seconds : NAP_SECONDS, mask);
	for (i = 0; i < c->n; i++)
		if (c->fds[i].revents)
			member_take_events(c->member[i]);
	return 0;
}

void crowd_end(struct crowd *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		let_go(c, c->member[i]);
	free(c->member);
	refused_free(&c->refused);
	free(c->fds);
	report_free(&c->look);
}
