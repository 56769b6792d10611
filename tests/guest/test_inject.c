// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call that can fail inside a command fails once: the first, then, on fresh memory, the
 * second, and so on until the command ends without a failure. Whatever fails, no write is missed.
 *
 * The mirror of mirror.c in small: for each page the caller knows what was in it when a command
 * that succeeded told of it last, and nothing at first. After the failure more is written, and
 * scans that do not fail must report each page in which there is something else than that.
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inject.h"
#include "ring.h"
#include "support.h"
#include "unserved.h"

#define MAX_PAGES 1200ul
#define STUCK_SECONDS 120

/* Who tracks whom, and how. */
enum way {
	OWN,		/* the caller's own memory */
	MARKERS,	/* the same, what is unpopulated gets markers */
	PEER,		/* another process, by pidfd */
	HANDED_IN,	/* with a userfaultfd of the caller's */
	RIDING,		/* on one that the caller has registered it with, for MISSING faults */
	FOLLOWING,	/* the caller's own, and what it maps; with events */
};

enum memory {
	FILLED,
	SHARED,		/* filled, and a forked child has the same pages */
	NOTHING,	/* nothing in it, and no tables near it */
	HUGE,
};

/* How far things are when the operation begins. Each includes those before. */
enum stage {
	MAPPED,
	OPENED,
	ATTACHED,
	REGISTERED,
	ARMED,		/* and something written since */
};

struct world {
	const struct operation *op;
	bool up;
	char *map;
	size_t map_pages;
	char *start;		/* commands are given for a part in the middle of the mapping */
	size_t pages;
	int fd;
	int uffd;
	int pidfd;
	struct peer peer;
	int value;		/* written last */
	int now[MAX_PAGES];
	int known[MAX_PAGES];
	struct uffdwp_region vec[MAX_PAGES];
};

#define UNKNOWN (-1)

struct operation {
	const char *name;
	enum way way;
	enum memory memory;
	enum stage stage;
	int (*run)(struct world *w);	/* 0 or more, or -errno */
	bool unhooked;			/* begins when nothing is hooked any more */
	size_t vec_len;			/* of a scan */
	int also;			/* a documented error besides -ENOMEM and -EFAULT */
	bool asks_for_nothing;		/* there need be no call in it that can fail */
};

static int run_write(struct world *w);

static struct world world;
static unsigned int nth;

static void on_alarm(int sig)
{
	(void)sig;
	fprintf(stderr, "%s: hangs with failure %u\n", world.op->name, nth);
	_exit(1);
}

