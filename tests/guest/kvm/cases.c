// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "unserved.h"
#include "vm.h"
#include "cases.h"

static const struct tracking *tracking;
static const struct stress *stress;

/* Not on the stack: a test that fails or is skipped leaves it to the thread that looks after it. */
static struct vm *new_vm(unsigned int processors, char *memory, size_t len)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	assert_non_null(vm);
	vm_create(vm, processors, memory, len);
	return vm;
}

static void free_vm(struct vm *vm)
{
	vm_destroy(vm);
	free(vm);
}

/* ---- kinds of memory, each page written unless it is untouched, and the way of tracking it */

struct kind {
	const char *name;
	uint64_t kind;
	size_t len;		/* a power of two */
	char *(*make)(const struct kind *kind);
	unsigned int memfd_flags;
	int map_flags;
	enum way way;
};

static char *make_untouched(const struct kind *kind)
{
	return map_anon(kind->len / PAGE);
}

static char *make_small(const struct kind *kind)
{
	return map_filled(kind->len / PAGE);
}

static char *make_huge(const struct kind *kind)
{
	char *p = map_huge(kind->len / HUGE_PAGE);

	if (!p)
		fail_msg("no huge page could be had");
	return p;
}

static char *make_file(const struct kind *kind)
{
	const char *why = kind->memfd_flags ? hugetlb_reserve(2 * kind->len / HUGE_PAGE) : NULL;
	int memfd;
	char *p;

	if (why)
		fail_msg("no pages of hugetlb: %s", why);
	memfd = memfd_create("guest", kind->memfd_flags);
	assert_ok(ftruncate(memfd, kind->len));
	p = mmap(NULL, kind->len, PROT_READ | PROT_WRITE, kind->map_flags, memfd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	close(memfd);
	touch(p, kind->len / PAGE, 1);
	return p;
}

static void unmake(const struct kind *kind, char *p)
{
	munmap(p, kind->len);
	if (kind->memfd_flags)
		hugetlb_release();
}

static struct kind kinds[] = {
	{ "small pages", UFFDWP_KIND_ANON_PRIVATE, 128 * PAGE, make_small, 0, 0, WAY_PLAIN },
	{ "huge pages", UFFDWP_KIND_ANON_PRIVATE, 2 * HUGE_PAGE, make_huge, 0, 0, WAY_PLAIN },
	{ "shared memory", UFFDWP_KIND_SHMEM, 128 * PAGE, make_file, 0, MAP_SHARED, WAY_PLAIN },
	{ "private mapping of it", UFFDWP_KIND_SHMEM, 128 * PAGE, make_file, 0, MAP_PRIVATE,
	  WAY_PLAIN },
	{ "hugetlb", UFFDWP_KIND_HUGETLB, 2 * HUGE_PAGE, make_file, MFD_HUGETLB, MAP_SHARED,
	  WAY_PLAIN },
	{ "private hugetlb", UFFDWP_KIND_HUGETLB, 2 * HUGE_PAGE, make_file, MFD_HUGETLB,
	  MAP_PRIVATE, WAY_PLAIN },
	{ "with a ring", UFFDWP_KIND_ANON_PRIVATE, 128 * PAGE, make_small, 0, 0, WAY_RING },
	{ "whole huge pages", UFFDWP_KIND_ANON_PRIVATE, 2 * HUGE_PAGE, make_huge, 0, 0,
	  WAY_WHOLE_HUGE },
	{ "with a granule", UFFDWP_KIND_ANON_PRIVATE, 128 * PAGE, make_small, 0, 0, WAY_GRANULE },
	{ "sparse memory", UFFDWP_KIND_ANON_PRIVATE, 4 * HUGE_PAGE, make_untouched, 0, 0,
	  WAY_SPARSE },
};

/* ---- what is written */

static size_t count(const char *start, size_t len, bool reset)
{
	struct written_region vec[64];
	const char *next = start;
	size_t pages = 0;
	int n, i;

	do {
		n = tracking->scan(next, start + len, reset, vec, 64, &next);
		if (n < 0)
			fail_msg("the scan: %s", strerror(-n));
		for (i = 0; i < n; i++)
			pages += (vec[i].end - vec[i].start) / PAGE;
	} while (next != start + len);
	return pages;
}

/*
 * An emulated processor of a guest in a guest goes astray now and then (vm.c), also where the
 * kernel tracks by itself. That is no write, and it begins anew, so many times in a test at most.
 */
#define MOST_ERRORS	3

/* ---- means to write, one at a time: each does what it does now */

struct means {
	const char *name;
	bool (*possible)(const struct vm *vm);
	/* To be done before the page is armed. */
	const char *(*prepare)(struct vm *vm, char *page, uint64_t address);
	/* By a piece of code that writes to the page, or to elsewhere; and before that */
	struct vm_task task;
	const char *(*before)(struct vm *vm);
};

static bool emulates(const struct vm *vm)
{
	(void)vm;
	return vm_emulates();
}

static const char *empty(struct vm *vm, char *page, uint64_t address)
{
	(void)vm;
	(void)address;
	memset(page, 0, PAGE);
	return NULL;
}

static const char *be_table(struct vm *vm, char *page, uint64_t address)
{
	vm_table_at(vm, page, address);
	return NULL;
}

static const char *be_clock(struct vm *vm, char *page, uint64_t address)
{
	(void)page;
	return vm_clock_at(vm, 0, address);
}

static const char *be_steal(struct vm *vm, char *page, uint64_t address)
{
	(void)page;
	return vm_steal_at(vm, 0, address);
}

/* Without a TO it is the page itself. */
static const struct means means[] = {
	{ .name = "a store", .task = { .code = VM_STORE } },
	{ .name = "a locked addition", .task = { .code = VM_ATOMIC } },
	{ .name = "a string", .task = { .code = VM_STRING, .count = 100 } },
	{ .name = "input from a port", .task = { .code = VM_INPUT, .count = 100 } },
	{ .name = "a move from a device", .task = { .code = VM_MOVE, .from = VM_NOTHING } },
	{ .name = "an emulated store", .possible = emulates,
	  .task = { .code = VM_EMULATED_STORE } },
	{ .name = "an emulated locked addition", .possible = emulates,
	  .task = { .code = VM_EMULATED_ATOMIC } },
	{ .name = "a nested guest's control block", .possible = vm_has_nested, .prepare = empty,
	  .task = { .code = VM_NESTED } },
	{ .name = "the processor's use of a page table", .prepare = be_table,
	  .task = { .code = VM_THROUGH_TABLES, .to = VM_ALIAS } },
	{ .name = "the clock", .prepare = be_clock, .before = vm_clock_set,
	  .task = { .code = VM_STORE, .to = VM_SCRATCH } },
	{ .name = "stolen time", .prepare = be_steal,
	  .task = { .code = VM_STORE, .to = VM_SCRATCH } },
};

static void expect(const char *wrong, const struct means *m, const char *when)
{
	if (wrong)
		fail_msg("%s, %s: %s", m->name, when, wrong);
}

static void write_once(struct vm *vm, const struct means *m, uint64_t address, const char *when)
{
	static uint64_t value = 3;
	struct vm_task task = m->task;
	const char *wrong;
	int errors = 0;

	value += 2;
	task.value = value;
	if (!task.to)
		task.to = address;
	if (m->before)
		expect(m->before(vm), m, when);
	while ((wrong = vm_run(vm, 0, &task)) && vm_is_astray(vm, 0) && ++errors <= MOST_ERRORS) {
		print_message("[   INFO   ] begins anew: %s\n", wrong);
		vm_restart(vm, 0);
	}
	expect(wrong, m, when);
}

static void prepare(struct vm *vm, const struct means *m, char *page, uint64_t address)
{
	if (m->prepare)
		expect(m->prepare(vm, page, address), m, "before");
}

static void one_means(const struct kind *kind, const struct means *m, char *memory, struct vm *vm)
{
	const size_t at = kind->len / 2 + 5 * PAGE;
	char before[PAGE], *page = memory + at;

	if (m->possible && !m->possible(vm)) {
		print_message("[   INFO   ] not here: %s\n", m->name);
		return;
	}
	/* KVM has the page now, and may write to it. */
	prepare(vm, m, page, VM_MEMORY + at);
	write_once(vm, m, VM_MEMORY + at, "not armed");
	write_once(vm, m, VM_MEMORY + at, "not armed");
	prepare(vm, m, page, VM_MEMORY + at);

	tracking->begin(kind->kind, kind->way, memory, kind->len);
	wait_for(!count(memory, kind->len, true));
	memcpy(before, page, PAGE);
	write_once(vm, m, VM_MEMORY + at, "armed");
	if (!memcmp(before, page, PAGE))
		fail_msg("%s: has written nothing", m->name);
	if (!count(page, PAGE, false))
		fail_msg("%s: A WRITE WAS MISSED", m->name);
	if (count(memory, kind->len, false) == kind->len / PAGE)
		fail_msg("%s: all of the memory is written", m->name);

	/* Once more, armed by a scan that has found it written. */
	prepare(vm, m, page, VM_MEMORY + at);
	wait_for(!count(memory, kind->len, true));
	memcpy(before, page, PAGE);
	write_once(vm, m, VM_MEMORY + at, "armed again");
	if (!memcmp(before, page, PAGE))
		fail_msg("%s: has written nothing the second time", m->name);
	if (!count(page, PAGE, false))
		fail_msg("%s: A WRITE WAS MISSED the second time", m->name);
	tracking->end();
}

static void by_each_means(void **state)
{
	const struct kind *kind = *state;
	struct vm *vm;
	char *memory;
	size_t i;

	for (i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		memory = kind->make(kind);
		vm = new_vm(1, memory, kind->len);
		one_means(kind, &means[i], memory, vm);
		free_vm(vm);
		unmake(kind, memory);
	}
}

/* ---- memory without page tables: the machine's first write makes them */

static void must_be_seen(const struct kind *kind, const struct means *m, const char *memory,
			 struct vm *vm, size_t at, const char *when)
{
	write_once(vm, m, VM_MEMORY + at, when);
	if (count(memory + at, PAGE, false) != 1)
		fail_msg("%s, %s: A WRITE WAS MISSED", m->name, when);
	if (count(memory, kind->len, true) != 1)
		fail_msg("%s, %s: more than a page is written", m->name, when);
	/* Until KVM has let go of it. */
	wait_for(!count(memory, kind->len, true));
}

static void first_write(const struct kind *kind, const struct means *m, char *memory,
			struct vm *vm)
{
	const size_t at = kind->len / 2 + 5 * PAGE, beside = at + 2 * PAGE;
	const struct vm_task look = {
		.code = VM_MOVE, .to = VM_SCRATCH, .from = VM_MEMORY + beside,
	};

	tracking->begin(kind->kind, kind->way, memory, kind->len);
	assert_int_equal(count(memory, kind->len, true), 0);
	must_be_seen(kind, m, memory, vm, at, "the first time");
	must_be_seen(kind, m, memory, vm, at, "armed again");
	assert_null(vm_run(vm, 0, &look));
	assert_int_equal(count(memory, kind->len, true), 0);
	must_be_seen(kind, m, memory, vm, beside, "read before");
	tracking->end();
}

static void first_write_by_each_means(void **state)
{
	const struct kind *kind = *state;
	struct vm *vm;
	char *memory;
	size_t i;

	for (i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		/* Those that prepare the page touch it. */
		if (means[i].prepare)
			continue;
		memory = kind->make(kind);
		vm = new_vm(1, memory, kind->len);
		if (!means[i].possible || means[i].possible(vm))
			first_write(kind, &means[i], memory, vm);
		free_vm(vm);
		unmake(kind, memory);
	}
}

/* ---- the mirror: a copy that follows the reports is equal when the guest stands still */

#define ROUND_RUNS	16	/* of each processor, between two comparisons */
#define RUN_STORES	50
#define LEAST_ROUNDS	3
#define STUCK_SECONDS	120
#define MOST_WAIT	(200 * 1000)	/* microseconds between two scans */

struct control {
	atomic_uint round;	/* the processors may work on rounds up to this one */
	atomic_uint finished;	/* processors that are done with it */
	atomic_bool stop;
	atomic_ulong writes;
	atomic_uint errors;
	const char *_Atomic wrong;
};

struct guest {
	struct control *control;
	struct vm *vm;
	size_t len;
	unsigned int processor;
	bool has_nested;
	uint64_t random;
};

/* Each test has its own: when one fails its guest still runs. */
struct machine {
	struct control control;
	struct vm vm;
	struct guest guests[VM_PROCESSORS];
};

static const char *run_at_random(struct guest *g)
{
	const uint64_t r = next_random(&g->random);
	const uint64_t page = VM_MEMORY + next_random(&g->random) % (g->len / PAGE - 1) * PAGE;
	struct vm_task task = { .to = page + (r >> 32) % PAGE, .value = next_random(&g->random) };

	switch (r % 8) {
	case 0:
		task.code = VM_INPUT;
		task.count = 1 + (r >> 48) % 256;
		break;
	case 1:
		task.code = VM_MOVE;
		task.from = VM_NOTHING;
		break;
	case 2:
		/* What is there says nothing that a processor could run. */
		task.code = g->has_nested ? VM_NESTED : VM_STORE;
		task.to = page;
		break;
	case 3:
		if (vm_clock_set(g->vm))
			return "the clock";
		/* fall through */
	default:
		task.code = VM_RANDOM;
		task.to = VM_MEMORY;
		task.from = (g->len - 1) & ~7ul;
		task.count = RUN_STORES;
		task.value |= 1;
	}
	atomic_fetch_add(&g->control->writes, task.code == VM_RANDOM ? RUN_STORES : 1);
	return vm_run(g->vm, g->processor, &task);
}

static void go_wrong(struct guest *g, const char *wrong)
{
	const char *first = NULL;

	if (vm_is_astray(g->vm, g->processor) && ++g->control->errors <= MOST_ERRORS) {
		print_message("[   INFO   ] begins anew: %s\n", wrong);
		vm_restart(g->vm, g->processor);
		return;
	}
	atomic_compare_exchange_strong(&g->control->wrong, &first, wrong);
}

static void *run_rounds(void *arg)
{
	struct guest *g = arg;
	const char *wrong;
	unsigned int round;
	size_t i;

	for (round = 1;; round++) {
		while (g->control->round < round) {
			if (g->control->stop)
				return NULL;
			usleep(100);
		}
		for (i = 0; i < ROUND_RUNS; i++) {
			wrong = run_at_random(g);
			if (wrong)
				go_wrong(g, wrong);
		}
		atomic_fetch_add(&g->control->finished, 1);
	}
}

static void scan_and_copy(const char *memory, char *mirror, size_t len)
{
	struct written_region vec[64];
	const char *next = memory;
	int n, i;

	do {
		n = tracking->scan(next, memory + len, true, vec, 64, &next);
		if (n < 0)
			fail_msg("the scan: %s", strerror(-n));
		for (i = 0; i < n; i++)
			memcpy(mirror + (vec[i].start - (uintptr_t)memory),
			       (const char *)(uintptr_t)vec[i].start, vec[i].end - vec[i].start);
	} while (next != memory + len);
}

static void compare(const char *memory, const char *mirror, size_t len, unsigned int round)
{
	size_t i, missed = 0, first = 0;

	for (i = len / PAGE; i-- > 0; ) {
		if (!memcmp(memory + i * PAGE, mirror + i * PAGE, PAGE))
			continue;
		missed++;
		first = i;
	}
	if (missed)
		fail_msg("round %u: %zu pages were written and not reported, the first is page %zu (seed %" PRIu64 ")",
			 round, missed, first, stress->seed);
}

/* Where the threads of this process are in the kernel, and how long they have run. */
static void print_threads(void)
{
	glob_t files;
	size_t i;

	if (glob("/proc/self/task/*/st*[tk]", 0, NULL, &files))
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		char text[4096] = "";
		int fd = open(files.gl_pathv[i], O_RDONLY);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

		print_message("%s:\n%.*s\n", files.gl_pathv[i], (int)(n > 0 ? n : 0), text);
		close(fd);
	}
	globfree(&files);
}

