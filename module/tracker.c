// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the trackers and the tables in which faults find them.
 *
 *   open file --> tracker --> userfaultfd (struct file) --> context <-- vma->vm_userfaultfd_ctx
 *                       \--> mm_struct (mmgrab: the struct, not the memory)
 *
 * A backport tracker (backport/api.c) belongs to its userfaultfd instead of having a reference to
 * it, and ends with it. With native_abi=1 every userfaultfd of the machine may have one, and every
 * write fault in a VMA of a userfaultfd looks one up. So the tables grow (rhashtable): a user who
 * makes many trackers makes no lookup of others slower. Those of one mm hang on one node, or they
 * would all be in one bucket, and slow down the lookups of other mms in it.
 *
 * Locks, outermost first:
 *	device tracker's lock	commands
 *	mm->mmap_lock
 *	page-table lock
 *	tables_lock		writers of the tables; readers use RCU
 *
 * A tracker leaves the tables when no VMA is registered with it any more or, if its userfaultfd
 * stays open, with mmap_lock and the locks of its VMAs held for writing. A fault holds mmap_lock
 * for reading, or its VMA lock (6.4 and later), and unregistering a VMA takes both for writing; so
 * a tracker that a fault has found stays in the tables, and alive, until that fault is over. RCU
 * protects lookups while they have not found one.
 */
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "arm.h"
#include "compat/vma.h"
#include "disarm.h"
#include "events.h"
#include "health.h"
#include "register.h"
#include "ring.h"
#include "tracker.h"

/* All trackers of one mm: in the table while there are any. */
struct uffdwp_tracked_mm {
	struct rhash_head node;
	const struct mm_struct *mm;
	struct hlist_head trackers;
	struct rcu_head rcu;
};

static __always_inline u32 hash_pointer(const void *key, u32 len, u32 seed)
{
	return hash_64(*(const unsigned long *)key ^ seed, 32);
}

static int compare_ctx(struct rhashtable_compare_arg *arg, const void *tracker)
{
	return ((const struct uffdwp_tracker *)tracker)->ctx != *(const void *const *)arg->key;
}

static const struct rhashtable_params by_ctx_params = {
	.key_len = sizeof(void *),
	.key_offset = offsetof(struct uffdwp_tracker, ctx),
	.head_offset = offsetof(struct uffdwp_tracker, by_ctx),
	.hashfn = hash_pointer,
	.obj_cmpfn = compare_ctx,
	.automatic_shrinking = true,
};

static const struct rhashtable_params by_mm_params = {
	.key_len = sizeof(void *),
	.key_offset = offsetof(struct uffdwp_tracked_mm, mm),
	.head_offset = offsetof(struct uffdwp_tracked_mm, node),
	.hashfn = hash_pointer,
	.automatic_shrinking = true,
};

static struct rhashtable by_ctx_table, by_mm_table;
static DEFINE_SPINLOCK(tables_lock);

/* Changed with tables_lock held: an mm counts from before it is in the table until after it. */
unsigned int uffdwp_mms_of_hash[1 << UFFDWP_MM_HASH_BITS];

static void count_mm(const struct mm_struct *mm, int n)
{
	unsigned int *mms = &uffdwp_mms_of_hash[uffdwp_hash_of_mm(mm)];

	lockdep_assert_held(&tables_lock);
	WRITE_ONCE(*mms, *mms + n);
}

/**
 * uffdwp_trackers_init - have the tables that trackers are found in
 *
 * Return: 0 or -ENOMEM.
 */
int uffdwp_trackers_init(void)
{
	int err = rhashtable_init(&by_ctx_table, &by_ctx_params);

	if (err)
		return err;
	err = rhashtable_init(&by_mm_table, &by_mm_params);
	if (err)
		rhashtable_destroy(&by_ctx_table);
	return err;
}

/**
 * uffdwp_trackers_exit - free the tables; there is no tracker and no hook
 */
void uffdwp_trackers_exit(void)
{
	rhashtable_destroy(&by_mm_table);
	rhashtable_destroy(&by_ctx_table);
}

/* The caller is an RCU reader. */
static __always_inline struct uffdwp_tracker *find_by_ctx(const void *ctx)
{
	return rhashtable_lookup(&by_ctx_table, &ctx, by_ctx_params);
}

/* The mm is compared, too: fork() may copy VMAs with the context of the parent's userfaultfd. */
static __always_inline struct uffdwp_tracker *find_by_vma(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = find_by_ctx(vma->vm_userfaultfd_ctx.ctx);

	return t && t->mm == vma->vm_mm ? t : NULL;
}

