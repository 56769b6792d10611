// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bring memory into a state, before or after it is armed, and prove by what the kernel shows of it
 * (pagemap, kpageflags, smaps, vmstat, mincore) that it is in it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "environment.h"
#include "matrix.h"

#define PAGEMAP_ARMED	(1ull << 57)
#define PAGEMAP_FILE	(1ull << 61)
#define PAGEMAP_SWAPPED	(1ull << 62)
#define PAGEMAP_PRESENT	(1ull << 63)
#define PAGEMAP_PFN	((1ull << 55) - 1)

/* What cannot be seen to be so is a failure, not a reason to skip. */
static void prove(const struct area *area, uint64_t is, uint64_t is_not, const char *what)
{
	size_t i;

	for (i = 0; i < area->len; i += PAGE) {
		uint64_t entry = pagemap_entry(area->start + i);

		if ((entry & is) != is || (entry & is_not))
			fail_msg("the state was not reached: %s; page %zu has pagemap entry %#llx",
				 what, i / PAGE, (unsigned long long)entry);
	}
}

static void read_all(const struct area *area)
{
	size_t i;

	for (i = 0; i < area->len; i += PAGE)
		(void)*(volatile char *)(area->start + i);
}

static long tables_kib(void)
{
	return number_after("/proc/self/status", "VmPTE");
}

static bool is_hugetlb(const struct area *area)
{
	return area->unit == HUGE_PAGE;
}

/* Nothing was ever mapped in these 2 MiB, so that arming has to make a table. */
static const char *no_table(struct area *area)
{
	prove(area, 0, PAGEMAP_PRESENT | PAGEMAP_SWAPPED, "nothing there");
	area->tables = tables_kib();
	return NULL;
}

static const char *had_no_table(struct area *area)
{
	const bool made = tables_kib() > area->tables;

	if (made == (area->kind == SPARSE))
		fail_msg("the state was not reached: arming has made %s page table",
			 made ? "a" : "no");
	return NULL;
}

/*
 * MADV_DONTNEED, which kernels before 5.18 do not take for hugetlb. In two steps: of a whole table
 * it takes away the table, too, since 6.14 (PT_RECLAIM).
 */
static const char *throw_away(const struct area *area)
{
	if (!madvise(area->start, area->unit, MADV_DONTNEED) &&
	    !madvise(area->start + area->unit, area->len - area->unit, MADV_DONTNEED))
		return NULL;
	if (!is_hugetlb(area) || errno != EINVAL)
		fail_msg("MADV_DONTNEED: %s", strerror(errno));
	return "this kernel has no MADV_DONTNEED for hugetlb";
}

/* There is a table, and nothing in it. */
static const char *none(struct area *area)
{
	const char *reason;
	long before;

	if (is_shared_file(area) || is_hugetlb(area))
		area_fill(area);
	else
		/* A write, so that khugepaged takes notice of the mapping: it has an anon_vma. */
		*(volatile char *)area->start = 1;
	before = tables_kib();
	reason = throw_away(area);
	if (reason)
		return reason;
	prove(area, 0, PAGEMAP_PRESENT | PAGEMAP_SWAPPED, "nothing there");
	assert_int_equal(tables_kib(), before);
	return NULL;
}

/* Zero pages share one frame. */
static const char *zero(struct area *area)
{
	uint64_t first, second;

	read_all(area);
	if (area->kind == HUGE_ZERO) {
		first = pagemap_entry(area->start) & PAGEMAP_PFN;
		second = pagemap_entry(area->start + 511 * PAGE) & PAGEMAP_PFN;
		if (second != first + 511 || is_huge(area->start))
			return "no huge zero page could be had";
		return NULL;
	}
	prove(area, PAGEMAP_PRESENT, 0, "the zero page is mapped");
	first = pagemap_entry(area->start) & PAGEMAP_PFN;
	second = pagemap_entry(area->start + area->len - PAGE) & PAGEMAP_PFN;
	if (first != second)
		fail_msg("the state was not reached: not the zero page");
	return NULL;
}

static const char *own(struct area *area)
{
	area_fill(area);
	if (area->kind == THP && !is_huge(area->start))
		return "no huge page could be had";
	prove(area, PAGEMAP_PRESENT, 0, "pages of its own");
	return NULL;
}

static const char *from_file(struct area *area)
{
	const char *reason = NULL;

	if (is_shared_file(area) || area->kind == HUGETLB) {
		area_fill(area);
		reason = throw_away(area);
	}
	if (reason)
		return reason;
	read_all(area);
	prove(area, PAGEMAP_PRESENT, 0, "pages of the file");
	if (area->kind != HUGETLB_PRIVATE)
		prove(area, PAGEMAP_FILE, 0, "pages of the file");
	return NULL;
}

/* Every other page of the file exists. */
static const char *holes(struct area *area)
{
	size_t i;

	for (i = 0; i < area->len; i += 2 * PAGE)
		memset(area->start + i, 'a' + i / PAGE % 26, PAGE);
	return NULL;
}

static const char *forked(struct area *area)
{
	area->child = peer_start();
	return NULL;
}

static const char *merged(struct area *area)
{
	const char *reason = area_make_twin(area, TWIN_ABOVE);

	return reason ?: ksm_merge(area->start, area->twin, area->len);
}

