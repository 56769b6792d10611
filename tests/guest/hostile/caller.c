// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process whose threads call whatever there is, with whatever arguments, on the same few
 * descriptors: on trackers of the target, of victims, of one another and of themselves.
 *
 * It never writes to its own ARENA: that may be registered for faults that nobody resolves.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile.h"
#include "madvise.h"
#include "native.h"

#define SLOTS 6

/* Threads take them from each other while they are used. */
static atomic_int trackers[SLOTS], uffds[2];
static atomic_uint_least64_t last_id;
static int caller;

struct caller_thread {
	pthread_t thread;
	int number;
	uint64_t chance;
	struct places places;
};

static int result(long ret)
{
	return ret < 0 ? errno : 0;
}

static int some_pidfd(uint64_t *chance)
{
	const pid_t pids[] = {
		world->target, world->target, world->victim, world->victim,
		world->callers[below(chance, CALLERS)],
	};

	return syscall(SYS_pidfd_open, pids[below(chance, 5)], 0);
}

/* As by chance it would seldom become: whole, and with all that can be had. */
static void make_ready(int fd, uint64_t *chance)
{
	const bool sparse = one_in(chance, 3);
	const int pidfd = some_pidfd(chance);
	struct uffdwp_events_arg events = {
		.size = sizeof(events), .capacity = 1024, .event_size = sizeof(struct uffdwp_event),
	};
	struct uffdwp_follow_arg follow = {
		.size = sizeof(follow), .flags = UFFDWP_FOLLOW_FORK | UFFDWP_FOLLOW_EXEC,
	};
	struct uffdwp_ring_arg ring = { .size = sizeof(ring), .entries = 4096, .watermark = 64 };

	if (!dev_attach(fd, UFFDWP_ATTACH_PIDFD, pidfd, 0,
			sparse ? UFFDWP_UNPOP_SPARSE : UFFDWP_UNPOP_ZERO)) {
		ioctl(fd, UFFDWP_IOC_EVENTS, &events);
		if (!sparse)
			ioctl(fd, UFFDWP_IOC_RING, &ring);
		if (one_in(chance, 2))
			ioctl(fd, UFFDWP_IOC_FOLLOW, &follow);
		else
			dev_register(fd, ARENA, ARENA_PAGES * PAGE);
		dev_arm(fd, ARENA, ARENA_PAGES * PAGE);
	}
	close(pidfd);
}

static int open_one(atomic_int *slot, uint64_t *chance)
{
	const int fd = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK), err = result(fd);
	int before;

	if (!err && !one_in(chance, 4))
		make_ready(fd, chance);
	before = atomic_exchange(slot, fd);
	if (before > 0)
		close(before);
	return err;
}

/* Where a ring has come to. */
static uint64_t head_of(int fd)
{
	struct uffdwp_ring_header *header = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	uint64_t head;

	if (header == MAP_FAILED)
		return 0;
	head = ((volatile struct uffdwp_ring_header *)header)->head;
	munmap(header, PAGE);
	return head;
}

static int map_ring(int fd, uint64_t *chance)
{
	const size_t len = (1 + below(chance, 64)) * PAGE;
	char *p = mmap(NULL, len, one_in(chance, 8) ? PROT_READ | PROT_WRITE : PROT_READ,
		       one_in(chance, 8) ? MAP_PRIVATE : MAP_SHARED, fd,
		       one_in(chance, 8) ? PAGE : 0);
	const int err = p == MAP_FAILED ? errno : 0;
	uint64_t sum = 0;
	size_t i;

	if (err)
		return err;
	for (i = 0; i < len; i += PAGE)
		sum += ((volatile char *)p)[i];
	mprotect(p, len, sum % 2 ? PROT_NONE : PROT_READ | PROT_WRITE);
	mremap(p, len, 2 * len, 0);
	munmap(p, len);
	return 0;
}

static int read_events(int fd, struct caller_thread *t)
{
	struct uffdwp_event *events = (void *)t->places.vec;
	ssize_t n = read(fd, events, 1 + below(&t->chance, 64 * sizeof(*events))), i;

	for (i = 0; i < n / (ssize_t)sizeof(*events); i++)
		if (events[i].id)
			last_id = events[i].id;
	return result(n);
}

/* Nobody reads events, so nothing may wait for that. */
static const uint64_t waits_for_its_reader = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP |
					     UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP;

