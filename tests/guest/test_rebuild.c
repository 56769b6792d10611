// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a process that maps, moves, writes, discards and unmaps as it likes is rebuilt from
 * scans and events alone, by the rule of the uapi header: scan and arm, then read the events, then
 * copy. Now and then the process stands still, and the copy must be equal to what it has.
 *
 *	test_rebuild [SEED [SECONDS]]
 *
 * Shared mappings come and go, too, but are not compared by address: what is written through one is
 * not written through another. Of those the file is rebuilt, by what is told when they are
 * unmapped.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define AREA ((char *)(1ul << 40))	/* where the process lives its life */
#define PAGES 2048ul
#define FILE_PAGES 64ul

static uint64_t seed;
static int seconds = 10;

/* ---- the process */

static int shared_file;
static int constant_file;	/* for private mappings: nobody writes to it */

static size_t any(uint64_t *chance, size_t n)
{
	return next_random(chance) % n;
}

static bool is_mapped(const char *p)
{
	unsigned char in;

	return !mincore((void *)p, PAGE, &in);
}

static bool can_be_written(const char *p)
{
	static int null = -1;

	if (null < 0)
		null = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	/* As a fault would: EFAULT instead of SIGSEGV. */
	return is_mapped(p) && read(null, (void *)(p + 8), 1) == 1;
}

/* One step of its life, on pages [at, at + n). */
static void live(uint64_t *chance)
{
	const size_t n = 1 + any(chance, 32), at = any(chance, PAGES - 64);
	char *const p = AREA + at * PAGE;
	size_t i, to;

	switch (any(chance, 16)) {
	case 0: case 1:
		mmap(p, n * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 2:
		if (shared_file >= 0)
			mmap(p, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			     shared_file, any(chance, FILE_PAGES - 32) * PAGE);
		break;
	case 3:
		if (shared_file >= 0)
			mmap(p, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			     constant_file, any(chance, FILE_PAGES - 32) * PAGE);
		break;
	case 4:
		munmap(p, n * PAGE);
		break;
	case 5:
		to = any(chance, PAGES - 64);
		if (to + n < at || at + n < to)
			mremap(p, PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + to * PAGE);
		break;
	case 6:
		mremap(p, PAGE, n * PAGE, 0);
		break;
	case 7:
		madvise(p, n * PAGE, any(chance, 2) ? MADV_DONTNEED : MADV_PAGEOUT);
		break;
	case 8:
		mprotect(p, n * PAGE, any(chance, 3) ? PROT_READ | PROT_WRITE : PROT_READ);
		break;
	default:
		for (i = 0; i < n; i++)
			if (can_be_written(p + i * PAGE))
				*(uint64_t *)(p + i * PAGE + 16) = next_random(chance);
	}
}

/* Stands still when it is told to, and says so. */
static void be_the_process(int orders, int answers)
{
	uint64_t chance = seed * 2 + 1;
	struct pollfd p = { .fd = orders, .events = POLLIN };
	char byte;
	int i;

	for (;;) {
		for (i = 0; i < 50; i++)
			live(&chance);
		if (poll(&p, 1, 0) != 1)
			continue;
		if (read(orders, &byte, 1) != 1 || byte == 'q')
			_exit(0);
		if (write(answers, "", 1) != 1 || read(orders, &byte, 1) != 1)
			_exit(1);
	}
}

/* ---- its copy */

static char copy[PAGES][4096];
static bool has[PAGES];			/* it was copied, or is known to be zeroes */
static char file_copy[FILE_PAGES][4096];
static uint64_t shared_inode;

struct tracer {
	pid_t pid;
	int tracker;
	bool sparse;
	uint64_t events, scanned, harvested, lost;
};

static bool page_at(uint64_t addr, size_t *page)
{
	*page = (addr - (uintptr_t)AREA) / PAGE;
	return addr >= (uintptr_t)AREA && *page < PAGES;
}

/* What is new is zeroes, if it was taken sparse; else a scan will tell of it. */
static void obey_map(struct tracer *t, const struct uffdwp_event *e)
{
	uint64_t addr;
	size_t page;

	for (addr = e->start; addr < e->end; addr += PAGE) {
		if (!page_at(addr, &page))
			continue;
		has[page] = t->sparse && e->kind == UFFDWP_KIND_ANON_PRIVATE;
		memset(copy[page], 0, PAGE);
	}
}

static void obey_unmap(const struct uffdwp_event *e)
{
	uint64_t addr;
	size_t page;

	for (addr = e->start; addr < e->end; addr += PAGE)
		if (page_at(addr, &page))
			has[page] = false;
}

/* Of the file, of which the tracer has a mapping of its own. */
static void copy_of_file(uint64_t offset, uint64_t len)
{
	for (; len; len -= PAGE, offset += PAGE)
		if (offset / PAGE < FILE_PAGES)
			assert_int_equal(pread(shared_file, file_copy[offset / PAGE], PAGE,
					       offset), PAGE);
}

static void obey(struct tracer *t, const struct uffdwp_event *e)
{
	t->events++;
	switch (e->type) {
	case UFFDWP_EVENT_MAPPED:
		obey_map(t, e);
		break;
	case UFFDWP_EVENT_UNMAPPED:
		obey_unmap(e);
		break;
	case UFFDWP_EVENT_WRITTEN:
		if (e->inode == shared_inode) {
			copy_of_file(e->offset, e->end - e->start);
			t->harvested += (e->end - e->start) / PAGE;
		}
		break;
	case UFFDWP_EVENT_LEFT:
		fail_msg("the tracker has lost [%llx, %llx)", e->start, e->end);
	case UFFDWP_EVENT_LOST:
		t->lost++;
		break;
	}
}

static void read_events(struct tracer *t)
{
	struct uffdwp_event events[64];
	ssize_t n;
	int i;

	while ((n = read(t->tracker, events, sizeof(events))) > 0)
		for (i = 0; i < n / (ssize_t)sizeof(events[0]); i++)
			obey(t, &events[i]);
	if (n && errno != EAGAIN)
		fail_msg("read: %s", strerror(errno));
}

static struct uffdwp_region found[PAGES];

static int scan(struct tracer *t)
{
	struct uffdwp_scan_arg arg = scan_arg(AREA, PAGES * PAGE, found, PAGES);
	int n;

	arg.flags = UFFDWP_SCAN_WP_MATCHING;
	arg.return_mask |= UFFDWP_PAGE_IS_SPARSE | UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_FILE;
	n = dev_scan(t->tracker, &arg);
	assert_true(n >= 0);
	assert_int_equal(arg.walk_end, (uintptr_t)AREA + PAGES * PAGE);
	return n;
}

static bool read_page(pid_t pid, uint64_t addr, char *page)
{
	struct iovec from = { (void *)(uintptr_t)addr, PAGE }, to = { page, PAGE };

	return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)PAGE;
}

