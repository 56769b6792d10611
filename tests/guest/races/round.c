// SPDX-License-Identifier: GPL-2.0-only
/*
 * One round: fresh memory, a partner in whose hands the event is, the command, and all that must be
 * true afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "races.h"

#define STUCK_SECONDS 60

/* More than one round tells. */
#define RING_ENTRIES 1024

struct shared {
	struct interleave interleave;
	sem_t go;		/* a forked partner waits for it */
	sem_t ready;		/* the partner is on its processor and prepared */
};

static struct shared *shared;
static const struct round *current;

/* ---- what went wrong */

static void print_how_to_see_it(const struct round *r)
{
	const struct race *race = r->race;

	if (r->interleave->phase == INTERLEAVE_AFTERWARDS)
		print_error("one after the other; see it again: races %s\n", race->name);
	else
		print_error("%lu instructions inside, variant %u; see it again: races --steps %u %s %u\n",
			    r->interleave->phase, r->variant, r->steps, race->name, r->step);
}

void race_failed(const struct round *r, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_how_to_see_it(r);
	fail_msg("%s", text);
	abort();
}

static void stuck(int signal)
{
	(void)signal;
	print_error("hangs for %d seconds\n", STUCK_SECONDS);
	print_how_to_see_it(current);
	_exit(1);
}

/* ---- the partner, in whose hands the event is */

static void write_before(struct round *r)
{
	size_t i;

	for (i = r->both ? 0 : RACE_PAGES / 2; i < RACE_PAGES; i += 4)
		race_write(r, i);
}

static void partner_acts(struct round *r)
{
	interleave_pin(r->race->around ? INTERLEAVE_OUTER_CPU : INTERLEAVE_INNER_CPU);
	write_before(r);
	if (r->race->event->prepare)
		r->race->event->prepare(r);
	sem_post(&shared->ready);
	if (r->race->around)
		interleave_outer(r->interleave, r->race->event->run, NULL, r);
	else
		interleave_inner(r->interleave, r->race->event->run, NULL, r);
}

static void *partner_thread(void *arg)
{
	partner_acts(arg);
	return NULL;
}

static void partner_process(struct round *r)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (sem_wait(&shared->go))
		;
	partner_acts(r);
	_exit(1);
}

/* This processor, too, has translations, through which a copy would read what is not there now. */
static void look(const struct round *r)
{
	size_t i;

	for (i = 0; i < RACE_PAGES; i++)
		if (r->now[i])
			race_sample(r, i);
}

static void command_acts(struct round *r)
{
	/* To spin for that long would take the partner's processor away from it. */
	while (sem_wait(&shared->ready))
		;
	look(r);
	if (r->race->around)
		interleave_inner(r->interleave, r->race->command->run, r->race->command->copy, r);
	else
		interleave_outer(r->interleave, r->race->command->run, r->race->command->copy, r);
}

/* ---- events of a process that is followed */

static void follow(struct round *r)
{
	struct uffdwp_events_arg arg = {
		.size = sizeof(arg), .flags = UFFDWP_EVENTS_HARVEST_ALL, .capacity = 4096,
		.event_size = sizeof(struct uffdwp_event),
	};

	assert_ok(dev_ioctl(r->tracker, UFFDWP_IOC_EVENTS, &arg));
	assert_ok(dev_follow(r->tracker, r->memory, RACE_LEN, UFFDWP_KIND_ANON_PRIVATE));
}

