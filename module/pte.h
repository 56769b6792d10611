/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One entry: is it armed, arm it, disarm it.
 *
 * All of these need the lock of the table that holds the entry. That lock keeps out the kernel, not
 * the processor: hardware sets the accessed and dirty bits of a present entry at any time. A
 * present entry is therefore changed by compare-and-exchange, never stored from a copy, so that no
 * bit that the hardware sets in between is lost, and never made absent for a moment, so that no
 * other processor takes a fault that is not needed.
 *
 * Arming does not flush: the caller does, before it drops the lock.
 */
#ifndef UFFDWP_PTE_H
#define UFFDWP_PTE_H

#include "compat/pgtable.h"

/* Without it <asm-generic/pgtable_uffd.h> has stubs: all would build, and nothing be armed. */
#ifndef CONFIG_HAVE_ARCH_USERFAULTFD_WP
#error this kernel has no userfaultfd write-protect bit
#endif

/*
 * A page that is not present and is in the memory of a device, which writes to it without a fault:
 * hmm_range_fault() gives a device its own pages whatever the entry says.
 */
static inline bool uffdwp_pte_is_of_device(pte_t pte)
{
	return is_device_private_entry(pte_to_swp_entry(pte));
}

static inline bool uffdwp_pmd_is_of_device(pmd_t pmd)
{
	return is_device_private_entry(pmd_to_swp_entry(pmd));
}

/* Does an entry that is not present have the bit? It may be one that the bit does not protect. */
static inline bool uffdwp_absent_pte_has_bit(pte_t pte)
{
	return !pte_none(pte) && (pte_swp_uffd_wp(pte) || uffdwp_pte_is_marker(pte));
}

/*
 * A writable entry with the bit lets writes through: the owner of a handed-in userfaultfd has taken
 * the VMA out of write-protect mode and put it back (UFFDIO_REGISTER changes no entry).
 */
static inline bool uffdwp_pte_armed(pte_t pte)
{
	if (pte_present(pte))
		return pte_uffd_wp(pte) && !pte_write(pte);
	return uffdwp_absent_pte_has_bit(pte) && !uffdwp_pte_is_of_device(pte);
}

/* Present, armed and read-only, which is what most entries are: uffdwp_pte_armed() in one test. */
static __always_inline bool uffdwp_pteval_is_armed(pteval_t val)
{
	return (val & (_PAGE_PRESENT | _PAGE_UFFD_WP | _PAGE_RW)) ==
	       (_PAGE_PRESENT | _PAGE_UFFD_WP);
}

/*
 * The page of an entry with _PAGE_PRESENT: pte_page() without the care for others. Where entries
 * hold frames of a hypervisor (Xen PV), pte_val() translates.
 */
static __always_inline struct page *uffdwp_present_page(pte_t pte)
{
	return pfn_to_page((pte_val(pte) & PTE_PFN_MASK) >> PAGE_SHIFT);
}

/* Not pte_write(), which is true of a shadow stack, too: that is not to become writable memory. */
static __always_inline bool uffdwp_pte_writable(pte_t pte)
{
	return pte.pte & _PAGE_RW;
}

/* The entries of a cache line: eight. */
#define UFFDWP_LINE_ENTRIES (SMP_CACHE_BYTES / sizeof(pte_t))

static __always_inline bool uffdwp_line_begins(const pte_t *ptep)
{
	return IS_ALIGNED((unsigned long)ptep, SMP_CACHE_BYTES);
}

/**
 * struct uffdwp_entries - what several entries have in common
 * @all: bits that are set in all of them
 * @any: bits that are set in one at least
 *
 * For bits that hardware does not change: all others change only under the lock of the table, which
 * is held. So each entry may be read twice, once for each member; that is an instruction less.
 */
struct uffdwp_entries {
	pteval_t all;
	pteval_t any;
};

/* @n is a constant */
static __always_inline struct uffdwp_entries uffdwp_read_entries(const pte_t *ptep, unsigned int n)
{
	struct uffdwp_entries e = { .all = ptep[0].pte };
	unsigned int i;

#pragma GCC unroll 32
	for (i = 1; i < n; i++)
		e.all &= ptep[i].pte;
	barrier();
	e.any = ptep[0].pte;
#pragma GCC unroll 32
	for (i = 1; i < n; i++)
		e.any |= ptep[i].pte;
	return e;
}

static __always_inline bool uffdwp_entries_are_armed(const pte_t *ptep, unsigned int n)
{
	const struct uffdwp_entries e = uffdwp_read_entries(ptep, n);

	return uffdwp_pteval_is_armed((e.all & ~_PAGE_RW) | (e.any & _PAGE_RW));
}

/* The first of @n entries that is not armed, or the one behind them. @n is a constant. */
static __always_inline pte_t *uffdwp_not_armed_of(pte_t *ptep, unsigned int n)
{
	unsigned int i;

#pragma GCC unroll 16
	for (i = 0; i < n; i++)
		if (!uffdwp_pteval_is_armed(READ_ONCE(ptep[i].pte)))
			break;
	return ptep + i;
}

static inline bool uffdwp_pmd_armed(pmd_t pmd)
{
	return pmd_present(pmd) ? pmd_uffd_wp(pmd) && !pmd_write(pmd) :
				  pmd_swp_uffd_wp(pmd) && !uffdwp_pmd_is_of_device(pmd);
}

/* @old: what it was read as */
static __always_inline void uffdwp_pte_arm_as_read(pte_t *ptep, pte_t old)
{
	pte_t new;

	do {
		new = pte_mkuffd_wp(pte_wrprotect(old));
	} while (!try_cmpxchg(&ptep->pte, &old.pte, new.pte));
}

