// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of virtual machines: a guest writes by page tables of its own, and KVM for it.
 *
 *	test_kvm [SEED [COUNT [SECONDS [TEST]]]]
 */
#include <string.h>
#include <sys/mman.h>

#include "kvm/cases.h"
#include "unserved.h"

static int tracker;

static void begin(uint64_t kind, char *start, size_t len)
{
	needs_kind(kind, start, len);
	tracker = tracker_of(start, len);
}

static int scan(const char *start, const char *end, bool reset, struct written_region *vec,
		size_t n, const char **next)
{
	struct uffdwp_scan_arg arg = scan_arg(start, end - start, (void *)vec, n);
	int ret;

	arg.flags = UFFDWP_SCAN_CHECK_TRACKED | (reset ? UFFDWP_SCAN_WP_MATCHING : 0);
	ret = dev_scan(tracker, &arg);
	*next = (const char *)(uintptr_t)arg.walk_end;
	return ret;
}

static void end(void)
{
	close(tracker);
}

int main(int argc, char **argv)
{
	const struct tracking device = {
		.begin = begin, .scan = scan, .end = end, .sees_pins = true,
		.spares_machine = true,
	};
	struct stress stress = { .count = 5000, .seconds = 5 };
	const struct CMUnitTest *tests;
	size_t n;

	stress_arguments(&stress, argc, argv);
	tests = kvm_tests(&device, &stress, &n);
	return _cmocka_run_group_tests("kvm", tests, n, NULL, NULL);
}
