// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands in a race, each used as it is meant to be used.
 *
 * SCAN with reset: memory was armed and copied into the mirror at some time; what the scan reports
 * is copied as soon as it has returned.
 *
 * ARM: memory is armed, and all of it is copied into the mirror as soon as the command has
 * returned. A write that came before that may be forgotten, but then it is in the copy. A write
 * that comes later than the copy must be reported, wherever it was when ARM returned: in its fault,
 * with its page already looked up, or behind a TLB that still lets it through. So no write may be
 * missing from both.
 *
 * PART: as SCAN with reset, of a part that cuts what is written as a whole.
 *
 * DISARM: nothing is copied, and all must be reported.
 *
 * RESET: the ring is read and reset, and then what it has told of is copied; or scanned with reset,
 * and copied.
 *
 * What is reported as SPARSE is not copied: it is zeroes in the mirror.
 */
#include <string.h>
#include <sys/uio.h>

#include "races.h"

struct sample race_sample(const struct round *r, size_t page)
{
	const char *p = race_page(r, page);
	struct sample sample;
	size_t i;

	for (i = 0; i < 8; i++)
		sample.words[i] = *(const volatile uint64_t *)(p + i * PAGE / 8);
	return sample;
}

/* What each page of a range that has all of CATEGORIES is reported as; or the error. */
static int scan_range(const struct round *r, const char *start, size_t len, uint64_t flags,
		      uint64_t categories, uint64_t *reported)
{
	/* What is below is in one piece. */
	struct uffdwp_region vec[RACE_PAGES + 1];
	struct uffdwp_scan_arg arg = scan_arg(start, len, vec, RACE_PAGES + 1);
	uint64_t addr, page;
	int n, i;

	memset(reported, 0, RACE_PAGES * sizeof(*reported));
	arg.flags = flags;
	arg.category_mask = categories;
	arg.return_mask |= UFFDWP_PAGE_IS_UNTRACKED;
	if (r->race->kind->sparse)
		arg.return_mask |= UFFDWP_PAGE_IS_SPARSE;
	n = dev_scan(r->tracker, &arg);
	if (n < 0)
		return n;
	/* There is room for each page, so it does not end before the end. */
	if (arg.walk_end != arg.end)
		return -1;
	for (i = 0; i < n; i++) {
		for (addr = vec[i].start; addr != vec[i].end; addr += PAGE) {
			page = (addr - (uintptr_t)r->memory) / PAGE;
			if (page < RACE_PAGES)
				reported[page] = vec[i].categories;
		}
	}
	return 0;
}

int race_scan(const struct round *r, uint64_t *reported, bool reset)
{
	return scan_range(r, race_tracked(r), race_tracked_len(r),
			  reset ? UFFDWP_SCAN_WP_MATCHING : 0, UFFDWP_PAGE_IS_WRITTEN, reported);
}

/* As race_sample(), of what may not be mapped just now: then the mirror keeps what it has. */
static void copy_if_mapped(struct round *r, size_t page)
{
	struct sample sample;
	struct iovec to = { &sample, sizeof(sample) }, from[8];
	size_t i;

	for (i = 0; i < 8; i++)
		from[i] = (struct iovec){ race_page(r, page) + i * PAGE / 8, sizeof(uint64_t) };
	if (process_vm_readv(getpid(), &to, 1, from, 8, 0) == sizeof(sample))
		r->mirror[page] = sample;
}

void race_copy(struct round *r, size_t page, uint64_t categories)
{
	if (categories & UFFDWP_PAGE_IS_SPARSE)
		r->mirror[page] = (struct sample){ 0 };
	else if (r->race->kind->followed && r->race->event->part_is_unmapped)
		copy_if_mapped(r, page);
	else
		r->mirror[page] = race_sample(r, page);
}

/* The event may have the part unmapped just now; it has to be reported in the end, anyway. */
static bool can_be_copied(const struct round *r, size_t page)
{
	return !(race_part_is_lost(r->race) && in_part(page));
}

/* Sparse memory is also taken so by a scan: of each half, a half is armed and no more. */
static void arm_some(struct round *r)
{
	const size_t quarter = RACE_PAGES / 4;
	size_t i;

	assert_ok(dev_arm(r->tracker, r->memory, quarter * PAGE));
	assert_ok(dev_arm(r->tracker, race_page(r, 2 * quarter), quarter * PAGE));
	memset(r->mirror, 0, sizeof(r->mirror));
	for (i = 0; i < RACE_PAGES; i++) {
		if (i / quarter % 2) {
			memset(&r->mirror[i], 0xff, sizeof(r->mirror[i]));
			r->changed[i] = true;
		}
	}
}

