// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory, and two ways to track it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "differential.h"

/* Of Linux 6.7, which the headers that this is built with need not know. */
#define WP_UNPOPULATED		(1ull << 13)
#define WP_ASYNC		(1ull << 15)
#define PAGEMAP_SCAN_IOCTL	_IOWR('f', 16, struct uffdwp_scan_arg)

const struct kind_info kinds[KINDS] = {
	[KIND_ANON] = { "private anonymous", 96, 1 },
	[KIND_THP] = { "huge pages", 1024, 1 },
	[KIND_SHMEM] = { "shmem", 96, 1 },
	[KIND_SHMEM_PRIVATE] = { "private shmem", 96, 1 },
	[KIND_HUGETLB] = { "hugetlb", 1024, 512 },
	[KIND_HUGETLB_PRIVATE] = { "private hugetlb", 1024, 512 },
	[KIND_FILE] = { "file", 96, 1 },
	[KIND_FILE_PRIVATE] = { "private file", 96, 1 },
};

/* No two areas share a table. */
#define SPAN ((char *)0x200000000000)
#define AREA_ROOM (1ul << 30)

static char *home(enum kind kind, unsigned int which)
{
	return SPAN + (2 * kind + which) * AREA_ROOM;
}

const char *native_is_missing(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = WP_ASYNC | WP_UNPOPULATED };
	struct uffdwp_scan_arg nothing = { .size = sizeof(nothing) };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	const char *reason = NULL;

	if (ioctl(uffd, UFFDIO_API, &api))
		reason = "this kernel's userfaultfd has no WP_ASYNC";
	else if (ioctl(pagemap, PAGEMAP_SCAN_IOCTL, &nothing))
		reason = "this kernel has no PAGEMAP_SCAN";
	close(uffd);
	close(pagemap);
	return reason;
}

/* ---- memory */

static const char *new_file(enum kind kind, int *file)
{
	size_t len = kinds[kind].pages * PAGE, i;
	char page[PAGE];

	*file = -1;
	if (!(BIT_OF(kind) & OF_FILE))
		return NULL;
	if (BIT_OF(kind) & OF_ORDINARY)
		*file = new_ordinary_file(len);
	else
		*file = memfd_create("differential", kind == KIND_HUGETLB ? MFD_HUGETLB : 0);
	if (*file < 0)
		return "no memfd of this kind";
	assert_ok(ftruncate(*file, len));
	/* What a private mapping shows is not zeroes. */
	for (i = 0; kind != KIND_HUGETLB && i < len; i += PAGE) {
		memset(page, 'a' + i / PAGE % 26, PAGE);
		assert_int_equal(pwrite(*file, page, PAGE, i), PAGE);
	}
	return NULL;
}

static int map_flags(enum kind kind)
{
	int flags = MAP_FIXED_NOREPLACE | (BIT_OF(kind) & OF_SHARED ? MAP_SHARED : MAP_PRIVATE);

	if (!(BIT_OF(kind) & OF_FILE))
		flags |= MAP_ANONYMOUS;
	if (BIT_OF(kind) & OF_HUGETLB)
		flags |= MAP_HUGETLB;
	return flags;
}

/* One half has something in it. */
static const char *side_map(struct side *side, enum kind kind, unsigned int which)
{
	size_t len = kinds[kind].pages * PAGE;
	const char *reason = new_file(kind, &side->file);

	if (reason)
		return reason;
	side->start = mmap(home(kind, which), len, PROT_READ | PROT_WRITE, map_flags(kind),
			   side->file, 0);
	if (side->start == MAP_FAILED)
		return strerror(errno);
	if (!(BIT_OF(kind) & OF_HUGETLB))
		madvise(side->start, len, kind == KIND_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	touch(side->start, kinds[kind].pages / 2, 1);
	return NULL;
}

static void side_unmap(struct side *side, enum kind kind)
{
	munmap(side->start, kinds[kind].pages * PAGE);
	if (side->file >= 0)
		close(side->file);
}

/* ---- tracking */

/* Pages that are on their way between the kernel's lists would read as held. */
static int attach(int fd)
{
	return dev_attach(fd, UFFDWP_ATTACH_IGNORE_PINS, 0, 0, UFFDWP_UNPOP_MARKER);
}

static void open_sides(struct pair *pair)
{
	struct side *native = &pair->sides[NATIVE], *device = &pair->sides[DEVICE];

	native->name = "the kernel";
	native->native = true;
	native->uffd = new_uffd(WP_ASYNC | WP_UNPOPULATED);
	native->scan = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	assert_true(native->scan >= 0);
	native->pagemap = device->pagemap = native->scan;
	device->name = "the device";
	device->scan = dev_open();
	assert_true(device->scan >= 0);
	assert_ok(attach(device->scan));
}

static const char *track(struct pair *pair)
{
	size_t len = kinds[pair->kind].pages * PAGE;
	int i, err;

	for (i = 0; i < 2; i++) {
		err = side_register(&pair->sides[i], pair->sides[i].start, len);
		if (err == -EOPNOTSUPP)
			return "the device does not track it";
		assert_ok(err);
	}
	for (i = 0; i < 2; i++)
		assert_ok(side_arm(&pair->sides[i], pair->sides[i].start, len));
	return NULL;
}

const char *pair_start(struct pair *pair, enum kind kind)
{
	const char *reason;

	*pair = (struct pair){ .kind = kind };
	reason = side_map(&pair->sides[NATIVE], kind, NATIVE);
	if (reason)
		return reason;
	reason = side_map(&pair->sides[DEVICE], kind, DEVICE);
	if (reason)
		return reason;
	open_sides(pair);
	reason = track(pair);
	if (reason)
		pair_end(pair);
	return reason;
}

void pair_end(struct pair *pair)
{
	close(pair->sides[DEVICE].scan);
	close(pair->sides[NATIVE].scan);
	close(pair->sides[NATIVE].uffd);
	side_unmap(&pair->sides[NATIVE], pair->kind);
	side_unmap(&pair->sides[DEVICE], pair->kind);
}

static int uffd_command(const struct side *side, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(side->uffd, cmd, arg);
	} while (ret < 0 && errno == EAGAIN);
	return ret < 0 ? -errno : 0;
}

