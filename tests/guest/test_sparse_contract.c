// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract of UFFDWP_UNPOP_SPARSE: a tracer that takes SPARSE memory for zeroes has the right
 * content, whatever the process does to it. One that copies it all the same has not: each row says
 * whether that shows, so that no row is right by chance.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "madvise.h"
#include "support.h"

#define WRITTEN UFFDWP_PAGE_IS_WRITTEN
#define SPARSE UFFDWP_PAGE_IS_SPARSE
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/**
 * struct tracer - copies what it tracks
 * @fd: tracker
 * @p: memory
 * @copy: what the tracer believes to be there
 * @len: of both
 */
struct tracer {
	int fd;
	char *p;
	char *copy;
	size_t len;
};

/* Reset what was written, and copy it; what is SPARSE is zeroes. Returns pages that were copied. */
static uint64_t harvest(struct tracer *t)
{
	static struct uffdwp_region vec[4096];
	struct uffdwp_scan_arg arg = scan_arg(t->p, t->len, vec, 4096);
	uint64_t copied = 0;
	int i, n;

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.category_mask = WRITTEN;
	arg.return_mask = WRITTEN | SPARSE;
	do {
		n = dev_scan(t->fd, &arg);
		assert_true(n >= 0);
		for (i = 0; i < n; i++) {
			const size_t at = vec[i].start - (uintptr_t)t->p;
			const size_t size = vec[i].end - vec[i].start;

			if (vec[i].categories & SPARSE) {
				memset(t->copy + at, 0, size);
			} else {
				memcpy(t->copy + at, t->p + at, size);
				copied += size / PAGE;
			}
		}
		arg.start = arg.walk_end;
	} while (arg.walk_end != arg.end);
	return copied;
}

