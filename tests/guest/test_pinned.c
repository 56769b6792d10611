// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that somebody holds on to can be written without a fault, so they stay written until they
 * are let go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/udmabuf.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

/* ---- kinds of memory: some pages, each written, and what is written or not as one */

struct kind {
	const char *name;
	size_t pages;
	size_t granule;		/* pages */
	char *(*make)(size_t len);
};

static char *make_small(size_t len)
{
	return map_filled(len / PAGE);
}

static char *make_huge(size_t len)
{
	char *p;

	needs_thp();
	p = map_huge(len / HUGE_PAGE);
	if (!p)
		fail_msg("no huge page could be had");
	return p;
}

/* A huge page that is mapped in small entries. */
static char *make_split(size_t len)
{
	char *p = make_huge(len);

	assert_ok(mprotect(p, PAGE, PROT_READ));
	assert_ok(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	assert_false(is_huge(p));
	return p;
}

static char *map_memfd(size_t len, unsigned int memfd_flags, int map_flags)
{
	int memfd;
	char *p;

	memfd = memfd_create("pinned", memfd_flags);
	assert_ok(ftruncate(memfd, len));
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, map_flags, memfd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	close(memfd);
	needs_kind(memfd_flags & MFD_HUGETLB ? UFFDWP_KIND_HUGETLB : UFFDWP_KIND_SHMEM, p, len);
	touch(p, len / PAGE, 1);
	return p;
}

static char *make_shared(size_t len)
{
	return map_memfd(len, 0, MAP_SHARED);
}

static char *make_private(size_t len)
{
	return map_memfd(len, 0, MAP_PRIVATE);
}

static char *make_hugetlb(size_t len)
{
	const char *why = hugetlb_reserve(len / HUGE_PAGE);

	if (why)
		fail_msg("no pages of hugetlb: %s", why);
	return map_memfd(len, MFD_HUGETLB, MAP_SHARED);
}

static struct kind kinds[] = {
	{ "small pages", 16, 1, make_small },
	{ "a huge page", 1024, 512, make_huge },
	{ "a huge page in small entries", 512, 1, make_split },
	{ "shared memory", 16, 1, make_shared },
	{ "private mapping of shared memory", 16, 1, make_private },
	{ "hugetlb", 1024, 512, make_hugetlb },
};

#define ONE_KIND(f, name, n) { #f ": " name, f, NULL, NULL, &kinds[n] }
#define EACH_KIND(f)								\
	ONE_KIND(f, "small", 0), ONE_KIND(f, "huge", 1), ONE_KIND(f, "split", 2),	\
	ONE_KIND(f, "shared", 3), ONE_KIND(f, "private", 4), ONE_KIND(f, "hugetlb", 5)

/* The page that is held is one in the first huge page. */
#define HELD 5ul

/* The small pages of a huge one share its references: held is all of it. */
static size_t held_pages(const struct kind *kind)
{
	return kind->make == make_split ? 512 : kind->granule;
}

/* A write splits a huge page, and makes one small page of it written. */
static size_t written_pages(const struct kind *kind)
{
	return kind->make == make_huge ? 1 : kind->granule;
}

static void unmake(const struct kind *kind, char *p)
{
	munmap(p, kind->pages * PAGE);
	if (kind->make == make_hugetlb)
		hugetlb_release();
}

/* ---- io_uring: a buffer that is registered is pinned, and read into without a fault */

struct ring {
	int fd;
	char *head;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static struct ring ring_of(char *start, size_t len)
{
	struct ring ring = { 0 };
	struct iovec buffer = { start, len };

	ring.fd = syscall(SYS_io_uring_setup, 4, &ring.params);
	assert_true(ring.fd >= 0);
	assert_true(ring.params.features & IORING_FEAT_SINGLE_MMAP);
	assert_ok(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &buffer, 1));
	ring.head = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			 IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	assert_ptr_not_equal(ring.head, MAP_FAILED);
	assert_ptr_not_equal(ring.sqes, MAP_FAILED);
	return ring;
}

/* Read from a file into the registered buffer. */
static void read_fixed(struct ring *ring, int file, char *to, size_t len)
{
	unsigned int *array = (unsigned int *)(ring->head + ring->params.sq_off.array);
	atomic_uint *tail = (atomic_uint *)(ring->head + ring->params.sq_off.tail);
	atomic_uint *done = (atomic_uint *)(ring->head + ring->params.cq_off.head);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring->head + ring->params.cq_off.cqes);

	ring->sqes[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_READ_FIXED, .fd = file, .addr = (uintptr_t)to, .len = len,
	};
	array[*tail & (ring->params.sq_entries - 1)] = 0;
	atomic_fetch_add(tail, 1);
	assert_int_equal(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL,
				 0), 1);
	assert_int_equal(cqes[*done & (ring->params.cq_entries - 1)].res, len);
	atomic_fetch_add(done, 1);
}

