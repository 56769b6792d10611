// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading, unloading, and who else has hands on the same functions of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "support.h"
#include "unserved.h"

#define MODULE_FILE "/run/uffdwp-async.ko"
#define MODULE_NAME "uffdwp_async"
#define TRACING "/sys/kernel/debug/tracing/"

#define N 256ul

static int load_with(const char *parameters)
{
	int file = open(MODULE_FILE, O_RDONLY | O_CLOEXEC), ret;

	assert_true(file >= 0);
	ret = syscall(SYS_finit_module, file, parameters, 0) ? -errno : 0;
	close(file);
	return ret;
}

static int load(void)
{
	return load_with("");
}

static int unload(void)
{
	return syscall(SYS_delete_module, MODULE_NAME, O_NONBLOCK) ? -errno : 0;
}

static bool file_contains(const char *path, const char *text)
{
	static char all[1 << 16];
	FILE *file = fopen(path, "r");
	size_t n;

	assert_non_null(file);
	n = fread(all, 1, sizeof(all) - 1, file);
	all[n] = 0;
	fclose(file);
	return strstr(all, text);
}

static bool log_contains(const char *text)
{
	static char log[1 << 20];
	int n = klogctl(3, log, sizeof(log) - 1);

	assert_true(n > 0);
	log[n] = 0;
	return strstr(log, text);
}

static const char *const hooked[] = {
	"do_wp_page", "handle_userfault", "change_protection", "do_swap_page",
};

static bool is_hooked(const char *function)
{
	char line[64];

	snprintf(line, sizeof(line), "%s (", function);
	return file_contains(TRACING "enabled_functions", line);
}

static bool any_is_hooked(void)
{
	size_t i;

	for (i = 0; i < sizeof(hooked) / sizeof(hooked[0]); i++)
		if (is_hooked(hooked[i]))
			return true;
	return false;
}

TEST(an_open_tracker_keeps_it_loaded)
{
	char *p = map_filled(1);
	int fd = dev_open();

	assert_true(fd >= 0);
	assert_err(unload(), EAGAIN);
	assert_ok(dev_attach_self(fd));
	assert_err(unload(), EAGAIN);
	assert_ok(dev_register(fd, p, PAGE));
	assert_ok(dev_arm(fd, p, PAGE));
	assert_err(unload(), EAGAIN);
	close(fd);
	assert_ok(unload());
	assert_err(dev_open(), ENOENT);
	assert_ok(load());
	munmap(p, PAGE);
}

TEST(nothing_is_hooked_without_a_tracker)
{
	char *p = map_filled(1);
	size_t i;
	int fd;

	/* Those of earlier tests are gone after a little while. */
	wait_for(!any_is_hooked());
	fd = tracker_of(p, PAGE);
	for (i = 0; i < 4; i++)
		assert_true(is_hooked(hooked[i]));
	close(fd);
	wait_for(!any_is_hooked());
	munmap(p, PAGE);
}

/* It never can since Linux 7.3. */
static void needs_ftrace_enabled(void)
{
	if (!kernel_is_before(7, 3))
		skip_because("this kernel's ftrace cannot be switched off");
}

TEST(ftrace_cannot_be_switched_off_under_a_tracker)
{
	char *p = map_filled(N);
	int fd = tracker_of(p, N * PAGE);

	assert_err(write_file("/proc/sys/kernel/ftrace_enabled", "0"),
		   kernel_is_before(7, 3) ? EBUSY : EOPNOTSUPP);
	touch(p, N, 2);
	assert_int_equal(written(fd, p, N * PAGE, false), N);
	close(fd);
	munmap(p, N * PAGE);
}

TEST(without_ftrace_it_refuses_and_says_why)
{
	needs_ftrace_enabled();
	/* Also without a tracker: holes in files, and mcopy_atomic() of 5.10, stay hooked. */
	wait_for(!any_is_hooked());
	assert_err(write_file("/proc/sys/kernel/ftrace_enabled", "0"), EBUSY);

	assert_ok(unload());
	assert_ok(write_file("/proc/sys/kernel/ftrace_enabled", "0"));
	assert_err(load(), ENODEV);
	assert_true(log_contains("handle_userfault cannot be hooked: kernel.ftrace_enabled is 0"));
	assert_ok(write_file("/proc/sys/kernel/ftrace_enabled", "1"));
	assert_ok(load());
}

