// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the trackers and the tables in which faults find them.
 *
 *   open file --> tracker --> userfaultfd (struct file) --> context <-- vma->vm_userfaultfd_ctx
 *                       \--> mm_struct (mmgrab: the struct, not the memory)
 *
 * A native tracker (backport/api.c) belongs to the userfaultfd instead of holding it, and ends with
 * it. With native_abi=1 every userfaultfd of the machine may have one, and every write fault of
 * userfaultfd memory looks one up. So the tables grow with what is in them: a user who makes many
 * trackers makes no lookup of others slower. Those of one mm hang on one node, or their chain would
 * be walked by all whose mm has a near hash.
 *
 * Locks, outermost first:
 *	tracker->lock		commands
 *	mm->mmap_lock
 *	page-table lock
 *	tables_lock		writers of the tables; readers use RCU
 *
 * A tracker leaves the tables when no VMA is registered with it any more or, if its userfaultfd
 * stays open, with mmap_lock held for writing and the lock of each VMA that is. A fault holds
 * mmap_lock for reading, or the lock of its VMA (per-VMA locks, 6.4 and later), and taking a VMA
 * from its userfaultfd takes both for writing; so a tracker that a fault has found stays in the
 * tables, and alive, until that fault is over. RCU is for those who look without having found.
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
#include "health.h"
#include "register.h"
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

static atomic64_t ids = ATOMIC64_INIT(0);

/**
 * uffdwp_tracker_new_backport - make a tracker that no scan of the device will use
 *
 * Whoever may call UFFDIO_API may have as many as he has files, so they are his to pay for.
 *
 * Return: the tracker, or NULL when there is no memory.
 */
struct uffdwp_tracker *uffdwp_tracker_new_backport(void)
{
	struct uffdwp_tracker *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;

	t->counters = alloc_percpu_gfp(struct uffdwp_counters, GFP_KERNEL_ACCOUNT);
	if (!t->counters) {
		kfree(t);
		return NULL;
	}
	mutex_init(&t->lock);
	t->id = atomic64_inc_return(&ids);
	t->drained_at = jiffies - HZ;
	uffdwp_health_prepare(t);
	return t;
}

/**
 * uffdwp_tracker_new - make a tracker that is not attached yet
 *
 * Return: the tracker, or NULL when there is no memory.
 */
struct uffdwp_tracker *uffdwp_tracker_new(void)
{
	struct uffdwp_tracker *t = uffdwp_tracker_new_backport();

	if (!t)
		return NULL;

	t->buffer = kvmalloc_array(UFFDWP_BUFFER_REGIONS, sizeof(*t->buffer), GFP_KERNEL_ACCOUNT);
	if (!t->buffer) {
		uffdwp_tracker_release(t);
		return NULL;
	}
	return t;
}

static void free_tracker(struct rcu_head *rcu)
{
	struct uffdwp_tracker *t = container_of(rcu, struct uffdwp_tracker, rcu);

	kvfree(t->buffer);
	free_percpu(t->counters);
	kfree(t);
}

/* The caller is an RCU reader. */
static __always_inline struct uffdwp_tracker *find_by_ctx(const void *ctx)
{
	return rhashtable_lookup(&by_ctx_table, &ctx, by_ctx_params);
}

/*
 * A child may have inherited VMAs with the context of its parent's userfaultfd: so the mm is
 * compared, too. And where writes are for the userfaultfd monitor (@sync), nothing is found by
 * those who resolve write faults.
 */
static __always_inline struct uffdwp_tracker *find_by_vma(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = find_by_ctx(vma->vm_userfaultfd_ctx.ctx);

	return t && t->mm == vma->vm_mm && !t->sync ? t : NULL;
}

/* Out of line, for the one below. */
static noinline notrace struct uffdwp_tracker *find_by_vma_slowly(const struct vm_area_struct *vma)
{
	return find_by_vma(vma);
}

