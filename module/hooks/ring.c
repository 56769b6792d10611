// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks do for rings (ring.h) where the kernel by itself makes armed pages written, and
 * nothing else of this module sees it. Scans need none of these: they read the entries.
 *
 * Who loses the bit of an armed page, in Linux 5.10, 6.1, 6.12 and 7.2 (read), and who tells:
 *
 *   write faults			fault.c, exactly
 *   MADV_DONTNEED			the range, discard.c; for guard pages zap_vma_range() here
 *   MADV_REMOVE, holes, truncation	the range, discard.c
 *   MADV_FREE				swap entries are dropped at once: the range, to be scanned,
 *					madvise_free_pte_range() here; pages in memory keep the bit
 *   reclaim of what MADV_FREE gave	to be scanned, try_to_unmap_one() here
 *   poison (memory_failure())		the same; of a huge page, which is split for it,
 *					try_to_migrate_one() here. All else that these two replace
 *					keeps the bit, as NUMA hints do
 *   migration of a huge page		keeps the bit; 5.10 loses it: the same
 *   KSM				the page, to be scanned, try_to_merge_one_page() here. Taken
 *					apart again by a fault, as any write or unshare
 *   khugepaged, MADV_COLLAPSE		pass by memory with armed entries
 *   hugetlb taken from a child for	to be scanned, unmap_hugepage_range() here
 *   its parent
 *   hugetlb unshared for a pin		keeps the bit; 6.1 loses it: to be scanned, hugetlb_fault()
 *					here
 *   a folio that leaves the page cache	to be scanned, where it is zapped: discard.c
 *   swapoff				keeps the bit, but not of pages that cannot be read or are
 *					poisoned; 5.10 loses it: EVERYTHING, swapoff(2) here
 *   munmap(), mmap() over it		to be scanned, harvest.c
 *   mremap() that moves		EVERYTHING, hooks/memory.c; where it was, also if the call
 *					fails and moves it back without its bits: to be scanned,
 *					follow.c
 *   mremap() that grows in place	what is behind in the VMA, to be scanned,
 *					mremap_userfaultfd_complete() here
 *   a stack that grows			to be scanned, expand_downwards() here
 *   UFFDIO_WRITEPROTECT, COPY, ...	the range of the call, to be scanned, uffd_call.c
 *   UFFDIO_MOVE			exactly, disarmed before by move.c
 *   NUMA hint of a huge page		keeps the bit; 5.10 loses it: the huge page, to be scanned,
 *					migrate_misplaced_transhuge_page() here
 *   breakpoint of uprobes		until 6.15 the page, to be scanned, uprobe_write_opcode()
 *					here; later it is a write by force
 *   split of a huge page		none: hands the bit down; of a file there is none
 *   OOM reaper				EVERYTHING, within half a second, health.c
 *
 * All of these tell after the kernel has acted, except for munmap() and mremap(), which hold
 * mmap_lock until the scan that they ask for may find what has become of the memory. Whether there
 * is a ring is asked then, too: it may be made while the kernel is at work.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/pagewalk.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>

#include "compat/hooked.h"
#include "compat/hugetlb.h"
#include "compat/pages.h"
#include "compat/symbols.h"
#include "device_tracker.h"
#include "events.h"
#include "health.h"
#include "hook.h"
#include "proof.h"
#include "redirect.h"
#include "ring.h"
#include "tracker.h"
#include "userfault.h"

#define WITHOUT "no tracker has a ring"

/* ---- MADV_FREE */

static int instead_of_madvise_free(pmd_t *pmd, unsigned long addr, unsigned long end,
				   struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;
	int ret = uffdwp_call(madvise_free_pte_range)(pmd, addr, end, walk);

	uffdwp_tell_vma(vma, addr, end, UFFDWP_RING_SCAN);
	uffdwp_tell_discard(vma, addr, end);
	module_put(THIS_MODULE);
	return ret;
}