static void mirror_rounds(struct control *control, const struct vm *vm, const char *memory,
			  char *mirror, size_t len)
{
	const time_t end = stress->seconds ? time(NULL) + stress->seconds : LONG_MAX;
	unsigned int round = 0;
	size_t scans = 0;
	useconds_t wait;
	time_t since;

	while (round < LEAST_ROUNDS || (control->writes < stress->count && time(NULL) < end)) {
		since = time(NULL);
		control->finished = 0;
		control->round = ++round;
		wait = 0;
		while (control->finished < vm->n) {
			scan_and_copy(memory, mirror, len);
			scans++;
			/*
			 * Each scan takes all that KVM has mapped, and faults that it overlaps with
			 * begin anew: a guest that is scanned without a break may not move at all.
			 */
			usleep(wait);
			wait = wait < MOST_WAIT ? wait + 20 : MOST_WAIT;
			if (time(NULL) - since > STUCK_SECONDS) {
				print_threads();
				vm_print_state(vm);
				sleep(1);
				vm_print_state(vm);
				fail_msg("the guest has not moved for %d seconds", STUCK_SECONDS);
			}
		}
		if (control->wrong)
			fail_msg("the guest: %s (seed %" PRIu64 ")", control->wrong, stress->seed);
		scan_and_copy(memory, mirror, len);
		compare(memory, mirror, len, round);
	}
	print_message("[   INFO   ] %lu writes, %zu scans, %u comparisons, none missed\n",
		      (unsigned long)control->writes, scans, round);
}

