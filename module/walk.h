/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_WALK_H
#define UFFDWP_WALK_H

#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>

/* What a callback wants the walk to do next; a negative error ends it. */
enum uffdwp_walk_next {
	UFFDWP_WALK_ON,		/* go on behind the part that was handled */
	UFFDWP_WALK_POPULATE,	/* hole: make a page table there and come back */
	UFFDWP_WALK_SPLIT,	/* huge: split the PMD and come back with its PTEs */
	UFFDWP_WALK_DRAIN,	/* ptes: have all LRU batches drained, come back to walk->pos */
	UFFDWP_WALK_NOTIFY,	/* come back to walk->pos with the MMU notifiers called */
	UFFDWP_WALK_PAUSE,	/* leave at walk->pos; the caller will be back */
	UFFDWP_WALK_STOP,	/* leave at walk->pos for good */
};

struct uffdwp_walk;

/**
 * struct uffdwp_walk_ops - what to do with the memory of one VMA, from low to high
 * @hole: no page table covers [addr, end), which may be small or very large
 * @ptes: entries of one table, its lock held
 * @huge: one huge entry (present, or migrating), its lock held; [addr, end) may be a part of it
 * @hugetlb: one entry of a hugetlb VMA, its lock held; [addr, end) may be a part of it
 *
 * A callback that returns DRAIN, NOTIFY, PAUSE, STOP or an error sets walk->pos to the first
 * address that it has not handled. One that is about to take permissions away, or to clear an
 * entry, first asks uffdwp_walk_must_notify().
 */
struct uffdwp_walk_ops {
	int (*hole)(struct uffdwp_walk *walk, unsigned long addr, unsigned long end);
	int (*ptes)(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end);
	int (*huge)(struct uffdwp_walk *walk, pmd_t *pmd, unsigned long addr, unsigned long end);
	int (*hugetlb)(struct uffdwp_walk *walk, pte_t *pte, unsigned long addr, unsigned long end);
};

/**
 * struct uffdwp_walk - a walk over the page tables of one VMA
 * @ops: callbacks
 * @vma: VMA
 * @pos: first address that is not handled yet
 * @cut: a hole that begins below this address ends there; 0: none does
 * @killable: end with -EINTR when the task was killed
 * @yield: return PAUSE when mmap_lock or @file_lock is contended, or need_resched()
 * @file_lock: i_mmap_rwsem of the VMA's file, if the caller holds it, or NULL
 * @drained: the LRU batches were drained for this walk; no callback returns DRAIN any more
 * @notified: MMU notifiers were called for what a callback is given
 */
struct uffdwp_walk {
	const struct uffdwp_walk_ops *ops;
	struct vm_area_struct *vma;
	unsigned long pos;
	unsigned long cut;
	bool killable;
	bool yield;
	struct rw_semaphore *file_lock;
	bool drained;
	bool notified;
};

/*
 * Secondary MMUs (KVM) zap what they are notified of, and fault it in again: so they are notified
 * only of a table in which something is about to change. That has to be done before its lock is
 * taken. mmap_lock keeps out mmu_notifier_register().
 */
static inline bool uffdwp_walk_must_notify(const struct uffdwp_walk *walk)
{
	return unlikely(mm_has_notifiers(walk->vma->vm_mm)) && !walk->notified;
}

int uffdwp_walk_vma(struct uffdwp_walk *walk, unsigned long start, unsigned long end);

#endif /* UFFDWP_WALK_H */