static void copy_page(struct tracer *t, uint64_t addr, size_t page)
{
	has[page] = read_page(t->pid, addr, copy[page]);
	t->scanned++;
}

static void look(struct tracer *t)
{
	int i, n = scan(t);
	uint64_t addr;
	size_t page;

	read_events(t);
	for (i = 0; i < n; i++) {
		for (addr = found[i].start; addr < found[i].end; addr += PAGE) {
			assert_true(page_at(addr, &page));
			if (found[i].categories & UFFDWP_PAGE_IS_SPARSE) {
				memset(copy[page], 0, PAGE);
				has[page] = true;
			} else {
				copy_page(t, addr, page);
			}
		}
	}
}

/* It stands still: each page that it has is as in the copy. */
static size_t compare(struct tracer *t)
{
	char line[512], path[64], page_now[4096], perms[5];
	uint64_t start, end, addr;
	size_t page, equal = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", t->pid);
	maps = fopen(path, "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		assert_int_equal(sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, perms),
				 3);
		for (addr = start; addr < end; addr += PAGE) {
			/* Some are behind the end of a file. */
			if (!page_at(addr, &page) || !read_page(t->pid, addr, page_now))
				continue;
			if (perms[3] == 's')
				continue;
			if (!has[page])
				fail_msg("page %zu (%s) was never reported (seed %" PRIu64 ")",
					 page, perms, seed);
			if (memcmp(page_now, copy[page], PAGE))
				fail_msg("page %zu (%s) differs from its copy (seed %" PRIu64 ")",
					 page, perms, seed);
			equal++;
		}
	}
	fclose(maps);
	return equal;
}

