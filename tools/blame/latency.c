// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp latency: how long the kernel takes for first writes.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "human.h"
#include "load.h"
#include "session.h"
#include "verbs.h"

static void usage(FILE *to)
{
	fputs("usage: uffdwp latency -p PID [OPTION...]\n"
	      "\n"
	      "Show how long first writes to the pages of a process take in the kernel: a\n"
	      "histogram, in powers of two, of the time from the begin of handle_mm_fault() to\n"
	      "its end, in those faults that make an armed page written.\n"
	      "\n"
	      "  -p, --pid PID          process; it is not stopped\n"
	      "  -d, --duration SECONDS end after that time (when the process ends)\n"
	      "  -i, --interval SECONDS time after which a page is armed anew (1)\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Example: uffdwp latency -p $(pidof redis-server) -d 10\n", to);
}

/* As many as fit into a terminal of 80 columns, and its manual. */
#define STARS 34

static void print_slot(uint32_t slot, uint64_t count, uint64_t most)
{
	char bar[STARS + 1] = "";

	if (most)
		memset(bar, '*', (count * STARS + most - 1) / most);
	printf("%10" PRIu64 " -> %-10" PRIu64 " : %-8" PRIu64 " |%-34s|\n", (uint64_t)1 << slot,
	       slot == BLAME_SLOTS - 1 ? UINT64_MAX : ((uint64_t)2 << slot) - 1, count, bar);
}

static void read_slots(const struct loaded *l, uint64_t *count)
{
	uint32_t slot;

	for (slot = 0; slot < BLAME_SLOTS; slot++)
		if (bpf_map_lookup_elem(load_map(l, "slots"), &slot, &count[slot]))
			count[slot] = 0;
}

static int print(const struct loaded *l, const struct session *s)
{
	const uint64_t untimed = load_sum(l, BLAME_UNTIMED);
	uint64_t count[BLAME_SLOTS], total = 0, most = 0;
	uint32_t slot, first = BLAME_SLOTS, last = 0;

	read_slots(l, count);
	for (slot = 0; slot < BLAME_SLOTS; slot++) {
		if (!count[slot])
			continue;
		first = first < slot ? first : slot;
		last = slot;
		total += count[slot];
		most = most > count[slot] ? most : count[slot];
	}
	if (total)
		printf("%-24s : %-8s  distribution\n", "nanoseconds", "faults");
	for (slot = first; slot <= last; slot++)
		print_slot(slot, count[slot], most);
	printf("%" PRIu64 " fault%s that made armed pages of process %d written, in %.1f s\n",
	       total, total == 1 ? "" : "s", (int)s->target.pid, s->seconds);
	if (untimed)
		printf("%" PRIu64 " more were not timed: by other processes, or begun before\n",
		       untimed);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "uffdwp latency: cannot write the histogram\n");
		return 1;
	}
	return 0;
}

static void nothing(void *arg)
{
	(void)arg;
}

int latency_main(int argc, char **argv)
{
	struct session s = { .verb = "latency", .before = nothing };
	struct blame_setup setup = { 0 };
	struct arguments a;
	struct loaded l;
	char why[160];
	int status;

	if (arguments_parse(argc, argv, &a, why, sizeof(why))) {
		fprintf(stderr, "uffdwp latency: %s\n\n", why);
		usage(stderr);
		return 2;
	}
	if (a.help) {
		usage(stdout);
		return 0;
	}
	if (session_check("latency"))
		return 1;
	session_catch_signals();
	if (load_programs(LOAD_LATENCY, &setup, &l))
		return 1;
	status = session_target(&s, &a);
	if (!status) {
		setup.tgid = (__u32)s.target.pid;
		load_set_up(&l, &setup);
		status = session_run(&s, &a);
		load_detach(&l);
		status = session_end(&s, status ? status : print(&l, &s));
	}
	load_end(&l);
	return status;
}
