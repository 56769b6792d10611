// SPDX-License-Identifier: GPL-2.0-only
/*
 * UFFDIO_API as in Linux 6.12: what is offered, asked for, refused; and a userfaultfd that has not
 * asked for the new features is what it was before them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "native.h"
#include "unserved.h"

#define N 16ul

/* What UFFDIO_API itself says: API, REGISTER, UNREGISTER. */
#define IOCTLS (1ull << 0x3F | 1ull << 0 | 1ull << 1)

TEST(both_features_are_offered)
{
	struct uffdio_api answer;
	int uffd = raw_uffd(0);

	assert_ok(uffd_api(uffd, 0, &answer));
	assert_int_equal(answer.api, UFFD_API);
	assert_int_equal(answer.features & FEATURE_WP_ASYNC, FEATURE_WP_ASYNC);
	assert_int_equal(answer.features & FEATURE_WP_UNPOPULATED, FEATURE_WP_UNPOPULATED);
	assert_int_equal(answer.ioctls & IOCTLS, IOCTLS);
	close(uffd);
}

/* The answer is what there is, whatever was asked for. */
TEST(every_request_has_the_same_answer)
{
	static const uint64_t requests[] = {
		FEATURE_WP_ASYNC,
		FEATURE_WP_UNPOPULATED,
		FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED,
		FEATURE_WP_ASYNC | FEATURE_WP,
		FEATURE_WP | FEATURE_WP_UNPOPULATED,
	};
	struct uffdio_api first, answer;
	int uffd = raw_uffd(0);
	size_t i;

	assert_ok(uffd_api(uffd, 0, &first));
	close(uffd);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		uffd = raw_uffd(0);
		assert_ok(uffd_api(uffd, requests[i], &answer));
		assert_memory_equal(&answer, &first, sizeof(first));
		close(uffd);
	}
}

TEST(new_userfaultfd_device)
{
	struct uffdio_api answer;
	int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC), uffd;
	char *p = map_anon(N);

	if (device < 0)
		skip_because("this kernel has no /dev/userfaultfd");
	uffd = ioctl(device, _IO(0xAA, 0), O_CLOEXEC | O_NONBLOCK);
	assert_true(uffd >= 0);
	assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC, &answer));
	assert_true(answer.features & FEATURE_WP_ASYNC);
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	touch(p, 3, 1);
	assert_int_equal(written_here(p, N * PAGE), 3);
	close(uffd);
	close(device);
	munmap(p, N * PAGE);
}

static void is_all_zero(const struct uffdio_api *answer)
{
	static const struct uffdio_api zero;

	assert_memory_equal(answer, &zero, sizeof(zero));
}

/* Refused, the structure is zeroed, and the next try is as good as the first. */
TEST(unknown_bits_are_refused)
{
	static const uint64_t unknown[] = { 1ull << 40, 1ull << 62, 1ull << 63, 1ull << 32 };
	struct uffdio_api answer;
	int uffd;
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		uffd = raw_uffd(0);
		assert_err(uffd_api(uffd, unknown[i], &answer), EINVAL);
		is_all_zero(&answer);
		assert_err(uffd_api(uffd, unknown[i] | FEATURE_WP_ASYNC, &answer), EINVAL);
		is_all_zero(&answer);
		assert_err(uffd_api(uffd, unknown[i] | FEATURE_WP_UNPOPULATED, &answer), EINVAL);
		is_all_zero(&answer);
		assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC, &answer));
		close(uffd);
	}
}

TEST(wrong_version_is_refused)
{
	struct uffdio_api answer = { .api = UFFD_API + 1, .features = FEATURE_WP_ASYNC };
	int uffd = raw_uffd(0);

	assert_int_equal(ioctl(uffd, UFFDIO_API, &answer), -1);
	assert_int_equal(errno, EINVAL);
	is_all_zero(&answer);
	assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC, NULL));
	close(uffd);
}

TEST(second_call_is_refused)
{
	struct uffdio_api answer;
	char *p = map_filled(N);
	int uffd = raw_uffd(0);

	assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC, NULL));
	assert_err(uffd_api(uffd, FEATURE_WP_ASYNC, &answer), EINVAL);
	is_all_zero(&answer);
	assert_err(uffd_api(uffd, 0, &answer), EINVAL);
	is_all_zero(&answer);
	/* It is what the first call has made of it. */
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	touch(p, 2, 2);
	assert_int_equal(written_here(p, N * PAGE), 2);
	close(uffd);
	/* Nor does one that was opened without become async. */
	uffd = raw_uffd(0);
	assert_ok(uffd_api(uffd, FEATURE_WP, NULL));
	assert_err(uffd_api(uffd, FEATURE_WP_ASYNC, &answer), EINVAL);
	is_all_zero(&answer);
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_false(categories_here(p) & IS_WPALLOWED);
	close(uffd);
	munmap(p, N * PAGE);
}