static inline void uffdwp_pte_arm_present(pte_t *ptep)
{
	uffdwp_pte_arm_as_read(ptep, READ_ONCE(*ptep));
}

/*
 * A write with FOLL_FORCE (ptrace(2), /proc/PID/mem) in a private VMA without VM_WRITE takes a
 * fault that copies the page, and then goes through an entry that is still read-only. Until 6.0 GUP
 * tells such a copy by the dirty bit (can_follow_write_pte(), FOLL_COW), and does not check whether
 * the entry was armed after that fault. So an entry that is armed in such a VMA must not be dirty:
 * GUP then takes another fault.
 *
 * GUP and arming hold mmap_lock, so both see the same VM_WRITE.
 */
static inline bool uffdwp_forced_write_goes_by_dirty(const struct vm_area_struct *vma)
{
	return UFFDWP_FORCED_WRITES_GO_BY_DIRTY && !(vma->vm_flags & VM_WRITE);
}

/* Move the dirty bit to the struct page. The entry is armed, so the CPU cannot set it again. */
static inline void uffdwp_pte_hand_over_dirty(pte_t *ptep)
{
	pte_t old = READ_ONCE(*ptep);
	pte_t new;

	if (!pte_dirty(old) || pte_special(old))
		return;
	SetPageDirty(pte_page(old));
	do {
		new = pte_mkclean(old);
	} while (!try_cmpxchg(&ptep->pte, &old.pte, new.pte));
}

static inline void uffdwp_pmd_hand_over_dirty(pmd_t *pmdp)
{
	pmd_t old = READ_ONCE(*pmdp);
	pmd_t new;

	if (!pmd_dirty(old) || uffdwp_pmd_is_huge_zero(old))
		return;
	SetPageDirty(pmd_page(old));
	do {
		new = pmd_mkclean(old);
	} while (!try_cmpxchg(&pmdp->pmd, &old.pmd, new.pmd));
}

/* Returns the entry as it is now. */
static __always_inline pte_t uffdwp_pte_disarm_present(pte_t *ptep)
{
	pte_t old = READ_ONCE(*ptep);
	pte_t new;

	do {
		new = pte_clear_uffd_wp(old);
	} while (!try_cmpxchg(&ptep->pte, &old.pte, new.pte));
	return new;
}

/*
 * Without the bit, and writable: to take back what uffdwp_pte_arm_present() has done under the same
 * hold of the lock, or where do_wp_page() would do no more.
 */
static __always_inline void uffdwp_pte_give_back(pte_t *ptep)
{
	pte_t old = READ_ONCE(*ptep);
	pte_t new;

	do {
		new = uffdwp_pte_mkwrite(pte_clear_uffd_wp(old));
	} while (!try_cmpxchg(&ptep->pte, &old.pte, new.pte));
}

/* Swap and migration entries: the hardware does not look at them. */
static inline void uffdwp_pte_arm_swap(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	pte_t old = *ptep;
	swp_entry_t entry = uffdwp_entry_make_readable(pte_to_swp_entry(old));
	pte_t new = old;

	if (entry.val != pte_to_swp_entry(old).val) {
		new = swp_entry_to_pte(entry);
		if (pte_swp_soft_dirty(old))
			new = pte_swp_mksoft_dirty(new);
	}
	set_pte_at(mm, addr, ptep, pte_swp_mkuffd_wp(new));
}

/* As uffdwp_pte_give_back(). */
static inline void uffdwp_pmd_give_back(pmd_t *pmdp)
{
	pmd_t old = READ_ONCE(*pmdp);
	pmd_t new;

	do {
		new = uffdwp_pmd_mkwrite(pmd_clear_uffd_wp(old));
	} while (!try_cmpxchg(&pmdp->pmd, &old.pmd, new.pmd));
}

static inline void uffdwp_pmd_arm_present(pmd_t *pmdp)
{
	pmd_t old = READ_ONCE(*pmdp);
	pmd_t new;

	do {
		new = pmd_mkuffd_wp(pmd_wrprotect(old));
	} while (!try_cmpxchg(&pmdp->pmd, &old.pmd, new.pmd));
}

/* Returns the entry as it is now. */
static inline pmd_t uffdwp_pmd_disarm_present(pmd_t *pmdp)
{
	pmd_t old = READ_ONCE(*pmdp);
	pmd_t new;

	do {
		new = pmd_clear_uffd_wp(old);
	} while (!try_cmpxchg(&pmdp->pmd, &old.pmd, new.pmd));
	return new;
}

static inline void uffdwp_pmd_arm_swap(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp)
{
	pmd_t old = *pmdp;
	swp_entry_t entry = uffdwp_entry_make_readable(pmd_to_swp_entry(old));
	pmd_t new = old;

	if (entry.val != pmd_to_swp_entry(old).val) {
		new = swp_entry_to_pmd(entry);
		if (pmd_swp_soft_dirty(old))
			new = pmd_swp_mksoft_dirty(new);
	}
	set_pmd_at(mm, addr, pmdp, pmd_swp_mkuffd_wp(new));
}

/* An armed entry of the zero page, to be mapped into unpopulated memory. */
static inline pte_t uffdwp_zero_pte(struct vm_area_struct *vma, unsigned long addr)
{
	pte_t pte = pte_mkspecial(pfn_pte(uffdwp_zero_pfn(addr), vma->vm_page_prot));

	return pte_mkuffd_wp(pte_wrprotect(pte));
}

#endif /* UFFDWP_PTE_H */
