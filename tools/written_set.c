// SPDX-License-Identifier: GPL-2.0-only
/*
 * When each page was written last: a stamp for each page, in blocks of 512 pages that a hash finds.
 */
#include <errno.h>
#include <stdlib.h>

#include "written_set.h"

#define PAGE 4096ull
#define BLOCK_PAGES 512
#define BLOCK (BLOCK_PAGES * PAGE)
#define MOST_BLOCKS (256u << 20 >> 11)	/* of 2 KiB */

const unsigned int written_set_seconds[WRITTEN_SET_WINDOWS] = { 1, 10, 60 };

/* Tenths of a second since the session began, and one more: 0 is not in the set. */
struct written_block {
	struct written_block *next;
	uint64_t start;
	pid_t pid;
	uint32_t stamp[BLOCK_PAGES];
};

static uint32_t stamp_of(double time)
{
	return 1 + (uint32_t)(time * 10 + 0.5);
}

/* Stamps from this one on are in a window that ends now. */
static uint32_t oldest(double time, unsigned int seconds)
{
	const uint32_t now = stamp_of(time), length = seconds * 10;

	return now > length ? now - length + 1 : 1;
}

static struct written_block **bucket_of(const struct written_set *set, pid_t pid, uint64_t start)
{
	const uint64_t key = (start / BLOCK + (uint64_t)pid * 0x9E3779B97F4A7C15ull) *
			     0xD1B54A32D192ED03ull;

	return &set->bucket[(key >> 32) & (set->buckets - 1)];
}

static struct written_block *find(const struct written_set *set, pid_t pid, uint64_t start)
{
	struct written_block *block;

	if (!set->buckets)
		return NULL;
	for (block = *bucket_of(set, pid, start); block; block = block->next)
		if (block->start == start && block->pid == pid)
			return block;
	return NULL;
}

static void insert(struct written_set *set, struct written_block *block)
{
	struct written_block **bucket = bucket_of(set, block->pid, block->start);

	block->next = *bucket;
	*bucket = block;
}

/* As many buckets as blocks. Without memory for more it only becomes slower. */
static int grow(struct written_set *set)
{
	struct written_set larger = { .buckets = set->buckets ? 2 * set->buckets : 64 };
	struct written_block *block, *next;
	size_t i;

	if (set->blocks < set->buckets)
		return 0;
	larger.bucket = calloc(larger.buckets, sizeof(*larger.bucket));
	if (!larger.bucket)
		return set->buckets ? 0 : -ENOMEM;
	for (i = 0; i < set->buckets; i++) {
		for (block = set->bucket[i]; block; block = next) {
			next = block->next;
			insert(&larger, block);
		}
	}
	free(set->bucket);
	set->bucket = larger.bucket;
	set->buckets = larger.buckets;
	return 0;
}

static struct written_block *add_block(struct written_set *set, pid_t pid, uint64_t start)
{
	struct written_block *block;

	if (grow(set))
		return NULL;
	block = calloc(1, sizeof(*block));
	if (!block)
		return NULL;
	block->start = start;
	block->pid = pid;
	insert(set, block);
	set->blocks++;
	return block;
}

/* The pages of [start, end) that a block has: from *first, so many. */
static unsigned int part(uint64_t base, uint64_t start, uint64_t end, unsigned int *first)
{
	const uint64_t from = start > base ? start : base;
	const uint64_t to = end < base + BLOCK ? end : base + BLOCK;

	*first = (from - base) / PAGE;
	return (to - from) / PAGE;
}

int written_set_add(struct written_set *set, pid_t pid, uint64_t start, uint64_t end, double time)
{
	const uint32_t stamp = stamp_of(time);
	struct written_block *block;
	unsigned int i, n;
	uint64_t base;

	for (base = start / BLOCK * BLOCK; base < end; base += BLOCK) {
		block = find(set, pid, base);
		if (!block && set->blocks == MOST_BLOCKS) {
			set->incomplete = true;
			continue;
		}
		if (!block)
			block = add_block(set, pid, base);
		if (!block)
			return -ENOMEM;
		for (n = part(base, start, end, &i); n; n--)
			block->stamp[i++] = stamp;
	}
	return 0;
}

static void count_block(const struct written_block *block, unsigned int i, unsigned int n,
			const uint32_t from[WRITTEN_SET_WINDOWS],
			uint64_t pages[WRITTEN_SET_WINDOWS])
{
	int window;

	for (; n; n--, i++)
		for (window = 0; window < WRITTEN_SET_WINDOWS; window++)
			pages[window] += block->stamp[i] >= from[window];
}

