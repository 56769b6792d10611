// SPDX-License-Identifier: GPL-2.0-only
/*
 * This module, by scans; and what its other ways have of it.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"

int device = -1;

uint64_t device_features(void)
{
	struct uffdwp_hello_arg hello = { .size = sizeof(hello) };
	int fd = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDWP_IOC_HELLO, &hello))
		stop(UFFDWP_DEVICE);
	close(fd);
	return hello.features;
}

static bool always(void)
{
	return true;
}

void device_attach(uint32_t unpopulated)
{
	struct uffdwp_attach_arg arg = { .size = sizeof(arg), .unpopulated = unpopulated };
	struct uffdwp_register_arg reg = {
		.size = sizeof(reg), .start = (uintptr_t)memory, .len = len,
	};

	device = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0 || ioctl(device, UFFDWP_IOC_ATTACH, &arg) ||
	    ioctl(device, UFFDWP_IOC_REGISTER, &reg))
		stop(UFFDWP_DEVICE);
}

static void attach(void)
{
	device_attach(UFFDWP_UNPOP_ZERO);
}

void device_begin(void)
{
	struct uffdwp_arm_arg arm = {
		.size = sizeof(arm), .start = (uintptr_t)memory, .len = len,
	};

	if (ioctl(device, UFFDWP_IOC_ARM, &arm))
		stop("ARM");
}

size_t device_scan(bool reset, bool all)
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
		n = ioctl(device, UFFDWP_IOC_SCAN, &arg);
		if (n < 0)
			stop("SCAN");
		pages += pages_of(n);
	}
	return pages;
}

void device_detach(void)
{
	close(device);
}

const struct way way_device = {
	.name = "device",
	.title = "this module",
	.possible = always,
	.attach = attach,
	.begin = device_begin,
	.scan = device_scan,
	.detach = device_detach,
};
