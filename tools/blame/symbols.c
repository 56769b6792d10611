// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of places in the code of a process, by libdwfl of elfutils. The process may have ended: its
 * list of mappings was read before, and the files are still there.
 *
 * Its files are opened by the names that it knows them by, so they are those of its own mount
 * namespace as long as it lives. They are somebody else's: what has such a name and is not a plain
 * file is not opened, since opening a device may do something, and opening a FIFO waits. Debug
 * information is only looked for by build id, in folders of this machine, and never beside them.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "demangle.h"
#include "human.h"
#include "room.h"
#include "symbols.h"

/* No process has a longer list that would be of use here: 65530 mappings of 200 bytes. */
#define MOST_TEXT (16u << 20)

/* Whose files libdwfl asks for: it hands nothing of ours to its callbacks. */
static pid_t current_pid;

/* O_PATH asks nobody: it finds the file, and that is the one that is opened then. */
static int open_plain(const char *path)
{
	int fd = -1, found = open(path, O_PATH | O_CLOEXEC);
	char again[40];
	struct stat stat;

	if (found < 0)
		return -1;
	if (!fstat(found, &stat) && S_ISREG(stat.st_mode)) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", found);
		fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	close(found);
	return fd;
}

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	char path[4200];
	int fd;

	(void)module;
	(void)userdata;
	(void)base;
	(void)elf;
	if (*name != '/')
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)current_pid, name);
	fd = open_plain(path);
	if (fd < 0) {
		snprintf(path, sizeof(path), "%s", name);
		fd = open_plain(path);
	}
	if (fd >= 0)
		*file_name = strdup(path);
	return fd;
}

static char *debuginfo_path;	/* the usual places: /usr/lib/debug by build id */

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
	.debuginfo_path = &debuginfo_path,
};

void symbols_begin(struct symbols *s, pid_t pid, bool debuginfod)
{
	*s = (struct symbols){ .pid = pid };
	current_pid = pid;
	/* libdwfl would ask these servers for what it does not find, and wait for them. */
	if (!debuginfod)
		unsetenv("DEBUGINFOD_URLS");
}

void symbols_read(struct symbols *s)
{
	char path[32], *text = malloc(MOST_TEXT + 1);
	size_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)s->pid);
	file = text ? fopen(path, "re") : NULL;
	if (file) {
		n = fread(text, 1, MOST_TEXT, file);
		fclose(file);
	}
	/* A process that is ending has an empty list. */
	if (!n) {
		free(text);
		return;
	}
	text[n] = 0;
	free(s->text);
	s->text = strdup(text);
	free(text);
}

static char *cleaned(const char *raw)
{
	char clean[1024];

	human_clean(raw, strlen(raw), clean, sizeof(clean));
	return strdup(clean);
}

static void add_mapping(struct symbols *s, const char *line)
{
	struct mapping m = { .start = 0 }, *more;
	char name[1024] = "";

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %1023[^\n]", &m.start,
		   &m.end, &m.offset, name) < 3)
		return;
	m.name = cleaned(*name ? name : "anon");
	more = m.name ? with_room(s->mapping, s->mappings, &s->room, sizeof(m)) : NULL;
	if (!more) {
		free(m.name);
		return;
	}
	s->mapping = more;
	s->mapping[s->mappings++] = m;
}

static void read_build_id(struct symbols *s, struct mapping *m)
{
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, m->start);
	const unsigned char *bits;
	GElf_Addr address;
	int i, n;

	if (!module || *m->name != '/')
		return;
	n = dwfl_module_build_id(module, &bits, &address);
	for (i = 0; i < n && i < 31; i++)
		sprintf(m->build_id + 2 * i, "%02x", bits[i]);
}

/* Once, when the first name is asked for: from then on the list stays as it is. */
static void prepare(struct symbols *s)
{
	char *line, *next;
	FILE *file;
	size_t i;

	if (s->dwfl || !s->text)
		return;
	s->dwfl = dwfl_begin(&callbacks);
	file = fmemopen(s->text, strlen(s->text), "r");
	if (s->dwfl && file) {
		dwfl_report_begin(s->dwfl);
		dwfl_linux_proc_maps_report(s->dwfl, file);
		dwfl_report_end(s->dwfl, NULL, NULL);
	}
	if (file)
		fclose(file);
	for (line = s->text; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		add_mapping(s, line);
	}
	for (i = 0; s->dwfl && i < s->mappings; i++)
		read_build_id(s, &s->mapping[i]);
}

static size_t number_of_mapping(const struct symbols *s, uint64_t address)
{
	size_t i;

	for (i = 0; i < s->mappings; i++)
		if (s->mapping[i].start <= address && address < s->mapping[i].end)
			return i;
	return SIZE_MAX;
}

const struct mapping *symbols_mapping(struct symbols *s, uint64_t address)
{
	size_t i;

	prepare(s);
	i = number_of_mapping(s, address);
	return i == SIZE_MAX ? NULL : &s->mapping[i];
}

static void add_frame(struct place *p, const char *function, const char *file, int line)
{
	struct frame *more = reallocarray(p->frame, p->n + 1, sizeof(*more));
	struct frame f = { .line = line };
	char *plain;

	if (!more)
		return;
	p->frame = more;
	plain = demangle(function);
	f.function = cleaned(plain ? plain : function);
	free(plain);
	f.file = file ? cleaned(file) : NULL;
	if (f.function)
		p->frame[p->n++] = f;
	else
		free(f.file);
}