static void mirror(const struct kind *kind, unsigned int processors)
{
	struct machine *m = calloc(1, sizeof(*m));
	pthread_t threads[VM_PROCESSORS];
	char *memory = kind->make(kind), *copy = malloc(kind->len);
	unsigned int i;

	assert_non_null(m);
	assert_non_null(copy);
	tracking->begin(kind->kind, kind->way, memory, kind->len);
	memcpy(copy, memory, kind->len);
	vm_create(&m->vm, processors, memory, kind->len);
	for (i = 0; i < processors; i++) {
		m->guests[i] = (struct guest){
			.control = &m->control,
			.vm = &m->vm,
			.len = kind->len,
			.processor = i,
			.has_nested = tracking->sees_pins && vm_has_nested(&m->vm),
			.random = (stress->seed + i + 1) * 0x9E3779B97F4A7C15ull | 1,
		};
		assert_null(vm_clock_at(&m->vm, i, VM_MEMORY + i * 3 * PAGE));
		assert_null(vm_steal_at(&m->vm, i, VM_MEMORY + (i * 3 + 2) * PAGE));
		assert_ok(pthread_create(&threads[i], NULL, run_rounds, &m->guests[i]));
	}
	mirror_rounds(&m->control, &m->vm, memory, copy, kind->len);
	m->control.stop = true;
	for (i = 0; i < processors; i++)
		pthread_join(threads[i], NULL);
	tracking->end();
	vm_destroy(&m->vm);
	unmake(kind, memory);
	free(copy);
	free(m);
}

