// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what programs do to their memory, and what the owner of the tracker does.
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "oracle.h"

#define MODE_ON UFFDIO_WRITEPROTECT_MODE_WP
#define OF_RESIZABLE (BIT_OF(KIND_ANON) | BIT_OF(KIND_THP) | OF_SHMEM | OF_DISK)
#define OF_MOVABLE (OF_ALL & ~BIT_OF(KIND_BRK))

/* ---- where */

static enum kind choose_kind(struct oracle *o, unsigned int of_kinds)
{
	unsigned int sum = 0;
	enum kind kind;
	uint64_t at;

	of_kinds &= o->scene->present;
	for (kind = 0; kind < KINDS; kind++)
		if (of_kinds & BIT_OF(kind))
			sum += kinds[kind].weight;
	at = choose(o, sum);
	for (kind = 0; kind < KINDS; kind++) {
		if (!(of_kinds & BIT_OF(kind)))
			continue;
		if (at < kinds[kind].weight)
			break;
		at -= kinds[kind].weight;
	}
	return kind;
}

/* Few pages mostly, and many now and then. */
struct range choose_range(struct oracle *o, unsigned int of_kinds, size_t pages)
{
	struct range r = { .kind = choose_kind(o, of_kinds) };
	const struct area *area = &o->scene->areas[r.kind];
	size_t most = choose(o, 4) ? 4 : pages;

	r.first = area->low + choose(o, area->high - area->low);
	r.pages = 1 + choose(o, most < pages ? most : pages);
	if (r.pages > area->high - r.first)
		r.pages = area->high - r.first;
	return r;
}

struct range choose_granules(struct oracle *o, unsigned int of_kinds, size_t pages)
{
	struct range r = choose_range(o, of_kinds, pages);
	size_t granule = kinds[r.kind].granule, end = r.first + r.pages;

	r.first = r.first / granule * granule;
	r.pages = (end + granule - 1) / granule * granule - r.first;
	return r;
}

static struct range whole_hugetlb(const struct oracle *o, struct range r)
{
	const struct area *area = &o->scene->areas[r.kind];

	if (BIT_OF(r.kind) & OF_HUGETLB) {
		r.first = area->low;
		r.pages = area->high - area->low;
	}
	return r;
}

struct range choose_mapping(struct oracle *o, unsigned int of_kinds, size_t pages)
{
	struct range r = choose_granules(o, of_kinds, pages);

	return world_splits_hugetlb ? r : whole_hugetlb(o, r);
}

/* What the device registers, and does not divide. */
static struct range choose_registration(struct oracle *o, unsigned int of_kinds, size_t pages)
{
	return whole_hugetlb(o, choose_granules(o, of_kinds, pages));
}

/* ---- how */

static int order_bytes(struct oracle *o, enum order_what what, enum kind kind, char *addr,
		       size_t len, uint64_t value)
{
	const struct order_arg arg = { what, kind, addr, len, value };

	return actor_do(&o->actor, o->scene, &arg);
}

int order(struct oracle *o, enum order_what what, const struct range *r, uint64_t value)
{
	return order_bytes(o, what, r->kind, range_start(o, r), r->pages * PAGE, value);
}

static void expect_ok(const struct oracle *o, const struct range *r, int error)
{
	if (error)
		oracle_fail(o, r->kind, r->first, strerror(error));
}

void order_ok(struct oracle *o, enum order_what what, const struct range *r, uint64_t value)
{
	expect_ok(o, r, order(o, what, r, value));
}

/* Some bytes of the range, from anywhere in its first page on. */
struct bytes {
	char *addr;
	size_t len;
	struct range touched;
};

static struct bytes choose_bytes(struct oracle *o, const struct range *r, size_t most)
{
	struct bytes b = { .touched = *r };
	size_t offset = choose(o, 2) ? choose(o, PAGE) : 0, room = r->pages * PAGE - offset;

	b.addr = range_start(o, r) + offset;
	b.len = choose(o, 3) ? 1 + choose(o, 16) : 1 + choose(o, most);
	if (b.len > room)
		b.len = room;
	b.touched.pages = (offset + b.len + PAGE - 1) / PAGE;
	return b;
}

void write_somewhere(struct oracle *o, const struct range *r)
{
	struct bytes b = choose_bytes(o, r, r->pages * PAGE);

	expect_ok(o, r, order_bytes(o, ORDER_WRITE, r->kind, b.addr, b.len, choose(o, 256)));
	model_note(o, &b.touched, CAUSE_WRITTEN);
}

