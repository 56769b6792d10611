// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracer who does as the header says, beside those who do not: what the target writes because he
 * has asked for it, his next scan reports.
 */
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "hostile.h"

int honest_begin(pid_t target)
{
	int tracker = dev_open();

	assert_true(tracker >= 0);
	assert_ok(dev_attach_pid(tracker, target));
	assert_ok(dev_register(tracker, HONEST, HONEST_PAGES * PAGE));
	assert_ok(dev_arm(tracker, HONEST, HONEST_PAGES * PAGE));
	return tracker;
}

static uint64_t reported(int tracker)
{
	struct uffdwp_region vec[HONEST_PAGES];
	struct uffdwp_scan_arg arg = scan_arg(HONEST, HONEST_PAGES * PAGE, vec, HONEST_PAGES);
	uint64_t bits = 0, addr;
	int i, n;

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	n = dev_scan(tracker, &arg);
	assert_true(n >= 0);
	assert_int_equal(arg.walk_end, (uintptr_t)HONEST + HONEST_PAGES * PAGE);
	for (i = 0; i < n; i++)
		for (addr = vec[i].start; addr < vec[i].end; addr += PAGE)
			bits |= 1ull << (addr - (uintptr_t)HONEST) / PAGE;
	return bits;
}

uint64_t honest_look(int tracker, uint64_t *chance)
{
	world->asked = next_random(chance);
	world->question++;
	wait_for(world->answer == world->question);
	return world->asked & ~reported(tracker);
}
