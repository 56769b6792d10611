// SPDX-License-Identifier: GPL-2.0-only
/*
 * One look at a process: by one scan however many mappings there are, ask what was written and arm
 * it again; track what is new.
 *
 * Nothing is remembered about which memory is tracked: a scan says of each address whether it is,
 * so a mapping that was replaced, or moved, or has grown between two reports is seen as new, and
 * tracked from then on.
 */
#include <errno.h>
#include <inttypes.h>

#include "watched.h"

#define PAGE 4096

/* A look, and the lines that it adds. */
struct look {
	struct watched *p;
	struct report *report;
	size_t process;		/* whose lines they are */
	bool gone;		/* the memory is, as was found while its regions were sorted in */
};

static uint64_t pages(const struct uffdwp_region *region)
{
	return (region->end - region->start) / PAGE;
}

static int count(struct look *l, const struct uffdwp_region *region, struct report_line *line)
{
	line->written += pages(region);
	return report_add_region(l->report, l->process, region->start, region->end);
}

/* Of memory that is armed for the first time: who has forked the process may have written it. */
static int count_first(struct look *l, const struct uffdwp_region *region, struct report_line *line)
{
	if (l->p->forked)
		l->report->process[l->process].presumed += pages(region);
	return count(l, region, line);
}

/*
 * What is in memory that has just been armed was written since the last report, when nobody
 * tracked it: all that is populated counts, but for the zero page and for what still is a page of
 * a file, privately mapped. What was written again meanwhile, or could not be armed, is left to the
 * next report.
 */
static int count_populated(struct look *l, const struct map *map,
			   const struct uffdwp_region *where, struct report_line *line)
{
	const uint64_t none_of = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_PFNZERO |
		(map->kind == MAP_SHARED_MEMORY ? 0 : UFFDWP_PAGE_IS_FILE);
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.start = where->start,
		.len = where->end - where->start,
		.category_inverted = none_of,
		.category_mask = none_of,
		/* In memory of files, a marker reads as swapped. */
		.category_anyof_mask = UFFDWP_PAGE_IS_PRESENT |
			(map->kind == MAP_TRACKABLE ? UFFDWP_PAGE_IS_SWAPPED : 0),
	};
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int err = uffdwp_scan_start(l->p->tracker, &opts, &scan);

	if (err)
		return err;
	while ((err = uffdwp_scan_next(scan, &region)) == 1) {
		err = count_first(l, &region, line);
		if (err)
			break;
	}
	uffdwp_scan_end(scan);
	return err;
}

/* What the scan that arms has to say of memory that was never armed. */
#define OF_FRESH (UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED | UFFDWP_PAGE_IS_PFNZERO | \
		  UFFDWP_PAGE_IS_FILE | UFFDWP_PAGE_IS_GUARD)

/* Does it count as what count_populated() would find? There, a guard page cannot be armed. */
static bool is_populated(const struct map *map, uint64_t categories)
{
	const uint64_t any_of = UFFDWP_PAGE_IS_PRESENT |
		(map->kind == MAP_TRACKABLE ? UFFDWP_PAGE_IS_SWAPPED : 0);
	const uint64_t none_of = UFFDWP_PAGE_IS_PFNZERO | UFFDWP_PAGE_IS_GUARD |
		(map->kind == MAP_SHARED_MEMORY ? 0 : UFFDWP_PAGE_IS_FILE);

	return (categories & any_of) && !(categories & none_of);
}

/*
 * A region of memory that is followed, and has been armed for the first time by the scan that has
 * told of it. It says itself what was there: to ask again would be to miss what is unmapped, or has
 * ended, in between.
 */
static int count_fresh(struct look *l, const struct map *map, const struct uffdwp_region *region,
		       struct report_line *line)
{
	if (!l->p->counts || !is_populated(map, region->categories))
		return 0;
	return count_first(l, region, line);
}

/*
 * Memory that is not tracked yet. It may be gone, or be something else, since we have read the list
 * of mappings: then the next report will know better. What is somebody else's is left out, and so
 * is what this kernel cannot track: only trying tells shared memory from a file on a disk. EINVAL:
 * huge pages of hugetlb have come there, and the borders that we know cut one of them.
 */
