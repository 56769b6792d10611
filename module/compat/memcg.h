/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory cgroups.
 */
#ifndef UFFDWP_COMPAT_MEMCG_H
#define UFFDWP_COMPAT_MEMCG_H

#include <linux/memcontrol.h>
#include <linux/sched.h>

/*
 * What set_active_memcg() does for a task: its other half, for interrupts, is of no use here and
 * needs a variable that Linux 5.10 does not export.
 */
static inline void uffdwp_set_active_memcg(struct mem_cgroup *memcg)
{
#ifdef CONFIG_MEMCG
	current->active_memcg = memcg;
#endif
}

/* What is charged for the allocations of this task, a reference: for mem_cgroup_put(). */
static inline struct mem_cgroup *uffdwp_memcg_to_charge(void)
{
#ifdef CONFIG_MEMCG
	if (current->active_memcg) {
		css_get(&current->active_memcg->css);
		return current->active_memcg;
	}
#endif
	return get_mem_cgroup_from_mm(current->mm);
}

#endif /* UFFDWP_COMPAT_MEMCG_H */