/* All that there are; of a process that has ended, up to the one that says so. */
static void read_events(struct round *r, bool to_the_end)
{
	struct pollfd poll_it = { .fd = r->tracker, .events = POLLIN };
	struct uffdwp_event event = { 0 };
	uint64_t addr;

	memset(r->harvested, 0, sizeof(r->harvested));
	while (poll(&poll_it, 1, to_the_end ? 20000 : 0) == 1 && (poll_it.revents & POLLIN)) {
		assert_int_equal(read(r->tracker, &event, sizeof(event)), sizeof(event));
		if (event.type == UFFDWP_EVENT_LOST)
			race_failed(r, "events were lost");
		for (addr = event.start; addr < event.end && event.type == UFFDWP_EVENT_WRITTEN;
		     addr += PAGE)
			r->harvested[(addr - (uintptr_t)r->memory) / PAGE] = true;
		if (event.type == UFFDWP_EVENT_EXITED)
			return;
	}
	if (to_the_end)
		race_failed(r, "no event tells of the end");
}

/* What was written before PART, or all of it, was unmapped. */
static void check_harvest(struct round *r, size_t first, size_t end)
{
	size_t i;

	for (i = first; i < end; i++) {
		if (i % 4 == 0 && !r->reported[i] && !r->harvested[i])
			race_failed(r, "MISSED: page %zu was written, unmapped, and not told", i);
		if (i % 4 && r->harvested[i] && !r->held)
			race_failed(r, "page %zu was not written, and is told to be", i);
	}
}

/* ---- memory that the process has registered, and a tracker that rides along */

static void ride(struct round *r)
{
	r->uffd = new_uffd(0);
	assert_ok(dev_attach(r->tracker, UFFDWP_ATTACH_UFFD | UFFDWP_ATTACH_RIDE, 0, r->uffd,
			     UFFDWP_UNPOP_DEFAULT));
}

/* No page is missing, so nobody waits for a monitor. */
static void register_for_missing(struct round *r)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)r->memory, RACE_LEN },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	assert_ok(ioctl(r->uffd, UFFDIO_REGISTER, &reg));
}

/* ---- one round */

static void fill(struct round *r)
{
	const bool empty = r->race->event->empty || r->race->kind->sparse;
	size_t i;

	memset(r->now, 0, sizeof(r->now));
	for (i = 0; i < RACE_PAGES && !empty; i++)
		if (i % 4 != 3 || r->race->kind->ridden)
			race_write(r, i);
	memset(r->changed, 0, sizeof(r->changed));
}

static void begin_round(struct round *r, uint64_t phase)
{
	int timer = shared->interleave.timer;

	current = r;
	alarm(STUCK_SECONDS);
	shared->interleave = (struct interleave){ .phase = phase, .timer = timer };
	r->error = 0;
	memset(r->told, 0, sizeof(r->told));
	r->told_everything = false;
	r->race->kind->map(race_tracked(r), race_tracked_len(r));
	fill(r);
	if (r->race->kind->block * PAGE == HUGE_PAGE && !is_huge(r->memory))
		fail_msg("no huge page could be had");
}

static void attach(struct round *r)
{
	r->tracker = dev_open();
	assert_true(r->tracker >= 0);
	r->uffd = -1;
	if (r->race->kind->ridden) {
		ride(r);
	} else if (r->race->event->uffd) {
		r->uffd = new_uffd(0);
		assert_ok(dev_attach_uffd(r->tracker, r->uffd));
	} else if (r->race->event->markers) {
		assert_ok(dev_attach_markers(r->tracker));
	} else if (!r->race->event->process) {
		assert_ok(r->race->kind->attach(r->tracker));
	}
	if (r->race->kind->ring)
		r->ring = ring_open(r->tracker, RING_ENTRIES, 1);
	if (r->race->kind->followed && !r->race->event->process)
		follow(r);
}

static void detach(struct round *r)
{
	if (r->race->kind->ring)
		ring_close(&r->ring);
	close(r->tracker);
	if (r->uffd >= 0)
		close(r->uffd);
}

/* Was a page written that makes this one written, too? */
static bool changed_near(const struct round *r, size_t page)
{
	const size_t block = r->race->kind->block;
	const size_t first = (uintptr_t)r->memory / PAGE;
	size_t i;

	for (i = 0; i < RACE_PAGES; i++)
		if (r->changed[i] && (first + i) / block == (first + page) / block)
			return true;
	return false;
}

