// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that the module calls by address, or whose arguments it reads from registers, are
 * declared once more, after the kernel's own headers: two declarations of one function must agree.
 * Where a stable release has changed a parameter or a result, this file does not compile, and the
 * compiler says which function it is; without it the module would compile, load and crash.
 *
 * Of what no header declares for modules nothing is found out: see signatures.h.
 */
#include <linux/binfmts.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/huge_mm.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uprobes.h>
#include <linux/userfaultfd_k.h>

#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#include "hooked.h"
#include "symbols.h"

#define UFFDWP_DECLARE_AGAIN(name, result, parameters) extern result name parameters;
UFFDWP_FUNCTIONS(UFFDWP_DECLARE_AGAIN)
UFFDWP_HOOKED_FUNCTIONS(UFFDWP_DECLARE_AGAIN)

/* Only watched: hooks/memory.c. */
extern vm_fault_t handle_userfault(struct vm_fault *vmf, unsigned long reason);
