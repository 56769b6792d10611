// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's arithmetic of regions, in user space: module/regions.c with stand-ins for what it
 * takes from the kernel.
 */
#include "unit.h"

typedef uint64_t u64;
#define __user
#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))

/* Copying fails from this element of the vector on. */
static size_t readable;
static char *vector;

static size_t copy_to_user(void *to, const void *from, size_t len)
{
	if ((size_t)((char *)to - vector) + len > readable * 24)
		return len;
	memcpy(to, from, len);
	return 0;
}

#include "../../module/regions.c"

#define CAPACITY 4

static struct uffdwp_region vec[64], buffer[CAPACITY];

static struct uffdwp_regions new_regions(u64 vec_len, u64 max_pages)
{
	struct uffdwp_regions r = {
		.vec = vec_len ? vec : NULL, .vec_len = vec_len, .max_pages = max_pages,
	};

	readable = 64;
	vector = (char *)vec;
	uffdwp_regions_use_buffer(&r, buffer, CAPACITY);
	return r;
}

/* Pages, not bytes. */
static enum uffdwp_added add(struct uffdwp_regions *r, u64 first, u64 end, u64 categories,
			     u64 *taken)
{
	unsigned long last = end * PAGE_SIZE;
	enum uffdwp_added what = uffdwp_regions_add(r, first * PAGE_SIZE, &last, categories);

	if (taken)
		*taken = last / PAGE_SIZE;
	return what;
}

static void neighbours_join(void **state)
{
	struct uffdwp_regions r = new_regions(64, UINT64_MAX);

	(void)state;
	assert_int_equal(add(&r, 1, 2, 7, NULL), UFFDWP_ADD_TAKEN);
	assert_int_equal(add(&r, 2, 5, 7, NULL), UFFDWP_ADD_TAKEN);
	assert_true(uffdwp_regions_extend(&r, 5 * PAGE_SIZE, 1, 7));
	assert_int_equal(r.buffered, 1);
	assert_int_equal(buffer[0].end, 6 * PAGE_SIZE);
	/* Another category, or a gap, begins another. */
	assert_false(uffdwp_regions_extend(&r, 6 * PAGE_SIZE, 1, 8));
	assert_int_equal(add(&r, 6, 7, 8, NULL), UFFDWP_ADD_TAKEN);
	assert_false(uffdwp_regions_extend(&r, 8 * PAGE_SIZE, 1, 8));
	assert_int_equal(add(&r, 8, 9, 8, NULL), UFFDWP_ADD_TAKEN);
	assert_int_equal(r.buffered, 3);
	assert_int_equal(r.pages, 7);
}

static void several_join_at_once(void **state)
{
	struct uffdwp_regions r = new_regions(64, 20);

	(void)state;
	assert_false(uffdwp_regions_extend(&r, 0, 8, 7));
	assert_true(uffdwp_regions_begin(&r, 0, 7));
	assert_true(uffdwp_regions_extend(&r, PAGE_SIZE, 8, 7));
	assert_int_equal(buffer[0].end, 9 * PAGE_SIZE);
	assert_int_equal(r.pages, 9);
	/* Not up to the limit, of which the caller is to be told. */
	assert_false(uffdwp_regions_extend(&r, 9 * PAGE_SIZE, 11, 7));
	assert_true(uffdwp_regions_extend(&r, 9 * PAGE_SIZE, 10, 7));
	assert_int_equal(r.pages, 19);
	assert_int_equal(r.buffered, 1);
}

/* A page begins a region without a call only where there is room for it and for one more. */
static void a_page_begins_a_region(void **state)
{
	struct uffdwp_regions r = new_regions(64, UINT64_MAX);
	u64 i;

	(void)state;
	for (i = 0; i < CAPACITY; i++)
		assert_true(uffdwp_regions_begin(&r, 2 * i * PAGE_SIZE, 1));
	assert_false(uffdwp_regions_begin(&r, 2 * i * PAGE_SIZE, 1));
	assert_int_equal(r.buffered, CAPACITY);
	assert_int_equal(r.pages, CAPACITY);
	assert_int_equal(buffer[1].start, 2 * PAGE_SIZE);
	assert_int_equal(buffer[1].end, 3 * PAGE_SIZE);

	r = new_regions(1, UINT64_MAX);
	assert_true(uffdwp_regions_begin(&r, 0, 1));
	assert_false(uffdwp_regions_begin(&r, 2 * PAGE_SIZE, 1));
	r = new_regions(64, 1);
	assert_false(uffdwp_regions_begin(&r, 0, 1));
	r = new_regions(0, 2);
	assert_false(uffdwp_regions_begin(&r, 0, 1));
}

