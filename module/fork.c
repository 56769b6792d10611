// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked child is not tracked, and nothing in it may be armed.
 *
 * The kernel takes the bits out of everything that it copies for a child that is not registered,
 * but for one: copy_hugetlb_page_range() of Linux 6.1 keeps that of a present page of hugetlb. In
 * the child, where nobody resolves write protection, hugetlb_wp() then does nothing at a write, and
 * the child would take the same fault for ever.
 */
#include <linux/mm.h>
#include <linux/userfaultfd_k.h>

#include "arm.h"
#include "fork.h"

/**
 * uffdwp_fork_hugetlb - tracked memory was copied for a child
 * @child: the child's mapping, of hugetlb; its mmap_lock is held
 */
void uffdwp_fork_hugetlb(struct vm_area_struct *child)
{
	if (!userfaultfd_wp(child))
		uffdwp_disarm(child, child->vm_start, child->vm_end);
}
