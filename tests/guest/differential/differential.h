/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differential test: the same happens to memory that the kernel itself tracks (userfaultfd with
 * WP_ASYNC, asked by PAGEMAP_SCAN) and to memory that the device tracks, and both must say the
 * same.
 *
 *	sides.c		memory, and how each side tracks it and is asked
 *	events.c	what happens, to both sides alike
 *	scans.c		scans of every form, whose answers must be equal to the bit
 *	known.c		where the kernel is known to say something else: one table
 *	by_hand.c	what random sequences leave out, one case each
 *
 * Before each step both sides say the same of every page. So what they say differently after it was
 * brought about by this one step; if the table has it, both are armed there and the next step
 * begins equal again, and if not, the test has failed.
 */
#ifndef GUEST_DIFFERENTIAL_H
#define GUEST_DIFFERENTIAL_H

#include "support.h"

enum kind {
	KIND_ANON,
	KIND_THP,
	KIND_SHMEM,
	KIND_SHMEM_PRIVATE,	/* private mapping of a memfd */
	KIND_HUGETLB,
	KIND_HUGETLB_PRIVATE,
	KIND_FILE,		/* of a file system that is no shared memory */
	KIND_FILE_PRIVATE,
	KINDS
};

#define BIT_OF(kind)	(1u << (kind))
#define OF_HUGETLB	(BIT_OF(KIND_HUGETLB) | BIT_OF(KIND_HUGETLB_PRIVATE))
#define OF_ORDINARY	(BIT_OF(KIND_FILE) | BIT_OF(KIND_FILE_PRIVATE))
#define OF_SHARED	(BIT_OF(KIND_SHMEM) | BIT_OF(KIND_HUGETLB) | BIT_OF(KIND_FILE))
#define OF_ANON		(BIT_OF(KIND_ANON) | BIT_OF(KIND_THP))
/* Those that have a file to make holes in. */
#define OF_FILE		(BIT_OF(KIND_SHMEM) | BIT_OF(KIND_SHMEM_PRIVATE) | BIT_OF(KIND_HUGETLB) | \
			 OF_ORDINARY)
#define OF_ALL		((1u << KINDS) - 1)
#define OF_SMALL	(OF_ALL & ~OF_HUGETLB)

extern const struct kind_info {
	const char *name;
	size_t pages;
	size_t granule;		/* of what cannot be mapped or armed in parts, in pages */
} kinds[KINDS];

#define MOST_PAGES 1024

/* ---- sides */

/*
 * What both can tell, in the values of <linux/fs.h>. Not whether huge pages are soft-dirty, since
 * what is dirty when a huge page is split becomes soft-dirty, and the kernel, where it changes
 * a protection, does not keep the dirty bit: Linux 6.12 forgets that of a huge page (pmd_modify()),
 * Linux 7.2 says of all pages of a run what is true of one (modify_prot_start_ptes()). The device
 * touches neither bit.
 */
static inline uint64_t compared(enum kind kind)
{
	const uint64_t all = (UFFDWP_PAGE_IS_SOFT_DIRTY << 1) - 1;

	return kind == KIND_THP ? all & ~UFFDWP_PAGE_IS_SOFT_DIRTY : all;
}

struct side {
	const char *name;
	bool native;
	int scan;		/* /proc/self/pagemap, or the device */
	int pagemap;
	int uffd;		/* of the kernel's side only */
	char *start;
	int file;		/* or -1 */
};

struct pair {
	enum kind kind;
	struct side sides[2];	/* the kernel's first */
};

#define NATIVE 0
#define DEVICE 1

/* Why this kernel cannot do it by itself, or NULL. */
const char *native_is_missing(void);

#define needs_native()							\
	do {								\
		if (native_is_missing())				\
			skip_because("%s", native_is_missing());	\
	} while (0)

/* NULL, or why one of them does not have memory of this kind. */
const char *pair_start(struct pair *pair, enum kind kind);
void pair_end(struct pair *pair);

/* Each returns 0 or more, or -errno. */
int side_register(const struct side *side, char *start, size_t len);
int side_unregister(const struct side *side, char *start, size_t len);
int side_arm(const struct side *side, char *start, size_t len);
int side_disarm(const struct side *side, char *start, size_t len);
int side_scan(const struct side *side, struct uffdwp_scan_arg *arg);
/* The kernel asked of the memory of any side. */
int pagemap_scan(const struct side *side, struct uffdwp_scan_arg *arg);

/*
 * The categories of each page. One that is not tracked is UNTRACKED and WRITTEN,
 * whatever else the kernel says of it.
 */
void side_look(const struct side *side, enum kind kind, uint64_t *categories);

/* ---- events */

/* One thing that happens, to pages [first, first + pages) of both sides. */
struct step {
	enum kind kind;
	const struct event *event;
	size_t first;
	size_t pages;
	uint64_t random;
};

struct event {
	const char *name;
	unsigned int weight;
	unsigned int kinds;
	unsigned int flags;
	int (*run)(const struct side *side, const struct step *step);	/* 0 or errno */
	uint64_t value;
};

#define WHOLE_HUGE	1u	/* of huge pages: whole ones */
#define NEEDS_TRACKED	2u	/* every page of the pair */
#define NEEDS_SWAP	4u
#define MAY_FAIL	8u	/* on one side and not on the other, for want of luck */
#define WHOLE_HUGETLB	16u	/* of hugetlb: the whole VMA, which the device does not split */

enum event_number {
	EVENT_WRITE,
	EVENT_READ,
	EVENT_KERNEL_WRITE,
	EVENT_FORK_CHILD_WRITES,
	EVENT_FORK_PARENT_WRITES,
	EVENT_PROTECT_RO,
	EVENT_PROTECT_NONE,
	EVENT_DONTNEED,
	EVENT_FREE,
	EVENT_PAGEOUT,
	EVENT_COLLAPSE,
	EVENT_POPULATE_READ,
	EVENT_POPULATE_WRITE,
	EVENT_PUNCH,
	EVENT_PUNCH_PART,
	EVENT_TRUNCATE,
	EVENT_REMOVE,
	EVENT_MOVE,
	EVENT_CLEAR_SOFT_DIRTY,
	EVENT_GUARD,
	EVENT_UNGUARD,
	EVENT_ARM,
	EVENT_DISARM,
	EVENT_UNREGISTER,
	EVENT_REGISTER,
	EVENT_SCAN,		/* scans.c */
	EVENT_CONTENT,		/* is compared */
	EVENTS
};

extern const struct event events[EVENTS];

/* All events but the last two; 0 or errno. */
int event_run(struct pair *pair, const struct step *step);

/* ---- scans */

/*
 * A scan whose form is chosen by chance, the same on both sides. Both say the same of every page
 * now, which is in @categories. Fails the test if they answer differently.
 */
void scan_compare(const struct pair *pair, const struct step *step, const uint64_t *categories);

/* ---- where they may differ */

/*
 * May the kernel say @native of a page of which the device says @device, because of what this step
 * has done to it? Then it is counted. Never where the kernel knows of a write and the device does
 * not.
 */
bool difference_is_known(const struct step *step, uint64_t native, uint64_t device);
/* What was seen of them. */
void differences_print(void);

/* "written, present, huge": overwritten by the fourth call from here. */
const char *words_of(uint64_t categories);

#endif /* GUEST_DIFFERENTIAL_H */
