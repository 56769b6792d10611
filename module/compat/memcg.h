/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory cgroups.
 */
#ifndef UFFDWP_COMPAT_MEMCG_H
#define UFFDWP_COMPAT_MEMCG_H

#include <linux/sched.h>

struct mem_cgroup;

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

static inline struct mem_cgroup *uffdwp_active_memcg(void)
{
#ifdef CONFIG_MEMCG
	return current->active_memcg;
#else
	return NULL;
#endif
}

#endif /* UFFDWP_COMPAT_MEMCG_H */
