// SPDX-License-Identifier: GPL-2.0-only
/*
 * What blame makes of what was counted: tables, folded stacks, and a profile for pprof; and the
 * command lines of blame, trap and latency.
 */
#include "schema.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <zlib.h>

#include "blame/demangle.h"
#include "blame/options.h"
#include "blame/profile.h"
#include "blame/protobuf.h"

static char why[160];

static int parse(struct blame_options *a, const char *line)
{
	static char text[256];
	char *argv[16], *word;
	int argc = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return blame_options_parse(argc, argv, a, why, sizeof(why));
}

static void assert_wrong(const char *line, const char *expected)
{
	struct blame_options a;

	assert_true(parse(&a, line) < 0);
	assert_string_equal(why, expected);
}

static void options_are_understood(void **state)
{
	struct blame_options a;

	(void)state;
	assert_int_equal(parse(&a, "blame -p 12 -d 3 -i 0.5 --by stack -o x --json"), 0);
	assert_int_equal(a.pid, 12);
	assert_true(a.seconds == 3 && a.interval == 0.5);
	assert_int_equal(a.by, BLAME_BY_STACK);
	assert_int_equal(a.format, BLAME_JSON);
	assert_string_equal(a.output, "x");
	assert_int_equal(parse(&a, "blame --pprof -- true -p 1"), 0);
	assert_int_equal(a.by, BLAME_BY_STACK);
	assert_string_equal(a.command[0], "true");
	assert_string_equal(a.command[1], "-p");
	assert_int_equal(parse(&a, "trap -p 1 --on heap --stack --stop -n 3"), 0);
	assert_string_equal(a.on, "heap");
	assert_true(a.stack && a.stop && a.count == 3);
	assert_int_equal(parse(&a, "latency -p 1 -d 0.001"), 0);
}

static void wrong_options_are_told(void **state)
{
	(void)state;
	assert_wrong("blame", "say either -p PID or -- COMMAND");
	assert_wrong("blame -p 1 true", "say either -p PID or -- COMMAND");
	assert_wrong("blame -p 0", "'0' is no process id");
	assert_wrong("blame -p 1 -d 0", "'0' is no duration: 0.001 to 1000000 seconds");
	assert_wrong("blame -p 1 --json --folded", "choose one of --folded, --pprof and --json");
	assert_wrong("blame -p 1 --by task --folded",
		     "--folded and --pprof are made of stacks: leave out --by");
	assert_wrong("blame -p 1 --stop", "there is no option '--stop'");
	assert_wrong("blame -d", "option '-d' needs a value");
	assert_wrong("trap -p 1", "say which memory: --on ADDRESS[-END] or --on MAPPING");
	assert_wrong("trap -p 1 --on a -n 0", "'0' is no count: 1 or more");
	assert_wrong("latency -p 1 true", "there is a word too many: 'true'");
	assert_wrong("latency", "say which process: -p PID");
}

static void ranges_are_whole_pages(void **state)
{
	uint64_t start, end;

	(void)state;
	assert_true(blame_range("7f0000001234", &start, &end));
	assert_true(start == 0x7f0000001000 && end == 0x7f0000002000);
	assert_true(blame_range("0x1000-0x2001", &start, &end));
	assert_true(start == 0x1000 && end == 0x3000);
	assert_false(blame_range("heap", &start, &end));
	assert_false(blame_range("2000-1000", &start, &end));
	assert_false(blame_range("1000-", &start, &end));
	assert_false(blame_range("ffffffffffffffff", &start, &end));
}

/* ---- what was counted: two stacks, and a writer that is another process */

#define PID 100

static struct entry entries[] = {
	{
		.key = { .tgid = PID, .ip = { 0x1010, 0x1020 } },
		.count = { .pages = 300, .lowest = 0x600000, .highest = 0x700000, .comm = "a" },
	}, {
		.key = { .tgid = PID, .ip = { 0x2010 } },
		.count = { .pages = 60, .lowest = 0x800000, .highest = 0x800000, .comm = "b" },
	}, {
		.key = { .tgid = 7, .tid = 8 },
		.count = { .pages = 40, .lowest = 0x900000, .highest = 0x900000, .comm = "g;db\n" },
	},
};