#define broken(format, ...)							\
	fail_msg("%s, failure %u: " format, world.op->name, nth, ##__VA_ARGS__)

/* ---- memory */

/* On both sides of a border between tables of all levels, where nothing else is. */
static char *map_lonely(size_t pages)
{
	char *border = (char *)(32ul << 39);
	char *p = mmap(border - pages / 2 * PAGE, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	thp_advice(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static size_t pages_of(const struct operation *op)
{
	if (op->memory == HUGE)
		return 1024;
	/* Each write can fail. */
	if (op->run == run_write)
		return 60;
	/* Each write is an order to the other process, and takes its time. */
	if (op->way == PEER)
		return 160;
	/* More regions than the module's buffer holds; or more than one page table. */
	return op->vec_len > 512 ? MAX_PAGES : 700;
}

static void make_memory(struct world *w)
{
	size_t i;

	w->map_pages = pages_of(w->op);
	switch (w->op->memory) {
	case FILLED:
	case SHARED:
		w->map = map_filled(w->map_pages);
		break;
	case NOTHING:
		w->map = map_lonely(w->map_pages);
		break;
	case HUGE:
		w->map = map_huge(2);
		if (!w->map)
			skip_because("no huge page could be had");
		break;
	}
	/* Its ends are inside mappings, tables and huge pages. */
	w->start = w->map + 3 * PAGE;
	w->pages = w->map_pages - 6;
	for (i = 0; i < w->pages; i++) {
		w->now[i] = w->op->memory == NOTHING ? 0 : 1;
		w->known[i] = UNKNOWN;
	}
	w->value = 1;
}

static void write_pages(struct world *w, size_t first, size_t pages)
{
	if (w->op->way == PEER)
		peer_do(&w->peer, PEER_WRITE, w->start + first * PAGE, pages * PAGE, w->value);
	else
		touch(w->start + first * PAGE, pages, w->value);
	while (pages--)
		w->now[first++] = w->value;
}

/*
 * Every other page of the first half, every fifth of the second: many regions, and some long. Not
 * the pages of the time before, which would hide that those were missed.
 */
static void write_some(struct world *w)
{
	size_t i;

	w->value = w->value % 100 + 1;
	for (i = w->value % 2; i < w->pages; i += i < w->pages / 2 || w->op->vec_len > 512 ? 2 : 5)
		write_pages(w, i, 1);
	write_pages(w, w->pages - 3 - w->value % 2 * 10, 3);
}

/* ---- what the caller learns */

static size_t index_of(const struct world *w, uint64_t address)
{
	return (address - (uintptr_t)w->start) / PAGE;
}

static void know(struct world *w, uint64_t start, uint64_t end)
{
	size_t i;

	for (i = index_of(w, start); i < index_of(w, end); i++)
		w->known[i] = w->now[i];
}

/* What is different below the end of the scan was reported by it. */
static void expect_reported(struct world *w, const struct uffdwp_scan_arg *arg, int regions)
{
	size_t i, r = 0;

	for (i = 0; i < index_of(w, arg->walk_end); i++) {
		while (r < (size_t)regions && index_of(w, w->vec[r].end) <= i)
			r++;
		if (r < (size_t)regions && index_of(w, w->vec[r].start) <= i)
			continue;
		if (w->known[i] != w->now[i])
			broken("page %zu is %d and the caller knows %d, but a scan has passed it by as clean",
			       i, w->now[i], w->known[i]);
	}
}

static int scan(struct world *w, struct uffdwp_scan_arg *arg)
{
	int i, n = dev_scan(w->fd, arg);

	if (n < 0 || !arg->vec)
		return n;
	expect_reported(w, arg, n);
	for (i = 0; i < n && (arg->flags & UFFDWP_SCAN_WP_MATCHING); i++)
		know(w, w->vec[i].start, w->vec[i].end);
	return n;
}

/* Scans that do not fail, until the caller knows all. */
static void scan_all(struct world *w)
{
	struct uffdwp_scan_arg arg = scan_arg(w->start, w->pages * PAGE, w->vec, MAX_PAGES);
	int n;

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	do {
		n = scan(w, &arg);
		if (n < 0)
			broken("afterwards a scan gives %s", strerror(-n));
		arg.start = arg.walk_end;
	} while (arg.start != arg.end);
}

static int arm(struct world *w)
{
	struct uffdwp_arm_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)w->start, .len = w->pages * PAGE,
		.walk_end = (uintptr_t)w->start,
	};
	int ret = dev_ioctl(w->fd, UFFDWP_IOC_ARM, &arg);

	/* Also after -ENOMEM: all below is armed. */
	know(w, (uintptr_t)w->start, arg.walk_end);
	if (!ret && arg.walk_end != arg.start + arg.len)
		broken("ARM says success at %#llx", (unsigned long long)arg.walk_end);
	return ret;
}

/* ---- operations */

static int run_open(struct world *w)
{
	w->fd = dev_open();
	return w->fd < 0 ? w->fd : 0;
}

static int run_hello(struct world *w)
{
	struct uffdwp_hello_arg arg;

	return dev_hello(w->fd, &arg);
}

static int run_stats(struct world *w)
{
	struct uffdwp_stats_arg arg = { .size = sizeof(arg) };

	return dev_ioctl(w->fd, UFFDWP_IOC_STATS, &arg);
}

static int run_attach(struct world *w)
{
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg),
		.unpopulated = w->op->way == MARKERS ? UFFDWP_UNPOP_MARKER : 0,
	};

	if (w->op->way == PEER) {
		arg.flags = UFFDWP_ATTACH_PIDFD;
		arg.pidfd = w->pidfd;
	} else if (w->op->way == HANDED_IN) {
		arg.flags = UFFDWP_ATTACH_UFFD;
		arg.uffd = w->uffd;
	} else if (w->op->way == RIDING) {
		arg.flags = UFFDWP_ATTACH_UFFD | UFFDWP_ATTACH_RIDE;
		arg.uffd = w->uffd;
	}
	return dev_ioctl(w->fd, UFFDWP_IOC_ATTACH, &arg);
}

