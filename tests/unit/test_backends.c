// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which back end serves: every answer that the device and the kernel can give. They are given by
 * this program, which has open(), ioctl() and syscall() of its own for the library that is linked
 * into it.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "unit.h"

#include "internal.h"

/* Errors, 0 for success. */
static struct {
	int device, hello, attach;
	uint64_t task_size;		/* of the process that is tracked */
	int pagemap, pagemap_scan, userfaultfd, api;
	bool no_hooks;			/* the module was loaded so, and offers nothing */
} answer;

/* Of the memory that scans find: written pages are 1. */
#define PAGES 8
#define BASE 0x100000ul

static struct {
	bool here;
	bool written[PAGES];
	bool empty[PAGES];	/* never armed, and the kernel does not call that written */
	int late;		/* page that is written after a look, and before arming; or 0 */
	int arms;		/* that succeed, before all fail */
	int arm_error;
	int disarm_error;
} memory;

static int a_file(int err)
{
	int file;

	if (!err) {
		file = memfd_create("file", MFD_CLOEXEC);
		/* An empty pagemap is that of a process which has ended. */
		assert_int_equal(ftruncate(file, 4096), 0);
		return file;
	}
	errno = err;
	return -1;
}

static int result(int err)
{
	if (!err)
		return 0;
	errno = err;
	return -1;
}

int open(const char *path, int flags, ...)
{
	(void)flags;
	if (!strcmp(path, UFFDWP_DEVICE))
		return a_file(answer.device);
	if (!strcmp(path, "/proc/self/pagemap"))
		return a_file(answer.pagemap);
	fail_msg("who opens %s?", path);
	return -1;
}

/* One region for each run of pages that are all written, or all armed. */
static int fake_scan(struct uffdwp_scan_arg *arg)
{
	struct uffdwp_region *vec = (struct uffdwp_region *)(uintptr_t)arg->vec;
	uint64_t at;
	int n = 0;

	for (at = arg->start; at < arg->end; at += 4096) {
		const int page = (at - BASE) / 4096;
		const uint64_t categories = UFFDWP_PAGE_IS_WPALLOWED |
			(memory.empty[page] ? 0 : UFFDWP_PAGE_IS_PRESENT) |
			(memory.written[page] ? UFFDWP_PAGE_IS_WRITTEN : 0);

		if (n && vec[n - 1].categories == categories)
			vec[n - 1].end = at + 4096;
		else
			vec[n++] = (struct uffdwp_region){ at, at + 4096, categories };
	}
	arg->walk_end = arg->end;
	if (memory.late)
		memory.written[memory.late] = true;
	memory.late = 0;
	return n;
}

static int fake_writeprotect(const struct uffdio_writeprotect *arg)
{
	const bool arms = arg->mode & UFFDIO_WRITEPROTECT_MODE_WP;
	uint64_t at;

	if (arms && !memory.arms)
		return result(memory.arm_error);
	if (!arms && memory.disarm_error)
		return result(memory.disarm_error);
	memory.arms -= arms;
	for (at = arg->range.start; at < arg->range.start + arg->range.len; at += 4096) {
		memory.written[(at - BASE) / 4096] = !arms;
		/* It has a marker now. */
		memory.empty[(at - BASE) / 4096] = false;
	}
	return 0;
}

/* The scans of the device: those that it has refused, too. */
static int device_scans;

static int fake_device_scan(struct uffdwp_scan_arg *arg)
{
	device_scans++;
	if (arg->end > answer.task_size)
		return result(EOVERFLOW);
	arg->walk_end = arg->end;
	return 0;
}