static bool any_present(const struct area *area)
{
	size_t i;

	for (i = 0; i < area->len; i += PAGE)
		if (pagemap_entry(area->start + i) & PAGEMAP_PRESENT)
			return true;
	return false;
}

/* Of shared memory no entry stays, unless it is armed: then there is a marker. */
static const char *swapped(struct area *area)
{
	int tries = 200;

	if (!is_shared_file(area))
		return swap_out(area->start, area->len);
	for (; any_present(area) && tries; tries--) {
		/* Reclaim takes clean pages of a disk's file only. */
		if (area->kind == DISK)
			assert_ok(fsync(area->file));
		if (madvise(area->start, area->len, MADV_PAGEOUT))
			return strerror(errno);
		usleep(5000);
		if (tries % 20 == 1)
			empty_batches();
	}
	if (!tries)
		return "MADV_PAGEOUT has left a page in memory";
	prove(area, 0, PAGEMAP_PRESENT, "the file is paged out");
	return NULL;
}

static const char *no_access(struct area *area)
{
	assert_ok(mprotect(area->start, area->len, PROT_NONE));
	area->no_access = true;
	return NULL;
}

/*
 * The fault shall leave the page where it is, and restore its entry: migration makes a new one. The
 * events of NUMA hints move it.
 */
static const char *hinted(struct area *area)
{
	return numa_hints(area->start, area->len) ?: go_to_other_node();
}

static const char *poisoned(struct area *area)
{
	return poison(area->hit, &area->bad_frame);
}

/* ---- migration while the memory is armed */

static struct {
	pthread_t thread;
	struct area *area;
	atomic_bool stop;
} mover;

/* A page that is held just now is left where it is. */
static void move_all(const struct area *area, int to)
{
	void *pages[64];
	int nodes_of[64], status[64];
	size_t i, n = area->len / PAGE;

	assert_true(n <= 64);
	for (i = 0; i < n; i++) {
		pages[i] = area->start + i * PAGE;
		nodes_of[i] = to;
	}
	syscall(SYS_move_pages, 0, n, pages, nodes_of, status, 2 /* MPOL_MF_MOVE */);
}

static void *move_to_and_fro(void *arg)
{
	int node = 0;

	(void)arg;
	while (!mover.stop) {
		move_all(mover.area, node);
		node = !node;
	}
	return NULL;
}

static const char *moving(struct area *area)
{
	if (nodes() < 2)
		return "one memory node only (tests/vm/run --numa 2)";
	mover.area = area;
	assert_ok(pthread_create(&mover.thread, NULL, move_to_and_fro, NULL));
	return NULL;
}

/* Armed again and again until all of it has moved meanwhile. */
static const char *moved_while_armed(struct area *area)
{
	const long enough = vmstat("pgmigrate_success") + 2 * (long)(area->len / PAGE);

	do {
		assert_ok(dev_disarm(area->tracker, area->start, area->len));
		assert_ok(dev_arm(area->tracker, area->start, area->len));
	} while (vmstat("pgmigrate_success") < enough);
	mover.stop = true;
	pthread_join(mover.thread, NULL);
	return NULL;
}

static const char *moved(struct area *area)
{
	return move_to_other_node(area->start, area->len);
}

/* Armed once already, which has left markers. */
static const char *marked(struct area *area)
{
	prove(area, PAGEMAP_ARMED, PAGEMAP_PRESENT, "markers");
	assert_ok(dev_arm(area->tracker, area->start, area->len));
	prove(area, PAGEMAP_ARMED, PAGEMAP_PRESENT, "markers");
	return NULL;
}

/* ---- */

/* With content, or with nothing in it? */
static bool has_content(enum state state)
{
	return state != NO_TABLE && state != NONE && state != ZERO && state != FROM_FILE &&
	       state != MARKER && state != HOLES;
}

const char *state_before_arming(struct area *area)
{
	const char *reason = has_content(area->state) ? own(area) : NULL;

	if (reason)
		return reason;
	switch (area->state) {
	case NO_TABLE: return no_table(area);
	case NONE:
	case MARKER: return none(area);
	case ZERO: return zero(area);
	case FROM_FILE: return from_file(area);
	case HOLES: return holes(area);
	case FORKED: return forked(area);
	case MERGED: return merged(area);
	case SWAPPED: return swapped(area);
	case MOVING: return moving(area);
	case NO_ACCESS: return no_access(area);
	case HINTED: return hinted(area);
	case POISONED: return poisoned(area);
	default: return NULL;
	}
}

const char *state_after_arming(struct area *area)
{
	switch (area->state) {
	case NO_TABLE: return had_no_table(area);
	case MOVING: return moved_while_armed(area);
	case MARKER: return marked(area);
	case THEN_FORKED: return forked(area);
	case THEN_SWAPPED: return swapped(area);
	case THEN_MOVED: return moved(area);
	case THEN_NO_ACCESS: return no_access(area);
	case THEN_HINTED: return hinted(area);
	default: return NULL;
	}
}

void state_end(struct area *area)
{
	if (area->child.pid)
		peer_end(&area->child);
	if (area->twin)
		ksm_off();
	if (area->bad_frame)
		unpoison(area->bad_frame);
}
