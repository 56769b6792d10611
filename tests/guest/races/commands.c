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
 */
#include <string.h>

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

int race_scan(const struct round *r, uint64_t *reported, bool reset)
{
	struct uffdwp_region vec[RACE_PAGES];
	struct uffdwp_scan_arg arg = scan_arg(r->memory, RACE_LEN, vec, RACE_PAGES);
	uint64_t addr;
	int n, i;

	memset(reported, 0, RACE_PAGES * sizeof(*reported));
	arg.flags = reset ? UFFDWP_SCAN_WP_MATCHING : 0;
	arg.return_mask |= UFFDWP_PAGE_IS_UNTRACKED;
	n = dev_scan(r->tracker, &arg);
	if (n < 0)
		return n;
	/* There is room for each page, so it does not end before the end. */
	if (arg.walk_end != arg.end)
		return -1;
	for (i = 0; i < n; i++)
		for (addr = vec[i].start; addr != vec[i].end; addr += PAGE)
			reported[(addr - arg.start) / PAGE] = vec[i].categories;
	return 0;
}

/* The event may have the part unmapped just now; it has to be reported in the end, anyway. */
static bool can_be_copied(const struct round *r, size_t page)
{
	return !(r->race->event->part_is_lost && in_part(page));
}

static void prepare_scan(struct round *r)
{
	size_t i;

	assert_ok(dev_arm(r->tracker, r->memory, RACE_LEN));
	for (i = 0; i < RACE_PAGES; i++)
		r->mirror[i] = race_sample(r, i);
}

static void run_scan(void *arg)
{
	struct round *r = arg;
	uint64_t reported[RACE_PAGES];
	size_t i;

	r->result = race_scan(r, reported, true);
	for (i = 0; i < RACE_PAGES; i++)
		r->reported[i] = reported[i] & UFFDWP_PAGE_IS_WRITTEN;
}

static void copy_reported(void *arg)
{
	struct round *r = arg;
	size_t i;

	for (i = 0; i < RACE_PAGES; i++)
		if (r->reported[i] && can_be_copied(r, i))
			r->mirror[i] = race_sample(r, i);
}

/* Half is armed again, half for the first time, with page tables to be made if it is empty. */
static void prepare_arm(struct round *r)
{
	assert_ok(dev_arm(r->tracker, r->memory, RACE_LEN / 2));
	memset(r->mirror, 0xff, sizeof(r->mirror));
}

static void run_arm(void *arg)
{
	struct round *r = arg;

	r->result = dev_arm(r->tracker, r->memory, RACE_LEN);
}

static void copy_all(void *arg)
{
	struct round *r = arg;
	size_t i;

	for (i = 0; i < RACE_PAGES; i++)
		if (can_be_copied(r, i))
			r->mirror[i] = race_sample(r, i);
}

const struct command race_commands[2] = {
	{ "scan", true, prepare_scan, run_scan, copy_reported },
	{ "arm", false, prepare_arm, run_arm, copy_all },
};
