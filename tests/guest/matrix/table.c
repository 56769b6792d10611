// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table: data only. The first row that names the kind and the state counts; where no row does,
 * they do not go together.
 */
#include "matrix.h"

#define EVERY	ALL_OF(KINDS)
#define SMALL	(ONLY(ANON) | ONLY(MARKERS) | ONLY(STACK) | ONLY(HEAP))
/* Shared mappings of files, and private ones, of small pages. */
#define OF_FILE	(ONLY(SHMEM) | ONLY(DISK))
#define COPIED	(ONLY(SHMEM_PRIVATE) | ONLY(DISK_PRIVATE))
#define FILES	(OF_FILE | COPIED)
#define DISKS	(ONLY(DISK) | ONLY(DISK_PRIVATE))
#define SHARED	(OF_FILE | ONLY(HUGETLB))
#define PRIVATE	(EVERY & ~SHARED)
#define HUGETLBS (ONLY(HUGETLB) | ONLY(HUGETLB_PRIVATE))
#define THPS	(ONLY(THP) | ONLY(HUGE_ZERO))
/* What mremap() can be asked to move: the stack is in use, the heap belongs to the C library. */
#define MOVABLE	(EVERY & ~(ONLY(STACK) | ONLY(HEAP)))

#define EVER	ALL_OF(STATES)
#define CLOSED	(ONLY(NO_ACCESS) | ONLY(THEN_NO_ACCESS))
#define NOT_DEAD (EVER & ~ONLY(POISONED))
/* Of an ordinary file: a page that is not in the page cache, or may not be. */
/* Can be read and written. */
#define OPEN	(NOT_DEAD & ~CLOSED)
/* Nothing moves any more. */
#define AT_REST	(NOT_DEAD & ~ONLY(MOVING))

const struct kind_row matrix_kinds[KINDS] = {
	[ANON] = { "anon", "an", "private anonymous memory" },
	[MARKERS] = { "markers", "ma", "the same, tracked with UFFDWP_UNPOP_MARKER",
		      .needs_feature = UFFDWP_FEATURE_UNPOP_MARKER },
	[THP] = { "thp", "th", "private anonymous memory in transparent huge pages" },
	[HUGE_ZERO] = { "hugezero", "hz", "the huge zero page" },
	[SHMEM] = { "shmem", "sh", "shared memory: memfd, tmpfs", UFFDWP_KIND_SHMEM, 0 },
	[SHMEM_PRIVATE] = { "shmempriv", "sp", "a private mapping of shared memory",
			    UFFDWP_KIND_SHMEM, 0 },
	[DISK] = { "file", "fi", "a shared mapping of another file", UFFDWP_KIND_FILE, 0 },
	[DISK_PRIVATE] = { "filepriv", "fp", "a private mapping of another file",
			   UFFDWP_KIND_FILE, 0 },
	[HUGETLB] = { "hugetlb", "hu", "shared hugetlb pages of 2 MiB", UFFDWP_KIND_HUGETLB, 0 },
	[HUGETLB_PRIVATE] = { "hugetlbpriv", "hp", "private hugetlb pages of 2 MiB",
			      UFFDWP_KIND_HUGETLB, 0 },
	[STACK] = { "stack", "st", "the stack of the first thread" },
	[HEAP] = { "heap", "he", "the brk heap" },
	[SPARSE] = { "sparse", "sa", "private anonymous memory, tracked with UFFDWP_UNPOP_SPARSE",
		     .needs_feature = UFFDWP_FEATURE_UNPOP_SPARSE },
};

const char *const matrix_states[STATES] = {
	[NO_TABLE] = "no page table",
	[NONE] = "nothing in the table",
	[ZERO] = "zero page",
	[OWN] = "page of its own",
	[FROM_FILE] = "page of the file",
	[HOLES] = "file with holes",
	[FORKED] = "shared with a child",
	[MERGED] = "merged by KSM",
	[SWAPPED] = "swapped out",
	[MOVING] = "under migration",
	[MARKER] = "marker",
	[NO_ACCESS] = "PROT_NONE",
	[HINTED] = "waits for a NUMA hint",
	[POISONED] = "poisoned",
	[BORN] = "born while all is followed",
	[THEN_FORKED] = "armed, then shared with a child",
	[THEN_SWAPPED] = "armed, then swapped out",
	[THEN_MOVED] = "armed, then migrated",
	[THEN_NO_ACCESS] = "armed, then PROT_NONE",
	[THEN_HINTED] = "armed, then waits for a NUMA hint",
};

