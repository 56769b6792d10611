// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to memory that a userfaultfd with WP_ASYNC protects, as in Linux 6.12: every kind of
 * memory and of write, UFFDIO_WRITEPROTECT over several mappings and its errors, and what remains
 * after UNREGISTER, close, fork, mremap and the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "environment.h"
#include "native.h"

#define N 64ul

static void give_back(int uffd, char *p, size_t len)
{
	close(uffd);
	munmap(p, len);
}

/* What a kernel with these interfaces of its own can do, it must do. */
static bool has_module(void)
{
	return !access("/sys/module/uffdwp_async", F_OK);
}

/* ---- kinds of memory */

static void writes_are_seen_in(char *p)
{
	int uffd = async_uffd_of(p, N * PAGE);

	assert_int_equal(written_here(p, N * PAGE), 0);
	touch(p + 5 * PAGE, 2, 5);
	p[40 * PAGE + 4095] = 6;
	assert_int_equal(written_here(p, N * PAGE), 3);
	assert_true(is_written(p + 5 * PAGE) && is_written(p + 6 * PAGE));
	assert_true(is_written(p + 40 * PAGE));
	assert_int_equal(p[5 * PAGE], 5);
	assert_int_equal(p[40 * PAGE + 4095], 6);
	assert_int_equal(reset_here(p, N * PAGE), 3);
	assert_int_equal(written_here(p, N * PAGE), 0);
	touch(p + 5 * PAGE, 1, 7);
	assert_int_equal(written_here(p, N * PAGE), 1);
	assert_true(is_silent(uffd));
	give_back(uffd, p, N * PAGE);
}

TEST(private_memory)
{
	writes_are_seen_in(map_filled(N));
}

TEST(memory_with_nothing_in_it)
{
	writes_are_seen_in(map_anon(N));
}

TEST(zero_pages)
{
	char *p = map_anon(N);
	size_t i;

	for (i = 0; i < N; i++)
		assert_int_equal(*(volatile char *)(p + i * PAGE), 0);
	writes_are_seen_in(p);
}

TEST(shared_memory)
{
	char *p = map_shared(N * PAGE, NULL);

	needs_memory_of_files();
	touch(p, N, 1);
	writes_are_seen_in(p);
}

TEST(shared_memory_with_nothing_in_it)
{
	needs_memory_of_files();
	writes_are_seen_in(map_shared(N * PAGE, NULL));
}

/* In the file, not in the mapping */
TEST(shared_memory_not_mapped_yet)
{
	char *alias, *p = map_shared(N * PAGE, &alias);

	needs_memory_of_files();
	touch(alias, N, 1);
	writes_are_seen_in(p);
	munmap(alias, N * PAGE);
}

TEST(huge_pages)
{
	char *p = map_huge(2);
	int uffd;

	if (!p)
		skip_because("no huge page was to be had");
	uffd = async_uffd_of(p, 2 * HUGE_PAGE);
	assert_int_equal(written_here(p, 2 * HUGE_PAGE), 0);
	touch(p + 100 * PAGE, 2, 2);
	assert_int_equal(written_here(p, 2 * HUGE_PAGE), 2);
	/* A part of one is protected. */
	assert_ok(uffd_protect(uffd, p + HUGE_PAGE, 10 * PAGE, 0));
	assert_int_equal(written_here(p, 2 * HUGE_PAGE), 12);
	assert_ok(uffd_protect(uffd, p, 2 * HUGE_PAGE, WRITEPROTECT_WP));
	assert_int_equal(written_here(p, 2 * HUGE_PAGE), 0);
	assert_int_equal(p[99 * PAGE], 1);
	assert_int_equal(p[100 * PAGE], 2);
	give_back(uffd, p, 2 * HUGE_PAGE);
}

