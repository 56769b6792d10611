// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mappings of a process, from /proc/PID/maps.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "maps.h"
#include "room.h"

static bool begins_with(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/*
 * A name in brackets is made by the kernel: [heap], [stack] and [anon:...] are ordinary anonymous
 * memory, everything else ([vdso], [vvar], [uprobes]) is not.
 */
static enum map_kind kind_of(const char *perms, uint64_t inode, const char *name)
{
	bool ordinary = !*name || begins_with(name, "[heap]") || begins_with(name, "[stack") ||
			begins_with(name, "[anon:");

	if (*name == '[' && !ordinary)
		return MAP_SPECIAL;
	if (perms[1] != 'w')
		return MAP_NOT_WRITABLE;
	if (perms[3] == 's')
		return MAP_SHARED_MEMORY;
	return inode || !ordinary ? MAP_OF_FILE : MAP_TRACKABLE;
}

static bool parse_line(const char *line, struct map *map)
{
	uint64_t inode;
	char perms[5];
	int name_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*s %" SCNu64 " %n", &map->start,
		   &map->end, perms, &inode, &name_at) < 4 || !name_at)
		return false;
	if (map->end <= map->start || strlen(perms) != 4)
		return false;
	human_clean(line + name_at, strcspn(line + name_at, "\n"), map->name, sizeof(map->name));
	map->kind = kind_of(perms, inode, map->name);
	if (!*map->name)
		strcpy(map->name, "anon");
	return true;
}

static int append(struct maps *maps, const struct map *map)
{
	struct map *more = with_room(maps->map, maps->n, &maps->room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	maps->map = more;
	maps->map[maps->n++] = *map;
	return 0;
}

int maps_parse(FILE *file, struct maps *maps)
{
	char *line = NULL;
	size_t room = 0;
	struct map map;
	int err = 0;

	maps->n = 0;
	while (!err && getline(&line, &room, file) > 0)
		if (parse_line(line, &map))
			err = append(maps, &map);
	free(line);
	return err;
}

static int read_file(const char *path, struct maps *maps)
{
	FILE *file = fopen(path, "re");
	int err;

	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	err = maps_parse(file, maps);
	fclose(file);
	return err;
}

/* A thread that has ended has no mappings any more; one that goes on has those of the process. */
static int read_threads(pid_t pid, struct maps *maps)
{
	struct dirent *entry;
	char path[320];
	DIR *tasks;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!maps->n && (entry = readdir(tasks))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/maps", (int)pid, entry->d_name);
		err = read_file(path, maps);
	}
	closedir(tasks);
	/* One that has ended meanwhile is no error: the next look finds another, or none. */
	return maps->n || err == -ESRCH ? 0 : err;
}

int maps_read(pid_t pid, struct maps *maps)
{
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	err = read_file(path, maps);
	return err || maps->n ? err : read_threads(pid, maps);
}

uint64_t maps_bytes_within(const struct maps *maps, uint64_t start, uint64_t end)
{
	size_t low = 0, high = maps->n, middle;
	uint64_t bytes = 0, from, to;

	/* The first that ends above @start */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (maps->map[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < maps->n && maps->map[low].start < end; low++) {
		from = maps->map[low].start > start ? maps->map[low].start : start;
		to = maps->map[low].end < end ? maps->map[low].end : end;
		bytes += to - from;
	}
	return bytes;
}

bool map_has_name(const struct map *map, const char *pattern)
{
	char bare[sizeof(map->name)];

	if (*map->name == '[' && *pattern != '[') {
		/* "heap" is easier to type than "\[heap]" */
		snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(map->name + 1, "]"),
			 map->name + 1);
		return !fnmatch(pattern, bare, 0);
	}
	return !strcmp(pattern, map->name) || !fnmatch(pattern, map->name, 0);
}

const struct map *maps_first_of_name(const struct maps *maps, const char *pattern,
				     const struct map **giant)
{
	const struct map *map;

	*giant = NULL;
	for (map = maps->map; map != maps->map + maps->n; map++) {
		if (map->kind == MAP_NOT_WRITABLE || map->kind == MAP_SPECIAL ||
		    !map_has_name(map, pattern))
			continue;
		if (map->end - map->start <= MAP_GIANT_BYTES)
			return map;
		*giant = map;
	}
	return NULL;
}

void maps_free(struct maps *maps)
{
	free(maps->map);
	*maps = (struct maps){ 0 };
}

const char *map_kind_name(enum map_kind kind)
{
	static const char *const names[MAP_KINDS] = {
		[MAP_TRACKABLE] = "tracked",
		[MAP_GIANT] = "very large",
		[MAP_BUSY] = "busy",
		[MAP_NOT_WRITABLE] = "not writable",
		[MAP_OF_FILE] = "private file",
		[MAP_SHARED_MEMORY] = "shared",
		[MAP_SPECIAL] = "special",
	};

	return names[kind];
}