/* int madvise_free_pte_range(pmd_t *pmd, addr, end, struct mm_walk *walk), for each table */
UFFDWP_CALLBACK(madvise_free)
{
	const struct mm_walk *walk = (struct mm_walk *)uffdwp_fregs_arg3(fregs);

	uffdwp_hook_fires(ops);
	if (uffdwp_vma_may_tell(walk->vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_madvise_free);
}

static bool prove_madvise_free(struct uffdwp_proof *p)
{
	return !uffdwp_call(do_madvise)(p->t->mm, uffdwp_proof_page(p, 0), PAGE_SIZE, MADV_FREE) &&
	       uffdwp_proof_fired(p);
}

static struct uffdwp_hook madvise_free_hook = {
	.symbol = "madvise_free_pte_range",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(madvise_free),
	.prove = prove_madvise_free,
};

/*
 * ---- reclaim of what was freed, poison, migration: with locks of rmap, without mmap_lock
 *
 * Whether a page is poisoned is asked afterwards. It is poisoned at any time, before the kernel
 * looks at it or behind; and stays so.
 */

static bool instead_of_try_to_unmap(struct page *page, struct vm_area_struct *vma,
				    unsigned long addr, void *arg)
{
	const unsigned long end = addr + (compound_nr(compound_head(page)) << PAGE_SHIFT);
	const bool freed = uffdwp_page_is_lazily_freed(page);
	bool ret = uffdwp_call(try_to_unmap_one)(page, vma, addr, arg);

	if (freed || uffdwp_page_is_lazily_freed(page) || uffdwp_page_has_poison(page) ||
	    (UFFDWP_HUGE_MIGRATION_LOSES_BIT && PageCompound(page)))
		uffdwp_tell_vma(vma, addr, end, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
	return ret;
}

/* bool try_to_unmap_one(struct page or folio *, vma, address, void *arg) */
UFFDWP_CALLBACK(try_to_unmap)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);

	if (unlikely(userfaultfd_wp((struct vm_area_struct *)vma)) && uffdwp_vma_may_tell(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_try_to_unmap);
}

/* It is only placed: reclaim cannot be made to take a page. */
static struct uffdwp_hook try_to_unmap_hook = {
	.symbol = "try_to_unmap_one",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(try_to_unmap),
};

#if UFFDWP_KERNEL_HAS_TRY_TO_MIGRATE
static bool instead_of_try_to_migrate(struct page *page, struct vm_area_struct *vma,
				      unsigned long addr, void *arg)
{
	const unsigned long end = addr + (compound_nr(compound_head(page)) << PAGE_SHIFT);
	bool ret = uffdwp_call(try_to_migrate_one)(page, vma, addr, arg);

	if (uffdwp_page_has_poison(page))
		uffdwp_tell_vma(vma, addr, end, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
	return ret;
}

/* bool try_to_migrate_one(struct folio *, vma, address, void *arg) */
UFFDWP_CALLBACK(try_to_migrate)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);

	if (unlikely(userfaultfd_wp((struct vm_area_struct *)vma)) && uffdwp_vma_may_tell(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_try_to_migrate);
}

/* It is only placed: there need not be a huge page to split. */
static struct uffdwp_hook try_to_migrate_hook = {
	.symbol = "try_to_migrate_one",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(try_to_migrate),
};
#endif

/* ---- KSM */

static int instead_of_merge(struct vm_area_struct *vma, struct page *page, struct page *kpage)
{
	struct page *head = compound_head(page);
	const pgoff_t index = uffdwp_page_file_index(head) + (page - head);
	const bool merged = uffdwp_page_is_merged(page);
	unsigned long start = vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT);
	unsigned long end = start + PAGE_SIZE;
	int ret = uffdwp_call(try_to_merge_one_page)(vma, page, kpage);

	/* The index of a page that was merged before is that of another VMA. */
	if (merged || start < vma->vm_start || end > vma->vm_end) {
		start = vma->vm_start;
		end = vma->vm_end;
	}
	if (!ret && page != kpage)
		uffdwp_tell_vma(vma, start, end, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
	return ret;
}

/* int try_to_merge_one_page(vma, struct page *page, struct page *kpage), with mmap_lock held */
UFFDWP_CALLBACK(merge)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	if (unlikely(userfaultfd_wp((struct vm_area_struct *)vma)) && uffdwp_vma_may_tell(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_merge);
}

#ifdef CONFIG_KSM
/* It is only placed: ksmd takes its time. */
static struct uffdwp_hook merge_hook = {
	.symbol = "try_to_merge_one_page",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(merge),
};
#endif

/* ---- zaps that discard.c does not see */

#if UFFDWP_HAS_PLAIN_ZAP
static void instead_of_plain_zap(struct vm_area_struct *vma, unsigned long start,
				 unsigned long size)
{
	uffdwp_call_plain_zap(vma, start, size);
	uffdwp_tell_vma(vma, start, start + size, UFFDWP_RING_WRITTEN);
	uffdwp_tell_discard(vma, start, start + size);
	module_put(THIS_MODULE);
}

/* void NAME(vma, start, size), with mmap_lock held */
UFFDWP_CALLBACK(plain_zap)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	uffdwp_hook_fires(ops);
	if (unlikely(userfaultfd_wp((struct vm_area_struct *)vma)) && uffdwp_vma_may_tell(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_plain_zap);
}

/* Of a page that is there: guard pages are installed into nothing without a zap. */
static bool prove_plain_zap(struct uffdwp_proof *p)
{
	const unsigned long addr = uffdwp_proof_page(p, 0);
	bool proved;

	proved = !uffdwp_proof_write(p, 0, 5) &&
		 !uffdwp_call(do_madvise)(p->t->mm, addr, PAGE_SIZE, UFFDWP_PLAIN_ZAP_ADVICE) &&
		 uffdwp_proof_fired(p);
	if (UFFDWP_PLAIN_ZAP_UNDO)
		uffdwp_call(do_madvise)(p->t->mm, addr, PAGE_SIZE, UFFDWP_PLAIN_ZAP_UNDO);
	return proved;
}

static struct uffdwp_hook plain_zap_hook = {
	.symbol = UFFDWP_PLAIN_ZAP_SYMBOL,
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(plain_zap),
	.prove = prove_plain_zap,
};
#endif

#if UFFDWP_TRACKS_HUGETLB
static void instead_of_unmap_hugepage(struct vm_area_struct *vma, unsigned long start,
				      unsigned long end, uffdwp_hugetlb_folio *folio,
				      zap_flags_t flags)
{
	uffdwp_call(unmap_hugepage_range)(vma, start, end, folio, flags);
	uffdwp_tell_vma(vma, start, end, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
}

/* void unmap_hugepage_range(vma, start, end, folio, flags): also for holes, i_mmap_rwsem held */
UFFDWP_CALLBACK(unmap_hugepage)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg0(fregs);

	if (unlikely(userfaultfd_wp((struct vm_area_struct *)vma)) && uffdwp_vma_may_tell(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_unmap_hugepage);
}

/* It is only placed: there need not be a page of hugetlb to try. */
static struct uffdwp_hook unmap_hugepage_hook = {
	.symbol = "unmap_hugepage_range",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(unmap_hugepage),
};
#endif

/* ---- swapoff */

#ifdef CONFIG_SWAP
/* It has looked at all mms, for as long as it has come. */
static void after_swapoff(void)
{
	uffdwp_health_tell_all();
	module_put(THIS_MODULE);
}

static long instead_of_swapoff(const struct pt_regs *regs)
{
	long ret = uffdwp_call(__x64_sys_swapoff)(regs);

	after_swapoff();
	return ret;
}

/* long __x64_sys_swapoff(const struct pt_regs *regs) */
UFFDWP_CALLBACK(swapoff)
{
	uffdwp_hook_fires(ops);
	uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_swapoff);
}

/* Of a file without a name. */
static bool prove_swapoff(struct uffdwp_proof *p)
{
	const struct pt_regs regs = {};

	return uffdwp_call(__x64_sys_swapoff)(&regs) < 0 && uffdwp_proof_fired(p);
}

static struct uffdwp_hook swapoff_hook = {
	.symbol = "__x64_sys_swapoff",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(swapoff),
	.prove = prove_swapoff,
};

#ifdef CONFIG_IA32_EMULATION
static long instead_of_swapoff_ia32(const struct pt_regs *regs)
{
	long ret = uffdwp_call(__ia32_sys_swapoff)(regs);

	after_swapoff();
	return ret;
}

/* long __ia32_sys_swapoff(const struct pt_regs *regs) */
UFFDWP_CALLBACK(swapoff_ia32)
{
	uffdwp_hook_fires(ops);
	uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_swapoff_ia32);
}

