/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lockdep_assert(): 5.13, "locking/lockdep: Add lockdep_assert()".
 */
#ifndef UFFDWP_COMPAT_LOCKDEP_H
#define UFFDWP_COMPAT_LOCKDEP_H

#include <linux/lockdep.h>

#ifndef lockdep_assert
#ifdef CONFIG_LOCKDEP
#define lockdep_assert(condition) WARN_ON(debug_locks && !(condition))
#else
#define lockdep_assert(condition) do { } while (0)
#endif
#endif

#endif /* UFFDWP_COMPAT_LOCKDEP_H */
