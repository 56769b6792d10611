#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# probe.sh HEADER COMPILER [FLAG...]: what can be seen in the headers of the kernel that the module
# is built for, found by compiling a few lines with the kernel's own compiler and flags, and written
# to HEADER as UFFDWP_KERNEL_HAS_*. Kbuild calls it once for each build folder and set of flags.
#
# Nothing is built before it: a kernel that compat.h does not let in is refused here, with the
# sentence in compat.h and without hundreds of errors behind it.
#
# A probe tells what a header has, whatever version the kernel says it is: distributions take
# changes back to older kernels. What no header shows is in signatures.h, by version.
set -eu

header=${1:?usage: probe.sh HEADER COMPILER [FLAG...]}
shift
snippet=$header.snippet.c
trap 'rm -f "$snippet" "$header.new"' EXIT

compat=$(dirname "$0")/compat.h
if ! "$@" -E -include "$compat" -x c /dev/null >/dev/null 2>"$header.log"; then
	# Preprocessed only, so no other header can be the reason; but a compiler may be missing.
	sed -n 's/.*#error "\(.*\)".*/\1/p' "$header.log" | head -n 1 | grep . >&2 || cat "$header.log" >&2
	rm -f "$header.log"
	exit 1
fi

# The same headers for each snippet, so that nothing but its own lines keeps it from compiling.
headers='
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/hugetlb.h>
#include <linux/mmu_notifier.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>
'

# Do the lines on standard input compile?
compiles() {
	{
		echo "$headers"
		cat
	} >"$snippet"
	"$@" -fsyntax-only -Wno-error -Werror=implicit-function-declaration \
		-Werror=incompatible-pointer-types -Werror=int-conversion "$snippet" \
		>"$header.log" 2>&1
}

# A compiler that says no to everything would look like a very old kernel.
if ! compiles "$@" </dev/null; then
	echo "probe.sh: the kernel's headers do not compile at all:" >&2
	cat "$header.log" >&2
	exit 1
fi

{
	echo '/* SPDX-License-Identifier: GPL-2.0-only */'
	echo '/* Written by probe.sh: what the headers of this kernel have. */'
} >"$header.new"

compiler=$*
# probe NAME WHICH-CHANGE, with a few lines of C on standard input
probe() {
	name=$1 change=$2
	# shellcheck disable=SC2086 # flags have no spaces: Kbuild splits them, too
	if compiles $compiler; then
		printf '\n/* yes: %s */\n#define UFFDWP_KERNEL_HAS_%s 1\n' "$change" "$name"
	else
		printf '\n/* no: %s */\n#define UFFDWP_KERNEL_HAS_%s 0\n' "$change" "$name"
	fi >>"$header.new"
}

probe FTRACE_REGS '5.11, "ftrace: Have the callbacks receive a struct ftrace_regs"' <<'SNIPPET'
void hook(unsigned long, unsigned long, struct ftrace_ops *, struct ftrace_regs *);
ftrace_func_t function = hook;
SNIPPET

probe FTRACE_REGS_ABSTRACT '6.13, "ftrace: Make ftrace_regs abstract from direct use"' <<'SNIPPET'
struct pt_regs *f(struct ftrace_regs *fregs) { return &arch_ftrace_regs(fregs)->regs; }
SNIPPET

probe FTRACE_REGS_SET_IP '6.2, "ftrace: rename ftrace_instruction_pointer_set()"' <<'SNIPPET'
void f(struct ftrace_regs *fregs) { ftrace_regs_set_instruction_pointer(fregs, 0); }
SNIPPET

probe VM_FLAGS_MOD '6.3, "mm: introduce vma->vm_flags wrapper functions"' <<'SNIPPET'
void f(struct vm_area_struct *vma) { vm_flags_mod(vma, 0, 0); }
SNIPPET

probe VMA_LOCK '6.4, "mm: introduce per-VMA lock"' <<'SNIPPET'
void f(struct vm_area_struct *vma) { vma_start_write(vma); }
SNIPPET