TEST(hugetlb)
{
	const char *reason = hugetlb_reserve(4);
	char *p;
	int uffd;

	needs_memory_of_files();
	if (reason)
		skip_because("%s", reason);
	p = map_hugetlb(4, NULL);
	assert_non_null(p);
	/* Two are there, two are not. */
	touch(p, 1, 1);
	touch(p + 2 * HUGE_PAGE, 1, 1);
	uffd = async_uffd_of(p, 4 * HUGE_PAGE);
	assert_int_equal(written_here(p, 4 * HUGE_PAGE), 0);
	touch(p + 3 * PAGE, 1, 3);
	touch(p + HUGE_PAGE + 9 * PAGE, 1, 4);
	assert_int_equal(written_here(p, 4 * HUGE_PAGE), 1024);
	assert_int_equal(reset_here(p, 4 * HUGE_PAGE), 1024);
	assert_int_equal(written_here(p, 4 * HUGE_PAGE), 0);
	touch(p + 2 * HUGE_PAGE, 1, 5);
	assert_int_equal(written_here(p, 4 * HUGE_PAGE), 512);
	assert_int_equal(p[0] + p[3 * PAGE], 1 + 3);
	assert_int_equal(p[HUGE_PAGE + 9 * PAGE] + p[2 * HUGE_PAGE], 4 + 5);
	assert_true(is_silent(uffd));
	assert_err(uffd_protect(uffd, p, PAGE, WRITEPROTECT_WP), EINVAL);
	assert_err(uffd_protect(uffd, p + PAGE, HUGE_PAGE, WRITEPROTECT_WP), EINVAL);
	give_back(uffd, p, 4 * HUGE_PAGE);
	hugetlb_release();
}

/* Linux 6.1 cannot register mappings of ordinary files. */
TEST(ordinary_files)
{
	int fd = new_ordinary_file(N * PAGE), uffd = async_uffd(), ret;
	char *p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	close(fd);
	ret = uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL);
	if (ret == -EINVAL && has_module()) {
		give_back(uffd, p, N * PAGE);
		skip_because("mappings of ordinary files are not registered by this kernel");
	}
	assert_ok(ret);
	close(uffd);
	writes_are_seen_in(p);
}

/* ---- kinds of writes */

TEST(writes_by_the_kernel)
{
	char *p = map_filled(N), *fresh = map_anon(N);
	struct iovec from, to;
	int uffd, ends[2];

	/* The kernel's faults are served even if it is to have none. */
	uffd = raw_uffd_of_user_mode();
	assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC, NULL));
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_register(uffd, fresh, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	assert_ok(uffd_protect(uffd, fresh, N * PAGE, WRITEPROTECT_WP));
	assert_ok(pipe2(ends, O_CLOEXEC));
	assert_int_equal(write(ends[1], "ab", 2), 2);
	assert_int_equal(read(ends[0], p + 3 * PAGE, 1), 1);
	assert_int_equal(read(ends[0], fresh + 3 * PAGE, 1), 1);
	assert_true(is_written(p + 3 * PAGE) && p[3 * PAGE] == 'a');
	assert_true(is_written(fresh + 3 * PAGE) && fresh[3 * PAGE] == 'b');
	from = (struct iovec){ "xyz", 3 };
	to = (struct iovec){ p + 9 * PAGE, 3 };
	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) == 3)
		assert_true(is_written(p + 9 * PAGE) && p[9 * PAGE] == 'x');
	assert_int_equal(write(ends[1], p + 20 * PAGE, 2), 2);
	assert_false(is_written(p + 20 * PAGE));
	close(ends[0]);
	close(ends[1]);
	munmap(fresh, N * PAGE);
	give_back(uffd, p, N * PAGE);
}

TEST(one_fault_for_the_first_write)
{
	char *p = map_filled(N);
	int uffd = async_uffd_of(p, N * PAGE);
	long before;

	before = faults();
	touch(p, N, 2);
	assert_int_equal(faults() - before, N);
	before = faults();
	touch(p, N, 3);
	assert_int_equal(faults() - before, 0);
	give_back(uffd, p, N * PAGE);
}

/* A writer at random, a copy that is updated from scans only: equal in the end. */
static struct {
	volatile bool stop;
	volatile uint64_t *words;
	volatile uint64_t writes;
} stream;

static void *write_at_random(void *arg)
{
	uint64_t random = 4711, writes = 0;

	(void)arg;
	do {
		stream.words[next_random(&random) % (N * PAGE / 8)] = ++writes;
		stream.writes = writes;
		if (writes % 64 == 0)
			sched_yield();
	} while (!stream.stop);
	return NULL;
}

