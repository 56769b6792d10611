// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may happen to memory while a command looks at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "races.h"

static uint64_t *word(const struct round *r, size_t page)
{
	return (uint64_t *)race_page(r, page);
}

/* Not what any other page or earlier write has. */
static uint64_t new_value(const struct round *r, size_t page)
{
	return r->now[page] + (page + 1) * 0x100000001ull;
}

static void wrote(struct round *r, size_t page, uint64_t value)
{
	r->now[page] = value;
	r->changed[page] = true;
}

void race_write(struct round *r, size_t page)
{
	uint64_t value = new_value(r, page);

	*(volatile uint64_t *)word(r, page) = value;
	wrote(r, page, value);
}

static void error_unless(struct round *r, bool good, int error)
{
	if (!good && !r->error)
		r->error = error ?: EIO;
}

static void write_some(struct round *r)
{
	size_t i;

	for (i = 0; i < EVENT_WRITES; i++)
		race_write(r, 3 * i);
}

static void discarded(struct round *r)
{
	size_t i;

	for (i = PART_FIRST; i < PART_FIRST + PART_PAGES; i++)
		wrote(r, i, 0);
}

/* ---- write: by stores, by read(2), by process_vm_writev(2) */

enum { BY_STORE, BY_READ, BY_VM_WRITEV, WRITERS };

struct kernel_write {
	uint64_t values[EVENT_WRITES];
	struct iovec from[EVENT_WRITES], to[EVENT_WRITES];
};

static struct kernel_write kernel_write;

static void prepare_write(struct round *r)
{
	struct kernel_write *w = &kernel_write;
	size_t i;

	for (i = 0; i < EVENT_WRITES; i++) {
		w->values[i] = new_value(r, 3 * i);
		w->from[i] = (struct iovec){ &w->values[i], sizeof(w->values[i]) };
		w->to[i] = (struct iovec){ word(r, 3 * i), sizeof(w->values[i]) };
	}
	if (r->variant == BY_READ)
		error_unless(r, write(r->pipe[1], w->values, sizeof(w->values)) > 0, errno);
}

static void write_by_kernel(struct round *r)
{
	const struct kernel_write *w = &kernel_write;
	ssize_t n;
	size_t i;

	if (r->variant == BY_READ)
		n = readv(r->pipe[0], w->to, EVENT_WRITES);
	else
		n = process_vm_writev(getpid(), w->from, EVENT_WRITES, w->to, EVENT_WRITES, 0);
	error_unless(r, n == sizeof(w->values), errno);
	for (i = 0; i < EVENT_WRITES; i++)
		wrote(r, 3 * i, w->values[i]);
}

static void run_write(void *arg)
{
	struct round *r = arg;

	if (r->variant == BY_STORE)
		write_some(r);
	else
		write_by_kernel(r);
}

/* ---- write by force, by ptrace(2) or /proc/PID/mem, to memory that its owner may not write to */

static int memory_file = -1;

static void prepare_force(struct round *r)
{
	if (memory_file < 0)
		memory_file = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	error_unless(r, memory_file >= 0, errno);
	error_unless(r, !mprotect(r->memory, RACE_LEN, PROT_READ), errno);
}

static void run_force(void *arg)
{
	struct round *r = arg;
	size_t i;

	for (i = 0; i < EVENT_WRITES; i++) {
		uint64_t value = new_value(r, 3 * i);
		ssize_t n = pwrite(memory_file, &value, sizeof(value), (uintptr_t)word(r, 3 * i));

		error_unless(r, n == sizeof(value), errno);
		wrote(r, 3 * i, value);
	}
}

static void check_force(struct round *r)
{
	if (mprotect(r->memory, RACE_LEN, PROT_READ | PROT_WRITE))
		race_failed(r, "mprotect: %s", strerror(errno));
}

/* ---- fault: the first touch, by reads and writes and one after the other */

static void run_fault(void *arg)
{
	struct round *r = arg;
	size_t i;

	for (i = 0; i < RACE_PAGES; i++) {
		if (i % 3 != 1)
			error_unless(r, *(volatile uint64_t *)word(r, i) == r->now[i], EILSEQ);
		if (i % 3 == 0)
			race_write(r, i);
	}
}

/* ---- MADV_DONTNEED, and writes after it */

static void run_dontneed(void *arg)
{
	struct round *r = arg;
	char *part = race_page(r, PART_FIRST);

	error_unless(r, !madvise(part, PART_LEN, MADV_DONTNEED), errno);
	discarded(r);
	/* Few: steps are small then, where madvise() has emptied a table and not flushed yet. */
	race_write(r, PART_FIRST);
	race_write(r, PART_FIRST + PART_PAGES - 1);
}

