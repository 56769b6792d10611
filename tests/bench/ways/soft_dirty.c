// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soft-dirty: /proc/PID/clear_refs and pagemap; always the whole process.
 */
#include <fcntl.h>
#include <unistd.h>

#include "way.h"

static int fd = -1;

static bool possible(void)
{
	/* A page that was just written */
	static char page[2 * PAGE];
	uint64_t entry = 0;

	page[PAGE] = 1;
	return pread(pagemap, &entry, sizeof(entry), (uintptr_t)(page + PAGE) / PAGE * 8) ==
	       sizeof(entry) && (entry & 1ull << 55);
}

static void attach(void)
{
	fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		stop("clear_refs");
}

static void begin(void)
{
	if (pwrite(fd, "4", 1, 0) != 1)
		stop("clear_refs");
}

static size_t scan(bool reset, bool all)
{
	static uint64_t entries[65536];
	size_t page, n, i, dirty = 0;

	(void)all;
	for (page = 0; page < len / PAGE; page += n) {
		n = len / PAGE - page < 65536 ? len / PAGE - page : 65536;
		if (pread(pagemap, entries, n * 8, ((uintptr_t)memory / PAGE + page) * 8) !=
		    (ssize_t)(n * 8))
			stop("pagemap");
		for (i = 0; i < n; i++)
			dirty += entries[i] >> 55 & 1;
	}
	if (reset)
		begin();
	return dirty;
}

static void detach(void)
{
	close(fd);
}

const struct way way_soft_dirty = {
	.name = "soft_dirty",
	.title = "soft-dirty",
	.possible = possible,
	.attach = attach,
	.begin = begin,
	.scan = scan,
	.detach = detach,
};
