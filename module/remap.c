// SPDX-License-Identifier: GPL-2.0-only
/*
 * mremap() unregisters a VMA that it moves, unless the userfaultfd has UFFD_FEATURE_EVENT_REMAP
 * (mremap_userfaultfd_prep()), and nothing may stay armed there.
 *
 * Linux 6.1 and later clear the bits of what they move (move_ptes(), move_huge_pmd()). But the VMA
 * may be larger than what was moved: copy_vma() may have merged it with a neighbour of the same
 * userfaultfd, which is unregistered together with it, armed as it was. Linux 5.10 clears no bits
 * at all.
 *
 * No pause here, since mremap() holds mmap_lock: move_page_tables() has just walked as much, but
 * for the neighbour.
 *
 * A marker that stays in anonymous memory kills the process that touches it, once our hook on
 * do_swap_page() is gone (6.1). A bit that stays counts for the next userfaultfd that registers the
 * memory, and the kernel does not expect an entry with the bit and write permission
 * (page_table_check_pte_flags()).
 */
#include <linux/mm.h>

#include "compat/vma.h"
#include "disarm.h"
#include "remap.h"

/**
 * uffdwp_remap_ridden - a VMA that a tracker rides along in was moved, and stays registered
 * @vma: where it is now; mmap_lock is held for writing
 *
 * The tracer does not get the event, so it knows other content at that address. What the VMA was
 * merged with is written, too.
 */
void uffdwp_remap_ridden(struct vm_area_struct *vma)
{
	uffdwp_vma_keep_out_faults(vma);
	uffdwp_disarm_vma(vma, vma->vm_start, vma->vm_end, UFFDWP_DISARM_ALL);
}

/**
 * uffdwp_remap - a VMA of a tracker was moved, and is registered no more
 * @vma: where it is now; mmap_lock is held for writing, and faults are kept out, since the kernel
 *	has just changed its flags
 * @zeroes: zero pages of ours may be there. Without their bits they look like those that the
 *	process has mapped by reading, so all are unmapped: reading maps them again
 */
void uffdwp_remap(struct vm_area_struct *vma, bool zeroes)
{
	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
	uffdwp_disarm_vma(vma, vma->vm_start, vma->vm_end,
			  zeroes && !uffdwp_vma_is_populated(vma) ? UFFDWP_DISARM_ZEROES :
								     UFFDWP_DISARM_ALL);
}
