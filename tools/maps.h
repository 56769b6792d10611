/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_MAPS_H
#define TOOLS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Whether a mapping can be tracked; for those of files, trying tells. */
enum map_kind {
	MAP_TRACKABLE,		/* private, anonymous, writable */
	MAP_GIANT,		/* ... and so large that page tables for it would be a burden */
	MAP_BUSY,		/* ... and somebody else's: another tracker, a userfaultfd */
	MAP_NOT_WRITABLE,	/* nothing to track as long as it stays so */
	MAP_OF_FILE,		/* private mapping of a file; of a memfd or tmpfs: tracked */
	MAP_SHARED_MEMORY,	/* shared; memfd and tmpfs: tracked */
	MAP_SPECIAL,		/* vdso and the like */
	MAP_KINDS
};

/* Reserved and mostly empty, as a rule: 64 GiB need 128 MiB of page tables when they are armed. */
#define MAP_GIANT_BYTES (64ull << 30)

struct map {
	uint64_t start;
	uint64_t end;
	enum map_kind kind;
	/* What /proc/PID/maps says, by human_clean(); "anon" where it says nothing */
	char name[64];
};

/* The mappings of a process, in ascending order. */
struct maps {
	struct map *map;
	size_t n;
	size_t room;
};

/**
 * maps_parse - read mappings in the form of /proc/PID/maps
 * @file: where from
 * @maps: in: empty ({0}) or used before; out: the mappings
 *
 * Lines that make no sense are left out.
 *
 * Return: 0, or a negative errno.
 */
int maps_parse(FILE *file, struct maps *maps);

/**
 * maps_read - the mappings of a process now
 * @pid: process
 * @maps: as for maps_parse()
 *
 * Return: 0; -ESRCH when the process has ended; or another negative errno of open(2).
 */
int maps_read(pid_t pid, struct maps *maps);

/* How many bytes of [start, end) are mapped there. */
uint64_t maps_bytes_within(const struct maps *maps, uint64_t start, uint64_t end);

/* Is this its name, a pattern of fnmatch(3) for it, or one for what its brackets hold? */
bool map_has_name(const struct map *map, const char *pattern);

/**
 * maps_first_of_name - the first writable mapping of a name that can be armed as a whole
 * @maps: mappings
 * @pattern: as for map_has_name()
 * @giant: out: one before it, or without it, is larger than MAP_GIANT_BYTES; otherwise NULL
 *
 * Return: the mapping, or NULL.
 */
const struct map *maps_first_of_name(const struct maps *maps, const char *pattern,
				     const struct map **giant);

void maps_free(struct maps *maps);

/**
 * map_kind_name - why it is not tracked
 * @kind: kind
 *
 * Return: a few words for people, constant.
 */
const char *map_kind_name(enum map_kind kind);

#endif /* TOOLS_MAPS_H */
