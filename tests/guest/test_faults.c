// SPDX-License-Identifier: GPL-2.0-only
/*
 * One fault for the first write to an armed page, whoever writes and whatever the page is; none for
 * the second.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "unserved.h"

#define N 256ul

/* Faults that writing to all pages takes. */
static long faults_of_writing(char *p, size_t pages)
{
	long before = faults();

	touch(p, pages, 7);
	return faults() - before;
}

TEST(own_pages_take_one_fault)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);

	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_int_equal(faults_of_writing(p, N), N);
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	assert_int_equal(faults_of_writing(p, N), 0);
	assert_int_equal(dev_stats(fd).write_faults, N);
	assert_int_equal(dev_stats(fd).fallback_faults, 0);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(only_what_is_written_is_written)
{
	struct uffdwp_region vec[4];
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);
	struct uffdwp_scan_arg arg = scan_arg(p, N * PAGE, vec, 4);

	touch(p + 3 * PAGE, 2, 7);
	touch(p + 100 * PAGE, 1, 7);
	assert_int_equal(dev_scan(fd, &arg), 2);
	assert_int_equal(vec[0].start, (uintptr_t)p + 3 * PAGE);
	assert_int_equal(vec[0].end, (uintptr_t)p + 5 * PAGE);
	assert_int_equal(vec[1].start, (uintptr_t)p + 100 * PAGE);
	assert_int_equal(vec[1].end, (uintptr_t)p + 101 * PAGE);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(reading_is_not_writing)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);
	size_t i;
	long before = faults();

	for (i = 0; i < N; i++)
		assert_int_equal(*(volatile char *)(p + i * PAGE), 1);
	assert_int_equal(faults() - before, 0);
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(zero_pages_take_one_fault)
{
	char *p = map_anon(N);
	size_t i;
	int fd;

	/* Mapped by reading, before they are armed. */
	for (i = 0; i < N; i++)
		assert_int_equal(*(volatile char *)(p + i * PAGE), 0);
	fd = tracker_of(p, N * PAGE);
	assert_int_equal(dev_stats(fd).zero_installed, 0);
	assert_int_equal(faults_of_writing(p, N), N);
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(pages_shared_after_fork_take_one_fault)
{
	char *p = map_filled(N);
	struct peer child = peer_start();
	int fd = tracker_of(p, N * PAGE);

	assert_int_equal(faults_of_writing(p, N), N);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	/* The parent has copies of its own now. */
	assert_int_equal(faults_of_writing(p, N), N);
	peer_end(&child);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(a_fork_while_armed_leaves_the_child_alone)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);
	struct peer child = peer_start();

	/* It would wait for ever if it had inherited protection. */
	peer_do(&child, PEER_WRITE, p, N * PAGE, 9);
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_int_equal(p[0], 1);
	assert_int_equal(faults_of_writing(p, N), N);
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	peer_end(&child);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(after_the_child_is_gone_one_fault)
{
	char *p = map_filled(N);
	struct peer child = peer_start();
	int fd = tracker_of(p, N * PAGE);

	peer_end(&child);
	assert_int_equal(faults_of_writing(p, N), N);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(read_writes_with_one_fault)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);
	int zero = open("/dev/zero", O_RDONLY);
	long before = faults();

	assert_int_equal(read(zero, p, N * PAGE), N * PAGE);
	assert_int_equal(faults() - before, N);
	assert_int_equal(p[0], 0);
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	close(zero);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(recv_counts_as_written)
{
	char *p = map_filled(2);
	int fd = tracker_of(p, 2 * PAGE);
	int pair[2];

	assert_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	assert_int_equal(send(pair[0], "hello", 5, 0), 5);
	assert_int_equal(recv(pair[1], p + PAGE, 5, 0), 5);
	assert_int_equal(written(fd, p, PAGE, false), 0);
	assert_int_equal(written(fd, p + PAGE, PAGE, false), 1);
	assert_memory_equal(p + PAGE, "hello", 5);
	close(pair[0]);
	close(pair[1]);
	close(fd);
	munmap(p, 2 * PAGE);
}

TEST(process_vm_writev_writes_with_one_fault)
{
	char *p = map_filled(N), *source = map_filled(N);
	int fd = tracker_of(p, N * PAGE);
	struct iovec to = { p, N * PAGE }, from = { source, N * PAGE };
	pid_t parent = getpid(), child = fork();
	int status;

	if (!child)
		_exit(process_vm_writev(parent, &from, 1, &to, 1, 0) != (ssize_t)(N * PAGE));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	assert_int_equal(dev_stats(fd).write_faults, N);
	assert_int_equal(dev_stats(fd).fallback_faults, 0);
	close(fd);
	munmap(p, N * PAGE);
	munmap(source, N * PAGE);
}

TEST(another_process_is_tracked_without_its_help)
{
	char *p = map_filled(N);
	struct peer peer = peer_start();
	int fd = dev_open();

	assert_ok(dev_attach_pid(fd, peer.pid));
	assert_ok(dev_register(fd, p, N * PAGE));
	assert_ok(dev_arm(fd, p, N * PAGE));
	assert_int_equal(written(fd, p, N * PAGE, true), 0);
	peer_do(&peer, PEER_WRITE, p + 10 * PAGE, 20 * PAGE, 5);
	assert_int_equal(written(fd, p, N * PAGE, true), 20);
	assert_int_equal(written(fd, p, N * PAGE, true), 0);
	peer_do(&peer, PEER_WRITE, p, N * PAGE, 6);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	/* Ours was never touched. */
	assert_int_equal(p[10 * PAGE], 1);
	peer_end(&peer);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(mprotect_keeps_pages_armed)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);

	assert_ok(mprotect(p, N * PAGE, PROT_READ));
	assert_ok(mprotect(p, N * PAGE, PROT_READ | PROT_WRITE));
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_int_equal(faults_of_writing(p, N), N);
	assert_int_equal(written(fd, p, N * PAGE, true), N);

	assert_ok(mprotect(p, N * PAGE, PROT_NONE));
	assert_ok(mprotect(p, N * PAGE, PROT_READ | PROT_WRITE));
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	touch(p, 5, 8);
	assert_int_equal(written(fd, p, N * PAGE, false), 5);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(memory_without_access_can_be_armed)
{
	char *p = map_anon(N);
	int fd;

	assert_ok(mprotect(p, N * PAGE, PROT_NONE));
	fd = tracker_of(p, N * PAGE);
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_ok(mprotect(p, N * PAGE, PROT_READ | PROT_WRITE));
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_int_equal(p[0], 0);
	touch(p, 3, 8);
	assert_int_equal(written(fd, p, N * PAGE, false), 3);
	assert_int_equal(p[0], 8);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(discarded_memory_is_written)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);

	assert_ok(madvise(p, 10 * PAGE, MADV_DONTNEED));
	assert_int_equal(written(fd, p, N * PAGE, true), 10);
	/* Armed again, as memory with nothing in it. */
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_int_equal(p[0], 0);
	touch(p, 1, 3);
	assert_int_equal(written(fd, p, N * PAGE, false), 1);
	close(fd);
	munmap(p, N * PAGE);
}

