// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userfaultfd write protection, resolved by a thread of the process. What it was told of stands in
 * a list.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "way.h"

static int fd = -1;

static pthread_t monitor;
static int enough[2];

static bool always(void)
{
	return true;
}

/* Since Linux 6.4 it can be asked not to. */
static bool skips_untouched(void)
{
	int uffd = uffd_with(UFFD_WP_UNPOPULATED);

	close(uffd);
	return uffd < 0;
}

static void *resolve(void *arg)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = enough[0], .events = POLLIN } };
	struct uffdio_writeprotect wp = { .range.len = PAGE };
	struct uffd_msg msg;

	(void)arg;
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		if (read(fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		wp.range.start = msg.arg.pagefault.address & ~(PAGE - 1);
		noted[notes++] = wp.range.start;
		if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
			stop("UFFDIO_WRITEPROTECT of a page");
	}
	return NULL;
}

static void attach(void)
{
	fd = uffd_attach(UFFD_FEATURE_PAGEFAULT_FLAG_WP |
			 (skips_untouched() ? 0 : UFFD_WP_UNPOPULATED));
	if (pipe(enough) || pthread_create(&monitor, NULL, resolve, NULL))
		stop("a thread");
}

static void begin(void)
{
	notes = 0;
	uffd_protect(fd);
}

static size_t scan(bool reset, bool all)
{
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	const size_t n = notes;
	size_t i, run;

	(void)all;
	for (i = 0; reset && i < n; i += run) {
		for (run = 1; i + run < n && noted[i + run] == noted[i] + run * PAGE; run++)
			;
		wp.range.start = noted[i];
		wp.range.len = run * PAGE;
		if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
			stop("UFFDIO_WRITEPROTECT of a page");
	}
	if (reset)
		notes = 0;
	return n;
}

static void detach(void)
{
	if (write(enough[1], "x", 1) != 1)
		stop("pipe");
	pthread_join(monitor, NULL);
	close(enough[0]);
	close(enough[1]);
	close(fd);
}

const struct way way_sync = {
	.name = "sync",
	.title = "userfaultfd and a thread",
	.possible = always,
	.attach = attach,
	.begin = begin,
	.scan = scan,
	.detach = detach,
	.handler = true,
	.skips_untouched = skips_untouched,
};
