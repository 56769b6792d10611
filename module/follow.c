// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracker that follows its mm: what is mapped there is registered inside the call that maps it,
 * before anybody can touch it.
 *
 * Every VMA of a running mm is made by mmap_region() (mmap, shmat, remap_file_pages, vm_mmap of
 * drivers) or do_brk_flags() (brk, vm_brk_flags), but for those of the kernel's own that nobody may
 * write to; and a stack that grows, grows in its VMA. hooks/birth.c comes after these two
 * functions. Their callers hold mmap_lock for writing until they have returned, and populate
 * (MAP_POPULATE, VM_LOCKED) only then. So a VMA that was made between the two has no page tables
 * yet, and no fault can come before it is registered.
 *
 * It is registered as UFFDIO_REGISTER does it, and merged with its neighbours by the kernel's own
 * function: the kernel could not merge it while it had no userfaultfd and they had one. All that
 * may ever become writable is registered, so that mprotect() divides and merges it as it would
 * without.
 *
 * mremap() that moves: copy_vma() makes a VMA with the context of the old one, merged with
 * neighbours, all of which mremap_userfaultfd_prep() would unregister. It stays registered instead.
 * But what was armed at its old address was not armed at the new one, where the tracer knows
 * something else: what has moved is disarmed. Where it is in the VMA only copy_vma() is told.
 *
 * Following begins and ends with mmap_lock held for writing. A call that was entered before the
 * tracker began to follow, and so was not seen, is over by then, and what it has mapped is found by
 * the walk over all VMAs that comes after; and nothing is registered with a context once its
 * tracker has ended to follow.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/spinlock.h>

#include "arm.h"
#include "compat/vma.h"
#include "disarm.h"
#include "events.h"
#include "follow.h"
#include "kind.h"
#include "register.h"
#include "ring.h"
#include "trace.h"
#include "tracker.h"

atomic_t uffdwp_followers = ATOMIC_INIT(0);

/* The kinds that a tracker follows are offered to it. What stays split is not divided. */
static bool wants(const struct uffdwp_tracker *t, struct vm_area_struct *vma)
{
	return uffdwp_vma_can_be_had(vma, t->follow.kinds) &&
	       (!uffdwp_vma_stays_split(vma) ||
		(vma->vm_start >= t->follow.start && vma->vm_end <= t->follow.end));
}

/* ---- VMAs that are made */

struct birth {
	unsigned long start;
	unsigned long end;
};

/*
 * There is nothing in it: the process has just mapped it. It may map any number of parts; so there
 * is a limit.
 */
static void begin_sparse(struct uffdwp_tracker *t, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma(t->mm, start);

	if (uffdwp_can_be_sparse(t, vma) && !uffdwp_sparse_is_full(&t->sparse) &&
	    !uffdwp_sparse_take(t, vma, start, end))
		trace_uffdwp_armed(t->mm, start, end, (end - start) >> PAGE_SHIFT);
}

/* Of a VMA that was merged with one before, [start, end) is a part. */
static void register_part(struct uffdwp_tracker *t, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end)
{
	const struct uffdwp_memory memory = uffdwp_memory_of(vma);
	bool told;

	if (uffdwp_vma_register(vma, start, end, t->ctx)) {
		uffdwp_count(t, mappings_missed, 1);
		uffdwp_tell_event(t, &memory, UFFDWP_EVENT_LEFT, start, end);
	} else {
		uffdwp_count(t, mappings_followed, 1);
		uffdwp_tracker_forget(t, start, end);
		told = uffdwp_tell_event(t, &memory, UFFDWP_EVENT_MAPPED, start, end);
		/* Who waits for events and is not told of it takes it for what was there before. */
		if (t->follow.sparse && (told || !READ_ONCE(t->events)))
			begin_sparse(t, start, end);
	}
	uffdwp_tell(t, start, end, UFFDWP_RING_SCAN);
}

static void register_birth(struct uffdwp_tracker *t, void *arg)
{
	const struct birth *birth = arg;
	const unsigned long end = min(birth->end, t->follow.end);
	unsigned long next, pos = max(birth->start, t->follow.start);
	struct vm_area_struct *vma;

	if (!t->follow.kinds || READ_ONCE(t->lost))
		return;
	while (pos < end) {
		vma = find_vma(t->mm, pos);
		if (!vma || vma->vm_start >= end)
			return;
		/* When it is registered it may be gone. */
		next = vma->vm_end;
		if (wants(t, vma))
			register_part(t, vma, max(pos, vma->vm_start), min(end, next));
		pos = next;
	}
}

