// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the notes of UFFDIO_MOVE calls that are under way: nothing is armed where they move from.
 *
 * A call is noted, then what is armed in its source is disarmed, then the kernel moves. Arming
 * looks for notes under the page-table lock (uffdwp_is_moving()): either it comes first and is
 * disarmed, or it sees the note. Where there is no table yet, disarming locks none. There we write
 * the note, have a full barrier and read the PMD; arming sets the PMD, locks the new table, by an
 * atomic operation and so a full barrier, and reads the notes.
 */
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "moving.h"

/* Nests inside page-table locks. */
static DEFINE_SPINLOCK(notes_lock);
static LIST_HEAD(notes);
unsigned int uffdwp_moves;

/**
 * uffdwp_moving_begin - note a call of UFFDIO_MOVE
 * @n: note, stays until uffdwp_moving_end()
 *
 * A full barrier: what is armed in the source is disarmed after this.
 */
void uffdwp_moving_begin(struct uffdwp_moving *n)
{
	spin_lock(&notes_lock);
	list_add(&n->node, &notes);
	WRITE_ONCE(uffdwp_moves, uffdwp_moves + 1);
	spin_unlock(&notes_lock);
	smp_mb();
}

/**
 * uffdwp_moving_end - the call is over
 * @n: note
 */
void uffdwp_moving_end(struct uffdwp_moving *n)
{
	spin_lock(&notes_lock);
	list_del(&n->node);
	WRITE_ONCE(uffdwp_moves, uffdwp_moves - 1);
	spin_unlock(&notes_lock);
}

/**
 * uffdwp_meets_move - is a part of this range being moved away?
 * @mm: mm
 * @start: first address
 * @end: last address, exclusive
 *
 * Return: whether it is.
 */
bool uffdwp_meets_move(const struct mm_struct *mm, unsigned long start, unsigned long end)
{
	const struct uffdwp_moving *n;
	bool found = false;

	spin_lock(&notes_lock);
	list_for_each_entry(n, &notes, node)
		found |= n->mm == mm && n->start < end && start < n->end;
	spin_unlock(&notes_lock);
	return found;
}
