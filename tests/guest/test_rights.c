// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what to whom: a call that is refused changes nothing for others, a process is found
 * as long as one of its threads is there, and what trackers cost is charged to who makes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "uffdwp.h"
#include "unserved.h"

/* Of Linux 5.1 and 6.9, which the headers that this is built with need not know. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define THREAD_PIDFD O_EXCL

/* ---- calls that are refused */

struct shared_file {
	int fd;
	char *p;
	size_t len;
	int tracker;
};

static struct shared_file map_shared_file(unsigned int flags, size_t len)
{
	struct shared_file f = {
		.fd = memfd_create("rights", MFD_ALLOW_SEALING | flags), .len = len,
	};

	assert_true(f.fd >= 0);
	assert_ok(ftruncate(f.fd, len));
	f.p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, f.fd, 0);
	assert_ptr_not_equal(f.p, MAP_FAILED);
	memset(f.p, 1, len);
	return f;
}

static void unmap_shared_file(struct shared_file *f)
{
	close(f->tracker);
	munmap(f->p, f->len);
	close(f->fd);
}

static uint64_t now_written(const struct shared_file *f)
{
	return written(f->tracker, f->p, f->len, false);
}

static int punch(int fd, off_t start, off_t len)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, len) ? -errno : 0;
}

static int truncate_to(int fd, off_t len)
{
	return ftruncate(fd, len) ? -errno : 0;
}

/* The same file, opened once more for reading only. */
static int for_reading(int fd)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(again >= 0);
	return again;
}

static void refused_to_a_reader(struct shared_file *f)
{
	int fd = for_reading(f->fd);

	assert_err(punch(fd, 0, f->len), EBADF);
	assert_err(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, f->len) ? -errno : 0, EBADF);
	assert_err(truncate_to(fd, 0), EINVAL);
	close(fd);
	assert_int_equal(now_written(f), 0);
}

