// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program without a C library: tracks its own memory through the same structures. Exits
 * with 0, or with the number of the check that failed.
 */
#include "program32.h"
#include "uffdwp-async.h"

/* Laid out as in the 64-bit kernel, or none of this makes sense. */
_Static_assert(sizeof(struct uffdwp_hello_arg) == 104, "hello");
_Static_assert(sizeof(struct uffdwp_attach_arg) == 32, "attach");
_Static_assert(sizeof(struct uffdwp_register_arg) == 48, "register");
_Static_assert(sizeof(struct uffdwp_unregister_arg) == 48, "unregister");
_Static_assert(sizeof(struct uffdwp_arm_arg) == 56, "arm");
_Static_assert(sizeof(struct uffdwp_scan_arg) == 96, "scan");
_Static_assert(sizeof(struct uffdwp_stats_arg) == 184, "stats");
_Static_assert(sizeof(struct uffdwp_follow_arg) == 48, "follow");
_Static_assert(sizeof(struct uffdwp_events_arg) == 32, "events");
_Static_assert(sizeof(struct uffdwp_claim_arg) == 40, "claim");
_Static_assert(sizeof(struct uffdwp_event) == 80, "event");
_Static_assert(sizeof(struct uffdwp_disarm_arg) == 48, "disarm");
_Static_assert(sizeof(struct uffdwp_ring_arg) == 40, "ring");
_Static_assert(sizeof(struct uffdwp_ring_reset_arg) == 56, "reset of the ring");
_Static_assert(sizeof(struct uffdwp_ring_entry) == 16, "entry of a ring");
_Static_assert(sizeof(struct uffdwp_ring_header) == 32, "header of a ring");
_Static_assert(sizeof(struct uffdwp_region) == 24, "region");

static struct uffdwp_region vec[4];

static long scan(long fd, char *p, unsigned long long flags)
{
	struct uffdwp_scan_arg arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = (unsigned long)p,
		.end = (unsigned long)p + PAGES * PAGE,
		.vec = (unsigned long)vec,
		.vec_len = 4,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = UFFDWP_PAGE_IS_WRITTEN,
	};
	long ret = call(SYS_ioctl, fd, UFFDWP_IOC_SCAN, (long)&arg);

	return ret < 0 || arg.walk_end == arg.end ? ret : -1000;
}

void _start(void)
{
	struct uffdwp_hello_arg hello = { .size = sizeof(hello) };
	struct uffdwp_attach_arg attach = { .size = sizeof(attach) };
	struct uffdwp_register_arg reg = { .size = sizeof(reg) };
	struct uffdwp_arm_arg arm = { .size = sizeof(arm) };
	long fd = call(SYS_open, (long)UFFDWP_DEVICE, 2, 0);
	char *p = map(PAGES * PAGE);

	CHECK(1, fd >= 0);
	CHECK(2, (unsigned long)p < 0xfffff000ul);
	CHECK(3, !call(SYS_ioctl, fd, UFFDWP_IOC_HELLO, (long)&hello));
	CHECK(4, hello.abi_version == UFFDWP_ABI_VERSION && hello.page_size == PAGE);
	CHECK(5, hello.address_limit <= 0x100000000ull);
	CHECK(6, !call(SYS_ioctl, fd, UFFDWP_IOC_ATTACH, (long)&attach));
	reg.start = (unsigned long)p;
	reg.len = PAGES * PAGE;
	CHECK(7, !call(SYS_ioctl, fd, UFFDWP_IOC_REGISTER, (long)&reg));
	arm.start = reg.start;
	arm.len = reg.len;
	CHECK(8, !call(SYS_ioctl, fd, UFFDWP_IOC_ARM, (long)&arm));
	CHECK(9, arm.armed == PAGES);
	CHECK(10, scan(fd, p, 0) == 0);
	p[3 * PAGE] = 1;
	p[7 * PAGE] = 1;
	CHECK(11, scan(fd, p, UFFDWP_SCAN_WP_MATCHING) == 2);
	CHECK(12, vec[0].start == (unsigned long)p + 3 * PAGE && vec[0].end == vec[0].start + PAGE);
	CHECK(13, vec[1].start == (unsigned long)p + 7 * PAGE);
	CHECK(14, scan(fd, p, 0) == 0);
	/* Above the 4 GiB of this caller. */
	arm.start = 0x200000000ull;
	CHECK(15, call(SYS_ioctl, fd, UFFDWP_IOC_ARM, (long)&arm) < 0);
	stop(0);
}
