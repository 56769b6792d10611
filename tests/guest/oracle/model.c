// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model: a mirror of each area, and for each page why it may read as written.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

static const char *const cause_names[CAUSES] = {
	[CAUSE_NONE] = "not explained",
	[CAUSE_NEVER_ARMED] = "never armed before",
	[CAUSE_UNTRACKED] = "not tracked: moved, replaced or unregistered",
	[CAUSE_WRITTEN] = "written with what it held",
	[CAUSE_GRANULE] = "another part of its huge page or granule",
	[CAUSE_DISCARDED] = "MADV_DONTNEED of what read the same",
	[CAUSE_FREED] = "MADV_FREE",
	[CAUSE_PUNCHED] = "hole, truncation or MADV_REMOVE of what read the same",
	[CAUSE_POPULATED] = "MADV_POPULATE_WRITE",
	[CAUSE_KSM] = "KSM has merged it, or made it whole again",
	[CAUSE_HELD] = "held when it was to be armed, maybe by vmsplice(2)",
	[CAUSE_HELD_BRIEFLY] = "held by the kernel when it was to be armed",
	[CAUSE_CUT] = "page of hugetlb, or whole huge page, reported in part",
	[CAUSE_DISARMED] = "DISARM",
	[CAUSE_UNPROTECTED] = "UFFDIO_WRITEPROTECT off by hand",
};

uint64_t choose(struct oracle *o, uint64_t n)
{
	return next_random(&o->random) % n;
}

char *range_start(const struct oracle *o, const struct range *r)
{
	return o->scene->areas[r->kind].start + r->first * PAGE;
}

/* Memory as the actor sees it, also where it may not look just now (mprotect(2)). */
void model_read(const struct oracle *o, char *from, void *into, size_t pages)
{
	ssize_t n = pread(o->memory, into, pages * PAGE, (off_t)(uintptr_t)from);

	if (n != (ssize_t)(pages * PAGE))
		fail_msg("%zu pages at %p cannot be read: %s (seed %" PRIu64 ", operation %u, %s)",
			 pages, (void *)from, n < 0 ? strerror(errno) : "short", o->seed,
			 o->operation, event_name(o->event));
}

void model_start(struct oracle *o)
{
	char path[64];
	enum kind kind;
	size_t i;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)o->actor.pid);
	o->memory = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(o->memory >= 0);
	for (kind = 0; kind < KINDS; kind++) {
		struct model_area *area = &o->areas[kind];

		if (!(o->scene->present & BIT_OF(kind)))
			continue;
		area->pages = calloc(kinds[kind].pages, sizeof(*area->pages));
		area->mirror = calloc(kinds[kind].pages, PAGE);
		assert_true(area->pages && area->mirror);
		for (i = 0; i < kinds[kind].pages; i++)
			area->pages[i].cause = CAUSE_NEVER_ARMED;
	}
}

void model_end(struct oracle *o)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		free(o->areas[kind].pages);
		free(o->areas[kind].mirror);
	}
	close(o->memory);
}

static void remember(const struct oracle *o, struct page *page)
{
	if (page->history[0].operation == o->operation && page->history[0].event == o->event)
		return;
	memmove(page->history + 1, page->history, sizeof(page->history) - sizeof(*page->history));
	page->history[0].operation = o->operation;
	page->history[0].event = o->event;
}

size_t model_block(const struct oracle *o, enum kind kind)
{
	if (kinds[kind].granule > 1)
		return kinds[kind].granule;
	if (o->mode == MODE_WHOLE_HUGE && kind == KIND_THP)
		return HUGE_PAGE / PAGE;
	return o->mode == MODE_GRANULE ? ORACLE_GRANULE : 1;
}

