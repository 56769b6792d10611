/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_RECORDING_H
#define TOOLS_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "written_set.h"

/* What was written when: the file that "uffdwp record" makes and "uffdwp report" reads. */

/* What is the same for all of it. Texts have been through human_clean(). */
struct recording_header {
	unsigned int version;		/* of the format */
	int64_t began;			/* nanoseconds since 1970, UTC */
	double interval;		/* seconds, as asked for */
	uint64_t most_cells;		/* of a mapping */
	bool children;
	char tool[32];			/* "uffdwp 0.1.0" */
	char host[65];
	char kernel[65];
	char what[256];			/* command line of the process, or as was asked for */
};

/* A process in an interval. After execve(2) it may be there twice: lines of old and new memory. */
struct recording_process {
	pid_t pid;
	char name[64];			/* of its program */
	bool ended;			/* in this interval */
	int status;			/* then, as from wait(2) */
	uint64_t gone;			/* pages written in memory that is not mapped any more */
	uint64_t presumed;		/* of the pages written, see watch */
};

/*
 * A mapping in an interval, in which something was written, which has changed, or whose written set
 * is not 0: of what is left out, all of these are 0.
 */
struct recording_line {
	size_t process;			/* index */
	uint64_t start;
	uint64_t end;
	const char *name;		/* valid until the next interval is read */
	uint64_t tracked;		/* pages */
	uint64_t written;		/* pages, in this interval */
	uint64_t added;			/* pages that were not tracked before */
	uint64_t set[WRITTEN_SET_WINDOWS];	/* pages */
};

/*
 * A part of a mapping, and how many of its pages were written in an interval. A mapping of not more
 * than most_cells pages has cells of one page; others have larger ones, of a power of two.
 */
struct recording_cell {
	size_t line;			/* index */
	uint64_t start;			/* a multiple of the cell's size */
	uint64_t pages;			/* the cell's size */
	uint64_t written;		/* 1 to pages */
};

struct recording_interval {
	double time;			/* of its end, seconds since recording began */
	double length;			/* seconds */
	bool lost;			/* events were lost */
	uint64_t not_followed;		/* processes */
	uint64_t skipped_bytes;		/* writable memory that is not tracked */
	struct recording_process *process;
	size_t processes;
	struct recording_line *line;	/* in ascending order in each process */
	size_t lines;
	struct recording_cell *cell;	/* in ascending order in each line */
	size_t cells;
};

/* ---- writing */

struct recording_writer;

/**
 * recording_create - begin a file
 * @path: name; an existing file is replaced when the first frame is whole
 * @header: what is the same for all of it
 * @writer: out
 *
 * The file has mode 0600: addresses and names of a process's memory are nobody else's business.
 * What is there must be an ordinary file: -EISDIR, -ELOOP for a symbolic link, or -EOPNOTSUPP.
 *
 * Return: 0, or a negative errno of open(2) or write(2).
 */
int recording_create(const char *path, const struct recording_header *header,
		     struct recording_writer **writer);

/**
 * recording_write - one more interval, as a frame that is in the file when this returns
 * @writer: writer
 * @interval: interval; line names are copied
 *
 * After an error the file ends with the last whole frame, and all later calls fail.
 *
 * Return: 0 or a negative errno: -ENOSPC, -EFBIG (if SIGXFSZ does not end the caller), -E2BIG for
 * more processes, lines or cells than the format allows, -EINVAL for lines that are not in order or
 * have more written than they have, -ENOMEM ...
 */
int recording_write(struct recording_writer *writer, const struct recording_interval *interval);

/* Bytes in the file by now. */
uint64_t recording_size(const struct recording_writer *writer);

/* A file without an interval is removed. Return: 0 or a negative errno of the last writes. */
int recording_finish(struct recording_writer *writer);

/* ---- reading */

struct recording_reader;

/**
 * recording_open - read a file
 * @path: name
 * @reader: out
 * @why: out: what is wrong with it, for people
 * @size: of @why
 *
 * Return: 0; a negative errno of open(2) or read(2); or -EPROTO when it is no recording, or of a
 * version that is not known.
 */
int recording_open(const char *path, struct recording_reader **reader, char *why, size_t size);

const struct recording_header *recording_header(const struct recording_reader *reader);

/**
 * recording_next - the next interval
 * @reader: reader
 * @interval: out: belongs to @reader, until the next call
 *
 * A file is a hostile thing: whatever is in it, nothing but an error comes of it, and it is not
 * believed about sizes.
 *
 * Return: 1 with an interval; 0 at the end; -EPIPE when the file ends in the middle of a frame, as
 * after a crash; -EPROTO when a frame is damaged; or another negative errno.
 */
int recording_next(struct recording_reader *reader, struct recording_interval *interval);

/* From the first interval again. Return: 0 or a negative errno. */
int recording_rewind(struct recording_reader *reader);

void recording_close(struct recording_reader *reader);

#endif /* TOOLS_RECORDING_H */
