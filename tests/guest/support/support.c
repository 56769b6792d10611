// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

const char *tells_why;

void fail_waiting(const char *condition)
{
	char end[4096];
	ssize_t n;
	int fd;

	fd = tells_why ? open(tells_why, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		if (lseek(fd, -(off_t)sizeof(end), SEEK_END) < 0)
			lseek(fd, 0, SEEK_SET);
		n = read(fd, end, sizeof(end));
		print_error("%s ends with:\n%.*s\n", tells_why, n > 0 ? (int)n : 0, end);
		close(fd);
	}
	fail_msg("a minute has not brought: %s", condition);
}

int dev_open(void)
{
	int fd = open(UFFDWP_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int dev_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int dev_hello(int fd, struct uffdwp_hello_arg *arg)
{
	*arg = (struct uffdwp_hello_arg){ .size = sizeof(*arg) };
	return dev_ioctl(fd, UFFDWP_IOC_HELLO, arg);
}

int dev_attach(int fd, uint64_t flags, int pidfd, int uffd, uint32_t unpopulated)
{
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg),
		.flags = flags,
		.pidfd = pidfd,
		.uffd = uffd,
		.unpopulated = unpopulated,
	};

	return dev_ioctl(fd, UFFDWP_IOC_ATTACH, &arg);
}

int dev_attach_self(int fd)
{
	return dev_attach(fd, 0, 0, 0, 0);
}

int dev_attach_pid(int fd, pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int ret;

	if (pidfd < 0)
		return -errno;
	ret = dev_attach(fd, UFFDWP_ATTACH_PIDFD, pidfd, 0, 0);
	close(pidfd);
	return ret;
}

int dev_attach_uffd(int fd, int uffd)
{
	return dev_attach(fd, UFFDWP_ATTACH_UFFD, 0, uffd, 0);
}

int dev_attach_ignoring_pins(int fd)
{
	return dev_attach(fd, UFFDWP_ATTACH_IGNORE_PINS, 0, 0, 0);
}

int dev_attach_granule(int fd, uint64_t flags, uint32_t granule)
{
	struct uffdwp_attach_arg arg = {
		.size = sizeof(arg), .flags = flags, .granule = granule,
	};

	return dev_ioctl(fd, UFFDWP_IOC_ATTACH, &arg);
}

int dev_attach_markers(int fd)
{
	return dev_attach(fd, 0, 0, 0, UFFDWP_UNPOP_MARKER);
}

int dev_register(int fd, const void *start, size_t len)
{
	struct uffdwp_register_arg arg = {
		.size = sizeof(arg),
		.start = (uintptr_t)start,
		.len = len,
	};

	return dev_ioctl(fd, UFFDWP_IOC_REGISTER, &arg);
}

int dev_unregister(int fd, const void *start, size_t len)
{
	struct uffdwp_unregister_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};

	return dev_ioctl(fd, UFFDWP_IOC_UNREGISTER, &arg);
}

int dev_follow(int fd, const void *start, size_t len, uint64_t kinds)
{
	struct uffdwp_follow_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len, .kinds = kinds,
	};

	return dev_ioctl(fd, UFFDWP_IOC_FOLLOW, &arg);
}

int dev_follow_end(int fd)
{
	struct uffdwp_follow_arg arg = { .size = sizeof(arg), .flags = UFFDWP_FOLLOW_END };

	return dev_ioctl(fd, UFFDWP_IOC_FOLLOW, &arg);
}

int dev_arm(int fd, const void *start, size_t len)
{
	struct uffdwp_arm_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};

	return dev_ioctl(fd, UFFDWP_IOC_ARM, &arg);
}

int dev_disarm(int fd, const void *start, size_t len)
{
	struct uffdwp_disarm_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};

	return dev_ioctl(fd, UFFDWP_IOC_DISARM, &arg);
}

int dev_scan(int fd, struct uffdwp_scan_arg *arg)
{
	return dev_ioctl(fd, UFFDWP_IOC_SCAN, arg);
}

struct uffdwp_stats_arg dev_stats(int fd)
{
	struct uffdwp_stats_arg arg = { .size = sizeof(arg) };

	assert_ok(dev_ioctl(fd, UFFDWP_IOC_STATS, &arg));
	return arg;
}

