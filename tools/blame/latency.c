// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp latency: how long the kernel takes for first writes.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "blame/load.h"
#include "blame/options.h"
#include "blame/verbs.h"
#include "human.h"
#include "session.h"

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
	       total, total == 1 ? "" : "s", (int)s->target.pid,
	       s->began ? session_now() - s->began : 0);
	if (untimed)
		printf("%" PRIu64 " more were not timed: by other processes, or begun before\n",
		       untimed);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "uffdwp latency: cannot write the histogram\n");
		return 1;
	}
	return 0;
}

struct latency {
	struct loaded loaded;
	struct blame_setup setup;
	int status;
};

static void found(struct session *s)
{
	struct latency *l = s->arg;

	l->setup.tgid = (__u32)s->target.pid;
	load_set_up(&l->loaded, &l->setup);
}

static void end(struct session *s)
{
	struct latency *l = s->arg;

	load_detach(&l->loaded);
	l->status = print(&l->loaded, s);
}

static const struct session_ops ops = { .verb = "latency", .found = found, .end = end };

static int latency(const struct blame_options *o)
{
	const struct selection what = { .pid = o->pid, .command = o->command };
	struct latency l = { 0 };
	struct session session = {
		.ops = &ops, .arg = &l, .what = &what, .interval = o->interval,
		.seconds = o->seconds, .input = -1,
	};
	int status;

	if (load_programs(LOAD_LATENCY, &l.setup, &l.loaded))
		return 1;
	status = session_run(&session);
	load_end(&l.loaded);
	return l.status ? l.status : status;
}

int latency_main(int argc, char **argv)
{
	struct blame_options o;
	char why[160];

	if (blame_options_parse(argc, argv, &o, why, sizeof(why))) {
		fprintf(stderr, "uffdwp latency: %s\n\n", why);
		usage(stderr);
		return 2;
	}
	if (o.help) {
		usage(stdout);
		return 0;
	}
	return session_check_device() ? 1 : latency(&o);
}
