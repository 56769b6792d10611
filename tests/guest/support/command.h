/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands that are run, and the processes that they are to look at.
 */
#ifndef GUEST_COMMAND_H
#define GUEST_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define UFFDWP "/bin/uffdwp"

/* What the last command has printed, or what was read last, with a 0 behind it. */
extern char output[1 << 20];

/* Standard output of a command, standard error joined to it; its exit status, as of a shell. */
int run(const char *command);

/* Is that in the output? */
bool printed(const char *text);

/* A file becomes the output; one that is not there is empty. */
char *read_text(const char *path);

/* A process that writes to its own copy of memory, so many pages, every 10 ms. */
pid_t writer(char *memory, size_t pages);
void end(pid_t pid);

/* Where processes map what they are seen to write, so that no other mapping is in the line. */
extern char *const place;
char *map_at_place(size_t pages);

/* ---- cgroups: "/a", and "/a/b" in it */

#define CGROUPS "/tmp/cgroups"

void groups_start(void);

/* A process becomes one of "/a", for example; "" is none of them. */
void move(pid_t pid, const char *group);

/* With this there are no processes in them for whoever reads them. */
void groups_remove(void);
void groups_end(void);

#endif /* GUEST_COMMAND_H */