/**
 * uffdwp_birth - the kernel has mapped memory
 * @mm: mm, mmap_lock held for writing
 * @start: first address
 * @end: last address, exclusive
 *
 * Where memory is wanting it stays UNTRACKED, which a scan tells.
 */
void uffdwp_birth(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct birth birth = { .start = start, .end = end };

	uffdwp_for_trackers_of_mm(mm, register_birth, &birth);
}

/* ---- VMAs that are moved */

/**
 * uffdwp_follow_keeps - does a VMA that mremap() has moved stay registered?
 * @t: its tracker, or NULL
 * @vma: where it is now; mmap_lock is held for writing
 *
 * Return: whether it does: it has come to where the tracker follows.
 */
bool uffdwp_follow_keeps(const struct uffdwp_tracker *t, struct vm_area_struct *vma)
{
	return t && (uffdwp_kind_of_vma(vma) & t->follow.kinds) && !READ_ONCE(t->lost) &&
	       vma->vm_start >= t->follow.start && vma->vm_end <= t->follow.end;
}

/**
 * uffdwp_follow_moves - mremap() is about to move a VMA, or a part of one
 * @vma: VMA; mmap_lock is held for writing, until uffdwp_follow_moved() or the call has failed
 * @pgoff: what of it, in pages, counted as @vma->vm_pgoff is
 * @to: where to
 * @len: bytes
 *
 * What is moved, or moved back when the call fails, may have lost its bits where it was; and where
 * it was to go stays mapped if it was merged with a neighbour and cannot be split from it again for
 * want of memory. To tell that now is not too early: the scan that it asks for takes mmap_lock.
 * Later it would be too late, since a call that has failed comes to no place where it is known what
 * it was about to move.
 */
notrace void uffdwp_follow_moves(const struct vm_area_struct *vma, unsigned long pgoff,
				 unsigned long to, unsigned long len)
{
	const unsigned long from = vma->vm_start + ((pgoff - vma->vm_pgoff) << PAGE_SHIFT);
	struct uffdwp_tracker *t = uffdwp_tracker_of_vma(vma);

	if (!t)
		return;
	uffdwp_tell(t, from, from + len, UFFDWP_RING_SCAN);
	uffdwp_tell(t, to, to + len, UFFDWP_RING_SCAN);
	if (!t->follow.kinds && !READ_ONCE(t->events))
		return;
	t->follow.moved_from = from;
	t->follow.moved_to = to;
	t->follow.moved_len = len;
}

/**
 * uffdwp_follow_moved - what has moved with a VMA that stays registered is written
 * @t: its tracker
 * @vma: where it is now; mmap_lock is held for writing
 *
 * With MREMAP_DONTUNMAP the old place is still mapped and registered, and empty: written, too, as
 * was told when the move began.
 */
void uffdwp_follow_moved(struct uffdwp_tracker *t, struct vm_area_struct *vma)
{
	const unsigned long start = max(vma->vm_start, t->follow.moved_to);
	const unsigned long end = min(vma->vm_end, t->follow.moved_to + t->follow.moved_len);

	uffdwp_vma_keep_out_faults(vma);
	if (t->sparse.on)
		uffdwp_sparse_remove_all(&t->sparse, start, end);
	uffdwp_disarm_vma(vma, start, end, UFFDWP_DISARM_ALL);
	uffdwp_tell(t, start, end, UFFDWP_RING_SCAN);
}

/**
 * uffdwp_follow_tells_move - tell where mremap() has moved a VMA
 * @t: its tracker
 * @vma: where it is now; mmap_lock is held for writing
 * @keeps: it stays registered
 *
 * It may have been merged with others, which are registered no more, either.
 */
void uffdwp_follow_tells_move(const struct uffdwp_tracker *t, struct vm_area_struct *vma,
			      bool keeps)
{
	struct uffdwp_events *ev = READ_ONCE(t->events);
	struct uffdwp_memory memory;
	struct uffdwp_event event;

	if (!ev)
		return;
	memory = uffdwp_memory_of(vma);
	event = uffdwp_event_of_range(&memory, UFFDWP_EVENT_MOVED, t->follow.moved_to,
				      t->follow.moved_to + t->follow.moved_len);
	event.from = t->follow.moved_from;
	uffdwp_events_add(ev, &event);
	if (!keeps)
		uffdwp_tell_range(ev, &memory, UFFDWP_EVENT_LEFT, vma->vm_start, vma->vm_end);
}