TEST(pointers_that_cannot_be_used)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_WP_ASYNC };
	char *p = map_filled(2);
	int uffd = raw_uffd(0);

	assert_ok(munmap(p + PAGE, PAGE));
	assert_int_equal(ioctl(uffd, UFFDIO_API, NULL), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(ioctl(uffd, UFFDIO_API, (void *)0xffff888000000000ul), -1);
	assert_int_equal(errno, EFAULT);
	/* Can be read, cannot be written. */
	memcpy(p, &api, sizeof(api));
	assert_ok(mprotect(p, PAGE, PROT_READ));
	assert_int_equal(ioctl(uffd, UFFDIO_API, p), -1);
	assert_int_equal(errno, EFAULT);
	/* Its end cannot be read. */
	assert_ok(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	assert_int_equal(ioctl(uffd, UFFDIO_API, p + PAGE - 8), -1);
	assert_int_equal(errno, EFAULT);
	assert_ok(uffd_api(uffd, FEATURE_WP_ASYNC, NULL));
	close(uffd);
	munmap(p, PAGE);
}

TEST(nothing_works_before)
{
	char *p = map_filled(1);
	int uffd = raw_uffd(0);

	assert_err(uffd_register(uffd, p, PAGE, REGISTER_WP, NULL), EINVAL);
	assert_err(uffd_protect(uffd, p, PAGE, WRITEPROTECT_WP), EINVAL);
	assert_err(uffd_unregister(uffd, p, PAGE), EINVAL);
	assert_err(uffd_continue(uffd, p, PAGE, CONTINUE_WP), EINVAL);
	close(uffd);
	munmap(p, PAGE);
}

TEST(fork_events_need_rights)
{
	in_child({
		struct uffdio_api answer;
		int uffd;

		become_nobody();
		uffd = raw_uffd_of_user_mode();
		child_expects(uffd >= 0);
		child_expects(uffd_api(uffd, FEATURE_EVENT_FORK | FEATURE_WP_ASYNC, &answer) ==
			      -EPERM);
		child_expects(!answer.api && !answer.features && !answer.ioctls);
		/* Without, everybody may. */
		child_expects(!uffd_api(uffd, FEATURE_WP_ASYNC, &answer));
		child_expects(answer.features & FEATURE_WP_ASYNC);
	});
}

/* ---- what REGISTER says */

TEST(register_tells_the_commands)
{
	char *p = map_anon(N);
	int uffd = async_uffd();
	uint64_t ioctls;

	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, &ioctls));
	assert_true(ioctls & 1ull << _UFFDIO_WRITEPROTECT);
	assert_false(ioctls & 1ull << _UFFDIO_CONTINUE);
	assert_ok(uffd_unregister(uffd, p, N * PAGE));
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_MISSING, &ioctls));
	assert_false(ioctls & 1ull << _UFFDIO_WRITEPROTECT);
	assert_true(ioctls & 1ull << _UFFDIO_COPY);
	close(uffd);
	munmap(p, N * PAGE);
}

TEST(register_tells_the_commands_of_files)
{
	char *shared = map_shared(N * PAGE, NULL);
	int uffd = async_uffd();
	uint64_t ioctls;

	needs_memory_of_files();
	needs_minor_faults();
	assert_ok(uffd_register(uffd, shared, N * PAGE, REGISTER_WP | REGISTER_MINOR, &ioctls));
	assert_true(ioctls & 1ull << _UFFDIO_WRITEPROTECT);
	assert_true(ioctls & 1ull << _UFFDIO_CONTINUE);
	close(uffd);
	munmap(shared, N * PAGE);
}