/* ---- reading and writing */

static void user_writes(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 8);

	write_somewhere(o, &r);
}

/* Every page of the range. */
static void touch_pages(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 64);

	order_ok(o, event->value, &r, 0);
	model_note(o, &r, event->cause);
}

/* By a system call of the actor. */
static void kernel_writes(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 3);
	struct bytes b = choose_bytes(o, &r, 2 * PAGE);

	expect_ok(o, &r, order_bytes(o, event->value, r.kind, b.addr, b.len, choose(o, 10000)));
	model_note(o, &b.touched, CAUSE_WRITTEN);
}

static void hand_writes(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 3);
	struct bytes b = choose_bytes(o, &r, 2 * PAGE);

	if (event->value) {
		b.addr = (char *)((uintptr_t)b.addr & ~7ul);
		b.len = sizeof(long);
		b.touched.pages = 1;
	}
	expect_ok(o, &r, hand_do(&o->actor, event->value, b.addr, b.len, choose(o, UINT64_MAX)));
	model_note(o, &b.touched, CAUSE_WRITTEN);
}

/* The lowest page of a stack and the next ones below it. */
static void stack_grows(struct oracle *o, const struct event *event)
{
	struct area *area = &o->scene->areas[KIND_STACK];
	struct range r = { .kind = KIND_STACK };
	size_t more = 1 + choose(o, 3);

	(void)event;
	if (area->low < more)
		return;
	r.first = area->low - more;
	r.pages = more;
	order_ok(o, ORDER_WRITE_SAME, &(struct range){ KIND_STACK, r.first, 1 }, 0);
	area->low = r.first;
	/* Where the mapping above is tracked, so are these. */
	o->areas[KIND_STACK].unsure = true;
	for (size_t i = 0; i < more; i++)
		o->areas[KIND_STACK].pages[r.first + i].tracked =
			o->areas[KIND_STACK].pages[r.first + more].tracked;
	model_note(o, &r, CAUSE_NEVER_ARMED);
}

/* ---- protection */

/* Under another protection for a while; a scan looks in, or somebody who may write nevertheless. */
static void protect(struct oracle *o, const struct event *event)
{
	static const struct scan_plan plan = { .vec_len = 64, .reset = true, .calls = 4 };
	struct range r = choose_mapping(o, event->kinds, 64);
	char *start = range_start(o, &r);

	model_note(o, &r, CAUSE_NONE);
	order_ok(o, ORDER_PROTECT, &r, event->value);
	if (choose(o, 2))
		harvest(o, start, start + r.pages * PAGE, &plan);
	/* FOLL_FORCE: a private page is copied and written, whatever the protection. */
	if (choose(o, 2) && event->value == PROT_READ && (BIT_OF(r.kind) & OF_PRIVATE & OF_SMALL)) {
		expect_ok(o, &r, hand_do(&o->actor, true, start, sizeof(long), choose(o, 1000)));
		model_note(o, &(struct range){ r.kind, r.first, 1 }, CAUSE_WRITTEN);
	}
	order_ok(o, ORDER_PROTECT, &r, PROT_READ | PROT_WRITE);
	if (choose(o, 2))
		write_somewhere(o, &r);
}

/* ---- throwing away */

static void advise(struct oracle *o, const struct event *event)
{
	struct range r = choose_granules(o, event->kinds, 64);

	if (!world_has_advice(event->value))
		return;
	order_ok(o, ORDER_MADVISE, &r, event->value);
	model_note(o, &r, event->cause);
}

/* Of a file: byte by byte in shmem, page by page in hugetlb. */
static void punch(struct oracle *o, const struct event *event)
{
	struct range r = choose_granules(o, event->kinds, 64);
	size_t offset = r.first * PAGE, len = r.pages * PAGE;

	if (kinds[r.kind].granule == 1 && !choose(o, 4)) {
		offset += choose(o, PAGE);
		len = 1 + choose(o, len - offset % PAGE);
	}
	expect_ok(o, &r, order_bytes(o, ORDER_PUNCH, r.kind, NULL, len, offset));
	model_note(o, &r, CAUSE_PUNCHED);
}