/* A userfaultfd of its own, and calls on it: another user of the same feature. */
static int call_userfaultfd(uint64_t *chance)
{
	static const unsigned long calls[] = {
		UFFDIO_REGISTER, UFFDIO_UNREGISTER, UFFDIO_WAKE, UFFDIO_COPY, UFFDIO_ZEROPAGE,
		UFFDIO_WRITEPROTECT, UFFDIO_CONTINUE,
	};
	atomic_int *slot = &uffds[below(chance, 2)];
	struct uffdio_api api = { .api = UFFD_API };
	const uint64_t first = below(chance, ARENA_PAGES);
	const uint64_t start = (uintptr_t)ARENA + first * PAGE;
	const uint64_t len = (1 + below(chance, ARENA_PAGES - first)) * PAGE;
	uint64_t arg[8] = { start, len, 1 + below(chance, 7) };
	unsigned long call = calls[below(chance, 7)];
	int fd;

	if (one_in(chance, 20)) {
		fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
		if (one_in(chance, 4))
			api.features = next_random(chance) & 0x1ffff & ~waits_for_its_reader;
		ioctl(fd, UFFDIO_API, &api);
		fd = atomic_exchange(slot, fd);
		if (fd > 0)
			close(fd);
		return 0;
	}
	if (call == UFFDIO_COPY) {
		arg[1] = start;
		arg[2] = len;
		arg[3] = one_in(chance, 2) ? UFFDIO_COPY_MODE_WP : 0;
	}
	return result(ioctl(*slot, call, arg));
}

static int scan_pagemap(struct caller_thread *t)
{
	struct scan arg = {
		.size = sizeof(arg),
		.flags = next_random(&t->chance) % 4,
		.start = (uintptr_t)ARENA,
		.end = (uintptr_t)ARENA + ARENA_PAGES * PAGE,
		.vec = (uintptr_t)t->places.vec,
		.vec_len = 100,
		.category_mask = IS_WRITTEN,
		.return_mask = IS_WRITTEN,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), err;

	err = result(ioctl(fd, SCAN_COMMAND, &arg));
	close(fd);
	return err;
}

static int advise(uint64_t *chance)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLLAPSE,
	};
	const uint64_t first = below(chance, ARENA_PAGES);

	if (one_in(chance, 30)) {
		mmap(ARENA, ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return 0;
	}
	return result(madvise(ARENA + first * PAGE,
			      (1 + below(chance, ARENA_PAGES - first)) * PAGE,
			      advice[below(chance, 4)]));
}

static int call_device(int fd, enum command command, struct caller_thread *t)
{
	struct known known = { .uffd = uffds[below(&t->chance, 2)], .id = last_id };
	struct request r;
	int err;

	if (command == ATTACH)
		known.pidfd = some_pidfd(&t->chance);
	if (command == RING_RESET)
		known.upto = head_of(fd);
	make_request(&r, command, &known, &t->places, &t->chance);
	err = result(ioctl(fd, r.number, r.arg));
	if (command == ATTACH)
		close(known.pidfd);
	/* The tracker that was claimed takes the place of another. */
	if (!err && command == CLAIM && r.arg == t->places.args) {
		fd = ((struct uffdwp_claim_arg *)r.arg)->fd;
		fd = atomic_exchange(&trackers[below(&t->chance, SLOTS)], fd);
		if (fd > 0)
			close(fd);
	}
	return err;
}

static int call(enum command command, struct caller_thread *t)
{
	atomic_int *slot = &trackers[below(&t->chance, SLOTS)];
	struct pollfd p = { .fd = *slot, .events = POLLIN };

	switch (command) {
	case OPEN:
		return open_one(slot, &t->chance);
	case CLOSE:
		return one_in(&t->chance, 2) ? result(close(atomic_exchange(slot, -1))) :
					       open_one(slot, &t->chance);
	case READ:
		return read_events(*slot, t);
	case POLL:
		return result(poll(&p, 1, below(&t->chance, 3)));
	case MMAP:
		return map_ring(*slot, &t->chance);
	case USERFAULTFD:
		return call_userfaultfd(&t->chance);
	case PAGEMAP_SCAN:
		return scan_pagemap(t);
	case ADVISE:
		return advise(&t->chance);
	default:
		return call_device(*slot, command, t);
	}
}

static enum command choose(uint64_t *chance)
{
	static const enum command often[] = {
		ATTACH, REGISTER, ARM, SCAN, SCAN, FOLLOW, EVENTS, READ,
	};

	if (one_in(chance, 3))
		return often[below(chance, 8)];
	/* Seldom, so that a tracker has a life. */
	if (one_in(chance, 12))
		return one_in(chance, 6) ? CLOSE : OPEN;
	return HELLO + below(chance, COMMANDS - HELLO);
}

static void *call_until_the_end(void *arg)
{
	struct caller_thread *t = arg;
	enum command command;
	int err;

	while (!world->ends) {
		command = choose(&t->chance);
		world->does[caller][t->number] = command;
		err = call(command, t);
		world->results[command][err < ERRNOS ? err : ERRNOS - 1]++;
		world->did[caller][t->number]++;
	}
	return NULL;
}

void be_caller(int number, uint64_t seed)
{
	struct caller_thread threads[THREADS];
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	caller = number;
	world->callers[caller] = getpid();
	mmap(ARENA, ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE,
	     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(ARENA, 1, ARENA_PAGES * PAGE);
	for (i = 0; i < SLOTS; i++)
		open_one(&trackers[i], &seed);
	for (i = 0; i < THREADS; i++) {
		threads[i] = (struct caller_thread){
			.number = i, .chance = seed + i, .places = places_of_thread(i),
		};
		if (pthread_create(&threads[i].thread, NULL, call_until_the_end, &threads[i]))
			_exit(3);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i].thread, NULL);
	_exit(0);
}