const char *const matrix_events[EVENTS] = {
	[NOTHING] = "nothing",
	[WRITE] = "write",
	[OTHER_CPU_WRITE] = "write by a thread that has the translation",
	[READ_WRITE] = "read(2) into it",
	[RECV] = "recv(2) into it",
	[VM_WRITEV] = "process_vm_writev(2)",
	[POKEDATA] = "PTRACE_POKEDATA",
	[POKE_READ_ONLY] = "mprotect(2) read-only, PTRACE_POKEDATA",
	[DIRECT_READ] = "O_DIRECT read into it",
	[READ] = "read",
	[FORK_PARENT] = "fork(2), write",
	[FORK_CHILD] = "fork(2), write by the child",
	[PROTECT_RO] = "mprotect(2) read-only and back, write",
	[PROTECT_NONE] = "mprotect(2) PROT_NONE and back, write",
	[GROW] = "mremap(2) that grows",
	[SHRINK] = "mremap(2) that shrinks",
	[MOVE] = "mremap(2) that moves",
	[ABSORBED] = "mremap(2) of memory to its end",
	[DONTUNMAP] = "MREMAP_DONTUNMAP",
	[DONTNEED] = "MADV_DONTNEED",
	[LAZY_FREE] = "MADV_FREE",
	[FREED] = "MADV_FREE, reclaimed",
	[REMOVE] = "MADV_REMOVE",
	[GUARD] = "MADV_GUARD_INSTALL",
	[POPULATE] = "MADV_POPULATE_WRITE",
	[LOCK] = "mlock(2), mlockall(2)",
	[LOCK_ON_FAULT] = "mlock2(2) MLOCK_ONFAULT",
	[COLLAPSE] = "MADV_COLLAPSE",
	[COLLAPSE_WRITE] = "MADV_COLLAPSE, write",
	[PAGEOUT] = "MADV_PAGEOUT",
	[COLD] = "MADV_COLD",
	[SWAP_IN] = "MADV_PAGEOUT, read",
	[KSM_MERGE] = "merged by KSM",
	[KSM_KEEP] = "merged by KSM, the page that is kept",
	[KSM_BREAK] = "merged by KSM, write",
	[HINT_READ] = "NUMA hinting fault, read",
	[HINT_WRITE] = "NUMA hinting fault, write",
	[MIGRATE] = "move_pages(2)",
	[MIGRATE_WRITE] = "move_pages(2), write",
	[COMPACT] = "compaction",
	[KHUGEPAGED] = "khugepaged",
	[TRUNCATE] = "ftruncate(2) and back",
	[TRUNCATE_PART] = "ftruncate(2) inside a page and back",
	[PUNCH] = "hole punched in the file",
	[PUNCH_PART] = "hole punched inside of pages",
	[ZERO_RANGE] = "FALLOC_FL_ZERO_RANGE",
	[COLLAPSE_RANGE] = "FALLOC_FL_COLLAPSE_RANGE",
	[INSERT_RANGE] = "FALLOC_FL_INSERT_RANGE",
	[WRITEBACK] = "written back",
	[WRITEBACK_WRITE] = "written back, write",
	[WRITE_WRITEBACK] = "write, written back",
	[POISON] = "memory failure",
	[SOFT_OFFLINE] = "MADV_SOFT_OFFLINE",
	[UNPROTECT] = "UFFDIO_WRITEPROTECT off",
	[REREGISTER] = "unregistered, registered again",
	[REOPEN] = "tracker closed, another opened",
	[FOREIGN_BITS] = "another userfaultfd's protection",
	[MAPPED_ANEW] = "munmap(2), mapped anew",
	[EXEC] = "execve(2)",
	[EXIT] = "exit(2)",
};

