/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What madvise(2) knows and the C library of Debian 12 does not.
 */
#ifndef MADVISE_H
#define MADVISE_H

#include <sys/mman.h>

/* 5.18 */
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* 6.1 */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* 2.6.32 */
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

/* 6.13 */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

#endif /* MADVISE_H */