static void by_one_processor(void **state)
{
	mirror(*state, 1);
}

static void by_two_processors(void **state)
{
	mirror(*state, 2);
}

/* ---- what a scan costs the guest */

/* Mappings that the machine was given by its own page faults, until now. */
static unsigned long mappings_given(const struct vm *vm)
{
	unsigned long given = 0;
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/pf_fixed", getpid(), vm->fd);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fscanf(f, "%lu", &given), 1);
	fclose(f);
	return given;
}

/* One word of each page, to memory that is not tracked. */
static void read_all(struct vm *vm, size_t len)
{
	struct vm_task task = { .code = VM_MOVE, .to = VM_SCRATCH };

	for (task.from = VM_MEMORY; task.from < VM_MEMORY + len; task.from += PAGE)
		assert_null(vm_run(vm, 0, &task));
}

/* All of the memory is armed and the guest only reads it: it keeps its mappings over a scan. */
static void a_scan_that_finds_nothing_is_free(void **state)
{
	const struct kind *kind = *state;
	const struct vm_task write = { .code = VM_STORE, .to = VM_MEMORY, .value = 9 };
	unsigned long before, unwritten, written;
	char *memory;
	struct vm *vm;

	if (!tracking->spares_machine)
		skip_because("PAGEMAP_SCAN of this kernel takes all mappings from the machine");
	memory = kind->make(kind);
	vm = new_vm(1, memory, kind->len);
	tracking->begin(kind->kind, kind->way, memory, kind->len);
	wait_for(!count(memory, kind->len, true));
	read_all(vm, kind->len);

	before = mappings_given(vm);
	assert_int_equal(count(memory, kind->len, true), 0);
	read_all(vm, kind->len);
	unwritten = mappings_given(vm) - before;

	/* And one that must count: a page is written and armed again. */
	assert_null(vm_run(vm, 0, &write));
	before = mappings_given(vm);
	wait_for(!count(memory, kind->len, true));
	read_all(vm, kind->len);
	written = mappings_given(vm) - before;

	print_message("[   INFO   ] %lu mappings made anew after a scan that found nothing, %lu after "
		      "one that found one page\n", unwritten, written);
	assert_int_equal(unwritten, 0);
	assert_true(written > 0);
	tracking->end();
	free_vm(vm);
	unmake(kind, memory);
}