/* Out of line: the rare case of uffdwp_async_tracker_of_vma_atomic(). */
static noinline notrace struct uffdwp_tracker *find_async_slowly(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = find_by_vma(vma);

	return t && !t->sync ? t : NULL;
}

/*
 * The first entry of the bucket, if it is the right one, as it mostly is. rhashtable_lookup() takes
 * a hundred instructions, since it hashes and compares through retpolines. It is called when this
 * finds nothing, as while the table is being resized.
 */
static __always_inline struct uffdwp_tracker *find_first(const void *ctx)
{
	const struct bucket_table *tbl = rht_dereference_rcu(by_ctx_table.tbl, &by_ctx_table);
	const u32 hash = hash_pointer(&ctx, sizeof(ctx), tbl->hash_rnd);
	struct uffdwp_tracker *t;
	unsigned long head;

	if (unlikely(tbl->nest))
		return NULL;
	/* Bit 0 is the lock of the bucket. */
	head = (unsigned long __force)READ_ONCE(tbl->buckets[rht_bucket_index(tbl, hash)]) & ~1UL;
	t = head ? container_of((struct rhash_head *)head, struct uffdwp_tracker, by_ctx) : NULL;
	return t && t->ctx == ctx ? t : NULL;
}

/* The trackers of one mm; valid for an RCU reader, or with tables_lock held. */
static struct uffdwp_tracked_mm *find_mm(const struct mm_struct *mm)
{
	return rhashtable_lookup_fast(&by_mm_table, &mm, by_mm_params);
}

static int tracker_insert(struct uffdwp_tracker *t, struct uffdwp_tracked_mm *new)
{
	int err = rhashtable_lookup_insert_fast(&by_ctx_table, &t->by_ctx, by_ctx_params);

	lockdep_assert_held(&tables_lock);
	if (err)
		return err == -EEXIST ? -EBUSY : -ENOMEM;
	t->of_mm = find_mm(t->mm);
	if (!t->of_mm) {
		count_mm(t->mm, 1);
		err = rhashtable_insert_fast(&by_mm_table, &new->node, by_mm_params);
		if (err) {
			count_mm(t->mm, -1);
			rhashtable_remove_fast(&by_ctx_table, &t->by_ctx, by_ctx_params);
			return -ENOMEM;
		}
		t->of_mm = new;
	}
	hlist_add_head_rcu(&t->by_mm, &t->of_mm->trackers);
	return 0;
}

/**
 * uffdwp_tracker_publish - let faults find the tracker
 * @t: tracker with mm, ctx and whose set
 *
 * Return: 0, -EBUSY when another tracker has the same userfaultfd, or -ENOMEM.
 */
int uffdwp_tracker_publish(struct uffdwp_tracker *t)
{
	struct uffdwp_tracked_mm *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	int err;

	if (!new)
		return -ENOMEM;
	new->mm = t->mm;
	spin_lock(&tables_lock);
	err = tracker_insert(t, new);
	spin_unlock(&tables_lock);
	if (err || t->of_mm != new)
		kfree(new);
	return err;
}

/**
 * uffdwp_tracker_unpublish - let nobody find the tracker any more
 * @t: published tracker
 */
void uffdwp_tracker_unpublish(struct uffdwp_tracker *t)
{
	spin_lock(&tables_lock);
	rhashtable_remove_fast(&by_ctx_table, &t->by_ctx, by_ctx_params);
	hlist_del_rcu(&t->by_mm);
	if (hlist_empty(&t->of_mm->trackers)) {
		rhashtable_remove_fast(&by_mm_table, &t->of_mm->node, by_mm_params);
		count_mm(t->mm, -1);
		kfree_rcu(t->of_mm, rcu);
	}
	spin_unlock(&tables_lock);
}

/**
 * uffdwp_tracker_of_vma - the tracker that a VMA is registered with
 * @vma: VMA, mmap_lock or, in a fault, the VMA lock held
 *
 * Called from the fault path and from ftrace callbacks: takes no lock. When only i_mmap_rwsem keeps
 * the VMA, the answer may be out of date at once.
 *
 * Return: the tracker, valid until that lock is dropped, or NULL. Whose it is, @whose says, and
 * whether its write faults are for the userfaultfd monitor, @sync.
 */
struct uffdwp_tracker *uffdwp_tracker_of_vma(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t;

	if (!vma->vm_userfaultfd_ctx.ctx)
		return NULL;
	rcu_read_lock();
	t = find_by_vma(vma);
	rcu_read_unlock();
	return t;
}