static int uffd_register(int uffd, void *start, size_t len, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)start, .len = len }, .mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

static int uffd_protect(int uffd, void *start, size_t len, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0;
}

TEST(a_userfaultfd_can_be_handed_in)
{
	char *p = map_filled(N), *q = map_anon(N);
	int uffd = new_uffd(0), fd = dev_open();
	struct uffd_msg message;

	assert_ok(uffd_register(uffd, p, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_ok(uffd_register(uffd, q, N * PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_ok(dev_attach_uffd(fd, uffd));

	/* Its owner protects in the usual way, populated or not; nobody answers the faults. */
	assert_ok(uffd_protect(uffd, p, N * PAGE, true));
	assert_ok(uffd_protect(uffd, q, N * PAGE, true));
	assert_int_equal(written(fd, p, N * PAGE, false), 0);
	assert_int_equal(written(fd, q, N * PAGE, false), 0);
	assert_int_equal(faults_of_writing(p, N), N);
	assert_int_equal(faults_of_writing(q, N), N);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	assert_int_equal(written(fd, q, N * PAGE, true), N);
	assert_int_equal(read(uffd, &message, sizeof(message)), -1);
	assert_int_equal(errno, EAGAIN);

	/* Taken off by hand, it reads as written: the safe side. */
	assert_ok(uffd_protect(uffd, p, PAGE, false));
	assert_int_equal(written(fd, p, N * PAGE, false), 1);

	/* Closing the tracker takes the protection away but leaves the userfaultfd to its owner. */
	close(fd);
	touch(p, N, 4);
	touch(q, N, 4);
	assert_ok(uffd_protect(uffd, p, N * PAGE, true));
	assert_ok(uffd_protect(uffd, p, N * PAGE, false));
	close(uffd);
	munmap(p, N * PAGE);
	munmap(q, N * PAGE);
}

/*
 * Its owner takes memory out of write-protect mode and back: nothing is armed then. Where the
 * kernel refuses that, they are written, too.
 */
TEST(a_mode_that_is_flipped_does_not_read_as_clean)
{
	const bool refused = no_bits_left_behind();
	char *p = map_filled(N);
	int uffd = new_uffd(0), fd = dev_open();

	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(dev_register(fd, p, N * PAGE));
	assert_ok(dev_arm(fd, p, N * PAGE));
	assert_int_equal(uffd_register(uffd, p, N * PAGE, UFFDIO_REGISTER_MODE_MISSING),
			 refused ? -EBUSY : 0);
	touch(p, 10, 5);
	assert_ok(uffd_register(uffd, p, N * PAGE,
				UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP));
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	touch(p, 10, 6);
	assert_int_equal(written(fd, p, N * PAGE, true), 10);
	close(fd);
	close(uffd);
	munmap(p, N * PAGE);
}

/* A thread whose write waits for somebody to answer its fault. */
struct sync_writer {
	char *page;
	volatile bool done;
};

static void *sync_write(void *arg)
{
	struct sync_writer *w = arg;

	*(volatile char *)w->page = 9;
	w->done = true;
	return NULL;
}

/* What the userfaultfd was made for goes on; the kernel would let WP take its place. */
TEST(missing_faults_stay_with_their_reader)
{
	char *p = map_anon(2), *q = map_anon(1), page[PAGE] = "filled";
	int uffd = new_uffd(0), fd = dev_open();
	struct uffdio_copy copy = { .dst = (uintptr_t)p, .src = (uintptr_t)page, .len = PAGE };
	struct sync_writer writer = { .page = p };
	struct uffd_msg message;
	pthread_t thread;

	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(uffd_register(uffd, q, PAGE, UFFDIO_REGISTER_MODE_MISSING));
	assert_err(dev_register(fd, q, PAGE), EBUSY);
	assert_ok(uffd_register(uffd, p, 2 * PAGE,
				UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP));
	assert_ok(dev_register(fd, p, 2 * PAGE));
	/* Nothing is put where the reader is to put something, so it stays written. */
	assert_ok(dev_arm(fd, p, 2 * PAGE));
	assert_int_equal(written(fd, p, 2 * PAGE, true), 2);
	assert_int_equal(written(fd, p, 2 * PAGE, true), 2);

	assert_ok(pthread_create(&thread, NULL, sync_write, &writer));
	while (read(uffd, &message, sizeof(message)) != sizeof(message))
		usleep(1000);
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	assert_false(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
	assert_false(writer.done);
	assert_ok(ioctl(uffd, UFFDIO_COPY, &copy));
	pthread_join(thread, NULL);
	assert_string_equal(p + 1, "illed");
	assert_int_equal(written(fd, p, PAGE, true), 1);
	*(volatile char *)p = 3;
	assert_int_equal(written(fd, p, PAGE, false), 1);
	close(fd);
	close(uffd);
	munmap(p, 2 * PAGE);
	munmap(q, PAGE);
}

/* The kernel's own way must stay as it was for everybody else. */
TEST(foreign_userfaultfds_stay_synchronous)
{
	char *p = map_filled(1), *mine = map_filled(1);
	int uffd = new_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	int fd = tracker_of(mine, PAGE);
	struct sync_writer writer = { .page = p };
	struct uffd_msg message;
	pthread_t thread;

	assert_ok(uffd_register(uffd, p, PAGE, UFFDIO_REGISTER_MODE_WP));
	assert_ok(uffd_protect(uffd, p, PAGE, true));
	assert_ok(pthread_create(&thread, NULL, sync_write, &writer));
	while (read(uffd, &message, sizeof(message)) != sizeof(message))
		usleep(1000);
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	assert_true(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
	assert_false(writer.done);
	assert_ok(uffd_protect(uffd, p, PAGE, false));
	pthread_join(thread, NULL);
	assert_int_equal(*p, 9);
	close(fd);
	close(uffd);
	munmap(p, PAGE);
	munmap(mine, PAGE);
}

TEST(two_trackers_share_a_process)
{
	char *p = map_filled(N), *q = map_filled(N);
	int a = tracker_of(p, N * PAGE), b = tracker_of(q, N * PAGE);

	assert_err(dev_register(a, q, N * PAGE), EBUSY);
	touch(p, 3, 7);
	touch(q, 5, 7);
	assert_int_equal(written(a, p, N * PAGE, true), 3);
	assert_int_equal(written(b, q, N * PAGE, true), 5);
	/* What the other one has is not clean to us. */
	assert_true(categories(a, q) & UFFDWP_PAGE_IS_UNTRACKED);
	assert_true(categories(a, q) & UFFDWP_PAGE_IS_WRITTEN);
	close(a);
	touch(q, 7, 8);
	assert_int_equal(written(b, q, N * PAGE, true), 7);
	close(b);
	munmap(p, N * PAGE);
	munmap(q, N * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_pages_take_one_fault),
		cmocka_unit_test(only_what_is_written_is_written),
		cmocka_unit_test(reading_is_not_writing),
		cmocka_unit_test(zero_pages_take_one_fault),
		cmocka_unit_test(pages_shared_after_fork_take_one_fault),
		cmocka_unit_test(a_fork_while_armed_leaves_the_child_alone),
		cmocka_unit_test(after_the_child_is_gone_one_fault),
		cmocka_unit_test(read_writes_with_one_fault),
		cmocka_unit_test(recv_counts_as_written),
		cmocka_unit_test(process_vm_writev_writes_with_one_fault),
		cmocka_unit_test(another_process_is_tracked_without_its_help),
		cmocka_unit_test(mprotect_keeps_pages_armed),
		cmocka_unit_test(memory_without_access_can_be_armed),
		cmocka_unit_test(discarded_memory_is_written),
		cmocka_unit_test(a_userfaultfd_can_be_handed_in),
		cmocka_unit_test(a_mode_that_is_flipped_does_not_read_as_clean),
		cmocka_unit_test(missing_faults_stay_with_their_reader),
		cmocka_unit_test(foreign_userfaultfds_stay_synchronous),
		cmocka_unit_test(two_trackers_share_a_process),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
