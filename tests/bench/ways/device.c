// SPDX-License-Identifier: GPL-2.0-only
/*
 * This module.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "way.h"

static int fd = -1;

static bool always(void)
{
	return true;
}

static void attach(void)
{
	struct uffdwp_attach_arg arg = { .size = sizeof(arg) };
	struct uffdwp_register_arg reg = {
		.size = sizeof(reg), .start = (uintptr_t)memory, .len = len,
	};

	fd = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, UFFDWP_IOC_ATTACH, &arg) || ioctl(fd, UFFDWP_IOC_REGISTER, &reg))
		stop(UFFDWP_DEVICE);
}

static void begin(void)
{
	struct uffdwp_arm_arg arm = {
		.size = sizeof(arm), .start = (uintptr_t)memory, .len = len,
	};

	if (ioctl(fd, UFFDWP_IOC_ARM, &arm))
		stop("ARM");
}

static size_t scan(bool reset, bool all)
{
	struct uffdwp_scan_arg arg = {
		.size = sizeof(arg),
		.flags = reset ? UFFDWP_SCAN_WP_MATCHING : 0,
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + len,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.category_mask = all ? 0 : UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = all ? UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PRESENT |
				     UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_FILE |
				     UFFDWP_PAGE_IS_PFNZERO | UFFDWP_PAGE_IS_HUGE :
				     UFFDWP_PAGE_IS_WRITTEN,
	};
	size_t pages = 0;
	int n;

	/* There may be more regions than it has room for. */
	for (; arg.start != arg.end; arg.start = arg.walk_end) {
		n = ioctl(fd, UFFDWP_IOC_SCAN, &arg);
		if (n < 0)
			stop("SCAN");
		pages += pages_of(n);
	}
	return pages;
}

static void detach(void)
{
	close(fd);
}

const struct way way_device = {
	.name = "device",
	.title = "this module",
	.possible = always,
	.attach = attach,
	.begin = begin,
	.scan = scan,
	.detach = detach,
};