static void copy_written(int pagemap, const char *p, char *copy)
{
	struct scan_region vec[16];
	struct scan scan = written_pages(p, N * PAGE, vec, 16);
	int n, i;

	scan.flags = WP_MATCHING | CHECK_WPASYNC;
	do {
		n = scan_pages(pagemap, &scan);
		assert_true(n >= 0);
		for (i = 0; i < n; i++)
			memcpy(copy + (vec[i].start - (uintptr_t)p), (char *)vec[i].start,
			       vec[i].end - vec[i].start);
		scan.start = scan.walk_end;
	} while (scan.walk_end < scan.end);
}

static void no_write_is_missed_in(char *p)
{
	char *copy = map_filled(N);
	int uffd = async_uffd_of(p, N * PAGE), pagemap = open_pagemap(0), i;
	uint64_t seen = 0;
	pthread_t thread;

	memcpy(copy, p, N * PAGE);
	stream.stop = false;
	stream.writes = 0;
	stream.words = (uint64_t *)p;
	assert_ok(pthread_create(&thread, NULL, write_at_random, NULL));
	/* On few processors the writer may have had none of them during all of those scans. */
	for (i = 0; i < 3000 || stream.writes <= 3000; i++) {
		copy_written(pagemap, p, copy);
		/* It is the writer who may hang. */
		if (stream.writes - seen > 100) {
			seen = stream.writes;
			start_clock(NULL);
		}
	}
	stream.stop = true;
	pthread_join(thread, NULL);
	copy_written(pagemap, p, copy);
	for (i = 0; i < (int)N; i++)
		if (memcmp(p + i * PAGE, copy + i * PAGE, PAGE))
			fail_msg("page %d was written and not reported (%ju writes)", i,
				 (uintmax_t)stream.writes);
	close(pagemap);
	munmap(copy, N * PAGE);
	give_back(uffd, p, N * PAGE);
}

TEST(no_write_to_private_memory_is_missed)
{
	no_write_is_missed_in(map_filled(N));
}

TEST(no_write_to_shared_memory_is_missed)
{
	char *p = map_shared(N * PAGE, NULL);

	needs_memory_of_files();
	no_write_is_missed_in(p);
}

/* ---- UFFDIO_WRITEPROTECT */

/* Two mappings side by side, that the kernel does not merge. */
static char *map_two(void)
{
	char *p = map_filled(N);

	assert_ok(madvise(p + N / 2 * PAGE, N / 2 * PAGE, MADV_DONTFORK));
	return p;
}

TEST(protecting_several_mappings)
{
	char *p = map_two();
	int uffd = async_uffd_of(p, N * PAGE);

	assert_int_equal(written_here(p, N * PAGE), 0);
	assert_ok(uffd_protect(uffd, p + (N / 2 - 3) * PAGE, 6 * PAGE, 0));
	assert_int_equal(written_here(p, N * PAGE), 6);
	touch(p + 2 * PAGE, N / 2, 2);
	assert_int_equal(written_here(p, N * PAGE), N / 2 + 1);
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	assert_int_equal(written_here(p, N * PAGE), 0);
	assert_ok(uffd_protect(uffd, p, N * PAGE, 0));
	assert_int_equal(written_here(p, N * PAGE), N);
	/* Written without a fault that anybody has to serve */
	touch(p, N, 3);
	assert_true(is_silent(uffd));
	give_back(uffd, p, N * PAGE);
}

/* Of several kinds, one of them with nothing in it */
TEST(protecting_kinds_side_by_side)
{
	char *p = map_anon(3 * N), *shared;
	int uffd = async_uffd(), fd = syscall(SYS_memfd_create, "native", MFD_CLOEXEC);

	needs_memory_of_files();
	assert_ok(ftruncate(fd, N * PAGE));
	shared = mmap(p + N * PAGE, N * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		      0);
	assert_ptr_equal(shared, p + N * PAGE);
	close(fd);
	touch(p, N / 2, 1);
	assert_ok(uffd_register(uffd, p, 3 * N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, 3 * N * PAGE, WRITEPROTECT_WP));
	assert_int_equal(written_here(p, 3 * N * PAGE), 0);
	touch(p + (N - 1) * PAGE, N + 2, 2);
	assert_int_equal(written_here(p, 3 * N * PAGE), N + 2);
	assert_ok(uffd_protect(uffd, p, 3 * N * PAGE, 0));
	assert_int_equal(written_here(p, 3 * N * PAGE), 3 * N);
	give_back(uffd, p, 3 * N * PAGE);
}

