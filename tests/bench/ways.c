// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same work by each way to track that this kernel has (ways/): what it costs, in instructions,
 * and how that grows with the memory that is tracked and with the part of it that is written.
 *
 * Prints lines "FIGURE.WAY VALUE", as tests/bench/bench.c, and under the same conditions. Each is
 * the median of five, but for what takes COSTLY instructions or more: that is measured once, since
 * under icount it is the same each time but for a tick of the timer.
 *
 *	device		this module
 *	native		WP_ASYNC and PAGEMAP_SCAN of Linux 6.7
 *	soft_dirty	/proc/PID/clear_refs and pagemap; always the whole process
 *	sync		userfaultfd write protection, resolved by a thread of the process
 *	sigsegv		mprotect(), resolved in a handler of SIGSEGV
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ways/way.h"

#define REPEATS		5
#define COSTLY		200000000ul

static void report(const char *figure, const char *way, double value)
{
	printf("%s.%s %.2f\n", figure, way, value);
	fflush(stdout);
}

static void map(size_t size)
{
	len = size;
	memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		stop("mmap");
	madvise(memory, len, MADV_NOHUGEPAGE);
}

static void unmap(void)
{
	munmap(memory, len);
}

/* So many pages, as far from each other as they can be. */
static void write_pages(size_t n)
{
	const size_t all = len / PAGE;
	size_t i;

	for (i = 0; i < n; i++)
		*(volatile char *)(memory + i * all / n * PAGE) = 1;
}

/* Of a page that is there, nothing changes. */
static void populate(void)
{
	if (madvise(memory, len, MADV_POPULATE_WRITE))
		write_pages(len / PAGE);
}

static void expect(const struct way *way, size_t found, size_t written)
{
	if (found == written)
		return;
	fprintf(stderr, "ways: %s: %zu pages were written, and it says %zu\n", way->name, written,
		found);
	exit(1);
}

/* ---- repeats */

struct repeats {
	uint64_t took[REPEATS];
	int n;
};

static void note(struct repeats *r, uint64_t took)
{
	r->took[r->n++] = took;
}

static bool enough(const struct repeats *r)
{
	return r->n == REPEATS || (r->n && r->took[0] >= COSTLY);
}

static uint64_t median(struct repeats *r)
{
	qsort(r->took, r->n, sizeof(r->took[0]), ascending);
	return r->took[r->n / 2];
}

/* ---- one page of memory that is there */

/* A scan when so many pages were written, per page of the memory. */
static double scan_cost(const struct way *way, size_t n, bool reset, bool all)
{
	struct repeats r = { 0 };
	uint64_t since;
	size_t found;

	way->begin();
	while (!enough(&r)) {
		write_pages(n);
		since = now();
		found = way->scan(reset, all);
		note(&r, now() - since);
		if (!all)
			expect(way, found, n);
		if (!reset && n)
			way->begin();
	}
	return (double)median(&r) / (len / PAGE);
}

static double begin_cost(const struct way *way)
{
	struct repeats r = { 0 };
	uint64_t since;

	while (!enough(&r)) {
		way->attach();
		since = now();
		way->begin();
		note(&r, now() - since);
		way->detach();
		write_pages(len / PAGE);
	}
	return (double)median(&r) / (len / PAGE);
}

static double write_cost(const struct way *way, size_t n)
{
	struct repeats r = { 0 };
	uint64_t since;

	while (!enough(&r)) {
		way->begin();
		since = now();
		write_pages(n);
		note(&r, now() - since);
	}
	return (double)median(&r) / n;
}

/* In all, whatever the size */
static uint64_t idle_cost(const struct way *way)
{
	struct repeats r = { 0 };
	uint64_t since;
	bool is_idle;

	way->begin();
	while (!enough(&r)) {
		since = now();
		is_idle = way->idle();
		note(&r, now() - since);
		expect(way, !is_idle, 0);
	}
	return median(&r);
}

static void one_page(const struct way *way)
{
	const size_t pages = (way->handler ? 64 * MIB : GIB) / PAGE;

	len = pages * PAGE;
	report("arm", way->name, begin_cost(way));
	way->attach();
	report("write", way->name, write_cost(way, pages / 128));
	report("reset.few", way->name, scan_cost(way, pages / 1000, true, false));
	if (!way->handler) {
		report("scan.none", way->name, scan_cost(way, 0, false, false));
		report("scan.few", way->name, scan_cost(way, pages / 1000, false, false));
		report("reset.tenth", way->name, scan_cost(way, pages / 10, true, false));
		report("scan.categories", way->name, scan_cost(way, pages / 1000, false, true));
	}
	if (way->idle)
		report("idle", way->name, idle_cost(way));
	way->detach();
	len = GIB;
}

/* ---- an interval: pages are written, and a scan with reset tells which */

