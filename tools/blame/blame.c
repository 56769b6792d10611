// SPDX-License-Identifier: GPL-2.0-only
/*
 * uffdwp blame: which thread, function or stack writes the memory of a process.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "profile.h"
#include "session.h"
#include "verbs.h"

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

/* What was in the file before is kept until there is a report to take its place. */
static FILE *open_output(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		fprintf(stderr, "uffdwp blame: cannot write to %s: %s\n", path, strerror(errno));
	if (!file && fd >= 0)
		close(fd);
	return file;
}

static int report(const struct loaded *l, struct profile *p, const struct arguments *a, FILE *to)
{
	int err = read_counts(l, p);

	/* Not every file has a size. */
	if (!err && a->output && ftruncate(fileno(to), 0) && errno != EINVAL)
		err = -errno;
	if (!err)
		err = print(to, p, a->format);
	if (!err && (fflush(to) || ferror(to)))
		err = -EIO;
	if (err) {
		fprintf(stderr, "uffdwp blame: cannot write the report%s%s: %s\n",
			a->output ? " to " : "", a->output ? a->output : "",
			strerror(errno && err == -EIO ? errno : -err));
		return 1;
	}
	warn(p, a->format);
	return 0;
}

struct blame {
	struct session session;
	struct profile profile;
	struct loaded loaded;
};

/* Before each look: the process may be gone after it. */
static void keep_names(void *arg)
{
	struct blame *b = arg;
	struct watched *first = family_first(&b->session.family);

	symbols_read(&b->profile.symbols);
	if (watched_read_name(first))
		snprintf(b->profile.name, sizeof(b->profile.name), "%s", first->since.name);
}

static int blame(struct blame *b, const struct arguments *a, FILE *to)
{
	struct blame_setup setup = { .by = a->by };
	struct profile *p = &b->profile;
	int status;

	if (load_programs(LOAD_BLAME, &setup, &b->loaded))
		return 1;
	status = session_target(&b->session, a);
	if (status) {
		load_end(&b->loaded);
		return status;
	}
	*p = (struct profile){ .pid = b->session.target.pid, .by = a->by, .interval = a->interval };
	symbols_begin(&p->symbols, p->pid, a->debuginfod);
	setup.tgid = (__u32)p->pid;
	load_set_up(&b->loaded, &setup);
	status = session_run(&b->session, a);
	load_detach(&b->loaded);
	p->seconds = b->session.seconds;
	p->pages = load_sum(&b->loaded, BLAME_PAGES);
	p->lost = load_sum(&b->loaded, BLAME_LOST);
	p->unseen = b->session.written > p->pages ? b->session.written - p->pages : 0;
	if (!status)
		status = report(&b->loaded, p, a, to);
	load_end(&b->loaded);
	symbols_end(&p->symbols);
	free(p->entry);
	return session_end(&b->session, status);
}

int blame_main(int argc, char **argv)
{
	struct blame b = { .session = { .verb = "blame", .before = keep_names, .arg = &b } };
	struct arguments a;
	char why[160];
	FILE *to = stdout;
	int status;

	if (arguments_parse(argc, argv, &a, why, sizeof(why))) {
		fprintf(stderr, "uffdwp blame: %s\n\n", why);
		usage(stderr);
		return 2;
	}
	if (a.help) {
		usage(stdout);
		return 0;
	}
	if (session_check("blame"))
		return 1;
	if (a.output)
		to = open_output(a.output);
	if (!to)
		return 1;
	session_catch_signals();
	status = blame(&b, &a, to);
	if (to != stdout && fclose(to) && !status) {
		fprintf(stderr, "uffdwp blame: cannot write to %s: %s\n", a.output,
			strerror(errno));
		status = 1;
	}
	return status;
}