TEST(register_refuses)
{
	char *p = map_anon(N);
	int uffd = async_uffd(), other = async_uffd();

	assert_err(uffd_register(uffd, p, N * PAGE, 0, NULL), EINVAL);
	assert_err(uffd_register(uffd, p, N * PAGE, 1ull << 3, NULL), EINVAL);
	assert_err(uffd_register(uffd, p + 1, PAGE, REGISTER_WP, NULL), EINVAL);
	assert_err(uffd_register(uffd, p, PAGE + 1, REGISTER_WP, NULL), EINVAL);
	assert_err(uffd_register(uffd, p, 0, REGISTER_WP, NULL), EINVAL);
	/* Minor faults are for memory of files. */
	assert_err(uffd_register(uffd, p, N * PAGE, REGISTER_WP | REGISTER_MINOR, NULL), EINVAL);
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_err(uffd_register(other, p, N * PAGE, REGISTER_WP, NULL), EBUSY);
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	close(uffd);
	/* With its owner the claim is gone. */
	assert_ok(uffd_register(other, p, N * PAGE, REGISTER_WP, NULL));
	close(other);
	munmap(p, N * PAGE);
}

/* ---- WP_UNPOPULATED alone, and neither of the two: somebody has to answer */

struct writer {
	pthread_t thread;
	char *page;
};

static void *write_page(void *arg)
{
	*(volatile char *)((struct writer *)arg)->page = 7;
	return NULL;
}

static void writer_start(struct writer *writer, char *page)
{
	writer->page = page;
	assert_ok(pthread_create(&writer->thread, NULL, write_page, writer));
}

/* The message that a fault has become. */
static struct uffd_msg message_of(int uffd)
{
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg message;

	assert_int_equal(poll(&poll_fd, 1, 30000), 1);
	assert_int_equal(poll_fd.revents, POLLIN);
	assert_int_equal(read(uffd, &message, sizeof(message)), sizeof(message));
	return message;
}