static struct uffdwp_hello_arg hello(void)
{
	struct uffdwp_hello_arg arg;
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_ok(dev_hello(fd, &arg));
	close(fd);
	return arg;
}

uint64_t dev_features(void)
{
	return hello().features;
}

uint64_t dev_kinds(void)
{
	return hello().kinds;
}

int tracker_of(const void *start, size_t len)
{
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_ok(dev_attach_self(fd));
	assert_ok(dev_register(fd, start, len));
	assert_ok(dev_arm(fd, start, len));
	return fd;
}

struct uffdwp_scan_arg scan_arg(const void *start, size_t len, struct uffdwp_region *vec, size_t n)
{
	return (struct uffdwp_scan_arg){
		.size = sizeof(struct uffdwp_scan_arg),
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + len,
		.vec = (uintptr_t)vec,
		.vec_len = n,
		.category_mask = UFFDWP_PAGE_IS_WRITTEN,
		.return_mask = UFFDWP_PAGE_IS_WRITTEN,
	};
}

uint64_t written(int fd, const void *start, size_t len, bool reset)
{
	struct uffdwp_region vec[64];
	struct uffdwp_scan_arg arg = scan_arg(start, len, vec, 64);
	uint64_t pages = 0;
	int n, i;

	if (reset)
		arg.flags = UFFDWP_SCAN_WP_MATCHING;
	do {
		n = dev_scan(fd, &arg);
		if (n < 0)
			fail_msg("scan: %s", strerror(-n));
		for (i = 0; i < n; i++)
			pages += (vec[i].end - vec[i].start) / PAGE;
		arg.start = arg.walk_end;
	} while (arg.walk_end != arg.end);
	return pages;
}