/**
 * uffdwp_async_tracker_of_vma_atomic - uffdwp_async_tracker_of_vma() with a page-table lock held
 * @vma: VMA, mmap_lock or the VMA lock held
 *
 * A spinlock that is held is an RCU read-side critical section, also with PREEMPT_RT. So the
 * hottest path does without rcu_read_lock(), but for what lockdep has to be told.
 *
 * Return: as uffdwp_async_tracker_of_vma().
 */
notrace struct uffdwp_tracker *uffdwp_async_tracker_of_vma_atomic(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t;

	rcu_lock_acquire(&rcu_lock_map);
	t = find_first(vma->vm_userfaultfd_ctx.ctx);
	if (unlikely(!t || t->mm != vma->vm_mm || t->sync))
		t = find_async_slowly(vma);
	rcu_lock_release(&rcu_lock_map);
	return t;
}

/**
 * uffdwp_tracker_of_ctx - the tracker of a userfaultfd
 * @ctx: its context
 *
 * Return: the tracker, or NULL. It is to be dereferenced only with mmap_lock of its mm held, or
 * between rcu_read_lock() and rcu_read_unlock().
 */
struct uffdwp_tracker *uffdwp_tracker_of_ctx(const void *ctx)
{
	struct uffdwp_tracker *t;

	rcu_read_lock();
	t = find_by_ctx(ctx);
	rcu_read_unlock();
	return t;
}

/**
 * uffdwp_whose_ctx - has a userfaultfd a tracker, and of which kind?
 * @ctx: its context; the caller keeps it open
 *
 * Return: whose it is, now: a tracker may come or go at any time; or UFFDWP_UNTRACKED, which is 0.
 */
notrace enum uffdwp_whose uffdwp_whose_ctx(const void *ctx)
{
	enum uffdwp_whose whose = UFFDWP_UNTRACKED;
	struct uffdwp_tracker *t;

	rcu_read_lock();
	t = find_by_ctx(ctx);
	if (t)
		whose = t->whose;
	rcu_read_unlock();
	return whose;
}

/**
 * uffdwp_ctx_is_ridden - does a tracker ride along on a userfaultfd?
 * @ctx: its context; the caller keeps it open
 *
 * Return: whether one does, now.
 */
bool uffdwp_ctx_is_ridden(const void *ctx)
{
	struct uffdwp_tracker *t;
	bool ridden;

	rcu_read_lock();
	t = find_by_ctx(ctx);
	ridden = t && t->rides;
	rcu_read_unlock();
	return ridden;
}

/**
 * uffdwp_tracker_with_ctx_at - the backport tracker whose context begins in a range
 * @mm: its mm
 * @first: lowest address of the context
 * @last: highest address of the context
 *
 * The caller keeps the userfaultfd open.
 *
 * Return: the tracker, valid until mmap_lock of @mm is dropped, if that is held; or NULL.
 */
struct uffdwp_tracker *uffdwp_tracker_with_ctx_at(const struct mm_struct *mm, const void *first,
						  const void *last)
{
	struct uffdwp_tracker *t = NULL;
	struct uffdwp_tracked_mm *m;

	rcu_read_lock();
	m = find_mm(mm);
	if (m)
		hlist_for_each_entry_rcu(t, &m->trackers, by_mm)
			if (t->whose == UFFDWP_BACKPORT && t->ctx >= first && t->ctx <= last)
				break;
	rcu_read_unlock();
	return t;
}

/**
 * uffdwp_for_trackers_of_mm - do something to each tracker of an mm
 * @mm: mm of a task, mmap_lock held for writing: so none of its trackers leaves the tables
 * @work: what, may sleep
 * @arg: for @work
 */
void uffdwp_for_trackers_of_mm(struct mm_struct *mm,
			       void (*work)(struct uffdwp_tracker *t, void *arg), void *arg)
{
	struct uffdwp_tracked_mm *m = find_mm(mm);
	struct uffdwp_tracker *t;

	lockdep_assert_held_write(&mm->mmap_lock);
	if (m)
		hlist_for_each_entry_rcu(t, &m->trackers, by_mm,
					 lockdep_is_held(&mm->mmap_lock))
			work(t, arg);
}

/**
 * uffdwp_mm_is_in_table - uffdwp_mm_is_tracked(), where the hash does not tell
 * @mm: mm
 *
 * Return: whether it is.
 */
notrace bool uffdwp_mm_is_in_table(const struct mm_struct *mm)
{
	return find_mm(mm);
}

/**
 * uffdwp_tracker_forget - forget what is remembered of memory by its address alone
 * @t: tracker
 * @start: first address
 * @end: last address, exclusive
 *
 * For all that leaves the tracker, and for what it registers where that may have been: what is
 * mapped there next, or grows to there, is neither what was taken for zeroes nor the huge page that
 * was split. mmap_lock is held, so that neither has come there yet; or the lock of the tracker, so
 * that no scan splits one, where it is about to register or unregister what there is.
 *
 * A huge page that leaves in part is remembered: the rest of it is still to be reported.
 */