/* Prints "NAME.scan", the scan with reset alone, and "NAME.all", with the writes. */
static void interval(const struct way *way, const char *name, size_t n)
{
	struct repeats scan = { 0 }, all = { 0 };
	char figure[64];
	uint64_t since, scanned;
	size_t found;

	way->begin();
	while (!enough(&all)) {
		since = now();
		write_pages(n);
		scanned = now();
		found = way->scan(true, false);
		note(&scan, now() - scanned);
		note(&all, now() - since);
		expect(way, found, n);
	}
	snprintf(figure, sizeof(figure), "%s.scan", name);
	report(figure, way->name, median(&scan));
	snprintf(figure, sizeof(figure), "%s.all", name);
	report(figure, way->name, median(&all));
}

/* Of a GiB that is there: figures "written.PAGES" */
static void by_pages_written(const struct way *way)
{
	/* In parts of ten thousand */
	static const size_t shares[] = { 0, 1, 10, 100, 1000, 5000, 10000 };
	char name[32];
	size_t i, n;

	way->attach();
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		n = len / PAGE * shares[i] / 10000;
		snprintf(name, sizeof(name), "written.%zu", n);
		interval(way, name, n);
	}
	way->detach();
}

/*
 * When 64 pages are written: figures "tracked.MIBIBYTES". More than a GiB would not fit into the
 * machine: that was never touched but for those pages.
 */
#define FEW 64

static void tracked(const struct way *way, size_t mib)
{
	char name[32];

	way->attach();
	snprintf(name, sizeof(name), "tracked.%zuMiB", mib);
	interval(way, name, FEW);
	way->detach();
}

/* All but the GiB. */
static void by_memory_tracked(const struct way *way)
{
	static const size_t sizes[] = { 1, 16, 256, 4096, 16384, 65536 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const bool there = sizes[i] * MIB <= GIB;

		if (!there && way->skips_untouched && way->skips_untouched())
			continue;
		map(sizes[i] * MIB);
		if (there)
			populate();
		else
			write_pages(FEW);
		tracked(way, sizes[i]);
		unmap();
	}
}

/* ---- memory that was never touched */

/* In KiB */
static uint64_t page_tables(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		stop("/proc/self/status");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmPTE: %lu", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

static void untouched(const struct way *way)
{
	uint64_t since;

	if (way->skips_untouched && way->skips_untouched())
		return;
	map(GIB);
	way->attach();
	since = page_tables();
	way->begin();
	report("tables.1GiB", way->name, page_tables() - since);
	way->detach();
	unmap();

	map(16 * GIB);
	way->attach();
	since = now();
	way->begin();
	report("arm.16GiB", way->name, now() - since);
	if (!way->handler) {
		since = now();
		expect(way, way->scan(false, false), 0);
		report("scan.16GiB", way->name, now() - since);
	}
	way->detach();
	unmap();
}

/* ---- how long the process is kept from mapping memory */

static atomic_ulong longest_wait;
static atomic_bool waited_enough;

static void *map_on(void *arg)
{
	(void)arg;
	while (!waited_enough)
		wait_for_mmap(&longest_wait);
	return NULL;
}

static void waits(const struct way *way)
{
	pthread_t thread;

	way->attach();
	waited_enough = false;
	if (pthread_create(&thread, NULL, map_on, NULL))
		stop("pthread_create");
	usleep(2000);
	longest_wait = 0;
	way->begin();
	usleep(2000);
	report("wait.begin.1GiB", way->name, longest_wait);
	write_pages(FEW);
	usleep(2000);
	longest_wait = 0;
	expect(way, way->scan(true, false), FEW);
	usleep(2000);
	report("wait.reset.1GiB", way->name, longest_wait);
	waited_enough = true;
	pthread_join(thread, NULL);
	way->detach();
}

/* ---- all of it */

/* Each page between two that are protected is a mapping of its own: way_sigsegv. */
static void allow_mappings(void)
{
	const char enough_for_all[] = "1000000";
	int file = open("/proc/sys/vm/max_map_count", O_WRONLY | O_CLOEXEC);

	if (file < 0 || write(file, enough_for_all, strlen(enough_for_all)) < 0)
		stop("max_map_count");
	close(file);
}

/* While there is little other memory: soft-dirty does not spare itself that. */
static void with_memory_of_its_own(const struct way *way)
{
	untouched(way);
	by_memory_tracked(way);
}

static void in_a_gib(const struct way *way)
{
	tracked(way, 1024);
	one_page(way);
	by_pages_written(way);
	waits(way);
}

static void for_each(void (*work)(const struct way *way), const char *only)
{
	size_t i;

	for (i = 0; i < n_ways; i++)
		if ((!only || !strcmp(only, ways[i]->name)) && ways[i]->possible())
			work(ways[i]);
}

/* With an argument: only that way. */
int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	size_t i;

	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	noted = malloc(GIB / PAGE * sizeof(*noted));
	if (pagemap < 0 || !noted)
		stop("preparation");
	allow_mappings();
	/* Of all that there are: each has its column and its colour on every kernel. */
	for (i = 0; i < n_ways; i++)
		printf("title.%s - %s\n", ways[i]->name, ways[i]->title);
	for_each(with_memory_of_its_own, only);
	/* Once for all: to populate it is what takes longest. */
	map(GIB);
	populate();
	for_each(in_a_gib, only);
	return 0;
}