static int run_events(struct world *w)
{
	struct uffdwp_events_arg arg = {
		.size = sizeof(arg), .flags = UFFDWP_EVENTS_HARVEST_ALL, .capacity = 64,
		.event_size = sizeof(struct uffdwp_event),
	};

	return dev_ioctl(w->fd, UFFDWP_IOC_EVENTS, &arg);
}

static int run_follow(struct world *w)
{
	return dev_follow(w->fd, w->map, w->map_pages * PAGE, UFFDWP_KIND_ANON_PRIVATE);
}

/* A part goes and comes back: what is born unregistered is to be untracked, and so written. */
static int run_map(struct world *w)
{
	char *part = w->start + 20 * PAGE;
	const size_t pages = w->pages - 40;

	/* mmap() that fails may have unmapped what was there. */
	while (mmap(part, pages * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != part)
		assert_int_equal(errno, ENOMEM);
	memset(w->now + 20, 0, pages * sizeof(*w->now));
	write_pages(w, 30, 5);
	return 0;
}

static int run_register(struct world *w)
{
	/* A border inside a huge page would split it before its time. */
	if (w->op->memory == HUGE)
		return dev_register(w->fd, w->map, w->map_pages * PAGE);
	return dev_register(w->fd, w->start, w->pages * PAGE);
}

static int run_arm(struct world *w)
{
	return arm(w);
}

static int scan_once(struct world *w, uint64_t flags)
{
	struct uffdwp_scan_arg arg = scan_arg(w->start, w->pages * PAGE,
					      w->op->vec_len ? w->vec : NULL, w->op->vec_len);
	int ret;

	arg.flags = flags;
	arg.walk_end = arg.start;
	ret = scan(w, &arg);
	/* As ARM: what is below was looked at, and there is nobody to be told of it. */
	if (!arg.vec && flags)
		know(w, arg.start, arg.walk_end);
	return ret;
}

static int run_scan(struct world *w)
{
	return scan_once(w, 0);
}

static int run_scan_reset(struct world *w)
{
	return scan_once(w, UFFDWP_SCAN_WP_MATCHING);
}

static int run_writeprotect(struct world *w)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (uintptr_t)w->start, .len = w->pages * PAGE },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int ret = ioctl(w->uffd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;

	/* After an error nobody says how far it came. */
	if (!ret)
		know(w, (uintptr_t)w->start, (uintptr_t)w->start + w->pages * PAGE);
	return ret;
}

static int run_disarm(struct world *w)
{
	return dev_disarm(w->fd, w->start, w->pages * PAGE);
}

/* A part in the middle: the mapping is split again. */
static int run_unregister(struct world *w)
{
	return dev_unregister(w->fd, w->start + 20 * PAGE, (w->pages - 40) * PAGE);
}

static int run_ring(struct world *w)
{
	return dev_ring(w->fd, 1024, 1, NULL);
}

static int run_close(struct world *w)
{
	close(w->fd);
	w->fd = -1;
	return 0;
}

static int run_write(struct world *w)
{
	write_some(w);
	return 0;
}

/* ---- one failure */

static void open_peer(struct world *w)
{
	w->peer = peer_start();
	w->pidfd = syscall(SYS_pidfd_open, w->peer.pid, 0);
	assert_true(w->pidfd >= 0);
}

