// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands and close() let others have mmap_lock while they are at work. What others do meanwhile
 * must not leave anything armed, nobody may be left asleep, and who is killed goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

/* ---- whoever is killed */

static char *map_large(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(p != MAP_FAILED);
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

/*
 * The child arms memory of ours, in which there is nothing, so that it makes page tables for a long
 * time. It is killed when some of them are there, and goes before all of them are.
 */
TEST(a_killed_arm_ends)
{
	const size_t len = 64ul << 30;
	char *large = map_large(len);
	int fd = dev_open(), status;
	long tables;
	pid_t child;

	assert_ok(dev_attach_self(fd));
	assert_ok(dev_register(fd, large, len));
	tables = number_after("/proc/self/status", "VmPTE");
	child = fork();
	if (!child) {
		dev_arm(fd, large, len);
		_exit(0);
	}
	wait_for(number_after("/proc/self/status", "VmPTE") > tables + 512);
	assert_ok(kill(child, SIGKILL));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(dev_stats(fd).pages_armed < len / PAGE);
	close(fd);
	assert_int_equal(armed_entries(large, (1ul << 30) / PAGE), 0);
	munmap(large, len);
}

/* ---- close() among writers, mmap() and mremap() */

#define CHUNK (16 * PAGE)
#define CHUNKS 16ul

struct storm {
	char *written;		/* by threads that never stop */
	size_t pages;
	char *moved;		/* CHUNKS chunks, which go to @scratch and come back */
	char *scratch;
	atomic_bool stop;
	atomic_ulong writes;
	atomic_ulong moves;
};

static void *write_on(void *arg)
{
	struct storm *s = arg;
	unsigned int seed = (uintptr_t)&seed;
	size_t i;

	while (!s->stop) {
		for (i = 0; i < 64; i++)
			s->written[(size_t)rand_r(&seed) % s->pages * PAGE] = i;
		atomic_fetch_add(&s->writes, 64);
	}
	return NULL;
}

static void move(char *from, char *to)
{
	if (mremap(from, CHUNK, CHUNK, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		abort();
}

/* From high to low and back, and what was moved is written to in either place. */
static void *move_on(void *arg)
{
	struct storm *s = arg;
	unsigned int seed = 3;
	void *p;

	while (!s->stop) {
		char *from = s->moved + rand_r(&seed) % CHUNKS * CHUNK;

		move(from, s->scratch);
		s->scratch[rand_r(&seed) % CHUNK] = 1;
		move(s->scratch, from);
		from[rand_r(&seed) % CHUNK] = 2;
		p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(p, CHUNK);
		atomic_fetch_add(&s->moves, 2);
	}
	return NULL;
}

static void check_nothing_armed(struct storm *s)
{
	assert_int_equal(armed_entries(s->written, s->pages), 0);
	assert_int_equal(armed_entries(s->moved, CHUNKS * CHUNK / PAGE), 0);
	assert_int_equal(armed_entries(s->scratch, CHUNK / PAGE), 0);
	assert_false(has_registered_memory(getpid()));
}

/*
 * What is there of the range that is moved about: a chunk may be away, and is not registered any
 * more when it comes back. That may be true of all of them when they are to be armed.
 */
static void track_all(int fd, struct storm *s)
{
	int err;

	assert_ok(dev_register(fd, s->written, s->pages * PAGE));
	assert_ok(dev_arm(fd, s->written, s->pages * PAGE));
	assert_ok(dev_register(fd, s->moved, CHUNKS * CHUNK));
	err = dev_arm(fd, s->moved, CHUNKS * CHUNK);
	if (err != -ENOENT)
		assert_ok(err);
}

static void close_in_a_storm(char *written, size_t pages, int (*attach)(int fd))
{
	struct storm s = {
		.written = written,
		.pages = pages,
		.moved = map_filled(CHUNKS * CHUNK / PAGE),
		.scratch = map_anon(CHUNK / PAGE),
	};
	const double end = seconds_now() + 5;
	unsigned long rounds = 0, before;
	pthread_t threads[3];
	int fd;

	assert_ok(pthread_create(&threads[0], NULL, write_on, &s));
	assert_ok(pthread_create(&threads[1], NULL, write_on, &s));
	assert_ok(pthread_create(&threads[2], NULL, move_on, &s));
	do {
		fd = dev_open();
		assert_ok(attach(fd));
		track_all(fd, &s);
		if (rounds % 2)
			dev_disarm(fd, s.written, s.pages * PAGE);
		close(fd);
		check_nothing_armed(&s);
		rounds++;
	} while ((seconds_now() < end || rounds < 5) && rounds < 300);
	/* All of them are still at it. */
	before = s.writes;
	wait_for(s.writes >= before + 2 * 64 * 10);
	before = s.moves;
	wait_for(s.moves >= before + 10);
	s.stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	pthread_join(threads[2], NULL);
	munmap(s.moved, CHUNKS * CHUNK);
	munmap(s.scratch, CHUNK);
	print_message("[   INFO   ] %lu trackers, %lu writes, %lu moves\n", rounds,
		      (unsigned long)s.writes, (unsigned long)s.moves);
}

TEST(close_over_small_pages)
{
	char *memory = map_filled(1024);

	close_in_a_storm(memory, 1024, dev_attach_self);
	munmap(memory, 1024 * PAGE);
}

TEST(close_over_markers)
{
	char *memory = map_anon(1024);

	if (!(dev_features() & UFFDWP_FEATURE_UNPOP_MARKER))
		skip_because("no markers on this kernel");
	close_in_a_storm(memory, 1024, dev_attach_markers);
	munmap(memory, 1024 * PAGE);
}

TEST(close_over_huge_pages)
{
	char *memory = map_huge(2);

	if (!memory)
		skip_because("no huge page could be had");
	close_in_a_storm(memory, 1024, dev_attach_self);
	munmap(memory, 2 * HUGE_PAGE);
}

TEST(close_over_hugetlb)
{
	const char *reason;
	char *memory;

	if (!(dev_kinds() & UFFDWP_KIND_HUGETLB))
		skip_because("hugetlb cannot be tracked on this kernel");
	reason = hugetlb_reserve(2);
	if (reason)
		skip_because("%s", reason);
	memory = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_true(memory != MAP_FAILED);
	close_in_a_storm(memory, 1024, dev_attach_self);
	munmap(memory, 2 * HUGE_PAGE);
	hugetlb_release();
}

/*
 * A userfaultfd that was handed in stays registered when the tracker is closed, and nobody reads
 * from it: a writer that meets an entry that is still armed never comes back.
 */
TEST(a_handed_in_userfaultfd_is_left_disarmed)
{
	struct storm s = { .written = map_filled(1024), .pages = 1024 };
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	const double end = seconds_now() + 4;
	unsigned long rounds = 0, before;
	pthread_t threads[2];
	int fd;

	assert_true(uffd >= 0);
	assert_ok(ioctl(uffd, UFFDIO_API, &api));
	assert_ok(pthread_create(&threads[0], NULL, write_on, &s));
	assert_ok(pthread_create(&threads[1], NULL, write_on, &s));
	do {
		fd = dev_open();
		assert_ok(dev_attach_uffd(fd, uffd));
		assert_ok(dev_register(fd, s.written, s.pages * PAGE));
		assert_ok(dev_arm(fd, s.written, s.pages * PAGE));
		close(fd);
		before = s.writes;
		wait_for(s.writes >= before + 2 * 64);
		rounds++;
	} while (seconds_now() < end && rounds < 1000);
	s.stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	close(uffd);
	munmap(s.written, s.pages * PAGE);
	print_message("[   INFO   ] %lu trackers, %lu writes\n", rounds, (unsigned long)s.writes);
}

/* ---- an owner that protects while the tracker is closed */

struct owner {
	int uffd;
	char *holes;
	size_t pages;
	atomic_bool stop;
	atomic_ulong calls;
};

static int protect(int uffd, const char *start, size_t len)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;
}

static void register_for_writes(int uffd, const char *start, size_t len)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	assert_ok(ioctl(uffd, UFFDIO_REGISTER, &arg));
}

/* Errors are for the kernel to tell. */
static void *protect_on(void *arg)
{
	struct owner *o = arg;

	while (!o->stop) {
		protect(o->uffd, o->holes, o->pages * PAGE);
		o->calls++;
	}
	return NULL;
}

/* The memory behind the holes is armed, so that there is much to disarm after them. */
static unsigned long close_beside(struct owner *o, const char *behind, size_t len)
{
	unsigned long before;
	pthread_t thread;
	int fd = dev_open();

	assert_ok(dev_attach(fd, UFFDWP_ATTACH_UFFD, 0, o->uffd, UFFDWP_UNPOP_MARKER));
	assert_ok(dev_arm(fd, behind, len));
	o->stop = false;
	o->calls = 0;
	assert_ok(pthread_create(&thread, NULL, protect_on, o));
	wait_for(o->calls >= 2);
	before = o->calls;
	close(fd);
	before = o->calls - before;
	o->stop = true;
	assert_ok(pthread_join(thread, NULL));
	return before;
}

/*
 * UFFDIO_WRITEPROTECT of the owner leaves markers in holes for as long as there is a tracker, which
 * no kernel does by itself here, and Linux 6.1 does not understand in anonymous memory: it warns,
 * and kills whoever touches them.
 */
TEST(an_owner_that_protects_holes_is_left_no_markers)
{
	const size_t len = 1ul << 30;
	const double end = seconds_now() + 4;
	unsigned long rounds = 0, calls = 0;
	struct owner o = { .pages = 64 };
	size_t i;

	needs_markers();
	o.holes = map_large(len);
	o.uffd = new_uffd(0);
	register_for_writes(o.uffd, o.holes, len);
	do {
		calls += close_beside(&o, o.holes + HUGE_PAGE, len - HUGE_PAGE);
		assert_int_equal(armed_entries(o.holes, o.pages), 0);
		rounds++;
	} while (seconds_now() < end && rounds < 20);
	print_message("[   INFO   ] %lu trackers, %lu calls while they were closed\n", rounds,
		      calls);
	/* Until the hooks are gone. */
	sleep(4);
	for (i = 0; i < o.pages; i++)
		assert_int_equal(*(volatile char *)(o.holes + i * PAGE), 0);
	touch(o.holes, o.pages, 3);
	for (i = 0; i < o.pages; i++)
		assert_int_equal(o.holes[i * PAGE], 3);
	close(o.uffd);
	munmap(o.holes, len);
}

/* ---- a writer that sleeps already when its userfaultfd is handed in */

struct sleeper {
	char *page;
	atomic_bool awake;
};

static void *write_once(void *arg)
{
	struct sleeper *s = arg;

	*(volatile char *)s->page = 2;
	s->awake = true;
	return NULL;
}

/*
 * From ATTACH on write faults are resolved by the module. The fault of this one came before, and
 * its reader, who may have read of it, need not answer any more.
 */
static void a_writer_sleeps_before_attach(bool owner_has_read)
{
	/* It may outlive a test that has failed. */
	static struct sleeper s;
	struct pollfd asked = { .fd = new_uffd(0), .events = POLLIN };
	int uffd = asked.fd, fd = dev_open();
	struct uffd_msg message;
	pthread_t thread;

	s = (struct sleeper){ .page = map_filled(1) };
	register_for_writes(uffd, s.page, PAGE);
	assert_ok(protect(uffd, s.page, PAGE));
	assert_ok(pthread_create(&thread, NULL, write_once, &s));
	assert_int_equal(poll(&asked, 1, 30000), 1);
	if (owner_has_read) {
		assert_int_equal(read(uffd, &message, sizeof(message)), sizeof(message));
		assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	}
	assert_false(s.awake);
	assert_ok(dev_attach_uffd(fd, uffd));
	wait_for(s.awake);
	assert_ok(pthread_join(thread, NULL));
	assert_int_equal(s.page[0], 2);
	assert_int_equal(written(fd, s.page, PAGE, false), 1);
	close(fd);
	close(uffd);
	munmap(s.page, PAGE);
}

TEST(a_writer_that_sleeps_already_is_woken)
{
	a_writer_sleeps_before_attach(false);
}

TEST(a_writer_that_its_owner_knows_of_is_woken)
{
	a_writer_sleeps_before_attach(true);
}

/* With an argument only the tests whose names match it. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_arm_ends),
		cmocka_unit_test(close_over_small_pages),
		cmocka_unit_test(close_over_markers),
		cmocka_unit_test(close_over_huge_pages),
		cmocka_unit_test(close_over_hugetlb),
		cmocka_unit_test(a_handed_in_userfaultfd_is_left_disarmed),
		cmocka_unit_test(an_owner_that_protects_holes_is_left_no_markers),
		cmocka_unit_test(a_writer_that_sleeps_already_is_woken),
		cmocka_unit_test(a_writer_that_its_owner_knows_of_is_woken),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("holds", tests, NULL, NULL);
}
