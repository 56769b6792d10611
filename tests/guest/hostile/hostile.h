/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hostile callers: who they are, and what they share. All of it is inherited by fork(); addresses
 * are fixed, and far from each other, so that a bit more or less in one leads into no other.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support.h"

/* Memory that calls are about, in each process that has a part in this. */
#define ARENA		((char *)0x10000000000ul)
#define ARENA_PAGES	(4 * 512ul)
/* Memory of the target that an honest tracer tracks. */
#define HONEST		((char *)0x18000000000ul)
#define HONEST_PAGES	64

#define CALLERS		2	/* processes */
#define THREADS		3	/* of each of them */
#define ERRNOS		136

enum command {
	OPEN, CLOSE, HELLO, ATTACH, REGISTER, UNREGISTER, ARM, SCAN, STATS, DISARM, RING,
	RING_RESET, FOLLOW, EVENTS, CLAIM, UNKNOWN, READ, POLL, MMAP, USERFAULTFD, PAGEMAP_SCAN,
	ADVISE,
	COMMANDS
};

/**
 * struct world - what all of them share
 * @ends: it is over
 * @target: a process that lives as long
 * @victim: one that soon ends, or executes, and is followed by another
 * @callers: those who call
 * @asked: pages of HONEST that the target is to write, as bits
 * @question: number of what was asked last
 * @answer: number of what was done last
 * @did: calls of each thread
 * @does: the command that it is in
 * @results: how often a command has ended with an errno, or with 0
 */
struct world {
	atomic_bool ends;
	atomic_int target;
	atomic_int victim;
	atomic_int callers[CALLERS];
	atomic_uint_least64_t asked;
	atomic_uint question;
	atomic_uint answer;
	atomic_ulong did[CALLERS][THREADS];
	atomic_int does[CALLERS][THREADS];
	atomic_ulong results[COMMANDS][ERRNOS];
};

extern struct world *world;
extern const char *const command_names[COMMANDS];

static inline uint64_t below(uint64_t *chance, uint64_t n)
{
	return next_random(chance) % n;
}

static inline bool one_in(uint64_t *chance, uint64_t n)
{
	return !below(chance, n);
}

/* target.c: do not return */
void be_target(uint64_t seed);
void be_victims(uint64_t seed);

/* caller.c: does not return */
void be_caller(int number, uint64_t seed);

/* request.c */
struct request {
	unsigned long number;
	void *arg;
	union {
		uint64_t fields[16];
		struct uffdwp_hello_arg hello;
		struct uffdwp_attach_arg attach;
		struct uffdwp_register_arg reg;
		struct uffdwp_unregister_arg unreg;
		struct uffdwp_arm_arg arm;
		struct uffdwp_scan_arg scan;
		struct uffdwp_stats_arg stats;
		struct uffdwp_disarm_arg disarm;
		struct uffdwp_ring_arg ring;
		struct uffdwp_ring_reset_arg ring_reset;
		struct uffdwp_follow_arg follow;
		struct uffdwp_events_arg events;
		struct uffdwp_claim_arg claim;
		char bytes[256];
	};
};

/* Where a structure can be, of one thread: memory that ends, and memory that is read-only. */
struct places {
	char *args;
	char *end;
	char *read_only;
	struct uffdwp_region *vec;
};

struct places places_of_thread(int thread);
/* What a thread knows that requests may be about. */
struct known {
	int pidfd;
	int uffd;
	uint64_t upto;
	uint64_t id;
};
/* A request that may be right, bent or not; what is to be passed to ioctl() is in it. */
void make_request(struct request *r, enum command command, const struct known *known,
		  const struct places *places, uint64_t *chance);

/* honest.c: 0, or pages that were written and not reported, as bits */
int honest_begin(pid_t target);
uint64_t honest_look(int tracker, uint64_t *chance);

#endif /* HOSTILE_H */
