// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that is tracked uses userfaultfds of its own as if it were not; and what was
 * registered, armed and given up leaves nothing behind that the next user of the memory would
 * believe.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "madvise.h"
#include "support.h"
#include "unserved.h"

/* Not in the headers of Linux 5.10. */
#define MISSING		UFFDIO_REGISTER_MODE_MISSING
#define WP		UFFDIO_REGISTER_MODE_WP
#define MINOR		(1ull << 2)
#define FEATURE_MINOR_SHMEM	(1ull << 10)
#define FEATURE_WP_FILES	(1ull << 12)

#define N 64ul
#define LEN (N * PAGE)
#define LOST (UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN)

static char *memory;

static int set_up(void **state)
{
	(void)state;
	memory = map_filled(N);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(memory, LEN);
	return 0;
}

/* ---- userfaultfds of the process: each returns 0, or -errno */

static int uffd_register(int uffd, const void *start, size_t len, uint64_t mode)
{
	struct uffdio_register arg = { .range = { (uintptr_t)start, len }, .mode = mode };

	return ioctl(uffd, UFFDIO_REGISTER, &arg) ? -errno : 0;
}

static int uffd_unregister(int uffd, const void *start, size_t len)
{
	struct uffdio_range arg = { (uintptr_t)start, len };

	return ioctl(uffd, UFFDIO_UNREGISTER, &arg) ? -errno : 0;
}

static int uffd_protect(int uffd, const void *start, size_t len, bool protect)
{
	struct uffdio_writeprotect arg = {
		.range = { (uintptr_t)start, len },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;
}

static bool is_silent(int uffd)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 0;
}

/* The one message of a fault that is to come. */
static struct uffd_msg message_of(int uffd)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg message;

	assert_int_equal(poll(&poll_fd, 1, 30000), 1);
	assert_int_equal(read(uffd, &message, sizeof(message)), sizeof(message));
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	return message;
}

/* ---- accesses that may wait */

struct access {
	pthread_t thread;
	volatile char *at;
	bool write;
	char seen;
};

static void *do_access(void *arg)
{
	struct access *access = arg;

	if (access->write)
		*access->at = 77;
	else
		access->seen = *access->at;
	return NULL;
}

static void access_begin(struct access *access, char *at, bool write)
{
	*access = (struct access){ .at = at, .write = write };
	assert_ok(pthread_create(&access->thread, NULL, do_access, access));
}

static void access_end(struct access *access)
{
	assert_ok(pthread_join(access->thread, NULL));
}

/* ---- writes that nobody is to be told of */

struct writer {
	pthread_t thread;
	char *start;
	size_t pages;
	atomic_bool done;
};

static void *write_all(void *arg)
{
	struct writer *writer = arg;

	touch(writer->start, writer->pages, 6);
	writer->done = true;
	return NULL;
}

/* By a thread of their own, which sleeps for ever if somebody is told. */
static void write_in_silence(int uffd, char *start, size_t pages)
{
	static struct writer writer;

	writer.start = start;
	writer.pages = pages;
	writer.done = false;
	assert_ok(pthread_create(&writer.thread, NULL, write_all, &writer));
	wait_for(writer.done || !is_silent(uffd));
	assert_true(is_silent(uffd));
	assert_ok(pthread_join(writer.thread, NULL));
}

static uint64_t given(int fd)
{
	return dev_stats(fd).pages_given_way;
}

static void assert_lost(int fd, const char *start, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		assert_int_equal(categories(fd, start + i * PAGE) & LOST, LOST);
}

static void assert_kept(int fd, const char *start, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		assert_int_equal(categories(fd, start + i * PAGE) & LOST, 0);
}

/* ---- giving way */

static void gives_way_to(uint64_t mode)
{
	int fd = tracker_of(memory, LEN), uffd = new_uffd(0);

	assert_ok(uffd_register(uffd, memory, LEN, mode));
	assert_int_equal(given(fd), N);
	assert_lost(fd, memory, N);
	assert_err(dev_arm(fd, memory, LEN), ENOENT);
	assert_err(dev_register(fd, memory, LEN), EBUSY);

	/* Free again, it does not come back by itself. */
	assert_ok(uffd_unregister(uffd, memory, LEN));
	assert_lost(fd, memory, N);
	assert_ok(dev_register(fd, memory, LEN));
	assert_int_equal(written(fd, memory, LEN, true), N);
	memory[3 * PAGE] = 5;
	assert_int_equal(written(fd, memory, LEN, true), 1);
	close(uffd);
	close(fd);
}

TEST(memory_is_given_for_missing_faults)
{
	gives_way_to(MISSING);
}

TEST(memory_is_given_for_write_protection)
{
	gives_way_to(WP);
}

TEST(memory_is_given_for_both)
{
	gives_way_to(MISSING | WP);
}

/* The rest keeps its state, and the tracker its work. */
TEST(a_part_is_given)
{
	int fd = tracker_of(memory, LEN), uffd = new_uffd(0);

	memory[2 * PAGE] = 5;
	assert_ok(uffd_register(uffd, memory + 8 * PAGE, 16 * PAGE, MISSING));
	assert_int_equal(given(fd), 16);
	assert_lost(fd, memory + 8 * PAGE, 16);
	assert_kept(fd, memory, 2);
	assert_kept(fd, memory + 3 * PAGE, 5);
	assert_kept(fd, memory + 24 * PAGE, N - 24);
	assert_int_equal(written(fd, memory, 8 * PAGE, true), 1);
	memory[30 * PAGE] = 5;
	assert_int_equal(written(fd, memory + 24 * PAGE, LEN - 24 * PAGE, true), 1);
	close(uffd);
	close(fd);
}

/* Each end in the middle of a VMA, of a tracker, and with holes and free memory between. */
TEST(several_trackers_give_way_at_once)
{
	int first = tracker_of(memory, 16 * PAGE);
	int second = tracker_of(memory + 32 * PAGE, 16 * PAGE);
	int uffd = new_uffd(0);

	munmap(memory + 20 * PAGE, 4 * PAGE);
	assert_ok(uffd_register(uffd, memory + 8 * PAGE, 32 * PAGE, MISSING));
	assert_int_equal(given(first), 8);
	assert_int_equal(given(second), 8);
	assert_kept(first, memory, 8);
	assert_lost(first, memory + 8 * PAGE, 8);
	assert_lost(second, memory + 32 * PAGE, 8);
	assert_kept(second, memory + 40 * PAGE, 8);
	close(uffd);
	close(first);
	close(second);
}