static const char *name_of_file(Dwarf_Die *unit, Dwarf_Word number)
{
	Dwarf_Files *files;
	size_t n;

	if (dwarf_getsrcfiles(unit, &files, &n) || number >= n)
		return NULL;
	return dwarf_filesrc(files, number, NULL, NULL);
}

static Dwarf_Word number_in(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number = 0;

	dwarf_formudata(dwarf_attr(die, name, &attribute), &number);
	return number;
}

/* Deeper than any compiler goes, and a file may say what it likes. */
#define MOST_INLINED 32

/* The functions that are inlined there, from the innermost on: each says where it was called. */
static void add_inlined(struct place *p, Dwarf_Die *unit, Dwarf_Addr pc, const char **file,
			int *line)
{
	Dwarf_Die *at = NULL, *around = NULL;
	int i, n = dwarf_getscopes(unit, pc, &at);

	n = n > 0 ? dwarf_getscopes_die(&at[0], &around) : 0;
	for (i = 0; i < n && p->n < MOST_INLINED; i++) {
		const char *name = dwarf_diename(&around[i]);

		if (dwarf_tag(&around[i]) != DW_TAG_inlined_subroutine)
			continue;
		add_frame(p, name ? name : "?", *file, *line);
		*file = name_of_file(unit, number_in(&around[i], DW_AT_call_file));
		*line = (int)number_in(&around[i], DW_AT_call_line);
	}
	free(at);
	free(around);
}

/*
 * The debug information of a program may refer to another file (dwz has made it so), which libdw
 * opens by the name that stands there. In a file that was found by build id that is the business
 * of who has put it there; in the file of the process it is not looked at.
 */
static bool refers_to_file(Dwfl_Module *module)
{
	const char *name, *separate = NULL;
	const void *build_id;
	Dwarf_Addr bias;
	Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);

	dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, &separate);
	return dwarf && !separate && dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &build_id) > 0;
}

static void fill(struct symbols *s, struct place *p, uint64_t look)
{
	Dwfl_Module *module = s->dwfl ? dwfl_addrmodule(s->dwfl, look) : NULL;
	const char *name = NULL, *file = NULL;
	Dwfl_Line *source;
	Dwarf_Die *unit;
	char text[32];
	GElf_Off offset = 0;
	Dwarf_Addr bias;
	GElf_Sym symbol;
	int line = 0;

	if (module)
		name = dwfl_module_addrinfo(module, look, &offset, &symbol, NULL, NULL, NULL);
	if (module && !refers_to_file(module)) {
		source = dwfl_module_getsrc(module, look);
		if (source)
			file = dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL);
		unit = dwfl_module_addrdie(module, look, &bias);
		if (unit)
			add_inlined(p, unit, look - bias, &file, &line);
	}
	p->named = name;
	p->offset = name ? offset + (p->ip - look) : 0;
	if (!name) {
		snprintf(text, sizeof(text), "0x%" PRIx64, p->ip);
		name = text;
	}
	add_frame(p, name, file, line);
}

static struct place **slot_of(const struct symbols *s, uint64_t ip)
{
	size_t i = (ip * 0x9e3779b97f4a7c15ull) >> 32 & (s->slots - 1);

	while (s->place[i] && s->place[i]->ip != ip)
		i = (i + 1) & (s->slots - 1);
	return &s->place[i];
}

/* Twice as many slots as places, at least. */
static bool make_slots(struct symbols *s)
{
	struct symbols more = { .slots = s->slots ? 2 * s->slots : 1024 };
	size_t i;

	if (2 * s->places < s->slots)
		return true;
	more.place = calloc(more.slots, sizeof(struct place *));
	if (!more.place)
		return false;
	for (i = 0; i < s->slots; i++)
		if (s->place[i])
			*slot_of(&more, s->place[i]->ip) = s->place[i];
	free(s->place);
	s->place = more.place;
	s->slots = more.slots;
	return true;
}

static void free_place(struct place *p)
{
	size_t i;

	for (i = 0; p && i < p->n; i++) {
		free(p->frame[i].function);
		free(p->frame[i].file);
	}
	if (p)
		free(p->frame);
	free(p);
}

const struct place *symbols_find(struct symbols *s, uint64_t ip, bool is_return)
{
	struct place **slot, *p;

	prepare(s);
	if (!make_slots(s))
		return NULL;
	slot = slot_of(s, ip);
	p = *slot;
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->ip = ip;
	fill(s, p, ip - is_return);
	if (!p->n) {
		free_place(p);
		return NULL;
	}
	p->mapping = number_of_mapping(s, ip);
	*slot = p;
	s->places++;
	return p;
}

void symbols_end(struct symbols *s)
{
	size_t i;

	for (i = 0; i < s->slots; i++)
		free_place(s->place[i]);
	free(s->place);
	for (i = 0; i < s->mappings; i++)
		free(s->mapping[i].name);
	free(s->mapping);
	free(s->text);
	dwfl_end(s->dwfl);
	*s = (struct symbols){ 0 };
}
