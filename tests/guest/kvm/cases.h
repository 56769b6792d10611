/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a virtual machine, written by its guest and by KVM: the tests, for the device
 * (test_kvm.c) and for the kernel's own interfaces (test_native_kvm.c).
 */
#ifndef GUEST_KVM_CASES_H
#define GUEST_KVM_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stress.h"
#include "support.h"

/* Regions of both have this form. */
struct written_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

enum way {
	WAY_PLAIN,
	WAY_SPARSE,		/* what has no page table has none afterwards */
	WAY_RING,		/* what a scan finds written must be told in the ring, too */
	WAY_WHOLE_HUGE,
	WAY_GRANULE,
};

struct tracking {
	/* The memory is tracked from now on, or the test skipped where it cannot be. */
	void (*begin)(uint64_t kind, enum way way, char *start, size_t len);
	/* Written regions, or -errno; with reset they are armed. *next: where it has stopped */
	int (*scan)(const char *start, const char *end, bool reset, struct written_region *vec,
		    size_t n, const char **next);
	void (*end)(void);
	/*
	 * A page that KVM holds to write to is not armed. PAGEMAP_SCAN does not ask: what KVM
	 * writes into the control block of a nested guest, mapped before and written after, is
	 * missed.
	 */
	bool sees_pins;
	/* A scan takes from the machine's page tables only what it arms. PAGEMAP_SCAN takes all. */
	bool spares_machine;
	bool has_ways;		/* besides the plain one */
};

/* All of them; where there can be no virtual machine, one that says so. */
const struct CMUnitTest *kvm_tests(const struct tracking *tracking, const struct stress *stress,
				   size_t *n);

#endif /* GUEST_KVM_CASES_H */
