// SPDX-License-Identifier: GPL-2.0-only
/*
 * One cell: memory made, state reached, armed, event, scan, compare. In a process of its own, so
 * that a signal or a fault that never ends is the failure of that cell and of no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "matrix.h"

/* Seconds after which a cell hangs; the debug kernel is slow, the machine may be loaded. */
#define HANG 300

#define MAX_PAGES (3 * 512ul)
#define RING_ENTRIES 4096u

long all_faults(void)
{
	struct rusage usage;

	assert_ok(getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

/* ---- the tracker */

int area_open_tracker(struct area *area)
{
	const uint32_t unpopulated = area->kind == MARKERS ? UFFDWP_UNPOP_MARKER :
				     area->kind == SPARSE ? UFFDWP_UNPOP_SPARSE :
							    UFFDWP_UNPOP_ZERO;
	int fd = dev_open();

	assert_true(fd >= 0);
	if (area->row->flags & ENDS) {
		area->child = peer_start();
		assert_ok(dev_attach_pid(fd, area->child.pid));
	} else if (area->row->flags & HANDED_IN) {
		area->uffd = new_uffd(area->kind == DISK || area->kind == DISK_PRIVATE ?
				      UFFD_WP_ASYNC : 0);
		assert_ok(dev_attach(fd, UFFDWP_ATTACH_UFFD, 0, area->uffd, unpopulated));
	} else {
		assert_ok(dev_attach(fd, 0, 0, 0, unpopulated));
	}
	return fd;
}

void area_close_tracker(struct area *area)
{
	if (area->ring.header)
		ring_close(&area->ring);
	close(area->tracker);
}

/* All memory of the process, from when it is mapped; and events say what becomes of it. */
static void follow(struct area *area)
{
	struct uffdwp_events_arg events = {
		.size = sizeof(events), .capacity = 4096, .event_size = sizeof(struct uffdwp_event),
	};
	struct uffdwp_follow_arg all = {
		.size = sizeof(all), .flags = area->kind == SPARSE ? UFFDWP_FOLLOW_SPARSE : 0,
	};

	area->tracker = area_open_tracker(area);
	assert_ok(dev_ioctl(area->tracker, UFFDWP_IOC_EVENTS, &events));
	assert_ok(dev_ioctl(area->tracker, UFFDWP_IOC_FOLLOW, &all));
}

/*
 * A page that the kernel holds for a moment is armed by the next scan only. What was born followed
 * is registered.
 */
void area_track(struct area *area)
{
	const bool stays_written = area->state_row->is & W;

	if (area->state != BORN) {
		area->tracker = area_open_tracker(area);
		assert_ok(dev_register(area->tracker, area->start, area->len));
	}
	assert_int_equal(written(area->tracker, area->start, area->len, false), area->len / PAGE);
	assert_ok(dev_arm(area->tracker, area->start, area->len));
	if (!stays_written && area->state != MOVING && area->state != POISONED)
		wait_for(!written(area->tracker, area->start, area->len, true));
}

/* ---- what was expected, what is seen */

static const struct {
	uint64_t bit;
	const char *name;
} names[] = {
	{ UFFDWP_PAGE_IS_WPALLOWED, "WPALLOWED" }, { W, "WRITTEN" }, { F, "FILE" },
	{ P, "PRESENT" }, { S, "SWAPPED" }, { Z, "PFNZERO" }, { H, "HUGE" },
	{ UFFDWP_PAGE_IS_SOFT_DIRTY, "SOFT_DIRTY" }, { G, "GUARD" }, { U, "UNTRACKED" },
	{ UFFDWP_PAGE_IS_PINNED, "PINNED" },
};

static const char *name_of(uint64_t categories, char *text, size_t size)
{
	size_t i, n = 0;

	snprintf(text, size, "nothing");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (categories & names[i].bit)
			n += snprintf(text + n, size - n, "%s%s", n ? " " : "", names[i].name);
	return text;
}

/* The categories of every page. */
static void look(const struct area *area, uint64_t *seen)
{
	static struct uffdwp_region vec[MAX_PAGES];
	struct uffdwp_scan_arg arg = scan_arg(area->start, area->len, vec, MAX_PAGES);
	struct uffdwp_hello_arg hello;
	uint64_t page;
	int n, i;

	assert_ok(dev_hello(area->tracker, &hello));
	arg.category_mask = 0;
	arg.category_anyof_mask = hello.categories;
	arg.return_mask = hello.categories;
	n = dev_scan(area->tracker, &arg);
	if (n < 0)
		fail_msg("the scan: %s", strerror(-n));
	assert_int_equal(arg.walk_end, arg.end);
	memset(seen, 0, area->len / PAGE * sizeof(*seen));
	for (i = 0; i < n; i++)
		for (page = vec[i].start; page < vec[i].end; page += PAGE)
			seen[(page - (uintptr_t)area->start) / PAGE] = vec[i].categories;
}

static bool is_touched(const struct area *area, const char *page, size_t armed_len)
{
	if (page >= area->start + armed_len)
		return true;
	switch (area->row->touched) {
	case HIT: return page >= area->hit && page < area->hit + area->hit_len;
	case FIRST: return page >= area->hit && page < area->hit + area->unit;
	case FROM_HIT: return page >= area->hit;
	case BEYOND: return false;
	case UPPER_HALF: return page >= area->start + armed_len / 2;
	default: return true;
	}
}

struct expectation {
	uint64_t is;
	uint64_t is_not;
};

/* What was armed as a huge page may be split by whatever happens to a part of it. */
static uint64_t blurred(const struct area *area)
{
	const bool thp = area->kind == THP || area->kind == HUGE_ZERO;

	return area->row->blurs | (thp && area->event != NOTHING ? H : 0);
}

static struct expectation expect(const struct area *area, bool touched)
{
	const struct event_row *row = area->row;
	const uint64_t blur = touched ? blurred(area) : blurred(area) & ~W;
	struct expectation e = { area->state_row->is & ~blur, area->state_row->is_not & ~blur };

	if (!touched)
		return e;
	if (!(row->flags & AS_STATE))
		e = (struct expectation){ 0, 0 };
	e.is = (e.is & ~row->is_not) | row->is;
	e.is_not = (e.is_not & ~row->is) | row->is_not;
	return e;
}

/* The same, on this kernel. */
static struct expectation expect_here(const struct area *area, bool touched)
{
	struct expectation e = expect(area, touched);

	if (matrix_forgets(area->kind, area->state, area->event))
		e.is_not &= ~W;
	return e;
}

/* Memory that went beyond what was armed was never armed. */
static void compare(const struct area *area, const uint64_t *seen, size_t armed_len)
{
	char a[128], b[128], c[128];
	size_t i;

	for (i = 0; i < area->len / PAGE; i++) {
		bool touched = is_touched(area, area->start + i * PAGE, armed_len);
		struct expectation e = expect_here(area, touched);

		/* One page of the state's is poisoned: the others read as usual. */
		if (area->state == POISONED && area->start + i * PAGE != area->hit)
			e = (struct expectation){ 0, W };
		if ((seen[i] & e.is) != e.is || (seen[i] & e.is_not))
			fail_msg("page %zu (%s) is %s; expected: %s, and not: %s", i,
				 touched ? "touched" : "a neighbour",
				 name_of(seen[i], a, sizeof(a)), name_of(e.is, b, sizeof(b)),
				 name_of(e.is_not, c, sizeof(c)));
	}
}

/* Reads memory without touching it; false where nothing can be read. */
static bool peek(const char *page, char *to)
{
	static int memory = -1;

	if (memory < 0)
		memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	return pread(memory, to, PAGE, (uintptr_t)page) == (ssize_t)PAGE;
}

/*
 * The byte that a page is full of when it is armed (matrix/kinds.c, matrix/states.c). It is not
 * read from there: reading is an event.
 */
static char content_of(const struct area *area, size_t page)
{
	const char of_file = is_private_file(area) ? 'A' + page % 26 : 0;
	const char written_before = 'a' + page % 26;

	switch (area->state) {
	case NO_TABLE:
	case ZERO:
		return of_file;
	case NONE:
	case MARKER:
	case FROM_FILE:
		return is_shared_file(area) || area->kind == HUGETLB ? written_before : of_file;
	case HOLES:
		return page % 2 ? 0 : written_before;
	default:
		return written_before;
	}
}

/*
 * What has become written since it was armed is in the ring, or in a range that is to be scanned,
 * or everything is. Not what is no memory of this tracker's any more, nor ever was.
 */
static void check_ring(const struct area *area, const uint64_t *before, const uint64_t *seen,
		       size_t armed_len)
{
	char a[128];
	size_t i;

	if (!area->ring.header)
		return;
	for (i = 0; i < armed_len / PAGE; i++)
		if ((seen[i] & W) && !(before[i] & W) &&
		    !ring_covers(&area->ring, area->start + i * PAGE))
			fail_msg("THE RING HAS MISSED IT: page %zu is %s", i,
				 name_of(seen[i], a, sizeof(a)));
}

/* The promise, whatever the table says. */
static void check_content(const struct area *area, const uint64_t *seen, size_t armed_len)
{
	char page[PAGE], before[PAGE];
	size_t i;

	for (i = 0; i < armed_len / PAGE; i++) {
		if (seen[i] & (W | U))
			continue;
		if (!peek(area->start + i * PAGE, page))
			fail_msg("page %zu cannot be read, and is not WRITTEN", i);
		memset(before, content_of(area, i), PAGE);
		if (memcmp(page, before, PAGE) && !(area->row->flags & (ELSEWHERE | TOLD)))
			fail_msg("A WRITE WAS MISSED: page %zu differs from what was armed and is not WRITTEN",
				 i);
	}
}

/* Has an event said of this memory that it is gone? */
static void check_told(const struct area *area, const char *gone)
{
	const uint64_t start = (uintptr_t)gone, end = start + area->hit_len;
	struct uffdwp_event event;

	if (area->state != BORN || !(area->row->flags & TOLD))
		return;
	do {
		if (read(area->tracker, &event, sizeof(event)) != sizeof(event))
			fail_msg("NOBODY WAS TOLD that memory is gone: %s", strerror(errno));
	} while ((event.type != UFFDWP_EVENT_UNMAPPED && event.type != UFFDWP_EVENT_MOVED) ||
		 event.start > start || event.end < end);
}

/* Up to where it is mapped: it may have shrunk. */
static void give_access(const struct area *area)
{
	if (area->no_access && mprotect(area->start, area->len, PROT_READ | PROT_WRITE))
		assert_int_equal(errno, ENOMEM);
}

/* Nothing was left behind that would read as armed: by no tracker, nor by the next one. */
static void check_moved(struct area *area)
{
	give_access(area);
	touch(area->hit, area->hit_len / PAGE, 1);
	assert_ok(dev_register(area->tracker, area->start, area->len));
	if (written(area->tracker, area->start, area->len, false) != area->len / PAGE)
		fail_msg("moved memory that is registered again reads as armed");
}

/* Can be written to and armed again. */
static bool is_usable(const struct area *area, const char *page, size_t armed_len)
{
	const bool gone = area->row->flags & OUT_OF_REACH;

	return !(gone && is_touched(area, page, armed_len)) &&
	       !(area->bad_frame && page == area->hit);
}

/*
 * A page that was looked at may be in a batch of its processor's (folio_activate()), which holds
 * it: it stays written until the module has all batches drained (uffdwp_drain_lru()).
 */
static bool reset_all(const struct area *area, size_t armed_len)
{
	bool armed = true;
	size_t i;

	for (i = 0; i < area->len; i += area->unit) {
		const char *page = area->start + i;

		if (is_usable(area, page, armed_len) &&
		    written(area->tracker, page, area->unit, true) &&
		    written(area->tracker, page, area->unit, false))
			armed = false;
	}
	return armed;
}

/*
 * A huge page that is in small entries here and whole in a forked child counts as held for as long
 * as both have it, since its mappings and references cannot be counted at one instant (pinned.h).
 * It stays armed if it was, but what was disarmed is not armed again.
 */
static bool counts_as_held(const struct area *area)
{
	const bool disarms = area->event == UNPROTECT || area->event == REREGISTER ||
			     area->event == REOPEN || area->event == FOREIGN_BITS;

	return area->kind == THP && disarms &&
	       (area->state == FORKED || area->state == THEN_FORKED);
}

/* Reset, and the next writes are seen again: of every other page. */
static void check_again(struct area *area, size_t armed_len)
{
	static uint64_t seen[MAX_PAGES + 8];
	size_t i, step = area->unit;

	if (area->moved)
		check_moved(area);
	if (((area->row->flags & OUT_OF_REACH) && area->row->touched == ALL) ||
	    counts_as_held(area))
		return;
	give_access(area);
	wait_for(reset_all(area, armed_len));
	for (i = step; i < area->len; i += 2 * step)
		if (is_usable(area, area->start + i, armed_len))
			*(volatile char *)(area->start + i) = *(volatile char *)(area->start + i);
	look(area, seen);
	for (i = 0; i < area->len; i += step) {
		if (!is_usable(area, area->start + i, armed_len))
			continue;
		if (!(seen[i / PAGE] & W) != !(i / step % 2))
			fail_msg("after a reset page %zu is %s", i / PAGE,
				 seen[i / PAGE] & W ? "WRITTEN, and was not written" :
						      "not WRITTEN, and was written");
	}
}

/*
 * The table has the faults of Linux 6.1 and older ones, whose do_swap_page() protects again what it
 * has made writable for a write. Later ones let that write through in the same fault.
 */
static int faults_of_swapped(const struct area *area)
{
	return !is_shared_file(area) && !kernel_is_before(6, 2) ? 1 : area->state_row->faults;
}

static void check_faults(const struct area *area)
{
	const bool swapped = area->state == SWAPPED || area->state == THEN_SWAPPED;
	const int each = area->row->faults ?: swapped ? faults_of_swapped(area) :
							area->state_row->faults;
	const long expected = each * (long)(area->hit_len / area->unit);

	if (matrix_forgets(area->kind, area->state, area->event))
		return;
	if (area->faults >= 0 && each > 0 && area->faults != expected)
		fail_msg(CELL_FAULTS " %ld faults; expected: %ld (%llu passed by the hook)",
			 area->faults, expected,
			 (unsigned long long)dev_stats(area->tracker).fallback_faults);
}

static void check_gone(struct area *area)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(area->start, area->len, &region, 1);
	int ret = dev_scan(area->tracker, &arg);

	if (ret != -ESRCH)
		fail_msg("a scan of an address space that is gone returns %d", ret);
}

/* ---- the cell */

/*
 * Counters of the whole machine (vmstat), switches of the whole machine (NUMA balancing, KSM), and
 * daemons that look at all processes: two cells would take each other's for their own. What is to
 * leave memory, or to move, must not wait in the batch of a processor that another cell keeps busy.
 */
bool cell_is_alone(enum kind kind, enum state state, enum event event)
{
	const unsigned int states = ONLY(MERGED) | ONLY(SWAPPED) | ONLY(THEN_SWAPPED) |
				    ONLY(MOVING) | ONLY(THEN_MOVED) | ONLY(HINTED) |
				    ONLY(THEN_HINTED) | ONLY(POISONED);

	if (kind == HUGE_ZERO || (states & ONLY(state)))
		return true;
	switch (event) {
	case OTHER_CPU_WRITE:
	case FREED:
	case COLLAPSE:
	case COLLAPSE_WRITE:
	case PAGEOUT:
	case SWAP_IN:
	case KSM_MERGE:
	case KSM_KEEP:
	case KSM_BREAK:
	case HINT_READ:
	case HINT_WRITE:
	case MIGRATE:
	case MIGRATE_WRITE:
	case COMPACT:
	case KHUGEPAGED:
	case POISON:
	case SOFT_OFFLINE:
		return true;
	default:
		return false;
	}
}

/* NULL, or why it was skipped. */
static const char *run(struct area *area)
{
	static uint64_t seen[MAX_PAGES + 8], before[MAX_PAGES + 8];
	const char *reason, *hit;
	size_t armed_len;

	if (area->state == BORN)
		follow(area);
	reason = area_make(area, area->row->flags & WIDE) ?: state_before_arming(area);
	if (reason)
		return reason;
	area_track(area);
	/* Sparse memory has none. */
	if (area->kind != SPARSE) {
		area->ring = ring_open(area->tracker, RING_ENTRIES, 1);
		ring_settle(&area->ring);
	}
	look(area, before);
	reason = state_after_arming(area);
	if (reason)
		return reason;
	armed_len = area->len;
	hit = area->hit;
	reason = event_happen(area);
	if (reason)
		return reason;
	if (area->row->flags & ENDS) {
		check_gone(area);
		return NULL;
	}
	look(area, seen);
	check_content(area, seen, armed_len);
	check_told(area, hit);
	check_ring(area, before, seen, armed_len);
	compare(area, seen, armed_len);
	check_faults(area);
	check_again(area, armed_len);
	return NULL;
}

/*
 * Tried in each state, since it is the mapping that is refused, whatever is in it: and it is left
 * as it was, and nothing is registered.
 */
static const char *run_refused(struct area *area)
{
	const struct kind_row *kind = &matrix_kinds[area->kind];
	const char *reason = area_make(area, false) ?: state_before_arming(area), *why;

	if (reason)
		return reason;
	why = kind->needs_kind ? refused_memory(kind->needs_kind, area->start, area->len) :
				 refused_markers();
	if (!why)
		fail_msg("it is not refused");
	give_access(area);
	if (area->state != POISONED)
		touch(area->start, area->len / PAGE, 1);
	return NULL;
}

/* What the parent is told comes through this pipe: the words of cmocka, or a reason to skip. */
static void in_child(struct area *area, const char *(*how)(struct area *area), int to)
{
	static const int signals[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS };
	const char *reason;
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	/* A failed assertion ends this process, and does not go on with the next test. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	dup2(to, 1);
	dup2(to, 2);
	alarm(HANG);
	reason = how(area);
	state_end(area);
	if (reason) {
		dprintf(to, "%s", reason);
		_exit(CELL_SKIPPED);
	}
	_exit(CELL_PASSED);
}

static void read_all(int from, char *message, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while (got < size - 1 && (n = read(from, message + got, size - 1 - got)) > 0)
		got += n;
	message[got] = 0;
}

static struct cell_process start(struct area *area, const char *(*how)(struct area *area))
{
	struct cell_process process;
	int ends[2];

	assert_ok(pipe2(ends, O_CLOEXEC));
	fflush(NULL);
	process.pid = fork();
	assert_true(process.pid >= 0);
	if (!process.pid)
		in_child(area, how, ends[1]);
	close(ends[1]);
	process.says = ends[0];
	return process;
}

struct cell_process cell_start(enum kind kind, enum state state, enum event event)
{
	struct area area = {
		.kind = kind,
		.state = state,
		.event = event,
		.state_row = matrix_state(kind, state),
		.row = matrix_event(kind, state, event),
	};

	return start(&area, run);
}

struct cell_process cell_start_refused(enum kind kind, enum state state)
{
	struct area area = { .kind = kind, .state = state };

	return start(&area, run_refused);
}

enum cell_result cell_end(struct cell_process *process, int status, char *message, size_t size)
{
	size_t n;

	/* Processes of the cell's that outlive it hold the pipe open: what it said is short. */
	assert_true(fcntl(process->says, F_SETFL, O_NONBLOCK) >= 0);
	read_all(process->says, message, size);
	close(process->says);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	n = strlen(message);
	if (WTERMSIG(status) == SIGALRM)
		snprintf(message + n, size - n, " HANGS: no end after %d s", HANG);
	else if (WTERMSIG(status) != SIGABRT)
		snprintf(message + n, size - n, " killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	return CELL_FAILED;
}
