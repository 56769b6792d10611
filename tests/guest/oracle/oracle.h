/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: random sequences of everything that can happen to tracked memory, and a model that
 * knows what a scan may say after them.
 *
 *	actor		whose memory is tracked: this process, or another one. Does what it is
 *			ordered to do (actor.c) to its areas, one for each kind of memory (area.c).
 *	model		a mirror of that memory, updated only with what scans report, and for each
 *			page why it may read as written without having changed (model.c).
 *	harvest		scans, and what must be true of their answers (harvest.c).
 *	events		what happens, chosen by a seed (events.c, world.c).
 *
 * One operation follows the other, and the choices of operation N depend on the seed and N and on
 * what was chosen before, never on what the kernel did. So a seed repeats its sequence.
 */
#ifndef GUEST_ORACLE_H
#define GUEST_ORACLE_H

#include <inttypes.h>

#include "ring.h"
#include "support.h"
#include "unserved.h"

/* ---- areas */

enum kind {
	KIND_ANON,
	KIND_STACK,		/* grows down */
	KIND_BRK,
	KIND_THP,
	KIND_SHMEM,
	KIND_SHMEM_PRIVATE,	/* private mapping of a memfd */
	KIND_SHMEM_HUGE,
	KIND_HUGETLB,
	KIND_HUGETLB_PRIVATE,
	KIND_DISK,		/* an ordinary file */
	KIND_DISK_PRIVATE,
	KINDS,
};

#define BIT_OF(kind)	(1u << (kind))
#define OF_HUGETLB	(BIT_OF(KIND_HUGETLB) | BIT_OF(KIND_HUGETLB_PRIVATE))
#define OF_SHMEM	(BIT_OF(KIND_SHMEM) | BIT_OF(KIND_SHMEM_PRIVATE) | BIT_OF(KIND_SHMEM_HUGE))
#define OF_ANON		(BIT_OF(KIND_ANON) | BIT_OF(KIND_STACK) | BIT_OF(KIND_BRK) | \
			 BIT_OF(KIND_THP))
#define OF_DISK		(BIT_OF(KIND_DISK) | BIT_OF(KIND_DISK_PRIVATE))
#define OF_SHARED	(BIT_OF(KIND_SHMEM) | BIT_OF(KIND_SHMEM_HUGE) | BIT_OF(KIND_HUGETLB) | \
			 BIT_OF(KIND_DISK))
#define OF_FILE		(OF_SHMEM | BIT_OF(KIND_HUGETLB) | OF_DISK)
#define OF_COPIED	(BIT_OF(KIND_SHMEM_PRIVATE) | BIT_OF(KIND_DISK_PRIVATE))
#define OF_ALL		((1u << KINDS) - 1)
#define OF_SMALL	(OF_ALL & ~OF_HUGETLB)
#define OF_PRIVATE	(OF_ALL & ~OF_SHARED)

/* Pages are numbered from start; [low, high) of them are mapped. */
struct area {
	char *start;
	size_t low;
	size_t high;
	int fd;			/* of the actor */
};

extern const struct kind_info {
	const char *name;
	size_t pages;		/* at most */
	size_t granule;		/* what cannot be mapped or unmapped in parts, in pages */
	unsigned int weight;	/* how often it is chosen */
} kinds[KINDS];

/* All areas but that of brk(2) lie in [SPAN, SPAN_END), each with two homes to move between. */
#define SPAN		((char *)0x100000000000)
#define SPAN_END	(SPAN + 2 * (size_t)KINDS * AREA_ROOM)
#define AREA_ROOM	(1ul << 30)

char *area_home(enum kind kind, unsigned int which);
/* Called by the actor. */
void area_make(struct area *area, enum kind kind);
int area_map(const struct area *area, enum kind kind, char *addr, size_t len);

/* ---- the actor */