/* It is to do what it is told again. */
static void restart(struct vm *vm, const char *memory)
{
	const struct vm_task good = { .code = VM_STORE, .to = VM_MEMORY, .value = 7 };

	assert_true(vm_is_astray(vm, 0));
	vm_restart(vm, 0);
	assert_null(vm_run(vm, 0, &good));
	assert_int_equal(*(const uint64_t *)memory, 7);
}

/* After an exception, too. */
TEST(a_processor_that_went_astray_begins_anew)
{
	const struct vm_task bad = { .code = VM_STORE, .to = VM_NOWHERE };
	char *memory;
	struct vm *vm;

	if (kernel_is_before(6, 1))
		skip_because("KVM of Linux 5.10 forgets its page tables at a shutdown");
	memory = map_filled(1);
	vm = new_vm(1, memory, PAGE);
	assert_non_null(vm_run(vm, 0, &bad));
	restart(vm, memory);
	free_vm(vm);
	munmap(memory, PAGE);
}

/* One that would run for ever where it has no code. */
TEST(a_processor_that_is_lost_is_found)
{
	static const unsigned char loop[] = { 0xeb, 0xfe };
	const struct vm_task lost = { .code = VM_JUMP, .to = VM_SCRATCH };
	char *memory = map_filled(1);
	struct vm *vm;

	vm = new_vm(1, memory, PAGE);
	memcpy(vm->low + VM_SCRATCH, loop, sizeof(loop));
	assert_non_null(vm_run(vm, 0, &lost));
	restart(vm, memory);
	free_vm(vm);
	munmap(memory, PAGE);
}