/* No test waits. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	return 0;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	struct uffdwp_hello_arg *hello;
	va_list arguments;
	void *arg;

	(void)fd;
	va_start(arguments, cmd);
	arg = va_arg(arguments, void *);
	va_end(arguments);
	if (memory.here && cmd == UFFDIO_WRITEPROTECT)
		return fake_writeprotect(arg);
	if (memory.here && cmd == _IOWR('f', 16, struct uffdwp_scan_arg))
		return fake_scan(arg);
	switch (cmd) {
	case UFFDWP_IOC_HELLO:
		hello = arg;
		hello->abi_version = UFFDWP_ABI_VERSION;
		hello->kinds = answer.no_hooks ? 0 : UFFDWP_KIND_ANON_PRIVATE;
		return result(answer.hello);
	case UFFDWP_IOC_ATTACH:
		return result(answer.attach);
	case UFFDWP_IOC_SCAN:
		return fake_device_scan(arg);
	case UFFDIO_API:
		return result(answer.api);
	default:
		return result(answer.pagemap_scan);
	}
}

long syscall(long number, ...)
{
	assert_int_equal(number, SYS_userfaultfd);
	return a_file(answer.userfaultfd);
}

static struct uffdwp *t;

static int ask(enum uffdwp_backend backend)
{
	struct uffdwp_open_opts opts = { .size = sizeof(opts), .backend = backend };

	return uffdwp_open(0, &opts, &t);
}

static void assert_served_by(const char *name)
{
	assert_int_equal(ask(UFFDWP_BACKEND_ANY), 0);
	assert_string_equal(uffdwp_backend_name(t), name);
}

static void assert_refused(enum uffdwp_backend backend, int err, const char *word)
{
	assert_int_equal(ask(backend), -err);
	assert_null(t);
	if (!strstr(uffdwp_explain(-err), word))
		fail_msg("%d is explained without '%s': %s", err, word, uffdwp_explain(-err));
}

static int forget(void **state)
{
	(void)state;
	memset(&answer, 0, sizeof(answer));
	memset(&memory, 0, sizeof(memory));
	return 0;
}

static void the_module_is_first(void **state)
{
	(void)state;
	assert_served_by("module");
	assert_int_equal(uffdwp_passed_over(t, UFFDWP_BACKEND_MODULE), 0);
	assert_int_equal(uffdwp_passed_over(t, UFFDWP_BACKEND_KERNEL), 0);
	uffdwp_close(t);
}

/* With the reason, for who asks. */
static void what_cannot_serve_is_passed_over(void **state)
{
	static const int of_device[] = { ENOENT, ENXIO, EACCES, EPERM };
	int expected;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(of_device) / sizeof(of_device[0]); i++) {
		answer.device = of_device[i];
		expected = of_device[i] == ENOENT || of_device[i] == ENXIO ? ENODEV : of_device[i];
		assert_served_by("kernel");
		assert_int_equal(uffdwp_passed_over(t, UFFDWP_BACKEND_MODULE), -expected);
		assert_int_equal(uffdwp_passed_over(t, UFFDWP_BACKEND_KERNEL), 0);
		uffdwp_close(t);
	}
	answer.device = 0;
	/* A device of that name that knows no command of ours. */
	answer.hello = ENOTTY;
	assert_served_by("kernel");
	assert_int_equal(uffdwp_passed_over(t, UFFDWP_BACKEND_MODULE), -EPROTO);
	uffdwp_close(t);
	answer.hello = 0;
	answer.no_hooks = true;
	assert_served_by("kernel");
	assert_int_equal(uffdwp_passed_over(t, UFFDWP_BACKEND_MODULE), -ENODEV);
	uffdwp_close(t);
	answer.no_hooks = false;
	answer.attach = EOPNOTSUPP;
	assert_served_by("kernel");
	assert_int_equal(uffdwp_passed_over(t, UFFDWP_BACKEND_MODULE), -EOPNOTSUPP);
	uffdwp_close(t);
}

/* No weaker back end in silence, and no second opinion on a right. */
static void what_the_module_says_of_the_request_is_final(void **state)
{
	(void)state;
	answer.attach = ENODEV;
	assert_refused(UFFDWP_BACKEND_ANY, ENODEV, "hook");
	answer.attach = EPERM;
	assert_refused(UFFDWP_BACKEND_ANY, EPERM, "trace");
	answer.attach = ENOMEM;
	assert_refused(UFFDWP_BACKEND_ANY, ENOMEM, "memory");
	answer.attach = 0;
	answer.device = EMFILE;
	assert_refused(UFFDWP_BACKEND_ANY, EMFILE, "ulimit");
}

static void when_none_can_the_first_ones_reason_is_told(void **state)
{
	(void)state;
	answer.device = EACCES;
	answer.pagemap_scan = ENOTTY;
	assert_refused(UFFDWP_BACKEND_ANY, EACCES, UFFDWP_DEVICE);
	answer.device = ENOENT;
	assert_refused(UFFDWP_BACKEND_ANY, ENODEV, "modprobe");
	answer.pagemap_scan = 0;
	answer.api = EINVAL;
	assert_refused(UFFDWP_BACKEND_ANY, ENODEV, "modprobe");
}

