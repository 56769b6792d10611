// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading /proc/PID/maps.
 */
#include "unit.h"

#include "maps.h"

static struct maps parse(const char *text)
{
	struct maps maps = { 0 };
	FILE *file = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(file);
	assert_int_equal(maps_parse(file, &maps), 0);
	fclose(file);
	return maps;
}

static void assert_map(const struct map *map, uint64_t start, uint64_t end, enum map_kind kind,
		       const char *name)
{
	assert_int_equal(map->start, start);
	assert_int_equal(map->end, end);
	assert_int_equal(map->kind, kind);
	assert_string_equal(map->name, name);
}

static void kinds_are_told_apart(void **state)
{
	struct maps maps = parse(
		"55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]\n"
		"7f0000000000-7f0000200000 rw-p 00000000 00:00 0 \n"
		"7f0000300000-7f0000301000 ---p 00000000 00:00 0 \n"
		"7f0000400000-7f0000401000 rw-p 00001000 fe:01 1234                       /usr/lib/libc.so.6\n"
		"7f0000500000-7f0000501000 r-xp 00001000 fe:01 1234                       /usr/lib/libc.so.6\n"
		"7f0000600000-7f0000601000 rw-s 00000000 00:01 9                          /memfd:x (deleted)\n"
		"7f0000700000-7f0000701000 rw-s 00000000 00:01 0                          /dev/zero (deleted)\n"
		"7f0000800000-7f0000807000 r--s 00000000 fe:01 77                         /usr/lib/gconv.cache\n"
		"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]\n"
		"7ffc00100000-7ffc00101000 r-xp 00000000 00:00 0                          [vdso]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");

	(void)state;
	assert_int_equal(maps.n, 11);
	assert_map(&maps.map[0], 0x55d0c0a00000, 0x55d0c0a21000, MAP_TRACKABLE, "[heap]");
	assert_map(&maps.map[1], 0x7f0000000000, 0x7f0000200000, MAP_TRACKABLE, "anon");
	assert_map(&maps.map[2], 0x7f0000300000, 0x7f0000301000, MAP_NOT_WRITABLE, "anon");
	assert_map(&maps.map[3], 0x7f0000400000, 0x7f0000401000, MAP_OF_FILE, "/usr/lib/libc.so.6");
	assert_map(&maps.map[4], 0x7f0000500000, 0x7f0000501000, MAP_NOT_WRITABLE,
		   "/usr/lib/libc.so.6");
	assert_map(&maps.map[5], 0x7f0000600000, 0x7f0000601000, MAP_SHARED_MEMORY,
		   "/memfd:x (deleted)");
	assert_map(&maps.map[6], 0x7f0000700000, 0x7f0000701000, MAP_SHARED_MEMORY,
		   "/dev/zero (deleted)");
	assert_map(&maps.map[7], 0x7f0000800000, 0x7f0000807000, MAP_NOT_WRITABLE,
		   "/usr/lib/gconv.cache");
	assert_map(&maps.map[8], 0x7ffc00000000, 0x7ffc00021000, MAP_TRACKABLE, "[stack]");
	assert_map(&maps.map[9], 0x7ffc00100000, 0x7ffc00101000, MAP_SPECIAL, "[vdso]");
	assert_map(&maps.map[10], 0xffffffffff600000, 0xffffffffff601000, MAP_SPECIAL,
		   "[vsyscall]");
	maps_free(&maps);
}

static void nonsense_is_left_out(void **state)
{
	struct maps maps = parse("hello\n"
				 "2000-1000 rw-p 00000000 00:00 0 \n"
				 "1000-2000 rw 00000000 00:00 0 \n"
				 "1000-2000\n"
				 "\n"
				 "3000-4000 rw-p 00000000 00:00 0 \n");

	(void)state;
	assert_int_equal(maps.n, 1);
	assert_int_equal(maps.map[0].start, 0x3000);
	maps_free(&maps);
}

static void long_names_are_cut(void **state)
{
	char line[512], name[400];
	struct maps maps;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	snprintf(line, sizeof(line), "1000-2000 rw-p 00000000 00:00 77 /%s\n", name);
	maps = parse(line);
	assert_int_equal(maps.n, 1);
	assert_int_equal(strlen(maps.map[0].name), sizeof(maps.map[0].name) - 1);
	maps_free(&maps);
}

/* A file can have any name, and its mapping shows it to whoever watches. */
static void names_are_harmless(void **state)
{
	struct maps maps = parse("1000-2000 rw-p 00000000 00:00 77 /tmp/\33[31m\xff.so\n"
				 "3000-4000 rw-s 00000000 00:00 78 /memfd:\u00e9\r (deleted)\n");

	(void)state;
	assert_int_equal(maps.n, 2);
	assert_string_equal(maps.map[0].name, "/tmp/\\033[31m\\377.so");
	assert_string_equal(maps.map[1].name, "/memfd:\u00e9\\015 (deleted)");
	maps_free(&maps);
}

static void many_mappings(void **state)
{
	static char text[64 * 3000];
	struct maps maps;
	size_t i, at = 0;

	(void)state;
	for (i = 0; i < 3000; i++)
		at += snprintf(text + at, sizeof(text) - at, "%zx-%zx rw-p 00000000 00:00 0 \n",
			       2 * i * 4096 + 4096, 2 * i * 4096 + 8192);
	maps = parse(text);
	assert_int_equal(maps.n, 3000);
	maps_free(&maps);
}

static void our_own_mappings(void **state)
{
	struct maps maps = { 0 };
	int on_stack;
	bool found = false;
	size_t i;

	(void)state;
	assert_int_equal(maps_read(getpid(), &maps), 0);
	for (i = 0; i < maps.n; i++)
		if (maps.map[i].start <= (uintptr_t)&on_stack &&
		    (uintptr_t)&on_stack < maps.map[i].end)
			found = maps.map[i].kind == MAP_TRACKABLE;
	assert_true(found);
	maps_free(&maps);
	assert_int_equal(maps_read(0x7fffffff, &maps), -ESRCH);
}

/* 64 GiB and a page; not writable; and one of 64 GiB. */
static void very_large_mappings_are_passed_by(void **state)
{
	struct maps maps = parse(
		"100000000000-101000001000 rw-p 00000000 00:00 0                          [anon:big]\n"
		"200000000000-200000001000 r--p 00000000 00:00 0 \n"
		"300000000000-300000001000 r--p 00000000 00:00 0                          [vvar]\n"
		"400000000000-401000000000 rw-p 00000000 00:00 0 \n"
		"500000000000-500000001000 rw-p 00000000 00:00 0 \n");
	const struct map *giant;

	(void)state;
	assert_ptr_equal(maps_first_of_name(&maps, "anon", &giant), &maps.map[3]);
	assert_null(giant);
	assert_ptr_equal(maps_first_of_name(&maps, "anon*", &giant), &maps.map[3]);
	assert_ptr_equal(giant, &maps.map[0]);
	assert_null(maps_first_of_name(&maps, "*big", &giant));
	assert_ptr_equal(giant, &maps.map[0]);
	assert_null(maps_first_of_name(&maps, "vvar", &giant));
	assert_null(giant);
	maps_free(&maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_apart),
		cmocka_unit_test(nonsense_is_left_out),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(names_are_harmless),
		cmocka_unit_test(many_mappings),
		cmocka_unit_test(our_own_mappings),
		cmocka_unit_test(very_large_mappings_are_passed_by),
	};

	return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
