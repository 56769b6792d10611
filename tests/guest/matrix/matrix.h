/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The matrix: every kind of memory x every state it can be in x every event between arming and the
 * scan, and what the scan then says.
 *
 *	matrix/table.c	what is expected: data only
 *	matrix/kinds.c	makes memory
 *	matrix/states.c	brings it into a state, and proves that it is in it
 *	matrix/events.c	makes something happen to it
 *	matrix/cell.c	runs one cell and compares
 *	unserved.c	what this kernel cannot serve: those kinds are tested to be refused
 *	manual.c	prints the table for uffdwp-pages(7)
 *
 * A cell is one kind, one state and one event. It is run in a process of its own.
 */
#ifndef GUEST_MATRIX_H
#define GUEST_MATRIX_H

#include "ring.h"
#include "support.h"
#include "unserved.h"

enum kind {
	ANON,			/* unpopulated memory is armed with the zero page */
	MARKERS,		/* ... or with markers */
	THP,
	HUGE_ZERO,
	SHMEM,
	SHMEM_PRIVATE,
	DISK,			/* of an ordinary file */
	DISK_PRIVATE,
	HUGETLB,
	HUGETLB_PRIVATE,
	STACK,
	HEAP,
	SPARSE,			/* as ANON, and memory without page tables is only remembered */
	KINDS
};

enum state {
	NO_TABLE,
	NONE,
	ZERO,
	OWN,
	FROM_FILE,
	HOLES,
	FORKED,
	MERGED,
	SWAPPED,
	MOVING,
	MARKER,
	NO_ACCESS,
	HINTED,
	POISONED,
	BORN,			/* mapped while the process is followed */
	/* the same, once it is armed */
	THEN_FORKED,
	THEN_SWAPPED,
	THEN_MOVED,
	THEN_NO_ACCESS,
	THEN_HINTED,
	STATES
};

enum event {
	NOTHING,
	WRITE,
	OTHER_CPU_WRITE,
	READ_WRITE,
	RECV,
	VM_WRITEV,
	POKEDATA,
	POKE_READ_ONLY,
	DIRECT_READ,
	READ,
	FORK_PARENT,
	FORK_CHILD,
	PROTECT_RO,
	PROTECT_NONE,
	GROW,
	SHRINK,
	MOVE,
	ABSORBED,
	DONTUNMAP,
	DONTNEED,
	LAZY_FREE,
	FREED,
	REMOVE,
	GUARD,
	POPULATE,
	LOCK,
	LOCK_ON_FAULT,
	COLLAPSE,
	COLLAPSE_WRITE,
	PAGEOUT,
	COLD,
	SWAP_IN,
	KSM_MERGE,
	KSM_KEEP,
	KSM_BREAK,
	HINT_READ,
	HINT_WRITE,
	MIGRATE,
	MIGRATE_WRITE,
	COMPACT,
	KHUGEPAGED,
	TRUNCATE,
	TRUNCATE_PART,
	PUNCH,
	PUNCH_PART,
	ZERO_RANGE,
	COLLAPSE_RANGE,
	INSERT_RANGE,
	WRITEBACK,
	WRITEBACK_WRITE,
	WRITE_WRITEBACK,
	POISON,
	SOFT_OFFLINE,
	UNPROTECT,
	REREGISTER,
	REOPEN,
	FOREIGN_BITS,
	MAPPED_ANEW,
	EXEC,
	EXIT,
	EVENTS
};

#define ONLY(x) (1u << (x))
#define ALL_OF(count) (ONLY(count) - 1)

/* The categories that a row speaks of. */
#define W UFFDWP_PAGE_IS_WRITTEN
#define P UFFDWP_PAGE_IS_PRESENT
#define S UFFDWP_PAGE_IS_SWAPPED
#define F UFFDWP_PAGE_IS_FILE
#define H UFFDWP_PAGE_IS_HUGE
#define Z UFFDWP_PAGE_IS_PFNZERO
#define G UFFDWP_PAGE_IS_GUARD
#define U UFFDWP_PAGE_IS_UNTRACKED

/* Which pages an event concerns; the others are its neighbours. */
enum touched {
	HIT,			/* three in the middle; one of hugetlb */
	FIRST,			/* the first of these */
	FROM_HIT,		/* these and all behind */
	UPPER_HALF,
	BEYOND,			/* what was not there when the area was armed */
	ALL,
};

/* What the tests make of a mistake that the kernel once made itself. */
enum mistake {
	NO_MISTAKE,
	HUGE_ZERO_SPLIT,
	WRITE_PERMISSION_RESTORED,
	KHUGEPAGED_FILLS_HOLES,
	DEFERRED_FLUSH,
	BITS_LEFT_BEHIND,
	FORCED_BY_DIRTY,
	MISTAKES
};

struct kind_row {
	const char *name;
	const char *column;	/* its head in the manual's tables */
	const char *words;
	uint64_t needs_kind;	/* UFFDWP_KIND_* that it is of, unless all kernels have it */
	uint64_t needs_feature;	/* UFFDWP_FEATURE_*, the same */
};

/* How memory of these kinds reads once it is armed in this state, if nothing happens. */
struct state_row {
	enum state state;
	unsigned int kinds;
	uint64_t is;
	uint64_t is_not;
	int faults;		/* of the first write to a page; -1: not determined */
	const char *why;	/* reason for WRITTEN without a write */
};

