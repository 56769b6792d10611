/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_TRACKER_H
#define UFFDWP_TRACKER_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "../uapi/uffdwp-async.h"
#include "kind.h"
#include "sparse.h"

/* Those of struct uffdwp_stats_arg that are counted, in its order. */
#define UFFDWP_COUNTERS(X)							\
	X(write_faults) X(huge_splits) X(fallback_faults) X(marker_faults)	\
	X(hugetlb_faults) X(pages_armed) X(pages_pinned) X(pages_discarded)	\
	X(zero_installed) X(markers_installed) X(scans) X(pages_reported)	\
	X(pages_undone) X(tlb_flushes) X(pages_given_way) X(sparse_armed)	\
	X(huge_faults) X(pages_opened) X(mappings_followed) X(mappings_missed)

struct uffdwp_ring;
struct uffdwp_events;

/* One set a CPU: the fault path adds without a lock. */
#define UFFDWP_COUNTER(name) u64 name;
struct uffdwp_counters {
	UFFDWP_COUNTERS(UFFDWP_COUNTER)
};

/*
 * Whose userfaultfd a tracker has.
 *
 *   PRIVATE	the module has made it, and the process does not know it (device_tracker.h)
 *   HANDED_IN	the process has made it, handed it to the device, and may use it, too; or a tracer
 *		has taken it from the process, which does not know that (@rides)
 *   BACKPORT	the process has made it with native_abi=1, and it owns the tracker
 *		(backport/backport_tracker.h)
 */
enum uffdwp_whose {
	UFFDWP_UNTRACKED,
	UFFDWP_PRIVATE,
	UFFDWP_HANDED_IN,
	UFFDWP_BACKPORT,
};

/**
 * struct uffdwp_follow - what a tracker registers as it is mapped (follow.c)
 * @kinds: UFFDWP_KIND_*; 0: nothing
 * @sparse: private anonymous memory begins sparse
 * @fork: a forked child gets a tracker of its own (heirs.c)
 * @exec: so does what execve(2) makes
 * @whole: [@start, @end) is all addresses of the mm
 * @start: first address
 * @end: last address, exclusive
 * @moved_from: where from mremap() is about to move a VMA of the tracker
 * @moved_to: where mremap() is about to put a VMA of the tracker
 * @moved_len: bytes of that
 */
struct uffdwp_follow {
	u64 kinds;
	bool sparse;
	bool fork;
	bool exec;
	bool whole;
	unsigned long start;
	unsigned long end;
	unsigned long moved_from;
	unsigned long moved_to;
	unsigned long moved_len;
};

/**
 * struct uffdwp_tracker - what faults, arming and disarming see of a tracker
 * @by_ctx: node in the table that faults look into; first, so that container_of() costs nothing
 * @id: no other tracker has or will have it
 * @mm: mm, by mmgrab(): mm_users may become 0 at any time. NULL until attached
 * @ctx: context of its userfaultfd, compared with vma->vm_userfaultfd_ctx.ctx and never
 *	dereferenced
 * @whose: whose userfaultfd it is
 * @sync: write faults are for the userfaultfd monitor; we arm only unpopulated memory or, if it
 *	@rides, nothing any more
 * @remaps: the userfaultfd has UFFD_FEATURE_EVENT_REMAP: what mremap() moves stays registered and
 *	armed
 * @rides: of a userfaultfd that was handed in, it tracks what the process has registered for other
 *	faults (ride.c)
 * @joins: it has all of that, and what the process registers there later; changed with mmap_lock
 *	held for writing
 * @arming_ended: no command arms any more; set with mmap_lock held for writing, read with it held
 *	for reading
 * @markers: unpopulated memory is armed with markers, not with zero pages
 * @ignore_pins: pages that may be pinned are armed like others
 * @whole_huge: anonymous huge pages are armed and written as a whole
 * @granule: pages of the block that a write fault opens (granule.h); 0: its own page alone
 * @lost: its hooks are dead, see health.c; never reset
 * @losing_wanted: @losing is to find it lost, or to help it once more
 * @keep: its memory is not given to a userfaultfd of the process (giveway.c)
 * @drain_wanted: an entry was left unarmed because its page may be pinned
 * @mapped_zeroes: it has armed unpopulated memory by mapping the zero page
 * @anon_markers: it has armed unpopulated anonymous memory with markers
 * @follow: new memory that it registers; changed with mmap_lock held for writing
 * @sparse: memory that is armed without a page table; in use by the device only
 * @split_at: first address of the huge page of a file that a scan has split last, and that may
 *	still be there (scan_split.c); 0: none
 * @counters: statistics
 * @ring: what becomes written is told there (ring.h); NULL: to nobody
 * @events: what becomes of its memory is told there (events.h); NULL: to nobody
 * @watched: in the list of health.c
 * @losing: work of health.c
 * @by_mm: in the list of @of_mm
 * @of_mm: all trackers of the mm, once published
 * @rcu: frees the tracker when no fault can see it any more
 *
 * The first member of what is derived from it. All but @arming_ended, @lost, @losing_wanted,
 * @watched, @drain_wanted, @mapped_zeroes, @anon_markers, @follow, what is in @sparse,
 * @split_at, @ring, @events, and the counters is set once, before the tracker is published in the
 * tables; and @joins, and @sync of one that @rides, which ride.c changes; and @markers of one that
 * is @sync, which health.c clears.
 */