static void truncate_file(struct oracle *o, const struct event *event)
{
	struct range r = choose_granules(o, event->kinds, 1);
	size_t size = r.first * PAGE, all = kinds[r.kind].pages;

	if (kinds[r.kind].granule == 1 && !choose(o, 4))
		size += choose(o, PAGE);
	expect_ok(o, &r, order_bytes(o, ORDER_TRUNCATE, r.kind, NULL, all * PAGE, size));
	r.pages = o->scene->areas[r.kind].high - r.first;
	model_note(o, &r, CAUSE_PUNCHED);
}

/* ---- mappings that come and go */

static void replace(struct oracle *o, const struct event *event)
{
	struct range r = choose_mapping(o, event->kinds, 64);

	order_ok(o, ORDER_REPLACE, &r, 0);
	model_untrack(o, &r);
}

static void shrink(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 1);
	struct area *area = &o->scene->areas[r.kind];
	size_t least = area->low + kinds[r.kind].pages / 2;

	if (area->high <= least)
		return;
	r.first = area->low;
	r.pages = area->high - area->low;
	area->high = least + choose(o, area->high - least);
	expect_ok(o, &r, order(o, ORDER_RESIZE, &r, (area->high - area->low) * PAGE));
}

/* The last page is asked to become more. */
static void grow(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 1);
	struct area *area = &o->scene->areas[r.kind];
	size_t room = kinds[r.kind].pages - area->high, i;
	bool tracked = o->areas[r.kind].pages[area->high - 1].tracked;

	if (!room)
		return;
	room = 1 + choose(o, room);
	r.first = area->high - 1;
	r.pages = 1;
	expect_ok(o, &r, order(o, ORDER_RESIZE, &r, (1 + room) * PAGE));
	r.first++;
	r.pages = room;
	area->high += room;
	o->areas[r.kind].unsure = true;
	for (i = 0; i < room; i++)
		o->areas[r.kind].pages[r.first + i].tracked = tracked;
	model_note(o, &r, CAUSE_NEVER_ARMED);
}

static void move_all(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 1);
	struct area *area = &o->scene->areas[r.kind];
	char *to = area_home(r.kind, area->start == area_home(r.kind, 0));

	r.first = area->low;
	r.pages = area->high - area->low;
	order_ok(o, ORDER_MOVE, &r, (uintptr_t)to + r.first * PAGE);
	area->start = to;
	o->areas[r.kind].unsure = true;
	model_untrack(o, &r);
}

/* To the other home and back: the rest of the area may lose its tracker, too. */
static void move_part(struct oracle *o, const struct event *event)
{
	struct range r = choose_mapping(o, event->kinds, 64);
	struct area *area = &o->scene->areas[r.kind];
	char *there = area_home(r.kind, area->start == area_home(r.kind, 0)) + r.first * PAGE;

	order_ok(o, ORDER_MOVE, &r, (uintptr_t)there);
	expect_ok(o, &r, order_bytes(o, ORDER_MOVE, r.kind, there, r.pages * PAGE,
				     (uintptr_t)range_start(o, &r)));
	o->areas[r.kind].unsure = true;
	model_untrack(o, &r);
}

/* ---- the owner of the tracker */

static void scan_some(struct oracle *o, const struct event *event)
{
	static const size_t lens[] = { 1, 2, 3, 16, 64, 256 };
	struct scan_plan plan = {
		.vec_len = lens[choose(o, 6)],
		.max_pages = choose(o, 3) ? 0 : 1 + choose(o, 1000),
		.reset = choose(o, 4),
		.vec_faults = !choose(o, 8),
		.calls = 1 + choose(o, 20),
	};
	struct range r = choose_range(o, event->kinds, 1024);
	char *start = range_start(o, &r);

	if (!choose(o, 3))
		plan.more_categories = UFFDWP_PAGE_IS_WPALLOWED | UFFDWP_PAGE_IS_FILE |
			UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_PFNZERO |
			UFFDWP_PAGE_IS_HUGE | UFFDWP_PAGE_IS_SOFT_DIRTY | UFFDWP_PAGE_IS_PINNED;
	if (plan.vec_faults)
		plan.calls = 1;
	harvest(o, start, start + r.pages * PAGE, &plan);
}

/*
 * With nothing else between, so that nothing else flushes the TLBs. The second write is either
 * still in the mirror or reported.
 */
