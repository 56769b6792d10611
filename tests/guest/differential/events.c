// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to memory, and to its tracking.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "madvise.h"
#include "differential.h"

static char *first_byte(const struct side *side, const struct step *step)
{
	return side->start + step->first * PAGE;
}

static size_t bytes(const struct step *step)
{
	return step->pages * PAGE;
}

static int error_of(int ret)
{
	return ret < 0 ? errno : 0;
}

/* ---- writes and reads */

/* A few bytes of each page, somewhere in it. */
static void fill(char *p, const struct step *step)
{
	const size_t at = step->random % (PAGE - 8);
	size_t i;

	for (i = 0; i < step->pages; i++)
		memset(p + i * PAGE + at, (int)(step->random >> 32) + (int)i, 8);
}

static int write_pages(const struct side *side, const struct step *step)
{
	fill(first_byte(side, step), step);
	return 0;
}

static int read_pages(const struct side *side, const struct step *step)
{
	const volatile char *p = first_byte(side, step);
	size_t i;

	for (i = 0; i < step->pages; i++)
		(void)p[i * PAGE];
	return 0;
}

static int kernel_writes(const struct side *side, const struct step *step)
{
	const size_t at = step->random % PAGE;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, first_byte(side, step) + at, bytes(step) - at);
	int error = n < 0 ? errno : 0;

	close(fd);
	return error;
}

/* What the child has written to private memory is not ours. */
static int fork_child_writes(const struct side *side, const struct step *step)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return errno;
	if (!child) {
		fill(first_byte(side, step), step);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : ECHILD;
}

static int fork_parent_writes(const struct side *side, const struct step *step)
{
	pid_t child = fork();

	if (child < 0)
		return errno;
	if (!child) {
		pause();
		_exit(0);
	}
	fill(first_byte(side, step), step);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

/* ---- the mapping */

static int protect(const struct side *side, const struct step *step)
{
	char *p = first_byte(side, step);

	if (mprotect(p, bytes(step), step->event->value))
		return errno;
	return error_of(mprotect(p, bytes(step), PROT_READ | PROT_WRITE));
}

static int advise(const struct side *side, const struct step *step)
{
	return error_of(madvise(first_byte(side, step), bytes(step), step->event->value));
}

static int move_page(char *from, char *to)
{
	return mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to ? 0 : errno;
}

/*
 * Away and back again; the way back is a move of what nobody tracks any more. Page by page, since
 * Linux 7.2 moves several mappings at once, and fails halfway where one is registered.
 */
static int move(const struct side *side, const struct step *step)
{
	char *p = first_byte(side, step), *end = p + bytes(step);
	int error = 0;

	for (; p != end && !error; p += PAGE)
		error = move_page(p, p + (1ul << 29)) ?: move_page(p + (1ul << 29), p);
	return error;
}

/* Something that could be swapped out is in memory. */
static bool is_in_memory(const struct side *side, const struct step *step)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(first_byte(side, step), bytes(step), &region, 1);

	arg.category_mask = UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_PFNZERO;
	arg.category_inverted = UFFDWP_PAGE_IS_PFNZERO;
	arg.return_mask = UFFDWP_PAGE_IS_PRESENT;
	return pagemap_scan(side, &arg);
}

static int page_out(const struct side *side, const struct step *step)
{
	int tries;

	for (tries = 0; tries < 200; tries++) {
		if (madvise(first_byte(side, step), bytes(step), MADV_PAGEOUT))
			return errno;
		if (!is_in_memory(side, step))
			return 0;
		usleep(5000);
		if (tries % 20 == 19)
			empty_batches();
	}
	return EBUSY;
}

static int collapse(const struct side *side, const struct step *step)
{
	int tries = 20, error;

	do {
		empty_batches();
		error = advise(side, step);
	} while (error == EAGAIN && --tries);
	return error;
}

/* ---- the file */

static int punch(const struct side *side, const struct step *step)
{
	return error_of(fallocate(side->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  step->first * PAGE, bytes(step)));
}

/* Some bytes in the middle: no page of the file goes, and what is left in it is zeroes. */
static int punch_part(const struct side *side, const struct step *step)
{
	return error_of(fallocate(side->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  step->first * PAGE + 100, PAGE / 2));
}

static int truncate_file(const struct side *side, const struct step *step)
{
	if (ftruncate(side->file, step->first * PAGE))
		return errno;
	return error_of(ftruncate(side->file, kinds[step->kind].pages * PAGE));
}

/* ---- tracking */

/* Of the whole process: the second time it changes nothing more. */
static int clear_soft_dirty(const struct side *side, const struct step *step)
{
	(void)side;
	(void)step;
	return -write_file("/proc/self/clear_refs", "4");
}

static int arm(const struct side *side, const struct step *step)
{
	return -side_arm(side, first_byte(side, step), bytes(step));
}

static int disarm(const struct side *side, const struct step *step)
{
	return -side_disarm(side, first_byte(side, step), bytes(step));
}

static int unregister(const struct side *side, const struct step *step)
{
	return -side_unregister(side, first_byte(side, step), bytes(step));
}