static int track_new(struct look *l, const struct map *map, const struct uffdwp_region *region,
		     struct report_line *line)
{
	enum map_kind kind = MAP_BUSY;
	int err;

	err = uffdwp_track(l->p->tracker, region->start, region->end - region->start, NULL);
	switch (err) {
	case 0:
		line->added += pages(region);
		/* Before the first report there is no "since", but for who has come to be since. */
		return l->p->counts ? count_populated(l, map, region, line) : 0;
	case -EINVAL:
	case -EOPNOTSUPP:
		if (map->kind != MAP_TRACKABLE)
			kind = map->kind;
		/* fall through */
	case -EBUSY:
	case -EACCES:
		report_skip(l->report, kind, region->end - region->start);
		/* fall through */
	case -ENOENT:
		line->tracked -= pages(region);
		return 0;
	default:
		return err;
	}
}

/*
 * One scan of all that lies between the first and the last of some mappings. Its regions and the
 * mappings are in ascending order, so a region is cut where one mapping ends and the next begins.
 */
struct harvest {
	struct look *l;
	const struct map *map;		/* the mapping that we have come to */
	const struct map *end;
	struct report_line line;	/* of it */
};

static void begin_line(struct harvest *h)
{
	const struct map *map = h->map;

	if (map == h->end)
		return;
	h->line = (struct report_line){
		.process = h->l->process,
		.start = map->start,
		.end = map->end,
		.name = map->name,
		.tracked = (map->end - map->start) / PAGE,
	};
}

/* Memory that is followed: the scan does not say what is new, nor what cannot be written yet. */
static void finish_followed(const struct watched *p, const struct map *map,
			    struct report_line *line)
{
	if (p->counts && map->kind == MAP_TRACKABLE)
		line->added = (map->end - map->start -
			       maps_bytes_within(&p->before, map->start, map->end)) / PAGE;
	if (map->kind == MAP_NOT_WRITABLE && !line->written)
		line->tracked = 0;
}

/* Whether shared memory can be tracked is only known when it was tried, and so with most others. */
static int end_line(struct harvest *h)
{
	int err = 0;

	if (h->l->p->follows)
		finish_followed(h->l->p, h->map, &h->line);
	if (h->line.tracked || h->map->kind == MAP_TRACKABLE)
		err = report_add(h->l->report, &h->line);
	h->map++;
	begin_line(h);
	return err;
}

/*
 * The list of mappings was read before the scan, and what has grown since is in none of them. It
 * stays written, for the next report, which has a line for it.
 */
static int leave(struct harvest *h, uint64_t start, uint64_t end, uint64_t categories)
{
	if (categories & UFFDWP_PAGE_IS_UNTRACKED)
		return 0;
	return uffdwp_disarm(h->l->p->tracker, start, end - start);
}

/*
 * Sparse: it was reserved or thrown away and has been zeroes since it was armed, by this scan as a
 * rule. There is no page that was written.
 */
static int take_tracked(struct harvest *h, const struct uffdwp_region *part)
{
	if (part->categories & UFFDWP_PAGE_IS_SPARSE)
		return 0;
	if (h->l->p->fresh)
		return count_fresh(h->l, h->map, part, &h->line);
	return count(h->l, part, &h->line);
}

static int take(struct harvest *h, const struct uffdwp_region *part)
{
	if (!(part->categories & UFFDWP_PAGE_IS_UNTRACKED))
		return take_tracked(h, part);
	/* Nothing that it would leave out can be written. What was tracked before stays so. */
	if (h->map->kind == MAP_NOT_WRITABLE) {
		h->line.tracked -= pages(part);
		return 0;
	}
	return track_new(h->l, h->map, part, &h->line);
}

/*
 * What was fetched with it is armed and will be in no other scan: it is counted before anybody is
 * told that the memory is gone.
 */
static int note_gone(struct look *l, int err)
{
	if (err != -ESRCH)
		return err;
	l->gone = true;
	return 0;
}

