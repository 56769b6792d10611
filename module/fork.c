// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked child is not tracked, and nothing in it may be armed.
 *
 * The kernel clears the bit in everything that it copies for a child that is not registered, but
 * for one: copy_hugetlb_page_range() of Linux 6.1 keeps that of a present page of hugetlb.
 * hugetlb_wp() then leaves a write to the userfaultfd; the child has none, and would take the same
 * fault for ever.
 */
#include <linux/mm.h>
#include <linux/userfaultfd_k.h>

#include "disarm.h"
#include "fork.h"

/**
 * uffdwp_fork_hugetlb - tracked memory was copied for a child
 * @child: the child's VMA, of hugetlb; mmap_lock of its mm is held
 */
void uffdwp_fork_hugetlb(struct vm_area_struct *child)
{
	if (!userfaultfd_wp(child))
		uffdwp_disarm_vma(child, child->vm_start, child->vm_end, UFFDWP_DISARM_ALL);
}
