/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What older kernels cannot serve: the one table of it, for all tests and for uffdwp-pages(7).
 *
 * What is in it is tested to be refused, and what is not in it must work: a module that refuses
 * more or less than the table fails the test that asks.
 *
 * System calls that a kernel does not have are not in it: the kernel itself is asked for those.
 */
#ifndef GUEST_UNSERVED_H
#define GUEST_UNSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* This kernel, by its release. */
bool kernel_is_before(unsigned int major, unsigned int minor);

/*
 * NULL, or why no userfaultfd leaves bits in memory that it protects no more: UFFDIO_REGISTER of
 * this kernel takes no protection away.
 */
const char *no_bits_left_behind(void);

struct unserved {
	uint64_t kinds;		/* UFFDWP_KIND_*, none of them or all */
	uint64_t features;	/* UFFDWP_FEATURE_*, the same */
	unsigned int since[2];	/* the first kernel that can */
	const char *what;
	const char *answer;	/* of an older one */
	const char *why;
};

/* Row by row; NULL after the last. */
const struct unserved *unserved_row(size_t number);

/*
 * The row that says that this kernel cannot serve all of these, or NULL; a failed test when HELLO
 * says something else.
 */
const struct unserved *unserved_here(uint64_t kinds, uint64_t features);

/*
 * NULL, or why this kernel cannot track the memory that begins there, of that kind, or leave
 * markers in it; then it has refused to, with the error that it should.
 */
const char *refused_memory(uint64_t kind, const void *start, size_t len);
const char *refused_markers(void);

/* The rest of the test is for kernels that can. Unmaps the memory if this one cannot. */
#define needs_kind(kind, start, len)						\
	do {									\
		const char *needs_why = refused_memory(kind, start, len);	\
										\
		if (needs_why) {						\
			munmap(start, len);					\
			skip_because("refused, as it should be: %s", needs_why); \
		}								\
	} while (0)

#define needs_markers()								\
	do {									\
		const char *needs_why = refused_markers();			\
										\
		if (needs_why)							\
			skip_because("refused, as it should be: %s", needs_why); \
	} while (0)

#endif /* GUEST_UNSERVED_H */
