// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of address spaces that were written, in bounded memory: when there are too many, those
 * that are nearest to each other become one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/half.h"
#include "report/spans.h"

#define FIRST_JOIN (64ull << 10)
#define MOST_JOIN (16ull << 20)

static bool same_name(const struct span *a, const struct span *b)
{
	return !strcmp(a->name, b->name);
}

/* The first that ends behind @start, of this process or a later one. */
static size_t find(const struct spans *s, uint64_t process, uint64_t start)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct span *span = &s->span[middle];

		if (span->process < process || (span->process == process && span->end <= start))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool covers(const struct spans *s, size_t i, const struct span *new)
{
	return i < s->n && s->span[i].process == new->process && s->span[i].start <= new->start &&
	       s->span[i].end >= new->end;
}

/* What is far apart for what it is stays apart: it would be shown as one large thing. */
static bool is_small_gap(const struct span *a, const struct span *b)
{
	return b->start - a->end <= 4 * ((a->end - a->start) + (b->end - b->start));
}

/* @a is below @b, or touches or overlaps it. */
static bool belong_together(const struct span *a, const struct span *b, uint64_t gap)
{
	if (a->process != b->process)
		return false;
	if (b->start < a->end)
		return true;
	return b->start - a->end <= gap && same_name(a, b) &&
	       (b->start - a->end <= FIRST_JOIN || is_small_gap(a, b));
}

static void take_in(struct span *span, const struct span *other)
{
	if (other->written > span->written)
		memcpy(span->name, other->name, sizeof(span->name));
	span->written += other->written;
	if (other->start < span->start)
		span->start = other->start;
	if (other->end > span->end)
		span->end = other->end;
}

void spans_join(struct spans *s, uint64_t gap)
{
	size_t i, kept = 0;

	for (i = 1; i < s->n; i++) {
		if (belong_together(&s->span[kept], &s->span[i], gap))
			take_in(&s->span[kept], &s->span[i]);
		else
			s->span[++kept] = s->span[i];
	}
	if (s->n)
		s->n = kept + 1;
	s->last = 0;
}

/* The half that was written least is no longer told apart from what was not written. */
static int drop_half(struct spans *s)
{
	size_t i, kept = 0;
	struct half half;

	if (half_find(&half, &s->span->written, s->n, sizeof(*s->span)))
		return -ENOMEM;
	for (i = 0; i < s->n; i++)
		if (half_has(&half, s->span[i].written))
			s->span[kept++] = s->span[i];
	s->n = kept;
	return 0;
}

static int make_room(struct spans *s)
{
	while (s->n > SPANS_MOST / 2 && s->join < MOST_JOIN) {
		s->join *= 2;
		spans_join(s, s->join);
	}
	s->last = 0;
	return s->n > SPANS_MOST / 2 ? drop_half(s) : 0;
}

static void insert(struct spans *s, size_t at, const struct span *new)
{
	struct span span = *new;
	size_t behind = at;

	if (at && belong_together(&s->span[at - 1], &span, s->join))
		take_in(&span, &s->span[--at]);
	while (behind < s->n && belong_together(&span, &s->span[behind], s->join))
		take_in(&span, &s->span[behind++]);
	/* Those from @at to @behind become one; if there are none, it is one more. */
	memmove(&s->span[at + 1], &s->span[behind], (s->n - behind) * sizeof(span));
	s->n = s->n + 1 - (behind - at);
	s->span[at] = span;
	s->last = at;
}

int spans_add(struct spans *s, const struct span *new)
{
	size_t at;

	if (!s->span) {
		s->span = calloc(SPANS_MOST + 1, sizeof(*s->span));
		s->join = FIRST_JOIN;
	}
	if (!s->span)
		return -ENOMEM;
	at = covers(s, s->last, new) ? s->last : find(s, new->process, new->start);
	if (covers(s, at, new)) {
		s->span[at].written += new->written;
		s->last = at;
		return 0;
	}
	if (s->n == SPANS_MOST) {
		if (make_room(s))
			return -ENOMEM;
		at = find(s, new->process, new->start);
	}
	insert(s, at, new);
	return 0;
}

void spans_free(struct spans *s)
{
	free(s->span);
	*s = (struct spans){ 0 };
}