static void the_kernel_alone_says_what_it_lacks(void **state)
{
	(void)state;
	answer.pagemap = EACCES;
	assert_refused(UFFDWP_BACKEND_KERNEL, EACCES, "pagemap");
	answer.pagemap = ENOENT;
	assert_refused(UFFDWP_BACKEND_KERNEL, ENOENT, "/proc");
	/* Where it would serve, if only that could be opened. */
	answer.device = ENOENT;
	answer.pagemap = EACCES;
	assert_refused(UFFDWP_BACKEND_ANY, EACCES, "pagemap");
	answer.pagemap = 0;
	answer.pagemap_scan = ENOTTY;
	assert_refused(UFFDWP_BACKEND_KERNEL, ENODEV, "PAGEMAP_SCAN");
	answer.pagemap_scan = 0;
	answer.userfaultfd = ENOSYS;
	assert_refused(UFFDWP_BACKEND_KERNEL, ENODEV, "6.7");
}

#define TEST(f) cmocka_unit_test_setup(f, forget)

/* ---- a scan of everything ends where the address space does, whatever the process is */

static void everything_ends_with_the_address_space(void **state)
{
	static const uint64_t sizes[] = {
		(1ull << 56) - 4096, (1ull << 47) - 4096, 0xffffe000, 0xc0000000,
	};
	UFFDWP_OPTS(uffdwp_scan_opts, opts);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	unsigned int i, times;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		answer.task_size = sizes[i];
		assert_served_by("module");
		/* What was refused is not asked again. */
		for (times = 0; times < 2; times++) {
			device_scans = 0;
			assert_int_equal(uffdwp_scan_start(t, &opts, &scan), 0);
			assert_int_equal(uffdwp_scan_next(scan, &region), 0);
			assert_true(uffdwp_scan_position(scan) >= sizes[i]);
			assert_int_equal(uffdwp_scan_end(scan), 0);
			assert_int_equal(device_scans, times ? 1 : i + 1);
		}
		uffdwp_close(t);
	}
	/* Elsewhere nothing is an empty range. */
	assert_served_by("module");
	opts.start = BASE;
	device_scans = 0;
	assert_int_equal(uffdwp_scan_start(t, &opts, &scan), 0);
	assert_int_equal(uffdwp_scan_next(scan, &region), 0);
	assert_int_equal(uffdwp_scan_end(scan), 0);
	assert_int_equal(device_scans, 0);
	uffdwp_close(t);
}

/* ---- a reset that fails halfway: the kernel's back end looks first and arms then */

static struct uffdwp_scan *scan_everything(void)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING, .start = BASE,
		    .len = PAGES * 4096);
	struct uffdwp_scan *scan;

	assert_int_equal(uffdwp_scan_start(t, &opts, &scan), 0);
	return scan;
}

/* Every second page is written, and arming fails at the third of them. */
static struct uffdwp_scan *scan_that_fails(int arm_error, int disarm_error)
{
	int page;

	assert_int_equal(ask(UFFDWP_BACKEND_KERNEL), 0);
	memory.here = true;
	for (page = 0; page < PAGES; page += 2)
		memory.written[page] = true;
	memory.arms = 2;
	memory.arm_error = arm_error;
	memory.disarm_error = disarm_error;
	return scan_everything();
}

static void assert_next_is_page(struct uffdwp_scan *scan, int page)
{
	struct uffdwp_region region;

	assert_int_equal(uffdwp_scan_next(scan, &region), 1);
	assert_int_equal(region.start, BASE + page * 4096);
	assert_int_equal(region.end, region.start + 4096);
}

/* While an event waits nothing can be armed, and nothing taken back: what is armed is reported. */
static void what_was_armed_before_an_event_is_reported(void **state)
{
	struct uffdwp_scan *scan = scan_that_fails(EAGAIN, EAGAIN);
	struct uffdwp_region region;

	(void)state;
	assert_next_is_page(scan, 0);
	assert_next_is_page(scan, 2);
	assert_int_equal(uffdwp_scan_next(scan, &region), -EAGAIN);
	assert_int_equal(uffdwp_scan_position(scan), BASE + 4 * 4096);
	assert_int_equal(uffdwp_scan_end(scan), 0);
	/* And the rest when it has been read. */
	memory.arms = PAGES;
	memory.disarm_error = 0;
	scan = scan_everything();
	assert_next_is_page(scan, 4);
	assert_next_is_page(scan, 6);
	assert_int_equal(uffdwp_scan_next(scan, &region), 0);
	assert_int_equal(uffdwp_scan_end(scan), 0);
	uffdwp_close(t);
}