/* ---- begin and end */

struct claim {
	const struct uffdwp_tracker *of;
	struct uffdwp_follow follow;
	bool met;
};

static void meet_claim(struct uffdwp_tracker *t, void *arg)
{
	struct claim *claim = arg;

	if (t != claim->of && (t->follow.kinds & claim->follow.kinds) &&
	    t->follow.start < claim->follow.end && claim->follow.start < t->follow.end)
		claim->met = true;
}

/* With mmap_lock: t->follow changes. It alone is enough for who copies it: uffdwp_follow_of(). */
static DEFINE_SPINLOCK(follow_lock);

/**
 * uffdwp_follow_of - what a tracker follows
 * @t: tracker
 *
 * Without mmap_lock, which a fault may keep for ever.
 *
 * Return: that.
 */
struct uffdwp_follow uffdwp_follow_of(const struct uffdwp_tracker *t)
{
	struct uffdwp_follow follow;

	spin_lock(&follow_lock);
	follow = t->follow;
	spin_unlock(&follow_lock);
	return follow;
}

/* mmap_lock is held for writing. */
static int begin_locked(struct uffdwp_tracker *t, const struct uffdwp_follow *follow)
{
	struct claim claim = { .of = t, .follow = *follow };

	uffdwp_for_trackers_of_mm(t->mm, meet_claim, &claim);
	if (claim.met)
		return -EBUSY;
	if (!t->follow.kinds)
		atomic_inc(&uffdwp_followers);
	spin_lock(&follow_lock);
	t->follow = claim.follow;
	spin_unlock(&follow_lock);
	return 0;
}

/**
 * uffdwp_follow_begin - register what is mapped from now on
 * @t: published tracker, of a userfaultfd of our own; its mm held by mmget(), mmap_lock is taken
 *	here
 * @follow: what, of a kind that it can register
 *
 * Return: 0; -EBUSY when another tracker follows some of it; or -EINTR when the task was killed.
 */
int uffdwp_follow_begin(struct uffdwp_tracker *t, const struct uffdwp_follow *follow)
{
	int err;

	if (mmap_write_lock_killable(t->mm))
		return -EINTR;
	err = begin_locked(t, follow);
	mmap_write_unlock(t->mm);
	return err;
}

/**
 * uffdwp_follow_end - register nothing any more
 * @t: tracker, its mm held by mmget(); mmap_lock is taken here
 */
void uffdwp_follow_end(struct uffdwp_tracker *t)
{
	/* Only commands of the tracker change it, and its end. */
	if (!t->follow.kinds)
		return;
	mmap_write_lock(t->mm);
	uffdwp_follow_forget(t);
	mmap_write_unlock(t->mm);
}

/**
 * uffdwp_follow_forget - the same with mmap_lock held for writing, or when no task has the mm
 * @t: tracker
 */
void uffdwp_follow_forget(struct uffdwp_tracker *t)
{
	if (t->follow.kinds)
		atomic_dec(&uffdwp_followers);
	spin_lock(&follow_lock);
	t->follow.kinds = 0;
	spin_unlock(&follow_lock);
}

/* The first part of a VMA in [*start, end) that the tracker wants. False: there is none. */
static bool find_wanted(const struct uffdwp_tracker *t, unsigned long *start, unsigned long *end)
{
	const unsigned long limit = *end;
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(t->mm);
	uffdwp_for_each_vma(vma, t->mm, *start, limit) {
		found = wants(t, vma);
		if (!found)
			continue;
		*start = max(*start, vma->vm_start);
		*end = min(limit, vma->vm_end);
		break;
	}
	mmap_read_unlock(t->mm);
	return found;
}

/* Something else was mapped there meanwhile, or it cannot be divided there: it stays UNTRACKED. */
static bool is_about_the_vma(int err)
{
	return err == -ENOENT || err == -EACCES || err == -EBUSY || err == -EOPNOTSUPP ||
	       err == -EINVAL;
}

static int register_wanted(struct uffdwp_device_tracker *d, unsigned long start, unsigned long end)
{
	unsigned long part_end = end;
	u64 fail_at;
	int err;

	while (find_wanted(&d->base, &start, &part_end)) {
		err = uffdwp_register(d, start, part_end, &fail_at);
		if (err && !is_about_the_vma(err))
			return err;
		start = part_end;
		part_end = end;
	}
	return 0;
}