static struct tracer tracer_of(size_t len, int advice)
{
	struct tracer t = { .fd = dev_open(), .len = len };
	char *all = mmap(NULL, len + HUGE_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(all, MAP_FAILED);
	t.p = next_huge_page(all);
	thp_advice(t.p, len, advice);
	t.copy = map_anon(len / PAGE);
	memset(t.copy, 0xee, len);
	assert_ok(dev_attach(t.fd, 0, 0, 0, UFFDWP_UNPOP_SPARSE));
	assert_ok(dev_register(t.fd, t.p, len));
	assert_int_equal(harvest(&t), 0);
	assert_int_equal(dev_stats(t.fd).sparse_armed, len / PAGE);
	return t;
}

static void tracer_end(struct tracer *t)
{
	close(t->fd);
	munmap(t->copy, t->len);
	munmap(t->p, t->len);
}

/* ---- one page is written, and then something happens to it */

#define PAGES 2048ul
#define TARGET 5ul

static char *target(const struct tracer *t)
{
	return t->p + TARGET * PAGE;
}

static const char *discarded(struct tracer *t)
{
	return madvise(target(t), PAGE, MADV_DONTNEED) ? "MADV_DONTNEED failed" : NULL;
}

static const char *discarded_huge(struct tracer *t)
{
	return madvise(t->p, HUGE_PAGE, MADV_DONTNEED) ? "MADV_DONTNEED failed" : NULL;
}

/* Until nothing is there any more: a page in some batch is not found at the first attempt. */
static const char *reclaimed(struct tracer *t, char *start, size_t len)
{
	int tries = 1000;

	(void)t;
	do {
		if (madvise(start, len, MADV_FREE) || madvise(start, len, MADV_PAGEOUT))
			return "MADV_FREE or MADV_PAGEOUT failed";
		empty_batches();
	} while ((pagemap_entry(start) >> 62) && --tries);
	return tries ? NULL : "the page was not reclaimed";
}

static const char *freed(struct tracer *t)
{
	return reclaimed(t, target(t), PAGE);
}

static const char *freed_huge(struct tracer *t)
{
	return reclaimed(t, t->p, HUGE_PAGE);
}

/* Before 6.6 the kernel does not count these: it is the zero page when its frame is. */
static const char *merged_zeroes(struct tracer *t)
{
	volatile char *zero = map_anon(1);
	int tries = 3000;

	if (write_file("/sys/kernel/mm/ksm/use_zero_pages", "1"))
		return "this kernel has no KSM that merges zeroes";
	memset(target(t), 0, PAGE);
	(void)zero[0];
	assert_ok(madvise(target(t), PAGE, MADV_MERGEABLE));
	assert_ok(write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1"));
	assert_ok(write_file("/sys/kernel/mm/ksm/run", "1"));
	while (pagemap_entry(target(t)) << 9 != pagemap_entry((char *)zero) << 9 && --tries)
		usleep(1000);
	assert_ok(write_file("/sys/kernel/mm/ksm/run", "0"));
	assert_ok(write_file("/sys/kernel/mm/ksm/use_zero_pages", "0"));
	munmap((char *)zero, PAGE);
	return tries ? NULL : "KSM has not merged zeroes";
}

static const char *moved_away(struct tracer *t)
{
	void *to = (void *)syscall(SYS_mremap, t->p, 16 * PAGE, 16 * PAGE,
				   MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);

	if (to == MAP_FAILED)
		return "this kernel has no MREMAP_DONTUNMAP for such memory";
	munmap(to, 16 * PAGE);
	return NULL;
}

/* The tail is unmapped, and comes back as new memory in the same VMA. */
static const char *shrunk_and_grown(struct tracer *t)
{
	assert_ok(munmap(target(t), t->len - TARGET * PAGE));
	return mremap(t->p, TARGET * PAGE, t->len, 0) == t->p ? NULL : "mremap() did not grow it";
}

/* Since 6.12 a small page of a huge one that holds zeroes becomes the zero page. */
static const char *split_zeroes(struct tracer *t)
{
	memset(target(t), 0, PAGE);
	t->p[100 * PAGE] = 1;
	return madvise(t->p + 200 * PAGE, PAGE, MADV_COLD) ? "MADV_COLD failed" : NULL;
}

static const char *nothing(struct tracer *t)
{
	(void)t;
	return NULL;
}

enum shows { NEVER, SINCE_ZERO_SPLITS, ALWAYS };

static const struct event {
	const char *name;
	int advice;
	const char *(*happens)(struct tracer *t);
	/* A tracer that has copied what it was not to copy has the wrong content then. */
	enum shows shows;
} events[] = {
	{ "nothing", MADV_NOHUGEPAGE, nothing, NEVER },
	{ "MADV_DONTNEED", MADV_NOHUGEPAGE, discarded, NEVER },
	{ "MADV_DONTNEED of a huge page", MADV_HUGEPAGE, discarded_huge, NEVER },
	{ "MADV_FREE, and reclaimed", MADV_NOHUGEPAGE, freed, ALWAYS },
	{ "MADV_FREE of a huge page, and reclaimed", MADV_HUGEPAGE, freed_huge, ALWAYS },
	{ "zeroes, merged by KSM", MADV_NOHUGEPAGE, merged_zeroes, ALWAYS },
	{ "moved away by mremap()", MADV_NOHUGEPAGE, moved_away, ALWAYS },
	{ "unmapped, and grown again", MADV_NOHUGEPAGE, shrunk_and_grown, NEVER },
	{ "zeroes in a huge page that is split", MADV_HUGEPAGE, split_zeroes, SINCE_ZERO_SPLITS },
};

#define EVENTS (sizeof(events) / sizeof(*events))

/* How many pages of the copy are wrong? */
static size_t differences(const struct tracer *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->len / PAGE; i++)
		n += !!memcmp(t->copy + i * PAGE, t->p + i * PAGE, PAGE);
	return n;
}

/* NULL, or why the event could not be made to happen. */
static const char *copy_is_wrong_after(const struct event *e, bool keeps_contract, size_t *wrong)
{
	struct tracer t = tracer_of(PAGES * PAGE, e->advice);
	const char *why;

	memset(target(&t), 7, PAGE);
	if (e->advice == MADV_HUGEPAGE && !is_huge(t.p)) {
		tracer_end(&t);
		return "there was no huge page to be had";
	}
	if (!keeps_contract)
		memcpy(t.copy, t.p, 16 * PAGE);
	why = e->happens(&t);
	if (!why) {
		harvest(&t);
		*wrong = differences(&t);
	}
	ksm_off();
	tracer_end(&t);
	return why;
}

static bool can_happen(const struct event *e, const char *why)
{
	if (why)
		print_message("[   WHY    ] not tried: %s: %s\n", e->name, why);
	return !why;
}

TEST(who_keeps_it_has_the_right_content)
{
	size_t i, wrong;

	for (i = 0; i < EVENTS; i++) {
		const struct event *e = &events[i];

		if (!can_happen(e, copy_is_wrong_after(e, true, &wrong)))
			continue;
		if (wrong)
			fail_msg("%s: %zu pages of the copy are wrong", e->name, wrong);
		print_message("[   INFO   ] right: %s\n", e->name);
	}
}

TEST(who_breaks_it_has_not)
{
	size_t i, wrong, seen = 0;

	for (i = 0; i < EVENTS; i++) {
		const struct event *e = &events[i];

		if (!can_happen(e, copy_is_wrong_after(e, false, &wrong)))
			continue;
		print_message("[   INFO   ] %s: %zu pages of the copy are wrong\n", e->name, wrong);
		if (e->shows == NEVER)
			assert_int_equal(wrong, 0);
		if (e->shows == ALWAYS)
			assert_int_equal(wrong, 1);
		seen += wrong;
	}
	assert_true(seen >= 3);
}

/* ---- chance: threads that write and discard, while a tracer follows */

#define WRITERS 2
#define RANDOM_PAGES (16 * 512ul)
#define ROUNDS 12

static struct {
	struct tracer t;
	pthread_barrier_t meet;
	uint64_t seed;
	volatile bool pause;
	volatile bool over;
} storm;

static void do_something(uint64_t random)
{
	const size_t page = random % RANDOM_PAGES, n = 1 + (random >> 40) % 8;
	const size_t len = (page + n > RANDOM_PAGES ? RANDOM_PAGES - page : n) * PAGE;
	char *at = storm.t.p + page * PAGE;

	switch ((random >> 32) % 16) {
	case 0:
		madvise(at, len, MADV_DONTNEED);
		break;
	case 1:
		madvise(at, len, MADV_FREE);
		madvise(at, len, MADV_PAGEOUT);
		break;
	case 2:
		madvise((char *)((uintptr_t)at & -HUGE_PAGE), HUGE_PAGE, MADV_DONTNEED);
		break;
	case 3:
		memset(at, 0, len);
		break;
	case 4:
		(void)*(volatile char *)at;
		break;
	default:
		memset(at, random | 1, PAGE);
	}
}

static void *writes(void *arg)
{
	uint64_t random = storm.seed + (uintptr_t)arg;

	while (!storm.over) {
		pthread_barrier_wait(&storm.meet);
		while (!storm.pause)
			do_something(next_random(&random));
		pthread_barrier_wait(&storm.meet);
	}
	return NULL;
}

static void one_round(bool last)
{
	struct timespec begin, now;
	int scans = 0;

	storm.pause = false;
	pthread_barrier_wait(&storm.meet);
	storm.over = last;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		harvest(&storm.t);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (++scans < 20 && now.tv_sec - begin.tv_sec < 3);
	storm.pause = true;
	pthread_barrier_wait(&storm.meet);
	harvest(&storm.t);
}

static void storm_on(int advice)
{
	pthread_t threads[WRITERS];
	size_t wrong = 0;
	int i, round;

	storm.t = tracer_of(RANDOM_PAGES * PAGE, advice);
	storm.seed = time(NULL) | 1;
	storm.over = false;
	print_message("[   INFO   ] seed %" PRIu64 "\n", storm.seed);
	pthread_barrier_init(&storm.meet, NULL, WRITERS + 1);
	for (i = 0; i < WRITERS; i++)
		assert_ok(pthread_create(&threads[i], NULL, writes, (void *)(uintptr_t)(i * 77)));
	for (round = 0; round < ROUNDS && !wrong; round++) {
		one_round(round == ROUNDS - 1);
		/* What MADV_FREE has left may be zeroes at any time, and is reported then. */
		wrong = differences(&storm.t);
		if (wrong) {
			harvest(&storm.t);
			wrong = differences(&storm.t);
		}
		/* Begin anew with memory that has no page tables. */
		if (round % 3 == 2)
			assert_ok(madvise(storm.t.p, storm.t.len / 2, MADV_DONTNEED));
	}
	if (wrong)
		fail_msg("%zu pages of the copy are wrong in round %d", wrong, round);
	for (i = 0; i < WRITERS; i++)
		assert_ok(pthread_join(threads[i], NULL));
	pthread_barrier_destroy(&storm.meet);
	tracer_end(&storm.t);
}

TEST(a_copy_that_follows_two_writers_is_right)
{
	storm_on(MADV_NOHUGEPAGE);
}

TEST(a_copy_of_huge_pages_is_right)
{
	storm_on(MADV_HUGEPAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_keeps_it_has_the_right_content),
		cmocka_unit_test(who_breaks_it_has_not),
		cmocka_unit_test(a_copy_that_follows_two_writers_is_right),
		cmocka_unit_test(a_copy_of_huge_pages_is_right),
	};

	return cmocka_run_group_tests_name("sparse contract", tests, NULL, NULL);
}
