// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/utsname.h>

#include "support.h"
#include "unserved.h"

static const struct unserved rows[] = {
	{
		.kinds = UFFDWP_KIND_SHMEM | UFFDWP_KIND_HUGETLB,
		.since = { 5, 19 },
		.what = "shared memory, private mappings of it, hugetlb",
		.answer = "REGISTER fails with EOPNOTSUPP",
		.why = "without markers the kernel write-protects private anonymous memory only",
	},
	{
		.kinds = UFFDWP_KIND_FILE,
		.since = { 5, 19 },
		.what = "mappings of ordinary files",
		.answer = "REGISTER fails with EOPNOTSUPP",
		.why = "without markers the kernel write-protects private anonymous memory only",
	},
	{
		.features = UFFDWP_FEATURE_UNPOP_MARKER,
		.since = { 5, 19 },
		.what = "UFFDWP_UNPOP_MARKER",
		.answer = "ATTACH fails with EOPNOTSUPP",
		.why = "the kernel has no markers",
	},
};

const struct unserved *unserved_row(size_t number)
{
	return number < sizeof(rows) / sizeof(rows[0]) ? &rows[number] : NULL;
}

bool kernel_is_before(unsigned int major, unsigned int minor)
{
	struct utsname name;
	unsigned int a, b;

	assert_ok(uname(&name));
	assert_int_equal(sscanf(name.release, "%u.%u", &a, &b), 2);
	return a < major || (a == major && b < minor);
}

const char *no_bits_left_behind(void)
{
	return kernel_is_before(7, 3) ? NULL :
	       "since Linux 7.3 UFFDIO_REGISTER takes no protection away, so no bits are left";
}

const struct unserved *unserved_here(uint64_t kinds, uint64_t features)
{
	const bool offered = !(kinds & ~dev_kinds()) && !(features & ~dev_features());
	const struct unserved *row;
	size_t i;

	for (i = 0; (row = unserved_row(i)); i++)
		if (((row->kinds & kinds) || (row->features & features)) &&
		    kernel_is_before(row->since[0], row->since[1]))
			break;
	if (offered != !row)
		fail_msg("kinds %#lx, features %#lx: %s", kinds, features, row ?
			 "HELLO has them, and this kernel cannot serve them" :
			 "HELLO does not have them, and this kernel can serve them");
	return row;
}

const char *refused_memory(uint64_t kind, const void *start, size_t len)
{
	const struct unserved *row = unserved_here(kind, 0);
	struct uffdwp_register_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)start, .len = len,
	};
	int fd;

	if (!row)
		return NULL;
	fd = dev_open();
	assert_true(fd >= 0);
	assert_ok(dev_attach_self(fd));
	assert_err(dev_ioctl(fd, UFFDWP_IOC_REGISTER, &arg), EOPNOTSUPP);
	assert_int_equal(arg.fail_at, arg.start);
	assert_true(categories(fd, start) & UFFDWP_PAGE_IS_UNTRACKED);
	close(fd);
	return row->why;
}

const char *refused_markers(void)
{
	const struct unserved *row = unserved_here(0, UFFDWP_FEATURE_UNPOP_MARKER);
	int fd;

	if (!row)
		return NULL;
	fd = dev_open();
	assert_true(fd >= 0);
	assert_err(dev_attach_markers(fd), EOPNOTSUPP);
	/* It is as before, and can still be attached without. */
	assert_ok(dev_attach_self(fd));
	close(fd);
	return row->why;
}