static bool any_is_hooked(void)
{
	FILE *file = fopen("/sys/kernel/debug/tracing/enabled_functions", "r");
	char line[256];
	bool found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		found |= !strncmp(line, "do_wp_page ", strlen("do_wp_page "));
	fclose(file);
	return found;
}

/* Placing hooks takes most of the time of an ATTACH; with a tracker open they stay. */
static void keep_hooks(bool keep)
{
	static int keeper = -1;

	if (keep && keeper < 0) {
		keeper = dev_open();
		assert_ok(dev_attach_self(keeper));
	} else if (!keep) {
		if (keeper >= 0)
			close(keeper);
		keeper = -1;
		wait_for(!any_is_hooked());
	}
}

static void expect(const char *what, int ret)
{
	if (ret < 0)
		broken("without a failure %s gives %s", what, strerror(-ret));
}

/* From what there is to a tracker with registered memory: what has failed is done again. */
static void make_ready(struct world *w, enum stage until)
{
	int ret;

	if (until >= OPENED && w->fd < 0)
		expect("open", run_open(w));
	if (until >= ATTACHED) {
		ret = run_attach(w);
		if (ret != -EALREADY)
			expect("ATTACH", ret);
	}
	if (until >= ATTACHED && w->op->way == FOLLOWING && w->op->run != run_events) {
		ret = run_events(w);
		if (ret != -EALREADY)
			expect("EVENTS", ret);
		if (w->op->run != run_follow)
			expect("FOLLOW", run_follow(w));
	}
	if (until >= REGISTERED)
		expect("REGISTER", run_register(w));
	if (until >= ARMED) {
		expect("ARM", arm(w));
		write_some(w);
	}
}

static void register_for_missing(struct world *w)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)w->map, .len = w->map_pages * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	assert_ok(ioctl(w->uffd, UFFDIO_REGISTER, &arg));
}

static void prepare(struct world *w, const struct operation *op)
{
	keep_hooks(!op->unhooked);
	w->up = true;
	w->op = op;
	w->fd = -1;
	w->uffd = -1;
	w->pidfd = -1;
	w->peer.pid = 0;
	make_memory(w);
	/* Before there is a descriptor to inherit. */
	if (op->way == PEER || op->memory == SHARED)
		open_peer(w);
	if (op->way == HANDED_IN || op->way == RIDING)
		w->uffd = new_uffd(0);
	if (op->way == RIDING)
		register_for_missing(w);
	make_ready(w, op->stage);
}

static void take_down(struct world *w)
{
	if (!w->up)
		return;
	w->up = false;
	if (w->peer.pid) {
		peer_end(&w->peer);
		close(w->pidfd);
	}
	if (w->uffd >= 0)
		close(w->uffd);
	close(w->fd);
	munmap(w->map, w->map_pages * PAGE);
}

static void check_error(const struct operation *op, int ret)
{
	if (ret < 0 && ret != -ENOMEM && ret != -EFAULT && (!op->also || ret != -op->also))
		broken("gives %s, which is not documented", strerror(-ret));
}

/* What is said to be armed is: an operation that arms nothing and says success misses nothing. */
static void expect_armed(struct world *w)
{
	struct uffdwp_scan_arg arg = scan_arg(w->start, w->pages * PAGE, w->vec, MAX_PAGES);
	int r, n = dev_scan(w->fd, &arg);
	size_t i;

	expect("SCAN", n);
	for (r = 0; r < n; r++)
		for (i = index_of(w, w->vec[r].start); i < index_of(w, w->vec[r].end); i++)
			if (w->known[i] == w->now[i])
				broken("success, and page %zu is not armed", i);
}

/* Before 6.3 UFFDIO_WRITEPROTECT succeeds whatever change_protection() has said. */
static bool arms(const struct operation *op)
{
	return op->run == run_arm || op->run == run_scan_reset ||
	       (op->run == run_writeprotect && !kernel_is_before(6, 3));
}