static void nothing_joins_an_empty_buffer(void **state)
{
	struct uffdwp_regions r = new_regions(64, UINT64_MAX);

	(void)state;
	memset(buffer, 0, sizeof(buffer));
	assert_false(uffdwp_regions_extend(&r, 0, 1, 0));
}

static void the_page_limit_cuts(void **state)
{
	struct uffdwp_regions r = new_regions(64, 10);
	u64 taken;

	(void)state;
	assert_int_equal(add(&r, 0, 8, 1, &taken), UFFDWP_ADD_TAKEN);
	assert_int_equal(add(&r, 20, 30, 1, &taken), UFFDWP_ADD_LAST);
	assert_int_equal(taken, 22);
	assert_int_equal(r.pages, 10);
	assert_int_equal(buffer[1].end, 22 * PAGE_SIZE);
	/* The last page must be told to the caller, so it is not taken in silence. */
	r = new_regions(64, 2);
	add(&r, 0, 1, 1, NULL);
	assert_false(uffdwp_regions_extend(&r, PAGE_SIZE, 1, 1));
	assert_int_equal(add(&r, 1, 2, 1, NULL), UFFDWP_ADD_LAST);
}

static void a_full_vector_takes_no_more(void **state)
{
	struct uffdwp_regions r = new_regions(2, UINT64_MAX);

	(void)state;
	add(&r, 0, 1, 1, NULL);
	add(&r, 2, 3, 1, NULL);
	assert_int_equal(add(&r, 4, 5, 1, NULL), UFFDWP_ADD_NO_ROOM);
	/* But the last region may grow. */
	assert_int_equal(add(&r, 3, 4, 1, NULL), UFFDWP_ADD_TAKEN);
	assert_int_equal(uffdwp_regions_store(&r, true), 0);
	assert_int_equal(r.stored, 2);
	assert_int_equal(vec[1].end, 4 * PAGE_SIZE);
	assert_int_equal(add(&r, 4, 5, 1, NULL), UFFDWP_ADD_NO_ROOM);
}

static void the_buffer_is_stored_on_the_way(void **state)
{
	struct uffdwp_regions r = new_regions(64, UINT64_MAX);
	u64 i;

	(void)state;
	for (i = 0; i < CAPACITY; i++)
		assert_int_equal(add(&r, 2 * i, 2 * i + 1, 1, NULL), UFFDWP_ADD_TAKEN);
	assert_int_equal(add(&r, 2 * i, 2 * i + 1, 1, NULL), UFFDWP_ADD_FLUSH_FIRST);
	assert_int_equal(uffdwp_regions_store(&r, false), 0);
	/* The last one waits for a neighbour. */
	assert_int_equal(r.stored, CAPACITY - 1);
	assert_int_equal(r.buffered, 1);
	assert_true(uffdwp_regions_extend(&r, (2 * i - 1) * PAGE_SIZE, 1, 1));
	assert_int_equal(uffdwp_regions_store(&r, true), 0);
	assert_int_equal(r.stored, CAPACITY);
	assert_int_equal(vec[CAPACITY - 1].start, 2 * (i - 1) * PAGE_SIZE);
	assert_int_equal(vec[CAPACITY - 1].end, 2 * i * PAGE_SIZE);
	assert_int_equal(uffdwp_regions_store(&r, true), 0);
}

static void what_cannot_be_stored_is_not_counted(void **state)
{
	struct uffdwp_regions r = new_regions(64, UINT64_MAX);

	(void)state;
	add(&r, 0, 1, 1, NULL);
	add(&r, 2, 3, 1, NULL);
	readable = 1;
	assert_int_equal(uffdwp_regions_store(&r, true), -EFAULT);
	assert_int_equal(r.stored, 0);
	assert_int_equal(r.buffered, 2);
}

static void without_a_vector_pages_are_counted(void **state)
{
	struct uffdwp_regions r = new_regions(0, 100);

	(void)state;
	assert_int_equal(add(&r, 0, 60, 1, NULL), UFFDWP_ADD_TAKEN);
	assert_int_equal(add(&r, 100, 160, 2, NULL), UFFDWP_ADD_LAST);
	assert_int_equal(r.pages, 100);
	assert_int_equal(r.buffered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_join),
		cmocka_unit_test(several_join_at_once),
		cmocka_unit_test(a_page_begins_a_region),
		cmocka_unit_test(nothing_joins_an_empty_buffer),
		cmocka_unit_test(the_page_limit_cuts),
		cmocka_unit_test(a_full_vector_takes_no_more),
		cmocka_unit_test(the_buffer_is_stored_on_the_way),
		cmocka_unit_test(what_cannot_be_stored_is_not_counted),
		cmocka_unit_test(without_a_vector_pages_are_counted),
	};

	return cmocka_run_group_tests_name("regions", tests, NULL, NULL);
}
