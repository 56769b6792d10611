// SPDX-License-Identifier: GPL-2.0-only
/*
 * All ways, in the order of the table, and what several of them need.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "way.h"

char *memory;
size_t len;
struct uffdwp_region regions[REGIONS];
uintptr_t *noted;
volatile size_t notes;
int pagemap = -1;

size_t pages_of(int n)
{
	size_t pages = 0;
	int i;

	for (i = 0; i < n; i++)
		pages += (regions[i].end - regions[i].start) / PAGE;
	return pages;
}

int uffd_with(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	/* Without O_NONBLOCK poll() returns POLLERR. */
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd >= 0 && ioctl(uffd, UFFDIO_API, &api)) {
		close(uffd);
		uffd = -1;
	}
	return uffd;
}

int uffd_attach(uint64_t features)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)memory, len }, .mode = UFFDIO_REGISTER_MODE_WP,
	};
	int uffd = uffd_with(features);

	if (uffd < 0 || ioctl(uffd, UFFDIO_REGISTER, &reg))
		stop("userfaultfd");
	return uffd;
}

void uffd_protect(int uffd)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)memory, len }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	if (ioctl(uffd, UFFDIO_WRITEPROTECT, &wp))
		stop("UFFDIO_WRITEPROTECT");
}

const struct way *const ways[] = {
	&way_device,
	&way_sparse,
	&way_ring,
	&way_native,
	&way_soft_dirty,
	&way_sync,
	&way_sigsegv,
};

const size_t n_ways = sizeof(ways) / sizeof(ways[0]);