struct event_row {
	enum event event;
	unsigned int kinds;
	unsigned int states;
	enum touched touched;
	uint64_t is;		/* of the pages that it touches */
	uint64_t is_not;
	uint64_t blurs;		/* categories that it leaves undetermined everywhere */
	int faults;		/* per touched page; 0: as the state says, -1: not determined */
	unsigned int flags;
	const char *why;	/* reason for WRITTEN although nothing may have changed */
	enum mistake mistake;
};

/* What it touches reads as it did: is and is_not are those of the state, plus the row's. */
#define AS_STATE	ONLY(0)
/* What it touches cannot be written or armed again. */
#define OUT_OF_REACH	ONLY(1)
/* Memory of at least one huge page, so that it can be collapsed. */
#define WIDE		ONLY(2)
/* The tracker is given a userfaultfd. */
#define HANDED_IN	ONLY(3)
/* The address space is gone afterwards. */
#define ENDS		ONLY(4)
/* Another address space writes to what is shared; this tracker does not see it. */
#define ELSEWHERE	ONLY(5)
/* Who follows the process is told what becomes of its memory. */
#define TOLD		ONLY(6)

extern const struct kind_row matrix_kinds[KINDS];
extern const char *const matrix_states[STATES];
extern const char *const matrix_events[EVENTS];
extern const char *const matrix_mistakes[MISTAKES];

/* NULL: they do not go together. */
const struct state_row *matrix_state(enum kind kind, enum state state);
const struct event_row *matrix_event(enum kind kind, enum state state, enum event event);

/* Why this kernel cannot serve any cell of the kind, or NULL. */
const char *matrix_refusal(enum kind kind);

/* Why this kernel may say of all pages of a cell that they are WRITTEN, or NULL. */
const char *matrix_forgets(enum kind kind, enum state state, enum event event);

/* The same, row by row, for the manual; NULL after the last. */
struct forgets_row {
	unsigned int since[2];	/* the first kernel that does not */
	unsigned int kinds;
	enum state state;
	enum event events[3];	/* up to NOTHING */
	const char *why;
};

const struct forgets_row *matrix_forgets_row(size_t number);

/* Row by row, for the manual; NULL after the last. */
const struct event_row *matrix_event_row(size_t number);

/* ---- a cell that is being run */

struct area {
	enum kind kind;
	enum state state;
	enum event event;
	const struct state_row *state_row;
	const struct event_row *row;	/* NULL: the kind is refused before any event */

	char *start;
	size_t len;
	size_t unit;		/* bytes in the smallest page of the kind */
	char *hit;
	size_t hit_len;
	char *twin;		/* as much memory that is not tracked, with the same content */
	int file;		/* of shared memory, or -1 */

	int tracker;
	struct tracer_ring ring;	/* of that tracker, if one is offered */
	int uffd;		/* that was handed in, or -1 */
	bool no_access;
	bool moved;		/* to where no tracker follows, but one of all memory */
	struct peer child;	/* pid 0: none */
	uint64_t bad_frame;	/* 0: none */
	long faults;		/* that the event's writes have taken, or -1 */
	long tables;		/* KiB of page tables before it was armed */
};

/* A mapping of a file: its entries are the file's, or private copies. */
static inline bool is_shared_file(const struct area *area)
{
	return area->kind == SHMEM || area->kind == DISK;
}

static inline bool is_private_file(const struct area *area)
{
	return area->kind == SHMEM_PRIVATE || area->kind == DISK_PRIVATE;
}

#define ARENA ((char *)0x500000000000)
#define ARENA_LEN (64 * HUGE_PAGE)
/* Above the stack, and below all. */
#define TWIN_ABOVE ((char *)0x7ffffffe0000)
#define TWIN_BELOW ((char *)0x480000000000)

/* Each returns NULL, or why it cannot be done here. */
const char *area_make(struct area *area, bool wide);
const char *area_make_twin(struct area *area, char *where);
void area_fill(struct area *area);
const char *state_before_arming(struct area *area);
const char *state_after_arming(struct area *area);
void state_end(struct area *area);
const char *event_happen(struct area *area);

/* Opens, registers and arms; whatever can be armed is armed then. */
void area_track(struct area *area);
int area_open_tracker(struct area *area);
/* And its ring, which would keep it open. */
void area_close_tracker(struct area *area);

/* All faults of the calling thread, from disk or not. */
long all_faults(void);

/* How the words of a cell begin that has counted other faults than the table says. */
#define CELL_FAULTS "first writes took"

enum cell_result { CELL_PASSED, CELL_FAILED, CELL_SKIPPED };

/* Does it have the machine for itself, or may others run beside it? */
bool cell_is_alone(enum kind kind, enum state state, enum event event);

struct cell_process {
	pid_t pid;
	int says;		/* pipe from it */
};

/* Forks. */
struct cell_process cell_start(enum kind kind, enum state state, enum event event);
/* In place of all cells of a kind and state that this kernel cannot serve: is it refused? */
struct cell_process cell_start_refused(enum kind kind, enum state state);
/*
 * Of a process that has ended with this status. What went wrong, or why it was skipped, is in the
 * message.
 */
enum cell_result cell_end(struct cell_process *process, int status, char *message, size_t size);

void matrix_print_manual(void);

#endif /* GUEST_MATRIX_H */