/* Those of each block of that size that have no cause get one. */
static void note_rest(struct oracle *o, const struct range *r, size_t size)
{
	const size_t base = (uintptr_t)o->scene->areas[r->kind].start / PAGE;
	const size_t first = (base + r->first) / size * size;
	const size_t last = (base + r->first + r->pages + size - 1) / size * size - base;
	struct page *pages = o->areas[r->kind].pages;
	size_t i;

	for (i = first > base ? first - base : 0; i < last && i < kinds[r->kind].pages; i++) {
		if (pages[i].cause != CAUSE_NONE)
			continue;
		remember(o, &pages[i]);
		pages[i].cause = CAUSE_GRANULE;
	}
}

void model_note(struct oracle *o, const struct range *r, enum cause cause)
{
	struct page *page = o->areas[r->kind].pages + r->first;
	size_t i;

	if (o->trace)
		print_message("[   INFO   ]   %s, pages %zu to %zu: %s\n", kinds[r->kind].name,
			      r->first, r->first + r->pages - 1,
			      cause == CAUSE_NONE ? "unchanged" : cause_names[cause]);
	for (i = 0; i < r->pages; i++, page++) {
		remember(o, page);
		if (cause == CAUSE_NONE)
			continue;
		page->cause = cause;
		if (cause == CAUSE_FREED)
			page->freed = true;
		else if (cause == CAUSE_WRITTEN)
			page->freed = false;
	}
	if (cause != CAUSE_NONE)
		note_rest(o, r, model_block(o, r->kind));
}

void model_note_huge(struct oracle *o, const struct range *r, enum cause cause)
{
	model_note(o, r, cause);
	note_rest(o, r, HUGE_PAGE / PAGE);
}

void model_untrack(struct oracle *o, const struct range *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		o->areas[r->kind].pages[r->first + i].tracked = false;
	model_note(o, r, CAUSE_UNTRACKED);
}

bool model_find(const struct oracle *o, uint64_t addr, enum kind *kind, size_t *index)
{
	for (*kind = 0; *kind < KINDS; (*kind)++) {
		const struct area *area = &o->scene->areas[*kind];

		if (!(o->scene->present & BIT_OF(*kind)))
			continue;
		*index = (addr - (uintptr_t)area->start) / PAGE;
		if (addr >= (uintptr_t)area->start && *index >= area->low && *index < area->high)
			return true;
	}
	return false;
}

/* ---- what people read */

void model_print_causes(const struct oracle *o)
{
	uint64_t same = 0;
	unsigned int i;

	for (i = 0; i < CAUSES; i++)
		same += o->causes[i];
	print_message("[   INFO   ] seed %" PRIu64 ": %u operations, %u scans, %" PRIu64
		      " comparisons, none missed\n", o->seed, o->operation, o->scan,
		      o->comparisons);
	print_message("[   INFO   ] %" PRIu64 " pages reported, %" PRIu64
		      " of them had not changed; %" PRIu64 " left out\n", o->reports, same,
		      o->untouched);
	for (i = 0; i < CAUSES; i++)
		if (o->causes[i])
			print_message("[   INFO   ] %10" PRIu64 "  %s\n", o->causes[i],
				      cause_names[i]);
}

static void print_history(const struct page *page)
{
	unsigned int i;

	for (i = 0; i < HISTORY && page->history[i].operation; i++)
		print_message("[   INFO   ]   operation %u: %s\n", page->history[i].operation,
			      event_name(page->history[i].event));
}

void oracle_fail(const struct oracle *o, enum kind kind, size_t index, const char *what)
{
	const struct page *page = &o->areas[kind].pages[index];

	print_message("[   INFO   ] what was done to the page, the last first:\n");
	print_history(page);
	fail_msg("%s, page %zu at %p: %s (%s; %s; seed %" PRIu64 ", operation %u: %s)",
		 kinds[kind].name, index, (void *)(o->scene->areas[kind].start + index * PAGE),
		 what, page->tracked ? "tracked" : "untracked", cause_names[page->cause], o->seed,
		 o->operation, event_name(o->event));
}
