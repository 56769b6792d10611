// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the ranges that are off limits to arming, while a call of the process is under way that is
 * not to find anything armed there: where UFFDIO_MOVE moves from, what UFFDIO_POISON poisons, and
 * what UFFDIO_UNREGISTER takes from a userfaultfd that a tracker rides along on, or UFFDIO_REGISTER
 * gives to it.
 *
 * A call is noted, then what is armed in its range is disarmed, then the kernel does its work.
 * Arming looks for notes under the page-table lock (uffdwp_is_off_limits()): either it comes first
 * and is disarmed, or it sees the note. Where there is no table yet, disarming locks none. There we
 * write the note, have a full barrier and read the PMD; arming sets the PMD, locks the new table,
 * by an atomic operation and so a full barrier, and reads the notes.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "off_limits.h"

#define BUCKET_BITS 8

/*
 * By mm: a call may stay for as long as its process likes, in any number of threads, and those who
 * arm in other processes pass by its notes for each table. Locks nest inside page-table locks.
 */
static struct bucket {
	spinlock_t lock;
	struct hlist_head notes;
} buckets[1 << BUCKET_BITS] = {
	[0 ... (1 << BUCKET_BITS) - 1] = { .lock = __SPIN_LOCK_UNLOCKED(bucket.lock) },
};

atomic_t uffdwp_ranges_off_limits = ATOMIC_INIT(0);

static struct bucket *bucket_of(const struct mm_struct *mm)
{
	return &buckets[hash_ptr((void *)mm, BUCKET_BITS)];
}

/**
 * uffdwp_off_limits_begin - nothing is to be armed in a range
 * @n: note, stays until uffdwp_off_limits_end()
 *
 * A full barrier: what is armed there is disarmed after this.
 */
void uffdwp_off_limits_begin(struct uffdwp_off_limits *n)
{
	struct bucket *bucket = bucket_of(n->mm);

	spin_lock(&bucket->lock);
	hlist_add_head(&n->node, &bucket->notes);
	spin_unlock(&bucket->lock);
	atomic_inc(&uffdwp_ranges_off_limits);
	smp_mb();
}

/**
 * uffdwp_off_limits_end - the call is over
 * @n: note
 */
void uffdwp_off_limits_end(struct uffdwp_off_limits *n)
{
	struct bucket *bucket = bucket_of(n->mm);

	atomic_dec(&uffdwp_ranges_off_limits);
	spin_lock(&bucket->lock);
	hlist_del(&n->node);
	spin_unlock(&bucket->lock);
}

/* @ctx: only what is taken for that userfaultfd; or NULL: all */
static bool meets(const struct mm_struct *mm, const void *ctx, unsigned long start,
		  unsigned long end)
{
	struct bucket *bucket = bucket_of(mm);
	const struct uffdwp_off_limits *n;
	bool found = false;

	spin_lock(&bucket->lock);
	hlist_for_each_entry(n, &bucket->notes, node)
		found |= n->mm == mm && n->start < end && start < n->end &&
			 (!ctx || n->taken == ctx);
	spin_unlock(&bucket->lock);
	return found;
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
	return meets(mm, NULL, start, end);
}

/**
 * uffdwp_is_taken - is the process registering or unregistering a part of this range?
 * @mm: mm
 * @ctx: context of a userfaultfd, which it does that with
 * @start: first address
 * @end: last address, exclusive
 *
 * Return: whether it is.
 */
bool uffdwp_is_taken(const struct mm_struct *mm, const void *ctx, unsigned long start,
		     unsigned long end)
{
	return meets(mm, ctx, start, end);
}
