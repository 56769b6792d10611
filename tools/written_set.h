/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_WRITTEN_SET_H
#define TOOLS_WRITTEN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The written set of a process: the pages that were written in the last 1, 10 and 60 seconds. */
#define WRITTEN_SET_WINDOWS 3

extern const unsigned int written_set_seconds[WRITTEN_SET_WINDOWS];

struct written_block;

/* When each page was written last, of those that were in the longest window. All 0 is empty. */
struct written_set {
	struct written_block **bucket;
	size_t buckets;
	size_t blocks;
	bool incomplete;	/* there was no room for all: the counts are too low */
};

/**
 * written_set_add - pages were written
 * @set: set
 * @pid: process
 * @start: first address
 * @end: behind the last address
 * @time: seconds since the session began
 *
 * A page costs 4 bytes, in blocks of 512 pages; no more than 256 MiB in all.
 *
 * Return: 0 or -ENOMEM.
 */
int written_set_add(struct written_set *set, pid_t pid, uint64_t start, uint64_t end, double time);

/**
 * written_set_count - how many pages of a range were written in each window?
 * @set: set
 * @pid: process
 * @start: first address
 * @end: behind the last address
 * @time: now, seconds since the session began
 * @pages: out: one number for each of written_set_seconds
 */
void written_set_count(const struct written_set *set, pid_t pid, uint64_t start, uint64_t end,
		       double time, uint64_t pages[WRITTEN_SET_WINDOWS]);

/* A range is not mapped any more. */
void written_set_remove(struct written_set *set, pid_t pid, uint64_t start, uint64_t end);

/* These processes have ended: others may get their numbers. @pid is sorted by it. */
void written_set_remove_processes(struct written_set *set, pid_t *pid, size_t n);

/* Let go of what is older than the longest window. To be called now and then. */
void written_set_age(struct written_set *set, double time);

void written_set_free(struct written_set *set);

#endif /* TOOLS_WRITTEN_SET_H */
