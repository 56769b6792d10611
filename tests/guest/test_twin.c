// SPDX-License-Identifier: GPL-2.0-only
/*
 * The target is not changed: two processes that were forked from the same one do the same, one of
 * them followed, armed and scanned all the while. What /proc/PID/maps says must be the same after
 * each step, to the letter, and so must the results of their calls; also when the tracker is
 * closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

#define LOG_SIZE (32ul << 20)

/* What a twin has seen, in memory that it shares with the test; it is not followed. */
struct log {
	size_t len;
	char text[LOG_SIZE];
};

static struct log *logs[2];
static int file;

/* ---- the steps; no more of the C library than needs be, which would have memory of its own */

static struct log *own;

static void say(const char *what, long result)
{
	own->len += snprintf(own->text + own->len, LOG_SIZE - own->len, "%s: %ld %d\n", what,
			     result, result < 0 ? errno : 0);
}

static void say_maps(const char *step)
{
	int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	own->len += snprintf(own->text + own->len, LOG_SIZE - own->len, "---- %s\n", step);
	while ((n = read(maps, own->text + own->len, LOG_SIZE - 1 - own->len)) > 0)
		own->len += n;
	close(maps);
}

static char *map_at(char *p, size_t pages, int prot)
{
	return mmap(p, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* Addresses that nothing else is mapped near to, also later. */
static char *new_area(void)
{
	static char *next = (char *)(1ul << 44);

	return next += 1ul << 30;
}

static char *area;

static void grow_downwards(int round)
{
	char *p;
	int i;

	if (!round)
		area = new_area() + 1024 * PAGE;
	for (i = 0; i < 8; i++) {
		area -= PAGE;
		p = map_at(area, 1, PROT_READ | PROT_WRITE);
		*p = i;
	}
}

static void grow_heap(int round)
{
	char *p = sbrk(5 * PAGE + 100 * round);

	memset(p, 1, 3 * PAGE);
}

/* With which of its neighbours does it merge, if these two do not go together? */
static void fill_gap(int round)
{
	char *p = new_area();
	int i;

	(void)round;
	for (i = 0; i <= 2; i += 2)
		*map_at(p + i * PAGE, 1, PROT_READ | PROT_WRITE) = 1;
	*map_at(p + PAGE, 1, PROT_READ | PROT_WRITE) = 1;
}

static char *moving;
static size_t moving_pages = 4;

static void grow_and_move(int round)
{
	char *p;

	if (!round)
		moving = mmap(NULL, moving_pages * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(moving, round, moving_pages * PAGE);
	p = mremap(moving, moving_pages * PAGE, 2 * moving_pages * PAGE, MREMAP_MAYMOVE);
	say("mremap", p == MAP_FAILED ? -1 : p - moving);
	say("moved", p[moving_pages * PAGE - 1] == (char)round);
	moving = p;
	moving_pages *= 2;
	if (moving_pages > 256) {
		say("shrunk", mremap(moving, moving_pages * PAGE, 4 * PAGE, 0) == moving);
		moving_pages = 4;
	}
}

/* Pieces of the same mapping, to the front of it and to the back. */
static void move_pieces(int round)
{
	static char *from, *to;

	if (!round) {
		from = new_area();
		to = new_area();
		map_at(from, 32, PROT_READ | PROT_WRITE);
		memset(from, 3, 32 * PAGE);
	}
	say("piece", mremap(from + (round * 5 % 32) * PAGE, PAGE, PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED, to + (round * 3 % 64) * PAGE) ==
		     to + (round * 3 % 64) * PAGE);
}

static void *allocate(void *arg)
{
	void *p[64];
	size_t i;

	(void)arg;
	for (i = 0; i < 64; i++) {
		p[i] = malloc(5000);
		memset(p[i], 1, 5000);
	}
	for (i = 0; i < 64; i += 2)
		free(p[i]);
	return NULL;
}

/* Each has an arena of its own, which is reserved and made accessible as it is needed. */
static void allocate_in_threads(int round)
{
	pthread_t thread;

	(void)round;
	if (pthread_create(&thread, NULL, allocate, NULL))
		_exit(2);
	pthread_join(thread, NULL);
}

static void protect(int round)
{
	static char *p;

	if (!round)
		p = map_at(new_area(), 64, PROT_NONE);
	say("mprotect", mprotect(p + (round * 7 % 60) * PAGE, 4 * PAGE,
				 round % 3 ? PROT_READ | PROT_WRITE : PROT_READ));
}

static void punch(int round)
{
	static char *p;

	if (!round)
		p = map_at(new_area(), 64, PROT_READ | PROT_WRITE);
	memset(p, 1, PAGE);
	munmap(p + (1 + round * 5 % 62) * PAGE, PAGE);
	if (round % 2)
		map_at(p + (1 + round * 5 % 62) * PAGE, 1, PROT_READ | PROT_WRITE);
}

static void advise(int round)
{
	static char *p;

	if (!round)
		p = map_at(new_area(), 64, PROT_READ | PROT_WRITE);
	memset(p, 1, 64 * PAGE);
	say("madvise", madvise(p + round % 16 * 4 * PAGE, 4 * PAGE,
			       round % 2 ? MADV_DONTDUMP : MADV_DODUMP));
	say("discard", madvise(p + round * PAGE, PAGE, MADV_DONTNEED));
	say("discarded", p[round * PAGE]);
}

/* Neighbouring parts of a file become one mapping. */
static void map_file(int round)
{
	static char *p[2];
	int i;

	for (i = 0; i < 2; i++) {
		if (!round)
			p[i] = new_area();
		mmap(p[i] + round * 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
		     (i ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, file, round * 2 * PAGE);
		p[i][round * 2 * PAGE] = i;
	}
}

static int deep(int n)
{
	volatile char room[2 * PAGE];

	room[0] = n;
	return n ? deep(n - 1) + room[0] : 0;
}

static void grow_stack(int round)
{
	say("deep", deep(4 + 4 * round));
}

/* Where the limit is, and that what can be merged still can there. */
static void fill_up(int round)
{
	char *p;
	long n;

	if (round)
		return;
	p = new_area();
	for (n = 0; n < 1024; n++)
		if (map_at(p + 2 * n * PAGE, 1, PROT_READ | PROT_WRITE) == MAP_FAILED)
			break;
	say("mappings until none is left", n);
	say("one more", map_at(p + 1 * PAGE, 1, PROT_READ | PROT_WRITE) == p + PAGE);
	say("and more", map_at(p + 3 * PAGE, 1, PROT_READ | PROT_WRITE) == p + 3 * PAGE);
	munmap(p, 2048 * PAGE);
}

static const struct step {
	const char *name;
	void (*run)(int round);
} steps[] = {
	{ "grow downwards", grow_downwards },
	{ "grow the heap", grow_heap },
	{ "fill a gap", fill_gap },
	{ "grow and move", grow_and_move },
	{ "move pieces", move_pieces },
	{ "allocate in threads", allocate_in_threads },
	{ "protect", protect },
	{ "punch", punch },
	{ "advise", advise },
	{ "map a file", map_file },
	{ "grow the stack", grow_stack },
	{ "fill up", fill_up },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))
#define ROUNDS 12

/* ---- the twins */

struct twin {
	pid_t pid;
	int to;
	int from;
};

static void pass(int fd)
{
	char c = 0;

	if (write(fd, &c, 1) != 1)
		_exit(3);
}

static void wait_for_pass(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		_exit(4);
}

static void run_twin(int from, int to)
{
	size_t i;
	int round;

	pass(to);
	wait_for_pass(from);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < STEPS; i++) {
			steps[i].run(round);
			say_maps(steps[i].name);
		}
		pass(to);
		wait_for_pass(from);
	}
	say_maps("closed");
	pass(to);
	wait_for_pass(from);
	_exit(0);
}

static struct twin begin_twin(struct log *log)
{
	struct twin twin;
	int to[2], from[2];

	assert_ok(pipe2(to, O_CLOEXEC));
	assert_ok(pipe2(from, O_CLOEXEC));
	twin.pid = fork();
	assert_true(twin.pid >= 0);
	if (!twin.pid) {
		own = log;
		/* The same descriptors in both, and none but these. */
		dup2(to[0], 100);
		dup2(from[1], 101);
		run_twin(100, 101);
	}
	close(to[0]);
	close(from[1]);
	twin.to = to[1];
	twin.from = from[0];
	wait_for_pass(twin.from);
	return twin;
}

static void next_round(struct twin *twin)
{
	pass(twin->to);
	wait_for_pass(twin->from);
}

static void end_twin(struct twin *twin)
{
	int status;

	pass(twin->to);
	assert_int_equal(waitpid(twin->pid, &status, 0), twin->pid);
	assert_int_equal(status, 0);
	close(twin->to);
	close(twin->from);
}

/* The first line that differs, and the step that it is of. */
static void compare_logs(void)
{
	const char *a = logs[0]->text, *b = logs[1]->text, *step = "";
	size_t line;

	while (*a || *b) {
		line = strcspn(a, "\n") + 1;
		if (strncmp(a, b, line))
			fail_msg("after \"%.*s\": untracked \"%.*s\", tracked \"%.*s\"",
				 (int)strcspn(step, "\n"), step, (int)line - 1, a,
				 (int)strcspn(b, "\n"), b);
		if (!strncmp(a, "---- ", 5))
			step = a + 5;
		a += line;
		b += line;
	}
	assert_int_equal(logs[0]->len, logs[1]->len);
	assert_true(logs[0]->len > 10000);
}

static void scan_all(int tracker, uint64_t limit)
{
	static struct uffdwp_region vec[512];
	struct uffdwp_scan_arg arg = scan_arg(NULL, 0, vec, 512);

	arg.end = limit;
	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	do {
		assert_true(dev_scan(tracker, &arg) >= 0);
		arg.start = arg.walk_end;
	} while (arg.walk_end != arg.end);
}

/* All that can be told, to a queue that is full at once, as nobody reads it. */
static void make_events(int tracker)
{
	struct uffdwp_events_arg arg = {
		.size = sizeof(arg), .flags = UFFDWP_EVENTS_HARVEST_ALL,
		.capacity = UFFDWP_EVENTS_MIN_CAPACITY,
		.event_size = sizeof(struct uffdwp_event),
	};

	assert_ok(dev_ioctl(tracker, UFFDWP_IOC_EVENTS, &arg));
}

static void follow_one_of_twins(uint32_t unpopulated, bool files, bool events)
{
	struct uffdwp_hello_arg hello;
	struct twin twins[2];
	int tracker, pidfd, i, round;
	char text[32];
	long limit;

	for (i = 0; i < 2; i++) {
		logs[i] = mmap(NULL, sizeof(struct log), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		assert_true(logs[i] != MAP_FAILED);
	}
	file = files ? new_ordinary_file(128 * PAGE) : memfd_create("twin", MFD_CLOEXEC);
	assert_ok(ftruncate(file, 128 * PAGE));
	limit = read_number("/proc/sys/vm/max_map_count");
	assert_ok(write_file("/proc/sys/vm/max_map_count", "400"));
	for (i = 0; i < 2; i++)
		twins[i] = begin_twin(logs[i]);
	tracker = dev_open();
	assert_ok(dev_hello(tracker, &hello));
	pidfd = syscall(SYS_pidfd_open, twins[1].pid, 0);
	assert_ok(dev_attach(tracker, UFFDWP_ATTACH_PIDFD, pidfd, 0, unpopulated));
	close(pidfd);
	if (events)
		make_events(tracker);
	assert_ok(dev_follow(tracker, NULL, 0, 0));
	for (round = 0; round < ROUNDS; round++) {
		scan_all(tracker, hello.address_limit);
		for (i = 0; i < 2; i++)
			next_round(&twins[i]);
	}
	assert_true(dev_stats(tracker).mappings_followed > 100);
	assert_int_equal(dev_stats(tracker).mappings_missed, 0);
	close(tracker);
	for (i = 0; i < 2; i++)
		next_round(&twins[i]);
	assert_false(has_registered_memory(twins[1].pid));
	for (i = 0; i < 2; i++)
		end_twin(&twins[i]);
	snprintf(text, sizeof(text), "%ld", limit);
	assert_ok(write_file("/proc/sys/vm/max_map_count", text));
	compare_logs();
	close(file);
	for (i = 0; i < 2; i++)
		munmap(logs[i], sizeof(struct log));
}

TEST(with_zero_pages)
{
	follow_one_of_twins(UFFDWP_UNPOP_ZERO, false, false);
}

TEST(with_markers)
{
	if (!(dev_features() & UFFDWP_FEATURE_UNPOP_MARKER))
		skip_because("this kernel has no markers");
	follow_one_of_twins(UFFDWP_UNPOP_MARKER, false, false);
}

TEST(sparse)
{
	if (!(dev_features() & UFFDWP_FEATURE_UNPOP_SPARSE))
		skip_because("sparse memory is not offered");
	follow_one_of_twins(UFFDWP_UNPOP_SPARSE, false, false);
}

TEST(with_an_ordinary_file)
{
	follow_one_of_twins(UFFDWP_UNPOP_DEFAULT, true, false);
}

TEST(with_events)
{
	follow_one_of_twins(UFFDWP_UNPOP_DEFAULT, false, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_zero_pages),
		cmocka_unit_test(with_markers),
		cmocka_unit_test(sparse),
		cmocka_unit_test(with_an_ordinary_file),
		cmocka_unit_test(with_events),
	};

	return cmocka_run_group_tests_name("twin", tests, NULL, NULL);
}
