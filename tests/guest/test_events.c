// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what becomes of memory and process is told, in its order, and what was written in memory
 * that goes away is told before. Forked children and what execve(2) makes have trackers of their
 * own before they run.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "fuse.h"
#include "support.h"
#include "unserved.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static int tracker, init_pid_ns;

/* ---- a tracer and its process */

static int events_of(int fd, uint64_t flags, uint32_t capacity)
{
	struct uffdwp_events_arg arg = {
		.size = sizeof(arg), .flags = flags, .capacity = capacity,
		.event_size = sizeof(struct uffdwp_event),
	};

	return dev_ioctl(fd, UFFDWP_IOC_EVENTS, &arg);
}

static int follow(int fd, uint64_t flags)
{
	struct uffdwp_follow_arg arg = { .size = sizeof(arg), .flags = flags };

	return dev_ioctl(fd, UFFDWP_IOC_FOLLOW, &arg);
}

static int claim(int fd, uint64_t id)
{
	struct uffdwp_claim_arg arg = { .size = sizeof(arg), .id = id };
	int err = dev_ioctl(fd, UFFDWP_IOC_CLAIM, &arg);

	return err ? err : arg.fd;
}

static int set_up(void **state)
{
	(void)state;
	init_pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	tracker = dev_open();
	assert_true(dev_features() & UFFDWP_FEATURE_EVENTS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(init_pid_ns);
	close(tracker);
	assert_false(has_registered_memory(getpid()));
	return 0;
}

/* The caller, with events, following. */
static void follow_self(uint64_t events, uint64_t flags)
{
	assert_ok(dev_attach_self(tracker));
	assert_ok(events_of(tracker, events, 4096));
	assert_ok(follow(tracker, flags));
}

/* The next one, which comes within a minute; false: there will be none. */
static bool next_event(int fd, struct uffdwp_event *event)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 60000) != 1)
		fail_msg("no event has come");
	n = read(fd, event, sizeof(*event));
	if (n && n != sizeof(*event))
		fail_msg("read: %zd, %s", n, strerror(errno));
	return n;
}

/* Is there anything to be read now? */
static bool any_event(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0);
}

/* The next event of these types about [start, end), whatever comes before it. */
static struct uffdwp_event event_in(int fd, uint32_t types, const void *start, size_t len)
{
	const uint64_t from = (uintptr_t)start, to = from + len;
	struct uffdwp_event event;

	do {
		if (!next_event(fd, &event))
			fail_msg("the events have ended");
	} while (!(types & 1u << event.type) || event.start >= to || event.end <= from);
	return event;
}

static struct uffdwp_event event_of(int fd, uint32_t type)
{
	struct uffdwp_event event;

	do {
		if (!next_event(fd, &event))
			fail_msg("the events have ended");
	} while (event.type != type);
	return event;
}

#define ONE(type) (1u << UFFDWP_EVENT_##type)
#define ALL_TYPES (~0u)

static void assert_next(uint32_t type, const char *start, size_t pages)
{
	const struct uffdwp_event e = event_in(tracker, ALL_TYPES, start, pages * PAGE);

	assert_int_equal(e.type, type);
	assert_int_equal(e.start, (uintptr_t)start);
	assert_int_equal(e.end, (uintptr_t)start + pages * PAGE);
}

static char *map_shared(size_t pages)
{
	return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Something else, with nothing in it. */
static void map_over(char *p, size_t pages)
{
	assert_ptr_equal(mmap(p, pages * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p);
}

/* ---- memory */

TEST(mapped_and_unmapped)
{
	char *p;

	follow_self(0, 0);
	p = map_anon(8);
	assert_next(UFFDWP_EVENT_MAPPED, p, 8);
	assert_ok(munmap(p + 2 * PAGE, 3 * PAGE));
	assert_next(UFFDWP_EVENT_UNMAPPED, p + 2 * PAGE, 3);
	assert_ok(munmap(p, 8 * PAGE));
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 2);
	assert_next(UFFDWP_EVENT_UNMAPPED, p + 5 * PAGE, 3);
}

TEST(the_heap_grows_and_shrinks)
{
	const long odd = -(uintptr_t)sbrk(0) & (PAGE - 1);
	char *p;

	sbrk(odd);
	p = sbrk(0);
	follow_self(0, 0);
	assert_ptr_equal(sbrk(4 * PAGE), p);
	assert_next(UFFDWP_EVENT_MAPPED, p, 4);
	sbrk(-3 * (long)PAGE);
	assert_next(UFFDWP_EVENT_UNMAPPED, p + PAGE, 3);
	sbrk(-(long)PAGE - odd);
}

TEST(what_replaces_memory_comes_after_it)
{
	char *p;

	follow_self(0, 0);
	p = map_anon(8);
	assert_next(UFFDWP_EVENT_MAPPED, p, 8);
	map_over(p + PAGE, 2);
	assert_next(UFFDWP_EVENT_UNMAPPED, p + PAGE, 2);
	assert_next(UFFDWP_EVENT_MAPPED, p + PAGE, 2);
	munmap(p, 8 * PAGE);
}

/* A call that fails half-way has unmapped nothing: it was told nothing, and what is armed stays. */
TEST(what_was_not_unmapped_is_not_told)
{
	char *p, *q;

	follow_self(0, 0);
	p = map_filled(8);
	assert_next(UFFDWP_EVENT_MAPPED, p, 8);
	q = map_anon(1);
	assert_next(UFFDWP_EVENT_MAPPED, q, 1);
	assert_ok(dev_arm(tracker, p, 8 * PAGE));
	/* A descriptor that may not be mapped so. */
	assert_ptr_equal(mmap(p, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			      STDIN_FILENO + 100, 0), MAP_FAILED);
	assert_int_equal(syscall(SYS_munmap, p + 1, PAGE), -1);
	/* It finds out half-way: the last page is sealed (Linux 6.10). */
	if (!syscall(SYS_mseal, p + 7 * PAGE, PAGE, 0))
		assert_int_equal(munmap(p, 8 * PAGE), -1);
	munmap(q, PAGE);
	assert_next(UFFDWP_EVENT_UNMAPPED, q, 1);
	assert_int_equal(written(tracker, p, 8 * PAGE, false), 0);
	munmap(p, 7 * PAGE);
}

TEST(moved)
{
	struct uffdwp_event e;
	char *p, *to;

	follow_self(0, 0);
	p = map_filled(4);
	to = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	event_in(tracker, ONE(MAPPED), to, 4 * PAGE);
	assert_ptr_equal(mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	assert_next(UFFDWP_EVENT_UNMAPPED, to, 4);
	e = event_in(tracker, ALL_TYPES, to, 4 * PAGE);
	assert_int_equal(e.type, UFFDWP_EVENT_MOVED);
	assert_int_equal(e.start, (uintptr_t)to);
	assert_int_equal(e.end, (uintptr_t)to + 4 * PAGE);
	assert_int_equal(e.from, (uintptr_t)p);
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 4);
	assert_int_equal(written(tracker, to, 4 * PAGE, false), 4);
	munmap(to, 4 * PAGE);
}

/* A tracker that does not follow loses what moves. */
TEST(moved_and_left)
{
	struct uffdwp_event e;
	char *p = map_filled(4), *to = map_anon(4);

	assert_ok(dev_attach_self(tracker));
	assert_ok(events_of(tracker, 0, 64));
	assert_ok(dev_register(tracker, p, 4 * PAGE));
	assert_ptr_equal(mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	e = event_in(tracker, ALL_TYPES, to, 4 * PAGE);
	assert_int_equal(e.type, UFFDWP_EVENT_MOVED);
	assert_int_equal(e.from, (uintptr_t)p);
	assert_next(UFFDWP_EVENT_LEFT, to, 4);
	munmap(to, 4 * PAGE);
}

TEST(discarded)
{
	char *p;

	follow_self(0, 0);
	p = map_filled(8);
	assert_next(UFFDWP_EVENT_MAPPED, p, 8);
	assert_ok(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
	assert_next(UFFDWP_EVENT_DISCARDED, p + PAGE, 2);
	assert_ok(madvise(p + 4 * PAGE, 3 * PAGE, MADV_FREE));
	assert_next(UFFDWP_EVENT_DISCARDED, p + 4 * PAGE, 3);
	munmap(p, 8 * PAGE);
}

TEST(discarded_in_a_file)
{
	const int fd = memfd_create("events", 0);
	char *p;

	assert_ok(ftruncate(fd, 8 * PAGE));
	p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	needs_kind(UFFDWP_KIND_SHMEM, p, 8 * PAGE);
	touch(p, 8, 1);
	follow_self(0, 0);
	assert_ok(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE, 2 * PAGE));
	assert_next(UFFDWP_EVENT_DISCARDED, p + 2 * PAGE, 2);
	assert_ok(ftruncate(fd, 6 * PAGE));
	assert_next(UFFDWP_EVENT_DISCARDED, p + 6 * PAGE, 2);
	assert_ok(madvise(p, PAGE, MADV_REMOVE));
	assert_next(UFFDWP_EVENT_DISCARDED, p, 1);
	munmap(p, 8 * PAGE);
	close(fd);
}

TEST(given_away)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = new_uffd(0);
	char *p;

	follow_self(0, 0);
	p = map_anon(8);
	assert_next(UFFDWP_EVENT_MAPPED, p, 8);
	reg.range.start = (uintptr_t)p + 2 * PAGE;
	reg.range.len = 4 * PAGE;
	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &reg));
	assert_next(UFFDWP_EVENT_LEFT, p + 2 * PAGE, 4);
	close(uffd);
	munmap(p, 8 * PAGE);
}