TEST(protecting_over_gaps)
{
	char *p = map_filled(N);
	int uffd = async_uffd();

	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(munmap(p + 8 * PAGE, 8 * PAGE));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	assert_int_equal(written_here(p, N * PAGE), 0);
	/* From inside the gap */
	assert_ok(uffd_protect(uffd, p + 10 * PAGE, 20 * PAGE, 0));
	assert_int_equal(written_here(p, N * PAGE), 14);
	/* Nothing but the gap */
	assert_err(uffd_protect(uffd, p + 9 * PAGE, 2 * PAGE, WRITEPROTECT_WP), ENOENT);
	assert_err(uffd_protect(uffd, p + 9 * PAGE, 2 * PAGE, 0), ENOENT);
	give_back(uffd, p, N * PAGE);
}

TEST(protecting_what_is_not_registered)
{
	char *p = map_filled(N);
	int uffd = async_uffd();

	assert_err(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP), ENOENT);
	assert_ok(uffd_register(uffd, p, 8 * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_register(uffd, p + 16 * PAGE, 8 * PAGE, REGISTER_WP, NULL));
	/* Up to there it has been done. */
	assert_err(uffd_protect(uffd, p, 24 * PAGE, WRITEPROTECT_WP), ENOENT);
	assert_int_equal(written_here(p, 8 * PAGE), 0);
	assert_int_equal(written_here(p + 16 * PAGE, 8 * PAGE), 8);
	assert_err(uffd_protect(uffd, p, 24 * PAGE, 0), ENOENT);
	/* Registered for something else */
	assert_ok(uffd_register(uffd, p + 32 * PAGE, PAGE, REGISTER_MISSING, NULL));
	assert_err(uffd_protect(uffd, p + 32 * PAGE, PAGE, WRITEPROTECT_WP), ENOENT);
	give_back(uffd, p, N * PAGE);
}

TEST(protecting_with_wrong_arguments)
{
	char *p = map_filled(N);
	int uffd = async_uffd();
	uint64_t bit;

	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	for (bit = 4; bit; bit <<= 1)
		assert_err(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP | bit), EINVAL);
	assert_err(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP | WRITEPROTECT_DONTWAKE),
		   EINVAL);
	assert_err(uffd_protect(uffd, p + 1, PAGE, WRITEPROTECT_WP), EINVAL);
	assert_err(uffd_protect(uffd, p, PAGE + 1, WRITEPROTECT_WP), EINVAL);
	assert_err(uffd_protect(uffd, p, 0, WRITEPROTECT_WP), EINVAL);
	assert_err(uffd_protect(uffd, p, (size_t)-4096, WRITEPROTECT_WP), EINVAL);
	assert_err(uffd_protect(uffd, (void *)0xffff888000000000ul, PAGE, WRITEPROTECT_WP), EINVAL);
	assert_int_equal(ioctl(uffd, UFFDIO_WRITEPROTECT, NULL), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(ioctl(uffd, UFFDIO_WRITEPROTECT, (void *)0xffff888000000000ul), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(written_here(p, N * PAGE), N);
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_DONTWAKE));
	give_back(uffd, p, N * PAGE);
}

/* Markers in memory with nothing in it go as they came. */
TEST(unprotecting_nothing)
{
	char *p = map_anon(N);
	int uffd = async_uffd_of(p, N * PAGE);

	assert_int_equal(written_here(p, N * PAGE), 0);
	assert_ok(uffd_protect(uffd, p, N * PAGE, 0));
	assert_int_equal(written_here(p, N * PAGE), N);
	assert_int_equal(*(volatile char *)p, 0);
	touch(p, N, 1);
	assert_int_equal(written_here(p, N * PAGE), N);
	give_back(uffd, p, N * PAGE);
}

/* ---- other processes */

