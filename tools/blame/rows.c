// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lines of a report from what was counted: several addresses of one function are one line.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "profile.h"

#define PAGE 4096

bool entry_is_foreign(const struct profile *p, const struct entry *e)
{
	return e->key.tgid != (__u32)p->pid;
}

size_t entry_frames(const struct entry *e)
{
	size_t n = 0;

	while (n < BLAME_FRAMES && e->key.ip[n])
		n++;
	return n;
}

static void clean_comm(const struct entry *e, char *text, size_t size)
{
	human_clean(e->count.comm, strnlen(e->count.comm, sizeof(e->count.comm)), text, size);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void name_mapping(struct profile *p, uint64_t address, char *text, size_t size)
{
	const struct mapping *m = symbols_mapping(&p->symbols, address);

	snprintf(text, size, "%s", m ? base_name(m->name) : "no longer mapped");
}

/* "workers.c:12 (program)", or "program" without the source. */
static void describe_place(const struct profile *p, const struct place *place, char *text,
			   size_t size)
{
	const char *module = place->mapping == SIZE_MAX ? "no longer mapped" :
			     base_name(p->symbols.mapping[place->mapping].name);

	if (place->frame->file)
		snprintf(text, size, "%s:%d (%s)", base_name(place->frame->file),
			 place->frame->line, module);
	else
		snprintf(text, size, "%s", module);
}

static void fill_code(struct profile *p, struct row *r)
{
	const uint64_t ip = r->entry->key.ip[0];

	r->place = ip ? symbols_find(&p->symbols, ip, false) : NULL;
	if (!r->place) {
		snprintf(r->title, sizeof(r->title), "(not known)");
		return;
	}
	snprintf(r->title, sizeof(r->title), "%s", r->place->frame->function);
	describe_place(p, r->place, r->where, sizeof(r->where));
}

static void fill_mapping(struct profile *p, struct row *r)
{
	const struct blame_count *c = &r->entry->count;

	snprintf(r->title, sizeof(r->title), "%" PRIx64 "-%" PRIx64, (uint64_t)c->lowest,
		 (uint64_t)c->highest + PAGE);
	name_mapping(p, c->lowest, r->where, sizeof(r->where));
}

static void fill_row(struct profile *p, struct row *r)
{
	char comm[64];

	if (entry_is_foreign(p, r->entry)) {
		clean_comm(r->entry, comm, sizeof(comm));
		snprintf(r->title, sizeof(r->title), "%s[%u]", comm, r->entry->key.tid);
		snprintf(r->where, sizeof(r->where), "another process, %u", r->entry->key.tgid);
	} else if (p->by == BLAME_BY_TASK) {
		clean_comm(r->entry, r->title, sizeof(r->title));
		snprintf(r->where, sizeof(r->where), "thread %u", r->entry->key.tid);
	} else if (p->by == BLAME_BY_MAPPING) {
		fill_mapping(p, r);
	} else {
		fill_code(p, r);
	}
}

static bool are_one(const struct profile *p, const struct row *a, const struct row *b)
{
	return p->by == BLAME_BY_FUNCTION && a->place && b->place && a->place->named &&
	       b->place->named && a->place->mapping == b->place->mapping &&
	       !strcmp(a->title, b->title);
}

static int by_pages(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->pages != y->pages)
		return x->pages < y->pages ? 1 : -1;
	return strcmp(x->title, y->title);
}

static int by_title(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const int order = strcmp(x->title, y->title);

	return order ? order : by_pages(a, b);
}

/* Those of one name are beside each other, the one with the most pages first. */
static size_t join(const struct profile *p, struct row *rows, size_t n)
{
	size_t i, last = 0;

	if (!n)
		return 0;
	qsort(rows, n, sizeof(*rows), by_title);
	for (i = 1; i < n; i++) {
		if (are_one(p, &rows[last], &rows[i]))
			rows[last].pages += rows[i].pages;
		else
			rows[++last] = rows[i];
	}
	return last + 1;
}

struct row *profile_rows(struct profile *p, size_t *n)
{
	struct row *rows = calloc(p->n, sizeof(*rows));
	size_t i;

	*n = 0;
	if (!rows)
		return NULL;
	for (i = 0; i < p->n; i++) {
		rows[i].entry = &p->entry[i];
		rows[i].pages = p->entry[i].count.pages;
		fill_row(p, &rows[i]);
	}
	*n = join(p, rows, p->n);
	qsort(rows, *n, sizeof(*rows), by_pages);
	return rows;
}

/* A thread begins in the C library, so what has two frames only was not followed to its begin. */
bool profile_lacks_frames(const struct profile *p)
{
	uint64_t pages = 0, few = 0;
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (entry_is_foreign(p, &p->entry[i]))
			continue;
		pages += p->entry[i].count.pages;
		if (entry_frames(&p->entry[i]) <= 1)
			few += p->entry[i].count.pages;
	}
	return p->by == BLAME_BY_STACK && pages && 2 * few > pages;
}