/**
 * uffdwp_follow - UFFDWP_IOC_FOLLOW
 * @d: attached tracker, locked, its mm held by mmget()
 * @follow: what; without kinds: all that it can register. The range was checked
 *
 * Return: 0, or an error as documented with struct uffdwp_follow_arg.
 */
int uffdwp_follow(struct uffdwp_device_tracker *d, struct uffdwp_follow *follow)
{
	const u64 possible = uffdwp_kinds & ~(d->files ? 0 : UFFDWP_KIND_FILE);
	int err;

	if (!(uffdwp_features & UFFDWP_FEATURE_FOLLOW) || !uffdwp_tracker_is_private(&d->base) ||
	    (follow->kinds & ~possible))
		return -EOPNOTSUPP;
	if (follow->sparse && !d->base.sparse.on)
		return -EINVAL;
	if (!follow->kinds)
		follow->kinds = possible;
	err = uffdwp_follow_begin(&d->base, follow);
	if (err)
		return err;
	err = register_wanted(d, follow->start, follow->end);
	if (err)
		uffdwp_follow_end(&d->base);
	return err;
}

/*
 * fork(2) has copied bits of a userfaultfd of the process, and they are not what this tracker has
 * armed: where the child has that userfaultfd no more when its event was not read
 * (userfaultfd_event_wait_completion()), and in private hugetlb of Linux 6.1, where
 * copy_hugetlb_page_range() copies them in any case.
 */
static int register_heritage(struct uffdwp_tracker *t, struct vm_area_struct *vma,
			     unsigned long start, unsigned long end)
{
	int err = uffdwp_register_populated(t, vma, start, end);

	if (!err)
		uffdwp_disarm_vma(find_vma(t->mm, start), start, end, UFFDWP_DISARM_ALL);
	return err;
}

/*
 * All VMAs that there are, with mmap_lock held for writing. UFFDIO_REGISTER would wait for it, and
 * keep who faults from it meanwhile: uffdwp_try_lock().
 */
static int register_all(struct uffdwp_tracker *t)
{
	unsigned long next, start, pos = t->follow.start;
	struct vm_area_struct *vma;
	int err = 0;

	while (!err && pos < t->follow.end) {
		vma = find_vma(t->mm, pos);
		if (!vma || vma->vm_start >= t->follow.end)
			break;
		next = min(t->follow.end, vma->vm_end);
		start = max(pos, vma->vm_start);
		if (wants(t, vma))
			err = register_heritage(t, vma, start, next);
		pos = next;
		cond_resched();
	}
	return err;
}

/* How long to wait before mmap_lock is asked for again, in microseconds. */
#define FIRST_WAIT 200U
#define LONGEST_WAIT 20000U

/**
 * uffdwp_try_lock - have mmap_lock for writing as soon as it is free, and wait in no queue for it
 * @mm: mm
 * @given_up: what it is for is not wanted any more
 *
 * A writer that waits keeps all who would read from the mm: tasks that fault. So it must not where
 * who has the lock may keep it for ever, and the process runs beside that without us.
 *
 * Return: whether it is held.
 */
bool uffdwp_try_lock(struct mm_struct *mm, const atomic_t *given_up)
{
	unsigned int wait = FIRST_WAIT;

	while (!uffdwp_mmap_write_trylock(mm)) {
		if (atomic_read(given_up))
			return false;
		usleep_range(wait, 2 * wait);
		wait = min(2 * wait, LONGEST_WAIT);
	}
	return true;
}

/**
 * uffdwp_follow_heir - follow as another tracker does, in memory that nobody runs in yet
 * @d: attached tracker, locked
 * @follow: what the other follows
 * @given_up: whether who waits for it has gone on without
 *
 * Nothing there is armed, and what there is was not mapped just now: none of it begins sparse.
 *
 * Return: 0, -EINTR when it was given up, or -ENOMEM.
 */
int uffdwp_follow_heir(struct uffdwp_device_tracker *d, const struct uffdwp_follow *follow,
		       const atomic_t *given_up)
{
	struct uffdwp_follow own = *follow;
	struct mm_struct *mm = d->base.mm;
	int err;

	own.end = own.whole ? mm->task_size : min(own.end, mm->task_size);
	own.moved_len = 0;
	if (!uffdwp_try_lock(mm, given_up))
		return -EINTR;
	err = begin_locked(&d->base, &own) ?: register_all(&d->base);
	mmap_write_unlock(mm);
	return err;
}
