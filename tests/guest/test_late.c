// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracker that comes late: calls on userfaultfds of the process are under way by then, and tasks
 * sleep. And calls whose result cannot be stored.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "fuse.h"
#include "ring.h"
#include "unserved.h"

#define N 8ul
#define LEN (N * PAGE)

/* Of Linux 6.8, which the headers that this is built with need not know. */
struct move {
	uint64_t dst, src, len, mode;
	int64_t move;
};

#define MOVE _IOWR(UFFDIO, 0x05, struct move)
#define MOVE_MODE_ALLOW_SRC_HOLES (1ull << 1)

static void uffd_register(int fd, char *start, size_t len, uint64_t mode)
{
	struct uffdio_register reg = { .range = { (uintptr_t)start, len }, .mode = mode };

	assert_ok(ioctl(fd, UFFDIO_REGISTER, &reg) ? -errno : 0);
}

static void uffd_protect(int fd, char *start, size_t len)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)start, len }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	assert_ok(ioctl(fd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0);
}

/* ---- a call that sleeps on its request, until that is filled in */

struct call {
	int uffd;
	unsigned long cmd;
	char *request;
	int monitor;
	pthread_t thread;
	atomic_int ret;
};

static void *do_call(void *arg)
{
	struct call *c = arg;

	c->ret = ioctl(c->uffd, c->cmd, c->request) ? -errno : 0;
	return NULL;
}

static void wait_for_fault(int monitor)
{
	struct pollfd p = { .fd = monitor, .events = POLLIN };
	struct uffd_msg msg;

	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(read(monitor, &msg, sizeof(msg)), sizeof(msg));
}

static void call_begin(struct call *c)
{
	c->request = map_anon(1);
	c->monitor = new_uffd(0);
	uffd_register(c->monitor, c->request, PAGE, UFFDIO_REGISTER_MODE_MISSING);
	assert_ok(pthread_create(&c->thread, NULL, do_call, c));
	wait_for_fault(c->monitor);
}

static int call_end(struct call *c, const void *request, size_t len)
{
	char *page = map_filled(1);
	struct uffdio_copy copy = {
		.dst = (uintptr_t)c->request, .src = (uintptr_t)page, .len = PAGE,
	};

	memcpy(page, request, len);
	assert_ok(ioctl(c->monitor, UFFDIO_COPY, &copy) ? -errno : 0);
	assert_ok(pthread_join(c->thread, NULL));
	close(c->monitor);
	munmap(c->request, PAGE);
	munmap(page, PAGE);
	return c->ret;
}

/* Hooks that are not permanent are removed 2 s after the last tracker was closed. */
static void wait_for_removed_hooks(void)
{
	sleep(4);
}

/* ---- UFFDIO_REGISTER */