static struct profile made_up(enum blame_by by)
{
	struct profile p = {
		.pid = PID, .name = "prog", .by = by, .seconds = 2, .interval = 1, .pages = 400,
		.entry = entries, .n = 3,
	};

	symbols_begin(&p.symbols, PID, false);
	/* As of a process: the code is in a mapping of no file, so that there are no names. */
	p.symbols.text = strdup("00001000-00003000 r-xp 00000000 00:00 0\n"
				"00600000-00800000 rw-p 00000000 00:00 0  [heap]\n");
	return p;
}

static void assert_printed(enum blame_by by, int (*print)(FILE *to, struct profile *p),
			   const char *expected)
{
	struct profile p = made_up(by);
	char text[4096] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");

	assert_int_equal(print(to, &p), 0);
	fclose(to);
	assert_string_equal(text, expected);
	symbols_end(&p.symbols);
}

static void tables_have_the_most_first(void **state)
{
	(void)state;
	assert_printed(BLAME_BY_FUNCTION, profile_print_table,
		       "    pages    share  function                        where\n"
		       "      300   75.0 %  0x1010                          anon\n"
		       "       60   15.0 %  0x2010                          anon\n"
		       "       40   10.0 %  g;db\\012[8]                     another process, 7\n"
		       "400 first writes to a page in 2.0 s, each page once in 1 s; process 100 (prog)\n");
	assert_printed(BLAME_BY_STACK, profile_print_table,
		       "    pages    share  function, and who calls it      where\n"
		       "      300   75.0 %  0x1010                          anon\n"
		       "                    0x1020\n"
		       "       60   15.0 %  0x2010                          anon\n"
		       "       40   10.0 %  g;db\\012[8]                     another process, 7\n"
		       "400 first writes to a page in 2.0 s, each page once in 1 s; process 100 (prog)\n");
	assert_printed(BLAME_BY_MAPPING, profile_print_table,
		       "    pages    share  addresses                       mapping\n"
		       "      300   75.0 %  600000-701000                   [heap]\n"
		       "       60   15.0 %  800000-801000                   no longer mapped\n"
		       "       40   10.0 %  g;db\\012[8]                     another process, 7\n"
		       "400 first writes to a page in 2.0 s, each page once in 1 s; process 100 (prog)\n");
}

/* The locale here is "C". */
static void tables_have_what_the_terminal_knows(void **state)
{
	struct profile p = made_up(BLAME_BY_MAPPING);
	const int saved = dup(STDOUT_FILENO);
	char text[4096] = "";
	FILE *got = tmpfile();

	(void)state;
	free(p.symbols.text);
	p.symbols.text = strdup("00600000-00900000 rw-p 00000000 00:00 0  [anon:\u06db]\n");
	snprintf(p.name, sizeof(p.name), "pr\u06dbg");
	fflush(stdout);
	dup2(fileno(got), STDOUT_FILENO);
	assert_int_equal(profile_print_table(stdout, &p), 0);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(got);
	assert_true(fread(text, 1, sizeof(text) - 1, got) > 0);
	fclose(got);
	assert_non_null(strstr(text, "[anon:?]\n"));
	assert_non_null(strstr(text, "process 100 (pr?g)\n"));
	assert_null(strchr(text, (char)0xdb));
	symbols_end(&p.symbols);
}

static void folded_stacks_begin_outside(void **state)
{
	(void)state;
	assert_printed(BLAME_BY_STACK, profile_print_folded,
		       "prog;0x1020;0x1010 300\n"
		       "prog;0x2010 60\n"
		       "g:db\\012 40\n");
}

static void numbers_have_seven_bits_a_byte(void **state)
{
	static const unsigned char expected[] = {
		0x08, 0x96, 0x01, 0x12, 0x02, 'h', 'i', 0x1a, 0x02, 0x08, 0x00,
		0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
	};
	struct protobuf m = { 0 }, inner = { 0 };

	(void)state;
	protobuf_number(&m, 1, 150);
	protobuf_bytes(&m, 2, "hi", 2);
	protobuf_number(&inner, 1, 0);
	protobuf_message(&m, 3, &inner);
	protobuf_number(&m, 4, UINT64_MAX);
	assert_false(m.failed);
	assert_int_equal(m.n, sizeof(expected));
	assert_memory_equal(m.bytes, expected, sizeof(expected));
	assert_null(inner.bytes);
	protobuf_free(&m);
}