/* ---- what was written is told before it is unmapped */

TEST(written_shared_memory_is_told)
{
	char *p = map_shared(16);

	needs_kind(UFFDWP_KIND_SHMEM, p, 16 * PAGE);
	touch(p, 16, 1);
	follow_self(0, 0);
	assert_ok(dev_arm(tracker, p, 16 * PAGE));
	touch(p + 3 * PAGE, 2, 2);
	p[9 * PAGE] = 2;
	/* Reported: not told of any more. */
	assert_int_equal(written(tracker, p + 9 * PAGE, PAGE, true), 1);
	p[12 * PAGE] = 2;
	assert_ok(munmap(p, 14 * PAGE));
	assert_next(UFFDWP_EVENT_WRITTEN, p + 3 * PAGE, 2);
	assert_next(UFFDWP_EVENT_WRITTEN, p + 12 * PAGE, 1);
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 14);
	munmap(p, 16 * PAGE);
}

TEST(written_private_memory_is_told_if_asked)
{
	char *p;
	int i;

	for (i = 0; i < 2; i++) {
		if (i) {
			close(tracker);
			tracker = dev_open();
		}
		follow_self(i ? UFFDWP_EVENTS_HARVEST_ALL : 0, 0);
		p = map_filled(8);
		assert_next(UFFDWP_EVENT_MAPPED, p, 8);
		assert_ok(dev_arm(tracker, p, 8 * PAGE));
		p[5 * PAGE] = 2;
		assert_ok(munmap(p, 8 * PAGE));
		if (i)
			assert_next(UFFDWP_EVENT_WRITTEN, p + 5 * PAGE, 1);
		assert_next(UFFDWP_EVENT_UNMAPPED, p, 8);
	}
}

TEST(nothing_is_told_if_not_wanted)
{
	char *p = map_shared(8);

	needs_kind(UFFDWP_KIND_SHMEM, p, 8 * PAGE);
	follow_self(UFFDWP_EVENTS_HARVEST_NONE, 0);
	touch(p, 8, 1);
	assert_ok(munmap(p, 8 * PAGE));
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 8);
}

/* By what a scan says just before. */
TEST(written_huge_pages_are_told)
{
	char *p = map_huge(2);

	if (!p)
		skip_because("no huge pages to be had");
	follow_self(UFFDWP_EVENTS_HARVEST_ALL, 0);
	assert_ok(dev_arm(tracker, p, 2 * HUGE_PAGE));
	p[7 * PAGE] = 2;
	assert_int_equal(written(tracker, p, 2 * HUGE_PAGE, false), 1);
	assert_ok(munmap(p, 2 * HUGE_PAGE));
	assert_next(UFFDWP_EVENT_WRITTEN, p + 7 * PAGE, 1);
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 2 * 512);
}

TEST(written_hugetlb_is_told)
{
	const char *why = hugetlb_reserve(2);
	char *p;

	if (why)
		skip_because("%s", why);
	p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	needs_kind(UFFDWP_KIND_HUGETLB, p, 2 * HUGE_PAGE);
	p[0] = p[HUGE_PAGE] = 1;
	follow_self(0, 0);
	assert_ok(dev_arm(tracker, p, 2 * HUGE_PAGE));
	p[HUGE_PAGE + 5 * PAGE] = 2;
	assert_ok(munmap(p, 2 * HUGE_PAGE));
	assert_next(UFFDWP_EVENT_WRITTEN, p + HUGE_PAGE, 512);
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 2 * 512);
	hugetlb_release();
}