/*
 * What the mirror does not have, and what the quiet scan should not have. A page that the kernel
 * held just then was not armed, and the module has counted it: wp_page_copy() in a forked child
 * holds the page that it copies.
 */
static void check_reports(struct round *r, const uint64_t *quiet)
{
	const bool scanned = r->race->command->reports;
	/* Of a table of which the process takes something ARM arms nothing meanwhile. */
	const bool left_out = r->race->kind->ridden && r->race->event->part_is_lost && !scanned;
	uint64_t held = left_out ? RACE_PAGES : r->held;
	size_t i;

	for (i = 0; i < RACE_PAGES; i++) {
		const bool lost = race_part_is_lost(r->race) && in_part(i);
		const uint64_t expected = lost ?
			UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN : 0;

		if (lost && quiet[i] != expected)
			race_failed(r, "page %zu was taken away and is %#lx, not %#lx", i, quiet[i],
				    expected);
		if (!lost && (quiet[i] & UFFDWP_PAGE_IS_UNTRACKED))
			race_failed(r, "page %zu is untracked", i);
		if (lost || changed_near(r, i) || !(quiet[i] || (scanned && r->reported[i])))
			continue;
		if (!held--)
			race_failed(r, "page %zu was not written and is reported (%d, then %#lx)",
				    i, !!r->reported[i], quiet[i]);
	}
}

/*
 * What is written is in the ring, unless it was told of and will always be: what is not tracked any
 * more cannot be armed.
 */
static void check_ring(struct round *r)
{
	uint64_t now[RACE_PAGES];
	size_t i;

	assert_ok(race_scan(r, now, false));
	for (i = 0; i < RACE_PAGES; i++)
		if (now[i] && !ring_covers(&r->ring, race_page(r, i)) &&
		    !((now[i] & UFFDWP_PAGE_IS_UNTRACKED) && (r->told[i] || r->told_everything)))
			race_failed(r, "MISSED: page %zu is %#lx, and the ring does not tell", i,
				    now[i]);
}

static void check_mirror(struct round *r, const uint64_t *quiet)
{
	size_t i;

	for (i = 0; i < RACE_PAGES; i++) {
		const struct sample memory = race_sample(r, i);
		const uint64_t mirror = r->mirror[i].words[0];

		if (memory.words[0] != r->now[i])
			race_failed(r, "page %zu has %#lx, written was %#lx", i, memory.words[0],
				    r->now[i]);
		if (memcmp(&memory, &r->mirror[i], sizeof(memory)))
			race_failed(r,
				    "MISSED: page %zu has %#lx, the mirror %#lx; reported by the command: %d, then: %#lx",
				    i, memory.words[0], mirror, !!r->reported[i], quiet[i]);
	}
}

static void check_later_writes(struct round *r)
{
	uint64_t later[RACE_PAGES];
	size_t i;

	if (r->race->kind->ring)
		ring_settle(&r->ring);
	for (i = 0; i < RACE_PAGES; i++)
		race_write(r, i);
	if (r->race->kind->ring && !race_part_is_lost(r->race))
		check_ring(r);
	assert_ok(race_scan(r, later, false));
	for (i = 0; i < RACE_PAGES; i++)
		if (!(later[i] & UFFDWP_PAGE_IS_WRITTEN))
			race_failed(r, "MISSED: page %zu was written after the race", i);
}

static void check(struct round *r)
{
	uint64_t quiet[RACE_PAGES];
	size_t i;

	if (r->error)
		race_failed(r, "the event: %s", strerror(r->error));
	if (r->result)
		race_failed(r, "the command: %d", r->result);
	if (r->race->event->check)
		r->race->event->check(r);
	r->held = dev_stats(r->tracker).pages_pinned - r->held;
	if (r->race->kind->followed) {
		read_events(r, false);
		if (r->race->event->part_is_unmapped && r->race->command->reports)
			check_harvest(r, PART_FIRST, PART_FIRST + PART_PAGES);
	}
	if (r->race->kind->ring)
		check_ring(r);
	assert_ok(race_scan(r, quiet, true));
	for (i = 0; i < RACE_PAGES; i++)
		if (quiet[i])
			race_copy(r, i, quiet[i]);
	check_mirror(r, quiet);
	check_reports(r, quiet);
	check_later_writes(r);
}

