/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_MOVE_H
#define UFFDWP_MOVE_H

#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/mm_types.h>

/* Calls of UFFDIO_MOVE that are under way, of all processes. */
extern unsigned int uffdwp_moves;

long uffdwp_move(struct file *uffd, void __user *uarg);
bool uffdwp_meets_move(const struct mm_struct *mm, unsigned long start, unsigned long end);

/*
 * Must memory not be armed because UFFDIO_MOVE is about to move it away? Asked with the page-table
 * lock held, or before there is a table: move.c.
 */
static inline bool uffdwp_is_moving(const struct mm_struct *mm, unsigned long start,
				    unsigned long end)
{
#if UFFDWP_KERNEL_HAS_MOVE
	return unlikely(READ_ONCE(uffdwp_moves)) && uffdwp_meets_move(mm, start, end);
#else
	return false;
#endif
}

#endif /* UFFDWP_MOVE_H */