static bool prove_swapoff_ia32(struct uffdwp_proof *p)
{
	const struct pt_regs regs = {};

	return uffdwp_call(__ia32_sys_swapoff)(&regs) < 0 && uffdwp_proof_fired(p);
}

static struct uffdwp_hook swapoff_ia32_hook = {
	.symbol = "__ia32_sys_swapoff",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(swapoff_ia32),
	.prove = prove_swapoff_ia32,
};
#endif
#endif

/* ---- NUMA hints for huge pages */

#if UFFDWP_HINTS_LOSE_BITS
static int instead_of_migrate_huge(struct mm_struct *mm, struct vm_area_struct *vma, pmd_t *pmd,
				   pmd_t entry, unsigned long addr, struct page *page, int node)
{
	int ret = uffdwp_call(migrate_misplaced_transhuge_page)(mm, vma, pmd, entry, addr, page,
								node);

	addr = round_down(addr, PMD_SIZE);
	uffdwp_tell_vma(vma, addr, addr + PMD_SIZE, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
	return ret;
}

/* int migrate_misplaced_transhuge_page(mm, vma, ...), in a fault, with mmap_lock held */
UFFDWP_CALLBACK(migrate_huge)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);

	if (unlikely(userfaultfd_wp((struct vm_area_struct *)vma)) && uffdwp_vma_may_tell(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_migrate_huge);
}