/* Disarmed with pauses, but for its ends, and none of it is forgotten. */
static void a_large_range_is_given(uint64_t mode)
{
	const size_t pages = 5 * 512, skip = 100, half = pages / 2;
	char *p = map_anon(pages);
	int fd, uffd = new_uffd(0);
	struct uffdio_copy copy = { .len = PAGE, .src = (uintptr_t)memory };
	size_t i;

	touch(p, half, 1);
	fd = tracker_of(p, pages * PAGE);
	assert_ok(uffd_register(uffd, p + skip * PAGE, (pages - 2 * skip) * PAGE, mode));
	assert_int_equal(given(fd), pages - 2 * skip);
	assert_kept(fd, p, skip);
	assert_kept(fd, p + (pages - skip) * PAGE, skip);
	assert_lost(fd, p + skip * PAGE, 1);
	assert_lost(fd, p + (pages - skip - 1) * PAGE, 1);
	write_in_silence(uffd, p + skip * PAGE, half - skip);
	for (i = half; i < pages - skip && mode == MISSING; i++) {
		copy.dst = (uintptr_t)p + i * PAGE;
		assert_ok(ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0);
	}
	write_in_silence(uffd, p + half * PAGE, half - skip);
	close(uffd);
	close(fd);
	munmap(p, pages * PAGE);
}

TEST(a_large_range_is_given_for_missing_faults)
{
	a_large_range_is_given(MISSING);
}

TEST(a_large_range_is_given_for_write_protection)
{
	a_large_range_is_given(WP);
}

/* A huge page that the range cuts is split, and stays armed where it is kept. */
TEST(a_part_of_a_huge_page_is_given)
{
	char *huge = map_huge(2);
	int fd, uffd;

	if (!huge)
		skip_because("no huge pages to be had");
	fd = tracker_of(huge, 2 * HUGE_PAGE);
	uffd = new_uffd(0);
	assert_ok(uffd_register(uffd, huge + HUGE_PAGE / 2, HUGE_PAGE, MISSING));
	assert_int_equal(given(fd), 512);
	assert_int_equal(written(fd, huge, 2 * HUGE_PAGE, false), 512);
	assert_lost(fd, huge + HUGE_PAGE / 2, 1);
	assert_lost(fd, huge + HUGE_PAGE + HUGE_PAGE / 2 - PAGE, 1);
	assert_kept(fd, huge + HUGE_PAGE / 2 - PAGE, 1);
	assert_kept(fd, huge + HUGE_PAGE + HUGE_PAGE / 2, 1);
	huge[0] = 5;
	assert_int_equal(written(fd, huge, HUGE_PAGE / 2, true), 1);
	close(uffd);
	close(fd);
	munmap(huge, 2 * HUGE_PAGE);
}

/* ---- what the process's own reader is told */