const char *const matrix_mistakes[MISTAKES] = {
	[HUGE_ZERO_SPLIT] = "the bit was lost when the huge zero page was split",
	[WRITE_PERMISSION_RESTORED] =
		"mprotect(2) or a NUMA hint restored write permission behind the bit",
	[KHUGEPAGED_FILLS_HOLES] = "khugepaged filled the holes of an armed file",
	[DEFERRED_FLUSH] = "a TLB flush was deferred past a fault: also tested in all interleavings of two tasks",
	[BITS_LEFT_BEHIND] = "the bit stayed behind after unregister, close or mremap(2)",
	[FORCED_BY_DIRTY] =
		"a write by force to read-only memory went by the dirty bit: also tested in all interleavings of two tasks",
};

/* ---- states. Faults: of the first write to one page. */

/* To the kernel stack and heap are anonymous memory like any other: not in every state. */
#define ANONYMOUS (ONLY(ANON) | ONLY(MARKERS))

#define HELD_WHY "held by the kernel while it was armed, on its way to another node"
#define POISON_WHY "taken for poisoned"

static const struct state_row states[] = {
	{ NO_TABLE, ONLY(ANON), P | Z, W | S, 1, NULL },
	{ NO_TABLE, ONLY(SPARSE), 0, W | S, 1, NULL },
	{ NO_TABLE, ONLY(MARKERS) | FILES, S, W | P, 2, NULL },
	{ NO_TABLE, HUGETLBS, S | H, W | P, 3, NULL },

	{ NONE, (SMALL | ONLY(SPARSE)) & ~ONLY(MARKERS), P | Z, W | S, 1, NULL },
	{ NONE, ONLY(MARKERS) | FILES, S, W | P, 2, NULL },
	{ NONE, HUGETLBS, S | H, W | P, 3, NULL },

	{ ZERO, SMALL | ONLY(SPARSE), P | Z, W | S | H, 1, NULL },
	{ ZERO, ONLY(HUGE_ZERO), P | Z | H, W | S, 1, NULL },

	{ OWN, SMALL | COPIED, P, W | Z | F | H | S, 1, NULL },
	{ OWN, ONLY(THP), P | H, W | Z | F | S, 1, NULL },
	{ OWN, OF_FILE, P | F, W | Z | H | S, 1, NULL },
	{ OWN, ONLY(HUGETLB), P | F | H, W | S, 2, NULL },
	{ OWN, ONLY(HUGETLB_PRIVATE), P | H, W | F | S, 2, NULL },

	{ FROM_FILE, FILES, P | F, W | S | H, 1, NULL },
	{ FROM_FILE, ONLY(HUGETLB), P | F | H, W | S, 2, NULL },
	{ FROM_FILE, ONLY(HUGETLB_PRIVATE), P | H, W | F | S, 2, NULL },

	{ HOLES, ONLY(SHMEM), 0, W | H, -1, NULL },

	{ FORKED, ANONYMOUS | COPIED, P, W | Z | F | H | S, 1, NULL },
	{ FORKED, ONLY(THP), P | H, W | F | S, 1, NULL },
	{ FORKED, OF_FILE, P | F, W | H | S, 1, NULL },
	{ FORKED, ONLY(HUGETLB), P | F | H, W | S, 2, NULL },
	{ FORKED, ONLY(HUGETLB_PRIVATE), P | H, W | F | S, 2, NULL },

	{ MERGED, ANONYMOUS | COPIED, P, W | Z | F | S, 1, NULL },

	/*
	 * do_swap_page() maps what nobody else has itself and takes the write for done, but for
	 * pte_swp_uffd_wp() it protects the entry again: the second fault is that of an armed
	 * page. (It would go on to do_wp_page() in the same fault for a page that somebody shares.)
	 * Of a shared file there is a marker, and do_set_pte() protects what it maps for it.
	 */
	{ SWAPPED, SMALL | COPIED, S, W | P, 2, NULL },
	{ SWAPPED, OF_FILE, S, W | P, 2, NULL },

	{ MOVING, ANONYMOUS | ONLY(SHMEM), P, Z | S, -1, HELD_WHY },

	{ MARKER, ONLY(MARKERS) | FILES, S, W | P, 2, NULL },

	{ NO_ACCESS, ANONYMOUS | COPIED, P, W | Z | F | S, 1, NULL },
	{ NO_ACCESS, ONLY(THP), P | H, W | F | S, 1, NULL },
	{ NO_ACCESS, OF_FILE, P | F, W | S, 1, NULL },
	{ NO_ACCESS, ONLY(HUGETLB), P | F | H, W | S, 2, NULL },
	{ NO_ACCESS, ONLY(HUGETLB_PRIVATE), P | H, W | F | S, 2, NULL },

	/*
	 * The hint takes a fault of its own. Memory of files gets none: vma_policy_mof() asks the
	 * file for its policy (shmem_get_policy()), and without mbind(2) it has none.
	 */
	{ HINTED, ANONYMOUS, P, W | Z | F | S, 2, NULL },

	{ POISONED, ANONYMOUS | ONLY(SHMEM), W, P, -1, POISON_WHY },

	{ BORN, (SMALL & ~ONLY(STACK)) | ONLY(SPARSE) | COPIED, P, W | Z | F | H | S, 1, NULL },
	{ BORN, ONLY(THP), P | H, W | Z | F | S, 1, NULL },
	{ BORN, OF_FILE, P | F, W | Z | H | S, 1, NULL },
	{ BORN, ONLY(HUGETLB), P | F | H, W | S, 2, NULL },
	{ BORN, ONLY(HUGETLB_PRIVATE), P | H, W | F | S, 2, NULL },

	{ THEN_FORKED, SMALL | COPIED, P, W | Z | F | H | S, 1, NULL },
	{ THEN_FORKED, ONLY(THP), P | H, W | F | S, 1, NULL },
	{ THEN_FORKED, OF_FILE, P | F, W | H | S, 1, NULL },
	{ THEN_FORKED, ONLY(HUGETLB), P | F | H, W | S, 2, NULL },
	{ THEN_FORKED, ONLY(HUGETLB_PRIVATE), P | H, W | F | S, 2, NULL },

	{ THEN_SWAPPED, SMALL | COPIED, S, W | P, 2, NULL },
	{ THEN_SWAPPED, OF_FILE, S, W | P, 2, NULL },

	{ THEN_MOVED, ANONYMOUS | COPIED, P, W | Z | F | S, 1, NULL },
	{ THEN_MOVED, ONLY(THP), P | H, W | F | S, 1, NULL },
	{ THEN_MOVED, OF_FILE, P | F, W | S, 1, NULL },

	{ THEN_NO_ACCESS, ANONYMOUS | COPIED, P, W | Z | F | S, 1, NULL },
	{ THEN_NO_ACCESS, ONLY(THP), P | H, W | F | S, 1, NULL },
	{ THEN_NO_ACCESS, OF_FILE, P | F, W | S, 1, NULL },
	{ THEN_NO_ACCESS, ONLY(HUGETLB), P | F | H, W | S, 2, NULL },
	{ THEN_NO_ACCESS, ONLY(HUGETLB_PRIVATE), P | H, W | F | S, 2, NULL },

	{ THEN_HINTED, SMALL, P, W | Z | F | S, 2, NULL },
};