/* What a userfaultfd has protected stays so if it can take its memory out of the mode first. */
static char *map_with_old_bits(void)
{
	struct uffdio_range range = { .len = LEN };
	char *p = map_filled(N);
	int former = new_uffd(0);

	range.start = (uintptr_t)p;
	uffd_register(former, p, LEN, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(former, p, LEN);
	if (!no_bits_left_behind())
		uffd_register(former, p, LEN, UFFDIO_REGISTER_MODE_MISSING);
	assert_ok(ioctl(former, UFFDIO_UNREGISTER, &range) ? -errno : 0);
	close(former);
	return p;
}

/* Nobody has armed the pages for the tracker, which comes while they are being registered. */
static void register_late(int elsewhere)
{
	struct uffdio_register reg = { .range.len = LEN, .mode = UFFDIO_REGISTER_MODE_WP };
	struct call c = { .cmd = UFFDIO_REGISTER, .uffd = new_uffd(0) };
	char *p = map_with_old_bits();
	int fd;

	call_begin(&c);
	fd = dev_open();
	assert_ok(dev_attach_uffd(fd, c.uffd));
	reg.range.start = (uintptr_t)p;
	assert_ok(call_end(&c, &reg, sizeof(reg)));
	assert_int_equal(written(fd, p, LEN, false), N);
	close(fd);
	if (elsewhere >= 0)
		close(elsewhere);
	close(c.uffd);
	munmap(p, LEN);
}

TEST(what_is_registered_while_a_tracker_comes_is_written)
{
	char *elsewhere = map_filled(1);

	register_late(tracker_of(elsewhere, PAGE));
	munmap(elsewhere, PAGE);
}

TEST(what_is_registered_while_the_first_tracker_comes_is_written)
{
	wait_for_removed_hooks();
	register_late(-1);
}

/* ---- UFFDIO_WRITEPROTECT */

/*
 * That takes protection away, of memory that only the tracker has registered by then: the process
 * is told so, except by kernels that do not look at what change_protection() returns, and the
 * tracker has nothing to be told of.
 */
TEST(a_late_call_takes_no_protection_from_a_tracker)
{
	struct uffdio_writeprotect resolve = { .range.len = LEN };
	struct call c = { .cmd = UFFDIO_WRITEPROTECT, .uffd = new_uffd(0) };
	char *p = map_filled(N);
	uint64_t unprotected, told;
	struct tracer_ring ring;
	size_t armed;
	int fd, ret;
	bool covers;

	call_begin(&c);
	fd = tracker_of(p, LEN);
	ring = ring_open(fd, 64, 1);
	ring_settle(&ring);
	wait_for(!written(fd, p, LEN, true));
	ring_settle(&ring);
	resolve.range.start = (uintptr_t)p;
	ret = call_end(&c, &resolve, sizeof(resolve));
	unprotected = written(fd, p, LEN, false);
	armed = armed_entries(p, N);
	told = ring_pending(&ring) + ring_says_everything(&ring);
	p[3 * PAGE] = 2;
	covers = ring_covers(&ring, p + 3 * PAGE);
	ring_close(&ring);
	close(fd);
	close(c.uffd);
	munmap(p, LEN);
	assert_int_equal(unprotected, 0);
	assert_int_equal(armed, kernel_is_before(5, 14) ? 0 : N);
	assert_int_equal(told, 0);
	assert_true(covers);
	assert_int_equal(ret, kernel_is_before(6, 3) ? 0 : -ENOENT);
}

/* ---- UFFDIO_POISON, of Linux 6.6 */

struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};

#define POISON _IOWR(UFFDIO, 0x08, struct poison)
#define MINOR (1ull << 2)
#define MINOR_SHMEM (1ull << 10)

/* To who rides along on its userfaultfd by then, it looks as if there were something. */
TEST(what_is_poisoned_late_is_empty_still)
{
	struct poison request = { .range.len = PAGE };
	struct call c = { .cmd = POISON };
	int file = memfd_create("poison", MFD_CLOEXEC), fd = dev_open(), ret;
	char *p;

	if (kernel_is_before(6, 6))
		skip_because("this kernel has no UFFDIO_POISON");
	assert_ok(ftruncate(file, LEN));
	p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	c.uffd = new_uffd(MINOR_SHMEM);
	uffd_register(c.uffd, p, LEN, MINOR);
	call_begin(&c);
	assert_ok(dev_attach(fd, UFFDWP_ATTACH_UFFD | UFFDWP_ATTACH_RIDE, 0, c.uffd,
			     UFFDWP_UNPOP_DEFAULT));
	assert_ok(dev_register(fd, p, LEN));
	assert_ok(dev_arm(fd, p, LEN));
	request.range.start = (uintptr_t)p;
	ret = call_end(&c, &request, sizeof(request));
	close(fd);
	close(c.uffd);
	munmap(p, LEN);
	close(file);
	assert_ok(ret);
}

/* ---- UFFDIO_MOVE */

static void needs_move(void)
{
	char *src = map_filled(1), *dst = map_anon(1);
	struct move m = { .dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = PAGE };
	int uffd = new_uffd(0), ret;

	uffd_register(uffd, dst, PAGE, UFFDIO_REGISTER_MODE_MISSING);
	ret = ioctl(uffd, MOVE, &m);
	close(uffd);
	munmap(src, PAGE);
	munmap(dst, PAGE);
	if (ret)
		skip_because("this kernel has no UFFDIO_MOVE");
}