static void a_write_asks(int uffd, char *page)
{
	struct uffd_msg message;
	struct writer writer;

	assert_true(is_silent(uffd));
	writer_start(&writer, page);
	message = message_of(uffd);
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	assert_int_equal(message.arg.pagefault.address, (uintptr_t)page);
	assert_int_equal(message.arg.pagefault.flags,
			 UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
	/* It waits, and nobody else answers. */
	usleep(20000);
	assert_int_not_equal(*(volatile char *)page, 7);
	assert_true(is_silent(uffd));
	assert_ok(uffd_protect(uffd, page, PAGE, 0));
	assert_ok(pthread_join(writer.thread, NULL));
	assert_int_equal(*page, 7);
}

TEST(without_the_features_all_is_as_before)
{
	char *p = map_filled(N);
	int uffd = raw_uffd(0);

	assert_ok(uffd_api(uffd, 0, NULL));
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	a_write_asks(uffd, p);
	a_write_asks(uffd, p + 3 * PAGE);
	/* One that was let go is let go. */
	touch(p, 1, 8);
	assert_true(is_silent(uffd));
	close(uffd);
	munmap(p, N * PAGE);
}

/* Without WP_UNPOPULATED, anonymous memory with nothing in it is not protected. */
TEST(without_the_features_nothing_is_nothing)
{
	char *p = map_anon(N);
	int uffd = raw_uffd(0);

	assert_ok(uffd_api(uffd, 0, NULL));
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	touch(p, N, 1);
	assert_true(is_silent(uffd));
	close(uffd);
	munmap(p, N * PAGE);
}

TEST(unpopulated_alone_asks)
{
	char *p = map_anon(N);
	int uffd = raw_uffd(0);

	assert_ok(uffd_api(uffd, FEATURE_WP_UNPOPULATED, NULL));
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	a_write_asks(uffd, p + 5 * PAGE);
	/* Read first: nothing is lost by that. */
	assert_int_equal(*(volatile char *)(p + 6 * PAGE), 0);
	a_write_asks(uffd, p + 6 * PAGE);
	close(uffd);
	munmap(p, N * PAGE);
}

TEST(without_async_scans_do_not_protect)
{
	char *p = map_filled(N);
	struct scan scan = written_pages(p, N * PAGE, NULL, 0);
	int uffd = raw_uffd(0), pagemap = open_pagemap(0);

	assert_ok(uffd_api(uffd, FEATURE_WP_UNPOPULATED, NULL));
	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
	assert_int_equal(written_here(p, N * PAGE), N);
	assert_false(categories_here(p) & IS_WPALLOWED);
	scan.flags = CHECK_WPASYNC | WP_MATCHING;
	assert_err(scan_pages(pagemap, &scan), EPERM);
	scan.flags = CHECK_WPASYNC;
	assert_err(scan_pages(pagemap, &scan), EPERM);
	/* Passed over, and said to be done. */
	scan.flags = WP_MATCHING;
	assert_ok(scan_pages(pagemap, &scan));
	assert_int_equal(scan.walk_end, scan.end);
	assert_int_equal(written_here(p, N * PAGE), N);
	/* What the userfaultfd itself protects is told. */
	assert_ok(uffd_protect(uffd, p, 4 * PAGE, WRITEPROTECT_WP));
	assert_int_equal(written_here(p, N * PAGE), N - 4);
	close(pagemap);
	close(uffd);
	munmap(p, N * PAGE);
}

/* ---- async, and more */

TEST(async_asks_nobody)
{
	char *p = map_filled(N), *nothing = map_anon(N);
	int uffd = async_uffd_of(p, N * PAGE);

	assert_ok(uffd_register(uffd, nothing, N * PAGE, REGISTER_WP, NULL));
	assert_ok(uffd_protect(uffd, nothing, N * PAGE, WRITEPROTECT_WP));
	touch(p, N, 2);
	touch(nothing, N, 2);
	assert_true(is_silent(uffd));
	assert_int_equal(written_here(p, N * PAGE), N);
	assert_int_equal(written_here(nothing, N * PAGE), N);
	close(uffd);
	munmap(p, N * PAGE);
	munmap(nothing, N * PAGE);
}

/* Faults on missing pages are asked about, writes are not: one userfaultfd for both. */
TEST(async_with_missing_faults)
{
	char *p = map_anon(N), *source = map_filled(1);
	struct uffdio_copy copy = {
		.dst = (uintptr_t)p, .src = (uintptr_t)source, .len = PAGE,
		.mode = UFFDIO_COPY_MODE_WP,
	};
	int uffd = async_uffd();
	struct uffd_msg message;
	struct writer writer;

	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP | REGISTER_MISSING, NULL));
	/* Filled and protected; the write that waited for it then goes on by itself. */
	writer_start(&writer, p);
	message = message_of(uffd);
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
	assert_false(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
	assert_ok(ioctl(uffd, UFFDIO_COPY, &copy));
	assert_int_equal(copy.copy, PAGE);
	assert_ok(pthread_join(writer.thread, NULL));
	assert_int_equal(*p, 7);
	assert_true(is_written(p));
	assert_true(is_silent(uffd));
	/* Filled and protected before anybody asks. */
	copy.dst = (uintptr_t)p + PAGE;
	assert_ok(ioctl(uffd, UFFDIO_COPY, &copy));
	assert_int_equal(p[PAGE], 1);
	assert_false(is_written(p + PAGE));
	p[PAGE] = 3;
	assert_true(is_written(p + PAGE));
	assert_true(is_silent(uffd));
	close(uffd);
	munmap(p, N * PAGE);
	munmap(source, PAGE);
}

/*
 * What was armed with nothing in it can be answered with zeroes. Linux 6.12 cannot: a marker is in
 * the way, of UFFDIO_ZEROPAGE and not of UFFDIO_COPY.
 */
TEST(zeroes_for_a_missing_fault)
{
	char *p = map_anon(N), *source = map_filled(1);
	struct uffdio_zeropage zero = { .range = { .start = (uintptr_t)p, .len = PAGE } };
	struct uffdio_copy copy = {
		.dst = (uintptr_t)p, .src = (uintptr_t)source, .len = PAGE,
	};
	const bool by_module = kernel_is_before(6, 4);
	int uffd = async_uffd(), ret;
	struct writer writer;

	assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP | REGISTER_MISSING, NULL));
	assert_ok(uffd_protect(uffd, p, N * PAGE, WRITEPROTECT_WP));
	/* Without markers nothing is there that could be armed. */
	assert_int_equal(is_written(p), kernel_is_before(5, 19));
	writer_start(&writer, p);
	assert_int_equal(message_of(uffd).event, UFFD_EVENT_PAGEFAULT);
	ret = ioctl(uffd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
	assert_int_equal(ret, by_module ? 0 : -EEXIST);
	if (!by_module)
		assert_ok(ioctl(uffd, UFFDIO_COPY, &copy));
	assert_ok(pthread_join(writer.thread, NULL));
	assert_int_equal(*p, 7);
	assert_true(is_written(p));
	close(uffd);
	munmap(p, N * PAGE);
	munmap(source, PAGE);
}