/* ---- events */

#define DISCARD_WHY	"what is thrown away counts as written, whatever it was"
#define POPULATE_WHY	"MADV_POPULATE_WRITE takes the faults of a write"
#define LOCK_WHY	"mlock(2) takes the faults of a write in private memory that may be written to"
#define GUARD_WHY	"a guard page has lost its content, and is GUARD, too"
#define KSM_WHY		"KSM has put another page with the same content in its place"
#define HAND_WHY	"protection was taken away by hand"
#define GROWN_WHY	"what a mapping has grown by was never armed"
#define ENDED_WHY	"tracking ends when memory is moved: it is UNTRACKED where it is now"
#define MOVED_OFF_WHY	"what was moved away is not there any more"
#define HOLE_WHY	"a hole in the file is written, also below a private copy that stays"
#define RANGE_WHY	"what was moved inside of the file is written, and all behind it"
#define FOLLOWED_WHY	"what is moved while all is followed is written where it is now"
#define ANEW_WHY	"memory that is mapped anew was never armed"
#define UNFOLLOWED_WHY	"memory that is mapped anew is UNTRACKED, unless all is followed"
#define FRESH_WHY	"newly registered memory was never armed"
#define CHILD_WHY	"the write of another address space to shared memory is not seen"

/* A row of a write. */
#define WRITES(event, kinds, states, faults, mistake) \
	{ event, kinds, states, HIT, W | P, Z | S, 0, faults, 0, NULL, mistake }