static uint64_t varint(const unsigned char **at)
{
	uint64_t number = 0;
	int shift = 0;

	do
		number |= (uint64_t)(**at & 0x7f) << shift;
	while (shift += 7, *(*at)++ & 0x80);
	return number;
}

/* The fields of a message, in order: a digit each, the number of the field. */
static void fields_of(const unsigned char *at, size_t n, char *fields, uint64_t *sum_of_samples)
{
	const unsigned char *end = at + n, *inner, *inner_end;
	size_t len;

	while (at < end) {
		const uint64_t tag = varint(&at);

		*fields++ = tag >> 3 < 10 ? '0' + (char)(tag >> 3) : 'x';
		if ((tag & 7) == 0) {
			varint(&at);
			continue;
		}
		assert_int_equal(tag & 7, 2);
		len = varint(&at);
		/* Of a sample, the first of its two values */
		for (inner = at, inner_end = at + len; tag >> 3 == 2 && inner < inner_end;)
			if (varint(&inner) >> 3 == 2) {
				*sum_of_samples += varint(&inner);
				break;
			} else {
				varint(&inner);
			}
		at += len;
	}
	assert_ptr_equal(at, end);
	*fields = 0;
}

/* Two types, of three places a function and the location, two mappings, three samples, strings. */
static void pprof_has_all_samples(void **state)
{
	struct profile p = made_up(BLAME_BY_STACK);
	static unsigned char bytes[65536];
	char fields[512];
	FILE *to = tmpfile();
	uint64_t sum = 0;
	gzFile file;
	int n;

	(void)state;
	assert_int_equal(profile_print_pprof(to, &p), 0);
	lseek(fileno(to), 0, SEEK_SET);
	file = gzdopen(dup(fileno(to)), "rb");
	n = gzread(file, bytes, sizeof(bytes));
	assert_int_equal(gzdirect(file), 0);
	gzclose(file);
	fclose(to);
	assert_true(n > 0);
	fields_of(bytes, (size_t)n, fields, &sum);
	assert_int_equal(strncmp(fields, "11545454" "33" "222" "x" "6666", 17), 0);
	assert_int_equal(sum, 400);
	symbols_end(&p.symbols);
}

/* ---- JSON */

static const struct field of_blame[] = {
	{ "schema", NUMBER, false },
	{ "pid", NUMBER, false },
	{ "name", TEXT, false },
	{ "by", TEXT, false },
	{ "seconds", REAL, false },
	{ "interval", REAL, false },
	{ "pages", NUMBER, false },
	{ "pages_lost", NUMBER, false },
	{ "pages_without_fault", NUMBER, false },
	{ "writers", ARRAY, false },
	{ "writers[].pages", NUMBER, false },
	{ "writers[].share", REAL, false },
	{ "writers[].tgid", NUMBER, OPTIONAL },
	{ "writers[].tid", NUMBER, OPTIONAL },
	{ "writers[].comm", TEXT, OPTIONAL },
	{ "writers[].lowest", TEXT, OPTIONAL },
	{ "writers[].highest", TEXT, OPTIONAL },
	{ "writers[].mapping", TEXT, OPTIONAL },
	{ "writers[].stack", ARRAY, OPTIONAL },
	{ "writers[].stack[].function", TEXT, false },
	{ "writers[].stack[].address", TEXT, OPTIONAL },
	{ "writers[].stack[].offset", NUMBER, OPTIONAL },
	{ "writers[].stack[].file", TEXT, OPTIONAL },
	{ "writers[].stack[].line", NUMBER, OPTIONAL },
	{ "writers[].stack[].module", TEXT, OPTIONAL },
};

static void check_json(struct schema *s, struct profile *p)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(profile_print_json(to, p), 0);
	fclose(to);
	check_text(s, text);
	free(text);
}

/* A function of this program, which has debug information. */
static void check_ourselves(struct schema *s)
{
	struct entry own = {
		.key = { .tgid = (uint32_t)getpid(), .ip = { (uintptr_t)check_ourselves + 8 } },
		.count = { .pages = 1, .comm = "own" },
	};
	struct profile p = {
		.pid = getpid(), .name = "own", .by = BLAME_BY_STACK, .seconds = 1, .interval = 1,
		.pages = 1, .entry = &own, .n = 1,
	};

	symbols_begin(&p.symbols, getpid(), false);
	symbols_read(&p.symbols);
	check_json(s, &p);
	symbols_end(&p.symbols);
}