probe NOTIFIER_RANGE_VMA 'until 6.2: mmu_notifier_range_init() takes a VMA' <<'SNIPPET'
void f(struct mmu_notifier_range *range, struct vm_area_struct *vma, struct mm_struct *mm)
{
	mmu_notifier_range_init(range, MMU_NOTIFY_PROTECTION_VMA, 0, vma, mm, 0, 0);
}
SNIPPET

probe INNER_PTE_LOCK '6.5 to 6.18, "mm/pgtable: allow pte_offset_map[_lock]() to fail": inline, __pte_offset_map_lock() is not' <<'SNIPPET'
void *f(pmd_t *pmd, spinlock_t **ptl) { return __pte_offset_map_lock(0, pmd, 0, ptl); }
SNIPPET

probe LEAFOPS '6.19, "mm: introduce leaf entry type and use to simplify leaf entry logic"' <<'SNIPPET'
#include <linux/leafops.h>
softleaf_t f(pte_t pte) { return softleaf_from_pte(pte); }
SNIPPET

probe READABLE_ENTRIES '5.14, "mm/swapops: rework swap entry manipulation code"' <<'SNIPPET'
swp_entry_t f(void) { return make_readable_migration_entry(0); }
SNIPPET

probe EXCLUSIVE_MIGRATION '5.19, "mm/rmap: fail try_to_migrate() early when setting a PMD migration entry fails"' <<'SNIPPET'
swp_entry_t f(void) { return make_readable_exclusive_migration_entry(0); }
SNIPPET

probe PMD_DEVMAP 'until 6.16: pmd_devmap()' <<'SNIPPET'
int f(pmd_t pmd) { return pmd_devmap(pmd); }
SNIPPET

probe MY_ZERO_PFN 'until 7.0: my_zero_pfn()' <<'SNIPPET'
unsigned long f(unsigned long addr) { return my_zero_pfn(addr); }
SNIPPET

probe FOLIO '5.16, "mm: Introduce struct folio"' <<'SNIPPET'
struct folio *f(struct page *page) { return page_folio(page); }
SNIPPET

probe LARGE_MAPCOUNT '6.10, "mm: track mapcount of large folios in single value": folio_mapcount() is inline' <<'SNIPPET'
int f(struct folio *folio) { return folio_large_mapcount(folio) + folio_mapcount(folio); }
SNIPPET

probe HUGETLB_LINEAR_INDEX '6.7, "hugetlb: use linear page index in the page cache"' <<'SNIPPET'
void *f(struct hstate *h) { return filemap_lock_hugetlb_folio(h, 0, 0); }
SNIPPET

probe MKWRITE_NOVMA '6.6, "mm: Rename arch pte_mkwrite()'"'"'s to pte_mkwrite_novma()"' <<'SNIPPET'
#include <linux/mm.h>
pte_t probed(pte_t pte) { return pte_clear_saveddirty(pte_mkwrite_novma(pte)); }
SNIPPET

probe ANON_EXCLUSIVE '5.19, "mm: remember exclusively mapped anonymous pages with PG_anon_exclusive"' <<'SNIPPET'
#include <linux/mm.h>
int probed(void) { return PG_anon_exclusive; }
SNIPPET

probe FAULT_UNSHARE '5.19, "mm: support GUP-triggered unsharing of anonymous pages"' <<'SNIPPET'
int flag = FAULT_FLAG_UNSHARE;
SNIPPET

probe FOLL_COW 'until 6.0, "mm/gup: fix FOLL_FORCE COW security issue and remove FOLL_COW"' <<'SNIPPET'
int flag = FOLL_COW;
SNIPPET

probe USERFAULTFD_CTX '6.9, "userfaultfd: move userfaultfd_ctx struct to header file"' <<'SNIPPET'
void *f(struct userfaultfd_ctx *ctx) { return ctx->mm; }
SNIPPET

probe WP_ASYNC '6.7, "userfaultfd: UFFD_FEATURE_WP_ASYNC"' <<'SNIPPET'
unsigned long features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED;
SNIPPET

