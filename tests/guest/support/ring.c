// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "ring.h"

int dev_ring(int fd, uint32_t entries, uint32_t watermark, uint64_t *bytes)
{
	struct uffdwp_ring_arg arg = {
		.size = sizeof(arg), .entries = entries, .watermark = watermark,
	};
	int ret = dev_ioctl(fd, UFFDWP_IOC_RING, &arg);

	if (bytes)
		*bytes = arg.bytes;
	return ret;
}

int dev_ring_reset(int fd, struct uffdwp_ring_reset_arg *arg)
{
	arg->size = sizeof(*arg);
	return dev_ioctl(fd, UFFDWP_IOC_RING_RESET, arg);
}

struct tracer_ring ring_open(int fd, uint32_t entries, uint32_t watermark)
{
	struct tracer_ring ring = { .fd = fd };
	uint64_t bytes;

	assert_ok(dev_ring(fd, entries, watermark, &bytes));
	ring.header = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(ring.header, MAP_FAILED);
	assert_int_equal(ring.header->entries, entries);
	assert_true(ring_says_everything(&ring));
	return ring;
}

void ring_close(struct tracer_ring *ring)
{
	munmap((void *)ring->header, ring->header->first + 16ul * ring->header->entries);
	ring->header = NULL;
}

static const struct uffdwp_ring_entry *entry_at(const struct tracer_ring *ring, uint64_t number)
{
	const char *first = (const char *)ring->header + ring->header->first;

	return (const struct uffdwp_ring_entry *)first + number % ring->header->entries;
}

/* Flags come last, and are read first. */
static bool read_entry(const struct tracer_ring *ring, uint64_t number,
		       struct uffdwp_ring_entry *entry)
{
	const struct uffdwp_ring_entry *e = entry_at(ring, number);

	entry->flags = __atomic_load_n(&e->flags, __ATOMIC_ACQUIRE);
	if (!entry->flags)
		return false;
	entry->start = e->start;
	entry->pages = e->pages;
	return true;
}

bool ring_next(struct tracer_ring *ring, struct uffdwp_ring_entry *entry)
{
	if (ring->read - ring->header->tail == ring->header->entries ||
	    !read_entry(ring, ring->read, entry))
		return false;
	ring->read++;
	return true;
}

uint32_t ring_reset(struct tracer_ring *ring)
{
	struct uffdwp_ring_reset_arg arg = { .upto = ring->read };

	assert_ok(dev_ring_reset(ring->fd, &arg));
	assert_int_equal(arg.tail, ring->read);
	return arg.told;
}

void ring_settle(struct tracer_ring *ring)
{
	struct uffdwp_ring_entry entry;

	while (ring_next(ring, &entry))
		;
	ring_reset(ring);
}

uint64_t ring_pending(const struct tracer_ring *ring)
{
	return __atomic_load_n(&ring->header->head, __ATOMIC_ACQUIRE) - ring->header->tail;
}

bool ring_says_everything(const struct tracer_ring *ring)
{
	return __atomic_load_n(&ring->header->flags, __ATOMIC_ACQUIRE) & UFFDWP_RING_EVERYTHING;
}

bool ring_covers(const struct tracer_ring *ring, const void *page)
{
	uint64_t addr = (uintptr_t)page, number;
	struct uffdwp_ring_entry entry;

	if (ring_says_everything(ring))
		return true;
	for (number = ring->header->tail; number != ring->header->head; number++)
		if (read_entry(ring, number, &entry) && addr >= entry.start &&
		    (addr - entry.start) / PAGE < entry.pages)
			return true;
	return false;
}