/* ---- writes, and MADV_DONTNEED of some of what was written */

static void run_write_dontneed(void *arg)
{
	write_some(arg);
	run_dontneed(arg);
}

/* ---- mprotect of a part, which divides mapping and huge pages, and writes after it */

static void run_mprotect(void *arg)
{
	struct round *r = arg;
	char *part = race_page(r, PART_FIRST);

	error_unless(r, !mprotect(part, PART_LEN, PROT_READ), errno);
	error_unless(r, !mprotect(part, PART_LEN, PROT_READ | PROT_WRITE), errno);
	write_some(r);
}

/* ---- fork, and writes of both after it */

static int child_of_fork(const struct round *r)
{
	size_t i;

	for (i = 0; i < RACE_PAGES; i++)
		if (*word(r, i) != r->now[i])
			return 1;
	for (i = 0; i < RACE_PAGES; i++)
		*(volatile uint64_t *)word(r, i) = i;
	for (i = 0; i < RACE_PAGES; i++)
		if (*word(r, i) != i)
			return 2;
	return 0;
}

static void run_fork(void *arg)
{
	struct round *r = arg;

	/* Without the handlers of fork(), which the other thread could hold up. */
	r->child = _Fork();
	if (!r->child)
		_exit(child_of_fork(r));
	error_unless(r, r->child > 0, errno);
	write_some(r);
}

static void check_fork(struct round *r)
{
	int status;

	if (waitpid(r->child, &status, 0) != r->child)
		race_failed(r, "no child to wait for");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		race_failed(r, "the forked child ended with %#x", status);
}

/* ---- munmap, and something else at the same place */

static void run_munmap(void *arg)
{
	struct round *r = arg;
	char *part = race_page(r, PART_FIRST);

	error_unless(r, !munmap(part, PART_LEN), errno);
	r->race->kind->map(part, PART_LEN);
	discarded(r);
	write_some(r);
}

/* ---- mremap to elsewhere, and something else at the same place */

#define FAR_AWAY (1ul << 30)

static void run_mremap(void *arg)
{
	struct round *r = arg;
	char *part = race_page(r, PART_FIRST), *moved = part + FAR_AWAY;
	size_t i;

	error_unless(r, mremap(part, PART_LEN, PART_LEN, MREMAP_MAYMOVE | MREMAP_FIXED, moved) ==
		     moved, errno);
	for (i = 0; i < PART_PAGES && !r->error; i++) {
		volatile uint64_t *first = (uint64_t *)(moved + i * PAGE);

		error_unless(r, *first == r->now[PART_FIRST + i], EILSEQ);
		*first = i;
		error_unless(r, *first == i, EILSEQ);
	}
	munmap(moved, PART_LEN);
	r->race->kind->map(part, PART_LEN);
	discarded(r);
	write_some(r);
}

/* ---- UFFDIO_UNREGISTER by the owner of the userfaultfd, and writes that must not hang */

static void run_unregister(void *arg)
{
	struct round *r = arg;
	struct uffdio_range range = {
		.start = (uintptr_t)race_page(r, PART_FIRST), .len = PART_LEN,
	};

	error_unless(r, !ioctl(r->uffd, UFFDIO_UNREGISTER, &range), errno);
	write_some(r);
}

/* ---- exit */

static void run_exit(void *arg)
{
	(void)arg;
	_exit(0);
}

const struct event race_events[] = {
	{ .name = "write", .variants = WRITERS, .prepare = prepare_write, .run = run_write },
	{ .name = "force", .prepare = prepare_force, .run = run_force, .check = check_force },
	{ .name = "fault", .empty = true, .run = run_fault },
	{ .name = "fault-marker", .empty = true, .markers = true, .run = run_fault },
	{ .name = "dontneed", .run = run_dontneed },
	{ .name = "write-dontneed", .run = run_write_dontneed },
	{ .name = "mprotect", .run = run_mprotect },
	{ .name = "fork", .run = run_fork, .check = check_fork },
	{ .name = "munmap", .part_is_lost = true, .part_is_unmapped = true, .run = run_munmap },
	{ .name = "mremap", .part_is_lost = true, .run = run_mremap },
	{ .name = "unregister", .part_is_lost = true, .uffd = true, .run = run_unregister },
	{ .name = "exit", .process = true, .run = run_exit },
};

const size_t race_events_number = sizeof(race_events) / sizeof(race_events[0]);
