/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UFFDWP_OFF_LIMITS_H
#define UFFDWP_OFF_LIMITS_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mm_types.h>

/**
 * struct uffdwp_off_limits - a range that a call of the process works on
 * @node: in the list of them
 * @mm: mm
 * @start: first address
 * @end: last address, exclusive
 * @taken: context of the userfaultfd that it is registered or unregistered with just now: no
 *	tracker that rides along on that registers it; or NULL
 */
struct uffdwp_off_limits {
	struct hlist_node node;
	const struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	const void *taken;
};

/* How many there are, of all processes. */
extern atomic_t uffdwp_ranges_off_limits;

void uffdwp_off_limits_begin(struct uffdwp_off_limits *n);
void uffdwp_off_limits_end(struct uffdwp_off_limits *n);
bool uffdwp_meets_off_limits(const struct mm_struct *mm, unsigned long start, unsigned long end);
bool uffdwp_is_taken(const struct mm_struct *mm, const void *ctx, unsigned long start,
		     unsigned long end);

/* Must this memory not be armed? Asked under the page-table lock, or before there is a table. */
static inline bool uffdwp_is_off_limits(const struct mm_struct *mm, unsigned long start,
					unsigned long end)
{
	return unlikely(atomic_read(&uffdwp_ranges_off_limits)) &&
	       uffdwp_meets_off_limits(mm, start, end);
}

#endif /* UFFDWP_OFF_LIMITS_H */
