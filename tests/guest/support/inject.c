// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
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