static void needs_swap(void)
{
	const char *reason = swap_on(16 << 20);

	if (reason)
		skip_because("%s", reason);
}

/* Entries of swap move as they are. Where they arrive is no tracker, and nobody has protected. */
TEST(what_moves_while_the_first_tracker_comes_is_not_armed)
{
	char *from, *to = map_anon(N);
	struct move m = {
		.dst = (uintptr_t)to, .len = LEN, .mode = MOVE_MODE_ALLOW_SRC_HOLES,
	};
	struct call c = { .cmd = MOVE };
	int fd;

	needs_move();
	needs_swap();
	wait_for_removed_hooks();
	from = map_filled(N);
	m.src = (uintptr_t)from;
	c.uffd = new_uffd(0);
	uffd_register(c.uffd, to, LEN, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
	assert_null(swap_out(from, LEN));
	call_begin(&c);
	fd = tracker_of(from, LEN);
	assert_int_equal(written(fd, from, LEN, false), 0);
	call_end(&c, &m, sizeof(m));
	assert_true(is_swapped(to));
	assert_int_equal(armed_entries(to, N), 0);
	close(fd);
	close(c.uffd);
	munmap(from, LEN);
	munmap(to, LEN);
	swap_off();
}

/*
 * The kernel reads all but the last member of the request, moves, and then cannot store the result.
 */
TEST(a_move_whose_result_cannot_be_stored_is_a_move)
{
	char *from, *to = map_anon(N), *p = map_filled(2);
	struct move *m = (struct move *)(p + PAGE - offsetof(struct move, move));
	int fd, uffd, tries;

	needs_move();
	needs_swap();
	munmap(p + PAGE, PAGE);
	from = map_filled(N);
	uffd = new_uffd(0);
	uffd_register(uffd, to, LEN, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
	fd = tracker_of(from, LEN);
	assert_null(swap_out(from, LEN));
	m->dst = (uintptr_t)to;
	m->src = (uintptr_t)from;
	m->len = LEN;
	m->mode = MOVE_MODE_ALLOW_SRC_HOLES;
	for (tries = 0; tries < 100 && !is_swapped(to + LEN - PAGE); tries++) {
		assert_int_equal(ioctl(uffd, MOVE, m) ? -errno : 0, -EFAULT);
		usleep(1000);
	}
	assert_true(is_swapped(to + LEN - PAGE));
	assert_int_equal(armed_entries(to, N), 0);
	close(fd);
	close(uffd);
	munmap(from, LEN);
	munmap(to, LEN);
	munmap(p, PAGE);
	swap_off();
}

/* ---- who sleeps when the tracker comes */

static void *write_first(void *p)
{
	*(char *)p = 3;
	return NULL;
}

/* The page that was protected has been discarded meanwhile, and nothing is armed any more. */
TEST(a_sleeper_goes_on_though_nothing_is_armed)
{
	char *p = map_filled(1);
	int uffd = new_uffd(0), fd = dev_open();
	pthread_t thread;

	uffd_register(uffd, p, PAGE, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(uffd, p, PAGE);
	assert_ok(pthread_create(&thread, NULL, write_first, p));
	wait_for_fault(uffd);
	assert_ok(madvise(p, PAGE, MADV_DONTNEED));
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(pthread_join(thread, NULL));
	assert_int_equal(*p, 3);
	close(fd);
	close(uffd);
	munmap(p, PAGE);
}

/* ---- and who sleeps when it is the last to know the userfaultfd */

static atomic_bool has_read;

static void *read_first(void *p)
{
	const char value = *(volatile char *)p;

	has_read = true;
	return (void *)(intptr_t)value;
}

/*
 * The reader of a userfaultfd that was handed in is gone: who waits for it goes on, as without a
 * tracker, and nothing is tracked any more.
 */
TEST(a_userfaultfd_that_the_process_closes_is_closed)
{
	char *p = map_anon(N), *q = map_filled(N);
	int uffd = new_uffd(0), fd = dev_open();
	pthread_t thread;
	void *value;

	uffd_register(uffd, p, LEN, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(dev_register(fd, q, LEN));
	assert_ok(dev_arm(fd, q, LEN));
	assert_ok(pthread_create(&thread, NULL, read_first, p));
	wait_for_fault(uffd);
	/* Not while somebody has it. */
	sleep(2);
	assert_int_equal(written(fd, q, LEN, true), 0);

	close(uffd);
	wait_for(has_read);
	assert_ok(pthread_join(thread, &value));
	assert_null(value);
	/* It wakes first. */
	wait_for(dev_register(fd, q, LEN) == -ENODEV);
	assert_int_equal(dev_arm(fd, q, LEN), -ENODEV);
	assert_int_equal(armed_entries(q, N), 0);
	wait_for(!has_registered_memory(getpid()));
	q[0] = 1;
	close(fd);
	munmap(p, LEN);
	munmap(q, LEN);
}

struct scan_to {
	int tracker;
	char *start;
	struct uffdwp_region *vec;
	int ret;
};

static void *scan_to(void *arg)
{
	struct scan_to *s = arg;
	struct uffdwp_scan_arg scan = scan_arg(s->start, LEN, s->vec, PAGE / sizeof(*s->vec));

	s->ret = dev_scan(s->tracker, &scan);
	return NULL;
}

/* A command of the tracker waits for that reader, too: it does not keep what it waits for. */
TEST(a_command_does_not_keep_a_closed_userfaultfd)
{
	char *p = map_anon(N), *q = map_filled(N), *buffer = map_anon(1);
	struct scan_to s = { .start = q, .vec = (void *)buffer };
	int uffd = new_uffd(0);
	pthread_t reader, scanner;

	s.tracker = dev_open();
	uffd_register(uffd, p, LEN, UFFDIO_REGISTER_MODE_MISSING);
	uffd_register(uffd, buffer, PAGE, UFFDIO_REGISTER_MODE_MISSING);
	assert_ok(dev_attach_uffd(s.tracker, uffd));
	assert_ok(dev_register(s.tracker, q, LEN));
	assert_ok(pthread_create(&scanner, NULL, scan_to, &s));
	wait_for_fault(uffd);
	has_read = false;
	assert_ok(pthread_create(&reader, NULL, read_first, p));
	wait_for_fault(uffd);

	close(uffd);
	wait_for(has_read);
	assert_ok(pthread_join(reader, NULL));
	assert_ok(pthread_join(scanner, NULL));
	assert_int_equal(s.ret, 1);
	wait_for(dev_register(s.tracker, q, LEN) == -ENODEV);
	close(s.tracker);
	munmap(p, LEN);
	munmap(q, LEN);
	munmap(buffer, PAGE);
}

static void *scan_with_reset_to(void *arg)
{
	struct scan_to *s = arg;
	struct uffdwp_scan_arg scan = scan_arg(s->start, LEN, s->vec, PAGE / sizeof(*s->vec));

	scan.flags = UFFDWP_SCAN_WP_MATCHING;
	s->ret = dev_scan(s->tracker, &scan);
	return NULL;
}

static void *read_one_event(void *arg)
{
	wait_for_fault(*(int *)arg);
	return NULL;
}

/*
 * What a scan has armed and could not report is written again, also where it is by then: with
 * UFFD_FEATURE_EVENT_REMAP it moves as it is, armed.
 */
TEST(a_report_that_was_not_delivered_follows_memory_that_moves)
{
	char *p = map_filled(N), *to = map_anon(N), *buffer = map_anon(1);
	struct scan_to s = { .tracker = dev_open(), .start = p, .vec = (void *)buffer };
	int uffd = new_uffd(UFFD_FEATURE_EVENT_REMAP), keeper = new_uffd(0);
	pthread_t scanner, monitor;

	assert_ok(dev_attach_uffd(s.tracker, uffd));
	assert_ok(dev_register(s.tracker, p, LEN));
	assert_int_equal(written(s.tracker, p, LEN, false), N);
	uffd_register(keeper, buffer, PAGE, UFFDIO_REGISTER_MODE_MISSING);
	assert_ok(pthread_create(&scanner, NULL, scan_with_reset_to, &s));
	wait_for_fault(keeper);
	assert_ok(pthread_create(&monitor, NULL, read_one_event, &uffd));
	assert_ptr_equal(mremap(p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	assert_ok(pthread_join(monitor, NULL));
	/* Nothing that it could be stored in comes any more. */
	munmap(buffer, PAGE);
	close(keeper);
	assert_ok(pthread_join(scanner, NULL));
	assert_int_equal(s.ret, -EFAULT);
	assert_int_equal(written(s.tracker, to, LEN, false), N);
	close(s.tracker);
	close(uffd);
	munmap(to, LEN);
}

/* ---- beside a fault that keeps mmap_lock for ever, and a writer that waits */

static int results[2];

static atomic_bool maps;

static void *map_something(void *unused)
{
	(void)unused;
	while (!maps)
		usleep(1000);
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return NULL;
}

/* What a process calls, of which the kernel asks for the locks of the VMAs alone. */
struct calls {
	bool tracks;
	void (*run)(int uffd, char *own, char *other, int *err);
	int err[4];
};

/* It has pages that are registered with @uffd, empty, and others, of which the first is filled. */
static void call_beside_it(struct calls *calls, int begin)
{
	char *own = map_filled(4), *other = map_filled(2), byte;
	int uffd = new_uffd(0);
	pthread_t thread;

	/* A VMA that has never had a page the kernel prepares with mmap_lock. */
	madvise(own, 4 * PAGE, MADV_DONTNEED);
	madvise(other + PAGE, PAGE, MADV_DONTNEED);
	if (calls->tracks)
		tracker_of(other, 2 * PAGE);
	uffd_register(uffd, own, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	/* Before there is a reader: it maps a stack. */
	assert_ok(pthread_create(&thread, NULL, map_something, NULL));
	assert_int_equal(write(results[1], "", 1), 1);
	assert_int_equal(read(begin, &byte, 1), 1);
	maps = true;
	usleep(500000);
	calls->run(uffd, own, other, calls->err);
	_exit(write(results[1], calls->err, sizeof(calls->err)) != sizeof(calls->err));
}

static void expect_no_wait(struct calls *calls)
{
	struct pollfd p = { .events = POLLIN };
	struct unread unread;
	pid_t caller, reader;
	int begin[2];
	char ready;

	unread_begin(&unread);
	assert_ok(pipe(begin));
	assert_ok(pipe(results));
	caller = fork();
	if (!caller)
		call_beside_it(calls, begin[0]);
	assert_int_equal(read(results[0], &ready, 1), 1);
	reader = unread_start_reader(&unread, caller);
	usleep(500000);
	assert_int_equal(write(begin[1], "", 1), 1);
	p.fd = results[0];
	memset(calls->err, -1, sizeof(calls->err));
	if (poll(&p, 1, 20000) == 1)
		assert_int_equal(read(results[0], calls->err, sizeof(calls->err)),
				 sizeof(calls->err));
	unread_end(&unread);
	kill(caller, SIGKILL);
	kill(reader, SIGKILL);
	waitpid(caller, NULL, 0);
	waitpid(reader, NULL, 0);
	close(begin[0]);
	close(begin[1]);
	close(results[0]);
	close(results[1]);
}

static int copy_to(int uffd, char *to, const char *from)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)to, .src = (uintptr_t)from, .len = PAGE,
	};

	return ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0;
}

static int poison_at(int uffd, char *page)
{
	struct poison request = { .range = { (uintptr_t)page, PAGE } };

	return ioctl(uffd, POISON, &request) ? -errno : 0;
}

static void fill(int uffd, char *own, char *other, int *err)
{
	err[0] = copy_to(uffd, own, other);
	err[1] = poison_at(uffd, own + PAGE);
	err[2] = copy_to(uffd, other + PAGE, other);
	err[3] = poison_at(uffd, other + PAGE);
}

TEST(filling_waits_for_no_mmap_lock)
{
	struct calls calls = { .tracks = true, .run = fill };

	if (kernel_is_before(6, 8))
		skip_because("this kernel takes mmap_lock for it");
	expect_no_wait(&calls);
	assert_int_equal(calls.err[0], 0);
	assert_int_equal(calls.err[1], 0);
	/* What only a tracker has registered */
	assert_int_equal(calls.err[2], -ENOENT);
	assert_int_equal(calls.err[3], -ENOENT);
}

static void move(int uffd, char *own, char *other, int *err)
{
	struct move m = { .dst = (uintptr_t)own, .src = (uintptr_t)other, .len = PAGE };

	err[0] = ioctl(uffd, MOVE, &m) ? -errno : 0;
}

/* Where nothing is tracked: but for that what is armed is looked for. */
TEST(moving_waits_for_no_mmap_lock)
{
	struct calls calls = { .run = move };
	char *elsewhere = map_filled(1);
	int fd;

	needs_move();
	fd = tracker_of(elsewhere, PAGE);
	expect_no_wait(&calls);
	close(fd);
	munmap(elsewhere, PAGE);
	assert_int_equal(calls.err[0], 0);
}

/* A monitor that begins anew, at once: without a tracker that always works. */
TEST(after_a_closed_userfaultfd_comes_the_next)
{
	char *p = map_anon(N);
	int uffd = new_uffd(0), fd = dev_open(), i;

	uffd_register(uffd, p, LEN, UFFDIO_REGISTER_MODE_MISSING);
	assert_ok(dev_attach_uffd(fd, uffd));
	for (i = 0; i < 10; i++) {
		close(uffd);
		uffd = new_uffd(0);
		uffd_register(uffd, p, LEN, UFFDIO_REGISTER_MODE_MISSING);
		if (i % 2)
			continue;
		close(fd);
		fd = dev_open();
		assert_ok(dev_attach_uffd(fd, uffd));
	}
	close(uffd);
	close(fd);
	munmap(p, LEN);
}

/* ---- what is the kernel's stays the kernel's */

/* With or without a tracker in the process: the kernel copies to one VMA or not at all. */
static void copy_over_two(void)
{
	char *p = map_anon(2 * N), *page = map_filled(2 * N);
	struct uffdio_copy copy = {
		.dst = (uintptr_t)p, .src = (uintptr_t)page, .len = 2 * LEN,
		.mode = UFFDIO_COPY_MODE_WP,
	};
	int uffd = new_uffd(0), ret;

	assert_ok(mprotect(p + LEN, LEN, PROT_READ));
	uffd_register(uffd, p, 2 * LEN, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
	ret = ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0;
	assert_int_equal(ret, -ENOENT);
	close(uffd);
	munmap(p, 2 * LEN);
	munmap(page, 2 * LEN);
}

TEST(a_copy_over_two_vmas_is_refused)
{
	char *elsewhere = map_filled(1);
	int fd;

	copy_over_two();
	fd = tracker_of(elsewhere, PAGE);
	copy_over_two();
	close(fd);
	munmap(elsewhere, PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_registered_while_a_tracker_comes_is_written),
		cmocka_unit_test(what_is_registered_while_the_first_tracker_comes_is_written),
		cmocka_unit_test(a_late_call_takes_no_protection_from_a_tracker),
		cmocka_unit_test(what_is_poisoned_late_is_empty_still),
		cmocka_unit_test(what_moves_while_the_first_tracker_comes_is_not_armed),
		cmocka_unit_test(a_move_whose_result_cannot_be_stored_is_a_move),
		cmocka_unit_test(a_sleeper_goes_on_though_nothing_is_armed),
		cmocka_unit_test(a_userfaultfd_that_the_process_closes_is_closed),
		cmocka_unit_test(a_command_does_not_keep_a_closed_userfaultfd),
		cmocka_unit_test(a_report_that_was_not_delivered_follows_memory_that_moves),
		cmocka_unit_test(filling_waits_for_no_mmap_lock),
		cmocka_unit_test(moving_waits_for_no_mmap_lock),
		cmocka_unit_test(after_a_closed_userfaultfd_comes_the_next),
		cmocka_unit_test(a_copy_over_two_vmas_is_refused),
	};

	return cmocka_run_group_tests_name("late", tests, NULL, NULL);
}
