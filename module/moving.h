/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_MOVING_H
#define UFFDWP_MOVING_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mm_types.h>

/**
 * struct uffdwp_moving - a call of UFFDIO_MOVE that is under way
 * @node: in the list of them
 * @mm: mm
 * @start: of the source
 * @end: of the source, exclusive
 */
struct uffdwp_moving {
	struct list_head node;
	const struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
};

/* Calls that are under way, of all processes. */
extern unsigned int uffdwp_moves;

void uffdwp_moving_begin(struct uffdwp_moving *n);
void uffdwp_moving_end(struct uffdwp_moving *n);
bool uffdwp_meets_move(const struct mm_struct *mm, unsigned long start, unsigned long end);

/*
 * Must memory not be armed because UFFDIO_MOVE is about to move it away? Asked with the page-table
 * lock held, or before there is a table.
 */
static inline bool uffdwp_is_moving(const struct mm_struct *mm, unsigned long start,
				    unsigned long end)
{
	return unlikely(READ_ONCE(uffdwp_moves)) && uffdwp_meets_move(mm, start, end);
}

#endif /* UFFDWP_MOVING_H */
