/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page that is never there: it is mapped from the only file of a file system that never answers
 * for it. Who reads it waits until the server of that file system is killed, and so does a fault
 * that a reader takes in the memory of another process, which has mmap_lock meanwhile.
 */
#ifndef GUEST_FUSE_H
#define GUEST_FUSE_H

#include <sys/types.h>

struct unread {
	char folder[32];
	pid_t server;
	char *page;
};

/* The test is skipped where the kernel has no FUSE. Processes that are forked now have it, too. */
void unread_begin(struct unread *u);

/*
 * A process that reads the page of another one, by /proc/PID/mem: as soon as there is one, and
 * until it succeeds in vain. It ends with its parent.
 */
pid_t unread_start_reader(const struct unread *u, pid_t pid);

/* Kill the server, so that all who wait get an error, and take everything away. */
void unread_end(struct unread *u);

#endif /* GUEST_FUSE_H */