int side_register(const struct side *side, char *start, size_t len)
{
	struct uffdio_register arg = {
		.range = { (uintptr_t)start, len }, .mode = UFFDIO_REGISTER_MODE_WP,
	};

	return side->native ? uffd_command(side, UFFDIO_REGISTER, &arg) :
			      dev_register(side->scan, start, len);
}

int side_unregister(const struct side *side, char *start, size_t len)
{
	struct uffdio_range arg = { (uintptr_t)start, len };

	return side->native ? uffd_command(side, UFFDIO_UNREGISTER, &arg) :
			      dev_unregister(side->scan, start, len);
}

static int writeprotect(const struct side *side, char *start, size_t len, uint64_t mode)
{
	struct uffdio_writeprotect arg = { .range = { (uintptr_t)start, len }, .mode = mode };

	return uffd_command(side, UFFDIO_WRITEPROTECT, &arg);
}

int side_arm(const struct side *side, char *start, size_t len)
{
	return side->native ? writeprotect(side, start, len, UFFDIO_WRITEPROTECT_MODE_WP) :
			      dev_arm(side->scan, start, len);
}

int side_disarm(const struct side *side, char *start, size_t len)
{
	return side->native ? writeprotect(side, start, len, 0) :
			      dev_disarm(side->scan, start, len);
}

int side_scan(const struct side *side, struct uffdwp_scan_arg *arg)
{
	return dev_ioctl(side->scan, side->native ? PAGEMAP_SCAN_IOCTL : UFFDWP_IOC_SCAN, arg);
}

int pagemap_scan(const struct side *side, struct uffdwp_scan_arg *arg)
{
	return dev_ioctl(side->pagemap, PAGEMAP_SCAN_IOCTL, arg);
}

/* ---- looking */

static uint64_t in_the_same_words(const struct side *side, uint64_t categories)
{
	const uint64_t untracked = UFFDWP_PAGE_IS_UNTRACKED | UFFDWP_PAGE_IS_WRITTEN;

	if (side->native)
		return categories & UFFDWP_PAGE_IS_WPALLOWED ? categories : untracked;
	return categories & UFFDWP_PAGE_IS_UNTRACKED ? untracked : categories;
}

void side_look(const struct side *side, enum kind kind, uint64_t *categories)
{
	const size_t pages = kinds[kind].pages;
	struct uffdwp_region vec[256];
	struct uffdwp_scan_arg arg = scan_arg(side->start, pages * PAGE, vec, 256);
	uint64_t addr;
	int n, i;

	arg.category_mask = 0;
	arg.return_mask = compared(kind) | (side->native ? 0 : UFFDWP_PAGE_IS_UNTRACKED);
	memset(categories, 0, pages * sizeof(*categories));
	for (; arg.start != arg.end; arg.start = arg.walk_end) {
		n = side_scan(side, &arg);
		if (n < 0)
			fail_msg("%s: a look fails: %s", side->name, strerror(-n));
		for (i = 0; i < n; i++)
			for (addr = vec[i].start; addr != vec[i].end; addr += PAGE)
				categories[(addr - (uintptr_t)side->start) / PAGE] =
					in_the_same_words(side, vec[i].categories);
	}
}
