// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"

/* Look again every millisecond, for 30 seconds at most; false when it never was so. */
#define seen(condition)							\
	({								\
		int seen_tries = 30000;					\
									\
		while (!(condition) && --seen_tries)			\
			usleep(1000);					\
		seen_tries > 0;						\
	})

/* The reason of a function that failed, with the words of errno. Overwritten by the next one. */
static const char *because(const char *what, int error)
{
	static char reason[160];

	snprintf(reason, sizeof(reason), "%s: %s", what, strerror(error));
	return reason;
}

/* ---- files of the kernel */

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int write_number(const char *path, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", number);
	return write_file(path, text);
}

long read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

long number_after(const char *path, const char *word)
{
	const size_t len = strlen(word);
	FILE *file = fopen(path, "r");
	long number = -1;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, word, len) && (line[len] == ':' || line[len] == ' '))
			number = strtol(line + len + 1, NULL, 10);
	fclose(file);
	return number;
}

long vmstat(const char *name)
{
	return number_after("/proc/vmstat", name);
}

static uint64_t entry_of(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &entry, sizeof(entry), index * sizeof(entry)), sizeof(entry));
	close(fd);
	return entry;
}

uint64_t pagemap_entry(const void *page)
{
	return entry_of("/proc/self/pagemap", (uintptr_t)page / PAGE);
}

#define PAGEMAP_PRESENT	(1ull << 63)
#define PAGEMAP_SWAPPED	(1ull << 62)
#define PAGEMAP_PFN	((1ull << 55) - 1)

/* move_pages(2) begins with lru_cache_disable(), even if the page is where it should be. */
void empty_batches(void)
{
	char here = 0;
	const void *page = &here;
	int node, status;

	if (!syscall(SYS_move_pages, 0, 1ul, &page, NULL, &node, 0) && node >= 0)
		syscall(SYS_move_pages, 0, 1ul, &page, &node, &status, 2 /* MPOL_MF_MOVE */);
}

/* ---- swap */

#define ZRAM "/dev/zram0"

/* union swap_header of <linux/swap.h>: version 1, last page, no bad pages */
static int make_swap(size_t bytes)
{
	char page[4096] = "";
	const uint32_t info[3] = { 1, bytes / PAGE - 1, 0 };
	int fd = open(ZRAM, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	memcpy(page + 1024, info, sizeof(info));
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, sizeof(page), 0) != sizeof(page))
		ret = -errno;
	close(fd);
	return ret;
}

const char *swap_on(size_t bytes)
{
	int err;

	if (access(ZRAM, F_OK))
		return "no " ZRAM;
	/* A test that failed may have left it. */
	swap_off();
	err = write_number("/sys/block/zram0/disksize", bytes);
	if (err)
		return because("disksize of zram0", -err);
	err = make_swap(bytes);
	if (err)
		return because("write to " ZRAM, -err);
	return swapon(ZRAM, 0) ? because("swapon", errno) : NULL;
}

void swap_off(void)
{
	swapoff(ZRAM);
	write_file("/sys/block/zram0/reset", "1");
}

bool is_swapped(const void *page)
{
	return pagemap_entry(page) & PAGEMAP_SWAPPED;
}

static bool all_swapped(const char *start, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += PAGE)
		if (!is_swapped(start + i))
			return false;
	return true;
}

/* A page in a batch of another processor's, or under writeback, is passed by: more than one try. */
const char *swap_out(void *start, size_t len)
{
	int tries;

	for (tries = 0; tries < 200; tries++) {
		if (madvise(start, len, MADV_PAGEOUT))
			return because("MADV_PAGEOUT", errno);
		if (all_swapped(start, len))
			return NULL;
		usleep(5000);
		if (tries % 20 == 19)
			empty_batches();
	}
	return "MADV_PAGEOUT has left a page in memory";
}

/* ---- ordinary files */

#define DISK "/run/disk"

static long disk_device = -1;

/* What the disk is made by; the first, unless DISK_FS in the environment names another one. */
static const struct file_system {
	const char *name;
	const char *force;	/* option: whatever is there */
	size_t least;		/* bytes; what is not used takes no memory */
} file_systems[] = {
	{ "ext4", "-F", 0 },
	{ "xfs", "-f", 320 << 20 },
	{ "btrfs", "-f", 128 << 20 },
};

