/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process, or a thread of this one, that writes when it is told to, and may sleep in that for as
 * long as it likes: who has told it looks on.
 */
#ifndef GUEST_WRITER_H
#define GUEST_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct writer {
	char *memory;
	size_t places;
	size_t step;		/* bytes from one to the next */
	atomic_int told;	/* what to write */
	atomic_int done;	/* what was written everywhere */
};

/* In memory that both sides share. */
struct writer *writer_new(char *memory, size_t places, size_t step);
void writer_free(struct writer *w);
pid_t writer_fork(struct writer *w);
void writer_thread(struct writer *w);

/* The next number to every place: begun, and done. */
void writer_begin(struct writer *w);
bool writer_is_done(struct writer *w);
/* Both, with how long it took; a failed test after 30 seconds. */
void writer_write(struct writer *w, const char *what);

bool sleeps_in_handle_userfault(pid_t pid);

/* What /proc says of it: the kernel calls no hook any more, whoever placed it. */
bool ftrace_is_dead(void);

/* The tracker refuses to arm and to scan, says why, and nothing of the range was armed. */
void assert_lost(int fd, const void *start, size_t len);

#endif /* GUEST_WRITER_H */
