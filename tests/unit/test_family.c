// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of processes that are watched when their events tell of execve(2) and name no
 * tracker. Trackers are of this program, which has an open() of its own for the library: there is
 * no file left for the device.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "crowd/crowd.h"
#include "crowd/member.h"
#include "internal.h"

static int opened;		/* the device, or it was tried */

int open(const char *path, int flags, ...)
{
	(void)flags;
	if (strcmp(path, UFFDWP_DEVICE))
		fail_msg("who opens %s?", path);
	opened++;
	errno = EMFILE;
	return -1;
}

static int fake_events(struct uffdwp *t, uint64_t flags, uint32_t capacity)
{
	(void)t;
	(void)flags;
	(void)capacity;
	return 0;
}

static void fake_close(struct uffdwp *t)
{
	close(t->fd);
}

static int fake_stats(struct uffdwp *t, struct uffdwp_stats_arg *stats)
{
	(void)t;
	(void)stats;
	return -EOPNOTSUPP;
}

static const struct uffdwp_backend_ops fake = {
	.name = "fake", .events = fake_events, .close = fake_close, .stats = fake_stats,
};

/* Whose events are those that are written to the file. */
static struct uffdwp *new_tracker(int *to)
{
	struct uffdwp *t = calloc(1, sizeof(*t));
	int fds[2];

	assert_non_null(t);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	t->ops = &fake;
	t->fd = fds[0];
	*to = fds[1];
	assert_int_equal(uffdwp_events_open(t, NULL), 0);
	return t;
}

static pid_t new_process(void)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void tell_exec(int to, pid_t pid)
{
	const struct uffdwp_event event = { .type = UFFDWP_EVENT_EXEC, .pid = pid };

	assert_int_equal(write(to, &event, sizeof(event)), sizeof(event));
}

static struct watched *add(struct family *f, pid_t pid, int *to)
{
	struct watched *p = family_add(f);

	assert_non_null(p);
	p->what = f->what;
	p->target = (struct target){ .pid = pid, .pidfd = -1 };
	p->tracker = new_tracker(to);
	p->events = true;
	p->follows_exec = true;
	p->counts = true;
	return p;
}

/* By now, its number may be another's, who is not to be watched. */
static void a_child_is_not_looked_for_by_its_number(void **state)
{
	const struct selection what = { .children = true, .quiet = true };
	struct family f = { .what = &what };
	const pid_t other = new_process();
	struct watched *child;
	int to_first, to_child;

	(void)state;
	opened = 0;
	add(&f, getpid(), &to_first);
	child = add(&f, other, &to_child);
	tell_exec(to_child, other);
	assert_int_equal(family_take_events(&f), 0);
	assert_int_equal(opened, 0);
	assert_null(child->tracker);
	assert_int_equal(f.not_followed, 1);
	assert_string_equal(child->since.name, "?");
	assert_non_null(family_first(&f)->tracker);
	close(to_first);
	close(to_child);
	family_end(&f);
	end_process(other);
}

static struct report report;

static int look_at(struct crowd *c, struct member *m, int *err)
{
	(void)c;
	*err = member_look(m, &report);
	return 0;
}

static const struct crowd_ops ops = { .member_size = sizeof(struct member), .look = look_at };

static struct member *one_of_a_crowd(struct crowd *c, pid_t pid, int *to)
{
	struct member *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	*c = (struct crowd){ .ops = &ops };
	crowd_begin(c);
	c->member = calloc(1, sizeof(struct member *));
	assert_non_null(c->member);
	c->member[0] = m;
	c->n = 1;
	c->room = 1;
	m->family.what = &c->what;
	assert_int_equal(target_find(pid, &m->target), 0);
	add(&m->family, pid, to)->target = m->target;
	return m;
}

static void assert_refused_for_files(struct crowd *c, uint64_t n)
{
	uint64_t counts[REFUSALS];

	refused_count(&c->refused, counts);
	assert_int_equal(counts[REFUSED_FILES], n);
	assert_int_equal(c->refused_anew, n);
}

/* It is tried again by and by, as others that could not be tracked. */
static void one_without_a_tracker_is_no_member(void **state)
{
	struct pid_list wanted = { 0 };
	const pid_t pid = new_process();
	struct crowd c;
	struct member *m;
	int to;

	(void)state;
	opened = 0;
	m = one_of_a_crowd(&c, pid, &to);
	tell_exec(to, pid);
	member_take_events(m);
	assert_int_equal(opened, 1);
	assert_int_equal(crowd_look(&c), 0);
	assert_true(m->over);
	assert_refused_for_files(&c, 1);
	assert_int_equal(pid_list_add(&wanted, pid), 0);
	assert_int_equal(crowd_update(&c, &wanted), 0);
	assert_int_equal(c.n, 0);
	pid_list_free(&wanted);
	crowd_end(&c);
	report_free(&report);
	close(to);
	end_process(pid);
}

static void an_error_is_told_once(void **state)
{
	const pid_t pid = new_process();
	struct crowd c;
	struct member *m;
	int to;

	(void)state;
	m = one_of_a_crowd(&c, pid, &to);
	/* Its look is short: nothing of it is chosen. */
	c.what.start = 4096;
	c.what.end = 8192;
	m->err = -ENFILE;
	assert_int_equal(member_look(m, &report), -ENFILE);
	assert_int_equal(member_look(m, &report), 0);
	m->err = -ENOMEM;
	assert_int_equal(crowd_look(&c), 0);
	assert_false(m->over);
	assert_refused_for_files(&c, 0);
	crowd_end(&c);
	report_free(&report);
	close(to);
	end_process(pid);
}

/* What is said of the memory that is gone explains no error of the new one. */
static void new_memory_has_no_old_error(void **state)
{
	const struct selection what = { 0 };
	struct family f = { .what = &what };
	struct watched *p;
	int to_old, to_new;

	(void)state;
	p = add(&f, getpid(), &to_old);
	p->maps_err = -EACCES;
	watched_adopt(p, new_tracker(&to_new));
	assert_int_equal(p->maps_err, 0);
	close(to_old);
	close(to_new);
	family_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_not_looked_for_by_its_number),
		cmocka_unit_test(one_without_a_tracker_is_no_member),
		cmocka_unit_test(an_error_is_told_once),
		cmocka_unit_test(new_memory_has_no_old_error),
	};

	return cmocka_run_group_tests_name("family", tests, NULL, NULL);
}
