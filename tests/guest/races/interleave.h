/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two tasks in a chosen interleaving, the same one each time.
 *
 * Under "tests/vm/run --icount --smp 2" one thread of the host runs both processors in turns, and a
 * turn ends at a known instruction: at the next deadline of a timer, or at a PAUSE. One instruction
 * is one nanosecond and one tick of the TSC, which both processors share. So the outer task arms a
 * timer for a moment that lies PHASE instructions inside what it is about to do. There its turn
 * ends, wherever it is, in the kernel or not. The inner task, which waits with PAUSE on the other
 * processor, sees that the moment has come, does all that it has to do, and gives the turn back.
 * When it needs a lock that the outer one holds, it spins, which gives the turn back, too.
 *
 * Each interleaving is known by the instructions of the outer task that came before the inner one
 * began.
 */
#ifndef GUEST_INTERLEAVE_H
#define GUEST_INTERLEAVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The inner task begins when the outer one is done: how long does that take by itself? */
#define INTERLEAVE_AFTERWARDS UINT64_MAX

/* Processors of the two; all zero at first, in memory that both share. */
#define INTERLEAVE_INNER_CPU 0
#define INTERLEAVE_OUTER_CPU 1

struct interleave {
	uint64_t phase;		/* instructions of the outer task before the inner one begins */
	int timer;		/* from interleave_timer() */
	/* children that die of their operation, or 0 */
	pid_t outer_child, inner_child;
	atomic_bool inner_waits;
	_Atomic uint64_t moment;	/* when the inner one begins; 0: not known yet */
	atomic_bool outer_over;
	atomic_bool inner_over;
	/* when they were, in ticks of the TSC; of a dying one, UINT64_MAX is not yet */
	uint64_t outer_begin, outer_end;
	uint64_t inner_begin, inner_end;
};

typedef void interleave_op(void *arg);

/* One timer is enough for all interleavings of a program. */
int interleave_timer(void);

/* Does this machine take turns at known instructions? If not, nothing here means anything. */
bool interleave_works(void);

void interleave_pin(int cpu);

/*
 * Each is called by one of the two tasks; they return when both have done their operation. Then,
 * unless it is NULL, follows the operation at once and is not counted as a part of it.
 */
void interleave_outer(struct interleave *i, interleave_op *op, interleave_op *then, void *arg);
void interleave_inner(struct interleave *i, interleave_op *op, interleave_op *then, void *arg);

/* The inner one began inside the outer one. */
bool interleave_overlapped(const struct interleave *i);

/* Instructions from the begin of the outer one to the begin of the inner one. */
uint64_t interleave_offset(const struct interleave *i);

/* Instructions of the outer one, by itself if the inner one came afterwards. */
uint64_t interleave_length(const struct interleave *i);

#endif /* GUEST_INTERLEAVE_H */
