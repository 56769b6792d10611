// SPDX-License-Identifier: GPL-2.0-only
/*
 * Discarded content has changed: MADV_DONTNEED, and punched holes in files, truncation included.
 *
 * The kernel zaps the entries, but leaves a marker where one was armed in a VMA of a file
 * (zap_install_uffd_wp_if_needed()), and Linux 6.1 in anonymous memory, too. Such a marker would
 * say "not written" of a page that reads as something else now: as the file's content in a private
 * VMA, as zeroes in a punched hole. A partial page at the end of a hole is even zeroed without a
 * change to any entry.
 *
 * So the range is disarmed, and that *after* the kernel has discarded the content: before, a scan
 * could arm a page again in between. A scan that comes while madvise() or fallocate() is under way
 * may still say "not written"; the next one says "written".
 *
 * The same for ordinary files, where the kernel can track those: their file systems are many, so it
 * is done around vfs_fallocate() and notify_change(), which call them all. And wherever the private
 * copies (COW) of a file are zapped, which some do after a punched hole, or when a server tells
 * them of another file size.
 *
 * Not covered: drivers that call shmem_truncate_range() on objects of their own (i915), if such an
 * object is mapped as plain shared memory; and those that call the file system of an ordinary file
 * directly (discards of a loop device). And of a punch or truncation that has begun before the
 * module was loaded, the partial pages at its ends, which are zeroed.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched.h>

#include "compat/hugetlb.h"
#include "compat/symbols.h"
#include "disarm.h"
#include "discard.h"
#include "events.h"
#include "ring.h"
#include "trace.h"
#include "tracker.h"

/* Punched holes and truncations that were seen. */
static atomic64_t file_discards = ATOMIC64_INIT(0);

/**
 * uffdwp_file_discards - how often uffdwp_discard_file() was called
 *
 * Return: that number; for the self-test.
 */
u64 uffdwp_file_discards(void)
{
	return atomic64_read(&file_discards);
}

/* Under whichever lock the caller has: a VMA of hugetlb is registered, or its file is locked. */
static void disarm_discarded(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	const u64 discarded = uffdwp_disarm_vma(vma, start, end,
						UFFDWP_DISARM_ALL | UFFDWP_DISARM_LOCKED);
	struct uffdwp_tracker *t;

	/* The caller may not have mmap_lock: RCU keeps the tracker. */
	rcu_read_lock();
	t = uffdwp_async_tracker_of_vma(vma);
	if (t && discarded) {
		uffdwp_count(t, pages_discarded, discarded);
		trace_uffdwp_discarded(t->mm, start, end, discarded);
	}
	/* All of it: the kernel has emptied entries that were armed. Of hugetlb, whole pages. */
	if (t && is_vm_hugetlb_page(vma)) {
		start = round_down(start, 1UL << uffdwp_hugetlb_shift(vma));
		end = round_up(end, 1UL << uffdwp_hugetlb_shift(vma));
	}
	uffdwp_tell(t, start, end, UFFDWP_RING_WRITTEN);
	rcu_read_unlock();
	uffdwp_tell_discard(vma, start, end);
}

/**
 * uffdwp_discard_range - the content of a part of a VMA was discarded
 * @vma: VMA, mmap_lock or i_mmap_rwsem held
 * @start: first address
 * @len: bytes
 *
 * The caller has taken the lock to zap the same range, entry by entry, and relies on @vma when this
 * returns. So it cannot be dropped here, and is held about twice as long.
 */
void uffdwp_discard_range(struct vm_area_struct *vma, unsigned long start, unsigned long len)
{
	disarm_discarded(vma, max(start, vma->vm_start), min(start + len, vma->vm_end));
}

/* Pages [first, last] of the file, as far as they are mapped here. */
static void discard_in_vma(struct vm_area_struct *vma, pgoff_t first, pgoff_t last)
{
	const pgoff_t vma_last = vma->vm_pgoff + vma_pages(vma) - 1;
	unsigned long start, end;

	first = max(first, vma->vm_pgoff);
	last = min(last, vma_last);
	start = vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT);
	end = vma->vm_start + ((last + 1 - vma->vm_pgoff) << PAGE_SHIFT);
	disarm_discarded(vma, start, end);
}

/*
 * Pages of a file that are disarmed, in all of its VMAs, before i_mmap_rwsem is dropped for those
 * that wait: mmap(), munmap() and fork() of every process that maps the file, and reclaim.
 */
#define PART ((16UL << 20) >> PAGE_SHIFT)

/* Without mmap_lock only RCU keeps the tracker. */
static bool is_tracked(const struct vm_area_struct *vma)
{
	bool tracked;

	rcu_read_lock();
	tracked = uffdwp_async_tracker_of_vma(vma);
	rcu_read_unlock();
	return tracked;
}

static struct vm_area_struct *first_tracked(struct address_space *mapping, pgoff_t first,
					    pgoff_t last)
{
	struct vm_area_struct *vma;

	for (vma = uffdwp_file_vma_first(mapping, first, last);
	     vma && !is_tracked(vma);
	     vma = uffdwp_file_vma_next(vma, first, last))
		cond_resched();
	return vma;
}

/*
 * Disarm the first part of pages [*first, last] that is tracked. Returns whether there may be more,
 * from *first on.
 *
 * mremap() moves an entry together with its page offset in the file, so a part that is done stays
 * done while i_mmap_rwsem is dropped.
 */
static bool discard_part(struct address_space *mapping, pgoff_t *first, pgoff_t last)
{
	struct vm_area_struct *vma = first_tracked(mapping, *first, last);
	pgoff_t part_last;

	if (!vma)
		return false;
	/* The tree is ordered by vm_pgoff. */
	*first = max(*first, vma->vm_pgoff);
	part_last = min(last, *first + PART - 1);
	for (; vma; vma = uffdwp_file_vma_next(vma, *first, part_last)) {
		if (is_tracked(vma))
			discard_in_vma(vma, *first, part_last);
		cond_resched();
	}
	*first = part_last + 1;
	return part_last != last;
}

/**
 * uffdwp_discard_file - the content of a part of a file was discarded
 * @mapping: of the file
 * @first: first byte
 * @last: last byte; -1 is the end of the file
 *
 * Takes i_mmap_rwsem, as unmap_mapping_range() does in the same place, but not for the whole of it.
 * Under it, without mmap_lock, a VMA stays, but may be unregistered at this moment: then the bits
 * that are cleared have no meaning any more.
 */
void uffdwp_discard_file(struct address_space *mapping, loff_t first, loff_t last)
{
	const pgoff_t last_page = last < 0 ? ULONG_MAX : last >> PAGE_SHIFT;
	pgoff_t next = first >> PAGE_SHIFT;
	bool more = true;

	atomic64_inc(&file_discards);
	if (!mapping_mapped(mapping))
		return;
	while (more) {
		i_mmap_lock_read(mapping);
		do
			more = discard_part(mapping, &next, last_page);
		while (more && !need_resched() && !rwsem_is_contended(&mapping->i_mmap_rwsem));
		i_mmap_unlock_read(mapping);
		cond_resched();
	}
}
