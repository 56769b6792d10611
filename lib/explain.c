// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Errors as sentences: what happened, and what to do next.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define ANY_STEP (-1)

static const struct {
	int step;
	int err;
	const char *text;
} sentences[] = {
	{ UFFDWP_STEP_OPEN, ENODEV,
	  "there is no working " UFFDWP_DEVICE ": load the module (modprobe uffdwp-async) and see dmesg if that fails; without it Linux 6.7 and later can track the calling process only" },
	{ UFFDWP_STEP_OPEN, EACCES,
	  "no permission to open " UFFDWP_DEVICE ": run as root, or join the group uffdwp" },
	{ UFFDWP_STEP_OPEN, EPERM,
	  "no permission to trace this process: run as root or as its user; see also kernel.yama.ptrace_scope" },
	{ UFFDWP_STEP_OPEN, ESRCH, "there is no such process" },
	{ UFFDWP_STEP_OPEN, ENXIO, "this is a kernel thread, which has no memory of its own" },
	{ UFFDWP_STEP_OPEN, EPROTO,
	  "the loaded module is older than this program: unload it and load the installed one (modprobe -r uffdwp-async; modprobe uffdwp-async)" },
	{ UFFDWP_STEP_OPEN, EBADF, "the file descriptor is not a pidfd, or not a userfaultfd" },
	{ UFFDWP_STEP_OPEN, EBUSY, "this userfaultfd is used by another tracker" },
	{ UFFDWP_STEP_OPEN, EOPNOTSUPP,
	  "this cannot be had here: that way to arm unpopulated memory or, without the module, a userfaultfd that was made without UFFD_FEATURE_WP_ASYNC" },
	{ UFFDWP_STEP_OPEN, EINVAL, "bad option or process id" },
	{ UFFDWP_STEP_OPEN, EMFILE, "too many open files: see ulimit -n" },
	{ UFFDWP_STEP_TRACK, EOPNOTSUPP,
	  "this memory cannot be tracked on this kernel: private anonymous memory always can, shared memory and hugetlb since Linux 5.19, files since 6.7, devices never" },
	{ UFFDWP_STEP_TRACK, EACCES, "this memory may never become writable, so there is nothing to track" },
	{ UFFDWP_STEP_TRACK, EBUSY, "this memory is tracked by another tracker or userfaultfd" },
	{ UFFDWP_STEP_UNTRACK, EOPNOTSUPP, "there is memory in between that cannot be tracked: name smaller ranges" },
	{ UFFDWP_STEP_UNTRACK, EBUSY, "this memory is tracked by another tracker or userfaultfd" },
	{ UFFDWP_STEP_ARM, ENOENT, "nothing there is tracked" },
	{ UFFDWP_STEP_SCAN, EPERM, "memory in the range is not tracked" },
	{ ANY_STEP, ENOENT, "nothing is mapped there" },
	{ ANY_STEP, ESRCH, "the process has ended or has called execve" },
	{ ANY_STEP, ENOMEM, "out of memory: what could not be armed counts as written" },
	{ ANY_STEP, EINVAL, "address or length is not a multiple of 4096, the range is empty, or it cuts a page of hugetlb" },
	{ ANY_STEP, EIO,
	  "page tables that this version does not know: take the whole range as written" },
	{ ANY_STEP, EOVERFLOW, "the range leaves the address space of the process" },
};

const char *uffdwp_explain(enum uffdwp_step step, int err)
{
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if ((sentences[i].step == (int)step || sentences[i].step == ANY_STEP) &&
		    sentences[i].err == -err)
			return sentences[i].text;
	return strerrordesc_np(-err) ?: "unknown error";
}
