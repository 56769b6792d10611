// SPDX-License-Identifier: GPL-2.0-only
/*
 * This module, by its ring: what was written is read there, and not looked for.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "device.h"

/* As many as a GiB has pages */
#define ENTRIES (1u << 18)

static const struct uffdwp_ring_header *ring;
static size_t bytes;

static bool possible(void)
{
	return device_features() & UFFDWP_FEATURE_RING;
}

static void attach(void)
{
	struct uffdwp_ring_arg arg = {
		.size = sizeof(arg), .entries = ENTRIES, .watermark = ENTRIES,
	};

	device_attach(UFFDWP_UNPOP_ZERO);
	if (ioctl(device, UFFDWP_IOC_RING, &arg))
		stop("RING");
	bytes = arg.bytes;
	/* Its page tables are not the harvest's to make. */
	ring = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, device, 0);
	if (ring == MAP_FAILED)
		stop("mmap of the ring");
}

static size_t scan(bool reset, bool all)
{
	const struct uffdwp_ring_entry *entries = (void *)((char *)ring + ring->first), *e;
	struct uffdwp_ring_reset_arg arg = { .size = sizeof(arg), .upto = ring->tail };
	size_t pages = 0;

	(void)all;
	for (; arg.upto - ring->tail != ENTRIES; arg.upto++) {
		e = &entries[arg.upto % ENTRIES];
		if (!__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE))
			break;
		pages += e->pages;
	}
	if (reset && arg.upto != ring->tail && ioctl(device, UFFDWP_IOC_RING_RESET, &arg))
		stop("RING_RESET");
	return pages;
}

static void begin(void)
{
	device_begin();
	scan(true, false);
}

/* With a watermark that nothing reaches, it says whether EVERYTHING is set, and costs the same. */
static bool idle(void)
{
	struct pollfd p = { .fd = device, .events = POLLIN };

	if (poll(&p, 1, 0) < 0)
		stop("poll");
	return !p.revents && ring->head == ring->tail;
}

static void detach(void)
{
	munmap((void *)ring, bytes);
	device_detach();
}

const struct way way_ring = {
	.name = "ring",
	.title = "this module, ring",
	.possible = possible,
	.attach = attach,
	.begin = begin,
	.scan = scan,
	.idle = idle,
	.detach = detach,
};
