// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owns the table of tasks that are in userfaultfd_ioctl().
 *
 * Why a table: memory of a handed-in userfaultfd is armed by calls on that very userfaultfd, but
 * the kernel does not check that. UFFDIO_WRITEPROTECT, UFFDIO_COPY and UFFDIO_CONTINUE of any
 * userfaultfd of the mm work on a VMA that is registered with another, and change_protection() and
 * mfill_atomic_install_pte() are not given the context, on any kernel. So a call on a userfaultfd
 * that was handed in is noted where it begins, with its task, and arming looks for a note of
 * current. A call that has begun before its userfaultfd was handed in has none, and arms nothing:
 * its pages read as written.
 *
 * A note is on the stack of the task that makes the call and is looked for by that task alone; what
 * the bucket locks protect is the list. They are innermost: taken with mmap_lock or a VMA lock
 * held, and from an ftrace callback, so raw. There are enough to keep the lists short even with all
 * tasks of a user in such a call, some ten thousand (RLIMIT_NPROC).
 */
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>
#include <linux/userfaultfd.h>

#include "compat/symbols.h"
#include "tracker.h"
#include "uffd_note.h"

#define BUCKET_BITS 12

static struct bucket {
	raw_spinlock_t lock;
	struct hlist_head calls;
} buckets[1 << BUCKET_BITS] = {
	[0 ... (1 << BUCKET_BITS) - 1] = { .lock = __RAW_SPIN_LOCK_UNLOCKED(bucket.lock) },
};

static notrace struct bucket *bucket_of(const struct task_struct *task)
{
	return &buckets[hash_ptr((void *)task, BUCKET_BITS)];
}

/**
 * uffdwp_uffd_call_begin - note that current calls a userfaultfd
 * @call: note, filled here; stays until uffdwp_uffd_call_end()
 * @ctx: context of the userfaultfd
 * @cmd: UFFDIO_*
 */
void uffdwp_uffd_call_begin(struct uffdwp_uffd_call *call, const void *ctx, unsigned int cmd)
{
	struct bucket *bucket = bucket_of(current);

	call->task = current;
	call->ctx = ctx;
	call->cmd = cmd;
	call->protects = false;
	call->start = ULONG_MAX;
	call->end = 0;
	raw_spin_lock(&bucket->lock);
	hlist_add_head(&call->node, &bucket->calls);
	raw_spin_unlock(&bucket->lock);
}

/**
 * uffdwp_uffd_call_end - the call is over
 * @call: note
 */
void uffdwp_uffd_call_end(struct uffdwp_uffd_call *call)
{
	struct bucket *bucket = bucket_of(current);

	raw_spin_lock(&bucket->lock);
	hlist_del(&call->node);
	raw_spin_unlock(&bucket->lock);
}

static notrace bool is_on(const void *ctx)
{
	struct bucket *bucket = bucket_of(current);
	const struct uffdwp_uffd_call *call;
	bool found = false;

	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry(call, &bucket->calls, node)
		found |= call->task == current && call->ctx == ctx;
	raw_spin_unlock(&bucket->lock);
	return found;
}

/**
 * uffdwp_uffd_call_protect - note what the call of current does
 * @protects: whether it maps pages write-protected
 */
void uffdwp_uffd_call_protect(bool protects)
{
	struct bucket *bucket = bucket_of(current);
	struct uffdwp_uffd_call *call;

	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry(call, &bucket->calls, node)
		if (call->task == current)
			call->protects = protects;
	raw_spin_unlock(&bucket->lock);
}

/**
 * uffdwp_uffd_call_protects - is current in a call that maps pages write-protected?
 *
 * Return: whether it is.
 */
bool uffdwp_uffd_call_protects(void)
{
	struct bucket *bucket = bucket_of(current);
	const struct uffdwp_uffd_call *call;
	bool found = false;

	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry(call, &bucket->calls, node)
		found |= call->task == current && call->protects;
	raw_spin_unlock(&bucket->lock);
	return found;
}

