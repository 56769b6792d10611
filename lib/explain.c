// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Errors as sentences: what happened, to what, and what to do next.
 *
 * One errno means different things at different steps: -EACCES is no permission to open the device,
 * no permission to open a pagemap, or memory that may never become writable. So that no caller has
 * to say which step failed, and none can say it wrong, the step is remembered where the error is
 * returned, for each thread and errno.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define ANY_STEP UFFDWP_STEP_NONE

static const struct {
	enum uffdwp_step step;
	int err;
	const char *text;
} sentences[] = {
	{ UFFDWP_STEP_DEVICE, ENODEV,
	  "there is no working " UFFDWP_DEVICE ": load the module (modprobe uffdwp-async) and see dmesg if that fails; without it Linux 6.7 and later can track the calling process only" },
	{ UFFDWP_STEP_DEVICE, EACCES,
	  "no permission to open " UFFDWP_DEVICE ": run as root, or join the group uffdwp" },
	{ UFFDWP_STEP_DEVICE, EPERM,
	  "opening " UFFDWP_DEVICE " is not permitted: see the security module's rules for this program" },
	{ UFFDWP_STEP_DEVICE, EPROTO,
	  "the loaded module is older than this program: unload it and load the installed one (modprobe -r uffdwp-async; modprobe uffdwp-async)" },

	{ UFFDWP_STEP_ATTACH, ENODEV,
	  "the module cannot hook the kernel's functions now: kernel.ftrace_enabled is 0, a live patch has redirected one of them, or it was loaded with hooks=0; dmesg says which" },
	{ UFFDWP_STEP_ATTACH, EACCES,
	  "no permission to trace this process: run as root or as its user" },
	{ UFFDWP_STEP_ATTACH, EPERM,
	  "no permission to trace this process: run as root or as its user; see also kernel.yama.ptrace_scope" },
	{ UFFDWP_STEP_ATTACH, ESRCH, "there is no such process" },
	{ UFFDWP_STEP_ATTACH, ENXIO, "this is a kernel thread, which has no memory of its own" },
	{ UFFDWP_STEP_ATTACH, EBADF, "the file descriptor is not a pidfd, or not a userfaultfd" },
	{ UFFDWP_STEP_ATTACH, EBUSY,
	  "this userfaultfd is used by another tracker, or the process write-protects with it itself" },
	{ UFFDWP_STEP_ATTACH, EAGAIN,
	  "the process is just registering or moving memory with this userfaultfd: try again" },
	{ UFFDWP_STEP_ATTACH, EOPNOTSUPP,
	  "this kernel, with this module, does not offer that way to arm unpopulated memory, huge pages that stay whole or a granule, or takes no userfaultfd, or rides along on none" },
	{ UFFDWP_STEP_ATTACH, EINVAL,
	  "bad option; or UFFDIO_API was not called on the userfaultfd, or with UFFD_FEATURE_EVENT_FORK" },

	{ UFFDWP_STEP_PAGEMAP, ENODEV,
	  "this kernel has no PAGEMAP_SCAN: that is Linux 6.7 and later; or load the module (modprobe uffdwp-async)" },
	{ UFFDWP_STEP_PAGEMAP, EACCES,
	  "no permission to open the pagemap of the process in /proc: it is of another user, or not dumpable (prctl PR_SET_DUMPABLE)" },
	{ UFFDWP_STEP_PAGEMAP, EPERM,
	  "no permission to open the pagemap of the process in /proc: run as root or as its user; see also kernel.yama.ptrace_scope" },
	{ UFFDWP_STEP_PAGEMAP, ENOENT,
	  "the pagemap of the process cannot be opened: is /proc mounted, and does the kernel have PROC_PAGE_MONITOR?" },
	{ UFFDWP_STEP_PAGEMAP, ESRCH, "there is no such process" },

	{ UFFDWP_STEP_USERFAULTFD, ENODEV,
	  "this kernel alone cannot do it: Linux 6.7 or later is needed, and then it tracks the calling process, or one whose userfaultfd is handed in; the module tracks others (modprobe uffdwp-async)" },
	{ UFFDWP_STEP_USERFAULTFD, EBADF,
	  "the file descriptor is not a pidfd, or not a userfaultfd" },
	{ UFFDWP_STEP_USERFAULTFD, EOPNOTSUPP,
	  "the kernel alone cannot do it with these options: the userfaultfd was made without UFFD_FEATURE_WP_ASYNC, or unpopulated memory is to be armed with zero pages or sparse, or huge pages are to stay whole, or a granule was asked for, or to ride along" },
	{ UFFDWP_STEP_USERFAULTFD, EINVAL,
	  "UFFDIO_API was not called on the userfaultfd, or with UFFD_FEATURE_EVENT_FORK, whose child would inherit protection that is not its own" },
	{ UFFDWP_STEP_USERFAULTFD, ESRCH, "there is no such process" },

	{ UFFDWP_STEP_OPTIONS, EINVAL, "bad option or process id" },

	{ UFFDWP_STEP_TRACK, EOPNOTSUPP,
	  "this memory cannot be tracked on this kernel: private anonymous memory always can, shared memory, hugetlb and files since Linux 5.19, devices never" },
	{ UFFDWP_STEP_TRACK, EACCES, "this memory may never become writable, so there is nothing to track" },
	{ UFFDWP_STEP_TRACK, EBUSY, "this memory is tracked by another tracker or userfaultfd" },
	{ UFFDWP_STEP_FOLLOW, EOPNOTSUPP,
	  "a process can be followed only by the module, without a userfaultfd that was handed in, and for memory of the kinds that it offers" },
	{ UFFDWP_STEP_FOLLOW, EBUSY, "another tracker follows this memory already" },
	{ UFFDWP_STEP_FOLLOW, EINVAL,
	  "unaligned or empty range, unknown kind or flag, UFFDWP_FOLLOW_SPARSE without UFFDWP_UNPOP_SPARSE, or UFFDWP_FOLLOW_FORK or UFFDWP_FOLLOW_EXEC before uffdwp_events_open()" },
	{ UFFDWP_STEP_UNTRACK, EOPNOTSUPP, "there is memory in between that cannot be tracked: name smaller ranges" },
	{ UFFDWP_STEP_UNTRACK, EBUSY, "this memory is tracked by another tracker or userfaultfd" },
	{ UFFDWP_STEP_ARM, ENOENT, "nothing there is tracked" },
	{ UFFDWP_STEP_SCAN, EPERM, "memory in the range is not tracked" },
	{ UFFDWP_STEP_SCAN, EOPNOTSUPP, "the kernel alone does not tell which pages are pinned: the module does" },
	{ UFFDWP_STEP_RING, EOPNOTSUPP,
	  "no ring is offered here: the kernel alone has none, and the module needs functions that it could not hook (see dmesg)" },
	{ UFFDWP_STEP_RING, EALREADY, "this tracker has a ring" },
	{ UFFDWP_STEP_RING, EINVAL,
	  "entries are to be a power of two from 64 to 1048576, and the watermark 1 to as many; or the range is not aligned to 4096" },
	{ UFFDWP_STEP_EVENTS, EOPNOTSUPP,
	  "no events are offered here: the kernel alone has none, nor has a userfaultfd that was handed in, and the module needs functions that it could not hook (see dmesg)" },
	{ UFFDWP_STEP_EVENTS, EALREADY, "this tracker has events" },
	{ UFFDWP_STEP_EVENTS, EINVAL,
	  "the capacity is to be 16 to 1048576 events, and UFFDWP_EVENTS_HARVEST_ALL does not go with UFFDWP_EVENTS_HARVEST_NONE; or an unknown flag" },
	{ UFFDWP_STEP_EVENT, EINVAL,
	  "this tracker has no events: uffdwp_events_open() comes first" },
	{ UFFDWP_STEP_EVENT, ENODATA,
	  "that was the last event: no process has this memory any more, by its end or by execve" },
	{ UFFDWP_STEP_EVENT, EMFILE,
	  "too many open files to take the tracker of another process: see ulimit -n; the event that names it was not lost" },
	{ UFFDWP_STEP_EVENT, ENOMEM,
	  "out of memory to take the tracker of another process: the event that names it was not lost" },
	{ UFFDWP_STEP_STATS, EOPNOTSUPP, "the kernel alone does not count" },

	{ ANY_STEP, EAGAIN,
	  "an event of the userfaultfd that was handed in waits to be read, and nothing can be armed before it is: read it in another thread" },
	{ ANY_STEP, EMFILE, "too many open files: see ulimit -n" },
	{ ANY_STEP, ENOENT, "nothing is mapped there" },
	{ ANY_STEP, ENODEV,
	  "the process has closed the userfaultfd that it has handed in: nothing is tracked now" },
	{ ANY_STEP, ESRCH, "the process has ended or has called execve" },
	{ ANY_STEP, ENOMEM, "out of memory: what could not be armed counts as written" },
	{ ANY_STEP, EINVAL, "address or length is not a multiple of 4096, the range is empty, or it cuts a page of hugetlb" },
	{ ANY_STEP, ENOTRECOVERABLE,
	  "the kernel's function tracer has stopped after an error of its own (see dmesg): nothing is tracked or protected any more, take all memory as written; only a restart of the machine brings it back" },
	{ ANY_STEP, EIO,
	  "page tables that this version does not know: take the whole range as written" },
	{ ANY_STEP, EOVERFLOW, "the range leaves the address space of the process" },
};

#define SENTENCES (sizeof(sentences) / sizeof(sentences[0]))

/* Of the calling thread: where each errno came from the last time. */
static __thread unsigned char step_of[256];

int uffdwp_failed(enum uffdwp_step step, int err)
{
	if (err < 0 && -err < (int)sizeof(step_of))
		step_of[-err] = step;
	return err;
}

static const char *sentence(enum uffdwp_step step, int err)
{
	size_t i;

	for (i = 0; i < SENTENCES; i++)
		if (sentences[i].step == step && sentences[i].err == -err)
			return sentences[i].text;
	return NULL;
}

const char *uffdwp_explain(int err)
{
	const char *text = NULL;

	if (err < 0 && -err < (int)sizeof(step_of))
		text = sentence(step_of[-err], err) ?: sentence(ANY_STEP, err);
	return text ?: strerrordesc_np(-err) ?: "unknown error";
}
