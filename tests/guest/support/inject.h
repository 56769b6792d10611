/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls inside the kernel that fail on demand: allocations of objects and pages, and copies from
 * and to user memory (Documentation/fault-injection). A kernel that is made for it counts these
 * calls of a task, all kinds together, and lets the n-th fail (/proc/PID/fail-nth).
 */
#ifndef GUEST_INJECT_H
#define GUEST_INJECT_H

#include <stdbool.h>

enum inject_kind {
	INJECT_SLAB,
	INJECT_PAGE,
	INJECT_COPY,
	INJECT_KINDS,
};

struct injections {
	bool reached;			/* there was an n-th call, and it has failed */
	unsigned long of[INJECT_KINDS];	/* calls that have failed */
};

/* NULL when calls can be made to fail, or why not. Allocations that may wait fail, too. */
const char *inject_set_up(void);

/* The n-th call, from 1, of the calling thread from now on. */
void inject_into_self(unsigned int n);
struct injections inject_into_self_end(void);

#endif /* GUEST_INJECT_H */