/*
 * The first of a chain, if that is the one: mostly it is, and rhashtable_lookup() takes a hundred
 * instructions, since the compiler has it hash and compare through retpolines. It is asked when
 * this finds nothing, as in a table that is just being replaced.
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

/* Those of one mm, for an RCU reader, or with the lock held. */
static struct uffdwp_tracked_mm *find_mm(const struct mm_struct *mm)
{
	return rhashtable_lookup_fast(&by_mm_table, &mm, by_mm_params);
}

static int insert(struct uffdwp_tracker *t, struct uffdwp_tracked_mm *new)
{
	int err = rhashtable_lookup_insert_fast(&by_ctx_table, &t->by_ctx, by_ctx_params);

	lockdep_assert_held(&tables_lock);
	if (err)
		return err == -EEXIST ? -EBUSY : -ENOMEM;
	t->of_mm = find_mm(t->mm);
	if (!t->of_mm) {
		err = rhashtable_insert_fast(&by_mm_table, &new->node, by_mm_params);
		if (err) {
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
 * @t: tracker with mm, uffd and ctx set
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
	err = insert(t, new);
	spin_unlock(&tables_lock);
	if (err || t->of_mm != new)
		kfree(new);
	if (!err)
		uffdwp_health_watch(t);
	return err;
}

static void unpublish(struct uffdwp_tracker *t)
{
	spin_lock(&tables_lock);
	rhashtable_remove_fast(&by_ctx_table, &t->by_ctx, by_ctx_params);
	hlist_del_rcu(&t->by_mm);
	if (hlist_empty(&t->of_mm->trackers)) {
		rhashtable_remove_fast(&by_mm_table, &t->of_mm->node, by_mm_params);
		kfree_rcu(t->of_mm, rcu);
	}
	spin_unlock(&tables_lock);
}

/**
 * uffdwp_tracker_of_vma - the tracker that a mapping is registered with
 * @vma: mapping, mmap_lock or, in a fault, its own lock held
 *
 * Called from the fault path, traced functions included: takes no lock. Without mmap_lock, but with
 * the mapping kept by the lock of its file's mappings, the answer holds for a moment only.
 *
 * Return: the tracker, valid until that lock is dropped, or NULL.
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
 * uffdwp_tracker_of_vma_atomic - the same, with a page-table lock held
 * @vma: mapping, mmap_lock or its own lock held
 *
 * A spinlock keeps RCU from passing (it disables preemption, or is an RCU reader itself), so this
 * one does without two calls in the hottest path, but for what lockdep has to be told.
 *
 * Return: as uffdwp_tracker_of_vma().
 */
notrace struct uffdwp_tracker *uffdwp_tracker_of_vma_atomic(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t;

	rcu_lock_acquire(&rcu_lock_map);
	t = find_first(vma->vm_userfaultfd_ctx.ctx);
	if (unlikely(!t || t->mm != vma->vm_mm || t->sync))
		t = find_by_vma_slowly(vma);
	rcu_lock_release(&rcu_lock_map);
	return t;
}

/**
 * uffdwp_ctx_is_handed_in - is this the context of a userfaultfd that was handed in?
 * @ctx: context of a userfaultfd that the caller keeps open
 *
 * Return: whether it is, now; a tracker may come or go at any time.
 */
notrace bool uffdwp_ctx_is_handed_in(const void *ctx)
{
	struct uffdwp_tracker *t;
	bool handed_in;

	rcu_read_lock();
	t = find_by_ctx(ctx);
	handed_in = t && t->handed_in;
	rcu_read_unlock();
	return handed_in;
}

/**
 * uffdwp_tracker_of_sync_vma - the tracker of a mapping whose writes are for a reader
 * @vma: mapping, mmap_lock or, in a fault, its own lock held
 *
 * Return: the tracker, valid until that lock is dropped, or NULL.
 */
struct uffdwp_tracker *uffdwp_tracker_of_sync_vma(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t;

	if (!vma->vm_userfaultfd_ctx.ctx)
		return NULL;
	rcu_read_lock();
	t = find_by_ctx(vma->vm_userfaultfd_ctx.ctx);
	rcu_read_unlock();
	return t && t->sync ? t : NULL;
}

/**
 * uffdwp_tracker_of_ctx - the native tracker of a userfaultfd
 * @ctx: its context
 *
 * Return: the tracker, or NULL. It is to be looked into only with mmap_lock of its address space
 * held, or between rcu_read_lock() and rcu_read_unlock().
 */
struct uffdwp_tracker *uffdwp_tracker_of_ctx(const void *ctx)
{
	struct uffdwp_tracker *t;

	rcu_read_lock();
	t = find_by_ctx(ctx);
	if (t && !t->backport)
		t = NULL;
	rcu_read_unlock();
	return t;
}

/**
 * uffdwp_ctx_is_tracked - does a userfaultfd have a tracker, of whatever kind?
 * @ctx: its context
 *
 * Return: whether it has, now.
 */
bool uffdwp_ctx_is_tracked(const void *ctx)
{
	bool tracked;

	rcu_read_lock();
	tracked = find_by_ctx(ctx);
	rcu_read_unlock();
	return tracked;
}

/**
 * uffdwp_tracker_with_ctx_at - the native tracker whose context begins in a range
 * @mm: its address space
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
			if (t->backport && t->ctx >= first && t->ctx <= last)
				break;
	rcu_read_unlock();
	return t;
}

/**
 * uffdwp_mm_is_tracked - has this address space any tracker?
 * @mm: address space
 *
 * Return: whether it has.
 */
bool uffdwp_mm_is_tracked(const struct mm_struct *mm)
{
	return find_mm(mm);
}

/**
 * uffdwp_mm_moves_armed - may mremap() move armed entries to where they are armed, too?
 * @mm: mm
 *
 * Return: whether a tracker has a userfaultfd with UFFD_FEATURE_EVENT_REMAP.
 */
bool uffdwp_mm_moves_armed(const struct mm_struct *mm)
{
	struct uffdwp_tracked_mm *m;
	struct uffdwp_tracker *t;
	bool moves = false;

	rcu_read_lock();
	m = find_mm(mm);
	if (m)
		hlist_for_each_entry_rcu(t, &m->trackers, by_mm)
			moves |= t->remaps;
	rcu_read_unlock();
	return moves;
}

/**
 * uffdwp_tracker_sum - one counter of all processors together
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

/*
 * In memory that the tracker has lost: what remap.c does at once, again at the end, for the hook
 * was perhaps not called (health.c). Only markers in anonymous memory matter, since on kernels that
 * have none there by themselves they kill whoever touches them, once no hook on do_swap_page() is
 * there. Bits may be those of another userfaultfd.
 */
static enum uffdwp_disarm lost_markers(const struct uffdwp_tracker *t, struct vm_area_struct *vma)
{
	if (UFFDWP_KERNEL_HAS_ANON_MARKERS || !t->markers || !vma_is_anonymous(vma))
		return UFFDWP_DISARM_NOTHING;
	if (!vma->vm_userfaultfd_ctx.ctx)
		return UFFDWP_DISARM_ALL;
	return uffdwp_tracker_of_vma(vma) || uffdwp_tracker_of_sync_vma(vma) ?
	       UFFDWP_DISARM_NOTHING : UFFDWP_DISARM_MARKERS;
}

static enum uffdwp_disarm all_of_tracker(struct vm_area_struct *vma, const void *arg)
{
	const struct uffdwp_tracker *t = arg;

	if (vma->vm_userfaultfd_ctx.ctx != t->ctx)
		return lost_markers(t, vma);
	return uffdwp_disarm_all_of(t);
}

/**
 * uffdwp_tracker_disarm_all - disarm all memory of the tracker, and let nothing be armed again
 * @t: attached tracker, its mm held by mmget(); mmap_lock is taken here
 *
 * From now on ARM, and SCAN that resets, fail with -ENODEV, also those that are under way. The
 * tracker is still found by faults, and those that have met an armed entry are resolved.
 *
 * With pauses (hold.c), so what is done must stay done while the rest is still to come. In the VMAs
 * that are registered with the tracker an entry becomes armed
 *
 *   - by uffdwp_arming_begin(), under mmap_lock. All of its callers that hold it while
 *     @arming_ended is set are waited for there, and those that come later see it;
 *   - by fork(), in another mm;
 *   - by mremap(), if the userfaultfd has UFFD_FEATURE_EVENT_REMAP: then there are no pauses, and
 *     uffdwp_tracker_release() looks again;
 *   - by UFFDIO_MOVE, for a swap entry: move.c disarms what has arrived;
 *   - by calls of its owner on a userfaultfd that was handed in (UFFDIO_COPY_MODE_WP). What these
 *     arm now is between the owner and the reader of that userfaultfd.
 *
 * Everything else that replaces an entry (a split, swap, migration, a zap that leaves a marker)
 * reads it and writes the new one under one hold of the page-table lock, as we do: what is not
 * armed before is not armed after it.
 */
void uffdwp_tracker_disarm_all(struct uffdwp_tracker *t)
{
	const struct uffdwp_choice choice = { .what = all_of_tracker, .arg = t };

	mmap_write_lock(t->mm);
	t->arming_ended = true;
	mmap_write_unlock(t->mm);
	uffdwp_disarm_range(t->mm, 0, ULONG_MAX, &choice);
}

/*
 * VMAs may stay registered, with a userfaultfd that is not ours to close, and nothing is armed any
 * more. What could still be under way: a fault that saw an armed huge page, or
 * an armed entry, before it was disarmed, and has not come to our hook yet. If the tracker were
 * gone by then, the fault would sleep in handle_userfault() for a reader that does not exist. Such
 * a fault holds mmap_lock for reading, or the lock of its VMA; so with mmap_lock held for writing
 * and faults kept out of the VMA there is none, and nothing is left that could start one.
 */
static void drain_faults(struct uffdwp_tracker *t)
{
	struct vm_area_struct *vma;

	lockdep_assert_held_write(&t->mm->mmap_lock);
	uffdwp_for_each_vma(vma, t->mm, 0, ULONG_MAX) {
		if (vma->vm_userfaultfd_ctx.ctx != t->ctx)
			continue;
		uffdwp_vma_keep_out_faults(vma);
		if (t->remaps)
			uffdwp_disarm(vma, vma->vm_start, vma->vm_end);
	}
}

static void end_in_mm(struct uffdwp_tracker *t)
{
	uffdwp_tracker_disarm_all(t);
	/* Whole VMAs: cannot fail, and leaves one only where a stack has grown down meanwhile. */
	if (t->uffd && !t->handed_in)
		uffdwp_unregister_disarmed(t, 0, ULONG_MAX);
	mmap_write_lock(t->mm);
	drain_faults(t);
	unpublish(t);
	mmap_write_unlock(t->mm);
	/* Closing a userfaultfd wakes all; one that was handed in stays open. */
	if (t->uffd && uffdwp_health_is_lost(t))
		uffdwp_health_wake(t);
}

/**
 * uffdwp_tracker_release - end the tracking and free the tracker
 * @t: tracker, which nobody else can reach but through the tables
 *
 * The mapping flags are taken back by the kernel when the userfaultfd is released. If the process
 * handed in its own userfaultfd it stays open and registered; nothing on it is protected any more.
 * The hooks must stay until this returns.
 */
void uffdwp_tracker_release(struct uffdwp_tracker *t)
{
	if (t->mm) {
		uffdwp_health_forget(t);
		/* mm_users of 0: the mappings are gone or on their way, and no fault can come */
		if (mmget_not_zero(t->mm)) {
			end_in_mm(t);
			mmput(t->mm);
		} else {
			unpublish(t);
		}
		if (t->uffd)
			fput(t->uffd);
		mmdrop(t->mm);
	}
	mutex_destroy(&t->lock);
	call_rcu(&t->rcu, free_tracker);
}
