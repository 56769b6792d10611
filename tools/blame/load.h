/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_BLAME_LOAD_H
#define TOOLS_BLAME_LOAD_H

#include <linux/types.h>
#include <stdint.h>

#include "counts.h"

struct bpf_object;
struct bpf_link;

#define LOAD_LINKS 4

/* The BPF programs of a verb, in the kernel. */
struct loaded {
	struct bpf_object *object;
	struct bpf_link *link[LOAD_LINKS];
};

/* The BPF objects that are part of this program: NAME.bpf.c */
enum load_which {
	LOAD_BLAME,
	LOAD_TRAP,
	LOAD_LATENCY,
};

/**
 * load_programs - load and attach the programs of a verb
 * @which: verb
 * @setup: what they are to do; with a tgid of 0 they do nothing yet
 * @l: out: programs
 *
 * Return: 0; or 1, and standard error was told why and what to do.
 */
int load_programs(enum load_which which, const struct blame_setup *setup, struct loaded *l);

/* They do something else from now on. 0 or a negative errno. */
int load_set_up(const struct loaded *l, const struct blame_setup *setup);

/* The file descriptor of a map, or a negative errno. */
int load_map(const struct loaded *l, const char *name);

uint64_t load_sum(const struct loaded *l, enum blame_sum which);

/* When this returns they count nothing any more; what they have counted can still be read. */
void load_detach(struct loaded *l);

void load_end(struct loaded *l);

#endif /* TOOLS_BLAME_LOAD_H */
