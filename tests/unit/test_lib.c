// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library without a kernel: options, explanations, and its list of symbols.
 */
#include "unit.h"

#include <pthread.h>
#include <sys/syscall.h>

#include "internal.h"

static void options_of_any_age(void **state)
{
	struct uffdwp_open_opts full;
	struct { struct uffdwp_open_opts opts; uint64_t more; } longer = {
		.opts = { .size = sizeof(longer), .unpopulated = 2 },
	};
	size_t tiny = sizeof(tiny), nothing = 0;

	(void)state;
	assert_int_equal(uffdwp_copy_opts(&full, sizeof(full), NULL), 0);
	assert_int_equal(full.flags, 0);
	assert_int_equal(uffdwp_copy_opts(&full, sizeof(full), &tiny), 0);
	assert_int_equal(full.unpopulated, 0);
	assert_int_equal(uffdwp_copy_opts(&full, sizeof(full), &longer), 0);
	assert_int_equal(full.unpopulated, 2);
	/* Something is asked for that this library does not know. */
	longer.more = 1;
	assert_int_not_equal(uffdwp_copy_opts(&full, sizeof(full), &longer), 0);
	assert_int_not_equal(uffdwp_copy_opts(&full, sizeof(full), &nothing), 0);
}

static const char *said(enum uffdwp_step step, int err)
{
	assert_int_equal(uffdwp_failed(step, err), err);
	return uffdwp_explain(err);
}

static void every_error_has_a_sentence(void **state)
{
	static const int errors[] = { -ENODEV, -EACCES, -EPERM, -EPROTO };
	static const int of_any_step[] = { -ESRCH, -EMFILE, -ENOMEM, -EIO, -EINVAL, -EAGAIN };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_string_not_equal(said(UFFDWP_STEP_DEVICE, errors[i]),
					strerrordesc_np(-errors[i]));
	for (i = 0; i < sizeof(of_any_step) / sizeof(of_any_step[0]); i++)
		assert_string_not_equal(said(UFFDWP_STEP_ARM, of_any_step[i]),
					strerrordesc_np(-of_any_step[i]));
	assert_non_null(strstr(said(UFFDWP_STEP_DEVICE, -ENODEV), "modprobe"));
	assert_non_null(strstr(said(UFFDWP_STEP_DEVICE, -EACCES), "root"));
	assert_non_null(strstr(said(UFFDWP_STEP_ATTACH, -ENODEV), "hook"));
	assert_non_null(strstr(said(UFFDWP_STEP_PAGEMAP, -EACCES), "pagemap"));
	assert_non_null(strstr(said(UFFDWP_STEP_SCAN, -EIO), "written"));
	assert_non_null(strstr(said(UFFDWP_STEP_FOLLOW, -EINVAL), "uffdwp_events_open"));
	assert_non_null(strstr(said(UFFDWP_STEP_EVENTS, -EOPNOTSUPP), "kernel alone"));
	assert_non_null(strstr(said(UFFDWP_STEP_EVENT, -EINVAL), "uffdwp_events_open"));
	assert_non_null(strstr(said(UFFDWP_STEP_EVENT, -ENODATA), "last"));
	assert_non_null(strstr(said(UFFDWP_STEP_EVENT, -ENOMEM), "not lost"));
	/* One that nobody thought of is still an error with a name. */
	assert_string_equal(said(UFFDWP_STEP_SCAN, -EXDEV), strerrordesc_np(EXDEV));
	assert_string_equal(said(UFFDWP_STEP_SCAN, -99999), "unknown error");
	assert_string_equal(said(UFFDWP_STEP_SCAN, 5), "unknown error");
}

/* What fails in between, with another error or elsewhere, changes nothing. */
static void an_error_knows_its_step(void **state)
{
	const char *busy, *no_module;

	(void)state;
	busy = said(UFFDWP_STEP_TRACK, -EBUSY);
	no_module = said(UFFDWP_STEP_DEVICE, -ENODEV);
	said(UFFDWP_STEP_ATTACH, -ESRCH);
	said(UFFDWP_STEP_SCAN, 0);
	assert_string_equal(uffdwp_explain(-EBUSY), busy);
	assert_string_equal(uffdwp_explain(-ENODEV), no_module);
	assert_string_not_equal(said(UFFDWP_STEP_ATTACH, -EBUSY), busy);
}

static void *fail_elsewhere(void *step)
{
	(void)step;
	/* This thread has not failed yet. */
	assert_string_equal(uffdwp_explain(-EACCES), strerrordesc_np(EACCES));
	said(UFFDWP_STEP_TRACK, -EACCES);
	return NULL;
}

static void threads_fail_apart(void **state)
{
	const char *mine = said(UFFDWP_STEP_DEVICE, -EACCES);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	assert_string_equal(uffdwp_explain(-EACCES), mine);
}

/* On the build machine the module must never be loaded, so this is what everybody gets. */
static void without_the_module(void **state)
{
	struct uffdwp_open_opts opts = { .size = sizeof(opts), .backend = UFFDWP_BACKEND_MODULE };
	struct uffdwp *t;

	(void)state;
	if (!access(UFFDWP_DEVICE, F_OK))
		skip();
	assert_int_equal(uffdwp_open(0, &opts, &t), -ENODEV);
	assert_null(t);
	/* Another process takes the module, whatever the kernel can do. */
	assert_int_equal(uffdwp_open(getppid(), NULL, &t), -ENODEV);
}

/* Of the process behind a pidfd; -1 when it has ended. */
static int number_of(int pidfd)
{
	char path[64], line[128];
	int number = -2;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Pid: %d", &number) == 1)
			break;
	fclose(file);
	return number;
}

static void *say_and_wait(void *arg)
{
	int *pipes = arg, tid = syscall(SYS_gettid);

	if (write(pipes[1], &tid, sizeof(tid)) != sizeof(tid))
		return NULL;
	return read(pipes[2], &tid, 1) ? NULL : arg;
}

/* And the number of one that has ended is nobody's. */
static void a_thread_means_its_process(void **state)
{
	int pipes[4], tid, pidfd = uffdwp_pidfd_of(getpid());
	pthread_t thread;

	(void)state;
	assert_true(pidfd >= 0);
	assert_int_equal(number_of(pidfd), getpid());
	close(pidfd);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(pipes + 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, say_and_wait, pipes), 0);
	assert_int_equal(read(pipes[0], &tid, sizeof(tid)), sizeof(tid));
	assert_int_not_equal(tid, getpid());
	pidfd = uffdwp_pidfd_of(tid);
	assert_true(pidfd >= 0);
	assert_int_equal(number_of(pidfd), getpid());
	close(pidfd);
	assert_int_equal(write(pipes[3], "x", 1), 1);
	pthread_join(thread, NULL);
	/* It may have its number for a moment longer than it can be joined. */
	while ((pidfd = uffdwp_pidfd_of(tid)) >= 0)
		close(pidfd);
	assert_int_equal(pidfd, -ESRCH);
}

static void scans_are_checked(void **state)
{
	struct uffdwp_scan *scan;

	(void)state;
	assert_int_equal(uffdwp_scan_start(NULL, NULL, &scan), -EINVAL);
	assert_null(scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_any_age),
		cmocka_unit_test(every_error_has_a_sentence),
		cmocka_unit_test(an_error_knows_its_step),
		cmocka_unit_test(threads_fail_apart),
		cmocka_unit_test(without_the_module),
		cmocka_unit_test(a_thread_means_its_process),
		cmocka_unit_test(scans_are_checked),
	};

	return cmocka_run_group_tests_name("lib", tests, NULL, NULL);
}
