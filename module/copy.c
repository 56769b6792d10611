// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_COPY_MODE_WP on Linux 5.10, where the function that maps the page is inlined into
 * mcopy_atomic(). That takes mmap_lock by itself, so whether the memory is a tracker's can be
 * checked only before, when a tracker may still register it, and after, when it is protected.
 *
 * So both: what is a tracker's before is copied without protection, and what is one's afterwards is
 * disarmed. A tracker that registers the memory in between may read one page as "not written" until
 * then that it has never armed; the next scan says "written". One page, because this copies page by
 * page: with more, a fault on the source of the second could delay the check of the first without
 * limit.
 *
 * The hook stays as long as the module (hooks/hooks.c), so that no call has begun without it.
 */
#include "compat/hooked.h"
#include "copy.h"

#if UFFDWP_PROTECTS_IN_MCOPY
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/signal.h>
#include <linux/userfaultfd.h>

#include "compat/symbols.h"
#include "disarm.h"
#include "tracker.h"
#include "uffd_note.h"

/* Must this call not arm the page? @disarm: then disarm it. The caller has the mm by mmget(). */
static bool is_refused(struct mm_struct *mm, unsigned long addr, bool disarm)
{
	struct vm_area_struct *vma;
	struct uffdwp_tracker *t;
	bool refused = false;

	if (!uffdwp_mm_is_tracked(mm))
		return false;
	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start <= addr) {
		t = uffdwp_async_tracker_of_vma(vma);
		refused = t && userfaultfd_wp(vma) && !uffdwp_uffd_call_may_arm(t);
		if (refused && disarm)
			uffdwp_disarm_vma(vma, addr, addr + PAGE_SIZE, UFFDWP_DISARM_ALL);
	}
	mmap_read_unlock(mm);
	return refused;
}

static ssize_t copy_one(struct mm_struct *mm, unsigned long dst, unsigned long src,
			uffdwp_mmap_changing *changing, u64 mode)
{
	bool refused = is_refused(mm, dst, false);
	ssize_t ret;

	if (refused)
		mode &= ~UFFDIO_COPY_MODE_WP;
	ret = uffdwp_call(mcopy_atomic)(mm, dst, src, PAGE_SIZE, changing, mode);
	if (!refused && ret > 0)
		is_refused(mm, dst, true);
	return ret;
}

/* The kernel copies to one VMA, or refuses. In an mm without a tracker there is nothing to ask. */
static bool is_for_kernel(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	const struct vm_area_struct *vma;
	bool one;

	if (!uffdwp_mm_is_tracked(mm))
		return true;
	mmap_read_lock(mm);
	vma = find_vma(mm, start);
	one = vma && vma->vm_start <= start && vma->vm_end >= end;
	mmap_read_unlock(mm);
	return !one;
}

/* A tracker may have come meanwhile. */
static ssize_t copy_as_kernel(struct mm_struct *mm, unsigned long dst, unsigned long src,
			      unsigned long len, uffdwp_mmap_changing *changing, u64 mode)
{
	ssize_t ret = uffdwp_call(mcopy_atomic)(mm, dst, src, len, changing, mode);
	unsigned long end = ret > 0 ? dst + ret : dst;

	for (; dst < end && uffdwp_mm_is_tracked(mm); dst += PAGE_SIZE) {
		is_refused(mm, dst, true);
		cond_resched();
	}
	return ret;
}

/**
 * uffdwp_copy - instead of mcopy_atomic() with UFFDIO_COPY_MODE_WP
 * @mm: mm, by mmget() of the caller
 * @dst: first address, aligned
 * @src: where to copy from
 * @len: bytes, aligned and not 0
 * @changing: what tells of pending events of the userfaultfd
 * @mode: UFFDIO_COPY_MODE_*
 *
 * Return: bytes that were copied, or an error when there are none.
 */
ssize_t uffdwp_copy(struct mm_struct *mm, unsigned long dst, unsigned long src, unsigned long len,
		    uffdwp_mmap_changing *changing, u64 mode)
{
	unsigned long copied;
	ssize_t ret;

	if (is_for_kernel(mm, dst, dst + len))
		return copy_as_kernel(mm, dst, src, len, changing, mode);
	for (copied = 0; copied < len; copied += PAGE_SIZE) {
		ret = copy_one(mm, dst + copied, src + copied, changing, mode);
		if (ret < 0)
			return copied ? copied : ret;
		cond_resched();
		if (fatal_signal_pending(current))
			return copied + PAGE_SIZE;
	}
	return copied;
}
#endif
