// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the ranges that are off limits to arming, while a call of the process is under way that is
 * not to find anything armed there: where UFFDIO_MOVE moves from, what UFFDIO_POISON poisons, and
 * what UFFDIO_UNREGISTER takes from a userfaultfd that a tracker rides along on.
 *
 * A call is noted, then what is armed in its range is disarmed, then the kernel does its work.
 * Arming looks for notes under the page-table lock (uffdwp_is_off_limits()): either it comes first
 * and is disarmed, or it sees the note. Where there is no table yet, disarming locks none. There we
 * write the note, have a full barrier and read the PMD; arming sets the PMD, locks the new table,
 * by an atomic operation and so a full barrier, and reads the notes.
 */
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "off_limits.h"

/* Nests inside page-table locks. */
static DEFINE_SPINLOCK(notes_lock);
static LIST_HEAD(notes);
unsigned int uffdwp_ranges_off_limits;

/**
 * uffdwp_off_limits_begin - nothing is to be armed in a range
 * @n: note, stays until uffdwp_off_limits_end()
 *
 * A full barrier: what is armed there is disarmed after this.
 */
void uffdwp_off_limits_begin(struct uffdwp_off_limits *n)
{
	spin_lock(&notes_lock);
	list_add(&n->node, &notes);
	WRITE_ONCE(uffdwp_ranges_off_limits, uffdwp_ranges_off_limits + 1);
	spin_unlock(&notes_lock);
	smp_mb();
}

/**
 * uffdwp_off_limits_end - the call is over
 * @n: note
 */
void uffdwp_off_limits_end(struct uffdwp_off_limits *n)
{
	spin_lock(&notes_lock);
	list_del(&n->node);
	WRITE_ONCE(uffdwp_ranges_off_limits, uffdwp_ranges_off_limits - 1);
	spin_unlock(&notes_lock);
}

/**
 * uffdwp_meets_off_limits - is a part of this range off limits?
 * @mm: mm
 * @start: first address
 * @end: last address, exclusive
 *
 * Return: whether it is.
 */
bool uffdwp_meets_off_limits(const struct mm_struct *mm, unsigned long start, unsigned long end)
{
	const struct uffdwp_off_limits *n;
	bool found = false;

	spin_lock(&notes_lock);
	list_for_each_entry(n, &notes, node)
		found |= n->mm == mm && n->start < end && start < n->end;
	spin_unlock(&notes_lock);
	return found;
}