struct uffdwp_tracker {
	struct rhash_head by_ctx;
	u64 id;
	struct mm_struct *mm;
	const void *ctx;
	enum uffdwp_whose whose;
	bool sync;
	bool remaps;
	bool rides;
	bool joins;
	bool arming_ended;
	bool markers;
	bool ignore_pins;
	bool whole_huge;
	bool lost;
	bool losing_wanted;
	bool keep;
	bool drain_wanted;
	bool mapped_zeroes;
	bool anon_markers;
	unsigned int granule;
	struct uffdwp_follow follow;
	struct uffdwp_sparse sparse;
	unsigned long split_at;
	struct uffdwp_counters __percpu *counters;
	struct uffdwp_ring *ring;
	struct uffdwp_events *events;
	struct list_head watched;
	struct work_struct losing;
	struct hlist_node by_mm;
	struct uffdwp_tracked_mm *of_mm;
	struct rcu_head rcu;
};

#define uffdwp_count(t, what, n) this_cpu_add((t)->counters->what, n)

int uffdwp_trackers_init(void);
void uffdwp_trackers_exit(void);
int uffdwp_tracker_publish(struct uffdwp_tracker *t);
void uffdwp_tracker_unpublish(struct uffdwp_tracker *t);
void uffdwp_tracker_forget(struct uffdwp_tracker *t, unsigned long start, unsigned long end);
u64 uffdwp_tracker_sum(const struct uffdwp_tracker *t, size_t offset);

struct uffdwp_tracker *uffdwp_tracker_of_vma(const struct vm_area_struct *vma);
struct uffdwp_tracker *uffdwp_async_tracker_of_vma_atomic(const struct vm_area_struct *vma);
struct uffdwp_tracker *uffdwp_tracker_of_ctx(const void *ctx);
struct uffdwp_tracker *uffdwp_tracker_with_ctx_at(const struct mm_struct *mm, const void *first,
						  const void *last);
enum uffdwp_whose uffdwp_whose_ctx(const void *ctx);
void uffdwp_for_trackers_of_mm(struct mm_struct *mm,
			       void (*work)(struct uffdwp_tracker *t, void *arg), void *arg);
bool uffdwp_mm_is_in_table(const struct mm_struct *mm);
bool uffdwp_mm_moves_armed(const struct mm_struct *mm);
bool uffdwp_mm_is_ridden(const struct mm_struct *mm);

/* How many mms that are tracked have each hash: most others have one that none of these has. */
#define UFFDWP_MM_HASH_BITS 8
extern unsigned int uffdwp_mms_of_hash[1 << UFFDWP_MM_HASH_BITS];