static void answer_of(struct access *access, int uffd, char *page)
{
	struct uffd_msg message;

	access_begin(access, page, true);
	message = message_of(uffd);
	assert_int_equal(message.arg.pagefault.address & ~(PAGE - 1), (uintptr_t)page);
	assert_true(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
	assert_true(is_silent(uffd));
	assert_ok(uffd_protect(uffd, page, PAGE, false));
	access_end(access);
}

/* Nothing that the tracker has armed is a message; what the process protects is. */
TEST(write_messages_are_its_own)
{
	int fd = tracker_of(memory, LEN), uffd = new_uffd(0);
	struct access access;

	assert_ok(uffd_register(uffd, memory, LEN, WP));
	write_in_silence(uffd, memory, N);
	assert_int_equal(dev_stats(fd).write_faults, 0);

	assert_ok(uffd_protect(uffd, memory, 8 * PAGE, true));
	answer_of(&access, uffd, memory + PAGE);
	/* Commands of the tracker and its end change nothing. */
	assert_int_equal(written(fd, memory, LEN, true), N);
	assert_ok(dev_disarm(fd, memory, LEN));
	answer_of(&access, uffd, memory + 2 * PAGE);
	close(fd);
	answer_of(&access, uffd, memory + 3 * PAGE);
	close(uffd);
}

TEST(missing_messages_are_its_own)
{
	int fd = tracker_of(memory, LEN), uffd = new_uffd(0);
	struct uffdio_copy copy = { .len = PAGE };
	struct access access;
	static char page[PAGE] __attribute__((aligned(4096)));

	assert_ok(uffd_register(uffd, memory, LEN, MISSING));
	assert_ok(madvise(memory + PAGE, PAGE, MADV_DONTNEED));
	access_begin(&access, memory + PAGE, false);
	assert_int_equal(message_of(uffd).arg.pagefault.address & ~(PAGE - 1),
			 (uintptr_t)memory + PAGE);
	memset(page, 9, sizeof(page));
	copy.dst = (uintptr_t)memory + PAGE;
	copy.src = (uintptr_t)page;
	assert_ok(ioctl(uffd, UFFDIO_COPY, &copy));
	access_end(&access);
	assert_int_equal(access.seen, 9);
	write_in_silence(uffd, memory, N);
	close(uffd);
	close(fd);
}

/* What the tracker has put where nothing was is gone, too. */
enum before { IS_TRACKED, WAS_UNREGISTERED, WAS_CLOSED };

static void unpopulated_memory_is_given_unpopulated(uint32_t how, enum before before)
{
	char *empty = map_anon(N);
	int fd = dev_open(), uffd = new_uffd(0);
	struct uffdio_copy copy = { .len = PAGE, .src = (uintptr_t)memory };
	struct access access;
	size_t i;

	if (dev_attach(fd, 0, 0, 0, how)) {
		close(fd);
		close(uffd);
		skip_because("this kernel has no markers");
	}
	assert_ok(dev_register(fd, empty, LEN));
	assert_ok(dev_arm(fd, empty, LEN));
	assert_int_equal(empty[PAGE / 2], 0);
	if (before == WAS_UNREGISTERED)
		assert_ok(dev_unregister(fd, empty, LEN));
	if (before == WAS_CLOSED)
		close(fd);
	assert_ok(uffd_register(uffd, empty, LEN, MISSING));
	access_begin(&access, empty, false);
	assert_int_equal(message_of(uffd).arg.pagefault.address & ~(PAGE - 1), (uintptr_t)empty);
	for (i = 0; i < N; i++) {
		copy.dst = (uintptr_t)empty + i * PAGE;
		assert_ok(ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0);
	}
	access_end(&access);
	assert_int_equal(access.seen, 1);
	close(uffd);
	if (before != WAS_CLOSED)
		close(fd);
	munmap(empty, LEN);
}

TEST(zero_pages_are_not_left)
{
	unpopulated_memory_is_given_unpopulated(UFFDWP_UNPOP_ZERO, IS_TRACKED);
}

/* They would keep MISSING faults from coming as long as the process lives. */
TEST(zero_pages_do_not_outlive_the_tracker)
{
	unpopulated_memory_is_given_unpopulated(UFFDWP_UNPOP_ZERO, WAS_UNREGISTERED);
	unpopulated_memory_is_given_unpopulated(UFFDWP_UNPOP_ZERO, WAS_CLOSED);
}

/* mlock() populates, and then there are holes after all. */
TEST(zero_pages_are_not_left_in_holes_of_mlocked_memory)
{
	char *p = map_filled(N);
	struct uffdio_copy copy = {
		.dst = (uintptr_t)p, .src = (uintptr_t)memory, .len = PAGE,
	};
	int fd, uffd;

	assert_ok(mlock(p, LEN));
	if (madvise(p, LEN, MADV_DONTNEED_LOCKED))
		skip_because("this kernel has no MADV_DONTNEED_LOCKED");
	fd = tracker_of(p, LEN);
	assert_ok(dev_arm(fd, p, LEN));
	p[PAGE] = 1;
	assert_int_equal(written(fd, p, PAGE, false), 0);
	assert_int_equal(written(fd, p + PAGE, PAGE, false), 1);
	close(fd);
	uffd = new_uffd(0);
	assert_ok(uffd_register(uffd, p, LEN, MISSING));
	assert_ok(ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0);
	close(uffd);
	munmap(p, LEN);
}

TEST(markers_are_not_left)
{
	unpopulated_memory_is_given_unpopulated(UFFDWP_UNPOP_MARKER, IS_TRACKED);
}

/* ---- the zero pages of arming are gone with the tracker, whichever way it goes */

/* In one page table, and in several, which are walked with pauses */
static const size_t empty_pages[] = { N, 3 * 512 + 7 };

/* Memory that the process has never touched, and arming has mapped zero pages there. */
static int arm_empty(char **start, size_t pages)
{
	int fd = dev_open();

	*start = map_anon(pages);
	assert_ok(dev_attach(fd, 0, 0, 0, UFFDWP_UNPOP_ZERO));
	assert_ok(dev_register(fd, *start, pages * PAGE));
	assert_ok(dev_arm(fd, *start, pages * PAGE));
	return fd;
}

/* As the process has left it: each page is missing, is asked for, and is what is copied there. */
static void assert_missing_faults(char *start, size_t pages)
{
	struct uffdio_copy copy = { .len = PAGE, .src = (uintptr_t)memory };
	struct access access;
	size_t i, there = 0;
	int uffd = new_uffd(0);

	assert_ok(uffd_register(uffd, start, pages * PAGE, MISSING));
	for (i = 1; i < pages; i++) {
		copy.dst = (uintptr_t)start + i * PAGE;
		if (ioctl(uffd, UFFDIO_COPY, &copy)) {
			assert_int_equal(errno, EEXIST);
			there++;
		}
	}
	assert_int_equal(there, 0);
	access_begin(&access, start, false);
	assert_int_equal(message_of(uffd).arg.pagefault.address & ~(PAGE - 1), (uintptr_t)start);
	copy.dst = (uintptr_t)start;
	assert_ok(ioctl(uffd, UFFDIO_COPY, &copy));
	access_end(&access);
	assert_int_equal(access.seen, 1);
	for (i = 0; i < pages; i++)
		assert_int_equal(start[i * PAGE], 1);
	close(uffd);
}

#define for_empty_memory(pages)							\
	for (size_t at = 0; at < 2 && (pages = empty_pages[at]); at++)

TEST(zero_pages_are_gone_after_disarm)
{
	size_t pages;
	char *p;
	int fd;

	for_empty_memory(pages) {
		fd = arm_empty(&p, pages);
		assert_ok(dev_disarm(fd, p, pages * PAGE));
		assert_missing_faults(p, pages);
		close(fd);
		munmap(p, pages * PAGE);
	}
}

/* Disarmed, nothing tells them from those that the process has mapped itself. */
TEST(zero_pages_are_gone_after_disarm_and_close)
{
	size_t pages;
	char *p;
	int fd;

	for_empty_memory(pages) {
		fd = arm_empty(&p, pages);
		assert_ok(dev_disarm(fd, p, pages * PAGE));
		close(fd);
		assert_missing_faults(p, pages);
		munmap(p, pages * PAGE);
	}
}

/* As QEMU takes a background snapshot, and becomes the destination of a migration later. */
TEST(zero_pages_are_gone_after_write_protection)
{
	int fd, uffd;
	size_t pages;
	char *p;

	for_empty_memory(pages) {
		fd = arm_empty(&p, pages);
		uffd = new_uffd(0);
		assert_ok(uffd_register(uffd, p, pages * PAGE, WP));
		assert_ok(uffd_unregister(uffd, p, pages * PAGE));
		assert_missing_faults(p, pages);
		close(uffd);
		close(fd);
		munmap(p, pages * PAGE);
	}
}

/* Without a tracker nothing is there that could be; now each first write would be a message. */
TEST(what_was_never_touched_cannot_be_protected)
{
	int fd, uffd;
	size_t pages;
	char *p;

	for_empty_memory(pages) {
		fd = arm_empty(&p, pages);
		uffd = new_uffd(0);
		assert_ok(uffd_register(uffd, p, pages * PAGE, WP));
		assert_ok(uffd_protect(uffd, p, pages * PAGE, true));
		assert_int_equal(armed_entries(p, pages), 0);
		write_in_silence(uffd, p, pages);
		close(uffd);
		close(fd);
		munmap(p, pages * PAGE);
	}
}

/* On the same userfaultfd, which still has the memory when it asks for the other mode, too. */
TEST(zero_pages_are_gone_before_a_mode_is_added)
{
	struct uffdio_copy copy = { .len = PAGE, .src = (uintptr_t)memory };
	int fd, uffd = new_uffd(0);
	size_t i;
	char *p;

	fd = arm_empty(&p, N);
	assert_ok(uffd_register(uffd, p, LEN, WP));
	assert_ok(uffd_register(uffd, p, LEN, MISSING | WP));
	for (i = 0; i < N; i++) {
		copy.dst = (uintptr_t)p + i * PAGE;
		assert_ok(ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0);
	}
	close(uffd);
	close(fd);
	munmap(p, LEN);
}

TEST(zero_pages_are_gone_after_unregister_by_the_process)
{
	int fd, uffd = new_uffd(0);
	size_t pages;
	char *p;

	for_empty_memory(pages) {
		fd = arm_empty(&p, pages);
		assert_ok(uffd_unregister(uffd, p, pages * PAGE));
		assert_missing_faults(p, pages);
		close(fd);
		munmap(p, pages * PAGE);
	}
	close(uffd);
}

TEST(zero_pages_do_not_move)
{
	char *p, *to;
	size_t pages;
	int fd;

	for_empty_memory(pages) {
		fd = arm_empty(&p, pages);
		to = map_anon(pages);
		assert_ptr_equal(mremap(p, pages * PAGE, pages * PAGE,
					MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
		assert_missing_faults(to, pages);
		close(fd);
		munmap(to, pages * PAGE);
	}
}

/* What a scan has armed and cannot tell of is taken back, with what it has mapped for that. */
TEST(zero_pages_are_gone_after_a_scan_that_failed)
{
	struct uffdwp_scan_arg arg;
	int fd, closed;
	char *p;

	for (closed = 0; closed < 2; closed++) {
		p = map_anon(N);
		fd = dev_open();
		assert_ok(dev_attach(fd, 0, 0, 0, UFFDWP_UNPOP_ZERO));
		assert_ok(dev_register(fd, p, LEN));
		arg = scan_arg(p, LEN, (struct uffdwp_region *)8, 4);
		arg.flags = UFFDWP_SCAN_WP_MATCHING;
		assert_err(dev_scan(fd, &arg), EFAULT);
		assert_int_equal(written(fd, p, LEN, false), N);
		if (closed)
			close(fd);
		assert_missing_faults(p, N);
		if (!closed)
			close(fd);
		munmap(p, LEN);
	}
}

/* ---- other kinds of memory */

static void needs_offered(uint64_t kind)
{
	if (!(dev_kinds() & kind))
		skip_because("this kernel does not track this kind of memory");
}

static uint64_t uffd_features(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	assert_true(uffd >= 0);
	assert_ok(ioctl(uffd, UFFDIO_API, &api));
	close(uffd);
	return api.features;
}

static char *map_shared(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

TEST(shared_memory_is_given)
{
	struct access access;
	int fd, uffd;
	char *shared;

	needs_offered(UFFDWP_KIND_SHMEM);
	shared = map_shared(LEN);
	touch(shared, N / 2, 1);
	fd = tracker_of(shared, LEN);
	uffd = new_uffd(0);
	assert_ok(uffd_register(uffd, shared + 8 * PAGE, LEN - 8 * PAGE, WP));
	assert_int_equal(given(fd), N - 8);
	assert_kept(fd, shared, 8);
	write_in_silence(uffd, shared, N);
	assert_int_equal(written(fd, shared, 8 * PAGE, false), 8);
	assert_ok(uffd_protect(uffd, shared + 8 * PAGE, 2 * PAGE, true));
	answer_of(&access, uffd, shared + 8 * PAGE);
	close(fd);
	answer_of(&access, uffd, shared + 9 * PAGE);
	close(uffd);
	munmap(shared, LEN);
}

TEST(memory_is_given_for_minor_faults)
{
	char *shared, *other;
	struct access access;
	int file, fd, uffd;

	needs_offered(UFFDWP_KIND_SHMEM);
	if (!(uffd_features() & FEATURE_MINOR_SHMEM))
		skip_because("this kernel has no minor faults");
	file = memfd_create("minor", MFD_CLOEXEC);
	assert_ok(ftruncate(file, LEN));
	shared = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	other = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	assert_ptr_not_equal(other, MAP_FAILED);
	fd = tracker_of(shared, LEN);
	touch(other, N, 8);
	uffd = new_uffd(FEATURE_MINOR_SHMEM);
	assert_ok(uffd_register(uffd, shared, LEN, MINOR));
	assert_int_equal(given(fd), N);
	access_begin(&access, shared, false);
	assert_int_equal(message_of(uffd).arg.pagefault.address & ~(PAGE - 1), (uintptr_t)shared);
	assert_ok(uffd_unregister(uffd, shared, LEN));
	/* Nobody waits for it any more, but not every kernel wakes for minor faults. */
	assert_ok(ioctl(uffd, UFFDIO_WAKE, &(struct uffdio_range){ (uintptr_t)shared, LEN }));
	access_end(&access);
	assert_int_equal(access.seen, 8);
	close(uffd);
	close(fd);
	munmap(shared, LEN);
	munmap(other, LEN);
	close(file);
}

TEST(hugetlb_is_given)
{
	const size_t len = 4 * HUGE_PAGE;
	struct access access;
	int fd, uffd;
	char *huge;

	needs_offered(UFFDWP_KIND_HUGETLB);
	assert_null(hugetlb_reserve(4));
	huge = mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_ptr_not_equal(huge, MAP_FAILED);
	touch(huge, 512, 1);
	fd = tracker_of(huge, len);
	uffd = new_uffd(0);
	/* Cut, it would be refused. */
	assert_err(uffd_register(uffd, huge, HUGE_PAGE + PAGE, WP), EINVAL);
	assert_int_equal(given(fd), 0);
	assert_ok(uffd_register(uffd, huge + HUGE_PAGE, HUGE_PAGE, WP));
	assert_int_equal(given(fd), 512);
	assert_lost(fd, huge + HUGE_PAGE, 1);
	assert_kept(fd, huge, 1);
	assert_kept(fd, huge + 2 * HUGE_PAGE, 1);
	write_in_silence(uffd, huge + HUGE_PAGE, 1);
	assert_ok(uffd_protect(uffd, huge + HUGE_PAGE, HUGE_PAGE, true));
	access_begin(&access, huge + HUGE_PAGE, true);
	message_of(uffd);
	assert_ok(uffd_protect(uffd, huge + HUGE_PAGE, HUGE_PAGE, false));
	access_end(&access);
	close(uffd);
	close(fd);
	munmap(huge, len);
	hugetlb_release();
}

/* Only a userfaultfd with WP_ASYNC may have them, and another leaves them where they are. */
TEST(an_ordinary_file_is_given)
{
	int file, fd, uffd;
	char *mapped;

	needs_offered(UFFDWP_KIND_FILE);
	file = new_ordinary_file(LEN);
	mapped = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	touch(mapped, N, 1);
	fd = tracker_of(mapped, LEN);
	uffd = new_uffd(0);
	assert_err(uffd_register(uffd, mapped, LEN, WP), EINVAL);
	assert_err(uffd_unregister(uffd, mapped, LEN), EINVAL);
	assert_int_equal(given(fd), 0);
	assert_kept(fd, mapped, N);
	close(uffd);
	if (kernel_is_before(6, 7)) {
		close(fd);
		munmap(mapped, LEN);
		close(file);
		return;
	}
	uffd = new_uffd(UFFD_WP_ASYNC | UFFD_WP_UNPOPULATED);
	/* Not registered, it is what UFFDIO_UNREGISTER refuses. */
	assert_err(uffd_unregister(uffd, mapped, LEN), EINVAL);
	assert_int_equal(given(fd), 0);
	assert_ok(uffd_register(uffd, mapped, LEN, WP));
	assert_int_equal(given(fd), N);
	assert_lost(fd, mapped, N);
	close(uffd);
	close(fd);
	munmap(mapped, LEN);
	close(file);
}

/* ---- requests that are refused take nothing away */

TEST(refused_requests_change_nothing)
{
	int fd = tracker_of(memory, LEN / 2), uffd = new_uffd(0), third = new_uffd(0);
	int raw = syscall(SYS_userfaultfd, O_CLOEXEC);
	int file = new_untrackable_file(PAGE);

	assert_true(raw >= 0);
	assert_err(uffd_register(raw, memory, LEN, MISSING), EINVAL);
	assert_err(uffd_unregister(raw, memory, LEN), EINVAL);
	assert_err(uffd_register(uffd, memory, LEN, 0), EINVAL);
	assert_err(uffd_register(uffd, memory, LEN, 1ull << 40), EINVAL);
	assert_err(uffd_register(uffd, memory, LEN - 1, MISSING), EINVAL);
	assert_err(uffd_register(uffd, memory + 1, LEN, MISSING), EINVAL);
	assert_err(uffd_register(uffd, memory, 0, MISSING), EINVAL);
	assert_int_equal(ioctl(uffd, UFFDIO_REGISTER, NULL), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(ioctl(uffd, UFFDIO_UNREGISTER, NULL), -1);
	assert_int_equal(errno, EFAULT);
	/* Behind it: memory of a third one, and memory that nobody may register. */
	assert_ok(uffd_register(third, memory + LEN - PAGE, PAGE, MISSING));
	assert_err(uffd_register(uffd, memory, LEN, MISSING), EBUSY);
	assert_ok(uffd_unregister(third, memory + LEN - PAGE, PAGE));
	assert_ptr_not_equal(mmap(memory + LEN - PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
				  file, 0), MAP_FAILED);
	assert_true(uffd_register(uffd, memory, LEN, MISSING) < 0);
	assert_int_equal(given(fd), 0);
	assert_kept(fd, memory, N / 2);
	assert_int_equal(written(fd, memory, LEN / 2, false), 0);
	close(file);
	close(raw);
	close(third);
	close(uffd);
	close(fd);
}

/* What the kernel refuses to register, at that address */
static void map_read_only_file(char *at)
{
	int file = memfd_create("read-only", MFD_CLOEXEC), read_only;
	char path[64];

	assert_true(file >= 0);
	assert_ok(ftruncate(file, HUGE_PAGE));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(read_only >= 0);
	assert_ptr_equal(mmap(at, HUGE_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, read_only, 0), at);
	close(read_only);
	close(file);
}

static void map_untrackable(char *at)
{
	int file = new_untrackable_file(8 * PAGE);

	assert_ptr_equal(mmap(at, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0), at);
	close(file);
}

static void map_cut_hugetlb(char *at)
{
	assert_ptr_equal(mmap(at, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			      MAP_HUGETLB | MAP_NORESERVE | MAP_FIXED, -1, 0), at);
}

static int the_other;

static void map_of_another(char *at)
{
	assert_ptr_equal(mmap(at, HUGE_PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), at);
	assert_ok(uffd_register(the_other, at, HUGE_PAGE, MISSING));
}

static void map_of_another_then_read_only_file(char *at)
{
	map_read_only_file(at);
	assert_ptr_equal(mmap(at, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), at);
	assert_ok(uffd_register(the_other, at, PAGE, MISSING));
}

static const struct refused {
	const char *what;
	void (*map)(char *at);
	int error;
} refused[] = {
	{ "a file that may not be written", map_read_only_file, EPERM },
	{ "a kind that cannot be registered", map_untrackable, EINVAL },
	{ "hugetlb that would be cut", map_cut_hugetlb, EINVAL },
	{ "memory of another userfaultfd", map_of_another, EBUSY },
	{ "another's, and behind it a file", map_of_another_then_read_only_file, EBUSY },
};

/* The process is told why, as without a tracker, and the tracker's memory is not given for it. */
TEST(refused_requests_have_the_kernels_errors)
{
	char *all = mmap(NULL, 3 * HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* The memory that may be tracked ends where a huge page may begin. */
	char *behind = next_huge_page(all) + HUGE_PAGE, *p = behind - 8 * PAGE;
	int tracked, fd = -1, uffd, err, wrong = 0;
	const struct refused *r;

	assert_ptr_not_equal(all, MAP_FAILED);
	for (r = refused; r < refused + sizeof(refused) / sizeof(refused[0]); r++) {
		for (tracked = 0; tracked < 2; tracked++) {
			assert_ptr_equal(mmap(p, 8 * PAGE, PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p);
			touch(p, 8, 1);
			the_other = new_uffd(0);
			uffd = new_uffd(0);
			r->map(behind);
			if (tracked)
				fd = tracker_of(p, 8 * PAGE);
			err = uffd_register(uffd, p, 16 * PAGE, MISSING);
			if (err != -r->error) {
				print_message("[   INFO   ] %s%s: error %d, not %d\n", r->what,
					      tracked ? "" : ", no tracker", -err, r->error);
				wrong++;
			}
			if (tracked) {
				assert_int_equal(given(fd), 0);
				assert_kept(fd, p, 8);
				assert_int_equal(written(fd, p, 8 * PAGE, true), 0);
				close(fd);
			}
			close(uffd);
			close(the_other);
		}
	}
	munmap(all, 3 * HUGE_PAGE);
	assert_int_equal(wrong, 0);
}

TEST(a_tracker_may_keep_its_memory)
{
	int fd = dev_open(), uffd = new_uffd(0), other = tracker_of(memory + LEN / 2, LEN / 2);

	assert_err(dev_attach(fd, UFFDWP_ATTACH_KEEP | UFFDWP_ATTACH_UFFD, 0, uffd, 0), EINVAL);
	assert_ok(dev_attach(fd, UFFDWP_ATTACH_KEEP, 0, 0, 0));
	assert_ok(dev_register(fd, memory, LEN / 2));
	assert_ok(dev_arm(fd, memory, LEN / 2));
	assert_err(uffd_register(uffd, memory, LEN, MISSING), EBUSY);
	assert_err(uffd_register(uffd, memory, LEN / 2, WP), EBUSY);
	assert_err(uffd_unregister(uffd, memory, LEN), EINVAL);
	assert_int_equal(given(fd), 0);
	assert_int_equal(given(other), 0);
	assert_kept(fd, memory, N / 2);
	assert_kept(other, memory + LEN / 2, N / 2);
	assert_ok(uffd_register(uffd, memory + LEN / 2, LEN / 2, WP));
	close(other);
	close(uffd);
	close(fd);
}

/* ---- UFFDIO_UNREGISTER */

/* As if nobody had registered it, and the rest of the request is done. */
TEST(unregistering_what_one_has_not_registered_works)
{
	int fd = tracker_of(memory, 16 * PAGE), uffd = new_uffd(0);

	assert_ok(uffd_register(uffd, memory + 32 * PAGE, 16 * PAGE, WP));
	assert_ok(uffd_protect(uffd, memory + 32 * PAGE, 16 * PAGE, true));
	assert_ok(uffd_unregister(uffd, memory + 8 * PAGE, LEN - 8 * PAGE));
	assert_int_equal(given(fd), 8);
	assert_kept(fd, memory, 8);
	assert_lost(fd, memory + 8 * PAGE, 8);
	write_in_silence(uffd, memory, N);
	/* All of the rest is free for the tracker. */
	assert_ok(dev_register(fd, memory, LEN));
	assert_int_equal(written(fd, memory, LEN, true), N);
	close(uffd);
	close(fd);
}

/*
 * The kernel finds out that hugetlb would be cut when it is there, and what lies before that is
 * unregistered already.
 */
TEST(unregistering_fails_no_earlier_than_without_a_tracker)
{
	char *all = mmap(NULL, 4 * HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *huge = next_huge_page(all) + HUGE_PAGE, *own = huge - 8 * PAGE, *p = huge - 24 * PAGE;
	int tracked, fd = -1, uffd, next, ret[2], again[2];

	assert_ptr_not_equal(all, MAP_FAILED);
	assert_null(hugetlb_reserve(2));
	for (tracked = 0; tracked < 2; tracked++) {
		assert_ptr_equal(mmap(p, 8 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p);
		assert_ptr_equal(mmap(own, 8 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), own);
		assert_ptr_equal(mmap(huge, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
				      MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED, -1, 0), huge);
		uffd = new_uffd(0);
		next = new_uffd(0);
		assert_ok(uffd_register(uffd, own, 8 * PAGE, MISSING));
		assert_ok(uffd_register(uffd, huge, 2 * HUGE_PAGE, MISSING));
		if (tracked)
			fd = tracker_of(p, 8 * PAGE);
		ret[tracked] = uffd_unregister(uffd, p, huge + HUGE_PAGE + 8 * PAGE - p);
		/* Free it is another's for the asking. */
		again[tracked] = uffd_register(next, own, 8 * PAGE, MISSING);
		print_message("[   INFO   ] %s: error %d, then %d\n",
			      tracked ? "tracked" : "no tracker", -ret[tracked], -again[tracked]);
		close(uffd);
		close(next);
		if (tracked)
			close(fd);
	}
	munmap(all, 4 * HUGE_PAGE);
	hugetlb_release();
	assert_int_equal(ret[0], -EINVAL);
	assert_int_equal(ret[1], ret[0]);
	assert_int_equal(again[0], 0);
	assert_int_equal(again[1], again[0]);
}

/* The userfaultfd is the process's own: the kernel's rule, and its tracker is told. */
TEST(a_handed_in_userfaultfd_is_the_kernels_affair)
{
	int fd = dev_open(), own = new_uffd(0), other = new_uffd(0), err;

	assert_ok(dev_attach_uffd(fd, own));
	assert_ok(dev_register(fd, memory, LEN));
	assert_ok(dev_arm(fd, memory, LEN));
	assert_err(uffd_register(other, memory, LEN, MISSING), EBUSY);
	assert_int_equal(given(fd), 0);
	assert_kept(fd, memory, N);
	err = uffd_unregister(other, memory, LEN / 2);
	if (err) {
		assert_int_equal(err, -EINVAL);
		assert_int_equal(given(fd), 0);
		assert_kept(fd, memory, N);
	} else {
		assert_int_equal(given(fd), N / 2);
		assert_lost(fd, memory, N / 2);
		assert_kept(fd, memory + LEN / 2, N / 2);
	}
	touch(memory, N, 6);
	assert_true(is_silent(own) && is_silent(other));
	close(other);
	close(own);
	close(fd);
}

/* A handed-in userfaultfd registers what a tracker with one of its own has. */
TEST(trackers_give_way_to_handed_in_ones)
{
	int first = tracker_of(memory, LEN), second = dev_open(), uffd = new_uffd(0);

	assert_ok(dev_attach_uffd(second, uffd));
	/* By command they are equals. */
	assert_err(dev_register(second, memory, LEN), EBUSY);
	assert_ok(uffd_register(uffd, memory, LEN, WP));
	assert_int_equal(given(first), N);
	assert_int_equal(written(second, memory, LEN, true), N);
	assert_kept(second, memory, N);
	assert_lost(first, memory, N);
	close(first);
	memory[PAGE] = 9;
	assert_int_equal(written(second, memory, LEN, true), 1);
	close(uffd);
	close(second);
}

/* ---- a tracker that takes what is free, as often as it can */

struct taker {
	int fd;
	atomic_bool stop;
};

static void *take_on(void *arg)
{
	struct taker *taker = arg;

	while (!taker->stop) {
		if (!dev_register(taker->fd, memory, LEN))
			dev_arm(taker->fd, memory, LEN);
	}
	return NULL;
}

TEST(a_tracker_that_takes_it_again_does_not_win)
{
	struct taker taker = { .fd = tracker_of(memory, LEN) };
	int uffd = new_uffd(0), i;
	pthread_t thread;

	assert_ok(pthread_create(&thread, NULL, take_on, &taker));
	for (i = 0; i < 200; i++) {
		wait_for(!(categories(taker.fd, memory + LEN - PAGE) & UFFDWP_PAGE_IS_UNTRACKED));
		assert_ok(uffd_register(uffd, memory, LEN, i % 2 ? MISSING : WP));
		touch(memory, N, i);
		assert_true(is_silent(uffd));
		assert_ok(uffd_unregister(uffd, memory, LEN));
	}
	taker.stop = true;
	assert_ok(pthread_join(thread, NULL));
	assert_true(given(taker.fd) >= 200 * N);
	close(uffd);
	close(taker.fd);
}

/* ---- another process */

TEST(another_process_registers_its_memory)
{
	int go[2], done[2], fd, uffd, status;
	pid_t child;
	char c = 0;

	assert_ok(pipe(go));
	assert_ok(pipe(done));
	child = fork();
	if (!child) {
		uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
		if (read(go[0], &c, 1) != 1 ||
		    ioctl(uffd, UFFDIO_API, &(struct uffdio_api){ .api = UFFD_API }) ||
		    uffd_register(uffd, memory, LEN, WP))
			_exit(1);
		touch(memory, N, 7);
		if (!is_silent(uffd) || write(done[1], &c, 1) != 1 || read(go[0], &c, 1) != 1)
			_exit(2);
		_exit(0);
	}
	fd = dev_open();
	assert_ok(dev_attach_pid(fd, child));
	assert_ok(dev_register(fd, memory, LEN));
	assert_ok(dev_arm(fd, memory, LEN));
	assert_int_equal(write(go[1], &c, 1), 1);
	assert_int_equal(read(done[0], &c, 1), 1);
	assert_int_equal(given(fd), N);
	assert_lost(fd, memory, N);
	close(fd);
	assert_int_equal(write(go[1], &c, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(go[0]);
	close(go[1]);
	close(done[0]);
	close(done[1]);
}

/* ---- nothing is left behind */

/* What may happen to memory that is registered no more, and what the writes to it meet then. */
static void nothing_happens(char *p)
{
	(void)p;
}

static void mprotect_there_and_back(char *p)
{
	assert_ok(mprotect(p, LEN, PROT_READ));
	assert_ok(mprotect(p, LEN, PROT_READ | PROT_WRITE));
}

static void fork_a_child(char *p)
{
	pid_t child = fork();

	(void)p;
	if (!child)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void swap_it_out(char *p)
{
	if (swap_on(64 << 20))
		return;
	swap_out(p, LEN);
	swap_off();
}

static void (*const events[])(char *p) = {
	nothing_happens, mprotect_there_and_back, fork_a_child, swap_it_out,
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

static void unregister_by_owner(int fd, int uffd)
{
	(void)fd;
	assert_ok(uffd_unregister(uffd, memory, LEN));
}

static void unregister_by_command(int fd, int uffd)
{
	(void)uffd;
	assert_ok(dev_unregister(fd, memory, LEN));
}

static void leave_write_protect_mode(int fd, int uffd)
{
	(void)fd;
	assert_ok(uffd_register(uffd, memory, LEN, MISSING));
}

/* By the owner of the userfaultfd, past the command REGISTER, which would look itself. */
static void newly_registered_is_written_after(void (*leave)(int fd, int uffd))
{
	int fd = dev_open(), uffd = new_uffd(0);
	size_t i;

	assert_ok(dev_attach_uffd(fd, uffd));
	for (i = 0; i < EVENTS; i++) {
		assert_ok(uffd_register(uffd, memory, LEN, WP));
		assert_int_equal(written(fd, memory, LEN, true), N);
		assert_int_equal(written(fd, memory, LEN, false), 0);
		leave(fd, uffd);
		touch(memory, N / 2, 2 + i);
		events[i](memory);
		assert_ok(uffd_register(uffd, memory, LEN, WP));
		assert_int_equal(written(fd, memory, LEN, false), N);
		assert_ok(uffd_unregister(uffd, memory, LEN));
	}
	close(uffd);
	close(fd);
}

TEST(bits_do_not_outlive_the_registration)
{
	newly_registered_is_written_after(unregister_by_owner);
}

TEST(bits_do_not_outlive_the_command)
{
	newly_registered_is_written_after(unregister_by_command);
}

TEST(bits_do_not_outlive_the_mode)
{
	const char *reason = no_bits_left_behind();

	if (reason)
		skip_because("%s", reason);
	newly_registered_is_written_after(leave_write_protect_mode);
}

/* To the reader of another userfaultfd, which has protected nothing, it would be a message. */
TEST(bits_are_no_message_to_the_next)
{
	int fd = dev_open(), uffd = new_uffd(0), next = new_uffd(0);
	void (*const leave[])(int, int) = { unregister_by_owner, unregister_by_command };
	size_t i;

	assert_ok(dev_attach_uffd(fd, uffd));
	for (i = 0; i < 2; i++) {
		assert_ok(uffd_register(uffd, memory, LEN, WP));
		assert_int_equal(written(fd, memory, LEN, true), N);
		leave[i](fd, uffd);
		assert_ok(uffd_register(next, memory, LEN, WP));
		write_in_silence(next, memory, N);
		assert_ok(uffd_unregister(next, memory, LEN));
	}
	close(next);
	close(uffd);
	close(fd);
}

/* The same of memory that has moved. */
TEST(moved_bits_are_no_message)
{
	int fd = dev_open(), uffd = new_uffd(0), next = new_uffd(0);
	char *to = map_anon(N), *from = map_filled(N);

	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(uffd_register(uffd, from, LEN, WP));
	assert_int_equal(written(fd, from, LEN, true), N);
	assert_ptr_equal(mremap(from, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	assert_ok(uffd_register(next, to, LEN, WP));
	write_in_silence(next, to, N);
	munmap(to, LEN);
	close(next);
	close(uffd);
	close(fd);
}

/* Another userfaultfd of the process has protected it, and left. */
TEST(bits_of_others_are_not_believed)
{
	int fd = dev_open(), uffd = new_uffd(0), other = new_uffd(0);

	assert_ok(uffd_register(other, memory, LEN, WP));
	assert_ok(uffd_protect(other, memory, LEN, true));
	if (!no_bits_left_behind())
		assert_ok(uffd_register(other, memory, LEN, MISSING));
	close(other);
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(uffd_register(uffd, memory, LEN, WP));
	assert_int_equal(written(fd, memory, LEN, false), N);

	/* And while there is a tracker. */
	other = new_uffd(0);
	assert_ok(uffd_unregister(uffd, memory, LEN));
	assert_ok(uffd_register(other, memory, LEN, WP));
	assert_ok(uffd_protect(other, memory, LEN, true));
	assert_ok(uffd_unregister(other, memory, LEN));
	assert_ok(uffd_register(uffd, memory, LEN, WP));
	assert_int_equal(written(fd, memory, LEN, false), N);
	close(other);
	close(uffd);
	close(fd);
}

/* Bit 57 of /proc/PID/pagemap; Linux 5.10 does not show it. */
static bool has_bit(const char *page)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	assert_true(pagemap >= 0);
	assert_int_equal(pread(pagemap, &entry, sizeof(entry), (uintptr_t)page / PAGE * 8), 8);
	close(pagemap);
	return entry >> 57 & 1;
}

static void assert_clean(const char *p, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		assert_false(has_bit(p + i * PAGE));
}

TEST(bits_do_not_move)
{
	int fd = dev_open(), uffd = new_uffd(0);
	char *to = map_anon(N), *from;
	size_t i;

	assert_ok(dev_attach_uffd(fd, uffd));
	for (i = 0; i < EVENTS; i++) {
		from = map_filled(N);
		assert_ok(uffd_register(uffd, from, LEN, WP));
		assert_int_equal(written(fd, from, LEN, true), N);
		assert_ptr_equal(mremap(from, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
		assert_lost(fd, to, N);
		assert_clean(to, N);
		touch(to, N / 2, 2 + i);
		events[i](to);
		assert_ok(uffd_register(uffd, to, LEN, WP));
		assert_int_equal(written(fd, to, LEN, false), N);
	}
	munmap(to, LEN);
	close(uffd);
	close(fd);
}

/*
 * mremap() makes one VMA of what has moved and of a neighbour that is registered like it, and takes
 * all of it from the userfaultfd: the neighbour as it was, armed. Since Linux 7.3 they stay two.
 */
TEST(neighbours_of_what_has_moved_are_disarmed)
{
	/* At an address of their own, and never written: what has pages is not merged. */
	char *p = (char *)0x600000000000, *q = p + 8 * LEN;
	int fd = dev_open(), uffd = new_uffd(0);
	size_t i;

	for (i = 0; i < 2; i++)
		assert_ptr_not_equal(mmap(i ? q : p, LEN, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
					  0), MAP_FAILED);
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(uffd_register(uffd, p, LEN, WP));
	assert_ok(uffd_register(uffd, q, LEN, WP));
	assert_ok(dev_arm(fd, p, LEN));
	assert_ok(dev_arm(fd, q, LEN));
	assert_ptr_equal(mremap(q, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, p + LEN), p + LEN);
	if (is_one_vma(p, 2 * LEN)) {
		assert_lost(fd, p, 2 * N);
		assert_clean(p, 2 * N);
	} else {
		assert_false(kernel_is_before(7, 3));
		assert_int_equal(written(fd, p, LEN, false), 0);
		assert_lost(fd, p + LEN, N);
		assert_clean(p + LEN, N);
	}
	touch(p, N / 2, 5);
	assert_ok(uffd_register(uffd, p, 2 * LEN, WP));
	assert_int_equal(written(fd, p, 2 * LEN, false), 2 * N);
	munmap(p, 2 * LEN);
	close(uffd);
	close(fd);
}

int main(void)
{
#define with_set_up(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		with_set_up(memory_is_given_for_missing_faults),
		with_set_up(memory_is_given_for_write_protection),
		with_set_up(memory_is_given_for_both),
		with_set_up(a_part_is_given),
		with_set_up(a_large_range_is_given_for_missing_faults),
		with_set_up(a_large_range_is_given_for_write_protection),
		with_set_up(several_trackers_give_way_at_once),
		with_set_up(a_part_of_a_huge_page_is_given),
		with_set_up(write_messages_are_its_own),
		with_set_up(missing_messages_are_its_own),
		with_set_up(zero_pages_are_not_left),
		with_set_up(zero_pages_do_not_outlive_the_tracker),
		with_set_up(zero_pages_are_not_left_in_holes_of_mlocked_memory),
		with_set_up(markers_are_not_left),
		with_set_up(zero_pages_are_gone_after_disarm),
		with_set_up(zero_pages_are_gone_after_disarm_and_close),
		with_set_up(zero_pages_are_gone_after_write_protection),
		with_set_up(what_was_never_touched_cannot_be_protected),
		with_set_up(zero_pages_are_gone_before_a_mode_is_added),
		with_set_up(zero_pages_are_gone_after_unregister_by_the_process),
		with_set_up(zero_pages_do_not_move),
		with_set_up(zero_pages_are_gone_after_a_scan_that_failed),
		with_set_up(shared_memory_is_given),
		with_set_up(memory_is_given_for_minor_faults),
		with_set_up(hugetlb_is_given),
		with_set_up(an_ordinary_file_is_given),
		with_set_up(refused_requests_change_nothing),
		with_set_up(refused_requests_have_the_kernels_errors),
		with_set_up(a_tracker_may_keep_its_memory),
		with_set_up(unregistering_what_one_has_not_registered_works),
		with_set_up(unregistering_fails_no_earlier_than_without_a_tracker),
		with_set_up(a_handed_in_userfaultfd_is_the_kernels_affair),
		with_set_up(trackers_give_way_to_handed_in_ones),
		with_set_up(a_tracker_that_takes_it_again_does_not_win),
		with_set_up(another_process_registers_its_memory),
		with_set_up(bits_do_not_outlive_the_registration),
		with_set_up(bits_do_not_outlive_the_command),
		with_set_up(bits_do_not_outlive_the_mode),
		with_set_up(bits_are_no_message_to_the_next),
		with_set_up(moved_bits_are_no_message),
		with_set_up(bits_of_others_are_not_believed),
		with_set_up(bits_do_not_move),
		with_set_up(neighbours_of_what_has_moved_are_disarmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
