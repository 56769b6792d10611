// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program without a C library: tracks its own memory through userfaultfd and PAGEMAP_SCAN.
 * Exits with 0, or with the number of the check that failed.
 */
#include "program32.h"

#define NUMBER(direction, size, type, n) ((direction) << 30 | (size) << 16 | (type) << 8 | (n))
#define API_COMMAND		NUMBER(3u, 24u, 0xAAu, 0x3Fu)
#define REGISTER_COMMAND	NUMBER(3u, 32u, 0xAAu, 0x00u)
#define PROTECT_COMMAND		NUMBER(3u, 24u, 0xAAu, 0x06u)
#define SCAN_COMMAND		NUMBER(3u, 96u, (unsigned int)'f', 16u)

#define WP_UNPOPULATED	(1ull << 13)
#define WP_ASYNC	(1ull << 15)
#define WRITTEN		(1ull << 1)

typedef unsigned long long u64;

struct region {
	u64 start, end, categories;
};

struct scan {
	u64 size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, ret;
};

_Static_assert(sizeof(struct scan) == 96, "as in the 64-bit kernel");

static struct region vec[4];

static long scan(long pagemap, char *p, u64 flags)
{
	struct scan arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = (unsigned long)p,
		.end = (unsigned long)p + PAGES * PAGE,
		.vec = (unsigned long)vec,
		.vec_len = 4,
		.mask = WRITTEN,
		.ret = WRITTEN,
	};
	long n = call(SYS_ioctl, pagemap, SCAN_COMMAND, (long)&arg);

	return n < 0 || arg.walk_end == arg.end ? n : -1000;
}

void _start(void)
{
	struct { u64 api, features, ioctls; } api = { 0xAA, WP_ASYNC, 0 };
	struct { u64 start, len, mode, ioctls; } reg = { 0, PAGES * PAGE, 2, 0 };
	struct { u64 start, len, mode; } protect = { 0, PAGES * PAGE, 1 };
	long uffd = call(SYS_userfaultfd, 02000000, 0, 0);
	long pagemap = call(SYS_open, (long)"/proc/self/pagemap", 0, 0);
	char *p = map(PAGES * PAGE);

	CHECK(1, uffd >= 0);
	CHECK(2, pagemap >= 0);
	CHECK(3, (unsigned long)p < 0xfffff000ul);
	CHECK(4, !call(SYS_ioctl, uffd, API_COMMAND, (long)&api));
	CHECK(5, (api.features & (WP_ASYNC | WP_UNPOPULATED)) == (WP_ASYNC | WP_UNPOPULATED));
	p[0] = 1;
	reg.start = protect.start = (unsigned long)p;
	CHECK(6, !call(SYS_ioctl, uffd, REGISTER_COMMAND, (long)&reg));
	CHECK(7, !call(SYS_ioctl, uffd, PROTECT_COMMAND, (long)&protect));
	CHECK(8, scan(pagemap, p, 3) == 0);
	p[3 * PAGE] = 1;
	p[7 * PAGE] = 1;
	CHECK(9, scan(pagemap, p, 3) == 2);
	CHECK(10, vec[0].start == (unsigned long)p + 3 * PAGE && vec[0].end == vec[0].start + PAGE);
	CHECK(11, vec[1].start == (unsigned long)p + 7 * PAGE && vec[1].categories == WRITTEN);
	CHECK(12, scan(pagemap, p, 0) == 0);
	p[0] = 2;
	CHECK(13, scan(pagemap, p, 0) == 1);
	stop(0);
}