static const struct file_system *file_system(void)
{
	const char *name = getenv("DISK_FS");
	size_t i;

	for (i = 0; name && i < sizeof(file_systems) / sizeof(file_systems[0]); i++)
		if (!strcmp(file_systems[i].name, name))
			return &file_systems[i];
	return file_systems;
}

static int make_file_system(const struct file_system *fs, const char *node)
{
	char program[32];
	pid_t pid = fork();
	int status;

	if (!pid) {
		snprintf(program, sizeof(program), "mkfs.%s", fs->name);
		execlp(program, program, "-q", fs->force, node, NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	       WEXITSTATUS(status) : -1;
}

const char *disk_mount(size_t bytes)
{
	const struct file_system *fs = file_system();
	static char reason[64];
	char path[64], node[32];
	int err;

	disk_device = read_number("/sys/class/zram-control/hot_add");
	if (disk_device < 0)
		return "no other zram device";
	snprintf(path, sizeof(path), "/sys/block/zram%ld/disksize", disk_device);
	err = write_number(path, bytes > fs->least ? bytes : fs->least);
	if (err)
		return because("disksize", -err);
	snprintf(node, sizeof(node), "/dev/zram%ld", disk_device);
	if (!seen(!access(node, F_OK)))
		return "the zram device has no node";
	err = make_file_system(fs, node);
	if (err) {
		snprintf(reason, sizeof(reason), err == 127 ? "no mkfs.%s" : "mkfs.%s has failed",
			 fs->name);
		return reason;
	}
	if (mkdir(DISK, 0700) && errno != EEXIST)
		return because("mkdir " DISK, errno);
	return mount(node, DISK, fs->name, 0, NULL) ? because("mount of it", errno) : NULL;
}

void disk_unmount(void)
{
	umount2(DISK, MNT_DETACH);
	if (disk_device >= 0)
		write_number("/sys/class/zram-control/hot_remove", disk_device);
	disk_device = -1;
}

int disk_file(void)
{
	return open(DISK, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* ---- memory nodes */

int nodes(void)
{
	char path[64];
	int n = 0;

	for (;; n++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", n);
		if (access(path, F_OK))
			return n;
	}
}

/* move_pages(2) of one page; without a node it only asks. */
static int move_page(const void *page, const int *node)
{
	int status = -ENOENT;

	if (syscall(SYS_move_pages, 0, 1ul, &page, node, &status, 2 /* MPOL_MF_MOVE */) < 0)
		return -errno;
	return status;
}

int node_of(const void *page)
{
	return move_page(page, NULL);
}

const char *move_to_node(void *start, size_t len, int node)
{
	char *page = start, *end = page + len;
	int tries = 200, now;

	if (node >= nodes())
		return "there is no such memory node (tests/vm/run --numa 2)";
	while (page < end) {
		now = move_page(page, &node);
		if (now == node || node_of(page) == node)
			page += PAGE;
		else if (now == -EINVAL || now == -ENOSYS || !--tries)
			return because("move_pages", now < 0 ? -now : EBUSY);
		else
			usleep(5000);
	}
	return NULL;
}

const char *move_to_other_node(void *start, size_t len)
{
	int node = node_of(start);

	return node < 0 ? because("the node of the page", -node) :
			  move_to_node(start, len, !node);
}

#define NUMA_SWITCH "/proc/sys/kernel/numa_balancing"

/* How often the kernel scans: files that have moved in Linux 5.13. */
static const char *const numa_files[][3] = {
	{ "/sys/kernel/debug/sched/numa_balancing/scan_delay_ms",
	  "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms",
	  "/sys/kernel/debug/sched/numa_balancing/scan_period_max_ms" },
	{ "/proc/sys/kernel/numa_balancing_scan_delay_ms",
	  "/proc/sys/kernel/numa_balancing_scan_period_min_ms",
	  "/proc/sys/kernel/numa_balancing_scan_period_max_ms" },
};

enum { NUMA_DELAY, NUMA_PERIOD_MIN, NUMA_PERIOD_MAX };

static const char *numa_file(int which)
{
	return numa_files[access(numa_files[0][0], F_OK) ? 1 : 0][which];
}

static bool has_numa_balancing(void)
{
	return read_number(NUMA_SWITCH) >= 0 && !access(numa_file(NUMA_DELAY), F_OK);
}

/* What was there before the first call of numa_hints(). */
static struct {
	bool saved;
	cpu_set_t processors;
	long on, delay, period_min, period_max;
} numa;

static void numa_save(void)
{
	if (numa.saved)
		return;
	numa.on = read_number(NUMA_SWITCH);
	numa.delay = read_number(numa_file(NUMA_DELAY));
	numa.period_min = read_number(numa_file(NUMA_PERIOD_MIN));
	numa.period_max = read_number(numa_file(NUMA_PERIOD_MAX));
	assert_ok(sched_getaffinity(0, sizeof(numa.processors), &numa.processors));
	numa.saved = true;
}

static int numa_set(long on, long delay, long period_min, long period_max)
{
	return write_number(numa_file(NUMA_DELAY), delay) ?:
	       write_number(numa_file(NUMA_PERIOD_MAX), period_max) ?:
	       write_number(numa_file(NUMA_PERIOD_MIN), period_min) ?:
	       write_number(NUMA_SWITCH, on);
}

void numa_hints_soon(void)
{
	if (!has_numa_balancing())
		return;
	numa_save();
	numa_set(0, 1, 20, 20);
}

void numa_hints_off(void)
{
	if (!numa.saved)
		return;
	numa_set(numa.on, numa.delay, numa.period_min, numa.period_max);
	sched_setaffinity(0, sizeof(numa.processors), &numa.processors);
	numa.saved = false;
}

/* Stay on this processor, and have the pages on another node than its own. */
static const char *go_away_from(void *start, size_t len)
{
	unsigned int processor, node;
	const char *reason;
	cpu_set_t here;

	if (syscall(SYS_getcpu, &processor, &node, NULL))
		return because("getcpu", errno);
	CPU_ZERO(&here);
	CPU_SET(processor, &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		return because("sched_setaffinity", errno);
	reason = move_to_node(start, len, !node);
	/* A page in a batch is held, and not protected: change_pte_range() counts references. */
	empty_batches();
	return reason;
}

/* The scan is done by the thread itself, between two ticks in user mode. */
static void compute_for_a_while(void)
{
	clock_t end = clock() + CLOCKS_PER_SEC / 50;

	while (clock() < end)
		;
}

/*
 * The kernel protects pages of a process of one thread only where they are on another node than the
 * processor (change_pte_range()), one pass over the address space at a time.
 */
const char *numa_hints(void *start, size_t len)
{
	const char *reason;
	int tries = 1000;
	long before;

	if (nodes() < 2)
		return "one memory node only (tests/vm/run --numa 2)";
	if (!has_numa_balancing())
		return "this kernel has no NUMA balancing";
	numa_save();
	reason = go_away_from(start, len);
	if (reason)
		return reason;
	before = vmstat("numa_pte_updates");
	if (numa_set(1, 1, 20, 20))
		return "NUMA balancing could not be set up";
	do {
		compute_for_a_while();
	} while (vmstat("numa_pte_updates") < before + (long)(len / PAGE) && --tries);
	/* No more passes: what is protected stays so until it is touched. */
	write_number(NUMA_SWITCH, 0);
	return tries ? NULL : "NUMA balancing has not protected the pages";
}

const char *go_to_other_node(void)
{
	unsigned int here, there;
	int processor;
	cpu_set_t set;

	if (syscall(SYS_getcpu, NULL, &here, NULL))
		return because("getcpu", errno);
	for (processor = 0; processor < CPU_SETSIZE; processor++) {
		CPU_ZERO(&set);
		CPU_SET(processor, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;
		if (!syscall(SYS_getcpu, NULL, &there, NULL) && there != here)
			return NULL;
	}
	return "no other node has a processor";
}

/* ---- KSM */

#define KSM "/sys/kernel/mm/ksm/"
#define KPF_ANON (1ull << 12)
#define KPF_KSM (1ull << 21)

/*
 * Linux 6.12 says KSM of every anonymous page (stable_page_flags() looks for one of two bits where
 * both count). The stack of this process is not merged, and who maps a merged page does so twice.
 */
static bool flags_say_ksm_of_all(void)
{
	char own = 0;
	uint64_t flags = entry_of("/proc/kpageflags", pagemap_entry(&own) & PAGEMAP_PFN);

	return (flags & KPF_ANON) && (flags & KPF_KSM);
}

bool is_ksm_of(pid_t pid, const void *page)
{
	char path[64];
	uint64_t entry;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	entry = entry_of(path, (uintptr_t)page / PAGE);
	return (entry & PAGEMAP_PRESENT) &&
	       (entry_of("/proc/kpageflags", entry & PAGEMAP_PFN) & KPF_KSM) &&
	       (!flags_say_ksm_of_all() || entry_of("/proc/kpagecount", entry & PAGEMAP_PFN) > 1);
}

bool is_ksm(const void *page)
{
	return is_ksm_of(getpid(), page);
}

static bool all_ksm(const char *start, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += PAGE)
		if (!is_ksm(start + i))
			return false;
	return true;
}

const char *ksm_merge(void *a, void *b, size_t len)
{
	bool merged;

	if (access(KSM "run", F_OK))
		return "this kernel has no KSM";
	if (madvise(a, len, MADV_MERGEABLE) || madvise(b, len, MADV_MERGEABLE))
		return because("MADV_MERGEABLE", errno);
	if (write_number(KSM "sleep_millisecs", 1) || write_number(KSM "pages_to_scan", 10000) ||
	    write_number(KSM "run", 1))
		return "KSM could not be started";
	merged = seen(all_ksm(a, len) && all_ksm(b, len));
	write_number(KSM "run", 0);
	return merged ? NULL : "KSM has not merged the pages";
}

long ksm_zero_pages(void)
{
	return read_number(KSM "ksm_zero_pages");
}

long ksm_zero_pages_here(void)
{
	return number_after("/proc/self/ksm_stat", "ksm_zero_pages");
}

const char *ksm_merge_zeroes(void *start, size_t len)
{
	const long before = ksm_zero_pages_here();
	bool merged;

	if (access(KSM "run", F_OK))
		return "this kernel has no KSM";
	if (ksm_zero_pages() < 0 || before < 0)
		return "this kernel does not count the zero pages of KSM";
	if (madvise(start, len, MADV_MERGEABLE))
		return because("MADV_MERGEABLE", errno);
	if (write_number(KSM "use_zero_pages", 1) || write_number(KSM "sleep_millisecs", 1) ||
	    write_number(KSM "pages_to_scan", 10000) || write_number(KSM "run", 1))
		return "KSM could not be started";
	merged = seen(ksm_zero_pages_here() >= before + (long)(len / PAGE));
	write_number(KSM "run", 0);
	write_number(KSM "use_zero_pages", 0);
	return merged ? NULL : "KSM has not merged pages of zeroes";
}

void ksm_off(void)
{
	write_number(KSM "run", 2);
	write_number(KSM "run", 0);
}

/* ---- hardware poison */

static void outlive(int sig)
{
	(void)sig;
}

/* Since 6.11 whoever poisons a page is told at once that it is, by a SIGBUS. */
const char *poison(void *page, uint64_t *pfn)
{
	struct sigaction action = { .sa_handler = outlive }, before;
	int ret;

	*pfn = pagemap_entry(page) & PAGEMAP_PFN;
	sigaction(SIGBUS, &action, &before);
	ret = madvise(page, PAGE, MADV_HWPOISON);
	sigaction(SIGBUS, &before, NULL);
	if (!ret)
		return NULL;
	return errno == EINVAL ? "this kernel has no MADV_HWPOISON" :
				 because("MADV_HWPOISON", errno);
}

const char *unpoison(uint64_t pfn)
{
	int err;

	if (access("/sys/kernel/debug/hwpoison/unpoison-pfn", F_OK))
		return "no hwpoison-inject (tests/vm/run --kernel-module hwpoison-inject)";
	err = write_number("/sys/kernel/debug/hwpoison/unpoison-pfn", pfn);
	return err ? because("unpoison-pfn", -err) : NULL;
}

/* ---- compaction and khugepaged */

const char *compact_memory(void)
{
	long before = vmstat("compact_free_scanned");

	if (before < 0 || write_file("/proc/sys/vm/compact_memory", "1"))
		return "this kernel does not compact memory";
	return seen(vmstat("compact_free_scanned") > before) ? NULL : "nothing was compacted";
}

#define KHUGEPAGED "/sys/kernel/mm/transparent_hugepage/khugepaged/"

/*
 * khugepaged knows an address space once a huge page was possible in it (khugepaged_enter_vma()):
 * in anonymous memory that was written to, or in a file, if it was so when it was mapped. Without
 * any it sleeps.
 */
static const char *meet_khugepaged(void)
{
	char *p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	int err;

	if (p == MAP_FAILED)
		return because("mmap", errno);
	*(volatile char *)p = 1;
	err = madvise(p, 2 * HUGE_PAGE, MADV_HUGEPAGE) ? errno : 0;
	munmap(p, 2 * HUGE_PAGE);
	return err ? because("MADV_HUGEPAGE", err) : NULL;
}

const char *khugepaged_pass(void)
{
	long pages = read_number(KHUGEPAGED "pages_to_scan");
	long pause = read_number(KHUGEPAGED "scan_sleep_millisecs");
	long pause_without_memory = read_number(KHUGEPAGED "alloc_sleep_millisecs");
	long passes = read_number(KHUGEPAGED "full_scans");
	const char *reason;
	bool done;

	if (passes < 0)
		return "this kernel has no khugepaged";
	reason = meet_khugepaged();
	if (reason)
		return reason;
	if (write_number(KHUGEPAGED "pages_to_scan", 1000000) ||
	    write_number(KHUGEPAGED "scan_sleep_millisecs", 0) ||
	    write_number(KHUGEPAGED "alloc_sleep_millisecs", 1))
		return "khugepaged could not be set up";
	/* The one that is under way may be past the memory that matters. */
	done = seen(read_number(KHUGEPAGED "full_scans") >= passes + 2);
	write_number(KHUGEPAGED "pages_to_scan", pages);
	write_number(KHUGEPAGED "scan_sleep_millisecs", pause);
	write_number(KHUGEPAGED "alloc_sleep_millisecs", pause_without_memory);
	return done ? NULL : "khugepaged has not looked at all memory twice";
}

/* ---- leaks */

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/* Counted is what is older than 5 seconds, and has not changed between two looks. */
const char *find_leaks(char *found, size_t len)
{
	FILE *file;
	int look;

	for (look = 0; look < 3; look++) {
		sleep(6);
		if (write_file(KMEMLEAK, "scan"))
			return "kmemleak is not there, not on (kmemleak=on), or has given up";
	}
	file = fopen(KMEMLEAK, "r");
	assert_non_null(file);
	len = fread(found, 1, len - 1, file);
	found[len] = 0;
	fclose(file);
	return NULL;
}

/* ---- hugetlb */

#define HUGETLB "/sys/kernel/mm/hugepages/hugepages-2048kB/"

const char *hugetlb_reserve(size_t pages)
{
	int tries = 20;

	if (access(HUGETLB "nr_hugepages", F_OK))
		return "this kernel has no hugetlb pages of 2 MiB";
	while (read_number(HUGETLB "free_hugepages") < (long)pages && --tries) {
		write_number(HUGETLB "nr_hugepages", pages);
		write_file("/proc/sys/vm/compact_memory", "1");
	}
	return tries ? NULL : "there is no memory for hugetlb pages";
}

void hugetlb_release(void)
{
	write_number(HUGETLB "nr_hugepages", 0);
}

char *map_shared_huge(void)
{
	const size_t len = 1ul << 21;
	int file = memfd_create("huge", MFD_CLOEXEC);
	char *all = mmap(NULL, 2 * len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;
	size_t i;

	if (file < 0 || all == MAP_FAILED || ftruncate(file, len))
		return NULL;
	p = (char *)(((uintptr_t)all + len - 1) & ~(len - 1));
	p = mmap(p, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
	close(file);
	if (p == MAP_FAILED)
		return NULL;
	/* Without success there are small pages: the caller looks. */
	write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "advise");
	madvise(p, len, MADV_HUGEPAGE);
	for (i = 0; i < len; i += 4096)
		p[i] = 1;
	write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "never");
	return p;
}