static void write_scan_write(struct oracle *o, const struct event *event)
{
	static const struct scan_plan plan = { .vec_len = 64, .reset = true, .calls = 100 };
	struct range r = choose_granules(o, event->kinds, 2);
	char *start = range_start(o, &r), *end = start + r.pages * PAGE;

	write_somewhere(o, &r);
	harvest(o, start, end, &plan);
	write_somewhere(o, &r);
	harvest(o, start, end, &plan);
	compare_range(o, &r);
}

static void scan_all(struct oracle *o, const struct event *event)
{
	(void)event;
	harvest_all(o);
}

static void compare_all(struct oracle *o, const struct event *event)
{
	(void)event;
	harvest_all(o);
	compare(o);
}

static bool is_tracked(const struct oracle *o, const struct range *r, bool all)
{
	size_t i, n = 0;

	for (i = 0; i < r->pages; i++)
		n += o->areas[r->kind].pages[r->first + i].tracked;
	return all ? n == r->pages : n;
}

static int arm_without_vec(struct oracle *o, const struct range *r)
{
	struct uffdwp_scan_arg arg = scan_arg(range_start(o, r), r->pages * PAGE, NULL, 0);

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	return dev_scan(o->fd, &arg);
}

static void arm(struct oracle *o, const struct event *event)
{
	struct range r = choose_granules(o, event->kinds, 256);
	uint64_t held_before = dev_stats(o->fd).pages_pinned;
	int err;

	/* What is tracked was found out by the scan after mremap(2). */
	if (o->areas[r.kind].unsure || !is_tracked(o, &r, false))
		return;
	err = choose(o, 2) ? dev_arm(o->fd, range_start(o, &r), r.pages * PAGE) :
			     arm_without_vec(o, &r);
	expect_ok(o, &r, -err);
	model_note(o, &r, CAUSE_NONE);
	harvest_armed(o, &r, held_before);
}

static void write_protect(struct oracle *o, const struct event *event)
{
	struct range r = choose_granules(o, event->kinds, 64);
	struct uffdio_writeprotect arg = {
		.range = { (uintptr_t)range_start(o, &r), r.pages * PAGE },
		.mode = event->value,
	};
	uint64_t held_before = dev_stats(o->fd).pages_pinned;
	int error;

	if (o->mode != MODE_UFFD || o->areas[r.kind].unsure || !is_tracked(o, &r, true))
		return;
	error = ioctl(o->uffd, UFFDIO_WRITEPROTECT, &arg) ? errno : 0;
	/* Before 6.3 mwriteprotect_range() takes a range of one VMA only: find_dst_vma(). */
	if (error == ENOENT && !is_one_vma(range_start(o, &r), r.pages * PAGE))
		return;
	expect_ok(o, &r, error);
	if (event->value) {
		model_note(o, &r, CAUSE_NONE);
		harvest_armed(o, &r, held_before);
	} else {
		model_note(o, &r, CAUSE_UNPROTECTED);
	}
}

static void disarm(struct oracle *o, const struct event *event)
{
	struct range r = choose_range(o, event->kinds, 64);

	expect_ok(o, &r, -dev_disarm(o->fd, range_start(o, &r), r.pages * PAGE));
	model_note_huge(o, &r, CAUSE_DISARMED);
}

static void unregister(struct oracle *o, const struct event *event)
{
	struct range r = choose_registration(o, event->kinds, 64);

	expect_ok(o, &r, -dev_unregister(o->fd, range_start(o, &r), r.pages * PAGE));
	model_untrack(o, &r);
}

static void register_again(struct oracle *o, const struct event *event)
{
	struct range r = choose_registration(o, event->kinds, 1024);
	size_t i;

	expect_ok(o, &r, -dev_register(o->fd, range_start(o, &r), r.pages * PAGE));
	model_note(o, &r, CAUSE_NONE);
	for (i = 0; i < r.pages; i++) {
		struct page *page = &o->areas[r.kind].pages[r.first + i];

		/* unsure: it may be new to the tracker, and then it is not armed. */
		if (!page->tracked || (o->areas[r.kind].unsure && page->cause == CAUSE_NONE))
			page->cause = CAUSE_NEVER_ARMED;
		page->tracked = true;
	}
}

