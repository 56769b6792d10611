// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mirror: no write is missed.
 *
 * Threads of a process write at random. Another task scans with reset all the time and copies what
 * is reported, and only that, into a mirror. Every now and then the writers pause; after one more
 * scan the mirror and the memory must be equal, byte for byte. A page that was written and not
 * reported differs.
 *
 *	mirror [SEED [WRITES [SECONDS]]]
 *
 * The seed decides the operations of each writer, not how the writers interleave. Each test ends
 * after that many writes; or after that many seconds, if a quarter of them has been made: on a
 * loaded machine without KVM every flush of another processor's TLB may wait for that processor.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"
#include "support.h"
#include "unserved.h"

#define WRITERS 3
#define HUGE_PAGES 2ul
#define SMALL_PAGES 1024ul
#define PAGES (HUGE_PAGES * 512 + SMALL_PAGES)
#define LEN (PAGES * PAGE)
#define ROUND_WRITES 20000ul	/* of each writer, between two comparisons */
#define STUCK_SECONDS 60

static struct stress stress = { .count = 1200000 };

/* Shared between the writers, wherever they are, and the scanner. */
struct control {
	atomic_uint round;	/* the writers may work on rounds up to this one */
	atomic_uint finished;	/* writers that are done with it */
	atomic_bool stop;
	atomic_ulong writes;
	atomic_int error;	/* of a system call of a writer */
};

struct writer {
	struct control *control;
	char *memory;
	uint64_t random;
	int source;		/* file to read(2) from */
};

static void write_at_random(struct writer *w)
{
	uint64_t r = next_random(&w->random), value = next_random(&w->random);
	size_t offset = next_random(&w->random) % (LEN - 3 * PAGE);
	struct iovec to = { w->memory + offset, 100 }, from = { w->memory + LEN - 200, 100 };

	switch (r % 1000) {
	case 0 ... 29:
		/* The kernel writes, across a border of pages now and then. */
		if (pread(w->source, w->memory + offset, r >> 32 & 0x1fff, r >> 40 & 0xfff) < 0)
			w->control->error = errno;
		break;
	case 30 ... 39:
		if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) < 0)
			w->control->error = errno;
		break;
	case 40 ... 49:
		madvise(w->memory + (offset & ~(PAGE - 1)), (1 + (r >> 32) % 3) * PAGE,
			MADV_DONTNEED);
		break;
	default:
		memcpy(w->memory + offset, &value, sizeof(value));
	}
}

static void *write_rounds(void *arg)
{
	struct writer *w = arg;
	unsigned int round;
	size_t i;

	for (round = 1;; round++) {
		while (w->control->round < round) {
			if (w->control->stop)
				return NULL;
			usleep(100);
		}
		for (i = 0; i < ROUND_WRITES; i++) {
			write_at_random(w);
			if (i % 100 == 99)
				atomic_fetch_add(&w->control->writes, 100);
		}
		atomic_fetch_add(&w->control->finished, 1);
	}
}

static void run_writers(struct control *control, char *memory, pthread_t *threads)
{
	static struct writer writers[WRITERS];
	size_t i;

	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){
			.control = control,
			.memory = memory,
			.random = (stress.seed + i + 1) * 0x9E3779B97F4A7C15ull | 1,
			.source = open("/bin/busybox", O_RDONLY),
		};
		assert_ok(pthread_create(&threads[i], NULL, write_rounds, &writers[i]));
	}
}

/* ---- the scanner */

struct scanner {
	pid_t pid;
	int fd;
	char *memory;
	char *mirror;
	uint64_t reported;
	uint64_t scans;
};

