// SPDX-License-Identifier: GPL-2.0-only
/*
 * WP_ASYNC and PAGEMAP_SCAN of Linux 6.7.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "way.h"

#define PAGE_IS_WRITTEN		(1ull << 1)
#define PM_SCAN_WP_MATCHING	(1ull << 0)

struct pm_scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN		_IOWR('f', 16, struct pm_scan)

static int fd = -1;

static bool possible(void)
{
	int uffd = uffd_with(UFFD_WP_ASYNC | UFFD_WP_UNPOPULATED);

	close(uffd);
	return uffd >= 0;
}

static void attach(void)
{
	fd = uffd_attach(UFFD_WP_ASYNC | UFFD_WP_UNPOPULATED);
}

static void begin(void)
{
	uffd_protect(fd);
}

static size_t scan(bool reset, bool all)
{
	struct pm_scan arg = {
		.size = sizeof(arg),
		.flags = reset ? PM_SCAN_WP_MATCHING : 0,
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + len,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.category_mask = all ? 0 : PAGE_IS_WRITTEN,
		.return_mask = all ? 0x7e : PAGE_IS_WRITTEN,
	};
	size_t pages = 0;
	int n;

	/* It may stop before the end, which is no error. */
	for (; arg.start != arg.end; arg.start = arg.walk_end) {
		n = ioctl(pagemap, PAGEMAP_SCAN, &arg);
		if (n < 0)
			stop("PAGEMAP_SCAN");
		pages += pages_of(n);
	}
	return pages;
}

static void detach(void)
{
	close(fd);
}

const struct way way_native = {
	.name = "native",
	.title = "WP_ASYNC, PAGEMAP_SCAN",
	.possible = possible,
	.attach = attach,
	.begin = begin,
	.scan = scan,
	.detach = detach,
};