/* Whatever has happened: nothing is missed, and from here on all is as ever. */
static void check_promise(struct world *w)
{
	uint64_t expected, seen;
	size_t i;

	write_some(w);
	make_ready(w, REGISTERED);
	scan_all(w);
	/* Armed by that scan, all of it: what is written now is reported, and nothing else. */
	write_some(w);
	for (i = 0, expected = 0; i < w->pages; i++)
		expected += w->known[i] != w->now[i];
	seen = written(w->fd, w->start, w->pages * PAGE, false);
	if (seen != expected)
		broken("afterwards %llu pages are written and %llu are reported",
		       (unsigned long long)expected, (unsigned long long)seen);
	scan_all(w);
}

struct tally {
	unsigned long of[INJECT_KINDS];
	unsigned long errors, complete;
};

/* False when the operation has less than n calls that could fail. */
static bool fail_once(const struct operation *op, unsigned int n, struct tally *tally)
{
	struct world *w = &world;
	struct injections done;
	int ret, kind;

	nth = n;
	alarm(STUCK_SECONDS);
	prepare(w, op);
	inject_into_self(n);
	ret = op->run(w);
	done = inject_into_self_end();

	check_error(op, ret);
	if (!done.reached && ret < 0)
		broken("there is no such call, and it gives %s", strerror(-ret));
	if (ret >= 0 && arms(op))
		expect_armed(w);
	check_promise(w);
	take_down(w);
	alarm(0);
	if (!done.reached)
		return false;
	for (kind = 0; kind < INJECT_KINDS; kind++)
		tally->of[kind] += done.of[kind];
	*(ret < 0 ? &tally->errors : &tally->complete) += 1;
	return true;
}

/* After a failed test: the next one begins with nothing of it. */
static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	take_down(&world);
	return 0;
}

static void every_call_fails_once(void **state)
{
	const struct operation *op = *state;
	struct tally tally = { .errors = 0 };
	unsigned int n, beyond;

	/* Not always the same number of calls are made: at the end none of the last three fails. */
	for (n = 1, beyond = 0; beyond < 3; n++) {
		beyond = fail_once(op, n, &tally) ? 0 : beyond + 1;
		if (n % 20 == 0)
			print_message("[   INFO   ] %u failures in %s\n", n, op->name);
	}
	print_message("[   INFO   ] failed: %lu objects, %lu pages, %lu copies; errors: %lu, complete: %lu\n",
		      tally.of[INJECT_SLAB],
		      tally.of[INJECT_PAGE], tally.of[INJECT_COPY], tally.errors, tally.complete);
	/* Then this has tested nothing. */
	assert_true(op->asks_for_nothing || tally.errors + tally.complete > 0);
}

