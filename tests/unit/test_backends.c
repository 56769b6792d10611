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

#include "unit.h"

#include "internal.h"

/* Errors, 0 for success. */
static struct {
	int device, hello, attach;
	int pagemap, pagemap_scan, userfaultfd, api;
} answer;

static int a_file(int err)
{
	if (!err)
		return memfd_create("file", MFD_CLOEXEC);
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

int ioctl(int fd, unsigned long cmd, ...)
{
	struct uffdwp_hello_arg *hello;
	va_list arguments;

	(void)fd;
	switch (cmd) {
	case UFFDWP_IOC_HELLO:
		va_start(arguments, cmd);
		hello = va_arg(arguments, struct uffdwp_hello_arg *);
		va_end(arguments);
		hello->abi_version = UFFDWP_ABI_VERSION;
		return result(answer.hello);
	case UFFDWP_IOC_ATTACH:
		return result(answer.attach);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_module_is_first),
		TEST(what_cannot_serve_is_passed_over),
		TEST(what_the_module_says_of_the_request_is_final),
		TEST(when_none_can_the_first_ones_reason_is_told),
		TEST(the_kernel_alone_says_what_it_lacks),
	};

	return cmocka_run_group_tests_name("backends", tests, NULL, NULL);
}
