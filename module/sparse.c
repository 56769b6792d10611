// SPDX-License-Identifier: GPL-2.0-only
/*
 * A set of address ranges, exact to the page: heaps and stacks grow inside of what a page table
 * covers.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "sparse.h"

struct extent {
	struct rb_node node;
	unsigned long start;
	unsigned long end;
};

static struct extent *range_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct extent, node);
}

/* The lowest range with an end above @addr. */
static struct extent *first_behind(struct uffdwp_sparse *s, unsigned long addr)
{
	struct rb_node *node = s->ranges.rb_node;
	struct extent *r, *found = NULL;

	while (node) {
		r = range_of(node);
		if (r->end > addr) {
			found = r;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static void insert(struct uffdwp_sparse *s, struct extent *new)
{
	struct rb_node **link = &s->ranges.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = new->start < range_of(parent)->start ? &parent->rb_left : &parent->rb_right;
	}
	s->nr++;
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &s->ranges);
}

static u64 pages_in(unsigned long start, unsigned long end)
{
	return (end - start) >> PAGE_SHIFT;
}

/* Let @r, which meets [start, end), cover all of it, and the ranges that then meet @r. */
static u64 widen(struct uffdwp_sparse *s, struct extent *r, unsigned long start, unsigned long end)
{
	u64 before = pages_in(r->start, r->end);
	struct extent *next;

	r->start = min(r->start, start);
	r->end = max(r->end, end);
	while ((next = range_of(rb_next(&r->node))) && next->start <= r->end) {
		before += pages_in(next->start, next->end);
		r->end = max(r->end, next->end);
		rb_erase(&next->node, &s->ranges);
		s->nr--;
		kfree(next);
	}
	return pages_in(r->start, r->end) - before;
}

/**
 * uffdwp_sparse_add - add a range
 * @s: set
 * @start: first address
 * @end: last address, exclusive
 * @added: out: pages of it that were not in the set
 *
 * Return: 0 or -ENOMEM, and then nothing was added.
 */
int uffdwp_sparse_add(struct uffdwp_sparse *s, unsigned long start, unsigned long end, u64 *added)
{
	struct extent *new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	struct extent *r;

	if (!new)
		return -ENOMEM;
	spin_lock(&s->lock);
	/* Ranges that touch become one. */
	r = first_behind(s, start ? start - 1 : 0);
	if (r && r->start <= end) {
		*added = widen(s, r, start, end);
	} else {
		new->start = start;
		new->end = end;
		insert(s, new);
		new = NULL;
		*added = pages_in(start, end);
	}
	spin_unlock(&s->lock);
	kfree(new);
	return 0;
}

/*
 * A process that is tracked may cut its memory into as many parts as it likes, at no cost of its
 * own. So there are no more than this: 1 MiB of them, which are taken out again within a hold of
 * mmap_lock.
 */
#define MOST_EXTENTS 16384

/**
 * uffdwp_sparse_is_full - are there so many ranges that the process shall add no more?
 * @s: set
 *
 * Return: whether there are. A range for which the tracer has asked is added all the same.
 */
bool uffdwp_sparse_is_full(const struct uffdwp_sparse *s)
{
	return READ_ONCE(s->nr) >= MOST_EXTENTS;
}

/*
 * Take [start, end) out of the middle of @r. Without memory for another range, or when there are
 * too many, the smaller of what is left goes, too: its pages count as written.
 */
static u64 cut_in_two(struct uffdwp_sparse *s, struct extent *r, unsigned long start,
		      unsigned long end)
{
	const u64 before = pages_in(r->start, r->end);
	struct extent *upper = NULL;

	if (s->nr < MOST_EXTENTS)
		upper = kmalloc(sizeof(*upper), GFP_NOWAIT | __GFP_NOWARN);

	if (upper) {
		upper->start = end;
		upper->end = r->end;
		r->end = start;
		insert(s, upper);
		return pages_in(start, end);
	}
	if (start - r->start < r->end - end)
		r->start = end;
	else
		r->end = start;
	return before - pages_in(r->start, r->end);
}

/* Take from @r what of it is in [start, end). */
static u64 remove_from(struct uffdwp_sparse *s, struct extent *r, unsigned long start,
		       unsigned long end)
{
	const u64 before = pages_in(r->start, r->end);

	if (r->start < start && r->end > end)
		return cut_in_two(s, r, start, end);
	if (r->start < start) {
		r->end = start;
	} else if (r->end > end) {
		r->start = end;
	} else {
		rb_erase(&r->node, &s->ranges);
		s->nr--;
		kfree(r);
		return before;
	}
	return before - pages_in(r->start, r->end);
}

/* As many as a page table can have. */
#define RANGES_AT_ONCE (PTRS_PER_PTE / 2)

/* Returns whether there may be more. */
static bool remove_some(struct uffdwp_sparse *s, unsigned long start, unsigned long end,
			u64 *removed)
{
	unsigned int i;
	struct extent *r;

	spin_lock(&s->lock);
	for (i = 0; i <= RANGES_AT_ONCE; i++) {
		r = first_behind(s, start);
		if (!r || r->start >= end)
			break;
		*removed += remove_from(s, r, start, end);
	}
	spin_unlock(&s->lock);
	return i > RANGES_AT_ONCE;
}

/**
 * uffdwp_sparse_remove - take a small range out: what a page table covers
 * @s: set
 * @start: first address
 * @end: last address, exclusive
 *
 * Cannot fail, and may take out more when there is no memory. Does not sleep. Takes the lock in any
 * case: who adds a range and then looks whether it is to stay (uffdwp_sparse_take()) is seen here,
 * or sees what the caller has done before.
 *
 * Return: pages that are in the set no more.
 */
u64 uffdwp_sparse_remove(struct uffdwp_sparse *s, unsigned long start, unsigned long end)
{
	u64 removed = 0;

	while (remove_some(s, start, end, &removed))
		;
	return removed;
}

/**
 * uffdwp_sparse_remove_all - the same for a range of any size; sleeps
 * @s: set
 * @start: first address
 * @end: last address, exclusive
 *
 * Return: pages that are in the set no more.
 */
u64 uffdwp_sparse_remove_all(struct uffdwp_sparse *s, unsigned long start, unsigned long end)
{
	u64 removed = 0;

	while (remove_some(s, start, end, &removed))
		cond_resched();
	return removed;
}

/**
 * uffdwp_sparse_find - is an address in the set?
 * @s: set
 * @addr: address
 * @end: in: above @addr; out: lowered to where the answer becomes another one
 *
 * Return: whether it is.
 */
bool uffdwp_sparse_find(struct uffdwp_sparse *s, unsigned long addr, unsigned long *end)
{
	bool found = false;
	struct extent *r;

	if (uffdwp_sparse_is_empty(s))
		return false;
	spin_lock(&s->lock);
	r = first_behind(s, addr);
	if (r) {
		found = r->start <= addr;
		*end = min(*end, found ? r->end : r->start);
	}
	spin_unlock(&s->lock);
	return found;
}

/**
 * uffdwp_sparse_init - an empty set, not in use
 * @s: set
 */
void uffdwp_sparse_init(struct uffdwp_sparse *s)
{
	s->ranges = RB_ROOT;
	s->nr = 0;
	spin_lock_init(&s->lock);
	s->on = false;
}

/**
 * uffdwp_sparse_free - free all ranges
 * @s: set that nobody can find any more
 *
 * Sleeps.
 */
void uffdwp_sparse_free(struct uffdwp_sparse *s)
{
	struct extent *r, *next;

	rbtree_postorder_for_each_entry_safe(r, next, &s->ranges, node) {
		kfree(r);
		cond_resched();
	}
	s->ranges = RB_ROOT;
}
