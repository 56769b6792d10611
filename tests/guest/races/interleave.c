// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <x86intrin.h>

#include "interleave.h"
#include "support.h"

/* The timer of the local APIC counts in units of 16 ns, and a turn may end that much too early. */
#define TIMER_GRAIN 64

int interleave_timer(void)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	assert_true(timer >= 0);
	return timer;
}

void interleave_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_ok(sched_setaffinity(0, sizeof(set), &set));
}

static uint64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

bool interleave_works(void)
{
	enum { LOOPS = 1000000 };
	uint64_t begin = __rdtsc(), ticks;
	unsigned int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) != 2)
		return false;
	/* Two instructions each, and now and then an interrupt: one tick is one instruction. */
	for (i = 0; i < LOOPS; i++)
		__asm__ volatile("" : "+r"(i));
	ticks = __rdtsc() - begin;
	return ticks > LOOPS && ticks < 8 * LOOPS;
}

static void set_timer(int timer, uint64_t when)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 },
	};

	timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

/*
 * The timer is set for a moment that lies phase after a begin that is to come: setting it takes
 * a while, on a debug kernel a long one.
 */
static uint64_t set_moment(struct interleave *i)
{
	uint64_t lead = 8192, begin, now;

	for (;; lead *= 2) {
		now = monotonic();
		begin = __rdtsc() + lead;
		if (i->phase == INTERLEAVE_AFTERWARDS)
			return begin;
		set_timer(i->timer, now + lead + i->phase);
		if (__rdtsc() < begin)
			break;
	}
	i->moment = begin + i->phase;
	return begin;
}

static bool died(pid_t child)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

static bool is_over(const atomic_bool *over, pid_t child)
{
	return *over || (child && died(child));
}

void interleave_outer(struct interleave *i, interleave_op *op, interleave_op *then, void *arg)
{
	uint64_t begin;

	while (!i->inner_waits)
		_mm_pause();
	begin = set_moment(i);
	while (__rdtsc() < begin)
		;
	i->outer_begin = __rdtsc();
	op(arg);
	i->outer_end = __rdtsc();
	if (then)
		then(arg);
	i->outer_over = true;
	while (!is_over(&i->inner_over, i->inner_child))
		_mm_pause();
}

static void inner_begins(struct interleave *i)
{
	if (i->outer_child)
		i->outer_end = died(i->outer_child) ? __rdtsc() : UINT64_MAX;
	i->inner_begin = __rdtsc();
}

void interleave_inner(struct interleave *i, interleave_op *op, interleave_op *then, void *arg)
{
	i->inner_waits = true;
	/* Other waits of the outer task give us turns before the moment has come. */
	while (!i->moment || __rdtsc() + TIMER_GRAIN < i->moment) {
		_mm_pause();
		if (i->phase == INTERLEAVE_AFTERWARDS && is_over(&i->outer_over, i->outer_child))
			break;
	}
	inner_begins(i);
	op(arg);
	i->inner_end = __rdtsc();
	if (then)
		then(arg);
	i->inner_over = true;
	while (!is_over(&i->outer_over, i->outer_child))
		_mm_pause();
}

bool interleave_overlapped(const struct interleave *i)
{
	return i->outer_begin <= i->inner_begin && i->inner_begin < i->outer_end;
}

uint64_t interleave_offset(const struct interleave *i)
{
	return i->inner_begin - i->outer_begin;
}

uint64_t interleave_length(const struct interleave *i)
{
	return i->outer_end - i->outer_begin;
}
