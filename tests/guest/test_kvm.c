// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of virtual machines: a guest writes by page tables of its own, and KVM for it.
 *
 *	test_kvm [SEED [COUNT [SECONDS [TEST]]]]
 */
#include <string.h>
#include <sys/mman.h>

#include "kvm/cases.h"
#include "ring.h"
#include "unserved.h"

static int tracker;
static struct tracer_ring ring;

static int attach(enum way way)
{
	switch (way) {
	case WAY_SPARSE:
		return dev_attach(tracker, 0, 0, 0, UFFDWP_UNPOP_SPARSE);
	case WAY_WHOLE_HUGE:
		return dev_attach_granule(tracker, UFFDWP_ATTACH_WHOLE_HUGE, 0);
	case WAY_GRANULE:
		return dev_attach_granule(tracker, 0, UFFDWP_GRANULE_MIN);
	default:
		return dev_attach_self(tracker);
	}
}

static void begin(uint64_t kind, enum way way, char *start, size_t len)
{
	needs_kind(kind, start, len);
	/* A test that has failed leaves it. */
	ring.header = NULL;
	tracker = dev_open();
	assert_true(tracker >= 0);
	assert_ok(attach(way));
	assert_ok(dev_register(tracker, start, len));
	if (way == WAY_RING)
		ring = ring_open(tracker, 4096, 1);
	assert_ok(dev_arm(tracker, start, len));
	if (way == WAY_RING)
		ring_settle(&ring);
	/* Something else may be in the first and in the last page table. */
	if (way == WAY_SPARSE)
		assert_in_range(dev_stats(tracker).sparse_armed, len / PAGE - 1024, len / PAGE);
}

static void must_be_told(const struct uffdwp_region *region)
{
	uint64_t page;

	for (page = region->start; page != region->end; page += PAGE)
		if (!ring_covers(&ring, (const void *)(uintptr_t)page))
			fail_msg("A WRITE WAS MISSED by the ring");
}

static int scan(const char *start, const char *end, bool reset, struct written_region *vec,
		size_t n, const char **next)
{
	struct uffdwp_scan_arg arg = scan_arg(start, end - start, (void *)vec, n);
	int ret, i;

	arg.flags = UFFDWP_SCAN_CHECK_TRACKED | (reset ? UFFDWP_SCAN_WP_MATCHING : 0);
	ret = dev_scan(tracker, &arg);
	for (i = 0; i < ret && ring.header; i++)
		must_be_told((const struct uffdwp_region *)&vec[i]);
	*next = (const char *)(uintptr_t)arg.walk_end;
	return ret;
}

static void end(void)
{
	if (ring.header)
		ring_close(&ring);
	close(tracker);
}

int main(int argc, char **argv)
{
	const struct tracking device = {
		.begin = begin, .scan = scan, .end = end, .sees_pins = true,
		.spares_machine = true, .has_ways = true,
	};
	struct stress stress = { .count = 5000, .seconds = 5 };
	const struct CMUnitTest *tests;
	size_t n;

	stress_arguments(&stress, argc, argv);
	tests = kvm_tests(&device, &stress, &n);
	return _cmocka_run_group_tests("kvm", tests, n, NULL, NULL);
}