/* It is only placed: there may be one node. */
static struct uffdwp_hook migrate_huge_hook = {
	.symbol = "migrate_misplaced_transhuge_page",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(migrate_huge),
};
#endif

/* ---- pins of hugetlb that only read */

#if UFFDWP_TRACKS_HUGETLB && UFFDWP_UNSHARED_HUGETLB_LOSES_BIT
static vm_fault_t instead_of_hugetlb_fault(struct mm_struct *mm, struct vm_area_struct *vma,
					   unsigned long addr, unsigned int flags)
{
	const unsigned long size = 1UL << uffdwp_hugetlb_shift(vma);
	vm_fault_t ret = uffdwp_call(hugetlb_fault)(mm, vma, addr, flags);

	/* With VM_FAULT_RETRY mmap_lock was dropped, and the VMA may be gone. */
	addr = round_down(addr, size);
	uffdwp_tell_mm(mm, addr, addr + size);
	module_put(THIS_MODULE);
	return ret;
}

/* vm_fault_t hugetlb_fault(mm, vma, unsigned long address, unsigned int flags), mmap_lock held */
UFFDWP_CALLBACK(hugetlb_fault)
{
	const struct vm_area_struct *vma = (struct vm_area_struct *)uffdwp_fregs_arg1(fregs);

	if (unlikely(uffdwp_fregs_arg3(fregs) & FAULT_FLAG_UNSHARE) && uffdwp_vma_may_tell(vma))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_hugetlb_fault);
}

/* It is only placed: there need not be a page of hugetlb to try. */
static struct uffdwp_hook hugetlb_fault_hook = {
	.symbol = "hugetlb_fault",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(hugetlb_fault),
};
#endif

/* ---- breakpoints of uprobes */

#if UFFDWP_UPROBES_LOSE_BITS
static int instead_of_write_opcode(struct arch_uprobe *auprobe, struct mm_struct *mm,
				   unsigned long addr, uprobe_opcode_t opcode)
{
	int ret = uffdwp_call(uprobe_write_opcode)(auprobe, mm, addr, opcode);

	addr &= PAGE_MASK;
	uffdwp_tell_mm(mm, addr, addr + PAGE_SIZE);
	module_put(THIS_MODULE);
	return ret;
}

/* int uprobe_write_opcode(struct arch_uprobe *, mm, unsigned long vaddr, uprobe_opcode_t) */
UFFDWP_CALLBACK(write_opcode)
{
	if (uffdwp_mm_is_tracked((struct mm_struct *)uffdwp_fregs_arg1(fregs)))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_write_opcode);
}

/* It is only placed: the task that loads has no probe. */
static struct uffdwp_hook write_opcode_hook = {
	.symbol = "uprobe_write_opcode",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(write_opcode),
};
#endif

/* ---- VMAs that grow in place, registered as they are */

static int instead_of_expand_downwards(struct vm_area_struct *vma, unsigned long address)
{
	const unsigned long start = vma->vm_start;
	int ret = uffdwp_call(expand_downwards)(vma, address);

	/* What else has made it grow by then has told, or will. */
	uffdwp_tell_vma(vma, vma->vm_start, start, UFFDWP_RING_SCAN);
	module_put(THIS_MODULE);
	return ret;
}