/* For who has to find out whether hooks are to blame for something. */
TEST(without_hooks_it_offers_nothing)
{
	struct uffdwp_hello_arg hello;
	int fd;

	wait_for(!any_is_hooked());
	assert_ok(unload());
	assert_err(load_with("hooks=0 native_abi=1"), EINVAL);
	assert_ok(load_with("hooks=0"));
	assert_false(file_contains(TRACING "enabled_functions", "uffdwp"));
	fd = dev_open();
	assert_true(fd >= 0);
	assert_ok(dev_hello(fd, &hello));
	assert_int_equal(hello.kinds, 0);
	assert_int_equal(hello.features & ~(UFFDWP_FEATURE_PIDFD | UFFDWP_FEATURE_UNPOP_ZERO), 0);
	assert_err(dev_attach_self(fd), ENODEV);
	assert_true(log_contains("loaded with hooks=0: nothing can be tracked"));
	close(fd);
	assert_ok(unload());
	assert_ok(load());
}

/* Another tracer on the same functions makes ftrace call all of them from a list. */
TEST(together_with_other_tracers)
{
	char *p = map_filled(N), *huge = map_huge(1);
	int fd = tracker_of(p, N * PAGE);

	assert_ok(write_file(TRACING "set_ftrace_filter", "do_wp_page handle_userfault"));
	assert_ok(write_file(TRACING "current_tracer", "function"));
	touch(p, N, 2);
	assert_int_equal(written(fd, p, N * PAGE, true), N);
	if (huge) {
		assert_ok(dev_register(fd, huge, HUGE_PAGE));
		assert_ok(dev_arm(fd, huge, HUGE_PAGE));
		touch(huge + PAGE, 3, 2);
		assert_int_equal(written(fd, huge, HUGE_PAGE, true), 3);
	}
	assert_int_equal(dev_stats(fd).write_faults, N + (huge ? 3 : 0));
	assert_int_equal(dev_stats(fd).fallback_faults, 0);
	assert_true(file_contains(TRACING "trace", "do_wp_page"));
	assert_ok(write_file(TRACING "current_tracer", "nop"));
	assert_ok(write_file(TRACING "set_ftrace_filter", ""));
	close(fd);
	munmap(p, N * PAGE);
}

/* Writers that never stop, while the module comes and goes under them. */
struct storm {
	char *memory;
	atomic_bool stop;
	atomic_ulong writes;
};

static void *write_on(void *arg)
{
	struct storm *storm = arg;
	unsigned int seed = (uintptr_t)&seed;

	while (!storm->stop) {
		storm->memory[rand_r(&seed) % N * PAGE] = 1;
		storm->memory[(N + rand_r(&seed) % 512) * PAGE] = 1;
		atomic_fetch_add(&storm->writes, 2);
	}
	return NULL;
}

TEST(load_storm_close_unload)
{
	char *p = map_filled(N + 512);
	struct storm storm = { .memory = p };
	struct timespec begin, now;
	pthread_t threads[2];
	unsigned int rounds = 0;
	size_t i;

	for (i = 0; i < 2; i++)
		assert_ok(pthread_create(&threads[i], NULL, write_on, &storm));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_ok(unload());
	do {
		int fd;

		assert_ok(load());
		fd = tracker_of(p, (N + 512) * PAGE);
		for (i = 0; i < 20; i++)
			written(fd, p, (N + 512) * PAGE, true);
		wait_for(dev_stats(fd).write_faults > 0);
		close(fd);
		/* At once: while the last faults are still on their way. */
		assert_ok(unload());
		rounds++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begin.tv_sec < 8 && rounds < 100) || rounds < 2);
	storm.stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	print_message("[   INFO   ] %u rounds, %lu writes\n", rounds, (unsigned long)storm.writes);
	assert_ok(load());
	munmap(p, (N + 512) * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_tracker_keeps_it_loaded),
		cmocka_unit_test(nothing_is_hooked_without_a_tracker),
		cmocka_unit_test(ftrace_cannot_be_switched_off_under_a_tracker),
		cmocka_unit_test(without_ftrace_it_refuses_and_says_why),
		cmocka_unit_test(without_hooks_it_offers_nothing),
		cmocka_unit_test(together_with_other_tracers),
		cmocka_unit_test(load_storm_close_unload),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
