// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp trap: who is the next to write these pages?
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "blame/load.h"
#include "blame/options.h"
#include "blame/symbols.h"
#include "blame/verbs.h"
#include "human.h"
#include "maps.h"
#include "ourselves.h"
#include "session.h"
#include "uffdwp.h"

#define PAGE 4096ull

struct trap {
	const struct blame_options *a;
	struct target target;
	struct uffdwp *tracker;
	struct symbols symbols;
	struct loaded loaded;
	uint64_t start;
	uint64_t end;
	uint64_t seen;
	bool stopped;		/* the process was, at the last of them */
	bool over;		/* nothing is armed or stopped any more */
	const sigset_t *while_waiting;	/* signals that are blocked meanwhile */
};

static void usage(FILE *to)
{
	fputs("usage: uffdwp trap -p PID --on ADDRESS[-END]|MAPPING [OPTION...]\n"
	      "\n"
	      "Wait for the next write to these pages of a process, and show who writes, and\n"
	      "from where.\n"
	      "\n"
	      "  -p, --pid PID          process; it is not stopped\n"
	      "      --on ADDRESS[-END] the pages of these addresses, hexadecimal\n"
	      "      --on MAPPING       the first mapping of this name: heap, *alloc*\n"
	      "  -n, --count N          end after N writes (1); a page is armed again after each\n"
	      "      --stack            also who has called\n"
	      "      --stop             the last of them stops the process, with SIGSTOP\n"
	      "      --debuginfod       ask the servers of $DEBUGINFOD_URLS for debug information\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Example: uffdwp trap -p $(pidof redis-server) --on heap --stack\n", to);
}

/* Why is there none? */
static void explain_range(const struct trap *t, const struct map *giant, int err)
{
	if (giant)
		fprintf(stderr, "uffdwp trap: mapping %" PRIx64 "-%" PRIx64 " of process %d, '%s', is larger than 64 GiB: to arm all of it takes too many page tables; say which addresses (--on ADDRESS-END)\n",
			giant->start, giant->end, (int)t->target.pid, t->a->on);
	else
		fprintf(stderr, "uffdwp trap: process %d has no writable mapping of the name '%s'%s%s: see /proc/%d/maps\n",
			(int)t->target.pid, t->a->on, err ? ": " : "", err ? strerror(-err) : "",
			(int)t->target.pid);
}

/* A name that is a number, such as "feed", is a number. */
static int find_range(struct trap *t)
{
	const struct map *map = NULL, *giant = NULL;
	struct maps maps = { 0 };
	int err;

	if (blame_range(t->a->on, &t->start, &t->end))
		return 0;
	err = maps_read(t->target.pid, &maps);
	if (!err)
		map = maps_first_of_name(&maps, t->a->on, &giant);
	if (map) {
		t->start = map->start;
		t->end = map->end;
	} else {
		explain_range(t, giant, err);
	}
	maps_free(&maps);
	return map ? 0 : 1;
}

static int open_tracker(struct trap *t)
{
	UFFDWP_OPTS(uffdwp_open_opts, opts, .backend = UFFDWP_BACKEND_MODULE,
		    .flags = UFFDWP_OPEN_PIDFD, .pidfd = t->target.pidfd);
	int err = uffdwp_open(0, &opts, &t->tracker);

	if (!err)
		err = uffdwp_track(t->tracker, t->start, t->end - t->start, NULL);
	if (!err)
		return 0;
	fprintf(stderr, "uffdwp trap: cannot arm %" PRIx64 "-%" PRIx64 " of process %d: %s\n",
		t->start, t->end, (int)t->target.pid, uffdwp_explain(err));
	return 1;
}