#define OPERATION(words, who, what, when, function, ...)				\
	{ .name = #words, .way = who, .memory = what, .stage = when, .run = function,	\
	  ##__VA_ARGS__ }

static const struct operation operations[] = {
	OPERATION(open, OWN, FILLED, MAPPED, run_open),
	OPERATION(hello, OWN, FILLED, OPENED, run_hello),
	OPERATION(stats, OWN, FILLED, ATTACHED, run_stats),
	OPERATION(attach, OWN, FILLED, OPENED, run_attach),
	OPERATION(attach_another_process, PEER, FILLED, OPENED, run_attach),
	OPERATION(attach_handed_in, HANDED_IN, FILLED, OPENED, run_attach),
	OPERATION(register, OWN, FILLED, ATTACHED, run_register),
	OPERATION(register_another_process, PEER, FILLED, ATTACHED, run_register),
	OPERATION(register_handed_in, HANDED_IN, FILLED, ATTACHED, run_register),
	OPERATION(attach_riding, RIDING, FILLED, OPENED, run_attach),
	OPERATION(register_riding, RIDING, FILLED, ATTACHED, run_register),
	/* Whole VMAs are unregistered: nothing is divided, and no memory is needed. */
	OPERATION(close_riding, RIDING, FILLED, ARMED, run_close, .asks_for_nothing = true),
	OPERATION(events, FOLLOWING, FILLED, ATTACHED, run_events),
	OPERATION(follow, FOLLOWING, FILLED, ATTACHED, run_follow),
	OPERATION(map_followed, FOLLOWING, FILLED, ARMED, run_map),
	OPERATION(arm, OWN, FILLED, ARMED, run_arm),
	OPERATION(arm_nothing_with_zero_pages, OWN, NOTHING, REGISTERED, run_arm),
	OPERATION(arm_nothing_with_markers, MARKERS, NOTHING, REGISTERED, run_arm),
	OPERATION(arm_parts_of_huge_pages, OWN, HUGE, REGISTERED, run_arm),
	OPERATION(arm_another_process, PEER, FILLED, ARMED, run_arm),
	OPERATION(arm_nothing_of_another_process, PEER, NOTHING, REGISTERED, run_arm),
	OPERATION(scan, OWN, FILLED, ARMED, run_scan, .vec_len = MAX_PAGES),
	OPERATION(scan_small_vec, OWN, FILLED, ARMED, run_scan, .vec_len = 3),
	OPERATION(scan_reset, OWN, FILLED, ARMED, run_scan_reset, .vec_len = MAX_PAGES),
	OPERATION(scan_reset_small_vec, OWN, FILLED, ARMED, run_scan_reset, .vec_len = 3),
	OPERATION(scan_reset_no_vec, OWN, FILLED, ARMED, run_scan_reset),
	OPERATION(scan_reset_nothing_with_zero_pages, OWN, NOTHING, REGISTERED, run_scan_reset,
		  .vec_len = 64),
	OPERATION(scan_reset_nothing_with_markers, MARKERS, NOTHING, REGISTERED, run_scan_reset,
		  .vec_len = 64),
	OPERATION(scan_reset_nothing_no_vec, OWN, NOTHING, REGISTERED, run_scan_reset),
	OPERATION(scan_reset_parts_of_huge_pages, OWN, HUGE, REGISTERED, run_scan_reset,
		  .vec_len = 64),
	OPERATION(scan_reset_another_process, PEER, FILLED, ARMED, run_scan_reset, .vec_len = 64),
	OPERATION(scan_reset_nothing_of_another_process, PEER, NOTHING, REGISTERED, run_scan_reset,
		  .vec_len = 64),
	OPERATION(writeprotect, HANDED_IN, FILLED, ARMED, run_writeprotect),
	OPERATION(writeprotect_nothing, HANDED_IN, NOTHING, REGISTERED, run_writeprotect),
	OPERATION(disarm, OWN, FILLED, ARMED, run_disarm),
	OPERATION(unregister, OWN, FILLED, ARMED, run_unregister),
	OPERATION(unregister_another_process, PEER, FILLED, ARMED, run_unregister),
	OPERATION(ring, OWN, FILLED, ARMED, run_ring),
	OPERATION(close, OWN, FILLED, ARMED, run_close),
	OPERATION(write_to_shared_pages, OWN, SHARED, ARMED, run_write),
	OPERATION(write_to_zero_pages, OWN, NOTHING, ARMED, run_write),
	OPERATION(write_to_markers, MARKERS, NOTHING, ARMED, run_write),
	/* Last, since it is slow: hooks stay for two seconds. */
	OPERATION(attach_and_place_hooks, OWN, FILLED, OPENED, run_attach, .unhooked = true,
		  .also = ENODEV),
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* test_inject [PATTERN [EXCEPT]]: only operations of these names, and not of those */
int main(int argc, char **argv)
{
	struct CMUnitTest tests[OPERATIONS];
	const char *reason = inject_set_up();
	size_t i;

	if (reason) {
		print_message("[   WHY    ] %s\n", reason);
		return 0;
	}
	signal(SIGALRM, on_alarm);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (argc > 2)
		cmocka_set_skip_filter(argv[2]);
	for (i = 0; i < OPERATIONS; i++)
		tests[i] = (struct CMUnitTest){
			.name = operations[i].name,
			.test_func = every_call_fails_once,
			.teardown_func = tear_down,
			.initial_state = (void *)&operations[i],
		};
	return cmocka_run_group_tests_name("inject", tests, NULL, NULL);
}
