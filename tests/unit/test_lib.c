// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library without a kernel: options, explanations, and its list of symbols.
 */
#include "unit.h"

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

static void every_error_has_a_sentence(void **state)
{
	static const int errors[] = { -ENODEV, -EACCES, -EPERM, -ESRCH, -ENXIO, -EPROTO, -EBADF,
				      -EBUSY, -EOPNOTSUPP, -EINVAL, -EMFILE, -ENOMEM,
				      -EIO };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_true(strlen(uffdwp_explain(UFFDWP_STEP_OPEN, errors[i])) > 10);
	assert_non_null(strstr(uffdwp_explain(UFFDWP_STEP_OPEN, -ENODEV), "modprobe"));
	assert_non_null(strstr(uffdwp_explain(UFFDWP_STEP_OPEN, -EACCES), "root"));
	assert_string_not_equal(uffdwp_explain(UFFDWP_STEP_OPEN, -EBUSY),
				uffdwp_explain(UFFDWP_STEP_TRACK, -EBUSY));
	assert_non_null(strstr(uffdwp_explain(UFFDWP_STEP_SCAN, -EIO), "written"));
	/* One that nobody thought of is still an error with a name. */
	assert_string_equal(uffdwp_explain(UFFDWP_STEP_SCAN, -EXDEV), strerrordesc_np(EXDEV));
	assert_string_equal(uffdwp_explain(UFFDWP_STEP_SCAN, -99999), "unknown error");
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
		cmocka_unit_test(without_the_module),
		cmocka_unit_test(scans_are_checked),
	};

	return cmocka_run_group_tests_name("lib", tests, NULL, NULL);
}
