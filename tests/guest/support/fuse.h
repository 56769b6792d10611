/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file system that never answers: it has one file, and whoever reads a page of that waits until
 * the server is killed.
 */
#ifndef GUEST_FUSE_H
#define GUEST_FUSE_H

#include <sys/types.h>

/* Mount it there, and start its server: its process, or -errno; -ENOENT, -ENODEV: no FUSE here. */
pid_t fuse_start(const char *folder);

/* Kill the server, so that all who wait get an error, and unmount. */
void fuse_end(pid_t server, const char *folder);

#endif /* GUEST_FUSE_H */
