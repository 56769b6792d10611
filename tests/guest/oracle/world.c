// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of the world around: children, references, and what the kernel does by itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "environment.h"
#include "madvise.h"
#include "oracle.h"

#define SWAP_BYTES (128ul << 20)
#define HUGETLB_PAGES 24
#define KSM "/sys/kernel/mm/ksm/"
#define SHMEM_HUGE "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

bool world_has_swap, world_has_ksm, world_has_nodes, world_has_shmem, world_has_hugetlb;
bool world_splits_hugetlb;
bool world_has_disk;

static bool had(const char *what, const char *reason)
{
	if (reason)
		print_message("[   WHY    ] without %s: %s\n", what, reason);
	return !reason;
}

/* Known advice is good for no memory at all. */
bool world_has_advice(int advice)
{
	return !madvise(SPAN, 0, advice);
}

static const char *why_unserved(uint64_t kind)
{
	const struct unserved *row = unserved_here(kind, 0);

	return row ? row->why : NULL;
}

void world_start(void)
{
	world_has_swap = had("swap", swap_on(SWAP_BYTES));
	world_has_shmem = had("shared memory", why_unserved(UFFDWP_KIND_SHMEM));
	world_has_hugetlb = had("hugetlb", why_unserved(UFFDWP_KIND_HUGETLB) ?:
				hugetlb_reserve(HUGETLB_PAGES));
	had("MADV_POPULATE_WRITE", world_has_advice(MADV_POPULATE_WRITE) ? NULL : "not in this kernel");
	had("MADV_COLLAPSE", world_has_advice(MADV_COLLAPSE) ? NULL : "not in this kernel");
	/*
	 * hugetlb_split() of Linux 6.1.192 asserts a lock that its caller takes only afterwards: a
	 * WARN wherever lockdep looks, with or without a tracker.
	 */
	world_splits_hugetlb = had("parts of hugetlb mappings", access("/proc/lockdep", F_OK) ?
				   NULL : "this kernel has lockdep, and warns of its own locking");
	world_has_nodes = had("move_pages(2)", nodes() > 1 ? NULL : "one memory node only");
	world_has_ksm = had("KSM", write_file(KSM "sleep_millisecs", "1") ||
			    write_file(KSM "pages_to_scan", "10000") ? "not in this kernel" : NULL);
	world_has_disk = had("ordinary files", why_unserved(UFFDWP_KIND_FILE) ?:
			     disk_mount(64 << 20));
	had("huge pages in shmem", write_file(SHMEM_HUGE, "advise") ? "not in this kernel" : NULL);
}

void world_end(void)
{
	ksm_off();
	hugetlb_release();
	swap_off();
	disk_unmount();
}

/* ---- children and references */

static void child_begins(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 8);

	if (o->child)
		return;
	order_ok(o, ORDER_FORK, &r, 0);
	o->child = true;
	memcpy(o->forked, o->scene->areas, sizeof(o->forked));
	if (choose(o, 2))
		write_somewhere(o, &r);
}

/* Its own copies. What it would write to shared memory is not asked of these page tables. */
static void child_writes(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 16);
	const struct area *area = &o->forked[r.kind];
	struct order_arg arg = { .what = ORDER_CHILD_WRITE, .len = r.pages * PAGE };

	if (!o->child || r.first < area->low || r.first + r.pages > area->high)
		return;
	model_note(o, &r, CAUSE_NONE);
	arg.addr = area->start + r.first * PAGE;
	arg.value = choose(o, 256);
	actor_do(&o->actor, o->scene, &arg);
}

static void child_ends(struct oracle *o, const struct event *event)
{
	struct order_arg arg = { .what = ORDER_CHILD_EXIT };

	(void)event;
	if (o->child)
		actor_do(&o->actor, o->scene, &arg);
	o->child = false;
}

static void hold_pages(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 4);
	int error;

	if (o->holding)
		return;
	error = order(o, ORDER_HOLD, &r, 0);
	if (error)
		oracle_fail(o, r.kind, r.first, strerror(error));
	model_note(o, &r, CAUSE_NONE);
	o->holding = true;
}

static void let_pages_go(struct oracle *o, const struct event *event)
{
	struct order_arg arg = { .what = ORDER_LET_GO };

	(void)event;
	actor_do(&o->actor, o->scene, &arg);
	o->holding = false;
}

/* ---- the kernel by itself */

/* May be refused: nothing to collapse, or armed pages in it. */
static void may_advise(struct oracle *o, const struct event *event)
{
	struct range r = choose_granules(o, event->kinds, 64);

	if (event->value == MADV_COLLAPSE) {
		r.first = r.first / 512 * 512;
		r.pages = 512;
		if (r.first < o->scene->areas[r.kind].low ||
		    r.first + 512 > o->scene->areas[r.kind].high)
			return;
	}
	if (!world_has_advice(event->value))
		return;
	order(o, ORDER_MADVISE, &r, event->value);
	model_note(o, &r, event->cause);
}

