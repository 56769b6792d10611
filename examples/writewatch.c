// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * writewatch [module|kernel]: a write watch of one's own memory, as GetWriteWatch() and
 * ResetWriteWatch() of another system are. For collectors of garbage, emulators, and programs that
 * are ported from there.
 *
 *	cc writewatch.c $(pkg-config --cflags --libs libuffdwp)
 *
 * On Linux 6.7 and later the kernel can do this alone. The module is taken first if it is there.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uffdwp.h>

#define PAGE 4096ul
#define PAGES 16ul
#define SIZE (PAGES * PAGE)

/*
 * Addresses of the pages that were written since they were reset, in ascending order, as many as
 * there is room for. With reset these, and no others, are reset, each in the moment in which it is
 * looked at: other threads may go on writing, and nothing is lost. So who has no more room calls
 * again for the rest.
 *
 * Returns how many, or an error of the library.
 */
static long get_write_watch(struct uffdwp *watch, int reset, const void *base, size_t size,
			    void **pages, size_t room)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = reset ? UFFDWP_SCAN_WP_MATCHING : 0,
		    .start = (uintptr_t)base, .len = size, .max_pages = room);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	uint64_t at;
	size_t n = 0;
	int got;

	if (!room)			/* a max_pages of 0 is no limit */
		return 0;
	got = uffdwp_scan_start(watch, &opts, &scan);
	if (got)
		return got;
	while ((got = uffdwp_scan_next(scan, &region)) == 1)
		for (at = region.start; at < region.end; at += PAGE)
			pages[n++] = (void *)(uintptr_t)at;
	uffdwp_scan_end(scan);
	/* What was reset before an error has to be told. The next call meets the error again. */
	return n ? (long)n : got;
}

static int reset_write_watch(struct uffdwp *watch, const void *base, size_t size)
{
	return uffdwp_arm(watch, (uintptr_t)base, size);
}

/* ---- how it is used */

static int print(struct uffdwp *watch, const char *what, int reset, const char *memory, size_t room)
{
	void *pages[PAGES];
	long i, n = get_write_watch(watch, reset, memory, SIZE, pages, room);

	if (n < 0) {
		fprintf(stderr, "writewatch: %s\n", uffdwp_explain(n));
		return 1;
	}
	printf("%s:", what);
	for (i = 0; i < n; i++)
		printf(" %lu", (unsigned long)((char *)pages[i] - memory) / PAGE);
	printf("%s\n", n ? "" : " none");
	return 0;
}

static int demonstrate(struct uffdwp *watch, char *memory)
{
	int bad, zero;

	bad = print(watch, "at first", 0, memory, PAGES);
	memset(memory + 3 * PAGE, 1, 1);
	memset(memory + 5 * PAGE, 1, 3 * PAGE);
	bad |= print(watch, "written", 0, memory, PAGES);
	bad |= print(watch, "no more than two, and reset", 1, memory, 2);
	bad |= print(watch, "the rest, and reset", 1, memory, PAGES);
	memory[5 * PAGE] = 1;
	bad |= print(watch, "what was there, stored once more", 1, memory, PAGES);
	/* What the kernel writes for the program counts. */
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (zero < 0 || read(zero, memory + 9 * PAGE, 2 * PAGE) != (ssize_t)(2 * PAGE))
		perror("writewatch: /dev/zero");
	bad |= print(watch, "read into", 0, memory, PAGES);
	if (zero >= 0)
		close(zero);
	reset_write_watch(watch, memory, SIZE);
	bad |= print(watch, "after a reset", 0, memory, PAGES);
	return bad;
}

int main(int argc, char **argv)
{
	UFFDWP_OPTS(uffdwp_open_opts, opts, .backend = UFFDWP_BACKEND_ANY);
	struct uffdwp *watch = NULL;
	char *memory;
	int err;

	if (argc == 2 && !strcmp(argv[1], "module")) {
		opts.backend = UFFDWP_BACKEND_MODULE;
	} else if (argc == 2 && !strcmp(argv[1], "kernel")) {
		opts.backend = UFFDWP_BACKEND_KERNEL;
	} else if (argc != 1) {
		fprintf(stderr, "usage: writewatch [module|kernel]\n");
		return 2;
	}
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		perror("writewatch: mmap");
		return 1;
	}
	err = uffdwp_open(0, &opts, &watch);
	/* As memory of VirtualAlloc() with MEM_WRITE_WATCH: what was before does not count. */
	if (!err)
		err = uffdwp_track(watch, (uintptr_t)memory, SIZE, NULL);
	if (err) {
		fprintf(stderr, "writewatch: %s\n", uffdwp_explain(err));
		uffdwp_close(watch);
		return 1;
	}
	printf("by the %s\n", uffdwp_backend_name(watch));
	err = demonstrate(watch, memory);
	uffdwp_close(watch);
	return err;
}