static const struct event_row events[] = {
	{ NOTHING, EVERY, EVER, ALL, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },

	/* Its neighbours are the rest of the huge zero page. */
	WRITES(WRITE, ONLY(HUGE_ZERO), OPEN, 0, HUGE_ZERO_SPLIT),
	WRITES(WRITE, EVERY, OPEN, 0, NO_MISTAKE),
	WRITES(OTHER_CPU_WRITE, EVERY & ~ONLY(HUGE_ZERO), ONLY(OWN), -1, DEFERRED_FLUSH),
	WRITES(READ_WRITE, EVERY, OPEN, -1, NO_MISTAKE),
	WRITES(RECV, EVERY, OPEN, -1, NO_MISTAKE),
	WRITES(VM_WRITEV, EVERY, OPEN, -1, NO_MISTAKE),
	/* A tracer may write to private memory that its owner may not. */
	WRITES(POKEDATA, PRIVATE & ~HUGETLBS, NOT_DEAD, -1, NO_MISTAKE),
	WRITES(POKEDATA, SHARED | HUGETLBS, OPEN, -1, NO_MISTAKE),
	WRITES(POKE_READ_ONLY, PRIVATE & ~HUGETLBS, NOT_DEAD, -1, FORCED_BY_DIRTY),
	WRITES(DIRECT_READ, EVERY, OPEN, -1, NO_MISTAKE),

	{ READ, EVERY, OPEN & ~ONLY(MOVING), HIT, P, W | S, 0, 0, 0, NULL, NO_MISTAKE },

	WRITES(FORK_PARENT, EVERY, OPEN, -1, NO_MISTAKE),
	{ FORK_CHILD, PRIVATE, OPEN, HIT, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },
	{ FORK_CHILD, SHARED, OPEN & ~ONLY(MOVING), HIT, 0, W, P | S, 0, AS_STATE | ELSEWHERE,
	  CHILD_WHY, NO_MISTAKE },

	WRITES(PROTECT_RO, EVERY, NOT_DEAD, -1, WRITE_PERMISSION_RESTORED),
	WRITES(PROTECT_NONE, EVERY, NOT_DEAD, -1, WRITE_PERMISSION_RESTORED),

	{ GROW, ANONYMOUS | ONLY(SPARSE) | ONLY(THP) | FILES, AT_REST, BEYOND, W, U, 0, 0, 0,
	  GROWN_WHY, NO_MISTAKE },
	{ SHRINK, MOVABLE & ~(HUGETLBS | THPS), AT_REST, UPPER_HALF, U, W | P | S, 0, 0,
	  OUT_OF_REACH, NULL, NO_MISTAKE },
	{ MOVE, MOVABLE, ONLY(BORN), ALL, W, U, 0, 0, OUT_OF_REACH | TOLD, FOLLOWED_WHY,
	  BITS_LEFT_BEHIND },
	{ MOVE, MOVABLE, AT_REST, ALL, U | W, 0, 0, 0, OUT_OF_REACH, ENDED_WHY,
	  BITS_LEFT_BEHIND },
	/* Only mappings with the same permissions become one. */
	{ ABSORBED, ANONYMOUS | ONLY(SPARSE), AT_REST & ~(CLOSED | ONLY(MERGED) | ONLY(BORN)), ALL,
	  U | W, 0,
	  0, 0, OUT_OF_REACH, ENDED_WHY, BITS_LEFT_BEHIND },
	/* Nothing was there, and nothing is. */
	{ DONTUNMAP, ONLY(SPARSE), ONLY(NO_TABLE), ALL, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },
	{ DONTUNMAP, MOVABLE & ~HUGETLBS, AT_REST, ALL, W, P | S, 0, 0, 0, MOVED_OFF_WHY,
	  NO_MISTAKE },

	{ DONTNEED, ONLY(HUGE_ZERO), NOT_DEAD, HIT, W, P | S, 0, 0, 0, DISCARD_WHY,
	  HUGE_ZERO_SPLIT },
	{ DONTNEED, EVERY, NOT_DEAD, HIT, W, P | S, 0, 0, 0, DISCARD_WHY, NO_MISTAKE },

	{ LAZY_FREE, SMALL | THPS, ONLY(SWAPPED) | ONLY(THEN_SWAPPED), HIT, W, P | S, 0, 0, 0,
	  DISCARD_WHY, NO_MISTAKE },
	{ LAZY_FREE, SMALL | THPS, NOT_DEAD, HIT, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },
	{ FREED, SMALL, ONLY(OWN) | ONLY(THEN_MOVED), HIT, W, P | S, 0, 0, 0, DISCARD_WHY,
	  NO_MISTAKE },
	{ REMOVE, SHARED, OPEN, HIT, W, P | S, 0, 0, 0, DISCARD_WHY, NO_MISTAKE },

	{ GUARD, EVERY & ~HUGETLBS, NOT_DEAD, HIT, W | S | G, P | F | H | Z, 0, 0, OUT_OF_REACH,
	  GUARD_WHY, NO_MISTAKE },

	{ POPULATE, EVERY, OPEN, HIT, W | P, Z | S, 0, 0, 0, POPULATE_WHY, NO_MISTAKE },
	/*
	 * populate_vma_page_range() faults for writing where a write would break COW: in writable
	 * private mappings. With VM_LOCKONFAULT it does nothing.
	 */
	{ LOCK, PRIVATE, OPEN, HIT, W | P, Z | S, 0, 0, 0, LOCK_WHY, NO_MISTAKE },
	{ LOCK, SHARED, OPEN & ~ONLY(MOVING), HIT, P, W | S, 0, 0, 0, NULL, NO_MISTAKE },
	/* Linux 5.10 says ENOMEM of what cannot be accessed. */
	{ LOCK_ON_FAULT, EVERY & ~HUGETLBS, OPEN, HIT, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },
	/* mlock_fixup() gives these no flag, and so they are populated all the same. */
	{ LOCK_ON_FAULT, ONLY(HUGETLB_PRIVATE), OPEN, HIT, W | P, Z | S, 0, 0, 0, LOCK_WHY,
	  NO_MISTAKE },
	{ LOCK_ON_FAULT, ONLY(HUGETLB), OPEN, HIT, P, W | S, 0, 0, 0, NULL, NO_MISTAKE },

	{ COLLAPSE, ONLY(ANON) | ONLY(MARKERS),
	  ONLY(OWN) | ONLY(NONE) | ONLY(ZERO) | ONLY(SWAPPED), ALL, 0, W, P | S | F | H | Z, 0,
	  WIDE | AS_STATE, NULL, NO_MISTAKE },
	{ COLLAPSE, ONLY(SHMEM), ONLY(OWN) | ONLY(NONE) | ONLY(HOLES) | ONLY(FROM_FILE), ALL, 0, W,
	  P | S | F | H | Z, 0, WIDE | AS_STATE, NULL, KHUGEPAGED_FILLS_HOLES },
	{ COLLAPSE_WRITE, ONLY(ANON) | ONLY(MARKERS) | ONLY(SHMEM),
	  ONLY(OWN) | ONLY(NONE) | ONLY(HOLES), HIT, W | P, 0, P | S | F | H | Z, -1, WIDE, NULL,
	  NO_MISTAKE },
	{ KHUGEPAGED, ONLY(ANON) | ONLY(MARKERS), ONLY(OWN) | ONLY(NONE), ALL, 0, W,
	  P | S | F | H | Z, 0, WIDE | AS_STATE, NULL, NO_MISTAKE },
	{ KHUGEPAGED, ONLY(SHMEM), ONLY(OWN) | ONLY(HOLES), ALL, 0, W, P | S | F | H | Z, 0,
	  WIDE | AS_STATE, NULL, KHUGEPAGED_FILLS_HOLES },

	{ PAGEOUT, SMALL | FILES, ONLY(OWN) | ONLY(THEN_MOVED), HIT, S, W | P, 0, 0, 0, NULL,
	  NO_MISTAKE },
	{ PAGEOUT, FILES, ONLY(FROM_FILE), HIT, S, W | P, 0, 0, 0, NULL, NO_MISTAKE },
	{ COLD, EVERY & ~HUGETLBS, OPEN, HIT, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },
	{ SWAP_IN, SMALL | FILES, ONLY(OWN) | ONLY(THEN_MOVED), HIT, P, W | S, 0, 0, 0, NULL,
	  NO_MISTAKE },

	/*
	 * Of two equal pages the one that ksmd comes to last becomes the merged page, and
	 * write_protect_page() keeps its bit; the entry of the other is made anew from the
	 * mapping's permissions (replace_page()), and so is that of every page that is merged with
	 * these later.
	 */
	{ KSM_MERGE, SMALL | COPIED, ONLY(OWN) | ONLY(THEN_MOVED), HIT, W | P, 0, 0, 0,
	  0, KSM_WHY, NO_MISTAKE },
	{ KSM_KEEP, SMALL | COPIED, ONLY(OWN) | ONLY(THEN_MOVED), HIT, P, W, 0, 0, 0,
	  NULL, NO_MISTAKE },
	{ KSM_BREAK, SMALL | COPIED, ONLY(OWN) | ONLY(THEN_MOVED), HIT, W | P, 0, 0,
	  -1, 0, NULL, NO_MISTAKE },

	{ HINT_READ, SMALL, ONLY(OWN), HIT, P, W | S, 0, 0, 0, NULL,
	  WRITE_PERMISSION_RESTORED },
	WRITES(HINT_WRITE, SMALL, ONLY(OWN), 2, WRITE_PERMISSION_RESTORED),

	{ MIGRATE, EVERY & ~ONLY(HUGE_ZERO), ONLY(OWN) | ONLY(FROM_FILE) | ONLY(THEN_MOVED), HIT,
	  P, W | S, 0, 0, 0, NULL, NO_MISTAKE },
	WRITES(MIGRATE_WRITE, EVERY & ~ONLY(HUGE_ZERO),
	       ONLY(OWN) | ONLY(FROM_FILE) | ONLY(THEN_MOVED), -1, NO_MISTAKE),
	{ COMPACT, EVERY, ONLY(OWN) | ONLY(ZERO), HIT, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },

	{ TRUNCATE, FILES | ONLY(HUGETLB), NOT_DEAD & ~ONLY(MOVING), FROM_HIT, W, P | S, 0, 0, 0,
	  HOLE_WHY, NO_MISTAKE },
	{ TRUNCATE_PART, FILES, NOT_DEAD & ~ONLY(MOVING), FROM_HIT, W, 0, 0, 0, 0, HOLE_WHY,
	  NO_MISTAKE },
	{ PUNCH, SHARED, NOT_DEAD & ~ONLY(MOVING), HIT, W, P | S, 0, 0, 0, HOLE_WHY, NO_MISTAKE },
	{ PUNCH, COPIED, NOT_DEAD, HIT, W, 0, 0, 0, 0, HOLE_WHY, NO_MISTAKE },
	{ PUNCH_PART, FILES | ONLY(HUGETLB), NOT_DEAD & ~ONLY(MOVING), HIT, W, 0, 0, 0, 0,
	  HOLE_WHY, NO_MISTAKE },

	{ ZERO_RANGE, DISKS, NOT_DEAD, HIT, W, 0, 0, 0, 0, HOLE_WHY, NO_MISTAKE },
	{ COLLAPSE_RANGE, DISKS, NOT_DEAD, FROM_HIT, W, 0, 0, 0, 0, RANGE_WHY, NO_MISTAKE },
	{ INSERT_RANGE, DISKS, NOT_DEAD, FROM_HIT, W, 0, 0, 0, 0, RANGE_WHY, NO_MISTAKE },
	{ WRITEBACK, DISKS, NOT_DEAD, ALL, 0, 0, 0, 0, AS_STATE, NULL, NO_MISTAKE },
	WRITES(WRITEBACK_WRITE, DISKS, OPEN, 0, NO_MISTAKE),
	WRITES(WRITE_WRITEBACK, DISKS, OPEN, 0, NO_MISTAKE),

	{ POISON, SMALL | FILES | ONLY(THP), ONLY(OWN), FIRST, W, P, 0, 0, OUT_OF_REACH,
	  POISON_WHY, NO_MISTAKE },
	{ SOFT_OFFLINE, SMALL | FILES, ONLY(OWN), FIRST, P, W | S, 0, 0, 0, NULL, NO_MISTAKE },

	/* A tracker of somebody's userfaultfd follows nothing. */
	{ UNPROTECT, EVERY & ~(HUGETLBS | ONLY(SPARSE)), NOT_DEAD & ~ONLY(BORN), HIT, W, 0, 0, 0,
	  HANDED_IN, HAND_WHY, NO_MISTAKE },
	{ REREGISTER, EVERY, AT_REST, ALL, W, U, 0, 0, 0, FRESH_WHY, BITS_LEFT_BEHIND },
	/* A child that has inherited the tracker would keep it open. */
	{ REOPEN, EVERY, AT_REST & ~ONLY(THEN_FORKED), ALL, W, U, 0, 0, 0, FRESH_WHY,
	  BITS_LEFT_BEHIND },
	{ FOREIGN_BITS, EVERY & ~DISKS, AT_REST & ~ONLY(THEN_FORKED), ALL, W, U, 0, 0, 0, FRESH_WHY,
	  BITS_LEFT_BEHIND },

	/*
	 * By the contract of sparse memory what is new is zeroes, and not written: the event says
	 * that what was there is gone.
	 */
	{ MAPPED_ANEW, ONLY(SPARSE), ONLY(BORN), HIT, 0, W | U, P | Z, 0, TOLD, NULL, NO_MISTAKE },
	{ MAPPED_ANEW, MOVABLE, ONLY(BORN), HIT, W, U, 0, 0, TOLD, ANEW_WHY, NO_MISTAKE },
	{ MAPPED_ANEW, MOVABLE, AT_REST, HIT, W | U, 0, 0, 0, OUT_OF_REACH, UNFOLLOWED_WHY,
	  NO_MISTAKE },

	{ EXEC, EVERY, ONLY(OWN) | ONLY(ZERO), ALL, 0, 0, 0, 0, ENDS, NULL, NO_MISTAKE },
	{ EXIT, EVERY, ONLY(OWN) | ONLY(ZERO), ALL, 0, 0, 0, 0, ENDS, NULL, NO_MISTAKE },
};

