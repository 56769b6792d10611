// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * precopy PID FILE: copies the private anonymous memory of a process (heap and stacks) to a new
 * file while the process runs, round after round what it has written meanwhile, and stops it only
 * for the last of that. What the file has in the end is the memory of the moment of the stop.
 *
 *	cc precopy.c $(pkg-config --cflags --libs libuffdwp)
 *
 * The file has pieces, each behind a header: a later one replaces what earlier ones have said of
 * the same addresses. The last has no length: a file without it is not finished.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <uffdwp.h>

#define PAGE 4096
#define ROUNDS 10
#define FEW 64			/* pages that can be copied in a short stop */
#define CHUNK (1ul << 20)
#define THERE (UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_SWAPPED)
#define WAIT_MS 10000		/* for a process to stop */

struct piece {
	uint64_t start;
	uint64_t len;
	uint64_t zeroes;	/* 1: it is zeroes, which are not in the file; else 0 */
};

struct round {
	long copied;		/* pages */
	long left;		/* pages that could not be copied */
};

static struct uffdwp *tracker;
static FILE *file;
static int pid, pidfd;

static void complain(int err)
{
	fprintf(stderr, "precopy: %s\n", ferror(file) ? strerror(-err) : uffdwp_explain(err));
}

/* 0, or why it cannot be written. */
static int put(uint64_t start, uint64_t len, const void *content)
{
	const struct piece piece = { start, len, !content };

	if (fwrite(&piece, sizeof(piece), 1, file) != 1)
		return -errno;
	return content && fwrite(content, len, 1, file) != 1 ? -errno : 0;
}

/*
 * A scan has reported this and armed it. In this order: what is written after it was armed is
 * reported again. What the process does not have any more, or cannot read itself, is made written
 * again, and so left to the next scan.
 */
static int copy_region(const struct uffdwp_region *region, struct round *round)
{
	static char buffer[CHUNK];
	struct iovec to = { .iov_base = buffer }, from;
	uint64_t at, len;
	ssize_t n;
	int err = 0;

	if (region->categories & UFFDWP_PAGE_IS_GUARD)
		return 0;			/* nobody can read it */
	/* Zeroes, if nothing is there; so is what is SPARSE, until it is reported without that. */
	if (!(region->categories & THERE) || (region->categories & UFFDWP_PAGE_IS_SPARSE))
		return put(region->start, region->end - region->start, NULL);
	for (at = region->start; at < region->end && !err; at += len) {
		to.iov_len = region->end - at < CHUNK ? region->end - at : CHUNK;
		from = (struct iovec){ (void *)(uintptr_t)at, to.iov_len };
		n = process_vm_readv(pid, &to, 1, &from, 1, 0);
		len = n < PAGE ? PAGE : n / PAGE * PAGE;
		if (n < PAGE) {
			err = uffdwp_disarm(tracker, at, PAGE);
			round->left++;
		} else {
			err = put(at, len, buffer);
			round->copied += len / PAGE;
		}
	}
	return err;
}

/* What was written since the round before, and in the first one everything. */
static int copy_written(struct round *round)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING,
		    .category_mask = UFFDWP_PAGE_IS_WRITTEN | UFFDWP_PAGE_IS_WPALLOWED,
		    .return_mask = THERE | UFFDWP_PAGE_IS_GUARD);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	int got, err;

	*round = (struct round){ 0 };
	err = uffdwp_scan_start(tracker, &opts, &scan);
	while (!err && (got = uffdwp_scan_next(scan, &region)))
		err = got < 0 ? got : copy_region(&region, round);
	if (err)
		complain(err);
	uffdwp_scan_end(scan);
	return err;
}

/* Does a thread of the process still run? */
static int runs(void)
{
	char path[300], line[200], *state;
	struct dirent *entry;
	int running = 0;
	FILE *stat;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !running && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, entry->d_name);
		stat = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!stat)
			continue;
		/* The name that is before the state may have any character in it. */
		state = fgets(line, sizeof(line), stat) ? strrchr(line, ')') : NULL;
		running = state && state[1] && !strchr("TtZX", state[2]);
		fclose(stat);
	}
	if (dir)
		closedir(dir);
	return running;
}

static int stop(void)
{
	int ms;

	if (pidfd_send_signal(pidfd, SIGSTOP, NULL, 0))
		return -errno;
	for (ms = 0; runs(); ms++) {
		if (ms == WAIT_MS)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

/*
 * The last round, while the process does not run. Signals that would end us wait until it runs
 * again. (Nothing is to be done about SIGKILL: who has to be sure of that, too, stops it by
 * ptrace(2), which lets go of it when the tracer ends.)
 */
static int copy_rest(void)
{
	const int was_stopped = !runs();
	struct timespec from, to;
	sigset_t signals, before;
	struct round round;
	int err, bad;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGPIPE);
	sigprocmask(SIG_BLOCK, &signals, &before);
	clock_gettime(CLOCK_MONOTONIC, &from);
	err = stop();
	if (err)
		fprintf(stderr, "precopy: %d does not stop: %s\n", pid, strerror(-err));
	bad = err || copy_written(&round);
	clock_gettime(CLOCK_MONOTONIC, &to);
	/* That there is still one to be told says whose memory it was that we have read. */
	if (pidfd_send_signal(pidfd, was_stopped ? 0 : SIGCONT, NULL, 0)) {
		fprintf(stderr, "precopy: %d has ended meanwhile\n", pid);
		bad = 1;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (bad)
		return -1;
	if (round.left) {
		fprintf(stderr, "precopy: %ld pages cannot be read\n", round.left);
		return -1;
	}
	printf("stopped for %.1f ms: %ld pages\n", (to.tv_sec - from.tv_sec) * 1e3 +
	       (to.tv_nsec - from.tv_nsec) / 1e6, round.copied);
	return 0;
}

static int copy(void)
{
	struct round round;
	int i = 0, err;

	do {
		if (copy_written(&round))
			return -1;
		printf("round %d: %ld pages\n", ++i, round.copied);
	} while (round.copied > FEW && i < ROUNDS);
	if (copy_rest())
		return -1;
	err = put(0, 0, NULL);
	if (!err && (fflush(file) || fsync(fileno(file))))
		err = -errno;
	if (err)
		complain(err);
	return err;
}

static int begin(void)
{
	/* SPARSE: what is reserved and not used gets no page tables, were it terabytes. */
	UFFDWP_OPTS(uffdwp_open_opts, opts, .flags = UFFDWP_OPEN_PIDFD, .pidfd = pidfd,
		    .unpopulated = UFFDWP_UNPOP_SPARSE);
	/* Now and what will be mapped. Nobody else writes to what is private. */
	UFFDWP_OPTS(uffdwp_follow_opts, follow, .kinds = UFFDWP_KIND_ANON_PRIVATE);
	int err = uffdwp_open(0, &opts, &tracker);

	return err ? err : uffdwp_follow(tracker, &follow);
}

int main(int argc, char **argv)
{
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: precopy PID FILE\n");
		return 2;
	}
	pid = atoi(argv[1]);
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		fprintf(stderr, "precopy: process %d: %s\n", pid, strerror(errno));
		return 1;
	}
	err = begin();
	if (err) {
		fprintf(stderr, "precopy: %s\n", uffdwp_explain(err));
		return 1;
	}
	file = fopen(argv[2], "wxe");	/* x: one that is there already is left alone */
	if (!file) {
		fprintf(stderr, "precopy: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	err = copy();
	uffdwp_close(tracker);
	if (err)
		unlink(argv[2]);
	return err ? 1 : 0;
}
