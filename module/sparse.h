/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sparse memory: private anonymous memory that had no page table when it was armed. Nothing is put
 * there; the tracker remembers the range. So 16 TiB cost one entry, and no page table.
 *
 * That is a contract with the tracer (UFFDWP_UNPOP_SPARSE in the uapi header), since no entry says
 * what happens to such a page: one that is written, and is gone again before anybody has looked, is
 * empty as before. What the ranges promise is that a page in them which is empty now is zeroes, as
 * it was when it was taken.
 *
 * A page table in a range is not looked at twice: the first scan that finds one arms what is empty
 * in it, as in any other memory, and takes the range out, under one hold of its lock
 * (scan_sparse.c). From then on bits and hooks tell.
 */
#ifndef UFFDWP_SPARSE_H
#define UFFDWP_SPARSE_H

#include <linux/mm_types.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct uffdwp_sparse - ranges of an mm, none of which touch
 * @ranges: by address
 * @nr: number of them
 * @lock: of both, inside page-table locks. A range is added by commands of the tracker alone;
 *	what discards memory takes it out
 * @on: the tracker was asked for it; set before it is published
 */
struct uffdwp_sparse {
	struct rb_root ranges;
	unsigned int nr;
	spinlock_t lock;
	bool on;
};

void uffdwp_sparse_init(struct uffdwp_sparse *s);
void uffdwp_sparse_free(struct uffdwp_sparse *s);
int uffdwp_sparse_add(struct uffdwp_sparse *s, unsigned long start, unsigned long end, u64 *added);
u64 uffdwp_sparse_remove_all(struct uffdwp_sparse *s, unsigned long start, unsigned long end);
bool uffdwp_sparse_is_full(const struct uffdwp_sparse *s);
u64 uffdwp_sparse_remove(struct uffdwp_sparse *s, unsigned long start, unsigned long end);
bool uffdwp_sparse_find(struct uffdwp_sparse *s, unsigned long addr, unsigned long *end);

/* Without the lock: a range that is added or removed meanwhile may be missed or found. */
static inline bool uffdwp_sparse_is_empty(const struct uffdwp_sparse *s)
{
	return !READ_ONCE(s->ranges.rb_node);
}

#endif /* UFFDWP_SPARSE_H */