static void round_with_thread(struct round *r)
{
	pthread_t partner;

	r->held = dev_stats(r->tracker).pages_pinned;
	if (r->race->kind->ridden)
		register_for_missing(r);
	assert_ok(dev_register(r->tracker, race_tracked(r), race_tracked_len(r)));
	r->race->command->prepare(r);
	if (r->race->kind->ring)
		ring_settle(&r->ring);
	if (r->race->kind->followed)
		read_events(r, false);
	assert_ok(pthread_create(&partner, NULL, partner_thread, r));
	command_acts(r);
	assert_ok(pthread_join(partner, NULL));
	check(r);
}

/* An address space that is going is either still all there, or gone. */
static void check_exit(struct round *r)
{
	const bool whole = !r->result && r->race->command->reports;
	uint64_t quiet[RACE_PAGES];
	int status;
	size_t i;

	assert_int_equal(waitpid(r->child, &status, 0), r->child);
	if (status)
		race_failed(r, "the process ended with %#x", status);
	if (r->result && r->result != -ESRCH)
		race_failed(r, "the command: %d", r->result);
	for (i = 0; i < RACE_PAGES && whole; i++)
		if (!r->reported[i] != !!(i % 4))
			race_failed(r, "page %zu was %swritten before, and is %sreported", i,
				    i % 4 ? "not " : "", r->reported[i] ? "" : "not ");
	assert_err(race_scan(r, quiet, true), ESRCH);
	if (r->race->kind->followed) {
		r->held = dev_stats(r->tracker).pages_pinned;
		read_events(r, true);
		check_harvest(r, 0, RACE_PAGES);
	}
}

static void round_with_process(struct round *r)
{
	pid_t pid = _Fork();

	assert_true(pid >= 0);
	if (!pid)
		partner_process(r);
	r->child = pid;
	if (r->race->around)
		r->interleave->outer_child = pid;
	else
		r->interleave->inner_child = pid;
	attach(r);
	assert_ok(dev_attach_pid(r->tracker, pid));
	if (r->race->kind->followed)
		follow(r);
	assert_ok(dev_register(r->tracker, r->memory, RACE_LEN));
	r->race->command->prepare(r);
	sem_post(&shared->go);
	command_acts(r);
	check_exit(r);
	detach(r);
}

void race_run(struct round *r, uint64_t phase)
{
	begin_round(r, phase);
	if (r->race->event->process)
		round_with_process(r);
	else
		round_with_thread(r);
}

void race_begin(struct round *r)
{
	r->interleave = &shared->interleave;
	assert_ok(pipe2(r->pipe, O_CLOEXEC));
	interleave_pin(r->race->around ? INTERLEAVE_INNER_CPU : INTERLEAVE_OUTER_CPU);
	if (!r->race->event->process)
		attach(r);
}

void race_end(struct round *r)
{
	alarm(0);
	if (!r->race->event->process)
		detach(r);
	close(r->pipe[0]);
	close(r->pipe[1]);
	munmap(race_tracked(r), race_tracked_len(r));
}

bool race_set_up(void)
{
	int tracker = dev_open();

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	sem_init(&shared->go, 1, 0);
	sem_init(&shared->ready, 1, 0);
	shared->interleave.timer = interleave_timer();
	signal(SIGALRM, stuck);
	/* Hooks are put up with the first tracker and taken down after the last: not each time. */
	return tracker >= 0 && !dev_attach_self(tracker);
}
