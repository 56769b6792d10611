// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp blame: which thread, function or stack writes the memory of a process.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "blame/load.h"
#include "blame/options.h"
#include "blame/profile.h"
#include "blame/verbs.h"
#include "output.h"
#include "session.h"

static void usage(FILE *to)
{
	fputs("usage: uffdwp blame -p PID [OPTION...]\n"
	      "       uffdwp blame [OPTION...] -- COMMAND [ARG...]\n"
	      "\n"
	      "Show who writes the memory of a process: at every interval each page is blamed\n"
	      "on its first write.\n"
	      "\n"
	      "  -p, --pid PID          process; it is not stopped\n"
	      "  -d, --duration SECONDS end after that time (when the process ends)\n"
	      "  -i, --interval SECONDS time after which a page is blamed anew (1)\n"
	      "      --by WHAT          task, function (the default), stack or mapping\n"
	      "      --folded           stacks for flame graphs\n"
	      "      --pprof            a profile for pprof, compressed\n"
	      "      --json             a JSON object\n"
	      "  -o, --output FILE      the report goes there, not to standard output\n"
	      "      --debuginfod       ask the servers of $DEBUGINFOD_URLS for debug information\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "Example: uffdwp blame -p $(pidof redis-server) -d 10 --by stack\n", to);
}

static int by_pages(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->count.pages < y->count.pages ? 1 : x->count.pages > y->count.pages ? -1 :
	       memcmp(&x->key, &y->key, sizeof(x->key));
}

/* All that the map has: no more than it has room for. */
static int read_counts(const struct loaded *l, struct profile *p)
{
	const int map = load_map(l, "counts");
	struct blame_key *last = NULL;
	struct entry *e;
	size_t room = 0;

	for (;;) {
		if (p->n == room) {
			room = room ? 2 * room : 256;
			e = reallocarray(p->entry, room, sizeof(*e));
			if (!e)
				return -ENOMEM;
			p->entry = e;
			last = p->n ? &p->entry[p->n - 1].key : NULL;
		}
		e = &p->entry[p->n];
		if (bpf_map_get_next_key(map, last, &e->key))
			break;
		last = &e->key;
		if (!bpf_map_lookup_elem(map, last, &e->count))
			p->n++;
	}
	qsort(p->entry, p->n, sizeof(*p->entry), by_pages);
	return 0;
}

static int print(FILE *to, struct profile *p, enum blame_format format)
{
	switch (format) {
	case BLAME_FOLDED:
		return profile_print_folded(to, p);
	case BLAME_PPROF:
		return profile_print_pprof(to, p);
	case BLAME_JSON:
		return profile_print_json(to, p);
	default:
		return profile_print_table(to, p);
	}
}

/* What is no table says on standard error what would be below the table. */
static void warn(const struct profile *p, enum blame_format format)
{
	if (format == BLAME_TABLE)
		return;
	if (p->lost)
		fprintf(stderr, "uffdwp blame: %" PRIu64 " pages were written by more than 10240 different writers, and are left out\n",
			p->lost);
	if (profile_lacks_frames(p))
		fprintf(stderr, "uffdwp blame: most stacks have one function: the program was built without frame pointers; build it, and its libraries, with -fno-omit-frame-pointer\n");
}

static int report(const struct loaded *l, struct profile *p, const struct blame_options *a)
{
	struct output output;
	int err = read_counts(l, p);

	if (!err)
		err = output_open(&output, a->output);
	if (!err) {
		errno = 0;
		err = print(output.to, p, a->format);
		/* Why it was not to be written is in errno alone. */
		err = output_close(&output, err == -EIO && errno ? -errno : err);
	}
	if (err) {
		fprintf(stderr, "uffdwp blame: cannot write the report%s%s: %s\n",
			a->output ? " to " : "", a->output ? a->output : "", strerror(-err));
		return 1;
	}
	warn(p, a->format);
	return 0;
}

struct blame {
	const struct blame_options *options;
	struct profile profile;
	struct loaded loaded;
	struct blame_setup setup;
	uint64_t written;	/* pages, as the scans have found them */
	int status;
};

static void found(struct session *s)
{
	struct blame *b = s->arg;

	b->profile.pid = s->target.pid;
	symbols_begin(&b->profile.symbols, s->target.pid, b->options->debuginfod);
	b->setup.tgid = (__u32)s->target.pid;
	load_set_up(&b->loaded, &b->setup);
}

static void keep_names(struct session *s)
{
	struct watched *first = family_first(&s->family);
	struct blame *b = s->arg;

	symbols_read(&b->profile.symbols);
	if (watched_read_name(first))
		snprintf(b->profile.name, sizeof(b->profile.name), "%s", first->since.name);
}

static int count(struct session *s)
{
	struct blame *b = s->arg;

	b->written += report_total(&s->report).written;
	return 0;
}

/* What was written since the last look counts, too, also in memory that is gone. */
static void end(struct session *s)
{
	struct blame *b = s->arg;
	struct profile *p = &b->profile;

	load_detach(&b->loaded);
	if (!family_has_ended(&s->family) && !family_look(&s->family, &s->report))
		count(s);
	b->written += family_written_since(&s->family);
	p->seconds = s->began ? session_now() - s->began : 0;
	p->pages = load_sum(&b->loaded, BLAME_PAGES);
	p->lost = load_sum(&b->loaded, BLAME_LOST);
	p->unseen = b->written > p->pages ? b->written - p->pages : 0;
	b->status = report(&b->loaded, p, b->options);
}

static const struct session_ops ops = {
	.verb = "blame",
	.found = found,
	.look = keep_names,
	.report = count,
	.end = end,
};

static int blame(struct blame *b)
{
	const struct blame_options *o = b->options;
	const struct selection what = { .pid = o->pid, .command = o->command };
	struct session session = {
		.ops = &ops, .arg = b, .what = &what, .interval = o->interval,
		.seconds = o->seconds, .input = -1,
	};
	int status;

	b->setup.by = o->by;
	b->profile.by = o->by;
	b->profile.interval = o->interval;
	if (load_programs(LOAD_BLAME, &b->setup, &b->loaded))
		return 1;
	status = session_run(&session);
	load_end(&b->loaded);
	if (b->profile.pid)
		symbols_end(&b->profile.symbols);
	free(b->profile.entry);
	return b->status ? b->status : status;
}

int blame_main(int argc, char **argv)
{
	struct blame_options a;
	struct blame b = { .options = &a };
	char why[160];
	int err;

	if (blame_options_parse(argc, argv, &a, why, sizeof(why))) {
		fprintf(stderr, "uffdwp blame: %s\n\n", why);
		usage(stderr);
		return 2;
	}
	if (a.help) {
		usage(stdout);
		return 0;
	}
	if (session_check_device())
		return 1;
	err = output_try(a.output);
	if (err) {
		fprintf(stderr, "uffdwp blame: cannot write to %s: %s\n", a.output, strerror(-err));
		return 1;
	}
	return blame(&b);
}
