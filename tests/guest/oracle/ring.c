// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring and scan, compared at random moments: a page that was armed and is written now is told of.
 * Now and then the ring is reset, and its pages are taken into the mirror as a tracer would.
 *
 * Not chosen like an event, so that the sequence of a seed is the same with a ring and without.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"

#define ENTRIES 4096u
#define VEC 256u

void ring_start(struct oracle *o)
{
	o->ring = ring_open(o->fd, ENTRIES, ENTRIES);
	o->kept = calloc(ENTRIES, sizeof(*o->kept));
	assert_non_null(o->kept);
}

void ring_end(struct oracle *o)
{
	print_message("[   INFO   ] the ring: %" PRIu64 " entries, %" PRIu64 " times everything, "
		      "%" PRIu32 " comparisons of %" PRIu64 " written pages\n", o->ring.read,
		      o->ring_everything, o->ring_comparisons, o->ring_compared);
	ring_close(&o->ring);
	free(o->kept);
}

/* The pages of an area that an entry has, from *first to *last, exclusive. */
static void pages_of(const struct area *area, const struct uffdwp_ring_entry *entry, size_t *first,
		     size_t *last)
{
	const uint64_t start = (uintptr_t)area->start, low = start + area->low * PAGE;
	const uint64_t high = start + area->high * PAGE, end = entry->start + entry->pages * PAGE;

	*first = *last = 0;
	if (entry->start >= high || end <= low)
		return;
	*first = ((entry->start > low ? entry->start : low) - start) / PAGE;
	*last = ((end < high ? end : high) - start) / PAGE;
}

static void for_pages(struct oracle *o, const struct uffdwp_ring_entry *entry,
		      void (*call)(struct oracle *o, enum kind kind, size_t first, size_t pages))
{
	size_t first, last;
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		if (!(o->scene->present & BIT_OF(kind)))
			continue;
		pages_of(&o->scene->areas[kind], entry, &first, &last);
		if (first < last)
			call(o, kind, first, last - first);
	}
}

static void set_told(struct oracle *o, enum kind kind, size_t first, size_t pages)
{
	while (pages--)
		o->areas[kind].pages[first++].told = true;
}

/* They are armed now, or told of again: what has told of them until now counts no more. */
static void take_into_mirror(struct oracle *o, enum kind kind, size_t first, size_t pages)
{
	const struct area *area = &o->scene->areas[kind];
	size_t i;

	model_read(o, area->start + first * PAGE, o->areas[kind].mirror + first * PAGE, pages);
	for (i = first; i < first + pages; i++)
		o->areas[kind].pages[i].told = false;
}

static void read_ring(struct oracle *o)
{
	struct uffdwp_ring_entry entry;
	enum kind kind;

	if (ring_says_everything(&o->ring))
		for (kind = 0; kind < KINDS; kind++)
			if (o->scene->present & BIT_OF(kind))
				set_told(o, kind, 0, kinds[kind].pages);
	while (ring_next(&o->ring, &entry)) {
		for_pages(o, &entry, set_told);
		o->kept[o->nr_kept++] = entry;
	}
}

/* In the order of the manual: first armed, then copied. SCAN entries are for the scans to come. */
static void reset_ring(struct oracle *o)
{
	unsigned int i;

	if (ring_reset(&o->ring))
		o->ring_everything++;
	for (i = 0; i < o->nr_kept; i++)
		if (o->kept[i].flags == UFFDWP_RING_WRITTEN)
			for_pages(o, &o->kept[i], take_into_mirror);
	o->nr_kept = 0;
}

static void check_page(struct oracle *o, uint64_t addr, uint64_t categories)
{
	struct page *page;
	enum kind kind;
	size_t index;

	if (!model_find(o, addr, &kind, &index))
		return;
	page = &o->areas[kind].pages[index];
	page->ring_scan = o->ring_comparisons;
	if (categories & UFFDWP_PAGE_IS_UNTRACKED) {
		page->was_armed = false;
		return;
	}
	o->ring_compared++;
	if (!page->was_armed || page->told)
		return;
	/* Who works at his own time, as ksmd does, may be between the one and the other. */
	usleep(20000);
	read_ring(o);
	if (!page->told)
		oracle_fail(o, kind, index, "written, and the ring does not tell of it");
}

static void scan_range(struct oracle *o, char *start, char *end)
{
	static struct uffdwp_region vec[VEC];
	struct uffdwp_scan_arg arg = scan_arg(start, end - start, vec, VEC);
	uint64_t addr;
	int n, i;

	arg.return_mask |= UFFDWP_PAGE_IS_UNTRACKED;
	while (arg.start != arg.end) {
		n = dev_scan(o->fd, &arg);
		assert_true(n >= 0);
		for (i = 0; i < n; i++)
			for (addr = vec[i].start; addr < vec[i].end; addr += PAGE)
				check_page(o, addr, vec[i].categories);
		arg.start = arg.walk_end;
	}
}

/* What is armed now has to be told of anew when it is written. */
static void note_armed(struct oracle *o)
{
	enum kind kind;
	size_t i;

	for (kind = 0; kind < KINDS; kind++) {
		const struct area *area = &o->scene->areas[kind];

		if (!(o->scene->present & BIT_OF(kind)))
			continue;
		for (i = 0; i < kinds[kind].pages; i++) {
			struct page *page = &o->areas[kind].pages[i];

			if (i < area->low || i >= area->high) {
				page->was_armed = page->told = false;
			} else if (page->ring_scan != o->ring_comparisons) {
				page->was_armed = true;
				page->told = false;
			}
		}
	}
}

void ring_happen(struct oracle *o)
{
	const struct area *brk = &o->scene->areas[KIND_BRK];
	uint64_t random = (o->seed * 31 + o->operation * 0x9E3779B97F4A7C15ull) | 1;

	/* A sparse tracker has none. */
	if (!o->ring.header)
		return;
	next_random(&random);
	next_random(&random);
	if (next_random(&random) % 8)
		return;
	o->ring_comparisons++;
	read_ring(o);
	scan_range(o, SPAN, SPAN_END);
	scan_range(o, brk->start, brk->start + brk->high * PAGE);
	note_armed(o);
	if (next_random(&random) % 2)
		reset_ring(o);
}