static int sort_in(struct harvest *h, const struct uffdwp_region *region)
{
	struct uffdwp_region part = *region;
	int err = 0;

	while (!err && part.start != region->end) {
		while (!err && h->map != h->end && h->map->end <= part.start)
			err = end_line(h);
		part.end = region->end;
		if (err)
			break;
		if (h->map == h->end || h->map->start >= region->end) {
			err = leave(h, part.start, part.end, part.categories);
		} else if (h->map->start > part.start) {
			part.end = h->map->start;
			err = leave(h, part.start, part.end, part.categories);
		} else {
			if (h->map->end < part.end)
				part.end = h->map->end;
			err = take(h, &part);
		}
		err = note_gone(h->l, err);
		part.start = part.end;
	}
	return err;
}

static int scan_mappings(struct look *l, const struct map *first, const struct map *end)
{
	struct uffdwp_scan_opts opts = {
		.size = sizeof(opts),
		.flags = UFFDWP_SCAN_WP_MATCHING,
		.start = first->start,
		.len = end[-1].end - first->start,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = UFFDWP_PAGE_IS_UNTRACKED |
			       (l->p->fresh && l->p->counts ? OF_FRESH : 0),
	};
	struct harvest h = { .l = l, .map = first, .end = end };
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int got, err;

	got = uffdwp_scan_start(l->p->tracker, &opts, &scan);
	if (got)
		return got;
	begin_line(&h);
	while ((got = uffdwp_scan_next(scan, &region)) == 1) {
		got = sort_in(&h, &region);
		if (got)
			break;
	}
	if (!got && l->gone)
		got = -ESRCH;
	while (!got && h.map != end)
		got = end_line(&h);
	/* What was reported and armed before it ended: nobody will tell of it again. */
	if (got == -ESRCH && h.map != end && h.line.written)
		end_line(&h);
	err = uffdwp_scan_end(scan);
	return got ? got : err;
}

/* As a rule, all mappings by one scan. */
static int look_at_all(struct look *l)
{
	const struct map *map = l->p->maps.map, *end = map + l->p->maps.n, *first;
	int err = 0;

	while (map != end && !err) {
		for (first = map; map != end && map->kind != MAP_GIANT; map++)
			;
		if (map != first)
			err = scan_mappings(l, first, map);
		if (map != end)
			map++;
	}
	return err;
}

/* Its number may be another process's by now, if we have no pidfd: then the scan will say so. */
static bool has_ended(const struct watched *p)
{
	return p->target.pidfd >= 0 && target_has_ended(&p->target);
}

static int read_maps(struct watched *p)
{
	struct maps before = p->before;
	int err;

	p->before = p->maps;
	p->maps = before;
	err = maps_read(p->target.pid, &p->maps);
	p->maps_err = err;
	/* While it has not ended its number was not another process's. */
	if (!err && has_ended(p))
		err = -ESRCH;
	/* A process that is ending has an empty list for a moment. */
	if (!err && !p->maps.n)
		err = -ESRCH;
	return err;
}

/* What the process has taken for itself is in no report any more: that is not the same as clean. */
static void tell_given_way(struct watched *p)
{
	UFFDWP_OPTS(uffdwp_stats_arg, stats);

	if (uffdwp_get_stats(p->tracker, &stats) || stats.pages_given_way <= p->given_way)
		return;
	fprintf(stderr, "uffdwp: process %d has taken %" PRIu64 " pages for a userfaultfd of its own, which are left to it\n",
		(int)p->target.pid, (uint64_t)stats.pages_given_way - p->given_way);
	p->given_way = stats.pages_given_way;
}

int look(struct watched *p, struct report *report, size_t process)
{
	struct look l = { .p = p, .report = report, .process = process };
	int err = read_maps(p);

	if (err)
		return err;
	choose_maps(p, report);
	err = look_at_all(&l);
	p->fresh = p->fresh && err;
	if (err)
		return err;
	p->forked = false;
	tell_given_way(p);
	return 0;
}
