// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * incremental FILE: a program that saves its own heap to a new file four times, each time only what
 * it has written since the last, and then restores it from there and compares.
 *
 *	cc incremental.c $(pkg-config --cflags --libs libuffdwp)
 *
 * The file has one increment after the other. An increment is pieces of the heap, each behind a
 * header, and ends with a header whose length is 0: what comes after the last of those is left of
 * an increment that was not finished, and does not count.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uffdwp.h>

#define PAGE 4096ul
#define PAGES 4096ul
#define SIZE (PAGES * PAGE)

struct piece {
	uint64_t offset;	/* in the heap, which may have another address next time */
	uint64_t len;
};

static char *heap;

/* All of it, or -1. */
static int append(int file, const void *from, size_t len)
{
	const char *next = from;
	ssize_t n;

	for (; len; next += n, len -= n) {
		n = write(file, next, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return -1;
	}
	return 0;
}

static int append_piece(int file, uint64_t offset, uint64_t len)
{
	struct piece piece = { offset, len };

	return append(file, &piece, sizeof(piece)) || append(file, heap + offset, len) ? -1 : 0;
}

/*
 * Pages of the increment, or -1: then the file ends where it did, and the next increment has what
 * this one should have had. Nobody may write to the heap meanwhile: a program with several threads
 * has them wait, or what it saves is not the state of one moment.
 */
static long save(struct uffdwp *tracker, int file, const char *path)
{
	/* WP_MATCHING: what is reported here is reported again when it is written again. */
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING,
		    .start = (uintptr_t)heap, .len = SIZE);
	const off_t end = lseek(file, 0, SEEK_END);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int got, bad = 0;
	long pages = 0;

	got = uffdwp_scan_start(tracker, &opts, &scan);
	if (!got) {
		while (!bad && (got = uffdwp_scan_next(scan, &region)) == 1) {
			const uint64_t len = region.end - region.start;

			bad = append_piece(file, region.start - opts.start, len);
			pages += len / PAGE;
		}
	}
	/* Only what is on the disk is saved; and the end only behind what it is the end of. */
	if (!got)
		bad = fdatasync(file) || append_piece(file, 0, 0) || fdatasync(file) ? -1 : 0;
	if (got < 0)
		fprintf(stderr, "incremental: %s\n", uffdwp_explain(got));
	else if (bad)
		fprintf(stderr, "incremental: %s: %s\n", path, strerror(errno));
	uffdwp_scan_end(scan);
	if (!got && !bad)
		return pages;
	/* Plain and safe: all counts as written. precopy.c takes back single regions. */
	if (ftruncate(file, end) || uffdwp_disarm(tracker, opts.start, opts.len)) {
		fprintf(stderr, "incremental: nothing more can be added to %s\n", path);
		_exit(1);
	}
	return -1;
}

/* The heap as it was when the last increment was finished, into memory of zeroes. */
static int restore(int file, char *to)
{
	off_t at, end = 0;
	struct piece p;

	for (at = 0; pread(file, &p, sizeof(p), at) == sizeof(p); at += sizeof(p) + p.len) {
		if (p.offset > SIZE || p.len > SIZE - p.offset)
			break;			/* that is no piece */
		if (!p.len)
			end = at + sizeof(p);
	}
	for (at = 0; at < end; at += sizeof(p) + p.len)
		if (pread(file, &p, sizeof(p), at) != sizeof(p) ||
		    pread(file, to + p.offset, p.len, at + sizeof(p)) != (ssize_t)p.len)
			return -1;
	return 0;
}

/* Every page the first time, then every 16th, every 256th, and one. */
static void work(int round)
{
	unsigned long page;

	for (page = 0; page < PAGES; page += 1ul << 4 * (round - 1))
		heap[page * PAGE + round] = round;
}

static char *new_memory(void)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char **argv)
{
	struct uffdwp *tracker = NULL;
	int file, round, err;
	long pages = 0;
	char *copy;

	if (argc != 2) {
		fprintf(stderr, "usage: incremental FILE\n");
		return 2;
	}
	heap = new_memory();
	copy = new_memory();
	if (!heap || !copy) {
		perror("incremental: mmap");
		return 1;
	}
	/*
	 * Tracked while it is all zeroes, as what restore() begins with. A heap with something in
	 * it has to be saved whole first: by uffdwp_disarm(), as above.
	 */
	err = uffdwp_open(0, NULL, &tracker);
	if (!err)
		err = uffdwp_track(tracker, (uintptr_t)heap, SIZE, NULL);
	if (err) {
		fprintf(stderr, "incremental: %s\n", uffdwp_explain(err));
		return 1;
	}
	file = open(argv[1], O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0) {
		fprintf(stderr, "incremental: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (round = 1; round <= 4; round++) {
		work(round);
		pages = save(tracker, file, argv[1]);
		if (pages >= 0)
			printf("increment %d: %ld pages\n", round, pages);
	}
	uffdwp_close(tracker);
	if (pages < 0)
		return 1;
	err = restore(file, copy) || memcmp(heap, copy, SIZE);
	printf("%s\n", err ? "what was restored differs" : "what was restored is equal");
	return err;
}