static void page_out(struct oracle *o, const struct event *event)
{
	if (world_has_swap)
		may_advise(o, event);
}

static void move_to_a_node(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 16);
	int node = (int)choose(o, 2), nodes_wanted[16], status[16];
	void *pages[16];
	size_t i;

	if (!world_has_nodes)
		return;
	for (i = 0; i < r.pages; i++) {
		pages[i] = range_start(o, &r) + i * PAGE;
		nodes_wanted[i] = node;
	}
	syscall(SYS_move_pages, o->actor.pid, r.pages, pages, nodes_wanted, status,
		2 /* MPOL_MF_MOVE */);
	model_note(o, &r, CAUSE_NONE);
}

static void compaction(struct oracle *o, const struct event *event)
{
	(void)o;
	(void)event;
	write_file("/proc/sys/vm/compact_memory", "1");
}

static void write_back(struct oracle *o, const struct event *event)
{
	(void)event;
	if (o->scene->present & OF_DISK)
		sync();
}

static void khugepaged(struct oracle *o, const struct event *event)
{
	(void)o;
	(void)event;
	khugepaged_pass();
}

/* The pages that are merged now: they lose the bit when they are, and when they are made whole. */
static void note_merged(struct oracle *o)
{
	const struct area *area = &o->scene->areas[KIND_ANON];
	struct range r = { .kind = KIND_ANON, .pages = 1 };

	for (r.first = area->low; r.first < area->high; r.first++)
		if (is_ksm_of(o->actor.pid, range_start(o, &r)))
			model_note(o, &r, CAUSE_KSM);
}

static void ksm_pass(void)
{
	long passes = read_number(KSM "full_scans");

	write_file(KSM "run", "1");
	wait_for(read_number(KSM "full_scans") >= passes + 3);
	write_file(KSM "run", "0");
}

static void ksm_merges(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 16);

	if (!world_has_ksm)
		return;
	/* Whole pages that are all the same, armed before they are merged. */
	order_ok(o, ORDER_WRITE, &r, choose(o, 4));
	model_note(o, &r, CAUSE_WRITTEN);
	if (choose(o, 2))
		harvest_all(o);
	order_ok(o, ORDER_MADVISE, &r, MADV_MERGEABLE);
	note_merged(o);
	ksm_pass();
	note_merged(o);
}

static void ksm_parts(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 64);

	if (!world_has_ksm)
		return;
	note_merged(o);
	if (choose(o, 2))
		ksm_off();
	else
		order_ok(o, ORDER_MADVISE, &r, MADV_UNMERGEABLE);
}

#define COLLAPSIBLE (BIT_OF(KIND_THP) | BIT_OF(KIND_SHMEM_HUGE))

const struct event world_events[] = {
	{ "fork(2)", 2, OF_PRIVATE, child_begins, 0, CAUSE_NONE },
	{ "write by the child", 4, OF_PRIVATE, child_writes, 0, CAUSE_NONE },
	{ "end of the child", 1, OF_ALL, child_ends, 0, CAUSE_NONE },
	{ "vmsplice(2) holds pages", 2, OF_ALL, hold_pages, 0, CAUSE_NONE },
	{ "held pages are let go", 3, OF_ALL, let_pages_go, 0, CAUSE_NONE },
	{ "MADV_COLLAPSE", 3, COLLAPSIBLE, may_advise, MADV_COLLAPSE, CAUSE_NONE },
	{ "MADV_PAGEOUT", 4, OF_SMALL, page_out, MADV_PAGEOUT, CAUSE_NONE },
	{ "MADV_COLD", 1, OF_SMALL, may_advise, MADV_COLD, CAUSE_NONE },
	{ "move_pages(2)", 3, OF_ALL, move_to_a_node, 0, CAUSE_NONE },
	{ "compaction", 1, OF_ALL, compaction, 0, CAUSE_NONE },
	{ "sync(2)", 2, OF_ALL, write_back, 0, CAUSE_NONE },
	{ "khugepaged", 1, OF_ALL, khugepaged, 0, CAUSE_NONE },
	{ "KSM merges", 1, BIT_OF(KIND_ANON), ksm_merges, 0, CAUSE_NONE },
	{ "KSM parts", 1, BIT_OF(KIND_ANON), ksm_parts, 0, CAUSE_NONE },
};
const size_t world_events_count = sizeof(world_events) / sizeof(*world_events);