probe EVEN_COWS '5.18, "mm: change zap_details.zap_mapping into even_cows"; 7.2 has skip_cows' <<'SNIPPET'
bool f(const struct zap_details *details) { return details->even_cows; }
SNIPPET

probe MOVE '6.8, "userfaultfd: UFFDIO_MOVE uABI"' <<'SNIPPET'
unsigned int command = UFFDIO_MOVE + sizeof(struct uffdio_move);
SNIPPET

probe MFILL_WP_COPY '5.14 to 6.3: mfill_atomic_install_pte() has a bool for write protection' <<'SNIPPET'
int f(struct mm_struct *mm, pmd_t *pmd, struct vm_area_struct *vma, struct page *page)
{
	return mfill_atomic_install_pte(mm, pmd, vma, 0, page, true, true);
}
SNIPPET

probe MFILL_FLAGS '6.4, "mm: userfaultfd: combine '"'mode' and 'wp_copy'"' arguments"' <<'SNIPPET'
uffd_flags_t flags = MFILL_ATOMIC_WP;
SNIPPET

probe MFILL_NEWLY_ALLOCATED '6.4 to 7.1: mfill_atomic_install_pte() takes newly_allocated before its flags' <<'SNIPPET'
int f(pmd_t *pmd, struct vm_area_struct *vma, struct page *page)
{
	return mfill_atomic_install_pte(pmd, vma, 0, page, true, MFILL_ATOMIC_WP);
}
SNIPPET

probe MMAP_WRITE_TRYLOCK 'gone in 6.12: mmap_write_trylock()' <<'SNIPPET'
#include <linux/mm.h>
#include <linux/mmap_lock.h>
bool f(struct mm_struct *mm) { return mmap_write_trylock(mm); }
SNIPPET

probe MM_LOCK_SEQCOUNT '6.12: who takes mmap_lock for writing begins a seqcount' <<'SNIPPET'
#include <linux/mm.h>
#include <linux/mmap_lock.h>
void f(struct mm_struct *mm) { mm_lock_seqcount_begin(mm); }
SNIPPET

probe EXEC_STATE 'by 7.2: whether a task is dumpable, and in which user namespace, belongs to the task' <<'SNIPPET'
#include <linux/binfmts.h>
#include <linux/sched/coredump.h>
int f(struct linux_binprm *bprm, struct task_struct *task)
{
	return bprm->user_ns && task_exec_state_get_dumpable(task) == TASK_DUMPABLE_OWNER;
}
SNIPPET

probe FILE_USER_INODE '6.8, "fs: factor out backing_file_mmap() helper" and its like: the inode that /proc/PID/maps shows' <<'SNIPPET'
struct inode *f(struct file *file) { return file_user_inode((struct file *)file); }
SNIPPET

probe PROTECT_SIGNED 'late point releases of 6.1: change_protection() has room for an error, as since 6.3' <<'SNIPPET'
long f(struct vm_area_struct *vma)
{
	long (*protect)(struct mmu_gather *tlb, struct vm_area_struct *vma, unsigned long start,
			unsigned long end, pgprot_t newprot, unsigned long cp_flags);

	protect = change_protection;
	return protect(NULL, vma, 0, 0, vma->vm_page_prot, 0);
}
SNIPPET

probe UFFD_BIT '7.3: the bit is one of read protection, too, and pte_uffd_wp() is pte_uffd()' <<'SNIPPET'
pte_t f(pte_t pte) { return pte_mkuffd(pte); }
SNIPPET

probe MAPPING_RMAP '7.3: VMAs of a file are found by mapping_rmap_tree_iter_first()' <<'SNIPPET'
void *f(struct address_space *mapping) { return mapping_rmap_tree_iter_first(mapping, 0, 0); }
SNIPPET

# Not cmp: where DKMS builds there need be no more than a shell, make and a compiler.
if [ ! -e "$header" ] || [ "$(cat "$header.new")" != "$(cat "$header")" ]; then
	cp "$header.new" "$header"
fi
rm -f "$header.log"