/**
 * uffdwp_uffd_call_armed - note what the call of current has filled and protected
 * @start: first address
 * @end: last address, exclusive
 *
 * Said where the kernel does it: what the call has read of its structure may differ from what is
 * read of it before or after.
 */
void uffdwp_uffd_call_armed(unsigned long start, unsigned long end)
{
	struct bucket *bucket = bucket_of(current);
	struct uffdwp_uffd_call *call;

	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry(call, &bucket->calls, node) {
		if (call->task != current)
			continue;
		call->start = min(call->start, start);
		call->end = max(call->end, end);
	}
	raw_spin_unlock(&bucket->lock);
}

/**
 * uffdwp_uffd_call_may_arm - may what current is calling arm memory of this tracker?
 * @t: tracker that a VMA is registered with; that VMA's lock or mmap_lock is held
 *
 * Asked where the kernel is about to protect memory by itself. Commands of the tracker do not come
 * this way.
 *
 * Memory of a backport tracker any userfaultfd of the mm may protect, and so may PAGEMAP_SCAN, as
 * on Linux 6.7.
 *
 * Return: whether it may.
 */
notrace bool uffdwp_uffd_call_may_arm(const struct uffdwp_tracker *t)
{
	return t->whose == UFFDWP_BACKPORT ||
	       (t->whose == UFFDWP_HANDED_IN && !t->rides && is_on(t->ctx));
}

/**
 * uffdwp_uffd_call_is_strangers - is current in a UFFDIO_WRITEPROTECT that is not of the tracker's
 *	owner?
 * @t: tracker that a VMA is registered with
 *
 * Not when it is in UFFDIO_UNREGISTER, where the kernel takes protection away, too.
 *
 * Return: whether it is.
 */
notrace bool uffdwp_uffd_call_is_strangers(const struct uffdwp_tracker *t)
{
	struct bucket *bucket = bucket_of(current);
	const struct uffdwp_uffd_call *call;
	bool found = false;

	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry(call, &bucket->calls, node)
		found |= call->task == current && (call->ctx != t->ctx || t->rides) &&
			 call->cmd == UFFDIO_WRITEPROTECT;
	raw_spin_unlock(&bucket->lock);
	return found;
}

static bool takes(unsigned int cmd)
{
#ifdef UFFDIO_MOVE
	if (cmd == UFFDIO_MOVE)
		return true;
#endif
	return cmd == UFFDIO_REGISTER || cmd == UFFDIO_UNREGISTER;
}

/**
 * uffdwp_uffd_call_is_taking - is any task in a call of a userfaultfd that no tracker may ride
 *	along with, UFFDIO_REGISTER for write protection, UFFDIO_UNREGISTER or UFFDIO_MOVE?
 * @ctx: its context
 *
 * Return: whether one is, that has begun before this was called.
 */
bool uffdwp_uffd_call_is_taking(const void *ctx)
{
	const struct uffdwp_uffd_call *call;
	bool found = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(buckets) && !found; i++) {
		raw_spin_lock(&buckets[i].lock);
		hlist_for_each_entry(call, &buckets[i].calls, node)
			found |= call->ctx == ctx && takes(call->cmd);
		raw_spin_unlock(&buckets[i].lock);
	}
	return found;
}

/**
 * uffdwp_uffd_call_original - the kernel's userfaultfd_ioctl()
 * @uffd: file
 * @cmd: command
 * @uarg: its structure, in user memory
 *
 * Return: what it returns.
 */
long uffdwp_uffd_call_original(struct file *uffd, unsigned int cmd, void __user *uarg)
{
	long ret = uffdwp_call(userfaultfd_ioctl)(uffd, cmd, (unsigned long)uarg);

	/* Not a tail call: hooks/redirect.h */
	barrier();
	return ret;
}
