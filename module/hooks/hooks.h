/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_HOOKS_HOOKS_H
#define UFFDWP_HOOKS_HOOKS_H

#include <linux/bits.h>
#include <linux/types.h>

/* Features for this module only: never reported to programs. */
#define UFFDWP_INNER_WP_ASYNC		BIT_ULL(60)	/* backport: UFFD_FEATURE_WP_ASYNC */
#define UFFDWP_INNER_CONTINUE_WP	BIT_ULL(61)	/* backport: UFFDIO_CONTINUE_MODE_WP */
#define UFFDWP_INNER_PAGEMAP_SCAN	BIT_ULL(62)	/* backport: PAGEMAP_SCAN */
#define UFFDWP_INNER_ASYNC_UFFD		BIT_ULL(63)	/* userfaultfd_wp_async() is ours */
#define UFFDWP_INNER_FEATURES		GENMASK_ULL(63, 60)

/* UFFDWP_FEATURE_*, UFFDWP_INNER_* and UFFDWP_KIND_* that are offered, once hooks are proved. */
extern u64 uffdwp_features;
extern u64 uffdwp_kinds;

/* hooks=0: none is placed, and so nothing is offered. */
extern bool uffdwp_with_hooks;

bool uffdwp_ftrace_is_dead(void);
int uffdwp_hooks_find(void);
int uffdwp_hooks_place_and_prove(void);
int uffdwp_hooks_get(void);
void uffdwp_hooks_put(void);
void uffdwp_hooks_stay(void);
void uffdwp_hooks_exit(void);

#endif /* UFFDWP_HOOKS_HOOKS_H */