/* int expand_downwards(vma, address) of a stack, with mmap_lock held, until 6.5 for reading */
UFFDWP_CALLBACK(expand_downwards)
{
	uffdwp_hook_fires(ops);
	if (uffdwp_vma_may_tell((struct vm_area_struct *)uffdwp_fregs_arg0(fregs)))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_expand_downwards);
}

static bool prove_expand_downwards(struct uffdwp_proof *p)
{
	/* Below it: more than the stack_guard_gap that it keeps to its neighbour, of 1 MiB. */
	const unsigned long room = SZ_64M;
	unsigned long addr = vm_mmap(NULL, 0, room + PAGE_SIZE, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	bool proved;

	if (IS_ERR_VALUE(addr))
		return false;
	vm_munmap(addr, room + PAGE_SIZE);
	addr = vm_mmap(NULL, addr + room, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, 0);
	if (IS_ERR_VALUE(addr))
		return false;
	proved = !clear_user((void __user *)(addr - PAGE_SIZE), 1) && uffdwp_proof_fired(p);
	vm_munmap(addr - PAGE_SIZE, 2 * PAGE_SIZE);
	return proved;
}

static struct uffdwp_hook expand_downwards_hook = {
	.symbol = "expand_downwards",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(expand_downwards),
	.prove = prove_expand_downwards,
};

/*
 * The third argument of mremap(2), which is in the same register for programs of 64 and of 32 bits.
 * By now mmap_lock was dropped, and VMAs may have been divided or unmapped: they do not tell it.
 */
static unsigned long new_len_of_mremap(void)
{
	const unsigned long len = task_pt_regs(current)->dx;

	return PAGE_ALIGN(in_ia32_syscall() ? (u32)len : len);
}

static void instead_of_remap_complete(struct vm_userfaultfd_ctx *ctx, unsigned long from,
				      unsigned long to, unsigned long len)
{
	const unsigned long grown = new_len_of_mremap();

	uffdwp_call(mremap_userfaultfd_complete)(ctx, from, to, len);
	if (from == to && grown > len)
		uffdwp_tell_mm(current->mm, from + len, from + grown);
	module_put(THIS_MODULE);
}

/*
 * void mremap_userfaultfd_complete(ctx, from, to, len): the end of each mremap(), behind mmap_lock.
 * @from is @to if nothing was moved; @len is how long it was.
 */
UFFDWP_CALLBACK(remap_complete)
{
	uffdwp_hook_fires(ops);
	if (uffdwp_mm_is_tracked(current->mm))
		uffdwp_redirect_sleeping(parent_ip, fregs, instead_of_remap_complete);
}

static bool prove_remap_complete(struct uffdwp_proof *p)
{
	struct pt_regs regs = { .si = PAGE_SIZE, .dx = PAGE_SIZE };

	regs.di = vm_mmap(NULL, 0, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(regs.di))
		return false;
	uffdwp_call(__x64_sys_mremap)(&regs);
	vm_munmap(regs.di, PAGE_SIZE);
	return uffdwp_proof_fired(p);
}

static struct uffdwp_hook remap_complete_hook = {
	.symbol = "mremap_userfaultfd_complete",
	.without = WITHOUT,
	.features = UFFDWP_FEATURE_RING,
	.ops = UFFDWP_REDIRECT(remap_complete),
	.prove = prove_remap_complete,
};

struct uffdwp_hook *const uffdwp_ring_hooks[] = {
	&madvise_free_hook,
	&try_to_unmap_hook,
#if UFFDWP_KERNEL_HAS_TRY_TO_MIGRATE
	&try_to_migrate_hook,
#endif
#ifdef CONFIG_KSM
	&merge_hook,
#endif
#if UFFDWP_HAS_PLAIN_ZAP
	&plain_zap_hook,
#endif
#if UFFDWP_TRACKS_HUGETLB
	&unmap_hugepage_hook,
#endif
#if UFFDWP_TRACKS_HUGETLB && UFFDWP_UNSHARED_HUGETLB_LOSES_BIT
	&hugetlb_fault_hook,
#endif
#ifdef CONFIG_SWAP
	&swapoff_hook,
#ifdef CONFIG_IA32_EMULATION
	&swapoff_ia32_hook,
#endif
#endif
#if UFFDWP_HINTS_LOSE_BITS
	&migrate_huge_hook,
#endif
#if UFFDWP_UPROBES_LOSE_BITS
	&write_opcode_hook,
#endif
	&expand_downwards_hook,
	&remap_complete_hook,
	NULL
};