TEST(protecting_another_process)
{
	char *p = map_filled(N), *shared = map_shared(PAGE, NULL);
	volatile int *step = (volatile int *)shared;
	pid_t pid = fork();
	int pidfd, uffd, pagemap;

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		uffd = async_uffd();
		assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
		step[1] = uffd;
		for (*step = 1; *step < 2; )
			usleep(1000);
		touch(p + 3 * PAGE, 2, 2);
		for (*step = 3;;)
			pause();
	}
	wait_for(*step == 1);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	uffd = syscall(SYS_pidfd_getfd, pidfd, step[1], 0);
	assert_true(uffd >= 0);
	pagemap = open_pagemap(pid);
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	assert_int_equal(count_written(pagemap, p, N * PAGE, false), 0);
	*step = 2;
	wait_for(*step == 3);
	assert_int_equal(count_written(pagemap, p, N * PAGE, true), 2);
	assert_ok(uffd_unregister(uffd, p, PAGE));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_err(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP), ESRCH);
	assert_err(uffd_protect(uffd, p, N * PAGE, 0), ESRCH);
	close(pidfd);
	close(pagemap);
	munmap(shared, PAGE);
	give_back(uffd, p, N * PAGE);
}

/* ---- what remains */

static void is_free(char *p, size_t pages)
{
	size_t i;

	assert_int_equal(written_here(p, pages * PAGE), pages * unregistered_is_written());
	for (i = 0; i < pages; i++)
		assert_false(pagemap_entry(p + i * PAGE) >> 57 & 1);
	assert_false(categories_here(p) & IS_WPALLOWED);
	touch(p, pages, 9);
}

/* Whatever is in it: pages, zero pages, nothing */
static char *map_mixed(void)
{
	char *p = map_anon(N);

	touch(p, N / 2, 1);
	assert_int_equal(*(volatile char *)(p + (N - 1) * PAGE), 0);
	return p;
}

TEST(after_unregister)
{
	char *p = map_mixed();
	int uffd = async_uffd_of(p, N * PAGE);

	/* A part of it; the rest stays. */
	assert_ok(uffd_unregister(uffd, p, 4 * PAGE));
	assert_int_equal(written_here(p, N * PAGE), 4 * unregistered_is_written());
	touch(p + 3 * PAGE, 2, 2);
	assert_int_equal(written_here(p, N * PAGE), 4 * unregistered_is_written() + 1);
	assert_ok(uffd_unregister(uffd, p, N * PAGE));
	is_free(p, N);
	/* Registered again it is written until it is protected. */
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_int_equal(written_here(p, N * PAGE), N);
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	assert_int_equal(written_here(p, N * PAGE), 0);
	give_back(uffd, p, N * PAGE);
}

TEST(after_close)
{
	char *p = map_mixed();
	int uffd = async_uffd_of(p, N * PAGE);

	close(uffd);
	is_free(p, N);
	munmap(p, N * PAGE);
}

/* The same of shared memory, half of it with nothing in it */
TEST(shared_memory_after_all)
{
	char *p = map_shared(N * PAGE, NULL);
	int uffd;

	needs_memory_of_files();
	touch(p, N / 2, 1);
	uffd = async_uffd_of(p, N * PAGE);
	assert_ok(uffd_unregister(uffd, p, N * PAGE));
	is_free(p, N);
	assert_ok(madvise(p, N * PAGE, MADV_DONTNEED));
	touch(p, N / 2, 1);
	close(uffd);
	uffd = async_uffd_of(p, N * PAGE);
	close(uffd);
	is_free(p, N);
	munmap(p, N * PAGE);
}

/* Closed while a thread writes: no write may hang, or fail. */
TEST(closed_under_a_writer)
{
	char *p = map_filled(N);
	pthread_t thread;
	int i, uffd;

	stream.stop = false;
	stream.words = (uint64_t *)p;
	assert_ok(pthread_create(&thread, NULL, write_at_random, NULL));
	for (i = 0; i < 200; i++) {
		uffd = async_uffd_of(p, N * PAGE);
		if (i % 2)
			assert_ok(uffd_unregister(uffd, p, N * PAGE));
		close(uffd);
	}
	stream.stop = true;
	pthread_join(thread, NULL);
	is_free(p, N);
	munmap(p, N * PAGE);
}

