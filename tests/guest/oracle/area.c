// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas: one piece of memory of each kind, at an address that is the same in every run.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "environment.h"
#include "oracle.h"

const struct kind_info kinds[KINDS] = {
	[KIND_ANON] = { "private anonymous", 96, 1, 6 },
	[KIND_STACK] = { "stack-like", 48, 1, 2 },
	[KIND_BRK] = { "brk", 32, 1, 1 },
	[KIND_THP] = { "huge pages", 1024, 1, 4 },
	[KIND_SHMEM] = { "shmem", 96, 1, 4 },
	[KIND_SHMEM_PRIVATE] = { "private shmem", 96, 1, 4 },
	[KIND_SHMEM_HUGE] = { "huge shmem", 1024, 1, 2 },
	[KIND_HUGETLB] = { "hugetlb", 1024, 512, 3 },
	[KIND_HUGETLB_PRIVATE] = { "private hugetlb", 1024, 512, 3 },
	[KIND_DISK] = { "file", 96, 1, 4 },
	[KIND_DISK_PRIVATE] = { "private file", 96, 1, 4 },
};

char *area_home(enum kind kind, unsigned int which)
{
	return SPAN + (2 * kind + which) * AREA_ROOM;
}

static int map_flags(enum kind kind)
{
	switch (kind) {
	case KIND_STACK:
		return MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK;
	case KIND_SHMEM:
	case KIND_SHMEM_HUGE:
	case KIND_DISK:
		return MAP_SHARED;
	case KIND_SHMEM_PRIVATE:
	case KIND_DISK_PRIVATE:
		return MAP_PRIVATE;
	case KIND_HUGETLB:
		return MAP_SHARED | MAP_HUGETLB;
	case KIND_HUGETLB_PRIVATE:
		return MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	default:
		return MAP_PRIVATE | MAP_ANONYMOUS;
	}
}

/* In place of what is there, if anything is. 0 or errno */
int area_map(const struct area *area, enum kind kind, char *addr, size_t len)
{
	bool huge = kind == KIND_THP || kind == KIND_SHMEM_HUGE;
	void *p = mmap(addr, len, PROT_READ | PROT_WRITE, map_flags(kind) | MAP_FIXED, area->fd,
		       area->fd < 0 ? 0 : addr - area->start);

	if (p != addr)
		return errno;
	if (!(BIT_OF(kind) & OF_HUGETLB))
		madvise(addr, len, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return 0;
}

static int new_file(enum kind kind)
{
	size_t len = kinds[kind].pages * PAGE, i;
	char page[PAGE];
	int fd;

	fd = BIT_OF(kind) & OF_DISK ?
	     disk_file() : memfd_create("oracle", kind == KIND_HUGETLB ? MFD_HUGETLB : 0);

	assert_true(fd >= 0);
	assert_ok(ftruncate(fd, len));
	/* What a private mapping shows is not zeroes. */
	for (i = 0; (BIT_OF(kind) & OF_COPIED) && i < len; i += PAGE) {
		memset(page, 'a' + i / PAGE % 26, PAGE);
		assert_int_equal(pwrite(fd, page, PAGE, i), PAGE);
	}
	return fd;
}

static void make_brk(struct area *area)
{
	size_t len = kinds[KIND_BRK].pages * PAGE;
	uintptr_t p = (uintptr_t)sbrk(len + PAGE);

	assert_true(p != UINTPTR_MAX);
	area->start = (char *)((p + PAGE - 1) & ~(PAGE - 1));
	madvise(area->start, len, MADV_NOHUGEPAGE);
}

/* A part of it is touched, so that there are pages with something and with nothing in them. */
void area_make(struct area *area, enum kind kind)
{
	size_t pages = kinds[kind].pages;

	*area = (struct area){ .start = area_home(kind, 0), .high = pages, .fd = -1 };
	if (kind == KIND_STACK)
		area->low = pages / 2;
	if (BIT_OF(kind) & OF_FILE)
		area->fd = new_file(kind);
	if (kind == KIND_BRK)
		make_brk(area);
	else
		assert_ok(area_map(area, kind, area->start + area->low * PAGE,
				   (area->high - area->low) * PAGE));
	touch(area->start + area->low * PAGE, (area->high - area->low) / 2, 1 + kind);
}