static __always_inline unsigned int uffdwp_hash_of_mm(const struct mm_struct *mm)
{
	return hash_ptr((void *)mm, UFFDWP_MM_HASH_BITS);
}

/**
 * uffdwp_mm_is_tracked - has this mm any tracker?
 * @mm: mm
 *
 * Asked whenever any process maps or unmaps memory: the table is looked into only if it may be.
 *
 * Return: whether it has.
 */
static __always_inline bool uffdwp_mm_is_tracked(const struct mm_struct *mm)
{
	return unlikely(READ_ONCE(uffdwp_mms_of_hash[uffdwp_hash_of_mm(mm)])) &&
	       uffdwp_mm_is_in_table(mm);
}

/* As uffdwp_tracker_of_vma(), if write faults in the VMA are ours to resolve. */
static inline struct uffdwp_tracker *uffdwp_async_tracker_of_vma(const struct vm_area_struct *vma)
{
	struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);

	return t && !t->sync ? t : NULL;
}

/* One counter, summed over all CPUs. */
#define uffdwp_total(t, what) uffdwp_tracker_sum(t, offsetof(struct uffdwp_counters, what))

/*
 * The VMAs of a range, from low to high; mmap_lock held, and no spinlock: there may be tens of
 * thousands of them. The first may begin before the range, and the last end behind it. An empty
 * range has none, also where a VMA lies around it.
 */
#define uffdwp_for_each_vma(vma, mm, start, end)				\
	for (vma = (start) < (end) ? find_vma(mm, start) : NULL;		\
	     vma && vma->vm_start < (end);					\
	     cond_resched(), vma = find_vma(mm, vma->vm_end))

/*
 * Has the process begun to write-protect with the userfaultfd that a tracker rides on? Then none of
 * its memory is the tracker's any more. mmap_lock, or the lock of a VMA of it, is held.
 */
static inline bool uffdwp_tracker_is_ridden_off(const struct uffdwp_tracker *t)
{
	return t->rides && t->sync;
}

bool uffdwp_ctx_is_ridden(const void *ctx);

/**
 * uffdwp_vma_is_tracked - is this VMA registered with this tracker?
 * @t: tracker
 * @vma: a VMA of its mm; mmap_lock held
 *
 * The owner of a handed-in userfaultfd may have registered memory of kinds that are not offered.
 */
static inline bool uffdwp_vma_is_tracked(const struct uffdwp_tracker *t,
					 struct vm_area_struct *vma)
{
	return vma->vm_userfaultfd_ctx.ctx == t->ctx &&
	       (vma->vm_flags & VM_UFFD_WP) && !uffdwp_tracker_is_ridden_off(t) &&
	       (vma_is_anonymous(vma) || uffdwp_kind_is_offered(vma));
}

/* Whole pages, below task_size: as validate_range() of fs/userfaultfd.c. */
static inline bool uffdwp_user_range_is_valid(const struct mm_struct *mm, u64 start, u64 len)
{
	u64 end;

	return len && PAGE_ALIGNED(start) && PAGE_ALIGNED(len) &&
	       !check_add_overflow(start, len, &end) && end <= mm->task_size;
}

/* Does the process not know the userfaultfd of this tracker? @t may be NULL. */
static inline bool uffdwp_tracker_is_private(const struct uffdwp_tracker *t)
{
	return t && t->whose == UFFDWP_PRIVATE;
}

/*
 * Does the process not know that the memory of this tracker is write-protected? Then its calls must
 * return what they would if it were not. @t may be NULL.
 */
static inline bool uffdwp_tracker_is_hidden(const struct uffdwp_tracker *t)
{
	return t && (t->whose == UFFDWP_PRIVATE || t->rides);
}

/* Has it mapped zero pages unknown to the process? One that handed in its own expects them. */
static inline bool uffdwp_tracker_maps_zeroes(const struct uffdwp_tracker *t)
{
	return uffdwp_tracker_is_private(t) && READ_ONCE(t->mapped_zeroes);
}

#endif /* UFFDWP_TRACKER_H */