/* ---- */

TEST(needs_kvm)
{
	skip_because("%s", vm_unavailable());
}

#define ONE_KIND(f, name, n) { #f ": " name, f, NULL, NULL, &kinds[n] }
#define EACH_KIND(f)								\
	ONE_KIND(f, "small pages", 0), ONE_KIND(f, "huge pages", 1),		\
	ONE_KIND(f, "shared memory", 2), ONE_KIND(f, "private mapping of it", 3), \
	ONE_KIND(f, "hugetlb", 4), ONE_KIND(f, "private hugetlb", 5)

/* They come last. */
#define EACH_WAY(f)								\
	ONE_KIND(f, "with a ring", 6), ONE_KIND(f, "whole huge pages", 7),	\
	ONE_KIND(f, "with a granule", 8)
#define TESTS_OF_WAYS (3 + 2 + 1)

const struct CMUnitTest *kvm_tests(const struct tracking *with, const struct stress *how, size_t *n)
{
	static const struct CMUnitTest nothing[] = { cmocka_unit_test(needs_kvm) };
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_processor_that_went_astray_begins_anew),
		cmocka_unit_test(a_processor_that_is_lost_is_found),
		EACH_KIND(by_each_means), EACH_KIND(by_one_processor), EACH_KIND(by_two_processors),
		EACH_KIND(a_scan_that_finds_nothing_is_free),
		EACH_WAY(by_each_means),
		/* The ring would be full at once. */
		ONE_KIND(by_two_processors, "whole huge pages", 7),
		ONE_KIND(by_two_processors, "with a granule", 8),
		ONE_KIND(first_write_by_each_means, "sparse memory", 9),
	};
	const size_t all = sizeof(tests) / sizeof(tests[0]);

	tracking = with;
	stress = how;
	*n = vm_unavailable() ? 1 : with->has_ways ? all : all - TESTS_OF_WAYS;
	return vm_unavailable() ? nothing : tests;
}