static void what_was_armed_before_an_error_is_reported(void **state)
{
	struct uffdwp_scan *scan = scan_that_fails(ENOMEM, 0);
	struct uffdwp_region region;

	(void)state;
	assert_next_is_page(scan, 0);
	assert_next_is_page(scan, 2);
	assert_int_equal(uffdwp_scan_next(scan, &region), -ENOMEM);
	assert_int_equal(uffdwp_scan_end(scan), 0);
	assert_true(memory.written[4] && memory.written[6]);
	uffdwp_close(t);
}

/* It may be armed in part. */
static void what_cannot_be_taken_back_is_reported(void **state)
{
	struct uffdwp_scan *scan = scan_that_fails(ENOMEM, EAGAIN);

	(void)state;
	assert_next_is_page(scan, 0);
	assert_next_is_page(scan, 2);
	assert_next_is_page(scan, 4);
	assert_int_equal(uffdwp_scan_position(scan), BASE + 5 * 4096);
	memory.disarm_error = 0;
	uffdwp_scan_end(scan);
	uffdwp_close(t);
}

/* ---- a write between the two */

/* Pages 0 and 4 are written, page 7 is empty, and page 5 is written late. */
static void scan_of_all_kinds(uint64_t inverted, uint64_t mask, uint64_t anyof)
{
	UFFDWP_OPTS(uffdwp_scan_opts, opts, .flags = UFFDWP_SCAN_WP_MATCHING, .start = BASE,
		    .len = PAGES * 4096, .category_inverted = inverted, .category_mask = mask,
		    .category_anyof_mask = anyof, .return_mask = UFFDWP_PAGE_IS_WRITTEN);
	struct uffdwp_region region;
	struct uffdwp_scan *scan;
	bool found = false;

	forget(NULL);
	assert_int_equal(ask(UFFDWP_BACKEND_KERNEL), 0);
	memory.here = true;
	memory.arms = PAGES;
	memory.written[0] = true;
	memory.written[4] = true;
	memory.empty[7] = true;
	memory.late = 5;
	assert_int_equal(uffdwp_scan_start(t, &opts, &scan), 0);
	while (uffdwp_scan_next(scan, &region) == 1) {
		if (region.start > BASE + 5 * 4096 || region.end <= BASE + 5 * 4096)
			continue;
		found = true;
		assert_false(region.categories & UFFDWP_PAGE_IS_WRITTEN);
	}
	assert_true(found);
	assert_int_equal(uffdwp_scan_end(scan), 0);
}

/* What was told to be clean, and was written before the rest was armed, is in the next scan. */
static void what_was_found_clean_is_not_armed_again(void **state)
{
	struct uffdwp_scan *scan;
	struct uffdwp_region region;

	(void)state;
	scan_of_all_kinds(0, UFFDWP_PAGE_IS_WPALLOWED, 0);
	assert_false(memory.written[0] || memory.written[4] || memory.empty[7]);
	memory.arms = PAGES;
	scan = scan_everything();
	assert_next_is_page(scan, 5);
	assert_int_equal(uffdwp_scan_next(scan, &region), 0);
	assert_int_equal(uffdwp_scan_end(scan), 0);
	uffdwp_close(t);

	scan_of_all_kinds(UFFDWP_PAGE_IS_WRITTEN, UFFDWP_PAGE_IS_WRITTEN, 0);
	assert_true(memory.written[0] && memory.written[4] && memory.written[5]);
	assert_true(memory.empty[7]);
	uffdwp_close(t);

	scan_of_all_kinds(0, 0, UFFDWP_PAGE_IS_PRESENT | UFFDWP_PAGE_IS_WRITTEN);
	assert_false(memory.written[0] || memory.written[4] || memory.empty[7]);
	assert_true(memory.written[5]);
	uffdwp_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_module_is_first),
		TEST(what_cannot_serve_is_passed_over),
		TEST(what_the_module_says_of_the_request_is_final),
		TEST(when_none_can_the_first_ones_reason_is_told),
		TEST(the_kernel_alone_says_what_it_lacks),
		TEST(everything_ends_with_the_address_space),
		TEST(what_was_armed_before_an_event_is_reported),
		TEST(what_was_armed_before_an_error_is_reported),
		TEST(what_cannot_be_taken_back_is_reported),
		TEST(what_was_found_clean_is_not_armed_again),
	};

	return cmocka_run_group_tests_name("backends", tests, NULL, NULL);
}
