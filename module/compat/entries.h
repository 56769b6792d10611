/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Non-present entries: swap, migration, device memory, markers. The names are those of
 * Linux 6.1; what other kernels call by another name, or do not have, is given that name here.
 */
#ifndef UFFDWP_COMPAT_ENTRIES_H
#define UFFDWP_COMPAT_ENTRIES_H

#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd.h>

/* 7.3 has read protection with the same bit, and the helpers are called by the bit alone. */
#if UFFDWP_KERNEL_HAS_UFFD_BIT
#define _PAGE_UFFD_WP _PAGE_UFFD
#define pte_uffd_wp pte_uffd
#define pte_clear_uffd_wp pte_clear_uffd
#define pte_mkuffd_wp pte_mkuffd
#define pte_swp_uffd_wp pte_swp_uffd
#define pte_swp_clear_uffd_wp pte_swp_clear_uffd
#define pte_swp_mkuffd_wp pte_swp_mkuffd
#define pmd_uffd_wp pmd_uffd
#define pmd_clear_uffd_wp pmd_clear_uffd
#define pmd_mkuffd_wp pmd_mkuffd
#define pmd_swp_uffd_wp pmd_swp_uffd
#define pmd_swp_clear_uffd_wp pmd_swp_clear_uffd
#define pmd_swp_mkuffd_wp pmd_swp_mkuffd
#endif

#if UFFDWP_KERNEL_HAS_LEAFOPS
#include <linux/leafops.h>

#define pte_to_swp_entry softleaf_from_pte
#define pmd_to_swp_entry softleaf_from_pmd
#define non_swap_entry(entry) (!softleaf_is_swap(entry))
#define is_migration_entry softleaf_is_migration
#define is_writable_migration_entry softleaf_is_migration_write
#define is_device_private_entry softleaf_is_device_private
#define is_writable_device_private_entry softleaf_is_device_private_write
#define is_device_exclusive_entry softleaf_is_device_exclusive
#define pfn_swap_entry_to_page softleaf_to_page
#define pte_marker_uffd_wp pte_is_uffd_wp_marker

#elif !UFFDWP_KERNEL_HAS_READABLE_ENTRIES

#define is_writable_migration_entry is_write_migration_entry
#define is_writable_device_private_entry is_write_device_private_entry
#define is_device_exclusive_entry(entry) false

static inline struct page *pfn_swap_entry_to_page(swp_entry_t entry)
{
	return pfn_to_page(swp_offset(entry));
}
#endif

/* The kernel itself knows markers in VMAs of files; in anonymous ones only since 6.4. */
#ifdef UFFD_FEATURE_WP_UNPOPULATED
#define UFFDWP_KERNEL_HAS_ANON_MARKERS 1
#else
#define UFFDWP_KERNEL_HAS_ANON_MARKERS 0
#endif

#if UFFDWP_KERNEL_HAS_MARKERS
static inline pte_t uffdwp_make_marker(void)
{
	return make_pte_marker(PTE_MARKER_UFFD_WP);
}

static inline bool uffdwp_pte_is_marker(pte_t pte)
{
	return pte_marker_uffd_wp(pte);
}
#else
static inline pte_t uffdwp_make_marker(void)
{
	return __pte(0);
}

static inline bool uffdwp_pte_is_marker(pte_t pte)
{
	return false;
}
#endif

/* Guard pages: Linux 6.13, "mm: add PTE_MARKER_GUARD PTE marker". */
static inline bool uffdwp_entry_is_guard(swp_entry_t entry)
{
#if UFFDWP_KERNEL_HAS_LEAFOPS
	return softleaf_is_guard_marker(entry);
#elif defined(PTE_MARKER_GUARD)
	return is_guard_swp_entry(entry);
#else
	return false;
#endif
}

/* A writable anonymous page is exclusive (PageAnonExclusive), which entries tell since 5.19. */
static inline swp_entry_t uffdwp_migration_make_readable(swp_entry_t entry)
{
#if UFFDWP_KERNEL_HAS_EXCLUSIVE_MIGRATION
	if (PageAnon(pfn_swap_entry_to_page(entry)))
		return make_readable_exclusive_migration_entry(swp_offset(entry));
#endif
#if UFFDWP_KERNEL_HAS_READABLE_ENTRIES
	return make_readable_migration_entry(swp_offset(entry));
#else
	make_migration_entry_read(&entry);
	return entry;
#endif
}

/*
 * A migration or device entry that says "writable" makes the kernel map the page writable and
 * forget the write-protect bit (remove_migration_pte() of 6.1 looks at the one or the other), so
 * arming one means to make it readable first, as change_pte_range() does.
 */
static inline swp_entry_t uffdwp_entry_make_readable(swp_entry_t entry)
{
	if (is_writable_migration_entry(entry))
		return uffdwp_migration_make_readable(entry);
#if UFFDWP_KERNEL_HAS_READABLE_ENTRIES
	if (is_writable_device_private_entry(entry))
		return make_readable_device_private_entry(swp_offset(entry));
#else
	if (is_writable_device_private_entry(entry))
		make_device_private_entry_read(&entry);
#endif
#if UFFDWP_KERNEL_HAS_READABLE_ENTRIES && !UFFDWP_KERNEL_HAS_LEAFOPS
	/* Linux 5.14 to 6.14; nothing that is exclusive to a device is writable here after that. */
	if (is_writable_device_exclusive_entry(entry))
		return make_readable_device_exclusive_entry(swp_offset(entry));
#endif
	return entry;
}

#endif /* UFFDWP_COMPAT_ENTRIES_H */