/* The blocks of a range by their addresses, or all blocks there are, whichever is less. */
void written_set_count(const struct written_set *set, pid_t pid, uint64_t start, uint64_t end,
		       double time, uint64_t pages[WRITTEN_SET_WINDOWS])
{
	uint32_t from[WRITTEN_SET_WINDOWS];
	const struct written_block *block;
	unsigned int i, n;
	uint64_t base;
	size_t b;

	for (i = 0; i < WRITTEN_SET_WINDOWS; i++) {
		from[i] = oldest(time, written_set_seconds[i]);
		pages[i] = 0;
	}
	if ((end - start) / BLOCK <= set->blocks) {
		for (base = start / BLOCK * BLOCK; base < end; base += BLOCK) {
			block = find(set, pid, base);
			if (!block)
				continue;
			n = part(base, start, end, &i);
			count_block(block, i, n, from, pages);
		}
		return;
	}
	for (b = 0; b < set->buckets; b++) {
		for (block = set->bucket[b]; block; block = block->next) {
			if (block->pid != pid || block->start >= end ||
			    block->start + BLOCK <= start)
				continue;
			n = part(block->start, start, end, &i);
			count_block(block, i, n, from, pages);
		}
	}
}

/* Let go of each block that @stays says no to. */
static void sweep(struct written_set *set, bool (*stays)(struct written_block *block, void *arg),
		  void *arg)
{
	struct written_block **at, *block;
	size_t b;

	for (b = 0; b < set->buckets; b++) {
		at = &set->bucket[b];
		while ((block = *at)) {
			if (stays(block, arg)) {
				at = &block->next;
				continue;
			}
			*at = block->next;
			free(block);
			set->blocks--;
		}
	}
}

struct range {
	pid_t pid;
	uint64_t start;
	uint64_t end;
};

/* Pages of a range are not in the set any more. Return: are others of that block? */
static bool forget_in_block(struct written_block *block, uint64_t start, uint64_t end)
{
	unsigned int i, n;

	for (n = part(block->start, start, end, &i); n; n--)
		block->stamp[i++] = 0;
	for (i = 0; i < BLOCK_PAGES; i++)
		if (block->stamp[i])
			return true;
	return false;
}

static bool has_other(struct written_block *block, void *arg)
{
	const struct range *range = arg;

	if (block->pid != range->pid || block->start >= range->end ||
	    block->start + BLOCK <= range->start)
		return true;
	return forget_in_block(block, range->start, range->end);
}

static void forget_at(struct written_set *set, const struct range *range, uint64_t base)
{
	struct written_block **at = bucket_of(set, range->pid, base), *block = *at;

	while (block && (block->start != base || block->pid != range->pid)) {
		at = &block->next;
		block = *at;
	}
	if (!block || forget_in_block(block, range->start, range->end))
		return;
	*at = block->next;
	free(block);
	set->blocks--;
}

/* As in counting: of thousands of small mappings, each would be looked for in all blocks. */
void written_set_remove(struct written_set *set, pid_t pid, uint64_t start, uint64_t end)
{
	struct range range = { .pid = pid, .start = start, .end = end };
	uint64_t base;

	if (!set->blocks)
		return;
	if ((end - start) / BLOCK > set->blocks) {
		sweep(set, has_other, &range);
		return;
	}
	for (base = start / BLOCK * BLOCK; base < end; base += BLOCK)
		forget_at(set, &range, base);
}

struct pids {
	const pid_t *pid;	/* in ascending order */
	size_t n;
};

static int compare_pids(const void *a, const void *b)
{
	const pid_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static bool is_of_other(struct written_block *block, void *arg)
{
	const struct pids *pids = arg;

	return !bsearch(&block->pid, pids->pid, pids->n, sizeof(*pids->pid), compare_pids);
}

void written_set_remove_processes(struct written_set *set, pid_t *pid, size_t n)
{
	const struct pids pids = { .pid = pid, .n = n };

	if (!n || !set->blocks)
		return;
	qsort(pid, n, sizeof(*pid), compare_pids);
	sweep(set, is_of_other, (void *)&pids);
}

static bool has_newer(struct written_block *block, void *arg)
{
	const uint32_t *from = arg;
	unsigned int i;

	for (i = 0; i < BLOCK_PAGES; i++)
		if (block->stamp[i] >= *from)
			return true;
	return false;
}

void written_set_age(struct written_set *set, double time)
{
	uint32_t from = oldest(time, written_set_seconds[WRITTEN_SET_WINDOWS - 1]);

	sweep(set, has_newer, &from);
	if (!set->blocks)
		set->incomplete = false;
}

static bool never(struct written_block *block, void *arg)
{
	(void)block;
	(void)arg;
	return false;
}

void written_set_free(struct written_set *set)
{
	sweep(set, never, NULL);
	free(set->bucket);
	*set = (struct written_set){ 0 };
}
