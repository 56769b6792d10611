/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs and the command have in common. */
#ifndef TOOLS_BLAME_COUNTS_H
#define TOOLS_BLAME_COUNTS_H

#include <linux/types.h>

/* Frames of a stack, the innermost first; a key of a map has at most 512 bytes. */
#define BLAME_FRAMES 48

/* Who writes is told apart by these, as --by says. */
enum blame_by {
	BLAME_BY_TASK,
	BLAME_BY_FUNCTION,
	BLAME_BY_STACK,
	BLAME_BY_MAPPING,
};

/* Written memory is told apart by blocks of 2 MiB. */
#define BLAME_BLOCK_SHIFT 21

/* The only element of the map "setup". */
struct blame_setup {
	__u32 tgid;	/* whose memory */
	__u32 by;	/* enum blame_by */
	__u64 start;	/* for trap: these pages */
	__u64 end;
	__u32 stack;	/* trap: with its stack */
	__u32 stop;	/* trap: from that hit on who writes is stopped; 0: none */
};

/* What is not asked for is 0. A writer that is another process has no place in this one's code. */
struct blame_key {
	__u32 tgid;
	__u32 tid;
	__u64 block;
	__u64 ip[BLAME_FRAMES];
};

struct blame_count {
	__u64 pages;
	__u64 lowest;	/* addresses that were written */
	__u64 highest;
	char comm[16];
};

/* Indices of the map "sums". */
enum blame_sum {
	BLAME_PAGES,	/* seen */
	BLAME_LOST,	/* of these, in no entry: the map was full */
	BLAME_FOREIGN,	/* of these, written by another process */
	BLAME_HITS,	/* trap: faults in the range that are told of */
	BLAME_UNTOLD,	/* trap: those that are not, since there was no room */
	BLAME_UNTIMED,	/* latency: faults whose begin was not seen */
	BLAME_SUMS
};

/* trap: an element of the ring. */
struct blame_hit {
	__u64 address;	/* of the page, or of the byte if it is known */
	__u64 exact;	/* it is */
	__u64 pages;
	__u32 tgid;
	__u32 tid;
	__u32 stopped;
	__u32 frames;
	char comm[16];
	__u64 ip[BLAME_FRAMES];
};

/* latency: powers of two of nanoseconds; the last has all that took longer. */
#define BLAME_SLOTS 40

#endif /* TOOLS_BLAME_COUNTS_H */
