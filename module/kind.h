/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of memory: what this kernel registers with a userfaultfd for write protection, and what the
 * module tracks, which must be the same (vma_can_userfault() of <linux/userfaultfd_k.h>).
 */
#ifndef UFFDWP_KIND_H
#define UFFDWP_KIND_H

#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>

#include "../uapi/uffdwp-async.h"
#include "compat/vma.h"
#include "hooks/hooks.h"

/*
 * A regular file whose pages are those of the page cache: read_folio is what filemap_fault() and
 * generic_file_mmap() ask for. DAX and the files of drivers lack it, whose pages are written by
 * other means than through a VMA. (Files of sysfs have it, but what drivers map there is
 * VM_SPECIAL.)
 */
static inline bool uffdwp_vma_is_of_file(struct vm_area_struct *vma)
{
#if UFFDWP_TRACKS_FILES
	const struct file *file = vma->vm_file;

	return file && S_ISREG(file_inode(file)->i_mode) && !vma_is_dax(vma) &&
	       file->f_mapping->a_ops->read_folio;
#else
	return false;
#endif
}

/**
 * uffdwp_kind_of_vma - which kind of memory is this?
 * @vma: VMA
 *
 * Return: one of UFFDWP_KIND_*, or 0 when it cannot be tracked.
 */
static inline u64 uffdwp_kind_of_vma(struct vm_area_struct *vma)
{
	if (is_vm_hugetlb_page(vma))
		return UFFDWP_KERNEL_HAS_MARKERS ? UFFDWP_KIND_HUGETLB : 0;
	if (vma->vm_flags & UFFDWP_VM_SPECIAL)
		return 0;
	if (vma_is_anonymous(vma))
		return UFFDWP_KIND_ANON_PRIVATE;
	if (UFFDWP_KERNEL_HAS_MARKERS && uffdwp_vma_is_shmem(vma))
		return UFFDWP_KIND_SHMEM;
	return uffdwp_vma_is_of_file(vma) ? UFFDWP_KIND_FILE : 0;
}

/**
 * uffdwp_kind_is_offered - can this VMA be tracked with the hooks that work?
 * @vma: VMA
 *
 * Return: whether it can.
 */
static inline bool uffdwp_kind_is_offered(struct vm_area_struct *vma)
{
	return uffdwp_kind_of_vma(vma) & uffdwp_kinds;
}

/**
 * uffdwp_vma_can_be_had - can a tracker register this VMA, and has nobody?
 * @vma: VMA; mmap_lock is held
 * @kinds: UFFDWP_KIND_* that it wants
 *
 * Return: whether it can. All that may ever become writable counts.
 */
static inline bool uffdwp_vma_can_be_had(struct vm_area_struct *vma, u64 kinds)
{
	return !vma->vm_userfaultfd_ctx.ctx && (vma->vm_flags & VM_MAYWRITE) &&
	       (uffdwp_kind_of_vma(vma) & kinds);
}

#endif /* UFFDWP_KIND_H */
