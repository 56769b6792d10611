/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_HOOKS_H
#define UFFDWP_HOOKS_H

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* In the order in which they are placed; each is in place before what relies on it. */
enum uffdwp_hook_id {
	UFFDWP_HOOK_HANDLE_USERFAULT,
	UFFDWP_HOOK_DO_WP_PAGE,
	UFFDWP_HOOK_USERFAULTFD_IOCTL,
	UFFDWP_HOOK_CHANGE_PROTECTION,
	UFFDWP_HOOK_MFILL,
	UFFDWP_HOOK_MCOPY_ATOMIC,
	UFFDWP_HOOK_DO_SWAP_PAGE,
	UFFDWP_HOOK_ZAP,
	UFFDWP_HOOK_MREMAP_USERFAULTFD_PREP,
	UFFDWP_HOOK_USERFAULTFD_WP_ASYNC,
	UFFDWP_HOOK_VFS_FALLOCATE,
	UFFDWP_HOOK_NOTIFY_CHANGE,
	UFFDWP_HOOK_SHMEM_FALLOCATE,
	UFFDWP_HOOK_SHMEM_SETATTR,
	UFFDWP_HOOK_HUGETLBFS_FALLOCATE,
	UFFDWP_HOOK_HUGETLBFS_SETATTR,
	UFFDWP_HOOK_COPY_HUGETLB_PAGE_RANGE,
	UFFDWP_HOOK_HUGETLB_MFILL,
	UFFDWP_HOOK_MWRITEPROTECT_RANGE,
	UFFDWP_HOOK_DUP_USERFAULTFD,
	UFFDWP_HOOK_DUP_USERFAULTFD_COMPLETE,
	UFFDWP_HOOK_USERFAULTFD_RELEASE,
	UFFDWP_HOOK_PAGEMAP_OPEN,
	UFFDWP_HOOKS
};

static_assert(UFFDWP_HOOKS <= BITS_PER_LONG);

/*
 * While the self-test runs, callbacks that nothing else can be seen of note that they were called.
 * The others are too hot for it, and are known by what they do.
 */
extern bool uffdwp_hooks_are_proved;
extern unsigned long uffdwp_hooks_fired;

static __always_inline void uffdwp_hook_has_fired(enum uffdwp_hook_id id)
{
	if (unlikely(READ_ONCE(uffdwp_hooks_are_proved)))
		set_bit(id, &uffdwp_hooks_fired);
}

int uffdwp_hooks_find(void);
int uffdwp_hook_place(enum uffdwp_hook_id id);

const char *uffdwp_hook_symbol(enum uffdwp_hook_id id);
const char *uffdwp_hook_loss(enum uffdwp_hook_id id);
bool uffdwp_hook_is_given_up(enum uffdwp_hook_id id);
void uffdwp_hook_give_up(enum uffdwp_hook_id id);
u64 uffdwp_hooks_features(void);
u64 uffdwp_hooks_kinds(void);

int uffdwp_hooks_get(void);
void uffdwp_hooks_put(void);
void uffdwp_hooks_linger(void);
void uffdwp_hooks_stay(void);
void uffdwp_hooks_exit(void);

#endif /* UFFDWP_HOOKS_H */