TEST(a_forked_child_is_not_tracked)
{
	char *p = map_mixed();
	int uffd = async_uffd_of(p, N * PAGE);

	touch(p, 2, 2);
	in_child({
		struct scan_region region;
		struct scan scan = written_pages(p, PAGE, &region, 1);
		int pagemap = open_pagemap(0);

		close(uffd);
		touch(p, N, 3);
		scan.category_mask = 0;
		scan.return_mask = IS_ALL;
		child_expects(scan_pages(pagemap, &scan) == 1);
		child_expects(!(region.categories & IS_WPALLOWED));
		child_expects((region.categories & IS_WRITTEN) == UNREGISTERED_WRITTEN);
		scan.flags = CHECK_WPASYNC;
		child_expects(scan_pages(pagemap, &scan) == -EPERM);
		child_expects(p[5 * PAGE] == 3);
	});
	/* The parent's memory is its own. */
	assert_int_equal(written_here(p, N * PAGE), 2);
	assert_int_equal(p[0], 2);
	assert_int_equal(p[5 * PAGE], 1);
	touch(p + 4 * PAGE, 3, 4);
	assert_int_equal(written_here(p, N * PAGE), 5);
	give_back(uffd, p, N * PAGE);
}

static void *read_fork_event(void *arg)
{
	struct pollfd poll_fd = { .fd = *(int *)arg, .events = POLLIN };
	struct uffd_msg message;

	if (poll(&poll_fd, 1, 30000) != 1 ||
	    read(poll_fd.fd, &message, sizeof(message)) != sizeof(message) ||
	    message.event != UFFD_EVENT_FORK)
		return (void *)-1L;
	return (void *)(long)message.arg.fork.ufd;
}

/* With fork events the child has a userfaultfd of the same kind: its writes are resolved, too. */
TEST(a_forked_child_with_events)
{
	char *p = map_mixed(), *shared = map_shared(PAGE, NULL);
	volatile int *step = (volatile int *)shared;
	int uffd = raw_uffd(0), pagemap;
	pthread_t thread;
	void *theirs;
	pid_t pid;

	*step = 0;
	assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC | FEATURE_EVENT_FORK, NULL));
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	/* fork() waits until its event is read. */
	assert_ok(pthread_create(&thread, NULL, read_fork_event, &uffd));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		touch(p, 3, 3);
		touch(p + (N - 2) * PAGE, 2, 3);
		for (*step = 1;;)
			pause();
	}
	pthread_join(thread, &theirs);
	assert_true((long)theirs >= 0);
	wait_for(*step == 1);
	pagemap = open_pagemap(pid);
	assert_int_equal(count_written(pagemap, p, N / 2 * PAGE, true), 3);
	assert_int_equal(count_written(pagemap, p, N / 2 * PAGE, true), 0);
	/* The parent's memory is its own. */
	assert_int_equal(written_here(p, N * PAGE), 0);
	touch(p, 1, 4);
	assert_int_equal(written_here(p, N * PAGE), 1);
	assert_true(is_silent((long)theirs) && is_silent(uffd));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close((long)theirs);
	close(pagemap);
	munmap(shared, PAGE);
	give_back(uffd, p, N * PAGE);
}

TEST(thrown_away_is_written)
{
	char *p = map_mixed();
	int uffd = async_uffd_of(p, N * PAGE);

	assert_int_equal(written_here(p, N * PAGE), 0);
	assert_ok(madvise(p, 3 * PAGE, MADV_DONTNEED));
	assert_ok(madvise(p + (N - 3) * PAGE, 3 * PAGE, MADV_DONTNEED));
	assert_int_equal(written_here(p, N * PAGE), 6);
	assert_int_equal(*(volatile char *)p, 0);
	assert_int_equal(reset_here(p, N * PAGE), 6);
	assert_int_equal(written_here(p, N * PAGE), 0);
	touch(p, 2, 4);
	touch(p + (N - 1) * PAGE, 1, 4);
	assert_int_equal(written_here(p, N * PAGE), 3);
	give_back(uffd, p, N * PAGE);
}

/* ---- what a monitor protects while other memory of the same call is still being discarded */

#define BIG (128ul << 20)

static struct {
	char *p;
	atomic_bool done;
} discarding;

static void *discard_big(void *unused)
{
	(void)unused;
	madvise(discarding.p, BIG, MADV_DONTNEED);
	discarding.done = true;
	return NULL;
}