static void prepare_scan(struct round *r)
{
	size_t i;

	if (r->race->kind->sparse) {
		arm_some(r);
		return;
	}
	assert_ok(dev_arm(r->tracker, race_tracked(r), race_tracked_len(r)));
	for (i = 0; i < RACE_PAGES; i++)
		r->mirror[i] = race_sample(r, i);
}

static void run_scan(void *arg)
{
	struct round *r = arg;

	r->result = race_scan(r, r->reported, true);
}

static void run_part(void *arg)
{
	struct round *r = arg;

	r->result = scan_range(r, race_page(r, PART_FIRST), PART_LEN, UFFDWP_SCAN_WP_MATCHING,
			       UFFDWP_PAGE_IS_WRITTEN, r->reported);
}

static void copy_reported(void *arg)
{
	struct round *r = arg;
	size_t i;

	for (i = 0; i < RACE_PAGES; i++)
		if (r->reported[i] && can_be_copied(r, i))
			race_copy(r, i, r->reported[i]);
}

/* Half is armed again, half for the first time, with page tables to be made if it is empty. */
static void prepare_arm(struct round *r)
{
	assert_ok(dev_arm(r->tracker, race_tracked(r), race_tracked_len(r) - RACE_LEN / 2));
	memset(r->mirror, 0xff, sizeof(r->mirror));
}

static void run_arm(void *arg)
{
	struct round *r = arg;

	r->result = dev_arm(r->tracker, race_tracked(r), race_tracked_len(r));
}

/* ARM does not say what is sparse: that takes a scan. */
static void copy_all(void *arg)
{
	struct round *r = arg;
	uint64_t sparse[RACE_PAGES] = { 0 };
	size_t i;

	if (r->race->kind->sparse && !r->result)
		r->result = scan_range(r, r->memory, RACE_LEN, 0, UFFDWP_PAGE_IS_SPARSE, sparse);
	for (i = 0; i < RACE_PAGES; i++)
		if (can_be_copied(r, i))
			race_copy(r, i, sparse[i]);
}

static void prepare_disarm(struct round *r)
{
	assert_ok(dev_arm(r->tracker, race_tracked(r), race_tracked_len(r)));
	memset(r->mirror, 0xff, sizeof(r->mirror));
	memset(r->changed, true, sizeof(r->changed));
}

static void run_disarm(void *arg)
{
	struct round *r = arg;

	r->result = dev_disarm(r->tracker, race_tracked(r), race_tracked_len(r));
}

static void note_told(struct round *r, const struct uffdwp_ring_entry *entry)
{
	uint64_t page = (entry->start - (uintptr_t)r->memory) / PAGE;
	uint32_t n;

	for (n = 0; n < entry->pages; n++, page++) {
		if (page >= RACE_PAGES)
			continue;
		if (entry->flags & UFFDWP_RING_WRITTEN)
			r->reported[page] = UFFDWP_PAGE_IS_WRITTEN;
		else
			r->told[page] = true;
	}
}

static void run_reset(void *arg)
{
	struct round *r = arg;
	struct uffdwp_ring_reset_arg reset = { 0 };
	struct uffdwp_ring_entry entry;

	memset(r->reported, 0, sizeof(r->reported));
	while (ring_next(&r->ring, &entry))
		note_told(r, &entry);
	reset.upto = r->ring.read;
	r->result = dev_ring_reset(r->tracker, &reset);
	r->ring.read = reset.tail;
	r->told_everything = reset.told;
}

static void copy_told(void *arg)
{
	struct round *r = arg;
	uint64_t reported[RACE_PAGES];
	size_t i;

	copy_reported(r);
	for (i = 0; i < RACE_PAGES && !r->result; i++) {
		if (!r->told[i] && !r->told_everything)
			continue;
		r->result = scan_range(r, race_page(r, i), PAGE, UFFDWP_SCAN_WP_MATCHING,
				       UFFDWP_PAGE_IS_WRITTEN, reported);
		if (reported[i] && can_be_copied(r, i))
			race_copy(r, i, reported[i]);
	}
}

const struct command race_commands[] = {
	{ "scan", true, prepare_scan, run_scan, copy_reported },
	{ "arm", false, prepare_arm, run_arm, copy_all },
	{ "part", true, prepare_scan, run_part, copy_reported },
	{ "disarm", false, prepare_disarm, run_disarm, NULL },
	{ "reset", true, prepare_scan, run_reset, copy_told },
};

const size_t race_commands_number = sizeof(race_commands) / sizeof(race_commands[0]);
