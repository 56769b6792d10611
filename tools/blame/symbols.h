/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_SYMBOLS_H
#define TOOLS_BLAME_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A function of a place in the code: more than one if functions are inlined there. */
struct frame {
	char *function;		/* by human_clean(); an address where there is no name */
	char *file;		/* of the source, or NULL */
	int line;
};

/* A place in the code of a process. */
struct place {
	uint64_t ip;
	uint64_t offset;	/* in the outermost function */
	size_t mapping;		/* its number; SIZE_MAX: none */
	bool named;		/* the function has a name */
	uint64_t id;		/* for who numbers them: pprof.c */
	struct frame *frame;	/* the innermost first; there is at least one */
	size_t n;
};

/* A mapping of the process. */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	char *name;		/* by human_clean(), "anon" where it has none */
	char build_id[64];	/* hexadecimal, or empty */
};

struct symbols {
	pid_t pid;
	char *text;		/* /proc/PID/maps, when it was read last */
	struct mapping *mapping;
	size_t mappings;
	size_t room;
	struct place **place;	/* those that were asked for, a table of hashes */
	size_t slots;
	size_t places;
	struct Dwfl *dwfl;
};

/**
 * symbols_begin - the names of a process
 * @s: out: names
 * @pid: process
 * @debuginfod: what is not on this machine may be asked for at the servers of DEBUGINFOD_URLS
 */
void symbols_begin(struct symbols *s, pid_t pid, bool debuginfod);

/* Read its mappings again. When it has ended those of the last time will do. */
void symbols_read(struct symbols *s);

/**
 * symbols_find - what is at an address?
 * @s: names
 * @ip: address
 * @is_return: it is where a call returns to: the place is the call before it
 *
 * Return: the place, until symbols_end(); or NULL: no memory.
 */
const struct place *symbols_find(struct symbols *s, uint64_t ip, bool is_return);

/* The mapping of an address, or NULL. */
const struct mapping *symbols_mapping(struct symbols *s, uint64_t address);

void symbols_end(struct symbols *s);

#endif /* TOOLS_BLAME_SYMBOLS_H */
