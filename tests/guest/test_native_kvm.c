// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of virtual machines, tracked by the interfaces of Linux 6.7.
 *
 *	test_native_kvm [SEED [COUNT [SECONDS [TEST]]]]
 */
#include <string.h>
#include <sys/mman.h>

#include "kvm/cases.h"
#include "native.h"
#include "unserved.h"

static int uffd, pagemap;

static void begin(uint64_t kind, enum way way, char *start, size_t len)
{
	assert_int_equal(way, WAY_PLAIN);
	if (kind != UFFDWP_KIND_ANON_PRIVATE)
		needs_memory_of_files();
	uffd = async_uffd_of(start, len);
	pagemap = open_pagemap(0);
	assert_true(pagemap >= 0);
}

static int scan(const char *start, const char *end, bool reset, struct written_region *vec,
		size_t n, const char **next)
{
	struct scan arg = written_pages(start, end - start, (void *)vec, n);
	int ret;

	arg.flags = CHECK_WPASYNC | (reset ? WP_MATCHING : 0);
	ret = scan_pages(pagemap, &arg);
	*next = (const char *)(uintptr_t)arg.walk_end;
	return ret;
}

static void end(void)
{
	close(pagemap);
	close(uffd);
}

int main(int argc, char **argv)
{
	const struct tracking native = {
		.begin = begin, .scan = scan, .end = end,
		.spares_machine = kernel_is_before(6, 7),
	};
	struct stress stress = { .count = 5000, .seconds = 5 };
	const struct CMUnitTest *tests;
	size_t n;

	stress_arguments(&stress, argc, argv);
	tests = kvm_tests(&native, &stress, &n);
	return run_native("native_kvm", tests, n);
}
