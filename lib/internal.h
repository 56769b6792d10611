/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UFFDWP_INTERNAL_H
#define UFFDWP_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "uffdwp.h"

/* What was tried when an error came: explain.c. */
enum uffdwp_step {
	UFFDWP_STEP_NONE,
	UFFDWP_STEP_OPTIONS,		/* what the caller of uffdwp_open() has asked for */
	UFFDWP_STEP_DEVICE,		/* to open the device, and to agree on a version */
	UFFDWP_STEP_ATTACH,		/* to attach it to the process */
	UFFDWP_STEP_PAGEMAP,		/* to open the process's pagemap, and to scan with it */
	UFFDWP_STEP_USERFAULTFD,	/* to get a userfaultfd that will do */
	UFFDWP_STEP_TRACK,
	UFFDWP_STEP_FOLLOW,
	UFFDWP_STEP_UNTRACK,
	UFFDWP_STEP_ARM,
	UFFDWP_STEP_DISARM,
	UFFDWP_STEP_SCAN,
	UFFDWP_STEP_STATS,
	UFFDWP_STEP_RING,
	UFFDWP_STEP_EVENTS,		/* to be told of events */
	UFFDWP_STEP_EVENT,		/* to get one, and the tracker that it names */
};

/* Remembers, for uffdwp_explain(), where an error of this thread came from. Returns @err. */
int uffdwp_failed(enum uffdwp_step step, int err);

/* A pidfd of the process that a number means, its own or one of its threads'; or an error. */
int uffdwp_pidfd_of(pid_t pid);

/**
 * struct uffdwp_no - why a back end does not open
 * @step: what was tried
 * @cannot: it cannot serve this request; another one may
 */
struct uffdwp_no {
	enum uffdwp_step step;
	bool cannot;
};

/**
 * struct uffdwp_backend_ops - one way to do the work
 * @name: for people
 * @id: for uffdwp_open_opts.backend
 * @open: as uffdwp_open(), with options of full size; says why not
 * @query: fills in kinds, features and abi_version, if it is there; as uffdwp_query()
 * @close: frees what open() has put into the tracker
 *
 * @follow is NULL where nothing is followed, @ring and @ring_reset are where there are no rings,
 * @events and @claim where there are no events. @claim returns a file descriptor.
 *
 * The others are what their names say; @scan returns the number of regions and sets walk_end. An
 * end of UFFDWP_EVERYTHING is that of the address space, and walk_end says so, too.
 */
struct uffdwp_backend_ops {
	const char *name;
	enum uffdwp_backend id;
	int (*open)(struct uffdwp *tracker, pid_t pid, const struct uffdwp_open_opts *opts,
		    struct uffdwp_no *no);
	int (*query)(struct uffdwp_info *info, struct uffdwp_no *no);
	void (*close)(struct uffdwp *tracker);
	int (*do_register)(struct uffdwp *tracker, uint64_t start, uint64_t len, uint64_t *fail_at);
	int (*do_unregister)(struct uffdwp *tracker, uint64_t start, uint64_t len);
	int (*follow)(struct uffdwp *tracker, const struct uffdwp_follow_opts *opts);
	int (*arm)(struct uffdwp *tracker, uint64_t start, uint64_t len);
	int (*disarm)(struct uffdwp *tracker, uint64_t start, uint64_t len);
	int (*scan)(struct uffdwp *tracker, struct uffdwp_scan_arg *arg);
	int (*stats)(struct uffdwp *tracker, struct uffdwp_stats_arg *stats);
	int (*ring)(struct uffdwp *tracker, uint32_t entries, uint32_t watermark, size_t *bytes);
	int (*ring_reset)(struct uffdwp *tracker, uint64_t upto, uint32_t *told);
	int (*events)(struct uffdwp *tracker, uint64_t flags, uint32_t capacity);
	int (*claim)(const struct uffdwp *tracker, uint64_t id);
};

extern const struct uffdwp_backend_ops uffdwp_module_backend;
extern const struct uffdwp_backend_ops uffdwp_kernel_backend;

/* One more than the last enum uffdwp_backend. */
#define UFFDWP_BACKENDS 3

/* Above every address, and aligned as one. */
#define UFFDWP_EVERYTHING	(UINT64_MAX & ~4095ull)

/* Ascending, and neither overlapping nor touching: ranges.c */
struct uffdwp_ranges {
	struct uffdwp_range {
		uint64_t start;
		uint64_t end;
	} *range;
	size_t n;
	size_t room;
};

/* Room for one more add() or remove(), which then cannot fail: 0 or -ENOMEM. */
int uffdwp_ranges_reserve(struct uffdwp_ranges *ranges);
void uffdwp_ranges_add(struct uffdwp_ranges *ranges, uint64_t start, uint64_t end);
void uffdwp_ranges_remove(struct uffdwp_ranges *ranges, uint64_t start, uint64_t end);
/* The first that ends above an address, or NULL. */
const struct uffdwp_range *uffdwp_ranges_from(const struct uffdwp_ranges *ranges, uint64_t start);

/* What was read and not returned yet: events.c */
struct uffdwp_events;

void uffdwp_events_free(struct uffdwp_events *events);

/**
 * struct uffdwp - a tracker
 * @ops: back end
 * @passed_over: why each other back end does not serve this request: a negative errno
 * @sparse: with UFFDWP_UNPOP_SPARSE: a scan that resets always tells what is sparse
 * @fd: the device, or the userfaultfd
 * @events: NULL until they are opened, which two threads may try at once
 * @limit: which of the ends that an address space may have it is; only the module has it
 * @pagemap: of the process; only the kernel as back end has it, and what follows
 * @lock: of @raw and @tracked
 * @raw: regions between the kernel and the caller
 * @tracked: what was registered by this tracker, as far as it was not unregistered
 */
struct uffdwp {
	const struct uffdwp_backend_ops *ops;
	int passed_over[UFFDWP_BACKENDS];
	bool sparse;
	int fd;
	struct uffdwp_events *_Atomic events;
	_Atomic unsigned int limit;
	int pagemap;
	pthread_mutex_t lock;
	struct uffdwp_region *raw;
	struct uffdwp_ranges tracked;
};

/*
 * The caller's options in a structure of full size: what it does not know is 0. A structure that is
 * longer than ours must be 0 there, since we would leave it undone.
 */
static inline int uffdwp_copy_opts(void *to, size_t known, const void *from)
{
	size_t size, i;

	memset(to, 0, known);
	if (!from)
		return 0;
	memcpy(&size, from, sizeof(size));
	if (size < sizeof(size))
		return -1;
	for (i = known; i < size; i++)
		if (((const unsigned char *)from)[i])
			return -1;
	memcpy(to, from, size < known ? size : known);
	return 0;
}

#endif /* UFFDWP_INTERNAL_H */