enum order_what {
	ORDER_WRITE,		/* value to each byte */
	ORDER_WRITE_SAME,	/* what is there, to the first byte of each page */
	ORDER_READ,
	ORDER_READ_FILE,	/* read(2) at offset value of a file */
	ORDER_RECV,
	ORDER_MADVISE,		/* value: advice */
	ORDER_PROTECT,		/* value: PROT_* */
	ORDER_PUNCH,		/* value: offset in the file */
	ORDER_TRUNCATE,		/* to value bytes, and then to len */
	ORDER_REPLACE,		/* munmap(2) and mmap(2) at the same place */
	ORDER_RESIZE,		/* value: new length */
	ORDER_MOVE,		/* value: new address */
	ORDER_FORK,
	ORDER_CHILD_WRITE,
	ORDER_CHILD_EXIT,
	ORDER_HOLD,		/* have references of a pipe to the pages */
	ORDER_LET_GO,
};

struct order_arg {
	enum order_what what;
	enum kind kind;
	char *addr;
	size_t len;
	uint64_t value;
};

/* In memory that scanner and actor share. */
struct scene {
	struct area areas[KINDS];
	unsigned int present;	/* bits of kinds */
};

struct actor {
	pid_t pid;
	int to, from;		/* pipes, when it is another process */
	pid_t hand;		/* a process that writes into the actor's memory from outside */
	int hand_to, hand_from;
};

struct actor actor_start(struct scene *scene, bool other_process);
void actor_end(struct actor *actor, struct scene *scene);
/* 0 or errno */
int actor_do(struct actor *actor, struct scene *scene, const struct order_arg *order);
/* Written by the hand: process_vm_writev(2), or ptrace(2). 0 or errno */
int hand_do(struct actor *actor, bool with_ptrace, char *addr, size_t len, uint64_t value);

/* ---- the model */

/* Why a page may be reported without having changed since it was armed. */
enum cause {
	CAUSE_NONE,		/* armed, and nothing was done to it */
	CAUSE_NEVER_ARMED,
	CAUSE_UNTRACKED,
	CAUSE_WRITTEN,		/* with what was there, or later with it again */
	CAUSE_GRANULE,		/* something was done to another part of its huge page or granule */
	CAUSE_DISCARDED,
	CAUSE_FREED,		/* MADV_FREE */
	CAUSE_PUNCHED,
	CAUSE_POPULATED,	/* MADV_POPULATE_WRITE */
	CAUSE_KSM,
	CAUSE_HELD,		/* when it was to be armed, maybe by vmsplice(2) */
	CAUSE_HELD_BRIEFLY,	/* by the kernel, on its way between lists */
	CAUSE_CUT,		/* hugetlb or whole huge page, reported in part */
	CAUSE_DISARMED,
	CAUSE_UNPROTECTED,	/* by UFFDIO_WRITEPROTECT */
	CAUSES,
};

#define HISTORY 6

struct page {
	bool tracked;
	bool freed;		/* MADV_FREE, no write since: the kernel may take it any time */
	uint8_t cause;
	uint32_t reported;	/* number of the scan that has reported it last */
	bool was_armed;		/* when ring and scan were compared last */
	bool told;		/* since then, or before and not armed since */
	uint32_t ring_scan;	/* number of the comparison that has found it written last */
	struct {
		uint32_t operation;
		uint8_t event;
	} history[HISTORY];
};

struct model_area {
	struct page *pages;
	char *mirror;
	bool unsure;		/* mremap(2): the kernel may have taken more from the tracker */
};

enum mode {
	MODE_ZERO, MODE_MARKERS, MODE_SPARSE, MODE_OTHER, MODE_UFFD, MODE_GRANULE, MODE_WHOLE_HUGE,
};

#define ORACLE_GRANULE 64u