const struct event memory_events[] = {
	{ "write by the program", 24, OF_ALL, user_writes, 0, CAUSE_NONE },
	{ "write of the same value", 4, OF_ALL, touch_pages, ORDER_WRITE_SAME, CAUSE_WRITTEN },
	{ "read", 6, OF_ALL, touch_pages, ORDER_READ, CAUSE_NONE },
	{ "read(2)", 6, OF_ALL, kernel_writes, ORDER_READ_FILE, CAUSE_NONE },
	{ "recv(2)", 4, OF_ALL, kernel_writes, ORDER_RECV, CAUSE_NONE },
	{ "process_vm_writev(2)", 4, OF_ALL, hand_writes, false, CAUSE_NONE },
	{ "ptrace(2) pokes", 3, OF_ALL, hand_writes, true, CAUSE_NONE },
	{ "stack grows", 1, BIT_OF(KIND_STACK), stack_grows, 0, CAUSE_NONE },
	{ "read-only for a while", 4, OF_ALL, protect, PROT_READ, CAUSE_NONE },
	{ "PROT_NONE for a while", 4, OF_ALL, protect, PROT_NONE, CAUSE_NONE },
	{ "MADV_DONTNEED", 4, OF_ALL, advise, MADV_DONTNEED, CAUSE_DISCARDED },
	{ "MADV_FREE", 2, OF_ANON, advise, MADV_FREE, CAUSE_FREED },
	{ "MADV_REMOVE", 2, OF_SHARED, advise, MADV_REMOVE, CAUSE_PUNCHED },
	{ "MADV_POPULATE_WRITE", 2, OF_ALL, advise, MADV_POPULATE_WRITE, CAUSE_POPULATED },
	{ "hole", 4, OF_FILE, punch, 0, CAUSE_NONE },
	{ "truncation", 2, OF_FILE, truncate_file, 0, CAUSE_NONE },
	{ "munmap(2) and mmap(2)", 2, OF_MOVABLE, replace, 0, CAUSE_NONE },
	{ "mremap(2) shrinks", 2, OF_RESIZABLE, shrink, 0, CAUSE_NONE },
	{ "mremap(2) grows", 3, OF_RESIZABLE, grow, 0, CAUSE_NONE },
	{ "mremap(2) moves all", 1, OF_MOVABLE, move_all, 0, CAUSE_NONE },
	{ "mremap(2) moves a part", 1, OF_MOVABLE, move_part, 0, CAUSE_NONE },
	{ "scan", 20, OF_ALL, scan_some, 0, CAUSE_NONE },
	{ "scan between two writes", 8, OF_ALL, write_scan_write, 0, CAUSE_NONE },
	{ "scan of everything", 8, OF_ALL, scan_all, 0, CAUSE_NONE },
	{ "comparison", 3, OF_ALL, compare_all, 0, CAUSE_NONE },
	{ "ARM", 3, OF_ALL, arm, 0, CAUSE_NONE },
	{ "UFFDIO_WRITEPROTECT on", 8, OF_ALL, write_protect, MODE_ON, CAUSE_NONE },
	{ "UFFDIO_WRITEPROTECT off", 4, OF_ALL, write_protect, 0, CAUSE_NONE },
	{ "DISARM", 2, OF_ALL, disarm, 0, CAUSE_NONE },
	{ "UNREGISTER", 1, OF_ALL, unregister, 0, CAUSE_NONE },
	{ "REGISTER", 8, OF_ALL, register_again, 0, CAUSE_NONE },
};
const size_t memory_events_count = sizeof(memory_events) / sizeof(*memory_events);

/* ---- which */

/* Events of this file first, from 1 on; 0 is the beginning. */
static const struct event *event_of(unsigned int event)
{
	return event <= memory_events_count ? &memory_events[event - 1] :
					      &world_events[event - 1 - memory_events_count];
}

const char *event_name(unsigned int event)
{
	return event ? event_of(event)->name : "the beginning";
}

void event_happen(struct oracle *o)
{
	const unsigned int all = memory_events_count + world_events_count;
	unsigned int sum = 0, event;
	uint64_t at;

	o->operation++;
	o->random = (o->seed + o->operation * 0x9E3779B97F4A7C15ull) | 1;
	/* Neighbouring numbers give streams that begin alike. */
	choose(o, 2);
	choose(o, 2);
	for (event = 1; event <= all; event++)
		sum += event_of(event)->weight;
	at = choose(o, sum);
	for (event = 1; at >= event_of(event)->weight; event++)
		at -= event_of(event)->weight;
	o->event = event;
	if (o->trace)
		print_message("[   INFO   ] operation %u: %s\n", o->operation, event_name(event));
	if (event_of(event)->kinds & o->scene->present)
		event_of(event)->run(o, event_of(event));
	ring_happen(o);
}
