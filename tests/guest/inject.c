// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "environment.h"
#include "inject.h"
#include "support.h"

#define DEBUGFS "/sys/kernel/debug/"

/*
 * Every failure takes one from "times" of its kind, which tells what kind it was. "probability" is
 * 0: nothing fails by chance.
 */
static const char *const times[INJECT_KINDS] = {
	[INJECT_SLAB] = DEBUGFS "failslab/times",
	[INJECT_PAGE] = DEBUGFS "fail_page_alloc/times",
	[INJECT_COPY] = DEBUGFS "fail_usercopy/times",
};

#define MANY_TIMES 1000000000l

static long left[INJECT_KINDS];
static int own_file;

/*
 * Where the kernel cannot update the C library's rseq area, it kills the process: a page that was
 * not there, and must be copied after a fork, would do.
 */
static int leave_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	return __rseq_size && syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) ?
	       -errno : 0;
}

const char *inject_set_up(void)
{
	char many[32];
	int kind;

	own_file = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (own_file < 0)
		return "this kernel has no fault injection";
	if (leave_rseq())
		return "rseq cannot be left";
	snprintf(many, sizeof(many), "%ld", MANY_TIMES);
	for (kind = 0; kind < INJECT_KINDS; kind++) {
		if (write_file(times[kind], many))
			return "this kernel lets only some kinds of calls fail";
		left[kind] = MANY_TIMES;
	}
	if (write_file(DEBUGFS "failslab/ignore-gfp-wait", "N") ||
	    write_file(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N") ||
	    write_file(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N") ||
	    write_file(DEBUGFS "fail_page_alloc/min-order", "0"))
		return "this kernel lets only some allocations fail";
	return NULL;
}

/* What has failed since the last time. */
static struct injections count(void)
{
	struct injections all = { .reached = false };
	int kind;

	for (kind = 0; kind < INJECT_KINDS; kind++) {
		long now = read_number(times[kind]);

		all.of[kind] = left[kind] - now;
		left[kind] = now;
	}
	return all;
}

void inject_into_self(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	assert_int_equal(pwrite(own_file, text, len, 0), len);
}

/*
 * Reading the number is a copy to user memory itself: it fails with 1 left, and then there was no
 * n-th call before.
 */
struct injections inject_into_self_end(void)
{
	struct injections all;
	char text[16] = "";
	ssize_t n = pread(own_file, text, sizeof(text) - 1, 0);
	bool reached = n > 0 && !strtoul(text, NULL, 10);

	/* So is writing it; either way nothing is left to fail. */
	if (!reached && pwrite(own_file, "0", 1, 0) != 1)
		assert_int_equal(errno, EFAULT);
	all = count();
	all.reached = reached;
	return all;
}

/* ---- workers */

#define MAX_WORKERS 64

static struct worker {
	int pid;
	unsigned int n;
} workers[MAX_WORKERS];
static int worker_count;

static bool is_unbound_worker(const char *pid)
{
	char path[PATH_MAX], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = 0;
	fclose(file);
	return !strncmp(name, "kworker/u", strlen("kworker/u"));
}

static void find_workers(void)
{
	DIR *all = opendir("/proc");
	struct dirent *entry;

	assert_non_null(all);
	worker_count = 0;
	while ((entry = readdir(all)) && worker_count < MAX_WORKERS)
		if (is_unbound_worker(entry->d_name))
			workers[worker_count++].pid = atoi(entry->d_name);
	closedir(all);
}

static void worker_path(const struct worker *worker, char path[64])
{
	snprintf(path, 64, "/proc/%d/fail-nth", worker->pid);
}

void inject_into_workers(unsigned int n)
{
	char path[64], text[16];
	int i;

	find_workers();
	snprintf(text, sizeof(text), "%u", n);
	for (i = 0; i < worker_count; i++) {
		worker_path(&workers[i], path);
		/* One that has gone since will not do it. */
		workers[i].n = write_file(path, text) ? 0 : n;
	}
}

struct injections inject_into_workers_end(void)
{
	struct injections all;
	bool reached = false, seen = false;
	char path[64];
	int i;

	for (i = 0; i < worker_count; i++) {
		long now;

		worker_path(&workers[i], path);
		now = read_number(path);
		if (!workers[i].n || now < 0)
			continue;
		write_file(path, "0");
		seen |= now < workers[i].n;
		reached |= !now;
	}
	all = count();
	all.reached = reached;
	all.seen = seen;
	return all;
}