/* ---- two threads, one userfaultfd */

static struct {
	pthread_barrier_t barrier;
	int uffd;
	struct uffdio_api shared;
	volatile bool stop;
} race;

static void *race_for_api(void *arg)
{
	long won = 0;
	int i;

	(void)arg;
	for (i = 0; i < 500; i++) {
		pthread_barrier_wait(&race.barrier);
		won += !uffd_api(race.uffd, FEATURE_WP_ASYNC, NULL);
		pthread_barrier_wait(&race.barrier);
	}
	return (void *)won;
}

TEST(only_one_call_wins)
{
	pthread_t thread;
	void *won;
	int i, here, lost_both = 0;
	long mine = 0;

	pthread_barrier_init(&race.barrier, NULL, 2);
	race.uffd = -1;
	assert_ok(pthread_create(&thread, NULL, race_for_api, NULL));
	for (i = 0; i < 500; i++) {
		race.uffd = raw_uffd(0);
		pthread_barrier_wait(&race.barrier);
		here = !uffd_api(race.uffd, FEATURE_WP_UNPOPULATED, NULL);
		pthread_barrier_wait(&race.barrier);
		mine += here;
		/* Whoever it was, it is done. */
		lost_both += !uffd_api(race.uffd, 0, NULL);
		close(race.uffd);
	}
	pthread_join(thread, &won);
	assert_int_equal(lost_both, 0);
	assert_int_equal(mine + (long)won, 500);
	pthread_barrier_destroy(&race.barrier);
}

static void *change_request(void *arg)
{
	(void)arg;
	while (!race.stop) {
		race.shared.features = FEATURE_WP_ASYNC;
		race.shared.features = 1ull << 40;
		race.shared.features = 0;
		race.shared.api = UFFD_API;
	}
	return NULL;
}

/*
 * The request changes while it is read. Whatever comes of it, the userfaultfd is one that could
 * have been had by asking, and is async or not throughout.
 */
TEST(a_request_that_changes)
{
	char *p = map_filled(N);
	struct writer writer;
	pthread_t thread;
	int i, ret, uffd;
	bool async;

	race.stop = false;
	race.shared.api = UFFD_API;
	assert_ok(pthread_create(&thread, NULL, change_request, NULL));
	for (i = 0; i < 300; i++) {
		uffd = raw_uffd(0);
		ret = ioctl(uffd, UFFDIO_API, &race.shared) ? -errno : 0;
		if (ret) {
			assert_err(ret, EINVAL);
		} else {
			assert_ok(uffd_register(uffd, p, N * PAGE, REGISTER_WP, NULL));
			async = categories_here(p) & IS_WPALLOWED;
			assert_ok(uffd_protect(uffd, p, PAGE, WRITEPROTECT_WP));
			writer_start(&writer, p);
			if (!async) {
				message_of(uffd);
				assert_ok(uffd_protect(uffd, p, PAGE, 0));
			}
			assert_ok(pthread_join(writer.thread, NULL));
			assert_true(is_silent(uffd));
		}
		close(uffd);
	}
	race.stop = true;
	pthread_join(thread, NULL);
	munmap(p, N * PAGE);
}

TEST(thirty_two_bit_programs)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		execl("/bin/native32", "native32", (char *)NULL);
		_exit(errno == ENOEXEC ? 255 : 254);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 255)
		skip_because("this kernel runs no 32-bit programs");
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(both_features_are_offered),
		native_test(every_request_has_the_same_answer),
		native_test(new_userfaultfd_device),
		native_test(unknown_bits_are_refused),
		native_test(wrong_version_is_refused),
		native_test(second_call_is_refused),
		native_test(pointers_that_cannot_be_used),
		native_test(nothing_works_before),
		native_test(fork_events_need_rights),
		native_test(register_tells_the_commands),
		native_test(register_tells_the_commands_of_files),
		native_test(register_refuses),
		native_test(without_the_features_all_is_as_before),
		native_test(without_the_features_nothing_is_nothing),
		native_test(unpopulated_alone_asks),
		native_test(without_async_scans_do_not_protect),
		native_test(async_asks_nobody),
		native_test(async_with_missing_faults),
		native_test(zeroes_for_a_missing_fault),
		native_test(only_one_call_wins),
		native_test(a_request_that_changes),
		native_test(thirty_two_bit_programs),
	};

	return run_native_tests("UFFDIO_API as in Linux 6.12", tests);
}
