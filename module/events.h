/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of a tracker: what becomes of its memory and of the process, in the order in which it
 * happens, for read(2).
 *
 * One sentence, which everything here serves: either an event is in the queue, or behind those that
 * are is UFFDWP_EVENT_LOST. It is added with a lock that orders it: mmap_lock held for
 * writing for what changes VMAs, i_mmap_rwsem or mmap_lock for what discards content. Nobody waits
 * for the reader.
 *
 * Life. t->events is set once. The tracker has a reference, and so has each fork(2) and execve(2)
 * that is under way (heirs.c), which may be over only after the tracker was closed. Who adds has
 * found the tracker by mmap_lock, by RCU, or between uffdwp_events_enter() and
 * uffdwp_events_leave(), and the tracker waits for all of them before it gives its reference back.
 */
#ifndef UFFDWP_EVENTS_H
#define UFFDWP_EVENTS_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "../uapi/uffdwp-async.h"
#include "tracker.h"

struct uffdwp_device_tracker;
struct uffdwp_family;

/**
 * struct uffdwp_events - what waits to be read
 * @refs: references
 * @wait: who waits in read() and poll()
 * @read_lock: held by who reads
 * @lock: of what follows it, up to @ended; nests inside page-table locks
 * @queue: a ring of @capacity + 1 events, the first of @nr is number @first
 * @capacity: how many were asked for
 * @first: where the first one is
 * @nr: how many there are
 * @reading: the first one is being copied to a reader, and stays as it is
 * @execs: calls of execve(2) that have not told yet what has become of them
 * @left_by_exec: the last task that has left the memory has called execve(2), and not died
 * @last: its process, as the reader counts, or 0: he does not see it
 * @status: what wait(2) tells of that
 * @gone: no task has the memory any more
 * @ended: and nothing will be told any more
 * @event_size: of an event, as the reader knows it
 * @flags: UFFDWP_EVENTS_*
 * @family: this tracker, those that it has left, and so on
 * @heirs: trackers that were not claimed; with the lock of @family
 * @closed: there will be no more of them; with that lock, too
 */
struct uffdwp_events {
	refcount_t refs;
	wait_queue_head_t wait;
	struct mutex read_lock;

	spinlock_t lock;
	struct uffdwp_event *queue;
	u32 capacity;
	u32 first;
	u32 nr;
	bool reading;
	unsigned int execs;
	bool left_by_exec;
	pid_t last;
	int status;
	bool gone;
	bool ended;

	u32 event_size;
	u64 flags;

	struct uffdwp_family *family;
	struct list_head heirs;
	bool closed;
};

/**
 * struct uffdwp_memory - what events tell of a VMA, which may be another one, or gone, by then
 * @kind: UFFDWP_KIND_*
 * @inode: number of the inode, or 0
 * @dev: its device
 * @base: where address 0 would be in the file
 */
struct uffdwp_memory {
	u64 kind;
	u64 inode;
	u64 dev;
	u64 base;
};

extern atomic_t uffdwp_event_queues;

/* Has any tracker events? */
static __always_inline bool uffdwp_any_events(void)
{
	return unlikely(atomic_read(&uffdwp_event_queues));
}

bool uffdwp_events_add(struct uffdwp_events *ev, const struct uffdwp_event *event);

static inline struct uffdwp_event uffdwp_event_of_range(const struct uffdwp_memory *memory,
							u32 type, unsigned long start,
							unsigned long end)
{
	return (struct uffdwp_event){
		.type = type,
		.start = start,
		.end = end,
		.kind = memory->kind,
		.offset = memory->base + start,
		.inode = memory->inode,
		.dev = memory->dev,
	};
}

bool uffdwp_tell_range(struct uffdwp_events *ev, const struct uffdwp_memory *memory, u32 type,
		       unsigned long start, unsigned long end);

/* Of @t, which may be NULL; kept by the caller, by whatever lock. As uffdwp_tell_range(). */
static inline bool uffdwp_tell_event(const struct uffdwp_tracker *t,
				     const struct uffdwp_memory *memory, u32 type,
				     unsigned long start, unsigned long end)
{
	struct uffdwp_events *ev = t ? READ_ONCE(t->events) : NULL;

	return unlikely(ev) && uffdwp_tell_range(ev, memory, type, start, end);
}

struct uffdwp_memory uffdwp_memory_of(struct vm_area_struct *vma);
void uffdwp_tell_discard(struct vm_area_struct *vma, unsigned long start, unsigned long end);

/* Keep trackers that have events, while a task that need not have mmap_lock looks for them. */
int uffdwp_events_enter(void);
void uffdwp_events_leave(int index);
struct uffdwp_tracker *uffdwp_next_with_events(const struct mm_struct *mm, u64 id);

struct uffdwp_events *uffdwp_events_new(const struct uffdwp_events_arg *arg,
					struct uffdwp_family *family);
void uffdwp_events_put(struct uffdwp_events *ev);
void uffdwp_events_note_last(struct uffdwp_events *ev, pid_t pid, int status);
void uffdwp_events_exec_begins(struct uffdwp_events *ev);
void uffdwp_events_exec_ends(struct uffdwp_events *ev);
bool uffdwp_events_are_full(struct uffdwp_events *ev);
void uffdwp_events_mm_is_gone(struct uffdwp_events *ev);

int uffdwp_events_init(void);
void uffdwp_events_exit(void);

/* What the tracer does */
int uffdwp_events_make(struct uffdwp_device_tracker *d, const struct uffdwp_events_arg *arg);
void uffdwp_events_free(struct uffdwp_device_tracker *d);
ssize_t uffdwp_events_read(struct uffdwp_device_tracker *d, char __user *buf, size_t len,
			   bool nonblock);
__poll_t uffdwp_events_poll(struct uffdwp_device_tracker *d, struct file *file,
			    struct poll_table_struct *table);
void uffdwp_events_wake(struct uffdwp_tracker *t);

#endif /* UFFDWP_EVENTS_H */
