// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do where the kernel makes VMAs, for trackers that follow: module/follow.c; and
 * where it is about to move one, also for rings.
 *
 * Each call that is redirected has a reference to the module: mmap_region() calls ->mmap() of file
 * systems and drivers, which may sleep for long.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "compat/hooked.h"
#include "compat/symbols.h"
#include "events.h"
#include "follow.h"
#include "hook.h"
#include "proof.h"
#include "redirect.h"
#include "ring.h"
#include "tracker.h"

#define WITHOUT "no tracker follows what a process maps"

/* Of a kernel thread it is the mm that it works for (kthread_use_mm()). */
static __always_inline bool maps_are_followed(void)
{
	return uffdwp_any_follower() && current->mm && uffdwp_mm_is_tracked(current->mm);
}

/* For the proofs */
static const struct uffdwp_follow all_anonymous = {
	.kinds = UFFDWP_KIND_ANON_PRIVATE,
	.end = ULONG_MAX,
};

/* Does the tracker get what is mapped at @addr? */
static bool is_born(struct uffdwp_proof *p, unsigned long addr)
{
	struct vm_area_struct *vma;
	bool born;

	mmap_read_lock(p->t->mm);
	vma = find_vma(p->t->mm, addr);
	born = vma && vma->vm_start <= addr && uffdwp_tracker_of_vma(vma) == p->t;
	mmap_read_unlock(p->t->mm);
	return born;
}

/* ---- mmap_region() */

static unsigned long instead_of_mmap_region(struct file *file, unsigned long addr,
					    unsigned long len, unsigned long flags,
					    unsigned long pgoff, struct list_head *uf)
{
	struct mm_struct *mm = current->mm;
	unsigned long ret = uffdwp_call(mmap_region)(file, addr, len, flags, pgoff, uf);

	if (!IS_ERR_VALUE(ret))
		uffdwp_birth(mm, ret, ret + len);
	module_put(THIS_MODULE);
	return ret;
}

/* unsigned long mmap_region(file, addr, len, flags, pgoff, uf), with mmap_lock held for writing */
UFFDWP_CALLBACK(mmap_region)
{
	if (maps_are_followed())
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_mmap_region);
}

static bool prove_mmap_region(struct uffdwp_proof *p)
{
	unsigned long addr;
	bool proved = false;

	if (uffdwp_follow_begin(p->t, &all_anonymous))
		return false;
	addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (!IS_ERR_VALUE(addr)) {
		proved = is_born(p, addr);
		vm_munmap(addr, PAGE_SIZE);
	}
	uffdwp_follow_end(p->t);
	return proved;
}

static struct uffdwp_hook mmap_region_hook = {
	.symbol = "mmap_region",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_FOLLOW,
	.ops = UFFDWP_REDIRECT(mmap_region),
	.prove = prove_mmap_region,
};

/* ---- do_brk_flags() */

static int instead_of_do_brk_flags(UFFDWP_BRK_PARAMETERS)
{
	struct mm_struct *mm = current->mm;
	int ret = uffdwp_call(do_brk_flags)(UFFDWP_BRK_ARGUMENTS);

	if (!ret)
		uffdwp_birth(mm, addr, addr + len);
	module_put(THIS_MODULE);
	return ret;
}

/* int do_brk_flags(..., addr, len, flags, ...), with mmap_lock held for writing: compat/hooked.h */
UFFDWP_CALLBACK(do_brk_flags)
{
	if (maps_are_followed())
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_do_brk_flags);
}

static unsigned long set_brk(unsigned long brk)
{
	struct pt_regs regs = { .di = brk };

	return uffdwp_call(__x64_sys_brk)(&regs);
}

static bool prove_do_brk_flags(struct uffdwp_proof *p)
{
	const unsigned long brk = set_brk(0);
	bool proved = false;

	if (uffdwp_follow_begin(p->t, &all_anonymous))
		return false;
	if (set_brk(brk + PAGE_SIZE) == brk + PAGE_SIZE) {
		proved = is_born(p, PAGE_ALIGN(brk));
		set_brk(brk);
	}
	uffdwp_follow_end(p->t);
	return proved;
}

static struct uffdwp_hook do_brk_flags_hook = {
	.symbol = "do_brk_flags",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_FOLLOW,
	.ops = UFFDWP_REDIRECT(do_brk_flags),
	.prove = prove_do_brk_flags,
};

/* ---- copy_vma() */

/* struct vm_area_struct *copy_vma(vmap, addr, len, pgoff, ...), of mremap() */
UFFDWP_CALLBACK(copy_vma)
{
	if (uffdwp_any_follower() || uffdwp_any_events() || uffdwp_any_ring())
		uffdwp_follow_moves(*(struct vm_area_struct **)uffdwp_fregs_arg0(fregs),
				    uffdwp_fregs_arg3(fregs), uffdwp_fregs_arg1(fregs),
				    uffdwp_fregs_arg2(fregs));
}

static bool prove_copy_vma(struct uffdwp_proof *p)
{
	struct pt_regs regs = {
		.si = PAGE_SIZE, .dx = PAGE_SIZE, .r10 = MREMAP_MAYMOVE | MREMAP_FIXED,
	};
	unsigned long addr;
	bool proved = false;

	if (uffdwp_follow_begin(p->t, &all_anonymous))
		return false;
	addr = vm_mmap(NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	if (!IS_ERR_VALUE(addr)) {
		regs.di = addr;
		regs.r8 = addr + PAGE_SIZE;
		proved = uffdwp_call(__x64_sys_mremap)(&regs) == regs.r8 &&
			 p->t->follow.moved_to == regs.r8 && is_born(p, regs.r8);
		vm_munmap(addr, 2 * PAGE_SIZE);
	}
	uffdwp_follow_end(p->t);
	return proved;
}

/* It neither sleeps nor calls what does, so synchronize_rcu_tasks() waits for it. */
static struct uffdwp_hook copy_vma_hook = {
	.symbol = "copy_vma",
	.without = "no tracker follows what a process maps, or has a ring",
	.features = UFFDWP_FEATURE_FOLLOW | UFFDWP_FEATURE_RING,
	.ops = UFFDWP_WATCH(copy_vma),
	.prove = prove_copy_vma,
};

struct uffdwp_hook *const uffdwp_birth_hooks[] = {
	&mmap_region_hook,
	&do_brk_flags_hook,
	&copy_vma_hook,
	NULL
};