void uffdwp_tracker_forget(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	const unsigned long split_at = READ_ONCE(t->split_at);

	if (t->sparse.on)
		uffdwp_sparse_remove_all(&t->sparse, start, end);
	/* Of two that forget, or of one and a scan that splits the next, none undoes the other. */
	if (split_at && start <= split_at && end >= split_at + PMD_SIZE)
		cmpxchg(&t->split_at, split_at, 0);
}

static bool has_any_that(const struct mm_struct *mm, bool (*is)(const struct uffdwp_tracker *t))
{
	struct uffdwp_tracked_mm *m;
	struct uffdwp_tracker *t;
	bool any = false;

	rcu_read_lock();
	m = find_mm(mm);
	if (m)
		hlist_for_each_entry_rcu(t, &m->trackers, by_mm)
			any |= is(t);
	rcu_read_unlock();
	return any;
}

static bool moves_armed(const struct uffdwp_tracker *t)
{
	return t->remaps;
}

static bool is_riding(const struct uffdwp_tracker *t)
{
	return t->rides;
}

/**
 * uffdwp_mm_moves_armed - may mremap() move entries that stay registered and armed?
 * @mm: mm
 *
 * Return: whether a tracker has a userfaultfd with UFFD_FEATURE_EVENT_REMAP.
 */
bool uffdwp_mm_moves_armed(const struct mm_struct *mm)
{
	return has_any_that(mm, moves_armed);
}

/**
 * uffdwp_mm_is_ridden - does a tracker ride along on a userfaultfd of the process?
 * @mm: mm
 *
 * Return: whether one does.
 */
bool uffdwp_mm_is_ridden(const struct mm_struct *mm)
{
	return has_any_that(mm, is_riding);
}

/**
 * uffdwp_next_with_events - trackers of an mm that have events, one after the other
 * @mm: mm
 * @id: of the one before, or 0
 *
 * Return: the next one, valid as long as the caller keeps the trackers of @mm: with its mmap_lock,
 * or by uffdwp_events_enter(); or NULL.
 */
struct uffdwp_tracker *uffdwp_next_with_events(const struct mm_struct *mm, u64 id)
{
	struct uffdwp_tracker *t, *next = NULL;
	struct uffdwp_tracked_mm *m;

	rcu_read_lock();
	m = find_mm(mm);
	if (m)
		hlist_for_each_entry_rcu(t, &m->trackers, by_mm)
			if (t->id > id && READ_ONCE(t->events) && (!next || t->id < next->id))
				next = t;
	rcu_read_unlock();
	return next;
}

/**
 * uffdwp_tell_mm - in the rings of all trackers of an mm: this range has to be looked at
 * @mm: mm
 * @start: first address
 * @end: last address, exclusive
 *
 * For what has changed hands, so that no VMA says whose it was; and without mmap_lock.
 */
void uffdwp_tell_mm(const struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct uffdwp_tracked_mm *m;
	struct uffdwp_tracker *t;

	if (!uffdwp_any_ring())
		return;
	rcu_read_lock();
	m = find_mm(mm);
	if (m)
		hlist_for_each_entry_rcu(t, &m->trackers, by_mm)
			uffdwp_tell(t, start, end, UFFDWP_RING_SCAN);
	rcu_read_unlock();
}

/**
 * uffdwp_rings_of_mm_set - uffdwp_ring_set() for the trackers of an mm
 * @mm: mm
 * @ctx: but for that of this userfaultfd; NULL: for all
 * @flags: flags
 */
void uffdwp_rings_of_mm_set(const struct mm_struct *mm, const void *ctx, u32 flags)
{
	struct uffdwp_tracked_mm *m;
	struct uffdwp_tracker *t;

	if (!uffdwp_any_ring())
		return;
	rcu_read_lock();
	m = find_mm(mm);
	if (m)
		hlist_for_each_entry_rcu(t, &m->trackers, by_mm)
			if (t->ctx != ctx)
				uffdwp_ring_set(t, flags);
	rcu_read_unlock();
}

/**
 * uffdwp_tracker_sum - one counter, summed over all CPUs
 * @t: tracker
 * @offset: of the counter in struct uffdwp_counters
 *
 * Return: the sum.
 */
u64 uffdwp_tracker_sum(const struct uffdwp_tracker *t, size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*(u64 *)((char *)per_cpu_ptr(t->counters, cpu) + offset));
	return sum;
}