static void refused_by_seals(struct shared_file *f)
{
	assert_ok(fcntl(f->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
	assert_err(punch(f->fd, 0, f->len), EPERM);
	assert_err(punch(f->fd, 0, (off_t)1 << 62), EPERM);
	assert_err(punch(f->fd, 0, INT64_MAX), EPERM);
	assert_err(truncate_to(f->fd, 0), EPERM);
	assert_err(truncate_to(f->fd, 2 * f->len), EPERM);
	assert_int_equal(now_written(f), 0);
}

static void refused_calls_disarm_nothing(uint64_t kind, unsigned int flags, size_t len)
{
	struct shared_file f = map_shared_file(flags, len);

	needs_kind(kind, f.p, len);
	f.tracker = tracker_of(f.p, len);
	refused_to_a_reader(&f);
	/* What is not refused does. */
	assert_ok(punch(f.fd, 0, len / 2));
	assert_int_equal(now_written(&f), len / PAGE / 2);
	assert_ok(dev_arm(f.tracker, f.p, len));
	refused_by_seals(&f);
	unmap_shared_file(&f);
}

TEST(refused_calls_on_shared_memory)
{
	refused_calls_disarm_nothing(UFFDWP_KIND_SHMEM, 0, 64 * PAGE);
}

TEST(refused_calls_on_hugetlb)
{
	const char *why;

	why = hugetlb_reserve(4);
	if (why)
		skip_because("%s", why);
	refused_calls_disarm_nothing(UFFDWP_KIND_HUGETLB, MFD_HUGETLB, 2 * HUGE_PAGE);
	hugetlb_release();
}

/* ---- a process whose first thread has ended */

struct headless {
	pid_t pid;
	pid_t thread;
	char *page;
	int to;
	int from;
};

struct headless_child {
	char *page;
	int from;
	int to;
};

static void *write_on_demand(void *arg)
{
	struct headless_child *c = arg;
	pid_t tid = syscall(SYS_gettid);
	char value;

	if (write(c->to, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	while (read(c->from, &value, 1) == 1) {
		*c->page = value;
		if (write(c->to, &value, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static char state_of(pid_t pid)
{
	char path[64], line[512], c = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(line, sizeof(line), file) && strrchr(line, ')'))
			c = strrchr(line, ')')[2];
		fclose(file);
	}
	return c;
}

/* One thread of it goes on, which writes when it is told to. */
static struct headless headless_start(void)
{
	int orders[2], answers[2];
	struct headless h = { .page = map_filled(1) };

	assert_ok(pipe2(orders, O_CLOEXEC));
	assert_ok(pipe2(answers, O_CLOEXEC));
	h.pid = fork();
	assert_true(h.pid >= 0);
	if (!h.pid) {
		static struct headless_child c;
		pthread_t thread;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = (struct headless_child){ h.page, orders[0], answers[1] };
		close(orders[1]);
		close(answers[0]);
		if (pthread_create(&thread, NULL, write_on_demand, &c))
			_exit(1);
		/* Not pthread_exit(), which looks for a library to unwind with. */
		syscall(SYS_exit, 0);
	}
	close(orders[0]);
	close(answers[1]);
	h.to = orders[1];
	h.from = answers[0];
	assert_int_equal(read(h.from, &h.thread, sizeof(h.thread)), sizeof(h.thread));
	wait_for(state_of(h.pid) == 'Z');
	return h;
}

static void headless_write(const struct headless *h, char value)
{
	assert_int_equal(write(h->to, &value, 1), 1);
	assert_int_equal(read(h->from, &value, 1), 1);
}

static void headless_end(struct headless *h)
{
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	close(h->to);
	close(h->from);
	munmap(h->page, PAGE);
}

static void assert_writes_are_seen(int fd, const struct headless *h)
{
	assert_ok(dev_register(fd, h->page, PAGE));
	assert_ok(dev_arm(fd, h->page, PAGE));
	assert_int_equal(written(fd, h->page, PAGE, false), 0);
	headless_write(h, 2);
	assert_int_equal(written(fd, h->page, PAGE, true), 1);
	assert_int_equal(written(fd, h->page, PAGE, false), 0);
}

TEST(a_process_without_its_first_thread)
{
	struct headless h = headless_start();
	int fd = dev_open();

	assert_ok(dev_attach_pid(fd, h.pid));
	assert_writes_are_seen(fd, &h);
	close(fd);
	headless_end(&h);
}

TEST(a_process_by_one_of_its_threads)
{
	struct headless h = headless_start();
	int pidfd = syscall(SYS_pidfd_open, h.thread, THREAD_PIDFD);
	int fd = dev_open();

	if (pidfd < 0) {
		headless_end(&h);
		skip_because("this kernel has no PIDFD_THREAD");
	}
	assert_ok(dev_attach(fd, UFFDWP_ATTACH_PIDFD, pidfd, 0, 0));
	assert_writes_are_seen(fd, &h);
	close(pidfd);
	close(fd);
	headless_end(&h);
}

/* The library takes the number of any thread for its process. */
TEST(a_process_by_the_number_of_a_thread)
{
	struct headless h = headless_start();
	pid_t numbers[] = { h.pid, h.thread };
	struct uffdwp *t;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		assert_ok(uffdwp_open(numbers[i], NULL, &t));
		assert_ok(uffdwp_track(t, (uintptr_t)h.page, PAGE, NULL));
		uffdwp_close(t);
	}
	headless_end(&h);
}

/* The thread that has the memory is asked, not the one that is gone. */
TEST(the_right_is_asked_of_the_thread)
{
	struct headless h = headless_start();
	int fd = dev_open(), status;
	pid_t child = fork();

	if (!child) {
		if (setgid(1000) || setuid(1000))
			_exit(255);
		_exit(-dev_attach_pid(fd, h.pid));
	}
	waitpid(child, &status, 0);
	assert_int_equal(WEXITSTATUS(status), EPERM);
	close(fd);
	headless_end(&h);
}

/* ---- what trackers cost */

#define GROUPS "/tmp/rights-cgroup"

static void set_file(const char *path, const char *text)
{
	if (write_file(path, text))
		fail_msg("%s > %s: %s", text, path, strerror(errno));
}

static void group_start(void)
{
	mkdir(GROUPS, 0755);
	if (mount("none", GROUPS, "cgroup2", 0, NULL))
		fail_msg("cgroup2: %s", strerror(errno));
	set_file(GROUPS "/cgroup.subtree_control", "+memory");
	assert_ok(mkdir(GROUPS "/one", 0755));
}

static void group_end(void)
{
	wait_for(!rmdir(GROUPS "/one"));
	assert_ok(umount(GROUPS));
}

#define TRACKERS 1000

/* What is shared with the child in the group. */
struct costs {
	long opened;
	long attached;
	int trackers;
};

static void enter_group(void)
{
	struct rlimit files = { 2 * TRACKERS, 2 * TRACKERS };

	if (setrlimit(RLIMIT_NOFILE, &files))
		_exit(1);
	if (write_file(GROUPS "/one/cgroup.procs", "0"))
		_exit(4);
}

static void make_trackers(struct costs *costs)
{
	static int fd[TRACKERS];
	int i;

	enter_group();
	for (i = 0; i < TRACKERS; i++) {
		fd[i] = dev_open();
		if (fd[i] < 0)
			_exit(2);
	}
	costs->opened = read_number(GROUPS "/one/memory.current");
	for (i = 0; i < TRACKERS; i++)
		if (dev_attach_self(fd[i]))
			_exit(3);
	costs->attached = read_number(GROUPS "/one/memory.current");
	_exit(0);
}

static struct costs *new_costs(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/*
 * The userfaultfd of a tracker is a file, and on most kernels an inode, that a kernel thread makes:
 * 450 bytes at least that would be charged to no group. Counts are kept in batches of a quarter of
 * a megabyte.
 */
TEST(trackers_are_charged)
{
	struct costs *costs = new_costs();
	int status;
	pid_t child;

	group_start();
	child = fork();
	if (!child)
		make_trackers(costs);
	waitpid(child, &status, 0);
	group_end();
	assert_int_equal(status, 0);
	print_message("[   INFO   ] a tracker: %ld bytes, and %ld more when it is attached\n",
		      costs->opened / TRACKERS,
		      (costs->attached - costs->opened) / TRACKERS);
	assert_true(costs->opened >= TRACKERS * 12288l);
	assert_true(costs->attached - costs->opened >= TRACKERS * 300l);
	munmap(costs, PAGE);
}

static void fill_group(struct costs *costs)
{
	int fd;

	enter_group();
	for (;;) {
		fd = dev_open();
		if (fd < 0)
			_exit(0);
		if (dev_attach_self(fd))
			_exit(0);
		costs->trackers++;
	}
}

/* So a group's limit holds for trackers, too: an error, or the end of one of its processes. */
TEST(a_limit_on_memory_is_one_on_trackers)
{
	struct costs *costs = new_costs();
	int status;
	pid_t child;

	group_start();
	set_file(GROUPS "/one/memory.max", "4194304");
	child = fork();
	if (!child)
		fill_group(costs);
	waitpid(child, &status, 0);
	group_end();
	assert_true(WIFEXITED(status) ? !WEXITSTATUS(status) : WTERMSIG(status) == SIGKILL);
	print_message("[   INFO   ] %d trackers in 4 MiB\n", costs->trackers);
	assert_true(costs->trackers > 0);
	assert_true(costs->trackers < 4194304 / 12288);
	munmap(costs, PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_calls_on_shared_memory),
		cmocka_unit_test(refused_calls_on_hugetlb),
		cmocka_unit_test(a_process_without_its_first_thread),
		cmocka_unit_test(a_process_by_one_of_its_threads),
		cmocka_unit_test(a_process_by_the_number_of_a_thread),
		cmocka_unit_test(the_right_is_asked_of_the_thread),
		cmocka_unit_test(trackers_are_charged),
		cmocka_unit_test(a_limit_on_memory_is_one_on_trackers),
	};

	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