/*
 * What older kernels forget: they take the bit away, and not only where they are asked to.
 *
 * set_pmd_migration_entry() of Linux 5.10 keeps the soft-dirty bit and not this one.
 */
static const struct forgets_row forgets[] = {
	{ { 6, 1 }, ONLY(THP), THEN_MOVED, { MIGRATE, MIGRATE_WRITE },
	  "a transparent huge page that migrates is written as a whole" },
};

const struct forgets_row *matrix_forgets_row(size_t number)
{
	return number < sizeof(forgets) / sizeof(forgets[0]) ? &forgets[number] : NULL;
}

const char *matrix_forgets(enum kind kind, enum state state, enum event event)
{
	const struct forgets_row *row;
	const enum event *e;
	size_t i;

	for (i = 0; (row = matrix_forgets_row(i)); i++) {
		if (!(row->kinds & ONLY(kind)) || !kernel_is_before(row->since[0], row->since[1]))
			continue;
		for (e = row->events; *e && *e != event; e++)
			;
		if (*e || state == row->state)
			return row->why;
	}
	return NULL;
}

const struct event_row *matrix_event_row(size_t number)
{
	return number < sizeof(events) / sizeof(events[0]) ? &events[number] : NULL;
}

const char *matrix_refusal(enum kind kind)
{
	const struct kind_row *row = &matrix_kinds[kind];
	const struct unserved *unserved = NULL;

	if (row->needs_kind || row->needs_feature)
		unserved = unserved_here(row->needs_kind, row->needs_feature);
	return unserved ? unserved->why : NULL;
}

const struct state_row *matrix_state(enum kind kind, enum state state)
{
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (states[i].state == state && (states[i].kinds & ONLY(kind)))
			return &states[i];
	return NULL;
}

const struct event_row *matrix_event(enum kind kind, enum state state, enum event event)
{
	size_t i;

	if (!matrix_state(kind, state))
		return NULL;
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i].event == event && (events[i].kinds & ONLY(kind)) &&
		    (events[i].states & ONLY(state)))
			return &events[i];
	return NULL;
}