static void json_is_what_the_manual_says(void **state)
{
	struct schema s = SCHEMA_OF(of_blame);
	enum blame_by by;

	(void)state;
	for (by = BLAME_BY_TASK; by <= BLAME_BY_MAPPING; by++) {
		struct profile p = made_up(by);

		check_json(&s, &p);
		symbols_end(&p.symbols);
	}
	check_ourselves(&s);
	check_all_seen(&s);
	check_manual(&s, "tools/man/uffdwp-blame.1");
}

static void assert_demangled(const char *symbol, const char *expected)
{
	char *name = demangle(symbol);

	if (expected)
		assert_string_equal(name, expected);
	else
		assert_null(name);
	free(name);
}

/* apt has libstdc++ on each Debian. */
static void names_of_cplusplus_are_as_in_its_source(void **state)
{
	static char endless[5000] = "_Z";

	(void)state;
	assert_demangled("_ZN4heap4fillEPcm", "heap::fill(char*, unsigned long)");
	assert_demangled("_ZNSt6vectorIiSaIiEE9push_backERKi",
			 "std::vector<int, std::allocator<int> >::push_back(int const&)");
	assert_demangled("main", NULL);
	assert_demangled("i", NULL);
	assert_demangled("_Z", NULL);
	assert_demangled("_ZN4heap", NULL);
	memset(endless + 2, 'N', sizeof(endless) - 3);
	assert_demangled(endless, NULL);
}

/* A class template of two arguments, each of them the one before: that doubles with each level. */
static void make_doubling(char *symbol, unsigned int levels)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	unsigned int i;

	symbol += sprintf(symbol, "_Z1f");
	for (i = 0; i < levels; i++)
		symbol += sprintf(symbol, "1%cI", 'a' + (char)i);
	symbol += sprintf(symbol, "1AIiiE");
	for (i = 0; i < levels; i++)
		symbol += sprintf(symbol, "S%c_E", digits[levels + i]);
}

/* A symbol of 200 bytes may stand for a name that fills memory, or takes years. */
static void names_that_grow_without_bound_stay_as_they_are(void **state)
{
	static const char packs[] = "_Z1fIJiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiEEv"
				    "Dp1AIDp1AIDp1AIDp1AIDpT_T_ET_ET_ET_E";
	char symbol[256], *name;

	(void)state;
	make_doubling(symbol, 4);
	name = demangle(symbol);
	assert_non_null(name);
	assert_int_equal(strncmp(name, "f(a<b<c<d<A<int, int>, ", 23), 0);
	free(name);
	make_doubling(symbol, 17);
	assert_demangled(symbol, NULL);
	assert_demangled(packs, NULL);
	/* As standard libraries and compilers have them. */
	assert_demangled("_ZNSt6vectorINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESaIS5_EE"
			 "17_M_realloc_insertIJRKS5_EEEvN9__gnu_cxx17__normal_iteratorIPS5_S7_EE"
			 "DpOT_",
			 "void std::vector<std::__cxx11::basic_string<char, std::char_traits<char>, "
			 "std::allocator<char> >, std::allocator<std::__cxx11::basic_string<char, "
			 "std::char_traits<char>, std::allocator<char> > > >::_M_realloc_insert<"
			 "std::__cxx11::basic_string<char, std::char_traits<char>, "
			 "std::allocator<char> > const&>(__gnu_cxx::__normal_iterator<"
			 "std::__cxx11::basic_string<char, std::char_traits<char>, "
			 "std::allocator<char> >*, std::vector<std::__cxx11::basic_string<char, "
			 "std::char_traits<char>, std::allocator<char> >, std::allocator<"
			 "std::__cxx11::basic_string<char, std::char_traits<char>, "
			 "std::allocator<char> > > > >, std::__cxx11::basic_string<char, "
			 "std::char_traits<char>, std::allocator<char> > const&)");
	name = demangle("_ZNSt8_Rb_treeINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESt4pair"
			"IKS5_S5_ESt10_Select1stIS8_ESt4lessIS5_ESaIS8_EE29"
			"_M_get_insert_hint_unique_posESt23_Rb_tree_const_iteratorIS8_ERS7_");
	assert_non_null(name);
	assert_non_null(strstr(name, "::_M_get_insert_hint_unique_pos(std::"));
	free(name);
}