/* Returns whether the first page was protected before the call was over. */
static bool protect_meanwhile(int uffd)
{
	char *p = discarding.p;
	pthread_t thread;
	bool meanwhile;

	touch(p, BIG / PAGE, 1);
	discarding.done = false;
	assert_ok(pthread_create(&thread, NULL, discard_big, NULL));
	while (categories_here(p) & IS_PRESENT)
		;
	*(volatile char *)p = 2;
	assert_ok(uffd_protect(uffd, p, PAGE, WRITEPROTECT_WP));
	meanwhile = !discarding.done;
	pthread_join(thread, NULL);
	return meanwhile;
}

/* By a userfaultfd that delivers write faults: nobody else would tell of the next write. */
TEST(what_is_protected_during_a_discard_stays_so)
{
	int uffd = raw_uffd(O_CLOEXEC), tries = 20;

	assert_ok(uffd_api(uffd, FEATURE_WP | FEATURE_WP_UNPOPULATED, NULL));
	discarding.p = map_anon(BIG / PAGE);
	madvise(discarding.p, BIG, MADV_NOHUGEPAGE);
	assert_ok(uffd_register(uffd, discarding.p, BIG, REGISTER_WP, NULL));
	while (tries && !protect_meanwhile(uffd)) {
		assert_ok(uffd_protect(uffd, discarding.p, PAGE, 0));
		tries--;
	}
	if (!tries)
		skip_because("the call was over each time");
	assert_false(is_written(discarding.p));
	assert_int_equal(*discarding.p, 2);
	give_back(uffd, discarding.p, BIG);
}

/* Shared memory keeps its content, and may keep its protection. */
TEST(shared_memory_is_thrown_away)
{
	char *p = map_shared(N * PAGE, NULL);
	int uffd;

	needs_memory_of_files();
	touch(p, 1, 5);
	uffd = async_uffd_of(p, N * PAGE);
	assert_ok(madvise(p, 2 * PAGE, MADV_DONTNEED));
	assert_int_equal(*(volatile char *)p, 5);
	reset_here(p, N * PAGE);
	assert_int_equal(written_here(p, N * PAGE), 0);
	touch(p, 2, 6);
	assert_int_equal(written_here(p, N * PAGE), 2);
	give_back(uffd, p, N * PAGE);
}

/* Whether a hole in a file counts as written is not said; that the next write does is. */
TEST(holes_in_shared_memory)
{
	char *p = map_shared(N * PAGE, NULL);
	int uffd;

	needs_memory_of_files();
	touch(p, N, 5);
	uffd = async_uffd_of(p, N * PAGE);
	assert_ok(madvise(p, 4 * PAGE, MADV_REMOVE));
	assert_int_equal(*(volatile char *)p, 0);
	reset_here(p, N * PAGE);
	assert_int_equal(written_here(p, N * PAGE), 0);
	touch(p, 2, 6);
	touch(p + 2 * PAGE, 3, 6);
	assert_int_equal(written_here(p, N * PAGE), 5);
	assert_true(is_silent(uffd));
	give_back(uffd, p, N * PAGE);
}

TEST(moved_memory_is_not_tracked)
{
	char *p = map_filled(N), *target = map_anon(N), *q;
	int uffd = async_uffd_of(p, N * PAGE);

	q = mremap(p, N * PAGE, N * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	assert_ptr_equal(q, target);
	assert_false(categories_here(q) & IS_WPALLOWED);
	assert_int_equal(written_here(q, N * PAGE), N * unregistered_is_written());
	touch(q, N, 2);
	assert_int_equal(q[5 * PAGE], 2);
	assert_true(is_silent(uffd));
	assert_err(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP), ENOENT);
	give_back(uffd, q, N * PAGE);
}