static void print_place(const struct place *place, struct symbols *s, const char *before)
{
	const char *module = place->mapping == SIZE_MAX ? "no longer mapped" :
			     s->mapping[place->mapping].name;
	size_t i;

	for (i = 0; i < place->n; i++) {
		const struct frame *f = &place->frame[i];

		human_print(stdout, "%s%s", i ? "    inlined into " : before, f->function);
		if (i == place->n - 1 && place->named)
			printf("+0x%" PRIx64, place->offset);
		if (f->file)
			human_print(stdout, " at %s:%d", f->file, f->line);
		human_print(stdout, " (%s)\n", module);
	}
}

static void print_hit(struct trap *t, const struct blame_hit *hit)
{
	char comm[64];
	uint32_t i;

	human_clean(hit->comm, strnlen(hit->comm, sizeof(hit->comm)), comm, sizeof(comm));
	human_print(stdout, "%s, thread %u of process %u, writes %s 0x%" PRIx64, comm, hit->tid,
		    hit->tgid, hit->exact ? "to" : "to the page of", (uint64_t)hit->address);
	if (hit->pages > 1)
		printf(" (%" PRIu64 " pages that are written as one)", (uint64_t)hit->pages);
	putchar('\n');
	/* Anew for each: libraries come and go. */
	symbols_begin(&t->symbols, t->target.pid, t->a->debuginfod);
	symbols_read(&t->symbols);
	for (i = 0; i < hit->frames && hit->ip[i]; i++) {
		const struct place *place = symbols_find(&t->symbols, hit->ip[i], i > 0);

		if (place)
			print_place(place, &t->symbols, i ? "  called by " : "  in ");
	}
	if (!hit->frames)
		printf("  %s\n", hit->tgid == (uint32_t)t->target.pid ?
		       "from an unknown place" : "by a call of another process");
	symbols_end(&t->symbols);
}

static void tell_of_stop(struct trap *t, const char *when)
{
	t->stopped = true;
	printf("process %d is stopped, %s: kill -CONT %d\n", (int)t->target.pid, when,
	       (int)t->target.pid);
}

/*
 * Where the kernel could not be asked to stop the one who writes, it is stopped a little later. It
 * counts for itself, so it may have stopped one that is not the last here, or that comes after.
 */
static void stop(struct trap *t, const struct blame_hit *hit)
{
	if (hit->stopped)
		tell_of_stop(t, "before the write is done");
	else if (!t->a->stop || t->seen != t->a->count || t->over)
		return;
	else if (!syscall(SYS_pidfd_send_signal, t->target.pidfd, SIGSTOP, NULL, 0))
		tell_of_stop(t, "some time after the write");
	else
		fprintf(stderr, "uffdwp trap: cannot stop process %d: %s\n", (int)t->target.pid,
			strerror(errno));
}

/* What was unmapped since, or by execve(2) or the end of the process, need not be armed. */
static int arm_again(struct trap *t, const struct blame_hit *hit)
{
	int err;

	if (t->seen == t->a->count || t->over)
		return 0;
	err = uffdwp_arm(t->tracker, hit->address & ~(PAGE - 1), hit->pages * PAGE);
	return err == -ENOENT || err == -ESRCH ? 0 : err;
}

static int take(void *arg, void *data, size_t size)
{
	const struct blame_hit *hit = data;
	struct trap *t = arg;

	if (size < sizeof(*hit))
		return 0;
	if (t->seen < t->a->count) {
		t->seen++;
		t->stopped &= t->over;
		/* From here on nobody is stopped: who reads that it was may continue it at once. */
		if (t->seen == t->a->count)
			load_detach(&t->loaded);
		print_hit(t, hit);
		stop(t, hit);
	} else if (hit->stopped && !t->stopped) {
		tell_of_stop(t, "before another write is done");
	}
	if (fflush(stdout) || ferror(stdout))
		return -EPIPE;
	return arm_again(t, hit);
}

