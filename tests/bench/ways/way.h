/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A way to track which pages are written. To add one: a file of this folder with a struct way, and
 * its place in the list at the end of list.c.
 */
#ifndef WAY_H
#define WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../measure.h"
#include "uffdwp-async.h"

#define REGIONS		65536ul

/* The memory that is tracked */
extern char *memory;
extern size_t len;

/* What scans have found, the last one or a part of it; those of the kernel have the same form. */
extern struct uffdwp_region regions[REGIONS];

/* Pages that were written, one by one: what those ways know that resolve faults themselves */
extern uintptr_t *noted;
extern volatile size_t notes;

/* /proc/self/pagemap */
extern int pagemap;

/**
 * struct way - one way to track
 * @name: behind the name of each figure
 * @title: for people, in a few words
 * @possible: does this kernel have it?
 * @attach: from now on the memory is tracked
 * @begin: all of it is "not written" from now on, however it was
 * @scan: how many pages were written; with reset they are not written from then on. With all: asks
 *	for whatever else there is to know
 * @idle: has anything been written at all? Without a scan; or NULL
 * @detach: ends it
 * @handler: a write is resolved by the process itself: it takes ten times as long
 * @skips_untouched: a write to memory that was never touched is missed
 * @fails_for_kernel: a write of the kernel for the process fails, and that of a guest of KVM
 */
struct way {
	const char *name;
	const char *title;
	bool (*possible)(void);
	void (*attach)(void);
	void (*begin)(void);
	size_t (*scan)(bool reset, bool all);
	bool (*idle)(void);
	void (*detach)(void);
	bool handler;
	bool (*skips_untouched)(void);
	bool fails_for_kernel;
};

extern const struct way *const ways[];
extern const size_t n_ways;

/* Pages of the first regions */
size_t pages_of(int n);

/* A userfaultfd with these features; -1 where there is none. */
int uffd_with(uint64_t features);
/* The memory is registered with a new one for write protection. Returns it. */
int uffd_attach(uint64_t features);
/* All of the memory is protected. */
void uffd_protect(int uffd);

/* Of Linux 6.7, which the headers that this is built with need not know. */
#define UFFD_WP_UNPOPULATED	(1ull << 13)
#define UFFD_WP_ASYNC		(1ull << 15)

extern const struct way way_device, way_sparse, way_ring, way_native, way_soft_dirty, way_sync,
			way_sigsegv;

#endif /* WAY_H */