struct oracle {
	uint64_t seed;
	enum mode mode;
	bool trace;		/* say what is done before it is done */
	uint32_t operation;	/* that is under way */
	uint8_t event;
	uint64_t random;	/* of this operation */
	struct scene *scene;
	struct actor actor;
	int fd;			/* tracker */
	int uffd;		/* with MODE_UFFD */
	int memory;		/* /proc/PID/mem */
	struct model_area areas[KINDS];
	uint32_t scan;		/* number of the last */
	bool child, holding;
	struct area forked[KINDS];	/* as the child has them */
	uint64_t reports, changed, comparisons, untouched;
	uint64_t causes[CAUSES];
	struct tracer_ring ring;
	struct uffdwp_ring_entry *kept;	/* that were read and not reset */
	unsigned int nr_kept;
	uint32_t ring_comparisons;
	uint64_t ring_compared, ring_everything;
};

/* A part of an area, in pages. */
struct range {
	enum kind kind;
	size_t first;
	size_t pages;
};

/* Until operation ends, from 0 to n - 1. */
uint64_t choose(struct oracle *o, uint64_t n);

void model_start(struct oracle *o);
void model_end(struct oracle *o);
char *range_start(const struct oracle *o, const struct range *r);
/* Something was done to these pages. CAUSE_NONE: nothing that could make them written. */
void model_note(struct oracle *o, const struct range *r, enum cause cause);
/* How many pages are written with any of them, naturally aligned. */
size_t model_block(const struct oracle *o, enum kind kind);
/* The same, and the rest of each huge page shares its fate. */
void model_note_huge(struct oracle *o, const struct range *r, enum cause cause);
void model_untrack(struct oracle *o, const struct range *r);
/* The page at an address, or false. */
bool model_find(const struct oracle *o, uint64_t addr, enum kind *kind, size_t *index);
void model_read(const struct oracle *o, char *from, void *into, size_t pages);
void model_print_causes(const struct oracle *o);
/* A failed test with all that is known of a page. */
void oracle_fail(const struct oracle *o, enum kind kind, size_t index, const char *what);

/* ---- harvest */

struct scan_plan {
	size_t vec_len;
	uint64_t max_pages;
	uint64_t more_categories;
	bool reset;
	bool vec_faults;	/* in its middle */
	unsigned int calls;	/* at most */
};

void harvest(struct oracle *o, char *start, char *end, const struct scan_plan *plan);
/* Everything, with reset. */
void harvest_all(struct oracle *o);
/* After harvest_all(): mirror and memory are the same. */
void compare(struct oracle *o);
void compare_range(struct oracle *o, const struct range *r);
/* Something else than a scan has armed the range: what it holds now is what is remembered. */
void harvest_armed(struct oracle *o, const struct range *r, uint64_t held_before);

/* ---- the ring */

void ring_start(struct oracle *o);
void ring_end(struct oracle *o);
/* After an operation: compared with a scan, or not. */
void ring_happen(struct oracle *o);

/* ---- events */

struct event {
	const char *name;
	unsigned int weight;
	unsigned int kinds;
	void (*run)(struct oracle *o, const struct event *event);
	uint64_t value;
	enum cause cause;
};

extern const struct event memory_events[], world_events[];
extern const size_t memory_events_count, world_events_count;

const char *event_name(unsigned int event);
/* One more operation. */
void event_happen(struct oracle *o);

struct range choose_range(struct oracle *o, unsigned int of_kinds, size_t pages);
/* The same, of whole granules. */
struct range choose_granules(struct oracle *o, unsigned int of_kinds, size_t pages);
/* The same, to become a mapping of its own. */
struct range choose_mapping(struct oracle *o, unsigned int of_kinds, size_t pages);
int order(struct oracle *o, enum order_what what, const struct range *r, uint64_t value);
void order_ok(struct oracle *o, enum order_what what, const struct range *r, uint64_t value);
void write_somewhere(struct oracle *o, const struct range *r);

/* Says what this machine does not have, and switches off what would need it. */
void world_start(void);
void world_end(void);
extern bool world_has_swap, world_has_ksm, world_has_nodes, world_has_shmem, world_has_hugetlb;
extern bool world_has_disk;
extern bool world_splits_hugetlb;
/* Does this kernel know this advice of madvise(2)? */
bool world_has_advice(int advice);

#endif /* GUEST_ORACLE_H */