/* What was taken as sparse is not written; a page of it that was touched is. */
TEST(sparse_memory_is_told_as_a_scan_would)
{
	char *p;

	assert_ok(dev_attach(tracker, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	assert_ok(events_of(tracker, UFFDWP_EVENTS_HARVEST_ALL, 4096));
	assert_ok(follow(tracker, UFFDWP_FOLLOW_SPARSE));
	p = map_anon(16 * 512);
	assert_next(UFFDWP_EVENT_MAPPED, p, 16 * 512);
	p[700 * PAGE] = 1;
	assert_ok(munmap(p, 16 * 512 * PAGE));
	assert_next(UFFDWP_EVENT_WRITTEN, p + 700 * PAGE, 1);
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 16 * 512);
}

/* ---- the queue */

TEST(a_full_queue_says_so)
{
	struct uffdwp_event e;
	char *p = map_anon(64);
	int i, n = 0;

	assert_ok(dev_attach_self(tracker));
	assert_ok(events_of(tracker, 0, UFFDWP_EVENTS_MIN_CAPACITY));
	assert_ok(dev_register(tracker, p, 64 * PAGE));
	for (i = 0; i < 64; i += 2)
		assert_ok(munmap(p + i * PAGE, PAGE));
	while (any_event(tracker)) {
		assert_true(next_event(tracker, &e));
		if (e.type == UFFDWP_EVENT_LOST)
			break;
		assert_int_equal(e.type, UFFDWP_EVENT_UNMAPPED);
		assert_int_equal(e.start, (uintptr_t)p + 2 * n * PAGE);
		n++;
	}
	assert_int_equal(n, UFFDWP_EVENTS_MIN_CAPACITY - 1);
	assert_int_equal(e.type, UFFDWP_EVENT_LOST);
	assert_false(any_event(tracker));
	/* From here on all is told again. */
	assert_ok(munmap(p + PAGE, PAGE));
	assert_next(UFFDWP_EVENT_UNMAPPED, p + PAGE, 1);
	munmap(p, 64 * PAGE);
}

/* At every other page, so that none of it merges. */
static void fill_the_queue(void)
{
	char *area = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	for (i = 0; i < 64; i += 2) {
		map_over(area + i * PAGE, 1);
		assert_ok(munmap(area + i * PAGE, PAGE));
	}
	munmap(area, 64 * PAGE);
}

/*
 * Zeroes that are not written are for who was told that they have come: who was not would keep what
 * was there before.
 */
TEST(zeroes_that_were_not_told_of_are_written)
{
	struct uffdwp_event e;
	bool lost = false;
	char *p;

	if (!(dev_features() & UFFDWP_FEATURE_UNPOP_SPARSE))
		skip_because("sparse memory is not offered");
	assert_ok(dev_attach(tracker, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	assert_ok(events_of(tracker, 0, UFFDWP_EVENTS_MIN_CAPACITY));
	assert_ok(follow(tracker, UFFDWP_FOLLOW_SPARSE));
	p = map_filled(8);
	assert_int_equal(written(tracker, p, 8 * PAGE, true), 8);
	fill_the_queue();
	map_over(p, 8);
	assert_int_equal(written(tracker, p, 8 * PAGE, true), 8);
	while (any_event(tracker)) {
		assert_true(next_event(tracker, &e));
		lost = e.type == UFFDWP_EVENT_LOST;
	}
	assert_true(lost);
	/* There is room again. */
	touch(p, 8, 1);
	assert_int_equal(written(tracker, p, 8 * PAGE, true), 8);
	map_over(p, 8);
	assert_int_equal(written(tracker, p, 8 * PAGE, true), 0);
	assert_next(UFFDWP_EVENT_UNMAPPED, p, 8);
	assert_next(UFFDWP_EVENT_MAPPED, p, 8);
	munmap(p, 8 * PAGE);
}

TEST(reading_is_checked)
{
	struct uffdwp_event events[4];
	char *p = map_anon(8);

	assert_int_equal(read(tracker, events, sizeof(events)), -1);
	assert_int_equal(errno, EINVAL);
	assert_ok(dev_attach_self(tracker));
	assert_int_equal(read(tracker, events, sizeof(events)), -1);
	assert_int_equal(errno, EINVAL);
	assert_ok(events_of(tracker, 0, 64));
	assert_ok(dev_register(tracker, p, 8 * PAGE));
	assert_int_equal(read(tracker, events, sizeof(events[0]) - 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_ok(fcntl(tracker, F_SETFL, O_RDWR | O_NONBLOCK));
	assert_int_equal(read(tracker, events, sizeof(events)), -1);
	assert_int_equal(errno, EAGAIN);
	munmap(p, PAGE);
	munmap(p + 2 * PAGE, PAGE);
	munmap(p + 4 * PAGE, PAGE);
	/* One that cannot be delivered stays. */
	assert_int_equal(syscall(SYS_read, tracker, 8, sizeof(events)), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(read(tracker, events, 2 * sizeof(events[0]) + 7), 2 * sizeof(events[0]));
	assert_int_equal(events[0].start, (uintptr_t)p);
	assert_int_equal(events[1].start, (uintptr_t)p + 2 * PAGE);
	assert_int_equal(read(tracker, events, sizeof(events)), sizeof(events[0]));
	assert_int_equal(events[0].start, (uintptr_t)p + 4 * PAGE);
	munmap(p, 8 * PAGE);
}

TEST(arguments_are_checked)
{
	struct uffdwp_events_arg arg = {
		.size = sizeof(arg), .capacity = 64, .event_size = sizeof(struct uffdwp_event),
	};
	struct uffdwp_events_arg bad;

	assert_err(dev_ioctl(tracker, UFFDWP_IOC_EVENTS, &arg), ENOTCONN);
	assert_err(claim(tracker, 1), ENOENT);
	assert_ok(dev_attach_self(tracker));
	assert_err(follow(tracker, UFFDWP_FOLLOW_FORK), EINVAL);
	assert_err(follow(tracker, UFFDWP_FOLLOW_EXEC), EINVAL);
#define BAD(field, value)							\
	do {									\
		bad = arg;							\
		bad.field = value;						\
		assert_err(dev_ioctl(tracker, UFFDWP_IOC_EVENTS, &bad), EINVAL);	\
	} while (0)
	BAD(flags, 4);
	BAD(flags, 3);
	BAD(capacity, 0);
	BAD(capacity, UFFDWP_EVENTS_MAX_CAPACITY + 1);
	BAD(event_size, UFFDWP_EVENT_SIZE_VER0 - 8);
	BAD(event_size, UFFDWP_EVENT_SIZE_VER0 + 1);
	BAD(event_size, 264);
	BAD(reserved, 1);
	assert_ok(dev_ioctl(tracker, UFFDWP_IOC_EVENTS, &arg));
	assert_err(dev_ioctl(tracker, UFFDWP_IOC_EVENTS, &arg), EALREADY);
	assert_err(claim(tracker, 0), ENOENT);
	assert_err(claim(tracker, ~0ull), ENOENT);
}

/* Who knows a longer event than the module gets zeroes behind it. */
TEST(events_may_grow)
{
	struct uffdwp_events_arg arg = { .size = sizeof(arg), .capacity = 64, .event_size = 256 };
	char event[256], *p = map_anon(1);
	size_t i;

	assert_ok(dev_attach_self(tracker));
	assert_ok(dev_ioctl(tracker, UFFDWP_IOC_EVENTS, &arg));
	assert_ok(dev_register(tracker, p, PAGE));
	munmap(p, PAGE);
	memset(event, 255, sizeof(event));
	assert_int_equal(read(tracker, event, sizeof(event)), sizeof(event));
	assert_int_equal(((struct uffdwp_event *)event)->type, UFFDWP_EVENT_UNMAPPED);
	for (i = sizeof(struct uffdwp_event); i < sizeof(event); i++)
		assert_int_equal(event[i], 0);
}

/* ---- processes */

/* A process that waits for a byte before it runs this. */
static pid_t start(void (*run)(void), int *go)
{
	int fds[2];
	char byte;
	pid_t pid;

	assert_ok(pipe(fds));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[1]);
		if (read(fds[0], &byte, 1) == 1)
			run();
		_exit(0);
	}
	close(fds[0]);
	*go = fds[1];
	return pid;
}

static void let_go(int go)
{
	assert_int_equal(write(go, "\n", 1), 1);
	close(go);
}

static void follow_process(pid_t pid, uint64_t events, uint64_t flags)
{
	assert_ok(dev_attach_pid(tracker, pid));
	assert_ok(events_of(tracker, events, 4096));
	assert_ok(follow(tracker, flags));
}

/* Until the last event, which is the one that is returned. */
static struct uffdwp_event last_event(int fd)
{
	struct uffdwp_event event = {}, last;

	do {
		last = event;
	} while (next_event(fd, &event));
	return last;
}

static void exit_with_7(void)
{
	_exit(7);
}

static void exit_with_0(void)
{
	_exit(0);
}

static void be_killed(void)
{
	raise(SIGKILL);
}

TEST(how_it_ends)
{
	struct uffdwp_event e;
	int i, go, status;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		if (i) {
			close(tracker);
			tracker = dev_open();
		}
		pid = start(i ? be_killed : exit_with_7, &go);
		follow_process(pid, 0, 0);
		let_go(go);
		e = last_event(tracker);
		assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
		assert_int_equal(e.pid, pid);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(e.status, status);
		/* And again. */
		assert_false(next_event(tracker, &e));
	}
}

static char *shared;

static void write_and_exit(void)
{
	shared[3 * PAGE] = 3;
	shared[4 * PAGE] = 3;
	_exit(0);
}

/* What it has written before it ends, and no scan could ask for any more. */
TEST(written_before_the_end_is_told)
{
	struct uffdwp_event e;
	pid_t pid;
	int go;

	shared = map_shared(8);
	needs_kind(UFFDWP_KIND_SHMEM, shared, 8 * PAGE);
	touch(shared, 8, 1);
	pid = start(write_and_exit, &go);
	follow_process(pid, 0, 0);
	assert_ok(dev_arm(tracker, shared, 8 * PAGE));
	let_go(go);
	e = event_in(tracker, ALL_TYPES, shared, 8 * PAGE);
	assert_int_equal(e.type, UFFDWP_EVENT_WRITTEN);
	assert_int_equal(e.start, (uintptr_t)shared + 3 * PAGE);
	assert_int_equal(e.end, (uintptr_t)shared + 5 * PAGE);
	assert_int_equal(last_event(tracker).type, UFFDWP_EVENT_EXITED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	munmap(shared, 8 * PAGE);
}

static void *end_with_6(void *arg)
{
	(void)arg;
	usleep(200000);
	syscall(SYS_exit, 6);
	return NULL;
}

static void end_a_thread_first(void)
{
	/* The first thread ends, another one goes on for a while. */
	pthread_t thread;

	pthread_create(&thread, NULL, end_with_6, NULL);
	syscall(SYS_exit, 5);
}

TEST(the_last_thread_ends_it)
{
	struct uffdwp_event e;
	int go, status;
	pid_t pid;

	pid = start(end_a_thread_first, &go);
	follow_process(pid, 0, 0);
	let_go(go);
	e = last_event(tracker);
	assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
	assert_int_equal(e.pid, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(e.status, status);
}

/* It is in no namespace of the reader: so it has no number, and its end is told all the same. */
TEST(the_end_of_a_process_without_a_number)
{
	struct uffdwp_event e;
	pid_t pid, tracer;
	int go, pidfd, status, i;

	for (i = 0; i < 2; i++) {
		pid = start(i ? exit_with_7 : exit_with_0, &go);
		pidfd = syscall(SYS_pidfd_open, pid, 0);
		if (unshare(CLONE_NEWPID))
			skip_because("no namespace of processes: %s", strerror(errno));
		tracer = fork();
		if (!tracer) {
			assert_ok(dev_attach(tracker, UFFDWP_ATTACH_PIDFD, pidfd, 0,
					     UFFDWP_UNPOP_DEFAULT));
			assert_ok(events_of(tracker, 0, 64));
			let_go(go);
			e = last_event(tracker);
			_exit(e.type != UFFDWP_EVENT_EXITED || e.pid || e.status != i * 7 << 8);
		}
		assert_int_equal(waitpid(tracer, &status, 0), tracer);
		assert_int_equal(status, 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_ok(setns(init_pid_ns, CLONE_NEWPID));
		close(pidfd);
		close(go);
		close(tracker);
		tracker = dev_open();
	}
}

#define UFFD_NUMBER 100

static char *missing;

/* Whoever reads that page waits, and keeps this memory meanwhile. */
static void have_a_missing_page(void)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = new_uffd(0);

	reg.range.start = (uintptr_t)missing;
	reg.range.len = PAGE;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg) || dup2(uffd, UFFD_NUMBER) != UFFD_NUMBER)
		_exit(1);
	pause();
}

static pid_t start_reader(pid_t of)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { missing, 1 };
	pid_t pid = fork();

	if (!pid) {
		process_vm_readv(of, &to, 1, &from, 1, 0);
		_exit(0);
	}
	return pid;
}

/* Nobody has seen who it was. */
TEST(the_last_task_had_left_before_there_were_events)
{
	struct pollfd p = { .events = POLLIN };
	struct uffdwp_event e;
	pid_t pid, reader;
	int go, pidfd;

	missing = map_anon(1);
	pid = start(have_a_missing_page, &go);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	assert_ok(dev_attach_pid(tracker, pid));
	let_go(go);
	wait_for((p.fd = syscall(SYS_pidfd_getfd, pidfd, UFFD_NUMBER, 0)) >= 0);
	reader = start_reader(pid);
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_ok(kill(pid, SIGKILL));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_ok(events_of(tracker, 0, 64));
	assert_false(any_event(tracker));
	assert_ok(kill(reader, SIGKILL));
	assert_int_equal(waitpid(reader, NULL, 0), reader);
	e = last_event(tracker);
	assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
	assert_int_equal(e.pid, 0);
	assert_int_equal(e.status, 0);
	close(p.fd);
	close(pidfd);
	munmap(missing, PAGE);
}

/* ---- children */

static char *private;

static void fork_and_write(void)
{
	if (!fork()) {
		private[2 * PAGE] = 2;
		pause();
	}
	pause();
}

TEST(a_child_is_tracked_before_it_runs)
{
	struct uffdwp_event e;
	int go, child;
	pid_t pid;

	private = map_filled(8);
	pid = start(fork_and_write, &go);
	follow_process(pid, 0, UFFDWP_FOLLOW_FORK);
	assert_ok(dev_arm(tracker, private, 8 * PAGE));
	let_go(go);
	e = event_of(tracker, UFFDWP_EVENT_FORKED);
	assert_true(e.id);
	assert_true(e.pid > 0 && e.pid != pid);
	assert_ok(kill(e.pid, 0));
	child = claim(tracker, e.id);
	assert_true(child >= 0);
	assert_err(claim(tracker, e.id), ENOENT);
	/* All of it is written, as nothing was armed there. */
	assert_int_equal(written(child, private, 8 * PAGE, true), 8);
	/* It runs, and may write its page only now. */
	wait_for(!written(child, private, 8 * PAGE, true));
	assert_int_equal(written(tracker, private, 8 * PAGE, true), 0);
	assert_ok(kill(e.pid, SIGKILL));
	e = last_event(child);
	assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
	assert_int_equal(e.status, SIGKILL);
	close(child);
	assert_ok(kill(pid, SIGKILL));
	assert_int_equal(last_event(tracker).type, UFFDWP_EVENT_EXITED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	munmap(private, 8 * PAGE);
}

/* A process and its child, each followed to its last event. */
static void end_family(pid_t pid, pid_t forked, int child)
{
	kill(forked, SIGKILL);
	kill(pid, SIGKILL);
	last_event(child);
	close(child);
	last_event(tracker);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What it does before it can be armed is seen by what is new: mapped in the child. */
static void fork_and_map(void)
{
	if (!fork()) {
		mmap(private, 8 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		private[PAGE] = 1;
		pause();
	}
	pause();
}

TEST(a_child_follows_from_its_first_instruction)
{
	struct uffdwp_event e;
	int go, child;
	pid_t pid;

	private = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	munmap(private, 8 * PAGE);
	pid = start(fork_and_map, &go);
	assert_ok(dev_attach_pid(tracker, pid));
	assert_ok(events_of(tracker, 0, 4096));
	assert_ok(follow(tracker, UFFDWP_FOLLOW_FORK));
	let_go(go);
	e = event_of(tracker, UFFDWP_EVENT_FORKED);
	child = claim(tracker, e.id);
	assert_true(child >= 0);
	assert_int_equal(event_in(child, ONE(MAPPED), private, 8 * PAGE).start,
			 (uintptr_t)private);
	end_family(pid, e.pid, child);
}

static void fork_and_wait(void)
{
	fork();
	pause();
}

/* It is registered with the rest, before the child runs. */
TEST(a_childs_hugetlb_is_tracked)
{
	const char *why = hugetlb_reserve(4);
	struct uffdwp_event e;
	int go, child, i;
	char *p[2];
	pid_t pid;

	if (why)
		skip_because("%s", why);
	for (i = 0; i < 2; i++) {
		p[i] = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
				 (i ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_HUGETLB,
				 -1, 0);
		needs_kind(UFFDWP_KIND_HUGETLB, p[i], HUGE_PAGE);
		p[i][0] = 1;
	}
	pid = start(fork_and_wait, &go);
	follow_process(pid, 0, UFFDWP_FOLLOW_FORK);
	let_go(go);
	e = event_of(tracker, UFFDWP_EVENT_FORKED);
	child = claim(tracker, e.id);
	assert_true(child >= 0);
	for (i = 0; i < 2; i++) {
		assert_false(categories(child, p[i]) & UFFDWP_PAGE_IS_UNTRACKED);
		assert_int_equal(written(child, p[i], HUGE_PAGE, true), HUGE_PAGE / PAGE);
		assert_int_equal(written(child, p[i], HUGE_PAGE, true), 0);
		munmap(p[i], HUGE_PAGE);
	}
	end_family(pid, e.pid, child);
	hugetlb_release();
}

/* Memory that a process protects with a userfaultfd of its own, and then forks. */
static struct {
	char *start;
	size_t len;
	uint64_t features;
} own;

static void *close_later(void *uffd)
{
	usleep(300000);
	close((intptr_t)uffd);
	return NULL;
}

/* With EVENT_FORK fork(2) waits for who reads that event, and nobody does. */
static void protect_and_fork(void)
{
	const int uffd = new_uffd(own.features);
	const struct uffdio_range range = { (uintptr_t)own.start, own.len };
	struct uffdio_register reg = { .range = range, .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect protect = {
		.range = range, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	pthread_t thread;

	if (ioctl(uffd, UFFDIO_REGISTER, &reg) || ioctl(uffd, UFFDIO_WRITEPROTECT, &protect))
		_exit(1);
	/* A child with files of its own would keep it open. */
	if (own.features) {
		pthread_create(&thread, NULL, close_later, (void *)(intptr_t)uffd);
		syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
		pause();
	}
	fork_and_wait();
}

static void expect_child_written(void)
{
	struct uffdwp_event e;
	int go, child;
	pid_t pid;

	close(tracker);
	tracker = dev_open();
	pid = start(protect_and_fork, &go);
	follow_process(pid, 0, UFFDWP_FOLLOW_FORK);
	let_go(go);
	e = event_of(tracker, UFFDWP_EVENT_FORKED);
	child = claim(tracker, e.id);
	assert_true(child >= 0);
	assert_false(categories(child, own.start) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_int_equal(written(child, own.start, own.len, true), own.len / PAGE);
	assert_int_equal(written(child, own.start, own.len, true), 0);
	end_family(pid, e.pid, child);
	munmap(own.start, own.len);
}

/* fork(2) copies its bits, and the child does not have it. */
TEST(what_another_userfaultfd_has_protected_is_written_in_a_child)
{
	own.start = map_filled(8);
	own.len = 8 * PAGE;
	own.features = UFFD_FEATURE_EVENT_FORK;
	expect_child_written();
}

/* Linux 6.1 copies them in any case. */
TEST(what_another_userfaultfd_has_protected_is_written_in_a_childs_hugetlb)
{
	const char *why = hugetlb_reserve(2);

	if (why)
		skip_because("%s", why);
	own.start = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	needs_kind(UFFDWP_KIND_HUGETLB, own.start, HUGE_PAGE);
	own.start[0] = 1;
	own.len = HUGE_PAGE;
	own.features = 0;
	expect_child_written();
	hugetlb_release();
}

static void fork_without_end(void)
{
	pid_t pids[100];
	int i;

	for (i = 0; i < 100; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			pause();
			_exit(0);
		}
	}
	for (i = 0; i < 100; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	_exit(0);
}

/* So many are not claimed, and the others are not tracked, and all end with the tracker. */
TEST(unclaimed_children_are_limited)
{
	struct uffdwp_event e;
	int go, with = 0, without = 0;
	pid_t pid;

	pid = start(fork_without_end, &go);
	follow_process(pid, 0, UFFDWP_FOLLOW_FORK);
	let_go(go);
	while (next_event(tracker, &e)) {
		if (e.type != UFFDWP_EVENT_FORKED)
			continue;
		if (e.id)
			with++;
		else
			without++;
	}
	assert_int_equal(with, 64);
	assert_int_equal(without, 36);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void fork_until_killed(void)
{
	for (;;)
		if (!fork()) {
			pause();
			_exit(0);
		}
}

/* The child goes on, so it is tracked, as any other. */
TEST(a_parent_that_is_killed_while_it_forks)
{
	struct uffdwp_event e;
	uint64_t chance = 3;
	int go, i, forks = 0;
	pid_t pid;

	for (i = 0; i < 25; i++) {
		close(tracker);
		tracker = dev_open();
		pid = start(fork_until_killed, &go);
		follow_process(pid, 0, UFFDWP_FOLLOW_FORK);
		let_go(go);
		usleep(next_random(&chance) % 60000);
		assert_ok(kill(pid, SIGKILL));
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while (next_event(tracker, &e)) {
			if (e.type != UFFDWP_EVENT_FORKED)
				continue;
			kill(e.pid, SIGKILL);
			if (!e.id && forks < 64)
				fail_msg("child %d is not tracked", forks);
			forks++;
		}
		forks = 0;
	}
}

/* Each child forks again; nobody claims any. */
static void fork_in_a_row(void)
{
	int i;

	for (i = 0; i < 30; i++)
		if (fork()) {
			wait(NULL);
			_exit(0);
		}
	_exit(0);
}

TEST(a_long_line_of_heirs_ends)
{
	pid_t pid;
	int go;

	pid = start(fork_in_a_row, &go);
	follow_process(pid, 0, UFFDWP_FOLLOW_FORK);
	let_go(go);
	assert_int_equal(last_event(tracker).type, UFFDWP_EVENT_EXITED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define CHILD 30000		/* the number of the child */

static int forked_pipe[2], child_runs[2];

/* Tells how long it took, in milliseconds. */
static void fork_that_number(void)
{
	const pid_t number = CHILD;
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1,
	};
	struct timespec from, to;
	long took;

	clock_gettime(CLOCK_MONOTONIC, &from);
	if (syscall(SYS_clone3, &args, sizeof(args))) {
		clock_gettime(CLOCK_MONOTONIC, &to);
		took = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
		if (write(forked_pipe[1], &took, sizeof(took)) != sizeof(took))
			_exit(1);
	} else if (write(child_runs[1], "", 1) != 1) {
		_exit(1);
	}
	pause();
}

/* Milliseconds that fork(2) took, or -1 when it took more than 20 seconds. */
static long fork_while_it_is_read(void)
{
	struct pollfd p = { .events = POLLIN }, runs = { .events = POLLIN };
	struct uffdwp_event e = {};
	struct unread unread;
	pid_t pid, reader;
	long took = -1;
	int go;

	unread_begin(&unread);
	assert_ok(pipe2(forked_pipe, O_CLOEXEC));
	assert_ok(pipe2(child_runs, O_CLOEXEC));
	p.fd = forked_pipe[0];
	runs.fd = child_runs[0];
	close(tracker);
	tracker = dev_open();
	pid = start(fork_that_number, &go);
	follow_process(pid, 0, UFFDWP_FOLLOW_FORK);
	/* As soon as the child can be seen */
	reader = unread_start_reader(&unread, CHILD);
	usleep(20000);
	let_go(go);
	if (poll(&p, 1, 20000) == 1) {
		assert_int_equal(read(p.fd, &took, sizeof(took)), sizeof(took));
		e = event_of(tracker, UFFDWP_EVENT_FORKED);
		poll(&runs, 1, 10000);
	}
	unread_end(&unread);
	kill(CHILD, SIGKILL);
	kill(pid, SIGKILL);
	kill(reader, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(waitpid(reader, NULL, 0), reader);
	wait_for(kill(CHILD, 0));
	close(forked_pipe[0]);
	close(forked_pipe[1]);
	close(child_runs[0]);
	close(child_runs[1]);
	if (took >= 0 && !runs.revents)
		fail_msg("the child does not run");
	assert_true(took < 0 || e.pid == CHILD);
	return took;
}

/* Who may trace the child can keep its memory busy for ever, by a page that nobody brings. */
TEST(fork_does_not_wait_for_who_reads_the_child)
{
	const time_t until = time(NULL) + 30;
	long took = 0;
	int tries = 0;

	while (took <= 1000 && time(NULL) < until) {
		took = fork_while_it_is_read();
		if (took < 0)
			fail_msg("fork(2) has not come back within 20 seconds");
		tries++;
	}
	if (took <= 1000)
		skip_because("in %d tries the reader was never in time", tries);
	print_message("[   INFO   ] fork(2) took %ld ms, at try %d\n", took, tries);
}

TEST(not_followed_a_child_is_told_of)
{
	struct uffdwp_event e;
	pid_t pid;
	int go;

	private = map_filled(8);
	pid = start(fork_and_write, &go);
	follow_process(pid, 0, 0);
	let_go(go);
	e = event_of(tracker, UFFDWP_EVENT_FORKED);
	assert_int_equal(e.id, 0);
	assert_true(e.pid > 0);
	assert_false(has_registered_memory(e.pid));
	kill(e.pid, SIGKILL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	munmap(private, 8 * PAGE);
}

/* ---- execve(2) */

static const char *program = "/bin/busybox";
static char *const program_args[] = { "sh", "-c", "read x; exit 3", NULL };
static int program_input = -1;

static void exec_program(void)
{
	dup2(program_input, STDIN_FILENO);
	execv(program, program_args);
	_exit(111);
}

/* A process that comes to execute the program, followed. */
static pid_t follow_exec(void (*run)(void), int *input)
{
	int fds[2], go;
	pid_t pid;

	assert_ok(pipe(fds));
	program_input = fds[0];
	pid = start(run, &go);
	close(fds[0]);
	follow_process(pid, 0, UFFDWP_FOLLOW_EXEC);
	let_go(go);
	*input = fds[1];
	return pid;
}

/* EXEC is the last event; the tracker that it names. */
static int claim_what_is_executed(pid_t pid)
{
	const struct uffdwp_event e = last_event(tracker);
	int other;

	assert_int_equal(e.type, UFFDWP_EVENT_EXEC);
	assert_int_equal(e.pid, pid);
	assert_true(e.id);
	other = claim(tracker, e.id);
	assert_true(other >= 0);
	return other;
}

static bool reads_executable(pid_t pid, const char *name)
{
	char path[64], exe[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = 0;
	return strstr(exe, name);
}

TEST(what_exec_makes_is_tracked)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg;
	struct uffdwp_event e;
	int input, other, status;
	pid_t pid;

	pid = follow_exec(exec_program, &input);
	other = claim_what_is_executed(pid);
	close(tracker);
	tracker = dev_open();
	assert_true(reads_executable(pid, "busybox"));
	/* Its stack is tracked, and has its arguments. */
	arg = scan_arg(NULL, 0, &region, 1);
	arg.end = (1ull << 47) - PAGE;
	arg.category_mask = UFFDWP_PAGE_IS_WPALLOWED | UFFDWP_PAGE_IS_PRESENT;
	assert_int_equal(dev_scan(other, &arg), 1);
	assert_int_equal(write(input, "\n", 1), 1);
	close(input);
	e = last_event(other);
	assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
	assert_int_equal(e.pid, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(e.status, status);
	assert_int_equal(WEXITSTATUS(status), 3);
	close(other);
}

/* Another thread waits to map something, and who reads the memory never has what it reads. */
static void *map_something(void *unused)
{
	(void)unused;
	usleep(600000);
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return NULL;
}

static void exec_beside_a_writer_that_waits(void)
{
	pthread_t thread;

	/* Before there is a reader: it maps a stack. And nothing is to fault in the end. */
	pthread_create(&thread, NULL, map_something, NULL);
	dup2(program_input, STDIN_FILENO);
	access(program, X_OK);
	execv("/", program_args);
	usleep(1000000);
	exec_program();
}

/* Without a tracker the thread is killed, and the program begins. */
TEST(execve_waits_for_no_mmap_lock)
{
	const double until = seconds_now() + 20;
	bool executes = false;
	struct unread unread;
	pid_t pid, reader;
	int input;

	unread_begin(&unread);
	pid = follow_exec(exec_beside_a_writer_that_waits, &input);
	reader = unread_start_reader(&unread, pid);
	while (!executes && seconds_now() < until) {
		usleep(50000);
		executes = reads_executable(pid, "busybox");
	}
	unread_end(&unread);
	kill(pid, SIGKILL);
	kill(reader, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(waitpid(reader, NULL, 0), reader);
	close(input);
	assert_true(executes);
	assert_int_equal(last_event(tracker).type, UFFDWP_EVENT_EXEC);
}

/* As posix_spawn(3) and system(3) do: the parent's memory stays, and its tracker. */
static void vfork_program(void)
{
	static int status;
	pid_t pid = vfork();

	if (!pid) {
		dup2(program_input, STDIN_FILENO);
		execv(program, program_args);
		_exit(111);
	}
	waitpid(pid, &status, 0);
	_exit(WEXITSTATUS(status));
}

TEST(what_is_spawned_is_tracked)
{
	struct uffdwp_event e;
	int input, other;
	pid_t pid;

	pid = follow_exec(vfork_program, &input);
	e = event_of(tracker, UFFDWP_EVENT_EXEC);
	assert_true(e.pid != pid);
	other = claim(tracker, e.id);
	assert_true(other >= 0);
	let_go(input);
	e = last_event(other);
	assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
	assert_int_equal(WEXITSTATUS(e.status), 3);
	e = last_event(tracker);
	assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
	assert_int_equal(e.pid, pid);
	assert_int_equal(WEXITSTATUS(e.status), 3);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(other);
}

/* As a shell that has not found a command, and then becomes another program. */
static void spawn_nothing_then_exec(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(127);
	waitpid(pid, NULL, 0);
	exec_program();
}

TEST(who_has_left_before_is_not_the_last)
{
	int input, other;
	pid_t pid;

	pid = follow_exec(spawn_nothing_then_exec, &input);
	other = claim_what_is_executed(pid);
	let_go(input);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(other);
}

static void exec_nothing(void)
{
	execl("/does/not/exist", "x", NULL);
	execl("/proc/self/maps", "x", NULL);
	_exit(9);
}

TEST(an_exec_that_fails_changes_nothing)
{
	struct uffdwp_event e;
	pid_t pid;
	int go;

	pid = start(exec_nothing, &go);
	follow_process(pid, 0, UFFDWP_FOLLOW_EXEC);
	let_go(go);
	e = last_event(tracker);
	assert_int_equal(e.type, UFFDWP_EVENT_EXITED);
	assert_int_equal(WEXITSTATUS(e.status), 9);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* From a thread: the others are killed by it, which is no end. */
static void *exec_in_thread(void *arg)
{
	(void)arg;
	exec_program();
	return NULL;
}

static void exec_with_threads(void)
{
	pthread_t threads[4];
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, (void *(*)(void *))(void *)sleep, (void *)100);
	pthread_create(&threads[3], NULL, exec_in_thread, NULL);
	pause();
}

TEST(a_thread_calls_exec)
{
	int input, other;
	pid_t pid;

	pid = follow_exec(exec_with_threads, &input);
	other = claim_what_is_executed(pid);
	let_go(input);
	assert_int_equal(WEXITSTATUS(last_event(other).status), 3);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(other);
}

/* ---- rights */

#define NOBODY 65534

static const char *copied;

static void exec_copied(void)
{
	dup2(program_input, STDIN_FILENO);
	execl(copied, "sh", "-c", "read x; exit 3", NULL);
	_exit(111);
}

static void copy_program(const char *to, mode_t mode)
{
	const int in = open(program, O_RDONLY), out = open(to, O_CREAT | O_WRONLY, 0700);
	char buffer[4096];
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, n), n);
	assert_ok(fchmod(out, mode));
	close(in);
	close(out);
}

/* Who opens the device, and asks it for events. */
enum hands {
	NOBODYS,
	ROOTS,
	FROM_ROOT_TO_NOBODY,
};

static bool become_nobody(void)
{
	return !setgid(NOBODY) && !setuid(NOBODY) && !prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* What such a tracer is told of the program of that mode: the id. */
static uint64_t id_after_exec(mode_t mode, enum hands hands)
{
	struct uffdwp_event e = {};
	int fds[2], ids[2], go, status;
	uint64_t id = 1234;
	pid_t pid, tracer;

	copied = "/copied";
	copy_program(copied, mode);
	assert_ok(chmod(UFFDWP_DEVICE, 0666));
	assert_ok(pipe(ids));
	tracer = fork();
	if (!tracer) {
		if (hands != NOBODYS)
			tracker = dev_open();
		if (hands != ROOTS && !become_nobody())
			_exit(1);
		if (hands == NOBODYS)
			tracker = dev_open();
		if (pipe(fds))
			_exit(2);
		program_input = fds[0];
		pid = start(exec_copied, &go);
		close(fds[0]);
		follow_process(pid, 0, UFFDWP_FOLLOW_EXEC);
		let_go(go);
		e = last_event(tracker);
		id = e.type == UFFDWP_EVENT_EXEC ? e.id : 4321;
		if (write(ids[1], &id, sizeof(id)) != sizeof(id))
			_exit(3);
		let_go(fds[1]);
		while (waitpid(pid, NULL, 0) != pid)
			;
		_exit(0);
	}
	assert_int_equal(read(ids[0], &id, sizeof(id)), sizeof(id));
	assert_int_equal(waitpid(tracer, &status, 0), tracer);
	assert_int_equal(status, 0);
	close(ids[0]);
	close(ids[1]);
	unlink(copied);
	assert_ok(chmod(UFFDWP_DEVICE, 0600));
	return id;
}

TEST(a_program_with_more_rights_is_not_tracked)
{
	assert_true(id_after_exec(0755, NOBODYS));
	assert_int_equal(id_after_exec(04755, NOBODYS), 0);
	assert_int_equal(id_after_exec(0711, NOBODYS), 0);
	assert_true(id_after_exec(04755, ROOTS));
	assert_true(id_after_exec(0711, ROOTS));
}

TEST(what_root_has_opened_for_others_tracks_no_program_with_more_rights)
{
	assert_true(id_after_exec(0755, FROM_ROOT_TO_NOBODY));
	assert_int_equal(id_after_exec(04755, FROM_ROOT_TO_NOBODY), 0);
	assert_int_equal(id_after_exec(0711, FROM_ROOT_TO_NOBODY), 0);
}

/* ---- all at once */

static void live_a_life(void)
{
	char *p;
	int i;

	for (i = 0; i < 200; i++) {
		p = map_filled(8);
		munmap(p, 8 * PAGE);
		if (i % 20 == 0 && !fork())
			_exit(0);
		if (i % 30 == 0 && !fork()) {
			execl(program, "true", NULL);
			_exit(1);
		}
	}
	while (wait(NULL) > 0)
		;
	_exit(0);
}

/* The tracer closes at any moment, and the process goes on. */
TEST(a_tracker_is_closed_at_any_moment)
{
	const time_t until = time(NULL) + 10;
	uint64_t chance = 7;
	int go, status, n = 0;
	pid_t pid;

	while (time(NULL) < until) {
		close(tracker);
		tracker = dev_open();
		pid = start(live_a_life, &go);
		follow_process(pid, UFFDWP_EVENTS_HARVEST_ALL,
			       UFFDWP_FOLLOW_FORK | UFFDWP_FOLLOW_EXEC);
		let_go(go);
		usleep(next_random(&chance) % 100000);
		close(tracker);
		tracker = dev_open();
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		n++;
	}
	print_message("[   INFO   ] %d processes\n", n);
}

#define EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENTS_TEST(mapped_and_unmapped),
		EVENTS_TEST(the_heap_grows_and_shrinks),
		EVENTS_TEST(what_replaces_memory_comes_after_it),
		EVENTS_TEST(what_was_not_unmapped_is_not_told),
		EVENTS_TEST(moved),
		EVENTS_TEST(moved_and_left),
		EVENTS_TEST(discarded),
		EVENTS_TEST(discarded_in_a_file),
		EVENTS_TEST(given_away),
		EVENTS_TEST(written_shared_memory_is_told),
		EVENTS_TEST(written_private_memory_is_told_if_asked),
		EVENTS_TEST(nothing_is_told_if_not_wanted),
		EVENTS_TEST(written_huge_pages_are_told),
		EVENTS_TEST(written_hugetlb_is_told),
		EVENTS_TEST(sparse_memory_is_told_as_a_scan_would),
		EVENTS_TEST(a_full_queue_says_so),
		EVENTS_TEST(zeroes_that_were_not_told_of_are_written),
		EVENTS_TEST(reading_is_checked),
		EVENTS_TEST(arguments_are_checked),
		EVENTS_TEST(events_may_grow),
		EVENTS_TEST(how_it_ends),
		EVENTS_TEST(written_before_the_end_is_told),
		EVENTS_TEST(the_last_thread_ends_it),
		EVENTS_TEST(the_end_of_a_process_without_a_number),
		EVENTS_TEST(the_last_task_had_left_before_there_were_events),
		EVENTS_TEST(a_child_is_tracked_before_it_runs),
		EVENTS_TEST(a_child_follows_from_its_first_instruction),
		EVENTS_TEST(a_childs_hugetlb_is_tracked),
		EVENTS_TEST(what_another_userfaultfd_has_protected_is_written_in_a_child),
		EVENTS_TEST(what_another_userfaultfd_has_protected_is_written_in_a_childs_hugetlb),
		EVENTS_TEST(unclaimed_children_are_limited),
		EVENTS_TEST(a_parent_that_is_killed_while_it_forks),
		EVENTS_TEST(a_long_line_of_heirs_ends),
		EVENTS_TEST(fork_does_not_wait_for_who_reads_the_child),
		EVENTS_TEST(not_followed_a_child_is_told_of),
		EVENTS_TEST(what_exec_makes_is_tracked),
		EVENTS_TEST(execve_waits_for_no_mmap_lock),
		EVENTS_TEST(what_is_spawned_is_tracked),
		EVENTS_TEST(who_has_left_before_is_not_the_last),
		EVENTS_TEST(an_exec_that_fails_changes_nothing),
		EVENTS_TEST(a_thread_calls_exec),
		EVENTS_TEST(a_program_with_more_rights_is_not_tracked),
		EVENTS_TEST(what_root_has_opened_for_others_tracks_no_program_with_more_rights),
		EVENTS_TEST(a_tracker_is_closed_at_any_moment),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
