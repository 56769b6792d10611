// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structures of the device: most of them right, others bent, in memory that is there, that ends
 * within, that cannot be written, or that is none of ours.
 */
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "hostile.h"

#define VEC_REGIONS 256u

static const unsigned long numbers[COMMANDS] = {
	[HELLO] = UFFDWP_IOC_HELLO, [ATTACH] = UFFDWP_IOC_ATTACH, [REGISTER] = UFFDWP_IOC_REGISTER,
	[UNREGISTER] = UFFDWP_IOC_UNREGISTER, [ARM] = UFFDWP_IOC_ARM, [SCAN] = UFFDWP_IOC_SCAN,
	[STATS] = UFFDWP_IOC_STATS, [DISARM] = UFFDWP_IOC_DISARM, [RING] = UFFDWP_IOC_RING,
	[RING_RESET] = UFFDWP_IOC_RING_RESET, [FOLLOW] = UFFDWP_IOC_FOLLOW,
	[EVENTS] = UFFDWP_IOC_EVENTS, [CLAIM] = UFFDWP_IOC_CLAIM,
};

static char *map_at(uintptr_t addr, size_t len, int prot)
{
	char *p = mmap((void *)addr, len, prot,
		       MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct places places_of_thread(int thread)
{
	/* One bit more or less of an address in here leads to nothing, or stays in here. */
	const uintptr_t at = 0x600000000000 + (uintptr_t)thread * 0x4000000000;

	return (struct places){
		.args = map_at(at, PAGE, PROT_READ | PROT_WRITE),
		.end = at ? (char *)at + PAGE : NULL,
		.read_only = map_at(at + 4 * PAGE, PAGE, PROT_READ),
		.vec = (void *)map_at(at + (1 << 21), 1 << 21, PROT_READ | PROT_WRITE),
	};
}

static void choose_range(__u64 *start, __u64 *len, uint64_t *chance)
{
	const uint64_t first = below(chance, ARENA_PAGES);

	*start = (uintptr_t)ARENA + first * PAGE;
	*len = (1 + below(chance, ARENA_PAGES - first)) * PAGE;
	if (one_in(chance, 8)) {
		*start = 0;
		*len = 1ul << 46;
	}
}

static void make_attach(struct uffdwp_attach_arg *a, const struct known *known, uint64_t *chance)
{
	static const uint64_t flags[] = {
		UFFDWP_ATTACH_KEEP, UFFDWP_ATTACH_IGNORE_PINS, UFFDWP_ATTACH_WHOLE_HUGE,
	};

	*a = (struct uffdwp_attach_arg){ .size = sizeof(*a) };
	if (one_in(chance, 5) && known->uffd > 0) {
		a->flags = UFFDWP_ATTACH_UFFD | (one_in(chance, 2) ? UFFDWP_ATTACH_RIDE : 0);
		a->uffd = known->uffd;
	} else if (!one_in(chance, 4)) {
		a->flags = UFFDWP_ATTACH_PIDFD;
		a->pidfd = known->pidfd;
	}
	if (one_in(chance, 4))
		a->flags |= flags[below(chance, 3)];
	a->unpopulated = below(chance, UFFDWP_UNPOP_SPARSE + 1);
	if (one_in(chance, 4))
		a->granule = 1u << below(chance, 10);
}

static void make_scan(struct uffdwp_scan_arg *a, const struct places *places, uint64_t *chance)
{
	const uint64_t all = UFFDWP_PAGE_IS_WPALLOWED | UFFDWP_PAGE_IS_WRITTEN |
			     UFFDWP_PAGE_IS_FILE | UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_HUGE |
			     UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_PINNED |
			     UFFDWP_PAGE_IS_SPARSE;

	*a = (struct uffdwp_scan_arg){
		.size = sizeof(*a),
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = one_in(chance, 2) ? UFFDWP_PAGE_IS_WRITTEN : all,
	};
	choose_range(&a->start, &a->end, chance);
	a->end += a->start;
	if (!one_in(chance, 5)) {
		a->vec = (uintptr_t)places->vec;
		a->vec_len = 1 + below(chance, VEC_REGIONS);
	}
	if (one_in(chance, 2))
		a->flags = UFFDWP_SCAN_WP_MATCHING;
	if (one_in(chance, 10))
		a->flags |= UFFDWP_SCAN_CHECK_TRACKED;
	if (one_in(chance, 3))
		a->max_pages = below(chance, 2000);
	if (one_in(chance, 4)) {
		a->category_mask = next_random(chance) & all;
		a->category_anyof_mask = next_random(chance) & all;
		a->category_inverted = next_random(chance) & all;
	}
}

static void make_follow(struct uffdwp_follow_arg *a, uint64_t *chance)
{
	static const uint64_t flags[] = {
		UFFDWP_FOLLOW_END, UFFDWP_FOLLOW_SPARSE, UFFDWP_FOLLOW_FORK, UFFDWP_FOLLOW_EXEC,
		UFFDWP_FOLLOW_FORK | UFFDWP_FOLLOW_EXEC, 0, 0, 0,
	};

	*a = (struct uffdwp_follow_arg){ .size = sizeof(*a), .flags = flags[below(chance, 8)] };
	if (a->flags == UFFDWP_FOLLOW_END)
		return;
	if (one_in(chance, 2)) {
		a->start = (uintptr_t)ARENA;
		a->len = ARENA_PAGES * PAGE;
	}
	if (one_in(chance, 4))
		a->kinds = 1ull << below(chance, 5);
}

/* One that is right, as far as its maker knows. */
static size_t make_right(struct request *r, enum command command, const struct known *known,
			 const struct places *places, uint64_t *chance)
{
	switch (command) {
	case HELLO:
		r->hello = (struct uffdwp_hello_arg){ .size = sizeof(r->hello) };
		return sizeof(r->hello);
	case ATTACH:
		make_attach(&r->attach, known, chance);
		return sizeof(r->attach);
	case REGISTER:
	case UNREGISTER:
		r->reg = (struct uffdwp_register_arg){ .size = sizeof(r->reg) };
		choose_range(&r->reg.start, &r->reg.len, chance);
		return sizeof(r->reg);
	case ARM:
		r->arm = (struct uffdwp_arm_arg){ .size = sizeof(r->arm) };
		choose_range(&r->arm.start, &r->arm.len, chance);
		return sizeof(r->arm);
	case DISARM:
		r->disarm = (struct uffdwp_disarm_arg){ .size = sizeof(r->disarm) };
		choose_range(&r->disarm.start, &r->disarm.len, chance);
		return sizeof(r->disarm);
	case SCAN:
		make_scan(&r->scan, places, chance);
		return sizeof(r->scan);
	case STATS:
		r->stats = (struct uffdwp_stats_arg){ .size = sizeof(r->stats) };
		return sizeof(r->stats);
	case RING:
		r->ring = (struct uffdwp_ring_arg){
			.size = sizeof(r->ring), .entries = 1u << below(chance, 16),
		};
		r->ring.watermark = 1 + below(chance, r->ring.entries);
		return sizeof(r->ring);
	case RING_RESET:
		r->ring_reset = (struct uffdwp_ring_reset_arg){
			.size = sizeof(r->ring_reset), .upto = known->upto,
		};
		return sizeof(r->ring_reset);
	case FOLLOW:
		make_follow(&r->follow, chance);
		return sizeof(r->follow);
	case EVENTS:
		r->events = (struct uffdwp_events_arg){
			.size = sizeof(r->events),
			.flags = below(chance, 3),
			.capacity = 1u << below(chance, 14),
			.event_size = sizeof(struct uffdwp_event),
		};
		return sizeof(r->events);
	case CLAIM:
		r->claim = (struct uffdwp_claim_arg){ .size = sizeof(r->claim), .id = known->id };
		return sizeof(r->claim);
	default:
		memset(r->bytes, 0, sizeof(r->bytes));
		r->fields[0] = 8 + 8 * below(chance, 16);
		return r->fields[0];
	}
}

static void bend(struct request *r, size_t len, uint64_t *chance)
{
	static const uint64_t odd[] = {
		0, 1, 7, 8, PAGE - 1, PAGE, PAGE + 1, 1ull << 31, 1ull << 32, (1ull << 47) - PAGE,
		1ull << 47, 1ull << 63, ~0ull, ~0ull - PAGE + 1, (uintptr_t)ARENA + 1,
	};
	const size_t field = below(chance, len / 8);

	switch (below(chance, 4)) {
	case 0:
		r->bytes[below(chance, len)] ^= 1 << below(chance, 8);
		break;
	case 1:
		r->fields[field] = odd[below(chance, sizeof(odd) / sizeof(*odd))];
		break;
	case 2:
		r->fields[field] = next_random(chance);
		break;
	default:
		r->fields[0] += 8 * below(chance, 6) - 16;
	}
}

void make_request(struct request *r, enum command command, const struct known *known,
		  const struct places *places, uint64_t *chance)
{
	size_t len = make_right(r, command, known, places, chance);

	r->number = command == UNKNOWN ? _IOWR(UFFDWP_IOC_MAGIC, below(chance, 64), char[64]) :
					 numbers[command];
	if (one_in(chance, 4))
		bend(r, len, chance);
	r->arg = places->args;
	if (one_in(chance, 16)) {
		/* Its end, or all but its first bytes, is not there. */
		r->arg = places->end - (one_in(chance, 2) ? len : 8 * (1 + below(chance, len / 8)));
		len = places->end - (char *)r->arg;
	}
	memcpy(r->arg, r->bytes, len);
	if (one_in(chance, 32)) {
		void *const nowhere[] = {
			NULL, (void *)8, places->read_only, (void *)0xffff888000001000,
			(void *)~0ul,
		};

		r->arg = nowhere[below(chance, 5)];
	}
}