uint64_t categories(int fd, const void *page)
{
	struct uffdwp_region region;
	struct uffdwp_scan_arg arg = scan_arg(page, PAGE, &region, 1);
	struct uffdwp_hello_arg hello;
	int n;

	assert_ok(dev_hello(fd, &hello));
	arg.category_mask = 0;
	/* Named, so that an address without a mapping is reported, too. */
	arg.category_anyof_mask = hello.categories;
	arg.return_mask = hello.categories;
	n = dev_scan(fd, &arg);
	if (n != 1)
		fail_msg("a scan of one page gave %d regions", n);
	return region.categories;
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

bool kernel_has_thp(void)
{
	return !access("/sys/kernel/mm/transparent_hugepage", F_OK);
}

void needs_thp(void)
{
	if (!kernel_has_thp())
		skip_because("this kernel has no transparent huge pages");
}

void thp_advice(void *start, size_t len, int advice)
{
	if (kernel_has_thp())
		assert_ok(madvise(start, len, advice));
}

char *map_anon(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	assert_ptr_not_equal(p, MAP_FAILED);
	thp_advice(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

void touch(char *start, size_t pages, int value)
{
	size_t i;

	for (i = 0; i < pages; i++)
		*(volatile char *)(start + i * PAGE) = value;
}

char *map_filled(size_t pages)
{
	char *p = map_anon(pages);

	touch(p, pages, 1);
	return p;
}

/*
 * In a ramfs: the root file system of the guest may be a tmpfs, whose files are shared memory. It
 * is mounted nowhere, so that tests side by side have one each, and goes when the file is closed.
 */
int new_ordinary_file(size_t len)
{
	int fs, mount, fd;

	fs = fsopen("ramfs", FSOPEN_CLOEXEC);
	assert_true(fs >= 0);
	assert_ok(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	assert_true(mount >= 0);
	fd = openat(mount, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(mount);
	close(fs);
	assert_ok(ftruncate(fd, len));
	assert_int_equal(pwrite(fd, "ordinary", 8, 0), 8);
	return fd;
}

int new_untrackable_file(size_t len)
{
	int fd;

	if (!(dev_kinds() & UFFDWP_KIND_FILE))
		return new_ordinary_file(len);
	fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

char *next_huge_page(char *addr)
{
	return (char *)(((uintptr_t)addr + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
}

/* In the mapping of that address, KiB */
static uint64_t huge_memory_at(const void *addr)
{
	char line[256];
	uint64_t start, end, huge = 0;
	bool here = false;
	FILE *file = fopen("/proc/self/smaps", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
			here = start <= (uintptr_t)addr && (uintptr_t)addr < end;
		else if (here && sscanf(line, "AnonHugePages: %" SCNu64, &huge) == 1)
			break;
	}
	fclose(file);
	return huge;
}

/* Of /proc/self/pagemap, since Linux 5.14: the entry has the uffd-wp bit, or is a marker. */
#define PM_UFFD_WP (1ull << 57)

size_t armed_entries(const char *start, size_t pages)
{
	static uint64_t entries[1024];
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t armed = 0, page = 0, i;
	ssize_t n;

	assert_true(pagemap >= 0);
	while (page < pages) {
		n = pread(pagemap, entries, sizeof(entries), ((uintptr_t)start / PAGE + page) * 8);
		assert_true(n > 0);
		for (i = 0; i < n / sizeof(*entries) && page < pages; i++, page++)
			armed += !!(entries[i] & PM_UFFD_WP);
	}
	close(pagemap);
	return armed;
}

bool is_one_vma(const void *start, size_t len)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t low, high;
	bool one = false;
	char line[256];

	assert_non_null(maps);
	while (!one && fgets(line, sizeof(line), maps))
		one = sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &low, &high) == 2 &&
		      low <= (uintptr_t)start && (uintptr_t)start + len <= high;
	fclose(maps);
	return one;
}

bool is_huge(const void *addr)
{
	return huge_memory_at(addr);
}

char *map_huge(size_t huge_pages)
{
	size_t len = huge_pages * HUGE_PAGE;
	char *all = mmap(NULL, len + HUGE_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = next_huge_page(all);

	assert_ptr_not_equal(all, MAP_FAILED);
	thp_advice(p, len, MADV_HUGEPAGE);
	touch(p, len / PAGE, 1);
	return huge_memory_at(p) >= len / 1024 ? p : NULL;
}

long faults(void)
{
	struct rusage usage;

	assert_ok(getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_minflt;
}

uint64_t next_random(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1Dull;
}

/* ---- peers */

struct order {
	enum peer_order what;
	char *addr;
	size_t len;
	int value;
};

static void peer_main(int from, int to)
{
	struct order order;
	char done = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(from, &order, sizeof(order)) == sizeof(order)) {
		switch (order.what) {
		case PEER_WRITE:
			touch(order.addr, order.len / PAGE, order.value);
			break;
		case PEER_UNMAP:
			munmap(order.addr, order.len);
			break;
		case PEER_EXEC:
			execl("/bin/busybox", "sleep", "1000", (char *)NULL);
			_exit(1);
		case PEER_EXIT:
			_exit(0);
		}
		if (write(to, &done, 1) != 1)
			break;
	}
	_exit(0);
}

struct peer peer_start(void)
{
	int orders[2], answers[2];
	struct peer peer;

	assert_ok(pipe2(orders, O_CLOEXEC));
	assert_ok(pipe2(answers, O_CLOEXEC));
	peer.pid = fork();
	assert_true(peer.pid >= 0);
	if (!peer.pid) {
		close(orders[1]);
		close(answers[0]);
		peer_main(orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	peer.to = orders[1];
	peer.from = answers[0];
	return peer;
}

void peer_do(struct peer *peer, enum peer_order what, void *addr, size_t len, int value)
{
	struct order order = { .what = what, .addr = addr, .len = len, .value = value };
	ssize_t n;
	char done;

	assert_int_equal(write(peer->to, &order, sizeof(order)), sizeof(order));
	/* The pipe is closed by execve() and exit(), after the address space was given up. */
	n = read(peer->from, &done, 1);
	assert_int_equal(n, what == PEER_EXEC || what == PEER_EXIT ? 0 : 1);
}

void peer_end(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->to);
	close(peer->from);
}

bool has_registered_memory(pid_t pid)
{
	char path[64], line[512];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmFlags:", 8) && strstr(line, " uw"))
			found = true;
	fclose(file);
	return found;
}

int new_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	assert_true(uffd >= 0);
	assert_ok(ioctl(uffd, UFFDIO_API, &api));
	return uffd;
}