static int new_file(const char *name)
{
	const int fd = memfd_create(name, MFD_CLOEXEC);
	char page[PAGE];
	size_t i;

	for (i = 0; i < FILE_PAGES; i++) {
		memset(page, 'A' + i % 26, PAGE);
		assert_int_equal(pwrite(fd, page, PAGE, i * PAGE), PAGE);
	}
	return fd;
}

/* So much that it means something, however slow the machine is. */
static bool is_enough(const struct tracer *t, int compared, size_t equal)
{
	return compared > 3 && t->events > 100 && equal > 1000;
}

static void rebuild(uint32_t unpopulated)
{
	const bool sparse = unpopulated == UFFDWP_UNPOP_SPARSE;
	struct uffdwp_events_arg events = {
		.size = sizeof(events), .capacity = 1 << 16,
		.event_size = sizeof(struct uffdwp_event),
	};
	struct uffdwp_follow_arg follow = {
		.size = sizeof(follow), .flags = sparse ? UFFDWP_FOLLOW_SPARSE : 0,
		.start = (uintptr_t)AREA, .len = PAGES * PAGE,
	};
	struct tracer t = { .tracker = dev_open(), .sparse = sparse };
	int orders[2], answers[2], pidfd, status, compared = 0;
	const time_t until = time(NULL) + seconds;
	size_t equal = 0;
	char byte;

	shared_file = new_file("shared");
	constant_file = new_file("constant");
	shared_inode = 0;
	if (!(dev_kinds() & UFFDWP_KIND_SHMEM)) {
		close(shared_file);
		shared_file = -1;
	}
	memset(has, 0, sizeof(has));
	assert_ok(pipe(orders));
	assert_ok(pipe(answers));
	t.pid = fork();
	if (!t.pid) {
		close(orders[1]);
		be_the_process(orders[0], answers[1]);
	}
	pidfd = syscall(SYS_pidfd_open, t.pid, 0);
	assert_ok(dev_attach(t.tracker, UFFDWP_ATTACH_PIDFD, pidfd, 0, unpopulated));
	close(pidfd);
	assert_ok(dev_ioctl(t.tracker, UFFDWP_IOC_EVENTS, &events));
	assert_ok(dev_ioctl(t.tracker, UFFDWP_IOC_FOLLOW, &follow));
	assert_ok(fcntl(t.tracker, F_SETFL, O_RDWR | O_NONBLOCK));
	do {
		look(&t);
		if (any(&seed, 4))
			continue;
		assert_int_equal(write(orders[1], "s", 1), 1);
		assert_int_equal(read(answers[0], &byte, 1), 1);
		look(&t);
		equal += compare(&t);
		compared++;
		assert_int_equal(write(orders[1], "g", 1), 1);
	} while (time(NULL) < until ||
		 (!is_enough(&t, compared, equal) && time(NULL) < until + 60));
	assert_int_equal(write(orders[1], "q", 1), 1);
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	assert_int_equal(status, 0);
	if (t.lost)
		fail_msg("%" PRIu64 " times there was no room for an event", t.lost);
	print_message("[   INFO   ] %" PRIu64 " events, %" PRIu64
		      " pages copied, %d comparisons of %zu pages in all\n",
		      t.events, t.scanned, compared, equal);
	assert_true(is_enough(&t, compared, equal));
	close(t.tracker);
	if (shared_file >= 0)
		close(shared_file);
	close(constant_file);
	close(orders[0]);
	close(orders[1]);
	close(answers[0]);
	close(answers[1]);
}

TEST(with_zero_pages)
{
	rebuild(UFFDWP_UNPOP_ZERO);
}

TEST(with_markers)
{
	needs_markers();
	rebuild(UFFDWP_UNPOP_MARKER);
}

TEST(sparse_from_birth)
{
	rebuild(UFFDWP_UNPOP_SPARSE);
}

/* ---- a file that is written through mappings that come and go */

static int go_on[2];