/* Until there were as many as were asked for, the process has ended, or we are told to stop. */
static int wait_for_hits(struct trap *t, struct ring_buffer *ring)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int err = 0;

	fds[0].fd = ring_buffer__epoll_fd(ring);
	fds[1].fd = t->target.pidfd;
	while (err >= 0 && t->seen < t->a->count && !ourselves_interrupted()) {
		const bool ended = target_has_ended(&t->target);

		err = ring_buffer__consume(ring);
		if (ended)
			break;
		if (err >= 0 && t->seen < t->a->count)
			ppoll(fds, 2, NULL, t->while_waiting);
	}
	return err < 0 ? err : 0;
}

/* When nothing is added any more. One that cannot be told of ends a round, and not the others. */
static int tell_rest(struct ring_buffer *ring)
{
	int first = 0, err;

	do {
		err = ring_buffer__consume(ring);
		if (!first && err < 0)
			first = err;
	} while (err < 0);
	return first;
}

/*
 * The kernel stops nobody before the pages are armed: until then, writes in the range are another
 * tracker's, and if they belong to that one we end. And in the end, when it stops nobody any more,
 * the ring is read once more: a write at the moment of Ctrl-C may have stopped the process.
 */
static int tell_hits(struct trap *t, struct blame_setup *setup)
{
	struct ring_buffer *ring = ring_buffer__new(load_map(&t->loaded, "hits"), take, t, NULL);
	int err, last;

	if (!ring)
		return -errno;
	setup->stop = t->a->stop ? (__u32)t->a->count : 0;
	err = load_set_up(&t->loaded, setup);
	if (!err)
		err = wait_for_hits(t, ring);
	t->over = true;
	load_detach(&t->loaded);
	last = tell_rest(ring);
	ring_buffer__free(ring);
	return err ? err : last;
}

static int say_goodbye(const struct trap *t, int err)
{
	const uint64_t untold = load_sum(&t->loaded, BLAME_UNTOLD);

	if (untold)
		fprintf(stderr, "uffdwp trap: %" PRIu64 " more writes came too fast to be told\n",
			untold);
	if (err == -EPIPE) {
		fprintf(stderr, "uffdwp trap: cannot write to standard output\n");
		if (t->stopped)
			fprintf(stderr, "uffdwp trap: process %d is stopped: kill -CONT %d\n",
				(int)t->target.pid, (int)t->target.pid);
		return 1;
	}
	if (err) {
		fprintf(stderr, "uffdwp trap: cannot go on: %s\n", uffdwp_explain(err));
		return 1;
	}
	if (t->seen < t->a->count && !ourselves_interrupted())
		fprintf(stderr, "uffdwp trap: process %d has ended after %" PRIu64 " of %" PRIu64 " writes\n",
			(int)t->target.pid, t->seen, t->a->count);
	return t->seen ? 0 : 1;
}

static int trap(struct trap *t)
{
	struct blame_setup setup = { .tgid = (__u32)t->target.pid, .stack = t->a->stack };
	int status = find_range(t);

	if (status)
		return status;
	setup.start = t->start;
	setup.end = t->end;
	if (load_programs(LOAD_TRAP, &setup, &t->loaded))
		return 1;
	status = open_tracker(t);
	if (!status)
		status = say_goodbye(t, tell_hits(t, &setup));
	uffdwp_close(t->tracker);
	load_end(&t->loaded);
	return status;
}

int trap_main(int argc, char **argv)
{
	struct blame_options a;
	struct trap t = { .a = &a };
	char why[160];
	int status, err;

	if (blame_options_parse(argc, argv, &a, why, sizeof(why))) {
		fprintf(stderr, "uffdwp trap: %s\n\n", why);
		usage(stderr);
		return 2;
	}
	if (a.help) {
		usage(stdout);
		return 0;
	}
	if (session_check_device())
		return 1;
	t.while_waiting = ourselves_catch_signals();
	err = target_find(a.pid, &t.target);
	if (err) {
		fprintf(stderr, "uffdwp trap: cannot look at process %d: %s\n", (int)a.pid,
			err == -ESRCH ? "there is no such process" : strerror(-err));
		return 1;
	}
	status = trap(&t);
	target_finish(&t.target, 0);
	return status;
}