TEST(protection_of_the_mapping_changes)
{
	char *p = map_mixed();
	int uffd = async_uffd_of(p, N * PAGE);

	assert_ok(mprotect(p, N * PAGE, PROT_NONE));
	assert_int_equal(written_here(p, N * PAGE), 0);
	assert_ok(mprotect(p, N * PAGE, PROT_READ));
	assert_int_equal(p[0], 1);
	assert_ok(mprotect(p, N * PAGE, PROT_READ | PROT_WRITE));
	assert_int_equal(written_here(p, N * PAGE), 0);
	touch(p + 3 * PAGE, 2, 2);
	touch(p + (N - 3) * PAGE, 2, 2);
	assert_int_equal(written_here(p, N * PAGE), 4);
	/* What was written stays so, too. */
	assert_ok(mprotect(p, N * PAGE, PROT_READ));
	assert_ok(mprotect(p, N * PAGE, PROT_READ | PROT_WRITE));
	assert_int_equal(written_here(p, N * PAGE), 4);
	give_back(uffd, p, N * PAGE);
}

/* Protected where there may be no writing: the mapping's rule stands. */
TEST(read_only_memory_stays_read_only)
{
	char *p = map_filled(N);
	int uffd = async_uffd_of(p, N * PAGE), ends[2];

	assert_ok(pipe2(ends, O_CLOEXEC));
	assert_ok(mprotect(p, N * PAGE, PROT_READ));
	assert_int_equal(write(ends[1], "ab", 2), 2);
	assert_true(read(ends[0], p, 1) < 0 && errno == EFAULT);
	assert_int_equal(p[0], 1);
	assert_int_equal(written_here(p, N * PAGE), 0);
	assert_ok(uffd_protect(uffd, p, N * PAGE, 0));
	assert_true(read(ends[0], p, 1) < 0 && errno == EFAULT);
	assert_int_equal(p[0], 1);
	close(ends[0]);
	close(ends[1]);
	give_back(uffd, p, N * PAGE);
}

/* Two of them, one after the other and side by side */
TEST(several_userfaultfds)
{
	char *p = map_filled(N);
	int first = async_uffd(), second = async_uffd();

	assert_ok(uffd_register(first, p, N / 2 * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_register(second, p + N / 2 * PAGE, N / 2 * PAGE, REGISTER_WP, NULL));
	/* UFFDIO_WRITEPROTECT asks whether, not by whom, memory is registered. */
	assert_ok(uffd_protect(first, p, N / 2 * PAGE, WRITEPROTECT_WP));
	assert_ok(uffd_protect(second, p + N / 2 * PAGE, N / 2 * PAGE, WRITEPROTECT_WP));
	touch(p + (N / 2 - 1) * PAGE, 2, 2);
	assert_int_equal(written_here(p, N * PAGE), 2);
	close(first);
	assert_int_equal(written_here(p, N * PAGE), N / 2 * unregistered_is_written() + 1);
	touch(p + (N / 2 + 3) * PAGE, 1, 2);
	assert_int_equal(written_here(p, N * PAGE), N / 2 * unregistered_is_written() + 2);
	give_back(second, p, N * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(private_memory),
		native_test(memory_with_nothing_in_it),
		native_test(zero_pages),
		native_test(shared_memory),
		native_test(shared_memory_with_nothing_in_it),
		native_test(shared_memory_not_mapped_yet),
		native_test(huge_pages),
		native_test(hugetlb),
		native_test(ordinary_files),
		native_test(writes_by_the_kernel),
		native_test(one_fault_for_the_first_write),
		native_test(no_write_to_private_memory_is_missed),
		native_test(no_write_to_shared_memory_is_missed),
		native_test(protecting_several_mappings),
		native_test(protecting_kinds_side_by_side),
		native_test(protecting_over_gaps),
		native_test(protecting_what_is_not_registered),
		native_test(protecting_with_wrong_arguments),
		native_test(unprotecting_nothing),
		native_test(protecting_another_process),
		native_test(after_unregister),
		native_test(after_close),
		native_test(shared_memory_after_all),
		native_test(closed_under_a_writer),
		native_test(a_forked_child_is_not_tracked),
		native_test(a_forked_child_with_events),
		native_test(thrown_away_is_written),
		native_test(what_is_protected_during_a_discard_stays_so),
		native_test(shared_memory_is_thrown_away),
		native_test(holes_in_shared_memory),
		native_test(moved_memory_is_not_tracked),
		native_test(protection_of_the_mapping_changes),
		native_test(read_only_memory_stays_read_only),
		native_test(several_userfaultfds),
	};

	return run_native_tests("WP_ASYNC as in Linux 6.12", tests);
}