static int register_all(const struct side *side, const struct step *step)
{
	return -side_register(side, side->start, kinds[step->kind].pages * PAGE);
}

#define OF_SWAP (OF_SMALL & ~OF_ORDINARY)

const struct event events[EVENTS] = {
	[EVENT_WRITE] = { "write", 16, OF_ALL, 0, write_pages, 0 },
	[EVENT_READ] = { "read", 6, OF_ALL, 0, read_pages, 0 },
	[EVENT_KERNEL_WRITE] = { "read(2)", 4, OF_ALL, 0, kernel_writes, 0 },
	[EVENT_FORK_CHILD_WRITES] = { "fork, child writes", 1, OF_ALL & ~OF_HUGETLB, 0,
				      fork_child_writes, 0 },
	[EVENT_FORK_PARENT_WRITES] = { "fork, parent writes", 1, OF_ALL & ~OF_HUGETLB, 0,
				       fork_parent_writes, 0 },
	[EVENT_PROTECT_RO] = { "read-only for a while", 3, OF_ALL, 0, protect, PROT_READ },
	[EVENT_PROTECT_NONE] = { "PROT_NONE for a while", 3, OF_ALL, 0, protect, PROT_NONE },
	[EVENT_DONTNEED] = { "MADV_DONTNEED", 4, OF_ALL, 0, advise, MADV_DONTNEED },
	[EVENT_FREE] = { "MADV_FREE", 3, OF_ANON, WHOLE_HUGE, advise, MADV_FREE },
	[EVENT_PAGEOUT] = { "swapped out", 3, OF_SWAP, WHOLE_HUGE | NEEDS_SWAP | MAY_FAIL, page_out,
			    0 },
	[EVENT_COLLAPSE] = { "MADV_COLLAPSE", 3, BIT_OF(KIND_THP), WHOLE_HUGE | MAY_FAIL, collapse,
			     MADV_COLLAPSE },
	[EVENT_POPULATE_READ] = { "MADV_POPULATE_READ", 2, OF_ALL, 0, advise, MADV_POPULATE_READ },
	[EVENT_POPULATE_WRITE] = { "MADV_POPULATE_WRITE", 2, OF_ALL, 0, advise,
				   MADV_POPULATE_WRITE },
	[EVENT_PUNCH] = { "hole", 4, OF_FILE & ~OF_ORDINARY, 0, punch, 0 },
	[EVENT_PUNCH_PART] = { "hole in a page", 2,
			       BIT_OF(KIND_SHMEM) | BIT_OF(KIND_SHMEM_PRIVATE), 0, punch_part, 0 },
	[EVENT_TRUNCATE] = { "truncation", 2, OF_FILE, 0, truncate_file, 0 },
	[EVENT_REMOVE] = { "MADV_REMOVE", 2, BIT_OF(KIND_SHMEM) | BIT_OF(KIND_HUGETLB), 0, advise,
			   MADV_REMOVE },
	[EVENT_MOVE] = { "mremap(2) of a part", 1, OF_SMALL, 0, move, 0 },
	[EVENT_CLEAR_SOFT_DIRTY] = { "clear_refs", 2, OF_ALL, 0, clear_soft_dirty, 0 },
	[EVENT_GUARD] = { "MADV_GUARD_INSTALL", 1, BIT_OF(KIND_ANON), 0, advise,
			  MADV_GUARD_INSTALL },
	[EVENT_UNGUARD] = { "MADV_GUARD_REMOVE", 0, BIT_OF(KIND_ANON), 0, advise,
			    MADV_GUARD_REMOVE },
	/*
	 * Of a part of a huge page the kernel makes small pages in any case; the device does not
	 * where it is armed already, and disarms it as a whole. Scans reach parts of them.
	 */
	[EVENT_ARM] = { "arm", 4, OF_ALL, WHOLE_HUGE | NEEDS_TRACKED, arm, 0 },
	[EVENT_DISARM] = { "disarm", 3, OF_ALL, WHOLE_HUGE | NEEDS_TRACKED, disarm, 0 },
	[EVENT_UNREGISTER] = { "unregister", 1, OF_ALL, WHOLE_HUGETLB | NEEDS_TRACKED, unregister,
			       0 },
	[EVENT_REGISTER] = { "register", 2, OF_ALL, 0, register_all, 0 },
	[EVENT_SCAN] = { "scan", 30, OF_ALL, NEEDS_TRACKED, NULL, 0 },
	[EVENT_CONTENT] = { "comparison of the content", 2, OF_ALL, 0, NULL, 0 },
};

/* -1: the sides had different luck, and are not comparable any more. */
int event_run(struct pair *pair, const struct step *step)
{
	const struct side *sides = pair->sides;
	int error, other;

	error = step->event->run(&sides[NATIVE], step);
	other = step->event->run(&sides[DEVICE], step);
	if (error == other)
		return error;
	if (step->event->flags & MAY_FAIL)
		return -1;
	fail_msg("%s of %s: %s on the kernel's side, %s on the device's", step->event->name,
		 kinds[pair->kind].name, error ? strerror(error) : "success",
		 other ? strerror(other) : "success");
	return -1;
}