static void let_go(struct ring *ring)
{
	assert_ok(syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
	munmap(ring->head, PAGE);
	munmap(ring->sqes, PAGE);
	close(ring->fd);
}

static int file_with(const char *text)
{
	int fd = memfd_create("text", 0);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static bool is_pinned(int fd, const char *page)
{
	return categories(fd, page) & UFFDWP_PAGE_IS_PINNED;
}

/* The promise, with the mirror in small: what was written behind the MMU is in the next report. */
static void reads_into_pinned_buffers_are_reported(void **state)
{
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE;
	char *p = kind->make(len), *held = p + HELD * PAGE;
	struct ring ring = ring_of(held, PAGE);
	int fd = tracker_of(p, len), file = file_with("one"), round;
	long before;

	assert_true(is_pinned(fd, held));
	for (round = 0; round < 3; round++) {
		assert_int_equal(written(fd, p, len, true), held_pages(kind));
		before = faults();
		read_fixed(&ring, file, held + round, 3);
		assert_int_equal(faults(), before);
		assert_memory_equal(held + round, "one", 3);
		assert_true(categories(fd, held) & UFFDWP_PAGE_IS_WRITTEN);
	}
	assert_true(dev_stats(fd).pages_pinned > 0);
	let_go(&ring);
	/* It was written since the last report, and is reported for the last time. */
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	assert_int_equal(written(fd, p, len, true), 0);
	assert_false(is_pinned(fd, held));
	held[0] = 7;
	assert_int_equal(written(fd, p, len, true), written_pages(kind));
	close(file);
	close(fd);
	unmake(kind, p);
}

/* Pinned after it was armed: the pin takes the fault. */
static void pinning_is_writing(void **state)
{
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE;
	char *p = kind->make(len), *held = p + HELD * PAGE;
	int fd = tracker_of(p, len);
	struct ring ring;

	assert_int_equal(written(fd, p, len, true), 0);
	ring = ring_of(held, PAGE);
	assert_int_equal(written(fd, p, len, true), written_pages(kind));
	assert_int_equal(written(fd, p, len, true), written_pages(kind));
	let_go(&ring);
	assert_int_equal(written(fd, p, len, true), written_pages(kind));
	assert_int_equal(written(fd, p, len, true), 0);
	close(fd);
	unmake(kind, p);
}

/* The file keeps the page, and whoever has pinned it goes on writing to it. */
static void held_pages_need_not_be_mapped(void **state)
{
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE;
	char *p = kind->make(len), *held = p + HELD * PAGE;
	struct ring ring = ring_of(held, PAGE);
	int fd, file = file_with("one");

	assert_ok(madvise(p, len, MADV_DONTNEED));
	fd = tracker_of(p, len);
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	read_fixed(&ring, file, held, 3);
	assert_true(categories(fd, held) & UFFDWP_PAGE_IS_WRITTEN);
	assert_memory_equal(held, "one", 3);
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	let_go(&ring);
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	assert_int_equal(written(fd, p, len, true), 0);
	close(file);
	close(fd);
	unmake(kind, p);
}

#define CONTINUE_MODE_WP	(1ull << 1)
#define REGISTER_MODE_MINOR	(1ull << 2)

struct continue_arg {
	struct uffdio_range range;
	uint64_t mode;
	int64_t mapped;
};

#define CONTINUE		_IOWR(UFFDIO, 0x07, struct continue_arg)

static int registered_uffd(char *p, size_t len, uint64_t mode)
{
	struct uffdio_register reg = { .mode = mode, .range = { (uintptr_t)p, len } };
	int uffd = new_uffd(0);

	if (ioctl(uffd, UFFDIO_REGISTER, &reg)) {
		close(uffd);
		return -1;
	}
	return uffd;
}

/* By a userfaultfd, before that was handed in: the kernel does not ask who holds the page. */
static void held_pages_may_be_armed_before(void **state)
{
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE;
	char *p = kind->make(len), *held = p + HELD * PAGE;
	struct uffdio_writeprotect protect = {
		.range = { (uintptr_t)p, len }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	struct ring ring = ring_of(held, PAGE);
	int fd = dev_open(), file = file_with("one"), uffd;

	uffd = registered_uffd(p, len, UFFDIO_REGISTER_MODE_WP);
	assert_true(uffd >= 0);
	assert_ok(ioctl(uffd, UFFDIO_WRITEPROTECT, &protect));
	assert_ok(dev_attach_uffd(fd, uffd));
	assert_ok(dev_register(fd, p, len));
	assert_int_equal(written(fd, p, len, true), kind->pages);
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	read_fixed(&ring, file, held, 3);
	assert_memory_equal(held, "one", 3);
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	let_go(&ring);
	close(file);
	close(fd);
	close(uffd);
	unmake(kind, p);
}

/* By UFFDIO_CONTINUE, which maps what is in the file already. */
static void held_pages_may_be_mapped_armed(void **state)
{
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE;
	char *p = kind->make(len), *held = p + HELD * PAGE;
	struct continue_arg map = {
		.range = { (uintptr_t)p, len }, .mode = CONTINUE_MODE_WP,
	};
	struct ring ring = ring_of(held, PAGE);
	int fd = dev_open(), file = file_with("one"), uffd;
	bool can;

	/* Before 5.13, 5.14 there are no minor faults. */
	uffd = registered_uffd(p, len, UFFDIO_REGISTER_MODE_WP | REGISTER_MODE_MINOR);
	can = uffd >= 0;
	if (can) {
		assert_ok(dev_attach_uffd(fd, uffd));
		assert_ok(dev_register(fd, p, len));
		assert_ok(madvise(p, len, MADV_DONTNEED));
		can = !ioctl(uffd, CONTINUE, &map);
		assert_true(can || errno == EINVAL);
	}
	if (can) {
		assert_int_equal(written(fd, p, len, false), held_pages(kind));
		read_fixed(&ring, file, held, 3);
		assert_memory_equal(held, "one", 3);
		assert_int_equal(written(fd, p, len, true), held_pages(kind));
	}
	let_go(&ring);
	close(file);
	close(fd);
	close(uffd);
	unmake(kind, p);
	if (!can)
		skip_because("this kernel has no UFFDIO_CONTINUE_MODE_WP");
}

/*
 * A pin is a pin of this page: if a write of the process were to get it another one, what is read
 * into the pinned page would be lost to it.
 */
static void pinned_pages_stay_where_they_are(void **state)
{
	static const uint64_t flags[] = { 0, UFFDWP_ATTACH_IGNORE_PINS };
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE, i;
	int fd, file = file_with("one");
	struct ring ring;
	char *p, *held;

	/* Armed by ARM, and by a scan. */
	for (i = 0; i < 2 * sizeof(flags) / sizeof(flags[0]); i++) {
		p = kind->make(len);
		held = p + HELD * PAGE;
		ring = ring_of(held, PAGE);
		fd = dev_open();
		assert_ok(dev_attach(fd, flags[i / 2], 0, 0, 0));
		assert_ok(dev_register(fd, p, len));
		if (i % 2)
			assert_ok(dev_arm(fd, p, len));
		else
			written(fd, p, len, true);
		held[100] = 5;
		read_fixed(&ring, file, held, 3);
		assert_memory_equal(held, "one", 3);
		assert_int_equal(held[100], 5);
		let_go(&ring);
		close(fd);
		unmake(kind, p);
	}
	close(file);
}

/* A caller that asks for it gets what the page tables say, and the category. */
static void pins_can_be_ignored(void **state)
{
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE;
	char *p = kind->make(len), *held = p + HELD * PAGE;
	struct ring ring = ring_of(held, PAGE);
	int fd = dev_open(), file = file_with("one");

	if (kernel_is_before(5, 19))
		skip_because("pins always count where the kernel copies pinned pages");
	assert_ok(dev_attach_ignoring_pins(fd));
	assert_ok(dev_register(fd, p, len));
	assert_ok(dev_arm(fd, p, len));
	assert_int_equal(written(fd, p, len, true), 0);
	assert_true(is_pinned(fd, held));
	read_fixed(&ring, file, held, 3);
	assert_int_equal(written(fd, p, len, true), 0);
	assert_true(is_pinned(fd, held));
	held[0] = 7;
	assert_true(categories(fd, held) & UFFDWP_PAGE_IS_WRITTEN);
	assert_int_equal(written(fd, p, len, true), written_pages(kind));
	let_go(&ring);
	assert_false(is_pinned(fd, held));
	close(file);
	close(fd);
	unmake(kind, p);
}

/* Held by a plain reference, which is how ptrace(2) and a direct read from a disk hold it. */
static void any_reference_counts(void **state)
{
	const struct kind *kind = *state;
	size_t len = kind->pages * PAGE;
	char *p = kind->make(len), page[PAGE];
	struct iovec one = { p + HELD * PAGE, PAGE };
	int pipe_ends[2], fd;

	assert_ok(pipe(pipe_ends));
	assert_int_equal(vmsplice(pipe_ends[1], &one, 1, 0), PAGE);
	fd = tracker_of(p, len);
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	assert_true(categories(fd, p + HELD * PAGE) & UFFDWP_PAGE_IS_WRITTEN);
	assert_true(is_pinned(fd, p + HELD * PAGE));
	assert_int_equal(read(pipe_ends[0], page, PAGE), PAGE);
	assert_int_equal(written(fd, p, len, true), held_pages(kind));
	assert_int_equal(written(fd, p, len, true), 0);
	assert_false(is_pinned(fd, p + HELD * PAGE));
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close(fd);
	unmake(kind, p);
}

/*
 * Another process writes a counter into a page, over and over, with process_vm_writev(): it pins
 * the page, and copies after it has let go of the page tables. A scan in between must not be the
 * last word.
 */
#define WRITES 20000ul

TEST(process_vm_writev_is_never_missed)
{
	uint64_t *page = (uint64_t *)map_filled(1), copy = 0;
	int fd = tracker_of(page, PAGE), status;
	pid_t parent = getpid(), child = fork();
	uint64_t value, scans = 0, reported = 0;
	struct iovec to = { page, 8 }, from = { &value, 8 };

	if (!child) {
		for (value = 1; value <= WRITES; value++)
			if (process_vm_writev(parent, &from, 1, &to, 1, 0) != 8)
				_exit(1);
		_exit(0);
	}
	while (!waitpid(child, &status, WNOHANG)) {
		scans++;
		if (written(fd, page, PAGE, true)) {
			reported++;
			copy = *(volatile uint64_t *)page;
		}
	}
	assert_int_equal(status, 0);
	if (written(fd, page, PAGE, true))
		copy = *(volatile uint64_t *)page;
	print_message("[   INFO   ] %lu writes, %lu scans, %lu reports\n", WRITES,
		      (unsigned long)scans, (unsigned long)reported);
	assert_int_equal(*page, WRITES);
	assert_int_equal(copy, WRITES);
	close(fd);
	munmap(page, PAGE);
}

/* ---- a hold, and another process whose mappings of the same huge page come and go */

#define SHMEM_HUGE "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* A file of one huge page, and a mapping of it. */
static char *map_huge_file(int *file)
{
	char *all = mmap(NULL, 2 * HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

	needs_thp();
	assert_ptr_not_equal(all, MAP_FAILED);
	*file = memfd_create("pinned", 0);
	assert_ok(ftruncate(*file, HUGE_PAGE));
	assert_ok(write_file(SHMEM_HUGE, "advise"));
	p = mmap(next_huge_page(all), HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 *file, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	thp_advice(p, HUGE_PAGE, MADV_HUGEPAGE);
	touch(p, 512, 1);
	assert_ok(write_file(SHMEM_HUGE, "never"));
	needs_kind(UFFDWP_KIND_SHMEM, p, HUGE_PAGE);
	return p;
}

/* As many mappings as before, whenever one looks, but a sum that takes a while may see one more. */
static void move_one_mapping(char *p)
{
	*(volatile char *)(p + 400 * PAGE);
	madvise(p + 10 * PAGE, PAGE, MADV_DONTNEED);
	*(volatile char *)(p + 10 * PAGE);
	madvise(p + 400 * PAGE, PAGE, MADV_DONTNEED);
}

/* One fault maps 16 pages, if none of them is mapped. */
static void map_around(char *p)
{
	*(volatile char *)(p + 32 * PAGE);
	madvise(p + 32 * PAGE, 16 * PAGE, MADV_DONTNEED);
}

static void map_around_and_move(char *p)
{
	map_around(p);
	move_one_mapping(p);
}

struct churn {
	void (*step)(char *p);
	int holds;
};

/*
 * With as many holds as there can be mappings too many, references and mappings would be equal if
 * they were counted when those are in excess.
 */
static struct churn churns[] = {
	{ move_one_mapping, 1 },
	{ map_around, 1 },
	{ map_around, 15 },
	{ map_around_and_move, 1 },
};

/* At an address where only small entries can map it. */
static pid_t start_churn(const struct churn *churn, int file)
{
	pid_t pid = fork();
	char *all, *p;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	all = mmap(NULL, 3 * HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = mmap(next_huge_page(all) + 64 * PAGE, HUGE_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
		 file, 0);
	if (p == MAP_FAILED)
		_exit(1);
	for (;;)
		churn->step(p);
}

#define CHURN_SCANS 4000
#define CHURN_SECONDS 8

static void churn_hides_no_hold(void **state)
{
	const struct churn *churn = *state;
	const time_t end = time(NULL) + CHURN_SECONDS;
	int file, pipe_ends[2], fd, i;
	char *p = map_huge_file(&file), *held = p + 200 * PAGE, page[PAGE];
	struct iovec one = { held, PAGE };
	pid_t child;

	fd = tracker_of(p, HUGE_PAGE);
	/* Each page is mapped for itself, and written. */
	touch(p, 512, 2);
	assert_ok(pipe(pipe_ends));
	for (i = 0; i < churn->holds; i++)
		assert_int_equal(vmsplice(pipe_ends[1], &one, 1, 0), PAGE);
	child = start_churn(churn, file);
	assert_true(child > 0);
	for (i = 0; i < CHURN_SCANS && time(NULL) < end; i++) {
		assert_int_equal(written(fd, held, PAGE, true), 1);
		if (!(categories(fd, held) & UFFDWP_PAGE_IS_WRITTEN))
			fail_msg("scan %d has armed a page that is held", i);
	}
	print_message("[   INFO   ] %d scans\n", i);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (i = 0; i < churn->holds; i++)
		assert_int_equal(read(pipe_ends[0], page, PAGE), PAGE);
	/* And it is held for no longer than it needs to. */
	wait_for(!written(fd, held, PAGE, true));
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close(file);
	close(fd);
	munmap(p, HUGE_PAGE);
}

#define CHURN(name, n) { "churn_hides_no_hold: " name, churn_hides_no_hold, NULL, NULL, &churns[n] }

/* ---- pages that are new wait in an LRU batch of the processor that has taken the fault */

static bool run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

TEST(new_pages_of_another_processor_can_be_armed)
{
	cpu_set_t all;
	char *p;
	int fd;

	assert_ok(sched_getaffinity(0, sizeof(all), &all));
	if (!run_on(1))
		skip_because("one processor only (tests/vm/run --smp 2)");
	/* Fewer than fit into a batch, so that the last of them are in one. */
	p = map_filled(8);
	assert_true(run_on(0));
	fd = tracker_of(p, 8 * PAGE);
	assert_int_equal(written(fd, p, 8 * PAGE, false), 0);
	close(fd);
	munmap(p, 8 * PAGE);

	/* The same for a scan, which tells of each page once. */
	assert_true(run_on(1));
	p = map_anon(8);
	fd = tracker_of(p, 8 * PAGE);
	touch(p, 8, 1);
	assert_true(run_on(0));
	assert_int_equal(written(fd, p, 8 * PAGE, true), 8);
	assert_int_equal(written(fd, p, 8 * PAGE, true), 0);
	assert_int_equal(dev_stats(fd).pages_pinned, 0);
	close(fd);
	munmap(p, 8 * PAGE);
	assert_ok(sched_setaffinity(0, sizeof(all), &all));
}

/* ---- udmabuf: a device's buffer in a page of hugetlb, which memfd_pin_folios() may have made */

/* Nothing in it yet. */
static char *make_hugetlb_of(int *memfd)
{
	char *p;

	if (hugetlb_reserve(1))
		fail_msg("no page of hugetlb");
	*memfd = memfd_create("buffer", MFD_HUGETLB | MFD_ALLOW_SEALING);
	assert_ok(ftruncate(*memfd, HUGE_PAGE));
	assert_ok(fcntl(*memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	p = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, *memfd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static int udmabuf_of(int device, int memfd, size_t len)
{
	struct udmabuf_create create = { .memfd = memfd, .size = len };

	return ioctl(device, UDMABUF_CREATE, &create);
}

static void buffers_of_devices_are_held(bool page_first)
{
	int device = open("/dev/udmabuf", O_RDWR), memfd, buffer, fd;
	char *p, *written_to;

	if (device < 0)
		skip_because("this kernel has no udmabuf");
	p = make_hugetlb_of(&memfd);
	if (page_first)
		p[0] = 1;
	buffer = udmabuf_of(device, memfd, HUGE_PAGE);
	assert_true(buffer >= 0);
	p[0] = 2;
	fd = tracker_of(p, HUGE_PAGE);
	assert_int_equal(written(fd, p, HUGE_PAGE, true), 512);
	assert_true(is_pinned(fd, p));
	written_to = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
	if (written_to != MAP_FAILED) {
		written_to[5] = 77;
		assert_int_equal(p[5], 77);
		munmap(written_to, HUGE_PAGE);
	}
	assert_int_equal(written(fd, p, HUGE_PAGE, true), 512);
	/* Let go, it is a page like others. A driver may do so a little later. */
	close(buffer);
	wait_for(!written(fd, p, HUGE_PAGE, true));
	assert_false(is_pinned(fd, p));
	close(fd);
	munmap(p, HUGE_PAGE);
	close(memfd);
	close(device);
	hugetlb_release();
}

TEST(a_page_that_becomes_a_buffer_is_held)
{
	buffers_of_devices_are_held(true);
}

TEST(a_page_that_a_buffer_has_made_is_held)
{
	buffers_of_devices_are_held(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_KIND(reads_into_pinned_buffers_are_reported),
		EACH_KIND(pinning_is_writing),
		ONE_KIND(held_pages_need_not_be_mapped, "shared", 3),
		ONE_KIND(held_pages_need_not_be_mapped, "hugetlb", 5),
		EACH_KIND(held_pages_may_be_armed_before),
		ONE_KIND(held_pages_may_be_mapped_armed, "shared", 3),
		ONE_KIND(held_pages_may_be_mapped_armed, "hugetlb", 5),
		EACH_KIND(pins_can_be_ignored),
		EACH_KIND(pinned_pages_stay_where_they_are),
		EACH_KIND(any_reference_counts),
		cmocka_unit_test(process_vm_writev_is_never_missed),
		CHURN("one mapping moves", 0),
		CHURN("16 mappings at once", 1),
		CHURN("16 mappings at once, 15 holds", 2),
		CHURN("both", 3),
		cmocka_unit_test(new_pages_of_another_processor_can_be_armed),
		cmocka_unit_test(a_page_that_becomes_a_buffer_is_held),
		cmocka_unit_test(a_page_that_a_buffer_has_made_is_held),
	};

	return cmocka_run_group_tests_name("pinned", tests, NULL, NULL);
}