/*
 * The writer does not run away from who reads its events, on a machine that does much else: it
 * leaves a byte for each round in this pipe, which holds 4096. So no more than twice as many rounds
 * are unread, with six events each at most.
 */
static int rounds[2];

static void take_rounds(void)
{
	char bytes[4096];

	while (read(rounds[0], bytes, sizeof(bytes)) > 0)
		;
}

static void write_and_unmap(void)
{
	uint64_t chance = seed + 1;
	size_t first, n, i;
	char *p;

	while (poll(&(struct pollfd){ .fd = go_on[0], .events = POLLIN }, 1, 0) == 0) {
		n = 1 + any(&chance, 8);
		first = any(&chance, FILE_PAGES - 8);
		p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, shared_file,
			 first * PAGE);
		for (i = 0; i < n; i++)
			if (any(&chance, 2))
				*(uint64_t *)(p + i * PAGE) = next_random(&chance);
		munmap(p, n * PAGE);
		if (write(rounds[1], "", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/*
 * Nobody scans: all that is known comes from WRITTEN. What it does not name was not written, so
 * that the copy of the file, made of what it names and nothing else, is the file.
 */
TEST(short_lived_mappings_of_a_file)
{
	struct uffdwp_events_arg events = {
		.size = sizeof(events), .capacity = 1 << 16,
		.event_size = sizeof(struct uffdwp_event),
	};
	struct uffdwp_follow_arg follow = { .size = sizeof(follow), .kinds = UFFDWP_KIND_SHMEM };
	struct tracer t = { .tracker = dev_open() };
	const time_t until = time(NULL) + seconds / 2 + 1;
	char page[4096];
	struct stat stat;
	size_t i;

	if (!(dev_kinds() & UFFDWP_KIND_SHMEM)) {
		close(t.tracker);
		skip_because("this kernel cannot track shared memory");
	}
	shared_file = memfd_create("rebuild", MFD_CLOEXEC);
	assert_ok(ftruncate(shared_file, FILE_PAGES * PAGE));
	assert_ok(fstat(shared_file, &stat));
	shared_inode = stat.st_ino;
	memset(file_copy, 0, sizeof(file_copy));
	assert_ok(pipe(go_on));
	assert_ok(pipe(rounds));
	assert_int_equal(fcntl(rounds[1], F_SETPIPE_SZ, 4096), 4096);
	assert_ok(fcntl(rounds[0], F_SETFL, O_NONBLOCK));
	t.pid = fork();
	if (!t.pid)
		write_and_unmap();
	assert_ok(dev_attach_pid(t.tracker, t.pid));
	assert_ok(dev_ioctl(t.tracker, UFFDWP_IOC_EVENTS, &events));
	assert_ok(dev_ioctl(t.tracker, UFFDWP_IOC_FOLLOW, &follow));
	assert_ok(fcntl(t.tracker, F_SETFL, O_RDWR | O_NONBLOCK));
	copy_of_file(0, FILE_PAGES * PAGE);
	while (time(NULL) < until) {
		take_rounds();
		read_events(&t);
	}
	assert_int_equal(write(go_on[1], "", 1), 1);
	while (!waitpid(t.pid, NULL, WNOHANG)) {
		take_rounds();
		read_events(&t);
	}
	read_events(&t);
	assert_int_equal(t.lost, 0);
	assert_true(t.harvested > 100);
	for (i = 0; i < FILE_PAGES; i++) {
		assert_int_equal(pread(shared_file, page, PAGE, i * PAGE), PAGE);
		if (memcmp(page, file_copy[i], PAGE))
			fail_msg("page %zu of the file differs from its copy", i);
	}
	print_message("[   INFO   ] %" PRIu64 " events, %" PRIu64 " pages of the file\n", t.events,
		      t.harvested);
	close(t.tracker);
	close(shared_file);
	close(go_on[0]);
	close(go_on[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_zero_pages),
		cmocka_unit_test(with_markers),
		cmocka_unit_test(sparse_from_birth),
		cmocka_unit_test(short_lived_mappings_of_a_file),
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	if (argc > 2)
		seconds = atoi(argv[2]);
	print_message("[   INFO   ] seed %" PRIu64 "\n", seed);
	return cmocka_run_group_tests_name("rebuild", tests, NULL, NULL);
}
