/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A race: an event in the tracked process against a command on its tracker, in one interleaving.
 */
#ifndef GUEST_RACES_H
#define GUEST_RACES_H

#include "interleave.h"
#include "ring.h"
#include "support.h"

/*
 * The memory: half of it in one page table, half in the next.
 *
 *	i % 4 == 3	nothing in it, unless it is ridden
 *	i % 4 == 0	written by the partner just before the race: there is something to arm, and
 *			the processor of the partner has a writable translation
 *	i % 3 == 0	written by the event, if it writes at all
 *	PART		what an event discards, unmaps or unregisters: the middle, in both tables
 *
 * so each of these meets each of the others.
 */
#define RACE_PAGES 48ul
#define RACE_LEN (RACE_PAGES * PAGE)
#define PART_FIRST 12ul
#define PART_PAGES 24ul
#define PART_LEN (PART_PAGES * PAGE)
#define EVENT_WRITES (RACE_PAGES / 3)

/*
 * What is compared of a page: words spread over it, the first of which is written. All of it would
 * cost most of the time that a race takes.
 */
struct sample {
	uint64_t words[8];
};

/* A kind of memory, and how it is tracked. */
struct kind {
	const char *name;
	uint64_t features;	/* of the module that it needs */
	/* Nothing in it yet, at that address, in place of what is there. */
	void (*map)(char *at, size_t len);
	int (*attach)(int tracker);	/* to the caller, unless the event has its own way */
	size_t below;		/* bytes in front of it that are mapped and tracked with it */
	size_t block;		/* pages that one write may make written, naturally aligned */
	unsigned int every;	/* of the steps, it takes one of so many */
	bool upper_half;	/* the partner writes just before the race only to this half, */
	bool alternates;	/* or in every other round to both */
	bool sparse;		/* begins with nothing in memory, not all of it armed */
	bool ring;
	bool followed;		/* what is mapped is registered, and what is unmapped is told */
	bool ridden;		/* the process has registered it with a userfaultfd of its own */
};

struct round {
	struct interleave *interleave;	/* shared with forked tasks, unlike the rest */
	const struct race *race;
	unsigned int step;	/* of so many steps, to be named when it fails */
	unsigned int steps;
	unsigned int variant;	/* of the event */
	bool both;		/* halves are written just before the race */
	char *memory;
	struct tracer_ring ring;	/* of a kind that has one */
	struct sample mirror[RACE_PAGES];
	int tracker;
	int uffd;		/* that was handed in, or is ridden, or -1 */
	uint64_t held;		/* pages that were not armed, up to the round; then, in it */
	int pipe[2];

	/* By the partner, the only one who writes to the memory. */
	uint64_t now[RACE_PAGES];	/* the first word of each page */
	bool changed[RACE_PAGES];	/* since the round began */
	int error;		/* errno of what must not fail, or 0 */
	pid_t child;		/* forked by the event, or the partner itself */

	/* By the task that gives the command. */
	int result;
	uint64_t reported[RACE_PAGES];	/* by the command: categories */
	bool told[RACE_PAGES];		/* in the ring, to be looked at by a scan */
	bool told_everything;
	bool harvested[RACE_PAGES];	/* told to be written, before it was unmapped */
};

struct event {
	const char *name;
	unsigned int variants;
	bool empty;		/* begins with nothing in memory */
	bool markers;		/* of a tracker with markers */
	bool uffd;		/* of a tracker with a userfaultfd that was handed in */
	bool process;		/* of another process, which does not survive it */
	bool part_is_lost;	/* PART is not tracked any more afterwards, unless it is followed */
	bool part_is_unmapped;	/* PART, or all of it */
	void (*prepare)(struct round *r);	/* by the partner */
	interleave_op *run;
	void (*check)(struct round *r);	/* when both are done; fails the test */
};

struct command {
	const char *name;
	bool reports;		/* each page that was written, and no other */
	void (*prepare)(struct round *r);	/* arm what is armed before the race */
	interleave_op *run;
	interleave_op *copy;	/* into the mirror, as soon as the command has returned */
};

struct race {
	char name[64];		/* as on the command line */
	const struct event *event;
	const struct command *command;
	const struct kind *kind;
	bool around;		/* the event is the outer one */
};

extern const struct event race_events[];
extern const size_t race_events_number;
extern const struct command race_commands[];
extern const size_t race_commands_number;
extern const struct kind race_kinds[];
extern const size_t race_kinds_number;

/* Once in a program; false when there is no device. */
bool race_set_up(void);

/* For all rounds of one race; .race, .steps and .memory are set. */
void race_begin(struct round *r);
void race_end(struct round *r);

/* One round, in which the inner one begins after so many instructions of the outer one. */
void race_run(struct round *r, uint64_t phase);

/* Store a value of our own into a page, and remember it. */
void race_write(struct round *r, size_t page);

static inline char *race_page(const struct round *r, size_t page)
{
	return r->memory + page * PAGE;
}

/* Is PART not tracked any more after the event? */
static inline bool race_part_is_lost(const struct race *race)
{
	return race->event->part_is_lost && !race->kind->followed;
}

static inline bool in_part(size_t page)
{
	return page >= PART_FIRST && page < PART_FIRST + PART_PAGES;
}

/* All that is tracked, at the end of which the memory is. */
static inline char *race_tracked(const struct round *r)
{
	return r->memory - r->race->kind->below;
}

static inline size_t race_tracked_len(const struct round *r)
{
	return r->race->kind->below + RACE_LEN;
}

/* Scan all with or without reset; returns the error, or 0 with what each page was reported as. */
int race_scan(const struct round *r, uint64_t *reported, bool reset);
struct sample race_sample(const struct round *r, size_t page);
/* Bring the mirror up to date with a page that was reported so. */
void race_copy(struct round *r, size_t page, uint64_t categories);

/* Fails the test, saying how to see it again. */
void race_failed(const struct round *r, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#endif /* GUEST_RACES_H */