/* Memory of the process, also if it is our own. */
static void read_memory(const struct scanner *s, void *into, const char *from, size_t len)
{
	struct iovec local = { into, len }, remote = { (void *)from, len };

	if (process_vm_readv(s->pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		fail_msg("process_vm_readv: %s", strerror(errno));
}

static void scan_and_copy(struct scanner *s)
{
	static struct uffdwp_region vec[256];
	struct uffdwp_scan_arg arg = scan_arg(s->memory, LEN, vec, 256);
	int n, i;

	arg.flags = UFFDWP_SCAN_WP_MATCHING | UFFDWP_SCAN_CHECK_TRACKED;
	do {
		n = dev_scan(s->fd, &arg);
		if (n < 0)
			fail_msg("scan: %s", strerror(-n));
		for (i = 0; i < n; i++) {
			char *start = (char *)(uintptr_t)vec[i].start;
			size_t len = vec[i].end - vec[i].start;

			read_memory(s, s->mirror + (start - s->memory), start, len);
			s->reported += len / PAGE;
		}
		arg.start = arg.walk_end;
	} while (arg.start != arg.end);
	s->scans++;
}

static void compare(const struct scanner *s, unsigned int round)
{
	static char now[LEN];
	size_t i, missed = 0, first = 0;

	read_memory(s, now, s->memory, LEN);
	for (i = PAGES; i-- > 0; ) {
		if (!memcmp(now + i * PAGE, s->mirror + i * PAGE, PAGE))
			continue;
		missed++;
		first = i;
	}
	if (missed)
		fail_msg("round %u: %zu pages were written and not reported, the first is page %zu (seed %" PRIu64 ")",
			 round, missed, first, stress.seed);
}

static void expect_progress(struct control *control, unsigned long *seen, time_t *since)
{
	if (control->error)
		fail_msg("a write by the kernel failed: %s (seed %" PRIu64 ")",
			 strerror(control->error), stress.seed);
	if (control->writes != *seen) {
		*seen = control->writes;
		*since = time(NULL);
	} else if (time(NULL) - *since > STUCK_SECONDS) {
		control->stop = true;
		fail_msg("the writers have not moved for %d seconds: a write fault was not resolved (seed %" PRIu64 ")",
			 STUCK_SECONDS, stress.seed);
	}
}

static void mirror_rounds(struct scanner *s, struct control *control)
{
	unsigned long seen = 0;
	time_t since = time(NULL), end = stress.seconds ? since + stress.seconds : LONG_MAX;
	unsigned int round = 0;

	scan_and_copy(s);
	while (control->writes < stress.count &&
	       !(time(NULL) > end && control->writes >= stress.count / 4)) {
		control->finished = 0;
		control->round = ++round;
		while (control->finished < WRITERS) {
			scan_and_copy(s);
			expect_progress(control, &seen, &since);
		}
		scan_and_copy(s);
		compare(s, round);
	}
	control->stop = true;
	print_message("[   INFO   ] seed %" PRIu64 ": %lu writes, %" PRIu64 " scans, %" PRIu64
		      " pages reported, %u comparisons, none missed\n", stress.seed,
		      (unsigned long)control->writes, s->scans, s->reported, round);
}

/* ---- the two places where the writers can be */

static struct control *new_control(void)
{
	struct control *control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(control, MAP_FAILED);
	return control;
}

/* Huge pages first, then small pages, half of them with nothing in them. */
static char *new_memory(void)
{
	char *all = mmap(NULL, LEN + HUGE_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = next_huge_page(all);
	char *small = p + HUGE_PAGES * HUGE_PAGE;

	assert_ptr_not_equal(all, MAP_FAILED);
	thp_advice(p, HUGE_PAGES * HUGE_PAGE, MADV_HUGEPAGE);
	thp_advice(small, SMALL_PAGES * PAGE, MADV_NOHUGEPAGE);
	touch(p, HUGE_PAGES * 512 + SMALL_PAGES / 2, 1);
	return p;
}

/* In which way the memory is tracked. */
enum way { PLAIN, WITH_MARKERS, WITH_GRANULE };

static struct scanner new_scanner(pid_t pid, char *memory, enum way way)
{
	struct scanner s = { .pid = pid, .fd = dev_open(), .memory = memory };

	s.mirror = calloc(PAGES, PAGE);
	assert_non_null(s.mirror);
	if (pid != getpid())
		assert_ok(dev_attach_pid(s.fd, pid));
	else if (way == WITH_MARKERS)
		assert_ok(dev_attach_markers(s.fd));
	else if (way == WITH_GRANULE)
		assert_ok(dev_attach_granule(s.fd, UFFDWP_ATTACH_WHOLE_HUGE, 64));
	else
		assert_ok(dev_attach_self(s.fd));
	assert_ok(dev_register(s.fd, memory, LEN));
	return s;
}

static void own_threads(enum way way)
{
	struct control *control = new_control();
	char *memory = new_memory();
	struct scanner s = new_scanner(getpid(), memory, way);
	pthread_t threads[WRITERS];
	size_t i;

	run_writers(control, memory, threads);
	mirror_rounds(&s, control);
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	close(s.fd);
	free(s.mirror);
	munmap(memory, LEN);
}

TEST(threads_of_the_same_process)
{
	own_threads(PLAIN);
}

TEST(threads_of_the_same_process_with_markers)
{
	needs_markers();
	own_threads(WITH_MARKERS);
}

/* And the huge pages stay whole. */
TEST(threads_of_the_same_process_with_a_granule)
{
	own_threads(WITH_GRANULE);
}

TEST(threads_of_another_process)
{
	struct control *control = new_control();
	char *memory = new_memory();
	pthread_t threads[WRITERS];
	struct scanner s;
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_writers(control, memory, threads);
		pthread_join(threads[0], NULL);
		_exit(0);
	}
	s = new_scanner(child, memory, PLAIN);
	mirror_rounds(&s, control);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(s.fd);
	free(s.mirror);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_of_the_same_process),
		cmocka_unit_test(threads_of_the_same_process_with_markers),
		cmocka_unit_test(threads_of_the_same_process_with_a_granule),
		cmocka_unit_test(threads_of_another_process),
	};

	stress_arguments(&stress, argc, argv);
	return cmocka_run_group_tests_name("mirror", tests, NULL, NULL);
}
