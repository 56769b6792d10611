/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of a tracker, as a tracer reads it.
 */
#ifndef GUEST_RING_H
#define GUEST_RING_H

#include "support.h"

struct tracer_ring {
	int fd;				/* of the tracker */
	const struct uffdwp_ring_header *header;	/* NULL: none */
	uint64_t read;			/* entries before this one were read */
};

/* 0 or -errno */
int dev_ring(int fd, uint32_t entries, uint32_t watermark, uint64_t *bytes);
int dev_ring_reset(int fd, struct uffdwp_ring_reset_arg *arg);

/* Made and mapped, or a failed test. EVERYTHING is set. */
struct tracer_ring ring_open(int fd, uint32_t entries, uint32_t watermark);
void ring_close(struct tracer_ring *ring);
/* The next entry that was not read. */
bool ring_next(struct tracer_ring *ring, struct uffdwp_ring_entry *entry);
/* All that was read is armed again; returns UFFDWP_RING_EVERYTHING, or 0. */
uint32_t ring_reset(struct tracer_ring *ring);
/* All that is there is read and reset, and nothing is left to be scanned. */
void ring_settle(struct tracer_ring *ring);
/* Entries that were not reset, and may not have been read. */
uint64_t ring_pending(const struct tracer_ring *ring);
bool ring_says_everything(const struct tracer_ring *ring);
/* Is this page in an entry that was not reset, or EVERYTHING is set? */
bool ring_covers(const struct tracer_ring *ring, const void *page);

#endif /* GUEST_RING_H */