/* A mapping whose file has this name is asked about: is what is watched opened meanwhile? */
static bool is_opened(const char *watched, const char *name)
{
	const int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct inotify_event event;
	struct symbols s;
	bool opened;

	assert_true(inotify_add_watch(watch, watched, IN_OPEN) > 0);
	symbols_begin(&s, getpid(), false);
	assert_true(asprintf(&s.text, "00400000-00500000 r-xp 00000000 08:01 7 %s\n", name) > 0);
	assert_non_null(symbols_find(&s, 0x401010, false));
	symbols_end(&s);
	opened = read(watch, &event, sizeof(event)) > 0;
	close(watch);
	return opened;
}

/* A program whose debug information has a string in another file: that of this name. */
static void make_referring(const char *program, const char *name)
{
	static const char source[] =
		".file 1 \"a.c\"\n.globl _start\n_start: .loc 1 1\n.rept 64\nnop\n.endr\n.Lend:\n"
		".section .debug_abbrev,\"\",@progbits\n"
		/* A unit without children: its folder (DW_FORM_GNU_strp_alt), its code */
		".uleb128 1, 0x11\n.byte 0\n.uleb128 0x1b, 0x1f21, 0x11, 1, 0x12, 7\n"
		".uleb128 0x10, 0x17, 0, 0, 0\n"
		".section .debug_info,\"\",@progbits\n"
		".long 2f-1f\n1: .value 4\n.long .debug_abbrev\n.byte 8\n"
		".uleb128 1\n.long 0\n.quad _start, .Lend-_start\n.long .debug_line\n2:\n"
		".section .debug_aranges,\"\",@progbits\n"
		".long 4f-3f\n3: .value 2\n.long 0\n.byte 8, 0\n.zero 4\n"
		".quad _start, .Lend-_start, 0, 0\n4:\n"
		".section .debug_line,\"\",@progbits\n"
		".section .gnu_debugaltlink,\"\",@progbits\n"
		".string \"%s\"\n.fill 20, 1, 7\n";
	char command[256];
	FILE *as;

	snprintf(command, sizeof(command), "as -o %s.o && ld -o %s %s.o", program, program,
		 program);
	as = popen(command, "w");
	assert_non_null(as);
	fprintf(as, source, name);
	assert_int_equal(pclose(as), 0);
}

/* A FIFO stands for a device: opening one may do something, and one without a writer waits. */
static void only_plain_files_are_opened(void **state)
{
	char folder[] = "/tmp/uffdwp-symbols.XXXXXX", fifo[64], link[64], program[64], command[256];
	int both_ends;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/x.debug", folder);
	snprintf(link, sizeof(link), "%s/gone (deleted)", folder);
	snprintf(program, sizeof(program), "%s/x", folder);
	snprintf(command, sizeof(command), "objcopy --strip-all /proc/%d/exe %s", (int)getpid(),
		 program);
	assert_int_equal(system(command), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink(fifo, link), 0);
	/* So that who opens it does not wait. */
	both_ends = open(fifo, O_RDWR | O_CLOEXEC);
	assert_true(both_ends >= 0);
	assert_false(is_opened(fifo, link));
	assert_true(is_opened(program, program));
	assert_false(is_opened(fifo, program));
	make_referring(program, fifo);
	assert_true(is_opened(program, program));
	assert_false(is_opened(fifo, program));
	close(both_ends);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_understood),
		cmocka_unit_test(wrong_options_are_told),
		cmocka_unit_test(ranges_are_whole_pages),
		cmocka_unit_test(tables_have_the_most_first),
		cmocka_unit_test(tables_have_what_the_terminal_knows),
		cmocka_unit_test(folded_stacks_begin_outside),
		cmocka_unit_test(numbers_have_seven_bits_a_byte),
		cmocka_unit_test(pprof_has_all_samples),
		cmocka_unit_test(json_is_what_the_manual_says),
		cmocka_unit_test(names_of_cplusplus_are_as_in_its_source),
		cmocka_unit_test(names_that_grow_without_bound_stay_as_they_are),
		cmocka_unit_test(only_plain_files_are_opened),
	};

	return cmocka_run_group_tests_name("blame", tests, NULL, NULL);
}
