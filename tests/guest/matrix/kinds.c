// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of every kind, at addresses where nothing else shares its page tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "environment.h"
#include "matrix.h"

#define SMALL_PAGES 16ul
#define HUGETLB_PAGES 3ul
/* Below the frames of all that a cell calls. */
#define STACK_DEPTH (256 * 1024ul)

static bool is_hugetlb(enum kind kind)
{
	return kind == HUGETLB || kind == HUGETLB_PRIVATE;
}

static bool is_thp(enum kind kind)
{
	return kind == THP || kind == HUGE_ZERO;
}

static char *map_at(char *where, size_t len, int flags, int file)
{
	char *p;

	munmap(where, len);
	p = mmap(where, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, file, 0);
	if (p == MAP_FAILED)
		fail_msg("mmap: %s", strerror(errno));
	return p;
}

static bool is_of_disk(enum kind kind)
{
	return kind == DISK || kind == DISK_PRIVATE;
}

static const char *make_file(struct area *area)
{
	if (is_of_disk(area->kind)) {
		if (area->row && (area->row->flags & HANDED_IN) && kernel_is_before(6, 7))
			return "a userfaultfd that is handed in has no files before Linux 6.7";
		/* To be refused, any ordinary file will do. */
		area->file = dev_kinds() & UFFDWP_KIND_FILE ? disk_file() :
							     new_ordinary_file(area->len);
		if (area->file < 0)
			return "no ordinary file: see the first line";
		return ftruncate(area->file, area->len) ? "the file has no room" : NULL;
	}
	area->file = memfd_create("matrix", MFD_CLOEXEC |
				  (is_hugetlb(area->kind) ? MFD_HUGETLB : 0));
	if (area->file < 0)
		return "no memfd of this kind";
	return ftruncate(area->file, area->len) ? "the file has no room" : NULL;
}

/* The pages of a private mapping that nobody has written to are those of the file. */
static void fill_file(struct area *area)
{
	char page[PAGE];
	size_t i;

	for (i = 0; i < area->len; i += PAGE) {
		memset(page, 'A' + i / PAGE % 26, PAGE);
		assert_int_equal(pwrite(area->file, page, PAGE, i), PAGE);
	}
}

static const char *make_shared(struct area *area, char *where)
{
	const char *reason = make_file(area);
	const bool private = is_private_file(area);

	if (reason)
		return reason;
	if (private)
		fill_file(area);
	area->start = map_at(where, area->len, private ? MAP_PRIVATE : MAP_SHARED, area->file);
	return NULL;
}

static const char *make_hugetlb_private(struct area *area, char *where)
{
	area->start = map_at(where, area->len, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	return NULL;
}

static const char *make_anon(struct area *area, char *where)
{
	area->start = map_at(where, area->len, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (is_thp(area->kind) && !kernel_has_thp())
		return "this kernel has no transparent huge pages";
	thp_advice(area->start, area->len,
		   is_thp(area->kind) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return NULL;
}

/* The stack grows when it is touched below its end. What is there then is thrown away again. */
static const char *make_stack(struct area *area)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	char *p;

	area->start = (char *)((here - STACK_DEPTH - area->len) & ~(PAGE - 1));
	for (p = (char *)(here & ~(PAGE - 1)); p >= area->start - PAGE; p -= PAGE)
		*(volatile char *)p = *(volatile char *)p;
	assert_ok(madvise(area->start - PAGE, area->len + 2 * PAGE, MADV_DONTNEED));
	return NULL;
}

static const char *make_heap(struct area *area)
{
	uintptr_t top = (uintptr_t)sbrk(0);
	size_t pad = -top & (PAGE - 1);

	if (sbrk(pad + area->len + PAGE) == (void *)-1)
		return "the heap does not grow";
	area->start = (char *)(top + pad);
	thp_advice(area->start, area->len, MADV_NOHUGEPAGE);
	return NULL;
}

const char *area_make(struct area *area, bool wide)
{
	const char *reason;
	size_t i;

	/* Nobody else maps anything here; what is behind the area is free for it to grow. */
	if (mmap(ARENA, ARENA_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) == MAP_FAILED)
		fail_msg("no room for the arena: %s", strerror(errno));
	area->file = -1;
	area->uffd = -1;
	area->unit = is_hugetlb(area->kind) ? HUGE_PAGE : PAGE;
	area->len = is_hugetlb(area->kind) ? HUGETLB_PAGES * HUGE_PAGE :
		    is_thp(area->kind) || wide ? HUGE_PAGE : SMALL_PAGES * PAGE;
	munmap(ARENA, 8 * HUGE_PAGE);

	switch (area->kind) {
	case STACK:
		reason = make_stack(area);
		break;
	case HEAP:
		reason = make_heap(area);
		break;
	case SHMEM:
	case SHMEM_PRIVATE:
	case DISK:
	case DISK_PRIVATE:
	case HUGETLB:
		reason = make_shared(area, ARENA);
		break;
	case HUGETLB_PRIVATE:
		reason = make_hugetlb_private(area, ARENA);
		break;
	default:
		reason = make_anon(area, ARENA);
	}
	if (reason)
		return reason;
	i = is_hugetlb(area->kind) ? 1 : 5;
	area->hit = area->start + i * area->unit;
	area->hit_len = (is_hugetlb(area->kind) ? 1 : 3) * area->unit;
	return NULL;
}

static void fill(char *start, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += PAGE)
		memset(start + i, 'a' + i / PAGE % 26, PAGE);
}

void area_fill(struct area *area)
{
	fill(area->start, area->len);
}

const char *area_make_twin(struct area *area, char *where)
{
	area->twin = map_at(where, area->len, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	thp_advice(area->twin, area->len, MADV_NOHUGEPAGE);
	memcpy(area->twin, area->start, area->len);
	return NULL;
}
